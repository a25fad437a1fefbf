#include "tests/sim/ledger.h"

#include "common/base/mem.h"

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
	l->records[l->record_count++] = (struct known){type, *id};
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
		};
	}
}

bool ledger_is_unsent(struct arena *a, struct client *c, const struct note *n)
{
	struct vault_change *changes = NULL;
	size_t count = 0;

	world_must(c->world, vault_changes_of(c->vault, a, &n->id, &changes, &count), "changes");
	for (size_t i = 0; i < count; i++) {
		const struct write *write = change_find(&changes[i].change, n->field);

		if (write != NULL && value_equal(&write->value, &n->value))
			return true;
	}
	return false;
}

void ledger_lose_office(struct ledger *l, size_t from)
{
	for (size_t i = from; i < l->count; i++)
		if (l->notes[i].client == WORLD_OFFICE)
			l->notes[i].is_disk_lost = true;
}

void ledger_lose_unsent(struct ledger *l, struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};

	for (size_t i = 0; i < l->count; i++)
		if (l->notes[i].client == c->index && ledger_is_unsent(&a, c, &l->notes[i]))
			l->notes[i].is_disk_lost = true;
}

void ledger_copy_drafts(struct ledger *l, struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *drafts = NULL;
	size_t count = 0;

	world_must(c->world, vault_drafts(c->vault, &a, SIZE_MAX / 2, &drafts, &count), "drafts");
	for (size_t i = 0; i < l->count; i++) {
		struct note *n = &l->notes[i];

		for (size_t k = 0; k < count && !n->is_copied; k++) {
			const struct change *d = &drafts[k].change;
			const struct write *write = change_find(d, n->field);

			n->is_copied = id_compare(&d->id, &n->id) == 0 && write != NULL &&
				       value_equal(&write->value, &n->value);
		}
	}
}
