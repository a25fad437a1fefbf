#include "common/model/merge.h"

#include <stdlib.h>

#include "common/base/check.h"

/* One call of merge_change(): what it was given and what it has found so far. */
struct merging {
	struct arena *a;
	enum merge_kind kind;
	const struct change *change;
	struct stamp stamp;
	uint64_t log;
	const struct field *deleted_before; /* the deletion in force before; NULL: none */
	bool has_standing;                  /* some write of the change is in the new state */
	bool has_unseen;                    /* a present write that stays and could not be seen */
	struct merge_result result;
};

/*
 * Which of two writes of one field stays: positive `a`, negative `b`, 0 when they
 * are one write. A total order of (stamp, value), so folding with it gives the same
 * result in any order.
 */
static int prefer(enum merge_kind kind, const struct field *a, const struct field *b)
{
	int order = stamp_compare(&a->stamp, &b->stamp);

	if (order == 0)
		return value_compare(&a->value, &b->value);
	if (kind == MERGE_EVENT && !record_is_system_field(a->name))
		return -order;
	return order;
}

static bool is_of_another(const struct merging *m, const struct field *present)
{
	return present->stamp.device != m->stamp.device || m->change->is_foreign;
}

/* The author of the change could not know of the write (M2). */
static bool is_unseen(const struct merging *m, const struct field *present)
{
	return present->log > m->change->base && is_of_another(m, present);
}

/* See "When the loser is told" in the header; for fields that decide as registers. */
static bool is_told(const struct merging *m, const struct field *present, bool is_incoming_lost)
{
	if (is_incoming_lost)
		return is_of_another(m, present);
	return is_unseen(m, present);
}

static bool is_deletion(const struct field *f)
{
	return f->value.kind != VALUE_NULL && bytes_is(f->name, RECORD_DELETED);
}

static void add_conflict(struct merging *m, const struct field *incoming,
			 const struct field *present, bool is_incoming_lost)
{
	struct merge_conflict *c = &m->result.conflicts[m->result.conflict_count++];

	*c = (struct merge_conflict){.field = present->name, .is_incoming_lost = is_incoming_lost};
	if (is_incoming_lost) {
		c->kept = *present;
		c->lost = *incoming;
		c->lost_author = m->change->author;
	} else {
		c->kept = *incoming;
		c->lost = *present;
		c->kept_author = m->change->author;
	}
}

/* Room for `count` conflicts more; only changes that have one pay for it. */
static void reserve_conflicts(struct merging *m, size_t count)
{
	struct merge_conflict *old = m->result.conflicts;

	m->result.conflicts =
		arena_alloc_array(m->a, m->result.conflict_count + count, sizeof *old);
	if (old != NULL)
		memcpy(m->result.conflicts, old, m->result.conflict_count * sizeof *old);
}

static void append(struct merging *m, const struct field *f)
{
	m->result.after.fields[m->result.after.count++] = *f;
}

static struct field incoming_field(const struct merging *m, const struct write *w)
{
	return (struct field){w->name, w->value, m->stamp, m->log};
}

/* A field the change does not write. */
static void keep(struct merging *m, const struct field *present)
{
	append(m, present);
	if (!is_unseen(m, present) || is_deletion(present))
		return;
	m->has_unseen = true;
	if (bytes_is(present->name, RECORD_UNIT))
		m->result.is_landed = true;
}

/* A field the record did not have. */
static void add(struct merging *m, const struct write *w)
{
	struct field incoming = incoming_field(m, w);

	append(m, &incoming);
	m->has_standing = true;
	m->result.is_changed = true;
}

/* The values differ: is the loser told? */
static bool has_conflict(const struct merging *m, const struct field *incoming,
			 const struct field *present, bool is_incoming_lost)
{
	if (stamp_compare(&incoming->stamp, &present->stamp) == 0)
		return true;
	if (m->kind == MERGE_EVENT && !record_is_system_field(present->name))
		return true;
	return is_told(m, present, is_incoming_lost);
}

