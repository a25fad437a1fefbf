/*
 * admin_device_list - devices as administrators' listings have them: all, or those a filter leaves,
 * in an order, a screenful of them.
 *
 * A page of the console asks for as many as it shows. What is looked for and what is sorted by is
 * worked out of every device; only those that are given become JSON.
 */
#define LOG_TAG "admin"

#include <stdlib.h>
#include <string.h>

#include "common/model/vntext.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/registry.h"
#include "daemon/store_sql.h"

#define WORDS_MAX 8u
#define LIMIT_MAX 100000

json_t *admin_json_device(struct admin_call *call, const struct store_device *d, json_t *take_units)
{
	json_t *row = json_object();
	const uint64_t missing =
		d->seen_number > d->last_number ? d->seen_number - d->last_number : 0;

	json_object_set_new(row, "number", json_integer(d->id.number));
	json_object_set_new(row, "name", admin_json_text(d->name));
	json_object_set_new(row, "units", take_units);
	json_object_set_new(row, "enrolled_at", admin_json_time(d->enrolled_ms));
	json_object_set_new(row, "revoked_at", admin_json_time(d->revoked_ms));
	json_object_set_new(row, "last_contact", admin_json_time(d->last_contact_ms));
	json_object_set_new(row, "last_number", json_integer((json_int_t)d->last_number));
	json_object_set_new(row, "missing", json_integer((json_int_t)missing));
	json_object_set_new(row, "clock_offset_ms", json_integer(d->clock_offset_ms));
	json_object_set_new(row, "client_version", admin_json_text(d->client_version));
	json_object_set_new(row, "state", json_string(admin_device_state(call, d)));
	return row;
}

/* ---- what is asked ---- */

enum sort {
	BY_NUMBER,
	BY_NAME,
	BY_UNITS,
	BY_ENROLLED,
	BY_CONTACT,
	BY_LAST,
	BY_MISSING,
	BY_CLOCK,
	BY_VERSION,
	BY_STATE
};
#define SORTS (BY_STATE + 1u)

static const char *const sort_names[SORTS] = {
	[BY_NUMBER] = "number",
	[BY_NAME] = "name",
	[BY_UNITS] = "units",
	[BY_ENROLLED] = "enrolled_at",
	[BY_CONTACT] = "last_contact",
	[BY_LAST] = "last_number",
	[BY_MISSING] = "missing",
	[BY_CLOCK] = "clock_offset_ms",
	[BY_VERSION] = "client_version",
	[BY_STATE] = "state",
};

static const char *const states[] = {"active", "stale", "never", "forked", "revoked"};

struct ask {
	int64_t unit;       /* 0: any */
	struct bytes state; /* empty: any */
	struct buf text;    /* folded, word by word with a NUL behind each */
	size_t word_count;
	enum sort sort;
	bool is_down;
	int64_t offset;
	int64_t limit; /* 0: all */
};

static enum err read_state(struct admin_call *call, struct ask *ask)
{
	enum err e = admin_want_text(call, "state", &ask->state);

	if (e != ERR_OK || ask->state.len == 0)
		return e;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (bytes_is(ask->state, states[i]))
			return ERR_OK;
	return admin_misuse(call, "“state” là một trong active, stale, never, forked, revoked / "
				  "“state” is one of active, stale, never, forked, revoked");
}

static enum err read_sort(struct admin_call *call, struct ask *ask)
{
	struct bytes name;
	enum err e = admin_want_text(call, "sort", &name);

	if (e != ERR_OK || name.len == 0)
		return e;
	for (unsigned i = 0; i < SORTS; i++) {
		if (bytes_is(name, sort_names[i])) {
			ask->sort = (enum sort)i;
			return ERR_OK;
		}
	}
	return admin_misuse(call, "Không xếp được theo “%.*s” / cannot be sorted by “%.*s”",
			    BYTES_FMT(name), BYTES_FMT(name));
}

static enum err read_text(struct admin_call *call, struct ask *ask)
{
	struct bytes text;
	enum err e = admin_want_text(call, "text", &text);

