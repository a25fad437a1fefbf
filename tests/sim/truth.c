#include "tests/sim/truth.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/fold.h"
#include "tests/sim/homes.h"

#define ROWS_MAX  1000000u
#define PAGE_ROWS 64u

static int by_id(const void *a, const void *b)
{
	return id_compare(&((const struct record *)a)->id, &((const struct record *)b)->id);
}

static void add_records(struct truth *t, const struct store_row *rows, size_t count)
{
	if (t->count + count > t->cap) {
		struct record *more;

		t->cap = t->cap * 2 + PAGE_ROWS;
		more = arena_alloc_array(&t->a, t->cap, sizeof *more);
		if (t->count != 0)
			memcpy(more, t->records, t->count * sizeof *more);
		t->records = more;
	}
	for (size_t i = 0; i < count; i++)
		t->records[t->count++] = rows[i].state.record;
}

static void load_type(struct truth *t, struct bytes type)
{
	struct store_range range = {.limit = PAGE_ROWS};
	struct store_row *rows = NULL;
	size_t count = PAGE_ROWS;

	while (count == PAGE_ROWS) {
		world_must(t->w, store_load_rows(t->w->store, &t->a, type, &range, &rows, &count),
			   "rows");
		add_records(t, rows, count);
		if (count != 0)
			range.after = (uint64_t)rows[count - 1].state.row;
	}
}

static void load_records(struct truth *t)
{
	bool is_event;

	for (size_t i = 0; i < store_type_count(t->w->store); i++)
		load_type(t, store_type(t->w->store, i, &is_event));
	if (t->count != 0)
		qsort(t->records, t->count, sizeof *t->records, by_id);
}

/* Whose place a device took; 0: nobody's. */
static uint32_t find_former(const struct truth *t, uint32_t device)
{
	for (size_t i = 0; i < t->device_count; i++)
		if (t->devices[i].id.number == device)
			return t->devices[i].former;
	return 0;
}

bool truth_is_forebear(const struct truth *t, uint32_t old, uint32_t device)
{
	while (device != old && find_former(t, device) != 0)
		device = find_former(t, device);
	return device == old;
}

uint32_t truth_root(const struct truth *t, uint32_t device)
{
	while (find_former(t, device) != 0)
		device = find_former(t, device);
	return device;
}

/* Rows that say only that there was something: of records erased by law (law.h). */
static void leave_out_erased(struct truth *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->conflict_count; i++)
		if (!bytes_is(t->conflicts[i].state, "erased"))
			t->conflicts[kept++] = t->conflicts[i];
	t->conflict_count = kept;
	kept = 0;
	for (size_t i = 0; i < t->quarantine_count; i++)
		if (!bytes_is(t->quarantine[i].state, "erased"))
			t->quarantine[kept++] = t->quarantine[i];
	t->quarantine_count = kept;
}

void truth_load(struct truth *t, struct world *w)
{
	const struct store_range all = {.limit = ROWS_MAX};

	*t = (struct truth){.w = w};
	load_records(t);
	world_must(w, store_load_devices(w->store, &t->a, &t->devices, &t->device_count),
		   "devices");
	world_must(w,
		   store_load_conflicts(w->store, &t->a, &all, &t->conflicts, &t->conflict_count),
		   "conflicts");
	world_must(
		w,
		store_load_quarantine(w->store, &t->a, &all, &t->quarantine, &t->quarantine_count),
		"quarantine");
	leave_out_erased(t);
	t->refused = arena_alloc_array(&t->a, t->quarantine_count, sizeof *t->refused);
	for (size_t i = 0; i < t->quarantine_count; i++)
		world_must(w, change_decode(&t->a, t->quarantine[i].bytes, &t->refused[i]),
			   "quarantined change");
}

const struct record *truth_find(const struct truth *t, const struct id *id)
{
	struct record key = {.id = *id};

	return t->count != 0 ? bsearch(&key, t->records, t->count, sizeof key, by_id) : NULL;
}

bool truth_is_note_of(const struct ledger *l, const struct note *n, uint32_t device,
		      const struct id *id, const struct write *write)
{
	return homes_wrote(l->world, n->client, device) && id_compare(&n->id, id) == 0 &&
	       bytes_equal(n->field, write->name) && value_equal(&n->value, &write->value);
}

const struct note *truth_find_note(const struct ledger *l, uint32_t device, const struct id *id,
				   const struct write *write)
{
	for (size_t i = 0; i < l->count; i++)
		if (truth_is_note_of(l, &l->notes[i], device, id, write))
			return &l->notes[i];
	return NULL;
}

struct bytes truth_show_id(struct arena *a, const struct id *id)
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	return arena_copy(a, bytes_str(hex));
}

bool truth_is_stuck(struct truth *t, const struct note *n)
{
	struct client *c = &t->w->clients[n->client];

	return n->client != WORLD_OFFICE && c->is_torn && ledger_is_kept(&t->a, c, n);
}

bool truth_is_skipped(const struct log_row *row, uint64_t number)
{
	for (size_t i = 0; i < row->verdict_count; i++)
		if (row->verdicts[i].number == number && log_verdict_is_skipped(&row->verdicts[i]))
			return true;
	return false;
}

static bool is_merged_by(const struct truth *t, const struct log_row *row, const struct note *n)
{
	AUTO(arena_clear) struct arena a = {0};
	struct fold_source source;

	world_must(t->w, fold_open(&a, row, &source), "open a log row");
	for (size_t i = 0; i < source.count; i++) {
		const struct change *c = &source.changes[i];
		const struct write *write = change_find(c, n->field);

		if (write != NULL && !truth_is_skipped(row, c->number) &&
		    truth_is_note_of(t->w->ledger, n, row->device, &c->id, write))
			return true;
	}
	return false;
}

bool truth_is_merged(const struct truth *t, const struct note *n)
{
	uint64_t last = 0;
	bool is = false;

	world_must(t->w, store_last_log(t->w->store, &last), "last log");
	for (uint64_t log = 1; log <= last && !is; log++) {
		AUTO(arena_clear) struct arena a = {0};
		struct log_row row;

		world_must(t->w, store_load_log(t->w->store, &a, log, &row), "log");
		is = is_merged_by(t, &row, n);
	}
	return is;
}
