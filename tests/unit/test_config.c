#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/cmdline.h"
#include "daemon/config.h"

struct fixture {
	struct config *c;
	char path[64];
	char error[CONFIG_ERROR_LEN];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int fd;

	snprintf(f->path, sizeof f->path, "/tmp/test_config_XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0)
		return -1;
	close(fd);
	f->c = config_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	config_free(f->c);
	unlink(f->path);
	free(f);
	return 0;
}

static enum err read_text(struct fixture *f, const char *text)
{
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return config_read(f->c, f->path, f->error);
}

/* "<path>:<line>: <what>" */
static void assert_says(const struct fixture *f, int line, const char *what)
{
	char wanted[CONFIG_ERROR_LEN];

	snprintf(wanted, sizeof wanted, "%s:%d: %s", f->path, line, what);
	if (strncmp(f->error, wanted, strlen(wanted)) != 0)
		print_error("got    %s\nwanted %s\n", f->error, wanted);
	assert_int_equal(strncmp(f->error, wanted, strlen(wanted)), 0);
}

static void everything_has_a_default(void **state)
{
	struct fixture *f = *state;

	assert_ok(config_finish(f->c, f->error));
	assert_int_equal(f->c->listen_count, 1);
	assert_string_equal(f->c->listen[0], "127.0.0.1:8443");
	assert_false(f->c->has_listen);
	assert_int_equal(f->c->clock_tolerance_ms, 300000);
	assert_string_equal(f->c->log_level, "notice");
	assert_null(f->c->schema);
	assert_true(f->c->limits.connections > f->c->limits.connections_per_address);
}

static void an_alert_goes_where_it_can_go(void **state)
{
	static const struct {
		const char *key;
		const char *value;
		bool is_good;
	} cases[] = {
		{"alert.mail_to", "a@soyte.example,b@soyte.example", true},
		{"alert.mail_to", "root", true},
		{"alert.mail_to", "a@soyte.example, b@soyte.example", false},
		{"alert.mail_to", ",a@soyte.example", false},
		{"alert.mail_to", "a@soyte.example,", false},
		{"alert.mail_to", "a@soyte.example,,b@soyte.example", false},
		{"alert.mail_to", "a@soyte.example\nBcc: x", false},
		{"alert.mail_to", "An <a@soyte.example>", false},
		{"alert.mail_from", "ctxhd@soyte.example", true},
		{"alert.mail_from", "a@soyte.example,b@soyte.example", false},
		{"alert.mail_by", "/usr/bin/msmtp", true},
		{"alert.mail_by", "smtp://127.0.0.1:25", true},
		{"alert.mail_by", "sendmail -t", false},
		{"alert.mail_by", "smtp://", false},
		{"alert.webhook", "https://hooks.example/{secret}", true},
		{"alert.webhook", "http://hooks.example/", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config *c = config_new();
		enum err e = config_set(c, cases[i].key, cases[i].value, f->error);

		if (e == ERR_OK)
			e = config_finish(c, f->error);
		if ((e == ERR_OK) != cases[i].is_good)
			print_error("%s: %s\n", cases[i].key, cases[i].value);
		assert_int_equal(e == ERR_OK, cases[i].is_good);
		config_free(c);
	}
}

static void alerts_have_a_group_of_their_own(void **state)
{
	struct fixture *f = *state;

	assert_ok(
		read_text(f, "alert:\n  hour: 6\n  quiet: 10d\n  disk_free: 5GiB\n  missing: 0\n"));
	assert_int_equal(f->c->alert.hour, 6);
	assert_int_equal(f->c->alert.quiet_ms, 10 * INT64_C(86400000));
	assert_int_equal(f->c->alert.disk_free, INT64_C(5) << 30);
	assert_int_equal(f->c->alert.missing, 0);
	assert_err(read_text(f, "alert:\n  hour: 24\n"), ERR_INVAL);
	assert_says(f, 2, "alert.hour");
}

static void an_empty_file_changes_nothing(void **state)
{
	struct fixture *f = *state;

	assert_ok(read_text(f, "# nothing\n"));
	assert_int_equal(f->c->clock_tolerance_ms, 300000);
}

static void keys_and_groups_are_read(void **state)
{
	struct fixture *f = *state;

	assert_ok(read_text(f, "listen:\n  - 127.0.0.1:0\n  - '[::1]:0'\n"
			       "clock_tolerance: 2m\n"
			       "backup:\n  folder: /srv/b\n  every: 12h\n"
			       "limits:\n  body_budget: 32MiB\n  header: 1500ms\n"));

	assert_int_equal(f->c->listen_count, 2);
	assert_string_equal(f->c->listen[1], "[::1]:0");
	assert_int_equal(f->c->clock_tolerance_ms, 120000);
	assert_string_equal(f->c->backup.folder, "/srv/b");
	assert_int_equal(f->c->backup.every_ms, INT64_C(43200000));
	assert_int_equal(f->c->limits.body_budget, 32 << 20);
	assert_int_equal(f->c->limits.header_ms, 1500);
}

static void one_listener_may_stand_alone(void **state)
{
	struct fixture *f = *state;

	assert_ok(read_text(f, "listen: 127.0.0.1:1\n"));
	assert_ok(config_finish(f->c, f->error));
	assert_int_equal(f->c->listen_count, 1);
	assert_true(f->c->has_listen);
	assert_true(config_listens_at(f->c, "127.0.0.1:1\n"));
	assert_false(config_listens_at(f->c, "127.0.0.1:12\n"));
	assert_false(config_listens_at(f->c, "127.0.0.1:1\n127.0.0.1:2\n"));
}

static void a_number_without_unit_is_seconds(void **state)
{
	struct fixture *f = *state;

	assert_ok(config_set(f->c, "clock_tolerance", "7", f->error));
	assert_int_equal(f->c->clock_tolerance_ms, 7000);
}

static void an_unknown_key_names_file_line_and_key(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "listen: 127.0.0.1:1\nlisen: x\n"), ERR_INVAL);
	assert_says(f, 2, "lisen: unknown key");
}

