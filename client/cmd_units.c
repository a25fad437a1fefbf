/*
 * Units by their codes. A code is not an identity: it is given out again, and then means another
 * unit. So every code printed here is read back as the same unit: a unit whose code means
 * another one now is CODE@DATE, the day from which it bore it ("25195@2021-02-01");
 * docs/decisions/0007.
 */
#include <stdlib.h>

#include "client/cmd.h"
#include "common/base/check.h"
#include "common/base/clock.h"

#define VIETNAM_MS (INT64_C(7) * 3600000)
#define DAY_LEN    10u /* "2021-02-01" */

enum err cmd_load_units(struct cmd *c)
{
	struct bytes message;
	uint64_t version;

	if (c->has_units)
		return ERR_OK;
	enum err e = vault_doc_load(c->vault, &c->arena, VAULT_DOC_UNITS, &message);

	if (e == ERR_OK)
		e = msg_units_decode(&c->arena, message, &c->units, &c->unit_count, &version);
	if (e == ERR_NOTFOUND)
		e = ERR_OK;
	c->has_units = e == ERR_OK;
	return e;
}

/* ---- the day ---- */

/*
 * Today as the office would say it. This machine's clock may be dead or decades off: how far it
 * is off is known from the last sync, and before the last receipt it cannot be.
 */
static struct bytes today(struct cmd *c)
{
	const struct vault_state *state = vault_state(c->vault);
	int64_t now_ms = clock_wall_ms(c->clock);

	if (c->today[0] != '\0')
		return bytes_of(c->today, DAY_LEN);
	if (state->has_clock_offset != 0)
		now_ms -= state->clock_offset_ms;
	if (now_ms < state->last_receipt_ms)
		now_ms = state->last_receipt_ms;
	clock_print_iso(now_ms + VIETNAM_MS, c->today);
	return bytes_of(c->today, DAY_LEN);
}

static bool has_begun(const struct msg_unit *u, struct bytes day)
{
	return u->valid_from.len == 0 || bytes_compare(u->valid_from, day) <= 0;
}

static bool is_valid(const struct msg_unit *u, struct bytes day)
{
	return has_begun(u, day) &&
	       (u->valid_until.len == 0 || bytes_compare(u->valid_until, day) > 0);
}

/* ---- unit to code ---- */

/* A unit has a line for each name it had: the latest that has begun, else the first to come. */
static const struct msg_unit *unit_of(struct cmd *c, int64_t unit)
{
	const struct msg_unit *best = NULL;
	struct bytes day;

	if (cmd_load_units(c) != ERR_OK)
		return NULL;
	day = today(c);
	for (size_t i = 0; i < c->unit_count; i++) {
		const struct msg_unit *u = &c->units[i];

		/* Lines of a unit come oldest first. */
		if (u->unit == unit && (best == NULL || has_begun(u, day)))
			best = u;
	}
	return best;
}

/* Which of two lines with one code the code means on that day: one in force, else the latest that
 * was, else the first to be. */
static bool means_rather(const struct msg_unit *u, const struct msg_unit *best, struct bytes day)
{
	if (best == NULL || is_valid(u, day) != is_valid(best, day))
		return best == NULL || is_valid(u, day);
	if (has_begun(u, day) != has_begun(best, day))
		return has_begun(u, day);
	return (bytes_compare(u->valid_from, best->valid_from) > 0) == has_begun(u, day);
}

static const struct msg_unit *meant(const struct cmd *c, struct bytes code, struct bytes day)
{
	const struct msg_unit *best = NULL;

	for (size_t i = 0; i < c->unit_count; i++)
		if (bytes_equal(c->units[i].code, code) && means_rather(&c->units[i], best, day))
			best = &c->units[i];
	return best;
}

struct bytes cmd_unit_code(struct cmd *c, struct arena *a, int64_t unit)
{
	const struct msg_unit *u;

	/* Most records of a listing are of one unit, and the list has thousands. */
	if (c->last_code.len != 0 && c->last_unit == unit)
		return c->last_code;
	u = unit_of(c, unit);
	if (u == NULL)
		return arena_printf(a, "%lld", (long long)unit);
	c->last_unit = unit;
	c->last_code = meant(c, u->code, today(c))->unit == unit
			       ? u->code
			       : arena_printf(&c->arena, "%.*s@%.*s", BYTES_FMT(u->code),
					      BYTES_FMT(u->valid_from));
	return c->last_code;
}

