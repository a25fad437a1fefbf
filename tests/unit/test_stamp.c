#include "tests/unit/test.h"

#include "common/base/rand.h"
#include "common/model/stamp.h"

#define YEAR_MS  (INT64_C(365) * 24 * 3600 * 1000)
#define NOW_MS   INT64_C(1782000000000) /* June 2026 */
#define MINUTE   INT64_C(60000)
#define END_2038 INT64_C(2147483647999)
#define END_2106 INT64_C(4294967295999)

static uint64_t effective_once(const struct repair *r, uint64_t raw)
{
	uint64_t prev = r->floor;

	return stamp_effective(r, raw, &prev);
}

static void stamps_order_by_clock_then_device(UNUSED_STATE)
{
	const struct stamp low = {10, 9};
	const struct stamp high = {11, 1};
	const struct stamp high_other = {11, 2};

	assert_true(stamp_compare(&low, &high) < 0);
	assert_true(stamp_compare(&high, &low) > 0);
	assert_true(stamp_compare(&high, &high_other) < 0);
	assert_true(stamp_compare(&high_other, &high) > 0);
	assert_int_equal(stamp_compare(&high, &high), 0);
	assert_true(stamp_compare(&(struct stamp){1, UINT32_MAX}, &(struct stamp){1, 0}) > 0);
	assert_true(stamp_compare(&(struct stamp){UINT64_MAX, 0}, &(struct stamp){0, 0}) > 0);
}

static void a_tick_follows_the_wall_clock(UNUSED_STATE)
{
	struct hlc hlc = {0};

	assert_int_equal(hlc_tick(&hlc, NOW_MS), STAMP_CLOCK_OF(NOW_MS));
	assert_int_equal(hlc_tick(&hlc, NOW_MS + 5), STAMP_CLOCK_OF(NOW_MS + 5));
	assert_int_equal(STAMP_CLOCK_MS(hlc.last), NOW_MS + 5);
}

static void a_tick_is_greater_when_the_wall_clock_stands_or_goes_back(UNUSED_STATE)
{
	const int64_t walls[] = {NOW_MS,    NOW_MS,    NOW_MS - 20 * YEAR_MS, 0, -1,
				 INT64_MIN, NOW_MS + 1};
	struct hlc hlc = {0};

	for (size_t i = 0; i < sizeof walls / sizeof walls[0]; i++) {
		uint64_t before = hlc.last;

		assert_true(hlc_tick(&hlc, walls[i]) > before);
	}
	assert_int_equal(hlc.last, STAMP_CLOCK_OF(NOW_MS + 1));
}

static void a_full_counter_carries_into_the_milliseconds(UNUSED_STATE)
{
	struct hlc hlc = {STAMP_CLOCK_OF(NOW_MS) | 0xffff};

	assert_int_equal(hlc_tick(&hlc, NOW_MS), STAMP_CLOCK_OF(NOW_MS + 1));
}

static void a_tick_stands_still_at_the_end_of_time(UNUSED_STATE)
{
	struct hlc hlc = {0};

	assert_int_equal(hlc_tick(&hlc, INT64_MAX), STAMP_CLOCK_OF(STAMP_MS_MAX));
	hlc.last = STAMP_CLOCK_MAX - 1;
	assert_int_equal(hlc_tick(&hlc, 0), STAMP_CLOCK_MAX);
	assert_int_equal(hlc_tick(&hlc, INT64_MAX), STAMP_CLOCK_MAX);
}

static void a_clock_observes_what_is_greater(UNUSED_STATE)
{
	struct hlc hlc = {100};

	hlc_observe(&hlc, 50);
	assert_int_equal(hlc.last, 100);
	hlc_observe(&hlc, 200);
	assert_int_equal(hlc.last, 200);
	hlc_observe(&hlc, UINT64_MAX);
	assert_int_equal(hlc.last, STAMP_CLOCK_MAX);
}

static void inside_the_tolerance_raw_clocks_stand(UNUSED_STATE)
{
	const int64_t offsets[] = {0, 1, -1, STAMP_TOLERANCE_MS, -STAMP_TOLERANCE_MS};

	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		struct repair r =
			repair_for_network(NOW_MS + offsets[i], NOW_MS, STAMP_TOLERANCE_MS, 0);
		uint64_t raw = STAMP_CLOCK_OF(NOW_MS - MINUTE) | 7;

		assert_int_equal(r.shift_ms, 0);
		assert_false(r.is_flagged);
		assert_int_equal(effective_once(&r, raw), raw);
	}
}

static void a_raw_clock_of_the_present_millisecond_stands(UNUSED_STATE)
{
	struct repair r = repair_for_network(NOW_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);
	uint64_t raw = STAMP_CLOCK_OF(NOW_MS) | 1000;

	assert_int_equal(effective_once(&r, raw), raw);
}

