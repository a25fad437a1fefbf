#define LOG_TAG "admin"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/account.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/console.h"
#include "daemon/units.h"

/* What is worked out before the writer is asked: Argon2id would hold it up. */
struct first_password {
	char text[PASSWORD_FIRST_LEN];
	struct password kept;
};

enum err admin_account_prepare(struct admin_call *call)
{
	struct first_password *first = arena_alloc(call->arena, sizeof *first);

	call->prepared = first;
	password_print_first(call->ctx->rand, first->text);
	return password_make(call->ctx->rand, bytes_str(first->text), &first->kept);
}

static enum err read_name(struct admin_call *call, struct bytes *ret_name)
{
	AUTO(buf_clear) struct buf name = {0};
	struct bytes text;
	enum err e = admin_need_text(call, "name", &text);

	if (e != ERR_OK)
		return e;
	if (account_name(text, &name) != ERR_OK)
		return admin_misuse(
			call,
			"Tên tài khoản phải là 1 đến %u byte chữ, không có khoảng trắng ở hai đầu; "
			"chưa có gì thay đổi / an account's name is 1 to %u bytes of text without "
			"blanks at its ends; nothing was changed",
			ACCOUNT_NAME_MAX, ACCOUNT_NAME_MAX);
	*ret_name = arena_copy(call->arena, buf_bytes(&name));
	return ERR_OK;
}

static enum err fail_unknown(struct admin_call *call, struct bytes name)
{
	return admin_fail(call, ERR_NOTFOUND,
			  "Không có tài khoản “%.*s”; chưa có gì thay đổi; xem “ctxhctl account "
			  "list” / no account “%.*s”; nothing was changed; see “ctxhctl account "
			  "list”",
			  BYTES_FMT(name), BYTES_FMT(name));
}

static json_t *units_json(struct admin_call *call, const struct account *account)
{
	json_t *codes = json_array();

	for (size_t i = 0; i < account->unit_count; i++)
		json_array_append_new(codes, admin_json_unit(call, account->units[i]));
	return codes;
}

/* The audit says whose account and what; never the password. `take_was`: what it was before that
 * changed; may be NULL. */
static void note_change(struct admin_call *call, const char *action, const struct account *account,
			json_t *take_was)
{
	admin_note(call, action,
		   json_pack("{s:s%, s:s, s:b, s:o, s:o*}", "account",
			     (const char *)account->name.data, account->name.len, "role",
			     role_name(account->role), "cleared", (int)account->is_cleared, "units",
			     units_json(call, account), "was", take_was));
}

static void note(struct admin_call *call, const char *action, const struct account *account)
{
	note_change(call, action, account, NULL);
}

/* Codes of communes, districts or provinces as they are today. */
static enum err read_units(struct admin_call *call, struct account *a)
{
	const json_t *list = json_object_get(call->args, "units");
	const size_t count = json_array_size(list);
	enum err e = ERR_OK;

	if (!admin_has(call, "units"))
		return ERR_OK;
	if (count == 0 || count > ACCOUNT_UNITS)
		return admin_fail(
			call, ERR_INVAL,
			"Cần từ 1 đến %u mã đơn vị, hoặc cả văn phòng; chưa có gì thay đổi "
			"/ between 1 and %u unit codes are needed, or the whole office; "
			"nothing was changed",
			ACCOUNT_UNITS, ACCOUNT_UNITS);
	a->units = arena_alloc_array(call->arena, count, sizeof *a->units);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const json_t *code = json_array_get(list, i);
		struct unit_row unit;

		e = admin_find_unit(
			call, bytes_of(json_string_value(code), json_string_length(code)), &unit);
		if (e == ERR_OK)
			a->units[a->unit_count++] = unit.unit;
	}
	return e;
}

static enum err read_role(struct admin_call *call, enum role *ret_role)
{
	struct bytes role;
	enum err e = admin_need_text(call, "role", &role);

	if (e != ERR_OK || role_parse(role, ret_role))
		return e;
	return admin_misuse(
		call,
		"“role” là một trong administrator, reviewer, reporter, auditor; chưa có gì thay "
		"đổi / “role” is one of administrator, reviewer, reporter, auditor; nothing was "
		"changed");
}

