#define LOG_TAG "store"

#include "daemon/store_admin.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/store_private.h"

/* No honest row of a report is longer; what a query may build in memory is bounded by it. */
#define QUERY_LENGTH_MAX (16 << 20)

static bool has_restricted_code(const struct schema_field *f)
{
	if (f->list == NULL)
		return false;
	for (size_t i = 0; i < f->list->count; i++) {
		if (f->list->codes[i].sensitivity == SENSITIVITY_RESTRICTED)
			return true;
	}
	return false;
}

static bool type_has_restricted_code(const struct schema_type *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (has_restricted_code(&t->fields[i]))
			return true;
	}
	return false;
}

static void append_quoted(struct buf *out, struct bytes text)
{
	buf_append_byte(out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\'')
			buf_append_byte(out, '\'');
		buf_append_byte(out, text.data[i]);
	}
	buf_append_byte(out, '\'');
}

/* Rows without any of the field's restricted codes. Names are the schema's: snake_case. */
static void append_code_filter(struct buf *out, const struct schema_field *f)
{
	for (size_t i = 0; i < f->list->count; i++) {
		const struct schema_code *c = &f->list->codes[i];

		if (c->sensitivity != SENSITIVITY_RESTRICTED)
			continue;
		if (f->type == FIELD_CODE_SET) {
			buf_printf(out, " AND instr(','||coalesce(\"%.*s\",'')||',',','||",
				   BYTES_FMT(f->name));
			append_quoted(out, c->code);
			buf_append_str(out, "||',')=0");
		} else {
			buf_printf(out, " AND \"%.*s\" IS NOT ", BYTES_FMT(f->name));
			append_quoted(out, c->code);
		}
	}
}

static void append_filters(struct buf *out, const struct schema_type *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (has_restricted_code(&t->fields[i]))
			append_code_filter(out, &t->fields[i]);
	}
}

/*
 * Left out as soon as an event that counts corrects it, and that one may be corrected
 * again: the whole row behind the last one is left out. Of two that name each other the younger
 * one stays (ids begin with their time).
 */
static void append_uncorrected(struct buf *out, const struct schema_type *t)
{
	buf_printf(out,
		   " AND NOT EXISTS(SELECT 1 FROM main.\"%.*s\" c WHERE c.corrects ="
		   " main.\"%.*s\".id AND c.deleted=0 AND c.voided=0 AND c.merged_into IS NULL"
		   " AND (main.\"%.*s\".corrects IS NOT c.id OR c.id > main.\"%.*s\".id))",
		   BYTES_FMT(t->name), BYTES_FMT(t->name), BYTES_FMT(t->name), BYTES_FMT(t->name));
}

static enum err make_view(struct store *s, const struct schema_type *t, enum store_views views)
{
	const bool is_hiding = views == STORE_VIEWS_QUERY && type_has_restricted_code(t);
	AUTO(buf_clear) struct buf text = {0};

	if (is_hiding) {
		buf_printf(&text,
			   "CREATE TEMP VIEW \"%.*s\" AS SELECT * FROM main.\"%.*s\" WHERE 1",
			   BYTES_FMT(t->name), BYTES_FMT(t->name));
		append_filters(&text, t);
		buf_append_str(&text, ";");
	}
	buf_printf(&text,
		   "CREATE TEMP VIEW \"live_%.*s\" AS SELECT * FROM main.\"%.*s\" WHERE deleted=0 "
		   "AND voided=0 AND merged_into IS NULL",
		   BYTES_FMT(t->name), BYTES_FMT(t->name));
	if (t->kind == SCHEMA_EVENT)
		append_uncorrected(&text, t);
	if (views == STORE_VIEWS_REPORT)
		buf_append_str(&text, " AND unit IN (SELECT unit FROM temp.scope)");
	if (is_hiding)
		append_filters(&text, t);
	return store_exec(s, buf_cstr(&text));
}

