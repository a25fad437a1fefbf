#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/model/vntext.h"
#include "common/text/args.h"

static const struct args_option program_options[] = {
	{"socket", "PATH", "ổ cắm của ctxhd", "the daemon's socket", 's', false},
	{"quiet", NULL, "ít lời", "say less", 'q', false},
};
static const struct args_option list_options[] = {
	{"unit", "CODE", "chỉ các đơn vị này", "these units only", '\0', true},
	{"open", NULL, "chỉ mục còn mở", "open ones only", 'n', false},
	{"limit", "N", "nhiều nhất N dòng", "at most N rows", '\0', false},
	{"output", "FILE", "ghi ra tệp", "write to a file", 'o', false},
	{"a-rather-long-name", "A-LONG-VALUE", "dài", "long", '\0', false},
};
static const struct args_positional one_id[] = {{"ID", false, false}};
static const struct args_positional type_and_fields[] = {{"TYPE", false, false},
							 {"field=value", true, true}};
static const struct args_command commands[] = {
	{"status", NULL, 0, NULL, 0, "tình trạng", "state of things", NULL},
	{"device list", list_options, 5, NULL, 0, "các thiết bị", "all devices", NULL},
	{"device show", NULL, 0, one_id, 1, "một thiết bị", "one device", NULL},
	{"device", NULL, 0, one_id, 1, "thiết bị", "device", NULL},
	{"audit verify all", NULL, 0, NULL, 0, "kiểm tra", "check", NULL},
	{"audit list", NULL, 0, NULL, 0, "nhật ký", "journal", NULL},
	{"add", list_options, 5, type_and_fields, 2, "thêm", "add a record", NULL},
};
static const struct args_program program = {"ctxhctl",
					    "1.2.3",
					    program_options,
					    2,
					    commands,
					    sizeof commands / sizeof commands[0],
					    "công cụ của văn phòng",
					    "the office's tool"};

static const struct args_command only_command = {"", NULL, 0, NULL, 0, "chạy", "run", NULL};
static const struct args_program daemon_program = {
	"ctxhd", NULL, program_options, 2, &only_command, 1, "tiến trình nền", "the daemon"};

struct line {
	struct args args;
	struct buf out;
	enum args_step step;
};

static int setup(void **state)
{
	static struct line line;

	line = (struct line){0};
	*state = &line;
	return 0;
}

static int teardown(void **state)
{
	struct line *line = *state;

	args_clear(&line->args);
	buf_clear(&line->out);
	return 0;
}

/* Splits at blanks; "_" stands for an empty word. */
static void parse_with(struct line *line, const struct args_program *p, const char *text)
{
	static char words[16][64];
	char *argv[16] = {NULL};
	int argc = 1;

	args_clear(&line->args);
	buf_reset(&line->out);
	argv[0] = words[0];
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		assert_in_range(len, 1, sizeof words[0] - 1);
		assert_in_range(argc, 1, 15);
		memcpy(words[argc], text, len);
		words[argc][strcmp(text, "_") == 0 ? 0 : len] = '\0';
		argv[argc] = words[argc];
		argc++;
		text += len;
		text += *text == ' ';
	}
	line->step = args_parse(p, argc, argv, &line->args, &line->out);
}

static void parse(struct line *line, const char *text)
{
	parse_with(line, &program, text);
}

static void assert_command(const struct line *line, const char *name)
{
	assert_int_equal(line->step, ARGS_RUN);
	assert_int_equal(line->out.len, 0);
	assert_string_equal(line->args.command->name, name);
}

static void assert_usage(struct line *line, const char *text, const char *said)
{
	print_message("%s\n", text);
	parse(line, text);

	assert_int_equal(line->step, ARGS_USAGE);
	assert_non_null(strstr(buf_cstr(&line->out), said));
	assert_non_null(strstr(buf_cstr(&line->out), " --help\n"));
}

