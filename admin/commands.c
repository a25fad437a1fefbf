#define LOG_TAG "commands"

#include "admin/commands.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct args_option global_options[] = {
	{"socket", "PATH",
	 "socket quản trị của ctxhd; mặc định: CTXH_ADMIN_SOCKET, rồi " COMMANDS_SOCKET,
	 "ctxhd's admin socket; default: CTXH_ADMIN_SOCKET, then " COMMANDS_SOCKET, 0, false},
	{"server", "HOST:PORT",
	 "máy chủ ở máy khác, qua TLS, với --account; mật khẩu: cửa sổ lệnh hoặc CTXH_PASSWORD_FILE",
	 "a daemon on another machine, over TLS, with --account; password: terminal or "
	 "CTXH_PASSWORD_FILE",
	 0, false},
	{"account", "NAME", "tài khoản của trang quản trị", "an account of the console", 0, false},
	{"fingerprint", "HEX", "dấu khóa của máy chủ, như “account add” in ra",
	 "of the daemon's key, as “account add” prints it", 0, false},
	{"format", "table|json|csv", "cách in kết quả; mặc định: table; báo cáo còn có xlsx, html",
	 "how to print; default: table; reports also have xlsx, html", 0, false},
};

static const struct args_option limit_options[] = {
	{"limit", "N", "nhiều nhất N dòng; mặc định 100", "at most N rows; default 100", 0, false},
};

static const struct args_option reason_options[] = {
	{"reason", "TEXT", "lý do xem dữ liệu hạn chế; có ghi vết",
	 "why restricted data is read; it is audited", 0, false},
};

static const struct args_option erase_options[] = {
	{"why", "TEXT", "lý do, không ghi tên ai (bắt buộc)",
	 "the reason, without names (required)", 0, false},
	{"basis", "TEXT", "căn cứ pháp luật (bắt buộc)", "the law it follows (required)", 0, false},
	{"with-events", NULL, "xóa cả các lần ghi nhận về hồ sơ này và các hồ sơ trùng đã gộp",
	 "also the events that point at it, and doubles joined to it", 0, false},
	{"dry-run", NULL, "chỉ cho biết sẽ xóa gì", "only say what would be erased", 0, false},
};

static const struct args_option open_options[] = {
	{"open", NULL, "chỉ những cái chưa quyết định", "only those not decided yet", 0, false},
	{"decided", NULL, "chỉ những quyết định có thể rút lại, mới nhất trước",
	 "only decisions that can be taken back, the last one first", 0, false},
	{"reason", "TEXT", "lý do xem dữ liệu hạn chế; có ghi vết",
	 "why restricted data is read; it is audited", 0, false},
};

static const struct args_option duplicate_options[] = {
	{"limit", "N", "nhiều nhất N cặp, giống nhất trước; mặc định 100",
	 "at most N pairs, the likeliest first; default 100", 0, false},
	{"distinct", NULL, "những cặp đã ghi là hai người, mới nhất trước",
	 "pairs that were told apart, the last first", 0, false},
	{"reason", "TEXT", "lý do xem dữ liệu hạn chế; có ghi vết",
	 "why restricted data is read; it is audited", 0, false},
};

static const struct args_option import_options[] = {
	{"from", "DATE", "ngày danh mục có hiệu lực (bắt buộc)",
	 "day the list takes effect (required)", 0, false},
	{"until", "DATE", "ngày danh mục hết hiệu lực", "day the list ends", 0, false},
	{"dry-run", NULL, "chỉ xem sẽ thay đổi gì", "only tell what would change", 0, false},
};

static const struct args_option succession_options[] = {
	{"on", "DATE", "ngày sắp xếp có hiệu lực (bắt buộc)",
	 "day the succession takes effect (required)", 0, false},
	{"dry-run", NULL, "chỉ xem sẽ thay đổi gì", "only tell what would change", 0, false},
};

static const struct args_option unit_list_options[] = {
	{"province", "CODE", "chỉ các xã của tỉnh này", "only communes of this province", 0, false},
	{"on", "DATE", "danh mục vào ngày này; mặc định: hôm nay", "as of this day; default: today",
	 0, false},
};

