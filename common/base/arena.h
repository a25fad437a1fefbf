/*
 * arena - memory that is released all at once.
 *
 * Everything decoded from one request lives in that request's arena; nobody
 * frees parts of it. Zero-initialised is empty and valid. Not thread-safe.
 */
#pragma once

#include "common/base/attr.h"
#include "common/base/bytes.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t used;                /* bytes handed out, for limits and tests */
};

void arena_clear(struct arena *a);
static inline void arena_clear_auto(struct arena *a)
{
	arena_clear(a);
}

/* Aligned for any type; zeroed. Never NULL. */
void *arena_alloc(struct arena *a, size_t len);
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
struct bytes arena_copy(struct arena *a, struct bytes piece);
/* With a NUL behind it. */
char *arena_strdup(struct arena *a, struct bytes piece);
struct bytes arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
