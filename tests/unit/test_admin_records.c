/*
 * The administrators' commands that show what devices sent: the log, records, and what waits for
 * a person.
 */
#include "tests/unit/admin_office.h"

/* ---- the log ---- */

static const char log_keys[] =
	"session device unit author started_at ended_at transport address client_version bytes_in "
	"bytes_out changesets applied conflicts quarantined records_out evictions clock_offset_ms "
	"outcome error";

static void log_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *rows;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	PUSH_NEW(&be, "person", OFFICE_TEXT("full_name", "Thị Bé"));
	rows = result_of("log", "{}");

	assert_int_equal(json_array_size(rows), 2);
	assert_has_keys(json_array_get(rows, 0), log_keys);
	/* Newest first. */
	assert_int_equal(int_of(json_array_get(rows, 0), "device"), be.number);
	assert_string_equal(text_of(json_array_get(rows, 0), "outcome"), "ok");
	assert_string_equal(text_of(json_array_get(rows, 0), "unit"), "25195");
	assert_string_equal(text_of(json_array_get(rows, 0), "started_at"),
			    "2026-11-22T00:00:00.000Z");
	json_decref(rows);
}

static size_t log_count(const char *args)
{
	json_t *rows = result_of("log", args);
	size_t count = json_array_size(rows);

	json_decref(rows);
	return count;
}

/* What is open may still end as the outcome that is asked for. */
static void a_follower_sees_what_is_still_open(UNUSED_STATE)
{
	struct session_start start = {.device = an.number,
				      .transport = BYTES_LIT("network"),
				      .address = BYTES_LIT("127.0.0.1"),
				      .client_version = BYTES_LIT("0.1.0"),
				      .counter = 100,
				      .now_ms = OFFICE_NOW};
	uint64_t open;
	json_t *rows;

	assert_ok(store_begin(office.writer));
	assert_ok(session_begin(office.writer, &start, &open));
	office_commit(&office);
	PUSH_NEW(&be, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));

	rows = result_of("log", "{\"outcome\":\"ok\"}");
	assert_int_equal(json_array_size(rows), 1);
	json_decref(rows);
	rows = result_of("log", "{\"outcome\":\"failed\",\"open\":true}");
	assert_int_equal(json_array_size(rows), 1);
	assert_int_equal(int_of(json_array_get(rows, 0), "session"), open);
	json_decref(rows);
	rows = result_of("log", "{\"outcome\":\"ok\",\"open\":true}");
	assert_int_equal(json_array_size(rows), 2);
	json_decref(rows);
}

static void end_contact(uint32_t device, bool is_failed, const char *error)
{
	const struct session_start start = {.device = device,
					    .transport = BYTES_LIT("network"),
					    .address = BYTES_LIT("10.0.0.7"),
					    .client_version = BYTES_LIT("1.0"),
					    .now_ms = OFFICE_NOW};
	const struct session_finish finish = {
		.now_ms = OFFICE_NOW, .error = bytes_str(error), .is_failed = is_failed};
	uint64_t session = 0;

	assert_ok(store_begin(office.writer));
	assert_ok(session_begin(office.writer, &start, &session));
	assert_ok(session_end(office.writer, session, &finish));
	office_commit(&office);
}

