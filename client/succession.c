#include "client/succession.h"

#include <stdlib.h>

#include "client/sync_apply.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* Of changes that are made here, in one set. */
#define RESCUE_SET_CHANGES SYNC_SET_CHANGES

struct work {
	struct sync *sync;
	struct arena *arena;
	const struct vault_identity *former;
	const struct vault_identity *successor;
	const struct msg_enrolled *message;
	struct vault_state before;
	struct vault_state state;
	struct sign_pair key;
	struct vault_former *formers; /* with room for one more */
	size_t former_count;
	int64_t held;          /* up to here the office has what we sent */
	struct vault_sets own; /* the whole outbox */
	size_t first_own;      /* the first set of it that the office lacks */
	int64_t lacking;       /* from here on the outbox has what the office lacks */
	struct vault_change *drafts;
	size_t draft_count;
	struct change *rescued;
	size_t rescued_count;
	size_t rescued_cap;
	struct succession done;
};

/* ---- what the office lacks ---- */

/* Of our chain as far as we know it: the office holds the former device up to a number of ours. */
static enum err is_ours(struct work *w, bool *ret_is)
{
	const int64_t number = (int64_t)w->message->former_number;
	struct hash head;
	enum err e;

	*ret_is = false;
	if (w->message->former_number > (uint64_t)w->before.number)
		return ERR_OK;
	e = vault_chain_at(w->sync->vault, number, &head);
	if (e == ERR_OK)
		*ret_is = crypt_equal(head.bytes, w->message->former_chain.bytes, HASH_LEN);
	/* So long ago that the head is no longer kept. Where it would be, were it ours, it is
	 * another's: none of our sets ends there. */
	if (e == ERR_NOTFOUND)
		*ret_is = number < w->before.acked &&
			  (w->own.count == 0 || number < w->own.items[0].first);
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err find_held(struct work *w)
{
	const bool is_same_epoch = id_compare(&w->message->epoch, &w->before.epoch) == 0;
	bool is = false;
	enum err e = is_ours(w, &is);

	if (w->message->former == 0)
		w->held = 0;
	else if (is)
		/* Behind the last receipt nobody told us what it made of them: it may have refused
		 * some. What it has taken is only repeated. */
		w->held = (int64_t)w->message->former_number < w->before.acked
				  ? (int64_t)w->message->former_number
				  : w->before.acked;
	else
		/* Another history under the same numbers: what a receipt of this epoch covers
		 * was before it. Of another epoch nothing is sure. */
		w->held = is_same_epoch ? w->before.acked : 0;
	return e;
}

static enum err load(struct work *w)
{
	struct vault *v = w->sync->vault;
	struct vault_former *formers = NULL;
	enum err e = vault_outbox_load(v, w->arena, 0, SIZE_MAX, SIZE_MAX, &w->own);

	if (e == ERR_OK)
		e = find_held(w);
	if (e == ERR_OK)
		e = vault_drafts(v, w->arena, SIZE_MAX / 2, &w->drafts, &w->draft_count);
	if (e == ERR_OK)
		e = vault_formers_load(v, w->arena, &formers, &w->former_count);
	if (e != ERR_OK)
		return e;
	if (w->former_count == VAULT_FORMERS_MAX)
		return err_raise(ERR_TOOBIG, "this home had %u identities", VAULT_FORMERS_MAX);
	w->formers = arena_alloc_array(w->arena, w->former_count + 1, sizeof *w->formers);
	if (w->former_count != 0)
		memcpy(w->formers, formers, w->former_count * sizeof *w->formers);
	while (w->first_own < w->own.count &&
	       w->own.items[w->first_own].first + w->own.items[w->first_own].count - 1 <= w->held)
		w->first_own++;
	w->lacking = w->first_own < w->own.count ? w->own.items[w->first_own].first
						 : w->before.number + 1;
	w->done.missing = w->lacking - 1 - w->held;
	return ERR_OK;
}

/* ---- values of numbers that are lost ---- */

static struct change *add_rescued(struct work *w)
{
	if (w->rescued_count == w->rescued_cap) {
		struct change *old = w->rescued;

		w->rescued_cap = w->rescued_cap * 2 + 16;
		w->rescued = arena_alloc_array(w->arena, w->rescued_cap, sizeof *old);
		if (old != NULL)
			memcpy(w->rescued, old, w->rescued_count * sizeof *old);
	}
	return &w->rescued[w->rescued_count++];
}

static struct change *change_of(struct work *w, const struct record *r, const struct field *f)
{
	for (size_t i = w->rescued_count; i-- > 0;) {
		struct change *c = &w->rescued[i];

		if (id_compare(&c->id, &r->id) != 0)
			break;
		if (c->clock == f->stamp.clock)
			return c;
	}
	struct change *c = add_rescued(w);

