/* Reports: scope by unit and day, figures, what is stale, what is suppressed. */
#include "tests/unit/test.h"

#include "daemon/report_private.h"
#include "tests/unit/office.h"

#define DAY_2021 "2021-04-13"

static struct office office;

static int setup(UNUSED_STATE)
{
	office_open(&office);
	office_import(&office,
		      office_read("tests/data/units/units_binhphuoc_2021.csv", &office.arena),
		      "2021-02-01");
	return 0;
}

static int teardown(UNUSED_STATE)
{
	office_close(&office);
	return 0;
}

static json_t *run(const char *id, const char *unit, const char *on)
{
	const struct report_request request = {.id = bytes_str(id),
					       .unit = bytes_str(unit),
					       .from = BYTES_LIT("2020-01-01"),
					       .to = BYTES_LIT("2020-12-31"),
					       .on = bytes_str(on),
					       .now_ms = OFFICE_NOW};
	json_t *report = NULL;

	assert_ok(store_begin(office.reader));
	assert_ok(report_run(office.reader, &office.arena, &request, &report));
	store_rollback(office.reader);
	return report;
}

static const json_t *row_of(const json_t *report, const char *indicator, const char *code)
{
	const json_t *rows = json_object_get(report, "rows");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(json_string_value(json_object_get(row, "indicator")), indicator) == 0 &&
		    strcmp(json_string_value(json_object_get(row, "code")), code) == 0)
			return row;
	}
	fail_msg("no row %s %s", indicator, code);
	return NULL;
}

static json_int_t int_of(const json_t *row, const char *key)
{
	assert_true(json_is_integer(json_object_get(row, key)));
	return json_integer_value(json_object_get(row, key));
}

static struct id put_collaborator(int64_t unit)
{
	struct id worker =
		OFFICE_PUT(&office, "worker", unit, OFFICE_TEXT("full_name", "Nguyễn Văn A"));

	return OFFICE_PUT(&office, "worker_assignment", unit,
			  {BYTES_LIT("worker"), value_bytes(bytes_of(worker.bytes, ID_LEN))},
			  OFFICE_TEXT("role", "collaborator"),
			  OFFICE_TEXT("work_form", "full_time"),
			  OFFICE_TEXT("started_on", "2014-06-01"));
}

/* 105 of the 111 communes have a collaborator, as the province published for 2020. */
static void fill_communes(size_t count)
{
	struct unit_row *rows;
	size_t row_count;
	int64_t day;

	assert_ok(units_parse_day(BYTES_LIT(DAY_2021), &day));
	assert_ok(units_list(office.writer, &office.arena,
			     &(struct units_filter){.day = day, .level = UNIT_COMMUNE}, &rows,
			     &row_count));
	assert_int_equal(row_count, 111);
	assert_ok(store_begin(office.writer));
	for (size_t i = 0; i < count; i++)
		put_collaborator(rows[i].unit);
	office_commit(&office);
}

static void the_province_has_the_share_it_published(UNUSED_STATE)
{
	json_t *report;
	const json_t *row;

	fill_communes(105);
	report = run("CT02", "70", DAY_2021);
	row = row_of(report, "CT02", "all");

	assert_true(json_number_value(json_object_get(row, "value")) == 94.6);
	assert_int_equal(int_of(row, "numerator"), 105);
	assert_int_equal(int_of(row, "denominator"), 111);
	assert_string_equal(json_string_value(json_object_get(row, "unit")), "70");
	assert_string_equal(json_string_value(json_object_get(row, "label")),
			    "Xã có cộng tác viên");
	json_decref(report);
}

static void a_commune_and_a_district_count_their_own(UNUSED_STATE)
{
	json_t *report;

	fill_communes(105);
	report = run("NL01", "25195", DAY_2021);
	assert_int_equal(int_of(row_of(report, "NL01", "all"), "persons"), 1);
	json_decref(report);

	/* Đồng Xoài had eight communes, all among the first by code. */
	report = run("NL01", "689", DAY_2021);
	assert_int_equal(int_of(row_of(report, "NL01", "all"), "persons"), 8);
	json_decref(report);
}

