/*
 * The administrators' commands over a real store: every command's keys as the command reference
 * gives them. Those that show records and changes: test_admin_records.c.
 */
#include "daemon/metrics.h"
#include "daemon/trend.h"
#include "tests/unit/admin_office.h"

/* ---- status, units, devices ---- */

static void status_says_how_everything_stands(UNUSED_STATE)
{
	json_t *status;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	status = result_of("status", "{}");

	assert_has_keys(status,
			"version epoch log devices records last_backup quarantine conflicts "
			"communes schema_version started_at");
	assert_int_equal(int_of(status, "devices"), 2);
	assert_int_equal(int_of(status, "log"), 1);
	assert_int_equal(int_of(json_object_get(status, "records"), "person"), 1);
	assert_int_equal(int_of(json_object_get(status, "communes"), "fresh"), 1);
	assert_int_equal(int_of(json_object_get(status, "communes"), "never"), 110);
	assert_int_equal(int_of(json_object_get(status, "communes"), "stale"), 0);
	assert_true(json_is_null(json_object_get(status, "last_backup")));
	json_decref(status);
}

static void health_tells_of_the_last_days_when_asked(UNUSED_STATE)
{
	struct metrics metrics = {0};
	const json_t *history;
	json_t *health;

	office.ctx.metrics = &metrics;
	office.ctx.trend = trend_new();
	trend_tick(office.ctx.trend, &metrics, OFFICE_NOW, 0);
	trend_tick(office.ctx.trend, &metrics, OFFICE_NOW + TREND_EVERY_MS, TREND_EVERY_MS);
	health = result_of("health", "{\"history\":true}");
	history = json_object_get(health, "history");

	assert_int_equal(json_array_size(json_object_get(history, "rows")), 2);
	assert_int_equal(json_array_size(json_array_get(json_object_get(history, "rows"), 0)),
			 json_array_size(json_object_get(history, "keys")));
	json_decref(health);
	trend_free(office.ctx.trend);
	office.ctx.trend = NULL;
	office.ctx.metrics = NULL;
}

static void health_counts_what_the_metrics_count(UNUSED_STATE)
{
	struct metrics counted = {0};
	json_t *health;
	json_t *metrics;

	metrics_add(&counted, wal_pages, 12);
	office.ctx.metrics = &counted;
	health = result_of("health", "{}");
	office.ctx.metrics = NULL;
	metrics = json_object_get(health, "metrics");

	assert_has_keys(health, "at started_at ready disk_low metrics");
	assert_null(json_object_get(health, "history"));
	assert_has_keys(metrics, "wal_pages commit_last_ms writer_waiting disk_free_bytes");
	assert_int_equal(int_of(metrics, "wal_pages"), 12);
	json_decref(health);
}

static void types_have_the_labels_of_the_schema(UNUSED_STATE)
{
	json_t *result = result_of("types", "{}");
	json_t *person = json_object_get(json_object_get(result, "types"), "person");
	json_t *sex = json_object_get(json_object_get(person, "fields"), "sex");

	assert_string_equal(text_of(person, "vi"), "Đối tượng (người)");
	assert_string_equal(text_of(sex, "vi"), "Giới tính");
	assert_string_equal(text_of(json_object_get(sex, "codes"), "female"), "Nữ");
	json_decref(result);
}

static void a_commune_goes_stale_after_thirty_days(UNUSED_STATE)
{
	json_t *status;
	json_t *devices;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	office.clock.wall = OFFICE_NOW + INT64_C(31) * 86400000;
	status = result_of("status", "{}");
	devices = result_of("device list", "{}");

	assert_int_equal(int_of(json_object_get(status, "communes"), "stale"), 1);
	assert_string_equal(text_of(json_array_get(devices, 0), "state"), "stale");
	json_decref(devices);
	json_decref(status);
}

static void unit_list_has_the_communes_of_a_day(UNUSED_STATE)
{
	json_t *rows = result_of("unit list", "{\"province\":\"70\",\"on\":\"13/04/2021\"}");

	assert_int_equal(json_array_size(rows), 111);
	assert_has_keys(json_array_get(rows, 0), "code name type province_code from until unit");
	assert_string_equal(text_of(json_array_get(rows, 0), "code"), "25195");
	assert_string_equal(text_of(json_array_get(rows, 0), "name"), "Phường Tân Phú");
	assert_string_equal(text_of(json_array_get(rows, 0), "from"), "2021-02-01");
	json_decref(rows);

	rows = result_of("unit list", "{\"on\":\"2020-12-31\"}");
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
}

