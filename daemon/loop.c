#define LOG_TAG "loop"

#include "daemon/loop.h"

#include <signal.h>
#include <uv.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define TICK_MS 1000

struct loop {
	uv_loop_t uv;
	struct loop_handlers handlers;
	uv_timer_t tick;
	uv_signal_t hup;
	uv_signal_t term;
	uv_signal_t interrupt;
	unsigned busy;
};

/* One task on its way through the pool. */
struct work {
	uv_work_t req;
	struct loop *loop;
	struct task *task;
};

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
