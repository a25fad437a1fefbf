#include "client/sync_apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/rebase.h"
#include "client/stray.h"
#include "client/sync_back.h"
#include "client/sync_compare.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* A day before the end of what a stamp can say. */
#define SEEN_MAX STAMP_CLOCK_OF(STAMP_MS_MAX - INT64_C(86400000))

struct apply {
	struct sync *sync;
	const struct vault_identity *identity;
	const struct msg_synced *answer;
	struct sync_report *report;
	struct arena *arena;
	struct vault_state state; /* as it will be */
	struct msg_receipt receipt;
	bool has_receipt;
	bool is_epoch_new;
	int64_t covered; /* what this receipt makes sent, and the chain head after it */
	struct hash covered_chain;
};

static enum err disbelieve(struct sync_report *report, const char *vi, const char *en)
{
	snprintf(report->text, sizeof report->text, "%s; %s", vi, en);
	return err_raise(ERR_PROTO, "%s", en);
}

/* A time another machine told: what no clock shows is taken as the nearest that one could. */
static int64_t sane_ms(int64_t ms)
{
	if (ms < 1)
		return 1;
	return ms < STAMP_MS_MAX ? ms : STAMP_MS_MAX;
}

int64_t sync_clock_offset(int64_t here_ms, int64_t there_ms)
{
	return sane_ms(here_ms) - sane_ms(there_ms);
}

/* ---- receipt ---- */

/* Everything not under a receipt is kept, so only numbers long told can be too old to compare. */
static enum err check_chain(struct apply *ap)
{
	const struct msg_receipt *r = &ap->receipt;
	struct hash head;
	enum err e = vault_chain_at(ap->sync->vault, (int64_t)r->number, &head);

	if (e == ERR_NOTFOUND && ap->is_epoch_new && (int64_t)r->number < ap->state.acked)
		return ERR_OK; /* sync_go_back() tells what is missing */
	if (e == ERR_NOTFOUND)
		return disbelieve(ap->report, "biên nhận dừng giữa một gói",
				  "the receipt ends where no change-set of ours ends");
	if (e != ERR_OK)
		return e;
	if (!crypt_equal(head.bytes, r->chain.bytes, HASH_LEN))
		return disbelieve(ap->report, "chuỗi trong biên nhận khác chuỗi của máy này",
				  "the receipt names another chain than ours");
	return ERR_OK;
}

static enum err check_receipt(struct apply *ap)
{
	const struct msg_receipt *r = &ap->receipt;

	if (id_compare(&r->daemon, &ap->identity->daemon) != 0 || r->device != ap->identity->device)
		return disbelieve(ap->report, "biên nhận không phải của máy này",
				  "the receipt is for another device");
	if (id_compare(&r->epoch, &ap->answer->epoch) != 0)
		return disbelieve(ap->report, "biên nhận thuộc kỳ dữ liệu khác",
				  "the receipt is of another epoch");
	if (r->number > (uint64_t)ap->state.number || r->backed_up > r->number)
		return disbelieve(ap->report, "văn phòng giữ số lớn hơn máy này đã ghi",
				  "the office holds numbers this device has not made");
	if (!ap->is_epoch_new && (int64_t)r->number < ap->state.acked)
		return disbelieve(ap->report, "biên nhận lùi lại so với biên nhận trước",
				  "the receipt goes back behind an earlier one");
	if (!ap->is_epoch_new && (int64_t)r->log < ap->state.log)
		return disbelieve(ap->report, "biên nhận cũ hơn biên nhận trước",
				  "the receipt is of an older log than an earlier one");
	return check_chain(ap);
}

static enum err read_receipt(struct apply *ap)
{
	if (ap->answer->receipt.len == 0) {
		if (ap->state.acked != 0 && !ap->is_epoch_new)
			return disbelieve(ap->report, "thiếu biên nhận", "there is no receipt");
		return ERR_OK;
	}
	enum err e = msg_receipt_decode(ap->arena, ap->answer->receipt, &ap->identity->daemon_key,
					&ap->receipt);

