#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/crypt.h"
#include "common/base/id.h"
#include "common/base/log.h"

static void buf_grows_and_keeps_what_it_has(UNUSED_STATE)
{
	struct buf b = {0};

	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%03d", i);

	assert_int_equal(b.len, 3000);
	assert_memory_equal(b.data + 2997, "999", 3);
	assert_string_equal(buf_cstr(&b) + 2994, "998999");
	buf_clear(&b);
}

static void arena_gives_aligned_zeroed_memory(UNUSED_STATE)
{
	struct arena a = {0};

	for (size_t len = 0; len < 9000; len += 37) {
		uint8_t *p = arena_alloc(&a, len);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, len);
	}
	arena_clear(&a);
}

static void clock_prints_and_reads_the_same_instant(UNUSED_STATE)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{INT64_C(2147483648000), "2038-01-19T03:14:08.000Z"},
		{INT64_C(4294967296000), "2106-02-07T06:28:16.000Z"},
		{INT64_C(1709164800000), "2024-02-29T00:00:00.000Z"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[CLOCK_ISO_LEN];
		int64_t ms;

		clock_print_iso(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
		assert_ok(clock_parse_iso(text, strlen(text), &ms));
		assert_int_equal(ms, cases[i].ms);
	}
}

static void clock_reads_zones_and_refuses_impossible_dates(UNUSED_STATE)
{
	int64_t ms;
	int64_t utc;

	assert_ok(clock_parse_iso("2026-11-22T07:00:00+07:00", 25, &ms));
	assert_ok(clock_parse_iso("2026-11-22", 10, &utc));
	assert_int_equal(ms, utc);
	assert_err(clock_parse_iso("2023-02-29", 10, &ms), ERR_INVAL);
	assert_err(clock_parse_iso("2026-13-01", 10, &ms), ERR_INVAL);
	assert_err(clock_parse_iso("2026-11-22T24:00", 16, &ms), ERR_INVAL);
	assert_err(clock_parse_iso("2026-11-22x", 11, &ms), ERR_INVAL);
	assert_err(clock_parse_iso("", 0, &ms), ERR_INVAL);
}

static void id_is_uuid_version_7_and_survives_text(UNUSED_STATE)
{
	struct clock_fake clock;
	struct rand rand;
	char hex[ID_HEX_LEN];
	struct id back;

	clock_fake_init(&clock, INT64_C(1700000000000));
	rand_seeded_init(&rand, 1);
	struct id id = id_new(&clock.clock, &rand);

	id_print(&id, hex);
	assert_memory_equal(hex, "018bcfe56800", 12);
	assert_int_equal(hex[12], '7');
	assert_ok(id_parse(bytes_str(hex), &back));
	assert_int_equal(id_compare(&id, &back), 0);
	assert_ok(id_parse(bytes_str("018BCFE5-6800-7000-8000-000000000000"), &back));
	assert_err(id_parse(bytes_str("018bcfe5"), &back), ERR_INVAL);
	assert_err(id_parse(bytes_str("018bcfe56800700080000000000000zz"), &back), ERR_INVAL);
}