	/* Whose it was is not in a state, and what its author had seen neither. */
	*c = (struct change){.type = r->type,
			     .id = r->id,
			     .clock = f->stamp.clock,
			     .writes = arena_alloc_array(w->arena, r->count, sizeof *c->writes)};
	return c;
}

/* Written by this home, under the number that goes or (the office knows none) an earlier one. */
static bool is_own(const struct work *w, uint32_t device)
{
	for (size_t i = 0; w->message->former == 0 && i < w->former_count; i++)
		if (w->formers[i].device == device)
			return true;
	return device == w->former->device;
}

static void rescue_written(struct work *w, const struct record *state)
{
	const struct record office = record_copy(w->arena, state);

	for (size_t i = 0; i < office.count; i++) {
		const struct field *f = &office.fields[i];

		if (!is_own(w, f->stamp.device))
			continue;
		struct change *c = change_of(w, &office, f);

		c->writes[c->count++] = (struct write){f->name, f->value};
	}
}

/* What the office refused is in no state: it goes as it was made. Of which epoch its base was is no
 * longer known. */
static enum err rescue_refused(struct work *w, const struct id *id)
{
	struct vault_change *changes = NULL;
	size_t count = 0;
	enum err e = vault_changes_of(w->sync->vault, w->arena, id, &changes, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		if (!changes[i].is_refused || changes[i].number <= w->held ||
		    changes[i].number >= w->lacking)
			continue;
		struct change *c = add_rescued(w);

		*c = changes[i].change;
		c->base = 0;
	}
	return e;
}

/* What this home wrote into a record and the office may have lost. */
static enum err rescue(void *arg, const struct vault_record *r)
{
	struct work *w = arg;
	const struct id id = r->body.id;

	if (r->office.count != 0 && (w->message->former == 0 || r->number > w->held))
		rescue_written(w, &r->office);
	return r->sync == VAULT_REFUSED ? rescue_refused(w, &id) : ERR_OK;
}

static int compare_by_clock(const void *a, const void *b)
{
	const struct change *x = a;
	const struct change *y = b;
	int order = (x->clock > y->clock) - (x->clock < y->clock);

	return order != 0 ? order : id_compare(&x->id, &y->id);
}

static enum err rescue_all(struct work *w)
{
	enum err e = ERR_OK;

	if (w->done.missing > 0 || (w->message->former == 0 && w->former_count != 0))
		e = vault_record_each(w->sync->vault, rescue, w);
	if (w->rescued_count != 0)
		qsort(w->rescued, w->rescued_count, sizeof *w->rescued, compare_by_clock);
	w->done.rescued = w->rescued_count;
	return e;
}

/* ---- sealing anew ---- */

/* The record shows it as waiting. One that was evicted meanwhile goes to the office all the same.
 */
static enum err wait_for(struct work *w, struct arena *a, const struct change *c)
{
	struct vault *v = w->sync->vault;
	struct vault_record record;
	enum err e = vault_record_load(v, a, &c->id, &record);

	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = vault_change_add(v, c, false);
	if (e != ERR_OK || !record.is_same)
		return e;
	record.is_same = false;
	return vault_record_put(v, &record);
}

static enum err seal(struct work *w, const struct id *epoch, struct change *changes, size_t count)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	struct changeset_head head = {.daemon = w->successor->daemon,
				      .epoch = *epoch,
				      .device = w->successor->device,
				      .first = (uint64_t)w->state.number + 1,
				      .count = count,
				      .chain = w->state.chain};
	struct vault_set set = {
		.first = w->state.number + 1, .count = (int64_t)count, .before = w->state.chain};
	enum err e;

