/*
 * merge - how two writes of one record become one state (design rules M1 to M6).
 *
 * The same code runs in daemon, client, verify and simulator. Pure: the result
 * depends on the arguments only. Field states are a function of the *set* of
 * writes: any order, doubling or batching gives the same bytes.
 *
 * Which of two writes of a field stays
 *
 *   register   the greater stamp
 *   event      the smaller stamp; our own five fields are registers also here
 *   one stamp  the same write. Should the values differ all the same (a copied
 *              disk, a forgery), the greater value, so that every replica agrees
 *
 * When the loser is told as a conflict. A present write is *unseen* by a change when
 * its log number is above the change's base and it is of another device, or of another history of
 * the same (a disk was copied). Values differ, and
 *
 *   register   the present write loses unseen; or the incoming one loses to another
 *              device's: usually unseen too, else the repair of clocks put it before what
 *              its author saw, and losing that silently would be worse than telling it
 *   event      always: a second value is never accepted, whoever writes it
 *   one stamp  always
 *
 * So for any order of arrival: a value that is not the field's present one, and that
 * nobody replaced who had seen it, is the lost side of a conflict. Which value it lost to
 * may depend on the order: of three concurrent writes 1 2 3, arriving so, 1 loses to 2 and
 * 2 to 3; arriving 3 2 1, both lose to 3. A value that somebody replaced knowingly may
 * in one order be told as well, when a third write beat it before that one came.
 */
#pragma once

#include "common/base/arena.h"
#include "common/model/record.h"

/* How a field decides between two different writes. */
enum merge_kind {
	MERGE_REGISTER, /* the greater stamp wins */
	MERGE_EVENT,    /* the smaller stamp stays (M3); our own five fields are registers always */
};

/*
 * A value that lost although its author could not know of the other (M2). Both sides
 * are writes of the field `field`: the lost one is restored by writing its value again.
 *
 * Between a deletion and an edit (M4) the field is `deleted`: the deletion's side has
 * the reason, the edit's side NULL (it wants the record to be there) with the edit's stamp.
 */
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
	bool is_landed;   /* the record had moved to another unit, unseen by this change (M5) */
	bool is_moved;    /* `unit` changed: `from_unit` is where it was */
	int64_t from_unit;
};

/*
 * Applies one change. `before` is NULL for a record not seen yet. `stamp` is the
 * effective stamp, `log` the number of its change-set. The result borrows from
 * `before`, `change` and `a`; `after` is `before` itself when nothing changed.
 *
 * The caller has made sure that `before` is of the change's type and id (a change of a
 * known id under another type goes to quarantine) and that the writes are sorted
 * (change_sort): a breach aborts.
 *
 * A repeated change leaves the state as it is, but may tell conflicts that are none: what
 * replaced it knowingly looks unseen. Keeping repeats away is rule M8, not here.
 *
 * A deletion in the change conflicts with every unseen write of another change that
 * stands in the record, and a change of which something stands conflicts with an unseen
 * deletion that stands (M4): one row for each such pair of changes.
 */
struct merge_result merge_change(struct arena *a, enum merge_kind kind, const struct record *before,
				 const struct change *change, struct stamp stamp, uint64_t log);

/*
 * Joins two states of one record, as a client does with what it pulls: per field
 * the winning write. Commutative, associative, idempotent. Takes the log number
 * of the winning side, the greater when both hold the same write. Log numbers are
 * of one epoch: a client that changes to another clears them first.
 */
struct record merge_states(struct arena *a, enum merge_kind kind, const struct record *mine,
			   const struct record *theirs);
