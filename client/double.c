#include "client/double.h"

#include "common/base/mem.h"
#include "common/model/partial_date.h"
#include "common/model/vntext.h"

#define PERSON          "person"
#define PERSON_NAME     "full_name"
#define PERSON_BIRTH    "birth_date"
#define PERSON_IDENTITY "identity_number"

/* 40 bytes a person: ten thousand are 400 KB. */
struct person {
	struct id id;
	uint64_t name;     /* hash of the folded name; 0: none */
	uint64_t identity; /* hash of the number; 0: none */
	int year;          /* of birth; 0: unknown */
};

struct double_index {
	struct person *people;
	size_t count;
	size_t capacity;
};

static uint64_t hash_text(struct bytes text)
{
	struct hash h = hash_of(text);
	uint64_t n;

	memcpy(&n, h.bytes, sizeof n);
	return n;
}

static uint64_t hash_name(const struct value *v)
{
	AUTO(buf_clear) struct buf key = {0};

	if (v->kind != VALUE_TEXT || v->bytes.len == 0 ||
	    vntext_key(v->bytes, VNTEXT_FOLD, &key) != ERR_OK)
		return 0;
	return hash_text(buf_bytes(&key));
}

static int birth_year(const struct value *v)
{
	struct partial_date d;

	if (v->kind != VALUE_TEXT || partial_date_parse(v->bytes, &d) != ERR_OK)
		return 0;
	return d.precision == PARTIAL_AGE ? d.year - d.age : d.year;
}

static struct person person_of(const struct id *id, const struct value *name,
			       const struct value *birth, const struct value *identity)
{
	return (struct person){.id = *id,
			       .name = hash_name(name),
			       .identity = identity->kind == VALUE_TEXT && identity->bytes.len != 0
						   ? hash_text(identity->bytes)
						   : 0,
			       .year = birth_year(birth)};
}

static void add(struct double_index *d, struct person p)
{
	if (p.name == 0 && p.identity == 0)
		return;
	if (d->count == d->capacity) {
		d->capacity = d->capacity != 0 ? 2 * d->capacity : 256;
		d->people = mem_realloc(d->people, d->capacity * sizeof *d->people);
	}
	d->people[d->count++] = p;
}

static enum err on_record(void *arg, const struct vault_record *r)
{
	struct value name = record_value(&r->body, PERSON_NAME);
	struct value birth = record_value(&r->body, PERSON_BIRTH);
	struct value identity = record_value(&r->body, PERSON_IDENTITY);

	if (!bytes_is(r->body.type, PERSON) || record_is_deleted(&r->body) ||
	    record_value(&r->body, RECORD_MERGED_INTO).kind != VALUE_NULL)
		return ERR_OK;
	add(arg, person_of(&r->body.id, &name, &birth, &identity));
	return ERR_OK;
}

enum err double_index_new(struct cmd *c, struct double_index **ret_index)
{
	AUTO(double_index_free) struct double_index *d = mem_alloc_zero(sizeof *d);
	enum err e = vault_record_each(c->vault, on_record, d);

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
	return bytes_is(type, PERSON);
}

static struct person person_of_change(const struct change *c)
{
	static const struct value none = {.kind = VALUE_NULL};
	const struct write *name = change_find(c, bytes_str(PERSON_NAME));
	const struct write *birth = change_find(c, bytes_str(PERSON_BIRTH));
	const struct write *identity = change_find(c, bytes_str(PERSON_IDENTITY));

	return person_of(&c->id, name != NULL ? &name->value : &none,
			 birth != NULL ? &birth->value : &none,
			 identity != NULL ? &identity->value : &none);
}

/* An estimated age may be off by some years; a written year is not. */
static bool is_alike(const struct person *a, const struct person *b)
{
	if (a->identity != 0 && a->identity == b->identity)
		return true;
	if (a->name == 0 || a->name != b->name)
		return false;
	/* Same name, and each has an identity number of its own: two people. */
	if (a->identity != 0 && b->identity != 0)
		return false;
	return a->year == 0 || b->year == 0 || a->year == b->year;
}

size_t double_find(struct double_index *d, const struct change *change, struct id *ret_ids,
		   size_t max)
{
	struct person wanted = person_of_change(change);
	size_t found = 0;

	for (size_t i = 0; i < d->count && found < max; i++)
		if (is_alike(&wanted, &d->people[i]) &&
		    id_compare(&wanted.id, &d->people[i].id) != 0)
			ret_ids[found++] = d->people[i].id;
	return found;
}

void double_add(struct double_index *d, const struct change *change)
{
	add(d, person_of_change(change));
}
