/*
 * Reports as administrators ask for them: as of a log number, frozen, printed again, and what came
 * late. Records come through ingest: the store as it stood is made from the log.
 */
#include "common/base/id.h"
#include "common/report/format.h"
#include "daemon/erase.h"
#include "daemon/store_sql.h"
#include "tests/unit/admin_office.h"

#define PERIOD "\"unit\":\"70\",\"on\":\"2021-04-13\",\"from\":\"2020-01-01\",\"to\":\"2020-12-31\""

static void collaborator(struct device *d)
{
	struct id worker = PUSH_NEW(d, "worker", OFFICE_TEXT("full_name", "Nguyễn Văn A"));

	(void)PUSH_NEW(d, "worker_assignment",
		       {BYTES_LIT("worker"), value_bytes(bytes_of(worker.bytes, ID_LEN))},
		       OFFICE_TEXT("role", "collaborator"), OFFICE_TEXT("work_form", "full_time"),
		       OFFICE_TEXT("started_on", "2014-06-01"));
}

static struct id talk(struct device *d, const char *day)
{
	struct write writes[] = {OFFICE_TEXT("kind", "talk"),
				 OFFICE_TEXT("topic", "Bạo lực"),
				 {BYTES_LIT("held_on"), value_text(bytes_str(day))},
				 OFFICE_TEXT("audience", "community")};

	return push_new(d, "communication", writes, sizeof writes / sizeof writes[0]);
}

static json_t *run(const char *id, const char *more)
{
	char args[256];

	snprintf(args, sizeof args, "{\"id\":\"%s\"," PERIOD "%s}", id, more);
	return result_of("report run", args);
}

static json_t *row_of(json_t *report, const char *code)
{
	json_t *rows = json_object_get(report, "rows");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (strcmp(text_of(json_array_get(rows, i), "code"), code) == 0)
			return json_array_get(rows, i);
	}
	fail_msg("no row %s", code);
	return NULL;
}

static json_t *freeze(const char *id)
{
	char args[256];

	snprintf(args, sizeof args, "{\"id\":\"%s\"," PERIOD "}", id);
	return result_of("report freeze", args);
}

/* What `report print` gives, as bytes. */
static struct bytes printed(int frozen, const char *format)
{
	char args[64];
	json_t *answer;
	uint8_t *bytes;
	size_t len;

	snprintf(args, sizeof args, "{\"frozen\":%d,\"format\":\"%s\"}", frozen, format);
	answer = result_of("report print", args);
	len = json_string_length(json_object_get(answer, "body")) / 2;
	bytes = arena_alloc(&office.arena, len);
	assert_ok(hex_parse(bytes_str(text_of(answer, "body")), bytes, len));
	json_decref(answer);
	return bytes_of(bytes, len);
}

/* Behind the programs' back. */
static void alter(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(store_begin(office.writer));
	assert_ok(sql_use(office.writer, text, &q));
	assert_ok(sql_run(q));
	sql_done(MOVE(q));
	office_commit(&office);
}

static void erase(const struct id *id)
{
	struct erase_request request = {.ids = id,
					.count = 1,
					.at_ms = OFFICE_NOW,
					.who = BYTES_LIT("uid:0"),
					.why = BYTES_LIT("yêu cầu"),
					.basis = BYTES_LIT("luật")};
	struct erase_result result;

	assert_ok(store_begin(office.writer));
	assert_ok(erase_run(office.writer, &office.arena, &request, &result));
	office_commit(&office);
}

/* ---- as of a log number ---- */

#define STEPS 4u

static void a_report_at_a_log_number_is_what_it_was_then(UNUSED_STATE)
{
	json_t *then[STEPS];
	uint64_t logs[STEPS];

	for (size_t i = 0; i < STEPS; i++) {
		collaborator(i % 2 == 0 ? &an : &be);
		then[i] = run("annual", "");
		logs[i] = (uint64_t)int_of(then[i], "as_of");
	}
	for (size_t i = 0; i < STEPS; i++) {
		char at[32];
		json_t *again;

		snprintf(at, sizeof at, ",\"at\":%d", (int)logs[i]);
		again = run("annual", at);
		assert_true(json_equal(json_object_get(again, "rows"),
				       json_object_get(then[i], "rows")));
		assert_int_equal(int_of(again, "as_of"), logs[i]);
		assert_string_equal(text_of(again, "as_of_at"), text_of(then[i], "as_of_at"));
		assert_true(json_equal(json_object_get(again, "stale_units"),
				       json_object_get(then[i], "stale_units")));
		assert_int_equal(json_is_true(json_object_get(again, "past")), i + 1 < STEPS);
		json_decref(again);
	}
	/* The control: they differ among each other. */
	for (size_t i = 1; i < STEPS; i++)
		assert_false(json_equal(json_object_get(then[i], "rows"),
					json_object_get(then[i - 1], "rows")));
	for (size_t i = 0; i < STEPS; i++)
		json_decref(then[i]);
}

