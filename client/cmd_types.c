#include <stdio.h>

#include "client/cmd.h"
#include "common/base/check.h"

/* Of JSON and CSV; people get fewer, in Vietnamese. */
static const struct table_column type_columns[] = {
	{.key = "type", .label_vi = "Loại", .label_en = "Type"},
	{.key = "kind", .label_vi = "Kiểu", .label_en = "Kind"},
	{.key = "vi", .label_vi = "Tên", .label_en = "Vietnamese"},
	{.key = "en", .label_vi = "Tên tiếng Anh", .label_en = "English"},
	{.key = "sensitivity", .label_vi = "Mức nhạy cảm", .label_en = "Sensitivity"},
	{.key = "fields", .label_vi = "Số trường", .label_en = "Fields", .type = TABLE_INT},
};

static struct value text(const char *s)
{
	return value_text(bytes_str(s));
}

static const struct table_column type_people_columns[] = {
	{.key = "type", .label_vi = "Loại", .label_en = "Type", .is_whole = true},
	{.key = "vi", .label_vi = "Tên", .label_en = "Vietnamese"},
	{.key = "kind", .label_vi = "Kiểu", .label_en = "Kind", .is_whole = true},
	{.key = "sensitivity", .label_vi = "Bảo mật", .label_en = "Secrecy", .is_whole = true},
};

static const char *sensitivity_for_people(enum sensitivity s)
{
	switch (s) {
	case SENSITIVITY_PUBLIC: return "công khai";
	case SENSITIVITY_BASIC: return "cơ bản";
	case SENSITIVITY_SENSITIVE: return "nhạy cảm";
	case SENSITIVITY_RESTRICTED: return "hạn chế";
	}
	UNREACHABLE();
}

static void types_for_people(struct cmd *c)
{
	AUTO(table_clear) struct table t = {0};

	table_init(&t, type_people_columns,
		   sizeof type_people_columns / sizeof *type_people_columns);
	for (size_t i = 0; i < c->schema->type_count; i++) {
		const struct schema_type *s = &c->schema->types[i];
		const struct value cells[] = {
			value_text(s->name),
			value_text(s->label.vi),
			text(s->kind == SCHEMA_EVENT ? "sự kiện" : "hồ sơ"),
			text(sensitivity_for_people(s->sensitivity)),
		};

		table_add(&t, cells);
	}
	cmd_print_table(c, &t);
}

int cmd_types(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	struct cmd *c = context;
	int exit;

	(void)args;
	if (!cmd_read_format(c, &exit) || !cmd_open(c, &exit))
		return exit;
	if (c->format == TABLE_TABLE) {
		types_for_people(c);
		return ARGS_EXIT_DONE;
	}
	table_init(&t, type_columns, sizeof type_columns / sizeof *type_columns);
	for (size_t i = 0; i < c->schema->type_count; i++) {
		const struct schema_type *s = &c->schema->types[i];
		const struct value cells[] = {
			value_text(s->name),
			text(s->kind == SCHEMA_EVENT ? "event" : "register"),
			value_text(s->label.vi),
			value_text(s->label.en),
			text(sensitivity_name(s->sensitivity)),
			value_int((int64_t)s->count),
		};

		table_add(&t, cells);
	}
	cmd_print_table(c, &t);
	return ARGS_EXIT_DONE;
}

static const struct table_column field_columns[] = {
	{.key = "field", .label_vi = "Trường", .label_en = "Field"},
	{.key = "vi", .label_vi = "Tên", .label_en = "Vietnamese"},
	{.key = "en", .label_vi = "Tên tiếng Anh", .label_en = "English"},
	{.key = "kind", .label_vi = "Kiểu", .label_en = "Kind"},
	{.key = "required", .label_vi = "Bắt buộc", .label_en = "Required", .type = TABLE_BOOL},
	{.key = "list", .label_vi = "Danh mục", .label_en = "List"},
	{.key = "target", .label_vi = "Chỉ đến", .label_en = "Target"},
	{.key = "codes", .label_vi = "Mã", .label_en = "Codes", .type = TABLE_LIST},
};

static struct value codes_of(struct cmd *c, const struct schema_list *list)
{
	AUTO(buf_clear) struct buf out = {0};

