#define LOG_TAG "writer"

#include "daemon/writer.h"

#include <stdlib.h>
#include <uv.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/fatal.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/store.h"

#define COLLECT_MS_MOST 1000 /* for one transaction, however slow the disk */
#define WAL_PAGES_HARD  4u   /* times wal_pages: then the checkpoint no longer waits for a pause */

struct queue {
	struct writer_job *head;
	struct writer_job *tail;
	size_t count;
};

/*
 * Under `lock`: waiting, lazy, finished, is_stopping, pings. The store and everything below
 * "thread" belong to the writer thread alone.
 */
struct writer {
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t wake;
	uv_async_t async; /* jobs are finished */
	struct loop *loop;
	struct writer_options options;

	struct queue waiting;
	struct queue lazy;
	struct queue finished;
	bool is_stopping;
	uint64_t ping;
	uint64_t pong;
	bool is_async_open;
	size_t lazy_open; /* loop: submitted lazily and not given back yet */

	/* thread */
	struct store *store;
	struct queue group; /* ran in the open transaction */
	int64_t commit_ms;  /* what the last commit took */
};

static void push(struct queue *q, struct writer_job *job)
{
	job->next = NULL;
	if (q->tail != NULL)
		q->tail->next = job;
	else
		q->head = job;
	q->tail = job;
	q->count++;
}

static struct writer_job *pop(struct queue *q)
{
	struct writer_job *job = q->head;

	if (job == NULL)
		return NULL;
	q->head = job->next;
	if (q->head == NULL)
		q->tail = NULL;
	q->count--;
	job->next = NULL;
	return job;
}

static void append(struct queue *q, struct queue *more)
{
	if (more->head == NULL)
		return;
	if (q->tail != NULL)
		q->tail->next = more->head;
	else
		q->head = more->head;
	q->tail = more->tail;
	q->count += more->count;
	*more = (struct queue){0};
}

/* ---- writer thread ---- */

/* What it did is undone alone when it fails. */
static void run_marked(struct writer *w, struct writer_job *job)
{
	enum err e = fatal_or(store_mark(w->store), "savepoint");

	if (e == ERR_OK) {
		e = fatal_or(job->run(job, w->store), "job");
		if (e == ERR_OK)
			e = fatal_or(store_mark_keep(w->store), "release");
		if (e != ERR_OK)
			store_mark_undo(w->store);
	}
	if (e != ERR_OK)
		metrics_add(w->options.metrics, writer_rollbacks_total, 1);
	job->result = e;
}

/* The group ran without marks and one of it failed: all of it again, each with its own. */
static enum err run_again(struct writer *w)
{
	enum err e;

	store_rollback(w->store);
	e = fatal_or(store_begin(w->store), "begin");
	for (struct writer_job *job = w->group.head; job != NULL && e == ERR_OK; job = job->next)
		run_marked(w, job);
	return e;
}

/*
 * A mark costs a copy of every page that is altered behind it, a tenth of a merge. Jobs that can
 * be run again go without, as long as there are no others in the group and none fails.
 */
static enum err run_one(struct writer *w, struct writer_job *job, bool *is_marked)
{
	const bool is_bare = job->is_repeatable && !*is_marked;

	*is_marked = !is_bare;
	push(&w->group, job);
	if (!is_bare) {
		run_marked(w, job);
		return ERR_OK;
	}
	job->result = fatal_or(job->run(job, w->store), "job");
	if (job->result == ERR_OK)
		return ERR_OK;
	*is_marked = true;
	return run_again(w);
}

static void hand_back(struct writer *w)
{
	uv_mutex_lock(&w->lock);
	append(&w->finished, &w->group);
	uv_mutex_unlock(&w->lock);
	uv_async_send(&w->async);
}

static int64_t collect_ms(const struct writer *w)
{
	const int64_t commit_ms = w->commit_ms < COLLECT_MS_MOST ? w->commit_ms : COLLECT_MS_MOST;

	return w->options.group_ms > commit_ms ? w->options.group_ms : commit_ms;
}

/* The next job of this transaction, or NULL: it closes. Never a job that runs alone. */
static struct writer_job *next_of_group(struct writer *w, int64_t began_ms)
{
	struct writer_job *job = NULL;
	int64_t now = clock_monotonic_ms(w->options.clock);

	if (w->group.count >= w->options.group_jobs)
		return NULL;
	if (w->group.count > 0 && now - began_ms > collect_ms(w))
		return NULL;
	uv_mutex_lock(&w->lock);
	if (w->waiting.head != NULL && !w->waiting.head->is_alone)
		job = pop(&w->waiting);
	else if (w->waiting.head == NULL)
		job = pop(&w->lazy);
	w->pong = w->ping;
	uv_mutex_unlock(&w->lock);
	return job;
}

/* The time is what the disk takes to be certain. */
static enum err commit(struct writer *w)
{
	const int64_t began = clock_monotonic_ms(w->options.clock);
	enum err e = fatal_or(store_commit(w->store), "commit");
	const int64_t took = clock_monotonic_ms(w->options.clock) - began;

