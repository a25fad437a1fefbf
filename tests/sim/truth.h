/*
 * truth - the daemon as it is in the end, in memory, for the oracle to ask.
 *
 * Everything in it lives as long as its arena.
 */
#pragma once

#include "tests/sim/ledger.h"

struct truth {
	struct world *w;
	struct arena a;
	struct record *records; /* by id */
	size_t count;
	size_t cap;
	struct conflict_row *conflicts;
	size_t conflict_count;
	struct quarantine_row *quarantine;
	struct change *refused; /* of each row of it */
	size_t quarantine_count;
	struct store_device *devices;
	size_t device_count;
};

/* The caller clears the arena of `t`. */
void truth_load(struct truth *t, struct world *w);
/* NULL: the daemon has no such record. */
const struct record *truth_find(const struct truth *t, const struct id *id);

/* Did the one, or one it goes on from, become the other? */
bool truth_is_forebear(const struct truth *t, uint32_t old, uint32_t device);
/* The first of the devices that took each other's place. */
uint32_t truth_root(const struct truth *t, uint32_t device);

/* Did the home that is or was this device enter it? */
bool truth_is_note_of(const struct ledger *l, const struct note *n, uint32_t device,
		      const struct id *id, const struct write *write);
/* Texts of the ledger are made once, so a text tells who wrote it. NULL: nobody. */
const struct note *truth_find_note(const struct ledger *l, uint32_t device, const struct id *id,
				   const struct write *write);
/* Its device is set aside, or cannot go on: its vault has it, and once released it sends again what
 * no backup holds (docs/client-store.md C8). */
bool truth_is_stuck(struct truth *t, const struct note *n);

/* Change `number` of this entry of the log is in no state: refused, or a repeat. */
bool truth_is_skipped(const struct log_row *row, uint64_t number);
/* Did some change with this value go in? */
bool truth_is_merged(const struct truth *t, const struct note *n);

/* For messages; lives in `a`. */
struct bytes truth_show_id(struct arena *a, const struct id *id);
