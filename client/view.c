#include "client/view.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/clock.h"

#define VIEW_JOINED_STEPS 64u /* more is a circle, or as bad */
#define VIETNAM_MS        (INT64_C(7) * 3600000)

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

/* ---- for people ---- */

void view_short_id(const struct id *id, char ret_text[VIEW_ID_LEN])
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	snprintf(ret_text, VIEW_ID_LEN, "%.*s", (int)VIEW_ID_LEN - 1, hex);
}

void view_time(int64_t wall_ms, char ret_text[VIEW_TIME_LEN])
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(wall_ms + VIETNAM_MS, iso);
	snprintf(ret_text, VIEW_TIME_LEN, "%.2s/%.2s/%.4s %.8s", iso + 8, iso + 5, iso, iso + 11);
}

const char *view_sync(enum vault_sync s)
{
	switch (s) {
	case VAULT_DRAFT:
	case VAULT_WAITING: return "chưa gửi";
	case VAULT_SENT: return "đã gửi";
	case VAULT_BACKED_UP: return "đã sao lưu";
	case VAULT_REFUSED: return "bị giữ lại";
	}
	UNREACHABLE();
}

struct bytes view_unit(struct cmd *c, struct arena *a, int64_t unit)
{
	struct bytes name = cmd_unit_name(c, unit);
	struct bytes code = cmd_unit_code(c, a, unit);

	return name.len != 0 ? arena_printf(a, "%.*s %.*s", BYTES_FMT(code), BYTES_FMT(name))
			     : code;
}

static struct bytes title_of(struct cmd *c, struct arena *a, const struct record *r, bool is_inner);

static bool read_reference(const struct value *v, struct id *ret_id)
{
	if (v->kind != VALUE_BYTES || v->bytes.len != ID_LEN)
		return false;
	memcpy(ret_id->bytes, v->bytes.data, ID_LEN);
	return true;
}

/*
 * The record a reference means: where the one it names was joined to another, that one (M6). A
 * record that is not here, or a circle two machines joined at once, stands for itself.
 */
static bool load_referred(struct cmd *c, struct arena *a, struct id *id, struct vault_record *ret)
{
	const struct id named = *id;

	for (size_t i = 0; i < VIEW_JOINED_STEPS; i++) {
		struct id next;

		if (vault_record_load(c->vault, a, id, ret) != ERR_OK)
			return false;
		struct value to = record_value(&ret->body, RECORD_MERGED_INTO);

		if (!read_reference(&to, &next))
			return true;
		*id = next;
	}
	*id = named;
	return vault_record_load(c->vault, a, id, ret) == ERR_OK;
}

/* The title of what the value refers to; its id when it is not here. */
static struct bytes inner_title(struct cmd *c, struct arena *a, const struct value *v)
{
	struct vault_record r;
	struct id id;
	char shown[VIEW_ID_LEN];

	if (!read_reference(v, &id))
		return BYTES_NONE;
	struct bytes title =
		load_referred(c, a, &id, &r) ? title_of(c, a, &r.body, true) : BYTES_NONE;

	if (title.len != 0)
		return title;
	view_short_id(&id, shown);
	return arena_copy(a, bytes_str(shown));
}

static struct bytes view_reference(struct cmd *c, struct arena *a, const struct value *v)
{
	struct bytes title = inner_title(c, a, v);
	struct vault_record r;
	struct id id;
	char shown[VIEW_ID_LEN];

	if (!read_reference(v, &id))
		return BYTES_NONE;
	(void)load_referred(c, a, &id, &r);
	view_short_id(&id, shown);
	return bytes_is(title, shown) ? title
				      : arena_printf(a, "%.*s (%s)", BYTES_FMT(title), shown);
}

static struct bytes view_plain(struct arena *a, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL: return BYTES_NONE;
	case VALUE_BOOL: return v->boolean ? BYTES_LIT("có") : BYTES_LIT("không");
	case VALUE_INT: return arena_printf(a, "%lld", (long long)v->integer);
	case VALUE_TEXT: return v->bytes;
	case VALUE_BYTES: return BYTES_LIT("…");
	}
	UNREACHABLE();
}

struct bytes view_value(struct cmd *c, struct arena *a, const struct schema_field *f,
			const struct value *v)
{
	if (v->kind == VALUE_BYTES && (f == NULL || f->type == FIELD_REFERENCE))
		return view_reference(c, a, v);
	if (f == NULL)
		return view_plain(a, v);
	if (v->kind == VALUE_INT && f->type == FIELD_UNIT)
		return view_unit(c, a, v->integer);
	return validate_show(a, f, v);
}

/* What a title refers to is told by its own title, and there it ends: two records may refer to
 * each other. */
static struct bytes title_of(struct cmd *c, struct arena *a, const struct record *r, bool is_inner)
{
	AUTO(buf_clear) struct buf out = {0};
	const struct schema_type *type = schema_find_type(c->schema, r->type);

