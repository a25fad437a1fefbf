#include "tests/unit/test.h"

#include "daemon/conflicts.h"
#include "daemon/decide.h"
#include "daemon/joined.h"
#include "daemon/units.h"
#include "tests/support/ground.h"

/* Two devices of one commune, a person both know, and what they wrote at once. */
static struct ground g;
static struct ground_device *a;
static struct ground_device *b;
static struct id id;
static uint64_t base;

static int setup(UNUSED_STATE)
{
	struct change made;

	ground_open(&g);
	a = ground_device(&g, g.north, false);
	b = ground_device(&g, g.north, false);
	made = ground_person(&g, a, g.north, "Gốc", &id);
	base = ground_push(&g, a, &made, 1).log;
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

/* ---- what the cases share ---- */

static uint64_t last_log(void)
{
	uint64_t log = 0;

	assert_ok(store_last_log(g.store, &log));
	return log;
}

static struct ingest_result say(struct ground_device *d, uint64_t seen, const char *field,
				struct value value)
{
	struct change c = ground_change(&g, d, "person", &id, seen);

	ground_write(&g, &c, field, value);
	return ground_push(&g, d, &c, 1);
}

/* Both write the field without having seen the other's; b is the later one. */
static void clash(const char *field, struct value of_a, struct value of_b)
{
	struct change early = ground_change(&g, a, "person", &id, base);
	struct change late;

	g.clock.wall += 1000;
	late = ground_change(&g, b, "person", &id, base);
	ground_write(&g, &early, field, of_a);
	ground_write(&g, &late, field, of_b);
	(void)ground_push(&g, a, &early, 1);
	(void)ground_push(&g, b, &late, 1);
	g.clock.wall += 1000;
}

static struct conflict_row conflict(uint64_t number)
{
	struct conflict_row row;

	assert_ok(store_load_conflict(g.store, &g.a, number, &row));
	return row;
}

static size_t count_conflicts(bool is_open_only)
{
	struct conflict_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_conflicts(
		g.store, &g.a, &(struct store_range){.limit = 100, .is_open_only = is_open_only},
		&rows, &count));
	return count;
}

/* The last notice of a kind; `notice` 0: none. */
static struct notice_row notice_of(struct ground_device *d, const char *kind)
{
	struct notice_row *rows = NULL;
	struct notice_row last = {0};
	size_t count = 0;

	assert_ok(store_load_notices(g.store, &g.a, d->number, &(struct store_range){.limit = 100},
				     &rows, &count));
	for (size_t i = 0; i < count; i++)
		last = bytes_is(rows[i].kind, kind) ? rows[i] : last;
	return last;
}

typedef enum err (*decide_fn)(const struct context *ctx, struct store *s, struct arena *arena,
			      uint64_t number, struct bytes who, struct decided *ret_decided);

static struct decided decide(decide_fn fn, uint64_t number)
{
	struct decided d = {0};

	assert_ok(store_begin(g.store));
	assert_ok(fn(&g.ctx, g.store, &g.a, number, BYTES_LIT("uid:7"), &d));
	assert_ok(store_commit(g.store));
	return d;
}

static struct value stored(const char *field)
{
	struct record r = ground_load(&g, "person", &id);

	return conflicts_in_force(&r, bytes_str(field));
}

#define assert_value(value, text) assert_true(bytes_is((value).bytes, text))

/* ---- keep ---- */

static void keeping_confirms_what_stands_and_tells_both(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	uint64_t log = last_log();

	struct decided d = decide(decide_keep, 1);

	struct conflict_row row = conflict(1);
	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_false(d.is_written);
	assert_value(d.stands, "B");
	assert_true(bytes_is(row.state, "kept"));
	assert_true(bytes_is(row.decided_by, "uid:7"));
	assert_int_equal(row.decided_ms, g.clock.wall);
	assert_int_equal(last_log(), log);
	assert_int_equal(count_conflicts(true), 0);
	assert_value(notice_of(a, "decided").kept, "B");
	assert_value(notice_of(a, "decided").lost, "A");
	assert_value(notice_of(b, "decided").kept, "B");
	assert_true(bytes_is(notice_of(b, "decided").by, "uid:7"));
	ground_verify(&g);
}

