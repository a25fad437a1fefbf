#define LOG_TAG "http"

#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/http_private.h"

#define PIECE ((size_t)4096) /* what the library asks for at once, out of a connection's memory */

/*
 * The library asks for more whenever it can write. With nothing to give it would ask again and
 * again: then the connection is parked (suspended) until there is something. A parked one is not
 * watched, so a peer that left is noticed by the next pieces: whoever owns a stream sends one now
 * and then.
 */
struct http_stream {
	struct exchange *exchange;
	struct http_stream *next;
	struct http_stream **prev;
	struct buf waiting;
	size_t taken; /* of `waiting`, by the library */
	bool is_parked;
	bool is_over; /* no more pieces */
	void (*gone)(void *user);
	void *user;
};

static void unpark(struct http_stream *s)
{
	struct exchange *x = s->exchange;

	if (!s->is_parked)
		return;
	s->is_parked = false;
	x->is_suspended = false;
	MHD_resume_connection(x->mhd);
	http_kick(x->connection->listener);
}

/* The library wants bytes; on the loop, inside MHD_run(). */
static ssize_t on_want(void *arg, uint64_t at, char *to, size_t room)
{
	struct http_stream *s = arg;
	size_t left = s->waiting.len - s->taken;

	(void)at;
	if (left != 0) {
		size_t len = left < room ? left : room;

		memcpy(to, s->waiting.data + s->taken, len);
		s->taken += len;
		return (ssize_t)len;
	}
	buf_reset(&s->waiting);
	s->taken = 0;
	s->exchange->connection->deadline_ms = INT64_MAX;
	if (s->is_over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	s->is_parked = true;
	s->exchange->is_suspended = true;
	MHD_suspend_connection(s->exchange->mhd);
	return 0;
}

struct MHD_Response *http_stream_response(struct http_stream *s)
{
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, on_want, s, NULL);
}

void http_stream_free(struct http_stream *s)
{
	*s->prev = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	buf_clear(&s->waiting);
	s->gone(s->user);
	mem_free(s);
}

struct http_stream *http_stream_begin(struct http_request *r, struct http_answer *head,
				      void (*gone)(void *user), void *user)
{
	struct exchange *x = CONTAINER_OF(r, struct exchange, request);
	struct http *h = x->connection->listener->http;
	struct http_stream *s = mem_alloc_zero(sizeof *s);

	REQUIRE(x->phase == PHASE_HANDLER && head->body.len == 0 && head->shared.len == 0);
	*s = (struct http_stream){.exchange = x,
				  .next = h->streams,
				  .prev = &h->streams,
				  .is_over = h->is_draining,
				  .gone = gone,
				  .user = user};
	if (s->next != NULL)
		s->next->prev = &s->next;
	h->streams = s;
	x->stream = s;
	http_keep_answer(x, head);
	h->in_handlers--;
	/* Within handle() the head leaves when that returns. */
	if (x->is_suspended) {
		s->is_parked = true;
		unpark(s);
	}
	return s;
}

static void cut(struct http_stream *s)
{
	/* The library has no "close this one"; it finds the end at its next write. */
	(void)shutdown(s->exchange->connection->fd, SHUT_RDWR);
	s->is_over = true;
	unpark(s);
}

/* A peer that is always a little behind must not make us keep all it ever got. */
static void drop_taken(struct http_stream *s)
{
	s->waiting.len -= s->taken;
	memmove(s->waiting.data, s->waiting.data + s->taken, s->waiting.len);
	s->taken = 0;
}

void http_stream_send(struct http_stream *s, struct bytes piece)
{
	struct connection *c = s->exchange->connection;
	const size_t left = s->waiting.len - s->taken;

	if (s->is_over)
		return;
	if (piece.len > HTTP_STREAM_BYTES - left) {
		cut(s);
		return;
	}
	if (left == 0)
		c->deadline_ms =
			http_now_ms(c->listener->http) + http_limits(c->listener->http)->answer_ms;
	if (s->taken > HTTP_STREAM_BYTES)
		drop_taken(s);
	buf_append_bytes(&s->waiting, piece);
	unpark(s);
}

void http_stream_end(struct http_stream *s)
{
	s->is_over = true;
	unpark(s);
}

void http_stream_end_all(struct http *h)
{
	for (struct http_stream *s = h->streams; s != NULL; s = s->next)
		http_stream_end(s);
}
