#include "tests/sim/ledger.h"

#include "common/base/mem.h"
#include "daemon/fold.h"
#include "tests/sim/homes.h"

struct ledger *ledger_new(struct world *w)
{
	struct ledger *l = mem_alloc_zero(sizeof *l);

	l->world = w;
	return l;
}

void ledger_free(struct ledger *l)
{
	mem_free(l->notes);
	mem_free(l->records);
	mem_free(l);
}

uint64_t ledger_next(struct ledger *l)
{
	return ++l->next;
}

bool ledger_pick(const struct ledger *l, struct rand *rand, struct bytes *ret_type,
		 struct id *ret_id)
{
	if (l->record_count == 0)
		return false;
	size_t recent = l->record_count < 3 ? l->record_count : 3;
	size_t at = rand_below(rand, 3) == 0 ? rand_below(rand, l->record_count)
					     : l->record_count - 1 - rand_below(rand, recent);

	*ret_type = l->records[at].type;
	*ret_id = l->records[at].id;
	return true;
}

static struct value copy_value(struct arena *a, struct value v)
{
	if (v.kind == VALUE_TEXT || v.kind == VALUE_BYTES)
		v.bytes = arena_copy(a, v.bytes);
	return v;
}

static void note_record(struct ledger *l, struct bytes type, const struct id *id)
{
	if (l->record_count == l->record_cap) {
		l->record_cap = l->record_cap * 2 + 64;
		l->records = mem_realloc(l->records, l->record_cap * sizeof *l->records);
	}
	l->records[l->record_count++] = (struct known){.type = type, .id = *id};
}

static bool is_erased(const struct ledger *l, const struct id *id)
{
	for (size_t i = 0; i < l->record_count; i++)
		if (l->records[i].is_erased && id_compare(&l->records[i].id, id) == 0)
			return true;
	return false;
}

void ledger_note_erased(struct ledger *l, const struct id *id)
{
	for (size_t i = 0; i < l->record_count; i++)
		if (id_compare(&l->records[i].id, id) == 0)
			l->records[i].is_erased = true;
	for (size_t i = 0; i < l->count; i++)
		if (id_compare(&l->notes[i].id, id) == 0)
			l->notes[i].is_erased = true;
}

void ledger_note(struct ledger *l, const struct ledger_entry *entry)
{
	const struct change *c = entry->change;
	struct arena *a = &l->world->arena;
	struct bytes type = arena_copy(a, c->type);

	if (entry->before == NULL && !entry->is_gone)
		note_record(l, type, &c->id);
	for (size_t i = 0; i < c->count; i++) {
		const struct field *f = entry->before != NULL
						? record_find(entry->before, c->writes[i].name)
						: NULL;
		struct value seen = f != NULL ? f->value : VALUE_NONE;

		/* A deletion may be said again that a later write had taken back. */
		if (value_equal(&seen, &c->writes[i].value) &&
		    !bytes_is(c->writes[i].name, RECORD_DELETED))
			continue;
		if (l->count == l->cap) {
			l->cap = l->cap * 2 + 256;
			l->notes = mem_realloc(l->notes, l->cap * sizeof *l->notes);
		}
		l->notes[l->count++] = (struct note){
			.client = entry->client,
			.step = l->world->step,
			.type = type,
			.id = c->id,
			.field = arena_copy(a, c->writes[i].name),
			.value = copy_value(a, c->writes[i].value),
			.seen = copy_value(a, seen),
			.is_in_scope = entry->is_in_scope,
			.is_gone = entry->is_gone,
			.is_erased = is_erased(l, &c->id),
		};
	}
}

static bool is_written_by(const struct change *c, const struct note *n)
{
	const struct write *write = change_find(c, n->field);

	return id_compare(&c->id, &n->id) == 0 && write != NULL &&
	       value_equal(&write->value, &n->value);
}

/* ---- what is where ---- */

static bool is_in_set(struct arena *a, struct bytes wire, const struct note *n)
{
	struct changeset_opened opened;

	if (changeset_open(a, wire, NULL, &opened) != ERR_OK)
		return false;
	for (size_t i = 0; i < opened.set.count; i++)
		if (is_written_by(&opened.set.changes[i], n))
			return true;
	return false;
}