	if (e != ERR_OK)
		store_rollback(w->store);
	w->commit_ms = took;
	metrics_set(w->options.metrics, commit_last_ms, (uint_fast64_t)took);
	metrics_add(w->options.metrics, commit_ms_total, took);
	return e;
}

static void run_group(struct writer *w)
{
	int64_t began = clock_monotonic_ms(w->options.clock);
	struct writer_job *job = next_of_group(w, began);
	bool is_marked = false;
	enum err e;

	if (job == NULL)
		return;
	e = fatal_or(store_begin(w->store), "begin");
	while (job != NULL) {
		if (e == ERR_OK)
			e = run_one(w, job, &is_marked);
		else
			push(&w->group, job);
		job = next_of_group(w, began);
	}
	if (e == ERR_OK)
		e = commit(w);
	/* Not committed: no job of the group happened, whatever it returned. */
	for (job = w->group.head; job != NULL && e != ERR_OK; job = job->next)
		job->result = e;
	metrics_add(w->options.metrics, writer_jobs_total, w->group.count);
	metrics_add(w->options.metrics, writer_commits_total, e == ERR_OK);
	hand_back(w);
}

static void run_alone(struct writer *w, struct writer_job *job)
{
	REQUIRE(job != NULL);
	job->result = fatal_or(job->run(job, w->store), "job alone");
	metrics_add(w->options.metrics, writer_jobs_total, 1);
	push(&w->group, job);
	hand_back(w);
}

/* Between bursts, or when the WAL has become so long that readers suffer. */
static void checkpoint(struct writer *w, bool is_quiet)
{
	uint64_t pages = store_wal_pages(w->store);

	metrics_set(w->options.metrics, wal_pages, pages);
	if (pages < w->options.wal_pages)
		return;
	if (!is_quiet && pages < WAL_PAGES_HARD * w->options.wal_pages)
		return;
	/* A reader may hold the end of the WAL: then it stays, and the next pause tries again. */
	(void)fatal_or(store_checkpoint(w->store), "checkpoint");
	metrics_add(w->options.metrics, writer_checkpoints_total, 1);
	metrics_set(w->options.metrics, wal_pages, store_wal_pages(w->store));
}

enum step {
	STEP_GROUP,
	STEP_ALONE,
	STEP_QUIET, /* nothing waits */
	STEP_STOP,
};

static enum step look(struct writer *w, struct writer_job **ret_alone)
{
	w->pong = w->ping;
	if (w->waiting.head != NULL && w->waiting.head->is_alone) {
		*ret_alone = pop(&w->waiting);
		return STEP_ALONE;
	}
	if (w->waiting.head != NULL)
		return STEP_GROUP;
	if (w->is_stopping)
		return w->lazy.head != NULL ? STEP_GROUP : STEP_STOP;
	return STEP_QUIET;
}

static bool is_woken(const struct writer *w)
{
	return w->waiting.head != NULL || w->is_stopping || w->pong != w->ping;
}

/* Under the lock. Lazy jobs wait a little for company, then go alone. */
static enum step doze(struct writer *w)
{
	bool is_late = false;

	while (!is_woken(w) && !is_late) {
		if (w->lazy.head == NULL)
			uv_cond_wait(&w->wake, &w->lock);
		else
			is_late = uv_cond_timedwait(&w->wake, &w->lock,
						    WRITER_LAZY_MS * UINT64_C(1000000)) != 0;
	}
	return is_late ? STEP_GROUP : STEP_QUIET;
}

static enum step next_step(struct writer *w, bool *was_quiet, struct writer_job **ret_alone)
{
	enum step step;

	uv_mutex_lock(&w->lock);
	step = look(w, ret_alone);
	/* The first quiet look is told, so that a checkpoint may use the pause; the second sleeps.
	 */
	if (step == STEP_QUIET && *was_quiet) {
		step = doze(w);
		if (step == STEP_QUIET)
			step = look(w, ret_alone);
	}
	*was_quiet = step == STEP_QUIET;
	uv_mutex_unlock(&w->lock);
	return step;
}

static void thread_main(void *arg)
{
	struct writer *w = arg;
	struct writer_job *alone = NULL;
	bool was_quiet = false;
	enum step step;

	while ((step = next_step(w, &was_quiet, &alone)) != STEP_STOP) {
		if (step == STEP_ALONE)
			run_alone(w, MOVE(alone));
		else if (step == STEP_GROUP)
			run_group(w);
		checkpoint(w, step == STEP_QUIET);
	}
}

/* ---- loop thread ---- */

static void deliver(struct writer *w)
{
	struct queue done;
	struct writer_job *job;

	uv_mutex_lock(&w->lock);
	done = w->finished;
	w->finished = (struct queue){0};
	metrics_set(w->options.metrics, writer_waiting, w->waiting.count + w->lazy.count);
	uv_mutex_unlock(&w->lock);
	while ((job = pop(&done)) != NULL) {
		w->lazy_open -= job->is_lazy;
		job->done(job, job->result); /* `job` may be freed here. */
	}
}