	if (e != ERR_OK)
		return disbelieve(ap->report, "chữ ký của biên nhận không đúng",
				  "the receipt is not signed by the office");
	ap->has_receipt = true;
	return check_receipt(ap);
}

/* ---- another epoch ---- */

static enum err enter_epoch(struct apply *ap)
{
	struct vault *v = ap->sync->vault;
	bool had_one = !id_is_zero(&ap->state.epoch);

	ap->state.epoch = ap->answer->epoch;
	if (!had_one)
		return ERR_OK;
	ap->report->is_epoch_new = true;
	ap->state.generation++;
	ap->state.log = 0;
	ap->state.is_pull_complete = 0;
	ap->state.notice = 0;
	enum err e = vault_cursors_put(v, NULL, 0);

	/* What is a stray in the new epoch is seen when its pull is complete. */
	if (e == ERR_OK)
		e = stray_settle(v, NULL);
	if (e == ERR_OK)
		e = sync_go_back(ap->sync, (int64_t)ap->receipt.number, &ap->state, ap->report);
	return e;
}

/* ---- own changes that have arrived ---- */

/* The effective stamp and the log number of one change, as the daemon decided. */
struct landed {
	uint64_t number;
	uint64_t clock;
	uint64_t log;
	uint32_t device;
};

struct landed_list {
	struct landed *items; /* by number */
	size_t count;
};

static const struct msg_repair *find_repair(const struct msg_receipt *r, int64_t first)
{
	for (size_t i = 0; i < r->repair_count; i++)
		if (r->repairs[i].first == (uint64_t)first)
			return &r->repairs[i];
	return NULL;
}

/* Clocks of a whole set, in its order: each depends on the one before it (M7). */
static enum err land_set(struct apply *ap, const struct vault_set *set, struct landed_list *list)
{
	const struct msg_repair *repair = find_repair(&ap->receipt, set->first);
	struct changeset_opened opened;

	if (changeset_open(ap->arena, set->wire, NULL, &opened) != ERR_OK)
		return err_raise(ERR_CORRUPT, "a change-set of the outbox cannot be read");
	uint64_t prev = repair != NULL ? repair->repair.floor : 0;

	for (size_t i = 0; i < opened.set.count; i++) {
		const struct change *c = &opened.set.changes[i];
		uint64_t clock = repair != NULL ? stamp_effective(&repair->repair, c->clock, &prev)
						: c->clock;

		list->items[list->count++] = (struct landed){
			c->number, clock, repair != NULL ? repair->log : ap->receipt.log,
			ap->identity->device};
	}
	return ERR_OK;
}

/*
 * A receipt covers every change-set up to its number, but tells how clocks were mended only of
 * those that its request brought. One that came another way, its own answer lost, stays waiting:
 * sent again it is known, and its repair is told then.
 */
static enum err find_covered(struct apply *ap)
{
	const int64_t number = (int64_t)ap->receipt.number;
	struct vault_sets sets = {0};
	enum err e = vault_outbox_load(ap->sync->vault, ap->arena, ap->state.acked,
				       LIMIT_CHANGESETS, SIZE_MAX, &sets);

	ap->covered = number;
	ap->covered_chain = ap->receipt.chain;
	for (size_t i = 0; i < sets.count && e == ERR_OK; i++) {
		const struct vault_set *set = &sets.items[i];

		if (set->first > number)
			break;
		ap->covered = set->first - 1;
		ap->covered_chain = set->before;
		if (find_repair(&ap->receipt, set->first) == NULL)
			break;
		ap->covered += set->count;
		ap->covered_chain = set->head;
	}
	return e;
}

static enum err land_sets(struct apply *ap, struct landed_list *list)
{
	struct vault_sets sets = {0};
	size_t total = 0;
	enum err e = vault_outbox_load(ap->sync->vault, ap->arena, ap->state.acked,
				       LIMIT_CHANGESETS, SIZE_MAX, &sets);

