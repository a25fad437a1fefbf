/* plain - the table and the CSV of printers.h. */
#include "common/report/printers.h"

#define STALE_SHOWN 6u

static struct value text_of(const char *text)
{
	return text != NULL ? value_text(bytes_str(text)) : VALUE_NONE;
}

/* ---- CSV: values as in JSON ---- */

enum csv_column {
	CSV_INDICATOR,
	CSV_INDICATOR_LABEL,
	CSV_CODE,
	CSV_LABEL,
	CSV_LABEL_EN,
	CSV_UNIT,
	CSV_FIGURES,
	CSV_COLUMNS = CSV_FIGURES + DOC_FIGURES
};

static const struct table_column csv_columns[CSV_COLUMNS] = {
	{.key = "indicator"}, {.key = "indicator_label"}, {.key = "code"},
	{.key = "label"},     {.key = "label_en"},        {.key = "unit"},
	{.key = "value"},     {.key = "numerator"},       {.key = "denominator"},
	{.key = "target"},    {.key = "persons"},         {.key = "person_times"},
};

static struct value number_of(struct arena *a, const json_t *figure)
{
	if (figure == NULL)
		return VALUE_NONE;
	if (json_is_integer(figure))
		return value_int(json_integer_value(figure));
	if (json_is_real(figure))
		return value_text(arena_printf(a, "%.15g", json_real_value(figure)));
	return text_of(json_string_value(figure));
}

static void add_csv_rows(struct arena *a, const struct doc_indicator *indicator, struct table *t)
{
	for (size_t i = 0; i < indicator->count; i++) {
		const struct doc_row *row = &indicator->rows[i];
		struct value cells[CSV_COLUMNS] = {
			[CSV_INDICATOR] = text_of(indicator->id),
			[CSV_INDICATOR_LABEL] = text_of(indicator->label),
			[CSV_CODE] = text_of(row->code),
			[CSV_LABEL] = text_of(row->label),
			[CSV_LABEL_EN] = text_of(row->label_en),
			[CSV_UNIT] = text_of(row->unit),
		};

		for (unsigned f = 0; f < DOC_FIGURES; f++)
			cells[CSV_FIGURES + f] = number_of(a, row->figures[f]);
		table_add(t, cells);
	}
}

void report_print_csv(const struct doc *doc, struct buf *out)
{
	static const struct table_style style = {0};
	AUTO(arena_clear) struct arena a = {0};
	AUTO(table_clear) struct table t;

	table_init(&t, csv_columns, CSV_COLUMNS);
	for (size_t s = 0; s < doc->section_count; s++) {
		for (size_t i = 0; i < doc->sections[s].count; i++)
			add_csv_rows(&a, &doc->sections[s].indicators[i], &t);
	}
	table_print(&t, TABLE_CSV, &style, out);
}

/* ---- the table: numbers as people write them ---- */

enum shown_column {
	SHOWN_INDICATOR,
	SHOWN_LABEL,
	SHOWN_FIGURES,
	SHOWN_COLUMNS = SHOWN_FIGURES + DOC_FIGURES
};

static const struct table_column shown_columns[SHOWN_COLUMNS] = {
	{"indicator", "Mã", "Id", TABLE_LEFT, TABLE_TEXT, true},
	{"label", "Nội dung", "Content", TABLE_LEFT, TABLE_TEXT, false},
	{"value", "Giá trị", "Value", TABLE_RIGHT, TABLE_TEXT, true},
	{"numerator", "Tử số", "Of", TABLE_RIGHT, TABLE_TEXT, true},
	{"denominator", "Mẫu số", "Among", TABLE_RIGHT, TABLE_TEXT, true},
	{"target", "Mục tiêu", "Target", TABLE_RIGHT, TABLE_TEXT, true},
	{"persons", "Người", "Persons", TABLE_RIGHT, TABLE_TEXT, true},
	{"person_times", "Lượt", "Times", TABLE_RIGHT, TABLE_TEXT, true},
};

