/*
 * Which values lost in an open conflict: asked of every field a change writes, so it is answered
 * from memory. A Bloom filter over records, and over record, field and value: "no" is certain,
 * "yes" has to be looked up. It only grows, so what a rollback undoes or a decision closes stays in
 * it and costs a look.
 */
#include "common/base/mem.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"

#define FILTER_BITS \
	(UINT64_C(1) << 20) /* 128 KiB; with 100,000 open conflicts 1 of 100 looks is in vain */

struct store_lost {
	uint64_t words[FILTER_BITS / 64];
};

/* FNV-1a: nothing an enemy could gain here but a look into the table. */
static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_id(const struct id *id)
{
	return mix(UINT64_C(0xcbf29ce484222325), id->bytes, ID_LEN);
}

/* Every deletion is as good as another (conflicts.h). */
static uint64_t hash_lost(const struct id *id, struct bytes field, const struct value *v)
{
	const bool is_deletion = bytes_is(field, RECORD_DELETED);
	const uint8_t kind = (uint8_t)(is_deletion ? v->kind != VALUE_NULL : v->kind);
	uint64_t hash = mix(hash_id(id), field.data, field.len);

	hash = mix(hash, &kind, 1);
	if (is_deletion)
		return hash;
	switch (v->kind) {
	case VALUE_NULL: break;
	case VALUE_BOOL: return mix(hash, &v->boolean, sizeof v->boolean);
	case VALUE_INT: return mix(hash, &v->integer, sizeof v->integer);
	case VALUE_TEXT:
	case VALUE_BYTES: return mix(hash, v->bytes.data, v->bytes.len);
	}
	return hash;
}

static void add(struct store_lost *lost, uint64_t hash)
{
	const uint64_t bits[] = {hash % FILTER_BITS, (hash >> 32) % FILTER_BITS};

	for (size_t i = 0; i < 2; i++)
		lost->words[bits[i] / 64] |= UINT64_C(1) << bits[i] % 64;
}

static bool may_have(const struct store_lost *lost, uint64_t hash)
{
	const uint64_t bits[] = {hash % FILTER_BITS, (hash >> 32) % FILTER_BITS};

	return (lost->words[bits[0] / 64] >> bits[0] % 64 &
		lost->words[bits[1] / 64] >> bits[1] % 64 & 1) != 0;
}

void store_note_lost(struct store *s, const struct id *id, const struct field *lost)
{
	/* Not read yet: it will be read with the others. */
	if (s->lost_values == NULL)
		return;
	add(s->lost_values, hash_id(id));
	add(s->lost_values, hash_lost(id, lost->name, &lost->value));
}

bool store_may_have_lost(const struct store *s, const struct id *id)
{
	return s->lost_values == NULL || may_have(s->lost_values, hash_id(id));
}

bool store_may_be_lost(const struct store *s, const struct id *id, struct bytes field,
		       const struct value *value)
{
	return s->lost_values == NULL || may_have(s->lost_values, hash_lost(id, field, value));
}

static const char query_lost[] = "SELECT id, field, lost FROM conflict WHERE state = 'open'";

static enum err read_lost(struct store *s)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, query_lost, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct pack_reader r = pack_open(sql_blob(q, 2));
		const struct field lost = {.name = sql_text(q, 1), .value = unpack_value(&r)};
		struct id id;

		if (r.is_bad || sql_blob(q, 0).len != ID_LEN)
			return err_raise(ERR_CORRUPT, "the lost side of a conflict");
		memcpy(id.bytes, sql_blob(q, 0).data, ID_LEN);
		store_note_lost(s, &id, &lost);
	}
	return e;
}

enum err store_load_lost(struct store *s)
{
	enum err e;

	if (s->lost_values != NULL)
		return ERR_OK;
	s->lost_values = mem_alloc_zero(sizeof *s->lost_values);
	e = read_lost(s);
	if (e != ERR_OK) {
		mem_free(s->lost_values);
		s->lost_values = NULL;
	}
	return e;
}
