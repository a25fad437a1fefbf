#include "tests/unit/test.h"

#include <string.h>

#include "daemon/bundle.h"
#include "daemon/registry.h"
#include "daemon/session.h"
#include "tests/support/ground.h"

static struct ground g;
static uint64_t files; /* so many were written */

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	files = 0;
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

/* The return file for one request of `d`, carried to the office as file `number`. */
static struct bundle_return carry_as(struct ground_device *d, uint64_t number,
				     const struct msg_sync *request)
{
	AUTO(buf_clear) struct buf message = {0};
	AUTO(buf_clear) struct buf file = {0};
	AUTO(buf_clear) struct buf back = {0};
	const struct bundle_writer w = {
		.head = {.kind = BUNDLE_TO_OFFICE, .device = d->number, .daemon = g.ctx.daemon},
		.key = &d->key,
		.reader = &g.ctx.key.public_key,
		.rand = &g.rand};
	const struct registry_device row = {.number = d->number, .key = d->key.public_key};
	const struct session_start start = {
		.device = d->number, .transport = BYTES_LIT("file"), .now_ms = g.clock.wall};
	struct bundle b = {0};
	struct bundle_return returned;
	uint64_t session = 0;
	struct registry *registry = registry_new();

	msg_sync_encode(request, &message);
	struct bytes part = buf_bytes(&message);
	const struct bundle_out out = {.number = number, .parts = &part, .part_count = 1};

	assert_ok(bundle_write_out(&w, &out, &file));
	g.ctx.registry = registry;
	atomic_store(&g.ctx.schema, g.schema);
	registry_put(registry, &row);
	assert_int_equal(bundle_open(&g.ctx, &g.a, buf_bytes(&file), &b), BUNDLE_SOUND);
	assert_ok(store_begin(g.store));
	assert_ok(session_begin(g.store, &start, &session));
	assert_ok(bundle_merge(&g.ctx, g.store, &g.a, session, &b));
	assert_ok(store_commit(g.store));
	assert_ok(store_begin(g.store));
	assert_ok(bundle_collect(&g.ctx, g.store, &b, &back));
	store_rollback(g.store);
	registry_free(registry);
	g.ctx.registry = NULL;
	assert_int_equal(bundle_open_return(&g.a, arena_copy(&g.a, buf_bytes(&back)),
					    &g.ctx.key.public_key, &d->key, &returned),
			 BUNDLE_SOUND);
	return returned;
}

/* The answer in the return of the next file. */
static struct msg_synced carry(struct ground_device *d, const struct msg_sync *request)
{
	const struct bundle_return returned = carry_as(d, ++files, request);
	struct msg_synced answer;

	assert_int_equal(returned.part_count, 1);
	assert_ok(msg_synced_decode(&g.a, returned.parts[0], &answer));
	return answer;
}

static struct msg_synced ask(struct ground_device *d, const struct id *id)
{
	struct msg_stray stray = {BYTES_LIT("person"), *id};
	const struct msg_sync request = {.epoch = g.ctx.epoch,
					 .sent_ms = g.clock.wall,
					 .wants_digests = true,
					 .strays = &stray,
					 .stray_count = 1};

	return carry(d, &request);
}

static void a_stray_is_answered_by_file_too(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *far = ground_device(&g, g.far, false);
	struct id unknown = {{1, 2, 3}};
	struct id id;
	struct change c = ground_person(&g, far, g.far, "Nguyễn Văn Thử", &id);
	(void)ground_push(&g, far, &c, 1);

	struct msg_synced nowhere = ask(d, &unknown);
	struct msg_synced elsewhere = ask(d, &id);

	assert_int_equal(nowhere.missing_count, 1);
	assert_int_equal(nowhere.eviction_count, 0);
	assert_int_equal(elsewhere.missing_count, 0);
	assert_int_equal(elsewhere.eviction_count, 1);
	assert_memory_equal(elsewhere.evictions[0].id.bytes, id.bytes, ID_LEN);
}

/* Between writing a file and reading its return the unit moves on. */
static void nothing_is_compared_by_file(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct id unknown = {{1, 2, 3}};

	assert_int_equal(ask(d, &unknown).digest_count, 0);
}

