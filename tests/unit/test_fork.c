#include "tests/unit/test.h"

#include <string.h>

#include "daemon/outgoing.h"
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

/* ---- what the cases share ---- */

static void assert_name(const struct id *id, const char *want)
{
	struct record r = ground_load(&g, "person", id);
	struct value v = record_value(&r, "name");

	assert_int_equal(v.kind, VALUE_TEXT);
	if (!bytes_is(v.bytes, want))
		print_error("name is %.*s\n", BYTES_FMT(v.bytes));
	assert_true(bytes_is(v.bytes, want));
}

static struct change edit(struct ground_device *d, const struct id *id, uint64_t base,
			  const char *name)
{
	struct change c;

	g.clock.wall += 1000;
	c = ground_change(&g, d, "person", id, base);
	ground_write(&g, &c, "name", ground_text(name));
	return c;
}

/* The next device, which takes the place of `former`. */
static struct ground_device *successor(const struct ground_device *former)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	AUTO(sql_done) struct sql *q = NULL;
	static const char text[] = "UPDATE device SET former = ?2 WHERE number = ?1";

	assert_ok(store_begin(g.store));
	assert_ok(sql_use(g.store, text, &q));
	sql_bind_int(q, 1, d->number);
	sql_bind_int(q, 2, former->number);
	assert_ok(sql_run(q));
	assert_ok(store_commit(g.store));
	return d;
}

static struct quarantine_row *quarantine(size_t *ret_count)
{
	struct quarantine_row *rows = NULL;

	assert_ok(store_load_quarantine(g.store, &g.a, &(struct store_range){.limit = 100}, &rows,
					ret_count));
	return rows;
}

static size_t conflicts(void)
{
	struct conflict_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_conflicts(g.store, &g.a, &(struct store_range){.limit = 100}, &rows,
				       &count));
	return count;
}

static enum device_state state_of(const struct ground_device *d)
{
	struct store_device row;

	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	return row.id.state;
}

static struct ingest_result push_wire(struct ground_device *d, struct bytes wire)
{
	struct ingest_result r = {0};

	assert_ok(ground_push_wire(&g, d, &wire, 1, &r));
	return r;
}

static bool has_result(const struct ingest_result *r, uint64_t number, const char *code)
{
	for (size_t i = 0; i < r->result_count; i++) {
		if (r->results[i].number == number && bytes_is(r->results[i].code, code))
			return true;
	}
	return false;
}

/* ---- what a copy wrote ---- */

static void what_comes_again_from_the_successor_waits_no_longer(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device copy = *d;
	struct id ids[3];
	struct change mine = ground_person(&g, d, g.north, "Bản chính", &ids[0]);
	struct change other[2];
	size_t count = 0;

	g.clock.wall += 5;
	other[0] = ground_person(&g, &copy, g.north, "Bản sao một", &ids[1]);
	other[1] = ground_person(&g, &copy, g.north, "Bản sao hai", &ids[2]);
	(void)ground_push(&g, d, &mine, 1);
	assert_int_equal(push_wire(&copy, ground_seal(&g, &copy, other, 2)).outcome, INGEST_FORKED);
	struct ground_device *next = successor(d);

	/* One of the two; the other was edited before it went. */
	struct ingest_result r = ground_push(&g, next, other, 1);

	struct quarantine_row *rows = quarantine(&count);
	assert_int_equal(r.applied, 1);
	assert_int_equal(r.conflicts, 0);
	assert_name(&ids[1], "Bản sao một");
	assert_int_equal(count, 2);
	assert_true(bytes_is(rows[0].state, "resent"));
	assert_true(bytes_is(rows[0].why, "máy số 2, thay đổi 1 / device 2, change 1"));
	assert_true(bytes_is(rows[1].state, "open"));
	ground_verify(&g);
}

