/* ctl_remote - the part of ctl.h that speaks to another machine: signing in, passwords. */
#define LOG_TAG "ctl"

#include <stdio.h>
#include <string.h>

#include "admin/ctl.h"
#include "admin/secret.h"
#include "admin/transport.h"
#include "common/base/log.h"

#define JSON_AUTO     __attribute__((cleanup(ctl_json_release_auto)))
#define PASSWORD_FILE "CTXH_PASSWORD_FILE"
#define NEW_FILE      "CTXH_NEW_PASSWORD_FILE"

static int unreachable(const struct ctl_remote *r, enum err e)
{
	if (e == ERR_AUTH) {
		ctl_complain(
			"khóa hoặc chứng thư của %s không đúng (%s); chưa gửi gì; hãy so dấu "
			"khóa với “ctxhctl account add” trên máy chủ, rồi cho bằng "
			"--fingerprint / the key or certificate of %s is not the one expected "
			"(%s); nothing was sent; compare the fingerprint “ctxhctl account add” "
			"printed there and give it with --fingerprint",
			r->server, log_last_detail(), r->server, log_last_detail());
		return ARGS_EXIT_FAILED;
	}
	if (e == ERR_NET) {
		ctl_complain("không gặp được %s (%s); chưa có gì thay đổi / nobody answers at %s "
			     "(%s); nothing was changed",
			     r->server, log_last_detail(), r->server, log_last_detail());
		return ARGS_EXIT_UNREACHABLE;
	}
	ctl_complain(
		"%s chưa trả lời xong (%s); lệnh có thể đã hoặc chưa được làm; hãy xem lại rồi "
		"thử lại / no whole answer of %s (%s); the command may or may not have been "
		"done; look, then try again",
		r->server, log_last_detail(), r->server, log_last_detail());
	return err_class(e) == ERR_CLASS_RETRY ? ARGS_EXIT_UNREACHABLE : ARGS_EXIT_FAILED;
}

static int ask_secret(const char *variable, const char *prompt, struct buf *ret_secret)
{
	if (secret_read(variable, prompt, ret_secret) == ERR_OK && ret_secret->len != 0)
		return ARGS_EXIT_DONE;
	ctl_complain("không có mật khẩu (%s); chưa có gì thay đổi; hãy nhập ở cửa sổ lệnh hoặc đặt "
		     "%s / no password (%s); nothing was changed; type it at a terminal or set %s",
		     log_last_detail(), variable, log_last_detail(), variable);
	return ARGS_EXIT_FAILED;
}

/* {"code", "error"} of the console, or an answer. */
static int judge(const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));
	const char *text = json_string_value(json_object_get(answer, "error"));

	if (text == NULL)
		return ARGS_EXIT_DONE;
	ctl_complain("%s", text);
	if (code != NULL && (strcmp(code, "locked") == 0 || strcmp(code, "busy") == 0))
		return ARGS_EXIT_UNREACHABLE;
	return ARGS_EXIT_FAILED;
}

static int sign_in(struct ctl_remote *r, struct buf *secret, bool *ret_must_change)
{
	JSON_AUTO json_t *request = json_object();
	JSON_AUTO json_t *answer = NULL;
	enum err e = transport_remote_open(r->server, r->fingerprint, &r->link);
	int code;

	if (e == ERR_INVAL) {
		ctl_complain(
			"sai --server hoặc --fingerprint (%s); chưa có gì thay đổi; cần MÁY:CỔNG, "
			"dấu khóa có 64 chữ số hex / --server or --fingerprint is wrong (%s); "
			"nothing was changed; HOST:PORT is wanted, a fingerprint has 64 hex "
			"digits",
			log_last_detail(), log_last_detail());
		return ARGS_EXIT_USAGE;
	}
	if (e != ERR_OK)
		return unreachable(r, e);
	code = ask_secret(PASSWORD_FILE, "Mật khẩu / password: ", secret);
	if (code != ARGS_EXIT_DONE)
		return code;
	json_object_set_new(request, "name", json_string(r->account));
	json_object_set_new(request, "password", json_string(buf_cstr(secret)));
	e = transport_remote_call(r->link, "login", request, CTL_TIMEOUT_MS, &answer);
	if (e != ERR_OK)
		return unreachable(r, e);
	*ret_must_change = json_is_true(json_object_get(answer, "must_change"));
	return judge(answer);
}

static int sign_in_to_work(struct ctl_remote *r)
{
	AUTO(secret_clear) struct buf secret = {0};
	AUTO(buf_clear) struct buf command = {0};
	bool must_change = false;
	int code = sign_in(r, &secret, &must_change);

	if (code != ARGS_EXIT_DONE || !must_change)
		return code;
	buf_printf(&command, "ctxhctl --server %s --account %s%s%s account password", r->server,
		   r->account, r->fingerprint != NULL ? " --fingerprint " : "",
		   r->fingerprint != NULL ? r->fingerprint : "");
	ctl_complain("mật khẩu này chỉ dùng một lần; chưa làm gì; hãy đặt mật khẩu của mình: %s / "
		     "this password was for one use; nothing was done; set your own: %s",
		     buf_cstr(&command), buf_cstr(&command));
	return ARGS_EXIT_FAILED;
}

void ctl_remote_close(struct ctl_remote *r)
{
	if (r->link != NULL)
		transport_remote_close(r->link);
	r->link = NULL;
}

int ctl_remote_call(struct ctl_remote *r, const char *path, const json_t *request,
		    int64_t timeout_ms, json_t **ret_answer)
{
	int code = r->link == NULL ? sign_in_to_work(r) : ARGS_EXIT_DONE;
	enum err e;

	if (code != ARGS_EXIT_DONE)
		return code;
	e = transport_remote_call(r->link, path, request, timeout_ms, ret_answer);
	return e == ERR_OK ? ARGS_EXIT_DONE : unreachable(r, e);
}

static int ask_new(struct buf *secret)
{
	AUTO(secret_clear) struct buf again = {0};
	int code = ask_secret(NEW_FILE, "Mật khẩu mới / new password: ", secret);

	if (code == ARGS_EXIT_DONE)
		code = ask_secret(NEW_FILE, "Lần nữa / again: ", &again);
	if (code != ARGS_EXIT_DONE)
		return code;
	if (bytes_equal(buf_bytes(secret), buf_bytes(&again)))
		return ARGS_EXIT_DONE;
	ctl_complain("hai lần nhập khác nhau; mật khẩu cũ vẫn dùng / the two differ; the old "
		     "password stands");
	return ARGS_EXIT_FAILED;
}

int ctl_remote_password(struct ctl_remote *r)
{
	AUTO(secret_clear) struct buf secret = {0};
	AUTO(secret_clear) struct buf chosen = {0};
	JSON_AUTO json_t *request = json_object();
	JSON_AUTO json_t *answer = NULL;
	bool must_change = false;
	int code = sign_in(r, &secret, &must_change);
	enum err e;

	if (code == ARGS_EXIT_DONE)
		code = ask_new(&chosen);
	if (code != ARGS_EXIT_DONE)
		return code;
	json_object_set_new(request, "password", json_string(buf_cstr(&secret)));
	json_object_set_new(request, "new", json_string(buf_cstr(&chosen)));
	e = transport_remote_call(r->link, "password", request, CTL_TIMEOUT_MS, &answer);
	if (e != ERR_OK)
		return unreachable(r, e);
	code = judge(answer);
	if (code == ARGS_EXIT_DONE)
		(void)fputs("Đã đổi mật khẩu. / The password was changed.\n", stdout);
	return code;
}
