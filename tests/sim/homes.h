/*
 * homes - which devices a commune's home was one after the other, and how the office releases one
 * that it set aside.
 *
 * A home whose disk was cloned or put back is torn (disks.h): the office takes one history of its
 * device and sets the device aside (M8). Where the mix has releases, an administrator then gives
 * the home a release, the home enrols anew by client/succession.c, sends again what the office
 * lacks, and is whole: all that the oracle asks of a home is asked of it again.
 */
#pragma once

#include "tests/sim/ledger.h"

/* Who this home is, by its vault. After each opening. */
void homes_look(struct client *c);
/* Was that device once this home, or another copy of its disk? */
bool homes_wrote(const struct world *w, unsigned client, uint32_t device);
/* Did this home enter it, or the one whose disk its own is a copy of, before it was copied? */
bool homes_has_written(const struct world *w, unsigned client, const struct note *n);
/* Is a home torn that is this device now? */
bool homes_is_torn(const struct world *w, uint32_t device);
/* Homes the restored office does not know: theirs, too, is another identity. */
void homes_after_restore(struct world *w);
/* A person at the office and one at the home try to release it. False: there was nothing to do. */
bool homes_release(struct client *c);
/* Everything is healed. Who is no copy of another that lives, and was set right, is whole. */
void homes_judge(struct world *w);