static void who_was_not_heard_of_then_is_stale_then(UNUSED_STATE)
{
	json_t *report;

	collaborator(&an);
	office.clock.wall = OFFICE_NOW + INT64_C(31) * 86400000;
	/* Now the commune has been silent for a month; then it had just been heard of. */
	collaborator(&be);
	alter("UPDATE device SET last_contact_at = 1 WHERE last_contact_at <> 0");
	report = run("NL01", "");
	assert_int_equal(json_array_size(json_object_get(report, "stale_units")), 111);
	json_decref(report);
	report = run("NL01", ",\"at\":1");
	assert_int_equal(json_array_size(json_object_get(report, "stale_units")), 110);
	json_decref(report);
}

static void what_was_erased_since_is_said(UNUSED_STATE)
{
	struct id first;
	json_t *report;

	first = talk(&an, "2020-05-01");
	(void)talk(&an, "2020-06-01");
	(void)talk(&an, "2020-07-01");
	erase(&first);

	report = run("TT02", ",\"at\":2");
	assert_int_equal(int_of(report, "erased"), 1);
	assert_int_equal(int_of(row_of(report, "all"), "value"), 1);
	json_decref(report);
	report = run("TT02", "");
	assert_int_equal(int_of(report, "erased"), 0);
	assert_int_equal(int_of(row_of(report, "all"), "value"), 2);
	json_decref(report);
}

static void a_change_let_in_later_was_waiting_then(UNUSED_STATE)
{
	struct id lost = id_new(&office.clock.clock, rand_system());
	struct edit edit = {.type = "person",
			    .id = lost,
			    .writes = {OFFICE_TEXT("hamlet", "Ấp 1")},
			    .count = 1};
	struct edit whole = {.type = "person", .id = lost, .count = 2};
	json_t *report;

	/* An edit before its record: it waits, and goes in with it. */
	(void)push(&be, &edit, 1, NULL);
	report = run("NL01", "");
	assert_int_equal(int_of(report, "quarantined"), 1);
	json_decref(report);
	whole.writes[0] = (struct write)OFFICE_TEXT("full_name", "Điểu Lên");
	whole.writes[1] = (struct write){BYTES_LIT("unit"),
					 value_int(office_unit(&office, "25195", DAY_2021))};
	(void)push(&an, &whole, 1, NULL);
	report = run("NL01", "");
	assert_int_equal(int_of(report, "quarantined"), 0);
	json_decref(report);

	report = run("NL01", ",\"at\":1");
	assert_int_equal(int_of(report, "quarantined"), 1);
	json_decref(report);
}

static void a_number_the_log_does_not_have_is_refused(UNUSED_STATE)
{
	collaborator(&an);
	assert_refused("report run", "{\"id\":\"NL01\"," PERIOD ",\"at\":3}", ERR_NOTFOUND, "2");
	assert_refused("report run", "{\"id\":\"NL01\"," PERIOD ",\"at\":0}", ERR_INVAL, "at");
	assert_refused("report freeze", "{\"id\":\"NL01\"," PERIOD ",\"at\":99}", ERR_NOTFOUND,
		       "99");
}

static void a_log_that_cannot_be_read_is_said(UNUSED_STATE)
{
	static const char text[] = "UPDATE changeset SET body = zeroblob(10) WHERE log = 1";

	collaborator(&an);
	alter(text);
	assert_refused("report run", "{\"id\":\"NL01\"," PERIOD ",\"at\":1}", ERR_CONFLICT,
		       "verify");
}

static void only_one_is_rebuilt_at_a_time_and_none_on_a_full_disk(UNUSED_STATE)
{
	collaborator(&an);
	atomic_store(&office.ctx.rebuilding, 1);
	assert_refused("report run", "{\"id\":\"NL01\"," PERIOD ",\"at\":1}", ERR_AGAIN,
		       "try again");
	/* The present needs nothing rebuilt. */
	json_decref(run("NL01", ",\"at\":2"));
	atomic_store(&office.ctx.rebuilding, 0);
	atomic_store(&office.ctx.is_disk_low, true);
	assert_refused("report run", "{\"id\":\"NL01\"," PERIOD ",\"at\":1}", ERR_FULL, "room");
	atomic_store(&office.ctx.is_disk_low, false);
	json_decref(run("NL01", ",\"at\":1"));
	json_decref(run("NL01", ",\"at\":1"));
	assert_int_equal(atomic_load(&office.ctx.rebuilding), 0);
}

/* ---- frozen ---- */

