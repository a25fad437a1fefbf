#include "common/base/mem.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/pack.h"
#include "proto/squeeze.h"
#include "tests/unit/vectors.h"

/* ---- what most tests begin with ---- */

struct fixture {
	struct arena arena;
	struct buf out;
	struct buf stored;
	struct sign_pair device_key;
	struct sign_pair daemon_key;
	struct id daemon;
	struct id epoch;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);
	uint8_t seed[32];

	memset(seed, 3, sizeof seed);
	sign_pair_from_seed(seed, &f->device_key);
	memset(seed, 4, sizeof seed);
	sign_pair_from_seed(seed, &f->daemon_key);
	memset(f->daemon.bytes, 0xda, ID_LEN);
	memset(f->epoch.bytes, 0xe0, ID_LEN);
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

/* The encoded bytes against the vector, and the vector for decoding. */
static struct bytes through_vector(struct fixture *f, const char *name)
{
	vector_check(name, buf_bytes(&f->out));
	vector_load(name, &f->stored);
	return buf_bytes(&f->stored);
}

#define assert_bytes(got, literal) assert_true(bytes_equal((got), BYTES_LIT(literal)))

static struct bytes letters(struct fixture *f, size_t len)
{
	char *text = arena_alloc(&f->arena, len);

	memset(text, 'a', len);
	return bytes_of(text, len);
}

/* ---- envelopes and answers ---- */

static void an_envelope_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_envelope got;
	struct bytes message;

	msg_envelope_seal(&f->daemon, 12, 77, BYTES_LIT("\x81\x02\x01"), &f->device_key, &f->out);
	assert_ok(msg_envelope_open(through_vector(f, "v1-envelope"), &got));
	assert_int_equal(got.device, 12);
	assert_int_equal(got.counter, 77);
	assert_int_equal(got.packing, MSG_PACKING_NONE);
	assert_true(msg_envelope_is_valid(&got, &f->daemon, &f->device_key.public_key));
	assert_ok(msg_unpack(&f->arena, got.packing, got.payload, &message));
	assert_bytes(message, "\x81\x02\x01");
}

static void an_envelopes_signature_covers_all_of_it(void **state)
{
	struct fixture *f = *state;
	const struct sign_public *key = &f->device_key.public_key;
	struct msg_envelope right;

	msg_envelope_seal(&f->daemon, 12, 77, BYTES_LIT("\x81\x02\x01"), &f->device_key, &f->out);
	assert_ok(msg_envelope_open(buf_bytes(&f->out), &right));
	struct msg_envelope wrong = right;

	wrong.device = 13;
	assert_false(msg_envelope_is_valid(&wrong, &f->daemon, key));
	wrong = right;
	wrong.counter = 78;
	assert_false(msg_envelope_is_valid(&wrong, &f->daemon, key));
	wrong = right;
	wrong.packing = MSG_PACKING_ZSTD;
	assert_false(msg_envelope_is_valid(&wrong, &f->daemon, key));
	wrong = right;
	wrong.payload = BYTES_LIT("\x81\x02\x02");
	assert_false(msg_envelope_is_valid(&wrong, &f->daemon, key));
	assert_false(msg_envelope_is_valid(&right, &f->epoch, key));
	assert_false(msg_envelope_is_valid(&right, &f->daemon, &f->daemon_key.public_key));
	assert_true(msg_envelope_is_valid(&right, &f->daemon, key));
}

static void a_long_message_travels_packed(void **state)
{
	struct fixture *f = *state;
	struct msg_envelope got;
	struct bytes message;
	struct bytes text = letters(f, 100000);

	msg_envelope_seal(&f->daemon, 12, 77, text, &f->device_key, &f->out);
	assert_true(f->out.len < 1000);
	assert_ok(msg_envelope_open(buf_bytes(&f->out), &got));
	assert_int_equal(got.packing, MSG_PACKING_ZSTD);
	assert_ok(msg_unpack(&f->arena, got.packing, got.payload, &message));
	assert_true(bytes_equal(message, text));
}

/* Another zstd may pack otherwise; what this one once packed must open for ever. */
static void a_packed_envelope_stored_once_still_opens(void **state)
{
	struct fixture *f = *state;
	struct msg_envelope got;
	struct bytes message;
	struct bytes text = letters(f, 1000);

	msg_envelope_seal(&f->daemon, 12, 78, text, &f->device_key, &f->out);
	if (vectors_write)
		vector_store("v1-envelope-packed", buf_bytes(&f->out));
	vector_load("v1-envelope-packed", &f->stored);
	assert_ok(msg_envelope_open(buf_bytes(&f->stored), &got));
	assert_int_equal(got.packing, MSG_PACKING_ZSTD);
	assert_true(msg_envelope_is_valid(&got, &f->daemon, &f->device_key.public_key));
	assert_ok(msg_unpack(&f->arena, got.packing, got.payload, &message));
	assert_true(bytes_equal(message, text));
}

