#include "tests/sim/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/stray.h"
#include "daemon/fold.h"
#include "daemon/ingest.h"
#include "daemon/quarantine.h"
#include "daemon/units.h"
#include "daemon/verify.h"
#include "tests/sim/homes.h"
#include "tests/sim/tell.h"

#define ROWS_MAX  1000000u
#define PAGE_ROWS 64u

/* ---- the daemon, as it is in the end ---- */

struct truth {
	struct world *w;
	struct arena a;
	struct record *records; /* by id */
	size_t count;
	size_t cap;
	struct conflict_row *conflicts;
	size_t conflict_count;
	struct quarantine_row *quarantine;
	struct change *refused; /* of each row of it */
	size_t quarantine_count;
	struct store_device *devices;
	size_t device_count;
};

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

/* Did the one, or one it goes on from, become the other? */
static bool is_forebear(const struct truth *t, uint32_t old, uint32_t device)
{
	while (device != old && find_former(t, device) != 0)
		device = find_former(t, device);
	return device == old;
}

static uint32_t find_root(const struct truth *t, uint32_t device)
{
	while (find_former(t, device) != 0)
		device = find_former(t, device);
	return device;
}

static void load_truth(struct truth *t, struct world *w)
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
	t->refused = arena_alloc_array(&t->a, t->quarantine_count, sizeof *t->refused);
	for (size_t i = 0; i < t->quarantine_count; i++)
		world_must(w, change_decode(&t->a, t->quarantine[i].bytes, &t->refused[i]),
			   "quarantined change");
}

static const struct record *find(const struct truth *t, const struct id *id)
{
	struct record key = {.id = *id};

	return t->count != 0 ? bsearch(&key, t->records, t->count, sizeof key, by_id) : NULL;
}

/* ---- O2 ---- */

