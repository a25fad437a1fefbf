/* bytes - a borrowed view of memory; whoever made it says how long it lives. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data; /* may be NULL only when len is 0 */
	size_t len;
};

#define BYTES_NONE ((struct bytes){NULL, 0})

/* A string literal, without its NUL. */
#define BYTES_LIT(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct bytes bytes_of(const void *data, size_t len)
{
	return (struct bytes){data, len};
}

static inline struct bytes bytes_str(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline int bytes_compare(struct bytes a, struct bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len != 0 ? memcmp(a.data, b.data, len) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

static inline int bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline int bytes_is(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_str(text));
}

/* For "%.*s": `printf("%.*s", BYTES_FMT(b))`. */
#define BYTES_FMT(b) (int)(b).len, (const char *)(b).data
