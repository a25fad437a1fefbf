/* The writer over a store that only remembers what it was told to do. */
#include "tests/unit/test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/store.h"
#include "daemon/writer.h"

#define JOBS_MAX  4096
#define TRACE_MAX 65536
#define WAIT_MS   60000 /* for what must happen; no test waits so long unless it fails */

/* Written by the writer thread, read after writer_stop() or under the job's own order. */
struct store {
	char trace[TRACE_MAX]; /* B begin, C commit, R rollback, m mark, k keep, u undo, P
				  checkpoint, j job */
	size_t len;
	enum err commit_error;
	enum err mark_error;
	int commit_ms; /* what a commit takes, by the clock that is turned */
	int job_ms;
	atomic_uint wal;
};

static struct store fake;

/* The writer's clock, in the tests that turn it. */
static atomic_llong now_ms;

static void note(struct store *s, char what)
{
	if (s->len < TRACE_MAX - 1)
		s->trace[s->len++] = what;
}

enum err store_begin(struct store *s)
{
	note(s, 'B');
	return ERR_OK;
}

enum err store_commit(struct store *s)
{
	note(s, 'C');
	atomic_fetch_add(&now_ms, s->commit_ms);
	atomic_fetch_add(&s->wal, 10);
	return s->commit_error;
}

void store_rollback(struct store *s)
{
	note(s, 'R');
}

enum err store_mark(struct store *s)
{
	note(s, 'm');
	return s->mark_error;
}

enum err store_mark_keep(struct store *s)
{
	note(s, 'k');
	return ERR_OK;
}

void store_mark_undo(struct store *s)
{
	note(s, 'u');
}

enum err store_checkpoint(struct store *s)
{
	note(s, 'P');
	atomic_store(&s->wal, 0);
	return ERR_OK;
}

uint64_t store_wal_pages(const struct store *s)
{
	return atomic_load(&s->wal);
}

struct job {
	struct writer_job job;
	enum err gives;
	enum err got;
	unsigned done_at; /* order */
	bool is_held;     /* runs until the gate is open */
};

struct world {
	struct loop *loop;
	struct writer *writer;
	struct metrics metrics;
	struct job jobs[JOBS_MAX];
};

static unsigned done_count;
static atomic_bool is_gate_open;
static atomic_uint running; /* jobs that began */

static int64_t fake_ms(const struct clock *c)
{
	(void)c;
	return (int64_t)atomic_load(&now_ms);
}

static const struct clock turned = {.wall_ms = fake_ms, .monotonic_ms = fake_ms};

static void nothing(void *user)
{
	(void)user;
}

static void start_with(struct world *w, const struct writer_options *options)
{
	const struct loop_handlers handlers = {nothing, nothing, nothing, NULL};

	memset(&fake, 0, sizeof fake);
	done_count = 0;
	atomic_store(&is_gate_open, false);
	atomic_store(&running, 0);
	assert_ok(loop_new(&handlers, &w->loop));
	w->writer = writer_start(w->loop, &fake, options);
}

static struct writer_options usual(struct world *w)
{
	return (struct writer_options){.clock = clock_system(),
				       .metrics = &w->metrics,
				       .queue = JOBS_MAX,
				       .wait_ms = 20000,
				       .group_jobs = 64,
				       .group_ms = 1000,
				       .wal_pages = 1000000};
}

static void start(struct world *w, size_t queue, size_t group)
{
	struct writer_options options = usual(w);

	options.queue = queue;
	options.group_jobs = group;
	start_with(w, &options);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	*state = w;
	start(w, JOBS_MAX, 64);
	return 0;
}

static void stop(struct world *w)
{
	atomic_store(&is_gate_open, true);
	if (w->writer != NULL)
		assert_ptr_equal(writer_stop(w->writer), &fake);
	w->writer = NULL;
}

/* Anew, with a clock that only the jobs, the commits and the test turn. */
static void start_turned(struct world *w, int64_t group_ms)
{
	struct writer_options options = usual(w);

	stop(w);
	loop_free(w->loop);
	options.clock = &turned;
	options.group_ms = group_ms;
	start_with(w, &options);
}

static int teardown(void **state)
{
	struct world *w = *state;

	stop(w);
	loop_free(w->loop);
	free(w);
	return 0;
}

static enum err run_job(struct writer_job *job, struct store *store)
{
	struct job *j = CONTAINER_OF(job, struct job, job);

