/* The board: how every commune stands. */
#include "tests/unit/admin_office.h"

#define DAYS(n) (INT64_C(86400000) * (n))

/* The row of a commune; borrowed from `board`. */
static const json_t *row_of(const json_t *board, const char *code)
{
	const json_t *rows = json_object_get(board, "rows");

	for (size_t i = 0; i < json_array_size(rows); i++)
		if (strcmp(text_of(json_array_get(rows, i), "code"), code) == 0)
			return json_array_get(rows, i);
	print_error("no row %s\n", code);
	fail();
	return NULL;
}

static json_int_t in_row(const char *code, const char *key)
{
	json_t *board = result_of("board", "{}");
	json_int_t n = int_of(row_of(board, code), key);

	json_decref(board);
	return n;
}

static json_int_t in_totals(const char *key)
{
	json_t *board = result_of("board", "{}");
	json_int_t n = int_of(json_object_get(board, "totals"), key);

	json_decref(board);
	return n;
}

static void assert_state(const char *code, const char *want)
{
	json_t *board = result_of("board", "{}");

	assert_string_equal(text_of(row_of(board, code), "state"), want);
	json_decref(board);
}

static size_t row_count(const char *args)
{
	json_t *board = result_of("board", args);
	size_t count = json_array_size(json_object_get(board, "rows"));

	json_decref(board);
	return count;
}

static void every_commune_has_a_row_with_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *board = result_of("board", "{}");
	const json_t *row = row_of(board, "25195");

	assert_has_keys(board, "at totals rows");
	assert_has_keys(row, "code name district_code district_name province_code province_name "
			     "state devices forked clock_off missing quarantine conflicts "
			     "last_contact last_receipt");
	assert_has_keys(json_object_get(board, "totals"),
			"communes fresh stale never devices forked clock_off missing quarantine "
			"conflicts last_contact last_receipt");
	assert_int_equal(json_array_size(json_object_get(board, "rows")), 111);
	assert_string_equal(text_of(row, "name"), "Phường Tân Phú");
	assert_string_equal(text_of(row, "district_name"), "Thành phố Đồng Xoài");
	assert_string_equal(text_of(row, "province_code"), "70");
	assert_int_equal(int_of(row, "devices"), 2);
	json_decref(board);
}

static void states_are_those_of_status(UNUSED_STATE)
{
	static const char *const states[] = {"fresh", "stale", "never"};
	static const int64_t later[] = {0, DAYS(29), DAYS(31)};

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	for (size_t t = 0; t < sizeof later / sizeof later[0]; t++) {
		json_t *status;

		office.clock.wall = OFFICE_NOW + later[t];
		status = result_of("status", "{}");
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(in_totals(states[i]),
					 int_of(json_object_get(status, "communes"), states[i]));
		json_decref(status);
	}
	assert_state("25195", "stale");
	assert_state("25198", "never");
}

static void what_a_device_lacks_is_its_communes(UNUSED_STATE)
{
	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	change("UPDATE device SET seen_number = last_number + 4, is_clock_flagged = 1"
	       " WHERE number = 1");

	assert_int_equal(in_row("25195", "missing"), 4);
	assert_int_equal(in_row("25195", "clock_off"), 1);
	assert_int_equal(in_row("25198", "missing"), 0);
	assert_int_equal(in_totals("missing"), 4);
	/* It goes on under another number: what it lacked is that one's to send. */
	change("UPDATE device SET former = 1 WHERE number = 2");
	assert_int_equal(in_row("25195", "missing"), 0);
	assert_int_equal(in_row("25195", "devices"), 1);
	change("UPDATE device SET former = 0, state = 2, is_clock_flagged = 1 WHERE number = 2");
	assert_int_equal(in_row("25195", "devices"), 1);
	assert_int_equal(in_row("25195", "clock_off"), 1);
}

