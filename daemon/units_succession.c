/* Import of a succession map: which unit became which. */
#include <stdlib.h>

#include "common/base/check.h"
#include "common/model/vntext.h"
#include "common/text/csv.h"
#include "daemon/store.h"
#include "daemon/units_private.h"

/* One row of the map, read and found. */
struct map_row {
	size_t line;
	int64_t old;
	int64_t new;
	int64_t old_province;
	int64_t new_province;
	struct bytes old_code; /* for people */
	struct bytes new_code;
	bool is_whole;
	bool is_suspect;
};

struct columns {
	size_t old_code, old_district_code, old_district_name, old_province_code, old_province_name;
	size_t new_code, part, check;
};

struct map {
	struct store *store;
	struct arena *a;
	int64_t on;
	struct columns columns;
	struct map_row *rows;
	size_t count;
	struct problems problems;
	struct problems refused;
	struct units_succeeded *done;
};

static bool find_columns(struct map *m, const struct csv_reader *r)
{
	struct columns *c = &m->columns;

	c->old_code = csv_find(r, "old_code");
	c->old_district_code = csv_find(r, "old_district_code");
	c->old_district_name = csv_find(r, "old_district_name");
	c->old_province_code = csv_find(r, "old_province_code");
	c->old_province_name = csv_find(r, "old_province_name");
	c->new_code = csv_find(r, "new_code");
	c->part = csv_find(r, "part");
	c->check = csv_find(r, "check");
	if (c->old_code != CSV_NONE && c->new_code != CSV_NONE && c->part != CSV_NONE)
		return true;
	units_problem(&m->problems, r->line,
		      "Cần các cột old_code, new_code, part / these columns are wanted");
	return false;
}

static struct bytes field(const struct csv_reader *r, size_t column)
{
	return column != CSV_NONE ? csv_field(r, column) : BYTES_NONE;
}

/* ---- units of a row ---- */

static const char query_find[] =
	"SELECT unit, province FROM unit_name WHERE level = ?1 AND code = ?2 AND first_day <= ?3"
	" AND last_day >= ?3 ORDER BY first_day DESC LIMIT 1";

/* The unit a code meant on that day, or until that day. */
static enum err find_unit(struct map *m, enum unit_level level, struct bytes code, int64_t day,
			  int64_t *ret_unit, int64_t *ret_province)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(m->store, query_find, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, level);
	sql_bind_text(q, 2, code);
	sql_bind_int(q, 3, day);
	e = sql_step(q, &is_row);
	if (e == ERR_OK && is_row) {
		*ret_unit = sql_int(q, 0);
		*ret_province = sql_int(q, 1);
	}
	return e;
}

/* An island district without communes is in no list of communes: the map brings it along. */
static enum err make_district(struct map *m, const struct csv_reader *r, struct map_row *row)
{
	struct bytes code = field(r, m->columns.old_district_code);
	AUTO(buf_clear) struct buf nfc = {0};
	struct unit_name n = {.first = m->on - 1,
			      .last = m->on,
			      .level = UNIT_DISTRICT,
			      .code = arena_copy(m->a, code)};
	int64_t province = 0;
	enum err e = find_unit(m, UNIT_PROVINCE, field(r, m->columns.old_province_code), m->on - 1,
			       &province, &row->old_province);

	if (e != ERR_OK || province == 0 || code.len == 0 ||
	    vntext_nfc(field(r, m->columns.old_district_name), &nfc) != ERR_OK || nfc.len == 0)
		return e;
	n.name = arena_copy(m->a, buf_bytes(&nfc));
	n.kind = units_kind_of(n.name);
	n.parent = province;
	n.province = province;
	e = units_bare(m->a, n.name, n.kind, &n.bare);
	if (e == ERR_OK)
		e = units_add(m->store, UNIT_DISTRICT, true, &n.unit);
	if (e == ERR_OK)
		e = units_put_name(m->store, &n);
	if (e == ERR_OK)
		e = units_settle(m->store, n.unit);
	row->old = n.unit;
	row->old_province = province;
	return e;
}

