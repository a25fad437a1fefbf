#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/history.h"
#include "daemon/units.h"
#include "proto/limits.h"
#include "tests/support/ground.h"

static struct ground g;
static const struct store_range open_ones = {.limit = 10, .is_open_only = true};

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

static void assert_text(const struct record *r, const char *field, const char *want)
{
	struct value v = record_value(r, field);

	assert_int_equal(v.kind, VALUE_TEXT);
	if (!bytes_is(v.bytes, want))
		print_error("%s is %.*s\n", field, BYTES_FMT(v.bytes));
	assert_true(bytes_is(v.bytes, want));
}

static void assert_result(const struct ingest_result *r, size_t index, const char *code)
{
	assert_true(index < r->result_count);
	if (!bytes_is(r->results[index].code, code))
		print_error("result is %.*s\n", BYTES_FMT(r->results[index].code));
	assert_true(bytes_is(r->results[index].code, code));
}

static size_t count_notices(struct ground_device *d, const char *kind)
{
	struct notice_row *rows = NULL;
	size_t count = 0;
	size_t found = 0;

	assert_ok(store_load_notices(g.store, &g.a, d->number, &(struct store_range){.limit = 1000},
				     &rows, &count));
	for (size_t i = 0; i < count; i++)
		found += bytes_is(rows[i].kind, kind) != 0;
	return found;
}

static struct change edit(struct ground_device *d, const struct id *id, uint64_t base,
			  const char *field, const char *text)
{
	struct change c = ground_change(&g, d, "person", id, base);

	ground_write(&g, &c, field, ground_text(text));
	return c;
}

/* ---- the plain way ---- */

static void a_change_becomes_a_record(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Điểu K’Ré", &id);

	struct ingest_result r = ground_push(&g, d, &c, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.outcome, INGEST_OK);
	assert_int_equal(r.applied, 1);
	assert_int_equal(r.number, 1);
	assert_int_equal(r.log, 1);
	assert_int_equal(r.repair_count, 1);
	assert_int_equal(r.repairs[0].log, 1);
	assert_int_equal(r.result_count, 0);
	assert_text(&stored, "name", "Điểu K’Ré");
	assert_int_equal(record_unit(&stored), g.north);
	assert_int_equal(stored.fields[0].stamp.device, d->number);
	assert_int_equal(stored.fields[0].log, 1);
	ground_verify(&g);
}

static void every_kind_of_value_comes_back_as_it_was(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Nguyễn Thị Hoà", &id);
	struct id friend = id_new(&g.clock.clock, &g.rand);

	ground_write(&g, &c, "sex", ground_text("female"));
	ground_write(&g, &c, "age", value_int(0));
	ground_write(&g, &c, "poor", value_bool(false));
	ground_write(&g, &c, "note", VALUE_NONE);
	ground_write(&g, &c, "friend", value_bytes(bytes_of(friend.bytes, ID_LEN)));
	struct ingest_result r = ground_push(&g, d, &c, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.applied, 1);
	assert_int_equal(stored.count, 7);
	assert_int_equal(record_value(&stored, "age").kind, VALUE_INT);
	assert_int_equal(record_value(&stored, "poor").kind, VALUE_BOOL);
	assert_false(record_value(&stored, "poor").boolean);
	assert_non_null(record_find(&stored, BYTES_LIT("note")));
	assert_int_equal(record_value(&stored, "note").kind, VALUE_NULL);
	assert_memory_equal(record_value(&stored, "friend").bytes.data, friend.bytes, ID_LEN);
}

static void an_unknown_field_is_carried(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Lê Văn A", &id);

	ground_write(&g, &c, "zodiac", ground_text("Tý"));
	ground_write(&g, &c, "aura", value_int(-7));
	struct ingest_result r = ground_push(&g, d, &c, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.applied, 1);
	assert_int_equal(r.quarantined, 0);
	assert_result(&r, 0, "unknown_field");
	assert_text(&stored, "zodiac", "Tý");
	assert_int_equal(record_value(&stored, "aura").integer, -7);
	ground_verify(&g);
}

/* ---- repeats, gaps, forks ---- */

