#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "daemon/compare.h"
#include "daemon/store_erase.h"
#include "proto/changeset.h"
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

/* ---- a device that asks ---- */

static struct msg_sync request_of(const struct msg_cursor *cursors, size_t count)
{
	struct msg_sync request = {.epoch = g.ctx.epoch, .wants_digests = true};

	request.cursors = arena_alloc_array(&g.a, count, sizeof *cursors);
	request.cursor_count = count;
	if (count != 0)
		memcpy(request.cursors, cursors, count * sizeof *cursors);
	memcpy(request.schema_version, g.schema->version, sizeof request.schema_version);
	return request;
}

static struct compared found;

static struct msg_synced ask(struct ground_device *d, const struct msg_sync *request)
{
	const struct outgoing_request asked = {.device = d->number, .sync = request};
	struct outgoing owed;

	assert_ok(store_begin(g.store));
	assert_ok(outgoing_build(&g.ctx, g.store, &g.a, &asked, &owed));
	assert_ok(compare_run(&g.ctx, g.store, &g.a, &asked, &owed, &found));
	assert_ok(store_commit(g.store));
	return owed.answer;
}

static struct msg_synced ask_at(struct ground_device *d, uint64_t log)
{
	const struct msg_sync request = request_of(&(struct msg_cursor){g.north, log, 0}, log != 0);

	return ask(d, &request);
}

static struct id push_person(struct ground_device *d, int64_t unit, const char *name)
{
	struct id id;
	struct change c = ground_person(&g, d, unit, name, &id);

	(void)ground_push(&g, d, &c, 1);
	return id;
}

static void push_people(struct ground_device *d, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)push_person(d, g.north, "Nguyễn Văn Thử");
}

/* The digest of what a device gets by a first pull. */
static struct digest pulled_digest(struct ground_device *d)
{
	const struct msg_sync request = request_of(NULL, 0);
	struct msg_synced m = ask(d, &request);
	struct digest digest = {0};

	for (size_t i = 0; i < m.record_count; i++) {
		struct record r;

		assert_ok(record_decode(&g.a, m.records[i], &r));
		digest_add(&digest, &r);
	}
	return digest;
}

static void assert_root(const struct msg_digest *got, const struct digest *want)
{
	const struct hash root = digest_root(want);

	assert_memory_equal(got->root.bytes, root.bytes, HASH_LEN);
}

/* Somebody alters a stored record behind the daemon's back; its log number stays. */
static void plant(const struct id *id, const char *field, struct value value)
{
	struct store_state state = {.record = {.type = BYTES_LIT("person"), .id = *id}};

	assert_ok(store_begin(g.store));
	assert_ok(store_load_states(g.store, &g.a, &state, 1));
	for (size_t i = 0; i < state.record.count; i++)
		if (bytes_is(state.record.fields[i].name, field))
			state.record.fields[i].value = value;
	assert_ok(store_put_state(g.store, &g.a, &state, 0));
	assert_ok(store_commit(g.store));
}

/* A request with the buckets of a digest. */
static struct msg_sync request_buckets(uint64_t log, const struct digest *held)
{
	struct msg_sync request = request_of(&(struct msg_cursor){g.north, log, 0}, 1);
	uint8_t *wire = arena_alloc(&g.a, DIGEST_WIRE_LEN);

	digest_print(held, wire);
	request.buckets = arena_alloc_array(&g.a, 1, sizeof *request.buckets);
	request.buckets[0] =
		(struct msg_buckets){.unit = g.north, .wire = bytes_of(wire, DIGEST_WIRE_LEN)};
	request.bucket_count = 1;
	return request;
}

/* ---- digests ---- */

static void nothing_is_compared_unasked(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 3);
	struct msg_sync request = request_of(&(struct msg_cursor){g.north, 3, 0}, 1);

	request.wants_digests = false;
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.digest_count, 0);
	assert_int_equal(m.bucket_count, 0);
	assert_string_equal(found.text, "");
}

