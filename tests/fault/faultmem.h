/*
 * faultmem - memory whose n-th allocation fails: SQLite's, and our own.
 *
 * What is our own are the calls of malloc and its like in this program's objects (the linker puts
 * these in their place; see tests/fault.cmake), which is mem.c: it ends the process by design. One
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum faultmem {
	FAULTMEM_SQLITE,
	FAULTMEM_OWN,
	FAULTMEM_KINDS,
};

/* Before SQLite is used. */
void faultmem_install(void);
/* Counts both anew; the n-th of this kind fails, from 1, and with `is_forever` every one behind it.
 * 0: none. */
void faultmem_start(enum faultmem kind, uint64_t at, bool is_forever);
bool faultmem_has_fired(void);
bool faultmem_is_armed(void);
uint64_t faultmem_count(enum faultmem kind);
/* Between these, allocations of our own are those of somebody else. */
void faultmem_hold(void);
void faultmem_go_on(void);
/* Asked before each allocation of our own, with its number; NULL: not any more. */
void faultmem_watch(void (*fn)(uint64_t n));
/* Decides of every allocation of SQLite's, with its number, whether it fails; NULL: as
 * faultmem_start() says. */
void faultmem_decide(bool (*fn)(uint64_t n));
