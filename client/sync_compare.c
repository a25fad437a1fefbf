#define LOG_TAG "sync"

#include "client/sync_compare.h"

#include "client/stray.h"
#include "common/base/check.h"
#include "proto/shape.h"

#define DAY_MS             INT64_C(86400000)
/* Below it the answer has no room to spare for what can as well be done another day. */
#define COMPARE_FROM_BYTES ((uint64_t)64 << 10)

/* ---- when ---- */

/* What is remembered of the last comparison. */
struct compare_doc {
	int64_t at_ms;
};
static const struct shape_field compare_fields[] = {
	SHAPE_AT(struct compare_doc, 1, SHAPE_INT, SHAPE_OPTIONAL, 0, at_ms),
};
static const struct shape compare_shape = SHAPE_OF(struct compare_doc, compare_fields);

static enum err load_last(struct vault *v, struct arena *a, struct compare_doc *ret_doc)
{
	struct bytes body;
	enum err e = vault_doc_load(v, a, VAULT_DOC_COMPARED, &body);

	*ret_doc = (struct compare_doc){0};
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK && shape_decode(&compare_shape, &guard_wire, a, body, ret_doc) != ERR_OK)
		e = err_raise(ERR_CORRUPT, "the vault's note of the last comparison");
	return e;
}

static enum err note_compared(struct sync *s)
{
	AUTO(buf_clear) struct buf body = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	const struct compare_doc doc = {clock_wall_ms(s->clock)};
	struct packer p;
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	packer_init(&p, &body, PACK_UNBOUNDED);
	shape_encode(&compare_shape, &doc, &p);
	packer_done(&p);
	e = vault_doc_put(s->vault, VAULT_DOC_COMPARED, buf_bytes(&body));
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

/* A day has gone by, or the clock was set back. */
static bool is_due(const struct compare_doc *last, int64_t now_ms)
{
	return now_ms < last->at_ms || now_ms - last->at_ms >= DAY_MS;
}

enum err sync_compare_begin(struct sync *s, struct sync_comparison *c)
{
	AUTO(arena_clear) struct arena a = {0};
	const bool is_small = s->max_bytes != 0 && s->max_bytes < COMPARE_FROM_BYTES;
	struct compare_doc last;
	enum err e = load_last(s->vault, &a, &last);

	/* Without a schema it is not known what is to be compared: it comes with this contact. */
	if (e != ERR_OK || s->schema == NULL)
		return e;
	switch (s->compare) {
	case SYNC_COMPARE_NEVER: break;
	case SYNC_COMPARE_ALWAYS: c->is_wanted = true; break;
	case SYNC_COMPARE_DAILY:
		c->is_wanted = !is_small && vault_state(s->vault)->is_pull_complete != 0 &&
			       is_due(&last, clock_wall_ms(s->clock));
		break;
	}
	return ERR_OK;
}

/* ---- what is held here ---- */

bool sync_compare_counts(const struct vault *v, const struct schema *schema,
			 const struct vault_record *r)
{
	return r->office.count != 0 && !r->is_evicted &&
	       r->generation == vault_state(v)->generation && schema != NULL &&
	       schema_find_type(schema, r->office.type) != NULL;
}

bool sync_compare_is_stray(const struct vault_record *r)
{
	return r->generation == VAULT_GENERATION_STRAY || r->generation == VAULT_GENERATION_MISSING;
}

/* Units and their digests, side by side; and the strays that are met on the way. */
struct holding {
	struct vault *vault;
	const struct schema *schema;
	struct arena *a;
	const int64_t *units;
	struct digest **digests; /* NULL: no record so far */
	size_t count;
	struct msg_stray *strays;
	size_t stray_count;
	size_t stray_cap;
};

static void note_stray(struct holding *h, const struct vault_record *r)
{
	if (h->stray_count == h->stray_cap) {
		struct msg_stray *more;

		h->stray_cap = h->stray_cap * 2 + 16;
		more = arena_alloc_array(h->a, h->stray_cap, sizeof *more);
		if (h->stray_count != 0)
			memcpy(more, h->strays, h->stray_count * sizeof *more);
		h->strays = more;
	}
	h->strays[h->stray_count++] =
		(struct msg_stray){.type = arena_copy(h->a, r->office.type), .id = r->office.id};
}

static enum err hold(void *arg, const struct vault_record *r)
{
	struct holding *h = arg;
	const int64_t unit = record_unit(&r->office);