/* Communes of today, by the names people know them by. */
static const char commune_view[] =
	"CREATE TEMP VIEW commune AS SELECT n.unit, n.code, n.name, n.kind AS type,"
	" (SELECT d.code FROM main.unit_name d WHERE d.unit = n.parent AND d.level = 2"
	"  ORDER BY d.first_day DESC LIMIT 1) AS district_code,"
	" (SELECT p.code FROM main.unit_name p WHERE p.unit = n.province"
	"  ORDER BY p.first_day DESC LIMIT 1) AS province_code"
	" FROM main.unit_name n WHERE n.level = 3"
	" AND CAST(julianday('now', '+7 hours') - 2440587.5 AS INTEGER) >= n.first_day"
	" AND CAST(julianday('now', '+7 hours') - 2440587.5 AS INTEGER) < n.last_day";

static enum err make_all(struct store *s, enum store_views views)
{
	static const char tables[] =
		"CREATE TEMP TABLE scope(unit INTEGER PRIMARY KEY, commune INTEGER, code TEXT);"
		"CREATE TEMP TABLE communes(unit INTEGER PRIMARY KEY, code TEXT, name TEXT)";
	enum err e = ERR_OK;

	if (views == STORE_VIEWS_REPORT)
		e = store_exec(s, tables);
	else
		e = store_exec(s, commune_view);
	for (size_t i = 0; e == ERR_OK && i < s->schema->type_count; i++)
		e = make_view(s, &s->schema->types[i], views);
	return e;
}

enum err store_views_begin(struct store *s, enum store_views views)
{
	enum err e;

	REQUIRE(!s->is_writer);
	e = store_exec(s, "SAVEPOINT views");
	if (e != ERR_OK)
		return e;
	/* query_only stops writes to temporary tables too. */
	e = store_exec(s, "PRAGMA query_only=0");
	if (e == ERR_OK)
		e = make_all(s, views);
	if (e == ERR_OK && views != STORE_VIEWS_REPORT)
		e = store_exec(s, "PRAGMA query_only=1");
	if (e != ERR_OK)
		store_views_end(s);
	return e;
}

void store_views_end(struct store *s)
{
	sqlite3_set_authorizer(s->db, NULL, NULL);
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, INT32_MAX);
	/* What fails here is told by the next statement; the caller's rollback drops all the same.
	 */
	(void)store_exec(s, "ROLLBACK TO views; RELEASE views");
	(void)store_exec(s, "PRAGMA query_only=1");
}

