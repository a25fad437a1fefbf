#define LOG_TAG "admin"

#include <string.h>

#include "common/base/log.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/store_admin.h"

#define QUERY_TIME_MS   INT64_C(10000)
#define QUERY_TEXT_MAX  ((size_t)64 << 10)
#define QUERY_AUDITED   ((size_t)4 << 10) /* of its text */
#define QUERY_ROWS_MAX  200000u
#define QUERY_BYTES_MAX ((size_t)32 << 20)

struct answer {
	json_t *columns;
	json_t *rows;
	size_t bytes;
	bool is_cut;
};

static json_t *cell_of(struct sql *q, int column)
{
	json_t *j = NULL;

	switch (sql_kind(q, column)) {
	case SQL_NULL: break;
	case SQL_INT: return json_integer(sql_int(q, column));
	case SQL_REAL: return json_real(sql_real(q, column));
	case SQL_TEXT:
		j = json_stringn((const char *)sql_text(q, column).data, sql_text(q, column).len);
		/* Text that is no UTF-8 (a cast blob): as bytes. */
		return j != NULL ? j : admin_json_hex(sql_blob(q, column));
	case SQL_BLOB: return admin_json_hex(sql_blob(q, column));
	}
	return json_null();
}

static void add_row(struct answer *answer, struct sql *q)
{
	json_t *row = json_object();

	for (int i = 0; i < sql_column_count(q); i++) {
		const enum sql_kind kind = sql_kind(q, i);

		if (kind == SQL_TEXT || kind == SQL_BLOB)
			answer->bytes += sql_blob(q, i).len;
		answer->bytes += 16;
		json_object_set_new(row, sql_column_name(q, i), cell_of(q, i));
	}
	json_array_append_new(answer->rows, row);
}

static enum err read_rows(struct sql *q, struct answer *answer)
{
	bool is_row = true;
	enum err e = ERR_OK;

	for (int i = 0; i < sql_column_count(q); i++)
		json_array_append_new(answer->columns, json_string(sql_column_name(q, i)));
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (json_array_size(answer->rows) == QUERY_ROWS_MAX ||
		    answer->bytes > QUERY_BYTES_MAX) {
			answer->is_cut = true;
			return ERR_OK;
		}
		add_row(answer, q);
	}
	return e;
}

static enum err fail_denied(struct admin_call *call, const char *what)
{
	if (strncmp(what, "restricted: ", 12) == 0)
		return admin_fail(call, ERR_AUTH,
				  "Bảng “%s” là dữ liệu hạn chế; chưa đọc gì; nếu có lý do chính "
				  "đáng hãy thêm --reason (có ghi vết) / table “%s” is restricted; "
				  "nothing was read; with a good reason add --reason (it is "
				  "audited)",
				  what + 12, what + 12);
	return admin_fail(
		call, ERR_AUTH,
		"Câu lệnh không được phép (%s); chưa đọc gì; chỉ dùng một lệnh SELECT trên "
		"các bảng dữ liệu / not allowed (%s); nothing was read; use one SELECT "
		"over the record tables",
		what, what);
}

static enum err explain(struct admin_call *call, enum err e, const char *denied)
{
	if (e == ERR_OK || err_class(e) == ERR_CLASS_FATAL)
		return e;
	if (denied[0] != '\0')
		return fail_denied(call, denied);
	if (e == ERR_TIMEOUT)
		return admin_fail(
			call, ERR_TOOBIG,
			"Câu lệnh chạy quá %lld giây nên bị dừng; không có gì thay đổi; hãy "
			"thu hẹp nó / the statement ran for over %lld seconds and was "
			"stopped; nothing was changed; narrow it",
			(long long)QUERY_TIME_MS / 1000, (long long)QUERY_TIME_MS / 1000);
	return admin_fail(
		call, e, "Câu lệnh sai; chưa đọc gì / the statement is wrong; nothing was read: %s",
		log_last_detail());
}

static enum err run(struct admin_call *call, struct bytes text, bool is_cleared,
		    struct answer *answer)
{
	char denied[STORE_DENIED_LEN] = "";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e;

	sql_limit_time(call->store, call->ctx->clock, QUERY_TIME_MS);
	e = store_use_query(call->store, text, is_cleared, &q, denied);
	if (e == ERR_OK)
		e = read_rows(q, answer);
	sql_limit_time(call->store, call->ctx->clock, 0);
	return explain(call, e, denied);
}

static void note(struct admin_call *call, struct bytes sql, struct bytes reason)
{
	const size_t len = sql.len < QUERY_AUDITED ? sql.len : QUERY_AUDITED;
	json_t *detail = json_object();
	json_t *text = json_stringn((const char *)sql.data, len);

	/* Cut inside a character: all of it is kept as bytes then. */
	json_object_set_new(detail, "sql",
			    text != NULL ? text : admin_json_hex(bytes_of(sql.data, len)));
	if (reason.len != 0)
		json_object_set_new(detail, "reason", admin_json_text(reason));
	admin_note(call, "query", detail);
}

/* {sql, reason?} -> {columns: [name], rows: [{name: value}], cut} ; ids are hex */
enum err admin_query(struct admin_call *call)
{
	struct answer answer = {0};
	struct bytes sql;
	struct bytes reason;
	enum err e = admin_need_text(call, "sql", &sql);

	if (e == ERR_OK)
		e = admin_want_text(call, "reason", &reason);
	if (e != ERR_OK)
		return e;
	note(call, sql, reason);
	if (sql.len > QUERY_TEXT_MAX)
		return admin_fail(
			call, ERR_TOOBIG,
			"Câu lệnh dài quá %zu byte; chưa đọc gì / the statement is over %zu "
			"bytes; nothing was read",
			QUERY_TEXT_MAX, QUERY_TEXT_MAX);
	e = store_views_begin(call->store,
			      reason.len != 0 ? STORE_VIEWS_QUERY_CLEARED : STORE_VIEWS_QUERY);
	if (e != ERR_OK)
		return e;
	answer.columns = json_array();
	answer.rows = json_array();
	e = run(call, sql, reason.len != 0, &answer);
	store_views_end(call->store);
	call->result = json_pack("{s:o, s:o, s:b}", "columns", answer.columns, "rows", answer.rows,
				 "cut", answer.is_cut);
	call->exit_code = answer.is_cut ? 4 : 0;
	return e;
}