static void a_device_that_stands_level_gets_the_digest_of_what_it_pulled(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 5);
	(void)push_person(ground_device(&g, g.far, false), g.far, "Ở xa");
	struct digest pulled = pulled_digest(d);

	struct msg_synced m = ask_at(d, 5);

	assert_int_equal(pulled.count, 5);
	assert_int_equal(m.record_count, 0);
	assert_int_equal(m.digest_count, 1);
	assert_int_equal(m.digests[0].unit, g.north);
	assert_int_equal(m.digests[0].log, 5);
	assert_root(&m.digests[0], &pulled);
	assert_int_equal(found.digests, 1);
}

static void the_answer_that_brings_news_brings_the_digest_after_them(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 5);
	struct digest pulled = pulled_digest(d);

	struct msg_synced m = ask_at(d, 3);

	assert_int_equal(m.record_count, 2);
	assert_int_equal(m.digest_count, 1);
	assert_int_equal(m.digests[0].log, 5);
	assert_root(&m.digests[0], &pulled);
}

static void more_than_a_page_of_one_type_is_in_the_digest(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct change c[300];
	struct id id;

	for (size_t i = 0; i < 300; i++)
		c[i] = ground_person(&g, d, g.north, "Trần Thị Nhiều", &id);
	(void)ground_push(&g, d, c, 300);
	push_people(d, 300);
	struct digest pulled = pulled_digest(d);

	struct msg_synced m = ask_at(d, 301);

	assert_int_equal(pulled.count, 600);
	assert_root(&m.digests[0], &pulled);
}

static void a_unit_without_records_has_the_digest_of_none(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	const struct digest none = {0};

	struct msg_synced m = ask_at(d, 0);

	assert_int_equal(m.digest_count, 1);
	assert_int_equal(m.digests[0].log, 0);
	assert_root(&m.digests[0], &none);
}

static void each_unit_of_the_scope_has_its_own(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	const struct msg_cursor cursors[2] = {{g.north, 1, 0}, {g.south, 2, 0}};
	struct msg_sync request;

	assert_ok(store_begin(g.store));
	assert_ok(store_add_device_unit(g.store, d->number, g.south));
	assert_ok(store_commit(g.store));
	(void)push_person(d, g.north, "Bắc");
	(void)push_person(d, g.south, "Nam");
	request = request_of(cursors, 2);
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.digest_count, 2);
	assert_memory_not_equal(m.digests[0].root.bytes, m.digests[1].root.bytes, HASH_LEN);
}

static void while_more_waits_nothing_is_compared(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 50);
	struct msg_sync request = request_of(NULL, 0);

	request.max_bytes = 1500;
	struct msg_synced m = ask(d, &request);

	assert_true(m.has_more);
	assert_int_equal(m.digest_count, 0);
}

static void a_device_with_another_schema_is_not_compared(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 2);
	struct digest none = {0};
	struct msg_sync request = request_buckets(2, &none);

	request.schema_version[0] ^= 1;
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.digest_count, 0);
	assert_int_equal(m.bucket_count, 0);
	assert_string_equal(found.text, "");
}

static void restricted_records_are_left_out_for_who_may_not_see_them(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "secret", &id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "body", ground_text("kín"));
	(void)ground_push(&g, cleared, &c, 1);
	(void)push_person(plain, g.north, "Ai cũng thấy");
	struct digest all = pulled_digest(cleared);
	struct digest some = pulled_digest(plain);

	struct msg_synced shown = ask_at(cleared, 2);
	assert_root(&shown.digests[0], &all);
	struct msg_synced hidden = ask_at(plain, 2);

	assert_root(&hidden.digests[0], &some);
	assert_int_equal(all.count, 2);
	assert_int_equal(some.count, 1);
}

static void a_budget_that_is_used_up_brings_no_digest(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 2);
	struct msg_sync request = request_of(&(struct msg_cursor){g.north, 2, 0}, 1);

	request.max_bytes = 1;
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.digest_count, 0);
	assert_false(m.has_more);
}

/* ---- buckets ---- */

