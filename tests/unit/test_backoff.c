#include "tests/unit/test.h"

#include "client/backoff.h"

static void waits_longer_after_each_failure(UNUSED_STATE)
{
	struct rand r;

	rand_seeded_init(&r, 4711);
	for (unsigned failures = 1; failures < 40; failures++) {
		int64_t top = BACKOFF_FIRST_MS << (failures < 9 ? failures - 1 : 8);

		if (top > BACKOFF_MAX_MS)
			top = BACKOFF_MAX_MS;
		for (int i = 0; i < 50; i++) {
			int64_t ms = backoff_ms(failures, 0, &r);

			assert_true(ms >= top / 2 && ms <= top);
		}
	}
}

static void two_devices_do_not_return_together(UNUSED_STATE)
{
	struct rand a;
	struct rand b;

	rand_seeded_init(&a, 1);
	rand_seeded_init(&b, 2);

	assert_true(backoff_ms(6, 0, &a) != backoff_ms(6, 0, &b));
}

static void never_comes_back_before_it_was_asked_to(UNUSED_STATE)
{
	struct rand r;

	rand_seeded_init(&r, 7);
	for (int i = 0; i < 100; i++)
		assert_true(backoff_ms(1, 600000, &r) >= 600000);
	/* and what it was asked for is bounded */
	assert_true(backoff_ms(1, INT64_MAX, &r) <= BACKOFF_MAX_MS * 5 / 4 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_longer_after_each_failure),
		cmocka_unit_test(two_devices_do_not_return_together),
		cmocka_unit_test(never_comes_back_before_it_was_asked_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
