#define LOG_TAG "vault"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "common/base/log.h"

#define VAULT_APPLICATION_ID 0x63747868 /* "ctxh" */
#define VAULT_FORMAT         2
#define LOG_KEPT_BYTES       (2 << 20) /* twice what is taken over at a time */

/* What a vault of format 1 lacks, and what a new one has besides. */
static const char find_sql[] =
	"CREATE TABLE find ("
	" part INTEGER PRIMARY KEY, count INTEGER NOT NULL CHECK (count > 0),"
	" body BLOB NOT NULL) STRICT;";

static const char schema_sql[] =
	"CREATE TABLE wrap ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" salt BLOB NOT NULL, passes INTEGER NOT NULL, memory INTEGER NOT NULL,"
	" wrapped BLOB NOT NULL) STRICT;"
	"CREATE TABLE state ("
	" id INTEGER PRIMARY KEY CHECK (id = 1),"
	" hlc INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0,"
	" number INTEGER NOT NULL DEFAULT 0, counter INTEGER NOT NULL DEFAULT 0,"
	" acked INTEGER NOT NULL DEFAULT 0, backed_up INTEGER NOT NULL DEFAULT 0,"
	" generation INTEGER NOT NULL DEFAULT 0, notice INTEGER NOT NULL DEFAULT 0,"
	" is_pull_complete INTEGER NOT NULL DEFAULT 0, units_version INTEGER NOT NULL DEFAULT 0,"
	" last_receipt_ms INTEGER NOT NULL DEFAULT 0, has_clock_offset INTEGER NOT NULL DEFAULT 0,"
	" clock_offset_ms INTEGER NOT NULL DEFAULT 0, standing INTEGER NOT NULL DEFAULT 0,"
	" log INTEGER NOT NULL DEFAULT 0,"
	" chain BLOB NOT NULL DEFAULT (zeroblob(32)),"
	" acked_chain BLOB NOT NULL DEFAULT (zeroblob(32)),"
	" epoch BLOB NOT NULL DEFAULT (zeroblob(16)),"
	" schema_version BLOB NOT NULL DEFAULT (zeroblob(8)),"
	" CHECK (acked <= number AND backed_up <= acked)) STRICT;"
	"INSERT INTO state (id) VALUES (1);"
	"CREATE TABLE doc (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;"
	"CREATE TABLE record ("
	" key INTEGER PRIMARY KEY,"
	" id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),"
	" number INTEGER NOT NULL, generation INTEGER NOT NULL,"
	" is_evicted INTEGER NOT NULL,"
	" office BLOB," /* NULL: as body; empty: nothing there; else sealed */
	" body BLOB NOT NULL) STRICT;"
	"CREATE TABLE change ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id BLOB NOT NULL CHECK (length(id) = 16),"
	" number INTEGER, is_refused INTEGER NOT NULL,"
	" body BLOB NOT NULL,"
	" CHECK (number IS NOT NULL OR is_refused = 0)) STRICT;"
	"CREATE INDEX change_id ON change (id);"
	"CREATE INDEX change_number ON change (number);"
	"CREATE TABLE outbox ("
	" first INTEGER PRIMARY KEY, count INTEGER NOT NULL CHECK (count > 0),"
	" before BLOB NOT NULL CHECK (length(before) = 32),"
	" head BLOB NOT NULL CHECK (length(head) = 32),"
	" wire BLOB NOT NULL) STRICT;"
	"CREATE TABLE receipt ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" number INTEGER NOT NULL, at INTEGER NOT NULL, wire BLOB NOT NULL) STRICT;"
	"CREATE TABLE notice ("
	" notice INTEGER PRIMARY KEY, is_accepted INTEGER NOT NULL, body BLOB NOT NULL) STRICT;";

/* Pending of a record: 3 refused, 2 draft, 1 waiting, NULL none. */
#define RECORD_COLUMNS                                                                        \
	"SELECT r.id, r.number, r.generation, r.is_evicted, r.office, r.body,"                \
	" (SELECT max(CASE WHEN c.is_refused THEN 3 WHEN c.number IS NULL THEN 2 ELSE 1 END)" \
	"  FROM change c WHERE c.id = r.id)"                                                  \
	" FROM record r "
/* What the office never had is empty there. */
#define WHERE_STRAY                                     \
	"WHERE r.generation < ?1 AND r.is_evicted = 0 " \
	"AND (r.office IS NULL OR length(r.office) > 0)"
#define CHANGE_COLUMNS "SELECT seq, number, is_refused, body, id FROM change "

