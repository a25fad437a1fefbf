/* `ctxhctl query`: what it gives, and everything it must not let through. */
#include "tests/unit/test.h"

#include "daemon/admin_commands.h"
#include "tests/unit/office.h"

#define DAY_2021 "2021-04-13"

static struct office office;
static int64_t unit;

/* A clock on which every look takes a second: time limits come soon. */
static int64_t fast_ms(const struct clock *c)
{
	static int64_t now;

	(void)c;
	return now += 1000;
}

static int setup(UNUSED_STATE)
{
	office_open(&office);
	office_import(&office,
		      office_read("tests/data/units/units_binhphuoc_2021.csv", &office.arena),
		      "2021-02-01");
	unit = office_unit(&office, "25195", DAY_2021);
	assert_ok(store_begin(office.writer));
	OFFICE_PUT(&office, "person", unit, OFFICE_TEXT("full_name", "Điểu K'Ré"),
		   OFFICE_TEXT("sex", "male"));
	OFFICE_PUT(&office, "person", unit, OFFICE_TEXT("full_name", "Thị Bé"),
		   OFFICE_TEXT("deleted", "nhầm"));
	OFFICE_PUT(&office, "person_category", unit, OFFICE_TEXT("scheme", "elderly"));
	OFFICE_PUT(&office, "person_category", unit, OFFICE_TEXT("scheme", "hiv"));
	OFFICE_PUT(&office, "stay", unit, OFFICE_TEXT("kind", "shelter"));
	office_commit(&office);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	office_close(&office);
	return 0;
}

struct asked {
	struct admin_call call;
	json_t *args;
	enum err e;
};

static struct asked ask(const char *sql, const char *reason)
{
	struct asked a = {.call = {.ctx = &office.ctx,
				   .store = office.reader,
				   .caller = {1000, "uid:1000"},
				   .arena = &office.arena}};

	a.args = json_pack("{s:s}", "sql", sql);
	if (reason != NULL)
		json_object_set_new(a.args, "reason", json_string(reason));
	a.call.args = a.args;
	assert_ok(store_begin(office.reader));
	a.e = admin_query(&a.call);
	store_rollback(office.reader);
	return a;
}

static void asked_clear(struct asked *a)
{
	admin_call_clear(&a->call);
	json_decref(a->args);
}

static json_t *rows_of(const char *sql, const char *reason)
{
	struct asked a = ask(sql, reason);
	json_t *rows;

	if (a.e != ERR_OK)
		print_error("%s: %s\n", sql, a.call.error);
	assert_ok(a.e);
	rows = json_incref(json_object_get(a.call.result, "rows"));
	asked_clear(&a);
	return rows;
}

static void assert_rows(const char *sql, const char *reason, const char *want)
{
	json_t *got = rows_of(sql, reason);
	json_t *wanted = json_loads(want, 0, NULL);
	char *text = json_dumps(got, JSON_COMPACT);

	if (!json_equal(got, wanted))
		print_error("%s gave %s\n", sql, text);
	assert_true(json_equal(got, wanted));
	free(text);
	json_decref(got);
	json_decref(wanted);
}

static void assert_refused(const char *sql, const char *word)
{
	struct asked a = ask(sql, NULL);

	if (a.e == ERR_OK || strstr(a.call.error, word) == NULL)
		print_error("%s: %s %s\n", sql, err_name(a.e), a.call.error);
	assert_int_not_equal(a.e, ERR_OK);
	assert_int_equal(err_class(a.e), ERR_CLASS_REJECT);
	assert_non_null(strstr(a.call.error, word));
	/* Asking is audited whether it was allowed or not. */
	assert_true(admin_wants_audit(&a.call));
	asked_clear(&a);
}

static void rows_come_with_their_columns(UNUSED_STATE)
{
	assert_rows("SELECT full_name, sex, 1.5 AS half, NULL AS none FROM person ORDER BY 1", NULL,
		    "[{\"full_name\":\"Thị Bé\",\"sex\":null,\"half\":1.5,\"none\":null},"
		    "{\"full_name\":\"Điểu K'Ré\",\"sex\":\"male\",\"half\":1.5,\"none\":null}]");
}

static void live_views_have_only_what_counts(UNUSED_STATE)
{
	assert_rows("SELECT full_name AS n FROM live_person", NULL, "[{\"n\":\"Điểu K'Ré\"}]");
}

