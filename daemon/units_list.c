/* Import of a dated list of units: which unit each row is, and what the list ends. */
#include <stdlib.h>

#include "daemon/store.h"
#include "daemon/units_private.h"

/* A province or district of the file, made once. */
struct parent {
	struct bytes code;
	struct bytes name;
	int64_t unit;
	int64_t province;
	int64_t until; /* a later list of the province takes over on that day */
	size_t line;
};

struct parents {
	struct parent *list; /* few hundred: found by walking from the latest */
	size_t count;
	size_t cap;
};

struct import {
	struct store *store;
	struct arena *a;
	int64_t from;
	int64_t until;
	bool has_districts;
	struct parents provinces;
	struct parents districts;
	int64_t *seen; /* every unit of the list */
	size_t seen_count;
	struct units_imported *done;
};

static struct parent *find_parent(struct parents *p, struct bytes code)
{
	for (size_t i = p->count; i > 0; i--) {
		if (bytes_equal(p->list[i - 1].code, code))
			return &p->list[i - 1];
	}
	return NULL;
}

static struct parent *add_parent(struct arena *a, struct parents *p)
{
	if (p->count == p->cap) {
		struct parent *more = arena_alloc_array(a, p->cap * 2 + 64, sizeof *more);

		if (p->count != 0)
			memcpy(more, p->list, p->count * sizeof *more);
		p->list = more;
		p->cap = p->cap * 2 + 64;
	}
	return &p->list[p->count++];
}

/* The same unit by the identity rule of units.h; nearest in time where there are several. */
static const char query_same[] =
	"SELECT n.unit FROM unit_name n JOIN unit u ON u.unit = n.unit"
	" WHERE n.level = ?1 AND n.code = ?2 AND (n.bare = ?3 OR n.name = n.code OR ?6 = 1)"
	" AND u.has_districts = ?4"
	" ORDER BY abs(n.first_day - ?5) LIMIT 1";

static enum err find_same(struct import *im, const struct unit_name *n, int64_t *ret_unit)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(im->store, query_same, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, n->level);
	sql_bind_text(q, 2, n->code);
	sql_bind_text(q, 3, n->bare);
	sql_bind_int(q, 4, im->has_districts);
	sql_bind_int(q, 5, im->from);
	/* A province whose name the file does not give goes by its code. */
	sql_bind_int(q, 6, bytes_equal(n->name, n->code));
	e = sql_step(q, &is_row);
	if (e == ERR_OK && is_row)
		*ret_unit = sql_int(q, 0);
	return e;
}

/* So far only its code is known. */
static bool is_code_alone(const struct unit_name *n)
{
	return bytes_equal(n->name, n->code);
}

static bool says_same(const struct unit_name *a, const struct unit_name *b)
{
	if (!bytes_equal(a->code, b->code) || a->parent != b->parent || a->province != b->province)
		return false;
	return is_code_alone(b) || (bytes_equal(a->name, b->name) && bytes_equal(a->kind, b->kind));
}

/* Where a new dated name meets those the unit has. */
struct place {
	const struct unit_name *covering; /* in force on the first day, or ending there */
	const struct unit_name *next;     /* the first one that begins later */
};

static struct place find_place(const struct unit_name *names, size_t count, int64_t day)
{
	struct place p = {0};

	for (size_t i = 0; i < count; i++) {
		if (names[i].first <= day && names[i].last >= day)
			p.covering = &names[i];
		else if (names[i].first > day && p.next == NULL)
			p.next = &names[i];
	}
	return p;
}

static enum err lengthen(struct import *im, const struct unit_name *name, int64_t last)
{
	struct unit_name longer = *name;

	if (name->last >= last)
		return ERR_OK;
	longer.last = last;
	return units_put_name(im->store, &longer);
}

/* The name in force ends where the new one begins; one that only stood in for it gives way. */
static enum err give_way(struct import *im, const struct unit_name *covering,
			 struct unit_name *want)
{
	struct unit_name shorter = *covering;

