/*
 * stray - records this device has of an epoch that ended, and that the office has not sent in the
 * new one.
 *
 * A restore from a backup takes from the office what came after it. What this device pulled before
 * then is of an earlier generation until the new pull brings it (struct vault_record). Likewise
 * when everything is pulled anew to mend a difference (sync_compare.h). When that pull is complete,
 * what is left is a stray: perhaps the last copy, until its author's device sends it again. It is
 * kept, asked about by name in every request (docs/protocol.md 11.3), and shown in the inbox. One
 * with changes of ours that the office has not taken is not shown: their answer tells.
 * docs/client-store.md has the rule. Writing functions: inside a transaction of the vault.
 */
#pragma once

#include "client/vault.h"

#define STRAY_KIND "stray" /* of the inbox item */

/* Records a request asks about; the counter of the request turns round which. */
#define STRAY_ASK_MAX 100u

/* Fills the strays of a request, in `a`. Nothing before the pull of the epoch is complete. */
enum err stray_ask(struct vault *v, struct arena *a, struct msg_sync *m);
/* Is there anything to ask about? */
enum err stray_count(struct vault *v, int64_t *ret_count);
/* The generation in force began for a difference that only a whole pull can mend: what it does not
 * bring is told in other words than after a restore. What was told before is told anew. */
enum err stray_begin_repair(struct vault *v);
/* An inbox item for this one. */
enum err stray_tell(struct vault *v, const struct record *record, int64_t at_ms);
/* It came, or is to go: the inbox item goes, accepted or not. `id` NULL: every one. */
enum err stray_settle(struct vault *v, const struct id *id);