static void unit_import_tells_what_it_did_and_is_audited(UNUSED_STATE)
{
	json_t *result = result_of(
		"unit import",
		"{\"csv\":\"code,name,type,province_code,province_name\\n00004,Phường Ba "
		"Đình,Phường,01,Thành phố Hà Nội\\n\",\"from\":\"2025-07-01\",\"file\":\"x.csv\"}");

	assert_has_keys(result, "communes added renamed ended");
	assert_int_equal(int_of(result, "communes"), 1);
	assert_int_equal(audit_count("unit import"), 1);
	json_decref(result);
}

static bool sees(const struct device *d, const char *on, int64_t unit)
{
	int64_t *units = NULL;
	size_t count = 0;
	int64_t day;

	assert_ok(units_parse_day(bytes_str(on), &day));
	assert_ok(units_load_scope(office.reader, &office.arena, d->number, day, &units, &count));
	return units_scope_has(units, count, unit);
}

/* The 111 communes of Bình Phước become 40; 25195 is a commune before and another one after. */
static void a_succession_gives_the_new_communes_what_the_old_ones_had(UNUSED_STATE)
{
	struct asked a = {.args = json_object()};
	struct bytes map = office_read("tests/data/units/units_map_binhphuoc.csv", &office.arena);
	int64_t old = office_unit(&office, "25195", DAY_2021);
	int64_t neighbour = office_unit(&office, "25198", DAY_2021);

	office_import(&office, office_read("tests/data/units/units_2025.csv", &office.arena),
		      "2025-07-01");
	int64_t new = office_unit(&office, "25195", "2025-07-01");
	json_object_set_new(a.args, "csv", json_stringn((const char *)map.data, map.len));
	json_object_set_new(a.args, "on", json_string("2025-07-01"));
	char *text = json_dumps(a.args, 0);
	json_t *done = result_of("unit succession", text);
	json_t *again = result_of("unit succession", text);
	json_t *waiting = result_of("unit placing", "{}");

	assert_int_not_equal(old, new);
	assert_int_equal(int_of(done, "rows"), 111);
	assert_int_equal(int_of(done, "known"), 0);
	assert_int_equal(int_of(again, "known"), int_of(again, "whole") + int_of(again, "partial"));
	assert_true(sees(&an, "2025-07-01", new));
	assert_true(sees(&an, "2025-07-01", old));
	assert_true(sees(&an, "2025-07-01", neighbour));
	assert_false(sees(&an, "2025-06-30", neighbour));
	assert_int_equal(json_array_size(waiting) != 0, int_of(done, "partial") != 0);
	for (size_t i = 0; i < json_array_size(waiting); i++)
		assert_has_keys(json_array_get(waiting, i), "unit code name into records");
	assert_int_equal(audit_count("unit succession"), 2);
	assert_refused("unit succession",
		       "{\"csv\":\"old_code,new_code,part\\n99999,25195,whole\\n\","
		       "\"on\":\"2025-07-01\"}",
		       ERR_INVAL, "99999");
	free(text);
	json_decref(a.args);
	json_decref(done);
	json_decref(again);
	json_decref(waiting);
}

static size_t commune_count(const char *on)
{
	char args[64];
	json_t *rows;
	size_t count;

	(void)snprintf(args, sizeof args, "{\"on\":\"%s\"}", on);
	rows = result_of("unit list", args);
	count = json_array_size(rows);
	json_decref(rows);
	return count;
}

static void a_dry_run_of_a_list_tells_and_leaves_nothing(UNUSED_STATE)
{
	const char *args = "{\"csv\":\"code,name,type,province_code,province_name\\n"
			   "25195,Phường Bình Phước,Phường,75,Tỉnh Đồng Nai\","
			   "\"from\":\"2025-07-01\",\"dry_run\":true}";
	size_t before = commune_count("2025-07-02");
	json_t *told = result_of("unit import", args);

	assert_int_equal(int_of(told, "communes"), 1);
	assert_int_equal(int_of(told, "ended") >= 111, true);
	assert_int_equal(commune_count("2025-07-02"), before);
	assert_int_equal(audit_count("unit import"), 0);
	json_decref(told);
}

