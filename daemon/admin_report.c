#define LOG_TAG "admin"

#include <string.h>

#include "common/base/log.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_scope.h"
#include "daemon/frozen.h"
#include "daemon/rebuild.h"
#include "daemon/report.h"
#include "daemon/report_late.h"
#include "daemon/store.h"
#include "daemon/units.h"

/* {} -> [{id, label, label_en, section, source, percent, restricted}] */
enum err admin_report_list(struct admin_call *call)
{
	call->result = report_list(store_schema(call->store));
	return ERR_OK;
}

static enum err read_request(struct admin_call *call, struct report_request *r,
			     char (*dates)[ADMIN_DATE_LEN])
{
	enum err e = admin_need_text(call, "id", &r->id);

	if (e == ERR_OK)
		e = admin_need_text(call, "unit", &r->unit);
	if (e == ERR_OK)
		e = admin_need_date(call, "from", dates[0]);
	if (e == ERR_OK)
		e = admin_need_date(call, "to", dates[1]);
	if (e == ERR_OK)
		e = admin_want_date(call, "on", dates[2]);
	if (e != ERR_OK)
		return e;
	r->from = bytes_str(dates[0]);
	r->to = bytes_str(dates[1]);
	r->on = bytes_str(dates[2]);
	r->now_ms = clock_wall_ms(call->ctx->clock);
	if (strcmp(dates[0], dates[1]) > 0)
		return admin_misuse(
			call, "Kỳ báo cáo kết thúc trước khi bắt đầu / the period ends before it "
			      "begins");
	return ERR_OK;
}

static enum err explain_report(struct admin_call *call, enum err e, const struct report_request *r)
{
	if (e == ERR_NOTFOUND)
		return admin_fail(
			call, e,
			"Không có đơn vị mã %.*s vào ngày %.*s; hãy cho ngày bằng --on / no "
			"unit %.*s on %.*s; give a day with --on",
			BYTES_FMT(r->unit), BYTES_FMT(r->on.len != 0 ? r->on : r->to),
			BYTES_FMT(r->unit), BYTES_FMT(r->on.len != 0 ? r->on : r->to));
	if (e == ERR_INVAL)
		return admin_fail(
			call, e,
			"Một chỉ tiêu trong lược đồ không chạy được; xem nhật ký của ctxhd / "
			"an indicator of the schema does not run; see ctxhd's log: %s",
			log_last_detail());
	return e;
}

/* ---- as of a log number ---- */

/* 0: now; also when the last number is asked for. */
static enum err read_log(struct admin_call *call, uint64_t *ret_log)
{
	uint64_t last = 0;
	int64_t at = 0;
	enum err e = admin_want_int(call, "at", 1, INT64_MAX, &at);

	if (e == ERR_OK)
		e = store_last_log(call->store, &last);
	if (e != ERR_OK)
		return e;
	if ((uint64_t)at > last)
		return admin_fail(
			call, ERR_NOTFOUND,
			"Nhật ký mới đến số %llu, chưa có số %lld; hãy cho số nhỏ hơn với --at / the "
			"log ends at %llu, there is no number %lld yet; give a smaller one with --at",
			(unsigned long long)last, (long long)at, (unsigned long long)last,
			(long long)at);
	*ret_log = (uint64_t)at == last ? 0 : (uint64_t)at;
	return ERR_OK;
}

static enum err explain_rebuild(struct admin_call *call, enum err e, uint64_t log)
{
	if (e == ERR_FULL)
		return admin_fail(
			call, e,
			"Đĩa không đủ chỗ để dựng lại số liệu lúc ấy; chưa có gì thay đổi; hãy dọn chỗ "
			"rồi thử lại / the disk has no room to rebuild the records of then; nothing "
			"was changed; make room and try again");
	if (e != ERR_NOTFOUND && e != ERR_CORRUPT)
		return e;
	return admin_fail(
		call, ERR_CONFLICT,
		"Nhật ký đến số %llu không đọc được hết (%s); chưa có gì thay đổi; hãy chạy "
		"“ctxhctl verify” / the log up to number %llu cannot be read whole (%s); nothing was "
		"changed; run “ctxhctl verify”",
		(unsigned long long)log, log_last_detail(), (unsigned long long)log,
		log_last_detail());
}

