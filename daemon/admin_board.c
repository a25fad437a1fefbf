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

/* What packed_row() gives, in its order; the name of the province stands once. */
static const char *const packed_keys[] = {
	"code",       "name",      "district_code", "district_name", "province_code",
	"state",      "devices",   "forked",        "clock_off",     "missing",
	"quarantine", "conflicts", "last_contact",  "last_receipt"};

static void put_count(json_t *row, uint64_t count)
{
	json_array_append_new(row, json_integer((json_int_t)count));
}

static json_t *packed_row(const struct board_row *r)
{
	const struct board_tally *t = &r->tally;
	json_t *row = json_array();

	json_array_append_new(row, admin_json_text(r->code));
	json_array_append_new(row, admin_json_text(r->name));
	json_array_append_new(row, admin_json_text(r->district_code));
	json_array_append_new(row, admin_json_text(r->district_name));
	json_array_append_new(row, admin_json_text(r->province_code));
	json_array_append_new(row, json_string(board_state_name(r->state)));
	put_count(row, t->devices);
	put_count(row, t->forked);
	put_count(row, t->clock_off);
	put_count(row, t->missing);
	put_count(row, t->quarantine);
	put_count(row, t->conflicts);
	json_array_append_new(row, admin_json_time(t->contact_ms));
	json_array_append_new(row, admin_json_time(t->receipt_ms));
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

static void put_province(json_t *provinces, const struct board_row *r)
{
	const char *code = (const char *)r->province_code.data;
	const size_t len = r->province_code.len;

	if (len != 0 && json_object_getn(provinces, code, len) == NULL)
		json_object_setn_new(provinces, code, len, admin_json_text(r->province_name));
}

/* The rows for a page that shows each: without a word they all repeat. */
static void put_packed(struct admin_call *call, const struct board *b,
		       const struct board_filter *filter)
{
	json_t *keys = json_array();
	json_t *provinces = json_object();
	json_t *rows = json_array();

	for (size_t i = 0; i < sizeof packed_keys / sizeof packed_keys[0]; i++)
		json_array_append_new(keys, json_string(packed_keys[i]));
	for (size_t i = 0; i < b->count; i++) {
		const struct board_row *r = &b->rows[i];

		if (!is_wanted(filter, r))
			continue;
		json_array_append_new(rows, packed_row(r));
		put_province(provinces, r);
	}
	json_object_set_new(call->result, "keys", keys);
	json_object_set_new(call->result, "provinces", provinces);
	json_object_set_new(call->result, "rows", rows);
}

static void put_rows(struct admin_call *call, const struct board *b,
		     const struct board_filter *filter)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < b->count; i++)
		if (is_wanted(filter, &b->rows[i]))
			json_array_append_new(rows, row_json(&b->rows[i]));
	json_object_set_new(call->result, "rows", rows);
}

/* {province?, unit?, attention?, packed?} -> {at, totals, rows}, packed {at, totals, keys,
 * provinces: {code: name}, rows: [[…]]}; totals are of all the caller sees */
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
	enum err e = want_code(call, "province", &filter.province);

	if (e == ERR_OK)
		e = want_code(call, "unit", &filter.unit);
	if (e == ERR_OK)
		e = board_load(call->store, call->arena, &ask, &board);
	if (e != ERR_OK)
		return e;
	call->result = json_object();
	json_object_set_new(call->result, "at", admin_json_time(now));
	json_object_set_new(call->result, "totals", totals_json(&board));
	if (admin_flag(call, "packed"))
		put_packed(call, &board, &filter);
	else
		put_rows(call, &board, &filter);
	return ERR_OK;
}
