/*
 * html - the page of printers.h: one file without script that opens anywhere, reads well aloud,
 * and prints on A4.
 */
#include "common/model/vntext.h"
#include "common/report/printers.h"

static const char style[] =
	"@page{size:A4;margin:18mm 15mm 18mm 20mm}\n"
	"body{font:11pt/1.4 'Times New Roman',Tinos,'Liberation Serif',serif;color:#000;"
	"background:#fff;max-width:190mm;margin:1em auto;padding:0 1em}\n"
	"[lang=en]{color:#444;font-style:italic}\n"
	"header{text-align:center}h1{font-size:15pt;margin:.6em 0}h1 span,h2 span{display:block;"
	"font-size:11pt;font-weight:normal}\n"
	"h2{font-size:12.5pt;margin:1.4em 0 .4em;break-after:avoid}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.15em 1em;text-align:left}"
	"dt{font-weight:bold}dd{margin:0}\n"
	"table{border-collapse:collapse;width:100%;font-size:10pt}caption{text-align:left}\n"
	"th,td{border:1px solid #555;padding:.2em .4em;vertical-align:top;text-align:left}\n"
	"thead{display:table-header-group}thead th{background:#eee;text-align:center}\n"
	"tr{break-inside:avoid}tbody th[scope=rowgroup]{background:#f5f5f5}\n"
	"th[scope=row],th [lang=en],th small{font-weight:normal}\n"
	"td.n{text-align:right;white-space:nowrap}.note{border:2px solid #000;padding:.4em .8em}\n"
	".scroll{overflow-x:auto}.sign{display:grid;grid-template-columns:1fr 1fr;"
	"text-align:center;margin-top:2.5em;min-height:9em;break-inside:avoid}\n"
	"@media print{body{margin:0;padding:0;max-width:none}.scroll{overflow:visible}"
	"a{color:inherit;text-decoration:none}}\n";

static const char *const headings[DOC_FIGURES][2] = {
	[DOC_VALUE] = {"Giá trị", "Value"},
	[DOC_NUMERATOR] = {"Tử số", "Numerator"},
	[DOC_DENOMINATOR] = {"Mẫu số", "Denominator"},
	[DOC_TARGET] = {"Mục tiêu", "Target"},
	[DOC_PERSONS] = {"Số người", "Persons"},
	[DOC_PERSON_TIMES] = {"Số lượt người", "Person-times"},
};

/* Control characters and what is not UTF-8 are gone as well. */
static void put_text(struct buf *out, const char *text)
{
	AUTO(buf_clear) struct buf clean = {0};

	if (text == NULL)
		return;
	vntext_show(bytes_str(text), &clean);
	for (size_t i = 0; i < clean.len; i++) {
		switch (clean.data[i]) {
		case '&': buf_append_str(out, "&amp;"); break;
		case '<': buf_append_str(out, "&lt;"); break;
		case '>': buf_append_str(out, "&gt;"); break;
		case '"': buf_append_str(out, "&quot;"); break;
		case '\'': buf_append_str(out, "&#39;"); break;
		default: buf_append_byte(out, clean.data[i]);
		}
	}
}

static void put_english(struct buf *out, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_append_str(out, " <span lang=\"en\">");
	put_text(out, text);
	buf_append_str(out, "</span>");
}

static void put_both(struct buf *out, const char *vi, const char *en)
{
	put_text(out, vi);
	put_english(out, en);
}

/* ---- the head ---- */

static void put_term(struct buf *out, const char *vi, const char *en)
{
	buf_append_str(out, "<dt>");
	put_both(out, vi, en);
	buf_append_str(out, "</dt><dd>");
}

static void put_unit(struct buf *out, const struct doc *doc)
{
	put_term(out, "Đơn vị", "Unit");
	if (doc->unit_name != NULL && strcmp(doc->unit_name, doc->unit) != 0) {
		put_text(out, doc->unit_name);
		buf_append_str(out, " (");
		put_text(out, doc->unit);
		buf_append_str(out, ")");
	} else {
		put_text(out, doc->unit);
	}
	buf_append_str(out, ", ");
	put_both(out, "theo danh mục ngày", "by the list of");
	buf_append_byte(out, ' ');
	doc_append_date(out, doc->on);
	buf_append_str(out, "</dd>\n");
}

