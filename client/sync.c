#define LOG_TAG "sync"

#include "client/sync.h"

#include <stdio.h>

#include "client/stray.h"
#include "client/sync_apply.h"
#include "client/sync_back.h"
#include "client/sync_budget.h"
#include "client/sync_compare.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "proto/changeset.h"

#define PATH_SYNC   "/v1/sync"
#define PATH_SCHEMA "/v1/schema"
#define PATH_UNITS  "/v1/units"

/* How often one run mends what the office complained of before it gives up. */
#define MENDS_MAX   8
/* Far beyond what a device ever asks, far before the end of what a counter holds. */
#define COUNTER_MAX (INT64_MAX / 2)

/* Of a request without its change-sets, of a cursor in it, of a change-set's line in the receipt:
 * the most each takes. */
#define REQUEST_BYTES 512u
#define CURSOR_BYTES  32u
#define REPAIR_BYTES  64u
/* A round that brings nothing of ours is begun only if it may bring a piece of the office's. */
#define PULL_BYTES    (SYNC_SET_BYTES + 1024u)

/* ---- sealing ---- */

static bool is_new_author(const struct change *changes, size_t count, struct bytes author)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal(changes[i].author, author))
			return false;
	return true;
}

size_t sync_cut_set(const struct change *changes, size_t count, size_t max_bytes)
{
	AUTO(buf_clear) struct buf encoded = {0};
	size_t authors = 0;

	for (size_t i = 0; i < count; i++) {
		authors += is_new_author(changes, i, changes[i].author);
		change_encode(&changes[i], &encoded);
		if (i != 0 && (encoded.len > max_bytes || authors > LIMIT_AUTHORS))
			return i;
	}
	return count;
}

/* So that several sets fit into a budget, and one of them beside an answer. */
static size_t set_bytes(const struct sync *s)
{
	if (s->budget == 0 || s->budget / 4 >= SYNC_SET_BYTES)
		return SYNC_SET_BYTES;
	return (size_t)(s->budget / 4);
}

static enum err store_set(struct sync *s, const struct vault_change *drafts, size_t count,
			  const struct vault_set *set)
{
	enum err e = vault_outbox_add(s->vault, set);

	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = vault_change_number(s->vault, drafts[i].seq, set->first + (int64_t)i);
	return e;
}

static enum err seal_some(struct sync *s, const struct vault_identity *identity,
			  const struct sign_pair *key, size_t *ret_count)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	struct vault_state state = *vault_state(s->vault);
	struct vault_change *drafts = NULL;
	size_t count = 0;
	enum err e = vault_drafts(s->vault, &a, SYNC_SET_CHANGES, &drafts, &count);

	*ret_count = 0;
	if (e != ERR_OK || count == 0)
		return e;
	struct change *changes = arena_alloc_array(&a, count, sizeof *changes);

	for (size_t i = 0; i < count; i++) {
		changes[i] = drafts[i].change;
		changes[i].number = (uint64_t)state.number + 1 + i;
	}
	count = sync_cut_set(changes, count, set_bytes(s));
	struct changeset_head head = {.daemon = identity->daemon,
				      .epoch = state.epoch,
				      .device = identity->device,
				      .first = (uint64_t)state.number + 1,
				      .count = count,
				      .chain = state.chain};
	struct vault_set set = {
		.first = state.number + 1, .count = (int64_t)count, .before = state.chain};

	e = changeset_seal(&head, changes, key, &wire, &set.head);
	if (e != ERR_OK)
		return e;
	set.wire = buf_bytes(&wire);
	e = store_set(s, drafts, count, &set);
	state.number += (int64_t)count;
	state.chain = set.head;
	*ret_count = count;
	return e == ERR_OK ? vault_state_put(s->vault, &state) : e;
}

static enum err seal_all(struct sync *s, const struct vault_identity *identity)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct sign_pair key;
	size_t sealed = 1;
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	sign_pair_from_seed(identity->seed, &key);
	while (sealed != 0 && e == ERR_OK)
		e = seal_some(s, identity, &key, &sealed);
	crypt_wipe(&key, sizeof key);
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

enum err sync_seal(struct sync *s)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity;
	enum err e = vault_identity_load(s->vault, &a, &identity);

	if (e == ERR_OK)
		e = seal_all(s, &identity);
	crypt_wipe(identity.seed, sizeof identity.seed);
	return e;
}

