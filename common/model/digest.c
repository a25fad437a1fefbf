#include "common/model/digest.h"

#include "common/base/buf.h"

#define RECORD_CONTEXT "ctxh-digest-v1"
#define ROOT_CONTEXT   "ctxh-digest-root-v1"
#define WORDS          4u

/* With the NUL: no context is the beginning of another. */
#define WITH_NUL(context) bytes_of((context), sizeof(context))

uint8_t digest_bucket(const struct id *id)
{
	return hash_of(bytes_of(id->bytes, ID_LEN)).bytes[0];
}

/* The n-th word of a hash read as a big-endian number, the low-order one first. */
static uint64_t word_of(const struct hash *h, size_t n)
{
	const uint8_t *at = h->bytes + HASH_LEN - 8 * (n + 1);
	uint64_t word = 0;

	for (size_t i = 0; i < 8; i++)
		word = word << 8 | at[i];
	return word;
}

static void add_hash(uint64_t sum[WORDS], const struct hash *h)
{
	uint64_t carry = 0;

	for (size_t i = 0; i < WORDS; i++) {
		bool is_over = __builtin_add_overflow(sum[i], carry, &sum[i]);

		/* Both cannot overflow: after the first the word is zero. */
		carry = is_over | __builtin_add_overflow(sum[i], word_of(h, i), &sum[i]);
	}
}

void digest_add(struct digest *d, const struct record *r)
{
	AUTO(buf_clear) struct buf canonical = {0};

	record_canonical(r, &canonical);
	struct hash h = hash_of_two(WITH_NUL(RECORD_CONTEXT), buf_bytes(&canonical));

	add_hash(d->sums[digest_bucket(&r->id)], &h);
	d->count++;
}

static void put_word(uint64_t word, uint8_t ret_bytes[8])
{
	for (size_t i = 8; i-- > 0; word >>= 8)
		ret_bytes[i] = (uint8_t)word;
}

struct hash digest_root(const struct digest *d)
{
	struct hasher h;

	hasher_start(&h);
	hasher_add(&h, WITH_NUL(ROOT_CONTEXT));
	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		uint8_t sum[HASH_LEN];

		for (size_t n = 0; n < WORDS; n++)
			put_word(d->sums[i][n], sum + HASH_LEN - 8 * (n + 1));
		hasher_add(&h, bytes_of(sum, sizeof sum));
	}
	return hasher_end(&h);
}

void digest_print(const struct digest *d, uint8_t ret_wire[DIGEST_WIRE_LEN])
{
	for (size_t i = 0; i < DIGEST_BUCKETS; i++)
		put_word(d->sums[i][0], ret_wire + i * DIGEST_BUCKET_LEN);
}

size_t digest_compare(const struct digest *d, const uint8_t *wire, bool ret_differs[DIGEST_BUCKETS])
{
	uint8_t own[DIGEST_WIRE_LEN];
	size_t count = 0;

	digest_print(d, own);
	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		const size_t at = i * DIGEST_BUCKET_LEN;

		ret_differs[i] = memcmp(own + at, wire + at, DIGEST_BUCKET_LEN) != 0;
		count += ret_differs[i];
	}
	return count;
}