	note(store, 'j');
	atomic_fetch_add(&now_ms, store->job_ms);
	atomic_fetch_add(&running, 1);
	while (j->is_held && !atomic_load(&is_gate_open))
		usleep(1000);
	return j->gives;
}

static void on_done(struct writer_job *job, enum err e)
{
	struct job *j = CONTAINER_OF(job, struct job, job);

	j->got = e;
	j->done_at = ++done_count;
}

static struct job *prepare(struct world *w, int i, enum err gives)
{
	w->jobs[i] = (struct job){
		.job = {.run = run_job, .done = on_done}, .gives = gives, .got = ERR_CANCELED};
	return &w->jobs[i];
}

static void submit_repeatable(struct world *w, int i, enum err gives)
{
	prepare(w, i, gives)->job.is_repeatable = true;
	assert_ok(writer_submit(w->writer, &w->jobs[i].job));
}

static void submit(struct world *w, int i, enum err gives)
{
	assert_ok(writer_submit(w->writer, &prepare(w, i, gives)->job));
}

/* The writer is inside this job until the gate opens: whatever is submitted meanwhile waits. */
static void hold_prepared(struct world *w, int i)
{
	w->jobs[i].is_held = true;
	assert_ok(writer_submit(w->writer, &w->jobs[i].job));
	for (int ms = 0; atomic_load(&running) == 0 && ms < WAIT_MS; ms++)
		usleep(1000);
	assert_int_equal(atomic_load(&running), 1);
}

static void hold(struct world *w, int i)
{
	(void)prepare(w, i, ERR_OK);
	hold_prepared(w, i);
}

static void release(void)
{
	atomic_store(&is_gate_open, true);
}

static void wait_for(struct world *w, unsigned count)
{
	for (int i = 0; done_count < count && i < WAIT_MS; i++) {
		loop_turn(w->loop);
		usleep(1000);
	}
	assert_int_equal(done_count, count);
}

static void a_job_is_done_after_the_commit(void **state)
{
	struct world *w = *state;

	submit(w, 0, ERR_OK);
	wait_for(w, 1);
	assert_int_equal(w->jobs[0].got, ERR_OK);
	stop(w);
	assert_string_equal(fake.trace, "BmjkC");
}

static void jobs_that_wait_share_one_commit(void **state)
{
	struct world *w = *state;

	hold(w, 0);
	for (int i = 1; i < 10; i++)
		submit(w, i, ERR_OK);
	release();
	wait_for(w, 10);
	stop(w);
	/* The first began alone; the nine that came meanwhile are with it. */
	assert_string_equal(fake.trace, "BmjkmjkmjkmjkmjkmjkmjkmjkmjkmjkC");
	for (int i = 0; i < 10; i++)
		assert_int_equal(w->jobs[i].done_at, i + 1);
}

static void a_group_is_limited_by_count(void **state)
{
	struct world *w = *state;

	stop(w);
	loop_free(w->loop);
	start(w, JOBS_MAX, 4);
	hold(w, 0);
	for (int i = 1; i < 8; i++)
		submit(w, i, ERR_OK);
	release();
	wait_for(w, 8);
	stop(w);
	assert_string_equal(fake.trace, "BmjkmjkmjkmjkCBmjkmjkmjkmjkC");
}

/* As many jobs of 300 ms as go into the time one transaction collects. */
static void a_group_is_limited_by_time(void **state)
{
	struct world *w = *state;

	start_turned(w, 1000);
	fake.job_ms = 300;
	hold(w, 0);
	for (int i = 1; i < 6; i++)
		submit(w, i, ERR_OK);
	release();
	wait_for(w, 6);
	stop(w);
	assert_string_equal(fake.trace, "BmjkmjkmjkmjkCBmjkmjkC");
}

static void on_a_slow_disk_a_group_collects_longer(void **state)
{
	struct world *w = *state;

	start_turned(w, 50);
	fake.job_ms = 30;
	fake.commit_ms = 200;
	submit(w, 0, ERR_OK);
	wait_for(w, 1);
	atomic_store(&running, 0);
	hold(w, 1);
	for (int i = 2; i < 12; i++)
		submit(w, i, ERR_OK);
	release();
	wait_for(w, 12);
	stop(w);
	/* 50 ms would be two jobs a commit. */
	assert_string_equal(fake.trace, "BmjkCBmjkmjkmjkmjkmjkmjkmjkCBmjkmjkmjkmjkC");
}

