/* merge_scene - one record and the changes that meet in it, for tests of the merge. */
#pragma once

#include "tests/unit/test.h"

#include "common/model/merge.h"

#define OFFICE 0u
#define ANA    1u /* devices */
#define BINH   2u
#define CHI    3u

/* A record and what happens to it; log numbers count up from 1. */
struct scene {
	struct arena a;
	enum merge_kind kind;
	struct record record;
	bool has_record;
	uint64_t log;
	struct merge_result last;
	struct write writes[64];
	size_t used;
};

static inline struct value text(const char *value)
{
	return value_text(bytes_str(value));
}

static inline void begin(struct scene *s, enum merge_kind kind)
{
	*s = (struct scene){.kind = kind};
}

/* Writes that belong to the scene: what the record borrows lives as long. */
static inline struct change change_of(struct scene *s, uint64_t base, const struct write *writes,
				      size_t count)
{
	struct change c = {
		.type = BYTES_LIT("person"),
		.id = {{7}},
		.base = base,
		.author = BYTES_LIT("incoming"),
		.writes = &s->writes[s->used],
		.count = count,
	};

	assert_true(s->used + count <= 64);
	memcpy(c.writes, writes, count * sizeof *writes);
	s->used += count;
	assert_true(change_sort(&c));
	return c;
}

static inline void apply(struct scene *s, uint32_t device, uint64_t clock, const struct change *c)
{
	s->last = merge_change(&s->a, s->kind, s->has_record ? &s->record : NULL, c,
			       (struct stamp){clock, device}, ++s->log);
	s->record = s->last.after;
	s->has_record = true;
}

/* One field written by `device` at `clock` when its cursor was `base`. */
static inline void put(struct scene *s, uint32_t device, uint64_t clock, uint64_t base,
		       const char *name, struct value value)
{
	const struct write w = {bytes_str(name), value};
	struct change c = change_of(s, base, &w, 1);

	apply(s, device, clock, &c);
}

static inline void put_two(struct scene *s, uint32_t device, uint64_t clock, uint64_t base,
			   const struct write *pair)
{
	struct change c = change_of(s, base, pair, 2);

	apply(s, device, clock, &c);
}

static inline void end(struct scene *s)
{
	arena_clear(&s->a);
}

static inline void assert_text(const struct scene *s, const char *name, const char *want)
{
	struct value got = record_value(&s->record, name);
	struct value wanted = text(want);

	assert_true(value_equal(&got, &wanted));
}

static inline void assert_conflict(const struct scene *s, const char *field, const char *kept,
				   const char *lost, bool is_incoming_lost)
{
	assert_int_equal(s->last.conflict_count, 1);
	const struct merge_conflict *c = &s->last.conflicts[0];
	const struct value wanted_kept = kept != NULL ? text(kept) : VALUE_NONE;
	const struct value wanted_lost = lost != NULL ? text(lost) : VALUE_NONE;

	assert_true(bytes_is(c->field, field));
	assert_true(bytes_is(c->kept.name, field));
	assert_true(bytes_is(c->lost.name, field));
	assert_true(value_equal(&c->kept.value, &wanted_kept));
	assert_true(value_equal(&c->lost.value, &wanted_lost));
	assert_int_equal(c->is_incoming_lost, is_incoming_lost);
	assert_true(bytes_is(is_incoming_lost ? c->lost_author : c->kept_author, "incoming"));
	assert_int_equal((is_incoming_lost ? c->kept_author : c->lost_author).len, 0);
}
