/* cmd_erase - law's erasure of a record. */
#define LOG_TAG "cmd"

#include <time.h>

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))

#define LOOK_MS    200
#define LOOKS_MOST 300 /* a minute: then the daemon goes on alone */

static const struct listing_column columns[] = {
	{"records", "Hồ sơ", "Records", LISTING_TEXT, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
	{"changesets", "Gói thay đổi đã cắt nội dung", "Change-sets cut", LISTING_TEXT, false},
	{"changes", "Thay đổi đã cắt nội dung", "Changes cut", LISTING_TEXT, false},
	{"audits", "Dòng vết đã xóa chi tiết", "Audit details erased", LISTING_TEXT, false},
	{"pointing", "Hồ sơ còn trỏ tới", "Records that still point at it", LISTING_FIELDS, false},
	{"swept", "Tệp dữ liệu đã dọn sạch", "Store's file swept", LISTING_TEXT, false},
	{"in_backups_until", "Bản sao lưu còn giữ đến, chậm nhất",
	 "In backups until, at the latest", LISTING_TIME, false},
};

static int wait_for_sweep(const struct ctl *ctl, bool *ret_is_swept)
{
	const struct timespec pause = {0, LOOK_MS * 1000000L};
	int code = ARGS_EXIT_DONE;

	*ret_is_swept = false;
	for (unsigned i = 0; i < LOOKS_MOST && !*ret_is_swept; i++) {
		JSON_AUTO json_t *state = NULL;

		code = ctl_call(ctl, "erase state", NULL, CTL_TIMEOUT_MS, &state);
		if (state == NULL)
			return code;
		*ret_is_swept = json_is_true(json_object_get(state, "swept"));
		if (!*ret_is_swept)
			(void)nanosleep(&pause, NULL);
	}
	return code;
}

static void warn(const json_t *result, bool is_swept, int code)
{
	size_t pointing = json_array_size(json_object_get(result, "pointing"));

	if (pointing != 0)
		ctl_complain(
			"còn %zu hồ sơ trỏ tới, không bị xóa; --with-events xóa cả các lần ghi "
			"nhận; hồ sơ khác thì xóa từng cái / %zu records still point at it and "
			"were kept; --with-events takes the events too, others are erased one "
			"by one",
			pointing, pointing);
	if (code == ARGS_EXIT_PARTIAL)
		ctl_complain(
			"trong đó có hồ sơ trùng đã gộp của cùng một người: chưa xóa hết / among "
			"them is a double of the same person, joined to it: not all is erased");
	if (!is_swept)
		ctl_complain(
			"ctxhd chưa dọn xong tệp dữ liệu (đang sao lưu, hoặc đĩa đầy); nó sẽ tự "
			"làm tiếp / ctxhd has not swept its file yet (a backup is running, or "
			"the disk is full); it goes on by itself");
}

int cmd_erase(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	json_t *call;
	bool is_dry = args_has(args, "dry-run");
	bool is_swept = true;
	int swept_code = ARGS_EXIT_DONE;
	int code;

	if (!args_has(args, "why") || !args_has(args, "basis"))
		return ctl_usage(args, "cần --why (vì sao) và --basis (căn cứ pháp luật)",
				 "--why and --basis (the law's words) are wanted");
	call = json_object();
	json_object_set_new(call, "record", json_string(args->positionals[0]));
	ctl_put_option(call, args, "why", "why");
	ctl_put_option(call, args, "basis", "basis");
	json_object_set_new(call, "with_events", json_boolean(args_has(args, "with-events")));
	json_object_set_new(call, "dry_run", json_boolean(is_dry));
	code = ctl_call(ctl, "erase", call, CTL_NO_LIMIT, &result);
	if (result == NULL)
		return code;
	if (!is_dry) {
		swept_code = wait_for_sweep(ctl, &is_swept);
		json_object_set_new(result, "swept", json_boolean(is_swept));
	}
	listing_print_object(ctl, columns, COUNT(columns), result, &out);
	warn(result, is_swept, code);
	if (swept_code != ARGS_EXIT_DONE)
		return swept_code;
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