static void hash_is_blake2b_256(UNUSED_STATE)
{
	char hex[2 * HASH_LEN + 1];
	struct hash h = hash_of(BYTES_LIT("abc"));
	struct hash two = hash_of_two(BYTES_LIT("a"), BYTES_LIT("bc"));

	hex_print(h.bytes, HASH_LEN, hex);
	assert_string_equal(hex,
			    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
	assert_memory_equal(h.bytes, two.bytes, HASH_LEN);
}

static void signature_holds_for_its_context_key_and_bytes_only(UNUSED_STATE)
{
	struct sign_pair pair;
	struct sign_pair other;
	struct rand rand;

	rand_seeded_init(&rand, 7);
	sign_pair_new(&rand, &pair);
	sign_pair_new(&rand, &other);
	struct signature sig = sign_make(&pair, "test-v1", BYTES_LIT("body"));

	assert_true(sign_is_valid(&pair.public_key, "test-v1", BYTES_LIT("body"), &sig));
	assert_false(sign_is_valid(&pair.public_key, "test-v2", BYTES_LIT("body"), &sig));
	assert_false(sign_is_valid(&pair.public_key, "test-v1", BYTES_LIT("bodz"), &sig));
	assert_false(sign_is_valid(&other.public_key, "test-v1", BYTES_LIT("body"), &sig));
	sig.bytes[5] ^= 1;
	assert_false(sign_is_valid(&pair.public_key, "test-v1", BYTES_LIT("body"), &sig));
}

static void seal_opens_with_its_key_and_aad_only(UNUSED_STATE)
{
	uint8_t key[SEAL_KEY_LEN] = {1};
	uint8_t sealed[4 + SEAL_OVERHEAD];
	uint8_t plain[4];

	seal_make(key, rand_system(), BYTES_LIT("text"), BYTES_LIT("aad"), sealed);

	assert_ok(seal_open(key, bytes_of(sealed, sizeof sealed), BYTES_LIT("aad"), plain));
	assert_memory_equal(plain, "text", 4);
	assert_err(seal_open(key, bytes_of(sealed, sizeof sealed), BYTES_LIT("aae"), plain),
		   ERR_AUTH);
	assert_err(seal_open(key, bytes_of(sealed, 10), BYTES_LIT("aad"), plain), ERR_AUTH);
	key[0] = 2;
	assert_err(seal_open(key, bytes_of(sealed, sizeof sealed), BYTES_LIT("aad"), plain),
		   ERR_AUTH);
}

static char logged[256];

static void keep_line(enum log_level level, const char *tag, const char *text)
{
	snprintf(logged, sizeof logged, "%d %s %s", (int)level, tag, text);
}

static void log_filter_opens_one_tag(UNUSED_STATE)
{
	log_set_sink(keep_line);
	log_set_filter("warn,store=debug");

	log_write(LOG_DEBUG, "store", "a=%d", 1);
	assert_string_equal(logged, "7 store a=1");
	log_write(LOG_INFO, "http", "b=1");
	assert_string_equal(logged, "7 store a=1");

	log_set_filter("notice");
	log_set_sink(NULL);
}

static void err_raise_returns_its_code_and_keeps_the_text(UNUSED_STATE)
{
	assert_err(err_raise(ERR_TOOBIG, "body of %d", 9), ERR_TOOBIG);
	assert_string_equal(log_last_detail(), "body of 9");
	assert_int_equal(err_class(ERR_TOOBIG), ERR_CLASS_REJECT);
	assert_string_equal(err_name((enum err)12345), "CORRUPT");
}

static void rand_below_is_bounded_and_repeats_by_seed(UNUSED_STATE)
{
	struct rand a;
	struct rand b;

	rand_seeded_init(&a, 42);
	rand_seeded_init(&b, 42);
	for (int i = 0; i < 1000; i++) {
		uint64_t x = rand_below(&a, 7);

		assert_true(x < 7);
		assert_int_equal(x, rand_below(&b, 7));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_grows_and_keeps_what_it_has),
		cmocka_unit_test(arena_gives_aligned_zeroed_memory),
		cmocka_unit_test(clock_prints_and_reads_the_same_instant),
		cmocka_unit_test(clock_reads_zones_and_refuses_impossible_dates),
		cmocka_unit_test(id_is_uuid_version_7_and_survives_text),
		cmocka_unit_test(hash_is_blake2b_256),
		cmocka_unit_test(signature_holds_for_its_context_key_and_bytes_only),
		cmocka_unit_test(seal_opens_with_its_key_and_aad_only),
		cmocka_unit_test(log_filter_opens_one_tag),
		cmocka_unit_test(err_raise_returns_its_code_and_keeps_the_text),
		cmocka_unit_test(rand_below_is_bounded_and_repeats_by_seed),
	};

	if (crypt_init() != ERR_OK)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