	if (covering->last <= want->first)
		return ERR_OK;
	if (is_code_alone(covering)) {
		want->first = covering->first;
		return ERR_OK;
	}
	if (covering->first == want->first)
		return ERR_OK;
	shorter.last = want->first;
	return units_put_name(im->store, &shorter);
}

/* Lays `want` over the unit's dated names. Later ones stay and bound it. */
static enum err lay_name(struct import *im, struct unit_name want, bool *ret_is_renamed)
{
	struct unit_name *names = NULL;
	struct place p;
	size_t count = 0;
	enum err e = units_load_names(im->store, im->a, want.unit, &names, &count);

	if (e != ERR_OK)
		return e;
	p = find_place(names, count, want.first);
	if (p.next != NULL && want.last > p.next->first)
		want.last = p.next->first;
	if (p.covering != NULL && says_same(p.covering, &want))
		return lengthen(im, p.covering, want.last);
	if (p.covering != NULL) {
		*ret_is_renamed = !is_code_alone(p.covering);
		e = give_way(im, p.covering, &want);
	}
	/* The same name again later: one row from now on. */
	if (e == ERR_OK && p.next != NULL && p.next->first == want.last &&
	    says_same(p.next, &want)) {
		want.last = p.next->last;
		e = units_drop_name(im->store, want.unit, p.next->first);
	}
	return e != ERR_OK ? e : units_put_name(im->store, &want);
}

/* Finds or makes the unit and lays its name. */
static enum err take_unit(struct import *im, struct unit_name *n)
{
	bool is_new = false;
	bool is_renamed = false;
	enum err e = find_same(im, n, &n->unit);

	if (e == ERR_OK && n->unit == 0) {
		is_new = true;
		e = units_add(im->store, n->level, im->has_districts, &n->unit);
	}
	if (e == ERR_OK)
		e = units_end_code(im->store, im->a, n, &im->done->ended);
	if (e == ERR_OK)
		e = lay_name(im, *n, &is_renamed);
	if (e == ERR_OK)
		e = units_settle(im->store, n->unit);
	im->done->added += is_new;
	im->done->renamed += is_renamed && !is_new;
	im->seen[im->seen_count++] = n->unit;
	return e;
}

static const char query_later[] = "SELECT min(first_day) FROM unit_list WHERE province = ?1"
				  " AND has_districts = ?2 AND first_day > ?3";
/* Of whatever province: districts ended in the whole country. */
static const char query_without[] =
	"SELECT min(first_day) FROM unit_list WHERE has_districts = 0 AND first_day > ?1";
static const char query_note[] =
	"INSERT OR IGNORE INTO unit_list(province, has_districts, first_day)"
	" VALUES(?1, ?2, ?3)";

/* A list with districts speaks until the first one without them, anywhere. */
static enum err bound_by_structure(struct import *im, int64_t *until)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e;

	if (!im->has_districts)
		return ERR_OK;
	e = sql_use(im->store, query_without, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, im->from);
	e = sql_run_row(q);
	if (e == ERR_OK && sql_kind(q, 0) == SQL_INT && sql_int(q, 0) < *until)
		*until = sql_int(q, 0);
	return e;
}

/* Until when the list speaks for a province: its own end, or the next list's day. */
static enum err find_until(struct import *im, struct bytes province, int64_t *ret_until)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(sql_done) struct sql *note = NULL;
	enum err e = sql_use(im->store, query_later, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, province);
	sql_bind_int(q, 2, im->has_districts);
	sql_bind_int(q, 3, im->from);
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	*ret_until = im->until;
	if (sql_kind(q, 0) == SQL_INT && sql_int(q, 0) < im->until)
		*ret_until = sql_int(q, 0);
	e = bound_by_structure(im, ret_until);
	if (e == ERR_OK)
		e = sql_use(im->store, query_note, &note);
	if (e != ERR_OK)
		return e;
	sql_bind_text(note, 1, province);
	sql_bind_int(note, 2, im->has_districts);
	sql_bind_int(note, 3, im->from);
	return sql_run(note);
}

