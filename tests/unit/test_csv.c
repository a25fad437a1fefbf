#include "tests/unit/test.h"

#include "common/base/rand.h"
#include "tests/unit/data.h"

/* Rows as "a|b/c|d": what one can compare at a glance. */
static void read_all(struct csv_reader *r, struct buf *out)
{
	enum csv_step step = csv_next(r);

	for (; step == CSV_ROW; step = csv_next(r)) {
		if (r->row != 1)
			buf_append_byte(out, '/');
		for (size_t i = 0; i < r->count; i++) {
			if (i != 0)
				buf_append_byte(out, '|');
			buf_append_bytes(out, r->fields[i]);
		}
	}
	if (step == CSV_BAD)
		buf_printf(out, "!%d", r->problem);
}

static void assert_rows(const char *text, const char *want)
{
	struct csv_reader r;
	struct buf got = {0};

	csv_reader_init(&r, bytes_str(text));
	read_all(&r, &got);

	assert_string_equal(buf_cstr(&got), want);
	buf_clear(&got);
	csv_reader_clear(&r);
}

static void assert_problem(const char *text, enum csv_problem problem, size_t row, size_t line)
{
	struct csv_reader r;
	struct buf got = {0};

	csv_reader_init(&r, bytes_str(text));
	read_all(&r, &got);

	assert_int_equal(r.problem, problem);
	assert_int_equal(r.row, row);
	assert_int_equal(r.line, line);
	/* It stays bad, and shows no half row. */
	assert_int_equal(csv_next(&r), CSV_BAD);
	assert_int_equal(r.count, 0);
	buf_clear(&got);
	csv_reader_clear(&r);
}

static void rows_end_by_any_line_end_and_by_the_end(UNUSED_STATE)
{
	assert_rows("a,b\nc,d\n", "a|b/c|d");
	assert_rows("a,b\r\nc,d\r\n", "a|b/c|d");
	assert_rows("a,b\rc,d\r", "a|b/c|d");
	assert_rows("a,b\nc,d", "a|b/c|d");
	assert_rows("a,b\n\n\r\n\rc,d\n\n", "a|b/c|d");
	assert_rows("", "");
	assert_rows("\n\n", "");
}

static void empty_fields_are_fields(UNUSED_STATE)
{
	assert_rows("a,\n,b\n,\n", "a|/|b/|");
	assert_rows("a,", "a|");
	assert_rows("\"\"\nb\n", "/b");
	assert_rows("a,\"\"", "a|");
	assert_rows(" a , b ", " a | b ");
}

static void quoted_fields_hold_anything(UNUSED_STATE)
{
	assert_rows("\"a,b\",c\n", "a,b|c");
	assert_rows("\"a\nb\r\nc\rd\",e\n", "a\nb\r\nc\rd|e");
	assert_rows("\"say \"\"no\"\"\",\"\"\"\"\n", "say \"no\"|\"");
	assert_rows("\"a\"\"\"\r\n\"b\"", "a\"/b");
}

static void a_nul_is_a_character_like_any(UNUSED_STATE)
{
	struct csv_reader r;

	csv_reader_init(&r, BYTES_LIT("\"a\"\"\0b\",\0"));
	assert_int_equal(csv_next(&r), CSV_ROW);

	assert_int_equal(r.count, 2);
	assert_true(bytes_equal(csv_field(&r, 0), BYTES_LIT("a\"\0b")));
	assert_true(bytes_equal(csv_field(&r, 1), BYTES_LIT("\0")));
	csv_reader_clear(&r);
}

static void fields_of_a_row_stay_while_the_row_is_read(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader r;

	/* Enough of undoubled copies to make the memory behind them grow. */
	for (int i = 0; i < 200; i++)
		buf_printf(&text, "%s\"%d\"\"%0100d\"", i != 0 ? "," : "", i, i);
	csv_reader_init(&r, buf_bytes(&text));
	assert_int_equal(csv_next(&r), CSV_ROW);

	assert_int_equal(r.count, 200);
	for (int i = 0; i < 200; i++) {
		char want[128];

		(void)snprintf(want, sizeof want, "%d\"%0100d", i, i);
		assert_true(bytes_is(csv_field(&r, (size_t)i), want));
	}
	csv_reader_clear(&r);
	buf_clear(&text);
}

