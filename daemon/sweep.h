/*
 * sweep - after records were erased: the store's file is made anew without its gaps and free pages,
 * and the list of erasures is written where a restore finds it.
 *
 * A deletion owes it in its own transaction (store_owe_sweep()), so a crash before its end is made
 * up for at the next start. It runs alone on the writer's thread, as soon as no backup is being
 * copied and no reader holds the log; on a full disk it is tried again each minute. Thread: loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

struct context;
struct sweep;

/* Looks whether one is owed with the first tick. */
struct sweep *sweep_new(struct context *ctx);
void sweep_free(struct sweep *s);
DEFINE_AUTO(struct sweep *, sweep_free)

/* One is owed now. */
void sweep_begin(struct sweep *s);
/* Every second: begins it when it is due. */
void sweep_tick(struct sweep *s, int64_t now_ms);
/* The writer is busy with it, and not stuck. */
bool sweep_is_running(const struct sweep *s);
