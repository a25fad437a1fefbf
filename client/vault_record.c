#include "client/vault_internal.h"
#include "common/base/check.h"
#include "proto/changeset.h"

const char *vault_sync_name(enum vault_sync s)
{
	switch (s) {
	case VAULT_DRAFT: return "draft";
	case VAULT_WAITING: return "waiting";
	case VAULT_SENT: return "sent";
	case VAULT_BACKED_UP: return "backed-up";
	case VAULT_REFUSED: return "refused";
	}
	UNREACHABLE();
}

static struct bytes id_key(const struct id *id)
{
	return bytes_of(id->bytes, ID_LEN);
}

/* Nothing marks a record as sent: it is computed from what the receipt covers (C5). */
static enum vault_sync sync_of(struct vault *v, int64_t number, int64_t pending)
{
	switch (pending) {
	case 3: return VAULT_REFUSED;
	case 2: return VAULT_DRAFT;
	case 1: return VAULT_WAITING;
	default: break;
	}
	if (number > v->state.acked)
		return VAULT_WAITING;
	return number != 0 && number <= v->state.backed_up ? VAULT_BACKED_UP : VAULT_SENT;
}

static enum err open_state(struct vault *v, struct arena *a, const char *what, const struct id *id,
			   struct bytes sealed, struct record *ret_record)
{
	struct bytes plain;
	enum err e = vault_unseal(v, a, what, id_key(id), sealed, &plain);

	if (e != ERR_OK)
		return e;
	if (record_decode(a, plain, ret_record) != ERR_OK || id_compare(&ret_record->id, id) != 0)
		return err_raise(ERR_CORRUPT, "a record of the vault cannot be read");
	return ERR_OK;
}

static enum err read_id(struct query *q, int at, struct id *ret_id)
{
	struct bytes raw = query_blob(q, at);

	if (raw.len != ID_LEN)
		return err_raise(ERR_CORRUPT, "a record's id has %zu bytes", raw.len);
	memcpy(ret_id->bytes, raw.data, ID_LEN);
	return ERR_OK;
}

enum err vault_record_open(struct query *q, struct arena *a, int id_at, int body_at,
			   struct record *ret_record)
{
	struct id id;
	enum err e = read_id(q, id_at, &id);

	if (e != ERR_OK)
		return e;
	return open_state(q->vault, a, "record", &id, query_blob(q, body_at), ret_record);
}

static enum err read_record(struct query *q, struct arena *a, struct vault_record *ret_record)
{
	struct vault *v = q->vault;
	struct vault_record r = {.number = query_int(q, 1),
				 .generation = query_int(q, 2),
				 .is_evicted = query_int(q, 3) != 0,
				 .is_same = query_is_null(q, 4)};
	struct id id;
	enum err e = read_id(q, 0, &id);

	if (e == ERR_OK)
		e = open_state(v, a, "record", &id, query_blob(q, 5), &r.body);
	if (e != ERR_OK)
		return e;
	r.sync = sync_of(v, r.number, query_int(q, 6));
	if (r.is_same)
		r.office = r.body;
	else if (query_blob(q, 4).len != 0)
		e = open_state(v, a, "office", &id, query_blob(q, 4), &r.office);
	if (e == ERR_OK)
		*ret_record = r;
	return e;
}

enum err vault_record_load(struct vault *v, struct arena *a, const struct id *id,
			   struct vault_record *ret_record)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_RECORD_LOAD, &q);

	if (e != ERR_OK)
		return e;
	query_bind_blob(&q, 1, id_key(id));
	e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	if (!has_row)
		return err_raise(ERR_NOTFOUND, "no such record here");
	return read_record(&q, a, ret_record);
}

/* A row was written or removed: RETURNING tells which. */
static enum err run_touching(struct query *q)
{
	bool has_row = false;
	enum err e = query_row(q, &has_row);

	if (e != ERR_OK || !has_row)
		return e;
	vault_find_touch(q->vault, query_int(q, 0));
	return query_run(q);
}

static void seal_state(struct vault *v, const char *what, const struct record *r, struct buf *out)
{
	AUTO(buf_clear) struct buf plain = {0};

	record_encode(r, 0, &plain);
	vault_seal(v, what, id_key(&r->id), buf_bytes(&plain), out);
}

