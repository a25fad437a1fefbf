/*
 * sim_merge - property test of the merge: random pasts of a few devices, in random orders.
 *
 *   sim_merge [--seed N] [--schedules N] [--no-oracle] [--quiet]
 *
 * Schedule i is made from seed N + i alone, so `--seed S --schedules 1` repeats one. For each
 *
 *   1. changes arrive in two orders that agree about what everybody had seen; each answer of
 *      merge_change() is compared with the oracle's (not with --no-oracle: then the next
 *      point stands alone), repeats change nothing;
 *   2. from the told conflicts of either order follows rule M2, worked out from who had seen
 *      what: nothing is lost untold, and nobody is told about what its author had seen;
 *   3. replicas get the changes wholly mixed, repeated and in batches, and exchange states by
 *      merge_states(); all end with the oracle's canonical bytes.
 *
 * Exit 1 with seed and step when a property does not hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/merge_history.h"
#include "tests/sim/merge_oracle.h"

#define REPLICAS_MAX 4
#define TOLD_MAX     (SIM_CHANGES_MAX * SIM_ROWS_MAX)

struct replica {
	struct record records[SIM_RECORDS_MAX];
	bool has[SIM_RECORDS_MAX];
};

/* One schedule under test. */
struct run {
	struct history h;
	struct arena arena;
	struct rand rand; /* for everything after the history */
	bool is_causal;
	bool has_oracle;
	const char *phase;
	int step;
	struct write writes[SIM_CHANGES_MAX][SIM_FIELDS];
	struct change changes[SIM_CHANGES_MAX];
	struct buf wanted[SIM_RECORDS_MAX];
	struct buf scratch;
	struct sim_row told[TOLD_MAX]; /* all conflicts of one order of arrival */
	int told_count;
	int final[SIM_RECORDS_MAX][SIM_FIELDS]; /* whose write stands in the end; -1: none */
};

/* Over all schedules: that the interesting cases did occur. */
struct totals {
	uint64_t changes;
	uint64_t conflicts;
	uint64_t causal;
};

static void check(const struct run *r, bool holds, const char *property)
{
	if (holds)
		return;
	printf("FAILED seed=%llu step=%s:%d: %s\n", (unsigned long long)r->h.seed, r->phase,
	       r->step, property);
	exit(1);
}

static enum merge_kind kind_of(const struct run *r, int record)
{
	return r->h.kinds[record];
}

static struct merge_result apply(struct run *r, struct replica *to, int change, uint64_t log)
{
	const struct sim_change *c = &r->h.changes[change];
	const struct record *before = to->has[c->record] ? &to->records[c->record] : NULL;
	struct merge_result result = merge_change(&r->arena, kind_of(r, c->record), before,
						  &r->changes[change], c->stamp, log);

	to->records[c->record] = result.after;
	to->has[c->record] = true;
	return result;
}

static bool is_canonical(struct run *r, const struct record *record, struct bytes wanted)
{
	buf_reset(&r->scratch);
	record_canonical(record, &r->scratch);
	return bytes_equal(buf_bytes(&r->scratch), wanted);
}

static bool is_side(const struct run *r, const struct arrival *a, const struct field *side,
		    int field, int change)
{
	return stamp_compare(&side->stamp, &r->h.changes[change].stamp) == 0 &&
	       side->log == a->log[change] && bytes_equal(side->name, sim_name(field));
}

static bool has_value(const struct run *r, const struct field *side, int field, int change,
		      bool is_edit)
{
	struct value wanted =
		is_edit ? VALUE_NONE : sim_value(field, r->h.changes[change].values[field]);

	return value_equal(&side->value, &wanted);
}

static bool is_row(const struct run *r, const struct arrival *a, const struct merge_conflict *c,
		   const struct sim_row *row, int incoming)
{
	bool is_lost = row->lost == incoming;

	return bytes_equal(c->field, sim_name(row->field)) && c->is_incoming_lost == is_lost &&
	       is_side(r, a, &c->kept, row->field, row->kept) &&
	       is_side(r, a, &c->lost, row->field, row->lost) &&
	       has_value(r, &c->kept, row->field, row->kept, row->is_kept_edit) &&
	       has_value(r, &c->lost, row->field, row->lost, row->is_lost_edit) &&
	       bytes_is(c->lost_author, is_lost ? "author" : "") &&
	       bytes_is(c->kept_author, is_lost ? "" : "author");
}