static void a_byte_order_mark_is_dropped_at_the_front_only(UNUSED_STATE)
{
	assert_rows("\xef\xbb\xbf"
		    "a,b\n",
		    "a|b");
	assert_rows("\xef\xbb\xbf\"a\",b\n", "a|b");
	assert_rows("a\n\xef\xbb\xbf"
		    "b\n",
		    "a/\xef\xbb\xbf"
		    "b");
	assert_rows("\xef\xbb\xbf", "");
}

static void the_header_decides_the_separator(UNUSED_STATE)
{
	assert_rows("a;b\n1;2,5\n", "a|b/1|2,5");
	assert_rows("a;b,c\n1;2,3\n", "a;b|c/1;2|3");
	assert_rows("\"a,x\";b\n1;2\n", "a,x|b/1|2");
	/* As a spreadsheet of Viet Nam writes it: bare commas in a name of a column. */
	assert_rows("Tên;Thôn, ấp, khu phố;Giới tính;Tuổi\nA;1;2;3\n",
		    "Tên|Thôn, ấp, khu phố|Giới tính|Tuổi/A|1|2|3");
	assert_rows("\"a;x\"\n1;2\n", "a;x/1;2");
	assert_rows("a\n1;2\n", "a/1;2");
	assert_rows("\xef\xbb\xbf\r\na;b\r\n", "a|b");
}

static void rows_and_lines_are_numbered(UNUSED_STATE)
{
	struct csv_reader r;

	csv_reader_init(&r, bytes_str("h\r\n\r\n\"a\nb\r\nc\rd\"\n\ne\rf\r\n"));

	assert_int_equal(csv_next(&r), CSV_ROW);
	assert_int_equal(r.row, 1);
	assert_int_equal(r.line, 1);
	assert_int_equal(csv_next(&r), CSV_ROW);
	assert_int_equal(r.row, 2);
	assert_int_equal(r.line, 3);
	assert_int_equal(csv_next(&r), CSV_ROW);
	assert_int_equal(r.row, 3);
	assert_int_equal(r.line, 8);
	assert_int_equal(csv_next(&r), CSV_ROW);
	assert_int_equal(r.row, 4);
	assert_int_equal(r.line, 9);
	assert_int_equal(csv_next(&r), CSV_END);
	assert_int_equal(csv_next(&r), CSV_END);
	csv_reader_clear(&r);
}

static void what_the_rfc_forbids_is_a_problem_with_its_line(UNUSED_STATE)
{
	assert_problem("a\nb\"c\n", CSV_STRAY_QUOTE, 2, 2);
	assert_problem("a\n\"b\nc\"d\n", CSV_TEXT_BEHIND, 2, 3);
	assert_problem("a\n\"b\" ,c\n", CSV_TEXT_BEHIND, 2, 2);
	assert_problem("a\n\n\"b\nc\nd", CSV_OPEN_QUOTE, 2, 3);
	assert_problem("\"", CSV_OPEN_QUOTE, 1, 1);
	assert_problem("\"a\"\"", CSV_OPEN_QUOTE, 1, 1);
	assert_problem("\xff\xfe"
		       "a",
		       CSV_UTF16, 0, 1);
	assert_problem("\xfe\xff", CSV_UTF16, 0, 1);
}

static enum csv_step step_with_limits(const char *text, size_t max_fields, size_t max_len,
				      enum csv_problem *ret_problem)
{
	struct csv_reader r;
	enum csv_step step;

	csv_reader_init(&r, bytes_str(text));
	r.max_fields = max_fields;
	r.max_field_len = max_len;
	step = csv_next(&r);
	*ret_problem = r.problem;
	csv_reader_clear(&r);
	return step;
}

