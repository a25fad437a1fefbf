#include "tests/unit/test.h"

#include <string.h>

#include "daemon/units.h"
#include "proto/limits.h"
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

static struct msg_synced pull(struct ground_device *d, const struct msg_cursor *cursors,
			      size_t count, uint64_t max_bytes)
{
	struct msg_cursor *copy = arena_alloc_array(&g.a, count, sizeof *copy);
	struct msg_sync request = {.epoch = g.ctx.epoch,
				   .cursors = copy,
				   .cursor_count = count,
				   .max_bytes = max_bytes};

	if (count != 0)
		memcpy(copy, cursors, count * sizeof *copy);
	return ground_pull(&g, d, &request);
}

static struct record record_at(const struct msg_synced *m, size_t index)
{
	struct record r;

	assert_true(index < m->record_count);
	assert_ok(record_decode(&g.a, m->records[index], &r));
	return r;
}

static uint64_t cursor_of(const struct msg_synced *m, int64_t unit)
{
	for (size_t i = 0; i < m->cursor_count; i++) {
		if (m->cursors[i].unit == unit)
			return m->cursors[i].log;
	}
	return 0;
}

static void push_people(struct ground_device *d, int64_t unit, size_t count, struct id *ret_last)
{
	for (size_t i = 0; i < count; i++) {
		struct change c = ground_person(&g, d, unit, "Nguyễn Văn Thử", ret_last);

		(void)ground_push(&g, d, &c, 1);
	}
}

static void a_first_pull_brings_everything_of_the_scope(UNUSED_STATE)
{
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *far = ground_device(&g, g.far, false);
	struct ground_device *new = ground_device(&g, g.north, false);
	struct id id;
	push_people(north, g.north, 3, &id);
	push_people(far, g.far, 2, &id);

	struct msg_synced m = pull(new, NULL, 0, 0);

	assert_int_equal(m.record_count, 3);
	assert_false(m.has_more);
	assert_true(m.is_complete);
	assert_int_equal(m.unit_count, 1);
	assert_int_equal(m.units[0], g.north);
	assert_int_equal(cursor_of(&m, g.north), 3);
	assert_int_equal(m.included, 0);
	assert_int_equal(record_at(&m, 0).count, 2);
}

static void an_idle_pull_is_empty(UNUSED_STATE)
{
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *far = ground_device(&g, g.far, false);
	struct id id;
	push_people(north, g.north, 3, &id);
	push_people(far, g.far, 2, &id);

	struct msg_synced m = pull(north, &(struct msg_cursor){g.north, 3, 0}, 1, 0);

	assert_int_equal(m.record_count, 0);
	assert_int_equal(m.cursor_count, 0);
	assert_true(m.is_complete);
	assert_int_equal(m.included, 3);
}

static void only_fields_newer_than_the_cursor_travel(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id;
	push_people(a, g.north, 1, &id);
	struct change c = ground_change(&g, a, "person", &id, 1);
	ground_write(&g, &c, "note", ground_text("mới"));
	(void)ground_push(&g, a, &c, 1);

	struct msg_synced m = pull(b, &(struct msg_cursor){g.north, 1, 0}, 1, 0);

	struct record r = record_at(&m, 0);
	assert_int_equal(m.record_count, 1);
	assert_int_equal(r.count, 1);
	assert_true(bytes_is(r.fields[0].name, "note"));
	assert_int_equal(r.fields[0].log, 2);
}

