#include "tests/unit/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/model/schema_reader.h"
#include "daemon/store_pack.h"
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

/* ---- opening ---- */

static void a_store_opens_again_as_it_was(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Còn đây", &id);
	struct hash before;
	(void)ground_push(&g, d, &c, 1);
	before = ground_everything(&g);

	ground_reopen(&g);

	struct hash after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
	assert_true(store_clock(g.store) > 0);
}

static bool is_typed(struct bytes table)
{
	return schema_find_type(g.schema, table) != NULL;
}

/* A record type of that name could not have its table, or would take the place of ours. */
static void no_record_type_may_be_called_what_a_table_is_called(UNUSED_STATE)
{
	static const char *const of_connections[] = {"batch", "commune", "communes", "scope"};
	AUTO(store_finalize) struct sql *q = NULL;
	bool is_row = false;
	size_t count = 0;

	assert_ok(store_prepare(
		g.store, BYTES_LIT("SELECT name FROM sqlite_schema WHERE type = 'table'"), &q));
	while (sql_step(q, &is_row) == ERR_OK && is_row) {
		const struct bytes name = sql_text(q, 0);

		if (is_typed(name))
			continue;
		print_message("%.*s\n", BYTES_FMT(name));
		assert_true(schema_is_reserved(name) || schema_is_table_reserved(name));
		count++;
	}
	assert_true(count > 20);
	for (size_t i = 0; i < sizeof of_connections / sizeof of_connections[0]; i++)
		assert_true(schema_is_table_reserved(bytes_str(of_connections[i])));
}

static void another_programs_database_is_not_touched(UNUSED_STATE)
{
	char path[160];
	struct store *s = NULL;
	int fd;

	(void)snprintf(path, sizeof path, "%s/text.db", g.folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(fd, "this is no database, it is a text of somebody\n", 46),
				 46);
	(void)close(fd);

	assert_err(store_open_writer(path, g.schema, &s), ERR_CORRUPT);
	assert_null(s);
}

static void a_newer_store_is_refused(UNUSED_STATE)
{
	struct store *s = NULL;
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(g.store, "PRAGMA user_version=999", &q));
	assert_ok(sql_run(q));
	sql_done(MOVE(q));
	store_close(g.store);
	g.store = NULL;

	assert_err(store_open_writer(g.path, g.schema, &s), ERR_INVAL);
}

/* Certain of "no"; what it was told, before it was loaded or after, it never denies. */
static void a_value_that_lost_is_not_denied(UNUSED_STATE)
{
	struct conflict_row row = {.type = BYTES_LIT("person"),
				   .id = {{1}},
				   .kept = {.name = BYTES_LIT("name")},
				   .lost = {BYTES_LIT("name"), ground_text("A"), {0}, 0},
				   .state = BYTES_LIT("open")};
	const struct value a = ground_text("A");
	const struct value b = ground_text("B");
	const struct value seven = value_int(7);
	const struct value reason = ground_text("một lý do khác");
	const struct id other = {{2}};
	const struct value none = VALUE_NONE;

	assert_ok(store_put_conflict(g.store, &row));
	assert_ok(store_load_lost(g.store));
	row.lost.value = value_int(7);
	assert_ok(store_put_conflict(g.store, &row));
	row.lost = (struct field){BYTES_LIT("deleted"), ground_text("nhập nhầm"), {0}, 0};
	assert_ok(store_put_conflict(g.store, &row));

	assert_true(store_may_be_lost(g.store, &row.id, BYTES_LIT("name"), &a));
	assert_true(store_may_be_lost(g.store, &row.id, BYTES_LIT("name"), &seven));
	assert_true(store_may_be_lost(g.store, &row.id, BYTES_LIT("deleted"), &reason));
	assert_false(store_may_be_lost(g.store, &row.id, BYTES_LIT("deleted"), &none));
	assert_false(store_may_be_lost(g.store, &row.id, BYTES_LIT("name"), &b));
	assert_false(store_may_be_lost(g.store, &row.id, BYTES_LIT("note"), &a));
	assert_true(store_may_have_lost(g.store, &row.id));
	assert_false(store_may_have_lost(g.store, &other));
}

