/*
 * cmd - what every command of `ctxh` starts from.
 *
 * One struct for a run: the home folder, the vault once opened, schema and units
 * once needed. Commands return an exit code of args.h and speak through cmd_fail():
 * one line on stderr, Vietnamese then English, that says what happened, what was
 * kept, what to do.
 */
#pragma once

#include "client/entry.h"
#include "client/vault.h"
#include "common/model/schema.h"
#include "common/text/args.h"
#include "common/text/table.h"

struct cmd {
	const struct args *args;
	const char *home;
	const struct clock *clock;
	struct rand *rand;
	struct arena arena; /* of the run */
	struct vault *vault;
	struct schema *schema;
	struct msg_unit *units; /* loaded when first asked for */
	size_t unit_count;
	bool has_units;
	char today[CLOCK_ISO_LEN]; /* once asked for: a listing has one day */
	int64_t last_unit;         /* whose code was asked for last, and what it is */
	struct bytes last_code;
	enum table_format format;
};

void cmd_clear(struct cmd *c);

/* Prints "ctxh: vi / en" and gives ARGS_EXIT_FAILED. */
int cmd_fail(const char *vi, const char *en);
/* The same for an error of a lower layer, with the exit code of its class; `what_vi`
 * and `what_en` say what was tried. */
int cmd_fail_err(struct cmd *c, enum err e, const char *what_vi, const char *what_en);
/* A file for people (outfile.h) was not written; what is kept all the same. */
int cmd_fail_file(const char *kept_vi, const char *kept_en);
/* A usage error in the words of args.h. */
int cmd_usage(struct cmd *c, const char *vi, const char *en);
/* What args.h complained of, to stderr. */
void cmd_complain(const struct buf *text);

/* Opens and unlocks the vault, loads the schema. False: said already, *ret_exit is the code. */
bool cmd_open(struct cmd *c, int *ret_exit);
/* The same without schema: `status`, `verify`, `unlock`, ... */
bool cmd_open_vault(struct cmd *c, int *ret_exit);
/* The office's answer to the enrolment is here. */
bool cmd_is_enrolled(struct cmd *c);
int cmd_fail_unenrolled(void);
/* What every entry needs besides. */
bool cmd_open_entry(struct cmd *c, struct entry_context *ret_ctx, int *ret_exit);

/* --format, or what suits stdout: a table. False: said already. */
bool cmd_read_format(struct cmd *c, int *ret_exit);

enum err cmd_load_units(struct cmd *c);
/*
 * The unit's code, or CODE@DATE where the code alone means another unit: cmd_unit_find() reads
 * either back as this unit. Its number as text when the list does not name it. Lives as long as
 * `a` at least.
 */
struct bytes cmd_unit_code(struct cmd *c, struct arena *a, int64_t unit);
/* Its name; empty when the list does not have it. */
struct bytes cmd_unit_name(struct cmd *c, int64_t unit);
/* Whether this device may make records in the unit; true while its scope is not known. */
bool cmd_unit_is_ours(struct cmd *c, int64_t unit);
/* The unit that bears this code now, else the last that bore it; of CODE@DATE the one that bore it
 * on that day. ERR_NOTFOUND. */
enum err cmd_unit_find(struct cmd *c, struct bytes code, int64_t *ret_unit);
/* The unit of new records: --unit, which must be ours, or the only present one of the scope.
 * False: said. */
bool cmd_entry_unit(struct cmd *c, const char *code, int64_t *ret_unit, int *ret_exit);

/* An id or a unique prefix of 8 or more digits. False: said already. */
bool cmd_find_id(struct cmd *c, const char *text, struct id *ret_id, int *ret_exit);
/* ERR_NOTFOUND, ERR_CONFLICT (several). */
enum err cmd_resolve_id(struct cmd *c, struct bytes text, struct id *ret_id);
bool cmd_find_type(struct cmd *c, const char *name, const struct schema_type **ret_type,
		   int *ret_exit);

/* Text a person typed into a field. ERR_INVAL: the finding says why. */
enum err cmd_parse_value(struct cmd *c, struct arena *a, const struct schema_field *f,
			 struct bytes text, struct value *ret_value, struct finding *ret_finding);
/* Says why nothing was saved and what would be right; ARGS_EXIT_FAILED. `type` may be NULL. */
int cmd_fail_finding(const struct schema_type *type, const struct finding *finding);
/* The other way, for CSV and JSON. */
struct bytes cmd_print_value(struct cmd *c, struct arena *a, const struct schema_field *f,
			     const struct value *v);

/* Writes to stdout; a reader that went away ends the program quietly. */
void cmd_write(struct bytes text);
void cmd_printf(const char *fmt, ...) PRINTF(1, 2);
void cmd_print_table(struct cmd *c, const struct table *t);

/* The commands, one file a group. */
int cmd_enrol(void *context, const struct args *args);
int cmd_add(void *context, const struct args *args);
int cmd_edit(void *context, const struct args *args);
int cmd_void(void *context, const struct args *args);
int cmd_delete(void *context, const struct args *args);
int cmd_undelete(void *context, const struct args *args);
int cmd_transfer(void *context, const struct args *args);
int cmd_join(void *context, const struct args *args);
int cmd_show(void *context, const struct args *args);
int cmd_list(void *context, const struct args *args);
int cmd_search(void *context, const struct args *args);
int cmd_import(void *context, const struct args *args);
int cmd_export(void *context, const struct args *args);
int cmd_sync(void *context, const struct args *args);
int cmd_status(void *context, const struct args *args);
int cmd_receipts(void *context, const struct args *args);
int cmd_bundle_out(void *context, const struct args *args);
int cmd_bundle_in(void *context, const struct args *args);
int cmd_inbox(void *context, const struct args *args);
int cmd_inbox_show(void *context, const struct args *args);
int cmd_inbox_accept(void *context, const struct args *args);
int cmd_inbox_restore(void *context, const struct args *args);
int cmd_types(void *context, const struct args *args);
int cmd_types_show(void *context, const struct args *args);
int cmd_author_add(void *context, const struct args *args);
int cmd_author_list(void *context, const struct args *args);
int cmd_author_use(void *context, const struct args *args);
int cmd_unlock(void *context, const struct args *args);
int cmd_lock(void *context, const struct args *args);
int cmd_passphrase(void *context, const struct args *args);
int cmd_verify(void *context, const struct args *args);
