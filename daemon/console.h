/*
 * console - what the web console's requests share: who is signed in, what every answer carries,
 * what is refused before anybody is asked who he is (docs/console.md).
 *
 * One object, made by app.c. Thread: loop.
 */
#pragma once

#include <jansson.h>

#include "daemon/http.h"
#include "daemon/lockout.h"
#include "daemon/login.h"
#include "daemon/web_files.h"

#define CONSOLE_PATH     "/console/"
#define CONSOLE_COOKIE   "__Host-ctxh"
#define CONSOLE_HEADER   "X-Ctxh-Token"
/* What a POST without a login carries there: a form of another site cannot send any header. */
#define CONSOLE_NO_TOKEN "login"

struct sign_in;

struct console {
	struct context *ctx;
	struct logins *logins;
	struct lockout *lockout;
	struct web_files *files; /* NULL: not installed; the API works */
	/* Passwords being looked at: handle_login.c. */
	struct sign_in *waiting; /* oldest first */
	unsigned waiting_count;
	unsigned hashing;
};

/* Takes `files`, which may be NULL. */
struct console *console_new(struct context *ctx, struct web_files *take_files);
void console_free(struct console *c);
DEFINE_AUTO(struct console *, console_free)

/* The login of the request's cookie; NULL: none. Borrowed until the next call. */
const struct login *console_login(struct console *c, const struct http_request *r);
/* The account changed: its logins are over and its waits forgotten. */
void console_forget_account(struct console *c, const char *name);
/* What the account may was changed: its logins go on with that. `units` as for logins_begin(). */
void console_change_account(struct console *c, const char *name, const struct role_holder *holder,
			    struct bytes units);
struct login_limits console_limits(const struct context *ctx);

/*
 * May this POST be what one of our own pages (or ctxhctl) sends? Its token is `csrf`, it is JSON,
 * and a browser that says where it comes from says: from here.
 */
bool console_is_ours(const struct http_request *r, const char *csrf);

/* Puts the fields every answer of the console has behind those that are there. */
void console_guard(struct http_answer *answer);
/* Answers with JSON, not to be kept by anybody. `set_cookie` may be NULL. */
void console_answer_json(struct http_request *r, unsigned status, json_t *take_body,
			 const char *set_cookie);
/* The same with text that is JSON. Takes `body`. */
void console_answer_body(struct http_request *r, unsigned status, struct buf *take_body);
/* {"exit_code":1,"code":…,"error":…}; console_text() has the words. */
void console_refuse(struct http_request *r, unsigned status, const char *code);
/* The same, with a time to wait in Retry-After. */
void console_refuse_until(struct http_request *r, unsigned status, const char *code,
			  int64_t wait_ms);
/* As an answer, for refusals of http.c and route.c. */
void console_make_refusal(unsigned status, const char *code, struct http_answer *ret_answer);
/* Vietnamese / English. */
const char *console_text(const char *code);
/* What `me` and `login` answer. */
json_t *console_me(struct context *ctx, const struct login *g);
