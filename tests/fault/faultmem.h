/*
 * faultmem - memory whose n-th allocation fails: SQLite's, and our own.
 *
 * What is our own are the calls of malloc and its like in this program's objects (the linker puts
 * these in their place; see tests/fault.cmake): mem.c's, which ends the process by design, and
 * those of msgpack, zstd, jansson and utf8proc, which are linked as archives for this and end it,
 * too. One thread.
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
/* Decides of every allocation of a kind, with its number, whether it fails; NULL: as
 * faultmem_start() says. */
void faultmem_decide(enum faultmem kind, bool (*fn)(uint64_t n));
