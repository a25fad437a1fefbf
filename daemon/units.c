#include "daemon/units.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/model/vntext.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "daemon/units_private.h"

#define DAY_MS       INT64_C(86400000)
#define VIET_NAM_MS  (INT64_C(7) * 3600 * 1000) /* UTC+7, no summer time */
#define VERSION_NAME "units_version"

/* ---- days ---- */

enum err units_parse_day(struct bytes text, int64_t *ret_day)
{
	int64_t wall_ms;
	enum err e;

	if (text.len != 10)
		return err_raise(ERR_INVAL, "not a date: YYYY-MM-DD is wanted");
	e = clock_parse_iso((const char *)text.data, text.len, &wall_ms);
	if (e == ERR_OK)
		*ret_day = wall_ms >= 0 ? wall_ms / DAY_MS : -((-wall_ms + DAY_MS - 1) / DAY_MS);
	return e;
}

int64_t units_day_of(int64_t wall_ms)
{
	int64_t local = wall_ms + VIET_NAM_MS;

	return local >= 0 ? local / DAY_MS : -((-local + DAY_MS - 1) / DAY_MS);
}

/* ---- names ---- */

struct bytes units_kind_of(struct bytes name)
{
	static const char *const kinds[] = {"Thành phố", "Thị trấn", "Thị xã", "Phường", "Đặc khu",
					    "Huyện",     "Quận",     "Tỉnh",   "Xã"};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct bytes kind = bytes_str(kinds[i]);

		if (name.len > kind.len && name.data[kind.len] == ' ' &&
		    memcmp(name.data, kind.data, kind.len) == 0)
			return bytes_of(name.data, kind.len);
	}
	return BYTES_NONE;
}

enum err units_bare(struct arena *a, struct bytes name, struct bytes kind, struct bytes *ret_bare)
{
	AUTO(buf_clear) struct buf key = {0};
	struct bytes rest = name;
	enum err e;

	if (kind.len == 0)
		kind = units_kind_of(name);
	if (kind.len != 0 && name.len > kind.len + 1 &&
	    memcmp(name.data, kind.data, kind.len) == 0 && name.data[kind.len] == ' ')
		rest = bytes_of(name.data + kind.len + 1, name.len - kind.len - 1);
	e = vntext_key(rest, VNTEXT_EXACT, &key);
	if (e == ERR_OK)
		*ret_bare = arena_copy(a, buf_bytes(&key));
	return e;
}

void units_read_name(struct sql *q, struct arena *a, struct unit_name *ret_name)
{
	*ret_name = (struct unit_name){
		.unit = sql_int(q, 0),
		.first = sql_int(q, 1),
		.last = sql_int(q, 2),
		.level = (enum unit_level)sql_int(q, 3),
		.code = sql_text_copy(q, 4, a),
		.name = sql_text_copy(q, 5, a),
		.bare = sql_text_copy(q, 6, a),
		.kind = sql_text_copy(q, 7, a),
		.parent = sql_int(q, 8),
		.province = sql_int(q, 9),
	};
}

/* ---- reading ---- */

/*
 * Names with the province's code of the same day beside them, else its first one. (SQLite does not
 * look for outer columns in an ORDER BY, so this is two steps.)
 */
#define ROW_COLUMNS                                                                          \
	"SELECT n.unit, n.level, n.parent, n.code, n.name, n.kind, n.first_day, n.last_day," \
	" coalesce((SELECT p.code FROM unit_name p WHERE p.unit = n.province"                \
	" AND p.first_day <= n.first_day ORDER BY p.first_day DESC LIMIT 1),"                \
	" (SELECT p.code FROM unit_name p WHERE p.unit = n.province ORDER BY p.first_day"    \
	" LIMIT 1), '') FROM unit_name n "

static void read_row(struct sql *q, struct arena *a, struct unit_row *ret_row)
{
	*ret_row = (struct unit_row){
		.unit = sql_int(q, 0),
		.level = (enum unit_level)sql_int(q, 1),
		.parent = sql_int(q, 2),
		.code = sql_text_copy(q, 3, a),
		.name = sql_text_copy(q, 4, a),
		.kind = sql_text_copy(q, 5, a),
		.from = sql_int(q, 6),
		.until = sql_int(q, 7),
		.province_code = sql_text_copy(q, 8, a),
	};
}

