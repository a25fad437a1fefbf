/* What a value and a change may be. What people type: test_validate_typed.c. */
#include <string.h>

#include "common/model/vntext.h"
#include "tests/unit/help_schema.h"

static enum verdict judge(const char *name, struct value v)
{
	enum verdict verdict = validate_value(field(name), &v, &finding);

	/* The finding says what the return value says, in both languages. */
	assert_int_equal(finding.verdict, verdict);
	if (verdict != VERDICT_OK) {
		assert_true(bytes_is(finding.field, name));
		assert_non_null(strstr(finding.text, " / "));
		assert_true(vntext_is_nfc(bytes_str(finding.text)));
	}
	return verdict;
}

static enum verdict judge_text(const char *name, const char *text)
{
	return judge(name, value_text(bytes_str(text)));
}

/* `count` times a character of three bytes. */
static struct value long_text(size_t count)
{
	uint8_t *text = arena_alloc(&arena, count * 3);

	for (size_t i = 0; i < count * 3; i++)
		text[i] = (uint8_t) "ễ"[i % 3];
	return value_text(bytes_of(text, count * 3));
}

/* ---- one value ---- */

static void a_cleared_field_is_always_allowed(UNUSED_STATE)
{
	for (size_t i = 0; i < type->count; i++) {
		struct value none = VALUE_NONE;

		assert_verdict(validate_value(&type->fields[i], &none, &finding), VERDICT_OK);
	}
}

static void a_value_of_another_kind_is_refused(UNUSED_STATE)
{
	assert_verdict(judge("name", value_int(1)), VERDICT_WRONG_TYPE);
	assert_verdict(judge("name", value_bytes(BYTES_LIT("x"))), VERDICT_WRONG_TYPE);
	assert_verdict(judge("count", value_text(BYTES_LIT("1"))), VERDICT_WRONG_TYPE);
	assert_verdict(judge("amount", value_bool(true)), VERDICT_WRONG_TYPE);
	assert_verdict(judge("size", value_int(1)), VERDICT_WRONG_TYPE);
	assert_verdict(judge("done", value_int(1)), VERDICT_WRONG_TYPE);
	assert_verdict(judge("day", value_int(1)), VERDICT_WRONG_TYPE);
	assert_verdict(judge("kind", value_bool(true)), VERDICT_WRONG_TYPE);
	assert_verdict(judge("who", value_text(BYTES_LIT("0123456789abcdef"))), VERDICT_WRONG_TYPE);
	assert_verdict(judge("place", value_text(BYTES_LIT("1"))), VERDICT_WRONG_TYPE);
}

static void text_may_have_300_characters_and_no_more(UNUSED_STATE)
{
	assert_verdict(judge("name", long_text(300)), VERDICT_OK);
	assert_verdict(judge("name", long_text(301)), VERDICT_TOO_LONG);
}

static void long_text_may_have_8000_characters_and_no_more(UNUSED_STATE)
{
	assert_verdict(judge("note", long_text(8000)), VERDICT_OK);
	assert_verdict(judge("note", long_text(8001)), VERDICT_TOO_LONG);
}

static void a_field_may_set_its_own_length(UNUSED_STATE)
{
	assert_verdict(judge_text("short", "ab"), VERDICT_OK);
	assert_verdict(judge_text("short", "ễễễễễ"), VERDICT_OK);
	assert_verdict(judge_text("short", "ễễễễễễ"), VERDICT_TOO_LONG);
	assert_verdict(judge_text("short", "ễ"), VERDICT_OUT_OF_RANGE);
	assert_verdict(judge_text("short", ""), VERDICT_BAD_FORMAT);
}

static void text_is_nfc_without_control_characters(UNUSED_STATE)
{
	assert_verdict(judge_text("name", "Điểu K'Ré"), VERDICT_OK);
	assert_verdict(judge_text("name", "Die\xcc\x82u"), VERDICT_NOT_NFC);
	assert_verdict(judge_text("name", "\xff"), VERDICT_NOT_NFC);
	assert_verdict(judge_text("name", "a\nb"), VERDICT_NOT_NFC);
	assert_verdict(judge_text("name", "a\tb"), VERDICT_NOT_NFC);
	assert_verdict(judge_text("name", "a\x7f"), VERDICT_NOT_NFC);
	assert_verdict(judge_text("name", "a\xc2\x85"), VERDICT_NOT_NFC);
	assert_verdict(judge("name", value_text(BYTES_LIT("a\0b"))), VERDICT_NOT_NFC);
	assert_verdict(judge_text("note", "a\n\tb"), VERDICT_OK);
	assert_verdict(judge_text("note", "a\rb"), VERDICT_NOT_NFC);
}

