#include "daemon/board.h"

#include <stdlib.h>

#include "daemon/registry.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

/* A unit in force on the day. */
struct place {
	const struct unit_row *row;
	struct board_tally tally;
	uint32_t counted; /* the device counted last: one of two of its units counts once */
};

/* A whole succession. */
struct heir {
	int64_t old;
	int64_t new;
	uint32_t followed; /* for the device counted last: none leads it round in a circle */
};

struct board_device {
	uint32_t number;
	uint32_t former;
	bool is_at_work;
	bool is_superseded; /* another number goes on in its place */
	bool is_asked;      /* it was given a unit that is asked for */
	uint64_t lacking;
	struct board_tally tally;
};

struct work {
	struct store *store;
	struct arena *a;
	const struct board_ask *ask;
	struct place *places; /* by unit */
	size_t place_count;
	struct heir *heirs; /* by old */
	size_t heir_count;
	int64_t *trail;               /* room for one unit and all it may have become */
	struct board_device *devices; /* by number */
	size_t device_count;
};

const char *board_state_name(enum board_state state)
{
	switch (state) {
	case BOARD_FRESH: return "fresh";
	case BOARD_STALE: return "stale";
	case BOARD_NEVER: return "never";
	}
	return "";
}

/* ---- units ---- */

static int place_order(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;

	return (x->row->unit > y->row->unit) - (x->row->unit < y->row->unit);
}

static struct place *find_place(const struct work *w, int64_t unit)
{
	const struct unit_row row = {.unit = unit};
	const struct place wanted = {.row = &row};

	if (w->place_count == 0)
		return NULL;
	return bsearch(&wanted, w->places, w->place_count, sizeof wanted, place_order);
}

static enum err load_places(struct work *w)
{
	const struct units_filter filter = {.day = w->ask->day};
	struct unit_row *rows = NULL;
	enum err e = units_list(w->store, w->a, &filter, &rows, &w->place_count);

	if (e != ERR_OK)
		return e;
	w->places = arena_alloc_array(w->a, w->place_count + 1, sizeof *w->places);
	for (size_t i = 0; i < w->place_count; i++)
		w->places[i].row = &rows[i];
	if (w->place_count != 0)
		qsort(w->places, w->place_count, sizeof *w->places, place_order);
	return ERR_OK;
}

static const char query_heirs[] = "SELECT old, new, count(*) OVER () FROM unit_succession"
				  " WHERE is_whole = 1 AND day <= ?1 ORDER BY old";

static enum err load_heirs(struct work *w)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(w->store, query_heirs, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, w->ask->day);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (w->heirs == NULL)
			w->heirs = arena_alloc_array(w->a, (size_t)sql_int(q, 2), sizeof *w->heirs);
		w->heirs[w->heir_count++] =
			(struct heir){.old = sql_int(q, 0), .new = sql_int(q, 1)};
	}
	w->trail = arena_alloc_array(w->a, w->heir_count + 1, sizeof *w->trail);
	return e;
}

