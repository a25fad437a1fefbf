/* main - ctxh: the table of commands; each is a function of cmd_*.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "client/cmd.h"
#include "common/base/crypt.h"
#include "common/base/log.h"
#include "common/text/json.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

#define OPTION_FORMAT                                                                   \
	{                                                                               \
		"format", "table|json|csv", "cách in kết quả", "how to print", 0, false \
	}
#define OPTION_UNIT                                                       \
	{                                                                 \
		"unit", "CODE", "mã đơn vị", "code of the unit", 0, false \
	}
#define OPTION_WHY                                             \
	{                                                      \
		"why", "TEXT", "lý do", "the reason", 0, false \
	}
#define OPTION_EVEN_SO                                                            \
	{                                                                         \
		"even-so", NULL, "ghi dù có thể trùng người đã có",               \
			"save although it may be somebody already here", 0, false \
	}

static const struct args_option program_options[] = {
	{"home", "DIR", "thư mục dữ liệu (mặc định $XDG_DATA_HOME/ctxh)",
	 "data folder (default $XDG_DATA_HOME/ctxh)", 0, false},
};

static const struct args_option format_options[] = {OPTION_FORMAT};
static const struct args_option enrol_options[] = {
	{"name", "TEXT", "tên của máy", "name of the device", 0, false},
	{"author", "NAME", "người ghi", "who writes", 0, false},
};
static const struct args_option add_options[] = {
	{"json", "FILE", "đọc giá trị từ tệp JSON, - là stdin",
	 "read the values from a JSON file, - is stdin", 0, false},
	OPTION_UNIT,
	OPTION_EVEN_SO,
};
static const struct args_option why_options[] = {OPTION_WHY};
static const struct args_option unit_options[] = {OPTION_UNIT};
static const struct args_option list_options[] = {
	OPTION_FORMAT,
	{"where", "FIELD=VALUE", "chỉ hồ sơ có giá trị này", "only records with this value", 0,
	 true},
	{"limit", "N", "nhiều nhất N hồ sơ", "at most N records", 0, false},
	{"deleted", NULL, "cả hồ sơ đã xóa, đã nhập", "deleted and joined records, too", 0, false},
	{"restricted", NULL, "cả hồ sơ hạn chế", "restricted records, too", 0, false},
};
static const struct args_option search_options[] = {
	OPTION_FORMAT,
	{"type", "TYPE", "chỉ loại này", "only this type", 0, false},
};
static const struct args_option import_options[] = {
	OPTION_FORMAT,
	{"dry-run", NULL, "chỉ xem điều sẽ xảy ra từng dòng, không ghi",
	 "tell row by row what would happen, save nothing", 0, false},
	{"map", "FILE", "CSV hai cột: tên cột, trường (trống: bỏ qua)",
	 "CSV of two columns: heading, field (empty: leave out)", 0, false},
	OPTION_UNIT,
	OPTION_EVEN_SO,
};
static const struct args_option export_options[] = {
	{"output", "FILE", "tệp CSV (mặc định: stdout)", "CSV file (default: stdout)", 'o', false},
};
static const struct args_option sync_options[] = {
	{"max-bytes", "N", "lần này dùng nhiều nhất N byte đường truyền, cả hai chiều",
	 "use at most N bytes of the line this time, both ways", 0, false},
	{"watch", NULL, "tiếp tục liên lạc đến khi dừng", "keep in contact until stopped", 0,
	 false},
	{"digest", NULL, "so từng đơn vị với văn phòng, sửa chỗ khác",
	 "compare every unit with the office, repair what differs", 0, false},
};
static const struct args_option inbox_options[] = {
	OPTION_FORMAT,
	{"all", NULL, "cả thông báo đã cất", "those put away, too", 0, false},
};

static const struct args_positional one_invitation[] = {{"INVITATION", false, false}};
static const struct args_positional type_values[] = {{"TYPE", false, false},
						     {"field=value", true, true}};
static const struct args_positional id_values[] = {{"ID", false, false},
						   {"field=value", false, true}};
static const struct args_positional one_id[] = {{"ID", false, false}};
static const struct args_positional two_ids[] = {{"KEEP", false, false}, {"OTHER", false, false}};
static const struct args_positional one_type[] = {{"TYPE", false, false}};
static const struct args_positional one_text[] = {{"TEXT", false, false}};
static const struct args_positional one_name[] = {{"NAME", false, false}};
static const struct args_positional one_file[] = {{"FILE", false, false}};
static const struct args_positional type_files[] = {{"TYPE", false, false}, {"FILE", false, true}};

#define OPTIONS(list)     list, COUNT(list)
#define POSITIONALS(list) list, COUNT(list)

/* clang-format off */
static const struct args_command commands[] = {
	{"enrol", OPTIONS(enrol_options), POSITIONALS(one_invitation),
	 "đăng ký máy này với văn phòng", "make this device known to the office", cmd_enrol},
	{"add", OPTIONS(add_options), POSITIONALS(type_values),
	 "ghi một hồ sơ mới, in mã của nó", "save a new record, print its id", cmd_add},
	{"edit", NULL, 0, POSITIONALS(id_values),
	 "sửa hồ sơ", "edit a record", cmd_edit},
	{"void", OPTIONS(why_options), POSITIONALS(one_id),
	 "không tính một sự kiện (--why)", "make an event not count (--why)", cmd_void},
	{"delete", OPTIONS(why_options), POSITIONALS(one_id),
	 "ẩn một hồ sơ (--why)", "hide a record (--why)", cmd_delete},
	{"undelete", NULL, 0, POSITIONALS(one_id),
	 "hiện lại hồ sơ đã ẩn", "show a hidden record again", cmd_undelete},
	{"transfer", OPTIONS(unit_options), POSITIONALS(one_id),
	 "chuyển hồ sơ sang đơn vị khác (--unit)", "move a record to another unit (--unit)", cmd_transfer},
	{"join", NULL, 0, POSITIONALS(two_ids),
	 "nhập hồ sơ trùng vào hồ sơ được giữ", "join a double to the record that is kept", cmd_join},
	{"show", OPTIONS(format_options), POSITIONALS(one_id),
	 "xem một hồ sơ", "show a record", cmd_show},
	{"list", OPTIONS(list_options), POSITIONALS(one_type),
	 "liệt kê hồ sơ một loại", "list the records of a type", cmd_list},
	{"search", OPTIONS(search_options), POSITIONALS(one_text),
	 "tìm, có dấu hay không, đúng nhất trước", "search, with diacritics or without, best first", cmd_search},
	{"import", OPTIONS(import_options), POSITIONALS(type_files),
	 "nhập từ CSV; loại any: tệp có cột type", "import from CSV; type any: it has a column type", cmd_import},
	{"export", OPTIONS(export_options), POSITIONALS(one_type),
	 "xuất ra CSV mà import nhận lại được", "export to CSV that import takes back", cmd_export},
	{"sync", OPTIONS(sync_options), NULL, 0,
	 "gửi và nhận với văn phòng", "send to and receive from the office", cmd_sync},
	{"status", OPTIONS(format_options), NULL, 0,
	 "còn gì chưa gửi, lần cuối khi nào", "what is not sent yet, and the last receipt", cmd_status},
	{"receipts", OPTIONS(format_options), NULL, 0,
	 "mọi biên nhận của văn phòng trên máy này", "every receipt of the office on this device", cmd_receipts},
	{"bundle out", NULL, 0, POSITIONALS(one_file),
	 "ghi những gì chưa có biên nhận vào tệp, để mang đến văn phòng", "write what has no receipt to a file, to be carried to the office", cmd_bundle_out},
	{"bundle in", NULL, 0, POSITIONALS(one_file),
	 "đọc tệp văn phòng trả về", "read the office's return file", cmd_bundle_in},
	{"inbox", OPTIONS(inbox_options), NULL, 0,
	 "thông báo từ văn phòng", "notices of the office", cmd_inbox},
	{"inbox show", OPTIONS(format_options), POSITIONALS(one_id),
	 "xem một thông báo", "show a notice", cmd_inbox_show},
	{"inbox accept", NULL, 0, POSITIONALS(one_id),
	 "đã xem, cất thông báo", "put a notice away as read", cmd_inbox_accept},
	{"inbox restore", NULL, 0, POSITIONALS(one_id),
	 "ghi lại giá trị bị thay", "write the replaced value again", cmd_inbox_restore},
	{"types", OPTIONS(format_options), NULL, 0,
	 "các loại hồ sơ", "the record types", cmd_types},
	{"types show", OPTIONS(format_options), POSITIONALS(one_type),
	 "các trường của một loại", "the fields of a type", cmd_types_show},
	{"author add", NULL, 0, POSITIONALS(one_name),
	 "thêm người ghi", "add an author", cmd_author_add},
	{"author list", OPTIONS(format_options), NULL, 0,
	 "những người ghi trên máy này", "the authors of this device", cmd_author_list},
	{"author use", NULL, 0, POSITIONALS(one_name),
	 "đổi người đang ghi", "change who writes now", cmd_author_use},
	{"unlock", NULL, 0, NULL, 0,
	 "mở khóa cho 10 phút", "hold the key for ten idle minutes", cmd_unlock},
	{"lock", NULL, 0, NULL, 0,
	 "khóa ngay", "forget the key now", cmd_lock},
	{"passphrase", NULL, 0, NULL, 0,
	 "đổi mật khẩu", "change the passphrase", cmd_passphrase},
	{"verify", NULL, 0, NULL, 0,
	 "kiểm tra kho dữ liệu", "check the vault and every invariant", cmd_verify},
};
/* clang-format on */