static bool is_state(const struct truth *t, const struct note *n)
{
	const struct record *r = find(t, &n->id);
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

/* What was let in by itself is in the state, or lost there. */
static bool is_open(const struct quarantine_row *q)
{
	return bytes_is(q->state, "open");
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
	return t->w->restores != 0 && by > n && by->client == n->client;
}

/* A refused write stands when what its author wrote over it was not refused. */
static bool has_stood(const struct truth *t, const struct note *n)
{
	const struct ledger *l = t->w->ledger;

	if (!is_quarantined(t, n))
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

static struct bytes show_id(struct arena *a, const struct id *id)
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	return arena_copy(a, bytes_str(hex));
}

/* Which field is why two states differ: for the message. */
static struct bytes show_difference(struct arena *a, const struct record *left,
				    const struct record *right)
{
	for (size_t i = 0; i < left->count || i < right->count; i++) {
		const struct field *f = i < left->count ? &left->fields[i] : &right->fields[i];
		const struct field *x = record_find(left, f->name);
		const struct field *y = record_find(right, f->name);

		if (x != NULL && y != NULL && value_equal(&x->value, &y->value) &&
		    stamp_compare(&x->stamp, &y->stamp) == 0)
			continue;
		return arena_printf(
			a, "%.*s: %.*s by %u at %llx, %.*s by %u at %llx", BYTES_FMT(f->name),
			BYTES_FMT(x != NULL ? tell_value(a, &x->value) : BYTES_LIT("none")),
			x != NULL ? x->stamp.device : 0,
			x != NULL ? (unsigned long long)x->stamp.clock : 0,
			BYTES_FMT(y != NULL ? tell_value(a, &y->value) : BYTES_LIT("none")),
			y != NULL ? y->stamp.device : 0,
			y != NULL ? (unsigned long long)y->stamp.clock : 0);
	}
	return BYTES_LIT("nothing");
}

/* Its device is set aside, or cannot go on: its vault has it, and once released it sends again what
 * no backup holds (docs/client-store.md C8). */
static bool is_stuck(struct truth *t, const struct note *n)
{
	struct client *c = &t->w->clients[n->client];

	return n->client != WORLD_OFFICE && c->is_torn && ledger_is_kept(&t->a, c, n);
}

static void check_nothing_lost(struct truth *t)
{
	const struct ledger *l = t->w->ledger;

	for (size_t i = 0; i < l->count; i++) {
		const struct note *n = &l->notes[i];
		char hex[ID_HEX_LEN];

		if (n->is_gone || n->is_disk_lost || is_state(t, n) || is_lost_side(t, n) ||
		    is_quarantined(t, n) || is_replaced(t, n) || is_stuck(t, n))
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

static void check_inbox(struct truth *t, struct client *c)
{
	struct inbox in = {0};

	world_must(t->w, vault_notices(c->vault, &t->a, true, &in.notices, &in.count), "inbox");
	for (size_t i = 0; i < t->conflict_count; i++)
		if (is_forebear(t, t->conflicts[i].lost.stamp.device, c->device) &&
		    !has_conflict(&in, &t->conflicts[i]))
			world_fail(t->w, "O3: client %u was not told of conflict %llu (%.*s)",
				   c->index, (unsigned long long)t->conflicts[i].conflict,
				   BYTES_FMT(t->conflicts[i].lost.name));
	for (size_t i = 0; i < t->quarantine_count; i++)
		/* Of a fork nobody is told: its home sends it again. */
		if (t->quarantine[i].log != 0 &&
		    is_forebear(t, t->quarantine[i].device, c->device) &&
		    !has_quarantine(&in, &t->quarantine[i]))
			world_fail(t->w, "O3: client %u was not told that number %llu is refused",
				   c->index, (unsigned long long)t->quarantine[i].number);
}

/* ---- O1 ---- */

struct replica {
	struct truth *t;
	struct client *c;
	const int64_t *scope;
	size_t scope_count;
	size_t count; /* records of it that the daemon has for this client */
};

static bool is_owed(const struct replica *r, const struct record *record)
{
	const struct schema *schema = store_schema(r->t->w->store);

	return units_scope_has(r->scope, r->scope_count, record_unit(record)) &&
	       schema_find_type(schema, record->type) != NULL &&
	       (r->c->is_cleared || !schema_is_restricted(schema, record));
}

static bool is_equal(const struct record *a, const struct record *b)
{
	AUTO(buf_clear) struct buf left = {0};
	AUTO(buf_clear) struct buf right = {0};

	record_canonical(a, &left);
	record_canonical(b, &right);
	return bytes_equal(buf_bytes(&left), buf_bytes(&right));
}

/* Kept because a change of it is refused: the person has to mend it. */
static bool is_held_back(const struct vault_record *v)
{
	return v->sync == VAULT_REFUSED;
}

static bool is_refused(const struct truth *t, const struct id *id)
{
	for (size_t i = 0; i < t->quarantine_count; i++)
		if (id_compare(&t->quarantine[i].id, id) == 0)
			return true;
	return false;
}

/*
 * The office lost it in a restore, and what made it is not there again: refused (a newer schema),
 * in a home that is set aside, or lost with its disk. It may be the last copy whole, and its
 * people were told so.
 */
static bool is_told_stray(const struct replica *r, const struct vault_record *v)
{
	const struct id *id = &v->body.id;
	const struct note *making = ledger_making(r->t->w->ledger, id);
	struct vault_notice *notices = NULL;
	size_t count = 0;

	if (v->generation == vault_state(r->c->vault)->generation)
		return false;
	if (!is_refused(r->t, id) &&
	    (making == NULL || (!making->is_disk_lost && !is_stuck(r->t, making))))
		return false;
	world_must(r->t->w, vault_notices(r->c->vault, &r->t->a, true, &notices, &count), "inbox");
	for (size_t i = 0; i < count; i++)
		if (bytes_is(notices[i].kind, STRAY_KIND) && id_compare(&notices[i].id, id) == 0)
			return true;
	return false;
}

static enum err check_record(void *arg, const struct vault_record *v)
{
	struct replica *r = arg;
	struct world *w = r->t->w;
	const struct record *truth = find(r->t, &v->body.id);
	char hex[ID_HEX_LEN];

	id_print(&v->body.id, hex);
	if (truth == NULL || !is_owed(r, truth)) {
		if (!is_held_back(v) && !(truth == NULL && is_told_stray(r, v)))
			world_fail(
				w,
				"O1: client %u has %.*s %s, which it should not (the daemon: %lld)",
				r->c->index, BYTES_FMT(v->body.type), hex,
				truth != NULL ? (long long)record_unit(truth) : 0LL);
		return ERR_OK;
	}
	r->count++;
	if (v->is_evicted)
		world_fail(w, "O1: client %u has %s as evicted", r->c->index, hex);
	if (!is_equal(&v->office, truth))
		world_fail(w, "O1: client %u has another %.*s %s than the daemon: %.*s",
			   r->c->index, BYTES_FMT(v->body.type), hex,
			   BYTES_FMT(show_difference(&r->t->a, &v->office, truth)));
	if (!is_held_back(v) && !is_equal(&v->body, truth))
		world_fail(w, "O1: client %u shows another %.*s %s than the daemon has: %.*s",
			   r->c->index, BYTES_FMT(v->body.type), hex,
			   BYTES_FMT(show_difference(&r->t->a, &v->body, truth)));
	return ERR_OK;
}

static void check_replica(struct truth *t, struct client *c)
{
	struct world *w = t->w;
	struct replica r = {.t = t, .c = c};
	int64_t *scope = NULL;
	size_t owed = 0;

	world_must(w,
		   units_load_scope(w->store, &t->a, c->device, units_day_of(w->clock.wall), &scope,
				    &r.scope_count),
		   "scope");
	r.scope = scope;
	world_must(w, vault_record_each(c->vault, check_record, &r), "records of a vault");
	for (size_t i = 0; i < t->count; i++)
		owed += is_owed(&r, &t->records[i]);
	if (owed != r.count)
		world_fail(w, "O1: client %u has %zu of the %zu records of its scope", c->index,
			   r.count, owed);
}

/* ---- O4, O7 ---- */

static bool is_note_of(const struct ledger *l, const struct note *n, uint32_t device,
		       const struct id *id, const struct write *write)
{
	return homes_wrote(l->world, n->client, device) && id_compare(&n->id, id) == 0 &&
	       bytes_equal(n->field, write->name) && value_equal(&n->value, &write->value);
}

/* Texts of the ledger are made once, so a text tells who wrote it. */
static const struct note *find_note(const struct ledger *l, uint32_t device, const struct id *id,
				    const struct write *write)
{
	for (size_t i = 0; i < l->count; i++)
		if (is_note_of(l, &l->notes[i], device, id, write))
			return &l->notes[i];
	return NULL;
}

struct logged {
	uint32_t device;
	uint32_t family; /* of devices that took each other's place */
	struct id id;
	struct bytes field;
	struct bytes text;
	uint64_t log;
	uint64_t number; /* of the change */
};

static int compare_logged(const void *a, const void *b)
{
	const struct logged *x = a;
	const struct logged *y = b;
	int order = bytes_compare(x->text, y->text);

	if (order == 0)
		order = bytes_compare(x->field, y->field);
	if (order == 0)
		order = id_compare(&x->id, &y->id);
	return order != 0 ? order : (x->family > y->family) - (x->family < y->family);
}

/*
 * A refused write went along with the next edit of its record, and was let in itself as well. Or a
 * restored office, which knows of no refusal, took both.
 */
static bool is_taken_along(const struct truth *t, const struct logged *item)
{
	if (t->w->restores != 0)
		return true;
	for (size_t i = 0; i < t->quarantine_count; i++) {
		const struct quarantine_row *q = &t->quarantine[i];
		const struct write *write = change_find(&t->refused[i], item->field);

		if (q->device == item->device && bytes_is(q->state, "replayed") &&
		    id_compare(&q->id, &item->id) == 0 && write != NULL &&
		    write->value.kind == VALUE_TEXT && bytes_equal(write->value.bytes, item->text))
			return true;
	}
	return false;
}

/* What was taken back from the inbox is written again. */
static bool is_written_once(const struct truth *t, const struct logged *item)
{
	if (is_taken_along(t, item))
		return false;
	const struct ledger *l = t->w->ledger;
	const struct write write = {item->field, value_text(item->text)};
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		count += homes_wrote(l->world, l->notes[i].client, item->device) &&
			 id_compare(&l->notes[i].id, &item->id) == 0 &&
			 bytes_equal(l->notes[i].field, write.name) &&
			 value_equal(&l->notes[i].value, &write.value);
	return count < 2;
}

static bool is_skipped(const struct log_row *row, uint64_t number)
{
	for (size_t i = 0; i < row->verdict_count; i++)
		if (row->verdicts[i].number == number && log_verdict_is_skipped(&row->verdicts[i]))
			return true;
	return false;
}

static void check_change(struct truth *t, const struct log_row *row, const struct change *c,
			 struct buf *logged)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct write *write = &c->writes[i];

		if (write->value.kind != VALUE_TEXT || bytes_is(write->name, "kind"))
			continue;
		const struct note *n = find_note(t->w->ledger, row->device, &c->id, write);
		struct logged entry = {row->device,
				       find_root(t, row->device),
				       c->id,
				       write->name,
				       write->value.bytes,
				       row->log,
				       row->kind == LOG_REPLAY ? row->first : c->number};

		if (n == NULL || n->is_gone)
			world_fail(t->w, "O4: log %llu of device %u has %.*s, which nobody saved",
				   (unsigned long long)row->log, row->device,
				   BYTES_FMT(write->value.bytes));
		buf_append(logged, &entry, sizeof entry);
	}
}

static bool is_copied(const struct truth *t, const struct logged *item)
{
	const struct write write = {item->field, value_text(item->text)};
	const struct note *n = find_note(t->w->ledger, item->device, &item->id, &write);

	return n != NULL && n->is_copied;
}

static bool is_doubled(const struct truth *t, const struct logged *a, const struct logged *b)
{
	if (a->device == b->device && a->number == b->number)
		return true;
	/* Of numbers that nobody has any more, what records still show is written again. */
	if (is_copied(t, b) || (a->device != b->device && t->w->has_rescued))
		return false;
	return is_written_once(t, b);
}

static void check_log(struct truth *t)
{
	AUTO(buf_clear) struct buf logged = {0};
	uint64_t last = 0;

	world_must(t->w, store_last_log(t->w->store, &last), "last log");
	for (uint64_t log = 1; log <= last; log++) {
		struct log_row row;
		struct fold_source source;

		world_must(t->w, store_load_log(t->w->store, &t->a, log, &row), "log");
		world_must(t->w, fold_open(&t->a, &row, &source), "open a log row");
		for (size_t i = 0; i < source.count; i++)
			if (!is_skipped(&row, source.changes[i].number))
				check_change(t, &row, &source.changes[i], &logged);
	}
	struct logged *items = (void *)logged.data;
	size_t count = logged.len / sizeof *items;

	if (count != 0)
		qsort(items, count, sizeof *items, compare_logged);
	for (size_t i = 1; i < count; i++)
		if (compare_logged(&items[i - 1], &items[i]) == 0 &&
		    is_doubled(t, &items[i - 1], &items[i]))
			world_fail(
				t->w,
				"O4: %.*s of device %u is in the log twice (%llu number %llu, %llu number %llu)",
				BYTES_FMT(items[i].text), items[i].device,
				(unsigned long long)items[i - 1].log,
				(unsigned long long)items[i - 1].number,
				(unsigned long long)items[i].log,
				(unsigned long long)items[i].number);
}

static const char *text_of(struct arena *a, struct bytes b)
{
	return (const char *)arena_printf(a, "%.*s", BYTES_FMT(b)).data;
}

/* A transfer came before its record, and what makes that is refused itself or lost
 * (docs/storage.md, before its record). */
static bool is_orphan_move(const struct truth *t, size_t index)
{
	return find(t, &t->quarantine[index].id) == NULL &&
	       !ledger_is_making(t->w->ledger, &t->refused[index]);
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
			    is_note_of(l, &l->notes[i], q->device, &q->id, &c->writes[k]))
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

/* Why a refused change may be refused. */
static void check_refusal(struct truth *t, size_t index)
{
	static const char *const good[] = {"out_of_scope", "out_of_range", "not_cleared",
					   "no_such_unit"};
	const struct quarantine_row *q = &t->quarantine[index];
	const char *reason = text_of(&t->a, q->reason);
	bool is_orphan = bytes_is(q->reason, "missing") && find(t, &q->id) == NULL;

	/* It came before its record. */
	if (bytes_is(q->reason, "missing") && !is_orphan)
		reason = hindered_by(t, q);
	if (reason == NULL)
		world_fail(t->w,
			   "number %llu of device %u (%.*s %.*s) waits, and nothing hinders it",
			   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
			   BYTES_FMT(show_id(&t->a, &q->id)));
	if (strcmp(reason, "out_of_scope") == 0 && !t->w->has_lost_rights && had_right(t, index) &&
	    !is_orphan_move(t, index))
		world_fail(t->w, "O7: number %llu of device %u (%.*s %.*s) was refused for scope",
			   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
			   BYTES_FMT(show_id(&t->a, &q->id)));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		is_orphan = is_orphan || strcmp(reason, good[i]) == 0;
	if (!is_orphan)
		world_fail(t->w, "number %llu of device %u (%.*s %.*s) is refused: %s",
			   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
			   BYTES_FMT(show_id(&t->a, &q->id)), reason);
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
			find_note(w->ledger, q->device, &q->id, &t->refused[index].writes[i]);

		if (n == NULL || n->is_off_disk)
			return;
	}
	world_fail(w, "O10: number %llu of device %u (%.*s %.*s) was sent again and is still open",
		   (unsigned long long)q->number, q->device, BYTES_FMT(q->type),
		   BYTES_FMT(show_id(&t->a, &q->id)));
}

