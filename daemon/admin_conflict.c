#define LOG_TAG "admin"

#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/conflicts.h"
#include "daemon/decide.h"

#define PAGE        ((size_t)1000)
#define LISTED_MOST ((size_t)100000) /* more is a fault elsewhere; --open shortens it */
#define LOOKED_AT   ((size_t)1000)   /* of the decided, whoever's they are */

/* ---- listing ---- */

static enum err hides_conflict(struct admin_call *call, const struct conflict_row *c,
			       bool *ret_is_hidden)
{
	struct bytes field = c->kept.name;
	enum err e = admin_hides_record(call, c->type, &c->id, ret_is_hidden);

	if (e == ERR_OK && !*ret_is_hidden)
		*ret_is_hidden = admin_hides_value(call, c->type, &c->id, field, &c->kept.value) ||
				 admin_hides_value(call, c->type, &c->id, field, &c->lost.value);
	return e;
}

static enum err conflict_json(struct admin_call *call, const struct conflict_row *c,
			      json_t **ret_row)
{
	struct bytes field = c->kept.name;
	bool is_hidden = true;
	json_t *row;
	enum err e = hides_conflict(call, c, &is_hidden);

	if (e != ERR_OK)
		return e;
	row = json_object();
	json_object_set_new(row, "conflict", json_integer((json_int_t)c->conflict));
	json_object_set_new(row, "record", admin_json_hex(bytes_of(c->id.bytes, ID_LEN)));
	json_object_set_new(row, "type", is_hidden ? json_null() : admin_json_text(c->type));
	json_object_set_new(row, "field", is_hidden ? json_null() : admin_json_text(field));
	json_object_set_new(row, "kept",
			    is_hidden ? json_null()
				      : admin_json_field(call, c->type, field, &c->kept.value));
	json_object_set_new(row, "lost",
			    is_hidden ? json_null()
				      : admin_json_field(call, c->type, field, &c->lost.value));
	json_object_set_new(row, "kept_by", admin_json_text(c->kept_by));
	json_object_set_new(row, "lost_by", admin_json_text(c->lost_by));
	json_object_set_new(row, "at", admin_json_time(c->at_ms));
	json_object_set_new(row, "state", admin_json_text(c->state));
	json_object_set_new(row, "decided_by", admin_json_text(c->decided_by));
	json_object_set_new(row, "decided_at", admin_json_time(c->decided_ms));
	if (is_hidden)
		json_object_set_new(row, "hidden", json_true());
	*ret_row = row;
	return ERR_OK;
}

static enum err append_conflict(struct admin_call *call, const struct conflict_row *c)
{
	json_t *row = NULL;
	bool sees = true;
	enum err e = admin_sees_record(call, c->type, &c->id, &sees);

	if (e != ERR_OK || !sees)
		return e;
	e = conflict_json(call, c, &row);
	if (e == ERR_OK)
		json_array_append_new(call->result, row);
	return e;
}

/* What the office decided and can take back, the last decision first. */
static enum err list_decided(struct admin_call *call)
{
	const struct store_range range = {.limit = LOOKED_AT, .is_decided_only = true};
	struct conflict_row *rows = NULL;
	int64_t limit = LOOKED_AT;
	size_t count = 0;
	enum err e = admin_want_int(call, "limit", 1, LOOKED_AT, &limit);

	if (e == ERR_OK)
		e = store_load_conflicts(call->store, call->arena, &range, &rows, &count);
	for (size_t i = 0;
	     e == ERR_OK && i < count && json_array_size(call->result) < (size_t)limit; i++)
		e = append_conflict(call, &rows[i]);
	return e;
}

/*
 * {open?, decided?, limit?, reason?} -> [{conflict, record, type, field, kept, lost, kept_by,
 * lost_by, at, state, decided_by, decided_at}]; `limit` with `decided`, at most 1,000.
 */
enum err admin_conflict_list(struct admin_call *call)
{
	struct conflict_row *rows = NULL;
	size_t count = PAGE;
	struct store_range range = {.limit = PAGE, .is_open_only = admin_flag(call, "open")};
	uint64_t after = 0;
	enum err e = ERR_OK;

	admin_asks_of_each(call);
	call->result = json_array();
	if (admin_flag(call, "decided"))
		return list_decided(call);
	while (e == ERR_OK && count == PAGE && json_array_size(call->result) < LISTED_MOST) {
		range.after = after;
		e = store_load_conflicts(call->store, call->arena, &range, &rows, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			e = append_conflict(call, &rows[i]);
			after = rows[i].conflict;
		}
	}
	return e;
}