static void while_one_has_waited_too_long_no_more_are_taken(void **state)
{
	struct world *w = *state;

	start_turned(w, 1000);
	hold(w, 0);
	submit(w, 1, ERR_OK);
	atomic_fetch_add(&now_ms, 20000);
	submit(w, 2, ERR_OK);
	atomic_fetch_add(&now_ms, 1);
	assert_int_equal(writer_submit(w->writer, &prepare(w, 3, ERR_OK)->job), ERR_AGAIN);
	/* Nobody waits for these, and nobody would send them again. */
	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 4, ERR_OK)->job));
	release();
	wait_for(w, 4);
	submit(w, 3, ERR_OK);
	wait_for(w, 5);
	assert_int_equal(w->jobs[3].got, ERR_OK);
}

static void a_failing_job_is_rolled_back_alone(void **state)
{
	struct world *w = *state;

	hold(w, 0);
	submit(w, 1, ERR_CONFLICT);
	submit(w, 2, ERR_OK);
	release();
	wait_for(w, 3);
	assert_int_equal(w->jobs[0].got, ERR_OK);
	assert_int_equal(w->jobs[1].got, ERR_CONFLICT);
	assert_int_equal(w->jobs[2].got, ERR_OK);
	stop(w);
	assert_string_equal(fake.trace, "BmjkmjumjkC");
	assert_int_equal(w->metrics.writer_rollbacks_total, 1);
}

/* Behind one that cannot be repeated each has its mark. */
static void jobs_that_can_be_repeated_go_without_marks(void **state)
{
	struct world *w = *state;

	prepare(w, 0, ERR_OK)->job.is_repeatable = true;
	hold_prepared(w, 0);
	submit_repeatable(w, 1, ERR_OK);
	submit(w, 2, ERR_OK);
	submit_repeatable(w, 3, ERR_CONFLICT);
	submit_repeatable(w, 4, ERR_OK);
	release();
	wait_for(w, 5);
	assert_int_equal(w->jobs[3].got, ERR_CONFLICT);
	assert_int_equal(w->jobs[4].got, ERR_OK);
	stop(w);
	assert_string_equal(fake.trace, "BjjmjkmjumjkC");
	assert_int_equal(w->metrics.writer_jobs_total, 5);
	assert_int_equal(w->metrics.writer_rollbacks_total, 1);
}

static void a_group_without_marks_runs_again_when_one_fails(void **state)
{
	struct world *w = *state;

	prepare(w, 0, ERR_OK)->job.is_repeatable = true;
	hold_prepared(w, 0);
	submit_repeatable(w, 1, ERR_CONFLICT);
	submit_repeatable(w, 2, ERR_OK);
	release();
	wait_for(w, 3);
	assert_int_equal(w->jobs[0].got, ERR_OK);
	assert_int_equal(w->jobs[1].got, ERR_CONFLICT);
	assert_int_equal(w->jobs[2].got, ERR_OK);
	stop(w);
	assert_string_equal(fake.trace, "BjjRBmjkmjumjkC");
	assert_int_equal(w->metrics.writer_jobs_total, 3);
	assert_int_equal(w->metrics.writer_rollbacks_total, 1);
}

static void a_commit_that_fails_fails_every_job_of_it(void **state)
{
	struct world *w = *state;

	fake.commit_error = ERR_FULL;
	submit(w, 0, ERR_OK);
	wait_for(w, 1);
	assert_int_equal(w->jobs[0].got, ERR_FULL);
	stop(w);
	assert_string_equal(fake.trace, "BmjkCR");
	assert_int_equal(w->metrics.writer_commits_total, 0);
}

static void a_full_queue_says_so(void **state)
{
	struct world *w = *state;

	stop(w);
	loop_free(w->loop);
	start(w, 3, 64);
	hold(w, 0);
	for (int i = 1; i < 4; i++)
		submit(w, i, ERR_OK);
	assert_int_equal(writer_waiting(w->writer), 3);
	assert_err(writer_submit(w->writer, &prepare(w, 4, ERR_OK)->job), ERR_AGAIN);
	assert_err(writer_submit_lazy(w->writer, &w->jobs[4].job), ERR_AGAIN);
	release();
	wait_for(w, 4);
	submit(w, 4, ERR_OK);
	wait_for(w, 5);
}

static void a_lazy_job_rides_with_the_next_one(void **state)
{
	struct world *w = *state;

	hold(w, 0);
	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 1, ERR_OK)->job));
	submit(w, 2, ERR_OK);
	release();
	wait_for(w, 3);
	stop(w);
	assert_string_equal(fake.trace, "BmjkmjkmjkC");
	assert_int_equal(w->jobs[1].done_at, 3);
}

