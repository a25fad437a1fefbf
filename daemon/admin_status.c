#define LOG_TAG "admin"

#include <stdio.h>
#include <string.h>

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/report.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"
#include "daemon/verify.h"

static enum err count(struct admin_call *call, const char *text, const char *key)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(call->store, text, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		json_object_set_new(call->result, key, json_integer(sql_int(q, 0)));
	return e;
}

static enum err put_devices(struct admin_call *call)
{
	static const char *const states[] = {"active", "stale", "never", "forked", "revoked"};
	struct store_device *devices = NULL;
	json_t *by_state = json_object();
	size_t device_count = 0;
	json_int_t total = 0;
	enum err e = store_load_devices(call->store, call->arena, &devices, &device_count);

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		json_object_set_new(by_state, states[i], json_integer(0));
	for (size_t i = 0; e == ERR_OK && i < device_count; i++) {
		json_t *n;

		if (devices[i].id.number == STAMP_DEVICE_OFFICE)
			continue;
		n = json_object_get(by_state, admin_device_state(call, &devices[i]));
		json_integer_set(n, json_integer_value(n) + 1);
		total++;
	}
	json_object_set_new(call->result, "devices", json_integer(total));
	json_object_set_new(call->result, "device_states", by_state);
	return e;
}

static enum err put_records(struct admin_call *call)
{
	const struct schema *schema = store_schema(call->store);
	json_t *records = json_object();
	enum err e = ERR_OK;

	json_object_set_new(call->result, "records", records);
	for (size_t i = 0; e == ERR_OK && i < schema->type_count; i++) {
		const struct schema_type *t = &schema->types[i];
		uint64_t n = 0;

		e = store_count_records(call->store, t->name, &n);
		/* How many restricted records there are is nobody's business on a status page. */
		if (e != ERR_OK || n == 0 || t->sensitivity == SENSITIVITY_RESTRICTED)
			continue;
		json_object_set_new(records, arena_strdup(call->arena, t->name),
				    json_integer((json_int_t)n));
	}
	return e;
}

static enum err put_communes(struct admin_call *call)
{
	const int64_t now = clock_wall_ms(call->ctx->clock);
	struct report_commune *communes = NULL;
	size_t commune_count = 0;
	json_int_t fresh = 0;
	json_int_t stale = 0;
	json_int_t never = 0;
	enum err e = report_load_communes(call->store, call->arena,
					  &(struct report_scope){.day = units_day_of(now)},
					  &communes, &commune_count);

	for (size_t i = 0; e == ERR_OK && i < commune_count; i++) {
		if (communes[i].last_contact_ms == 0)
			never++;
		else if (now - communes[i].last_contact_ms > ADMIN_STALE_MS)
			stale++;
		else
			fresh++;
	}
	json_object_set_new(
		call->result, "communes",
		json_pack("{s:I, s:I, s:I}", "fresh", fresh, "stale", stale, "never", never));
	return e;
}

static enum err put_last_backup(struct admin_call *call)
{
	static const char text[] = "SELECT max(at) FROM backup WHERE verified_at <> 0";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(call->store, text, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		json_object_set_new(call->result, "last_backup", admin_json_time(sql_int(q, 0)));
	return e;
}

static void put_identity(struct admin_call *call, uint64_t log)
{
	const struct schema *schema = store_schema(call->store);

	json_object_set_new(call->result, "version", json_string(CTXH_VERSION));
	json_object_set_new(call->result, "daemon",
			    admin_json_hex(bytes_of(call->ctx->daemon.bytes, ID_LEN)));
	json_object_set_new(call->result, "epoch",
			    admin_json_hex(bytes_of(call->ctx->epoch.bytes, ID_LEN)));
	json_object_set_new(call->result, "log", json_integer((json_int_t)log));
	json_object_set_new(call->result, "schema_version",
			    admin_json_hex(bytes_of(schema->version, sizeof schema->version)));
	json_object_set_new(call->result, "started_at", admin_json_time(call->ctx->started_ms));
	json_object_set_new(call->result, "address", json_string(call->ctx->address));
}

/* {} -> see the command reference; `records` and `device_states` count by name. */
enum err admin_status(struct admin_call *call)
{
	static const char quarantine[] = "SELECT count(*) FROM quarantine WHERE state = 'open'";
	static const char conflicts[] = "SELECT count(*) FROM conflict WHERE state = 'open'";
	uint64_t log = 0;
	enum err e = store_last_log(call->store, &log);

