#define LOG_TAG "console"

#include "daemon/console.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "daemon/admin.h"
#include "daemon/config.h"
#include "daemon/events.h"
#include "daemon/reply.h"

#define ORIGIN_MAX 300u
#define RETRY_LEN  24u

/*
 * What a browser may do with our answers: run and load what comes from here alone, frame it
 * nowhere, tell nobody where it was. `data:` images are the marks inside stylesheets.
 */
static const struct http_field guards[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	 "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; "
	 "base-uri 'none'"},
	{"Referrer-Policy", "no-referrer"},
	{"Strict-Transport-Security", "max-age=31536000"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"X-Frame-Options", "DENY"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

struct words {
	const char *code;
	const char *text;
};

static const struct words words[] = {
	{"login", "Hãy đăng nhập. / Sign in first."},
	{"wrong", "Tên hoặc mật khẩu không đúng. / The name or the password is wrong."},
	{"locked",
	 "Thử sai quá nhiều lần; hãy đợi rồi thử lại. / Too many wrong tries; wait, then try "
	 "again."},
	{"busy",
	 "Máy chủ đang bận; chưa có gì thay đổi, hãy thử lại. / The daemon is busy; nothing "
	 "changed, try again."},
	{"change_password",
	 "Mật khẩu này chỉ dùng một lần: hãy đặt mật khẩu của mình trước. / This "
	 "password was for one use: set your own first."},
	{"foreign", "Yêu cầu không đến từ trang này; chưa có gì thay đổi. / The request does not "
		    "come from this page; nothing was changed."},
	{"not_allowed_role",
	 "Vai trò của tài khoản không được làm việc này; chưa có gì thay đổi. / "
	 "The account's role may not do this; nothing was changed."},
	{"not_in_units",
	 "Việc này là của cả văn phòng, tài khoản chỉ có các đơn vị của mình; chưa có gì thay "
	 "đổi. / This concerns the whole office and the account has only its units; nothing was "
	 "changed."},
	{"not_cleared", "Tài khoản không được xem dữ liệu hạn chế; chưa có gì thay đổi. / The "
			"account may not see restricted data; nothing was changed."},
	{"bad_request",
	 "Yêu cầu không đọc được; chưa có gì thay đổi. / The request cannot be read; "
	 "nothing was changed."},
};

const char *console_text(const char *code)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].code, code) == 0)
			return words[i].text;
	return reply_text(code);
}

struct console *console_new(struct context *ctx, struct web_files *take_files)
{
	struct console *c = mem_alloc_zero(sizeof *c);

	c->ctx = ctx;
	c->logins = logins_new(ctx->rand);
	c->lockout = lockout_new(ctx->rand);
	c->files = take_files;
	return c;
}

void console_free(struct console *c)
{
	logins_free(c->logins);
	lockout_free(c->lockout);
	if (c->files != NULL)
		web_files_free(c->files);
	mem_free(c);
}

struct login_limits console_limits(const struct context *ctx)
{
	const struct config *config = ctx->config;

	return (struct login_limits){.idle_ms = config->limits.login_idle_ms,
				     .life_ms = config->limits.login_life_ms};
}

void console_forget_account(struct console *c, const char *name)
{
	logins_end_account(c->logins, name);
	events_account_changed(c->ctx->events, name);
	lockout_forget(c->lockout, bytes_str(name));
}

void console_change_account(struct console *c, const char *name, const struct role_holder *holder,
			    struct bytes units)
{
	logins_change_account(c->logins, name, holder, units);
	events_account_changed(c->ctx->events, name);
}

/* ---- who is it ---- */

/* The value of our cookie in "a=b; c=d". A browser sends one with the prefix __Host- only to whom
 * it got it from. */
static bool find_cookie(const char *header, char ret_token[LOGIN_TOKEN_LEN])
{
	static const char name[] = CONSOLE_COOKIE "=";

	while (header != NULL && *header != '\0') {
		size_t blanks = strspn(header, " ;");
		size_t len = strcspn(header + blanks, ";");

		header += blanks;
		if (strncmp(header, name, sizeof name - 1) == 0) {
			header += sizeof name - 1;
			if (len - (sizeof name - 1) != LOGIN_TOKEN_LEN - 1)
				return false;
			memcpy(ret_token, header, LOGIN_TOKEN_LEN - 1);
			ret_token[LOGIN_TOKEN_LEN - 1] = '\0';
			return true;
		}
		header += len;
	}
	return false;
}

const struct login *console_login(struct console *c, const struct http_request *r)
{
	const struct login_limits limits = console_limits(c->ctx);
	char token[LOGIN_TOKEN_LEN];

	if (!find_cookie(http_header(r, "Cookie"), token))
		return NULL;
	return logins_use(c->logins, token, &limits, clock_monotonic_ms(c->ctx->clock));
}

