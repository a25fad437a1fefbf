#define LOG_TAG "ctl"

#include "admin/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "admin/transport.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/outfile.h"

#define LOOK_MS 200

#define JSON_AUTO __attribute__((cleanup(ctl_json_release_auto)))

void ctl_complain(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)fputs("ctxhctl: ", stderr);
	(void)vfprintf(stderr, fmt, args);
	(void)fputc('\n', stderr);
	va_end(args);
}

int ctl_usage(const struct args *args, const char *vi, const char *en)
{
	AUTO(buf_clear) struct buf out = {0};

	args_complain(args, &out, vi, en);
	(void)fputs(buf_cstr(&out), stderr);
	return ARGS_EXIT_USAGE;
}

static int unreachable(const char *socket, enum err e)
{
	switch (err_class(e)) {
	case ERR_CLASS_RETRY:
		if (e == ERR_NET)
			ctl_complain("không gặp được ctxhd tại %s; chưa có gì thay đổi; hãy xem "
				     "dịch vụ có đang chạy không, hoặc cho đúng đường dẫn bằng "
				     "--socket / nobody answers at %s; nothing was changed; see "
				     "whether the service runs, or give its path with --socket",
				     socket, socket);
		else
			ctl_complain("ctxhd chưa trả lời xong (%s); lệnh có thể đã hoặc chưa được "
				     "làm; hãy xem lại rồi thử lại / no whole answer (%s); the "
				     "command may or may not have been done; look, then try again",
				     err_name(e), log_last_detail());
		return ARGS_EXIT_UNREACHABLE;
	case ERR_CLASS_NONE:
	case ERR_CLASS_REJECT:
	case ERR_CLASS_FATAL: break;
	}
	if (e == ERR_AUTH)
		ctl_complain("không được phép mở %s; chưa có gì thay đổi; nhờ người quản trị máy: "
			     "usermod -aG ctxh-admin TÊN, rồi đăng nhập lại / not allowed to open "
			     "%s; nothing was changed; ask whoever runs the machine: usermod -aG "
			     "ctxh-admin NAME, then log in anew",
			     socket, socket);
	else
		ctl_complain("trả lời tại %s không đọc được (%s); hãy kiểm tra đường dẫn và phiên "
			     "bản / the answer at %s cannot be read (%s); check path and version",
			     socket, err_name(e), socket, log_last_detail());
	return ARGS_EXIT_FAILED;
}

static bool is_misuse(const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	return code != NULL && strcmp(code, "usage") == 0;
}

/* {"exit_code", "result"}, or {"exit_code", "error", "code"?}: the daemon decides what its errors
 * mean. */
static int take_answer(json_t *answer, json_t **ret_result)
{
	json_t *result = json_object_get(answer, "result");
	const char *text = json_string_value(json_object_get(answer, "error"));
	const json_int_t code = json_integer_value(json_object_get(answer, "exit_code"));

	if (text == NULL && result != NULL) {
		*ret_result = json_incref(result);
		return code == ARGS_EXIT_DONE ? ARGS_EXIT_DONE : ARGS_EXIT_PARTIAL;
	}
	ctl_complain("%s", text != NULL ? text
					: "ctxhd từ chối mà không nói lý do / refused without a "
					  "reason");
	if (code == ARGS_EXIT_UNREACHABLE)
		return ARGS_EXIT_UNREACHABLE;
	/* With any other word a 2 is what we asked wrongly, not what was typed. */
	return is_misuse(answer) ? ARGS_EXIT_USAGE : ARGS_EXIT_FAILED;
}