enum err store_add_scope(struct store *s, int64_t unit, int64_t commune, struct bytes code)
{
	static const char text[] = "INSERT OR IGNORE INTO temp.scope VALUES (?1, ?2, ?3)";
	AUTO(store_finalize) struct sql *q = NULL;
	enum err e = store_prepare(s, BYTES_LIT(text), &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	sql_bind_int(q, 2, commune);
	sql_bind_text(q, 3, code);
	return sql_run(q);
}

enum err store_add_commune(struct store *s, int64_t unit, struct bytes code, struct bytes name)
{
	static const char text[] = "INSERT OR IGNORE INTO temp.communes VALUES (?1, ?2, ?3)";
	AUTO(store_finalize) struct sql *q = NULL;
	enum err e = store_prepare(s, BYTES_LIT(text), &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	sql_bind_text(q, 2, code);
	sql_bind_text(q, 3, name);
	return sql_run(q);
}

/* ---- the guard ---- */

struct guard {
	const struct schema *schema;
	bool is_cleared;
	char denied[STORE_DENIED_LEN];
};

/* The first thing refused is told: what follows is usually because of it. */
static int deny(struct guard *g, const char *what, struct bytes name)
{
	if (g->denied[0] == '\0')
		(void)snprintf(g->denied, sizeof g->denied, "%s%.*s", what, BYTES_FMT(name));
	return SQLITE_DENY;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* Our own tables anybody with the socket may read: no values of records, no secrets. */
static bool is_open_table(const char *name)
{
	static const char *const open[] = {
		"unit",        "unit_name",    "unit_succession", "unit_list", "changeset",
		"commune",     "device",       "device_unit",     "session",   "moved",
		"record_type", "record_field", "json_each",       "json_tree"};

	return is_one_of(name, open, sizeof open / sizeof open[0]);
}

static bool is_secret_table(const char *name)
{
	static const char *const secret[] = {"setting",    "invitation", "audit",  "conflict",
					     "quarantine", "notice",     "backup", "dbstat"};

	return strncasecmp(name, "sqlite_", 7) == 0 || strncasecmp(name, "pragma_", 7) == 0 ||
	       is_one_of(name, secret, sizeof secret / sizeof secret[0]);
}

/* Columns that read as NULL: keys, counters, bodies that hold whole records. */
static bool is_blanked(const char *table, const char *column)
{
	static const char *const of_device[] = {"key", "counter", "chain"};
	static const char *const of_log[] = {"body", "signature", "verdicts"};

	if (strcasecmp(table, "device") == 0)
		return is_one_of(column, of_device, sizeof of_device / sizeof of_device[0]);
	if (strcasecmp(table, "changeset") == 0)
		return is_one_of(column, of_log, sizeof of_log / sizeof of_log[0]);
	return false;
}

static const struct schema_type *type_of(const struct guard *g, const char *name)
{
	if (strncmp(name, "live_", 5) == 0)
		name += 5;
	return schema_find_type(g->schema, bytes_str(name));
}

/* Fields this schema does not know sit in `extra`; nobody can say what they are. */
static bool is_hidden_column(const struct schema_type *t, const char *column)
{
	const struct schema_field *f = schema_find_field(t, bytes_str(column));

	if (f != NULL)
		return f->sensitivity == SENSITIVITY_RESTRICTED;
	return strcasecmp(column, "extra") == 0 || strcasecmp(column, "stamps") == 0;
}

static int on_read_record(struct guard *g, const struct schema_type *t, const char *column,
			  const char *database, const char *view)
{
	if (g->is_cleared)
		return SQLITE_OK;
	if (t->sensitivity == SENSITIVITY_RESTRICTED) {
		return deny(g, "restricted: ", t->name);
	}
	/* Past the view that hides restricted rows, straight into the table. */
	if (view == NULL && strcmp(database, "main") == 0 && type_has_restricted_code(t)) {
		return deny(g, "main.", t->name);
	}
	return is_hidden_column(t, column) ? SQLITE_IGNORE : SQLITE_OK;
}

static int on_read(struct guard *g, const char *table, const char *column, const char *database,
		   const char *view)
{
	const struct schema_type *t = type_of(g, table);

	if (t != NULL)
		return on_read_record(g, t, column, database != NULL ? database : "", view);
	if (is_open_table(table))
		return is_blanked(table, column) ? SQLITE_IGNORE : SQLITE_OK;
	if (is_secret_table(table))
		return deny(g, "table ", bytes_str(table));
	/* count(*) over a WITH name asks for the column "" of a table that does not exist. */
	return column[0] == '\0' ? SQLITE_OK : deny(g, "table ", bytes_str(table));
}

static bool is_function_denied(const char *name)
{
	static const char *const denied[] = {"load_extension", "fts3_tokenizer", "sqlite_log",
					     "readfile",       "writefile",      "edit"};

	return is_one_of(name, denied, sizeof denied / sizeof denied[0]);
}

static int on_authorize(void *arg, int action, const char *first, const char *second,
			const char *database, const char *view)
{
	struct guard *g = arg;

	switch (action) {
	case SQLITE_READ: return on_read(g, first, second != NULL ? second : "", database, view);
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE: return SQLITE_OK;
	case SQLITE_FUNCTION:
		return is_function_denied(second) ? deny(g, "function ", bytes_str(second))
						  : SQLITE_OK;
	case SQLITE_PRAGMA: return deny(g, "PRAGMA ", bytes_str(first));
	case SQLITE_ATTACH:
	case SQLITE_DETACH: return deny(g, "ATTACH", BYTES_LIT(""));
	default: return deny(g, "a statement that is not SELECT", BYTES_LIT(""));
	}
}

/* One statement and nothing but spaces, comments and semicolons behind it. */
static enum err compile(struct store *s, struct bytes text, struct sqlite3_stmt **ret_stmt)
{
	struct sqlite3_stmt *first = NULL;
	struct sqlite3_stmt *second = NULL;
	const char *end = (const char *)text.data + text.len;
	const char *tail = NULL;
	int rc =
		sqlite3_prepare_v3(s->db, (const char *)text.data, (int)text.len, 0, &first, &tail);

	if (rc == SQLITE_OK && first == NULL)
		return err_raise(ERR_INVAL, "no statement");
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v3(s->db, tail, (int)(end - tail), 0, &second, &tail);
	if (rc == SQLITE_OK && second == NULL && sqlite3_stmt_readonly(first) != 0) {
		*ret_stmt = first;
		return ERR_OK;
	}
	sqlite3_finalize(first);
	sqlite3_finalize(second);
	if (rc != SQLITE_OK)
		return store_from_sqlite(s, rc, "query");
	return err_raise(ERR_INVAL, "more than one statement, or one that is not a SELECT");
}

/* A table function declares its columns when it is first named, which a guard takes for CREATE. */
static enum err meet_functions(struct store *s)
{
	AUTO(store_finalize) struct sql *q = NULL;

	return store_prepare(s, BYTES_LIT("SELECT 1 FROM json_each('[]'), json_tree('[]')"), &q);
}

enum err store_use_query(struct store *s, struct bytes text, bool is_cleared, struct sql **ret_sql,
			 char ret_denied[STORE_DENIED_LEN])
{
	struct guard guard = {.schema = s->schema, .is_cleared = is_cleared};
	struct sqlite3_stmt *stmt = NULL;
	struct sql *q;
	enum err e = meet_functions(s);

	if (e != ERR_OK)
		return e;
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, QUERY_LENGTH_MAX);
	sqlite3_set_authorizer(s->db, on_authorize, &guard);
	e = compile(s, text, &stmt);
	sqlite3_set_authorizer(s->db, NULL, NULL);
	(void)snprintf(ret_denied, STORE_DENIED_LEN, "%s", guard.denied);
	if (e != ERR_OK)
		return e;
	q = mem_alloc_zero(sizeof *q);
	q->store = s;
	q->stmt = stmt;
	q->is_busy = true;
	q->is_once = true;
	*ret_sql = q;
	return ERR_OK;
}

/* ---- ids ---- */

static enum err find_in_type(struct store *s, const struct schema_type *t, const struct id *range,
			     struct store_found *found, size_t limit, size_t *count)
{
	AUTO(buf_clear) struct buf text = {0};
	AUTO(store_finalize) struct sql *q = NULL;
	bool is_row = true;
	enum err e;

	buf_printf(&text, "SELECT id FROM main.\"%.*s\" WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
		   BYTES_FMT(t->name));
	e = store_prepare(s, buf_bytes(&text), &q);
	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(range[0].bytes, ID_LEN));
	sql_bind_blob(q, 2, bytes_of(range[1].bytes, ID_LEN));
	while (*count < limit && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct bytes id = sql_blob(q, 0);

		if (id.len != ID_LEN)
			return err_raise(ERR_CORRUPT, "an id of %zu bytes", id.len);
		found[*count].type = t->name;
		memcpy(found[*count].id.bytes, id.data, ID_LEN);
		(*count)++;
	}
	return e;
}

enum err store_find_ids(struct store *s, struct arena *a, const struct id range[2], size_t limit,
			struct store_found **ret_found, size_t *ret_count)
{
	struct store_found *found = arena_alloc_array(a, limit, sizeof *found);
	size_t count = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->schema->type_count; i++)
		e = find_in_type(s, &s->schema->types[i], range, found, limit, &count);
	if (e != ERR_OK)
		return e;
	*ret_found = found;
	*ret_count = count;
	return ERR_OK;
}
