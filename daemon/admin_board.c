#define LOG_TAG "admin"

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/board.h"
#include "daemon/units.h"

static void put_tally(json_t *to, const struct board_tally *t)
{
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {{"devices", t->devices},       {"forked", t->forked},
		      {"clock_off", t->clock_off},   {"missing", t->missing},
		      {"quarantine", t->quarantine}, {"conflicts", t->conflicts}};

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_object_set_new(to, counts[i].key, json_integer((json_int_t)counts[i].count));
	json_object_set_new(to, "last_contact", admin_json_time(t->contact_ms));
	json_object_set_new(to, "last_receipt", admin_json_time(t->receipt_ms));
}

static json_t *row_json(const struct board_row *r)
{
	json_t *row = json_object();

	json_object_set_new(row, "code", admin_json_text(r->code));
	json_object_set_new(row, "name", admin_json_text(r->name));
	json_object_set_new(row, "district_code", admin_json_text(r->district_code));
	json_object_set_new(row, "district_name", admin_json_text(r->district_name));
	json_object_set_new(row, "province_code", admin_json_text(r->province_code));
	json_object_set_new(row, "province_name", admin_json_text(r->province_name));
	json_object_set_new(row, "state", json_string(board_state_name(r->state)));
	put_tally(row, &r->tally);
	return row;
}

static json_t *totals_json(const struct board *b)
{
	json_t *totals = json_object();

	json_object_set_new(totals, "communes", json_integer((json_int_t)b->count));
	for (unsigned state = 0; state < sizeof b->by_state / sizeof b->by_state[0]; state++)
		json_object_set_new(totals, board_state_name((enum board_state)state),
				    json_integer((json_int_t)b->by_state[state]));
	put_tally(totals, &b->all);
	return totals;
}

static bool is_quiet(const struct board_row *r)
{
	const struct board_tally *t = &r->tally;

	return r->state == BOARD_FRESH && t->forked == 0 && t->clock_off == 0 && t->missing == 0 &&
	       t->quarantine == 0 && t->conflicts == 0;
}

struct board_filter {
	struct bytes province; /* empty: all */
	struct bytes unit;     /* a commune's or a district's code; empty: all */
	bool has_attention;    /* only what somebody should look at */
};

static bool is_wanted(const struct board_filter *f, const struct board_row *r)
{
	if (f->province.len != 0 && !bytes_equal(f->province, r->province_code))
		return false;
	if (f->unit.len != 0 && !bytes_equal(f->unit, r->code) &&
	    !bytes_equal(f->unit, r->district_code))
		return false;
	return !f->has_attention || !is_quiet(r);
}

/* A code nobody ever had is a slip of the hand, and an empty board would not say so. */
static enum err want_code(struct admin_call *call, const char *key, struct bytes *ret_code)
{
	struct unit_row row;
	enum err e = admin_want_text(call, key, ret_code);

	if (e == ERR_OK && ret_code->len != 0)
		e = admin_find_unit(call, *ret_code, &row);
	return e;
}

/* {province?, unit?, attention?} -> {at, totals, rows}; totals are of all the caller sees */
enum err admin_board(struct admin_call *call)
{
	const int64_t now = clock_wall_ms(call->ctx->clock);
	const struct board_ask ask = {.day = units_day_of(now),
				      .now_ms = now,
				      .is_bound = admin_is_bound(call),
				      .units = call->scope.units,
				      .unit_count = call->scope.unit_count};
	struct board_filter filter = {.has_attention = admin_flag(call, "attention")};
	struct board board = {0};
	json_t *rows;
	enum err e = want_code(call, "province", &filter.province);

	if (e == ERR_OK)
		e = want_code(call, "unit", &filter.unit);
	if (e == ERR_OK)
		e = board_load(call->store, call->arena, &ask, &board);
	if (e != ERR_OK)
		return e;
	rows = json_array();
	for (size_t i = 0; i < board.count; i++)
		if (is_wanted(&filter, &board.rows[i]))
			json_array_append_new(rows, row_json(&board.rows[i]));
	call->result = json_object();
	json_object_set_new(call->result, "at", admin_json_time(now));
	json_object_set_new(call->result, "totals", totals_json(&board));
	json_object_set_new(call->result, "rows", rows);
	return ERR_OK;
}
