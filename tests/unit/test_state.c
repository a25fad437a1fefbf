#include "common/base/mem.h"
#include "proto/changeset.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "proto/squeeze.h"
#include "tests/unit/vectors.h"

static int setup(void **state)
{
	*state = mem_alloc_zero(sizeof(struct arena));
	return 0;
}

static int teardown(void **state)
{
	arena_clear(*state);
	mem_free(*state);
	return 0;
}

#define ID_BIN "\xc4\x10\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d"
/* ---- record states ---- */

static struct field person_fields[] = {
	{BYTES_LIT("birth"), {.kind = VALUE_TEXT, .bytes = BYTES_LIT("1957")}, {9 << 16, 12}, 4},
	{BYTES_LIT("full_name"),
	 {.kind = VALUE_TEXT, .bytes = BYTES_LIT("Nguyễn Thị Sáu")},
	 {7 << 16, 3},
	 2},
	{BYTES_LIT("is_poor"), {.kind = VALUE_BOOL, .boolean = false}, {9 << 16, 12}, 4},
	{BYTES_LIT("note"), {.kind = VALUE_NULL}, {8 << 16, 3}, 3},
	{BYTES_LIT("unit"), {.kind = VALUE_INT, .integer = 25195}, {7 << 16, 3}, 2},
};

static struct record person_record(void)
{
	struct record r = {
		.type = BYTES_LIT("person"),
		.fields = person_fields,
		.count = sizeof person_fields / sizeof person_fields[0],
	};

	memset(r.id.bytes, 0x2e, ID_LEN);
	return r;
}

static void assert_same_field(const struct field *got, const struct field *want)
{
	assert_true(bytes_equal(got->name, want->name));
	assert_true(value_equal(&got->value, &want->value));
	assert_int_equal(stamp_compare(&got->stamp, &want->stamp), 0);
	assert_int_equal(got->log, want->log);
}

static void the_vector_of_a_record_is_still_made_and_read(void **state)
{
	struct arena *a = *state;
	struct record want = person_record();
	struct record got;
	AUTO(buf_clear) struct buf out = {0};
	AUTO(buf_clear) struct buf stored = {0};

	record_encode(&want, 0, &out);
	vector_check("v1-record", buf_bytes(&out));
	vector_load("v1-record", &stored);
	assert_ok(record_decode(a, buf_bytes(&stored), &got));
	assert_true(bytes_equal(got.type, want.type));
	assert_memory_equal(got.id.bytes, want.id.bytes, ID_LEN);
	assert_int_equal(got.count, want.count);
	for (size_t i = 0; i < want.count; i++)
		assert_same_field(&got.fields[i], &want.fields[i]);
}

static void only_fields_newer_than_the_cursor_travel(void **state)
{
	struct arena *a = *state;
	struct record want = person_record();
	struct record got;
	AUTO(buf_clear) struct buf out = {0};

	record_encode(&want, 3, &out);
	assert_ok(record_decode(a, buf_bytes(&out), &got));
	assert_int_equal(got.count, 2);
	assert_same_field(&got.fields[0], &want.fields[0]);
	assert_same_field(&got.fields[1], &want.fields[2]);
	buf_reset(&out);
	record_encode(&want, 4, &out);
	assert_ok(record_decode(a, buf_bytes(&out), &got));
	assert_int_equal(got.count, 0);
}

static void a_clients_unsent_fields_have_log_0_and_travel_with_cursor_0(void **state)
{
	struct arena *a = *state;
	struct field field = {BYTES_LIT("a"), value_int(1), {5, 1}, 0};
	struct record want = {.type = BYTES_LIT("t"), .fields = &field, .count = 1};
	struct record got;
	AUTO(buf_clear) struct buf out = {0};

	record_encode(&want, 0, &out);
	assert_ok(record_decode(a, buf_bytes(&out), &got));
	assert_int_equal(got.count, 1);
	assert_same_field(&got.fields[0], &field);
}

static struct record wide_record(struct arena *a, size_t count)
{
	struct record r = {.type = BYTES_LIT("t"), .count = count};

