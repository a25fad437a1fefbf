/* cmd_alert - the daily alert: as it would go out now, sent at once, tried. */
#define LOG_TAG "cmd"

#include <string.h>

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))

static const struct listing_column item_columns[] = {
	{"kind", "Loại", "Kind", LISTING_WORD, false},
	{"label", "Việc", "What", LISTING_TEXT, false},
	{"label_en", NULL, NULL, LISTING_TEXT, true},
	{"urgent", "Khẩn", "Urgent", LISTING_TEXT, false},
	{"count", "Số", "Count", LISTING_NUMBER, false},
	{"oldest", "Lâu nhất từ", "Oldest", LISTING_MINUTE, false},
	{"detail", NULL, NULL, LISTING_TEXT, true},
	{"advice", "Làm gì", "What to do", LISTING_TEXT, false},
};

static const struct listing_column way_columns[] = {
	{"way", "Đường gửi", "Way", LISTING_WORD, false},
	{"on", "Đang dùng", "On", LISTING_TEXT, false},
	{"asked", "Vừa gửi", "Just now", LISTING_WORD, false},
	{"day", "Bản tin ngày", "Alert of", LISTING_DATE, false},
	{"at", "Đã gửi lúc", "Sent at", LISTING_TIME, false},
	{"tries", "Lần hỏng", "Failed", LISTING_NUMBER, false},
	{"error", "Lỗi", "Error", LISTING_TEXT, false},
};

int cmd_alert_show(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	int code = ctl_call(ctl, "alert show", NULL, CTL_TIMEOUT_MS, &result);

	(void)args;
	if (result == NULL)
		return code;
	if (ctl->format == TABLE_JSON) {
		ctl_append_json(&out, result);
	} else if (ctl->format == TABLE_CSV) {
		listing_print(ctl, item_columns, COUNT(item_columns),
			      json_object_get(result, "items"), &out);
	} else {
		buf_append_str(&out, json_string_value(json_object_get(result, "text")));
		buf_append_str(&out, "\nĐường gửi / Ways\n");
		listing_print(ctl, way_columns, COUNT(way_columns), json_object_get(result, "ways"),
			      &out);
	}
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static bool is_result(const json_t *way, const char *result)
{
	const char *text = json_string_value(json_object_get(way, "asked"));

	return text != NULL && strcmp(text, result) == 0;
}

/* All went out: 0; some: 4; none: 1. */
static int judge(const json_t *ways)
{
	bool is_any_sent = false;
	bool is_any_failed = false;

	for (size_t i = 0; i < json_array_size(ways); i++) {
		const json_t *way = json_array_get(ways, i);

		is_any_sent = is_any_sent || is_result(way, "sent");
		is_any_failed = is_any_failed || is_result(way, "failed");
	}
	if (is_any_failed || !is_any_sent)
		ctl_complain("có đường không gửi được; sẽ không tự gửi lại; xem cột lỗi và cấu "
			     "hình alert.* / not every way worked; this one is not tried again by "
			     "itself; see the errors and alert.* in the configuration");
	if (!is_any_sent)
		return ARGS_EXIT_FAILED;
	return is_any_failed ? ARGS_EXIT_PARTIAL : ARGS_EXIT_DONE;
}

static int ask(const struct ctl *ctl, const char *command)
{
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *begun = NULL;
	JSON_AUTO json_t *state = NULL;
	const json_t *ways;
	int code = ctl_call(ctl, command, NULL, CTL_TIMEOUT_MS, &begun);

	if (begun == NULL)
		return code;
	if (number_of(begun, "run") == 0) {
		ctl_complain("quá nhiều bản tin đang chờ gửi; hãy thử lại / too many wait to be "
			     "sent; try again");
		return ARGS_EXIT_UNREACHABLE;
	}
	code = ctl_wait_for(ctl, "alert state", begun, NULL, &state);
	if (state == NULL)
		return code;
	ways = json_object_get(state, "ways");
	listing_print(ctl, way_columns, COUNT(way_columns), ways, &out);
	code = judge(ways);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

int cmd_alert_send(void *context, const struct args *args)
{
	(void)args;
	return ask(context, "alert send");
}

int cmd_alert_test(void *context, const struct args *args)
{
	(void)args;
	return ask(context, "alert test");
}
