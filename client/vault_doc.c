#include "client/vault_internal.h"
#include "proto/shape.h"

#define DOC_MAX_BYTES ((size_t)16 << 20)

static const struct guard_limits doc_limits = {
	.bytes = DOC_MAX_BYTES, .string = DOC_MAX_BYTES, .nodes = 1000000, .depth = 8};

enum err vault_doc_load(struct vault *v, struct arena *a, const char *name, struct bytes *ret)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_DOC_LOAD, &q);

	if (e != ERR_OK)
		return e;
	query_bind_text(&q, 1, name);
	e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	if (!has_row)
		return err_raise(ERR_NOTFOUND, "the vault has no %s", name);
	return vault_unseal(v, a, "doc", bytes_str(name), query_blob(&q, 0), ret);
}

enum err vault_doc_is_there(struct vault *v, const char *name, bool *ret_is)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, SQL_DOC_LOAD, &q);

	if (e != ERR_OK)
		return e;
	query_bind_text(&q, 1, name);
	return query_row(&q, ret_is);
}

enum err vault_doc_put(struct vault *v, const char *name, struct bytes body)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf sealed = {0};
	enum err e = query_start(v, SQL_DOC_PUT, &q);

	if (e != ERR_OK)
		return e;
	vault_seal(v, "doc", bytes_str(name), body, &sealed);
	query_bind_text(&q, 1, name);
	query_bind_blob(&q, 2, buf_bytes(&sealed));
	return query_run(&q);
}

enum err vault_doc_remove(struct vault *v, const char *name)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, SQL_DOC_REMOVE, &q);

	if (e != ERR_OK)
		return e;
	query_bind_text(&q, 1, name);
	return query_run(&q);
}

enum err vault_doc_load_shaped(struct vault *v, struct arena *a, const char *name,
			       const struct shape *shape, void *ret)
{
	struct bytes body;
	enum err e = vault_doc_load(v, a, name, &body);

	if (e != ERR_OK)
		return e;
	if (shape_decode(shape, &doc_limits, a, body, ret) != ERR_OK)
		return err_raise(ERR_CORRUPT, "%s of the vault cannot be read", name);
	return ERR_OK;
}

enum err vault_doc_put_shaped(struct vault *v, const char *name, const struct shape *shape,
			      const void *what)
{
	AUTO(buf_clear) struct buf body = {0};
	struct packer p;

	packer_init(&p, &body, DOC_MAX_BYTES);
	shape_encode(shape, what, &p);
	enum err e = packer_finish(&p);

	return e == ERR_OK ? vault_doc_put(v, name, buf_bytes(&body)) : e;
}

/* ---- identity ---- */

struct identity_doc {
	uint8_t daemon[ID_LEN];
	uint32_t device;
	uint8_t daemon_key[SIGN_PUBLIC_LEN];
	uint8_t seed[32];
	struct bytes address;
	uint8_t pin[INVITATION_PIN_LEN];
	uint8_t code[INVITATION_CODE_LEN];
	bool is_cleared;
	struct bytes name;
};

static const struct shape_field identity_fields[] = {
	SHAPE_AT(struct identity_doc, 1, SHAPE_FIXED, SHAPE_OPTIONAL, ID_LEN, daemon),
	SHAPE_AT(struct identity_doc, 2, SHAPE_UINT32, SHAPE_OPTIONAL, 0, device),
	SHAPE_AT(struct identity_doc, 3, SHAPE_FIXED, SHAPE_OPTIONAL, SIGN_PUBLIC_LEN, daemon_key),
	SHAPE_AT(struct identity_doc, 4, SHAPE_FIXED, SHAPE_OPTIONAL, 32, seed),
	SHAPE_AT(struct identity_doc, 5, SHAPE_TEXT, SHAPE_OPTIONAL, INVITATION_HOST_MAX - 1,
		 address),
	SHAPE_AT(struct identity_doc, 6, SHAPE_FIXED, SHAPE_OPTIONAL, INVITATION_PIN_LEN, pin),
	SHAPE_AT(struct identity_doc, 7, SHAPE_FIXED, SHAPE_OPTIONAL, INVITATION_CODE_LEN, code),
	SHAPE_AT(struct identity_doc, 8, SHAPE_BOOL, SHAPE_OPTIONAL, 0, is_cleared),
	SHAPE_AT(struct identity_doc, 9, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_DEVICE_NAME_BYTES, name),
};
static const struct shape identity_shape = SHAPE_OF(struct identity_doc, identity_fields);

