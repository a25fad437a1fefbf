/*
 * oracle - whether what people were told is true in the end.
 *
 * With the ledger of what they entered. When everything is healed and quiet:
 *
 *   O1 every replica of a unit has the daemon's states, byte for byte, and nothing else
 *   O2 every value that was said to be saved is in the state, or its author or somebody
 *      who saw it replaced it, or it is the lost side of a conflict, or in quarantine; or its
 *      author has a notice that it lost, and a restore took the conflict from the office
 *   O3 the author of each lost side has a notice of it, the device of each
 *      quarantined change one of that
 *   O4 no change is in the log twice, none that was never saved
 *   O5 the daemon's state is the fold of its log (verify_run)
 *   O6 each vault's own check finds nothing, nothing waits
 *   O7 an edit made where its author had the right to is not put in quarantine for scope
 *   O8 at any time, what a client holds a receipt for is committed at the daemon
 *   O9 at any time, digests of what a client has up to date are the daemon's
 *   O10 what is in quarantine of a history that forked, and whose home goes on under another
 * number, was sent again and is closed
 *   O11 of a record that the law had erased nothing that anybody wrote is in the daemon's tables,
 *       its log or its files, nor in a vault
 */
#pragma once

#include "tests/sim/ledger.h"

/* O8, after each contact. */
void oracle_check_contact(struct client *c);
/* Of a run: that the interesting cases did occur. */
struct oracle_counts {
	uint64_t entries;
	uint64_t records;
	uint64_t conflicts;
	uint64_t quarantined;
};
/* All others; the world is quiet. */
struct oracle_counts oracle_check_end(struct world *w);
