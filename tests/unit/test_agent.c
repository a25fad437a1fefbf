#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/agent.h"

static char home[64];

static int setup(void **state)
{
	(void)state;
	snprintf(home, sizeof home, "/tmp/ctxh-agent-XXXXXX");
	return crypt_init() == ERR_OK && mkdtemp(home) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	char path[128];
	enum err e = agent_stop(home);

	(void)state;
	(void)e;
	/* it removes its socket after it has answered */
	snprintf(path, sizeof path, "%s/agent.sock", home);
	for (int i = 0; i < 200 && access(path, F_OK) == 0; i++)
		usleep(5000);
	return rmdir(home);
}

static void gives_the_key_until_it_is_told_to_stop(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1, 2, 3};
	uint8_t got[SEAL_KEY_LEN] = {0};

	assert_err(agent_ask(home, got), ERR_NOTFOUND);
	assert_ok(agent_start(home, key));
	assert_ok(agent_ask(home, got));
	assert_memory_equal(got, key, sizeof key);
	assert_ok(agent_stop(home));
	usleep(50000);
	assert_err(agent_ask(home, got), ERR_NOTFOUND);
}

static void its_socket_is_for_the_owner_alone(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1};
	char path[128];
	struct stat st;

	assert_ok(agent_start(home, key));
	snprintf(path, sizeof path, "%s/agent.sock", home);

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_second_one_takes_the_place_of_the_first(UNUSED_STATE)
{
	uint8_t first[SEAL_KEY_LEN] = {1};
	uint8_t second[SEAL_KEY_LEN] = {2};
	uint8_t got[SEAL_KEY_LEN];

	assert_ok(agent_start(home, first));
	assert_ok(agent_start(home, second));
	usleep(20000);
	assert_ok(agent_ask(home, got));

	assert_memory_equal(got, second, sizeof got);
}

static void forgets_after_an_idle_time(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1};
	uint8_t got[SEAL_KEY_LEN];
	enum err e = ERR_OK;

	setenv("CTXH_AGENT_IDLE_MS", "60", 1);
	assert_ok(agent_start(home, key));
	unsetenv("CTXH_AGENT_IDLE_MS");
	/* asking keeps it alive, so it is asked only once, long after */
	usleep(600000);
	e = agent_ask(home, got);

	assert_err(e, ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(gives_the_key_until_it_is_told_to_stop),
		CASE(its_socket_is_for_the_owner_alone),
		CASE(a_second_one_takes_the_place_of_the_first),
		CASE(forgets_after_an_idle_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