static const char *const sql_text[SQL_COUNT_OF] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_WRAP_LOAD] = "SELECT salt, passes, memory, wrapped FROM wrap WHERE id = 1",
	[SQL_WRAP_PUT] = "INSERT OR REPLACE INTO wrap (id, salt, passes, memory, wrapped)"
			 " VALUES (1, ?1, ?2, ?3, ?4)",
	[SQL_STATE_LOAD] = "SELECT hlc, seen, number, counter, acked, backed_up, generation,"
			   " notice, is_pull_complete, units_version, last_receipt_ms,"
			   " has_clock_offset, clock_offset_ms, standing, log, chain, acked_chain,"
			   " epoch, schema_version FROM state WHERE id = 1",
	[SQL_STATE_PUT] = "UPDATE state SET hlc = ?1, seen = ?2, number = ?3, counter = ?4,"
			  " acked = ?5, backed_up = ?6, generation = ?7, notice = ?8,"
			  " is_pull_complete = ?9, units_version = ?10, last_receipt_ms = ?11,"
			  " has_clock_offset = ?12, clock_offset_ms = ?13, standing = ?14,"
			  " log = ?15, chain = ?16, acked_chain = ?17, epoch = ?18,"
			  " schema_version = ?19",
	[SQL_DOC_LOAD] = "SELECT body FROM doc WHERE name = ?1",
	[SQL_DOC_PUT] = "INSERT INTO doc (name, body) VALUES (?1, ?2)"
			" ON CONFLICT (name) DO UPDATE SET body = excluded.body",
	[SQL_DOC_REMOVE] = "DELETE FROM doc WHERE name = ?1",
	[SQL_RECORD_LOAD] = RECORD_COLUMNS "WHERE r.id = ?1",
	[SQL_RECORD_PUT] = "INSERT INTO record (id, number, generation, is_evicted, office, body)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET"
			   " number = excluded.number, generation = excluded.generation,"
			   " is_evicted = excluded.is_evicted, office = excluded.office,"
			   " body = excluded.body RETURNING key",
	[SQL_RECORD_REMOVE] = "DELETE FROM record WHERE id = ?1 RETURNING key",
	[SQL_RECORD_MATCH] =
		"SELECT id FROM record WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT 2",
	[SQL_RECORD_EACH] = RECORD_COLUMNS "ORDER BY r.id",
	[SQL_FIND_COUNTS] = "SELECT (SELECT count(*) FROM record),"
			    " (SELECT ifnull(sum(count), 0) FROM find)",
	[SQL_FIND_NEXT] = "SELECT min(part) FROM ("
			  "SELECT min(part) AS part FROM find WHERE part >= ?1 UNION ALL"
			  " SELECT min(key) / ?2 FROM record WHERE key >= ?1 * ?2)",
	[SQL_FIND_LOAD] = "SELECT body FROM find WHERE part = ?1",
	[SQL_FIND_RECORDS] = "SELECT id, body FROM record WHERE key >= ?1 AND key < ?2"
			     " ORDER BY key",
	[SQL_FIND_PUT] = "INSERT INTO find (part, count, body) VALUES (?1, ?2, ?3)"
			 " ON CONFLICT (part) DO UPDATE SET"
			 " count = excluded.count, body = excluded.body",
	[SQL_FIND_REMOVE] = "DELETE FROM find WHERE part = ?1",
	[SQL_FIND_FORGET] = "DELETE FROM find",
	[SQL_STRAY_COUNT] = "SELECT count(*) FROM record r " WHERE_STRAY,
	[SQL_STRAYS] =
		"SELECT r.id FROM record r " WHERE_STRAY " ORDER BY r.key LIMIT ?2 OFFSET ?3",
	[SQL_RECORD_FORMER] =
		"UPDATE record SET number = CASE WHEN number < 0 AND ?2 OR number BETWEEN 1 AND ?1"
		" THEN -1 ELSE 0 END WHERE number <> 0",
	[SQL_CHANGE_ADD] =
		"INSERT INTO change (id, number, is_refused, body) VALUES (?1, ?2, ?3, ?4)",
	[SQL_CHANGE_REMOVE] = "DELETE FROM change WHERE seq = ?1",
	[SQL_CHANGE_NUMBER] = "UPDATE change SET number = ?2 WHERE seq = ?1",
	[SQL_CHANGE_REFUSE] = "UPDATE change SET is_refused = ?2 WHERE seq = ?1",
	[SQL_CHANGE_SHELVE] = "UPDATE change SET number = -(?1 + number)"
			      " WHERE is_refused = 1 AND number BETWEEN 1 AND ?2",
	[SQL_CHANGE_CLEAR] = "DELETE FROM change WHERE number IS NULL OR number > 0",
	[SQL_CHANGES_OF] = CHANGE_COLUMNS "WHERE id = ?1 ORDER BY seq",
	[SQL_DRAFTS] = CHANGE_COLUMNS "WHERE number IS NULL ORDER BY seq LIMIT ?1",
	[SQL_CHANGES_UPTO] = CHANGE_COLUMNS "WHERE number <= ?1 AND is_refused = 0 ORDER BY number",
	[SQL_COUNTS] = "SELECT (SELECT count(*) FROM record),"
		       " (SELECT count(*) FROM change WHERE number IS NULL),"
		       " (SELECT count(*) FROM change WHERE number IS NOT NULL AND is_refused = 0),"
		       " (SELECT count(*) FROM change WHERE is_refused = 1),"
		       " (SELECT count(*) FROM outbox),"
		       " (SELECT count(*) FROM notice WHERE is_accepted = 0)",
	[SQL_OUTBOX_ADD] = "INSERT INTO outbox (first, count, before, head, wire)"
			   " VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_OUTBOX_LOAD] = "SELECT first, count, before, head, wire FROM outbox"
			    " WHERE first > ?1 ORDER BY first",
	[SQL_OUTBOX_DROP] = "DELETE FROM outbox WHERE first + count - 1 <= ?1",
	[SQL_OUTBOX_CUT] = "UPDATE outbox SET wire = ?2 WHERE first = ?1",
	[SQL_OUTBOX_HEAD] = "SELECT head FROM outbox WHERE first + count - 1 = ?1",
	[SQL_OUTBOX_BEFORE] = "SELECT before FROM outbox WHERE first = ?1",
	[SQL_RECEIPT_ADD] = "INSERT INTO receipt (number, at, wire) VALUES (?1, ?2, ?3)",
	[SQL_RECEIPT_EACH] = "SELECT wire FROM receipt ORDER BY seq",
	[SQL_NOTICE_PUT] = "INSERT INTO notice (notice, is_accepted, body) VALUES (?1, ?2, ?3)"
			   " ON CONFLICT (notice) DO UPDATE SET body = excluded.body,"
			   " is_accepted = excluded.is_accepted",
	[SQL_NOTICE_LOAD] = "SELECT notice, is_accepted, body FROM notice WHERE notice = ?1",
	/* `is_accepted` holds an enum vault_notice_state. */
	[SQL_NOTICE_CLOSE] = "UPDATE notice SET is_accepted = max(is_accepted, ?2)"
			     " WHERE notice = ?1",
	[SQL_NOTICE_REMOVE] = "DELETE FROM notice WHERE notice = ?1",
	[SQL_NOTICE_LOWEST] = "SELECT min(notice) FROM notice",
	[SQL_NOTICES] = "SELECT notice, is_accepted, body FROM notice"
			" WHERE is_accepted <= ?1 ORDER BY abs(notice), notice",
	[SQL_CHECK_ORPHAN_CHANGES] = "SELECT count(*) FROM change c"
				     " WHERE NOT EXISTS (SELECT 1 FROM record r WHERE r.id = c.id)",
	[SQL_CHECK_WAITING] = "SELECT (SELECT count(*) FROM change, state WHERE is_refused = 0 AND"
			      " change.number <= state.acked),"
			      " (SELECT count(*) FROM change, state WHERE"
			      " change.number > state.number)",
	[SQL_CHECK_DOUBLE_NUMBERS] = "SELECT count(*) - count(DISTINCT number) FROM change"
				     " WHERE number IS NOT NULL",
};

