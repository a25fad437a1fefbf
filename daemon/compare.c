#include "daemon/compare.h"

#include <stdio.h>

#include "common/base/check.h"
#include "daemon/store.h"
#include "daemon/store_erase.h"
#include "daemon/units.h"
#include "proto/changeset.h"
#include "proto/limits.h"

#define PAGE_RECORDS 256u /* of one type, read at a time */
#define DIGEST_BYTES 45u  /* of one digest on the wire, about */
#define NAMED_UNITS  3u   /* in the text for the sync log */

/* ---- the records of a unit, as a device may see them ---- */

struct walk {
	struct store *store;
	int64_t unit;
	bool is_cleared;
	void (*visit)(void *arg, const struct record *r);
	void *arg;
	size_t count; /* read */
};

static bool is_visible(const struct walk *w, const struct record *r)
{
	return w->is_cleared || !schema_is_restricted(store_schema(w->store), r);
}

static enum err walk_type(struct walk *w, struct bytes type)
{
	struct store_page page = {
		.type = type, .unit = w->unit, .until = INT64_MAX, .limit = PAGE_RECORDS};
	size_t count = PAGE_RECORDS;
	enum err e = ERR_OK;

	while (e == ERR_OK && count >= PAGE_RECORDS) {
		AUTO(arena_clear) struct arena a = {0};
		struct store_state *states = NULL;

		e = store_load_page(w->store, &a, &page, &states, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			if (is_visible(w, &states[i].record))
				w->visit(w->arg, &states[i].record);
			page.after = states[i].log;
		}
		w->count += e == ERR_OK ? count : 0;
	}
	return e;
}

static enum err walk_unit(struct walk *w)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < store_type_count(w->store); i++) {
		bool is_event = false;
		struct bytes type = store_type(w->store, i, &is_event);

		/* A type the schema dropped is not sent, so it is not compared. */
		if (schema_find_type(store_schema(w->store), type) != NULL)
			e = walk_type(w, type);
	}
	return e;
}

/* A unit's digest, and how much each bucket would take on the wire. */
struct measured {
	struct digest digest;
	size_t bytes[DIGEST_BUCKETS];
};

/* About, and rather more than less: stamps stand once for many fields. */
static size_t state_size(const struct record *r)
{
	size_t size = 32 + r->type.len;

	for (size_t i = 0; i < r->count; i++) {
		const struct field *f = &r->fields[i];
		bool is_long = f->value.kind == VALUE_TEXT || f->value.kind == VALUE_BYTES;

		size += f->name.len + 32 + (is_long ? f->value.bytes.len : 0);
	}
	return size;
}

static void measure(void *arg, const struct record *r)
{
	struct measured *m = arg;

	digest_add(&m->digest, r);
	m->bytes[digest_bucket(&r->id)] += state_size(r);
}

static void add_to_digest(void *arg, const struct record *r)
{
	digest_add(arg, r);
}

enum err compare_digest(struct store *reader, int64_t unit, bool is_cleared,
			struct digest *ret_digest)
{
	struct digest d = {0};
	struct walk w = {.store = reader,
			 .unit = unit,
			 .is_cleared = is_cleared,
			 .visit = add_to_digest,
			 .arg = &d};
	enum err e = walk_unit(&w);

	if (e == ERR_OK)
		*ret_digest = d;
	return e;
}

/* ---- one request ---- */

/* A unit whose buckets the request brought: its own are worked out once. */
struct known {
	int64_t unit;
	struct hash root;
};

struct compare {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	const struct msg_sync *request;
	struct outgoing *owed;
	bool is_cleared;
	uint64_t last_log;
	struct known known[LIMIT_DIGEST_UNITS];
	size_t known_count;
	size_t read; /* records, so far */
	size_t bucket_cap;
	struct compared found;
};

static bool take_budget(struct compare *c, size_t bytes)
{
	if (bytes > c->owed->left)
		return false;
	c->owed->left -= bytes;
	return true;
}

static const struct msg_cursor *find_cursor(const struct msg_cursor *list, size_t count,
					    int64_t unit)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].unit == unit)
			return &list[i];
	}
	return NULL;
}

/* What the device will have of the unit with this answer; NULL: nothing. */
static const struct msg_cursor *reached(const struct compare *c, int64_t unit, bool is_new_allowed)
{
	const struct msg_synced *answer = &c->owed->answer;
	const struct msg_cursor *moved = find_cursor(answer->cursors, answer->cursor_count, unit);
	const struct msg_cursor *held;

	if (moved != NULL)
		return is_new_allowed ? moved : NULL;
	if (id_compare(&c->request->epoch, &c->ctx->epoch) != 0)
		return NULL;
	held = find_cursor(c->request->cursors, c->request->cursor_count, unit);
	return held != NULL && held->log <= c->last_log ? held : NULL;
}

