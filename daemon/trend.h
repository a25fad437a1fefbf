/*
 * trend - how the daemon stood in the last days, for the charts of the console: a point every five
 * minutes.
 *
 * In memory and bounded: a restart begins anew, and who wants more has Prometheus (metrics.h). What
 * matters by its peaks (a slow commit, a long queue) is looked at every second and kept as the
 * greatest of the five minutes. Guards itself: the loop adds, pool threads read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "daemon/metrics.h"

#define TREND_EVERY_MS INT64_C(300000)
#define TREND_POINTS   2016u /* a week */

/* X(name): peaks, then what stood at the end, then what happened meanwhile. */
#define TREND_MAP(X) \
	X(commit_ms) \
	X(waiting)   \
	X(wal_pages) \
	X(pages)     \
	X(disk_free) \
	X(devices)   \
	X(commits)   \
	X(syncs)     \
	X(refused)   \
	X(applied)

struct trend_point {
	int64_t at_ms;   /* its end; wall clock */
	int64_t span_ms; /* how much time it tells of */
#define X(name) uint64_t name;
	TREND_MAP(X)
#undef X
};

struct trend;
struct trend *trend_new(void);
void trend_free(struct trend *t);
DEFINE_AUTO(struct trend *, trend_free)

/* Every second. `wall_ms` for people, `now_ms` (monotonic) for spans. */
void trend_tick(struct trend *t, struct metrics *m, int64_t wall_ms, int64_t now_ms);
/* Oldest first, the one that is not over yet last. How many; none before the first tick. */
size_t trend_copy(struct trend *t, struct trend_point ret_points[TREND_POINTS + 1]);