	r.fields = arena_alloc_array(a, count, sizeof *r.fields);
	for (size_t i = 0; i < count; i++)
		r.fields[i] = (struct field){
			arena_printf(a, "f%05zu", i), VALUE_NONE, {i + 1, (uint32_t)i}, i + 1};
	return r;
}

static void fields_of_a_record_pass_at_the_limit_and_not_beyond(void **state)
{
	struct arena *a = *state;
	struct record at = wide_record(a, LIMIT_FIELDS);
	struct record beyond = wide_record(a, LIMIT_FIELDS + 1);
	struct record got;
	AUTO(buf_clear) struct buf out = {0};

	record_encode(&at, 0, &out);
	assert_ok(record_decode(a, buf_bytes(&out), &got));
	assert_int_equal(got.count, LIMIT_FIELDS);
	for (size_t i = 0; i < at.count; i++)
		assert_same_field(&got.fields[i], &at.fields[i]);
	buf_reset(&out);
	record_encode(&beyond, 0, &out);
	assert_err(record_decode(a, buf_bytes(&out), &got), ERR_TOOBIG);
}

#define R_START "\x01\xa1t\x02" ID_BIN

static const struct bytes bad_records[] = {
	BYTES_LIT("\xc0"),
	BYTES_LIT("\x82" R_START),
	BYTES_LIT("\x83" R_START "\x03\x93\x01\x01\x01"),
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x81\x01\x01"),
	/* a stamp cut short; no stamp for a field */
	BYTES_LIT("\x84" R_START "\x03\x92\x01\x01\x04\x81\xa1"
		  "a\x01"),
	BYTES_LIT("\x84" R_START "\x03\x90\x04\x81\xa1"
		  "a\x01"),
	/* device, clock and log out of range */
	BYTES_LIT("\x84" R_START "\x03\x93\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00\x01\x04\x81\xa1"
		  "a\x01"),
	BYTES_LIT("\x84" R_START "\x03\x93\xcf\x80\x00\x00\x00\x00\x00\x00\x00\x01\x01\x04\x81\xa1"
		  "a\x01"),
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\xcf\x80\x00\x00\x00\x00\x00\x00\x00\x04\x81\xa1"
		  "a\x01"),
	/* names out of order, twice, none */
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x82\xa1"
		  "b\x01\xa1"
		  "a\x01"),
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x82\xa1"
		  "a\x01\xa1"
		  "a\x01"),
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x81\xa1"
		  "\x01\x01"),
	/* a float */
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x81\xa1"
		  "a\xca\x00\x00\x00\x00"),
	/* text that is not UTF-8 */
	BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x81\xa1"
		  "a\xa1\xff"),
	/* an index too long, out of range, missing */
	BYTES_LIT("\x85" R_START "\x03\x93\x01\x01\x01\x04\x81\xa1"
		  "a\x01\x05\x92\x00\x00"),
	BYTES_LIT("\x85" R_START "\x03\x93\x01\x01\x01\x04\x81\xa1"
		  "a\x01\x05\x91\x01"),
	BYTES_LIT("\x84" R_START "\x03\x96\x01\x01\x01\x02\x02\x02\x04\x82\xa1"
		  "a\x01\xa1"
		  "b\x01"),
};

static void records_out_of_form_are_refused(void **state)
{
	struct arena *a = *state;
	struct record got;

	for (size_t i = 0; i < sizeof bad_records / sizeof bad_records[0]; i++) {
		print_message("%zu\n", i);
		assert_err(record_decode(a, bad_records[i], &got), ERR_PROTO);
	}
	assert_ok(record_decode(a,
				BYTES_LIT("\x84" R_START "\x03\x93\x01\x01\x01\x04\x81\xa1"
					  "a\x01"),
				&got));
}

/* ---- what 10,000 people cost on the wire ---- */

static const char *const families[] = {"Nguyễn", "Trần", "Lê",   "Phạm", "Huỳnh", "Hoàng", "Điểu",
				       "Vũ",     "Võ",   "Đặng", "Bùi",  "Đỗ",    "Hồ",    "Thị"};
