#define LOG_TAG "admin"

#include <inttypes.h>

#include "common/base/buf.h"
#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/office.h"
#include "daemon/placing.h"
#include "daemon/store_admin.h"
#include "daemon/units.h"

#define LISTED       INT64_C(200) /* unless --limit says otherwise */
#define LISTED_LIMIT INT64_C(100000)

static int64_t day_of(const struct admin_call *call)
{
	return units_day_of(clock_wall_ms(call->ctx->clock));
}

/* ---- placing ---- */

/* Whether the unit was divided, so that its records wait on the placing list. */
static enum err is_divided(struct admin_call *call, int64_t unit, int64_t day, bool *ret_is)
{
	struct unit_placing *rows = NULL;
	size_t count = 0;
	enum err e = units_load_placing(call->store, call->arena, day, &rows, &count);

	*ret_is = false;
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		*ret_is = *ret_is || rows[i].unit == unit;
	return e;
}

static enum err check(struct admin_call *call, const struct record *r, const struct unit_row *to,
		      int64_t day)
{
	bool is_waiting = false;
	enum err e = is_divided(call, record_unit(r), day, &is_waiting);

	if (e != ERR_OK)
		return e;
	if (!is_waiting)
		return admin_fail(
			call, ERR_INVAL,
			"Hồ sơ này không chờ xếp: đơn vị của nó không bị chia; chưa đổi gì; "
			"xem “ctxhctl unit placing” / this record does not wait to be "
			"placed: its unit was not divided; nothing was changed; see "
			"“ctxhctl unit placing”");
	if (to->level != UNIT_COMMUNE || to->from > day || to->until <= day)
		return admin_fail(
			call, ERR_INVAL,
			"%.*s không phải là xã đang có; chưa đổi gì; xem “ctxhctl unit list” "
			"/ %.*s is no commune in force; nothing was changed; see “ctxhctl "
			"unit list”",
			BYTES_FMT(to->code), BYTES_FMT(to->code));
	return ERR_OK;
}

/*
 * Ordinary changes of the office, all or none: the old and the new commune's devices hear of each
 * (M5).
 */
static enum err write_units(struct admin_call *call, const struct record *r, int64_t unit,
			    size_t *ret_along, struct office_written *written)
{
	struct write to = {BYTES_LIT(RECORD_UNIT), value_int(unit)};
	struct placing_record *along = NULL;
	struct change *changes;
	struct write *writes;
	enum err e = placing_load_along(call->store, call->arena, r, &along, ret_along);

	if (e != ERR_OK)
		return e;
	changes = arena_alloc_array(call->arena, *ret_along + 1, sizeof *changes);
	writes = arena_alloc_array(call->arena, *ret_along + 1, sizeof *writes);
	for (size_t i = 0; i <= *ret_along; i++) {
		const struct record *moved = i == 0 ? r : &along[i - 1].record;

		writes[i] = to;
		changes[i] = (struct change){.type = moved->type,
					     .id = moved->id,
					     .author = bytes_str(call->caller.name),
					     .writes = &writes[i],
					     .count = 1};
	}
	e = office_write(call->ctx, call->store, call->arena, changes, *ret_along + 1, written);
	if (e == ERR_OK && !written->is_merged)
		return admin_fail(call, ERR_INVAL,
				  "Chưa xếp được: %.*s (%.*s); chưa đổi gì / it cannot be placed: "
				  "%.*s; nothing was changed",
				  BYTES_FMT(written->code), BYTES_FMT(written->text),
				  BYTES_FMT(written->code));
	return e;
}

static enum err load_record(struct admin_call *call, struct store_state *state)
{
	struct store_found found;
	enum err e = admin_find_record(call, "record", &found);

	if (e != ERR_OK)
		return e;
	*state = (struct store_state){.record = {.type = found.type, .id = found.id}};
	return store_load_states(call->store, call->arena, state, 1);
}

