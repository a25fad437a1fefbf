#include "tests/unit/test.h"

#include <string.h>

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

static struct change edit(struct ground_device *d, const struct id *id, const char *field,
			  const char *text)
{
	struct change c = ground_change(&g, d, "person", id, 0);

	ground_write(&g, &c, field, ground_text(text));
	return c;
}

static struct quarantine_row quarantined(uint64_t number)
{
	const struct store_range range = {.after = number - 1, .limit = 1};
	struct quarantine_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_quarantine(g.store, &g.a, &range, &rows, &count));
	assert_int_equal(count, 1);
	return rows[0];
}

static void assert_state(uint64_t number, const char *state)
{
	assert_true(bytes_is(quarantined(number).state, state));
}

static struct value value_of(const struct id *id, const char *field)
{
	struct record r = ground_load(&g, "person", id);

	return record_value(&r, field);
}

static bool is_text(const struct id *id, const char *field, const char *want)
{
	struct value v = value_of(id, field);

	return v.kind == VALUE_TEXT && bytes_is(v.bytes, want);
}

/* The last notice of a device. */
static struct notice_row last_notice(const struct ground_device *d)
{
	struct notice_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_notices(g.store, &g.a, d->number, &(struct store_range){.limit = 100},
				     &rows, &count));
	assert_true(count != 0);
	return rows[count - 1];
}

/* ---- cases ---- */

static void an_edit_before_its_record_goes_in_behind_it(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early = edit(binh, &id, "note", "đã thăm");

	assert_int_equal(ground_push(&g, binh, &early, 1).quarantined, 1);
	struct ingest_result r = ground_push(&g, an, &made, 1);

	struct record stored = ground_load(&g, "person", &id);
	const struct field *note = record_find(&stored, BYTES_LIT("note"));
	struct quarantine_row row = quarantined(1);
	struct notice_row notice = last_notice(binh);

	assert_int_equal(r.quarantined, 0);
	assert_int_equal(r.result_count, 0);
	assert_int_equal(r.log, 3);
	assert_true(is_text(&id, "name", "Điểu K’Ré"));
	assert_non_null(note);
	assert_int_equal(note->stamp.device, binh->number);
	assert_int_equal(note->stamp.clock, row.clock);
	assert_int_equal(note->log, 3);
	assert_true(bytes_is(row.state, "replayed"));
	assert_true(row.why.len != 0);
	assert_true(bytes_is(notice.kind, "decided"));
	assert_int_equal(notice.number, 1);
	assert_int_equal(notice.by.len, 0);
	ground_verify(&g);
}

static void edits_of_one_device_keep_their_order(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early[2] = {edit(binh, &id, "note", "một"), edit(binh, &id, "note", "hai")};

	assert_int_equal(ground_push(&g, binh, early, 2).quarantined, 2);
	(void)ground_push(&g, an, &made, 1);

	assert_true(is_text(&id, "note", "hai"));
	assert_state(1, "replayed");
	assert_state(2, "replayed");
	ground_verify(&g);
}

static void a_conflict_with_what_waited_is_told(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early = edit(binh, &id, "name", "Điểu K’Rế");
	struct conflict_row *rows = NULL;
	size_t count = 0;

	(void)ground_push(&g, binh, &early, 1);
	(void)ground_push(&g, an, &made, 1);

	assert_true(is_text(&id, "name", "Điểu K’Rế"));
	assert_ok(store_load_conflicts(g.store, &g.a, &(struct store_range){.limit = 9}, &rows,
				       &count));
	assert_int_equal(count, 1);
	assert_true(bytes_is(last_notice(an).kind, "conflict"));
	ground_verify(&g);
}