/* What went badly is found in another way than the rest. */
static void each_outcome_is_found_alone_and_with_other_filters(UNUSED_STATE)
{
	char args[96];

	for (int i = 0; i < 3; i++) {
		end_contact(an.number, false, "");
		end_contact(be.number, false, "gap");
		end_contact(an.number, true, "interrupted");
		end_contact(be.number, false, "clock");
	}
	snprintf(args, sizeof args, "{\"outcome\":\"failed\",\"device\":%u}", an.number);

	assert_int_equal(log_count("{\"outcome\":\"ok\"}"), 3);
	assert_int_equal(log_count("{\"outcome\":\"partial\"}"), 3);
	assert_int_equal(log_count("{\"outcome\":\"refused\"}"), 3);
	assert_int_equal(log_count("{\"outcome\":\"failed\"}"), 3);
	assert_int_equal(log_count("{\"outcome\":\"failed\",\"limit\":2}"), 2);
	assert_int_equal(log_count("{\"outcome\":\"failed\",\"after\":3}"), 2);
	assert_int_equal(log_count("{\"outcome\":\"failed\",\"unit\":\"25195\"}"), 3);
	assert_int_equal(log_count(args), 3);
	assert_int_equal(log_count("{\"outcome\":\"refused\",\"until\":\"2026-11-21\"}"), 0);
	json_t *rows = result_of("log", "{\"outcome\":\"failed\"}");
	assert_int_equal(int_of(json_array_get(rows, 0), "session"), 11);
	assert_int_equal(int_of(json_array_get(rows, 2), "session"), 3);
	json_decref(rows);
	rows = result_of("log", "{\"outcome\":\"failed\",\"after\":3}");
	assert_int_equal(int_of(json_array_get(rows, 0), "session"), 7);
	json_decref(rows);
}

static void log_filters_narrow_it(UNUSED_STATE)
{
	char args[64];

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	PUSH_NEW(&be, "person", OFFICE_TEXT("full_name", "Thị Bé"));
	snprintf(args, sizeof args, "{\"device\":%u}", an.number);

	assert_int_equal(log_count(args), 1);
	assert_int_equal(log_count("{\"unit\":\"25195\"}"), 2);
	assert_int_equal(log_count("{\"unit\":\"25198\"}"), 0);
	assert_int_equal(log_count("{\"outcome\":\"ok\"}"), 2);
	assert_int_equal(log_count("{\"outcome\":\"refused\"}"), 0);
	assert_int_equal(log_count("{\"limit\":1}"), 1);
	assert_int_equal(log_count("{\"after\":1}"), 1);
	/* Midnight UTC is seven in the morning of the 22nd in Viet Nam. */
	assert_int_equal(log_count("{\"since\":\"2026-11-22\",\"until\":\"2026-11-22\"}"), 2);
	assert_int_equal(log_count("{\"until\":\"2026-11-21\"}"), 0);
	assert_int_equal(log_count("{\"since\":\"22/11/2026\"}"), 2);
	assert_int_equal(log_count("{\"since\":\"22/11/2026\",\"limit\":1}"), 1);
	assert_int_equal(log_count("{\"since\":\"22/11/2026\",\"after\":1}"), 1);
	json_t *newest = result_of("log", "{\"until\":\"2026-11-22\",\"limit\":1}");
	assert_int_equal(int_of(json_array_get(newest, 0), "session"), 2);
	json_decref(newest);
	assert_int_equal(log_count("{\"since\":\"2026-11-22T00:00:01Z\"}"), 0);
	assert_refused("log", "{\"outcome\":\"good\"}", ERR_INVAL, "outcome");
	assert_refused("log", "{\"since\":\"yesterday\"}", ERR_INVAL, "since");
	assert_refused("log", "{\"unit\":\"99999\"}", ERR_NOTFOUND, "99999");
}

static void log_show_has_every_change_with_old_and_new(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"),
				OFFICE_TEXT("phone", "0912345678"));
	json_t *shown;
	const json_t *change;
	char hex[ID_HEX_LEN];

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("phone", "0987654321"));
	shown = result_of("log show", "{\"session\":2}");
	change = json_array_get(json_object_get(shown, "changes"), 0);
	id_print(&id, hex);

	assert_has_keys(shown, log_keys);
	assert_int_equal(json_array_size(json_object_get(shown, "changes")), 1);
	assert_has_keys(change, "record type field old new result author");
	assert_string_equal(text_of(change, "record"), hex);
	assert_string_equal(text_of(change, "type"), "person");
	assert_string_equal(text_of(change, "field"), "phone");
	assert_string_equal(text_of(change, "old"), "0912345678");
	assert_string_equal(text_of(change, "new"), "0987654321");
	assert_string_equal(text_of(change, "result"), "applied");
	json_decref(shown);
	assert_refused("log show", "{\"session\":99}", ERR_NOTFOUND, "99");
}

