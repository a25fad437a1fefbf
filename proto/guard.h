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

#include "common/base/bytes.h"
#include "common/base/err.h"

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
