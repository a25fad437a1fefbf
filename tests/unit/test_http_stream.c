/* Answers that go on (server-sent events): pieces, slow peers, peers that left, the stop. */
#include "tests/unit/http_world.h"

#define ASK "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

static unsigned gone_count;

static void on_gone(void *user)
{
	(void)user;
	gone_count++;
}

/* A peer that is being answered, its answer going on. */
static struct http_stream *begin(struct world *w, struct peer **ret_peer)
{
	struct http_answer head = {.status = 200, .content_type = "text/event-stream"};
	struct peer *p = dial(w);
	unsigned before = w->later_count;

	gone_count = 0;
	assert_true(push_text(w, p, ASK));
	while (w->later_count == before)
		rest(w);
	w->later_count--;
	*ret_peer = p;
	return http_stream_begin(w->later[w->later_count], &head, on_gone, w);
}

static void wait_until_gone(struct world *w)
{
	for (unsigned turns = 0; gone_count == 0 && turns < TURNS_MAX; turns++)
		rest(w);
	assert_int_equal(gone_count, 1);
}

static void the_head_leaves_before_the_first_piece(void **state)
{
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);

	assert_true(pull_until(w, p, "\r\n\r\n"));
	assert_true(has_got(p, "HTTP/1.1 200 "));
	assert_true(has_got(p, "text/event-stream"));
	assert_true(has_got(p, "Transfer-Encoding: chunked"));
	http_stream_end(s);
	wait_until_gone(w);
}

static void each_piece_arrives_when_it_is_sent(void **state)
{
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);

	http_stream_send(s, BYTES_LIT("data: 1\n\n"));
	assert_true(pull_until(w, p, "data: 1\n\n"));
	settle(w);
	http_stream_send(s, BYTES_LIT("data: 2\n\n"));
	http_stream_send(s, BYTES_LIT("data: 3\n\n"));
	assert_true(pull_until(w, p, "data: 3\n\n"));
	assert_true(has_got(p, "data: 2\n\n"));
	http_stream_end(s);
	/* The last chunk; the connection is kept for the next request. */
	assert_true(pull_until(w, p, "\r\n0\r\n\r\n"));
	wait_until_gone(w);
	assert_false(is_closed(p));
}

/* What is sent before an end still arrives. */
static void the_last_words_are_not_lost(void **state)
{
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);

	http_stream_send(s, BYTES_LIT("event: end\n\n"));
	http_stream_end(s);
	http_stream_send(s, BYTES_LIT("too late"));
	assert_true(pull_until(w, p, "\r\n0\r\n\r\n"));
	assert_true(has_got(p, "event: end\n\n"));
	assert_false(has_got(p, "too late"));
	wait_until_gone(w);
}

static void nobody_turns_in_circles_while_there_is_nothing_to_send(void **state)
{
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);

	assert_true(pull_until(w, p, "\r\n\r\n"));
	settle(w);
	/* Idle handles make a loop turn without waiting; a parked answer has none. */
	assert_int_equal(uv_backend_timeout(loop_uv(w->ctx.loop)) == 0, 0);
	http_stream_end(s);
	wait_until_gone(w);
}

static void a_peer_that_left_is_noticed_by_the_next_pieces(void **state)
{
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);

	assert_true(pull_until(w, p, "\r\n\r\n"));
	hang_up(p);
	for (unsigned beats = 0; gone_count == 0 && beats < 100; beats++) {
		http_stream_send(s, BYTES_LIT(":\n\n"));
		settle(w);
	}
	assert_int_equal(gone_count, 1);
}

static void a_peer_that_takes_nothing_is_cut_when_too_much_waits(void **state)
{
	static const char piece[8192] = "x";
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);
	size_t sent = 0;

	/* What the kernel takes, and what may wait; then it is over. */
	while (gone_count == 0 && sent < (16u << 20)) {
		http_stream_send(s, bytes_of(piece, sizeof piece));
		sent += sizeof piece;
		turn(w);
	}
	assert_int_equal(gone_count, 1);
	assert_in_range(sent, HTTP_STREAM_BYTES, (16u << 20) - 1);
	pull_all(w, p);
}

/* How many kilobytes a peer that takes nothing is given before it is cut. */
static size_t fill(struct world *w, struct http_stream *s, size_t most)
{
	static const char piece[1024] = "x";
	size_t count = 0;

	for (; count < most && gone_count == 0; count++) {
		http_stream_send(s, bytes_of(piece, sizeof piece));
		turn(w);
	}
	settle(w);
	return count;
}

static void a_peer_that_takes_nothing_for_too_long_is_cut(void **state)
{
	struct world *w = *state;
	struct peer *p;
	size_t enough = fill(w, begin(w, &p), 10000);

	/* Half of what may wait waits: that is not too much, but for how long? */
	(void)fill(w, begin(w, &p), enough - HTTP_STREAM_BYTES / 2048);
	assert_int_equal(gone_count, 0);
	let_pass(w, w->config->limits.answer_ms - 1);
	let_it_look(w);
	assert_int_equal(gone_count, 0);
	let_pass(w, 2);
	let_it_look(w);
	wait_until_gone(w);
}

static void an_idle_stream_has_no_deadline(void **state)
{
	struct world *w = *state;
	struct peer *p;
	struct http_stream *s = begin(w, &p);

	assert_true(pull_until(w, p, "\r\n\r\n"));
	settle(w);
	let_pass(w, INT64_C(86400000));
	let_it_look(w);
	assert_int_equal(gone_count, 0);
	http_stream_send(s, BYTES_LIT("data: still here\n\n"));
	assert_true(pull_until(w, p, "still here"));
	http_stream_end(s);
	wait_until_gone(w);
}

static void the_drain_ends_every_stream(void **state)
{
	struct world *w = *state;
	struct peer *a;
	struct peer *b;

	(void)begin(w, &a);
	(void)begin(w, &b);
	assert_true(pull_until(w, a, "\r\n\r\n"));
	assert_true(pull_until(w, b, "\r\n\r\n"));
	http_drain(w->http, 1000);
	pull_all(w, a);
	pull_all(w, b);
	while (!w->is_drained)
		rest(w);
	assert_int_equal(gone_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_head_leaves_before_the_first_piece),
		T(each_piece_arrives_when_it_is_sent),
		T(the_last_words_are_not_lost),
		T(nobody_turns_in_circles_while_there_is_nothing_to_send),
		T(a_peer_that_left_is_noticed_by_the_next_pieces),
		T(a_peer_that_takes_nothing_is_cut_when_too_much_waits),
		T(a_peer_that_takes_nothing_for_too_long_is_cut),
		T(an_idle_stream_has_no_deadline),
		T(the_drain_ends_every_stream),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
