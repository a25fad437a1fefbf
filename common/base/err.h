/*
 * err - the one error type.
 *
 * Every function that can fail for a reason outside the program returns
 * `enum err`; 0 is success. Codes of other libraries (errno, UV_E*,
 * SQLITE_*, CURLE_*) are turned into this enum by the single file that wraps
 * that library, and never travel further. The enum is NODISCARD, so the
 * compiler rejects a caller that drops a result; `(void)f()` says it on purpose.
 *
 * The class, not the code, decides what a caller does: see err_class().
 */
#pragma once

#include "common/base/attr.h"

/* X(name, class, text for people). The order is not on the wire. */
#define ERR_MAP(X)                                          \
	X(OK, NONE, "success")                              \
	X(CANCELED, NONE, "cancelled by us")                \
	X(INVAL, REJECT, "malformed input or setting")      \
	X(PROTO, REJECT, "peer broke the protocol")         \
	X(TOOBIG, REJECT, "over a configured limit")        \
	X(AUTH, REJECT, "not authenticated or not allowed") \
	X(NOTFOUND, REJECT, "no such object")               \
	X(CONFLICT, REJECT, "revision conflict")            \
	X(AGAIN, RETRY, "busy, try later")                  \
	X(TIMEOUT, RETRY, "timed out")                      \
	X(NET, RETRY, "connection failed")                  \
	X(FULL, RETRY, "no space left")                     \
	X(IO, FATAL, "local read or write failed")          \
	X(CORRUPT, FATAL, "stored data is damaged")

enum NODISCARD err {
#define X(name, cls, text) ERR_##name,
	ERR_MAP(X)
#undef X
};

enum err_class {
	ERR_CLASS_NONE,   /* nothing went wrong that needs an answer */
	ERR_CLASS_REJECT, /* the same request will fail again: tell the peer */
	ERR_CLASS_RETRY,  /* time may heal it: back off and try again */
	ERR_CLASS_FATAL,  /* the store cannot be trusted: stop the process */
};

/* Never NULL; safe for any value, also ones read from a peer. */
const char *err_name(enum err e);
const char *err_text(enum err e);
enum err_class err_class(enum err e);

/*
 * Report where an error was born, at debug level, and return it:
 *
 *     return err_raise(ERR_IO, "fsync %s: %s", path, strerror(errno));
 *
 * Used once per failure, at its origin; callers above only `return e`.
 */
#define err_raise(e, ...) err_same((e), err_raise_at((e), __FILE__, __LINE__, __VA_ARGS__))
enum err err_raise_at(enum err e, const char *file, int line, const char *fmt, ...) PRINTF(4, 5);

/* So that a static analyser sees which code comes out of err_raise(). */
static inline enum err err_same(enum err e, enum err told)
{
	(void)told;
	return e;
}