int ctl_call(const struct ctl *ctl, const char *command, json_t *take_args, int64_t timeout_ms,
	     json_t **ret_result)
{
	JSON_AUTO json_t *request = json_object();
	JSON_AUTO json_t *answer = NULL;
	enum err e;

	json_object_set_new(request, "command", json_string(command));
	json_object_set_new(request, "args", take_args != NULL ? take_args : json_object());
	if (ctl->remote != NULL) {
		const int code = ctl_remote_call(ctl->remote, "call", request, timeout_ms, &answer);

		return code == ARGS_EXIT_DONE ? take_answer(answer, ret_result) : code;
	}
	e = transport_call(ctl->socket, request, timeout_ms, &answer);
	if (e != ERR_OK)
		return unreachable(ctl->socket, e);
	return take_answer(answer, ret_result);
}

static bool is_another(const json_t *begun, const json_t *state)
{
	const json_t *started = json_object_get(begun, "started_at");

	return started != NULL && json_equal(started, json_object_get(state, "started_at")) == 0;
}

int ctl_wait_for(const struct ctl *ctl, const char *command, const json_t *begun,
		 void (*show)(const struct ctl *ctl, const json_t *state), json_t **ret_state)
{
	static const struct timespec pause = {0, LOOK_MS * 1000000L};
	const json_int_t run = json_integer_value(json_object_get(begun, "run"));
	JSON_AUTO json_t *state = NULL;
	int code = ctl_call(ctl, command, NULL, CTL_TIMEOUT_MS, &state);

	while (state != NULL && !is_another(begun, state) &&
	       json_integer_value(json_object_get(state, "ended")) < run) {
		if (show != NULL)
			show(ctl, state);
		json_decref(MOVE(state));
		(void)nanosleep(&pause, NULL);
		code = ctl_call(ctl, command, NULL, CTL_TIMEOUT_MS, &state);
	}
	if (state != NULL && is_another(begun, state)) {
		ctl_complain(
			"ctxhd đã khởi động lại giữa chừng; không rõ việc đã xong chưa, hãy chạy "
			"lại / ctxhd was restarted meanwhile; whether it was done is not known, "
			"run this again");
		return ARGS_EXIT_UNREACHABLE;
	}
	if (state != NULL)
		*ret_state = MOVE(state);
	return code;
}

int ctl_send(const struct ctl *ctl, const char *url, const struct buf *content, int64_t timeout_ms,
	     json_t **ret_result)
{
	const struct transport_body body = {.url = url,
					    .content_type = "application/octet-stream",
					    .content = buf_bytes(content)};
	JSON_AUTO json_t *answer = NULL;
	enum err e;

	if (ctl->remote != NULL) {
		ctl_complain("lệnh này chỉ làm được trên máy chủ, qua --socket; chưa có gì thay "
			     "đổi / this command goes by the socket on the daemon's machine only; "
			     "nothing was changed");
		return ARGS_EXIT_FAILED;
	}
	e = transport_post(ctl->socket, &body, timeout_ms, &answer);
	if (e != ERR_OK)
		return unreachable(ctl->socket, e);
	return take_answer(answer, ret_result);
}

int ctl_print(const struct buf *text)
{
	if ((text->len == 0 || fwrite(text->data, 1, text->len, stdout) == text->len) &&
	    fflush(stdout) == 0)
		return ARGS_EXIT_DONE;
	/* Whoever closed the pipe has seen enough; there is nobody to tell. */
	if (errno != EPIPE)
		ctl_complain("không ghi được kết quả: %s / cannot write the result: %s",
			     strerror(errno), strerror(errno));
	return ARGS_EXIT_FAILED;
}

int ctl_write(const char *path, const struct buf *text)
{
	if (path == NULL || strcmp(path, "-") == 0)
		return ctl_print(text);
	if (outfile_write(path, buf_bytes(text)) == ERR_OK)
		return ARGS_EXIT_DONE;
	ctl_complain("chưa ghi được tệp (%s); dưới tên đó là tệp cũ còn nguyên hoặc tệp mới trọn "
		     "vẹn, hãy chạy lại / the file was not written (%s); under its name is the "
		     "older file or the whole new one; run this again",
		     log_last_detail(), log_last_detail());
	return ARGS_EXIT_FAILED;
}