static const struct args_option device_list_options[] = {
	{"unit", "CODE", "chỉ thiết bị được giao đơn vị này", "only devices given this unit", 0,
	 false},
	{"state", "active|stale|never|forked|revoked", "chỉ tình trạng này", "only this state", 0,
	 false},
	{"find", "TEXT", "chỉ máy có những chữ này trong tên, người dùng, mã hay tên đơn vị",
	 "only with these words in its name, user, unit's code or name", 0, false},
	{"limit", "N", "nhiều nhất N máy; mặc định: tất cả", "at most N devices; default: all", 0,
	 false},
};

static const struct args_option board_options[] = {
	{"province", "CODE", "chỉ tỉnh này", "only this province", 0, false},
	{"unit", "CODE", "chỉ xã hoặc huyện này", "only this commune or district", 0, false},
	{"attention", NULL, "chỉ những xã cần xem", "only what somebody should look at", 0, false},
};

static const struct args_option invite_options[] = {
	{"unit", "CODE[,CODE…]", "đơn vị của thiết bị (bắt buộc)", "units of the device (required)",
	 0, true},
	{"on", "DATE", "mã đơn vị hiểu theo ngày này; mặc định: hôm nay",
	 "what the codes meant on this day; default: today", 0, false},
	{"author", "NAME", "người sẽ dùng thiết bị", "who will use the device", 0, false},
	{"clearance", "restricted", "được thấy dữ liệu hạn chế", "may see restricted data", 0,
	 false},
	{"expires", "72h", "hạn của lời mời: 30m, 72h, 7d; mặc định 72h",
	 "how long it holds: 30m, 72h, 7d; default 72h", 0, false},
	{"qr", NULL, "in thêm mã QR", "print a QR code as well", 0, false},
};

static const struct args_option release_options[] = {
	{"expires", "72h", "hạn của lời mời: 30m, 72h, 7d; mặc định 72h",
	 "how long it holds: 30m, 72h, 7d; default 72h", 0, false},
	{"qr", NULL, "in thêm mã QR", "print a QR code as well", 0, false},
};

static const struct args_option why_options[] = {
	{"why", "TEXT", "lý do (bắt buộc)", "the reason (required)", 0, false},
};

static const struct args_option log_options[] = {
	{"follow", NULL, "in tiếp những lần đồng bộ mới", "go on with new sessions", 'f', false},
	{"unit", "CODE", "chỉ đơn vị này", "only this unit", 0, false},
	{"device", "N", "chỉ thiết bị này", "only this device", 0, false},
	{"since", "TIME", "từ ngày hoặc thời điểm này", "from this day or moment on", 0, false},
	{"until", "TIME", "đến hết ngày này, hoặc trước thời điểm này",
	 "until the end of this day, or before this moment", 0, false},
	{"outcome", "ok|partial|refused|failed", "chỉ kết quả này", "only this outcome", 0, false},
	{"limit", "N", "nhiều nhất N dòng; mặc định 100", "at most N rows; default 100", 0, false},
};

static const struct args_option account_options[] = {
	{"role", "administrator|reviewer|reporter|auditor", "vai trò (bắt buộc)", "role (required)",
	 0, false},
	{"clearance", "restricted", "được xem dữ liệu hạn chế, có nêu lý do",
	 "may see restricted data, with a reason", 0, false},
	{"unit", "CODE[,CODE…]",
	 "chỉ thấy và quyết định trong các đơn vị này; mặc định: cả văn phòng",
	 "sees and decides only in these units; default: the whole office", 0, true},
};

static const struct args_option account_units_options[] = {
	{"all", NULL, "cả văn phòng", "the whole office", 0, false},
};

/* The last one is of `report run` alone: what is frozen is printed later. */
static const struct args_option report_options[] = {
	{"unit", "CODE", "đơn vị: tỉnh, huyện hoặc xã (bắt buộc)",
	 "unit: province, district or commune (required)", 0, false},
	{"from", "DATE", "ngày đầu kỳ (bắt buộc)", "first day of the period (required)", 0, false},
	{"to", "DATE", "ngày cuối kỳ (bắt buộc)", "last day of the period (required)", 0, false},
	{"on", "DATE", "mã đơn vị hiểu theo ngày này; mặc định: ngày cuối kỳ",
	 "what the code meant on this day; default: the last day", 0, false},
	{"at", "LOG", "theo số liệu khi nhật ký mới đến số này; mặc định: hiện nay",
	 "as the data stood at this log number; default: now", 0, false},
	{"output", "FILE", "ghi vào tệp", "write to a file", 'o', false},
};
#define FREEZE_OPTIONS report_options, COUNT(report_options) - 1

