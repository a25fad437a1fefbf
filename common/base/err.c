#include "common/base/err.h"

#include <stdarg.h>
#include <stddef.h>

#include "common/base/log.h"

static const struct {
	const char *name;
	enum err_class cls;
	const char *text;
} map[] = {
#define X(name, cls, text) {#name, ERR_CLASS_##cls, text},
	ERR_MAP(X)
#undef X
};

static size_t slot(enum err e)
{
	size_t i = (size_t)e;

	return i < sizeof map / sizeof *map ? i : (size_t)ERR_CORRUPT;
}

const char *err_name(enum err e)
{
	return map[slot(e)].name;
}

const char *err_text(enum err e)
{
	return map[slot(e)].text;
}

enum err_class err_class(enum err e)
{
	return map[slot(e)].cls;
}

enum err err_raise_at(enum err e, const char *file, int line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_raise(err_name(e), file, line, fmt, args);
	va_end(args);
	return e;
}
