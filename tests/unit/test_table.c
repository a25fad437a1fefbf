#include "tests/unit/test.h"

#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/text/table.h"

static const struct table_column columns[] = {
	{"number", "Số", "Number", TABLE_ALIGN_AUTO, TABLE_INT, false},
	{"name", "Tên", "Name", TABLE_ALIGN_AUTO, TABLE_TEXT, false},
	{"record", "Hồ sơ", NULL, TABLE_ALIGN_AUTO, TABLE_TEXT, false},
	{"value", "Giá trị", "Value", TABLE_ALIGN_AUTO, TABLE_NUMBER, false},
	{"units", NULL, NULL, TABLE_RIGHT, TABLE_LIST, false},
	{"revoked", "Thu hồi", "Revoked", TABLE_ALIGN_AUTO, TABLE_BOOL, false},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static const struct value first_row[] = {
	{.kind = VALUE_INT, .integer = 7},
	{.kind = VALUE_TEXT, .bytes = BYTES_LIT("Đắk Ơ")},
	{.kind = VALUE_BYTES, .bytes = BYTES_LIT("\x01\xaf")},
	{.kind = VALUE_TEXT, .bytes = BYTES_LIT("94.6")},
	{.kind = VALUE_TEXT, .bytes = BYTES_LIT("25195,25198")},
	{.kind = VALUE_BOOL, .boolean = true},
};
static const struct value second_row[] = {
	{.kind = VALUE_INT, .integer = INT64_MIN},
	{.kind = VALUE_TEXT, .bytes = BYTES_LIT("say \"no\"\n\x1b[31m, \xff")},
	{.kind = VALUE_NULL},
	{.kind = VALUE_NULL},
	{.kind = VALUE_TEXT, .bytes = BYTES_LIT("")},
	{.kind = VALUE_BOOL, .boolean = false},
};

static int setup(void **state)
{
	static struct table t;

	table_init(&t, columns, COLUMNS);
	table_add(&t, first_row);
	table_add(&t, second_row);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	table_clear(*state);
	return 0;
}

static void assert_prints(const struct table *t, enum table_format format, struct table_style style,
			  const char *want)
{
	struct buf out = {0};

	table_print(t, format, &style, &out);

	assert_string_equal(buf_cstr(&out), want);
	buf_clear(&out);
}

static void a_table_is_aligned_by_what_one_sees(void **state)
{
	assert_prints(
		*state, TABLE_TABLE, (struct table_style){0},
		"                  Số  Tên                Hồ sơ  Giá trị        units  Thu hồi\n"
		"              Number  Name                        Value               Revoked\n"
		"                   7  Đắk Ơ              01af      94.6  25195,25198  có\n"
		"-9223372036854775808  say \"no\"  [31m, \ufffd  -            -               "
		"không\n");
}

static void a_terminal_gets_bold_headings(void **state)
{
	struct buf out = {0};

	table_print(*state, TABLE_TABLE, &(struct table_style){.is_terminal = true}, &out);

	assert_memory_equal(out.data, "\x1b[1m", 4);
	assert_non_null(strstr(buf_cstr(&out), "Thu hồi\x1b[0m\n"));
	/* Nothing of the row's own escape sequence got through. */
	assert_null(strstr(buf_cstr(&out), "\x1b[31m"));
	buf_clear(&out);
}

static enum table_tone names_are_bad(const struct table_column *column, struct bytes text)
{
	(void)text;
	return column == &columns[1] ? TABLE_BAD : TABLE_PLAIN;
}

/* Colours take no room, and headings have none. */
static void tones_are_colours_on_a_terminal_and_nothing_elsewhere(void **state)
{
	struct table *t = *state;
	struct buf plain = {0};
	struct buf toned = {0};
	struct buf coloured = {0};
	const char *at;

	table_print(t, TABLE_TABLE, &(struct table_style){0}, &plain);
	t->tone = names_are_bad;
	table_print(t, TABLE_TABLE, &(struct table_style){0}, &toned);
	table_print(t, TABLE_TABLE, &(struct table_style){.is_terminal = true}, &coloured);

	assert_string_equal(buf_cstr(&toned), buf_cstr(&plain));
	at = strstr(buf_cstr(&coloured), "\x1b[31mĐắk Ơ\x1b[0m ");
	assert_non_null(at);
	assert_true(at > strstr(buf_cstr(&coloured), "Name"));
	/* Two rows with a colour each, and the bold of the heading. */
	assert_int_equal(coloured.len, plain.len + 2 * (5 + 4) + 4 + 4);
	buf_clear(&plain);
	buf_clear(&toned);
	buf_clear(&coloured);
}

static void a_table_without_english_has_one_line_of_headings(UNUSED_STATE)
{
	const struct table_column one = {.key = "name"};
	struct table t;

	table_init(&t, &one, 1);
	table_add(&t, &first_row[1]);
	assert_prints(&t, TABLE_TABLE, (struct table_style){0}, "name\nĐắk Ơ\n");
	assert_prints(&t, TABLE_TABLE, (struct table_style){.is_headingless = true}, "Đắk Ơ\n");
	assert_prints(&t, TABLE_CSV, (struct table_style){.is_headingless = true}, "Đắk Ơ\n");
	table_clear(&t);
}

static void wide_text_is_cut_to_the_terminal_and_numbers_are_not(UNUSED_STATE)
{
	static const struct table_column two[] = {
		{.key = "n", .type = TABLE_INT},
		{.key = "text"},
	};
	const struct value row[] = {
		{.kind = VALUE_INT, .integer = 1234567890},
		{.kind = VALUE_TEXT, .bytes = BYTES_LIT("Xã Lộc Thạnh, huyện Lộc Ninh")},
	};
	struct table t;

	table_init(&t, two, 2);
	table_add(&t, row);
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 24},
		      "         n  text\n1234567890  Xã Lộc Thạn…\n");
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 40},
		      "         n  text\n1234567890  Xã Lộc Thạnh, huyện Lộc Ninh\n");
	/* Eight columns of text are left, then lines are longer than the terminal. */
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 5},
		      "         n  text\n1234567890  Xã Lộc …\n");
	table_clear(&t);
}

