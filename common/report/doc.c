#define LOG_TAG "report"

#include "common/report/doc.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/report/figures.h"

#define VIETNAM_MS (INT64_C(7) * 3600000)

const char *const doc_figure_keys[DOC_FIGURES] = {
	[DOC_VALUE] = "value",   [DOC_NUMERATOR] = "numerator", [DOC_DENOMINATOR] = "denominator",
	[DOC_TARGET] = "target", [DOC_PERSONS] = "persons",     [DOC_PERSON_TIMES] = "person_times",
};

/* The contents of the programme's yearly report, and what stands around them. */
static const struct doc_section titles[] = {
	{"programme", "Mục tiêu của chương trình", "Targets of the programme", "Mục tiêu", NULL, 0},
	{"communication", "Nội dung 1. Truyền thông, nâng cao nhận thức",
	 "Content 1. Communication and awareness", "1. Truyền thông", NULL, 0},
	{"network", "Nội dung 2. Phát triển mạng lưới và nâng cao năng lực",
	 "Content 2. Network and capacity", "2. Mạng lưới, năng lực", NULL, 0},
	{"intervention", "Nội dung 3. Can thiệp, trợ giúp đối tượng",
	 "Content 3. Intervention and help", "3. Can thiệp, trợ giúp", NULL, 0},
	{"money", "Kinh phí", "Funds", "Kinh phí", NULL, 0},
	{"oversight", "Chỉ đạo, kiểm tra, giám sát", "Direction and oversight", "Chỉ đạo, kiểm tra",
	 NULL, 0},
};
static const struct doc_section title_of_others = {
	NULL, "Chỉ tiêu khác", "Other indicators", "Khác", NULL, 0};

static const char *text_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const struct doc_section *title_of(const char *section)
{
	for (size_t i = 0; section != NULL && i < sizeof titles / sizeof titles[0]; i++) {
		if (strcmp(titles[i].id, section) == 0)
			return &titles[i];
	}
	return &title_of_others;
}

const char *doc_section_name(const char *id)
{
	return title_of(id)->name;
}

/* Figures in đồng say so in the label of the row or of the indicator. */
static bool says_dong(const char *label)
{
	return label != NULL && strstr(label, "(đồng)") != NULL;
}

void doc_read_labels(const json_t *row, struct doc_row *ret_row)
{
	*ret_row = (struct doc_row){
		.code = text_at(row, "code"),
		.label = text_at(row, "label"),
		.label_en = text_at(row, "label_en"),
		.unit = text_at(row, "unit"),
		.is_money = says_dong(text_at(row, "label")) ||
			    says_dong(text_at(row, "indicator_label")),
	};
}

