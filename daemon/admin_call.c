#define LOG_TAG "admin"

#include "daemon/admin_call.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "daemon/store.h"

#define DAY_MS        INT64_C(86400000)
#define VIETNAM_MS    (INT64_C(7) * 3600000) /* UTC+7 all year since 1975 */
#define ID_PREFIX_MIN 8u

enum err admin_fail(struct admin_call *call, enum err e, const char *fmt, ...)
{
	va_list args;

	if (call->error[0] != '\0')
		return e;
	va_start(args, fmt);
	(void)vsnprintf(call->error, sizeof call->error, fmt, args);
	va_end(args);
	return e;
}

enum err admin_misuse(struct admin_call *call, const char *fmt, ...)
{
	va_list args;

	if (call->error[0] != '\0')
		return ERR_INVAL;
	call->is_misuse = true;
	va_start(args, fmt);
	(void)vsnprintf(call->error, sizeof call->error, fmt, args);
	va_end(args);
	return ERR_INVAL;
}

bool admin_has(const struct admin_call *call, const char *name)
{
	const json_t *j = json_object_get(call->args, name);

	return j != NULL && !json_is_null(j);
}

bool admin_flag(const struct admin_call *call, const char *name)
{
	return json_is_true(json_object_get(call->args, name));
}

static enum err fail_missing(struct admin_call *call, const char *name)
{
	return admin_misuse(
		call, "Thiếu “%s”; chưa có gì thay đổi / “%s” is missing; nothing was changed",
		name, name);
}

static enum err fail_kind(struct admin_call *call, const char *name, const char *wanted_vi,
			  const char *wanted_en)
{
	return admin_misuse(call,
			    "“%s” phải là %s; chưa có gì thay đổi / “%s” must be %s; nothing was "
			    "changed",
			    name, wanted_vi, name, wanted_en);
}

enum err admin_want_text(struct admin_call *call, const char *name, struct bytes *ret_text)
{
	const json_t *j = json_object_get(call->args, name);

	*ret_text = BYTES_NONE;
	if (j == NULL || json_is_null(j))
		return ERR_OK;
	if (!json_is_string(j))
		return fail_kind(call, name, "chữ", "text");
	*ret_text = bytes_of(json_string_value(j), json_string_length(j));
	return ERR_OK;
}

enum err admin_need_text(struct admin_call *call, const char *name, struct bytes *ret_text)
{
	enum err e = admin_want_text(call, name, ret_text);

	if (e != ERR_OK)
		return e;
	return ret_text->len != 0 ? ERR_OK : fail_missing(call, name);
}

enum err admin_want_int(struct admin_call *call, const char *name, int64_t min, int64_t max,
			int64_t *ret_number)
{
	const json_t *j = json_object_get(call->args, name);
	char vi[96];
	char en[96];

	if (j == NULL || json_is_null(j))
		return ERR_OK;
	if (json_is_integer(j) && json_integer_value(j) >= min && json_integer_value(j) <= max) {
		*ret_number = json_integer_value(j);
		return ERR_OK;
	}
	(void)snprintf(vi, sizeof vi, "số từ %lld đến %lld", (long long)min, (long long)max);
	(void)snprintf(en, sizeof en, "a number from %lld to %lld", (long long)min, (long long)max);
	return fail_kind(call, name, vi, en);
}

enum err admin_need_int(struct admin_call *call, const char *name, int64_t min, int64_t max,
			int64_t *ret_number)
{
	if (!admin_has(call, name))
		return fail_missing(call, name);
	return admin_want_int(call, name, min, max, ret_number);
}

/* "5/9/2020" -> "2020-09-05", digits padded; anything else stays as it is. */
static void turn_slashes(struct buf *text)
{
	const char *day = buf_cstr(text);
	const char *month = strchr(day, '/');
	const char *year = month != NULL ? strchr(month + 1, '/') : NULL;
	AUTO(buf_clear) struct buf turned = {0};

	if (year == NULL || strlen(year + 1) != 4 || month - day > 2 || year - month > 3)
		return;
	buf_printf(&turned, "%s-%s%.*s-%s%.*s", year + 1, year - month == 2 ? "0" : "",
		   (int)(year - month - 1), month + 1, month - day == 1 ? "0" : "",
		   (int)(month - day), day);
	buf_reset(text);
	buf_append_bytes(text, buf_bytes(&turned));
}

/* Two civil forms people use; a day that the calendar does not have is none. */
static bool parse_date(struct bytes text, char ret_date[ADMIN_DATE_LEN])
{
	AUTO(buf_clear) struct buf date = {0};
	char iso[CLOCK_ISO_LEN];
	int64_t ms = 0;

	if (text.len == 0 || text.len >= ADMIN_DATE_LEN)
		return false;
	buf_append_bytes(&date, text);
	turn_slashes(&date);
	if (date.len != ADMIN_DATE_LEN - 1 ||
	    clock_parse_iso(buf_cstr(&date), date.len, &ms) != ERR_OK)
		return false;
	clock_print_iso(ms, iso);
	if (memcmp(iso, date.data, date.len) != 0)
		return false;
	memcpy(ret_date, iso, date.len);
	ret_date[date.len] = '\0';
	return true;
}

enum err admin_want_date(struct admin_call *call, const char *name, char ret_date[ADMIN_DATE_LEN])
{
	struct bytes text;
	enum err e = admin_want_text(call, name, &text);

	ret_date[0] = '\0';
	if (e != ERR_OK || text.len == 0)
		return e;
	if (parse_date(text, ret_date))
		return ERR_OK;
	return fail_kind(call, name, "ngày, như 2026-11-22 hoặc 22/11/2026",
			 "a date, as 2026-11-22 or 22/11/2026");
}