	if (e != ERR_OK || text.len == 0)
		return e;
	if (vntext_key(text, VNTEXT_FOLD, &ask->text) != ERR_OK)
		return admin_misuse(call, "Chữ cần tìm không phải UTF-8 / what is looked for is "
					  "not UTF-8");
	if (ask->text.len == 0)
		return ERR_OK;
	buf_append_byte(&ask->text, 0);
	for (size_t i = 0; i < ask->text.len; i++) {
		if (ask->text.data[i] == ' ')
			ask->text.data[i] = 0;
		ask->word_count += ask->text.data[i] == 0;
	}
	if (ask->word_count > WORDS_MAX)
		return admin_misuse(call, "Nhiều nhất %u từ / at most %u words", WORDS_MAX,
				    WORDS_MAX);
	return ERR_OK;
}

static enum err read_ask(struct admin_call *call, struct ask *ask)
{
	enum err e = admin_want_unit(call, &ask->unit);

	if (e == ERR_OK)
		e = read_state(call, ask);
	if (e == ERR_OK)
		e = read_sort(call, ask);
	if (e == ERR_OK)
		e = read_text(call, ask);
	if (e == ERR_OK)
		e = admin_want_int(call, "offset", 0, UINT32_MAX, &ask->offset);
	if (e == ERR_OK)
		e = admin_want_int(call, "limit", 1, LIMIT_MAX, &ask->limit);
	ask->is_down = admin_flag(call, "down");
	return e;
}

/* ---- units ---- */

/* Which units were given to which device, in one statement for all. */
struct given {
	uint32_t device;
	int64_t unit;
};

static enum err load_given(struct admin_call *call, struct buf *given)
{
	static const char text[] = "SELECT device, unit FROM device_unit ORDER BY device, unit";
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(call->store, text, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const struct given one = {(uint32_t)sql_int(q, 0), sql_int(q, 1)};

		buf_append(given, &one, sizeof one);
	}
	return e;
}

/* What a unit is and was called: "25195 phuong tan phu", folded; and its last code. */
struct called {
	int64_t unit;
	struct bytes text;
	struct bytes code;
};

struct units_called {
	struct called *all; /* by unit */
	size_t count;
};

static const char query_called[] =
	"SELECT unit, code, name, count(*) OVER () FROM unit_name ORDER BY unit, first_day";

static enum err load_called(struct admin_call *call, struct units_called *ret_called)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	struct units_called c = {0};
	bool is_row = false;
	enum err e = sql_use(call->store, query_called, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const int64_t unit = sql_int(q, 0);

		if (c.all == NULL)
			c.all = arena_alloc_array(call->arena, (size_t)sql_int(q, 3),
						  sizeof *c.all);
		if (c.count == 0 || c.all[c.count - 1].unit != unit) {
			c.all[c.count++] = (struct called){.unit = unit};
			buf_reset(&text);
		}
		buf_append_bytes(&text, sql_text(q, 1));
		buf_append_byte(&text, '\n');
		e = vntext_key(sql_text(q, 2), VNTEXT_FOLD, &text);
		buf_append_byte(&text, '\n');
		c.all[c.count - 1].text = arena_copy(call->arena, buf_bytes(&text));
		c.all[c.count - 1].code = sql_text_copy(q, 1, call->arena);
	}
	if (e == ERR_OK)
		*ret_called = c;
	return e;
}

static int called_order(const void *key, const void *called)
{
	const int64_t unit = *(const int64_t *)key;
	const struct called *c = called;

	return (unit > c->unit) - (unit < c->unit);
}

static const struct called *find_called(const struct units_called *c, int64_t unit)
{
	if (c->count == 0)
		return NULL;
	return bsearch(&unit, c->all, c->count, sizeof *c->all, called_order);
}

/* ---- devices ---- */

struct found {
	const struct store_device *device;
	const struct given *units;
	size_t unit_count;
	bool is_absent; /* nothing to sort by: behind the others */
	int64_t number;
	struct bytes text;
};

struct search {
	struct admin_call *call;
	const struct ask *ask;
	struct units_called called; /* only where somebody asks for names */
	struct found *found;
	size_t count;
};