static enum err rebuild_and_run(struct admin_call *call, struct report_request *r, uint64_t log)
{
	AUTO(rebuild_close) struct rebuild then = {0};
	enum err e = rebuild_open(call->ctx, call->ctx->state, call->store, &then);

	if (e == ERR_OK)
		e = rebuild_until(&then, call->store, log);
	if (e != ERR_OK)
		return explain_rebuild(call, e, log);
	r->past = then.store;
	r->at = log;
	return report_run(call->store, call->arena, r, &call->result);
}

/* As much disk as the tables, for as long as verify takes: one at a time, and none on a full disk.
 */
static enum err run_then(struct admin_call *call, struct report_request *r, uint64_t log)
{
	enum err e;

	if (atomic_load(&call->ctx->is_disk_low))
		return explain_rebuild(call, ERR_FULL, log);
	if (atomic_fetch_add(&call->ctx->rebuilding, 1) == 0)
		e = rebuild_and_run(call, r, log);
	else
		e = admin_fail(
			call, ERR_AGAIN,
			"Đang dựng lại số liệu cho một báo cáo khác; chưa có gì thay đổi; hãy thử lại "
			"khi xong / the records of an earlier number are being rebuilt for another "
			"report; nothing was changed; try again when that is done");
	atomic_fetch_sub(&call->ctx->rebuilding, 1);
	return e;
}

/* ---- run ---- */

static enum err check_id(struct admin_call *call, struct bytes id, bool *ret_is_restricted)
{
	enum err e = report_is_restricted(store_schema(call->store), id, ret_is_restricted);

	if (e == ERR_NOTFOUND)
		return admin_fail(
			call, e,
			"Không có báo cáo hay chỉ tiêu “%.*s”; xem “ctxhctl report list” / "
			"no report or indicator “%.*s”; see “ctxhctl report list”",
			BYTES_FMT(id), BYTES_FMT(id));
	return e;
}

static void note_run(struct admin_call *call, const struct report_request *r, uint64_t log)
{
	json_t *detail = json_object();

	json_object_set_new(detail, "id", admin_json_text(r->id));
	json_object_set_new(detail, "unit", admin_json_text(r->unit));
	json_object_set_new(detail, "from", admin_json_text(r->from));
	json_object_set_new(detail, "to", admin_json_text(r->to));
	if (log != 0)
		json_object_set_new(detail, "at", json_integer((json_int_t)log));
	admin_note(call, "report run", detail);
}

static enum err check_unit(struct admin_call *call, const struct report_request *r)
{
	struct unit_row unit;
	enum err e;

	if (!admin_is_bound(call))
		return ERR_OK;
	e = report_find_unit(call->store, call->arena, r, &unit);
	return e == ERR_OK ? admin_need_unit(call, unit.unit, r->unit) : e;
}

/* {id, unit, from, to, on?, at?} -> report.h */
enum err admin_report_run(struct admin_call *call)
{
	char dates[3][ADMIN_DATE_LEN];
	struct report_request r = {0};
	bool is_restricted = false;
	uint64_t log = 0;
	enum err e = read_request(call, &r, dates);

	if (e == ERR_OK)
		e = check_id(call, r.id, &is_restricted);
	if (e == ERR_OK)
		e = read_log(call, &log);
	if (e == ERR_OK)
		e = check_unit(call, &r);
	if (e != ERR_OK)
		return explain_report(call, e, &r);
	if (is_restricted)
		note_run(call, &r, log);
	e = log != 0 ? run_then(call, &r, log)
		     : report_run(call->store, call->arena, &r, &call->result);
	return explain_report(call, e, &r);
}

/* ---- freeze ---- */

/* What a reading connection worked out, for the writer to keep. */
struct freezing {
	struct frozen row;
	struct frozen_documents documents;
};

static json_t *hash_json(const struct hash *hash)
{
	return admin_json_hex(bytes_of(hash->bytes, HASH_LEN));
}

