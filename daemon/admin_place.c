#define LOG_TAG "admin"

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/office.h"
#include "daemon/store_admin.h"
#include "daemon/units.h"

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

/* An ordinary change of the office: the old and the new commune's devices hear of it (M5). */
static enum err write_unit(struct admin_call *call, const struct record *r, int64_t unit,
			   struct office_written *written)
{
	struct write writes[] = {{BYTES_LIT(RECORD_UNIT), value_int(unit)}};
	struct change change = {.type = r->type,
				.id = r->id,
				.author = bytes_str(call->caller.name),
				.writes = writes,
				.count = 1};
	enum err e = office_write(call->ctx, call->store, call->arena, &change, 1, written);

	if (e == ERR_OK && !written->is_merged)
		return admin_fail(call, ERR_INVAL,
				  "Chưa xếp được: %.*s (%.*s); chưa đổi gì / it cannot be placed: "
				  "%.*s; nothing was changed",
				  BYTES_FMT(written->code), BYTES_FMT(written->text),
				  BYTES_FMT(written->code));
	return e;
}

/* {record, unit} -> {record, from, to, log} */
enum err admin_unit_place(struct admin_call *call)
{
	const int64_t day = units_day_of(clock_wall_ms(call->ctx->clock));
	struct office_written written = {0};
	struct store_found found;
	struct store_state state = {0};
	struct unit_row to;
	struct bytes code;
	json_t *from;
	enum err e = admin_find_record(call, "record", &found);

	if (e == ERR_OK)
		e = admin_need_text(call, "unit", &code);
	if (e == ERR_OK)
		e = admin_find_unit(call, code, &to);
	if (e != ERR_OK)
		return e;
	state.record = (struct record){.type = found.type, .id = found.id};
	e = store_load_states(call->store, call->arena, &state, 1);
	if (e == ERR_OK)
		e = check(call, &state.record, &to, day);
	if (e == ERR_OK)
		e = write_unit(call, &state.record, to.unit, &written);
	if (e != ERR_OK)
		return e;
	from = admin_json_unit(call, record_unit(&state.record));
	admin_note(call, "unit place",
		   json_pack("{s:o, s:O, s:o}", "record",
			     admin_json_hex(bytes_of(found.id.bytes, ID_LEN)), "from", from, "to",
			     admin_json_unit(call, to.unit)));
	call->result = json_pack(
		"{s:o, s:o, s:o, s:I}", "record", admin_json_hex(bytes_of(found.id.bytes, ID_LEN)),
		"from", from, "to", admin_json_unit(call, to.unit), "log", (json_int_t)written.log);
	return ERR_OK;
}
