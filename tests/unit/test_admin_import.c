/* The office's own records from a file: all or none, row by row what became of it. */
#include "tests/unit/admin_office.h"

#define TARGET                                                                                   \
	"{\"type\":\"target\",\"unit\":\"70\",\"fields\":{\"indicator\":\"CT08\",\"year\":2025," \
	"\"value\":85.5}}"

static const json_t *row_at(const json_t *result, size_t index)
{
	return json_array_get(json_object_get(result, "rows"), index);
}

static const char *result_at(const json_t *result, size_t index)
{
	return text_of(row_at(result, index), "result");
}

static json_t *accept(const char *records, int exit_code)
{
	char args[4096];
	struct asked a;
	json_t *result;

	snprintf(args, sizeof args, "{\"records\":%s,\"file\":\"x.json\"}", records);
	a = ask("import accept", args);
	if (a.e != ERR_OK)
		print_error("%s\n", a.call.error);
	assert_ok(a.e);
	assert_int_equal(a.call.exit_code, exit_code);
	result = json_incref(a.call.result);
	asked_clear(&a);
	return result;
}

static json_int_t count_records(const char *type)
{
	json_t *status = result_of("status", "{}");
	json_int_t count =
		json_integer_value(json_object_get(json_object_get(status, "records"), type));

	json_decref(status);
	return count;
}

static void records_become_changes_of_the_office(UNUSED_STATE)
{
	json_t *done = accept("[" TARGET ",{\"type\":\"budget_line\",\"unit\":\"70\",\"fields\":{"
			      "\"year\":\"2020\",\"funding_source\":\"central\",\"content\":"
			      "\"capacity\",\"disbursed\":\"6.200 triệu đồng\"}}]",
			      0);

	assert_has_keys(done, "new change same refused log rows");
	assert_has_keys(row_at(done, 0), "row type id result field code why");
	assert_int_equal(int_of(done, "new"), 2);
	assert_int_equal(int_of(done, "log"), 1);
	assert_string_equal(result_at(done, 0), "new");
	assert_int_equal(count_records("target"), 1);
	json_decref(done);
	done = result_of("query", "{\"sql\":\"SELECT disbursed FROM budget_line\"}");
	assert_int_equal(int_of(json_array_get(json_object_get(done, "rows"), 0), "disbursed"),
			 6200000000);
	json_decref(done);
	assert_int_equal(audit_count("import accept"), 1);
}

static void a_record_that_is_there_is_changed_or_the_same(UNUSED_STATE)
{
	char again[512];
	json_t *done = accept("[" TARGET "]", 0);
	char id[33];

	snprintf(id, sizeof id, "%s", text_of(row_at(done, 0), "id"));
	json_decref(done);
	snprintf(again, sizeof again,
		 "[{\"type\":\"target\",\"id\":\"%s\",\"unit\":\"70\",\"fields\":{\"year\":2025}}]",
		 id);
	done = accept(again, 0);
	assert_string_equal(result_at(done, 0), "same");
	assert_true(json_is_null(json_object_get(done, "log")));
	json_decref(done);
	snprintf(again, sizeof again,
		 "[{\"type\":\"target\",\"id\":\"%s\",\"fields\":{\"value\":\"90\"}}]", id);
	done = accept(again, 0);
	assert_string_equal(result_at(done, 0), "change");
	assert_int_equal(int_of(done, "log"), 2);
	json_decref(done);
	assert_int_equal(count_records("target"), 1);
}

