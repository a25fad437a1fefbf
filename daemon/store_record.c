#include <sqlite3.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/schema_sql.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"

#define PACK_VERSION 1u

/* ---- statements of a table ---- */

enum statement {
	STATEMENT_LOAD,
	STATEMENT_PAGE,
	STATEMENT_ROWS,
	STATEMENT_INSERT,
	STATEMENT_UPDATE,
	STATEMENT_UPDATE_PLAIN
};

static void print_statement(const struct table *t, enum statement which, struct buf *out)
{
	switch (which) {
	case STATEMENT_LOAD: schema_sql_print_load(t, out); break;
	case STATEMENT_PAGE: schema_sql_print_page(t, out); break;
	case STATEMENT_ROWS: schema_sql_print_rows(t, out); break;
	case STATEMENT_INSERT: schema_sql_print_insert(t, out); break;
	case STATEMENT_UPDATE: schema_sql_print_update(t, true, out); break;
	case STATEMENT_UPDATE_PLAIN: schema_sql_print_update(t, false, out); break;
	}
}

static struct sql **slot_of(struct table *t, enum statement which)
{
	switch (which) {
	case STATEMENT_LOAD: return &t->load;
	case STATEMENT_PAGE: return &t->page;
	case STATEMENT_ROWS: return &t->rows;
	case STATEMENT_INSERT: return &t->insert;
	case STATEMENT_UPDATE: return &t->update;
	case STATEMENT_UPDATE_PLAIN: return &t->update_plain;
	}
	UNREACHABLE();
}

static enum err use_table(struct store *s, struct table *t, enum statement which,
			  struct sql **ret_sql)
{
	struct sql **slot = slot_of(t, which);

	if (*slot == NULL) {
		AUTO(buf_clear) struct buf text = {0};
		enum err e;

		print_statement(t, which, &text);
		e = store_prepare(s, buf_bytes(&text), slot);
		if (e != ERR_OK)
			return e;
	}
	REQUIRE(!(*slot)->is_busy);
	(*slot)->is_busy = true;
	(*slot)->bind_rc = SQLITE_OK;
	*ret_sql = *slot;
	return ERR_OK;
}

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
	enum err e = use_table(s, t, STATEMENT_LOAD, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(state->record.id.bytes, ID_LEN));
	e = sql_step(q, &is_row);
	if (e != ERR_OK || !is_row)
		return e;
	return read_state(t, q, a, state) ? ERR_OK : damaged(t, &state->record.id);
}

enum err store_load_states(struct store *s, struct arena *a, struct store_state *states,
			   size_t count)
{
	struct table *t = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct store_state *state = &states[i];

		state->record.fields = NULL;
		state->record.count = 0;
		state->row = 0;
		state->log = 0;
		state->touched = BYTES_NONE;
		if (t == NULL || !bytes_equal(t->type, state->record.type))
			t = store_find_table(s, state->record.type);
		if (t == NULL)
			return err_raise(ERR_NOTFOUND, "no table %.*s",
					 BYTES_FMT(state->record.type));
		e = load_state(s, t, a, state);
	}
	return e;
}

/* ---- record to row ---- */

static bool fits(const struct column *c, const struct value *v)
{
	if (v->kind == VALUE_NULL)
		return c->kind != COLUMN_UNIT;
	switch (c->kind) {
	case COLUMN_TEXT: return v->kind == VALUE_TEXT;
	case COLUMN_INT:
	case COLUMN_UNIT: return v->kind == VALUE_INT;
	case COLUMN_BOOL: return v->kind == VALUE_BOOL;
	case COLUMN_BYTES:
	case COLUMN_MERGED: return v->kind == VALUE_BYTES;
	}
	UNREACHABLE();
}

static void bind_value(struct sql *q, int position, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL: sql_bind_null(q, position); break;
	case VALUE_BOOL: sql_bind_int(q, position, v->boolean); break;
	case VALUE_INT: sql_bind_int(q, position, v->integer); break;
	case VALUE_TEXT: sql_bind_text(q, position, v->bytes); break;
	case VALUE_BYTES: sql_bind_blob(q, position, v->bytes); break;
	}
}

