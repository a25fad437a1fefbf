#include "daemon/schema_sql.h"

#include <stdio.h>

#include "common/base/check.h"
#include "daemon/store_private.h"

/* Names the store uses itself: its tables (store_migrate.c), and what reports and queries find
 * besides (store_admin.c). */
static const char *const own_tables[] = {
	"setting",      "record_type", "record_field",  "changeset",       "device",
	"device_unit",  "invitation",  "unit",          "unit_log",        "unit_name",
	"unit_list",    "moved",       "conflict",      "unit_succession", "notice",
	"quarantine",   "session",     "audit",         "backup",          "account",
	"account_unit", "erased",      "distinct_pair", "report_frozen",   "report_document",
	"scope",        "commune",     "communes",
};

static const char *const own_columns[] = {
	"row",     "id",     "unit",  "log",      "deleted", "voided",   "merged_into",
	"touched", "stamps", "extra", "corrects", "rowid",   "made_log",
};

static bool is_one_of(struct bytes name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes_is(name, names[i]))
			return true;
	}
	return false;
}

static bool is_identifier(struct bytes name)
{
	if (name.len == 0 || name.len > 64 || name.data[0] == '_')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_')
			return false;
	}
	return (name.len < 7 || memcmp(name.data, "sqlite_", 7) != 0) &&
	       memmem(name.data, name.len, "__", 2) == NULL;
}

static bool is_table_name(struct bytes name)
{
	return is_identifier(name) &&
	       !is_one_of(name, own_tables, sizeof own_tables / sizeof own_tables[0]);
}

enum err schema_sql_check(const struct schema *schema, char ret_error[SCHEMA_ERROR_LEN])
{
	for (size_t i = 0; i < schema->type_count; i++) {
		const struct schema_type *type = &schema->types[i];

		if (!is_table_name(type->name)) {
			(void)snprintf(ret_error, SCHEMA_ERROR_LEN,
				       "%.*s: this name is taken by the store",
				       BYTES_FMT(type->name));
			return err_raise(ERR_INVAL, "%s", ret_error);
		}
		for (size_t k = 0; k < type->count; k++) {
			struct bytes name = type->fields[k].name;

			if (is_identifier(name) &&
			    !is_one_of(name, own_columns,
				       sizeof own_columns / sizeof own_columns[0]))
				continue;
			(void)snprintf(ret_error, SCHEMA_ERROR_LEN,
				       "%.*s.%.*s: this name is taken by the store",
				       BYTES_FMT(type->name), BYTES_FMT(name));
			return err_raise(ERR_INVAL, "%s", ret_error);
		}
	}
	return ERR_OK;
}

/* ---- text ---- */

/* Names were checked to be identifiers; quoted because `case` and `order` are words of SQL. */
static void print_name(struct buf *out, struct bytes name)
{
	buf_printf(out, "\"%.*s\"", BYTES_FMT(name));
}

static const char *sql_type(enum column_kind kind)
{
	switch (kind) {
	case COLUMN_TEXT: return "TEXT";
	case COLUMN_INT:
	case COLUMN_BOOL:
	case COLUMN_UNIT: return "INTEGER";
	case COLUMN_BYTES:
	case COLUMN_MERGED: return "BLOB";
	}
	UNREACHABLE();
}

/* Fields in the order of their position. */
static const struct column *at_position(const struct table *t, int position)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->columns[i].position == position)
			return &t->columns[i];
	}
	UNREACHABLE();
}

static int end_of(const struct table *t)
{
	return SCHEMA_SQL_UNIT + (int)t->count;
}

/* What one event replaces is a column of its own: reports leave the replaced one out. */
static bool is_event(const struct table *t)
{
	return bytes_is(t->kind, "event");
}

/* Almost no event corrects another, so the index holds almost nothing. */
static void print_corrects_index(struct bytes type, struct buf *out)
{
	buf_printf(out,
		   "CREATE INDEX \"%.*s__corrects\" ON \"%.*s\"(corrects)"
		   " WHERE corrects IS NOT NULL;",
		   BYTES_FMT(type), BYTES_FMT(type));
}

void schema_sql_print_corrects(struct bytes type, struct buf *out)
{
	buf_printf(out, "ALTER TABLE \"%.*s\" ADD COLUMN corrects BLOB;", BYTES_FMT(type));
	print_corrects_index(type, out);
}