/* [version, 12, 77, packing, payload, signature] with what a test asks for. */
static enum err open_envelope(struct fixture *f, uint64_t version, uint64_t device,
			      uint64_t counter, uint64_t packing, size_t signature_len)
{
	struct msg_envelope got;
	struct packer p;

	buf_reset(&f->out);
	packer_init(&p, &f->out, PACK_UNBOUNDED);
	packer_array(&p, 6);
	packer_uint(&p, version);
	packer_uint(&p, device);
	packer_uint(&p, counter);
	packer_uint(&p, packing);
	packer_bin(&p, BYTES_LIT("x"));
	packer_bin(&p, letters(f, signature_len));
	packer_done(&p);
	return msg_envelope_open(buf_bytes(&f->out), &got);
}

static void unknown_versions_and_packings_are_told_apart_from_nonsense(void **state)
{
	struct fixture *f = *state;

	assert_ok(open_envelope(f, 1, 12, 77, 1, SIGN_LEN));
	assert_err(open_envelope(f, 2, 12, 77, 1, SIGN_LEN), ERR_INVAL);
	assert_err(open_envelope(f, 0, 12, 77, 1, SIGN_LEN), ERR_INVAL);
	assert_err(open_envelope(f, 1, 12, 77, 2, SIGN_LEN), ERR_INVAL);
	assert_err(open_envelope(f, 1, 12, 77, 256, SIGN_LEN), ERR_PROTO);
	assert_err(open_envelope(f, 1, UINT64_C(1) << 32, 77, 1, SIGN_LEN), ERR_PROTO);
	assert_err(open_envelope(f, 1, 12, UINT64_C(1) << 63, 1, SIGN_LEN), ERR_PROTO);
	assert_err(open_envelope(f, 1, 12, 77, 1, SIGN_LEN - 1), ERR_PROTO);
	assert_err(open_envelope(f, 1, 12, 77, 1, SIGN_LEN + 1), ERR_PROTO);
}

static void a_request_passes_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_envelope got;
	struct bytes noise = letters(f, LIMIT_REQUEST_BYTES - MSG_ENVELOPE_OVERHEAD);
	struct rand r;
	AUTO(buf_clear) struct buf loud = {0};

	rand_seeded_init(&r, 1);
	rand_fill(&r, buf_reserve(&loud, noise.len), noise.len);
	loud.len = noise.len;
	msg_envelope_seal(&f->daemon, UINT32_MAX, INT64_MAX, buf_bytes(&loud), &f->device_key,
			  &f->out);
	assert_true(f->out.len <= LIMIT_REQUEST_BYTES);
	assert_ok(msg_envelope_open(buf_bytes(&f->out), &got));
	assert_true(bytes_equal(got.payload, buf_bytes(&loud)));

	(void)buf_reserve(&f->out, LIMIT_REQUEST_BYTES);
	assert_err(msg_envelope_open(bytes_of(f->out.data, LIMIT_REQUEST_BYTES + 1), &got),
		   ERR_TOOBIG);
}

static void an_answer_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct bytes message;

	msg_answer_seal(BYTES_LIT("\x81\x01\x02"), &f->out);
	assert_ok(msg_answer_open(&f->arena, through_vector(f, "v1-answer"), &message));
	assert_bytes(message, "\x81\x01\x02");
}

static void a_long_answer_travels_packed(void **state)
{
	struct fixture *f = *state;
	struct bytes text = letters(f, 5000000);
	struct bytes message;

	msg_answer_seal(text, &f->out);
	assert_true(f->out.len < 5000);
	assert_ok(msg_answer_open(&f->arena, buf_bytes(&f->out), &message));
	assert_true(bytes_equal(message, text));
}

static void an_answer_of_another_version_is_told_apart(void **state)
{
	struct fixture *f = *state;
	struct bytes message;

	assert_err(msg_answer_open(&f->arena, BYTES_LIT("\x93\x02\x00\xc4\x00"), &message),
		   ERR_INVAL);
	assert_err(msg_answer_open(&f->arena, BYTES_LIT("\x93\x01\x02\xc4\x00"), &message),
		   ERR_INVAL);
	assert_err(msg_answer_open(&f->arena, BYTES_LIT("\x92\x01\x00"), &message), ERR_PROTO);
}

