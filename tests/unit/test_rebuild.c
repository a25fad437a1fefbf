/* The store as it stood at an earlier log number. */
#include "tests/unit/test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/erase.h"
#include "daemon/rebuild.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

#define LOGS 6u

static struct ground g;
static struct ground_device *d;
static struct ground_device *e;
static struct id person;
static struct id other;

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	d = ground_device(&g, g.north, false);
	e = ground_device(&g, g.north, false);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

/* Every record with stamps and log numbers, in whatever order the rows are. */
static struct hash digest_of(struct store *s)
{
	struct hash sum = {0};
	bool is_event;

	for (size_t t = 0; t < store_type_count(s); t++) {
		const struct store_range all = {.limit = 1000};
		struct store_row *rows = NULL;
		size_t count = 0;

		assert_ok(
			store_load_rows(s, &g.a, store_type(s, t, &is_event), &all, &rows, &count));
		for (size_t i = 0; i < count; i++) {
			AUTO(buf_clear) struct buf text = {0};
			struct hash one;

			record_canonical(&rows[i].state.record, &text);
			buf_append(&text, &rows[i].state.log, sizeof rows[i].state.log);
			one = hash_of(buf_bytes(&text));
			for (size_t b = 0; b < HASH_LEN; b++)
				sum.bytes[b] ^= one.bytes[b];
		}
	}
	return sum;
}

static struct hash now(void)
{
	return digest_of(g.store);
}

/* New records, an edit, a conflict, a transfer, a refused change, a deletion: one a log number. */
static void live(struct hash then[LOGS + 1])
{
	struct change c = ground_person(&g, d, g.north, "Gốc", &person);

	then[0] = now();
	(void)ground_push(&g, d, &c, 1);
	then[1] = now();
	c = ground_change(&g, e, "person", &person, 0);
	ground_write(&g, &c, "name", ground_text("Khác"));
	(void)ground_push(&g, e, &c, 1);
	then[2] = now();
	c = ground_person(&g, e, g.north, "Người thứ hai", &other);
	(void)ground_push(&g, e, &c, 1);
	then[3] = now();
	c = ground_change(&g, d, "person", &person, 2);
	ground_write(&g, &c, "unit", value_int(g.south));
	(void)ground_push(&g, d, &c, 1);
	then[4] = now();
	c = ground_change(&g, e, "person", &other, 3);
	ground_write(&g, &c, "sex", ground_text("dragon"));
	(void)ground_push(&g, e, &c, 1);
	then[5] = now();
	c = ground_change(&g, e, "person", &other, 3);
	ground_write(&g, &c, "deleted", ground_text("nhập nhầm"));
	(void)ground_push(&g, e, &c, 1);
	then[6] = now();
}

static struct hash rebuilt_until(uint64_t log)
{
	AUTO(rebuild_close) struct rebuild r = {0};
	struct hash hash;

	assert_ok(store_begin(g.store));
	assert_ok(rebuild_open(&g.ctx, g.folder, g.store, &r));
	assert_ok(rebuild_until(&r, g.store, log));
	hash = digest_of(r.store);
	store_rollback(g.store);
	return hash;
}

static size_t count_left(void)
{
	DIR *dir = opendir(g.folder);
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += strncmp(entry->d_name, "rebuild-", 8) == 0;
	(void)closedir(dir);
	return count;
}

static void each_log_number_gives_the_store_as_it_stood(UNUSED_STATE)
{
	struct hash then[LOGS + 1];

	live(then);

	for (uint64_t log = 0; log <= LOGS; log++) {
		struct hash again = rebuilt_until(log);

		assert_memory_equal(&again, &then[log], HASH_LEN);
	}
	/* The control: they are not all alike. Only the refused change changed nothing. */
	for (size_t log = 1; log <= LOGS; log++)
		assert_int_equal(memcmp(&then[log], &then[log - 1], HASH_LEN) == 0, log == 5);
}

static void what_was_erased_since_is_not_in_it(UNUSED_STATE)
{
	struct erase_request request = {.ids = &other,
					.count = 1,
					.at_ms = GROUND_START,
					.who = BYTES_LIT("uid:0"),
					.why = BYTES_LIT("yêu cầu"),
					.basis = BYTES_LIT("luật")};
	struct erase_result result;
	struct hash then[LOGS + 1];
	struct hash again;

	live(then);
	assert_ok(store_begin(g.store));
	assert_ok(erase_run(g.store, &g.a, &request, &result));
	assert_ok(store_commit(g.store));

	/* At 2 there was only the one who stays; at 3 there was the one who was erased. */
	again = rebuilt_until(2);
	assert_memory_equal(&again, &then[2], HASH_LEN);
	again = rebuilt_until(3);
	assert_memory_equal(&again, &then[2], HASH_LEN);
}

static void nothing_is_left_behind(UNUSED_STATE)
{
	struct hash then[LOGS + 1];

	live(then);
	(void)rebuilt_until(LOGS);

	assert_int_equal(count_left(), 0);
}

static void what_a_killed_process_left_is_removed(UNUSED_STATE)
{
	struct rebuild r = {0};

	assert_ok(store_begin(g.store));
	assert_ok(rebuild_open(&g.ctx, g.folder, g.store, &r));
	store_rollback(g.store);
	assert_true(count_left() != 0);
	rebuild_clear(g.folder);

	assert_int_equal(count_left(), 0);
	assert_int_equal(access(g.path, F_OK), 0);
	rebuild_close(&r);
	rebuild_clear("/no/such/folder");
}

static void a_row_that_is_gone_or_damaged_is_said(UNUSED_STATE)
{
	static const char gone[] = "DELETE FROM changeset WHERE log = 4";
	static const char damaged[] = "UPDATE changeset SET body = zeroblob(10) WHERE log = 2";
	AUTO(rebuild_close) struct rebuild r = {0};
	AUTO(rebuild_close) struct rebuild again = {0};
	struct sql *q = NULL;
	struct hash then[LOGS + 1];

	live(then);
	assert_ok(sql_use(g.store, gone, &q));
	assert_ok(sql_run(q));
	sql_done(q);
	assert_ok(store_begin(g.store));
	assert_ok(rebuild_open(&g.ctx, g.folder, g.store, &r));
	assert_err(rebuild_until(&r, g.store, LOGS), ERR_NOTFOUND);
	store_rollback(g.store);

	assert_ok(sql_use(g.store, damaged, &q));
	assert_ok(sql_run(q));
	sql_done(q);
	assert_ok(store_begin(g.store));
	assert_ok(rebuild_open(&g.ctx, g.folder, g.store, &again));
	assert_err(rebuild_until(&again, g.store, 3), ERR_CORRUPT);
	store_rollback(g.store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(each_log_number_gives_the_store_as_it_stood),
		CASE(what_was_erased_since_is_not_in_it),
		CASE(nothing_is_left_behind),
		CASE(what_a_killed_process_left_is_removed),
		CASE(a_row_that_is_gone_or_damaged_is_said),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
