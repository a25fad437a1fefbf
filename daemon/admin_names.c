#define LOG_TAG "admin"

#include "daemon/admin_names.h"

#include <stdio.h>
#include <string.h>

#include "daemon/admin_scope.h"
#include "daemon/store_admin.h"
#include "daemon/store_erase.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

#define CANDIDATES       6u   /* records named when a prefix is not enough */
#define CANDIDATES_BOUND 256u /* the same of a day's and more: others' are left out of them */

static int64_t today(const struct admin_call *call)
{
	return units_day_of(clock_wall_ms(call->ctx->clock));
}

/* Where the unit is, or belongs. */
static struct admin_code *slot_of(const struct admin_codes *c, int64_t unit)
{
	size_t at = (size_t)((uint64_t)unit * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (c->cap - 1);

	while (c->slots[at].unit != 0 && c->slots[at].unit != unit)
		at = (at + 1) & (c->cap - 1);
	return &c->slots[at];
}

static void grow(struct admin_call *call)
{
	struct admin_codes *c = &call->codes;
	struct admin_codes more = {.cap = c->cap == 0 ? 64 : c->cap * 2, .count = c->count};

	more.slots = arena_alloc_array(call->arena, more.cap, sizeof *more.slots);
	memset(more.slots, 0, more.cap * sizeof *more.slots);
	for (size_t i = 0; i < c->cap; i++)
		if (c->slots[i].unit != 0)
			*slot_of(&more, c->slots[i].unit) = c->slots[i];
	*c = more;
}

/* Asked for once a call, however many rows name it: empty when there is no such unit. */
static struct bytes code_of(struct admin_call *call, int64_t unit)
{
	struct admin_code *slot;
	struct unit_row row;

	if (call->codes.count * 2 >= call->codes.cap)
		grow(call);
	slot = slot_of(&call->codes, unit);
	if (slot->unit == unit)
		return slot->code;
	*slot = (struct admin_code){.unit = unit};
	call->codes.count++;
	if (units_load(call->store, call->arena, unit, today(call), &row) != ERR_OK ||
	    units_print_code(call->store, call->arena, &row, today(call), &slot->code) != ERR_OK)
		slot->code = BYTES_NONE;
	return slot->code;
}

json_t *admin_json_unit(struct admin_call *call, int64_t unit)
{
	return unit != 0 ? admin_json_text(code_of(call, unit)) : json_null();
}

json_t *admin_json_unit_name(struct admin_call *call, int64_t unit)
{
	struct unit_row row;

	if (unit == 0 || units_load(call->store, call->arena, unit, today(call), &row) != ERR_OK)
		return json_null();
	return admin_json_text(row.name);
}

json_t *admin_json_field(struct admin_call *call, struct bytes type, struct bytes field,
			 const struct value *value)
{
	const struct schema_type *t = schema_find_type(store_schema(call->store), type);
	const struct schema_field *f = t != NULL ? schema_find_field(t, field) : NULL;
	const bool is_unit = bytes_is(field, RECORD_UNIT) || (f != NULL && f->type == FIELD_UNIT);

	if (is_unit && value->kind == VALUE_INT)
		return admin_json_unit(call, value->integer);
	return admin_json_value(value);
}

enum err admin_find_unit(struct admin_call *call, struct bytes code, struct unit_row *ret_row)
{
	static const char text[] = "SELECT max(first_day) FROM unit_name WHERE code = ?1";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = units_find(call->store, call->arena, code, today(call), ret_row);

	if (e != ERR_NOTFOUND)
		return e;
	/* A code that is gone: the last day it came into use on. */
	e = sql_use(call->store, text, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, code);
	e = sql_run_row(q);
	if (e == ERR_OK && sql_kind(q, 0) == SQL_NULL)
		e = ERR_NOTFOUND;
	if (e == ERR_OK)
		e = units_find(call->store, call->arena, code, sql_int(q, 0), ret_row);
	if (e == ERR_NOTFOUND)
		return admin_fail(
			call, e,
			"Không có đơn vị mã %.*s; xem “ctxhctl unit list” / no unit %.*s; "
			"see “ctxhctl unit list”",
			BYTES_FMT(code), BYTES_FMT(code));
	return e;
}

enum err admin_want_unit(struct admin_call *call, int64_t *ret_unit)
{
	struct unit_row row;
	struct bytes code;
	enum err e = admin_want_text(call, "unit", &code);

	if (e != ERR_OK || code.len == 0)
		return e;
	e = admin_find_unit(call, code, &row);
	if (e == ERR_OK)
		*ret_unit = row.unit;
	return e;
}

enum err admin_device_units(struct admin_call *call, uint32_t device, json_t **ret_codes)
{
	int64_t *units = NULL;
	size_t count = 0;
	json_t *codes;
	enum err e = store_load_device_units(call->store, call->arena, device, &units, &count);

