/*
 * bureau - what the office's administrators do: decide conflicts, let in or give up what is in
 * quarantine, import the list and the map of a merger of communes, place records of a divided one.
 *
 * By the functions the admin socket calls, on the writer's connection; what they write is noted in
 * the ledger under WORLD_OFFICE. Now and then the daemon dies before the commit.
 */
#pragma once

#include "tests/sim/world.h"

/* One thing. Nothing may come of it. */
void bureau_act(struct world *w);