static void put_data_date(struct buf *out, const struct doc *doc)
{
	put_term(out, "Số liệu đến", "Data as of");
	if (doc->as_of_at != NULL) {
		doc_append_time(out, doc->as_of_at);
		buf_append_str(out, ", ");
	}
	put_both(out, "số nhật ký", "log number");
	buf_printf(out, " %lld</dd>\n", (long long)doc->as_of);
}

static void put_head(struct buf *out, const struct doc *doc)
{
	buf_append_str(out, "<header><p>");
	put_both(out, "Chương trình phát triển công tác xã hội",
		 "Social work development programme");
	buf_append_str(out, "</p>\n<h1>");
	put_both(out, doc->title, doc->title_en);
	buf_append_str(out, "</h1></header>\n<dl>");
	put_unit(out, doc);
	put_term(out, "Kỳ báo cáo", "Period");
	doc_append_date(out, doc->from);
	buf_append_str(out, " – ");
	doc_append_date(out, doc->to);
	buf_append_str(out, "</dd>\n");
	put_data_date(out, doc);
	buf_append_str(out, "</dl>\n");
}

/* Before the figures, so that nobody takes them for more than they are. */
static void put_warning(struct buf *out, const struct doc *doc)
{
	if (doc->stale_count == 0 && doc->quarantined == 0 && doc->erased == 0)
		return;
	buf_append_str(out, "<p class=\"note\"><a href=\"#data\">");
	put_both(out, "Số liệu chưa đầy đủ: xem phần cuối.", "Incomplete data: see the last part.");
	buf_append_str(out, "</a></p>\n");
}

/* ---- tables ---- */

static bool has_figure(const struct doc_indicator *indicator, enum doc_figure figure)
{
	for (size_t i = 0; i < indicator->count; i++) {
		if (indicator->rows[i].figures[figure] != NULL)
			return true;
	}
	return false;
}

/* A column without any figure is left out, but for what a share is read with. */
static bool is_used(const struct doc_section *section, enum doc_figure figure)
{
	const bool is_of_shares =
		figure == DOC_NUMERATOR || figure == DOC_DENOMINATOR || figure == DOC_TARGET;

	for (size_t i = 0; i < section->count; i++) {
		if (has_figure(&section->indicators[i], figure) ||
		    (is_of_shares && section->indicators[i].is_percent))
			return true;
	}
	return figure == DOC_VALUE;
}

static unsigned put_columns(struct buf *out, const struct doc_section *section)
{
	unsigned used = 1;

	buf_append_str(out, "<thead><tr><th scope=\"col\">");
	put_both(out, "Nội dung", "Content");
	buf_append_str(out, "</th>");
	for (unsigned f = 0; f < DOC_FIGURES; f++) {
		if (!is_used(section, (enum doc_figure)f))
			continue;
		buf_append_str(out, "<th scope=\"col\">");
		put_both(out, headings[f][0], headings[f][1]);
		buf_append_str(out, "</th>");
		used++;
	}
	buf_append_str(out, "</tr></thead>\n");
	return used;
}

static void put_row(struct buf *out, const struct doc_section *section,
		    const struct doc_indicator *indicator, const struct doc_row *row)
{
	AUTO(buf_clear) struct buf figure = {0};

	buf_append_str(out, "<tr><th scope=\"row\">");
	put_both(out, row->label != NULL ? row->label : row->code, row->label_en);
	buf_append_str(out, "</th>");
	for (unsigned f = 0; f < DOC_FIGURES; f++) {
		if (!is_used(section, (enum doc_figure)f))
			continue;
		buf_reset(&figure);
		doc_append_figure(&figure, indicator, row, (enum doc_figure)f);
		buf_append_str(out, "<td class=\"n\">");
		put_text(out, buf_cstr(&figure));
		buf_append_str(out, "</td>");
	}
	buf_append_str(out, "</tr>\n");
}

static void put_indicator(struct buf *out, const struct doc_section *section,
			  const struct doc_indicator *indicator, unsigned columns)
{
	buf_printf(out, "<tbody><tr><th scope=\"rowgroup\" colspan=\"%u\">", columns);
	put_text(out, indicator->id);
	buf_append_str(out, ". ");
	put_both(out, indicator->label, indicator->label_en);
	if (indicator->source != NULL) {
		buf_append_str(out, " <small>(");
		put_text(out, indicator->source);
		buf_append_str(out, ")</small>");
	}
	buf_append_str(out, "</th></tr>\n");
	for (size_t i = 0; i < indicator->count; i++)
		put_row(out, section, indicator, &indicator->rows[i]);
	buf_append_str(out, "</tbody>\n");
}