struct bytes cmd_unit_name(struct cmd *c, int64_t unit)
{
	const struct msg_unit *u = unit_of(c, unit);

	return u != NULL ? u->name : BYTES_NONE;
}

/* ---- code to unit ---- */

static enum err read_unit_number(struct bytes text, int64_t *ret_unit)
{
	char digits[20] = "";
	char *end;

	if (text.len == 0 || text.len >= sizeof digits)
		return err_raise(ERR_NOTFOUND, "no list of units is here yet");
	memcpy(digits, text.data, text.len);
	*ret_unit = strtoll(digits, &end, 10);
	return *end == '\0' && *ret_unit > 0 ? ERR_OK : err_raise(ERR_NOTFOUND, "no such unit");
}

/* What the code meant on that very day. */
static const struct msg_unit *meant_on(const struct cmd *c, struct bytes code, struct bytes day)
{
	const struct msg_unit *u = meant(c, code, day);

	return u != NULL && is_valid(u, day) ? u : NULL;
}

enum err cmd_unit_find(struct cmd *c, struct bytes code, int64_t *ret_unit)
{
	const struct msg_unit *u;
	size_t at = 0;
	enum err e = cmd_load_units(c);

	if (e != ERR_OK)
		return e;
	/* Without a list, units are shown by their numbers, and read back so. */
	if (c->unit_count == 0)
		return read_unit_number(code, ret_unit);
	while (at < code.len && code.data[at] != '@')
		at++;
	u = at == code.len ? meant(c, code, today(c))
			   : meant_on(c, bytes_of(code.data, at),
				      bytes_of(code.data + at + 1, code.len - at - 1));
	if (u == NULL)
		return err_raise(ERR_NOTFOUND, "no unit has the code %.*s", BYTES_FMT(code));
	*ret_unit = u->unit;
	return ERR_OK;
}

/* ---- the unit of an entry ---- */

bool cmd_unit_is_ours(struct cmd *c, int64_t unit)
{
	int64_t *scope = NULL;
	size_t count = 0;

	if (vault_scope_load(c->vault, &c->arena, &scope, &count) != ERR_OK || count == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		if (scope[i] == unit)
			return true;
	return false;
}

/* Of the scope, those that exist now: predecessors are in it for reading. */
static size_t present_units(struct cmd *c, const int64_t *scope, size_t count, int64_t *ret_unit)
{
	size_t present = 0;

	if (count == 1) {
		*ret_unit = scope[0];
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		const struct msg_unit *u = unit_of(c, scope[i]);

		if (u != NULL && !is_valid(u, today(c)))
			continue;
		*ret_unit = scope[i];
		present++;
	}
	return present;
}

static bool find_our_unit(struct cmd *c, const char *code, int64_t *ret_unit, int *ret_exit)
{
	if (cmd_unit_find(c, bytes_str(code), ret_unit) != ERR_OK) {
		*ret_exit = cmd_fail("không có đơn vị mang mã này; chưa ghi gì",
				     "no unit has this code; nothing was saved");
		return false;
	}
	/* The office would only put it into quarantine. */
	if (cmd_unit_is_ours(c, *ret_unit))
		return true;
	*ret_exit = cmd_fail("đơn vị này không thuộc địa bàn của máy; chưa ghi gì; xem ctxh status",
			     "this unit is not one of this device's; nothing was saved; see ctxh "
			     "status");
	return false;
}

bool cmd_entry_unit(struct cmd *c, const char *code, int64_t *ret_unit, int *ret_exit)
{
	int64_t *scope = NULL;
	size_t count = 0;

	if (code != NULL)
		return find_our_unit(c, code, ret_unit, ret_exit);
	enum err e = vault_scope_load(c->vault, &c->arena, &scope, &count);

	if (e != ERR_OK) {
		*ret_exit = cmd_fail_err(c, e, "đọc kho dữ liệu", "reading the vault");
		return false;
	}
	if (present_units(c, scope, count, ret_unit) == 1)
		return true;
	*ret_exit =
		cmd_usage(c, "máy này thuộc nhiều đơn vị (hoặc chưa có đơn vị): hãy thêm --unit MÃ",
			  "this device has several units (or none): add --unit CODE");
	return false;
}