	if (r->office.count != 0 && !r->is_evicted && sync_compare_is_stray(r))
		note_stray(h, r);
	if (!sync_compare_counts(h->vault, h->schema, r))
		return ERR_OK;
	for (size_t i = 0; i < h->count; i++) {
		if (h->units[i] != unit)
			continue;
		if (h->digests[i] == NULL)
			h->digests[i] = arena_alloc(h->a, sizeof **h->digests);
		digest_add(h->digests[i], &r->office);
	}
	return ERR_OK;
}

static enum err read_holding(struct sync *s, struct arena *a, const int64_t *units, size_t count,
			     struct holding *ret_holding)
{
	*ret_holding = (struct holding){.vault = s->vault,
					.schema = s->schema,
					.a = a,
					.units = units,
					.count = count,
					.digests = arena_alloc_array(a, count, sizeof(void *))};
	return vault_record_each(s->vault, hold, ret_holding);
}

/* A unit of which there is no record is the digest of none. */
static const struct digest *digest_at(const struct holding *h, size_t index)
{
	static const struct digest none;

	return h->digests[index] != NULL ? h->digests[index] : &none;
}

enum err sync_compare_digest(struct vault *v, const struct schema *schema, int64_t unit,
			     struct digest *ret_digest)
{
	AUTO(arena_clear) struct arena a = {0};
	struct sync s = {.vault = v, .schema = schema};
	struct holding h;
	enum err e = read_holding(&s, &a, &unit, 1, &h);

	if (e == ERR_OK)
		*ret_digest = *digest_at(&h, 0);
	return e;
}

/* ---- asking ---- */

static enum err ask_buckets(struct sync *s, struct arena *a, struct sync_comparison *c,
			    struct msg_sync *m)
{
	const size_t count =
		c->differing_count < LIMIT_DIGEST_UNITS ? c->differing_count : LIMIT_DIGEST_UNITS;
	struct holding h;
	enum err e = read_holding(s, a, c->differing, count, &h);

