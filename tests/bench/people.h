/*
 * people - what every benchmark writes: people with names, places and numbers as in Bình Phước.
 *
 * One generator, so that the daemon's load and the floor of plain SQLite put the same rows.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/rand.h"
#include "common/model/record.h"

#define PEOPLE_FIELDS 6u /* and `unit`, the last */

/* In the order of names, as a change wants them. */
extern const char *const people_field_names[PEOPLE_FIELDS];

/* PEOPLE_FIELDS + 1 writes in the order of names; they live in `a`. */
struct write *people_writes(struct arena *a, struct rand *r, int64_t unit);