/* Both sides stand at the same log number of the unit: only then can they be compared. */
static enum err is_level(const struct compare *c, int64_t unit, bool is_new_allowed, bool *ret_is,
			 uint64_t *ret_log)
{
	const struct msg_cursor *cursor = reached(c, unit, is_new_allowed);
	enum err e = store_load_unit_log(c->store, unit, ret_log);

	/* No cursor: as one at the beginning, where a unit without records stands. */
	*ret_is = e == ERR_OK && (cursor != NULL ? cursor->log : 0) == *ret_log &&
		  (cursor == NULL || cursor->behind == 0);
	return e;
}

/* ---- buckets ---- */

struct collecting {
	struct arena *a;
	struct msg_bucket *of[DIGEST_BUCKETS]; /* NULL: not wanted */
	size_t caps[DIGEST_BUCKETS];
	size_t records;
};

static void collect(void *arg, const struct record *r)
{
	AUTO(buf_clear) struct buf encoded = {0};
	struct collecting *g = arg;
	const uint8_t at = digest_bucket(&r->id);
	struct msg_bucket *b = g->of[at];

	if (b == NULL)
		return;
	if (b->record_count == g->caps[at]) {
		struct bytes *more;

		g->caps[at] = g->caps[at] * 2 + 16;
		more = arena_alloc_array(g->a, g->caps[at], sizeof *more);
		if (b->record_count != 0)
			memcpy(more, b->records, b->record_count * sizeof *more);
		b->records = more;
	}
	record_encode(r, 0, &encoded);
	b->records[b->record_count++] = arena_copy(g->a, buf_bytes(&encoded));
	g->records++;
}

static struct msg_bucket *add_bucket(struct compare *c, int64_t unit, uint64_t log, size_t bucket)
{
	struct msg_synced *answer = &c->owed->answer;
	struct msg_bucket *b = &answer->buckets[answer->bucket_count++];

	*b = (struct msg_bucket){.unit = unit, .log = log, .bucket = bucket};
	return b;
}

/* Those that fit; one in any case, or the device would never get on. */
static bool has_room(struct compare *c, size_t bytes)
{
	if (c->owed->answer.bucket_count == LIMIT_DIGEST_BUCKETS)
		return false;
	if (take_budget(c, bytes))
		return true;
	if (c->owed->answer.bucket_count != 0)
		return false;
	c->owed->left = 0;
	return true;
}

static enum err name_unit(struct compare *c, int64_t unit, struct compare_unit *u)
{
	struct unit_row row;
	enum err e =
		units_load(c->store, c->a, unit, units_day_of(clock_wall_ms(c->ctx->clock)), &row);

	if (e == ERR_OK)
		(void)snprintf(u->code, sizeof u->code, "%.*s", BYTES_FMT(row.code));
	else
		(void)snprintf(u->code, sizeof u->code, "#%lld", (long long)unit);
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err give_buckets(struct compare *c, int64_t unit, uint64_t log,
			     const struct measured *m, const bool differs[DIGEST_BUCKETS])
{
	struct compare_unit *u = &c->found.units[c->found.unit_count++];
	struct collecting g = {.a = c->a};
	struct walk w = {.store = c->store,
			 .unit = unit,
			 .is_cleared = c->is_cleared,
			 .visit = collect,
			 .arg = &g};
	enum err e = name_unit(c, unit, u);

	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		if (!differs[i])
			continue;
		if (u->buckets++ == 0)
			u->first = (uint8_t)i;
		if (m->bytes[i] > COMPARE_BUCKET_BYTES) {
			u->is_oversized = true;
			continue;
		}
		if (!has_room(c, m->bytes[i]))
			continue;
		g.of[i] = add_bucket(c, unit, log, i);
		u->buckets_sent++;
	}
	if (u->is_oversized)
		c->owed->answer.oversized[c->owed->answer.oversized_count++] = unit;
	if (e == ERR_OK && u->buckets_sent != 0)
		e = walk_unit(&w);
	u->records_sent = g.records;
	return e;
}

static enum err compare_buckets(struct compare *c, const struct msg_buckets *theirs)
{
	const struct msg_synced *answer = &c->owed->answer;
	struct measured m = {0};
	struct walk w = {.store = c->store,
			 .unit = theirs->unit,
			 .is_cleared = c->is_cleared,
			 .visit = measure,
			 .arg = &m};
	bool differs[DIGEST_BUCKETS];
	bool is_level_now = false;
	uint64_t log = 0;
	enum err e;

	if (!units_scope_has(answer->units, answer->unit_count, theirs->unit))
		return ERR_OK;
	e = is_level(c, theirs->unit, false, &is_level_now, &log);
	if (e != ERR_OK || !is_level_now)
		return e;
	e = walk_unit(&w);
	if (e != ERR_OK)
		return e;
	c->read += w.count;
	c->known[c->known_count++] =
		(struct known){.unit = theirs->unit, .root = digest_root(&m.digest)};
	if (digest_compare(&m.digest, theirs->wire.data, differs) == 0)
		return ERR_OK;
	return give_buckets(c, theirs->unit, log, &m, differs);
}

