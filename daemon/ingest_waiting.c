#include "daemon/ingest_private.h"
#include "daemon/quarantine.h"

#define WHY "hồ sơ đã đến sau; tự động / the record came later; by itself"

void ingest_note_made(struct ingest *r, const struct change *c)
{
	r->made = ingest_grow(r->a, r->made, r->made_count, &r->made_cap, sizeof *r->made);
	r->made[r->made_count++] = (struct ingest_made){c->type, c->id};
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

static enum err take_one(struct ingest *r, const struct quarantine_row *row)
{
	const struct quarantine_decision decision = {
		.state = QUARANTINE_REPLAYED,
		.why = BYTES_LIT(WHY),
		.text = BYTES_LIT(
			"Hồ sơ mà thay đổi này sửa nay đã đến; thay đổi đã được ghi / the "
			"record this change edits has come; the change has been merged"),
		.at_ms = r->request->now_ms,
	};
	struct ingest_replayed replayed;
	struct quarantine_since since;
	enum err e = quarantine_look(r->store, r->a, row, &since);

	/* Its author has corrected it meanwhile: a person decides about the rest. */
	if (e != ERR_OK || since.would_displace)
		return e;
	e = ingest_replay(r->ctx, r->store, r->a, row, r->request->now_ms, &replayed);
	if (e != ERR_OK || !replayed.is_merged)
		return e;
	return quarantine_decide(r->store, row, &decision);
}

static enum err take_of(struct ingest *r, const struct ingest_made *made)
{
	struct quarantine_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_waiting(r->store, r->a, made->type, &made->id, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		if (rows[i].quarantine != r->replays)
			e = take_one(r, &rows[i]);
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
