#define LOG_TAG "http"

#include "daemon/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/http_private.h"
#include "daemon/listen.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/tls.h"

#define POOL_BYTES        8192u /* the library's memory of one connection: heads up to 7 KiB */
#define ADMIN_CONNECTIONS 64u
#define TICK_MS           1000u
#define DRAIN_TICK_MS     20u
#define SMALL_BODY        16384u /* admitted without a look at the budget: the common contact */
#define SLOWEST_BYTES_S   2048   /* a peer slower than this over its whole body is cut */
#define SWALLOW_TIMES     2u     /* an over-long body is read this many limits far before 413 */
#define SHARE             4      /* one address may hold this part of the budget */
#define FIN_LOOK_MS       2500   /* how long after going idle a lost FIN is looked for */

static void pump(struct listener *l);

int64_t http_now_ms(const struct http *h)
{
	return clock_monotonic_ms(h->ctx->clock);
}

const struct config_limits *http_limits(const struct http *h)
{
	const struct config *c = h->ctx->config;

	return &c->limits;
}

void http_wait_for(struct connection *c, enum waits what, int64_t most_ms)
{
	c->waits = what;
	c->since_ms = http_now_ms(c->listener->http);
	c->deadline_ms = most_ms > 0 ? c->since_ms + most_ms : INT64_MAX;
}

static int64_t transfer_ms(size_t len)
{
	return (int64_t)len * 1000 / SLOWEST_BYTES_S;
}

/* ---- driving the library ---- */

static void on_timer(uv_timer_t *t)
{
	struct listener *l = CONTAINER_OF(t, struct listener, timer);

	pump(l);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct listener *l = CONTAINER_OF(p, struct listener, poll);

	(void)status;
	(void)events;
	pump(l);
}

static void on_again(uv_idle_t *i)
{
	struct listener *l = CONTAINER_OF(i, struct listener, again);

	pump(l);
}

/* A resumed connection does not show in MHD_get_timeout(): ask for a run ourselves. */
void http_kick(struct listener *l)
{
	l->is_kicked = true;
	uv_idle_start(&l->again, on_again);
}

/*
 * "At once" is an idle handle, not a timer of 0 ms: this libuv runs a timer that is due again in
 * the same pass over its timers, so a busy peer would keep everybody else from being heard.
 */
static void pump(struct listener *l)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	if (l->mhd == NULL)
		return;
	l->is_kicked = false;
	MHD_run(l->mhd);
	if (l->is_kicked)
		return;
	uv_idle_stop(&l->again);
	uv_timer_stop(&l->timer);
	/* 0 means: run again. Edge-triggered epoll and TLS leave work that no event announces. */
	if (MHD_get_timeout(l->mhd, &ms) != MHD_YES)
		return;
	if (ms == 0)
		uv_idle_start(&l->again, on_again);
	else
		uv_timer_start(&l->timer, on_timer, ms, 0);
}

/* ---- the budget of body bytes ---- */

static bool has_room(const struct http *h, const struct exchange *x, size_t len)
{
	int64_t budget = http_limits(h)->body_budget;
	const struct connection *c = x->connection;
	int64_t own = 0;

	if (h->reserved == 0)
		return true;
	if (h->reserved + (int64_t)len > budget)
		return false;
	if (!c->is_counted || c->address.is_local)
		return true;
	own = peers_held(h->ctx->peers, &c->address);
	return own == 0 || own + (int64_t)len <= budget / SHARE;
}

static void reserve(struct http *h, struct exchange *x, size_t len)
{
	x->reserved = len;
	h->reserved += (int64_t)len;
	peers_hold(h->ctx->peers, &x->connection->address, (int64_t)len);
	metrics_set(h->ctx->metrics, body_bytes, h->reserved);
}

/*
 * Lets in who fits, oldest first; who does not fit does not hold up the others. Who waited too
 * long hears "busy".
 */