static void log_show_names_units_by_code(UNUSED_STATE)
{
	json_t *shown;
	const json_t *changes;
	bool is_there = false;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	shown = result_of("log show", "{\"session\":1}");
	changes = json_object_get(shown, "changes");
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);

		if (strcmp(text_of(c, "field"), "unit") == 0)
			is_there = strcmp(text_of(c, "new"), "25195") == 0;
	}

	assert_true(is_there);
	json_decref(shown);
}

/* ---- records ---- */

static void record_show_has_fields_with_stamps_and_authors_and_history(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"),
				OFFICE_TEXT("phone", "0912345678"));
	struct asked a;
	const json_t *phone;
	const json_t *history;

	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("phone", "0987654321"));
	a = ask_record("record show", "record", id, 32, NULL);
	assert_ok(a.e);
	phone = json_object_get(json_object_get(a.call.result, "fields"), "phone");
	history = json_object_get(a.call.result, "history");

	assert_has_keys(a.call.result, "id type unit deleted fields history");
	assert_string_equal(text_of(a.call.result, "unit"), "25195");
	assert_string_equal(text_of(phone, "value"), "0987654321");
	assert_string_equal(text_of(phone, "author"), "Trần Thị Bé");
	assert_int_equal(int_of(json_object_get(phone, "stamp"), "device"), be.number);
	assert_has_keys(json_object_get(phone, "stamp"), "at counter device");
	/* Newest first. */
	assert_string_equal(text_of(json_array_get(history, 0), "new"), "0987654321");
	assert_string_equal(text_of(json_array_get(history, 0), "author"), "Trần Thị Bé");
	assert_int_equal(json_array_size(history), 4);
	assert_false(admin_wants_audit(&a.call));
	asked_clear(&a);
}

static void record_show_takes_a_prefix_and_says_when_it_is_not_enough(UNUSED_STATE)
{
	struct id first = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	struct id second = PUSH_NEW(&an, "household", OFFICE_TEXT("head_name", "Điểu K'Ré"));
	struct asked a = ask_record("record show", "record", first, 30, NULL);

	assert_ok(a.e);
	asked_clear(&a);

	/* Made in the same millisecond: the first digits are the clock. */
	a = ask_record("record show", "record", second, 8, NULL);
	assert_err(a.e, ERR_CONFLICT);
	asked_clear(&a);

	a = ask_record("record show", "record", first, 7, NULL);
	assert_err(a.e, ERR_INVAL);
	asked_clear(&a);
	assert_refused("record show", "{\"record\":\"ffffffffffff\"}", ERR_NOTFOUND, "missing");
	assert_refused("record show", "{\"record\":\"xyzxyzxyz\"}", ERR_INVAL, "record");
}

static void restricted_records_are_hidden_until_a_reason_is_given(UNUSED_STATE)
{
	struct id person = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	struct device cleared = enrol("25195", "Phạm Thị Cúc", true);
	struct id id;
	struct asked a;
	json_t *shown;

	id = PUSH_NEW(&cleared, "person_category",
		      {BYTES_LIT("person"), value_bytes(bytes_of(person.bytes, ID_LEN))},
		      OFFICE_TEXT("scheme", "hiv"));
	a = ask_record("record show", "record", id, 32, NULL);
	assert_ok(a.e);
	assert_true(json_is_true(json_object_get(a.call.result, "hidden")));
	assert_true(json_is_null(json_object_get(a.call.result, "type")));
	shown = json_object_get(json_object_get(a.call.result, "fields"), "scheme");
	assert_true(json_is_null(json_object_get(shown, "value")));
	shown = json_array_get(json_object_get(a.call.result, "history"), 0);
	assert_true(json_is_null(json_object_get(shown, "new")));
	assert_true(json_is_null(json_object_get(shown, "field")));
	asked_clear(&a);
	assert_int_equal(audit_count("read restricted"), 0);

	a = ask_record("record show", "record", id, 32, "thanh tra");
	assert_ok(a.e);
	shown = json_object_get(json_object_get(a.call.result, "fields"), "scheme");
	assert_string_equal(text_of(shown, "value"), "hiv");
	assert_string_equal(text_of(a.call.audit_detail, "reason"), "thanh tra");
	assert_int_equal(json_array_size(json_object_get(a.call.audit_detail, "records")), 1);
	asked_clear(&a);
	assert_int_equal(audit_count("read restricted"), 1);
}