static void another_clock_or_value_is_another_change(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device copy = *d;
	struct id ids[2];
	struct change mine = ground_person(&g, d, g.north, "Bản chính", &ids[0]);
	struct change other = ground_person(&g, &copy, g.north, "Bản sao", &ids[1]);
	size_t count = 0;

	(void)ground_push(&g, d, &mine, 1);
	(void)push_wire(&copy, ground_seal(&g, &copy, &other, 1));
	struct ground_device *next = successor(d);
	struct change later = other;

	later.clock++;
	(void)ground_push(&g, next, &later, 1);
	assert_true(bytes_is(quarantine(&count)[0].state, "open"));
	/* And of a device that never had to do with it. */
	struct ground_device *stranger = ground_device(&g, g.north, false);
	(void)ground_push(&g, stranger, &other, 1);
	assert_true(bytes_is(quarantine(&count)[0].state, "open"));
	(void)ground_push(&g, next, &other, 1);
	assert_true(bytes_is(quarantine(&count)[0].state, "resent"));
	ground_verify(&g);
}

/* A draft was on both disks when they were one. */
static void what_both_copies_had_goes_in_once(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *neighbour = ground_device(&g, g.north, false);
	struct id id;
	struct id own;
	struct change draft = ground_person(&g, d, g.north, "Nháp", &id);
	struct ground_device copy = *d;
	struct change both[2] = {draft, ground_person(&g, &copy, g.north, "Riêng", &own)};
	size_t count = 0;

	(void)ground_push(&g, d, &draft, 1);
	struct change knowing = edit(neighbour, &id, 1, "Người khác sửa");
	(void)ground_push(&g, neighbour, &knowing, 1);
	(void)push_wire(&copy, ground_seal(&g, &copy, both, 2));
	struct ground_device *next = successor(d);
	/* Its clock is mended by now: merged again the draft would be the latest write of all. */
	g.clock.wall += 86400000;
	next->off_ms = 0;
	struct bytes wire = ground_seal(&g, next, both, 2);

	struct ingest_result r = push_wire(next, wire);

	assert_int_equal(r.outcome, INGEST_OK);
	assert_int_equal(r.applied, 1);
	assert_int_equal(r.result_count, 1);
	assert_true(has_result(&r, 1, "repeated"));
	assert_int_equal(r.results[0].device, d->number);
	assert_int_equal(r.results[0].log, 1);
	assert_int_equal(r.results[0].clock, draft.clock);
	assert_name(&id, "Người khác sửa");
	assert_name(&own, "Riêng");
	assert_int_equal(conflicts(), 0);
	assert_true(bytes_is(quarantine(&count)[0].state, "resent"));
	assert_true(bytes_is(quarantine(&count)[1].state, "resent"));
	ground_verify(&g);

	/* The answer was lost: the same again. */
	r = push_wire(next, wire);
	assert_int_equal(r.changeset_count, 0);
	assert_int_equal(r.result_count, 1);
	assert_int_equal(r.results[0].device, d->number);
	assert_int_equal(r.results[0].log, 1);
}

static void two_copies_that_both_went_on_are_one_family(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id first;
	struct id id;
	struct change made = ground_person(&g, d, g.north, "Trước", &first);

	(void)ground_push(&g, d, &made, 1);
	struct change draft = ground_person(&g, d, g.north, "Nháp", &id);
	struct ground_device *one = successor(d);
	struct ground_device *two = successor(d);
	struct ground_device *grandchild = successor(two);

	(void)ground_push(&g, one, &draft, 1);
	struct ingest_result r = ground_push(&g, two, &draft, 1);
	assert_true(has_result(&r, 1, "repeated"));
	assert_int_equal(r.results[0].device, one->number);
	/* A repeat is not what the next one repeats. */
	r = ground_push(&g, grandchild, &draft, 1);
	assert_int_equal(r.results[0].device, one->number);
	assert_int_equal(r.results[0].log, 2);
	ground_verify(&g);
}