	for (size_t i = 0; i < sets.count && e == ERR_OK; i++)
		total += (size_t)sets.items[i].count;
	list->items = arena_alloc_array(ap->arena, total, sizeof *list->items);
	for (size_t i = 0; i < sets.count && e == ERR_OK; i++) {
		if (sets.items[i].first > ap->covered)
			break;
		e = land_set(ap, &sets.items[i], list);
	}
	return e;
}

static int compare_landed(const void *key, const void *item)
{
	uint64_t a = *(const uint64_t *)key;
	uint64_t b = ((const struct landed *)item)->number;

	return (a > b) - (a < b);
}

static const struct msg_result *find_result(const struct apply *ap, uint64_t number,
					    bool is_quarantined)
{
	for (size_t i = 0; i < ap->answer->result_count; i++)
		if (ap->answer->results[i].number == number &&
		    ap->answer->results[i].is_quarantined == is_quarantined)
			return &ap->answer->results[i];
	return NULL;
}

/*
 * At its very end the hybrid clock stands still, and edits made here would share one stamp. What
 * lies in the last day of that time is not followed: so there is always room to tick, and the
 * daemon pulls back what is ahead of it in the order it was made (M7).
 */
void sync_observe(struct vault_state *state, uint64_t clock)
{
	if (clock <= SEEN_MAX && (int64_t)clock > state->seen)
		state->seen = (int64_t)clock;
}

static void observe(struct apply *ap, uint64_t clock)
{
	sync_observe(&ap->state, clock);
}

enum err sync_put_record(struct sync *s, struct arena *a, uint32_t device, struct vault_record *r)
{
	struct vault *v = s->vault;
	const struct bytes type = r->office.count != 0 ? r->office.type : r->body.type;
	struct vault_change *pending = NULL;
	size_t count = 0;
	const struct id id = r->office.count != 0 ? r->office.id : r->body.id;
	enum err e = vault_changes_of(v, a, &id, &pending, &count);

	if (e != ERR_OK)
		return e;
	if (rebase_is_over(r, count))
		return vault_record_remove(v, &id);
	r->is_same = count == 0;
	r->body = rebase_body(a, rebase_kind(s->schema, type), &r->office, pending, count, device);
	return vault_record_put(v, r);
}

static enum err put_record(struct apply *ap, struct arena *a, struct vault_record *r)
{
	return sync_put_record(ap->sync, a, ap->identity->device, r);
}

/* In a pull that is not complete nobody knows yet. */
static bool is_stray(const struct apply *ap, const struct vault_record *r)
{
	return ap->state.is_pull_complete != 0 && r->generation < ap->state.generation;
}

/* A change of it is no more. */
static enum err end_record(struct apply *ap, struct arena *a, struct vault_record *r, bool is_last)
{
	enum err e = ERR_OK;

	/* Its answer was waited for, and now nothing speaks for it but the inbox. */
	if (is_last && is_stray(ap, r) && !rebase_is_over(r, 0))
		e = stray_tell(ap->sync->vault, &r->office, ap->answer->now_ms);
	return e != ERR_OK ? e : put_record(ap, a, r);
}

/* The daemon refused it, kept it whole, and people here must know (M9). */
static enum err refuse(struct apply *ap, const struct vault_change *c,
		       const struct msg_result *result)
{
	struct vault_notice notice = {.notice = -c->number,
				      .kind = BYTES_LIT("quarantine"),
				      .type = c->change.type,
				      .id = c->change.id,
				      .field = result->field,
				      .at_ms = ap->receipt.at_ms,
				      .text = result->text.len != 0 ? result->text : result->code};
	enum err e = vault_change_refuse(ap->sync->vault, c->seq, true);

	ap->report->quarantined++;
	return e == ERR_OK ? vault_notice_put(ap->sync->vault, &notice) : e;
}