static enum err find_old(struct map *m, const struct csv_reader *r, struct map_row *row)
{
	struct bytes code = field(r, m->columns.old_code);
	enum err e;

	if (code.len != 0)
		return find_unit(m, UNIT_COMMUNE, code, m->on - 1, &row->old, &row->old_province);
	e = find_unit(m, UNIT_DISTRICT, field(r, m->columns.old_district_code), m->on - 1,
		      &row->old, &row->old_province);
	if (e == ERR_OK && row->old == 0)
		e = make_district(m, r, row);
	return e;
}

/* "suspect_homonym"; "ok" is what somebody looked at. */
static bool is_suspect(struct bytes check)
{
	static const char mark[] = "suspect";

	return check.len >= sizeof mark - 1 && memcmp(check.data, mark, sizeof mark - 1) == 0;
}

static enum err read_map_row(struct map *m, const struct csv_reader *r, struct map_row *row)
{
	struct bytes part = field(r, m->columns.part);
	enum err e;

	*row = (struct map_row){.line = r->line,
				.old_code = arena_copy(m->a, field(r, m->columns.old_code)),
				.new_code = arena_copy(m->a, field(r, m->columns.new_code)),
				.is_whole = bytes_is(part, "whole"),
				.is_suspect = is_suspect(field(r, m->columns.check))};
	if (!row->is_whole && !bytes_is(part, "partial"))
		units_problem(&m->problems, r->line, "part: whole hoặc partial / whole or partial");
	e = find_old(m, r, row);
	if (e == ERR_OK)
		e = find_unit(m, UNIT_COMMUNE, field(r, m->columns.new_code), m->on, &row->new,
			      &row->new_province);
	if (e != ERR_OK)
		return e;
	if (row->old == 0)
		units_problem(&m->problems, r->line,
			      "%.*s: không có đơn vị này trước ngày đó; hãy nhập danh sách cũ trước"
			      " / no such unit before that day: import the old list first",
			      BYTES_FMT(field(r, m->columns.old_code)));
	if (row->new == 0)
		units_problem(&m->problems, r->line,
			      "%.*s: không có đơn vị này từ ngày đó; hãy nhập danh sách mới trước"
			      " / no such unit from that day: import the new list first",
			      BYTES_FMT(field(r, m->columns.new_code)));
	return ERR_OK;
}

/* Names of provinces the old list did not give. */
static const char query_name_province[] =
	"UPDATE unit_name SET name = ?2, bare = ?3, kind = ?4 WHERE unit = ?1 AND name = code";

static enum err name_province(struct map *m, const struct csv_reader *r, int64_t province)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf nfc = {0};
	struct bytes name = field(r, m->columns.old_province_name);
	struct bytes bare;
	enum err e;

	if (name.len == 0 || vntext_nfc(name, &nfc) != ERR_OK)
		return ERR_OK;
	e = units_bare(m->a, buf_bytes(&nfc), units_kind_of(buf_bytes(&nfc)), &bare);
	if (e == ERR_OK)
		e = sql_use(m->store, query_name_province, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, province);
	sql_bind_text(q, 2, buf_bytes(&nfc));
	sql_bind_text(q, 3, bare);
	sql_bind_text(q, 4, units_kind_of(buf_bytes(&nfc)));
	return sql_run(q);
}

static enum err read_map(struct map *m, struct bytes csv)
{
	AUTO(csv_reader_clear) struct csv_reader r;
	size_t cap = 0;
	enum csv_step step;
	enum err e = ERR_OK;

