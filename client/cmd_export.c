#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cmd.h"
#include "common/text/csv.h"

struct export
{
	struct cmd *cmd;
	const struct schema_type *type;
	FILE *file;
	struct buf line;
	size_t restricted;
	bool has_failed;
};

static void put_line(struct export *x)
{
	if (fwrite(x->line.data, 1, x->line.len, x->file) != x->line.len)
		x->has_failed = true;
}

static void export_heading(struct export *x)
{
	struct csv_writer w = {.out = &x->line};

	buf_reset(&x->line);
	csv_write_bom(&w);
	csv_write_str(&w, "id");
	csv_write_str(&w, "unit");
	for (size_t i = 0; i < x->type->count; i++)
		csv_write(&w, x->type->fields[i].name);
	csv_write_end(&w);
	put_line(x);
}

static enum err on_exported(void *arg, const struct vault_record *r)
{
	AUTO(arena_clear) struct arena a = {0};
	struct export *x = arg;
	struct csv_writer w = {.out = &x->line};
	char id[ID_HEX_LEN];

	if (!bytes_equal(r->body.type, x->type->name) || record_is_deleted(&r->body))
		return ERR_OK;
	if (schema_is_restricted(x->cmd->schema, &r->body)) {
		x->restricted++;
		return ERR_OK;
	}
	buf_reset(&x->line);
	id_print(&r->body.id, id);
	csv_write_str(&w, id);
	csv_write(&w, cmd_unit_code(x->cmd, &a, record_unit(&r->body)));
	for (size_t i = 0; i < x->type->count; i++) {
		const struct field *f = record_find(&r->body, x->type->fields[i].name);

		csv_write(&w, f != NULL
				      ? cmd_print_value(x->cmd, &a, &x->type->fields[i], &f->value)
				      : BYTES_NONE);
	}
	csv_write_end(&w);
	put_line(x);
	return ERR_OK;
}

static int export_to(struct export *x, const char *path)
{
	export_heading(x);
	enum err e = vault_record_each(x->cmd->vault, on_exported, x);

	if (x->file != stdout)
		x->has_failed |= fflush(x->file) != 0 || fsync(fileno(x->file)) != 0;
	if (e != ERR_OK)
		return cmd_fail_err(x->cmd, e, "xuất", "exporting");
	if (x->has_failed)
		return cmd_fail_err(x->cmd, err_raise(ERR_IO, "%s: cannot be written", path),
				    "ghi tệp xuất", "writing the export");
	if (x->restricted == 0)
		return ARGS_EXIT_DONE;
	fprintf(stderr,
		"ctxh: %zu hồ sơ hạn chế không được xuất / %zu restricted records are not exported\n",
		x->restricted, x->restricted);
	return ARGS_EXIT_PARTIAL;
}

int cmd_export(void *context, const struct args *args)
{
	struct export x = {.cmd = context, .file = stdout};
	const char *path = args_value(args, "output", "-");
	int exit;

	if (!cmd_open(x.cmd, &exit) ||
	    !cmd_find_type(x.cmd, args_positional(args, 0), &x.type, &exit))
		return exit;
	/* The sheet tells of people: only its owner may read it. */
	mode_t old = umask(077);

	if (strcmp(path, "-") != 0)
		x.file = fopen(path, "wb");
	umask(old);
	if (x.file == NULL)
		return cmd_fail_err(x.cmd, err_raise(ERR_IO, "%s: %s", path, strerror(errno)),
				    "mở tệp xuất", "opening the export");
	exit = export_to(&x, path);
	if (x.file != stdout)
		fclose(x.file);
	buf_clear(&x.line);
	return exit;
}
