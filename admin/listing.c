#define LOG_TAG "listing"

#include "admin/listing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/labels.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/text/offset.h"

#define VIETNAM_MS  (INT64_C(7) * 3600000)
/* An import makes many in one millisecond, alike in their first 13 digits. Where 16 were shown, a
 * command that was given them often had to ask which. */
#define ID_SHORT    20u
#define COLUMNS_MAX 256u

/* `len` of "09:12:59". */
static void append_time(struct buf *out, const char *iso, int len)
{
	char local[CLOCK_ISO_LEN];
	int64_t ms;

	if (clock_parse_iso(iso, strlen(iso), &ms) != ERR_OK) {
		buf_append_str(out, iso);
		return;
	}
	clock_print_iso(ms + VIETNAM_MS, local);
	buf_printf(out, "%.2s/%.2s/%.4s %.*s", local + 8, local + 5, local, len, local + 11);
}

static void append_date(struct buf *out, const char *text, size_t len)
{
	if (len == 10)
		buf_printf(out, "%.2s/%.2s/%.4s", text + 8, text + 5, text);
	else
		buf_append(out, text, len);
}

static void append_text(struct buf *out, const char *text, size_t len, enum listing_kind kind)
{
	switch (kind) {
	case LISTING_TIME: append_time(out, text, 8); return;
	case LISTING_MINUTE: append_time(out, text, 5); return;
	case LISTING_DATE: append_date(out, text, len); return;
	case LISTING_ID: buf_append(out, text, len < ID_SHORT ? len : ID_SHORT); return;
	case LISTING_TEXT:
	case LISTING_NUMBER:
	case LISTING_WORD:
	case LISTING_WHOLE_ID:
	case LISTING_STAMP:
	case LISTING_OFFSET:
	case LISTING_FIELDS: break;
	}
	buf_append(out, text, len);
}

static void append_list(struct buf *out, const json_t *list, enum listing_kind kind)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (i != 0)
			buf_append_str(out, ",");
		listing_append_value(out, json_array_get(list, i), kind);
	}
}

static void append_fields(struct buf *out, const json_t *object, const char *between)
{
	/* jansson walks only over what it may change. */
	__attribute__((cleanup(ctl_json_release_auto))) json_t *own = json_deep_copy(object);
	bool is_first = true;
	const char *key;
	json_t *value;

	json_object_foreach(own, key, value)
	{
		buf_printf(out, "%s%s=", is_first ? "" : between, key);
		listing_append_value(out, value, LISTING_FIELDS);
		is_first = false;
	}
}

static void append_object(struct buf *out, const json_t *object, enum listing_kind kind)
{
	AUTO(mem_free) char *text = NULL;

	if (kind == LISTING_STAMP) {
		listing_append_value(out, json_object_get(object, "at"), LISTING_TIME);
		buf_append_str(out, ", máy ");
		listing_append_value(out, json_object_get(object, "device"), LISTING_NUMBER);
		return;
	}
	if (kind == LISTING_FIELDS) {
		append_fields(out, object, "; ");
		return;
	}
	text = json_dumps(object, JSON_COMPACT);
	buf_append_str(out, text != NULL ? text : "");
}

void listing_append_value(struct buf *out, const json_t *value, enum listing_kind kind)
{
	if (value == NULL) {
		buf_append_str(out, "-");
		return;
	}
	switch (json_typeof(value)) {
	case JSON_STRING:
		append_text(out, json_string_value(value), json_string_length(value), kind);
		return;
	case JSON_INTEGER:
		if (kind == LISTING_OFFSET)
			offset_print(json_integer_value(value), out);
		else
			buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return;
	case JSON_REAL: buf_printf(out, "%.15g", json_real_value(value)); return;
	case JSON_TRUE: buf_append_str(out, "có"); return;
	case JSON_FALSE: buf_append_str(out, "không"); return;
	case JSON_ARRAY: append_list(out, value, kind); return;
	case JSON_OBJECT: append_object(out, value, kind); return;
	case JSON_NULL: buf_append_str(out, "-"); return;
	}
}

