/*
 * joined - which record stands for one that was joined to another (design rule M6).
 *
 * A double keeps its id and its references; whoever shows one follows `merged_into` to its end.
 * Pure over store.h.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/id.h"
#include "daemon/store.h"

#define JOINED_STEPS 64u /* more is a circle, or as bad */

struct joined {
	struct id id;   /* the record that stands; the given one when it is not joined */
	bool is_circle; /* two devices joined both ways at once: nobody stands, `id` is the given
			   one */
};

/* A record that is not here yet stands for itself. */
enum err joined_find(struct store *s, struct arena *a, struct bytes type, const struct id *id,
		     struct joined *ret_joined);
/* Whether `merged_into` of `id` may become `to`: that would close no circle. */
enum err joined_may_lead(struct store *s, struct arena *a, struct bytes type, const struct id *id,
			 const struct id *to, bool *ret_may);
