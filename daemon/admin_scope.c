#define LOG_TAG "admin"

#include "daemon/admin_scope.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "daemon/account.h"
#include "daemon/admin_call.h"
#include "daemon/role.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"
#include "proto/change.h"

/* It was changed while the call was on its way: what it was let in for it might not do now. */
static bool is_as_let_in(const struct admin_caller *who, const struct account *now)
{
	const struct role_holder *h = who->holder;

	if ((now->unit_count != 0) != who->is_bound)
		return false;
	return h == NULL || (h->role == now->role && h->is_cleared == now->is_cleared);
}

enum err admin_scope_begin(struct admin_call *call)
{
	struct account account = {0};
	int64_t *units = NULL;
	enum err e;

	if (call->caller.account == NULL)
		return ERR_OK;
	e = account_load(call->store, call->arena, bytes_str(call->caller.account), &account);
	if (e == ERR_OK && !is_as_let_in(&call->caller, &account))
		return admin_fail(
			call, ERR_AUTH,
			"Quyền của tài khoản vừa được đổi; chưa có gì thay đổi; hãy tải lại trang / "
			"what the account may do was changed just now; nothing was changed; load "
			"the page anew");
	/* Its logins are over. */
	if (e == ERR_NOTFOUND)
		return admin_fail(call, ERR_AUTH,
				  "Tài khoản đã bị xóa; chưa có gì thay đổi / the account was "
				  "removed; nothing was changed");
	if (e != ERR_OK || !call->caller.is_bound)
		return e;
	e = units_load_area(
		call->store, call->arena,
		&(struct units_given){.units = account.units, .count = account.unit_count},
		clock_wall_ms(call->ctx->clock), &units, &call->scope.unit_count);
	call->scope.units = units;
	return e;
}

enum err admin_scope_end(struct admin_call *call, const struct admin_command *command)
{
	if (!call->caller.is_bound || call->scope.is_asked || !role_keeps_to_units(command->name))
		return ERR_OK;
	log_err("unscoped command=\"%s\" effect=\"refused\"", command->name);
	return admin_fail(
		call, ERR_AUTH,
		"Lệnh không giữ trong các đơn vị của tài khoản; chưa có gì thay đổi / the "
		"command did not keep to the account's units; nothing was changed");
}

bool admin_is_bound(struct admin_call *call)
{
	call->scope.is_asked = true;
	return call->caller.is_bound;
}

void admin_asks_of_each(struct admin_call *call)
{
	call->scope.is_asked = true;
}

bool admin_sees_unit(struct admin_call *call, int64_t unit)
{
	return !admin_is_bound(call) ||
	       units_scope_has(call->scope.units, call->scope.unit_count, unit);
}

/* ---- devices ---- */

static const char query_given[] = "SELECT device, unit FROM device_unit ORDER BY device";

static enum err load_devices(struct admin_call *call)
{
	struct admin_scope *scope = &call->scope;
	AUTO(buf_clear) struct buf found = {0};
	AUTO(sql_done) struct sql *q = NULL;
	uint32_t *devices;
	uint32_t last = 0;
	bool is_row = false;
	enum err e = sql_use(call->store, query_given, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const uint32_t device = (uint32_t)sql_int(q, 0);

		if (device == last || !admin_sees_unit(call, sql_int(q, 1)))
			continue;
		buf_append(&found, &device, sizeof device);
		last = device;
	}
	if (e != ERR_OK)
		return e;
	scope->device_count = found.len / sizeof *devices;
	devices = arena_alloc_array(call->arena, scope->device_count + 1, sizeof *devices);
	if (found.len != 0)
		memcpy(devices, found.data, found.len);
	scope->devices = devices;
	scope->has_devices = true;
	return ERR_OK;
}

enum err admin_seen_devices(struct admin_call *call, const uint32_t **ret_devices,
			    size_t *ret_count)
{
	enum err e = call->scope.has_devices ? ERR_OK : load_devices(call);

	if (e != ERR_OK)
		return e;
	*ret_devices = call->scope.devices;
	*ret_count = call->scope.device_count;
	return ERR_OK;
}