static void the_widest_column_is_cut_first(UNUSED_STATE)
{
	static const struct table_column two[] = {{.key = "a"}, {.key = "b"}};
	const struct value row[] = {
		{.kind = VALUE_TEXT, .bytes = BYTES_LIT("1234567890")},
		{.kind = VALUE_TEXT, .bytes = BYTES_LIT("12345678901234567890")},
	};
	struct table t;

	table_init(&t, two, 2);
	table_add(&t, row);
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 24},
		      "a           b\n1234567890  12345678901…\n");
	table_clear(&t);
}

static void what_people_copy_is_not_cut(UNUSED_STATE)
{
	static const struct table_column two[] = {{.key = "id", .is_whole = true}, {.key = "b"}};
	const struct value row[] = {
		{.kind = VALUE_TEXT, .bytes = BYTES_LIT("01a201547a5170da")},
		{.kind = VALUE_TEXT, .bytes = BYTES_LIT("Nguyễn Thị Hường")},
	};
	struct table t;

	table_init(&t, two, 2);
	table_add(&t, row);
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 26},
		      "id                b\n01a201547a5170da  Nguyễn …\n");
	table_clear(&t);
}

static void blanks_between_many_columns_are_given_up_first(UNUSED_STATE)
{
	static const struct table_column many[] = {
		{.key = "a"}, {.key = "b"}, {.key = "c"},          {.key = "d"},
		{.key = "e"}, {.key = "f"}, {.key = "gggggggggg"},
	};
	const struct value row[7] = {{0}};
	struct table t;

	table_init(&t, many, 7);
	table_add(&t, row);
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 22},
		      "a b c d e f gggggggggg\n- - - - - - -\n");
	assert_prints(&t, TABLE_TABLE, (struct table_style){.width = 28},
		      "a  b  c  d  e  f  gggggggggg\n-  -  -  -  -  -  -\n");
	table_clear(&t);
}

