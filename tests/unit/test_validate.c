#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/crypt.h"
#include "common/base/rand.h"
#include "common/model/validate.h"
#include "common/model/vntext.h"

static const char yaml[] =
	"lists:\n"
	"  kind:\n"
	"    vi: Loại\n"
	"    en: Kind\n"
	"    codes:\n"
	"      cash: {vi: Tiền mặt, en: Cash}\n"
	"      rice: {vi: Gạo, en: Rice}\n"
	"      hear: {vi: \"Khuyết tật nghe, nói\", en: \"Hearing, speech\"}\n"
	"      pension: {vi: Hưu trí, en: Pension, from: 2025-07-01}\n"
	"      cmnd: {vi: Chứng minh, en: Old card, until: 2025-01-01}\n"
	"      \"01\": {vi: Mồ côi, en: Orphan}\n"
	"types:\n"
	"  help:\n"
	"    vi: Trợ giúp\n"
	"    en: Help\n"
	"    kind: event\n"
	"    sensitivity: basic\n"
	"    date: day\n"
	"    fields:\n"
	"      name: {type: text, vi: Họ và tên, en: Name, required: true}\n"
	"      short: {type: text, vi: Ngắn, en: Short, min: 2, max: 5}\n"
	"      number: {type: text, vi: Số, en: Number, pattern: \"^[0-9]{12}$\"}\n"
	"      note: {type: long_text, vi: Ghi chú, en: Note}\n"
	"      count: {type: integer, vi: Đếm, en: Count, min: -3, max: 100000000}\n"
	"      size: {type: decimal, vi: Cỡ, en: Size, min: -3, max: 3000000}\n"
	"      amount: {type: money, vi: Tiền, en: Amount}\n"
	"      done: {type: bool, vi: Xong, en: Done}\n"
	"      day: {type: date, vi: Ngày, en: Day}\n"
	"      born: {type: partial_date, vi: Sinh, en: Born}\n"
	"      at: {type: time, vi: Lúc, en: At}\n"
	"      kind: {type: code, list: kind, vi: Loại, en: Kind}\n"
	"      kinds: {type: code_set, list: kind, vi: Các loại, en: Kinds}\n"
	"      who: {type: reference, target: help, vi: Ai, en: Who}\n"
	"      place: {type: unit, vi: Nơi, en: Place}\n"
	"      rice_kg: {type: decimal, vi: Số gạo, en: Rice, required: true, when: {kind: [rice]}}\n"
	"      why: {type: text, vi: Vì sao, en: Why, required: true, when: {kinds: [cmnd, hear]}}\n"
	"      hint: {type: text, vi: Gợi ý, en: Hint, when: {kind: [cash]}}\n";

static struct schema *schema;
static const struct schema_type *type;
static struct arena arena;
static struct finding finding;

static int setup_all(UNUSED_STATE)
{
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema_source source = {"a.yaml", bytes_str(yaml)};

	if (crypt_init() != ERR_OK || schema_load(&source, 1, &schema, error) != ERR_OK) {
		print_error("%s\n", error);
		return -1;
	}
	type = &schema->types[0];
	return 0;
}

static int teardown_all(UNUSED_STATE)
{
	schema_free(schema);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	arena_clear(&arena);
	return 0;
}

static const struct schema_field *field(const char *name)
{
	const struct schema_field *f = schema_find_field(type, bytes_str(name));

	assert_non_null(f);
	return f;
}

#define assert_verdict(got, want) assert_verdict_at((got), (want), __FILE__, __LINE__)
static void assert_verdict_at(enum verdict got, enum verdict want, const char *file, int line)
{
	if (got == want)
		return;
	print_error("%s:%d: %s, wanted %s (%s)\n", file, line, verdict_name(got),
		    verdict_name(want), finding.text);
	_fail(file, line);
}

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

/* What the person typed, and what came of it as canonical text (NULL: the empty value). */
static void assert_parsed(const char *name, const char *typed, const char *want)
{
	struct value v;
	enum verdict verdict = validate_parse(&arena, field(name), bytes_str(typed), &v, &finding);

	if (verdict != VERDICT_OK)
		fail_msg("%s \"%s\": %s (%s)", name, typed, verdict_name(verdict), finding.text);
	if (want == NULL) {
		assert_int_equal(v.kind, VALUE_NULL);
		return;
	}

	struct bytes got = v.kind == VALUE_TEXT ? v.bytes : validate_print(&arena, field(name), &v);

	if (!bytes_is(got, want))
		fail_msg("%s \"%s\" became \"%.*s\", not \"%s\"", name, typed, BYTES_FMT(got),
			 want);
}