/* Memory that a small message may cost, whatever it says. */
#define SMALL_MEMORY ((size_t)4 << 20)

/* ---- bombs ---- */

static void a_frame_passes_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_clear) struct buf zeros = {0};
	AUTO(buf_clear) struct buf at = {0};
	AUTO(buf_clear) struct buf beyond = {0};
	struct bytes plain;

	memset(buf_reserve(&zeros, LIMIT_PLAIN_BYTES + 1), 0, LIMIT_PLAIN_BYTES + 1);
	assert_true(squeeze_pack(bytes_of(zeros.data, LIMIT_PLAIN_BYTES), &at));
	assert_true(squeeze_pack(bytes_of(zeros.data, LIMIT_PLAIN_BYTES + 1), &beyond));
	assert_ok(msg_unpack(&f->arena, MSG_PACKING_ZSTD, buf_bytes(&at), &plain));
	assert_int_equal(plain.len, LIMIT_PLAIN_BYTES);

	size_t used = f->arena.used;

	assert_err(msg_unpack(&f->arena, MSG_PACKING_ZSTD, buf_bytes(&beyond), &plain), ERR_TOOBIG);
	assert_int_equal(f->arena.used, used);
}

struct bomb {
	const char *what;
	struct bytes frame;
};

/* Magic, a descriptor, a length, blocks: RFC 8878. */
#define MAGIC "\x28\xb5\x2f\xfd"

static const struct bomb bombs[] = {
	{"empty", BYTES_LIT("")},
	{"magic only", BYTES_LIT(MAGIC)},
	{"no length", BYTES_LIT(MAGIC "\x00\x58\x01\x00\x00")},
	{"says 16 MiB, holds nothing", BYTES_LIT(MAGIC "\xa0\x00\x00\x00\x01\x01\x00\x00")},
	{"says 1 byte, holds 128 KiB", BYTES_LIT(MAGIC "\x20\x01\x03\x00\x10\x00")},
	{"says 4 bytes, holds 3", BYTES_LIT(MAGIC "\x20\x04\x1b\x00\x00x")},
	{"a second frame behind it",
	 BYTES_LIT(MAGIC "\x20\x01\x0b\x00\x00x" MAGIC "\x20\x01\x0b\x00\x00x")},
	{"a byte behind it", BYTES_LIT(MAGIC "\x20\x01\x0b\x00\x00x\x00")},
	{"a skippable frame", BYTES_LIT("\x50\x2a\x4d\x18\x00\x00\x00\x00")},
	{"not zstd", BYTES_LIT("hello, world")},
};

static void frames_that_are_not_what_they_say_are_refused_cheaply(void **state)
{
	struct fixture *f = *state;
	struct bytes plain;

	for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
		print_message("%s\n", bombs[i].what);
		assert_err(msg_unpack(&f->arena, MSG_PACKING_ZSTD, bombs[i].frame, &plain),
			   ERR_PROTO);
	}
	assert_true(f->arena.used < SMALL_MEMORY);
	assert_ok(msg_unpack(&f->arena, MSG_PACKING_ZSTD, BYTES_LIT(MAGIC "\x20\x01\x09\x00\x00x"),
			     &plain));
	assert_bytes(plain, "x");
}

static void an_unknown_packing_is_told_apart(void **state)
{
	struct fixture *f = *state;
	struct bytes plain;

	assert_err(msg_unpack(&f->arena, 2, BYTES_LIT("x"), &plain), ERR_INVAL);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_envelope_is_made_and_read_as_stored),
		CASE(an_envelopes_signature_covers_all_of_it),
		CASE(a_long_message_travels_packed),
		CASE(a_packed_envelope_stored_once_still_opens),
		CASE(unknown_versions_and_packings_are_told_apart_from_nonsense),
		CASE(a_request_passes_at_the_limit_and_not_beyond),
		CASE(an_answer_is_made_and_read_as_stored),
		CASE(a_long_answer_travels_packed),
		CASE(an_answer_of_another_version_is_told_apart),
		CASE(a_frame_passes_at_the_limit_and_not_beyond),
		CASE(frames_that_are_not_what_they_say_are_refused_cheaply),
		CASE(an_unknown_packing_is_told_apart),
	};

	vectors_arguments(argc, argv);
	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
