#include "tests/unit/test.h"

#include <dirent.h>
#include <string.h>

#include "daemon/store_sql.h"
#include "daemon/verify.h"
#include "tests/support/ground.h"

/* verify is believed only because it finds each of these. */

static struct ground g;
static struct id person;

static int setup(UNUSED_STATE)
{
	struct ground_device *d;
	struct ground_device *e;
	struct change c;
	struct change bad;

	ground_open(&g);
	d = ground_device(&g, g.north, false);
	e = ground_device(&g, g.north, false);
	c = ground_person(&g, d, g.north, "Gốc", &person);
	(void)ground_push(&g, d, &c, 1);
	c = ground_change(&g, e, "person", &person, 0);
	ground_write(&g, &c, "name", ground_text("Khác"));
	(void)ground_push(&g, e, &c, 1);
	c = ground_change(&g, d, "person", &person, 2);
	ground_write(&g, &c, "unit", value_int(g.south));
	ground_write(&g, &c, "zodiac", ground_text("Tý"));
	(void)ground_push(&g, d, &c, 1);
	bad = ground_change(&g, d, "person", &person, 3);
	ground_write(&g, &bad, "sex", ground_text("dragon"));
	(void)ground_push(&g, d, &bad, 1);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static struct verify_report verify(void)
{
	struct verify_report report = {0};

	assert_ok(store_begin(g.store));
	assert_ok(verify_run(&g.ctx, g.store, g.folder, &g.a, &report));
	assert_ok(store_commit(g.store));
	return report;
}

static void run_sql(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(g.store, text, &q));
	assert_ok(sql_run(q));
	assert_true(sql_changed_rows(g.store) > 0);
}

static void assert_finds(const char *invariant, const char *table)
{
	struct verify_report r = verify();

	for (size_t i = 0; i < r.difference_count; i++) {
		if (strcmp(r.differences[i].invariant, invariant) == 0 &&
		    bytes_is(r.differences[i].table, table))
			return;
		print_error("%s %.*s\n", r.differences[i].invariant,
			    BYTES_FMT(r.differences[i].table));
	}
	fail_msg("%s in %s was not found", invariant, table);
}

static void a_sound_store_has_no_difference(UNUSED_STATE)
{
	struct verify_report r = verify();

	assert_int_equal(r.found, 0);
	assert_int_equal(r.log, 4);
	assert_int_equal(r.changesets, 4);
	assert_int_equal(r.changes, 4);
	assert_int_equal(r.records, 1);
	assert_true(r.invariants >= 13);
}

static void the_temporary_store_is_removed(UNUSED_STATE)
{
	DIR *dir;
	const struct dirent *entry;

	(void)verify();

	dir = opendir(g.folder);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		assert_true(strncmp(entry->d_name, "rebuild-", 8) != 0);
	(void)closedir(dir);
}

static void a_missing_log_row_is_found(UNUSED_STATE)
{
	run_sql("DELETE FROM changeset WHERE log = 2");
	assert_finds("S1", "changeset");
}

static void a_changed_log_row_is_found(UNUSED_STATE)
{
	run_sql("UPDATE changeset SET body = (SELECT body FROM changeset WHERE log = 1),"
		" size = (SELECT size FROM changeset WHERE log = 1) WHERE log = 3");
	assert_finds("S2", "changeset");
}

static void a_changed_signature_is_found(UNUSED_STATE)
{
	run_sql("UPDATE changeset SET signature = zeroblob(64) WHERE log = 1");
	assert_finds("S2", "changeset");
}

static void a_wrong_device_number_is_found(UNUSED_STATE)
{
	run_sql("UPDATE device SET last_number = last_number + 1 WHERE number = 1");
	assert_finds("S3", "device");
}

static void a_value_changed_behind_the_log_is_found(UNUSED_STATE)
{
	run_sql("UPDATE person SET name = 'Giả mạo'");
	assert_finds("S4", "person");
}

static void a_row_that_is_gone_is_found(UNUSED_STATE)
{
	run_sql("DELETE FROM person");
	assert_finds("S4", "person");
}

static void a_row_nobody_wrote_is_found(UNUSED_STATE)
{
	run_sql("INSERT INTO person(id, unit, log, deleted, voided, touched, stamps)"
		" SELECT zeroblob(16), unit, log, 0, 0, touched, stamps FROM person");
	assert_finds("S4", "person");
}