/* {record, unit} -> {record, from, to, along, log}; `along`: how many others that belong to it */
enum err admin_unit_place(struct admin_call *call)
{
	const int64_t day = day_of(call);
	struct office_written written = {0};
	struct store_state state;
	struct unit_row to;
	struct bytes code;
	size_t along = 0;
	enum err e = load_record(call, &state);

	if (e == ERR_OK)
		e = admin_need_text(call, "unit", &code);
	if (e == ERR_OK)
		e = admin_find_unit(call, code, &to);
	if (e == ERR_OK)
		e = admin_need_unit(call, to.unit, code);
	if (e == ERR_OK)
		e = check(call, &state.record, &to, day);
	if (e == ERR_OK)
		e = write_units(call, &state.record, to.unit, &along, &written);
	if (e != ERR_OK)
		return e;
	call->result = json_pack("{s:o, s:o, s:o, s:I, s:I}", "record",
				 admin_json_hex(bytes_of(state.record.id.bytes, ID_LEN)), "from",
				 admin_json_unit(call, record_unit(&state.record)), "to",
				 admin_json_unit(call, to.unit), "along", (json_int_t)along, "log",
				 (json_int_t)written.log);
	admin_note(call, "unit place", json_copy(call->result));
	return ERR_OK;
}

/* ---- the list of communes ---- */

static enum err placing_json(struct admin_call *call, const struct unit_placing *p, int64_t day,
			     json_t **ret_row)
{
	struct unit_row unit;
	json_t *into = json_array();
	json_t *row;
	enum err e = units_load(call->store, call->arena, p->unit, day, &unit);

	for (size_t i = 0; e == ERR_OK && i < p->into_count; i++) {
		struct unit_row heir;

		e = units_load(call->store, call->arena, p->into[i], day, &heir);
		if (e == ERR_OK)
			json_array_append_new(into, admin_json_text(heir.code));
	}
	if (e != ERR_OK) {
		json_decref(into);
		return e;
	}
	row = json_object();
	json_object_set_new(row, "unit", json_integer(p->unit));
	json_object_set_new(row, "code", admin_json_text(unit.code));
	json_object_set_new(row, "name", admin_json_text(unit.name));
	json_object_set_new(row, "into", into);
	json_object_set_new(row, "records", json_integer((json_int_t)p->records));
	*ret_row = row;
	return ERR_OK;
}

/* [{unit, code, name, into, records}] */
static enum err list_communes(struct admin_call *call)
{
	const int64_t day = day_of(call);
	struct unit_placing *rows = NULL;
	size_t count = 0;
	enum err e = units_load_placing(call->store, call->arena, day, &rows, &count);

	if (e != ERR_OK)
		return e;
	call->result = json_array();
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		json_t *row = NULL;

		if (!admin_sees_unit(call, rows[i].unit))
			continue;
		e = placing_json(call, &rows[i], day, &row);
		if (e == ERR_OK)
			json_array_append_new(call->result, row);
	}
	return e;
}

/* ---- the list of records ---- */

/* A code by its label: whoever places the record reads no codes. */
static void append_value(struct buf *title, const struct schema_field *f, const struct value *v)
{
	const struct schema_code *code = NULL;

	if (v->kind != VALUE_TEXT && v->kind != VALUE_INT)
		return;
	if (v->kind == VALUE_TEXT && f->list != NULL)
		code = schema_find_code(f->list, v->bytes);
	if (title->len != 0)
		buf_append_str(title, " · ");
	if (code != NULL)
		buf_append_bytes(title, code->label.vi);
	else if (v->kind == VALUE_TEXT)
		buf_append_bytes(title, v->bytes);
	else
		buf_printf(title, "%" PRIi64, v->integer);
}

