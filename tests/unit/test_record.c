#include "tests/unit/test.h"

#include "common/base/buf.h"
#include "common/model/record.h"

#define TYPE BYTES_LIT("person")

static struct field field(const char *name, struct value value, uint64_t clock)
{
	return (struct field){bytes_str(name), value, {clock, 1}, clock * 10};
}

static struct value text(const char *value)
{
	return value_text(bytes_str(value));
}

static struct record record(struct field *fields, size_t count)
{
	return (struct record){.type = TYPE, .id = {{1, 2, 3}}, .fields = fields, .count = count};
}

static void values_are_equal_by_kind_and_content(UNUSED_STATE)
{
	struct value same[] = {VALUE_NONE,
			       value_bool(false),
			       value_bool(true),
			       value_int(-1),
			       value_int(0),
			       value_int(1),
			       text(""),
			       text("a"),
			       text("ab"),
			       text("b"),
			       value_bytes(BYTES_NONE),
			       value_bytes(BYTES_LIT("a"))};

	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		for (size_t k = 0; k < sizeof same / sizeof same[0]; k++) {
			int order = value_compare(&same[i], &same[k]);

			assert_int_equal(value_equal(&same[i], &same[k]), i == k);
			/* The table is in order. */
			assert_int_equal((order > 0) - (order < 0), (i > k) - (i < k));
		}
}

static void integers_of_both_ends_compare_without_overflow(UNUSED_STATE)
{
	struct value low = value_int(INT64_MIN);
	struct value high = value_int(INT64_MAX);

	assert_true(value_compare(&low, &high) < 0);
	assert_true(value_compare(&high, &low) > 0);
}

static void five_names_are_our_own(UNUSED_STATE)
{
	assert_true(record_is_system_field(BYTES_LIT("unit")));
	assert_true(record_is_system_field(BYTES_LIT("deleted")));
	assert_true(record_is_system_field(BYTES_LIT("voided")));
	assert_true(record_is_system_field(BYTES_LIT("merged_into")));
	assert_true(record_is_system_field(BYTES_LIT("corrects")));
	assert_false(record_is_system_field(BYTES_LIT("")));
	assert_false(record_is_system_field(BYTES_LIT("units")));
	assert_false(record_is_system_field(BYTES_LIT("Unit")));
	assert_false(record_is_system_field(BYTES_LIT("deletes")));
}

static void every_field_is_found_and_no_other(UNUSED_STATE)
{
	struct field fields[] = {
		field("a", value_int(1), 1),  field("ab", value_int(2), 2),
		field("b", value_int(3), 3),  field("full_name", value_int(4), 4),
		field("zz", value_int(5), 5),
	};

	for (size_t count = 0; count <= 5; count++) {
		struct record r = record(fields, count);

		for (size_t i = 0; i < 5; i++)
			assert_ptr_equal(record_find(&r, fields[i].name),
					 i < count ? &fields[i] : NULL);
		assert_null(record_find(&r, BYTES_LIT("")));
		assert_null(record_find(&r, BYTES_LIT("aa")));
		assert_null(record_find(&r, BYTES_LIT("zzz")));
	}
}

static void a_value_that_was_never_written_is_null(UNUSED_STATE)
{
	struct field fields[] = {field("phone", text("0912"), 1)};
	struct record r = record(fields, 1);

	assert_int_equal(record_value(&r, "phone").kind, VALUE_TEXT);
	assert_int_equal(record_value(&r, "address").kind, VALUE_NULL);
}

static void a_unit_that_is_absent_or_no_number_is_unknown(UNUSED_STATE)
{
	struct field good[] = {field(RECORD_UNIT, value_int(42), 1)};
	struct field bad[] = {field(RECORD_UNIT, text("42"), 1)};
	struct record with = record(good, 1);
	struct record without = record(good, 0);
	struct record wrong = record(bad, 1);

	assert_int_equal(record_unit(&with), 42);
	assert_int_equal(record_unit(&without), 0);
	assert_int_equal(record_unit(&wrong), 0);
}

static void a_record_is_deleted_until_a_later_write_of_any_field(UNUSED_STATE)
{
	struct field fields[] = {
		field(RECORD_DELETED, text("moved away"), 5), field("phone", text("0912"), 4),
		field(RECORD_UNIT, value_int(1), 5), /* the same change */
	};
	struct record r = record(fields, 3);

	assert_true(record_is_deleted(&r));
	fields[1].stamp.clock = 6;
	assert_false(record_is_deleted(&r));
	fields[1].stamp.clock = 4;
	fields[1].stamp.device = 9;
	assert_true(record_is_deleted(&r));
	fields[0].value = VALUE_NONE;
	assert_false(record_is_deleted(&r));
	r.count = 0;
	assert_false(record_is_deleted(&r));
}

