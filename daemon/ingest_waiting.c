#include "daemon/ingest_private.h"
#include "daemon/quarantine.h"

#define WHY "hồ sơ đã đến sau; tự động / the record came later; by itself"

void ingest_note_made(struct ingest *r, const struct change *c, bool is_moved)
{
	r->made = ingest_grow(r->a, r->made, r->made_count, &r->made_cap, sizeof *r->made);
	r->made[r->made_count++] = (struct ingest_made){c->type, c->id, is_moved};
}

/* Mostly nothing is in quarantine, and no record need be looked for. */
static enum err has_waiting(struct ingest *r, bool *ret_has)
{
	const struct store_range first = {.limit = 1, .is_open_only = true};
	struct quarantine_row *rows = NULL;
	size_t count = 0;
	enum err e = ERR_OK;

	*ret_has = false;
	if (r->made_count == 0)
		return ERR_OK;
	e = store_load_quarantine(r->store, r->a, &first, &rows, &count);
	*ret_has = count != 0;
	return e;
}

/* Who wrote it knew the record as an ended epoch had it, or nothing of the present one. */
static enum err is_of_ended_epoch(struct ingest *r, const struct quarantine_row *row, bool *ret_is)
{
	struct log_row log;
	struct change c;
	enum err e = store_load_log(r->store, r->a, row->log, &log);

	*ret_is = e == ERR_OK && change_decode(r->a, row->bytes, &c) == ERR_OK &&
		  (log.base_cut != 0 || c.base == 0);
	return e;
}

static enum err take_one(struct ingest *r, const struct quarantine_row *row, bool *ret_is_merged)
{
	const struct quarantine_decision decision = {
		.state = QUARANTINE_REPLAYED,
		.why = BYTES_LIT(WHY),
		.text = BYTES_LIT(
			"Hồ sơ mà thay đổi này sửa nay đã đến; thay đổi đã được ghi / the "
			"record this change edits has come; the change has been merged"),
		.at_ms = r->request->now_ms,
	};
	struct ingest_replayed replayed = {0};
	struct quarantine_since since;
	enum err e = quarantine_look(r->store, r->a, row, &since);

	/* Its author has corrected it meanwhile: a person decides about the rest. */
	if (e != ERR_OK || since.would_displace)
		return e;
	e = ingest_replay_alone(r->ctx, r->store, r->a, row, r->request->now_ms, &replayed);
	if (e != ERR_OK || !replayed.is_merged)
		return e;
	*ret_is_merged = true;
	return quarantine_decide(r->store, row, &decision);
}

static enum err take_row(struct ingest *r, const struct ingest_made *made,
			 const struct quarantine_row *row, bool *ret_is_merged)
{
	bool may = row->quarantine != r->replays;
	enum err e = ERR_OK;

	if (may && made->is_moved)
		e = is_of_ended_epoch(r, row, &may);
	return e == ERR_OK && may ? take_one(r, row, ret_is_merged) : e;
}

/* One that is let in may move the record to where another can go in. */
static enum err take_of(struct ingest *r, const struct ingest_made *made)
{
	bool is_merged = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && is_merged) {
		struct quarantine_row *rows = NULL;
		size_t count = 0;

		is_merged = false;
		e = store_load_waiting(r->store, r->a, made->type, &made->id, &rows, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++)
			e = take_row(r, made, &rows[i], &is_merged);
	}
	return e;
}

enum err ingest_take_waiting(struct ingest *r)
{
	bool has = false;
	enum err e = has_waiting(r, &has);

	for (size_t i = 0; e == ERR_OK && has && i < r->made_count; i++)
		e = take_of(r, &r->made[i]);
	return e == ERR_OK && has ? store_last_log(r->store, &r->log) : e;
}
