#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/cmd.h"
#include "client/double.h"
#include "client/view.h"
#include "common/base/check.h"

#define DOUBLES_SHOWN 5u

/* One change on its way from the command line to the vault. */
struct entry {
	struct cmd *cmd;
	struct entry_context ctx;
	const struct schema_type *type;
	struct change change;
	size_t capacity;
	int exit;
};

static bool stop(struct entry *n, int exit)
{
	n->exit = exit;
	return false;
}

static bool add_write(struct entry *n, struct bytes name, struct value value)
{
	if (n->change.count == n->capacity) {
		struct write *old = n->change.writes;

		n->capacity = n->capacity != 0 ? 2 * n->capacity : 16;
		n->change.writes =
			arena_alloc_array(&n->cmd->arena, n->capacity, sizeof *n->change.writes);
		if (n->change.count != 0)
			memcpy(n->change.writes, old, n->change.count * sizeof *old);
	}
	INVARIANT(n->change.writes != NULL);
	n->change.writes[n->change.count++] = (struct write){name, value};
	return true;
}

static bool add_corrects(struct entry *n, struct bytes text)
{
	struct id id;

	if (!cmd_find_id(n->cmd, arena_strdup(&n->cmd->arena, text), &id, &n->exit))
		return false;
	return add_write(n, BYTES_LIT(RECORD_CORRECTS),
			 value_bytes(arena_copy(&n->cmd->arena, bytes_of(id.bytes, ID_LEN))));
}

static bool add_text(struct entry *n, struct bytes name, struct bytes text)
{
	const struct schema_field *f = schema_find_field_any(n->type, name);
	struct value value = VALUE_NONE;
	struct finding finding = {0};

	if (f == NULL && bytes_is(name, RECORD_CORRECTS) && n->type->kind == SCHEMA_EVENT)
		return add_corrects(n, text);
	if (f == NULL) {
		fprintf(stderr,
			"ctxh: chưa ghi gì: %.*s không có trường %.*s; xem ctxh types show / nothing "
			"was saved: %.*s has no field %.*s; see ctxh types show\n",
			BYTES_FMT(n->type->name), BYTES_FMT(name), BYTES_FMT(n->type->name),
			BYTES_FMT(name));
		return stop(n, ARGS_EXIT_USAGE);
	}
	enum err e = cmd_parse_value(n->cmd, &n->cmd->arena, f, text, &value, &finding);

	if (e == ERR_INVAL)
		return stop(n, cmd_fail_finding(n->type, &finding));
	if (e != ERR_OK)
		return stop(n, cmd_fail_err(n->cmd, e, "đọc giá trị", "reading a value"));
	return add_write(n, f->name, value);
}

/* "field=value" from the command line, from the index-th positional on. */
static bool add_positionals(struct entry *n, size_t from)
{
	const char *text;

	for (size_t i = from; (text = args_positional(n->cmd->args, i)) != NULL; i++) {
		const char *eq = strchr(text, '=');

		if (eq == NULL)
			return stop(n, cmd_usage(n->cmd, "mỗi giá trị viết là trường=giá trị",
						 "each value is written field=value"));
		if (!add_text(n, bytes_of(text, (size_t)(eq - text)), bytes_str(eq + 1)))
			return false;
	}
	return true;
}

/* ---- JSON ---- */

static struct bytes json_text(struct arena *a, const json_t *value)
{
	AUTO(buf_clear) struct buf out = {0};
	size_t i;
	json_t *item;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return arena_copy(a, bytes_of(json_string_value(value), json_string_length(value)));
	case JSON_INTEGER: return arena_printf(a, "%lld", (long long)json_integer_value(value));
	case JSON_REAL: return arena_printf(a, "%.15g", json_real_value(value));
	case JSON_TRUE: return BYTES_LIT("true");
	case JSON_FALSE: return BYTES_LIT("false");
	case JSON_ARRAY:
		json_array_foreach(value, i, item)
		{
			if (i != 0)
				buf_append_str(&out, ",");
			if (json_is_string(item))
				buf_append(&out, json_string_value(item), json_string_length(item));
		}
		return arena_copy(a, buf_bytes(&out));
	case JSON_OBJECT:
	case JSON_NULL: break;
	}
	return BYTES_NONE;
}

