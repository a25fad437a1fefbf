/* ctxhctl's own part: the socket, listings, figures, QR codes. */
#include "tests/unit/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/labels.h"
#include "admin/listing.h"
#include "admin/qr.h"
#include "admin/transport.h"
#include "common/base/mem.h"

/* A daemon that reads one request and answers with fixed bytes. */
struct fake {
	char folder[64];
	char path[108];
	int listener;
	const char *answer;         /* NULL: closes without a word; "": never answers */
	const char *const *answers; /* instead: one a request; NULL ends them */
	char request[8192];
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct fake *f = arg;
	int fd = accept(f->listener, NULL, NULL);
	size_t got = 0;

	while (fd >= 0 && strchr(f->request, '}') == NULL && got < sizeof f->request - 1) {
		ssize_t n = read(fd, f->request + got, sizeof f->request - 1 - got);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (fd >= 0 && f->answer != NULL && f->answer[0] == '\0')
		(void)!read(fd, f->request, 1);
	else if (fd >= 0 && f->answer != NULL)
		(void)!write(fd, f->answer, strlen(f->answer));
	if (fd >= 0)
		close(fd);
	return NULL;
}

/* The same for one request after another. */
static void *serve_all(void *arg)
{
	struct fake *f = arg;

	for (; *f->answers != NULL; f->answers++) {
		memset(f->request, 0, sizeof f->request);
		f->answer = *f->answers;
		(void)serve(f);
	}
	return NULL;
}

static void fake_begin(struct fake *f, void *(*how)(void *arg))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(f->folder, sizeof f->folder, "/tmp/ctxh-ctl-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/admin.sock", f->folder);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
	f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(f->listener, 1), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, how, f), 0);
}

static void fake_start(struct fake *f, const char *answer)
{
	*f = (struct fake){.answer = answer};
	fake_begin(f, serve);
}

static void fake_stop(struct fake *f)
{
	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	close(f->listener);
	unlink(f->path);
	rmdir(f->folder);
}

static const char ok_answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				"Connection: close\r\n\r\n{\"exit_code\":4,\"result\":[1,2,3]}";

