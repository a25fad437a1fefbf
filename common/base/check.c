#include "common/base/check.h"

#include <stdio.h>
#include <stdlib.h>

NORETURN void check_failed(const char *kind, const char *expr, const char *file, int line)
{
	fprintf(stderr, "<2>check: %s:%d: %s: %s\n", file, line, kind, expr);
	abort();
}
