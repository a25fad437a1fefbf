/* Values as people type and see them, there and back. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/rand.h"
#include "tests/unit/help_schema.h"

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
#define CASE(name) cmocka_unit_test_teardown(name, teardown)
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