/* ---- what waits for a person ---- */

static void conflicts_have_the_keys_of_the_reference(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	json_t *rows;
	json_t *shown;
	const json_t *row;
	char args[64];

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("occupation", "giáo viên"));
	be.clock += 1000;
	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("occupation", "thợ may"));
	rows = result_of("conflict list", "{\"open\":true}");
	row = json_array_get(rows, 0);

	assert_int_equal(json_array_size(rows), 1);
	assert_has_keys(row, "conflict record type field kept lost kept_by lost_by at state");
	assert_string_equal(text_of(row, "field"), "occupation");
	assert_string_equal(text_of(row, "kept"), "thợ may");
	assert_string_equal(text_of(row, "lost"), "giáo viên");
	assert_string_equal(text_of(row, "kept_by"), "Trần Thị Bé");
	assert_string_equal(text_of(row, "lost_by"), "Lê Văn An");
	assert_string_equal(text_of(row, "state"), "open");
	snprintf(args, sizeof args, "{\"conflict\":%lld}", (long long)int_of(row, "conflict"));
	shown = result_of("conflict show", args);
	assert_has_keys(shown, "conflict kept_stamp lost_stamp log");
	json_decref(shown);
	json_decref(rows);
	assert_refused("conflict show", "{\"conflict\":99}", ERR_NOTFOUND, "99");
}

static void quarantine_shows_the_whole_change(UNUSED_STATE)
{
	json_t *rows;
	json_t *shown;
	char args[64];

	PUSH_NEW(&an, "person", {BYTES_LIT("full_name"), value_int(7)});
	rows = result_of("quarantine list", "{\"open\":true}");
	assert_int_equal(json_array_size(rows), 1);
	assert_has_keys(json_array_get(rows, 0),
			"quarantine device number reason type field at state");
	assert_string_equal(text_of(json_array_get(rows, 0), "type"), "person");
	assert_string_equal(text_of(json_array_get(rows, 0), "reason"), "wrong_type");
	assert_string_equal(text_of(json_array_get(rows, 0), "field"), "full_name");

	snprintf(args, sizeof args, "{\"quarantine\":%lld}",
		 (long long)int_of(json_array_get(rows, 0), "quarantine"));
	shown = result_of("quarantine show", args);
	assert_int_equal(int_of(json_object_get(shown, "fields"), "full_name"), 7);
	assert_string_equal(text_of(shown, "type"), "person");
	assert_string_equal(text_of(shown, "author"), "Lê Văn An");
	json_decref(shown);
	json_decref(rows);
	assert_refused("quarantine show", "{\"quarantine\":99}", ERR_NOTFOUND, "99");
}

static void a_quarantined_change_is_merged_once_its_cause_is_gone(UNUSED_STATE)
{
	int64_t other = office_unit(&office, "25198", DAY_2021);
	struct edit edit = {.type = "person",
			    .id = id_new(&office.clock.clock, rand_system()),
			    .writes = {OFFICE_TEXT("full_name", "Người Xã Bên"),
				       {BYTES_LIT("unit"), value_int(other)}},
			    .count = 2};
	struct notice_row *notices = NULL;
	size_t count = 0;

	assert_int_equal(push(&an, &edit, 1, NULL).quarantined, 1);
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_INVAL, "out_of_scope");
	assert_ok(store_begin(office.writer));
	assert_ok(store_add_device_unit(office.writer, an.number, other));
	office_commit(&office);
	json_t *done = result_of("quarantine replay", "{\"quarantine\":1}");

	struct store_state stored = {.record = {.type = BYTES_LIT("person"), .id = edit.id}};
	assert_ok(store_load_states(office.writer, &office.arena, &stored, 1));
	assert_int_equal(record_unit(&stored.record), other);
	assert_int_equal(record_last_stamp(&stored.record).device, an.number);
	assert_int_equal(record_last_stamp(&stored.record).clock, an.clock);
	assert_string_equal(text_of(done, "state"), "replayed");
	assert_ok(store_load_notices(office.writer, &office.arena, an.number,
				     &(struct store_range){.limit = 10}, &notices, &count));
	assert_int_equal(count, 2);
	assert_true(bytes_is(notices[1].kind, "decided"));
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_CONFLICT, "replayed");
	assert_int_equal(audit_count("quarantine replayed"), 1);
	/* The log still makes the same states. */
	json_t *verified = result_of("verify", "{}");
	assert_int_equal(json_array_size(json_object_get(verified, "differences")), 0);
	json_decref(verified);
	json_decref(done);
}

