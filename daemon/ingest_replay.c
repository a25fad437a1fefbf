#include "daemon/ingest_private.h"
#include "proto/changeset.h"

static void start_replay(struct ingest *r, const struct quarantine_row *row, struct change *c,
			 struct ingest_set *s)
{
	struct hlc own = {.last = store_clock(r->store)};
	uint64_t *clock = arena_alloc(r->a, sizeof *clock);

	/* What its device wrote in the history that is here, its author could not see either. */
	c->is_foreign = row->log == 0;
	*clock = hlc_tick(&own, r->request->now_ms);
	if (row->clock < *clock)
		*clock = row->clock;
	s->row = (struct log_row){.log = r->log + 1,
				  .kind = row->log == 0 ? LOG_REPLAY_FORK : LOG_REPLAY,
				  .device = row->device,
				  .first = row->number,
				  .count = 1,
				  .received_ms = r->request->now_ms,
				  .repair = {.floor = *clock},
				  .author = c->author,
				  .body = row->bytes};
	s->source = (struct fold_source){.log = s->row.log,
					 .device = row->device,
					 .author = c->author,
					 .at_ms = s->row.received_ms,
					 .changes = c,
					 .clocks = clock,
					 .count = 1};
}

static enum err replay(struct ingest *r, struct ingest_set *s, struct ingest_refusal *ret_why)
{
	struct fold_entry *entry;
	struct finding finding = {0};
	enum err e = ingest_load_scope(r);

	if (e == ERR_OK)
		e = fold_begin(&r->fold, &s->source);
	if (e != ERR_OK)
		return e;
	entry = fold_find(&r->fold, s->source.changes->type, &s->source.changes->id);
	e = ingest_judge(r, entry, 0, ret_why, &finding);
	if (e != ERR_OK || ret_why->code.len != 0)
		return e;
	e = ingest_merge(r, s, entry, 0);
	if (e == ERR_OK)
		e = fold_end(&r->fold);
	return e == ERR_OK ? store_put_log(r->store, &s->row) : e;
}

/* The change's set said so: what its author knew was of an epoch that ended. */
static enum err load_base_cut(struct ingest *r, const struct quarantine_row *row)
{
	struct log_row log;
	enum err e;

	if (row->log == 0)
		return ERR_OK;
	e = store_load_log(r->store, r->a, row->log, &log);
	if (e == ERR_OK)
		r->base_cut = log.base_cut;
	return e;
}

static enum err run(struct ingest *r, const struct quarantine_row *row,
		    struct ingest_replayed *ret_replayed)
{
	struct ingest_set *s = arena_alloc(r->a, sizeof *s);
	struct change *c = arena_alloc(r->a, sizeof *c);
	struct ingest_refusal why = {0};
	enum err e = store_load_device(r->store, r->a, row->device, &r->device);

	if (e == ERR_OK)
		e = load_base_cut(r, row);
	if (e != ERR_OK)
		return e;
	if (change_decode(r->a, row->bytes, c) == ERR_OK) {
		start_replay(r, row, c, s);
		e = replay(r, s, &why);
	} else {
		why = ingest_refuse(CHANGESET_ODD_CHANGE, "", INGEST_UNREADABLE);
	}
	if (e == ERR_OK)
		*ret_replayed =
			(struct ingest_replayed){why.code.len == 0, why.code, why.field, why.text};
	return e;
}

enum err ingest_replay_alone(const struct context *ctx, struct store *store, struct arena *a,
			     const struct quarantine_row *row, int64_t now_ms,
			     struct ingest_replayed *ret_replayed)
{
	const struct ingest_request request = {.device = row->device, .now_ms = now_ms};
	struct ingest *r = arena_alloc(a, sizeof *r);
	enum err e = ingest_start(r, ctx, store, a, &request);

	return e == ERR_OK ? run(r, row, ret_replayed) : e;
}

enum err ingest_replay(const struct context *ctx, struct store *store, struct arena *a,
		       const struct quarantine_row *row, int64_t now_ms,
		       struct ingest_replayed *ret_replayed)
{
	const struct ingest_request request = {.device = row->device, .now_ms = now_ms};
	struct ingest *r = arena_alloc(a, sizeof *r);
	enum err e = ingest_start(r, ctx, store, a, &request);

	r->replays = row->quarantine;
	if (e == ERR_OK)
		e = run(r, row, ret_replayed);
	return e == ERR_OK ? ingest_take_waiting(r) : e;
}
