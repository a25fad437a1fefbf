#define LOG_TAG "report"

#include "daemon/report.h"

#include <string.h>

#include "common/base/log.h"
#include "daemon/admin_names.h"
#include "daemon/report_private.h"

#define DAY_MS     INT64_C(86400000)
#define VIETNAM_MS (INT64_C(7) * 3600000)

/* ---- rows ---- */

static const char *const figures[] = {"value",  "numerator", "denominator",
				      "target", "persons",   "person_times"};
#define FIGURES (sizeof figures / sizeof figures[0])

static json_t *figure_of(struct sql *q, int column)
{
	switch (sql_kind(q, column)) {
	case SQL_INT: return json_integer(sql_int(q, column));
	case SQL_REAL: return json_real(sql_real(q, column));
	case SQL_TEXT:
		return json_stringn((const char *)sql_text(q, column).data,
				    sql_text(q, column).len);
	case SQL_NULL:
	case SQL_BLOB: break;
	}
	return NULL;
}

/* Some list has this code restricted, and none has it open: a cut by it counts few, known people.
 */
static bool is_code_restricted(const struct schema *schema, struct bytes code)
{
	bool is_restricted = false;

	for (size_t i = 0; i < schema->list_count; i++) {
		const struct schema_code *c = schema_find_code(&schema->lists[i], code);

		if (c != NULL && c->sensitivity != SENSITIVITY_RESTRICTED)
			return false;
		is_restricted = is_restricted || c != NULL;
	}
	return is_restricted;
}

/* "group.hiv": the part behind the last dot is the list's code. */
static bool is_row_restricted(const struct schema *schema, const struct schema_indicator *indicator,
			      struct bytes code)
{
	size_t at = code.len;

	if (indicator->sensitivity == SENSITIVITY_RESTRICTED)
		return true;
	while (at > 0 && code.data[at - 1] != '.')
		at--;
	return is_code_restricted(schema, bytes_of(code.data + at, code.len - at));
}

static bool is_small(const json_t *row, const char *key)
{
	const json_t *figure = json_object_get(row, key);

	return json_is_number(figure) && json_number_value(figure) < REPORT_SMALLEST;
}

/* A share over a small count would give the count away again. */
static void suppress(json_t *row, bool is_percent)
{
	static const char *const counts[] = {"numerator", "denominator", "persons", "person_times"};
	bool is_suppressed = !is_percent && is_small(row, "value");

	if (is_suppressed)
		json_object_set_new(row, "value", json_string("<5"));
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		if (!is_small(row, counts[i]))
			continue;
		json_object_set_new(row, counts[i], json_string("<5"));
		is_suppressed = true;
	}
	if (is_suppressed && is_percent)
		json_object_set_new(row, "value", json_null());
	if (is_suppressed)
		json_object_set_new(row, "suppressed", json_true());
}

static int column_of(struct sql *q, const char *name)
{
	for (int i = 0; i < sql_column_count(q); i++) {
		if (strcmp(sql_column_name(q, i), name) == 0)
			return i;
	}
	return -1;
}

static json_t *text_of(struct sql *q, const char *name)
{
	int column = column_of(q, name);

	return admin_json_text(column >= 0 ? sql_text(q, column) : BYTES_NONE);
}

/* A cut by commune is about that commune. */
static json_t *unit_of(const struct report *r, const char *code)
{
	static const char prefix[] = "commune.";

	if (code != NULL && strncmp(code, prefix, sizeof prefix - 1) == 0)
		return json_string(code + sizeof prefix - 1);
	return admin_json_text(r->unit.code);
}

static json_t *row_of(const struct report *r, const struct schema_indicator *indicator,
		      struct sql *q)
{
	const struct schema *schema = store_schema(r->records);
	json_t *row = json_object();
	const json_t *code;

	json_object_set_new(row, "section", admin_json_text(indicator->section));
	json_object_set_new(row, "indicator", admin_json_text(indicator->id));
	json_object_set_new(row, "indicator_label", admin_json_text(indicator->label.vi));
	json_object_set_new(row, "indicator_label_en", admin_json_text(indicator->label.en));
	json_object_set_new(row, "source", admin_json_text(indicator->source));
	json_object_set_new(row, "code", text_of(q, "code"));
	json_object_set_new(row, "label", text_of(q, "label_vi"));
	json_object_set_new(row, "label_en", text_of(q, "label_en"));
	code = json_object_get(row, "code");
	json_object_set_new(row, "unit", unit_of(r, json_string_value(code)));
	json_object_set_new(row, "value", json_null());
	for (size_t i = 0; i < FIGURES; i++) {
		int column = column_of(q, figures[i]);
		json_t *figure = column >= 0 ? figure_of(q, column) : NULL;

		if (figure != NULL)
			json_object_set_new(row, figures[i], figure);
	}
	json_object_set_new(row, "percent", json_boolean(indicator->is_percent));
	if (is_row_restricted(schema, indicator,
			      json_is_string(code) ? bytes_str(json_string_value(code))
						   : BYTES_NONE))
		suppress(row, indicator->is_percent);
	return row;
}

