#include "common/base/letter.h"
#include "common/base/mem.h"
#include "proto/bundle.h"
#include "proto/limits.h"
#include "tests/unit/vectors.h"

/* ---- what most tests begin with ---- */

struct fixture {
	struct arena arena;
	struct buf out;
	struct buf stored;
	struct sign_pair device_key;
	struct sign_pair daemon_key;
	struct rand rand;
	struct bundle_writer to_office;
	struct bundle_writer back;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);
	uint8_t seed[32];
	struct id daemon;

	memset(seed, 3, sizeof seed);
	sign_pair_from_seed(seed, &f->device_key);
	memset(seed, 4, sizeof seed);
	sign_pair_from_seed(seed, &f->daemon_key);
	memset(daemon.bytes, 0xda, ID_LEN);
	rand_seeded_init(&f->rand, 20);
	f->to_office = (struct bundle_writer){
		.head = {.kind = BUNDLE_TO_OFFICE, .device = 12, .daemon = daemon},
		.key = &f->device_key,
		.reader = &f->daemon_key.public_key,
		.rand = &f->rand};
	f->back = (struct bundle_writer){
		.head = {.kind = BUNDLE_RETURN, .device = 12, .daemon = daemon},
		.key = &f->daemon_key,
		.reader = &f->device_key.public_key,
		.rand = &f->rand};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_clear(&f->arena);
	buf_clear(&f->out);
	buf_clear(&f->stored);
	mem_free(f);
	return 0;
}

#define assert_bytes(got, literal) assert_true(bytes_equal((got), BYTES_LIT(literal)))
#define assert_flaw(got, want)     assert_string_equal(bundle_flaw_name(got), bundle_flaw_name(want))

static void write_out(struct fixture *f)
{
	struct bytes parts[] = {BYTES_LIT("\x81\x02\x01"), BYTES_LIT("\x81\x02\x02")};
	const struct bundle_out b = {.number = 77, .parts = parts, .part_count = 2};

	assert_ok(bundle_write_out(&f->to_office, &b, &f->out));
}

static void write_return(struct fixture *f)
{
	struct bytes parts[] = {BYTES_LIT("\x81\x02\x01")};
	struct msg_cursor cursors[] = {{.unit = 7, .log = 1000, .behind = 60}, {.unit = 9}};
	struct bundle_return b = {.number = 77,
				  .log = 1200,
				  .cursors = cursors,
				  .cursor_count = 2,
				  .refusal = BYTES_LIT("\x81\x01\xa3gap"),
				  .parts = parts,
				  .part_count = 1,
				  .schema = BYTES_LIT("types:\n"),
				  .units = BYTES_LIT("\x81\x01\x05")};

	memset(b.epoch.bytes, 0xe0, ID_LEN);
	assert_ok(bundle_write_return(&f->back, &b, &f->out));
}

static enum bundle_flaw open_out(struct fixture *f, struct bytes file, struct bundle_out *b)
{
	return bundle_open_out(&f->arena, file, &f->device_key.public_key, &f->daemon_key, b);
}

/* All the checks of a reader of files to the office. */
static enum bundle_flaw read_out(struct fixture *f, struct bytes file)
{
	struct bundle_head head;
	struct bundle_out b;
	enum bundle_flaw flaw = bundle_peek(file, &head);

	if (flaw != BUNDLE_SOUND)
		return flaw;
	return open_out(f, file, &b);
}

/* ---- as it should be ---- */

static void a_file_to_the_office_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct bundle_head head;
	struct bundle_out b;

	write_out(f);
	vector_check("v1-bundle-out", buf_bytes(&f->out));
	vector_load("v1-bundle-out", &f->stored);

	assert_flaw(bundle_peek(buf_bytes(&f->stored), &head), BUNDLE_SOUND);
	assert_int_equal(head.kind, BUNDLE_TO_OFFICE);
	assert_int_equal(head.device, 12);
	assert_int_equal(id_compare(&head.daemon, &f->to_office.head.daemon), 0);
	assert_flaw(open_out(f, buf_bytes(&f->stored), &b), BUNDLE_SOUND);
	assert_int_equal(b.number, 77);
	assert_int_equal(b.part_count, 2);
	assert_bytes(b.parts[0], "\x81\x02\x01");
	assert_bytes(b.parts[1], "\x81\x02\x02");
}

