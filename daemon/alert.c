#define LOG_TAG "alert"

#include "daemon/alert.h"

#include <stdlib.h>

#include "daemon/board.h"
#include "daemon/enrol.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

struct kind {
	const char *name;
	bool is_urgent;
	const char *vi;
	const char *en;
	const char *advice;
};

static const struct kind kinds[] = {
#define X(name, urgent, vi, en, advice) [ALERT_##name] = {#name, urgent, vi, en, advice},
	ALERT_KIND_MAP(X)
#undef X
};

const char *alert_kind_name(enum alert_kind kind)
{
	return kinds[kind].name;
}

const char *alert_kind_vi(enum alert_kind kind)
{
	return kinds[kind].vi;
}

const char *alert_kind_en(enum alert_kind kind)
{
	return kinds[kind].en;
}

const char *alert_kind_advice(enum alert_kind kind)
{
	return kinds[kind].advice;
}

bool alert_kind_is_urgent(enum alert_kind kind)
{
	return kinds[kind].is_urgent;
}

struct work {
	struct store *store;
	struct arena *a;
	const struct config_alert *c;
	const struct alert_facts *facts;
	struct board board;
	struct store_device *devices; /* by number */
	size_t device_count;
	struct alert *out;
};

/* Of which a list of items is made: its rows may be more than are told. */
struct list {
	struct alert_row *rows;
	size_t count;
	uint64_t sum;
};

static struct list list_new(const struct work *w, size_t most)
{
	return (struct list){.rows = arena_alloc_array(w->a, most + 1, sizeof(struct alert_row))};
}

static void list_add(struct list *l, struct alert_row row)
{
	l->rows[l->count++] = row;
	l->sum += row.count;
}

/* `least` 0: never told. */
static struct alert_item *tell(struct work *w, enum alert_kind kind, uint64_t count, int64_t least)
{
	struct alert_item *item = &w->out->items[w->out->item_count];

	if (least == 0 || count < (uint64_t)least)
		return NULL;
	*item = (struct alert_item){.kind = kind, .count = count};
	w->out->item_count++;
	return item;
}

static struct alert_item *tell_list(struct work *w, enum alert_kind kind, const struct list *l,
				    int64_t least)
{
	struct alert_item *item = tell(w, kind, l->sum, least);

	if (item == NULL)
		return NULL;
	item->rows = l->rows;
	item->row_total = l->count;
	item->row_count = l->count < ALERT_ROWS_MAX ? l->count : ALERT_ROWS_MAX;
	return item;
}

/* ---- the machine ---- */

static const char query_backup[] = "SELECT max(at) FROM backup";
/* A store that never had a change has nothing to lose. */
static const char query_first[] = "SELECT received_at FROM changeset WHERE log = 1";

static enum err load_backup(struct work *w, int64_t *ret_first_ms)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(sql_done) struct sql *first = NULL;
	enum err e = sql_use(w->store, query_backup, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		e = sql_use(w->store, query_first, &first);
	if (e != ERR_OK)
		return e;
	w->out->backup_ms = sql_int(q, 0);
	e = sql_run_row(first);
	*ret_first_ms = e == ERR_OK ? sql_int(first, 0) : 0;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err tell_backups(struct work *w)
{
	struct alert_item *item;
	int64_t first_ms = 0;
	int64_t since_ms;
	enum err e = load_backup(w, &first_ms);

	if (e != ERR_OK)
		return e;
	item = tell(w, ALERT_backup_failed, w->facts->is_backup_failed, 1);
	if (item != NULL && w->facts->backup_error != NULL)
		item->detail = bytes_str(w->facts->backup_error);
	since_ms = w->out->backup_ms != 0 ? w->out->backup_ms : first_ms;
	if (since_ms == 0 || w->facts->now_ms - since_ms <= w->c->backup_age_ms)
		return ERR_OK;
	(void)tell(w, ALERT_backup_old, 1, w->c->backup_age_ms != 0);
	return ERR_OK;
}

static void tell_disk(struct work *w)
{
	w->out->disk_free = w->facts->disk_free;
	w->out->is_disk_known = w->facts->is_disk_known;
	if (w->facts->is_disk_known && w->facts->disk_free < (uint64_t)w->c->disk_free)
		(void)tell(w, ALERT_disk, 1, 1);
}

static void tell_undelivered(struct work *w)
{
	struct list l = list_new(w, w->facts->undelivered_count);

	for (size_t i = 0; i < w->facts->undelivered_count; i++)
		list_add(&l, w->facts->undelivered[i]);
	(void)tell_list(w, ALERT_undelivered, &l, 1);
}

/* ---- devices ---- */

static bool is_superseded(const struct work *w, uint32_t number)
{
	for (size_t i = 0; i < w->device_count; i++)
		if (w->devices[i].former == number)
			return true;
	return false;
}

static struct alert_row device_row(const struct store_device *d, uint64_t count, int64_t at_ms)
{
	return (struct alert_row){
		.device = d->id.number, .device_name = d->name, .count = count, .at_ms = at_ms};
}

/* Until when the commune may use the latest release; 0: there is none to use. */
static enum err load_release(const struct work *w, uint32_t number, int64_t *ret_expires_ms)
{
	struct enrol_released *rows = NULL;
	int64_t expires_ms = 0;
	size_t count = 0;
	enum err e = enrol_load_released(w->store, w->a, number, &rows, &count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].successor == 0 && rows[i].expires_ms > w->facts->now_ms &&
		    rows[i].expires_ms > expires_ms)
			expires_ms = rows[i].expires_ms;
	*ret_expires_ms = expires_ms;
	return e;
}