static void keeping_says_what_stands_now(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)say(a, last_log(), "name", ground_text("C"));

	struct decided d = decide(decide_keep, 1);

	assert_value(d.stands, "C");
	assert_value(stored("name"), "C");
}

/* ---- restore ---- */

static void restoring_writes_the_lost_value_as_the_office(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));

	struct decided d = decide(decide_restore, 1);

	struct conflict_row row = conflict(1);
	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_true(d.is_written);
	assert_int_equal(d.written.log, last_log());
	assert_value(d.stands, "A");
	assert_value(d.replaced, "B");
	assert_value(stored("name"), "A");
	assert_true(bytes_is(row.state, "restored"));
	assert_int_equal(row.decided_device, STAMP_DEVICE_OFFICE);
	assert_int_equal(count_conflicts(false), 1);
	assert_value(notice_of(a, "decided").kept, "A");
	assert_value(notice_of(a, "decided").lost, "B");
	assert_value(notice_of(b, "decided").kept, "A");
	ground_verify(&g);
}

static void restoring_replaces_also_a_value_written_since(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)say(b, last_log(), "name", ground_text("C"));

	struct decided d = decide(decide_restore, 1);

	assert_value(d.replaced, "C");
	assert_value(stored("name"), "A");
	assert_int_equal(count_conflicts(true), 0);
}

/* What stands needs no change: the settling rule closed the row, and the office comes too late. */
static void what_a_device_restored_is_decided(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)say(a, last_log(), "name", ground_text("A"));
	uint64_t log = last_log();

	struct decided d = decide(decide_restore, 1);

	assert_int_equal(d.outcome, DECIDE_BEFORE);
	assert_true(bytes_is(d.row.decided_by, "Cộng tác viên 1"));
	assert_int_equal(d.row.decided_device, a->number);
	assert_int_equal(last_log(), log);
	assert_int_equal(notice_of(a, "decided").notice, 0);
}

static void a_conflict_is_decided_once(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)decide(decide_keep, 1);
	struct hash before = ground_everything(&g);

	struct decided again = decide(decide_restore, 1);
	struct decided kept = decide(decide_keep, 1);

	struct hash after = ground_everything(&g);
	assert_int_equal(again.outcome, DECIDE_BEFORE);
	assert_int_equal(kept.outcome, DECIDE_BEFORE);
	assert_true(bytes_is(again.row.state, "kept"));
	assert_true(again.row.decided_ms != 0);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
}

static void no_such_conflict_is_said(UNUSED_STATE)
{
	struct decided d;

	assert_ok(store_begin(g.store));
	assert_err(decide_keep(&g.ctx, g.store, &g.a, 77, BYTES_LIT("uid:7"), &d), ERR_NOTFOUND);
	assert_err(decide_restore(&g.ctx, g.store, &g.a, 77, BYTES_LIT("uid:7"), &d), ERR_NOTFOUND);
	assert_ok(store_commit(g.store));
}

static void an_event_is_not_rewritten(UNUSED_STATE)
{
	struct id visit = id_new(&g.clock.clock, &g.rand);
	struct change made = ground_change(&g, a, "visit", &visit, 0);
	struct change again;

	ground_write(&g, &made, "unit", value_int(g.north));
	ground_write(&g, &made, "person", value_bytes(bytes_of(id.bytes, ID_LEN)));
	ground_write(&g, &made, "day", ground_text("2026-09-01"));
	ground_write(&g, &made, "amount", value_int(100));
	(void)ground_push(&g, a, &made, 1);
	again = ground_change(&g, b, "visit", &visit, 0);
	ground_write(&g, &again, "amount", value_int(999));
	(void)ground_push(&g, b, &again, 1);
	struct hash before = ground_everything(&g);

	struct decided d = decide(decide_restore, 1);

	struct hash after = ground_everything(&g);
	assert_int_equal(d.outcome, DECIDE_EVENT);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
	assert_int_equal(decide(decide_keep, 1).outcome, DECIDE_DONE);
	ground_verify(&g);
}

/* ---- taken back ---- */

