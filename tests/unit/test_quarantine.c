#include "tests/unit/test.h"

#include <string.h>

#include "daemon/quarantine.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

static struct ground g;
static struct ground_device *an;
static struct ground_device *binh;

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	an = ground_device(&g, g.north, false);
	binh = ground_device(&g, g.north, false);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

/* ---- what the cases share ---- */

static struct quarantine_row first_row(void)
{
	const struct store_range range = {.limit = 1};
	struct quarantine_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_quarantine(g.store, &g.a, &range, &rows, &count));
	assert_int_equal(count, 1);
	return rows[0];
}

static struct quarantine_since look(void)
{
	struct quarantine_row row = first_row();
	struct quarantine_since since;

	assert_ok(quarantine_look(g.store, &g.a, &row, &since));
	return since;
}

static struct change person_in(struct ground_device *d, const struct id *id, int64_t unit,
			       const char *name, const char *note)
{
	struct change c = ground_change(&g, d, "person", id, 0);

	ground_write(&g, &c, "name", ground_text(name));
	ground_write(&g, &c, "note", ground_text(note));
	if (unit != 0)
		ground_write(&g, &c, "unit", value_int(unit));
	return c;
}

/* The record is in another commune, which is given to the device later. */
static struct id refused_person(void)
{
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	struct change made = ground_person(&g, south, g.south, "Gốc", &id);
	struct change c;

	(void)ground_push(&g, south, &made, 1);
	g.clock.wall += 60000;
	c = person_in(an, &id, 0, "Cũ", "cũ");
	assert_int_equal(ground_push(&g, an, &c, 1).quarantined, 1);
	g.clock.wall += 60000;
	return id;
}

static void end_its_cause(void)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_add_device_unit(g.store, an->number, g.south));
	assert_ok(store_add_device_unit(g.store, binh->number, g.south));
	assert_ok(store_commit(g.store));
}

static bool replay(void)
{
	struct quarantine_row row = first_row();
	struct ingest_replayed done = {0};

	assert_ok(store_begin(g.store));
	assert_ok(ingest_replay(&g.ctx, g.store, &g.a, &row, g.clock.wall, &done));
	assert_ok(store_set_quarantine_state(g.store, row.quarantine, QUARANTINE_REPLAYED,
					     BYTES_NONE));
	assert_ok(store_commit(g.store));
	return done.is_merged;
}

static bool is_text(const char *type, const struct id *id, const char *field, const char *want)
{
	struct record r = ground_load(&g, type, id);
	struct value v = record_value(&r, field);

	return v.kind == VALUE_TEXT && bytes_is(v.bytes, want);
}

/* ---- registers ---- */

static void what_its_device_wrote_again_is_told_and_stays(UNUSED_STATE)
{
	struct id id = refused_person();

	assert_int_equal(look().mended_by, 0);
	assert_true(look().now.count > 0);
	end_its_cause();

	struct change c = person_in(an, &id, 0, "Mới", "mới");
	uint64_t log = ground_push(&g, an, &c, 1).log;

	assert_int_equal(look().mended_by, log);
	assert_false(look().would_displace);
	assert_true(bytes_is(first_row().state, "open"));
	/* Let in after all, it merges under its own time: the newer values stay. */
	assert_true(replay());
	assert_true(is_text("person", &id, "name", "Mới"));
	assert_true(is_text("person", &id, "note", "mới"));
	ground_verify(&g);
}

static void a_part_that_was_not_written_again_is_not_mended(UNUSED_STATE)
{
	struct id id = refused_person();
	struct change c = ground_change(&g, an, "person", &id, 0);

	end_its_cause();
	ground_write(&g, &c, "note", ground_text("mới"));
	(void)ground_push(&g, an, &c, 1);

	assert_int_equal(look().mended_by, 0);
	/* Let in, it brings the rest. */
	assert_true(replay());
	assert_true(is_text("person", &id, "name", "Cũ"));
	assert_true(is_text("person", &id, "note", "mới"));
	ground_verify(&g);
}

static void what_another_device_wrote_mends_nothing_and_stays_too(UNUSED_STATE)
{
	struct id id = refused_person();
	struct change c = person_in(binh, &id, 0, "Của Bình", "của Bình");

	end_its_cause();
	(void)ground_push(&g, binh, &c, 1);
	assert_int_equal(look().mended_by, 0);
	assert_true(replay());
	assert_true(is_text("person", &id, "name", "Của Bình"));
	ground_verify(&g);
}

/* It came before: what stood already when the change was refused is no correction of it. */
static void what_was_there_before_mends_nothing(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Trước", &id);
	struct change c;

	(void)ground_push(&g, an, &made, 1);
	c = ground_change(&g, an, "person", &id, 1);
	ground_write(&g, &c, "name", value_int(7));
	assert_int_equal(ground_push(&g, an, &c, 1).quarantined, 1);

	assert_int_equal(look().mended_by, 0);
	assert_true(look().now.count > 0);
}