struct device_lists {
	struct list forked;
	struct list released;
	struct list missing;
	struct list clocks;
};

static enum err sort_device(struct work *w, const struct store_device *d, struct device_lists *l)
{
	const uint64_t lacking =
		d->seen_number > d->last_number ? d->seen_number - d->last_number : 0;
	int64_t expires_ms = 0;
	enum err e;

	if (lacking != 0)
		list_add(&l->missing, device_row(d, lacking, d->last_contact_ms));
	if (d->id.state == DEVICE_REVOKED)
		return ERR_OK;
	if (d->is_clock_flagged)
		list_add(&l->clocks, device_row(d, 1, d->last_contact_ms));
	if (d->id.state != DEVICE_FORKED)
		return ERR_OK;
	e = load_release(w, d->id.number, &expires_ms);
	if (expires_ms != 0)
		list_add(&l->released, device_row(d, 1, expires_ms));
	else
		list_add(&l->forked, device_row(d, 1, d->last_contact_ms));
	return e;
}

/* Who went on under another number lacks nothing, and nobody waits for him. */
static enum err sort_devices(struct work *w, struct device_lists *l)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < w->device_count && e == ERR_OK; i++) {
		const struct store_device *d = &w->devices[i];
		const bool may_be_told = d->id.state == DEVICE_FORKED || d->is_clock_flagged ||
					 d->seen_number > d->last_number;

		if (d->id.number != STAMP_DEVICE_OFFICE && may_be_told &&
		    !is_superseded(w, d->id.number))
			e = sort_device(w, d, l);
	}
	return e;
}

/* ---- communes ---- */

static int by_silence(const void *a, const void *b)
{
	const struct alert_row *x = a;
	const struct alert_row *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return bytes_compare(x->unit, y->unit);
}

static int by_count(const void *a, const void *b)
{
	const struct alert_row *x = a;
	const struct alert_row *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return bytes_compare(x->unit, y->unit);
}

static struct alert_row unit_row(const struct board_row *r, uint64_t count, int64_t at_ms)
{
	return (struct alert_row){
		.unit = r->code, .unit_name = r->name, .count = count, .at_ms = at_ms};
}

static bool is_quiet(const struct work *w, const struct board_row *r)
{
	return w->c->quiet_ms != 0 ? w->facts->now_ms - r->heard_ms > w->c->quiet_ms
				   : r->state == BOARD_STALE;
}

static void tell_silence(struct work *w)
{
	struct list quiet = list_new(w, w->board.count);
	struct list never = list_new(w, w->board.count);

	for (size_t i = 0; i < w->board.count; i++) {
		const struct board_row *r = &w->board.rows[i];

		if (r->heard_ms == 0)
			list_add(&never, unit_row(r, 1, 0));
		else if (is_quiet(w, r))
			list_add(&quiet, unit_row(r, 1, r->heard_ms));
		else
			w->out->fresh++;
	}
	w->out->communes = w->board.count;
	if (quiet.count != 0)
		qsort(quiet.rows, quiet.count, sizeof *quiet.rows, by_silence);
	(void)tell_list(w, ALERT_quiet, &quiet, w->c->quiet_ms != 0);
	(void)tell_list(w, ALERT_never, &never, w->c->quiet_ms != 0);
}

/* ---- what waits for a person ---- */

static const char query_quarantine[] = "SELECT min(at) FROM quarantine WHERE state = 'open'";
static const char query_conflicts[] = "SELECT min(at) FROM conflict WHERE state = 'open'";

static enum err put_oldest(struct work *w, const char *text, struct alert_item *item)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = item != NULL ? sql_use(w->store, text, &q) : ERR_OK;

	if (e != ERR_OK || item == NULL)
		return e;
	e = sql_run_row(q);
	if (e == ERR_OK)
		item->oldest_ms = sql_int(q, 0);
	return e;
}

/* The total counts what is of no commune, too: the office's own, a device of the province. */
static enum err tell_waiting(struct work *w)
{
	struct list quarantine = list_new(w, w->board.count);
	struct list conflicts = list_new(w, w->board.count);
	enum err e;