/* ---- asking ---- */

/* A run of rounds. */
struct contact {
	struct sync *sync;
	struct sync_report *report;
	struct vault_identity identity;
	struct arena arena;
	size_t upload_bytes; /* shrinks when the office finds a request too big */
	size_t pace;
	struct sync_budget budget;
	unsigned mends;
	bool has_more;
	bool is_epoch_open; /* ask as one who knows no epoch */
	bool is_idle;       /* the last round moved nothing */
	uint8_t schema_version[8];
	uint64_t units_version;
	struct sync_comparison comparison;
};

static enum err change_state(struct sync *s, const struct vault_state *state)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	e = vault_state_put(s->vault, state);
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

enum err sync_message(struct sync *s, struct arena *a, int64_t after, size_t max_bytes,
		      struct msg_sync *ret_message)
{
	struct vault *v = s->vault;
	const struct vault_state *state = vault_state(v);
	struct bytes *authors = NULL;
	size_t author_count = 0;
	struct vault_sets sets = {0};
	struct msg_sync *m = ret_message;
	enum err e;

	*m = (struct msg_sync){0};
	e = vault_cursors_load(v, a, &m->cursors, &m->cursor_count);
	if (e == ERR_OK)
		e = vault_authors_load(v, a, &authors, &author_count);
	if (e == ERR_OK)
		e = stray_ask(v, a, m);
	if (e == ERR_OK)
		e = vault_outbox_load(v, a, after, LIMIT_CHANGESETS, max_bytes, &sets);
	if (e != ERR_OK)
		return e;
	m->changesets = arena_alloc_array(a, sets.count, sizeof *m->changesets);
	for (size_t i = 0; i < sets.count; i++)
		m->changesets[i] = sets.items[i].wire;
	m->changeset_count = sets.count;
	m->epoch = state->epoch;
	m->sent_ms = clock_wall_ms(s->clock);
	m->client_version = bytes_str(s->client_version);
	m->author = author_count != 0 ? authors[0] : BYTES_NONE;
	m->max_bytes = s->max_bytes;
	memcpy(m->schema_version, state->schema_version, sizeof m->schema_version);
	m->units_version = (uint64_t)state->units_version;
	m->notice = (uint64_t)state->notice;
	m->is_first_pull = state->is_pull_complete == 0;
	m->sealed = (uint64_t)state->number;
	return ERR_OK;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What the request costs at most, and the receipt its change-sets will get. */
static size_t request_bytes(const struct msg_sync *m)
{
	size_t bytes = REQUEST_BYTES + m->cursor_count * CURSOR_BYTES;

	for (size_t i = 0; i < m->changeset_count; i++)
		bytes += m->changesets[i].len + REPAIR_BYTES;
	return bytes;
}

/* Own changes first; what they leave is for the answer. At least one byte: 0 is no limit. */
static uint64_t answer_bytes(const struct contact *c, const struct msg_sync *m)
{
	const size_t asked = c->sync->max_bytes != 0 ? (size_t)c->sync->max_bytes : c->pace;
	const size_t room = sync_budget_room(&c->budget);
	const size_t gone = request_bytes(m);

	return room > gone ? least(asked, room - gone) : 1;
}

static enum err fill_request(struct contact *c, struct arena *a, struct msg_sync *m)
{
	const int64_t acked = vault_state(c->sync->vault)->acked;
	const size_t room = sync_budget_room(&c->budget);
	const size_t most = room > REQUEST_BYTES ? room - REQUEST_BYTES : 0;
	enum err e =
		sync_message(c->sync, a, acked, least(least(c->upload_bytes, c->pace), most), m);

	if (e == ERR_OK)
		m->max_bytes = answer_bytes(c, m);
	if (e == ERR_OK && c->is_epoch_open) {
		m->cursor_count = 0;
		m->epoch = (struct id){{0}};
	}
	return e == ERR_OK ? sync_compare_ask(c->sync, a, &c->comparison, m) : e;
}

/* The counter is on the disk before it is used: it never goes twice (M8, replays). */
static enum err build_request(struct contact *c, struct buf *out, int64_t *ret_asked_ms)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf message = {0};
	struct vault_state state = *vault_state(c->sync->vault);
	struct msg_sync m = {0};
	struct sign_pair key;

