#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/crypt.h"

/* A box of three pieces, the last one short. */
#define PIECES   3u
#define LAST_LEN 1000u
#define SEALED   (BOX_PIECE_LEN + BOX_PIECE_OVERHEAD)

static struct {
	struct rand rand;
	struct box_pair pair;
	uint8_t header[BOX_HEADER_LEN];
	uint8_t key[BOX_KEY_LEN];
	uint8_t plain[PIECES][BOX_PIECE_LEN];
	uint8_t sealed[PIECES][SEALED];
} f;

static size_t len_of(size_t piece)
{
	return piece == PIECES - 1 ? LAST_LEN : BOX_PIECE_LEN;
}

static int setup(UNUSED_STATE)
{
	struct box b;

	assert_ok(crypt_init());
	rand_seeded_init(&f.rand, 11);
	box_pair_new(&f.rand, &f.pair);
	rand_fill(&f.rand, f.plain, sizeof f.plain);
	assert_ok(box_seal_start(&f.rand, &f.pair.public_key, &b, f.header, f.key));
	for (size_t i = 0; i < PIECES; i++)
		box_seal(&b, bytes_of(f.plain[i], len_of(i)), i == PIECES - 1, f.sealed[i]);
	return 0;
}

/* Opens one piece of the box where another is due. */
static enum err open_piece(struct box *b, size_t piece, uint8_t *plain, bool *is_last)
{
	return box_open(b, bytes_of(f.sealed[piece], len_of(piece) + BOX_PIECE_OVERHEAD), plain,
			is_last);
}

static struct box opened(void)
{
	struct box b;
	uint8_t key[BOX_KEY_LEN];

	assert_ok(box_find_key(f.header, &f.pair, key));
	assert_ok(box_open_start(f.header, key, &b));
	return b;
}

static void what_was_sealed_comes_back(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box b = opened();

	for (size_t i = 0; i < PIECES; i++) {
		bool is_last = true;

		assert_ok(open_piece(&b, i, plain, &is_last));
		assert_memory_equal(plain, f.plain[i], len_of(i));
		assert_int_equal(is_last, i == PIECES - 1);
	}
}

static void the_sealer_can_read_back_with_the_streams_key(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box b;
	bool is_last;

	assert_ok(box_open_start(f.header, f.key, &b));
	assert_ok(open_piece(&b, 0, plain, &is_last));
	assert_memory_equal(plain, f.plain[0], BOX_PIECE_LEN);
}

static void another_key_opens_nothing(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box_pair other;
	uint8_t key[BOX_KEY_LEN];
	struct box b;
	bool is_last;

	box_pair_new(&f.rand, &other);
	assert_err(box_find_key(f.header, &other, key), ERR_AUTH);

	assert_ok(box_open_start(f.header, other.secret, &b));
	assert_err(open_piece(&b, 0, plain, &is_last), ERR_AUTH);
}

static void every_bit_counts(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	bool is_last;

	for (unsigned i = 0; i < 200; i++) {
		struct box b = opened();
		size_t at = (size_t)rand_below(&f.rand, SEALED);
		uint8_t bit = (uint8_t)(1u << rand_below(&f.rand, 8));

		f.sealed[0][at] ^= bit;
		assert_err(open_piece(&b, 0, plain, &is_last), ERR_AUTH);
		f.sealed[0][at] ^= bit;
	}
}

static void every_byte_of_the_header_counts(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];

	for (size_t i = 0; i < BOX_HEADER_LEN; i++) {
		uint8_t key[BOX_KEY_LEN];
		struct box b;
		bool is_last;
		enum err e;

		f.header[i] ^= 1;
		e = box_find_key(f.header, &f.pair, key);
		if (e == ERR_OK)
			e = box_open_start(f.header, key, &b);
		if (e == ERR_OK)
			e = open_piece(&b, 0, plain, &is_last);
		f.header[i] ^= 1;
		assert_true(e == ERR_AUTH || e == ERR_INVAL);
	}
}

static void pieces_cannot_change_places(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box b = opened();
	bool is_last;

	assert_err(open_piece(&b, 1, plain, &is_last), ERR_AUTH);
}

