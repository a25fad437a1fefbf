#include "daemon/journal.h"

#include <stdbool.h>
#include <string.h>

struct key {
	const char *key;
	const char *field;
};

/* What a contact came to is its result, whether the line calls it that or a code. */
static const struct key keys[] = {
	{"session", "CTXH_SESSION"}, {"device", "CTXH_DEVICE"}, {"unit", "CTXH_UNIT"},
	{"result", "CTXH_RESULT"},   {"code", "CTXH_RESULT"},   {"error", "CTXH_ERROR"},
};

static const char *field_of(struct bytes key)
{
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (bytes_is(key, keys[i].key))
			return keys[i].field;
	}
	return NULL;
}

static bool is_known(const struct journal_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(fields[i].name, name) == 0)
			return true;
	}
	return false;
}

/* "key=value", 'key="some text"', or a word alone. */
struct pair {
	struct bytes key;
	struct bytes value;
	bool is_text; /* for people: never a field */
};

/* Takes one off the front of the line and returns what is left of it. */
static const char *take_pair(const char *line, struct pair *ret_pair)
{
	const char *at = line + strcspn(line, "= ");
	struct pair p = {.key = bytes_of(line, (size_t)(at - line))};

	if (*at == '=') {
		const char *value = ++at;
		const char *end = *value == '"' ? strchr(value + 1, '"') : NULL;

		p.is_text = *value == '"';
		if (p.is_text)
			at = end != NULL ? end + 1 : value + strlen(value);
		else
			at = value + strcspn(value, " ");
		p.value = bytes_of(value, (size_t)(at - value));
	}
	*ret_pair = p;
	return at + (*at == ' ');
}

size_t journal_fields(const char *line, struct journal_field ret_fields[JOURNAL_FIELDS_MAX])
{
	size_t count = 0;

	while (*line != '\0') {
		struct pair p;
		const char *name;

		line = take_pair(line, &p);
		name = field_of(p.key);
		if (name != NULL && p.value.len != 0 && !p.is_text &&
		    !is_known(ret_fields, count, name))
			ret_fields[count++] = (struct journal_field){name, p.value};
	}
	return count;
}