static enum err accept(struct apply *ap, struct arena *a, const struct vault_change *c,
		       const struct landed *landed)
{
	struct vault *v = ap->sync->vault;
	struct vault_record r;
	enum err e = vault_record_load(v, a, &c->change.id, &r);

	if (e == ERR_OK)
		e = vault_change_remove(v, c->seq);
	if (e != ERR_OK)
		return e == ERR_NOTFOUND ? err_raise(ERR_CORRUPT, "a change without its record")
					 : e;
	struct stamp stamp = {landed->clock, landed->device};
	struct merge_result merged = merge_change(a, rebase_kind(ap->sync->schema, c->change.type),
						  r.office.count != 0 ? &r.office : NULL,
						  &c->change, stamp, landed->log);

	observe(ap, landed->clock);
	/* A state of an earlier epoch keeps that mark: the pull from zero replaces it. */
	if (r.office.count == 0)
		r.generation = ap->state.generation;
	r.office = merged.after;
	if (c->number > r.number)
		r.number = c->number;
	return put_record(ap, a, &r);
}

/* The office has it already, from a number this home had before or from a copy of its disk. */
static void land_as_known(const struct apply *ap, struct landed *landed)
{
	const struct msg_result *known = find_result(ap, landed->number, false);

	if (known == NULL || !bytes_is(known->code, "repeated"))
		return;
	landed->clock = known->clock;
	landed->device = known->device;
	landed->log = known->log;
}

static enum err take_own(struct apply *ap)
{
	struct vault_change *covered = NULL;
	size_t count = 0;
	struct landed_list list = {0};
	enum err e = vault_changes_upto(ap->sync->vault, ap->arena, ap->covered, &covered, &count);

	if (e == ERR_OK && count != 0)
		e = land_sets(ap, &list);
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		AUTO(arena_clear) struct arena a = {0};
		uint64_t number = (uint64_t)covered[i].number;
		const struct msg_result *refusal = find_result(ap, number, true);
		struct landed *landed = bsearch(&number, list.items, list.count, sizeof *list.items,
						compare_landed);

		if (landed != NULL)
			land_as_known(ap, landed);
		if (landed == NULL)
			return err_raise(ERR_CORRUPT, "a waiting change is in no change-set");
		ap->report->changes_sent++;
		e = refusal != NULL ? refuse(ap, &covered[i], refusal)
				    : accept(ap, &a, &covered[i], landed);
	}
	for (size_t i = 0; i < ap->answer->result_count; i++)
		ap->report->conflicts += bytes_is(ap->answer->results[i].code, "conflict");
	return e;
}

/* ---- what the office gives ---- */

static enum err disbelieve_record(struct sync_report *report)
{
	return disbelieve(report, "một hồ sơ gửi về không đọc được",
			  "a record sent down cannot be read");
}

/*
 * What comes is the whole record when it brings the unit, else its newer part. A whole one takes
 * the place of a state of an earlier epoch; a part of one cannot, and the record stays old.
 */
static void join_state(const struct apply *ap, struct arena *a, struct vault_record *r,
		       const struct record *pulled)
{
	const enum merge_kind kind = rebase_kind(ap->sync->schema, pulled->type);
	bool is_old = r->office.count != 0 && r->generation < ap->state.generation;
	bool is_whole = record_find(pulled, BYTES_LIT(RECORD_UNIT)) != NULL;

	if (r->office.count == 0 || (is_old && is_whole))
		r->office = *pulled;
	else
		r->office = merge_states(a, kind, &r->office, pulled);
	if (!is_old || is_whole)
		r->generation = ap->state.generation;
}

static enum err take_record(struct apply *ap, struct bytes wire)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r = {0};
	struct record pulled;

	if (record_decode(&a, wire, &pulled) != ERR_OK)
		return disbelieve_record(ap->report);
	for (size_t i = 0; i < pulled.count; i++)
		observe(ap, pulled.fields[i].stamp.clock);
	enum err e = vault_record_load(ap->sync->vault, &a, &pulled.id, &r);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	/* Merged, either would be a program error here: no office has a record without fields, or
	 * one of two types. */
	if (pulled.count == 0 || (e == ERR_OK && !bytes_equal(pulled.type, r.body.type)))
		return disbelieve_record(ap->report);
	bool was_stray = e == ERR_OK && is_stray(ap, &r);

	join_state(ap, &a, &r, &pulled);
	r.is_evicted = false;
	ap->report->records++;
	e = ERR_OK;
	if (was_stray && !is_stray(ap, &r))
		e = stray_settle(ap->sync->vault, &pulled.id);
	return e == ERR_OK ? put_record(ap, &a, &r) : e;
}

