/*
 * store - the daemon's SQLite behind a narrow interface.
 *
 * One struct store is one connection and belongs to one thread at a time. The
 * writer's is the only one that writes or checkpoints (this SQLite has the
 * WAL-reset bug); readers are `query_only`. SQLite's codes stop in store*.c. After
 * an I/O error or corruption every function gives ERR_IO or ERR_CORRUPT (FATAL class) and
 * the process must end: fsync is never tried again on the same pages.
 *
 * docs/storage.md has the tables and the numbered invariants.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/model/record.h"
#include "common/model/schema.h"

struct store;

/*
 * Opens (or makes) DIR/ctxhd.db: drops the page cache of the file first, checks every
 * pragma by reading it back, migrates, makes typed tables and columns the schema
 * names. `schema` is borrowed until store_use_schema() or close. ERR_CORRUPT: not ours, or
 * damaged; ERR_AGAIN: another process has it open.
 */
enum err store_open_writer(const char *path, const struct schema *schema, struct store **ret_store);
/* A reading connection. The writer must have opened the file once before. */
enum err store_open_reader(const char *path, const struct schema *schema, struct store **ret_store);
void store_close(struct store *s);
DEFINE_AUTO(struct store *, store_close)

/* Transactions of the writer; `name` marks nest inside. Readers: begin gives one snapshot. */
enum err store_begin(struct store *s);
enum err store_commit(struct store *s);
void store_rollback(struct store *s);
enum err store_mark(struct store *s);      /* SAVEPOINT */
enum err store_mark_keep(struct store *s); /* RELEASE */
void store_mark_undo(struct store *s);     /* ROLLBACK TO, RELEASE */

/* Writer only, outside a transaction: moves the WAL into the file. */
enum err store_checkpoint(struct store *s);
/* Pages in the WAL, for the decision when. */
uint64_t store_wal_pages(const struct store *s);

/* Writer only: tables and columns of a newer schema; additive, in its own transaction. */
enum err store_use_schema(struct store *s, const struct schema *schema);
const struct schema *store_schema(const struct store *s);

/* Settings kept in the store: "epoch", "daemon", … ERR_NOTFOUND. */
enum err store_get_setting(struct store *s, struct arena *a, const char *name,
			   struct bytes *ret_value);
enum err store_put_setting(struct store *s, const char *name, struct bytes value);

/* A pool of reading connections for pool threads; any thread. */
struct readers;
enum err readers_open(const char *path, const struct schema *schema, size_t count,
		      struct readers **ret_readers);
void readers_close(struct readers *r);
DEFINE_AUTO(struct readers *, readers_close)
/* Waits for a free one; never fails. Give it back on the same thread. */
struct store *readers_take(struct readers *r);
void readers_give(struct readers *r, struct store *s);
/* After a reload: each connection takes the new schema when it is next taken. */
void readers_use_schema(struct readers *r, const struct schema *schema);
