#include "tests/unit/test.h"

#include "common/model/match.h"

struct who {
	const char *name;
	const char *birth;
	const char *identity;
};

static struct value text(const char *s)
{
	return s != NULL ? value_text(bytes_str(s)) : VALUE_NONE;
}

static struct match_key key(const struct who *w)
{
	const struct value name = text(w->name);
	const struct value birth = text(w->birth);
	const struct value identity = text(w->identity);

	return match_key_of(&name, &birth, &identity);
}

static void likeness_is_what_the_table_says(UNUSED_STATE)
{
	static const struct {
		struct who a;
		struct who b;
		enum match_likeness want;
	} cases[] = {
		{{"Điểu K'Ré", NULL, NULL}, {"Điểu K'Ré", NULL, NULL}, MATCH_SAME_NAME},
		{{"Điểu K'Ré", "1950", NULL}, {"dieu k're", NULL, NULL}, MATCH_SAME_NAME},
		{{"Lê An", "1950", NULL}, {"Le An", "1950-03-01", NULL}, MATCH_SAME_YEAR},
		{{"Lê An", "1950-03-01", NULL}, {"Lê Ân", "1950-03-01", NULL}, MATCH_SAME_BIRTH},
		{{"Lê An", "1950", NULL}, {"Lê An", "1951", NULL}, MATCH_NONE},
		{{"Lê An", "1950", NULL}, {"Lê Bình", "1950", NULL}, MATCH_NONE},
		{{"Lê An", "1950", "070150000001"}, {"Lê An", "1950", "070150000002"}, MATCH_NONE},
		{{"Lê An", "1950", "070150000001"}, {"Lê An", "1950", NULL}, MATCH_SAME_BIRTH},
		{{"Lê An", "1950", "070150000001"},
		 {"Trần Bé", "1980", "070150000001"},
		 MATCH_SAME_IDENTITY},
		{{NULL, "1950", NULL}, {NULL, "1950", NULL}, MATCH_NONE},
		{{"", "1950", ""}, {"", "1950", ""}, MATCH_NONE},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct match_key a = key(&cases[i].a);
		const struct match_key b = key(&cases[i].b);

		if (match_compare(&a, &b) != cases[i].want)
			print_error("case %zu\n", i);
		assert_int_equal(match_compare(&a, &b), cases[i].want);
		assert_int_equal(match_compare(&b, &a), cases[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(likeness_is_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