/* ERR_NOTFOUND: there is none, or none the caller sees. */
static enum err load_seen(struct admin_call *call, int64_t number, struct conflict_row *ret_row)
{
	bool sees = true;
	enum err e = store_load_conflict(call->store, call->arena, (uint64_t)number, ret_row);

	if (e == ERR_OK)
		e = admin_sees_record(call, ret_row->type, &ret_row->id, &sees);
	return e == ERR_OK && !sees ? ERR_NOTFOUND : e;
}

static enum err fail_absent(struct admin_call *call, int64_t number)
{
	return admin_fail(
		call, ERR_NOTFOUND,
		"Không có xung đột số %lld; xem “ctxhctl conflict list” / no conflict %lld; "
		"see “ctxhctl conflict list”",
		(long long)number, (long long)number);
}

/* What stands now: it may have been replaced since. */
static enum err put_now(struct admin_call *call, const struct conflict_row *c)
{
	struct store_state state = {.record = {.type = c->type, .id = c->id}};
	bool is_event = false;
	bool is_hidden = json_is_true(json_object_get(call->result, "hidden"));
	enum err e = ERR_OK;
	struct value now;

	if (store_has_type(call->store, c->type, &is_event))
		e = store_load_states(call->store, call->arena, &state, 1);
	if (e != ERR_OK)
		return e;
	now = conflicts_in_force(&state.record, c->kept.name);
	is_hidden = is_hidden || admin_hides_value(call, c->type, &c->id, c->kept.name, &now);
	json_object_set_new(call->result, "now",
			    is_hidden ? json_null()
				      : admin_json_field(call, c->type, c->kept.name, &now));
	return ERR_OK;
}

/* {conflict, reason?} -> the keys of the list, and stamps of both values, log, now, who decided */
enum err admin_conflict_show(struct admin_call *call)
{
	struct conflict_row c = {0};
	int64_t number = 0;
	json_t *to;
	enum err e = admin_need_int(call, "conflict", 1, INT64_MAX, &number);

	if (e == ERR_OK)
		e = load_seen(call, number, &c);
	if (e == ERR_NOTFOUND)
		return fail_absent(call, number);
	if (e == ERR_OK)
		e = conflict_json(call, &c, &call->result);
	if (e != ERR_OK)
		return e;
	to = call->result;
	json_object_set_new(to, "log", json_integer((json_int_t)c.log));
	json_object_set_new(to, "kept_stamp", admin_json_stamp(&c.kept.stamp));
	json_object_set_new(to, "lost_stamp", admin_json_stamp(&c.lost.stamp));
	json_object_set_new(to, "decided_device",
			    c.decided_ms != 0 ? json_integer(c.decided_device) : json_null());
	return put_now(call, &c);
}

/* ---- deciding ---- */

/* No reason is asked for here, so nothing restricted is shown. */
static enum err is_restricted(struct admin_call *call, const struct decided *d, bool *ret_is)
{
	const struct conflict_row *c = &d->row;
	struct bytes field = c->kept.name;
	enum err e = admin_is_restricted(call, c->type, &c->id, ret_is);

	if (e == ERR_OK && !*ret_is)
		*ret_is = admin_is_value_restricted(call, c->type, field, &d->stands) ||
			  admin_is_value_restricted(call, c->type, field, &d->replaced) ||
			  admin_is_value_restricted(call, c->type, field, &c->lost.value);
	return e;
}

static enum err fail_decided(struct admin_call *call, const struct conflict_row *c)
{
	char at[CLOCK_ISO_LEN];

	clock_print_iso(c->decided_ms, at);
	return admin_fail(
		call, ERR_CONFLICT,
		"Xung đột số %llu đã được quyết định (%.*s) bởi %.*s lúc %s; không có gì "
		"thay đổi / conflict %llu was decided before (%.*s) by %.*s at %s; nothing "
		"was changed",
		(unsigned long long)c->conflict, BYTES_FMT(c->state), BYTES_FMT(c->decided_by), at,
		(unsigned long long)c->conflict, BYTES_FMT(c->state), BYTES_FMT(c->decided_by), at);
}

static enum err fail_open(struct admin_call *call, uint64_t conflict)
{
	return admin_fail(
		call, ERR_CONFLICT,
		"Xung đột số %llu chưa được quyết định; không có gì thay đổi / conflict %llu is "
		"not decided; nothing was changed",
		(unsigned long long)conflict, (unsigned long long)conflict);
}