static void put_section(struct buf *out, const struct doc_section *section, size_t number)
{
	unsigned columns;

	buf_printf(out, "<section aria-labelledby=\"s%zu\"><h2 id=\"s%zu\">", number, number);
	put_both(out, section->title, section->title_en);
	buf_printf(out, "</h2>\n<div class=\"scroll\"><table aria-labelledby=\"s%zu\">\n", number);
	columns = put_columns(out, section);
	for (size_t i = 0; i < section->count; i++)
		put_indicator(out, section, &section->indicators[i], columns);
	buf_append_str(out, "</table></div></section>\n");
}

/* ---- how far the figures can be trusted ---- */

static void put_count(struct buf *out, const char *vi, const char *en, int64_t count)
{
	put_term(out, vi, en);
	buf_printf(out, "%lld</dd>\n", (long long)count);
}

static void put_communes(struct buf *out, const struct doc *doc)
{
	buf_append_str(out, "<table><caption>");
	put_both(out, "Xã chưa có số liệu mới", "Communes without recent data");
	buf_append_str(out, "</caption><thead><tr><th scope=\"col\">");
	put_both(out, "Mã", "Code");
	buf_append_str(out, "</th><th scope=\"col\">");
	put_both(out, "Tên", "Name");
	buf_append_str(out, "</th><th scope=\"col\">");
	put_both(out, "Liên lạc gần nhất", "Last contact");
	buf_append_str(out, "</th></tr></thead>\n<tbody>");
	for (size_t i = 0; i < doc->stale_count; i++) {
		buf_append_str(out, "<tr><td>");
		put_text(out, doc->stale[i].code);
		buf_append_str(out, "</td><th scope=\"row\">");
		put_text(out, doc->stale[i].name);
		buf_append_str(out, "</th><td>");
		if (doc->stale[i].last_contact != NULL)
			doc_append_time(out, doc->stale[i].last_contact);
		else
			put_both(out, "chưa lần nào", "never");
		buf_append_str(out, "</td></tr>\n");
	}
	buf_append_str(out, "</tbody></table>\n");
}

static void put_quality(struct buf *out, const struct doc *doc)
{
	buf_append_str(out, "<section aria-labelledby=\"data\"><h2 id=\"data\">");
	put_both(out, "Mức đầy đủ của số liệu", "How complete the data is");
	buf_append_str(out, "</h2>\n<dl>");
	put_count(out, "Số xã", "Communes", doc->communes);
	put_count(out, "Xã chưa có số liệu mới", "Communes without recent data",
		  (int64_t)doc->stale_count);
	put_count(out, "Thay đổi đang bị giữ lại", "Changes in quarantine", doc->quarantined);
	if (doc->erased != 0)
		put_count(out, "Hồ sơ đã xóa theo luật sau số nhật ký này, không còn được tính",
			  "Records erased by law after this log number, counted no more",
			  doc->erased);
	buf_append_str(out, "</dl>\n<p>");
	put_both(out, "“<5”: số nhỏ của nhóm cần bảo mật, không ghi rõ.",
		 "“<5”: a small count of a group kept secret, not given.");
	buf_append_str(out, "</p>\n");
	if (doc->stale_count != 0)
		put_communes(out, doc);
	buf_append_str(out, "</section>\n");
}

static void put_signatures(struct buf *out)
{
	buf_append_str(out, "<div class=\"sign\"><p><strong>");
	put_both(out, "Người lập báo cáo", "Prepared by");
	buf_append_str(out, "</strong></p><p><strong>");
	put_both(out, "Thủ trưởng đơn vị", "Head of the office");
	buf_append_str(out, "</strong></p></div>\n");
}

void report_print_html(const struct doc *doc, struct buf *out)
{
	buf_append_str(out,
		       "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, "
		       "initial-scale=1\">\n<title>");
	put_text(out, doc->title);
	buf_append_str(out, " – ");
	put_text(out, doc->unit_name != NULL ? doc->unit_name : doc->unit);
	buf_printf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
	put_head(out, doc);
	put_warning(out, doc);
	for (size_t i = 0; i < doc->section_count; i++)
		put_section(out, &doc->sections[i], i + 1);
	put_quality(out, doc);
	put_signatures(out);
	buf_append_str(out, "</main>\n</body>\n</html>\n");
}
