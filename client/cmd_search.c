/* `ctxh search`: what search.h finds, for people and programs. */
#include "client/search.h"
#include "client/view.h"

#define SEARCH_LIMIT 50u

struct hits {
	struct cmd *cmd;
	struct table table;
	struct buf json;
};

static enum err on_hit(void *arg, const struct vault_record *r)
{
	struct hits *h = arg;

	if (h->cmd->format != TABLE_JSON) {
		view_table_add(h->cmd, &h->table, r);
		return ERR_OK;
	}
	buf_append_str(&h->json, h->json.len == 0 ? "[" : ",\n");
	view_json(h->cmd, r, &h->json);
	return ERR_OK;
}

static void print_hits(struct hits *h)
{
	if (h->cmd->format != TABLE_JSON) {
		view_table_print(h->cmd, &h->table);
		return;
	}
	buf_append_str(&h->json, h->json.len == 0 ? "[]\n" : "]\n");
	cmd_write(buf_bytes(&h->json));
}

int cmd_search(void *context, const struct args *args)
{
	struct cmd *c = context;
	const char *type_name = args_value(args, "type", NULL);
	const struct schema_type *type = NULL;
	int exit;

	if (*args_positional(args, 0) == '\0')
		return cmd_usage(c, "cần có chữ để tìm", "there is nothing to look for");
	if (!cmd_read_format(c, &exit) || !cmd_open(c, &exit) ||
	    (type_name != NULL && !cmd_find_type(c, type_name, &type, &exit)))
		return exit;
	const struct search search = {.vault = c->vault,
				      .schema = c->schema,
				      .text = bytes_str(args_positional(args, 0)),
				      .type = type != NULL ? type->name : BYTES_NONE,
				      .limit = SEARCH_LIMIT};
	struct hits h = {.cmd = c};

	view_table_init(&h.table);
	enum err e = search_run(&search, on_hit, &h);

	if (e == ERR_OK)
		print_hits(&h);
	table_clear(&h.table);
	buf_clear(&h.json);
	return e == ERR_OK ? ARGS_EXIT_DONE : cmd_fail_err(c, e, "tìm", "searching");
}