static const struct value nothing = {.kind = VALUE_TEXT};

static struct value shown_figure(struct arena *a, const struct doc_indicator *indicator,
				 const struct doc_row *row, enum doc_figure figure)
{
	AUTO(buf_clear) struct buf text = {0};

	if (row->figures[figure] == NULL)
		return VALUE_NONE;
	doc_append_figure(&text, indicator, row, figure);
	return value_text(arena_copy(a, buf_bytes(&text)));
}

/* A line with the indicator's name over its rows: no figures, no dashes where they would be. */
static void add_indicator(struct arena *a, const struct doc_indicator *indicator, struct table *t)
{
	struct value title[SHOWN_COLUMNS];

	for (unsigned i = 0; i < SHOWN_COLUMNS; i++)
		title[i] = nothing;
	title[SHOWN_INDICATOR] = text_of(indicator->id);
	title[SHOWN_LABEL] = text_of(indicator->label);
	table_add(t, title);
	for (size_t i = 0; i < indicator->count; i++) {
		const struct doc_row *row = &indicator->rows[i];
		struct value cells[SHOWN_COLUMNS] = {
			[SHOWN_INDICATOR] = nothing, [SHOWN_LABEL] = text_of(row->label)};

		for (unsigned f = 0; f < DOC_FIGURES; f++)
			cells[SHOWN_FIGURES + f] =
				shown_figure(a, indicator, row, (enum doc_figure)f);
		table_add(t, cells);
	}
}

static void append_head(struct buf *out, const struct doc *doc)
{
	/* A list without names of provinces gives them their code for a name. */
	if (doc->unit_name != NULL && strcmp(doc->unit_name, doc->unit) != 0)
		buf_printf(out, "%s (%s), ", doc->unit_name, doc->unit);
	else
		buf_printf(out, "Đơn vị / unit %s, ", doc->unit);
	doc_append_date(out, doc->from);
	buf_append_str(out, " - ");
	doc_append_date(out, doc->to);
	buf_append_str(out, "\n\n");
}

/* How many, and the first of them: a province has a hundred. */
static void append_stale(struct buf *out, const struct doc *doc)
{
	buf_printf(out, "Xã chưa có số liệu mới / communes without recent data: %zu",
		   doc->stale_count);
	for (size_t i = 0; i < doc->stale_count && i < STALE_SHOWN; i++)
		buf_printf(out, "%s%s", i != 0 ? ", " : " (", doc->stale[i].code);
	if (doc->stale_count != 0)
		buf_append_str(out, doc->stale_count > STALE_SHOWN ? ", …)" : ")");
	buf_append_str(out, "\n");
}

/* Under the table: how far the figures can be trusted. */
static void append_foot(struct buf *out, const struct doc *doc)
{
	buf_append_str(out, "\nSố liệu đến / data as of: ");
	if (doc->as_of_at != NULL) {
		doc_append_time(out, doc->as_of_at);
		buf_append_str(out, ", ");
	}
	buf_printf(out, "số nhật ký / log number %lld\n", (long long)doc->as_of);
	append_stale(out, doc);
	buf_printf(out, "Thay đổi đang bị giữ lại / changes in quarantine: %lld\n",
		   (long long)doc->quarantined);
	if (doc->erased != 0)
		buf_printf(out,
			   "Hồ sơ đã xóa theo luật sau đó, không còn được tính / records erased by "
			   "law since, counted no more: %lld\n",
			   (long long)doc->erased);
}

void report_print_table(const struct doc *doc, const struct table_style *style, struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(table_clear) struct table t;

	table_init(&t, shown_columns, SHOWN_COLUMNS);
	for (size_t s = 0; s < doc->section_count; s++) {
		for (size_t i = 0; i < doc->sections[s].count; i++)
			add_indicator(&a, &doc->sections[s].indicators[i], &t);
	}
	append_head(out, doc);
	table_print(&t, TABLE_TABLE, style, out);
	append_foot(out, doc);
}