static void a_repeat_gives_the_same_answer_and_writes_nothing(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change changes[2];

	changes[0] = ground_person(&g, d, g.north, "Một", &id);
	changes[1] = ground_person(&g, d, g.far, "Hai", &id);
	struct bytes wire = ground_seal(&g, d, changes, 2);
	struct ingest_result first = {0};
	struct ingest_result second = {0};
	assert_ok(ground_push_wire(&g, d, &wire, 1, &first));
	struct hash before = ground_everything(&g);

	g.clock.wall += 5000;
	assert_ok(ground_push_wire(&g, d, &wire, 1, &second));

	struct hash after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
	assert_int_equal(second.outcome, INGEST_OK);
	assert_int_equal(second.applied, 0);
	assert_int_equal(second.changeset_count, 0);
	assert_int_equal(second.number, first.number);
	assert_memory_equal(second.chain.bytes, first.chain.bytes, HASH_LEN);
	assert_int_equal(second.result_count, 1);
	assert_result(&second, 0, "out_of_scope");
	assert_true(second.results[0].is_quarantined);
	assert_int_equal(second.repairs[0].repair.ceiling, first.repairs[0].repair.ceiling);
	assert_int_equal(second.repairs[0].log, 1);
}

static void a_gap_says_which_number_is_wanted(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change one = ground_person(&g, d, g.north, "Một", &id);
	struct change two = ground_person(&g, d, g.north, "Hai", &id);
	struct bytes first = ground_seal(&g, d, &one, 1);
	struct bytes second = ground_seal(&g, d, &two, 1);
	struct ingest_result r = {0};

	assert_ok(ground_push_wire(&g, d, &second, 1, &r));
	struct store_device row;
	assert_ok(store_load_device(g.store, &g.a, d->number, &row));

	assert_int_equal(r.outcome, INGEST_GAP);
	assert_int_equal(r.expected, 1);
	assert_int_equal(r.applied, 0);
	assert_int_equal(row.seen_number, 2);
	assert_int_equal(row.last_number, 0);
	/* In order they both go in. */
	struct bytes both[2] = {first, second};
	assert_ok(ground_push_wire(&g, d, both, 2, &r));
	assert_int_equal(r.outcome, INGEST_OK);
	assert_int_equal(r.applied, 2);
	ground_verify(&g);
}

static void a_fork_sets_the_device_aside_and_keeps_its_changes(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device clone;
	struct id a;
	struct id b;

	clone = *d;
	struct change mine = ground_person(&g, d, g.north, "Bản chính", &a);
	struct change other = ground_person(&g, &clone, g.north, "Bản sao", &b);
	(void)ground_push(&g, d, &mine, 1);
	struct bytes wire = ground_seal(&g, &clone, &other, 1);
	struct ingest_result r = {0};

	assert_ok(ground_push_wire(&g, &clone, &wire, 1, &r));

	struct quarantine_row *rows = NULL;
	size_t count = 0;
	struct store_device row;
	struct change kept;
	assert_int_equal(r.outcome, INGEST_FORKED);
	assert_int_equal(r.quarantined, 1);
	assert_ok(store_load_quarantine(g.store, &g.a, &open_ones, &rows, &count));
	assert_int_equal(count, 1);
	assert_true(bytes_is(rows[0].reason, "forked"));
	assert_ok(change_decode(&g.a, rows[0].bytes, &kept));
	assert_true(bytes_is(change_find(&kept, BYTES_LIT("name"))->value.bytes, "Bản sao"));
	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	assert_int_equal(row.id.state, DEVICE_FORKED);
	assert_int_equal(ground_load(&g, "person", &b).count, 0);
	/* From now on it is refused, and nothing more is kept. */
	assert_ok(ground_push_wire(&g, &clone, &wire, 1, &r));
	assert_int_equal(r.outcome, INGEST_REFUSED);
	assert_ok(store_load_quarantine(g.store, &g.a, &open_ones, &rows, &count));
	assert_int_equal(count, 1);
	ground_verify(&g);
}

static void an_unknown_or_revoked_device_is_refused(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct store_device row;
	struct id id;

	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	row.id.state = DEVICE_REVOKED;
	assert_ok(store_begin(g.store));
	assert_ok(store_put_device(g.store, &row));
	assert_ok(store_commit(g.store));
	struct change c = ground_person(&g, d, g.north, "Ai", &id);

	struct ingest_result r = ground_push(&g, d, &c, 1);

	assert_int_equal(r.outcome, INGEST_REFUSED);
	assert_int_equal(ground_load(&g, "person", &id).count, 0);
}