/* A cell as table.h takes it: numbers stay numbers, so that they stand to the right. */
static struct value cell_of(struct arena *a, const json_t *j, enum listing_kind kind, bool is_table)
{
	AUTO(buf_clear) struct buf text = {0};

	if (j == NULL || json_is_null(j))
		return VALUE_NONE;
	if (json_is_integer(j) && !(is_table && kind == LISTING_OFFSET))
		return value_int(json_integer_value(j));
	if (json_is_boolean(j))
		return value_bool(json_is_true(j));
	listing_append_value(&text, j, is_table ? kind : LISTING_TEXT);
	return value_text(arena_copy(a, buf_bytes(&text)));
}

static bool is_whole(enum listing_kind kind)
{
	switch (kind) {
	case LISTING_TEXT:
	case LISTING_STAMP:
	case LISTING_FIELDS: return false;
	case LISTING_NUMBER:
	case LISTING_WORD:
	case LISTING_TIME:
	case LISTING_MINUTE:
	case LISTING_DATE:
	case LISTING_ID:
	case LISTING_OFFSET:
	case LISTING_WHOLE_ID: break;
	}
	return true;
}

/* Words that say how something stands. */
static enum table_tone tone_of(const struct table_column *c, struct bytes text)
{
	static const char *const keys[] = {"state", "outcome", "result", "asked"};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (strcmp(c->key, keys[i]) == 0)
			return labels_tone(text);
	return TABLE_PLAIN;
}

static struct table_column shown_as(const struct listing_column *c)
{
	return (struct table_column){
		.key = c->key,
		.label_vi = c->label_vi,
		.label_en = c->label_en,
		.type = c->kind == LISTING_NUMBER ? TABLE_INT : TABLE_TEXT,
		.is_whole = is_whole(c->kind),
	};
}

static void print_rows(const struct ctl *ctl, const struct listing_column *columns, size_t count,
		       const json_t *rows, struct buf *out)
{
	const bool is_table = ctl->format == TABLE_TABLE;
	struct table_column shown[COLUMNS_MAX];
	const struct listing_column *from[COLUMNS_MAX];
	struct value cells[COLUMNS_MAX];
	AUTO(arena_clear) struct arena a = {0};
	AUTO(table_clear) struct table t;
	size_t used = 0;

	for (size_t i = 0; i < count && used < COLUMNS_MAX; i++) {
		if (is_table && columns[i].is_csv_only)
			continue;
		from[used] = &columns[i];
		shown[used++] = shown_as(&columns[i]);
	}
	table_init(&t, shown, used);
	t.tone = tone_of;
	for (size_t r = 0; r < json_array_size(rows); r++) {
		const json_t *row = json_array_get(rows, r);

		for (size_t c = 0; c < used; c++)
			cells[c] = cell_of(&a, json_object_get(row, from[c]->key), from[c]->kind,
					   is_table);
		table_add(&t, cells);
	}
	table_print(&t, ctl->format, &ctl->style, out);
}

/* An array with one object a line: reads well, and `grep` works on it. */
static void print_json(const json_t *rows, struct buf *out, bool is_array)
{
	size_t count = json_array_size(rows);

	if (is_array)
		buf_append_str(out, "[");
	for (size_t i = 0; i < count; i++) {
		AUTO(mem_free) char *text = json_dumps(json_array_get(rows, i), 0);

		if (is_array)
			buf_append_str(out, i == 0 ? "\n" : ",\n");
		buf_append_str(out, text != NULL ? text : "null");
		if (!is_array)
			buf_append_str(out, "\n");
	}
	if (is_array)
		buf_append_str(out, count == 0 ? "]\n" : "\n]\n");
}

static void print_for_people(const struct ctl *ctl, const struct listing_column *columns,
			     size_t count, const json_t *rows, struct buf *out)
{
	AUTO(labels_clear) struct labels labels;
	json_t *shown = json_array();

	labels_load(ctl, rows, &labels);
	for (size_t i = 0; i < json_array_size(rows); i++)
		json_array_append_new(shown, labels_row(&labels, json_array_get(rows, i)));
	print_rows(ctl, columns, count, shown, out);
	json_decref(shown);
}

