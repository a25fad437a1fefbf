/*
 * board - how every commune of today stands: heard of lately, what is missing, what waits for a
 * person.
 *
 * A commune has the devices given to it and to all that became it (whole successions). What counts
 * for a device, quarantine and conflicts of its change-sets, counts for each of its communes, and
 * once in the totals. A fixed number of statements however many communes there are: 3,321 of them
 * and a million contacts are one screen (docs/performance.md). Inside the caller's read
 * transaction; thread: the store's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"

struct store;

enum board_state {
	BOARD_FRESH,
	BOARD_STALE, /* last heard of longer than BOARD_STALE_MS ago */
	BOARD_NEVER
};
/* "fresh", "stale", "never". */
const char *board_state_name(enum board_state state);

#define BOARD_STALE_MS (INT64_C(30) * 86400000) /* the programme reports by the month */

/* Of one commune, or of all together. */
struct board_tally {
	uint64_t devices;   /* at work: not revoked, not gone on under another number */
	uint64_t forked;    /* of these, set aside until an administrator decides */
	uint64_t clock_off; /* of these, with a clock out of tolerance at the last contact */
	uint64_t missing;   /* numbers known to exist that have not come */
	uint64_t quarantine;
	uint64_t conflicts;
	int64_t contact_ms; /* the last; 0: never */
	int64_t receipt_ms; /* the last contact that took everything or a part; 0: never */
};

struct board_row {
	int64_t unit;
	struct bytes code;
	struct bytes name;
	struct bytes district_code; /* empty: communes are below provinces */
	struct bytes district_name;
	struct bytes province_code;
	struct bytes province_name;
	/* Both also by devices of its district or province. */
	enum board_state state;
	int64_t heard_ms; /* 0: never */
	struct board_tally tally;
};

struct board {
	struct board_row *rows; /* by code */
	size_t count;
	struct board_tally all; /* every device once, also those of no commune of today */
	uint64_t by_state[3];
};

struct board_ask {
	int64_t day; /* communes in force on it */
	int64_t now_ms;
	/* Only these communes, and in the totals only devices given any of these units: ascending.
	 */
	bool is_bound;
	const int64_t *units;
	size_t unit_count;
};
enum err board_load(struct store *s, struct arena *a, const struct board_ask *ask,
		    struct board *ret_board);
