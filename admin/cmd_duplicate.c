/* cmd_duplicate - people who may be there twice: listed, joined, split, told apart. */
#define LOG_TAG "cmd"

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LIMIT_MOST   100000

static const struct listing_column list_columns[] = {
	{"keep", "Hồ sơ", "Record", LISTING_ID, false},
	{"other", "Có thể trùng", "May be its double", LISTING_ID, false},
	{"likeness", "Giống ở", "Alike in", LISTING_TEXT, false},
	{"across", "Khác xã", "Across", LISTING_TEXT, true},
	{"keep_name", "Tên", "Name", LISTING_TEXT, false},
	{"keep_birth", "Sinh", "Born", LISTING_TEXT, false},
	{"keep_unit", "Xã", "Unit", LISTING_WORD, false},
	{"other_name", "Tên kia", "Other's", LISTING_TEXT, false},
	{"other_birth", "Sinh", "Born", LISTING_TEXT, false},
	{"other_unit", "Xã", "Unit", LISTING_WORD, false},
	{"decided_by", NULL, NULL, LISTING_TEXT, true},
	{"decided_at", NULL, NULL, LISTING_TIME, true},
};

static const struct listing_column join_columns[] = {
	{"other", "Hồ sơ trùng", "Double", LISTING_WHOLE_ID, false},
	{"into", "Nhập vào", "Joined to", LISTING_WHOLE_ID, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
};

static const struct listing_column split_columns[] = {
	{"record", "Hồ sơ", "Record", LISTING_WHOLE_ID, false},
	{"from", "Tách khỏi", "Split from", LISTING_WHOLE_ID, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
};

static const struct listing_column distinct_columns[] = {
	{"one", "Hồ sơ", "Record", LISTING_WHOLE_ID, false},
	{"other", "Không trùng với", "Not the same as", LISTING_WHOLE_ID, false},
	{"decided_by", "Người quyết định", "Decided by", LISTING_TEXT, false},
	{"decided_at", "Lúc", "At", LISTING_TIME, false},
};

int cmd_duplicate_list(void *context, const struct args *args)
{
	json_t *call = json_object();
	int code;

	ctl_put_option(call, args, "reason", "reason");
	if (args_has(args, "distinct"))
		json_object_set_new(call, "distinct", json_true());
	code = ctl_put_number(call, args, "limit", 1, LIMIT_MOST);
	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	return listing_ask(context, "duplicate list", call, list_columns, COUNT(list_columns));
}

static json_t *two(const struct args *args, const char *one, const char *other)
{
	return json_pack("{s:s, s:s}", one, args_positional(args, 0), other,
			 args_positional(args, 1));
}

int cmd_duplicate_join(void *context, const struct args *args)
{
	return listing_ask_one(context, "duplicate join", two(args, "keep", "other"), join_columns,
			       COUNT(join_columns));
}

int cmd_duplicate_split(void *context, const struct args *args)
{
	return listing_ask_one(context, "duplicate split",
			       json_pack("{s:s}", "record", args_positional(args, 0)),
			       split_columns, COUNT(split_columns));
}

int cmd_duplicate_distinct(void *context, const struct args *args)
{
	return listing_ask_one(context, "duplicate distinct", two(args, "one", "other"),
			       distinct_columns, COUNT(distinct_columns));
}

int cmd_duplicate_reopen(void *context, const struct args *args)
{
	return listing_ask_one(context, "duplicate reopen", two(args, "one", "other"),
			       distinct_columns, COUNT(distinct_columns));
}