static void bind(struct sql *q, const char *name, struct bytes text)
{
	int position = sql_parameter(q, name);

	if (position != 0)
		sql_bind_text(q, position, text);
}

static enum err run_indicator(struct report *r, const struct schema_indicator *indicator,
			      json_t *rows)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = true;
	enum err e = sql_use_text(r->records, indicator->sql, &q);

	if (e != ERR_OK) {
		log_err("indicator=%.*s code=%s detail=%s", BYTES_FMT(indicator->id), err_name(e),
			log_last_detail());
		return e;
	}
	bind(q, ":from", r->request->from);
	bind(q, ":to", r->request->to);
	bind(q, ":on", r->on);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row)
		json_array_append_new(rows, row_of(r, indicator, q));
	return e;
}

static bool is_wanted(struct bytes id, const struct schema_indicator *indicator)
{
	return bytes_is(id, REPORT_ANNUAL) || bytes_equal(id, indicator->id);
}

static enum err run_indicators(struct report *r, json_t *rows)
{
	const struct schema *schema = store_schema(r->store);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < schema->indicator_count; i++) {
		if (is_wanted(r->request->id, &schema->indicators[i]))
			e = run_indicator(r, &schema->indicators[i], rows);
	}
	return e;
}

/* ---- the whole ---- */

/* Its records of the period may not all be here: not heard of since, and not lately either. */
static bool is_stale(const struct report *r, const struct report_commune *c)
{
	const int64_t now = r->until_ms != 0 ? r->until_ms : r->request->now_ms;
	int64_t since = now - ADMIN_STALE_MS;
	int64_t day = 0;
	int64_t end;

	if (c->last_contact_ms == 0 || units_parse_day(r->request->to, &day) != ERR_OK)
		return true;
	end = (day + 1) * DAY_MS - VIETNAM_MS;
	return c->last_contact_ms < (end < since ? end : since);
}

static void put_stale(const struct report *r, json_t *report)
{
	json_t *codes = json_array();
	json_t *communes = json_array();

	for (size_t i = 0; i < r->commune_count; i++) {
		const struct report_commune *c = &r->communes[i];

		if (!is_stale(r, c))
			continue;
		json_array_append_new(codes, admin_json_text(c->code));
		json_array_append_new(communes,
				      json_pack("{s:o, s:o, s:o}", "code", admin_json_text(c->code),
						"name", admin_json_text(c->name), "last_contact",
						admin_json_time(c->last_contact_ms)));
	}
	json_object_set_new(report, "communes", json_integer((json_int_t)r->commune_count));
	json_object_set_new(report, "stale_units", codes);
	json_object_set_new(report, "stale", communes);
}

/* Changes that wait for a decision, from devices that write in the scope. */
static const char query_quarantined[] =
	"SELECT count(*) FROM quarantine q WHERE q.state = 'open' AND EXISTS"
	" (SELECT 1 FROM device_unit u JOIN temp.scope s ON s.unit = u.unit WHERE u.device = q.device)";
/*
 * Of those that had come until then: still open, or let in by a later entry of the log. What was
 * turned down since counts as decided: the log does not say when.
 */
static const char query_quarantined_then[] =
	"SELECT count(*) FROM quarantine q WHERE (q.log BETWEEN 1 AND ?1 OR (q.log = 0 AND q.at <= ?2))"
	" AND (q.state = 'open' OR (q.state = 'replayed' AND (q.device, q.number) IN"
	" (SELECT c.device, c.first FROM changeset c WHERE c.log > ?1 AND c.kind IN (2, 4))))"
	" AND EXISTS (SELECT 1 FROM device_unit u JOIN temp.scope s ON s.unit = u.unit"
	" WHERE u.device = q.device)";
static const char query_erased[] =
	"SELECT count(DISTINCT e.id) FROM temp.scope s JOIN erased e ON e.unit = s.unit"
	" WHERE e.log > ?1";