static void conflicts_and_quarantine_are_counted_until_decided(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("hamlet", "Ấp 1"));
	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("hamlet", "Sóc Bù Nho"));
	push_edit(&be, "person", id, 3, (struct write)OFFICE_TEXT("sex", "neither"));

	assert_int_equal(in_row("25195", "conflicts"), 1);
	assert_int_equal(in_row("25195", "quarantine"), 1);
	assert_int_equal(in_totals("conflicts"), 1);
	assert_int_equal(in_totals("quarantine"), 1);
	json_decref(result_of("conflict keep", "{\"conflict\":1}"));
	json_decref(result_of("quarantine discard", "{\"quarantine\":1,\"why\":\"sai\"}"));
	assert_int_equal(in_row("25195", "conflicts"), 0);
	assert_int_equal(in_row("25195", "quarantine"), 0);
}

static void a_device_of_two_communes_counts_in_both_and_once_in_all(UNUSED_STATE)
{
	char text[160];

	snprintf(text, sizeof text, "INSERT INTO device_unit(device, unit) VALUES(1, %lld)",
		 (long long)office_unit(&office, "25198", DAY_2021));
	change(text);
	change("UPDATE device SET seen_number = last_number + 4 WHERE number = 1");

	assert_int_equal(in_row("25195", "missing"), 4);
	assert_int_equal(in_row("25198", "missing"), 4);
	assert_int_equal(in_totals("missing"), 4);
	assert_int_equal(in_totals("devices"), 2);
}

/* A day later, and how it ended: "" well. */
static void contact(const char *error, bool is_failed)
{
	const int64_t now_ms = OFFICE_NOW + 86400000;
	const struct session_start start = {.device = an.number,
					    .author = bytes_str(an.author),
					    .transport = BYTES_LIT("network"),
					    .address = BYTES_LIT("127.0.0.1"),
					    .counter = 99,
					    .now_ms = now_ms};
	const struct session_finish finish = {
		.now_ms = now_ms, .error = bytes_str(error), .is_failed = is_failed};
	uint64_t session = 0;

	assert_ok(store_begin(office.writer));
	assert_ok(session_begin(office.writer, &start, &session));
	assert_ok(session_end(office.writer, session, &finish));
	assert_ok(store_commit(office.writer));
}

static void assert_receipt(const char *day)
{
	json_t *board = result_of("board", "{}");
	const char *receipt = text_of(row_of(board, "25195"), "last_receipt");

	assert_non_null(receipt);
	assert_memory_equal(receipt, day, 10);
	json_decref(board);
}

static void the_last_receipt_is_not_a_contact_that_was_turned_away(UNUSED_STATE)
{
	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	contact("revoked", false);
	contact("", true);
	assert_receipt("2026-11-22");

	/* The control: numbers are missing, the rest was taken. */
	contact("gap", false);
	assert_receipt("2026-11-23");
}

/* For a page that shows each: the same, without a word that all repeat. */
static void packed_rows_say_the_same(UNUSED_STATE)
{
	json_t *board = result_of("board", "{}");
	json_t *packed = result_of("board", "{\"packed\":true}");
	const json_t *keys = json_object_get(packed, "keys");
	const json_t *rows = json_object_get(board, "rows");

	assert_has_keys(packed, "at totals keys provinces rows");
	assert_true(
		json_equal(json_object_get(packed, "totals"), json_object_get(board, "totals")));
	assert_int_equal(json_array_size(json_object_get(packed, "rows")), json_array_size(rows));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *values = json_array_get(json_object_get(packed, "rows"), i);
		const json_t *row = json_array_get(rows, i);

		assert_int_equal(json_array_size(values), json_array_size(keys));
		assert_int_equal(json_array_size(keys) + 1, json_object_size(row));
		for (size_t k = 0; k < json_array_size(keys); k++)
			assert_true(json_equal(
				json_array_get(values, k),
				json_object_get(row, json_string_value(json_array_get(keys, k)))));
		assert_string_equal(text_of(json_object_get(packed, "provinces"),
					    text_of(row, "province_code")),
				    text_of(row, "province_name"));
	}
	json_decref(packed);
	json_decref(board);
	packed = result_of("board", "{\"packed\":true,\"unit\":\"25195\"}");
	assert_int_equal(json_array_size(json_object_get(packed, "rows")), 1);
	json_decref(packed);
}

