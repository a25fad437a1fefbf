#include "tests/unit/test.h"

#include <string.h>

#include "daemon/erase.h"
#include "daemon/store_erase.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

#define NAME  "Điểu Kanh Xuân Trừng"
#define OTHER "Thị Mré Ở Lại"

static struct ground g;
static struct ground_device *d;
static struct ground_device *e;
static struct id person;
static struct id other;

/* Two people in one set, a conflict, a move, and a refused change of the one to be erased. */
static int setup(UNUSED_STATE)
{
	struct change both[2];
	struct change c;

	ground_open(&g);
	d = ground_device(&g, g.north, false);
	e = ground_device(&g, g.north, false);
	both[0] = ground_person(&g, d, g.north, NAME, &person);
	both[1] = ground_person(&g, d, g.north, OTHER, &other);
	(void)ground_push(&g, d, both, 2);
	c = ground_change(&g, e, "person", &person, 0);
	ground_write(&g, &c, "name", ground_text(NAME " hai"));
	(void)ground_push(&g, e, &c, 1);
	c = ground_change(&g, d, "person", &person, 2);
	ground_write(&g, &c, "sex", ground_text("dragon " NAME));
	(void)ground_push(&g, d, &c, 1);
	c = ground_change(&g, d, "person", &person, 3);
	ground_write(&g, &c, "unit", value_int(g.south));
	(void)ground_push(&g, d, &c, 1);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static enum err erase_as(const struct id *ids, size_t count, const char *why,
			 struct erase_result *ret_result)
{
	const struct erase_request request = {.ids = ids,
					      .count = count,
					      .at_ms = INT64_C(1795315919123),
					      .who = BYTES_LIT("uid:0"),
					      .why = bytes_str(why),
					      .basis = BYTES_LIT("Luật 91/2025/QH15")};
	enum err err;

	assert_ok(store_begin(g.store));
	err = erase_run(g.store, &g.a, &request, ret_result);
	if (err == ERR_OK)
		assert_ok(store_commit(g.store));
	else
		store_rollback(g.store);
	return err;
}

static struct erase_result erase(const struct id *id)
{
	struct erase_result result = {0};

	assert_ok(erase_as(id, 1, "theo yêu cầu", &result));
	return result;
}

static int64_t number_of(const char *sql)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(g.store, sql, &q));
	assert_ok(sql_run_row(q));
	return sql_int(q, 0);
}

/* In any body of the log, as it was before it was packed. */
static bool log_holds(const char *text)
{
	uint64_t last = 0;

	assert_ok(store_last_log(g.store, &last));
	for (uint64_t log = 1; log <= last; log++) {
		struct log_row row;

		assert_ok(store_load_log(g.store, &g.a, log, &row));
		if (memmem(row.body.data, row.body.len, text, strlen(text)) != NULL)
			return true;
	}
	return false;
}

static void what_was_written_of_it_is_gone_and_the_rest_verifies(UNUSED_STATE)
{
	assert_true(log_holds(NAME));
	ground_verify(&g);

	struct erase_result r = erase(&person);

	assert_int_equal(r.records, 1);
	assert_int_equal(r.changesets, 4);
	assert_int_equal(r.changes, 4);
	assert_false(log_holds(NAME));
	assert_true(log_holds(OTHER));
	assert_int_equal(ground_load(&g, "person", &person).count, 0);
	assert_true(ground_load(&g, "person", &other).count > 0);
	assert_int_equal(number_of("SELECT count(*) FROM conflict WHERE state <> 'erased'"), 0);
	assert_int_equal(number_of("SELECT count(*) FROM quarantine WHERE length(change) > 0"), 0);
	assert_int_equal(number_of("SELECT count(*) FROM moved"), 0);
	assert_int_equal(number_of("SELECT count(*) FROM notice WHERE kind <> 'erased'"), 0);
	ground_verify(&g);
}

static void every_unit_it_was_ever_in_hears_of_it(UNUSED_STATE)
{
	struct ground_device *south = ground_device(&g, g.south, false);
	struct ground_device *all[] = {d, south};

	(void)erase(&person);

	for (size_t i = 0; i < 2; i++) {
		struct msg_sync request = {.epoch = g.ctx.epoch};
		struct msg_synced answer = ground_pull(&g, all[i], &request);

		assert_int_equal(answer.eviction_count, 1);
		assert_true(answer.evictions[0].is_erased);
		assert_memory_equal(&answer.evictions[0].id, &person, ID_LEN);
	}
}