static const struct args_option output_options[] = {
	{"output", "FILE", "ghi vào tệp", "write to a file", 'o', false},
};

static const struct args_option accept_options[] = {
	{"dry-run", NULL, "chỉ cho biết từng dòng sẽ ra sao", "only say what each row would do", 0,
	 false},
};

static const struct args_option key_options[] = {
	{"key", "FILE", "tệp khóa mở bản sao lưu; mặc định: khóa nằm trong thư mục dữ liệu, nếu có",
	 "key file that opens it; default: the one in the state folder, if there", 0, false},
};

static const struct args_option keygen_options[] = {
	{"output", "FILE", "tệp khóa bí mật; mặc định: ctxh-backup.key",
	 "file of the secret key; default: ctxh-backup.key", 'o', false},
};

static const struct args_option restore_options[] = {
	{"state", "DIR", "thư mục dữ liệu mới, chưa có (bắt buộc)",
	 "the new state folder, which must not exist (required)", 0, false},
	{"key", "FILE", "tệp khóa; mặc định: backup.key cạnh bản sao lưu hoặc một thư mục trên đó",
	 "key file; default: backup.key beside the backup, or one folder up", 0, false},
	{"erasures", "FILE",
	 "danh sách xóa theo luật cất ở nơi khác; tệp erasures cạnh bản sao lưu vẫn được dùng",
	 "list of erasures by law kept elsewhere; a file erasures beside the backup is used, too",
	 0, false},
};

static const struct args_option bundle_options[] = {
	{"out", "RETURN", "ghi tệp trả về vào đây, để mang về xã",
	 "write the return file here, to be carried back", 'o', false},
};

static const struct args_option checkpoint_options[] = {
	{"output", "FILE", "ghi vào tệp này; mặc định: ra màn hình",
	 "write to this file; default: stdout", 'o', false},
};

static const struct args_positional checkpoint_positional[] = {{"FILE", true, false}};
static const struct args_positional bundle_positional[] = {{"FILE", false, false}};
static const struct args_positional file_positional[] = {{"FILE.csv", false, false}};
static const struct args_positional records_positional[] = {{"RECORD", false, true}};
static const struct args_option placing_options[] = {
	{"unit", "CODE", "từng hồ sơ chờ của xã đã chia này",
	 "each waiting record of this divided commune", 0, false},
	{"limit", "N", "nhiều nhất N hồ sơ; mặc định 200", "at most N records; default 200", 0,
	 false},
	{"reason", "TEXT", "lý do xem dữ liệu hạn chế; có ghi vết",
	 "why restricted data is read; it is audited", 0, false},
};
static const struct args_option place_options[] = {
	{"unit", "CODE", "xã nhận hồ sơ", "the commune that gets them", 0, false},
};
static const struct args_positional number_positional[] = {{"NUMBER", false, false}};
static const struct args_positional session_positional[] = {{"SESSION", false, false}};
static const struct args_positional id_positional[] = {{"ID", false, false}};
static const struct args_positional join_positional[] = {{"KEEP", false, false},
							 {"OTHER", false, false}};
static const struct args_positional pair_positional[] = {{"A", false, false}, {"B", false, false}};
static const struct args_positional record_positional[] = {{"RECORD", false, false}};
static const struct args_positional name_positional[] = {{"NAME", false, false}};
static const struct args_positional account_units_positional[] = {{"NAME", false, false},
								  {"CODE[,CODE…]", true, true}};
static const struct args_positional account_role_positional[] = {{"NAME", false, false},
								 {"ROLE", false, false}};
static const struct args_positional sql_positional[] = {{"SQL", false, false}};

static const struct args_positional json_positional[] = {{"FILE.json", false, false}};
static const struct args_positional frozen_positional[] = {{"FROZEN", false, false}};
static const struct args_positional backup_positional[] = {{"BACKUP", false, false}};

#define OPTIONS(array)     array, COUNT(array)
#define NO_OPTIONS         NULL, 0
#define POSITIONALS(array) array, COUNT(array)
#define NO_POSITIONALS     NULL, 0

