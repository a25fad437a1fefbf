#define LOG_TAG "admin"

#include <string.h>

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/enrol.h"
#include "daemon/qr.h"
#include "daemon/registry.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

#define INVITE_UNITS_MAX   64u
#define INVITE_EXPIRES_MAX (INT64_C(30) * 86400000)
#define INVITE_EXPIRES_MIN INT64_C(60000)

static enum err load_device(struct admin_call *call, struct store_device *ret_device)
{
	int64_t number = 0;
	bool sees = true;
	enum err e = admin_need_int(call, "device", 1, UINT32_MAX, &number);

	if (e != ERR_OK)
		return e;
	e = admin_sees_device(call, (uint32_t)number, &sees);
	if (e == ERR_OK)
		e = sees ? store_load_device(call->store, call->arena, (uint32_t)number, ret_device)
			 : ERR_NOTFOUND;
	if (e == ERR_NOTFOUND)
		return admin_fail(
			call, e,
			"Không có thiết bị số %lld; chưa có gì thay đổi; xem “ctxhctl "
			"device list” / no device %lld; nothing was changed; see “ctxhctl "
			"device list”",
			(long long)number, (long long)number);
	return e;
}

/* The same, to decide about it. */
static enum err load_ruled(struct admin_call *call, struct store_device *ret_device)
{
	bool rules = true;
	enum err e = load_device(call, ret_device);

	if (e == ERR_OK)
		e = admin_rules_device(call, ret_device->id.number, &rules);
	if (e != ERR_OK || rules)
		return e;
	return admin_fail(
		call, ERR_AUTH,
		"Thiết bị %u còn thuộc xã khác, ngoài các đơn vị của tài khoản; chưa có gì "
		"thay đổi; nhờ văn phòng quyết định / device %u also belongs to others than "
		"the account's units; nothing was changed; the office decides it",
		ret_device->id.number, ret_device->id.number);
}

/* What became of a device that was set aside: who took its place, and until when somebody may. */
static enum err put_released(struct admin_call *call, const struct store_device *d)
{
	const int64_t now = clock_wall_ms(call->ctx->clock);
	struct enrol_released *rows = NULL;
	json_t *successors = json_array();
	size_t count = 0;
	int64_t at = 0;
	int64_t expires = 0;
	enum err e = enrol_load_released(call->store, call->arena, d->id.number, &rows, &count);

	for (size_t i = 0; i < count; i++) {
		at = rows[i].at_ms;
		if (rows[i].successor != 0)
			json_array_append_new(successors, json_integer(rows[i].successor));
		else if (rows[i].expires_ms > now && rows[i].expires_ms > expires)
			expires = rows[i].expires_ms;
	}
	json_object_set_new(call->result, "former",
			    d->former != 0 ? json_integer(d->former) : json_null());
	json_object_set_new(call->result, "released_at", admin_json_time(at));
	json_object_set_new(call->result, "release_expires_at", admin_json_time(expires));
	json_object_set_new(call->result, "successors", successors);
	return e;
}

/* {device} -> the keys of the list, and author, unit_names, cleared, backed_up, … */
enum err admin_device_show(struct admin_call *call)
{
	struct store_device d = {0};
	int64_t *units = NULL;
	size_t count = 0;
	json_t *codes = NULL;
	json_t *names;
	enum err e = load_device(call, &d);

	if (e == ERR_OK)
		e = store_load_device_units(call->store, call->arena, d.id.number, &units, &count);
	if (e == ERR_OK)
		e = admin_device_units(call, d.id.number, &codes);
	if (e != ERR_OK)
		return e;
	names = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(names, admin_json_unit_name(call, units[i]));
	call->result = admin_json_device(call, &d, codes);
	json_object_set_new(call->result, "unit_names", names);
	json_object_set_new(call->result, "author", admin_json_text(d.author));
	json_object_set_new(call->result, "cleared", json_boolean(d.id.is_cleared));
	json_object_set_new(call->result, "seen_number", json_integer((json_int_t)d.seen_number));
	json_object_set_new(call->result, "backed_up", json_integer((json_int_t)d.backed_up));
	json_object_set_new(call->result, "clock_flagged", json_boolean(d.is_clock_flagged));
	json_object_set_new(call->result, "key",
			    admin_json_hex(bytes_of(d.id.key.bytes, sizeof d.id.key.bytes)));
	json_object_set_new(call->result, "why", admin_json_text(d.why));
	return put_released(call, &d);
}

