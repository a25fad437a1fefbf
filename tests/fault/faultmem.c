#include "tests/fault/faultmem.h"

#include <sqlite3.h>
#include <stddef.h>

#include "common/base/check.h"

static sqlite3_mem_methods memory;
static uint64_t counts[FAULTMEM_KINDS];
static enum faultmem failing;
static uint64_t fails_at;
static bool fails_forever;
static bool has_failed;
static unsigned held;
static bool (*decide[FAULTMEM_KINDS])(uint64_t n);

static bool fails(enum faultmem kind)
{
	uint64_t n = ++counts[kind];

	if (decide[kind] != NULL && decide[kind](n)) {
		has_failed = true;
		return true;
	}
	if (fails_at == 0 || kind != failing)
		return false;
	if (n != fails_at && !(fails_forever && n > fails_at))
		return false;
	has_failed = true;
	return true;
}

/* ---- SQLite's ---- */

static void *on_malloc(int len)
{
	return fails(FAULTMEM_SQLITE) ? NULL : memory.xMalloc(len);
}

static void *on_realloc(void *p, int len)
{
	return fails(FAULTMEM_SQLITE) ? NULL : memory.xRealloc(p, len);
}

/* ---- our own ---- */

static bool own_fails(void)
{
	return held == 0 && fails(FAULTMEM_OWN);
}

/* The linker's names. */
void *real_malloc(size_t len) __asm__("__real_malloc");
void *real_calloc(size_t count, size_t size) __asm__("__real_calloc");
void *real_realloc(void *p, size_t len) __asm__("__real_realloc");
void *own_malloc(size_t len) __asm__("__wrap_malloc");
void *own_calloc(size_t count, size_t size) __asm__("__wrap_calloc");
void *own_realloc(void *p, size_t len) __asm__("__wrap_realloc");

void *own_malloc(size_t len)
{
	return own_fails() ? NULL : real_malloc(len);
}

void *own_calloc(size_t count, size_t size)
{
	return own_fails() ? NULL : real_calloc(count, size);
}

void *own_realloc(void *p, size_t len)
{
	return own_fails() ? NULL : real_realloc(p, len);
}

/* ---- for the test ---- */

void faultmem_install(void)
{
	sqlite3_mem_methods mine;
	int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);

	REQUIRE(rc == SQLITE_OK);
	mine = memory;
	mine.xMalloc = on_malloc;
	mine.xRealloc = on_realloc;
	rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &mine);
	REQUIRE(rc == SQLITE_OK);
	/* A lookaside would hide most of them. */
	rc = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	REQUIRE(rc == SQLITE_OK);
}

void faultmem_start(enum faultmem kind, uint64_t at, bool is_forever)
{
	for (size_t i = 0; i < FAULTMEM_KINDS; i++)
		counts[i] = 0;
	failing = kind;
	fails_at = at;
	fails_forever = is_forever;
	has_failed = false;
}

bool faultmem_has_fired(void)
{
	return has_failed;
}

bool faultmem_is_armed(void)
{
	return fails_at != 0;
}

uint64_t faultmem_count(enum faultmem kind)
{
	return counts[kind];
}

void faultmem_hold(void)
{
	held++;
}

void faultmem_go_on(void)
{
	REQUIRE(held != 0);
	held--;
}

void faultmem_decide(enum faultmem kind, bool (*fn)(uint64_t n))
{
	decide[kind] = fn;
}
