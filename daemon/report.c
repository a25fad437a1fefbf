#define LOG_TAG "report"

#include "daemon/report.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "daemon/admin_names.h"
#include "daemon/store_admin.h"
#include "daemon/units.h"

#define DAY_MS     INT64_C(86400000)
#define VIETNAM_MS (INT64_C(7) * 3600000)

/* ---- communes and when they were heard of ---- */

struct contact {
	int64_t unit;
	int64_t at_ms;
};

struct contacts {
	struct contact *rows; /* by unit */
	size_t count;
};

static enum err load_contacts(struct store *s, struct arena *a, struct contacts *ret_contacts)
{
	static const char text[] = "SELECT u.unit, max(d.last_contact_at), count(*) OVER ()"
				   " FROM device_unit u JOIN device d ON d.number = u.device"
				   " GROUP BY u.unit ORDER BY u.unit";
	AUTO(sql_done) struct sql *q = NULL;
	struct contacts contacts = {0};
	bool is_row = true;
	enum err e = sql_use(s, text, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (contacts.rows == NULL)
			contacts.rows =
				arena_alloc_array(a, (size_t)sql_int(q, 2), sizeof *contacts.rows);
		contacts.rows[contacts.count++] =
			(struct contact){.unit = sql_int(q, 0), .at_ms = sql_int(q, 1)};
	}
	if (e == ERR_OK)
		*ret_contacts = contacts;
	return e;
}

static int contact_order(const void *key, const void *row)
{
	const int64_t unit = *(const int64_t *)key;
	const struct contact *c = row;

	return (unit > c->unit) - (unit < c->unit);
}

static void take_later(const struct contacts *contacts, int64_t unit, int64_t *latest)
{
	const struct contact *c = NULL;

	if (contacts->count != 0)
		c = bsearch(&unit, contacts->rows, contacts->count, sizeof *contacts->rows,
			    contact_order);
	if (c != NULL && c->at_ms > *latest)
		*latest = c->at_ms;
}

/* Devices of the commune, of what it was made from, and of the units above it. */
static enum err find_latest(struct store *s, struct arena *a, const struct contacts *contacts,
			    const struct unit_row *commune, int64_t day, int64_t *ret_ms)
{
	struct unit_row above = *commune;
	int64_t *units = NULL;
	size_t count = 0;
	enum err e = units_load_below(s, a, commune->unit, day, &units, &count);

	if (e != ERR_OK)
		return e;
	*ret_ms = 0;
	for (size_t i = 0; i < count; i++)
		take_later(contacts, units[i], ret_ms);
	while (e == ERR_OK && above.parent != 0) {
		take_later(contacts, above.parent, ret_ms);
		e = units_load(s, a, above.parent, day, &above);
	}
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static bool is_below(const struct unit_row *commune, const struct unit_row *unit)
{
	if (unit == NULL)
		return true;
	switch (unit->level) {
	case UNIT_COMMUNE: return commune->unit == unit->unit;
	case UNIT_DISTRICT: return commune->parent == unit->unit;
	case UNIT_PROVINCE: return bytes_equal(commune->province_code, unit->code);
	}
	return false;
}

static enum err load_communes(struct store *s, struct arena *a, const struct unit_row *unit,
			      int64_t day, struct report_commune **ret_communes, size_t *ret_count)
{
	struct contacts contacts = {0};
	struct unit_row *rows = NULL;
	struct report_commune *communes;
	const struct units_filter filter = {.day = day, .level = UNIT_COMMUNE};
	size_t row_count = 0;
	size_t count = 0;
	enum err e = load_contacts(s, a, &contacts);

	if (e == ERR_OK)
		e = units_list(s, a, &filter, &rows, &row_count);
	if (e != ERR_OK)
		return e;
	communes = arena_alloc_array(a, row_count, sizeof *communes);
	for (size_t i = 0; e == ERR_OK && i < row_count; i++) {
		struct report_commune *c = &communes[count];

		if (!is_below(&rows[i], unit))
			continue;
		*c = (struct report_commune){
			.unit = rows[i].unit, .code = rows[i].code, .name = rows[i].name};
		e = find_latest(s, a, &contacts, &rows[i], day, &c->last_contact_ms);
		count++;
	}
	if (e != ERR_OK)
		return e;
	*ret_communes = communes;
	*ret_count = count;
	return ERR_OK;
}

enum err report_load_communes(struct store *s, struct arena *a, int64_t unit, int64_t day,
			      struct report_commune **ret_communes, size_t *ret_count)
{
	struct unit_row row;
	enum err e;

	if (unit == 0)
		return load_communes(s, a, NULL, day, ret_communes, ret_count);
	e = units_load(s, a, unit, day, &row);
	if (e != ERR_OK)
		return e;
	return load_communes(s, a, &row, day, ret_communes, ret_count);
}

/* ---- scope ---- */

struct report {
	struct store *store;
	struct arena *arena;
	const struct report_request *request;
	struct bytes on;
	int64_t day;
	struct unit_row unit;
	struct report_commune *communes;
	size_t commune_count;
};

static struct bytes iso_day(struct arena *a, int64_t now_ms)
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(now_ms + VIETNAM_MS, iso);
	return arena_copy(a, bytes_of(iso, 10));
}