static void a_planted_difference_brings_its_bucket_and_no_other(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 60);
	struct id id = push_person(d, g.north, "Điểu K'Ré");
	struct digest held = pulled_digest(d);
	struct msg_sync request = request_buckets(61, &held);
	size_t of_bucket = 0;
	char text[128];

	plant(&id, "name", ground_text("Điểu K'Rế"));
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.bucket_count, 1);
	assert_int_equal(m.buckets[0].unit, g.north);
	assert_int_equal(m.buckets[0].log, 61);
	assert_int_equal(m.buckets[0].bucket, digest_bucket(&id));
	for (size_t i = 0; i < m.buckets[0].record_count; i++) {
		struct record r;

		assert_ok(record_decode(&g.a, m.buckets[0].records[i], &r));
		assert_int_equal(digest_bucket(&r.id), digest_bucket(&id));
		of_bucket += id_compare(&r.id, &id) == 0;
	}
	assert_int_equal(of_bucket, 1);
	assert_int_equal(found.unit_count, 1);
	(void)snprintf(text, sizeof text, "digest: unit 00001, bucket %u, records sent %zu",
		       digest_bucket(&id), m.buckets[0].record_count);
	assert_string_equal(found.text, text);
}

static void equal_buckets_are_no_difference(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 20);
	struct digest held = pulled_digest(d);
	struct msg_sync request = request_buckets(20, &held);

	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.bucket_count, 0);
	assert_int_equal(m.digest_count, 1);
	assert_root(&m.digests[0], &held);
	assert_string_equal(found.text, "");
}

static void a_record_the_device_alone_has_brings_its_bucket_without_it(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 3);
	struct digest held = pulled_digest(d);
	struct field field = {BYTES_LIT("name"), ground_text("Chỉ ở máy"), {1, 1}, 1};
	struct record more = {.type = BYTES_LIT("person"), .fields = &field, .count = 1};

	more.id.bytes[15] = 9;
	digest_add(&held, &more);
	struct msg_sync request = request_buckets(3, &held);
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.bucket_count, 1);
	assert_int_equal(m.buckets[0].bucket, digest_bucket(&more.id));
}

static void a_unit_that_has_moved_on_is_not_compared(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 3);
	struct digest held = {0};
	struct msg_sync request = request_buckets(2, &held);

	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.record_count, 1);
	assert_int_equal(m.bucket_count, 0);
	assert_string_equal(found.text, "");
}

static void a_cursor_that_is_behind_is_not_compared(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 3);
	struct digest held = {0};
	struct msg_sync request = request_buckets(3, &held);

	request.cursors[0].behind = 2;
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.bucket_count, 0);
}

static void buckets_of_another_epoch_are_not_compared(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 3);
	struct digest held = {0};
	struct msg_sync request = request_buckets(3, &held);

	request.epoch.bytes[0] ^= 1;
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.bucket_count, 0);
	/* It gets everything anew, and the digest of that. */
	assert_int_equal(m.record_count, 3);
	assert_int_equal(m.digest_count, 1);
}

static void a_unit_out_of_scope_is_not_told_about(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.south, false);
	struct ground_device *north = ground_device(&g, g.north, false);
	push_people(north, 3);
	struct digest held = {0};
	struct msg_sync request = request_buckets(3, &held);

	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.bucket_count, 0);
	assert_int_equal(m.digest_count, 1);
	assert_int_equal(m.digests[0].unit, g.south);
}

static void a_small_budget_brings_one_bucket_at_a_time_until_all_are_equal(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 40);
	struct digest truth = pulled_digest(d);
	struct digest held = {0};
	bool differs[DIGEST_BUCKETS];
	uint8_t wire[DIGEST_WIRE_LEN];
	size_t wanted;
	size_t rounds = 0;

	digest_print(&truth, wire);
	wanted = digest_compare(&held, wire, differs);
	for (size_t left = wanted; left != 0; rounds++) {
		struct msg_sync request = request_buckets(40, &held);

		request.max_bytes = 1;
		struct msg_synced m = ask(d, &request);

		assert_int_equal(m.bucket_count, 1);
		for (size_t i = 0; i < m.buckets[0].record_count; i++) {
			struct record r;

			assert_ok(record_decode(&g.a, m.buckets[0].records[i], &r));
			digest_add(&held, &r);
		}
		left = digest_compare(&held, wire, differs);
	}

	assert_int_equal(rounds, wanted);
	assert_memory_equal(digest_root(&held).bytes, digest_root(&truth).bytes, HASH_LEN);
}