	state.counter++;
	enum err e = change_state(c->sync, &state);

	if (e == ERR_OK)
		e = fill_request(c, &a, &m);
	if (e != ERR_OK)
		return e;
	msg_sync_encode(&m, &message);
	sign_pair_from_seed(c->identity.seed, &key);
	msg_envelope_seal(&c->identity.daemon, c->identity.device, (uint64_t)state.counter,
			  buf_bytes(&message), &key, out);
	crypt_wipe(&key, sizeof key);
	*ret_asked_ms = m.sent_ms;
	return ERR_OK;
}

/* ---- refusals ---- */

void sync_keep_refusal(struct sync_report *report, const struct msg_refusal *r)
{
	snprintf(report->refusal, sizeof report->refusal, "%.*s", BYTES_FMT(r->code));
	snprintf(report->text, sizeof report->text, "%.*s", BYTES_FMT(r->text));
	report->retry_after_s = (int64_t)(r->retry_after_s < 86400 ? r->retry_after_s : 86400);
}

enum err sync_read_refusal(struct arena *a, struct bytes answer, struct msg_refusal *ret)
{
	struct bytes message;

	/* Refusals are small: they may come bare or like an answer. */
	if (msg_refusal_decode(a, answer, ret) == ERR_OK)
		return ERR_OK;
	enum err e = msg_answer_open(a, answer, &message);

	return e == ERR_OK ? msg_refusal_decode(a, message, ret) : e;
}

static enum err stand(struct contact *c, enum vault_standing standing)
{
	struct vault_state state = *vault_state(c->sync->vault);

	state.standing = standing;
	enum err e = change_state(c->sync, &state);

	return e == ERR_OK ? err_raise(ERR_AUTH, "the office: %s", c->report->refusal) : e;
}

static enum err go_back(struct contact *c, const struct msg_refusal *r)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_state state = *vault_state(c->sync->vault);
	int64_t number = r->expected > 0 ? (int64_t)r->expected - 1 : 0;
	struct hash head;

	if (number > state.number)
		return stand(c, VAULT_STANDING_FORKED);
	enum err e = vault_chain_at(c->sync->vault, number, &head);

	if (e == ERR_OK && !crypt_equal(head.bytes, r->chain.bytes, HASH_LEN))
		return stand(c, VAULT_STANDING_FORKED);
	if (e == ERR_OK)
		e = vault_begin(c->sync->vault);
	if (e == ERR_OK) {
		txn = c->sync->vault;
		e = sync_go_back(c->sync, number, &state, c->report);
	}
	if (e == ERR_NOTFOUND && number > state.acked)
		return err_raise(ERR_PROTO, "the office stands inside a change-set");
	if (e == ERR_NOTFOUND) {
		if (c->report->missing == 0)
			c->report->missing = state.acked - number;
		return err_raise(ERR_PROTO, "the office lacks numbers no longer kept here");
	}
	if (e == ERR_OK)
		e = vault_state_put(c->sync->vault, &state);
	return e == ERR_OK ? vault_commit(c->sync->vault) : e;
}

static enum err mend_counter(struct contact *c, const struct msg_refusal *r)
{
	struct vault_state state = *vault_state(c->sync->vault);

	if (r->expected > COUNTER_MAX)
		return err_raise(ERR_PROTO, "the office asks for a counter at its end");
	if (r->expected > (uint64_t)state.counter)
		state.counter = (int64_t)r->expected - 1;
	return change_state(c->sync, &state);
}