static void equal_clocks_bring_back_by_the_greater_device(UNUSED_STATE)
{
	struct field fields[] = {
		field(RECORD_DELETED, text("double"), 5),
		field("phone", text("0912"), 5),
	};
	struct record r = record(fields, 2);

	fields[1].stamp.device = 2;
	assert_false(record_is_deleted(&r));
	fields[1].stamp.device = 0;
	assert_true(record_is_deleted(&r));
}

static void a_record_is_voided_while_there_is_a_reason(UNUSED_STATE)
{
	struct field fields[] = {field(RECORD_VOIDED, text("wrong person"), 1)};
	struct record r = record(fields, 1);

	assert_true(record_is_voided(&r));
	fields[0].value = VALUE_NONE;
	assert_false(record_is_voided(&r));
	r.count = 0;
	assert_false(record_is_voided(&r));
}

static void the_last_stamp_and_log_are_the_greatest(UNUSED_STATE)
{
	struct field fields[] = {
		field("a", value_int(1), 3),
		field("b", value_int(1), 9),
		field("c", value_int(1), 7),
	};
	struct record r = record(fields, 3);

	fields[2].log = 1000;
	assert_int_equal(record_last_stamp(&r).clock, 9);
	assert_int_equal(record_last_log(&r), 1000);
	r.count = 0;
	assert_int_equal(record_last_stamp(&r).clock, 0);
	assert_int_equal(record_last_log(&r), 0);
}

static void writes_are_sorted_by_name(UNUSED_STATE)
{
	struct write writes[] = {{BYTES_LIT("phone"), value_int(1)},
				 {BYTES_LIT("address"), value_int(2)},
				 {BYTES_LIT("unit"), value_int(3)}};
	struct change c = {.writes = writes, .count = 3};

	assert_true(change_sort(&c));
	assert_true(bytes_is(writes[0].name, "address"));
	assert_true(bytes_is(writes[1].name, "phone"));
	assert_true(bytes_is(writes[2].name, "unit"));
	assert_true(change_sort(&c));
	assert_int_equal(change_find(&c, BYTES_LIT("phone"))->value.integer, 1);
	assert_int_equal(change_find(&c, BYTES_LIT("address"))->value.integer, 2);
	assert_int_equal(change_find(&c, BYTES_LIT("unit"))->value.integer, 3);
	assert_null(change_find(&c, BYTES_LIT("note")));
}

static void a_name_that_is_written_twice_is_refused(UNUSED_STATE)
{
	struct write writes[] = {{BYTES_LIT("phone"), value_int(1)},
				 {BYTES_LIT("address"), value_int(2)},
				 {BYTES_LIT("phone"), value_int(3)}};
	struct change c = {.writes = writes, .count = 3};

	assert_false(change_sort(&c));
}

static void a_change_of_nothing_is_sorted(UNUSED_STATE)
{
	struct change c = {0};

	assert_true(change_sort(&c));
	assert_null(change_find(&c, BYTES_LIT("phone")));
}

static void a_copy_shares_nothing(UNUSED_STATE)
{
	struct arena a = {0};
	char type[] = "person";
	char name[] = "phone";
	char value[] = "0912";
	struct field fields[] = {field(name, text(value), 7), field("unit", value_int(3), 8)};
	struct record r = record(fields, 2);

	r.type = bytes_str(type);
	struct record copy = record_copy(&a, &r);

	memset(type, 'x', sizeof type - 1);
	memset(name, 'x', sizeof name - 1);
	memset(value, 'x', sizeof value - 1);
	memset(fields, 0, sizeof fields);
	assert_true(bytes_is(copy.type, "person"));
	assert_int_equal(id_compare(&copy.id, &r.id), 0);
	assert_int_equal(copy.count, 2);
	assert_true(bytes_is(copy.fields[0].name, "phone"));
	assert_true(bytes_is(copy.fields[0].value.bytes, "0912"));
	assert_int_equal(copy.fields[0].stamp.clock, 7);
	assert_int_equal(copy.fields[0].log, 70);
	assert_int_equal(record_unit(&copy), 3);
	arena_clear(&a);
}

