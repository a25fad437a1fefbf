#include <sqlite3.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/schema_sql.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"

/* ---- row to record ---- */

static struct value column_value(struct sql *q, const struct column *c, struct arena *a)
{
	if (sql_kind(q, c->position) == SQL_NULL)
		return VALUE_NONE;
	switch (c->kind) {
	case COLUMN_TEXT: return value_text(sql_text_copy(q, c->position, a));
	case COLUMN_INT:
	case COLUMN_UNIT: return value_int(sql_int(q, c->position));
	case COLUMN_BOOL: return value_bool(sql_int(q, c->position) != 0);
	case COLUMN_BYTES:
	case COLUMN_MERGED: return value_bytes(sql_blob_copy(q, c->position, a));
	}
	UNREACHABLE();
}

struct writers {
	struct pack_writer *list;
	uint64_t count;
};

static struct writers read_writers(struct pack_reader *r, struct arena *a)
{
	struct writers w = {0};
	uint64_t count;

	if (unpack_byte(r) != PACK_VERSION)
		r->is_bad = true;
	count = unpack_uint(r);
	/* Each takes ten bytes at least. */
	if (r->is_bad || count > (uint64_t)(r->end - r->at) / 10) {
		r->is_bad = true;
		return w;
	}
	w.list = arena_alloc_array(a, (size_t)count, sizeof *w.list);
	w.count = count;
	for (uint64_t i = 0; i < count; i++) {
		w.list[i].clock = unpack_u64(r);
		w.list[i].device = (uint32_t)unpack_uint(r);
		w.list[i].log = unpack_uint(r);
	}
	return w;
}

static void set_writer(struct field *f, const struct writers *w, uint64_t index)
{
	f->stamp = (struct stamp){.clock = w->list[index].clock, .device = w->list[index].device};
	f->log = w->list[index].log;
}

struct unpacked {
	struct writers writers;
	uint32_t *writer_of; /* by field number: index + 1, 0: never written */
	struct pack_reader extra;
	size_t most; /* fields there can be */
};

/* The stamps of a row. False: damaged. */
static bool unpack_stamps(const struct table *t, struct sql *q, struct arena *a,
			  struct unpacked *ret_unpacked)
{
	struct pack_reader r = pack_open(sql_blob_copy(q, SCHEMA_SQL_STAMPS, a));
	struct bytes extra = sql_blob_copy(q, SCHEMA_SQL_EXTRA, a);
	struct unpacked u = {.extra = pack_open(extra)};
	uint64_t number = 0;

	u.writers = read_writers(&r, a);
	u.writer_of = arena_alloc_array(a, (size_t)t->number_count, sizeof *u.writer_of);
	while (!r.is_bad && !pack_is_end(&r)) {
		uint64_t writer = 0;

		unpack_entry(&r, &number, &writer);
		if (r.is_bad || number >= t->number_count || t->by_number[number] == NULL ||
		    writer >= u.writers.count)
			return false;
		u.writer_of[number] = (uint32_t)writer + 1;
		u.most++;
	}
	/* An entry of `extra` takes four bytes at least. */
	u.most += extra.len / 4 + 1;
	*ret_unpacked = u;
	return !r.is_bad;
}

static bool read_extra(struct unpacked *u, struct field *ret_field)
{
	struct bytes name = unpack_bytes(&u->extra);
	uint64_t writer = unpack_uint(&u->extra);
	struct value value = unpack_value(&u->extra);

	if (u->extra.is_bad || writer >= u->writers.count)
		return false;
	*ret_field = (struct field){.name = name, .value = value};
	set_writer(ret_field, &u->writers, writer);
	return true;
}

/* Puts an entry of `extra` in its place among the fields, which are sorted. */
static void insert_field(struct record *r, const struct field *f)
{
	size_t at = r->count;

	while (at > 0 && bytes_compare(r->fields[at - 1].name, f->name) > 0) {
		r->fields[at] = r->fields[at - 1];
		at--;
	}
	r->fields[at] = *f;
	r->count++;
}

/* False: damaged. */
static bool read_state(struct table *t, struct sql *q, struct arena *a, struct store_state *state)
{
	struct unpacked u;

	if (!unpack_stamps(t, q, a, &u))
		return false;
	state->row = sql_int(q, SCHEMA_SQL_ROW);
	state->unit = sql_int(q, SCHEMA_SQL_UNIT);
	state->log = (uint64_t)sql_int(q, SCHEMA_SQL_LOG);
	state->touched = sql_blob_copy(q, SCHEMA_SQL_TOUCHED, a);
	state->record.type = t->type;
	state->record.fields = arena_alloc_array(a, u.most, sizeof *state->record.fields);
	state->record.count = 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct column *c = &t->columns[i];
		struct field *f = &state->record.fields[state->record.count];

		if (u.writer_of[c->number] == 0)
			continue;
		f->name = c->name;
		f->value = column_value(q, c, a);
		set_writer(f, &u.writers, u.writer_of[c->number] - 1);
		state->record.count++;
	}
	while (!pack_is_end(&u.extra)) {
		struct field f;

		if (!read_extra(&u, &f))
			return false;
		insert_field(&state->record, &f);
	}
	return true;
}

