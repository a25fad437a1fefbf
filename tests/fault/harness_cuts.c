#include <inttypes.h>
#include <stdio.h>

#include "common/base/check.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/harness_private.h"

#define TEAR_SPAN 24u /* operations a half may take */

static enum verdict cut_at(const struct crashvfs_plan *plan)
{
	crashvfs_start(plan);
	(void)harness_run_all(CRASHVFS_NAME);
	if (!crashvfs_is_cut())
		return VERDICT_LATE;
	dbfile_remove(harness.subject->path);
	crashvfs_survive();
	return harness_restart();
}

/* ---- a sync that fails, a restart, and then the power ---- */

/* What is acknowledged after the restart must not stand on pages that never reached the disk. */
static enum verdict lose_sync(uint64_t at, bool is_stuck)
{
	const struct crashvfs_plan none = {
		.pattern = CRASH_NONE, .seed = 1, .keeps_cache = is_stuck};
	enum verdict v;
	enum err e;

	crashvfs_start(&none);
	crashvfs_fail_sync(at);
	e = harness_run_all(CRASHVFS_NAME);
	if (!crashvfs_has_failed_sync())
		return VERDICT_LATE;
	e = harness.subject->open();
	/* Not far: the next checkpoint would write it all anew. */
	for (int i = 0;
	     i < 2 && e == ERR_OK && harness.progress->acked < *harness.subject->step_count; i++) {
		e = harness.subject->step(harness.progress->acked);
		if (e == ERR_OK)
			harness_acknowledge();
	}
	crashvfs_cut();
	harness.subject->close();
	if (e != ERR_OK)
		return harness_complain("after a sync that failed", e);
	dbfile_remove(harness.subject->path);
	crashvfs_survive();
	dbfile_use_vfs("unix");
	e = harness.subject->open();
	v = e == ERR_OK && harness.subject->check(harness.progress->acked) == 0 ? VERDICT_SOUND
										: VERDICT_LOST;
	if (v == VERDICT_SOUND && !is_stuck)
		v = harness_go_on();
	harness.subject->close();
	return v;
}

/* ---- series ---- */

static struct crashvfs_plan random_cut(struct rand *r)
{
	return (struct crashvfs_plan){
		.at = 1 + rand_below(r, harness.operations),
		.pattern = (enum crash_pattern)rand_below(r, CRASH_PATTERNS),
		.seed = rand_u64(r) >> 16,
	};
}

/* The whole run: every operation, each pattern. */
static size_t power_cuts(void)
{
	struct series s = series_begin("power cuts");
	size_t points = harness.is_full ? harness.operations * CRASH_PATTERNS : harness.points;
	struct rand r;

	rand_seeded_init(&r, harness.seed);
	for (size_t i = 0; i < points; i++) {
		struct crashvfs_plan plan = random_cut(&r);
		enum verdict v;

		if (harness.is_full) {
			plan.at = 1 + i / CRASH_PATTERNS;
			plan.pattern = (enum crash_pattern)(i % CRASH_PATTERNS);
		}

		if (harness.point != 0 && harness.point != i + 1)
			continue;
		v = cut_at(&plan);
		series_count(&s, v);
		if (v != VERDICT_SOUND)
			(void)fprintf(stderr,
				      "  point %zu: operation %" PRIu64 " of %" PRIu64
				      ", %s, seed %" PRIu64 ", commits %" PRIu64 "/%" PRIu64 "\n",
				      i + 1, plan.at, harness.operations,
				      crash_pattern_name(plan.pattern), plan.seed,
				      harness.progress->acked_commits, harness.progress->commits);
	}
	return series_end(&s);
}

/* A weaker machine, which must be found out. */
static size_t is_blind(const struct series *s)
{
	if (series_end(s) != 0)
		return 0;
	(void)printf("%s: %s lost nothing: the test is blind\n", harness.subject->name, s->name);
	return 1;
}

static size_t negative_control(enum control which, const char *name, size_t points)
{
	struct series s = series_begin(name);
	struct rand r;

	rand_seeded_init(&r, harness.seed + which);
	harness.control = which;
	for (size_t i = 0; i < points; i++) {
		struct crashvfs_plan plan = random_cut(&r);

		plan.is_lying = which == CONTROL_LYING;
		plan.hides_sync = which == CONTROL_OFF || which == CONTROL_NORMAL;
		series_count(&s, cut_at(&plan));
	}
	harness.control = CONTROL_NONE;
	return is_blind(&s);
}

/* Between the halves of a step, or as near as operations tell. */
static size_t torn_steps(size_t points)
{
	struct series s = series_begin("control step in two halves");
	const struct crashvfs_plan none = {.seed = 1};
	struct rand r;

	rand_seeded_init(&r, harness.seed + CONTROL_TORN);
	harness.control = CONTROL_TORN;
	crashvfs_start(&none);
	(void)harness_run_all(CRASHVFS_NAME);

	const struct progress whole = *harness.progress;

	REQUIRE(whole.tear_count != 0);
	for (size_t i = 0; i < points; i++) {
		struct crashvfs_plan plan = random_cut(&r);

		plan.at = whole.tears[i % whole.tear_count] + 1 + rand_below(&r, TEAR_SPAN);
		plan.pattern = i % 2 == 0 ? CRASH_ALL : CRASH_NONE;
		series_count(&s, cut_at(&plan));
	}
	harness.control = CONTROL_NONE;
	return is_blind(&s);
}

static size_t negative_controls(void)
{
	size_t points = harness.points / 4 + 10;

	return negative_control(CONTROL_OFF, "control synchronous=OFF", points) +
	       negative_control(CONTROL_NORMAL, "control synchronous=NORMAL", points) +
	       negative_control(CONTROL_LYING, "control lying disk", points) +
	       negative_control(CONTROL_EARLY, "control receipt first", points) +
	       (harness.subject->tears ? torn_steps(points) : 0);
}

/* Every seventh sync unless all are wanted; the control one after the other, until one was lost. */
static size_t lost_syncs(bool is_stuck)
{
	struct series s =
		series_begin(is_stuck ? "control cache not dropped" : "sync lost, restart, cut");
	enum verdict v = VERDICT_SOUND;
	uint64_t stride = harness.is_full || is_stuck ? 1 : 7;
	bool is_seen = false;
	size_t bad;

	for (uint64_t n = 1 + harness.seed % stride; v != VERDICT_LATE && !is_seen; n += stride) {
		v = lose_sync(n, is_stuck);
		series_count(&s, v);
		is_seen = is_stuck && !harness.is_full && v == VERDICT_LOST;
	}
	bad = series_end(&s);
	return is_stuck ? bad == 0 : bad;
}

size_t harness_cuts(void)
{
	size_t bad = 0;

	if (harness_is_wanted("power cuts"))
		bad += power_cuts();
	if (harness_is_wanted("controls"))
		bad += negative_controls();
	if (harness.subject->drops_cache && harness_is_wanted("sync lost"))
		bad += lost_syncs(false);
	if (harness.subject->drops_cache && harness_is_wanted("sync lost") &&
	    (harness.is_full || harness.subject->shows_lost_syncs))
		bad += lost_syncs(true);
	return bad;
}
