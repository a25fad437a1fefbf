/* xlsx - the workbook of printers.h; the only file that includes xlsxwriter.h. */
#define LOG_TAG "report"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/model/vntext.h"
#include "common/report/printers.h"

#define VIETNAM_MS (INT64_C(7) * 3600000)

enum column {
	COLUMN_INDICATOR,
	COLUMN_TITLE,
	COLUMN_TITLE_EN,
	COLUMN_CODE,
	COLUMN_LABEL,
	COLUMN_LABEL_EN,
	COLUMN_UNIT,
	COLUMN_KIND, /* what value and target are counted in */
	COLUMN_FIGURES,
	COLUMNS = COLUMN_FIGURES + DOC_FIGURES
};

static const struct {
	const char *heading;
	double width;
} columns[COLUMNS] = {
	[COLUMN_INDICATOR] = {"Mã / Id", 9},
	[COLUMN_TITLE] = {"Chỉ tiêu", 40},
	[COLUMN_TITLE_EN] = {"Indicator", 30},
	[COLUMN_CODE] = {"Mã dòng / Row", 16},
	[COLUMN_LABEL] = {"Nội dung", 36},
	[COLUMN_LABEL_EN] = {"Content", 30},
	[COLUMN_UNIT] = {"Đơn vị / Unit", 11},
	[COLUMN_KIND] = {"Tính bằng / In", 10},
	[COLUMN_FIGURES + DOC_VALUE] = {"Giá trị / Value", 16},
	[COLUMN_FIGURES + DOC_NUMERATOR] = {"Tử số / Numerator", 12},
	[COLUMN_FIGURES + DOC_DENOMINATOR] = {"Mẫu số / Denominator", 12},
	[COLUMN_FIGURES + DOC_TARGET] = {"Mục tiêu / Target", 16},
	[COLUMN_FIGURES + DOC_PERSONS] = {"Số người / Persons", 12},
	[COLUMN_FIGURES + DOC_PERSON_TIMES] = {"Số lượt người / Person-times", 14},
};

struct book {
	lxw_workbook *workbook;
	lxw_format *title;
	lxw_format *heading;
	lxw_format *text;
	lxw_format *whole; /* 1.234.567 in a Vietnamese setting */
	lxw_format *share; /* 94,6 */
	lxw_format *date;
	lxw_format *time;
	lxw_error failed; /* the first; LXW_NO_ERROR: none */
};

/* ---- cells; none of these can make a formula ---- */

static void note(struct book *b, lxw_error rc)
{
	if (b->failed == LXW_NO_ERROR)
		b->failed = rc;
}

static void put_text(struct book *b, lxw_worksheet *sheet, uint32_t row, unsigned column,
		     const char *text, lxw_format *format)
{
	AUTO(buf_clear) struct buf clean = {0};

	if (text == NULL)
		return;
	vntext_show(bytes_str(text), &clean);
	note(b, worksheet_write_string(sheet, row, (lxw_col_t)column, buf_cstr(&clean), format));
}

static void put_number(struct book *b, lxw_worksheet *sheet, uint32_t row, unsigned column,
		       double number, lxw_format *format)
{
	note(b, worksheet_write_number(sheet, row, (lxw_col_t)column, number, format));
}

/* Milliseconds as days and hours of a sheet, which knows no zone; what is no time stays text. */
static void put_moment(struct book *b, lxw_worksheet *sheet, uint32_t row, unsigned column,
		       const char *iso, int64_t zone_ms)
{
	int64_t ms;

	if (iso == NULL || clock_parse_iso(iso, strlen(iso), &ms) != ERR_OK)
		put_text(b, sheet, row, column, iso, b->text);
	else
		note(b,
		     worksheet_write_unixtime(sheet, row, (lxw_col_t)column, (ms + zone_ms) / 1000,
					      zone_ms == 0 ? b->date : b->time));
}

/* "2020-12-31" */
static void put_date(struct book *b, lxw_worksheet *sheet, uint32_t row, unsigned column,
		     const char *iso)
{
	put_moment(b, sheet, row, column, iso, 0);
}

/* A moment, as date and time of Viet Nam. */
static void put_time(struct book *b, lxw_worksheet *sheet, uint32_t row, unsigned column,
		     const char *iso)
{
	put_moment(b, sheet, row, column, iso, VIETNAM_MS);
}

static void put_figure(struct book *b, lxw_worksheet *sheet, uint32_t row, unsigned column,
		       const json_t *figure)
{
	if (json_is_integer(figure))
		put_number(b, sheet, row, column, (double)json_integer_value(figure), b->whole);
	else if (json_is_real(figure))
		put_number(b, sheet, row, column, json_real_value(figure), b->share);
	else if (figure != NULL)
		put_text(b, sheet, row, column, json_string_value(figure), b->text);
}

/* ---- sheets ---- */

