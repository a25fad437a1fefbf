#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "proto/audit.h"

#define AT INT64_C(1795315919123)

static struct sign_pair key;

static int setup(UNUSED_STATE)
{
	const uint8_t seed[32] = {7};

	if (crypt_init() != ERR_OK)
		return -1;
	sign_pair_from_seed(seed, &key);
	return 0;
}

static struct hash hash_from(const char *hex)
{
	struct hash h;

	assert_ok(hex_parse(bytes_str(hex), h.bytes, sizeof h.bytes));
	return h;
}

/* Worked out with another program (Python's hashlib) from what audit.h says. */
static const char entry_1[] = "a5e8a97b703196791a481e2948f6fec44ff6f86b930d10c008593b8f09362f87";
static const char chain_1[] = "a69adcef632adfca6730f7801edec0f22d2c0f089c82012c6b4c690813ff1393";
static const char entry_2[] = "56a83351b965875e0acfda45d69c450339d070c69fe42434e48ed769fb8c720d";
static const char chain_2[] = "934af4f2f74ba766a434e115d48429c1404eb6115b545ec68e3256f132008cdd";

static struct audit_entry first(void)
{
	return (struct audit_entry){.entry = 1,
				    .at_ms = AT,
				    .who = BYTES_LIT("uid:0"),
				    .what = BYTES_LIT("query"),
				    .detail_hash = hash_of(BYTES_LIT("{\"sql\":\"SELECT 1\"}")),
				    .hash = hash_from(entry_1),
				    .chain = hash_from(chain_1)};
}

static struct audit_entry second(void)
{
	static char who[200];

	/* A length of two bytes, a word that is not ASCII, no detail. */
	memset(who, 'x', sizeof who);
	return (struct audit_entry){.entry = 2,
				    .at_ms = AT + 1,
				    .who = bytes_of(who, sizeof who),
				    .what = BYTES_LIT("xóa"),
				    .detail_hash = hash_of(BYTES_NONE),
				    .hash = hash_from(entry_2),
				    .chain = hash_from(chain_2)};
}

static void an_entry_hashes_to_these_bytes(UNUSED_STATE)
{
	struct audit_entry a = first();
	struct audit_entry b = second();
	struct hash ha = audit_hash(a.at_ms, a.who, a.what, &a.detail_hash);
	struct hash hb = audit_hash(b.at_ms, b.who, b.what, &b.detail_hash);

	assert_memory_equal(&ha, &a.hash, HASH_LEN);
	assert_memory_equal(&hb, &b.hash, HASH_LEN);
}

static void lengths_keep_who_and_what_apart(UNUSED_STATE)
{
	struct hash detail = hash_of(BYTES_NONE);
	struct hash a = audit_hash(AT, BYTES_LIT("uid:0"), BYTES_LIT("query"), &detail);
	struct hash b = audit_hash(AT, BYTES_LIT("uid:0q"), BYTES_LIT("uery"), &detail);

	assert_memory_not_equal(&a, &b, HASH_LEN);
}

static void a_chain_takes_its_entries_in_their_order(UNUSED_STATE)
{
	struct audit_chain chain = {0};
	struct audit_entry a = first();
	struct audit_entry b = second();

	assert_false(audit_chain_take(&chain, &b));
	assert_int_equal(chain.entries, 0);
	assert_true(audit_chain_take(&chain, &a));
	assert_false(audit_chain_take(&chain, &a));
	assert_true(audit_chain_take(&chain, &b));
	assert_int_equal(chain.entries, 2);
	assert_memory_equal(&chain.head, &b.chain, HASH_LEN);
}

