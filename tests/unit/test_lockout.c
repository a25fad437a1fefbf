/* Waits of who guesses passwords, with a clock of the test's. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "common/base/crypt.h"
#include "daemon/lockout.h"

static struct lockout *lockout;

static int setup(UNUSED_STATE)
{
	lockout = lockout_new(rand_system());
	return 0;
}

static int teardown(UNUSED_STATE)
{
	lockout_free(lockout);
	return 0;
}

/* 10.0.x.y */
static struct peer_address address(unsigned n)
{
	struct peer_address a = {0};

	a.bytes[10] = a.bytes[11] = 0xff;
	a.bytes[12] = 10;
	a.bytes[14] = (uint8_t)(n >> 8);
	a.bytes[15] = (uint8_t)n;
	return a;
}

static struct lockout_try try_name(const char *name, unsigned from, int64_t now)
{
	const struct peer_address a = address(from);

	return lockout_begin(lockout, bytes_str(name), &a, now);
}

static void a_name_waits_longer_each_time(UNUSED_STATE)
{
	int64_t now = 0;
	int64_t wait = 1000;

	for (unsigned i = 0; i < LOCKOUT_NAME_FREE; i++) {
		struct lockout_try t = try_name("Lan", i, now);

		assert_int_equal(t.wait_ms, 0);
		assert_false(t.is_name_locked);
	}
	for (unsigned i = 0; i < 14; i++) {
		assert_true(try_name("Lan", 100 + i, now).is_name_locked);
		assert_int_equal(try_name("Lan", 200 + i, now + wait / 2).wait_ms, wait - wait / 2);
		now += wait;
		wait = wait * 2 < LOCKOUT_WAIT_MAX_MS ? wait * 2 : LOCKOUT_WAIT_MAX_MS;
	}
	assert_int_equal(wait, LOCKOUT_WAIT_MAX_MS);
	/* Others are not held up by it. */
	assert_int_equal(try_name("Minh", 1, now).wait_ms, 0);
}

static void many_at_once_gain_nothing(UNUSED_STATE)
{
	unsigned let_through = 0;

	for (unsigned i = 0; i < 1000; i++)
		let_through += try_name("Lan", i, 0).wait_ms == 0;
	assert_int_equal(let_through, LOCKOUT_NAME_FREE + 1);
}

static void an_address_that_tries_many_names_waits(UNUSED_STATE)
{
	unsigned let_through = 0;

	for (unsigned i = 0; i < 10000; i++) {
		char name[16];

		snprintf(name, sizeof name, "n%u", i);
		let_through += try_name(name, 7, i).wait_ms == 0;
	}
	/* Ten seconds: the free ones, and a few behind waits of 1, 2, 4 s. */
	assert_in_range(let_through, LOCKOUT_ADDRESS_FREE + 1, LOCKOUT_ADDRESS_FREE + 5);
	assert_int_equal(try_name("Lan", 8, 10000).wait_ms, 0);
}

static void the_right_one_is_free_again(UNUSED_STATE)
{
	const struct peer_address a = address(1);

	for (unsigned i = 0; i < LOCKOUT_NAME_FREE; i++)
		try_name("Lan", 1, 0);
	lockout_right(lockout, BYTES_LIT("Lan"), &a);
	for (unsigned i = 0; i < LOCKOUT_NAME_FREE; i++)
		assert_int_equal(try_name("Lan", 2, 0).wait_ms, 0);
}

static void who_signs_in_all_day_never_waits(UNUSED_STATE)
{
	const struct peer_address a = address(1);

	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(try_name("Lan", 1, i).wait_ms, 0);
		lockout_right(lockout, BYTES_LIT("Lan"), &a);
	}
}

static void a_new_password_ends_the_wait(UNUSED_STATE)
{
	for (unsigned i = 0; i < 10; i++)
		try_name("Lan", i, 0);
	assert_true(try_name("Lan", 50, 0).wait_ms > 0);
	lockout_forget(lockout, BYTES_LIT("Lan"));
	assert_int_equal(try_name("Lan", 51, 0).wait_ms, 0);
}

static void a_day_later_all_is_forgotten(UNUSED_STATE)
{
	for (unsigned i = 0; i < 8; i++)
		try_name("Lan", i, 0);
	assert_true(try_name("Lan", 9, LOCKOUT_FORGET_MS).wait_ms == 0);
	assert_false(try_name("Lan", 10, LOCKOUT_FORGET_MS).is_name_locked);
}

static void the_table_is_bounded_and_the_busiest_stay(UNUSED_STATE)
{
	for (unsigned i = 0; i < 8; i++)
		try_name("Lan", i, 0);
	for (unsigned i = 0; i < 3 * LOCKOUT_ENTRIES; i++) {
		char name[16];

		if (i % 1000 == 0)
			assert_true(try_name("Lan", 60000, 1).wait_ms > 0);
		snprintf(name, sizeof name, "n%u", i);
		try_name(name, i, 1);
		/* Somebody asks for it now and then, so it is not the one quiet for longest. */
		if (i % 100 == 0)
			try_name("Lan", 50000 + i, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_name_waits_longer_each_time),
		T(many_at_once_gain_nothing),
		T(an_address_that_tries_many_names_waits),
		T(the_right_one_is_free_again),
		T(who_signs_in_all_day_never_waits),
		T(a_new_password_ends_the_wait),
		T(a_day_later_all_is_forgotten),
		T(the_table_is_bounded_and_the_busiest_stay),
#undef T
	};

	if (crypt_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