static void admit(struct http *h)
{
	struct exchange **at = &h->waiting;
	int64_t now = http_now_ms(h);

	while (*at != NULL) {
		struct exchange *x = *at;
		size_t len = x->reserved;
		bool is_in = !h->is_draining && has_room(h, x, len);

		x->is_turned_away = !is_in && (h->is_draining || now > x->connection->deadline_ms);
		if (!is_in && !x->is_turned_away) {
			at = &x->next_waiting;
			continue;
		}
		*at = x->next_waiting;
		x->reserved = 0;
		if (is_in)
			reserve(h, x, len);
		x->is_suspended = false;
		MHD_resume_connection(x->mhd);
		http_kick(x->connection->listener);
	}
}

static void release(struct http *h, struct exchange *x)
{
	if (x->reserved == 0)
		return;
	h->reserved -= (int64_t)x->reserved;
	peers_hold(h->ctx->peers, &x->connection->address, -(int64_t)x->reserved);
	x->reserved = 0;
	metrics_set(h->ctx->metrics, body_bytes, h->reserved);
	admit(h);
}

static void queue_for_admission(struct http *h, struct exchange *x, size_t len)
{
	struct exchange **at = &h->waiting;

	while (*at != NULL)
		at = &(*at)->next_waiting;
	*at = x;
	x->next_waiting = NULL;
	x->reserved = len; /* wanted; counted by admit() */
	x->phase = PHASE_ADMISSION;
	x->is_suspended = true;
	http_wait_for(x->connection, WAITS_ADMISSION, http_limits(h)->body_ms);
	MHD_suspend_connection(x->mhd);
}

/* ---- answers ---- */

static struct MHD_Response *make_response(struct http_answer *a)
{
	struct buf body = a->body;
	void *shared;

	a->body = (struct buf){0};
	if (a->shared.len > 0) {
		/* The library only reads them; its declaration lacks the word. */
		memcpy(&shared, &a->shared.data, sizeof shared);
		return MHD_create_response_from_buffer(a->shared.len, shared,
						       MHD_RESPMEM_PERSISTENT);
	}
	if (body.len == 0) {
		buf_clear(&body);
		return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	}
	return MHD_create_response_from_buffer_with_free_callback(body.len, body.data, mem_free);
}

static enum MHD_Result send_answer(struct exchange *x)
{
	struct http *h = x->connection->listener->http;
	struct http_answer *a = &x->answer;
	size_t len = a->body.len + a->shared.len;
	struct MHD_Response *r =
		x->stream != NULL ? http_stream_response(x->stream) : make_response(a);
	enum MHD_Result rc;

	INVARIANT(r != NULL);
	if (a->content_type != NULL)
		MHD_add_response_header(r, "Content-Type", a->content_type);
	for (size_t i = 0; i < HTTP_FIELDS_MAX && a->fields[i].name != NULL; i++)
		MHD_add_response_header(r, a->fields[i].name, a->fields[i].value);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (h->is_draining)
		MHD_add_response_header(r, "Connection", "close");
	metrics_add(h->ctx->metrics, bytes_out_total, len);
	if (x->stream != NULL)
		http_wait_for(x->connection, WAITS_STREAM, 0);
	else
		http_wait_for(x->connection, WAITS_SEND,
			      http_limits(h)->answer_ms + transfer_ms(len));
	rc = MHD_queue_response(x->mhd, a->status, r);
	MHD_destroy_response(r);
	return rc;
}

static const char *copy_text(struct exchange *x, const char *text)
{
	return arena_strdup(&x->request.arena, bytes_str(text));
}

/* The caller's strings may be gone when the library asks. */
void http_keep_answer(struct exchange *x, struct http_answer *answer)
{
	struct http_answer *a = &x->answer;

	*a = *answer;
	answer->body = (struct buf){0};
	if (a->content_type != NULL)
		a->content_type = copy_text(x, a->content_type);
	for (size_t i = 0; i < HTTP_FIELDS_MAX && a->fields[i].name != NULL; i++) {
		a->fields[i].name = copy_text(x, a->fields[i].name);
		a->fields[i].value = copy_text(x, a->fields[i].value);
	}
	x->phase = PHASE_ANSWERED;
}

