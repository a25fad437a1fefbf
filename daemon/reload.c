#define LOG_TAG "reload"

#include "daemon/reload.h"

#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/app.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/store.h"
#include "daemon/tls.h"
#include "daemon/writer.h"

/* One generation of what a reload replaces. */
struct generation {
	struct config *config;
	struct schema *schema; /* NULL: the one before stays */
	struct tls_pair *pair;
	uint8_t pin[INVITATION_PIN_LEN];
	struct generation *older;
};

struct reload {
	struct app *app;
	struct generation *old; /* what was or is in force, kept */
	struct task task;
	struct writer_job job;
	struct generation *next; /* being read */
	enum err e;
	char error[CONFIG_ERROR_LEN];
	bool is_running;
	bool is_wanted_again;
};

struct reload *reload_new(struct app *app)
{
	struct reload *r = mem_alloc_zero(sizeof *r);

	r->app = app;
	return r;
}

static void generation_free(struct generation *g)
{
	if (g->config != NULL)
		config_free(g->config);
	if (g->schema != NULL)
		schema_free(g->schema);
	if (g->pair != NULL)
		tls_pair_free(g->pair);
	mem_free(g);
}

void reload_free(struct reload *r)
{
	struct generation *g = r->old;

	while (g != NULL) {
		struct generation *older = g->older;

		generation_free(g);
		g = older;
	}
	if (r->next != NULL)
		generation_free(r->next);
	mem_free(r);
}

static enum err read_schema(struct reload *r, struct generation *g)
{
	const struct schema *now = r->app->ctx.schema;
	AUTO(schema_free) struct schema *schema = NULL;
	char error[SCHEMA_ERROR_LEN] = "";
	enum err e = schema_load_folder(app_schema_folder(g->config), &schema, error);

	if (e != ERR_OK)
		snprintf(r->error, sizeof r->error, "%s", error);
	else if (memcmp(schema->version, now->version, sizeof now->version) != 0)
		g->schema = MOVE(schema);
	return e;
}

static enum err read_pair(struct reload *r, struct generation *g)
{
	const struct config *c = g->config;
	const struct keys *k = &r->app->keys;
	enum err e = tls_read(c->tls_certificate != NULL ? c->tls_certificate : k->tls_certificate,
			      c->tls_key != NULL ? c->tls_key : k->tls_key, &g->pair, g->pin);

	if (e != ERR_OK)
		snprintf(r->error, sizeof r->error, "%s", log_last_detail());
	return e;
}

/* Pool thread: everything that can be found wrong is found here, before anything changes. */
static void read_all(struct task *t)
{
	struct reload *r = CONTAINER_OF(t, struct reload, task);
	struct generation *g = r->next;
	const struct config *now = r->app->ctx.config;
	const char *fixed;

	r->e = cmdline_settings(r->app->args, &g->config, r->error);
	if (r->e != ERR_OK)
		return;
	fixed = config_needs_restart(now, g->config, app_in_use(r->app));
	if (fixed != NULL) {
		snprintf(r->error, sizeof r->error, "%s: only a restart changes it", fixed);
		r->e = ERR_INVAL;
		return;
	}
	r->e = read_schema(r, g);
	if (r->e == ERR_OK)
		r->e = read_pair(r, g);
}

/* Writer thread, outside any transaction. */
static enum err take_over(struct writer_job *job, struct store *store)
{
	struct reload *r = CONTAINER_OF(job, struct reload, job);
	const struct generation *g = r->next;
	enum err e = ERR_OK;

	if (g->schema != NULL)
		e = store_use_schema(store, g->schema);
	if (e != ERR_OK) {
		snprintf(r->error, sizeof r->error, "%s", log_last_detail());
		return e;
	}
	if (memcmp(r->app->ctx.tls_pin, g->pin, sizeof g->pin) != 0)
		log_warn(
			"tls key=changed effect=\"devices that pinned the old key are locked out\"");
	memcpy(r->app->ctx.tls_pin, g->pin, sizeof g->pin);
	return ERR_OK;
}

static void finish(struct reload *r, const char *status)
{
	r->is_running = false;
	/* Stopping: nobody would end another one, and systemd was told that we are on our way out.
	 */
	if (!atomic_load(&r->app->ctx.is_ready))
		return;
	notify_ready(status);
	if (!r->is_wanted_again)
		return;
	r->is_wanted_again = false;
	reload_begin(r);
}

static void give_up(struct reload *r, enum err e)
{
	char status[CONFIG_ERROR_LEN + 64];

	log_err("failed kept=old error=%s detail=\"%s\"", err_name(e), r->error);
	(void)snprintf(status, sizeof status, "running; the last reload was refused: %s", r->error);
	generation_free(MOVE(r->next));
	finish(r, status);
}

static void on_taken_over(struct writer_job *job, enum err e)
{
	struct reload *r = CONTAINER_OF(job, struct reload, job);
	struct context *ctx = &r->app->ctx;
	struct generation *g = r->next;

	if (e != ERR_OK) {
		give_up(r, e);
		return;
	}
	if (g->schema != NULL) {
		readers_use_schema(ctx->readers, g->schema);
		atomic_store(&ctx->schema, g->schema);
	}
	atomic_store(&ctx->config, g->config);
	tls_use(r->app->tls, MOVE(g->pair));
	g->older = r->old;
	r->old = MOVE(r->next);
	metrics_add(ctx->metrics, reloads_total, 1);
	log_notice("done schema=%s", g->schema != NULL ? "new" : "same");
	finish(r, "running");
}

static void on_read(struct task *t)
{
	struct reload *r = CONTAINER_OF(t, struct reload, task);

	if (r->e == ERR_OK) {
		r->job = (struct writer_job){.run = take_over, .done = on_taken_over};
		r->e = writer_submit_alone(r->app->ctx.writer, &r->job);
		if (r->e == ERR_OK)
			return;
		snprintf(r->error, sizeof r->error, "the writer is busy");
	}
	give_up(r, r->e);
}

void reload_begin(struct reload *r)
{
	if (r->is_running) {
		r->is_wanted_again = true;
		return;
	}
	r->is_running = true;
	r->error[0] = '\0';
	notify_reloading(clock_monotonic_ms(r->app->ctx.clock));
	r->next = mem_alloc_zero(sizeof *r->next);
	r->task = (struct task){.run = read_all, .done = on_read};
	loop_work(r->app->ctx.loop, &r->task);
}