static void a_discarded_change_is_kept_with_its_reason(UNUSED_STATE)
{
	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu B"), OFFICE_TEXT("sex", "x"));
	assert_refused("quarantine discard", "{\"quarantine\":1}", ERR_INVAL, "why");
	json_t *done = result_of("quarantine discard", "{\"quarantine\":1,\"why\":\"nhầm\"}");
	json_t *shown = result_of("quarantine show", "{\"quarantine\":1}");

	assert_string_equal(text_of(done, "state"), "discarded");
	assert_string_equal(text_of(shown, "why"), "nhầm");
	assert_non_null(json_object_get(shown, "fields"));
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_CONFLICT, "discarded");
	assert_refused("quarantine discard", "{\"quarantine\":9,\"why\":\"x\"}", ERR_NOTFOUND, "9");
	json_decref(done);
	json_decref(shown);
}

static void a_discard_is_taken_back_and_its_device_told(UNUSED_STATE)
{
	struct notice_row *notices = NULL;
	size_t count = 0;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu B"), OFFICE_TEXT("sex", "x"));
	assert_refused("quarantine reopen", "{\"quarantine\":1}", ERR_CONFLICT, "not decided");
	json_decref(result_of("quarantine discard", "{\"quarantine\":1,\"why\":\"nhầm\"}"));
	json_t *listed = result_of("quarantine list", "{\"decided\":true}");
	json_t *done = result_of("quarantine reopen", "{\"quarantine\":1}");
	json_t *open = result_of("quarantine list", "{\"open\":true}");
	json_t *left = result_of("quarantine list", "{\"decided\":true}");

	assert_int_equal(json_array_size(listed), 1);
	assert_string_equal(text_of(done, "state"), "open");
	assert_int_equal(json_array_size(open), 1);
	assert_int_equal(json_array_size(left), 0);
	assert_ok(store_load_notices(office.writer, &office.arena, an.number,
				     &(struct store_range){.limit = 10}, &notices, &count));
	assert_int_equal(count, 3);
	assert_true(bytes_is(notices[2].kind, "reopened"));
	assert_int_equal(notices[2].number, notices[1].number);
	assert_int_equal(audit_count("quarantine reopen"), 1);
	assert_refused("quarantine reopen", "{\"quarantine\":9}", ERR_NOTFOUND, "9");
	json_decref(listed);
	json_decref(done);
	json_decref(open);
	json_decref(left);
}