/* Values one of which begins like the other, other fields and records, clocks of any size. */
static void open_conflicts_are_found_by_the_value_that_lost(UNUSED_STATE)
{
	static const char *const values[] = {"", "A", "AB", "B", "A"};
	const struct store_lost_value a = {
		BYTES_LIT("person"), {{1}}, BYTES_LIT("name"), ground_text("A")};
	const struct store_lost_value none = {
		BYTES_LIT("person"), {{1}}, BYTES_LIT("name"), VALUE_NONE};
	const struct store_lost_value deleted = {
		BYTES_LIT("person"), {{1}}, BYTES_LIT("deleted"), VALUE_NONE};
	struct conflict_row row = {.type = BYTES_LIT("person"),
				   .id = {{1}},
				   .kept = {.name = BYTES_LIT("name")},
				   .lost = {.name = BYTES_LIT("name")},
				   .state = BYTES_LIT("open")};
	struct conflict_row *open = NULL;
	size_t count = 0;

	for (size_t i = 0; i < 5; i++) {
		row.lost.value = ground_text(values[i]);
		row.lost.stamp.clock = i == 4 ? UINT64_MAX - 1 : i;
		row.lost.stamp.device = UINT32_MAX;
		assert_ok(store_put_conflict(g.store, &row));
	}
	row.kept.name = BYTES_LIT("note");
	assert_ok(store_put_conflict(g.store, &row));
	row.kept.name = BYTES_LIT("name");
	row.id = (struct id){{2}};
	assert_ok(store_put_conflict(g.store, &row));
	row.id = (struct id){{1}};
	row.kept.name = BYTES_LIT("deleted");
	assert_ok(store_put_conflict(g.store, &row));

	assert_ok(store_load_open_conflicts(g.store, &g.a, &a, &open, &count));
	assert_int_equal(count, 2);
	assert_int_equal(open[0].conflict, 2);
	assert_int_equal(open[1].conflict, 5);
	assert_ok(store_load_open_conflicts(g.store, &g.a, &none, &open, &count));
	assert_int_equal(count, 0);
	assert_ok(store_load_open_conflicts(g.store, &g.a, &deleted, &open, &count));
	assert_int_equal(count, 1);
}

static void a_decision_closes_a_conflict(UNUSED_STATE)
{
	struct conflict_row *open = NULL;
	size_t count = 0;
	struct conflict_row row = {.type = BYTES_LIT("person"),
				   .kept = {.name = BYTES_LIT("name")},
				   .state = BYTES_LIT("open")};
	const struct store_lost_value lost = {.type = row.type, .field = row.kept.name};
	struct conflict_row read;

	row.lost.name = row.kept.name;
	assert_ok(store_put_conflict(g.store, &row));
	assert_ok(store_load_open_conflicts(g.store, &g.a, &lost, &open, &count));
	assert_int_equal(count, 1);
	row.state = BYTES_LIT("restored");
	row.decided_by = BYTES_LIT("uid:7");
	row.decided_device = 3;
	row.decided_ms = 99;

	assert_ok(store_decide_conflict(g.store, &row));

	assert_ok(store_load_conflict(g.store, &g.a, row.conflict, &read));
	assert_true(bytes_is(read.state, "restored"));
	assert_true(bytes_is(read.decided_by, "uid:7"));
	assert_int_equal(read.decided_device, 3);
	assert_int_equal(read.decided_ms, 99);
	assert_ok(store_load_open_conflicts(g.store, &g.a, &lost, &open, &count));
	assert_int_equal(count, 0);
	row.conflict++;
	assert_err(store_decide_conflict(g.store, &row), ERR_NOTFOUND);
	assert_err(store_load_conflict(g.store, &g.a, row.conflict, &read), ERR_NOTFOUND);
}