static enum err read_account(struct admin_call *call, struct account *a)
{
	struct bytes clearance;
	enum err e = read_name(call, &a->name);

	if (e == ERR_OK)
		e = read_role(call, &a->role);
	if (e == ERR_OK)
		e = admin_want_text(call, "clearance", &clearance);
	if (e != ERR_OK)
		return e;
	if (clearance.len != 0 && !bytes_is(clearance, "restricted"))
		return admin_misuse(
			call,
			"“clearance” chỉ có thể là “restricted”; chưa tạo tài khoản / “clearance” "
			"can only be “restricted”; no account was made");
	a->is_cleared = clearance.len != 0;
	return read_units(call, a);
}

static json_t *account_json(struct admin_call *call, const struct account *a)
{
	json_t *row = json_object();

	json_object_set_new(row, "name", admin_json_text(a->name));
	json_object_set_new(row, "role", json_string(role_name(a->role)));
	json_object_set_new(row, "cleared", json_boolean(a->is_cleared));
	json_object_set_new(row, "units", units_json(call, a));
	return row;
}

static void put_first_password(struct admin_call *call, const struct account *a)
{
	const struct first_password *first = call->prepared;

	call->result = account_json(call, a);
	json_object_set_new(call->result, "password", json_string(first->text));
	json_object_set_new(call->result, "address", json_string(call->ctx->console_address));
	json_object_set_new(
		call->result, "fingerprint",
		admin_json_hex(bytes_of(call->ctx->tls_pin, sizeof call->ctx->tls_pin)));
}

/* {name, role, clearance?, units?: [code]} -> {name, role, cleared, units, password, address,
 * fingerprint} */
enum err admin_account_add(struct admin_call *call)
{
	const struct first_password *first = call->prepared;
	const int64_t now = clock_wall_ms(call->ctx->clock);
	struct account a = {
		.must_change = true, .password = first->kept, .made_ms = now, .changed_ms = now};
	enum err e = read_account(call, &a);

	if (e == ERR_OK)
		e = account_add(call->store, &a);
	if (e == ERR_CONFLICT)
		return admin_fail(
			call, e,
			"Đã có tài khoản “%.*s”; chưa có gì thay đổi; mật khẩu mới: “ctxhctl account "
			"reset” / there is an account “%.*s”; nothing was changed; a new password: "
			"“ctxhctl account reset”",
			BYTES_FMT(a.name), BYTES_FMT(a.name));
	if (e == ERR_TOOBIG)
		return admin_fail(call, e,
				  "Đã có %u tài khoản; hãy bỏ bớt / there are %u accounts; remove "
				  "some",
				  ACCOUNT_MAX, ACCOUNT_MAX);
	if (e != ERR_OK)
		return e;
	note(call, "account add", &a);
	put_first_password(call, &a);
	return ERR_OK;
}

/* {} -> [{name, role, cleared, units, must_change, made_at, changed_at, login_at}] */
enum err admin_account_list(struct admin_call *call)
{
	struct account *accounts = NULL;
	size_t count = 0;
	enum err e = account_list(call->store, call->arena, &accounts, &count);

	if (e != ERR_OK)
		return e;
	call->result = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct account *a = &accounts[i];
		json_t *row = account_json(call, a);

		json_object_set_new(row, "must_change", json_boolean(a->must_change));
		json_object_set_new(row, "made_at", admin_json_time(a->made_ms));
		json_object_set_new(row, "changed_at", admin_json_time(a->changed_ms));
		json_object_set_new(row, "login_at", admin_json_time(a->login_ms));
		json_array_append_new(call->result, row);
	}
	return ERR_OK;
}

static enum err load(struct admin_call *call, struct account *ret_account)
{
	struct bytes name = BYTES_NONE;
	enum err e = read_name(call, &name);

	if (e == ERR_OK)
		e = account_load(call->store, call->arena, name, ret_account);
	return e == ERR_NOTFOUND ? fail_unknown(call, name) : e;
}

/* The same, to change it. Who is given the password of a cleared account could read what it may,
 * and a wider role or more units let its holder read more: without a clearance nobody gives
 * either. */
static enum err load_to_change(struct admin_call *call, struct account *ret_account)
{
	enum err e = load(call, ret_account);