/* Refused for its unit, and entered again by its author with another day. */
static void what_its_author_wrote_again_is_said_of_a_quarantined_change(UNUSED_STATE)
{
	struct edit edit = {
		.type = "communication",
		.id = id_new(&office.clock.clock, rand_system()),
		.writes = {OFFICE_TEXT("held_on", "2026-01-02"),
			   OFFICE_TEXT("kind", "talk"),
			   OFFICE_TEXT("topic", "Phòng, chống bạo lực gia đình"),
			   {BYTES_LIT("unit"), value_int(office_unit(&office, "25198", DAY_2021))}},
		.count = 4};
	struct edit again = edit;
	json_t *rows;
	json_t *shown;

	assert_int_equal(push(&an, &edit, 1, NULL).quarantined, 1);
	rows = result_of("quarantine list", "{}");
	shown = result_of("quarantine show", "{\"quarantine\":1}");
	assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "mended_by")));
	assert_true(json_is_null(json_object_get(shown, "now")));
	json_decref(rows);
	json_decref(shown);

	again.writes[0] = (struct write)OFFICE_TEXT("held_on", "2026-01-03");
	again.writes[3].value = value_int(office_unit(&office, "25195", DAY_2021));
	uint64_t log = push(&an, &again, 1, NULL).log;

	rows = result_of("quarantine list", "{\"open\":true}");
	shown = result_of("quarantine show", "{\"quarantine\":1}");
	assert_int_equal(int_of(json_array_get(rows, 0), "mended_by"), log);
	assert_int_equal(int_of(shown, "mended_by"), log);
	assert_string_equal(text_of(json_object_get(shown, "fields"), "held_on"), "2026-01-02");
	assert_string_equal(text_of(json_object_get(shown, "now"), "held_on"), "2026-01-03");
	assert_string_equal(text_of(json_object_get(shown, "now"), "unit"), "25195");
	json_decref(rows);
	json_decref(shown);
	/* Of an event the first write stays: the old one would take the place of the new one. */
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_CONFLICT, "discard");
	shown = result_of("quarantine discard", "{\"quarantine\":1,\"why\":\"đã ghi lại\"}");
	assert_string_equal(text_of(shown, "state"), "discarded");
	json_decref(shown);
}

static void a_quarantined_restricted_code_is_hidden(UNUSED_STATE)
{
	json_t *shown;

	/* Refused for its date; the restricted code in it is no less restricted for that. */
	PUSH_NEW(&an, "person_category", OFFICE_TEXT("scheme", "hiv"),
		 OFFICE_TEXT("since_on", "hôm qua"));
	shown = result_of("quarantine show", "{\"quarantine\":1}");

	assert_true(json_is_true(json_object_get(shown, "hidden")));
	assert_true(json_is_null(json_object_get(shown, "fields")));
	json_decref(shown);
}

static void missing_numbers_are_shown_as_such(UNUSED_STATE)
{
	struct asked a = ask("missing", "{}");
	struct store_device d;
	const json_t *row;

	assert_ok(a.e);
	assert_int_equal(json_array_size(a.call.result), 0);
	assert_int_equal(a.call.exit_code, 0);
	asked_clear(&a);

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	assert_ok(store_begin(office.writer));
	assert_ok(store_load_device(office.writer, &office.arena, an.number, &d));
	d.seen_number = 5;
	assert_ok(store_put_device(office.writer, &d));
	office_commit(&office);

	a = ask("missing", "{}");
	row = json_array_get(a.call.result, 0);
	assert_int_equal(a.call.exit_code, 4);
	assert_has_keys(row, "device units held missing last_contact");
	assert_string_equal(text_of(row, "held"), "1-1");
	assert_string_equal(text_of(row, "missing"), "2-5");
	asked_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_follower_sees_what_is_still_open),
		T(log_has_the_keys_of_the_reference),
		T(log_filters_narrow_it),
		T(each_outcome_is_found_alone_and_with_other_filters),
		T(log_show_has_every_change_with_old_and_new),
		T(log_show_names_units_by_code),
		T(record_show_has_fields_with_stamps_and_authors_and_history),
		T(record_show_takes_a_prefix_and_says_when_it_is_not_enough),
		T(restricted_records_are_hidden_until_a_reason_is_given),
		T(conflicts_have_the_keys_of_the_reference),
		T(quarantine_shows_the_whole_change),
		T(a_quarantined_change_is_merged_once_its_cause_is_gone),
		T(a_discarded_change_is_kept_with_its_reason),
		T(a_discard_is_taken_back_and_its_device_told),
		T(what_its_author_wrote_again_is_said_of_a_quarantined_change),
		T(a_quarantined_restricted_code_is_hidden),
		T(missing_numbers_are_shown_as_such),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