/* Without --on the last day of the period says what the code means; a list that begins
 * later still knows it today. */
static enum err find_unit(struct report *r)
{
	const struct report_request *q = r->request;
	enum err e;

	r->on = q->on.len != 0 ? q->on : q->to;
	e = units_parse_day(r->on, &r->day);
	if (e == ERR_OK)
		e = units_find(r->store, r->arena, q->unit, r->day, &r->unit);
	if (e != ERR_NOTFOUND || q->on.len != 0)
		return e;
	r->on = iso_day(r->arena, q->now_ms);
	e = units_parse_day(r->on, &r->day);
	if (e == ERR_OK)
		e = units_find(r->store, r->arena, q->unit, r->day, &r->unit);
	return e;
}

static enum err add_commune(struct report *r, const struct report_commune *c)
{
	int64_t *units = NULL;
	size_t count = 0;
	enum err e = store_add_commune(r->store, c->unit, c->code, c->name);

	if (e == ERR_OK)
		e = units_load_below(r->store, r->arena, c->unit, r->day, &units, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = store_add_scope(r->store, units[i], c->unit, c->code);
	return e;
}

/* Communes first: what is left (the unit itself, districts, what was divided) counts for the
 * whole. */
static enum err fill_scope(struct report *r)
{
	int64_t *units = NULL;
	size_t count = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < r->commune_count; i++)
		e = add_commune(r, &r->communes[i]);
	if (e == ERR_OK)
		e = units_load_below(r->store, r->arena, r->unit.unit, r->day, &units, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = store_add_scope(r->store, units[i], r->unit.unit, r->unit.code);
	return e;
}

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
	const struct schema *schema = store_schema(r->store);
	json_t *row = json_object();
	const json_t *code;

	json_object_set_new(row, "indicator", admin_json_text(indicator->id));
	json_object_set_new(row, "indicator_label", admin_json_text(indicator->label.vi));
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
	enum err e = sql_use_text(r->store, indicator->sql, &q);

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
	int64_t since = r->request->now_ms - ADMIN_STALE_MS;
	int64_t day = 0;
	int64_t end;

	if (units_parse_day(r->request->to, &day) != ERR_OK)
		return true;
	end = (day + 1) * DAY_MS - VIETNAM_MS;
	return c->last_contact_ms < (end < since ? end : since);
}

static json_t *stale_units(const struct report *r)
{
	json_t *codes = json_array();

	for (size_t i = 0; i < r->commune_count; i++) {
		if (r->communes[i].last_contact_ms == 0 || is_stale(r, &r->communes[i]))
			json_array_append_new(codes, admin_json_text(r->communes[i].code));
	}
	return codes;
}

/* Changes that wait for a decision, from devices that write in the scope. */
static enum err count_quarantined(struct report *r, int64_t *ret_count)
{
	static const char text[] = "SELECT count(*) FROM quarantine q WHERE q.state = 'open' AND "
				   "EXISTS (SELECT 1 FROM device_unit u JOIN temp.scope s ON "
				   "s.unit = u.unit WHERE u.device = q.device)";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use_text(r->store, BYTES_LIT(text), &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_count = sql_int(q, 0);
	return e;
}

static enum err build(struct report *r, json_t **ret_report)
{
	const struct report_request *q = r->request;
	json_t *report = json_object();
	json_t *rows = json_array();
	int64_t quarantined = 0;
	uint64_t log = 0;
	enum err e;

	json_object_set_new(report, "id", admin_json_text(q->id));
	json_object_set_new(report, "unit", admin_json_text(r->unit.code));
	json_object_set_new(report, "unit_name", admin_json_text(r->unit.name));
	json_object_set_new(report, "from", admin_json_text(q->from));
	json_object_set_new(report, "to", admin_json_text(q->to));
	json_object_set_new(report, "on", admin_json_text(r->on));
	e = store_last_log(r->store, &log);
	if (e == ERR_OK)
		e = count_quarantined(r, &quarantined);
	if (e == ERR_OK)
		e = run_indicators(r, rows);
	json_object_set_new(report, "as_of", json_integer((json_int_t)log));
	json_object_set_new(report, "stale_units", stale_units(r));
	json_object_set_new(report, "quarantined", json_integer(quarantined));
	json_object_set_new(report, "rows", rows);
	if (e != ERR_OK) {
		json_decref(report);
		return e;
	}
	*ret_report = report;
	return ERR_OK;
}

enum err report_run(struct store *reader, struct arena *a, const struct report_request *request,
		    json_t **ret_report)
{
	struct report r = {.store = reader, .arena = a, .request = request};
	enum err e = store_views_begin(reader, STORE_VIEWS_REPORT);

	if (e != ERR_OK)
		return e;
	e = find_unit(&r);
	if (e == ERR_OK)
		e = load_communes(reader, a, &r.unit, r.day, &r.communes, &r.commune_count);
	if (e == ERR_OK)
		e = fill_scope(&r);
	if (e == ERR_OK)
		e = build(&r, ret_report);
	store_views_end(reader);
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
