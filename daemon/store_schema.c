/* Which typed tables the store has, and making them follow a schema. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "daemon/schema_sql.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"

#define FIELD_NUMBER_MAX 100000 /* of one type, ever; a damaged row is not believed */

/* ---- what tables there are ---- */

static bool is_own(const struct column *c)
{
	return c->number < PACK_FIRST_NUMBER;
}

static int by_name(const void *a, const void *b)
{
	const struct column *left = a;
	const struct column *right = b;

	return bytes_compare(left->name, right->name);
}

/* Room for `extra` columns more than t->count. */
static void grow_columns(struct store *s, struct table *t, size_t extra)
{
	struct column *columns = arena_alloc_array(&s->memory, t->count + extra, sizeof *columns);

	if (t->count != 0)
		memcpy(columns, t->columns, t->count * sizeof *columns);
	t->columns = columns;
}

static void add_own_columns(struct store *s, struct table *t)
{
	grow_columns(s, t, 2);
	t->columns[t->count++] = (struct column){.name = BYTES_LIT(RECORD_UNIT),
						 .kind = COLUMN_UNIT,
						 .number = PACK_UNIT,
						 .position = SCHEMA_SQL_UNIT};
	t->columns[t->count++] = (struct column){.name = BYTES_LIT(RECORD_MERGED_INTO),
						 .kind = COLUMN_MERGED,
						 .number = PACK_MERGED_INTO,
						 .position = SCHEMA_SQL_MERGED_INTO};
}

/* Behind the others: its position is the last one. There must be room. */
static void add_corrects(struct table *t)
{
	if (!bytes_is(t->kind, "event"))
		return;
	t->columns[t->count] = (struct column){.name = BYTES_LIT(RECORD_CORRECTS),
					       .kind = COLUMN_BYTES,
					       .number = PACK_CORRECTS,
					       .position = SCHEMA_SQL_UNIT + (int)t->count,
					       .is_indexed = true};
	t->count++;
}

/* Sorts columns by name, and makes the way back from number to column. */
static void settle_columns(struct store *s, struct table *t)
{
	qsort(t->columns, t->count, sizeof *t->columns, by_name);
	t->number_count = 0;
	for (size_t i = 0; i < t->count; i++) {
		if (t->columns[i].number >= t->number_count)
			t->number_count = t->columns[i].number + 1;
	}
	t->by_number = arena_alloc_array(&s->memory, t->number_count, sizeof(struct column *));
	for (size_t i = 0; i < t->count; i++)
		t->by_number[t->columns[i].number] = &t->columns[i];
}

static const char query_types[] = "SELECT name, kind FROM record_type ORDER BY name";
static const char query_fields[] = "SELECT name, number, kind, is_indexed FROM record_field"
				   " WHERE type = ? ORDER BY number";
static const char query_count_fields[] = "SELECT count(*) FROM record_field WHERE type = ?";
static const char query_count_types[] = "SELECT count(*) FROM record_type";

static enum err count_rows(struct store *s, const char *text, struct bytes type, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	if (type.len != 0)
		sql_bind_text(q, 1, type);
	e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_count = (size_t)sql_int(q, 0);
	return e;
}

static enum err load_columns(struct store *s, struct table *t)
{
	AUTO(sql_done) struct sql *q = NULL;
	size_t count = 0;
	bool is_row = false;
	enum err e = count_rows(s, query_count_fields, t->type, &count);

	if (e == ERR_OK)
		e = sql_use(s, query_fields, &q);
	if (e != ERR_OK)
		return e;
	add_own_columns(s, t);
	grow_columns(s, t, count + 1);
	sql_bind_text(q, 1, t->type);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct bytes kind = sql_text(q, 2);
		int64_t number = sql_int(q, 1);

		if (kind.len != 1 || strchr("tibx", kind.data[0]) == NULL ||
		    number < PACK_FIRST_NUMBER || number > FIELD_NUMBER_MAX)
			return err_raise(ERR_CORRUPT, "record_field of %.*s", BYTES_FMT(t->type));
		t->columns[t->count] = (struct column){
			.name = sql_text_copy(q, 0, &s->memory),
			.kind = (enum column_kind)kind.data[0],
			.number = (uint64_t)number,
			.position = SCHEMA_SQL_UNIT + (int)t->count,
			.is_indexed = sql_int(q, 3) != 0,
		};
		t->count++;
	}
	add_corrects(t);
	settle_columns(s, t);
	return e;
}