static void a_frozen_report_stays_as_it_was(UNUSED_STATE)
{
	json_t *before;
	json_t *frozen;
	json_t *rows;
	json_t *kept;

	collaborator(&an);
	before = run("annual", "");
	frozen = freeze("annual");
	assert_has_keys(frozen, "frozen id unit unit_name from to on log at who hash");
	assert_int_equal(int_of(frozen, "frozen"), 1);
	assert_int_equal(int_of(frozen, "log"), int_of(before, "as_of"));

	collaborator(&be);
	for (unsigned f = 0; f < REPORT_FORMATS; f++) {
		AUTO(buf_clear) struct buf want = {0};

		assert_ok(report_print(before, (enum report_format)f, NULL, &want));
		assert_true(bytes_equal(printed(1, report_format_name((enum report_format)f)),
					buf_bytes(&want)));
	}
	kept = json_loadb((const char *)printed(1, "json").data, printed(1, "json").len, 0, NULL);
	assert_true(json_equal(kept, before));
	rows = result_of("report frozen", "{}");
	assert_int_equal(json_array_size(rows), 1);
	assert_true(json_equal(json_array_get(rows, 0), frozen));
	json_decref(rows);
	json_decref(kept);
	json_decref(frozen);
	json_decref(before);
}

static void freezing_and_reading_it_are_audited(UNUSED_STATE)
{
	json_t *frozen = freeze("annual");
	json_t *rows;
	const json_t *detail;

	assert_int_equal(audit_count("report freeze"), 1);
	assert_int_equal(audit_count("report run"), 0);
	(void)printed(1, "csv");
	json_decref(result_of("report late", "{\"frozen\":1}"));
	assert_int_equal(audit_count("report print"), 1);
	assert_int_equal(audit_count("report late"), 1);
	rows = result_of("audit list", "{\"limit\":10}");
	detail = json_object_get(json_array_get(rows, 2), "detail");
	assert_string_equal(text_of(detail, "hash"), text_of(frozen, "hash"));
	json_decref(rows);
	json_decref(frozen);
	/* Nothing restricted in it: freezing is an act, reading it again is none. */
	json_decref(freeze("NL01"));
	(void)printed(2, "csv");
	assert_int_equal(audit_count("report freeze"), 2);
	assert_int_equal(audit_count("report print"), 1);
}

static void small_counts_stay_suppressed_when_frozen(UNUSED_STATE)
{
	static const char *const formats[] = {"table", "json", "csv"};

	json_decref(freeze("CTH10"));
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		struct bytes text = printed(1, formats[i]);

		assert_non_null(memmem(text.data, text.len, "<5", 2));
	}
	assert_non_null(memmem(printed(1, "html").data, printed(1, "html").len, "&lt;5", 5));
}

static void a_report_can_be_frozen_as_of_an_earlier_number(UNUSED_STATE)
{
	json_t *frozen;
	json_t *kept;

	collaborator(&an);
	collaborator(&be);
	frozen = result_of("report freeze", "{\"id\":\"NL01\"," PERIOD ",\"at\":2}");
	assert_int_equal(int_of(frozen, "log"), 2);
	kept = json_loadb((const char *)printed(1, "json").data, printed(1, "json").len, 0, NULL);
	assert_int_equal(int_of(row_of(kept, "all"), "value"), 1);
	json_decref(kept);
	json_decref(frozen);
}

static void what_is_not_frozen_or_no_format_is_said(UNUSED_STATE)
{
	assert_refused("report print", "{\"frozen\":1,\"format\":\"csv\"}", ERR_NOTFOUND,
		       "report frozen");
	assert_refused("report late", "{\"frozen\":1}", ERR_NOTFOUND, "report frozen");
	assert_refused("report print", "{\"frozen\":1,\"format\":\"pdf\"}", ERR_INVAL, "xlsx");
	assert_refused("report freeze", "{\"id\":\"NOPE\"," PERIOD "}", ERR_NOTFOUND, "NOPE");
}

/* ---- late ---- */

static const json_t *figure_of(const json_t *late, const char *code, const char *figure)
{
	const json_t *figures = json_object_get(late, "figures");

	for (size_t i = 0; i < json_array_size(figures); i++) {
		const json_t *f = json_array_get(figures, i);

		if (strcmp(text_of(f, "code"), code) == 0 &&
		    strcmp(text_of(f, "figure"), figure) == 0)
			return f;
	}
	fail_msg("%s %s did not change", code, figure);
	return NULL;
}

