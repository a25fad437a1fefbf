#include "daemon/restore_told.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "daemon/restore.h"

/* Beside the detail, which is in English: what happened, and what to do. */
static const char *why_not(enum err e)
{
	if (e == ERR_NOTFOUND)
		return "không thấy bản sao lưu, khóa (hãy nêu --key TỆP) hoặc danh sách xóa "
		       "(--erasures TỆP)";
	if (e == ERR_AUTH)
		return "bản sao lưu bị sửa, bị cụt, hoặc niêm phong cho khóa khác; hãy dùng đúng "
		       "khóa, hoặc bản khác";
	if (e == ERR_CONFLICT)
		return "thư mục ấy đã có (hãy nêu thư mục chưa có), hoặc dữ liệu trong bản sao lưu "
		       "không toàn vẹn";
	if (err_class(e) == ERR_CLASS_RETRY)
		return "hết chỗ trên đĩa, hoặc không ghi được";
	return "tệp hoặc đường dẫn không dùng được";
}

static void tell(const char *state, const struct restored *restored)
{
	char epoch[ID_HEX_LEN];
	const unsigned long long log = restored->log;
	const unsigned long long records = restored->records;

	id_print(&restored->epoch, epoch);
	(void)printf(
		"Đã khôi phục vào %s: đến số nhật ký %llu, %llu hồ sơ, %zu thiết bị; kỷ nguyên "
		"mới %s.\nHãy chạy: ctxhd --state %s; dịch vụ của gói cài đặt: chown -R ctxhd: %s, rồi "
		"systemctl start ctxhd.socket ctxhd. Thiết bị tự gửi lại phần còn thiếu ở lần "
		"đồng bộ tới; xem ctxhctl missing. Đừng chạy lại thư mục cũ.\n"
		"Restored into %s: up to log number %llu, %llu records, %zu devices; new epoch "
		"%s.\nRun: ctxhd --state %s; the package's service: chown -R ctxhd: %s, then systemctl "
		"start ctxhd.socket ctxhd. Devices send again what is missing at their next "
		"sync; see ctxhctl missing. Never run the old folder again.\n",
		state, log, records, restored->devices, epoch, state, state, state, log, records,
		restored->devices, epoch, state, state);
}

static void tell_erased(const struct restored *restored)
{
	if (restored->has_erasures)
		(void)printf("Đã xóa lại theo luật / erased again by law: %llu\n",
			     (unsigned long long)restored->erased);
	else
		(void)puts(
			"Không có danh sách xóa (tệp erasures) cạnh bản sao lưu: hồ sơ đã xóa theo "
			"luật sau bản này, nếu có, nay trở lại; hãy xóa lại, hoặc khôi phục lại vào "
			"thư mục khác với --erasures TỆP.\n"
			"No list of erasures (file erasures) beside the backup: records erased by "
			"law since, if any, are back; erase them again, or restore once more into "
			"another folder with --erasures FILE.");
}

enum err restore_told(const struct cmdline *args)
{
	char who[32];
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
	enum err e;

	(void)umask(0077);
	(void)snprintf(who, sizeof who, "uid:%u", (unsigned)getuid());
	e = restore_run(&r, &restored);
	if (e != ERR_OK) {
		(void)fprintf(stderr,
			      "ctxhd: chưa khôi phục được, %s chưa được tạo: %s / not restored, %s "
			      "was not made: %s\n",
			      args->state, why_not(e), args->state, log_last_detail());
		return e;
	}
	tell(args->state, &restored);
	tell_erased(&restored);
	return ERR_OK;
}
