#define LOG_TAG "admin"

#include <stdio.h>

#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/ingest.h"
#include "daemon/quarantine.h"
#include "proto/changeset.h"

#define PAGE        ((size_t)1000)
#define LISTED_MOST ((size_t)100000) /* more is a fault elsewhere; --open shortens it */
#define LOOKED_AT   ((size_t)1000)   /* of the discarded, whoever's they are */

/* ---- missing ---- */

static json_t *numbers_json(uint64_t first, uint64_t last)
{
	char text[48];

	if (last < first)
		return json_null();
	(void)snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)first,
		       (unsigned long long)last);
	return json_string(text);
}

static bool has_successor(const struct store_device *devices, size_t count, uint32_t number)
{
	for (size_t i = 0; i < count; i++) {
		if (devices[i].former == number)
			return true;
	}
	return false;
}

/*
 * {} -> [{device, name, units, held, missing, missing_count, last_contact, state}]. What a device
 * numbered and sent, or was heard to have, and which has not come: chains have no holes, so it is
 * always the end. A device that goes on under another number is no longer among them.
 */
enum err admin_missing(struct admin_call *call)
{
	struct store_device *devices = NULL;
	size_t count = 0;
	enum err e = store_load_devices(call->store, call->arena, &devices, &count);

	if (e != ERR_OK)
		return e;
	admin_asks_of_each(call);
	call->result = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct store_device *d = &devices[i];
		json_t *units = NULL;
		json_t *row;
		bool sees = true;

		if (d->seen_number <= d->last_number || d->id.number == STAMP_DEVICE_OFFICE ||
		    has_successor(devices, count, d->id.number))
			continue;
		e = admin_sees_device(call, d->id.number, &sees);
		if (e == ERR_OK && !sees)
			continue;
		if (e == ERR_OK)
			e = admin_device_units(call, d->id.number, &units);
		if (e != ERR_OK)
			return e;
		row = json_object();
		json_object_set_new(row, "device", json_integer(d->id.number));
		json_object_set_new(row, "name", admin_json_text(d->name));
		json_object_set_new(row, "units", units);
		json_object_set_new(row, "held", numbers_json(1, d->last_number));
		json_object_set_new(row, "missing",
				    numbers_json(d->last_number + 1, d->seen_number));
		json_object_set_new(row, "missing_count",
				    json_integer((json_int_t)(d->seen_number - d->last_number)));
		json_object_set_new(row, "last_contact", admin_json_time(d->last_contact_ms));
		json_object_set_new(row, "state", json_string(admin_device_state(call, d)));
		json_array_append_new(call->result, row);
	}
	call->exit_code = json_array_size(call->result) != 0 ? 4 : 0;
	return ERR_OK;
}

/* ---- quarantine ---- */

/* Which field it was tells nothing of a value, but of a restricted type it tells enough. */
static bool is_type_open(struct admin_call *call, struct bytes type)
{
	const struct schema_type *t = schema_find_type(store_schema(call->store), type);

	return t != NULL && t->sensitivity != SENSITIVITY_RESTRICTED;
}

static json_t *quarantine_json(struct admin_call *call, const struct quarantine_row *q,
			       const struct quarantine_since *since)
{
	json_t *row = json_object();

	json_object_set_new(row, "quarantine", json_integer((json_int_t)q->quarantine));
	json_object_set_new(row, "device", json_integer(q->device));
	json_object_set_new(row, "number", json_integer((json_int_t)q->number));
	json_object_set_new(row, "reason", admin_json_text(q->reason));
	json_object_set_new(row, "type",
			    is_type_open(call, q->type) ? admin_json_text(q->type) : json_null());
	json_object_set_new(row, "field",
			    is_type_open(call, q->type) || q->type.len == 0
				    ? admin_json_text(q->field)
				    : json_null());
	json_object_set_new(row, "at", admin_json_time(q->at_ms));
	json_object_set_new(row, "state", admin_json_text(q->state));
	json_object_set_new(row, "mended_by",
			    since->mended_by != 0 ? json_integer((json_int_t)since->mended_by)
						  : json_null());
	return row;
}