static enum err take_parent(struct import *im, struct parent *p, enum unit_level level,
			    int64_t parent)
{
	struct unit_name n = {.first = im->from,
			      .last = p->until,
			      .level = level,
			      .code = p->code,
			      .name = p->name,
			      .kind = units_kind_of(p->name),
			      .parent = parent,
			      .province = p->province};
	enum err e = units_bare(im->a, p->name, n.kind, &n.bare);

	if (e == ERR_OK)
		e = take_unit(im, &n);
	p->unit = n.unit;
	return e;
}

static enum err take_province(struct import *im, const struct unit_list_row *row,
			      struct parent **ret_parent)
{
	struct parent *p = find_parent(&im->provinces, row->province_code);
	enum err e;

	*ret_parent = p;
	if (p != NULL)
		return ERR_OK;
	p = add_parent(im->a, &im->provinces);
	p->code = row->province_code;
	p->name = row->province_name;
	if (p->name.len == 0)
		p->name = units_province_name(p->code);
	if (p->name.len == 0)
		p->name = p->code;
	e = find_until(im, p->code, &p->until);
	if (e == ERR_OK)
		e = take_parent(im, p, UNIT_PROVINCE, 0);
	p->province = p->unit;
	*ret_parent = p;
	return e;
}

static enum err take_district(struct import *im, const struct unit_list_row *row,
			      const struct parent *province, int64_t *ret_unit)
{
	struct parent *p = find_parent(&im->districts, row->district_code);
	enum err e = ERR_OK;

	if (p == NULL) {
		p = add_parent(im->a, &im->districts);
		p->code = row->district_code;
		p->name = row->district_name;
		p->province = province->unit;
		p->until = province->until;
		e = take_parent(im, p, UNIT_DISTRICT, province->unit);
	}
	*ret_unit = p->unit;
	return e;
}

static enum err take_row(struct import *im, const struct unit_list_row *row)
{
	struct parent *province = NULL;
	struct unit_name n = {.first = im->from,
			      .level = UNIT_COMMUNE,
			      .code = row->code,
			      .name = row->name,
			      .kind = row->kind};
	enum err e = take_province(im, row, &province);

	if (e != ERR_OK)
		return e;
	n.last = province->until;
	n.province = province->unit;
	n.parent = province->unit;
	if (im->has_districts)
		e = take_district(im, row, province, &n.parent);
	if (e == ERR_OK)
		e = units_bare(im->a, row->name, row->kind, &n.bare);
	return e != ERR_OK ? e : take_unit(im, &n);
}

/* ---- what the list no longer has ---- */

static int by_number(const void *a, const void *b)
{
	const int64_t *left = a;
	const int64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static const char query_of_province[] =
	"SELECT DISTINCT n.unit FROM unit_name n JOIN unit u ON u.unit = n.unit"
	" WHERE n.province = ?1 AND u.has_districts = ?2 AND n.level <> 1"
	" AND n.first_day <= ?3 AND n.last_day > ?3";

static enum err load_of_province(struct import *im, const struct parent *province, struct buf *out)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(im->store, query_of_province, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, province->unit);
	sql_bind_int(q, 2, im->has_districts);
	sql_bind_int(q, 3, im->from);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		int64_t unit = sql_int(q, 0);

		if (!units_scope_has(im->seen, im->seen_count, unit))
			buf_append(out, &unit, sizeof unit);
	}
	return e;
}

static enum err end_missing(struct import *im, const struct parent *province)
{
	AUTO(buf_clear) struct buf gone = {0};
	enum err e = load_of_province(im, province, &gone);

	for (size_t i = 0; e == ERR_OK && i < gone.len / sizeof(int64_t); i++) {
		bool is_ended = false;
		int64_t unit;

		memcpy(&unit, gone.data + i * sizeof unit, sizeof unit);
		e = units_end(im->store, im->a, unit, im->from, province->until, &is_ended);
		im->done->ended += is_ended;
	}
	return e;
}

