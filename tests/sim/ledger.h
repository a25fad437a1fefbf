/*
 * ledger - every value anybody entered, with the value its author saw in its place.
 *
 * The oracle asks it in the end whether what people were told is true. Texts live in the
 * world's arena.
 */
#pragma once

#include "tests/sim/world.h"

/* One value of one entry. */
struct note {
	unsigned client;
	int step;
	struct bytes type;
	struct id id;
	struct bytes field;
	struct value value;
	struct value seen; /* what its author saw in its place */
	bool is_in_scope;
	bool is_gone;
	bool is_off_disk;  /* its author's disk does not hold it any more: an older copy is there */
	bool is_disk_lost; /* nor does the office: it was only on disks that are no more */
	bool is_erased;    /* its record was, by law */
	bool is_copied;    /* in more than one change: of two copies of a disk, or taken along */
};

/* A record somebody made. */
struct known {
	struct bytes type;
	struct id id;
	bool is_erased;
	bool is_listed; /* in the list of erasures beside the backups */
};

struct ledger {
	struct world *world;
	struct note *notes; /* in the order of entry */
	size_t count;
	size_t cap;
	struct known *records;
	size_t record_count;
	size_t record_cap;
	uint64_t next;
};

struct ledger *ledger_new(struct world *w);
void ledger_free(struct ledger *l);

struct ledger_entry {
	unsigned client;
	const struct change *change;
	const struct record *before; /* as its author saw it; NULL: a new record */
	bool is_in_scope;            /* its author had the right to */
	bool is_gone;                /* nobody was told that it is saved, and it is not */
};
/* Copies. */
void ledger_note(struct ledger *l, const struct ledger_entry *entry);
/* Does this vault hold the value in a change, or in a change-set it keeps? */
bool ledger_is_kept(struct arena *a, struct client *c, const struct note *n);
/* An older copy of its disk was put back: what it does not hold is off the disk. */
void ledger_note_put_back(struct ledger *l, struct client *c);
/* The office was restored. What it wrote itself behind note `from` went with its disk: nobody else
 * had it; and so did what its author's disk does not hold any more. */
void ledger_note_restored(struct ledger *l, size_t from);
/* The first note of what made a record; NULL: nobody was told that it is saved. */
const struct note *ledger_making(const struct ledger *l, const struct id *id);
/* Does the change hold all that its author wrote when the record was made? */
bool ledger_is_making(const struct ledger *l, const struct change *c);
/* The law has it erased: what anybody wrote of it, or still writes, need be nowhere. */
void ledger_note_erased(struct ledger *l, const struct id *id);
/* Its disk is copied: drafts are in both, and may still be edited in both. */
void ledger_copy_drafts(struct ledger *l, struct client *c);
/* The next edit of this record takes along what the office refused of it: it goes twice. */
void ledger_take_along(struct ledger *l, struct vault *v, const struct id *id);
/* A number no value has yet. */
uint64_t ledger_next(struct ledger *l);
/* Some record; often one of the latest, so that people meet. False: there is none. */
bool ledger_pick(const struct ledger *l, struct rand *rand, struct bytes *ret_type,
		 struct id *ret_id);