static void a_return_file_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct bundle_return b;

	write_return(f);
	vector_check("v1-bundle-return", buf_bytes(&f->out));
	vector_load("v1-bundle-return", &f->stored);

	assert_flaw(bundle_open_return(&f->arena, buf_bytes(&f->stored), &f->daemon_key.public_key,
				       &f->device_key, &b),
		    BUNDLE_SOUND);
	assert_int_equal(b.number, 77);
	assert_int_equal(b.log, 1200);
	assert_int_equal(b.epoch.bytes[15], 0xe0);
	assert_int_equal(b.cursor_count, 2);
	assert_int_equal(b.cursors[0].unit, 7);
	assert_int_equal(b.cursors[0].log, 1000);
	assert_int_equal(b.cursors[0].behind, 60);
	assert_int_equal(b.cursors[1].log, 0);
	assert_bytes(b.refusal, "\x81\x01\xa3gap");
	assert_bytes(b.schema, "types:\n");
	assert_bytes(b.units, "\x81\x01\x05");
	assert_int_equal(b.part_count, 1);
	assert_bytes(b.parts[0], "\x81\x02\x01");
}

static void the_length_tells_only_steps_of_4_kib(void **state)
{
	struct fixture *f = *state;
	uint8_t noise[10000];

	rand_fill(&f->rand, noise, sizeof noise);
	for (size_t len = 1; len < sizeof noise; len += 97) {
		struct bytes part = bytes_of(noise, len);
		const struct bundle_out b = {.number = 1, .parts = &part, .part_count = 1};

		buf_reset(&f->out);
		assert_ok(bundle_write_out(&f->to_office, &b, &f->out));
		assert_int_equal(f->out.len % BUNDLE_STEP, 0);
		assert_true(f->out.len < len + BUNDLE_MIN_LEN + 64 + BUNDLE_STEP);
		assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_SOUND);
	}
}

static void the_same_content_is_never_the_same_file(void **state)
{
	struct fixture *f = *state;

	write_out(f);
	buf_append_bytes(&f->stored, buf_bytes(&f->out));
	buf_reset(&f->out);
	write_out(f);

	assert_int_equal(f->stored.len, f->out.len);
	assert_memory_equal(f->stored.data, f->out.data, BUNDLE_HEAD_LEN);
	assert_memory_not_equal(f->stored.data + BUNDLE_HEAD_LEN, f->out.data + BUNDLE_HEAD_LEN,
				f->out.len - BUNDLE_HEAD_LEN);
}

/* ---- as it should not be ---- */

static void a_file_cut_anywhere_is_named_so(void **state)
{
	struct fixture *f = *state;

	write_out(f);
	for (size_t len = 0; len < f->out.len; len++) {
		/* In a block of its own: a byte too far is seen. */
		AUTO(mem_free) uint8_t *cut = mem_copy(f->out.data, len != 0 ? len : 1);

		assert_flaw(read_out(f, bytes_of(cut, len)), len < 8 ? BUNDLE_STRANGE : BUNDLE_CUT);
	}
}

static void a_file_with_something_behind_is_named_so(void **state)
{
	struct fixture *f = *state;

	write_out(f);
	buf_append_byte(&f->out, 0);
	assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_LONGER);
}

static void any_byte_altered_is_noticed(void **state)
{
	struct fixture *f = *state;

	write_out(f);
	for (size_t at = 0; at < f->out.len; at++) {
		f->out.data[at] ^= (uint8_t)(1u << at % 8);
		enum bundle_flaw flaw = read_out(f, buf_bytes(&f->out));

		assert_int_not_equal(flaw, BUNDLE_SOUND);
		if (at < 8)
			assert_flaw(flaw, BUNDLE_STRANGE);
		else if (at == 8)
			assert_flaw(flaw, BUNDLE_NEWER);
		else if (at >= BUNDLE_HEAD_LEN)
			assert_flaw(flaw, BUNDLE_FORGED);
		f->out.data[at] ^= (uint8_t)(1u << at % 8);
	}
	assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_SOUND);
}

static void a_file_signed_by_another_is_forged(void **state)
{
	struct fixture *f = *state;
	struct bundle_out b;

	f->to_office.key = &f->daemon_key;
	write_out(f);
	assert_flaw(open_out(f, buf_bytes(&f->out), &b), BUNDLE_FORGED);
}

static void a_file_sealed_to_another_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct bundle_out b;

	f->to_office.reader = &f->device_key.public_key;
	write_out(f);
	assert_flaw(open_out(f, buf_bytes(&f->out), &b), BUNDLE_NOT_TO_US);
}

/* Somebody who is enrolled, too, cannot pass another's sealed content off as their own. */
static void content_signed_anew_under_another_number_does_not_open(void **state)
{
	struct fixture *f = *state;
	struct bundle_out b;
	struct signature s;

	write_out(f);
	f->out.data[15] ^= 1; /* the device */
	s = sign_make(&f->device_key, BUNDLE_CONTEXT, bytes_of(f->out.data, f->out.len - SIGN_LEN));
	memcpy(f->out.data + f->out.len - SIGN_LEN, s.bytes, SIGN_LEN);
	assert_flaw(open_out(f, buf_bytes(&f->out), &b), BUNDLE_NOT_TO_US);
}

