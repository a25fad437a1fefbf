/* Which units belong to a device or to a unit on a day: the scope half of units.h. */
#include <string.h>

#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

/*
 * Found so far: in the order they were found, which is what is still to be looked at, and sorted.
 * Asked for with every request, mostly for one commune: a handful of plain lookups costs a tenth of
 * one recursive query.
 */
struct scope {
	struct store *store;
	struct arena *a;
	int64_t day;
	int64_t *found;
	int64_t *sorted;
	size_t count;
	size_t cap;
};

/* Where `unit` is in a sorted list, or belongs. */
static size_t place_of(const int64_t *units, size_t count, int64_t unit)
{
	size_t low = 0;
	size_t high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (units[middle] < unit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool units_scope_has(const int64_t *units, size_t count, int64_t unit)
{
	size_t at = place_of(units, count, unit);

	return at < count && units[at] == unit;
}

static void grow(struct scope *p)
{
	size_t cap = p->cap * 2 + 16;
	int64_t *found = arena_alloc_array(p->a, cap, sizeof *found);
	int64_t *sorted = arena_alloc_array(p->a, cap, sizeof *sorted);

	if (p->count != 0) {
		memcpy(found, p->found, p->count * sizeof *found);
		memcpy(sorted, p->sorted, p->count * sizeof *sorted);
	}
	p->found = found;
	p->sorted = sorted;
	p->cap = cap;
}

static void add(struct scope *p, int64_t unit)
{
	size_t at = place_of(p->sorted, p->count, unit);

	if (at < p->count && p->sorted[at] == unit)
		return;
	if (p->count == p->cap)
		grow(p);
	memmove(p->sorted + at + 1, p->sorted + at, (p->count - at) * sizeof *p->sorted);
	p->sorted[at] = unit;
	p->found[p->count++] = unit;
}

/* Adds what a query of (?1 key, ?2 day) finds. */
static enum err add_all(struct scope *p, const char *text, int64_t key)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(p->store, text, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, key);
	sql_bind_int(q, 2, p->day);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row)
		add(p, sql_int(q, 0));
	return e;
}

static const char query_successors[] = "SELECT new FROM unit_succession WHERE old = ?1"
				       " AND is_whole = 1 AND day <= ?2";
static const char query_predecessors[] = "SELECT old FROM unit_succession WHERE new = ?1"
					 " AND is_whole = 1 AND day <= ?2";
static const char query_children[] =
	"SELECT unit FROM unit_name WHERE parent = ?1 AND first_day <= ?2 AND last_day > ?2";
static const char query_of_province[] =
	"SELECT unit FROM unit_name WHERE province = ?1 AND first_day <= ?2 AND last_day > ?2";

/* What lies below those found on the day, and all whole predecessors by then. */
static enum err add_below(struct scope *p)
{
	size_t start_count = p->count;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < start_count; i++) {
		e = add_all(p, query_children, p->found[i]);
		if (e == ERR_OK)
			e = add_all(p, query_of_province, p->found[i]);
	}
	/* A predecessor has predecessors of its own. */
	for (size_t i = 0; e == ERR_OK && i < p->count; i++)
		e = add_all(p, query_predecessors, p->found[i]);
	return e;
}

/* What was given, what that became, and what belongs to it. */
static enum err add_given(struct scope *p, const struct units_given *given)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < given->count; i++)
		add(p, given->units[i]);
	for (size_t i = 0; e == ERR_OK && i < p->count; i++)
		e = add_all(p, query_successors, p->found[i]);
	return e == ERR_OK ? add_below(p) : e;
}

enum err units_load_scope(struct store *s, struct arena *a, uint32_t device, int64_t day,
			  int64_t **ret_units, size_t *ret_count)
{
	struct scope p = {.store = s, .a = a, .day = day};
	struct units_given given = {0};
	int64_t *units = NULL;
	enum err e = store_load_device_units(s, a, device, &units, &given.count);

	given.units = units;
	if (e == ERR_OK)
		e = add_given(&p, &given);
	if (e != ERR_OK)
		return e;
	*ret_units = p.sorted;
	*ret_count = p.count;
	return ERR_OK;
}

