#include "client/entry.h"

#include <stdio.h>

#include "client/rebase.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* One change must fit into a change-set with room to spare, or it would never leave. */
#define ENTRY_MAX_BYTES ((size_t)768 << 10)

enum err entry_context_load(struct entry_context *ret_ctx, struct vault *v, const struct schema *s,
			    const struct clock *clock, struct arena *a)
{
	struct vault_identity identity = {0};
	struct msg_cursor *cursors = NULL;
	size_t cursor_count = 0;
	struct bytes *authors = NULL;
	size_t author_count = 0;
	enum err e = vault_identity_load(v, a, &identity);

	if (e == ERR_OK)
		e = vault_cursors_load(v, a, &cursors, &cursor_count);
	if (e == ERR_OK)
		e = vault_authors_load(v, a, &authors, &author_count);
	crypt_wipe(identity.seed, sizeof identity.seed);
	if (e != ERR_OK)
		return e;
	*ret_ctx = (struct entry_context){.schema = s,
					  .vault = v,
					  .clock = clock,
					  .device = identity.device,
					  .author = author_count != 0 ? authors[0] : BYTES_NONE,
					  .cursors = cursors,
					  .cursor_count = cursor_count};
	return ERR_OK;
}

/* What one entry is worked out from. */
struct work {
	const struct entry_context *ctx;
	struct arena *arena;
	enum merge_kind kind;
	bool exists;
	struct vault_record record;
	struct vault_change *pending;
	size_t pending_count;
	struct vault_change *kept; /* pending ones that stay; the others are folded in */
	size_t kept_count;
	struct record before; /* state under the new draft; count 0: none */
	struct change change; /* with what was folded in */
	uint64_t seen;        /* its base as it will be kept */
};

static enum err load(struct work *w, const struct id *id)
{
	struct vault *v = w->ctx->vault;
	enum err e = vault_record_load(v, w->arena, id, &w->record);

	w->exists = e == ERR_OK;
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e != ERR_OK)
		return e;
	return vault_changes_of(v, w->arena, id, &w->pending, &w->pending_count);
}

static uint64_t base_of(const struct entry_context *ctx, int64_t unit)
{
	for (size_t i = 0; i < ctx->cursor_count; i++)
		if (ctx->cursors[i].unit == unit)
			return msg_cursor_whole(&ctx->cursors[i]);
	return 0;
}

/* Writes of `over` win over those of `under`. */
static void lay_over(struct arena *a, const struct change *under, struct change *over)
{
	struct write *all = arena_alloc_array(a, under->count + over->count, sizeof *all);
	size_t count = 0;

	for (size_t i = 0; i < under->count; i++)
		if (change_find(over, under->writes[i].name) == NULL)
			all[count++] = under->writes[i];
	for (size_t i = 0; i < over->count; i++)
		all[count++] = over->writes[i];
	over->writes = all;
	over->count = count;
	bool is_sound = change_sort(over);

	ENSURE(is_sound);
}

/*
 * The office was found not to have this record, although it once acknowledged it: so this edit
 * makes it anew there, with every field.
 */
static void revive(struct work *w)
{
	const struct record *office = &w->record.office;
	struct change all = {.type = office->type, .id = office->id};

	all.writes = arena_alloc_array(w->arena, office->count, sizeof *all.writes);
	for (size_t i = 0; i < office->count; i++)
		if (office->fields[i].value.kind != VALUE_NULL)
			all.writes[all.count++] =
				(struct write){office->fields[i].name, office->fields[i].value};
	lay_over(w->arena, &all, &w->change);
	w->record.office = (struct record){.type = office->type, .id = office->id};
	w->record.generation = vault_state(w->ctx->vault)->generation;
}

static bool moves_unit(const struct change *from, const struct change *to)
{
	const struct write *a = change_find(from, bytes_str(RECORD_UNIT));
	const struct write *b = change_find(to, bytes_str(RECORD_UNIT));

	return a != NULL && b != NULL && !value_equal(&a->value, &b->value);
}

static bool is_foldable(const struct work *w, size_t i)
{
	const struct vault_change *p = &w->pending[i];

	if (p->is_refused)
		return true;
	/* Made here and moved away before it was sent: made in the other unit it would be out of
	 * scope, so the office gets the one and then the other. */
	if (w->record.office.count == 0 && moves_unit(&p->change, &w->change))
		return false;
	return p->number == 0 && i + 1 == w->pending_count && p->change.base == w->change.base &&
	       bytes_equal(p->change.author, w->change.author);
}

