#define LOG_TAG "report"

#include "daemon/report_late.h"

#include <string.h>

#include "common/base/log.h"
#include "common/report/doc.h"
#include "daemon/admin_call.h"
#include "daemon/report_private.h"

struct late {
	struct report report;
	const struct frozen *row;
	json_t *units; /* code -> what came, while counting */
};

/* ---- which records may count in the period ---- */

static bool is_dated(const struct schema_field *f)
{
	return f->type == FIELD_DATE || f->type == FIELD_TIME;
}

static size_t count_dates(const struct schema_type *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->count; i++)
		count += is_dated(&t->fields[i]);
	return count;
}

/* The day of a field as text, r."held_on"; names are the schema's: snake_case. */
static void append_day(struct buf *out, const struct schema_field *f)
{
	buf_printf(out, "substr(r.\"%.*s\", 1, 10)", BYTES_FMT(f->name));
}

static void append_no_date(struct buf *out, const struct schema_type *t)
{
	buf_append_str(out, "coalesce(");
	for (size_t i = 0; i < t->count; i++) {
		if (is_dated(&t->fields[i]))
			buf_printf(out, "r.\"%.*s\", ", BYTES_FMT(t->fields[i].name));
	}
	buf_append_str(out, "NULL) IS NULL");
}

/* An event: one of its dates lies in the period. A register: it may have begun before the end. */
static void append_period(struct buf *out, const struct schema_type *t)
{
	if (count_dates(t) == 0)
		return;
	buf_append_str(out, " AND (");
	append_no_date(out, t);
	for (size_t i = 0; i < t->count; i++) {
		if (!is_dated(&t->fields[i]))
			continue;
		buf_append_str(out, " OR ");
		append_day(out, &t->fields[i]);
		buf_append_str(out, t->kind == SCHEMA_EVENT ? " BETWEEN :from AND :to" : " <= :to");
	}
	buf_append_str(out, ")");
}

/* ---- counting by unit ---- */

static json_t *counts_of(struct late *l, struct bytes code)
{
	AUTO(arena_clear) struct arena a = {0};
	const char *key = arena_strdup(&a, code);
	json_t *counts = json_object_get(l->units, key);

	if (counts != NULL)
		return counts;
	counts = json_pack("{s:I, s:I, s:I, s:I, s:n, s:n}", "records", (json_int_t)0, "changes",
			   (json_int_t)0, "left", (json_int_t)0, "erased", (json_int_t)0,
			   "first_log", "last_log");
	json_object_set_new(l->units, key, counts);
	return counts;
}

static void add(json_t *counts, const char *key, size_t more)
{
	json_t *number = json_object_get(counts, key);

	json_integer_set(number, json_integer_value(number) + (json_int_t)more);
}

static void note_log(json_t *counts, uint64_t log)
{
	const json_t *first = json_object_get(counts, "first_log");
	const json_t *last = json_object_get(counts, "last_log");

	if (!json_is_integer(first) || json_integer_value(first) > (json_int_t)log)
		json_object_set_new(counts, "first_log", json_integer((json_int_t)log));
	if (!json_is_integer(last) || json_integer_value(last) < (json_int_t)log)
		json_object_set_new(counts, "last_log", json_integer((json_int_t)log));
}

static void count_record(struct late *l, struct bytes code, struct bytes touched)
{
	AUTO(arena_clear) struct arena a = {0};
	json_t *counts = counts_of(l, code);
	uint64_t *logs = NULL;
	size_t log_count = 0;

	store_read_touched(&a, touched, &logs, &log_count);
	add(counts, "records", 1);
	for (size_t i = 0; i < log_count; i++) {
		if (logs[i] <= l->row->log)
			continue;
		add(counts, "changes", 1);
		note_log(counts, logs[i]);
	}
}

static void bind(struct late *l, struct sql *q)
{
	static const char *const names[] = {":log", ":from", ":to"};
	const struct bytes texts[] = {BYTES_NONE, l->row->from, l->row->to};

	for (size_t i = 0; i < 3; i++) {
		int position = sql_parameter(q, names[i]);

		if (position != 0 && i == 0)
			sql_bind_int(q, position, (int64_t)l->row->log);
		else if (position != 0)
			sql_bind_text(q, position, texts[i]);
	}
}