	for (size_t i = 0; i < w->board.count; i++) {
		const struct board_row *r = &w->board.rows[i];

		if (r->tally.quarantine != 0)
			list_add(&quarantine, unit_row(r, r->tally.quarantine, 0));
		if (r->tally.conflicts != 0)
			list_add(&conflicts, unit_row(r, r->tally.conflicts, 0));
	}
	quarantine.sum = w->board.all.quarantine;
	conflicts.sum = w->board.all.conflicts;
	if (quarantine.count != 0)
		qsort(quarantine.rows, quarantine.count, sizeof *quarantine.rows, by_count);
	if (conflicts.count != 0)
		qsort(conflicts.rows, conflicts.count, sizeof *conflicts.rows, by_count);
	e = put_oldest(w, query_quarantine,
		       tell_list(w, ALERT_quarantine, &quarantine, w->c->quarantine));
	if (e == ERR_OK)
		e = put_oldest(w, query_conflicts,
			       tell_list(w, ALERT_conflicts, &conflicts, w->c->conflicts));
	return e;
}

static enum err tell_placing(struct work *w)
{
	const int64_t day = units_day_of(w->facts->now_ms);
	struct unit_placing *placing = NULL;
	size_t count = 0;
	enum err e = w->c->placing != 0 ? units_load_placing(w->store, w->a, day, &placing, &count)
					: ERR_OK;
	struct list l = list_new(w, count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		struct unit_row row;
		struct alert_row one = {.count = placing[i].records};

		if (placing[i].records == 0)
			continue;
		e = units_load(w->store, w->a, placing[i].unit, day, &row);
		if (e == ERR_OK)
			e = units_print_code(w->store, w->a, &row, day, &one.unit);
		if (e == ERR_OK)
			one.unit_name = row.name;
		if (e == ERR_OK)
			list_add(&l, one);
	}
	if (e == ERR_OK)
		(void)tell_list(w, ALERT_placing, &l, w->c->placing);
	return e;
}

/* ---- together ---- */

static enum err load(struct work *w)
{
	const struct board_ask ask = {.day = units_day_of(w->facts->now_ms),
				      .now_ms = w->facts->now_ms};
	enum err e = board_load(w->store, w->a, &ask, &w->board);

	if (e == ERR_OK)
		e = store_load_devices(w->store, w->a, &w->devices, &w->device_count);
	if (e == ERR_OK)
		e = store_last_log(w->store, &w->out->log);
	return e;
}

static int by_kind(const void *a, const void *b)
{
	const struct alert_item *x = a;
	const struct alert_item *y = b;

	return (x->kind > y->kind) - (x->kind < y->kind);
}

static enum err tell_devices(struct work *w)
{
	struct device_lists l = {.forked = list_new(w, w->device_count),
				 .released = list_new(w, w->device_count),
				 .missing = list_new(w, w->device_count),
				 .clocks = list_new(w, w->device_count)};
	enum err e = sort_devices(w, &l);

	(void)tell_list(w, ALERT_forked, &l.forked, w->c->devices);
	(void)tell_list(w, ALERT_released, &l.released, w->c->devices);
	(void)tell_list(w, ALERT_missing, &l.missing, w->c->missing);
	(void)tell_list(w, ALERT_clocks, &l.clocks, w->c->clocks);
	return e;
}

enum err alert_collect(struct store *s, struct arena *a, const struct config_alert *c,
		       const struct alert_facts *facts, struct alert *ret_alert)
{
	struct alert *out = arena_alloc(a, sizeof *out);
	struct work w = {.store = s, .a = a, .c = c, .facts = facts, .out = out};
	enum err e = load(&w);

	out->at_ms = facts->now_ms;
	if (e == ERR_OK)
		e = tell_backups(&w);
	if (e == ERR_OK)
		e = tell_devices(&w);
	if (e == ERR_OK)
		e = tell_waiting(&w);
	if (e == ERR_OK)
		e = tell_placing(&w);
	if (e != ERR_OK)
		return e;
	tell_disk(&w);
	tell_undelivered(&w);
	tell_silence(&w);
	qsort(out->items, out->item_count, sizeof *out->items, by_kind);
	*ret_alert = *out;
	return ERR_OK;
}

/* Of whom nobody took the place. Whether it was released is for whoever tells of it. */
static const char query_forked[] =
	"SELECT d.number, count(*) OVER () FROM device d WHERE d.state = ?1 AND NOT EXISTS"
	" (SELECT 1 FROM device n WHERE n.former = d.number) ORDER BY d.number";

enum err alert_load_forked(struct store *s, struct arena *a, uint32_t **ret_numbers,
			   size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	uint32_t *numbers = NULL;
	size_t count = 0;
	bool is_row = false;
	enum err e = sql_use(s, query_forked, &q);

	if (e == ERR_OK)
		sql_bind_int(q, 1, DEVICE_FORKED);
	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (numbers == NULL)
			numbers = arena_alloc_array(a, (size_t)sql_int(q, 1), sizeof *numbers);
		numbers[count++] = (uint32_t)sql_int(q, 0);
	}
	if (e != ERR_OK)
		return e;
	*ret_numbers = numbers;
	*ret_count = count;
	return ERR_OK;
}
