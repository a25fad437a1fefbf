/*
 * sync_back - numbers the office has lost are waiting again (docs/client-store.md).
 *
 * It was restored from a backup, or says that there is a gap. The outbox keeps what no backup
 * of the office holds yet: from there each change goes back on top of its record, and a refused
 * one is asked anew. Pure over the vault.
 */
#pragma once

#include "client/sync.h"

/*
 * The office holds our changes only up to `number`: `state` says so afterwards. In the caller's
 * transaction. ERR_NOTFOUND: what comes after is no longer kept; report->missing says how many.
 */
enum err sync_go_back(struct sync *s, int64_t number, struct vault_state *state,
		      struct sync_report *report);
