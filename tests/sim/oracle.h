/*
 * oracle - what people were told, and whether it is true in the end.
 *
 * The ledger has every value anybody entered, with the value its author saw in its
 * place. When everything is healed and quiet:
 *
 *   O1 every replica of a unit has the daemon's states, byte for byte, and nothing else
 *   O2 every value that was said to be saved is in the state, or its author or somebody
 *      who saw it replaced it, or it is the lost side of a conflict, or in quarantine
 *   O3 the author of each lost side has a notice of it, the device of each
 *      quarantined change one of that
 *   O4 no change is in the log twice, none that was never saved
 *   O5 the daemon's state is the fold of its log (verify_run)
 *   O6 each vault's own check finds nothing, nothing waits
 *   O7 an edit made where its author had the right to is not put in quarantine for scope
 *   O8 at any time, what a client holds a receipt for is committed at the daemon
 *   O9 at any time, digests of what a client has up to date are the daemon's
 */
#pragma once

#include "tests/sim/world.h"

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
/* What its vault has not sent goes with its disk; nobody was told that the office has it. */
void ledger_lose_unsent(struct ledger *l, struct client *c);
/* A number no value has yet. */
uint64_t ledger_next(struct ledger *l);
/* Some record; often one of the latest, so that people meet. False: there is none. */
bool ledger_pick(const struct ledger *l, struct rand *rand, struct bytes *ret_type,
		 struct id *ret_id);

/* O8, after each contact. */
void oracle_check_contact(struct client *c);
/* All others; the world is quiet. */
void oracle_check_end(struct world *w);

/* Over a run: that the interesting cases did occur. */
struct oracle_counts {
	uint64_t entries;
	uint64_t records;
	uint64_t conflicts;
	uint64_t quarantined;
};
struct oracle_counts oracle_count(struct world *w);