static void unit_import_of_a_wrong_list_changes_nothing(UNUSED_STATE)
{
	json_t *rows;

	assert_refused("unit import",
		       "{\"csv\":\"code,name,type,province_code,province_name\\nabc,,Phường,01,Hà "
		       "Nội\\n\",\"from\":\"2025-07-01\"}",
		       ERR_INVAL, "2:");
	assert_refused("unit import",
		       "{\"csv\":\"x\",\"from\":\"2025-07-01\",\"until\":\"2025-01-01\"}",
		       ERR_INVAL, "--until");
	assert_refused("unit import", "{\"csv\":\"x\",\"from\":\"31/02/2025\"}", ERR_INVAL, "from");

	rows = result_of("unit list", "{\"on\":\"2025-07-02\"}");
	assert_int_equal(json_array_size(rows), 111);
	assert_int_equal(audit_count("unit import"), 0);
	json_decref(rows);
}

static void device_invite_gives_one_line_and_keeps_the_code_out_of_the_audit(UNUSED_STATE)
{
	json_t *result =
		result_of("device invite", "{\"units\":[\"25195\",\"25198\"],\"on\":\"2021-04-13\","
					   "\"author\":\"Lê Văn An\",\"expires\":\"24h\"}");
	json_t *audit = result_of("audit list", "{}");
	struct invitation invitation;
	char *text = json_dumps(audit, 0);
	const char *code;

	assert_ok(invitation_parse(bytes_str(text_of(result, "invitation")), &invitation));
	assert_string_equal(invitation.address, "10.0.0.5:8443");
	assert_string_equal(text_of(result, "expires_at"), "2026-11-23T00:00:00.000Z");
	code = strrchr(text_of(result, "invitation"), '/') + 1;
	assert_null(strstr(text, code));
	assert_string_equal(text_of(json_array_get(audit, 0), "what"), "device invite");
	assert_string_equal(text_of(json_array_get(audit, 0), "who"), "uid:1000");
	free(text);
	json_decref(audit);
	json_decref(result);
}

static void device_invite_gives_a_code_to_draw(UNUSED_STATE)
{
	json_t *result = result_of("device invite",
				   "{\"units\":[\"25195\"],\"on\":\"2021-04-13\",\"qr\":true}");
	json_t *rows = json_object_get(result, "qr");
	const size_t width = json_array_size(rows);

	assert_true(width >= 21);
	for (size_t i = 0; i < width; i++)
		assert_int_equal(json_string_length(json_array_get(rows, i)), width);
	/* The corner every reader looks for. */
	assert_memory_equal(json_string_value(json_array_get(rows, 0)), "11111110", 8);
	assert_memory_equal(json_string_value(json_array_get(rows, 3)), "10111010", 8);
	json_decref(result);
	result = result_of("device invite", "{\"units\":[\"25195\"],\"on\":\"2021-04-13\"}");
	assert_null(json_object_get(result, "qr"));
	json_decref(result);
}

static void device_invite_refuses_what_it_does_not_understand(UNUSED_STATE)
{
	assert_refused("device invite", "{\"units\":[]}", ERR_INVAL, "unit codes");
	assert_refused("device invite", "{\"units\":[\"99999\"]}", ERR_NOTFOUND, "99999");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"expires\":\"never\"}", ERR_INVAL,
		       "expires");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"expires\":\"31d\"}", ERR_INVAL,
		       "expires");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"clearance\":\"all\"}", ERR_INVAL,
		       "clearance");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"on\":\"2020-01-01\"}",
		       ERR_NOTFOUND, "2020-01-01");
}

static size_t devices_of(const char *args)
{
	json_t *rows = result_of("device list", args);
	size_t count = json_array_size(rows);

	json_decref(rows);
	return count;
}

static void device_list_of_a_unit_has_its_devices_alone(UNUSED_STATE)
{
	assert_int_equal(devices_of("{\"unit\":\"25195\"}"), 2);
	assert_int_equal(devices_of("{\"unit\":\"25198\"}"), 0);
	assert_refused("device list", "{\"unit\":\"00001\"}", ERR_NOTFOUND, "00001");
}