/* What a list shows of the record for people: what the schema calls its title. */
static json_t *title_of(struct admin_call *call, const struct record *r)
{
	const struct schema_type *t = schema_find_type(store_schema(call->store), r->type);
	AUTO(buf_clear) struct buf title = {0};

	for (size_t i = 0; t != NULL && i < t->count; i++) {
		const struct schema_field *f = &t->fields[i];
		const struct field *held = record_find(r, f->name);

		if (f->is_title && held != NULL &&
		    !admin_hides_value(call, r->type, &r->id, f->name, &held->value))
			append_value(&title, f, &held->value);
	}
	return admin_json_text(buf_bytes(&title));
}

/* Where the owner is now tells a clerk where the record may belong; null: not here. */
static enum err put_owner(struct admin_call *call, const struct placing_record *p, bool is_hidden,
			  json_t *row)
{
	struct store_state owner = {.record = {.type = p->owner_type, .id = p->owner}};
	bool is_event = false;
	enum err e = ERR_OK;

	json_object_set_new(row, "belongs_to", json_null());
	json_object_set_new(row, "belongs_to_unit", json_null());
	if (!p->has_owner || is_hidden)
		return ERR_OK;
	json_object_set_new(row, "belongs_to", admin_json_hex(bytes_of(p->owner.bytes, ID_LEN)));
	if (store_has_type(call->store, p->owner_type, &is_event))
		e = store_load_states(call->store, call->arena, &owner, 1);
	if (e == ERR_OK && owner.row != 0)
		json_object_set_new(row, "belongs_to_unit",
				    admin_json_unit(call, record_unit(&owner.record)));
	return e;
}

static enum err put_record(struct admin_call *call, const struct placing_record *p)
{
	const struct record *r = &p->record;
	json_t *row = json_object();
	bool is_hidden = true;
	enum err e = admin_hides_record(call, r->type, &r->id, &is_hidden);

	json_array_append_new(call->result, row);
	json_object_set_new(row, "record", admin_json_hex(bytes_of(r->id.bytes, ID_LEN)));
	json_object_set_new(row, "type", is_hidden ? json_null() : admin_json_text(r->type));
	json_object_set_new(row, "title", is_hidden ? json_null() : title_of(call, r));
	json_object_set_new(row, "hidden", json_boolean(is_hidden));
	return e == ERR_OK ? put_owner(call, p, is_hidden, row) : e;
}

/* [{record, type, title, hidden, belongs_to, belongs_to_unit}], of one divided commune */
static enum err list_records(struct admin_call *call, struct bytes code)
{
	bool is_waiting = false;
	struct placing_list list = {0};
	struct unit_row unit;
	int64_t limit = LISTED;
	enum err e = admin_want_int(call, "limit", 1, LISTED_LIMIT, &limit);

	if (e == ERR_OK)
		e = admin_find_unit(call, code, &unit);
	if (e == ERR_OK)
		e = admin_need_unit(call, unit.unit, code);
	if (e == ERR_OK)
		e = is_divided(call, unit.unit, day_of(call), &is_waiting);
	if (e == ERR_OK && !is_waiting)
		return admin_fail(call, ERR_INVAL,
				  "%.*s không bị chia: không có hồ sơ nào chờ xếp; xem “ctxhctl "
				  "unit placing” / %.*s was not divided: none of its records "
				  "wait; see “ctxhctl unit placing”",
				  BYTES_FMT(code), BYTES_FMT(code));
	if (e == ERR_OK)
		e = placing_load(call->store, call->arena, unit.unit, (size_t)limit, &list);
	if (e != ERR_OK)
		return e;
	call->result = json_array();
	for (size_t i = 0; e == ERR_OK && i < list.count; i++)
		e = put_record(call, &list.records[i]);
	call->exit_code = list.has_more ? 4 : 0;
	return e;
}

/* {unit?, limit?, reason?}: the divided communes, or the records of one of them. */
enum err admin_unit_placing(struct admin_call *call)
{
	struct bytes code;
	enum err e = admin_want_text(call, "unit", &code);

	if (e != ERR_OK)
		return e;
	admin_asks_of_each(call);
	return code.len == 0 ? list_communes(call) : list_records(call, code);
}