static void assert_refused(const char *name, const char *typed, enum verdict want)
{
	struct value v = value_int(4711);
	enum verdict got = validate_parse(&arena, field(name), bytes_str(typed), &v, &finding);

	if (got != want)
		fail_msg("%s \"%s\": %s, wanted %s", name, typed, verdict_name(got),
			 verdict_name(want));
	assert_int_equal(finding.verdict, want);
	/* Untouched on failure. */
	assert_int_equal(v.integer, 4711);
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

struct pair {
	const char *name;
	struct value value;
};

#define TEXT(text) value_text(BYTES_LIT(text))

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

	assert_true(count <= WRITES_MOST);
	c = change_of(writes, pairs, count);
	return validate_change(schema, before, &c, &finding);
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

static void the_first_bad_field_is_named(UNUSED_STATE)
{
	assert_verdict(EDIT({"count", value_int(-4)}, {"short", TEXT("x")}), VERDICT_OUT_OF_RANGE);
	assert_true(bytes_is(finding.field, "count"));
}

/* ---- what people type ---- */

static void empty_text_is_no_value(UNUSED_STATE)
{
	for (size_t i = 0; i < type->count; i++) {
		struct value v = value_int(1);

		assert_verdict(validate_parse(&arena, &type->fields[i],
					      BYTES_LIT(" \t\r\n\xc2\xa0"), &v, &finding),
			       VERDICT_OK);
		assert_int_equal(v.kind, VALUE_NULL);
	}
}

static void typed_text_is_trimmed_and_composed(UNUSED_STATE)
{
	assert_parsed("name", "  Nguyễn Văn An \n", "Nguyễn Văn An");
	assert_parsed("name",
		      "\xef\xbb\xbf\xc2\xa0"
		      "An\xc2\xa0",
		      "An");
	assert_parsed("name", "Nguye\xcc\x82\xcc\x83n", "Nguyễn");
	assert_parsed("name", "Nguy\xc3\xaa\xcc\x83n", "Nguyễn");
	assert_parsed("name", "a\tb\r\nc", "a b c");
	assert_parsed("note", "a\r\nb\rc\n", "a\nb\nc");
	assert_refused("name", "a\x01", VERDICT_NOT_NFC);
	assert_refused("name", "\xff", VERDICT_NOT_NFC);
}

static void whole_numbers_as_written_in_viet_nam(UNUSED_STATE)
{
	assert_parsed("count", "05", "5");
	assert_parsed("count", "1.234.567", "1234567");
	assert_parsed("count", "12.000", "12000");
	assert_parsed("count", "1 234 567", "1234567");
	assert_parsed("count",
		      "1\xc2\xa0"
		      "234",
		      "1234");
	assert_parsed("count", "-3", "-3");
	assert_parsed("count",
		      "\xe2\x88\x92"
		      "3",
		      "-3");
	assert_parsed("count", "7,0", "7");
	assert_parsed("count", "-0", "0");
	assert_refused("count", "1234.567", VERDICT_BAD_FORMAT);
	assert_refused("count", "1.23", VERDICT_BAD_FORMAT);
	assert_refused("count", "1.234.56", VERDICT_BAD_FORMAT);
	assert_refused("count", "1,5", VERDICT_BAD_FORMAT);
	assert_refused("count", "12 người", VERDICT_BAD_FORMAT);
	assert_refused("count", "-4", VERDICT_OUT_OF_RANGE);
	assert_refused("count", "99999999999999999999", VERDICT_BAD_FORMAT);
	assert_refused("count", "-", VERDICT_BAD_FORMAT);
}

static void money_as_written_in_viet_nam(UNUSED_STATE)
{
	assert_parsed("amount", "500000", "500000");
	assert_parsed("amount", "1.490.000 đ", "1490000");
	assert_parsed("amount", "1.490.000đồng", "1490000");
	assert_parsed("amount", "1490000 VND", "1490000");
	assert_parsed("amount", "1.490.000₫", "1490000");
	assert_parsed("amount", "1,5 tỷ đồng", "1500000000");
	assert_parsed("amount", "6.200 triệu", "6200000000");
	assert_parsed("amount", "14.257 triệu đồng", "14257000000");
	assert_parsed("amount", "200 nghìn", "200000");
	assert_parsed("amount", "0,25 triệu", "250000");
	assert_parsed("amount", "9223372036854775807", "9223372036854775807");
	assert_refused("amount", "9223372036854775808", VERDICT_BAD_FORMAT);
	assert_refused("amount", "10000000000 tỷ", VERDICT_BAD_FORMAT);
	assert_refused("amount", "1,5", VERDICT_BAD_FORMAT);
	assert_refused("amount", "1,2345 nghìn", VERDICT_BAD_FORMAT);
	assert_refused("amount", "5 dollar", VERDICT_BAD_FORMAT);
}

static void decimals_as_written_in_viet_nam(UNUSED_STATE)
{
	assert_parsed("size", "12,5", "12.5");
	assert_parsed("size", "12.5", "12.5");
	assert_parsed("size", "12,50", "12.5");
	assert_parsed("size", "1.234,5", "1234.5");
	assert_parsed("size", "1.234", "1234");
	assert_parsed("size", "1,234", "1.234");
	assert_parsed("size", "1.2340", "1.234");
	assert_parsed("size", "-0,5", "-0.5");
	assert_parsed("size", "-0,0", "0");
	assert_parsed("size", "007", "7");
	assert_refused("size", "1,2,3", VERDICT_BAD_FORMAT);
	assert_refused("size", "1.234.5", VERDICT_BAD_FORMAT);
	assert_refused("size", "1,", VERDICT_BAD_FORMAT);
	assert_refused("size", "0,0000000001", VERDICT_BAD_FORMAT);
	assert_refused("size", "3000001", VERDICT_OUT_OF_RANGE);
}

static void yes_and_no_in_both_languages(UNUSED_STATE)
{
	static const char *const yes[] = {"có", "Có", "co", "yes", "TRUE", "x", "1", "Đúng"};
	static const char *const no[] = {"không", "Khong", "no", "false", "0", "sai"};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		assert_parsed("done", yes[i], "true");
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		assert_parsed("done", no[i], "false");
	assert_refused("done", "có lẽ", VERDICT_BAD_FORMAT);
	assert_refused("done", "2", VERDICT_BAD_FORMAT);
}

static void days_as_written_in_viet_nam(UNUSED_STATE)
{
	assert_parsed("day", "31/12/2020", "2020-12-31");
	assert_parsed("day", "1/2/2020", "2020-02-01");
	assert_parsed("day", "31-12-2020", "2020-12-31");
	assert_parsed("day", "31.12.2020", "2020-12-31");
	assert_parsed("day", "2020-12-31", "2020-12-31");
	assert_parsed("day", "2020/12/31", "2020-12-31");
	assert_refused("day", "12/31/2020", VERDICT_BAD_FORMAT);
	assert_refused("day", "31/12/20", VERDICT_BAD_FORMAT);
	assert_refused("day", "31/12-2020", VERDICT_BAD_FORMAT);
	assert_refused("day", "29/02/2021", VERDICT_BAD_FORMAT);
	assert_refused("day", "2020", VERDICT_BAD_FORMAT);
	assert_refused("day", "31/12/2020 07:30", VERDICT_BAD_FORMAT);
	assert_refused("day", "01/01/0020", VERDICT_OUT_OF_RANGE);
}

static void births_as_written_in_viet_nam(UNUSED_STATE)
{
	assert_parsed("born", "02/03/1950", "1950-03-02");
	assert_parsed("born", "03/1950", "1950-03");
	assert_parsed("born", "1950", "1950");
	assert_parsed("born", "~70@01/05/2020", "~70@2020-05-01");
	assert_refused("born", "năm 1950", VERDICT_BAD_FORMAT);
}

static void moments_as_written_in_viet_nam(UNUSED_STATE)
{
	assert_parsed("at", "31/12/2020 07:30", "2020-12-31T07:30:00+07:00");
	assert_parsed("at", "07:30 31/12/2020", "2020-12-31T07:30:00+07:00");
	assert_parsed("at", "7h30 31/12/2020", "2020-12-31T07:30:00+07:00");
	assert_parsed("at", "2020-12-31T07:30", "2020-12-31T07:30:00+07:00");
	assert_parsed("at", "2020-12-31T07:30:15Z", "2020-12-31T07:30:15+00:00");
	assert_parsed("at", "31/12/2020 07:30 +09:00", "2020-12-31T07:30:00+09:00");
	assert_parsed("at", "2020-12-31T07:30:15-03:30", "2020-12-31T07:30:15-03:30");
	assert_refused("at", "31/12/2020", VERDICT_BAD_FORMAT);
	assert_refused("at", "07:30", VERDICT_BAD_FORMAT);
	assert_refused("at", "31/12/2020 25:30", VERDICT_BAD_FORMAT);
	assert_refused("at", "31/12/2020 07:30 chiều", VERDICT_BAD_FORMAT);
	assert_refused("at", "31/12/2020 07:30+7", VERDICT_BAD_FORMAT);
}

static void codes_by_code_and_label(UNUSED_STATE)
{
	assert_parsed("kind", "cash", "cash");
	assert_parsed("kind", "CASH", "cash");
	assert_parsed("kind", "tiền mặt", "cash");
	assert_parsed("kind", "Tien mat", "cash");
	assert_parsed("kind", "Rice", "rice");
	assert_parsed("kind", "01", "01");
	assert_refused("kind", "1", VERDICT_NO_SUCH_CODE);
	assert_refused("kind", "vàng", VERDICT_NO_SUCH_CODE);
}

static void sets_by_code_and_label(UNUSED_STATE)
{
	assert_parsed("kinds", "rice, cash", "cash,rice");
	assert_parsed("kinds", "gạo;tiền mặt; gạo", "cash,rice");
	/* The comma belongs to the label. */
	assert_parsed("kinds", "Khuyết tật nghe, nói, Gạo", "hear,rice");
	assert_parsed("kinds", "Gạo, Khuyết tật nghe, nói", "hear,rice");
	assert_refused("kinds", "gạo, vàng", VERDICT_NO_SUCH_CODE);
	assert_refused("kinds", "gạo,,tiền mặt", VERDICT_NO_SUCH_CODE);
}

static void references_and_units(UNUSED_STATE)
{
	assert_parsed("who", "0190A1B2-C3D4-7000-8000-0123456789AB",
		      "0190a1b2c3d4700080000123456789ab");
	assert_refused("who", "0190a1b2", VERDICT_BAD_FORMAT);
	assert_parsed("place", "12", "12");
	assert_refused("place", "0", VERDICT_OUT_OF_RANGE);
}

/* ---- there and back ---- */

static void assert_round_trip(const struct schema_field *f, struct value v)
{
	struct bytes texts[2];
	struct value back;

	assert_verdict(validate_value(f, &v, &finding), VERDICT_OK);
	texts[0] = validate_print(&arena, f, &v);
	texts[1] = validate_show(&arena, f, &v);
	for (size_t i = 0; i < 2; i++) {
		assert_verdict(validate_parse(&arena, f, texts[i], &back, &finding), VERDICT_OK);
		if (!value_equal(&v, &back))
			fail_msg("%.*s: \"%.*s\" came back as \"%.*s\"", BYTES_FMT(f->name),
				 BYTES_FMT(texts[i]), BYTES_FMT(validate_print(&arena, f, &back)));
	}
}

static void every_type_of_field_reads_back_what_it_prints(UNUSED_STATE)
{
	const struct pair values[] = {
		{"name", TEXT("Điểu K'Ré")},
		{"note", TEXT("a\n\tb, \"c\"")},
		{"count", value_int(-3)},
		{"count", value_int(1234)},
		{"count", value_int(100000000)},
		{"size", TEXT("-0.5")},
		{"size", TEXT("1.234")},
		{"size", TEXT("1234.567")},
		{"size", TEXT("1234567")},
		{"size", TEXT("0.123456789")},
		{"amount", value_int(INT64_MAX)},
		{"amount", value_int(INT64_MIN)},
		{"amount", value_int(1000)},
		{"done", value_bool(true)},
		{"done", value_bool(false)},
		{"day", TEXT("2020-02-29")},
		{"born", TEXT("1950")},
		{"born", TEXT("1950-03")},
		{"born", TEXT("1950-03-02")},
		{"born", TEXT("~70@2020-05-01")},
		{"at", TEXT("2020-12-31T07:30:00+07:00")},
		{"at", TEXT("2020-12-31T07:30:59-03:30")},
		{"kind", TEXT("01")},
		{"kinds", TEXT("01,cash,hear,rice")},
		{"who", value_bytes(BYTES_LIT("0123456789abcdef"))},
		{"place", value_int(INT64_MAX)},
		{"name", VALUE_NONE},
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		assert_round_trip(field(values[i].name), values[i].value);
}

static void random_numbers_read_back(UNUSED_STATE)
{
	struct rand r;

	rand_seeded_init(&r, 4711);
	for (int i = 0; i < 2000; i++) {
		char text[64];
		int64_t n = (int64_t)(rand_u64(&r) >> rand_below(&r, 60));

		assert_round_trip(field("amount"), value_int(i % 2 != 0 ? n : -n));
		(void)snprintf(text, sizeof text, "%llu.%0*llu%llu",
			       (unsigned long long)rand_below(&r, 2999999),
			       (int)(1 + rand_below(&r, 7)), 0ULL,
			       (unsigned long long)(1 + rand_below(&r, 9)));
		assert_round_trip(field("size"), value_text(bytes_str(text)));
	}
}

static void people_see_numbers_days_and_labels(UNUSED_STATE)
{
	const struct {
		const char *name;
		struct value value;
		const char *shown;
	} cases[] = {
		{"amount", value_int(-1234567), "-1.234.567"},
		{"amount", value_int(999), "999"},
		{"size", TEXT("1234.5"), "1.234,5"},
		{"done", value_bool(true), "có"},
		{"day", TEXT("2020-12-31"), "31/12/2020"},
		{"born", TEXT("~70@2020-05-01"), "~70@01/05/2020"},
		{"at", TEXT("2020-12-31T07:30:00+07:00"), "31/12/2020 07:30"},
		{"at", TEXT("2020-12-31T07:30:05+00:00"), "31/12/2020 07:30:05 +00:00"},
		{"kinds", TEXT("cash,hear"), "Tiền mặt; Khuyết tật nghe, nói"},
		/* What does not fit is shown as it is. */
		{"day", TEXT("x"), "x"},
		{"kind", TEXT("gold"), "gold"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bytes got = validate_show(&arena, field(cases[i].name), &cases[i].value);

		if (!bytes_is(got, cases[i].shown))
			fail_msg("\"%.*s\" is not \"%s\"", BYTES_FMT(got), cases[i].shown);
	}
}

static void assert_found_by_label(const struct schema_field *f, const struct schema_code *c)
{
	struct value v = VALUE_NONE;

	if (validate_parse(&arena, f, c->label.en, &v, NULL) != VERDICT_OK ||
	    !bytes_equal(v.bytes, c->code))
		fail_msg("%.*s: \"%.*s\" does not give %.*s", BYTES_FMT(f->name),
			 BYTES_FMT(c->label.en), BYTES_FMT(c->code));
}

/* Every code of the programme can be typed as it is shown, in either language. */
static void every_shipped_code_is_found_by_its_labels(UNUSED_STATE)
{
	char path[4096];
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema *s = NULL;

	(void)snprintf(path, sizeof path, "%s/schema", getenv("CTXH_SOURCE_DIR"));
	assert_ok(schema_load_folder(path, &s, error));
	for (size_t i = 0; i < s->list_count; i++) {
		const struct schema_list *l = &s->lists[i];
		struct schema_field f = {
			.name = l->name, .label = l->label, .type = FIELD_CODE, .list = l};

		for (size_t j = 0; j < l->count; j++) {
			assert_round_trip(&f, value_text(l->codes[j].code));
			assert_found_by_label(&f, &l->codes[j]);
		}
	}
	schema_free(s);
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
		CASE(empty_text_is_no_value),
		CASE(typed_text_is_trimmed_and_composed),
		CASE(whole_numbers_as_written_in_viet_nam),
		CASE(money_as_written_in_viet_nam),
		CASE(decimals_as_written_in_viet_nam),
		CASE(yes_and_no_in_both_languages),
		CASE(days_as_written_in_viet_nam),
		CASE(births_as_written_in_viet_nam),
		CASE(moments_as_written_in_viet_nam),
		CASE(codes_by_code_and_label),
		CASE(sets_by_code_and_label),
		CASE(references_and_units),
		CASE(every_type_of_field_reads_back_what_it_prints),
		CASE(random_numbers_read_back),
		CASE(people_see_numbers_days_and_labels),
		CASE(every_shipped_code_is_found_by_its_labels),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