static void a_budget_cuts_and_cursors_resume_exactly(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *e = ground_device(&g, g.north, false);
	struct change c[7];
	struct id id;
	struct id seen[400];
	size_t seen_count = 0;
	struct msg_cursor cursor = {g.north, 0, 0};
	size_t rounds = 0;
	bool has_more = true;

	/* Sets of seven share one log number: a cut between them would lose some. */
	for (size_t s = 0; s < 50; s++) {
		for (size_t i = 0; i < 7; i++)
			c[i] = ground_person(&g, d, g.north, "Trần Thị Nhiều", &id);
		(void)ground_push(&g, d, c, 7);
	}

	while (has_more) {
		struct msg_synced m = pull(e, &cursor, cursor.log != 0, 2500);
		size_t bytes = 0;

		for (size_t i = 0; i < m.record_count; i++) {
			seen[seen_count++] = record_at(&m, i).id;
			bytes += m.records[i].len;
		}
		assert_true(bytes <= 2500);
		assert_true(cursor_of(&m, g.north) > cursor.log);
		assert_int_equal(m.is_complete, !m.has_more);
		cursor.log = cursor_of(&m, g.north);
		has_more = m.has_more;
		rounds++;
	}

	assert_true(rounds > 5);
	assert_int_equal(seen_count, 350);
	for (size_t i = 0; i < seen_count; i++) {
		for (size_t k = i + 1; k < seen_count; k++)
			assert_true(id_compare(&seen[i], &seen[k]) != 0);
	}
}

static void more_than_a_page_of_one_type_is_paged_right(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *e = ground_device(&g, g.north, false);
	struct change c[20];
	struct id id;

	for (size_t s = 0; s < 40; s++) {
		for (size_t i = 0; i < 20; i++)
			c[i] = ground_person(&g, d, g.north, "Lê Văn Trang", &id);
		(void)ground_push(&g, d, c, 20);
	}

	struct msg_synced m = pull(e, NULL, 0, 0);

	assert_int_equal(m.record_count, 800);
	assert_int_equal(cursor_of(&m, g.north), 40);
	assert_true(m.is_complete);
}

static void a_number_larger_than_the_budget_is_sent_all_the_same(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *e = ground_device(&g, g.north, false);
	struct change c[20];
	struct id id;

	for (size_t i = 0; i < 20; i++)
		c[i] = ground_person(&g, d, g.north, "Phạm Thị Dài", &id);
	(void)ground_push(&g, d, c, 20);

	struct msg_synced m = pull(e, NULL, 0, 1);

	assert_int_equal(m.record_count, 20);
	assert_true(m.is_complete);
}