static int widest_insert(const struct store *s)
{
	int widest = SCHEMA_SQL_SET_FIELDS;

	for (size_t i = 0; i < s->table_count; i++) {
		/* Its last parameter's number (schema_sql.h). */
		int wide = SCHEMA_SQL_UNIT + (int)s->tables[i].count + 1;

		if (wide > widest)
			widest = wide;
	}
	return widest;
}

enum err store_load_tables(struct store *s)
{
	AUTO(sql_done) struct sql *q = NULL;
	size_t count = 0;
	bool is_row = false;
	enum err e = count_rows(s, query_count_types, BYTES_NONE, &count);

	if (e == ERR_OK)
		e = sql_use(s, query_types, &q);
	if (e != ERR_OK)
		return e;
	/* What was there before stays in the arena until close: reloads are rare. */
	struct table *tables = arena_alloc_array(&s->memory, count, sizeof *tables);
	size_t used = 0;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		tables[used].type = sql_text_copy(q, 0, &s->memory);
		tables[used].kind = sql_text_copy(q, 1, &s->memory);
		e = load_columns(s, &tables[used]);
		if (e != ERR_OK)
			return e;
		used++;
	}
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < s->table_count; i++) {
		store_finalize(s->tables[i].load);
		store_finalize(s->tables[i].load_batch);
		store_finalize(s->tables[i].page);
		store_finalize(s->tables[i].rows);
		store_finalize(s->tables[i].insert);
		store_finalize(s->tables[i].update);
		store_finalize(s->tables[i].update_plain);
		store_finalize(s->tables[i].changed);
		store_finalize(s->tables[i].passed);
	}
	s->tables = tables;
	s->table_count = used;
	return s->is_writer ? store_batch_register(s, widest_insert(s)) : ERR_OK;
}

static int by_type(const void *key, const void *element)
{
	const struct bytes *type = key;
	const struct table *t = element;

	return bytes_compare(*type, t->type);
}

struct table *store_find_table(struct store *s, struct bytes type)
{
	if (s->table_count == 0)
		return NULL;
	return bsearch(&type, s->tables, s->table_count, sizeof *s->tables, by_type);
}

/* ---- making them follow a schema ---- */

static enum column_kind kind_of(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
	case FIELD_LONG_TEXT:
	case FIELD_DECIMAL:
	case FIELD_DATE:
	case FIELD_PARTIAL_DATE:
	case FIELD_TIME:
	case FIELD_CODE:
	case FIELD_CODE_SET: return COLUMN_TEXT;
	case FIELD_INTEGER:
	case FIELD_MONEY:
	case FIELD_UNIT: return COLUMN_INT;
	case FIELD_BOOL: return COLUMN_BOOL;
	case FIELD_REFERENCE: return COLUMN_BYTES;
	}
	UNREACHABLE();
}

static const struct column *find_column(const struct table *t, struct bytes name)
{
	struct column key = {.name = name};

	return bsearch(&key, t->columns, t->count, sizeof *t->columns, by_name);
}

static const char query_add_type[] = "INSERT INTO record_type(name, kind) VALUES(?, ?)";
static const char query_add_field[] =
	"INSERT INTO record_field(type, name, number, kind, is_indexed) VALUES(?1, ?2,"
	" (SELECT ifnull(max(number) + 1, 8) FROM record_field WHERE type = ?1), ?3, 0)";
static const char query_set_indexed[] =
	"UPDATE record_field SET is_indexed = ?3 WHERE type = ?1 AND name = ?2";

_Static_assert(PACK_FIRST_NUMBER == 8, "as in query_add_field");

static struct bytes kind_name(const struct schema_type *type)
{
	return type->kind == SCHEMA_EVENT ? BYTES_LIT("event") : BYTES_LIT("register");
}

