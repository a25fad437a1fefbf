/*
 * admin_scope - what an account that was given units may see and decide.
 *
 * It sees the records that are in its units now (units_load_area()), the devices given any of them
 * and their contacts, and what these left behind; it decides about a record in them, and about a
 * device all of whose units are among them. Whatever else there is does not exist for it: it is
 * told what is told of what was never there. An account without units, and who holds the socket,
 * see all.
 *
 * Fail closed: a command of role.c's UNITS whose handler never asked is refused
 * (admin_scope_end()). Inside the caller's transaction; thread: the store's.
 */
#pragma once

#include "common/model/value.h"
#include "daemon/admin.h"

struct quarantine_row;
struct record;

/* Before the command. ERR_AUTH with call->error: the account is no longer there, or may no longer
 * do what it could when it was let in. */
enum err admin_scope_begin(struct admin_call *call);
/* After it. ERR_AUTH: the handler did not keep to the units. */
enum err admin_scope_end(struct admin_call *call, const struct admin_command *command);

/* The caller sees only units of its own. Asking is keeping to it. */
bool admin_is_bound(struct admin_call *call);
bool admin_sees_unit(struct admin_call *call, int64_t unit);
/* The handler asks of each row that it gives: where there is none, that is the answer. */
void admin_asks_of_each(struct admin_call *call);
/* Any of its units is the caller's. */
enum err admin_sees_device(struct admin_call *call, uint32_t device, bool *ret_sees);
/* All of them are: what is decided of it concerns nobody else. */
enum err admin_rules_device(struct admin_call *call, uint32_t device, bool *ret_rules);
bool admin_sees_state(struct admin_call *call, const struct record *record);
enum err admin_sees_record(struct admin_call *call, struct bytes type, const struct id *id,
			   bool *ret_sees);
/* By its device, by the record where there is one, and by the unit the change itself writes. */
enum err admin_sees_quarantined(struct admin_call *call, const struct quarantine_row *row,
				bool *ret_sees);
/* Devices the caller sees, for a filter; only of a bound one. */
enum err admin_seen_devices(struct admin_call *call, const uint32_t **ret_devices,
			    size_t *ret_count);
/* ERR_AUTH with call->error that names the code: units are no secret. */
enum err admin_need_unit(struct admin_call *call, int64_t unit, struct bytes code);