/* Of identities before this one, until a backup holds what came after them. */
static bool is_in_former(struct arena *a, struct client *c, const struct note *n)
{
	struct vault_former *formers = NULL;
	struct bytes wire;
	size_t count = 0;

	world_must(c->world, vault_formers_load(c->vault, a, &formers, &count), "formers");
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < formers[i].kept_count; k++)
			if (vault_former_kept(c->vault, a, formers[i].device, formers[i].kept[k],
					      &wire) == ERR_OK &&
			    is_in_set(a, wire, n))
				return true;
	return false;
}

bool ledger_is_kept(struct arena *a, struct client *c, const struct note *n)
{
	struct vault_change *changes = NULL;
	struct vault_sets sets = {0};
	size_t count = 0;

	world_must(c->world, vault_changes_of(c->vault, a, &n->id, &changes, &count), "changes");
	for (size_t i = 0; i < count; i++)
		if (is_written_by(&changes[i].change, n))
			return true;
	world_must(c->world, vault_outbox_load(c->vault, a, 0, SIZE_MAX, SIZE_MAX, &sets),
		   "outbox");
	for (size_t i = 0; i < sets.count; i++)
		if (is_in_set(a, sets.items[i].wire, n))
			return true;
	return is_in_former(a, c, n);
}

static bool is_in_log(struct world *w, struct arena *a, const struct note *n)
{
	uint64_t last = 0;

	world_must(w, store_last_log(w->store, &last), "last log");
	for (uint64_t log = 1; log <= last; log++) {
		struct fold_source source;
		struct log_row row;

		world_must(w, store_load_log(w->store, a, log, &row), "log");
		if (!homes_wrote(w, n->client, row.device))
			continue;
		world_must(w, fold_open(a, &row, &source), "open a log row");
		for (size_t i = 0; i < source.count; i++)
			if (is_written_by(&source.changes[i], n))
				return true;
	}
	return false;
}

static void check_lost(struct ledger *l, struct note *n)
{
	AUTO(arena_clear) struct arena a = {0};

	n->is_disk_lost = n->is_off_disk && !is_in_log(l->world, &a, n);
}

void ledger_note_put_back(struct ledger *l, struct client *c)
{
	for (size_t i = 0; i < l->count; i++) {
		AUTO(arena_clear) struct arena a = {0};
		struct note *n = &l->notes[i];

		if (n->client != c->index || n->is_gone)
			continue;
		n->is_off_disk = n->is_off_disk || !ledger_is_kept(&a, c, n);
		check_lost(l, n);
	}
}

void ledger_note_restored(struct ledger *l, size_t from)
{
	for (size_t i = 0; i < l->count; i++) {
		struct note *n = &l->notes[i];

		if (n->client == WORLD_OFFICE)
			n->is_disk_lost = n->is_disk_lost || i >= from;
		else if (n->is_off_disk)
			check_lost(l, n);
	}
}

/* ---- what made a record ---- */

const struct note *ledger_making(const struct ledger *l, const struct id *id)
{
	for (size_t i = 0; i < l->count; i++)
		if (id_compare(&l->notes[i].id, id) == 0 && !l->notes[i].is_gone)
			return &l->notes[i];
	return NULL;
}

bool ledger_is_making(const struct ledger *l, const struct change *c)
{
	const struct note *first = ledger_making(l, &c->id);

	for (const struct note *n = first; n != NULL && n < l->notes + l->count; n++)
		if (id_compare(&n->id, &c->id) == 0 && n->step == first->step &&
		    n->client == first->client && !is_written_by(c, n))
			return false;
	return first != NULL;
}

static void mark_copied(struct ledger *l, const struct change *c)
{
	for (size_t i = 0; i < l->count; i++) {
		struct note *n = &l->notes[i];
		const struct write *write =
			id_compare(&c->id, &n->id) == 0 ? change_find(c, n->field) : NULL;

		n->is_copied =
			n->is_copied || (write != NULL && value_equal(&write->value, &n->value));
	}
}

void ledger_take_along(struct ledger *l, struct vault *v, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *changes = NULL;
	size_t count = 0;

	world_must(l->world, vault_changes_of(v, &a, id, &changes, &count), "changes");
	for (size_t i = 0; i < count; i++)
		if (changes[i].is_refused)
			mark_copied(l, &changes[i].change);
}

void ledger_copy_drafts(struct ledger *l, struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *drafts = NULL;
	size_t count = 0;

	world_must(c->world, vault_drafts(c->vault, &a, SIZE_MAX / 2, &drafts, &count), "drafts");
	for (size_t i = 0; i < count; i++)
		mark_copied(l, &drafts[i].change);
}
