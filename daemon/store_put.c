/* Records become rows: one statement updates each that is there, one inserts all new ones. */
#include <sqlite3.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/schema_sql.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"

/* ---- packing ---- */

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
	if (s->values_cap < t->count) {
		s->values = mem_realloc((void *)s->values, t->count * sizeof(struct value *));
		s->values_cap = t->count;
	}
	memset(s->writer_of, 0, t->number_count * sizeof *s->writer_of);
	buf_reset(&s->stamps);
	buf_reset(&s->extra);
}

/*
 * Packs stamps and extra, and finds the columns' values: by position from `unit` on, NULL where
 * there is none. Both lists are sorted by name, so they are walked side by side. What a column
 * cannot hold stays NULL there and goes to `extra`.
 */
static void pack_fields(struct store *s, const struct table *t, const struct record *r,
			const struct value **values)
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
			values[c->position - SCHEMA_SQL_UNIT] = &f->value;
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
/* ---- rows ---- */

/* An indexed column is written again only when its field was, and the unit when it is another: each
 * costs an index. */
static bool is_indexed_changed(const struct table *t, const struct store_state *state)
{
	if (record_unit(&state->record) != state->unit)
		return true;
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

static void bind_columns(struct sql *q, const struct table *t, const struct value **values,
			 bool is_with_indexed)
{
	sql_bind_int(q, SCHEMA_SQL_SET_UNIT, 0);
	for (size_t i = 0; i < t->count; i++) {
		const struct column *c = &t->columns[i];
		const struct value *v = values[c->position - SCHEMA_SQL_UNIT];

		if (v != NULL && (is_with_indexed || !c->is_indexed))
			bind_value(q, c->position + 2, v);
	}
}

static void note_put(struct store *s, struct arena *a, struct store_state *state)
{
	state->unit = record_unit(&state->record);
	state->log = record_last_log(&state->record);
	state->touched = arena_copy(a, buf_bytes(&s->touched));
}

static enum err run_listing(struct store *s, struct table *t, enum table_statement which,
			    int64_t unit, uint64_t log, int64_t row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = store_use_table(s, t, which, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	sql_bind_int(q, 2, (int64_t)log);
	sql_bind_int(q, 3, row);
	return sql_run(q);
}

static bool was_updated_before(const struct store_state *state)
{
	struct pack_reader r = pack_open(state->touched);

	if (!pack_is_end(&r))
		(void)unpack_uint(&r);
	return !pack_is_end(&r);
}

/*
 * An unchanged log number leaves the row where a reader finds it. Its entry of before goes: each
 * reader of a unit would pass over it. Of a row that no one updated since it was made there is none
 * to look for, in a page that is cold; from before there were entries it may have one, which stays.
 */
static enum err note_changed(struct store *s, struct table *t, const struct store_state *state)
{
	uint64_t log = record_last_log(&state->record);
	enum err e = ERR_OK;

	if (log == state->log)
		return ERR_OK;
	if (was_updated_before(state))
		e = run_listing(s, t, STATEMENT_PASSED, state->unit, state->log, state->row);
	if (e == ERR_OK)
		e = run_listing(s, t, STATEMENT_CHANGED, record_unit(&state->record), log,
				state->row);
	return e;
}

static enum err update_row(struct store *s, struct arena *a, struct table *t,
			   struct store_state *state, uint64_t log)
{
	AUTO(sql_done) struct sql *q = NULL;
	const struct record *r = &state->record;
	/* log 0: a row is put into a table that grew, so everything is. */
	const bool is_with_indexed = log == 0 || is_indexed_changed(t, state);
	enum err e = store_use_table(
		s, t, is_with_indexed ? STATEMENT_UPDATE : STATEMENT_UPDATE_PLAIN, &q);

	if (e != ERR_OK)
		return e;
	grow_scratch(s, t, r->count + 1);
	memset(s->values, 0, t->count * sizeof(struct value *));
	pack_fields(s, t, r, s->values);
	pack_touched(s, state, log);
	bind_columns(q, t, s->values, is_with_indexed);
	sql_bind_int(q, SCHEMA_SQL_SET_ROW_OR_ID, state->row);
	sql_bind_int(q, SCHEMA_SQL_SET_LOG, (int64_t)record_last_log(r));
	sql_bind_blob(q, SCHEMA_SQL_SET_TOUCHED, buf_bytes(&s->touched));
	sql_bind_blob(q, SCHEMA_SQL_SET_STAMPS, buf_bytes(&s->stamps));
	if (s->extra.len != 0)
		sql_bind_blob(q, SCHEMA_SQL_SET_EXTRA, buf_bytes(&s->extra));
	sql_bind_int(q, SCHEMA_SQL_SET_DELETED, record_is_deleted(r));
	sql_bind_int(q, SCHEMA_SQL_SET_VOIDED, record_is_voided(r));
	e = sql_run(q);
	if (e == ERR_OK)
		e = note_changed(s, t, state);
	if (e == ERR_OK)
		note_put(s, a, state);
	return e;
}

static struct batch_row pack_row(struct store *s, struct arena *a, const struct table *t,
				 struct store_state *state, uint64_t log)
{
	struct batch_row row = {.state = state, .table = t};

	row.values = arena_alloc_array(a, t->count, sizeof(struct value *));
	grow_scratch(s, t, state->record.count + 1);
	pack_fields(s, t, &state->record, row.values);
	pack_touched(s, state, log);
	note_put(s, a, state);
	row.log = state->log;
	row.touched = state->touched;
	row.stamps = arena_copy(a, buf_bytes(&s->stamps));
	row.extra = arena_copy(a, buf_bytes(&s->extra));
	return row;
}

static enum err insert_rows(struct store *s, struct arena *a, struct batch *b, struct table *t)
{
	AUTO(sql_done) struct sql *q = NULL;
	int64_t row;
	enum err e = store_use_table(s, t, STATEMENT_INSERT, &q);

	(void)a;
	if (e == ERR_OK)
		e = sql_run(q);
	if (e != ERR_OK)
		return e;
	/* SQLite numbers the rows of one statement one by one. */
	row = sql_last_row(s);
	for (size_t i = b->count; i > 0; i--) {
		if (b->rows[i - 1].table == t)
			b->rows[i - 1].state->row = row--;
	}
	return ERR_OK;
}

enum err store_put_states(struct store *s, struct arena *a, struct store_state *const *states,
			  size_t count, uint64_t log)
{
	struct batch b = {.rows = arena_alloc_array(a, count, sizeof *b.rows)};
	struct table *t = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		e = store_need_table(s, states[i]->record.type, &t);
		if (e == ERR_OK && states[i]->row != 0)
			e = update_row(s, a, t, states[i], log);
		else if (e == ERR_OK)
			b.rows[b.count++] = pack_row(s, a, t, states[i], log);
	}
	return e == ERR_OK ? store_run_batch(s, a, &b, insert_rows) : e;
}

enum err store_put_state(struct store *s, struct arena *a, struct store_state *state, uint64_t log)
{
	return store_put_states(s, a, &state, 1, log);
}