	csv_reader_init(&r, csv);
	if (csv_next(&r) != CSV_ROW || !find_columns(m, &r)) {
		if (m->problems.count == 0)
			units_problem(&m->problems, 1, "%s", csv_problem_text(r.problem));
		return ERR_OK;
	}
	while (e == ERR_OK && (step = csv_next(&r)) != CSV_END) {
		if (step == CSV_BAD) {
			units_problem(&m->problems, r.line, "%s", csv_problem_text(r.problem));
			return ERR_OK;
		}
		if (m->count == cap) {
			struct map_row *more = arena_alloc_array(m->a, cap * 2 + 256, sizeof *more);

			if (m->count != 0)
				memcpy(more, m->rows, m->count * sizeof *more);
			m->rows = more;
			cap = cap * 2 + 256;
		}
		struct map_row *row = &m->rows[m->count];

		e = read_map_row(m, &r, row);
		if (e == ERR_OK && row->old_province != 0 &&
		    (m->count == 0 || row[-1].old_province != row->old_province))
			e = name_province(m, &r, row->old_province);
		m->count++;
	}
	return e;
}

/* ---- laying it down ---- */

static const char query_put[] =
	"INSERT INTO unit_succession(old, new, day, is_whole, is_suspect)"
	" VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(old, new) DO UPDATE SET day = ?3, is_whole = ?4,"
	" is_suspect = ?5 WHERE day <> ?3 OR is_whole <> ?4 OR is_suspect <> ?5";

static enum err put(struct map *m, const struct map_row *row, bool *ret_is_new)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(m->store, query_put, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, row->old);
	sql_bind_int(q, 2, row->new);
	sql_bind_int(q, 3, m->on);
	sql_bind_int(q, 4, row->is_whole);
	sql_bind_int(q, 5, row->is_suspect);
	e = sql_run(q);
	if (e == ERR_OK)
		*ret_is_new = sql_changed_rows(m->store) != 0;
	return e;
}

static enum err take_row(struct map *m, const struct map_row *row, bool is_whole)
{
	struct units_succeeded *done = m->done;
	struct map_row trusted = *row;
	bool is_new = false;
	bool is_ended = false;
	enum err e;

	trusted.is_whole = is_whole;
	e = put(m, &trusted, &is_new);
	if (e == ERR_OK)
		e = units_end(m->store, m->a, row->old, m->on, UNITS_DAY_OPEN, &is_ended);
	done->whole += is_whole;
	done->partial += !is_whole;
	done->known += !is_new;
	return e;
}

/* Why a row is not taken, and what becomes of its unit without it. */
static void refuse(struct map *m, const struct map_row *row, size_t trusted)
{
	static const struct {
		const char *vi;
		const char *en;
	} rest[] = {
		{"xã này không còn dòng nào, hồ sơ chờ xếp: xem “ctxhctl unit placing”",
		 "the unit has no other row, its records wait: see “ctxhctl unit placing”"},
		{"dòng khác của xã này được dùng", "the unit's other rows count"},
	};
	const size_t which = trusted != 0;

	units_problem(
		&m->refused, row->line,
		"%.*s → %.*s: nghi ghép nhầm vì trùng tên, không nhận; %s; nếu đúng, ghi “ok” "
		"vào cột check rồi nhập lại / likely a false match of names, refused; %s; if it "
		"is right write “ok” into the column check and import again",
		BYTES_FMT(row->old_code), BYTES_FMT(row->new_code), rest[which].vi, rest[which].en);
}

static int by_old(const void *a, const void *b)
{
	const struct map_row *left = a;
	const struct map_row *right = b;

	if (left->old != right->old)
		return left->old < right->old ? -1 : 1;
	return (left->line > right->line) - (left->line < right->line);
}

/*
 * The rows of one old unit. A suspect row is a false match of names beside the right one, so it
 * is left out; what remains alone became part of that unit whole. Where every row is
 * suspect a person has to say: all of them are kept as partial, and nobody gains sight by them.
 */
