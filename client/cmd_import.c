#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cmd.h"
#include "client/double.h"
#include "client/view.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/text/csv.h"

#define FILE_MAX_BYTES ((size_t)256 << 20)

/* `import any FILE`: rows of many types, each named in a column `type`. */
#define ANY_TYPE      "any"
#define ANY_TYPES_MAX 64u

enum row_result {
	ROW_NEW,
	ROW_SAME,
	ROW_CHANGE,
	ROW_DOUBLE, /* likely here already: not imported without --even-so */
	ROW_REFUSED,
	ROW_RESULTS
};

static const char *const result_names[ROW_RESULTS] = {"new", "same", "change", "double?",
						      "refused"};

enum column_kind {
	COLUMN_FIELD,
	COLUMN_ID,
	COLUMN_UNIT,
	COLUMN_TYPE,
	COLUMN_OTHER, /* a field of other types: empty in rows of this one */
	COLUMN_IGNORED
};

struct column {
	enum column_kind kind;
	const struct schema_field *field;
};

/* The whole command: one transaction over all files. */
struct run {
	struct cmd *cmd;
	struct entry_context ctx;
	struct buf map; /* text of --map */
	size_t counts[ROW_RESULTS];
	bool is_dry;
	bool is_even_so;
	struct table table;
	int exit;
};

/* One file of it. */
struct import {
	struct run *run;
	const struct schema_type *type;
	const char *path;
	bool is_any;
	struct csv_reader reader;
	struct column *columns;
	size_t column_count;
	int64_t unit;    /* of rows that do not say */
	uint64_t *known; /* sorted hashes of what is there, over the columns of this file */
	size_t known_count;
	size_t known_capacity;
	struct double_index *people;
};

/* One row of it. */
struct row {
	struct import *import;
	struct arena arena;
	struct change change;
	bool has_id;
	bool is_skipped; /* of another type: its turn comes, or came */
	enum row_result result;
	char why[VERDICT_TEXT_LEN + 80];
};

static bool stop(struct run *r, int exit)
{
	r->exit = exit;
	return false;
}

static enum err read_file(const char *path, struct buf *out)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	size_t n;

	if (f == NULL)
		return err_raise(ERR_IO, "%s: %s", path, strerror(errno));
	do {
		n = fread(buf_reserve(out, 65536), 1, 65536, f);
		out->len += n;
	} while (n != 0 && out->len <= FILE_MAX_BYTES);
	bool is_bad = ferror(f) != 0;

	if (f != stdin)
		fclose(f);
	if (is_bad)
		return err_raise(ERR_IO, "%s: cannot be read", path);
	return out->len > FILE_MAX_BYTES ? err_raise(ERR_TOOBIG, "%s is too big", path) : ERR_OK;
}

/* ---- columns ---- */

/* What --map says a heading means; the heading itself when it says nothing. */
static struct bytes mapped(struct import *m, struct bytes heading)
{
	AUTO(csv_reader_clear) struct csv_reader r = {0};

	csv_reader_init(&r, buf_bytes(&m->run->map));
	while (m->run->map.len != 0 && csv_next(&r) == CSV_ROW)
		if (bytes_equal(csv_field(&r, 0), heading))
			return arena_copy(&m->run->cmd->arena, csv_field(&r, 1));
	return heading;
}

static bool is_field_of_any(const struct schema *s, struct bytes name)
{
	for (size_t i = 0; i < s->type_count; i++)
		if (schema_find_field_any(&s->types[i], name) != NULL)
			return true;
	return false;
}

