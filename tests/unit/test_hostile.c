#include "common/base/mem.h"
#include "proto/changeset.h"
#include "proto/msg.h"
#include "tests/unit/vectors.h"

/* The keys the vectors were made with: test_msg.c, test_changeset.c. */
struct fixture {
	struct sign_pair set_key;
	struct sign_pair device_key;
	struct sign_pair daemon_key;
	struct id daemon;
};

static struct sign_pair pair_of(uint8_t byte)
{
	struct sign_pair pair;
	uint8_t seed[32];

	memset(seed, byte, sizeof seed);
	sign_pair_from_seed(seed, &pair);
	return pair;
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);

	f->device_key = pair_of(3);
	f->daemon_key = pair_of(4);
	f->set_key = pair_of(7);
	memset(f->daemon.bytes, 0xda, ID_LEN);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	mem_free(*state);
	return 0;
}

/* What a small message may make us keep, whatever it says. */
#define SMALL_MEMORY ((size_t)4 << 20)

typedef enum err (*open_fn)(struct arena *a, struct bytes bytes, const struct fixture *f);

static enum err open_enrol(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_enrol m;

	(void)f;
	return msg_enrol_decode(a, bytes, &m);
}

static enum err open_enrolled(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_enrolled m;

	(void)f;
	return msg_enrolled_decode(a, bytes, &m);
}

static enum err open_sync(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_sync m;

	(void)f;
	return msg_sync_decode(a, bytes, &m);
}

static enum err open_receipt(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_receipt m;

	return msg_receipt_decode(a, bytes, &f->daemon_key.public_key, &m);
}

static enum err open_unsigned_receipt(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_receipt m;

	(void)f;
	return msg_receipt_decode(a, bytes, NULL, &m);
}

static enum err open_synced(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_synced m;

	(void)f;
	return msg_synced_decode(a, bytes, &m);
}

static enum err open_refusal(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_refusal m;

	(void)f;
	return msg_refusal_decode(a, bytes, &m);
}

static enum err open_units(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_unit *units;
	uint64_t version;
	size_t count;

	(void)f;
	return msg_units_decode(a, bytes, &units, &count, &version);
}

static enum err open_answer(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct bytes message;

	(void)f;
	return msg_answer_open(a, bytes, &message);
}

/* The whole way of a request: open, check, unpack. */
static enum err open_request(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_envelope e;
	struct bytes message;
	enum err err = msg_envelope_open(bytes, &e);

	if (err != ERR_OK)
		return err;
	if (!msg_envelope_is_valid(&e, &f->daemon, &f->device_key.public_key))
		return ERR_AUTH;
	return msg_unpack(a, e.packing, e.payload, &message);
}

/* As if the signature had been right: the unpacker meets every flip. */
static enum err open_unsigned_request(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct msg_envelope e;
	struct bytes message;
	enum err err = msg_envelope_open(bytes, &e);

	(void)f;
	return err != ERR_OK ? err : msg_unpack(a, e.packing, e.payload, &message);
}

static enum err open_set(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct changeset_opened opened;

	return changeset_open(a, bytes, &f->set_key.public_key, &opened);
}

/* Signature not asked: the changes are reached by every flip. */
static enum err open_unsigned_set(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct changeset_opened opened;

	(void)f;
	return changeset_open(a, bytes, NULL, &opened);
}

static enum err open_change(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct change c;

	(void)f;
	return change_decode(a, bytes, &c);
}

static enum err open_record(struct arena *a, struct bytes bytes, const struct fixture *f)
{
	struct record r;

	(void)f;
	return record_decode(a, bytes, &r);
}

struct hostile {
	const char *vector;
	open_fn open;
	bool is_signed; /* not one flip may be taken */
};

static const struct hostile hostiles[] = {
	{"v1-changeset", open_set, true},
	{"v1-changeset", open_unsigned_set, false},
	{"v1-change", open_change, false},
	{"v1-record", open_record, false},
	{"v1-enrol", open_enrol, true},
	{"v1-enrolled", open_enrolled, false},
	{"v1-sync", open_sync, false},
	{"v1-receipt", open_receipt, true},
	{"v1-receipt", open_unsigned_receipt, false},
	{"v1-synced", open_synced, false},
	{"v1-refusal", open_refusal, false},
	{"v1-units", open_units, false},
	{"v1-answer", open_answer, false},
	{"v1-envelope", open_request, true},
	{"v1-envelope-packed", open_request, true},
	{"v1-envelope-packed", open_unsigned_request, false},
};
#define HOSTILES (sizeof hostiles / sizeof hostiles[0])

/* On an exact copy, so that a byte read too far is seen; memory stays small. */
static enum err open_exact(const struct hostile *h, const struct fixture *f, const struct buf *b,
			   size_t len)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(mem_free) uint8_t *exact = mem_copy(b->data, len);
	enum err e = h->open(&a, bytes_of(exact, len), f);

	assert_true(a.used < SMALL_MEMORY);
	return e;
}

static void every_cut_of_every_vector_is_refused(void **state)
{
	for (size_t i = 0; i < HOSTILES; i++) {
		AUTO(buf_clear) struct buf stored = {0};

		vector_load(hostiles[i].vector, &stored);
		for (size_t len = 0; len < stored.len; len++)
			assert_err(open_exact(&hostiles[i], *state, &stored, len), ERR_PROTO);
	}
}

static void try_every_flip(const struct hostile *h, const struct fixture *f)
{
	AUTO(buf_clear) struct buf stored = {0};

	vector_load(h->vector, &stored);
	for (size_t at = 0; at < stored.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			stored.data[at] ^= (uint8_t)(1u << bit);
			enum err e = open_exact(h, f, &stored, stored.len);

			stored.data[at] ^= (uint8_t)(1u << bit);
			if (h->is_signed)
				assert_int_not_equal(e, ERR_OK);
		}
	}
}

static void no_flip_of_anything_harms_and_no_signed_one_is_taken(void **state)
{
	for (size_t i = 0; i < HOSTILES; i++) {
		print_message("%s\n", hostiles[i].vector);
		try_every_flip(&hostiles[i], *state);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(every_cut_of_every_vector_is_refused),
		CASE(no_flip_of_anything_harms_and_no_signed_one_is_taken),
	};

	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
