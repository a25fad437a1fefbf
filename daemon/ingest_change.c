#include "daemon/conflicts.h"
#include "daemon/ingest_private.h"
#include "daemon/store_erase.h"

#define CODE_CONFLICT      "conflict"
#define CODE_PARALLEL      "parallel"
#define CODE_UNKNOWN_FIELD "unknown_field"
#define CODE_ERASED        "erased"

/* ---- erased by law ---- */

/* A record that has a state is not erased; mostly nothing is, and nobody asks the store. */
static enum err is_erased(struct ingest *r, const struct change *c, struct bytes raw, bool *ret_is)
{
	const struct fold_entry *entry;

	*ret_is = c->is_cut;
	if (*ret_is || !r->has_erased)
		return ERR_OK;
	if (id_is_zero(&c->id))
		return raw.len != 0 ? store_names_erased(r->store, raw, ret_is) : ERR_OK;
	entry = r->fold.present != NULL ? fold_find(&r->fold, c->type, &c->id) : NULL;
	return entry != NULL && entry->state.record.count != 0
		       ? ERR_OK
		       : store_is_erased(r->store, &c->id, ret_is);
}

/* That it came is kept, and nothing of what it said. */
static enum err put_erased(struct ingest *r, const struct change *c, uint64_t log, uint64_t clock)
{
	static const char text[] = "Hồ sơ đã được xóa theo luật; nội dung không được giữ lại"
				   " / the record was erased by law; what was written is not kept";
	struct quarantine_row row = {.device = r->request->device,
				     .number = c->number,
				     .log = log,
				     .clock = clock,
				     .type = c->type,
				     .id = c->id,
				     .reason = BYTES_LIT(CODE_ERASED),
				     .at_ms = r->request->now_ms,
				     .state = BYTES_LIT(CODE_ERASED)};
	struct notice_row notice = {.device = r->request->device,
				    .kind = BYTES_LIT(CODE_ERASED),
				    .type = c->type,
				    .id = c->id,
				    .number = c->number,
				    .at_ms = r->request->now_ms,
				    .text = bytes_str(text)};
	enum err e = store_put_quarantine(r->store, &row);

	r->result.quarantined++;
	return e != ERR_OK ? e : store_notify(r->store, &notice);
}

static enum err refuse_erased(struct ingest *r, struct ingest_set *s, size_t index)
{
	const struct change *c = &s->source.changes[index];
	struct log_verdict v = {
		.number = c->number, .code = BYTES_LIT(CODE_ERASED), .is_quarantined = true};

	if (s->is_cut == NULL)
		s->is_cut = arena_alloc_array(r->a, s->source.count, sizeof *s->is_cut);
	s->is_cut[index] = true;
	ingest_tell(r, s, &v, BYTES_NONE);
	return put_erased(r, c, s->row.log, s->source.clocks[index]);
}

/* ---- quarantine ---- */

enum err ingest_put_quarantine(struct ingest *r, const struct change *c, struct bytes raw,
			       const struct ingest_refusal *why, uint64_t log, uint64_t clock)
{
	AUTO(buf_clear) struct buf encoded = {0};
	struct quarantine_row row = {
		.device = r->request->device,
		.number = c->number,
		.log = log,
		.clock = clock,
		.type = c->type,
		.id = c->id,
		.reason = why->code,
		.field = why->field,
		.text = why->text,
		.bytes = raw,
		.at_ms = r->request->now_ms,
		.state = BYTES_LIT("open"),
	};
	struct notice_row notice = {
		.device = r->request->device,
		.kind = BYTES_LIT("quarantine"),
		.type = c->type,
		.id = c->id,
		.field = why->field,
		.at_ms = r->request->now_ms,
		.text = why->text,
		.number = c->number,
	};
	bool is_gone = false;
	enum err e = is_erased(r, c, raw, &is_gone);

	if (e != ERR_OK)
		return e;
	if (is_gone)
		return put_erased(r, c, log, clock);
	if (raw.len == 0) {
		change_encode(c, &encoded);
		row.bytes = buf_bytes(&encoded);
	}
	r->result.quarantined++;
	e = store_put_quarantine(r->store, &row);
	/* A device that is set aside hears of nothing; its successor sends it again. */
	if (log == 0)
		return e;
	return e != ERR_OK ? e : store_notify(r->store, &notice);
}

static enum err quarantine(struct ingest *r, struct ingest_set *s, size_t index, struct bytes raw,
			   const struct ingest_refusal *why)
{
	const struct change *c = &s->source.changes[index];
	struct log_verdict v = {.number = c->number,
				.code = why->code,
				.field = why->field,
				.is_quarantined = true};

	ingest_tell(r, s, &v, why->text);
	return ingest_put_quarantine(r, c, raw, why, s->row.log, s->source.clocks[index]);
}

/* ---- merging ---- */