static struct id put_talk(const char *name, const struct id *corrects, const struct write *more)
{
	struct write writes[4] = {
		{.name = BYTES_LIT("topic"), .value = value_text(bytes_str(name))}};
	size_t count = 1;

	if (corrects != NULL)
		writes[count++] = (struct write){BYTES_LIT("corrects"),
						 value_bytes(bytes_of(corrects->bytes, ID_LEN))};
	if (more != NULL)
		writes[count++] = *more;
	return office_put(&office, "communication", unit, writes, count);
}

static void live_views_leave_out_corrected_events(UNUSED_STATE)
{
	const struct write voided = OFFICE_TEXT("voided", "nhầm");
	static const char sql[] = "SELECT topic AS n FROM live_communication ORDER BY 1";

	assert_ok(store_begin(office.writer));
	struct id first = put_talk("a1", NULL, NULL);
	struct id second = put_talk("a2", &first, NULL);
	(void)put_talk("a3", &second, NULL);
	struct id other = put_talk("b1", NULL, NULL);
	(void)put_talk("b2", &other, &voided);
	office_commit(&office);

	/* A correction that was voided takes nothing away. */
	assert_rows(sql, NULL, "[{\"n\":\"a3\"},{\"n\":\"b1\"}]");
}

static void of_two_events_that_correct_each_other_one_stays(UNUSED_STATE)
{
	struct id second;

	/* The id the second one will have. */
	(void)office_id(&office);
	second = office_id(&office);
	office.serial -= 2;
	assert_ok(store_begin(office.writer));
	struct id first = put_talk("c1", &second, NULL);
	(void)put_talk("c2", &first, NULL);
	office_commit(&office);

	assert_rows("SELECT count(*) AS n FROM live_communication", NULL, "[{\"n\":1}]");
}

static void ids_are_hex(UNUSED_STATE)
{
	json_t *rows = rows_of("SELECT id FROM person LIMIT 1", NULL);
	const char *id = json_string_value(json_object_get(json_array_get(rows, 0), "id"));

	assert_int_equal(strlen(id), 32);
	assert_int_equal(strspn(id, "0123456789abcdef"), 32);
	json_decref(rows);
}

static void units_devices_sessions_and_the_log_can_be_read(UNUSED_STATE)
{
	assert_rows("SELECT count(*) AS n FROM unit_name WHERE level = 3", NULL, "[{\"n\":111}]");
	assert_rows("SELECT count(*) AS n FROM device", NULL, "[{\"n\":0}]");
	assert_rows("SELECT device, first, count FROM changeset ORDER BY 1, 2", NULL, "[]");
	assert_rows("SELECT session, outcome FROM session", NULL, "[]");
	assert_rows("SELECT name, type, district_code, province_code FROM commune WHERE code = "
		    "'25195'",
		    NULL,
		    "[{\"name\":\"Phường Tân Phú\",\"type\":\"Phường\",\"district_code\":\"689\","
		    "\"province_code\":\"70\"}]");
}

static void with_and_json_work(UNUSED_STATE)
{
	assert_rows("WITH a AS (SELECT 1 AS x UNION ALL SELECT 2) SELECT count(*) AS n FROM a",
		    NULL, "[{\"n\":2}]");
	assert_rows("SELECT sum(value) AS s FROM json_each('[1,2,3]')", NULL, "[{\"s\":6}]");
	assert_rows("SELECT 1 AS a; -- a comment, and nothing more\n ;", NULL, "[{\"a\":1}]");
}

static void statements_that_write_are_refused(UNUSED_STATE)
{
	static const char *const writes[] = {
		"DELETE FROM person",
		"UPDATE person SET full_name = 'x'",
		"INSERT INTO unit_list VALUES (1,1,1,1,1,x'00')",
		"DROP TABLE person",
		"CREATE TABLE t(x)",
		"CREATE TEMP TABLE t(x)",
		"CREATE TEMP VIEW v AS SELECT 1",
		"ALTER TABLE person ADD COLUMN x",
		"REINDEX",
		"ANALYZE",
		"VACUUM",
		"BEGIN",
		"COMMIT",
		"ROLLBACK",
		"SAVEPOINT x",
		"RELEASE views",
		"WITH x AS (SELECT 1) DELETE FROM person",
		"VACUUM INTO '/tmp/ctxh-copy.db'",
	};

	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
		assert_refused(writes[i], "SELECT");
	assert_rows("SELECT count(*) AS n FROM person", NULL, "[{\"n\":2}]");
}