static bool is_from_here(const struct http_request *r)
{
	const char *site = http_header(r, "Sec-Fetch-Site");
	const char *origin = http_header(r, "Origin");
	const char *host = http_header(r, "Host");
	char own[ORIGIN_MAX];

	if (site != NULL && strcmp(site, "same-origin") != 0)
		return false;
	if (origin == NULL)
		return true;
	if (host == NULL || strlen(host) > ORIGIN_MAX / 2)
		return false;
	snprintf(own, sizeof own, "https://%s", host);
	return strcasecmp(origin, own) == 0;
}

bool console_is_ours(const struct http_request *r, const char *csrf)
{
	const char *token = http_header(r, CONSOLE_HEADER);
	const char *type = http_header(r, "Content-Type");
	size_t len = strlen(csrf);

	if (token == NULL || strlen(token) != len || !crypt_equal(token, csrf, len))
		return false;
	if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
		return false;
	return is_from_here(r);
}

/* ---- answers ---- */

void console_guard(struct http_answer *answer)
{
	size_t at = 0;

	while (at < HTTP_FIELDS_MAX && answer->fields[at].name != NULL)
		at++;
	for (size_t i = 0; i < sizeof guards / sizeof guards[0] && at < HTTP_FIELDS_MAX; i++)
		answer->fields[at++] = guards[i];
}

static void put_json(struct http_answer *a, json_t *take_body)
{
	AUTO(mem_free) char *text = json_dumps(take_body, JSON_COMPACT);

	json_decref(take_body);
	a->content_type = REPLY_JSON;
	buf_append_str(&a->body, text != NULL ? text : "{}");
}

void console_answer_json(struct http_request *r, unsigned status, json_t *take_body,
			 const char *set_cookie)
{
	struct http_answer a = {.status = status};
	size_t at = 0;

	put_json(&a, take_body);
	a.fields[at++] = (struct http_field){"Cache-Control", "no-store"};
	if (set_cookie != NULL)
		a.fields[at++] = (struct http_field){"Set-Cookie", set_cookie};
	console_guard(&a);
	http_answer(r, &a);
}

void console_answer_body(struct http_request *r, unsigned status, struct buf *take_body)
{
	struct http_answer a = {.status = status, .content_type = REPLY_JSON, .body = *take_body};

	*take_body = (struct buf){0};
	a.fields[0] = (struct http_field){"Cache-Control", "no-store"};
	console_guard(&a);
	http_answer(r, &a);
}

static json_t *refusal(const char *code)
{
	return json_pack("{s:i, s:s, s:s}", "exit_code", 1, "code", code, "error",
			 console_text(code));
}

void console_make_refusal(unsigned status, const char *code, struct http_answer *ret_answer)
{
	*ret_answer = (struct http_answer){.status = status};
	put_json(ret_answer, refusal(code));
	ret_answer->fields[0] = (struct http_field){"Cache-Control", "no-store"};
	console_guard(ret_answer);
}

void console_refuse(struct http_request *r, unsigned status, const char *code)
{
	struct http_answer a;

	console_make_refusal(status, code, &a);
	http_answer(r, &a);
}

void console_refuse_until(struct http_request *r, unsigned status, const char *code,
			  int64_t wait_ms)
{
	struct http_answer a = {.status = status};
	char seconds[RETRY_LEN];
	json_t *body = refusal(code);
	int64_t wait_s = (wait_ms + 999) / 1000;

	snprintf(seconds, sizeof seconds, "%" PRId64, wait_s);
	json_object_set_new(body, "retry_after", json_integer(wait_s));
	put_json(&a, body);
	a.fields[0] = (struct http_field){"Cache-Control", "no-store"};
	a.fields[1] = (struct http_field){"Retry-After", seconds};
	console_guard(&a);
	http_answer(r, &a);
}

/* What the account may call, so that pages show no button that would be refused. */
static json_t *commands_of(const struct login *g)
{
	json_t *commands = json_array();
	json_t *no_args = json_object();
	const struct admin_command *command;

	for (size_t i = 0; (command = admin_command_at(i)) != NULL; i++)
		if (role_may(&g->holder, command->name, no_args) == ROLE_MAY)
			json_array_append_new(commands, json_string(command->name));
	json_decref(no_args);
	return commands;
}

json_t *console_me(struct context *ctx, const struct login *g)
{
	const struct login_limits limits = console_limits(ctx);
	json_t *me = json_object();

	json_object_set_new(me, "name", json_string(g->name));
	json_object_set_new(me, "role", json_string(role_name(g->holder.role)));
	json_object_set_new(me, "cleared", json_boolean(g->holder.is_cleared));
	json_object_set_new(me, "bound", json_boolean(g->holder.is_bound));
	json_object_set_new(me, "units", json_string(g->units));
	json_object_set_new(me, "must_change", json_boolean(g->must_change));
	json_object_set_new(me, "token", json_string(g->csrf));
	json_object_set_new(me, "idle_s", json_integer(limits.idle_ms / 1000));
	json_object_set_new(me, "commands", g->must_change ? json_array() : commands_of(g));
	json_object_set_new(me, "version", json_string(CTXH_VERSION));
	return me;
}
