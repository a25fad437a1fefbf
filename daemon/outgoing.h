/*
 * outgoing - what a device is owed: states newer than its cursors, evictions,
 * notices, within its budget (design section 6).
 *
 * Pure over store.h, on a reading connection and one snapshot: what it gives is
 * consistent. Found by unit and log number (schema_sql.h), never by filtering per device.
 * Lanes in a small budget: notices, registers, events.
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/context.h"
#include "daemon/ingest.h"
#include "proto/msg.h"

struct store;

struct outgoing_stats {
	size_t records;
	size_t evictions;
	size_t notices;
};

struct outgoing_request {
	uint32_t device;
	const struct msg_sync *sync;
	/* What it has just brought: left out, but what is outside its scope is evicted. NULL: it
	 * has brought nothing. */
	const struct ingest_own *own;
};

struct outgoing {
	struct msg_synced answer;
	struct outgoing_stats stats;
	size_t left; /* of the budget */
};

/*
 * Fills the downstream part of an answer: records, evictions, notices, cursors,
 * units, included, has_more, is_complete, epoch, now, versions. Lives in `a`. A
 * request of another epoch is answered from cursor zero. The caller has begun the snapshot
 * (store_begin) and fills receipt and results. The budget is of bytes before compression; one log
 * number is always sent whole, so an answer may go beyond it by that. ERR_NOTFOUND: no such
 * device.
 */
enum err outgoing_build(const struct context *ctx, struct store *reader, struct arena *a,
			const struct outgoing_request *request, struct outgoing *ret_outgoing);
