/*
 * couriers - contacts by file, carried by hand between communes and the office.
 *
 * The files are the product's own, by client/bundle.c and daemon/bundle.c. A courier loses them,
 * copies them, comes late, in any order and to the wrong door; somebody else cuts or alters them,
 * which the reader must notice before anything is changed. A commune may have no network at all:
 * only its enrolments go over one.
 */
#pragma once

#include "tests/sim/world.h"

/* Somebody takes a file along for the office. */
void couriers_take_along(struct client *c);
/* Files whose way has ended arrive; all of them at the end. */
void couriers_arrive(struct world *w, bool is_all);
/* Without accidents: there and back. c->report says what it moved. */
void couriers_meet(struct client *c);
void couriers_clear(struct world *w);