/* ERR_OK: mended, ask again. */
static enum err handle_refusal(struct contact *c, const struct msg_refusal *r)
{
	sync_keep_refusal(c->report, r);
	if (bytes_is(r->code, "revoked"))
		return stand(c, VAULT_STANDING_REVOKED);
	if (bytes_is(r->code, "forked"))
		return stand(c, VAULT_STANDING_FORKED);
	if (bytes_is(r->code, "unknown_device"))
		return stand(c, VAULT_STANDING_UNKNOWN);
	if (r->retry_after_s != 0)
		return err_raise(ERR_AGAIN, "the office: %s", c->report->refusal);
	if (++c->mends > MENDS_MAX)
		return err_raise(ERR_PROTO, "the office keeps refusing: %s", c->report->refusal);
	if (bytes_is(r->code, "gap"))
		return go_back(c, r);
	if (bytes_is(r->code, "replay"))
		return mend_counter(c, r);
	/* The answer names the new epoch; until then nothing here is thrown away. */
	if (bytes_is(r->code, "epoch")) {
		c->is_epoch_open = true;
		return ERR_OK;
	}
	if (bytes_is(r->code, "too_big") && c->upload_bytes > 1) {
		c->upload_bytes /= 4;
		return ERR_OK;
	}
	return err_raise(ERR_PROTO, "the office refused: %s", c->report->refusal);
}

enum err sync_take_refusal(struct sync *s, const struct msg_refusal *refusal,
			   struct sync_report *report)
{
	struct contact c = {.sync = s, .report = report};

	return handle_refusal(&c, refusal);
}

static enum err refused(struct contact *c, int status, struct bytes answer)
{
	AUTO(arena_clear) struct arena a = {0};
	struct msg_refusal r;

	if (sync_read_refusal(&a, answer, &r) != ERR_OK) {
		/* Something between us and the office answered, or it is not well: later. */
		if (status >= 500 || status == 429 || status == 408)
			return err_raise(ERR_AGAIN, "HTTP status %d", status);
		snprintf(c->report->text, sizeof c->report->text,
			 "câu trả lời lạ (HTTP %d); a strange answer (HTTP %d)", status, status);
		return err_raise(ERR_PROTO, "HTTP status %d", status);
	}
	return handle_refusal(c, &r);
}

/* ---- rounds ---- */

static enum err take_answer(struct contact *c, struct bytes answer, int64_t asked_ms)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_state before = *vault_state(c->sync->vault);
	size_t moved = c->report->records + c->report->evictions + c->report->notices;
	struct bytes message;
	struct msg_synced m;
	enum err e = msg_answer_open(&a, answer, &message);

	if (e == ERR_OK)
		e = msg_synced_decode(&a, message, &m);
	if (e != ERR_OK) {
		snprintf(c->report->text, sizeof c->report->text,
			 "câu trả lời không đọc được; the answer cannot be read");
		return err_raise(ERR_PROTO, "the answer cannot be read");
	}
	e = sync_apply(c->sync, &c->identity, &m, asked_ms, c->report);
	if (e == ERR_NOTFOUND && c->report->missing != 0)
		return err_raise(ERR_PROTO, "the office lacks numbers no longer kept here");
	if (e != ERR_OK)
		return e;
	const struct vault_state *after = vault_state(c->sync->vault);

	/* Evictions of records never held here move the cursors only. */
	c->is_idle = moved == c->report->records + c->report->evictions + c->report->notices &&
		     m.cursor_count == 0 && before.acked == after->acked &&
		     id_compare(&before.epoch, &after->epoch) == 0;
	c->has_more = m.has_more || after->acked < after->number;
	/* One round more asks at once about what the new epoch's pull did not bring. */
	if (after->is_pull_complete != 0 &&
	    (before.is_pull_complete == 0 || before.generation != after->generation)) {
		int64_t strays = 0;

		e = stray_count(c->sync->vault, &strays);
		if (e != ERR_OK)
			return e;
		c->has_more = c->has_more || strays != 0;
		c->is_idle = c->is_idle && strays == 0;
	}
	memcpy(c->schema_version, m.schema_version, sizeof c->schema_version);
	c->units_version = m.units_version;
	c->report->refusal[0] = '\0';
	c->is_epoch_open = false;
	return sync_compare_check(c->sync, &c->arena, &c->comparison, &m, c->report);
}

static enum err exchange(struct contact *c, const char *path, struct bytes body, int *ret_status,
			 struct buf *answer)
{
	enum err e =
		c->sync->transport->request(c->sync->transport, path, body, ret_status, answer);

	c->report->bytes_out += body.len;
	c->report->bytes_in += answer->len;
	sync_budget_spend(&c->budget, body.len + answer->len);
	return e;
}

/* Whether what comes next fits into what is left. The first round is always one. */
static enum err has_room(struct contact *c, bool *ret_has)
{
	AUTO(arena_clear) struct arena a = {0};
	const int64_t acked = vault_state(c->sync->vault)->acked;
	const size_t room = sync_budget_room(&c->budget);
	struct vault_sets next = {0};