/* Seven records of 1.3 MiB in one bucket, and a small one in another. */
static void a_bucket_over_the_limit_is_named_and_the_others_come(UNUSED_STATE)
{
	enum {
		FIELDS = 21,
		BIG = 7
	};
	struct ground_device *d = ground_device(&g, g.north, false);
	struct bytes text = bytes_of(arena_alloc(&g.a, LIMIT_VALUE_BYTES), LIMIT_VALUE_BYTES);
	struct digest held = {0};
	struct id small;
	uint8_t bucket = 0;

	memset((void *)(uintptr_t)text.data, 'x', text.len);
	for (size_t i = 0; i < BIG; i++) {
		struct id id;
		struct change c = ground_person(&g, d, g.north, "Lớn", &id);

		while (i != 0 && digest_bucket(&c.id) != bucket)
			c.id = id_new(&g.clock.clock, &g.rand);
		bucket = digest_bucket(&c.id);
		for (size_t k = 0; k < FIELDS; k++)
			ground_write(&g, &c,
				     (const char *)arena_printf(&g.a, "big_%02zu%c", k, '\0').data,
				     value_text(text));
		assert_int_equal(ground_push(&g, d, &c, 1).applied, 1);
	}
	do {
		small = push_person(d, g.north, "Nhỏ");
	} while (digest_bucket(&small) == bucket);
	uint64_t log = 0;

	assert_ok(store_last_log(g.store, &log));
	struct msg_sync request = request_buckets(log, &held);
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.oversized_count, 1);
	assert_int_equal(m.oversized[0], g.north);
	for (size_t i = 0; i < m.bucket_count; i++)
		assert_int_not_equal(m.buckets[i].bucket, bucket);
	assert_int_equal(m.bucket_count, 1);
	assert_int_equal(m.buckets[0].bucket, digest_bucket(&small));
	assert_non_null(strstr(found.text, "pulled anew"));
}

static void of_many_differing_buckets_the_log_has_a_sum(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	push_people(d, 40);
	struct digest held = {0};
	struct msg_sync request = request_buckets(40, &held);

	struct msg_synced m = ask(d, &request);

	assert_true(m.bucket_count > 20);
	assert_int_equal(found.units[0].buckets, m.bucket_count);
	assert_non_null(strstr(found.text, "digest: unit 00001, buckets "));
	assert_non_null(strstr(found.text, "records sent 40"));
}

/* ---- strays ---- */

static struct msg_synced ask_stray(struct ground_device *d, const char *type, const struct id *id)
{
	struct msg_sync request = request_of(NULL, 0);
	struct msg_stray stray = {bytes_str(type), *id};

	/* Everything was pulled: only what is asked comes. */
	request.cursors = arena_alloc_array(&g.a, 1, sizeof *request.cursors);
	request.cursors[0] = (struct msg_cursor){.unit = g.north};
	request.cursor_count = 1;
	assert_ok(store_load_unit_log(g.store, g.north, &request.cursors[0].log));
	request.strays = &stray;
	request.stray_count = 1;
	return ask(d, &request);
}

static void a_stray_there_is_no_record_of_is_missing_and_logged(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	char hex[ID_HEX_LEN];

	struct msg_synced m = ask_stray(d, "person", &id);

	id_print(&id, hex);
	assert_int_equal(m.missing_count, 1);
	assert_memory_equal(m.missing[0].id.bytes, id.bytes, ID_LEN);
	assert_int_equal(m.record_count + m.eviction_count, 0);
	assert_int_equal(found.missing_count, 1);
	assert_non_null(strstr(found.text, "digest: missing person "));
	assert_non_null(strstr(found.text, hex));
}

static void the_log_does_not_name_restricted_or_unknown_types(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, true);
	struct id id = id_new(&g.clock.clock, &g.rand);

	(void)ask_stray(d, "secret", &id);
	assert_null(strstr(found.text, "secret"));
	assert_non_null(strstr(found.text, "digest: missing * "));
	struct msg_synced m = ask_stray(d, "no_such_type", &id);

	assert_int_equal(m.missing_count, 1);
	assert_null(strstr(found.text, "no_such_type"));
}

static void a_stray_that_left_the_scope_is_evicted(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = push_person(ground_device(&g, g.south, false), g.south, "Đã chuyển");

	struct msg_synced m = ask_stray(d, "person", &id);

	assert_int_equal(m.eviction_count, 1);
	assert_memory_equal(m.evictions[0].id.bytes, id.bytes, ID_LEN);
	assert_int_equal(m.missing_count, 0);
	assert_string_equal(found.text, "");
}

