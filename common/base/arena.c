#include "common/base/arena.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define ARENA_CHUNK_BYTES 4096u

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t cap;
	_Alignas(max_align_t) uint8_t data[];
};

void arena_clear(struct arena *a)
{
	struct arena_chunk *chunk = a->chunks;

	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;

		mem_free(chunk);
		chunk = next;
	}
	*a = (struct arena){0};
}

void *arena_alloc(struct arena *a, size_t len)
{
	struct arena_chunk *chunk = a->chunks;

	REQUIRE(len < SIZE_MAX / 2);
	len = (len + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	if (chunk == NULL || chunk->cap - chunk->used < len) {
		/* Chunks double, so that a large request costs few of them. */
		size_t cap = chunk != NULL ? chunk->cap * 2 : ARENA_CHUNK_BYTES;

		if (cap < len)
			cap = len;
		chunk = mem_alloc(sizeof *chunk + cap);
		*chunk = (struct arena_chunk){.next = a->chunks, .cap = cap};
		a->chunks = chunk;
	}
	void *p = chunk->data + chunk->used;

	chunk->used += len;
	a->used += len;
	if (len != 0)
		memset(p, 0, len);
	return p;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(count, size, &len))
		check_failed("memory", "arena_alloc_array", __FILE__, __LINE__);
	return arena_alloc(a, len);
}

struct bytes arena_copy(struct arena *a, struct bytes piece)
{
	uint8_t *copy = arena_alloc(a, piece.len);

	if (piece.len != 0)
		memcpy(copy, piece.data, piece.len);
	return (struct bytes){copy, piece.len};
}

char *arena_strdup(struct arena *a, struct bytes piece)
{
	char *copy = arena_alloc(a, piece.len + 1);

	if (piece.len != 0)
		memcpy(copy, piece.data, piece.len);
	return copy;
}

struct bytes arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	REQUIRE(len >= 0);
	char *text = arena_alloc(a, (size_t)len + 1);

	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return (struct bytes){(const uint8_t *)text, (size_t)len};
}