static bool find_column(struct import *m, struct bytes heading, struct column *ret)
{
	struct bytes name = mapped(m, heading);

	*ret = (struct column){.kind = COLUMN_IGNORED};
	if (name.len == 0 || bytes_is(name, "-") || bytes_is(name, "sync") ||
	    bytes_is(name, "deleted"))
		return true;
	if (bytes_is(name, "id") || bytes_is(name, "unit")) {
		ret->kind = bytes_is(name, "id") ? COLUMN_ID : COLUMN_UNIT;
		return true;
	}
	if (m->is_any && bytes_is(name, "type")) {
		ret->kind = COLUMN_TYPE;
		return true;
	}
	ret->kind = COLUMN_FIELD;
	ret->field = schema_find_field_any(m->type, name);
	if (ret->field != NULL)
		return true;
	if (m->is_any && is_field_of_any(m->run->cmd->schema, name)) {
		ret->kind = COLUMN_OTHER;
		return true;
	}
	fprintf(stderr,
		"ctxh: chưa ghi gì: %s: cột “%.*s” không phải trường của %.*s; hãy đổi tên cột hoặc "
		"dùng --map / nothing was saved: %s: column “%.*s” is no field of %.*s; rename it or "
		"use --map\n",
		m->path, BYTES_FMT(heading), BYTES_FMT(m->type->name), m->path, BYTES_FMT(heading),
		BYTES_FMT(m->type->name));
	return stop(m->run, ARGS_EXIT_FAILED);
}

static bool fail_csv(struct import *m)
{
	fprintf(stderr, "ctxh: chưa ghi gì / nothing was saved: %s:%zu: %s\n", m->path,
		m->reader.line, csv_problem_text(m->reader.problem));
	return stop(m->run, ARGS_EXIT_FAILED);
}

static bool read_heading(struct import *m)
{
	switch (csv_next(&m->reader)) {
	case CSV_ROW: break;
	case CSV_BAD: return fail_csv(m);
	case CSV_END:
		return stop(m->run, cmd_fail("tệp trống; chưa ghi gì",
					     "the file is empty; nothing was saved"));
	}
	m->column_count = m->reader.count;
	m->columns = arena_alloc_array(&m->run->cmd->arena, m->column_count, sizeof *m->columns);
	for (size_t i = 0; i < m->column_count; i++)
		if (!find_column(m, m->reader.fields[i], &m->columns[i]))
			return false;
	return true;
}

/* ---- what is there already ---- */

static void hash_write(struct buf *out, struct bytes name, const struct value *v)
{
	buf_printf(out, "%.*s=%d:", BYTES_FMT(name), (int)v->kind);
	if (v->kind == VALUE_TEXT || v->kind == VALUE_BYTES)
		buf_append_bytes(out, v->bytes);
	else
		buf_printf(out, "%lld",
			   (long long)(v->kind == VALUE_BOOL ? v->boolean : v->integer));
	buf_append_byte(out, 0);
}

static uint64_t hash_end(const struct buf *text)
{
	struct hash h = hash_of(buf_bytes(text));
	uint64_t n;

	memcpy(&n, h.bytes, sizeof n);
	return n;
}

static void know(struct import *m, uint64_t hash)
{
	if (m->known_count == m->known_capacity) {
		m->known_capacity = m->known_capacity != 0 ? 2 * m->known_capacity : 256;
		m->known = mem_realloc(m->known, m->known_capacity * sizeof *m->known);
	}
	m->known[m->known_count++] = hash;
}

/* In the order of the schema, so that records and rows of equal content hash alike. */
static uint64_t hash_record(struct import *m, const struct record *r)
{
	AUTO(buf_clear) struct buf text = {0};

	for (size_t i = 0; i < m->type->count; i++) {
		const struct field *f = record_find(r, m->type->fields[i].name);

		if (f != NULL && f->value.kind != VALUE_NULL)
			hash_write(&text, f->name, &f->value);
	}
	return hash_end(&text);
}

static uint64_t hash_change(struct import *m, const struct change *c)
{
	AUTO(buf_clear) struct buf text = {0};

	for (size_t i = 0; i < m->type->count; i++) {
		const struct write *w = change_find(c, m->type->fields[i].name);

		if (w != NULL && w->value.kind != VALUE_NULL)
			hash_write(&text, w->name, &w->value);
	}
	return hash_end(&text);
}

static enum err on_known(void *arg, const struct vault_record *r)
{
	struct import *m = arg;

	if (bytes_equal(r->body.type, m->type->name) && !record_is_deleted(&r->body))
		know(m, hash_record(m, &r->body));
	return ERR_OK;
}