static void a_lazy_job_goes_alone_after_a_while(void **state)
{
	struct world *w = *state;
	int64_t began = clock_monotonic_ms(clock_system());

	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 0, ERR_OK)->job));
	wait_for(w, 1);
	assert_true(clock_monotonic_ms(clock_system()) - began >= WRITER_LAZY_MS - 50);
}

static void a_stream_of_lazy_jobs_does_not_starve(void **state)
{
	struct world *w = *state;
	int i = 0;

	while (done_count == 0 && i < JOBS_MAX) {
		assert_ok(writer_submit_lazy(w->writer, &prepare(w, i++, ERR_OK)->job));
		usleep(20000);
		loop_turn(w->loop);
	}
	assert_true(done_count > 0);
	stop(w);
	assert_int_equal(done_count, i);
}

static void a_flush_comes_behind_every_lazy_job_and_before_what_waits(void **state)
{
	struct world *w = *state;

	hold(w, 0);
	submit(w, 1, ERR_OK);
	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 2, ERR_OK)->job));
	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 3, ERR_CONFLICT)->job));
	assert_true(writer_flush(w->writer, &prepare(w, 4, ERR_OK)->job));
	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 5, ERR_OK)->job));
	release();
	wait_for(w, 6);
	assert_int_equal(w->jobs[2].done_at, 2);
	assert_int_equal(w->jobs[3].done_at, 3);
	assert_int_equal(w->jobs[4].done_at, 4);
	assert_int_equal(w->jobs[1].done_at, 5);
	assert_int_equal(w->jobs[4].got, ERR_OK);
}

static void a_flush_waits_for_a_lazy_job_that_is_running(void **state)
{
	struct world *w = *state;

	prepare(w, 0, ERR_OK)->is_held = true;
	assert_ok(writer_submit_lazy(w->writer, &w->jobs[0].job));
	for (int ms = 0; atomic_load(&running) == 0 && ms < WAIT_MS; ms++)
		usleep(1000);
	assert_true(writer_flush(w->writer, &prepare(w, 1, ERR_OK)->job));
	release();
	wait_for(w, 2);
	assert_int_equal(w->jobs[1].done_at, 2);
}

/* With nothing lazy before it the flush is the first that waits, and has only just come. */
static void a_flush_does_not_look_as_if_it_had_always_waited(void **state)
{
	struct world *w = *state;

	start_turned(w, 1000);
	atomic_store(&now_ms, 1000000);
	prepare(w, 0, ERR_OK)->is_held = true;
	assert_ok(writer_submit_lazy(w->writer, &w->jobs[0].job));
	for (int ms = 0; atomic_load(&running) == 0 && ms < WAIT_MS; ms++)
		usleep(1000);
	assert_true(writer_flush(w->writer, &prepare(w, 1, ERR_OK)->job));
	submit(w, 2, ERR_OK);
	release();
	wait_for(w, 3);
	assert_int_equal(w->jobs[2].got, ERR_OK);
}

static void a_flush_ends_the_wait_for_company(void **state)
{
	struct world *w = *state;

	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 0, ERR_OK)->job));
	assert_true(writer_flush(w->writer, &prepare(w, 1, ERR_OK)->job));
	wait_for(w, 2);
	/* Given back: nothing is underway any more. */
	assert_false(writer_flush(w->writer, &w->jobs[1].job));
	assert_int_equal(done_count, 2);
}

static void a_full_queue_takes_a_flush(void **state)
{
	struct world *w = *state;

	stop(w);
	loop_free(w->loop);
	start(w, 2, 64);
	hold(w, 0);
	assert_ok(writer_submit_lazy(w->writer, &prepare(w, 1, ERR_OK)->job));
	submit(w, 2, ERR_OK);
	assert_err(writer_submit(w->writer, &prepare(w, 3, ERR_OK)->job), ERR_AGAIN);
	assert_true(writer_flush(w->writer, &w->jobs[3].job));
	release();
	wait_for(w, 4);
	assert_int_equal(w->jobs[3].done_at, 3);
}

static void without_lazy_jobs_there_is_nothing_to_flush(void **state)
{
	struct world *w = *state;

	hold(w, 0);
	assert_false(writer_flush(w->writer, &prepare(w, 1, ERR_OK)->job));
	release();
	wait_for(w, 1);
	assert_int_equal(w->jobs[1].got, ERR_CANCELED);
}