static enum err compare_all_buckets(struct compare *c)
{
	const struct msg_sync *q = c->request;
	enum err e = ERR_OK;

	c->found.units = arena_alloc_array(c->a, q->bucket_count, sizeof *c->found.units);
	c->owed->answer.oversized =
		arena_alloc_array(c->a, q->bucket_count, sizeof *c->owed->answer.oversized);
	/* Pointers into it are kept, so it does not grow. */
	c->owed->answer.buckets = arena_alloc_array(c->a, q->bucket_count * DIGEST_BUCKETS,
						    sizeof *c->owed->answer.buckets);
	for (size_t i = 0; e == ERR_OK && i < q->bucket_count && c->read < COMPARE_RECORDS; i++)
		e = compare_buckets(c, &q->buckets[i]);
	return e;
}

/* ---- digests ---- */

static const struct known *find_known(const struct compare *c, int64_t unit)
{
	for (size_t i = 0; i < c->known_count; i++) {
		if (c->known[i].unit == unit)
			return &c->known[i];
	}
	return NULL;
}

static enum err give_digest(struct compare *c, int64_t unit, uint64_t log)
{
	struct msg_digest *given = &c->owed->answer.digests[c->owed->answer.digest_count];
	const struct known *known = find_known(c, unit);
	struct digest d = {0};
	struct walk w = {.store = c->store,
			 .unit = unit,
			 .is_cleared = c->is_cleared,
			 .visit = add_to_digest,
			 .arg = &d};
	enum err e = known != NULL ? ERR_OK : walk_unit(&w);

	if (e != ERR_OK)
		return e;
	c->read += w.count;
	*given = (struct msg_digest){
		.unit = unit, .log = log, .root = known != NULL ? known->root : digest_root(&d)};
	c->owed->answer.digest_count++;
	return ERR_OK;
}

/* Of many units another one comes first each time, so that each has its turn. */
static enum err give_digests(struct compare *c)
{
	struct msg_synced *answer = &c->owed->answer;
	const size_t count = answer->unit_count;
	const size_t first = count != 0 ? (size_t)(answer->now_ms / 1000) % count : 0;
	enum err e = ERR_OK;

	answer->digests = arena_alloc_array(c->a, count, sizeof *answer->digests);
	for (size_t i = 0; e == ERR_OK && i < count && c->read < COMPARE_RECORDS; i++) {
		const int64_t unit = answer->units[(first + i) % count];
		bool is_level_now = false;
		uint64_t log = 0;

		e = is_level(c, unit, true, &is_level_now, &log);
		if (e == ERR_OK && is_level_now && take_budget(c, DIGEST_BYTES))
			e = give_digest(c, unit, log);
	}
	c->found.digests = answer->digest_count;
	return e;
}

/* ---- strays ---- */

static void append_record(struct compare *c, const struct record *r)
{
	AUTO(buf_clear) struct buf encoded = {0};
	struct msg_synced *answer = &c->owed->answer;

	record_encode(r, 0, &encoded);
	/* One that does not fit is in its own unit's bucket; it is asked about again. */
	if (!take_budget(c, encoded.len + 5))
		return;
	answer->records[answer->record_count++] = arena_copy(c->a, buf_bytes(&encoded));
	c->owed->stats.records++;
}

static void append_eviction(struct compare *c, const struct msg_stray *stray, bool is_erased)
{
	struct msg_synced *answer = &c->owed->answer;

	answer->evictions[answer->eviction_count++] =
		(struct msg_evict){.type = stray->type, .id = stray->id, .is_erased = is_erased};
	c->owed->stats.evictions++;
}

static enum err answer_stray(struct compare *c, const struct msg_stray *stray)
{
	struct msg_synced *answer = &c->owed->answer;
	struct store_state state = {.record = {.type = stray->type, .id = stray->id}};
	bool is_erased = false;
	bool is_event;
	enum err e = store_is_erased(c->store, &stray->id, &is_erased);

	if (e != ERR_OK)
		return e;
	/* Not missing: the law wants no copy anywhere. */
	if (is_erased) {
		append_eviction(c, stray, true);
		return ERR_OK;
	}
	if (store_has_type(c->store, stray->type, &is_event))
		e = store_load_states(c->store, c->a, &state, 1);
	if (e != ERR_OK)
		return e;
	if (state.record.count == 0)
		answer->missing[answer->missing_count++] = *stray;
	else if (units_scope_has(answer->units, answer->unit_count, record_unit(&state.record)) &&
		 (c->is_cleared || !schema_is_restricted(store_schema(c->store), &state.record)))
		append_record(c, &state.record);
	else
		append_eviction(c, stray, false);
	return ERR_OK;
}

