/* cmd_report - indicators and the yearly report. */
#define LOG_TAG "cmd"

#include <unistd.h>

#include "admin/commands.h"
#include "admin/listing.h"
#include "admin/report_args.h"
#include "common/report/doc.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))

static const struct listing_column list_columns[] = {
	{"id", "Mã", "Id", LISTING_WORD, false},
	{"label", "Chỉ tiêu", "Indicator", LISTING_TEXT, false},
	{"section", "Phần", "Section", LISTING_TEXT, false},
	{"source", NULL, NULL, LISTING_TEXT, true},
	{"restricted", "Hạn chế", "Restricted", LISTING_TEXT, false},
	{"label_en", NULL, NULL, LISTING_TEXT, true},
	{"percent", NULL, NULL, LISTING_TEXT, true},
};

int cmd_report_list(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *rows = NULL;
	int code = ctl_call(ctl, "report list", NULL, CTL_TIMEOUT_MS, &rows);

	(void)args;
	if (rows == NULL)
		return code;
	for (size_t i = 0; ctl->format == TABLE_TABLE && i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		const char *section = json_string_value(json_object_get(row, "section"));

		if (section != NULL)
			json_object_set_new(row, "section", json_string(doc_section_name(section)));
	}
	listing_print(ctl, list_columns, COUNT(list_columns), rows, &out);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

int report_args_format(const struct ctl *ctl, const struct args *args,
		       enum report_format *ret_format)
{
	const char *output = args_value(args, "output", NULL);
	enum report_format format;

	if (report_format_parse(bytes_str(ctl->format_name), &format) != ERR_OK)
		return ctl_usage(args, "--format là table, json, csv, xlsx hoặc html",
				 "--format is table, json, csv, xlsx or html");
	if (report_format_is_binary(format) && output == NULL && isatty(STDOUT_FILENO) == 1)
		return ctl_usage(args, "xlsx không in ra màn hình được; hãy thêm -o FILE",
				 "xlsx is not for a terminal; add -o FILE");
	*ret_format = format;
	return ARGS_EXIT_DONE;
}

int report_args_request(const struct args *args, json_t **ret_request)
{
	static const char *const required[] = {"unit", "from", "to"};
	json_t *request;
	int code;

	for (size_t i = 0; i < COUNT(required); i++) {
		if (!args_has(args, required[i]))
			return ctl_usage(args, "cần --unit, --from và --to",
					 "--unit, --from and --to are needed");
	}
	request = json_object();
	code = ctl_put_number(request, args, "at", 1, INT64_MAX);
	if (code != ARGS_EXIT_DONE) {
		json_decref(request);
		return code;
	}
	json_object_set_new(request, "id", json_string(args_positional(args, 0)));
	for (size_t i = 0; i < COUNT(required); i++)
		ctl_put_option(request, args, required[i], required[i]);
	ctl_put_option(request, args, "on", "on");
	*ret_request = request;
	return ARGS_EXIT_DONE;
}

static int print(const struct ctl *ctl, const struct args *args, const json_t *report,
		 enum report_format format)
{
	const char *output = args_value(args, "output", NULL);
	AUTO(buf_clear) struct buf out = {0};

	/* A file is no terminal: nothing is cut to a width there. */
	if (report_print(report, format, output == NULL ? &ctl->style : NULL, &out) == ERR_OK)
		return ctl_write(output, &out);
	ctl_complain("ctxhd trả lời báo cáo mà không in được thành %s; hãy thử --format json / "
		     "the daemon's report cannot be printed as %s; try --format json",
		     report_format_name(format), report_format_name(format));
	return ARGS_EXIT_FAILED;
}

int cmd_report_run(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	JSON_AUTO json_t *report = NULL;
	json_t *request = NULL;
	enum report_format format = REPORT_TABLE;
	int code = report_args_format(ctl, args, &format);

	if (code == ARGS_EXIT_DONE)
		code = report_args_request(args, &request);
	if (code != ARGS_EXIT_DONE)
		return code;
	code = ctl_call(ctl, "report run", request, CTL_NO_LIMIT, &report);
	if (report == NULL)
		return code;
	return print(ctl, args, report, format) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