/* A body as a signer may make it: whatever it likes. */
static void write_body(struct fixture *f, struct bytes body, uint32_t said_len)
{
	uint8_t plain[BUNDLE_STEP - BUNDLE_MIN_LEN + 4] = {0};
	struct signature s;

	buf_reset(&f->out);
	write_out(f);
	assert_int_equal(f->out.len, BUNDLE_STEP);
	for (size_t i = 0; i < 4; i++)
		plain[i] = (uint8_t)(said_len >> (24 - 8 * i));
	if (body.len != 0)
		memcpy(plain + 4, body.data, body.len);
	assert_ok(letter_seal(&f->daemon_key.public_key, &f->rand, bytes_of(plain, sizeof plain),
			      bytes_of(f->out.data, BUNDLE_HEAD_LEN),
			      f->out.data + BUNDLE_HEAD_LEN));
	s = sign_make(&f->device_key, BUNDLE_CONTEXT, bytes_of(f->out.data, f->out.len - SIGN_LEN));
	memcpy(f->out.data + f->out.len - SIGN_LEN, s.bytes, SIGN_LEN);
}

static void a_body_without_sense_is_unreadable(void **state)
{
	struct fixture *f = *state;
	const struct {
		struct bytes body;
		uint32_t len;
	} bodies[] = {
		{BYTES_NONE, 0},
		{BYTES_NONE, 1},                                  /* a zero */
		{BYTES_NONE, UINT32_MAX},                         /* longer than the file */
		{BYTES_NONE, BUNDLE_STEP},                        /* a little longer */
		{BYTES_LIT("\x80"), 1},                           /* nothing in it */
		{BYTES_LIT("\x81\x01\x05"), 3},                   /* no parts */
		{BYTES_LIT("\x82\x01\x05\x02\x91\xc4\0"), 7},     /* an empty part */
		{BYTES_LIT("\x82\x01\x05\x02\x91\xc4\1\x90"), 8}, /* no frame */
		{BYTES_LIT("\x81\x01\xdd\xff\xff\xff\xff"), 7},   /* a lie about a length */
		{BYTES_LIT("\x82\x01\x05\x02\x91\xc4\4\x93\1\2\xc4"), 11}, /* unknown packing */
		{BYTES_LIT("\x81\x01\x05 "), 3}, /* something behind the body */
	};

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		write_body(f, bodies[i].body, bodies[i].len);
		assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_UNREADABLE);
	}
	write_body(f, BYTES_LIT("\x82\x01\x05\x02\x91\xc4\x05\x93\x01\x00\xc4\x00"), 12);
	assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_SOUND);
}

static void the_number_of_parts_has_a_limit(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_clear) struct buf body = {0};
	struct bundle_out b;

	for (size_t count = LIMIT_BUNDLE_PARTS; count <= LIMIT_BUNDLE_PARTS + 1; count++) {
		buf_reset(&body);
		buf_append_bytes(&body, BYTES_LIT("\x82\x01\x05\x02\xdc\x00"));
		buf_append_byte(&body, (uint8_t)count);
		for (size_t i = 0; i < count; i++)
			buf_append_bytes(&body, BYTES_LIT("\xc4\x05\x93\x01\x00\xc4\x00"));
		write_body(f, buf_bytes(&body), (uint32_t)body.len);
		assert_flaw(open_out(f, buf_bytes(&f->out), &b),
			    count <= LIMIT_BUNDLE_PARTS ? BUNDLE_SOUND : BUNDLE_UNREADABLE);
	}
}

/* Each part may be long, all of them together not: 5 times 16 MiB of zeros are few bytes. */
static void what_unpacks_to_too_much_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) uint8_t *zeros = mem_alloc_zero(LIMIT_PLAIN_BYTES);
	struct bytes parts[5];
	struct bundle_out b = {.number = 1, .parts = parts};

	for (size_t i = 0; i < 5; i++)
		parts[i] = bytes_of(zeros, LIMIT_PLAIN_BYTES);
	b.part_count = LIMIT_BUNDLE_PLAIN / LIMIT_PLAIN_BYTES;
	assert_ok(bundle_write_out(&f->to_office, &b, &f->out));
	assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_SOUND);
	buf_reset(&f->out);
	b.part_count++;
	assert_ok(bundle_write_out(&f->to_office, &b, &f->out));
	assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_UNREADABLE);
}

