/*
 * stamp - hybrid logical clock: which of two writes of one field is the later.
 *
 * A clock is milliseconds since 1970 (47 bits) above 16 bits of counter, one
 * uint64_t: `ms << 16 | counter`. A stamp adds the device number, so that stamps
 * of different devices never tie (design rule M1). A device gives every change
 * a clock greater than all it gave or saw before, whatever its wall clock does.
 *
 * Effective stamps (design rule M7). The daemon never trusts a device's clock.
 * A change-set's raw clocks are mapped to effective ones by a struct repair that
 * is decided once, on arrival, stored with the change-set and told in the
 * receipt; stamp_effective() is the same pure function in daemon, client, fold.
 *
 * Pure. Time comes in as an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define STAMP_CLOCK_MS(clock) ((int64_t)((clock) >> 16))
#define STAMP_CLOCK_OF(ms)    ((uint64_t)(ms) << 16)
#define STAMP_CLOCK_MAX       UINT64_C(0x7fffffffffffffff) /* fits SQLite's integer */
#define STAMP_MS_MAX          INT64_C(0x7fffffffffff)      /* its milliseconds */
#define STAMP_TOLERANCE_MS    INT64_C(300000)              /* default of clock_tolerance */
#define STAMP_DEVICE_OFFICE   0u /* the daemon itself, when an administrator decides */

struct stamp {
	uint64_t clock;
	uint32_t device;
};

/* By clock, then device. */
int stamp_compare(const struct stamp *a, const struct stamp *b);

struct hlc {
	uint64_t last; /* greatest clock given or seen */
};

/*
 * The clock of the next change: greater than all given or seen, and not before
 * `wall_ms`, which may be anything: below 0 or beyond STAMP_MS_MAX it is taken as
 * the nearest allowed. A full counter carries into the milliseconds. At
 * STAMP_CLOCK_MAX (the year 6429) it stands still. Advance a copy and keep it only
 * after the commit, so that a failed write does not move the clock.
 */
uint64_t hlc_tick(struct hlc *hlc, int64_t wall_ms);
/* What was seen from others; beyond STAMP_CLOCK_MAX it is taken as that. */
void hlc_observe(struct hlc *hlc, uint64_t clock);

/* How one change-set's clocks are mended. */
struct repair {
	int64_t shift_ms; /* added to raw clocks; 0 inside the tolerance */
	uint64_t ceiling; /* raw clocks beyond become this one: the daemon's present on arrival */
	uint64_t floor;   /* the device's previous effective clock: all are greater */
	bool is_flagged;  /* out of tolerance, or pulled back, or floor and ceiling collide */
};

/*
 * Decides the repair for a change-set that arrived over the network: the device
 * said its wall clock shows `sent_ms`, the daemon's shows `now_ms`. Any values.
 *
 * The ceiling holds inside the tolerance too: nothing stored is ever ahead of the
 * daemon, so whoever has seen a write can always be placed after it. It lies in
 * the middle of the counters of now_ms: raw clocks of that millisecond stand, and
 * 32,768 changes fit between it and the next millisecond.
 */
struct repair repair_for_network(int64_t sent_ms, int64_t now_ms, int64_t tolerance_ms,
				 uint64_t floor);
/* By file: transit time is unknown, so only what lies ahead of the present is pulled back. */
struct repair repair_for_file(int64_t now_ms, uint64_t floor);

/*
 * Lifts the ceiling to `present`, a tick of the daemon's own hybrid clock (which
 * has observed every stamp stored). It matters while the daemon's wall clock is
 * behind what it has stored, after a jump back: without it an edit of such a value
 * would be put before the value its author saw. For the same reason clocks are not
 * moved back then: what an author saw may lie further ahead than the distance of the
 * two wall clocks tells. Call it before the repair is stored.
 */
void repair_raise(struct repair *repair, uint64_t present);

/*
 * Flags the repair when this raw clock, moved, is more than `tolerance_ms` beyond
 * the ceiling. Call it for the changes of the set before the repair is stored.
 */
void repair_flag(struct repair *repair, uint64_t raw_clock, int64_t tolerance_ms);

/*
 * The effective clock of the next change of the set. `*prev` starts as
 * repair->floor and is advanced by each call: results strictly increase, also
 * where shift and ceiling would make them equal, and where the floor is above the
 * ceiling (the device or the daemon was wrongly ahead before). Only at
 * STAMP_CLOCK_MAX do they stand still. Raw clocks and repair may hold anything.
 */
uint64_t stamp_effective(const struct repair *repair, uint64_t raw_clock, uint64_t *prev);