/* Each field by itself; and the chain stays where it was. */
static void an_entry_that_was_altered_is_not_taken(UNUSED_STATE)
{
	struct audit_entry bad[8];
	struct audit_entry a = first();

	for (size_t i = 0; i < 8; i++)
		bad[i] = a;
	bad[0].entry++;
	bad[1].at_ms++;
	bad[2].who = BYTES_LIT("uid:1");
	bad[3].what = BYTES_LIT("Query");
	bad[4].detail_hash.bytes[31] ^= 1;
	bad[5].hash.bytes[0] ^= 1;
	bad[6].chain.bytes[0] ^= 1;
	/* Altered with its hash mended: then the chain tells. */
	bad[7].who = BYTES_LIT("uid:1");
	bad[7].hash = audit_hash(a.at_ms, bad[7].who, a.what, &a.detail_hash);
	for (size_t i = 0; i < 8; i++) {
		struct audit_chain chain = {0};
		const struct audit_chain untouched = {0};

		assert_false(audit_chain_take(&chain, &bad[i]));
		assert_memory_equal(&chain, &untouched, sizeof chain);
	}
}

/* A whole chain written anew from the altered entry on verifies by itself: the checkpoint is what
 * tells. */
static void a_chain_written_anew_ends_elsewhere(UNUSED_STATE)
{
	struct audit_chain chain = {0};
	struct audit_entry a = first();
	const struct hash pinned = a.chain;

	a.who = BYTES_LIT("uid:1");
	a.hash = audit_hash(a.at_ms, a.who, a.what, &a.detail_hash);
	a.chain =
		hash_of_two(bytes_of(chain.head.bytes, HASH_LEN), bytes_of(a.hash.bytes, HASH_LEN));
	assert_true(audit_chain_take(&chain, &a));
	assert_memory_not_equal(&chain.head, &pinned, HASH_LEN);
}

/* ---- checkpoints ---- */

struct pinned {
	struct audit_checkpoint c;
	struct audit_head heads[2];
};

static struct pinned *make(struct pinned *p)
{
	*p = (struct pinned){.heads = {{.device = 1, .number = 40, .chain = hash_from(entry_1)},
				       {.device = 2, .number = 7, .chain = hash_from(entry_2)}}};
	p->c = (struct audit_checkpoint){.daemon = {{1, 2, 3}},
					 .at_ms = AT,
					 .log = 99,
					 .chain = {2, hash_from(chain_2)},
					 .heads = p->heads,
					 .head_count = 2};
	return p;
}

static void a_checkpoint_is_signed_by_its_daemon(UNUSED_STATE)
{
	const uint8_t seed[32] = {8};
	struct sign_pair other;
	struct pinned p;
	struct signature s = audit_checkpoint_sign(&make(&p)->c, &key);

	sign_pair_from_seed(seed, &other);
	assert_true(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	assert_false(audit_checkpoint_is_signed(&p.c, &other.public_key, &s));
	s.bytes[5] ^= 1;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
}

static void whatever_a_checkpoint_pins_is_signed(UNUSED_STATE)
{
	struct pinned p;
	struct signature s = audit_checkpoint_sign(&make(&p)->c, &key);

	make(&p)->c.daemon.bytes[0] ^= 1;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->c.at_ms++;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->c.log--;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->c.chain.entries--;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->c.chain.head.bytes[31] ^= 1;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->c.head_count = 1;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->heads[0].device = 3;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->heads[1].number++;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	make(&p)->heads[1].chain.bytes[7] ^= 1;
	assert_false(audit_checkpoint_is_signed(&p.c, &key.public_key, &s));
	assert_true(audit_checkpoint_is_signed(&make(&p)->c, &key.public_key, &s));
}

static void a_checkpoint_without_devices_can_be_signed(UNUSED_STATE)
{
	const struct audit_checkpoint c = {.at_ms = AT};
	struct signature s = audit_checkpoint_sign(&c, &key);

	assert_true(audit_checkpoint_is_signed(&c, &key.public_key, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_hashes_to_these_bytes),
		cmocka_unit_test(lengths_keep_who_and_what_apart),
		cmocka_unit_test(a_chain_takes_its_entries_in_their_order),
		cmocka_unit_test(an_entry_that_was_altered_is_not_taken),
		cmocka_unit_test(a_chain_written_anew_ends_elsewhere),
		cmocka_unit_test(a_checkpoint_is_signed_by_its_daemon),
		cmocka_unit_test(whatever_a_checkpoint_pins_is_signed),
		cmocka_unit_test(a_checkpoint_without_devices_can_be_signed),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
