/*
 * offset - how far a clock is off, for people. Pure.
 */
#pragma once

#include <stdint.h>

#include "common/base/buf.h"

/*
 * Appends -4200 as "-4 giây": in the largest unit that leaves two of it, for nobody reads a clock
 * 57 years behind in milliseconds. 0 is "0".
 */
void offset_print(int64_t ms, struct buf *out);
