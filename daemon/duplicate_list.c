#include <stdlib.h>
#include <string.h>

#include "daemon/duplicate.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"

struct person {
	struct id id;
	int64_t unit;
	struct match_key key;
};

/* A person under the key of the present round; equal keys lie together, then equal groups. */
struct entry {
	uint64_t key[3];
	uint32_t group; /* GROUP_* */
	uint32_t person;
};

#define GROUP_IDENTITY 1u /* has an identity number */
#define GROUP_YEAR     2u /* its year of birth is known */
#define GROUPS         4u

struct pair {
	struct id one;
	struct id other;
};

struct search {
	struct store *store;
	struct arena *a;
	struct person *people;
	size_t count;
	size_t cap;
	struct pair *distinct; /* sorted */
	size_t distinct_count;
	size_t distinct_cap;
	struct entry *entries;
	size_t entry_count;
	struct duplicate_pair *found;
	size_t found_count;
	size_t found_cap;
	size_t limit;
};

static void *grow(struct arena *a, void *list, size_t count, size_t *cap, size_t size)
{
	void *more;

	if (count < *cap)
		return list;
	*cap = *cap * 2 + 256;
	more = arena_alloc_array(a, *cap, size);
	if (count != 0)
		memcpy(more, list, count * size);
	return more;
}

/* ---- loading ---- */

static const char query_people[] =
	"SELECT id, unit, " MATCH_NAME ", " MATCH_BIRTH ", " MATCH_IDENTITY " FROM " MATCH_TYPE
	" WHERE deleted = 0 AND voided = 0 AND merged_into IS NULL";
static const char query_circles[] = "SELECT a.id, a.unit, b.id, b.unit FROM " MATCH_TYPE
				    " a JOIN " MATCH_TYPE " b ON b.id = a.merged_into"
				    " WHERE b.merged_into = a.id AND a.id < b.id";
static const char query_distinct[] = "SELECT one, other FROM distinct_pair ORDER BY one, other";

static struct value text_of(struct sql *q, int column)
{
	return sql_kind(q, column) == SQL_TEXT ? value_text(sql_text(q, column)) : VALUE_NONE;
}

static bool read_id(struct sql *q, int column, struct id *ret_id)
{
	struct bytes id = sql_blob(q, column);

	if (id.len == ID_LEN)
		memcpy(ret_id->bytes, id.data, ID_LEN);
	return id.len == ID_LEN;
}

static enum err load_people(struct search *s)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s->store, query_people, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const struct value name = text_of(q, 2);
		const struct value birth = text_of(q, 3);
		const struct value identity = text_of(q, 4);
		struct person p = {.unit = sql_int(q, 1),
				   .key = match_key_of(&name, &birth, &identity)};

		if (!read_id(q, 0, &p.id))
			return err_raise(ERR_CORRUPT, "an id");
		s->people = grow(s->a, s->people, s->count, &s->cap, sizeof *s->people);
		s->people[s->count++] = p;
	}
	return e;
}

static enum err load_distinct(struct search *s)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s->store, query_distinct, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		s->distinct = grow(s->a, s->distinct, s->distinct_count, &s->distinct_cap,
				   sizeof *s->distinct);
		if (!read_id(q, 0, &s->distinct[s->distinct_count].one) ||
		    !read_id(q, 1, &s->distinct[s->distinct_count].other))
			return err_raise(ERR_CORRUPT, "an id");
		s->distinct_count++;
	}
	return e;
}

/* ---- what is found ---- */

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *left = a;
	const struct pair *right = b;
	int order = id_compare(&left->one, &right->one);

	return order != 0 ? order : id_compare(&left->other, &right->other);
}

static void add_pair(struct search *s, const struct id *a, const struct id *b,
		     enum match_likeness likeness, bool is_across)
{
	bool is_first = id_compare(a, b) < 0;

	s->found = grow(s->a, s->found, s->found_count, &s->found_cap, sizeof *s->found);
	s->found[s->found_count++] = (struct duplicate_pair){.one = is_first ? *a : *b,
							     .other = is_first ? *b : *a,
							     .likeness = likeness,
							     .is_across = is_across};
}

static bool is_distinct(const struct search *s, const struct id *a, const struct id *b)
{
	bool is_first = id_compare(a, b) < 0;
	const struct pair wanted = {is_first ? *a : *b, is_first ? *b : *a};

	return s->distinct_count != 0 && bsearch(&wanted, s->distinct, s->distinct_count,
						 sizeof *s->distinct, compare_pairs) != NULL;
}

/* One round finds the pairs of one likeness. Every pair belongs to exactly one round. */
struct round {
	enum match_likeness likeness;
	bool is_across; /* pairs of different units; else of one. Identity: either */
};

static void meet(struct search *s, const struct round *round, const struct entry *x,
		 const struct entry *y)
{
	const struct person *p = &s->people[x->person];
	const struct person *q = &s->people[y->person];
	bool is_across = p->unit != q->unit;

	if (round->likeness != MATCH_SAME_IDENTITY && is_across != round->is_across)
		return;
	if (match_compare(&p->key, &q->key) != round->likeness || is_distinct(s, &p->id, &q->id))
		return;
	add_pair(s, &p->id, &q->id, round->likeness, is_across);
}

/*
 * Whether people of two groups can be alike in this round: so that in a bucket of thousands of
 * one name, each with an identity number of its own, nobody is compared in vain.
 */