	for (size_t i = 0; i < count; i++)
		changes[i].number = head.first + i;
	e = changeset_seal(&head, changes, &w->key, &wire, &set.head);
	set.wire = buf_bytes(&wire);
	if (e == ERR_OK)
		e = vault_outbox_add(w->sync->vault, &set);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = wait_for(w, &a, &changes[i]);
	w->state.number += (int64_t)count;
	w->state.chain = set.head;
	return e;
}

/* Epoch and bases are those of the set as it was sealed first. */
static enum err seal_again(struct work *w, struct bytes wire)
{
	AUTO(arena_clear) struct arena a = {0};
	struct changeset_opened opened;

	if (changeset_open(&a, wire, NULL, &opened) != ERR_OK || opened.odd_count != 0)
		return err_raise(ERR_CORRUPT, "a change-set of the outbox cannot be read");
	w->done.resent += opened.set.count;
	return seal(w, &opened.set.epoch, opened.set.changes, opened.set.count);
}

static enum err seal_rescued(struct work *w)
{
	enum err e = ERR_OK;

	for (size_t at = 0; at < w->rescued_count && e == ERR_OK;) {
		size_t count = w->rescued_count - at;

		count = count < RESCUE_SET_CHANGES ? count : RESCUE_SET_CHANGES;
		count = sync_cut_set(&w->rescued[at], count, SYNC_SET_BYTES);
		e = seal(w, &w->before.epoch, &w->rescued[at], count);
		at += count;
	}
	return e;
}

/* Change-sets of earlier identities that are in no backup: the office may not have them either. */
static enum err seal_kept(struct work *w)
{
	struct vault *v = w->sync->vault;
	enum err e = ERR_OK;

	for (size_t i = 0; i < w->former_count && e == ERR_OK; i++) {
		for (size_t k = 0; k < w->formers[i].kept_count && e == ERR_OK; k++) {
			AUTO(arena_clear) struct arena a = {0};
			struct bytes wire;

			e = vault_former_kept(v, &a, w->formers[i].device, w->formers[i].kept[k],
					      &wire);
			if (e == ERR_OK)
				e = seal_again(w, wire);
		}
	}
	return e;
}

/* In the order they were made: an effective clock never falls behind the one before it (M7). */
static enum err seal_all(struct work *w)
{
	struct vault *v = w->sync->vault;
	enum err e = vault_outbox_drop(v, INT64_MAX);

	w->state.number = 0;
	w->state.chain = (struct hash){0};
	if (e == ERR_OK && w->message->former == 0)
		e = seal_kept(w);
	if (e == ERR_OK)
		e = seal_rescued(w);
	for (size_t i = w->first_own; i < w->own.count && e == ERR_OK; i++)
		e = seal_again(w, w->own.items[i].wire);
	for (size_t i = 0; i < w->draft_count && e == ERR_OK; i++) {
		w->drafts[i].change.number = 0;
		e = vault_change_add(v, &w->drafts[i].change, false);
	}
	return e;
}

/* ---- what stays of the former identity ---- */

static enum err keep_former(struct work *w, int64_t until_ms)
{
	struct vault *v = w->sync->vault;
	struct sign_pair key;
	struct vault_former *f = &w->formers[w->former_count++];
	enum err e = ERR_OK;