static void the_command_with_most_words_is_found(void **state)
{
	struct line *line = *state;

	parse(line, "status");
	assert_command(line, "status");
	parse(line, "device list");
	assert_command(line, "device list");
	parse(line, "audit verify all");
	assert_command(line, "audit verify all");
	parse(line, "device 12");
	assert_command(line, "device");
	assert_string_equal(args_positional(&line->args, 0), "12");
	parse(line, "device show 12");
	assert_command(line, "device show");
	assert_string_equal(args_positional(&line->args, 0), "12");
	assert_null(args_positional(&line->args, 1));
}

static void options_stand_anywhere(void **state)
{
	static const char *const lines[] = {
		"--socket A -q device list --limit 5", "device list --limit=5 --socket=A -q",
		"-s A --quiet device list --limit 5",  "-qs A device list --limit 5",
		"-sA device list -q --limit 5",        "device list -q -s A --limit=5",
	};
	struct line *line = *state;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		print_message("%s\n", lines[i]);
		parse(line, lines[i]);
		assert_command(line, "device list");
		assert_string_equal(args_value(&line->args, "socket", NULL), "A");
		assert_string_equal(args_value(&line->args, "limit", NULL), "5");
		assert_true(args_has(&line->args, "quiet"));
		assert_false(args_has(&line->args, "open"));
		assert_int_equal(line->args.positional_count, 0);
	}
}

static void what_was_not_given_has_the_callers_default(void **state)
{
	struct line *line = *state;

	parse(line, "device list");

	assert_null(args_value(&line->args, "limit", NULL));
	assert_string_equal(args_value(&line->args, "limit", "10"), "10");
	assert_int_equal(args_count(&line->args, "unit"), 0);
}

static void repeatable_options_keep_their_order(void **state)
{
	struct line *line = *state;

	parse(line, "device list --unit 25195 --open --unit=25198 --open");

	assert_command(line, "device list");
	assert_int_equal(args_count(&line->args, "unit"), 2);
	assert_string_equal(args_value_at(&line->args, "unit", 0), "25195");
	assert_string_equal(args_value_at(&line->args, "unit", 1), "25198");
	assert_string_equal(args_value(&line->args, "unit", NULL), "25198");
}

static void values_may_be_empty_or_look_odd(void **state)
{
	struct line *line = *state;

	parse(line, "device list --unit= --limit=--5 -o -");
	assert_command(line, "device list");
	assert_string_equal(args_value(&line->args, "unit", NULL), "");
	assert_string_equal(args_value(&line->args, "limit", NULL), "--5");
	assert_string_equal(args_value(&line->args, "output", NULL), "-");

	parse(line, "device list --limit -5 --unit a=b");
	assert_string_equal(args_value(&line->args, "limit", NULL), "-5");
	assert_string_equal(args_value(&line->args, "unit", NULL), "a=b");
	parse(line, "device list -o=x");
	assert_string_equal(args_value(&line->args, "output", NULL), "=x");
	parse(line, "device list --unit _");
	assert_string_equal(args_value(&line->args, "unit", NULL), "");
}

static void two_dashes_end_the_options(void **state)
{
	struct line *line = *state;

	parse(line, "add person -- --full_name=A -q --");

	assert_command(line, "add");
	assert_int_equal(line->args.positional_count, 4);
	assert_string_equal(args_positional(&line->args, 1), "--full_name=A");
	assert_string_equal(args_positional(&line->args, 3), "--");
	assert_false(args_has(&line->args, "quiet"));
	parse(line, "add -");
	assert_command(line, "add");
	assert_string_equal(args_positional(&line->args, 0), "-");
}

static void positionals_are_counted(void **state)
{
	struct line *line = *state;

	parse(line, "add person a=1 b=2 c=3");
	assert_command(line, "add");
	assert_int_equal(line->args.positional_count, 4);
	assert_usage(line, "add", "TYPE");
	assert_usage(line, "device show", "ID");
	assert_usage(line, "device show 1 2", ": 2\n");
	assert_usage(line, "status now", ": now\n");
}