static void an_unknown_key_of_a_group_is_named_whole(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "limits:\n  header: 1s\n  heder: 1s\n"), ERR_INVAL);
	assert_says(f, 3, "limits.heder: unknown key");
}

static void a_key_given_twice_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "schema: a\nschema: b\n"), ERR_INVAL);
	assert_says(f, 2, "schema: given twice");
}

static void a_value_out_of_bounds_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"-5s", "+5s", " 5s", "5 s", "5y", "x", "0x10", "99999999999999999999", "1000d"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_err(config_set(f->c, "clock_tolerance", bad[i], f->error), ERR_INVAL);
	assert_int_equal(f->c->clock_tolerance_ms, 300000);
	assert_err(config_set(f->c, "limits.body_budget", "9000000000GiB", f->error), ERR_INVAL);
	assert_err(config_set(f->c, "limits.connections", "0", f->error), ERR_INVAL);
	assert_ok(config_set(f->c, "limits.connections", "1", f->error));
}

static void a_map_where_a_value_belongs_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "schema:\n  a: b\n"), ERR_INVAL);
	assert_says(f, 2, "schema: one value is wanted");
}

static void a_list_where_one_value_belongs_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "schema: [a, b]\n"), ERR_INVAL);
	assert_says(f, 1, "schema: one value is wanted");
}

static void broken_yaml_names_its_line(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "schema: a\n  - b: [\n"), ERR_INVAL);
	assert_non_null(strstr(f->error, f->path));
}

static void a_text_is_no_configuration(void **state)
{
	struct fixture *f = *state;

	assert_err(read_text(f, "hello\n"), ERR_INVAL);
	assert_says(f, 1, "'key: value' lines are wanted");
}

static void a_missing_file_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_err(config_read(f->c, "/nonexistent/x.yaml", f->error), ERR_NOTFOUND);
	assert_non_null(strstr(f->error, "/nonexistent/x.yaml"));
}

static void too_many_listeners_are_refused(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < CONFIG_LISTEN_MAX; i++)
		assert_ok(config_set(f->c, "listen", "127.0.0.1:1", f->error));
	assert_err(config_set(f->c, "listen", "127.0.0.1:1", f->error), ERR_INVAL);
}

static void certificate_and_key_come_together(void **state)
{
	struct fixture *f = *state;

	assert_ok(config_set(f->c, "tls_key", "/k", f->error));
	assert_err(config_finish(f->c, f->error), ERR_INVAL);
	assert_ok(config_set(f->c, "tls_certificate", "/c", f->error));
	assert_ok(config_finish(f->c, f->error));
}

static void only_some_keys_need_a_restart(void **state)
{
	struct fixture *f = *state;
	struct config *other = config_new();

	assert_null(config_needs_restart(f->c, other, ""));
	assert_ok(config_set(other, "clock_tolerance", "1s", f->error));
	assert_ok(config_set(other, "schema", "/s", f->error));
	assert_null(config_needs_restart(f->c, other, ""));
	assert_ok(config_set(other, "listen", "127.0.0.1:1", f->error));
	assert_string_equal(config_needs_restart(f->c, other, ""), "listen");
	assert_string_equal(config_needs_restart(f->c, other, "127.0.0.1:10\n"), "listen");
	assert_string_equal(config_needs_restart(f->c, other, "127.0.0.1:1\n[::1]:1\n"), "listen");
	assert_null(config_needs_restart(f->c, other, "127.0.0.1:1\n"));
	config_free(other);
}

