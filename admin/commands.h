/*
 * commands - ctxhctl's commands: one table, and the functions behind it.
 *
 * Each is an args_run_fn with a struct ctl as its context; the exit code is what it
 * returns. cmd_*.c has them by subject.
 */
#pragma once

#include "admin/ctl.h"

#define COMMANDS_SOCKET "/run/ctxhd/admin.sock" /* of the service: systemd/ctxhd.socket */

extern const struct args_program commands_program;

int cmd_status(void *context, const struct args *args);
int cmd_board(void *context, const struct args *args);
int cmd_health(void *context, const struct args *args);
int cmd_verify(void *context, const struct args *args);
int cmd_missing(void *context, const struct args *args);
int cmd_audit_list(void *context, const struct args *args);
int cmd_audit_checkpoint(void *context, const struct args *args);
int cmd_audit_verify(void *context, const struct args *args);
int cmd_alert_show(void *context, const struct args *args);
int cmd_alert_send(void *context, const struct args *args);
int cmd_alert_test(void *context, const struct args *args);
int cmd_erase(void *context, const struct args *args);
int cmd_backup_now(void *context, const struct args *args);
int cmd_backup_list(void *context, const struct args *args);
int cmd_backup_verify(void *context, const struct args *args);
int cmd_backup_keygen(void *context, const struct args *args);
int cmd_restore(void *context, const struct args *args);
int cmd_unit_import(void *context, const struct args *args);
int cmd_unit_succession(void *context, const struct args *args);
int cmd_unit_placing(void *context, const struct args *args);
int cmd_unit_place(void *context, const struct args *args);
int cmd_unit_list(void *context, const struct args *args);
int cmd_device_invite(void *context, const struct args *args);
int cmd_device_list(void *context, const struct args *args);
int cmd_device_show(void *context, const struct args *args);
int cmd_device_revoke(void *context, const struct args *args);
int cmd_device_release(void *context, const struct args *args);
int cmd_log(void *context, const struct args *args);
int cmd_log_show(void *context, const struct args *args);
int cmd_record_show(void *context, const struct args *args);
int cmd_conflict_list(void *context, const struct args *args);
int cmd_conflict_show(void *context, const struct args *args);
int cmd_conflict_keep(void *context, const struct args *args);
int cmd_conflict_restore(void *context, const struct args *args);
int cmd_conflict_reopen(void *context, const struct args *args);
int cmd_duplicate_list(void *context, const struct args *args);
int cmd_duplicate_join(void *context, const struct args *args);
int cmd_duplicate_split(void *context, const struct args *args);
int cmd_duplicate_distinct(void *context, const struct args *args);
int cmd_duplicate_reopen(void *context, const struct args *args);
int cmd_quarantine_list(void *context, const struct args *args);
int cmd_quarantine_show(void *context, const struct args *args);
int cmd_quarantine_replay(void *context, const struct args *args);
int cmd_quarantine_discard(void *context, const struct args *args);
int cmd_quarantine_reopen(void *context, const struct args *args);
int cmd_bundle_in(void *context, const struct args *args);
int cmd_account_add(void *context, const struct args *args);
int cmd_account_list(void *context, const struct args *args);
int cmd_account_reset(void *context, const struct args *args);
int cmd_account_password(void *context, const struct args *args);
int cmd_account_remove(void *context, const struct args *args);
int cmd_account_units(void *context, const struct args *args);
int cmd_account_role(void *context, const struct args *args);
int cmd_query(void *context, const struct args *args);
int cmd_import_accept(void *context, const struct args *args);
int cmd_report_list(void *context, const struct args *args);
int cmd_report_run(void *context, const struct args *args);
int cmd_report_freeze(void *context, const struct args *args);
int cmd_report_frozen(void *context, const struct args *args);
int cmd_report_print(void *context, const struct args *args);
int cmd_report_late(void *context, const struct args *args);