static enum err from_sqlite(struct vault *v, int rc, const char *what)
{
	const char *text = v->db != NULL ? sqlite3_errmsg(v->db) : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return ERR_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return err_raise(ERR_AGAIN, "%s: %s", what, text);
	case SQLITE_FULL:
		return err_raise(ERR_FULL, "%s/" VAULT_FILE ": %s: %s", v->home, what, text);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		v->is_cache_suspect = true;
		return err_raise(ERR_CORRUPT, "%s/" VAULT_FILE ": %s: %s", v->home, what, text);
	case SQLITE_CONSTRAINT: return err_raise(ERR_CONFLICT, "%s: %s", what, text);
	default:
		v->is_cache_suspect = true;
		return err_raise(ERR_IO, "%s/" VAULT_FILE ": %s: %s", v->home, what, text);
	}
}

enum err query_start(struct vault *v, enum vault_sql sql, struct query *ret_query)
{
	/* Paused, and it could not be resumed: nothing can be said of it until it is. */
	if (v->db == NULL)
		return err_raise(ERR_AGAIN, "the vault is not open now");
	if (v->statements[sql] == NULL) {
		int rc = sqlite3_prepare_v3(v->db, sql_text[sql], -1, SQLITE_PREPARE_PERSISTENT,
					    &v->statements[sql], NULL);

		if (rc != SQLITE_OK)
			return from_sqlite(v, rc, sql_text[sql]);
	}
	*ret_query = (struct query){v->statements[sql], v};
	return ERR_OK;
}