static void one_millisecond_beyond_the_tolerance_moves_by_all_of_it(UNUSED_STATE)
{
	struct repair ahead =
		repair_for_network(NOW_MS + STAMP_TOLERANCE_MS + 1, NOW_MS, STAMP_TOLERANCE_MS, 0);
	struct repair behind =
		repair_for_network(NOW_MS - STAMP_TOLERANCE_MS - 1, NOW_MS, STAMP_TOLERANCE_MS, 0);

	assert_int_equal(ahead.shift_ms, -STAMP_TOLERANCE_MS - 1);
	assert_int_equal(behind.shift_ms, STAMP_TOLERANCE_MS + 1);
	assert_true(ahead.is_flagged);
	assert_true(behind.is_flagged);
}

/* A device wrong by any amount, constantly, comes out as if its clock had been right. */
static void a_constantly_wrong_clock_is_mended_exactly(UNUSED_STATE)
{
	const int64_t offsets[] = {
		20 * YEAR_MS,      -20 * YEAR_MS,     3600000,          -3600000,
		END_2038 - NOW_MS, END_2106 - NOW_MS, -NOW_MS + MINUTE,
	};
	const int64_t written_ms = NOW_MS - MINUTE;

	for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
		struct repair r =
			repair_for_network(NOW_MS + offsets[i], NOW_MS, STAMP_TOLERANCE_MS, 0);
		uint64_t raw = STAMP_CLOCK_OF(written_ms + offsets[i]) | 3;

		assert_int_equal(effective_once(&r, raw), STAMP_CLOCK_OF(written_ms) | 3);
	}
}

static void nothing_is_put_beyond_the_present(UNUSED_STATE)
{
	struct repair near = repair_for_network(NOW_MS + MINUTE, NOW_MS, STAMP_TOLERANCE_MS, 0);
	struct repair far = repair_for_network(NOW_MS - YEAR_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);

	assert_int_equal(STAMP_CLOCK_MS(effective_once(&near, STAMP_CLOCK_OF(NOW_MS + MINUTE))),
			 NOW_MS);
	assert_int_equal(STAMP_CLOCK_MS(effective_once(&far, STAMP_CLOCK_OF(NOW_MS))), NOW_MS);
}

static void nothing_is_put_before_1970(UNUSED_STATE)
{
	struct repair r = repair_for_network(NOW_MS + 20 * YEAR_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);

	assert_int_equal(effective_once(&r, STAMP_CLOCK_OF(YEAR_MS) | 5), 5);
}

static void many_changes_fit_between_the_ceiling_and_the_next_millisecond(UNUSED_STATE)
{
	struct repair r = repair_for_network(NOW_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);
	uint64_t prev = r.floor;
	uint64_t last = 0;

	for (int i = 0; i < 32768; i++) {
		uint64_t clock = stamp_effective(&r, STAMP_CLOCK_OF(NOW_MS + YEAR_MS) + i, &prev);

		assert_true(clock > last);
		last = clock;
	}
	assert_int_equal(STAMP_CLOCK_MS(last), NOW_MS);
}

static void all_clocks_are_above_the_floor(UNUSED_STATE)
{
	uint64_t floor = STAMP_CLOCK_OF(NOW_MS - MINUTE) | 9;
	struct repair r = repair_for_network(NOW_MS, NOW_MS, STAMP_TOLERANCE_MS, floor);
	uint64_t prev = r.floor;

	assert_false(r.is_flagged);
	assert_int_equal(stamp_effective(&r, floor, &prev), floor + 1);
	assert_int_equal(stamp_effective(&r, floor - 5, &prev), floor + 2);
	assert_int_equal(stamp_effective(&r, floor + 2, &prev), floor + 3);
	assert_int_equal(stamp_effective(&r, floor + 9, &prev), floor + 9);
	assert_int_equal(prev, floor + 9);
}

static void a_floor_above_the_ceiling_wins_and_is_flagged(UNUSED_STATE)
{
	uint64_t floor = STAMP_CLOCK_OF(NOW_MS + YEAR_MS);
	struct repair network = repair_for_network(NOW_MS, NOW_MS, STAMP_TOLERANCE_MS, floor);
	struct repair file = repair_for_file(NOW_MS, floor);

	assert_true(network.is_flagged);
	assert_true(file.is_flagged);
	assert_int_equal(effective_once(&network, STAMP_CLOCK_OF(NOW_MS)), floor + 1);
	assert_int_equal(effective_once(&file, STAMP_CLOCK_OF(NOW_MS)), floor + 1);
}

