/*
 * vault_internal - what the files of the vault share among themselves.
 *
 * Statements are prepared once and kept; SQL stands in vault_sql.c and nowhere
 * else. SQLite's codes end there, too.
 */
#pragma once

#include "client/vault.h"

struct sqlite3;
struct sqlite3_stmt;

enum vault_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_WRAP_LOAD,
	SQL_WRAP_PUT,
	SQL_STATE_LOAD,
	SQL_STATE_PUT,
	SQL_DOC_LOAD,
	SQL_DOC_PUT,
	SQL_DOC_REMOVE,
	SQL_RECORD_LOAD,
	SQL_RECORD_PUT,
	SQL_RECORD_REMOVE,
	SQL_RECORD_MATCH,
	SQL_RECORD_EACH,
	SQL_FIND_COUNTS,
	SQL_FIND_NEXT,
	SQL_FIND_LOAD,
	SQL_FIND_RECORDS,
	SQL_FIND_PUT,
	SQL_FIND_REMOVE,
	SQL_FIND_FORGET,
	SQL_STRAY_COUNT,
	SQL_STRAYS,
	SQL_RECORD_FORMER,
	SQL_CHANGE_ADD,
	SQL_CHANGE_REMOVE,
	SQL_CHANGE_NUMBER,
	SQL_CHANGE_REFUSE,
	SQL_CHANGE_SHELVE,
	SQL_CHANGE_CLEAR,
	SQL_CHANGES_OF,
	SQL_DRAFTS,
	SQL_CHANGES_UPTO,
	SQL_COUNTS,
	SQL_OUTBOX_ADD,
	SQL_OUTBOX_LOAD,
	SQL_OUTBOX_DROP,
	SQL_OUTBOX_CUT,
	SQL_OUTBOX_HEAD,
	SQL_OUTBOX_BEFORE,
	SQL_RECEIPT_ADD,
	SQL_RECEIPT_EACH,
	SQL_NOTICE_PUT,
	SQL_NOTICE_LOAD,
	SQL_NOTICE_CLOSE,
	SQL_NOTICE_REMOVE,
	SQL_NOTICE_LOWEST,
	SQL_NOTICES,
	SQL_CHECK_ORPHAN_CHANGES,
	SQL_CHECK_WAITING,
	SQL_CHECK_DOUBLE_NUMBERS,
	SQL_COUNT_OF, /* how many there are */
};

/* Parts of the table `find` whose records this transaction has written; some of them twice. */
struct vault_touched {
	int64_t *parts;
	size_t count;
	size_t capacity;
};

struct vault {
	struct sqlite3 *db;
	struct sqlite3_stmt *statements[SQL_COUNT_OF];
	struct rand *rand;
	uint8_t *key; /* a page of its own, not swapped, not dumped; NULL while locked */
	char *home;
	int lock_fd;
	bool is_in_transaction;
	bool is_cache_suspect; /* a read or write failed: the next to open drops the page cache */
	struct vault_state state;     /* as in this transaction */
	struct vault_state committed; /* as on the disk */
	struct vault_touched touched;
};

/* A statement in use: bind, step, read; AUTO(query_end) makes it ready for the next. */
struct query {
	struct sqlite3_stmt *stmt;
	struct vault *vault;
};

void query_end(struct query *q);
static inline void query_end_auto(struct query *q)
{
	query_end(q);
}

enum err query_start(struct vault *v, enum vault_sql sql, struct query *ret_query);
void query_bind_int(struct query *q, int at, int64_t n);
void query_bind_null(struct query *q, int at);
/* Borrowed until the step. */
void query_bind_blob(struct query *q, int at, struct bytes data);
void query_bind_text(struct query *q, int at, const char *text);
enum err query_row(struct query *q, bool *ret_has_row);
/* A statement without rows; ERR_CONFLICT: a key is there already. */
enum err query_run(struct query *q);
int64_t query_int(struct query *q, int at);
bool query_is_null(struct query *q, int at);
/* Borrowed until the next step. */
struct bytes query_blob(struct query *q, int at);

/* vault_sql.c: opening and making the file. ERR_CONFLICT: is_new, and there is a vault. */
enum err vault_db_open(struct vault *v, const char *path, bool is_new);
enum err vault_db_make_tables(struct vault *v);
void vault_db_close(struct vault *v);
bool vault_db_is_idle(struct vault *v);
/* Outside a transaction. */
enum err vault_db_sweep(struct vault *v);
/* "ok", or what is wrong, line by line. */
enum err vault_db_quick_check(struct vault *v, vault_problem_fn problem, void *arg);

/*
 * Sealing of one row: `table` and `key` are bound to it, so that a row cannot be
 * put in another's place. REQUIREs an unlocked vault.
 */
void vault_seal(struct vault *v, const char *table, struct bytes key, struct bytes plain,
		struct buf *out);
/* ERR_CORRUPT: it does not open; `a` gets the plain bytes. */
enum err vault_unseal(struct vault *v, struct arena *a, const char *table, struct bytes key,
		      struct bytes sealed, struct bytes *ret_plain);
/* The eight bytes of a number, as a row's key. */
struct vault_row_key {
	uint8_t bytes[8];
};
struct vault_row_key vault_row_key(int64_t n);

/* The record state sealed in column `body_at` of a row whose id is in `id_at`. */
enum err vault_record_open(struct query *q, struct arena *a, int id_at, int body_at,
			   struct record *ret_record);

/* vault_find.c: that row `key` of the table `record` is written or removed. */
void vault_find_touch(struct vault *v, int64_t key);
/* Makes the parts touched anew, before the commit. */
enum err vault_find_flush(struct vault *v);
/* How many parts are not what their records say, or do not open. One that is not there is made
 * when it is asked for. */
enum err vault_find_check(struct vault *v, size_t *ret_wrong);

/* Is there such a document? Needs no key. */
enum err vault_doc_is_there(struct vault *v, const char *name, bool *ret_is);
enum err vault_doc_remove(struct vault *v, const char *name);
/* A document as a table of fields says. ERR_NOTFOUND; ERR_CORRUPT: it cannot be read. */
struct shape;
enum err vault_doc_load_shaped(struct vault *v, struct arena *a, const char *name,
			       const struct shape *shape, void *ret);
enum err vault_doc_put_shaped(struct vault *v, const char *name, const struct shape *shape,
			      const void *what);

/* vault_key.c */
enum err vault_wrap_new(struct vault *v, const struct vault_kdf *kdf, struct bytes passphrase);
uint8_t *vault_key_page(void);
void vault_key_page_free(uint8_t *page);

/* Lock file (vault_file.c). */
enum err vault_lock(struct vault *v);
void vault_unlock_file(struct vault *v, bool is_clean);
/* Before the first open after a crash: what lies in the page cache is not believed. */
enum err vault_distrust_cache(const char *path);