/* The same number, and every wanted one is there. */
static void check_rows(const struct run *r, const struct arrival *a, const struct merge_result *got,
		       const struct sim_answer *want)
{
	check(r, got->conflict_count == (size_t)want->row_count, "number of conflicts");
	for (int i = 0; i < want->row_count; i++) {
		bool is_found = false;

		for (size_t k = 0; k < got->conflict_count && !is_found; k++)
			is_found = is_row(r, a, &got->conflicts[k], &want->rows[i], a->at[r->step]);
		check(r, is_found, "a conflict is missing or has wrong sides");
	}
}

static void check_answer(const struct run *r, const struct arrival *a,
			 const struct merge_result *got)
{
	struct sim_answer want;

	oracle_answer(&r->h, a, r->step, &want);
	check_rows(r, a, got, &want);
	check(r, got->is_new == want.is_new, "is_new");
	check(r, got->is_changed == want.is_changed, "is_changed");
	check(r, got->is_parallel == want.is_parallel, "is_parallel");
	check(r, got->is_landed == want.is_landed, "is_landed");
	check(r, got->is_moved == want.is_moved, "is_moved");
	check(r, got->from_unit == want.from_unit, "from_unit");
}

static int find_change(const struct run *r, const struct stamp *stamp)
{
	for (int i = 0; i < r->h.count; i++)
		if (stamp_compare(&r->h.changes[i].stamp, stamp) == 0)
			return i;
	check(r, false, "a conflict with a stamp nobody gave");
	return -1;
}

/* The side is not what the change wrote: it is an edit against a deletion. */
static bool is_edit(const struct run *r, int field, int change, const struct field *side)
{
	return field == SIM_DELETED && side->value.kind == VALUE_NULL &&
	       r->h.changes[change].values[field] != 0;
}

static void note_told(struct run *r, const struct merge_result *got)
{
	for (size_t i = 0; i < got->conflict_count; i++) {
		const struct merge_conflict *c = &got->conflicts[i];
		struct sim_row *row = &r->told[r->told_count++];

		*row = (struct sim_row){
			.kept = find_change(r, &c->kept.stamp),
			.lost = find_change(r, &c->lost.stamp),
		};
		while (!bytes_equal(sim_name(row->field), c->field))
			row->field++;
		row->is_kept_edit = is_edit(r, row->field, row->kept, &c->kept);
		row->is_lost_edit = is_edit(r, row->field, row->lost, &c->lost);
	}
}

/* A change that has arrived before changes nothing. */
static void repeat(struct run *r, struct replica *to, const struct arrival *a)
{
	int change = a->at[rand_below(&r->rand, (uint64_t)r->step + 1)];
	struct merge_result result = apply(r, to, change, (uint64_t)r->h.count + 1);

	check(r, !result.is_changed && !result.is_new && !result.is_moved,
	      "a repeated change changes something");
}

static void check_states(struct run *r, const struct replica *replica)
{
	for (int k = 0; k < r->h.record_count; k++)
		if (replica->has[k])
			check(r, is_canonical(r, &replica->records[k], buf_bytes(&r->wanted[k])),
			      "state differs from the fold");
}

/* The author of neither had seen the other, and they are two people's writes. */
static bool is_concurrent(const struct history *h, int a, int b)
{
	return h->changes[a].device != h->changes[b].device && !history_saw(h, a, b) &&
	       !history_saw(h, b, a);
}

/* Somebody replaced `change` in this field, or another with its value, having seen it. */
static bool is_replaced(const struct history *h, int change, int field, bool by_value)
{
	const struct sim_change *c = &h->changes[change];

	for (int p = 0; p < h->count; p++) {
		const struct sim_change *seen = &h->changes[p];

		if (p != change && !(by_value && seen->record == c->record &&
				     seen->values[field] == c->values[field]))
			continue;
		for (int q = 0; q < h->count; q++)
			if (q != p && h->changes[q].record == c->record &&
			    h->changes[q].values[field] != SIM_ABSENT && history_saw(h, q, p))
				return true;
	}
	return false;
}

/* The value of `change` is the lost side of some conflict about this field. */
static bool is_value_told(const struct run *r, int change, int field)
{
	const struct sim_change *c = &r->h.changes[change];

	for (int i = 0; i < r->told_count; i++) {
		const struct sim_change *lost = &r->h.changes[r->told[i].lost];

		if (r->told[i].field == field && !r->told[i].is_lost_edit &&
		    lost->record == c->record && lost->values[field] == c->values[field])
			return true;
	}
	return false;
}