static enum err fail_author(struct admin_call *call, const struct conflict_row *c)
{
	return admin_fail(
		call, ERR_CONFLICT,
		"Xung đột số %llu khép lại vì %.*s (máy %u) tự ghi lại giá trị, không phải do văn phòng; "
		"không có gì thay đổi; cần giá trị khác thì ghi lại tại xã / conflict %llu was closed by "
		"%.*s (device %u) writing the value again, not by the office; nothing was changed; if "
		"another value is right, the commune writes it",
		(unsigned long long)c->conflict, BYTES_FMT(c->decided_by), c->decided_device,
		(unsigned long long)c->conflict, BYTES_FMT(c->decided_by), c->decided_device);
}

static enum err fail_event(struct admin_call *call, const struct conflict_row *c)
{
	char id[ID_HEX_LEN];
	unsigned long long number = c->conflict;

	id_print(&c->id, id);
	return admin_fail(
		call, ERR_INVAL,
		"Sự kiện chỉ ghi một lần, nên không thay giá trị của nó được; giá trị bị thay vẫn nằm "
		"trong xung đột số %llu. Nếu giá trị đó mới đúng, tại máy của xã: ghi sự kiện mới "
		"“ctxh add LOẠI … corrects=%s”, hoặc “ctxh void %s --why …”; rồi “ctxhctl conflict "
		"keep %llu” / an event is written once, so its value cannot be replaced; the one that "
		"lost is kept in conflict %llu. If that one is right, at the commune: “ctxh add TYPE … "
		"corrects=%s”, or “ctxh void %s --why …”; then “ctxhctl conflict keep %llu”",
		number, id, id, number, number, id, id, number);
}

static enum err fail_circle(struct admin_call *call, const struct conflict_row *c)
{
	return admin_fail(
		call, ERR_INVAL,
		"Hai hồ sơ sẽ nhập vòng vào nhau; không có gì thay đổi; hãy tách hồ sơ kia trước bằng "
		"“ctxhctl duplicate split ID”, hoặc “ctxhctl conflict keep %llu” / the two would be "
		"joined in a circle; nothing was changed; split the other one first (“ctxhctl "
		"duplicate split ID”), or “ctxhctl conflict keep %llu”",
		(unsigned long long)c->conflict, (unsigned long long)c->conflict);
}

static enum err fail_refused(struct admin_call *call, const struct decided *d, bool is_hidden)
{
	const struct office_written *w = &d->written;
	const struct bytes field = is_hidden ? BYTES_NONE : w->field;
	const struct bytes text = is_hidden ? BYTES_NONE : w->text;
	unsigned long long number = d->row.conflict;

	return admin_fail(
		call, ERR_INVAL,
		"Chưa khôi phục được: %.*s %.*s (%.*s); giá trị bị thay vẫn được giữ; hãy bỏ "
		"nguyên nhân rồi làm lại, hoặc “ctxhctl conflict keep %llu” / it cannot be "
		"restored: %.*s; the value that lost is kept; mend the cause and try again, "
		"or “ctxhctl conflict keep %llu”",
		BYTES_FMT(w->code), BYTES_FMT(field), BYTES_FMT(text), number, BYTES_FMT(w->code),
		number);
}

/* The value the office had replaced is none any more: a code that ended, a record joined since. */
static enum err fail_stuck(struct admin_call *call, const struct decided *d)
{
	const struct bytes why =
		d->outcome == DECIDE_REFUSED ? d->written.code : BYTES_LIT("circle");

	return admin_fail(
		call, ERR_INVAL,
		"Chưa rút lại được: giá trị trước đó nay không ghi được nữa (%.*s); không có "
		"gì thay đổi / it cannot be taken back: the value that stood before cannot "
		"be written any more (%.*s); nothing was changed",
		BYTES_FMT(why), BYTES_FMT(why));
}

/* The audit names the record, never a value of it. */
static void note(struct admin_call *call, const char *action, const struct decided *d)
{
	admin_note(
		call, action,
		json_pack("{s:I, s:o, s:o}", "conflict", (json_int_t)d->row.conflict, "record",
			  admin_json_hex(bytes_of(d->row.id.bytes, ID_LEN)), "log",
			  d->is_written ? json_integer((json_int_t)d->written.log) : json_null()));
}

