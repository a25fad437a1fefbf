#include "common/model/partial_date.h"

#include <stdbool.h>
#include <stdio.h>

#include "common/base/check.h"

#define YEAR_MAX 9999

/* Days, months and years packed so that later is greater. */
static int packed(int year, int month, int day)
{
	return year * 10000 + month * 100 + day;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool is_valid(const struct partial_date *d)
{
	bool has_month = d->precision != PARTIAL_YEAR;
	bool has_day = d->precision == PARTIAL_DAY || d->precision == PARTIAL_AGE;

	if (d->year < 1 || d->year > YEAR_MAX)
		return false;
	if (has_month ? d->month < 1 || d->month > 12 : d->month != 0)
		return false;
	if (has_day ? d->day < 1 || d->day > days_in_month(d->year, d->month) : d->day != 0)
		return false;
	return d->precision == PARTIAL_AGE ? d->age >= 0 && d->age <= PARTIAL_DATE_AGE_MAX
					   : d->age == 0;
}

/* At most three numbers and what stands between them. */
struct parts {
	int numbers[3];
	size_t digits[3];
	size_t count;
	uint8_t separators[2];
};

static void skip_blanks(struct bytes text, size_t *at)
{
	while (*at < text.len && (text.data[*at] == ' ' || text.data[*at] == '\t'))
		*at += 1;
}

/* One to four digits. */
static bool read_number(struct bytes text, size_t *at, int *ret_number, size_t *ret_digits)
{
	size_t digits = 0;
	int number = 0;

	for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; *at += 1) {
		if (++digits > 4)
			return false;
		number = number * 10 + (text.data[*at] - '0');
	}
	*ret_number = number;
	*ret_digits = digits;
	return digits > 0;
}

static bool read_parts(struct bytes text, struct parts *ret_parts)
{
	struct parts p = {0};
	size_t at = 0;

	for (;;) {
		skip_blanks(text, &at);
		if (!read_number(text, &at, &p.numbers[p.count], &p.digits[p.count]))
			return false;
		p.count++;
		skip_blanks(text, &at);
		if (at == text.len)
			break;
		if (p.count == 3 || strchr("/-.", text.data[at]) == NULL || text.data[at] == '\0')
			return false;
		p.separators[p.count - 1] = text.data[at++];
	}
	*ret_parts = p;
	return p.count < 3 || p.separators[0] == p.separators[1];
}

/* Day 0 and month 0 are how old lists say "not known". */
static enum partial_precision precision_of(int month, int day)
{
	if (month == 0 && day == 0)
		return PARTIAL_YEAR;
	return day == 0 ? PARTIAL_MONTH : PARTIAL_DAY;
}

/* A plain date, in the office's order or in the canonical one. */
static bool read_date(struct bytes text, struct partial_date *ret_date)
{
	struct parts p;
	struct partial_date d = {0};
	size_t year_at;

	if (!read_parts(text, &p))
		return false;
	year_at = p.digits[0] == 4 ? 0 : p.count - 1;
	if (p.digits[year_at] != 4 || (year_at == 0 && p.count > 1 && p.separators[0] != '-'))
		return false;
	for (size_t i = 0; i < p.count; i++) {
		if (i != year_at && p.digits[i] > 2)
			return false;
	}
	d.year = p.numbers[year_at];
	if (p.count > 1)
		d.month = p.numbers[p.count == 3 || year_at == 0 ? 1 : 0];
	if (p.count == 3)
		d.day = p.numbers[year_at == 0 ? 2 : 0];
	d.precision = precision_of(d.month, d.day);
	*ret_date = d;
	return is_valid(&d);
}

