#include "client/double.h"

#include "common/base/mem.h"
#include "common/model/match.h"

/* 40 bytes a person: ten thousand are 400 KB. */
struct person {
	struct id id;
	struct find_person keys;
};

struct double_index {
	struct person *people;
	size_t count;
	size_t capacity;
};

static void add(struct double_index *d, struct person p)
{
	if (p.keys.name == 0 && p.keys.identity == 0)
		return;
	if (d->count == d->capacity) {
		d->capacity = d->capacity != 0 ? 2 * d->capacity : 256;
		d->people = mem_realloc(d->people, d->capacity * sizeof *d->people);
	}
	d->people[d->count++] = p;
}

static enum err on_entry(void *arg, const struct find_entry *entry)
{
	add(arg, (struct person){entry->id, entry->person});
	return ERR_OK;
}

enum err double_index_new(struct cmd *c, struct double_index **ret_index)
{
	AUTO(double_index_free) struct double_index *d = mem_alloc_zero(sizeof *d);
	enum err e = vault_find_each(c->vault, on_entry, d);

	if (e == ERR_OK)
		*ret_index = MOVE(d);
	return e;
}

void double_index_free(struct double_index *d)
{
	if (d == NULL)
		return;
	mem_free(d->people);
	mem_free(d);
}

bool double_is_for(struct bytes type)
{
	return bytes_is(type, MATCH_TYPE);
}

static struct value written(const struct change *c, const char *name)
{
	const struct write *w = change_find(c, bytes_str(name));

	return w != NULL ? w->value : VALUE_NONE;
}

static struct person person_of_change(const struct change *c)
{
	const struct value name = written(c, MATCH_NAME);
	const struct value birth = written(c, MATCH_BIRTH);
	const struct value identity = written(c, MATCH_IDENTITY);

	return (struct person){c->id, find_person_of(c->type, &name, &birth, &identity)};
}

/* What is kept of a person leaves out the day of birth, which only ranks. */
static bool is_alike(const struct find_person *a, const struct find_person *b)
{
	const struct match_key x = {.name = a->name, .identity = a->identity, .year = a->year};
	const struct match_key y = {.name = b->name, .identity = b->identity, .year = b->year};

	return match_compare(&x, &y) != MATCH_NONE;
}

/* Keeps the list in the order of ids, the greatest dropped when it is full. */
static size_t insert_id(struct id *ids, size_t count, size_t max, const struct id *id)
{
	size_t at = count;

	while (at > 0 && id_compare(&ids[at - 1], id) > 0)
		at--;
	if (at == max)
		return count;
	count += count < max;
	memmove(&ids[at + 1], &ids[at], (count - at - 1) * sizeof *ids);
	ids[at] = *id;
	return count;
}

size_t double_find(const struct double_index *d, const struct change *change, struct id *ret_ids,
		   size_t max)
{
	const struct person wanted = person_of_change(change);
	size_t found = 0;

	for (size_t i = 0; i < d->count && max != 0; i++)
		if (is_alike(&wanted.keys, &d->people[i].keys) &&
		    id_compare(&wanted.id, &d->people[i].id) != 0)
			found = insert_id(ret_ids, found, max, &d->people[i].id);
	return found;
}

void double_add(struct double_index *d, const struct change *change)
{
	add(d, person_of_change(change));
}