static void put_decided(struct admin_call *call, const struct decided *d, bool is_hidden)
{
	const struct conflict_row *c = &d->row;
	struct bytes field = c->kept.name;
	json_t *to = json_object();

	json_object_set_new(to, "conflict", json_integer((json_int_t)c->conflict));
	json_object_set_new(to, "record", admin_json_hex(bytes_of(c->id.bytes, ID_LEN)));
	json_object_set_new(to, "type", is_hidden ? json_null() : admin_json_text(c->type));
	json_object_set_new(to, "field", is_hidden ? json_null() : admin_json_text(field));
	json_object_set_new(to, "stands",
			    is_hidden ? json_null()
				      : admin_json_field(call, c->type, field, &d->stands));
	json_object_set_new(to, "replaced",
			    is_hidden || !d->is_written
				    ? json_null()
				    : admin_json_field(call, c->type, field, &d->replaced));
	json_object_set_new(to, "state", admin_json_text(c->state));
	json_object_set_new(to, "decided_by", admin_json_text(c->decided_by));
	json_object_set_new(to, "decided_at", admin_json_time(c->decided_ms));
	json_object_set_new(to, "log",
			    d->is_written ? json_integer((json_int_t)d->written.log) : json_null());
	call->result = to;
}

static bool is_own_unit(struct admin_call *call, const struct value *v)
{
	return v->kind == VALUE_INT && admin_sees_unit(call, v->integer);
}

/* Neither of the two values takes the record out of the caller's units. */
static bool sends_nowhere(struct admin_call *call, struct bytes field, const struct value *one,
			  const struct value *other)
{
	if (!admin_is_bound(call) || !bytes_is(field, RECORD_UNIT))
		return true;
	return is_own_unit(call, one) && is_own_unit(call, other);
}

static enum err fail_elsewhere(struct admin_call *call, int64_t number)
{
	return admin_fail(
		call, ERR_AUTH,
		"Xung đột số %lld là về xã nào giữ hồ sơ, trong đó có xã không thuộc tài khoản; chưa "
		"có gì thay đổi; nhờ văn phòng quyết định / conflict %lld is about which commune "
		"the record belongs to, one of them not the account's; nothing was changed; the "
		"office decides it",
		(long long)number, (long long)number);
}

typedef enum err (*decide_fn)(const struct context *ctx, struct store *s, struct arena *a,
			      uint64_t conflict, struct bytes who, struct decided *ret_decided);

static enum err explain(struct admin_call *call, const struct decided *d, bool is_reopening,
			bool is_hidden)
{
	switch (d->outcome) {
	case DECIDE_DONE: return ERR_OK;
	case DECIDE_BEFORE: return fail_decided(call, &d->row);
	case DECIDE_OPEN: return fail_open(call, d->row.conflict);
	case DECIDE_AUTHOR: return fail_author(call, &d->row);
	case DECIDE_EVENT: return fail_event(call, &d->row);
	case DECIDE_CIRCLE: return is_reopening ? fail_stuck(call, d) : fail_circle(call, &d->row);
	case DECIDE_REFUSED:
		return is_reopening ? fail_stuck(call, d) : fail_refused(call, d, is_hidden);
	}
	return ERR_INVAL;
}

/* {conflict} -> {conflict, record, type, field, stands, replaced, state, decided_by, decided_at,
 * log} */
static enum err decide(struct admin_call *call, decide_fn fn, const char *action)
{
	struct conflict_row row = {0};
	struct decided d;
	bool is_hidden = true;
	int64_t number = 0;
	enum err e = admin_need_int(call, "conflict", 1, INT64_MAX, &number);

	if (e == ERR_OK)
		e = load_seen(call, number, &row);
	if (e == ERR_OK && !sends_nowhere(call, row.kept.name, &row.kept.value, &row.lost.value))
		return fail_elsewhere(call, number);
	if (e == ERR_OK)
		e = fn(call->ctx, call->store, call->arena, (uint64_t)number,
		       bytes_str(call->caller.name), &d);
	if (e == ERR_NOTFOUND)
		return fail_absent(call, number);
	if (e == ERR_OK && d.is_written &&
	    !sends_nowhere(call, row.kept.name, &d.stands, &d.replaced))
		return fail_elsewhere(call, number);
	if (e == ERR_OK)
		e = is_restricted(call, &d, &is_hidden);
	if (e == ERR_OK)
		e = explain(call, &d, fn == decide_reopen, is_hidden);
	if (e != ERR_OK)
		return e;
	note(call, action, &d);
	put_decided(call, &d, is_hidden);
	return ERR_OK;
}

enum err admin_conflict_keep(struct admin_call *call)
{
	return decide(call, decide_keep, "conflict keep");
}

enum err admin_conflict_restore(struct admin_call *call)
{
	return decide(call, decide_restore, "conflict restore");
}

/* What the office restored gives way to what it had replaced: `stands`, `log`. */
enum err admin_conflict_reopen(struct admin_call *call)
{
	return decide(call, decide_reopen, "conflict reopen");
}
