/*
 * transport - one command to the daemon over its Unix socket, one answer back.
 *
 * The only file of admin/ that knows libcurl. Who may open the socket may give
 * orders: its owner and group decide, and the daemon writes the caller's uid
 * into its audit. Blocking; one call at a time.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

/*
 * POSTs `body`. Any answer that is a JSON object is given, whatever
 * its status; the caller of this function releases it. The socket's path is
 * borrowed. ERR_NET: nobody listens there. ERR_AUTH: the file system does not let us in.
 * ERR_TIMEOUT: no whole answer, or not within `timeout_ms` (0: no limit): whether the command was
 * done is unknown. ERR_AGAIN: the daemon
 * is too busy to say more. ERR_TOOBIG: the answer is over LIMIT_ADMIN_BYTES. ERR_PROTO: what
 * answered is not ctxhd.
 */
struct transport_body {
	const char *url; /* "http://localhost/v1/…" */
	const char *content_type;
	struct bytes content;
};
enum err transport_post(const char *socket_path, const struct transport_body *body,
			int64_t timeout_ms, json_t **ret_answer);
/* The same with JSON to /v1/call. */
enum err transport_call(const char *socket_path, const json_t *request, int64_t timeout_ms,
			json_t **ret_answer);
