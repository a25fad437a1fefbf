#include "daemon/store_sql.h"

#include <sqlite3.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/store_private.h"

#define CLOCK_STEPS 2000 /* of SQLite's machine between two looks at the clock */

enum err store_from_sqlite(struct store *s, int rc, const char *what)
{
	int primary = rc & 0xff;
	enum err e = ERR_INVAL;

	if (primary == SQLITE_OK || primary == SQLITE_ROW || primary == SQLITE_DONE)
		return ERR_OK;
	REQUIRE(primary != SQLITE_MISUSE && primary != SQLITE_NOMEM);
	if (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN)
		e = ERR_IO;
	else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
		e = ERR_CORRUPT;
	else if (primary == SQLITE_FULL)
		e = ERR_FULL;
	else if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
		e = ERR_AGAIN;
	else if (primary == SQLITE_INTERRUPT)
		e = ERR_TIMEOUT;
	else if (primary == SQLITE_CONSTRAINT)
		e = ERR_CONFLICT;
	else if (primary == SQLITE_AUTH || primary == SQLITE_READONLY)
		e = ERR_AUTH;
	else if (primary == SQLITE_TOOBIG)
		e = ERR_TOOBIG;
	if (err_class(e) == ERR_CLASS_FATAL)
		s->fatal = e;
	if (s->is_in_transaction && sqlite3_get_autocommit(s->db) != 0)
		s->lost = e;
	return err_raise(e, "%s: %s (%d)", what, sqlite3_errmsg(s->db), rc);
}

/* What must be said before anything else is asked of the connection. */
static enum err refuse(const struct store *s)
{
	if (s->fatal != ERR_OK)
		return s->fatal;
	return s->lost;
}

enum err store_exec(struct store *s, const char *text)
{
	enum err e = refuse(s);

	if (e != ERR_OK)
		return e;
	return store_from_sqlite(s, sqlite3_exec(s->db, text, NULL, NULL, NULL), text);
}

enum err store_prepare(struct store *s, struct bytes text, struct sql **ret_sql)
{
	AUTO(mem_free) struct sql *q = mem_alloc_zero(sizeof *q);
	enum err e = refuse(s);

	if (e != ERR_OK)
		return e;
	q->store = s;
	e = store_from_sqlite(s,
			      sqlite3_prepare_v3(s->db, (const char *)text.data, (int)text.len,
						 SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL),
			      "prepare");
	if (e != ERR_OK)
		return e;
	*ret_sql = MOVE(q);
	return ERR_OK;
}

void store_finalize(struct sql *q)
{
	if (q == NULL)
		return;
	sqlite3_finalize(q->stmt);
	mem_free(q);
}

static struct sql **bucket_of(struct store *s, const void *key)
{
	uint64_t spread = (uint64_t)(uintptr_t)key * UINT64_C(0x9e3779b97f4a7c15);

	return &s->cache[spread >> 32 & (STORE_CACHE_BUCKETS - 1)];
}

enum err sql_use(struct store *s, const char *text, struct sql **ret_sql)
{
	struct sql **bucket = bucket_of(s, text);
	struct sql *q = *bucket;
	enum err e = refuse(s);

	if (e != ERR_OK)
		return e;
	while (q != NULL && q->key != text)
		q = q->next;
	if (q == NULL) {
		e = store_prepare(s, bytes_str(text), &q);
		if (e != ERR_OK)
			return e;
		q->key = text;
		q->next = *bucket;
		*bucket = q;
	}
	REQUIRE(!q->is_busy);
	q->is_busy = true;
	q->bind_rc = SQLITE_OK;
	*ret_sql = q;
	return ERR_OK;
}

/* Reading tables and calling functions; no ATTACH, no PRAGMA, no secrets. */
static int on_authorize(void *arg, int action, const char *first, const char *second,
			const char *database, const char *trigger)
{
	(void)arg;
	(void)second;
	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_READ:
		if (sqlite3_stricmp(first, "invitation") == 0 ||
		    sqlite3_stricmp(first, "setting") == 0)
			return SQLITE_DENY;
		return SQLITE_OK;
	case SQLITE_SELECT:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE: return SQLITE_OK;
	default: return SQLITE_DENY;
	}
}

enum err sql_use_text(struct store *s, struct bytes text, struct sql **ret_sql)
{
	AUTO(mem_free) struct sql *q = mem_alloc_zero(sizeof *q);
	struct sqlite3_stmt *second = NULL;
	const char *tail = NULL;
	enum err e = refuse(s);
	int rc;

	if (e != ERR_OK)
		return e;
	if (text.len > INT32_MAX)
		return err_raise(ERR_TOOBIG, "statement of %zu bytes", text.len);
	q->store = s;
	sqlite3_set_authorizer(s->db, on_authorize, NULL);
	rc = sqlite3_prepare_v3(s->db, text.len != 0 ? (const char *)text.data : "", (int)text.len,
				0, &q->stmt, &tail);
	if (rc == SQLITE_OK && q->stmt != NULL)
		rc = sqlite3_prepare_v3(s->db, tail,
					(int)(text.len - (size_t)(tail - (const char *)text.data)),
					0, &second, NULL);
	sqlite3_set_authorizer(s->db, NULL, NULL);
	if (rc != SQLITE_OK || second != NULL || q->stmt == NULL) {
		e = rc != SQLITE_OK ? store_from_sqlite(s, rc, "statement")
				    : err_raise(ERR_INVAL, "one statement, not %s",
						second != NULL ? "several" : "none");
		sqlite3_finalize(second);
		sqlite3_finalize(q->stmt);
		return e;
	}
	q->is_busy = true;
	q->is_once = true;
	*ret_sql = MOVE(q);
	return ERR_OK;
}