static bool read_stream(FILE *f, size_t max, struct buf *out)
{
	size_t got = 1;

	while (got != 0 && out->len <= max) {
		got = fread(buf_reserve(out, 65536), 1, 65536, f);
		out->len += got;
	}
	return ferror(f) == 0;
}

int ctl_read(const char *path, size_t max, struct buf *out)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	bool is_read = f != NULL && read_stream(f, max, out);

	if (!is_read)
		ctl_complain("không đọc được %s: %s; chưa có gì thay đổi / cannot read %s: %s; "
			     "nothing was changed",
			     path, strerror(errno), path, strerror(errno));
	if (f != NULL && f != stdin)
		(void)fclose(f);
	if (!is_read)
		return ARGS_EXIT_FAILED;
	if (out->len <= max)
		return ARGS_EXIT_DONE;
	ctl_complain("%s lớn hơn %zu byte; chưa có gì thay đổi / %s is over %zu bytes; nothing was "
		     "changed",
		     path, max, path, max);
	return ARGS_EXIT_FAILED;
}

void ctl_put_option(json_t *to, const struct args *args, const char *option, const char *key)
{
	const char *value = args_value(args, option, NULL);

	if (value != NULL)
		json_object_set_new(to, key, json_string(value));
}

/* "25195,25198" */
static void append_codes(json_t *codes, const char *at)
{
	while (*at != '\0') {
		size_t len = strcspn(at, ",");

		if (len != 0)
			json_array_append_new(codes, json_stringn(at, len));
		at += len;
		at += *at == ',' ? 1 : 0;
	}
}

void ctl_put_positional_codes(json_t *to, const struct args *args, size_t first, const char *key)
{
	json_t *codes = json_array();
	const char *at;

	for (size_t i = first; (at = args_positional(args, i)) != NULL; i++)
		append_codes(codes, at);
	if (args_positional(args, first) != NULL)
		json_object_set(to, key, codes);
	json_decref(codes);
}

void ctl_put_codes(json_t *to, const struct args *args, const char *option, const char *key)
{
	json_t *codes = json_array();

	for (size_t i = 0; i < args_count(args, option); i++)
		append_codes(codes, args_value_at(args, option, i));
	if (args_has(args, option))
		json_object_set(to, key, codes);
	json_decref(codes);
}

int ctl_put_number(json_t *to, const struct args *args, const char *option, int64_t min,
		   int64_t max)
{
	AUTO(buf_clear) struct buf out = {0};
	int64_t number = 0;

	if (!args_has(args, option))
		return ARGS_EXIT_DONE;
	if (args_integer(args, option, min, max, &out, &number) != ERR_OK) {
		(void)fputs(buf_cstr(&out), stderr);
		return ARGS_EXIT_USAGE;
	}
	json_object_set_new(to, option, json_integer(number));
	return ARGS_EXIT_DONE;
}

static int fail_number(const struct args *args, const char *text)
{
	AUTO(buf_clear) struct buf vi = {0};
	AUTO(buf_clear) struct buf en = {0};

	buf_printf(&vi, "phải là một số, không phải “%s”", text);
	buf_printf(&en, "a number is wanted, not “%s”", text);
	return ctl_usage(args, buf_cstr(&vi), buf_cstr(&en));
}

int ctl_put_positional_number(json_t *to, const struct args *args, size_t index, const char *key)
{
	const char *text = args_positional(args, index);
	intmax_t number;
	char *end = NULL;

	errno = 0;
	number = strtoimax(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || number < 0)
		return fail_number(args, text);
	json_object_set_new(to, key, json_integer(number));
	return ARGS_EXIT_DONE;
}

void ctl_append_json(struct buf *out, const json_t *j)
{
	AUTO(mem_free) char *text = json_dumps(j, JSON_INDENT(2) | JSON_ENCODE_ANY);

	if (text != NULL)
		buf_append_str(out, text);
	buf_append_byte(out, '\n');
}