static lxw_worksheet *add_sheet(struct book *b, const char *name)
{
	lxw_worksheet *sheet = workbook_add_worksheet(b->workbook, name);

	if (sheet == NULL) {
		note(b, LXW_ERROR_PARAMETER_VALIDATION);
		return NULL;
	}
	worksheet_set_paper(sheet, 9); /* A4 */
	worksheet_set_landscape(sheet);
	worksheet_fit_to_pages(sheet, 1, 0);
	return sheet;
}

#define HEAD_ROWS 5u /* title, unit, period, data date, a gap */

static void put_head(struct book *b, lxw_worksheet *sheet, const struct doc *doc, const char *title)
{
	put_text(b, sheet, 0, 0, title, b->title);
	put_text(b, sheet, 1, 0, "Đơn vị", b->text);
	put_text(b, sheet, 1, 1, doc->unit_name != NULL ? doc->unit_name : doc->unit, b->text);
	put_text(b, sheet, 1, 2, doc->unit, b->text);
	put_text(b, sheet, 2, 0, "Kỳ", b->text);
	put_date(b, sheet, 2, 1, doc->from);
	put_date(b, sheet, 2, 2, doc->to);
	put_text(b, sheet, 3, 0, "Số liệu đến", b->text);
	put_time(b, sheet, 3, 1, doc->as_of_at);
	put_number(b, sheet, 3, 2, (double)doc->as_of, b->whole);
}

static const char *kind_of(const struct doc_indicator *indicator, const struct doc_row *row)
{
	if (indicator->is_percent)
		return "%";
	return row->is_money ? "đồng" : NULL;
}

static void put_row(struct book *b, lxw_worksheet *sheet, uint32_t at,
		    const struct doc_indicator *indicator, const struct doc_row *row)
{
	put_text(b, sheet, at, COLUMN_INDICATOR, indicator->id, b->text);
	put_text(b, sheet, at, COLUMN_TITLE, indicator->label, b->text);
	put_text(b, sheet, at, COLUMN_TITLE_EN, indicator->label_en, b->text);
	put_text(b, sheet, at, COLUMN_CODE, row->code, b->text);
	put_text(b, sheet, at, COLUMN_LABEL, row->label, b->text);
	put_text(b, sheet, at, COLUMN_LABEL_EN, row->label_en, b->text);
	put_text(b, sheet, at, COLUMN_UNIT, row->unit, b->text);
	put_text(b, sheet, at, COLUMN_KIND, kind_of(indicator, row), b->text);
	for (unsigned f = 0; f < DOC_FIGURES; f++)
		put_figure(b, sheet, at, COLUMN_FIGURES + f, row->figures[f]);
}

static void put_section(struct book *b, const struct doc *doc, const struct doc_section *section)
{
	lxw_worksheet *sheet = add_sheet(b, section->name);
	uint32_t at = HEAD_ROWS;

	if (sheet == NULL)
		return;
	put_head(b, sheet, doc, section->title);
	for (unsigned c = 0; c < COLUMNS; c++) {
		put_text(b, sheet, at, c, columns[c].heading, b->heading);
		note(b, worksheet_set_column(sheet, (lxw_col_t)c, (lxw_col_t)c, columns[c].width,
					     NULL));
	}
	worksheet_freeze_panes(sheet, HEAD_ROWS + 1, 0);
	note(b, worksheet_repeat_rows(sheet, HEAD_ROWS, HEAD_ROWS));
	for (size_t i = 0; i < section->count; i++) {
		for (size_t k = 0; k < section->indicators[i].count; k++)
			put_row(b, sheet, ++at, &section->indicators[i],
				&section->indicators[i].rows[k]);
	}
	note(b, worksheet_autofilter(sheet, HEAD_ROWS, 0, at, COLUMNS - 1));
}

static void put_count(struct book *b, lxw_worksheet *sheet, uint32_t row, const char *label,
		      int64_t count)
{
	put_text(b, sheet, row, 0, label, b->text);
	put_number(b, sheet, row, 2, (double)count, b->whole);
}

