/*
 * clocks - time goes on, and every clock that should tell it may tell another: by minutes, by
 * twenty years either way, where a machine without a battery begins, or where numbers of seconds
 * end.
 */
#pragma once

#include "tests/sim/world.h"

/* True time; whole hours in a coarse world. */
void clocks_pass(struct world *w);
/* A client's clock jumps, or the daemon's by some minutes. */
void clocks_jump(struct world *w, struct client *(*choose)(struct world *w));
/* The daemon's, by years; or back to the truth. */
void clocks_jump_daemon(struct world *w);