static void limits_hold_at_the_limit_and_not_one_over(UNUSED_STATE)
{
	enum csv_problem problem;

	assert_int_equal(step_with_limits("a,b,c", 3, 9, &problem), CSV_ROW);
	assert_int_equal(step_with_limits("a,b,c,", 3, 9, &problem), CSV_BAD);
	assert_int_equal(problem, CSV_TOO_MANY_FIELDS);
	assert_int_equal(step_with_limits("abc", 9, 3, &problem), CSV_ROW);
	assert_int_equal(step_with_limits("abcd", 9, 3, &problem), CSV_BAD);
	assert_int_equal(problem, CSV_FIELD_TOO_LONG);
	/* Doubled quotes count once. */
	assert_int_equal(step_with_limits("\"\"\"\"\"\"\"\"", 9, 3, &problem), CSV_ROW);
	assert_int_equal(step_with_limits("\"\"\"\"\"\"\"\"\"\"", 9, 3, &problem), CSV_BAD);
	assert_int_equal(step_with_limits("\"abcd\"", 9, 3, &problem), CSV_BAD);
	assert_int_equal(step_with_limits("\"abcdefgh\"", 9, 3, &problem), CSV_BAD);
	assert_int_equal(problem, CSV_FIELD_TOO_LONG);
}

static void default_limits_hold(UNUSED_STATE)
{
	struct buf text = {0};
	struct csv_reader r;

	for (unsigned i = 0; i < CSV_MAX_FIELDS - 1; i++)
		buf_append_byte(&text, ',');
	csv_reader_init(&r, buf_bytes(&text));
	assert_int_equal(csv_next(&r), CSV_ROW);
	assert_int_equal(r.count, CSV_MAX_FIELDS);
	csv_reader_clear(&r);
	buf_append_byte(&text, ',');
	csv_reader_init(&r, buf_bytes(&text));
	assert_int_equal(csv_next(&r), CSV_BAD);
	csv_reader_clear(&r);

	buf_reset(&text);
	for (unsigned i = 0; i < CSV_MAX_FIELD_LEN; i++)
		buf_append_byte(&text, 'x');
	csv_reader_init(&r, buf_bytes(&text));
	assert_int_equal(csv_next(&r), CSV_ROW);
	csv_reader_clear(&r);
	buf_append_byte(&text, 'x');
	csv_reader_init(&r, buf_bytes(&text));
	assert_int_equal(csv_next(&r), CSV_BAD);
	csv_reader_clear(&r);
	buf_clear(&text);
}

static void columns_are_found_by_name(UNUSED_STATE)
{
	struct csv_reader r;

	csv_reader_init(&r, bytes_str("code,name\n25195\n"));
	assert_int_equal(csv_next(&r), CSV_ROW);
	assert_int_equal(csv_find(&r, "name"), 1);
	assert_int_equal(csv_find(&r, "nam"), CSV_NONE);
	assert_int_equal(csv_next(&r), CSV_ROW);

	assert_int_equal(csv_field(&r, 1).len, 0);
	assert_int_equal(csv_field(&r, CSV_NONE).len, 0);
	assert_true(bytes_is(csv_field(&r, 0), "25195"));
	csv_reader_clear(&r);
}

static void every_problem_has_a_text(UNUSED_STATE)
{
	for (int p = CSV_FINE; p <= CSV_UTF16; p++)
		assert_non_null(strchr(csv_problem_text((enum csv_problem)p), '('));
}

static void the_writer_quotes_what_needs_it_only(UNUSED_STATE)
{
	struct buf out = {0};
	struct csv_writer w = {.out = &out};

	csv_write_bom(&w);
	csv_write_str(&w, "plain chữ");
	csv_write_str(&w, "a,b");
	csv_write_str(&w, "a;b");
	csv_write_str(&w, "say \"no\"");
	csv_write_str(&w, "");
	csv_write_end(&w);
	csv_write_str(&w, " a");
	csv_write_str(&w, "b\nc");
	csv_write_end(&w);

	assert_string_equal(buf_cstr(&out),
			    "\xef\xbb\xbfplain chữ,\"a,b\",\"a;b\",\"say \"\"no\"\"\",\r\n"
			    "\" a\",\"b\nc\"\r\n");
	buf_clear(&out);
}

