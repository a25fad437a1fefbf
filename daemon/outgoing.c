#include "daemon/outgoing.h"

#include <stdlib.h>

#include "common/base/check.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "proto/changeset.h"
#include "proto/limits.h"

#define PAGE_RECORDS 256u /* of one type, read at a time */
#define EVICT_BYTES  64u  /* about, on the wire */
#define ANSWER_BYTES 512u /* what an empty answer takes, about */
#define UNIT_BYTES   10u  /* of one unit and one cursor */

/* One record on its way out. */
struct item {
	struct bytes encoded;
	uint64_t log;
	bool is_event;
	size_t order; /* as found: keeps equal ones in order */
};

struct pull {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	const struct msg_sync *request;
	const struct ingest_own *own; /* may be NULL */
	struct store_device device;
	const struct schema *schema;
	const int64_t *scope;
	size_t scope_count;
	bool is_anew; /* another epoch: every cursor counts as zero */
	size_t budget;
	size_t used;
	struct msg_synced answer;
	struct item *items; /* of all units */
	size_t item_count;
	size_t item_cap;
	size_t eviction_cap;
	size_t cursor_cap;
	struct stand *stands; /* of the units looked at */
	size_t stand_count;
	size_t stand_cap;
	uint64_t last_log;
	struct outgoing_stats stats;
};

static void *grow(struct arena *a, void *list, size_t count, size_t *cap, size_t size)
{
	void *more;

	if (count < *cap)
		return list;
	*cap = *cap * 2 + 32;
	more = arena_alloc_array(a, *cap, size);
	if (count != 0)
		memcpy(more, list, count * size);
	return more;
}

static struct msg_cursor cursor_of(const struct pull *p, int64_t unit)
{
	const struct msg_cursor none = {.unit = unit};

	for (size_t i = 0; i < p->request->cursor_count && !p->is_anew; i++) {
		const struct msg_cursor *c = &p->request->cursors[i];

		/* A cursor beyond our log has seen a history that is not ours. */
		if (c->unit == unit)
			return c->log <= p->last_log ? *c : none;
	}
	return none;
}

/* ---- what waits in one unit, up to one log number ---- */

/* A batch: everything of the unit with log in after..cut, complete. */
struct batch {
	int64_t unit;
	uint64_t cursor; /* what the device has whole; fields beyond it are news */
	uint64_t given;  /* records whose latest write was up to here it was given */
	bool is_begun;   /* the device has something of the unit */
	uint64_t after;  /* what earlier batches of this answer have */
	uint64_t cut;
	struct store_state **states;
	bool *are_events;
	size_t count;
	size_t cap;
	size_t event_cap;
	struct moved_row *moves;
	size_t move_count;
};

static enum err load_type(struct pull *p, struct batch *b, struct bytes type, bool is_event)
{
	struct store_page page = {.type = type,
				  .unit = b->unit,
				  .after = b->after,
				  .until = b->cut,
				  .limit = PAGE_RECORDS};
	struct store_state *states = NULL;
	size_t count = 0;
	enum err e = store_load_page(p->store, p->a, &page, &states, &count);

	if (e != ERR_OK)
		return e;
	/* More than fits a page: the batch ends with the last log number that is whole. */
	if (count >= PAGE_RECORDS && states[count - 1].log < b->cut)
		b->cut = states[count - 1].log;
	for (size_t i = 0; i < count; i++) {
		b->states = grow(p->a, b->states, b->count, &b->cap, sizeof(struct store_state *));
		b->are_events = grow(p->a, b->are_events, b->count, &b->event_cap, sizeof(bool));
		b->are_events[b->count] = is_event;
		b->states[b->count++] = &states[i];
	}
	return ERR_OK;
}

static enum err load_batch(struct pull *p, struct batch *b, uint64_t until)
{
	enum err e = ERR_OK;

	b->cut = until;
	b->count = 0;
	for (size_t i = 0; e == ERR_OK && i < store_type_count(p->store); i++) {
		bool is_event = false;
		struct bytes type = store_type(p->store, i, &is_event);

		/* A type the schema dropped is kept, and no longer sent. */
		if (schema_find_type(p->schema, type) != NULL)
			e = load_type(p, b, type, is_event);
	}
	if (e != ERR_OK)
		return e;
	const struct store_page page = {.unit = b->unit, .after = b->after, .until = b->cut};

