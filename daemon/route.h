/*
 * route - method and path to handler: who may call what, and how long its body may be. Pure.
 */
#pragma once

#include "daemon/handle.h"

struct route {
	const char *method;
	const char *path;
	size_t body_limit;
	handle_fn handle;
	enum http_kind kind;
	bool is_logged; /* refusals leave a row of the sync log */
	bool is_prefix; /* and whatever begins with it */
};

/* Whom a request is for: a devices' listener that serves the console, too, is both. */
enum http_kind route_kind(const struct context *ctx, const struct http_request *r);
/*
 * NULL: no such path for this kind. *ret_is_path: the path exists, the method differs. The first
 * row of the table that fits counts.
 */
const struct route *route_find(enum http_kind kind, const char *method, const char *path,
			       bool *ret_is_path);

/* For http_new(): `user` is the context. */
size_t route_body_limit(const struct http_request *r, void *user);
void route_handle(struct http_request *r, void *user);
void route_refused(const struct http_request *r, unsigned status, const char *code,
		   struct http_answer *ret_answer, void *user);
