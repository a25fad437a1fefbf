#include "tests/unit/test.h"

#include "common/text/args_complete.h"

static const struct args_option program_options[] = {
	{"socket", "PATH", "ổ cắm", "the socket", 's', false},
	{"format", "table|json|csv", "cách in", "how to print", 0, false},
	{"quiet", NULL, "ít lời", "say less", 'q', false},
};
static const struct args_option list_options[] = {
	{"unit", "CODE", "chỉ các đơn vị này", "these units only", 0, true},
	{"open", NULL, "chỉ mục còn mở", "open ones only", 0, false},
	{"output", "FILE", "ghi ra tệp", "write to a file", 'o', false},
	{"state", "DIR", "thư mục", "folder", 0, false},
};
static const struct args_positional one_id[] = {{"ID", false, false}};
static const struct args_positional type_and_files[] = {{"TYPE", false, false},
							{"FILE.csv", false, true}};
static const struct args_command commands[] = {
	{"status", NULL, 0, NULL, 0, "tình trạng", "state of things", NULL},
	{"device list", list_options, 4, NULL, 0, "các thiết bị", "all devices", NULL},
	{"device show", NULL, 0, one_id, 1, "một thiết bị", "one device", NULL},
	{"audit verify all", NULL, 0, NULL, 0, "kiểm tra", "check", NULL},
	{"audit verify", NULL, 0, NULL, 0, "kiểm chuỗi", "check the chain", NULL},
	{"import", NULL, 0, type_and_files, 2, "nhập", "import", NULL},
};
static const struct args_program program = {"ctxhctl",
					    "1.2.3",
					    program_options,
					    3,
					    commands,
					    sizeof commands / sizeof commands[0],
					    "công cụ của văn phòng",
					    "the office's tool"};

/* Splits at blanks; "_" stands for an empty word. Only the candidates themselves are compared. */
static void assert_offers(const char *text, const char *wanted)
{
	char words[16][64];
	char *argv[16];
	size_t count = 0;
	AUTO(buf_clear) struct buf out = {0};
	AUTO(buf_clear) struct buf names = {0};

	print_message("%s\n", text);
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		assert_in_range(len, 1, sizeof words[0] - 1);
		memcpy(words[count], text, len);
		words[count][strncmp(text, "_", len) == 0 ? 0 : len] = '\0';
		argv[count] = words[count];
		count++;
		text += len;
		text += *text == ' ';
	}
	args_complete(&program, count, argv, &out);
	for (const char *line = buf_cstr(&out); *line != '\0'; line = strchr(line, '\n') + 1)
		buf_printf(&names, "%.*s ", (int)strcspn(line, "\t\n"), line);
	assert_string_equal(buf_cstr(&names), wanted);
}

static void first_words_of_commands_are_offered_once(UNUSED_STATE)
{
	assert_offers("_", "status device audit import ");
	assert_offers("dev", "device ");
	assert_offers("x", "");
}

static void the_next_word_of_a_command_is_offered(UNUSED_STATE)
{
	assert_offers("device _", "list show ");
	assert_offers("device s", "show ");
	assert_offers("audit verify _", "all ");
	assert_offers("status _", "");
	assert_offers("nothing _", "");
}

static void options_are_those_of_the_command_and_of_the_program(UNUSED_STATE)
{
	assert_offers("device list --", "--unit --open --output --state --socket --format --quiet "
					"--help --version ");
	assert_offers("-", "--socket --format --quiet --help --version ");
	assert_offers("device list --o", "--open --output ");
}

static void what_is_given_already_is_offered_again_only_if_it_repeats(UNUSED_STATE)
{
	assert_offers("device list --open --unit 1 -o x --", "--unit --state --socket --format "
							     "--quiet --help --version ");
}

static void options_in_front_of_the_command_do_not_hide_it(UNUSED_STATE)
{
	assert_offers("--socket x -q device _", "list show ");
	assert_offers("-sx device _", "list show ");
}

static void values_are_what_help_says_they_are(UNUSED_STATE)
{
	assert_offers("status --format _", "table json csv ");
	assert_offers("status --format j", "json ");
	assert_offers("status --format=j", "--format=json ");
	assert_offers("status --format =", "table json csv "); /* as bash splits it */
	assert_offers("status --format = j", "json ");
	assert_offers("--socket _", ":file ");
	assert_offers("device list -o _", ":file ");
	assert_offers("device list --state=a", ":dir ");
	assert_offers("device list --unit _", "");
	assert_offers("device list --unit = 7 --op", "--open ");
}

static void files_are_offered_where_arguments_are_files(UNUSED_STATE)
{
	assert_offers("import _", "");
	assert_offers("import person _", ":file ");
	assert_offers("import person a.csv b.csv c.csv d.csv e.csv f.csv g.csv h.csv _", ":file ");
	assert_offers("device show 12 _", "");
}

static void behind_two_dashes_there_are_no_options(UNUSED_STATE)
{
	assert_offers("device show -- -", "");
}

static void every_candidate_says_what_it_is(UNUSED_STATE)
{
	char *words[] = {(char[]){"device"}, (char[]){"l"}};
	AUTO(buf_clear) struct buf out = {0};

	args_complete(&program, 2, words, &out);
	assert_string_equal(buf_cstr(&out), "list\tcác thiết bị / all devices\n");
	buf_reset(&out);
	words[0] = (char[]){"dev"};
	args_complete(&program, 1, words, &out);
	assert_string_equal(buf_cstr(&out), "device\t\n"); /* no command by itself */
}

static void no_word_at_all_is_an_empty_one(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};

	args_complete(&program, 0, NULL, &out);
	assert_non_null(strstr(buf_cstr(&out), "status\t"));
}

static void a_program_answers_the_shell_and_runs_nothing(UNUSED_STATE)
{
	char *argv[] = {(char[]){"ctxhctl"}, (char[]){"--complete"}, (char[]){"sta"}};
	AUTO(args_clear) struct args args = {0};
	AUTO(buf_clear) struct buf out = {0};

	assert_int_equal(args_parse(&program, 3, argv, &args, &out), ARGS_HELP);
	assert_string_equal(buf_cstr(&out), "status\ttình trạng / state of things\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_words_of_commands_are_offered_once),
		cmocka_unit_test(the_next_word_of_a_command_is_offered),
		cmocka_unit_test(options_are_those_of_the_command_and_of_the_program),
		cmocka_unit_test(what_is_given_already_is_offered_again_only_if_it_repeats),
		cmocka_unit_test(options_in_front_of_the_command_do_not_hide_it),
		cmocka_unit_test(values_are_what_help_says_they_are),
		cmocka_unit_test(files_are_offered_where_arguments_are_files),
		cmocka_unit_test(behind_two_dashes_there_are_no_options),
		cmocka_unit_test(every_candidate_says_what_it_is),
		cmocka_unit_test(no_word_at_all_is_an_empty_one),
		cmocka_unit_test(a_program_answers_the_shell_and_runs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
