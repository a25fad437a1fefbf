/* cmd_backup - backup now, list, verify, keygen; restore. */
#define LOG_TAG "cmd"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/listing.h"
#include "common/base/crypt.h"
#include "common/base/log.h"
#include "common/base/outfile.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))

#define KEY_FILE "ctxh-backup.key"
#define KEY_MAX  4096u
#define PATH_LEN 4096u

/* ---- now ---- */

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void show_progress(const struct ctl *ctl, const json_t *state)
{
	json_int_t pages = number_of(state, "pages");

	if (ctl->format != TABLE_TABLE || isatty(STDERR_FILENO) == 0)
		return;
	(void)fprintf(stderr, "\r%-10s %3lld %%",
		      json_string_value(json_object_get(state, "phase")),
		      pages != 0 ? (pages - number_of(state, "left")) * 100 / pages : 0);
}

static const struct listing_column made_columns[] = {
	{"backup", "Bản sao lưu", "Backup", LISTING_TEXT, false},
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"log", "Đến số nhật ký", "Up to log number", LISTING_TEXT, false},
	{"bytes", "Số byte", "Bytes", LISTING_TEXT, false},
	{"path", "Tệp", "File", LISTING_TEXT, false},
	{"ms", "Mất (ms)", "Took (ms)", LISTING_TEXT, false},
	{"longest_step_ms", "Chờ lâu nhất (ms)", "Longest step (ms)", LISTING_TEXT, false},
	{"key_here", "Khóa còn ở máy chủ", "Key still on the server", LISTING_TEXT, false},
	{"same_disk", "Cùng đĩa với dữ liệu", "On the disk of the store", LISTING_TEXT, false},
};

static void warn(const json_t *last)
{
	if (json_is_true(json_object_get(last, "key_here")))
		ctl_complain(
			"CẢNH BÁO: khóa mở bản sao lưu (backup.key) còn nằm trong thư mục dữ "
			"liệu của ctxhd: mất đĩa là mất luôn khóa; hãy chuyển nó sang nơi khác / "
			"WARNING: the key that opens backups (backup.key) lies in ctxhd's state "
			"folder: lost with that disk; move it to another place");
	if (json_is_true(json_object_get(last, "same_disk")))
		ctl_complain(
			"CẢNH BÁO: bản sao lưu nằm cùng đĩa với dữ liệu; hãy đặt backup.folder "
			"sang đĩa khác / WARNING: the backup is on the disk of the store; set "
			"backup.folder to another disk");
}

int cmd_backup_now(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *begun = NULL;
	JSON_AUTO json_t *state = NULL;
	json_t *last;
	int code = ctl_call(ctl, "backup now", NULL, CTL_TIMEOUT_MS, &begun);

	(void)args;
	if (begun == NULL)
		return code;
	code = ctl_wait_for(ctl, "backup state", begun, show_progress, &state);
	if (ctl->format == TABLE_TABLE && isatty(STDERR_FILENO) != 0)
		(void)fputs("\r\033[K", stderr);
	if (state == NULL)
		return code;
	last = json_object_get(state, "last");
	if (!json_is_true(json_object_get(last, "done"))) {
		const char *why = json_string_value(json_object_get(last, "error"));

		ctl_complain("sao lưu không thành (%s); các bản trước vẫn còn; xem nhật ký của "
			     "ctxhd / no backup was made (%s); those before are kept; see ctxhd's "
			     "log",
			     why, why);
		return ARGS_EXIT_FAILED;
	}
	(void)json_object_del(last, "done");
	(void)json_object_del(last, "error");
	listing_print_object(ctl, made_columns, COUNT(made_columns), last, &out);
	warn(last);
	return ctl_print(&out);
}

/* ---- list, verify ---- */

static const struct listing_column list_columns[] = {
	{"backup", "Số", "Backup", LISTING_TEXT, false},
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"log", "Đến số", "Log", LISTING_TEXT, false},
	{"bytes", "Số byte", "Bytes", LISTING_TEXT, false},
	{"verified_at", "Đã kiểm tra", "Verified", LISTING_TIME, false},
	{"there", "Còn tệp", "There", LISTING_TEXT, false},
	{"path", "Tệp", "File", LISTING_TEXT, false},
	{"hash", NULL, NULL, LISTING_TEXT, true},
};

int cmd_backup_list(void *context, const struct args *args)
{
	(void)args;
	return listing_ask(context, "backup list", NULL, list_columns, COUNT(list_columns));
}

static const struct listing_column verify_columns[] = {
	{"backup", "Bản sao lưu", "Backup", LISTING_TEXT, false},
	{"path", "Tệp", "File", LISTING_TEXT, false},
	{"bytes", "Số byte, đúng như đã ghi", "Bytes, as written", LISTING_TEXT, false},
	{"opened", "Đã mở và kiểm tra bên trong", "Opened, checked inside", LISTING_TEXT, false},
	{"log", "Đến số nhật ký", "Up to log number", LISTING_TEXT, false},
	{"records", "Hồ sơ", "Records", LISTING_TEXT, false},
};

int cmd_backup_verify(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf key = {0};
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	const char *path = args_value(args, "key", NULL);
	json_t *call = json_object();
	int code = ctl_put_positional_number(call, args, 0, "backup");

	if (code == ARGS_EXIT_DONE && path != NULL)
		code = ctl_read(path, KEY_MAX, &key);
	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	if (path != NULL)
		json_object_set_new(call, "key", json_string(buf_cstr(&key)));
	if (key.len != 0)
		crypt_wipe(key.data, key.len);
	code = ctl_call(ctl, "backup verify", call, CTL_NO_LIMIT, &result);
	if (result == NULL)
		return code;
	listing_print_object(ctl, verify_columns, COUNT(verify_columns), result, &out);
	if (!json_is_true(json_object_get(result, "opened")))
		ctl_complain(
			"tệp còn nguyên như khi được kiểm tra; muốn mở ra kiểm tra nữa hãy cho "
			"--key FILE / the file is the one that was verified; to open it as well "
			"give --key FILE");
	return ctl_print(&out);
}

