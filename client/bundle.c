#define LOG_TAG "bundle"

#include "client/bundle.h"

#include "client/sync_apply.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* Plain messages of one file; packed they are far below LIMIT_BUNDLE_BYTES. */
#define BUNDLE_FILL_BYTES (LIMIT_BUNDLE_BYTES - ((size_t)1 << 20))

/* ---- to the office ---- */

static enum err take_number(struct sync *s, uint64_t *ret_number)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_state state = *vault_state(s->vault);
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	state.counter++;
	e = vault_state_put(s->vault, &state);
	if (e == ERR_OK)
		e = vault_commit(s->vault);
	if (e == ERR_OK)
		*ret_number = (uint64_t)state.counter;
	return e;
}

/* Where the change-sets of a request end. */
static enum err find_end(const struct msg_sync *m, struct bundle_made *made, int64_t *after)
{
	struct changeset_head head;

	for (size_t i = 0; i < m->changeset_count; i++) {
		if (changeset_peek(m->changesets[i], &head) != ERR_OK)
			return err_raise(ERR_CORRUPT, "a change-set of the outbox cannot be read");
		*after = (int64_t)(head.first + head.count - 1);
		made->changes += (size_t)head.count;
	}
	made->changesets += m->changeset_count;
	return ERR_OK;
}

/* One more request, with what comes after number `*after`. */
static enum err add_part(struct sync *s, struct arena *a, struct bundle_out *b,
			 struct bundle_made *made, int64_t *after)
{
	AUTO(buf_clear) struct buf message = {0};
	struct msg_sync m;
	enum err e = sync_message(s, a, *after, SYNC_REQUEST_BYTES, &m);

	if (e == ERR_OK)
		e = find_end(&m, made, after);
	if (e != ERR_OK)
		return e;
	msg_sync_encode(&m, &message);
	b->parts[b->part_count++] = arena_copy(a, buf_bytes(&message));
	return ERR_OK;
}

/* Requests as the network would carry them one after the other: each has its own receipt. */
static enum err fill_parts(struct sync *s, struct arena *a, struct bundle_out *b,
			   struct bundle_made *made)
{
	const int64_t last = vault_state(s->vault)->number;
	int64_t after = vault_state(s->vault)->acked;
	int64_t before;
	size_t total = 0;

	b->parts = arena_alloc_array(a, LIMIT_BUNDLE_PARTS, sizeof *b->parts);
	do {
		enum err e;

		before = after;
		e = add_part(s, a, b, made, &after);
		if (e != ERR_OK)
			return e;
		total += b->parts[b->part_count - 1].len;
	} while (after != before && after < last && b->part_count < LIMIT_BUNDLE_PARTS &&
		 total + SYNC_REQUEST_BYTES < BUNDLE_FILL_BYTES);
	made->left = last - after;
	return ERR_OK;
}

static enum err write_out(struct rand *rand, const struct vault_identity *identity,
			  const struct bundle_out *b, struct buf *out)
{
	struct sign_pair key;
	const struct bundle_writer w = {
		.head = {.kind = BUNDLE_TO_OFFICE,
			 .device = identity->device,
			 .daemon = identity->daemon},
		.key = &key,
		.reader = &identity->daemon_key,
		.rand = rand,
	};

	sign_pair_from_seed(identity->seed, &key);
	enum err e = bundle_write_out(&w, b, out);

	crypt_wipe(&key, sizeof key);
	return e;
}

static enum err make_file(struct sync *s, struct rand *rand, const struct vault_identity *identity,
			  struct buf *out, struct bundle_made *made)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bundle_out b = {0};

	if (id_is_zero(&identity->daemon))
		return err_raise(ERR_NOTFOUND, "this device is not enrolled yet");
	enum err e = sync_seal(s);

	if (e == ERR_OK)
		e = take_number(s, &b.number);
	if (e == ERR_OK)
		e = fill_parts(s, &a, &b, made);
	made->number = b.number;
	return e == ERR_OK ? write_out(rand, identity, &b, out) : e;
}

enum err bundle_make(struct sync *s, struct rand *rand, struct buf *out,
		     struct bundle_made *ret_made)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity;
	struct bundle_made made = {0};
	enum err e = vault_identity_load(s->vault, &a, &identity);

	if (e == ERR_OK)
		e = make_file(s, rand, &identity, out, &made);
	crypt_wipe(identity.seed, sizeof identity.seed);
	if (e == ERR_OK)
		*ret_made = made;
	return e;
}