static bool add_json(struct entry *n, json_t *object)
{
	json_t *inner = json_object_get(object, "fields");
	const char *name;
	json_t *value;

	json_object_foreach(json_is_object(inner) ? inner : object, name, value)
	{
		/* Keys of a whole record, as `show --format json` prints it. */
		if (inner == NULL && (strcmp(name, "id") == 0 || strcmp(name, "unit") == 0))
			continue;
		if (!add_text(n, bytes_str(name), json_text(&n->cmd->arena, value)))
			return false;
	}
	return true;
}

static json_t *read_json(const char *path)
{
	json_error_t error;
	json_t *root = strcmp(path, "-") == 0 ? json_loadf(stdin, 0, &error)
					      : json_load_file(path, 0, &error);

	if (root == NULL)
		fprintf(stderr,
			"ctxh: chưa ghi gì: JSON sai ở dòng %d / nothing was saved: bad JSON at "
			"line %d: %s\n",
			error.line, error.line, error.text);
	return root;
}

/* ---- doubles ---- */

static bool tell_doubles(struct entry *n)
{
	AUTO(double_index_free) struct double_index *index = NULL;
	struct id ids[DOUBLES_SHOWN];

	if (!double_is_for(n->type->name) || args_has(n->cmd->args, "even-so"))
		return true;
	/* In the order double_find() looks its fields up; a field said twice is told by keep(). */
	if (!change_sort(&n->change))
		return true;
	enum err e = double_index_new(n->cmd, &index);

	if (e != ERR_OK)
		return stop(n, cmd_fail_err(n->cmd, e, "tìm trùng", "looking for doubles"));
	size_t count = double_find(index, &n->change, ids, DOUBLES_SHOWN);

	for (size_t i = 0; i < count; i++) {
		AUTO(arena_clear) struct arena a = {0};
		struct vault_record r;
		char hex[ID_HEX_LEN];

		id_print(&ids[i], hex);
		if (vault_record_load(n->cmd->vault, &a, &ids[i], &r) != ERR_OK)
			continue;
		fprintf(stderr, "%s  %.*s · %s\n", hex, BYTES_FMT(view_title(n->cmd, &a, &r.body)),
			view_sync(r.sync));
	}
	if (count == 0)
		return true;
	fprintf(stderr, "ctxh: chưa ghi: có thể đã có người này ở trên; nếu đúng là người khác, "
			"thêm --even-so / nothing was saved: this person may be here already, see "
			"above; if it is another person, add --even-so\n");
	return stop(n, ARGS_EXIT_PARTIAL);
}

/* ---- keeping ---- */

static enum err make(struct entry *n, enum entry_outcome *ret_outcome, struct finding *finding)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(n->cmd->vault);

	if (e != ERR_OK)
		return e;
	txn = n->cmd->vault;
	e = entry_make(&n->ctx, &n->change, ret_outcome, finding);
	return e == ERR_OK ? vault_commit(n->cmd->vault) : e;
}

/* The id is printed after the commit: what people have read, the disk has. */
static bool keep(struct entry *n)
{
	enum entry_outcome outcome = ENTRY_SAME;
	struct finding finding = {0};
	char hex[ID_HEX_LEN];
	enum err e = make(n, &outcome, &finding);

	if (e == ERR_INVAL)
		return stop(n, cmd_fail_finding(n->type, &finding));
	if (e != ERR_OK)
		return stop(n, cmd_fail_err(n->cmd, e, "ghi", "saving"));
	id_print(&n->change.id, hex);
	cmd_printf("%s\n", hex);
	fflush(stdout);
	n->exit = ARGS_EXIT_DONE;
	return true;
}

