/*
 * store_erase - the part of the store that law's erasure needs: which records are erased, and
 * taking what they held out of every table.
 *
 * Writing functions run in the writer's transaction. secure_delete overwrites what they free with
 * zeros; what older rebalancing left in the gaps of pages goes with store_sweep(). Thread: the
 * store's.
 */
#pragma once

#include "daemon/store.h"

/* A record is erased by its id: under whatever type it comes again, it does not come in. */
struct erased_row {
	struct bytes type;
	struct id id;
	int64_t unit; /* one row for each it was ever in; 0: it was only in quarantine */
	uint64_t log; /* the LOG_ERASE entry */
};
/* One that is there already stays as it is. */
enum err store_put_erased(struct store *s, const struct erased_row *row);
enum err store_is_erased(struct store *s, const struct id *id, bool *ret_is);
/* Whether there is any: mostly there is none, and nobody need ask for one. */
enum err store_has_erased(struct store *s, bool *ret_has);
/* Whether bytes that could not be read hold the id of one. */
enum err store_names_erased(struct store *s, struct bytes raw, bool *ret_names);
/* The rows of one record. */
enum err store_load_erased(struct store *s, struct arena *a, const struct id *id,
			   struct erased_row **ret_rows, size_t *ret_count);

/* ---- finding ---- */

/*
 * Change-sets in which a device that took another's place brought what the log had already: such a
 * change was not merged again, so no record is touched by it, and yet it holds what was written.
 */
enum err store_load_repeating_logs(struct store *s, struct arena *a, uint64_t **ret_logs,
				   size_t *ret_count);

/* A quarantined change of the record, or one that could not be read and holds its id. */
struct erase_number {
	uint64_t log; /* 0: of a fork, not in the log */
	uint64_t number;
	uint32_t device;
	struct bytes type;
	bool was_erased; /* nothing of it is left, and its device was told */
};
enum err store_load_erase_numbers(struct store *s, struct arena *a, const struct id *id,
				  struct erase_number **ret_numbers, size_t *ret_count);

/* A record that points at another one. */
struct reference_row {
	struct bytes type;
	struct id id;
	struct bytes field;
	bool is_event;
};
/* By every column that holds references; one row a field. Walks the tables: seconds on large ones.
 */
enum err store_load_references(struct store *s, struct arena *a, const struct id *to,
			       struct reference_row **ret_rows, size_t *ret_count);
/* By the schema's indexed fields only: a few lookups. */
enum err store_load_indexed_references(struct store *s, struct arena *a, const struct id *to,
				       struct reference_row **ret_rows, size_t *ret_count);

/* ---- removing ---- */

/* What a notice says of one, for people. */
#define STORE_ERASED_TEXT "Hồ sơ đã được xóa theo luật / the record was erased by law"

/* The record's row of its typed table; nothing when there is none. */
enum err store_remove_state(struct store *s, struct bytes type, const struct id *id);
/*
 * What else names it, under any type: conflicts, quarantined changes and notices lose every value
 * and stay as rows that say so ("erased"); moves go.
 */
enum err store_blank_record(struct store *s, struct arena *a, const struct id *id);
/* Details of the audit that hold this text go; their hashes stay. Adds to *ret_count. */
enum err store_blank_audit(struct store *s, struct bytes text, uint64_t *ret_count);

/* ---- sweeping ---- */

/*
 * Writer only, outside a transaction: rewrites the file without its gaps and free pages and empties
 * the WAL, so that no byte of what was deleted is left in either. Needs room for the store twice;
 * on failure (ERR_FULL) everything is as it was. ERR_AGAIN: a reader or a copy for a backup is in
 * the way.
 */
enum err store_sweep(struct store *s, const char *folder);
/* A sweep is owed: set in the transaction that deletes, cleared by store_sweep(). */
enum err store_owe_sweep(struct store *s);
enum err store_owes_sweep(struct store *s, bool *ret_owes);
