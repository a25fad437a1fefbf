#include "tests/unit/test.h"

#include "daemon/history.h"
#include "daemon/office.h"
#include "proto/limits.h"
#include "tests/support/ground.h"

#define MANY 1001u /* one more than a change-set holds */

static struct ground g;
static struct write writes[MANY][2];

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

static enum err push(struct change *changes, size_t count, struct office_written *ret)
{
	enum err e;

	assert_ok(store_begin(g.store));
	e = office_write(&g.ctx, g.store, &g.a, changes, count, ret);
	assert_ok(store_commit(g.store));
	return e;
}

/* Writes `name` of a person, or `age` when text is NULL. */
static struct change person(size_t slot, const struct id *id, const char *text, int64_t age)
{
	struct write *w = writes[slot];

	w[0] = text != NULL ? (struct write){BYTES_LIT("name"), ground_text(text)}
			    : (struct write){BYTES_LIT("age"), value_int(age)};
	return (struct change){.type = BYTES_LIT("person"),
			       .id = *id,
			       .author = BYTES_LIT("uid:7"),
			       .writes = w,
			       .count = 1};
}

static struct id somebody(struct ground_device *d)
{
	struct id id;
	struct change made = ground_person(&g, d, g.north, "Gốc", &id);

	(void)ground_push(&g, d, &made, 1);
	return id;
}

static struct store_device office(void)
{
	struct store_device device;

	assert_ok(store_load_device(g.store, &g.a, STAMP_DEVICE_OFFICE, &device));
	return device;
}

static void an_office_change_is_a_change_set_of_device_0(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "Văn phòng", 0);
	struct office_written written;
	struct history_entry *entries = NULL;
	size_t count = 0;

	assert_ok(push(&c, 1, &written));

	struct record r = ground_load(&g, "person", &id);
	assert_true(written.is_merged);
	assert_int_equal(written.log, 2);
	assert_true(bytes_is(record_value(&r, "name").bytes, "Văn phòng"));
	assert_int_equal(record_find(&r, BYTES_LIT("name"))->stamp.device, STAMP_DEVICE_OFFICE);
	assert_int_equal(office().last_number, 1);
	assert_ok(history_load_record(g.store, &g.a, BYTES_LIT("person"), &id, &entries, &count));
	assert_int_equal(count, 2);
	assert_true(bytes_is(entries[0].author, "uid:7"));
	assert_int_equal(entries[0].base, 1);
	assert_true(bytes_is(entries[0].result, "applied"));
	ground_verify(&g);
}

static void its_numbers_and_chain_go_on(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct office_written written;

	for (int64_t i = 1; i <= 3; i++) {
		struct change c = person(0, &id, NULL, i);

		assert_ok(push(&c, 1, &written));
		assert_true(written.is_merged);
	}

	struct record r = ground_load(&g, "person", &id);
	assert_int_equal(record_value(&r, "age").integer, 3);
	assert_int_equal(office().last_number, 3);
	ground_verify(&g);
}

static void every_device_of_the_unit_is_owed_it(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *other = ground_device(&g, g.south, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "Văn phòng", 0);
	struct msg_sync ask = {.epoch = g.ctx.epoch};
	struct msg_cursor cursor = {.unit = g.north, .log = 1};
	struct office_written written;

	assert_ok(push(&c, 1, &written));

	ask.cursors = &cursor;
	ask.cursor_count = 1;
	assert_int_equal(ground_pull(&g, d, &ask).record_count, 1);
	assert_int_equal(ground_pull(&g, other, &ask).record_count, 0);
}

static void all_are_written_or_none(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change changes[3] = {person(0, &id, "Tốt", 0), person(1, &id, NULL, 4000),
				    person(2, &id, NULL, 40)};
	struct hash before = ground_everything(&g);
	uint64_t clock = store_clock(g.store);
	struct office_written written;

	assert_ok(push(changes, 3, &written));

	struct hash after = ground_everything(&g);
	assert_false(written.is_merged);
	assert_int_equal(written.refused, 1);
	assert_true(bytes_is(written.code, "out_of_range"));
	assert_true(bytes_is(written.field, "age"));
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
	assert_int_equal(store_clock(g.store), clock);
	ground_verify(&g);
}