static enum err collect_rows(struct sql *q, struct arena *a, struct unit_row **ret_rows,
			     size_t *ret_count)
{
	struct unit_row *rows = NULL;
	size_t count = 0;
	size_t cap = 0;
	bool is_row = false;
	enum err e;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (count == cap) {
			struct unit_row *more = arena_alloc_array(a, cap * 2 + 64, sizeof *more);

			if (count != 0)
				memcpy(more, rows, count * sizeof *more);
			rows = more;
			cap = cap * 2 + 64;
		}
		read_row(q, a, &rows[count++]);
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = rows;
	*ret_count = count;
	return ERR_OK;
}

static const char query_list[] =
	ROW_COLUMNS "WHERE n.first_day <= ?1 AND n.last_day > ?1 AND (?3 = 0 OR n.level = ?3)"
		    " AND (?2 IS NULL OR n.province IN (SELECT unit FROM unit_name WHERE level = 1"
		    " AND code = ?2 AND first_day <= ?1 AND last_day > ?1))"
		    " ORDER BY n.level, n.code, n.unit";

enum err units_list(struct store *s, struct arena *a, const struct units_filter *filter,
		    struct unit_row **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_list, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, filter->day);
	sql_bind_text_or_null(q, 2, filter->province);
	sql_bind_int(q, 3, filter->level);
	return collect_rows(q, a, ret_rows, ret_count);
}

static const char query_find[] = ROW_COLUMNS
	"WHERE n.code = ?1 AND n.level IN (1, 2, 3) AND n.first_day <= ?2 AND n.last_day > ?2"
	" ORDER BY n.level DESC, n.first_day DESC LIMIT 1";

/* "25195@2021-02-01" says its day itself. ERR_NOTFOUND: no day behind the @. */
static enum err split_code(struct bytes *code, int64_t *day)
{
	const uint8_t *at = code->len != 0 ? memchr(code->data, '@', code->len) : NULL;
	size_t len;

	if (at == NULL)
		return ERR_OK;
	len = (size_t)(at - code->data);
	if (units_parse_day(bytes_of(at + 1, code->len - len - 1), day) != ERR_OK)
		return ERR_NOTFOUND;
	*code = bytes_of(code->data, len);
	return ERR_OK;
}

enum err units_find(struct store *s, struct arena *a, struct bytes code, int64_t day,
		    struct unit_row *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = split_code(&code, &day);

	if (e == ERR_OK)
		e = sql_use(s, query_find, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, code);
	sql_bind_int(q, 2, day);
	e = sql_run_row(q);
	if (e == ERR_OK)
		read_row(q, a, ret_row);
	return e;
}

/* Of codes of one level: a commune's code is never compared with a province's. */
static const char query_meant[] =
	"SELECT unit FROM unit_name WHERE code = ?1 AND level = ?2"
	" ORDER BY (first_day <= ?3 AND last_day > ?3) DESC, first_day <= ?3 DESC,"
	" CASE WHEN first_day <= ?3 THEN -first_day ELSE first_day END LIMIT 1";

enum err units_print_code(struct store *s, struct arena *a, const struct unit_row *u, int64_t day,
			  struct bytes *ret_code)
{
	AUTO(sql_done) struct sql *q = NULL;
	char from[CLOCK_ISO_LEN];
	enum err e = sql_use(s, query_meant, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, u->code);
	sql_bind_int(q, 2, u->level);
	sql_bind_int(q, 3, day);
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	*ret_code = u->code;
	if (sql_int(q, 0) == u->unit)
		return ERR_OK;
	clock_print_iso(u->from * DAY_MS, from);
	*ret_code = arena_printf(a, "%.*s@%.10s", BYTES_FMT(u->code), from);
	return ERR_OK;
}

static const char query_load[] = ROW_COLUMNS
	"WHERE n.unit = ?1 ORDER BY n.first_day <= ?2 DESC, abs(n.first_day - ?2) LIMIT 1";

enum err units_load(struct store *s, struct arena *a, int64_t unit, int64_t day,
		    struct unit_row *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_load, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	sql_bind_int(q, 2, day);
	e = sql_run_row(q);
	if (e == ERR_OK)
		read_row(q, a, ret_row);
	return e;
}

static const char query_exists[] = "SELECT 1 FROM unit WHERE unit = ?";

bool units_exists(struct store *s, int64_t unit, enum err *ret_e)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, query_exists, &q);

	if (e == ERR_OK) {
		sql_bind_int(q, 1, unit);
		e = sql_step(q, &is_row);
	}
	*ret_e = e;
	return is_row;
}

/* ---- placing ---- */

static const char query_placing[] =
	"SELECT old, new FROM unit_succession WHERE is_whole = 0 AND day <= ? ORDER BY old, new";

