#include "common/base/crypt.h"
#include "common/base/mem.h"
#include "proto/changeset.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "tests/unit/vectors.h"

#define CANARY "Điểu Thị Bé 285112345"

struct fixture {
	struct arena arena;
	struct sign_pair key;
	struct changeset_head head;
	struct change changes[3];
	struct write writes[3][2];
	struct changeset_opened whole;
};

/* Three changes of two authors; the middle one is of the record to be erased. */
static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);
	AUTO(buf_clear) struct buf wire = {0};
	struct hash head;
	uint8_t seed[32];

	memset(seed, 7, sizeof seed);
	sign_pair_from_seed(seed, &f->key);
	f->head = (struct changeset_head){.device = 12, .first = 41, .count = 3};
	memset(f->head.daemon.bytes, 0xda, ID_LEN);
	memset(f->head.epoch.bytes, 0xe0, ID_LEN);
	memset(f->head.chain.bytes, 0xcc, HASH_LEN);
	for (size_t i = 0; i < 3; i++) {
		f->writes[i][0] = (struct write){
			BYTES_LIT("full_name"),
			value_text(i == 1 ? BYTES_LIT(CANARY) : BYTES_LIT("Lê Văn Tám"))};
		f->writes[i][1] = (struct write){BYTES_LIT("unit"), value_int(7)};
		f->changes[i] = (struct change){.type = BYTES_LIT("person"),
						.clock = STAMP_CLOCK_OF(INT64_C(1795315919123)) + i,
						.base = 70000 * i,
						.author = i == 1 ? BYTES_LIT("Người khác")
								 : BYTES_LIT("Lê Thị Hồng"),
						.writes = f->writes[i],
						.count = 2};
		memset(f->changes[i].id.bytes, (int)(0x10 + i), ID_LEN);
	}
	assert_ok(changeset_seal(&f->head, f->changes, &f->key, &wire, &head));
	assert_ok(changeset_open(&f->arena, arena_copy(&f->arena, buf_bytes(&wire)),
				 &f->key.public_key, &f->whole));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_clear(&f->arena);
	mem_free(f);
	return 0;
}

static struct bytes cut(struct fixture *f, const struct changeset *set, bool first, bool second,
			bool third)
{
	AUTO(buf_clear) struct buf body = {0};
	AUTO(buf_clear) struct buf out = {0};
	const bool is_cut[3] = {first, second, third};
	struct changeset_cut hashes;

	assert_ok(changeset_cut(set, is_cut, &body, &hashes));
	changeset_frame(buf_bytes(&body), &set->signature, &hashes, &out);
	return arena_copy(&f->arena, buf_bytes(&out));
}

