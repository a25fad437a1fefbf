/* main - ctxhd: arguments, then everything in app.c, then the exit code. */
#define LOG_TAG "main"

#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/crypt.h"
#include "common/base/log.h"
#include "common/text/json.h"
#include "daemon/app.h"
#include "daemon/cmdline.h"
#include "daemon/fatal.h"
#include "daemon/notify.h"
#include "daemon/restore.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE   2

/* Bodies and answers above this go back to the system when they are freed. */
#define LARGE_BLOCK (256 * 1024)

static int check(const struct cmdline *args)
{
	char error[CONFIG_ERROR_LEN] = "";

	if (app_check(args, error) != ERR_OK) {
		(void)fprintf(stderr, "ctxhd: %s\n", error);
		return EXIT_REFUSED;
	}
	(void)printf("ok\n");
	return 0;
}

static int run(const struct cmdline *args)
{
	char error[CONFIG_ERROR_LEN] = "";
	enum err e;

	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	notify_log_to_journal();
	e = app_run(args, error);
	if (e == ERR_OK)
		return 0;
	log_err("error=%s detail=\"%s\"", err_name(e),
		error[0] != '\0' ? error : log_last_detail());
	return err_class(e) == ERR_CLASS_FATAL ? FATAL_EXIT : EXIT_REFUSED;
}

static int restore(const struct cmdline *args)
{
	char who[32];
	char epoch[ID_HEX_LEN];
	struct restored restored;
	const struct restore r = {
		.backup = args->restore,
		.state = args->state,
		.key = args->key,
		.erasures = args->erasures,
		.who = who,
		.clock = clock_system(),
		.rand = rand_system(),
	};

	(void)umask(0077);
	(void)snprintf(who, sizeof who, "uid:%u", (unsigned)getuid());
	if (restore_run(&r, &restored) != ERR_OK) {
		(void)fprintf(stderr,
			      "ctxhd: chưa khôi phục được, %s chưa được tạo / not restored, %s was "
			      "not made: %s\n",
			      args->state, args->state, log_last_detail());
		return EXIT_REFUSED;
	}
	id_print(&restored.epoch, epoch);
	(void)printf(
		"Đã khôi phục vào %s: đến số nhật ký %llu, %llu hồ sơ, %zu thiết bị; kỷ nguyên "
		"mới %s.\nHãy chạy: ctxhd --state %s. Thiết bị tự gửi lại phần còn thiếu ở lần "
		"đồng bộ tới; xem ctxhctl missing. Đừng chạy lại thư mục cũ.\n"
		"Restored into %s: up to log number %llu, %llu records, %zu devices; new epoch "
		"%s.\nRun: ctxhd --state %s. Devices send again what is missing at their next "
		"sync; see ctxhctl missing. Never run the old folder again.\n",
		args->state, (unsigned long long)restored.log, (unsigned long long)restored.records,
		restored.devices, epoch, args->state, args->state, (unsigned long long)restored.log,
		(unsigned long long)restored.records, restored.devices, epoch, args->state);
	if (restored.has_erasures)
		(void)printf("Đã xóa lại theo luật / erased again by law: %llu\n",
			     (unsigned long long)restored.erased);
	else
		(void)puts(
			"Không có danh sách xóa (tệp erasures) cạnh bản sao lưu: hồ sơ đã xóa theo "
			"luật sau bản này, nếu có, nay trở lại; hãy xóa lại, hoặc khôi phục lại vào "
			"thư mục khác với --erasures TỆP.\n"
			"No list of erasures (file erasures) beside the backup: records erased by "
			"law since, if any, are back; erase them again, or restore once more into "
			"another folder with --erasures FILE.");
	return 0;
}

int main(int argc, char **argv)
{
	struct cmdline args;

	json_use_mem();
	cmdline_parse(argc, argv, &args);
	if (crypt_init() != ERR_OK)
		return FATAL_EXIT;
	switch (args.wish) {
	case CMDLINE_RUN: return run(&args);
	case CMDLINE_CHECK: return check(&args);
	case CMDLINE_RESTORE: return restore(&args);
	case CMDLINE_HELP: cmdline_help(); return 0;
	case CMDLINE_VERSION: (void)printf("ctxhd %s\n", CTXH_VERSION); return 0;
	case CMDLINE_WRONG: break;
	}
	(void)fprintf(stderr, "ctxhd: %s\n", args.error);
	return EXIT_USAGE;
}