/*
 * What the record still shows of a refused change. What lost to another's write meanwhile is not
 * said again: who makes this edit sees the other's value in its place. The office keeps it.
 */
static struct change shown(const struct work *w, const struct change *refused)
{
	struct change c = *refused;

	c.writes = arena_alloc_array(w->arena, refused->count, sizeof *c.writes);
	c.count = 0;
	for (size_t i = 0; i < refused->count; i++) {
		const struct write *write = &refused->writes[i];
		const struct field *f = record_find(&w->record.body, write->name);

		if (f != NULL && value_equal(&f->value, &write->value))
			c.writes[c.count++] = *write;
	}
	return c;
}

static void take_along(struct work *w, const struct vault_change *pending)
{
	struct change under = pending->change;

	if (pending->is_refused)
		under = shown(w, &pending->change);
	/* Where a refused value stands on top, what came below it since has not been seen. */
	if (pending->is_refused && under.count != 0 && under.base < w->seen)
		w->seen = under.base;
	lay_over(w->arena, &under, &w->change);
}

/* Takes the last draft and what was refused into the change; the rest stays below it. */
static void fold(struct work *w)
{
	w->kept = arena_alloc_array(w->arena, w->pending_count, sizeof *w->kept);
	for (size_t i = w->pending_count; i-- > 0;)
		if (is_foldable(w, i))
			take_along(w, &w->pending[i]);
	for (size_t i = 0; i < w->pending_count; i++)
		if (!is_foldable(w, i))
			w->kept[w->kept_count++] = w->pending[i];
	w->before = rebase_body(w->arena, w->kind, &w->record.office, w->kept, w->kept_count,
				w->ctx->device);
}

/* An event is written once (M3): what has been sealed stays as it is. */
static bool is_event_kept(const struct work *w, struct finding *ret_finding)
{
	if (w->kind != MERGE_EVENT || w->before.count == 0)
		return true;
	for (size_t i = 0; i < w->change.count; i++) {
		const struct write *write = &w->change.writes[i];
		const struct field *f = record_find(&w->before, write->name);

		if (f == NULL || record_is_system_field(write->name) ||
		    value_equal(&f->value, &write->value))
			continue;
		*ret_finding =
			(struct finding){.verdict = VERDICT_OUT_OF_RANGE, .field = write->name};
		snprintf(ret_finding->text, sizeof ret_finding->text,
			 "sự kiện đã gửi không sửa được: hãy ghi sự kiện mới với corrects=ID, hoặc "
			 "void / a sent event cannot be edited: add a new one with corrects=ID, or "
			 "void it");
		return false;
	}
	return true;
}

/*
 * The record says that already. `deleted` counts by what it does: a reason that an edit outlived
 * deletes again when it is written again (M4).
 */
static bool is_same(const struct record *r, const struct write *write)
{
	const struct field *f = record_find(r, write->name);
	bool is_null = write->value.kind == VALUE_NULL;

	if (bytes_is(write->name, RECORD_DELETED) && record_is_deleted(r) == is_null)
		return false;
	if (bytes_is(write->name, RECORD_DELETED) && is_null)
		return r->count != 0;
	return f != NULL ? value_equal(&f->value, &write->value) : r->count != 0 && is_null;
}

/* Drops what is already so. */
static void drop_same(struct work *w)
{
	size_t count = 0;

	for (size_t i = 0; i < w->change.count; i++) {
		if (!is_same(&w->before, &w->change.writes[i]))
			w->change.writes[count++] = w->change.writes[i];
	}
	w->change.count = count;
}

/* Does the change say anything that body does not show? */
static bool says_news(const struct work *w, const struct change *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (!is_same(&w->record.body, &c->writes[i]))
			return true;
	}
	return false;
}

static enum err check(struct work *w, struct finding *ret_finding)
{
	if (w->change.count == 0)
		return ERR_OK;
	enum verdict v = validate_change(w->ctx->schema, w->before.count != 0 ? &w->before : NULL,
					 &w->change, ret_finding);
	AUTO(buf_clear) struct buf encoded = {0};

	if (v != VERDICT_OK && v != VERDICT_UNKNOWN_FIELD)
		return err_raise(ERR_INVAL, "%s: %.*s", verdict_name(v),
				 BYTES_FMT(ret_finding->field));
	if (!is_event_kept(w, ret_finding))
		return err_raise(ERR_INVAL, "a sealed event cannot be edited");
	change_encode(&w->change, &encoded);
	if (encoded.len > ENTRY_MAX_BYTES) {
		*ret_finding = (struct finding){.verdict = VERDICT_TOO_LONG};
		snprintf(ret_finding->text, sizeof ret_finding->text,
			 "quá dài cho một lần ghi; too long for one entry");
		return err_raise(ERR_INVAL, "change of %zu bytes", encoded.len);
	}
	return ERR_OK;
}