static enum err take_unit(struct map *m, const struct map_row *rows, size_t count)
{
	size_t trusted = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < count; i++)
		trusted += !rows[i].is_suspect;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const struct map_row *row = &rows[i];
		bool is_alone = trusted == 1 && (row->is_whole || count > 1);

		m->done->rows++;
		m->done->suspect += row->is_suspect;
		if (row->is_suspect)
			refuse(m, row, trusted);
		/* The same unit under both lists goes on by itself. */
		if (row->old == row->new || (row->is_suspect && trusted != 0))
			continue;
		e = take_row(m, row, !row->is_suspect && (row->is_whole || is_alone));
	}
	return e;
}

static enum err take_units(struct map *m)
{
	enum err e = ERR_OK;
	size_t first = 0;

	if (m->count == 0)
		return ERR_OK;
	qsort(m->rows, m->count, sizeof *m->rows, by_old);
	for (size_t i = 1; e == ERR_OK && i <= m->count; i++) {
		if (i < m->count && m->rows[i].old == m->rows[first].old)
			continue;
		e = take_unit(m, &m->rows[first], i - first);
		first = i;
	}
	return e;
}

/* Suspect rows last: they do not count. */
static int by_provinces(const void *a, const void *b)
{
	const struct map_row *left = a;
	const struct map_row *right = b;

	if (left->is_suspect != right->is_suspect)
		return left->is_suspect ? 1 : -1;
	if (left->old_province != right->old_province)
		return left->old_province < right->old_province ? -1 : 1;
	return (left->new_province > right->new_province) -
	       (left->new_province < right->new_province);
}

/*
 * Provinces follow their communes: an old province whose rows all lead into one new
 * province became part of it. Suspect rows do not count.
 */
static enum err take_provinces(struct map *m)
{
	enum err e = ERR_OK;
	size_t first = 0;

	if (m->count == 0)
		return ERR_OK;
	qsort(m->rows, m->count, sizeof *m->rows, by_provinces);
	while (m->count > 0 && m->rows[m->count - 1].is_suspect)
		m->count--;
	for (size_t i = 1; e == ERR_OK && i <= m->count; i++) {
		struct map_row *row = &m->rows[first];
		bool is_known = false;
		bool is_ended = false;

		if (i < m->count && m->rows[i].old_province == row->old_province)
			continue;
		row->is_whole = m->rows[i - 1].new_province == row->new_province;
		row->old = row->old_province;
		row->new = row->new_province;
		first = i;
		if (row->old == 0 || row->new == 0 || row->old == row->new || !row->is_whole)
			continue;
		e = put(m, row, &is_known);
		if (e == ERR_OK)
			e = units_end(m->store, m->a, row->old, m->on, UNITS_DAY_OPEN, &is_ended);
	}
	return e;
}

enum err units_succession(struct store *s, struct arena *a, struct bytes csv, int64_t on,
			  struct units_succeeded *ret_succeeded)
{
	struct units_succeeded done = {0};
	struct map m = {.store = s,
			.a = a,
			.on = on,
			.problems = {.a = a},
			.refused = {.a = a},
			.done = &done};
	enum err e = store_mark(s);

	if (e != ERR_OK)
		return e;
	e = read_map(&m, csv);
	done.problems = m.problems.list;
	done.problem_count = m.problems.count;
	if (e == ERR_OK && m.problems.count != 0) {
		e = err_raise(ERR_INVAL, "%zu rows are wrong", m.problems.count);
		*ret_succeeded = done;
	}
	if (e == ERR_OK)
		e = take_units(&m);
	if (e == ERR_OK)
		e = take_provinces(&m);
	done.refused = m.refused.list;
	done.refused_count = m.refused.count;
	if (e == ERR_OK)
		e = units_bump_version(s);
	/* Reading the map may have made districts and named provinces. */
	if (e != ERR_OK) {
		store_mark_undo(s);
		return e;
	}
	*ret_succeeded = done;
	return store_mark_keep(s);
}