static void a_set_for_another_daemon_is_a_broken_protocol(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Ai", &id);
	struct bytes wire = ground_seal(&g, d, &c, 1);
	struct ingest_result r = {0};

	g.ctx.daemon.bytes[0] ^= 1;

	assert_err(ground_push_wire(&g, d, &wire, 1, &r), ERR_PROTO);
}

/* ---- one bad change never blocks ---- */

static void a_bad_change_is_kept_apart_and_its_neighbours_go_in(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id ids[6];
	struct change c[6];

	c[0] = ground_person(&g, d, g.north, "Tốt", &ids[0]);
	c[1] = ground_person(&g, d, g.north, "Tuổi chữ", &ids[1]);
	ground_write(&g, &c[1], "age", ground_text("bảy mươi"));
	c[2] = ground_person(&g, d, g.north, "Mã lạ", &ids[2]);
	ground_write(&g, &c[2], "sex", ground_text("dragon"));
	ids[3] = id_new(&g.clock.clock, &g.rand);
	c[3] = ground_change(&g, d, "person", &ids[3], 0);
	ground_write(&g, &c[3], "unit", value_int(g.north));
	ids[4] = id_new(&g.clock.clock, &g.rand);
	c[4] = ground_change(&g, d, "dragon", &ids[4], 0);
	ground_write(&g, &c[4], "unit", value_int(g.north));
	c[5] = ground_person(&g, d, g.north, "Cũng tốt", &ids[5]);

	struct ingest_result r = ground_push(&g, d, c, 6);

	struct quarantine_row *rows = NULL;
	size_t count = 0;
	struct change kept;
	assert_int_equal(r.applied, 2);
	assert_int_equal(r.quarantined, 4);
	assert_int_equal(r.number, 6);
	assert_result(&r, 0, "wrong_type");
	assert_true(bytes_is(r.results[0].field, "age"));
	assert_int_equal(r.results[0].number, 2);
	assert_result(&r, 1, "no_such_code");
	assert_result(&r, 2, "missing");
	assert_result(&r, 3, "unknown_type");
	assert_ok(store_load_quarantine(g.store, &g.a, &open_ones, &rows, &count));
	assert_int_equal(count, 4);
	assert_int_equal(rows[0].number, 2);
	assert_int_equal(rows[0].log, 1);
	assert_true(rows[0].text.len > 0);
	assert_ok(change_decode(&g.a, rows[0].bytes, &kept));
	assert_true(bytes_is(change_find(&kept, BYTES_LIT("age"))->value.bytes, "bảy mươi"));
	assert_int_equal(count_notices(d, "quarantine"), 4);
	assert_int_equal(ground_load(&g, "person", &ids[5]).count, 2);
	assert_int_equal(ground_load(&g, "person", &ids[1]).count, 0);
	ground_verify(&g);
}

