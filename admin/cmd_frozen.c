/* cmd_frozen - frozen reports: made, listed, printed again, compared with now. */
#define LOG_TAG "cmd"

#include <string.h>

#include "admin/commands.h"
#include "admin/listing.h"
#include "admin/report_args.h"
#include "common/base/id.h"
#include "common/report/doc.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))

static const struct listing_column frozen_columns[] = {
	{"frozen", "Số", "Number", LISTING_NUMBER, false},
	{"id", "Báo cáo", "Report", LISTING_WORD, false},
	{"unit", "Đơn vị", "Unit", LISTING_WORD, false},
	{"unit_name", "Tên", "Name", LISTING_TEXT, false},
	{"from", "Từ", "From", LISTING_DATE, false},
	{"to", "Đến", "To", LISTING_DATE, false},
	{"on", "Mã hiểu ngày", "Code read on", LISTING_DATE, true},
	{"log", "Nhật ký", "Log", LISTING_NUMBER, false},
	{"at", "Chốt lúc", "Frozen at", LISTING_MINUTE, false},
	{"who", "Ai chốt", "By", LISTING_TEXT, true},
	{"hash", "Mã băm", "Hash", LISTING_WHOLE_ID, true},
};

static const struct listing_column unit_columns[] = {
	{"unit", "Mã", "Code", LISTING_WORD, false},
	{"name", "Đơn vị", "Unit", LISTING_TEXT, false},
	{"records", "Hồ sơ", "Records", LISTING_NUMBER, false},
	{"changes", "Thay đổi", "Changes", LISTING_NUMBER, false},
	{"left", "Chuyển đi", "Left", LISTING_NUMBER, false},
	{"erased", "Xóa theo luật", "Erased", LISTING_NUMBER, false},
	{"first_log", "Từ số", "From log", LISTING_NUMBER, false},
	{"last_log", "Đến số", "To log", LISTING_NUMBER, false},
};

static const struct listing_column figure_columns[] = {
	{"indicator", "Mã", "Id", LISTING_WORD, false},
	{"indicator_label", NULL, NULL, LISTING_TEXT, true},
	{"code", NULL, NULL, LISTING_TEXT, true},
	{"label", "Nội dung", "Content", LISTING_TEXT, false},
	{"label_en", NULL, NULL, LISTING_TEXT, true},
	{"unit", "Đơn vị", "Unit", LISTING_TEXT, true},
	{"figure", "Số liệu", "Figure", LISTING_TEXT, false},
	{"old", "Khi chốt", "Frozen", LISTING_TEXT, false},
	{"new", "Nay", "Now", LISTING_TEXT, false},
};