	return store_load_moved_from(p->store, p->a, &page, &b->moves, &b->move_count);
}

/* ---- records ---- */

static void evict(struct pull *p, struct bytes type, const struct id *id, int64_t unit)
{
	p->answer.evictions = grow(p->a, p->answer.evictions, p->answer.eviction_count,
				   &p->eviction_cap, sizeof *p->answer.evictions);
	p->answer.evictions[p->answer.eviction_count++] =
		(struct msg_evict){.type = type, .id = *id, .unit = unit};
	p->used += EVICT_BYTES;
}

/*
 * To every device of the unit: what it holds of a record cannot be known any more. A restricted
 * type is not even named to one that is not cleared; it never had a record of it.
 */
static void take_erased(struct pull *p, const struct batch *b, const struct moved_row *row)
{
	const struct schema_type *type = schema_find_type(p->schema, row->type);

	if (!p->device.id.is_cleared && type != NULL && type->sensitivity == SENSITIVITY_RESTRICTED)
		return;
	evict(p, row->type, &row->id, b->unit);
	p->answer.evictions[p->answer.eviction_count - 1].is_erased = true;
}

/* Its disk was once another device's, or is a copy of one that was. */
static enum err is_kin(struct pull *p, uint32_t device, bool *ret_is)
{
	uint32_t root = 0;
	uint32_t own = 0;
	enum err e;

	*ret_is = device == p->device.id.number;
	if (*ret_is || p->device.former == 0 || device == STAMP_DEVICE_OFFICE)
		return ERR_OK;
	e = ingest_find_root(p->store, p->a, p->device.id.number, &own);
	if (e == ERR_OK)
		e = ingest_find_root(p->store, p->a, device, &root);
	*ret_is = e == ERR_OK && root == own;
	return e;
}

/* A receipt alone gave it to the device that wrote it, whatever its cursor says; or that it is here
 * already, by another device of the family. */
static enum err is_written_by(struct pull *p, uint64_t log, bool *ret_is)
{
	uint32_t device = 0;
	struct bytes author;
	enum err e = store_load_log_author(p->store, p->a, log, &device, &author);

	*ret_is = false;
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	return e == ERR_OK ? is_kin(p, device, ret_is) : e;
}

/* The record was in another unit before, of which the device has got that far. */
static enum err was_given_elsewhere(struct pull *p, const struct store_state *state, uint64_t first,
				    bool *ret_was)
{
	struct moved_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_moved_of(p->store, p->a, &state->record.id, &rows, &count);

	*ret_was = false;
	for (size_t i = 0; e == ERR_OK && i < count && !*ret_was; i++)
		*ret_was = first <= cursor_of(p, rows[i].from_unit).log;
	return e;
}

/*
 * Whether the device may have the record: it is older than the cursor, or the device wrote it, or
 * was given it in a unit where the record was before.
 */
static enum err was_known(struct pull *p, const struct store_state *state, uint64_t cursor,
			  bool *ret_was)
{
	uint64_t *logs = NULL;
	size_t count = 0;
	enum err e = ERR_OK;

	store_read_touched(p->a, state->touched, &logs, &count);
	*ret_was = count != 0 && logs[0] <= cursor;
	for (size_t i = 0; e == ERR_OK && i < count && !*ret_was; i++)
		e = is_written_by(p, logs[i], ret_was);
	if (e != ERR_OK || *ret_was || count == 0)
		return e;
	return was_given_elsewhere(p, state, logs[0], ret_was);
}

/* A field that can make a record restricted was written after the cursor: before, the device may
 * not have been let see it. */