static void device_list_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *rows = result_of("device list", "{}");
	const json_t *first = json_array_get(rows, 0);

	assert_int_equal(json_array_size(rows), 2);
	assert_has_keys(first, "number name units enrolled_at revoked_at last_contact last_number "
			       "missing clock_offset_ms client_version state");
	assert_string_equal(json_string_value(json_array_get(json_object_get(first, "units"), 0)),
			    "25195");
	assert_int_equal(int_of(first, "number"), an.number);
	json_decref(rows);
}

static void a_revoked_device_may_not_speak_from_the_next_request_on(UNUSED_STATE)
{
	char args[64];
	struct registry_device d;
	json_t *result;

	snprintf(args, sizeof args, "{\"device\":%u,\"why\":\"mất máy\"}", an.number);
	result = result_of("device revoke", args);
	assert_string_equal(text_of(result, "state"), "revoked");
	json_decref(result);

	assert_ok(registry_find(office.ctx.registry, an.number, &d));
	assert_int_equal(d.state, DEVICE_REVOKED);
	assert_int_equal(audit_count("device revoke"), 1);
	assert_refused("device revoke", args, ERR_CONFLICT, "revoked");
	assert_refused("device revoke", "{\"device\":2}", ERR_INVAL, "why");
	assert_refused("device show", "{\"device\":999}", ERR_NOTFOUND, "999");
	result = result_of("device show", args);
	assert_string_equal(text_of(result, "why"), "mất máy");
	assert_string_equal(text_of(result, "state"), "revoked");
	json_decref(result);
}

static void a_device_set_aside_is_released(UNUSED_STATE)
{
	char args[64];
	struct store_device d;
	json_t *result;

	snprintf(args, sizeof args, "{\"device\":%u}", an.number);
	assert_refused("device release", args, ERR_CONFLICT, "at work");
	assert_ok(store_load_device(office.writer, &office.arena, an.number, &d));
	d.id.state = DEVICE_FORKED;
	assert_ok(store_begin(office.writer));
	assert_ok(store_put_device(office.writer, &d));
	office_commit(&office);

	result = result_of("device release", args);
	assert_int_equal(strncmp(text_of(result, "invitation"), "ctxh://", 7), 0);
	assert_int_equal(int_of(result, "number"), an.number);
	assert_string_equal(text_of(result, "expires_at"), "2026-11-25T00:00:00.000Z");
	json_decref(result);
	assert_int_equal(audit_count("device release"), 1);
	result = result_of("device show", args);
	assert_string_equal(text_of(result, "state"), "forked");
	assert_string_equal(text_of(result, "released_at"), "2026-11-22T00:00:00.000Z");
	assert_string_equal(text_of(result, "release_expires_at"), "2026-11-25T00:00:00.000Z");
	assert_int_equal(json_array_size(json_object_get(result, "successors")), 0);
	json_decref(result);

	d.id.state = DEVICE_REVOKED;
	assert_ok(store_begin(office.writer));
	assert_ok(store_put_device(office.writer, &d));
	office_commit(&office);
	assert_refused("device release", args, ERR_CONFLICT, "was revoked");
	assert_refused("device release", "{\"device\":999}", ERR_NOTFOUND, "999");
}

/* ---- reports, audit, verify ---- */

static void report_run_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *report =
		result_of("report run", "{\"id\":\"CT02\",\"unit\":\"70\",\"from\":\"01/01/2020\","
					"\"to\":\"31/12/2020\",\"on\":\"2021-04-13\"}");

	assert_has_keys(report, "as_of stale_units quarantined rows");
	assert_has_keys(json_array_get(json_object_get(report, "rows"), 0),
			"indicator unit value numerator denominator code label");
	json_decref(report);
	assert_int_equal(audit_count("report run"), 0);
	assert_refused("report run",
		       "{\"id\":\"CT99\",\"unit\":\"70\",\"from\":\"2020-01-01\",\"to\":\"2020-12-"
		       "31\"}",
		       ERR_NOTFOUND, "CT99");
	assert_refused("report run",
		       "{\"id\":\"CT02\",\"unit\":\"70\",\"from\":\"2021-01-01\",\"to\":\"2020-12-"
		       "31\"}",
		       ERR_INVAL, "ends before");
	assert_refused("report run",
		       "{\"id\":\"CT02\",\"unit\":\"99\",\"from\":\"2020-01-01\",\"to\":\"2020-12-"
		       "31\"}",
		       ERR_NOTFOUND, "--on");
}