static enum err damaged(const struct table *t, const struct id *id)
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	return err_raise(ERR_CORRUPT, "stamps of %.*s %s", BYTES_FMT(t->type), hex);
}

static enum err load_state(struct store *s, struct table *t, struct arena *a,
			   struct store_state *state)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = store_use_table(s, t, STATEMENT_LOAD, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(state->record.id.bytes, ID_LEN));
	e = sql_step(q, &is_row);
	if (e != ERR_OK || !is_row)
		return e;
	return read_state(t, q, a, state) ? ERR_OK : damaged(t, &state->record.id);
}

static void empty_state(struct store_state *state)
{
	state->record.fields = NULL;
	state->record.count = 0;
	state->row = 0;
	state->unit = 0;
	state->log = 0;
	state->touched = BYTES_NONE;
}

enum err store_load_states(struct store *s, struct arena *a, struct store_state *states,
			   size_t count)
{
	struct table *t = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		empty_state(&states[i]);
		e = store_need_table(s, states[i].record.type, &t);
		if (e == ERR_OK)
			e = load_state(s, t, a, &states[i]);
	}
	return e;
}

static enum err load_rows(struct store *s, struct arena *a, struct batch *b, struct table *t)
{
	AUTO(sql_done) struct sql *q = NULL;
	const int index = SCHEMA_SQL_UNIT + (int)t->count;
	bool is_row = false;
	enum err e = store_use_table(s, t, STATEMENT_LOAD_BATCH, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct store_state *state = b->rows[sql_int(q, index)].state;

		if (!read_state(t, q, a, state))
			return damaged(t, &state->record.id);
	}
	return e;
}

enum err store_load_batch(struct store *s, struct arena *a, struct store_state *const *states,
			  size_t count)
{
	struct batch b = {.rows = arena_alloc_array(a, count, sizeof *b.rows), .count = count};
	struct table *t = NULL;
	enum err e = ERR_OK;

	REQUIRE(s->is_writer);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		empty_state(states[i]);
		e = store_need_table(s, states[i]->record.type, &t);
		b.rows[i] = (struct batch_row){.state = states[i], .table = t};
	}
	return e == ERR_OK ? store_run_batch(s, a, &b, load_rows) : e;
}

void store_read_touched(struct arena *a, struct bytes touched, uint64_t **ret_logs,
			size_t *ret_count)
{
	struct pack_reader r = pack_open(touched);
	uint64_t *logs = arena_alloc_array(a, touched.len, sizeof *logs);
	uint64_t log = 0;
	size_t count = 0;

	while (!pack_is_end(&r)) {
		log += unpack_uint(&r);
		logs[count++] = log;
	}
	*ret_logs = logs;
	*ret_count = count;
}

/* ---- pages, counts, by id alone ---- */

/* Room for one more. By what there is, not by what is allowed: a caller may allow everything. */
static void *grow_list(struct arena *a, void *list, size_t count, size_t *cap, size_t size)
{
	void *more;

	if (count < *cap)
		return list;
	*cap = *cap * 2 + 16;
	more = arena_alloc_array(a, *cap, size);
	if (count != 0)
		memcpy(more, list, count * size);
	return more;
}

enum err store_load_page(struct store *s, struct arena *a, const struct store_page *page,
			 struct store_state **ret_states, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct table *t = store_find_table(s, page->type);
	struct store_state *states = NULL;
	size_t count = 0;
	size_t cap = 0;
	bool is_row = false;
	enum err e;

	if (t == NULL)
		return err_raise(ERR_NOTFOUND, "no table %.*s", BYTES_FMT(page->type));
	e = store_use_table(s, t, STATEMENT_PAGE, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, page->unit);
	sql_bind_int(q, 2, (int64_t)page->after);
	sql_bind_int(q, 3, (int64_t)page->until);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct bytes id = sql_blob(q, SCHEMA_SQL_ID);

		if (count > 0 && count >= page->limit &&
		    (uint64_t)sql_int(q, SCHEMA_SQL_LOG) != states[count - 1].log)
			break;
		states = grow_list(a, states, count, &cap, sizeof *states);
		if (id.len != ID_LEN)
			return err_raise(ERR_CORRUPT, "an id of %.*s", BYTES_FMT(t->type));
		memcpy(states[count].record.id.bytes, id.data, ID_LEN);
		if (!read_state(t, q, a, &states[count]))
			return damaged(t, &states[count].record.id);
		count++;
	}
	if (e != ERR_OK)
		return e;
	*ret_states = states;
	*ret_count = count;
	return ERR_OK;
}