static bool may_have_been_hidden(const struct pull *p, const struct record *r, uint64_t cursor)
{
	const struct schema_type *t = schema_find_type(p->schema, r->type);

	if (p->device.id.is_cleared || t == NULL || !t->may_be_restricted)
		return false;
	for (size_t i = 0; i < t->count; i++) {
		const struct schema_field *f = &t->fields[i];
		bool can_hide = f->sensitivity == SENSITIVITY_RESTRICTED ||
				(f->list != NULL && f->list->has_restricted);
		const struct field *written = can_hide ? record_find(r, f->name) : NULL;

		if (written != NULL && written->log > cursor)
			return true;
	}
	return false;
}

/* A record that came into the unit, or into the device's sight, after the cursor is sent whole. */
static uint64_t newer_than(const struct pull *p, const struct store_state *state, uint64_t cursor)
{
	const struct field *unit = record_find(&state->record, BYTES_LIT(RECORD_UNIT));

	if (unit != NULL && unit->log > cursor)
		return 0;
	return may_have_been_hidden(p, &state->record, cursor) ? 0 : cursor;
}

/* It has become restricted: a device that is not cleared must forget what it had. */
static enum err take_restricted(struct pull *p, const struct batch *b,
				const struct store_state *state)
{
	bool had_it = false;
	enum err e = was_known(p, state, b->given, &had_it);

	if (e == ERR_OK && had_it)
		evict(p, state->record.type, &state->record.id, b->unit);
	return e;
}

static enum err take_state(struct pull *p, const struct batch *b, size_t index)
{
	AUTO(buf_clear) struct buf encoded = {0};
	const struct store_state *state = b->states[index];

	if (!p->device.id.is_cleared && schema_is_restricted(p->schema, &state->record))
		return take_restricted(p, b, state);
	record_encode(&state->record, newer_than(p, state, b->cursor), &encoded);
	p->items = grow(p->a, p->items, p->item_count, &p->item_cap, sizeof *p->items);
	p->items[p->item_count] = (struct item){.encoded = arena_copy(p->a, buf_bytes(&encoded)),
						.log = state->log,
						.is_event = b->are_events[index],
						.order = p->item_count};
	p->item_count++;
	/* A length before each. */
	p->used += encoded.len + 5;
	return ERR_OK;
}

/* The record is still out of the device's sight: it may have come back, or moved within. */
static enum err take_move(struct pull *p, const struct batch *b, const struct moved_row *move)
{
	struct store_state state = {.record = {.type = move->type, .id = move->id}};
	bool had_it = b->is_begun;
	enum err e;

	if (move->is_erased) {
		take_erased(p, b, move);
		return ERR_OK;
	}
	e = store_load_states(p->store, p->a, &state, 1);
	if (e != ERR_OK || units_scope_has(p->scope, p->scope_count, record_unit(&state.record)))
		return e;
	/* What a device without a cursor never got anywhere and never wrote it need not forget. */
	if (!had_it)
		e = was_known(p, &state, 0, &had_it);
	if (e == ERR_OK && had_it)
		evict(p, move->type, &move->id, b->unit);
	return e;
}

/* Where a state of the batch stands by log number. */
struct by_log {
	uint64_t log;
	size_t index;
};

static int compare_by_log(const void *a, const void *b)
{
	const struct by_log *left = a;
	const struct by_log *right = b;

	if (left->log != right->log)
		return left->log < right->log ? -1 : 1;
	return (left->index > right->index) - (left->index < right->index);
}

static size_t sort_batch(struct pull *p, const struct batch *b, struct by_log **ret_order)
{
	struct by_log *order = arena_alloc_array(p->a, b->count, sizeof *order);
	size_t count = 0;

	/* Types read before the cut came down may hold some from beyond it. */
	for (size_t i = 0; i < b->count; i++) {
		if (b->states[i]->log <= b->cut)
			order[count++] = (struct by_log){b->states[i]->log, i};
	}
	qsort(order, count, sizeof *order, compare_by_log);
	*ret_order = order;
	return count;
}

/* How much the answer holds: to take the latest log number out again. */
struct level {
	size_t items;
	size_t evictions;
	size_t used;
};

static struct level level_of(const struct pull *p)
{
	return (struct level){p->item_count, p->answer.eviction_count, p->used};
}

/*
 * A request that says what it can pay for and brings changes gets on by their receipt: what does
 * not fit waits for one that brings none.
 */
