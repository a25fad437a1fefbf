#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"

#define DAY_MS INT64_C(86400000)

static int64_t now_ms(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall_ms(const struct clock *c)
{
	(void)c;
	return now_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(const struct clock *c)
{
	(void)c;
	return now_ms(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
	static const struct clock c = {system_wall_ms, system_monotonic_ms};

	return &c;
}

int64_t clock_boottime_ms(void)
{
	return now_ms(CLOCK_BOOTTIME);
}

static const struct clock_fake *fake_of(const struct clock *c)
{
	return (const struct clock_fake *)(const void *)c;
}

static int64_t fake_wall_ms(const struct clock *c)
{
	return fake_of(c)->wall;
}

static int64_t fake_monotonic_ms(const struct clock *c)
{
	return fake_of(c)->monotonic;
}

void clock_fake_init(struct clock_fake *c, int64_t wall_ms)
{
	*c = (struct clock_fake){{fake_wall_ms, fake_monotonic_ms}, wall_ms, 0};
}

int64_t clock_days_from_civil(int64_t year, int month, int day)
{
	/* March-based years, so that the leap day is the last of its year. */
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void clock_civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_year = yoe + era * 400 + (*ret_month <= 2);
}

void clock_print_iso(int64_t wall_ms, char ret_text[CLOCK_ISO_LEN])
{
	int64_t days = wall_ms / DAY_MS;
	int64_t rest = wall_ms % DAY_MS;
	int64_t year;
	int month;
	int day;

	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	clock_civil_from_days(days, &year, &month, &day);
	if (year < 0 || year > 9999) {
		memcpy(ret_text, "0000-00-00T00:00:00.000Z", CLOCK_ISO_LEN);
		return;
	}
	snprintf(ret_text, CLOCK_ISO_LEN, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)year % 10000u, (unsigned)month % 100u, (unsigned)day % 100u,
		 (unsigned)(rest / 3600000) % 100u, (unsigned)(rest / 60000 % 60) % 100u,
		 (unsigned)(rest / 1000 % 60) % 100u, (unsigned)(rest % 1000) % 1000u);
}

struct cursor {
	const char *at;
	const char *end;
};

static bool read_digits(struct cursor *c, int count, int *ret_value)
{
	int value = 0;

	if (c->end - c->at < count)
		return false;
	for (int i = 0; i < count; i++) {
		if (c->at[i] < '0' || c->at[i] > '9')
			return false;
		value = value * 10 + (c->at[i] - '0');
	}
	c->at += count;
	*ret_value = value;
	return true;
}

static bool read_char(struct cursor *c, char want)
{
	if (c->at == c->end || *c->at != want)
		return false;
	c->at++;
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

static bool read_date(struct cursor *c, int64_t *ret_days)
{
	int year;
	int month;
	int day;

	if (!read_digits(c, 4, &year) || !read_char(c, '-') || !read_digits(c, 2, &month) ||
	    !read_char(c, '-') || !read_digits(c, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	*ret_days = clock_days_from_civil(year, month, day);
	return true;
}

static bool read_fraction(struct cursor *c, int *ret_ms)
{
	int scale = 100;

	*ret_ms = 0;
	if (!read_char(c, '.'))
		return true;
	const char *start = c->at;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
		*ret_ms += (*c->at - '0') * scale;
		scale /= 10;
		c->at++;
	}
	return c->at > start;
}

static bool read_zone(struct cursor *c, int64_t *ret_offset_ms)
{
	int hours;
	int minutes;

	*ret_offset_ms = 0;
	if (c->at == c->end || read_char(c, 'Z'))
		return true;
	int sign = *c->at == '-' ? -1 : 1;

	if (*c->at != '-' && *c->at != '+')
		return false;
	c->at++;
	if (!read_digits(c, 2, &hours) || !read_char(c, ':') || !read_digits(c, 2, &minutes))
		return false;
	*ret_offset_ms = sign * ((int64_t)hours * 60 + minutes) * 60000;
	return hours <= 14 && minutes < 60;
}

static bool read_time(struct cursor *c, int64_t *ret_ms)
{
	int hour;
	int minute;
	int second = 0;
	int ms = 0;
	int64_t offset;

	if (!read_digits(c, 2, &hour) || !read_char(c, ':') || !read_digits(c, 2, &minute))
		return false;
	if (read_char(c, ':') && (!read_digits(c, 2, &second) || !read_fraction(c, &ms)))
		return false;
	if (hour > 23 || minute > 59 || second > 59 || !read_zone(c, &offset))
		return false;
	*ret_ms = (((int64_t)hour * 60 + minute) * 60 + second) * 1000 + ms - offset;
	return true;
}

enum err clock_parse_iso(const char *text, size_t len, int64_t *ret_wall_ms)
{
	struct cursor c = {text, text + len};
	int64_t days;
	int64_t ms = 0;

	if (!read_date(&c, &days))
		return err_raise(ERR_INVAL, "not a date: %.*s", (int)len, text);
	if (c.at != c.end && (!read_char(&c, 'T') || !read_time(&c, &ms) || c.at != c.end))
		return err_raise(ERR_INVAL, "not a time: %.*s", (int)len, text);
	*ret_wall_ms = days * DAY_MS + ms;
	return ERR_OK;
}