static void a_kept_conflict_taken_back_is_open_and_writes_nothing(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)decide(decide_keep, 1);
	uint64_t log = last_log();

	struct decided d = decide(decide_reopen, 1);

	struct conflict_row row = conflict(1);
	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_false(d.is_written);
	assert_value(d.stands, "B");
	assert_true(bytes_is(row.state, "open"));
	assert_int_equal(row.decided_by.len, 0);
	assert_int_equal(row.decided_ms, 0);
	assert_int_equal(last_log(), log);
	assert_value(notice_of(a, "reopened").kept, "B");
	assert_value(notice_of(a, "reopened").lost, "A");
	assert_true(bytes_is(notice_of(b, "reopened").by, "uid:7"));
	assert_int_equal(notice_of(b, "reopened").at_ms, g.clock.wall);
	assert_int_equal(decide(decide_restore, 1).outcome, DECIDE_DONE);
	assert_value(stored("name"), "A");
	ground_verify(&g);
}

static void a_restored_value_taken_back_gives_way_to_what_it_replaced(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)decide(decide_restore, 1);
	g.clock.wall += 1000;

	struct decided d = decide(decide_reopen, 1);

	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_true(d.is_written);
	assert_int_equal(d.written.log, last_log());
	assert_value(d.stands, "B");
	assert_value(d.replaced, "A");
	assert_value(stored("name"), "B");
	assert_true(bytes_is(conflict(1).state, "open"));
	assert_int_equal(count_conflicts(false), 1);
	assert_value(notice_of(a, "reopened").kept, "B");
	assert_value(notice_of(a, "reopened").lost, "A");
	ground_verify(&g);
}

/* Not the value that won the conflict: that one had been replaced when the office restored. */
static void what_had_replaced_the_winner_comes_back_too(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)say(b, last_log(), "name", ground_text("C"));
	(void)decide(decide_restore, 1);
	(void)say(a, last_log(), "note", ground_text("khác"));

	struct decided d = decide(decide_reopen, 1);

	assert_value(d.stands, "C");
	assert_value(stored("name"), "C");
	ground_verify(&g);
}

static void what_was_written_since_the_office_restored_stays(UNUSED_STATE)
{
	static const char *const since[] = {"D", "A"};

	for (size_t i = 0; i < 2; i++) {
		clash(i == 0 ? "name" : "note", ground_text("A"), ground_text("B"));
		(void)decide(decide_restore, i + 1);
		g.clock.wall += 1000;
		(void)say(b, last_log(), i == 0 ? "name" : "note", ground_text(since[i]));
		uint64_t log = last_log();

		struct decided d = decide(decide_reopen, i + 1);

		assert_int_equal(d.outcome, DECIDE_DONE);
		assert_false(d.is_written);
		assert_value(d.stands, since[i]);
		assert_int_equal(last_log(), log);
		assert_true(bytes_is(conflict(i + 1).state, "open"));
	}
	ground_verify(&g);
}

static void it_can_go_back_and_forth(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));

	for (int i = 0; i < 3; i++) {
		g.clock.wall += 1000;
		assert_int_equal(decide(decide_restore, 1).outcome, DECIDE_DONE);
		assert_value(stored("name"), "A");
		g.clock.wall += 1000;
		assert_int_equal(decide(decide_reopen, 1).outcome, DECIDE_DONE);
		assert_value(stored("name"), "B");
	}
	assert_int_equal(count_conflicts(false), 1);
	ground_verify(&g);
}

/* Also by a writer that read the table before: which values lost is kept in memory. */
static void a_device_settles_what_was_opened_again(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)decide(decide_keep, 1);
	ground_reopen(&g);
	(void)say(b, last_log(), "note", ground_text("đọc lại"));
	(void)decide(decide_reopen, 1);

	(void)say(a, last_log(), "name", ground_text("A"));

	assert_true(bytes_is(conflict(1).state, "restored"));
	assert_int_equal(conflict(1).decided_device, a->number);
}