static void note_move(struct merging *m, const struct field *present, bool is_incoming_lost)
{
	if (!bytes_is(present->name, RECORD_UNIT))
		return;
	if (is_incoming_lost) {
		m->result.is_landed = is_unseen(m, present);
	} else if (present->value.kind == VALUE_INT) {
		m->result.is_moved = true;
		m->result.from_unit = present->value.integer;
	}
}

/* A field both have. */
static void settle(struct merging *m, const struct field *present, const struct write *w)
{
	struct field incoming = incoming_field(m, w);
	int order = prefer(m->kind, &incoming, present);
	bool is_incoming_lost = order < 0;

	/* The same write again: also its log number stays, or it would look new to others. */
	if (order == 0) {
		append(m, present);
		return;
	}
	append(m, is_incoming_lost ? present : &incoming);
	if (!is_incoming_lost) {
		m->has_standing = true;
		m->result.is_changed = true;
	}
	if (value_equal(&incoming.value, &present->value))
		return;
	note_move(m, present, is_incoming_lost);
	if (!has_conflict(m, &incoming, present, is_incoming_lost))
		return;
	if (m->result.conflicts == NULL)
		reserve_conflicts(m, m->change->count);
	add_conflict(m, &incoming, present, is_incoming_lost);
}

/* One walk over both lists: they are sorted by name. */
static void join(struct merging *m, const struct record *before)
{
	const struct change *c = m->change;
	size_t i = 0;
	size_t j = 0;

	while (i < before->count && j < c->count) {
		int order = bytes_compare(before->fields[i].name, c->writes[j].name);

		if (order < 0)
			keep(m, &before->fields[i++]);
		else if (order > 0)
			add(m, &c->writes[j++]);
		else
			settle(m, &before->fields[i++], &c->writes[j++]);
	}
	while (i < before->count)
		keep(m, &before->fields[i++]);
	while (j < c->count)
		add(m, &c->writes[j++]);
}

static int compare_by_stamp(const void *a, const void *b)
{
	const struct field *const *first = a;
	const struct field *const *second = b;

	return stamp_compare(&(*first)->stamp, &(*second)->stamp);
}

/* An edit as a write of `deleted`: it wants the record to be there. */
static struct field edit_side(struct bytes name, struct stamp stamp, uint64_t log)
{
	return (struct field){name, VALUE_NONE, stamp, log};
}

/* The edit is told against a deletion of this change (M4). */
static bool is_edit_told(const struct merging *m, const struct field *edit)
{
	if (stamp_compare(&edit->stamp, &m->stamp) == 0)
		return false;
	/* That change was a deletion itself: both wanted the same. */
	if (m->deleted_before != NULL &&
	    stamp_compare(&edit->stamp, &m->deleted_before->stamp) == 0)
		return false;
	return is_told(m, edit, stamp_compare(&m->stamp, &edit->stamp) < 0);
}

/* This change deletes: against every change whose writes stand, once each. */
static void deletion_meets_edits(struct merging *m, const struct field *deletion)
{
	const struct record *after = &m->result.after;
	const struct field **edits = arena_alloc_array(m->a, after->count, sizeof(void *));
	size_t count = 0;

	for (size_t i = 0; i < after->count; i++)
		if (is_edit_told(m, &after->fields[i]))
			edits[count++] = &after->fields[i];
	if (count == 0)
		return;
	qsort(edits, count, sizeof(void *), compare_by_stamp);
	reserve_conflicts(m, count);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && compare_by_stamp(&edits[i - 1], &edits[i]) == 0)
			continue;
		struct field edit = edit_side(deletion->name, edits[i]->stamp, edits[i]->log);

		add_conflict(m, deletion, &edit, stamp_compare(&m->stamp, &edit.stamp) < 0);
	}
}