static void read_row(const json_t *from, struct doc_row *to)
{
	doc_read_labels(from, to);
	for (size_t i = 0; i < DOC_FIGURES; i++) {
		const json_t *figure = json_object_get(from, doc_figure_keys[i]);

		if (json_is_number(figure) || json_is_string(figure))
			to->figures[i] = figure;
	}
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Where the row's indicator begins or goes on; each has room for every row that may come. */
static struct doc_indicator *indicator_for(struct doc_section *section, const json_t *row)
{
	const char *id = text_at(row, "indicator");
	struct doc_indicator *last =
		section->count != 0 ? &section->indicators[section->count - 1] : NULL;

	if (last != NULL && is_same(last->id, id))
		return last;
	INVARIANT(section->indicators != NULL);
	last = &section->indicators[section->count++];
	*last = (struct doc_indicator){
		.id = id,
		.label = text_at(row, "indicator_label"),
		.label_en = text_at(row, "indicator_label_en"),
		.source = text_at(row, "source"),
		.is_percent = json_is_true(json_object_get(row, "percent")),
	};
	return last;
}

static struct doc_section *section_for(struct doc *doc, const json_t *row)
{
	const struct doc_section *title = title_of(text_at(row, "section"));

	for (size_t i = 0; i < doc->section_count; i++) {
		if (doc->sections[i].title == title->title)
			return &doc->sections[i];
	}
	doc->sections[doc->section_count] = *title;
	return &doc->sections[doc->section_count++];
}

/*
 * Two walks: the first counts what each section gets, so that its indicators and their rows are
 * arrays of the right length.
 */
static void read_rows(struct arena *a, const json_t *rows, struct doc *doc)
{
	const size_t count = json_array_size(rows);
	struct doc_row *all = arena_alloc_array(a, count, sizeof *all);
	size_t used = 0;

	doc->sections =
		arena_alloc_array(a, sizeof titles / sizeof titles[0] + 1, sizeof *doc->sections);
	for (size_t i = 0; i < count; i++)
		(void)section_for(doc, json_array_get(rows, i));
	for (size_t s = 0; s < doc->section_count; s++) {
		struct doc_section *section = &doc->sections[s];

		section->indicators = arena_alloc_array(a, count, sizeof *section->indicators);
		for (size_t i = 0; i < count; i++) {
			const json_t *row = json_array_get(rows, i);
			struct doc_indicator *indicator;

			if (section_for(doc, row) != section)
				continue;
			indicator = indicator_for(section, row);
			if (indicator->count == 0)
				indicator->rows = &all[used];
			read_row(row, &indicator->rows[indicator->count++]);
			used++;
		}
	}
}

static void read_stale(struct arena *a, const json_t *stale, struct doc *doc)
{
	const size_t count = json_array_size(stale);

	doc->stale = arena_alloc_array(a, count, sizeof *doc->stale);
	doc->stale_count = count;
	for (size_t i = 0; i < count; i++) {
		const json_t *commune = json_array_get(stale, i);

		doc->stale[i] =
			(struct doc_commune){.code = text_at(commune, "code"),
					     .name = text_at(commune, "name"),
					     .last_contact = text_at(commune, "last_contact")};
	}
}

enum err doc_read(struct arena *a, const json_t *report, struct doc *ret_doc)
{
	struct doc doc = {
		.title = text_at(report, "label"),
		.title_en = text_at(report, "label_en"),
		.unit = text_at(report, "unit"),
		.unit_name = text_at(report, "unit_name"),
		.from = text_at(report, "from"),
		.to = text_at(report, "to"),
		.on = text_at(report, "on"),
		.as_of = json_integer_value(json_object_get(report, "as_of")),
		.as_of_at = text_at(report, "as_of_at"),
		.communes = json_integer_value(json_object_get(report, "communes")),
		.quarantined = json_integer_value(json_object_get(report, "quarantined")),
		.erased = json_integer_value(json_object_get(report, "erased")),
		.is_past = json_is_true(json_object_get(report, "past")),
		.schema = text_at(report, "schema"),
	};
	const json_t *rows = json_object_get(report, "rows");

	if (!json_is_array(rows) || doc.unit == NULL || doc.from == NULL || doc.to == NULL)
		return err_raise(ERR_INVAL, "this is no report");
	if (doc.title == NULL)
		doc.title = "Báo cáo";
	read_rows(a, rows, &doc);
	read_stale(a, json_object_get(report, "stale"), &doc);
	*ret_doc = doc;
	return ERR_OK;
}

/* ---- figures ---- */

void doc_append_figure(struct buf *out, const struct doc_indicator *indicator,
		       const struct doc_row *row, enum doc_figure figure)
{
	const json_t *j = row->figures[figure];
	const bool is_amount = figure == DOC_VALUE || figure == DOC_TARGET;

	if (json_is_string(j)) {
		buf_append_str(out, json_string_value(j));
		return;
	}
	if (json_is_integer(j) && is_amount && row->is_money)
		figures_append_money(out, json_integer_value(j));
	else if (json_is_integer(j))
		figures_append_integer(out, json_integer_value(j));
	else if (json_is_real(j))
		figures_append_decimal(out, json_real_value(j), 1);
	if (json_is_number(j) && indicator->is_percent && is_amount)
		buf_append_str(out, " %");
}

void doc_append_date(struct buf *out, const char *date)
{
	if (date != NULL && strlen(date) == 10)
		buf_printf(out, "%.2s/%.2s/%.4s", date + 8, date + 5, date);
	else
		buf_append_str(out, date != NULL ? date : "");
}

void doc_append_time(struct buf *out, const char *iso)
{
	char local[CLOCK_ISO_LEN];
	int64_t ms;

	if (iso == NULL || clock_parse_iso(iso, strlen(iso), &ms) != ERR_OK) {
		buf_append_str(out, iso != NULL ? iso : "");
		return;
	}
	clock_print_iso(ms + VIETNAM_MS, local);
	buf_printf(out, "%.2s/%.2s/%.4s %.5s", local + 8, local + 5, local, local + 11);
}