static void the_yearly_report_has_every_indicator_in_order(UNUSED_STATE)
{
	json_t *report = run("annual", "70", DAY_2021);
	const json_t *rows = json_object_get(report, "rows");
	size_t at = 0;

	for (size_t i = 0; i < office.schema->indicator_count; i++) {
		struct bytes id = office.schema->indicators[i].id;
		size_t before = at;

		while (at < json_array_size(rows) &&
		       bytes_is(id, json_string_value(json_object_get(json_array_get(rows, at),
								      "indicator"))))
			at++;
		/* A code list may be empty of rows only where it is a cut by data. */
		assert_true(at > before || json_array_size(rows) > at);
	}
	assert_int_equal(at, json_array_size(rows));
	json_decref(report);
}

static void the_report_says_how_far_it_can_be_trusted(UNUSED_STATE)
{
	const int64_t unit = office_unit(&office, "25195", DAY_2021);
	struct store_device device = {.id = {.number = 1},
				      .name = BYTES_LIT("máy 1"),
				      .client_version = BYTES_LIT("0.1"),
				      .last_contact_ms = OFFICE_NOW};
	json_t *report = run("CT02", "70", DAY_2021);

	assert_int_equal(json_array_size(json_object_get(report, "stale_units")), 111);
	assert_int_equal(int_of(report, "as_of"), 0);
	assert_int_equal(int_of(report, "quarantined"), 0);
	json_decref(report);

	assert_ok(store_begin(office.writer));
	assert_ok(store_put_device(office.writer, &device));
	assert_ok(store_add_device_unit(office.writer, 1, unit));
	assert_ok(store_put_quarantine(office.writer,
				       &(struct quarantine_row){.device = 1,
								.number = 1,
								.reason = BYTES_LIT("missing"),
								.state = BYTES_LIT("open"),
								.at_ms = OFFICE_NOW}));
	office_commit(&office);

	report = run("CT02", "70", DAY_2021);
	assert_int_equal(json_array_size(json_object_get(report, "stale_units")), 110);
	assert_int_equal(int_of(report, "quarantined"), 1);
	json_decref(report);
	/* Another commune's report is not held up by it. */
	report = run("CT02", "25198", DAY_2021);
	assert_int_equal(int_of(report, "quarantined"), 0);
	json_decref(report);
}

static void put_trafficked(int64_t unit, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct id person =
			OFFICE_PUT(&office, "person", unit, OFFICE_TEXT("full_name", "Thị Bé"));
		struct value who = value_bytes(bytes_of(person.bytes, ID_LEN));

		OFFICE_PUT(&office, "person_category", unit, {BYTES_LIT("person"), who},
			   OFFICE_TEXT("scheme", "trafficked"));
		OFFICE_PUT(&office, "intervention", unit, {BYTES_LIT("person"), who},
			   OFFICE_TEXT("kind", "GIFT"), OFFICE_TEXT("given_on", "2020-03-01"));
	}
}

static void small_counts_of_restricted_groups_are_not_given(UNUSED_STATE)
{
	const int64_t unit = office_unit(&office, "25195", DAY_2021);
	const json_t *row;
	json_t *report;

	assert_ok(store_begin(office.writer));
	put_trafficked(unit, 4);
	office_commit(&office);
	report = run("CTH10", "70", DAY_2021);
	row = row_of(report, "CTH10", "trafficked");
	assert_string_equal(json_string_value(json_object_get(row, "value")), "<5");
	assert_string_equal(json_string_value(json_object_get(row, "persons")), "<5");
	assert_true(json_is_true(json_object_get(row, "suppressed")));
	/* None is fewer than five as well: saying so would tell who is not. */
	assert_string_equal(
		json_string_value(json_object_get(row_of(report, "CTH10", "hiv"), "value")), "<5");
	json_decref(report);

	assert_ok(store_begin(office.writer));
	put_trafficked(unit, 1);
	office_commit(&office);
	report = run("CTH10", "70", DAY_2021);
	row = row_of(report, "CTH10", "trafficked");
	assert_int_equal(int_of(row, "persons"), 5);
	assert_null(json_object_get(row, "suppressed"));
	json_decref(report);
}

static const char list_2025[] = "code,name,type,province_code,province_name\n"
				"25195,Phường Bình Phước,Phường,75,Tỉnh Đồng Nai\n"
				"26068,Phường Trấn Biên,Phường,75,Tỉnh Đồng Nai\n";