static int compare_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static enum err load_known(struct import *m)
{
	enum err e = vault_record_each(m->run->cmd->vault, on_known, m);

	if (e == ERR_OK && double_is_for(m->type->name))
		e = double_index_new(m->run->cmd, &m->people);
	if (m->known_count != 0)
		qsort(m->known, m->known_count, sizeof *m->known, compare_hash);
	return e;
}

/* ---- rows ---- */

static bool refuse(struct row *w, struct bytes field, const char *text)
{
	w->result = ROW_REFUSED;
	if (field.len != 0)
		snprintf(w->why, sizeof w->why, "%.*s: %s", BYTES_FMT(field), text);
	else
		snprintf(w->why, sizeof w->why, "%s", text);
	return false;
}

static void put(struct row *w, struct bytes name, struct value value)
{
	w->change.writes[w->change.count++] = (struct write){name, value};
}

/* An empty cell says nothing: a sheet half filled in clears no field. */
static bool read_cell(struct row *w, const struct column *k, struct bytes text, int64_t *unit)
{
	struct cmd *c = w->import->run->cmd;
	struct finding finding = {0};
	struct value value;

	if (text.len == 0 || k->kind == COLUMN_IGNORED || k->kind == COLUMN_TYPE)
		return true;
	if (k->kind == COLUMN_OTHER)
		return refuse(w, BYTES_NONE,
			      "có ô của loại hồ sơ khác / a cell belongs to another record type");
	if (k->kind == COLUMN_UNIT)
		return cmd_unit_find(c, text, unit) == ERR_OK ||
		       refuse(w, BYTES_LIT("unit"),
			      "không có đơn vị mang mã này / no unit has this code");
	if (k->kind == COLUMN_ID) {
		w->has_id = true;
		return id_parse(text, &w->change.id) == ERR_OK ||
		       refuse(w, BYTES_LIT("id"),
			      "mã phải có 32 chữ số hex / an id has 32 hex digits");
	}
	/* The finding's text names the field. */
	if (cmd_parse_value(c, &w->arena, k->field, text, &value, &finding) != ERR_OK)
		return refuse(w, BYTES_NONE, finding.text);
	if (value.kind != VALUE_NULL)
		put(w, k->field->name, value);
	return true;
}

/* The type a row of `import any` names; NULL: none that exists. */
static const struct schema_type *type_of_row(const struct import *m)
{
	for (size_t i = 0; i < m->column_count && i < m->reader.count; i++)
		if (m->columns[i].kind == COLUMN_TYPE)
			return schema_find_type_any(m->run->cmd->schema, m->reader.fields[i]);
	return NULL;
}

static bool read_row(struct row *w)
{
	struct import *m = w->import;
	struct csv_reader *r = &m->reader;
	int64_t unit = 0;

	w->change = (struct change){.type = m->type->name};
	w->is_skipped = m->is_any && type_of_row(m) != m->type;
	if (w->is_skipped)
		return false;
	w->change.writes =
		arena_alloc_array(&w->arena, m->column_count + 1, sizeof *w->change.writes);
	if (r->count > m->column_count)
		return refuse(w, BYTES_NONE, "nhiều ô hơn tiêu đề / more cells than headings");
	for (size_t i = 0; i < r->count; i++)
		if (!read_cell(w, &m->columns[i], r->fields[i], &unit))
			return false;
	/* A row of nothing but separators, as spreadsheets leave below a list. */
	w->is_skipped = !w->has_id && w->change.count == 0;
	if (w->is_skipped)
		return false;
	if (!w->has_id)
		w->change.id = id_new(m->run->cmd->clock, m->run->cmd->rand);
	struct vault_record there;
	enum err e =
		w->has_id ? vault_record_load(m->run->cmd->vault, &w->arena, &w->change.id, &there)
			  : ERR_NOTFOUND;

	/* A record that is there stays where it is, unless the sheet says otherwise. */
	if (unit == 0 && e == ERR_NOTFOUND)
		unit = m->unit;
	else if (e == ERR_NOTFOUND && !cmd_unit_is_ours(m->run->cmd, unit))
		return refuse(w, BYTES_LIT("unit"),
			      "đơn vị không thuộc địa bàn của máy / not a unit of this device");
	if (unit != 0)
		put(w, BYTES_LIT(RECORD_UNIT), value_int(unit));
	if (!change_sort(&w->change))
		return refuse(w, BYTES_NONE, "hai cột cho một trường / two columns for one field");
	if (e == ERR_OK && !bytes_equal(there.body.type, m->type->name))
		return refuse(w, BYTES_LIT("id"),
			      "mã này là của hồ sơ loại khác / this id is of another record type");
	return true;
}