static enum err append_quarantined(struct admin_call *call, const struct quarantine_row *q)
{
	AUTO(arena_clear) struct arena a = {0};
	struct quarantine_since since;
	bool sees = true;
	enum err e = admin_sees_quarantined(call, q, &sees);

	if (e != ERR_OK || !sees)
		return e;
	e = quarantine_look(call->store, &a, q, &since);
	if (e == ERR_OK)
		json_array_append_new(call->result, quarantine_json(call, q, &since));
	return e;
}

/* What was discarded, and can be opened again; the last that came first. */
static enum err list_discarded(struct admin_call *call)
{
	const struct store_range range = {.limit = LOOKED_AT, .is_decided_only = true};
	struct quarantine_row *rows = NULL;
	int64_t limit = LOOKED_AT;
	size_t count = 0;
	enum err e = admin_want_int(call, "limit", 1, LOOKED_AT, &limit);

	if (e == ERR_OK)
		e = store_load_quarantine(call->store, call->arena, &range, &rows, &count);
	for (size_t i = 0;
	     e == ERR_OK && i < count && json_array_size(call->result) < (size_t)limit; i++)
		e = append_quarantined(call, &rows[i]);
	return e;
}

/*
 * {open?, decided?, limit?} -> [{quarantine, device, number, reason, type, field, at, state,
 * mended_by}];
 * `decided`: the discarded, at most `limit` (1,000).
 */
enum err admin_quarantine_list(struct admin_call *call)
{
	struct quarantine_row *rows = NULL;
	size_t count = PAGE;
	struct store_range range = {.limit = PAGE, .is_open_only = admin_flag(call, "open")};
	uint64_t after = 0;
	enum err e = ERR_OK;

	admin_asks_of_each(call);
	call->result = json_array();
	if (admin_flag(call, "decided"))
		return list_discarded(call);
	while (e == ERR_OK && count == PAGE && json_array_size(call->result) < LISTED_MOST) {
		range.after = after;
		e = store_load_quarantine(call->store, call->arena, &range, &rows, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			e = append_quarantined(call, &rows[i]);
			after = rows[i].quarantine;
		}
	}
	return e;
}

static json_t *writes_json(struct admin_call *call, const struct change *c)
{
	json_t *writes = json_object();

	for (size_t i = 0; i < c->count; i++)
		json_object_setn_new(
			writes, (const char *)c->writes[i].name.data, c->writes[i].name.len,
			admin_json_field(call, c->type, c->writes[i].name, &c->writes[i].value));
	return writes;
}

/* A code inside what was refused can be restricted although no record has it yet. */
static bool hides_change(struct admin_call *call, const struct quarantine_row *q,
			 const struct change *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (admin_hides_value(call, q->type, &q->id, c->writes[i].name,
				      &c->writes[i].value))
			return true;
	}
	return false;
}

/* What stands in the record now, for each field the change wrote: beside it people see what letting
 * it in would do. */
static json_t *now_json(struct admin_call *call, const struct change *c, const struct record *now)
{
	json_t *values = json_object();

	for (size_t i = 0; i < c->count; i++) {
		const struct field *f = record_find(now, c->writes[i].name);

		json_object_setn_new(values, (const char *)c->writes[i].name.data,
				     c->writes[i].name.len,
				     f != NULL ? admin_json_field(call, c->type, f->name, &f->value)
					       : json_null());
	}
	return values;
}

static enum err put_change(struct admin_call *call, const struct quarantine_row *q,
			   const struct quarantine_since *since)
{
	struct change change = {0};
	bool is_readable = change_decode(call->arena, q->bytes, &change) == ERR_OK;
	bool is_hidden = true;
	json_t *to = call->result;
	enum err e = admin_hides_record(call, q->type, &q->id, &is_hidden);

	if (e != ERR_OK)
		return e;
	if (!is_hidden && is_readable)
		is_hidden = hides_change(call, q, &change);
	json_object_set_new(to, "type", is_hidden ? json_null() : admin_json_text(q->type));
	json_object_set_new(to, "author", admin_json_text(change.author));
	json_object_set_new(to, "fields",
			    is_hidden || !is_readable ? json_null() : writes_json(call, &change));
	json_object_set_new(to, "now",
			    is_hidden || !is_readable || since->now.count == 0
				    ? json_null()
				    : now_json(call, &change, &since->now));
	/* What no decoder reads is shown as it came, so that somebody can look at it. */
	json_object_set_new(to, "bytes",
			    is_hidden || is_readable ? json_null() : admin_json_hex(q->bytes));
	json_object_set_new(to, "hidden", json_boolean(is_hidden));
	return ERR_OK;
}