static void transport_posts_the_request_and_gives_the_answer(UNUSED_STATE)
{
	struct fake f;
	json_t *request = json_pack("{s:s, s:{}}", "command", "status", "args");
	json_t *answer = NULL;

	fake_start(&f, ok_answer);
	assert_ok(transport_call(f.path, request, 5000, &answer));
	fake_stop(&f);

	assert_int_equal(json_integer_value(json_object_get(answer, "exit_code")), 4);
	assert_non_null(strstr(f.request, "POST /v1/call HTTP/1.1\r\n"));
	assert_non_null(strstr(f.request, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(f.request, "{\"command\":\"status\",\"args\":{}}"));
	assert_null(strstr(f.request, "Expect:"));
	json_decref(answer);
	json_decref(request);
}

static void transport_says_when_nobody_listens(UNUSED_STATE)
{
	json_t *request = json_object();
	json_t *answer = NULL;

	assert_err(transport_call("/tmp/ctxh-no-such/admin.sock", request, 1000, &answer), ERR_NET);

	assert_null(answer);
	json_decref(request);
}

static void transport_does_not_know_what_happened_when_the_answer_breaks_off(UNUSED_STATE)
{
	static const char *const answers[] = {
		NULL, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"exit_code\""};
	json_t *request = json_object();
	json_t *answer = NULL;

	for (size_t i = 0; i < 2; i++) {
		struct fake f;

		fake_start(&f, answers[i]);
		assert_err(transport_call(f.path, request, 5000, &answer), ERR_TIMEOUT);
		fake_stop(&f);
	}
	assert_null(answer);
	json_decref(request);
}

static void transport_gives_up_after_its_time(UNUSED_STATE)
{
	struct fake f;
	json_t *request = json_object();
	json_t *answer = NULL;

	fake_start(&f, "");
	assert_err(transport_call(f.path, request, 200, &answer), ERR_TIMEOUT);
	fake_stop(&f);

	assert_null(answer);
	json_decref(request);
}

static void transport_refuses_what_is_not_json(UNUSED_STATE)
{
	struct fake f;
	json_t *request = json_object();
	json_t *answer = NULL;

	fake_start(&f, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	assert_err(transport_call(f.path, request, 5000, &answer), ERR_PROTO);
	fake_stop(&f);

	assert_null(answer);
	json_decref(request);
}

static void transport_takes_no_body_of_a_busy_daemon_as_try_again(UNUSED_STATE)
{
	struct fake f;
	json_t *request = json_object();
	json_t *answer = NULL;

	fake_start(&f, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
	assert_err(transport_call(f.path, request, 5000, &answer), ERR_AGAIN);
	fake_stop(&f);

	json_decref(request);
}

/* ---- exit codes ---- */

static int exit_code_of(const char *answer, bool *ret_has_result)
{
	struct fake f;
	struct ctl ctl = {0};
	json_t *result = NULL;
	int code;

	fake_start(&f, answer);
	ctl.socket = f.path;
	code = ctl_call(&ctl, "status", NULL, 5000, &result);
	fake_stop(&f);
	*ret_has_result = result != NULL;
	json_decref(result);
	return code;
}

static void exit_codes_are_the_daemons(UNUSED_STATE)
{
	static const struct {
		const char *answer;
		int code;
		bool has_result;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"exit_code\":0,\"result\":true}", 0,
		 true},
		{ok_answer, 4, true},
		{"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n{\"exit_code\":1,\"error\":\"x\"}", 1,
		 false},
		{"HTTP/1.1 503 No\r\nConnection: close\r\n\r\n{\"exit_code\":3,\"error\":\"x\"}", 3,
		 false},
		{"HTTP/1.1 404 No\r\nConnection: close\r\n\r\n{\"exit_code\":2,\"error\":\"x\"}", 1,
		 false},
		{"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n{\"exit_code\":2,\"error\":\"x\","
		 "\"code\":\"usage\"}",
		 2, false},
		{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", 1, false},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool has_result;

		assert_int_equal(exit_code_of(cases[i].answer, &has_result), cases[i].code);
		assert_int_equal(has_result, cases[i].has_result);
	}
}

/* ---- listings ---- */

static const struct listing_column columns[] = {
	{"id", "Mã", "Id", LISTING_ID, false},
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"units", "Đơn vị", "Units", LISTING_TEXT, false},
	{"count", "Số", "Count", LISTING_NUMBER, false},
	{"extra", "Thêm", "Extra", LISTING_TEXT, true},
};

static const char rows_text[] =
	"[{\"id\":\"0123456789abcdef0123456789abcdef\",\"at\":\"2026-11-22T18:30:00.000Z\","
	"\"units\":[\"25195\",\"25198\"],\"count\":7,\"extra\":\"Điểu, K’Ré\"}]";

#define STATE(started, ended)                                                            \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" \
	"{\"exit_code\":0,\"result\":{\"started_at\":\"" started "\",\"ended\":" ended "}}"

static int wait_with(const char *const *answers, json_t **ret_state)
{
	struct fake f = {.answers = answers};
	struct ctl ctl = {.format = TABLE_JSON};
	json_t *begun = json_pack("{s:s, s:i}", "started_at", "2026-11-22T07:00:00Z", "run", 2);
	int code;

	fake_begin(&f, serve_all);
	ctl.socket = f.path;
	code = ctl_wait_for(&ctl, "backup state", begun, NULL, ret_state);
	fake_stop(&f);
	json_decref(begun);
	return code;
}

static void what_was_begun_is_waited_for(UNUSED_STATE)
{
	static const char *const answers[] = {STATE("2026-11-22T07:00:00Z", "1"),
					      STATE("2026-11-22T07:00:00Z", "2"), NULL};
	json_t *last = NULL;

	assert_int_equal(wait_with(answers, &last), ARGS_EXIT_DONE);
	assert_int_equal(json_integer_value(json_object_get(last, "ended")), 2);
	json_decref(last);
}

/* It knows nothing of the run, and its numbers begin anew: there is nothing to wait for. */
static void a_daemon_that_began_anew_is_not_waited_for(UNUSED_STATE)
{
	static const char *const answers[] = {STATE("2026-11-22T07:00:00Z", "1"),
					      STATE("2026-11-22T07:05:00Z", "0"),
					      STATE("2026-11-22T07:05:00Z", "2"), NULL};
	json_t *last = NULL;

	assert_int_equal(wait_with(answers, &last), ARGS_EXIT_UNREACHABLE);
	assert_null(last);
}

static void print_rows(enum table_format format, struct buf *out)
{
	struct ctl ctl = {.format = format};
	json_t *rows = json_loads(rows_text, 0, NULL);

	listing_print(&ctl, columns, 5, rows, out);
	json_decref(rows);
}

static void listing_as_a_table_is_for_people(UNUSED_STATE)
{
	struct buf out = {0};

	print_rows(TABLE_TABLE, &out);

	/* Half past one at night of the next day in Viet Nam. */
	assert_non_null(strstr(buf_cstr(&out), "23/11/2026 01:30:00"));
	assert_non_null(strstr(buf_cstr(&out), "0123456789abcdef0123 "));
	assert_non_null(strstr(buf_cstr(&out), "25195,25198"));
	assert_null(strstr(buf_cstr(&out), "Điểu"));
	buf_clear(&out);
}

static void listing_as_csv_has_every_column_and_raw_values(UNUSED_STATE)
{
	struct buf out = {0};

	print_rows(TABLE_CSV, &out);

	assert_string_equal(buf_cstr(&out),
			    "id,at,units,count,extra\n"
			    "0123456789abcdef0123456789abcdef,2026-11-22T18:30:00.000Z,"
			    "\"25195,25198\",7,\"Điểu, K’Ré\"\n");
	buf_clear(&out);
}

static void listing_as_json_is_what_the_daemon_said(UNUSED_STATE)
{
	struct buf out = {0};
	json_t *want = json_loads(rows_text, 0, NULL);
	json_t *got;

	print_rows(TABLE_JSON, &out);
	got = json_loads(buf_cstr(&out), 0, NULL);

	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	buf_clear(&out);
}

static void listing_of_nothing_is_an_empty_array(UNUSED_STATE)
{
	struct ctl ctl = {.format = TABLE_JSON};
	struct buf out = {0};
	json_t *rows = json_array();

	listing_print(&ctl, columns, 5, rows, &out);

	assert_string_equal(buf_cstr(&out), "[]\n");
	json_decref(rows);
	buf_clear(&out);
}

static void a_table_of_nothing_says_so(UNUSED_STATE)
{
	struct ctl ctl = {.format = TABLE_TABLE};
	struct buf out = {0};
	json_t *rows = json_array();

	listing_print(&ctl, columns, 5, rows, &out);

	assert_string_equal(buf_cstr(&out), "Không có gì. / Nothing.\n");
	json_decref(rows);
	buf_clear(&out);
}

static void objects_are_written_for_people(UNUSED_STATE)
{
	struct buf out = {0};
	json_t *stamp = json_loads("{\"at\":\"2026-11-22T18:30:00.000Z\",\"device\":2}", 0, NULL);
	json_t *fields = json_loads("{\"sex\":\"male\",\"units\":[1,2]}", 0, NULL);

	listing_append_value(&out, stamp, LISTING_STAMP);
	buf_append_str(&out, " | ");
	listing_append_value(&out, fields, LISTING_FIELDS);

	assert_string_equal(buf_cstr(&out), "23/11/2026 01:30:00, máy 2 | sex=male; units=1,2");
	json_decref(stamp);
	json_decref(fields);
	buf_clear(&out);
}

/* A province may call two of its fields the same: nobody decides by half of what there is. */
static void fields_of_one_label_are_all_there(UNUSED_STATE)
{
	const struct labels labels = {
		.types = json_loads("{\"boat\":{\"vi\":\"Ghe\",\"fields\":{\"a\":{\"vi\":\"Số\"},"
				    "\"b\":{\"vi\":\"Số\"},\"c\":{\"vi\":\"Tên\"}}}}",
				    0, NULL)};
	json_t *row = json_loads(
		"{\"type\":\"boat\",\"fields\":{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}}", 0, NULL);
	json_t *shown = labels_row(&labels, row);
	struct buf out = {0};

	listing_append_value(&out, json_object_get(shown, "fields"), LISTING_FIELDS);

	assert_string_equal(buf_cstr(&out), "Số=1; Số (b)=2; Tên=3");
	buf_clear(&out);
	json_decref(shown);
	json_decref(row);
	json_decref(labels.types);
}

static void a_clock_is_told_in_units_of_people(UNUSED_STATE)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {{0, "0"},
		     {-1, "-1 ms"},
		     {1999, "+1999 ms"},
		     {-2000, "-2 giây"},
		     {119999, "+119 giây"},
		     {300000, "+5 phút"},
		     {-7200000, "-2 giờ"},
		     {172800000, "+2 ngày"},
		     {-1795276027895, "-56 năm"},
		     {INT64_MIN, "-292271023 năm"}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};
		json_t *value = json_integer(cases[i].ms);

		listing_append_value(&out, value, LISTING_OFFSET);
		assert_string_equal(buf_cstr(&out), cases[i].text);
		json_decref(value);
		buf_clear(&out);
	}
}

