/*
 * decide - the office decides a conflict: the value that stands stays, or the one that lost is
 * written again (design rule M2); and takes a decision back.
 *
 * Restoring is an ordinary change of the office (office.h), and so is taking that back. Both
 * authors' devices are told. What
 * this module leaves to its caller is the audit. Pure over store.h; thread: the writer, inside its
 * transaction.
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/context.h"
#include "daemon/office.h"
#include "daemon/store.h"

enum decide_outcome {
	DECIDE_DONE,
	DECIDE_BEFORE, /* it was decided: row.state, decided_by, decided_ms say how */
	DECIDE_OPEN,   /* reopen: nothing was decided */
	DECIDE_AUTHOR, /* reopen: no decision of the office; row.decided_by wrote the value again */
	DECIDE_EVENT,  /* a field of an event is written once (M3): void it, or correct it */
	DECIDE_CIRCLE, /* `merged_into` would lead back to the record itself */
	DECIDE_REFUSED, /* the change was refused: `written` says why */
};

struct decided {
	enum decide_outcome outcome;
	struct conflict_row row; /* as it is now */
	struct value stands;     /* the field's value now */
	struct value replaced;   /* what stood before; the same when nothing was written */
	bool is_written; /* false: kept, the lost value stood again already, or nothing to put back
			  */
	struct office_written written;
};

/*
 * `who` as the audit says. Any outcome but DECIDE_DONE changes nothing. ERR_NOTFOUND: no such
 * conflict.
 */
enum err decide_keep(const struct context *ctx, struct store *s, struct arena *a, uint64_t conflict,
		     struct bytes who, struct decided *ret_decided);
/* The lost value is written, also when the value that beat it has been replaced since. */
enum err decide_restore(const struct context *ctx, struct store *s, struct arena *a,
			uint64_t conflict, struct bytes who, struct decided *ret_decided);
/*
 * The conflict is open again, as if nobody had decided. What the office restored gives way to the
 * value it had replaced, unless somebody has written since: then what stands, stays.
 */
enum err decide_reopen(const struct context *ctx, struct store *s, struct arena *a,
		       uint64_t conflict, struct bytes who, struct decided *ret_decided);
