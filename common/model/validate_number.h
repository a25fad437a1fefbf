/*
 * validate_number - numbers and days as people type them. Inside common/model/ only.
 *
 * A dot or a blank groups thousands, a comma is the decimal mark; a dot that cannot
 * group ("12.5", "1.2340") is one too. Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/base/bytes.h"

#define TYPED_DIGITS 24u /* of each side: more than any field allows */

struct typed_number {
	bool is_negative;
	char whole[TYPED_DIGITS]; /* no leading zeros, at least one digit */
	size_t whole_len;
	char fraction[TYPED_DIGITS]; /* no trailing zeros */
	size_t fraction_len;
};

/* What follows the number and its blanks is *ret_rest. False: no number. */
bool typed_number_read(struct bytes text, struct typed_number *ret_number, struct bytes *ret_rest);

/* Times ten to the power of `zeros`. False: not whole, or beyond 64 bits. */
bool typed_number_to_integer(const struct typed_number *n, size_t zeros, int64_t *ret_integer);

/* Up to `most` digits at `at`; how many there were. */
size_t typed_digits_read(struct bytes text, size_t at, size_t most, int *ret_number);

struct typed_day {
	int year, month, day;
};

/* "31/12/2020", "31-12-2020", "31.12.2020", "2020-12-31"; bytes read, 0: no date. Any numbers. */
size_t typed_day_read(struct bytes text, struct typed_day *ret_day);
