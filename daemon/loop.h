/*
 * loop - the event loop as the rest of the daemon sees it: tasks, ticks, signals.
 *
 * Wraps libuv; no other file needs its types to do work on a pool thread and come back. A task
 * is embedded in the object it belongs to and lives until its `done` has run. Thread: loop.
 */
#pragma once

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct uv_loop_s;
struct loop;

struct loop_handlers {
	void (*on_tick)(void *user);   /* every second */
	void (*on_reload)(void *user); /* SIGHUP */
	void (*on_stop)(void *user);   /* SIGTERM, SIGINT */
	void *user;
};

/* Ignores SIGPIPE and SIGXFSZ: a full quota is an error of write(2), not a death. */
enum err loop_new(const struct loop_handlers *handlers, struct loop **ret_loop);
/* Until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* For the stop order: runs what is ready, once; and until no task is under way. */
void loop_turn(struct loop *l);
void loop_finish_tasks(struct loop *l);
/* Every handle of others must be closed; runs until the last close callback. */
void loop_free(struct loop *l);
DEFINE_AUTO(struct loop *, loop_free)

/* For the files that own handles: app, writer, http. */
struct uv_loop_s *loop_uv(struct loop *l);

struct task {
	void (*run)(struct task *t);  /* a pool thread */
	void (*done)(struct task *t); /* the loop; the task is its owner's again */
	struct task *next;            /* the loop's */
};

/* Loop thread. For work that may take long: other tasks go beside it. */
void loop_work(struct loop *l, struct task *t);

/*
 * Loop thread. For work of milliseconds of which much may come at once, as a contact's steps: runs
 * in the order it came, as many at a time as there are processors beside the writer's, one at
 * least. More threads would only take turns. What loop_work() runs has threads of its own.
 */
void loop_work_short(struct loop *l, struct task *t);
unsigned loop_short_at_once(void);
