/*
 * pack - msgpack written into a buf, with one check at the end.
 *
 * The first failure sticks: later calls do nothing, packer_finish() tells it.
 * Every integer takes its shortest form, so equal messages are equal bytes.
 * Lives on the stack of its caller; borrows the buf until packer_finish(). Pure.
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/value.h"

struct packer {
	struct buf *out;
	size_t start;     /* length of `out` before the first byte */
	size_t max_bytes; /* that may be added */
	enum err error;
};

/* Appends to `out`. ERR_TOOBIG once more than `max_bytes` are added. */
void packer_init(struct packer *p, struct buf *out, size_t max_bytes);
/* On failure `out` is as long as it was before packer_init(). */
enum err packer_finish(struct packer *p);
/* The end of a packer with PACK_UNBOUNDED, which cannot fail. */
#define PACK_UNBOUNDED SIZE_MAX
void packer_done(struct packer *p);
/* Makes the packer fail with `e`, unless it has failed already. */
void packer_fail(struct packer *p, enum err e);

void packer_array(struct packer *p, size_t count);
void packer_map(struct packer *p, size_t count);
void packer_uint(struct packer *p, uint64_t n);
void packer_int(struct packer *p, int64_t n);
void packer_bool(struct packer *p, bool boolean);
void packer_text(struct packer *p, struct bytes text);
void packer_bin(struct packer *p, struct bytes data);
void packer_value(struct packer *p, const struct value *v);
/* What another packer made, as it is. */
void packer_packed(struct packer *p, struct bytes packed);