static void a_stray_erased_by_law_is_erased_there_too(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct erased_row row = {.id = id_new(&g.clock.clock, &g.rand),
				 .type = BYTES_LIT("person"),
				 .unit = g.north,
				 .log = 1};

	assert_ok(store_begin(g.store));
	assert_ok(store_put_erased(g.store, &row));
	assert_ok(store_commit(g.store));
	struct msg_synced m = ask_stray(d, "person", &row.id);

	assert_int_equal(m.missing_count, 0);
	assert_int_equal(m.eviction_count, 1);
	assert_true(m.evictions[0].is_erased);
	assert_string_equal(found.text, "");
}

static void a_restricted_stray_is_evicted_from_who_may_not_see_it(UNUSED_STATE)
{
	struct ground_device *cleared = ground_device(&g, g.north, true);
	struct ground_device *plain = ground_device(&g, g.north, false);
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, cleared, "secret", &id, 0);
	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "body", ground_text("kín"));
	(void)ground_push(&g, cleared, &c, 1);

	struct msg_synced m = ask_stray(plain, "secret", &id);

	assert_int_equal(m.eviction_count, 1);
	assert_int_equal(m.record_count, 0);
}

static void a_stray_in_scope_comes_whole(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id id = push_person(d, g.north, "Vẫn còn");
	struct record r;

	struct msg_synced m = ask_stray(d, "person", &id);

	assert_int_equal(m.record_count, 1);
	assert_ok(record_decode(&g.a, m.records[0], &r));
	assert_memory_equal(r.id.bytes, id.bytes, ID_LEN);
	assert_int_equal(r.count, 2);
	assert_int_equal(m.missing_count + m.eviction_count, 0);
}

/* Also while nothing else can be compared: the daemon is busy, or more waits. */
static void strays_are_answered_when_digests_are_not(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct msg_sync request = request_of(NULL, 0);
	struct msg_stray stray = {BYTES_LIT("person"), {{7}}};

	request.wants_digests = false;
	request.strays = &stray;
	request.stray_count = 1;
	struct msg_synced m = ask(d, &request);

	assert_int_equal(m.missing_count, 1);
	assert_int_equal(m.digest_count, 0);
	assert_string_equal(found.text, "");
	assert_int_equal(found.missing_count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_compared_unasked),
		CASE(a_device_that_stands_level_gets_the_digest_of_what_it_pulled),
		CASE(the_answer_that_brings_news_brings_the_digest_after_them),
		CASE(more_than_a_page_of_one_type_is_in_the_digest),
		CASE(a_unit_without_records_has_the_digest_of_none),
		CASE(each_unit_of_the_scope_has_its_own),
		CASE(while_more_waits_nothing_is_compared),
		CASE(a_device_with_another_schema_is_not_compared),
		CASE(restricted_records_are_left_out_for_who_may_not_see_them),
		CASE(a_budget_that_is_used_up_brings_no_digest),
		CASE(a_planted_difference_brings_its_bucket_and_no_other),
		CASE(equal_buckets_are_no_difference),
		CASE(a_record_the_device_alone_has_brings_its_bucket_without_it),
		CASE(a_unit_that_has_moved_on_is_not_compared),
		CASE(a_cursor_that_is_behind_is_not_compared),
		CASE(buckets_of_another_epoch_are_not_compared),
		CASE(a_unit_out_of_scope_is_not_told_about),
		CASE(a_small_budget_brings_one_bucket_at_a_time_until_all_are_equal),
		CASE(a_bucket_over_the_limit_is_named_and_the_others_come),
		CASE(of_many_differing_buckets_the_log_has_a_sum),
		CASE(a_stray_there_is_no_record_of_is_missing_and_logged),
		CASE(the_log_does_not_name_restricted_or_unknown_types),
		CASE(a_stray_that_left_the_scope_is_evicted),
		CASE(a_stray_erased_by_law_is_erased_there_too),
		CASE(a_restricted_stray_is_evicted_from_who_may_not_see_it),
		CASE(a_stray_in_scope_comes_whole),
		CASE(strays_are_answered_when_digests_are_not),
	};

	return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