/* ---- the return ---- */

/* One return file on its way in. Everything is decoded before anything is taken. */
struct reading {
	struct sync *sync;
	struct arena *arena;
	const struct vault_identity *identity;
	struct bundle_return file;
	struct msg_synced *answers;
	struct msg_refusal refusal;
	bool has_refusal;
	struct bundle_taken *taken;
};

static enum bundle_flaw open_file(struct reading *r, struct bytes file)
{
	struct bundle_head head;
	struct sign_pair own;
	enum bundle_flaw flaw = bundle_peek(file, &head);

	if (flaw != BUNDLE_SOUND)
		return flaw;
	r->taken->device = head.device;
	if (head.kind != BUNDLE_RETURN)
		return BUNDLE_WRONG_WAY;
	if (id_compare(&head.daemon, &r->identity->daemon) != 0)
		return BUNDLE_ELSEWHERE;
	if (head.device != r->identity->device)
		return BUNDLE_OTHER_DEVICE;
	sign_pair_from_seed(r->identity->seed, &own);
	flaw = bundle_open_return(r->arena, file, &r->identity->daemon_key, &own, &r->file);
	crypt_wipe(&own, sizeof own);
	return flaw;
}

static enum bundle_flaw decode(struct reading *r)
{
	const struct bundle_return *f = &r->file;

	r->answers = arena_alloc_array(r->arena, f->part_count, sizeof *r->answers);
	for (size_t i = 0; i < f->part_count; i++) {
		if (msg_synced_decode(r->arena, f->parts[i], &r->answers[i]) != ERR_OK)
			return BUNDLE_UNREADABLE;
		/* One file is one history: parts of two would tear the cursors. */
		if (id_compare(&r->answers[i].epoch, &r->answers[0].epoch) != 0)
			return BUNDLE_UNREADABLE;
	}
	r->has_refusal = f->refusal.len != 0;
	if (r->has_refusal && msg_refusal_decode(r->arena, f->refusal, &r->refusal) != ERR_OK)
		return BUNDLE_UNREADABLE;
	return f->part_count == 0 && !r->has_refusal ? BUNDLE_UNREADABLE : BUNDLE_SOUND;
}

static struct msg_cursor cursor_of(const struct msg_cursor *cursors, size_t count, int64_t unit)
{
	for (size_t i = 0; i < count; i++)
		if (cursors[i].unit == unit)
			return cursors[i];
	return (struct msg_cursor){.unit = unit};
}

/* This device has at least what the office went on from. */
static bool has_reached(const struct msg_cursor *have, const struct msg_cursor *asked)
{
	return have->log >= asked->log && msg_cursor_whole(have) >= msg_cursor_whole(asked);
}

/* This device has got further than the file was asked from. */
static bool is_behind(const struct reading *r, const struct msg_cursor *have, size_t count,
		      bool was_here)
{
	const struct bundle_return *f = &r->file;

	for (size_t i = 0; i < count; i++) {
		const struct msg_cursor asked =
			cursor_of(f->cursors, was_here ? f->cursor_count : 0, have[i].unit);

		if (!has_reached(&asked, &have[i]))
			return true;
	}
	return false;
}

/*
 * What came since the file was asked for the office did not know of, so it does not say what of
 * that is to be forgotten; and what such a file evicts, one made before it may bring back. Its
 * receipt, results and notices are taken, its states wait: the next file goes on from where this
 * device is and has them.
 */
static void leave_states(struct reading *r)
{
	r->taken->is_overtaken = true;
	for (size_t i = 0; i < r->file.part_count; i++) {
		struct msg_synced *m = &r->answers[i];

		m->record_count = 0;
		m->eviction_count = 0;
		m->cursor_count = 0;
		m->is_complete = false;
		m->has_more = true;
	}
}

/* The number under the receipt of the last answer; 0: there is none, or it is not the office's. */
static uint64_t receipt_number(const struct reading *r)
{
	const struct msg_synced *last = &r->answers[r->file.part_count - 1];
	struct msg_receipt receipt;

	if (last->receipt.len == 0 ||
	    msg_receipt_decode(r->arena, last->receipt, &r->identity->daemon_key, &receipt) !=
		    ERR_OK)
		return 0;
	return receipt.number;
}

