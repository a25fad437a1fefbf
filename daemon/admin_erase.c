#define LOG_TAG "admin"

#include <string.h>

#include "common/base/log.h"
#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/config.h"
#include "daemon/erase.h"
#include "daemon/store_admin.h"
#include "daemon/store_erase.h"
#include "daemon/store_sql.h"
#include "daemon/sweep.h"

#define DAY_MS     INT64_C(86400000)
#define CANDIDATES 6u

/* ---- which record ---- */

/* Known by a state, or only by what is in quarantine, or erased already. */
static const char query_ids[] = "SELECT id FROM quarantine WHERE id BETWEEN ?1 AND ?2"
				" UNION SELECT id FROM erased WHERE id BETWEEN ?1 AND ?2 LIMIT 6";

static enum err add_other_ids(struct admin_call *call, const struct id range[2], struct buf *ids)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(call->store, query_ids, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(range[0].bytes, ID_LEN));
	sql_bind_blob(q, 2, bytes_of(range[1].bytes, ID_LEN));
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct bytes id = sql_blob(q, 0);

		if (id.len == ID_LEN && (ids->len == 0 || memcmp(ids->data, id.data, ID_LEN) != 0))
			buf_append_bytes(ids, id);
	}
	return e;
}

static enum err need_record(struct admin_call *call, struct id *ret_id)
{
	AUTO(buf_clear) struct buf ids = {0};
	struct store_found *found = NULL;
	struct id range[2];
	size_t count = 0;
	enum err e = admin_need_id(call, "record", &range[0], &range[1]);

	if (e == ERR_OK)
		e = store_find_ids(call->store, call->arena, range, CANDIDATES, &found, &count);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < count; i++)
		buf_append(&ids, found[i].id.bytes, ID_LEN);
	e = add_other_ids(call, range, &ids);
	if (e != ERR_OK)
		return e;
	if (ids.len == 0)
		return admin_fail(call, ERR_NOTFOUND,
				  "Không có hồ sơ nào như vậy ở đây; chưa có gì bị xóa / no such "
				  "record here; nothing was erased");
	if (ids.len != ID_LEN)
		return admin_fail(
			call, ERR_CONFLICT,
			"Nhiều hồ sơ bắt đầu như vậy, hãy cho đủ 32 chữ số; chưa có gì bị "
			"xóa / several records begin so, give all 32 digits; nothing was "
			"erased");
	memcpy(ret_id->bytes, ids.data, ID_LEN);
	return ERR_OK;
}

/* ---- what stays and points at it ---- */

static bool is_among(const struct buf *ids, const struct id *id)
{
	const struct id *list = (const void *)ids->data;

	for (size_t i = 0; i < ids->len / sizeof *list; i++) {
		if (id_compare(&list[i], id) == 0)
			return true;
	}
	return false;
}

/* [{record, type, field}] */
static enum err references_json(struct admin_call *call, const struct buf *ids, json_t *to,
				size_t *ret_joined)
{
	const struct id *list = (const void *)ids->data;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < ids->len / sizeof *list; i++) {
		struct reference_row *rows = NULL;
		size_t count = 0;

		e = store_load_references(call->store, call->arena, &list[i], &rows, &count);
		for (size_t k = 0; e == ERR_OK && k < count; k++) {
			bool is_hidden = true;

			if (is_among(ids, &rows[k].id))
				continue;
			e = admin_hides_record(call, rows[k].type, &rows[k].id, &is_hidden);
			*ret_joined += bytes_is(rows[k].field, RECORD_MERGED_INTO);
			json_array_append_new(
				to,
				json_pack("{s:o, s:o, s:o}", "record",
					  admin_json_hex(bytes_of(rows[k].id.bytes, ID_LEN)),
					  "type",
					  is_hidden ? json_null() : admin_json_text(rows[k].type),
					  "field", admin_json_text(rows[k].field)));
		}
	}
	return e;
}

/* ---- until when backups hold it ---- */

static const char query_newest[] = "SELECT ifnull(max(at), 0) FROM backup";

