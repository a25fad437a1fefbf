/* What the daemon does with SQLite before it opens anything: a process of its own. */
#include "tests/unit/test.h"

#include <sqlite3.h>

#include "tests/support/ground.h"

static struct ground g;

/* As app.c does: the folder first, then the store. */
static int setup(UNUSED_STATE)
{
	store_set_temp_folder("/tmp");
	ground_open(&g);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

/* Counting takes a lock of all threads at every allocation. Not counted: 0 whatever is open. */
static void sqlite_counts_no_memory(UNUSED_STATE)
{
	assert_non_null(sqlite3_temp_directory);
	assert_int_equal(sqlite3_memory_used(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sqlite_counts_no_memory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
