#define LOG_TAG "labels"

#include "admin/labels.h"

#include <string.h>

struct word {
	const char *code;
	const char *vi;
	enum table_tone tone;
};

/* As the console has them (web/console/js/text.js). */
static const struct word words[] = {
	{"ok", "trọn vẹn", TABLE_GOOD},
	{"partial", "một phần", TABLE_ODD},
	{"refused", "từ chối", TABLE_BAD},
	{"failed", "hỏng", TABLE_BAD},
	{"gap", "thiếu số", TABLE_ODD},
	{"active", "đang dùng", TABLE_GOOD},
	{"fresh", "mới gửi", TABLE_GOOD},
	{"stale", "lâu chưa gửi", TABLE_ODD},
	{"never", "chưa gửi", TABLE_ODD},
	{"forked", "bị tách", TABLE_BAD},
	{"revoked", "đã thu hồi", TABLE_BAD},
	{"open", "chờ quyết định", TABLE_ODD},
	{"kept", "đã giữ", TABLE_PLAIN},
	{"restored", "đã ghi lại", TABLE_PLAIN},
	{"replayed", "đã cho vào", TABLE_PLAIN},
	{"discarded", "không nhận", TABLE_PLAIN},
	{"resent", "đã gửi lại", TABLE_PLAIN},
	{"erased", "đã xóa theo luật", TABLE_PLAIN},
	{"applied", "đã ghi", TABLE_PLAIN},
	{"conflict", "xung đột", TABLE_ODD},
	{"parallel", "ghi song song", TABLE_PLAIN},
	{"landed", "tới sau khi chuyển xã", TABLE_PLAIN},
	{"quarantined", "bị giữ lại", TABLE_ODD},
	{"unknown_field", "trường không có", TABLE_PLAIN},
	{"repeated", "đã có từ trước", TABLE_PLAIN},
	{"out_of_scope", "ngoài các xã của máy", TABLE_ODD},
	{"no_such_unit", "không có đơn vị này", TABLE_ODD},
	{"not_cleared", "chưa được phép (hạn chế)", TABLE_ODD},
	{"too_big", "hồ sơ quá lớn", TABLE_ODD},
	{"wrong_type", "sai kiểu giá trị", TABLE_ODD},
	{"not_nfc", "chữ không đúng chuẩn", TABLE_ODD},
	{"too_long", "quá dài", TABLE_ODD},
	{"out_of_range", "ngoài khoảng cho phép", TABLE_ODD},
	{"no_such_code", "mã không có", TABLE_ODD},
	{"bad_format", "sai dạng", TABLE_ODD},
	{"missing", "thiếu trường hoặc hồ sơ", TABLE_ODD},
	{"unknown_type", "loại hồ sơ không có", TABLE_ODD},
	{"new", "mới", TABLE_GOOD},
	{"change", "đổi", TABLE_PLAIN},
	{"same", "như cũ", TABLE_PLAIN},
	{"sent", "đã gửi", TABLE_GOOD},
	{"network", "mạng", TABLE_PLAIN},
	{"file", "tệp", TABLE_PLAIN},
	{"circle", "gộp vòng vào nhau", TABLE_BAD},
	{"identity_number", "cùng số định danh", TABLE_PLAIN},
	{"name_birth", "cùng tên, ngày sinh", TABLE_PLAIN},
	{"name_year", "cùng tên, năm sinh", TABLE_PLAIN},
	{"name", "cùng tên", TABLE_PLAIN},
	{"distinct", "là hai người", TABLE_PLAIN},
};

/* Fields every record has. */
static const struct word own_fields[] = {
	{"unit", "Đơn vị", TABLE_PLAIN},      {"deleted", "Xóa", TABLE_PLAIN},
	{"voided", "Hủy bỏ", TABLE_PLAIN},    {"merged_into", "Gộp vào", TABLE_PLAIN},
	{"corrects", "Sửa cho", TABLE_PLAIN},
};

/* Keys whose values are such words. */
static const char *const word_keys[] = {"state",    "outcome", "result", "transport",
					"likeness", "asked",   "reason"};
/* Keys whose values are those of the row's field. */
static const char *const value_keys[] = {"old", "new",    "kept",     "lost",
					 "now", "stands", "replaced", "value"};
/* Keys whose values are fields of the row's type. */
static const char *const object_keys[] = {"fields", "now"};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_one_of(const char *key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

const char *labels_word(const char *code)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i].code, code) == 0)
			return words[i].vi;
	return code;
}

/* "một phần: thiếu số" begins with its word. */
static bool begins_with(struct bytes text, const char *word)
{
	const size_t len = strlen(word);

	return text.len >= len && memcmp(text.data, word, len) == 0 &&
	       (text.len == len || text.data[len] == ':');
}