static enum err fail_absent(struct admin_call *call, int64_t number)
{
	return admin_fail(
		call, ERR_NOTFOUND,
		"Không có thay đổi bị giữ lại số %lld; xem “ctxhctl quarantine list” / no "
		"quarantined change %lld; see “ctxhctl quarantine list”",
		(long long)number, (long long)number);
}

static enum err load_quarantined(struct admin_call *call, struct quarantine_row *ret_row)
{
	struct quarantine_row *rows = NULL;
	size_t count = 0;
	int64_t number = 0;
	bool sees = true;
	enum err e = admin_need_int(call, "quarantine", 1, INT64_MAX, &number);

	if (e == ERR_OK)
		e = store_load_quarantine(
			call->store, call->arena,
			&(struct store_range){.after = (uint64_t)number - 1, .limit = 1}, &rows,
			&count);
	if (e != ERR_OK)
		return e;
	if (count == 0 || rows[0].quarantine != (uint64_t)number)
		return fail_absent(call, number);
	e = admin_sees_quarantined(call, &rows[0], &sees);
	if (e == ERR_OK && !sees)
		return fail_absent(call, number);
	*ret_row = rows[0];
	return e;
}

static enum err load_undecided(struct admin_call *call, struct quarantine_row *ret_row)
{
	enum err e = load_quarantined(call, ret_row);

	if (e != ERR_OK || bytes_is(ret_row->state, "open"))
		return e;
	return admin_fail(call, ERR_CONFLICT,
			  "Thay đổi bị giữ lại số %llu đã được quyết định (%.*s); không có gì thay "
			  "đổi / quarantined change %llu was decided before (%.*s); nothing was "
			  "changed",
			  (unsigned long long)ret_row->quarantine, BYTES_FMT(ret_row->state),
			  (unsigned long long)ret_row->quarantine, BYTES_FMT(ret_row->state));
}

static void put_outcome(struct admin_call *call, const struct quarantine_row *q, const char *action,
			const char *state, struct bytes why)
{
	admin_note(call, action,
		   json_pack("{s:I, s:I, s:I, s:o}", "quarantine", (json_int_t)q->quarantine,
			     "device", (json_int_t)q->device, "number", (json_int_t)q->number,
			     "why", admin_json_text(why)));
	call->result =
		json_pack("{s:I, s:I, s:I, s:s}", "quarantine", (json_int_t)q->quarantine, "device",
			  (json_int_t)q->device, "number", (json_int_t)q->number, "state", state);
}

/* Its device hears of the decision; the row and the audit keep it. */
static enum err decide(struct admin_call *call, const struct quarantine_row *q, const char *state,
		       struct bytes why, struct bytes text)
{
	const struct quarantine_decision decision = {.state = state,
						     .why = why,
						     .by = bytes_str(call->caller.name),
						     .text = text,
						     .at_ms = clock_wall_ms(call->ctx->clock)};
	char action[ADMIN_ACTION_LEN];
	enum err e = quarantine_decide(call->store, q, &decision);

	if (e != ERR_OK)
		return e;
	(void)snprintf(action, sizeof action, "quarantine %s", state);
	put_outcome(call, q, action, state, why);
	return ERR_OK;
}

/* {quarantine} -> {quarantine, device, number, state} */
enum err admin_quarantine_replay(struct admin_call *call)
{
	struct ingest_replayed replayed;
	struct quarantine_since since = {0};
	struct quarantine_row q = {0};
	enum err e = load_undecided(call, &q);

