#include "tests/unit/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "daemon/registry.h"

static int setup(void **state)
{
	*state = registry_new();
	return 0;
}

static int teardown(void **state)
{
	registry_free(*state);
	return 0;
}

static void freeing_none_is_nothing(void **state)
{
	(void)state;
	registry_free(NULL);
}

static void a_device_is_found_after_it_was_put(void **state)
{
	const struct registry_device put = {.number = 7, .key = {{1, 2, 3}}, .is_cleared = true};
	struct registry_device found;

	registry_put(*state, &put);

	assert_ok(registry_find(*state, 7, &found));
	assert_memory_equal(&found.key, &put.key, sizeof put.key);
	assert_true(found.is_cleared);
	assert_int_equal(registry_count(*state), 1);
}

static void a_stranger_is_not_found(void **state)
{
	struct registry_device found;

	registry_put(*state, &(struct registry_device){.number = 7});
	assert_err(registry_find(*state, 0, &found), ERR_NOTFOUND);
	assert_err(registry_find(*state, 6, &found), ERR_NOTFOUND);
	assert_err(registry_find(*state, 8, &found), ERR_NOTFOUND);
	assert_err(registry_find(*state, UINT32_MAX, &found), ERR_NOTFOUND);
}

static void putting_again_replaces(void **state)
{
	struct registry_device found;

	registry_put(*state, &(struct registry_device){.number = 7});
	registry_put(*state, &(struct registry_device){.number = 7, .state = DEVICE_REVOKED});
	assert_ok(registry_find(*state, 7, &found));
	assert_int_equal(found.state, DEVICE_REVOKED);
	assert_int_equal(registry_count(*state), 1);
}

static void a_counter_is_taken_once_and_only_grows(void **state)
{
	registry_put(*state, &(struct registry_device){.number = 7, .counter = 10});

	assert_false(registry_take_counter(*state, 7, 10));
	assert_true(registry_take_counter(*state, 7, 11));
	assert_false(registry_take_counter(*state, 7, 11));
	assert_true(registry_take_counter(*state, 7, UINT64_MAX));
	assert_false(registry_take_counter(*state, 7, 12));
	assert_false(registry_take_counter(*state, 8, 1));
}

static void replacing_never_lowers_a_counter(void **state)
{
	/* A revocation read the device from the store while a request was taken. */
	registry_put(*state, &(struct registry_device){.number = 7, .counter = 10});
	assert_true(registry_take_counter(*state, 7, 50));
	registry_put(*state, &(struct registry_device){.number = 7, .counter = 10});

	assert_false(registry_take_counter(*state, 7, 50));
	assert_true(registry_take_counter(*state, 7, 51));
}

static void many_devices_fit(void **state)
{
	struct registry_device found;

	for (uint32_t i = 1; i <= 10000; i++)
		registry_put(*state, &(struct registry_device){.number = i, .counter = i});
	assert_int_equal(registry_count(*state), 10000);
	assert_ok(registry_find(*state, 9999, &found));
	assert_int_equal(found.counter, 9999);
}

struct racer {
	struct registry *registry;
	atomic_uint *taken;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	for (uint64_t i = 1; i <= 2000; i++)
		if (registry_take_counter(r->registry, 7, i))
			atomic_fetch_add(r->taken, 1);
	return NULL;
}

static void two_threads_never_take_the_same_counter(void **state)
{
	atomic_uint taken = 0;
	struct racer r = {.registry = *state, .taken = &taken};
	pthread_t other;

	registry_put(*state, &(struct registry_device){.number = 7});
	assert_int_equal(pthread_create(&other, NULL, race, &r), 0);
	race(&r);
	pthread_join(other, NULL);

	/* Whoever is behind finds all its counters taken: at most one success each. */
	assert_true(taken <= 2000 && taken >= 1);
	assert_false(registry_take_counter(*state, 7, 2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(freeing_none_is_nothing),
		T(a_device_is_found_after_it_was_put),
		T(a_stranger_is_not_found),
		T(putting_again_replaces),
		T(a_counter_is_taken_once_and_only_grows),
		T(replacing_never_lowers_a_counter),
		T(many_devices_fit),
		T(two_threads_never_take_the_same_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