/* ---- keygen ---- */

static int write_key(const char *path, const struct box_pair *pair)
{
	char text[BOX_PAIR_TEXT_LEN];
	enum err e;

	box_pair_print(pair, text);
	e = outfile_write_new(path, bytes_str(text));
	crypt_wipe(text, sizeof text);
	if (e == ERR_OK)
		return ARGS_EXIT_DONE;
	if (e == ERR_CONFLICT)
		ctl_complain("%s đã có; không ghi đè, chưa tạo khóa nào / %s is there; it was not "
			     "replaced, no key was made",
			     path, path);
	else
		ctl_complain("chưa ghi được tệp khóa (%s); chưa tạo khóa nào / the key file was "
			     "not written (%s); no key was made",
			     log_last_detail(), log_last_detail());
	return ARGS_EXIT_FAILED;
}

/* Offline: the secret never meets the daemon. */
int cmd_backup_keygen(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	const char *path = args_value(args, "output", KEY_FILE);
	char hex[BOX_HEX_LEN];
	struct box_pair pair;
	int code;

	if (crypt_init() != ERR_OK)
		return ARGS_EXIT_FAILED;
	box_pair_new(rand_system(), &pair);
	box_public_print(&pair.public_key, hex);
	code = write_key(path, &pair);
	crypt_wipe(&pair, sizeof pair);
	if (code != ARGS_EXIT_DONE)
		return code;
	if (ctl->format == TABLE_JSON) {
		JSON_AUTO json_t *j = json_pack("{s:s, s:s}", "recipient", hex, "key", path);

		ctl_append_json(&out, j);
	} else if (ctl->format == TABLE_CSV) {
		buf_printf(&out, "recipient,key\n%s,%s\n", hex, path);
	} else {
		buf_printf(
			&out,
			"backup:\n  recipient: %s\n\n"
			"Hai dòng trên cho vào ctxhd.yaml. Tệp %s mở được mọi bản sao lưu: cất "
			"ngoài máy chủ, ít nhất hai nơi; mất nó thì không bản nào mở được nữa.\n"
			"Put the two lines above into ctxhd.yaml. The file %s opens every backup: "
			"keep it off the server, in two places at least; without it none opens.\n",
			hex, path, path);
	}
	return ctl_print(&out);
}

/* ---- restore ---- */

static bool is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* A number is looked up while the daemon lives; a file needs nobody. */
static int find_file(const struct ctl *ctl, const char *backup, char ret_path[PATH_LEN])
{
	JSON_AUTO json_t *rows = NULL;
	const json_t *row;
	size_t i;
	int code;

	if (!is_number(backup) || access(backup, F_OK) == 0) {
		(void)snprintf(ret_path, PATH_LEN, "%s", backup);
		return ARGS_EXIT_DONE;
	}
	code = ctl_call(ctl, "backup list", NULL, CTL_TIMEOUT_MS, &rows);
	if (rows == NULL)
		return code;
	json_array_foreach(rows, i, row)
	{
		if (number_of(row, "backup") != strtoll(backup, NULL, 10))
			continue;
		(void)snprintf(ret_path, PATH_LEN, "%s",
			       json_string_value(json_object_get(row, "path")));
		return ARGS_EXIT_DONE;
	}
	ctl_complain("không có bản sao lưu %s; chưa làm gì / no backup %s; nothing was done",
		     backup, backup);
	return ARGS_EXIT_FAILED;
}

/* Beside us, or where the system has daemons. */
static void find_daemon(char ret_path[PATH_LEN])
{
	static const char *const places[] = {"ctxhd", "../sbin/ctxhd"};
	char self[PATH_LEN];
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash != NULL && i < COUNT(places); i++) {
		int n = snprintf(ret_path, PATH_LEN, "%.*s%s", (int)(slash - self) + 1, self,
				 places[i]);

		if (n > 0 && n < (int)PATH_LEN && access(ret_path, X_OK) == 0)
			return;
	}
	(void)snprintf(ret_path, PATH_LEN, "ctxhd");
}

/* The daemon's own program does it: it alone knows the store, and it will run on the result. */
int cmd_restore(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	const char *state = args_value(args, "state", NULL);
	const char *key = args_value(args, "key", NULL);
	const char *erasures = args_value(args, "erasures", NULL);
	char daemon[PATH_LEN];
	char backup[PATH_LEN];
	const char *more[4] = {NULL};
	size_t count = 0;
	int code;

	if (state == NULL)
		return ctl_usage(args, "cần --state DIR, một thư mục chưa có",
				 "--state DIR is wanted, a folder that does not exist");
	code = find_file(ctl, args_positional(args, 0), backup);
	if (code != ARGS_EXIT_DONE)
		return code;
	find_daemon(daemon);
	if (key != NULL) {
		more[count++] = "--key";
		more[count++] = key;
	}
	if (erasures != NULL) {
		more[count++] = "--erasures";
		more[count++] = erasures;
	}
	(void)execlp(daemon, daemon, "--restore", backup, "--state", state, more[0], more[1],
		     more[2], more[3], NULL);
	ctl_complain("không chạy được %s: %s; chưa làm gì / %s cannot be run; nothing was done",
		     daemon, strerror(errno), daemon);
	return ARGS_EXIT_FAILED;
}