	if (e != ERR_OK)
		return e;
	codes = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(codes, admin_json_unit(call, units[i]));
	*ret_codes = codes;
	return ERR_OK;
}

const char *admin_device_state(const struct admin_call *call, const struct store_device *d)
{
	switch (d->id.state) {
	case DEVICE_FORKED: return "forked";
	case DEVICE_REVOKED: return "revoked";
	case DEVICE_ACTIVE: break;
	}
	if (d->last_contact_ms == 0)
		return "never";
	if (clock_wall_ms(call->ctx->clock) - d->last_contact_ms > ADMIN_STALE_MS)
		return "stale";
	return "active";
}

enum err admin_is_restricted(struct admin_call *call, struct bytes type, const struct id *id,
			     bool *ret_is_restricted)
{
	const struct schema *schema = store_schema(call->store);
	struct store_state state = {.record = {.type = type, .id = *id}};
	const struct schema_type *t = schema_find_type(schema, type);
	enum err e;

	/* A type this schema does not know cannot be judged: better hidden. */
	if (t == NULL || t->sensitivity == SENSITIVITY_RESTRICTED) {
		*ret_is_restricted = true;
		return ERR_OK;
	}
	e = store_load_states(call->store, call->arena, &state, 1);
	if (e != ERR_OK)
		return e;
	*ret_is_restricted = schema_is_restricted(schema, &state.record);
	return ERR_OK;
}

bool admin_is_value_restricted(const struct admin_call *call, struct bytes type, struct bytes field,
			       const struct value *value)
{
	const struct schema *schema = store_schema(call->store);
	const struct schema_type *t = schema_find_type(schema, type);
	const struct schema_field *f = t != NULL ? schema_find_field(t, field) : NULL;
	struct field written = {.name = field, .value = *value};
	const struct record alone = {.type = type, .fields = &written, .count = 1};

	if (t == NULL)
		return true;
	if (f != NULL && f->sensitivity == SENSITIVITY_RESTRICTED)
		return true;
	return schema_is_restricted(schema, &alone);
}

json_t *admin_json_stamp(const struct stamp *stamp)
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(STAMP_CLOCK_MS(stamp->clock), iso);
	return json_pack("{s:s, s:I, s:I}", "at", iso, "counter",
			 (json_int_t)(stamp->clock & UINT64_C(0xffff)), "device",
			 (json_int_t)stamp->device);
}

static enum err fail_ambiguous(struct admin_call *call, const struct store_found *found,
			       size_t count)
{
	AUTO(buf_clear) struct buf text = {0};

	buf_append_str(&text, "Nhiều hồ sơ bắt đầu như vậy, hãy cho thêm chữ số / several records "
			      "begin so, give more digits:");
	for (size_t i = 0; i < count; i++) {
		char hex[ID_HEX_LEN];

		id_print(&found[i].id, hex);
		buf_printf(&text, " %s", hex);
	}
	return admin_fail(call, ERR_CONFLICT, "%s", buf_cstr(&text));
}

/* What the caller does not see is not there, nor does it make a prefix mean two. */
static enum err leave_seen(struct admin_call *call, struct store_found *found, size_t *count)
{
	size_t kept = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < *count; i++) {
		bool sees = true;

		e = admin_sees_record(call, found[i].type, &found[i].id, &sees);
		if (sees)
			found[kept++] = found[i];
	}
	*count = kept;
	return e;
}

/* The law took it away, or it has not come. Who was given units hears no more than that. */
static enum err fail_no_record(struct admin_call *call, const struct id range[2])
{
	bool is_erased = false;
	enum err e = ERR_OK;

	if (id_compare(&range[0], &range[1]) == 0 && !admin_is_bound(call))
		e = store_is_erased(call->store, &range[0], &is_erased);
	if (e != ERR_OK)
		return e;
	if (is_erased)
		return admin_fail(call, ERR_NOTFOUND,
				  "Hồ sơ này đã được xóa theo luật; nội dung không còn; xem "
				  "“ctxhctl audit list” / this record was erased by law; nothing "
				  "of it is left; see “ctxhctl audit list”");
	return admin_fail(call, ERR_NOTFOUND,
			  "Không có hồ sơ nào như vậy ở đây; có thể nó chưa được đồng bộ, "
			  "xem “ctxhctl missing” / no such record here; it may not be "
			  "synced yet, see “ctxhctl missing”");
}

enum err admin_find_record(struct admin_call *call, const char *name, struct store_found *ret_found)
{
	struct store_found *found = NULL;
	struct id range[2];
	size_t count = 0;
	enum err e = admin_need_id(call, name, &range[0], &range[1]);

	if (e == ERR_OK)
		e = store_find_ids(call->store, call->arena, range,
				   admin_is_bound(call) ? CANDIDATES_BOUND : CANDIDATES, &found,
				   &count);
	if (e == ERR_OK)
		e = leave_seen(call, found, &count);
	if (e != ERR_OK)
		return e;
	if (count == 0)
		return fail_no_record(call, range);
	if (count > 1)
		return fail_ambiguous(call, found, count);
	*ret_found = found[0];
	return ERR_OK;
}