/*
 * Files come late, doubled and out of order. An answer made before the newest one taken here holds
 * nothing that is needed, and its evictions and cursors are no longer true. One that goes on
 * from a cursor this device never had would leave a hole.
 */
static enum err place(struct reading *r, enum bundle_outcome *ret_outcome)
{
	const struct vault_state *state = vault_state(r->sync->vault);
	const struct bundle_return *f = &r->file;
	bool is_here_now, was_here;
	struct msg_cursor *have = NULL;
	size_t count = 0;
	enum err e = vault_cursors_load(r->sync->vault, r->arena, &have, &count);

	*ret_outcome = BUNDLE_TAKEN;
	if (e != ERR_OK || f->part_count == 0)
		return e;
	is_here_now = id_compare(&r->answers[0].epoch, &state->epoch) == 0;
	was_here = id_compare(&f->epoch, &state->epoch) == 0;
	if (!is_here_now && !was_here)
		*ret_outcome = BUNDLE_SUPERSEDED;
	for (size_t i = 0; is_here_now && i < count; i++)
		if (have[i].log > f->log)
			*ret_outcome = BUNDLE_SUPERSEDED;
	if (is_here_now && !r->has_refusal && receipt_number(r) < (uint64_t)state->acked)
		*ret_outcome = BUNDLE_SUPERSEDED;
	if (is_here_now && f->log < (uint64_t)state->log)
		*ret_outcome = BUNDLE_SUPERSEDED;
	/* Another epoch than the one asked from is answered from zero. */
	if (*ret_outcome != BUNDLE_TAKEN || !is_here_now)
		return ERR_OK;
	for (size_t i = 0; was_here && i < f->cursor_count; i++) {
		const struct msg_cursor own = cursor_of(have, count, f->cursors[i].unit);

		if (!has_reached(&own, &f->cursors[i]))
			*ret_outcome = BUNDLE_AHEAD;
	}
	if (is_behind(r, have, count, was_here))
		leave_states(r);
	return ERR_OK;
}

static enum err take_answers(struct reading *r)
{
	struct sync_report *report = &r->taken->report;
	enum err e = ERR_OK;

	/* First: where the office stands decides what its receipts may say. */
	if (r->has_refusal)
		e = sync_take_refusal(r->sync, &r->refusal, report);
	for (size_t i = 0; i < r->file.part_count && e == ERR_OK; i++) {
		e = sync_apply(r->sync, r->identity, &r->answers[i], 0, report);
		report->rounds++;
		r->taken->has_more = r->answers[i].has_more;
	}
	if (e == ERR_OK && r->file.schema.len != 0)
		e = sync_keep_schema(r->sync, r->file.schema);
	if (e == ERR_OK && r->file.units.len != 0)
		e = sync_keep_units(r->sync, r->file.units);
	return e;
}

static enum err take(struct reading *r, struct bytes file)
{
	struct bundle_taken *taken = r->taken;
	enum bundle_outcome outcome = BUNDLE_FLAWED;

	if (id_is_zero(&r->identity->daemon))
		return err_raise(ERR_NOTFOUND, "this device is not enrolled yet");
	taken->outcome = BUNDLE_FLAWED;
	taken->flaw = open_file(r, file);
	if (taken->flaw == BUNDLE_SOUND)
		taken->flaw = decode(r);
	if (taken->flaw != BUNDLE_SOUND)
		return ERR_OK;
	taken->number = r->file.number;
	taken->report.bytes_in = file.len;
	enum err e = place(r, &outcome);

	taken->outcome = outcome;
	if (e != ERR_OK || outcome != BUNDLE_TAKEN)
		return e;
	return take_answers(r);
}

enum err bundle_take(struct sync *s, struct bytes file, struct bundle_taken *ret_taken)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity;
	struct reading r = {.sync = s, .arena = &a, .identity = &identity, .taken = ret_taken};

	*ret_taken = (struct bundle_taken){0};
	REQUIRE(s->is_by_file);
	enum err e = vault_identity_load(s->vault, &a, &identity);

	if (e == ERR_OK)
		e = sync_note_missing(s, &ret_taken->report, take(&r, file));
	crypt_wipe(identity.seed, sizeof identity.seed);
	return e;
}