/*
 * M2 and M3: whatever nobody replaced knowingly and is not the final value was told. As
 * this holds for every order of arrival, the set of such values depends on none.
 */
static void check_nothing_lost(const struct run *r, int change, int field)
{
	const struct history *h = &r->h;
	const struct sim_change *c = &h->changes[change];
	int final = r->final[c->record][field];

	if (h->changes[final].values[field] == c->values[field])
		return;
	/* One value may be written by several: then seeing either is seeing it. */
	bool by_value = !h->has_unique_values || c->values[field] == 0;

	if (oracle_is_register(h, c->record, field) && is_replaced(h, change, field, by_value))
		return;
	check(r, is_value_told(r, change, field), "a value was lost without a conflict");
}

static bool is_pair_told(const struct run *r, int kept, int lost)
{
	for (int i = 0; i < r->told_count; i++)
		if (r->told[i].field == SIM_DELETED && r->told[i].kept == kept &&
		    r->told[i].lost == lost)
			return true;
	return false;
}

/* M4: a deletion and an edit that both stand in the end, neither having seen the other. */
static void check_deletion(const struct run *r, int record, int field)
{
	const struct history *h = &r->h;
	int deletion = r->final[record][SIM_DELETED];
	int edit = r->final[record][field];

	if (deletion < 0 || edit < 0 || edit == deletion || field == SIM_DELETED)
		return;
	if (h->changes[deletion].values[SIM_DELETED] == 0 ||
	    h->changes[edit].values[SIM_DELETED] != SIM_ABSENT || !is_concurrent(h, deletion, edit))
		return;

	bool is_back = stamp_compare(&h->changes[edit].stamp, &h->changes[deletion].stamp) > 0;

	check(r, is_back ? is_pair_told(r, edit, deletion) : is_pair_told(r, deletion, edit),
	      "a deletion and an edit met without a conflict");
}

/* Only where stamps agree with what was seen: a bad repair of clocks is told as well. */
static void check_no_false_alarm(const struct run *r)
{
	for (int i = 0; i < r->told_count; i++) {
		const struct sim_row *row = &r->told[i];
		int record = r->h.changes[row->kept].record;

		if (oracle_is_register(&r->h, record, row->field))
			check(r, is_concurrent(&r->h, row->kept, row->lost),
			      "told about a value its author had seen");
	}
}

static void check_told(const struct run *r)
{
	for (int change = 0; change < r->h.count; change++)
		for (int f = 0; f < SIM_FIELDS; f++)
			if (r->h.changes[change].values[f] != SIM_ABSENT)
				check_nothing_lost(r, change, f);
	for (int record = 0; record < r->h.record_count; record++)
		for (int f = 0; f < SIM_FIELDS; f++)
			check_deletion(r, record, f);
	if (r->is_causal)
		check_no_false_alarm(r);
}

static void run_daemon(struct run *r, const char *phase, const struct arrival *a)
{
	struct replica daemon = {0};

	r->phase = phase;
	r->told_count = 0;
	for (r->step = 0; r->step < r->h.count; r->step++) {
		int change = a->at[r->step];
		struct merge_result result = apply(r, &daemon, change, a->log[change]);

		if (r->has_oracle)
			check_answer(r, a, &result);
		note_told(r, &result);
		if (rand_below(&r->rand, 4) == 0)
			repeat(r, &daemon, a);
	}
	check_states(r, &daemon);
	check_told(r);
}

static void exchange(struct run *r, struct replica *to, const struct replica *from)
{
	for (int k = 0; k < r->h.record_count; k++) {
		if (!from->has[k])
			continue;
		to->records[k] = to->has[k] ? merge_states(&r->arena, kind_of(r, k),
							   &to->records[k], &from->records[k])
					    : from->records[k];
		to->has[k] = true;
	}
}

/* One replica gets a few changes: one by one, or folded apart and joined as a state. */
static void deliver(struct run *r, struct replica *to, const struct arrival *a, int count)
{
	struct replica batch = {0};
	bool is_batch = rand_below(&r->rand, 2) == 0;

	for (int i = 0; i < count; i++)
		(void)apply(r, is_batch ? &batch : to, a->at[r->step + i],
			    rand_below(&r->rand, 30));
	exchange(r, to, &batch);
}