static uint32_t index_of_writer(struct store *s, size_t *count, const struct field *f)
{
	struct pack_writer *w = s->writers;

	/* Neighbours mostly come from one change: the latest first. */
	for (size_t i = *count; i > 0; i--) {
		if (w[i - 1].clock == f->stamp.clock && w[i - 1].device == f->stamp.device &&
		    w[i - 1].log == f->log)
			return (uint32_t)(i - 1);
	}
	w[*count] = (struct pack_writer){
		.clock = f->stamp.clock, .device = f->stamp.device, .log = f->log};
	return (uint32_t)(*count)++;
}

static void grow_scratch(struct store *s, const struct table *t, size_t fields)
{
	if (s->writers_cap < fields) {
		s->writers = mem_realloc(s->writers, fields * sizeof *s->writers);
		s->writers_cap = fields;
	}
	if (s->writer_of_cap < t->number_count) {
		s->writer_of = mem_realloc(s->writer_of, t->number_count * sizeof *s->writer_of);
		s->writer_of_cap = t->number_count;
	}
	memset(s->writer_of, 0, t->number_count * sizeof *s->writer_of);
	buf_reset(&s->stamps);
	buf_reset(&s->extra);
}

/*
 * Packs stamps and extra, and binds the columns' values. Both lists are sorted by
 * name, so they are walked side by side. `q` is the statement, or its column is skipped when
 * it leaves the indexed ones out.
 */
static void pack_fields(struct store *s, const struct table *t, const struct record *r,
			struct sql *q, bool is_with_indexed)
{
	size_t writer_count = 0;
	size_t next = 0;
	uint64_t last = 0;

	grow_scratch(s, t, r->count + 1);
	for (size_t i = 0; i < r->count; i++) {
		const struct field *f = &r->fields[i];
		uint32_t writer = index_of_writer(s, &writer_count, f);

		while (next < t->count && bytes_compare(t->columns[next].name, f->name) < 0)
			next++;
		const struct column *c = next < t->count ? &t->columns[next] : NULL;

		if (c != NULL && bytes_equal(c->name, f->name) && fits(c, &f->value)) {
			s->writer_of[c->number] = writer + 1;
			if (is_with_indexed || !c->is_indexed)
				bind_value(q, c->position + 2, &f->value);
			continue;
		}
		pack_bytes(&s->extra, f->name);
		pack_uint(&s->extra, writer);
		pack_value(&s->extra, &f->value);
	}
	buf_append_byte(&s->stamps, PACK_VERSION);
	pack_uint(&s->stamps, writer_count);
	for (size_t i = 0; i < writer_count; i++) {
		pack_u64(&s->stamps, s->writers[i].clock);
		pack_uint(&s->stamps, s->writers[i].device);
		pack_uint(&s->stamps, s->writers[i].log);
	}
	for (uint64_t n = 0; n < t->number_count; n++) {
		if (s->writer_of[n] == 0)
			continue;
		pack_entry(&s->stamps, n - last, s->writer_of[n] - 1);
		last = n;
	}
}

static uint64_t last_touched(struct bytes touched)
{
	struct pack_reader r = pack_open(touched);
	uint64_t log = 0;

	while (!pack_is_end(&r))
		log += unpack_uint(&r);
	return log;
}

static void pack_touched(struct store *s, const struct store_state *state, uint64_t log)
{
	uint64_t last = last_touched(state->touched);

	buf_reset(&s->touched);
	buf_append_bytes(&s->touched, state->touched);
	if (log > last)
		pack_uint(&s->touched, log - last);
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

/* An indexed column is written again only when its field was: each costs an index. */
static bool is_indexed_changed(const struct table *t, const struct store_state *state)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct field *f;

		if (!t->columns[i].is_indexed)
			continue;
		f = record_find(&state->record, t->columns[i].name);
		if (f != NULL && f->log > state->log)
			return true;
	}
	return false;
}

