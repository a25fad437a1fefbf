#include "tests/sim/merge_oracle.h"

/* What one call of oracle_answer() looks at. */
struct asked {
	const struct history *h;
	const struct arrival *a;
	int place;
	int record;
	int incoming;           /* the change that arrives */
	int before[SIM_FIELDS]; /* whose write stands without it, and with it; -1: none */
	int after[SIM_FIELDS];
};

bool oracle_is_register(const struct history *h, int record, int field)
{
	return h->kinds[record] == MERGE_REGISTER || sim_is_system(field);
}

static const struct stamp *stamp_of(const struct history *h, int change)
{
	return &h->changes[change].stamp;
}

static bool is_later(const struct history *h, int a, int b)
{
	const struct stamp *x = stamp_of(h, a);
	const struct stamp *y = stamp_of(h, b);

	return x->clock > y->clock || (x->clock == y->clock && x->device > y->device);
}

/* Of two different writes of one field, `a` is the one that stays. */
static bool beats(const struct history *h, int field, int a, int b)
{
	return oracle_is_register(h, h->changes[a].record, field) ? is_later(h, a, b)
								  : is_later(h, b, a);
}

static bool writes(const struct history *h, int change, int field)
{
	return h->changes[change].values[field] != SIM_ABSENT;
}

static bool deletes(const struct history *h, int change)
{
	return h->changes[change].values[SIM_DELETED] > 0;
}

int oracle_standing(const struct history *h, const struct arrival *a, int places, int record,
		    int field)
{
	int standing = -1;

	for (int place = 0; place < places; place++) {
		int change = a->at[place];

		if (h->changes[change].record != record || !writes(h, change, field))
			continue;
		if (standing < 0 || beats(h, field, change, standing))
			standing = change;
	}
	return standing;
}

static bool is_foreign(const struct asked *q, int change)
{
	return q->h->changes[change].device != q->h->changes[q->incoming].device;
}

static bool is_unseen(const struct asked *q, int change)
{
	return is_foreign(q, change) && q->a->log[change] > q->h->changes[q->incoming].base;
}

/* Two register writes, or a deletion and an edit, of the incoming change and another. */
static bool is_told(const struct asked *q, int other)
{
	return is_unseen(q, other) || (is_foreign(q, other) && is_later(q->h, other, q->incoming));
}

static void add_row(struct sim_answer *r, struct sim_row row)
{
	r->rows[r->row_count++] = row;
}

static void answer_same_field(const struct asked *q, int field, struct sim_answer *r)
{
	int present = q->before[field];
	const struct sim_change *changes = q->h->changes;

	if (present < 0 || changes[present].values[field] == changes[q->incoming].values[field])
		return;
	if (oracle_is_register(q->h, q->record, field) && !is_told(q, present))
		return;
	if (beats(q->h, field, q->incoming, present))
		add_row(r, (struct sim_row){.field = field, .kept = q->incoming, .lost = present});
	else
		add_row(r, (struct sim_row){.field = field, .kept = present, .lost = q->incoming});
}

static void add_deletion_row(const struct asked *q, int deletion, int edit, struct sim_answer *r)
{
	if (is_later(q->h, edit, deletion))
		add_row(r, (struct sim_row){SIM_DELETED, edit, deletion, .is_kept_edit = true});
	else
		add_row(r, (struct sim_row){SIM_DELETED, deletion, edit, .is_lost_edit = true});
}

/* Something of the change is in the state, `deleted` itself apart. */
static bool has_edit_standing(const struct asked *q, int change)
{
	for (int f = 0; f < SIM_FIELDS; f++)
		if (f != SIM_DELETED && q->after[f] == change)
			return true;
	return false;
}

static void answer_deletion(const struct asked *q, struct sim_answer *r)
{
	int deletion = q->after[SIM_DELETED];
	int previous = q->before[SIM_DELETED];

	if (deletion < 0 || !deletes(q->h, deletion))
		return;
	if (deletion != q->incoming) {
		if (!writes(q->h, q->incoming, SIM_DELETED) && has_edit_standing(q, q->incoming) &&
		    is_told(q, deletion))
			add_deletion_row(q, deletion, q->incoming, r);
		return;
	}
	for (int other = 0; other < q->h->count; other++) {
		bool has_deleted = other == previous && deletes(q->h, other);

		if (other != deletion && !has_deleted && has_edit_standing(q, other) &&
		    is_told(q, other))
			add_deletion_row(q, deletion, other, r);
	}
}

static void answer_unseen(const struct asked *q, struct sim_answer *r)
{
	bool has_standing = false;

	for (int f = 0; f < SIM_FIELDS; f++)
		has_standing |= q->after[f] == q->incoming;
	r->is_changed = has_standing;
	if (!has_standing || (deletes(q->h, q->incoming) && q->after[SIM_DELETED] == q->incoming))
		return;
	for (int f = 0; f < SIM_FIELDS; f++) {
		int present = q->before[f];

		if (present < 0 || writes(q->h, q->incoming, f) || !is_unseen(q, present))
			continue;
		r->is_parallel |= f != SIM_DELETED || !deletes(q->h, present);
	}
}

static void answer_unit(const struct asked *q, struct sim_answer *r)
{
	int was = q->before[SIM_UNIT];
	int is = q->after[SIM_UNIT];
	const struct sim_change *changes = q->h->changes;

	if (was < 0)
		return;
	if (was == is) {
		/* The same unit, written by both at once, is no move anybody missed. */
		bool is_agreed =
			changes[q->incoming].values[SIM_UNIT] == changes[was].values[SIM_UNIT];

		r->is_landed = is_unseen(q, was) && !is_agreed;
	} else if (changes[was].values[SIM_UNIT] != changes[is].values[SIM_UNIT]) {
		r->is_moved = true;
		r->from_unit = changes[was].values[SIM_UNIT];
	}
}

void oracle_answer(const struct history *h, const struct arrival *a, int place,
		   struct sim_answer *ret_answer)
{
	struct asked q = {.h = h, .a = a, .place = place, .incoming = a->at[place]};

	q.record = h->changes[q.incoming].record;
	*ret_answer = (struct sim_answer){.is_new = true};
	for (int earlier = 0; earlier < place; earlier++)
		if (h->changes[a->at[earlier]].record == q.record)
			ret_answer->is_new = false;
	for (int f = 0; f < SIM_FIELDS; f++) {
		q.before[f] = oracle_standing(h, a, place, q.record, f);
		q.after[f] = writes(h, q.incoming, f)
				     ? oracle_standing(h, a, place + 1, q.record, f)
				     : q.before[f];
	}
	for (int f = 0; f < SIM_FIELDS; f++)
		if (writes(h, q.incoming, f))
			answer_same_field(&q, f, ret_answer);
	answer_deletion(&q, ret_answer);
	answer_unseen(&q, ret_answer);
	answer_unit(&q, ret_answer);
}

void oracle_canonical(const struct history *h, int record, struct buf *out)
{
	struct field fields[SIM_FIELDS];
	struct record r = {.type = sim_type(), .id = sim_id(record), .fields = fields};
	struct arrival all;

	arrival_first(h, &all);
	for (int f = 0; f < SIM_FIELDS; f++) {
		int change = oracle_standing(h, &all, h->count, record, f);

		if (change >= 0)
			fields[r.count++] = (struct field){
				.name = sim_name(f),
				.value = sim_value(f, h->changes[change].values[f]),
				.stamp = *stamp_of(h, change),
			};
	}
	record_canonical(&r, out);
}