/* A record that says nothing is a slip of the keyboard. */
static bool says_something(struct entry *n)
{
	for (size_t i = 0; i < n->change.count; i++)
		if (!bytes_is(n->change.writes[i].name, RECORD_UNIT) &&
		    n->change.writes[i].value.kind != VALUE_NULL)
			return true;
	return stop(n, cmd_usage(n->cmd, "hồ sơ trống, chưa ghi gì: cần ít nhất một trường=giá trị",
				 "an empty record, nothing was saved: field=value is needed"));
}

static bool start(struct entry *n, void *context)
{
	n->cmd = context;
	return cmd_open_entry(n->cmd, &n->ctx, &n->exit);
}

/* ---- add ---- */

static bool start_new(struct entry *n, json_t *object)
{
	const char *id = object != NULL ? json_string_value(json_object_get(object, "id")) : NULL;
	const char *code =
		object != NULL ? json_string_value(json_object_get(object, "unit")) : NULL;
	int64_t unit;

	n->change = (struct change){.type = n->type->name};
	n->capacity = 0;
	if (id == NULL)
		n->change.id = id_new(n->cmd->clock, n->cmd->rand);
	else if (id_parse(bytes_str(id), &n->change.id) != ERR_OK)
		return stop(n, cmd_fail("mã id trong JSON sai; chưa ghi gì",
					"the id in the JSON is wrong; nothing was saved"));
	if (!cmd_entry_unit(n->cmd, args_value(n->cmd->args, "unit", code), &unit, &n->exit))
		return false;
	return add_write(n, BYTES_LIT(RECORD_UNIT), value_int(unit));
}

static bool add_object(struct entry *n, json_t *object)
{
	if (!json_is_object(object))
		return stop(n, cmd_fail("JSON phải là một đối tượng hoặc danh sách đối tượng",
					"the JSON is to be an object or a list of objects"));
	return start_new(n, object) && add_json(n, object) && says_something(n) &&
	       tell_doubles(n) && keep(n);
}

static bool add_from_json(struct entry *n, const char *path)
{
	json_t *root = read_json(path);
	size_t i;
	json_t *item;
	bool is_fine = true;

	if (root == NULL)
		return stop(n, ARGS_EXIT_FAILED);
	if (!json_is_array(root))
		is_fine = add_object(n, root);
	else
		json_array_foreach(root, i, item) is_fine = is_fine && add_object(n, item);
	json_decref(root);
	return is_fine;
}

int cmd_add(void *context, const struct args *args)
{
	struct entry n = {0};

	if (!start(&n, context) ||
	    !cmd_find_type(n.cmd, args_positional(args, 0), &n.type, &n.exit))
		return n.exit;
	const char *json = args_value(args, "json", NULL);
	bool is_fine = json != NULL ? add_from_json(&n, json)
				    : start_new(&n, NULL) && add_positionals(&n, 1) &&
					      says_something(&n) && tell_doubles(&n) && keep(&n);

	return is_fine ? ARGS_EXIT_DONE : n.exit;
}

/* ---- edits of a record that is there ---- */

static bool find_record(struct entry *n, const char *text)
{
	struct vault_record r;
	struct id id;

	if (!cmd_find_id(n->cmd, text, &id, &n->exit))
		return false;
	enum err e = vault_record_load(n->cmd->vault, &n->cmd->arena, &id, &r);

	if (e == ERR_NOTFOUND)
		return stop(n, cmd_fail("không có hồ sơ nào mang mã này ở đây; chưa ghi gì",
					"no record here has this id; nothing was saved"));
	if (e != ERR_OK)
		return stop(n, cmd_fail_err(n->cmd, e, "đọc hồ sơ", "reading the record"));
	n->change = (struct change){.type = r.body.type, .id = id};
	n->type = schema_find_type(n->cmd->schema, r.body.type);
	if (n->type == NULL)
		return stop(n, cmd_fail("loại hồ sơ này không có trong biểu mẫu hiện dùng",
					"the present schema does not have this record type"));
	return true;
}

