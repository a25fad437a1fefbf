/*
 * http - requests in, answers out: the only file that knows libmicrohttpd.
 *
 * Each listener is a daemon of that library in external-epoll mode; its epoll descriptor and its
 * timeout are watched by the loop. What the library lacks is here: a deadline for each part of a
 * connection's life, a budget of bytes for bodies with admission before the body is read,
 * refusal of doubtful framing, the look for a FIN that came with data, the order of resume, quiesce
 * and stop. Thread: loop, everything.
 *
 * A request belongs to this module from its head to its last byte out. The handler is called once,
 * when the body is whole, and answers then or later with http_answer(), exactly once. A peer that
 * went away meanwhile is noticed when the answer is sent: handlers need not care.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "daemon/context.h"
#include "daemon/peers.h"

#define HTTP_FIELDS_MAX 16u

enum http_kind {
	HTTP_DEVICES, /* TLS, anybody */
	HTTP_CONSOLE, /* TLS, browsers */
	HTTP_ADMIN,   /* Unix socket: its owner and group decided already */
};

struct http_request {
	enum http_kind kind;
	const char *method;
	const char *path;  /* percent-decoded, without the query */
	const char *query; /* raw; "": none */
	struct buf body;   /* the handler may MOVE it out */
	struct peer_address address;
	char peer[PEER_TEXT_LEN]; /* "10.0.0.5", "unix" */
	uint32_t uid;             /* ADMIN: of the process at the other end */
	uint32_t gid;
	struct arena arena; /* until the last byte is out */
};

struct http_field {
	const char *name;
	const char *value;
};

struct http_answer {
	unsigned status;
	const char *content_type; /* NULL: no body */
	struct buf body;
	/* Instead of `body`: the same bytes for everybody. Not copied; they outlive the server. */
	struct bytes shared;
	struct http_field
		fields[HTTP_FIELDS_MAX]; /* copied; the first with a NULL name ends them */
};

struct http_handlers {
	/* Before the body is read. The most bytes of body this request may have. */
	size_t (*body_limit)(const struct http_request *r, void *user);
	/* The body is whole. Must lead to one http_answer(). */
	void (*handle)(struct http_request *r, void *user);
	/* Refused here ("too_big", "bad_request", "busy"): what the body of the answer says. */
	void (*refused)(const struct http_request *r, unsigned status, const char *code,
			struct http_answer *ret_answer, void *user);
	/* After http_drain(): nothing is open any more. */
	void (*drained)(void *user);
	void *user;
};

struct http;

/* Borrows `ctx` (loop, clock, config, metrics, peers) until http_free(). */
struct http *http_new(struct context *ctx, const struct http_handlers *handlers);
/* Takes `fd`, a listening non-blocking socket. DEVICES and CONSOLE speak TLS with tls_callback().
 */
enum err http_listen(struct http *h, int fd, enum http_kind kind);
/*
 * Stops accepting, tells kept-alive peers to close, lets running requests finish; calls `drained`
 * when the last one is out. Bodies still on their way after `limit_ms` are cut; requests in
 * a handler never are.
 */
void http_drain(struct http *h, int64_t limit_ms);
/* No connection may be in a handler. */
void http_free(struct http *h);
DEFINE_AUTO(struct http *, http_free)

/* Borrowed until the answer; NULL: not sent. Names in any case. */
const char *http_header(const struct http_request *r, const char *name);
/* Takes the body out of `answer`. `r` may be gone afterwards. */
void http_answer(struct http_request *r, struct http_answer *answer);

/*
 * An answer that goes on (server-sent events): its head leaves now, pieces whenever there are some.
 * Instead of http_answer(), under the same rules; `head` has no body. What the peer does not take
 * waits here, up to HTTP_STREAM_BYTES and limits.answer long; then it is cut. http_drain() ends
 * every stream. `gone` is called once, whichever way it ended; from then on there is no stream.
 */
#define HTTP_STREAM_BYTES ((size_t)64 << 10)

struct http_stream;
struct http_stream *http_stream_begin(struct http_request *r, struct http_answer *head,
				      void (*gone)(void *user), void *user);
/* Copies. A peer that has not taken what came before is cut when it becomes too much: `gone`
 * follows, not within this call. */
void http_stream_send(struct http_stream *s, struct bytes piece);
/* After what was sent the answer is over; `gone` follows, not within this call. */
void http_stream_end(struct http_stream *s);
