/* cmd_bundle - `ctxhctl bundle in`: what a commune sent by hand, and what goes back. */
#define LOG_TAG "cmd"

#include <stdio.h>
#include <string.h>

#include "admin/commands.h"
#include "admin/listing.h"
#include "common/base/id.h"
#include "proto/bundle.h"
#include "proto/limits.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))
#define URL          "http://localhost/v1/bundle"

static const struct listing_column columns[] = {
	{"session", "Lần", "Session", LISTING_TEXT, false},
	{"device", "Máy", "Device", LISTING_TEXT, false},
	{"number", "Tệp số", "File number", LISTING_TEXT, false},
	{"outcome", "Kết quả", "Outcome", LISTING_TEXT, false},
	{"changesets", "Gói mới", "New change-sets", LISTING_TEXT, false},
	{"applied", "Thay đổi đã ghi", "Changes applied", LISTING_TEXT, false},
	{"conflicts", "Xung đột", "Conflicts", LISTING_TEXT, false},
	{"quarantined", "Bị giữ lại", "In quarantine", LISTING_TEXT, false},
	{"held", "Đã có đến số", "Held up to", LISTING_TEXT, false},
	{"records_out", "Hồ sơ gửi về", "Records sent back", LISTING_TEXT, false},
	{"notices", "Thông báo gửi về", "Notices sent back", LISTING_TEXT, false},
};

/* The name of the return file must not take the place of anything else. */
static int check_out(const char *in, const char *out)
{
	uint8_t start[BUNDLE_HEAD_LEN];
	FILE *f;
	size_t got;

	if (strcmp(in, out) == 0) {
		ctl_complain("tệp trả về phải có tên khác tệp mang đến; chưa làm gì / the return "
			     "file needs another name than the file brought in; nothing was done");
		return ARGS_EXIT_USAGE;
	}
	f = fopen(out, "rb");
	if (f == NULL)
		return ARGS_EXIT_DONE;
	got = fread(start, 1, sizeof start, f);
	(void)fclose(f);
	if (got == 0 || bundle_is_one(bytes_of(start, got)))
		return ARGS_EXIT_DONE;
	ctl_complain("%s đã có và không phải tệp của ctxh; không ghi đè, chưa làm gì / %s is there "
		     "and is no file of ctxh; it was not replaced, nothing was done",
		     out, out);
	return ARGS_EXIT_FAILED;
}

static int write_return(const char *out, const json_t *result)
{
	AUTO(buf_clear) struct buf file = {0};
	const char *hex = json_string_value(json_object_get(result, "file"));
	size_t len = hex != NULL ? strlen(hex) / 2 : 0;
	int code = ARGS_EXIT_FAILED;

	if (hex != NULL && hex_parse(bytes_str(hex), buf_reserve(&file, len + 1), len) == ERR_OK) {
		file.len = len;
		code = ctl_write(out, &file);
	}
	if (code != ARGS_EXIT_DONE)
		ctl_complain(
			"tệp của xã đã được nhận, chỉ thiếu tệp trả về; hãy chạy lại lệnh này, "
			"không có gì bị ghi đôi / the commune's file was taken, only its "
			"return file is missing; run this again, nothing is doubled");
	return code;
}

static void explain(const struct ctl *ctl, const json_t *result, const char *out, struct buf *text)
{
	const char *outcome = json_string_value(json_object_get(result, "outcome"));

	if (ctl->format != TABLE_TABLE)
		return;
	if (outcome != NULL && strcmp(outcome, "gap") == 0)
		buf_append_str(text, "Thiếu các thay đổi trước tệp này; tệp trả về bảo máy gửi lại "
				     "từ chỗ thiếu.\nChanges before this file are missing; its "
				     "return tells the device to send them again.\n");
	if (outcome != NULL && strcmp(outcome, "forked") == 0)
		buf_append_str(text, "Máy này có hai lịch sử (đĩa bị sao chép hoặc phục hồi); các "
				     "thay đổi đang chờ quyết định.\nThis device has two histories "
				     "(a copied or restored disk); its changes wait for a "
				     "decision.\n");
	if (out == NULL)
		buf_append_str(text,
			       "Chưa làm tệp trả về; đưa tệp này vào lần nữa với --out để làm.\n"
			       "No return file was written; bring this file in again with --out "
			       "for one.\n");
	else
		buf_printf(text,
			   "Tệp trả về: %s. Mang về xã, chạy ctxh bundle in.\n"
			   "Return file: %s. Carry it back, run ctxh bundle in.\n",
			   out, out);
}

int cmd_bundle_in(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	const char *in = args_positional(args, 0);
	const char *out = args_value(args, "out", NULL);
	AUTO(buf_clear) struct buf file = {0};
	AUTO(buf_clear) struct buf text = {0};
	JSON_AUTO json_t *result = NULL;
	int code = out != NULL ? check_out(in, out) : ARGS_EXIT_DONE;

	if (code == ARGS_EXIT_DONE)
		code = ctl_read(in, LIMIT_BUNDLE_BYTES, &file);
	if (code != ARGS_EXIT_DONE)
		return code;
	code = ctl_send(ctl, URL, &file, CTL_NO_LIMIT, &result);
	if (result == NULL)
		return code;
	if (out != NULL && write_return(out, result) != ARGS_EXIT_DONE)
		return ARGS_EXIT_FAILED;
	(void)json_object_del(result, "file");
	listing_print_object(ctl, columns, COUNT(columns), result, &text);
	explain(ctl, result, out, &text);
	return ctl_print(&text) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
