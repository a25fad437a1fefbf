#include "tests/unit/test.h"

#include "common/text/offset.h"

static void is_told_in_the_largest_unit_that_leaves_two(UNUSED_STATE)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0"},
		     {1, "+1 ms"},
		     {-312, "-312 ms"},
		     {1999, "+1999 ms"},
		     {2000, "+2 giây"},
		     {-4200, "-4 giây"},
		     {119999, "+119 giây"},
		     {120000, "+2 phút"},
		     {-7200000, "-2 giờ"},
		     {INT64_C(172800000), "+2 ngày"},
		     {INT64_C(-63115200000), "-2 năm"},
		     {INT64_MAX, "+292271023 năm"},
		     {INT64_MIN, "-292271023 năm"}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(buf_clear) struct buf out = {0};

		offset_print(cases[i].ms, &out);
		assert_string_equal(buf_cstr(&out), cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_told_in_the_largest_unit_that_leaves_two)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
