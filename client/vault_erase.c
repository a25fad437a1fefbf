#include "client/vault_internal.h"
#include "common/base/check.h"
#include "proto/changeset.h"

static enum err remove_changes(struct vault *v, struct arena *a, const struct id *id)
{
	struct vault_change *changes = NULL;
	size_t count = 0;
	enum err e = vault_changes_of(v, a, id, &changes, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = vault_change_remove(v, changes[i].seq);
	return e;
}

static enum err remove_notices(struct vault *v, struct arena *a, const struct id *id)
{
	struct vault_notice *notices = NULL;
	size_t count = 0;
	enum err e = vault_notices(v, a, true, &notices, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		if (id_compare(&notices[i].id, id) == 0)
			e = vault_notice_remove(v, notices[i].notice);
	return e;
}

static enum err put_wire(struct vault *v, const struct vault_set *set, struct bytes wire)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf sealed = {0};
	struct vault_row_key key = vault_row_key(set->first);
	enum err e = query_start(v, SQL_OUTBOX_CUT, &q);

	if (e != ERR_OK)
		return e;
	vault_seal(v, "outbox", bytes_of(key.bytes, sizeof key.bytes), wire, &sealed);
	query_bind_int(&q, 1, set->first);
	query_bind_blob(&q, 2, buf_bytes(&sealed));
	return query_run(&q);
}

/* Numbers, chain and signature stay, so it can still be sent; what was written of the record not.
 * `out` stays empty when nothing was. */
static enum err cut_wire(struct arena *a, struct bytes wire, const struct id *id, struct buf *out)
{
	AUTO(buf_clear) struct buf body = {0};
	struct changeset_opened opened;
	struct changeset_cut cut;
	bool has_any = false;
	bool *is_cut;

	if (changeset_open(a, wire, NULL, &opened) != ERR_OK)
		return err_raise(ERR_CORRUPT, "a change-set of the outbox cannot be read");
	is_cut = arena_alloc_array(a, opened.set.count, sizeof *is_cut);
	for (size_t i = 0; i < opened.set.count; i++) {
		const struct change *c = &opened.set.changes[i];

		is_cut[i] = c->is_cut || id_compare(&c->id, id) == 0;
		has_any = has_any || (is_cut[i] && !c->is_cut);
	}
	if (!has_any)
		return ERR_OK;
	enum err e = changeset_cut(&opened.set, is_cut, &body, &cut);

	if (e == ERR_OK)
		changeset_frame(buf_bytes(&body), &opened.set.signature, &cut, out);
	return e;
}

static enum err cut_set(struct vault *v, struct arena *a, const struct vault_set *set,
			const struct id *id)
{
	AUTO(buf_clear) struct buf wire = {0};
	enum err e = cut_wire(a, set->wire, id, &wire);

	return e == ERR_OK && wire.len != 0 ? put_wire(v, set, buf_bytes(&wire)) : e;
}

static enum err cut_outbox(struct vault *v, struct arena *a, const struct id *id)
{
	struct vault_sets sets = {0};
	enum err e = vault_outbox_load(v, a, 0, SIZE_MAX, SIZE_MAX, &sets);

	for (size_t i = 0; i < sets.count && e == ERR_OK; i++)
		e = cut_set(v, a, &sets.items[i], id);
	return e;
}

static enum err cut_kept(struct vault *v, struct arena *a, const struct vault_former *former,
			 int64_t first, const struct id *id)
{
	AUTO(buf_clear) struct buf wire = {0};
	struct bytes whole;
	enum err e = vault_former_kept(v, a, former->device, first, &whole);

	if (e == ERR_OK)
		e = cut_wire(a, whole, id, &wire);
	return e == ERR_OK && wire.len != 0
		       ? vault_former_keep(v, former->device, first, buf_bytes(&wire))
		       : e;
}

/* Those of identities this home had before. */
static enum err cut_formers(struct vault *v, struct arena *a, const struct id *id)
{
	struct vault_former *formers = NULL;
	size_t count = 0;
	enum err e = vault_formers_load(v, a, &formers, &count);

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < formers[i].kept_count && e == ERR_OK; k++)
			e = cut_kept(v, a, &formers[i], formers[i].kept[k], id);
	return e;
}

enum err vault_record_erase(struct vault *v, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = remove_changes(v, &a, id);

	if (e == ERR_OK)
		e = remove_notices(v, &a, id);
	if (e == ERR_OK)
		e = cut_outbox(v, &a, id);
	if (e == ERR_OK)
		e = cut_formers(v, &a, id);
	if (e == ERR_OK)
		e = vault_record_remove(v, id);
	return e == ERR_OK ? vault_doc_put(v, VAULT_DOC_SWEEP, BYTES_NONE) : e;
}

static enum err forget_debt(struct vault *v)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(v);

	if (e != ERR_OK)
		return e;
	txn = v;
	e = vault_doc_remove(v, VAULT_DOC_SWEEP);
	return e == ERR_OK ? vault_commit(v) : e;
}

enum err vault_sweep(struct vault *v)
{
	bool is_owed = false;
	enum err e = vault_doc_is_there(v, VAULT_DOC_SWEEP, &is_owed);

	REQUIRE(!v->is_in_transaction);
	if (e != ERR_OK || !is_owed)
		return e;
	e = vault_db_sweep(v);
	/* Not before the log is empty: killed in between, it is done once more. */
	if (e == ERR_OK)
		e = forget_debt(v);
	/* Nobody is kept from his records by it; the next opening tries again. */
	return e == ERR_FULL || e == ERR_CORRUPT ? ERR_OK : e;
}