static enum statement choose_statement(const struct table *t, const struct store_state *state,
				       uint64_t log)
{
	if (state->row == 0)
		return STATEMENT_INSERT;
	/* log 0: a row is put into a table that grew, so everything is. */
	if (log == 0 || is_indexed_changed(t, state))
		return STATEMENT_UPDATE;
	return STATEMENT_UPDATE_PLAIN;
}

enum err store_put_state(struct store *s, struct arena *a, struct store_state *state, uint64_t log)
{
	AUTO(sql_done) struct sql *q = NULL;
	const struct record *r = &state->record;
	struct table *t = store_find_table(s, r->type);
	enum statement which;
	enum err e;

	if (t == NULL)
		return err_raise(ERR_NOTFOUND, "no table %.*s", BYTES_FMT(r->type));
	which = choose_statement(t, state, log);
	e = use_table(s, t, which, &q);
	if (e != ERR_OK)
		return e;
	/* What a column cannot hold stays NULL there and goes to `extra`. */
	sql_bind_int(q, SCHEMA_SQL_SET_UNIT, 0);
	pack_fields(s, t, r, q, which != STATEMENT_UPDATE_PLAIN);
	pack_touched(s, state, log);
	if (state->row == 0)
		sql_bind_blob(q, SCHEMA_SQL_SET_ROW_OR_ID, bytes_of(r->id.bytes, ID_LEN));
	else
		sql_bind_int(q, SCHEMA_SQL_SET_ROW_OR_ID, state->row);
	sql_bind_int(q, SCHEMA_SQL_SET_LOG, (int64_t)record_last_log(r));
	sql_bind_blob(q, SCHEMA_SQL_SET_TOUCHED, buf_bytes(&s->touched));
	sql_bind_blob(q, SCHEMA_SQL_SET_STAMPS, buf_bytes(&s->stamps));
	if (s->extra.len != 0)
		sql_bind_blob(q, SCHEMA_SQL_SET_EXTRA, buf_bytes(&s->extra));
	sql_bind_int(q, SCHEMA_SQL_SET_DELETED, record_is_deleted(r));
	sql_bind_int(q, SCHEMA_SQL_SET_VOIDED, record_is_voided(r));
	e = sql_run(q);
	if (e != ERR_OK)
		return e;
	if (state->row == 0)
		state->row = sql_last_row(s);
	state->log = record_last_log(r);
	state->touched = arena_copy(a, buf_bytes(&s->touched));
	return ERR_OK;
}

/* ---- pages, counts, by id alone ---- */

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
	e = use_table(s, t, STATEMENT_PAGE, &q);
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
		if (count == cap) {
			struct store_state *more = arena_alloc_array(a, cap * 2 + 16, sizeof *more);

			if (count != 0)
				memcpy(more, states, count * sizeof *more);
			states = more;
			cap = cap * 2 + 16;
		}
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
	struct store_row *rows = arena_alloc_array(a, range->limit, sizeof *rows);
	size_t count = 0;
	bool is_row = false;
	enum err e;

	if (t == NULL)
		return err_raise(ERR_NOTFOUND, "no table %.*s", BYTES_FMT(type));
	e = use_table(s, t, STATEMENT_ROWS, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)range->after);
	while (count < range->limit && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct store_row *row = &rows[count++];
		struct bytes id = sql_blob(q, SCHEMA_SQL_ID);
		int behind = SCHEMA_SQL_UNIT + (int)t->count;

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

enum err store_find_type(struct store *s, const struct id *id, struct bytes *ret_type)
{
	for (size_t i = 0; i < s->table_count; i++) {
		AUTO(sql_done) struct sql *q = NULL;
		enum err e = use_table(s, &s->tables[i], STATEMENT_LOAD, &q);

		if (e != ERR_OK)
			return e;
		sql_bind_blob(q, 1, bytes_of(id->bytes, ID_LEN));
		e = sql_run_row(q);
		if (e == ERR_OK)
			*ret_type = s->tables[i].type;
		if (e != ERR_NOTFOUND)
			return e;
	}
	return ERR_NOTFOUND;
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