static void run_replicas(struct run *r)
{
	struct replica replicas[REPLICAS_MAX] = {0};
	uint64_t count = 2 + rand_below(&r->rand, REPLICAS_MAX - 1);
	struct arrival a;

	r->phase = "replicas";
	arrival_any(&r->h, &r->rand, &a);
	for (r->step = 0; r->step < r->h.count;) {
		uint64_t left = (uint64_t)(r->h.count - r->step);
		int piece = 1 + (int)rand_below(&r->rand, left < 4 ? left : 4);

		/* Some pieces reach two replicas, or one twice. */
		for (uint64_t n = 1 + rand_below(&r->rand, 2); n > 0; n--)
			deliver(r, &replicas[rand_below(&r->rand, count)], &a, piece);
		exchange(r, &replicas[rand_below(&r->rand, count)],
			 &replicas[rand_below(&r->rand, count)]);
		r->step += piece;
	}
	for (uint64_t i = 1; i < count; i++)
		exchange(r, &replicas[0], &replicas[i]);
	for (uint64_t i = 1; i < count; i++)
		exchange(r, &replicas[i], &replicas[0]);
	for (uint64_t i = 0; i < count; i++)
		check_states(r, &replicas[i]);
}

static void prepare(struct run *r, uint64_t seed)
{
	history_make(seed, &r->h);
	rand_seeded_init(&r->rand, ~seed);
	r->phase = "history";
	r->step = 0;
	r->is_causal = history_is_causal(&r->h);
	if (r->h.clocks != SIM_CLOCKS_WILD)
		check(r, r->is_causal, "a stamp is not above what its author had seen");
	struct arrival all;

	arrival_first(&r->h, &all);
	for (int k = 0; k < r->h.record_count; k++)
		for (int f = 0; f < SIM_FIELDS; f++)
			r->final[k][f] = oracle_standing(&r->h, &all, r->h.count, k, f);
	for (int i = 0; i < r->h.count; i++)
		r->changes[i] = sim_to_change(&r->h.changes[i], r->writes[i]);
	for (int k = 0; k < r->h.record_count; k++) {
		buf_reset(&r->wanted[k]);
		oracle_canonical(&r->h, k, &r->wanted[k]);
	}
}

static void run_schedule(struct run *r, uint64_t seed, struct totals *totals)
{
	struct arrival a;

	prepare(r, seed);
	arrival_first(&r->h, &a);
	run_daemon(r, "first", &a);
	totals->conflicts += (uint64_t)r->told_count;
	arrival_mixed(&r->h, &r->rand, &a);
	run_daemon(r, "mixed", &a);
	run_replicas(r);
	arena_clear(&r->arena);
	totals->changes += (uint64_t)r->h.count;
	totals->causal += r->is_causal;
}

static bool read_number(const char *text, uint64_t *ret_number)
{
	char *end;

	*ret_number = strtoull(text, &end, 10);
	return *text != '\0' && *end == '\0';
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	uint64_t schedules = 200000;
	bool is_quiet = false;
	bool has_oracle = true;
	bool is_usage_wrong = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quiet") == 0)
			is_quiet = true;
		else if (strcmp(argv[i], "--no-oracle") == 0)
			has_oracle = false;
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			is_usage_wrong |= !read_number(argv[++i], &seed);
		else if (i + 1 < argc && strcmp(argv[i], "--schedules") == 0)
			is_usage_wrong |= !read_number(argv[++i], &schedules);
		else
			is_usage_wrong = true;
	}
	if (is_usage_wrong) {
		fprintf(stderr,
			"usage: sim_merge [--seed N] [--schedules N] [--no-oracle] [--quiet]\n");
		return 2;
	}

	static struct run r;
	struct totals totals = {0};

	r.has_oracle = has_oracle;
	for (uint64_t i = 0; i < schedules; i++)
		run_schedule(&r, seed + i, &totals);
	for (int k = 0; k < SIM_RECORDS_MAX; k++)
		buf_clear(&r.wanted[k]);
	buf_clear(&r.scratch);
	if (!is_quiet)
		printf("seed=%llu schedules=%llu causal=%llu changes=%llu conflicts=%llu: all hold\n",
		       (unsigned long long)seed, (unsigned long long)schedules,
		       (unsigned long long)totals.causal, (unsigned long long)totals.changes,
		       (unsigned long long)totals.conflicts);
	return 0;
}
