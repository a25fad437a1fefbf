#include <stdlib.h>

#include "client/cmd.h"
#include "client/view.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/model/vntext.h"
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

static const struct table_column list_columns[] = {
	{.key = "id", .label_vi = "Mã", .label_en = "Id", .is_whole = true},
	{.key = "title", .label_vi = "Tên", .label_en = "Title"},
	{.key = "unit", .label_vi = "Đơn vị", .label_en = "Unit"},
	{.key = "sync", .label_vi = "Tình trạng", .label_en = "Sync", .is_whole = true},
};

static bool is_joined(const struct record *r)
{
	return record_value(r, RECORD_MERGED_INTO).kind != VALUE_NULL;
}

/* What a list says of a record that does not count. */
static const char *remark(const struct record *r)
{
	if (record_is_deleted(r))
		return "đã xóa";
	if (record_is_voided(r))
		return "không tính";
	return is_joined(r) ? "đã nhập vào hồ sơ khác" : NULL;
}

static struct bytes title_for_people(struct cmd *c, struct arena *a, const struct record *r)
{
	struct bytes title = view_title(c, a, r);
	const char *why = remark(r);

	return why == NULL ? title : arena_printf(a, "%.*s (%s)", BYTES_FMT(title), why);
}

/* Ids are whole for programs, and as long as they need be for people. */
static void add_row(struct cmd *c, struct table *t, const struct vault_record *r)
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

static enum err on_listed(void *arg, const struct vault_record *r)
{
	struct listing *l = arg;

	if (!bytes_equal(r->body.type, l->type->name) || !holds(l, &r->body) ||
	    (!l->with_deleted && (record_is_deleted(&r->body) || is_joined(&r->body))) ||
	    (!l->with_restricted && schema_is_restricted(l->cmd->schema, &r->body)))
		return ERR_OK;
	if (l->count >= l->limit)
		return ERR_CANCELED;
	switch (l->cmd->format) {
	case TABLE_JSON: list_json(l, r); break;
	case TABLE_CSV: list_csv(l, r); break;
	case TABLE_TABLE: add_row(l->cmd, &l->table, r); break;
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

static void print_rows(struct cmd *c, const struct table *t)
{
	if (t->row_count == 0 && c->format == TABLE_TABLE)
		cmd_printf("Không có hồ sơ nào. / No records.\n");
	else
		cmd_print_table(c, t);
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
		print_rows(l->cmd, &l->table);
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
	table_init(&l.table, list_columns, sizeof list_columns / sizeof *list_columns);
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

/* ---- search ---- */

#define SEARCH_LEVELS 3
#define SEARCH_RANKS  4 /* behind the levels: every word is there, in any order */
#define SEARCH_LIMIT  50

struct search {
	struct cmd *cmd;
	const struct schema_type *type; /* NULL: all */
	struct buf wanted[SEARCH_LEVELS];
	uint64_t wanted_letters; /* of wanted[VNTEXT_FOLD] */
	struct buf key;
	struct id hits[SEARCH_RANKS][SEARCH_LIMIT];
	size_t counts[SEARCH_RANKS];
};

static bool contains(const struct buf *text, const struct buf *wanted)
{
	return text->len >= wanted->len &&
	       memmem(text->data, text->len, wanted->data, wanted->len) != NULL;
}

/* Letters that no Vietnamese sign changes: a text without them cannot match at any level. */
static uint64_t plain_letter(uint8_t byte)
{
	static const char changing[] = "adeiouyfjwz";

	if (byte >= '0' && byte <= '9')
		return UINT64_C(1) << (32 + byte - '0');
	byte |= 0x20;
	if (byte < 'a' || byte > 'z' || memchr(changing, byte, sizeof changing - 1) != NULL)
		return 0;
	return UINT64_C(1) << (byte - 'a');
}

static uint64_t plain_letters(struct bytes text)
{
	uint64_t letters = 0;

	for (size_t i = 0; i < text.len; i++)
		letters |= plain_letter(text.data[i]);
	return letters;
}

/* Bytes of other alphabets, and ç and ñ, may fold to plain letters: those are asked. */
static bool has_foreign(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t b = text.data[i];

		if (b >= 0xc0 && b != 0xc3 && b != 0xc4 && b != 0xc6 && b != 0xe1)
			return true;
		if (b == 0xc3 && i + 1 < text.len && strchr("\x87\x91\xa7\xb1", text.data[i + 1]))
			return true;
	}
	return false;
}

static bool may_match(const struct search *s, struct bytes text)
{
	return (s->wanted_letters & ~plain_letters(text)) == 0 || has_foreign(text);
}

/* Each word of `wanted` is somewhere in `text`. Keys have single spaces. */
static bool contains_words(const struct buf *text, const struct buf *wanted)
{
	const uint8_t *at = wanted->data;
	const uint8_t *end = at + wanted->len;

	while (at < end) {
		const uint8_t *space = memchr(at, ' ', (size_t)(end - at));
		size_t len = (size_t)((space != NULL ? space : end) - at);

		if (text->len < len || memmem(text->data, text->len, at, len) == NULL)
			return false;
		at += len + 1;
	}
	return true;
}

/* The best rank at which the text holds what is wanted; SEARCH_RANKS: none. */
static int rank_of(struct search *s, struct bytes text)
{
	static const enum vntext_level order[SEARCH_LEVELS] = {VNTEXT_FOLD, VNTEXT_TONELESS,
							       VNTEXT_EXACT};
	int best = SEARCH_RANKS;

	if (!may_match(s, text))
		return best;
	/* Coarsest first: nearly every text fails there, at one key each. */
	for (int i = 0; i < SEARCH_LEVELS; i++) {
		buf_reset(&s->key);
		if (vntext_key(text, order[i], &s->key) != ERR_OK)
			return best;
		if (i == 0 && contains_words(&s->key, &s->wanted[order[i]]))
			best = SEARCH_RANKS - 1;
		if (!contains(&s->key, &s->wanted[order[i]]))
			return best;
		best = (int)order[i];
	}
	return best;
}

static enum err on_searched(void *arg, const struct vault_record *r)
{
	struct search *s = arg;
	int best = SEARCH_RANKS;

	if ((s->type != NULL && !bytes_equal(s->type->name, r->body.type)) ||
	    record_is_deleted(&r->body) || schema_is_restricted(s->cmd->schema, &r->body))
		return ERR_OK;
	for (size_t i = 0; i < r->body.count && best != VNTEXT_EXACT; i++) {
		const struct field *f = &r->body.fields[i];

		if (f->value.kind != VALUE_TEXT || record_is_system_field(f->name))
			continue;
		int rank = rank_of(s, f->value.bytes);

		best = rank < best ? rank : best;
	}
	if (best < SEARCH_RANKS && s->counts[best] < SEARCH_LIMIT)
		s->hits[best][s->counts[best]++] = r->body.id;
	return ERR_OK;
}

struct hits {
	struct table table;
	struct buf json;
	size_t shown;
};

static enum err show_hit(struct search *s, const struct id *id, struct hits *out)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e = vault_record_load(s->cmd->vault, &a, id, &r);

	if (e != ERR_OK)
		return e;
	if (s->cmd->format == TABLE_JSON) {
		buf_append_str(&out->json, out->shown == 0 ? "[" : ",\n");
		view_json(s->cmd, &r, &out->json);
	} else {
		add_row(s->cmd, &out->table, &r);
	}
	out->shown++;
	return ERR_OK;
}

static enum err print_hits(struct search *s)
{
	struct hits out = {0};
	enum err e = ERR_OK;

