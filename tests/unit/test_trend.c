/* What the charts of the console are drawn from. */
#include "tests/unit/test.h"

#include "daemon/trend.h"

#define WALL INT64_C(1790000000000)

static struct metrics m;
static struct trend *trend;
static struct trend_point points[TREND_POINTS + 1];

static int setup(UNUSED_STATE)
{
	m = (struct metrics){0};
	trend = trend_new();
	return 0;
}

static int teardown(UNUSED_STATE)
{
	trend_free(trend);
	return 0;
}

static void tick(int64_t second)
{
	trend_tick(trend, &m, WALL + second * 1000, second * 1000);
}

static void nothing_is_told_before_the_first_look(UNUSED_STATE)
{
	assert_int_equal(trend_copy(trend, points), 0);
}

static void what_is_not_over_yet_is_told_too(UNUSED_STATE)
{
	metrics_set(&m, disk_free_bytes, 77);

	tick(0);
	metrics_add(&m, syncs_total, 3);
	tick(1);

	assert_int_equal(trend_copy(trend, points), 1);
	assert_int_equal(points[0].at_ms, WALL + 1000);
	assert_int_equal(points[0].span_ms, 1000);
	assert_int_equal(points[0].syncs, 3);
	assert_int_equal(points[0].disk_free, 77);
}

static void a_peak_between_two_points_is_kept(UNUSED_STATE)
{
	tick(0);
	metrics_set(&m, writer_waiting, 40);
	metrics_set(&m, commit_last_ms, 900);
	metrics_add(&m, writer_commits_total, 1);
	tick(1);
	metrics_set(&m, writer_waiting, 0);
	metrics_set(&m, commit_last_ms, 2);
	metrics_add(&m, writer_commits_total, 1);

	for (int64_t s = 2; s <= 300; s++)
		tick(s);

	assert_int_equal(trend_copy(trend, points), 2);
	assert_int_equal(points[0].waiting, 40);
	assert_int_equal(points[0].commit_ms, 900);
	assert_int_equal(points[0].commits, 2);
	assert_int_equal(points[0].span_ms, TREND_EVERY_MS);
	/* Of the five minutes before, nothing is left in the next. */
	assert_int_equal(points[1].waiting, 0);
	assert_int_equal(points[1].commits, 0);
}

static void the_last_commits_time_is_no_peak_of_minutes_without_any(UNUSED_STATE)
{
	metrics_set(&m, commit_last_ms, 900);
	metrics_add(&m, writer_commits_total, 1);

	for (int64_t s = 0; s <= 300; s++)
		tick(s);

	assert_int_equal(trend_copy(trend, points), 2);
	assert_int_equal(points[0].commit_ms, 0);
}

static void counts_are_of_their_own_time(UNUSED_STATE)
{
	metrics_add(&m, syncs_total, 1000);
	for (int64_t s = 0; s <= 900; s++) {
		tick(s);
		metrics_add(&m, syncs_total, 1);
	}

	assert_int_equal(trend_copy(trend, points), 4);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(points[i].syncs, 300);
}

static void the_oldest_makes_room(UNUSED_STATE)
{
	for (int64_t n = 0; n <= (int64_t)TREND_POINTS + 10; n++) {
		tick(n * 300);
		metrics_set(&m, disk_free_bytes, (uint64_t)n + 1);
	}

	assert_int_equal(trend_copy(trend, points), TREND_POINTS + 1);
	assert_int_equal(points[0].disk_free, 11);
	assert_int_equal(points[TREND_POINTS - 1].disk_free, TREND_POINTS + 10);
	for (size_t i = 1; i < TREND_POINTS; i++)
		assert_true(points[i - 1].at_ms < points[i].at_ms);
}

/* Nobody looked for an hour (a machine that slept): one point tells of all of it. */
static void a_pause_is_one_long_point(UNUSED_STATE)
{
	tick(0);
	metrics_add(&m, syncs_total, 5);
	tick(3600);

	assert_int_equal(trend_copy(trend, points), 2);
	assert_int_equal(points[0].span_ms, 3600000);
	assert_int_equal(points[0].syncs, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(nothing_is_told_before_the_first_look),
		T(what_is_not_over_yet_is_told_too),
		T(a_peak_between_two_points_is_kept),
		T(the_last_commits_time_is_no_peak_of_minutes_without_any),
		T(counts_are_of_their_own_time),
		T(the_oldest_makes_room),
		T(a_pause_is_one_long_point),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
