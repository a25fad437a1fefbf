#include "tests/unit/test.h"

#include "client/sync_budget.h"

static void without_a_limit_there_is_always_room(UNUSED_STATE)
{
	struct sync_budget b = {0};

	sync_budget_spend(&b, 1000000);

	assert_true(sync_budget_room(&b) == SIZE_MAX);
}

static void the_first_round_pays_for_the_line(UNUSED_STATE)
{
	struct sync_budget b = {.limit = 20000};

	assert_int_equal(sync_budget_room(&b), 20000 - SYNC_LINE_BYTES - SYNC_ROUND_BYTES);
	sync_budget_spend(&b, 2560);
	assert_int_equal(sync_budget_room(&b),
			 20000 - SYNC_LINE_BYTES - 2 * SYNC_ROUND_BYTES - 2560 - 10);
}

static void what_is_spent_never_comes_back(UNUSED_STATE)
{
	struct sync_budget b = {.limit = 5000};

	sync_budget_spend(&b, 5000);
	assert_int_equal(sync_budget_room(&b), 0);
	sync_budget_spend(&b, 0);
	assert_int_equal(sync_budget_room(&b), 0);
}

static void a_limit_smaller_than_the_line_has_no_room(UNUSED_STATE)
{
	struct sync_budget b = {.limit = 1};

	assert_int_equal(sync_budget_room(&b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_there_is_always_room),
		cmocka_unit_test(the_first_round_pays_for_the_line),
		cmocka_unit_test(what_is_spent_never_comes_back),
		cmocka_unit_test(a_limit_smaller_than_the_line_has_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
