#include "client/sync_back.h"

#include "proto/changeset.h"

/* One change the office has lost is waiting again; a refused one is asked anew. */
static enum err wait_for(struct sync *s, struct arena *a, const struct change *c)
{
	struct vault_record record;
	struct vault_change *pending = NULL;
	size_t count = 0;
	enum err e = vault_record_load(s->vault, a, &c->id, &record);

	/* Evicted meanwhile: the office gets it again, this device no longer shows it. */
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = vault_changes_of(s->vault, a, &c->id, &pending, &count);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		if (pending[i].number == (int64_t)c->number)
			return vault_change_refuse(s->vault, pending[i].seq, false);
	if (e == ERR_OK)
		e = vault_change_add(s->vault, c, false);
	record.is_same = false;
	return e == ERR_OK ? vault_record_put(s->vault, &record) : e;
}

static enum err wait_again(struct sync *s, struct arena *a, const struct vault_set *set,
			   int64_t acked)
{
	struct changeset_opened opened;
	enum err e = ERR_OK;

	if (changeset_open(a, set->wire, NULL, &opened) != ERR_OK)
		return err_raise(ERR_CORRUPT, "a change-set of the outbox cannot be read");
	/* Beyond the old receipt they are waiting as it is. */
	for (size_t i = 0; i < opened.set.count && e == ERR_OK; i++)
		if ((int64_t)opened.set.changes[i].number <= acked && !opened.set.changes[i].is_cut)
			e = wait_for(s, a, &opened.set.changes[i]);
	return e;
}

enum err sync_go_back(struct sync *s, int64_t number, struct vault_state *state,
		      struct sync_report *report)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_sets sets = {0};
	struct hash head;
	int64_t acked = state->acked;

	if (number >= acked)
		return ERR_OK;
	enum err e = vault_chain_at(s->vault, number, &head);

	if (e == ERR_NOTFOUND) {
		report->missing = acked - number;
		return e;
	}
	if (e == ERR_OK)
		e = vault_outbox_load(s->vault, &a, number, SIZE_MAX, SIZE_MAX, &sets);
	if (e == ERR_OK && (sets.count == 0 || sets.items[0].first != number + 1)) {
		report->missing = (sets.count == 0 ? acked : sets.items[0].first - 1) - number;
		return err_raise(ERR_NOTFOUND, "numbers after %lld are no longer kept",
				 (long long)number);
	}
	for (size_t i = 0; i < sets.count && e == ERR_OK; i++)
		e = wait_again(s, &a, &sets.items[i], acked);
	if (e != ERR_OK)
		return e;
	state->acked = number;
	state->acked_chain = head;
	if (state->backed_up > number)
		state->backed_up = number;
	return ERR_OK;
}
