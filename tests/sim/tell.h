/*
 * tell - what the office has in the end, in words: its log, conflicts and quarantine.
 *
 * For --trace, when something does not hold. The ledger says who saved which value when.
 */
#pragma once

#include "tests/sim/world.h"

/* On stdout. */
void tell_world(struct world *w);

/* A value as a trace shows it; lives in `a`. */
struct bytes tell_value(struct arena *a, const struct value *v);
