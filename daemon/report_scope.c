/* Unit, day and communes of a report, and the views over them. */
#define LOG_TAG "report"

#include "daemon/report_private.h"

#define VIETNAM_MS (INT64_C(7) * 3600000)

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

enum err report_find_unit(struct store *reader, struct arena *a,
			  const struct report_request *request, struct unit_row *ret_unit)
{
	struct report r = {.store = reader, .arena = a, .request = request};
	enum err e = find_unit(&r);

	if (e == ERR_OK)
		*ret_unit = r.unit;
	return e;
}

/* The views of quarantine and erasures are on the reader's connection, those of the records where
 * indicators run. */
static enum err add_scope(struct report *r, int64_t unit, int64_t commune, struct bytes code)
{
	enum err e = store_add_scope(r->store, unit, commune, code);

	return e == ERR_OK && r->records != r->store
		       ? store_add_scope(r->records, unit, commune, code)
		       : e;
}

static enum err add_commune(struct report *r, const struct report_commune *c)
{
	int64_t *units = NULL;
	size_t count = 0;
	enum err e = store_add_commune(r->records, c->unit, c->code, c->name);

	if (e == ERR_OK)
		e = units_load_below(r->store, r->arena, c->unit, r->day, &units, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = add_scope(r, units[i], c->unit, c->code);
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
		e = add_scope(r, units[i], r->unit.unit, r->unit.code);
	return e;
}

static const char query_came[] = "SELECT received_at FROM changeset WHERE log = ?1";

/* As of which number, and when that came. */
static enum err find_log(struct report *r)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = ERR_OK;

	if (r->request->past != NULL)
		r->log = r->request->at;
	else
		e = store_last_log(r->store, &r->log);
	if (e != ERR_OK || r->log == 0)
		return e;
	e = sql_use(r->store, query_came, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)r->log);
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	r->log_ms = sql_int(q, 0);
	r->until_ms = r->request->past != NULL ? r->log_ms : 0;
	return ERR_OK;
}

static enum err fill(struct report *r)
{
	const struct report_scope *of;
	enum err e = find_unit(r);

	if (e != ERR_OK)
		return e;
	of = &(const struct report_scope){
		.unit = r->unit.unit, .day = r->day, .until_ms = r->until_ms};
	e = report_load_communes(r->store, r->arena, of, &r->communes, &r->commune_count);
	return e == ERR_OK ? fill_scope(r) : e;
}

enum err report_begin(struct report *r)
{
	enum err e = find_log(r);

	r->records = r->request->past != NULL ? r->request->past : r->store;
	if (e == ERR_OK)
		e = store_views_begin(r->store, STORE_VIEWS_REPORT);
	if (e != ERR_OK)
		return e;
	if (r->records != r->store)
		e = store_views_begin(r->records, STORE_VIEWS_REPORT);
	if (e != ERR_OK) {
		store_views_end(r->store);
		return e;
	}
	e = fill(r);
	if (e != ERR_OK)
		report_end(r);
	return e;
}

void report_end(struct report *r)
{
	store_views_end(r->store);
	if (r->records != r->store)
		store_views_end(r->records);
}