	table_init(&out.table, list_columns, sizeof list_columns / sizeof *list_columns);
	for (int level = 0; level < SEARCH_RANKS; level++)
		for (size_t i = 0; i < s->counts[level] && out.shown < SEARCH_LIMIT; i++)
			e = e == ERR_OK ? show_hit(s, &s->hits[level][i], &out) : e;
	buf_append_str(&out.json, out.shown == 0 ? "[]\n" : "]\n");
	if (e == ERR_OK && s->cmd->format == TABLE_JSON)
		cmd_write(buf_bytes(&out.json));
	else if (e == ERR_OK)
		print_rows(s->cmd, &out.table);
	table_clear(&out.table);
	buf_clear(&out.json);
	return e;
}

int cmd_search(void *context, const struct args *args)
{
	AUTO(mem_free) struct search *s = mem_alloc_zero(sizeof *s);
	const char *type = args_value(args, "type", NULL);
	struct bytes text = bytes_str(args_positional(args, 0));
	int exit;

	s->cmd = context;
	if (text.len == 0)
		return cmd_usage(s->cmd, "cần có chữ để tìm", "there is nothing to look for");
	if (!cmd_read_format(s->cmd, &exit) || !cmd_open(s->cmd, &exit) ||
	    (type != NULL && !cmd_find_type(s->cmd, type, &s->type, &exit)))
		return exit;
	enum err e = ERR_OK;

	for (int i = 0; i < SEARCH_LEVELS && e == ERR_OK; i++)
		e = vntext_key(text, (enum vntext_level)i, &s->wanted[i]);
	s->wanted_letters = plain_letters(buf_bytes(&s->wanted[VNTEXT_FOLD]));
	if (e == ERR_OK)
		e = vault_record_each(s->cmd->vault, on_searched, s);
	if (e == ERR_OK)
		e = print_hits(s);
	for (int i = 0; i < SEARCH_LEVELS; i++)
		buf_clear(&s->wanted[i]);
	buf_clear(&s->key);
	return e == ERR_OK ? ARGS_EXIT_DONE : cmd_fail_err(s->cmd, e, "tìm", "searching");
}