/* The first row of `unit`, or where it would be. */
static size_t first_heir(const struct work *w, int64_t unit)
{
	size_t low = 0;
	size_t high = w->heir_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->heirs[middle].old < unit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- devices ---- */

static const char query_devices[] =
	"SELECT number, state, last_contact_at, last_number, seen_number, is_clock_flagged, former,"
	" last_receipt_at, count(*) OVER () FROM device WHERE number <> 0 ORDER BY number";

static void read_device(struct sql *q, struct board_device *d)
{
	const uint64_t last = (uint64_t)sql_int(q, 3);
	const uint64_t seen = (uint64_t)sql_int(q, 4);

	*d = (struct board_device){
		.number = (uint32_t)sql_int(q, 0),
		.former = (uint32_t)sql_int(q, 6),
		.is_at_work = sql_int(q, 1) != DEVICE_REVOKED,
		.lacking = seen > last ? seen - last : 0,
		.tally = {.forked = sql_int(q, 1) == DEVICE_FORKED,
			  .clock_off = sql_int(q, 5) != 0,
			  .contact_ms = sql_int(q, 2),
			  .receipt_ms = sql_int(q, 7)},
	};
}

static int device_order(const void *key, const void *device)
{
	const uint32_t number = *(const uint32_t *)key;
	const struct board_device *d = device;

	return (number > d->number) - (number < d->number);
}

static struct board_device *find_device(const struct work *w, uint32_t number)
{
	if (w->device_count == 0)
		return NULL;
	return bsearch(&number, w->devices, w->device_count, sizeof *w->devices, device_order);
}

/* Who was set aside and goes on under another number is not at work, and lacks nothing. */
static void settle_devices(struct work *w)
{
	for (size_t i = 0; i < w->device_count; i++) {
		struct board_device *former = find_device(w, w->devices[i].former);

		if (former != NULL)
			former->is_superseded = true;
	}
	for (size_t i = 0; i < w->device_count; i++) {
		struct board_device *d = &w->devices[i];
		const bool is_counted = d->is_at_work && !d->is_superseded;

		d->tally.devices = is_counted;
		d->tally.forked = is_counted ? d->tally.forked : 0;
		d->tally.clock_off = is_counted ? d->tally.clock_off : 0;
		d->tally.missing = d->is_superseded ? 0 : d->lacking;
	}
}

static enum err load_devices(struct work *w)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(w->store, query_devices, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (w->devices == NULL)
			w->devices =
				arena_alloc_array(w->a, (size_t)sql_int(q, 8), sizeof *w->devices);
		read_device(q, &w->devices[w->device_count++]);
	}
	if (e == ERR_OK)
		settle_devices(w);
	return e;
}

/* ---- what waits ---- */

static const char query_quarantine[] =
	"SELECT device, count(*) FROM quarantine WHERE state = 'open' GROUP BY device";
/* Whose change-set brought it to light. */
static const char query_conflicts[] =
	"SELECT s.device, count(*) FROM conflict c JOIN changeset s ON s.log = c.log"
	" WHERE c.state = 'open' GROUP BY s.device";

static bool is_asked(const struct work *w, const struct board_device *d)
{
	return !w->ask->is_bound || (d != NULL && d->is_asked);
}

/* The office's own are in the total and in no commune. */
static enum err load_waiting(struct work *w, const char *text, size_t offset, uint64_t *ret_total)
{
	AUTO(sql_done) struct sql *q = NULL;
	uint64_t total = 0;
	bool is_row = false;
	enum err e = sql_use(w->store, text, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct board_device *d = find_device(w, (uint32_t)sql_int(q, 0));

		if (is_asked(w, d))
			total += (uint64_t)sql_int(q, 1);
		if (d != NULL)
			*(uint64_t *)(void *)((char *)&d->tally + offset) +=
				(uint64_t)sql_int(q, 1);
	}
	if (e == ERR_OK)
		*ret_total = total;
	return e;
}

/* ---- together ---- */

static void add_tally(struct board_tally *to, const struct board_tally *of)
{
	to->devices += of->devices;
	to->forked += of->forked;
	to->clock_off += of->clock_off;
	to->missing += of->missing;
	to->quarantine += of->quarantine;
	to->conflicts += of->conflicts;
	if (of->contact_ms > to->contact_ms)
		to->contact_ms = of->contact_ms;
	if (of->receipt_ms > to->receipt_ms)
		to->receipt_ms = of->receipt_ms;
}

/* A unit given to a device, and what it became. */
static void give(struct work *w, const struct board_device *d, int64_t unit)
{
	size_t count = 1;

	w->trail[0] = unit;
	for (size_t i = 0; i < count; i++) {
		struct place *p = find_place(w, w->trail[i]);

		if (p != NULL && p->counted != d->number) {
			p->counted = d->number;
			add_tally(&p->tally, &d->tally);
		}
		for (size_t h = first_heir(w, w->trail[i]);
		     h < w->heir_count && w->heirs[h].old == w->trail[i]; h++) {
			if (w->heirs[h].followed == d->number)
				continue;
			w->heirs[h].followed = d->number;
			w->trail[count++] = w->heirs[h].new;
		}
	}
}

static const char query_given[] = "SELECT device, unit FROM device_unit ORDER BY device";

