/*
 * doc - a report as its printers see it, read from the JSON the daemon answers with
 * (daemon/report.h).
 *
 * Rows are grouped by content of the yearly report and by indicator, in the order they came.
 * Everything borrows from the JSON and lives in the arena. What an older daemon does not say is
 * NULL or 0. Pure.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

enum doc_figure {
	DOC_VALUE,
	DOC_NUMERATOR,
	DOC_DENOMINATOR,
	DOC_TARGET,
	DOC_PERSONS,
	DOC_PERSON_TIMES,
	DOC_FIGURES
};

struct doc_row {
	const char *code;
	const char *label;
	const char *label_en;
	const char *unit;                   /* code */
	const json_t *figures[DOC_FIGURES]; /* a number, "<5", or NULL */
	bool is_money;                      /* value and target are đồng */
};

struct doc_indicator {
	const char *id;
	const char *label;
	const char *label_en;
	const char *source;
	bool is_percent;
	struct doc_row *rows;
	size_t count;
};

struct doc_section {
	const char *id; /* "communication" */
	const char *title;
	const char *title_en;
	const char *name; /* short: of a sheet; at most 31 characters, none of []:*?/\ */
	struct doc_indicator *indicators;
	size_t count;
};

/* A commune whose records of the period may not all be here. */
struct doc_commune {
	const char *code;
	const char *name;
	const char *last_contact; /* ISO 8601; NULL: never */
};

struct doc {
	const char *title;
	const char *title_en;
	const char *unit;
	const char *unit_name;
	const char *from; /* "2020-01-01" */
	const char *to;
	const char *on;
	int64_t as_of;        /* log number */
	const char *as_of_at; /* when that number came; NULL: before the first */
	int64_t communes;
	int64_t quarantined;
	int64_t erased; /* records erased by law since, of a report as of an earlier number */
	bool is_past;   /* computed as of an earlier number */
	const char *schema;
	struct doc_commune *stale;
	size_t stale_count;
	struct doc_section *sections;
	size_t section_count;
};

extern const char *const doc_figure_keys[DOC_FIGURES]; /* "value", "numerator", … */

/* ERR_INVAL: it has no rows, or says nothing of unit and period. */
enum err doc_read(struct arena *a, const json_t *report, struct doc *ret_doc);

/* Short, for people: "network" -> "2. Mạng lưới, năng lực"; one the programme lacks: "Khác". */
const char *doc_section_name(const char *id);

/* The labels of one row of the JSON, and whether it is money; no figures. */
void doc_read_labels(const json_t *row, struct doc_row *ret_row);

/* As people write it: "94,6 %", "14.257 triệu đồng", "<5"; nothing for NULL. */
void doc_append_figure(struct buf *out, const struct doc_indicator *indicator,
		       const struct doc_row *row, enum doc_figure figure);
/* "2020-12-31" -> "31/12/2020". */
void doc_append_date(struct buf *out, const char *date);
/* A moment in Viet Nam's time: "22/11/2026 09:12". */
void doc_append_time(struct buf *out, const char *iso);
