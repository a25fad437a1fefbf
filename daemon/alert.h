/*
 * alert - what an office should know without looking: the content of the daily alert, and of one
 * that goes out at once.
 *
 * Counts, numbers and names of units and devices, and nothing else: whatever leaves the house by
 * mail or webhook must never hold a beneficiary's data, so no record is read here. From how many
 * on something is told is set in the configuration (struct config_alert). Pure over store.h and
 * store_sql.h, inside the caller's read transaction; thread: the store's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "daemon/config.h"

struct store;

#define ALERT_ROWS_MAX 20u /* rows told of one item; how many more there are is said */

/*
 * X(name, is told at once, Vietnamese, English, what to do). In the order they are told; the names
 * are JSON keys and stand in file names.
 */
#define ALERT_KIND_MAP(X)                                                                         \
	X(backup_failed, true, "Sao lưu không thành", "The last backup failed",                   \
	  "mở chỗ hoặc quyền như lỗi nêu, rồi: ctxhctl backup now")                               \
	X(disk, true, "Đĩa sắp đầy", "The disk is nearly full",                                   \
	  "dọn chỗ trên đĩa của máy chủ; dưới mức limits.disk_free sẽ không nhận được đồng bộ")   \
	X(forked, true, "Máy bị tách ra, chờ văn phòng quyết định", "Devices set aside",          \
	  "hỏi xã đã chép hay khôi phục đĩa chưa, rồi: ctxhctl device release SỐ")                \
	X(backup_old, false, "Bản sao lưu đã quá cũ, hoặc chưa có", "No recent backup",           \
	  "ctxhctl backup now; xem backup.every trong cấu hình")                                  \
	X(undelivered, false, "Bản tin trước chưa gửi được", "Earlier alerts not delivered",      \
	  "ctxhctl alert show; thử lại: ctxhctl alert test")                                      \
	X(quarantine, false, "Thay đổi đang bị giữ lại", "Changes in quarantine",                 \
	  "ctxhctl quarantine list --open")                                                       \
	X(conflicts, false, "Xung đột chờ quyết định", "Conflicts open",                          \
	  "ctxhctl conflict list --open")                                                         \
	X(missing, false, "Thay đổi biết là chưa đến", "Numbers missing",                         \
	  "ctxhctl missing; nhắc xã đồng bộ; vẫn thiếu: ctxhctl device release SỐ")               \
	X(quiet, false, "Xã lâu không liên lạc", "Communes gone quiet",                           \
	  "gọi cộng tác viên; ctxhctl board --attention")                                         \
	X(never, false, "Xã chưa liên lạc lần nào", "Communes never heard of",                    \
	  "mời máy: ctxhctl device invite --unit MÃ")                                             \
	X(clocks, false, "Máy sai đồng hồ", "Clocks that are wrong",                              \
	  "nhờ cộng tác viên chỉnh giờ máy tính; dữ liệu không mất")                              \
	X(released, false, "Máy đã được giải phóng, xã chưa dùng lời mời", "Releases not used",   \
	  "nhắc xã chạy ctxh enrol với lời mời đã giao")                                          \
	X(placing, false, "Hồ sơ của xã đã chia chờ xếp", "Records of divided communes to place", \
	  "ctxhctl unit placing")

enum alert_kind {
#define X(name, urgent, vi, en, advice) ALERT_##name,
	ALERT_KIND_MAP(X)
#undef X
};
#define ALERT_KINDS (ALERT_placing + 1u)

const char *alert_kind_name(enum alert_kind kind);
const char *alert_kind_vi(enum alert_kind kind);
const char *alert_kind_en(enum alert_kind kind);
const char *alert_kind_advice(enum alert_kind kind);
/* It goes out at once, and not with the daily alert only. */
bool alert_kind_is_urgent(enum alert_kind kind);

/* A unit or a device, or (undelivered) a way; what is not meant is empty or 0. */
struct alert_row {
	struct bytes unit; /* code of today */
	struct bytes unit_name;
	uint32_t device;
	struct bytes device_name;
	struct bytes text;
	uint64_t count;
	int64_t at_ms; /* last heard of, oldest waiting, release expires */
};

struct alert_item {
	enum alert_kind kind;
	uint64_t count;
	int64_t oldest_ms; /* waiting since; 0: not meant */
	struct bytes detail;
	struct alert_row *rows;
	size_t row_count; /* at most ALERT_ROWS_MAX */
	size_t row_total;
};

struct alert {
	int64_t at_ms;
	uint64_t log;
	uint64_t communes;
	uint64_t fresh; /* heard of within config_alert.quiet_ms (of the board, where that is 0) */
	int64_t backup_ms; /* the last one; 0: none */
	uint64_t disk_free;
	bool is_disk_known;
	struct alert_item items[ALERT_KINDS];
	size_t item_count;
};

/* What the store does not know. */
struct alert_facts {
	int64_t now_ms;
	bool is_backup_failed; /* the one that ended last */
	const char *backup_error;
	uint64_t disk_free;
	bool is_disk_known;
	const struct alert_row *undelivered; /* ways, with why as `text` */
	size_t undelivered_count;
};

/* Everything lives in `a`, or as long as `facts`. */
enum err alert_collect(struct store *s, struct arena *a, const struct config_alert *c,
		       const struct alert_facts *facts, struct alert *ret_alert);

/* The devices that are set aside and wait for the office, by number. */
enum err alert_load_forked(struct store *s, struct arena *a, uint32_t **ret_numbers,
			   size_t *ret_count);