/* One of its own conflicts a change cannot settle. */
static enum err settle(struct ingest *r, struct ingest_set *s, const struct fold_entry *entry,
		       size_t index)
{
	struct stamp stamp = {.clock = s->source.clocks[index], .device = s->source.device};

	return conflicts_settle(r->store, r->a, &s->source.changes[index], &entry->state.record,
				stamp, r->request->now_ms);
}

/* Where the record is, or what is known of where it was: edits may wait for either. */
static bool has_place_changed(const struct fold_applied *applied)
{
	bool has = applied->merged.is_moved;

	for (size_t i = 0; i < applied->conflict_count; i++)
		has = has || bytes_is(applied->conflicts[i].lost.name, RECORD_UNIT);
	return has;
}

enum err ingest_merge(struct ingest *r, struct ingest_set *s, struct fold_entry *entry,
		      size_t index)
{
	const struct change *c = &s->source.changes[index];
	bool is_new = entry->state.record.count == 0;
	struct fold_applied applied;
	enum err e = fold_apply(&r->fold, entry, index, &applied);

	if (is_new || (e == ERR_OK && has_place_changed(&applied)))
		ingest_note_made(r, c, !is_new);

	for (size_t i = 0; e == ERR_OK && i < applied.conflict_count; i++) {
		struct log_verdict v = {.number = c->number,
					.code = BYTES_LIT(CODE_CONFLICT),
					.field = applied.conflicts[i].kept.name};

		ingest_tell(r, s, &v, BYTES_NONE);
		e = ingest_tell_loser(r, &applied.conflicts[i]);
	}
	if (e == ERR_OK && applied.merged.is_changed && !applied.merged.is_new)
		e = settle(r, s, entry, index);
	if (e != ERR_OK)
		return e;
	/* It may have come from where the device does not see it whole. */
	r->is_own_partial |= applied.merged.is_moved;
	r->result.applied++;
	r->result.conflicts += applied.conflict_count;
	if (applied.merged.is_parallel) {
		struct log_verdict v = {.number = c->number, .code = BYTES_LIT(CODE_PARALLEL)};

		ingest_tell(r, s, &v, BYTES_NONE);
	}
	return applied.merged.is_landed ? ingest_tell_landed(r, s, entry, c) : ERR_OK;
}

/* ---- one change ---- */

static const struct changeset_odd *odd_of(struct ingest_set *s, size_t index)
{
	const struct changeset_odd *odd = &s->source.odd[s->next_odd];

	if (s->next_odd == s->source.odd_count || odd->change != index)
		return NULL;
	s->next_odd++;
	return odd;
}

/* From a device that took another's place: what the log has already is not written again. */
static enum err take_repeated(struct ingest *r, struct ingest_set *s, const struct change *c,
			      bool *ret_is)
{
	struct ingest_twin twin;
	enum err e = ingest_close_forked(r, c);

	if (e == ERR_OK)
		e = ingest_find_twin(r, c, &twin);
	*ret_is = e == ERR_OK && twin.log != 0;
	if (*ret_is) {
		const struct log_verdict v = {.number = c->number,
					      .code = BYTES_LIT(LOG_CODE_REPEATED)};

		ingest_keep_verdict(r, s, &v);
		ingest_tell_repeated(r, c->number, &twin);
	}
	return e;
}

enum err ingest_take_change(struct ingest *r, struct ingest_set *s, size_t index)
{
	const struct change *c = &s->source.changes[index];
	const struct changeset_odd *odd = odd_of(s, index);
	struct fold_entry *entry;
	struct ingest_refusal why = {0};
	struct finding finding = {0};
	bool is_gone = false;
	enum err e = is_erased(r, c, odd != NULL ? odd->raw : BYTES_NONE, &is_gone);

	if (e != ERR_OK)
		return e;
	if (is_gone)
		return refuse_erased(r, s, index);
	if (odd != NULL) {
		why = ingest_refuse(odd->reason, "", INGEST_UNREADABLE);
		why.field = odd->field;
		return quarantine(r, s, index, odd->raw, &why);
	}
	if (r->device.former != 0) {
		bool is_repeated = false;

		e = take_repeated(r, s, c, &is_repeated);
		if (e != ERR_OK || is_repeated)
			return e;
	}
	entry = fold_find(&r->fold, c->type, &c->id);
	e = ingest_judge(r, entry, index, &why, &finding);
	if (e != ERR_OK)
		return e;
	if (why.code.len != 0)
		return quarantine(r, s, index, BYTES_NONE, &why);
	if (finding.verdict == VERDICT_UNKNOWN_FIELD) {
		struct log_verdict v = {.number = c->number,
					.code = BYTES_LIT(CODE_UNKNOWN_FIELD),
					.field = arena_copy(r->a, finding.field)};

		ingest_tell(r, s, &v, arena_copy(r->a, bytes_str(finding.text)));
	}
	e = ingest_merge(r, s, entry, index);
	if (e == ERR_OK)
		ingest_note_place(r, entry, c);
	return e;
}