static void what_is_unknown_is_a_usage_error_with_the_nearest(void **state)
{
	struct line *line = *state;

	assert_usage(line, "device list --limt 5", "--limit?");
	assert_usage(line, "--sockt A status", "--socket?");
	assert_usage(line, "--limit 5 device list", "unknown option");
	assert_usage(line, "device list --lim 5", "--lim");
	assert_usage(line, "status --limit 5", "--limit");
	assert_usage(line, "status -x", "-x");
	assert_usage(line, "status -qx", "-qx");
	assert_usage(line, "statsu", "status?");
	assert_usage(line, "device-list", "device list?");
	assert_usage(line, "audit lst", "audit verify all, audit list");
	assert_usage(line, "audit", "audit verify all, audit list");
	assert_usage(line, "status --a-word-that-is-far-too-long-to-be-any-option", "option");
	parse(line, "zzzzzzzz");
	assert_null(strstr(buf_cstr(&line->out), "did you mean"));
}

static void options_are_given_as_their_table_says(void **state)
{
	struct line *line = *state;

	assert_usage(line, "device list --limit", "needs a value");
	assert_usage(line, "device list --limit --open", "needs a value");
	assert_usage(line, "device list -o", "needs a value");
	assert_usage(line, "device list --open=yes", "takes no value");
	assert_usage(line, "device list --limit 1 --limit 2", "once only");
	assert_usage(line, "device list -o a -o b", "once only");
	assert_usage(line, "", "missing command");
	assert_usage(line, "-q", "missing command");
	assert_usage(line, "--", "missing command");
}

static void what_the_user_typed_cannot_steer_the_terminal(void **state)
{
	struct line *line = *state;

	assert_usage(line, "\x1b[31m", "unknown command");
	assert_null(strchr(buf_cstr(&line->out), '\x1b'));
	assert_usage(line, "status --\x1b[31m", "unknown option");
	assert_null(strchr(buf_cstr(&line->out), '\x1b'));
}

static void help_of_the_program_names_every_command_and_option(void **state)
{
	struct line *line = *state;

	parse(line, "--help");

	assert_int_equal(line->step, ARGS_HELP);
	for (size_t i = 0; i < program.command_count; i++) {
		assert_non_null(strstr(buf_cstr(&line->out), commands[i].name));
		assert_non_null(strstr(buf_cstr(&line->out), commands[i].help_vi));
		assert_non_null(strstr(buf_cstr(&line->out), commands[i].help_en));
	}
	assert_non_null(strstr(buf_cstr(&line->out), "-s, --socket PATH"));
	assert_non_null(strstr(buf_cstr(&line->out), "-h, --help"));
	assert_non_null(strstr(buf_cstr(&line->out), "--version"));
	assert_non_null(strstr(buf_cstr(&line->out), "add TYPE [field=value] …"));
}

static void help_of_a_command_names_its_options(void **state)
{
	static const char *const lines[] = {"device list --help", "--help device list",
					    "device list -h", "add -h"};
	struct line *line = *state;

	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		parse(line, lines[i]);
		assert_int_equal(line->step, ARGS_HELP);
		assert_non_null(strstr(buf_cstr(&line->out), "--unit CODE …"));
		assert_non_null(strstr(buf_cstr(&line->out), "-o, --output FILE"));
		/* Too long to have its text beside it. */
		assert_non_null(
			strstr(buf_cstr(&line->out), "--a-rather-long-name A-LONG-VALUE\n   "));
		assert_non_null(strstr(buf_cstr(&line->out), "--socket PATH"));
	}
}

