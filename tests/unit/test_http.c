/* The HTTP server: requests, bodies, framing, peers that come and go. */
#include "tests/unit/http_world.h"

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
	static const char later[] = {'l', 'a', 't', 'e', 'r'};
	struct peer *p = dial(w);

	memset(shared, '.', sizeof shared);
	assert_true(push_text(w, p, "GET /shared HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_true(pull_until(w, p, "...."));
	memcpy(shared + sizeof shared - sizeof later, later, sizeof later);

	assert_true(pull_until(w, p, "later"));
}

static void two_requests_come_on_one_connection(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	assert_true(push_text(w, p, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, p, "done"));
	buf_reset(&p->got);
	assert_true(push_text(w, p, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, p, "done"));
	assert_int_equal(w->handled, 2);
}

static void pipelined_requests_are_answered_in_turn(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	assert_true(push_text(w, p,
			      "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
			      "GET /x HTTP/1.1\r\n" CLOSE "\r\n"));
	settle(w);
	assert_int_equal(w->handled, 1);
	answer(w->later[--w->later_count], "first");
	pull_all(w, p);
	assert_true(has_got(p, "first"));
	assert_true(strstr(buf_cstr(&p->got), "first") < strstr(buf_cstr(&p->got), "done"));
	assert_int_equal(w->handled, 2);
}

static void an_answer_may_come_later(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	assert_true(push_text(w, p, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
	settle(w);
	assert_int_equal(w->later_count, 1);
	answer(w->later[--w->later_count], "at last");
	pull_all(w, p);
	assert_true(has_got(p, "at last"));
}

static void a_peer_that_left_is_no_trouble_to_the_answer(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 20; i++) {
		struct peer *p = dial(w);

		assert_true(push_text(w, p, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
		settle(w);
		hang_up(p);
	}
	settle(w);
	assert_int_equal(w->later_count, 20);
	while (w->later_count > 0)
		answer(w->later[--w->later_count], "nobody hears");
	settle(w);
	assert_int_equal(w->metrics.connections, 0);
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

	buf_append_str(&w->request,
		       "POST /x HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n44c\r\n");
	for (int i = 0; i < 1100; i++)
		buf_append_byte(&w->request, 'x');
	buf_append_str(&w->request, "\r\n0\r\n\r\n");
	assert_int_equal(ask(w, buf_cstr(&w->request)), 413);
	assert_int_equal(w->handled, 0);
}

static void chunks_without_end_are_cut_off(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);
	size_t sent = 0;

	assert_true(push_text(w, p,
			      "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
	while (sent < 1000000 && push_text(w, p, "a\r\n0123456789\r\n"))
		sent += 10;
	assert_true(sent < 50000);
	assert_int_equal(w->handled, 0);
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

static void headers_without_end_are_refused(void **state)
{
	struct world *w = *state;

	buf_append_str(&w->request, "GET /x HTTP/1.1\r\n" CLOSE);
	for (int i = 0; i < 2000; i++)
		buf_printf(&w->request, "X-%d: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n", i);
	assert_int_not_equal(ask(w, buf_cstr(&w->request)), 200);
	assert_int_equal(w->handled, 0);
}

static void peers_that_vanish_leave_nothing_behind(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 60; i++) {
		struct peer *p = dial(w);

		if (i % 3 == 0)
			(void)push_text(w, p, "POST /x HTT");
		if (i % 3 == 1)
			(void)push_text(w, p,
					"POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: "
					"50000\r\n\r\nabc");
		hang_up(p);
	}
	settle(w);
	let_it_look(w);
	settle(w);
	assert_int_equal(w->metrics.connections_total, 60);
	assert_int_equal(w->metrics.connections, 0);
	assert_int_equal(w->metrics.body_bytes, 0);
}

static void many_idle_connections_hurt_nobody(void **state)
{
	struct world *w = *state;

	/* The admin socket takes 64 at once. */
	for (int i = 0; i < 60; i++)
		(void)dial(w);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ask(w, "GET /x HTTP/1.1\r\n" CLOSE "\r\n"), 200);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct world *w = *state;
	struct http_answer a = {.status = 200, .content_type = "text/plain"};
	struct peer *p = dial(w);

	assert_true(push_text(w, p, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
	settle(w);
	memset(buf_reserve(&a.body, 3 << 20), 'y', 3 << 20);
	a.body.len = 3 << 20;
	http_answer(w->later[--w->later_count], &a);
	pull_all(w, p);
	assert_true(p->got.len > 3 << 20);
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
		T(headers_without_end_are_refused),
		T(peers_that_vanish_leave_nothing_behind),
		T(many_idle_connections_hurt_nobody),
		T(a_large_answer_arrives_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