	call->result = json_object();
	put_identity(call, log);
	if (e == ERR_OK)
		e = put_devices(call);
	if (e == ERR_OK)
		e = put_records(call);
	if (e == ERR_OK)
		e = put_last_backup(call);
	if (e == ERR_OK)
		e = count(call, quarantine, "quarantine");
	if (e == ERR_OK)
		e = count(call, conflicts, "conflicts");
	if (e == ERR_OK)
		e = put_communes(call);
	return e;
}

static json_t *difference_json(const struct verify_difference *d)
{
	json_t *row = json_object();

	json_object_set_new(row, "invariant", json_string(d->invariant));
	json_object_set_new(row, "table", admin_json_text(d->table));
	json_object_set_new(row, "key", admin_json_text(d->key));
	json_object_set_new(row, "text", admin_json_text(d->text));
	return row;
}

/* {} -> {log, changesets, changes, records, invariants, found, differences}; 4 when found. */
enum err admin_verify(struct admin_call *call)
{
	struct verify_report r = {0};
	json_t *differences;
	enum err e = verify_run(call->ctx, call->store, call->ctx->state, call->arena, &r);

	if (e != ERR_OK)
		return e;
	differences = json_array();
	for (size_t i = 0; i < r.difference_count; i++)
		json_array_append_new(differences, difference_json(&r.differences[i]));
	call->result =
		json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "log", (json_int_t)r.log,
			  "changesets", (json_int_t)r.changesets, "changes", (json_int_t)r.changes,
			  "records", (json_int_t)r.records, "invariants", (json_int_t)r.invariants,
			  "found", (json_int_t)r.found, "differences", differences);
	call->exit_code = r.found != 0 ? 4 : 0;
	return ERR_OK;
}

#define AUDIT_LIMIT     INT64_C(100)
#define AUDIT_LIMIT_MAX INT64_C(100000)

/* What was written as JSON is given as JSON. An erased detail is null. */
static json_t *detail_of(struct bytes detail)
{
	json_t *j = json_loadb((const char *)detail.data, detail.len, JSON_DECODE_ANY, NULL);

	return j != NULL ? j : json_null();
}

/* {limit?} -> [{entry, at, who, what, detail, hash}], newest first */
enum err admin_audit_list(struct admin_call *call)
{
	static const char text[] = "SELECT entry, at, who, what, detail, chain FROM audit"
				   " ORDER BY entry DESC LIMIT ?1";
	AUTO(sql_done) struct sql *q = NULL;
	int64_t limit = AUDIT_LIMIT;
	bool is_row = true;
	enum err e = admin_want_int(call, "limit", 1, AUDIT_LIMIT_MAX, &limit);

	if (e == ERR_OK)
		e = sql_use(call->store, text, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, limit);
	call->result = json_array();
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		json_t *row = json_object();

		json_object_set_new(row, "entry", json_integer(sql_int(q, 0)));
		json_object_set_new(row, "at", admin_json_time(sql_int(q, 1)));
		json_object_set_new(row, "who", admin_json_text(sql_text(q, 2)));
		json_object_set_new(row, "what", admin_json_text(sql_text(q, 3)));
		json_object_set_new(row, "detail", detail_of(sql_blob(q, 4)));
		json_object_set_new(row, "hash", admin_json_hex(sql_blob(q, 5)));
		json_array_append_new(call->result, row);
	}
	return e;
}
