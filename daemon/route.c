#define LOG_TAG "route"

#include "daemon/route.h"

#include <string.h>

#include "daemon/console.h"
#include "daemon/reply.h"
#include "proto/limits.h"

/* What nobody asked for is read only to answer politely. */
#define STRAY_BODY ((size_t)1024)

/* clang-format off */
static const struct route routes[] = {
	{"POST", "/v1/sync",   LIMIT_REQUEST_BYTES, handle_sync, HTTP_DEVICES, true, false},
	{"POST", "/v1/enrol",  LIMIT_ENROL_BYTES,   handle_enrol, HTTP_DEVICES, true, false},
	{"GET",  "/v1/schema", 0,                   handle_schema, HTTP_DEVICES, false, false},
	{"GET",  "/v1/units",  0,                   handle_units, HTTP_DEVICES, false, false},
	{"POST", "/v1/call",   LIMIT_ADMIN_BYTES,   handle_call, HTTP_ADMIN, false, false},
	{"POST", "/v1/bundle", LIMIT_BUNDLE_BYTES,  handle_bundle, HTTP_ADMIN, false, false},
	{"GET",  "/healthz",   0,                   handle_healthz, HTTP_ADMIN, false, false},
	{"GET",  "/readyz",    0,                   handle_readyz, HTTP_ADMIN, false, false},
	{"GET",  "/metrics",   0,                   handle_metrics, HTTP_ADMIN, false, false},
	{"POST", "/console/api/login",    LIMIT_LOGIN_BYTES,   handle_console_login, HTTP_CONSOLE, false, false},
	{"POST", "/console/api/password", LIMIT_LOGIN_BYTES,   handle_console_password, HTTP_CONSOLE, false, false},
	{"POST", "/console/api/logout",   LIMIT_LOGIN_BYTES,   handle_console_logout, HTTP_CONSOLE, false, false},
	{"POST", "/console/api/call",     LIMIT_CONSOLE_BYTES, handle_console_call, HTTP_CONSOLE, false, false},
	{"GET",  "/console/api/me",       0, handle_console_me, HTTP_CONSOLE, false, false},
	{"GET",  "/console/api/events",   0, handle_console_events, HTTP_CONSOLE, false, false},
	{"GET",  "/console/api/",         0, handle_console_unknown, HTTP_CONSOLE, false, true},
	{"POST", "/console/api/",         0, handle_console_unknown, HTTP_CONSOLE, false, true},
	{"GET",  "/console/",             0, handle_console_page, HTTP_CONSOLE, false, true},
	{"GET",  "/console",              0, handle_console_redirect, HTTP_CONSOLE, false, false},
	{"GET",  "/",                     0, handle_console_redirect, HTTP_CONSOLE, false, false},
};
/* clang-format on */

enum http_kind route_kind(const struct context *ctx, const struct http_request *r)
{
	static const char console[] = "/console";
	const char *rest = r->path + sizeof console - 1;

	if (r->kind != HTTP_DEVICES || !ctx->is_console_shared ||
	    strncmp(r->path, console, sizeof console - 1) != 0)
		return r->kind;
	return *rest == '\0' || *rest == '/' ? HTTP_CONSOLE : r->kind;
}

static bool fits(const struct route *t, const char *path)
{
	if (t->is_prefix)
		return strncmp(t->path, path, strlen(t->path)) == 0;
	return strcmp(t->path, path) == 0;
}

const struct route *route_find(enum http_kind kind, const char *method, const char *path,
			       bool *ret_is_path)
{
	*ret_is_path = false;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		const struct route *t = &routes[i];

		if (t->kind != kind || !fits(t, path))
			continue;
		*ret_is_path = true;
		/* HEAD is GET without its body; the server leaves that out. */
		if (strcmp(t->method, method) == 0 ||
		    (strcmp(method, "HEAD") == 0 && strcmp(t->method, "GET") == 0))
			return t;
	}
	return NULL;
}

static const struct route *find(const struct context *ctx, const struct http_request *r,
				bool *ret_is_path)
{
	return route_find(route_kind(ctx, r), r->method, r->path, ret_is_path);
}

size_t route_body_limit(const struct http_request *r, void *user)
{
	struct context *ctx = user;
	bool is_path;
	const struct route *t = find(ctx, r, &is_path);

	if (t == NULL || t->body_limit == 0)
		return STRAY_BODY;
	/* A stranger's big body is not worth memory: he hears 401 or 413 all the same. */
	if (t->kind == HTTP_CONSOLE && t->body_limit > LIMIT_LOGIN_BYTES &&
	    console_login(ctx->console, r) == NULL)
		return LIMIT_LOGIN_BYTES;
	return t->body_limit;
}

void route_handle(struct http_request *r, void *user)
{
	struct context *ctx = user;
	bool is_path;
	const struct route *t = find(ctx, r, &is_path);
	struct http_answer a = {0};

	if (t != NULL) {
		t->handle(ctx, r);
		return;
	}
	reply_make_any(route_kind(ctx, r), is_path ? 405 : 404,
		       is_path ? "not_allowed" : "not_found", &a);
	http_answer(r, &a);
}

void route_refused(const struct http_request *r, unsigned status, const char *code,
		   struct http_answer *ret_answer, void *user)
{
	struct context *ctx = user;
	bool is_path;
	const struct route *t = find(ctx, r, &is_path);

	reply_make_any(route_kind(ctx, r), status, code, ret_answer);
	if (t != NULL && t->is_logged)
		handle_log_refused(ctx, r,
				   &(struct refused_contact){.code = code,
							     .bytes_in = r->body.len,
							     .bytes_out = ret_answer->body.len});
}
