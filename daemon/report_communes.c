/* The communes of report.h, and when they were heard of. */
#define LOG_TAG "report"

#include <stdlib.h>

#include "daemon/report.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

struct contact {
	int64_t unit;
	int64_t at_ms;
};

struct contacts {
	struct contact *rows; /* by unit */
	size_t count;
};

static const char query_contacts[] = "SELECT u.unit, max(d.last_contact_at), count(*) OVER ()"
				     " FROM device_unit u JOIN device d ON d.number = u.device"
				     " GROUP BY u.unit ORDER BY u.unit";
/* As the sync log has it: a device's own row only knows the latest. */
static const char query_contacts_until[] =
	"SELECT u.unit, max(c.at), count(*) OVER () FROM device_unit u JOIN"
	" (SELECT device, max(started_at) AS at FROM session"
	"  WHERE is_device_known = 1 AND started_at <= ?1 GROUP BY device) c ON c.device = u.device"
	" GROUP BY u.unit ORDER BY u.unit";

static enum err load_contacts(struct store *s, struct arena *a, int64_t until_ms,
			      struct contacts *ret_contacts)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct contacts contacts = {0};
	bool is_row = true;
	enum err e = sql_use(s, until_ms == 0 ? query_contacts : query_contacts_until, &q);

	if (e == ERR_OK && until_ms != 0)
		sql_bind_int(q, 1, until_ms);
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

static enum err list_communes(struct store *s, struct arena *a, const struct report_scope *of,
			      const struct unit_row *unit, struct report_commune **ret_communes,
			      size_t *ret_count)
{
	struct contacts contacts = {0};
	struct unit_row *rows = NULL;
	struct report_commune *communes;
	const struct units_filter filter = {.day = of->day, .level = UNIT_COMMUNE};
	size_t row_count = 0;
	size_t count = 0;
	enum err e = load_contacts(s, a, of->until_ms, &contacts);

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
		e = find_latest(s, a, &contacts, &rows[i], of->day, &c->last_contact_ms);
		count++;
	}
	if (e != ERR_OK)
		return e;
	*ret_communes = communes;
	*ret_count = count;
	return ERR_OK;
}

enum err report_load_communes(struct store *s, struct arena *a, const struct report_scope *of,
			      struct report_commune **ret_communes, size_t *ret_count)
{
	struct unit_row row;
	enum err e;

	if (of->unit == 0)
		return list_communes(s, a, of, NULL, ret_communes, ret_count);
	e = units_load(s, a, of->unit, of->day, &row);
	if (e != ERR_OK)
		return e;
	return list_communes(s, a, of, &row, ret_communes, ret_count);
}