/* The request was sent first, and says that less was sealed then. */
static void a_request_that_a_file_overtook_is_no_rollback(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct store_device row;
	struct ingest_result r = {0};
	struct id id;
	struct change c = ground_person(&g, d, g.north, "Nguyễn Văn Thử", &id);
	struct bytes wire = ground_seal(&g, d, &c, 1);
	(void)carry(d, &(struct msg_sync){.sent_ms = g.clock.wall});
	(void)carry(d, &(struct msg_sync){.sent_ms = g.clock.wall,
					  .sealed = 2,
					  .changesets = &wire,
					  .changeset_count = 1});
	c = ground_person(&g, d, g.north, "Trần Thị Bé", &id);
	wire = ground_seal(&g, d, &c, 1);
	(void)carry(d, &(struct msg_sync){.sent_ms = g.clock.wall,
					  .sealed = 2,
					  .changesets = &wire,
					  .changeset_count = 1});

	const struct ingest_request late = {
		.device = d->number, .sealed = 1, .counter = 2, .now_ms = g.clock.wall};
	const struct session_start start = {.device = d->number,
					    .transport = BYTES_LIT("network"),
					    .counter = late.counter,
					    .now_ms = g.clock.wall};
	uint64_t session = 0;
	assert_ok(store_begin(g.store));
	assert_ok(session_begin(g.store, &start, &session));
	assert_ok(ingest_run(&g.ctx, g.store, &g.a, &late, &r));
	assert_ok(store_commit(g.store));

	assert_int_equal(r.outcome, INGEST_OK);
	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	assert_int_equal(row.id.state, DEVICE_ACTIVE);
	assert_int_equal(row.id.counter, 3);
}

static enum device_state state_of(const struct ground_device *d)
{
	struct store_device row;

	assert_ok(store_load_device(g.store, &g.a, d->number, &row));
	return row.id.state;
}

/* An older copy of the disk was put back, and nothing new was written. */
static void a_disk_that_forgot_is_found_by_a_file_that_none_overtook(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	const struct msg_sync nothing = {.sent_ms = g.clock.wall, .sealed = 1};
	struct msg_sync both = {.sent_ms = g.clock.wall, .sealed = 2, .changeset_count = 2};
	struct bytes wires[2];
	struct id id;

	for (int i = 0; i < 2; i++) {
		struct change c = ground_person(&g, d, g.north, "Nguyễn Văn Thử", &id);

		wires[i] = ground_seal(&g, d, &c, 1);
	}
	both.changesets = wires;
	assert_int_equal(carry_as(d, 4, &both).refusal.len, 0);
	/* Late, or again. */
	assert_int_equal(carry_as(d, 3, &nothing).refusal.len, 0);
	assert_int_equal(carry_as(d, 4, &both).refusal.len, 0);
	assert_int_equal(state_of(d), DEVICE_ACTIVE);

	const struct bundle_return told = carry_as(d, 5, &nothing);
	struct msg_refusal refusal;

	assert_int_equal(state_of(d), DEVICE_FORKED);
	assert_int_equal(told.part_count, 0);
	assert_ok(msg_refusal_decode(&g.a, told.refusal, &refusal));
	assert_true(bytes_is(refusal.code, "forked"));
}

/* A copy of its record was moved out of sight, and its cursor is past that. */
static void what_lands_outside_the_scope_is_evicted_by_file_too(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ground_device *other = ground_device(&g, g.north, false);
	struct msg_cursor held = {g.north, 2, 0};
	struct id id;
	struct change made = ground_person(&g, other, g.north, "Nguyễn Văn Thử", &id);
	(void)ground_push(&g, other, &made, 1);
	struct change out = ground_change(&g, other, "person", &id, 1);
	ground_write(&g, &out, "unit", value_int(g.far));
	(void)ground_push(&g, other, &out, 1);
	struct change again = ground_change(&g, d, "person", &id, 0);
	ground_write(&g, &again, "name", ground_text("Nguyễn Văn Thử"));
	ground_write(&g, &again, "unit", value_int(g.north));
	struct bytes wire = ground_seal(&g, d, &again, 1);

	struct msg_synced m = carry(d, &(struct msg_sync){.epoch = g.ctx.epoch,
							  .sent_ms = g.clock.wall,
							  .cursors = &held,
							  .cursor_count = 1,
							  .changesets = &wire,
							  .changeset_count = 1});

	assert_int_equal(m.eviction_count, 1);
	assert_memory_equal(m.evictions[0].id.bytes, id.bytes, ID_LEN);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_stray_is_answered_by_file_too),
		CASE(nothing_is_compared_by_file),
		CASE(a_request_that_a_file_overtook_is_no_rollback),
		CASE(a_disk_that_forgot_is_found_by_a_file_that_none_overtook),
		CASE(what_lands_outside_the_scope_is_evicted_by_file_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