static void who_took_the_place_of_the_device_mends_for_it(UNUSED_STATE)
{
	static const char text[] = "UPDATE device SET former = ?2 WHERE number = ?1";
	struct id id = refused_person();
	struct change c;

	assert_ok(store_begin(g.store));
	{
		AUTO(sql_done) struct sql *q = NULL;

		assert_ok(sql_use(g.store, text, &q));
		sql_bind_int(q, 1, binh->number);
		sql_bind_int(q, 2, an->number);
		assert_ok(sql_run(q));
	}
	assert_ok(store_commit(g.store));
	end_its_cause();
	c = person_in(binh, &id, 0, "Mới", "mới");

	uint64_t log = ground_push(&g, binh, &c, 1).log;

	assert_int_equal(look().mended_by, log);
}

static void the_other_copy_of_a_forked_device_mends_nothing(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Gốc", &id);

	(void)ground_push(&g, an, &made, 1);
	struct ground_device copy = *an;
	struct change other = ground_change(&g, &copy, "person", &id, 1);
	struct change mine = ground_change(&g, an, "person", &id, 1);
	struct ingest_result r;
	struct bytes wire;

	ground_write(&g, &other, "name", ground_text("Bản sao"));
	ground_write(&g, &mine, "name", ground_text("Bản chính"));
	mine.clock = other.clock + 5;
	(void)ground_push(&g, an, &mine, 1);
	wire = ground_seal(&g, &copy, &other, 1);
	assert_ok(ground_push_wire(&g, &copy, &wire, 1, &r));
	assert_int_equal(first_row().log, 0);

	assert_int_equal(look().mended_by, 0);
}

/* ---- events ---- */

static struct change visit_in(struct ground_device *d, const struct id *id, const struct id *person,
			      int64_t unit, const char *day)
{
	struct change c = ground_change(&g, d, "visit", id, 0);

	ground_write(&g, &c, "day", ground_text(day));
	ground_write(&g, &c, "person", value_bytes(bytes_of(person->bytes, ID_LEN)));
	ground_write(&g, &c, "unit", value_int(unit));
	return c;
}

/* A visit entered for the wrong commune, and entered again, right, with another day. */
static struct id refused_visit(const char *day_then, const char *day_now, uint64_t *ret_log)
{
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct id person;
	struct change made = ground_person(&g, an, g.north, "Người", &person);
	struct change refused = visit_in(an, &id, &person, g.south, day_then);
	struct change mended = visit_in(an, &id, &person, g.north, day_now);

	(void)ground_push(&g, an, &made, 1);
	assert_int_equal(ground_push(&g, an, &refused, 1).quarantined, 1);
	*ret_log = ground_push(&g, an, &mended, 1).log;
	return id;
}

static void an_old_event_does_not_displace_what_its_device_wrote_since(UNUSED_STATE)
{
	uint64_t log = 0;
	struct id id = refused_visit("2026-01-02", "2026-01-03", &log);
	struct quarantine_since since = look();

	/* The record has come, and yet it is not let in by itself. */
	assert_true(bytes_is(first_row().state, "open"));
	assert_true(is_text("visit", &id, "day", "2026-01-03"));
	assert_int_equal(since.mended_by, log);
	assert_true(since.would_displace);
	ground_verify(&g);
	/* Control: what would become of it. */
	end_its_cause();
	assert_true(replay());
	assert_true(is_text("visit", &id, "day", "2026-01-02"));
}

static void an_old_event_with_the_same_values_goes_in_by_itself(UNUSED_STATE)
{
	uint64_t log = 0;
	struct id id = refused_visit("2026-01-02", "2026-01-02", &log);
	struct record stored = ground_load(&g, "visit", &id);

	assert_true(bytes_is(first_row().state, "replayed"));
	assert_true(is_text("visit", &id, "day", "2026-01-02"));
	assert_int_equal(record_unit(&stored), g.north);
	ground_verify(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(what_its_device_wrote_again_is_told_and_stays),
		CASE(a_part_that_was_not_written_again_is_not_mended),
		CASE(what_another_device_wrote_mends_nothing_and_stays_too),
		CASE(what_was_there_before_mends_nothing),
		CASE(who_took_the_place_of_the_device_mends_for_it),
		CASE(the_other_copy_of_a_forked_device_mends_nothing),
		CASE(an_old_event_does_not_displace_what_its_device_wrote_since),
		CASE(an_old_event_with_the_same_values_goes_in_by_itself),
	};

	assert_ok(crypt_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
