/*
 * http_world - an HTTP server over a Unix socket, with handlers of the test, and its peers.
 *
 * Server and peers are one thread, and the server's clock is the test's: what was sent is there in
 * the next turns of the loop and no deadline passes before the test says so, however slow the
 * machine.
 */
#pragma once

#include "tests/unit/test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "daemon/config.h"
#include "daemon/http.h"
#include "daemon/listen.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"

#define SMALL       1000u
#define BIG         100000u
#define LATER_MAX   64u
#define DIALLED_MAX 128u
#define LOOK_MS     1000 /* real time between the server's looks at its connections */
#define PIECE       65536u
#define SETTLED     100u   /* turns after which all that can be done is done */
#define TURNS_MAX   20000u /* what did not happen by then does not: ten looks at least */

/* The other end of a connection, and what came. */
struct peer {
	int fd;
	struct buf got;
};

struct world {
	struct context ctx;
	struct clock_fake time;
	uv_timer_t look;
	struct config *config;
	struct metrics metrics;
	struct http *http;
	char folder[32];
	char path[64];
	unsigned handled;
	struct buf last_body;
	struct http_request *later[LATER_MAX];
	unsigned later_count;
	char refused[32];
	uint32_t uid;
	char query[64];
	bool is_drained;
	bool has_looked;
	/* Here, so that a test that fails leaves nothing to the leak checker. */
	struct peer peers[DIALLED_MAX];
	unsigned peer_count;
	struct buf request;
};

static inline void nothing(void *user)
{
	(void)user;
}

static inline size_t body_limit(const struct http_request *r, void *user)
{
	(void)user;
	return strcmp(r->path, "/big") == 0 ? BIG : SMALL;
}

static inline void answer(struct http_request *r, const char *text)
{
	struct http_answer a = {.status = 200, .content_type = "text/plain"};

	buf_append_str(&a.body, text);
	http_answer(r, &a);
}

static char shared[4 << 20];

static inline void answer_shared(struct http_request *r)
{
	struct http_answer a = {.status = 200,
				.content_type = "text/plain",
				.shared = bytes_of(shared, sizeof shared)};

	http_answer(r, &a);
}

static inline void handle(struct http_request *r, void *user)
{
	struct world *w = user;

	w->handled++;
	w->uid = r->uid;
	snprintf(w->query, sizeof w->query, "%s", r->query);
	buf_reset(&w->last_body);
	buf_append_bytes(&w->last_body, buf_bytes(&r->body));
	if (strcmp(r->path, "/later") == 0) {
		assert_true(w->later_count < LATER_MAX);
		w->later[w->later_count++] = r;
		return;
	}
	if (strcmp(r->path, "/shared") == 0) {
		answer_shared(r);
		return;
	}
	answer(r, "done");
}

static inline void refused(const struct http_request *r, unsigned status, const char *code,
			   struct http_answer *ret_answer, void *user)
{
	struct world *w = user;

	(void)r;
	(void)status;
	snprintf(w->refused, sizeof w->refused, "%s", code);
	buf_append_str(&ret_answer->body, code);
}

static inline void drained(void *user)
{
	struct world *w = user;

	w->is_drained = true;
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	const struct loop_handlers loop = {nothing, nothing, nothing, NULL};
	const struct http_handlers handlers = {body_limit, handle, refused, drained, w};
	int fd = -1;

	snprintf(w->folder, sizeof w->folder, "/tmp/test_http_XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return -1;
	snprintf(w->path, sizeof w->path, "%s/s", w->folder);
	w->config = config_new();
	clock_fake_init(&w->time, 0);
	w->ctx.clock = &w->time.clock;
	w->ctx.metrics = &w->metrics;
	w->ctx.peers = peers_new();
	atomic_store(&w->ctx.config, w->config);
	assert_ok(loop_new(&loop, &w->ctx.loop));
	w->http = http_new(&w->ctx, &handlers);
	/* After the server's own: of two that are due together it runs second. */
	uv_timer_init(loop_uv(w->ctx.loop), &w->look);
	w->look.data = w;
	assert_ok(listen_unix(w->path, &fd));
	assert_ok(http_listen(w->http, fd, HTTP_ADMIN));
	*state = w;
	return 0;
}

static inline void hang_up(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	buf_clear(&p->got);
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < w->later_count; i++)
		answer(w->later[i], "late");
	for (unsigned i = 0; i < w->peer_count; i++)
		hang_up(&w->peers[i]);
	loop_turn(w->ctx.loop);
	uv_close((uv_handle_t *)&w->look, NULL);
	http_free(w->http);
	loop_free(w->ctx.loop);
	peers_free(w->ctx.peers);
	config_free(w->config);
	buf_clear(&w->last_body);
	buf_clear(&w->request);
	unlink(w->path);
	rmdir(w->folder);
	free(w);
	return 0;
}