enum err vault_record_put(struct vault *v, const struct vault_record *record)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf body = {0};
	AUTO(buf_clear) struct buf office = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, SQL_RECORD_PUT, &q);

	if (e != ERR_OK)
		return e;
	seal_state(v, "record", &record->body, &body);
	query_bind_blob(&q, 1, id_key(&record->body.id));
	query_bind_int(&q, 2, record->number);
	query_bind_int(&q, 3, record->generation);
	query_bind_int(&q, 4, record->is_evicted);
	if (record->is_same) {
		query_bind_null(&q, 5);
	} else {
		if (record->office.count != 0)
			seal_state(v, "office", &record->office, &office);
		query_bind_blob(&q, 5, buf_bytes(&office));
	}
	query_bind_blob(&q, 6, buf_bytes(&body));
	return run_touching(&q);
}

enum err vault_record_remove(struct vault *v, const struct id *id)
{
	AUTO(query_end) struct query q = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, SQL_RECORD_REMOVE, &q);

	if (e != ERR_OK)
		return e;
	query_bind_blob(&q, 1, id_key(id));
	return run_touching(&q);
}

enum err vault_record_match(struct vault *v, struct bytes hex_prefix, struct id ret_ids[2],
			    size_t *ret_count)
{
	AUTO(query_end) struct query q = {0};
	char digits[2][2 * ID_LEN + 1];
	struct id bounds[2];
	bool has_row = false;

	if (hex_prefix.len > (size_t)2 * ID_LEN)
		return err_raise(ERR_INVAL, "an id has 32 hex digits");
	for (int i = 0; i < 2; i++) {
		memset(digits[i], i == 0 ? '0' : 'f', sizeof digits[i]);
		memcpy(digits[i], hex_prefix.data, hex_prefix.len);
		enum err e = id_parse(bytes_of(digits[i], (size_t)2 * ID_LEN), &bounds[i]);

		if (e != ERR_OK)
			return e;
	}
	enum err e = query_start(v, SQL_RECORD_MATCH, &q);

	if (e != ERR_OK)
		return e;
	query_bind_blob(&q, 1, id_key(&bounds[0]));
	query_bind_blob(&q, 2, id_key(&bounds[1]));
	for (*ret_count = 0; *ret_count < 2; (*ret_count)++) {
		e = query_row(&q, &has_row);
		if (e != ERR_OK || !has_row)
			return e;
		struct bytes raw = query_blob(&q, 0);

		memcpy(ret_ids[*ret_count].bytes, raw.data, raw.len < ID_LEN ? raw.len : ID_LEN);
	}
	return ERR_OK;
}

enum err vault_stray_count(struct vault *v, int64_t *ret_count)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_STRAY_COUNT, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, v->state.generation);
	e = query_row(&q, &has_row);
	if (e == ERR_OK)
		*ret_count = query_int(&q, 0);
	return e;
}

static enum err read_ids(struct query *q, struct arena *a, struct id **ret_ids, size_t *ret_count)
{
	struct id *ids = NULL;
	bool has_row = false;
	size_t count = 0;
	size_t capacity = 0;
	enum err e;

	for (e = query_row(q, &has_row); e == ERR_OK && has_row; e = query_row(q, &has_row)) {
		struct bytes raw = query_blob(q, 0);

		if (raw.len != ID_LEN)
			return err_raise(ERR_CORRUPT, "a record's id has %zu bytes", raw.len);
		if (count == capacity) {
			struct id *old = ids;

			capacity = 2 * capacity + 64;
			ids = arena_alloc_array(a, capacity, sizeof *ids);
			if (count != 0)
				memcpy(ids, old, count * sizeof *ids);
		}
		memcpy(ids[count++].bytes, raw.data, ID_LEN);
	}
	if (e != ERR_OK)
		return e;
	*ret_ids = ids;
	*ret_count = count;
	return ERR_OK;
}

enum err vault_stray_ids(struct vault *v, struct arena *a, size_t max, int64_t skip,
			 struct id **ret_ids, size_t *ret_count)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, SQL_STRAYS, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, v->state.generation);
	query_bind_int(&q, 2, (int64_t)max);
	query_bind_int(&q, 3, skip);
	return read_ids(&q, a, ret_ids, ret_count);
}

enum err vault_record_each(struct vault *v, vault_record_fn fn, void *arg)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = true;
	enum err e = query_start(v, SQL_RECORD_EACH, &q);

	while (e == ERR_OK) {
		AUTO(arena_clear) struct arena a = {0};
		struct vault_record record;

		e = query_row(&q, &has_row);
		if (e != ERR_OK || !has_row)
			return e;
		e = read_record(&q, &a, &record);
		if (e == ERR_OK)
			e = fn(arg, &record);
	}
	return e;
}