static void attach_and_pragma_are_refused(UNUSED_STATE)
{
	assert_refused("ATTACH '/tmp/x.db' AS x", "ATTACH");
	assert_refused("DETACH main", "ATTACH");
	assert_refused("PRAGMA query_only=0", "PRAGMA");
	assert_refused("PRAGMA table_info(person)", "PRAGMA");
	assert_refused("SELECT * FROM pragma_table_info('person')", "");
	assert_refused("SELECT count(*) FROM pragma_database_list", "");
}

static void several_statements_are_refused(UNUSED_STATE)
{
	assert_refused("SELECT 1; SELECT 2", "one");
	assert_refused("SELECT 1; DELETE FROM person", "SELECT");
	assert_refused(";", "statement");
	assert_refused("-- nothing", "statement");
	assert_rows("SELECT count(*) AS n FROM person", NULL, "[{\"n\":2}]");
}

static void dangerous_functions_are_refused(UNUSED_STATE)
{
	assert_refused("SELECT load_extension('/tmp/x.so')", "load_extension");
	assert_refused("SELECT sqlite_log(1, 'x')", "sqlite_log");
}

static void secrets_cannot_be_read(UNUSED_STATE)
{
	static const char *const secrets[] = {
		"setting", "invitation", "audit",         "conflict",      "quarantine",
		"notice",  "backup",     "sqlite_schema", "sqlite_master", "sqlite_temp_schema"};

	for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
		char sql[128];

		snprintf(sql, sizeof sql, "SELECT * FROM %s", secrets[i]);
		assert_refused(sql, "");
		snprintf(sql, sizeof sql, "SELECT count(*) FROM main.%s", secrets[i]);
		assert_refused(sql, "");
		snprintf(sql, sizeof sql, "SELECT 1 FROM person WHERE EXISTS (SELECT 1 FROM %s)",
			 secrets[i]);
		assert_refused(sql, "");
	}
}

static void keys_and_bodies_read_as_nothing(UNUSED_STATE)
{
	struct store_device device = {.id = {.number = 3, .counter = 77},
				      .name = BYTES_LIT("máy"),
				      .client_version = BYTES_LIT("0.1")};

	memset(device.id.key.bytes, 7, sizeof device.id.key.bytes);
	assert_ok(store_begin(office.writer));
	assert_ok(store_put_device(office.writer, &device));
	office_commit(&office);

	assert_rows("SELECT number, name, key, counter FROM device", NULL,
		    "[{\"number\":3,\"name\":\"máy\",\"key\":null,\"counter\":null}]");
	assert_rows("SELECT number FROM device WHERE key IS NOT NULL", NULL, "[]");
	assert_rows("SELECT body, signature FROM changeset", NULL, "[]");
}

static void restricted_rows_are_hidden_without_a_reason(UNUSED_STATE)
{
	assert_rows("SELECT scheme FROM person_category", NULL, "[{\"scheme\":\"elderly\"}]");
	assert_rows("SELECT scheme FROM live_person_category", NULL, "[{\"scheme\":\"elderly\"}]");
	assert_rows("SELECT count(*) AS n FROM stay", NULL, "[{\"n\":0}]");
	assert_refused("SELECT scheme FROM main.person_category", "person_category");
	assert_refused("SELECT count(*) FROM main.person_category", "person_category");
	assert_rows("SELECT count(*) AS n FROM main.person", NULL, "[{\"n\":2}]");
}

static void restricted_rows_are_shown_with_a_reason_and_audited(UNUSED_STATE)
{
	struct asked a;

	assert_rows("SELECT scheme FROM person_category ORDER BY 1", "thanh tra",
		    "[{\"scheme\":\"elderly\"},{\"scheme\":\"hiv\"}]");

	a = ask("SELECT kind FROM stay", "thanh tra");
	assert_ok(a.e);
	assert_string_equal(a.call.audit_action, "query");
	assert_string_equal(json_string_value(json_object_get(a.call.audit_detail, "reason")),
			    "thanh tra");
	assert_string_equal(json_string_value(json_object_get(a.call.audit_detail, "sql")),
			    "SELECT kind FROM stay");
	asked_clear(&a);
}