static bool has_words(const struct ask *ask, struct bytes text)
{
	const uint8_t *at = ask->text.data;

	for (size_t i = 0; i < ask->word_count; i++) {
		const size_t len = strlen((const char *)at);

		if (len != 0 && memmem(text.data, text.len, at, len) == NULL)
			return false;
		at += len + 1;
	}
	return true;
}

/* Everything of it that the listing shows in words, and what its units are called. */
static bool is_looked_for(const struct search *s, const struct found *f)
{
	AUTO(buf_clear) struct buf text = {0};
	const struct store_device *d = f->device;

	if (s->ask->word_count == 0)
		return true;
	buf_printf(&text, "%u\n", (unsigned)d->id.number);
	(void)vntext_key(d->name, VNTEXT_FOLD, &text);
	buf_append_byte(&text, '\n');
	(void)vntext_key(d->author, VNTEXT_FOLD, &text);
	buf_append_byte(&text, '\n');
	(void)vntext_key(d->client_version, VNTEXT_FOLD, &text);
	buf_append_byte(&text, '\n');
	for (size_t i = 0; i < f->unit_count; i++) {
		const struct called *c = find_called(&s->called, f->units[i].unit);

		if (c != NULL)
			buf_append_bytes(&text, c->text);
	}
	return has_words(s->ask, buf_bytes(&text));
}

static bool has_unit(const struct found *f, int64_t unit)
{
	for (size_t i = 0; i < f->unit_count; i++)
		if (f->units[i].unit == unit)
			return true;
	return unit == 0;
}

static bool is_wanted(const struct search *s, const struct found *f)
{
	return has_unit(f, s->ask->unit) &&
	       (s->ask->state.len == 0 ||
		bytes_is(s->ask->state, admin_device_state(s->call, f->device))) &&
	       is_looked_for(s, f);
}

/* Of text, in the order of Vietnamese; empty for what is sorted by a number. */
static struct bytes text_key(const struct search *s, const struct found *f)
{
	const struct store_device *d = f->device;
	const struct called *first =
		f->unit_count != 0 ? find_called(&s->called, f->units[0].unit) : NULL;
	AUTO(buf_clear) struct buf key = {0};

	switch (s->ask->sort) {
	case BY_NAME:
		if (d->name.len != 0)
			(void)vntext_order_key(d->name, &key);
		return arena_copy(s->call->arena, buf_bytes(&key));
	case BY_UNITS: return first != NULL ? first->code : BYTES_NONE;
	case BY_VERSION: return d->client_version;
	case BY_STATE: return bytes_str(admin_device_state(s->call, d));
	case BY_NUMBER:
	case BY_ENROLLED:
	case BY_CONTACT:
	case BY_LAST:
	case BY_MISSING:
	case BY_CLOCK: break;
	}
	return BYTES_NONE;
}

static int64_t number_key(const struct search *s, const struct found *f)
{
	const struct store_device *d = f->device;

	switch (s->ask->sort) {
	case BY_NUMBER: return d->id.number;
	case BY_ENROLLED: return d->enrolled_ms;
	case BY_CONTACT: return d->last_contact_ms;
	case BY_LAST: return (int64_t)d->last_number;
	case BY_MISSING:
		return d->seen_number > d->last_number ? (int64_t)(d->seen_number - d->last_number)
						       : 0;
	case BY_CLOCK: return d->clock_offset_ms;
	case BY_NAME:
	case BY_UNITS:
	case BY_VERSION:
	case BY_STATE: break;
	}
	return 0;
}

static void put_key(const struct search *s, struct found *f)
{
	const enum sort sort = s->ask->sort;
	const bool is_text =
		sort == BY_NAME || sort == BY_UNITS || sort == BY_VERSION || sort == BY_STATE;
	const bool is_time = sort == BY_ENROLLED || sort == BY_CONTACT;

	f->text = text_key(s, f);
	f->number = number_key(s, f);
	f->is_absent = is_text ? f->text.len == 0 : is_time && f->number == 0;
}

