/*
 * value - what a field can hold.
 *
 * Five kinds carry every field type of the schema (schema.h says which):
 *
 *   NULL   the field was cleared
 *   BOOL   bool
 *   INT    integer, money (đồng)
 *   TEXT   text and long text (NFC), decimal ("12.5", canonical), date ("2020-12-31"),
 *          partial date (partial_date.h), time ("2020-12-31T07:30:00+07:00"), code,
 *          set of codes ("A,B": sorted by bytes, no doubles, no spaces)
 *   BYTES  reference: the 16 bytes of a record id
 *
 * Pure. Values are small and copied by value; bytes are borrowed from an arena,
 * a request or a store row, as the holder says.
 */
#pragma once

#include <stdbool.h>

#include "common/base/bytes.h"

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_TEXT,
	VALUE_BYTES,
};

struct value {
	enum value_kind kind;
	union {
		bool boolean;
		int64_t integer;
		struct bytes bytes; /* TEXT and BYTES */
	};
};

#define VALUE_NONE ((struct value){.kind = VALUE_NULL})

static inline struct value value_bool(bool boolean)
{
	return (struct value){.kind = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_int(int64_t integer)
{
	return (struct value){.kind = VALUE_INT, .integer = integer};
}

static inline struct value value_text(struct bytes text)
{
	return (struct value){.kind = VALUE_TEXT, .bytes = text};
}

static inline struct value value_bytes(struct bytes bytes)
{
	return (struct value){.kind = VALUE_BYTES, .bytes = bytes};
}

/* Same kind and same content. */
bool value_equal(const struct value *a, const struct value *b);
/* A total order, for canonical encodings and tests; not an order for people. */
int value_compare(const struct value *a, const struct value *b);
