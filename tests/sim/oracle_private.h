/*
 * oracle_private - the parts of the oracle, each in a file of its own. What they ask is in
 * oracle.h.
 */
#pragma once

#include "tests/sim/oracle.h"
#include "tests/sim/truth.h"

/* Of the whole world. */
void oracle_check_values(struct truth *t);   /* O2 */
void oracle_check_log(struct truth *t);      /* O4 */
void oracle_check_refusals(struct truth *t); /* O7, O10 */
/* Of one client that is whole. */
void oracle_check_replica(struct truth *t, struct client *c); /* O1 */
void oracle_check_inbox(struct truth *t, struct client *c);   /* O3 */
void oracle_check_vault(struct truth *t, struct client *c);   /* O6 */
