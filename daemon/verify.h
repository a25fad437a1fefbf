/*
 * verify - is the store what its log says (design: state = fold of the log).
 *
 * Rebuilds every table that is a fold from the log into a temporary store beside the
 * live one, compares row by row, and checks the numbered invariants of
 * docs/storage.md. On a reading connection and one snapshot; the daemon goes on working. Thread:
 * the reader's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"

struct context;
struct store;

struct verify_difference {
	const char *invariant; /* "S3" of docs/storage.md */
	struct bytes table;
	struct bytes key;  /* record id, log number, …; never a value of a record */
	struct bytes text; /* what differs */
};

#define VERIFY_DIFFERENCES_MAX 1000u

struct verify_report {
	uint64_t log; /* verified up to */
	uint64_t changesets;
	uint64_t changes;
	uint64_t records;
	uint64_t invariants; /* checked */
	struct verify_difference *differences;
	size_t difference_count; /* at most VERIFY_DIFFERENCES_MAX are listed */
	size_t found;            /* how many there are */
};

/* `folder`: where the temporary store goes (the state folder); it is removed again. */
enum err verify_run(const struct context *ctx, struct store *reader, const char *folder,
		    struct arena *a, struct verify_report *ret_report);