void query_end(struct query *q)
{
	if (q->stmt == NULL)
		return;
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	q->stmt = NULL;
}

void query_bind_int(struct query *q, int at, int64_t n)
{
	int rc = sqlite3_bind_int64(q->stmt, at, n);

	INVARIANT(rc == SQLITE_OK);
}

void query_bind_null(struct query *q, int at)
{
	int rc = sqlite3_bind_null(q->stmt, at);

	INVARIANT(rc == SQLITE_OK);
}

void query_bind_blob(struct query *q, int at, struct bytes data)
{
	/* A NULL pointer would bind NULL, and an empty blob means something else here. */
	const void *from = data.len != 0 ? (const void *)data.data : "";
	int rc = sqlite3_bind_blob64(q->stmt, at, from, data.len, SQLITE_STATIC);

	INVARIANT(rc == SQLITE_OK);
}

void query_bind_text(struct query *q, int at, const char *text)
{
	int rc = sqlite3_bind_text(q->stmt, at, text, -1, SQLITE_STATIC);

	INVARIANT(rc == SQLITE_OK);
}

enum err query_row(struct query *q, bool *ret_has_row)
{
	int rc = sqlite3_step(q->stmt);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return from_sqlite(q->vault, rc, sqlite3_sql(q->stmt));
	*ret_has_row = rc == SQLITE_ROW;
	return ERR_OK;
}

enum err query_run(struct query *q)
{
	bool has_row;

	return query_row(q, &has_row);
}

int64_t query_int(struct query *q, int at)
{
	return sqlite3_column_int64(q->stmt, at);
}

bool query_is_null(struct query *q, int at)
{
	return sqlite3_column_type(q->stmt, at) == SQLITE_NULL;
}

struct bytes query_blob(struct query *q, int at)
{
	const void *data = sqlite3_column_blob(q->stmt, at);

	return bytes_of(data, (size_t)sqlite3_column_bytes(q->stmt, at));
}

static enum err run_text(struct vault *v, const char *sql)
{
	return from_sqlite(v, sqlite3_exec(v->db, sql, NULL, NULL, NULL), sql);
}

/* Sets a pragma and reads it back: a setting that did not take is a promise broken. */
static enum err set_pragma(struct vault *v, const char *set, const char *get, const char *want)
{
	struct sqlite3_stmt *stmt = NULL;
	enum err e = run_text(v, set);

	if (e != ERR_OK)
		return e;
	int rc = sqlite3_prepare_v2(v->db, get, -1, &stmt, NULL);

	if (rc != SQLITE_OK)
		return from_sqlite(v, rc, get);
	rc = sqlite3_step(stmt);
	const char *got = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		e = from_sqlite(v, rc, get);
	else if (got == NULL || strcmp(got, want) != 0)
		e = err_raise(ERR_IO, "%s is %s, not %s", get, got != NULL ? got : "?", want);
	sqlite3_finalize(stmt);
	return e;
}

static enum err configure(struct vault *v)
{
	static const struct {
		const char *set;
		const char *get;
		const char *want;
	} pragmas[] = {
		/* Before the first access, so that no -shm file is needed. */
		{"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA locking_mode", "exclusive"},
		{"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal"},
		{"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2"},
		{"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1"},
		{"PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0"},
		{"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1"},
		{"PRAGMA secure_delete=ON", "PRAGMA secure_delete", "1"},
		{"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2"},
		{"PRAGMA wal_autocheckpoint=256", "PRAGMA wal_autocheckpoint", "256"},
		{"PRAGMA journal_size_limit=67108864", "PRAGMA journal_size_limit", "67108864"},
	};