int cmd_report_freeze(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *frozen = NULL;
	json_t *request = NULL;
	int code = report_args_request(args, &request);

	if (code != ARGS_EXIT_DONE)
		return code;
	code = ctl_call(ctl, "report freeze", request, CTL_NO_LIMIT, &frozen);
	if (frozen == NULL)
		return code;
	listing_print_object(ctl, frozen_columns, COUNT(frozen_columns), frozen, &out);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

int cmd_report_frozen(void *context, const struct args *args)
{
	(void)args;
	return listing_ask(context, "report frozen", NULL, frozen_columns, COUNT(frozen_columns));
}

/* ---- print ---- */

static bool take_body(const json_t *printed, struct buf *out)
{
	const json_t *hex = json_object_get(printed, "body");
	const size_t len = json_string_length(hex) / 2;

	if (!json_is_string(hex) ||
	    hex_parse(bytes_str(json_string_value(hex)), buf_reserve(out, len), len) != ERR_OK)
		return false;
	out->len += len;
	return true;
}

int cmd_report_print(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *printed = NULL;
	enum report_format format = REPORT_TABLE;
	json_t *request;
	int code = report_args_format(ctl, args, &format);

	if (code != ARGS_EXIT_DONE)
		return code;
	request = json_object();
	code = ctl_put_positional_number(request, args, 0, "frozen");
	if (code != ARGS_EXIT_DONE) {
		json_decref(request);
		return code;
	}
	json_object_set_new(request, "format", json_string(report_format_name(format)));
	code = ctl_call(ctl, "report print", request, CTL_TIMEOUT_MS, &printed);
	if (printed == NULL)
		return code;
	if (!take_body(printed, &out)) {
		ctl_complain("trả lời của ctxhd không đọc được; hãy kiểm tra phiên bản / the "
			     "daemon's answer cannot be read; check the version");
		return ARGS_EXIT_FAILED;
	}
	return ctl_write(args_value(args, "output", NULL), &out) == ARGS_EXIT_DONE
		       ? code
		       : ARGS_EXIT_FAILED;
}

/* ---- late ---- */

static const char *figure_name(const char *key)
{
	static const char *const names[DOC_FIGURES] = {
		[DOC_VALUE] = "giá trị",      [DOC_NUMERATOR] = "tử số",
		[DOC_DENOMINATOR] = "mẫu số", [DOC_TARGET] = "mục tiêu",
		[DOC_PERSONS] = "số người",   [DOC_PERSON_TIMES] = "số lượt",
	};

	for (unsigned i = 0; key != NULL && i < DOC_FIGURES; i++) {
		if (strcmp(key, doc_figure_keys[i]) == 0)
			return names[i];
	}
	return key;
}

/* A figure as people write it, in the place of the number. */
static void mend_figure(json_t *row, const char *key)
{
	AUTO(buf_clear) struct buf text = {0};
	const char *name = json_string_value(json_object_get(row, "figure"));
	enum doc_figure figure = DOC_VALUE;
	struct doc_row shown;
	const struct doc_indicator indicator = {
		.is_percent = json_is_true(json_object_get(row, "percent"))};

	doc_read_labels(row, &shown);
	if (name != NULL && strcmp(name, doc_figure_keys[DOC_TARGET]) == 0)
		figure = DOC_TARGET;
	else if (name != NULL && strcmp(name, doc_figure_keys[DOC_VALUE]) != 0)
		figure = DOC_PERSONS;
	shown.figures[figure] = json_object_get(row, key);
	doc_append_figure(&text, &indicator, &shown, figure);
	json_object_set_new(row, key, json_string(text.len != 0 ? buf_cstr(&text) : "-"));
}

static json_t *for_people(const json_t *figures)
{
	json_t *shown = json_deep_copy(figures);

	for (size_t i = 0; i < json_array_size(shown); i++) {
		json_t *row = json_array_get(shown, i);
		const char *name = json_string_value(json_object_get(row, "figure"));

		mend_figure(row, "old");
		mend_figure(row, "new");
		json_object_set_new(row, "figure", json_string(figure_name(name)));
	}
	return shown;
}

static void print_late(const struct ctl *ctl, const json_t *late, struct buf *out)
{
	JSON_AUTO json_t *shown = for_people(json_object_get(late, "figures"));
	const long long log = json_integer_value(json_object_get(late, "log"));
	const long long now = json_integer_value(json_object_get(late, "as_of"));

	buf_printf(
		out,
		"Chốt ở số nhật ký %lld, nay đến số %lld.\nFrozen at log number %lld, now %lld.\n",
		log, now, log, now);
	if (json_is_true(json_object_get(late, "schema_changed")))
		buf_append_str(out,
			       "Cách tính (lược đồ) đã đổi từ khi chốt: số liệu khác có thể vì "
			       "vậy.\nThe schema has changed since: figures may differ for "
			       "that.\n");
	buf_append_str(out, "\nĐến sau / came later:\n");
	listing_print(ctl, unit_columns, COUNT(unit_columns), json_object_get(late, "units"), out);
	buf_append_str(out, "\nSố liệu nay khác / figures that differ now:\n");
	listing_print(ctl, figure_columns, COUNT(figure_columns), shown, out);
}

int cmd_report_late(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *late = NULL;
	json_t *request = json_object();
	int code = ctl_put_positional_number(request, args, 0, "frozen");

	if (code != ARGS_EXIT_DONE) {
		json_decref(request);
		return code;
	}
	code = ctl_call(ctl, "report late", request, CTL_NO_LIMIT, &late);
	if (late == NULL)
		return code;
	switch (ctl->format) {
	case TABLE_JSON: ctl_append_json(&out, late); break;
	case TABLE_CSV:
		listing_print(ctl, figure_columns, COUNT(figure_columns),
			      json_object_get(late, "figures"), &out);
		break;
	case TABLE_TABLE: print_late(ctl, late, &out); break;
	}
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
