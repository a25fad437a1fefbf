#include "client/cmd.h"
#include "client/view.h"
#include "common/text/csv.h"

/* ---- list ---- */

struct condition {
	const struct schema_field *field;
	struct value value;
};

struct listing {
	struct cmd *cmd;
	const struct schema_type *type;
	struct condition *conditions;
	size_t condition_count;
	int64_t limit;
	int64_t count;
	bool with_deleted;
	bool with_restricted;
	struct table table;
	struct buf line;
};

static bool holds(const struct listing *l, const struct record *r)
{
	for (size_t i = 0; i < l->condition_count; i++) {
		const struct condition *k = &l->conditions[i];
		const struct field *f = record_find(r, k->field->name);
		const struct value value = f != NULL ? f->value : VALUE_NONE;

		if (!value_equal(&value, &k->value))
			return false;
	}
	return true;
}

static void list_json(struct listing *l, const struct vault_record *r)
{
	buf_reset(&l->line);
	buf_append_str(&l->line, l->count == 0 ? "[" : ",\n");
	view_json(l->cmd, r, &l->line);
	cmd_write(buf_bytes(&l->line));
}

static void list_csv(struct listing *l, const struct vault_record *r)
{
	AUTO(arena_clear) struct arena a = {0};
	struct csv_writer w = {.out = &l->line, .line_end = "\n"};
	char id[ID_HEX_LEN];

	buf_reset(&l->line);
	id_print(&r->body.id, id);
	csv_write_str(&w, id);
	csv_write(&w, cmd_unit_code(l->cmd, &a, record_unit(&r->body)));
	csv_write_str(&w, vault_sync_name(r->sync));
	for (size_t i = 0; i < l->type->count; i++) {
		const struct field *f = record_find(&r->body, l->type->fields[i].name);

		csv_write(&w, f != NULL
				      ? cmd_print_value(l->cmd, &a, &l->type->fields[i], &f->value)
				      : BYTES_NONE);
	}
	csv_write_end(&w);
	cmd_write(buf_bytes(&l->line));
}

static enum err on_listed(void *arg, const struct vault_record *r)
{
	struct listing *l = arg;

	if (!bytes_equal(r->body.type, l->type->name) || !holds(l, &r->body) ||
	    (!l->with_deleted && (record_is_deleted(&r->body) || record_is_joined(&r->body))) ||
	    (!l->with_restricted && schema_is_restricted(l->cmd->schema, &r->body)))
		return ERR_OK;
	if (l->count >= l->limit)
		return ERR_CANCELED;
	switch (l->cmd->format) {
	case TABLE_JSON: list_json(l, r); break;
	case TABLE_CSV: list_csv(l, r); break;
	case TABLE_TABLE: view_table_add(l->cmd, &l->table, r); break;
	}
	l->count++;
	return ERR_OK;
}

static bool read_condition(struct listing *l, const char *text, struct condition *ret,
			   int *ret_exit)
{
	const char *eq = strchr(text, '=');
	struct finding finding = {0};

	ret->field = eq != NULL
			     ? schema_find_field_any(l->type, bytes_of(text, (size_t)(eq - text)))
			     : NULL;
	if (ret->field == NULL) {
		*ret_exit = cmd_usage(l->cmd, "--where viết là trường=giá trị, trường của loại này",
				      "--where is field=value, with a field of this type");
		return false;
	}
	if (cmd_parse_value(l->cmd, &l->cmd->arena, ret->field, bytes_str(eq + 1), &ret->value,
			    &finding) == ERR_OK)
		return true;
	*ret_exit = cmd_fail_finding(l->type, &finding);
	return false;
}

static bool read_conditions(struct listing *l, const struct args *args, int *ret_exit)
{
	size_t count = args_count(args, "where");

	l->conditions = arena_alloc_array(&l->cmd->arena, count, sizeof *l->conditions);
	for (; l->condition_count < count; l->condition_count++)
		if (!read_condition(l, args_value_at(args, "where", l->condition_count),
				    &l->conditions[l->condition_count], ret_exit))
			return false;
	return true;
}

static void csv_heading(struct listing *l)
{
	struct csv_writer w = {.out = &l->line, .line_end = "\n"};

	buf_reset(&l->line);
	csv_write_str(&w, "id");
	csv_write_str(&w, "unit");
	csv_write_str(&w, "sync");
	for (size_t i = 0; i < l->type->count; i++)
		csv_write(&w, l->type->fields[i].name);
	csv_write_end(&w);
	cmd_write(buf_bytes(&l->line));
}

static int run_listing(struct listing *l)
{
	if (l->cmd->format == TABLE_CSV)
		csv_heading(l);
	enum err e = vault_record_each(l->cmd->vault, on_listed, l);

	if (e != ERR_OK && e != ERR_CANCELED)
		return cmd_fail_err(l->cmd, e, "đọc hồ sơ", "reading the records");
	if (l->cmd->format == TABLE_JSON)
		cmd_write(l->count == 0 ? BYTES_LIT("[]\n") : BYTES_LIT("]\n"));
	if (l->cmd->format == TABLE_TABLE)
		view_table_print(l->cmd, &l->table);
	return ARGS_EXIT_DONE;
}

int cmd_list(void *context, const struct args *args)
{
	struct listing l = {.cmd = context, .limit = INT64_MAX};
	AUTO(buf_clear) struct buf complaint = {0};
	int exit;

	if (args_integer(args, "limit", 0, INT64_MAX, &complaint, &l.limit) != ERR_OK) {
		cmd_complain(&complaint);
		return ARGS_EXIT_USAGE;
	}
	if (!cmd_read_format(l.cmd, &exit) || !cmd_open(l.cmd, &exit) ||
	    !cmd_find_type(l.cmd, args_positional(args, 0), &l.type, &exit) ||
	    !read_conditions(&l, args, &exit))
		return exit;
	l.with_deleted = args_has(args, "deleted");
	l.with_restricted = args_has(args, "restricted");
	view_table_init(&l.table);
	exit = run_listing(&l);
	table_clear(&l.table);
	buf_clear(&l.line);
	return exit;
}

/* ---- show ---- */

static void show_csv(struct cmd *c, const struct vault_record *r)
{
	static const struct schema_type unknown;
	const struct schema_type *type = schema_find_type(c->schema, r->body.type);
	struct listing l = {.cmd = c, .type = type != NULL ? type : &unknown};

	csv_heading(&l);
	list_csv(&l, r);
	buf_clear(&l.line);
}

int cmd_show(void *context, const struct args *args)
{
	struct cmd *c = context;
	AUTO(buf_clear) struct buf out = {0};
	struct vault_record r;
	struct id id;
	int exit;

	if (!cmd_read_format(c, &exit) || !cmd_open(c, &exit) ||
	    !cmd_find_id(c, args_positional(args, 0), &id, &exit))
		return exit;
	enum err e = vault_record_load(c->vault, &c->arena, &id, &r);

	if (e == ERR_NOTFOUND)
		return cmd_fail("không có hồ sơ nào mang mã này ở đây",
				"no record here has this id");
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đọc hồ sơ", "reading the record");
	switch (c->format) {
	case TABLE_TABLE: view_people(c, &r, &out); break;
	case TABLE_JSON:
		view_json(c, &r, &out);
		buf_append_str(&out, "\n");
		break;
	case TABLE_CSV: show_csv(c, &r); break;
	}
	cmd_write(buf_bytes(&out));
	return ARGS_EXIT_DONE;
}