/* The bytes themselves: digests of two programs must agree for ever. */
static void canonical_bytes_are_these(UNUSED_STATE)
{
	/* clang-format off */
	static const uint8_t want[] = {
		0, 0, 0, 0, 0, 0, 0, 1, 'p',
		9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 3,
		/* name; kind and value; clock; device */
		0, 0, 0, 0, 0, 0, 0, 1, 'a',
		0,
		0, 0, 0, 0, 0, 0, 1, 0,
		0, 0, 0, 2,
		0, 0, 0, 0, 0, 0, 0, 1, 'b',
		2, 255, 255, 255, 255, 255, 255, 255, 254,
		0, 0, 0, 0, 0, 0, 1, 0,
		0, 0, 0, 2,
		0, 0, 0, 0, 0, 0, 0, 1, 'c',
		3, 0, 0, 0, 0, 0, 0, 0, 2, 'h', 'i',
		0, 0, 0, 0, 0, 0, 0, 3,
		1, 2, 3, 4,
	};
	/* clang-format on */
	struct field fields[] = {
		{BYTES_LIT("a"), VALUE_NONE, {0x100, 2}, 1},
		{BYTES_LIT("b"), value_int(-2), {0x100, 2}, 1},
		{BYTES_LIT("c"), text("hi"), {3, 0x01020304}, 1},
	};
	struct record r = {BYTES_LIT("p"), {{9}}, fields, 3};
	struct buf got = {0};

	record_canonical(&r, &got);
	assert_int_equal(got.len, sizeof want);
	assert_memory_equal(got.data, want, sizeof want);
	buf_clear(&got);
}

static bool differs(const struct record *a, const struct record *b)
{
	struct buf first = {0};
	struct buf second = {0};

	record_canonical(a, &first);
	record_canonical(b, &second);
	bool is_different = !bytes_equal(buf_bytes(&first), buf_bytes(&second));

	buf_clear(&first);
	buf_clear(&second);
	return is_different;
}

static void canonical_bytes_tell_every_difference_but_the_log_number(UNUSED_STATE)
{
	struct field base[] = {field("a", text("x"), 1), field("b", value_bool(true), 2)};
	struct field other[2];
	struct record r = record(base, 2);
	struct record s = record(other, 2);

	memcpy(other, base, sizeof base);
	other[0].log = 99;
	assert_false(differs(&r, &s));
	other[0].value = text("y");
	assert_true(differs(&r, &s));
	other[0].value = value_bytes(BYTES_LIT("x"));
	assert_true(differs(&r, &s));
	other[0].value = VALUE_NONE;
	assert_true(differs(&r, &s));
	memcpy(other, base, sizeof base);
	other[1].value = value_bool(false);
	assert_true(differs(&r, &s));
	memcpy(other, base, sizeof base);
	other[1].stamp.clock++;
	assert_true(differs(&r, &s));
	memcpy(other, base, sizeof base);
	other[1].stamp.device++;
	assert_true(differs(&r, &s));
	memcpy(other, base, sizeof base);
	other[1].name = BYTES_LIT("c");
	assert_true(differs(&r, &s));
	memcpy(other, base, sizeof base);
	s.count = 1;
	assert_true(differs(&r, &s));
	s.count = 2;
	s.id.bytes[15] = 1;
	assert_true(differs(&r, &s));
	s.id = r.id;
	s.type = BYTES_LIT("event");
	assert_true(differs(&r, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_equal_by_kind_and_content),
		cmocka_unit_test(integers_of_both_ends_compare_without_overflow),
		cmocka_unit_test(five_names_are_our_own),
		cmocka_unit_test(every_field_is_found_and_no_other),
		cmocka_unit_test(a_value_that_was_never_written_is_null),
		cmocka_unit_test(a_unit_that_is_absent_or_no_number_is_unknown),
		cmocka_unit_test(a_record_is_deleted_until_a_later_write_of_any_field),
		cmocka_unit_test(equal_clocks_bring_back_by_the_greater_device),
		cmocka_unit_test(a_record_is_voided_while_there_is_a_reason),
		cmocka_unit_test(the_last_stamp_and_log_are_the_greatest),
		cmocka_unit_test(writes_are_sorted_by_name),
		cmocka_unit_test(a_name_that_is_written_twice_is_refused),
		cmocka_unit_test(a_change_of_nothing_is_sorted),
		cmocka_unit_test(a_copy_shares_nothing),
		cmocka_unit_test(canonical_bytes_are_these),
		cmocka_unit_test(canonical_bytes_tell_every_difference_but_the_log_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
