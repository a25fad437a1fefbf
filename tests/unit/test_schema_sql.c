#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/schema_sql.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

static struct ground g;
static struct schema *later; /* freed after the store that borrows it */

static int setup(UNUSED_STATE)
{
	later = NULL;
	ground_open(&g);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	schema_free(later);
	return 0;
}

/* The ground's schema with one line put behind another. */
static enum err use_changed(const char *behind, const char *line)
{
	struct buf text = {0};
	char error[SCHEMA_ERROR_LEN] = "";
	const char *at = strstr(ground_schema_text, behind);
	struct schema_source source = {.name = "test.yaml"};
	enum err e;

	assert_non_null(at);
	at = strchr(at, '\n') + 1;
	buf_append(&text, ground_schema_text, (size_t)(at - ground_schema_text));
	buf_append_str(&text, line);
	buf_append_str(&text, at);
	source.text = buf_bytes(&text);
	schema_free(later);
	e = schema_load(&source, 1, &later, error);
	if (e != ERR_OK)
		print_error("%s\n", error);
	assert_ok(e);
	buf_clear(&text);
	return store_use_schema(g.store, later);
}

static int64_t ask(const char *text)
{
	struct sql *q = NULL;
	int64_t value;

	assert_ok(sql_use_text(g.store, bytes_str(text), &q));
	assert_ok(sql_run_row(q));
	value = sql_int(q, 0);
	sql_done(q);
	return value;
}

static void columns_are_typed_for_plain_sql(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Cột", &id);
	ground_write(&g, &c, "age", value_int(70));
	ground_write(&g, &c, "poor", value_bool(true));
	(void)ground_push(&g, d, &c, 1);

	assert_int_equal(ask("SELECT count(*) FROM person WHERE name = 'Cột' AND age > 60 AND poor"
			     " AND NOT deleted AND NOT voided AND length(id) = 16"),
			 1);
	assert_int_equal(ask("SELECT log FROM person"), 1);
}

static void an_unknown_value_moves_into_the_column_that_comes(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Chờ", &id);
	struct record before;
	struct record after;
	ground_write(&g, &c, "zodiac", ground_text("Tý"));
	(void)ground_push(&g, d, &c, 1);
	before = ground_load(&g, "person", &id);

	assert_ok(use_changed("      age:",
			      "      zodiac: {type: text, vi: Con giáp, en: Zodiac}\n"));

	after = ground_load(&g, "person", &id);
	assert_int_equal(ask("SELECT count(*) FROM person WHERE zodiac = 'Tý' AND extra IS NULL"),
			 1);
	assert_int_equal(after.count, before.count);
	assert_true(stamp_compare(&after.fields[2].stamp, &before.fields[2].stamp) == 0);
	ground_verify(&g);
	/* And the same after a restart. */
	store_close(g.store);
	assert_ok(store_open_writer(g.path, later, &g.store));
	ground_verify(&g);
}

static void a_value_that_does_not_fit_stays_carried(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Lệch", &id);
	ground_write(&g, &c, "zodiac", value_int(7));
	(void)ground_push(&g, d, &c, 1);

	assert_ok(use_changed("      age:",
			      "      zodiac: {type: text, vi: Con giáp, en: Zodiac}\n"));

	struct record r = ground_load(&g, "person", &id);
	assert_int_equal(record_value(&r, "zodiac").integer, 7);
	assert_int_equal(ask("SELECT count(*) FROM person WHERE zodiac IS NULL"), 1);
	ground_verify(&g);
}

static void a_field_that_leaves_keeps_its_values(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct schema *with;
	struct change c;

	assert_ok(use_changed("      age:",
			      "      zodiac: {type: text, vi: Con giáp, en: Zodiac}\n"));
	with = later;
	later = NULL;
	c = ground_person(&g, d, g.north, "Giữ", &id);
	ground_write(&g, &c, "zodiac", ground_text("Sửu"));
	(void)ground_push(&g, d, &c, 1);

	assert_ok(store_use_schema(g.store, g.schema));

	struct record r = ground_load(&g, "person", &id);
	assert_true(bytes_is(record_value(&r, "zodiac").bytes, "Sửu"));
	c = ground_change(&g, d, "person", &id, 1);
	ground_write(&g, &c, "age", value_int(5));
	(void)ground_push(&g, d, &c, 1);
	r = ground_load(&g, "person", &id);
	assert_true(bytes_is(record_value(&r, "zodiac").bytes, "Sửu"));
	ground_verify(&g);
	schema_free(with);
}

