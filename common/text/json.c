/* The JSON of table.h; the only file of this folder that includes jansson. */
#include "common/text/json.h"

#include <jansson.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/id.h"
#include "common/base/mem.h"
#include "common/model/vntext.h"

/* Enough for every decimal a report prints, and 94.6 stays 94.6. */
#define REAL_DIGITS 15

static json_t *text_of(struct bytes text)
{
	AUTO(buf_clear) struct buf clean = {0};
	json_t *json;

	if (text.len == 0)
		return json_string("");
	json = json_stringn((const char *)text.data, text.len);
	if (json != NULL)
		return json;
	/* Not UTF-8: JSON cannot hold it, so what can be read is shown. */
	vntext_show(text, &clean);
	return json_stringn(buf_cstr(&clean), clean.len);
}

static json_t *hex_of(struct bytes bytes)
{
	AUTO(mem_free) char *hex = mem_alloc(2 * bytes.len + 1);

	hex_print(bytes.data, bytes.len, hex);
	return json_string(hex);
}

/* Text that is no number stays text: a listing never fails over one cell. */
static json_t *number_of(struct bytes text)
{
	char digits[64];
	char *end;
	json_t *json;
	double number;

	if (text.len == 0 || text.len >= sizeof digits)
		return text_of(text);
	for (size_t i = 0; i < text.len; i++) {
		if (strchr("0123456789.-", text.data[i]) == NULL || text.data[i] == '\0')
			return text_of(text);
	}
	memcpy(digits, text.data, text.len);
	digits[text.len] = '\0';
	number = strtod(digits, &end);
	json = *end == '\0' ? json_real(number) : NULL;
	return json != NULL ? json : text_of(text);
}

static json_t *list_of(struct bytes text)
{
	json_t *list = json_array();
	size_t start = 0;

	for (size_t i = 0; i <= text.len && text.len != 0; i++) {
		if (i < text.len && text.data[i] != ',')
			continue;
		REQUIRE(json_array_append_new(
				list, text_of(bytes_of(text.data + start, i - start))) == 0);
		start = i + 1;
	}
	return list;
}

static json_t *typed_text_of(enum table_type type, struct bytes text)
{
	switch (type) {
	case TABLE_NUMBER: return number_of(text);
	case TABLE_LIST: return list_of(text);
	case TABLE_TEXT:
	case TABLE_INT:
	case TABLE_BOOL: return text_of(text);
	}
	UNREACHABLE();
}

static json_t *value_of(enum table_type type, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL: return json_null();
	case VALUE_BOOL: return json_boolean(v->boolean);
	case VALUE_INT: return json_integer(v->integer);
	case VALUE_TEXT: return typed_text_of(type, v->bytes);
	case VALUE_BYTES: return hex_of(v->bytes);
	}
	UNREACHABLE();
}

static int append(const char *text, size_t len, void *out)
{
	buf_append(out, text, len);
	return 0;
}

void json_print_row(const struct table_column *columns, size_t count, const struct value *cells,
		    struct buf *out)
{
	json_t *object = json_object();

	for (size_t i = 0; i < count; i++)
		REQUIRE(json_object_set_new(object, columns[i].key,
					    value_of(columns[i].type, &cells[i])) == 0);
	REQUIRE(json_dump_callback(object, append, out, JSON_REAL_PRECISION(REAL_DIGITS)) == 0);
	json_decref(object);
}

void json_use_mem(void)
{
	json_set_alloc_funcs(mem_alloc, mem_free);
}
