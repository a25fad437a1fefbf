/* The HTTP server: what ends by the clock, who waits for room, and draining. */
#include "tests/unit/http_world.h"

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

	struct peer *peers[sizeof noise / sizeof noise[0]];

	w->config->limits.header_ms = 300;
	for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
		peers[i] = dial(w);
		(void)push_text(w, peers[i], noise[i]);
	}
	settle(w);
	/* Some of it could still become a request: the deadline decides. */
	let_pass(w, 301);
	for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
		pull_all(w, peers[i]);
		assert_false(has_got(peers[i], " 200 "));
	}
	assert_int_equal(w->handled, 0);
}

/* The server closes after `ms` of its clock and not before. */
static void assert_cut_after(struct world *w, struct peer *p, int64_t ms)
{
	settle(w);
	let_pass(w, ms);
	let_it_look(w);
	assert_false(is_closed(p));
	let_pass(w, 1);
	let_it_look(w);
	assert_true(is_closed(p));
}

static void a_head_dripping_in_is_cut_at_its_deadline(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	w->config->limits.header_ms = 500;
	assert_true(push_text(w, p, "GET /x HTTP/1.1\r\nHost: a\r\n"));
	for (int i = 0; i < 4; i++) {
		settle(w);
		let_pass(w, 100);
		assert_true(push_text(w, p, "X-a: b\r\n"));
	}
	assert_cut_after(w, p, 100);
	assert_int_equal(w->metrics.deadlines_total, 1);
	assert_int_equal(w->handled, 0);
}

static void a_silent_connection_is_cut_at_its_deadline(void **state)
{
	struct world *w = *state;

	w->config->limits.header_ms = 500;
	assert_cut_after(w, dial(w), 500);
}