static void check_refusals(struct truth *t)
{
	for (size_t i = 0; i < t->quarantine_count; i++)
		if (is_open(&t->quarantine[i]) && t->quarantine[i].log == 0)
			check_forked(t, i);
		else if (is_open(&t->quarantine[i]) &&
			 !homes_is_torn(t->w, t->quarantine[i].device))
			check_refusal(t, i);
}

/* ---- O5, O6, O8 ---- */

static void check_store(struct truth *t)
{
	struct verify_report report;
	struct world *w = t->w;

	world_must(w, verify_run(&w->ctx, w->reader, w->folder, &t->a, &report), "verify");
	if (report.found != 0)
		world_fail(w, "O5: %s %.*s %.*s: %.*s", report.differences[0].invariant,
			   BYTES_FMT(report.differences[0].table),
			   BYTES_FMT(report.differences[0].key),
			   BYTES_FMT(report.differences[0].text));
}

static void on_problem(void *arg, const char *invariant, const char *text)
{
	struct client *c = arg;

	world_fail(c->world, "O6: client %u: %s %s", c->index, invariant, text);
}

static void check_vault(struct truth *t, struct client *c)
{
	const struct vault_state *state = vault_state(c->vault);
	struct store_device device;
	struct vault_counts counts;

	world_must(t->w, vault_check_file(c->vault, on_problem, c), "check a file");
	world_must(t->w, vault_check(c->vault, on_problem, c), "check a vault");
	world_must(t->w, vault_count(c->vault, &counts), "count");
	world_must(t->w, store_load_device(t->w->store, &t->a, c->device, &device), "device");
	if (counts.drafts + counts.waiting != 0 || state->acked != state->number ||
	    device.last_number != (uint64_t)state->number)
		world_fail(t->w, "O6: client %u: %lld drafts, %lld wait, %lld of %lld; daemon %llu",
			   c->index, (long long)counts.drafts, (long long)counts.waiting,
			   (long long)state->acked, (long long)state->number,
			   (unsigned long long)device.last_number);
}

