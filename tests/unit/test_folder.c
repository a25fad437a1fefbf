/* A folder's names on the disk; what fails says why. */
#include "tests/unit/test.h"

#include <errno.h>

#include "common/base/folder.h"

static void a_folder_that_is_there_is_synced(UNUSED_STATE)
{
	assert_int_equal(folder_sync("/tmp"), 0);
}

static void what_is_no_folder_says_so(UNUSED_STATE)
{
	assert_int_equal(folder_sync("/tmp/there is no such folder of ctxh"), ENOENT);
	assert_int_equal(folder_sync("/dev/null"), ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_that_is_there_is_synced),
		cmocka_unit_test(what_is_no_folder_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
