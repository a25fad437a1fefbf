/* cmd_report - indicators and the yearly report. */
#define LOG_TAG "cmd"

#include <string.h>

#include "admin/commands.h"
#include "common/report/figures.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))
#define STALE_SHOWN  10u

static const struct listing_column list_columns[] = {
	{"id", "Mã", "Id", LISTING_WORD, false},
	{"label", "Chỉ tiêu", "Indicator", LISTING_TEXT, false},
	{"section", "Phần", "Section", LISTING_TEXT, false},
	{"source", NULL, NULL, LISTING_TEXT, true},
	{"restricted", "Hạn chế", "Restricted", LISTING_TEXT, false},
	{"label_en", NULL, NULL, LISTING_TEXT, true},
	{"percent", NULL, NULL, LISTING_TEXT, true},
};

/* Of the table and of CSV; JSON is as the daemon gives it. */
static const struct listing_column row_columns[] = {
	{"indicator", "Mã", "Id", LISTING_WORD, false},
	{"indicator_label", NULL, NULL, LISTING_TEXT, true},
	{"code", NULL, NULL, LISTING_TEXT, true},
	{"label", "Nội dung", "Content", LISTING_TEXT, false},
	{"label_en", NULL, NULL, LISTING_TEXT, true},
	{"unit", "Đơn vị", "Unit", LISTING_TEXT, true},
	{"value", "Giá trị", "Value", LISTING_NUMBER, false},
	{"numerator", "Tử số", "Of", LISTING_NUMBER, false},
	{"denominator", "Mẫu số", "Among", LISTING_NUMBER, false},
	{"target", "Mục tiêu", "Target", LISTING_NUMBER, false},
	{"persons", "Người", "Persons", LISTING_NUMBER, false},
	{"person_times", "Lượt", "Times", LISTING_NUMBER, false},
};

int cmd_report_list(void *context, const struct args *args)
{
	(void)args;
	return listing_ask(context, "report list", NULL, list_columns, COUNT(list_columns));
}

/* Figures in đồng say so in the label of the row or of the indicator. */
static bool is_money(const json_t *row)
{
	const char *indicator = json_string_value(json_object_get(row, "indicator_label"));
	const char *label = json_string_value(json_object_get(row, "label"));

	return (indicator != NULL && strstr(indicator, "(đồng)") != NULL) ||
	       (label != NULL && strstr(label, "(đồng)") != NULL);
}

static void append_number(struct buf *out, const json_t *figure, bool is_money_figure)
{
	if (json_is_integer(figure) && is_money_figure)
		figures_append_money(out, json_integer_value(figure));
	else if (json_is_integer(figure))
		figures_append_integer(out, json_integer_value(figure));
	else
		figures_append_decimal(out, json_real_value(figure), 1);
}

/* As people write it; what was suppressed ("<5") stays as it is. */
static void mend_figure(json_t *row, const char *key, bool is_percent)
{
	AUTO(buf_clear) struct buf text = {0};
	const json_t *figure = json_object_get(row, key);
	const bool is_amount = strcmp(key, "value") == 0 || strcmp(key, "target") == 0;

	if (!json_is_number(figure))
		return;
	append_number(&text, figure, is_amount && is_money(row));
	if (is_percent && is_amount)
		buf_append_str(&text, " %");
	json_object_set_new(row, key, json_string(buf_cstr(&text)));
}

static const char *const figure_keys[] = {"value",  "numerator", "denominator",
					  "target", "persons",   "person_times"};

static void mend_row(json_t *row)
{
	for (size_t i = 0; i < COUNT(figure_keys); i++)
		mend_figure(row, figure_keys[i], json_is_true(json_object_get(row, "percent")));
}

/* No figures, and no dashes where figures would be. */
static json_t *title_row(const char *indicator, json_t *label)
{
	json_t *row = json_pack("{s:s, s:O?}", "indicator", indicator, "label", label);

	for (size_t i = 0; i < COUNT(figure_keys); i++)
		json_object_set_new(row, figure_keys[i], json_string(""));
	return row;
}