static bool is_moving(const struct pull *p)
{
	return p->request->max_bytes != 0 && p->request->changeset_count != 0;
}

static bool has_something(const struct level *l, const struct pull *p)
{
	return is_moving(p) || l->items + l->evictions + p->answer.notice_count != 0;
}

/*
 * Takes what fits, in whole log numbers: many records share one, and a cursor between
 * them would skip some. One number is taken whatever its size when the answer is empty and the
 * request brought nothing, or the device would never get on. *ret_done: up to here the device has
 * everything then.
 */
static enum err take_batch(struct pull *p, const struct batch *b, uint64_t *ret_done)
{
	struct by_log *order;
	size_t count = sort_batch(p, b, &order);
	size_t move = 0;
	size_t i = 0;
	enum err e = ERR_OK;

	*ret_done = b->after;
	while (e == ERR_OK && (i < count || move < b->move_count)) {
		struct level level = level_of(p);
		uint64_t log = i < count ? order[i].log : UINT64_MAX;

		if (move < b->move_count && b->moves[move].log < log)
			log = b->moves[move].log;
		while (e == ERR_OK && i < count && order[i].log == log)
			e = take_state(p, b, order[i++].index);
		while (e == ERR_OK && move < b->move_count && b->moves[move].log == log)
			e = take_move(p, b, &b->moves[move++]);
		if (p->used > p->budget && has_something(&level, p)) {
			p->item_count = level.items;
			p->answer.eviction_count = level.evictions;
			p->used = level.used;
			p->answer.has_more = true;
			return e;
		}
		*ret_done = log;
	}
	if (e == ERR_OK)
		*ret_done = b->cut;
	return e;
}

/* ---- units ---- */

static void move_cursor(struct pull *p, const struct msg_cursor *cursor)
{
	p->answer.cursors = grow(p->a, p->answer.cursors, p->answer.cursor_count, &p->cursor_cap,
				 sizeof *p->answer.cursors);
	p->answer.cursors[p->answer.cursor_count++] = *cursor;
}

/* Where the device stands in one unit, before the answer and after it. */
struct stand {
	struct msg_cursor held;
	struct msg_cursor next;
	uint64_t whole; /* what it had whole before */
};

static void note_stand(struct pull *p, const struct msg_cursor *held, const struct msg_cursor *next,
		       uint64_t whole)
{
	p->stands = grow(p->a, p->stands, p->stand_count, &p->stand_cap, sizeof *p->stands);
	p->stands[p->stand_count++] = (struct stand){*held, *next, whole};
}

/*
 * The answer is cut: what has left a unit may have come into one that is behind the cut, with
 * writes from the time before it left. So of that unit, too, nothing new is whole yet.
 */
static enum err check_moves(struct pull *p, struct stand *s)
{
	const struct store_page page = {
		.unit = s->next.unit, .after = s->whole, .until = s->next.log};
	struct moved_row *moves = NULL;
	size_t count = 0;
	enum err e;

	if (!p->answer.has_more || s->next.log == s->whole || s->next.behind != 0)
		return ERR_OK;
	e = store_load_moved_from(p->store, p->a, &page, &moves, &count);
	if (count != 0)
		s->next.behind = s->next.log - s->whole;
	return e;
}

static enum err move_cursors(struct pull *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->stand_count; i++) {
		struct stand *s = &p->stands[i];

		e = check_moves(p, s);
		if (s->next.log != s->held.log || s->next.behind != s->held.behind)
			move_cursor(p, &s->next);
	}
	return e;
}

/*
 * Where the device really stands: behind its own writes, when nothing else happened in the unit
 * between its cursor and them.
 */
static struct msg_cursor pass_own(const struct pull *p, const struct msg_cursor *held)
{
	struct msg_cursor passed = {.unit = held->unit};

	if (p->own == NULL || p->is_anew)
		return *held;
	passed.log = p->own->until;
	for (size_t i = 0; i < p->own->count; i++) {
		const struct ingest_own_unit *u = &p->own->units[i];

		if (u->unit == held->unit && msg_cursor_whole(held) >= u->before &&
		    passed.log > held->log)
			return passed;
	}
	return *held;
}