static void registers_come_before_events(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *e = ground_device(&g, g.north, false);
	struct id visit = id_new(&g.clock.clock, &g.rand);
	struct id id;
	struct change c = ground_change(&g, d, "visit", &visit, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(visit.bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-09-01"));
	(void)ground_push(&g, d, &c, 1);
	push_people(d, g.north, 2, &id);

	struct msg_synced m = pull(e, NULL, 0, 0);

	assert_int_equal(m.record_count, 3);
	assert_true(bytes_is(record_at(&m, 0).type, "person"));
	assert_true(bytes_is(record_at(&m, 2).type, "visit"));
}

static void a_record_that_left_is_evicted_and_new_ones_come_whole(UNUSED_STATE)
{
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *other = ground_device(&g, g.north, false);
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	struct id stays;
	push_people(north, g.north, 1, &stays);
	push_people(north, g.north, 1, &id);
	struct change move = ground_change(&g, north, "person", &id, 2);
	ground_write(&g, &move, "unit", value_int(g.south));
	(void)ground_push(&g, north, &move, 1);

	struct msg_synced left = pull(other, &(struct msg_cursor){g.north, 2, 0}, 1, 0);
	struct msg_synced came = pull(south, &(struct msg_cursor){g.south, 2, 0}, 1, 0);
	struct msg_synced fresh = pull(ground_device(&g, g.north, false), NULL, 0, 0);

	assert_int_equal(left.record_count, 0);
	assert_int_equal(left.eviction_count, 1);
	assert_int_equal(left.evictions[0].unit, g.north);
	assert_memory_equal(left.evictions[0].id.bytes, id.bytes, ID_LEN);
	assert_int_equal(cursor_of(&left, g.north), 3);
	assert_int_equal(came.record_count, 1);
	assert_int_equal(record_at(&came, 0).count, 2);
	assert_int_equal(fresh.eviction_count, 0);
	assert_int_equal(fresh.record_count, 1);
}

static void who_has_both_units_is_not_told_to_forget(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	assert_ok(store_begin(g.store));
	assert_ok(store_add_device_unit(g.store, d->number, g.south));
	assert_ok(store_commit(g.store));
	push_people(d, g.north, 1, &id);
	struct change move = ground_change(&g, d, "person", &id, 1);
	ground_write(&g, &move, "unit", value_int(g.south));
	(void)ground_push(&g, d, &move, 1);
	const struct msg_cursor cursors[2] = {{g.north, 1, 0}, {g.south, 1, 0}};

	struct msg_synced m = pull(d, cursors, 2, 0);

	assert_int_equal(m.eviction_count, 0);
	assert_int_equal(m.record_count, 1);
	assert_int_equal(m.unit_count, 2);
}

static void restricted_records_reach_only_cleared_devices(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "secret", &id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "body", ground_text("kín"));
	(void)ground_push(&g, cleared, &c, 1);

	struct msg_synced hidden = pull(plain, NULL, 0, 0);
	struct msg_synced shown = pull(cleared, NULL, 0, 0);

	assert_int_equal(hidden.record_count, 0);
	assert_int_equal(hidden.eviction_count, 0);
	assert_int_equal(cursor_of(&hidden, g.north), 1);
	assert_int_equal(shown.record_count, 1);
}

static void a_record_that_becomes_restricted_is_evicted(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "visit", &id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(id.bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-09-01"));
	(void)ground_push(&g, cleared, &c, 1);
	assert_int_equal(pull(plain, NULL, 0, 0).record_count, 1);
	struct change hide = ground_change(&g, cleared, "visit", &id, 1);
	ground_write(&g, &hide, "kind", ground_text("shelter"));
	(void)ground_push(&g, cleared, &hide, 1);

	struct msg_synced m = pull(plain, &(struct msg_cursor){g.north, 1, 0}, 1, 0);

	assert_int_equal(m.record_count, 0);
	assert_int_equal(m.eviction_count, 1);
}

/* The older parts passed by the device while it might not see the record. */
static void a_record_that_is_restricted_no_more_comes_whole(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *earlier = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "visit", &id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(id.bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-09-01"));
	ground_write(&g, &c, "kind", ground_text("shelter"));
	(void)ground_push(&g, cleared, &c, 1);
	assert_int_equal(pull(plain, NULL, 0, 0).record_count, 0);
	/* Of two writes of an event's field the first stays. */
	earlier->off_ms = -60000;
	struct change first = ground_change(&g, earlier, "visit", &id, 0);
	ground_write(&g, &first, "kind", ground_text("home"));
	(void)ground_push(&g, earlier, &first, 1);

	struct msg_synced m = pull(plain, &(struct msg_cursor){g.north, 1, 0}, 1, 0);

	assert_int_equal(m.record_count, 1);
	assert_int_equal(record_at(&m, 0).count, 4);
}

/* What the first part of a cut pull brought is known, though nothing is whole yet. */
static void it_is_evicted_also_where_the_pull_was_cut(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "visit", &id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(id.bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-09-01"));
	(void)ground_push(&g, cleared, &c, 1);
	struct change hide = ground_change(&g, cleared, "visit", &id, 1);
	ground_write(&g, &hide, "kind", ground_text("shelter"));
	(void)ground_push(&g, cleared, &hide, 1);

	struct msg_synced m = pull(plain, &(struct msg_cursor){g.north, 1, 1}, 1, 0);

	assert_int_equal(m.record_count, 0);
	assert_int_equal(m.eviction_count, 1);
}

static void give_south(const struct ground_device *d)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_add_device_unit(g.store, d->number, g.south));
	assert_ok(store_commit(g.store));
}

/* It got the record in the unit that it left, and nothing yet of the unit where it is. */
static void it_is_evicted_also_when_it_has_moved_within_the_scope(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct ground_device *late = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "visit", &id, 0);
	give_south(plain);
	give_south(late);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(id.bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-09-01"));
	(void)ground_push(&g, cleared, &c, 1);
	struct change hide = ground_change(&g, cleared, "visit", &id, 1);
	ground_write(&g, &hide, "unit", value_int(g.south));
	ground_write(&g, &hide, "kind", ground_text("shelter"));
	(void)ground_push(&g, cleared, &hide, 1);

	struct msg_synced m = pull(plain, &(struct msg_cursor){g.north, 1, 0}, 1, 0);
	struct msg_synced never = pull(late, NULL, 0, 0);

	assert_int_equal(m.record_count, 0);
	assert_int_equal(m.eviction_count, 1);
	assert_memory_equal(m.evictions[0].id.bytes, id.bytes, ID_LEN);
	assert_int_equal(never.record_count, 0);
	assert_int_equal(never.eviction_count, 0);
}

/* A pull was cut between the two units while the record was in the second. */
static void who_got_a_record_in_its_first_unit_forgets_it_when_it_leaves_the_second(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *late = ground_device(&g, g.north, false);
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	give_south(d);
	give_south(late);
	push_people(north, g.north, 1, &id);
	struct change within = ground_change(&g, north, "person", &id, 1);
	ground_write(&g, &within, "unit", value_int(g.south));
	(void)ground_push(&g, north, &within, 1);
	g.clock.wall += 1000;
	struct change out = ground_change(&g, south, "person", &id, 2);
	ground_write(&g, &out, "unit", value_int(g.far));
	(void)ground_push(&g, south, &out, 1);

	struct msg_synced m = pull(d, &(struct msg_cursor){g.north, 2, 0}, 1, 0);
	struct msg_synced never = pull(late, NULL, 0, 0);

	assert_int_equal(m.eviction_count, 1);
	assert_int_equal(m.evictions[0].unit, g.south);
	assert_int_equal(never.eviction_count, 0);
}

/* It has the record by its receipt, not by a pull. */
static void who_wrote_and_moved_a_record_before_its_first_pull_forgets_it(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *other = ground_device(&g, g.north, false);
	struct id id;
	struct change c[2] = {ground_person(&g, d, g.north, "Nguyễn Văn Thử", &id)};
	c[1] = ground_change(&g, d, "person", &id, 0);
	ground_write(&g, &c[1], "unit", value_int(g.south));
	(void)ground_push(&g, d, c, 2);

	assert_int_equal(pull(d, NULL, 0, 0).eviction_count, 1);
	assert_int_equal(pull(other, NULL, 0, 0).eviction_count, 0);
}

/* Its latest write is behind the cut, an earlier one before it. */
static void an_early_write_of_a_record_behind_the_cut_still_comes(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *e = ground_device(&g, g.north, false);
	struct id id;
	struct id between;
	push_people(d, g.north, 1, &id);
	struct change note = ground_change(&g, d, "person", &id, 1);
	ground_write(&g, &note, "note", ground_text("một"));
	(void)ground_push(&g, d, &note, 1);
	push_people(d, g.north, 1, &between);
	struct change age = ground_change(&g, d, "person", &id, 3);
	ground_write(&g, &age, "age", value_int(80));
	(void)ground_push(&g, d, &age, 1);

	struct msg_synced cut = pull(e, &(struct msg_cursor){g.north, 1, 0}, 1, 1);

	assert_int_equal(cut.record_count, 1);
	assert_memory_equal(record_at(&cut, 0).id.bytes, between.bytes, ID_LEN);
	assert_int_equal(cut.cursors[0].log, 3);
	assert_int_equal(msg_cursor_whole(&cut.cursors[0]), 1);

	struct msg_synced rest = pull(e, cut.cursors, 1, 0);
	struct record r = record_at(&rest, 0);

	assert_int_equal(rest.record_count, 1);
	assert_non_null(record_find(&r, BYTES_LIT("note")));
	assert_non_null(record_find(&r, BYTES_LIT("age")));
	assert_int_equal(msg_cursor_whole(&rest.cursors[0]), 4);
}

/* It was written in the unit it left, and is behind the cut in the one it came into. */
static void what_left_a_unit_for_one_behind_the_cut_counts_as_not_seen(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	struct id other;
	give_south(d);
	push_people(north, g.north, 1, &id);
	push_people(south, g.south, 1, &other);
	struct change note = ground_change(&g, north, "person", &id, 1);
	ground_write(&g, &note, "note", ground_text("một"));
	(void)ground_push(&g, north, &note, 1);
	struct change move = ground_change(&g, north, "person", &id, 3);
	ground_write(&g, &move, "unit", value_int(g.south));
	(void)ground_push(&g, north, &move, 1);

	struct msg_synced cut = pull(d, &(struct msg_cursor){g.north, 1, 0}, 1, 1);

	assert_true(cut.has_more);
	assert_int_equal(cut.record_count, 1);
	assert_memory_equal(record_at(&cut, 0).id.bytes, other.bytes, ID_LEN);
	assert_int_equal(cut.cursors[0].unit, g.north);
	assert_int_equal(cut.cursors[0].log, 4);
	assert_int_equal(msg_cursor_whole(&cut.cursors[0]), 1);

	struct msg_synced rest = pull(d, cut.cursors, cut.cursor_count, 0);
	struct record r = record_at(&rest, 0);

	assert_int_equal(rest.record_count, 1);
	assert_non_null(record_find(&r, BYTES_LIT("note")));
	assert_int_equal(rest.cursors[0].unit, g.north);
	assert_int_equal(msg_cursor_whole(&rest.cursors[0]), 4);
}

static void another_epoch_pulls_anew(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	push_people(d, g.north, 2, &id);
	struct msg_cursor cursor = {g.north, 2, 0};
	struct msg_sync request = {.cursors = &cursor, .cursor_count = 1};

	struct msg_synced m = ground_pull(&g, d, &request);

	assert_int_equal(m.record_count, 2);
	assert_memory_equal(m.epoch.bytes, g.ctx.epoch.bytes, ID_LEN);
}

static void a_cursor_beyond_our_log_pulls_anew(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	push_people(d, g.north, 2, &id);

	struct msg_synced m = pull(d, &(struct msg_cursor){g.north, 9, 0}, 1, 0);

	assert_int_equal(m.record_count, 2);
}

static void notices_come_first_and_once(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.far, "Sai nơi", &id);
	(void)ground_push(&g, d, &c, 1);
	struct msg_sync request = {.epoch = g.ctx.epoch};

	struct msg_synced first = ground_pull(&g, d, &request);
	request.notice = first.notices[0].notice;
	struct msg_synced second = ground_pull(&g, d, &request);

	assert_int_equal(first.notice_count, 1);
	assert_true(bytes_is(first.notices[0].kind, "quarantine"));
	assert_true(first.notices[0].text.len > 0);
	assert_int_equal(second.notice_count, 0);
}

static void notices_over_the_limit_wait(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct notice_row row = {.device = d->number, .kind = BYTES_LIT("landed")};
	struct msg_sync request = {.epoch = g.ctx.epoch};

	assert_ok(store_begin(g.store));
	for (size_t i = 0; i < LIMIT_NOTICES + 1; i++) {
		row.notice++;
		assert_ok(store_put_notice(g.store, &row));
	}
	assert_ok(store_commit(g.store));

	struct msg_synced m = ground_pull(&g, d, &request);

	assert_int_equal(m.notice_count, LIMIT_NOTICES);
	assert_true(m.has_more);
	request.notice = m.notices[m.notice_count - 1].notice;
	m = ground_pull(&g, d, &request);
	assert_int_equal(m.notice_count, 1);
	assert_false(m.has_more);
}

/* As the daemon answers a push: from the cursor, but for what the push itself brought. */
static struct msg_synced answer_push(struct ground_device *d, uint64_t cursor,
				     const struct ingest_result *pushed)
{
	struct msg_cursor held = {g.north, cursor, 0};
	struct msg_sync sync = {
		.epoch = g.ctx.epoch, .cursors = &held, .cursor_count = cursor != 0};
	struct outgoing owed;

	assert_ok(store_begin(g.store));
	assert_ok(outgoing_build(&g.ctx, g.store, &g.a,
				 &(struct outgoing_request){d->number, &sync, &pushed->own},
				 &owed));
	assert_ok(store_commit(g.store));
	return owed.answer;
}

static struct ingest_result push_person(struct ground_device *d, struct id *ret_id)
{
	struct change c = ground_person(&g, d, g.north, "Nguyễn Văn Thử", ret_id);

	return ground_push(&g, d, &c, 1);
}

static void what_a_device_has_just_brought_is_not_brought_back(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct ingest_result first = push_person(d, &id);

	struct msg_synced m = answer_push(d, 0, &first);

	assert_int_equal(m.record_count, 0);
	assert_int_equal(cursor_of(&m, g.north), 1);
	assert_true(m.is_complete);

	struct ingest_result second = push_person(d, &id);
	m = answer_push(d, 1, &second);
	assert_int_equal(m.record_count, 0);
	assert_int_equal(cursor_of(&m, g.north), 2);
}

static void what_others_wrote_before_a_push_comes_with_all_of_it(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *other = ground_device(&g, g.north, false);
	struct id id;
	(void)push_person(d, &id);
	(void)push_person(other, &id);
	struct ingest_result pushed = push_person(d, &id);

	struct msg_synced m = answer_push(d, 1, &pushed);

	assert_int_equal(m.record_count, 2);
	assert_int_equal(cursor_of(&m, g.north), 3);
}

static void what_others_wrote_behind_a_push_comes_alone(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *other = ground_device(&g, g.north, false);
	struct id own;
	struct id id;
	(void)push_person(d, &id);
	struct ingest_result pushed = push_person(d, &own);
	struct change c = ground_change(&g, other, "person", &own, 2);
	ground_write(&g, &c, "note", ground_text("của người khác"));
	(void)ground_push(&g, other, &c, 1);
	(void)push_person(other, &id);

	struct msg_synced m = answer_push(d, 1, &pushed);

	assert_int_equal(m.record_count, 2);
	assert_int_equal(record_at(&m, 0).count, 1);
	assert_true(bytes_is(record_at(&m, 0).fields[0].name, "note"));
	assert_int_equal(cursor_of(&m, g.north), 4);
}

static void a_push_that_is_known_already_is_brought_back(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Nguyễn Văn Thử", &id);
	struct bytes wire = ground_seal(&g, d, &c, 1);
	struct ingest_result again;
	assert_ok(ground_push_wire(&g, d, &wire, 1, &again));
	assert_ok(ground_push_wire(&g, d, &wire, 1, &again));

	struct msg_synced m = answer_push(d, 0, &again);

	assert_int_equal(m.record_count, 1);
}

static void a_record_that_a_push_moves_comes_whole(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	struct change out;
	struct change edit;
	struct change back;
	(void)push_person(d, &id);
	out = ground_change(&g, d, "person", &id, 1);
	ground_write(&g, &out, "unit", value_int(g.south));
	(void)ground_push(&g, d, &out, 1);
	edit = ground_change(&g, south, "person", &id, 2);
	ground_write(&g, &edit, "note", ground_text("ghi ở nơi mới"));
	(void)ground_push(&g, south, &edit, 1);
	/* It could not know of the move nor of the note: it lands, and takes the record back. */
	back = ground_change(&g, d, "person", &id, 1);
	ground_write(&g, &back, "unit", value_int(g.north));
	struct ingest_result pushed = ground_push(&g, d, &back, 1);
	assert_int_equal(pushed.applied, 1);

	struct msg_synced m = answer_push(d, 3, &pushed);

	assert_int_equal(m.record_count, 1);
	assert_int_equal(record_at(&m, 0).count, 3);
}

/* ---- what lands when the cursor has passed the transfer ---- */

/*
 * Two have the same record on their disks (a copy; the office was restored). One sends it, it is
 * moved out of sight, and the other, which nobody knows to have it, has pulled past that.
 */
static struct change make_twice(struct ground_device *d, int64_t unit)
{
	struct ground_device *other = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, other, g.north, "Nguyễn Văn Thử", &id);
	struct change out;
	struct change again = ground_change(&g, d, "person", &id, 0);

	ground_write(&g, &again, "name", ground_text("Nguyễn Văn Thử"));
	ground_write(&g, &again, "unit", value_int(g.north));
	(void)ground_push(&g, other, &made, 1);
	g.clock.wall += 1000;
	out = ground_change(&g, other, "person", &id, 1);
	ground_write(&g, &out, "unit", value_int(unit));
	(void)ground_push(&g, other, &out, 1);
	return again;
}

