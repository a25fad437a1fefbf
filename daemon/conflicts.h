/*
 * conflicts - what becomes of a conflict after it came to light (design rule M2).
 *
 * A row stays open until somebody decides: the office (decide.h), or whoever writes the lost
 * value again. Pure over store.h; in the writer's transaction.
 */
#pragma once

#include "common/base/arena.h"
#include "common/model/record.h"
#include "daemon/store.h"

/* The value of a field that counts; of `deleted` NULL once an edit brought the record back (M4). */
struct value conflicts_in_force(const struct record *r, struct bytes field);

/* Whether what lost stands again, wherever it came from. Every deletion is as good as another. */
bool conflicts_stands(const struct conflict_row *row, const struct record *r);

/*
 * After a change was merged: open conflicts of the record whose lost value this change made stand
 * again are restored by its author. `stamp` is the change's, `after` the record with it.
 */
enum err conflicts_settle(struct store *s, struct arena *a, const struct change *c,
			  const struct record *after, struct stamp stamp, int64_t now_ms);