static int found_order(const void *a, const void *b)
{
	const struct found *x = a;
	const struct found *y = b;
	int order = (x->is_absent > y->is_absent) - (x->is_absent < y->is_absent);

	if (order == 0)
		order = (x->number > y->number) - (x->number < y->number);
	if (order == 0)
		order = bytes_compare(x->text, y->text);
	return order;
}

/* Equal ones by number either way, so that a page goes on where the one before ended. */
static int or_by_number(int order, const struct found *x, const struct found *y)
{
	return order != 0 ? order
			  : (x->device->id.number > y->device->id.number) -
				    (x->device->id.number < y->device->id.number);
}

static int up(const void *a, const void *b)
{
	return or_by_number(found_order(a, b), a, b);
}

static int down(const void *a, const void *b)
{
	return or_by_number(found_order(b, a), a, b);
}

/* The office's own number 0 is not a device anybody carries. */
static enum err find(struct search *s, const struct store_device *devices, size_t count,
		     const struct buf *given)
{
	const struct given *at = (const void *)given->data;
	const struct given *end = at + given->len / sizeof *at;

	s->found = arena_alloc_array(s->call->arena, count + 1, sizeof *s->found);
	for (size_t i = 0; i < count; i++) {
		struct found *f = &s->found[s->count];
		bool sees = true;
		enum err e = admin_sees_device(s->call, devices[i].id.number, &sees);

		if (e != ERR_OK)
			return e;
		while (at < end && at->device < devices[i].id.number)
			at++;
		*f = (struct found){.device = &devices[i], .units = at};
		for (; at < end && at->device == devices[i].id.number; at++)
			f->unit_count++;
		if (devices[i].id.number == STAMP_DEVICE_OFFICE || !sees || !is_wanted(s, f))
			continue;
		put_key(s, f);
		s->count++;
	}
	return ERR_OK;
}

static json_t *rows_json(const struct search *s)
{
	const size_t from = (uint64_t)s->ask->offset < s->count ? (size_t)s->ask->offset : s->count;
	size_t to = s->count;
	json_t *rows = json_array();

	if (s->ask->limit != 0 && (uint64_t)s->ask->limit < s->count - from)
		to = from + (size_t)s->ask->limit;
	for (size_t i = from; i < to; i++) {
		const struct found *f = &s->found[i];
		json_t *codes = json_array();

		for (size_t u = 0; u < f->unit_count; u++)
			json_array_append_new(codes, admin_json_unit(s->call, f->units[u].unit));
		json_array_append_new(rows, admin_json_device(s->call, f->device, codes));
	}
	return rows;
}

static enum err list(struct admin_call *call, const struct ask *ask, struct buf *given)
{
	struct search s = {.call = call, .ask = ask};
	struct store_device *devices = NULL;
	size_t count = 0;
	enum err e = store_load_devices(call->store, call->arena, &devices, &count);

	if (e == ERR_OK)
		e = load_given(call, given);
	if (e == ERR_OK && (ask->word_count != 0 || ask->sort == BY_UNITS))
		e = load_called(call, &s.called);
	if (e == ERR_OK)
		e = find(&s, devices, count, given);
	if (e != ERR_OK)
		return e;
	if (s.count != 0 && (ask->sort != BY_NUMBER || ask->is_down))
		qsort(s.found, s.count, sizeof *s.found, ask->is_down ? down : up);
	call->result = rows_json(&s);
	if (admin_flag(call, "counted"))
		call->result =
			json_pack("{s:I, s:o}", "total", (json_int_t)s.count, "rows", call->result);
	return ERR_OK;
}

/* {unit?, state?, text?, sort?, down?, offset?, limit?} -> [device]; with `counted` {total, rows}:
 * how many the filter leaves, whatever is given of them. `sort` is a key of a row; without, by
 * number. */
enum err admin_device_list(struct admin_call *call)
{
	AUTO(buf_clear) struct buf given = {0};
	struct ask ask = {0};
	enum err e = read_ask(call, &ask);

	if (e == ERR_OK)
		e = list(call, &ask, &given);
	buf_clear(&ask.text);
	return e;
}
