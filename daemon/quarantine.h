/*
 * quarantine - what was decided about a change the daemon refused: noted, and told to its device.
 *
 * Inside the writer's transaction. Whether the change is merged is ingest.h's; that an
 * administrator decided is the audit's.
 */
#pragma once

#include "common/base/bytes.h"
#include "common/base/err.h"

struct store;
struct quarantine_row;

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
