/*
 * store_sql - one SQL statement at a time, without sqlite3.h.
 *
 * For modules whose tables are their own (units, enrol, session, verify, the
 * administrators' listings): the SQL text is a static const char array beside the
 * function that uses it, prepared once per connection and found again by its
 * address. ingest.c and outgoing.c do not use this: they see store.h alone.
 *
 *     AUTO(sql_done) struct sql *q = NULL;
 *     e = sql_use(store, SQL_FIND_DEVICE, &q);
 *     ...
 *     sql_bind_int(q, 1, number);
 *     while ((e = sql_step(q, &is_row)) == ERR_OK && is_row)
 *             ... sql_int(q, 0) ...
 *
 * Thread: the store's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/model/value.h"

struct store;
struct sql;

/* `text` must live for ever. ERR_INVAL: does not compile (log_last_detail() says why). */
enum err sql_use(struct store *s, const char *text, struct sql **ret_sql);
/* Any text of the moment (`query`, indicators), compiled anew; no second statement behind it. */
enum err sql_use_text(struct store *s, struct bytes text, struct sql **ret_sql);
/* Resets and gives back. */
void sql_done(struct sql *q);
DEFINE_AUTO(struct sql *, sql_done)

/* Positions from 1. A failure is remembered and returned by sql_step(). */
void sql_bind_int(struct sql *q, int position, int64_t value);
void sql_bind_null(struct sql *q, int position);
/* The bytes must live until sql_done(). Data NULL or not: never SQL NULL. */
void sql_bind_text(struct sql *q, int position, struct bytes text);
void sql_bind_blob(struct sql *q, int position, struct bytes blob);
/* Empty text is SQL NULL. */
void sql_bind_text_or_null(struct sql *q, int position, struct bytes text);
/* ":unit"; 0 when the statement has no such parameter (not an error). */
int sql_parameter(struct sql *q, const char *name);

enum err sql_step(struct sql *q, bool *ret_is_row);
/* A statement without rows. */
enum err sql_run(struct sql *q);
/* Runs it for one row: ERR_NOTFOUND when there is none. */
enum err sql_run_row(struct sql *q);

/* Columns from 0. Bytes are borrowed until the next step: copy with sql_text_copy(). */
int sql_column_count(struct sql *q);
const char *sql_column_name(struct sql *q, int column);
int64_t sql_int(struct sql *q, int column);
double sql_real(struct sql *q, int column);
struct bytes sql_text(struct sql *q, int column);
struct bytes sql_blob(struct sql *q, int column);
struct bytes sql_text_copy(struct sql *q, int column, struct arena *a);
struct bytes sql_blob_copy(struct sql *q, int column, struct arena *a);

enum sql_kind {
	SQL_NULL,
	SQL_INT,
	SQL_REAL,
	SQL_TEXT,
	SQL_BLOB
};
enum sql_kind sql_kind(struct sql *q, int column);

/* Statements that run longer end with ERR_TIMEOUT; 0: no limit. */
void sql_limit_time(struct store *s, const struct clock *clock, int64_t limit_ms);

int64_t sql_last_row(struct store *s);
int64_t sql_changed_rows(struct store *s);
