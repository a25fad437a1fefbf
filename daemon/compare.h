/*
 * compare - do a device and the daemon hold the same of each unit (docs/protocol.md section 11).
 *
 * Pure over store.h, on the snapshot outgoing_build() answered from. What is compared is worked
 * out from the rows themselves every time: a sum kept beside them would only prove the sum.
 * Measured: 10,000 records of six fields take 24 ms of a pool thread.
 */
#pragma once

#include "common/model/digest.h"
#include "daemon/context.h"
#include "daemon/outgoing.h"

struct store;

/* Units are begun until so many records were read for one request; the others another time. */
#define COMPARE_RECORDS      20000u
/* Of one bucket as it is sent: an answer must stay below LIMIT_PLAIN_BYTES. The device pulls a unit
 * with a larger one anew. */
#define COMPARE_BUCKET_BYTES ((size_t)8 << 20)
/* Requests compared at the same time; pool threads are for everybody. */
#define COMPARE_AT_ONCE      2
#define COMPARE_TEXT_LEN     256u

/* One unit that differs. */
struct compare_unit {
	char code[16];       /* of the unit */
	size_t buckets;      /* that differ */
	uint8_t first;       /* of them */
	size_t buckets_sent; /* fewer, when the budget ended */
	bool is_oversized;   /* one of them is over COMPARE_BUCKET_BYTES: it never can be sent */
	size_t records_sent;
};

struct compared {
	size_t digests; /* given */
	struct compare_unit *units;
	size_t unit_count;
	const struct msg_stray *missing; /* acknowledged records there are not */
	size_t missing_count;
	char text[COMPARE_TEXT_LEN]; /* for the sync log; "": nothing differs */
};

/*
 * Adds digests, buckets, what became of strays, and their records and evictions to the answer, as
 * far as the request asks and the budget goes. Call it after outgoing_build(), in the same
 * snapshot. Lives in `a`. The errors are the store's.
 */
enum err compare_run(const struct context *ctx, struct store *reader, struct arena *a,
		     const struct outgoing_request *request, struct outgoing *owed,
		     struct compared *ret_compared);

/* The digest of one unit as a device sees it that is cleared, or is not. */
enum err compare_digest(struct store *reader, int64_t unit, bool is_cleared,
			struct digest *ret_digest);
