/*
 * faultmem - SQLite's memory, whose n-th allocation fails.
 *
 * Only SQLite's own: mem_alloc() ends the process by design. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Before SQLite is used. */
void faultmem_install(void);
/* Counts anew; the n-th fails, from 1, and with `is_forever` every one behind it. 0: none. */
void faultmem_start(uint64_t at, bool is_forever);
bool faultmem_has_fired(void);
bool faultmem_is_armed(void);
uint64_t faultmem_count(void);
