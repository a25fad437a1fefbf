#define LOG_TAG "admin"

#include <string.h>

#include "daemon/admin.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"

static const struct admin_command commands[] = {
	{"status", false, admin_status, NULL},
	{"unit import", true, admin_unit_import, NULL},
	{"unit succession", true, admin_unit_succession, NULL},
	{"unit placing", false, admin_unit_placing, NULL},
	{"unit place", true, admin_unit_place, NULL},
	{"unit list", false, admin_unit_list, NULL},
	{"device invite", true, admin_device_invite, NULL},
	{"device list", false, admin_device_list, NULL},
	{"device show", false, admin_device_show, NULL},
	{"device revoke", true, admin_device_revoke, admin_device_revoked},
	{"device release", true, admin_device_release, NULL},
	{"log", false, admin_log, NULL},
	{"log show", false, admin_log_show, NULL},
	{"record show", false, admin_record_show, NULL},
	{"missing", false, admin_missing, NULL},
	{"conflict list", false, admin_conflict_list, NULL},
	{"conflict show", false, admin_conflict_show, NULL},
	{"conflict keep", true, admin_conflict_keep, NULL},
	{"conflict restore", true, admin_conflict_restore, NULL},
	{"quarantine list", false, admin_quarantine_list, NULL},
	{"quarantine show", false, admin_quarantine_show, NULL},
	{"quarantine replay", true, admin_quarantine_replay, NULL},
	{"quarantine discard", true, admin_quarantine_discard, NULL},
	{"duplicate list", false, admin_duplicate_list, NULL},
	{"duplicate join", true, admin_duplicate_join, NULL},
	{"duplicate split", true, admin_duplicate_split, NULL},
	{"duplicate distinct", true, admin_duplicate_distinct, NULL},
	{"query", false, admin_query, NULL},
	{"report list", false, admin_report_list, NULL},
	{"report run", false, admin_report_run, NULL},
	{"backup now", true, admin_backup_now, admin_backup_begin},
	{"backup state", false, admin_backup_state, NULL},
	{"backup list", false, admin_backup_list, NULL},
	{"backup verify", false, admin_backup_verify, NULL},
	{"audit list", false, admin_audit_list, NULL},
	{"audit checkpoint", false, admin_audit_checkpoint, NULL},
	{"audit verify", false, admin_audit_verify, NULL},
	{"erase", true, admin_erase, admin_erase_sweep},
	{"erase state", false, admin_erase_state, NULL},
	{"verify", false, admin_verify, NULL},
};

const struct admin_command *admin_find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

/* What the store could not do, in words; the handlers' own words come first. */
static void explain(struct admin_call *call, enum err e)
{
	const char *vi = "Kho dữ liệu báo lỗi; chưa có gì thay đổi; xem nhật ký của ctxhd";
	const char *en = "the store reported an error; nothing was changed; see ctxhd's log";

	switch (err_class(e)) {
	case ERR_CLASS_NONE:
	case ERR_CLASS_REJECT:
		vi = "Không làm được; chưa có gì thay đổi";
		en = "refused; nothing was changed";
		break;
	case ERR_CLASS_RETRY:
		vi = "Máy chủ đang bận; chưa có gì thay đổi; hãy thử lại";
		en = "the daemon is busy; nothing was changed; try again";
		break;
	case ERR_CLASS_FATAL: break;
	}
	(void)admin_fail(call, e, "%s (%s) / %s (%s: %s)", vi, err_name(e), en, err_name(e),
			 err_text(e));
}

enum err admin_run(const struct admin_command *command, struct admin_call *call)
{
	enum err e = command->run(call);

	if (e == ERR_OK && command->is_write && admin_wants_audit(call))
		e = admin_leave_audit(call);
	if (e == ERR_OK)
		return ERR_OK;
	json_decref(call->result);
	call->result = NULL;
	explain(call, e);
	return e;
}