static const char query_with_districts[] =
	"SELECT DISTINCT n.unit FROM unit u JOIN unit_name n ON n.unit = u.unit"
	" WHERE u.has_districts = 1 AND n.first_day <= ?1 AND n.last_day > ?1";

/*
 * The law of 1 July 2025 ended the district level in the whole country at once: what
 * belongs to the structure with districts ends with the first list without them, also
 * where no unit of that list has its code or is in its province.
 */
static enum err end_districts(struct import *im)
{
	AUTO(buf_clear) struct buf gone = {0};
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e;

	if (im->has_districts)
		return ERR_OK;
	e = sql_use(im->store, query_with_districts, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, im->from);
	/* Ending one changes what the statement would walk. */
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		int64_t unit = sql_int(q, 0);

		buf_append(&gone, &unit, sizeof unit);
	}
	for (size_t i = 0; e == ERR_OK && i < gone.len / sizeof(int64_t); i++) {
		bool is_ended = false;
		int64_t unit;

		memcpy(&unit, gone.data + i * sizeof unit, sizeof unit);
		e = units_end(im->store, im->a, unit, im->from, UNITS_DAY_OPEN, &is_ended);
		im->done->ended += is_ended;
	}
	return e;
}

static enum err import_list(struct import *im, const struct unit_list *list)
{
	enum err e = ERR_OK;

	/* Each row can bring a province and a district with it. */
	im->seen = arena_alloc_array(im->a, list->count * 3, sizeof *im->seen);
	for (size_t i = 0; e == ERR_OK && i < list->count; i++)
		e = take_row(im, &list->rows[i]);
	if (e != ERR_OK)
		return e;
	qsort(im->seen, im->seen_count, sizeof *im->seen, by_number);
	for (size_t i = 0; e == ERR_OK && i < im->provinces.count; i++)
		e = end_missing(im, &im->provinces.list[i]);
	if (e == ERR_OK)
		e = end_districts(im);
	if (e != ERR_OK)
		return e;
	if (im->done->added + im->done->renamed + im->done->ended == 0)
		return ERR_OK;
	return units_bump_version(im->store);
}

static const char query_with[] = "SELECT max(first_day) FROM unit_list WHERE has_districts = 1";

/*
 * A list without districts ends those with districts on its day: one that began no earlier would
 * have been in force on no day at all, and its units would have no name. Nearly always --from is
 * wrong, and the list could not be taken back.
 */
static enum err check_structure(struct store *s, const struct unit_list *list, int64_t from,
				struct problems *problems)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e;

	if (list->has_districts)
		return ERR_OK;
	e = sql_use(s, query_with, &q);
	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK && sql_kind(q, 0) == SQL_INT && sql_int(q, 0) >= from)
		units_problem(
			problems, 0,
			"danh mục không có huyện phải bắt đầu sau mọi danh mục có huyện đã "
			"nhập; hãy xem lại --from / a list without districts must begin after "
			"every list with districts that is there; look at --from again");
	return e;
}

enum err units_import(struct store *s, struct arena *a, struct bytes csv, int64_t from,
		      int64_t until, struct units_imported *ret_imported)
{
	struct problems problems = {.a = a};
	struct units_imported done = {0};
	struct unit_list list = {0};
	struct import im = {.store = s, .a = a, .from = from, .until = until, .done = &done};
	enum err e = ERR_OK;

	if (from >= until)
		units_problem(&problems, 0,
			      "--from phải trước --until / --from must be before --until");
	units_read_list(a, csv, &list, &problems);
	e = check_structure(s, &list, from, &problems);
	if (e != ERR_OK)
		return e;
	done.problems = problems.list;
	done.problem_count = problems.count;
	done.communes = list.count;
	if (problems.count != 0) {
		*ret_imported = done;
		return err_raise(ERR_INVAL, "%zu rows are wrong", problems.count);
	}
	im.has_districts = list.has_districts;
	e = import_list(&im, &list);
	if (e == ERR_OK)
		*ret_imported = done;
	return e;
}