static enum err evict(struct apply *ap, const struct msg_evict *eviction)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e;

	if (eviction->is_erased) {
		ap->report->evictions++;
		return vault_record_erase(ap->sync->vault, &eviction->id);
	}
	e = vault_record_load(ap->sync->vault, &a, &eviction->id, &r);
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	if (is_stray(ap, &r))
		e = stray_settle(ap->sync->vault, &eviction->id);
	ap->report->evictions++;
	r.is_evicted = true;
	return e == ERR_OK ? put_record(ap, &a, &r) : e;
}

/* Whether the office would send it to this device, were it there as we have it. */
static bool is_owed(const struct apply *ap, const int64_t *scope, size_t scope_count,
		    const struct record *office)
{
	const struct schema *schema = ap->sync->schema;
	bool is_in_scope = false;

	for (size_t i = 0; i < scope_count; i++)
		is_in_scope = is_in_scope || scope[i] == record_unit(office);
	return is_in_scope && (ap->identity->is_cleared || schema == NULL ||
			       !schema_is_restricted(schema, office));
}

static enum err settle_old(struct apply *ap, const struct vault_record *r, const int64_t *scope,
			   size_t scope_count)
{
	const struct msg_evict gone = {.type = r->office.type, .id = r->office.id};

	if (r->generation == ap->state.generation || r->is_evicted || r->office.count == 0)
		return ERR_OK;
	if (!is_owed(ap, scope, scope_count, &r->office))
		return evict(ap, &gone);
	return r->is_same ? stray_tell(ap->sync->vault, &r->office, ap->answer->now_ms) : ERR_OK;
}

/*
 * The pull of a new epoch is complete. What it did not bring is either no longer ours, and goes
 * once nothing of ours about it is unsent, or the office has lost it: then this may be the last
 * copy.
 */
static enum err settle_epoch(struct apply *ap)
{
	struct vault *v = ap->sync->vault;
	int64_t *scope = NULL;
	size_t scope_count = 0;
	struct id *ids = NULL;
	size_t count = 0;
	enum err e = vault_scope_load(v, ap->arena, &scope, &scope_count);

	if (e == ERR_OK)
		e = vault_stray_ids(v, ap->arena, INT64_MAX, 0, &ids, &count);
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		AUTO(arena_clear) struct arena a = {0};
		struct vault_record r;

		e = vault_record_load(v, &a, &ids[i], &r);
		if (e == ERR_OK)
			e = settle_old(ap, &r, scope, scope_count);
	}
	return e;
}

/* The office's own notice of a refused change takes the place of ours. */
static enum err drop_own_notice(struct apply *ap, const struct msg_notice *notice)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice *open = NULL;
	size_t count = 0;
	enum err e = vault_notices(ap->sync->vault, &a, false, &open, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++)
		if (open[i].notice < 0 && open[i].notice > -VAULT_FORMER_SPAN &&
		    id_compare(&open[i].id, &notice->id) == 0)
			e = vault_notice_remove(ap->sync->vault, open[i].notice);
	return e;
}

/* Merged or given up: either way it is no longer ours to lay on top. The notice stays in the inbox.
 */