static enum err load_identity(struct vault *v, struct arena *a, const char *name,
			      struct vault_identity *ret)
{
	struct identity_doc doc;
	enum err e = vault_doc_load_shaped(v, a, name, &identity_shape, &doc);

	if (e != ERR_OK)
		return e;
	*ret = (struct vault_identity){
		.device = doc.device, .is_cleared = doc.is_cleared, .name = doc.name};
	memcpy(ret->daemon.bytes, doc.daemon, sizeof doc.daemon);
	memcpy(ret->daemon_key.bytes, doc.daemon_key, sizeof doc.daemon_key);
	memcpy(ret->seed, doc.seed, sizeof doc.seed);
	memcpy(ret->pin, doc.pin, sizeof doc.pin);
	memcpy(ret->code, doc.code, sizeof doc.code);
	if (doc.address.len != 0)
		memcpy(ret->address, doc.address.data, doc.address.len);
	return ERR_OK;
}

static enum err put_identity(struct vault *v, const char *name,
			     const struct vault_identity *identity)
{
	struct identity_doc doc = {.device = identity->device,
				   .is_cleared = identity->is_cleared,
				   .name = identity->name,
				   .address = bytes_str(identity->address)};

	memcpy(doc.daemon, identity->daemon.bytes, sizeof doc.daemon);
	memcpy(doc.daemon_key, identity->daemon_key.bytes, sizeof doc.daemon_key);
	memcpy(doc.seed, identity->seed, sizeof doc.seed);
	memcpy(doc.pin, identity->pin, sizeof doc.pin);
	memcpy(doc.code, identity->code, sizeof doc.code);
	enum err e = vault_doc_put_shaped(v, name, &identity_shape, &doc);

	crypt_wipe(&doc, sizeof doc);
	return e;
}

enum err vault_identity_load(struct vault *v, struct arena *a, struct vault_identity *ret)
{
	return load_identity(v, a, VAULT_DOC_IDENTITY, ret);
}

enum err vault_identity_put(struct vault *v, const struct vault_identity *identity)
{
	return put_identity(v, VAULT_DOC_IDENTITY, identity);
}

enum err vault_successor_load(struct vault *v, struct arena *a, struct vault_identity *ret)
{
	enum err e = load_identity(v, a, VAULT_DOC_SUCCESSOR, ret);

