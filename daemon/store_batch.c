/* The rows of a batch as SQLite sees them: a virtual table over struct batch, read once, in order.
 */
#include <sqlite3.h>

#include "common/base/mem.h"
#include "daemon/schema_sql.h"
#include "daemon/store_private.h"

struct batch_table {
	sqlite3_vtab base;
	struct store *store;
};

struct batch_cursor {
	sqlite3_vtab_cursor base;
	const struct batch *batch;
	size_t at;
};

static struct batch_cursor *cursor_of(sqlite3_vtab_cursor *base)
{
	return CONTAINER_OF(base, struct batch_cursor, base);
}

static void print_columns(struct buf *out, int columns)
{
	buf_append_str(out, "CREATE TABLE batch(");
	for (int i = 1; i <= columns; i++)
		buf_printf(out, "%s_%d", i == 1 ? "" : ", ", i);
	buf_append_str(out, ")");
}

static int on_connect(sqlite3 *db, void *arg, int argc, const char *const *argv,
		      sqlite3_vtab **ret_table, char **ret_error)
{
	struct store *s = arg;
	AUTO(buf_clear) struct buf text = {0};
	struct batch_table *t;
	int rc;

	(void)argc;
	(void)argv;
	(void)ret_error;
	print_columns(&text, s->batch_columns);
	rc = sqlite3_declare_vtab(db, buf_cstr(&text));
	if (rc != SQLITE_OK)
		return rc;
	t = mem_alloc_zero(sizeof *t);
	t->store = s;
	*ret_table = &t->base;
	return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *base)
{
	mem_free(CONTAINER_OF(base, struct batch_table, base));
	return SQLITE_OK;
}

/* Always from the first row to the last. */
static int on_plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
	(void)base;
	info->estimatedCost = 100;
	info->estimatedRows = 100;
	return SQLITE_OK;
}

static int on_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret_cursor)
{
	struct batch_cursor *c = mem_alloc_zero(sizeof *c);

	(void)base;
	*ret_cursor = &c->base;
	return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *base)
{
	mem_free(cursor_of(base));
	return SQLITE_OK;
}

static bool is_end(const struct batch_cursor *c)
{
	return c->batch == NULL || c->at == c->batch->count;
}

static void pass_others(struct batch_cursor *c)
{
	while (!is_end(c) && c->batch->rows[c->at].table != c->batch->table)
		c->at++;
}

static int on_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int argc,
		     sqlite3_value **argv)
{
	struct batch_cursor *c = cursor_of(base);

	(void)plan;
	(void)text;
	(void)argc;
	(void)argv;
	c->batch = CONTAINER_OF(base->pVtab, struct batch_table, base)->store->batch;
	c->at = 0;
	pass_others(c);
	return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *base)
{
	struct batch_cursor *c = cursor_of(base);

	c->at++;
	pass_others(c);
	return SQLITE_OK;
}

static int on_eof(sqlite3_vtab_cursor *base)
{
	return is_end(cursor_of(base));
}

/* What is given lives until the statement ends, and longer. */
static void give_blob(sqlite3_context *out, struct bytes blob)
{
	sqlite3_result_blob64(out, blob.len != 0 ? (const void *)blob.data : "", blob.len,
			      SQLITE_STATIC);
}

static void give_value(sqlite3_context *out, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL: break;
	case VALUE_BOOL: sqlite3_result_int(out, v->boolean); break;
	case VALUE_INT: sqlite3_result_int64(out, v->integer); break;
	case VALUE_TEXT:
		sqlite3_result_text64(out, v->bytes.len != 0 ? (const char *)v->bytes.data : "",
				      v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case VALUE_BYTES: give_blob(out, v->bytes); break;
	}
}

/* A column behind the last of the table, and one without a value, are NULL. */
static void give_field(sqlite3_context *out, const struct batch_row *row, int parameter)
{
	const size_t index = (size_t)(parameter - SCHEMA_SQL_SET_UNIT);
	const struct value *v = index < row->table->count ? row->values[index] : NULL;

	if (v != NULL)
		give_value(out, v);
	else if (parameter == SCHEMA_SQL_SET_UNIT)
		sqlite3_result_int(out, 0);
}

static int on_column(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	const struct batch_cursor *c = cursor_of(base);
	const struct batch_row *row = &c->batch->rows[c->at];
	const struct record *r = &row->state->record;

	switch (column + 1) {
	case SCHEMA_SQL_SET_ROW_OR_ID: give_blob(out, bytes_of(r->id.bytes, ID_LEN)); break;
	case SCHEMA_SQL_SET_LOG: sqlite3_result_int64(out, (int64_t)row->log); break;
	case SCHEMA_SQL_SET_TOUCHED: give_blob(out, row->touched); break;
	case SCHEMA_SQL_SET_STAMPS: give_blob(out, row->stamps); break;
	case SCHEMA_SQL_SET_EXTRA:
		if (row->extra.len != 0)
			give_blob(out, row->extra);
		break;
	case SCHEMA_SQL_SET_DELETED: sqlite3_result_int(out, record_is_deleted(r)); break;
	case SCHEMA_SQL_SET_VOIDED: sqlite3_result_int(out, record_is_voided(r)); break;
	default: give_field(out, row, column + 1);
	}
	return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_row)
{
	*ret_row = (sqlite3_int64)cursor_of(base)->at;
	return SQLITE_OK;
}

/* Without xCreate it needs no CREATE: it is there by its name, and in no list of tables. */
static const sqlite3_module module = {
	.xConnect = on_connect,
	.xBestIndex = on_plan,
	.xDisconnect = on_disconnect,
	.xOpen = on_open,
	.xClose = on_close,
	.xFilter = on_filter,
	.xNext = on_next,
	.xEof = on_eof,
	.xColumn = on_column,
	.xRowid = on_rowid,
};

enum err store_batch_register(struct store *s, int columns)
{
	s->batch_columns = columns;
	return store_from_sqlite(s, sqlite3_create_module_v2(s->db, "_batch", &module, s, NULL),
				 "table of a batch");
}