void report_late_query(const struct schema_type *t, struct buf *out)
{
	buf_printf(out,
		   "SELECT s.code, r.touched FROM temp.scope s CROSS JOIN main.\"%.*s\" r"
		   " ON r.unit = s.unit AND r.made_log > :log WHERE 1",
		   BYTES_FMT(t->name));
	append_period(out, t);
	buf_printf(out,
		   " UNION ALL SELECT s.code, r.touched FROM temp.scope s"
		   " CROSS JOIN main.\"%.*s__changed\" c ON c.in_unit = s.unit AND c.at_log > :log"
		   " CROSS JOIN main.\"%.*s\" r ON r.row = c.of_row AND r.log = c.at_log"
		   " AND r.unit = c.in_unit AND r.made_log <= :log WHERE 1",
		   BYTES_FMT(t->name), BYTES_FMT(t->name));
	append_period(out, t);
}

static enum err count_type(struct late *l, const struct schema_type *t)
{
	AUTO(buf_clear) struct buf text = {0};
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = true;
	enum err e;

	report_late_query(t, &text);
	e = sql_use_text(l->report.store, buf_bytes(&text), &q);
	if (e != ERR_OK)
		return e;
	bind(l, q);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row)
		count_record(l, sql_text(q, 0), sql_blob(q, 1));
	return e;
}

static const char query_left[] =
	"SELECT s.code, count(DISTINCT m.id), max(m.log) FROM temp.scope s CROSS JOIN main.moved m"
	" ON m.from_unit = s.unit AND m.log > :log AND m.to_unit NOT IN (SELECT unit FROM temp.scope)"
	" GROUP BY s.code";
static const char query_erased[] =
	"SELECT s.code, count(DISTINCT e.id), max(e.log) FROM temp.scope s CROSS JOIN main.erased e"
	" ON e.unit = s.unit AND e.log > :log GROUP BY s.code";

static enum err count_gone(struct late *l, const char *text, const char *key)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = true;
	enum err e = sql_use_text(l->report.store, bytes_str(text), &q);

	if (e != ERR_OK)
		return e;
	bind(l, q);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		json_t *counts = counts_of(l, sql_text(q, 0));

		add(counts, key, (size_t)sql_int(q, 1));
		note_log(counts, (uint64_t)sql_int(q, 2));
	}
	return e;
}

static enum err count_all(struct late *l)
{
	const struct schema *schema = store_schema(l->report.store);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < schema->type_count; i++)
		e = count_type(l, &schema->types[i]);
	if (e == ERR_OK)
		e = count_gone(l, query_left, "left");
	return e == ERR_OK ? count_gone(l, query_erased, "erased") : e;
}

static void put_unit(struct late *l, json_t *to, struct bytes code, struct bytes name)
{
	AUTO(arena_clear) struct arena a = {0};
	json_t *counts = json_object_get(l->units, arena_strdup(&a, code));
	json_t *unit;

	if (counts == NULL)
		return;
	unit = json_pack("{s:o, s:o}", "unit", admin_json_text(code), "name",
			 admin_json_text(name));
	json_object_update(unit, counts);
	json_array_append_new(to, unit);
}

/* Communes as the report has them; behind them what lives in the unit itself. */
static json_t *units_json(struct late *l)
{
	const struct report *r = &l->report;
	json_t *to = json_array();
	bool is_commune = false;

	for (size_t i = 0; i < r->commune_count; i++) {
		put_unit(l, to, r->communes[i].code, r->communes[i].name);
		is_commune = is_commune || r->communes[i].unit == r->unit.unit;
	}
	if (!is_commune)
		put_unit(l, to, r->unit.code, r->unit.name);
	return to;
}

/* ---- what it changes ---- */

static bool is_same_text(const json_t *a, const json_t *b, const char *key)
{
	const char *left = json_string_value(json_object_get(a, key));
	const char *right = json_string_value(json_object_get(b, key));

	return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static const json_t *find_row(const json_t *rows, const json_t *like)
{
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (is_same_text(row, like, "indicator") && is_same_text(row, like, "code") &&
		    is_same_text(row, like, "unit"))
			return row;
	}
	return NULL;
}

