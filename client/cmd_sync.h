/* cmd_sync - what contacts over the network (cmd_sync.c) and by file (cmd_bundle.c) share. */
#pragma once

#include "client/cmd.h"
#include "client/sync.h"

/* One contact at a time for one home; entries go on meanwhile. A descriptor, which close() gives
 * back, or -1: said already. */
int cmd_sync_lock(struct cmd *c, int *ret_exit);
/* Without one every type is merged as a register. */
bool cmd_sync_schema(struct cmd *c);
/* What went wrong, on stderr; the exit code. */
int cmd_sync_fail(struct cmd *c, enum err e, const struct sync_report *r);
void cmd_sync_print(const struct sync_report *r);
