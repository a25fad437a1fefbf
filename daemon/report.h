/*
 * report - indicators of the schema over the records of one unit and period.
 *
 * The unit is what its code meant on a day; its communes on that day, and all their
 * predecessors, make the scope, so that last year's report does not change when communes
 * are merged. Every indicator of one report sees the same snapshot. Counts under
 * REPORT_SMALLEST of restricted indicators and codes are given as "<5". On a reading
 * connection, inside the caller's transaction. Thread: the store's.
 */
#pragma once

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/model/schema.h"

struct store;

#define REPORT_ANNUAL   "annual" /* every indicator, in the schema's order */
#define REPORT_SMALLEST 5

struct report_request {
	struct bytes id;   /* of an indicator, or "annual" */
	struct bytes unit; /* code */
	struct bytes from; /* "2020-01-01" */
	struct bytes to;   /* inclusive */
	struct bytes on;   /* the day `unit` is read at; empty: `to`, else today */
	int64_t now_ms;
	/*
	 * As of an earlier log number: `past` is the store as it stood then (rebuild_until()).
	 * Units, devices and the sync log are the reader's: units have days, not log numbers.
	 */
	struct store *past; /* NULL: now */
	uint64_t at;
};

/* Whether anything in it is restricted: reading it is audited. ERR_NOTFOUND: no such id. */
enum err report_is_restricted(const struct schema *schema, struct bytes id,
			      bool *ret_is_restricted);

/* The unit it will be of. ERR_NOTFOUND. */
struct unit_row;
enum err report_find_unit(struct store *reader, struct arena *a,
			  const struct report_request *request, struct unit_row *ret_unit);

/*
 * {id, label, label_en, unit, unit_name, from, to, on, as_of, as_of_at, past, schema, communes,
 * stale_units: [code], stale: [{code, name, last_contact}], quarantined, erased, rows: [{section,
 * indicator, indicator_label, indicator_label_en, source, code, label, label_en, unit, value,
 * numerator?, denominator?, target?, persons?, person_times?, percent, suppressed?}]}. `as_of_at`:
 * when that log number came. `schema`: version of the schema whose queries ran. `erased`: records
 * in these units that law's erasure took away after `as_of`; they do not count.
 *
 * ERR_NOTFOUND: no such unit on that day. ERR_INVAL: an indicator's SQL failed: log_last_detail()
 * names it. The caller releases the result.
 */
enum err report_run(struct store *reader, struct arena *a, const struct report_request *request,
		    json_t **ret_report);

/* [{id, label, label_en, section, source, percent, restricted}], "annual" first. */
json_t *report_list(const struct schema *schema);

/* When a commune's records came last: the latest contact of a device that may write them. */
struct report_commune {
	int64_t unit;
	struct bytes code;
	struct bytes name;
	int64_t last_contact_ms; /* 0: never */
};
struct report_scope {
	int64_t unit; /* 0: all communes */
	int64_t day;
	int64_t until_ms; /* contacts after it do not count; 0: all count */
};
enum err report_load_communes(struct store *s, struct arena *a, const struct report_scope *of,
			      struct report_commune **ret_communes, size_t *ret_count);
