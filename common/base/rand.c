#include "common/base/rand.h"

#include <sodium.h>

#include "common/base/check.h"

static void system_fill(struct rand *r, void *out, size_t len)
{
	(void)r;
	randombytes_buf(out, len);
}

struct rand *rand_system(void)
{
	static struct rand system = {system_fill, 0};

	return &system;
}

/* splitmix64: tiny, and every seed gives a full period. */
static uint64_t seeded_next(struct rand *r)
{
	uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static void seeded_fill(struct rand *r, void *out, size_t len)
{
	uint8_t *at = out;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = seeded_next(r);

		for (size_t k = 0; k < 8 && i + k < len; k++)
			at[i + k] = (uint8_t)(word >> (8 * k));
	}
}

void rand_seeded_init(struct rand *r, uint64_t seed)
{
	*r = (struct rand){seeded_fill, seed};
}

uint64_t rand_u64(struct rand *r)
{
	uint8_t raw[8];
	uint64_t value = 0;

	rand_fill(r, raw, sizeof raw);
	for (size_t i = 0; i < sizeof raw; i++)
		value |= (uint64_t)raw[i] << (8 * i);
	return value;
}

uint64_t rand_below(struct rand *r, uint64_t bound)
{
	REQUIRE(bound > 0);
	/* Rejects the short tail, so that every result is equally likely. */
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
	uint64_t value;

	do
		value = rand_u64(r);
	while (value >= limit);
	return value % bound;
}