static enum err work_out(struct work *w, const struct change *change,
			 enum entry_outcome *ret_outcome, struct finding *ret_finding)
{
	const struct entry_context *ctx = w->ctx;
	enum err e = load(w, &change->id);

	if (e != ERR_OK)
		return e;
	w->kind = rebase_kind(ctx->schema, change->type);
	w->change = *change;
	w->change.author = ctx->author;
	w->change.number = 0;
	if (!change_sort(&w->change)) {
		*ret_finding = (struct finding){.verdict = VERDICT_BAD_FORMAT};
		snprintf(ret_finding->text, sizeof ret_finding->text,
			 "một trường được ghi hai lần; a field is there twice");
		return err_raise(ERR_INVAL, "a field is there twice");
	}
	if (w->exists && !says_news(w, &w->change)) {
		*ret_outcome = ENTRY_SAME;
		return ERR_OK;
	}
	if (w->exists && w->record.generation == VAULT_GENERATION_MISSING)
		revive(w);
	const struct write *unit = change_find(&w->change, bytes_str(RECORD_UNIT));
	/* Where the office has it: what we moved and have not sent was seen in the old unit. */
	int64_t lives_in = w->record.office.count != 0 ? record_unit(&w->record.office)
			   : w->exists                 ? record_unit(&w->record.body)
			   : unit != NULL && unit->value.kind == VALUE_INT ? unit->value.integer
									   : 0;

	/* Of an epoch that ended: of the present one nothing of it has been seen. */
	bool is_old = w->record.office.count != 0 &&
		      w->record.generation < vault_state(ctx->vault)->generation;

	w->change.base = is_old ? 0 : base_of(ctx, lives_in);
	w->seen = w->change.base;
	if (w->exists)
		fold(w);
	drop_same(w);
	*ret_outcome = w->exists ? ENTRY_CHANGED : ENTRY_NEW;
	return check(w, ret_finding);
}

static enum err keep(struct work *w)
{
	struct vault *v = w->ctx->vault;
	struct vault_state state = *vault_state(v);
	struct hlc hlc = {(uint64_t)(state.hlc > state.seen ? state.hlc : state.seen)};
	const size_t left = w->kept_count + (w->change.count != 0);
	enum err e = ERR_OK;

	w->change.clock = hlc_tick(&hlc, clock_wall_ms(w->ctx->clock));
	state.hlc = (int64_t)hlc.last;
	for (size_t i = 0; i < w->pending_count && e == ERR_OK; i++)
		if (is_foldable(w, i))
			e = vault_change_remove(v, w->pending[i].seq);
	w->change.base = w->seen;
	struct vault_change last = {.change = w->change};
	struct vault_record r = w->record;

	r.body = rebase_body(w->arena, w->kind, &w->before, &last, 1, w->ctx->device);
	if (!w->exists)
		r.generation = state.generation;
	/* An edit taken back again leaves nothing of ours on top. */
	r.is_same = left == 0;
	if (e == ERR_OK && w->change.count != 0)
		e = vault_change_add(v, &w->change, false);
	if (e == ERR_OK)
		e = rebase_is_over(&r, left) ? vault_record_remove(v, &w->change.id)
					     : vault_record_put(v, &r);
	return e == ERR_OK ? vault_state_put(v, &state) : e;
}

static enum err run(const struct entry_context *ctx, const struct change *change, bool is_dry,
		    enum entry_outcome *ret_outcome, struct finding *ret_finding)
{
	AUTO(arena_clear) struct arena a = {0};
	struct work w = {.ctx = ctx, .arena = &a};
	enum err e = work_out(&w, change, ret_outcome, ret_finding);

	if (e != ERR_OK || *ret_outcome == ENTRY_SAME || is_dry)
		return e;
	return keep(&w);
}

enum err entry_make(const struct entry_context *ctx, const struct change *change,
		    enum entry_outcome *ret_outcome, struct finding *ret_finding)
{
	return run(ctx, change, false, ret_outcome, ret_finding);
}

enum err entry_try(const struct entry_context *ctx, const struct change *change,
		   enum entry_outcome *ret_outcome, struct finding *ret_finding)
{
	return run(ctx, change, true, ret_outcome, ret_finding);
}
