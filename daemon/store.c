#define LOG_TAG "store"

#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/store_backup.h"
#include "daemon/store_private.h"

#define APPLICATION_ID  0x43545848 /* "CTXH" */
#define PATH_LEN        4096u
#define WAL_LIMIT_BYTES "67108864"

/* ---- before SQLite sees the file ---- */

/*
 * A failed fsync leaves pages in the cache that never reached the disk and look
 * clean; a WAL replayed from them loses what was acknowledged later. So whatever
 * the cache holds is written or dropped before the file is opened. SQLite must not have the file
 * open in this process: closing any descriptor of it would drop SQLite's locks.
 */
static enum err drop_cache(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum err e = ERR_OK;
	int rc;

	if (fd < 0 && errno == ENOENT)
		return ERR_OK;
	if (fd < 0)
		return err_raise(ERR_IO, "open %s: %s", path, strerror(errno));
	if (fdatasync(fd) != 0)
		e = err_raise(ERR_IO, "fdatasync %s: %s", path, strerror(errno));
	rc = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (e == ERR_OK && rc != 0)
		e = err_raise(ERR_IO, "posix_fadvise %s: %s", path, strerror(rc));
	(void)close(fd);
	return e;
}

static enum err drop_caches(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		char name[PATH_LEN];
		int len = snprintf(name, sizeof name, "%s%s", path, endings[i]);
		enum err e;

		if (len < 0 || (size_t)len >= sizeof name)
			return err_raise(ERR_INVAL, "path too long: %s", path);
		e = drop_cache(name);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* ---- settings of the connection, each read back ---- */

struct pragma {
	const char *set; /* NULL: only read */
	const char *get;
	const char *want;
	bool is_writer_only;
};

static const struct pragma pragmas[] = {
	{"PRAGMA trusted_schema=OFF", "PRAGMA trusted_schema", "0", false},
	{"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", "1", false},
	{"PRAGMA mmap_size=0", "PRAGMA mmap_size", "0", false},
	{"PRAGMA busy_timeout=0", "PRAGMA busy_timeout", "0", false},
	{"PRAGMA foreign_keys=ON", "PRAGMA foreign_keys", "1", false},
	{"PRAGMA wal_autocheckpoint=0", "PRAGMA wal_autocheckpoint", "0", false},
	{"PRAGMA journal_mode=WAL", "PRAGMA journal_mode", "wal", true},
	{"PRAGMA synchronous=FULL", "PRAGMA synchronous", "2", false},
	{"PRAGMA secure_delete=ON", "PRAGMA secure_delete", "1", true},
	{"PRAGMA journal_size_limit=" WAL_LIMIT_BYTES, "PRAGMA journal_size_limit", WAL_LIMIT_BYTES,
	 true},
	{"PRAGMA cache_size=-32768", "PRAGMA cache_size", "-32768", true},
	{"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", "2", true},
};

/* A report over millions of records sorts and joins more than a daemon may hold in memory: what is
 * beyond the page cache goes to an unlinked file. */
static const struct pragma reader_pragmas[] = {
	{"PRAGMA temp_store=FILE", "PRAGMA temp_store", "1", false},
	{"PRAGMA query_only=ON", "PRAGMA query_only", "1", false},
};

static enum err read_back(struct store *s, const char *get, const char *want)
{
	AUTO(store_finalize) struct sql *q = NULL;
	enum err e = store_prepare(s, bytes_str(get), &q);

	if (e != ERR_OK)
		return e;
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	if (!bytes_is(sql_text(q, 0), want))
		return err_raise(ERR_IO, "%s is %.*s, not %s: refusing to run", get,
				 BYTES_FMT(sql_text(q, 0)), want);
	return ERR_OK;
}

static enum err apply(struct store *s, const struct pragma *list, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (list[i].is_writer_only && !s->is_writer)
			continue;
		e = store_exec(s, list[i].set);
		if (e == ERR_OK)
			e = read_back(s, list[i].get, list[i].want);
	}
	return e;
}

static enum err apply_pragmas(struct store *s)
{
	enum err e = apply(s, pragmas, sizeof pragmas / sizeof pragmas[0]);

	if (e == ERR_OK && !s->is_writer)
		e = apply(s, reader_pragmas, sizeof reader_pragmas / sizeof reader_pragmas[0]);
	return e;
}

