/*
 * people - what every benchmark writes: people with names, places and numbers as in Bình Phước.
 *
 * One generator, so that the daemon's load and the floor of plain SQLite put the same rows. What
 * the reports count comes besides: groups the people are in, and help they were given in 2020 to
 * 2022.
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

/* Of PEOPLE_GROUP records the first are people, then a category of one of them, then help to them.
 */
#define PEOPLE_GROUP   10u
#define PEOPLE_PERSONS 4u

/*
 * Fills type, writes and count of `ret_change` with those of the index-th record a device makes;
 * `person` is one of the people of its group. A group's day is one behind that of the group before.
 * What it gives lives in `a`. An edit of that record writes only what edits change.
 */
void people_mixed(struct arena *a, struct rand *r, int64_t unit, uint64_t index,
		  const struct id *person, struct change *ret_change);
void people_mixed_edit(struct arena *a, struct rand *r, uint64_t index, struct change *ret_change);
