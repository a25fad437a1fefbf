/*
 * store_pack - the packed columns of the store: stamps, extra, touched, verdicts.
 *
 * Numbers are LEB128. Pure. What is read back may be damaged: the reader never
 * leaves its bytes, and remembers that something was wrong.
 *
 *   stamps   u8 version 1 | count of writers | writer: u64 BE clock, device, log |
 *            entry per field, by field number: u8 (step-1)<<4 | writer, or u8 0xff, step, writer
 *   extra    entry: len, name | writer | u8 kind | len, bytes (TEXT, BYTES), zigzag (INT), u8
 * (BOOL) touched  log number, then steps to the next one
 */
#pragma once

#include "common/base/buf.h"
#include "common/model/record.h"

#define PACK_VERSION 1u /* of stamps */

/* Numbers of our own fields; the schema's are given from PACK_FIRST_NUMBER on. */
enum {
	PACK_UNIT = 1,
	PACK_MERGED_INTO = 2,
	PACK_CORRECTS = 3, /* events only */
	PACK_FIRST_NUMBER = 8,
};

struct pack_writer {
	uint64_t clock;
	uint32_t device;
	uint64_t log;
};

struct pack_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool is_bad;
};

struct pack_reader pack_open(struct bytes bytes);
static inline bool pack_is_end(const struct pack_reader *r)
{
	return r->at == r->end;
}

void pack_uint(struct buf *out, uint64_t value);
void pack_int(struct buf *out, int64_t value);
void pack_bytes(struct buf *out, struct bytes bytes);
void pack_value(struct buf *out, const struct value *v);
void pack_u64(struct buf *out, uint64_t value);

/* After anything bad all of these give zeros. Bytes borrow from what was opened. */
uint64_t unpack_uint(struct pack_reader *r);
int64_t unpack_int(struct pack_reader *r);
uint8_t unpack_byte(struct pack_reader *r);
uint64_t unpack_u64(struct pack_reader *r);
struct bytes unpack_bytes(struct pack_reader *r);
struct value unpack_value(struct pack_reader *r);

/* One entry of the stamps behind the writers; `*number` starts as 0 and steps forward. */
void pack_entry(struct buf *out, uint64_t step, uint64_t writer);
void unpack_entry(struct pack_reader *r, uint64_t *number, uint64_t *ret_writer);
