#define LOG_TAG "route"

#include "daemon/route.h"

#include <string.h>

#include "daemon/reply.h"
#include "proto/limits.h"

/* What nobody asked for is read only to answer politely. */
#define STRAY_BODY ((size_t)1024)

/* clang-format off */
static const struct route routes[] = {
	{"POST", "/v1/sync",   LIMIT_REQUEST_BYTES, handle_sync, HTTP_DEVICES, true},
	{"POST", "/v1/enrol",  LIMIT_ENROL_BYTES,   handle_enrol, HTTP_DEVICES, true},
	{"GET",  "/v1/schema", 0,                   handle_schema, HTTP_DEVICES, false},
	{"GET",  "/v1/units",  0,                   handle_units, HTTP_DEVICES, false},
	{"POST", "/v1/call",   LIMIT_ADMIN_BYTES,   handle_call, HTTP_ADMIN, false},
	{"POST", "/v1/bundle", LIMIT_BUNDLE_BYTES,  handle_bundle, HTTP_ADMIN, false},
	{"GET",  "/healthz",   0,                   handle_healthz, HTTP_ADMIN, false},
	{"GET",  "/readyz",    0,                   handle_readyz, HTTP_ADMIN, false},
	{"GET",  "/metrics",   0,                   handle_metrics, HTTP_ADMIN, false},
};
/* clang-format on */

const struct route *route_find(enum http_kind kind, const char *method, const char *path,
			       bool *ret_is_path)
{
	*ret_is_path = false;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		const struct route *t = &routes[i];

		if (t->kind != kind || strcmp(t->path, path) != 0)
			continue;
		*ret_is_path = true;
		/* HEAD is GET without its body; the server leaves that out. */
		if (strcmp(t->method, method) == 0 ||
		    (strcmp(method, "HEAD") == 0 && strcmp(t->method, "GET") == 0))
			return t;
	}
	return NULL;
}

size_t route_body_limit(const struct http_request *r, void *user)
{
	bool is_path;
	const struct route *t = route_find(r->kind, r->method, r->path, &is_path);

	(void)user;
	return t != NULL && t->body_limit > 0 ? t->body_limit : STRAY_BODY;
}

void route_handle(struct http_request *r, void *user)
{
	struct context *ctx = user;
	bool is_path;
	const struct route *t = route_find(r->kind, r->method, r->path, &is_path);
	struct http_answer a = {0};

	if (t != NULL) {
		t->handle(ctx, r);
		return;
	}
	reply_make_any(r, is_path ? 405 : 404, is_path ? "not_allowed" : "not_found", &a);
	http_answer(r, &a);
}

void route_refused(const struct http_request *r, unsigned status, const char *code,
		   struct http_answer *ret_answer, void *user)
{
	struct context *ctx = user;
	bool is_path;
	const struct route *t = route_find(r->kind, r->method, r->path, &is_path);

	reply_make_any(r, status, code, ret_answer);
	if (t != NULL && t->is_logged)
		handle_log_refused(ctx, r,
				   &(struct refused_contact){.code = code,
							     .bytes_in = r->body.len,
							     .bytes_out = ret_answer->body.len});
}