static void what_is_not_there_is_a_dash(UNUSED_STATE)
{
	static const struct listing_column columns_of_two[] = {
		{"a", "Một", "One", LISTING_TEXT, false}, {"b", "Hai", "Two", LISTING_TIME, false}};
	struct ctl ctl = {.format = TABLE_TABLE};
	struct buf out = {0};
	json_t *object = json_loads("{\"a\":null}", 0, NULL);

	listing_print_object(&ctl, columns_of_two, 2, object, &out);
	assert_string_equal(buf_cstr(&out), "Một / One: -\nHai / Two: -\n");
	json_decref(object);
	buf_clear(&out);
}

static void an_object_says_that_a_list_is_empty(UNUSED_STATE)
{
	static const struct listing_column units[] = {
		{"units", "Đơn vị", "Units", LISTING_TEXT, false}};
	struct ctl ctl = {.format = TABLE_TABLE};
	struct buf out = {0};
	json_t *object = json_loads("{\"units\":[]}", 0, NULL);

	listing_print_object(&ctl, units, 1, object, &out);
	assert_string_equal(buf_cstr(&out), "Đơn vị / Units: -\n");
	buf_reset(&out);
	ctl.format = TABLE_CSV;
	listing_print_object(&ctl, units, 1, object, &out);
	assert_null(strchr(buf_cstr(&out), '-'));
	json_decref(object);
	buf_clear(&out);
}

