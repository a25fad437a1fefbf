/*
 * bundle - change-sets brought by hand, and what is returned for them.
 *
 * The file's parts are sync requests, merged one after the other in one transaction as the network
 * would bring them; what is returned are their answers. Pure over store.h. daemon/handle_bundle.c
 * runs it: open on a pool thread, merge on the writer's, collect on a pool thread again.
 */
#pragma once

#include "daemon/context.h"
#include "daemon/ingest.h"
#include "daemon/outgoing.h"
#include "daemon/registry.h"
#include "proto/bundle.h"

struct store;

/* One request of the file. */
struct bundle_part {
	struct msg_sync message;
	struct changeset_opened *sets;
	struct bytes *packed; /* their bodies, as the log keeps them */
	struct ingest_result result;
};

struct bundle {
	struct bundle_head head;
	struct registry_device device;
	uint64_t number; /* of the file */
	struct bundle_part *parts;
	size_t part_count;
	size_t changeset_count; /* in the file */
	size_t merged;          /* parts that went through ingest; the last may have ended it */
	struct ingest_result total;
	struct outgoing_stats stats;
	bool has_more; /* not all the device is owed went into the return file */
};

/*
 * Everything about the file that needs no store: whose it is, whether it can be read, whether every
 * change-set is signed by that device. `ret_bundle` holds head and device as far as they are known
 * also when there is a flaw. BUNDLE_OTHER_DEVICE: no such device here.
 */
enum bundle_flaw bundle_open(const struct context *ctx, struct arena *a, struct bytes file,
			     struct bundle *ret_bundle);

/* Writer thread, inside the transaction. Fills the results. */
enum err bundle_merge(const struct context *ctx, struct store *store, struct arena *a,
		      uint64_t session, struct bundle *b);

/*
 * On a reading connection and one snapshot, after the commit: appends the return file. Not for a
 * device that was refused. ERR_TOOBIG and the store's.
 */
enum err bundle_collect(const struct context *ctx, struct store *reader, struct bundle *b,
			struct buf *out);
