/*
 * report_private - what report*.c share: a report while its views exist.
 */
#pragma once

#include "daemon/report.h"
#include "daemon/store_admin.h"
#include "daemon/units.h"

struct report {
	struct store *store;   /* units, devices, quarantine */
	struct store *records; /* of which the views are: `store`, or it as it stood earlier */
	struct arena *arena;
	const struct report_request *request;
	struct bytes on;
	int64_t day;
	struct unit_row unit;
	struct report_commune *communes;
	size_t commune_count;
	uint64_t log;     /* as of which */
	int64_t log_ms;   /* when it came; 0: there is none */
	int64_t until_ms; /* of a past report: what is later was not known; 0: not past */
};

/*
 * Finds unit, day and communes, and makes views and tables of store_admin.h for them, on both
 * connections. Fill store, arena and request first. ERR_NOTFOUND: no such unit on that day.
 */
enum err report_begin(struct report *r);
/* Only after a report_begin() that succeeded. */
void report_end(struct report *r);

/* Late records of one type: (code, touched); the scope first, for each of its units what is behind
 * :log, by index. */
void report_late_query(const struct schema_type *t, struct buf *out);
