/*
 * erasures - the list of what was erased by law, beside the backups that still hold it.
 *
 * A backup made before an erasure brings the record back. So the list lies in the state folder and
 * in the folder of the backups, signed by the daemon, and a restore erases again what it names. It
 * tells of nobody: ids, types, units, times, reasons.
 *
 *   "CTXHERA1" | daemon id 16 | entry: length u32 BE, erasure_encode() … | signature 64
 *
 * Entries that the store does not know (it was restored without the list) stay in it.
 */
#pragma once

#include "common/base/crypt.h"
#include "common/base/id.h"

#define ERASURES_FILE    "erasures"
#define ERASURES_CONTEXT "ctxh-erasures-v1"

struct store;

/*
 * Writes FOLDER/erasures anew: what the store's log has erased and, of the list that lies there,
 * what the store does not know. Where the store erased nothing, nothing is written. A list that
 * cannot be read (ERR_INVAL), or was altered, cut short or is another daemon's (ERR_AUTH), stays as
 * it is and nothing is written: what it names may be known nowhere else. ERR_FULL: the folder does
 * not take it; ERR_INVAL: its path is too long; else what reading the store failed with. Thread:
 * the store's.
 */
enum err erasures_write(struct store *store, const char *folder, const struct id *daemon,
			const struct sign_pair *key);

/*
 * Writer, in a transaction: erases what the list in the file `path` names and the store still has;
 * *ret_records: how many that were. ERR_NOTFOUND: there is no such file. ERR_AUTH: no list of
 * erasures, another daemon's, altered, or cut short; ERR_INVAL: cannot be read. Then the
 * transaction has to be undone.
 */
enum err erasures_apply(struct store *store, const char *path, const struct id *daemon,
			const struct sign_public *key, uint64_t *ret_records);
