/* attr - compiler attributes and scope cleanup (GCC and Clang only). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define NODISCARD    [[nodiscard]]
#define NORETURN     __attribute__((noreturn))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/*
 * Scope cleanup. DEFINE_AUTO(struct store *, store_close) once in the header
 * of the type; then `AUTO(store_close) struct store *st = NULL;` closes it on
 * every way out. MOVE(st) hands it on and leaves NULL behind.
 */
#define DEFINE_AUTO(type, fn)                 \
	static inline void fn##_auto(type *p) \
	{                                     \
		if (*p != NULL)               \
			fn(*p);               \
	}
#define AUTO(fn) __attribute__((cleanup(fn##_auto)))

#define MOVE(p)                             \
	__extension__({                     \
		__typeof__(p) moved_ = (p); \
		(p) = NULL;                 \
		moved_;                     \
	})

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
