/* cmd_account - who may sign in to the console. */
#define LOG_TAG "cmd"

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct listing_column list_columns[] = {
	{"name", "Tài khoản", "Account", LISTING_WORD, false},
	{"role", "Vai trò", "Role", LISTING_WORD, false},
	{"cleared", "Xem hạn chế", "Cleared", LISTING_TEXT, false},
	{"units", "Đơn vị", "Units", LISTING_TEXT, false},
	{"must_change", "Chưa đổi mật khẩu", "First password", LISTING_TEXT, false},
	{"login_at", "Đăng nhập cuối", "Last login", LISTING_MINUTE, false},
	{"made_at", NULL, NULL, LISTING_TIME, true},
	{"changed_at", NULL, NULL, LISTING_TIME, true},
};

static const struct listing_column made_columns[] = {
	{"name", "Tài khoản", "Account", LISTING_TEXT, false},
	{"role", "Vai trò", "Role", LISTING_TEXT, false},
	{"cleared", "Được xem dữ liệu hạn chế", "Cleared for restricted data", LISTING_TEXT, false},
	{"units", "Chỉ các đơn vị", "Only these units", LISTING_TEXT, false},
	{"password", "Mật khẩu dùng một lần, chỉ hiện ở đây",
	 "Password for the first login, shown only here", LISTING_TEXT, false},
	{"address", "Địa chỉ", "Address", LISTING_TEXT, false},
	{"fingerprint", "Dấu khóa của máy chủ", "Fingerprint of the daemon's key", LISTING_TEXT,
	 false},
};

static const struct listing_column given_columns[] = {
	{"name", "Tài khoản", "Account", LISTING_TEXT, false},
	{"role", "Vai trò", "Role", LISTING_TEXT, false},
	{"cleared", "Được xem dữ liệu hạn chế", "Cleared for restricted data", LISTING_TEXT, false},
	{"units", "Chỉ các đơn vị", "Only these units", LISTING_TEXT, false},
};

static const struct listing_column removed_columns[] = {
	{"name", "Đã xóa tài khoản", "Removed account", LISTING_TEXT, false},
};

static json_t *named(const struct args *args)
{
	json_t *call = json_object();

	/* NULL for what is no UTF-8: the daemon then says that the name is missing. */
	json_object_set_new(call, "name", json_string(args_positional(args, 0)));
	return call;
}

int cmd_account_add(void *context, const struct args *args)
{
	json_t *call;

	if (!args_has(args, "role"))
		return ctl_usage(args, "thiếu --role", "--role is missing");
	call = named(args);
	ctl_put_option(call, args, "role", "role");
	ctl_put_option(call, args, "clearance", "clearance");
	ctl_put_codes(call, args, "unit", "units");
	return listing_ask_one(context, "account add", call, made_columns, COUNT(made_columns));
}

int cmd_account_list(void *context, const struct args *args)
{
	(void)args;
	return listing_ask(context, "account list", NULL, list_columns, COUNT(list_columns));
}

int cmd_account_reset(void *context, const struct args *args)
{
	return listing_ask_one(context, "account reset", named(args), made_columns,
			       COUNT(made_columns));
}

int cmd_account_remove(void *context, const struct args *args)
{
	return listing_ask_one(context, "account remove", named(args), removed_columns,
			       COUNT(removed_columns));
}

int cmd_account_units(void *context, const struct args *args)
{
	const bool is_all = args_has(args, "all");
	json_t *call;

	if (is_all == (args_positional(args, 1) != NULL))
		return ctl_usage(args, "cần mã các đơn vị, hoặc --all",
				 "unit codes are needed, or --all");
	call = named(args);
	ctl_put_positional_codes(call, args, 1, "units");
	if (is_all)
		json_object_set_new(call, "all", json_true());
	return listing_ask_one(context, "account units", call, given_columns, COUNT(given_columns));
}

int cmd_account_role(void *context, const struct args *args)
{
	json_t *call = named(args);

	json_object_set_new(call, "role", json_string(args_positional(args, 1)));
	return listing_ask_one(context, "account role", call, given_columns, COUNT(given_columns));
}

int cmd_account_password(void *context, const struct args *args)
{
	const struct ctl *ctl = context;

	if (ctl->remote == NULL)
		return ctl_usage(args, "cần --server và --account",
				 "--server and --account are needed");
	return ctl_remote_password(ctl->remote);
}
