/* Stores of versions before this one: what each step of store_migrate.c makes of them. */
#include "tests/unit/test.h"

#include <string.h>

#include "daemon/store_private.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

static struct ground g;

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static void exec(struct store *s, const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(s, text, &q));
	assert_ok(sql_run(q));
}

static struct change correction(struct ground_device *d, const struct id *of, struct id *ret_id)
{
	struct change c;

	*ret_id = id_new(&g.clock.clock, &g.rand);
	c = ground_change(&g, d, "visit", ret_id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(of->bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-01-02"));
	ground_write(&g, &c, "corrects", value_bytes(bytes_of(of->bytes, ID_LEN)));
	return c;
}

/* Version 2 had no column for it: it was among the values without one. */
static void a_store_of_version_two_gives_events_what_they_correct(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	const struct id wrong = {{1}};
	AUTO(sql_done) struct sql *q = NULL;
	struct store_state visit = {.record = {.type = BYTES_LIT("visit")}};
	struct change c = correction(d, &wrong, &visit.record.id);
	struct hash before;

	(void)ground_push(&g, d, &c, 1);
	before = ground_digest(&g);
	exec(g.store, "UPDATE record_type SET kind = 'register' WHERE name = 'visit'");
	exec(g.store, "DROP INDEX visit__corrects");
	assert_ok(store_load_states(g.store, &g.a, &visit, 1));
	visit.record = record_copy(&g.a, &visit.record);
	store_close(g.store);
	g.store = NULL;
	assert_ok(store_open_writer(g.path, NULL, &g.store));
	assert_ok(store_load_tables(g.store));
	assert_ok(store_begin(g.store));
	assert_ok(store_put_state(g.store, &g.a, &visit, 0));
	assert_ok(store_commit(g.store));
	exec(g.store, "ALTER TABLE visit DROP COLUMN corrects");
	exec(g.store, "UPDATE record_type SET kind = 'event' WHERE name = 'visit'");
	ground_make_version_3(&g);
	exec(g.store, "PRAGMA user_version=2");

	ground_reopen(&g);

	struct hash after = ground_digest(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
	assert_ok(sql_use(g.store, "SELECT corrects, extra FROM visit", &q));
	assert_ok(sql_run_row(q));
	assert_memory_equal(sql_blob(q, 0).data, wrong.bytes, ID_LEN);
	assert_int_equal(sql_kind(q, 1), SQL_NULL);
}

static void a_store_of_version_three_knows_who_decided(UNUSED_STATE)
{
	struct conflict_row row = {.type = BYTES_LIT("person"),
				   .kept = {.name = BYTES_LIT("name")},
				   .state = BYTES_LIT("open")};

	assert_ok(store_put_conflict(g.store, &row));
	ground_make_version_3(&g);

	ground_reopen(&g);

	assert_ok(store_load_conflict(g.store, &g.a, row.conflict, &row));
	assert_int_equal(row.decided_ms, 0);
	assert_int_equal(row.decided_by.len, 0);
}

static void assert_index_is_thin(void)
{
	AUTO(sql_done) struct sql *index = NULL;
	AUTO(sql_done) struct sql *plan = NULL;

	assert_ok(sql_use(g.store,
			  "SELECT count(*) FROM sqlite_master WHERE name = 'person__name'"
			  " AND sql LIKE '% WHERE \"name\" IS NOT NULL'",
			  &index));
	assert_ok(sql_run_row(index));
	assert_int_equal(sql_int(index, 0), 1);
	assert_ok(sql_use(g.store,
			  "SELECT 1 FROM pragma_index_list('person') WHERE name = 'person__name'"
			  " AND partial = 1",
			  &plan));
	assert_ok(sql_run_row(plan));
}

static void an_index_leaves_out_the_records_that_lack_its_field(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_index_is_thin();
	assert_ok(
		sql_use(g.store, "EXPLAIN QUERY PLAN SELECT row FROM person WHERE name = ?1", &q));
	assert_ok(sql_run_row(q));
	assert_non_null(strstr((const char *)sql_text(q, 3).data, "INDEX person__name"));
}

static void a_store_of_version_three_gets_thin_indexes(UNUSED_STATE)
{
	exec(g.store, "DROP INDEX person__name");
	exec(g.store, "CREATE INDEX person__name ON person(name)");
	ground_make_version_3(&g);

	ground_reopen(&g);

	assert_index_is_thin();
}

/* Version 6 knew no erasure. */
static void a_store_of_version_six_learns_to_erase(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	const struct id of = {{1}};
	struct id id;
	struct change c = correction(d, &of, &id);
	const struct changeset_cut cut = {.is_cut = true, .body_hash = {{3}}, .signed_hash = {{4}}};
	struct log_row row;

	(void)ground_push(&g, d, &c, 1);
	ground_make_version_6(&g);

	ground_reopen(&g);

	assert_ok(store_load_log(g.store, &g.a, 1, &row));
	assert_false(row.cut.is_cut);
	assert_ok(store_begin(g.store));
	row.body = BYTES_LIT("rest");
	row.cut = cut;
	assert_ok(store_cut_log(g.store, &row));
	row.log = 2;
	assert_err(store_cut_log(g.store, &row), ERR_NOTFOUND);
	assert_ok(store_commit(g.store));
	assert_ok(store_load_log(g.store, &g.a, 1, &row));
	assert_true(row.cut.is_cut && bytes_is(row.body, "rest"));
	assert_memory_equal(&row.cut.body_hash, &cut.body_hash, HASH_LEN);
	assert_memory_equal(&row.cut.signed_hash, &cut.signed_hash, HASH_LEN);
}

static void a_store_of_version_nine_has_no_accounts_yet(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *q = NULL;

	ground_make_version_11(&g);
	exec(g.store, "DROP TABLE account");
	exec(g.store, "DROP TABLE report_document");
	exec(g.store, "DROP TABLE report_frozen");
	exec(g.store, "PRAGMA user_version=9");

	ground_reopen(&g);

	assert_ok(sql_use(g.store, "SELECT count(*) FROM account", &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 0);
}

static void a_store_of_version_eleven_finds_what_did_not_go_well(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;

	ground_make_version_11(&g);

	ground_reopen(&g);

	assert_ok(sql_use(g.store,
			  "EXPLAIN QUERY PLAN SELECT session FROM session WHERE outcome > 1"
			  " AND outcome = ?1 ORDER BY session DESC",
			  &q));
	assert_ok(sql_step(q, &is_row));
	assert_true(is_row);
	assert_non_null(memmem(sql_text(q, 3).data, sql_text(q, 3).len, "session_not_well", 16));
	assert_ok(sql_step(q, &is_row));
	assert_false(is_row);
}

/* The board's last receipt of each device, of a store that has no column for it. */
static void a_store_of_before_knows_when_devices_had_a_receipt(UNUSED_STATE)
{
	static const char *const texts[] = {
		"UPDATE device SET last_receipt_at = 7",
		"INSERT INTO session(device, is_device_known, unit, author, started_at, ended_at,"
		" transport, address, client_version, bytes_in, bytes_out, changesets, applied,"
		" conflicts, quarantined, records_out, evictions, clock_offset_ms, outcome, error)"
		" SELECT number, value <> 60, 0, '', value, value, 'network', '', '', 0, 0, 0, 0, 0,"
		" 0, 0, 0, 0, CASE value WHEN 30 THEN 2 WHEN 40 THEN 3 WHEN 50 THEN 4 ELSE 1 END, ''"
		" FROM (SELECT max(number) AS number FROM device),"
		" json_each('[10, 20, 30, 40, 50, 60]')",
	};
	AUTO(sql_done) struct sql *q = NULL;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_ok(store_exec(g.store, texts[i]));
	ground_make_version_11(&g);

	ground_reopen(&g);

	/* 30 was in part; 40 turned away, 50 broke off, 60 was a stranger. Others never had one. */
	assert_ok(sql_use(g.store,
			  "SELECT last_receipt_at, (SELECT sum(last_receipt_at) FROM device)"
			  " FROM device ORDER BY number DESC LIMIT 1",
			  &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 30);
	assert_int_equal(sql_int(q, 1), 30);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_store_of_version_two_gives_events_what_they_correct),
		CASE(a_store_of_version_three_knows_who_decided),
		CASE(an_index_leaves_out_the_records_that_lack_its_field),
		CASE(a_store_of_version_three_gets_thin_indexes),
		CASE(a_store_of_version_six_learns_to_erase),
		CASE(a_store_of_version_nine_has_no_accounts_yet),
		CASE(a_store_of_version_eleven_finds_what_did_not_go_well),
		CASE(a_store_of_before_knows_when_devices_had_a_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