static void what_lands_behind_the_cursor_is_evicted(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change again = make_twice(d, g.south);
	struct msg_synced before = pull(d, NULL, 0, 0);
	struct ingest_result pushed = ground_push(&g, d, &again, 1);

	struct msg_synced m = answer_push(d, cursor_of(&before, g.north), &pushed);

	assert_int_equal(before.eviction_count, 0);
	assert_int_equal(pushed.applied, 1);
	assert_int_equal(m.eviction_count, 1);
	assert_int_equal(id_compare(&m.evictions[0].id, &again.id), 0);
}

/* The answer was lost: the same sets come again. */
static void it_is_evicted_also_when_it_is_known_already(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change again = make_twice(d, g.south);
	struct bytes wire = ground_seal(&g, d, &again, 1);
	struct ingest_result pushed;
	assert_ok(ground_push_wire(&g, d, &wire, 1, &pushed));
	assert_ok(ground_push_wire(&g, d, &wire, 1, &pushed));
	assert_int_equal(pushed.changeset_count, 0);

	assert_int_equal(answer_push(d, 2, &pushed).eviction_count, 1);
}

static void it_is_told_once_where_the_cursor_has_not_passed(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change again = make_twice(d, g.south);
	struct ingest_result pushed = ground_push(&g, d, &again, 1);

	assert_int_equal(answer_push(d, 0, &pushed).eviction_count, 1);
	assert_int_equal(answer_push(d, 1, &pushed).eviction_count, 1);
}