	if (e == ERR_OK)
		e = quarantine_look(call->store, call->arena, &q, &since);
	if (e == ERR_OK && since.would_displace)
		return admin_fail(
			call, ERR_CONFLICT,
			"Người ghi đã tự ghi lại giá trị khác trong sự kiện này; ghi thay "
			"đổi cũ sẽ thay mất giá trị ấy; không có gì thay đổi; hãy dùng "
			"“quarantine discard” / its author has written other values of "
			"this event since, and letting the old ones in would displace "
			"them; nothing was changed; use “quarantine discard”");
	if (e == ERR_OK)
		e = ingest_replay(call->ctx, call->store, call->arena, &q,
				  clock_wall_ms(call->ctx->clock), &replayed);
	if (e != ERR_OK)
		return e;
	if (!replayed.is_merged)
		return admin_fail(call, ERR_INVAL,
				  "Chưa ghi được: %.*s%s%.*s (%.*s); thay đổi vẫn được giữ nguyên; "
				  "hãy bỏ nguyên nhân rồi làm lại / it still cannot be merged: "
				  "%.*s; the change is kept as it is; mend the cause and replay it "
				  "again",
				  BYTES_FMT(replayed.code), replayed.field.len != 0 ? " " : "",
				  BYTES_FMT(replayed.field), BYTES_FMT(replayed.text),
				  BYTES_FMT(replayed.code));
	return decide(call, &q, QUARANTINE_REPLAYED, BYTES_NONE,
		      BYTES_LIT("Thay đổi bị giữ lại nay đã được ghi / the change kept back has "
				"been merged now"));
}

/* {quarantine, why} -> {quarantine, device, number, state} */
enum err admin_quarantine_discard(struct admin_call *call)
{
	struct quarantine_row q = {0};
	struct bytes why;
	enum err e = load_undecided(call, &q);

	if (e == ERR_OK)
		e = admin_need_text(call, "why", &why);
	if (e != ERR_OK)
		return e;
	return decide(call, &q, QUARANTINE_DISCARDED, why,
		      arena_printf(call->arena,
				   "Văn phòng không nhận thay đổi này: %.*s / the office does not "
				   "take this change: %.*s",
				   BYTES_FMT(why), BYTES_FMT(why)));
}

static enum err fail_not_discarded(struct admin_call *call, const struct quarantine_row *q)
{
	unsigned long long number = q->quarantine;

	if (bytes_is(q->state, "open"))
		return admin_fail(
			call, ERR_CONFLICT,
			"Thay đổi bị giữ lại số %llu chưa được quyết định; không có gì thay "
			"đổi / quarantined change %llu is not decided; nothing was changed",
			number, number);
	return admin_fail(
		call, ERR_CONFLICT,
		"Chỉ rút lại được “discard”; thay đổi số %llu là “%.*s”: thay đổi đã ghi vào thì "
		"sửa bằng một thay đổi khác; không có gì thay đổi / only “discard” can be taken "
		"back and change %llu is “%.*s”: what has been merged is mended by another "
		"change; nothing was changed",
		number, BYTES_FMT(q->state), number, BYTES_FMT(q->state));
}

/* {quarantine} -> {quarantine, device, number, state} */
enum err admin_quarantine_reopen(struct admin_call *call)
{
	struct quarantine_row q = {0};
	enum err e = load_quarantined(call, &q);

	if (e != ERR_OK)
		return e;
	if (!bytes_is(q.state, QUARANTINE_DISCARDED))
		return fail_not_discarded(call, &q);
	e = quarantine_reopen(call->store, &q, bytes_str(call->caller.name),
			      clock_wall_ms(call->ctx->clock));
	if (e == ERR_OK)
		put_outcome(call, &q, "quarantine reopen", "open", BYTES_NONE);
	return e;
}

/* {quarantine, reason?} -> the keys of the list, and record, type, fields, now, text, why, log */
enum err admin_quarantine_show(struct admin_call *call)
{
	struct quarantine_since since = {0};
	struct quarantine_row q = {0};
	enum err e = load_quarantined(call, &q);

	if (e == ERR_OK)
		e = quarantine_look(call->store, call->arena, &q, &since);
	if (e != ERR_OK)
		return e;
	call->result = quarantine_json(call, &q, &since);
	json_object_set_new(call->result, "record",
			    id_is_zero(&q.id) ? json_null()
					      : admin_json_hex(bytes_of(q.id.bytes, ID_LEN)));
	json_object_set_new(call->result, "text", admin_json_text(q.text));
	json_object_set_new(call->result, "why", admin_json_text(q.why));
	json_object_set_new(call->result, "log", json_integer((json_int_t)q.log));
	return put_change(call, &q, &since);
}