static void a_record_outside_the_scope_is_refused_alone(UNUSED_STATE)
{
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *far = ground_device(&g, g.far, false);
	struct id id;
	struct change made = ground_person(&g, far, g.far, "Người xa", &id);
	(void)ground_push(&g, far, &made, 1);
	struct change touch = edit(north, &id, 99, "name", "Đổi trộm");

	struct ingest_result r = ground_push(&g, north, &touch, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_result(&r, 0, "out_of_scope");
	assert_text(&stored, "name", "Người xa");
	ground_verify(&g);
}

static void restricted_data_needs_a_cleared_device(UNUSED_STATE)
{
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct id a = id_new(&g.clock.clock, &g.rand);
	struct id b = id_new(&g.clock.clock, &g.rand);
	struct change type = ground_change(&g, plain, "secret", &a, 0);
	struct change code = ground_change(&g, plain, "visit", &b, 0);

	ground_write(&g, &type, "unit", value_int(g.north));
	ground_write(&g, &type, "body", ground_text("kín"));
	ground_write(&g, &code, "unit", value_int(g.north));
	ground_write(&g, &code, "person", value_bytes(bytes_of(a.bytes, ID_LEN)));
	ground_write(&g, &code, "day", ground_text("2026-09-01"));
	ground_write(&g, &code, "kind", ground_text("shelter"));
	struct change both[2] = {type, code};

	struct ingest_result refused = ground_push(&g, plain, both, 2);
	struct ingest_result taken = ground_push(&g, cleared, both, 2);

	assert_int_equal(refused.quarantined, 2);
	assert_result(&refused, 0, "not_cleared");
	assert_result(&refused, 1, "not_cleared");
	assert_int_equal(taken.applied, 2);
	ground_verify(&g);
}

/* ---- records nobody could decode ---- */

/* Fields no schema names, `count` of them from number `first` on, each of `len` bytes. */
static struct ingest_result widen(struct ground_device *d, const struct id *id, size_t first,
				  size_t count, size_t len)
{
	struct change c = ground_change(&g, d, "person", id, 0);
	char *text = arena_alloc(&g.a, len);

	memset(text, 'x', len);
	c.writes = arena_alloc_array(&g.a, count, sizeof *c.writes);
	c.count = count;
	for (size_t i = 0; i < count; i++) {
		char *name = arena_alloc(&g.a, 8);

		(void)snprintf(name, 8, "f%05zu", first + i);
		c.writes[i] = (struct write){bytes_str(name), value_text(bytes_of(text, len))};
	}
	return ground_push(&g, d, &c, 1);
}

static void a_record_takes_no_more_fields_than_can_be_sent(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Rộng", &id);
	(void)ground_push(&g, d, &c, 1);
	size_t has = ground_load(&g, "person", &id).count;

	while (has < LIMIT_FIELDS) {
		size_t more = LIMIT_FIELDS - has < 200 ? LIMIT_FIELDS - has : 200;

		assert_int_equal(widen(d, &id, has, more, 1).quarantined, 0);
		has += more;
	}
	struct ingest_result r = widen(d, &id, has, 1, 1);

	assert_result(&r, 0, "too_big");
	assert_int_equal(r.quarantined, 1);
	assert_int_equal(ground_load(&g, "person", &id).count, LIMIT_FIELDS);
	/* What is there can still be changed. */
	assert_int_equal(widen(d, &id, has - 1, 1, 2).quarantined, 0);
	ground_verify(&g);
}

static size_t encoded_len(const struct id *id)
{
	AUTO(buf_clear) struct buf encoded = {0};
	struct record r = ground_load(&g, "person", id);

	record_encode(&r, 0, &encoded);
	return encoded.len;
}

static void a_record_takes_no_more_bytes_than_can_be_sent(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Nặng", &id);
	size_t next = 100;
	(void)ground_push(&g, d, &c, 1);

	while (LIMIT_RECORD_BYTES - encoded_len(&id) > 2 * LIMIT_VALUE_BYTES)
		assert_int_equal(widen(d, &id, next++, 1, LIMIT_VALUE_BYTES).quarantined, 0);
	size_t half = (LIMIT_RECORD_BYTES - encoded_len(&id)) / 2;
	assert_int_equal(widen(d, &id, next, 1, half).quarantined, 0);
	/* Long enough that its length is written as that of the last one is. */
	assert_int_equal(widen(d, &id, next + 1, 1, 300).quarantined, 0);
	size_t left = LIMIT_RECORD_BYTES - encoded_len(&id);
	struct ingest_result over = widen(d, &id, next + 1, 1, 300 + left + 1);
	struct ingest_result at = widen(d, &id, next + 1, 1, 300 + left);

	assert_result(&over, 0, "too_big");
	assert_int_equal(at.quarantined, 0);
	assert_int_equal(encoded_len(&id), LIMIT_RECORD_BYTES);
	ground_verify(&g);
}

/* ---- two people ---- */

static void the_loser_of_a_field_is_kept_and_told(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, a, g.north, "Gốc", &id);
	uint64_t base = ground_push(&g, a, &made, 1).log;
	struct change early = edit(a, &id, base, "name", "Sửa trước");
	g.clock.wall += 1000;
	struct change late = edit(b, &id, base, "name", "Sửa sau");

	struct ingest_result second = ground_push(&g, b, &late, 1);
	struct ingest_result first = ground_push(&g, a, &early, 1);

	struct conflict_row *rows = NULL;
	size_t count = 0;
	struct record stored = ground_load(&g, "person", &id);
	assert_text(&stored, "name", "Sửa sau");
	assert_int_equal(second.conflicts, 0);
	assert_int_equal(first.conflicts, 1);
	assert_result(&first, 0, "conflict");
	assert_ok(store_load_conflicts(g.store, &g.a, &open_ones, &rows, &count));
	assert_int_equal(count, 1);
	assert_true(bytes_is(rows[0].kept.value.bytes, "Sửa sau"));
	assert_true(bytes_is(rows[0].lost.value.bytes, "Sửa trước"));
	assert_true(bytes_is(rows[0].kept_by, "Cộng tác viên 2"));
	assert_true(bytes_is(rows[0].lost_by, "Cộng tác viên 1"));
	assert_int_equal(count_notices(a, "conflict"), 1);
	assert_int_equal(count_notices(b, "conflict"), 0);
	ground_verify(&g);
}