/* A line with the indicator's name over its rows. */
static json_t *for_people(const json_t *rows)
{
	json_t *shown = json_array();
	const char *last = "";

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *source = json_array_get(rows, i);
		const char *indicator = json_string_value(json_object_get(source, "indicator"));
		json_t *row = json_deep_copy(source);

		if (indicator != NULL && strcmp(indicator, last) != 0) {
			last = indicator;
			json_array_append_new(
				shown,
				title_row(indicator, json_object_get(source, "indicator_label")));
		}
		json_object_set_new(row, "indicator", json_string(""));
		mend_row(row);
		json_array_append_new(shown, row);
	}
	return shown;
}

/* The first of them: a province has a hundred. */
static void append_stale(struct buf *out, const json_t *stale)
{
	size_t count = json_array_size(stale);

	if (count == 0)
		return;
	buf_append_str(out, "Xã chưa có số liệu mới / communes without recent data: ");
	for (size_t i = 0; i < count && i < STALE_SHOWN; i++) {
		buf_append_str(out, i != 0 ? ", " : "");
		listing_append_value(out, json_array_get(stale, i), LISTING_TEXT);
	}
	if (count > STALE_SHOWN)
		buf_printf(out, "… (đủ cả: --format json / all of them: --format json)");
	buf_append_str(out, "\n");
}

/* Under the table: how far the figures can be trusted. */
static void append_foot(struct buf *out, const json_t *report)
{
	const json_t *stale = json_object_get(report, "stale_units");

	buf_printf(
		out,
		"\nSố liệu đến số nhật ký %lld; %zu xã chưa có số liệu mới; %lld thay đổi đang bị "
		"giữ lại\nAs of log number %lld; %zu communes without recent data; %lld changes in "
		"quarantine\n",
		json_integer_value(json_object_get(report, "as_of")), json_array_size(stale),
		json_integer_value(json_object_get(report, "quarantined")),
		json_integer_value(json_object_get(report, "as_of")), json_array_size(stale),
		json_integer_value(json_object_get(report, "quarantined")));
	append_stale(out, stale);
}

static void append_head(struct buf *out, const json_t *report)
{
	const char *name = json_string_value(json_object_get(report, "unit_name"));
	const char *code = json_string_value(json_object_get(report, "unit"));

	/* A list without names of provinces gives them their code for a name. */
	if (name != NULL && strcmp(name, code) != 0)
		buf_printf(out, "%s (%s), ", name, code);
	else
		buf_printf(out, "Đơn vị / unit %s, ", code);
	listing_append_value(out, json_object_get(report, "from"), LISTING_DATE);
	buf_append_str(out, " - ");
	listing_append_value(out, json_object_get(report, "to"), LISTING_DATE);
	buf_append_str(out, "\n\n");
}

static void print_report(const struct ctl *ctl, const json_t *report, struct buf *out)
{
	const json_t *rows = json_object_get(report, "rows");
	JSON_AUTO json_t *shown = NULL;

	switch (ctl->format) {
	case TABLE_JSON: ctl_append_json(out, report); return;
	case TABLE_CSV: listing_print(ctl, row_columns, COUNT(row_columns), rows, out); return;
	case TABLE_TABLE: break;
	}
	shown = for_people(rows);
	append_head(out, report);
	listing_print(ctl, row_columns, COUNT(row_columns), shown, out);
	append_foot(out, report);
}

int cmd_report_run(void *context, const struct args *args)
{
	static const char *const required[] = {"unit", "from", "to"};
	struct ctl ctl = *(const struct ctl *)context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *report = NULL;
	json_t *call;
	int code;

	for (size_t i = 0; i < COUNT(required); i++) {
		if (!args_has(args, required[i]))
			return ctl_usage(args, "cần --unit, --from và --to",
					 "--unit, --from and --to are needed");
	}
	call = json_object();
	json_object_set_new(call, "id", json_string(args_positional(args, 0)));
	for (size_t i = 0; i < COUNT(required); i++)
		ctl_put_option(call, args, required[i], required[i]);
	ctl_put_option(call, args, "on", "on");
	code = ctl_call(&ctl, "report run", call, CTL_NO_LIMIT, &report);
	if (report == NULL)
		return code;
	/* A file is no terminal: nothing is cut to a width there. */
	if (args_has(args, "output"))
		ctl.style = (struct table_style){0};
	print_report(&ctl, report, &out);
	return ctl_write(args_value(args, "output", NULL), &out) == ARGS_EXIT_DONE
		       ? code
		       : ARGS_EXIT_FAILED;
}
