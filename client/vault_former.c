#include <stdio.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "proto/shape.h"

/* ---- who this home was ---- */

struct former_doc {
	uint32_t device;
	uint8_t key[SIGN_PUBLIC_LEN];
	int64_t number;
	int64_t acked;
	int64_t backed_up;
	int64_t until_ms;
	int64_t *kept;
	size_t kept_count;
};
static const struct shape_field former_fields[] = {
	SHAPE_AT(struct former_doc, 1, SHAPE_UINT32, SHAPE_REQUIRED, 0, device),
	SHAPE_AT(struct former_doc, 2, SHAPE_FIXED, SHAPE_REQUIRED, SIGN_PUBLIC_LEN, key),
	SHAPE_AT(struct former_doc, 3, SHAPE_INT, SHAPE_OPTIONAL, 0, number),
	SHAPE_AT(struct former_doc, 4, SHAPE_INT, SHAPE_OPTIONAL, 0, acked),
	SHAPE_AT(struct former_doc, 5, SHAPE_INT, SHAPE_OPTIONAL, 0, backed_up),
	SHAPE_AT(struct former_doc, 6, SHAPE_INT, SHAPE_OPTIONAL, 0, until_ms),
	SHAPE_LIST_AT(struct former_doc, 7, 100000, kept, kept_count, &shape_int64),
};
static const struct shape former_shape = SHAPE_OF(struct former_doc, former_fields);

struct formers_doc {
	struct former_doc *formers;
	size_t count;
};
static const struct shape_field formers_fields[] = {
	SHAPE_LIST_AT(struct formers_doc, 1, VAULT_FORMERS_MAX, formers, count, &former_shape),
};
static const struct shape formers_shape = SHAPE_OF(struct formers_doc, formers_fields);

enum err vault_formers_load(struct vault *v, struct arena *a, struct vault_former **ret_formers,
			    size_t *ret_count)
{
	struct formers_doc doc = {0};
	enum err e = vault_doc_load_shaped(v, a, VAULT_DOC_FORMERS, &formers_shape, &doc);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*ret_formers = arena_alloc_array(a, doc.count, sizeof **ret_formers);
	*ret_count = doc.count;
	for (size_t i = 0; i < doc.count; i++) {
		const struct former_doc *d = &doc.formers[i];
		struct vault_former *f = &(*ret_formers)[i];

		*f = (struct vault_former){.device = d->device,
					   .number = d->number,
					   .acked = d->acked,
					   .backed_up = d->backed_up,
					   .until_ms = d->until_ms,
					   .kept = d->kept,
					   .kept_count = d->kept_count};
		memcpy(f->key.bytes, d->key, sizeof d->key);
	}
	return ERR_OK;
}

enum err vault_formers_put(struct vault *v, const struct vault_former *formers, size_t count)
{
	AUTO(arena_clear) struct arena a = {0};
	struct formers_doc doc = {arena_alloc_array(&a, count, sizeof *doc.formers), count};

	REQUIRE(v->is_in_transaction);
	for (size_t i = 0; i < count; i++) {
		const struct vault_former *f = &formers[i];

		doc.formers[i] = (struct former_doc){.device = f->device,
						     .number = f->number,
						     .acked = f->acked,
						     .backed_up = f->backed_up,
						     .until_ms = f->until_ms,
						     .kept = f->kept,
						     .kept_count = f->kept_count};
		memcpy(doc.formers[i].key, f->key.bytes, sizeof f->key.bytes);
	}
	return vault_doc_put_shaped(v, VAULT_DOC_FORMERS, &formers_shape, &doc);
}

/* ---- change-sets of theirs ---- */

#define SET_NAME_LEN 64u

static const char *set_name(uint32_t device, int64_t first, char ret_name[SET_NAME_LEN])
{
	(void)snprintf(ret_name, SET_NAME_LEN, "former.%u.%lld", device, (long long)first);
	return ret_name;
}

enum err vault_former_keep(struct vault *v, uint32_t device, int64_t first, struct bytes wire)
{
	char name[SET_NAME_LEN];

	REQUIRE(v->is_in_transaction);
	return vault_doc_put(v, set_name(device, first, name), wire);
}

enum err vault_former_kept(struct vault *v, struct arena *a, uint32_t device, int64_t first,
			   struct bytes *ret_wire)
{
	char name[SET_NAME_LEN];
	enum err e = vault_doc_load(v, a, set_name(device, first, name), ret_wire);

	return e == ERR_NOTFOUND ? err_raise(ERR_CORRUPT, "a change-set that was kept is gone") : e;
}

enum err vault_formers_let_go(struct vault *v)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_former *formers = NULL;
	size_t count = 0;
	size_t dropped = 0;
	enum err e = vault_formers_load(v, &a, &formers, &count);

	REQUIRE(v->is_in_transaction);
	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		for (size_t k = 0; k < formers[i].kept_count && e == ERR_OK; k++) {
			char name[SET_NAME_LEN];

			e = vault_doc_remove(v,
					     set_name(formers[i].device, formers[i].kept[k], name));
			dropped++;
		}
		formers[i].kept_count = 0;
	}
	return e == ERR_OK && dropped != 0 ? vault_formers_put(v, formers, count) : e;
}

/* ---- what is numbered ---- */

/* A number of the former identity `nth` (from 1) among those of later ones. */
static int64_t notice_of_former(int64_t nth, int64_t notice)
{
	int64_t kept = -nth * VAULT_FORMER_SPAN;

	return notice > 0 ? kept - VAULT_FORMER_SPAN / 2 - notice : kept + notice;
}

static enum err shelve_notice(struct vault *v, int64_t nth, int64_t upto, struct vault_notice *n)
{
	bool is_resent = n->notice < 0 && -n->notice > upto;
	enum err e;

	/* Of an earlier one still: it has such a number already. */
	if (n->notice <= -VAULT_FORMER_SPAN)
		return ERR_OK;
	e = vault_notice_remove(v, n->notice);
	if (e != ERR_OK || is_resent)
		return e;
	n->notice = notice_of_former(nth, n->notice);
	return vault_notice_put(v, n);
}

static enum err run_two(struct vault *v, enum vault_sql sql, int64_t one, int64_t two)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, sql, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, one);
	query_bind_int(&q, 2, two);
	return query_run(&q);
}

enum err vault_shelve(struct vault *v, int64_t nth, int64_t upto)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice *notices = NULL;
	size_t count = 0;
	enum err e = vault_notices(v, &a, true, &notices, &count);

	REQUIRE(v->is_in_transaction);
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = shelve_notice(v, nth, upto, &notices[i]);
	if (e == ERR_OK)
		e = run_two(v, SQL_CHANGE_SHELVE, nth * VAULT_FORMER_SPAN, upto);
	if (e != ERR_OK)
		return e;

	AUTO(query_end) struct query q = {0};

	e = query_start(v, SQL_CHANGE_CLEAR, &q);
	return e == ERR_OK ? query_run(&q) : e;
}

enum err vault_records_of_former(struct vault *v, int64_t backed_up, bool is_believed)
{
	REQUIRE(v->is_in_transaction);
	return run_two(v, SQL_RECORD_FORMER, backed_up, is_believed);
}
