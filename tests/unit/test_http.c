/* The HTTP server over a Unix socket, with handlers of the test; the loop turns between bytes. */
#include "tests/unit/test.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/http.h"
#include "daemon/listen.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"

#define SMALL     1000u
#define BIG       100000u
#define PATIENCE  8000 /* ms; sanitizers and neighbours are slow */
#define LATER_MAX 64u

struct world {
	struct context ctx;
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
};

static void nothing(void *user)
{
	(void)user;
}

static size_t body_limit(const struct http_request *r, void *user)
{
	(void)user;
	return strcmp(r->path, "/big") == 0 ? BIG : SMALL;
}

static void answer(struct http_request *r, const char *text)
{
	struct http_answer a = {.status = 200, .content_type = "text/plain"};

	buf_append_str(&a.body, text);
	http_answer(r, &a);
}

static char shared[4 << 20];

static void answer_shared(struct http_request *r)
{
	struct http_answer a = {.status = 200,
				.content_type = "text/plain",
				.shared = bytes_of(shared, sizeof shared)};

	http_answer(r, &a);
}

static void handle(struct http_request *r, void *user)
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

static void refused(const struct http_request *r, unsigned status, const char *code,
		    struct http_answer *ret_answer, void *user)
{
	struct world *w = user;

	(void)r;
	(void)status;
	snprintf(w->refused, sizeof w->refused, "%s", code);
	buf_append_str(&ret_answer->body, code);
}

static void drained(void *user)
{
	struct world *w = user;

	w->is_drained = true;
}

static int setup(void **state)
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
	w->ctx.clock = clock_system();
	w->ctx.metrics = &w->metrics;
	w->ctx.peers = peers_new();
	atomic_store(&w->ctx.config, w->config);
	assert_ok(loop_new(&loop, &w->ctx.loop));
	w->http = http_new(&w->ctx, &handlers);
	assert_ok(listen_unix(w->path, &fd));
	assert_ok(http_listen(w->http, fd, HTTP_ADMIN));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < w->later_count; i++)
		answer(w->later[i], "late");
	loop_turn(w->ctx.loop);
	http_free(w->http);
	loop_free(w->ctx.loop);
	peers_free(w->ctx.peers);
	config_free(w->config);
	buf_clear(&w->last_body);
	unlink(w->path);
	rmdir(w->folder);
	free(w);
	return 0;
}

/* ---- the client ---- */

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

static int dial(struct world *w)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(sa.sun_path, w->path, strlen(w->path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

static void turn(struct world *w)
{
	loop_turn(w->ctx.loop);
	usleep(500);
}

static void turn_for(struct world *w, int64_t ms)
{
	for (int64_t end = now_ms() + ms; now_ms() < end;)
		turn(w);
}

/* False: the peer closed before everything was out. */
static bool push(struct world *w, int fd, const void *data, size_t len)
{
	const char *p = data;
	int64_t end = now_ms() + PATIENCE;

	while (len > 0 && now_ms() < end) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
		turn(w);
	}
	return len == 0;
}

static bool push_text(struct world *w, int fd, const char *text)
{
	return push(w, fd, text, strlen(text));
}

/* Appends what comes until `text` is in it, or the end. False: the end, or patience. */
static bool pull_until(struct world *w, int fd, struct buf *got, const char *text)
{
	int64_t end = now_ms() + PATIENCE;

	while (now_ms() < end) {
		ssize_t n = recv(fd, buf_reserve(got, 4096), 4096, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return false;
		if (n > 0)
			got->len += (size_t)n;
		if (text != NULL && strstr(buf_cstr(got), text) != NULL)
			return true;
		turn(w);
	}
	print_error("no end in sight: %s\n", buf_cstr(got));
	fail();
	return false;
}

/* Everything until the server closes. */
static void pull_all(struct world *w, int fd, struct buf *got)
{
	assert_false(pull_until(w, fd, got, NULL));
}

/* One request on its own connection; the status of its answer, 0: none. */
static unsigned ask(struct world *w, const char *request)
{
	struct buf got = {0};
	int fd = dial(w);
	unsigned status = 0;

	(void)push_text(w, fd, request);
	pull_all(w, fd, &got);
	/* "HTTP/1.1 200 …" */
	if (strncmp(buf_cstr(&got), "HTTP/1.", 7) == 0)
		status = (unsigned)strtoul(buf_cstr(&got) + 9, NULL, 10);
	buf_clear(&got);
	close(fd);
	return status;
}

#define CLOSE "Host: a\r\nConnection: close\r\n"

/* ---- tests ---- */

static void a_request_is_answered(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "GET /x?a=b%20c HTTP/1.1\r\n" CLOSE "\r\n"), 200);
	assert_int_equal(w->handled, 1);
	assert_string_equal(w->query, "a=b%20c");
}

