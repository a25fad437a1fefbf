/*
 * shape - a message as a table: which key, which kind, where in the struct.
 *
 * One table per message serves both directions, so the encoder and the decoder
 * cannot disagree, and docs/protocol.md has one line for each of its lines. On
 * the wire a struct is a map with integer keys in rising order. Fields with their
 * default (zero, false, empty) are left out unless they are required.
 *
 * Decoding is strict: wrong kind, over a limit, a required key missing, a key
 * twice are errors; unknown keys are skipped, so that later versions may add some.
 * Decoded text and bytes borrow from the message, lists live in the arena. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/err.h"
#include "proto/guard.h"
#include "proto/pack.h"
#include "proto/unpack.h"

enum shape_kind {
	SHAPE_NUMBER, /* uint64_t up to INT64_MAX: every store can hold it */
	SHAPE_CLOCK,  /* uint64_t, all of it */
	SHAPE_UINT32,
	SHAPE_INT, /* int64_t */
	SHAPE_BOOL,
	SHAPE_FIXED, /* uint8_t[max] as bin: ids, hashes, keys */
	SHAPE_TEXT,  /* struct bytes as str, at most `max` bytes */
	SHAPE_BIN,   /* struct bytes as bin, at most `max` bytes */
	SHAPE_VALUE, /* struct value */
	SHAPE_LIST,  /* pointer and size_t count, at most `max` items of `of` */
};

struct shape_field {
	size_t max;
	size_t offset;       /* of the field, or of a list's pointer */
	size_t count_offset; /* of a list's count */
	const struct shape *of;
	enum shape_kind kind;
	uint8_t key;
	bool is_required;
};

struct shape {
	const struct shape_field *fields; /* keys rising, below 64 */
	size_t count;
	size_t size;  /* of the struct */
	bool is_bare; /* the only field stands alone, without a map: lists of numbers or bytes */
};

#define SHAPE_REQUIRED true
#define SHAPE_OPTIONAL false

/* One line of a table: SHAPE_AT(struct msg_sync, 2, SHAPE_INT, SHAPE_REQUIRED, 0, sent_ms) */
#define SHAPE_AT(type, number, what, need, most, member)                               \
	{                                                                              \
		.key = (number), .kind = (what), .is_required = (need), .max = (most), \
		.offset = offsetof(type, member)                                       \
	}
#define SHAPE_LIST_AT(type, number, most, member, counted, shape_of)                       \
	{                                                                                  \
		.key = (number), .kind = SHAPE_LIST, .max = (most),                        \
		.offset = offsetof(type, member), .count_offset = offsetof(type, counted), \
		.of = (shape_of)                                                           \
	}
#define SHAPE_OF(type, table)                                                   \
	{                                                                       \
		.fields = (table), .count = sizeof(table) / sizeof((table)[0]), \
		.size = sizeof(type)                                            \
	}

/* A list's element that stands alone. */
extern const struct shape shape_int64;      /* int64_t */
extern const struct shape shape_bin_record; /* struct bytes up to LIMIT_RECORD_BYTES */
extern const struct shape shape_bin_changeset;

/*
 * Text over its limit is cut between two characters: it is for people. Lists over
 * theirs are a bug of the caller. Bins are written as they are.
 */
void shape_encode(const struct shape *s, const void *message, struct packer *p);

/* Guards `bytes` by `limits`, then decodes into *ret_message (s->size bytes), which
 * is zeroed first. ERR_PROTO, ERR_TOOBIG. */
enum err shape_decode(const struct shape *s, const struct guard_limits *limits, struct arena *a,
		      struct bytes bytes, void *ret_message);
