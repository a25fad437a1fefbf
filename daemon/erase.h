/*
 * erase - takes records out of everything the store keeps, as the law asks (design section 8).
 *
 * Their rows, what conflicts, quarantine, notices and the audit's details say of them, and what
 * changes of them wrote inside the change-sets of the log: the hash of every body stays, so chains
 * and signatures still verify, and every other change of the same sets stays as it was signed. That
 * they were erased is an entry of the log. From then on no change of them goes in.
 *
 * Pure over store.h. Runs inside the writer's transaction: all of it happens or nothing.
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/erasure.h"

struct store;

struct erase_request {
	const struct id *ids;
	size_t count;
	int64_t at_ms;
	struct bytes who;
	struct bytes why;   /* kept: must not name the person */
	struct bytes basis; /* likewise */
};

struct erase_result {
	uint64_t log;        /* of the entry */
	uint64_t records;    /* that had a state */
	uint64_t changesets; /* of the log that were cut */
	uint64_t changes;    /* in them */
	uint64_t audits;     /* whose details went */
};

/* ERR_CONFLICT: `why` or `basis` holds a text of the records, which would stay for ever. */
enum err erase_run(struct store *store, struct arena *a, const struct erase_request *request,
		   struct erase_result *ret_result);

/*
 * What belongs to a record: events that point at it, doubles joined to it, and theirs. Appends to
 * `ids` (of struct id), which begins with the record itself.
 */
enum err erase_collect(struct store *store, struct arena *a, struct buf *ids);
