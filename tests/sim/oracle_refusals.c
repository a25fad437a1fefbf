/* O7 and O10: why the daemon may have refused what waits in quarantine. */
#include <string.h>

#include "daemon/ingest.h"
#include "daemon/quarantine.h"
#include "daemon/units.h"
#include "tests/sim/homes.h"
#include "tests/sim/oracle_private.h"

static const char *text_of(struct arena *a, struct bytes b)
{
	return (const char *)arena_printf(a, "%.*s", BYTES_FMT(b)).data;
}

/* A transfer came before its record, and what makes that is refused itself or lost
 * (docs/storage.md, before its record). */
static bool is_orphan_move(const struct truth *t, size_t index)
{
	return truth_find(t, &t->quarantine[index].id) == NULL &&
	       !ledger_is_making(t->w->ledger, &t->refused[index]);
}

/* The office had placed the record where its author had the right to, and that went with the
 * office's disk: nobody else had it. */
static bool was_placed_in_vain(const struct truth *t, const struct id *id)
{
	const struct ledger *l = t->w->ledger;

	for (size_t i = 0; i < l->count; i++)
		if (l->notes[i].client == WORLD_OFFICE && l->notes[i].is_disk_lost &&
		    id_compare(&l->notes[i].id, id) == 0 &&
		    bytes_is(l->notes[i].field, RECORD_UNIT))
			return true;
	return false;
}

/* The transfer that took the record away came back after a restore before the one that had brought
 * it to its author: that one lost, and the restored office has never seen the record there. */
static bool was_there_unseen(struct truth *t, const struct quarantine_row *q)
{
	struct world *w = t->w;
	int64_t *scope = NULL;
	size_t count = 0;

	if (w->restores == 0)
		return false;
	world_must(w,
		   units_load_scope_now(w->store, &t->a, q->device, w->clock.wall, &scope, &count),
		   "scope");
	for (size_t i = 0; i < t->conflict_count; i++) {
		const struct conflict_row *c = &t->conflicts[i];

		if (id_compare(&c->id, &q->id) == 0 && bytes_is(c->lost.name, RECORD_UNIT) &&
		    c->lost.value.kind == VALUE_INT &&
		    units_scope_has(scope, count, c->lost.value.integer))
			return true;
	}
	return false;
}

/* Its author had the right to make each of these writes. Who takes back a value that lost writes
 * its text once more, perhaps without the right to: then there are two notes of it. */
static bool had_right(const struct truth *t, size_t index)
{
	const struct quarantine_row *q = &t->quarantine[index];
	const struct change *c = &t->refused[index];
	const struct ledger *l = t->w->ledger;

	for (size_t i = 0; i < l->count; i++) {
		for (size_t k = 0; k < c->count; k++) {
			if (!l->notes[i].is_in_scope &&
			    truth_is_note_of(l, &l->notes[i], q->device, &q->id, &c->writes[k]))
				return false;
		}
	}
	return true;
}

/* What hinders it now; NULL: nothing. Leaves no trace. */
static const char *hindered_by(struct truth *t, const struct quarantine_row *q)
{
	struct world *w = t->w;
	struct ingest_replayed replayed;
	struct quarantine_since since;

	/* An old value of an event that its author has written anew waits for a person. */
	world_must(w, quarantine_look(w->store, &t->a, q, &since), "look at what is refused");
	if (since.would_displace)
		return "out_of_range";
	world_must(w, store_begin(w->store), "begin");
	world_must(w, ingest_replay(&w->ctx, w->store, &t->a, q, w->clock.wall, &replayed),
		   "replay");
	store_rollback(w->store);
	return replayed.is_merged ? NULL : text_of(&t->a, replayed.code);
}

/* O7: its author had the right to, and nothing took it from him. */
static bool is_wronged(struct truth *t, size_t index)
{
	const struct quarantine_row *q = &t->quarantine[index];

	if (t->w->has_lost_rights || t->w->is_list_ahead || !had_right(t, index))
		return false;
	return !is_orphan_move(t, index) && !was_placed_in_vain(t, &q->id) &&
	       !was_there_unseen(t, q);
}

/*
 * The reason that counts today: a change that came before its record, or that a restored office
 * refused for scope, may be hindered by something else by now. A scope that came back (a clock was
 * set, and a merger is in force again) lets nobody in by itself: that decision is the office's.
 */
static const char *reason_today(struct truth *t, const struct quarantine_row *q)
{
	const bool was_early = bytes_is(q->reason, "missing");
	const char *today;

	if (was_early && truth_find(t, &q->id) == NULL)
		return "missing";
	if (!was_early && !(bytes_is(q->reason, "out_of_scope") && t->w->restores != 0))
		return text_of(&t->a, q->reason);
	today = hindered_by(t, q);
	return today == NULL && !was_early ? "out_of_scope" : today;
}

/* Why a refused change may be refused. */
static void check_refusal(struct truth *t, size_t index)
{
	static const char *const good[] = {"out_of_scope", "out_of_range", "not_cleared",
					   "no_such_unit"};
	const struct quarantine_row *q = &t->quarantine[index];
	const char *reason = reason_today(t, q);
	bool is_good;

	if (reason == NULL)
		world_fail(t->w,
			   "number %llu of device %u (%.*s %.*s) waits, and nothing hinders it",
			   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
			   BYTES_FMT(truth_show_id(&t->a, &q->id)));
	if (strcmp(reason, "out_of_scope") == 0 && is_wronged(t, index))
		world_fail(t->w, "O7: number %llu of device %u (%.*s %.*s) was refused for scope",
			   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
			   BYTES_FMT(truth_show_id(&t->a, &q->id)));
	/* What would have made its record is refused, too. */
	is_good = strcmp(reason, "missing") == 0 && truth_find(t, &q->id) == NULL;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		is_good = is_good || strcmp(reason, good[i]) == 0;
	if (!is_good)
		world_fail(t->w, "number %llu of device %u (%.*s %.*s) is refused: %s",
			   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
			   BYTES_FMT(truth_show_id(&t->a, &q->id)), reason);
}

/* The home that wrote it took another identity: then it was sent again, and this is closed. */
static void check_forked(struct truth *t, size_t index)
{
	const struct quarantine_row *q = &t->quarantine[index];
	struct world *w = t->w;

	if (!w->has_releases || w->restores != 0 || homes_is_torn(w, q->device))
		return;
	for (size_t i = 0; i < t->refused[index].count; i++) {
		const struct note *n =
			truth_find_note(w->ledger, q->device, &q->id, &t->refused[index].writes[i]);

		/* A draft that was on two copies of the disk may be edited on one, or be in the log
		 * by the one history when the other's file comes late: then it is not sent again.
		 */
		if (n == NULL || n->is_off_disk || n->is_copied)
			return;
	}
	world_fail(w, "O10: number %llu of device %u (%.*s %.*s) was sent again and is still open",
		   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
		   BYTES_FMT(truth_show_id(&t->a, &q->id)));
}

static bool is_open(const struct quarantine_row *q)
{
	return bytes_is(q->state, "open");
}

void oracle_check_refusals(struct truth *t)
{
	for (size_t i = 0; i < t->quarantine_count; i++)
		if (is_open(&t->quarantine[i]) && t->quarantine[i].log == 0)
			check_forked(t, i);
		else if (is_open(&t->quarantine[i]) &&
			 !homes_is_torn(t->w, t->quarantine[i].device))
			check_refusal(t, i);
}