static void only_a_decision_of_the_office_is_taken_back(UNUSED_STATE)
{
	struct decided d;

	clash("name", ground_text("A"), ground_text("B"));
	struct hash before = ground_everything(&g);
	assert_int_equal(decide(decide_reopen, 1).outcome, DECIDE_OPEN);
	struct hash after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);

	(void)say(a, last_log(), "name", ground_text("A"));
	before = ground_everything(&g);
	assert_int_equal(decide(decide_reopen, 1).outcome, DECIDE_AUTHOR);
	after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);

	assert_ok(store_begin(g.store));
	assert_err(decide_reopen(&g.ctx, g.store, &g.a, 77, BYTES_LIT("uid:7"), &d), ERR_NOTFOUND);
	assert_ok(store_commit(g.store));
}

static void an_empty_field_is_empty_again(UNUSED_STATE)
{
	clash("note", ground_text("A"), VALUE_NONE);
	(void)decide(decide_restore, 1);
	assert_value(stored("note"), "A");

	struct decided d = decide(decide_reopen, 1);

	assert_true(d.is_written);
	assert_int_equal(stored("note").kind, VALUE_NULL);
	ground_verify(&g);
}

/* ---- deleted but edited ---- */

static void delete_and_edit(bool is_deletion_late)
{
	struct change gone = ground_change(&g, a, "person", &id, base);
	struct change edit;

	if (is_deletion_late)
		gone.clock += STAMP_CLOCK_OF(2000);
	g.clock.wall += 1000;
	edit = ground_change(&g, b, "person", &id, base);
	ground_write(&g, &gone, "deleted", ground_text("nhập nhầm"));
	ground_write(&g, &edit, "note", ground_text("còn ở đây"));
	g.clock.wall += 2000;
	(void)ground_push(&g, b, &edit, 1);
	(void)ground_push(&g, a, &gone, 1);
}

static void an_edit_that_lost_to_a_deletion_brings_the_record_back(UNUSED_STATE)
{
	delete_and_edit(true);
	assert_int_equal(stored("deleted").kind, VALUE_TEXT);

	struct decided d = decide(decide_restore, 1);

	struct record r = ground_load(&g, "person", &id);
	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_true(d.is_written);
	assert_false(record_is_deleted(&r));
	assert_value(record_value(&r, "note"), "còn ở đây");
	assert_int_equal(count_conflicts(true), 0);
	ground_verify(&g);
}

static void a_deletion_that_lost_to_an_edit_deletes_again(UNUSED_STATE)
{
	delete_and_edit(false);
	assert_int_equal(stored("deleted").kind, VALUE_NULL);

	struct decided d = decide(decide_restore, 1);

	struct record r = ground_load(&g, "person", &id);
	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_true(record_is_deleted(&r));
	assert_int_equal(count_conflicts(true), 0);
	ground_verify(&g);
}

static void taking_it_back_deletes_or_brings_back_again(UNUSED_STATE)
{
	delete_and_edit(true);
	(void)decide(decide_restore, 1);
	struct decided d = decide(decide_reopen, 1);
	assert_true(d.is_written);
	assert_value(stored("deleted"), "nhập nhầm");
	assert_true(bytes_is(conflict(1).state, "open"));
	ground_verify(&g);
}

static void a_deletion_taken_back_leaves_the_record_there(UNUSED_STATE)
{
	delete_and_edit(false);
	(void)decide(decide_restore, 1);
	struct decided d = decide(decide_reopen, 1);
	assert_true(d.is_written);
	struct record r = ground_load(&g, "person", &id);
	assert_false(record_is_deleted(&r));
	assert_value(record_value(&r, "note"), "còn ở đây");
	ground_verify(&g);
}

/* It would take the new work with it. */
static void a_record_edited_since_it_came_back_is_not_deleted_again(UNUSED_STATE)
{
	delete_and_edit(true);
	(void)decide(decide_restore, 1);
	g.clock.wall += 1000;
	(void)say(b, last_log(), "age", value_int(7));

	struct decided d = decide(decide_reopen, 1);

	assert_int_equal(d.outcome, DECIDE_DONE);
	assert_false(d.is_written);
	struct record r = ground_load(&g, "person", &id);
	assert_false(record_is_deleted(&r));
	assert_true(bytes_is(conflict(1).state, "open"));
}

