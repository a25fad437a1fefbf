#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/agent.h"

#define WAIT_MS 60000 /* for what must happen */

static char home[64];

static int setup(void **state)
{
	(void)state;
	snprintf(home, sizeof home, "/tmp/ctxh-agent-XXXXXX");
	return crypt_init() == ERR_OK && mkdtemp(home) != NULL ? 0 : -1;
}

/* Waits for the agent's end, which removes its socket; asks it nothing. */
static bool is_gone(void)
{
	char path[128];

	snprintf(path, sizeof path, "%s/agent.sock", home);
	for (int i = 0; i < WAIT_MS && access(path, F_OK) == 0; i++)
		usleep(1000);
	return access(path, F_OK) != 0;
}

static int teardown(void **state)
{
	enum err e = agent_stop(home);

	(void)state;
	(void)e;
	return is_gone() ? rmdir(home) : -1;
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
	assert_true(is_gone());
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
	assert_ok(agent_ask(home, got));

	assert_memory_equal(got, second, sizeof got);
}

static void forgets_after_an_idle_time(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1};
	uint8_t got[SEAL_KEY_LEN];

	setenv("CTXH_AGENT_IDLE_MS", "60", 1);
	assert_ok(agent_start(home, key));
	unsetenv("CTXH_AGENT_IDLE_MS");

	/* asking keeps it alive, so it is asked only afterwards */
	assert_true(is_gone());
	assert_err(agent_ask(home, got), ERR_NOTFOUND);
}

static void touch(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(name.sun_path, sizeof name.sun_path, "%s/agent.sock", home);
	(void)connect(fd, (const struct sockaddr *)&name, sizeof name);
	close(fd);
}

static void who_asks_nothing_does_not_keep_it_awake(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1};
	uint8_t got[SEAL_KEY_LEN];
	char path[128];

	snprintf(path, sizeof path, "%s/agent.sock", home);
	setenv("CTXH_AGENT_IDLE_MS", "300", 1);
	assert_ok(agent_start(home, key));
	unsetenv("CTXH_AGENT_IDLE_MS");
	for (int i = 0; i < WAIT_MS / 20 && access(path, F_OK) == 0; i++) {
		touch();
		usleep(20000);
	}
	assert_int_not_equal(access(path, F_OK), 0);
	assert_err(agent_ask(home, got), ERR_NOTFOUND);
}

/* Asks by hand: agent_ask() would itself not talk to another user's agent. */
static _Noreturn void ask_as_another_user(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	uint8_t got[SEAL_KEY_LEN];

	snprintf(name.sun_path, sizeof name.sun_path, "%s/agent.sock", home);
	if (setgid(12345) != 0 || setuid(12345) != 0)
		_exit(2);
	if (connect(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
	    send(fd, "k", 1, MSG_NOSIGNAL) != 1)
		_exit(3);
	_exit(recv(fd, got, sizeof got, MSG_WAITALL) > 0 ? 1 : 0);
}

static void another_user_gets_nothing_even_where_the_folder_lets_him_in(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1};
	char path[128];
	int status = -1;

	if (geteuid() != 0)
		skip();
	assert_ok(agent_start(home, key));
	snprintf(path, sizeof path, "%s/agent.sock", home);
	assert_int_equal(chmod(home, 0755), 0);
	assert_int_equal(chmod(path, 0666), 0);
	pid_t child = fork();

	if (child == 0)
		ask_as_another_user();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(gives_the_key_until_it_is_told_to_stop),
		CASE(its_socket_is_for_the_owner_alone),
		CASE(a_second_one_takes_the_place_of_the_first),
		CASE(forgets_after_an_idle_time),
		CASE(who_asks_nothing_does_not_keep_it_awake),
		CASE(another_user_gets_nothing_even_where_the_folder_lets_him_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