static void a_body_dripping_in_is_cut_at_its_deadline(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	/* And what 900 bytes may take at the slowest: 439 ms. */
	w->config->limits.body_ms = 500;
	assert_true(push_text(w, p, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n"));
	for (int i = 0; i < 8; i++) {
		settle(w);
		let_pass(w, 100);
		assert_true(push_text(w, p, "z"));
	}
	assert_cut_after(w, p, 139);
	assert_int_equal(w->handled, 0);
}

static void an_idle_connection_is_closed_after_a_while(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	w->config->limits.idle_ms = 500;
	assert_true(push_text(w, p, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, p, "done"));
	assert_cut_after(w, p, 500);
}

static void a_waiting_handler_has_no_deadline(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	w->config->limits.header_ms = 100;
	w->config->limits.body_ms = 100;
	w->config->limits.idle_ms = 100;
	assert_true(push_text(w, p, "GET /later HTTP/1.1\r\n" CLOSE "\r\n"));
	settle(w);
	let_pass(w, 1000000);
	let_it_look(w);
	assert_false(is_closed(p));
	assert_int_equal(w->later_count, 1);
	answer(w->later[--w->later_count], "slow but sure");
	pull_all(w, p);
	assert_true(has_got(p, "slow but sure"));
}

static void a_fin_that_came_with_data_is_noticed(void **state)
{
	struct world *w = *state;
	struct peer *p = dial(w);

	/* Keep-alive, and no deadline passes: only the look finds the FIN. */
	assert_true(send(p->fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 28, 0) == 28);
	assert_int_equal(shutdown(p->fd, SHUT_WR), 0);
	assert_true(pull_until(w, p, "done"));
	settle(w);
	let_it_look(w);
	assert_true(is_closed(p));
}

static struct peer *begin_big(struct world *w)
{
	struct peer *p = dial(w);

	assert_true(push_text(w, p,
			      "POST /big HTTP/1.1\r\n" CLOSE
			      "Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n"));
	return p;
}

static void finish_big(struct world *w, struct peer *p)
{
	static const char body[BIG];

	assert_true(push(w, p, body, BIG));
	pull_all(w, p);
	assert_true(has_got(p, "done"));
}

static void a_body_waits_until_the_budget_has_room(void **state)
{
	struct world *w = *state;
	struct peer *first;
	struct peer *second;

	w->config->limits.body_budget = 150000;
	first = begin_big(w);
	assert_true(pull_until(w, first, "100 Continue"));
	second = begin_big(w);
	settle(w);
	assert_false(is_closed(second));
	assert_int_equal(second->got.len, 0); /* not invited yet */
	/* The common small contact is not held up by it. */
	assert_int_equal(post_length(w, "", 500, 500), 200);
	finish_big(w, first);
	assert_true(pull_until(w, second, "100 Continue"));
	finish_big(w, second);
	settle(w);
	assert_int_equal(w->metrics.body_bytes, 0);
}

/* A few strangers with large bodies must not leave everybody else waiting without an answer. */
static void who_waits_too_long_for_room_is_told_to_come_back(void **state)
{
	struct world *w = *state;
	struct peer *first;
	struct peer *second;

	w->config->limits.body_budget = 150000;
	w->config->limits.body_ms = 300;
	first = begin_big(w);
	assert_true(pull_until(w, first, "100 Continue"));
	second = begin_big(w);
	settle(w);
	let_pass(w, 300);
	let_it_look(w);
	assert_int_equal(second->got.len, 0);
	assert_false(is_closed(second));

	let_pass(w, 1);
	pull_all(w, second);
	assert_true(has_got(second, "503"));
	assert_string_equal(w->refused, "busy");
	finish_big(w, first);
	settle(w);
	assert_int_equal(w->metrics.body_bytes, 0);
}

static void wait_until_drained(struct world *w)
{
	for (unsigned turns = 0; !w->is_drained && turns < TURNS_MAX; turns++)
		rest(w);
	assert_true(w->is_drained);
}

static void draining_finishes_what_runs_and_closes_the_rest(void **state)
{
	struct world *w = *state;
	struct peer *idle = dial(w);
	struct peer *running = dial(w);
	struct peer *half = begin_big(w);

	assert_true(push_text(w, idle, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"));
	assert_true(pull_until(w, idle, "done"));
	assert_true(push_text(w, running, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
	settle(w);
	http_drain(w->http, 5000);
	pull_all(w, idle);
	assert_false(w->is_drained);
	answer(w->later[--w->later_count], "in time");
	pull_all(w, running);
	assert_true(has_got(running, "in time"));
	assert_true(has_got(running, "Connection: close"));
	finish_big(w, half);
	wait_until_drained(w);
}

static void draining_cuts_a_body_that_does_not_come(void **state)
{
	struct world *w = *state;

	(void)begin_big(w);
	settle(w);
	http_drain(w->http, 300);
	let_pass(w, 300);
	let_it_look(w);
	assert_false(w->is_drained);
	let_pass(w, 1);
	wait_until_drained(w);
	assert_int_equal(w->handled, 0);
}

static void draining_refuses_who_waits_for_room(void **state)
{
	struct world *w = *state;
	struct peer *second;

	w->config->limits.body_budget = 150000;
	(void)begin_big(w);
	settle(w);
	second = begin_big(w);
	settle(w);
	http_drain(w->http, 300);
	pull_all(w, second);
	assert_true(has_got(second, "503"));
	let_pass(w, 301);
	wait_until_drained(w);
	assert_string_equal(w->refused, "busy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(what_is_no_http_is_refused),
		T(a_head_dripping_in_is_cut_at_its_deadline),
		T(a_silent_connection_is_cut_at_its_deadline),
		T(a_body_dripping_in_is_cut_at_its_deadline),
		T(an_idle_connection_is_closed_after_a_while),
		T(a_waiting_handler_has_no_deadline),
		T(a_fin_that_came_with_data_is_noticed),
		T(a_body_waits_until_the_budget_has_room),
		T(who_waits_too_long_for_room_is_told_to_come_back),
		T(draining_finishes_what_runs_and_closes_the_rest),
		T(draining_cuts_a_body_that_does_not_come),
		T(draining_refuses_who_waits_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