static void a_recipient_of_backups_is_a_key(void **state)
{
	struct fixture *f = *state;

	assert_err(config_set(f->c, "backup.recipient", "0123", f->error), ERR_INVAL);
	assert_non_null(strstr(f->error, "backup.recipient: 64 hex digits"));
	assert_ok(config_set(f->c, "backup.recipient",
			     "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
			     f->error));
	assert_ok(config_finish(f->c, f->error));
}

/* Splits `line` at blanks; it must outlive what is parsed. */
static void parse_line(char *line, struct cmdline *ret_cmdline)
{
	char *argv[16] = {line};
	int argc = 1;

	for (char *p = line; *p != '\0'; p++)
		if (*p == ' ') {
			*p = '\0';
			argv[argc++] = p + 1;
		}
	cmdline_parse(argc, argv, ret_cmdline);
}

static void the_command_line_wins_over_the_file(void **state)
{
	struct fixture *f = *state;
	char line[128];
	struct cmdline cmdline;
	struct config *c = NULL;

	assert_ok(read_text(f, "listen: [1.2.3.4:1, 1.2.3.4:2]\nlog_level: err\n"));
	snprintf(line, sizeof line, "ctxhd --state /s --config %s --listen [::1]:0 --log debug",
		 f->path);
	parse_line(line, &cmdline);
	assert_int_equal(cmdline.wish, CMDLINE_RUN);
	assert_ok(cmdline_settings(&cmdline, &c, f->error));
	assert_int_equal(c->listen_count, 1);
	assert_string_equal(c->listen[0], "[::1]:0");
	assert_string_equal(c->log_level, "debug");
	config_free(c);
}

static enum cmdline_wish wish_of(const char *text)
{
	struct cmdline cmdline;
	char line[128];

	snprintf(line, sizeof line, "%s", text);
	parse_line(line, &cmdline);
	return cmdline.wish;
}

static void arguments_say_what_is_wished(void **state)
{
	(void)state;
	assert_int_equal(wish_of("ctxhd --help"), CMDLINE_HELP);
	assert_int_equal(wish_of("ctxhd --version"), CMDLINE_VERSION);
	assert_int_equal(wish_of("ctxhd"), CMDLINE_WRONG);
	assert_int_equal(wish_of("ctxhd --check"), CMDLINE_WRONG);
	assert_int_equal(wish_of("ctxhd --state x y"), CMDLINE_WRONG);
	assert_int_equal(wish_of("ctxhd --check --config f"), CMDLINE_CHECK);
	assert_int_equal(wish_of("ctxhd --check --schema d"), CMDLINE_CHECK);
	assert_int_equal(wish_of("ctxhd --check --config f --nonsense"), CMDLINE_WRONG);
	assert_int_equal(wish_of("ctxhd --restore b"), CMDLINE_WRONG);
}

static void a_restore_names_key_and_erasures(void **state)
{
	struct cmdline cmdline;
	char line[] = "ctxhd --restore b --state s --key k --erasures e";

	(void)state;
	parse_line(line, &cmdline);
	assert_int_equal(cmdline.wish, CMDLINE_RESTORE);
	assert_string_equal(cmdline.restore, "b");
	assert_string_equal(cmdline.key, "k");
	assert_string_equal(cmdline.erasures, "e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(everything_has_a_default),
		T(an_empty_file_changes_nothing),
		T(an_alert_goes_where_it_can_go),
		T(alerts_have_a_group_of_their_own),
		T(keys_and_groups_are_read),
		T(one_listener_may_stand_alone),
		T(a_number_without_unit_is_seconds),
		T(an_unknown_key_names_file_line_and_key),
		T(an_unknown_key_of_a_group_is_named_whole),
		T(a_key_given_twice_is_refused),
		T(a_value_out_of_bounds_is_refused),
		T(a_map_where_a_value_belongs_is_refused),
		T(a_list_where_one_value_belongs_is_refused),
		T(broken_yaml_names_its_line),
		T(a_text_is_no_configuration),
		T(a_missing_file_is_an_error),
		T(too_many_listeners_are_refused),
		T(certificate_and_key_come_together),
		T(only_some_keys_need_a_restart),
		T(a_recipient_of_backups_is_a_key),
		T(the_command_line_wins_over_the_file),
		T(arguments_say_what_is_wished),
		T(a_restore_names_key_and_erasures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