static void a_wrong_derived_column_is_found(UNUSED_STATE)
{
	run_sql("UPDATE person SET deleted = 1");
	assert_finds("S5", "person");
}

static void a_lost_move_is_found(UNUSED_STATE)
{
	run_sql("DELETE FROM moved");
	assert_finds("S6", "moved");
}

static void a_lost_conflict_is_found(UNUSED_STATE)
{
	run_sql("DELETE FROM conflict");
	assert_finds("S6", "conflict");
}

static void a_decided_conflict_is_no_difference(UNUSED_STATE)
{
	const struct conflict_row row = {.conflict = 1,
					 .state = BYTES_LIT("kept"),
					 .decided_by = BYTES_LIT("uid:0"),
					 .decided_ms = 1};

	assert_ok(store_begin(g.store));
	assert_ok(store_decide_conflict(g.store, &row));
	assert_ok(store_commit(g.store));
	assert_int_equal(verify().found, 0);
}

static void a_lost_unit_log_is_found(UNUSED_STATE)
{
	run_sql("UPDATE unit_log SET log = log - 1");
	assert_finds("S6", "unit_log");
}

static void a_lost_quarantine_row_is_found(UNUSED_STATE)
{
	run_sql("DELETE FROM quarantine");
	assert_finds("S7", "changeset");
}

static void a_gap_in_notices_is_found(UNUSED_STATE)
{
	run_sql("UPDATE notice SET notice = notice + 100");
	assert_finds("S8", "notice");
}

static void a_unit_that_is_none_is_found(UNUSED_STATE)
{
	run_sql("INSERT INTO device_unit(device, unit) VALUES(1, 98765)");
	assert_finds("S9", "device_unit");
}

static void overlapping_names_are_found(UNUSED_STATE)
{
	run_sql("INSERT INTO unit_name SELECT unit, first_day + 10, last_day, level, code, name,"
		" bare, kind, parent, province FROM unit_name WHERE level = 3");
	assert_finds("S10", "unit_name");
}

static void a_session_that_is_none_is_found(UNUSED_STATE)
{
	run_sql("UPDATE changeset SET session = 99 WHERE log = 1");
	assert_finds("S11", "changeset");
}

static void a_changed_audit_entry_is_found(UNUSED_STATE)
{
	assert_ok(store_begin(g.store));
	for (int i = 0; i < 3; i++)
		assert_ok(store_put_audit(g.store, i, BYTES_LIT("uid:0"), BYTES_LIT("test"),
					  BYTES_NONE));
	assert_ok(store_commit(g.store));
	assert_int_equal(verify().found, 0);
	run_sql("UPDATE audit SET hash = zeroblob(32) WHERE entry = 2");
	assert_finds("S12", "audit");
}

static void an_audit_entry_rewritten_with_its_hash_kept_is_found(UNUSED_STATE)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_put_audit(g.store, 1, BYTES_LIT("uid:0"), BYTES_LIT("erase"), BYTES_NONE));
	assert_ok(store_commit(g.store));
	run_sql("UPDATE audit SET who = 'uid:1000'");
	assert_finds("S12", "audit");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_sound_store_has_no_difference),
		CASE(the_temporary_store_is_removed),
		CASE(a_missing_log_row_is_found),
		CASE(a_changed_log_row_is_found),
		CASE(a_changed_signature_is_found),
		CASE(a_wrong_device_number_is_found),
		CASE(a_value_changed_behind_the_log_is_found),
		CASE(a_row_that_is_gone_is_found),
		CASE(a_row_nobody_wrote_is_found),
		CASE(a_wrong_derived_column_is_found),
		CASE(a_lost_move_is_found),
		CASE(a_lost_conflict_is_found),
		CASE(a_decided_conflict_is_no_difference),
		CASE(a_lost_unit_log_is_found),
		CASE(a_lost_quarantine_row_is_found),
		CASE(a_gap_in_notices_is_found),
		CASE(a_unit_that_is_none_is_found),
		CASE(overlapping_names_are_found),
		CASE(a_session_that_is_none_is_found),
		CASE(a_changed_audit_entry_is_found),
		CASE(an_audit_entry_rewritten_with_its_hash_kept_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