static void a_pipe_has_the_width_that_columns_says(UNUSED_STATE)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(setenv("COLUMNS", "100", 1), 0);
	assert_int_equal(table_style_of(ends[1]).width, 100);
	assert_false(table_style_of(ends[1]).is_terminal);
	assert_int_equal(setenv("COLUMNS", "wide", 1), 0);
	assert_int_equal(table_style_of(ends[1]).width, 0);
	assert_int_equal(unsetenv("COLUMNS"), 0);
	assert_int_equal(table_style_of(ends[1]).width, 0);
	close(ends[0]);
	close(ends[1]);
}

static void json_is_an_array_with_keys_in_order(void **state)
{
	assert_prints(
		*state, TABLE_JSON, (struct table_style){.is_terminal = true, .width = 10},
		"[\n"
		"  {\"number\": 7, \"name\": \"Đắk Ơ\", \"record\": \"01af\", \"value\": 94.6, "
		"\"units\": [\"25195\", \"25198\"], \"revoked\": true},\n"
		"  {\"number\": -9223372036854775808, \"name\": \"say \\\"no\\\"  [31m, "
		"\ufffd\", \"record\": null, \"value\": null, \"units\": [], \"revoked\": "
		"false}\n"
		"]\n");
}

static void json_text_keeps_its_control_characters(UNUSED_STATE)
{
	const struct table_column one = {.key = "name"};
	const struct value row = {.kind = VALUE_TEXT, .bytes = BYTES_LIT("a\nb\x1b\0c")};
	struct table t;

	table_init(&t, &one, 1);
	table_add(&t, &row);
	assert_prints(&t, TABLE_JSON, (struct table_style){0},
		      "[\n  {\"name\": \"a\\nb\\u001B\\u0000c\"}\n]\n");
	table_clear(&t);
}

static void json_numbers_that_are_none_stay_text(UNUSED_STATE)
{
	static const char *const texts[] = {"", "-", "1.2.3", "0x10", "1e5", "nan", "12,5"};
	const struct table_column one = {.key = "v", .type = TABLE_NUMBER};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const struct value row = value_text(bytes_str(texts[i]));
		char want[64];
		struct table t;

		(void)snprintf(want, sizeof want, "[\n  {\"v\": \"%s\"}\n]\n", texts[i]);
		table_init(&t, &one, 1);
		table_add(&t, &row);
		assert_prints(&t, TABLE_JSON, (struct table_style){0}, want);
		table_clear(&t);
	}
}

static void one_row_is_a_line_of_json(void **state)
{
	struct buf out = {0};

	table_print_json_line(*state, 0, &out);

	assert_int_equal(out.data[0], '{');
	assert_memory_equal(out.data + out.len - 2, "}\n", 2);
	assert_ptr_equal(memchr(out.data, '\n', out.len), out.data + out.len - 1);
	buf_clear(&out);
}

static void csv_has_keys_and_bare_values(void **state)
{
	assert_prints(*state, TABLE_CSV, (struct table_style){.is_terminal = true, .width = 10},
		      "number,name,record,value,units,revoked\n"
		      "7,Đắk Ơ,01af,94.6,\"25195,25198\",true\n"
		      "-9223372036854775808,\"say \"\"no\"\"\n\x1b[31m, \xff\",,,,false\n");
}

static void an_empty_table_is_headings_or_an_empty_array(UNUSED_STATE)
{
	static const struct table_column two[] = {{.key = "a"}, {.key = "b"}};
	struct table t;

	table_init(&t, two, 2);
	assert_prints(&t, TABLE_TABLE, (struct table_style){0}, "a  b\n");
	assert_prints(&t, TABLE_JSON, (struct table_style){0}, "[]\n");
	assert_prints(&t, TABLE_CSV, (struct table_style){0}, "a,b\n");
	table_clear(&t);
}

