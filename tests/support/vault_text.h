/*
 * vault_text - everything a vault holds of people, opened, as one piece of bytes: for tests that
 * look for what must not be there any more.
 */
#pragma once

#include "client/vault.h"

/* Records, own changes, notices, change-sets of this identity and of former ones; a line each,
 * appended. The vault is unlocked. */
enum err vault_text(struct vault *v, struct buf *out);
