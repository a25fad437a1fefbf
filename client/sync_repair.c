#define LOG_TAG "sync"

#include <stdio.h>
#include <stdlib.h>

#include "client/rebase.h"
#include "client/sync_apply.h"
#include "client/sync_compare.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* The part of sync_compare.h that changes the vault: one answer's buckets. */
struct repair_work {
	struct sync *sync;
	const struct vault_identity *identity;
	const struct msg_synced *answer;
	struct vault_state *state;
	struct sync_report *report;
	struct arena *a;
	struct msg_cursor *cursors;
	size_t cursor_count;
	const struct msg_bucket **level; /* buckets that can be taken */
	size_t level_count;
	struct id *ids; /* of all records in them, sorted */
	size_t id_count;
	size_t repaired;
	size_t lost;
};

static enum err disbelieve(struct sync_report *report)
{
	snprintf(report->text, sizeof report->text,
		 "một nhóm so khớp không đọc được; a bucket of the comparison cannot be read");
	return err_raise(ERR_PROTO, "a bucket cannot be read");
}

/* ---- notices ---- */

struct note {
	struct bytes kind;
	struct bytes type;
	struct id id;
	struct bytes field;
	struct value kept;
	struct value lost;
	struct bytes text;
};

static enum err put_notice(struct repair_work *w, const struct note *n)
{
	const struct vault_notice notice = {.kind = n->kind,
					    .type = n->type,
					    .id = n->id,
					    .field = n->field,
					    .kept = n->kept,
					    .lost = n->lost,
					    .at_ms = w->answer->now_ms,
					    .text = n->text};

	w->report->notices++;
	return vault_notice_add_own(w->sync->vault, &notice);
}

/* ---- one record ---- */

/*
 * A value that merging would have kept, or another under the same stamp: it goes from the record,
 * because the office's states can be proved, and stays in the inbox for a person to judge.
 */
static bool is_lost(const struct field *mine, const struct field *theirs,
		    const struct field *joined)
{
	if (theirs == NULL)
		return mine->value.kind != VALUE_NULL;
	if (value_equal(&mine->value, &theirs->value))
		return false;
	return stamp_compare(&mine->stamp, &theirs->stamp) == 0 ||
	       value_equal(&mine->value, &joined->value);
}

static enum err keep_lost(struct repair_work *w, const struct record *mine,
			  const struct record *theirs, const struct record *joined)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < mine->count; i++) {
		const struct field *f = &mine->fields[i];
		const struct field *g = record_find(theirs, f->name);
		const struct note n = {
			.kind = BYTES_LIT("digest"),
			.type = mine->type,
			.id = mine->id,
			.field = f->name,
			.kept = g != NULL ? g->value : VALUE_NONE,
			.lost = f->value,
			.text = BYTES_LIT(
				"So khớp: văn phòng giữ giá trị khác; giá trị ở máy này được giữ "
				"lại tại đây. Nếu nó đúng, hãy khôi phục để gửi lại / Comparing: "
				"the office holds another value; the one of this device is kept "
				"here. If it is right, restore it to send it again"),
		};

		if (!is_lost(f, g, record_find(joined, f->name)))
			continue;
		w->lost++;
		e = put_notice(w, &n);
	}
	return e;
}

static bool is_same_state(const struct record *a, const struct record *b)
{
	AUTO(buf_clear) struct buf left = {0};
	AUTO(buf_clear) struct buf right = {0};

	record_canonical(a, &left);
	record_canonical(b, &right);
	return bytes_equal(buf_bytes(&left), buf_bytes(&right));
}

