/*
 * duplicate - people who may be in the store twice: listed, joined, split, told apart (design rule
 * M6).
 *
 * Joining and splitting are changes of the office (office.h). That two are not the same is kept in
 * `distinct_pair`, and they are not listed again. What this module leaves to its caller is the
 * audit, and what may be shown of a record. Thread: the store's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/model/match.h"
#include "daemon/context.h"
#include "daemon/office.h"

struct store;

/* ---- the list ---- */

struct duplicate_pair {
	struct id one; /* made first */
	struct id other;
	enum match_likeness likeness; /* MATCH_NONE: joined to each other, both ways at once */
	bool is_across;               /* they live in different units */
};

/*
 * Likely doubles among the people who count, at most `limit`: joined both ways first, then by
 * falling likeness, those of one unit before those across units. The cost grows with
 * the people (sorted a few times) and with what is listed, never with their product.
 */
enum err duplicate_list(struct store *s, struct arena *a, size_t limit,
			struct duplicate_pair **ret_pairs, size_t *ret_count);

struct duplicate_apart {
	struct duplicate_pair pair; /* likeness MATCH_NONE */
	struct bytes who;
	int64_t at_ms;
};

/* Pairs that were told apart, the last first, at most `limit`. */
enum err duplicate_list_apart(struct store *s, struct arena *a, size_t limit,
			      struct duplicate_apart **ret_pairs, size_t *ret_count);

/* ---- decisions ---- */

struct duplicate_ask {
	struct bytes type; /* of both */
	struct id one;     /* join: the one that stands; split: the one joined before */
	struct id other;
	struct bytes who; /* as the audit says */
};

enum duplicate_outcome {
	DUPLICATE_DONE,
	DUPLICATE_SAME,       /* one record, twice */
	DUPLICATE_EVENT,      /* events are voided, not joined */
	DUPLICATE_DELETED,    /* `which` is deleted: a change would bring it back */
	DUPLICATE_JOINED,     /* `which` is joined to `into` already */
	DUPLICATE_CIRCLE,     /* the one to keep is itself joined to the other, in the end */
	DUPLICATE_NOT_JOINED, /* nothing to split */
	DUPLICATE_BEFORE,     /* told apart before: who, at_ms */
	DUPLICATE_NOT_APART,  /* nobody has told them apart */
	DUPLICATE_REFUSED,    /* `written` says why */
};

/* Any outcome but DUPLICATE_DONE changes nothing. */
struct duplicate_done {
	enum duplicate_outcome outcome;
	struct id which;
	struct id into; /* where it leads, or led before it was split */
	struct office_written written;
	struct bytes who;
	int64_t at_ms;
};

/* `other` is joined to `one`, or to the record that stands for `one`. */
enum err duplicate_join(const struct context *ctx, struct store *s, struct arena *a,
			const struct duplicate_ask *ask, struct duplicate_done *ret_done);
enum err duplicate_split(const struct context *ctx, struct store *s, struct arena *a,
			 const struct duplicate_ask *ask, struct duplicate_done *ret_done);
/* `one` and `other` are two: not listed again. Joining or reopening them takes that back. */
enum err duplicate_distinct(const struct context *ctx, struct store *s, struct arena *a,
			    const struct duplicate_ask *ask, struct duplicate_done *ret_done);
/* Nobody has told them apart, and they are listed again if they still look alike. `who` and
 * `at_ms`: who had, when. */
enum err duplicate_reopen(const struct context *ctx, struct store *s, struct arena *a,
			  const struct duplicate_ask *ask, struct duplicate_done *ret_done);