	*ret_has = c->budget.limit == 0 || c->report->rounds == 0;
	if (*ret_has)
		return ERR_OK;
	enum err e = vault_outbox_load(c->sync->vault, &a, acked, 1, room, &next);

	if (e == ERR_OK)
		*ret_has = room >= REQUEST_BYTES + REPAIR_BYTES +
					   (next.count != 0 ? next.items->wire.len : PULL_BYTES);
	return e;
}

static enum err take_round(struct contact *c, struct bytes answer, int64_t asked_ms)
{
	c->pace = least(c->pace + SYNC_PACE_STEP, SYNC_PACE_MOST);
	return take_answer(c, answer, asked_ms);
}

static enum err one_round(struct contact *c)
{
	AUTO(buf_clear) struct buf request = {0};
	AUTO(buf_clear) struct buf answer = {0};
	int64_t asked_ms = 0;
	int status = 0;
	enum err e = build_request(c, &request, &asked_ms);

	if (e == ERR_OK)
		e = exchange(c, PATH_SYNC, buf_bytes(&request), &status, &answer);
	if (e != ERR_OK)
		return e;
	c->report->rounds++;
	if (status == 200)
		return take_round(c, buf_bytes(&answer), asked_ms);
	c->has_more = true;
	c->is_idle = false;
	return refused(c, status, buf_bytes(&answer));
}

static enum err add_document(struct contact *c, const char *doc, size_t *bytes)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes held = BYTES_NONE;
	enum err e = vault_doc_load(c->sync->vault, &a, doc, &held);

	*bytes += held.len + SYNC_ROUND_BYTES;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* Documents come whole and zstd makes a third of them, so one about as long as that we hold fits
 * where its plain text would. Else it waits for a contact without a budget. */
static enum err has_room_for_documents(struct contact *c, bool *ret_has)
{
	const struct vault_state *state = vault_state(c->sync->vault);
	size_t bytes = 0;
	enum err e = ERR_OK;

	if (memcmp(state->schema_version, c->schema_version, sizeof c->schema_version) != 0)
		e = add_document(c, VAULT_DOC_SCHEMA, &bytes);
	if (e == ERR_OK && (uint64_t)state->units_version != c->units_version)
		e = add_document(c, VAULT_DOC_UNITS, &bytes);
	*ret_has = bytes <= sync_budget_room(&c->budget);
	return e;
}

/* A first pull, or what a contact that broke left behind. */
static bool is_unfinished(const struct sync *s)
{
	const struct vault_state *state = vault_state(s->vault);

	return state->is_pull_complete == 0 || state->acked < state->number;
}

static enum err contact_start(struct contact *c, struct sync *s, struct sync_report *report)
{
	c->sync = s;
	c->report = report;
	c->upload_bytes = SYNC_REQUEST_BYTES;
	c->pace = is_unfinished(s) ? SYNC_PACE_LEAST : SYNC_PACE_FIRST;
	c->budget.limit = s->budget;
	enum err e = vault_identity_load(s->vault, &c->arena, &c->identity);

	if (e == ERR_OK && id_is_zero(&c->identity.daemon))
		e = err_raise(ERR_NOTFOUND, "this device is not enrolled yet");
	return e;
}

static enum err run_rounds(struct contact *c)
{
	bool has_one = true;
	enum err e = seal_all(c->sync, &c->identity);

	if (e == ERR_OK)
		e = sync_compare_begin(c->sync, &c->comparison);
	for (c->has_more = true; e == ERR_OK && (c->has_more || c->comparison.is_unfinished);) {
		e = has_room(c, &has_one);
		if (e == ERR_OK && !has_one)
			break;
		if (e == ERR_OK)
			e = one_round(c);
		if (e == ERR_OK && c->has_more && c->is_idle)
			return err_raise(ERR_PROTO, "the office says there is more and sends none");
		if (e == ERR_OK && c->has_more && c->report->rounds >= SYNC_ROUNDS_MAX)
			return err_raise(ERR_AGAIN, "the office still has more after %u answers",
					 SYNC_ROUNDS_MAX);
	}
	if (e == ERR_OK && has_one)
		e = has_room_for_documents(c, &has_one);
	c->report->is_spent = e == ERR_OK && !has_one;
	if (e != ERR_OK || !has_one)
		return e;
	return sync_documents(c->sync, c->schema_version, c->units_version, c->report);
}