static enum err repair_record(struct repair_work *w, const struct record *theirs)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault *v = w->sync->vault;
	struct vault_record r = {0};
	const enum merge_kind kind = rebase_kind(w->sync->schema, theirs->type);
	enum err e = vault_record_load(v, &a, &theirs->id, &r);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	/* One id of two types: not ours to decide; it keeps differing, and that is told. */
	if (e == ERR_OK && !bytes_equal(r.body.type, theirs->type))
		return ERR_OK;
	if (e == ERR_OK && sync_compare_counts(v, w->sync->schema, &r)) {
		if (is_same_state(&r.office, theirs))
			return ERR_OK;
		struct record joined = merge_states(&a, kind, &r.office, theirs);

		e = keep_lost(w, &r.office, theirs, &joined);
		if (e != ERR_OK)
			return e;
	}
	for (size_t i = 0; i < theirs->count; i++)
		sync_observe(w->state, theirs->fields[i].stamp.clock);
	r.office = *theirs;
	r.generation = w->state->generation;
	r.is_evicted = false;
	w->repaired++;
	return sync_put_record(w->sync, &a, w->identity->device, &r);
}

/* ---- buckets ---- */

/* Taken at the log number this device stands at; else one of the two has moved on. */
static bool is_level(const struct repair_work *w, const struct msg_bucket *b)
{
	for (size_t i = 0; i < w->cursor_count; i++)
		if (w->cursors[i].unit == b->unit)
			return w->cursors[i].log == b->log && w->cursors[i].behind == 0;
	return b->log == 0;
}

static int compare_ids(const void *a, const void *b)
{
	return id_compare(a, b);
}

static enum err repair_bucket(struct repair_work *w, const struct msg_bucket *b)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < b->record_count; i++) {
		AUTO(arena_clear) struct arena a = {0};
		struct record theirs;

		if (record_decode(&a, b->records[i], &theirs) != ERR_OK || theirs.count == 0 ||
		    record_unit(&theirs) != b->unit || digest_bucket(&theirs.id) != b->bucket)
			return disbelieve(w->report);
		w->ids[w->id_count++] = theirs.id;
		e = repair_record(w, &theirs);
	}
	return e;
}

static enum err repair_buckets(struct repair_work *w)
{
	size_t records = 0;
	enum err e = ERR_OK;

	w->level = arena_alloc_array(w->a, w->answer->bucket_count, sizeof(struct msg_bucket *));
	for (size_t i = 0; i < w->answer->bucket_count; i++) {
		if (!is_level(w, &w->answer->buckets[i]))
			continue;
		w->level[w->level_count++] = &w->answer->buckets[i];
		records += w->answer->buckets[i].record_count;
	}
	w->ids = arena_alloc_array(w->a, records, sizeof *w->ids);
	for (size_t i = 0; e == ERR_OK && i < w->level_count; i++)
		e = repair_bucket(w, w->level[i]);
	if (w->id_count != 0)
		qsort(w->ids, w->id_count, sizeof *w->ids, compare_ids);
	return e;
}

/* ---- strays ---- */

struct straying {
	struct repair_work *work;
	struct id *found;
	size_t count;
	size_t cap;
};

static bool is_in_bucket(const struct repair_work *w, int64_t unit, uint8_t bucket)
{
	for (size_t i = 0; i < w->level_count; i++)
		if (w->level[i]->unit == unit && w->level[i]->bucket == bucket)
			return true;
	return false;
}

static enum err find_stray(void *arg, const struct vault_record *r)
{
	struct straying *s = arg;
	const struct repair_work *w = s->work;
	const struct id *id = &r->office.id;

	if (!sync_compare_counts(w->sync->vault, w->sync->schema, r) ||
	    !is_in_bucket(w, record_unit(&r->office), digest_bucket(id)) ||
	    (w->id_count != 0 &&
	     bsearch(id, w->ids, w->id_count, sizeof *w->ids, compare_ids) != NULL))
		return ERR_OK;
	if (s->count == s->cap) {
		struct id *more;

		s->cap = s->cap * 2 + 16;
		more = arena_alloc_array(w->a, s->cap, sizeof *more);
		if (s->count != 0)
			memcpy(more, s->found, s->count * sizeof *more);
		s->found = more;
	}
	s->found[s->count++] = *id;
	return ERR_OK;
}

/* Kept as it is, but no longer as something the office is known to hold. */
static enum err mark_stray(struct repair_work *w, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e = vault_record_load(w->sync->vault, &a, id, &r);

	if (e != ERR_OK)
		return e;
	r.generation = VAULT_GENERATION_STRAY;
	return vault_record_put(w->sync->vault, &r);
}