static json_t *figure_at(const json_t *row, const char *key)
{
	json_t *figure = json_object_get(row, key);

	return json_is_null(figure) ? NULL : figure;
}

/* 94 and 94.0 are one figure. */
static bool is_same_figure(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b))
		return json_number_value(a) == json_number_value(b);
	return a == b || (a != NULL && b != NULL && json_equal(a, b));
}

/* `old` or `new` NULL: there is no such row on that side. */
static void compare_rows(const json_t *old, const json_t *new, json_t *figures)
{
	static const char *const told[] = {"indicator", "indicator_label", "percent", "code",
					   "label",     "label_en",        "unit"};
	const json_t *row = new != NULL ? new : old;

	for (unsigned f = 0; f < DOC_FIGURES; f++) {
		json_t *before = figure_at(old, doc_figure_keys[f]);
		json_t *after = figure_at(new, doc_figure_keys[f]);
		json_t *changed;

		if (is_same_figure(before, after))
			continue;
		changed = json_object();
		for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
			json_object_set(changed, told[i], json_object_get(row, told[i]));
		json_object_set_new(changed, "figure", json_string(doc_figure_keys[f]));
		json_object_set_new(changed, "old",
				    before != NULL ? json_incref(before) : json_null());
		json_object_set_new(changed, "new",
				    after != NULL ? json_incref(after) : json_null());
		json_array_append_new(figures, changed);
	}
}

static json_t *figures_json(const json_t *old, const json_t *new)
{
	json_t *figures = json_array();

	for (size_t i = 0; i < json_array_size(new); i++) {
		const json_t *row = json_array_get(new, i);

		compare_rows(find_row(old, row), row, figures);
	}
	for (size_t i = 0; i < json_array_size(old); i++) {
		if (find_row(new, json_array_get(old, i)) == NULL)
			compare_rows(json_array_get(old, i), NULL, figures);
	}
	return figures;
}

/* ---- the whole ---- */

static enum err count_units(struct store *reader, struct arena *a, const struct frozen *row,
			    const struct report_request *request, json_t **ret_units)
{
	struct late l = {.report = {.store = reader, .arena = a, .request = request}, .row = row};
	enum err e = report_begin(&l.report);

	if (e != ERR_OK)
		return e;
	l.units = json_object();
	e = count_all(&l);
	report_end(&l.report);
	if (e == ERR_OK)
		*ret_units = units_json(&l);
	json_decref(l.units);
	return e;
}

static json_t *answer(const struct frozen *row, const json_t *old, const json_t *new, json_t *units)
{
	return json_pack("{s:I, s:o, s:I, s:O, s:b, s:o, s:o}", "frozen", (json_int_t)row->frozen,
			 "id", admin_json_text(row->report), "log", (json_int_t)row->log, "as_of",
			 json_object_get(new, "as_of"), "schema_changed",
			 !is_same_text(old, new, "schema"), "units", units, "figures",
			 figures_json(json_object_get(old, "rows"), json_object_get(new, "rows")));
}

enum err report_late(struct store *reader, struct arena *a, const struct frozen *row,
		     struct bytes frozen_json, int64_t now_ms, json_t **ret_late)
{
	const struct report_request request = {.id = row->report,
					       .unit = row->unit_code,
					       .from = row->from,
					       .to = row->to,
					       .on = row->on,
					       .now_ms = now_ms};
	json_t *old = json_loadb((const char *)frozen_json.data, frozen_json.len, 0, NULL);
	json_t *new = NULL;
	json_t *units = NULL;
	enum err e = ERR_OK;

	if (!json_is_array(json_object_get(old, "rows")))
		e = err_raise(ERR_CONFLICT, "the frozen JSON is no report");
	if (e == ERR_OK)
		e = report_run(reader, a, &request, &new);
	if (e == ERR_OK)
		e = count_units(reader, a, row, &request, &units);
	if (e == ERR_OK)
		*ret_late = answer(row, old, new, units);
	json_decref(new);
	json_decref(old);
	return e;
}
