/*
 * entry - one edit by the person at this machine: checked, stamped, kept as a draft.
 *
 * Pure over the vault, given a clock. Everything between vault_begin() and
 * vault_commit(), which are the caller's, so that an import is one transaction.
 *
 * A record has at most one draft per state of knowledge: an edit is folded into the
 * draft before it when both were made with the same base by the same author. So an
 * event may be edited until it is sealed, and the draft moves to the end of the
 * order, so that clocks rise with the numbers. An edit of a record whose change the
 * office refused takes the refused writes along: it is the mended change. One of a record the
 * office was found to lack (VAULT_GENERATION_MISSING) takes all its fields along. An edit that
 * takes back all that was ours of a record the office has sent away ends the record
 * (rebase_is_over()).
 */
#pragma once

#include "client/vault.h"
#include "common/model/schema.h"
#include "common/model/validate.h"

struct entry_context {
	const struct schema *schema;
	struct vault *vault;
	const struct clock *clock;
	uint32_t device;
	struct bytes author;
	const struct msg_cursor *cursors; /* as stored now */
	size_t cursor_count;
};

/* Reads device, author and cursors into `a`. */
enum err entry_context_load(struct entry_context *ret_ctx, struct vault *v, const struct schema *s,
			    const struct clock *clock, struct arena *a);

enum entry_outcome {
	ENTRY_NEW,
	ENTRY_CHANGED,
	ENTRY_SAME, /* every write says what is there already: nothing kept */
};

/*
 * `change` has type, id and writes; the rest is filled in here. ERR_INVAL: not
 * allowed, and ret_finding says why; nothing is changed.
 */
enum err entry_make(const struct entry_context *ctx, const struct change *change,
		    enum entry_outcome *ret_outcome, struct finding *ret_finding);
/* The same questions asked, nothing written: for a dry run. */
enum err entry_try(const struct entry_context *ctx, const struct change *change,
		   enum entry_outcome *ret_outcome, struct finding *ret_finding);