static const char map_2025[] =
	"old_code,old_name,old_type,old_district_code,old_district_name,old_province_code,"
	"old_province_name,new_code,new_name,new_type,new_province_code,new_province_name,part,"
	"check\n"
	"25195,Phường Tân Phú,Phường,689,Thành phố Đồng Xoài,70,Tỉnh Bình Phước,25195,Phường Bình "
	"Phước,Phường,75,Tỉnh Đồng Nai,whole,\n"
	"25198,Phường Tân Đồng,Phường,689,Thành phố Đồng Xoài,70,Tỉnh Bình Phước,25195,Phường Bình "
	"Phước,Phường,75,Tỉnh Đồng Nai,whole,\n";

static void merge_communes(void)
{
	struct units_succeeded succeeded;
	int64_t day;

	office_import(&office, BYTES_LIT(list_2025), "2025-07-01");
	assert_ok(units_parse_day(BYTES_LIT("2025-07-01"), &day));
	assert_ok(store_begin(office.writer));
	assert_ok(units_succession(office.writer, &office.arena, BYTES_LIT(map_2025), day,
				   &succeeded));
	office_commit(&office);
	assert_int_equal(succeeded.whole, 2);
}

static void a_merged_commune_counts_what_its_predecessors_did(UNUSED_STATE)
{
	json_t *report;

	assert_ok(store_begin(office.writer));
	put_collaborator(office_unit(&office, "25195", DAY_2021));
	put_collaborator(office_unit(&office, "25198", DAY_2021));
	put_collaborator(office_unit(&office, "25201", DAY_2021));
	office_commit(&office);
	merge_communes();

	report = run("NL01", "25195", "2025-07-02");
	assert_int_equal(int_of(row_of(report, "NL01", "all"), "persons"), 2);
	json_decref(report);
	report = run("CT02", "75", "2025-07-02");
	assert_int_equal(int_of(row_of(report, "CT02", "all"), "numerator"), 1);
	assert_int_equal(int_of(row_of(report, "CT02", "all"), "denominator"), 2);
	json_decref(report);
}

static void the_report_of_a_past_year_does_not_change_with_a_merger(UNUSED_STATE)
{
	json_t *before;
	json_t *after;

	fill_communes(105);
	before = run("annual", "70", DAY_2021);
	merge_communes();
	after = run("annual", "70", DAY_2021);

	assert_true(json_equal(json_object_get(before, "rows"), json_object_get(after, "rows")));
	json_decref(before);
	json_decref(after);
}

