#include "common/model/schema.h"

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "common/model/record.h"
#include "common/model/schema_reader.h"
#include "common/model/vntext.h"

void schema_free(struct schema *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->type_count; i++)
		for (size_t j = 0; j < s->types[i].count; j++)
			schema_free_matcher(s->types[i].fields[j].matcher);
	buf_clear(&s->source);
	if (s->memory != NULL)
		arena_clear(s->memory);
	mem_free(s->memory);
	mem_free(s);
}

const struct schema_type *schema_find_type(const struct schema *s, struct bytes name)
{
	size_t low = 0;
	size_t high = s->type_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(name, s->types[middle].name);

		if (order == 0)
			return &s->types[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Equal but for case, blanks and the place of tone marks. */
static bool is_label(struct bytes label, const struct buf *wanted)
{
	AUTO(buf_clear) struct buf key = {0};

	return vntext_key(label, VNTEXT_EXACT, &key) == ERR_OK && key.len == wanted->len &&
	       memcmp(key.data, wanted->data, key.len) == 0;
}

const struct schema_type *schema_find_type_any(const struct schema *s, struct bytes name_or_label)
{
	const struct schema_type *found = schema_find_type(s, name_or_label);
	AUTO(buf_clear) struct buf key = {0};

	if (found != NULL || vntext_key(name_or_label, VNTEXT_EXACT, &key) != ERR_OK ||
	    key.len == 0)
		return found;
	for (size_t i = 0; i < s->type_count; i++)
		if (is_label(s->types[i].label.vi, &key))
			return &s->types[i];
	return NULL;
}

const struct schema_field *schema_find_field(const struct schema_type *t, struct bytes name)
{
	for (size_t i = 0; i < t->count; i++)
		if (bytes_equal(t->fields[i].name, name))
			return &t->fields[i];
	return NULL;
}

const struct schema_field *schema_find_field_any(const struct schema_type *t,
						 struct bytes name_or_label)
{
	const struct schema_field *found = schema_find_field(t, name_or_label);
	AUTO(buf_clear) struct buf key = {0};

	if (found != NULL || vntext_key(name_or_label, VNTEXT_EXACT, &key) != ERR_OK ||
	    key.len == 0)
		return found;
	for (size_t i = 0; i < t->count; i++)
		if (is_label(t->fields[i].label.vi, &key))
			return &t->fields[i];
	return NULL;
}

const struct schema_list *schema_find_list(const struct schema *s, struct bytes name)
{
	size_t low = 0;
	size_t high = s->list_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(name, s->lists[middle].name);

		if (order == 0)
			return &s->lists[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct schema_code *schema_find_code(const struct schema_list *l, struct bytes code)
{
	for (size_t i = 0; i < l->count; i++)
		if (bytes_equal(l->codes[i].code, code))
			return &l->codes[i];
	return NULL;
}

const struct schema_indicator *schema_find_indicator(const struct schema *s, struct bytes id)
{
	for (size_t i = 0; i < s->indicator_count; i++)
		if (bytes_equal(s->indicators[i].id, id))
			return &s->indicators[i];
	return NULL;
}

const char *field_type_name(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT: return "text";
	case FIELD_LONG_TEXT: return "long_text";
	case FIELD_INTEGER: return "integer";
	case FIELD_DECIMAL: return "decimal";
	case FIELD_MONEY: return "money";
	case FIELD_BOOL: return "bool";
	case FIELD_DATE: return "date";
	case FIELD_PARTIAL_DATE: return "partial_date";
	case FIELD_TIME: return "time";
	case FIELD_CODE: return "code";
	case FIELD_CODE_SET: return "code_set";
	case FIELD_REFERENCE: return "reference";
	case FIELD_UNIT: return "unit";
	}
	return "unknown";
}

const char *sensitivity_name(enum sensitivity s)
{
	switch (s) {
	case SENSITIVITY_PUBLIC: return "public";
	case SENSITIVITY_BASIC: return "basic";
	case SENSITIVITY_SENSITIVE: return "sensitive";
	case SENSITIVITY_RESTRICTED: return "restricted";
	}
	return "unknown";
}

/* A set is "A,B"; a single code is a set of one. */
static bool holds_restricted(const struct schema_list *l, struct bytes codes)
{
	while (codes.len != 0) {
		const uint8_t *comma = memchr(codes.data, ',', codes.len);
		size_t len = comma != NULL ? (size_t)(comma - codes.data) : codes.len;
		const struct schema_code *c = schema_find_code(l, bytes_of(codes.data, len));

		if (c != NULL && c->sensitivity == SENSITIVITY_RESTRICTED)
			return true;
		if (comma == NULL)
			return false;
		codes = bytes_of(comma + 1, codes.len - len - 1);
	}
	return false;
}

static bool is_field_restricted(const struct schema_field *f, const struct value *v)
{
	if (v->kind == VALUE_NULL)
		return false;
	if (f->sensitivity == SENSITIVITY_RESTRICTED)
		return true;
	return f->list != NULL && f->list->has_restricted && v->kind == VALUE_TEXT &&
	       holds_restricted(f->list, v->bytes);
}

bool schema_is_restricted(const struct schema *s, const struct record *r)
{
	const struct schema_type *t = schema_find_type(s, r->type);

	if (t == NULL || t->sensitivity == SENSITIVITY_RESTRICTED)
		return true;
	if (!t->may_be_restricted)
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const struct field *field = record_find(r, t->fields[i].name);

		if (field != NULL && is_field_restricted(&t->fields[i], &field->value))
			return true;
	}
	return false;
}