static void a_job_alone_runs_outside_any_transaction(void **state)
{
	struct world *w = *state;

	hold(w, 0);
	assert_ok(writer_submit_alone(w->writer, &prepare(w, 1, ERR_OK)->job));
	submit(w, 2, ERR_OK);
	release();
	wait_for(w, 3);
	stop(w);
	assert_string_equal(fake.trace, "BmjkCjBmjkC");
	assert_int_equal(w->jobs[1].done_at, 2);
}

static void a_long_wal_is_checkpointed_in_a_pause(void **state)
{
	struct world *w = *state;

	atomic_store(&fake.wal, 2000000);
	submit(w, 0, ERR_OK);
	wait_for(w, 1);
	for (int i = 0; i < WAIT_MS && atomic_load(&fake.wal) != 0; i++)
		usleep(1000);
	assert_int_equal(atomic_load(&fake.wal), 0);
	stop(w);
	assert_non_null(strchr(fake.trace, 'P'));
	assert_int_equal(w->metrics.writer_checkpoints_total, 1);
}

static void stopping_runs_everything_that_waits(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 500; i++)
		submit(w, i, ERR_OK);
	for (int i = 500; i < 600; i++)
		assert_ok(writer_submit_lazy(w->writer, &prepare(w, i, ERR_OK)->job));
	stop(w);
	assert_int_equal(done_count, 600);
	for (int i = 0; i < 600; i++)
		assert_int_equal(w->jobs[i].got, ERR_OK);
}

static void wait_for_life(struct world *w)
{
	bool is_alive = false;

	for (int ms = 0; !is_alive && ms < WAIT_MS; ms++) {
		is_alive = writer_is_alive(w->writer);
		usleep(1000);
	}
	assert_true(is_alive);
}

static void the_sign_of_life_stops_while_a_job_hangs(void **state)
{
	struct world *w = *state;

	wait_for_life(w);
	wait_for_life(w); /* it answered the one before */
	hold(w, 0);
	assert_true(writer_is_alive(w->writer));  /* asks */
	assert_false(writer_is_alive(w->writer)); /* not answered: it hangs */
	release();
	wait_for(w, 1);
	wait_for_life(w);
}

/* The child's writer meets an error of the disk; only the exit code tells. */
static void die_in_child(enum err job_error, enum err commit_error)
{
	struct world *w = calloc(1, sizeof *w);

	start(w, 16, 16);
	fake.commit_error = commit_error;
	submit(w, 0, job_error);
	for (int i = 0; i < WAIT_MS; i++) {
		loop_turn(w->loop);
		usleep(1000);
		if (done_count > 0)
			_exit(1); /* acknowledged: wrong */
	}
	_exit(2);
}

static void assert_dies(enum err job_error, enum err commit_error)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0)
		die_in_child(job_error, commit_error);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
}

static void an_error_of_the_disk_ends_the_process_unacknowledged(void **state)
{
	struct world *w = *state;

	stop(w); /* fork with one thread only */
	assert_dies(ERR_IO, ERR_OK);
	assert_dies(ERR_CORRUPT, ERR_OK);
	assert_dies(ERR_OK, ERR_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_job_is_done_after_the_commit),
		T(jobs_that_wait_share_one_commit),
		T(a_group_is_limited_by_count),
		T(a_group_is_limited_by_time),
		T(on_a_slow_disk_a_group_collects_longer),
		T(while_one_has_waited_too_long_no_more_are_taken),
		T(a_flush_does_not_look_as_if_it_had_always_waited),
		T(a_failing_job_is_rolled_back_alone),
		T(jobs_that_can_be_repeated_go_without_marks),
		T(a_group_without_marks_runs_again_when_one_fails),
		T(a_commit_that_fails_fails_every_job_of_it),
		T(a_full_queue_says_so),
		T(a_lazy_job_rides_with_the_next_one),
		T(a_lazy_job_goes_alone_after_a_while),
		T(a_stream_of_lazy_jobs_does_not_starve),
		T(a_flush_comes_behind_every_lazy_job_and_before_what_waits),
		T(a_flush_waits_for_a_lazy_job_that_is_running),
		T(a_flush_ends_the_wait_for_company),
		T(a_full_queue_takes_a_flush),
		T(without_lazy_jobs_there_is_nothing_to_flush),
		T(a_job_alone_runs_outside_any_transaction),
		T(a_long_wal_is_checkpointed_in_a_pause),
		T(stopping_runs_everything_that_waits),
		T(the_sign_of_life_stops_while_a_job_hangs),
		T(an_error_of_the_disk_ends_the_process_unacknowledged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