	if (e != ERR_OK || !ret_account->is_cleared || !call->caller.is_uncleared)
		return e;
	return admin_fail(
		call, ERR_AUTH,
		"Tài khoản này được xem dữ liệu hạn chế, tài khoản của bạn thì không; chưa có gì "
		"thay đổi / that account may read restricted data and yours may not; nothing was "
		"changed");
}

/* {name} -> as account add */
enum err admin_account_reset(struct admin_call *call)
{
	const struct first_password *first = call->prepared;
	struct account a = {0};
	enum err e = load_to_change(call, &a);

	if (e != ERR_OK)
		return e;
	e = account_set_password(call->store, a.name, &first->kept, true,
				 clock_wall_ms(call->ctx->clock));
	if (e != ERR_OK)
		return e;
	note(call, "account reset", &a);
	put_first_password(call, &a);
	return ERR_OK;
}

/* {name} -> {name} */
enum err admin_account_remove(struct admin_call *call)
{
	struct account a = {0};
	enum err e = load(call, &a);

	if (e == ERR_OK)
		e = account_remove(call->store, a.name);
	if (e != ERR_OK)
		return e;
	note(call, "account remove", &a);
	call->result = json_object();
	json_object_set_new(call->result, "name", admin_json_text(a.name));
	return ERR_OK;
}

/* {name, units: [code]} or {name, all: true} -> {name, role, cleared, units} */
enum err admin_account_units(struct admin_call *call)
{
	struct account a = {0};
	json_t *was;
	enum err e;

	if (admin_flag(call, "all") == admin_has(call, "units"))
		return admin_misuse(
			call,
			"Cần mã các đơn vị (“units”), hoặc “all” để thấy cả văn phòng; chưa có gì "
			"thay đổi / either unit codes (“units”) or “all” for the whole office; "
			"nothing was changed");
	e = load_to_change(call, &a);
	if (e != ERR_OK)
		return e;
	was = units_json(call, &a);
	a.unit_count = 0;
	e = read_units(call, &a);
	if (e == ERR_OK)
		e = account_set_units(call->store, &a);
	if (e != ERR_OK) {
		json_decref(was);
		return e;
	}
	note_change(call, "account units", &a, was);
	call->result = account_json(call, &a);
	return ERR_OK;
}

/* {name, role} -> {name, role, cleared, units} */
enum err admin_account_role(struct admin_call *call)
{
	struct account a = {0};
	enum role given;
	const char *was;
	enum err e = read_role(call, &given);

	if (e == ERR_OK)
		e = load_to_change(call, &a);
	if (e == ERR_OK)
		e = account_set_role(call->store, a.name, given);
	if (e != ERR_OK)
		return e;
	was = role_name(a.role);
	a.role = given;
	note_change(call, "account role", &a, json_string(was));
	call->result = account_json(call, &a);
	return ERR_OK;
}

/* Whoever is signed in with what was changed is no longer. */
void admin_account_changed(struct admin_call *call)
{
	const char *name = json_string_value(json_object_get(call->result, "name"));

	if (call->ctx->console != NULL)
		console_forget_account(call->ctx->console, name);
}

/* Whoever is signed in goes on with what the account may now. */
void admin_account_given(struct admin_call *call)
{
	const json_t *units = json_object_get(call->result, "units");
	const char *role = json_string_value(json_object_get(call->result, "role"));
	AUTO(buf_clear) struct buf codes = {0};
	struct role_holder holder = {.is_cleared =
					     json_is_true(json_object_get(call->result, "cleared")),
				     .is_bound = json_array_size(units) != 0};
	const bool is_role = role_parse(bytes_str(role), &holder.role);

	REQUIRE(is_role);
	for (size_t i = 0; i < json_array_size(units); i++) {
		/* A unit that a restore forgot has no code, and nobody sees it. */
		const char *code = json_string_value(json_array_get(units, i));

		buf_printf(&codes, "%s%s", i != 0 ? ", " : "", code != NULL ? code : "");
	}
	if (call->ctx->console != NULL)
		console_change_account(call->ctx->console,
				       json_string_value(json_object_get(call->result, "name")),
				       &holder, buf_bytes(&codes));
}