static size_t widest_line(const char *text)
{
	size_t widest = 0;
	size_t width = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\n')
			width = 0;
		else if (((unsigned char)*text & 0xc0u) != 0x80u)
			width++;
		widest = width > widest ? width : widest;
	}
	return widest;
}

static void listing_keeps_to_the_width_of_the_terminal(UNUSED_STATE)
{
	struct ctl ctl = {.format = TABLE_TABLE, .style = {.width = 58}};
	struct buf out = {0};
	json_t *rows = json_loads(rows_text, 0, NULL);

	listing_print(&ctl, columns, 5, rows, &out);

	/* The list of units is cut; id, time and number are not. */
	assert_true(widest_line(buf_cstr(&out)) <= 58);
	assert_non_null(strstr(buf_cstr(&out),
			       "0123456789abcdef0123  23/11/2026 01:30:00  25195,2…      7\n"));
	json_decref(rows);
	buf_clear(&out);
}

static void follow_lines_are_one_object_each(UNUSED_STATE)
{
	struct ctl ctl = {.format = TABLE_JSON};
	struct buf out = {0};
	json_t *rows = json_loads("[{\"a\":1},{\"a\":2}]", 0, NULL);

	listing_print_more(&ctl, columns, 5, rows, &out);

	assert_string_equal(buf_cstr(&out), "{\"a\": 1}\n{\"a\": 2}\n");
	json_decref(rows);
	buf_clear(&out);
}

static void a_query_without_rows_still_has_its_heading_in_csv(UNUSED_STATE)
{
	struct ctl ctl = {.format = TABLE_CSV};
	struct buf out = {0};
	json_t *names = json_pack("[s, s]", "unit", "n");
	json_t *rows = json_array();

	listing_print_any(&ctl, names, rows, &out);

	assert_string_equal(buf_cstr(&out), "unit,n\n");
	json_decref(rows);
	json_decref(names);
	buf_clear(&out);
}

