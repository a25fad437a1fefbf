#include "common/model/value.h"

#include "common/base/check.h"

int value_compare(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	switch (a->kind) {
	case VALUE_NULL: return 0;
	case VALUE_BOOL: return a->boolean - b->boolean;
	case VALUE_INT: return (a->integer > b->integer) - (a->integer < b->integer);
	case VALUE_TEXT:
	case VALUE_BYTES: return bytes_compare(a->bytes, b->bytes);
	}
	UNREACHABLE();
}

bool value_equal(const struct value *a, const struct value *b)
{
	return value_compare(a, b) == 0;
}
