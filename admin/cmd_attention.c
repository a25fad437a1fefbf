/* cmd_attention - conflicts and quarantine: what waits for a person. */
#define LOG_TAG "cmd"

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct listing_column conflict_columns[] = {
	{"conflict", "Số", "No.", LISTING_NUMBER, false},
	{"record", "Hồ sơ", "Record", LISTING_ID, false},
	{"type", NULL, NULL, LISTING_TEXT, true},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"kept", "Giữ", "Kept", LISTING_TEXT, false},
	{"lost", "Bị thay", "Lost", LISTING_TEXT, false},
	{"kept_by", "Người ghi", "Kept by", LISTING_TEXT, false},
	{"lost_by", "Người bị thay", "Lost by", LISTING_TEXT, false},
	{"at", NULL, NULL, LISTING_TIME, true},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
	{"decided_by", NULL, NULL, LISTING_TEXT, true},
	{"decided_at", NULL, NULL, LISTING_TIME, true},
};

static const struct listing_column conflict_show_columns[] = {
	{"conflict", "Số", "Number", LISTING_TEXT, false},
	{"record", "Hồ sơ", "Record", LISTING_WHOLE_ID, false},
	{"type", "Loại", "Type", LISTING_TEXT, false},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"kept", "Giá trị giữ", "Value kept", LISTING_TEXT, false},
	{"kept_by", "Người ghi", "Kept by", LISTING_TEXT, false},
	{"kept_stamp", "Dấu thời gian", "Its stamp", LISTING_STAMP, false},
	{"lost", "Giá trị bị thay", "Value lost", LISTING_TEXT, false},
	{"lost_by", "Người ghi", "Lost by", LISTING_TEXT, false},
	{"lost_stamp", "Dấu thời gian", "Its stamp", LISTING_STAMP, false},
	{"at", "Phát hiện lúc", "Found", LISTING_TIME, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
	{"now", "Giá trị hiện nay", "Value now", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
	{"decided_by", "Người quyết định", "Decided by", LISTING_TEXT, false},
	{"decided_device", "Từ máy", "From device", LISTING_TEXT, false},
	{"decided_at", "Quyết định lúc", "Decided", LISTING_TIME, false},
};

static const struct listing_column conflict_decided_columns[] = {
	{"conflict", "Số", "Number", LISTING_TEXT, false},
	{"record", "Hồ sơ", "Record", LISTING_WHOLE_ID, false},
	{"type", "Loại", "Type", LISTING_TEXT, false},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"stands", "Giá trị hiện nay", "Value now", LISTING_TEXT, false},
	{"replaced", "Đã thay", "Replaces", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
	{"decided_by", "Người quyết định", "Decided by", LISTING_TEXT, false},
	{"decided_at", "Quyết định lúc", "Decided", LISTING_TIME, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
};

static const struct listing_column quarantine_columns[] = {
	{"quarantine", "Số", "No.", LISTING_NUMBER, false},
	{"device", "Máy", "Dev", LISTING_NUMBER, false},
	{"number", "Thay đổi", "Change", LISTING_NUMBER, false},
	{"reason", "Lý do", "Reason", LISTING_TEXT, false},
	{"type", NULL, NULL, LISTING_TEXT, true},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"at", "Lúc", "At", LISTING_MINUTE, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
	{"mended_by", "Đã sửa", "Mended", LISTING_NUMBER, false},
};

static const struct listing_column quarantine_show_columns[] = {
	{"quarantine", "Số", "Number", LISTING_TEXT, false},
	{"device", "Thiết bị", "Device", LISTING_TEXT, false},
	{"number", "Thay đổi số", "Change number", LISTING_TEXT, false},
	{"author", "Người ghi", "Author", LISTING_TEXT, false},
	{"record", "Hồ sơ", "Record", LISTING_WHOLE_ID, false},
	{"type", "Loại", "Type", LISTING_TEXT, false},
	{"reason", "Lý do", "Reason", LISTING_TEXT, false},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"text", "Giải thích", "Explanation", LISTING_TEXT, false},
	{"fields", "Nội dung", "Content", LISTING_FIELDS, false},
	{"now", "Hiện nay", "Now", LISTING_FIELDS, false},
	{"bytes", "Byte thô", "Raw bytes", LISTING_TEXT, false},
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
	{"mended_by", "Người ghi đã tự ghi lại, số nhật ký",
	 "Written again by its author, log number", LISTING_TEXT, false},
	{"why", "Vì sao", "Why", LISTING_TEXT, false},
	{"hidden", "Bị ẩn (hạn chế)", "Hidden (restricted)", LISTING_TEXT, false},
};

static json_t *listing_args(const struct args *args)
{
	static const char *const flags[] = {"open", "decided"};
	json_t *call = json_object();

	for (size_t i = 0; i < COUNT(flags); i++) {
		if (args_has(args, flags[i]))
			json_object_set_new(call, flags[i], json_true());
	}
	ctl_put_option(call, args, "reason", "reason");
	return call;
}

int cmd_conflict_list(void *context, const struct args *args)
{
	return listing_ask(context, "conflict list", listing_args(args), conflict_columns,
			   COUNT(conflict_columns));
}

int cmd_quarantine_list(void *context, const struct args *args)
{
	return listing_ask(context, "quarantine list", listing_args(args), quarantine_columns,
			   COUNT(quarantine_columns));
}

static int number_args(const struct args *args, const char *key, json_t **ret_call)
{
	int code;

	*ret_call = json_object();
	code = ctl_put_positional_number(*ret_call, args, 0, key);
	if (code != ARGS_EXIT_DONE)
		json_decref(*ret_call);
	return code;
}

static int show_args(const struct args *args, const char *key, json_t **ret_call)
{
	int code = number_args(args, key, ret_call);

	if (code == ARGS_EXIT_DONE)
		ctl_put_option(*ret_call, args, "reason", "reason");
	return code;
}

int cmd_conflict_show(void *context, const struct args *args)
{
	json_t *call;
	int code = show_args(args, "conflict", &call);

	if (code != ARGS_EXIT_DONE)
		return code;
	return listing_ask_one(context, "conflict show", call, conflict_show_columns,
			       COUNT(conflict_show_columns));
}

static int decide(void *context, const struct args *args, const char *command)
{
	json_t *call;
	int code = number_args(args, "conflict", &call);

	if (code != ARGS_EXIT_DONE)
		return code;
	return listing_ask_one(context, command, call, conflict_decided_columns,
			       COUNT(conflict_decided_columns));
}

int cmd_conflict_keep(void *context, const struct args *args)
{
	return decide(context, args, "conflict keep");
}

int cmd_conflict_restore(void *context, const struct args *args)
{
	return decide(context, args, "conflict restore");
}

int cmd_conflict_reopen(void *context, const struct args *args)
{
	return decide(context, args, "conflict reopen");
}

int cmd_quarantine_show(void *context, const struct args *args)
{
	json_t *call;
	int code = show_args(args, "quarantine", &call);

	if (code != ARGS_EXIT_DONE)
		return code;
	return listing_ask_one(context, "quarantine show", call, quarantine_show_columns,
			       COUNT(quarantine_show_columns));
}

static const struct listing_column decided_columns[] = {
	{"quarantine", "Số", "Number", LISTING_TEXT, false},
	{"device", "Thiết bị", "Device", LISTING_TEXT, false},
	{"number", "Thay đổi số", "Change number", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
};

static int decide_quarantined(void *context, const struct args *args, const char *command)
{
	json_t *call;
	int code = number_args(args, "quarantine", &call);

	if (code != ARGS_EXIT_DONE)
		return code;
	return listing_ask_one(context, command, call, decided_columns, COUNT(decided_columns));
}

int cmd_quarantine_replay(void *context, const struct args *args)
{
	return decide_quarantined(context, args, "quarantine replay");
}

int cmd_quarantine_reopen(void *context, const struct args *args)
{
	return decide_quarantined(context, args, "quarantine reopen");
}

int cmd_quarantine_discard(void *context, const struct args *args)
{
	json_t *call;
	int code;

	if (!args_has(args, "why"))
		return ctl_usage(args, "thiếu --why", "--why is missing");
	code = number_args(args, "quarantine", &call);
	if (code != ARGS_EXIT_DONE)
		return code;
	ctl_put_option(call, args, "why", "why");
	return listing_ask_one(context, "quarantine discard", call, decided_columns,
			       COUNT(decided_columns));
}