enum table_tone labels_tone(struct bytes text)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (begins_with(text, words[i].code) || begins_with(text, words[i].vi))
			return words[i].tone;
	return TABLE_PLAIN;
}

/* ---- the schema's ---- */

static bool names_any(const json_t *row)
{
	return json_is_string(json_object_get(row, "type")) ||
	       json_is_string(json_object_get(row, "field"));
}

void labels_ask(const struct ctl *ctl, struct labels *ret_labels)
{
	json_t *result = NULL;

	*ret_labels = (struct labels){0};
	if (ctl_call(ctl, "types", NULL, CTL_TIMEOUT_MS, &result) != ARGS_EXIT_DONE)
		return;
	ret_labels->types = json_incref(json_object_get(result, "types"));
	json_decref(result);
}

void labels_load(const struct ctl *ctl, const json_t *rows, struct labels *ret_labels)
{
	bool is_wanted = names_any(rows);

	*ret_labels = (struct labels){0};
	for (size_t i = 0; i < json_array_size(rows) && !is_wanted; i++)
		is_wanted = names_any(json_array_get(rows, i));
	if (is_wanted)
		labels_ask(ctl, ret_labels);
}

void labels_clear(struct labels *l)
{
	json_decref(l->types);
	l->types = NULL;
}

const char *labels_type(const struct labels *l, const char *name)
{
	const char *vi = json_string_value(json_object_get(json_object_get(l->types, name), "vi"));

	return vi != NULL ? vi : name;
}

static const json_t *field_of(const json_t *type, const char *field)
{
	return field != NULL ? json_object_get(json_object_get(type, "fields"), field) : NULL;
}

static const char *field_label(const json_t *type, const char *field)
{
	const char *vi = json_string_value(json_object_get(field_of(type, field), "vi"));

	if (vi != NULL)
		return vi;
	for (size_t i = 0; i < COUNT(own_fields); i++)
		if (strcmp(own_fields[i].code, field) == 0)
			return own_fields[i].vi;
	return field;
}

/* A code, or a set of codes, as labels; anything else as it is. */
static json_t *value_label(const json_t *field, json_t *value)
{
	const json_t *codes = json_object_get(field, "codes");
	json_t *all;

	if (codes == NULL || (!json_is_string(value) && !json_is_array(value)))
		return json_incref(value);
	if (json_is_string(value)) {
		json_t *label = json_object_get(codes, json_string_value(value));

		return json_incref(label != NULL ? label : value);
	}
	all = json_array();
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *one = json_array_get(value, i);
		json_t *label =
			json_is_string(one) ? json_object_get(codes, json_string_value(one)) : NULL;

		json_array_append(all, label != NULL ? label : one);
	}
	return all;
}

/* A key of its own, also where another field is called the same. */
static void put_field(json_t *all, const json_t *type, const char *name, json_t *value)
{
	const char *label = field_label(type, name);
	AUTO(buf_clear) struct buf key = {0};

	buf_append_str(&key, label);
	if (json_object_get(all, label) != NULL)
		buf_printf(&key, " (%s)", name);
	json_object_set_new(all, buf_cstr(&key), value_label(field_of(type, name), value));
}

static json_t *fields_label(const json_t *type, json_t *fields)
{
	json_t *all = json_object();
	const char *name;
	json_t *value;

	json_object_foreach(fields, name, value) put_field(all, type, name, value);
	return all;
}

static json_t *label_of(const json_t *type, const char *field, const char *key, json_t *value)
{
	const char *text = json_string_value(value);

	if (text != NULL && is_one_of(key, word_keys, COUNT(word_keys)))
		return json_string(labels_word(text));
	if (text != NULL && strcmp(key, "type") == 0 && type != NULL)
		return json_incref(json_object_get(type, "vi"));
	if (text != NULL && strcmp(key, "field") == 0)
		return json_string(field_label(type, text));
	if (json_is_object(value) && type != NULL &&
	    is_one_of(key, object_keys, COUNT(object_keys)))
		return fields_label(type, value);
	if (is_one_of(key, value_keys, COUNT(value_keys)))
		return value_label(field_of(type, field), value);
	return json_incref(value);
}

json_t *labels_row(const struct labels *l, const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "type"));
	const json_t *type = name != NULL ? json_object_get(l->types, name) : NULL;
	const char *field = json_string_value(json_object_get(row, "field"));
	/* jansson walks only over what it may change. */
	json_t *own = json_deep_copy(row);
	json_t *shown = json_object();
	const char *key;
	json_t *value;

	json_object_foreach(own, key, value)
		json_object_set_new(shown, key, label_of(type, field, key, value));
	json_decref(own);
	return shown;
}