enum err units_load_below(struct store *s, struct arena *a, int64_t unit, int64_t day,
			  int64_t **ret_units, size_t *ret_count)
{
	struct scope p = {.store = s, .a = a, .day = day};
	enum err e;

	add(&p, unit);
	e = add_below(&p);
	if (e != ERR_OK)
		return e;
	*ret_units = p.sorted;
	*ret_count = p.count;
	return ERR_OK;
}

/* ---- now ---- */

#define DAY_NAME "units_day"

/* The day noted, or the least there is. */
static enum err load_noted_day(struct store *s, struct arena *a, int64_t *ret_day)
{
	struct bytes value;
	enum err e = store_get_setting(s, a, DAY_NAME, &value);

	*ret_day = INT64_MIN;
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK && value.len != sizeof *ret_day)
		return err_raise(ERR_CORRUPT, "setting %s", DAY_NAME);
	if (e == ERR_OK)
		memcpy(ret_day, value.data, sizeof *ret_day);
	return e;
}

enum err units_note_day(struct store *s, int64_t day)
{
	return store_put_setting(s, DAY_NAME, bytes_of(&day, sizeof day));
}

static enum err load_day(struct store *s, struct arena *a, int64_t now_ms, int64_t *ret_day)
{
	int64_t day = units_day_of(now_ms);
	int64_t noted;
	enum err e = load_noted_day(s, a, &noted);

	if (e == ERR_OK)
		*ret_day = noted > day ? noted : day;
	return e;
}

enum err units_load_scope_now(struct store *s, struct arena *a, uint32_t device, int64_t now_ms,
			      int64_t **ret_units, size_t *ret_count)
{
	int64_t day = 0;
	enum err e = load_day(s, a, now_ms, &day);

	return e == ERR_OK ? units_load_scope(s, a, device, day, ret_units, ret_count) : e;
}

static const char query_divided[] =
	"SELECT old FROM unit_succession WHERE new = ?1 AND is_whole = 0 AND day <= ?2";
static const char query_heirs[] = "SELECT new FROM unit_succession WHERE old = ?1 AND day <= ?2";

/* Those of which `unit` is a part, where every other part is there, too. */
static enum err add_divided(struct scope *p, int64_t unit)
{
	struct scope divided = {.store = p->store, .a = p->a, .day = p->day};
	enum err e = add_all(&divided, query_divided, unit);

	for (size_t i = 0; e == ERR_OK && i < divided.count; i++) {
		struct scope heirs = {.store = p->store, .a = p->a, .day = p->day};
		bool is_whole = true;

		e = add_all(&heirs, query_heirs, divided.found[i]);
		for (size_t h = 0; h < heirs.count; h++)
			is_whole = is_whole && units_scope_has(p->sorted, p->count, heirs.found[h]);
		if (e == ERR_OK && is_whole)
			add(p, divided.found[i]);
	}
	return e;
}

enum err units_load_area(struct store *s, struct arena *a, const struct units_given *given,
			 int64_t now_ms, int64_t **ret_units, size_t *ret_count)
{
	struct scope p = {.store = s, .a = a};
	enum err e = load_day(s, a, now_ms, &p.day);

	if (e == ERR_OK)
		e = add_given(&p, given);
	for (size_t i = 0; e == ERR_OK && i < p.count; i++) {
		e = add_divided(&p, p.found[i]);
		if (e == ERR_OK)
			e = add_all(&p, query_predecessors, p.found[i]);
	}
	if (e != ERR_OK)
		return e;
	*ret_units = p.sorted;
	*ret_count = p.count;
	return ERR_OK;
}

/* Who was given X sees what came before what X became; so does X what came so of it. */
enum err units_load_kin(struct store *s, struct arena *a, int64_t unit, int64_t now_ms,
			int64_t **ret_units, size_t *ret_count)
{
	struct scope p = {.store = s, .a = a};
	enum err e = load_day(s, a, now_ms, &p.day);

	add(&p, unit);
	for (size_t i = 0; e == ERR_OK && i < p.count; i++)
		e = add_all(&p, query_successors, p.found[i]);
	for (size_t i = 0; e == ERR_OK && i < p.count; i++)
		e = add_all(&p, query_predecessors, p.found[i]);
	if (e != ERR_OK)
		return e;
	*ret_units = p.sorted;
	*ret_count = p.count;
	return ERR_OK;
}