static json_t *frozen_json(const struct frozen *row)
{
	json_t *j = json_object();

	json_object_set_new(j, "frozen", json_integer((json_int_t)row->frozen));
	json_object_set_new(j, "id", admin_json_text(row->report));
	json_object_set_new(j, "unit", admin_json_text(row->unit_code));
	json_object_set_new(j, "unit_name", admin_json_text(row->unit_name));
	json_object_set_new(j, "from", admin_json_text(row->from));
	json_object_set_new(j, "to", admin_json_text(row->to));
	json_object_set_new(j, "on", admin_json_text(row->on));
	json_object_set_new(j, "log", json_integer((json_int_t)row->log));
	json_object_set_new(j, "at", admin_json_time(row->at_ms));
	json_object_set_new(j, "who", admin_json_text(row->who));
	json_object_set_new(j, "hash", hash_json(&row->hash));
	return j;
}

static enum err keep_frozen(struct admin_call *call)
{
	struct freezing *f = call->carried;
	enum err e = frozen_put(call->store, &f->row, &f->documents);

	if (e != ERR_OK)
		return e;
	call->result = frozen_json(&f->row);
	admin_note(call, "report freeze",
		   json_pack("{s:I, s:o, s:o, s:o, s:o, s:I, s:o}", "frozen",
			     (json_int_t)f->row.frozen, "id", admin_json_text(f->row.report),
			     "unit", admin_json_text(f->row.unit_code), "from",
			     admin_json_text(f->row.from), "to", admin_json_text(f->row.to), "log",
			     (json_int_t)f->row.log, "hash", hash_json(&f->row.hash)));
	return ERR_OK;
}

static struct bytes kept_text(struct admin_call *call, const json_t *report, const char *key)
{
	const char *text = json_string_value(json_object_get(report, key));

	return text != NULL ? arena_copy(call->arena, bytes_str(text)) : BYTES_NONE;
}

/*
 * {id, unit, from, to, on?, at?} -> {frozen, id, unit, unit_name, from, to, on, log, at, who,
 * hash}. Worked out and printed here; the writer only puts it.
 */
enum err admin_report_freeze(struct admin_call *call)
{
	struct freezing *f = arena_alloc(call->arena, sizeof *f);
	json_t *report;
	enum err e = admin_report_run(call);

	report = call->result;
	call->result = NULL;
	if (e == ERR_OK)
		e = frozen_print(call->arena, report, &f->documents, &f->row.hash);
	if (e == ERR_OK) {
		f->row.report = kept_text(call, report, "id");
		f->row.unit_code = kept_text(call, report, "unit");
		f->row.unit_name = kept_text(call, report, "unit_name");
		f->row.from = kept_text(call, report, "from");
		f->row.to = kept_text(call, report, "to");
		f->row.on = kept_text(call, report, "on");
		f->row.log = (uint64_t)json_integer_value(json_object_get(report, "as_of"));
		f->row.at_ms = clock_wall_ms(call->ctx->clock);
		f->row.who = bytes_str(call->caller.name);
		call->carried = f;
		call->finish = keep_frozen;
	}
	json_decref(report);
	return e;
}

/* By the unit its code meant on the day it was read at. */
static enum err sees_frozen(struct admin_call *call, const struct frozen *row, bool *ret_sees)
{
	struct unit_row unit;
	int64_t day = 0;
	enum err e;

	*ret_sees = !admin_is_bound(call);
	if (*ret_sees)
		return ERR_OK;
	e = units_parse_day(row->on, &day);
	if (e == ERR_OK)
		e = units_find(call->store, call->arena, row->unit_code, day, &unit);
	*ret_sees = e == ERR_OK && admin_sees_unit(call, unit.unit);
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* {} -> [{frozen, id, unit, unit_name, from, to, on, log, at, who, hash}], newest first */
enum err admin_report_frozen(struct admin_call *call)
{
	struct frozen *rows = NULL;
	size_t count = 0;
	enum err e = frozen_list(call->store, call->arena, &rows, &count);

	admin_asks_of_each(call);
	call->result = json_array();
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		bool sees = true;

		e = sees_frozen(call, &rows[i], &sees);
		if (e == ERR_OK && sees)
			json_array_append_new(call->result, frozen_json(&rows[i]));
	}
	return e;
}

/* ---- what is frozen ---- */

static enum err need_frozen(struct admin_call *call, struct frozen *ret_row)
{
	int64_t number = 0;
	bool sees = true;
	enum err e = admin_need_int(call, "frozen", 1, INT64_MAX, &number);

