/*
 * erasure - what stays of records erased by law: which they were, in which units, when, by whom,
 * why.
 *
 * The body of a LOG_ERASE entry, and an entry of the list that outlives a restore. Nothing in it
 * tells of a person. Pure.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/id.h"

struct erasure_record {
	struct bytes type;
	struct id id;
	int64_t *units; /* every unit it was ever in; none: it was only in quarantine */
	size_t unit_count;
};

struct erasure {
	int64_t at_ms;
	struct bytes who;
	struct bytes why;
	struct bytes basis; /* the law it follows */
	struct erasure_record *records;
	size_t count;
};

void erasure_encode(const struct erasure *x, struct buf *out);
/* Borrows from `bytes`. ERR_CORRUPT. */
enum err erasure_decode(struct arena *a, struct bytes bytes, struct erasure *ret_erasure);