enum err store_load_rows(struct store *s, struct arena *a, struct bytes type,
			 const struct store_range *range, struct store_row **ret_rows,
			 size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct table *t = store_find_table(s, type);
	size_t count = 0;
	size_t cap = 0;
	struct store_row *rows = grow_list(a, NULL, 0, &cap, sizeof *rows);
	bool is_row = false;
	enum err e;

	if (t == NULL)
		return err_raise(ERR_NOTFOUND, "no table %.*s", BYTES_FMT(type));
	e = store_use_table(s, t, STATEMENT_ROWS, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)range->after);
	while (count < range->limit && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct bytes id = sql_blob(q, SCHEMA_SQL_ID);
		int behind = SCHEMA_SQL_UNIT + (int)t->count;
		struct store_row *row;

		rows = grow_list(a, rows, count, &cap, sizeof *rows);
		row = &rows[count++];
		if (id.len != ID_LEN)
			return err_raise(ERR_CORRUPT, "an id of %.*s", BYTES_FMT(t->type));
		memcpy(row->state.record.id.bytes, id.data, ID_LEN);
		if (!read_state(t, q, a, &row->state))
			return damaged(t, &row->state.record.id);
		row->unit = sql_int(q, behind);
		row->is_deleted = sql_int(q, behind + 1) != 0;
		row->is_voided = sql_int(q, behind + 2) != 0;
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = rows;
	*ret_count = count;
	return ERR_OK;
}

enum err store_count_records(struct store *s, struct bytes type, uint64_t *ret_count)
{
	AUTO(store_finalize) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	enum err e;

	if (store_find_table(s, type) == NULL)
		return err_raise(ERR_NOTFOUND, "no table %.*s", BYTES_FMT(type));
	buf_printf(&text, "SELECT count(*) FROM \"%.*s\"", BYTES_FMT(type));
	e = store_prepare(s, buf_bytes(&text), &q);
	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_count = (uint64_t)sql_int(q, 0);
	return e;
}

enum err store_count_unit(struct store *s, struct bytes type, int64_t unit, uint64_t *ret_count)
{
	AUTO(store_finalize) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	enum err e;

	buf_printf(&text, "SELECT count(*) FROM \"%.*s\" WHERE unit = ?1 AND deleted = 0",
		   BYTES_FMT(type));
	e = store_prepare(s, buf_bytes(&text), &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_count = (uint64_t)sql_int(q, 0);
	return e;
}

bool store_has_type(struct store *s, struct bytes type, bool *ret_is_event)
{
	const struct table *t = store_find_table(s, type);

	if (t == NULL)
		return false;
	*ret_is_event = bytes_is(t->kind, "event");
	return true;
}

size_t store_type_count(const struct store *s)
{
	return s->table_count;
}

struct bytes store_type(const struct store *s, size_t index, bool *ret_is_event)
{
	REQUIRE(index < s->table_count);
	*ret_is_event = bytes_is(s->tables[index].kind, "event");
	return s->tables[index].type;
}

/* ---- a table that grew ---- */

static enum err load_ids_with_extra(struct store *s, const struct table *t, struct arena *a,
				    struct store_state **ret_states, size_t *ret_count)
{
	AUTO(store_finalize) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	AUTO(buf_clear) struct buf ids = {0};
	struct store_state *states;
	bool is_row = false;
	enum err e;

	buf_printf(&text, "SELECT id FROM \"%.*s\" WHERE extra IS NOT NULL", BYTES_FMT(t->type));
	e = store_prepare(s, buf_bytes(&text), &q);
	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row)
		buf_append_bytes(&ids, sql_blob(q, 0));
	if (e != ERR_OK)
		return e;
	*ret_count = ids.len / ID_LEN;
	states = arena_alloc_array(a, *ret_count, sizeof *states);
	for (size_t i = 0; i < *ret_count; i++) {
		states[i].record.type = t->type;
		memcpy(states[i].record.id.bytes, ids.data + i * ID_LEN, ID_LEN);
	}
	*ret_states = states;
	return ERR_OK;
}

enum err store_settle_extra(struct store *s, struct table *t)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_state *states = NULL;
	size_t count = 0;
	enum err e = load_ids_with_extra(s, t, &a, &states, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		AUTO(arena_clear) struct arena one = {0};

		e = store_load_states(s, &one, &states[i], 1);
		if (e == ERR_OK)
			e = store_put_state(s, &one, &states[i], 0);
	}
	return e;
}