static enum err pull_unit(struct pull *p, int64_t unit)
{
	const struct msg_cursor held = cursor_of(p, unit);
	struct msg_cursor next = pass_own(p, &held);
	struct batch b = {.unit = unit,
			  .cursor = msg_cursor_whole(&next),
			  .given = next.log,
			  .is_begun = next.log != 0};
	uint64_t until = 0;
	enum err e = store_load_unit_log(p->store, unit, &until);

	while (e == ERR_OK && next.log < until && !p->answer.has_more) {
		b.after = next.log;
		e = load_batch(p, &b, until);
		if (e == ERR_OK)
			e = take_batch(p, &b, &next.log);
	}
	/* Cut off: records behind the cut may have fields that are older than it. */
	next.behind = next.log < until ? next.log - b.cursor : 0;
	if (e == ERR_OK)
		note_stand(p, &held, &next, b.cursor);
	return e;
}

/* Once the answer is full, has_more makes the device come again for the units behind. */
static enum err pull_units(struct pull *p)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < p->scope_count && !p->answer.has_more; i++)
		e = pull_unit(p, p->scope[i]);
	return e == ERR_OK ? move_cursors(p) : e;
}

/* ---- what a push left outside the scope ---- */

static int compare_strays(const void *a, const void *b)
{
	return id_compare(&((const struct msg_stray *)a)->id, &((const struct msg_stray *)b)->id);
}

static enum err take_away(struct pull *p, const struct msg_stray *away)
{
	struct store_state state = {.record = {.type = away->type, .id = away->id}};
	enum err e = store_load_states(p->store, p->a, &state, 1);

	if (e == ERR_OK && state.record.count != 0 &&
	    !units_scope_has(p->scope, p->scope_count, record_unit(&state.record)))
		evict(p, away->type, &away->id, 0);
	return e;
}

/*
 * What the device wrote without having seen a transfer has landed, and by the receipt it has the
 * record. Its cursor may have passed the transfer before anybody knew that it would; after a
 * restore perhaps none is in the log.
 */
static enum err pull_away(struct pull *p)
{
	const size_t told_count = p->answer.eviction_count;
	const size_t count = p->own != NULL ? p->own->away_count : 0;
	struct msg_stray *told;
	struct msg_stray *away;
	enum err e = ERR_OK;

	if (count == 0)
		return ERR_OK;
	told = arena_alloc_array(p->a, told_count, sizeof *told);
	away = arena_alloc_array(p->a, count, sizeof *away);
	for (size_t i = 0; i < told_count; i++)
		told[i].id = p->answer.evictions[i].id;
	if (told_count != 0)
		qsort(told, told_count, sizeof *told, compare_strays);
	memcpy(away, p->own->away, count * sizeof *away);
	qsort(away, count, sizeof *away, compare_strays);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const bool is_again = i != 0 && compare_strays(&away[i - 1], &away[i]) == 0;
		const bool is_told = told_count != 0 && bsearch(&away[i], told, told_count,
								sizeof *told, compare_strays);

		if (!is_again && !is_told && p->answer.eviction_count < LIMIT_EVICTIONS)
			e = take_away(p, &away[i]);
	}
	return e;
}

/* ---- notices ---- */

static size_t notice_size(const struct notice_row *row)
{
	size_t values = 0;

	if (row->kept.kind == VALUE_TEXT || row->kept.kind == VALUE_BYTES)
		values += row->kept.bytes.len;
	if (row->lost.kind == VALUE_TEXT || row->lost.kind == VALUE_BYTES)
		values += row->lost.bytes.len;
	return 64 + values + row->kind.len + row->type.len + row->field.len + row->by.len +
	       row->text.len;
}

static enum err pull_notices(struct pull *p)
{
	const struct store_range range = {.after = p->is_anew ? 0 : p->request->notice,
					  .limit = LIMIT_NOTICES + 1};
	struct notice_row *rows = NULL;
	struct msg_notice *notices;
	size_t count = 0;
	enum err e = store_load_notices(p->store, p->a, p->device.id.number, &range, &rows, &count);