static enum err end_waiting(struct apply *ap, const struct msg_notice *notice)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *pending = NULL;
	struct vault_record r;
	size_t count = 0;
	bool is_found = false;
	enum err e = vault_changes_of(ap->sync->vault, &a, &notice->id, &pending, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		if (!pending[i].is_refused || (uint64_t)pending[i].number != notice->number)
			continue;
		is_found = true;
		e = vault_change_remove(ap->sync->vault, pending[i].seq);
	}
	if (e != ERR_OK || !is_found)
		return e;
	e = vault_record_load(ap->sync->vault, &a, &notice->id, &r);
	return e == ERR_OK ? end_record(ap, &a, &r, count == 1) : e;
}

static enum err take_notice(struct apply *ap, const struct msg_notice *n)
{
	struct vault_notice notice = {.notice = (int64_t)n->notice,
				      .kind = n->kind,
				      .type = n->type,
				      .id = n->id,
				      .field = n->field,
				      .kept = n->kept,
				      .lost = n->lost,
				      .by = n->by,
				      .at_ms = n->at_ms,
				      .text = n->text};
	enum err e = ERR_OK;

	if (bytes_is(n->kind, "quarantine"))
		e = drop_own_notice(ap, n);
	if (bytes_is(n->kind, "decided"))
		e = end_waiting(ap, n);
	/* What the office had only in quarantine is in no unit whose evictions come here. */
	if (bytes_is(n->kind, "erased") && !id_is_zero(&n->id))
		e = vault_record_erase(ap->sync->vault, &n->id);
	if (e == ERR_OK)
		e = vault_notice_put(ap->sync->vault, &notice);
	if (notice.notice > ap->state.notice)
		ap->state.notice = notice.notice;
	ap->report->notices++;
	return e;
}

static int compare_cursor(const void *a, const void *b)
{
	int64_t x = ((const struct msg_cursor *)a)->unit;
	int64_t y = ((const struct msg_cursor *)b)->unit;

	return (x > y) - (x < y);
}

static enum err take_cursors(struct apply *ap)
{
	const struct msg_synced *m = ap->answer;
	struct msg_cursor *have = NULL;
	size_t count = 0;
	enum err e = vault_cursors_load(ap->sync->vault, ap->arena, &have, &count);

	if (e != ERR_OK || m->cursor_count == 0)
		return e;
	struct msg_cursor *all = arena_alloc_array(ap->arena, count + m->cursor_count, sizeof *all);

	if (count != 0)
		memcpy(all, have, count * sizeof *all);
	for (size_t i = 0; i < m->cursor_count; i++) {
		size_t at = 0;

		while (at < count && all[at].unit != m->cursors[i].unit)
			at++;
		count += at == count;
		all[at] = m->cursors[i];
	}
	qsort(all, count, sizeof *all, compare_cursor);
	return vault_cursors_put(ap->sync->vault, all, count);
}

static enum err take_all(struct apply *ap)
{
	const struct msg_synced *m = ap->answer;
	enum err e = ERR_OK;

	for (size_t i = 0; i < m->record_count && e == ERR_OK; i++)
		e = take_record(ap, m->records[i]);
	for (size_t i = 0; i < m->eviction_count && e == ERR_OK; i++)
		e = evict(ap, &m->evictions[i]);
	for (size_t i = 0; i < m->notice_count && e == ERR_OK; i++)
		e = take_notice(ap, &m->notices[i]);
	if (e == ERR_OK)
		e = take_cursors(ap);
	if (e == ERR_OK && m->unit_count != 0)
		e = vault_scope_put(ap->sync->vault, m->units, m->unit_count);
	if (e == ERR_OK)
		e = sync_compare_repair(ap->sync, ap->identity, m, &ap->state, ap->report);
	return e;
}

static enum err keep_receipt(struct apply *ap)
{
	struct vault *v = ap->sync->vault;
	const struct msg_receipt *r = &ap->receipt;
	int64_t backed_up =
		(int64_t)r->backed_up < ap->covered ? (int64_t)r->backed_up : ap->covered;
	bool says_news = ap->covered > ap->state.acked || backed_up > ap->state.backed_up ||
			 ap->is_epoch_new;
	enum err e = ERR_OK;