static void tell_double(struct row *w, const struct id *other)
{
	struct cmd *c = w->import->run->cmd;
	struct vault_record r;
	char hex[ID_HEX_LEN];

	/* Of a dry run nothing is there to be looked at. */
	if (vault_record_load(c->vault, &w->arena, other, &r) != ERR_OK) {
		snprintf(w->why, sizeof w->why, "có thể là một dòng ở trên / may be a row above");
		return;
	}
	id_print(other, hex);
	if (c->format != TABLE_TABLE) {
		snprintf(w->why, sizeof w->why, "có thể là / may be %s", hex);
		return;
	}
	struct bytes title = view_title(c, &w->arena, &r.body);

	view_short_id(other, hex);
	snprintf(w->why, sizeof w->why, "có thể là %.*s (%s)", BYTES_FMT(title), hex);
}

/* A row without an id is new only when nothing here says the same. */
static bool is_new_to_us(struct row *w)
{
	struct import *m = w->import;
	uint64_t hash = hash_change(m, &w->change);
	struct id other;

	if (w->has_id)
		return true;
	if (m->known_count != 0 &&
	    bsearch(&hash, m->known, m->known_count, sizeof hash, compare_hash) != NULL) {
		w->result = ROW_SAME;
		return false;
	}
	if (m->people != NULL && !m->run->is_even_so &&
	    double_find(m->people, &w->change, &other, 1) != 0) {
		w->result = ROW_DOUBLE;
		tell_double(w, &other);
		return false;
	}
	return true;
}

static enum err take_row(struct row *w)
{
	const struct entry_context *ctx = &w->import->run->ctx;
	enum entry_outcome outcome = ENTRY_SAME;
	struct finding finding = {0};

	if (!read_row(w) || !is_new_to_us(w))
		return ERR_OK;
	enum err e = w->import->run->is_dry ? entry_try(ctx, &w->change, &outcome, &finding)
					    : entry_make(ctx, &w->change, &outcome, &finding);

	if (e == ERR_INVAL) {
		refuse(w, BYTES_NONE, finding.text);
		return ERR_OK;
	}
	w->result = outcome == ENTRY_NEW ? ROW_NEW : outcome == ENTRY_SAME ? ROW_SAME : ROW_CHANGE;
	if (e == ERR_OK && outcome == ENTRY_NEW && w->import->people != NULL)
		double_add(w->import->people, &w->change);
	return e;
}

static const struct table_column row_columns[] = {
	{.key = "file", .label_vi = "Tệp", .label_en = "File"},
	{.key = "row", .label_vi = "Dòng", .label_en = "Line", .type = TABLE_INT},
	{.key = "result", .label_vi = "Kết quả", .label_en = "Result", .is_whole = true},
	{.key = "id", .label_vi = "Mã", .label_en = "Id", .is_whole = true},
	{.key = "why", .label_vi = "Lý do", .label_en = "Why"},
};

static const char *result_for_people(enum row_result result)
{
	switch (result) {
	case ROW_NEW: return "mới";
	case ROW_SAME: return "như cũ";
	case ROW_CHANGE: return "sửa";
	case ROW_DOUBLE: return "có thể trùng";
	case ROW_REFUSED: return "không nhận";
	case ROW_RESULTS: break;
	}
	UNREACHABLE();
}