	if (e != ERR_OK)
		return e;
	notices = arena_alloc_array(p->a, count, sizeof *notices);
	for (size_t i = 0; i < count; i++) {
		const struct notice_row *row = &rows[i];
		size_t size = notice_size(row);

		if (i == LIMIT_NOTICES || ((i > 0 || is_moving(p)) && p->used + size > p->budget)) {
			p->answer.has_more = true;
			break;
		}
		notices[i] = (struct msg_notice){.notice = row->notice,
						 .kind = row->kind,
						 .type = row->type,
						 .id = row->id,
						 .field = row->field,
						 .kept = row->kept,
						 .lost = row->lost,
						 .by = row->by,
						 .at_ms = row->at_ms,
						 .text = row->text,
						 .number = row->number};
		p->answer.notice_count++;
		p->used += size;
	}
	p->answer.notices = notices;
	return ERR_OK;
}

/* ---- the answer ---- */

/* The lanes: registers, then events. */
static int compare_lanes(const void *a, const void *b)
{
	const struct item *left = a;
	const struct item *right = b;

	if (left->is_event != right->is_event)
		return left->is_event ? 1 : -1;
	return (left->order > right->order) - (left->order < right->order);
}

static void finish(struct pull *p)
{
	struct msg_synced *answer = &p->answer;

	if (p->item_count != 0)
		qsort(p->items, p->item_count, sizeof *p->items, compare_lanes);
	answer->records = arena_alloc_array(p->a, p->item_count, sizeof *answer->records);
	for (size_t i = 0; i < p->item_count; i++)
		answer->records[i] = p->items[i].encoded;
	answer->record_count = p->item_count;
	answer->included = p->device.last_number;
	answer->is_complete = !answer->has_more;
	p->stats = (struct outgoing_stats){.records = answer->record_count,
					   .evictions = answer->eviction_count,
					   .notices = answer->notice_count};
}

static enum err start(struct pull *p, uint32_t device)
{
	const struct msg_sync *q = p->request;
	int64_t now_ms = clock_wall_ms(p->ctx->clock);
	int64_t *scope = NULL;
	enum err e = store_load_device(p->store, p->a, device, &p->device);

	if (e == ERR_OK)
		e = units_load_scope_now(p->store, p->a, device, now_ms, &scope, &p->scope_count);
	if (e == ERR_OK)
		e = store_last_log(p->store, &p->last_log);
	if (e == ERR_OK)
		e = units_version(p->store, &p->answer.units_version);
	if (e != ERR_OK)
		return e;
	p->scope = scope;
	p->schema = store_schema(p->store);
	p->is_anew = id_compare(&q->epoch, &p->ctx->epoch) != 0;
	p->budget = q->max_bytes != 0 && q->max_bytes < LIMIT_ANSWER_BYTES ? (size_t)q->max_bytes
									   : LIMIT_ANSWER_BYTES;
	p->used = ANSWER_BYTES + p->scope_count * UNIT_BYTES;
	p->answer.epoch = p->ctx->epoch;
	p->answer.now_ms = now_ms;
	p->answer.units = scope;
	p->answer.unit_count = p->scope_count;
	memcpy(p->answer.schema_version, p->schema->version, sizeof p->answer.schema_version);
	return ERR_OK;
}

enum err outgoing_build(const struct context *ctx, struct store *reader, struct arena *a,
			const struct outgoing_request *request, struct outgoing *ret_outgoing)
{
	struct pull p = {
		.ctx = ctx, .store = reader, .a = a, .request = request->sync, .own = request->own};
	enum err e = start(&p, request->device);

	if (e == ERR_OK)
		e = pull_notices(&p);
	if (e == ERR_OK)
		e = pull_units(&p);
	if (e == ERR_OK)
		e = pull_away(&p);
	if (e != ERR_OK)
		return e;
	finish(&p);
	*ret_outgoing = (struct outgoing){.answer = p.answer,
					  .stats = p.stats,
					  .left = p.used < p.budget ? p.budget - p.used : 0};
	return ERR_OK;
}
