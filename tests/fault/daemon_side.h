/*
 * daemon_side - what the fault loops of the daemon look at: what its store holds, and whether it is
 * sound.
 */
#pragma once

#include "daemon/context.h"
#include "daemon/store.h"

/* Everything but who contacted us how often: sync log, invitations given twice, audit of acts done
 * twice. */
struct hash daemon_side_state(struct store *store);
/* Number of broken invariants, each printed. */
size_t daemon_side_verify(const struct context *ctx, struct store *store, const char *folder,
			  struct arena *a);
/* The ground's schema with `with` in place of `at`. */
struct schema *daemon_side_schema(const char *at, const char *with);
