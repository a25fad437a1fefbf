/*
 * parts - a msgpack array of a few scalars: the outer layer of all that is signed.
 *
 * Guarded for what it is (one array, nothing nested), so that looking at it costs
 * little before anybody is known to have signed it. Pure.
 */
#pragma once

#include "common/base/crypt.h"
#include "proto/unpack.h"

/* ERR_TOOBIG: more than max_bytes. ERR_PROTO: not an array of exactly `count` scalars. */
enum err parts_open(struct unpacker *u, struct bytes wire, size_t max_bytes, size_t count,
		    const struct node **ret_array);
/* ERR_PROTO: another kind. */
enum err parts_bin(const struct node *array, size_t i, struct bytes *ret_data);
enum err parts_uint(const struct node *array, size_t i, uint64_t max, uint64_t *ret_number);
enum err parts_signature(const struct node *array, size_t i, struct signature *ret_signature);
enum err parts_hash(const struct node *array, size_t i, struct hash *ret_hash);
/* ERR_INVAL: the first part is a number, but not a version we know. */
enum err parts_version(const struct node *array, uint64_t version);
