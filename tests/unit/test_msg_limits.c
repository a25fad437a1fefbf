/* Lists and texts of messages pass at their limits, and not beyond. */
#include "common/model/digest.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "tests/unit/msg_samples.h"

/* ---- limits of lists and texts ---- */

/* {2: 1, `key`: [`count` times `item`]} */
static struct bytes list_of(struct fixture *f, uint8_t key, size_t count, struct bytes item)
{
	struct packer p;

	buf_reset(&f->out);
	packer_init(&p, &f->out, PACK_UNBOUNDED);
	packer_map(&p, 2);
	packer_uint(&p, 2);
	packer_uint(&p, 1);
	packer_uint(&p, key);
	packer_array(&p, count);
	for (size_t i = 0; i < count; i++)
		packer_packed(&p, item);
	packer_done(&p);
	return buf_bytes(&f->out);
}

static void cursors_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes cursor = BYTES_LIT("\x81\x01\x01");

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 10, LIMIT_CURSORS, cursor), &got));
	assert_int_equal(got.cursor_count, LIMIT_CURSORS);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 10, LIMIT_CURSORS + 1, cursor), &got),
		   ERR_TOOBIG);
}

static void changesets_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes set = BYTES_LIT("\xc4\x01x");

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 11, LIMIT_CHANGESETS, set), &got));
	assert_err(msg_sync_decode(&f->arena, list_of(f, 11, LIMIT_CHANGESETS + 1, set), &got),
		   ERR_TOOBIG);
}

static struct bytes letters(struct fixture *f, size_t len)
{
	char *text = arena_alloc(&f->arena, len);

	memset(text, 'a', len);
	return bytes_of(text, len);
}

static struct bytes packed_bin(struct fixture *f, size_t len)
{
	AUTO(buf_clear) struct buf out = {0};
	struct packer p;

	packer_init(&p, &out, PACK_UNBOUNDED);
	packer_bin(&p, letters(f, len));
	packer_done(&p);
	return arena_copy(&f->arena, buf_bytes(&out));
}

static void one_changeset_passes_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes at = packed_bin(f, LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES);
	struct bytes beyond = packed_bin(f, LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES + 1);

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 11, 1, at), &got));
	assert_err(msg_sync_decode(&f->arena, list_of(f, 11, 1, beyond), &got), ERR_TOOBIG);
}

/* {2: 1, `key`: text of `len`} */
static struct bytes text_of(struct fixture *f, uint8_t key, size_t len)
{
	struct packer p;

	buf_reset(&f->out);
	packer_init(&p, &f->out, PACK_UNBOUNDED);
	packer_map(&p, 2);
	packer_uint(&p, 2);
	packer_uint(&p, 1);
	packer_uint(&p, key);
	packer_text(&p, letters(f, len));
	packer_done(&p);
	return buf_bytes(&f->out);
}

/* {1: 7, 2: bin of `len`} */
static struct bytes buckets_of(struct fixture *f, size_t len)
{
	AUTO(buf_clear) struct buf out = {0};
	struct packer p;

	packer_init(&p, &out, PACK_UNBOUNDED);
	packer_map(&p, 2);
	packer_uint(&p, 1);
	packer_uint(&p, 7);
	packer_uint(&p, 2);
	packer_bin(&p, letters(f, len));
	packer_done(&p);
	return arena_copy(&f->arena, buf_bytes(&out));
}

static void buckets_of_units_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes whole = buckets_of(f, DIGEST_WIRE_LEN);
	struct bytes less = buckets_of(f, DIGEST_WIRE_LEN - 1);
	struct bytes more = buckets_of(f, DIGEST_WIRE_LEN + 1);

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 13, LIMIT_DIGEST_UNITS, whole), &got));
	assert_err(msg_sync_decode(&f->arena, list_of(f, 13, LIMIT_DIGEST_UNITS + 1, whole), &got),
		   ERR_TOOBIG);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 13, 1, less), &got), ERR_PROTO);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 13, 1, more), &got), ERR_TOOBIG);
}

static void strays_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes stray = BYTES_LIT("\x82\x01\xa1p\x02\xc4\x10"
				       "0123456789abcdef");

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 14, LIMIT_STRAYS, stray), &got));
	assert_int_equal(got.stray_count, LIMIT_STRAYS);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 14, LIMIT_STRAYS + 1, stray), &got),
		   ERR_TOOBIG);
}

static void missing_records_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_synced want = {.now_ms = NOW_MS, .missing_count = LIMIT_STRAYS};
	struct msg_synced got;

	want.missing = arena_alloc_array(&f->arena, LIMIT_STRAYS, sizeof *want.missing);
	for (size_t i = 0; i < LIMIT_STRAYS; i++)
		want.missing[i] = (struct msg_stray){.type = BYTES_LIT("person")};
	msg_synced_encode(&want, &f->out);
	assert_ok(msg_synced_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.missing_count, LIMIT_STRAYS);
	/* One more: the list's head is array 16 with its length in two bytes. */
	uint8_t *head = memmem(f->out.data, f->out.len, "\x11\xdc\x03\xe8", 4);

	assert_non_null(head);
	head[3]++;
	buf_append_str(&f->out, "\x82\x01\xa1p\x02\xc4\x10"
				"0123456789abcdef");
	assert_err(msg_synced_decode(&f->arena, buf_bytes(&f->out), &got), ERR_TOOBIG);
}

