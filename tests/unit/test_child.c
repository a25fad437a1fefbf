/* Another program run by the loop: its input, its words, its end. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/child.h"
#include "daemon/loop.h"

#define LONG_MS 600000 /* for what must happen by itself */

static struct loop *loop;
static struct child child;
static struct buf input;
static bool is_done;

static void nothing(void *user)
{
	(void)user;
}

static int setup(UNUSED_STATE)
{
	const struct loop_handlers handlers = {nothing, nothing, nothing, NULL};

	is_done = false;
	input = (struct buf){0};
	assert_ok(loop_new(&handlers, &loop));
	return 0;
}

static int teardown(UNUSED_STATE)
{
	loop_free(loop);
	buf_clear(&input);
	return 0;
}

static void on_done(struct child *c)
{
	assert_ptr_equal(c, &child);
	assert_false(is_done);
	is_done = true;
}

static void wait_for_it(void)
{
	while (!is_done) {
		loop_turn(loop);
		usleep(500);
	}
}

static void run(const char *script, int64_t limit_ms)
{
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};

	child_run(&child, loop, argv, &input, limit_ms, on_done);
}

static void it_gets_its_input_and_its_words_are_kept(UNUSED_STATE)
{
	buf_append_str(&input, "bản tin");
	run("cat; echo ' err' >&2; exit 7", LONG_MS);
	wait_for_it();

	assert_int_equal(child.exit_code, 7);
	assert_string_equal(child.said, "bản tin err\n");
	assert_false(child.is_over_time);
}

/* More than a pipe holds, both ways. */
static void much_input_and_many_words_do_not_stop_it(UNUSED_STATE)
{
	for (unsigned i = 0; i < 100000; i++)
		buf_append_str(&input, "0123456789");
	run("cat", LONG_MS);
	wait_for_it();

	assert_int_equal(child.exit_code, 0);
	assert_int_equal(strlen(child.said), CHILD_SAID_MAX);
	assert_memory_equal(child.said, "0123456789", 10);
}

static void one_that_reads_nothing_ends_all_the_same(UNUSED_STATE)
{
	for (unsigned i = 0; i < 100000; i++)
		buf_append_str(&input, "0123456789");
	run("exit 0", LONG_MS);
	wait_for_it();

	assert_int_equal(child.exit_code, 0);
}

static void one_that_is_not_there_says_so(UNUSED_STATE)
{
	const char *const argv[] = {"/no/such/program", NULL};

	child_run(&child, loop, argv, &input, LONG_MS, on_done);
	wait_for_it();

	assert_int_equal(child.exit_code, -1);
	assert_non_null(strstr(child.said, "/no/such/program"));
}

static void one_that_takes_too_long_is_ended(UNUSED_STATE)
{
	run("exec sleep 1000", 1);
	wait_for_it();

	assert_true(child.is_over_time);
	assert_int_equal(child.exit_code, -1);
}

static void one_can_be_ended(UNUSED_STATE)
{
	run("exec sleep 1000", LONG_MS);
	child_stop(&child);
	wait_for_it();

	assert_false(child.is_over_time);
	assert_int_equal(child.exit_code, -1);
}

/* Without a descriptor for its words there is no process to end, and none of ours must be. */
static void one_that_never_ran_can_be_ended_and_ends_nobody(UNUSED_STATE)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct rlimit before;
	struct rlimit none;

	/* Whoever runs the tests is not of the group that a wrong kill would end. */
	assert_true(getpgrp() == getpid() || setpgid(0, 0) == 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	child_run(&child, loop, argv, &input, LONG_MS, on_done);
	child_stop(&child);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	wait_for_it();

	assert_int_equal(child.exit_code, -1);
	assert_non_null(strstr(child.said, "too many open files"));
}

/* It leaves somebody behind who holds its output open; nobody waits for him. */
static void what_it_leaves_behind_is_not_waited_for(UNUSED_STATE)
{
	run("sleep 20 & echo here; exit 0", LONG_MS);
	wait_for_it();

	assert_int_equal(child.exit_code, 0);
	assert_string_equal(child.said, "here\n");
}

static void its_environment_is_not_ours(UNUSED_STATE)
{
	assert_int_equal(setenv("CTXH_PASSPHRASE_FILE", "/secret", 1), 0);
	run("test -z \"$CTXH_PASSPHRASE_FILE\" && pwd", LONG_MS);
	wait_for_it();

	assert_int_equal(child.exit_code, 0);
	assert_string_equal(child.said, "/\n");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_gets_its_input_and_its_words_are_kept),
		T(much_input_and_many_words_do_not_stop_it),
		T(one_that_reads_nothing_ends_all_the_same),
		T(one_that_is_not_there_says_so),
		T(one_that_takes_too_long_is_ended),
		T(one_can_be_ended),
		T(one_that_never_ran_can_be_ended_and_ends_nobody),
		T(what_it_leaves_behind_is_not_waited_for),
		T(its_environment_is_not_ours),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
