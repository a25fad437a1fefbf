/* Frozen reports: the bytes that were printed, and whoever changes them is found. */
#include "tests/unit/test.h"

#include <string.h>

#include "daemon/frozen.h"
#include "daemon/store_sql.h"
#include "daemon/verify.h"
#include "tests/support/ground.h"

static struct ground g;
static json_t *report;

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	report = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:[{s:s, s:s, s:I}]}", "id", "CT02",
			   "unit", "70", "from", "2020-01-01", "to", "2020-12-31", "on",
			   "2021-04-13", "as_of", (json_int_t)0, "rows", "indicator", "CT02",
			   "label", "Xã có cộng tác viên", "value", (json_int_t)105);
	assert_non_null(report);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	json_decref(report);
	ground_close(&g);
	return 0;
}

static void audit(const struct hash *hash)
{
	char hex[2 * HASH_LEN + 1];

	hex_print(hash->bytes, HASH_LEN, hex);
	assert_ok(store_put_audit(g.store, GROUND_START, BYTES_LIT("uid:0"),
				  BYTES_LIT("report freeze"),
				  arena_printf(&g.a, "{\"hash\":\"%s\"}", hex)));
}

static struct frozen freeze(struct frozen_documents *documents, bool is_audited)
{
	struct frozen row = {.report = BYTES_LIT("CT02"),
			     .unit_code = BYTES_LIT("70"),
			     .unit_name = BYTES_LIT("Tỉnh Bình Phước"),
			     .from = BYTES_LIT("2020-01-01"),
			     .to = BYTES_LIT("2020-12-31"),
			     .on = BYTES_LIT("2021-04-13"),
			     .at_ms = GROUND_START,
			     .who = BYTES_LIT("uid:0")};

	assert_ok(frozen_print(&g.a, report, documents, &row.hash));
	assert_ok(store_begin(g.store));
	assert_ok(frozen_put(g.store, &row, documents));
	if (is_audited)
		audit(&row.hash);
	assert_ok(store_commit(g.store));
	return row;
}

static void run_sql(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(g.store, text, &q));
	assert_ok(sql_run(q));
}

static void assert_breach(const char *words)
{
	struct verify_report found = {0};
	struct frozen row;
	const char *breach = NULL;

	assert_ok(frozen_load(g.store, &g.a, 1, &row));
	assert_ok(frozen_check(g.store, &row, &breach));
	assert_non_null(breach);
	assert_non_null(strstr(breach, words));
	assert_ok(store_begin(g.store));
	assert_ok(verify_run(&g.ctx, g.store, g.folder, &g.a, &found));
	store_rollback(g.store);
	assert_int_equal(found.found, 1);
	assert_string_equal(found.differences[0].invariant, "S14");
}

static void every_format_comes_back_byte_for_byte(UNUSED_STATE)
{
	struct frozen_documents documents;
	struct frozen row = freeze(&documents, true);
	struct bytes bytes;

	assert_int_equal(row.frozen, 1);
	ground_reopen(&g);
	assert_ok(frozen_load(g.store, &g.a, 1, &row));
	for (unsigned f = 0; f < REPORT_FORMATS; f++) {
		assert_ok(frozen_load_document(g.store, &g.a, &row, (enum report_format)f, &bytes));
		assert_true(bytes.len != 0 && bytes_equal(bytes, documents.of[f]));
	}
	assert_true(bytes_is(row.unit_name, "Tỉnh Bình Phước"));
	ground_verify(&g);
}

static void the_list_has_the_newest_first(UNUSED_STATE)
{
	struct frozen_documents documents;
	struct frozen *rows;
	size_t count;

	assert_ok(frozen_list(g.store, &g.a, &rows, &count));
	assert_int_equal(count, 0);
	(void)freeze(&documents, true);
	(void)freeze(&documents, true);
	assert_ok(frozen_list(g.store, &g.a, &rows, &count));

	assert_int_equal(count, 2);
	assert_int_equal(rows[0].frozen, 2);
	assert_int_equal(rows[1].frozen, 1);
	/* The same figures, frozen twice, are the same bytes. */
	assert_memory_equal(&rows[0].hash, &rows[1].hash, HASH_LEN);
	assert_err(frozen_load(g.store, &g.a, 3, &rows[0]), ERR_NOTFOUND);
}

static void one_other_byte_gives_another_hash(UNUSED_STATE)
{
	struct frozen_documents documents;
	struct frozen row = freeze(&documents, true);
	struct hash other;

	json_object_set_new(json_array_get(json_object_get(report, "rows"), 0), "value",
			    json_integer(106));
	assert_ok(frozen_print(&g.a, report, &documents, &other));

	assert_memory_not_equal(&other, &row.hash, HASH_LEN);
}

static void what_cannot_be_printed_is_not_frozen(UNUSED_STATE)
{
	struct frozen_documents documents;
	struct hash hash;

	json_object_del(report, "rows");

	assert_err(frozen_print(&g.a, report, &documents, &hash), ERR_INVAL);
}

static void a_changed_document_is_found_and_not_printed(UNUSED_STATE)
{
	struct frozen_documents documents;
	struct frozen row = freeze(&documents, true);
	struct bytes bytes;

	run_sql("UPDATE report_document SET body = CAST('105' AS BLOB), size = 3"
		" WHERE format = 'csv'");

	for (unsigned f = 0; f < REPORT_FORMATS; f++)
		assert_err(frozen_load_document(g.store, &g.a, &row, (enum report_format)f, &bytes),
			   ERR_CONFLICT);
	assert_breach("documents");
}

static void a_document_that_is_gone_is_found(UNUSED_STATE)
{
	struct frozen_documents documents;

	(void)freeze(&documents, true);
	run_sql("DELETE FROM report_document WHERE format = 'xlsx'");
	assert_breach("documents");
}

static void a_damaged_or_endless_document_is_found(UNUSED_STATE)
{
	struct frozen_documents documents;

	(void)freeze(&documents, true);
	run_sql("UPDATE report_document SET body = zeroblob(5) WHERE format = 'html'");
	assert_breach("documents");
	run_sql("UPDATE report_document SET size = 1 << 40 WHERE format = 'html'");
	assert_breach("documents");
}

static void a_row_that_says_another_period_is_found(UNUSED_STATE)
{
	struct frozen_documents documents;

	(void)freeze(&documents, true);
	run_sql("UPDATE report_frozen SET to_on = '2021-12-31'");
	assert_breach("row");
}

static void one_that_nobody_audited_is_found(UNUSED_STATE)
{
	struct frozen_documents documents;

	(void)freeze(&documents, false);
	assert_breach("audit");
}

/* Version 6 knew nothing of it, nor did those between. */
static void an_older_store_learns_to_freeze(UNUSED_STATE)
{
	struct frozen_documents documents;

	ground_make_version_6(&g);
	ground_reopen(&g);

	assert_int_equal(freeze(&documents, true).frozen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(every_format_comes_back_byte_for_byte),
		CASE(the_list_has_the_newest_first),
		CASE(one_other_byte_gives_another_hash),
		CASE(what_cannot_be_printed_is_not_frozen),
		CASE(a_changed_document_is_found_and_not_printed),
		CASE(a_document_that_is_gone_is_found),
		CASE(a_damaged_or_endless_document_is_found),
		CASE(a_row_that_says_another_period_is_found),
		CASE(one_that_nobody_audited_is_found),
		CASE(an_older_store_learns_to_freeze),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
