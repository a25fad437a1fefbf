#define LOG_TAG "admin"

#include <stdio.h>
#include <string.h>

#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/session.h"
#include "daemon/units.h"

#define LOG_LIMIT     INT64_C(100)
#define LOG_LIMIT_MAX INT64_C(100000)

static void put_counts(json_t *row, const struct session_row *s)
{
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {{"bytes_in", s->bytes_in},       {"bytes_out", s->bytes_out},
		      {"changesets", s->changesets},   {"applied", s->applied},
		      {"conflicts", s->conflicts},     {"quarantined", s->quarantined},
		      {"records_out", s->records_out}, {"evictions", s->evictions}};

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_object_set_new(row, counts[i].key, json_integer((json_int_t)counts[i].count));
}

/* How a contact ended is not known before it has: null until then. */
static json_t *outcome_json(enum session_outcome outcome)
{
	return outcome == SESSION_OPEN ? json_null() : json_string(session_outcome_name(outcome));
}

json_t *admin_json_session(struct admin_call *call, const struct session_row *s)
{
	json_t *row = json_object();

	json_object_set_new(row, "session", json_integer((json_int_t)s->session));
	/* A number a stranger claimed is not a device's. */
	json_object_set_new(row, "device",
			    s->is_device_known ? json_integer(s->device) : json_null());
	json_object_set_new(row, "unit", admin_json_unit(call, s->unit));
	json_object_set_new(row, "author", admin_json_text(s->author));
	json_object_set_new(row, "started_at", admin_json_time(s->started_ms));
	json_object_set_new(row, "ended_at", admin_json_time(s->ended_ms));
	json_object_set_new(row, "transport", admin_json_text(s->transport));
	json_object_set_new(row, "address", admin_json_text(s->address));
	json_object_set_new(row, "client_version", admin_json_text(s->client_version));
	put_counts(row, s);
	json_object_set_new(row, "clock_offset_ms", json_integer(s->clock_offset_ms));
	json_object_set_new(row, "outcome", outcome_json(s->outcome));
	json_object_set_new(row, "error", admin_json_text(s->error));
	return row;
}

static enum err read_outcome(struct admin_call *call, struct session_filter *f)
{
	struct bytes outcome;
	enum err e = admin_want_text(call, "outcome", &outcome);

	if (e != ERR_OK || outcome.len == 0)
		return e;
	f->has_outcome = true;
	if (session_outcome_parse(outcome, &f->outcome) && f->outcome != SESSION_OPEN)
		return ERR_OK;
	return admin_misuse(
		call, "“outcome” là một trong ok, partial, refused, failed / “outcome” is one "
		      "of ok, partial, refused, failed");
}

static enum err read_filter(struct admin_call *call, struct session_filter *f)
{
	int64_t device = 0;
	int64_t after = 0;
	int64_t limit = LOG_LIMIT;
	enum err e = admin_want_unit(call, &f->unit);

	if (e == ERR_OK)
		e = admin_want_int(call, "device", 0, UINT32_MAX, &device);
	if (e == ERR_OK)
		e = admin_want_int(call, "after", 0, INT64_MAX, &after);
	if (e == ERR_OK)
		e = admin_want_int(call, "limit", 1, LOG_LIMIT_MAX, &limit);
	if (e == ERR_OK)
		e = admin_want_time(call, "since", false, &f->since_ms);
	if (e == ERR_OK)
		e = admin_want_time(call, "until", true, &f->until_ms);
	if (e == ERR_OK)
		e = read_outcome(call, f);
	f->has_device = admin_has(call, "device");
	f->device = (uint32_t)device;
	f->with_open = admin_flag(call, "open");
	f->after = (uint64_t)after;
	f->limit = (size_t)limit;
	f->is_bound = admin_is_bound(call);
	if (e == ERR_OK && f->is_bound)
		e = admin_seen_devices(call, &f->devices, &f->device_count);
	return e;
}

/* {unit?, device?, since?, until?, outcome?, open?, after?, limit?} -> [session], newest first, or
 * with `after` oldest first. `open`: whatever `outcome` says, also those that have none yet. */
enum err admin_log(struct admin_call *call)
{
	struct session_filter filter = {0};
	struct session_row *rows = NULL;
	size_t count = 0;
	enum err e = read_filter(call, &filter);

	if (e == ERR_OK)
		e = session_list(call->store, call->arena, &filter, &rows, &count);
	if (e != ERR_OK)
		return e;
	call->result = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(call->result, admin_json_session(call, &rows[i]));
	return ERR_OK;
}

/* A stranger's contact is nobody's commune's. */
static enum err load_session(struct admin_call *call, uint64_t session, struct session_row *ret_row)
{
	bool sees = true;
	enum err e = session_load(call->store, call->arena, session, ret_row);

	if (e == ERR_OK)
		e = admin_sees_device(call, ret_row->device, &sees);
	if (e != ERR_OK)
		return e;
	return sees && (ret_row->is_device_known || !admin_is_bound(call)) ? ERR_OK : ERR_NOTFOUND;
}

static enum err append_seen(struct admin_call *call, const struct history_entry *entry,
			    json_t *changes)
{
	bool sees = true;
	enum err e = entry->is_quarantined
			     ? admin_rules_device(call, entry->device, &sees)
			     : admin_sees_record(call, entry->type, &entry->id, &sees);

	return e == ERR_OK && sees ? admin_append_changes(call, entry, changes) : e;
}

static enum err show(struct admin_call *call, uint64_t session)
{
	struct history_entry *entries = NULL;
	struct session_row row;
	json_t *changes = json_array();
	size_t count = 0;
	enum err e = load_session(call, session, &row);

	if (e == ERR_OK)
		e = history_load_session(call->store, call->arena, session, &entries, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = append_seen(call, &entries[i], changes);
	if (e != ERR_OK) {
		json_decref(changes);
		return e;
	}
	call->result = admin_json_session(call, &row);
	json_object_set_new(call->result, "changes", changes);
	return ERR_OK;
}

/* {session, reason?} -> the session and changes: [{record, type, field, old, new, result, …}] */
enum err admin_log_show(struct admin_call *call)
{
	int64_t session = 0;
	enum err e = admin_need_int(call, "session", 1, INT64_MAX, &session);

	if (e != ERR_OK)
		return e;
	e = show(call, (uint64_t)session);
	if (e == ERR_NOTFOUND)
		return admin_fail(call, e,
				  "Không có lần đồng bộ số %lld; xem “ctxhctl log” / no session "
				  "%lld; see “ctxhctl log”",
				  (long long)session, (long long)session);
	return e;
}