static const struct args_program program = {
	.name = "ctxh",
	.version = CTXH_VERSION,
	.options = program_options,
	.option_count = COUNT(program_options),
	.commands = commands,
	.command_count = COUNT(commands),
	.help_vi = "ghi công tác xã hội của xã khi không có mạng, gửi khi có mạng",
	.help_en = "record a commune's social work offline, sync when there is a network",
};

static void default_home(char *out, size_t size)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (data != NULL && *data == '/')
		snprintf(out, size, "%s/ctxh", data);
	else
		snprintf(out, size, "%s/.local/share/ctxh", home != NULL ? home : ".");
}

static int run(const struct args *args)
{
	char home[VAULT_PATH_MAX];
	struct cmd c = {.args = args, .clock = clock_system(), .rand = rand_system()};

	default_home(home, sizeof home);
	c.home = args_value(args, "home", home);
	int exit = args->command->run(&c, args);

	if (fflush(stdout) != 0 && exit == ARGS_EXIT_DONE)
		exit = cmd_fail("không ghi ra được màn hình hoặc tệp",
				"the output cannot be written");
	cmd_clear(&c);
	return exit;
}

int main(int argc, char **argv)
{
	AUTO(args_clear) struct args args = {0};
	AUTO(buf_clear) struct buf out = {0};
	const char *filter = getenv("CTXH_LOG");
	struct rlimit none = {0, 0};

	json_use_mem();
	/* The unwrapped key is in this process: no core file, no debugger. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_filter(filter != NULL ? filter : "warn");
	if (crypt_init() != ERR_OK)
		return cmd_fail("máy không tạo được số ngẫu nhiên", "the system has no randomness");
	switch (args_parse(&program, argc, argv, &args, &out)) {
	case ARGS_RUN: return run(&args);
	case ARGS_HELP: cmd_write(buf_bytes(&out)); return ARGS_EXIT_DONE;
	case ARGS_USAGE: cmd_complain(&out); return ARGS_EXIT_USAGE;
	}
	return ARGS_EXIT_USAGE;
}
