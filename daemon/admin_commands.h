/*
 * admin_commands - the functions behind the table of admin_table.c, one per command.
 *
 * Arguments (JSON object) and result of each stand beside it in its file; all run as
 * admin.h says.
 */
#pragma once

#include "daemon/admin.h"

enum err admin_status(struct admin_call *call);
enum err admin_health(struct admin_call *call);
enum err admin_types(struct admin_call *call);

enum err admin_board(struct admin_call *call);

enum err admin_alert_show(struct admin_call *call);
enum err admin_alert_send(struct admin_call *call);
void admin_alert_begin(struct admin_call *call); /* committed */
enum err admin_alert_test(struct admin_call *call);
void admin_alert_begin_test(struct admin_call *call); /* committed */
enum err admin_alert_state(struct admin_call *call);

enum err admin_unit_import(struct admin_call *call);
enum err admin_unit_succession(struct admin_call *call);
enum err admin_unit_placing(struct admin_call *call);
enum err admin_unit_place(struct admin_call *call);
enum err admin_unit_list(struct admin_call *call);

enum err admin_device_invite(struct admin_call *call);
enum err admin_device_list(struct admin_call *call);
enum err admin_device_show(struct admin_call *call);
enum err admin_device_revoke(struct admin_call *call);
void admin_device_revoked(struct admin_call *call); /* committed */
enum err admin_device_release(struct admin_call *call);

enum err admin_log(struct admin_call *call);
enum err admin_log_show(struct admin_call *call);
enum err admin_record_show(struct admin_call *call);

enum err admin_missing(struct admin_call *call);
enum err admin_conflict_list(struct admin_call *call);
enum err admin_conflict_show(struct admin_call *call);
enum err admin_conflict_keep(struct admin_call *call);
enum err admin_conflict_restore(struct admin_call *call);
enum err admin_conflict_reopen(struct admin_call *call);
enum err admin_quarantine_list(struct admin_call *call);
enum err admin_quarantine_show(struct admin_call *call);
enum err admin_quarantine_replay(struct admin_call *call);
enum err admin_quarantine_discard(struct admin_call *call);
enum err admin_quarantine_reopen(struct admin_call *call);

enum err admin_duplicate_list(struct admin_call *call);
enum err admin_duplicate_join(struct admin_call *call);
enum err admin_duplicate_split(struct admin_call *call);
enum err admin_duplicate_distinct(struct admin_call *call);
enum err admin_duplicate_reopen(struct admin_call *call);

enum err admin_query(struct admin_call *call);
enum err admin_report_list(struct admin_call *call);
enum err admin_report_run(struct admin_call *call);
enum err admin_report_freeze(struct admin_call *call);
enum err admin_report_frozen(struct admin_call *call);
enum err admin_report_print(struct admin_call *call);
enum err admin_report_late(struct admin_call *call);

enum err admin_import_accept(struct admin_call *call);

enum err admin_backup_now(struct admin_call *call);
void admin_backup_begin(struct admin_call *call); /* committed */
enum err admin_backup_state(struct admin_call *call);
enum err admin_backup_list(struct admin_call *call);
enum err admin_backup_verify(struct admin_call *call);

enum err admin_audit_list(struct admin_call *call);
enum err admin_audit_checkpoint(struct admin_call *call);
enum err admin_audit_verify(struct admin_call *call);
enum err admin_erase(struct admin_call *call);
void admin_erase_sweep(struct admin_call *call); /* committed */
enum err admin_erase_state(struct admin_call *call);
enum err admin_verify(struct admin_call *call);

enum err admin_account_prepare(struct admin_call *call); /* prepare */
enum err admin_account_add(struct admin_call *call);
enum err admin_account_list(struct admin_call *call);
enum err admin_account_reset(struct admin_call *call);
enum err admin_account_remove(struct admin_call *call);
enum err admin_account_units(struct admin_call *call);
enum err admin_account_role(struct admin_call *call);
void admin_account_changed(struct admin_call *call); /* committed */
void admin_account_given(struct admin_call *call);   /* committed */