static void different_fields_are_parallel_and_no_conflict(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, a, g.north, "Gốc", &id);
	uint64_t base = ground_push(&g, a, &made, 1).log;
	struct change name = edit(a, &id, base, "name", "Tên mới");
	struct change note = edit(b, &id, base, "note", "Ghi chú");
	(void)ground_push(&g, a, &name, 1);

	struct ingest_result r = ground_push(&g, b, &note, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.conflicts, 0);
	assert_result(&r, 0, "parallel");
	assert_text(&stored, "name", "Tên mới");
	assert_text(&stored, "note", "Ghi chú");
	ground_verify(&g);
}

static void an_event_keeps_its_first_value(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change made = ground_change(&g, a, "visit", &id, 0);
	ground_write(&g, &made, "unit", value_int(g.north));
	ground_write(&g, &made, "person", value_bytes(bytes_of(id.bytes, ID_LEN)));
	ground_write(&g, &made, "day", ground_text("2026-09-01"));
	ground_write(&g, &made, "amount", value_int(100000));
	uint64_t base = ground_push(&g, a, &made, 1).log;
	g.clock.wall += 1000;
	struct change again = ground_change(&g, b, "visit", &id, base);
	ground_write(&g, &again, "amount", value_int(999));

	struct ingest_result r = ground_push(&g, b, &again, 1);

	struct record stored = ground_load(&g, "visit", &id);
	assert_int_equal(record_value(&stored, "amount").integer, 100000);
	assert_int_equal(r.conflicts, 1);
	assert_int_equal(count_notices(b, "conflict"), 1);
	ground_verify(&g);
}

static void a_deleted_record_comes_back_by_an_edit(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, d, g.north, "Gốc", &id);
	struct change gone = edit(d, &id, 1, "deleted", "nhập nhầm");
	struct change back = edit(d, &id, 2, "note", "không nhầm");
	struct record stored;

	(void)ground_push(&g, d, &made, 1);
	(void)ground_push(&g, d, &gone, 1);
	stored = ground_load(&g, "person", &id);
	assert_true(record_is_deleted(&stored));
	ground_verify(&g);
	(void)ground_push(&g, d, &back, 1);

	stored = ground_load(&g, "person", &id);
	assert_false(record_is_deleted(&stored));
	assert_text(&stored, "deleted", "nhập nhầm");
	ground_verify(&g);
}

/* ---- transfer ---- */

static void an_edit_from_the_old_unit_lands_after_a_transfer(UNUSED_STATE)
{
	struct ground_device *north = ground_device(&g, g.north, false);
	struct ground_device *south = ground_device(&g, g.south, false);
	struct id id;
	struct change made = ground_person(&g, north, g.north, "Người đi", &id);
	uint64_t base = ground_push(&g, north, &made, 1).log;
	struct change stale = edit(north, &id, base, "note", "viết khi chưa biết");
	struct change move = ground_change(&g, north, "person", &id, base);
	ground_write(&g, &move, "unit", value_int(g.south));
	struct change rest[2] = {stale, move};
	/* Another device of the same unit moves it first. */
	struct ground_device *other = ground_device(&g, g.north, false);
	struct change moved = ground_change(&g, other, "person", &id, base);
	ground_write(&g, &moved, "unit", value_int(g.south));
	(void)ground_push(&g, other, &moved, 1);

	struct ingest_result r = ground_push(&g, north, rest, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.applied, 1);
	assert_text(&stored, "note", "viết khi chưa biết");
	assert_int_equal(record_unit(&stored), g.south);
	assert_result(&r, r.result_count - 1, "landed");
	assert_int_equal(count_notices(south, "landed"), 1);
	assert_int_equal(count_notices(north, "landed"), 1);
	ground_verify(&g);
}

