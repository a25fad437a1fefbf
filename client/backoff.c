#include "client/backoff.h"

int64_t backoff_ms(unsigned failures, int64_t asked_ms, struct rand *rand)
{
	int64_t top = BACKOFF_IDLE_MS;

	if (failures != 0) {
		top = BACKOFF_FIRST_MS;
		for (unsigned i = 1; i < failures && top < BACKOFF_MAX_MS; i++)
			top *= 2;
		if (top > BACKOFF_MAX_MS)
			top = BACKOFF_MAX_MS;
	}
	int64_t wait = top / 2 + (int64_t)rand_below(rand, (uint64_t)(top / 2) + 1);

	if (asked_ms > BACKOFF_MAX_MS)
		asked_ms = BACKOFF_MAX_MS;
	/* Jitter on top, else all who were asked to wait come back together. */
	return wait < asked_ms ? asked_ms + (int64_t)rand_below(rand, (uint64_t)asked_ms / 4 + 1)
			       : wait;
}
