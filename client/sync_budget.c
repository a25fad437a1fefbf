#include "client/sync_budget.h"

/* What the next round costs besides its bodies; the first one opens the line. */
static uint64_t overhead(const struct sync_budget *b)
{
	return b->used == 0 ? SYNC_LINE_BYTES + SYNC_ROUND_BYTES : SYNC_ROUND_BYTES;
}

size_t sync_budget_room(const struct sync_budget *b)
{
	uint64_t gone = b->used + overhead(b);

	if (b->limit == 0)
		return SIZE_MAX;
	return gone < b->limit ? (size_t)(b->limit - gone) : 0;
}

void sync_budget_spend(struct sync_budget *b, size_t body_bytes)
{
	/* TLS puts at most 22 bytes around each 16 KiB, and a record may be shorter. */
	b->used += overhead(b) + body_bytes + body_bytes / 256;
}
