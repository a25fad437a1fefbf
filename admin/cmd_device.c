/* cmd_device - units and devices: who there is. */
#define LOG_TAG "cmd"

#include <stdio.h>
#include <string.h>

#include "admin/commands.h"
#include "admin/listing.h"
#include "admin/qr.h"
#include "common/base/log.h"
#include "proto/limits.h"

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])
#define DEVICES_MAX    100000 /* of one listing */
#define JSON_AUTO      __attribute__((cleanup(ctl_json_release_auto)))
#define IMPORT_MAX_LEN (LIMIT_ADMIN_BYTES / 4) /* as a JSON string it grows */

static const struct listing_column unit_columns[] = {
	{"code", "Mã", "Code", LISTING_WORD, false},
	{"name", "Tên", "Name", LISTING_TEXT, false},
	{"type", "Loại", "Type", LISTING_TEXT, false},
	{"province_code", "Tỉnh", "Province", LISTING_TEXT, false},
	{"from", "Từ ngày", "From", LISTING_DATE, false},
	{"until", "Đến ngày", "Until", LISTING_DATE, false},
	{"unit", NULL, NULL, LISTING_TEXT, true},
};

static const struct listing_column import_columns[] = {
	{"communes", "Xã trong danh mục", "Communes in the list", LISTING_TEXT, false},
	{"added", "Đơn vị mới", "Units added", LISTING_TEXT, false},
	{"renamed", "Đổi tên", "Renamed", LISTING_TEXT, false},
	{"ended", "Hết hiệu lực", "Ended", LISTING_TEXT, false},
};

static const struct listing_column succession_columns[] = {
	{"rows", "Dòng", "Rows", LISTING_TEXT, false},
	{"whole", "Nhập trọn", "Whole", LISTING_TEXT, false},
	{"partial", "Chia một phần", "Partial", LISTING_TEXT, false},
	{"suspect", "Nghi sai, không tin", "Suspect, not trusted", LISTING_TEXT, false},
	{"known", "Đã có từ trước", "Known before", LISTING_TEXT, false},
};

static const struct listing_column placing_columns[] = {
	{"code", "Mã", "Code", LISTING_WORD, false},
	{"name", "Tên", "Name", LISTING_TEXT, false},
	{"into", "Chia vào", "Divided into", LISTING_TEXT, false},
	{"records", "Hồ sơ chờ", "Records waiting", LISTING_NUMBER, false},
	{"unit", NULL, NULL, LISTING_TEXT, true},
};

/* The file as an argument; it is checked as a whole by the daemon. */
static int put_file(const struct args *args, json_t **ret_call)
{
	const char *path = args_positional(args, 0);
	AUTO(buf_clear) struct buf csv = {0};
	json_t *text;
	int code = ctl_read(path, IMPORT_MAX_LEN, &csv);

	if (code != ARGS_EXIT_DONE)
		return code;
	text = json_stringn((const char *)csv.data, csv.len);
	if (text == NULL) {
		ctl_complain(
			"%s không phải UTF-8; chưa nhập gì; hãy lưu lại bằng UTF-8 / %s is not "
			"UTF-8; nothing was imported; save it as UTF-8",
			path, path);
		return ARGS_EXIT_FAILED;
	}
	*ret_call = json_object();
	json_object_set_new(*ret_call, "csv", text);
	json_object_set_new(*ret_call, "file", json_string(path));
	return ARGS_EXIT_DONE;
}

static void put_dry_run(json_t *call, const struct args *args)
{
	if (args_has(args, "dry-run"))
		json_object_set_new(call, "dry_run", json_true());
}

int cmd_unit_import(void *context, const struct args *args)
{
	json_t *call;
	int code;

	if (!args_has(args, "from"))
		return ctl_usage(args, "thiếu --from", "--from is missing");
	code = put_file(args, &call);
	if (code != ARGS_EXIT_DONE)
		return code;
	ctl_put_option(call, args, "from", "from");
	ctl_put_option(call, args, "until", "until");
	put_dry_run(call, args);
	return listing_ask_one(context, "unit import", call, import_columns, COUNT(import_columns));
}

/* Rows of the map that were not taken, one a line. */
static bool tell_refused(const json_t *refused)
{
	for (size_t i = 0; i < json_array_size(refused); i++) {
		const json_t *row = json_array_get(refused, i);

		fprintf(stderr, "ctxhctl: dòng / line %lld: %s\n",
			(long long)json_integer_value(json_object_get(row, "line")),
			json_string_value(json_object_get(row, "why")));
	}
	return json_array_size(refused) != 0;
}

