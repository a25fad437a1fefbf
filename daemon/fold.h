/*
 * fold - change-sets become states: the part of ingest that is the same for ever.
 *
 * ingest.c decides what goes in and notes it in the log; the fold of the log does the
 * rest, and `verify` runs it again. So everything here depends on the log row and
 * the states alone: no schema, no scope, no clock. Pure over store.h.
 *
 * Tables that are a fold: the typed ones, moved, unit_log, and conflict but for
 * its state (docs/storage.md).
 */
#pragma once

#include "common/model/merge.h"
#include "daemon/erasure.h"
#include "daemon/store.h"
#include "proto/changeset.h"

/* The changes of one log row, with their effective clocks. */
struct fold_source {
	uint64_t log;
	uint32_t device;
	struct bytes author; /* of every change; empty: several, or it is not known yet */
	int64_t at_ms;       /* received */
	const struct change *changes;
	const uint64_t *clocks;
	size_t count;
	const struct changeset_odd *odd;
	size_t odd_count;
	const struct erasure *erasure; /* of a LOG_ERASE entry, which has no changes; else NULL */
	struct fold_source *next;      /* the fold's */
};

/*
 * Opens the bytes of a row again. Changes of a record that was erased are marked `is_cut`: they are
 * part of no state. ERR_NOTFOUND: there are no bytes. ERR_CORRUPT: they do not open.
 */
enum err fold_open(struct arena *a, const struct log_row *row, struct fold_source *ret_source);
/* `base_cut` as in struct log_row. */
void fold_cut_bases(struct change *changes, size_t count, uint64_t base_cut);
/* The author of all changes of a set; empty when they have several. */
struct bytes fold_one_author(const struct change *changes, size_t count);
/* Effective clocks of a set's changes; the last one is the device's next floor. */
const uint64_t *fold_clocks(struct arena *a, const struct repair *repair,
			    const struct change *changes, size_t count);

struct fold_entry {
	struct store_state state; /* record.count 0: there is none yet */
	enum merge_kind kind;
	bool is_dirty; /* touched by the present set */
	bool is_told;  /* the caller's: a notice of its landing was made */
};

#define FOLD_UNITS_MAX 64u

struct fold {
	struct store *store;
	struct arena *a;
	struct fold_entry **slots; /* hashed by type and id */
	size_t slot_count;
	size_t entry_count;
	struct fold_entry **dirty; /* of the present set */
	size_t dirty_count;
	struct fold_source *sources; /* opened so far: whose value was it */
	const struct fold_source *present;
	int64_t units[FOLD_UNITS_MAX]; /* the present set changed something in */
	size_t unit_count;
};

void fold_init(struct fold *f, struct store *store, struct arena *a);

/* Takes the next set: loads the states of every record it names. Borrows `source` until the end. */
enum err fold_begin(struct fold *f, struct fold_source *source);
/* NULL: the store has no table of this type. */
struct fold_entry *fold_find(struct fold *f, struct bytes type, const struct id *id);

/* Whether the record would be more than a client can decode, with change `index` of the set. */
bool fold_is_too_big(struct fold *f, const struct fold_entry *entry, size_t index);

struct fold_applied {
	struct merge_result merged;
	struct conflict_row *conflicts; /* as they were put */
	size_t conflict_count;
};
/* Merges change `index` of the present set. */
enum err fold_apply(struct fold *f, struct fold_entry *entry, size_t index,
		    struct fold_applied *ret_applied);
/* Puts the states and unit logs of the present set. */
enum err fold_end(struct fold *f);

/* What an erasure leaves in tables that are a fold: which records are erased, and unit logs. */
enum err fold_erase(struct store *store, uint64_t log, const struct erasure *x);

/* Who wrote one side of a conflict. Empty when it cannot be known (erased). */
enum err fold_author(struct fold *f, struct bytes type, const struct id *id,
		     const struct field *side, struct bytes *ret_author);
