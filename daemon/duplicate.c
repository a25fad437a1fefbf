#include "daemon/duplicate.h"

#include <string.h>

#include "daemon/joined.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"

struct work {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	const struct duplicate_ask *ask;
	struct duplicate_done done;
};

static enum err end(struct work *w, enum duplicate_outcome outcome, const struct id *which)
{
	w->done.outcome = outcome;
	w->done.which = *which;
	return ERR_OK;
}

static enum err load(struct work *w, const struct id *id, struct record *ret_record)
{
	struct store_state state = {.record = {.type = w->ask->type, .id = *id}};
	enum err e = store_load_states(w->store, w->a, &state, 1);

	if (e == ERR_OK)
		*ret_record = state.record;
	return e;
}

/* One field as a change of the office. */
static enum err write_joined(struct work *w, const struct id *id, struct value to)
{
	struct write write = {.name = BYTES_LIT(RECORD_MERGED_INTO), .value = to};
	struct change c = {.type = w->ask->type,
			   .id = *id,
			   .author = w->ask->who,
			   .writes = &write,
			   .count = 1};
	enum err e = office_write(w->ctx, w->store, w->a, &c, 1, &w->done.written);

	if (e == ERR_OK && !w->done.written.is_merged)
		w->done.outcome = DUPLICATE_REFUSED;
	return e;
}

/* ---- two that are not the same ---- */

static const char query_distinct[] =
	"SELECT who, at FROM distinct_pair WHERE one = min(?1, ?2) AND other = max(?1, ?2)";
static const char query_put_distinct[] =
	"INSERT INTO distinct_pair(one, other, who, at) VALUES(min(?1, ?2), max(?1, ?2), ?3, ?4)";
static const char query_drop_distinct[] =
	"DELETE FROM distinct_pair WHERE one = min(?1, ?2) AND other = max(?1, ?2)";

static void bind_pair(struct sql *q, const struct id *one, const struct id *other)
{
	sql_bind_blob(q, 1, bytes_of(one->bytes, ID_LEN));
	sql_bind_blob(q, 2, bytes_of(other->bytes, ID_LEN));
}

/* Whoever joins two has changed their mind, or somebody's. */
static enum err drop_distinct(struct work *w, const struct id *one, const struct id *other)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(w->store, query_drop_distinct, &q);

	if (e != ERR_OK)
		return e;
	bind_pair(q, one, other);
	return sql_run(q);
}

static enum err find_distinct(struct work *w, bool *ret_is)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(w->store, query_distinct, &q);

	*ret_is = false;
	if (e != ERR_OK)
		return e;
	bind_pair(q, &w->ask->one, &w->ask->other);
	e = sql_step(q, ret_is);
	if (e == ERR_OK && *ret_is) {
		w->done.who = sql_text_copy(q, 0, w->a);
		w->done.at_ms = sql_int(q, 1);
	}
	return e;
}

static enum err put_distinct(struct work *w)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(w->store, query_put_distinct, &q);

	if (e != ERR_OK)
		return e;
	w->done.who = w->ask->who;
	w->done.at_ms = clock_wall_ms(w->ctx->clock);
	bind_pair(q, &w->ask->one, &w->ask->other);
	sql_bind_text(q, 3, w->done.who);
	sql_bind_int(q, 4, w->done.at_ms);
	return sql_run(q);
}

static enum err run_distinct(struct work *w)
{
	const struct duplicate_ask *ask = w->ask;
	struct joined one;
	struct joined other;
	bool is_known = false;
	enum err e;

	if (id_compare(&ask->one, &ask->other) == 0)
		return end(w, DUPLICATE_SAME, &ask->one);
	e = joined_find(w->store, w->a, ask->type, &ask->one, &one);
	if (e == ERR_OK)
		e = joined_find(w->store, w->a, ask->type, &ask->other, &other);
	if (e == ERR_OK)
		e = find_distinct(w, &is_known);
	if (e != ERR_OK)
		return e;
	if (is_known)
		return end(w, DUPLICATE_BEFORE, &ask->other);
	if (id_compare(&one.id, &other.id) == 0) {
		bool is_first = id_compare(&one.id, &ask->one) == 0;

		w->done.into = one.id;
		return end(w, DUPLICATE_JOINED, is_first ? &ask->other : &ask->one);
	}
	return put_distinct(w);
}

static const char query_count_distinct[] = "SELECT count(*) FROM distinct_pair";
static const char query_list_distinct[] =
	"SELECT one, other, who, at FROM distinct_pair ORDER BY at DESC, one LIMIT ?";

static enum err count_distinct(struct store *s, size_t limit, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_count_distinct, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_count = (uint64_t)sql_int(q, 0) < limit ? (size_t)sql_int(q, 0) : limit;
	return e;
}

static enum err read_distinct(struct sql *q, struct arena *a, struct duplicate_apart *ret_pair)
{
	if (sql_blob(q, 0).len != ID_LEN || sql_blob(q, 1).len != ID_LEN)
		return err_raise(ERR_CORRUPT, "two told apart");
	memcpy(ret_pair->pair.one.bytes, sql_blob(q, 0).data, ID_LEN);
	memcpy(ret_pair->pair.other.bytes, sql_blob(q, 1).data, ID_LEN);
	ret_pair->who = sql_text_copy(q, 2, a);
	ret_pair->at_ms = sql_int(q, 3);
	return ERR_OK;
}