/* Live records of a unit, over all types. */
static enum err count_records(struct store *s, int64_t unit, uint64_t *ret_count)
{
	uint64_t total = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < store_type_count(s); i++) {
		bool is_event;
		uint64_t count = 0;

		e = store_count_unit(s, store_type(s, i, &is_event), unit, &count);
		total += count;
	}
	if (e == ERR_OK)
		*ret_count = total;
	return e;
}

struct placings {
	struct unit_placing *rows;
	size_t count;
	size_t cap;
};

/* The row of a divided unit: rows come sorted by it. */
static struct unit_placing *placing_of(struct placings *p, struct arena *a, int64_t unit)
{
	if (p->count > 0 && p->rows[p->count - 1].unit == unit)
		return &p->rows[p->count - 1];
	if (p->count == p->cap) {
		struct unit_placing *more = arena_alloc_array(a, p->cap * 2 + 16, sizeof *more);

		if (p->count != 0)
			memcpy(more, p->rows, p->count * sizeof *more);
		p->rows = more;
		p->cap = p->cap * 2 + 16;
	}
	p->rows[p->count].unit = unit;
	return &p->rows[p->count++];
}

static enum err read_placing(struct sql *q, struct arena *a, struct placings *p)
{
	bool is_row = false;
	enum err e;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct unit_placing *row = placing_of(p, a, sql_int(q, 0));
		int64_t *into = arena_alloc_array(a, row->into_count + 1, sizeof *into);

		if (row->into_count != 0)
			memcpy(into, row->into, row->into_count * sizeof *into);
		into[row->into_count++] = sql_int(q, 1);
		row->into = into;
	}
	return e;
}

enum err units_load_placing(struct store *s, struct arena *a, int64_t day,
			    struct unit_placing **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct placings placings = {0};
	enum err e = sql_use(s, query_placing, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, day);
	e = read_placing(q, a, &placings);
	for (size_t i = 0; e == ERR_OK && i < placings.count; i++)
		e = count_records(s, placings.rows[i].unit, &placings.rows[i].records);
	if (e != ERR_OK)
		return e;
	*ret_rows = placings.rows;
	*ret_count = placings.count;
	return ERR_OK;
}

/* ---- what devices get ---- */

static const char query_message[] =
	"SELECT " UNIT_NAME_COLUMNS "FROM unit_name n ORDER BY n.unit, n.first_day";
static const char query_count[] = "SELECT count(*) FROM unit_name";

static struct bytes print_day(struct arena *a, int64_t day)
{
	char text[CLOCK_ISO_LEN];

	if (day == UNITS_DAY_OPEN)
		return BYTES_NONE;
	clock_print_iso(day * DAY_MS, text);
	return arena_copy(a, bytes_of(text, 10));
}

enum err units_load_message(struct store *s, struct arena *a, struct msg_unit **ret_units,
			    size_t *ret_count)
{
	AUTO(sql_done) struct sql *total = NULL;
	AUTO(sql_done) struct sql *q = NULL;
	struct msg_unit *units;
	size_t count = 0;
	bool is_row = false;
	enum err e = sql_use(s, query_count, &total);

	if (e == ERR_OK)
		e = sql_run_row(total);
	if (e == ERR_OK)
		e = sql_use(s, query_message, &q);
	if (e != ERR_OK)
		return e;
	units = arena_alloc_array(a, (size_t)sql_int(total, 0), sizeof *units);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct unit_name n;

		units_read_name(q, a, &n);
		units[count++] = (struct msg_unit){.unit = n.unit,
						   .code = n.code,
						   .name = n.name,
						   .kind = n.kind,
						   .parent = n.parent,
						   .valid_from = print_day(a, n.first),
						   .valid_until = print_day(a, n.last)};
	}
	if (e != ERR_OK)
		return e;
	*ret_units = units;
	*ret_count = count;
	return ERR_OK;
}

enum err units_version(struct store *s, uint64_t *ret_version)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes value;
	enum err e = store_get_setting(s, &a, VERSION_NAME, &value);

	*ret_version = 0;
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK && value.len != sizeof *ret_version)
		return err_raise(ERR_CORRUPT, "setting %s", VERSION_NAME);
	if (e == ERR_OK)
		memcpy(ret_version, value.data, sizeof *ret_version);
	return e;
}

enum err units_bump_version(struct store *s)
{
	uint64_t version = 0;
	enum err e = units_version(s, &version);

	version++;
	if (e != ERR_OK)
		return e;
	return store_put_setting(s, VERSION_NAME, bytes_of(&version, sizeof version));
}
