#include "client/vault_internal.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* ---- changes ---- */

static struct bytes id_key(const struct id *id)
{
	return bytes_of(id->bytes, ID_LEN);
}

enum err vault_change_add(struct vault *v, const struct change *change, bool is_refused)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf plain = {0};
	AUTO(buf_clear) struct buf sealed = {0};

	REQUIRE(v->is_in_transaction);
	REQUIRE(IMPLIES(is_refused, change->number != 0));
	enum err e = query_start(v, SQL_CHANGE_ADD, &q);

	if (e != ERR_OK)
		return e;
	change_encode(change, &plain);
	/* Bound to its record, not to its row: seq is not known before the insert. */
	vault_seal(v, "change", id_key(&change->id), buf_bytes(&plain), &sealed);
	query_bind_blob(&q, 1, id_key(&change->id));
	if (change->number != 0)
		query_bind_int(&q, 2, (int64_t)change->number);
	else
		query_bind_null(&q, 2);
	query_bind_int(&q, 3, is_refused);
	query_bind_blob(&q, 4, buf_bytes(&sealed));
	return query_run(&q);
}

static enum err change_set_int(struct vault *v, enum vault_sql sql, int64_t seq, int64_t value,
			       bool has_value)
{
	AUTO(query_end) struct query q = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, sql, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, seq);
	if (has_value)
		query_bind_int(&q, 2, value);
	return query_run(&q);
}

enum err vault_change_remove(struct vault *v, int64_t seq)
{
	return change_set_int(v, SQL_CHANGE_REMOVE, seq, 0, false);
}

enum err vault_change_number(struct vault *v, int64_t seq, int64_t number)
{
	return change_set_int(v, SQL_CHANGE_NUMBER, seq, number, true);
}

enum err vault_change_refuse(struct vault *v, int64_t seq, bool is_refused)
{
	return change_set_int(v, SQL_CHANGE_REFUSE, seq, is_refused, true);
}

static enum err read_change(struct query *q, struct arena *a, struct vault_change *ret_change)
{
	struct vault_change c = {.seq = query_int(q, 0),
				 .number = query_is_null(q, 1) ? 0 : query_int(q, 1),
				 .is_refused = query_int(q, 2) != 0};
	struct bytes plain;
	enum err e =
		vault_unseal(q->vault, a, "change", query_blob(q, 4), query_blob(q, 3), &plain);

	if (e != ERR_OK)
		return e;
	if (change_decode(a, plain, &c.change) != ERR_OK)
		return err_raise(ERR_CORRUPT, "a change of the vault cannot be read");
	c.change.number = (uint64_t)c.number;
	*ret_change = c;
	return ERR_OK;
}

/* Rows to an array that doubles; the arena keeps the few smaller ones until it goes. */
static enum err read_changes(struct query *q, struct arena *a, struct vault_change **ret_changes,
			     size_t *ret_count)
{
	struct vault_change *list = NULL;
	size_t count = 0;
	size_t capacity = 0;
	bool has_row = false;
	enum err e = query_row(q, &has_row);

	for (; e == ERR_OK && has_row; e = query_row(q, &has_row)) {
		if (count == capacity) {
			struct vault_change *old = list;

			capacity = capacity != 0 ? 2 * capacity : 8;
			list = arena_alloc_array(a, capacity, sizeof *list);
			if (count != 0)
				memcpy(list, old, count * sizeof *list);
		}
		e = read_change(q, a, &list[count]);
		if (e != ERR_OK)
			return e;
		count++;
	}
	if (e != ERR_OK)
		return e;
	*ret_changes = list;
	*ret_count = count;
	return ERR_OK;
}

enum err vault_changes_of(struct vault *v, struct arena *a, const struct id *id,
			  struct vault_change **ret_changes, size_t *ret_count)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, SQL_CHANGES_OF, &q);

	if (e != ERR_OK)
		return e;
	query_bind_blob(&q, 1, id_key(id));
	return read_changes(&q, a, ret_changes, ret_count);
}

static enum err changes_by_int(struct vault *v, struct arena *a, enum vault_sql sql, int64_t n,
			       struct vault_change **ret_changes, size_t *ret_count)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, sql, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, n);
	return read_changes(&q, a, ret_changes, ret_count);
}

enum err vault_drafts(struct vault *v, struct arena *a, size_t max,
		      struct vault_change **ret_changes, size_t *ret_count)
{
	return changes_by_int(v, a, SQL_DRAFTS, (int64_t)max, ret_changes, ret_count);
}

enum err vault_changes_upto(struct vault *v, struct arena *a, int64_t number,
			    struct vault_change **ret_changes, size_t *ret_count)
{
	return changes_by_int(v, a, SQL_CHANGES_UPTO, number, ret_changes, ret_count);
}

enum err vault_count(struct vault *v, struct vault_counts *ret_counts)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_COUNTS, &q);

	if (e == ERR_OK)
		e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	*ret_counts = (struct vault_counts){
		.records = query_int(&q, 0),
		.drafts = query_int(&q, 1),
		.waiting = query_int(&q, 2),
		.refused = query_int(&q, 3),
		.outbox = query_int(&q, 4),
		.inbox = query_int(&q, 5),
	};
	return ERR_OK;
}

/* ---- outbox ---- */