static void a_link_is_not_followed(UNUSED_STATE)
{
	char path[160];
	struct store *s = NULL;

	(void)snprintf(path, sizeof path, "%s/link.db", g.folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(err_class(store_open_writer(path, g.schema, &s)), ERR_CLASS_FATAL);
}

static void the_pragmas_are_in_force(UNUSED_STATE)
{
	static const struct {
		const char *sql;
		const char *want;
	} cases[] = {
		{"PRAGMA journal_mode", "wal"},     {"PRAGMA synchronous", "2"},
		{"PRAGMA secure_delete", "1"},      {"PRAGMA trusted_schema", "0"},
		{"PRAGMA wal_autocheckpoint", "0"}, {"PRAGMA mmap_size", "0"},
		{"PRAGMA cell_size_check", "1"},    {"PRAGMA temp_store", "2"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(sql_done) struct sql *q = NULL;

		assert_ok(sql_use(g.store, cases[i].sql, &q));
		assert_ok(sql_run_row(q));
		assert_true(bytes_is(sql_text(q, 0), cases[i].want));
	}
}

/* A report over everybody must not need as much memory. */
static void a_reader_sorts_in_a_file(UNUSED_STATE)
{
	AUTO(store_close) struct store *reader = NULL;
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(store_open_reader(g.path, g.schema, &reader));
	assert_ok(sql_use(reader, "PRAGMA temp_store", &q));
	assert_ok(sql_run_row(q));
	assert_true(bytes_is(sql_text(q, 0), "1"));
}

/* ---- transactions ---- */

static void marks_nest_and_undo_alone(UNUSED_STATE)
{
	struct bytes value;

	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "one", BYTES_LIT("1")));
	assert_ok(store_mark(g.store));
	assert_ok(store_put_setting(g.store, "two", BYTES_LIT("2")));
	assert_ok(store_mark(g.store));
	assert_ok(store_put_setting(g.store, "three", BYTES_LIT("3")));
	assert_ok(store_mark_keep(g.store));
	store_mark_undo(g.store);
	assert_ok(store_commit(g.store));

	assert_ok(store_get_setting(g.store, &g.a, "one", &value));
	assert_true(bytes_is(value, "1"));
	assert_err(store_get_setting(g.store, &g.a, "two", &value), ERR_NOTFOUND);
	assert_err(store_get_setting(g.store, &g.a, "three", &value), ERR_NOTFOUND);
}

static void the_clock_forgets_what_is_undone(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct store_device row;
	uint64_t before = store_clock(g.store);

	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	row.clock = before + 1000;
	assert_ok(store_begin(g.store));
	assert_ok(store_put_device(g.store, &row));
	assert_int_equal(store_clock(g.store), before + 1000);
	store_rollback(g.store);
	assert_int_equal(store_clock(g.store), before);

	assert_ok(store_begin(g.store));
	assert_ok(store_mark(g.store));
	assert_ok(store_put_device(g.store, &row));
	store_mark_undo(g.store);
	assert_ok(store_commit(g.store));
	assert_int_equal(store_clock(g.store), before);
}

static void a_full_disk_rolls_back_and_is_no_end(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *limit = NULL;
	AUTO(sql_done) struct sql *more = NULL;
	static const char sql_limit[] = "PRAGMA max_page_count=1";
	static const char sql_more[] = "PRAGMA max_page_count=1073741823";
	static uint8_t blob[1 << 20];
	struct bytes value;
	enum err e = ERR_OK;

	/* SQLite says FULL beyond the page count just as it does beyond the disk. */
	assert_ok(sql_use(g.store, sql_limit, &limit));
	assert_ok(sql_run(limit));
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "small", BYTES_LIT("1")));
	e = store_put_setting(g.store, "large", bytes_of(blob, sizeof blob));
	assert_int_equal(e, ERR_FULL);
	assert_int_equal(err_class(e), ERR_CLASS_RETRY);
	store_rollback(g.store);
	assert_ok(sql_use(g.store, sql_more, &more));
	assert_ok(sql_run(more));

	assert_err(store_get_setting(g.store, &g.a, "small", &value), ERR_NOTFOUND);
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "large", bytes_of(blob, sizeof blob)));
	assert_ok(store_commit(g.store));
}

static void a_checkpoint_empties_the_wal(UNUSED_STATE)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "x", BYTES_LIT("y")));
	assert_ok(store_commit(g.store));
	assert_true(store_wal_pages(g.store) > 0);

	assert_ok(store_checkpoint(g.store));

	assert_int_equal(store_wal_pages(g.store), 0);
}

