#include "client/search.h"

#include <stdlib.h>

#include "common/base/mem.h"

struct hit {
	struct id id;
	enum find_rank rank;
};

struct run {
	const struct search *search;
	struct find_query query;
	struct hit *hits;
	size_t count;
	size_t capacity;
};

static void run_clear(struct run *r)
{
	find_query_clear(&r->query);
	mem_free(r->hits);
}
static void run_clear_auto(struct run *r)
{
	run_clear(r);
}

static void add_hit(struct run *r, const struct id *id, enum find_rank rank)
{
	if (r->count == r->capacity) {
		r->capacity = r->capacity != 0 ? 2 * r->capacity : 256;
		r->hits = mem_realloc(r->hits, r->capacity * sizeof *r->hits);
	}
	r->hits[r->count++] = (struct hit){*id, rank};
}

static enum err rank_long(struct run *r, const struct id *id, enum find_rank *ret_rank)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record record;
	enum err e = vault_record_load(r->search->vault, &a, id, &record);

	if (e == ERR_OK)
		*ret_rank = find_rank_record(&r->query, &record.body);
	return e;
}

static enum err on_entry(void *arg, const struct find_entry *entry)
{
	struct run *r = arg;
	const struct bytes type = r->search->type;
	enum find_rank rank = FIND_NOT;
	enum err e = ERR_OK;

	if (entry->is_deleted || (type.len != 0 && !bytes_equal(type, entry->type)))
		return ERR_OK;
	if (entry->is_long)
		e = rank_long(r, &entry->id, &rank);
	else
		rank = find_rank_entry(&r->query, entry);
	if (e == ERR_OK && rank != FIND_NOT)
		add_hit(r, &entry->id, rank);
	return e;
}

static int compare_hits(const void *a, const void *b)
{
	const struct hit *x = a;
	const struct hit *y = b;

	return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
				  : id_compare(&x->id, &y->id);
}

static enum err tell(const struct run *r, const struct hit *hit, vault_record_fn fn, void *arg,
		     size_t *told)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record record;
	enum err e = vault_record_load(r->search->vault, &a, &hit->id, &record);

	if (e != ERR_OK)
		return e;
	if (record_is_deleted(&record.body) ||
	    schema_is_restricted(r->search->schema, &record.body))
		return ERR_OK;
	(*told)++;
	return fn(arg, &record);
}

enum err search_run(const struct search *s, vault_record_fn fn, void *arg)
{
	AUTO(run_clear) struct run r = {.search = s};
	size_t told = 0;
	enum err e = find_query_init(&r.query, s->text);

	if (e == ERR_OK)
		e = vault_find_each(s->vault, on_entry, &r);
	if (e == ERR_OK && r.count != 0)
		qsort(r.hits, r.count, sizeof *r.hits, compare_hits);
	for (size_t i = 0; i < r.count && told < s->limit && e == ERR_OK; i++)
		e = tell(&r, &r.hits[i], fn, arg, &told);
	return e;
}