static void by_file_only_what_is_ahead_is_pulled_back(UNUSED_STATE)
{
	struct repair r = repair_for_file(NOW_MS, 0);
	uint64_t old = STAMP_CLOCK_OF(NOW_MS - 20 * YEAR_MS) | 4;

	assert_int_equal(r.shift_ms, 0);
	assert_false(r.is_flagged);
	assert_int_equal(effective_once(&r, old), old);
	assert_int_equal(effective_once(&r, STAMP_CLOCK_OF(NOW_MS + 1)), r.ceiling);
	assert_int_equal(STAMP_CLOCK_MS(r.ceiling), NOW_MS);
}

/* The daemon's wall clock jumped back; what it stored before must stay in reach. */
static void a_raised_ceiling_lets_an_edit_of_the_newest_value_win(UNUSED_STATE)
{
	struct hlc daemon = {STAMP_CLOCK_OF(NOW_MS + 3600000) | 5};
	uint64_t seen = daemon.last;
	struct repair r = repair_for_network(NOW_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);

	assert_true(effective_once(&r, seen + 1) < seen);
	repair_raise(&r, hlc_tick(&daemon, NOW_MS));
	assert_true(effective_once(&r, seen + 1) > seen);
	assert_true(effective_once(&r, STAMP_CLOCK_OF(NOW_MS + YEAR_MS)) > seen);
	repair_raise(&r, 1);
	assert_true(r.ceiling > seen);
	repair_raise(&r, UINT64_MAX);
	assert_int_equal(r.ceiling, STAMP_CLOCK_MAX);
}

/* The office stored stamps of 2106, then its clock fell back to 2000; the device's says 2026. */
static void an_edit_of_what_its_author_saw_wins_while_the_office_is_behind(UNUSED_STATE)
{
	const uint64_t seen = STAMP_CLOCK_OF(NOW_MS + 80 * YEAR_MS);
	const int64_t office_ms = NOW_MS - 26 * YEAR_MS;
	struct hlc daemon = {.last = seen};
	struct repair r = repair_for_network(NOW_MS, office_ms, STAMP_TOLERANCE_MS, 0);

	assert_true(effective_once(&r, seen + 1) < seen);
	repair_raise(&r, hlc_tick(&daemon, office_ms));

	assert_true(effective_once(&r, seen + 1) > seen);
	assert_true(r.is_flagged);
}

/* Within the present millisecond nothing was seen that could be lost: distances stay. */
static void a_present_of_the_same_millisecond_leaves_the_shift(UNUSED_STATE)
{
	struct hlc daemon = {.last = STAMP_CLOCK_OF(NOW_MS) | 0x8123u};
	struct repair r = repair_for_network(NOW_MS + 20 * YEAR_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);

	repair_raise(&r, hlc_tick(&daemon, NOW_MS));

	assert_int_equal(r.shift_ms, -20 * YEAR_MS);
}

static void only_what_is_far_beyond_the_present_is_flagged(UNUSED_STATE)
{
	struct repair r = repair_for_file(NOW_MS, 0);

	repair_flag(&r, STAMP_CLOCK_OF(NOW_MS + STAMP_TOLERANCE_MS), STAMP_TOLERANCE_MS);
	repair_flag(&r, 0, STAMP_TOLERANCE_MS);
	assert_false(r.is_flagged);
	repair_flag(&r, STAMP_CLOCK_OF(NOW_MS + STAMP_TOLERANCE_MS + 1), STAMP_TOLERANCE_MS);
	assert_true(r.is_flagged);
}

static void a_device_of_the_year_2026_is_not_flagged_after_its_clock_was_shifted(UNUSED_STATE)
{
	struct repair r = repair_for_network(NOW_MS, NOW_MS + YEAR_MS, STAMP_TOLERANCE_MS, 0);

	r.is_flagged = false; /* look at the raw clocks alone */
	repair_flag(&r, STAMP_CLOCK_OF(NOW_MS), STAMP_TOLERANCE_MS);
	assert_false(r.is_flagged);
}

static void clocks_of_the_edges_of_time_give_defined_results(UNUSED_STATE)
{
	const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -YEAR_MS,      -1,       0, 1, END_2038,
				 END_2106,  STAMP_MS_MAX,  INT64_MAX - 1, INT64_MAX};
	const uint64_t clocks[] = {0, 1, STAMP_CLOCK_MAX - 1, STAMP_CLOCK_MAX, UINT64_MAX};

	for (size_t s = 0; s < sizeof times / sizeof times[0]; s++)
		for (size_t n = 0; n < sizeof times / sizeof times[0]; n++)
			for (size_t c = 0; c < sizeof clocks / sizeof clocks[0]; c++) {
				struct repair r =
					repair_for_network(times[s], times[n], times[s], clocks[c]);

				assert_true(effective_once(&r, clocks[c]) <= STAMP_CLOCK_MAX);
				assert_true(r.ceiling <= STAMP_CLOCK_MAX);
				repair_flag(&r, clocks[c], times[n]);
			}
}