/* "72h", "30m", "7d": from a minute to thirty days. */
static enum err read_expiry(struct admin_call *call, int64_t now_ms, int64_t *ret_ms)
{
	static const struct {
		uint8_t letter;
		int64_t ms;
	} unit[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	struct bytes text;
	int64_t number = 0;
	size_t i = 0;
	enum err e = admin_want_text(call, "expires", &text);

	*ret_ms = 0;
	if (e != ERR_OK || text.len == 0)
		return e;
	for (; i < text.len && i < 6 && text.data[i] >= '0' && text.data[i] <= '9'; i++)
		number = number * 10 + (text.data[i] - '0');
	for (size_t u = 0; u < sizeof unit / sizeof unit[0]; u++) {
		const int64_t ms = number * unit[u].ms;

		if (i + 1 != text.len || text.data[i] != unit[u].letter)
			continue;
		if (ms < INVITE_EXPIRES_MIN || ms > INVITE_EXPIRES_MAX)
			break;
		*ret_ms = now_ms + ms;
		return ERR_OK;
	}
	return admin_misuse(
		call, "“expires” phải như 30m, 72h hoặc 7d, không quá 30 ngày; chưa tạo lời mời "
		      "nào / “expires” must be as 30m, 72h or 7d, at most 30 days; no "
		      "invitation was made");
}

static enum err find_unit(struct admin_call *call, struct bytes code, int64_t day, const char *on,
			  int64_t *ret_unit)
{
	struct unit_row row;
	enum err e = units_find(call->store, call->arena, code, day, &row);

	if (e == ERR_NOTFOUND)
		return admin_fail(call, e,
				  "Không có đơn vị mã %.*s vào ngày %s; chưa tạo lời mời nào; xem "
				  "“ctxhctl unit list --on %s” / no unit %.*s on %s; no invitation "
				  "was made; see “ctxhctl unit list --on %s”",
				  BYTES_FMT(code), on, on, BYTES_FMT(code), on, on);
	if (e == ERR_OK)
		e = admin_need_unit(call, row.unit, code);
	if (e == ERR_OK)
		*ret_unit = row.unit;
	return e;
}

static enum err read_units(struct admin_call *call, int64_t *units, size_t *ret_count)
{
	const json_t *list = json_object_get(call->args, "units");
	char on[ADMIN_DATE_LEN];
	size_t count = json_array_size(list);
	int64_t day = 0;
	enum err e = admin_want_date(call, "on", on);

	if (e != ERR_OK)
		return e;
	if (on[0] == '\0')
		admin_today(call, on);
	e = units_parse_day(bytes_str(on), &day);
	if (e != ERR_OK)
		return e;
	if (count == 0 || count > INVITE_UNITS_MAX)
		return admin_misuse(
			call,
			"Cần từ 1 đến %u mã đơn vị; chưa tạo lời mời nào / between 1 and "
			"%u unit codes are needed; no invitation was made",
			INVITE_UNITS_MAX, INVITE_UNITS_MAX);
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		const json_t *code = json_array_get(list, i);

		e = find_unit(call, bytes_of(json_string_value(code), json_string_length(code)),
			      day, on, &units[i]);
	}
	*ret_count = count;
	return e;
}

/* For pages, which cannot encode it themselves. */
static enum err put_qr(struct admin_call *call, const char *text)
{
	json_t *rows = NULL;
	enum err e = admin_flag(call, "qr") ? qr_rows(text, &rows) : ERR_OK;

	if (rows != NULL)
		json_object_set_new(call->result, "qr", rows);
	return e;
}

/* {units: [code], on?, author?, clearance?, expires?, qr?} -> {invitation, units, expires_at, qr?}
 */
enum err admin_device_invite(struct admin_call *call)
{
	int64_t units[INVITE_UNITS_MAX];
	struct enrol_invite invite = {.units = units};
	struct invitation invitation;
	char text[LIMIT_INVITATION_BYTES];
	struct bytes clearance;
	enum err e;

	invite.now_ms = clock_wall_ms(call->ctx->clock);
	e = read_units(call, units, &invite.unit_count);
	if (e == ERR_OK)
		e = admin_want_text(call, "author", &invite.author);
	if (e == ERR_OK)
		e = admin_want_text(call, "clearance", &clearance);
	if (e == ERR_OK)
		e = read_expiry(call, invite.now_ms, &invite.expires_ms);
	if (e != ERR_OK)
		return e;
	if (clearance.len != 0 && !bytes_is(clearance, "restricted"))
		return admin_misuse(
			call, "“clearance” chỉ có thể là “restricted”; chưa tạo lời mời nào / "
			      "“clearance” can only be “restricted”; no invitation was made");
	if (invite.author.len > LIMIT_AUTHOR_BYTES)
		return admin_fail(call, ERR_TOOBIG,
				  "Tên người dùng dài quá %u byte; chưa tạo lời mời nào / the "
				  "author's name is over %u bytes; no invitation was made",
				  LIMIT_AUTHOR_BYTES, LIMIT_AUTHOR_BYTES);
	invite.is_cleared = clearance.len != 0;
	if (invite.expires_ms == 0)
		invite.expires_ms = invite.now_ms + ENROL_EXPIRES_MS;
	e = enrol_invite(call->ctx, call->store, &invite, &invitation);
	if (e != ERR_OK)
		return e;
	invitation_print(&invitation, text);
	admin_note(call, "device invite",
		   json_pack("{s:O, s:b, s:o}", "units", json_object_get(call->args, "units"),
			     "cleared", invite.is_cleared, "expires_at",
			     admin_json_time(invite.expires_ms)));
	call->result = json_pack("{s:s, s:O, s:o}", "invitation", text, "units",
				 json_object_get(call->args, "units"), "expires_at",
				 admin_json_time(invite.expires_ms));
	return put_qr(call, text);
}