enum err admin_need_date(struct admin_call *call, const char *name, char ret_date[ADMIN_DATE_LEN])
{
	if (!admin_has(call, name))
		return fail_missing(call, name);
	return admin_want_date(call, name, ret_date);
}

void admin_today(const struct admin_call *call, char ret_date[ADMIN_DATE_LEN])
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(clock_wall_ms(call->ctx->clock) + VIETNAM_MS, iso);
	memcpy(ret_date, iso, ADMIN_DATE_LEN - 1);
	ret_date[ADMIN_DATE_LEN - 1] = '\0';
}

enum err admin_want_time(struct admin_call *call, const char *name, bool is_end, int64_t *ret_ms)
{
	char date[ADMIN_DATE_LEN];
	struct bytes text;
	int64_t ms;
	enum err e = admin_want_text(call, name, &text);

	if (e != ERR_OK || text.len == 0)
		return e;
	if (parse_date(text, date)) {
		e = clock_parse_iso(date, strlen(date), &ms);
		ms += (is_end ? DAY_MS : 0) - VIETNAM_MS;
	} else {
		e = clock_parse_iso((const char *)text.data, text.len, &ms);
	}
	if (e != ERR_OK)
		return fail_kind(
			call, name,
			"ngày hoặc thời điểm, như 2026-11-22 hoặc 2026-11-22T07:00:00+07:00",
			"a date or a moment, as 2026-11-22 or 2026-11-22T07:00:00+07:00");
	*ret_ms = ms;
	return ERR_OK;
}

/* Hyphens may stand anywhere; what is left out of the end is any digit. */
enum err admin_need_id(struct admin_call *call, const char *name, struct id *ret_from,
		       struct id *ret_to)
{
	char from[ID_HEX_LEN];
	char to[ID_HEX_LEN];
	size_t digits = 0;
	struct bytes text;
	enum err e = admin_need_text(call, name, &text);

	if (e != ERR_OK)
		return e;
	memset(from, '0', sizeof from - 1);
	memset(to, 'f', sizeof to - 1);
	for (size_t i = 0; i < text.len && digits < ID_HEX_LEN; i++) {
		if (text.data[i] == '-')
			continue;
		if (digits < ID_HEX_LEN - 1)
			from[digits] = to[digits] = (char)text.data[i];
		digits++;
	}
	if (digits < ID_PREFIX_MIN || digits >= ID_HEX_LEN ||
	    id_parse(bytes_of(from, ID_HEX_LEN - 1), ret_from) != ERR_OK ||
	    id_parse(bytes_of(to, ID_HEX_LEN - 1), ret_to) != ERR_OK)
		return fail_kind(call, name, "mã hồ sơ, đủ 32 chữ số hex hoặc từ 8 chữ số đầu",
				 "a record id, all 32 hex digits or its first 8 or more");
	return ERR_OK;
}

void admin_note(struct admin_call *call, const char *action, json_t *take_detail)
{
	(void)snprintf(call->audit_action, sizeof call->audit_action, "%s", action);
	json_decref(call->audit_detail);
	call->audit_detail = take_detail;
}

bool admin_is_cleared(struct admin_call *call, const char *action)
{
	struct bytes reason;

	if (admin_want_text(call, "reason", &reason) != ERR_OK || reason.len == 0)
		return false;
	if (!admin_wants_audit(call))
		admin_note(call, action,
			   json_pack("{s:s%, s:[]}", "reason", (const char *)reason.data,
				     reason.len, "records"));
	return true;
}

void admin_put_started(struct admin_call *call)
{
	json_object_set_new(call->result, "started_at", admin_json_time(call->ctx->started_ms));
}

json_t *admin_json_text(struct bytes text)
{
	json_t *j = NULL;

	if (text.len != 0)
		j = json_stringn((const char *)text.data, text.len);
	return j != NULL ? j : json_null();
}

json_t *admin_json_time(int64_t wall_ms)
{
	char iso[CLOCK_ISO_LEN];

	if (wall_ms == 0)
		return json_null();
	clock_print_iso(wall_ms, iso);
	return json_string(iso);
}

json_t *admin_json_hex(struct bytes bytes)
{
	AUTO(mem_free) char *hex = mem_alloc(2 * bytes.len + 1);

	hex_print(bytes.data, bytes.len, hex);
	return json_string(hex);
}

json_t *admin_json_value(const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL: return json_null();
	case VALUE_BOOL: return json_boolean(v->boolean);
	case VALUE_INT: return json_integer(v->integer);
	case VALUE_TEXT: return json_stringn((const char *)v->bytes.data, v->bytes.len);
	case VALUE_BYTES: return admin_json_hex(v->bytes);
	}
	return json_null();
}

bool admin_wants_audit(const struct admin_call *call)
{
	return call->audit_action[0] != '\0';
}

enum err admin_leave_audit(struct admin_call *call)
{
	AUTO(mem_free) char *detail = NULL;

	if (call->audit_detail != NULL)
		detail = json_dumps(call->audit_detail, JSON_COMPACT | JSON_SORT_KEYS);
	return store_put_audit(call->store, clock_wall_ms(call->ctx->clock),
			       bytes_str(call->caller.name), bytes_str(call->audit_action),
			       bytes_str(detail != NULL ? detail : "{}"));
}

void admin_call_clear(struct admin_call *call)
{
	json_decref(call->result);
	json_decref(call->audit_detail);
	call->result = NULL;
	call->audit_detail = NULL;
}
