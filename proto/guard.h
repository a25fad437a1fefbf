/*
 * guard - is this msgpack worth decoding.
 *
 * msgpack-c asks for count * 16 bytes before it looks whether the bytes are
 * there: five hostile bytes make it ask for 128 GiB. So nothing from a peer
 * reaches it before guard_check() has walked the message: every array and map
 * has at least as many bytes left as it announces values, strings fit, depth,
 * node total and lengths are within limits. Pure, no allocation, no recursion.
 */
#pragma once

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

/* Deepest nesting any caller may allow; a scalar alone is depth 0. */
#define GUARD_DEPTH_MAX 32u

struct guard_limits {
	size_t bytes;  /* whole message */
	size_t string; /* one str, bin or ext */
	size_t nodes;
	unsigned depth;
};

/* The limits of proto/limits.h for messages after decompression. */
extern const struct guard_limits guard_wire;

/*
 * ERR_OK: exactly one well-formed value fills `message`. ERR_TOOBIG: over a limit.
 * ERR_PROTO: cut short, trailing bytes, or a byte msgpack does not use.
 */
enum err guard_check(struct bytes message, const struct guard_limits *limits);

/*
 * For bytes that guard_check() has passed: where each value of an array or a map
 * begins and ends, without decoding any.
 */
struct guard_span {
	struct bytes bytes; /* the whole value */
	size_t nodes;       /* values in it, itself included */
};

/* Takes the first value off `*rest`. */
struct guard_span guard_next(struct bytes *rest);
/*
 * Steps into the array or map at the start of `*rest`, which then begins with its
 * first value; a map gives its pairs. False, and nothing moved, when it is not one.
 */
bool guard_enter_array(struct bytes *rest, size_t *ret_count);
bool guard_enter_map(struct bytes *rest, size_t *ret_count);