static void *grow_by(struct arena *a, const void *list, size_t count, size_t more, size_t size)
{
	void *grown = arena_alloc_array(a, count + more, size);

	if (count != 0)
		memcpy(grown, list, count * size);
	return grown;
}

static enum err answer_strays(struct compare *c)
{
	struct msg_synced *answer = &c->owed->answer;
	const size_t count = c->request->stray_count;
	enum err e = ERR_OK;

	/* More than an answer may hold: another time. */
	if (count == 0 || answer->record_count + count > LIMIT_RECORDS ||
	    answer->eviction_count + count > LIMIT_EVICTIONS)
		return ERR_OK;
	answer->records = grow_by(c->a, answer->records, answer->record_count, count,
				  sizeof *answer->records);
	answer->evictions = grow_by(c->a, answer->evictions, answer->eviction_count, count,
				    sizeof *answer->evictions);
	answer->missing = arena_alloc_array(c->a, count, sizeof *answer->missing);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = answer_stray(c, &c->request->strays[i]);
	/* Asked about without a comparison they are of an epoch that ended: that is no bug. */
	if (c->request->wants_digests) {
		c->found.missing = answer->missing;
		c->found.missing_count = answer->missing_count;
	}
	return e;
}

/* ---- what is told about it ---- */

static void tell_unit(const struct compare_unit *u, struct buf *out)
{
	if (u->buckets == 1)
		buf_printf(out, "%sunit %s, bucket %u, records sent %zu",
			   out->len != 0 ? "; " : "digest: ", u->code, (unsigned)u->first,
			   u->records_sent);
	else
		buf_printf(out, "%sunit %s, buckets %zu from %u, records sent %zu",
			   out->len != 0 ? "; " : "digest: ", u->code, u->buckets,
			   (unsigned)u->first, u->records_sent);
	if (u->is_oversized)
		buf_append_str(out, ", too large: pulled anew");
}

/* Which records of restricted types there are is not for logs. */
static void tell_missing(const struct compare *c, struct buf *out)
{
	const struct msg_stray *first = &c->found.missing[0];
	const struct schema_type *t = schema_find_type(store_schema(c->store), first->type);
	bool is_open = t != NULL && t->sensitivity != SENSITIVITY_RESTRICTED;
	char id[ID_HEX_LEN];

	id_print(&first->id, id);
	buf_printf(out, "%smissing %.*s %s", out->len != 0 ? "; " : "digest: ",
		   BYTES_FMT(is_open ? first->type : BYTES_LIT("*")), id);
	if (c->found.missing_count > 1)
		buf_printf(out, " and %zu more", c->found.missing_count - 1);
}

static void tell(struct compare *c)
{
	AUTO(buf_clear) struct buf out = {0};

	for (size_t i = 0; i < c->found.unit_count && i < NAMED_UNITS; i++)
		tell_unit(&c->found.units[i], &out);
	if (c->found.unit_count > NAMED_UNITS)
		buf_printf(&out, "; %zu more units", c->found.unit_count - NAMED_UNITS);
	if (c->found.missing_count != 0)
		tell_missing(c, &out);
	(void)snprintf(c->found.text, sizeof c->found.text, "%s", buf_cstr(&out));
}

static enum err start(struct compare *c, uint32_t device)
{
	struct store_device row;
	enum err e = store_load_device(c->store, c->a, device, &row);

	if (e == ERR_OK)
		e = store_last_log(c->store, &c->last_log);
	if (e == ERR_OK)
		c->is_cleared = row.id.is_cleared;
	return e;
}

enum err compare_run(const struct context *ctx, struct store *reader, struct arena *a,
		     const struct outgoing_request *request, struct outgoing *owed,
		     struct compared *ret_compared)
{
	const struct msg_sync *q = request->sync;
	struct compare c = {.ctx = ctx, .store = reader, .a = a, .request = q, .owed = owed};
	bool is_comparable =
		!owed->answer.has_more && memcmp(q->schema_version, store_schema(reader)->version,
						 sizeof q->schema_version) == 0;
	enum err e;

	*ret_compared = (struct compared){0};
	if (!q->wants_digests && q->bucket_count == 0 && q->stray_count == 0)
		return ERR_OK;
	e = start(&c, request->device);
	if (e == ERR_OK)
		e = answer_strays(&c);
	if (e == ERR_OK && is_comparable && q->bucket_count != 0)
		e = compare_all_buckets(&c);
	if (e == ERR_OK && is_comparable && q->wants_digests)
		e = give_digests(&c);
	if (e != ERR_OK)
		return e;
	tell(&c);
	*ret_compared = c.found;
	return ERR_OK;
}