static enum err mark_strays(struct repair_work *w)
{
	struct straying s = {.work = w};
	enum err e = vault_record_each(w->sync->vault, find_stray, &s);

	for (size_t i = 0; e == ERR_OK && i < s.count; i++)
		e = mark_stray(w, &s.found[i]);
	w->report->strays += s.count;
	return e;
}

/* ---- what the office lacks ---- */

static bool was_told(const struct vault_notice *all, size_t count, const struct id *id)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_is(all[i].kind, "digest_missing") && id_compare(&all[i].id, id) == 0)
			return true;
	return false;
}

static enum err tell_one_missing(struct repair_work *w, const struct msg_stray *m, bool is_news)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct note n = {
		.kind = BYTES_LIT("digest_missing"),
		.type = m->type,
		.id = m->id,
		.text = BYTES_LIT(
			"Văn phòng không có hồ sơ này dù đã gửi; nó vẫn còn ở máy này. Hãy báo văn "
			"phòng. Lần sửa tới sẽ gửi lại cả hồ sơ / The office does not have this "
			"record although it was sent; it is still here. Tell the office. The next "
			"edit sends the whole record again"),
	};
	struct vault_record r;
	enum err e = vault_record_load(w->sync->vault, &a, &m->id, &r);

	/* Gone or found meanwhile: then there is nothing to tell. Of an earlier epoch: stray.h
	 * tells. */
	if (e == ERR_NOTFOUND || (e == ERR_OK && !sync_compare_is_stray(&r)))
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	w->report->missing_records++;
	r.generation = VAULT_GENERATION_MISSING;
	e = vault_record_put(w->sync->vault, &r);
	return e == ERR_OK && is_news ? put_notice(w, &n) : e;
}

static enum err tell_missing(struct repair_work *w, const struct vault_notice *all, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < w->answer->missing_count; i++) {
		const struct msg_stray *m = &w->answer->missing[i];

		e = tell_one_missing(w, m, !was_told(all, count, &m->id));
	}
	return e;
}

static enum err tell_sum(struct repair_work *w)
{
	const struct note n = {
		.kind = BYTES_LIT("digest"),
		.text = arena_printf(
			w->a,
			"So khớp với văn phòng thấy khác nhau: %zu nhóm, đã sửa %zu hồ sơ theo văn "
			"phòng, giữ lại %zu giá trị ở đây. Đây là lỗi phần mềm hoặc đĩa: hãy báo "
			"văn phòng / Comparing with the office found differences: %zu buckets, %zu "
			"records are now as the office has them, %zu values are kept here. This is "
			"a fault of a program or a disk: tell the office",
			w->level_count, w->repaired, w->lost, w->level_count, w->repaired, w->lost),
	};

	return put_notice(w, &n);
}

static enum err repair(struct repair_work *w)
{
	struct vault_notice *all = NULL;
	size_t count = 0;
	enum err e = vault_notices(w->sync->vault, w->a, true, &all, &count);

	if (e == ERR_OK)
		e = vault_cursors_load(w->sync->vault, w->a, &w->cursors, &w->cursor_count);
	if (e == ERR_OK)
		e = tell_missing(w, all, count);
	if (e == ERR_OK)
		e = repair_buckets(w);
	if (e == ERR_OK && w->level_count != 0)
		e = mark_strays(w);
	if (e == ERR_OK && w->level_count != 0)
		e = tell_sum(w);
	w->report->repaired += w->repaired;
	w->report->buckets += w->level_count;
	w->report->lost_values += w->lost;
	return e;
}

enum err sync_compare_repair(struct sync *s, const struct vault_identity *identity,
			     const struct msg_synced *answer, struct vault_state *state,
			     struct sync_report *report)
{
	AUTO(arena_clear) struct arena a = {0};
	struct repair_work w = {.sync = s,
				.identity = identity,
				.answer = answer,
				.state = state,
				.report = report,
				.a = &a};

	if (answer->bucket_count == 0 && answer->missing_count == 0)
		return ERR_OK;
	return repair(&w);
}