static enum MHD_Result refuse(struct exchange *x, unsigned status, const char *code)
{
	struct http *h = x->connection->listener->http;
	struct http_answer a = {.status = status};

	metrics_add(h->ctx->metrics, requests_refused_total, 1);
	h->handlers.refused(&x->request, status, code, &a, h->handlers.user);
	http_keep_answer(x, &a);
	return send_answer(x);
}

void http_answer(struct http_request *r, struct http_answer *answer)
{
	struct exchange *x = CONTAINER_OF(r, struct exchange, request);
	struct listener *l = x->connection->listener;

	REQUIRE(x->phase == PHASE_HANDLER);
	http_keep_answer(x, answer);
	l->http->in_handlers--;
	if (!x->is_suspended)
		return; /* still inside handle(): on_whole() sends it */
	x->is_suspended = false;
	MHD_resume_connection(x->mhd);
	http_kick(l);
}

/* ---- the head of a request ---- */

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
				 const char *value)
{
	struct exchange *x = arg;

	(void)kind;
	if (value == NULL)
		value = "";
	framing_header(&x->framing, name, value);
	header_add(&x->headers, &x->request.arena, name, value);
	return MHD_YES;
}

const char *http_header(const struct http_request *r, const char *name)
{
	const struct exchange *x =
		(const void *)((const char *)r - offsetof(struct exchange, request));

	return header_find(x->headers, name);
}

static enum MHD_Result begin_body(struct http *h, struct exchange *x)
{
	const struct framing *f = &x->framing;
	size_t len = framing_is_chunked(f) ? x->limit : f->length;

	if (f->length > x->limit) {
		/* An answer now closes at once and may be lost to a reset of what is still coming,
		 * unless the peer waits for leave (Expect) or announces more than we swallow. */
		if (http_header(&x->request, "Expect") != NULL ||
		    f->length > SWALLOW_TIMES * x->limit)
			return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too_big");
		x->phase = PHASE_SWALLOW;
		http_wait_for(x->connection, WAITS_BODY,
			      http_limits(h)->body_ms + transfer_ms(x->limit));
		return MHD_YES;
	}
	if (len > SMALL_BODY && !has_room(h, x, len)) {
		queue_for_admission(h, x, len);
		return MHD_YES;
	}
	if (len > SMALL_BODY)
		reserve(h, x, len);
	x->phase = PHASE_BODY;
	http_wait_for(x->connection, WAITS_BODY, http_limits(h)->body_ms + transfer_ms(len));
	return MHD_YES;
}

static enum MHD_Result on_head(struct exchange *x, const char *path, const char *method,
			       const char *version)
{
	struct http *h = x->connection->listener->http;

	metrics_add(h->ctx->metrics, requests_total, 1);
	x->request.path = copy_text(x, path);
	x->request.method = copy_text(x, method);
	MHD_get_connection_values(x->mhd, MHD_HEADER_KIND, on_header, x);
	if (framing_is_doubtful(&x->framing))
		return refuse(x, MHD_HTTP_BAD_REQUEST, "bad_request");
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return refuse(x, MHD_HTTP_HTTP_VERSION_NOT_SUPPORTED, "bad_request");
	x->limit = h->handlers.body_limit(&x->request, h->handlers.user);
	return begin_body(h, x);
}

/* ---- the body ---- */

static enum MHD_Result on_data(struct exchange *x, const char *data, size_t *len)
{
	struct http *h = x->connection->listener->http;

