#include <stdio.h>
#include <stdlib.h>

#include "client/cmd.h"
#include "common/base/check.h"

static const struct table_column inbox_columns[] = {
	{.key = "id", .label_vi = "Số", .label_en = "Number"},
	{.key = "kind", .label_vi = "Loại", .label_en = "Kind"},
	{.key = "record", .label_vi = "Hồ sơ", .label_en = "Record"},
	{.key = "type", .label_vi = "Loại hồ sơ", .label_en = "Record type"},
	{.key = "field", .label_vi = "Trường", .label_en = "Field"},
	{.key = "kept", .label_vi = "Giữ", .label_en = "Kept"},
	{.key = "lost", .label_vi = "Mất", .label_en = "Lost"},
	{.key = "by", .label_vi = "Người ghi", .label_en = "By"},
	{.key = "at", .label_vi = "Lúc", .label_en = "At"},
	{.key = "text", .label_vi = "Nội dung", .label_en = "Text"},
};

/* Our own notices are numbered after the change: "c12"; the office's: "12". */
static struct bytes print_number(struct arena *a, int64_t notice)
{
	return notice < 0 ? arena_printf(a, "c%lld", (long long)-notice)
			  : arena_printf(a, "%lld", (long long)notice);
}

static bool parse_number(const char *text, int64_t *ret_notice)
{
	bool is_own = *text == 'c';
	char *end;
	long long n = strtoll(text + is_own, &end, 10);

	*ret_notice = is_own ? -n : n;
	return n > 0 && *end == '\0';
}

static struct value shown(struct cmd *c, const struct vault_notice *n, const struct value *v)
{
	const struct schema_type *t = schema_find_type(c->schema, n->type);
	const struct schema_field *f = t != NULL ? schema_find_field(t, n->field) : NULL;

	if (v->kind == VALUE_NULL || f == NULL)
		return *v;
	return value_text(cmd_print_value(c, &c->arena, f, v));
}

static void add_notice(struct cmd *c, struct table *t, const struct vault_notice *n)
{
	char id[ID_HEX_LEN];
	char at[CLOCK_ISO_LEN];

	id_print(&n->id, id);
	clock_print_iso(n->at_ms, at);
	const struct value cells[] = {
		value_text(print_number(&c->arena, n->notice)),
		value_text(n->kind),
		id_is_zero(&n->id) ? VALUE_NONE : value_text(bytes_str(id)),
		value_text(n->type),
		n->field.len != 0 ? value_text(n->field) : VALUE_NONE,
		shown(c, n, &n->kept),
		shown(c, n, &n->lost),
		n->by.len != 0 ? value_text(n->by) : VALUE_NONE,
		value_text(bytes_str(at)),
		n->text.len != 0 ? value_text(n->text) : VALUE_NONE,
	};

	table_add(t, cells);
}

int cmd_inbox(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	struct cmd *c = context;
	struct vault_notice *notices = NULL;
	size_t count = 0;
	int exit;

	if (!cmd_read_format(c, &exit) || !cmd_open(c, &exit))
		return exit;
	enum err e = vault_notices(c->vault, &c->arena, args_has(args, "all"), &notices, &count);

	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đọc hộp thư", "reading the inbox");
	table_init(&t, inbox_columns, sizeof inbox_columns / sizeof *inbox_columns);
	for (size_t i = 0; i < count; i++)
		add_notice(c, &t, &notices[i]);
	cmd_print_table(c, &t);
	return ARGS_EXIT_DONE;
}

static bool find_notice(struct cmd *c, const struct args *args, struct vault_notice *ret_notice,
			int *ret_exit)
{
	int64_t number;
	enum err e = ERR_NOTFOUND;

	if (!cmd_open(c, ret_exit))
		return false;
	if (parse_number(args_positional(args, 0), &number))
		e = vault_notice_load(c->vault, &c->arena, number, ret_notice);
	if (e == ERR_NOTFOUND)
		*ret_exit = cmd_fail("không có thông báo số này; xem ctxh inbox",
				     "there is no notice of this number; see ctxh inbox");
	else if (e != ERR_OK)
		*ret_exit = cmd_fail_err(c, e, "đọc hộp thư", "reading the inbox");
	return e == ERR_OK;
}

int cmd_inbox_show(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	AUTO(buf_clear) struct buf out = {0};
	struct cmd *c = context;
	struct vault_notice n;
	int exit;

	if (!cmd_read_format(c, &exit) || !find_notice(c, args, &n, &exit))
		return exit;
	table_init(&t, inbox_columns, sizeof inbox_columns / sizeof *inbox_columns);
	add_notice(c, &t, &n);
	if (c->format == TABLE_JSON) {
		table_print_json_line(&t, 0, &out);
		cmd_write(buf_bytes(&out));
		return ARGS_EXIT_DONE;
	}
	if (c->format == TABLE_CSV) {
		cmd_print_table(c, &t);
		return ARGS_EXIT_DONE;
	}
	for (size_t i = 0; i < t.column_count; i++) {
		const struct value *v = &t.cells[i];

		if (v->kind == VALUE_TEXT)
			cmd_printf("%s / %s: %.*s\n", t.columns[i].label_vi, t.columns[i].label_en,
				   BYTES_FMT(v->bytes));
	}
	return ARGS_EXIT_DONE;
}

int cmd_inbox_accept(void *context, const struct args *args)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct cmd *c = context;
	struct vault_notice n;
	int exit;

	if (!find_notice(c, args, &n, &exit))
		return exit;
	enum err e = vault_begin(c->vault);

	if (e == ERR_OK) {
		txn = c->vault;
		e = vault_notice_accept(c->vault, n.notice);
	}
	if (e == ERR_OK)
		e = vault_commit(c->vault);
	return e == ERR_OK ? ARGS_EXIT_DONE
			   : cmd_fail_err(c, e, "ghi nhận thông báo", "accepting the notice");
}
