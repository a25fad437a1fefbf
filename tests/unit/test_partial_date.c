#include "tests/unit/test.h"

#include <stdio.h>

#include "common/model/partial_date.h"

static void canonical_texts_are_read_and_printed_back(UNUSED_STATE)
{
	static const char *const texts[] = {"1950-03-02",     "1950-03",       "1950",
					    "0001-01-01",     "9999-12-31",    "2000-02-29",
					    "~70@2020-05-01", "~0@2020-05-01", "~150@2020-02-29"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char printed[PARTIAL_DATE_LEN];
		struct partial_date d;

		print_message("%s\n", texts[i]);
		assert_ok(partial_date_parse(bytes_str(texts[i]), &d));
		partial_date_print(&d, printed);
		assert_string_equal(printed, texts[i]);
	}
}

static void only_canonical_text_is_parsed(UNUSED_STATE)
{
	static const char *const texts[] = {"",
					    " 1950",
					    "1950 ",
					    "1950-3-2",
					    "02/03/1950",
					    "1950-00-00",
					    "~070@2020-05-01",
					    "~70@01/05/2020",
					    "~ 70@2020-05-01",
					    "~151@2020-05-01",
					    "~-1@2020-05-01",
					    "~70@2020-05",
					    "~70@",
					    "~70",
					    "~@2020-05-01",
					    "0000",
					    "1950-13",
					    "1950-02-29",
					    "1900-02-29",
					    "1950-04-31",
					    "1950-04-00",
					    "19500",
					    "195",
					    "1950-",
					    "1950-03-02-01",
					    "1950-03-02T00:00",
					    "abcd",
					    "1950/03/02"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct partial_date d = {.year = 77};

		print_message("%s\n", texts[i]);
		assert_err(partial_date_parse(bytes_str(texts[i]), &d), ERR_INVAL);
		assert_int_equal(d.year, 77);
	}
	assert_err(partial_date_parse(BYTES_LIT("1950\0"), &(struct partial_date){0}), ERR_INVAL);
	assert_err(partial_date_parse(BYTES_LIT("1950\00003"), &(struct partial_date){0}),
		   ERR_INVAL);
}

