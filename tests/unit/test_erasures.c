#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/erasure.h"
#include "daemon/erasures.h"
#include "daemon/keys.h"
#include "daemon/store_erase.h"
#include "tests/support/ground.h"

static struct ground g;
static struct ground_device *d;
static struct id person;
static struct id other;

static int setup(UNUSED_STATE)
{
	struct change both[2];

	ground_open(&g);
	d = ground_device(&g, g.north, false);
	both[0] = ground_person(&g, d, g.north, "Điểu Kanh", &person);
	both[1] = ground_person(&g, d, g.north, "Thị Mré", &other);
	(void)ground_push(&g, d, both, 2);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static const char *path_of(const char *name)
{
	return (const char *)arena_printf(&g.a, "%s/%s%c", g.folder, name, '\0').data;
}

static void add_erasure(struct buf *entries, const struct id *id)
{
	AUTO(buf_clear) struct buf body = {0};
	int64_t units[] = {g.north};
	struct erasure_record record = {
		.type = BYTES_LIT("person"), .id = *id, .units = units, .unit_count = 1};
	const struct erasure x = {.at_ms = INT64_C(1795315919123),
				  .who = BYTES_LIT("uid:0"),
				  .why = BYTES_LIT("theo yêu cầu"),
				  .basis = BYTES_LIT("Luật 91/2025/QH15"),
				  .records = &record,
				  .count = 1};

	erasure_encode(&x, &body);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_append_byte(entries, (uint8_t)(body.len >> shift));
	buf_append_bytes(entries, buf_bytes(&body));
}

/* As the header of erasures.h lays it out, by other code. */
static struct bytes list_of(struct bytes entries, const struct id *daemon,
			    const struct sign_pair *key)
{
	AUTO(buf_clear) struct buf out = {0};
	struct signature signature;

	buf_append_str(&out, "CTXHERA1");
	buf_append(&out, daemon->bytes, ID_LEN);
	buf_append_bytes(&out, entries);
	signature = sign_make(key, ERASURES_CONTEXT, buf_bytes(&out));
	buf_append(&out, signature.bytes, SIGN_LEN);
	return arena_copy(&g.a, buf_bytes(&out));
}

static void put(struct bytes list)
{
	assert_ok(keys_write_file(g.folder, "list", list));
}

/* In a transaction of its own, which is undone when it fails. */
static enum err apply(uint64_t *ret_records)
{
	enum err e;

	assert_ok(store_begin(g.store));
	e = erasures_apply(g.store, path_of("list"), &g.ctx.daemon, &g.ctx.key.public_key,
			   ret_records);
	if (e == ERR_OK)
		assert_ok(store_commit(g.store));
	else
		store_rollback(g.store);
	return e;
}

static bool is_there(const struct id *id)
{
	return ground_load(&g, "person", id).count != 0;
}

static void what_a_list_names_is_erased_once(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf entries = {0};
	uint64_t records = 99;

	add_erasure(&entries, &person);
	put(list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key));

	assert_ok(apply(&records));
	assert_int_equal(records, 1);
	assert_false(is_there(&person));
	assert_true(is_there(&other));
	ground_verify(&g);

	struct hash before = ground_everything(&g);

	assert_ok(apply(&records));
	assert_int_equal(records, 0);

	struct hash after = ground_everything(&g);

	assert_memory_equal(&before, &after, HASH_LEN);
}

static void a_list_of_nothing_erases_nothing(UNUSED_STATE)
{
	uint64_t records = 99;

	put(list_of(BYTES_NONE, &g.ctx.daemon, &g.ctx.key));

	assert_ok(apply(&records));
	assert_int_equal(records, 0);
	assert_true(is_there(&person));
}

static void a_list_that_is_not_there_is_told(UNUSED_STATE)
{
	uint64_t records;

	assert_err(apply(&records), ERR_NOTFOUND);
	assert_int_equal(mkdir(path_of("list"), 0700), 0);
	assert_err(apply(&records), ERR_INVAL);
	assert_int_equal(rmdir(path_of("list")), 0);
}

static void any_changed_byte_and_any_cut_is_refused(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf entries = {0};
	struct bytes good;
	uint64_t records;

	add_erasure(&entries, &person);
	good = list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key);
	for (size_t i = 0; i < good.len; i++) {
		AUTO(buf_clear) struct buf bad = {0};

		buf_append_bytes(&bad, good);
		bad.data[i] ^= 0x40;
		put(buf_bytes(&bad));
		assert_err(apply(&records), ERR_AUTH);
		put(bytes_of(good.data, i));
		assert_err(apply(&records), ERR_AUTH);
	}
	assert_true(is_there(&person));
	put(good);
	assert_ok(apply(&records));
	assert_false(is_there(&person));
}

static void another_daemons_list_and_another_key_are_refused(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf entries = {0};
	struct id foreign = id_new(&g.clock.clock, &g.rand);
	const uint8_t seed[32] = {7};
	struct sign_pair key;
	uint64_t records;

	sign_pair_from_seed(seed, &key);
	add_erasure(&entries, &person);
	put(list_of(buf_bytes(&entries), &foreign, &g.ctx.key));
	assert_err(apply(&records), ERR_AUTH);
	put(list_of(buf_bytes(&entries), &g.ctx.daemon, &key));
	assert_err(apply(&records), ERR_AUTH);
	assert_true(is_there(&person));
}