	if (e == ERR_OK)
		e = frozen_load(call->store, call->arena, (uint64_t)number, ret_row);
	if (e == ERR_OK)
		e = sees_frozen(call, ret_row, &sees);
	if (e == ERR_OK && !sees)
		e = ERR_NOTFOUND;
	if (e == ERR_NOTFOUND)
		return admin_fail(call, ERR_NOTFOUND,
				  "Không có báo cáo chốt số %lld; xem “ctxhctl report frozen” / no "
				  "frozen report %lld; see “ctxhctl report frozen”",
				  (long long)number, (long long)number);
	return e;
}

/* Its figures of restricted groups are read again. */
static void note_reading(struct admin_call *call, const char *action, const struct frozen *row)
{
	bool is_restricted = true;

	/* An indicator that left the schema counts as restricted. */
	(void)(report_is_restricted(store_schema(call->store), row->report, &is_restricted) ==
	       ERR_OK);
	if (is_restricted)
		admin_note(call, action,
			   json_pack("{s:I, s:o}", "frozen", (json_int_t)row->frozen, "id",
				     admin_json_text(row->report)));
}

static enum err load_document(struct admin_call *call, const struct frozen *row,
			      enum report_format format, struct bytes *ret_bytes)
{
	const long long number = (long long)row->frozen;
	enum err e = frozen_load_document(call->store, call->arena, row, format, ret_bytes);

	if (e == ERR_NOTFOUND)
		return admin_fail(call, e,
				  "Báo cáo chốt số %lld không có dạng %s; hãy chọn dạng khác / "
				  "frozen report %lld has no format %s; choose another",
				  number, report_format_name(format), number,
				  report_format_name(format));
	if (e == ERR_CONFLICT)
		return admin_fail(
			call, e,
			"Báo cáo chốt số %lld không còn như khi chốt (%s); hãy chạy “ctxhctl verify”, "
			"rồi lấy lại từ bản sao lưu / frozen report %lld is not what was frozen (%s); "
			"run “ctxhctl verify”, then take it from a backup",
			number, log_last_detail(), number, log_last_detail());
	return e;
}

/* {frozen, format} -> {frozen, format, hash, body}: the bytes, in hex */
enum err admin_report_print(struct admin_call *call)
{
	enum report_format format = REPORT_TABLE;
	struct bytes name;
	struct bytes bytes;
	struct frozen row = {0};
	enum err e = admin_need_text(call, "format", &name);

	if (e == ERR_OK && report_format_parse(name, &format) != ERR_OK)
		return admin_misuse(
			call,
			"Không có dạng “%.*s”; có table, json, csv, xlsx, html / there is "
			"no format “%.*s”; there are table, json, csv, xlsx, html",
			BYTES_FMT(name), BYTES_FMT(name));
	if (e == ERR_OK)
		e = need_frozen(call, &row);
	if (e != ERR_OK)
		return e;
	note_reading(call, "report print", &row);
	e = load_document(call, &row, format, &bytes);
	if (e == ERR_OK)
		call->result = json_pack("{s:I, s:s, s:o, s:o}", "frozen", (json_int_t)row.frozen,
					 "format", report_format_name(format), "hash",
					 hash_json(&row.hash), "body", admin_json_hex(bytes));
	return e;
}

/* {frozen} -> report_late.h; 4 when figures would be others now */
enum err admin_report_late(struct admin_call *call)
{
	struct bytes json;
	struct frozen row = {0};
	enum err e = need_frozen(call, &row);

	if (e != ERR_OK)
		return e;
	note_reading(call, "report late", &row);
	e = load_document(call, &row, REPORT_JSON, &json);
	if (e == ERR_OK)
		e = report_late(call->store, call->arena, &row, json,
				clock_wall_ms(call->ctx->clock), &call->result);
	if (e == ERR_NOTFOUND && call->error[0] == '\0')
		return admin_fail(
			call, e,
			"Báo cáo chốt số %lld: không còn đơn vị ấy trong danh mục, không so được; bản "
			"chốt vẫn in được / frozen report %lld: its unit is not in the lists any more, "
			"there is nothing to compare with; it can still be printed",
			(long long)row.frozen, (long long)row.frozen);
	if (e == ERR_OK && json_array_size(json_object_get(call->result, "figures")) != 0)
		call->exit_code = 4;
	return e;
}
