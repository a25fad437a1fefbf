/*
 * check - contracts. Always compiled in; a failure logs and aborts.
 *
 * A check states what only a bug could break. What a peer, a disk or an
 * operator can cause is an `enum err`, never a check.
 */
#pragma once

#include "common/base/attr.h"

#define REQUIRE(cond)   CHECK_("requires", cond)  /* the caller's promise */
#define ENSURE(cond)    CHECK_("ensures", cond)   /* this function's promise */
#define INVARIANT(cond) CHECK_("invariant", cond) /* true between calls */
#define UNREACHABLE()   check_failed("unreachable", "", __FILE__, __LINE__)
#define IMPLIES(a, b)   (!(a) || (b))

#define CHECK_(kind, cond) ((cond) ? (void)0 : check_failed(kind, #cond, __FILE__, __LINE__))

NORETURN void check_failed(const char *kind, const char *expr, const char *file, int line);