/* As read from a damaged or hostile place. */
static void a_repair_with_anything_in_it_gives_defined_results(UNUSED_STATE)
{
	const int64_t shifts[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
	const uint64_t clocks[] = {0, STAMP_CLOCK_MAX, UINT64_MAX};

	for (size_t s = 0; s < 5; s++)
		for (size_t c = 0; c < 3; c++)
			for (size_t f = 0; f < 3; f++) {
				struct repair r = {shifts[s], clocks[c], clocks[f], false};

				assert_true(effective_once(&r, clocks[2 - c]) <= STAMP_CLOCK_MAX);
			}
}

/* The promise the stored stamps rest on, for any clocks whatever. */
static void effective_clocks_of_a_device_strictly_increase(UNUSED_STATE)
{
	struct rand rand;
	uint64_t last = 0;

	print_message("seed 20260601\n");
	rand_seeded_init(&rand, 20260601);
	for (int set = 0; set < 2000; set++) {
		int64_t sent = (int64_t)rand_u64(&rand) >> rand_below(&rand, 40);
		int64_t now =
			NOW_MS + (int64_t)rand_below(&rand, 40 * (uint64_t)YEAR_MS) - 20 * YEAR_MS;
		struct repair r = rand_below(&rand, 3) == 0
					  ? repair_for_file(now, last)
					  : repair_for_network(sent, now, STAMP_TOLERANCE_MS, last);
		uint64_t prev = r.floor;

		for (int i = 0; i < 20; i++) {
			uint64_t raw = rand_u64(&rand) >> rand_below(&rand, 20);
			uint64_t clock = stamp_effective(&r, raw, &prev);

			assert_true(clock > last);
			last = clock;
		}
	}
}

/* Raw clocks in order, none beyond the ceiling: the distances stay what they were. */
static void a_shift_keeps_order_and_distance(UNUSED_STATE)
{
	struct repair r = repair_for_network(NOW_MS + YEAR_MS, NOW_MS, STAMP_TOLERANCE_MS, 0);
	uint64_t prev = r.floor;
	uint64_t first = STAMP_CLOCK_OF(NOW_MS + YEAR_MS - 1000);
	uint64_t a = stamp_effective(&r, first, &prev);
	uint64_t b = stamp_effective(&r, first + 1, &prev);
	uint64_t c = stamp_effective(&r, first + STAMP_CLOCK_OF(500), &prev);

	assert_int_equal(b - a, 1);
	assert_int_equal(c - a, STAMP_CLOCK_OF(500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_order_by_clock_then_device),
		cmocka_unit_test(a_tick_follows_the_wall_clock),
		cmocka_unit_test(a_tick_is_greater_when_the_wall_clock_stands_or_goes_back),
		cmocka_unit_test(a_full_counter_carries_into_the_milliseconds),
		cmocka_unit_test(a_tick_stands_still_at_the_end_of_time),
		cmocka_unit_test(a_clock_observes_what_is_greater),
		cmocka_unit_test(inside_the_tolerance_raw_clocks_stand),
		cmocka_unit_test(a_raw_clock_of_the_present_millisecond_stands),
		cmocka_unit_test(one_millisecond_beyond_the_tolerance_moves_by_all_of_it),
		cmocka_unit_test(a_constantly_wrong_clock_is_mended_exactly),
		cmocka_unit_test(nothing_is_put_beyond_the_present),
		cmocka_unit_test(nothing_is_put_before_1970),
		cmocka_unit_test(many_changes_fit_between_the_ceiling_and_the_next_millisecond),
		cmocka_unit_test(all_clocks_are_above_the_floor),
		cmocka_unit_test(a_floor_above_the_ceiling_wins_and_is_flagged),
		cmocka_unit_test(by_file_only_what_is_ahead_is_pulled_back),
		cmocka_unit_test(a_raised_ceiling_lets_an_edit_of_the_newest_value_win),
		cmocka_unit_test(an_edit_of_what_its_author_saw_wins_while_the_office_is_behind),
		cmocka_unit_test(a_present_of_the_same_millisecond_leaves_the_shift),
		cmocka_unit_test(only_what_is_far_beyond_the_present_is_flagged),
		cmocka_unit_test(
			a_device_of_the_year_2026_is_not_flagged_after_its_clock_was_shifted),
		cmocka_unit_test(clocks_of_the_edges_of_time_give_defined_results),
		cmocka_unit_test(a_repair_with_anything_in_it_gives_defined_results),
		cmocka_unit_test(effective_clocks_of_a_device_strictly_increase),
		cmocka_unit_test(a_shift_keeps_order_and_distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