/* Before what waits is counted: whose counts. */
static enum err ask_devices(struct work *w)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = w->ask->is_bound ? sql_use(w->store, query_given, &q) : ERR_OK;

	while (q != NULL && e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct board_device *d = find_device(w, (uint32_t)sql_int(q, 0));

		if (d != NULL && units_scope_has(w->ask->units, w->ask->unit_count, sql_int(q, 1)))
			d->is_asked = true;
	}
	return e;
}

static enum err give_all(struct work *w)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(w->store, query_given, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const struct board_device *d = find_device(w, (uint32_t)sql_int(q, 0));

		if (d != NULL)
			give(w, d, sql_int(q, 1));
	}
	return e;
}

/* Devices of the whole district or province bring the commune's data, too. */
static int64_t heard_of(const struct work *w, const struct place *p)
{
	int64_t latest = p->tally.contact_ms;

	for (const struct place *above = find_place(w, p->row->parent); above != NULL;
	     above = find_place(w, above->row->parent)) {
		if (above->tally.contact_ms > latest)
			latest = above->tally.contact_ms;
		if (above->row->level == UNIT_PROVINCE)
			break;
	}
	return latest;
}

static enum board_state state_of(int64_t heard_ms, int64_t now_ms)
{
	if (heard_ms == 0)
		return BOARD_NEVER;
	return now_ms - heard_ms > BOARD_STALE_MS ? BOARD_STALE : BOARD_FRESH;
}

static void fill_row(const struct work *w, const struct place *p, int64_t now_ms,
		     struct board_row *row)
{
	const struct place *above = find_place(w, p->row->parent);
	const int64_t heard_ms = heard_of(w, p);

	*row = (struct board_row){.unit = p->row->unit,
				  .code = p->row->code,
				  .name = p->row->name,
				  .province_code = p->row->province_code,
				  .state = state_of(heard_ms, now_ms),
				  .heard_ms = heard_ms,
				  .tally = p->tally};
	if (above != NULL && above->row->level == UNIT_DISTRICT) {
		row->district_code = above->row->code;
		row->district_name = above->row->name;
		above = find_place(w, above->row->parent);
	}
	if (above != NULL && above->row->level == UNIT_PROVINCE)
		row->province_name = above->row->name;
}

static int row_order(const void *a, const void *b)
{
	return bytes_compare(((const struct board_row *)a)->code,
			     ((const struct board_row *)b)->code);
}

static bool is_row(const struct work *w, const struct place *p)
{
	return p->row->level == UNIT_COMMUNE &&
	       (!w->ask->is_bound ||
		units_scope_has(w->ask->units, w->ask->unit_count, p->row->unit));
}

static void put_together(struct work *w, struct board *b)
{
	b->rows = arena_alloc_array(w->a, w->place_count + 1, sizeof *b->rows);
	for (size_t i = 0; i < w->place_count; i++) {
		struct board_row *row = &b->rows[b->count];

		if (!is_row(w, &w->places[i]))
			continue;
		fill_row(w, &w->places[i], w->ask->now_ms, row);
		b->by_state[row->state]++;
		b->count++;
	}
	if (b->count != 0)
		qsort(b->rows, b->count, sizeof *b->rows, row_order);
}

enum err board_load(struct store *s, struct arena *a, const struct board_ask *ask,
		    struct board *ret_board)
{
	struct work w = {.store = s, .a = a, .ask = ask};
	struct board b = {0};
	uint64_t quarantine = 0;
	uint64_t conflicts = 0;
	enum err e = load_places(&w);

	if (e == ERR_OK)
		e = load_heirs(&w);
	if (e == ERR_OK)
		e = load_devices(&w);
	if (e == ERR_OK)
		e = ask_devices(&w);
	if (e == ERR_OK)
		e = load_waiting(&w, query_quarantine, offsetof(struct board_tally, quarantine),
				 &quarantine);
	if (e == ERR_OK)
		e = load_waiting(&w, query_conflicts, offsetof(struct board_tally, conflicts),
				 &conflicts);
	if (e == ERR_OK)
		e = give_all(&w);
	if (e != ERR_OK)
		return e;
	put_together(&w, &b);
	for (size_t i = 0; i < w.device_count; i++)
		if (is_asked(&w, &w.devices[i]))
			add_tally(&b.all, &w.devices[i].tally);
	b.all.quarantine = quarantine;
	b.all.conflicts = conflicts;
	*ret_board = b;
	return ERR_OK;
}