static bool read_estimate(struct bytes text, struct partial_date *ret_date)
{
	const uint8_t *sign = memchr(text.data, '@', text.len);
	struct partial_date d = {0};
	size_t at = 0;
	size_t digits;
	int age;

	if (sign == NULL)
		return false;
	struct bytes front = {text.data, (size_t)(sign - text.data)};

	skip_blanks(front, &at);
	if (!read_number(front, &at, &age, &digits))
		return false;
	skip_blanks(front, &at);
	if (at != front.len)
		return false;
	if (!read_date(bytes_of(sign + 1, text.len - front.len - 1), &d) ||
	    d.precision != PARTIAL_DAY)
		return false;
	d.precision = PARTIAL_AGE;
	d.age = age;
	*ret_date = d;
	return is_valid(&d);
}

enum err partial_date_read(struct bytes text, struct partial_date *ret_date)
{
	struct partial_date d = {0};
	size_t at = 0;
	bool is_read;

	skip_blanks(text, &at);
	if (at < text.len && text.data[at] == '~')
		is_read = read_estimate(bytes_of(text.data + at + 1, text.len - at - 1), &d);
	else
		is_read = read_date(text, &d);
	if (!is_read)
		return err_raise(ERR_INVAL, "not a date, or a part of one");
	*ret_date = d;
	return ERR_OK;
}

enum err partial_date_parse(struct bytes text, struct partial_date *ret_date)
{
	char canonical[PARTIAL_DATE_LEN];
	struct partial_date d = {0};
	enum err e = partial_date_read(text, &d);

	if (e != ERR_OK)
		return e;
	/* There is one canonical text, so printing it again is the whole test. */
	partial_date_print(&d, canonical);
	if (!bytes_is(text, canonical))
		return err_raise(ERR_INVAL, "a partial date, but not in its canonical form");
	*ret_date = d;
	return ERR_OK;
}

void partial_date_print(const struct partial_date *d, char ret_text[PARTIAL_DATE_LEN])
{
	char text[64];
	int len = 0;

	REQUIRE(is_valid(d));
	switch (d->precision) {
	case PARTIAL_DAY:
		len = snprintf(text, sizeof text, "%04d-%02d-%02d", d->year, d->month, d->day);
		break;
	case PARTIAL_MONTH:
		len = snprintf(text, sizeof text, "%04d-%02d", d->year, d->month);
		break;
	case PARTIAL_YEAR: len = snprintf(text, sizeof text, "%04d", d->year); break;
	case PARTIAL_AGE:
		len = snprintf(text, sizeof text, "~%d@%04d-%02d-%02d", d->age, d->year, d->month,
			       d->day);
		break;
	}
	ENSURE(len > 0 && (size_t)len < PARTIAL_DATE_LEN);
	memcpy(ret_text, text, (size_t)len + 1);
}

void partial_date_range(const struct partial_date *born, int *ret_first, int *ret_last)
{
	int margin = born->age > 10 ? born->age / 10 : 1;

	REQUIRE(is_valid(born));
	switch (born->precision) {
	case PARTIAL_DAY:
		*ret_first = packed(born->year, born->month, born->day);
		*ret_last = *ret_first;
		break;
	case PARTIAL_MONTH:
		*ret_first = packed(born->year, born->month, 1);
		*ret_last = packed(born->year, born->month, days_in_month(born->year, born->month));
		break;
	case PARTIAL_YEAR:
		*ret_first = packed(born->year, 1, 1);
		*ret_last = packed(born->year, 12, 31);
		break;
	case PARTIAL_AGE:
		/* One day short of the birthday after the greatest age it can be. */
		*ret_first =
			packed(born->year - born->age - margin - 1, born->month, born->day) + 1;
		*ret_last = packed(born->year - (born->age > margin ? born->age - margin : 0),
				   born->month, born->day);
		break;
	}
}

enum partial_age partial_date_is_at_least(const struct partial_date *born, int age, int year,
					  int month, int day)
{
	int limit = packed(year - age, month, day);
	int first;
	int last;

	partial_date_range(born, &first, &last);
	if (last <= limit)
		return PARTIAL_SURE;
	return first > limit ? PARTIAL_NO : PARTIAL_POSSIBLE;
}