static void who_saw_the_transfer_may_not_edit_any_more(UNUSED_STATE)
{
	struct ground_device *north = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, north, g.north, "Người đi", &id);
	struct change move = ground_change(&g, north, "person", &id, 1);
	ground_write(&g, &move, "unit", value_int(g.south));
	(void)ground_push(&g, north, &made, 1);
	uint64_t seen = ground_push(&g, north, &move, 1).log;
	struct change late = edit(north, &id, seen, "note", "đã biết");

	struct ingest_result r = ground_push(&g, north, &late, 1);

	assert_result(&r, 0, "out_of_scope");
	ground_verify(&g);
}

static void a_transfer_needs_a_unit_that_exists(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, d, g.north, "Ở lại", &id);
	struct change move = ground_change(&g, d, "person", &id, 1);
	ground_write(&g, &move, "unit", value_int(987654));
	(void)ground_push(&g, d, &made, 1);

	struct ingest_result r = ground_push(&g, d, &move, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_result(&r, 0, "no_such_unit");
	assert_int_equal(record_unit(&stored), g.north);
}

/* ---- clocks ---- */

static void a_clock_of_2099_is_taken_moved_and_flagged(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct store_device row;
	d->off_ms = INT64_C(73) * 365 * 86400000;
	struct change c = ground_person(&g, d, g.north, "Đồng hồ sai", &id);

	struct ingest_result r = ground_push(&g, d, &c, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(r.applied, 1);
	assert_true(r.repairs[0].repair.is_flagged);
	assert_int_equal(r.repairs[0].repair.shift_ms, -d->off_ms);
	assert_true(STAMP_CLOCK_MS(stored.fields[0].stamp.clock) <= g.clock.wall);
	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	assert_true(row.is_clock_flagged);
	ground_verify(&g);
}

static void stamps_of_a_device_rise_even_when_its_clock_jumps_back(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change made = ground_person(&g, d, g.north, "Gốc", &id);
	(void)ground_push(&g, d, &made, 1);
	d->off_ms = -INT64_C(20) * 365 * 86400000;
	d->hlc.last = 0;
	struct change later = edit(d, &id, 1, "name", "Sau");

	(void)ground_push(&g, d, &later, 1);

	struct record stored = ground_load(&g, "person", &id);
	assert_text(&stored, "name", "Sau");
	ground_verify(&g);
}

/* ---- nothing by halves ---- */

static void a_rolled_back_transaction_leaves_nothing(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Mất điện", &id);
	struct bytes wire = ground_seal(&g, d, &c, 1);
	struct hash before = ground_everything(&g);
	struct changeset_opened set;
	struct ingest_request request = {.device = d->number,
					 .sets = &set,
					 .set_count = 1,
					 .sent_ms = g.clock.wall,
					 .now_ms = g.clock.wall};
	struct ingest_result r = {0};

	assert_ok(changeset_open(&g.a, wire, NULL, &set));
	assert_ok(store_begin(g.store));
	assert_ok(ingest_run(&g.ctx, g.store, &g.a, &request, &r));
	store_rollback(g.store);
	struct hash after = ground_everything(&g);

	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
	/* And it can be sent again. */
	assert_ok(ground_push_wire(&g, d, &wire, 1, &r));
	assert_int_equal(r.applied, 1);
	ground_reopen(&g);
	assert_int_equal(ground_load(&g, "person", &id).count, 2);
	ground_verify(&g);
}

static void a_job_undone_alone_leaves_its_neighbours_in_the_group(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id kept;
	struct id gone;
	struct change c = ground_person(&g, a, g.north, "Ở lại", &kept);
	struct change e = ground_person(&g, b, g.north, "Bị hủy", &gone);
	struct bytes wires[2] = {ground_seal(&g, a, &c, 1), ground_seal(&g, b, &e, 1)};
	struct changeset_opened sets[2];
	struct ingest_request request = {
		.set_count = 1, .sent_ms = g.clock.wall, .now_ms = g.clock.wall};
	struct ingest_result r = {0};

	assert_ok(store_begin(g.store));
	for (uint32_t i = 0; i < 2; i++) {
		assert_ok(changeset_open(&g.a, wires[i], NULL, &sets[i]));
		request.device = i + 1;
		request.sets = &sets[i];
		assert_ok(store_mark(g.store));
		assert_ok(ingest_run(&g.ctx, g.store, &g.a, &request, &r));
		if (i == 0)
			assert_ok(store_mark_keep(g.store));
		else
			store_mark_undo(g.store);
	}
	assert_ok(store_commit(g.store));

	assert_int_equal(ground_load(&g, "person", &kept).count, 2);
	assert_int_equal(ground_load(&g, "person", &gone).count, 0);
	ground_verify(&g);
}

/* ---- history ---- */

static void history_tells_old_and_new_and_who(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id;
	struct history_entry *entries = NULL;
	size_t count = 0;
	struct bytes author;
	struct change made = ground_person(&g, a, g.north, "Cũ", &id);
	(void)ground_push(&g, a, &made, 1);
	struct change bad = edit(b, &id, 1, "sex", "dragon");
	struct change good = edit(b, &id, 1, "name", "Mới");
	struct change both[2] = {bad, good};
	(void)ground_push(&g, b, both, 2);

	assert_ok(history_load_record(g.store, &g.a, BYTES_LIT("person"), &id, &entries, &count));

	struct record stored = ground_load(&g, "person", &id);
	assert_int_equal(count, 3);
	assert_int_equal(entries[0].number, 2);
	assert_true(bytes_is(entries[0].result, "applied"));
	assert_true(bytes_is(entries[0].writes[0].old.bytes, "Cũ"));
	assert_true(bytes_is(entries[0].writes[0].new.bytes, "Mới"));
	assert_true(entries[0].writes[0].is_kept);
	assert_true(entries[1].is_quarantined);
	assert_true(bytes_is(entries[1].result, "no_such_code"));
	assert_false(entries[1].writes[0].is_kept);
	assert_int_equal(entries[2].device, a->number);
	assert_ok(history_author(g.store, &g.a, &stored, record_find(&stored, BYTES_LIT("name")),
				 &author));
	assert_true(bytes_is(author, "Cộng tác viên 2"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_change_becomes_a_record),
		CASE(every_kind_of_value_comes_back_as_it_was),
		CASE(an_unknown_field_is_carried),
		CASE(a_repeat_gives_the_same_answer_and_writes_nothing),
		CASE(a_gap_says_which_number_is_wanted),
		CASE(a_fork_sets_the_device_aside_and_keeps_its_changes),
		CASE(an_unknown_or_revoked_device_is_refused),
		CASE(a_set_for_another_daemon_is_a_broken_protocol),
		CASE(a_bad_change_is_kept_apart_and_its_neighbours_go_in),
		CASE(a_record_outside_the_scope_is_refused_alone),
		CASE(restricted_data_needs_a_cleared_device),
		CASE(the_loser_of_a_field_is_kept_and_told),
		CASE(different_fields_are_parallel_and_no_conflict),
		CASE(an_event_keeps_its_first_value),
		CASE(a_deleted_record_comes_back_by_an_edit),
		CASE(an_edit_from_the_old_unit_lands_after_a_transfer),
		CASE(who_saw_the_transfer_may_not_edit_any_more),
		CASE(a_transfer_needs_a_unit_that_exists),
		CASE(a_clock_of_2099_is_taken_moved_and_flagged),
		CASE(stamps_of_a_device_rise_even_when_its_clock_jumps_back),
		CASE(a_rolled_back_transaction_leaves_nothing),
		CASE(a_job_undone_alone_leaves_its_neighbours_in_the_group),
		CASE(a_record_takes_no_more_fields_than_can_be_sent),
		CASE(a_record_takes_no_more_bytes_than_can_be_sent),
		CASE(history_tells_old_and_new_and_who),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