/* This change edits: against the deletion that stands. */
static void edit_meets_deletion(struct merging *m, const struct field *deletion)
{
	struct field edit = edit_side(deletion->name, m->stamp, m->log);
	bool is_edit_lost = stamp_compare(&m->stamp, &deletion->stamp) < 0;

	if (!is_told(m, deletion, is_edit_lost))
		return;
	reserve_conflicts(m, 1);
	add_conflict(m, &edit, deletion, is_edit_lost);
}

static void settle_deletion(struct merging *m)
{
	const struct field *deleted = record_find(&m->result.after, BYTES_LIT(RECORD_DELETED));

	if (deleted == NULL || !is_deletion(deleted))
		return;
	if (stamp_compare(&deleted->stamp, &m->stamp) == 0) {
		/* What stands concurrently is told against the deletion, not as parallel. */
		m->has_unseen = false;
		deletion_meets_edits(m, deleted);
	} else if (change_find(m->change, deleted->name) == NULL) {
		edit_meets_deletion(m, deleted);
	}
}

static bool is_sorted(const struct change *c)
{
	for (size_t i = 1; i < c->count; i++)
		if (bytes_compare(c->writes[i - 1].name, c->writes[i].name) >= 0)
			return false;
	return true;
}

struct merge_result merge_change(struct arena *a, enum merge_kind kind, const struct record *before,
				 const struct change *change, struct stamp stamp, uint64_t log)
{
	const struct record none = {.type = change->type, .id = change->id};
	struct merging m = {.a = a, .kind = kind, .change = change, .stamp = stamp, .log = log};
	struct merge_result *result = &m.result;

	REQUIRE(is_sorted(change));
	result->is_new = before == NULL;
	if (before == NULL)
		before = &none;
	REQUIRE(id_compare(&before->id, &change->id) == 0);
	REQUIRE(bytes_equal(before->type, change->type));

	m.deleted_before = record_find(before, BYTES_LIT(RECORD_DELETED));
	if (m.deleted_before != NULL && !is_deletion(m.deleted_before))
		m.deleted_before = NULL;
	result->after = (struct record){.type = before->type, .id = before->id};
	result->after.fields =
		arena_alloc_array(a, before->count + change->count, sizeof(struct field));
	join(&m, before);
	if (m.has_standing)
		settle_deletion(&m);

	result->is_parallel = m.has_standing && m.has_unseen;
	if (!result->is_changed)
		result->after = *before;
	return m.result;
}

static struct field joined_field(enum merge_kind kind, const struct field *mine,
				 const struct field *theirs)
{
	int order = prefer(kind, mine, theirs);
	struct field winner = order < 0 ? *theirs : *mine;

	if (order == 0 && theirs->log > winner.log)
		winner.log = theirs->log;
	return winner;
}

struct record merge_states(struct arena *a, enum merge_kind kind, const struct record *mine,
			   const struct record *theirs)
{
	struct record joined = {.type = mine->type, .id = mine->id};
	size_t i = 0;
	size_t j = 0;

	REQUIRE(id_compare(&mine->id, &theirs->id) == 0);
	REQUIRE(bytes_equal(mine->type, theirs->type));
	joined.fields = arena_alloc_array(a, mine->count + theirs->count, sizeof(struct field));
	while (i < mine->count && j < theirs->count) {
		int order = bytes_compare(mine->fields[i].name, theirs->fields[j].name);
		struct field *next = &joined.fields[joined.count++];

		if (order < 0)
			*next = mine->fields[i++];
		else if (order > 0)
			*next = theirs->fields[j++];
		else
			*next = joined_field(kind, &mine->fields[i++], &theirs->fields[j++]);
	}
	while (i < mine->count)
		joined.fields[joined.count++] = mine->fields[i++];
	while (j < theirs->count)
		joined.fields[joined.count++] = theirs->fields[j++];
	return joined;
}