void schema_sql_print_column(struct bytes type, struct bytes field, enum column_kind kind,
			     struct buf *out)
{
	buf_printf(out, "ALTER TABLE \"%.*s\" ADD COLUMN \"%.*s\" %s", BYTES_FMT(type),
		   BYTES_FMT(field), sql_type(kind));
}

/* Most records lack most of what is indexed (a household, an identity number): those cost nothing.
 */
void schema_sql_print_index(struct bytes type, struct bytes field, struct buf *out)
{
	buf_printf(out,
		   "CREATE INDEX \"%.*s__%.*s\" ON \"%.*s\"(\"%.*s\")"
		   " WHERE \"%.*s\" IS NOT NULL;",
		   BYTES_FMT(type), BYTES_FMT(field), BYTES_FMT(type), BYTES_FMT(field),
		   BYTES_FMT(field));
}

/*
 * How a unit's records are found by log number. An index on (unit, log) would have every update
 * take an entry out of a page nobody else has touched for long: read, written to the log, copied
 * from there. So the index has what does not change, and what was updated since has an entry in
 * `__changed`, at the unit's end of it.
 */
static void print_unit_index(struct bytes type, struct buf *out)
{
	buf_printf(
		out,
		"CREATE INDEX \"%.*s__unit\" ON \"%.*s\"(unit, made_log);"
		"CREATE TABLE \"%.*s__changed\"(in_unit INTEGER NOT NULL, at_log INTEGER NOT NULL,"
		" of_row INTEGER NOT NULL, PRIMARY KEY(in_unit, at_log, of_row))"
		" STRICT, WITHOUT ROWID;",
		BYTES_FMT(type), BYTES_FMT(type), BYTES_FMT(type));
}

void schema_sql_print_made_log(struct bytes type, struct buf *out)
{
	buf_printf(out,
		   "ALTER TABLE \"%.*s\" ADD COLUMN made_log INTEGER NOT NULL DEFAULT 0;"
		   "DROP INDEX \"%.*s__unit\";",
		   BYTES_FMT(type), BYTES_FMT(type));
	print_unit_index(type, out);
	buf_printf(out,
		   "INSERT INTO \"%.*s__changed\" SELECT unit, log, row FROM \"%.*s\""
		   " ORDER BY unit, log, row;",
		   BYTES_FMT(type), BYTES_FMT(type));
}

void schema_sql_print_create(const struct table *t, struct buf *out)
{
	buf_append_str(out, "CREATE TABLE ");
	print_name(out, t->type);
	buf_append_str(out,
		       "(row INTEGER PRIMARY KEY, id BLOB NOT NULL, unit INTEGER NOT NULL,"
		       " log INTEGER NOT NULL, deleted INTEGER NOT NULL,"
		       " voided INTEGER NOT NULL, merged_into BLOB, touched BLOB NOT NULL,"
		       " stamps BLOB NOT NULL, extra BLOB, made_log INTEGER NOT NULL DEFAULT 0");
	for (int i = SCHEMA_SQL_FIELDS; i < end_of(t); i++) {
		const struct column *c = at_position(t, i);

		buf_append_str(out, ", ");
		print_name(out, c->name);
		buf_printf(out, " %s", sql_type(c->kind));
	}
	buf_printf(out,
		   ") STRICT;"
		   "CREATE UNIQUE INDEX \"%.*s__id\" ON \"%.*s\"(id);",
		   BYTES_FMT(t->type), BYTES_FMT(t->type));
	print_unit_index(t->type, out);
	if (is_event(t))
		print_corrects_index(t->type, out);
}

/* The expressions for columns `row` and `log`: a list in their order must be made of what an index
 * has, or SQLite sorts it. */
static void print_result_as(const struct table *t, const char *row, const char *log,
			    struct buf *out)
{
	buf_printf(out, "SELECT %s, id, %s, touched, stamps, extra, unit, merged_into", row, log);
	for (int i = SCHEMA_SQL_FIELDS; i < end_of(t); i++) {
		buf_append_str(out, ", ");
		print_name(out, at_position(t, i)->name);
	}
}

static void print_result(const struct table *t, struct buf *out)
{
	print_result_as(t, "row", "log", out);
}

static void print_select(const struct table *t, struct buf *out)
{
	print_result(t, out);
	buf_append_str(out, " FROM ");
	print_name(out, t->type);
}

void schema_sql_print_load(const struct table *t, struct buf *out)
{
	print_select(t, out);
	buf_append_str(out, " WHERE id = ?1");
}

