/*
 * secret - a password from a file named by the environment, or typed at the terminal; never from
 * the command line, which others on the machine can read.
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/err.h"

#define SECRET_MAX 256u

/*
 * One line, without its end. ERR_NOTFOUND: `variable` names no file that can be read, and there is
 * no terminal; ERR_TOOBIG; log_last_detail() says which.
 */
enum err secret_read(const char *variable, const char *prompt, struct buf *ret_secret);
/* Wiped before it is released. */
void secret_clear(struct buf *secret);
static inline void secret_clear_auto(struct buf *secret)
{
	secret_clear(secret);
}