static void a_transfer_before_its_record_goes_in_behind_it(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early = ground_change(&g, binh, "person", &id, 0);

	ground_write(&g, &early, RECORD_UNIT, value_int(g.far));
	(void)ground_push(&g, binh, &early, 1);
	assert_true(bytes_is(quarantined(1).reason, "out_of_scope"));
	(void)ground_push(&g, an, &made, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(record_unit(&stored), g.far);
	assert_state(1, "replayed");
	ground_verify(&g);
}

static void who_still_may_not_stays(UNUSED_STATE)
{
	struct ground_device *stranger = ground_device(&g, g.south, false);
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early = edit(stranger, &id, "note", "của người lạ");

	assert_int_equal(ground_push(&g, stranger, &early, 1).quarantined, 1);
	(void)ground_push(&g, an, &made, 1);

	assert_state(1, "open");
	assert_int_equal(value_of(&id, "note").kind, VALUE_NULL);
	ground_verify(&g);
}

static void what_is_wrong_in_itself_stays(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early = ground_change(&g, binh, "person", &id, 0);

	ground_write(&g, &early, "age", value_int(-1));
	assert_int_equal(ground_push(&g, binh, &early, 1).quarantined, 1);
	(void)ground_push(&g, an, &made, 1);

	assert_state(1, "open");
	ground_verify(&g);
}

static void a_record_of_another_id_lets_nothing_in(UNUSED_STATE)
{
	struct id id;
	struct id other;
	struct change never = ground_person(&g, an, g.north, "không gửi", &id);
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &other);
	struct change early = edit(binh, &never.id, "note", "đã thăm");

	(void)ground_push(&g, binh, &early, 1);
	(void)ground_push(&g, an, &made, 1);

	assert_state(1, "open");
}

static void what_was_discarded_stays_out(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change early = edit(binh, &id, "note", "đã thăm");

	(void)ground_push(&g, binh, &early, 1);
	assert_ok(store_begin(g.store));
	assert_ok(store_set_quarantine_state(g.store, 1, "discarded", BYTES_LIT("nhầm")));
	assert_ok(store_commit(g.store));
	(void)ground_push(&g, an, &made, 1);

	assert_state(1, "discarded");
	assert_int_equal(value_of(&id, "note").kind, VALUE_NULL);
}

static void what_a_forked_device_wrote_stays_out(UNUSED_STATE)
{
	struct id id;
	struct id other;
	struct change made = ground_person(&g, an, g.north, "Điểu K’Ré", &id);
	struct change first = ground_person(&g, binh, g.north, "Thị B", &other);
	struct ground_device clone = *binh;

	(void)ground_push(&g, binh, &first, 1);
	struct change early = edit(&clone, &id, "note", "của bản sao");
	struct bytes wire = ground_seal(&g, &clone, &early, 1);
	struct ingest_result r;

	assert_ok(ground_push_wire(&g, binh, &wire, 1, &r));
	assert_int_equal(r.outcome, INGEST_FORKED);
	(void)ground_push(&g, an, &made, 1);

	assert_state(1, "open");
	assert_int_equal(value_of(&id, "note").kind, VALUE_NULL);
	ground_verify(&g);
}

/* An administrator lets in what makes the record: once, and the edits behind it go along. */
static void a_replay_that_makes_the_record_takes_them_along(UNUSED_STATE)
{
	struct id id;
	struct change made = ground_person(&g, an, g.far, "Điểu K’Ré", &id);
	struct change early = edit(binh, &id, "note", "đã thăm");
	struct ingest_replayed replayed;
	uint64_t log = 0;

	assert_int_equal(ground_push(&g, an, &made, 1).quarantined, 1);
	assert_int_equal(ground_push(&g, binh, &early, 1).quarantined, 1);
	struct quarantine_row row = quarantined(1);

	assert_ok(store_begin(g.store));
	assert_ok(store_add_device_unit(g.store, an->number, g.far));
	assert_ok(store_add_device_unit(g.store, binh->number, g.far));
	assert_ok(ingest_replay(&g.ctx, g.store, &g.a, &row, g.clock.wall, &replayed));
	assert_ok(store_commit(g.store));

	assert_true(replayed.is_merged);
	assert_true(is_text(&id, "note", "đã thăm"));
	assert_ok(store_last_log(g.store, &log));
	assert_int_equal(log, 4);
	assert_state(1, "open"); /* the caller decides about the row */
	assert_state(2, "replayed");
	ground_verify(&g);
}

/* ---- before the transfer that brought it ---- */

/* What it writes from now on it knew of an epoch that is over. */
static void live_in_the_past(struct ground_device *d)
{
	d->epoch.bytes[0] = 7;
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "epoch", bytes_of(g.ctx.epoch.bytes, ID_LEN)));
	assert_ok(store_commit(g.store));
}

static struct change transfer(struct ground_device *d, const struct id *id, int64_t unit)
{
	struct change c = ground_change(&g, d, "person", id, 1);

	ground_write(&g, &c, RECORD_UNIT, value_int(unit));
	return c;
}