static void the_caller_is_known_by_the_kernel(void **state)
{
	struct world *w = *state;

	w->uid = 12345678;
	assert_int_equal(ask(w, "GET /x HTTP/1.1\r\n" CLOSE "\r\n"), 200);
	assert_int_equal(w->uid, getuid());
}

static void a_body_is_whole_when_the_handler_sees_it(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "POST /x HTTP/1.1\r\n" CLOSE "Content-Length: 5\r\n\r\nhello"),
			 200);
	assert_int_equal(w->last_body.len, 5);
	assert_memory_equal(w->last_body.data, "hello", 5);
}

static void a_chunked_body_is_put_together(void **state)
{
	struct world *w = *state;

	assert_int_equal(ask(w, "POST /x HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n"
				"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
			 200);
	assert_int_equal(w->last_body.len, 5);
	assert_memory_equal(w->last_body.data, "hello", 5);
}

/* Who fetches it and does not read holds nothing of ours: the bytes come from where they lie. */
static void a_shared_answer_is_not_copied(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);

	memset(shared, '.', sizeof shared);
	assert_true(push_text(w, fd, "GET /shared HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_true(pull_until(w, fd, &got, "...."));
	memcpy(shared + sizeof shared - 5, "later", 5);

	assert_true(pull_until(w, fd, &got, "later"));
	close(fd);
	buf_clear(&got);
}

static void two_requests_come_on_one_connection(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);

	assert_true(push_text(w, fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, fd, &got, "done"));
	buf_reset(&got);
	assert_true(push_text(w, fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, fd, &got, "done"));
	assert_int_equal(w->handled, 2);
	close(fd);
	buf_clear(&got);
}

static void pipelined_requests_are_answered_in_turn(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);

	assert_true(push_text(w, fd,
			      "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
			      "GET /x HTTP/1.1\r\n" CLOSE "\r\n"));
	turn_for(w, 50);
	assert_int_equal(w->handled, 1);
	answer(w->later[--w->later_count], "first");
	pull_all(w, fd, &got);
	assert_true(strstr(buf_cstr(&got), "first") < strstr(buf_cstr(&got), "done"));
	assert_int_equal(w->handled, 2);
	close(fd);
	buf_clear(&got);
}

