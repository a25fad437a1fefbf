/*
 * units_private - what the files of units.h share: units.c reads, units_names.c keeps the dated
 * names, units_file.c and units_list.c import a list, units_succession.c a map.
 */
#pragma once

#include "common/base/buf.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

/* One dated name as the table has it. */
struct unit_name {
	int64_t unit;
	int64_t first; /* day */
	int64_t last;  /* exclusive */
	enum unit_level level;
	struct bytes code;
	struct bytes name;
	struct bytes bare; /* vntext exact key of the name without its type */
	struct bytes kind;
	int64_t parent;
	int64_t province;
};

/* ERR_NOTFOUND. One statement of unit_name's columns in the order above. */
#define UNIT_NAME_COLUMNS                                                                     \
	"n.unit, n.first_day, n.last_day, n.level, n.code, n.name, n.bare, n.kind, n.parent," \
	" n.province "
void units_read_name(struct sql *q, struct arena *a, struct unit_name *ret_name);
enum err units_put_name(struct store *s, const struct unit_name *n);
enum err units_drop_name(struct store *s, int64_t unit, int64_t first);
/* A unit's names, oldest first. */
enum err units_load_names(struct store *s, struct arena *a, int64_t unit,
			  struct unit_name **ret_names, size_t *ret_count);
/* Sets the unit's own days to what its names say. */
enum err units_settle(struct store *s, int64_t unit);
enum err units_add(struct store *s, enum unit_level level, bool has_districts, int64_t *ret_unit);

/* The name without its type ("Xã", "Thị trấn", "Tỉnh", …) as a key that forgives tone places. */
enum err units_bare(struct arena *a, struct bytes name, struct bytes kind, struct bytes *ret_bare);
/* What the province with this code was called until 1 July 2025; empty: no such code. */
struct bytes units_province_name(struct bytes code);
/* "Quận" of "Quận Ba Đình"; empty when none of the known types begins it. */
struct bytes units_kind_of(struct bytes name);

/*
 * A unit's code is its own from its first day on: every other unit of the level that had it ends
 * there. Counts them.
 */
enum err units_end_code(struct store *s, struct arena *a, const struct unit_name *heir,
			size_t *count);
/*
 * No longer valid on `day`. What the unit was already known to be from `resume` on (a later list
 * has it again) stays; UNITS_DAY_OPEN: nothing.
 */
enum err units_end(struct store *s, struct arena *a, int64_t unit, int64_t day, int64_t resume,
		   bool *ret_is_ended);

enum err units_bump_version(struct store *s);

struct problems {
	struct arena *a;
	struct unit_problem *list;
	size_t count;
	size_t cap;
};
#define UNITS_PROBLEMS_MAX 100u
/* Keeps the first UNITS_PROBLEMS_MAX. */
void units_problem(struct problems *p, size_t line, const char *fmt, ...) PRINTF(3, 4);

/* ---- the file of a list ---- */

struct unit_list_row {
	size_t line;
	struct bytes code;
	struct bytes name;
	struct bytes kind;
	struct bytes district_code; /* empty: a structure without districts */
	struct bytes district_name;
	struct bytes province_code;
	struct bytes province_name; /* empty: not in the file */
};

struct unit_list {
	struct unit_list_row *rows;
	size_t count;
	bool has_districts;
};

/* Rows sorted by code: their order in the file must not matter. With problems: not to be used. */
void units_read_list(struct arena *a, struct bytes csv, struct unit_list *ret_list,
		     struct problems *problems);