	if (e != ERR_OK)
		return e;
	m->buckets = arena_alloc_array(a, count, sizeof *m->buckets);
	for (size_t i = 0; i < count; i++) {
		uint8_t *wire = arena_alloc(a, DIGEST_WIRE_LEN);

		digest_print(digest_at(&h, i), wire);
		m->buckets[i] = (struct msg_buckets){.unit = c->differing[i],
						     .wire = bytes_of(wire, DIGEST_WIRE_LEN)};
	}
	m->bucket_count = count;
	return ERR_OK;
}

enum err sync_compare_ask(struct sync *s, struct arena *a, struct sync_comparison *c,
			  struct msg_sync *m)
{
	if (!c->is_wanted)
		return ERR_OK;
	m->wants_digests = true;
	/* In place of those of an earlier epoch (stray.h), which every request asks about. */
	if (c->stray_count != 0) {
		m->strays = c->strays;
		m->stray_count = c->stray_count;
	}
	c->has_asked_buckets = c->differing_count != 0;
	return c->differing_count != 0 ? ask_buckets(s, a, c, m) : ERR_OK;
}

/* ---- the answer ---- */

static bool is_same_root(const struct digest *d, const struct hash *root)
{
	const struct hash own = digest_root(d);

	return memcmp(own.bytes, root->bytes, HASH_LEN) == 0;
}

static bool was_asked(const struct sync_comparison *c, const struct id *id)
{
	for (size_t i = 0; i < c->asked_count; i++)
		if (id_compare(&c->asked[i], id) == 0)
			return true;
	return false;
}

/* Once in a contact is enough: what they are then, they are. */
static void remember_asked(struct arena *a, struct sync_comparison *c)
{
	const size_t count = c->asked_count + c->stray_count;
	struct id *asked = arena_alloc_array(a, count, sizeof *asked);

	if (c->asked_count != 0)
		memcpy(asked, c->asked, c->asked_count * sizeof *asked);
	for (size_t i = 0; i < c->stray_count; i++)
		asked[c->asked_count + i] = c->strays[i].id;
	c->asked = asked;
	c->asked_count = count;
	c->stray_count = 0;
}

/* Own roots against theirs. */
static enum err find_differing(struct sync *s, struct arena *a, struct sync_comparison *c,
			       const struct msg_synced *answer)
{
	AUTO(arena_clear) struct arena scratch = {0};
	int64_t *units = arena_alloc_array(&scratch, answer->digest_count, sizeof *units);
	struct holding h;

	for (size_t i = 0; i < answer->digest_count; i++)
		units[i] = answer->digests[i].unit;
	enum err e = read_holding(s, &scratch, units, answer->digest_count, &h);

	if (e != ERR_OK)
		return e;
	c->differing = arena_alloc_array(a, answer->digest_count, sizeof *c->differing);
	c->differing_count = 0;
	for (size_t i = 0; i < answer->digest_count; i++)
		if (!is_same_root(digest_at(&h, i), &answer->digests[i].root))
			c->differing[c->differing_count++] = units[i];
	c->strays = arena_alloc_array(a, h.stray_count, sizeof *c->strays);
	for (size_t i = 0; i < h.stray_count && c->stray_count < LIMIT_STRAYS; i++)
		if (!was_asked(c, &h.strays[i].id))
			c->strays[c->stray_count++] = (struct msg_stray){
				.type = arena_copy(a, h.strays[i].type), .id = h.strays[i].id};
	return ERR_OK;
}

/*
 * A bucket that fits into no answer is repaired by pulling everything anew: whole records take the
 * place of what is here, what the office does not send becomes a stray, and our own changes that it
 * has not taken stay on top. As after a restore of the office (docs/client-store.md), but that the
 * epoch goes on.
 */
static enum err pull_anew(struct sync *s, struct sync_comparison *c)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_state state = *vault_state(s->vault);
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	state.generation++;
	state.is_pull_complete = 0;
	e = vault_cursors_put(s->vault, NULL, 0);
	if (e == ERR_OK)
		e = vault_state_put(s->vault, &state);
	if (e == ERR_OK)
		e = stray_begin_repair(s->vault);
	if (e == ERR_OK)
		e = vault_commit(s->vault);
	c->has_pulled_anew = true;
	c->differing_count = 0;
	c->is_unfinished = true;
	return e;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

enum err sync_compare_check(struct sync *s, struct arena *a, struct sync_comparison *c,
			    const struct msg_synced *answer, struct sync_report *report)
{
	const uint8_t *version = vault_state(s->vault)->schema_version;

	const size_t mended = report->repaired + report->strays;
	/* Asked for buckets, and none came or they changed nothing: asking again would not end. */
	const bool is_stuck = c->has_asked_buckets && mended == c->mended;

	c->is_unfinished = false;
	c->mended = mended;
	/* More is to come, or another schema first: then nothing can be said yet. */
	if (!c->is_wanted || answer->has_more ||
	    memcmp(version, answer->schema_version, sizeof answer->schema_version) != 0)
		return ERR_OK;
	remember_asked(a, c);
	/* It had no time or no room for it: no difference, and no comparison either. */
	if (answer->digest_count == 0) {
		c->is_unfinished = answer->bucket_count != 0 && !is_stuck;
		return ERR_OK;
	}
	enum err e = find_differing(s, a, c, answer);

	if (e != ERR_OK)
		return e;
	report->compared = larger(report->compared, answer->digest_count);
	report->differing = larger(report->differing, c->differing_count);
	report->still_differing = c->differing_count;
	if (c->differing_count != 0 && answer->oversized_count != 0 && !c->has_pulled_anew)
		return pull_anew(s, c);
	c->is_unfinished = (c->differing_count != 0 && !is_stuck) || c->stray_count != 0;
	return c->is_unfinished ? ERR_OK : note_compared(s);
}