	if (e == ERR_NOTFOUND)
		*ret = (struct vault_identity){0};
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err vault_successor_put(struct vault *v, const struct vault_identity *identity)
{
	return put_identity(v, VAULT_DOC_SUCCESSOR, identity);
}

/* ---- cursors, scope, authors ---- */

static const struct shape_field cursor_fields[] = {
	SHAPE_AT(struct msg_cursor, 1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	SHAPE_AT(struct msg_cursor, 2, SHAPE_NUMBER, SHAPE_REQUIRED, 0, log),
	SHAPE_AT(struct msg_cursor, 3, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, behind),
};
static const struct shape cursor_shape = SHAPE_OF(struct msg_cursor, cursor_fields);

struct cursors_doc {
	struct msg_cursor *cursors;
	size_t count;
};
static const struct shape_field cursors_fields[] = {
	SHAPE_LIST_AT(struct cursors_doc, 1, LIMIT_CURSORS, cursors, count, &cursor_shape),
};
static const struct shape cursors_shape = SHAPE_OF(struct cursors_doc, cursors_fields);

enum err vault_cursors_load(struct vault *v, struct arena *a, struct msg_cursor **ret_cursors,
			    size_t *ret_count)
{
	struct cursors_doc doc = {0};
	enum err e = vault_doc_load_shaped(v, a, VAULT_DOC_CURSORS, &cursors_shape, &doc);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*ret_cursors = doc.cursors;
	*ret_count = doc.count;
	return ERR_OK;
}

enum err vault_cursors_put(struct vault *v, const struct msg_cursor *cursors, size_t count)
{
	AUTO(arena_clear) struct arena a = {0};
	struct cursors_doc doc = {arena_alloc_array(&a, count, sizeof *cursors), count};

	if (count != 0)
		memcpy(doc.cursors, cursors, count * sizeof *cursors);
	return vault_doc_put_shaped(v, VAULT_DOC_CURSORS, &cursors_shape, &doc);
}

struct scope_doc {
	int64_t *units;
	size_t count;
};
static const struct shape_field scope_fields[] = {
	SHAPE_LIST_AT(struct scope_doc, 1, LIMIT_CURSORS, units, count, &shape_int64),
};
static const struct shape scope_shape = SHAPE_OF(struct scope_doc, scope_fields);

enum err vault_scope_load(struct vault *v, struct arena *a, int64_t **ret_units, size_t *ret_count)
{
	struct scope_doc doc = {0};
	enum err e = vault_doc_load_shaped(v, a, VAULT_DOC_SCOPE, &scope_shape, &doc);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*ret_units = doc.units;
	*ret_count = doc.count;
	return ERR_OK;
}

enum err vault_scope_put(struct vault *v, const int64_t *units, size_t count)
{
	AUTO(arena_clear) struct arena a = {0};
	struct scope_doc doc = {arena_alloc_array(&a, count, sizeof *units), count};

	if (count != 0)
		memcpy(doc.units, units, count * sizeof *units);
	return vault_doc_put_shaped(v, VAULT_DOC_SCOPE, &scope_shape, &doc);
}

struct author_doc {
	struct bytes name;
};
static const struct shape_field author_fields[] = {
	SHAPE_AT(struct author_doc, 1, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_AUTHOR_BYTES, name),
};
static const struct shape author_shape = SHAPE_OF(struct author_doc, author_fields);

struct authors_doc {
	struct author_doc *authors;
	size_t count;
};
static const struct shape_field authors_fields[] = {
	SHAPE_LIST_AT(struct authors_doc, 1, 1000, authors, count, &author_shape),
};
static const struct shape authors_shape = SHAPE_OF(struct authors_doc, authors_fields);

enum err vault_authors_load(struct vault *v, struct arena *a, struct bytes **ret_names,
			    size_t *ret_count)
{
	struct authors_doc doc = {0};
	enum err e = vault_doc_load_shaped(v, a, VAULT_DOC_AUTHORS, &authors_shape, &doc);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*ret_names = arena_alloc_array(a, doc.count, sizeof **ret_names);
	for (size_t i = 0; i < doc.count; i++)
		(*ret_names)[i] = doc.authors[i].name;
	*ret_count = doc.count;
	return ERR_OK;
}

enum err vault_authors_put(struct vault *v, const struct bytes *names, size_t count)
{
	AUTO(arena_clear) struct arena a = {0};
	struct authors_doc doc = {arena_alloc_array(&a, count, sizeof *doc.authors), count};

	for (size_t i = 0; i < count; i++)
		doc.authors[i].name = names[i];
	return vault_doc_put_shaped(v, VAULT_DOC_AUTHORS, &authors_shape, &doc);
}

/* ---- the pull that mends a difference ---- */

struct repair_doc {
	int64_t generation;
};
static const struct shape_field repair_fields[] = {
	SHAPE_AT(struct repair_doc, 1, SHAPE_INT, SHAPE_REQUIRED, 0, generation),
};
static const struct shape repair_shape = SHAPE_OF(struct repair_doc, repair_fields);

enum err vault_repair_load(struct vault *v, struct arena *a, int64_t *ret_generation)
{
	struct repair_doc doc;
	enum err e = vault_doc_load_shaped(v, a, VAULT_DOC_REPAIR, &repair_shape, &doc);

	if (e == ERR_OK)
		*ret_generation = doc.generation;
	return e;
}

enum err vault_repair_put(struct vault *v, int64_t generation)
{
	const struct repair_doc doc = {generation};

	return vault_doc_put_shaped(v, VAULT_DOC_REPAIR, &repair_shape, &doc);
}
