/* passphrase - from CTXH_PASSPHRASE_FILE or the terminal, never from the command line. */
#pragma once

#include "common/base/buf.h"
#include "common/base/err.h"

#define PASSPHRASE_MIN 4u
#define PASSPHRASE_MAX 1024u

/* ERR_NOTFOUND: no file named and no terminal. The caller wipes it: passphrase_clear(). */
enum err passphrase_read(const char *prompt, struct buf *ret_text);
/* Twice from a terminal, the same both times (ERR_CONFLICT); at least PASSPHRASE_MIN
 * bytes (ERR_INVAL). From the file once. */
enum err passphrase_read_new(struct buf *ret_text);
/* The new one of `ctxh passphrase`: CTXH_NEW_PASSPHRASE_FILE, else the terminal. */
enum err passphrase_read_change(struct buf *ret_text);
void passphrase_clear(struct buf *text);
static inline void passphrase_clear_auto(struct buf *text)
{
	passphrase_clear(text);
}
