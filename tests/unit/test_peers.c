#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "daemon/peers.h"

static int setup(void **state)
{
	*state = peers_new();
	return 0;
}

static int teardown(void **state)
{
	peers_free(*state);
	return 0;
}

static struct peer_address v4(uint32_t host)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};

	return peer_address_of((struct sockaddr *)&sa);
}

static struct peer_address v6(const char *text)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6};

	assert_int_equal(inet_pton(AF_INET6, text, &sa.sin6_addr), 1);
	return peer_address_of((struct sockaddr *)&sa);
}

static void loopback_is_local_and_others_are_not(void **state)
{
	struct sockaddr unix_address = {.sa_family = AF_UNIX};

	(void)state;
	assert_true(v4(0x7f000001).is_local);
	assert_true(v6("::1").is_local);
	assert_true(v6("::ffff:127.0.0.1").is_local);
	assert_true(peer_address_of(&unix_address).is_local);
	assert_false(v4(0x0a000001).is_local);
	assert_false(v6("2001:db8::1").is_local);
}

static void one_subscriber_is_one_address(void **state)
{
	struct peer_address a = v6("2001:db8:1:2::1");
	struct peer_address b = v6("2001:db8:1:2:ffff::9");
	struct peer_address c = v6("2001:db8:1:3::1");
	struct peer_address mapped = v6("::ffff:10.0.0.1");
	struct peer_address plain = v4(0x0a000001);

	(void)state;
	assert_memory_equal(a.bytes, b.bytes, 16);
	assert_memory_not_equal(a.bytes, c.bytes, 16);
	assert_memory_equal(mapped.bytes, plain.bytes, 16);
}

static void connections_are_limited_by_address(void **state)
{
	struct peer_address a = v4(0x0a000001);
	struct peer_address b = v4(0x0a000002);

	assert_true(peers_enter(*state, &a, 2, 0));
	assert_true(peers_enter(*state, &a, 2, 0));
	assert_false(peers_enter(*state, &a, 2, 0));
	assert_true(peers_enter(*state, &b, 2, 0));
	peers_leave(*state, &a);
	assert_true(peers_enter(*state, &a, 2, 0));
}

static void loopback_has_no_limit(void **state)
{
	struct peer_address a = v4(0x7f000001);

	for (int i = 0; i < 1000; i++)
		assert_true(peers_enter(*state, &a, 1, 0));
	assert_int_equal(peers_count(*state), 0);
}

static void tokens_run_out_and_come_back(void **state)
{
	struct peer_address a = v4(0x0a000001);

	for (int i = 0; i < 5; i++)
		assert_true(peers_may(*state, PEER_ENROL, &a, 5, 100, 1000));
	assert_false(peers_may(*state, PEER_ENROL, &a, 5, 100, 1000));
	/* One comes back every twelve seconds. */
	assert_false(peers_may(*state, PEER_ENROL, &a, 5, 100, 12000));
	assert_true(peers_may(*state, PEER_ENROL, &a, 5, 100, 14000));
	assert_false(peers_may(*state, PEER_ENROL, &a, 5, 100, 14000));
	/* Another purpose has its own. */
	assert_true(peers_may(*state, PEER_REFUSED, &a, 5, 100, 14000));
}

static void looking_often_loses_no_fraction(void **state)
{
	struct peer_address a = v4(0x0a000001);
	int taken = 0;

	for (int64_t ms = 0; ms < 60000; ms++)
		taken += peers_may(*state, PEER_ENROL, &a, 6, 1000, ms);
	/* The burst of six and nearly six more in the minute. */
	assert_in_range(taken, 11, 12);
}

static void all_together_are_limited_too(void **state)
{
	int taken = 0;

	for (uint32_t i = 0; i < 100; i++) {
		struct peer_address a = v4(0x0a000001 + i);

		taken += peers_may(*state, PEER_ENROL, &a, 5, 10, 1000);
	}
	assert_int_equal(taken, 10);
}

static void the_table_is_bounded_and_keeps_who_is_connected(void **state)
{
	struct peer_address held[100];

	for (uint32_t i = 0; i < 100; i++) {
		held[i] = v4(0x0b000000 + i);
		assert_true(peers_enter(*state, &held[i], 1, 0));
		peers_hold(*state, &held[i], 5);
	}
	for (uint32_t i = 0; i < 3 * PEERS_MAX; i++) {
		struct peer_address a = v4(0x0c000000 + i);

		(void)peers_may(*state, PEER_REFUSED, &a, 5, 1000000, i);
	}
	assert_true(peers_count(*state) <= (size_t)2 * PEERS_MAX);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_equal(peers_held(*state, &held[i]), 5);
		assert_false(peers_enter(*state, &held[i], 1, 0));
		peers_leave(*state, &held[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(loopback_is_local_and_others_are_not),
		T(one_subscriber_is_one_address),
		T(connections_are_limited_by_address),
		T(loopback_has_no_limit),
		T(tokens_run_out_and_come_back),
		T(looking_often_loses_no_fraction),
		T(all_together_are_limited_too),
		T(the_table_is_bounded_and_keeps_who_is_connected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