static void an_answer_may_come_later(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);

	assert_true(push_text(w, fd, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
	turn_for(w, 100);
	assert_int_equal(w->later_count, 1);
	answer(w->later[--w->later_count], "at last");
	pull_all(w, fd, &got);
	assert_non_null(strstr(buf_cstr(&got), "at last"));
	close(fd);
	buf_clear(&got);
}

static void a_peer_that_left_is_no_trouble_to_the_answer(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 20; i++) {
		int fd = dial(w);

		assert_true(push_text(w, fd, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
		turn_for(w, 5);
		close(fd);
	}
	turn_for(w, 50);
	assert_int_equal(w->later_count, 20);
	while (w->later_count > 0)
		answer(w->later[--w->later_count], "nobody hears");
	turn_for(w, 100);
	assert_int_equal(w->metrics.connections, 0);
}

static unsigned post_length(struct world *w, const char *more, size_t announced, size_t sent)
{
	struct buf request = {0};
	unsigned status;

	buf_printf(&request, "POST /x HTTP/1.1\r\n" CLOSE "%sContent-Length: %zu\r\n\r\n", more,
		   announced);
	for (size_t i = 0; i < sent; i++)
		buf_append_byte(&request, 'x');
	status = ask(w, buf_cstr(&request));
	buf_clear(&request);
	return status;
}

static void a_body_at_the_limit_is_taken_and_one_beyond_is_not(void **state)
{
	struct world *w = *state;

	assert_int_equal(post_length(w, "", SMALL, SMALL), 200);
	assert_int_equal(w->last_body.len, SMALL);
	assert_int_equal(post_length(w, "", SMALL + 1, SMALL + 1), 413);
	assert_int_equal(w->handled, 1);
	assert_string_equal(w->refused, "too_big");
}

static void who_asks_for_leave_is_refused_before_sending(void **state)
{
	struct world *w = *state;

	assert_int_equal(post_length(w, "Expect: 100-continue\r\n", SMALL + 1, 0), 413);
	assert_int_equal(w->handled, 0);
}

static void ten_gigabytes_are_refused_unread(void **state)
{
	struct world *w = *state;

	assert_int_equal(post_length(w, "", (size_t)10000000000, 100), 413);
	assert_true(w->metrics.bytes_in_total < 10000);
}

static void a_chunked_body_beyond_the_limit_is_refused(void **state)
{
	struct world *w = *state;
	struct buf request = {0};

	buf_append_str(&request,
		       "POST /x HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n44c\r\n");
	for (int i = 0; i < 1100; i++)
		buf_append_byte(&request, 'x');
	buf_append_str(&request, "\r\n0\r\n\r\n");
	assert_int_equal(ask(w, buf_cstr(&request)), 413);
	assert_int_equal(w->handled, 0);
	buf_clear(&request);
}

static void chunks_without_end_are_cut_off(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);
	size_t sent = 0;

	assert_true(push_text(w, fd,
			      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
	while (sent < 1000000 && push_text(w, fd, "a\r\n0123456789\r\n"))
		sent += 10;
	assert_true(sent < 50000);
	assert_int_equal(w->handled, 0);
	close(fd);
	buf_clear(&got);
}

static void doubtful_framing_is_refused(void **state)
{
	struct world *w = *state;
	static const char *const doubtful[] = {
		"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Content-Length: 6\r\nContent-Length: 5\r\n\r\nabcdef",
		"Content-Length: 6\r\nContent-Length: 6\r\n\r\nabcdef",
		"Content-Length : 6\r\n\r\nabcdef",
		"Content-Length: +6\r\n\r\nabcdef",
		"Content-Length: 6, 6\r\n\r\nabcdef",
		"Content-Length: -1\r\n\r\nabcdef",
		"Content-Length: 0x6\r\n\r\nabcdef",
		"Content-Length: 18446744073709551622\r\n\r\nabcdef",
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: identity\r\n\r\n",
		"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"X y: z\r\n\r\n",
		"X: a\x01z\r\n\r\n",
		"Host: b\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof doubtful / sizeof doubtful[0]; i++) {
		char request[256];
		unsigned status;

		snprintf(request, sizeof request, "POST /x HTTP/1.1\r\n" CLOSE "%s", doubtful[i]);
		status = ask(w, request);
		if (status != 400 && status != 413)
			print_error("%s gave %u\n", doubtful[i], status);
		assert_true(status == 400 || status == 413);
	}
	assert_int_equal(w->handled, 0);
}

static void what_is_no_http_is_refused(void **state)
{
	struct world *w = *state;
	static const char *const noise[] = {
		"\x16\x03\x01\x02\x00\x01\r\n\r\n",
		"GET /x HTTP/9.9\r\nHost: a\r\n\r\n",
		"GET /x HTTP/1.2\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n",
		"\r\n\r\n\r\n\r\nxxxx\r\n\r\n",
	};

	/* Some of it could still become a request: the deadline decides. */
	w->config->limits.header_ms = 300;
	for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++)
		assert_int_not_equal(ask(w, noise[i]), 200);
	assert_int_equal(w->handled, 0);
}

static void headers_without_end_are_refused(void **state)
{
	struct world *w = *state;
	struct buf request = {0};

	buf_append_str(&request, "GET /x HTTP/1.1\r\n" CLOSE);
	for (int i = 0; i < 2000; i++)
		buf_printf(&request, "X-%d: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", i);
	assert_int_not_equal(ask(w, buf_cstr(&request)), 200);
	assert_int_equal(w->handled, 0);
	buf_clear(&request);
}

/* ms until the server closed. */
static int64_t time_to_close(struct world *w, int fd, const char *drip, int64_t every_ms)
{
	struct buf got = {0};
	int64_t began = now_ms();
	int64_t next = began + every_ms;

	while (now_ms() - began < PATIENCE) {
		ssize_t n = recv(fd, buf_reserve(&got, 512), 512, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (drip != NULL && now_ms() > next) {
			(void)send(fd, drip, strlen(drip), MSG_NOSIGNAL);
			next += every_ms;
		}
		turn(w);
	}
	buf_clear(&got);
	close(fd);
	return now_ms() - began;
}

static void a_head_dripping_in_is_cut_at_its_deadline(void **state)
{
	struct world *w = *state;
	int fd = dial(w);

	w->config->limits.header_ms = 500;
	assert_true(push_text(w, fd, "GET /x HTTP/1.1\r\nHost: a\r\n"));
	assert_true(time_to_close(w, fd, "X-a: b\r\n", 100) < 4000);
	assert_true(w->metrics.deadlines_total >= 1);
}

static void a_silent_connection_is_cut_at_its_deadline(void **state)
{
	struct world *w = *state;

	w->config->limits.header_ms = 500;
	assert_true(time_to_close(w, dial(w), NULL, 100) < 4000);
}

static void a_body_dripping_in_is_cut_at_its_deadline(void **state)
{
	struct world *w = *state;
	int fd = dial(w);

	w->config->limits.body_ms = 500;
	assert_true(push_text(w, fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"));
	assert_true(time_to_close(w, fd, "z", 100) < 5000);
	assert_int_equal(w->handled, 0);
}

static void an_idle_connection_is_closed_after_a_while(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);

	w->config->limits.idle_ms = 500;
	assert_true(push_text(w, fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, fd, &got, "done"));
	assert_true(time_to_close(w, fd, NULL, 100) < 4000);
	buf_clear(&got);
}

static void a_waiting_handler_has_no_deadline(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);

	w->config->limits.header_ms = 100;
	w->config->limits.body_ms = 100;
	w->config->limits.idle_ms = 100;
	assert_true(push_text(w, fd, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
	turn_for(w, 2500);
	assert_int_equal(w->later_count, 1);
	answer(w->later[--w->later_count], "slow but sure");
	pull_all(w, fd, &got);
	assert_non_null(strstr(buf_cstr(&got), "slow but sure"));
	close(fd);
	buf_clear(&got);
}

static void a_fin_that_came_with_data_is_noticed(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int fd = dial(w);
	int64_t began = now_ms();

	/* Keep-alive, and idle connections live for a minute: only the look finds the FIN. */
	assert_true(send(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 28, 0) == 28);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	pull_all(w, fd, &got);
	assert_non_null(strstr(buf_cstr(&got), "done"));
	assert_true(now_ms() - began < 4000);
	close(fd);
	buf_clear(&got);
}

static void peers_that_vanish_leave_nothing_behind(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 60; i++) {
		int fd = dial(w);

		if (i % 3 == 0)
			(void)push_text(w, fd, "POST /x HTT");
		if (i % 3 == 1)
			(void)push_text(w, fd,
					"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: "
					"50000\r\n\r\nabc");
		close(fd);
	}
	turn_for(w, 2500);
	assert_int_equal(w->metrics.connections, 0);
	assert_int_equal(w->metrics.body_bytes, 0);
}

static int begin_big(struct world *w)
{
	int fd = dial(w);

	assert_true(push_text(w, fd,
			      "POST /big HTTP/1.1\r\n" CLOSE
			      "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n"));
	return fd;
}

static void finish_big(struct world *w, int fd)
{
	AUTO(mem_free) char *body = mem_alloc_zero(BIG);
	struct buf got = {0};

	assert_true(push(w, fd, body, BIG));
	pull_all(w, fd, &got);
	assert_non_null(strstr(buf_cstr(&got), "done"));
	buf_clear(&got);
	close(fd);
}

static void a_body_waits_until_the_budget_has_room(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int first;
	int second;
	char byte;

	w->config->limits.body_budget = 150000;
	first = begin_big(w);
	assert_true(pull_until(w, first, &got, "100 Continue"));
	second = begin_big(w);
	turn_for(w, 100);
	assert_int_equal(recv(second, &byte, 1, MSG_DONTWAIT), -1); /* not invited yet */
	/* The common small contact is not held up by it. */
	assert_int_equal(post_length(w, "", 500, 500), 200);
	finish_big(w, first);
	buf_reset(&got);
	assert_true(pull_until(w, second, &got, "100 Continue"));
	finish_big(w, second);
	turn_for(w, 50);
	assert_int_equal(w->metrics.body_bytes, 0);
	buf_clear(&got);
}

/* A few strangers with large bodies must not leave everybody else waiting without an answer. */
static void who_waits_too_long_for_room_is_told_to_come_back(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int first;
	int second;

	w->config->limits.body_budget = 150000;
	w->config->limits.body_ms = 300;
	first = begin_big(w);
	assert_true(pull_until(w, first, &got, "100 Continue"));
	second = begin_big(w);
	buf_reset(&got);

	pull_all(w, second, &got);
	assert_non_null(strstr(buf_cstr(&got), "503"));
	assert_string_equal(w->refused, "busy");
	close(second);
	finish_big(w, first);
	turn_for(w, 50);
	assert_int_equal(w->metrics.body_bytes, 0);
	buf_clear(&got);
}

static void many_idle_connections_hurt_nobody(void **state)
{
	struct world *w = *state;
	int fds[60]; /* the admin socket takes 64 at once */

	for (int i = 0; i < 60; i++)
		fds[i] = dial(w);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(w, "GET /x HTTP/1.1\r\n" CLOSE "\r\n"), 200);
	for (int i = 0; i < 60; i++)
		close(fds[i]);
}

static void wait_until_drained(struct world *w)
{
	for (int64_t end = now_ms() + PATIENCE; !w->is_drained && now_ms() < end;)
		turn(w);
	assert_true(w->is_drained);
}

static void draining_finishes_what_runs_and_closes_the_rest(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	struct buf idle_got = {0};
	int idle = dial(w);
	int running = dial(w);
	int half = begin_big(w);

	assert_true(push_text(w, idle, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, idle, &idle_got, "done"));
	assert_true(push_text(w, running, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
	turn_for(w, 50);
	http_drain(w->http, 5000);
	pull_all(w, idle, &idle_got);
	assert_false(w->is_drained);
	answer(w->later[--w->later_count], "in time");
	pull_all(w, running, &got);
	assert_non_null(strstr(buf_cstr(&got), "in time"));
	assert_non_null(strstr(buf_cstr(&got), "Connection: close"));
	finish_big(w, half);
	wait_until_drained(w);
	close(idle);
	close(running);
	buf_clear(&got);
	buf_clear(&idle_got);
}

static void draining_cuts_a_body_that_does_not_come(void **state)
{
	struct world *w = *state;
	int half = begin_big(w);
	int64_t began = now_ms();

	turn_for(w, 50);
	http_drain(w->http, 300);
	wait_until_drained(w);
	assert_true(now_ms() - began < 4000);
	assert_int_equal(w->handled, 0);
	close(half);
}

static void draining_refuses_who_waits_for_room(void **state)
{
	struct world *w = *state;
	struct buf got = {0};
	int first;
	int second;

	w->config->limits.body_budget = 150000;
	first = begin_big(w);
	turn_for(w, 50);
	second = begin_big(w);
	turn_for(w, 50);
	http_drain(w->http, 300);
	pull_all(w, second, &got);
	assert_non_null(strstr(buf_cstr(&got), "503"));
	wait_until_drained(w);
	assert_string_equal(w->refused, "busy");
	close(first);
	close(second);
	buf_clear(&got);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct world *w = *state;
	struct http_answer a = {.status = 200, .content_type = "text/plain"};
	struct buf got = {0};
	int fd = dial(w);

	assert_true(push_text(w, fd, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
	turn_for(w, 50);
	memset(buf_reserve(&a.body, 3 << 20), 'y', 3 << 20);
	a.body.len = 3 << 20;
	http_answer(w->later[--w->later_count], &a);
	pull_all(w, fd, &got);
	assert_true(got.len > 3 << 20);
	close(fd);
	buf_clear(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_request_is_answered),
		T(the_caller_is_known_by_the_kernel),
		T(a_body_is_whole_when_the_handler_sees_it),
		T(a_chunked_body_is_put_together),
		T(a_shared_answer_is_not_copied),
		T(two_requests_come_on_one_connection),
		T(pipelined_requests_are_answered_in_turn),
		T(an_answer_may_come_later),
		T(a_peer_that_left_is_no_trouble_to_the_answer),
		T(a_body_at_the_limit_is_taken_and_one_beyond_is_not),
		T(who_asks_for_leave_is_refused_before_sending),
		T(ten_gigabytes_are_refused_unread),
		T(a_chunked_body_beyond_the_limit_is_refused),
		T(chunks_without_end_are_cut_off),
		T(doubtful_framing_is_refused),
		T(what_is_no_http_is_refused),
		T(headers_without_end_are_refused),
		T(a_head_dripping_in_is_cut_at_its_deadline),
		T(a_silent_connection_is_cut_at_its_deadline),
		T(a_body_dripping_in_is_cut_at_its_deadline),
		T(an_idle_connection_is_closed_after_a_while),
		T(a_waiting_handler_has_no_deadline),
		T(a_fin_that_came_with_data_is_noticed),
		T(peers_that_vanish_leave_nothing_behind),
		T(a_body_waits_until_the_budget_has_room),
		T(who_waits_too_long_for_room_is_told_to_come_back),
		T(many_idle_connections_hurt_nobody),
		T(draining_finishes_what_runs_and_closes_the_rest),
		T(draining_cuts_a_body_that_does_not_come),
		T(draining_refuses_who_waits_for_room),
		T(a_large_answer_arrives_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
