/*
 * ingest - change-sets become records: what the writer does with a sync request.
 *
 * Pure over store.h: the same code runs in the daemon, in `verify` and in the
 * simulator. Runs inside the writer's transaction: the log row, the states, the
 * conflicts, the quarantine, the device's new number and chain head are all
 * committed together or not at all (design rules M1 to M9).
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/context.h"
#include "proto/changeset.h"
#include "proto/msg.h"

struct store;
struct quarantine_row;

enum ingest_outcome {
	INGEST_OK,     /* every change-set is new or a repeat */
	INGEST_GAP,    /* numbers are missing before one of them: `expected` says which is wanted */
	INGEST_FORKED, /* same number, other content: the device is set aside, changes quarantined
			*/
	INGEST_REFUSED, /* the device may not write (revoked, forked before) */
};

struct ingest_request {
	uint32_t device;
	const struct changeset_opened *sets; /* signatures already verified (pool thread) */
	size_t set_count;
	/* store_pack_body() of each set's body, or NULL: the writer does it then */
	const struct bytes *packed;
	int64_t sent_ms; /* the device's wall clock at sending */
	int64_t now_ms;  /* the daemon's */
	bool is_by_file;
	uint64_t sealed;  /* last change the device says it sealed; 0: it does not say */
	uint64_t counter; /* of the request or the file; 0: none, it may have been overtaken */
	uint64_t session; /* row of the sync log this belongs to */
};

/*
 * What the request's own sets changed, so that the answer need not bring it back: a device whose
 * cursor of a unit is not behind `before` knows all of it up to `until` by its own writes.
 */
struct ingest_own {
	uint64_t until; /* log number of its last new set; 0: everything is to be brought */
	struct ingest_own_unit {
		int64_t unit;
		uint64_t before; /* the unit's log before the request */
	} * units;
	size_t count;
	/* Records it wrote and that are outside the device's scope, or may be: some more than once.
	 * The device has them by its receipt. */
	struct msg_stray *away;
	size_t away_count;
};

struct ingest_result {
	enum ingest_outcome outcome;
	uint64_t expected; /* GAP: the number wanted */
	struct hash chain; /* the device's head, as committed */
	uint64_t number;   /* the device's last number, as committed */
	uint64_t log;      /* greatest log number now */
	struct msg_result *results;
	size_t result_count;
	struct msg_repair *repairs;
	size_t repair_count;
	size_t changeset_count; /* new ones */
	size_t applied;
	size_t conflicts;
	size_t quarantined;
	struct ingest_own own;
};

struct ingest_replayed {
	bool is_merged;
	/* Why not: as a result of the change would have said. */
	struct bytes code;
	struct bytes field;
	struct bytes text;
};

/* Devices that took each other's place, or that of the same one, are one family: the first of it.
 * ERR_NOTFOUND: no such device. */
enum err ingest_find_root(struct store *store, struct arena *a, uint32_t device,
			  uint32_t *ret_root);

/*
 * A quarantined change once more, under its own author and stamp, as an entry of the log of its own
 * kind (M9). What still hinders it is told and nothing is written; one of a fork never gets a
 * clock ahead of the daemon's. The caller decides about the row's state.
 */
enum err ingest_replay(const struct context *ctx, struct store *store, struct arena *a,
		       const struct quarantine_row *row, int64_t now_ms,
		       struct ingest_replayed *ret_replayed);

/*
 * Results live in `a`. ERR_PROTO: a change-set of another device or daemon; other
 * errors are the store's (RETRY or FATAL). After any of them the caller rolls back.
 */
enum err ingest_run(const struct context *ctx, struct store *store, struct arena *a,
		    const struct ingest_request *request, struct ingest_result *ret_result);
