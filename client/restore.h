/*
 * restore - a value that lost is written again, from the notice that told of it (design rule M2).
 *
 * An ordinary new change of this device: a draft, sent with the next sync. The office closes the
 * conflict when it arrives. Pure over the vault; inside the caller's transaction.
 */
#pragma once

#include "client/entry.h"

enum restore_outcome {
	RESTORE_DONE,
	RESTORE_STANDS,      /* the value stands already: marked, nothing written */
	RESTORE_BEFORE,      /* this notice was restored */
	RESTORE_NO_CONFLICT, /* a notice of another kind: there is no value that lost */
	RESTORE_GONE,        /* the record left this device's scope */
	RESTORE_EVENT,       /* a field of an event is written once (M3): void it, or correct it */
	RESTORE_TYPE,        /* the present schema has no such record type */
};

/* A conflict, or a value that went from a record when it was repaired (sync_compare.h). */
bool restore_has_value(const struct vault_notice *n);
/*
 * Writes the notice's lost value and marks the notice. Outcomes from RESTORE_BEFORE on change
 * nothing. ERR_NOTFOUND: no such notice. ERR_INVAL: the value is not allowed any more, and
 * ret_finding says why.
 */
enum err restore_notice(const struct entry_context *ctx, struct arena *a, int64_t notice,
			enum restore_outcome *ret_outcome, struct finding *ret_finding);
