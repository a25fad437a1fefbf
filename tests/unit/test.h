/*
 * test - include this, never <cmocka.h> itself.
 *
 * cmocka needs its four headers first, and `enum err` deserves a failure
 * message with names instead of numbers.
 */
#pragma once

/* cmocka wants this order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "common/base/err.h"

#define UNUSED_STATE void **state __attribute__((unused))

#define assert_ok(expr)        assert_err((expr), ERR_OK)
#define assert_err(expr, want) assert_err_at((expr), (want), #expr, __FILE__, __LINE__)

static inline void assert_err_at(enum err got, enum err want, const char *expr, const char *file,
				 int line)
{
	if (got == want)
		return;
	print_error("%s:%d: %s gave %s, wanted %s\n", file, line, expr, err_name(got),
		    err_name(want));
	_fail(file, line);
}