static const char *const middles[] = {"Văn", "Thị", "Hữu", "Ngọc", "Minh", "Thanh", "Kim", "Đức"};
static const char *const givens[] = {"An",    "Bình", "Chi",  "Dũng", "Giang", "Hạnh", "Hương",
				     "Khánh", "Lan",  "Mai",  "Nam",  "Oanh",  "Phúc", "Quỳnh",
				     "Sơn",   "Tâm",  "Thảo", "Uyên", "Vân",   "Yến"};

#define PICK(r, list) list[rand_below((r), sizeof(list) / sizeof((list)[0]))]
#define PEOPLE        10000

static void someone(struct arena *a, struct rand *r, uint64_t i, struct record *ret_record)
{
	struct clock_fake clock;
	struct stamp stamp = {STAMP_CLOCK_OF(INT64_C(1795315919123) +
					     (int64_t)(i * 45000 + rand_below(r, 40000))),
			      (uint32_t)(1 + i / 5000)};
	struct bytes name =
		arena_printf(a, "%s %s %s", PICK(r, families), PICK(r, middles), PICK(r, givens));
	struct value values[] = {
		value_text(arena_printf(a, "Thôn %d", 1 + (int)rand_below(r, 12))),
		value_text(arena_printf(a, "%d-%02d-%02d", 1930 + (int)rand_below(r, 90),
					1 + (int)rand_below(r, 12), 1 + (int)rand_below(r, 28))),
		value_text(bytes_str(rand_below(r, 4) != 0 ? "kinh" : "xtieng")),
		value_text(name),
		value_text(bytes_str(rand_below(r, 2) != 0 ? "female" : "male")),
		value_text(arena_printf(a, "0%09d", (int)rand_below(r, 1000000000))),
		value_bool(rand_below(r, 3) == 0),
		value_text(arena_printf(a, "07%010llu",
					(unsigned long long)rand_below(r, 10000000000U))),
		value_text(bytes_str(rand_below(r, 2) != 0 ? "elderly" : "disabled")),
		value_int((int64_t)(25195 + i / 2500)),
	};
	static const char *const names[] = {"address", "birth",   "ethnicity", "full_name",
					    "gender",  "id_card", "is_poor",   "phone",
					    "subject", "unit"};

	clock_fake_init(&clock, STAMP_CLOCK_MS(stamp.clock));
	*ret_record = (struct record){.type = BYTES_LIT("person"), .count = 10};
	ret_record->id = id_new(&clock.clock, r);
	ret_record->fields = arena_alloc_array(a, 10, sizeof(struct field));
	for (size_t k = 0; k < 10; k++)
		ret_record->fields[k] =
			(struct field){bytes_str(names[k]), values[k], stamp, 1 + i / 100};
}

static void ten_thousand_people_take_at_most_190_bytes_each(void **state)
{
	struct arena *a = *state;
	struct rand r;
	struct packer p;
	AUTO(buf_clear) struct buf one = {0};
	AUTO(buf_clear) struct buf all = {0};
	AUTO(buf_clear) struct buf packed = {0};

	rand_seeded_init(&r, 4711);
	packer_init(&p, &all, PACK_UNBOUNDED);
	for (uint64_t i = 0; i < PEOPLE; i++) {
		struct record person;

		someone(a, &r, i, &person);
		buf_reset(&one);
		record_encode(&person, 0, &one);
		packer_bin(&p, buf_bytes(&one));
	}
	packer_done(&p);
	assert_true(squeeze_pack(buf_bytes(&all), &packed));
	print_message("%zu bytes a record plain, %zu packed\n", all.len / PEOPLE,
		      packed.len / PEOPLE);
	assert_true(packed.len / PEOPLE <= 190);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_vector_of_a_record_is_still_made_and_read),
		CASE(only_fields_newer_than_the_cursor_travel),
		CASE(a_clients_unsent_fields_have_log_0_and_travel_with_cursor_0),
		CASE(fields_of_a_record_pass_at_the_limit_and_not_beyond),
		CASE(records_out_of_form_are_refused),
		CASE(ten_thousand_people_take_at_most_190_bytes_each),
	};

	vectors_arguments(argc, argv);
	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