static enum err note_type(struct store *s, const struct schema_type *type)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_add_type, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, type->name);
	sql_bind_text(q, 2, kind_name(type));
	return sql_run(q);
}

static enum err note_field(struct store *s, const struct schema_type *type,
			   const struct schema_field *f)
{
	AUTO(sql_done) struct sql *q = NULL;
	char kind = (char)kind_of(f->type);
	enum err e = sql_use(s, query_add_field, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, type->name);
	sql_bind_text(q, 2, f->name);
	sql_bind_text(q, 3, bytes_of(&kind, 1));
	return sql_run(q);
}

static enum err set_indexed(struct store *s, const struct schema_type *type,
			    const struct schema_field *f)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	enum err e = sql_use(s, query_set_indexed, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, type->name);
	sql_bind_text(q, 2, f->name);
	sql_bind_int(q, 3, f->is_indexed);
	e = sql_run(q);
	if (e != ERR_OK)
		return e;
	if (f->is_indexed)
		schema_sql_print_index(type->name, f->name, &text);
	else
		buf_printf(&text, "DROP INDEX \"%.*s__%.*s\"", BYTES_FMT(type->name),
			   BYTES_FMT(f->name));
	return store_exec(s, buf_cstr(&text));
}

static enum err make_table(struct store *s, const struct schema_type *type)
{
	AUTO(buf_clear) struct buf text = {0};
	struct table t = {.type = type->name, .kind = kind_name(type)};
	enum err e = note_type(s, type);

	add_own_columns(s, &t);
	grow_columns(s, &t, type->count + 1);
	for (size_t i = 0; e == ERR_OK && i < type->count; i++) {
		const struct schema_field *f = &type->fields[i];

		t.columns[t.count] = (struct column){.name = f->name,
						     .kind = kind_of(f->type),
						     .number = PACK_FIRST_NUMBER + i,
						     .position = SCHEMA_SQL_UNIT + (int)t.count};
		t.count++;
		e = note_field(s, type, f);
	}
	if (e != ERR_OK)
		return e;
	add_corrects(&t);
	schema_sql_print_create(&t, &text);
	e = store_exec(s, buf_cstr(&text));
	for (size_t i = 0; e == ERR_OK && i < type->count; i++) {
		if (type->fields[i].is_indexed)
			e = set_indexed(s, type, &type->fields[i]);
	}
	return e;
}

static enum err add_column(struct store *s, const struct schema_type *type,
			   const struct schema_field *f)
{
	AUTO(buf_clear) struct buf text = {0};
	enum err e = note_field(s, type, f);

	if (e != ERR_OK)
		return e;
	schema_sql_print_column(type->name, f->name, kind_of(f->type), &text);
	return store_exec(s, buf_cstr(&text));
}

/* What one type of the schema asks of its table: nothing, growing, or the impossible. */
struct plan {
	bool is_new;
	bool is_grown;   /* columns are missing */
	bool is_changed; /* anything at all is to be done */
};

static enum err plan_type(struct store *s, const struct schema_type *type, struct plan *ret_plan)
{
	const struct table *t = store_find_table(s, type->name);
	struct plan plan = {.is_new = t == NULL, .is_changed = t == NULL};

	for (size_t i = 0; t != NULL && i < type->count; i++) {
		const struct schema_field *f = &type->fields[i];
		const struct column *c = find_column(t, f->name);

		if (c == NULL)
			plan.is_grown = plan.is_changed = true;
		else if (is_own(c) || c->kind != kind_of(f->type))
			return err_raise(ERR_INVAL, "%.*s.%.*s: a field keeps its kind of value",
					 BYTES_FMT(type->name), BYTES_FMT(f->name));
		else if (c->is_indexed != f->is_indexed)
			plan.is_changed = true;
	}
	if (t != NULL && !bytes_equal(t->kind, kind_name(type)))
		return err_raise(ERR_INVAL, "%.*s: a register cannot become an event or back",
				 BYTES_FMT(type->name));
	*ret_plan = plan;
	return ERR_OK;
}

