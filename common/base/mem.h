/*
 * mem - memory that is there or the process is not.
 *
 * Running out of memory is not an error a caller can mend: mem_* abort. Sizes
 * that a peer controls meet a limit of proto/limits.h before they come here.
 */
#pragma once

#include <stddef.h>

#include "common/base/attr.h"

void *mem_alloc(size_t len);
void *mem_alloc_zero(size_t len);
/* An array of `count` elements of `size` bytes, zeroed; the product is checked. */
void *mem_alloc_array(size_t count, size_t size);
void *mem_realloc(void *p, size_t len);
void *mem_copy(const void *p, size_t len);
char *mem_strdup(const char *text);

/* free() for AUTO: `AUTO(mem_free) char *text = …;` */
void mem_free(void *p);
static inline void mem_free_auto(void *p)
{
	mem_free(*(void **)p);
}
