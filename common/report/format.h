/*
 * format - a report as bytes, in every format people and programs ask for.
 *
 * The same functions print for ctxhctl, and for the daemon when it freezes a report: equal JSON
 * gives equal bytes, of one version of this program. Pure, but for unnamed temporary files of the
 * library that writes XLSX.
 */
#pragma once

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/text/table.h"

enum report_format {
	REPORT_TABLE, /* for a terminal; cut to the style's width, if it has one */
	REPORT_JSON,  /* the JSON itself, indented */
	REPORT_CSV,   /* rows alone */
	REPORT_XLSX,  /* a sheet a content, and one on the data */
	REPORT_HTML   /* one page that prints on A4 */
};
#define REPORT_FORMATS 5u

const char *report_format_name(enum report_format format); /* "xlsx" */
/* ERR_INVAL. */
enum err report_format_parse(struct bytes name, enum report_format *ret_format);
/* Not text: no bytes for a terminal. */
static inline bool report_format_is_binary(enum report_format format)
{
	return format == REPORT_XLSX;
}

/*
 * Appends the report. `style` is for a table; NULL: not cut. ERR_INVAL: it is no report of
 * daemon/report.h. ERR_FULL, ERR_IO: no room for XLSX's temporary files.
 */
enum err report_print(const json_t *report, enum report_format format,
		      const struct table_style *style, struct buf *out);
