/* O2 and O3: no value is lost, and everybody was told. */
#include <string.h>

#include "tests/sim/homes.h"
#include "tests/sim/oracle_private.h"
#include "tests/sim/tell.h"

/* ---- O2 ---- */

static bool is_state(const struct truth *t, const struct note *n)
{
	const struct record *r = truth_find(t, &n->id);
	const struct field *f = r != NULL ? record_find(r, n->field) : NULL;
	struct value value = f != NULL ? f->value : VALUE_NONE;

	return r != NULL && value_equal(&value, &n->value);
}

static bool is_lost_side(const struct truth *t, const struct note *n)
{
	for (size_t i = 0; i < t->conflict_count; i++) {
		const struct conflict_row *c = &t->conflicts[i];

		if (id_compare(&c->id, &n->id) == 0 && bytes_equal(c->lost.name, n->field) &&
		    value_equal(&c->lost.value, &n->value))
			return true;
	}
	return false;
}

static bool is_quarantined(const struct truth *t, const struct note *n)
{
	for (size_t i = 0; i < t->quarantine_count; i++) {
		const struct write *write = change_find(&t->refused[i], n->field);

		if (!bytes_is(t->quarantine[i].state, "replayed") &&
		    !bytes_is(t->quarantine[i].state, "resent") &&
		    homes_wrote(t->w, n->client, t->quarantine[i].device) &&
		    id_compare(&t->refused[i].id, &n->id) == 0 && write != NULL &&
		    value_equal(&write->value, &n->value))
			return true;
	}
	return false;
}

/*
 * What its author wrote over it later never was a conflict (M2: of another device). Mostly he saw
 * it in its place; but when it had lost to what another wrote, and that conflict went with a disk
 * of the office, what he wrote over the winner may come back before the winner does.
 */
static bool is_own_later(const struct truth *t, const struct note *n, const struct note *by)
{
	return t->w->restores != 0 && by > n && homes_has_written(t->w, by->client, n);
}

/* A refused write stands when it went along with its author's next edit of the record and was
 * taken then, or when what he wrote over it was not refused. */
static bool has_stood(const struct truth *t, const struct note *n)
{
	const struct ledger *l = t->w->ledger;

	if (!is_quarantined(t, n) || truth_is_merged(t, n))
		return true;
	for (const struct note *by = n + 1; by < l->notes + l->count; by++)
		if (by->client == n->client && !by->is_gone && id_compare(&by->id, &n->id) == 0 &&
		    bytes_equal(by->field, n->field) && !is_quarantined(t, by))
			return true;
	return false;
}

/* Somebody wrote over it who saw it; a refused write replaces only what its author wrote. What a
 * clone wrote may be refused in one history and taken in the other. */
static bool is_replaced(const struct truth *t, const struct note *n)
{
	const struct ledger *l = t->w->ledger;

	for (size_t i = 0; i < l->count; i++) {
		const struct note *by = &l->notes[i];

		if (by != n && !by->is_gone && id_compare(&by->id, &n->id) == 0 &&
		    bytes_equal(by->field, n->field) &&
		    (value_equal(&by->seen, &n->value) || is_own_later(t, n, by)) &&
		    (by->client == n->client || has_stood(t, by) ||
		     t->w->clients[by->client].was_torn))
			return true;
	}
	return false;
}

/*
 * A restore took the conflict from the office, and what was written over the winner came back
 * before the winner did: then it has no conflict to tell of any more. Its author was told, and may
 * restore it.
 */
static bool is_told(struct truth *t, const struct note *n)
{
	struct vault_notice *notices = NULL;
	size_t count = 0;

	if (t->w->restores == 0 || n->client == WORLD_OFFICE)
		return false;
	world_must(t->w,
		   vault_notices(t->w->clients[n->client].vault, &t->a, false, &notices, &count),
		   "inbox");
	for (size_t i = 0; i < count; i++)
		if (bytes_is(notices[i].kind, "conflict") &&
		    id_compare(&notices[i].id, &n->id) == 0 &&
		    bytes_equal(notices[i].field, n->field) &&
		    value_equal(&notices[i].lost, &n->value))
			return true;
	return false;
}

void oracle_check_values(struct truth *t)
{
	const struct ledger *l = t->w->ledger;

	for (size_t i = 0; i < l->count; i++) {
		const struct note *n = &l->notes[i];
		char hex[ID_HEX_LEN];

		if (n->is_gone || n->is_erased || n->is_disk_lost || is_state(t, n) ||
		    is_lost_side(t, n) || is_quarantined(t, n) || is_replaced(t, n) ||
		    is_told(t, n) || truth_is_stuck(t, n))
			continue;
		id_print(&n->id, hex);
		world_fail(t->w, "O2: lost: client %u wrote %.*s %s %.*s=%.*s at step %d",
			   n->client, BYTES_FMT(n->type), hex, BYTES_FMT(n->field),
			   BYTES_FMT(tell_value(&t->a, &n->value)), n->step);
	}
}

/* ---- O3 ---- */

struct inbox {
	struct vault_notice *notices;
	size_t count;
};

static bool has_conflict(const struct inbox *in, const struct conflict_row *c)
{
	for (size_t i = 0; i < in->count; i++) {
		const struct vault_notice *n = &in->notices[i];

		if (bytes_is(n->kind, "conflict") && id_compare(&n->id, &c->id) == 0 &&
		    bytes_equal(n->field, c->lost.name) && value_equal(&n->lost, &c->lost.value))
			return true;
	}
	return false;
}

static bool has_quarantine(const struct inbox *in, const struct quarantine_row *q)
{
	for (size_t i = 0; i < in->count; i++)
		if (bytes_is(in->notices[i].kind, "quarantine") &&
		    id_compare(&in->notices[i].id, &q->id) == 0)
			return true;
	return false;
}

void oracle_check_inbox(struct truth *t, struct client *c)
{
	struct inbox in = {0};

	world_must(t->w, vault_notices(c->vault, &t->a, true, &in.notices, &in.count), "inbox");
	for (size_t i = 0; i < t->conflict_count; i++)
		if (truth_is_forebear(t, t->conflicts[i].lost.stamp.device, c->device) &&
		    !has_conflict(&in, &t->conflicts[i]))
			world_fail(t->w, "O3: client %u was not told of conflict %llu (%.*s)",
				   c->index, (unsigned long long)t->conflicts[i].conflict,
				   BYTES_FMT(t->conflicts[i].lost.name));
	for (size_t i = 0; i < t->quarantine_count; i++)
		/* Of a fork nobody is told: its home sends it again. */
		if (t->quarantine[i].log != 0 &&
		    truth_is_forebear(t, t->quarantine[i].device, c->device) &&
		    !has_quarantine(&in, &t->quarantine[i]))
			world_fail(t->w, "O3: client %u was not told that number %llu is refused",
				   c->index, (unsigned long long)t->quarantine[i].number);
}