	/* They are in the outbox again. */
	if (w->message->former == 0)
		e = vault_formers_let_go(v);
	for (size_t i = 0; w->message->former == 0 && i + 1 < w->former_count; i++)
		w->formers[i].kept_count = 0;
	sign_pair_from_seed(w->former->seed, &key);
	*f = (struct vault_former){
		.device = w->former->device,
		.key = key.public_key,
		.number = w->before.number,
		.acked = w->before.acked,
		.backed_up = w->before.backed_up,
		.until_ms = until_ms,
		.kept = arena_alloc_array(w->arena, w->first_own, sizeof *f->kept)};
	crypt_wipe(&key, sizeof key);
	for (size_t i = 0; i < w->first_own && e == ERR_OK; i++) {
		const struct vault_set *set = &w->own.items[i];

		if (set->first + set->count - 1 <= w->before.backed_up)
			continue;
		f->kept[f->kept_count++] = set->first;
		e = vault_former_keep(v, f->device, set->first, set->wire);
	}
	return e == ERR_OK ? vault_formers_put(v, w->formers, w->former_count) : e;
}

static enum err put_identity(struct work *w)
{
	struct vault *v = w->sync->vault;
	const struct msg_enrolled *m = w->message;
	const struct vault_identity nobody = {0};
	int64_t now = clock_wall_ms(w->sync->clock);
	enum err e = vault_identity_put(v, w->successor);

	if (e == ERR_OK)
		e = vault_successor_put(v, &nobody);
	if (e == ERR_OK)
		e = vault_scope_put(v, m->units, m->unit_count);
	w->state.counter = 0;
	w->state.acked = 0;
	w->state.acked_chain = (struct hash){0};
	w->state.backed_up = 0;
	w->state.notice = 0;
	w->state.has_clock_offset = 1;
	w->state.clock_offset_ms = sync_clock_offset(now, m->now_ms);
	w->state.standing = VAULT_STANDING_OK;
	return e == ERR_OK ? vault_state_put(v, &w->state) : e;
}

/* ---- the run ---- */

static enum err succeed(struct work *w)
{
	struct vault *v = w->sync->vault;
	int64_t backed_up;
	int64_t nth;
	enum err e = load(w);

	if (e == ERR_OK)
		e = rescue_all(w);
	nth = (int64_t)w->former_count + 1;
	backed_up = w->before.backed_up < w->held ? w->before.backed_up : w->held;
	if (e == ERR_OK)
		e = vault_shelve(v, nth, w->held);
	if (e == ERR_OK)
		e = vault_records_of_former(v, backed_up, w->message->former != 0);
	if (e == ERR_OK)
		e = seal_all(w);
	if (e == ERR_OK)
		e = keep_former(w, clock_wall_ms(w->sync->clock));
	return e == ERR_OK ? put_identity(w) : e;
}

enum err succession_run(struct sync *s, const struct vault_identity *former,
			struct vault_identity *successor, const struct msg_enrolled *m,
			struct succession *ret_done)
{
	AUTO(arena_clear) struct arena a = {0};
	struct work w = {.sync = s,
			 .arena = &a,
			 .former = former,
			 .successor = successor,
			 .message = m,
			 .before = *vault_state(s->vault),
			 .state = *vault_state(s->vault),
			 .done = {.former = former->device, .device = m->device}};
	enum err e;

	if (id_compare(&m->daemon, &former->daemon) != 0)
		return err_raise(ERR_PROTO, "the answer is another office's");
	if (m->device == former->device || (m->former != 0 && m->former != former->device))
		return err_raise(ERR_PROTO, "the answer is for the home of device %u", m->former);
	successor->daemon = m->daemon;
	successor->device = m->device;
	successor->daemon_key = m->daemon_key;
	successor->is_cleared = m->is_cleared;
	crypt_wipe(successor->code, sizeof successor->code);
	sign_pair_from_seed(successor->seed, &w.key);
	e = succeed(&w);
	crypt_wipe(&w.key, sizeof w.key);
	if (e == ERR_OK)
		*ret_done = w.done;
	return e;
}
