/*
 * law - the law has records erased: the office erases one as `ctxhctl erase` does, while devices
 * hold it, edit it, carry it by file, and backups still have it.
 *
 * Its file is then swept, now or by a later start; the list of erasures lies beside the backups,
 * and a restore erases again what it names. When nobody gave the list, or the office's disk was
 * lost before the list was written, the order is given once more. In the end O11 of oracle.h holds:
 * texts that people write carry a mark, and the marks of erased records are nowhere.
 */
#pragma once

#include "tests/sim/world.h"

/* The text of a value, as nobody writes it twice. */
struct bytes law_text(const struct world *w, struct arena *a, uint64_t number);

/* One order, perhaps. */
void law_act(struct world *w);
/* The daemon has started: a sweep that is owed is paid. */
void law_start(struct world *w);
/* In the transaction that begins the epoch of a restore. */
void law_restore(struct world *w);
/* All is healed: what was erased and is here again is erased again. True: there was some. */
bool law_settle(struct world *w);
/* O11. */
void law_check(struct world *w);