/* ---- replaying it ---- */

/* Two histories of one device did not know of each other: what loses is told (M2). */
static void a_replay_of_a_fork_tells_what_it_replaces(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, d, g.north, "Gốc", &id);
	struct ingest_replayed done = {0};
	size_t count = 0;

	(void)ground_push(&g, d, &made, 1);
	struct ground_device copy = *d;
	struct change mine = edit(d, &id, 1, "Bản chính");
	struct change other = edit(&copy, &id, 1, "Bản sao");
	(void)ground_push(&g, d, &mine, 1);
	(void)push_wire(&copy, ground_seal(&g, &copy, &other, 1));
	struct quarantine_row row = quarantine(&count)[0];

	assert_ok(store_begin(g.store));
	assert_ok(ingest_replay(&g.ctx, g.store, &g.a, &row, g.clock.wall, &done));
	assert_ok(store_set_quarantine_state(g.store, row.quarantine, "replayed", BYTES_NONE));
	assert_ok(store_commit(g.store));

	assert_true(done.is_merged);
	assert_name(&id, "Bản sao");
	assert_int_equal(conflicts(), 1);
	assert_int_equal(state_of(d), DEVICE_FORKED);
	ground_verify(&g);
	/* Its home comes back after all: it is here. */
	struct ground_device *next = successor(d);
	struct ingest_result r = ground_push(&g, next, &other, 1);
	assert_true(has_result(&r, 1, "repeated"));
	assert_int_equal(conflicts(), 1);
	ground_verify(&g);
}

/* From a clock years ahead: it would win over everything for years. */
static void a_replay_of_a_fork_is_not_ahead_of_the_present(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device copy = *d;
	struct id ids[2];
	struct change mine = ground_person(&g, d, g.north, "Bản chính", &ids[0]);
	struct ingest_replayed done = {0};
	size_t count = 0;

	copy.off_ms = INT64_C(20) * 365 * 86400000;
	struct change other = ground_person(&g, &copy, g.north, "Bản sao", &ids[1]);
	(void)ground_push(&g, d, &mine, 1);
	(void)push_wire(&copy, ground_seal(&g, &copy, &other, 1));
	struct quarantine_row row = quarantine(&count)[0];

	assert_ok(store_begin(g.store));
	assert_ok(ingest_replay(&g.ctx, g.store, &g.a, &row, g.clock.wall, &done));
	assert_ok(store_commit(g.store));

	struct record r = ground_load(&g, "person", &ids[1]);
	assert_true(STAMP_CLOCK_MS(r.fields[0].stamp.clock) <= g.clock.wall);
	ground_verify(&g);
}

/* ---- how it is found out ---- */

static struct ingest_result contact(struct ground_device *d, uint64_t counter, uint64_t sealed,
				    bool is_by_file)
{
	struct ingest_request request = {.device = d->number,
					 .sent_ms = g.clock.wall,
					 .now_ms = g.clock.wall,
					 .is_by_file = is_by_file,
					 .sealed = sealed,
					 .counter = counter};
	struct store_device row;
	struct ingest_result r = {0};

	assert_ok(store_begin(g.store));
	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	if (counter > row.id.counter)
		row.id.counter = counter;
	assert_ok(store_put_device(g.store, &row));
	assert_ok(ingest_run(&g.ctx, g.store, &g.a, &request, &r));
	assert_ok(store_commit(g.store));
	return r;
}

