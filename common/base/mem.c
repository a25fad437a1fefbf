#include "common/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/check.h"

void *mem_alloc(size_t len)
{
	void *p = malloc(len != 0 ? len : 1);

	if (p == NULL)
		check_failed("memory", "malloc", __FILE__, __LINE__);
	return p;
}

void *mem_alloc_zero(size_t len)
{
	return mem_alloc_array(1, len);
}

void *mem_alloc_array(size_t count, size_t size)
{
	void *p = calloc(count != 0 ? count : 1, size != 0 ? size : 1);

	if (p == NULL)
		check_failed("memory", "calloc", __FILE__, __LINE__);
	return p;
}

void *mem_realloc(void *p, size_t len)
{
	void *moved = realloc(p, len != 0 ? len : 1);

	if (moved == NULL)
		check_failed("memory", "realloc", __FILE__, __LINE__);
	return moved;
}

void *mem_copy(const void *p, size_t len)
{
	void *copy = mem_alloc(len);

	if (len != 0)
		memcpy(copy, p, len);
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_copy(text, strlen(text) + 1);
}

void mem_free(void *p)
{
	free(p);
}
