/*
 * keys - the state folder and the secrets in it.
 *
 * STATE/ is made at the first start (0700) with: `id` (who this daemon is), `sign.key` (Ed25519,
 * signs receipts), `tls.key`, `tls.crt`; files are 0600, written beside, fsynced, renamed. A
 * folder or key file that others can read or write is refused: it may have been copied or changed.
 * `lock` is held while the daemon runs: two on one state would give two answers.
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/crypt.h"
#include "common/base/id.h"

#define KEYS_PATH_LEN 4096u

struct keys {
	int lock; /* descriptor; -1: none */
	struct id daemon;
	struct sign_pair sign;
	char tls_certificate[KEYS_PATH_LEN];
	char tls_key[KEYS_PATH_LEN];
};

/*
 * ERR_AGAIN: another daemon holds the lock. ERR_AUTH: permissions others could use.
 * log_last_detail() says which file and what to do.
 */
enum err keys_open(const char *state, const struct clock *clock, struct rand *rand,
		   struct keys *ret_keys);
/* Wipes the secret, gives the lock back. */
void keys_close(struct keys *k);

/* Writes beside, fsyncs, renames, fsyncs the folder. 0600. */
enum err keys_write_file(const char *folder, const char *name, struct bytes content);