/* Both communes became one: it has the devices of both. */
static void a_merged_commune_has_the_devices_of_what_it_was(UNUSED_STATE)
{
	const int64_t old = office_unit(&office, "25195", DAY_2021);
	const int64_t new = office_unit(&office, "25198", DAY_2021);
	char text[200];

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	snprintf(text, sizeof text,
		 "INSERT INTO unit_succession(old, new, day, is_whole, is_suspect)"
		 " VALUES(%lld, %lld, 0, 1, 0)",
		 (long long)old, (long long)new);
	change(text);

	assert_int_equal(in_row("25198", "devices"), 2);
	assert_state("25198", "fresh");
	/* In a circle, which no import makes: it ends all the same. */
	snprintf(text, sizeof text,
		 "INSERT INTO unit_succession(old, new, day, is_whole, is_suspect)"
		 " VALUES(%lld, %lld, 0, 1, 0)",
		 (long long)new, (long long)old);
	change(text);
	assert_int_equal(in_row("25198", "devices"), 2);
}

static void rows_can_be_chosen(UNUSED_STATE)
{
	assert_int_equal(row_count("{\"province\":\"70\"}"), 111);
	assert_int_equal(row_count("{\"unit\":\"25195\"}"), 1);
	assert_int_equal(row_count("{\"unit\":\"689\"}"), 8);
	assert_int_equal(row_count("{\"attention\":true}"), 111);
	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	assert_int_equal(row_count("{\"attention\":true}"), 110);
	change("UPDATE device SET seen_number = last_number + 1 WHERE number = 2");
	assert_int_equal(row_count("{\"attention\":true}"), 111);
}

/* Else a slip of the hand looks like a province in which all is well. */
static void a_code_that_nobody_has_is_refused(UNUSED_STATE)
{
	static const char *const wrong[] = {"{\"province\":\"01\"}", "{\"unit\":\"99999\"}",
					    "{\"unit\":\"25195@1999-01-01\"}"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct asked a = ask("board", wrong[i]);

		assert_err(a.e, ERR_NOTFOUND);
		asked_clear(&a);
	}
}

/* One commune after another became the next: however many, its devices are the last one's. */
static void a_long_line_of_successions_is_followed_to_its_end(UNUSED_STATE)
{
	change("WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < 199)"
	       " INSERT INTO unit_succession(old, new, day, is_whole, is_suspect)"
	       " SELECT CASE i WHEN 0 THEN (SELECT min(unit) FROM unit_name WHERE code = '25195')"
	       "  ELSE 100000 + i END,"
	       " CASE i WHEN 199 THEN (SELECT min(unit) FROM unit_name WHERE code = '25198')"
	       "  ELSE 100001 + i END, 1, 1, 0 FROM n");

	assert_int_equal(in_row("25198", "devices"), 2);
	assert_int_equal(in_totals("devices"), 2);
	/* And a circle, which a wrong map can make, ends. */
	change("INSERT INTO unit_succession(old, new, day, is_whole, is_suspect)"
	       " VALUES(100150, 100001, 1, 1, 0)");
	assert_int_equal(in_row("25198", "devices"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(every_commune_has_a_row_with_the_keys_of_the_reference),
		T(states_are_those_of_status),
		T(what_a_device_lacks_is_its_communes),
		T(conflicts_and_quarantine_are_counted_until_decided),
		T(a_device_of_two_communes_counts_in_both_and_once_in_all),
		T(the_last_receipt_is_not_a_contact_that_was_turned_away),
		T(packed_rows_say_the_same),
		T(a_merged_commune_has_the_devices_of_what_it_was),
		T(rows_can_be_chosen),
		T(a_code_that_nobody_has_is_refused),
		T(a_long_line_of_successions_is_followed_to_its_end),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