int cmd_edit(void *context, const struct args *args)
{
	struct entry n = {0};

	if (!start(&n, context) || !find_record(&n, args_positional(args, 0)) ||
	    !add_positionals(&n, 1) || !keep(&n))
		return n.exit;
	return ARGS_EXIT_DONE;
}

/* M3: a register's mistake is mended by an edit, or hidden. */
static bool may_write(struct entry *n, const char *name)
{
	if (strcmp(name, RECORD_VOIDED) != 0 || n->type->kind == SCHEMA_EVENT)
		return true;
	return stop(
		n,
		cmd_fail("chỉ sự kiện mới void được, chưa ghi gì; hồ sơ này hãy edit hoặc delete",
			 "only an event can be voided, nothing was saved; edit or delete this "
			 "record"));
}

static int write_one(void *context, const struct args *args, const char *name, struct value value)
{
	struct entry n = {0};

	if (!start(&n, context) || !find_record(&n, args_positional(args, 0)) ||
	    !may_write(&n, name) || !add_write(&n, bytes_str(name), value) || !keep(&n))
		return n.exit;
	return ARGS_EXIT_DONE;
}

static int write_reason(void *context, const struct args *args, const char *name)
{
	const char *why = args_value(args, "why", NULL);

	((struct cmd *)context)->args = args;
	if (why == NULL || *why == '\0')
		return cmd_usage(context, "cần lý do: --why \"…\"",
				 "a reason is needed: --why TEXT");
	return write_one(context, args, name, value_text(bytes_str(why)));
}

int cmd_void(void *context, const struct args *args)
{
	return write_reason(context, args, RECORD_VOIDED);
}

int cmd_delete(void *context, const struct args *args)
{
	return write_reason(context, args, RECORD_DELETED);
}

int cmd_undelete(void *context, const struct args *args)
{
	return write_one(context, args, RECORD_DELETED, VALUE_NONE);
}

int cmd_transfer(void *context, const struct args *args)
{
	const char *code = args_value(args, "unit", NULL);
	struct entry n = {0};
	int64_t unit;

	if (code == NULL)
		return cmd_usage(context, "cần đơn vị đến: --unit MÃ",
				 "the unit to move to is needed: --unit CODE");
	if (!start(&n, context))
		return n.exit;
	/* To any unit there is: the office evicts the record from here. */
	if (cmd_unit_find(n.cmd, bytes_str(code), &unit) != ERR_OK)
		return cmd_fail("không có đơn vị mang mã này; chưa ghi gì",
				"no unit has this code; nothing was saved");
	if (!find_record(&n, args_positional(args, 0)) ||
	    !add_write(&n, BYTES_LIT(RECORD_UNIT), value_int(unit)) || !keep(&n))
		return n.exit;
	return ARGS_EXIT_DONE;
}

int cmd_join(void *context, const struct args *args)
{
	struct entry n = {0};
	struct id keep_id;

	if (!start(&n, context) || !find_record(&n, args_positional(args, 0)))
		return n.exit;
	keep_id = n.change.id;
	struct bytes type = n.change.type;

	if (!find_record(&n, args_positional(args, 1)))
		return n.exit;
	if (id_compare(&keep_id, &n.change.id) == 0 || !bytes_equal(type, n.change.type))
		return cmd_usage(n.cmd, "cần hai hồ sơ khác nhau của cùng một loại",
				 "two different records of one type are needed");
	struct bytes target = arena_copy(&n.cmd->arena, bytes_of(keep_id.bytes, ID_LEN));

	if (!add_write(&n, BYTES_LIT(RECORD_MERGED_INTO), value_bytes(target)) || !keep(&n))
		return n.exit;
	return ARGS_EXIT_DONE;
}