static bool may_meet(enum match_likeness likeness, uint32_t x, uint32_t y)
{
	if (likeness == MATCH_SAME_IDENTITY)
		return true;
	if ((x & y & GROUP_IDENTITY) != 0)
		return false;
	return likeness != MATCH_SAME_NAME || (x & y & GROUP_YEAR) == 0;
}

/* Entries from..to have one key; each group is a run in it. */
static void search_bucket(struct search *s, const struct round *round, size_t from, size_t to)
{
	size_t start[GROUPS + 1];
	size_t at = from;

	for (uint32_t group = 0; group <= GROUPS; group++) {
		while (at < to && s->entries[at].group < group)
			at++;
		start[group] = at;
	}
	for (size_t i = from; i < to; i++) {
		for (uint32_t group = s->entries[i].group; group < GROUPS; group++) {
			size_t k = start[group] > i + 1 ? start[group] : i + 1;

			if (!may_meet(round->likeness, s->entries[i].group, group))
				continue;
			for (; k < start[group + 1] && s->found_count < s->limit; k++)
				meet(s, round, &s->entries[i], &s->entries[k]);
		}
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a;
	const struct entry *right = b;

	for (size_t i = 0; i < 3; i++) {
		if (left->key[i] != right->key[i])
			return left->key[i] < right->key[i] ? -1 : 1;
	}
	return (left->group > right->group) - (left->group < right->group);
}

/* False: this person cannot be in a pair of the round. */
static bool make_key(const struct round *round, const struct person *p, struct entry *e)
{
	const struct match_key *k = &p->key;

	e->group = (k->identity != 0 ? GROUP_IDENTITY : 0) | (k->year != 0 ? GROUP_YEAR : 0);
	e->key[0] = k->name;
	e->key[1] = 0;
	e->key[2] = round->is_across ? 0 : (uint64_t)p->unit;
	switch (round->likeness) {
	case MATCH_NONE: return false;
	case MATCH_SAME_IDENTITY:
		e->key[0] = k->identity;
		e->key[2] = 0;
		break;
	case MATCH_SAME_BIRTH: e->key[1] = k->birth; break;
	case MATCH_SAME_YEAR: e->key[1] = (uint64_t)k->year; break;
	case MATCH_SAME_NAME: return k->name != 0;
	}
	return e->key[0] != 0 && (round->likeness == MATCH_SAME_IDENTITY || k->year != 0);
}

static void run(struct search *s, const struct round *round)
{
	size_t from = 0;

	s->entry_count = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct entry *e = &s->entries[s->entry_count];

		e->person = (uint32_t)i;
		if (make_key(round, &s->people[i], e))
			s->entry_count++;
	}
	if (s->entry_count != 0)
		qsort(s->entries, s->entry_count, sizeof *s->entries, compare_entries);
	for (size_t i = 1; i <= s->entry_count && s->found_count < s->limit; i++) {
		if (i < s->entry_count &&
		    memcmp(s->entries[i].key, s->entries[from].key, sizeof s->entries[i].key) == 0)
			continue;
		search_bucket(s, round, from, i);
		from = i;
	}
}

static enum err find_circles(struct search *s)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s->store, query_circles, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct id one;
		struct id other;

		if (!read_id(q, 0, &one) || !read_id(q, 2, &other))
			return err_raise(ERR_CORRUPT, "an id");
		if (s->found_count < s->limit)
			add_pair(s, &one, &other, MATCH_NONE, sql_int(q, 1) != sql_int(q, 3));
	}
	return e;
}

/* A schema without people, or without what is compared, has no doubles. */
static bool has_people(struct store *store)
{
	static const char *const names[] = {MATCH_NAME, MATCH_BIRTH, MATCH_IDENTITY};
	const struct schema_type *t = schema_find_type(store_schema(store), BYTES_LIT(MATCH_TYPE));

	for (size_t i = 0; t != NULL && i < sizeof names / sizeof names[0]; i++) {
		if (schema_find_field(t, bytes_str(names[i])) == NULL)
			return false;
	}
	return t != NULL;
}

enum err duplicate_list(struct store *store, struct arena *a, size_t limit,
			struct duplicate_pair **ret_pairs, size_t *ret_count)
{
	static const struct round rounds[] = {
		{MATCH_SAME_IDENTITY, false}, {MATCH_SAME_BIRTH, false}, {MATCH_SAME_YEAR, false},
		{MATCH_SAME_NAME, false},     {MATCH_SAME_BIRTH, true},  {MATCH_SAME_YEAR, true},
		{MATCH_SAME_NAME, true},
	};
	AUTO(arena_clear) struct arena scratch = {0};
	struct search s = {.store = store, .a = &scratch, .limit = limit};
	enum err e = ERR_OK;

	*ret_pairs = NULL;
	*ret_count = 0;
	if (!has_people(store))
		return ERR_OK;
	e = find_circles(&s);
	if (e == ERR_OK)
		e = load_people(&s);
	if (e == ERR_OK)
		e = load_distinct(&s);
	if (e != ERR_OK)
		return e;
	s.entries = arena_alloc_array(&scratch, s.count + 1, sizeof *s.entries);
	for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++)
		run(&s, &rounds[i]);
	*ret_pairs = arena_alloc_array(a, s.found_count, sizeof **ret_pairs);
	if (s.found_count != 0)
		memcpy(*ret_pairs, s.found, s.found_count * sizeof **ret_pairs);
	*ret_count = s.found_count;
	return ERR_OK;
}