/* People read the name of the file, not the way to it. */
static const char *file_for_people(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static void tell_row(struct row *w)
{
	struct run *r = w->import->run;
	const bool is_table = r->cmd->format == TABLE_TABLE;
	char id[ID_HEX_LEN];

	r->counts[w->result]++;
	/* A dry run tells every row; a real one those that need somebody. */
	if (!r->is_dry && w->result != ROW_DOUBLE && w->result != ROW_REFUSED)
		return;
	id_print(&w->change.id, id);
	if (is_table)
		view_short_id(&w->change.id, id);
	const struct value cells[] = {
		value_text(
			bytes_str(is_table ? file_for_people(w->import->path) : w->import->path)),
		value_int((int64_t)w->import->reader.line),
		value_text(bytes_str(is_table ? result_for_people(w->result)
					      : result_names[w->result])),
		w->has_id && w->result != ROW_REFUSED ? value_text(bytes_str(id)) : VALUE_NONE,
		w->why[0] != '\0' ? value_text(bytes_str(w->why)) : VALUE_NONE,
	};

	table_add(&r->table, cells);
}

static bool take_rows(struct import *m)
{
	for (;;) {
		struct row w = {.import = m};
		enum csv_step step = csv_next(&m->reader);

		if (step == CSV_END)
			return true;
		if (step == CSV_BAD)
			return fail_csv(m);
		enum err e = take_row(&w);

		if (e == ERR_OK && !w.is_skipped)
			tell_row(&w);
		arena_clear(&w.arena);
		if (e != ERR_OK)
			return stop(m->run, cmd_fail_err(m->run->cmd, e, "nhập (chưa ghi gì)",
							 "importing (nothing was saved)"));
	}
}

static bool needs_unit(const struct import *m)
{
	for (size_t i = 0; i < m->column_count; i++)
		if (m->columns[i].kind == COLUMN_UNIT)
			return false;
	return true;
}

static bool run_file(struct import *m)
{
	AUTO(buf_clear) struct buf text = {0};
	enum err e = read_file(m->path, &text);

	if (e != ERR_OK)
		return stop(m->run, cmd_fail_err(m->run->cmd, e, "đọc tệp", "reading the file"));
	csv_reader_init(&m->reader, buf_bytes(&text));
	bool is_fine = read_heading(m) &&
		       (!needs_unit(m) ||
			cmd_entry_unit(m->run->cmd, args_value(m->run->cmd->args, "unit", NULL),
				       &m->unit, &m->run->exit));

	if (is_fine) {
		e = load_known(m);
		is_fine = e == ERR_OK ? take_rows(m)
				      : stop(m->run, cmd_fail_err(m->run->cmd, e, "đọc kho dữ liệu",
								  "reading the vault"));
	}
	csv_reader_clear(&m->reader);
	return is_fine;
}

/* The types of a file's rows, in the order they first appear; rows of no type are told. */
static bool collect_types(struct import *m, const struct schema_type **types, size_t *count)
{
	for (;;) {
		enum csv_step step = csv_next(&m->reader);

		if (step == CSV_END)
			return true;
		if (step == CSV_BAD)
			return fail_csv(m);
		const struct schema_type *type = type_of_row(m);
		size_t i = 0;

		if (type == NULL) {
			struct row w = {.import = m};

			refuse(&w, BYTES_LIT("type"),
			       "không có loại hồ sơ này / there is no such record type");
			tell_row(&w);
			continue;
		}
		while (i < *count && types[i] != type)
			i++;
		if (i == ANY_TYPES_MAX)
			return stop(m->run, cmd_fail("tệp có quá nhiều loại hồ sơ; chưa ghi gì",
						     "too many record types; nothing was saved"));
		types[i] = type;
		*count += i == *count;
	}
}

static bool run_any(struct run *r, const char *path)
{
	AUTO(buf_clear) struct buf text = {0};
	const struct schema_type *types[ANY_TYPES_MAX];
	size_t count = 0;
	/* Any type will do to read the headings by. */
	struct import m = {
		.run = r, .path = path, .is_any = true, .type = &r->cmd->schema->types[0]};
	enum err e = read_file(path, &text);

	if (e != ERR_OK)
		return stop(r, cmd_fail_err(r->cmd, e, "đọc tệp", "reading the file"));
	csv_reader_init(&m.reader, buf_bytes(&text));
	bool is_fine = read_heading(&m) && collect_types(&m, types, &count);

	csv_reader_clear(&m.reader);
	for (size_t i = 0; is_fine && i < count; i++) {
		m = (struct import){.run = r, .path = path, .is_any = true, .type = types[i]};
		is_fine = run_file(&m);
		double_index_free(m.people);
		mem_free(m.known);
	}
	return is_fine;
}

static bool run_pair(struct run *r, const char *type, const char *path)
{
	struct import m = {.run = r, .path = path};
	size_t len = strlen(path);

	if (len > 5 && strcmp(path + len - 5, ".xlsx") == 0)
		return stop(r,
			    cmd_fail("chưa đọc được .xlsx; hãy lưu bảng thành CSV UTF-8 rồi nhập",
				     ".xlsx cannot be read yet; save the sheet as CSV UTF-8"));
	if (strcmp(type, ANY_TYPE) == 0)
		return run_any(r, path);
	if (!cmd_find_type(r->cmd, type, &m.type, &r->exit))
		return false;
	bool is_fine = run_file(&m);

	double_index_free(m.people);
	mem_free(m.known);
	return is_fine;
}

static bool run_pairs(struct run *r, const struct args *args)
{
	const char *path;

	for (size_t i = 0; (path = args_positional(args, i + 1)) != NULL; i += 2)
		if (!run_pair(r, args_positional(args, i), path))
			return false;
	return true;
}

static int finish(struct run *r)
{
	size_t open = r->counts[ROW_DOUBLE] + r->counts[ROW_REFUSED];

	if (r->table.row_count != 0 || r->cmd->format != TABLE_TABLE)
		cmd_print_table(r->cmd, &r->table);
	fflush(stdout);
	fprintf(stderr,
		"%s: mới %zu, như cũ %zu, sửa %zu, có thể trùng %zu, không nhận %zu / new %zu, same "
		"%zu, change %zu, double? %zu, refused %zu\n",
		r->is_dry ? "Thử, chưa ghi gì / dry run, nothing saved" : "Đã ghi / saved",
		r->counts[ROW_NEW], r->counts[ROW_SAME], r->counts[ROW_CHANGE],
		r->counts[ROW_DOUBLE], r->counts[ROW_REFUSED], r->counts[ROW_NEW],
		r->counts[ROW_SAME], r->counts[ROW_CHANGE], r->counts[ROW_DOUBLE],
		r->counts[ROW_REFUSED]);
	return open != 0 ? ARGS_EXIT_PARTIAL : ARGS_EXIT_DONE;
}

static int run_all(struct run *r, const struct args *args)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = r->is_dry ? ERR_OK : vault_begin(r->cmd->vault);

	if (e == ERR_OK) {
		txn = r->cmd->vault;
		if (!run_pairs(r, args))
			return r->exit;
		e = r->is_dry ? ERR_OK : vault_commit(r->cmd->vault);
	}
	return e == ERR_OK ? finish(r)
			   : cmd_fail_err(r->cmd, e, "nhập (chưa ghi gì)",
					  "importing (nothing was saved)");
}

int cmd_import(void *context, const struct args *args)
{
	struct run r = {.cmd = context};
	const char *map = args_value(args, "map", NULL);

	if (args->positional_count % 2 != 0)
		return cmd_usage(r.cmd, "mỗi tệp cần loại hồ sơ đứng trước: LOẠI TỆP [LOẠI TỆP …]",
				 "each file needs its type before it: TYPE FILE [TYPE FILE …]");
	if (!cmd_read_format(r.cmd, &r.exit))
		return r.exit;
	if (map != NULL && read_file(map, &r.map) != ERR_OK)
		return cmd_fail(log_last_detail(), "--map");
	if (!cmd_open_entry(r.cmd, &r.ctx, &r.exit)) {
		buf_clear(&r.map);
		return r.exit;
	}
	r.is_dry = args_has(args, "dry-run");
	r.is_even_so = args_has(args, "even-so");
	table_init(&r.table, row_columns, sizeof row_columns / sizeof *row_columns);
	r.exit = run_all(&r, args);
	table_clear(&r.table);
	buf_clear(&r.map);
	return r.exit;
}