int cmd_unit_succession(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	json_t *call;
	int code;

	if (!args_has(args, "on"))
		return ctl_usage(args, "thiếu --on", "--on is missing");
	code = put_file(args, &call);
	if (code != ARGS_EXIT_DONE)
		return code;
	ctl_put_option(call, args, "on", "on");
	put_dry_run(call, args);
	code = ctl_call(ctl, "unit succession", call, CTL_TIMEOUT_MS, &result);
	if (result == NULL)
		return code;
	listing_print_object(ctl, succession_columns, COUNT(succession_columns), result, &out);
	if (ctl_print(&out) != ARGS_EXIT_DONE)
		return ARGS_EXIT_FAILED;
	return tell_refused(json_object_get(result, "refused")) && code == ARGS_EXIT_DONE
		       ? ARGS_EXIT_PARTIAL
		       : code;
}

static const struct listing_column waiting_columns[] = {
	{"record", "Hồ sơ", "Record", LISTING_ID, false},
	{"type", "Loại", "Type", LISTING_WORD, false},
	{"title", "Tên", "Title", LISTING_TEXT, false},
	{"belongs_to", "Thuộc về", "Belongs to", LISTING_ID, false},
	{"belongs_to_unit", "ở xã", "now in", LISTING_WORD, false},
	{"hidden", NULL, NULL, LISTING_TEXT, true},
};

int cmd_unit_placing(void *context, const struct args *args)
{
	json_t *call;
	int code;

	if (!args_has(args, "unit"))
		return listing_ask(context, "unit placing", NULL, placing_columns,
				   COUNT(placing_columns));
	call = json_object();
	ctl_put_option(call, args, "unit", "unit");
	ctl_put_option(call, args, "reason", "reason");
	code = ctl_put_number(call, args, "limit", 1, 100000);
	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	return listing_ask(context, "unit placing", call, waiting_columns, COUNT(waiting_columns));
}

static const struct listing_column placed_columns[] = {
	{"record", "Hồ sơ", "Record", LISTING_ID, false},
	{"from", "Từ", "From", LISTING_WORD, false},
	{"to", "Vào", "To", LISTING_WORD, false},
	{"along", "Kèm theo", "Along", LISTING_NUMBER, false},
	{"log", "Nhật ký", "Log", LISTING_NUMBER, false},
};

/* Each record is one call: what was placed before one that is refused stays placed. */
int cmd_unit_place(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *rows = json_array();
	const char *record;
	int exit = ARGS_EXIT_DONE;

	if (!args_has(args, "unit"))
		return ctl_usage(args, "thiếu --unit", "--unit is missing");
	for (size_t i = 0; (record = args_positional(args, i)) != NULL; i++) {
		json_t *call = json_pack("{s:s}", "record", record);
		json_t *row = NULL;

		ctl_put_option(call, args, "unit", "unit");
		int code = ctl_call(ctl, "unit place", call, CTL_TIMEOUT_MS, &row);

		if (row != NULL)
			json_array_append_new(rows, row);
		if (code != ARGS_EXIT_DONE)
			exit = code;
	}
	/* Why nothing was placed is told already. */
	if (exit == ARGS_EXIT_DONE || json_array_size(rows) != 0 || ctl->format == TABLE_JSON)
		listing_print(ctl, placed_columns, COUNT(placed_columns), rows, &out);
	if (ctl_print(&out) != ARGS_EXIT_DONE)
		return ARGS_EXIT_FAILED;
	return exit == ARGS_EXIT_FAILED && json_array_size(rows) != 0 ? ARGS_EXIT_PARTIAL : exit;
}

int cmd_unit_list(void *context, const struct args *args)
{
	json_t *call = json_object();

	ctl_put_option(call, args, "province", "province");
	ctl_put_option(call, args, "on", "on");
	return listing_ask(context, "unit list", call, unit_columns, COUNT(unit_columns));
}

/* The line alone: scripts read it. The QR code is for people. */
static int print_invitation(const struct ctl *ctl, const struct args *args, const json_t *result)
{
	const char *invitation = json_string_value(json_object_get(result, "invitation"));
	AUTO(buf_clear) struct buf out = {0};

	if (args_has(args, "qr") && ctl->format == TABLE_TABLE && invitation != NULL &&
	    qr_print(invitation, &out) != ERR_OK)
		ctl_complain("không vẽ được mã QR: %s; lời mời vẫn dùng được / no QR code: %s; the "
			     "invitation holds all the same",
			     log_last_detail(), log_last_detail());
	if (ctl->format == TABLE_JSON)
		ctl_append_json(&out, result);
	else
		buf_printf(&out, "%s\n", invitation != NULL ? invitation : "");
	return ctl_print(&out);
}

