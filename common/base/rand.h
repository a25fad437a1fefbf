/*
 * rand - randomness as something passed in.
 *
 * rand_system() is libsodium's generator, for keys, ids and nonces. rand_seeded()
 * is for tests and the simulator: the same seed gives the same bytes for ever.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rand {
	void (*fill)(struct rand *r, void *out, size_t len);
	uint64_t state; /* of the seeded one */
};

/* Lives for ever; any thread. */
struct rand *rand_system(void);
void rand_seeded_init(struct rand *r, uint64_t seed);

static inline void rand_fill(struct rand *r, void *out, size_t len)
{
	r->fill(r, out, len);
}

uint64_t rand_u64(struct rand *r);
/* Uniform in 0..bound-1; bound > 0. */
uint64_t rand_below(struct rand *r, uint64_t bound);
