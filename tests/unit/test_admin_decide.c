#include "tests/unit/test.h"

#include <string.h>

#include "daemon/admin.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

/* What administrators are told when they decide, and what the audit keeps. */
static struct ground g;
static struct ground_device *a;
static struct ground_device *b;
static struct admin_call call;
static json_t *args; /* of the call */

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	a = ground_device(&g, g.north, true);
	b = ground_device(&g, g.north, true);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	json_decref(args);
	args = NULL;
	admin_call_clear(&call);
	call = (struct admin_call){0};
	ground_close(&g);
	return 0;
}

/* Runs a command as the edge does; `call` holds what came of it until the next one. */
static enum err ask(const char *name, json_t *take_args)
{
	const struct admin_command *command = admin_find(name);
	enum err e;

	json_decref(args);
	args = take_args;
	admin_call_clear(&call);
	call = (struct admin_call){.ctx = &g.ctx,
				   .store = g.store,
				   .caller = {7, "uid:7"},
				   .args = args,
				   .arena = &g.a};
	assert_non_null(command);
	assert_ok(store_begin(g.store));
	e = admin_run(command, &call);
	if (e != ERR_OK)
		store_rollback(g.store);
	else
		assert_ok(store_commit(g.store));
	return e;
}

static enum err ask_conflict(const char *name, int number)
{
	return ask(name, json_pack("{s:i}", "conflict", number));
}

static const char *text(const char *key)
{
	return json_string_value(json_object_get(call.result, key));
}

/* Vietnamese, English, and the word. */
static void assert_says(const char *word)
{
	assert_non_null(strstr(call.error, " / "));
	if (strstr(call.error, word) == NULL)
		print_error("%s\n", call.error);
	assert_non_null(strstr(call.error, word));
}

static void assert_audit(const char *what, const char *forbidden, int want)
{
	static const char query[] = "SELECT CAST(detail AS TEXT) FROM audit WHERE what = ?";
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	int count = 0;

	assert_ok(sql_use(g.store, query, &q));
	sql_bind_text(q, 1, bytes_str(what));
	for (assert_ok(sql_step(q, &is_row)); is_row; assert_ok(sql_step(q, &is_row))) {
		struct bytes detail = sql_text(q, 0);

		assert_null(memmem(detail.data, detail.len, forbidden, strlen(forbidden)));
		count++;
	}
	assert_int_equal(count, want);
}

/* Two devices write a field of a new record at once. */
static struct id clash(const char *type, const char *field, const char *of_a, const char *of_b)
{
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change made = ground_change(&g, a, type, &id, 0);
	struct change early;
	struct change late;

	ground_write(&g, &made, "unit", value_int(g.north));
	ground_write(&g, &made, strcmp(type, "secret") == 0 ? "body" : "name", ground_text("Gốc"));
	uint64_t base = ground_push(&g, a, &made, 1).log;
	early = ground_change(&g, a, type, &id, base);
	g.clock.wall += 1000;
	late = ground_change(&g, b, type, &id, base);
	ground_write(&g, &early, field, ground_text(of_a));
	ground_write(&g, &late, field, ground_text(of_b));
	(void)ground_push(&g, a, &early, 1);
	(void)ground_push(&g, b, &late, 1);
	return id;
}

static void a_decision_says_what_stands_and_by_whom(UNUSED_STATE)
{
	(void)clash("person", "name", "A", "B");

	assert_ok(ask_conflict("conflict restore", 1));
	assert_string_equal(text("type"), "person");
	assert_string_equal(text("stands"), "A");
	assert_string_equal(text("replaced"), "B");
	assert_string_equal(text("state"), "restored");
	assert_string_equal(text("decided_by"), "uid:7");

	assert_ok(ask_conflict("conflict show", 1));
	assert_string_equal(text("now"), "A");
	assert_string_equal(text("kept"), "B");
	assert_string_equal(text("decided_by"), "uid:7");
	assert_non_null(text("decided_at"));
	assert_int_equal(json_integer_value(json_object_get(call.result, "decided_device")), 0);
}

static void an_open_conflict_says_that_nobody_decided(UNUSED_STATE)
{
	(void)clash("person", "name", "A", "B");

	assert_ok(ask_conflict("conflict show", 1));

	assert_true(json_is_null(json_object_get(call.result, "decided_by")));
	assert_true(json_is_null(json_object_get(call.result, "decided_at")));
	assert_true(json_is_null(json_object_get(call.result, "decided_device")));
}