/* Texts over the report's own views are compiled anew each time. */
static enum err count(struct report *r, const char *text, json_t *report, const char *key)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use_text(r->store, bytes_str(text), &q);

	if (e != ERR_OK)
		return e;
	if (text != query_quarantined)
		sql_bind_int(q, 1, (int64_t)r->log);
	if (text == query_quarantined_then)
		sql_bind_int(q, 2, r->log_ms);
	e = sql_run_row(q);
	if (e == ERR_OK)
		json_object_set_new(report, key, json_integer(sql_int(q, 0)));
	return e;
}

static void put_head(const struct report *r, json_t *report)
{
	const struct report_request *q = r->request;
	const struct schema *schema = store_schema(r->records);
	const struct schema_indicator *indicator = schema_find_indicator(schema, q->id);
	char version[2 * sizeof schema->version + 1];

	hex_print(schema->version, sizeof schema->version, version);
	json_object_set_new(report, "id", admin_json_text(q->id));
	json_object_set_new(report, "label",
			    indicator != NULL ? admin_json_text(indicator->label.vi)
					      : json_string("Báo cáo năm"));
	json_object_set_new(report, "label_en",
			    indicator != NULL ? admin_json_text(indicator->label.en)
					      : json_string("Yearly report"));
	json_object_set_new(report, "unit", admin_json_text(r->unit.code));
	json_object_set_new(report, "unit_name", admin_json_text(r->unit.name));
	json_object_set_new(report, "from", admin_json_text(q->from));
	json_object_set_new(report, "to", admin_json_text(q->to));
	json_object_set_new(report, "on", admin_json_text(r->on));
	json_object_set_new(report, "as_of", json_integer((json_int_t)r->log));
	json_object_set_new(report, "as_of_at", admin_json_time(r->log_ms));
	json_object_set_new(report, "past", json_boolean(r->until_ms != 0));
	json_object_set_new(report, "schema", json_string(version));
}

static enum err build(struct report *r, json_t *report)
{
	json_t *rows = json_array();
	enum err e;

	put_head(r, report);
	put_stale(r, report);
	e = count(r, r->until_ms != 0 ? query_quarantined_then : query_quarantined, report,
		  "quarantined");
	if (e == ERR_OK)
		e = count(r, query_erased, report, "erased");
	json_object_set_new(report, "rows", rows);
	return e == ERR_OK ? run_indicators(r, rows) : e;
}

enum err report_run(struct store *reader, struct arena *a, const struct report_request *request,
		    json_t **ret_report)
{
	struct report r = {.store = reader, .arena = a, .request = request};
	json_t *report;
	enum err e = report_begin(&r);

	if (e != ERR_OK)
		return e;
	report = json_object();
	e = build(&r, report);
	report_end(&r);
	if (e == ERR_OK)
		*ret_report = report;
	else
		json_decref(report);
	return e;
}

enum err report_is_restricted(const struct schema *schema, struct bytes id, bool *ret_is_restricted)
{
	const struct schema_indicator *i = schema_find_indicator(schema, id);

	if (bytes_is(id, REPORT_ANNUAL)) {
		*ret_is_restricted = true;
		return ERR_OK;
	}
	if (i == NULL)
		return ERR_NOTFOUND;
	*ret_is_restricted = i->sensitivity == SENSITIVITY_RESTRICTED;
	return ERR_OK;
}

static json_t *listed(const struct schema_indicator *i)
{
	json_t *row = json_object();

	json_object_set_new(row, "id", admin_json_text(i->id));
	json_object_set_new(row, "label", admin_json_text(i->label.vi));
	json_object_set_new(row, "label_en", admin_json_text(i->label.en));
	json_object_set_new(row, "section", admin_json_text(i->section));
	json_object_set_new(row, "source", admin_json_text(i->source));
	json_object_set_new(row, "percent", json_boolean(i->is_percent));
	json_object_set_new(row, "restricted",
			    json_boolean(i->sensitivity == SENSITIVITY_RESTRICTED));
	return row;
}

json_t *report_list(const struct schema *schema)
{
	json_t *rows = json_array();

	json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:n, s:n, s:b, s:b}", "id",
					      REPORT_ANNUAL, "label", "Báo cáo năm: mọi chỉ tiêu",
					      "label_en", "Yearly report: every indicator",
					      "section", "source", "percent", 0, "restricted", 1));
	for (size_t i = 0; i < schema->indicator_count; i++)
		json_array_append_new(rows, listed(&schema->indicators[i]));
	return rows;
}