/* ---- the client ---- */

static inline struct peer *dial(struct world *w)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct peer *p = &w->peers[w->peer_count];

	assert_true(w->peer_count < DIALLED_MAX);
	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(p->fd >= 0);
	w->peer_count++;
	memcpy(sa.sun_path, w->path, strlen(w->path) + 1);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return p;
}

static inline void turn(struct world *w)
{
	loop_turn(w->ctx.loop);
}

/* For what the server does by and by. */
static inline void rest(struct world *w)
{
	turn(w);
	usleep(1000);
}

/* The server does with what was sent whatever it will do. */
static inline void settle(struct world *w)
{
	for (unsigned i = 0; i < SETTLED; i++)
		turn(w);
}

/* For the server only. */
static inline void let_pass(struct world *w, int64_t ms)
{
	w->time.monotonic += ms;
}

static inline void on_look(uv_timer_t *t)
{
	struct world *w = t->data;

	w->has_looked = true;
}

/* When this returns the server has looked for deadlines and ends at least once more. */
static inline void let_it_look(struct world *w)
{
	w->has_looked = false;
	uv_timer_start(&w->look, on_look, LOOK_MS, 0);
	while (!w->has_looked)
		rest(w);
}

/* False: the peer closed before everything was out. */
static inline bool push(struct world *w, struct peer *p, const void *data, size_t len)
{
	const char *at = data;

	for (unsigned turns = 0; len > 0 && turns < TURNS_MAX; turns++) {
		ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		turn(w);
	}
	return len == 0;
}

static inline bool push_text(struct world *w, struct peer *p, const char *text)
{
	return push(w, p, text, strlen(text));
}

/* Takes what is there. False: the server closed. */
static inline bool pull(struct peer *p)
{
	ssize_t n = recv(p->fd, buf_reserve(&p->got, PIECE), PIECE, MSG_DONTWAIT);

	if (n > 0)
		p->got.len += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Appends what comes until `text` is in it, or the end. False: the end. */
static inline bool pull_until(struct world *w, struct peer *p, const char *text)
{
	for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
		size_t before = p->got.len;
		bool is_open = pull(p);
		size_t seam = text != NULL ? strlen(text) : 0;

		if (text != NULL &&
		    strstr(buf_cstr(&p->got) + (before > seam ? before - seam : 0), text) != NULL)
			return true;
		if (!is_open)
			return false;
		if (p->got.len == before)
			rest(w);
		else
			turn(w);
	}
	print_error("no end in sight after %zu bytes\n", p->got.len);
	fail();
	return false;
}

/* Everything until the server closes. */
static inline void pull_all(struct world *w, struct peer *p)
{
	assert_false(pull_until(w, p, NULL));
}

static inline bool has_got(struct peer *p, const char *text)
{
	return strstr(buf_cstr(&p->got), text) != NULL;
}

static inline bool is_closed(struct peer *p)
{
	size_t before;

	do {
		before = p->got.len;
		if (!pull(p))
			return true;
	} while (p->got.len != before);
	return false;
}

/* One request on its own connection; the status of its answer, 0: none. */
static inline unsigned ask(struct world *w, const char *request)
{
	struct peer *p = dial(w);
	unsigned status = 0;

	(void)push_text(w, p, request);
	pull_all(w, p);
	/* "HTTP/1.1 200 …" */
	if (strncmp(buf_cstr(&p->got), "HTTP/1.", 7) == 0)
		status = (unsigned)strtoul(buf_cstr(&p->got) + 9, NULL, 10);
	hang_up(p);
	return status;
}

#define CLOSE "Host: a\r\nConnection: close\r\n"

static inline unsigned post_length(struct world *w, const char *more, size_t announced, size_t sent)
{
	struct buf *request = &w->request;

	buf_reset(request);
	buf_printf(request, "POST /x HTTP/1.1\r\n" CLOSE "%sContent-Length: %zu\r\n\r\n", more,
		   announced);
	for (size_t i = 0; i < sent; i++)
		buf_append_byte(request, 'x');
	return ask(w, buf_cstr(request));
}
