/*
 * transport - one command to the daemon, one answer back: over its Unix socket, or over TLS to its
 * console with an account.
 *
 * The only file of admin/ that knows libcurl. Who may open the socket may give
 * orders: its owner and group decide, and the daemon writes the caller's uid
 * into its audit; over TLS the account's role decides. Blocking; one call at a time.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "common/base/attr.h"
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

/*
 * The console of a daemon on another machine. The key is pinned by its fingerprint (SHA-256 of the
 * public key, 64 hex digits), as devices do; without one the certificate is checked by the
 * machine's authorities and its name. Lives for one run.
 */
struct transport_remote;
/* ERR_INVAL: not a fingerprint, or not HOST:PORT; the detail is which. */
enum err transport_remote_open(const char *address, const char *fingerprint,
			       struct transport_remote **ret_remote);
/* Signs out when signed in. */
void transport_remote_close(struct transport_remote *r);
DEFINE_AUTO(struct transport_remote *, transport_remote_close)
/*
 * POSTs to /console/api/PATH. Answers and errors as transport_post(); ERR_AUTH: the daemon there is
 * not the one of the fingerprint. Remembers cookie and token of an answer that signs in.
 */
enum err transport_remote_call(struct transport_remote *r, const char *path, const json_t *request,
			       int64_t timeout_ms, json_t **ret_answer);