void schema_sql_print_load_batch(const struct table *t, struct buf *out)
{
	print_result(t, out);
	buf_append_str(out, ", _batch.rowid FROM _batch CROSS JOIN ");
	print_name(out, t->type);
	buf_append_str(out, " WHERE id = _batch._1");
}

void schema_sql_print_page(const struct table *t, struct buf *out)
{
	print_result_as(t, "row", "made_log", out);
	buf_printf(out,
		   " FROM \"%.*s\" WHERE unit = ?1 AND made_log > ?2 AND made_log <= ?3"
		   " AND log = made_log UNION ALL ",
		   BYTES_FMT(t->type));
	print_result_as(t, "of_row", "at_log", out);
	buf_printf(out,
		   " FROM \"%.*s__changed\" CROSS JOIN \"%.*s\" ON row = of_row AND log = at_log"
		   " AND unit = in_unit AND log <> made_log"
		   " WHERE in_unit = ?1 AND at_log > ?2 AND at_log <= ?3 ORDER BY 3, 1",
		   BYTES_FMT(t->type), BYTES_FMT(t->type));
}

void schema_sql_print_rows(const struct table *t, struct buf *out)
{
	buf_append_str(out, "SELECT row, id, log, touched, stamps, extra, unit, merged_into");
	for (int i = SCHEMA_SQL_FIELDS; i < end_of(t); i++) {
		buf_append_str(out, ", ");
		print_name(out, at_position(t, i)->name);
	}
	buf_append_str(out, ", unit, deleted, voided FROM ");
	print_name(out, t->type);
	buf_append_str(out, " WHERE row > ?1 ORDER BY row");
}

void schema_sql_print_find(const struct table *t, const struct column *c, struct buf *out)
{
	buf_append_str(out, "SELECT id FROM ");
	print_name(out, t->type);
	buf_append_str(out, " WHERE ");
	print_name(out, c->name);
	buf_append_str(out, " = ?1");
}

void schema_sql_print_remove(const struct table *t, struct buf *out)
{
	buf_append_str(out, "DELETE FROM ");
	print_name(out, t->type);
	buf_append_str(out, " WHERE id = ?1");
}

void schema_sql_print_insert(const struct table *t, struct buf *out)
{
	/* FAIL: no copies of pages for undoing the rows before one that fails; the job is undone.
	 */
	buf_append_str(out, "INSERT OR FAIL INTO ");
	print_name(out, t->type);
	buf_append_str(out, "(id, log, touched, stamps, extra, deleted, voided, unit, merged_into,"
			    " made_log");
	for (int i = SCHEMA_SQL_FIELDS; i < end_of(t); i++) {
		buf_append_str(out, ", ");
		print_name(out, at_position(t, i)->name);
	}
	buf_append_str(out, ") SELECT _1, _2, _3, _4, _5, _6, _7, _8, _9, _2");
	for (int i = SCHEMA_SQL_FIELDS; i < end_of(t); i++)
		buf_printf(out, ", _%d", i + 2);
	buf_append_str(out, " FROM _batch");
}

void schema_sql_print_update(const struct table *t, bool is_with_indexed, struct buf *out)
{
	buf_append_str(out, "UPDATE ");
	print_name(out, t->type);
	buf_append_str(out, " SET log = ?2, touched = ?3, stamps = ?4, extra = ?5, deleted = ?6,"
			    " voided = ?7, merged_into = ?9");
	if (is_with_indexed)
		buf_append_str(out, ", unit = ?8");
	for (int i = SCHEMA_SQL_FIELDS; i < end_of(t); i++) {
		const struct column *c = at_position(t, i);

		if (c->is_indexed && !is_with_indexed)
			continue;
		buf_append_str(out, ", ");
		print_name(out, c->name);
		buf_printf(out, " = ?%d", i + 2);
	}
	buf_append_str(out, " WHERE row = ?1");
}

void schema_sql_print_passed(const struct table *t, struct buf *out)
{
	buf_printf(
		out,
		"DELETE FROM \"%.*s__changed\" WHERE in_unit = ?1 AND at_log = ?2 AND of_row = ?3",
		BYTES_FMT(t->type));
}

void schema_sql_print_changed(const struct table *t, struct buf *out)
{
	buf_printf(out, "INSERT OR IGNORE INTO \"%.*s__changed\" VALUES(?1, ?2, ?3)",
		   BYTES_FMT(t->type));
}
