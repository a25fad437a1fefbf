/*
 * http_private - what the files of http.h share: http.c drives the library and takes requests in,
 * http_stream.c has the answers that go on. Nobody else includes it.
 */
#pragma once

#include <uv.h>

#include "daemon/framing.h"
#include "daemon/http.h"

#define HTTP_LISTENERS_MAX 24u

struct MHD_Connection;
struct MHD_Daemon;
struct MHD_Response;

/*
 * What a connection waits for; each has its deadline.
 *
 *   HEAD -> BODY -> HANDLER -> SEND or STREAM -> IDLE -> HEAD …
 *     `-> ADMISSION -^
 */
enum waits {
	WAITS_HEAD,      /* TLS handshake, request line, headers */
	WAITS_ADMISSION, /* suspended until the budget has room, or it was too long */
	WAITS_BODY,
	WAITS_HANDLER, /* suspended until http_answer() */
	WAITS_SEND,
	WAITS_STREAM, /* an answer that goes on: http_stream.c */
	WAITS_IDLE,
};

struct connection {
	struct connection *next;
	struct connection **prev;
	struct listener *listener;
	int fd;
	enum waits waits;
	int64_t deadline_ms;
	int64_t since_ms; /* when it began to wait for this */
	bool is_counted;  /* in peers */
	bool is_refused;
	struct peer_address address;
	char peer[PEER_TEXT_LEN];
	uint32_t uid;
	uint32_t gid;
};

enum phase {
	PHASE_HEAD,      /* request line read, handler of the library not called yet */
	PHASE_ADMISSION, /* suspended in its first call, which the library will repeat */
	PHASE_BODY,
	PHASE_SWALLOW, /* too long: reads on, so that the 413 is not lost to a reset */
	PHASE_HANDLER,
	PHASE_ANSWERED,
};

/* One request and its answer. */
struct exchange {
	struct http_request request;
	struct connection *connection;
	struct MHD_Connection *mhd;
	enum phase phase;
	bool is_suspended;
	bool is_turned_away; /* waited for admission in vain */
	size_t limit;        /* of the body */
	size_t reserved;     /* of the budget */
	size_t swallowed;
	struct framing framing;
	struct header *headers;
	struct http_answer answer;
	struct http_stream *stream; /* NULL: the answer is one piece */
	struct exchange *next_waiting;
};

struct listener {
	struct http *http;
	struct MHD_Daemon *mhd;
	enum http_kind kind;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_idle_t again; /* runs the library once in every turn of the loop while active */
	bool is_kicked;  /* something was resumed: the library must run again soon */
};

struct http {
	struct context *ctx;
	struct http_handlers handlers;
	struct listener listeners[HTTP_LISTENERS_MAX];
	size_t listener_count;
	struct connection *connections;
	uv_timer_t tick;
	int64_t reserved;         /* bytes of the body budget in use */
	struct exchange *waiting; /* for admission, oldest first */
	struct http_stream *streams;
	unsigned in_handlers; /* requests between handle() and http_answer() */
	bool is_draining;
	bool is_drained;
	int64_t drain_until_ms;
	unsigned open_handles;
};

/* ---- http.c ---- */

int64_t http_now_ms(const struct http *h);
const struct config_limits *http_limits(const struct http *h);
/* `most_ms` 0: without a deadline. */
void http_wait_for(struct connection *c, enum waits what, int64_t most_ms);
/* Something was resumed: the library runs soon. */
void http_kick(struct listener *l);
/* Copies what the caller's answer borrows; the exchange is answered. */
void http_keep_answer(struct exchange *x, struct http_answer *answer);

/* ---- http_stream.c ---- */

/* The library's answer that asks the stream for its pieces. */
struct MHD_Response *http_stream_response(struct http_stream *s);
/* Its connection is over: tells its owner and frees it. */
void http_stream_free(struct http_stream *s);
/* No stream goes on after this. */
void http_stream_end_all(struct http *h);