static void the_second_decision_is_refused_with_the_first(UNUSED_STATE)
{
	(void)clash("person", "name", "A", "B");
	assert_ok(ask_conflict("conflict keep", 1));
	assert_string_equal(text("stands"), "B");
	assert_true(json_is_null(json_object_get(call.result, "replaced")));

	assert_err(ask_conflict("conflict restore", 1), ERR_CONFLICT);
	assert_says("kept");
	assert_says("uid:7");
	assert_says("2026-09-");
	assert_err(ask_conflict("conflict keep", 9), ERR_NOTFOUND);
	assert_says("9");
	assert_audit("conflict keep", "B", 1);
	assert_audit("conflict restore", "A", 0);
}

static void an_event_is_refused_with_what_to_do(UNUSED_STATE)
{
	struct id visit = id_new(&g.clock.clock, &g.rand);
	struct change made = ground_change(&g, a, "visit", &visit, 0);
	struct change again;

	ground_write(&g, &made, "unit", value_int(g.north));
	ground_write(&g, &made, "person", value_bytes(bytes_of(visit.bytes, ID_LEN)));
	ground_write(&g, &made, "day", ground_text("2026-09-01"));
	(void)ground_push(&g, a, &made, 1);
	again = ground_change(&g, b, "visit", &visit, 0);
	ground_write(&g, &again, "day", ground_text("2026-09-02"));
	(void)ground_push(&g, b, &again, 1);

	assert_err(ask_conflict("conflict restore", 1), ERR_INVAL);

	assert_says("corrects=");
	assert_says("ctxh void");
	assert_says("conflict keep 1");
}

/* Neither the answer nor the audit says what a restricted record holds. */
static void a_restricted_decision_shows_no_values(UNUSED_STATE)
{
	(void)clash("secret", "body", "kín một", "kín hai");

	assert_ok(ask_conflict("conflict restore", 1));

	assert_true(json_is_null(json_object_get(call.result, "type")));
	assert_true(json_is_null(json_object_get(call.result, "stands")));
	assert_true(json_is_null(json_object_get(call.result, "replaced")));
	assert_true(json_is_null(json_object_get(call.result, "field")));
	assert_audit("conflict restore", "kín", 1);
	assert_audit("conflict restore", "secret", 1);
}

/* ---- taken back ---- */

static void a_decision_is_taken_back_and_listed_until_then(UNUSED_STATE)
{
	(void)clash("person", "name", "A", "B");
	(void)clash("person", "name", "C", "D");
	assert_err(ask_conflict("conflict reopen", 1), ERR_CONFLICT);
	assert_says("not decided");
	assert_ok(ask_conflict("conflict restore", 1));
	g.clock.wall += 1000;
	assert_ok(ask_conflict("conflict keep", 2));
	assert_ok(ask("conflict list", json_pack("{s:b}", "decided", 1)));
	assert_int_equal(json_array_size(call.result), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(call.result, 0), "conflict")), 2);
	assert_non_null(
		json_string_value(json_object_get(json_array_get(call.result, 1), "decided_at")));
	assert_ok(ask("conflict list", json_pack("{s:b, s:i}", "decided", 1, "limit", 1)));
	assert_int_equal(json_array_size(call.result), 1);

	assert_ok(ask_conflict("conflict reopen", 1));

	assert_string_equal(text("state"), "open");
	assert_string_equal(text("stands"), "B");
	assert_string_equal(text("replaced"), "A");
	assert_true(json_is_null(json_object_get(call.result, "decided_by")));
	assert_audit("conflict reopen", "\"A\"", 1);
	assert_ok(ask("conflict list", json_pack("{s:b}", "decided", 1)));
	assert_int_equal(json_array_size(call.result), 1);
	assert_err(ask_conflict("conflict reopen", 9), ERR_NOTFOUND);
}

static void who_wrote_the_value_again_is_said(UNUSED_STATE)
{
	struct id id = clash("person", "name", "A", "B");
	uint64_t log = 0;
	struct change c;

	assert_ok(store_last_log(g.store, &log));
	g.clock.wall += 1000;
	c = ground_change(&g, a, "person", &id, log);
	ground_write(&g, &c, "name", ground_text("A"));
	(void)ground_push(&g, a, &c, 1);

	assert_err(ask_conflict("conflict reopen", 1), ERR_CONFLICT);

	assert_says("Cộng tác viên 1");
	assert_audit("conflict reopen", "A", 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_decision_says_what_stands_and_by_whom),
		CASE(an_open_conflict_says_that_nobody_decided),
		CASE(the_second_decision_is_refused_with_the_first),
		CASE(an_event_is_refused_with_what_to_do),
		CASE(a_restricted_decision_shows_no_values),
		CASE(a_decision_is_taken_back_and_listed_until_then),
		CASE(who_wrote_the_value_again_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