/* What must be said before the process uses SQLite for anything: later it refuses to listen. */
static void configure_process(void)
{
	/* Counting memory takes a lock of all threads at every allocation. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void configure_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, configure_process);
}

void store_set_temp_folder(const char *folder)
{
	configure_once();
	if (sqlite3_temp_directory == NULL)
		sqlite3_temp_directory = sqlite3_mprintf("%s", folder);
}

static enum err apply_config(struct store *s)
{
	int is_on = 0;
	int rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &is_on);

	if (rc != SQLITE_OK || is_on != 1)
		return err_raise(ERR_IO, "SQLITE_DBCONFIG_DEFENSIVE cannot be set");
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_extended_result_codes(s->db, 1);
	if (s->is_writer)
		return ERR_OK;
	/* Only the writer checkpoints: two connections doing so meet the WAL-reset bug. */
	rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, &is_on);
	if (rc != SQLITE_OK || is_on != 1)
		return err_raise(ERR_IO, "SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE cannot be set");
	return ERR_OK;
}

static int on_commit_to_wal(void *arg, struct sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = (uint64_t)pages;
	return SQLITE_OK;
}

/* Ours, or empty and to be made ours. */
static enum err check_identity(struct store *s)
{
	AUTO(store_finalize) struct sql *q = NULL;
	AUTO(store_finalize) struct sql *tables = NULL;
	enum err e = store_prepare(s, BYTES_LIT("PRAGMA application_id"), &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	if (sql_int(q, 0) == APPLICATION_ID)
		return ERR_OK;
	e = store_prepare(s, BYTES_LIT("SELECT count(*) FROM sqlite_schema"), &tables);
	if (e == ERR_OK)
		e = sql_run_row(tables);
	if (e != ERR_OK)
		return e;
	if (sql_int(q, 0) != 0 || sql_int(tables, 0) != 0 || !s->is_writer)
		return err_raise(ERR_CORRUPT, "the file is another program's database");
	/* Statements must be finished before the id is written. */
	store_finalize(MOVE(q));
	store_finalize(MOVE(tables));
	return store_exec(s, "PRAGMA application_id=1129601096");
}

_Static_assert(APPLICATION_ID == 1129601096, "as in the text above");

/* ---- open and close ---- */

static enum err open_file(struct store *s, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int rc;

	if (s->is_writer)
		flags |= SQLITE_OPEN_CREATE;
	configure_once();
	rc = sqlite3_open_v2(path, &s->db, flags, NULL);
	REQUIRE(rc != SQLITE_NOMEM && s->db != NULL);
	return store_from_sqlite(s, rc, path);
}

static enum err connect_to(const char *path, bool is_writer, struct store **ret_store)
{
	AUTO(store_close) struct store *s = mem_alloc_zero(sizeof *s);
	enum err e;

	s->is_writer = is_writer;
	e = open_file(s, path);
	if (e == ERR_OK)
		e = apply_config(s);
	if (e == ERR_OK)
		e = check_identity(s);
	if (e == ERR_OK)
		e = apply_pragmas(s);
	if (e == ERR_OK)
		*ret_store = MOVE(s);
	return e;
}

enum err store_open_as_is(const char *path, struct store **ret_store)
{
	enum err e = drop_caches(path);

	return e == ERR_OK ? connect_to(path, true, ret_store) : e;
}

static enum err open_store(const char *path, const struct schema *schema, bool is_writer,
			   struct store **ret_store)
{
	AUTO(store_close) struct store *s = NULL;
	enum err e = connect_to(path, is_writer, &s);

	if (e != ERR_OK)
		return e;
	s->schema = schema;
	if (is_writer) {
		(void)sqlite3_wal_hook(s->db, on_commit_to_wal, s);
		e = store_migrate(s);
		if (e == ERR_OK)
			e = schema != NULL ? store_use_schema(s, schema) : store_load_tables(s);
		if (e == ERR_OK)
			e = store_seed_clock(s);
	} else {
		e = store_load_tables(s);
	}
	if (e != ERR_OK)
		return e;
	*ret_store = MOVE(s);
	return ERR_OK;
}

enum err store_open_writer(const char *path, const struct schema *schema, struct store **ret_store)
{
	enum err e = drop_caches(path);