static void lines_do_not_end_in_blanks(UNUSED_STATE)
{
	static const struct table_column two[] = {{.key = "a"}, {.key = "b"}};
	const struct value row[] = {value_int(1), value_text(BYTES_NONE)};
	struct table t;

	table_init(&t, two, 2);
	table_add(&t, row);
	assert_prints(&t, TABLE_TABLE, (struct table_style){0}, "a  b\n1\n");
	assert_prints(&t, TABLE_JSON, (struct table_style){0}, "[\n  {\"a\": 1, \"b\": \"\"}\n]\n");
	table_clear(&t);
}

static void rows_are_copied(UNUSED_STATE)
{
	const struct table_column one = {.key = "name"};
	char text[] = "before";
	const struct value row = value_text(bytes_str(text));
	struct table t;

	table_init(&t, &one, 1);
	for (int i = 0; i < 100; i++)
		table_add(&t, &row);
	text[0] = 'B';

	assert_int_equal(t.row_count, 100);
	assert_true(bytes_is(t.cells[0].bytes, "before"));
	assert_true(bytes_is(t.cells[99].bytes, "before"));
	table_clear(&t);
}

static void formats_have_names(UNUSED_STATE)
{
	enum table_format format = TABLE_TABLE;

	assert_ok(table_format_parse(BYTES_LIT("json"), &format));
	assert_int_equal(format, TABLE_JSON);
	assert_err(table_format_parse(BYTES_LIT("xml"), &format), ERR_INVAL);
	assert_err(table_format_parse(BYTES_LIT(""), &format), ERR_INVAL);
	assert_int_equal(format, TABLE_JSON);
	assert_ok(table_format_parse(BYTES_LIT("csv"), &format));
	assert_int_equal(format, TABLE_CSV);
	assert_ok(table_format_parse(BYTES_LIT("table"), &format));
	assert_int_equal(format, TABLE_TABLE);
}

static void the_style_is_that_of_the_terminal(UNUSED_STATE)
{
	const struct winsize size = {.ws_row = 24, .ws_col = 77};
	int master;
	int slave;
	int pipe_ends[2];

	if (openpty(&master, &slave, NULL, NULL, &size) != 0) {
		print_message("no pseudo-terminals on this machine\n");
		skip();
	}
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(unsetenv("COLUMNS"), 0);
	assert_int_equal(unsetenv("NO_COLOR"), 0);

	assert_false(table_style_of(pipe_ends[1]).is_terminal);
	assert_int_equal(table_style_of(pipe_ends[1]).width, 0);
	assert_true(table_style_of(slave).is_terminal);
	assert_int_equal(table_style_of(slave).width, 77);
	assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
	assert_false(table_style_of(slave).is_terminal);
	assert_int_equal(table_style_of(slave).width, 77);
	assert_int_equal(unsetenv("NO_COLOR"), 0);
	close(master);
	close(slave);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_is_aligned_by_what_one_sees, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_terminal_gets_bold_headings, setup, teardown),
		cmocka_unit_test_setup_teardown(
			tones_are_colours_on_a_terminal_and_nothing_elsewhere, setup, teardown),
		cmocka_unit_test(a_table_without_english_has_one_line_of_headings),
		cmocka_unit_test(wide_text_is_cut_to_the_terminal_and_numbers_are_not),
		cmocka_unit_test(the_widest_column_is_cut_first),
		cmocka_unit_test(what_people_copy_is_not_cut),
		cmocka_unit_test(blanks_between_many_columns_are_given_up_first),
		cmocka_unit_test(a_pipe_has_the_width_that_columns_says),
		cmocka_unit_test_setup_teardown(json_is_an_array_with_keys_in_order, setup,
						teardown),
		cmocka_unit_test(json_text_keeps_its_control_characters),
		cmocka_unit_test(json_numbers_that_are_none_stay_text),
		cmocka_unit_test_setup_teardown(one_row_is_a_line_of_json, setup, teardown),
		cmocka_unit_test_setup_teardown(csv_has_keys_and_bare_values, setup, teardown),
		cmocka_unit_test(an_empty_table_is_headings_or_an_empty_array),
		cmocka_unit_test(lines_do_not_end_in_blanks),
		cmocka_unit_test(rows_are_copied),
		cmocka_unit_test(formats_have_names),
		cmocka_unit_test(the_style_is_that_of_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