/* {device, why} -> {number, state} */
enum err admin_device_revoke(struct admin_call *call)
{
	struct registry_device after;
	struct store_device d = {0};
	struct bytes why;
	enum err e = load_ruled(call, &d);

	if (e == ERR_OK)
		e = admin_need_text(call, "why", &why);
	if (e != ERR_OK)
		return e;
	if (d.id.state == DEVICE_REVOKED)
		return admin_fail(
			call, ERR_CONFLICT,
			"Thiết bị %u đã bị thu hồi từ trước; không có gì thay đổi / device "
			"%u was revoked before; nothing was changed",
			d.id.number, d.id.number);
	e = enrol_revoke(call->store, d.id.number, why, clock_wall_ms(call->ctx->clock), &after);
	if (e != ERR_OK)
		return e;
	admin_note(call, "device revoke",
		   json_pack("{s:I, s:s%}", "device", (json_int_t)d.id.number, "why",
			     (const char *)why.data, why.len));
	call->result =
		json_pack("{s:I, s:s}", "number", (json_int_t)d.id.number, "state", "revoked");
	return ERR_OK;
}

static enum err fail_release(struct admin_call *call, const struct store_device *d)
{
	const unsigned n = d->id.number;

	if (d->id.state == DEVICE_REVOKED)
		return admin_fail(
			call, ERR_CONFLICT,
			"Thiết bị %u đã bị thu hồi và không được giải phóng; không có gì thay đổi; "
			"máy dùng lại thì đăng ký mới trong thư mục khác: “ctxhctl device invite” / "
			"device %u was revoked and is not released; nothing was changed; a computer "
			"used again is enrolled anew in another folder: “ctxhctl device invite”",
			n, n);
	return admin_fail(
		call, ERR_CONFLICT,
		"Thiết bị %u đang hoạt động bình thường, không bị tách ra và không thiếu số nào; "
		"không có gì thay đổi / device %u is at work, neither set aside nor with missing "
		"numbers; nothing was changed",
		n, n);
}

/* {device, expires?, qr?} -> {invitation, number, units, expires_at, qr?} */
enum err admin_device_release(struct admin_call *call)
{
	const int64_t now = clock_wall_ms(call->ctx->clock);
	struct invitation invitation;
	struct store_device d = {0};
	char text[LIMIT_INVITATION_BYTES];
	json_t *units = NULL;
	int64_t expires = 0;
	enum err e = load_ruled(call, &d);

	if (e == ERR_OK)
		e = read_expiry(call, now, &expires);
	if (e == ERR_OK && !enrol_may_release(&d))
		e = fail_release(call, &d);
	if (e != ERR_OK)
		return e;
	if (expires == 0)
		expires = now + ENROL_EXPIRES_MS;
	e = enrol_release(call->ctx, call->store, d.id.number, now, expires, &invitation);
	if (e == ERR_OK)
		e = admin_device_units(call, d.id.number, &units);
	if (e != ERR_OK)
		return e;
	invitation_print(&invitation, text);
	admin_note(call, "device release",
		   json_pack("{s:I, s:o}", "device", (json_int_t)d.id.number, "expires_at",
			     admin_json_time(expires)));
	call->result = json_pack("{s:s, s:I, s:o, s:o}", "invitation", text, "number",
				 (json_int_t)d.id.number, "units", units, "expires_at",
				 admin_json_time(expires));
	return put_qr(call, text);
}

/* From the next request on; the counter in memory may be ahead of the store's and stays. */
void admin_device_revoked(struct admin_call *call)
{
	const json_t *number = json_object_get(call->result, "number");
	struct registry_device d;

	if (registry_find(call->ctx->registry, (uint32_t)json_integer_value(number), &d) != ERR_OK)
		return;
	d.state = DEVICE_REVOKED;
	registry_put(call->ctx->registry, &d);
}