static void one_refused_row_and_nothing_is_written(UNUSED_STATE)
{
	static const struct {
		const char *record;
		const char *code;
	} cases[] = {
		{"{\"type\":\"nope\",\"fields\":{}}", "unknown_type"},
		{"7", "unknown_type"},
		{"{\"type\":\"target\",\"unit\":\"70\",\"fields\":{\"colour\":1}}",
		 "unknown_field"},
		{"{\"type\":\"target\",\"unit\":\"99999\",\"fields\":{}}", "no_such_unit"},
		{"{\"type\":\"target\",\"unit\":\"70\",\"fields\":{\"year\":1}}", "out_of_range"},
		{"{\"type\":\"target\",\"unit\":\"70\",\"fields\":{\"year\":\"năm\"}}",
		 "bad_format"},
		{"{\"type\":\"target\",\"unit\":\"70\",\"fields\":{\"year\":2025}}", "missing"},
		{"{\"type\":\"target\",\"id\":\"xyz\",\"unit\":\"70\",\"fields\":{}}", "bad_id"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char records[512];
		json_t *done;

		snprintf(records, sizeof records, "[" TARGET ",%s]", cases[i].record);
		done = accept(records, 4);
		assert_string_equal(result_at(done, 0), "new");
		assert_string_equal(result_at(done, 1), "refused");
		assert_string_equal(text_of(row_at(done, 1), "code"), cases[i].code);
		assert_non_null(strstr(text_of(row_at(done, 1), "why"), " / "));
		assert_true(json_is_null(json_object_get(done, "log")));
		json_decref(done);
	}
	assert_int_equal(count_records("target"), 0);
}

static void one_id_twice_in_a_file_is_refused(UNUSED_STATE)
{
	json_t *done =
		accept("[{\"type\":\"target\",\"id\":\"0176b9bdea807032a4e9d1b1c7e1f001\","
		       "\"unit\":\"70\",\"fields\":{\"indicator\":\"CT08\",\"year\":2025,"
		       "\"value\":85}},{\"type\":\"target\",\"id\":"
		       "\"0176b9bdea807032a4e9d1b1c7e1f001\",\"unit\":\"70\",\"fields\":{}}]",
		       4);

	assert_string_equal(text_of(row_at(done, 1), "code"), "bad_id");
	json_decref(done);
}

static void a_number_with_three_places_is_no_thousand(UNUSED_STATE)
{
	json_t *done = accept("[{\"type\":\"target\",\"unit\":\"70\",\"fields\":{\"indicator\":"
			      "\"CT08\",\"year\":2025,\"value\":1.234}}]",
			      0);

	json_decref(done);
	done = result_of("query", "{\"sql\":\"SELECT value FROM target\"}");
	assert_string_equal(text_of(json_array_get(json_object_get(done, "rows"), 0), "value"),
			    "1.234");
	json_decref(done);
}

static void a_dry_run_writes_nothing_but_the_audit(UNUSED_STATE)
{
	json_t *done = result_of("import accept", "{\"records\":[" TARGET "],\"dry_run\":true}");

	assert_int_equal(int_of(done, "new"), 1);
	assert_true(json_is_null(json_object_get(done, "log")));
	assert_int_equal(count_records("target"), 0);
	assert_int_equal(audit_count("import accept"), 1);
	json_decref(done);
}

static void no_list_or_too_long_a_list_is_refused(UNUSED_STATE)
{
	struct buf args = {0};

	assert_refused("import accept", "{}", ERR_INVAL, "10000");
	assert_refused("import accept", "{\"records\":[]}", ERR_INVAL, "10000");
	buf_append_str(&args, "{\"records\":[0");
	for (size_t i = 0; i < 10000; i++)
		buf_append_str(&args, ",0");
	buf_append_str(&args, "]}");
	assert_refused("import accept", buf_cstr(&args), ERR_INVAL, "10000");
	buf_clear(&args);
}

/* "same" would tell an account what it must not see. */
static void an_account_without_clearance_learns_nothing_restricted(UNUSED_STATE)
{
	const struct admin_command *c = admin_find("import accept");
	struct admin_call call = {
		.ctx = &office.ctx,
		.caller = {.uid = 1000, .name = "account:Lan", .is_uncleared = true},
		.arena = &office.arena};
	json_t *args = json_loads("{\"records\":[{\"type\":\"hiv_record\",\"unit\":\"25195\","
				  "\"fields\":{}}],\"dry_run\":true}",
				  0, NULL);

	call.args = args;
	call.store = office.writer;
	assert_ok(store_begin(office.writer));
	assert_ok(admin_run(c, &call));
	office_commit(&office);
	assert_string_equal(text_of(row_at(call.result, 0), "code"), "not_cleared");
	admin_call_clear(&call);
	json_decref(args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(records_become_changes_of_the_office),
		T(a_record_that_is_there_is_changed_or_the_same),
		T(one_refused_row_and_nothing_is_written),
		T(one_id_twice_in_a_file_is_refused),
		T(a_number_with_three_places_is_no_thousand),
		T(a_dry_run_writes_nothing_but_the_audit),
		T(no_list_or_too_long_a_list_is_refused),
		T(an_account_without_clearance_learns_nothing_restricted),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