static void a_field_keeps_its_kind(UNUSED_STATE)
{
	struct schema *changed = NULL;
	struct buf text = {0};
	char error[SCHEMA_ERROR_LEN];
	struct schema_source source = {.name = "test.yaml"};
	const char *at = strstr(ground_schema_text, "integer");

	buf_append(&text, ground_schema_text, (size_t)(at - ground_schema_text));
	buf_append_str(&text, "text");
	buf_append_str(&text, strchr(at, ','));
	/* A text has no smallest value of 0 years. */
	source.text = buf_bytes(&text);
	assert_ok(schema_load(&source, 1, &changed, error));

	assert_err(store_use_schema(g.store, changed), ERR_INVAL);

	assert_ptr_equal(store_schema(g.store), g.schema);
	buf_clear(&text);
	schema_free(changed);
}

static void an_index_comes_and_goes(UNUSED_STATE)
{
	static const char sql[] =
		"SELECT count(*) FROM sqlite_schema WHERE name = 'person__zodiac'";
	struct schema *first;

	assert_ok(use_changed("      age:", "      zodiac: {type: text, vi: Con giáp, en: Zodiac,"
					    " indexed: true}\n"));
	first = later;
	later = NULL;
	assert_int_equal(ask(sql), 1);
	assert_ok(use_changed("      age:",
			      "      zodiac: {type: text, vi: Con giáp, en: Zodiac}\n"));
	assert_int_equal(ask(sql), 0);
	schema_free(first);
}

static void the_programmes_schema_makes_its_tables(UNUSED_STATE)
{
	char path[512];
	char error[SCHEMA_ERROR_LEN] = "";

	(void)snprintf(path, sizeof path, "%s/schema", getenv("CTXH_SOURCE_DIR"));
	if (schema_load_folder(path, &later, error) != ERR_OK)
		fail_msg("%s", error);
	assert_ok(schema_sql_check(later, error));

	assert_ok(store_use_schema(g.store, later));

	assert_true(store_type_count(g.store) >= later->type_count);
	for (size_t i = 0; i < later->type_count; i++) {
		uint64_t count = 1;

		assert_ok(store_count_records(g.store, later->types[i].name, &count));
		assert_int_equal(count, 0);
	}
}

static enum err check_type(struct bytes name)
{
	struct schema_type type = {.name = name};
	const struct schema schema = {.types = &type, .type_count = 1};
	char error[SCHEMA_ERROR_LEN] = "";
	enum err e = schema_sql_check(&schema, error);

	assert_true(e == ERR_OK || strstr(error, "taken by the store") != NULL);
	return e;
}

/* Also those of steps that nobody remembered here. */
static void no_type_has_the_name_of_a_table_of_the_stores_own(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	size_t count = 0;

	assert_ok(sql_use(g.store,
			  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN"
			  " (SELECT name FROM record_type) AND name NOT LIKE '%#_#_changed' ESCAPE"
			  " '#'",
			  &q));
	while (sql_step(q, &is_row) == ERR_OK && is_row) {
		if (check_type(sql_text(q, 0)) == ERR_OK)
			fail_msg("%.*s", BYTES_FMT(sql_text(q, 0)));
		count++;
	}

	assert_true(count > 20);
}

/* What reports and queries call their own views and tables (store_admin.c). */
static void no_type_has_the_name_of_what_reports_find_besides(UNUSED_STATE)
{
	assert_err(check_type(BYTES_LIT("scope")), ERR_INVAL);
	assert_err(check_type(BYTES_LIT("commune")), ERR_INVAL);
	assert_err(check_type(BYTES_LIT("communes")), ERR_INVAL);
}

static void a_name_may_be_the_beginning_of_one_of_sqlites(UNUSED_STATE)
{
	assert_ok(check_type(BYTES_LIT("sq")));
	assert_err(check_type(BYTES_LIT("sqlite_x")), ERR_INVAL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(columns_are_typed_for_plain_sql),
		CASE(an_unknown_value_moves_into_the_column_that_comes),
		CASE(a_value_that_does_not_fit_stays_carried),
		CASE(a_field_that_leaves_keeps_its_values),
		CASE(a_field_keeps_its_kind),
		CASE(an_index_comes_and_goes),
		CASE(the_programmes_schema_makes_its_tables),
		CASE(no_type_has_the_name_of_a_table_of_the_stores_own),
		CASE(no_type_has_the_name_of_what_reports_find_besides),
		CASE(a_name_may_be_the_beginning_of_one_of_sqlites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
