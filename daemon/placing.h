/*
 * placing - the records of a divided unit: which wait for a person, and what goes along with which.
 *
 * A record belongs to what the first of its indexed references (in the order of the schema) names
 * that is set: help to its person, an assessment to its case, a person to the household. Whoever
 * places a record places with it what belongs to it, and to that, and waits in the same unit.
 * Pure over store.h. Thread: the store's.
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/store.h"

struct placing_record {
	struct record record; /* its state */
	bool has_owner;
	struct bytes owner_type;
	struct id owner; /* may not be here, or in another unit */
};

struct placing_list {
	struct placing_record *records; /* in the arena */
	size_t count;
	bool has_more; /* than `limit` */
};

/* The records of a unit that are not deleted, type by type; at most `limit`. */
enum err placing_load(struct store *s, struct arena *a, int64_t unit, size_t limit,
		      struct placing_list *ret_list);
/*
 * What goes along with `of` when it leaves its unit, each once, without itself. The states
 * are in `a`.
 */
enum err placing_load_along(struct store *s, struct arena *a, const struct record *of,
			    struct placing_record **ret_records, size_t *ret_count);
