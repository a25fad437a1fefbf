/*
 * sync_apply - what an answer of the office does to the vault. Pure over the vault.
 *
 * Everything in one transaction: states, evictions, notices, cursors, receipt, and
 * the number up to which changes are sent.
 */
#pragma once

#include "client/sync.h"

/* ERR_PROTO: not believed (report->text says why); nothing is changed. */
enum err sync_apply(struct sync *s, const struct vault_identity *identity,
		    const struct msg_synced *answer, int64_t asked_ms, struct sync_report *report);

/* How far `here` is ahead of what the other side said, which may be anything. */
int64_t sync_clock_offset(int64_t here_ms, int64_t there_ms);

/* ---- for sync_repair.c, in the transaction of sync_apply() ---- */

/* `body` is made anew from the office's state and what is still ours alone; then it is put, or
 * removed when it is over. */
enum err sync_put_record(struct sync *s, struct arena *a, uint32_t device, struct vault_record *r);
/* The hybrid clock will be after it. */
void sync_observe(struct vault_state *state, uint64_t clock);