/* ---- the rest ---- */

static void qr_code_is_square_with_a_quiet_zone(UNUSED_STATE)
{
	struct buf out = {0};
	size_t lines = 0;

	assert_ok(qr_print("ctxh://10.0.0.5:8443/PIN/CODE", &out));

	for (const char *at = buf_cstr(&out); *at != '\0'; at++)
		lines += *at == '\n' ? 1 : 0;
	/* Two modules a line: 29 modules of version 3 and 4 quiet ones on each side, halved. */
	assert_true(lines >= 15 && lines <= 25);
	assert_non_null(strstr(buf_cstr(&out), "█"));
	buf_clear(&out);
}

static void a_text_too_long_is_no_qr_code(UNUSED_STATE)
{
	struct buf out = {0};
	char text[8000];

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';

	assert_err(qr_print(text, &out), ERR_TOOBIG);
	buf_clear(&out);
}

static void a_file_is_written_whole_or_stays(UNUSED_STATE)
{
	char folder[] = "/tmp/ctxh-ctl-XXXXXX";
	char path[96];
	struct buf text = {0};
	struct buf back = {0};

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/report.json", folder);
	buf_append_str(&text, "nội dung\n");

	assert_int_equal(ctl_write(path, &text), 0);
	assert_int_equal(ctl_write("/tmp/ctxh-no-such/report.json", &text), 1);

	assert_int_equal(ctl_read(path, 100, &back), 0);
	assert_string_equal(buf_cstr(&back), "nội dung\n");
	buf_reset(&back);
	assert_int_equal(ctl_read(path, 3, &back), 1);
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
	buf_clear(&text);
	buf_clear(&back);
}

/* Every command of the table can be asked for its help, and says what it is in both languages. */
static void every_command_has_help(UNUSED_STATE)
{
	for (size_t i = 0; i < commands_program.command_count; i++) {
		const struct args_command *c = &commands_program.commands[i];
		struct buf out = {0};

		args_help(&commands_program, c, &out);

		assert_non_null(strstr(buf_cstr(&out), c->help_vi));
		assert_non_null(strstr(buf_cstr(&out), c->help_en));
		assert_non_null(c->run);
		buf_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transport_posts_the_request_and_gives_the_answer),
		cmocka_unit_test(transport_says_when_nobody_listens),
		cmocka_unit_test(transport_does_not_know_what_happened_when_the_answer_breaks_off),
		cmocka_unit_test(transport_gives_up_after_its_time),
		cmocka_unit_test(transport_refuses_what_is_not_json),
		cmocka_unit_test(transport_takes_no_body_of_a_busy_daemon_as_try_again),
		cmocka_unit_test(exit_codes_are_the_daemons),
		cmocka_unit_test(what_was_begun_is_waited_for),
		cmocka_unit_test(a_daemon_that_began_anew_is_not_waited_for),
		cmocka_unit_test(listing_as_a_table_is_for_people),
		cmocka_unit_test(listing_as_csv_has_every_column_and_raw_values),
		cmocka_unit_test(listing_as_json_is_what_the_daemon_said),
		cmocka_unit_test(listing_of_nothing_is_an_empty_array),
		cmocka_unit_test(a_table_of_nothing_says_so),
		cmocka_unit_test(objects_are_written_for_people),
		cmocka_unit_test(fields_of_one_label_are_all_there),
		cmocka_unit_test(a_clock_is_told_in_units_of_people),
		cmocka_unit_test(what_is_not_there_is_a_dash),
		cmocka_unit_test(an_object_says_that_a_list_is_empty),
		cmocka_unit_test(listing_keeps_to_the_width_of_the_terminal),
		cmocka_unit_test(follow_lines_are_one_object_each),
		cmocka_unit_test(a_query_without_rows_still_has_its_heading_in_csv),
		cmocka_unit_test(qr_code_is_square_with_a_quiet_zone),
		cmocka_unit_test(a_text_too_long_is_no_qr_code),
		cmocka_unit_test(a_file_is_written_whole_or_stays),
		cmocka_unit_test(every_command_has_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