/* At the latest: the rule keeps the newest backup no longer than this. */
static enum err put_backups(struct admin_call *call)
{
	AUTO(sql_done) struct sql *q = NULL;
	const struct config *config = atomic_load(&call->ctx->config);
	int64_t days = 0;
	enum err e = sql_use(call->store, query_newest, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	if (config != NULL) {
		days = config->backup.keep_days;
		if (config->backup.keep_weeks * 7 > days)
			days = config->backup.keep_weeks * 7;
		if (config->backup.keep_months * 31 > days)
			days = config->backup.keep_months * 31;
	}
	json_object_set_new(
		call->result, "in_backups_until",
		admin_json_time(sql_int(q, 0) == 0 ? 0 : sql_int(q, 0) + (days + 1) * DAY_MS));
	return ERR_OK;
}

/* ---- erase ---- */

static json_t *ids_json(const struct buf *ids)
{
	const struct id *list = (const void *)ids->data;
	json_t *to = json_array();

	for (size_t i = 0; i < ids->len / sizeof *list; i++)
		json_array_append_new(to, admin_json_hex(bytes_of(list[i].bytes, ID_LEN)));
	return to;
}

static enum err run_erase(struct admin_call *call, const struct buf *ids)
{
	const struct id *list = (const void *)ids->data;
	struct erase_request request = {.ids = list,
					.count = ids->len / sizeof *list,
					.at_ms = clock_wall_ms(call->ctx->clock),
					.who = bytes_str(call->caller.name)};
	struct erase_result result = {0};
	enum err e = admin_need_text(call, "why", &request.why);

	if (e == ERR_OK)
		e = admin_need_text(call, "basis", &request.basis);
	if (e == ERR_OK)
		e = erase_run(call->store, call->arena, &request, &result);
	if (e == ERR_CONFLICT)
		return admin_fail(
			call, e,
			"Lý do hoặc căn cứ có chép nội dung của hồ sơ, mà hai điều ấy được "
			"giữ mãi; hãy viết lại; chưa có gì bị xóa / reason or basis repeats "
			"what the record says, and both are kept for ever; write them "
			"without it; nothing was erased");
	if (e != ERR_OK)
		return e;
	admin_note(call, "erase",
		   json_pack("{s:o, s:I, s:o, s:o}", "records", ids_json(ids), "log",
			     (json_int_t)result.log, "why", admin_json_text(request.why), "basis",
			     admin_json_text(request.basis)));
	json_object_set_new(call->result, "log", json_integer((json_int_t)result.log));
	json_object_set_new(call->result, "changesets",
			    json_integer((json_int_t)result.changesets));
	json_object_set_new(call->result, "changes", json_integer((json_int_t)result.changes));
	json_object_set_new(call->result, "audits", json_integer((json_int_t)result.audits));
	return ERR_OK;
}

/*
 * {record, why, basis, with_events?, dry_run?} -> {records, log, changesets, changes, audits,
 * pointing: [{record, type, field}], in_backups_until}; 4 when a double joined to it is left, for
 * that is the same person.
 */
enum err admin_erase(struct admin_call *call)
{
	AUTO(buf_clear) struct buf ids = {0};
	json_t *pointing = json_array();
	size_t joined = 0;
	struct id id;
	enum err e;

	call->result = json_object();
	json_object_set_new(call->result, "pointing", pointing);
	e = need_record(call, &id);
	if (e != ERR_OK)
		return e;
	buf_append(&ids, &id, sizeof id);
	if (admin_flag(call, "with_events"))
		e = erase_collect(call->store, call->arena, &ids);
	if (e == ERR_OK)
		e = references_json(call, &ids, pointing, &joined);
	if (e == ERR_OK)
		e = put_backups(call);
	if (e != ERR_OK)
		return e;
	json_object_set_new(call->result, "records", ids_json(&ids));
	call->exit_code = joined != 0 ? 4 : 0;
	return admin_flag(call, "dry_run") ? ERR_OK : run_erase(call, &ids);
}

void admin_erase_sweep(struct admin_call *call)
{
	if (call->ctx->sweep != NULL)
		sweep_begin(call->ctx->sweep);
}

/* {} -> {swept}: false while bytes of what was erased may lie in gaps and free pages of the file.
 */
enum err admin_erase_state(struct admin_call *call)
{
	bool owes = false;
	enum err e = store_owes_sweep(call->store, &owes);

	if (e == ERR_OK)
		call->result = json_pack("{s:b}", "swept", (int)!owes);
	return e;
}
