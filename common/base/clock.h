/*
 * clock - time as something passed in, so that tests and the simulator can bend it.
 *
 * wall_ms is the machine's idea of UTC in milliseconds since 1970 and may be
 * wrong by decades or jump (design rule M7); monotonic_ms only grows and is for
 * timeouts. Only clock.c reads the real ones.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct clock {
	int64_t (*wall_ms)(const struct clock *c);
	int64_t (*monotonic_ms)(const struct clock *c);
};

/* The real clocks of this machine. Lives for ever; any thread. */
const struct clock *clock_system(void);

/* Like monotonic_ms of the system's, but goes on while the machine sleeps. */
int64_t clock_boottime_ms(void);

/* A clock a test moves by hand. */
struct clock_fake {
	struct clock clock;
	int64_t wall;
	int64_t monotonic;
};
void clock_fake_init(struct clock_fake *c, int64_t wall_ms);

static inline int64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_ms(c);
}

static inline int64_t clock_monotonic_ms(const struct clock *c)
{
	return c->monotonic_ms(c);
}

/* ISO 8601 UTC, "2026-11-22T02:12:59.123Z", any year 0..9999; NUL-terminated. */
#define CLOCK_ISO_LEN 25u
void clock_print_iso(int64_t wall_ms, char ret_text[CLOCK_ISO_LEN]);

/*
 * Reads "2026-11-22", "2026-11-22T02:12:59[.123](Z|±hh:mm)" (no zone: UTC).
 * ERR_INVAL otherwise.
 */
enum err clock_parse_iso(const char *text, size_t len, int64_t *ret_wall_ms);

/* Days since 1970-01-01 of a civil date (proleptic Gregorian), and back. */
int64_t clock_days_from_civil(int64_t year, int month, int day);
void clock_civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