static void an_edit_before_the_transfer_that_brought_the_record_goes_in_behind_it(UNUSED_STATE)
{
	struct ground_device *far = ground_device(&g, g.far, false);
	struct id id;
	struct change made = ground_person(&g, far, g.far, "Điểu K’Ré", &id);
	struct change early = edit(binh, &id, "note", "đã thăm");
	struct change move = transfer(far, &id, g.north);

	live_in_the_past(binh);
	(void)ground_push(&g, far, &made, 1);
	(void)ground_push(&g, binh, &early, 1);
	assert_true(bytes_is(quarantined(1).reason, "out_of_scope"));
	(void)ground_push(&g, far, &move, 1);

	assert_true(is_text(&id, "note", "đã thăm"));
	assert_state(1, "replayed");
	ground_verify(&g);
}

static void a_transfer_that_waited_lets_in_what_waited_for_it(UNUSED_STATE)
{
	struct ground_device *far = ground_device(&g, g.far, false);
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	struct change made = ground_person(&g, far, g.far, "Điểu K’Ré", &id);
	struct change early = edit(binh, &id, "note", "đã thăm");
	struct change first = transfer(far, &id, g.south);

	g.clock.wall += 1000;
	struct change second = transfer(south, &id, g.north);

	live_in_the_past(binh);
	live_in_the_past(south);
	(void)ground_push(&g, far, &made, 1);
	(void)ground_push(&g, binh, &early, 1);
	(void)ground_push(&g, south, &second, 1);
	(void)ground_push(&g, far, &first, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(record_unit(&stored), g.north);
	assert_true(is_text(&id, "note", "đã thăm"));
	assert_state(1, "replayed");
	assert_state(2, "replayed");
	ground_verify(&g);
}

static void who_wrote_in_another_unit_in_this_epoch_waits_for_a_person(UNUSED_STATE)
{
	struct ground_device *far = ground_device(&g, g.far, false);
	struct id id;
	struct change made = ground_person(&g, far, g.far, "Điểu K’Ré", &id);
	struct change early = ground_change(&g, binh, "person", &id, 1);
	struct change move = transfer(far, &id, g.north);

	ground_write(&g, &early, "note", ground_text("không được phép"));
	(void)ground_push(&g, far, &made, 1);
	(void)ground_push(&g, binh, &early, 1);
	(void)ground_push(&g, far, &move, 1);

	assert_state(1, "open");
	assert_int_equal(value_of(&id, "note").kind, VALUE_NULL);
}

/* ---- the transfer away came first ---- */

/*
 * far had given the record to north, and somebody with both units gave it on to south. A restore
 * lost both, and the second one comes again first.
 */
struct given_on {
	struct ground_device *far;
	struct id id;
	struct change brought; /* far to north; not sent again yet */
};

static struct given_on give_on(void)
{
	struct given_on w = {.far = ground_device(&g, g.far, false)};
	struct ground_device *both = ground_device(&g, g.far, false);
	struct change made = ground_person(&g, w.far, g.far, "Điểu K’Ré", &w.id);

	(void)ground_push(&g, w.far, &made, 1);
	live_in_the_past(w.far);
	live_in_the_past(both);
	live_in_the_past(binh);
	w.brought = transfer(w.far, &w.id, g.north);
	g.clock.wall += 1000;
	struct change away = transfer(both, &w.id, g.south);

	assert_int_equal(ground_push(&g, both, &away, 1).quarantined, 0);
	return w;
}

static void assert_landed_in_south(const struct id *id)
{
	struct record stored = ground_load(&g, "person", id);

	assert_int_equal(record_unit(&stored), g.south);
	assert_true(is_text(id, "note", "đã thăm"));
	ground_verify(&g);
}

static void an_edit_waits_for_the_lost_transfer_that_had_brought_the_record(UNUSED_STATE)
{
	struct given_on w = give_on();
	struct change early = edit(binh, &w.id, "note", "đã thăm");

	(void)ground_push(&g, binh, &early, 1);
	assert_true(bytes_is(quarantined(1).reason, "out_of_scope"));
	(void)ground_push(&g, w.far, &w.brought, 1);

	assert_state(1, "replayed");
	assert_landed_in_south(&w.id);
}

static void an_edit_behind_the_lost_transfer_lands(UNUSED_STATE)
{
	struct given_on w = give_on();
	struct change late = edit(binh, &w.id, "note", "đã thăm");

	(void)ground_push(&g, w.far, &w.brought, 1);

	assert_int_equal(ground_push(&g, binh, &late, 1).quarantined, 0);
	assert_landed_in_south(&w.id);
}

static void a_lost_transfer_gives_nobody_else_a_right(UNUSED_STATE)
{
	struct ground_device *stranger = ground_device(&g, g.far + 1000, false);
	struct given_on w = give_on();
	struct change note = edit(stranger, &w.id, "note", "của người lạ");
	struct change known = ground_change(&g, an, "person", &w.id, 1);

	live_in_the_past(stranger);
	(void)ground_push(&g, w.far, &w.brought, 1);
	ground_write(&g, &known, "note", ground_text("của lịch sử này"));

	assert_int_equal(ground_push(&g, stranger, &note, 1).quarantined, 1);
	assert_int_equal(ground_push(&g, an, &known, 1).quarantined, 1);
	assert_int_equal(value_of(&w.id, "note").kind, VALUE_NULL);
}

/* ---- what made it comes behind a later edit ---- */

/* Somebody with both units sends an edit that says enough to make the record, in south. */
static void edit_and_move(struct ground_device *d, const struct id *id)
{
	struct change c = ground_change(&g, d, "person", id, 1);

	assert_ok(store_begin(g.store));
	assert_ok(store_add_device_unit(g.store, d->number, g.south));
	assert_ok(store_commit(g.store));
	ground_write(&g, &c, "name", ground_text("Điểu K’Rế"));
	ground_write(&g, &c, RECORD_UNIT, value_int(g.south));
	(void)ground_push(&g, d, &c, 1);
}

static struct change person_with_age(struct id *ret_id)
{
	struct change c = ground_person(&g, an, g.north, "Điểu K’Ré", ret_id);

	ground_write(&g, &c, "age", value_int(80));
	return c;
}

static void what_made_a_record_lands_behind_the_transfer_it_was_lost_with(UNUSED_STATE)
{
	struct id id;
	struct change made = person_with_age(&id);

	live_in_the_past(an);
	live_in_the_past(binh);
	g.clock.wall += 1000;
	edit_and_move(binh, &id);

	struct ingest_result r = ground_push(&g, an, &made, 1);
	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.quarantined, 0);
	assert_int_equal(r.own.away_count, 1);
	assert_int_equal(record_unit(&stored), g.south);
	assert_true(is_text(&id, "name", "Điểu K’Rế"));
	assert_int_equal(value_of(&id, "age").integer, 80);
	ground_verify(&g);
}

