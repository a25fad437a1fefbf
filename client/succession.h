/*
 * succession - another identity takes the place of one that the office set aside.
 *
 * Nothing of what this home holds is lost by it: records, inbox, receipts stay; what the office has
 * not taken is sealed anew under the new number and chain, with clocks, authors, bases and epochs
 * as they were. Where numbers are lost that are no longer kept here (the office was restored from
 * a backup too old), their values as they stand in the records are written again. Pure over the
 * vault.
 */
#pragma once

#include "client/sync.h"

struct succession {
	uint32_t former;
	uint32_t device;
	size_t resent;   /* changes sealed anew, drafts not counted */
	size_t rescued;  /* changes made of what stands in the records */
	int64_t missing; /* numbers the office lacks and this home no longer keeps */
};

/*
 * In the caller's transaction; the identity is put, too. `successor` has its key; number and what
 * else the office gave are set here. `former` of the message zero: the office does not know the
 * identity that was (it was restored from a backup older than that), so all that is kept is sent.
 * ERR_PROTO: the answer is for another home, or another office's.
 */
enum err succession_run(struct sync *s, const struct vault_identity *former,
			struct vault_identity *successor, const struct msg_enrolled *m,
			struct succession *ret_done);
