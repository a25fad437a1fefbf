/*
 * epochs - what became of log numbers when the daemon was restored.
 *
 * A restore ends an epoch at the log number the backup held; the numbers above it are given again,
 * to other changes. So a base of an ended epoch is worth no more than where that epoch ended: its
 * author saw what came later there, and not what has those numbers now. An epoch this store never
 * heard of (an older backup was restored after a newer one) shares nobody knows how much: its bases
 * are worth nothing. Either way a write may be told as a conflict that was none; none is lost
 * untold.
 *
 * Kept in table `setting`: "epoch", and "epoch:HEX" for each ended one. Thread: the store's.
 */
#pragma once

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/rand.h"

struct store;

#define EPOCHS_NO_LIMIT INT64_MAX

/* In a transaction: ends the present epoch at `log`, begins a new one. */
enum err epochs_begin(struct store *s, uint64_t log, const struct clock *clock, struct rand *rand,
		      struct id *ret_before, struct id *ret_after);

/* A number of its random bits: two restores of one backup, which know nothing of each other, have
 * two. */
uint32_t epochs_draw(const struct id *epoch);

/*
 * The greatest base that counts in a change-set whose bases belong to `epoch`. EPOCHS_NO_LIMIT: as
 * it is. `epoch` zero: its device has seen nothing yet, or does not say.
 */
enum err epochs_base_limit(struct store *s, const struct id *epoch, uint64_t *ret_limit);
