/* O1 and O6: what each client holds. */
#include "client/stray.h"
#include "daemon/units.h"
#include "tests/sim/oracle_private.h"
#include "tests/sim/tell.h"

/* ---- O1 ---- */

struct replica {
	struct truth *t;
	struct client *c;
	const int64_t *scope;
	size_t scope_count;
	size_t count; /* records of it that the daemon has for this client */
};

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
 * Who made it has it on a disk that is set aside, or had it on one that is no more. What he edited
 * before it was sent took the place of what he wrote first: any value of his tells.
 */
static bool is_with_maker(const struct replica *r, const struct id *id)
{
	const struct ledger *l = r->t->w->ledger;
	const struct note *making = ledger_making(l, id);

	for (const struct note *n = making; n != NULL && n < l->notes + l->count; n++)
		if (n->client == making->client && !n->is_gone && id_compare(&n->id, id) == 0 &&
		    (n->is_disk_lost || truth_is_stuck(r->t, n)))
			return true;
	return false;
}

/*
 * The office lost it in a restore, and what made it is not there again: refused (a newer schema),
 * in a home that is set aside, or lost with its disk. It may be the last copy whole, and its
 * people were told so: it is kept until its maker sends it again (docs/client-store.md, strays).
 */
static bool is_told_stray(const struct replica *r, const struct vault_record *v)
{
	const struct id *id = &v->body.id;
	struct vault_notice *notices = NULL;
	size_t count = 0;

	if (v->generation == vault_state(r->c->vault)->generation)
		return false;
	if (!is_refused(r->t, id) && !is_with_maker(r, id))
		return false;
	world_must(r->t->w, vault_notices(r->c->vault, &r->t->a, true, &notices, &count), "inbox");
	for (size_t i = 0; i < count; i++)
		if (bytes_is(notices[i].kind, STRAY_KIND) && id_compare(&notices[i].id, id) == 0)
			return true;
	return false;
}

/* Its unit is of the scope on the true day; the daemon's clock fell back to before that day, and
 * takes from nobody what he has. */
static bool is_of_true_scope(const struct replica *r, const struct record *record)
{
	struct world *w = r->t->w;
	int64_t *scope = NULL;
	size_t count = 0;

	if (!w->is_list_ahead)
		return false;
	world_must(w,
		   units_load_scope(w->store, &r->t->a, r->c->device, units_day_of(w->now_ms),
				    &scope, &count),
		   "scope of the true day");
	return units_scope_has(scope, count, record_unit(record));
}

/* What the daemon does not have for it may be there all the same. */
static bool may_have(const struct replica *r, const struct vault_record *v,
		     const struct record *truth)
{
	if (is_held_back(v))
		return true;
	return truth == NULL ? is_told_stray(r, v) : is_of_true_scope(r, truth);
}

static enum err check_record(void *arg, const struct vault_record *v)
{
	struct replica *r = arg;
	struct world *w = r->t->w;
	const struct record *truth = truth_find(r->t, &v->body.id);
	char hex[ID_HEX_LEN];

	id_print(&v->body.id, hex);
	if (truth == NULL || !is_owed(r, truth)) {
		if (!may_have(r, v, truth))
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

void oracle_check_replica(struct truth *t, struct client *c)
{
	struct world *w = t->w;
	struct replica r = {.t = t, .c = c};
	int64_t *scope = NULL;
	size_t owed = 0;

	world_must(w,
		   units_load_scope_now(w->store, &t->a, c->device, w->clock.wall, &scope,
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

/* ---- O6 ---- */

static void on_problem(void *arg, const char *invariant, const char *text)
{
	struct client *c = arg;

	world_fail(c->world, "O6: client %u: %s %s", c->index, invariant, text);
}

void oracle_check_vault(struct truth *t, struct client *c)
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
