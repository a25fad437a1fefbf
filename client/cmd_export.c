#include <stdio.h>
#include <string.h>

#include "client/cmd.h"
#include "common/base/outfile.h"
#include "common/text/csv.h"

struct export
{
	struct cmd *cmd;
	const struct schema_type *type;
	struct outfile *file; /* NULL: stdout */
	struct buf line;
	size_t restricted;
};

static void put_line(struct export *x)
{
	if (x->file == NULL)
		cmd_write(buf_bytes(&x->line));
	else
		(void)outfile_put(x->file, buf_bytes(&x->line)); /* outfile_finish() tells */
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

/* Whoever adds up the rows of a sheet would count the rest, too. */
static bool counts(const struct record *r)
{
	return !record_is_deleted(r) && !record_is_voided(r) && !record_is_joined(r);
}

static enum err on_exported(void *arg, const struct vault_record *r)
{
	AUTO(arena_clear) struct arena a = {0};
	struct export *x = arg;
	struct csv_writer w = {.out = &x->line};
	char id[ID_HEX_LEN];

	if (!bytes_equal(r->body.type, x->type->name) || !counts(&r->body))
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

static int tell_restricted(const struct export *x)
{
	if (x->restricted == 0)
		return ARGS_EXIT_DONE;
	fprintf(stderr,
		"ctxh: %zu hồ sơ hạn chế không được xuất / %zu restricted records are not exported\n",
		x->restricted, x->restricted);
	return ARGS_EXIT_PARTIAL;
}

static int export_rows(struct export *x)
{
	enum err e;

	export_heading(x);
	e = vault_record_each(x->cmd->vault, on_exported, x);
	return e == ERR_OK ? ARGS_EXIT_DONE : cmd_fail_err(x->cmd, e, "xuất", "exporting");
}

/* The sheet tells of people: only its owner may read it, which outfile.h sees to. */
static int export_to_file(struct export *x, const char *path)
{
	AUTO(outfile_drop) struct outfile *file = NULL;
	enum err e = outfile_open(path, &file);
	int exit;

	if (e != ERR_OK)
		return cmd_fail_file("hồ sơ vẫn ở đây", "the records are still here");
	x->file = file;
	exit = export_rows(x);
	if (exit != ARGS_EXIT_DONE)
		return exit;
	e = outfile_finish(MOVE(file));
	return e == ERR_OK ? ARGS_EXIT_DONE
			   : cmd_fail_file("hồ sơ vẫn ở đây", "the records are still here");
}

int cmd_export(void *context, const struct args *args)
{
	struct export x = {.cmd = context};
	const char *path = args_value(args, "output", "-");
	int exit;

	if (!cmd_open(x.cmd, &exit) ||
	    !cmd_find_type(x.cmd, args_positional(args, 0), &x.type, &exit))
		return exit;
	exit = strcmp(path, "-") == 0 ? export_rows(&x) : export_to_file(&x, path);
	buf_clear(&x.line);
	return exit == ARGS_EXIT_DONE ? tell_restricted(&x) : exit;
}