	metrics_add(h->ctx->metrics, bytes_in_total, *len);
	if (x->phase == PHASE_SWALLOW || *len > x->limit - x->request.body.len) {
		x->phase = PHASE_SWALLOW;
		x->swallowed += *len;
		buf_clear(&x->request.body);
		*len = 0;
		/* Chunked without end: no answer is possible before the end of a body. */
		return x->swallowed > SWALLOW_TIMES * x->limit ? MHD_NO : MHD_YES;
	}
	buf_append(&x->request.body, data, *len);
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result on_whole(struct exchange *x)
{
	struct http *h = x->connection->listener->http;

	if (x->phase == PHASE_SWALLOW)
		return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "too_big");
	x->phase = PHASE_HANDLER;
	http_wait_for(x->connection, WAITS_HANDLER, 0);
	h->in_handlers++;
	h->handlers.handle(&x->request, h->handlers.user);
	if (x->phase == PHASE_ANSWERED)
		return send_answer(x);
	x->is_suspended = true;
	MHD_suspend_connection(x->mhd);
	return MHD_YES;
}

/* Resumed: the library repeats the first call, without data, before it reads the body. */
static enum MHD_Result on_admitted(struct exchange *x)
{
	struct http *h = x->connection->listener->http;

	if (x->is_turned_away)
		return refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE, "busy");
	x->phase = PHASE_BODY;
	http_wait_for(x->connection, WAITS_BODY,
		      http_limits(h)->body_ms + transfer_ms(x->reserved));
	return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): the library's signature */
static enum MHD_Result on_call(void *arg, struct MHD_Connection *mhd, const char *path,
			       const char *method, const char *version, const char *data,
			       size_t *data_len, void **request)
{
	struct exchange *x = *request;

	(void)arg;
	(void)mhd;
	if (x->connection->is_refused)
		return MHD_NO;
	switch (x->phase) {
	case PHASE_HEAD: return on_head(x, path, method, version);
	case PHASE_ADMISSION: return on_admitted(x);
	case PHASE_BODY:
	case PHASE_SWALLOW: return *data_len != 0 ? on_data(x, data, data_len) : on_whole(x);
	case PHASE_ANSWERED: return send_answer(x);
	case PHASE_HANDLER: break;
	}
	UNREACHABLE();
}

/* ---- connections ---- */

static void look_at_peer(struct connection *c, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	if (c->listener->kind == HTTP_ADMIN) {
		snprintf(c->peer, sizeof c->peer, "unix");
		c->address.is_local = true;
		/* Nobody to name in the audit: nobody we listen to. */
		c->is_refused = listen_peer(c->fd, &c->uid, &c->gid) != ERR_OK;
		return;
	}
	peer_address_print(info->client_addr, c->peer);
	c->address = peer_address_of(info->client_addr);
}

static void on_opened(struct listener *l, struct MHD_Connection *mhd, void **socket_context)
{
	struct http *h = l->http;
	struct connection *c = mem_alloc_zero(sizeof *c);

	c->listener = l;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	look_at_peer(c, mhd);
	c->is_counted =
		peers_enter(h->ctx->peers, &c->address,
			    (unsigned)http_limits(h)->connections_per_address, http_now_ms(h));
	c->is_refused |= !c->is_counted;
	http_wait_for(c, WAITS_HEAD, http_limits(h)->header_ms);
	c->next = h->connections;
	c->prev = &h->connections;
	if (c->next != NULL)
		c->next->prev = &c->next;
	h->connections = c;
	*socket_context = c;
	metrics_add(h->ctx->metrics, connections, 1);
	metrics_add(h->ctx->metrics, connections_total, 1);
	if (c->is_refused) {
		metrics_add(h->ctx->metrics, connections_refused_total, 1);
		/* The library has no "close this one"; it reads the end now. */
		(void)shutdown(c->fd, SHUT_RDWR);
	}
}

static void on_connection(void *arg, struct MHD_Connection *mhd, void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct listener *l = arg;
	struct connection *c = *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		on_opened(l, mhd, socket_context);
		return;
	}
	if (c == NULL)
		return;
	if (c->is_counted)
		peers_leave(l->http->ctx->peers, &c->address);
	metrics_sub(l->http->ctx->metrics, connections, 1);
	*c->prev = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	*socket_context = NULL;
	mem_free(c);
}