static void what_lands_within_the_scope_is_not_evicted(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change again = make_twice(d, g.south);
	give_south(d);
	struct ingest_result pushed = ground_push(&g, d, &again, 1);

	assert_int_equal(answer_push(d, 2, &pushed).eviction_count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_first_pull_brings_everything_of_the_scope),
		CASE(an_idle_pull_is_empty),
		CASE(only_fields_newer_than_the_cursor_travel),
		CASE(a_budget_cuts_and_cursors_resume_exactly),
		CASE(more_than_a_page_of_one_type_is_paged_right),
		CASE(a_number_larger_than_the_budget_is_sent_all_the_same),
		CASE(registers_come_before_events),
		CASE(a_record_that_left_is_evicted_and_new_ones_come_whole),
		CASE(who_has_both_units_is_not_told_to_forget),
		CASE(restricted_records_reach_only_cleared_devices),
		CASE(a_record_that_becomes_restricted_is_evicted),
		CASE(it_is_evicted_also_where_the_pull_was_cut),
		CASE(it_is_evicted_also_when_it_has_moved_within_the_scope),
		CASE(who_got_a_record_in_its_first_unit_forgets_it_when_it_leaves_the_second),
		CASE(a_record_that_is_restricted_no_more_comes_whole),
		CASE(who_wrote_and_moved_a_record_before_its_first_pull_forgets_it),
		CASE(an_early_write_of_a_record_behind_the_cut_still_comes),
		CASE(what_left_a_unit_for_one_behind_the_cut_counts_as_not_seen),
		CASE(another_epoch_pulls_anew),
		CASE(a_cursor_beyond_our_log_pulls_anew),
		CASE(notices_come_first_and_once),
		CASE(notices_over_the_limit_wait),
		CASE(what_a_device_has_just_brought_is_not_brought_back),
		CASE(what_others_wrote_before_a_push_comes_with_all_of_it),
		CASE(what_others_wrote_behind_a_push_comes_alone),
		CASE(a_push_that_is_known_already_is_brought_back),
		CASE(a_record_that_a_push_moves_comes_whole),
		CASE(what_lands_behind_the_cursor_is_evicted),
		CASE(it_is_evicted_also_when_it_is_known_already),
		CASE(it_is_told_once_where_the_cursor_has_not_passed),
		CASE(what_lands_within_the_scope_is_not_evicted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
