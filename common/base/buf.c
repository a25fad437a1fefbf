#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define BUF_FIRST_CAP 64u

void buf_clear(struct buf *b)
{
	mem_free(b->data);
	*b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
	b->len = 0;
}

uint8_t *buf_reserve(struct buf *b, size_t extra)
{
	size_t want;

	if (__builtin_add_overflow(b->len, extra, &want))
		check_failed("memory", "buf_reserve", __FILE__, __LINE__);
	if (want > b->cap || b->data == NULL) {
		size_t cap = b->cap != 0 ? b->cap : BUF_FIRST_CAP;

		while (cap < want)
			cap = cap < SIZE_MAX / 2 ? cap * 2 : want;
		b->data = mem_realloc(b->data, cap);
		b->cap = cap;
	}
	ENSURE(b->cap - b->len >= extra);
	return b->data + b->len;
}

void buf_append(struct buf *b, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_reserve(b, len), data, len);
	b->len += len;
}

void buf_append_bytes(struct buf *b, struct bytes piece)
{
	buf_append(b, piece.data, piece.len);
}

void buf_append_str(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

void buf_append_byte(struct buf *b, uint8_t byte)
{
	*buf_reserve(b, 1) = byte;
	b->len++;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len <= 0)
		return;
	char *at = (char *)buf_reserve(b, (size_t)len + 1);

	va_start(args, fmt);
	vsnprintf(at, (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
}

const char *buf_cstr(struct buf *b)
{
	*buf_reserve(b, 1) = '\0';
	return (const char *)b->data;
}