/* ---- readers ---- */

static void a_reader_sees_one_snapshot_and_cannot_write(UNUSED_STATE)
{
	struct store *r = NULL;
	struct bytes value;

	assert_ok(store_open_reader(g.path, g.schema, &r));
	assert_ok(store_begin(r));
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "later", BYTES_LIT("1")));
	assert_ok(store_commit(g.store));

	assert_err(store_get_setting(r, &g.a, "later", &value), ERR_NOTFOUND);
	store_rollback(r);
	assert_ok(store_get_setting(r, &g.a, "later", &value));
	assert_int_not_equal(store_put_setting(r, "mine", BYTES_LIT("1")), ERR_OK);
	store_close(r);
}

static void closing_a_reader_moves_no_pages(UNUSED_STATE)
{
	struct store *r = NULL;
	struct stat before;
	struct stat after;

	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "x", BYTES_LIT("y")));
	assert_ok(store_commit(g.store));
	assert_int_equal(stat(g.path, &before), 0);
	assert_ok(store_open_reader(g.path, g.schema, &r));
	store_close(r);

	assert_int_equal(stat(g.path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_true(store_wal_pages(g.store) > 0);
}

static void *take_and_give(void *arg)
{
	struct readers *r = arg;

	for (int i = 0; i < 200; i++) {
		AUTO(arena_clear) struct arena a = {0};
		struct store *s = readers_take(r);
		struct bytes value;

		if (store_begin(s) != ERR_OK ||
		    store_get_setting(s, &a, "units_version", &value) != ERR_OK)
			return (void *)1;
		readers_give(r, s);
	}
	return NULL;
}

static void threads_share_few_readers(UNUSED_STATE)
{
	struct readers *r = NULL;
	pthread_t threads[4];

	assert_ok(readers_open(g.path, g.schema, 2, &r));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, r), 0);
	for (size_t i = 0; i < 4; i++) {
		void *result = NULL;

		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
	readers_close(r);
}

/* ---- statements ---- */

static enum err try_text(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	return sql_use_text(g.store, bytes_str(text), &q);
}

static void typed_text_is_one_reading_statement(UNUSED_STATE)
{
	assert_ok(try_text("SELECT count(*) FROM person"));
	assert_ok(try_text("SELECT 1;  "));
	assert_ok(try_text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n"
			   " WHERE i < 9) SELECT * FROM n"));
	assert_err(try_text("SELECT 1; SELECT 2"), ERR_INVAL);
	assert_err(try_text(""), ERR_INVAL);
	assert_err(try_text("SELEC 1"), ERR_INVAL);
	assert_err(try_text("DELETE FROM person"), ERR_AUTH);
	assert_err(try_text("PRAGMA query_only=0"), ERR_AUTH);
	assert_err(try_text("ATTACH '/etc/passwd' AS x"), ERR_AUTH);
	assert_err(try_text("SELECT * FROM invitation"), ERR_AUTH);
	assert_err(try_text("SELECT * FROM setting"), ERR_AUTH);
}

static void a_statement_that_runs_too_long_is_stopped(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row;

	assert_ok(sql_use_text(g.store,
			       BYTES_LIT("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1"
					 " FROM n) SELECT count(*) FROM n"),
			       &q));
	sql_limit_time(g.store, clock_system(), 30);

	assert_err(sql_step(q, &is_row), ERR_TIMEOUT);
	sql_limit_time(g.store, NULL, 0);
}

/* ---- packed columns ---- */

static void packed_numbers_come_back(UNUSED_STATE)
{
	static const uint64_t cases[] = {0, 1, 127, 128, 16383, 16384, UINT64_MAX};
	AUTO(buf_clear) struct buf b = {0};
	struct pack_reader r;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		pack_uint(&b, cases[i]);
	pack_int(&b, INT64_MIN);
	pack_int(&b, -1);
	pack_u64(&b, UINT64_C(0x0102030405060708));
	r = pack_open(buf_bytes(&b));

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_true(unpack_uint(&r) == cases[i]);
	assert_true(unpack_int(&r) == INT64_MIN);
	assert_true(unpack_int(&r) == -1);
	assert_true(unpack_u64(&r) == UINT64_C(0x0102030405060708));
	assert_true(pack_is_end(&r));
	assert_false(r.is_bad);
}

