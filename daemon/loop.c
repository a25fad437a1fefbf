#define LOG_TAG "loop"

#include "daemon/loop.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define TICK_MS      1000
#define LONG_AT_ONCE 4u /* pool threads for what may take long: reports, backups, listings */

struct tasks {
	struct task *head;
	struct task *tail;
};

/*
 * Short tasks. A drain is one piece of work for libuv's pool that runs what waits, one after the
 * other, so that a pool thread goes from task to task without the loop between. All but `async`
 * under `lock`.
 */
struct lane {
	uv_mutex_t lock;
	uv_async_t async; /* some are finished */
	struct tasks waiting;
	struct tasks finished;
	unsigned drains;
	unsigned most;
};

struct loop {
	uv_loop_t uv;
	struct loop_handlers handlers;
	uv_timer_t tick;
	uv_signal_t hup;
	uv_signal_t term;
	uv_signal_t interrupt;
	struct lane lane;
	unsigned busy; /* tasks and drains under way */
};

/* One task on its way through the pool, or a drain. */
struct work {
	uv_work_t req;
	struct loop *loop;
	struct task *task;
};

static void push(struct tasks *list, struct task *t)
{
	t->next = NULL;
	if (list->tail != NULL)
		list->tail->next = t;
	else
		list->head = t;
	list->tail = t;
}

static struct task *pop(struct tasks *list)
{
	struct task *t = list->head;

	if (t == NULL)
		return NULL;
	list->head = t->next;
	if (list->head == NULL)
		list->tail = NULL;
	t->next = NULL;
	return t;
}

static void on_tick(uv_timer_t *t)
{
	struct loop *l = CONTAINER_OF(t, struct loop, tick);

	l->handlers.on_tick(l->handlers.user);
}

static void on_signal(uv_signal_t *s, int number)
{
	struct loop *l = s->data;

	if (number == SIGHUP)
		l->handlers.on_reload(l->handlers.user);
	else
		l->handlers.on_stop(l->handlers.user);
}

static enum err watch(struct loop *l, uv_signal_t *s, int number)
{
	int rc = uv_signal_init(&l->uv, s);

	INVARIANT(rc == 0);
	s->data = l;
	rc = uv_signal_start(s, on_signal, number);
	if (rc != 0)
		return err_raise(ERR_IO, "signal %d: %s", number, uv_strerror(rc));
	return ERR_OK;
}

static enum err start(struct loop *l)
{
	enum err e;

	uv_timer_init(&l->uv, &l->tick);
	uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
	e = watch(l, &l->hup, SIGHUP);
	if (e == ERR_OK)
		e = watch(l, &l->term, SIGTERM);
	if (e == ERR_OK)
		e = watch(l, &l->interrupt, SIGINT);
	return e;
}

/* As libuv reads it when the first task comes; what the environment says goes first. */
static void size_pool(unsigned threads)
{
	char size[16];

	(void)snprintf(size, sizeof size, "%u", threads);
	(void)setenv("UV_THREADPOOL_SIZE", size, 0);
}

static void on_finished(uv_async_t *a);

static void open_lane(struct loop *l)
{
	int rc = uv_mutex_init(&l->lane.lock);

	if (rc == 0)
		rc = uv_async_init(&l->uv, &l->lane.async, on_finished);
	/* At start, without memory or handles: nothing was promised to anyone yet. */
	INVARIANT(rc == 0);
	l->lane.most = loop_short_at_once();
	size_pool(l->lane.most + LONG_AT_ONCE);
}

enum err loop_new(const struct loop_handlers *handlers, struct loop **ret_loop)
{
	struct loop *l = mem_alloc_zero(sizeof *l);
	int rc = uv_loop_init(&l->uv);
	enum err e;

	if (rc != 0) {
		mem_free(l);
		return err_raise(ERR_IO, "uv_loop_init: %s", uv_strerror(rc));
	}
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	l->handlers = *handlers;
	open_lane(l);
	e = start(l);
	if (e != ERR_OK) {
		loop_free(l);
		return e;
	}
	*ret_loop = l;
	return ERR_OK;
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

void loop_turn(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_NOWAIT);
}