static void text_has_to_fit_its_pattern(UNUSED_STATE)
{
	assert_verdict(judge_text("number", "070200001234"), VERDICT_OK);
	assert_verdict(judge_text("number", "07020000123"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("number", "0702000012345"), VERDICT_BAD_FORMAT);
}

static void numbers_stay_in_their_range(UNUSED_STATE)
{
	assert_verdict(judge("count", value_int(-3)), VERDICT_OK);
	assert_verdict(judge("count", value_int(-4)), VERDICT_OUT_OF_RANGE);
	assert_non_null(strstr(finding.text, "-3 đến 100000000"));
	assert_verdict(judge("count", value_int(100000000)), VERDICT_OK);
	assert_verdict(judge("count", value_int(100000001)), VERDICT_OUT_OF_RANGE);
	assert_verdict(judge("amount", value_int(INT64_MAX)), VERDICT_OK);
	assert_verdict(judge("place", value_int(1)), VERDICT_OK);
	assert_verdict(judge("place", value_int(0)), VERDICT_OUT_OF_RANGE);
	assert_verdict(judge_text("size", "-3"), VERDICT_OK);
	assert_verdict(judge_text("size", "-3.000000001"), VERDICT_OUT_OF_RANGE);
	assert_verdict(judge_text("size", "-2.999999999"), VERDICT_OK);
	assert_verdict(judge_text("size", "3000000"), VERDICT_OK);
	assert_verdict(judge_text("size", "3000000.1"), VERDICT_OUT_OF_RANGE);
	assert_verdict(judge_text("size", "999999999999999"), VERDICT_OUT_OF_RANGE);
}

static void a_decimal_has_one_spelling(UNUSED_STATE)
{
	static const char *const bad[] = {
		"",   "-",   ".5",           "5.",  "5.0",   "5.50",
		"05", "-0",  "+5",           "1,5", "1e3",   " 1",
		"1 ", "--1", "0.0000000001", "nan", "1.2.3", "1000000000000000"};
	static const char *const good[] = {"0", "-1", "0.5", "-0.5", "12.345", "0.000000001"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_verdict(judge_text("size", bad[i]), VERDICT_BAD_FORMAT);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_verdict(judge_text("size", good[i]), VERDICT_OK);
}

static void a_date_is_a_day_of_the_calendar(UNUSED_STATE)
{
	assert_verdict(judge_text("day", "2020-02-29"), VERDICT_OK);
	assert_verdict(judge_text("day", "2021-02-29"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "2020-04-31"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "2020-13-01"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "2020-00-01"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "2020-1-01"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "31/12/2020"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "2020-12-31T00:00:00Z"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("day", "1800-01-01"), VERDICT_OK);
	assert_verdict(judge_text("day", "1799-12-31"), VERDICT_OUT_OF_RANGE);
	assert_verdict(judge_text("day", "2200-12-31"), VERDICT_OK);
	assert_verdict(judge_text("day", "2201-01-01"), VERDICT_OUT_OF_RANGE);
}

static void a_partial_date_is_canonical(UNUSED_STATE)
{
	assert_verdict(judge_text("born", "1950"), VERDICT_OK);
	assert_verdict(judge_text("born", "1950-03"), VERDICT_OK);
	assert_verdict(judge_text("born", "1950-03-02"), VERDICT_OK);
	assert_verdict(judge_text("born", "~70@2020-05-01"), VERDICT_OK);
	assert_verdict(judge_text("born", "02/03/1950"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("born", "1950-02-30"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("born", "1799"), VERDICT_OUT_OF_RANGE);
}

static void a_time_has_its_zone(UNUSED_STATE)
{
	assert_verdict(judge_text("at", "2020-12-31T07:30:00+07:00"), VERDICT_OK);
	assert_verdict(judge_text("at", "2020-12-31T07:30:00-03:30"), VERDICT_OK);
	assert_verdict(judge_text("at", "2020-12-31T07:30:00Z"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-12-31T07:30:00"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-12-31 07:30:00+07:00"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-12-31T24:00:00+07:00"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-12-31T07:60:00+07:00"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-12-31T07:30:60+07:00"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-12-31T07:30:00+15:00"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("at", "2020-02-30T07:30:00+07:00"), VERDICT_BAD_FORMAT);
}

static void a_code_is_in_its_list(UNUSED_STATE)
{
	assert_verdict(judge_text("kind", "cash"), VERDICT_OK);
	assert_verdict(judge_text("kind", "01"), VERDICT_OK);
	assert_verdict(judge_text("kind", "Cash"), VERDICT_NO_SUCH_CODE);
	assert_verdict(judge_text("kind", "Tiền mặt"), VERDICT_NO_SUCH_CODE);
	assert_verdict(judge_text("kind", ""), VERDICT_NO_SUCH_CODE);
	assert_verdict(judge_text("kind", "cash,rice"), VERDICT_NO_SUCH_CODE);
}

static void a_set_is_sorted_without_doubles(UNUSED_STATE)
{
	assert_verdict(judge_text("kinds", "cash"), VERDICT_OK);
	assert_verdict(judge_text("kinds", "01,cash,rice"), VERDICT_OK);
	assert_verdict(judge_text("kinds", "rice,cash"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("kinds", "cash,cash"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("kinds", "cash, rice"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("kinds", "cash,"), VERDICT_BAD_FORMAT);
	assert_verdict(judge_text("kinds", ",cash"), VERDICT_NO_SUCH_CODE);
	assert_verdict(judge_text("kinds", ""), VERDICT_NO_SUCH_CODE);
	assert_verdict(judge("kinds", value_text(BYTES_NONE)), VERDICT_NO_SUCH_CODE);
	assert_verdict(judge_text("kinds", "cash,gold"), VERDICT_NO_SUCH_CODE);
}

static void a_reference_is_16_bytes(UNUSED_STATE)
{
	assert_verdict(judge("who", value_bytes(BYTES_LIT("0123456789abcdef"))), VERDICT_OK);
	assert_verdict(judge("who", value_bytes(BYTES_LIT("0123456789abcde"))), VERDICT_BAD_FORMAT);
	assert_verdict(judge("who", value_bytes(BYTES_LIT("0123456789abcdefg"))),
		       VERDICT_BAD_FORMAT);
	assert_verdict(judge("who", value_bytes(BYTES_NONE)), VERDICT_BAD_FORMAT);
}

/* Findings reach logs and the wire; a record's content must not. */
static void a_finding_holds_no_value_of_the_record(UNUSED_STATE)
{
	(void)judge_text("kind", "SECRET");
	assert_null(strstr(finding.text, "SECRET"));
	(void)judge_text("number", "SECRET");
	assert_null(strstr(finding.text, "SECRET"));
	(void)judge_text("day", "SECRET");
	assert_null(strstr(finding.text, "SECRET"));
	assert_refused("size", "SECRET", VERDICT_BAD_FORMAT);
	assert_null(strstr(finding.text, "SECRET"));
}

static void a_finding_is_cut_between_characters(UNUSED_STATE)
{
	struct schema_field f = *field("count");
	struct value v = value_int(-4);

	/* Labels as long as they may be, shifted byte by byte over the end of the buffer. */
	for (size_t len = 100; len < 120; len++) {
		f.label.vi = long_text(len).bytes;
		f.name = bytes_of("aaa", len % 4);
		assert_verdict(validate_value(&f, &v, &finding), VERDICT_OUT_OF_RANGE);
		assert_true(vntext_is_nfc(bytes_str(finding.text)));
	}
}

static void the_finding_may_be_left_out(UNUSED_STATE)
{
	struct value v = value_int(1);

	assert_verdict(validate_value(field("name"), &v, NULL), VERDICT_WRONG_TYPE);
	assert_verdict(validate_parse(&arena, field("day"), BYTES_LIT("x"), &v, NULL),
		       VERDICT_BAD_FORMAT);
}

static void verdicts_have_stable_names(UNUSED_STATE)
{
	assert_string_equal(verdict_name(VERDICT_OK), "ok");
	assert_string_equal(verdict_name(VERDICT_WRONG_TYPE), "wrong_type");
	assert_string_equal(verdict_name(VERDICT_NOT_NFC), "not_nfc");
	assert_string_equal(verdict_name(VERDICT_TOO_LONG), "too_long");
	assert_string_equal(verdict_name(VERDICT_OUT_OF_RANGE), "out_of_range");
	assert_string_equal(verdict_name(VERDICT_NO_SUCH_CODE), "no_such_code");
	assert_string_equal(verdict_name(VERDICT_BAD_FORMAT), "bad_format");
	assert_string_equal(verdict_name(VERDICT_MISSING), "missing");
	assert_string_equal(verdict_name(VERDICT_UNKNOWN_TYPE), "unknown_type");
	assert_string_equal(verdict_name(VERDICT_UNKNOWN_FIELD), "unknown_field");
}

/* ---- a change ---- */

#define WRITES_MOST 8u

static struct change change_of(struct write *writes, const struct pair *pairs, size_t count)
{
	struct change c = {.type = BYTES_LIT("help"), .writes = writes, .count = count};

	memset(c.id.bytes, 7, ID_LEN);
	for (size_t i = 0; i < count; i++)
		writes[i] = (struct write){bytes_str(pairs[i].name), pairs[i].value};
	assert_true(change_sort(&c));
	return c;
}

static enum verdict judge_change(const struct record *before, const struct pair *pairs,
				 size_t count)
{
	struct write writes[WRITES_MOST];
	struct change c;

	struct finding ahead;
	enum verdict verdict;

	assert_true(count <= WRITES_MOST);
	c = change_of(writes, pairs, count);
	/* Whatever was looked at ahead of time, the answer is the same. */
	validate_ahead(schema, &c);
	verdict = validate_change(schema, before, &c, &ahead);
	c.judged_by = NULL;
	assert_verdict(validate_change(schema, before, &c, &finding), verdict);
	assert_int_equal(ahead.verdict, finding.verdict);
	assert_true(bytes_equal(ahead.field, finding.field));
	assert_string_equal(ahead.text, finding.text);
	return verdict;
}

#define NEW(...)                                         \
	judge_change(NULL, (struct pair[]){__VA_ARGS__}, \
		     sizeof((struct pair[]){__VA_ARGS__}) / sizeof(struct pair))
#define EDIT(...)                                           \
	judge_change(&stored, (struct pair[]){__VA_ARGS__}, \
		     sizeof((struct pair[]){__VA_ARGS__}) / sizeof(struct pair))

/* A record as it was before some rules came: no name, a code that has ended. */
static struct field stored_fields[] = {
	{.name = {(const uint8_t *)"day", 3}, .value = {.kind = VALUE_TEXT}},
	{.name = {(const uint8_t *)"kind", 4}, .value = {.kind = VALUE_TEXT}},
	{.name = {(const uint8_t *)"unit", 4}, .value = {.kind = VALUE_INT, .integer = 9}},
};
static struct record stored = {
	.type = {(const uint8_t *)"help", 4}, .fields = stored_fields, .count = 3};

static int setup_stored(UNUSED_STATE)
{
	stored_fields[0].value = TEXT("2020-05-01");
	stored_fields[1].value = TEXT("cash");
	return 0;
}

static void a_new_record_has_its_required_fields_and_unit(UNUSED_STATE)
{
	assert_verdict(NEW({"name", TEXT("An")}, {"unit", value_int(9)}), VERDICT_OK);
	assert_int_equal(finding.verdict, VERDICT_OK);
	assert_verdict(NEW({"unit", value_int(9)}, {"kind", TEXT("cash")}), VERDICT_MISSING);
	assert_true(bytes_is(finding.field, "name"));
	assert_verdict(NEW({"name", VALUE_NONE}, {"unit", value_int(9)}), VERDICT_MISSING);
	assert_verdict(NEW({"name", TEXT("An")}), VERDICT_MISSING);
	assert_true(bytes_is(finding.field, "unit"));
}

static void a_condition_decides_what_is_required(UNUSED_STATE)
{
	assert_verdict(NEW({"name", TEXT("An")}, {"unit", value_int(9)}, {"kind", TEXT("rice")}),
		       VERDICT_MISSING);
	assert_true(bytes_is(finding.field, "rice_kg"));
	assert_verdict(NEW({"name", TEXT("An")}, {"unit", value_int(9)}, {"kind", TEXT("rice")},
			   {"rice_kg", TEXT("15")}),
		       VERDICT_OK);
	/* One code of a set is enough. */
	assert_verdict(
		NEW({"name", TEXT("An")}, {"unit", value_int(9)}, {"kinds", TEXT("cash,hear")}),
		VERDICT_MISSING);
	assert_true(bytes_is(finding.field, "why"));
	/* A value where it is not asked for does no harm. */
	assert_verdict(NEW({"name", TEXT("An")}, {"unit", value_int(9)}, {"kind", TEXT("cash")},
			   {"rice_kg", TEXT("15")}),
		       VERDICT_OK);
}

static void an_edit_answers_only_for_what_it_touches(UNUSED_STATE)
{
	/* The name is missing since before: not this author's doing. */
	assert_verdict(EDIT({"note", TEXT("x")}), VERDICT_OK);
	assert_verdict(EDIT({"name", VALUE_NONE}), VERDICT_MISSING);
	assert_verdict(EDIT({"kind", TEXT("rice")}), VERDICT_MISSING);
	assert_verdict(EDIT({"kind", TEXT("rice")}, {"rice_kg", TEXT("1")}), VERDICT_OK);
	assert_verdict(EDIT({"deleted", TEXT("nhầm")}), VERDICT_OK);
	assert_verdict(EDIT({"unit", value_int(10)}), VERDICT_OK);
}

static void an_edit_may_rely_on_what_is_stored(UNUSED_STATE)
{
	stored_fields[1].value = TEXT("rice");

	assert_verdict(EDIT({"rice_kg", TEXT("15")}), VERDICT_OK);
	assert_verdict(EDIT({"rice_kg", VALUE_NONE}), VERDICT_MISSING);
	assert_verdict(EDIT({"kind", TEXT("cash")}, {"rice_kg", VALUE_NONE}), VERDICT_OK);
}

static void a_code_is_valid_on_the_day_of_the_record(UNUSED_STATE)
{
	assert_verdict(EDIT({"kind", TEXT("pension")}), VERDICT_NO_SUCH_CODE);
	assert_verdict(EDIT({"kind", TEXT("cmnd")}), VERDICT_OK);
	/* The day the change itself writes counts. First day in, last day out. */
	assert_verdict(EDIT({"kind", TEXT("pension")}, {"day", TEXT("2025-06-30")}),
		       VERDICT_NO_SUCH_CODE);
	assert_verdict(EDIT({"kind", TEXT("pension")}, {"day", TEXT("2025-07-01")}), VERDICT_OK);
	assert_verdict(EDIT({"kind", TEXT("cmnd")}, {"day", TEXT("2024-12-31")}), VERDICT_OK);
	assert_verdict(EDIT({"kind", TEXT("cmnd")}, {"day", TEXT("2025-01-01")}),
		       VERDICT_NO_SUCH_CODE);
	assert_verdict(EDIT({"kinds", TEXT("cash,pension")}), VERDICT_NO_SUCH_CODE);
	assert_true(bytes_is(finding.field, "kinds"));
	/* No day, no judgement. */
	assert_verdict(EDIT({"kind", TEXT("pension")}, {"day", VALUE_NONE}), VERDICT_OK);
	/* A stored code that has ended since is nobody's fault. */
	stored_fields[1].value = TEXT("pension");
	assert_verdict(EDIT({"note", TEXT("x")}), VERDICT_OK);
}

static void our_own_fields_are_judged_too(UNUSED_STATE)
{
	static const uint8_t self[ID_LEN] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
	const struct value itself = value_bytes(bytes_of(self, ID_LEN));
	const struct value other = TEXT("0123456789abcdef");

	assert_verdict(EDIT({"unit", VALUE_NONE}), VERDICT_WRONG_TYPE);
	assert_verdict(EDIT({"unit", value_int(0)}), VERDICT_OUT_OF_RANGE);
	assert_verdict(EDIT({"unit", TEXT("9")}), VERDICT_WRONG_TYPE);
	assert_verdict(EDIT({"deleted", VALUE_NONE}), VERDICT_OK);
	assert_verdict(EDIT({"deleted", value_bool(true)}), VERDICT_WRONG_TYPE);
	assert_verdict(EDIT({"voided", TEXT("nhập nhầm")}), VERDICT_OK);
	assert_verdict(EDIT({"voided", TEXT("")}), VERDICT_BAD_FORMAT);
	assert_verdict(EDIT({"voided", long_text(300)}), VERDICT_OK);
	assert_verdict(EDIT({"voided", long_text(301)}), VERDICT_TOO_LONG);
	assert_verdict(EDIT({"voided", TEXT("a\nb")}), VERDICT_NOT_NFC);
	assert_verdict(EDIT({"merged_into", VALUE_NONE}), VERDICT_OK);
	assert_verdict(EDIT({"merged_into", value_bytes(other.bytes)}), VERDICT_OK);
	assert_verdict(EDIT({"merged_into", other}), VERDICT_WRONG_TYPE);
	assert_verdict(EDIT({"merged_into", itself}), VERDICT_BAD_FORMAT);
	assert_verdict(EDIT({"corrects", itself}), VERDICT_BAD_FORMAT);
	assert_verdict(EDIT({"corrects", value_bytes(BYTES_LIT("short"))}), VERDICT_BAD_FORMAT);
}

static void an_unknown_field_is_told_and_never_refused(UNUSED_STATE)
{
	assert_verdict(EDIT({"from_the_future", TEXT("\xff")}, {"note", TEXT("x")}), VERDICT_OK);
	assert_int_equal(finding.verdict, VERDICT_UNKNOWN_FIELD);
	assert_true(bytes_is(finding.field, "from_the_future"));
	/* But what is wrong beside it is. */
	assert_verdict(EDIT({"from_the_future", TEXT("x")}, {"name", value_int(1)}),
		       VERDICT_WRONG_TYPE);
	assert_true(bytes_is(finding.field, "name"));
}

static void an_unknown_type_is_refused(UNUSED_STATE)
{
	struct change c = {.type = BYTES_LIT("nothing")};

	assert_verdict(validate_change(schema, NULL, &c, &finding), VERDICT_UNKNOWN_TYPE);
	assert_int_equal(finding.field.len, 0);
	assert_non_null(strstr(finding.text, " / "));
}

static void what_was_judged_ahead_is_believed_of_the_same_schema_alone(UNUSED_STATE)
{
	static struct schema other;
	struct write writes[WRITES_MOST];
	struct change c = change_of(writes, (struct pair[]){{"count", value_int(4)}}, 1);

	validate_ahead(schema, &c);
	assert_ptr_equal(c.judged_by, schema);
	/* Somebody else's word: the value is looked at. */
	c.judged_by = &other;
	c.writes[0].value = value_int(-4);
	assert_verdict(validate_change(schema, &stored, &c, &finding), VERDICT_OUT_OF_RANGE);
	c.judged_by = schema;
	assert_verdict(validate_change(schema, &stored, &c, &finding), VERDICT_OK);
}

static void a_value_that_is_not_allowed_is_not_called_judged(UNUSED_STATE)
{
	struct write writes[WRITES_MOST];
	struct change c = change_of(writes, (struct pair[]){{"count", value_int(-4)}}, 1);

	validate_ahead(schema, &c);
	assert_null(c.judged_by);
}

static void the_first_bad_field_is_named(UNUSED_STATE)
{
	assert_verdict(EDIT({"count", value_int(-4)}, {"short", TEXT("x")}), VERDICT_OUT_OF_RANGE);
	assert_true(bytes_is(finding.field, "count"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup_stored, teardown)
		CASE(a_cleared_field_is_always_allowed),
		CASE(a_value_of_another_kind_is_refused),
		CASE(text_may_have_300_characters_and_no_more),
		CASE(long_text_may_have_8000_characters_and_no_more),
		CASE(a_field_may_set_its_own_length),
		CASE(text_is_nfc_without_control_characters),
		CASE(text_has_to_fit_its_pattern),
		CASE(numbers_stay_in_their_range),
		CASE(a_decimal_has_one_spelling),
		CASE(a_date_is_a_day_of_the_calendar),
		CASE(a_partial_date_is_canonical),
		CASE(a_time_has_its_zone),
		CASE(a_code_is_in_its_list),
		CASE(a_set_is_sorted_without_doubles),
		CASE(a_reference_is_16_bytes),
		CASE(a_finding_holds_no_value_of_the_record),
		CASE(a_finding_is_cut_between_characters),
		CASE(the_finding_may_be_left_out),
		CASE(verdicts_have_stable_names),
		CASE(a_new_record_has_its_required_fields_and_unit),
		CASE(a_condition_decides_what_is_required),
		CASE(an_edit_answers_only_for_what_it_touches),
		CASE(an_edit_may_rely_on_what_is_stored),
		CASE(a_code_is_valid_on_the_day_of_the_record),
		CASE(our_own_fields_are_judged_too),
		CASE(an_unknown_field_is_told_and_never_refused),
		CASE(an_unknown_type_is_refused),
		CASE(the_first_bad_field_is_named),
		CASE(what_was_judged_ahead_is_believed_of_the_same_schema_alone),
		CASE(a_value_that_is_not_allowed_is_not_called_judged),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
