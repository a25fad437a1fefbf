/*
 * double - people who may be here already, told before a new one is saved.
 *
 * What is likely: common/model/match.h. Only told, never joined.
 */
#pragma once

#include "client/cmd.h"

struct double_index;

/* Of all people in the vault; deleted and joined ones left out. */
enum err double_index_new(struct cmd *c, struct double_index **ret_index);
void double_index_free(struct double_index *d);
DEFINE_AUTO(struct double_index *, double_index_free)

/* Whether records of this type are compared at all. */
bool double_is_for(struct bytes type);
/* At most `max` ids of likely doubles, the least first; the record itself is none. */
size_t double_find(const struct double_index *d, const struct change *change, struct id *ret_ids,
		   size_t max);
/* Rows of one import are doubles of each other, too. */
void double_add(struct double_index *d, const struct change *change);