static void restricted_reports_are_audited(UNUSED_STATE)
{
	json_t *report =
		result_of("report run", "{\"id\":\"CTH10\",\"unit\":\"70\",\"from\":\"2020-01-01\","
					"\"to\":\"2020-12-31\",\"on\":\"2021-04-13\"}");

	json_decref(report);
	assert_int_equal(audit_count("report run"), 1);
}

static void queries_are_audited(UNUSED_STATE)
{
	json_t *result = result_of("query", "{\"sql\":\"SELECT 1 AS a\"}");

	json_decref(result);
	assert_int_equal(audit_count("query"), 1);
	assert_refused("query", "{\"sql\":\"DELETE FROM person\"}", ERR_AUTH, "SELECT");
	assert_int_equal(audit_count("query"), 2);
}

static void audit_list_is_newest_first(UNUSED_STATE)
{
	json_t *rows;

	json_decref(result_of("query", "{\"sql\":\"SELECT 1 AS a\"}"));
	json_decref(result_of("query", "{\"sql\":\"SELECT 2 AS a\"}"));
	rows = result_of("audit list", "{\"limit\":1}");

	assert_int_equal(json_array_size(rows), 1);
	assert_has_keys(json_array_get(rows, 0), "entry at who what detail hash");
	assert_string_equal(text_of(json_object_get(json_array_get(rows, 0), "detail"), "sql"),
			    "SELECT 2 AS a");
	json_decref(rows);
}

static void verify_finds_nothing_in_a_sound_store(UNUSED_STATE)
{
	struct asked a;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	a = ask("verify", "{}");
	assert_ok(a.e);

	assert_has_keys(a.call.result,
			"log changesets changes records invariants found differences");
	assert_int_equal(int_of(a.call.result, "found"), 0);
	assert_int_equal(int_of(a.call.result, "records"), 1);
	assert_int_equal(a.call.exit_code, 0);
	asked_clear(&a);
}

static void verify_finds_a_record_the_log_does_not_have(UNUSED_STATE)
{
	struct asked a;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	assert_ok(store_begin(office.writer));
	OFFICE_PUT(&office, "person", office_unit(&office, "25195", DAY_2021),
		   OFFICE_TEXT("full_name", "Ai đó"));
	office_commit(&office);
	a = ask("verify", "{}");
	assert_ok(a.e);

	assert_true(int_of(a.call.result, "found") > 0);
	assert_has_keys(json_array_get(json_object_get(a.call.result, "differences"), 0),
			"invariant table key text");
	assert_int_equal(a.call.exit_code, 4);
	asked_clear(&a);
}

static void an_unknown_command_is_none(UNUSED_STATE)
{
	assert_null(admin_find("device"));
	assert_null(admin_find("conflict keep 1"));
	assert_null(admin_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(status_says_how_everything_stands),
		T(health_counts_what_the_metrics_count),
		T(health_tells_of_the_last_days_when_asked),
		T(types_have_the_labels_of_the_schema),
		T(a_commune_goes_stale_after_thirty_days),
		T(unit_list_has_the_communes_of_a_day),
		T(unit_import_tells_what_it_did_and_is_audited),
		T(unit_import_of_a_wrong_list_changes_nothing),
		T(a_succession_gives_the_new_communes_what_the_old_ones_had),
		T(a_dry_run_of_a_list_tells_and_leaves_nothing),
		T(device_invite_gives_one_line_and_keeps_the_code_out_of_the_audit),
		T(device_invite_gives_a_code_to_draw),
		T(device_invite_refuses_what_it_does_not_understand),
		T(device_list_has_the_keys_of_the_reference),
		T(device_list_of_a_unit_has_its_devices_alone),
		T(a_revoked_device_may_not_speak_from_the_next_request_on),
		T(a_device_set_aside_is_released),
		T(report_run_has_the_keys_of_the_reference),
		T(restricted_reports_are_audited),
		T(queries_are_audited),
		T(audit_list_is_newest_first),
		T(verify_finds_nothing_in_a_sound_store),
		T(verify_finds_a_record_the_log_does_not_have),
		T(an_unknown_command_is_none),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