static void restricted_types_are_refused_without_a_reason(UNUSED_STATE)
{
	for (size_t i = 0; i < office.schema->type_count; i++) {
		const struct schema_type *t = &office.schema->types[i];
		char sql[128];

		if (t->sensitivity != SENSITIVITY_RESTRICTED)
			continue;
		snprintf(sql, sizeof sql, "SELECT * FROM %.*s", BYTES_FMT(t->name));
		assert_refused(sql, "--reason");
		snprintf(sql, sizeof sql, "SELECT count(*) FROM live_%.*s", BYTES_FMT(t->name));
		assert_refused(sql, "--reason");
		snprintf(sql, sizeof sql, "SELECT count(*) AS n FROM live_%.*s",
			 BYTES_FMT(t->name));
		assert_rows(sql, "thanh tra", "[{\"n\":0}]");
	}
}

static void restricted_fields_read_as_nothing(UNUSED_STATE)
{
	for (size_t i = 0; i < office.schema->type_count; i++) {
		const struct schema_type *t = &office.schema->types[i];

		for (size_t f = 0; f < t->count; f++) {
			char sql[256];

			if (t->sensitivity == SENSITIVITY_RESTRICTED ||
			    t->fields[f].sensitivity != SENSITIVITY_RESTRICTED ||
			    t->fields[f].type != FIELD_TEXT)
				continue;
			assert_ok(store_begin(office.writer));
			office_put(
				&office, (const char *)arena_strdup(&office.arena, t->name), unit,
				&(struct write){t->fields[f].name, value_text(BYTES_LIT("bí mật"))},
				1);
			office_commit(&office);
			snprintf(sql, sizeof sql, "SELECT count(%.*s) AS n FROM %.*s",
				 BYTES_FMT(t->fields[f].name), BYTES_FMT(t->name));
			assert_rows(sql, NULL, "[{\"n\":0}]");
			assert_rows(sql, "thanh tra", "[{\"n\":1}]");
		}
	}
}

static void a_statement_without_end_is_stopped(UNUSED_STATE)
{
	office.clock.clock.monotonic_ms = fast_ms;

	assert_refused("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) "
		       "SELECT max(n) FROM r",
		       "10");
	/* And the connection goes on. */
	assert_rows("SELECT 1 AS a", NULL, "[{\"a\":1}]");
}

static void a_value_too_large_is_refused(UNUSED_STATE)
{
	assert_refused("SELECT zeroblob(1000000000)", "");
	assert_refused("SELECT length(randomblob(100000000))", "");
}

static void more_rows_than_fit_are_cut_and_said_so(UNUSED_STATE)
{
	struct asked a = ask("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r "
			     "LIMIT 200001) SELECT n FROM r",
			     NULL);

	assert_ok(a.e);
	assert_true(json_is_true(json_object_get(a.call.result, "cut")));
	assert_int_equal(json_array_size(json_object_get(a.call.result, "rows")), 200000);
	assert_int_equal(a.call.exit_code, 4);
	asked_clear(&a);
}

static void a_wrong_statement_says_what_sqlite_says(UNUSED_STATE)
{
	assert_refused("SELECT no_such FROM person", "no such column");
	assert_refused("SELEC 1", "syntax error");
	assert_refused("SELECT * FROM no_such_table", "no such table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(rows_come_with_their_columns),
		T(live_views_have_only_what_counts),
		T(live_views_leave_out_corrected_events),
		T(of_two_events_that_correct_each_other_one_stays),
		T(ids_are_hex),
		T(units_devices_sessions_and_the_log_can_be_read),
		T(with_and_json_work),
		T(statements_that_write_are_refused),
		T(attach_and_pragma_are_refused),
		T(several_statements_are_refused),
		T(dangerous_functions_are_refused),
		T(secrets_cannot_be_read),
		T(keys_and_bodies_read_as_nothing),
		T(restricted_rows_are_hidden_without_a_reason),
		T(restricted_rows_are_shown_with_a_reason_and_audited),
		T(restricted_types_are_refused_without_a_reason),
		T(restricted_fields_read_as_nothing),
		T(a_statement_without_end_is_stopped),
		T(a_value_too_large_is_refused),
		T(more_rows_than_fit_are_cut_and_said_so),
		T(a_wrong_statement_says_what_sqlite_says),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
