/*
 * store_private - what store*.c and schema_sql.c share; nobody else includes it.
 */
#pragma once

#include "common/base/buf.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"

struct batch;
struct pack_writer;
struct sqlite3;
struct sqlite3_stmt;
struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

/* One prepared statement. */
struct sql {
	struct store *store;
	struct sqlite3_stmt *stmt;
	const void *key;  /* address of its text; NULL: not in the cache */
	struct sql *next; /* in the cache's bucket */
	bool is_busy;
	bool is_once; /* finalised by sql_done() */
	int bind_rc;  /* first binding that failed */
};

/* What a column of a typed table holds; kept in table `record_field`, never changed. */
enum column_kind {
	COLUMN_TEXT = 't',
	COLUMN_INT = 'i',
	COLUMN_BOOL = 'b',
	COLUMN_BYTES = 'x',
	COLUMN_UNIT = 'u',   /* our own: unit */
	COLUMN_MERGED = 'm', /* our own: merged_into */
};

struct column {
	struct bytes name;
	enum column_kind kind;
	uint64_t number; /* in the packed stamps */
	int position;    /* of its parameter and result column, see store_record.c */
	bool is_indexed;
};

/* One record type as a table. */
struct table {
	struct bytes type;
	struct bytes kind;      /* "register", "event" */
	struct column *columns; /* sorted by name; our own two among them */
	size_t count;
	struct column **by_number; /* NULL where a number is not used */
	uint64_t number_count;
	/* Prepared when first used. */
	struct sql *load;
	struct sql *load_batch;
	struct sql *page;
	struct sql *rows;
	struct sql *insert;       /* what s->batch has of this table */
	struct sql *update;       /* every column */
	struct sql *update_plain; /* all but indexed fields: these cost an index write each */
	struct sql *changed;
	struct sql *passed;
};

#define STORE_CACHE_BUCKETS 128u
#define STORE_MARKS_MAX     4u

struct store {
	struct sqlite3 *db;
	const struct schema *schema;
	bool is_writer;
	bool is_in_transaction;
	unsigned marks;
	enum err lost;  /* the transaction died on the way (disk full): until store_rollback() */
	enum err fatal; /* I/O error or corruption: for ever */
	bool is_packed; /* since the last deletion that owes a sweep: store_erase.c */
	uint64_t wal_pages;
	struct hlc hlc; /* has observed every device's clock */
	/* As it was when the transaction began, and at each mark in it: what is undone was never
	 * seen. */
	struct hlc hlc_before[1 + STORE_MARKS_MAX];
	struct sql *cache[STORE_CACHE_BUCKETS];
	struct table *tables; /* sorted by type */
	size_t table_count;
	struct arena memory;         /* of the tables; kept until close */
	struct pack_writer *writers; /* scratch of store_put_state(), like the buffers below */
	uint32_t *writer_of;
	size_t writers_cap;
	size_t writer_of_cap;
	struct buf stamps;
	struct buf extra;
	struct buf touched;
	struct buf packed;         /* scratch of the log */
	const struct clock *clock; /* of sql_limit_time() */
	int64_t deadline;
	struct store *next;             /* in the pool of readers */
	struct store_copy *copy;        /* under way; store_backup.c */
	struct store_lost *lost_values; /* store_lost.c; NULL: not asked for yet */
	struct batch *batch;            /* what statements read as table `_batch`; else NULL */
	int batch_columns;
	const struct value **values; /* scratch: of a row's columns, from `unit` on */
	size_t values_cap;
};

/* ---- store_table.c ---- */

enum table_statement {
	STATEMENT_LOAD,
	STATEMENT_LOAD_BATCH,
	STATEMENT_PAGE,
	STATEMENT_ROWS,
	STATEMENT_INSERT,
	STATEMENT_UPDATE,
	STATEMENT_UPDATE_PLAIN,
	STATEMENT_CHANGED,
	STATEMENT_PASSED
};

enum err store_use_table(struct store *s, struct table *t, enum table_statement which,
			 struct sql **ret_sql);
/* *table may be the right one already; else NULL or another. ERR_NOTFOUND. */
enum err store_need_table(struct store *s, struct bytes type, struct table **table);

/* ---- store_batch.c, store_table.c: batches ---- */

/* A record on its way to or from its row. */
struct batch_row {
	struct store_state *state;
	const struct table *table;
	/* Only to a row: */
	uint64_t log;
	struct bytes touched;
	struct bytes stamps;
	struct bytes extra;          /* empty: NULL */
	const struct value **values; /* by position from `unit` on; NULL: SQL NULL */
};

/*
 * Records that one statement handles, as it sees them: the table `_batch`, whose column _n is what
 * parameter n of an insert would be and whose rowid is the index in `rows`. Preparing, opening and
 * closing a table once for a hundred rows costs a third less than a hundred times.
 */
struct batch {
	struct batch_row *rows;
	size_t count;
	const struct table *table; /* rows of other tables are passed over */
};

/*
 * Runs it once for each table that rows of the batch are in, in the order they are named in; while
 * it runs, `_batch` has those rows.
 */
typedef enum err batch_run(struct store *s, struct arena *a, struct batch *b, struct table *t);
enum err store_run_batch(struct store *s, struct arena *a, struct batch *b, batch_run *run);
/* `columns`: parameters of the widest insert. No statement over `_batch` may be prepared yet. */
enum err store_batch_register(struct store *s, int columns);

/*
 * SQLite's code as ours. I/O errors and corruption stick to the store; a
 * transaction SQLite gave up is remembered until store_rollback().
 */
enum err store_from_sqlite(struct store *s, int rc, const char *what);

/* Runs text without parameters or rows, not cached. */
enum err store_exec(struct store *s, const char *text);
enum err store_prepare(struct store *s, struct bytes text, struct sql **ret_sql);
void store_finalize(struct sql *q);
DEFINE_AUTO(struct sql *, store_finalize)
/* Drops what the cache holds: before the tables change. */
void store_drop_statements(struct store *s);

/* schema_sql.c */
enum err store_load_tables(struct store *s);
struct table *store_find_table(struct store *s, struct bytes type);

/* store_device.c: the daemon's clock observes what is stored. */
enum err store_seed_clock(struct store *s);

/* store_lost.c: a conflict's lost side was put. */
void store_note_lost(struct store *s, const struct id *id, const struct field *lost);

/* store_migrate.c: the fixed tables. */
enum err store_migrate(struct store *s);
/* Steps the store has had; 0: it is new. */
enum err store_read_version(struct store *s, uint64_t *ret_version);
/* Steps this program knows. */
uint64_t store_newest_version(void);
/* ERR_INVAL, with the word for whoever put an older program over a newer one's store. */
enum err store_refuse_newer(uint64_t version);

/* store.c: for writing, with every setting, but neither migrated nor with typed tables. */
enum err store_open_as_is(const char *path, struct store **ret_store);

/* store_record.c: rows whose `extra` holds a value that now has a column. */
enum err store_settle_extra(struct store *s, struct table *t);
