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
};

/* Whether anything in it is restricted: reading it is audited. ERR_NOTFOUND: no such id. */
enum err report_is_restricted(const struct schema *schema, struct bytes id,
			      bool *ret_is_restricted);

/*
 * {id, unit, unit_name, from, to, on, as_of, stale_units, quarantined, rows: [{indicator,
 * indicator_label, code, label, label_en, unit, value, numerator?, denominator?, target?, persons?,
 * person_times?}]}. ERR_NOTFOUND: no such unit on that day. ERR_INVAL: an indicator's SQL failed:
 * log_last_detail() names it. The caller releases the result.
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
/* The communes of `unit` on a day; `unit` 0: all. */
enum err report_load_communes(struct store *s, struct arena *a, int64_t unit, int64_t day,
			      struct report_commune **ret_communes, size_t *ret_count);
