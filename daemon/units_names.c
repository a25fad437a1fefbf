/* The table of dated names: putting, ending, and what the importers say of wrong rows. */
#include <stdarg.h>
#include <stdio.h>

#include "common/base/check.h"
#include "daemon/epochs.h"
#include "daemon/store.h"
#include "daemon/units_private.h"

static const char query_put[] =
	"INSERT OR REPLACE INTO unit_name(unit, first_day, last_day, level, code, name, bare, kind,"
	" parent, province) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
static const char query_drop[] = "DELETE FROM unit_name WHERE unit = ?1 AND first_day = ?2";
static const char query_of_unit[] =
	"SELECT " UNIT_NAME_COLUMNS "FROM unit_name n WHERE n.unit = ? ORDER BY n.first_day";
static const char query_add[] =
	"INSERT INTO unit(unit, level, has_districts, first_day, last_day)"
	" VALUES(max((SELECT coalesce(max(unit), 0) + 1 FROM unit), ?3), ?1, ?2, 0, 0)";
static const char query_last_unit[] = "SELECT coalesce(max(unit), 0) FROM unit";
static const char query_settle[] =
	"UPDATE unit SET first_day = (SELECT min(first_day) FROM unit_name WHERE unit = ?1),"
	" last_day = (SELECT max(last_day) FROM unit_name WHERE unit = ?1) WHERE unit = ?1"
	" AND EXISTS(SELECT 1 FROM unit_name WHERE unit = ?1)";

enum err units_put_name(struct store *s, const struct unit_name *n)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put, &q);

	REQUIRE(n->first < n->last);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, n->unit);
	sql_bind_int(q, 2, n->first);
	sql_bind_int(q, 3, n->last);
	sql_bind_int(q, 4, n->level);
	sql_bind_text(q, 5, n->code);
	sql_bind_text(q, 6, n->name);
	sql_bind_text(q, 7, n->bare);
	sql_bind_text(q, 8, n->kind);
	sql_bind_int(q, 9, n->parent);
	sql_bind_int(q, 10, n->province);
	return sql_run(q);
}

enum err units_drop_name(struct store *s, int64_t unit, int64_t first)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_drop, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	sql_bind_int(q, 2, first);
	return sql_run(q);
}

enum err units_settle(struct store *s, int64_t unit)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_settle, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	return sql_run(q);
}

/* ---- surrogate ids ---- */

#define FLOOR "unit_floor" /* setting: no unit below it is made any more; 8 bytes, big-endian */

static enum err load_floor(struct store *s, int64_t *ret_floor)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes value;
	uint64_t unit = 0;
	enum err e = store_get_setting(s, &a, FLOOR, &value);

	if (e == ERR_OK && value.len != sizeof unit)
		return err_raise(ERR_CORRUPT, FLOOR " has %zu bytes", value.len);
	for (size_t i = 0; e == ERR_OK && i < value.len; i++)
		unit = unit << 8 | value.data[i];
	*ret_floor = (int64_t)unit;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err load_last(struct store *s, int64_t *ret_unit)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_last_unit, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_unit = sql_int(q, 0);
	return e;
}

enum err units_leave_gap(struct store *s, const struct id *epoch)
{
	const int64_t gap = UNITS_GAP + epochs_draw(epoch) % UNITS_SPREAD;
	uint8_t value[8];
	int64_t floor = 0;
	int64_t last = 0;
	enum err e = load_floor(s, &floor);

	if (e == ERR_OK)
		e = load_last(s, &last);
	if (e != ERR_OK)
		return e;
	floor = (last > floor ? last : floor) + gap;
	for (unsigned i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)((uint64_t)floor >> (56 - 8 * i));
	return store_put_setting(s, FLOOR, bytes_of(value, sizeof value));
}

enum err units_add(struct store *s, enum unit_level level, bool has_districts, int64_t *ret_unit)
{
	AUTO(sql_done) struct sql *q = NULL;
	int64_t floor = 0;
	enum err e = load_floor(s, &floor);

	if (e == ERR_OK)
		e = sql_use(s, query_add, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, level);
	sql_bind_int(q, 2, has_districts);
	sql_bind_int(q, 3, floor);
	e = sql_run(q);
	if (e == ERR_OK)
		*ret_unit = sql_last_row(s);
	return e;
}

enum err units_load_names(struct store *s, struct arena *a, int64_t unit,
			  struct unit_name **ret_names, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct unit_name *names = NULL;
	size_t count = 0;
	bool is_row = false;
	enum err e = sql_use(s, query_of_unit, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct unit_name *more = arena_alloc_array(a, count + 1, sizeof *more);

		if (count != 0)
			memcpy(more, names, count * sizeof *more);
		names = more;
		units_read_name(q, a, &names[count++]);
	}
	if (e != ERR_OK)
		return e;
	*ret_names = names;
	*ret_count = count;
	return ERR_OK;
}

enum err units_end(struct store *s, struct arena *a, int64_t unit, int64_t day, int64_t resume,
		   bool *ret_is_ended)
{
	struct unit_name *names = NULL;
	size_t count = 0;
	enum err e = units_load_names(s, a, unit, &names, &count);

	*ret_is_ended = false;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct unit_name n = names[i];

		if (n.first > day || n.last <= day)
			continue;
		*ret_is_ended = true;
		if (n.last > resume) {
			struct unit_name again = n;

			again.first = resume;
			e = units_put_name(s, &again);
		}
		if (e == ERR_OK && n.first == day) {
			e = units_drop_name(s, unit, n.first);
		} else if (e == ERR_OK) {
			n.last = day;
			e = units_put_name(s, &n);
		}
	}
	return e != ERR_OK ? e : units_settle(s, unit);
}

static const char query_of_code[] =
	"SELECT unit FROM unit_name WHERE level = ?1 AND code = ?2 AND first_day <= ?3"
	" AND last_day > ?3 AND unit <> ?4";

enum err units_end_code(struct store *s, struct arena *a, const struct unit_name *heir,
			size_t *count)
{
	bool is_row = true;
	enum err e = ERR_OK;

	/* Asked anew each time: ending one changes what the statement would walk. */
	while (e == ERR_OK && is_row) {
		AUTO(sql_done) struct sql *q = NULL;
		int64_t unit = 0;
		bool is_ended = false;

		e = sql_use(s, query_of_code, &q);
		if (e != ERR_OK)
			return e;
		sql_bind_int(q, 1, heir->level);
		sql_bind_text(q, 2, heir->code);
		sql_bind_int(q, 3, heir->first);
		sql_bind_int(q, 4, heir->unit);
		e = sql_step(q, &is_row);
		if (e != ERR_OK || !is_row)
			return e;
		unit = sql_int(q, 0);
		e = units_end(s, a, unit, heir->first, UNITS_DAY_OPEN, &is_ended);
		*count += is_ended;
	}
	return e;
}

/* ---- problems ---- */

void units_problem(struct problems *p, size_t line, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (p->count == UNITS_PROBLEMS_MAX)
		return;
	if (p->count == p->cap) {
		struct unit_problem *more = arena_alloc_array(p->a, p->cap * 2 + 8, sizeof *more);

		if (p->count != 0)
			memcpy(more, p->list, p->count * sizeof *more);
		p->list = more;
		p->cap = p->cap * 2 + 8;
	}
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	p->list[p->count++] =
		(struct unit_problem){.line = line, .text = arena_strdup(p->a, bytes_str(text))};
}