int cmd_device_invite(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	JSON_AUTO json_t *result = NULL;
	json_t *call = json_object();
	int code;

	ctl_put_codes(call, args, "unit", "units");
	if (json_array_size(json_object_get(call, "units")) == 0) {
		json_decref(call);
		return ctl_usage(args, "thiếu --unit", "--unit is missing");
	}
	ctl_put_option(call, args, "on", "on");
	ctl_put_option(call, args, "author", "author");
	ctl_put_option(call, args, "clearance", "clearance");
	ctl_put_option(call, args, "expires", "expires");
	code = ctl_call(ctl, "device invite", call, CTL_TIMEOUT_MS, &result);
	if (result == NULL)
		return code;
	return print_invitation(ctl, args, result) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

static const struct listing_column device_columns[] = {
	{"number", "Máy", "No.", LISTING_NUMBER, false},
	{"name", "Tên", "Name", LISTING_TEXT, false},
	{"units", "Đơn vị", "Units", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_WORD, false},
	{"last_contact", "Liên lạc cuối", "Last contact", LISTING_MINUTE, false},
	{"last_number", "Số cuối", "Last", LISTING_NUMBER, false},
	{"missing", "Thiếu", "Missing", LISTING_NUMBER, false},
	{"clock_offset_ms", "Lệch giờ", "Clock", LISTING_OFFSET, false},
	{"client_version", "Phiên bản", "Version", LISTING_TEXT, false},
	{"enrolled_at", NULL, NULL, LISTING_TIME, true},
	{"revoked_at", NULL, NULL, LISTING_TIME, true},
};

static const struct listing_column device_show_columns[] = {
	{"number", "Số", "Number", LISTING_TEXT, false},
	{"name", "Tên", "Name", LISTING_TEXT, false},
	{"author", "Người dùng", "Author", LISTING_TEXT, false},
	{"units", "Đơn vị", "Units", LISTING_TEXT, false},
	{"unit_names", "Tên đơn vị", "Names of the units", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
	{"cleared", "Được xem dữ liệu hạn chế", "Cleared for restricted data", LISTING_TEXT, false},
	{"enrolled_at", "Ghi danh", "Enrolled", LISTING_TIME, false},
	{"revoked_at", "Thu hồi", "Revoked", LISTING_TIME, false},
	{"why", "Lý do thu hồi", "Why revoked", LISTING_TEXT, false},
	{"last_contact", "Liên lạc cuối", "Last contact", LISTING_TIME, false},
	{"last_number", "Đã nhận đến số", "Received up to number", LISTING_TEXT, false},
	{"seen_number", "Biết là có đến số", "Known to have up to", LISTING_TEXT, false},
	{"missing", "Còn thiếu", "Missing", LISTING_TEXT, false},
	{"backed_up", "Đã sao lưu đến số", "Backed up to number", LISTING_TEXT, false},
	{"clock_offset_ms", "Lệch giờ", "Clock off", LISTING_OFFSET, false},
	{"clock_flagged", "Đồng hồ sai", "Clock wrong", LISTING_TEXT, false},
	{"client_version", "Phiên bản", "Version", LISTING_TEXT, false},
	{"former", "Thay cho máy", "Took the place of", LISTING_TEXT, false},
	{"released_at", "Giải phóng", "Released", LISTING_TIME, false},
	{"release_expires_at", "Thư giải phóng có hạn đến", "Release good until", LISTING_TIME,
	 false},
	{"successors", "Đi tiếp với máy", "Goes on as", LISTING_TEXT, false},
	{"key", "Khóa công khai", "Public key", LISTING_TEXT, false},
};

int cmd_device_list(void *context, const struct args *args)
{
	json_t *call = json_object();
	int code = ctl_put_number(call, args, "limit", 1, DEVICES_MAX);

	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	ctl_put_option(call, args, "unit", "unit");
	ctl_put_option(call, args, "state", "state");
	ctl_put_option(call, args, "find", "text");
	return listing_ask(context, "device list", call, device_columns, COUNT(device_columns));
}

static int put_device(json_t **call, const struct args *args)
{
	int code;

	*call = json_object();
	code = ctl_put_positional_number(*call, args, 0, "device");
	if (code != ARGS_EXIT_DONE)
		json_decref(*call);
	return code;
}

int cmd_device_show(void *context, const struct args *args)
{
	json_t *call;
	int code = put_device(&call, args);

	if (code != ARGS_EXIT_DONE)
		return code;
	return listing_ask_one(context, "device show", call, device_show_columns,
			       COUNT(device_show_columns));
}

static const struct listing_column revoke_columns[] = {
	{"number", "Thiết bị", "Device", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
};

int cmd_device_revoke(void *context, const struct args *args)
{
	json_t *call;
	int code;

	if (!args_has(args, "why"))
		return ctl_usage(args, "thiếu --why", "--why is missing");
	code = put_device(&call, args);
	if (code != ARGS_EXIT_DONE)
		return code;
	ctl_put_option(call, args, "why", "why");
	return listing_ask_one(context, "device revoke", call, revoke_columns,
			       COUNT(revoke_columns));
}

int cmd_device_release(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	JSON_AUTO json_t *result = NULL;
	json_t *call;
	int code = put_device(&call, args);

	if (code != ARGS_EXIT_DONE)
		return code;
	ctl_put_option(call, args, "expires", "expires");
	code = ctl_call(ctl, "device release", call, CTL_TIMEOUT_MS, &result);
	if (result == NULL)
		return code;
	return print_invitation(ctl, args, result) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