static int device_order(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a;
	const uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

enum err admin_sees_device(struct admin_call *call, uint32_t device, bool *ret_sees)
{
	const uint32_t *devices = NULL;
	size_t count = 0;
	enum err e = ERR_OK;

	*ret_sees = true;
	if (!admin_is_bound(call))
		return ERR_OK;
	e = admin_seen_devices(call, &devices, &count);
	*ret_sees = e == ERR_OK && count != 0 &&
		    bsearch(&device, devices, count, sizeof device, device_order) != NULL;
	return e;
}

enum err admin_rules_device(struct admin_call *call, uint32_t device, bool *ret_rules)
{
	int64_t *units = NULL;
	size_t count = 0;
	bool rules;
	enum err e = ERR_OK;

	*ret_rules = true;
	if (!admin_is_bound(call))
		return ERR_OK;
	e = store_load_device_units(call->store, call->arena, device, &units, &count);
	rules = e == ERR_OK && count != 0;
	for (size_t i = 0; rules && i < count; i++)
		rules = admin_sees_unit(call, units[i]);
	*ret_rules = rules;
	return e;
}

/* ---- records ---- */

bool admin_sees_state(struct admin_call *call, const struct record *record)
{
	return !admin_is_bound(call) || admin_sees_unit(call, record_unit(record));
}

enum err admin_sees_record(struct admin_call *call, struct bytes type, const struct id *id,
			   bool *ret_sees)
{
	struct store_state state = {.record = {.type = type, .id = *id}};
	bool is_event = false;
	enum err e = ERR_OK;

	*ret_sees = !admin_is_bound(call);
	if (*ret_sees || !store_has_type(call->store, type, &is_event))
		return ERR_OK;
	e = store_load_states(call->store, call->arena, &state, 1);
	*ret_sees = e == ERR_OK && state.row != 0 && admin_sees_state(call, &state.record);
	return e;
}

/* A unit in the change itself, where it has one. */
static bool sees_change(struct admin_call *call, const struct quarantine_row *row, bool *ret_has)
{
	struct change change = {0};

	*ret_has = false;
	if (change_decode(call->arena, row->bytes, &change) != ERR_OK)
		return true;
	for (size_t i = 0; i < change.count; i++) {
		const struct write *w = &change.writes[i];

		if (!bytes_is(w->name, RECORD_UNIT) || w->value.kind != VALUE_INT)
			continue;
		*ret_has = true;
		return admin_sees_unit(call, w->value.integer);
	}
	return true;
}

enum err admin_sees_quarantined(struct admin_call *call, const struct quarantine_row *row,
				bool *ret_sees)
{
	struct store_state state = {.record = {.type = row->type, .id = row->id}};
	bool is_event = false;
	bool has_unit = false;
	bool sees = true;
	enum err e = admin_sees_device(call, row->device, &sees);

	*ret_sees = sees;
	if (e != ERR_OK || !sees || !admin_is_bound(call))
		return e;
	sees = sees_change(call, row, &has_unit);
	if (sees && store_has_type(call->store, row->type, &is_event))
		e = store_load_states(call->store, call->arena, &state, 1);
	if (e != ERR_OK)
		return e;
	if (sees && state.row != 0)
		sees = admin_sees_state(call, &state.record);
	else if (sees && !has_unit)
		/* Nobody can say of which commune it is: of all its device's. */
		e = admin_rules_device(call, row->device, &sees);
	*ret_sees = sees;
	return e;
}

enum err admin_need_unit(struct admin_call *call, int64_t unit, struct bytes code)
{
	if (admin_sees_unit(call, unit))
		return ERR_OK;
	return admin_fail(
		call, ERR_AUTH,
		"%.*s không thuộc các đơn vị của tài khoản; chưa có gì thay đổi / %.*s is "
		"not among the account's units; nothing was changed",
		BYTES_FMT(code), BYTES_FMT(code));
}