void listing_print(const struct ctl *ctl, const struct listing_column *columns, size_t count,
		   const json_t *rows, struct buf *out)
{
	if (ctl->format == TABLE_JSON)
		print_json(rows, out, true);
	else if (ctl->format == TABLE_TABLE && json_array_size(rows) == 0)
		buf_append_str(out, "Không có gì. / Nothing.\n");
	else if (ctl->format == TABLE_TABLE)
		print_for_people(ctl, columns, count, rows, out);
	else
		print_rows(ctl, columns, count, rows, out);
}

void listing_print_more(const struct ctl *ctl, const struct listing_column *columns, size_t count,
			const json_t *rows, struct buf *out)
{
	if (ctl->format == TABLE_JSON)
		print_json(rows, out, false);
	else if (ctl->format == TABLE_TABLE)
		print_for_people(ctl, columns, count, rows, out);
	else
		print_rows(ctl, columns, count, rows, out);
}

/* A column of nothing but numbers, as far as it has values. */
static bool is_numeric(const json_t *rows, const char *key)
{
	size_t numbers = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *value = json_object_get(json_array_get(rows, i), key);

		if (value != NULL && !json_is_number(value) && !json_is_null(value))
			return false;
		numbers += json_is_number(value);
	}
	return numbers != 0;
}

static struct listing_column column_of_any(const json_t *rows, const char *key)
{
	return (struct listing_column){
		.key = key, .kind = is_numeric(rows, key) ? LISTING_NUMBER : LISTING_TEXT};
}

void listing_print_any(const struct ctl *ctl, const json_t *names, const json_t *rows,
		       struct buf *out)
{
	struct listing_column columns[COLUMNS_MAX];
	size_t count = json_array_size(names);

	if (ctl->format == TABLE_JSON) {
		print_json(rows, out, true);
		return;
	}
	for (size_t i = 0; i < count && i < COLUMNS_MAX; i++)
		columns[i] = column_of_any(rows, json_string_value(json_array_get(names, i)));
	print_rows(ctl, columns, count, rows, out);
}

static void print_object(const struct ctl *ctl, const struct listing_column *columns, size_t count,
			 const json_t *named, struct buf *out)
{
	AUTO(labels_clear) struct labels labels;
	json_t *object;

	labels_load(ctl, named, &labels);
	object = labels_row(&labels, named);
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, columns[i].key);

		buf_printf(out, "%s / %s: ", columns[i].label_vi, columns[i].label_en);
		if (columns[i].kind == LISTING_FIELDS && json_object_size(value) != 0) {
			out->len--; /* the blank that a value would stand behind */
			buf_append_str(out, "\n  ");
			append_fields(out, value, "\n  ");
		} else if (json_is_array(value) && json_array_size(value) == 0) {
			buf_append_str(out, "-");
		} else {
			listing_append_value(out, value, columns[i].kind);
		}
		buf_append_str(out, "\n");
	}
	json_decref(object);
}

void listing_print_object(const struct ctl *ctl, const struct listing_column *columns, size_t count,
			  const json_t *object, struct buf *out)
{
	if (ctl->format == TABLE_JSON) {
		ctl_append_json(out, object);
		return;
	}
	if (ctl->format == TABLE_CSV) {
		json_t *rows = json_pack("[O]", object);

		print_rows(ctl, columns, count, rows, out);
		json_decref(rows);
		return;
	}
	print_object(ctl, columns, count, object, out);
}

int listing_ask(const struct ctl *ctl, const char *command, json_t *take_args,
		const struct listing_column *columns, size_t count)
{
	AUTO(buf_clear) struct buf out = {0};
	json_t *rows = NULL;
	int code = ctl_call(ctl, command, take_args, CTL_TIMEOUT_MS, &rows);

	if (rows == NULL)
		return code;
	listing_print(ctl, columns, count, rows, &out);
	json_decref(rows);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

int listing_ask_one(const struct ctl *ctl, const char *command, json_t *take_args,
		    const struct listing_column *columns, size_t count)
{
	AUTO(buf_clear) struct buf out = {0};
	json_t *object = NULL;
	int code = ctl_call(ctl, command, take_args, CTL_TIMEOUT_MS, &object);

	if (object == NULL)
		return code;
	listing_print_object(ctl, columns, count, object, &out);
	json_decref(object);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
