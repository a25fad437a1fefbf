#include "client/view.h"

#include <jansson.h>
#include <stdlib.h>

#include "common/base/check.h"

static json_t *text_json(struct bytes text)
{
	return json_stringn((const char *)text.data, text.len);
}

static json_t *value_json(struct cmd *c, const struct schema_field *f, const struct value *v)
{
	AUTO(arena_clear) struct arena a = {0};
	char hex[2 * ID_LEN + 1];

	switch (v->kind) {
	case VALUE_NULL: return json_null();
	case VALUE_BOOL: return json_boolean(v->boolean);
	case VALUE_INT:
		return f != NULL && f->type == FIELD_UNIT
			       ? text_json(cmd_unit_code(c, &a, v->integer))
			       : json_integer(v->integer);
	case VALUE_TEXT: return text_json(v->bytes);
	case VALUE_BYTES:
		if (v->bytes.len > ID_LEN)
			return json_null();
		hex_print(v->bytes.data, v->bytes.len, hex);
		return json_string(hex);
	}
	UNREACHABLE();
}

static json_t *fields_json(struct cmd *c, const struct record *r)
{
	const struct schema_type *type = schema_find_type(c->schema, r->type);
	json_t *fields = json_object();

	for (size_t i = 0; i < r->count; i++) {
		const struct field *f = &r->fields[i];
		const struct schema_field *known =
			type != NULL ? schema_find_field(type, f->name) : NULL;
		char name[LIMIT_NAME_BYTES + 1];

		/* These two have keys of their own. */
		if (bytes_is(f->name, RECORD_UNIT) || bytes_is(f->name, RECORD_DELETED) ||
		    f->value.kind == VALUE_NULL || f->name.len > LIMIT_NAME_BYTES)
			continue;
		memcpy(name, f->name.data, f->name.len);
		name[f->name.len] = '\0';
		json_object_set_new(fields, name, value_json(c, known, &f->value));
	}
	return fields;
}

void view_json(struct cmd *c, const struct vault_record *r, struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	char id[ID_HEX_LEN];
	json_t *object = json_object();

	id_print(&r->body.id, id);
	json_object_set_new(object, "id", json_string(id));
	json_object_set_new(object, "type", text_json(r->body.type));
	json_object_set_new(object, "unit", text_json(cmd_unit_code(c, &a, record_unit(&r->body))));
	json_object_set_new(object, "deleted", json_boolean(record_is_deleted(&r->body)));
	json_object_set_new(object, "fields", fields_json(c, &r->body));
	json_object_set_new(object, "sync", json_string(vault_sync_name(r->sync)));
	char *text = json_dumps(object, JSON_COMPACT);

	if (text != NULL)
		buf_append_str(out, text);
	free(text);
	json_decref(object);
}

struct bytes view_title(struct cmd *c, struct arena *a, const struct record *r)
{
	AUTO(buf_clear) struct buf out = {0};
	const struct schema_type *type = schema_find_type(c->schema, r->type);

	for (size_t i = 0; type != NULL && i < type->count; i++) {
		const struct field *f =
			type->fields[i].is_title ? record_find(r, type->fields[i].name) : NULL;

		if (f == NULL || f->value.kind == VALUE_NULL)
			continue;
		if (out.len != 0)
			buf_append_str(&out, " · ");
		buf_append_bytes(&out, cmd_print_value(c, a, &type->fields[i], &f->value));
	}
	return arena_copy(a, buf_bytes(&out));
}

static void line(struct buf *out, struct bytes vi, struct bytes en, struct bytes value)
{
	buf_printf(out, "%.*s / %.*s: %.*s\n", BYTES_FMT(vi), BYTES_FMT(en), BYTES_FMT(value));
}

void view_people(struct cmd *c, const struct vault_record *r, struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct schema_type *type = schema_find_type(c->schema, r->body.type);
	char id[ID_HEX_LEN];

	id_print(&r->body.id, id);
	if (type != NULL)
		buf_printf(out, "%.*s / %.*s\n", BYTES_FMT(type->label.vi),
			   BYTES_FMT(type->label.en));
	line(out, BYTES_LIT("Mã"), BYTES_LIT("Id"), bytes_str(id));
	line(out, BYTES_LIT("Đơn vị"), BYTES_LIT("Unit"),
	     cmd_unit_code(c, &a, record_unit(&r->body)));
	line(out, BYTES_LIT("Tình trạng gửi"), BYTES_LIT("Sync"),
	     bytes_str(vault_sync_name(r->sync)));
	if (record_is_deleted(&r->body))
		line(out, BYTES_LIT("Đã xóa"), BYTES_LIT("Deleted"),
		     record_value(&r->body, RECORD_DELETED).bytes);
	if (record_is_voided(&r->body))
		line(out, BYTES_LIT("Không tính"), BYTES_LIT("Voided"),
		     record_value(&r->body, RECORD_VOIDED).bytes);
	for (size_t i = 0; type != NULL && i < type->count; i++) {
		const struct field *f = record_find(&r->body, type->fields[i].name);

		if (f != NULL && f->value.kind != VALUE_NULL)
			line(out, type->fields[i].label.vi, type->fields[i].label.en,
			     cmd_print_value(c, &a, &type->fields[i], &f->value));
	}
}