/* Only a bug of ours could sign such a one; what it names in front of it must not go half. */
static void a_signed_list_that_ends_inside_an_entry_is_refused_whole(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf entries = {0};
	static const uint8_t tails[][6] = {
		{0}, {0, 0}, {0, 0, 0, 3, 1, 2}, {0xff, 0xff, 0xff, 0xff}};
	static const size_t lens[] = {1, 2, 6, 4};
	uint64_t records;

	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		buf_reset(&entries);
		add_erasure(&entries, &person);
		buf_append(&entries, tails[i], lens[i]);
		put(list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key));
		assert_err(apply(&records), ERR_AUTH);
	}
	assert_true(is_there(&person));

	/* Whole, but no erasure. */
	buf_reset(&entries);
	add_erasure(&entries, &person);
	buf_append(&entries, "\0\0\0\3abc", 7);
	put(list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key));
	assert_err(apply(&records), ERR_CORRUPT);
	assert_true(is_there(&person));
}

static struct bytes written(void)
{
	AUTO(buf_clear) struct buf file = {0};
	FILE *f = fopen(path_of(ERASURES_FILE), "re");
	size_t got = 1;

	assert_non_null(f);
	while (got != 0) {
		got = fread(buf_reserve(&file, 4096), 1, 4096, f);
		file.len += got;
	}
	assert_int_equal(fclose(f), 0);
	return arena_copy(&g.a, buf_bytes(&file));
}

static void stays(struct bytes list)
{
	assert_ok(keys_write_file(g.folder, ERASURES_FILE, list));

	assert_err(erasures_write(g.store, g.folder, &g.ctx.daemon, &g.ctx.key), ERR_AUTH);

	assert_int_equal(written().len, list.len);
	assert_memory_equal(written().data, list.data, list.len);
}

static void what_was_erased_is_written_and_what_a_former_life_erased_stays(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf one = {0};
	AUTO(buf_clear) struct buf both = {0};
	struct bytes list;
	uint64_t records;

	/* Nothing to tell, nothing written. */
	assert_ok(erasures_write(g.store, g.folder, &g.ctx.daemon, &g.ctx.key));
	assert_int_not_equal(access(path_of(ERASURES_FILE), F_OK), 0);

	/* The list knows of two, this store of one. */
	add_erasure(&both, &other);
	add_erasure(&both, &person);
	list = list_of(buf_bytes(&both), &g.ctx.daemon, &g.ctx.key);
	assert_ok(keys_write_file(g.folder, ERASURES_FILE, list));
	add_erasure(&one, &person);
	put(list_of(buf_bytes(&one), &g.ctx.daemon, &g.ctx.key));
	assert_ok(apply(&records));

	assert_ok(erasures_write(g.store, g.folder, &g.ctx.daemon, &g.ctx.key));

	/* Our own first, then what was there before and is not done here. */
	buf_reset(&both);
	add_erasure(&both, &person);
	add_erasure(&both, &other);
	list = list_of(buf_bytes(&both), &g.ctx.daemon, &g.ctx.key);
	assert_int_equal(written().len, list.len);
	assert_memory_equal(written().data, list.data, list.len);
}

/* What it names may be known nowhere else: whoever restored without it needs it once more. */
static void a_list_that_cannot_be_taken_over_stays_as_it_is(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf entries = {0};
	AUTO(buf_clear) struct buf list = {0};
	struct id foreign = id_new(&g.clock.clock, &g.rand);
	uint64_t records;

	add_erasure(&entries, &person);
	put(list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key));
	assert_ok(apply(&records));
	buf_reset(&entries);
	add_erasure(&entries, &other);

	/* Altered, cut short, another daemon's, something else. */
	buf_append_bytes(&list, list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key));
	list.data[list.len / 2] ^= 1;
	stays(buf_bytes(&list));
	list.data[list.len / 2] ^= 1;
	stays(bytes_of(list.data, list.len - 1));
	stays(list_of(buf_bytes(&entries), &foreign, &g.ctx.key));
	stays(BYTES_LIT("something else"));

	/* As it should be it is taken over; and one that is gone is made anew. */
	assert_ok(keys_write_file(g.folder, ERASURES_FILE, buf_bytes(&list)));
	assert_ok(erasures_write(g.store, g.folder, &g.ctx.daemon, &g.ctx.key));
	assert_int_equal(unlink(path_of(ERASURES_FILE)), 0);
	assert_ok(erasures_write(g.store, g.folder, &g.ctx.daemon, &g.ctx.key));
	assert_ok(keys_write_file(g.folder, "list", written()));
	assert_ok(apply(&records));
	assert_int_equal(records, 0);
}

static void a_list_that_cannot_be_read_is_not_replaced(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf entries = {0};
	uint64_t records;

	add_erasure(&entries, &person);
	put(list_of(buf_bytes(&entries), &g.ctx.daemon, &g.ctx.key));
	assert_ok(apply(&records));
	assert_int_equal(mkdir(path_of(ERASURES_FILE), 0700), 0);

	assert_err(erasures_write(g.store, g.folder, &g.ctx.daemon, &g.ctx.key), ERR_INVAL);

	assert_int_equal(rmdir(path_of(ERASURES_FILE)), 0);
	assert_err(erasures_write(g.store, path_of("away"), &g.ctx.daemon, &g.ctx.key), ERR_FULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_a_list_names_is_erased_once),
		T(a_list_of_nothing_erases_nothing),
		T(a_list_that_is_not_there_is_told),
		T(any_changed_byte_and_any_cut_is_refused),
		T(another_daemons_list_and_another_key_are_refused),
		T(a_signed_list_that_ends_inside_an_entry_is_refused_whole),
		T(what_was_erased_is_written_and_what_a_former_life_erased_stays),
		T(a_list_that_cannot_be_taken_over_stays_as_it_is),
		T(a_list_that_cannot_be_read_is_not_replaced),
	};

	assert_ok(crypt_init());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