enum err duplicate_list_apart(struct store *s, struct arena *a, size_t limit,
			      struct duplicate_apart **ret_pairs, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct duplicate_apart *pairs;
	bool is_row = false;
	size_t most = 0;
	size_t count = 0;
	enum err e = count_distinct(s, limit, &most);

	if (e == ERR_OK)
		e = sql_use(s, query_list_distinct, &q);
	if (e != ERR_OK)
		return e;
	pairs = arena_alloc_array(a, most + 1, sizeof *pairs);
	sql_bind_int(q, 1, (int64_t)most);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		e = read_distinct(q, a, &pairs[count++]);
		if (e != ERR_OK)
			return e;
	}
	if (e != ERR_OK)
		return e;
	*ret_pairs = pairs;
	*ret_count = count;
	return ERR_OK;
}

static enum err run_reopen(struct work *w)
{
	const struct duplicate_ask *ask = w->ask;
	bool is_known = false;
	enum err e = find_distinct(w, &is_known);

	if (e == ERR_OK && !is_known)
		return end(w, DUPLICATE_NOT_APART, &ask->other);
	return e == ERR_OK ? drop_distinct(w, &ask->one, &ask->other) : e;
}

/* ---- join and split ---- */

static bool leads_to(const struct record *r, struct id *ret_into)
{
	struct value to = record_value(r, RECORD_MERGED_INTO);

	if (to.kind != VALUE_BYTES || to.bytes.len != ID_LEN)
		return false;
	memcpy(ret_into->bytes, to.bytes.data, ID_LEN);
	return true;
}

/* The record that is to stand: `into`, unless the outcome says why not. */
static enum err find_target(struct work *w)
{
	const struct duplicate_ask *ask = w->ask;
	struct record target;
	struct joined joined;
	bool may = false;
	enum err e = joined_find(w->store, w->a, ask->type, &ask->one, &joined);

	if (e != ERR_OK)
		return e;
	w->done.into = joined.id;
	e = joined_may_lead(w->store, w->a, ask->type, &ask->other, &joined.id, &may);
	if (e != ERR_OK)
		return e;
	if (joined.is_circle || !may)
		return end(w, DUPLICATE_CIRCLE, &ask->one);
	e = load(w, &joined.id, &target);
	if (e == ERR_OK && record_is_deleted(&target))
		return end(w, DUPLICATE_DELETED, &joined.id);
	return e;
}

static enum err run_join(struct work *w)
{
	const struct duplicate_ask *ask = w->ask;
	struct record other;
	bool is_event = false;
	enum err e;

	if (id_compare(&ask->one, &ask->other) == 0)
		return end(w, DUPLICATE_SAME, &ask->one);
	(void)store_has_type(w->store, ask->type, &is_event);
	if (is_event)
		return end(w, DUPLICATE_EVENT, &ask->other);
	e = load(w, &ask->other, &other);
	if (e != ERR_OK)
		return e;
	if (leads_to(&other, &w->done.into))
		return end(w, DUPLICATE_JOINED, &ask->other);
	if (record_is_deleted(&other))
		return end(w, DUPLICATE_DELETED, &ask->other);
	e = find_target(w);
	if (e == ERR_OK && w->done.outcome == DUPLICATE_DONE)
		e = write_joined(w, &ask->other, value_bytes(bytes_of(w->done.into.bytes, ID_LEN)));
	if (e == ERR_OK && w->done.outcome == DUPLICATE_DONE)
		e = drop_distinct(w, &ask->other, &w->done.into);
	return e;
}

static enum err run_split(struct work *w)
{
	const struct id *id = &w->ask->one;
	struct record r;
	enum err e = load(w, id, &r);

	if (e != ERR_OK)
		return e;
	if (!leads_to(&r, &w->done.into))
		return end(w, DUPLICATE_NOT_JOINED, id);
	if (record_is_deleted(&r))
		return end(w, DUPLICATE_DELETED, id);
	return write_joined(w, id, VALUE_NONE);
}

static enum err run(struct work *w, enum err (*fn)(struct work *w), struct duplicate_done *ret_done)
{
	enum err e = fn(w);

	if (e == ERR_OK)
		*ret_done = w->done;
	return e;
}

enum err duplicate_join(const struct context *ctx, struct store *s, struct arena *a,
			const struct duplicate_ask *ask, struct duplicate_done *ret_done)
{
	struct work w = {.ctx = ctx, .store = s, .a = a, .ask = ask};

	return run(&w, run_join, ret_done);
}

enum err duplicate_split(const struct context *ctx, struct store *s, struct arena *a,
			 const struct duplicate_ask *ask, struct duplicate_done *ret_done)
{
	struct work w = {.ctx = ctx, .store = s, .a = a, .ask = ask};

	return run(&w, run_split, ret_done);
}

enum err duplicate_distinct(const struct context *ctx, struct store *s, struct arena *a,
			    const struct duplicate_ask *ask, struct duplicate_done *ret_done)
{
	struct work w = {.ctx = ctx, .store = s, .a = a, .ask = ask};

	return run(&w, run_distinct, ret_done);
}

enum err duplicate_reopen(const struct context *ctx, struct store *s, struct arena *a,
			  const struct duplicate_ask *ask, struct duplicate_done *ret_done)
{
	struct work w = {.ctx = ctx, .store = s, .a = a, .ask = ask};

	return run(&w, run_reopen, ret_done);
}