static void a_disk_that_forgot_what_it_sent_is_set_aside(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	size_t count = 0;

	for (int i = 0; i < 3; i++) {
		struct change c = ground_person(&g, d, g.north, "Đã gửi", &id);

		(void)ground_push(&g, d, &c, 1);
	}
	assert_int_equal(contact(d, 7, 3, false).outcome, INGEST_OK);
	/* A file may be older than what came meanwhile; so may a request that was overtaken; and
	 * an older program does not say. */
	assert_int_equal(contact(d, 6, 2, true).outcome, INGEST_OK);
	assert_int_equal(contact(d, 6, 2, false).outcome, INGEST_OK);
	assert_int_equal(contact(d, 8, 0, false).outcome, INGEST_OK);
	assert_int_equal(state_of(d), DEVICE_ACTIVE);

	assert_int_equal(contact(d, 9, 2, false).outcome, INGEST_FORKED);
	assert_int_equal(state_of(d), DEVICE_FORKED);
	(void)quarantine(&count);
	assert_int_equal(count, 0);
}

static void numbers_only_heard_of_are_missing_and_those_of_a_fork_are_not(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device copy = *d;
	struct store_device row;
	struct id id;
	struct change mine = ground_person(&g, d, g.north, "Bản chính", &id);
	struct change other[3];

	for (int i = 0; i < 3; i++)
		other[i] = ground_person(&g, &copy, g.north, "Bản sao", &id);
	(void)ground_push(&g, d, &mine, 1);
	(void)contact(d, 1, 5, false);
	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	assert_int_equal(row.last_number, 1);
	assert_int_equal(row.seen_number, 5);

	struct ground_device *third = ground_device(&g, g.north, false);
	struct ground_device copy_of_third = *third;
	struct change c = ground_person(&g, third, g.north, "Bản chính", &id);
	(void)ground_push(&g, third, &c, 1);
	(void)push_wire(&copy_of_third, ground_seal(&g, &copy_of_third, other, 3));
	assert_ok(store_load_device(g.store, &g.a, third->number, &row));
	assert_int_equal(row.id.state, DEVICE_FORKED);
	assert_int_equal(row.seen_number, 1);
}

static size_t evictions(const struct ground_device *d)
{
	const struct msg_sync first = {.is_first_pull = true};
	const struct outgoing_request request = {.device = d->number, .sync = &first};
	struct outgoing owed = {0};

	assert_ok(store_begin(g.store));
	assert_ok(outgoing_build(&g.ctx, g.store, &g.a, &request, &owed));
	store_rollback(g.store);
	return owed.answer.eviction_count;
}

/* Its receipt says that the change is here already: so it has the record, which left its unit. */
static void a_record_that_another_copy_made_and_moved_is_evicted_too(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device copy = *d;
	struct ground_device *stranger = ground_device(&g, g.north, false);
	struct id ids[2];
	struct change c[2] = {ground_person(&g, d, g.north, "Bản nháp lúc chép", &ids[0])};
	struct change other = ground_person(&g, &copy, g.north, "Bản sao", &ids[1]);
	c[1] = ground_change(&g, d, "person", &ids[0], 0);
	ground_write(&g, &c[1], "unit", value_int(g.south));
	(void)ground_push(&g, d, c, 2);
	assert_int_equal(push_wire(&copy, ground_seal(&g, &copy, &other, 1)).outcome,
			 INGEST_FORKED);
	struct ground_device *mine = successor(d);
	struct ground_device *theirs = successor(d);

	struct ingest_result r = ground_push(&g, theirs, c, 1);

	assert_true(has_result(&r, 1, "repeated"));
	assert_int_equal(evictions(theirs), 1);
	assert_int_equal(evictions(mine), 1);
	assert_int_equal(evictions(stranger), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_comes_again_from_the_successor_waits_no_longer),
		CASE(another_clock_or_value_is_another_change),
		CASE(what_both_copies_had_goes_in_once),
		CASE(two_copies_that_both_went_on_are_one_family),
		CASE(a_replay_of_a_fork_tells_what_it_replaces),
		CASE(a_replay_of_a_fork_is_not_ahead_of_the_present),
		CASE(a_disk_that_forgot_what_it_sent_is_set_aside),
		CASE(a_record_that_another_copy_made_and_moved_is_evicted_too),
		CASE(numbers_only_heard_of_are_missing_and_those_of_a_fork_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
