/*
 * bundle - a contact with the office by file, carried by hand.
 *
 * A file to the office holds every change-set without a receipt, so a lost file costs nothing: the
 * next one holds all of it again. A return file is read by the same steps as answers
 * over the network (sync.h, sync_apply.h), after it has proved to be the office's, for this device,
 * whole, and neither older than what is here nor ahead of it.
 */
#pragma once

#include "client/sync.h"
#include "proto/bundle.h"

struct bundle_made {
	uint64_t number; /* of the file */
	size_t changes;  /* in it */
	size_t changesets;
	int64_t left; /* changes that did not fit: after the return file, another one */
};

/* Seals the drafts, takes a number, appends the whole file. ERR_NOTFOUND: not enrolled. */
enum err bundle_make(struct sync *s, struct rand *rand, struct buf *out,
		     struct bundle_made *ret_made);

enum bundle_outcome {
	BUNDLE_TAKEN,
	BUNDLE_FLAWED,     /* `flaw` says what is wrong; nothing was changed */
	BUNDLE_SUPERSEDED, /* what is here is newer: nothing was changed, nothing was needed */
	BUNDLE_AHEAD, /* it goes on from where this device has never been; nothing was changed */
};

struct bundle_taken {
	enum bundle_outcome outcome;
	enum bundle_flaw flaw;
	uint32_t device;   /* whom a flawed file is for, when it says so */
	uint64_t number;   /* of the file it answers */
	bool has_more;     /* the office has more than went into it, or it was overtaken */
	bool is_overtaken; /* the device has moved on since it asked: only the next file has the
			      rest */
	struct sync_report report;
};

/*
 * Reads a return file. The errors are those of sync_run(): ERR_AUTH (revoked, forked), ERR_PROTO
 * (not believed), the vault's; report tells. What was taken before an error stays taken, as
 * after rounds over the network, and the same file can be read again.
 */
enum err bundle_take(struct sync *s, struct bytes file, struct bundle_taken *ret_taken);
