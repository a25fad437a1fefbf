#include "tests/sim/bureau.h"

#include "common/base/check.h"
#include "daemon/decide.h"
#include "daemon/ingest.h"
#include "daemon/office.h"
#include "daemon/quarantine.h"
#include "daemon/units.h"
#include "tests/sim/faults.h"
#include "tests/sim/ledger.h"

#define LISTED 200u

/* The third commune goes into a new one, the fourth is divided. */
static const char list_text[] = "code,name,type,province_code,province_name\n"
				"00001,Xã Một,Xã,70,Tỉnh Bình Phước\n"
				"00002,Xã Hai,Xã,70,Tỉnh Bình Phước\n"
				"00005,Xã Năm,Xã,70,Tỉnh Bình Phước\n"
				"00006,Xã Sáu,Xã,70,Tỉnh Bình Phước\n";
static const char map_text[] = "old_code,new_code,part\n"
			       "00003,00005,whole\n"
			       "00004,00005,partial\n"
			       "00004,00006,partial\n";

/* True: it is on the disk. */
static bool finish(struct world *w)
{
	if (world_chance(w, 10)) {
		world_crash_daemon(w);
		return false;
	}
	return faults_commit(w, "commit what the office did");
}

/* Whole: the store, whose names of fields it has, may be another one before the ledger asks. */
static struct record before_of(struct world *w, struct arena *a, struct bytes type,
			       const struct id *id)
{
	struct store_state state = {.record = {.type = type, .id = *id}};

	world_must(w, store_load_states(w->store, a, &state, 1), "a record");
	return record_copy(a, &state.record);
}

/* ---- conflicts ---- */

static void note_restored(struct world *w, const struct decided *d, const struct record *before)
{
	struct write write = {d->row.lost.name, d->row.lost.value};
	const struct change change = {
		.type = d->row.type, .id = d->row.id, .writes = &write, .count = 1};
	const struct ledger_entry entry = {
		.client = WORLD_OFFICE, .change = &change, .before = before, .is_in_scope = true};

	ledger_note(w->ledger, &entry);
}

static void decide(struct world *w, struct arena *a)
{
	const struct store_range open = {.limit = LISTED, .is_open_only = true};
	struct conflict_row *rows = NULL;
	struct decided decided = {0};
	size_t count = 0;

	world_must(w, store_load_conflicts(w->store, a, &open, &rows, &count), "conflicts");
	if (count == 0)
		return;
	const struct conflict_row *c = &rows[rand_below(&w->rand, count)];
	const struct record before = before_of(w, a, c->type, &c->id);
	bool is_restore = world_chance(w, 60);

	world_must(w, store_begin(w->store), "begin");
	world_must(w,
		   (is_restore ? decide_restore : decide_keep)(&w->ctx, w->store, a, c->conflict,
							       BYTES_LIT("uid:0"), &decided),
		   "decide a conflict");
	world_trace(w, "office: conflict %llu %s: %d", (unsigned long long)c->conflict,
		    is_restore ? "restored" : "kept", (int)decided.outcome);
	if (decided.outcome != DECIDE_DONE)
		store_rollback(w->store);
	else if (finish(w) && decided.is_written)
		note_restored(w, &decided, &before);
}

/* ---- quarantine ---- */

static void look_at_quarantine(struct world *w, struct arena *a)
{
	const struct store_range open = {.limit = LISTED, .is_open_only = true};
	struct quarantine_decision decision = {
		.by = BYTES_LIT("uid:0"), .text = BYTES_LIT("thử; a test"), .at_ms = w->clock.wall};
	struct ingest_replayed replayed = {0};
	struct quarantine_row *rows = NULL;
	size_t count = 0;

	world_must(w, store_load_quarantine(w->store, a, &open, &rows, &count), "quarantine");
	if (count == 0)
		return;
	const struct quarantine_row *q = &rows[rand_below(&w->rand, count)];

	/* Of a fork: a person would look into both histories first. */
	if (q->log == 0)
		return;
	world_must(w, store_begin(w->store), "begin");
	if (world_chance(w, 70))
		world_must(w, ingest_replay(&w->ctx, w->store, a, q, w->clock.wall, &replayed),
			   "replay");
	else
		decision.state = QUARANTINE_DISCARDED;
	if (replayed.is_merged)
		decision.state = QUARANTINE_REPLAYED;
	world_trace(w, "office: quarantine %llu: %s", (unsigned long long)q->quarantine,
		    decision.state != NULL ? decision.state : "stays");
	if (decision.state == NULL) {
		store_rollback(w->store);
		return;
	}
	world_must(w, quarantine_decide(w->store, q, &decision), "decide a quarantined change");
	(void)finish(w);
}