/* The request line is read: a request begins. What is returned comes back as `request`. */
static void *on_line(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct exchange *x = mem_alloc_zero(sizeof *x);
	struct connection *c =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	const char *query = strchr(uri, '?');

	(void)arg;
	x->mhd = mhd;
	x->connection = c;
	x->request.kind = c->listener->kind;
	x->request.address = c->address;
	x->request.uid = c->uid;
	x->request.gid = c->gid;
	memcpy(x->request.peer, c->peer, sizeof x->request.peer);
	x->request.query = copy_text(x, query != NULL ? query + 1 : "");
	http_wait_for(c, WAITS_HEAD, http_limits(c->listener->http)->header_ms);
	return x;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **request,
			 enum MHD_RequestTerminationCode how)
{
	struct listener *l = arg;
	struct exchange *x = *request;

	(void)mhd;
	(void)how;
	if (x == NULL)
		return;
	/* A suspended request is never completed: the library does not look at it. */
	INVARIANT(!x->is_suspended);
	http_wait_for(x->connection, WAITS_IDLE, http_limits(l->http)->idle_ms);
	release(l->http, x);
	if (x->stream != NULL)
		http_stream_free(x->stream);
	buf_clear(&x->request.body);
	buf_clear(&x->answer.body);
	arena_clear(&x->request.arena);
	mem_free(x);
	*request = NULL;
}

/* ---- every second ---- */

static bool is_gone(const struct connection *c, int64_t now)
{
	char byte;
	bool is_worth_a_look = c->waits == WAITS_HEAD || c->waits == WAITS_BODY ||
			       (c->waits == WAITS_IDLE && now - c->since_ms < FIN_LOOK_MS);

	/* This version of the library can miss a FIN that came together with data. */
	return is_worth_a_look && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool is_cut_by_drain(const struct http *h, const struct connection *c, int64_t now)
{
	if (!h->is_draining)
		return false;
	if (c->waits == WAITS_IDLE)
		return true;
	/* Nothing of a request is here yet, or it had its time. */
	return now > h->drain_until_ms && c->waits != WAITS_HANDLER;
}

static void look_at_connections(struct http *h)
{
	int64_t now = http_now_ms(h);

	for (struct connection *c = h->connections; c != NULL; c = c->next) {
		bool is_late = now > c->deadline_ms && c->waits != WAITS_ADMISSION;

		if (is_late && c->deadline_ms != 0)
			metrics_add(h->ctx->metrics, deadlines_total, 1);
		if (!is_late && !is_gone(c, now) && !is_cut_by_drain(h, c, now))
			continue;
		(void)shutdown(c->fd, SHUT_RDWR);
		c->deadline_ms = INT64_MAX; /* once is enough */
	}
}

static void on_tick(uv_timer_t *t)
{
	struct http *h = CONTAINER_OF(t, struct http, tick);

	admit(h);
	look_at_connections(h);
	for (size_t i = 0; i < h->listener_count; i++)
		pump(&h->listeners[i]);
	if (h->is_draining && !h->is_drained && h->connections == NULL) {
		h->is_drained = true;
		uv_timer_stop(&h->tick);
		h->handlers.drained(h->handlers.user); /* `h` may be freed here. */
	}
}

/* ---- life cycle ---- */

struct http *http_new(struct context *ctx, const struct http_handlers *handlers)
{
	struct http *h = mem_alloc_zero(sizeof *h);

	h->ctx = ctx;
	h->handlers = *handlers;
	uv_timer_init(loop_uv(ctx->loop), &h->tick);
	uv_timer_start(&h->tick, on_tick, TICK_MS, TICK_MS);
	h->open_handles = 1;
	return h;
}

PRINTF(2, 0)
static void on_library_log(void *arg, const char *fmt, va_list args)
{
	char line[256];
	size_t len;

	(void)arg;
	vsnprintf(line, sizeof line, fmt, args);
	len = strcspn(line, "\n");
	line[len] = '\0';
	/* Peers cause nearly all of them (failed handshakes): debug, or they fill the disk. */
	log_debug("library=\"%s\"", line);
}

static struct MHD_Daemon *start(struct listener *l, int fd)
{
	const struct config_limits *lim = http_limits(l->http);
	bool is_tls = l->kind != HTTP_ADMIN;
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (is_tls ? MHD_USE_TLS : 0u);
	unsigned connections = is_tls ? (unsigned)lim->connections : ADMIN_CONNECTIONS;
	static char priorities[] = TLS_PRIORITIES; /* the library's table is not const */
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_callback()},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
		{MHD_OPTION_END, 0, NULL},
	};

	/* The logger comes first, or what goes wrong with the others is printed elsewhere. No
	 * timeout of the library's: ours know what a connection waits for. */
	return MHD_start_daemon(
		flags, 0, NULL, NULL, on_call, l, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)POOL_BYTES, MHD_OPTION_CONNECTION_LIMIT, connections,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_URI_LOG_CALLBACK, on_line,
		l, MHD_OPTION_ARRAY, is_tls ? tls : tls + 2, MHD_OPTION_END);
}