static void packed_entries_come_back(UNUSED_STATE)
{
	static const struct {
		uint64_t step;
		uint64_t writer;
	} cases[] = {{1, 0}, {15, 14}, {16, 14}, {15, 15}, {300, 200}, {1, 14}};
	AUTO(buf_clear) struct buf b = {0};
	struct pack_reader r;
	uint64_t number = 0;
	uint64_t want = 0;

	for (size_t i = 0; i < 6; i++)
		pack_entry(&b, cases[i].step, cases[i].writer);
	r = pack_open(buf_bytes(&b));
	for (size_t i = 0; i < 6; i++) {
		uint64_t writer;

		unpack_entry(&r, &number, &writer);
		want += cases[i].step;
		assert_true(number == want);
		assert_true(writer == cases[i].writer);
	}
	assert_true(pack_is_end(&r));
}

static void damaged_packing_is_noticed_and_stays_inside(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf b = {0};
	struct value v = value_text(BYTES_LIT("một hai ba"));

	pack_value(&b, &v);
	for (size_t len = 0; len < b.len; len++) {
		struct pack_reader r = pack_open(bytes_of(b.data, len));

		(void)unpack_value(&r);
		assert_true(r.is_bad);
	}
	b.data[0] = 9;
	struct pack_reader r = pack_open(buf_bytes(&b));
	(void)unpack_value(&r);
	assert_true(r.is_bad);
	memset(b.data, 0xff, b.len);
	r = pack_open(buf_bytes(&b));
	assert_true(unpack_uint(&r) == 0);
	assert_true(r.is_bad);
}

static void damaged_stamps_are_corruption(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Hỏng", &id);
	struct store_state damaged = {.record = {.type = BYTES_LIT("person")}};
	AUTO(sql_done) struct sql *q = NULL;
	static const char sql[] = "UPDATE person SET stamps = x'01ff'";

	(void)ground_push(&g, d, &c, 1);
	assert_ok(sql_use(g.store, sql, &q));
	assert_ok(sql_run(q));
	damaged.record.id = id;

	assert_err(store_load_states(g.store, &g.a, &damaged, 1), ERR_CORRUPT);
}

static void the_audit_chains_its_entries(UNUSED_STATE)
{
	AUTO(sql_done) struct sql *q = NULL;
	static const char sql[] = "SELECT count(DISTINCT chain) FROM audit";

	assert_ok(store_begin(g.store));
	for (int i = 0; i < 3; i++)
		assert_ok(store_put_audit(g.store, 5, BYTES_LIT("uid:0"), BYTES_LIT("same"),
					  BYTES_LIT("same")));
	assert_ok(store_commit(g.store));
	assert_ok(sql_use(g.store, sql, &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 3);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_store_opens_again_as_it_was),
		CASE(no_record_type_may_be_called_what_a_table_is_called),
		CASE(another_programs_database_is_not_touched),
		CASE(a_newer_store_is_refused),
		CASE(a_value_that_lost_is_not_denied),
		CASE(open_conflicts_are_found_by_the_value_that_lost),
		CASE(a_decision_closes_a_conflict),
		CASE(a_link_is_not_followed),
		CASE(the_pragmas_are_in_force),
		CASE(a_reader_sorts_in_a_file),
		CASE(marks_nest_and_undo_alone),
		CASE(the_clock_forgets_what_is_undone),
		CASE(a_full_disk_rolls_back_and_is_no_end),
		CASE(a_checkpoint_empties_the_wal),
		CASE(a_reader_sees_one_snapshot_and_cannot_write),
		CASE(closing_a_reader_moves_no_pages),
		CASE(threads_share_few_readers),
		CASE(typed_text_is_one_reading_statement),
		CASE(a_statement_that_runs_too_long_is_stopped),
		CASE(packed_numbers_come_back),
		CASE(packed_entries_come_back),
		CASE(damaged_packing_is_noticed_and_stays_inside),
		CASE(damaged_stamps_are_corruption),
		CASE(the_audit_chains_its_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