static void put_quality(struct book *b, const struct doc *doc)
{
	static const double widths[] = {26, 34, 20};
	lxw_worksheet *sheet = add_sheet(b, "Chất lượng số liệu");
	uint32_t at = HEAD_ROWS;

	if (sheet == NULL)
		return;
	for (unsigned c = 0; c < sizeof widths / sizeof widths[0]; c++)
		note(b, worksheet_set_column(sheet, (lxw_col_t)c, (lxw_col_t)c, widths[c], NULL));
	put_head(b, sheet, doc, "Chất lượng số liệu / Quality of the data");
	put_count(b, sheet, at++, "Số xã / Communes", doc->communes);
	put_count(b, sheet, at++, "Xã chưa có số liệu mới / Without recent data",
		  (int64_t)doc->stale_count);
	put_count(b, sheet, at++, "Thay đổi đang bị giữ lại / Changes in quarantine",
		  doc->quarantined);
	put_count(b, sheet, at++, "Hồ sơ đã xóa theo luật sau đó / Erased by law since",
		  doc->erased);
	at++;
	put_text(b, sheet, at, 0, "Mã xã / Code", b->heading);
	put_text(b, sheet, at, 1, "Xã chưa có số liệu mới / Without recent data", b->heading);
	put_text(b, sheet, at, 2, "Liên lạc gần nhất / Last contact", b->heading);
	for (size_t i = 0; i < doc->stale_count; i++) {
		const struct doc_commune *c = &doc->stale[i];

		at++;
		put_text(b, sheet, at, 0, c->code, b->text);
		put_text(b, sheet, at, 1, c->name, b->text);
		if (c->last_contact != NULL)
			put_time(b, sheet, at, 2, c->last_contact);
		else
			put_text(b, sheet, at, 2, "chưa lần nào / never", b->text);
	}
}

/* ---- the file ---- */

static lxw_format *format_of(struct book *b, const char *number, bool is_bold)
{
	lxw_format *format = workbook_add_format(b->workbook);

	format_set_align(format, LXW_ALIGN_VERTICAL_TOP);
	if (number != NULL)
		format_set_num_format(format, number);
	if (is_bold)
		format_set_bold(format);
	return format;
}

static void add_formats(struct book *b)
{
	b->title = format_of(b, NULL, true);
	b->heading = format_of(b, NULL, true);
	format_set_text_wrap(b->heading);
	format_set_border(b->heading, LXW_BORDER_THIN);
	b->text = format_of(b, NULL, false);
	b->whole = format_of(b, "#,##0", false);
	b->share = format_of(b, "#,##0.0", false);
	b->date = format_of(b, "dd/mm/yyyy", false);
	b->time = format_of(b, "dd/mm/yyyy hh:mm", false);
}

/* When the data is from, not when this was printed: equal reports are equal bytes. */
static void set_properties(struct book *b, const struct doc *doc)
{
	lxw_doc_properties properties = {.created = 1};
	AUTO(arena_clear) struct arena a = {0};
	int64_t ms;

	properties.title = arena_strdup(&a, bytes_str(doc->title));
	if (doc->as_of_at != NULL &&
	    clock_parse_iso(doc->as_of_at, strlen(doc->as_of_at), &ms) == ERR_OK)
		properties.created = (time_t)(ms / 1000);
	note(b, workbook_set_properties(b->workbook, &properties));
}

static enum err from_xlsxwriter(lxw_error rc)
{
	switch ((int)rc) {
	case LXW_NO_ERROR: return ERR_OK;
	case LXW_ERROR_CREATING_TMPFILE:
	case LXW_ERROR_ZIP_FILE_OPERATION:
	case LXW_ERROR_CREATING_XLSX_FILE:
	case LXW_ERROR_ZIP_CLOSE:
	case LXW_ERROR_ZIP_FILE_ADD:
		return err_raise(errno == ENOSPC ? ERR_FULL : ERR_IO, "xlsx: %s", lxw_strerror(rc));
	default: return err_raise(ERR_INVAL, "xlsx: %s", lxw_strerror(rc));
	}
}

static enum err write_book(const char *path, const struct doc *doc)
{
	struct book b = {.workbook = workbook_new(path)};
	lxw_error rc;

	if (b.workbook == NULL)
		return err_raise(ERR_IO, "xlsx: no workbook");
	add_formats(&b);
	set_properties(&b, doc);
	for (size_t i = 0; i < doc->section_count; i++)
		put_section(&b, doc, &doc->sections[i]);
	put_quality(&b, doc);
	rc = workbook_close(b.workbook);
	return from_xlsxwriter(b.failed != LXW_NO_ERROR ? b.failed : rc);
}

static enum err read_back(int fd, struct buf *out)
{
	struct stat st;
	ssize_t got = 1;

	if (fstat(fd, &st) != 0)
		return err_raise(ERR_IO, "xlsx: %s", strerror(errno));
	for (off_t at = 0; at < st.st_size; at += got) {
		const size_t want = (size_t)(st.st_size - at);

		got = pread(fd, buf_reserve(out, want), want, at);
		if (got <= 0)
			return err_raise(ERR_IO, "xlsx: %s", strerror(errno));
		out->len += (size_t)got;
	}
	return ERR_OK;
}

/* The library writes to a path only: this one leads into memory. */
enum err report_print_xlsx(const struct doc *doc, struct buf *out)
{
	const int fd = memfd_create("report.xlsx", MFD_CLOEXEC);
	char path[64];
	enum err e;

	if (fd < 0)
		return err_raise(ERR_IO, "xlsx: %s", strerror(errno));
	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	e = write_book(path, doc);
	if (e == ERR_OK)
		e = read_back(fd, out);
	(void)close(fd);
	return e;
}