static enum err follow_type(struct store *s, const struct schema_type *type,
			    const struct plan *plan)
{
	const struct table *t = store_find_table(s, type->name);
	enum err e = ERR_OK;

	if (plan->is_new)
		return make_table(s, type);
	for (size_t i = 0; e == ERR_OK && i < type->count; i++) {
		const struct schema_field *f = &type->fields[i];
		const struct column *c = find_column(t, f->name);

		if (c == NULL)
			e = add_column(s, type, f);
		if (e == ERR_OK && f->is_indexed != (c != NULL && c->is_indexed))
			e = set_indexed(s, type, f);
	}
	return e;
}

static enum err follow_schema(struct store *s, const struct schema *schema,
			      const struct plan *plans)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < schema->type_count; i++)
		e = follow_type(s, &schema->types[i], &plans[i]);
	if (e != ERR_OK)
		return e;
	store_drop_statements(s);
	e = store_load_tables(s);
	for (size_t i = 0; e == ERR_OK && i < schema->type_count; i++) {
		if (plans[i].is_grown)
			e = store_settle_extra(s, store_find_table(s, schema->types[i].name));
	}
	return e;
}

/* ---- for verify ---- */

static const char query_copy_field[] =
	"INSERT INTO record_field(type, name, number, kind, is_indexed) VALUES(?1, ?2, ?3, ?4, 0)";

static enum err copy_field(struct store *s, const struct table *t, const struct column *c)
{
	AUTO(sql_done) struct sql *q = NULL;
	char kind = (char)c->kind;
	enum err e = sql_use(s, query_copy_field, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, t->type);
	sql_bind_text(q, 2, c->name);
	sql_bind_int(q, 3, (int64_t)c->number);
	sql_bind_text(q, 4, bytes_of(&kind, 1));
	return sql_run(q);
}

static enum err copy_table(struct store *s, const struct table *t)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	enum err e = sql_use(s, query_add_type, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, t->type);
	sql_bind_text(q, 2, t->kind);
	e = sql_run(q);
	for (size_t i = 0; e == ERR_OK && i < t->count; i++) {
		if (!is_own(&t->columns[i]))
			e = copy_field(s, t, &t->columns[i]);
	}
	if (e != ERR_OK)
		return e;
	schema_sql_print_create(t, &text);
	return store_exec(s, buf_cstr(&text));
}

enum err store_make_like(struct store *s, const struct store *other)
{
	enum err e = store_begin(s);

	REQUIRE(s->is_writer && s->table_count == 0);
	for (size_t i = 0; e == ERR_OK && i < other->table_count; i++)
		e = copy_table(s, &other->tables[i]);
	if (e == ERR_OK) {
		store_drop_statements(s);
		e = store_load_tables(s);
	}
	if (e != ERR_OK) {
		store_rollback(s);
		return e;
	}
	return store_commit(s);
}

enum err store_check_schema(const struct schema *schema, char ret_error[SCHEMA_ERROR_LEN])
{
	return schema_sql_check(schema, ret_error);
}

enum err store_use_schema(struct store *s, const struct schema *schema)
{
	AUTO(arena_clear) struct arena a = {0};
	char error[SCHEMA_ERROR_LEN];
	struct plan *plans = arena_alloc_array(&a, schema->type_count, sizeof *plans);
	bool is_changed = false;
	enum err e = schema_sql_check(schema, error);

	REQUIRE(s->is_writer && !s->is_in_transaction);
	if (e == ERR_OK)
		e = store_load_tables(s);
	for (size_t i = 0; e == ERR_OK && i < schema->type_count; i++) {
		e = plan_type(s, &schema->types[i], &plans[i]);
		is_changed |= plans[i].is_changed;
	}
	if (e != ERR_OK)
		return e;
	if (is_changed) {
		e = store_begin(s);
		if (e != ERR_OK)
			return e;
		e = follow_schema(s, schema, plans);
		if (e != ERR_OK) {
			store_rollback(s);
			/* The tables in memory may be ahead of what was rolled back. */
			(void)store_load_tables(s);
			return e;
		}
		e = store_commit(s);
		if (e != ERR_OK)
			return e;
	}
	s->schema = schema;
	return ERR_OK;
}
