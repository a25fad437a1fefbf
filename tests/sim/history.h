/*
 * history - one number for all that a run did and left behind: what it told, what the daemon's
 * store and every vault hold, nonces and all. The same seed has the same, in any process, behind
 * any runs.
 */
#pragma once

#include "tests/sim/world.h"

/* Of a run that is over: vaults are paused, nothing is left but world_close(). */
void history_print(struct world *w);