	if (!ap->has_receipt)
		return ERR_OK;
	if (says_news)
		e = vault_receipt_add(v, (int64_t)r->number, r->at_ms, ap->answer->receipt);
	ap->state.acked = ap->covered;
	ap->state.acked_chain = ap->covered_chain;
	/* What that backup holds came after everything of former identities. */
	if (e == ERR_OK && backed_up > ap->state.backed_up)
		e = vault_formers_let_go(v);
	if (backed_up > ap->state.backed_up)
		ap->state.backed_up = backed_up;
	ap->state.log = (int64_t)r->log;
	ap->state.last_receipt_ms = sane_ms(r->at_ms);
	return e == ERR_OK ? vault_outbox_drop(v, ap->state.backed_up) : e;
}

/*
 * With nothing of ours on top every stamp in the vault is the office's: raw clocks
 * of a time when this machine's clock was wrong are gone, so the hybrid clock need
 * not stay ahead for years.
 */
static enum err settle_clock(struct apply *ap)
{
	struct vault_counts counts;
	enum err e = vault_count(ap->sync->vault, &counts);

	if (e != ERR_OK)
		return e;
	bool is_all_told = counts.drafts + counts.waiting + counts.refused == 0;

	if (is_all_told || ap->state.hlc < ap->state.seen)
		ap->state.hlc = ap->state.seen;
	return ERR_OK;
}

static enum err apply_all(struct apply *ap, int64_t asked_ms)
{
	enum err e = read_receipt(ap);

	if (e == ERR_OK && id_compare(&ap->state.epoch, &ap->answer->epoch) != 0)
		e = enter_epoch(ap);
	/* sync_go_back() and enter_epoch() work on what the vault says now. */
	if (e == ERR_OK)
		e = vault_state_put(ap->sync->vault, &ap->state);
	if (e == ERR_OK && ap->has_receipt)
		e = find_covered(ap);
	if (e == ERR_OK && ap->has_receipt)
		e = take_own(ap);
	if (e == ERR_OK)
		e = take_all(ap);
	if (e == ERR_OK)
		e = keep_receipt(ap);
	if (e == ERR_OK)
		e = settle_clock(ap);
	if (e != ERR_OK)
		return e;
	if (ap->answer->is_complete && ap->state.is_pull_complete == 0) {
		e = settle_epoch(ap);
		ap->state.is_pull_complete = 1;
	}
	if (e != ERR_OK)
		return e;
	if (!ap->sync->is_by_file) {
		int64_t here = asked_ms + (clock_wall_ms(ap->sync->clock) - asked_ms) / 2;

		ap->state.has_clock_offset = 1;
		ap->state.clock_offset_ms = sync_clock_offset(here, ap->answer->now_ms);
	}
	ap->state.standing = VAULT_STANDING_OK;
	return vault_state_put(ap->sync->vault, &ap->state);
}

enum err sync_apply(struct sync *s, const struct vault_identity *identity,
		    const struct msg_synced *answer, int64_t asked_ms, struct sync_report *report)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	const struct id epoch = vault_state(s->vault)->epoch;
	enum err e = ERR_OK;

	/* What was written since the contact began says in its set to which epoch its bases belong:
	 * the office must not take them for log numbers of the new one. */
	if (!id_is_zero(&epoch) && id_compare(&epoch, &answer->epoch) != 0)
		e = sync_seal(s);
	if (e == ERR_OK)
		e = vault_begin(s->vault);
	if (e != ERR_OK)
		return e;
	txn = s->vault;
	struct apply ap = {.sync = s,
			   .identity = identity,
			   .answer = answer,
			   .report = report,
			   .arena = &a,
			   .state = *vault_state(s->vault)};

	ap.is_epoch_new =
		!id_is_zero(&ap.state.epoch) && id_compare(&ap.state.epoch, &answer->epoch) != 0;
	e = apply_all(&ap, asked_ms);
	if (e != ERR_OK)
		return e;
	e = vault_commit(s->vault);
	return e == ERR_OK ? vault_sweep(s->vault) : e;
}
