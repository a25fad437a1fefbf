/* Tasks: all of them come back, the short ones in order and never too many at once. */
#include "tests/unit/test.h"

#include <stdatomic.h>
#include <string.h>
#include <uv.h>

#include "common/base/attr.h"
#include "daemon/loop.h"

#define MANY 500u

static struct loop *loop;
static atomic_uint running;
static atomic_uint most_running;
static atomic_uint begun; /* short tasks, by any thread */
static unsigned done_count;
static uv_sem_t gate;

struct job {
	struct task task;
	unsigned index;
	unsigned begun_as; /* the how manieth to begin */
	unsigned runs;
	unsigned wanted_more; /* tasks its `done` still hands in */
};

static struct job jobs[MANY];

static void nothing(void *user)
{
	(void)user;
}

static int setup(UNUSED_STATE)
{
	const struct loop_handlers handlers = {nothing, nothing, nothing, NULL};

	assert_ok(loop_new(&handlers, &loop));
	memset(jobs, 0, sizeof jobs);
	atomic_store(&running, 0);
	atomic_store(&most_running, 0);
	atomic_store(&begun, 0);
	done_count = 0;
	assert_int_equal(uv_sem_init(&gate, 0), 0);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	loop_finish_tasks(loop);
	loop_free(loop);
	uv_sem_destroy(&gate);
	return 0;
}

static void run_short(struct task *t)
{
	struct job *j = CONTAINER_OF(t, struct job, task);
	unsigned now = atomic_fetch_add(&running, 1) + 1;
	unsigned most = atomic_load(&most_running);

	j->begun_as = atomic_fetch_add(&begun, 1);
	j->runs++;
	while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
		;
	/* Whoever may run beside it gets the chance. */
	uv_sleep(j->index % 50 == 0 ? 1 : 0);
	atomic_fetch_sub(&running, 1);
}

static void on_done(struct task *t)
{
	struct job *j = CONTAINER_OF(t, struct job, task);

	done_count++;
	if (j->wanted_more == 0)
		return;
	j->wanted_more--;
	loop_work_short(loop, t);
}

static void hand_in(unsigned count, unsigned again)
{
	for (unsigned i = 0; i < count; i++) {
		jobs[i] = (struct job){.task = {.run = run_short, .done = on_done},
				       .index = i,
				       .wanted_more = again};
		loop_work_short(loop, &jobs[i].task);
	}
}

static void every_short_task_runs_once_and_comes_back(UNUSED_STATE)
{
	hand_in(MANY, 0);
	loop_finish_tasks(loop);
	assert_int_equal(done_count, MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(jobs[i].runs, 1);
}

static void no_more_short_tasks_run_at_once_than_said(UNUSED_STATE)
{
	hand_in(MANY, 0);
	loop_finish_tasks(loop);
	assert_in_range(atomic_load(&most_running), 1, loop_short_at_once());
}

/* A task begins before those handed in behind it, but for those that run at its side. */
static void short_tasks_begin_in_the_order_they_came(UNUSED_STATE)
{
	hand_in(MANY, 0);
	loop_finish_tasks(loop);
	for (unsigned i = 0; i < MANY; i++)
		assert_in_range(jobs[i].begun_as + loop_short_at_once(), i + 1,
				i + 2 * loop_short_at_once());
}

static void a_task_that_came_back_may_be_handed_in_again(UNUSED_STATE)
{
	hand_in(20, 30);
	loop_finish_tasks(loop);
	assert_int_equal(done_count, 20 * 31);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(jobs[i].runs, 31);
}

static void run_long(struct task *t)
{
	(void)t;
	uv_sem_wait(&gate);
}

static void on_long_done(struct task *t)
{
	(void)t;
	done_count++;
}

/* Four reports under way, and the contacts go on. */
static void short_tasks_do_not_wait_for_long_ones(UNUSED_STATE)
{
	struct task reports[4];

	for (unsigned i = 0; i < 4; i++) {
		reports[i] = (struct task){.run = run_long, .done = on_long_done};
		loop_work(loop, &reports[i]);
	}
	hand_in(MANY, 0);
	while (done_count < MANY)
		loop_turn(loop);
	for (unsigned i = 0; i < 4; i++)
		uv_sem_post(&gate);
	loop_finish_tasks(loop);
	assert_int_equal(done_count, MANY + 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_short_task_runs_once_and_comes_back),
		CASE(no_more_short_tasks_run_at_once_than_said),
		CASE(short_tasks_begin_in_the_order_they_came),
		CASE(a_task_that_came_back_may_be_handed_in_again),
		CASE(short_tasks_do_not_wait_for_long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