static void buckets_in_an_answer_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_synced got;
	struct bytes last = BYTES_LIT("\x83\x01\x07\x02\x09\x03\xcc\xff");
	struct bytes beyond = BYTES_LIT("\x83\x01\x07\x02\x09\x03\xcd\x01\x00");
	struct bytes head = BYTES_LIT("\x83\x01\xc4\x10"
				      "0123456789abcdef");

	for (size_t i = 0; i < 3; i++) {
		const size_t count = LIMIT_DIGEST_BUCKETS + (i == 1);
		const struct bytes item = i == 2 ? beyond : last;
		/* list_of() writes a map of two: its first byte goes, an epoch comes before it. */
		struct bytes rest = list_of(f, 16, i == 2 ? 1 : count, item);
		struct buf all = {0};

		buf_append_bytes(&all, head);
		buf_append(&all, rest.data + 1, rest.len - 1);
		assert_err(msg_synced_decode(&f->arena, buf_bytes(&all), &got),
			   i == 0   ? ERR_OK
			   : i == 1 ? ERR_TOOBIG
				    : ERR_PROTO);
		buf_clear(&all);
	}
}

static void texts_pass_at_their_limits_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;

	assert_ok(msg_sync_decode(&f->arena, text_of(f, 3, LIMIT_VERSION_BYTES), &got));
	assert_err(msg_sync_decode(&f->arena, text_of(f, 3, LIMIT_VERSION_BYTES + 1), &got),
		   ERR_TOOBIG);
	assert_ok(msg_sync_decode(&f->arena, text_of(f, 4, LIMIT_AUTHOR_BYTES), &got));
	assert_err(msg_sync_decode(&f->arena, text_of(f, 4, LIMIT_AUTHOR_BYTES + 1), &got),
		   ERR_TOOBIG);
}

static void what_the_largest_lists_hold_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct msg_synced want = sample_synced(f);
	struct msg_synced got;

	want.notice_count = LIMIT_NOTICES;
	want.notices = arena_alloc_array(&f->arena, LIMIT_NOTICES, sizeof *want.notices);
	for (size_t i = 0; i < LIMIT_NOTICES; i++)
		want.notices[i] = sample_notices[0];
	want.eviction_count = LIMIT_EVICTIONS;
	want.evictions = arena_alloc_array(&f->arena, LIMIT_EVICTIONS, sizeof *want.evictions);
	for (size_t i = 0; i < LIMIT_EVICTIONS; i++)
		want.evictions[i] = sample_evictions[0];
	msg_synced_encode(&want, &f->out);
	assert_ok(msg_synced_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.notice_count, LIMIT_NOTICES);
	assert_int_equal(got.eviction_count, LIMIT_EVICTIONS);
}

static void all_units_of_the_country_fit_one_message(void **state)
{
	struct fixture *f = *state;
	struct msg_unit *units = arena_alloc_array(&f->arena, LIMIT_UNITS, sizeof *units);
	struct msg_unit *got;
	uint64_t version;
	size_t count;

	for (size_t i = 0; i < LIMIT_UNITS; i++)
		units[i] = sample_unit_list[1];
	msg_units_encode(units, LIMIT_UNITS, 1, &f->out);
	assert_ok(msg_units_decode(&f->arena, buf_bytes(&f->out), &got, &count, &version));
	assert_int_equal(count, LIMIT_UNITS);
}

static void text_for_people_is_cut_between_two_characters(void **state)
{
	struct fixture *f = *state;
	struct msg_refusal want = {.code = BYTES_LIT("x")};
	struct msg_refusal got;
	AUTO(buf_clear) struct buf text = {0};

	buf_append_str(&text, "a");
	while (text.len <= LIMIT_TEXT_BYTES)
		buf_append_str(&text, "ế");
	want.text = buf_bytes(&text);
	msg_refusal_encode(&want, &f->out);
	assert_ok(msg_refusal_decode(&f->arena, buf_bytes(&f->out), &got));
	/* 1 + 3 * 333 = 1000 exactly; one byte more to cut would split a letter. */
	assert_int_equal(got.text.len, LIMIT_TEXT_BYTES);
	want.text = bytes_of(text.data + 1, text.len - 1);
	buf_reset(&f->out);
	msg_refusal_encode(&want, &f->out);
	assert_ok(msg_refusal_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.text.len, 999);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(cursors_pass_at_the_limit_and_not_beyond),
		CASE(changesets_pass_at_the_limit_and_not_beyond),
		CASE(one_changeset_passes_at_the_limit_and_not_beyond),
		CASE(buckets_of_units_pass_at_the_limit_and_not_beyond),
		CASE(strays_pass_at_the_limit_and_not_beyond),
		CASE(missing_records_pass_at_the_limit_and_not_beyond),
		CASE(buckets_in_an_answer_pass_at_the_limit_and_not_beyond),
		CASE(texts_pass_at_their_limits_and_not_beyond),
		CASE(what_the_largest_lists_hold_is_read_back),
		CASE(all_units_of_the_country_fit_one_message),
		CASE(text_for_people_is_cut_between_two_characters),
	};

	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("msg_limits", tests, NULL, NULL);
}