void sql_done(struct sql *q)
{
	if (q->is_once) {
		store_finalize(q);
		return;
	}
	/* The code of the failed step again; it was returned there. */
	(void)sqlite3_reset(q->stmt);
	(void)sqlite3_clear_bindings(q->stmt);
	q->is_busy = false;
}

void store_drop_statements(struct store *s)
{
	for (size_t i = 0; i < STORE_CACHE_BUCKETS; i++) {
		while (s->cache[i] != NULL) {
			struct sql *q = s->cache[i];

			REQUIRE(!q->is_busy);
			s->cache[i] = q->next;
			store_finalize(q);
		}
	}
}

static void note_bind(struct sql *q, int rc)
{
	if (q->bind_rc == SQLITE_OK)
		q->bind_rc = rc;
}

void sql_bind_int(struct sql *q, int position, int64_t value)
{
	note_bind(q, sqlite3_bind_int64(q->stmt, position, value));
}

void sql_bind_null(struct sql *q, int position)
{
	note_bind(q, sqlite3_bind_null(q->stmt, position));
}

void sql_bind_text(struct sql *q, int position, struct bytes text)
{
	const char *data = text.len != 0 ? (const char *)text.data : "";

	note_bind(q, sqlite3_bind_text64(q->stmt, position, data, text.len, SQLITE_STATIC,
					 SQLITE_UTF8));
}

void sql_bind_blob(struct sql *q, int position, struct bytes blob)
{
	const void *data = blob.len != 0 ? (const void *)blob.data : "";

	note_bind(q, sqlite3_bind_blob64(q->stmt, position, data, blob.len, SQLITE_STATIC));
}

void sql_bind_text_or_null(struct sql *q, int position, struct bytes text)
{
	if (text.len == 0)
		sql_bind_null(q, position);
	else
		sql_bind_text(q, position, text);
}

int sql_parameter(struct sql *q, const char *name)
{
	return sqlite3_bind_parameter_index(q->stmt, name);
}

enum err sql_step(struct sql *q, bool *ret_is_row)
{
	struct store *s = q->store;
	enum err e = refuse(s);
	int rc = q->bind_rc;

	if (e != ERR_OK)
		return e;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q->stmt);
	e = store_from_sqlite(s, rc, sqlite3_sql(q->stmt));
	if (e != ERR_OK)
		return e;
	*ret_is_row = rc == SQLITE_ROW;
	return ERR_OK;
}

enum err sql_run(struct sql *q)
{
	bool is_row = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && is_row)
		e = sql_step(q, &is_row);
	return e;
}

enum err sql_run_row(struct sql *q)
{
	bool is_row = false;
	enum err e = sql_step(q, &is_row);

	if (e != ERR_OK)
		return e;
	return is_row ? ERR_OK : ERR_NOTFOUND;
}

int sql_column_count(struct sql *q)
{
	return sqlite3_column_count(q->stmt);
}

const char *sql_column_name(struct sql *q, int column)
{
	return sqlite3_column_name(q->stmt, column);
}

int64_t sql_int(struct sql *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

double sql_real(struct sql *q, int column)
{
	return sqlite3_column_double(q->stmt, column);
}

struct bytes sql_text(struct sql *q, int column)
{
	const void *data = sqlite3_column_text(q->stmt, column);

	return bytes_of(data, (size_t)sqlite3_column_bytes(q->stmt, column));
}

struct bytes sql_blob(struct sql *q, int column)
{
	const void *data = sqlite3_column_blob(q->stmt, column);

	return bytes_of(data, (size_t)sqlite3_column_bytes(q->stmt, column));
}

struct bytes sql_text_copy(struct sql *q, int column, struct arena *a)
{
	return arena_copy(a, sql_text(q, column));
}

struct bytes sql_blob_copy(struct sql *q, int column, struct arena *a)
{
	return arena_copy(a, sql_blob(q, column));
}

enum sql_kind sql_kind(struct sql *q, int column)
{
	switch (sqlite3_column_type(q->stmt, column)) {
	case SQLITE_INTEGER: return SQL_INT;
	case SQLITE_FLOAT: return SQL_REAL;
	case SQLITE_TEXT: return SQL_TEXT;
	case SQLITE_BLOB: return SQL_BLOB;
	default: return SQL_NULL;
	}
}

static int on_progress(void *arg)
{
	const struct store *s = arg;

	return clock_monotonic_ms(s->clock) >= s->deadline;
}

void sql_limit_time(struct store *s, const struct clock *clock, int64_t limit_ms)
{
	if (limit_ms == 0) {
		sqlite3_progress_handler(s->db, 0, NULL, NULL);
		return;
	}
	s->clock = clock;
	s->deadline = clock_monotonic_ms(clock) + limit_ms;
	sqlite3_progress_handler(s->db, CLOCK_STEPS, on_progress, s);
}

int64_t sql_last_row(struct store *s)
{
	return sqlite3_last_insert_rowid(s->db);
}

int64_t sql_changed_rows(struct store *s)
{
	return sqlite3_changes64(s->db);
}
