/*
 * partial_date - a date of which not all is known (a birth: day, month, year only,
 * or an age someone estimated).
 *
 * Canonical text: "1950-03-02", "1950-03", "1950", or "~70@2020-05-01": about 70
 * years old on that day. Years 1 to 9999, ages 0 to 150. Pure.
 */
#pragma once

#include "common/base/bytes.h"
#include "common/base/err.h"

enum partial_precision {
	PARTIAL_DAY,
	PARTIAL_MONTH,
	PARTIAL_YEAR,
	PARTIAL_AGE
};

struct partial_date {
	enum partial_precision precision;
	int year, month,
		day; /* the date; for AGE the day of the estimate; what is not known is 0 */
	int age;     /* AGE only */
};

#define PARTIAL_DATE_LEN     16u
#define PARTIAL_DATE_AGE_MAX 150

/* Canonical text only. ERR_INVAL. */
enum err partial_date_parse(struct bytes text, struct partial_date *ret_date);
void partial_date_print(const struct partial_date *d, char ret_text[PARTIAL_DATE_LEN]);
/*
 * What people type too: "02/03/1950", "2.3.1950", "03/1950", "1950",
 * "~70@01/05/2020", and 00 for a day or month nobody knows ("00/00/1950", as old
 * lists have it). Spaces around the parts do not matter. ERR_INVAL.
 */
enum err partial_date_read(struct bytes text, struct partial_date *ret_date);

/*
 * The earliest and the latest day the birth can have been, both as
 * year * 10000 + month * 100 + day (the day may be one the calendar lacks). An
 * estimate is taken to be right within a tenth of the age, and at least a year.
 */
void partial_date_range(const struct partial_date *born, int *ret_first, int *ret_last);

/*
 * Whether somebody born so is at least `age` on a day: rules by age print
 * "possible". Who was born on 29 February reaches an age on 1 March where there is
 * no such day.
 */
enum partial_age {
	PARTIAL_NO,
	PARTIAL_POSSIBLE,
	PARTIAL_SURE
};
enum partial_age partial_date_is_at_least(const struct partial_date *born, int age, int year,
					  int month, int day);
