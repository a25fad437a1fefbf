#define LOG_TAG "admin"

#include <string.h>

#include "daemon/admin.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_scope.h"

static const struct admin_command commands[] = {
	{"status", false, admin_status, NULL, NULL},
	{"health", false, admin_health, NULL, NULL},
	{"types", false, admin_types, NULL, NULL},
	{"board", false, admin_board, NULL, NULL},
	{"unit import", true, admin_unit_import, NULL, NULL},
	{"unit succession", true, admin_unit_succession, NULL, NULL},
	{"unit placing", false, admin_unit_placing, NULL, NULL},
	{"unit place", true, admin_unit_place, NULL, NULL},
	{"unit list", false, admin_unit_list, NULL, NULL},
	{"device invite", true, admin_device_invite, NULL, NULL},
	{"device list", false, admin_device_list, NULL, NULL},
	{"device show", false, admin_device_show, NULL, NULL},
	{"device revoke", true, admin_device_revoke, admin_device_revoked, NULL},
	{"device release", true, admin_device_release, NULL, NULL},
	{"log", false, admin_log, NULL, NULL},
	{"log show", false, admin_log_show, NULL, NULL},
	{"record show", false, admin_record_show, NULL, NULL},
	{"missing", false, admin_missing, NULL, NULL},
	{"conflict list", false, admin_conflict_list, NULL, NULL},
	{"conflict show", false, admin_conflict_show, NULL, NULL},
	{"conflict keep", true, admin_conflict_keep, NULL, NULL},
	{"conflict restore", true, admin_conflict_restore, NULL, NULL},
	{"conflict reopen", true, admin_conflict_reopen, NULL, NULL},
	{"quarantine list", false, admin_quarantine_list, NULL, NULL},
	{"quarantine show", false, admin_quarantine_show, NULL, NULL},
	{"quarantine replay", true, admin_quarantine_replay, NULL, NULL},
	{"quarantine discard", true, admin_quarantine_discard, NULL, NULL},
	{"quarantine reopen", true, admin_quarantine_reopen, NULL, NULL},
	{"duplicate list", false, admin_duplicate_list, NULL, NULL},
	{"duplicate join", true, admin_duplicate_join, NULL, NULL},
	{"duplicate split", true, admin_duplicate_split, NULL, NULL},
	{"duplicate distinct", true, admin_duplicate_distinct, NULL, NULL},
	{"duplicate reopen", true, admin_duplicate_reopen, NULL, NULL},
	{"query", false, admin_query, NULL, NULL},
	{"report list", false, admin_report_list, NULL, NULL},
	{"report run", false, admin_report_run, NULL, NULL},
	{"report freeze", false, admin_report_freeze, NULL, NULL},
	{"report frozen", false, admin_report_frozen, NULL, NULL},
	{"report print", false, admin_report_print, NULL, NULL},
	{"report late", false, admin_report_late, NULL, NULL},
	{"import accept", true, admin_import_accept, NULL, NULL},
	{"backup now", true, admin_backup_now, admin_backup_begin, NULL},
	{"backup state", false, admin_backup_state, NULL, NULL},
	{"backup list", false, admin_backup_list, NULL, NULL},
	{"backup verify", false, admin_backup_verify, NULL, NULL},
	{"alert show", false, admin_alert_show, NULL, NULL},
	{"alert send", true, admin_alert_send, admin_alert_begin, NULL},
	{"alert test", true, admin_alert_test, admin_alert_begin_test, NULL},
	{"alert state", false, admin_alert_state, NULL, NULL},
	{"audit list", false, admin_audit_list, NULL, NULL},
	{"audit checkpoint", false, admin_audit_checkpoint, NULL, NULL},
	{"audit verify", false, admin_audit_verify, NULL, NULL},
	{"erase", true, admin_erase, admin_erase_sweep, NULL},
	{"erase state", false, admin_erase_state, NULL, NULL},
	{"verify", false, admin_verify, NULL, NULL},
	{"account add", true, admin_account_add, NULL, admin_account_prepare},
	{"account list", false, admin_account_list, NULL, NULL},
	{"account reset", true, admin_account_reset, admin_account_changed, admin_account_prepare},
	{"account remove", true, admin_account_remove, admin_account_changed, NULL},
	{"account units", true, admin_account_units, admin_account_given, NULL},
	{"account role", true, admin_account_role, admin_account_given, NULL},
};

const struct admin_command *admin_find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

const struct admin_command *admin_command_at(size_t index)
{
	return index < sizeof commands / sizeof commands[0] ? &commands[index] : NULL;
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

enum err admin_prepare(const struct admin_command *command, struct admin_call *call)
{
	enum err e = command->prepare != NULL ? command->prepare(call) : ERR_OK;

	if (e != ERR_OK)
		explain(call, e);
	return e;
}

enum err admin_run(const struct admin_command *command, struct admin_call *call)
{
	enum err e = admin_scope_begin(call);

	if (e == ERR_OK)
		e = command->run(call);
	if (e == ERR_OK)
		e = admin_scope_end(call, command);
	if (e == ERR_OK && command->is_write && admin_wants_audit(call))
		e = admin_leave_audit(call);
	if (e == ERR_OK)
		return ERR_OK;
	json_decref(call->result);
	call->result = NULL;
	explain(call, e);
	return e;
}

bool admin_wants_finish(const struct admin_call *call)
{
	return call->finish != NULL || admin_wants_audit(call);
}

enum err admin_finish(struct admin_call *call, enum err ran)
{
	enum err e = ran == ERR_OK && call->finish != NULL ? call->finish(call) : ERR_OK;

	if (e == ERR_OK && admin_wants_audit(call))
		e = admin_leave_audit(call);
	if (e == ERR_OK)
		return ERR_OK;
	json_decref(call->result);
	call->result = NULL;
	explain(call, e);
	return e;
}