static void the_writer_takes_another_separator_and_line_end(UNUSED_STATE)
{
	struct buf out = {0};
	struct csv_writer w = {.out = &out, .separator = '\t', .line_end = "\n"};

	csv_write_str(&w, "a\tb");
	csv_write_str(&w, "c");
	csv_write_end(&w);

	assert_string_equal(buf_cstr(&out), "\"a\tb\"\tc\n");
	buf_clear(&out);
}

static void a_lone_empty_field_is_no_empty_line(UNUSED_STATE)
{
	struct buf out = {0};
	struct csv_writer w = {.out = &out};

	csv_write_bom(&w);
	csv_write_str(&w, "");
	csv_write_end(&w);
	csv_write_str(&w, "");
	csv_write_str(&w, "");
	csv_write_end(&w);

	assert_string_equal(buf_cstr(&out), "\xef\xbb\xbf\"\"\r\n,\r\n");
	buf_clear(&out);
}

static void put_random_field(struct rand *rand, struct buf *out)
{
	static const char *const pieces[] = {"a", "ộ", "\"",           ",",   ";", "\n", "\r", "\t",
					     " ", "7", "\xef\xbb\xbf", "\xff"};

	buf_reset(out);
	for (uint64_t n = rand_below(rand, 5); n != 0; n--)
		buf_append_str(out, pieces[rand_below(rand, 12)]);
}

/* Writes random fields, reads them back. */
static void check_round_trip(struct rand *rand, char separator)
{
	struct buf fields[12] = {0};
	struct buf out = {0};
	struct csv_writer w = {.out = &out, .separator = separator};
	struct csv_reader r;
	size_t columns = 1 + (size_t)rand_below(rand, 3);

	for (size_t i = 0; i < 4 * columns; i++) {
		put_random_field(rand, &fields[i]);
		csv_write(&w, buf_bytes(&fields[i]));
		if (i % columns == columns - 1)
			csv_write_end(&w);
	}

	csv_reader_init(&r, buf_bytes(&out));
	for (size_t i = 0; i < 4 * columns; i++) {
		if (i % columns == 0)
			assert_true(data_row(&r));
		assert_true(bytes_equal(csv_field(&r, i % columns), buf_bytes(&fields[i])));
	}
	assert_false(data_row(&r));
	csv_reader_clear(&r);
	buf_clear(&out);
	for (size_t i = 0; i < 12; i++)
		buf_clear(&fields[i]);
}

static void what_is_written_is_read_back_the_same(UNUSED_STATE)
{
	const char *given = getenv("CTXH_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : rand_u64(rand_system());
	struct rand rand;

	print_message("CTXH_SEED=%llu\n", (unsigned long long)seed);
	rand_seeded_init(&rand, seed);
	for (int round = 0; round < 3000; round++)
		check_round_trip(&rand, round % 2 == 0 ? ',' : ';');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_end_by_any_line_end_and_by_the_end),
		cmocka_unit_test(empty_fields_are_fields),
		cmocka_unit_test(quoted_fields_hold_anything),
		cmocka_unit_test(a_nul_is_a_character_like_any),
		cmocka_unit_test(fields_of_a_row_stay_while_the_row_is_read),
		cmocka_unit_test(a_byte_order_mark_is_dropped_at_the_front_only),
		cmocka_unit_test(the_header_decides_the_separator),
		cmocka_unit_test(rows_and_lines_are_numbered),
		cmocka_unit_test(what_the_rfc_forbids_is_a_problem_with_its_line),
		cmocka_unit_test(limits_hold_at_the_limit_and_not_one_over),
		cmocka_unit_test(default_limits_hold),
		cmocka_unit_test(columns_are_found_by_name),
		cmocka_unit_test(every_problem_has_a_text),
		cmocka_unit_test(the_writer_quotes_what_needs_it_only),
		cmocka_unit_test(the_writer_takes_another_separator_and_line_end),
		cmocka_unit_test(a_lone_empty_field_is_no_empty_line),
		cmocka_unit_test(what_is_written_is_read_back_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
