/*
 * merge - how two writes of one record become one state (design rules M1 to M6).
 *
 * The same code runs in daemon, client, verify and simulator. Pure: the result
 * depends on the arguments only. Field states are a function of the *set* of
 * writes: any order, doubling or batching gives the same bytes.
 */
#pragma once

#include "common/base/arena.h"
#include "common/model/record.h"

/* How a field decides between two different writes. */
enum merge_kind {
	MERGE_REGISTER, /* the greater stamp wins */
	MERGE_EVENT,    /* the smaller stamp stays (M3); our own five fields are registers always */
};

/* A value that lost although its author could not know of the other (M2). */
struct merge_conflict {
	struct bytes field;
	struct field kept; /* value, stamp and log number of each side */
	struct field lost;
	bool is_incoming_lost;    /* else the value that was there before lost */
	struct bytes kept_author; /* set only for the incoming side; the store knows the other */
	struct bytes lost_author;
};

struct merge_result {
	struct record after;
	struct merge_conflict *conflicts;
	size_t conflict_count;
	bool is_changed;  /* some field's value or stamp is not what it was */
	bool is_new;      /* there was no record before */
	bool is_parallel; /* concurrent writes of different fields: no conflict, but told (M2) */
	bool is_moved;    /* `unit` changed: `from_unit` is where it was */
	int64_t from_unit;
};

/*
 * Applies one change. `before` is NULL for a record not seen yet. `stamp` is the
 * effective stamp, `log` the number of its change-set. The result borrows from
 * `before`, `change` and `a`.
 *
 * A write conflicts with the field's present write when values differ, the
 * present one's log number is above change->base, and it is of another device.
 * Writing `deleted` conflicts with any such present write of another field, and
 * any write conflicts with such a present `deleted` (M4): the row names the
 * field `deleted`, once a change.
 */
struct merge_result merge_change(struct arena *a, enum merge_kind kind, const struct record *before,
				 const struct change *change, struct stamp stamp, uint64_t log);

/*
 * Joins two states of one record, as a client does with what it pulls: per field
 * the winning write. Commutative, associative, idempotent. Takes the log number
 * of the winning side, the greater when both hold the same write.
 */
struct record merge_states(struct arena *a, enum merge_kind kind, const struct record *mine,
			   const struct record *theirs);
