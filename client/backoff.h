/*
 * backoff - how long to wait before the next try. Pure.
 *
 * Doubles from 5 s to 15 min and takes a random point in the upper half, so that a
 * hundred communes whose network came back at once do not all return at once. What
 * the office asked for is the least.
 */
#pragma once

#include "common/base/rand.h"

#define BACKOFF_FIRST_MS INT64_C(5000)
#define BACKOFF_MAX_MS   INT64_C(900000)
/* Between two contacts that went well. */
#define BACKOFF_IDLE_MS  INT64_C(300000)

/* `failures` in a row; 0: the last contact went well. */
int64_t backoff_ms(unsigned failures, int64_t asked_ms, struct rand *rand);