static bool holds(struct bytes bytes, const char *text)
{
	return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static void what_a_cut_change_wrote_is_nowhere_in_the_bytes(void **state)
{
	struct fixture *f = *state;

	assert_true(holds(f->whole.set.body, CANARY));

	struct bytes wire = cut(f, &f->whole.set, false, true, false);

	assert_false(holds(wire, CANARY));
	assert_true(holds(wire, "Lê Văn Tám"));
}

static void a_cut_set_has_the_signature_the_chain_and_the_numbers_of_the_whole_one(void **state)
{
	struct fixture *f = *state;
	struct bytes wire = cut(f, &f->whole.set, false, true, false);
	struct changeset_opened opened;

	assert_ok(changeset_open(&f->arena, wire, &f->key.public_key, &opened));

	assert_memory_equal(&opened.set.head, &f->whole.set.head, HASH_LEN);
	assert_memory_equal(&opened.set.chain, &f->whole.set.chain, HASH_LEN);
	assert_memory_equal(&opened.set.epoch, &f->whole.set.epoch, ID_LEN);
	assert_int_equal(opened.set.device, 12);
	assert_int_equal(opened.set.count, 3);
	assert_int_equal(opened.odd_count, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct change *was = &f->whole.set.changes[i];
		const struct change *is = &opened.set.changes[i];

		assert_int_equal(is->number, was->number);
		assert_int_equal(is->clock, was->clock);
		assert_int_equal(is->base, was->base);
		assert_memory_equal(&is->id, &was->id, ID_LEN);
		assert_true(bytes_equal(is->author, was->author));
		assert_int_equal(is->is_cut, i == 1);
		assert_int_equal(is->count, i == 1 ? 0 : 2);
	}
}

static void another_key_signed_no_cut_set(void **state)
{
	struct fixture *f = *state;
	struct bytes wire = cut(f, &f->whole.set, true, false, false);
	struct changeset_opened opened;
	struct sign_pair other;
	uint8_t seed[32] = {1};

	sign_pair_from_seed(seed, &other);
	assert_err(changeset_open(&f->arena, wire, &other.public_key, &opened), ERR_AUTH);
}

static void the_hash_that_was_signed_cannot_be_another(void **state)
{
	struct fixture *f = *state;
	struct bytes wire = cut(f, &f->whole.set, true, false, false);
	uint8_t *altered = arena_alloc(&f->arena, wire.len);
	struct changeset_opened opened;

	memcpy(altered, wire.data, wire.len);
	altered[wire.len - 1] ^= 1;
	assert_err(
		changeset_open(&f->arena, bytes_of(altered, wire.len), &f->key.public_key, &opened),
		ERR_AUTH);
}

static void a_set_that_is_cut_can_be_cut_again(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened once;
	struct changeset_opened twice;

	assert_ok(changeset_open(&f->arena, cut(f, &f->whole.set, false, true, false),
				 &f->key.public_key, &once));
	assert_ok(changeset_open(&f->arena, cut(f, &once.set, true, true, false),
				 &f->key.public_key, &twice));

	assert_memory_equal(&twice.set.head, &f->whole.set.head, HASH_LEN);
	assert_true(twice.set.changes[0].is_cut && twice.set.changes[1].is_cut);
	assert_int_equal(twice.set.changes[2].count, 2);
}

/* A change that says it is cut, in a set that is whole: nobody signs that. */
static void a_cut_change_in_a_whole_set_is_unreadable(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened opened;
	struct changeset_opened again;
	AUTO(buf_clear) struct buf wire = {0};
	const struct changeset_cut whole = {0};

	assert_ok(changeset_open(&f->arena, cut(f, &f->whole.set, false, true, false),
				 &f->key.public_key, &opened));
	struct signature sig = sign_make(&f->key, CHANGESET_CONTEXT, opened.set.body);

	changeset_frame(opened.set.body, &sig, &whole, &wire);
	assert_ok(changeset_open(&f->arena, buf_bytes(&wire), &f->key.public_key, &again));

	assert_int_equal(again.odd_count, 1);
	assert_int_equal(again.odd[0].change, 1);
	assert_string_equal(again.odd[0].reason, CHANGESET_ODD_CHANGE);
	assert_false(again.set.changes[1].is_cut);
}

static void an_unreadable_change_is_cut_whole(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened opened;
	const struct change *was = &f->whole.set.changes[1];

	f->whole.set.changes[1] = (struct change){.number = was->number};
	assert_ok(changeset_open(&f->arena, cut(f, &f->whole.set, false, true, false),
				 &f->key.public_key, &opened));
	assert_int_equal(opened.odd_count, 0);
	assert_true(opened.set.changes[1].is_cut);
}

static void a_set_at_the_limit_can_be_cut(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_clear) struct buf wire = {0};
	AUTO(buf_clear) struct buf out = {0};
	struct change *changes = arena_alloc_array(&f->arena, LIMIT_CHANGES, sizeof *changes);
	bool *is_cut = arena_alloc_array(&f->arena, LIMIT_CHANGES, sizeof *is_cut);
	AUTO(buf_clear) struct buf body = {0};
	struct changeset_opened opened;
	struct changeset_cut hashes;
	struct hash head;

	/* No writes at all: nothing is gained by cutting. */
	for (size_t i = 0; i < LIMIT_CHANGES; i++) {
		changes[i] = f->changes[0];
		changes[i].count = 0;
		is_cut[i] = true;
	}
	f->head.count = LIMIT_CHANGES;
	assert_ok(changeset_seal(&f->head, changes, &f->key, &wire, &head));
	assert_ok(changeset_open(&f->arena, buf_bytes(&wire), NULL, &opened));
	assert_ok(changeset_cut(&opened.set, is_cut, &body, &hashes));
	changeset_frame(buf_bytes(&body), &opened.set.signature, &hashes, &out);

	assert_true(out.len > wire.len);
	assert_true(out.len <= wire.len + LIMIT_CUT_BYTES);
}

static void one_cut_change_alone_is_read_as_such(void **state)
{
	struct fixture *f = *state;
	AUTO(buf_clear) struct buf out = {0};
	struct change got;
	struct change alone = f->changes[1];

	alone.is_cut = true;
	alone.count = 0;
	change_encode(&alone, &out);
	assert_ok(change_decode(&f->arena, buf_bytes(&out), &got));
	assert_true(got.is_cut);

	/* With writes it is none. */
	buf_reset(&out);
	alone.count = 2;
	change_encode(&alone, &out);
	assert_err(change_decode(&f->arena, buf_bytes(&out), &got), ERR_PROTO);
}

static void the_vector_of_a_cut_set_is_still_made_and_opened(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened opened;
	AUTO(buf_clear) struct buf stored = {0};

	vector_check("v1-changeset-cut", cut(f, &f->whole.set, false, true, false));
	vector_load("v1-changeset-cut", &stored);
	assert_ok(changeset_open(&f->arena, buf_bytes(&stored), &f->key.public_key, &opened));
	assert_true(opened.set.changes[1].is_cut);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_a_cut_change_wrote_is_nowhere_in_the_bytes),
		CASE(a_cut_set_has_the_signature_the_chain_and_the_numbers_of_the_whole_one),
		CASE(another_key_signed_no_cut_set),
		CASE(the_hash_that_was_signed_cannot_be_another),
		CASE(a_set_that_is_cut_can_be_cut_again),
		CASE(a_cut_change_in_a_whole_set_is_unreadable),
		CASE(an_unreadable_change_is_cut_whole),
		CASE(a_set_at_the_limit_can_be_cut),
		CASE(one_cut_change_alone_is_read_as_such),
		CASE(the_vector_of_a_cut_set_is_still_made_and_opened),
	};

	vectors_arguments(argc, argv);
	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("changeset_cut", tests, NULL, NULL);
}
