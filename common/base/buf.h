/*
 * buf - bytes that grow; owns its memory.
 *
 * Lives inside its owner; zero-initialised is empty and valid. What a peer can
 * append is bounded by the caller before it appends.
 */
#pragma once

#include "common/base/attr.h"
#include "common/base/bytes.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
};

void buf_clear(struct buf *b);
static inline void buf_clear_auto(struct buf *b)
{
	buf_clear(b);
}

/* Empties, keeps the memory. */
void buf_reset(struct buf *b);

/* Room for `extra` bytes more; the pointer is where they go. */
uint8_t *buf_reserve(struct buf *b, size_t extra);
void buf_append(struct buf *b, const void *data, size_t len);
void buf_append_bytes(struct buf *b, struct bytes piece);
void buf_append_str(struct buf *b, const char *text);
void buf_append_byte(struct buf *b, uint8_t byte);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

/* A NUL behind the content (not counted in len); borrowed until the next call. */
const char *buf_cstr(struct buf *b);

static inline struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){b->data, b->len};
}
