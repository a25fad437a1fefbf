/*
 * people - what collaborators do at their machines: record, mend, delete, void, transfer,
 * join, import, take back what lost. Everything by the client's own entry functions, and
 * noted in the ledger.
 */
#pragma once

#include "tests/sim/world.h"

/* One thing one person does. Nothing may come of it: not everything is allowed. */
void people_act(struct client *c);
/* Another program of the same home, while the first waits for the office. */
void people_write_aside(struct client *c);
