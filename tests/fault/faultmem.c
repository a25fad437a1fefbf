#include "tests/fault/faultmem.h"

#include <sqlite3.h>
#include <stddef.h>

#include "common/base/check.h"

static sqlite3_mem_methods memory;
static uint64_t allocations;
static uint64_t allocation_fails_at;
static bool allocation_fails_forever;
static bool has_allocation_failed;

static bool allocation_fails(void)
{
	uint64_t n = ++allocations;

	if (allocation_fails_at == 0)
		return false;
	if (n != allocation_fails_at && !(allocation_fails_forever && n > allocation_fails_at))
		return false;
	has_allocation_failed = true;
	return true;
}

static void *on_malloc(int len)
{
	return allocation_fails() ? NULL : memory.xMalloc(len);
}

static void *on_realloc(void *p, int len)
{
	return allocation_fails() ? NULL : memory.xRealloc(p, len);
}

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

void faultmem_start(uint64_t at, bool is_forever)
{
	allocations = 0;
	allocation_fails_at = at;
	allocation_fails_forever = is_forever;
	has_allocation_failed = false;
}

bool faultmem_has_fired(void)
{
	return has_allocation_failed;
}

bool faultmem_is_armed(void)
{
	return allocation_fails_at != 0;
}

uint64_t faultmem_count(void)
{
	return allocations;
}