static void a_file_over_the_limit_is_not_made(void **state)
{
	struct fixture *f = *state;
	uint8_t *noise = mem_alloc(LIMIT_PLAIN_BYTES);
	const size_t longest = LIMIT_PLAIN_BYTES - MSG_ENVELOPE_OVERHEAD;
	struct bytes parts[2] = {bytes_of(noise, longest), BYTES_NONE};
	struct bundle_out b = {.number = 1, .parts = parts, .part_count = 2};

	rand_fill(rand_system(), noise, LIMIT_PLAIN_BYTES);
	parts[1] = bytes_of(noise, LIMIT_BUNDLE_BYTES - longest - 2 * (size_t)BUNDLE_STEP);
	assert_ok(bundle_write_out(&f->to_office, &b, &f->out));
	assert_flaw(read_out(f, buf_bytes(&f->out)), BUNDLE_SOUND);
	buf_reset(&f->out);
	parts[1].len += 3 * (size_t)BUNDLE_STEP;
	assert_err(bundle_write_out(&f->to_office, &b, &f->out), ERR_TOOBIG);
	assert_int_equal(f->out.len, 0);
	mem_free(noise);
}

static void a_head_that_says_more_than_the_limit_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct bundle_head head;

	write_out(f);
	f->out.data[35] = 0xff; /* of the length */
	assert_flaw(bundle_peek(buf_bytes(&f->out), &head), BUNDLE_LONGER);
}

/* ---- letters ---- */

static void a_letter_opens_for_its_reader_and_its_aad_only(void **state)
{
	struct fixture *f = *state;
	uint8_t sealed[5 + LETTER_OVERHEAD] = {0};
	uint8_t plain[5];
	struct bytes whole = bytes_of(sealed, sizeof sealed);
	struct bytes aad = BYTES_LIT("aad");

	assert_ok(
		letter_seal(&f->daemon_key.public_key, &f->rand, BYTES_LIT("hello"), aad, sealed));
	assert_ok(letter_open(&f->daemon_key, whole, aad, plain));
	assert_memory_equal(plain, "hello", 5);
	assert_err(letter_open(&f->device_key, whole, aad, plain), ERR_AUTH);
	assert_err(letter_open(&f->daemon_key, whole, BYTES_LIT("aae"), plain), ERR_AUTH);
	for (size_t i = 0; i < sizeof sealed; i++) {
		sealed[i] ^= 1;
		assert_err(letter_open(&f->daemon_key, whole, aad, plain), ERR_AUTH);
		sealed[i] ^= 1;
	}
	whole.len = LETTER_OVERHEAD - 1;
	assert_err(letter_open(&f->daemon_key, whole, aad, plain), ERR_AUTH);
}

static void a_key_that_is_none_cannot_be_written_to(void **state)
{
	struct fixture *f = *state;
	struct sign_public none = {{0}};
	uint8_t sealed[LETTER_OVERHEAD] = {0};

	assert_err(letter_seal(&none, &f->rand, BYTES_NONE, BYTES_NONE, sealed), ERR_INVAL);
	memset(none.bytes, 0xff, sizeof none.bytes);
	assert_err(letter_seal(&none, &f->rand, BYTES_NONE, BYTES_NONE, sealed), ERR_INVAL);
}

static void a_senders_key_of_small_order_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t sealed[LETTER_OVERHEAD] = {0};
	uint8_t plain[1];

	assert_err(letter_open(&f->daemon_key, bytes_of(sealed, sizeof sealed), BYTES_NONE, plain),
		   ERR_AUTH);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_to_the_office_is_made_and_read_as_stored),
		CASE(a_return_file_is_made_and_read_as_stored),
		CASE(the_length_tells_only_steps_of_4_kib),
		CASE(the_same_content_is_never_the_same_file),
		CASE(a_file_cut_anywhere_is_named_so),
		CASE(a_file_with_something_behind_is_named_so),
		CASE(any_byte_altered_is_noticed),
		CASE(a_file_signed_by_another_is_forged),
		CASE(a_file_sealed_to_another_does_not_open),
		CASE(content_signed_anew_under_another_number_does_not_open),
		CASE(a_body_without_sense_is_unreadable),
		CASE(the_number_of_parts_has_a_limit),
		CASE(what_unpacks_to_too_much_is_refused),
		CASE(a_file_over_the_limit_is_not_made),
		CASE(a_head_that_says_more_than_the_limit_is_not_waited_for),
		CASE(a_letter_opens_for_its_reader_and_its_aad_only),
		CASE(a_key_that_is_none_cannot_be_written_to),
		CASE(a_senders_key_of_small_order_is_refused),
	};

	vectors_arguments(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