	for (size_t i = 0; type != NULL && i < type->count; i++) {
		const struct schema_field *known = &type->fields[i];
		const struct field *f = known->is_title ? record_find(r, known->name) : NULL;

		if (f == NULL || f->value.kind == VALUE_NULL ||
		    (is_inner && known->type == FIELD_REFERENCE))
			continue;
		if (out.len != 0)
			buf_append_str(&out, " · ");
		buf_append_bytes(&out, known->type == FIELD_REFERENCE
					       ? inner_title(c, a, &f->value)
					       : view_value(c, a, known, &f->value));
	}
	return arena_copy(a, buf_bytes(&out));
}

struct bytes view_title(struct cmd *c, struct arena *a, const struct record *r)
{
	return title_of(c, a, r, false);
}

static void line(struct buf *out, struct bytes vi, struct bytes en, struct bytes value)
{
	buf_printf(out, "%.*s / %.*s: %.*s\n", BYTES_FMT(vi), BYTES_FMT(en), BYTES_FMT(value));
}

/* The fields no schema names, which every record may have. */
static void view_system(struct cmd *c, struct arena *a, const struct record *r, struct buf *out)
{
	static const struct {
		const char *name;
		struct bytes vi;
		struct bytes en;
	} shown[] = {
		{RECORD_DELETED, BYTES_LIT("Đã xóa vì"), BYTES_LIT("Deleted, because")},
		{RECORD_VOIDED, BYTES_LIT("Không tính vì"), BYTES_LIT("Voided, because")},
		{RECORD_MERGED_INTO, BYTES_LIT("Đã nhập vào"), BYTES_LIT("Joined to")},
		{RECORD_CORRECTS, BYTES_LIT("Thay cho"), BYTES_LIT("Corrects")},
	};

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		struct value v = record_value(r, shown[i].name);
		/* A later write has brought it back; why it was deleted stays in its field. */
		bool is_over =
			bytes_is(bytes_str(shown[i].name), RECORD_DELETED) && !record_is_deleted(r);

		if (v.kind != VALUE_NULL && !is_over)
			line(out, shown[i].vi, shown[i].en, view_value(c, a, NULL, &v));
	}
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
	line(out, BYTES_LIT("Đơn vị"), BYTES_LIT("Unit"), view_unit(c, &a, record_unit(&r->body)));
	line(out, BYTES_LIT("Tình trạng gửi"), BYTES_LIT("Sync"), bytes_str(view_sync(r->sync)));
	view_system(c, &a, &r->body, out);
	for (size_t i = 0; type != NULL && i < type->count; i++) {
		const struct field *f = record_find(&r->body, type->fields[i].name);

		if (f != NULL && f->value.kind != VALUE_NULL)
			line(out, type->fields[i].label.vi, type->fields[i].label.en,
			     view_value(c, &a, &type->fields[i], &f->value));
	}
}

/* ---- a table of records ---- */

static const struct table_column columns[] = {
	{.key = "id", .label_vi = "Mã", .label_en = "Id", .is_whole = true},
	{.key = "title", .label_vi = "Tên", .label_en = "Title"},
	{.key = "unit", .label_vi = "Đơn vị", .label_en = "Unit"},
	{.key = "sync", .label_vi = "Tình trạng", .label_en = "Sync", .is_whole = true},
};

void view_table_init(struct table *t)
{
	table_init(t, columns, sizeof columns / sizeof *columns);
}

/* What a list says of a record that does not count. */
static const char *remark(const struct record *r)
{
	if (record_is_deleted(r))
		return "đã xóa";
	if (record_is_voided(r))
		return "không tính";
	return record_is_joined(r) ? "đã nhập vào hồ sơ khác" : NULL;
}

static struct bytes title_for_people(struct cmd *c, struct arena *a, const struct record *r)
{
	struct bytes title = view_title(c, a, r);
	const char *why = remark(r);

	return why == NULL ? title : arena_printf(a, "%.*s (%s)", BYTES_FMT(title), why);
}

/* Ids are whole for programs, and as long as they need be for people. */
void view_table_add(struct cmd *c, struct table *t, const struct vault_record *r)
{
	AUTO(arena_clear) struct arena a = {0};
	const bool is_table = c->format == TABLE_TABLE;
	char id[ID_HEX_LEN];

	id_print(&r->body.id, id);
	if (is_table)
		view_short_id(&r->body.id, id);
	struct value cells[] = {
		value_text(bytes_str(id)),
		value_text(is_table ? title_for_people(c, &a, &r->body)
				    : view_title(c, &a, &r->body)),
		value_text(cmd_unit_code(c, &a, record_unit(&r->body))),
		value_text(bytes_str(is_table ? view_sync(r->sync) : vault_sync_name(r->sync))),
	};

	table_add(t, cells);
}

void view_table_print(struct cmd *c, const struct table *t)
{
	if (t->row_count == 0 && c->format == TABLE_TABLE)
		cmd_printf("Không có hồ sơ nào. / No records.\n");
	else
		cmd_print_table(c, t);
}