/* ---- what cannot be restored ---- */

static uint64_t planted(const char *type, const char *field, struct value lost)
{
	struct conflict_row row = {.type = bytes_str(type),
				   .id = id,
				   .log = 1,
				   .kept = {.name = bytes_str(field)},
				   .lost = {.name = bytes_str(field), .value = lost},
				   .state = BYTES_LIT("open")};

	row.kept.stamp.device = b->number;
	row.lost.stamp.device = a->number;
	assert_ok(store_begin(g.store));
	assert_ok(store_put_conflict(g.store, &row));
	assert_ok(store_commit(g.store));
	return row.conflict;
}

/* As after a schema that dropped the code, the type, or made a field required. */
static void what_no_rule_allows_any_more_is_refused_by_name(UNUSED_STATE)
{
	static const struct {
		const char *type;
		const char *field;
		const char *code;
	} cases[] = {
		{"person", "sex", "no_such_code"},
		{"gone", "name", "unknown_type"},
		{"person", "age", "wrong_type"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t number = planted(cases[i].type, cases[i].field, ground_text("none"));
		struct hash before = ground_everything(&g);
		struct decided d = decide(decide_restore, number);
		struct hash after = ground_everything(&g);

		assert_int_equal(d.outcome, DECIDE_REFUSED);
		assert_true(bytes_is(d.written.code, cases[i].code));
		assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
		assert_int_equal(decide(decide_keep, number).outcome, DECIDE_DONE);
	}
}

/* A field the schema does not know is carried (as every such write is). */
static void a_field_no_schema_knows_is_restored(UNUSED_STATE)
{
	clash("later_field", ground_text("A"), ground_text("B"));

	assert_int_equal(decide(decide_restore, 1).outcome, DECIDE_DONE);

	assert_value(stored("later_field"), "A");
}

static void a_join_that_would_close_a_circle_is_refused(UNUSED_STATE)
{
	struct id other;
	struct change made = ground_person(&g, a, g.north, "Khác", &other);
	struct change c;
	struct joined joined;

	(void)ground_push(&g, a, &made, 1);
	c = ground_change(&g, a, "person", &other, last_log());
	ground_write(&g, &c, "merged_into", value_bytes(bytes_of(id.bytes, ID_LEN)));
	(void)ground_push(&g, a, &c, 1);
	uint64_t number =
		planted("person", "merged_into", value_bytes(bytes_of(other.bytes, ID_LEN)));

	assert_int_equal(decide(decide_restore, number).outcome, DECIDE_CIRCLE);

	assert_ok(joined_find(g.store, &g.a, BYTES_LIT("person"), &other, &joined));
	assert_int_equal(id_compare(&joined.id, &id), 0);
	assert_false(joined.is_circle);
}

/* Two devices joined both ways at once: nobody stands, and whoever follows comes to an end. */
static void a_circle_is_told(UNUSED_STATE)
{
	struct id other;
	struct change made = ground_person(&g, b, g.north, "Khác", &other);
	struct change to;
	struct change from;
	struct joined joined;

	(void)ground_push(&g, b, &made, 1);
	to = ground_change(&g, a, "person", &other, last_log());
	ground_write(&g, &to, "merged_into", value_bytes(bytes_of(id.bytes, ID_LEN)));
	from = ground_change(&g, b, "person", &id, last_log());
	ground_write(&g, &from, "merged_into", value_bytes(bytes_of(other.bytes, ID_LEN)));
	(void)ground_push(&g, a, &to, 1);
	(void)ground_push(&g, b, &from, 1);

	assert_ok(joined_find(g.store, &g.a, BYTES_LIT("person"), &other, &joined));
	assert_true(joined.is_circle);
	assert_int_equal(id_compare(&joined.id, &other), 0);
}

/* ---- who may see it ---- */

static void who_lost_sight_of_the_record_is_told_without_values(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	(void)say(a, last_log(), "unit", value_int(g.south));

	(void)decide(decide_restore, 1);

	struct notice_row notice = notice_of(a, "decided");
	assert_true(notice.notice != 0);
	assert_int_equal(notice.kept.kind, VALUE_NULL);
	assert_int_equal(notice.lost.kind, VALUE_NULL);
	assert_value(stored("name"), "A");
}

/* ---- devices ---- */

static void a_device_that_writes_the_lost_value_again_settles_it(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));
	clash("note", ground_text("x"), ground_text("y"));

	(void)say(a, last_log(), "name", ground_text("A"));

	assert_true(bytes_is(conflict(1).state, "restored"));
	assert_int_equal(conflict(1).decided_device, a->number);
	assert_true(bytes_is(conflict(2).state, "open"));
	ground_verify(&g);
}

