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
	bool is_disk_lost; /* it was only on a disk that is no more */
	bool is_copied;    /* in a draft on a disk that was copied: each copy may go on with it */
};

/* A record somebody made. */
struct known {
	struct bytes type;
	struct id id;
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
/* Is the value in a change of this vault that the office has not taken? */
bool ledger_is_unsent(struct arena *a, struct client *c, const struct note *n);
/* What its vault has not sent goes with its disk; nobody was told that the office has it. */
void ledger_lose_unsent(struct ledger *l, struct client *c);
/* Its disk is copied: drafts are in both, and may still be edited in both. */
void ledger_copy_drafts(struct ledger *l, struct client *c);
/* What the office itself wrote behind note `from` goes with a daemon's disk: nobody else had it. */
void ledger_lose_office(struct ledger *l, size_t from);
/* A number no value has yet. */
uint64_t ledger_next(struct ledger *l);
/* Some record; often one of the latest, so that people meet. False: there is none. */
bool ledger_pick(const struct ledger *l, struct rand *rand, struct bytes *ret_type,
		 struct id *ret_id);