static void help_fits_an_old_terminal(void **state)
{
	struct line *line = *state;

	parse(line, "--help");
	for (const char *at = buf_cstr(&line->out); *at != '\0';) {
		size_t len = strcspn(at, "\n");

		assert_in_range(vntext_width(bytes_of(at, len)), 0, 80);
		at += len;
		at += *at == '\n';
	}
}

static void the_version_is_printed_where_there_is_one(void **state)
{
	struct line *line = *state;

	parse(line, "--version");
	assert_int_equal(line->step, ARGS_HELP);
	assert_string_equal(buf_cstr(&line->out), "ctxhctl 1.2.3\n");
	parse_with(line, &daemon_program, "--version");
	assert_int_equal(line->step, ARGS_USAGE);
}

static void a_program_without_commands_runs_at_once(void **state)
{
	struct line *line = *state;

	parse_with(line, &daemon_program, "--socket A");
	assert_command(line, "");
	assert_string_equal(args_value(&line->args, "socket", NULL), "A");
	parse_with(line, &daemon_program, "");
	assert_command(line, "");
	parse_with(line, &daemon_program, "now");
	assert_int_equal(line->step, ARGS_USAGE);
	parse_with(line, &daemon_program, "--help");
	assert_int_equal(line->step, ARGS_HELP);
	assert_non_null(strstr(buf_cstr(&line->out), "tiến trình nền"));
	assert_null(strstr(buf_cstr(&line->out), "COMMAND"));
}

static void integers_are_read_within_their_range(void **state)
{
	static const char *const wrong[] = {
		"0", "101", "", "5x", "x", "+5", "99999999999999999999"};
	struct line *line = *state;
	int64_t number = 77;

	parse(line, "device list");
	assert_ok(args_integer(&line->args, "limit", 1, 100, &line->out, &number));
	assert_int_equal(number, 77);
	parse(line, "device list --limit 100");
	assert_ok(args_integer(&line->args, "limit", 1, 100, &line->out, &number));
	assert_int_equal(number, 100);
	parse(line, "device list --limit=-3");
	assert_ok(args_integer(&line->args, "limit", -3, 100, &line->out, &number));
	assert_int_equal(number, -3);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char text[64];

		(void)snprintf(text, sizeof text, "device list --limit=%s", wrong[i]);
		print_message("%s\n", text);
		parse(line, text);
		assert_err(args_integer(&line->args, "limit", 1, 100, &line->out, &number),
			   ERR_INVAL);
		assert_non_null(strstr(buf_cstr(&line->out), "from 1 to 100"));
	}
	assert_int_equal(number, -3);
}

static void a_program_complains_in_the_same_words(void **state)
{
	struct line *line = *state;

	parse(line, "device list");
	args_complain(&line->args, &line->out, "sai", "wrong");

	assert_string_equal(buf_cstr(&line->out), "ctxhctl device list: sai (wrong)\n"
						  "Xem (see): ctxhctl device list --help\n");
}

#define LINE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINE_TEST(the_command_with_most_words_is_found),
		LINE_TEST(options_stand_anywhere),
		LINE_TEST(what_was_not_given_has_the_callers_default),
		LINE_TEST(repeatable_options_keep_their_order),
		LINE_TEST(values_may_be_empty_or_look_odd),
		LINE_TEST(two_dashes_end_the_options),
		LINE_TEST(positionals_are_counted),
		LINE_TEST(what_is_unknown_is_a_usage_error_with_the_nearest),
		LINE_TEST(options_are_given_as_their_table_says),
		LINE_TEST(what_the_user_typed_cannot_steer_the_terminal),
		LINE_TEST(help_of_the_program_names_every_command_and_option),
		LINE_TEST(help_of_a_command_names_its_options),
		LINE_TEST(help_fits_an_old_terminal),
		LINE_TEST(the_version_is_printed_where_there_is_one),
		LINE_TEST(a_program_without_commands_runs_at_once),
		LINE_TEST(integers_are_read_within_their_range),
		LINE_TEST(a_program_complains_in_the_same_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