static void a_third_value_settles_nothing(UNUSED_STATE)
{
	clash("name", ground_text("A"), ground_text("B"));

	(void)say(a, last_log(), "name", ground_text("C"));

	assert_true(bytes_is(conflict(1).state, "open"));
}

static void an_edit_that_revives_settles_a_lost_edit(UNUSED_STATE)
{
	delete_and_edit(true);

	(void)say(b, last_log(), "age", value_int(7));

	assert_true(bytes_is(conflict(1).state, "restored"));
	assert_int_equal(conflict(1).decided_device, b->number);
	ground_verify(&g);
}

/* Both lost to a third one, and both want their own value back, not seeing the other. */
static void two_who_restore_at_once_make_one_new_conflict(UNUSED_STATE)
{
	struct ground_device *c = ground_device(&g, g.north, false);
	struct change third;

	clash("name", ground_text("A"), ground_text("B"));
	third = ground_change(&g, c, "person", &id, base);
	ground_write(&g, &third, "name", ground_text("C"));
	(void)ground_push(&g, c, &third, 1);
	assert_int_equal(count_conflicts(true), 2);
	uint64_t seen = last_log();
	g.clock.wall += 1000;
	(void)say(a, seen, "name", ground_text("A"));
	g.clock.wall += 1000;
	(void)say(b, seen, "name", ground_text("B"));

	assert_value(stored("name"), "B");
	assert_true(bytes_is(conflict(1).state, "restored"));
	assert_true(bytes_is(conflict(2).state, "restored"));
	assert_int_equal(count_conflicts(false), 3);
	assert_value(conflict(3).lost.value, "A");
	assert_value(notice_of(a, "conflict").lost, "A");
	ground_verify(&g);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(keeping_confirms_what_stands_and_tells_both),
		CASE(keeping_says_what_stands_now),
		CASE(restoring_writes_the_lost_value_as_the_office),
		CASE(restoring_replaces_also_a_value_written_since),
		CASE(what_a_device_restored_is_decided),
		CASE(a_conflict_is_decided_once),
		CASE(no_such_conflict_is_said),
		CASE(an_event_is_not_rewritten),
		CASE(a_kept_conflict_taken_back_is_open_and_writes_nothing),
		CASE(a_restored_value_taken_back_gives_way_to_what_it_replaced),
		CASE(what_had_replaced_the_winner_comes_back_too),
		CASE(what_was_written_since_the_office_restored_stays),
		CASE(it_can_go_back_and_forth),
		CASE(a_device_settles_what_was_opened_again),
		CASE(only_a_decision_of_the_office_is_taken_back),
		CASE(an_empty_field_is_empty_again),
		CASE(taking_it_back_deletes_or_brings_back_again),
		CASE(a_deletion_taken_back_leaves_the_record_there),
		CASE(a_record_edited_since_it_came_back_is_not_deleted_again),
		CASE(an_edit_that_lost_to_a_deletion_brings_the_record_back),
		CASE(a_deletion_that_lost_to_an_edit_deletes_again),
		CASE(what_no_rule_allows_any_more_is_refused_by_name),
		CASE(a_field_no_schema_knows_is_restored),
		CASE(a_join_that_would_close_a_circle_is_refused),
		CASE(a_circle_is_told),
		CASE(who_lost_sight_of_the_record_is_told_without_values),
		CASE(a_device_that_writes_the_lost_value_again_settles_it),
		CASE(a_third_value_settles_nothing),
		CASE(an_edit_that_revives_settles_a_lost_edit),
		CASE(two_who_restore_at_once_make_one_new_conflict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