static void late_names_units_and_figures(UNUSED_STATE)
{
	const json_t *unit;
	const json_t *figure;
	json_t *late;

	(void)talk(&an, "2020-05-01");
	json_decref(freeze("TT02"));
	(void)talk(&an, "2020-06-01");
	(void)talk(&be, "2020-07-01");
	late = result_of("report late", "{\"frozen\":1}");

	assert_has_keys(late, "frozen id log as_of schema_changed units figures");
	assert_false(json_is_true(json_object_get(late, "schema_changed")));
	assert_int_equal(int_of(late, "log"), 1);
	assert_int_equal(int_of(late, "as_of"), 3);
	assert_int_equal(json_array_size(json_object_get(late, "units")), 1);
	unit = json_array_get(json_object_get(late, "units"), 0);
	assert_has_keys(unit, "unit name records changes left erased first_log last_log");
	assert_string_equal(text_of(unit, "unit"), "25195");
	assert_string_equal(text_of(unit, "name"), "Phường Tân Phú");
	assert_int_equal(int_of(unit, "records"), 2);
	assert_int_equal(int_of(unit, "changes"), 2);
	assert_int_equal(int_of(unit, "first_log"), 2);
	assert_int_equal(int_of(unit, "last_log"), 3);
	figure = figure_of(late, "all", "value");
	assert_has_keys(
		figure,
		"indicator indicator_label percent code label label_en unit figure old new");
	assert_int_equal(int_of(figure, "old"), 1);
	assert_int_equal(int_of(figure, "new"), 3);
	(void)figure_of(late, "community", "value");
	assert_int_equal(json_array_size(json_object_get(late, "figures")), 2);
	json_decref(late);
}

static void what_lies_outside_the_period_is_not_late(UNUSED_STATE)
{
	json_t *late;

	json_decref(freeze("TT02"));
	(void)talk(&an, "2021-01-01");
	(void)talk(&an, "2019-12-31");
	late = result_of("report late", "{\"frozen\":1}");
	assert_int_equal(json_array_size(json_object_get(late, "units")), 0);
	assert_int_equal(json_array_size(json_object_get(late, "figures")), 0);
	json_decref(late);
	/* A register without an end still may count: it began before. */
	collaborator(&an);
	late = result_of("report late", "{\"frozen\":1}");
	assert_int_equal(json_array_size(json_object_get(late, "units")), 1);
	json_decref(late);
}

static void nothing_late_is_nothing(UNUSED_STATE)
{
	struct asked a;

	(void)talk(&an, "2020-05-01");
	json_decref(freeze("annual"));
	a = ask("report late", "{\"frozen\":1}");
	assert_ok(a.e);
	assert_int_equal(a.call.exit_code, 0);
	assert_int_equal(json_array_size(json_object_get(a.call.result, "units")), 0);
	assert_int_equal(json_array_size(json_object_get(a.call.result, "figures")), 0);
	asked_clear(&a);
	(void)talk(&an, "2020-05-02");
	a = ask("report late", "{\"frozen\":1}");
	assert_int_equal(a.call.exit_code, 4);
	asked_clear(&a);
}

static void what_moved_away_or_was_erased_is_late(UNUSED_STATE)
{
	const json_t *unit;
	struct id gone = talk(&an, "2020-05-01");
	struct id moved = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Người Chuyển Đi"));
	json_t *late;

	json_decref(result_of("report freeze",
			      "{\"id\":\"TT02\",\"unit\":\"25195\",\"on\":\"2021-04-13\",\"from\":"
			      "\"2020-01-01\",\"to\":\"2020-12-31\"}"));
	push_edit(&an, "person", moved, 2,
		  (struct write){BYTES_LIT("unit"),
				 value_int(office_unit(&office, "25198", DAY_2021))});
	erase(&gone);

	late = result_of("report late", "{\"frozen\":1}");
	unit = json_array_get(json_object_get(late, "units"), 0);
	assert_int_equal(int_of(unit, "left"), 1);
	assert_int_equal(int_of(unit, "erased"), 1);
	assert_int_equal(int_of(unit, "records"), 0);
	assert_int_equal(int_of(figure_of(late, "all", "value"), "new"), 0);
	json_decref(late);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_report_at_a_log_number_is_what_it_was_then),
		T(who_was_not_heard_of_then_is_stale_then),
		T(what_was_erased_since_is_said),
		T(a_change_let_in_later_was_waiting_then),
		T(a_number_the_log_does_not_have_is_refused),
		T(a_log_that_cannot_be_read_is_said),
		T(only_one_is_rebuilt_at_a_time_and_none_on_a_full_disk),
		T(a_frozen_report_stays_as_it_was),
		T(freezing_and_reading_it_are_audited),
		T(small_counts_stay_suppressed_when_frozen),
		T(a_report_can_be_frozen_as_of_an_earlier_number),
		T(what_is_not_frozen_or_no_format_is_said),
		T(late_names_units_and_figures),
		T(what_lies_outside_the_period_is_not_late),
		T(nothing_late_is_nothing),
		T(what_moved_away_or_was_erased_is_late),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