static const struct args_command commands[] = {
	{"status", NO_OPTIONS, NO_POSITIONALS, "tình trạng máy chủ, thiết bị, các xã",
	 "state of the daemon, devices, communes", cmd_status},
	{"health", NO_OPTIONS, NO_POSITIONALS,
	 "máy chủ: sẵn sàng chưa, đĩa, hàng chờ, thời gian ghi đĩa, các đường gửi bản tin",
	 "the daemon itself: ready, disk, queue, time of commits, alerts", cmd_health},
	{"board", OPTIONS(board_options), NO_POSITIONALS,
	 "từng xã: còn mới, lâu chưa thấy, còn thiếu, chờ quyết định",
	 "every commune: fresh, stale, missing, waiting for a decision", cmd_board},
	{"unit import", OPTIONS(import_options), POSITIONALS(file_positional),
	 "nhập danh mục đơn vị hành chính", "import a list of administrative units",
	 cmd_unit_import},
	{"unit succession", OPTIONS(succession_options), POSITIONALS(file_positional),
	 "nhập bảng chuyển đơn vị cũ thành đơn vị mới", "import which unit became part of which",
	 cmd_unit_succession},
	{"unit placing", OPTIONS(placing_options), NO_POSITIONALS,
	 "các xã đã chia, hồ sơ chờ được xếp vào xã mới",
	 "divided communes, whose records wait to be placed", cmd_unit_placing},
	{"unit place", OPTIONS(place_options), POSITIONALS(records_positional),
	 "xếp hồ sơ của xã đã chia, cùng những gì thuộc về nó, vào một xã mới",
	 "place records of a divided commune, and what belongs to them, into a new one",
	 cmd_unit_place},
	{"unit list", OPTIONS(unit_list_options), NO_POSITIONALS, "các xã vào một ngày",
	 "communes on a day", cmd_unit_list},
	{"device invite", OPTIONS(invite_options), NO_POSITIONALS, "tạo lời mời cho một thiết bị",
	 "make an invitation for one device", cmd_device_invite},
	{"device list", OPTIONS(device_list_options), NO_POSITIONALS, "các thiết bị", "devices",
	 cmd_device_list},
	{"device show", NO_OPTIONS, POSITIONALS(number_positional), "một thiết bị", "one device",
	 cmd_device_show},
	{"device revoke", OPTIONS(why_options), POSITIONALS(number_positional),
	 "thu hồi thiết bị, có hiệu lực ngay", "revoke a device, at once", cmd_device_revoke},
	{"device release", OPTIONS(release_options), POSITIONALS(number_positional),
	 "lời mời để máy bị tách ra (đĩa sao chép, phục hồi, thiếu số) đi tiếp với số mới",
	 "an invitation by which a device set aside (disk copied, rolled back, numbers lost) goes on "
	 "under another number",
	 cmd_device_release},
	{"log", OPTIONS(log_options), NO_POSITIONALS, "nhật ký đồng bộ", "the sync log", cmd_log},
	{"log show", OPTIONS(reason_options), POSITIONALS(session_positional),
	 "một lần đồng bộ và mọi thay đổi của nó", "one session with every change in it",
	 cmd_log_show},
	{"record show", OPTIONS(reason_options), POSITIONALS(id_positional),
	 "một hồ sơ và lịch sử; ID: từ 8 chữ số đầu",
	 "one record and its history; ID: its first 8 digits or more", cmd_record_show},
	{"missing", NO_OPTIONS, NO_POSITIONALS, "những thay đổi biết là chưa đến",
	 "changes known to be missing", cmd_missing},
	{"conflict list", OPTIONS(open_options), NO_POSITIONALS, "các xung đột", "conflicts",
	 cmd_conflict_list},
	{"conflict show", OPTIONS(reason_options), POSITIONALS(number_positional), "một xung đột",
	 "one conflict", cmd_conflict_show},
	{"conflict keep", NO_OPTIONS, POSITIONALS(number_positional),
	 "giá trị đang có là đúng; xung đột khép lại", "the value that stands is right; closes it",
	 cmd_conflict_keep},
	{"conflict restore", NO_OPTIONS, POSITIONALS(number_positional),
	 "ghi lại giá trị đã bị thay, như một thay đổi của văn phòng",
	 "write the value that lost again, as a change of the office", cmd_conflict_restore},
	{"conflict reopen", NO_OPTIONS, POSITIONALS(number_positional),
	 "rút lại quyết định của văn phòng; xung đột lại mở",
	 "take the office's decision back; the conflict is open again", cmd_conflict_reopen},
	{"quarantine list", OPTIONS(open_options), NO_POSITIONALS, "các thay đổi bị giữ lại",
	 "changes in quarantine", cmd_quarantine_list},
	{"quarantine show", OPTIONS(reason_options), POSITIONALS(number_positional),
	 "một thay đổi bị giữ lại, nguyên vẹn", "one quarantined change, whole",
	 cmd_quarantine_show},
	{"quarantine replay", NO_OPTIONS, POSITIONALS(number_positional),
	 "ghi thay đổi bị giữ lại, khi nguyên nhân không còn",
	 "merge a quarantined change once its cause is gone", cmd_quarantine_replay},
	{"quarantine discard", OPTIONS(why_options), POSITIONALS(number_positional),
	 "không nhận thay đổi bị giữ lại; vẫn lưu", "turn a quarantined change down; it is kept",
	 cmd_quarantine_discard},
	{"quarantine reopen", NO_OPTIONS, POSITIONALS(number_positional),
	 "rút lại “discard”; thay đổi lại chờ quyết định",
	 "take a discard back; the change waits for a decision again", cmd_quarantine_reopen},
	{"duplicate list", OPTIONS(duplicate_options), NO_POSITIONALS,
	 "những người có thể trùng nhau", "people who may be there twice", cmd_duplicate_list},
	{"duplicate join", NO_OPTIONS, POSITIONALS(join_positional),
	 "nhập hồ sơ OTHER vào KEEP; không xóa gì", "join OTHER to KEEP; nothing is deleted",
	 cmd_duplicate_join},
	{"duplicate split", NO_OPTIONS, POSITIONALS(id_positional), "tách hồ sơ đã nhập ra lại",
	 "undo a join", cmd_duplicate_split},
	{"duplicate distinct", NO_OPTIONS, POSITIONALS(pair_positional),
	 "hai hồ sơ là hai người; không liệt kê nữa", "the two are not the same; not listed again",
	 cmd_duplicate_distinct},
	{"duplicate reopen", NO_OPTIONS, POSITIONALS(pair_positional),
	 "rút lại “distinct”; hai hồ sơ lại được liệt kê nếu còn giống nhau",
	 "take a distinct back; the two are listed again if they are still alike",
	 cmd_duplicate_reopen},
	{"bundle in", OPTIONS(bundle_options), POSITIONALS(bundle_positional),
	 "nhận tệp của xã mang đến, làm tệp trả về",
	 "merge a file brought by hand, make its return file", cmd_bundle_in},
	{"query", OPTIONS(reason_options), POSITIONALS(sql_positional),
	 "một lệnh SELECT trên các bảng dữ liệu; có ghi vết",
	 "one SELECT over the record tables; audited", cmd_query},
	{"report list", NO_OPTIONS, NO_POSITIONALS, "các chỉ tiêu và báo cáo",
	 "indicators and reports", cmd_report_list},
	{"report run", OPTIONS(report_options), POSITIONALS(id_positional),
	 "tính một chỉ tiêu hoặc báo cáo năm (annual)",
	 "work out an indicator or the yearly report (annual)", cmd_report_run},
	{"report freeze", FREEZE_OPTIONS, POSITIONALS(id_positional),
	 "chốt báo cáo: về sau in lại đúng từng byte",
	 "freeze a report: printed again later, byte for byte", cmd_report_freeze},
	{"report frozen", NO_OPTIONS, NO_POSITIONALS, "các báo cáo đã chốt", "frozen reports",
	 cmd_report_frozen},
	{"report print", OPTIONS(output_options), POSITIONALS(frozen_positional),
	 "in lại báo cáo đã chốt", "print a frozen report again", cmd_report_print},
	{"report late", NO_OPTIONS, POSITIONALS(frozen_positional),
	 "những gì đến sau khi chốt, và số liệu nay khác ra sao",
	 "what came after it was frozen, and which figures differ now", cmd_report_late},
	{"import accept", OPTIONS(accept_options), POSITIONALS(json_positional),
	 "ghi hồ sơ của văn phòng từ tệp JSON, tất cả hoặc không gì cả",
	 "write the office's own records from a JSON file, all or none", cmd_import_accept},
	{"backup now", NO_OPTIONS, NO_POSITIONALS, "sao lưu ngay và đợi đến khi kiểm tra xong",
	 "make a backup and wait until it is verified", cmd_backup_now},
	{"backup list", NO_OPTIONS, NO_POSITIONALS, "các bản sao lưu", "backups", cmd_backup_list},
	{"backup verify", OPTIONS(key_options), POSITIONALS(number_positional),
	 "đọc lại một bản sao lưu; có khóa thì mở và kiểm tra bên trong",
	 "read a backup again; with its key, open it and check what is inside", cmd_backup_verify},
	{"backup keygen", OPTIONS(keygen_options), NO_POSITIONALS,
	 "tạo khóa cho bản sao lưu, không cần máy chủ", "make the keys of backups; needs no daemon",
	 cmd_backup_keygen},
	{"restore", OPTIONS(restore_options), POSITIONALS(backup_positional),
	 "dựng lại máy chủ từ bản sao lưu (tệp hoặc số)",
	 "make a state folder from a backup (file or number)", cmd_restore},
	{"alert show", NO_OPTIONS, NO_POSITIONALS,
	 "bản tin hằng ngày, như khi gửi ngay bây giờ; các đường gửi",
	 "the daily alert as it would go out now; the ways it goes", cmd_alert_show},
	{"alert send", NO_OPTIONS, NO_POSITIONALS, "gửi ngay bản tin qua mọi đường đã đặt",
	 "send it now by every way that is set", cmd_alert_send},
	{"alert test", NO_OPTIONS, NO_POSITIONALS, "gửi thử một tin ngắn qua mọi đường đã đặt",
	 "send a short test by every way that is set", cmd_alert_test},
	{"audit list", OPTIONS(limit_options), NO_POSITIONALS, "vết kiểm tra, mới nhất trước",
	 "the audit, newest first", cmd_audit_list},
	{"audit verify", NO_OPTIONS, POSITIONALS(checkpoint_positional),
	 "kiểm chuỗi vết; có tệp mốc thì kiểm tệp, không cần máy chủ",
	 "check the audit's chain; a checkpoint file without a daemon", cmd_audit_verify},
	{"audit checkpoint", OPTIONS(checkpoint_options), NO_POSITIONALS,
	 "mốc của vết, có chữ ký, để cất ở nơi khác",
	 "a signed checkpoint of the audit, to be kept elsewhere", cmd_audit_checkpoint},
	{"account add", OPTIONS(account_options), POSITIONALS(name_positional),
	 "thêm tài khoản của trang quản trị; in mật khẩu lần đầu",
	 "add an account of the console; prints its first password", cmd_account_add},
	{"account list", NO_OPTIONS, NO_POSITIONALS, "các tài khoản của trang quản trị",
	 "accounts of the console", cmd_account_list},
	{"account reset", NO_OPTIONS, POSITIONALS(name_positional),
	 "mật khẩu lần đầu mới; mở khóa tài khoản", "a new first password; ends its waits",
	 cmd_account_reset},
	{"account remove", NO_OPTIONS, POSITIONALS(name_positional),
	 "xóa tài khoản, có hiệu lực ngay", "remove an account, at once", cmd_account_remove},
	{"account units", OPTIONS(account_units_options), POSITIONALS(account_units_positional),
	 "đổi các đơn vị của tài khoản, có hiệu lực ngay", "other units for an account, at once",
	 cmd_account_units},
	{"account role", NO_OPTIONS, POSITIONALS(account_role_positional),
	 "đổi vai trò của tài khoản, có hiệu lực ngay", "another role for an account, at once",
	 cmd_account_role},
	{"account password", NO_OPTIONS, NO_POSITIONALS,
	 "đặt mật khẩu mới cho tài khoản của mình, với --server",
	 "a new password for one's own account, with --server", cmd_account_password},
	{"erase", OPTIONS(erase_options), POSITIONALS(record_positional),
	 "xóa hẳn một hồ sơ theo luật; không lấy lại được",
	 "law's erasure of a record; cannot be undone", cmd_erase},
	{"verify", NO_OPTIONS, NO_POSITIONALS, "dựng lại từ nhật ký và đối chiếu",
	 "rebuild from the log and compare", cmd_verify},
};

const struct args_program commands_program = {
	.name = "ctxhctl",
	.version = CTXH_VERSION,
	.options = global_options,
	.option_count = COUNT(global_options),
	.commands = commands,
	.command_count = COUNT(commands),
	.help_vi = "Công cụ quản trị của máy chủ ctxhd",
	.help_en = "The office's tool for ctxhd",
};