static void a_report_leaves_nothing_on_the_connection(UNUSED_STATE)
{
	static const char text[] = "SELECT count(*) FROM sqlite_temp_schema";
	AUTO(sql_done) struct sql *q = NULL;
	json_t *first = run("CT02", "70", DAY_2021);
	json_t *second = run("CT02", "70", DAY_2021);

	assert_true(json_equal(first, second));
	assert_ok(sql_use(office.reader, text, &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 0);
	json_decref(first);
	json_decref(second);
}

/* How SQLite would run it over a report's views. */
static struct bytes plan_of(struct bytes text)
{
	AUTO(buf_clear) struct buf explain = {0};
	AUTO(buf_clear) struct buf plan = {0};
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = true;

	buf_printf(&explain, "EXPLAIN QUERY PLAN %.*s", BYTES_FMT(text));
	assert_ok(sql_use_text(office.reader, buf_bytes(&explain), &q));
	while (sql_step(q, &is_row) == ERR_OK && is_row)
		buf_printf(&plan, "%.*s\n", BYTES_FMT(sql_text(q, 3)));
	buf_append_byte(&plan, '\0');
	return arena_copy(&office.arena, buf_bytes(&plan));
}

static struct report begin(const struct report_request *request)
{
	struct report r = {.store = office.reader, .arena = &office.arena, .request = request};

	assert_ok(store_begin(office.reader));
	assert_ok(report_begin(&r));
	return r;
}

static const struct report_request of_a_commune = {.id = BYTES_LIT("annual"),
						   .unit = BYTES_LIT("25195"),
						   .from = BYTES_LIT("2020-01-01"),
						   .to = BYTES_LIT("2020-12-31"),
						   .on = BYTES_LIT(DAY_2021),
						   .now_ms = OFFICE_NOW};

/* A commune's report in a country's store reads its own rows. */
static void no_indicator_reads_a_whole_table(UNUSED_STATE)
{
	struct report r = begin(&of_a_commune);

	for (size_t i = 0; i < office.schema->indicator_count; i++) {
		struct bytes plan = plan_of(office.schema->indicators[i].sql);

		if (strstr((const char *)plan.data, "SCAN main.") != NULL)
			print_error("%.*s:\n%s\n", BYTES_FMT(office.schema->indicators[i].id),
				    (const char *)plan.data);
		assert_null(strstr((const char *)plan.data, "SCAN main."));
	}
	/* The control: what does read one is seen. */
	assert_non_null(strstr((const char *)plan_of(BYTES_LIT("SELECT * FROM main.person")).data,
			       "SCAN main."));
	report_end(&r);
	store_rollback(office.reader);
}

static void late_records_are_found_by_unit_and_log_number(UNUSED_STATE)
{
	struct report r = begin(&of_a_commune);
	struct bytes plan;

	for (size_t i = 0; i < office.schema->type_count; i++) {
		AUTO(buf_clear) struct buf text = {0};

		report_late_query(&office.schema->types[i], &text);
		plan = plan_of(buf_bytes(&text));
		assert_non_null(strstr((const char *)plan.data, "__unit (unit=? AND made_log>?)"));
		assert_non_null(
			strstr((const char *)plan.data, "PRIMARY KEY (in_unit=? AND at_log>?)"));
	}
	report_end(&r);
	store_rollback(office.reader);
}

static void a_unit_that_was_not_is_said_so(UNUSED_STATE)
{
	const struct report_request request = {.id = BYTES_LIT("CT02"),
					       .unit = BYTES_LIT("99999"),
					       .from = BYTES_LIT("2020-01-01"),
					       .to = BYTES_LIT("2020-12-31"),
					       .now_ms = OFFICE_NOW};
	json_t *report = NULL;

	assert_ok(store_begin(office.reader));
	assert_err(report_run(office.reader, &office.arena, &request, &report), ERR_NOTFOUND);
	store_rollback(office.reader);

	assert_null(report);
}

static void without_a_day_the_code_is_read_at_the_end_of_the_period_or_today(UNUSED_STATE)
{
	json_t *report = run("CT02", "70", "");

	/* The list begins after the period, so today is what the code can mean. */
	assert_string_equal(json_string_value(json_object_get(report, "on")), "2026-11-22");
	json_decref(report);
}

static void restricted_reports_are_known(UNUSED_STATE)
{
	bool is_restricted;

	assert_ok(report_is_restricted(office.schema, BYTES_LIT("CTH10"), &is_restricted));
	assert_true(is_restricted);
	assert_ok(report_is_restricted(office.schema, BYTES_LIT("CT02"), &is_restricted));
	assert_false(is_restricted);
	assert_ok(report_is_restricted(office.schema, BYTES_LIT("annual"), &is_restricted));
	assert_true(is_restricted);
	assert_err(report_is_restricted(office.schema, BYTES_LIT("CT99"), &is_restricted),
		   ERR_NOTFOUND);
}

static void the_list_has_the_yearly_report_and_each_indicator(UNUSED_STATE)
{
	json_t *rows = report_list(office.schema);

	assert_int_equal(json_array_size(rows), office.schema->indicator_count + 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "id")),
			    "annual");
	json_decref(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(the_province_has_the_share_it_published),
		T(a_commune_and_a_district_count_their_own),
		T(the_yearly_report_has_every_indicator_in_order),
		T(the_report_says_how_far_it_can_be_trusted),
		T(small_counts_of_restricted_groups_are_not_given),
		T(a_merged_commune_counts_what_its_predecessors_did),
		T(the_report_of_a_past_year_does_not_change_with_a_merger),
		T(a_report_leaves_nothing_on_the_connection),
		T(no_indicator_reads_a_whole_table),
		T(late_records_are_found_by_unit_and_log_number),
		T(a_unit_that_was_not_is_said_so),
		T(without_a_day_the_code_is_read_at_the_end_of_the_period_or_today),
		T(restricted_reports_are_known),
		T(the_list_has_the_yearly_report_and_each_indicator),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
