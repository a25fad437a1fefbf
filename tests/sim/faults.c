#include "tests/sim/faults.h"

#include <sqlite3.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "tests/fault/dbfile.h"

#define FULL_STEPS 15

void faults_install(void)
{
	faultvfs_install("unix");
	dbfile_use_vfs(FAULTVFS_NAME);
}

void faults_clear(struct world *w)
{
	const struct faultvfs_plan none = {0};

	(void)w;
	faultvfs_start(&none);
	/* The folder that the store named for its sweeps goes with the world. */
	sqlite3_free(sqlite3_temp_directory);
	sqlite3_temp_directory = NULL;
}

static bool is_drawn(struct world *w, unsigned percent)
{
	return w->has_faults && w->step != 0 && !w->is_healed &&
	       rand_below(&w->fate, 100) < percent;
}

/* ---- which operation ---- */

static struct faultvfs_plan draw(struct world *w, bool is_writing, const char *path)
{
	struct faultvfs_plan plan = {.call = FAULT_READ, .path = path};
	uint64_t kind = rand_below(&w->fate, 100);
	uint64_t most = 30;

	if (is_writing && kind < 75)
		plan.call = FAULT_WRITE;
	else if (is_writing && kind < 92)
		plan.call = FAULT_SYNC;
	plan.is_full = plan.call == FAULT_WRITE && kind < 25;
	if (plan.call == FAULT_SYNC)
		most = 2;
	plan.is_forever = plan.is_full;
	plan.at = 1 + rand_below(&w->fate, most);
	return plan;
}

static void trace_plan(struct world *w, const char *whose, const struct faultvfs_plan *plan)
{
	world_trace(w, "%s: %s %llu fails%s", whose, fault_call_name(plan->call),
		    (unsigned long long)plan->at, plan->is_full ? " for want of room" : "");
}

/* ---- the daemon's disk ---- */

void faults_begin_none(struct faults_window *window)
{
	window->before = faultvfs_take();
}

void faults_end_none(const struct faults_window *window)
{
	faultvfs_put_back(&window->before);
}

void faults_begin(struct world *w, enum faults_kind kind, struct faults_window *window)
{
	const struct faultvfs_plan full = {
		.call = FAULT_WRITE, .at = 1, .is_full = true, .is_forever = true, .path = w->path};
	struct faultvfs_plan plan;

	faults_begin_none(window);
	if (!w->is_healed && kind == FAULTS_WRITING && w->step < w->full_until) {
		faultvfs_start(&full);
		return;
	}
	if (!is_drawn(w, 5))
		return;
	plan = draw(w, kind == FAULTS_WRITING, w->path);
	trace_plan(w, "daemon", &plan);
	faultvfs_start(&plan);
}

void faults_begin_start(struct world *w, struct faults_window *window)
{
	struct faultvfs_plan plan;

	faults_begin_none(window);
	if (!is_drawn(w, 4))
		return;
	plan = draw(w, true, w->path);
	trace_plan(w, "daemon, starting", &plan);
	faultvfs_start(&plan);
}

/* Somebody has to make room first. */
static void stay_full(struct world *w)
{
	w->faults.full++;
	if (w->step < w->full_until)
		return;
	w->full_until = w->step + (int)rand_below(&w->fate, FULL_STEPS);
	world_trace(w, "the daemon's disk is full until step %d", w->full_until);
}

enum err faults_end(struct world *w, const struct faults_window *window, enum err e,
		    const char *what)
{
	bool has_fired = faultvfs_has_fired();

	faults_end_none(window);
	/* The daemon died for another reason, or the answer is no. */
	if (e == ERR_OK || e == ERR_NET || err_class(e) == ERR_CLASS_REJECT)
		return e;
	if (!has_fired)
		world_must(w, e, what);
	world_trace(w, "daemon: %s: %s", what, err_name(e));
	if (err_class(e) == ERR_CLASS_FATAL) {
		w->faults.daemon++;
		world_crash_daemon(w);
		return ERR_IO;
	}
	if (e != ERR_FULL)
		world_must(w, e, what);
	store_rollback(w->store);
	stay_full(w);
	return e;
}

/* ---- decisions ---- */

/* Left in the transaction: whether it is there says afterwards whether that happened. */
#define MARK "sim_mark"

static bool is_marked(struct world *w, struct bytes mark)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes found;
	enum err e = store_get_setting(w->store, &a, MARK, &found);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		world_must(w, e, "mark");
	return e == ERR_OK && bytes_equal(found, mark);
}

bool faults_end_committing(struct world *w, const struct faults_window *window, enum err e,
			   const char *what)
{
	char mark[24];

	(void)snprintf(mark, sizeof mark, "%llu", (unsigned long long)++w->faults.marks);
	if (e == ERR_OK && w->has_faults)
		e = store_put_setting(w->store, MARK, bytes_str(mark));
	if (e == ERR_OK)
		e = store_commit(w->store);
	else if (err_class(e) == ERR_CLASS_REJECT)
		store_rollback(w->store);
	e = faults_end(w, window, e, what);
	return e == ERR_OK || (e == ERR_IO && is_marked(w, bytes_str(mark)));
}

bool faults_commit(struct world *w, const char *what)
{
	struct faults_window window;

	faults_begin(w, FAULTS_WRITING, &window);
	return faults_end_committing(w, &window, ERR_OK, what);
}

void faults_checkpoint(struct world *w)
{
	struct faults_window window;

	faults_begin(w, FAULTS_WRITING, &window);
	(void)faults_end(w, &window, store_checkpoint(w->store), "checkpoint");
}

/* ---- a client's disk ---- */

void faults_begin_client(struct client *c, unsigned percent)
{
	struct world *w = c->world;
	struct faultvfs_plan plan = {0};

	INVARIANT(!c->has_window);
	if (c->trap == TRAP_NONE && is_drawn(w, percent)) {
		(void)snprintf(c->vault_path, sizeof c->vault_path, "%s/vault", c->home);
		plan = draw(w, true, c->vault_path);
		trace_plan(w, "client", &plan);
	}
	faults_begin_none(&c->window);
	faultvfs_start(&plan);
	c->has_window = true;
}

bool faults_end_client(struct client *c)
{
	bool has_fired = c->has_window && faultvfs_has_fired();

	if (c->has_window)
		faults_end_none(&c->window);
	c->has_window = false;
	c->world->faults.clients += has_fired;
	return has_fired;
}

bool faults_have_fired(void)
{
	return faultvfs_has_fired();
}
