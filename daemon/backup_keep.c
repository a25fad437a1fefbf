#include "daemon/backup_keep.h"

#include "common/base/clock.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)
#define ZONE_MS (7 * HOUR_MS)

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t day_of(int64_t at_ms)
{
	return floor_div(at_ms + ZONE_MS, DAY_MS);
}

/* 1970-01-01 was a Thursday. */
static int64_t week_of(int64_t at_ms)
{
	return floor_div(day_of(at_ms) + 3, 7);
}

static int64_t month_of(int64_t at_ms)
{
	int64_t year;
	int month;
	int day;

	clock_civil_from_days(day_of(at_ms), &year, &month, &day);
	return year * 12 + month;
}

static void keep_newest(int64_t (*period_of)(int64_t at_ms), int64_t periods, const int64_t *at_ms,
			size_t count, bool *keep)
{
	for (size_t i = 0; i < count && periods > 0; i++) {
		if (i != 0 && period_of(at_ms[i]) == period_of(at_ms[i - 1]))
			continue;
		keep[i] = true;
		periods--;
	}
}

void backup_keep(const struct backup_rule *rule, const int64_t *at_ms, size_t count, bool *ret_keep)
{
	for (size_t i = 0; i < count; i++)
		ret_keep[i] = i == 0;
	keep_newest(day_of, rule->days, at_ms, count, ret_keep);
	keep_newest(week_of, rule->weeks, at_ms, count, ret_keep);
	keep_newest(month_of, rule->months, at_ms, count, ret_keep);
}
