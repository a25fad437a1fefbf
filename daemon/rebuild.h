/*
 * rebuild - the tables that are a fold, made again from the log in a temporary store.
 *
 * `verify` compares it with the live one; a report as of an earlier log number reads it. The file
 * lies beside the live store, holds what it holds, and is removed at the end; one left by a
 * killed process is removed at the next start. Thread: the caller's.
 */
#pragma once

#include "daemon/fold.h"

struct context;

struct rebuild {
	struct store *store; /* with the typed tables of the live one, empty */
	struct buf path;
};

/* ERR_INVAL: the folder's name is too long; else the store's own errors. */
enum err rebuild_open(const struct context *ctx, const char *folder, const struct store *live,
		      struct rebuild *ret_rebuild);
/* Closes and removes. Also of a zeroed one. */
void rebuild_close(struct rebuild *r);
static inline void rebuild_close_auto(struct rebuild *r)
{
	rebuild_close(r);
}

/*
 * Takes in an opened row of the log: what fold.c makes of it, and nothing that is not a fold.
 * Inside a transaction of r->store. Changes of a type without a table are left out and counted.
 */
enum err rebuild_take(struct rebuild *r, struct arena *a, const struct log_row *row,
		      struct fold_source *source, size_t *ret_without_table);

/*
 * The store as it stood at `log`, from rows 1 to `log` of the live one's snapshot; r->store then
 * is a reading connection with the live one's schema. Costs what `verify` costs up to there. What
 * law's erasure has cut out of the log since is not in it. ERR_NOTFOUND, ERR_CORRUPT: a row is gone
 * or damaged.
 */
enum err rebuild_until(struct rebuild *r, struct store *live, uint64_t log);

/* At start: removes what a killed process left in the folder. */
void rebuild_clear(const char *folder);
