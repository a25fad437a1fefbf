/*
 * disks - what happens to a commune's disk behind its program's back: it is cloned into a second
 * machine, or an older copy of it is put back.
 *
 * Such a client is torn: two histories of one device, of which the office takes one and sets the
 * device aside (M8). What it shows is no replica any more; what was acknowledged of either history
 * stays so, and what the office refused is in quarantine.
 */
#pragma once

#include "tests/sim/world.h"

/* A second machine goes on from the same disk. Nothing when there is no room for it. */
void disks_clone(struct client *c);
/* Somebody keeps a copy of the disk; or, when there is one, puts it back. */
void disks_copy_or_put_back(struct client *c);