/* Its device was released, and the next sent again what the log had: written twice, merged once. */
static void what_a_released_device_brought_again_goes_too(UNUSED_STATE)
{
	static const char took_place[] = "UPDATE device SET former = ?1 WHERE number = ?2";
	struct ground_device copy = *d;
	struct id ids[2];
	struct change again[2] = {ground_person(&g, &copy, g.north, NAME " ba", &ids[0]),
				  ground_person(&g, &copy, g.north, OTHER, &ids[1])};
	struct ground_device *next;
	struct sql *q = NULL;

	(void)ground_push(&g, d, &again[0], 1);
	next = ground_device(&g, g.north, false);
	assert_ok(sql_use(g.store, took_place, &q));
	sql_bind_int(q, 1, d->number);
	sql_bind_int(q, 2, next->number);
	assert_ok(sql_run(q));
	sql_done(q);
	assert_int_equal(ground_push(&g, next, again, 2).applied, 1);

	(void)erase(&ids[0]);
	(void)erase(&person);

	assert_false(log_holds(NAME));
	assert_true(ground_load(&g, "person", &ids[1]).count > 0);
	ground_verify(&g);
}

/* It is in no unit then, so no eviction reaches the device that has it. */
static void who_wrote_what_was_only_refused_hears_of_it(UNUSED_STATE)
{
	const struct store_range all = {.limit = 100};
	struct id refused;
	struct change c = ground_person(&g, e, g.north, NAME " bị từ chối", &refused);
	struct notice_row *rows = NULL;
	size_t before = 0;
	size_t count = 0;

	ground_write(&g, &c, "sex", ground_text("dragon"));
	assert_int_equal(ground_push(&g, e, &c, 1).quarantined, 1);
	assert_ok(store_load_notices(g.store, &g.a, e->number, &all, &rows, &before));

	(void)erase(&refused);
	(void)erase(&refused);

	assert_ok(store_load_notices(g.store, &g.a, e->number, &all, &rows, &count));
	assert_int_equal(count, before + 1);
	assert_true(bytes_is(rows[before].kind, "erased"));
	assert_true(bytes_is(rows[before].type, "person"));
	assert_memory_equal(&rows[before].id, &refused, ID_LEN);
	ground_verify(&g);
}

static void a_later_change_comes_in_as_that_it_came(UNUSED_STATE)
{
	struct change both[2];

	(void)erase(&person);
	both[0] = ground_change(&g, e, "person", &person, 9);
	ground_write(&g, &both[0], "name", ground_text(NAME " ba"));
	both[1] = ground_change(&g, e, "person", &other, 9);
	ground_write(&g, &both[1], "name", ground_text(OTHER " vẫn"));

	struct ingest_result r = ground_push(&g, e, both, 2);

	assert_int_equal(r.applied, 1);
	assert_int_equal(r.quarantined, 1);
	assert_true(bytes_is(r.results[0].code, "erased"));
	assert_false(log_holds(NAME));
	assert_true(log_holds(OTHER " vẫn"));
	assert_int_equal(ground_load(&g, "person", &person).count, 0);
	assert_int_equal(number_of("SELECT count(*) FROM quarantine WHERE length(change) > 0"), 0);
	ground_verify(&g);
}

/* The answer was lost: the same bytes again are known by their chain head. */
static void the_bytes_as_they_were_are_still_known(UNUSED_STATE)
{
	struct change c = ground_change(&g, d, "person", &person, 9);
	struct ingest_result r;
	struct bytes wire;

	ground_write(&g, &c, "name", ground_text(NAME " bốn"));
	wire = ground_seal(&g, d, &c, 1);
	assert_ok(ground_push_wire(&g, d, &wire, 1, &r));
	(void)erase(&person);

	struct hash before = ground_everything(&g);

	assert_ok(ground_push_wire(&g, d, &wire, 1, &r));
	assert_int_equal(r.outcome, INGEST_OK);
	assert_int_equal(r.changeset_count, 0);

	struct hash after = ground_everything(&g);

	assert_memory_equal(&before, &after, HASH_LEN);
}

