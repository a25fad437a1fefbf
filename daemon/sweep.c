#define LOG_TAG "sweep"

#include "daemon/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/context.h"
#include "daemon/erasures.h"
#include "daemon/keys.h"
#include "daemon/store_before.h"
#include "daemon/store_erase.h"
#include "daemon/writer.h"

#define RETRY_MS     INT64_C(1000)
#define RETRY_ILL_MS INT64_C(60000) /* no room: somebody has to make some */

struct sweep {
	struct context *ctx;
	struct writer_job job;
	bool is_due;
	bool is_running;
	bool was_owed;
	int64_t next_ms;
	int64_t took_ms;
};

struct sweep *sweep_new(struct context *ctx)
{
	struct sweep *s = mem_alloc_zero(sizeof *s);

	s->ctx = ctx;
	s->is_due = true;
	return s;
}

void sweep_free(struct sweep *s)
{
	mem_free(s);
}

void sweep_begin(struct sweep *s)
{
	s->is_due = true;
	s->next_ms = 0;
}

bool sweep_is_running(const struct sweep *s)
{
	return s->is_running;
}

/* Without them a restore would bring back what was erased. */
static void write_lists(struct sweep *s, struct store *store)
{
	const struct context *ctx = s->ctx;
	const struct config *config = atomic_load(&ctx->config);
	char own[KEYS_PATH_LEN];
	const char *const folders[] = {ctx->state, config != NULL && config->backup.folder != NULL
							   ? config->backup.folder
							   : own};

	(void)snprintf(own, sizeof own, "%s/backup", ctx->state);
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		struct stat st;

		/* Before the first backup there is no folder, and nothing that could come back. */
		if (stat(folders[i], &st) != 0 && errno == ENOENT)
			continue;
		if (erasures_write(store, folders[i], &ctx->daemon, &ctx->key) != ERR_OK)
			log_warn("not written file=%s/" ERASURES_FILE ": %s", folders[i],
				 log_last_detail());
	}
}

/* From before an upgrade: they hold what was erased. */
static void drop_copies(const struct sweep *s)
{
	char path[KEYS_PATH_LEN];

	(void)snprintf(path, sizeof path, "%s/ctxhd.db", s->ctx->state);
	store_drop_before(path);
}

/* Writer thread, alone. */
static enum err run(struct writer_job *job, struct store *store)
{
	struct sweep *s = CONTAINER_OF(job, struct sweep, job);
	int64_t began = clock_monotonic_ms(s->ctx->clock);
	enum err e = store_owes_sweep(store, &s->was_owed);

	if (e == ERR_OK)
		write_lists(s, store);
	if (e == ERR_OK && s->was_owed) {
		drop_copies(s);
		e = store_sweep(store, s->ctx->state);
	}
	s->took_ms = clock_monotonic_ms(s->ctx->clock) - began;
	return e;
}

static void done(struct writer_job *job, enum err e)
{
	struct sweep *s = CONTAINER_OF(job, struct sweep, job);
	bool is_waiting = e == ERR_AGAIN;

	s->is_running = false;
	s->is_due = s->is_due || e != ERR_OK;
	s->next_ms = clock_monotonic_ms(s->ctx->clock) + (is_waiting ? RETRY_MS : RETRY_ILL_MS);
	if (e == ERR_OK && s->was_owed)
		log_notice("swept ms=%" PRId64, s->took_ms);
	else if (e != ERR_OK && !is_waiting)
		log_warn("not swept error=%s: %s", err_name(e), log_last_detail());
}

void sweep_tick(struct sweep *s, int64_t now_ms)
{
	if (!s->is_due || s->is_running || now_ms < s->next_ms)
		return;
	s->job = (struct writer_job){.run = run, .done = done};
	if (writer_submit_alone(s->ctx->writer, &s->job) != ERR_OK)
		return;
	s->is_due = false;
	s->is_running = true;
}
