/* validate_private - what the parts of validation share. Inside common/model/ only. */
#pragma once

#include "common/model/validate.h"

#define DECIMAL_WHOLE_DIGITS    15u
#define DECIMAL_WHOLE_MOST      INT64_C(1000000000000000) /* no overflow while reading too many */
#define DECIMAL_FRACTION_DIGITS 9u

struct decimal {
	bool is_negative;
	int64_t whole;
	struct bytes fraction; /* digits; empty: none */
};

/* Canonical text only: no leading zeros, no trailing ones behind the point, no "-0". */
bool validate_split_decimal(struct bytes text, struct decimal *ret_parts);

/* A day of the calendar. */
bool validate_is_day(int year, int month, int day);

/* Takes one code off a set "A,B"; false when nothing is left. Start with the whole set. */
bool validate_next_code(struct bytes *rest, struct bytes *ret_code);

/* The text of `deleted` and `voided`. */
enum verdict validate_reason(struct bytes name, struct bytes text, struct finding *ret);

/* Fill the finding, when there is one, and return the verdict. */
enum verdict validate_pass(struct finding *f);
enum verdict validate_fail(struct finding *f, enum verdict v, struct bytes field, const char *fmt,
			   ...) PRINTF(4, 5);
enum verdict validate_fail_field(struct finding *ret, const struct schema_field *f, enum verdict v,
				 const char *vi, const char *en);