static void what_people_type_is_read(UNUSED_STATE)
{
	static const struct {
		const char *typed;
		const char *canonical;
	} cases[] = {
		{"02/03/1950", "1950-03-02"},
		{"2/3/1950", "1950-03-02"},
		{" 2 - 3 - 1950 ", "1950-03-02"},
		{"2.3.1950", "1950-03-02"},
		{"1950-3-2", "1950-03-02"},
		{"03/1950", "1950-03"},
		{"3/1950", "1950-03"},
		{"1950", "1950"},
		{"00/03/1950", "1950-03"},
		{"00/00/1950", "1950"},
		{"00/1950", "1950"},
		{"~70@01/05/2020", "~70@2020-05-01"},
		{" ~ 070 @ 1/5/2020", "~70@2020-05-01"},
		{"~70@2020-05-01", "~70@2020-05-01"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char printed[PARTIAL_DATE_LEN];
		struct partial_date d;

		print_message("%s\n", cases[i].typed);
		assert_ok(partial_date_read(bytes_str(cases[i].typed), &d));
		partial_date_print(&d, printed);
		assert_string_equal(printed, cases[i].canonical);
	}
}

static void what_could_mean_two_days_is_refused(UNUSED_STATE)
{
	static const char *const texts[] = {"",
					    "2/3/50",
					    "50",
					    "2/3-1950",
					    "1950/3/2",
					    "12/00/1950",
					    "31/02/1950",
					    "02/13/1950",
					    "2 3 1950",
					    "2/3/1950/1",
					    "/3/1950",
					    "002/3/1950",
					    "~70",
					    "~70 tuổi@01/05/2020",
					    "~70@2020",
					    "70@1/5/2020",
					    "~70@00/05/2020"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct partial_date d;

		print_message("%s\n", texts[i]);
		assert_err(partial_date_read(bytes_str(texts[i]), &d), ERR_INVAL);
	}
}

static enum partial_age at_least(const char *born, int age, int year, int month, int day)
{
	struct partial_date d;

	assert_ok(partial_date_parse(bytes_str(born), &d));
	return partial_date_is_at_least(&d, age, year, month, day);
}

static void a_full_date_is_sure_on_the_birthday(UNUSED_STATE)
{
	assert_int_equal(at_least("1950-03-02", 70, 2020, 3, 1), PARTIAL_NO);
	assert_int_equal(at_least("1950-03-02", 70, 2020, 3, 2), PARTIAL_SURE);
	assert_int_equal(at_least("1950-03-02", 0, 1950, 3, 2), PARTIAL_SURE);
	assert_int_equal(at_least("1950-03-02", 0, 1950, 3, 1), PARTIAL_NO);
}

static void a_leap_day_birthday_is_the_first_of_march(UNUSED_STATE)
{
	assert_int_equal(at_least("2004-02-29", 18, 2022, 2, 28), PARTIAL_NO);
	assert_int_equal(at_least("2004-02-29", 18, 2022, 3, 1), PARTIAL_SURE);
	assert_int_equal(at_least("2004-02-29", 16, 2020, 2, 29), PARTIAL_SURE);
}

static void a_month_or_year_is_possible_in_between(UNUSED_STATE)
{
	assert_int_equal(at_least("1950-02", 70, 2020, 1, 31), PARTIAL_NO);
	assert_int_equal(at_least("1950-02", 70, 2020, 2, 1), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("1950-02", 70, 2020, 2, 27), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("1950-02", 70, 2020, 2, 28), PARTIAL_SURE);
	assert_int_equal(at_least("1950", 70, 2019, 12, 31), PARTIAL_NO);
	assert_int_equal(at_least("1950", 70, 2020, 1, 1), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("1950", 70, 2020, 12, 30), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("1950", 70, 2020, 12, 31), PARTIAL_SURE);
}

static void an_estimate_is_right_within_a_tenth(UNUSED_STATE)
{
	/* Between 63 and 77 on 1 May 2020, so up to the day before being 78. */
	assert_int_equal(at_least("~70@2020-05-01", 63, 2020, 5, 1), PARTIAL_SURE);
	assert_int_equal(at_least("~70@2020-05-01", 64, 2020, 5, 1), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("~70@2020-05-01", 77, 2020, 5, 1), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("~70@2020-05-01", 78, 2020, 5, 1), PARTIAL_NO);
	assert_int_equal(at_least("~70@2020-05-01", 78, 2020, 5, 2), PARTIAL_POSSIBLE);
	/* Time passes for estimated people too. */
	assert_int_equal(at_least("~70@2020-05-01", 80, 2037, 5, 1), PARTIAL_SURE);
	/* A child: a year either way, and never an age below nought. */
	assert_int_equal(at_least("~3@2020-05-01", 4, 2020, 5, 1), PARTIAL_POSSIBLE);
	assert_int_equal(at_least("~3@2020-05-01", 5, 2020, 5, 1), PARTIAL_NO);
	assert_int_equal(at_least("~0@2020-05-01", 0, 2020, 5, 1), PARTIAL_SURE);
}

static void the_range_holds_every_day_it_can_be(UNUSED_STATE)
{
	static const struct {
		const char *born;
		int first;
		int last;
	} cases[] = {
		{"1950-03-02", 19500302, 19500302},    {"1948-02", 19480201, 19480229},
		{"1950", 19500101, 19501231},          {"~70@2020-05-01", 19420502, 19570501},
		{"~0@2020-05-01", 20180502, 20200501},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct partial_date d;
		int first;
		int last;

		assert_ok(partial_date_parse(bytes_str(cases[i].born), &d));
		partial_date_range(&d, &first, &last);
		assert_int_equal(first, cases[i].first);
		assert_int_equal(last, cases[i].last);
	}
}

/* Every day of three centuries is read back, and the calendar has no others. */
static void every_day_of_the_calendar_is_one(UNUSED_STATE)
{
	long days = 0;

	for (int i = 0; i < 300 * 12 * 31; i++) {
		char text[32];
		struct partial_date d;

		(void)snprintf(text, sizeof text, "%04d-%02d-%02d", 1800 + i / 372, i / 31 % 12 + 1,
			       i % 31 + 1);
		days += partial_date_parse(bytes_str(text), &d) == ERR_OK;
	}

	assert_int_equal(days, 109573); /* 300 x 365 + 73 leap days */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_texts_are_read_and_printed_back),
		cmocka_unit_test(only_canonical_text_is_parsed),
		cmocka_unit_test(what_people_type_is_read),
		cmocka_unit_test(what_could_mean_two_days_is_refused),
		cmocka_unit_test(a_full_date_is_sure_on_the_birthday),
		cmocka_unit_test(a_leap_day_birthday_is_the_first_of_march),
		cmocka_unit_test(a_month_or_year_is_possible_in_between),
		cmocka_unit_test(an_estimate_is_right_within_a_tenth),
		cmocka_unit_test(the_range_holds_every_day_it_can_be),
		cmocka_unit_test(every_day_of_the_calendar_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