enum err http_listen(struct http *h, int fd, enum http_kind kind)
{
	struct listener *l = &h->listeners[h->listener_count];
	int epoll;

	REQUIRE(h->listener_count < HTTP_LISTENERS_MAX && !h->is_draining);
	*l = (struct listener){.http = h, .kind = kind};
	l->mhd = start(l, fd);
	if (l->mhd == NULL) {
		close(fd);
		return err_raise(ERR_IO, "libmicrohttpd does not start: %s", strerror(errno));
	}
	epoll = MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	uv_timer_init(loop_uv(h->ctx->loop), &l->timer);
	uv_idle_init(loop_uv(h->ctx->loop), &l->again);
	uv_poll_init(loop_uv(h->ctx->loop), &l->poll, epoll);
	uv_poll_start(&l->poll, UV_READABLE, on_poll);
	h->listener_count++;
	h->open_handles += 3;
	http_kick(l);
	return ERR_OK;
}

void http_drain(struct http *h, int64_t limit_ms)
{
	if (h->is_draining)
		return;
	h->is_draining = true;
	h->drain_until_ms = http_now_ms(h) + limit_ms;
	for (size_t i = 0; i < h->listener_count; i++) {
		/* Before stop: stopping would shut a listener that systemd keeps for the next of
		 * us down. */
		int fd = MHD_quiesce_daemon(h->listeners[i].mhd);

		if (fd >= 0)
			close(fd);
	}
	http_stream_end_all(h);
	admit(h); /* who waits hears "busy" */
	uv_timer_start(&h->tick, on_tick, 0, DRAIN_TICK_MS);
}

static void on_closed(uv_handle_t *handle)
{
	struct http *h = handle->data;

	h->open_handles--;
}

static void close_handle(struct http *h, uv_handle_t *handle)
{
	handle->data = h;
	uv_close(handle, on_closed);
}

void http_free(struct http *h)
{
	struct loop *loop = h->ctx->loop;

	/* Stopping with a suspended connection would abort the process. */
	REQUIRE(h->in_handlers == 0 && h->waiting == NULL && h->streams == NULL);
	for (size_t i = 0; i < h->listener_count; i++) {
		struct listener *l = &h->listeners[i];
		int fd = h->is_draining ? -1 : MHD_quiesce_daemon(l->mhd);

		if (fd >= 0)
			close(fd);
		uv_poll_stop(&l->poll);
		close_handle(h, (uv_handle_t *)&l->poll);
		close_handle(h, (uv_handle_t *)&l->timer);
		close_handle(h, (uv_handle_t *)&l->again);
		MHD_stop_daemon(MOVE(l->mhd));
	}
	close_handle(h, (uv_handle_t *)&h->tick);
	while (h->open_handles > 0)
		loop_turn(loop);
	mem_free(h);
}