void loop_finish_tasks(struct loop *l)
{
	while (l->busy > 0)
		uv_run(&l->uv, UV_RUN_ONCE);
}

static void close_if_open(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void loop_free(struct loop *l)
{
	int rc;

	REQUIRE(l->busy == 0);
	uv_walk(&l->uv, close_if_open, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	rc = uv_loop_close(&l->uv);
	ENSURE(rc == 0);
	uv_mutex_destroy(&l->lane.lock);
	mem_free(l);
}

uv_loop_t *loop_uv(struct loop *l)
{
	return &l->uv;
}

static void on_work(uv_work_t *req)
{
	struct work *w = CONTAINER_OF(req, struct work, req);

	w->task->run(w->task);
}

static void on_worked(uv_work_t *req, int status)
{
	struct work *w = CONTAINER_OF(req, struct work, req);
	struct task *t = w->task;

	/* Tasks are never cancelled: each holds a request that waits for its answer. */
	INVARIANT(status == 0);
	w->loop->busy--;
	mem_free(w);
	t->done(t);
}

void loop_work(struct loop *l, struct task *t)
{
	struct work *w = mem_alloc_zero(sizeof *w);
	int rc;

	REQUIRE(t->run != NULL && t->done != NULL);
	w->loop = l;
	w->task = t;
	rc = uv_queue_work(&l->uv, &w->req, on_work, on_worked);
	INVARIANT(rc == 0); /* it fails only without a callback */
	l->busy++;
}

/* ---- short tasks ---- */

static struct task *next_short(struct lane *lane, struct task *finished)
{
	struct task *t;

	uv_mutex_lock(&lane->lock);
	if (finished != NULL)
		push(&lane->finished, finished);
	t = pop(&lane->waiting);
	lane->drains -= t == NULL;
	uv_mutex_unlock(&lane->lock);
	if (finished != NULL)
		uv_async_send(&lane->async);
	return t;
}

static void on_drain(uv_work_t *req)
{
	struct lane *lane = &CONTAINER_OF(req, struct work, req)->loop->lane;
	struct task *t = NULL;

	while ((t = next_short(lane, t)) != NULL)
		t->run(t);
}

static void on_drained(uv_work_t *req, int status)
{
	struct work *w = CONTAINER_OF(req, struct work, req);

	INVARIANT(status == 0);
	w->loop->busy--;
	mem_free(w);
}

static void drain(struct loop *l)
{
	struct work *w = mem_alloc_zero(sizeof *w);
	int rc;

	w->loop = l;
	rc = uv_queue_work(&l->uv, &w->req, on_drain, on_drained);
	INVARIANT(rc == 0);
	l->busy++;
}

static void on_finished(uv_async_t *a)
{
	struct loop *l = CONTAINER_OF(a, struct loop, lane.async);
	struct tasks finished;
	struct task *t;

	uv_mutex_lock(&l->lane.lock);
	finished = l->lane.finished;
	l->lane.finished = (struct tasks){0};
	uv_mutex_unlock(&l->lane.lock);
	while ((t = pop(&finished)) != NULL) {
		l->busy--;
		t->done(t); /* `t` may be freed here. */
	}
}

void loop_work_short(struct loop *l, struct task *t)
{
	struct lane *lane = &l->lane;
	bool is_drain_wanted;

	REQUIRE(t->run != NULL && t->done != NULL);
	l->busy++;
	uv_mutex_lock(&lane->lock);
	push(&lane->waiting, t);
	is_drain_wanted = lane->drains < lane->most;
	lane->drains += is_drain_wanted;
	uv_mutex_unlock(&lane->lock);
	if (is_drain_wanted)
		drain(l);
}

unsigned loop_short_at_once(void)
{
	const unsigned processors = uv_available_parallelism();

	return processors > 2 ? processors - 1 : 1;
}
