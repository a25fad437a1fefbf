/*
 * digest - do two replicas of a unit hold the same record states.
 *
 * A record's hash covers what record_canonical() covers: type, id, and every field's name, value
 * and stamp; not log numbers, which are each side's own. Records fall into 256 buckets by a hash of
 * their id; a bucket is the sum of its records' hashes modulo 2^256, so the order of reading does
 * not matter and nothing has to be held or sorted. The root is a hash over all buckets.
 * docs/protocol.md section 11 has the bytes.
 *
 * Why a sum is safe here: two different sets of records have equal sums by accident with a
 * probability of 2^-256, and unlike with XOR a record that is there twice does not cancel out.
 * Whoever can choose contents could search for sets with equal sums; but the other side is one of
 * our own devices, authenticated, and all it could hide is that its own copy is another. Pure.
 */
#pragma once

#include "common/base/crypt.h"
#include "common/model/record.h"

#define DIGEST_BUCKETS    256u
#define DIGEST_BUCKET_LEN 8u /* of one bucket on the wire: the low-order bytes of its sum */
#define DIGEST_WIRE_LEN   ((size_t)DIGEST_BUCKETS * DIGEST_BUCKET_LEN)

/* Zero-initialised: of no records. */
struct digest {
	uint64_t sums[DIGEST_BUCKETS][4]; /* low-order word first */
	uint64_t count;                   /* records added; not part of the root */
};

/* The bucket a record of this id falls into. */
uint8_t digest_bucket(const struct id *id);
void digest_add(struct digest *d, const struct record *r);
struct hash digest_root(const struct digest *d);
/* All buckets as they travel. */
void digest_print(const struct digest *d, uint8_t ret_wire[DIGEST_WIRE_LEN]);
/* Marks the buckets that are not those of `wire` (DIGEST_WIRE_LEN bytes); how many. */
size_t digest_compare(const struct digest *d, const uint8_t *wire,
		      bool ret_differs[DIGEST_BUCKETS]);
