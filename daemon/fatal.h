/*
 * fatal - the one way out when the store cannot be trusted any more.
 *
 * A failed read or write, or a damaged file, met by whatever thread: the process ends at once with
 * 70, and the service manager starts it anew, which looks at the disk again from the beginning.
 * Thread: any.
 */
#pragma once

#include "common/base/err.h"

#define FATAL_EXIT 70

/* Returns `e`, unless its class is fatal: then it logs the line and does not return. */
enum err fatal_or(enum err e, const char *doing);