	sqlite3_db_config(v->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* Closing after every command would else write and sync the file a second time. */
	sqlite3_db_config(v->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_exec(v->db, "PRAGMA mmap_size=0; PRAGMA cache_size=-2000", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof pragmas / sizeof *pragmas; i++) {
		enum err e = set_pragma(v, pragmas[i].set, pragmas[i].get, pragmas[i].want);

		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err read_number(struct vault *v, const char *sql, int64_t *ret_number)
{
	struct sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(v->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*ret_number = sqlite3_column_int64(stmt, 0);
	enum err e = rc == SQLITE_ROW ? ERR_OK : from_sqlite(v, rc, sql);

	sqlite3_finalize(stmt);
	return e;
}

enum err vault_db_make_tables(struct vault *v)
{
	char text[128];
	enum err e = run_text(v, schema_sql);

	if (e == ERR_OK)
		e = run_text(v, find_sql);
	snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 VAULT_APPLICATION_ID, VAULT_FORMAT);
	return e == ERR_OK ? run_text(v, text) : e;
}

/* From format 1: the table of search entries, which are made when they are first asked for. */
static enum err upgrade(struct vault *v)
{
	char text[sizeof find_sql + 128];

	snprintf(text, sizeof text, "BEGIN IMMEDIATE; %s PRAGMA user_version=%d; COMMIT", find_sql,
		 VAULT_FORMAT);
	return run_text(v, text);
}

/* A file without tables is what a crash leaves of an unfinished enrolment: as none. */
static enum err check_format(struct vault *v, bool is_new)
{
	int64_t application = 0;
	int64_t format = 0;
	int64_t tables = 0;
	enum err e = read_number(v, "PRAGMA application_id", &application);

	if (e == ERR_OK)
		e = read_number(v, "PRAGMA user_version", &format);
	if (e == ERR_OK)
		e = read_number(v, "SELECT count(*) FROM sqlite_schema", &tables);
	if (e != ERR_OK)
		return e;
	if (tables == 0)
		return is_new ? ERR_OK : err_raise(ERR_NOTFOUND, "the vault is empty");
	if (application != VAULT_APPLICATION_ID)
		return err_raise(ERR_CORRUPT, "the file is no vault");
	if (is_new)
		return err_raise(ERR_CONFLICT, "there is a vault already");
	if (format == 1)
		return upgrade(v);
	if (format != VAULT_FORMAT)
		return err_raise(ERR_INVAL, "vault of format %lld; this ctxh knows format %d",
				 (long long)format, VAULT_FORMAT);
	return ERR_OK;
}

enum err vault_db_open(struct vault *v, const char *path, bool is_new)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    (is_new ? SQLITE_OPEN_CREATE : 0);
	int rc = sqlite3_open_v2(path, &v->db, flags, NULL);

	if (rc != SQLITE_OK)
		return from_sqlite(v, rc, "open the vault");
	sqlite3_extended_result_codes(v->db, 1);
	enum err e = configure(v);

	return e == ERR_OK ? check_format(v, is_new) : e;
}

/*
 * Every opening reads the log through, also what the file has long taken over, and a first sync or
 * an import leaves one of many megabytes. Emptied here it costs one more sync after such a day.
 */
static void empty_long_log(struct vault *v)
{
	const char *file = sqlite3_db_filename(v->db, "main");
	struct stat st;

	if (file == NULL || v->is_cache_suspect || stat(sqlite3_filename_wal(file), &st) != 0 ||
	    st.st_size <= LOG_KEPT_BYTES)
		return;
	if (sqlite3_wal_checkpoint_v2(v->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) !=
	    SQLITE_OK)
		log_debug("the log could not be emptied: %s", sqlite3_errmsg(v->db));
}

void vault_db_close(struct vault *v)
{
	for (size_t i = 0; i < SQL_COUNT_OF; i++) {
		sqlite3_finalize(v->statements[i]);
		v->statements[i] = NULL;
	}
	if (v->db != NULL)
		empty_long_log(v);
	sqlite3_close(v->db);
	v->db = NULL;
}

bool vault_db_is_idle(struct vault *v)
{
	return sqlite3_get_autocommit(v->db) != 0;
}

enum err vault_db_sweep(struct vault *v)
{
	REQUIRE(!v->is_in_transaction);
	int rc = sqlite3_exec(v->db, "VACUUM", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_wal_checkpoint_v2(v->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	return from_sqlite(v, rc, "sweep the vault");
}

enum err vault_db_quick_check(struct vault *v, vault_problem_fn problem, void *arg)
{
	struct sqlite3_stmt *stmt = NULL;
	bool is_damaged = false;
	int rc = sqlite3_prepare_v2(v->db, "PRAGMA quick_check", -1, &stmt, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			continue;
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		if (text == NULL || strcmp(text, "ok") != 0) {
			is_damaged = true;
			problem(arg, "C1", text != NULL ? text : "?");
		}
	}
	sqlite3_finalize(stmt);
	if (rc != SQLITE_DONE)
		return from_sqlite(v, rc, "check the vault");
	return is_damaged ? err_raise(ERR_CORRUPT, "the vault's file is damaged") : ERR_OK;
}
