/*
 * office - the office as a device: what an administrator changes is a change-set like any other.
 *
 * Device 0 has numbers, a chain and a key (the daemon's). Its change-sets are sealed here and go
 * through ingest_run(), so that validation, merge, conflicts, log and the fold hold for them
 * unchanged. Their clock is later than anything stored and their base is the present log: an
 * administrator has seen all there is. Pure over store.h.
 *
 * Thread: the writer, inside its transaction.
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/context.h"

struct change;
struct store;

struct office_written {
	bool is_merged;
	uint64_t log; /* of the last change-set; is_merged */
	/* Why not, as a result of the change would have said. */
	size_t refused; /* index of the change */
	struct bytes code;
	struct bytes field;
	struct bytes text;
};

/*
 * Writes them all or none: when one is refused, nothing is written and `ret_written` says which
 * and why. Of each change type, id, writes and author (the administrator, as the audit says) are
 * the caller's; clock, base, number and the order of the writes are set here. Any count. ERR_INVAL:
 * a field twice in one change. ERR_AUTH: the daemon's key is not device 0's. ERR_TOOBIG: a change
 * no change-set can hold. After any error the store is as it was before.
 */
enum err office_write(const struct context *ctx, struct store *store, struct arena *a,
		      struct change *changes, size_t count, struct office_written *ret_written);