static void a_reason_that_repeats_what_it_said_is_refused(UNUSED_STATE)
{
	struct erase_result r;
	struct hash before = ground_everything(&g);

	assert_err(erase_as(&person, 1, "vì " NAME " yêu cầu", &r), ERR_CONFLICT);

	struct hash after = ground_everything(&g);

	assert_memory_equal(&before, &after, HASH_LEN);
}

static void its_events_go_with_it_when_asked(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf ids = {0};
	struct id visit = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, d, "visit", &visit, 4);
	struct erase_result r = {0};

	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(bytes_of(person.bytes, ID_LEN)));
	ground_write(&g, &c, "day", ground_text("2026-01-02"));
	(void)ground_push(&g, d, &c, 1);
	buf_append(&ids, &person, sizeof person);
	assert_ok(erase_collect(g.store, &g.a, &ids));
	assert_int_equal(ids.len, 2 * sizeof person);
	assert_ok(erase_as((const void *)ids.data, 2, "theo yêu cầu", &r));

	assert_int_equal(r.records, 2);
	assert_int_equal(number_of("SELECT count(*) FROM visit"), 0);
	ground_verify(&g);
}

static void an_audit_detail_that_names_it_goes_and_the_chain_stays(UNUSED_STATE)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_put_audit(g.store, 1, BYTES_LIT("uid:0"), BYTES_LIT("query"),
				  BYTES_LIT("{\"sql\":\"SELECT '" NAME "'\"}")));
	assert_ok(store_put_audit(g.store, 2, BYTES_LIT("uid:0"), BYTES_LIT("query"),
				  BYTES_LIT("{\"sql\":\"SELECT 1\"}")));
	assert_ok(store_commit(g.store));

	assert_int_equal(erase(&person).audits, 1);
	assert_int_equal(number_of("SELECT count(*) FROM audit WHERE detail IS NULL"), 1);
	ground_verify(&g);
}

static void an_erasure_comes_back_as_it_was_and_cut_short_it_is_damaged(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};
	int64_t units[] = {7, -1};
	struct erasure_record record = {
		.type = BYTES_LIT("person"), .id = person, .units = units, .unit_count = 2};
	const struct erasure x = {.at_ms = 5,
				  .who = BYTES_LIT("uid:0"),
				  .why = BYTES_LIT("vì"),
				  .basis = BYTES_LIT("luật"),
				  .records = &record,
				  .count = 1};
	struct erasure got;

	erasure_encode(&x, &out);
	assert_ok(erasure_decode(&g.a, buf_bytes(&out), &got));
	assert_int_equal(got.at_ms, 5);
	assert_true(bytes_is(got.why, "vì") && bytes_is(got.basis, "luật"));
	assert_int_equal(got.records[0].units[1], -1);
	for (size_t len = 0; len < out.len; len++)
		assert_err(erasure_decode(&g.a, bytes_of(out.data, len), &got), ERR_CORRUPT);
}

static void a_sweep_is_owed_until_it_is_done(UNUSED_STATE)
{
	bool owes = true;

	assert_ok(store_owes_sweep(g.store, &owes));
	assert_false(owes);
	(void)erase(&person);
	assert_ok(store_owes_sweep(g.store, &owes));
	assert_true(owes);
	ground_reopen(&g);
	assert_ok(store_owes_sweep(g.store, &owes));
	assert_true(owes);

	assert_ok(store_sweep(g.store, g.folder));

	assert_ok(store_owes_sweep(g.store, &owes));
	assert_false(owes);
	ground_verify(&g);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_written_of_it_is_gone_and_the_rest_verifies),
		T(every_unit_it_was_ever_in_hears_of_it),
		T(what_a_released_device_brought_again_goes_too),
		T(who_wrote_what_was_only_refused_hears_of_it),
		T(a_later_change_comes_in_as_that_it_came),
		T(the_bytes_as_they_were_are_still_known),
		T(a_reason_that_repeats_what_it_said_is_refused),
		T(its_events_go_with_it_when_asked),
		T(an_audit_detail_that_names_it_goes_and_the_chain_stays),
		T(an_erasure_comes_back_as_it_was_and_cut_short_it_is_damaged),
		T(a_sweep_is_owed_until_it_is_done),
	};

	assert_ok(crypt_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