static void on_async(uv_async_t *a)
{
	struct writer *w = CONTAINER_OF(a, struct writer, async);

	deliver(w);
}

struct writer *writer_start(struct loop *loop, struct store *store,
			    const struct writer_options *options)
{
	struct writer *w = mem_alloc_zero(sizeof *w);
	int rc = uv_mutex_init(&w->lock);

	w->loop = loop;
	w->store = store;
	w->options = *options;
	if (rc == 0)
		rc = uv_cond_init(&w->wake);
	if (rc == 0)
		rc = uv_async_init(loop_uv(loop), &w->async, on_async);
	if (rc == 0)
		rc = uv_thread_create(&w->thread, thread_main, w);
	/* At start, without memory or threads: nothing was promised to anyone yet. */
	INVARIANT(rc == 0);
	w->is_async_open = true;
	return w;
}

static void on_closed(uv_handle_t *h)
{
	struct writer *w = CONTAINER_OF((uv_async_t *)h, struct writer, async);

	w->is_async_open = false;
}

struct store *writer_stop(struct writer *w)
{
	struct store *store = w->store;

	uv_mutex_lock(&w->lock);
	w->is_stopping = true;
	uv_cond_signal(&w->wake);
	uv_mutex_unlock(&w->lock);
	uv_thread_join(&w->thread);
	deliver(w);
	/* A `done` may have handed in one more; nobody would run it. */
	INVARIANT(w->waiting.head == NULL && w->lazy.head == NULL);
	uv_close((uv_handle_t *)&w->async, on_closed);
	while (w->is_async_open)
		loop_turn(w->loop);
	uv_cond_destroy(&w->wake);
	uv_mutex_destroy(&w->lock);
	mem_free(w);
	return store;
}

/* Under the lock. Whoever came last would wait longer still: a minute at a disk that is failing. */
static bool stands_still(const struct writer *w, int64_t now_ms)
{
	const struct writer_job *first = w->waiting.head;

	return first != NULL && now_ms - first->since_ms > w->options.wait_ms;
}

static enum err submit(struct writer *w, struct queue *q, struct writer_job *job, bool is_alone)
{
	const int64_t now_ms = clock_monotonic_ms(w->options.clock);
	const bool is_lazy = q == &w->lazy;
	bool is_full;
	bool is_first;

	REQUIRE(job->run != NULL && job->done != NULL);
	uv_mutex_lock(&w->lock);
	is_full = w->waiting.count + w->lazy.count >= w->options.queue || w->is_stopping ||
		  (!is_lazy && stands_still(w, now_ms));
	if (!is_full) {
		is_first = q->head == NULL;
		job->since_ms = now_ms;
		job->is_alone = is_alone;
		job->is_lazy = is_lazy;
		w->lazy_open += is_lazy;
		push(q, job);
		/* A later lazy one must not start the wait of the first anew. */
		if (is_first)
			uv_cond_signal(&w->wake);
	}
	uv_mutex_unlock(&w->lock);
	/* Not err_raise(): under load every peer would write a line. */
	return is_full ? ERR_AGAIN : ERR_OK;
}

enum err writer_submit(struct writer *w, struct writer_job *job)
{
	return submit(w, &w->waiting, job, false);
}

enum err writer_submit_lazy(struct writer *w, struct writer_job *job)
{
	return submit(w, &w->lazy, job, false);
}

enum err writer_submit_alone(struct writer *w, struct writer_job *job)
{
	return submit(w, &w->waiting, job, true);
}

bool writer_flush(struct writer *w, struct writer_job *job)
{
	bool is_taken;

	REQUIRE(job->run != NULL && job->done != NULL);
	/* They may be waiting, in the open transaction, or committed and not given back: in any
	 * case a job that comes behind them now is given back behind them. */
	if (w->lazy_open == 0)
		return false;
	uv_mutex_lock(&w->lock);
	is_taken = !w->is_stopping;
	if (is_taken) {
		job->since_ms = clock_monotonic_ms(w->options.clock);
		job->is_alone = false;
		job->is_lazy = false;
		push(&w->lazy, job);
		append(&w->lazy, &w->waiting);
		w->waiting = w->lazy;
		w->lazy = (struct queue){0};
		uv_cond_signal(&w->wake);
	}
	uv_mutex_unlock(&w->lock);
	return is_taken;
}

bool writer_is_alive(struct writer *w)
{
	bool is_alive;

	uv_mutex_lock(&w->lock);
	is_alive = w->pong == w->ping;
	if (is_alive)
		w->ping++;
	uv_cond_signal(&w->wake);
	uv_mutex_unlock(&w->lock);
	return is_alive;
}

size_t writer_waiting(struct writer *w)
{
	size_t count;

	uv_mutex_lock(&w->lock);
	count = w->waiting.count + w->lazy.count;
	uv_mutex_unlock(&w->lock);
	return count;
}
