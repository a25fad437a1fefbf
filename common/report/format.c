#define LOG_TAG "report"

#include "common/report/format.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/report/printers.h"

static const char *const names[REPORT_FORMATS] = {
	[REPORT_TABLE] = "table", [REPORT_JSON] = "json", [REPORT_CSV] = "csv",
	[REPORT_XLSX] = "xlsx",   [REPORT_HTML] = "html",
};

const char *report_format_name(enum report_format format)
{
	return names[format];
}

enum err report_format_parse(struct bytes name, enum report_format *ret_format)
{
	for (unsigned i = 0; i < REPORT_FORMATS; i++) {
		if (bytes_is(name, names[i])) {
			*ret_format = (enum report_format)i;
			return ERR_OK;
		}
	}
	return err_raise(ERR_INVAL, "no format %.*s", BYTES_FMT(name));
}

static void print_json(const json_t *report, struct buf *out)
{
	AUTO(mem_free) char *text = json_dumps(report, JSON_INDENT(2));

	buf_append_str(out, text != NULL ? text : "null");
	buf_append_byte(out, '\n');
}

enum err report_print(const json_t *report, enum report_format format,
		      const struct table_style *style, struct buf *out)
{
	static const struct table_style uncut = {0};
	AUTO(arena_clear) struct arena a = {0};
	struct doc doc;
	enum err e = doc_read(&a, report, &doc);

	if (e != ERR_OK)
		return e;
	switch (format) {
	case REPORT_TABLE: report_print_table(&doc, style != NULL ? style : &uncut, out); break;
	case REPORT_JSON: print_json(report, out); break;
	case REPORT_CSV: report_print_csv(&doc, out); break;
	case REPORT_XLSX: return report_print_xlsx(&doc, out);
	case REPORT_HTML: report_print_html(&doc, out); break;
	}
	return ERR_OK;
}