	if (list == NULL)
		return VALUE_NONE;
	for (size_t i = 0; i < list->count; i++) {
		if (i != 0)
			buf_append_str(&out, ",");
		buf_append_bytes(&out, list->codes[i].code);
	}
	return value_text(arena_copy(&c->arena, buf_bytes(&out)));
}

/* ---- for people ---- */

/* The name to type is never cut; codes come under the table. */
static const struct table_column people_columns[] = {
	{.key = "field", .label_vi = "Trường", .label_en = "Field", .is_whole = true},
	{.key = "vi", .label_vi = "Tên", .label_en = "Vietnamese"},
	{.key = "kind", .label_vi = "Kiểu", .label_en = "Kind", .is_whole = true},
	{.key = "required", .label_vi = "Bắt buộc", .label_en = "Required"},
};

static const char *kind_for_people(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT: return "chữ";
	case FIELD_LONG_TEXT: return "đoạn văn";
	case FIELD_INTEGER: return "số nguyên";
	case FIELD_DECIMAL: return "số";
	case FIELD_MONEY: return "tiền (đồng)";
	case FIELD_BOOL: return "có, không";
	case FIELD_DATE: return "ngày";
	case FIELD_PARTIAL_DATE: return "ngày, năm, tuổi";
	case FIELD_TIME: return "ngày giờ";
	case FIELD_CODE: return "mã";
	case FIELD_CODE_SET: return "nhiều mã";
	case FIELD_REFERENCE: return "hồ sơ";
	case FIELD_UNIT: return "mã đơn vị";
	}
	UNREACHABLE();
}

static struct value kind_cell(struct cmd *c, const struct schema_field *f)
{
	const char *kind = kind_for_people(f->type);

	return f->target.len == 0
		       ? text(kind)
		       : value_text(arena_printf(&c->arena, "%s %.*s", kind, BYTES_FMT(f->target)));
}

/* "  male  Nam": one a line, because labels are long. */
static void print_codes(const struct schema_field *f)
{
	cmd_printf("\n%.*s, %.*s:\n", BYTES_FMT(f->name), BYTES_FMT(f->label.vi));
	for (size_t i = 0; i < f->list->count; i++)
		cmd_printf("  %-18.*s %.*s\n", BYTES_FMT(f->list->codes[i].code),
			   BYTES_FMT(f->list->codes[i].label.vi));
}

static void show_people(struct cmd *c, const struct schema_type *type)
{
	AUTO(table_clear) struct table t = {0};

	cmd_printf("%.*s: %.*s / %.*s\n\n", BYTES_FMT(type->name), BYTES_FMT(type->label.vi),
		   BYTES_FMT(type->label.en));
	fflush(stdout);
	table_init(&t, people_columns, sizeof people_columns / sizeof *people_columns);
	for (size_t i = 0; i < type->count; i++) {
		const struct schema_field *f = &type->fields[i];
		const struct value cells[] = {value_text(f->name), value_text(f->label.vi),
					      kind_cell(c, f),
					      text(f->is_required ? "bắt buộc" : "")};

		table_add(&t, cells);
	}
	cmd_print_table(c, &t);
	for (size_t i = 0; i < type->count; i++)
		if (type->fields[i].list != NULL)
			print_codes(&type->fields[i]);
}

int cmd_types_show(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	struct cmd *c = context;
	const struct schema_type *type;
	int exit;

	if (!cmd_read_format(c, &exit) || !cmd_open(c, &exit) ||
	    !cmd_find_type(c, args_positional(args, 0), &type, &exit))
		return exit;
	if (c->format == TABLE_TABLE) {
		show_people(c, type);
		return ARGS_EXIT_DONE;
	}
	table_init(&t, field_columns, sizeof field_columns / sizeof *field_columns);
	for (size_t i = 0; i < type->count; i++) {
		const struct schema_field *f = &type->fields[i];
		const struct value cells[] = {
			value_text(f->name),
			value_text(f->label.vi),
			value_text(f->label.en),
			text(field_type_name(f->type)),
			value_bool(f->is_required),
			f->list != NULL ? value_text(f->list->name) : VALUE_NONE,
			f->target.len != 0 ? value_text(f->target) : VALUE_NONE,
			codes_of(c, f->list),
		};

		table_add(&t, cells);
	}
	cmd_print_table(c, &t);
	return ARGS_EXIT_DONE;
}
