/*
 * quarantine - what became of a change the daemon refused: what its device wrote of the record
 * since, and what was decided, which is noted and told to the device.
 *
 * Inside a transaction; deciding, the writer's. Whether the change is merged is ingest.h's; that
 * an administrator decided is the audit's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/model/record.h"

struct store;
struct quarantine_row;

/* Its record as it is now. */
struct quarantine_since {
	/*
	 * The device, or one that took its place, has written every field of the change again and
	 * later, and that went in: the log number of the last of these changes. 0: not so. Then
	 * nothing of the refused change is lost by discarding it.
	 */
	uint64_t mended_by;
	/*
	 * Letting it in would put an old value in the place of one its device has written since: of
	 * an event the first write stays (M3), and by its stamp it was the first.
	 */
	bool would_displace;
	struct record now; /* count 0: there is none */
};
enum err quarantine_look(struct store *s, struct arena *a, const struct quarantine_row *row,
			 struct quarantine_since *ret_since);

#define QUARANTINE_REPLAYED  "replayed"
#define QUARANTINE_DISCARDED "discarded"

struct quarantine_decision {
	const char *state; /* one of the above */
	struct bytes why;  /* kept with the row */
	struct bytes by;   /* who decided; empty: nobody, it went by itself */
	struct bytes text; /* for the people at the device */
	int64_t at_ms;
};

/* The row gets its state; its device a notice of kind "decided" that names the change, which ends
 * its waiting there. ERR_NOTFOUND: no such row. */
enum err quarantine_decide(struct store *s, const struct quarantine_row *row,
			   const struct quarantine_decision *decision);
/*
 * A discarded row is open again, and may be replayed. Its device hears so (kind "reopened"), and
 * does not lay the change over its record again. ERR_NOTFOUND: no such row.
 */
enum err quarantine_reopen(struct store *s, const struct quarantine_row *row, struct bytes by,
			   int64_t at_ms);