static void a_unit_that_does_not_exist_is_refused(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "x", 0);
	struct office_written written;

	writes[0][0] = (struct write){BYTES_LIT(RECORD_UNIT), value_int(999999)};
	assert_ok(push(&c, 1, &written));

	assert_false(written.is_merged);
	assert_true(bytes_is(written.code, "no_such_unit"));
}

static void more_than_a_set_holds_are_several_sets(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change *changes = arena_alloc_array(&g.a, MANY, sizeof *changes);
	struct id id = somebody(d);
	struct office_written written;

	for (size_t i = 0; i < MANY; i++)
		changes[i] = person(i, &id, NULL, (int64_t)(i % 100));
	assert_ok(push(changes, MANY, &written));

	assert_true(written.is_merged);
	assert_int_equal(written.log, 3);
	assert_int_equal(office().last_number, MANY);
	ground_verify(&g);
}

/* The last of several sets is refused: those before it are undone too. */
static void a_refusal_in_a_later_set_undoes_all(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change *changes = arena_alloc_array(&g.a, MANY, sizeof *changes);
	struct id id = somebody(d);
	struct hash before = ground_everything(&g);
	struct office_written written;

	for (size_t i = 0; i < MANY; i++)
		changes[i] = person(i, &id, NULL, i + 1 == MANY ? 4000 : 4);
	assert_ok(push(changes, MANY, &written));

	struct hash after = ground_everything(&g);
	assert_false(written.is_merged);
	assert_int_equal(written.refused, MANY - 1);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
}

static void a_field_twice_is_an_error(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "một", 0);
	struct hash before = ground_everything(&g);
	struct office_written written;

	writes[0][1] = writes[0][0];
	c.count = 2;
	assert_err(push(&c, 1, &written), ERR_INVAL);

	struct hash after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
}

/* Signed by a key that is not device 0's, the log could never be proved again. */
static void another_key_is_refused(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "x", 0);
	struct hash before = ground_everything(&g);
	struct office_written written;

	g.ctx.key = d->key;
	assert_err(push(&c, 1, &written), ERR_AUTH);

	struct hash after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
}

/* The office has seen what it replaces, whatever the clock of its machine says. */
static void it_wins_also_when_the_daemons_clock_jumped_back(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "Văn phòng", 0);
	struct office_written written;

	g.clock.wall -= INT64_C(10) * 365 * 86400000;
	assert_ok(push(&c, 1, &written));

	struct record r = ground_load(&g, "person", &id);
	struct conflict_row *rows = NULL;
	size_t count = 0;
	assert_true(bytes_is(record_value(&r, "name").bytes, "Văn phòng"));
	assert_ok(store_load_conflicts(g.store, &g.a, &(struct store_range){.limit = 10}, &rows,
				       &count));
	assert_int_equal(count, 0);
	ground_verify(&g);
}

/* An edit that was under way meets it like anybody's: the loser is told. */
static void an_edit_under_way_conflicts_with_it(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = somebody(d);
	struct change c = person(0, &id, "Văn phòng", 0);
	struct change early = ground_change(&g, d, "person", &id, 1);
	struct office_written written;

	ground_write(&g, &early, "name", ground_text("Xã"));
	g.clock.wall += 1000;
	assert_ok(push(&c, 1, &written));
	struct ingest_result r = ground_push(&g, d, &early, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.conflicts, 1);
	assert_true(bytes_is(record_value(&stored, "name").bytes, "Văn phòng"));
	ground_verify(&g);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_office_change_is_a_change_set_of_device_0),
		CASE(its_numbers_and_chain_go_on),
		CASE(every_device_of_the_unit_is_owed_it),
		CASE(all_are_written_or_none),
		CASE(a_unit_that_does_not_exist_is_refused),
		CASE(more_than_a_set_holds_are_several_sets),
		CASE(a_refusal_in_a_later_set_undoes_all),
		CASE(a_field_twice_is_an_error),
		CASE(another_key_is_refused),
		CASE(it_wins_also_when_the_daemons_clock_jumped_back),
		CASE(an_edit_under_way_conflicts_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
