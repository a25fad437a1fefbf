#include "client/vault_internal.h"
#include "common/base/check.h"
#include "proto/shape.h"

#define NOTICE_TEXT_BYTES 4096u

struct notice_doc {
	struct bytes kind;
	struct bytes type;
	uint8_t id[ID_LEN];
	struct bytes field;
	struct value kept;
	struct value lost;
	struct bytes by;
	int64_t at_ms;
	struct bytes text;
};

static const struct shape_field notice_fields[] = {
	SHAPE_AT(struct notice_doc, 1, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_NAME_BYTES, kind),
	SHAPE_AT(struct notice_doc, 2, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_NAME_BYTES, type),
	SHAPE_AT(struct notice_doc, 3, SHAPE_FIXED, SHAPE_OPTIONAL, ID_LEN, id),
	SHAPE_AT(struct notice_doc, 4, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_NAME_BYTES, field),
	SHAPE_AT(struct notice_doc, 5, SHAPE_VALUE, SHAPE_OPTIONAL, LIMIT_VALUE_BYTES, kept),
	SHAPE_AT(struct notice_doc, 6, SHAPE_VALUE, SHAPE_OPTIONAL, LIMIT_VALUE_BYTES, lost),
	SHAPE_AT(struct notice_doc, 7, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_AUTHOR_BYTES, by),
	SHAPE_AT(struct notice_doc, 8, SHAPE_INT, SHAPE_OPTIONAL, 0, at_ms),
	SHAPE_AT(struct notice_doc, 9, SHAPE_TEXT, SHAPE_OPTIONAL, NOTICE_TEXT_BYTES, text),
};
static const struct shape notice_shape = SHAPE_OF(struct notice_doc, notice_fields);

const char *vault_notice_state_name(enum vault_notice_state state)
{
	switch (state) {
	case VAULT_NOTICE_OPEN: return "open";
	case VAULT_NOTICE_ACCEPTED: return "accepted";
	case VAULT_NOTICE_RESTORED: return "restored";
	}
	UNREACHABLE();
}

static enum vault_notice_state read_state(int64_t n)
{
	if (n == VAULT_NOTICE_OPEN)
		return VAULT_NOTICE_OPEN;
	return n == VAULT_NOTICE_RESTORED ? VAULT_NOTICE_RESTORED : VAULT_NOTICE_ACCEPTED;
}

static enum err read_notice(struct query *q, struct arena *a, struct vault_notice *ret_notice)
{
	int64_t number = query_int(q, 0);
	struct vault_row_key key = vault_row_key(number);
	struct notice_doc doc;
	struct bytes plain;
	enum err e = vault_unseal(q->vault, a, "notice", bytes_of(key.bytes, sizeof key.bytes),
				  query_blob(q, 2), &plain);

	if (e != ERR_OK)
		return e;
	if (shape_decode(&notice_shape, &guard_wire, a, plain, &doc) != ERR_OK)
		return err_raise(ERR_CORRUPT, "a notice of the vault cannot be read");
	*ret_notice = (struct vault_notice){.notice = number,
					    .state = read_state(query_int(q, 1)),
					    .kind = doc.kind,
					    .type = doc.type,
					    .field = doc.field,
					    .kept = doc.kept,
					    .lost = doc.lost,
					    .by = doc.by,
					    .at_ms = doc.at_ms,
					    .text = doc.text};
	memcpy(ret_notice->id.bytes, doc.id, ID_LEN);
	return ERR_OK;
}

enum err vault_notice_load(struct vault *v, struct arena *a, int64_t number,
			   struct vault_notice *ret_notice)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_NOTICE_LOAD, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, number);
	e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	if (!has_row)
		return err_raise(ERR_NOTFOUND, "no such notice");
	return read_notice(&q, a, ret_notice);
}

static enum err encode_notice(const struct vault_notice *notice, struct buf *plain)
{
	struct notice_doc doc = {.kind = notice->kind,
				 .type = notice->type,
				 .field = notice->field,
				 .kept = notice->kept,
				 .lost = notice->lost,
				 .by = notice->by,
				 .at_ms = notice->at_ms,
				 .text = notice->text};
	struct packer p;

	memcpy(doc.id, notice->id.bytes, ID_LEN);
	packer_init(&p, plain, LIMIT_PLAIN_BYTES);
	shape_encode(&notice_shape, &doc, &p);
	return packer_finish(&p);
}

static enum err put_row(struct vault *v, const struct vault_notice *notice, struct bytes plain)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf sealed = {0};
	struct vault_row_key key = vault_row_key(notice->notice);
	enum err e = query_start(v, SQL_NOTICE_PUT, &q);

	if (e != ERR_OK)
		return e;
	vault_seal(v, "notice", bytes_of(key.bytes, sizeof key.bytes), plain, &sealed);
	query_bind_int(&q, 1, notice->notice);
	query_bind_int(&q, 2, notice->state);
	query_bind_blob(&q, 3, buf_bytes(&sealed));
	return query_run(&q);
}

static enum err load_lowest(struct vault *v, int64_t *ret_lowest)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_NOTICE_LOWEST, &q);

	if (e == ERR_OK)
		e = query_row(&q, &has_row);
	if (e == ERR_OK)
		*ret_lowest = query_int(&q, 0);
	return e;
}

enum err vault_notice_add_own(struct vault *v, const struct vault_notice *notice)
{
	AUTO(buf_clear) struct buf plain = {0};
	struct vault_notice own = *notice;
	int64_t lowest = 0;
	enum err e = load_lowest(v, &lowest);