enum err vault_outbox_add(struct vault *v, const struct vault_set *set)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf sealed = {0};
	struct vault_row_key key = vault_row_key(set->first);

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, SQL_OUTBOX_ADD, &q);

	if (e != ERR_OK)
		return e;
	vault_seal(v, "outbox", bytes_of(key.bytes, sizeof key.bytes), set->wire, &sealed);
	query_bind_int(&q, 1, set->first);
	query_bind_int(&q, 2, set->count);
	query_bind_blob(&q, 3, bytes_of(set->before.bytes, HASH_LEN));
	query_bind_blob(&q, 4, bytes_of(set->head.bytes, HASH_LEN));
	query_bind_blob(&q, 5, buf_bytes(&sealed));
	return query_run(&q);
}

static enum err read_set(struct query *q, struct arena *a, struct vault_set *ret_set)
{
	struct vault_set s = {.first = query_int(q, 0), .count = query_int(q, 1)};
	struct vault_row_key key = vault_row_key(s.first);
	struct bytes before = query_blob(q, 2);
	struct bytes head = query_blob(q, 3);

	if (before.len != HASH_LEN || head.len != HASH_LEN)
		return err_raise(ERR_CORRUPT, "a chain head of the vault is cut short");
	memcpy(s.before.bytes, before.data, HASH_LEN);
	memcpy(s.head.bytes, head.data, HASH_LEN);
	enum err e = vault_unseal(q->vault, a, "outbox", bytes_of(key.bytes, sizeof key.bytes),
				  query_blob(q, 4), &s.wire);

	if (e == ERR_OK)
		*ret_set = s;
	return e;
}

/* An array that doubles; the arena keeps the few smaller ones until it goes. */
static struct vault_set *next_set(struct arena *a, struct vault_sets *sets, size_t *capacity)
{
	if (sets->count == *capacity) {
		struct vault_set *old = sets->items;

		*capacity = *capacity != 0 ? 2 * *capacity : 8;
		sets->items = arena_alloc_array(a, *capacity, sizeof *old);
		if (sets->count != 0)
			memcpy(sets->items, old, sets->count * sizeof *old);
	}
	return &sets->items[sets->count];
}

enum err vault_outbox_load(struct vault *v, struct arena *a, int64_t number, size_t max_count,
			   size_t max_bytes, struct vault_sets *ret_sets)
{
	AUTO(query_end) struct query q = {0};
	struct vault_sets sets = {0};
	size_t capacity = 0;
	size_t bytes = 0;
	bool has_row = false;
	enum err e = query_start(v, SQL_OUTBOX_LOAD, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, number);
	while (sets.count < max_count) {
		e = query_row(&q, &has_row);
		if (e == ERR_OK && !has_row)
			break;
		struct vault_set *set = next_set(a, &sets, &capacity);

		if (e == ERR_OK)
			e = read_set(&q, a, set);
		if (e != ERR_OK)
			return e;
		bytes += set->wire.len;
		if (sets.count != 0 && bytes > max_bytes)
			break;
		sets.count++;
	}
	*ret_sets = sets;
	return ERR_OK;
}

enum err vault_outbox_drop(struct vault *v, int64_t number)
{
	return change_set_int(v, SQL_OUTBOX_DROP, number, 0, false);
}

static enum err find_head(struct vault *v, enum vault_sql sql, int64_t number,
			  struct hash *ret_head)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, sql, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, number);
	e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	struct bytes head = has_row ? query_blob(&q, 0) : BYTES_NONE;

	if (head.len != HASH_LEN)
		return err_raise(ERR_NOTFOUND, "no chain head is kept for number %lld",
				 (long long)number);
	memcpy(ret_head->bytes, head.data, HASH_LEN);
	return ERR_OK;
}

enum err vault_chain_at(struct vault *v, int64_t number, struct hash *ret_head)
{
	if (number == 0) {
		*ret_head = (struct hash){0};
		return ERR_OK;
	}
	if (number == v->state.number) {
		*ret_head = v->state.chain;
		return ERR_OK;
	}
	if (number == v->state.acked) {
		*ret_head = v->state.acked_chain;
		return ERR_OK;
	}
	enum err e = find_head(v, SQL_OUTBOX_HEAD, number, ret_head);

	/* The set that ended there may be gone while the one behind it is kept. */
	return e == ERR_NOTFOUND ? find_head(v, SQL_OUTBOX_BEFORE, number + 1, ret_head) : e;
}

/* ---- receipts ---- */

enum err vault_receipt_add(struct vault *v, int64_t number, int64_t at_ms, struct bytes wire)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf sealed = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, SQL_RECEIPT_ADD, &q);

	if (e != ERR_OK)
		return e;
	vault_seal(v, "receipt", BYTES_NONE, wire, &sealed);
	query_bind_int(&q, 1, number);
	query_bind_int(&q, 2, at_ms);
	query_bind_blob(&q, 3, buf_bytes(&sealed));
	return query_run(&q);
}

enum err vault_receipt_each(struct vault *v, vault_receipt_fn fn, void *arg)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = true;
	enum err e = query_start(v, SQL_RECEIPT_EACH, &q);

	while (e == ERR_OK) {
		AUTO(arena_clear) struct arena a = {0};
		struct bytes wire;

		e = query_row(&q, &has_row);
		if (e != ERR_OK || !has_row)
			return e;
		e = vault_unseal(v, &a, "receipt", BYTES_NONE, query_blob(&q, 0), &wire);
		if (e == ERR_OK)
			e = fn(arg, wire);
	}
	return e;
}
