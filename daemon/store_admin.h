/*
 * store_admin - what reports and `ctxhctl query` need of SQLite beyond store_sql.h:
 * temporary views over the typed tables, and a guard that lets one reading
 * statement see what it may.
 *
 * Inside the caller's read transaction (one snapshot); everything made between
 * store_views_begin() and store_views_end() is temporary and gone after the end. On
 * reading connections. Thread: the store's.
 *
 * The views: for each type T `live_T`, the records that count: not deleted, not voided, not
 * joined to another (docs/schema.md). For a query also `commune`: communes of today with code,
 * name, type, district_code, province_code. For a report they are limited to the units of `scope`:
 *
 *   scope(unit, commune, code)    every unit whose records belong to the report, the unit of
 *                                 the report that its records count for, and that one's code
 *   communes(unit, code, name)    the communes of the report
 */
#pragma once

#include "daemon/store.h"
#include "daemon/store_sql.h"

enum store_views {
	STORE_VIEWS_REPORT, /* with empty tables scope and communes: fill them */
	STORE_VIEWS_QUERY,  /* restricted records are hidden: T is a view too */
	STORE_VIEWS_QUERY_CLEARED,
};

enum err store_views_begin(struct store *s, enum store_views views);
void store_views_end(struct store *s);

/* Rows of the report's tables. */
enum err store_add_scope(struct store *s, int64_t unit, int64_t commune, struct bytes code);
enum err store_add_commune(struct store *s, int64_t unit, struct bytes code, struct bytes name);

#define STORE_DENIED_LEN 128u

/*
 * Compiles text a person typed, between begin (of a query kind) and end. Only one SELECT over
 * typed tables, their live_ views, units, devices, sessions and the log; no secrets, no other
 * statements. ERR_AUTH: `ret_denied` names what may not be read or done; ERR_INVAL:
 * log_last_detail() has SQLite's words.
 */
enum err store_use_query(struct store *s, struct bytes text, bool is_cleared, struct sql **ret_sql,
			 char ret_denied[STORE_DENIED_LEN]);

/* Records whose id lies in range[0]..range[1], any type, at most `limit`; `type` is the schema's
 * name.
 */
struct store_found {
	struct bytes type;
	struct id id;
};
enum err store_find_ids(struct store *s, struct arena *a, const struct id range[2], size_t limit,
			struct store_found **ret_found, size_t *ret_count);