	if (e == ERR_OK)
		e = encode_notice(notice, &plain);
	own.notice = (lowest < VAULT_NOTICE_OWN ? lowest : VAULT_NOTICE_OWN) - 1;
	return e == ERR_OK ? put_row(v, &own, buf_bytes(&plain)) : e;
}

/* ---- after a restore of the office ---- */

/* A value of ours that lost, and only the inbox tells. */
static bool is_same_loss(const struct vault_notice *a, const struct vault_notice *b)
{
	return bytes_is(a->kind, "conflict") && bytes_is(b->kind, "conflict") &&
	       id_compare(&a->id, &b->id) == 0 && bytes_equal(a->type, b->type) &&
	       bytes_equal(a->field, b->field) && value_equal(&a->lost, &b->lost);
}

/* The conflict it tells of may never come about again: what is unread stays, under a number of our
 * own. */
static enum err keep_unread(struct vault *v, struct arena *a, const struct vault_notice *unread)
{
	struct vault_notice *all = NULL;
	size_t count = 0;
	enum err e = vault_notices(v, a, true, &all, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (all[i].notice != unread->notice && is_same_loss(&all[i], unread))
			return ERR_OK;
	}
	return e == ERR_OK ? vault_notice_add_own(v, unread) : e;
}

/* It came about again: what was kept of it is told anew. */
static enum err drop_kept(struct vault *v, struct arena *a, const struct vault_notice *told)
{
	struct vault_notice *all = NULL;
	size_t count = 0;
	int64_t lowest = 0;
	enum err e = load_lowest(v, &lowest);

	if (e == ERR_OK && lowest < VAULT_NOTICE_OWN)
		e = vault_notices(v, a, false, &all, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (all[i].notice < VAULT_NOTICE_OWN && is_same_loss(&all[i], told))
			e = vault_notice_remove(v, all[i].notice);
	}
	return e;
}

/*
 * A restored office begins its numbers where the backup ended: the same number may come with other
 * words, and those nobody has seen. *ret_state: of what is put in its place.
 */
static enum err take_place(struct vault *v, const struct vault_notice *notice, struct bytes plain,
			   enum vault_notice_state *ret_state)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf before = {0};
	struct vault_notice present;
	enum err e = vault_notice_load(v, &a, notice->notice, &present);

	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = encode_notice(&present, &before);
	if (e != ERR_OK)
		return e;
	if (notice->notice < 0 || bytes_equal(buf_bytes(&before), plain)) {
		*ret_state = present.state;
		return ERR_OK;
	}
	return present.state == VAULT_NOTICE_OPEN && bytes_is(present.kind, "conflict") &&
			       !is_same_loss(&present, notice)
		       ? keep_unread(v, &a, &present)
		       : ERR_OK;
}

enum err vault_notice_put(struct vault *v, const struct vault_notice *notice)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf plain = {0};
	struct vault_notice put = *notice;

	REQUIRE(v->is_in_transaction);
	enum err e = encode_notice(notice, &plain);

	if (e == ERR_OK)
		e = take_place(v, notice, buf_bytes(&plain), &put.state);
	if (e == ERR_OK && notice->notice > 0 && bytes_is(notice->kind, "conflict"))
		e = drop_kept(v, &a, notice);
	return e == ERR_OK ? put_row(v, &put, buf_bytes(&plain)) : e;
}

static enum err run_with_int(struct vault *v, enum vault_sql sql, int64_t n)
{
	AUTO(query_end) struct query q = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, sql, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, n);
	return query_run(&q);
}

static enum err close_notice(struct vault *v, int64_t number, enum vault_notice_state state)
{
	AUTO(query_end) struct query q = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, SQL_NOTICE_CLOSE, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, number);
	query_bind_int(&q, 2, state);
	return query_run(&q);
}

enum err vault_notice_accept(struct vault *v, int64_t number)
{
	return close_notice(v, number, VAULT_NOTICE_ACCEPTED);
}

enum err vault_notice_mark_restored(struct vault *v, int64_t number)
{
	return close_notice(v, number, VAULT_NOTICE_RESTORED);
}

enum err vault_notice_remove(struct vault *v, int64_t number)
{
	return run_with_int(v, SQL_NOTICE_REMOVE, number);
}

enum err vault_notices(struct vault *v, struct arena *a, bool with_closed,
		       struct vault_notice **ret_notices, size_t *ret_count)
{
	AUTO(query_end) struct query q = {0};
	struct vault_notice *list = NULL;
	size_t count = 0;
	size_t capacity = 0;
	bool has_row = false;
	enum err e = query_start(v, SQL_NOTICES, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, with_closed ? VAULT_NOTICE_RESTORED : VAULT_NOTICE_OPEN);
	for (e = query_row(&q, &has_row); e == ERR_OK && has_row; e = query_row(&q, &has_row)) {
		if (count == capacity) {
			struct vault_notice *old = list;

			capacity = capacity != 0 ? 2 * capacity : 16;
			list = arena_alloc_array(a, capacity, sizeof *list);
			if (count != 0)
				memcpy(list, old, count * sizeof *list);
		}
		e = read_notice(&q, a, &list[count]);
		if (e != ERR_OK)
			return e;
		count++;
	}
	if (e != ERR_OK)
		return e;
	*ret_notices = list;
	*ret_count = count;
	return ERR_OK;
}