/* ---- units ---- */

static void find_new_units(struct world *w)
{
	static const char *const codes[] = {"00005", "00006"};
	struct unit_row row;

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		world_must(w,
			   units_find(w->store, &w->arena, bytes_str(codes[i]),
				      units_day_of(w->now_ms), &row),
			   "find unit");
		w->units[w->unit_count++] = row.unit;
	}
}

static void merge_communes(struct world *w, struct arena *a)
{
	/* People know the day, whatever a clock says. */
	const int64_t day = units_day_of(w->now_ms);
	struct units_imported imported = {0};
	struct units_succeeded succeeded = {0};

	/* A clock that is not there yet is seen, and set first: what begins later is not in force.
	 */
	if (w->unit_count > WORLD_UNITS || units_day_of(w->clock.wall) < day)
		return;
	world_trace(w, "office: communes merge");
	world_must(w, store_begin(w->store), "begin");
	world_must(w,
		   units_import(w->store, a, bytes_str(list_text), day, UNITS_DAY_OPEN, &imported),
		   "import the new list");
	world_must(w, units_succession(w->store, a, bytes_str(map_text), day, &succeeded),
		   "import the map");
	/* As admin_unit.c does. */
	world_must(w, units_note_day(w->store, units_day_of(w->clock.wall)), "note the day");
	if (!finish(w))
		return;
	w->rights++;
	w->is_list_ahead = w->is_list_ahead || units_day_of(w->clock.wall) < day;
	find_new_units(w);
}

/* A record of the divided commune, if one is found. */
static bool find_divided(struct world *w, struct arena *a, struct record *ret_record)
{
	bool is_event;
	struct bytes type;
	struct id id;

	for (unsigned i = 0; i < 30 && ledger_pick(w->ledger, &w->rand, &type, &id); i++) {
		if (!store_has_type(w->store, type, &is_event))
			continue;
		*ret_record = before_of(w, a, type, &id);
		if (ret_record->count != 0 && record_unit(ret_record) == w->units[3])
			return true;
	}
	return false;
}

/* One record of the divided commune gets its place. */
static void place(struct world *w, struct arena *a)
{
	struct office_written written = {0};
	struct record record;

	if (w->unit_count <= WORLD_UNITS || !find_divided(w, a, &record))
		return;
	struct write write = {BYTES_LIT(RECORD_UNIT),
			      value_int(w->units[WORLD_UNITS + rand_below(&w->rand, 2)])};
	struct change change = {.type = record.type,
				.id = record.id,
				.author = BYTES_LIT("uid:0"),
				.writes = &write,
				.count = 1};
	const struct ledger_entry entry = {
		.client = WORLD_OFFICE, .change = &change, .before = &record, .is_in_scope = true};

	world_trace(w, "office: places a record");
	world_must(w, store_begin(w->store), "begin");
	world_must(w, office_write(&w->ctx, w->store, a, &change, 1, &written), "place");
	if (!written.is_merged)
		store_rollback(w->store);
	else if (finish(w))
		ledger_note(w->ledger, &entry);
}

void bureau_act(struct world *w)
{
	AUTO(arena_clear) struct arena a = {0};

	switch (rand_below(&w->rand, 8)) {
	case 0:
	case 1:
	case 2: decide(w, &a); break;
	case 3:
	case 4: look_at_quarantine(w, &a); break;
	case 5: merge_communes(w, &a); break;
	default: place(w, &a); break;
	}
}
