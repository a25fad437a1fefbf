#define LOG_TAG "console"

#include <stdio.h>
#include <string.h>

#include "daemon/console.h"
#include "daemon/events.h"
#include "daemon/handle.h"

#define EVENTS_BUSY_MS 30000 /* somebody closes a page meanwhile */
#define GONE_COOKIE    CONSOLE_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"

/* NULL: answered. `csrf`: it changes something, so it must be one of our own pages. */
static const struct login *let_in(struct context *ctx, struct http_request *r, bool is_post)
{
	const struct login *g = console_login(ctx->console, r);

	if (g == NULL) {
		console_refuse(r, 401, "login");
		return NULL;
	}
	if (is_post && !console_is_ours(r, g->csrf)) {
		console_refuse(r, 403, "foreign");
		return NULL;
	}
	return g;
}

void handle_console_me(struct context *ctx, struct http_request *r)
{
	const struct login *g = let_in(ctx, r, false);

	if (g != NULL)
		console_answer_json(r, 200, console_me(ctx, g), NULL);
}

void handle_console_logout(struct context *ctx, struct http_request *r)
{
	const struct login *g = let_in(ctx, r, true);

	if (g == NULL)
		return;
	logins_end(ctx->console->logins, g->serial);
	console_answer_json(r, 200, json_pack("{s:i}", "exit_code", 0), GONE_COOKIE);
}

void handle_console_call(struct context *ctx, struct http_request *r)
{
	const struct login *g = let_in(ctx, r, true);
	struct call_identity who = {.is_account = true};

	if (g == NULL)
		return;
	if (g->must_change) {
		console_refuse(r, 403, "change_password");
		return;
	}
	snprintf(who.name, sizeof who.name, CALL_ACCOUNT "%s", g->name);
	who.holder = g->holder;
	handle_call_as(ctx, r, &who);
}

void handle_console_events(struct context *ctx, struct http_request *r)
{
	const struct login *g = let_in(ctx, r, false);

	if (g == NULL)
		return;
	if (g->must_change)
		console_refuse(r, 403, "change_password");
	else if (!events_open(ctx->events, r, g))
		console_refuse_until(r, 503, "busy", EVENTS_BUSY_MS);
}

void handle_console_unknown(struct context *ctx, struct http_request *r)
{
	if (let_in(ctx, r, false) != NULL)
		console_refuse(r, 404, "not_found");
}

void handle_console_page(struct context *ctx, struct http_request *r)
{
	const struct web_files *files = ctx->console->files;
	const char *held = http_header(r, "If-None-Match");
	const struct web_file *f = NULL;
	struct http_answer a = {.status = 200};

	if (files != NULL)
		f = web_files_find(files, r->path + strlen(CONSOLE_PATH));
	if (f == NULL) {
		console_refuse(r, 404, "not_found");
		return;
	}
	a.fields[0] = (struct http_field){"ETag", f->tag};
	/* Asked for again each time, answered with 304: a new version of us is seen at once. */
	a.fields[1] = (struct http_field){"Cache-Control", "no-cache"};
	if (held != NULL && strcmp(held, f->tag) == 0) {
		a.status = 304;
	} else {
		a.content_type = f->type;
		a.shared = f->content;
	}
	console_guard(&a);
	http_answer(r, &a);
}

void handle_console_redirect(struct context *ctx, struct http_request *r)
{
	struct http_answer a = {.status = 308};

	(void)ctx;
	a.fields[0] = (struct http_field){"Location", CONSOLE_PATH};
	console_guard(&a);
	http_answer(r, &a);
}