void oracle_check_contact(struct client *c)
{
	struct world *w = c->world;
	AUTO(arena_clear) struct arena a = {0};
	const struct vault_state *state = vault_state(c->vault);
	struct store_device device;

	if (c->is_torn)
		return;
	/* Restored from a backup, and the client has not heard of it yet. */
	if (id_compare(&state->epoch, &w->ctx.epoch) != 0)
		return;
	world_must(w, store_load_device(w->store, &a, c->device, &device), "device");
	if ((uint64_t)state->acked > device.last_number)
		world_fail(w, "O8: client %u has a receipt for %lld, the daemon has %llu", c->index,
			   (long long)state->acked, (unsigned long long)device.last_number);
	if ((uint64_t)state->acked == device.last_number &&
	    memcmp(state->acked_chain.bytes, device.chain.bytes, HASH_LEN) != 0)
		world_fail(w, "O8: client %u has a receipt for another chain", c->index);
}

struct oracle_counts oracle_check_end(struct world *w)
{
	struct truth t;

	load_truth(&t, w);
	check_store(&t);
	for (unsigned i = 0; i < w->client_count; i++) {
		if (w->clients[i].is_torn)
			continue;
		check_vault(&t, &w->clients[i]);
		check_replica(&t, &w->clients[i]);
		check_inbox(&t, &w->clients[i]);
	}
	check_nothing_lost(&t);
	check_log(&t);
	check_refusals(&t);
	struct oracle_counts counts = {w->ledger->count, t.count, t.conflict_count,
				       t.quarantine_count};

	arena_clear(&t.a);
	return counts;
}