static void who_would_take_it_back_by_that_may_not(UNUSED_STATE)
{
	struct id id = id_new(&g.clock.clock, &g.rand);

	live_in_the_past(an);
	live_in_the_past(binh);
	edit_and_move(binh, &id);
	g.clock.wall += 1000;
	struct change later = transfer(an, &id, g.north);

	assert_int_equal(ground_push(&g, an, &later, 1).quarantined, 1);
}

static void nobody_makes_again_what_this_epoch_has(UNUSED_STATE)
{
	struct id id;
	struct change made = person_with_age(&id);

	live_in_the_past(an);
	g.clock.wall += 1000;
	edit_and_move(binh, &id);

	assert_int_equal(ground_push(&g, an, &made, 1).quarantined, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_edit_before_its_record_goes_in_behind_it),
		CASE(edits_of_one_device_keep_their_order),
		CASE(a_conflict_with_what_waited_is_told),
		CASE(a_transfer_before_its_record_goes_in_behind_it),
		CASE(who_still_may_not_stays),
		CASE(what_is_wrong_in_itself_stays),
		CASE(a_record_of_another_id_lets_nothing_in),
		CASE(what_was_discarded_stays_out),
		CASE(what_a_forked_device_wrote_stays_out),
		CASE(a_replay_that_makes_the_record_takes_them_along),
		CASE(an_edit_before_the_transfer_that_brought_the_record_goes_in_behind_it),
		CASE(a_transfer_that_waited_lets_in_what_waited_for_it),
		CASE(who_wrote_in_another_unit_in_this_epoch_waits_for_a_person),
		CASE(an_edit_waits_for_the_lost_transfer_that_had_brought_the_record),
		CASE(an_edit_behind_the_lost_transfer_lands),
		CASE(a_lost_transfer_gives_nobody_else_a_right),
		CASE(what_made_a_record_lands_behind_the_transfer_it_was_lost_with),
		CASE(who_would_take_it_back_by_that_may_not),
		CASE(nobody_makes_again_what_this_epoch_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