	if (e != ERR_OK)
		return e;
	return open_store(path, schema, true, ret_store);
}

enum err store_open_reader(const char *path, const struct schema *schema, struct store **ret_store)
{
	return open_store(path, schema, false, ret_store);
}

static void finalize_tables(struct store *s)
{
	for (size_t i = 0; i < s->table_count; i++) {
		struct table *t = &s->tables[i];

		store_finalize(t->load);
		store_finalize(t->load_batch);
		store_finalize(t->page);
		store_finalize(t->rows);
		store_finalize(t->insert);
		store_finalize(t->update);
		store_finalize(t->update_plain);
		store_finalize(t->changed);
		store_finalize(t->passed);
	}
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_copy_end(s);
	store_drop_statements(s);
	finalize_tables(s);
	/* After a fatal error nothing may be written again: no checkpoint at close. */
	if (s->fatal != ERR_OK && s->db != NULL)
		(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	(void)sqlite3_close(s->db);
	mem_free(s->writers);
	mem_free(s->writer_of);
	mem_free((void *)s->values);
	mem_free(s->lost_values);
	buf_clear(&s->stamps);
	buf_clear(&s->extra);
	buf_clear(&s->touched);
	buf_clear(&s->packed);
	arena_clear(&s->memory);
	mem_free(s);
}

/* ---- transactions ---- */

/* Prepared once a connection: compiled anew for each contact they were a thirtieth of its work. */
static enum err run(struct store *s, const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	return e == ERR_OK ? sql_run(q) : e;
}

static const char sql_begin[] = "BEGIN IMMEDIATE";
static const char sql_begin_to_read[] = "BEGIN";
static const char sql_look[] = "SELECT 1 FROM setting LIMIT 1";
static const char sql_commit[] = "COMMIT";
static const char sql_rollback[] = "ROLLBACK";
static const char sql_mark[] = "SAVEPOINT mark";
static const char sql_mark_keep[] = "RELEASE mark";
static const char sql_mark_undo[] = "ROLLBACK TO mark";

enum err store_begin(struct store *s)
{
	enum err e;

	REQUIRE(!s->is_in_transaction);
	e = run(s, s->is_writer ? sql_begin : sql_begin_to_read);
	if (e != ERR_OK)
		return e;
	s->is_in_transaction = true;
	s->hlc_before[0] = s->hlc;
	if (s->is_writer)
		return ERR_OK;
	/* The first read fixes the snapshot, not BEGIN. */
	e = run(s, sql_look);
	if (e != ERR_OK)
		store_rollback(s);
	return e;
}

enum err store_commit(struct store *s)
{
	enum err e;

	REQUIRE(s->is_in_transaction && s->marks == 0);
	e = run(s, sql_commit);
	if (e != ERR_OK) {
		store_rollback(s);
		return e;
	}
	s->is_in_transaction = false;
	return ERR_OK;
}

void store_rollback(struct store *s)
{
	if (!s->is_in_transaction)
		return;
	/* SQLite may have rolled back itself; after a fatal error nothing is touched. */
	if (s->fatal == ERR_OK && sqlite3_get_autocommit(s->db) == 0)
		(void)run(s, sql_rollback);
	s->is_in_transaction = false;
	s->marks = 0;
	s->lost = ERR_OK;
	s->hlc = s->hlc_before[0];
}

enum err store_mark(struct store *s)
{
	enum err e;

	REQUIRE(s->is_in_transaction && s->marks < STORE_MARKS_MAX);
	e = run(s, sql_mark);
	if (e == ERR_OK)
		s->hlc_before[++s->marks] = s->hlc;
	return e;
}

enum err store_mark_keep(struct store *s)
{
	enum err e;

	REQUIRE(s->marks != 0);
	e = run(s, sql_mark_keep);
	if (e == ERR_OK)
		s->marks--;
	return e;
}

void store_mark_undo(struct store *s)
{
	REQUIRE(s->marks != 0);
	s->hlc = s->hlc_before[s->marks--];
	/* A transaction that died took its marks along; store_commit() will say so. */
	if (s->fatal != ERR_OK || s->lost != ERR_OK)
		return;
	if (run(s, sql_mark_undo) == ERR_OK)
		(void)run(s, sql_mark_keep);
}

enum err store_checkpoint(struct store *s)
{
	int pages = 0;
	int moved = 0;
	enum err e = s->fatal;

	REQUIRE(s->is_writer && !s->is_in_transaction);
	if (e != ERR_OK)
		return e;
	e = store_from_sqlite(
		s,
		sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved),
		"checkpoint");
	if (e != ERR_OK)
		return e;
	/* What readers still need stays; the next write starts over when all was moved. */
	s->wal_pages = (uint64_t)(pages - moved);
	return ERR_OK;
}

uint64_t store_wal_pages(const struct store *s)
{
	return s->wal_pages;
}

const struct schema *store_schema(const struct store *s)
{
	return s->schema;
}

/* ---- settings ---- */

static const char query_get_setting[] = "SELECT value FROM setting WHERE name = ?";
static const char query_put_setting[] = "INSERT INTO setting(name, value) VALUES(?, ?) "
					"ON CONFLICT(name) DO UPDATE SET value = excluded.value";

enum err store_get_setting(struct store *s, struct arena *a, const char *name,
			   struct bytes *ret_value)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_get_setting, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, bytes_str(name));
	e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_value = sql_blob_copy(q, 0, a);
	return e;
}

enum err store_put_setting(struct store *s, const char *name, struct bytes value)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put_setting, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, bytes_str(name));
	sql_bind_blob(q, 2, value);
	return sql_run(q);
}
