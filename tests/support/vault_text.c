#include "tests/support/vault_text.h"

#include "common/base/arena.h"
#include "proto/changeset.h"

static void put(struct buf *out, struct bytes bytes)
{
	buf_append_bytes(out, bytes);
	buf_append_byte(out, '\n');
}

static enum err put_record(void *arg, const struct vault_record *r)
{
	struct buf *out = arg;

	record_encode(&r->body, 0, out);
	record_encode(&r->office, 0, out);
	buf_append_byte(out, '\n');
	return ERR_OK;
}

static enum err put_changes(struct vault *v, struct arena *a, struct buf *out)
{
	struct vault_change *lists[2] = {NULL, NULL};
	size_t counts[2] = {0, 0};
	enum err e = vault_drafts(v, a, 100000, &lists[0], &counts[0]);

	if (e == ERR_OK)
		e = vault_changes_upto(v, a, INT64_MAX, &lists[1], &counts[1]);
	for (int k = 0; k < 2 && e == ERR_OK; k++) {
		for (size_t i = 0; i < counts[k]; i++) {
			change_encode(&lists[k][i].change, out);
			buf_append_byte(out, '\n');
		}
	}
	return e;
}

struct refused {
	struct vault *vault;
	struct buf *out;
};

/* What the office refused is in neither list. */
static enum err put_refused(void *arg, const struct vault_record *r)
{
	const struct refused *x = arg;
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *changes = NULL;
	size_t count = 0;
	enum err e = r->sync == VAULT_REFUSED
			     ? vault_changes_of(x->vault, &a, &r->body.id, &changes, &count)
			     : ERR_OK;

	for (size_t i = 0; i < count; i++)
		change_encode(&changes[i].change, x->out);
	return e;
}

static enum err put_notices(struct vault *v, struct arena *a, struct buf *out)
{
	struct vault_notice *notices = NULL;
	size_t count = 0;
	enum err e = vault_notices(v, a, true, &notices, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		put(out, notices[i].text);
		if (notices[i].kept.kind == VALUE_TEXT)
			put(out, notices[i].kept.bytes);
		if (notices[i].lost.kind == VALUE_TEXT)
			put(out, notices[i].lost.bytes);
	}
	return e;
}

static enum err put_sets(struct vault *v, struct arena *a, struct buf *out)
{
	struct vault_sets sets = {0};
	struct vault_former *formers = NULL;
	struct bytes wire;
	size_t count = 0;
	enum err e = vault_outbox_load(v, a, 0, SIZE_MAX, SIZE_MAX, &sets);

	for (size_t i = 0; i < sets.count && e == ERR_OK; i++)
		put(out, sets.items[i].wire);
	if (e == ERR_OK)
		e = vault_formers_load(v, a, &formers, &count);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < formers[i].kept_count && e == ERR_OK; k++) {
			e = vault_former_kept(v, a, formers[i].device, formers[i].kept[k], &wire);
			if (e == ERR_OK)
				put(out, wire);
		}
	}
	return e;
}

enum err vault_text(struct vault *v, struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	struct refused refused = {v, out};
	enum err e = vault_record_each(v, put_record, out);

	if (e == ERR_OK)
		e = vault_record_each(v, put_refused, &refused);
	if (e == ERR_OK)
		e = put_changes(v, &a, out);
	if (e == ERR_OK)
		e = put_notices(v, &a, out);
	return e == ERR_OK ? put_sets(v, &a, out) : e;
}