static void a_piece_cannot_be_left_out_or_doubled(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box b = opened();
	bool is_last;

	assert_ok(open_piece(&b, 0, plain, &is_last));
	assert_err(open_piece(&b, 2, plain, &is_last), ERR_AUTH);
	b = opened();
	assert_ok(open_piece(&b, 0, plain, &is_last));
	assert_err(open_piece(&b, 0, plain, &is_last), ERR_AUTH);
}

/* Who finds the end of the file before the last piece knows that something is missing. */
static void only_the_last_piece_says_so(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box b = opened();
	bool is_last = true;

	assert_ok(open_piece(&b, 0, plain, &is_last));
	assert_false(is_last);
	assert_err(box_open(&b, bytes_of(f.sealed[1], 16), plain, &is_last), ERR_AUTH);
	assert_err(box_open(&b, bytes_of(f.sealed[1], SEALED - 1), plain, &is_last), ERR_AUTH);
}

static void nothing_opens_behind_the_last_piece(UNUSED_STATE)
{
	static uint8_t plain[BOX_PIECE_LEN];
	struct box b = opened();
	bool is_last;

	for (size_t i = 0; i < PIECES; i++)
		assert_ok(open_piece(&b, i, plain, &is_last));
	assert_err(open_piece(&b, 0, plain, &is_last), ERR_AUTH);
}

static void another_version_is_refused_by_name(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];

	f.header[7] = 2;
	assert_err(box_find_key(f.header, &f.pair, key), ERR_INVAL);
	f.header[7] = 1;
}

static void a_point_that_keeps_no_secret_is_refused(UNUSED_STATE)
{
	const struct box_public zero = {{0}};
	uint8_t header[BOX_HEADER_LEN];
	uint8_t key[BOX_KEY_LEN];
	struct box b;

	assert_err(box_seal_start(&f.rand, &zero, &b, header, key), ERR_INVAL);
}

static void a_pair_survives_its_text(UNUSED_STATE)
{
	char text[BOX_PAIR_TEXT_LEN];
	char hex[BOX_HEX_LEN];
	struct box_pair back;
	struct box_public key;

	box_pair_print(&f.pair, text);
	assert_ok(box_pair_parse(bytes_str(text), &back));
	assert_memory_equal(&back, &f.pair, sizeof back);

	box_public_print(&f.pair.public_key, hex);
	assert_ok(box_public_parse(bytes_str(hex), &key));
	assert_memory_equal(&key, &f.pair.public_key, sizeof key);
}

static void other_texts_are_no_keys(UNUSED_STATE)
{
	char text[BOX_PAIR_TEXT_LEN];
	struct box_pair pair;
	struct box_public key;

	box_pair_print(&f.pair, text);
	for (size_t len = 0; len < BOX_PAIR_TEXT_LEN - 2; len++)
		assert_err(box_pair_parse(bytes_of(text, len), &pair), ERR_INVAL);
	text[20] = 'x';
	assert_err(box_pair_parse(bytes_str(text), &pair), ERR_INVAL);
	assert_err(box_public_parse(bytes_of(text + 18, 64), &key), ERR_INVAL);
	assert_err(box_public_parse(BYTES_NONE, &key), ERR_INVAL);
}

static void a_hash_in_pieces_is_the_hash_of_all(UNUSED_STATE)
{
	struct hash want = hash_of(bytes_of(f.plain, sizeof f.plain));
	struct hasher h;
	struct hash got;

	hasher_start(&h);
	for (size_t i = 0; i < PIECES; i++)
		hasher_add(&h, bytes_of(f.plain[i], BOX_PIECE_LEN));
	got = hasher_end(&h);

	assert_memory_equal(got.bytes, want.bytes, HASH_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_comes_back),
		cmocka_unit_test(the_sealer_can_read_back_with_the_streams_key),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(every_byte_of_the_header_counts),
		cmocka_unit_test(pieces_cannot_change_places),
		cmocka_unit_test(a_piece_cannot_be_left_out_or_doubled),
		cmocka_unit_test(only_the_last_piece_says_so),
		cmocka_unit_test(nothing_opens_behind_the_last_piece),
		cmocka_unit_test(another_version_is_refused_by_name),
		cmocka_unit_test(a_point_that_keeps_no_secret_is_refused),
		cmocka_unit_test(a_pair_survives_its_text),
		cmocka_unit_test(other_texts_are_no_keys),
		cmocka_unit_test(a_hash_in_pieces_is_the_hash_of_all),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