enum err sync_note_missing(struct sync *s, const struct sync_report *report, enum err e)
{
	struct vault_state state = *vault_state(s->vault);

	if (e == ERR_OK || report->missing == 0 || state.standing == VAULT_STANDING_GAP)
		return e;
	state.standing = VAULT_STANDING_GAP;
	enum err noted = change_state(s, &state);

	return noted == ERR_OK ? e : noted;
}

enum err sync_run(struct sync *s, struct sync_report *report)
{
	struct contact c = {0};

	*report = (struct sync_report){0};
	enum err e = contact_start(&c, s, report);

	if (e == ERR_OK)
		e = run_rounds(&c);
	e = sync_note_missing(s, report, e);
	crypt_wipe(c.identity.seed, sizeof c.identity.seed);
	arena_clear(&c.arena);
	return e;
}

/* ---- schema and units ---- */

static enum err fetch(struct sync *s, struct arena *a, const char *path, struct sync_report *report,
		      struct bytes *ret_message)
{
	AUTO(buf_clear) struct buf answer = {0};
	int status = 0;
	enum err e = s->transport->request(s->transport, path, BYTES_NONE, &status, &answer);

	if (e != ERR_OK)
		return e;
	report->bytes_in += answer.len;
	if (status != 200)
		return err_raise(status >= 500 ? ERR_AGAIN : ERR_PROTO, "%s: HTTP status %d", path,
				 status);
	return msg_answer_open(a, arena_copy(a, buf_bytes(&answer)), ret_message);
}

/* A bundle that does not load is not kept: the old schema stays in force. */
enum err sync_keep_schema(struct sync *s, struct bytes bundle)
{
	AUTO(schema_free) struct schema *schema = NULL;
	AUTO(vault_rollback) struct vault *txn = NULL;
	char error[SCHEMA_ERROR_LEN];
	enum err e = schema_load_bundle(bundle, &schema, error);

	if (e == ERR_OK)
		e = vault_begin(s->vault);
	if (e != ERR_OK)
		return e;
	txn = s->vault;
	struct vault_state state = *vault_state(s->vault);

	memcpy(state.schema_version, schema->version, sizeof state.schema_version);
	e = vault_doc_put(s->vault, VAULT_DOC_SCHEMA, bundle);
	if (e == ERR_OK)
		e = vault_state_put(s->vault, &state);
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

static enum err fetch_schema(struct sync *s, struct sync_report *report)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes bundle = BYTES_NONE;
	enum err e = fetch(s, &a, PATH_SCHEMA, report, &bundle);

	return e == ERR_OK ? sync_keep_schema(s, bundle) : e;
}

enum err sync_keep_units(struct sync *s, struct bytes message)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct msg_unit *units = NULL;
	size_t count = 0;
	uint64_t version = 0;
	enum err e = msg_units_decode(&a, message, &units, &count, &version);

	if (e == ERR_OK)
		e = vault_begin(s->vault);
	if (e != ERR_OK)
		return e;
	txn = s->vault;
	struct vault_state state = *vault_state(s->vault);

	state.units_version = (int64_t)version;
	e = vault_doc_put(s->vault, VAULT_DOC_UNITS, message);
	if (e == ERR_OK)
		e = vault_state_put(s->vault, &state);
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

static enum err fetch_units(struct sync *s, struct sync_report *report)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes message = BYTES_NONE;
	enum err e = fetch(s, &a, PATH_UNITS, report, &message);

	return e == ERR_OK ? sync_keep_units(s, message) : e;
}

enum err sync_documents(struct sync *s, const uint8_t schema_version[8], uint64_t units_version,
			struct sync_report *report)
{
	const struct vault_state *state = vault_state(s->vault);
	enum err e = ERR_OK;

	if (memcmp(state->schema_version, schema_version, sizeof state->schema_version) != 0)
		e = fetch_schema(s, report);
	if (e == ERR_OK && (uint64_t)state->units_version != units_version)
		e = fetch_units(s, report);
	return e;
}
