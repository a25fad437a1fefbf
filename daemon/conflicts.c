#include "daemon/conflicts.h"

struct value conflicts_in_force(const struct record *r, struct bytes field)
{
	const struct field *f = record_find(r, field);

	if (f == NULL || (bytes_is(field, RECORD_DELETED) && !record_is_deleted(r)))
		return VALUE_NONE;
	return f->value;
}

bool conflicts_stands(const struct conflict_row *row, const struct record *r)
{
	struct value present = conflicts_in_force(r, row->lost.name);

	if (bytes_is(row->lost.name, RECORD_DELETED))
		return (present.kind == VALUE_NULL) == (row->lost.value.kind == VALUE_NULL);
	return value_equal(&present, &row->lost.value);
}

/* A record comes back by any field that is written; all else by the field itself. */
static bool is_by(const struct conflict_row *row, const struct record *after, struct stamp stamp)
{
	bool is_revival = bytes_is(row->lost.name, RECORD_DELETED) && !record_is_deleted(after);
	const struct field *f = record_find(after, row->lost.name);
	struct stamp last = record_last_stamp(after);

	if (is_revival)
		return stamp_compare(&last, &stamp) == 0;
	return f != NULL && stamp_compare(&f->stamp, &stamp) == 0;
}

struct settling {
	struct store *store;
	struct arena *a;
	const struct change *change;
	const struct record *after;
	struct stamp stamp;
	int64_t now_ms;
};

/* What stands in `field` now lost before? Mostly no, and the store need not be asked. */
static enum err settle_field(const struct settling *t, struct bytes field)
{
	const struct value present = conflicts_in_force(t->after, field);
	const struct store_lost_value lost = {
		.type = t->change->type, .id = t->change->id, .field = field, .value = present};
	struct conflict_row *rows = NULL;
	size_t count = 0;
	enum err e;

	if (!store_may_be_lost(t->store, &t->change->id, field, &present))
		return ERR_OK;
	e = store_load_open_conflicts(t->store, t->a, &lost, &rows, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (!conflicts_stands(&rows[i], t->after) || !is_by(&rows[i], t->after, t->stamp))
			continue;
		rows[i].state = BYTES_LIT("restored");
		rows[i].decided_by = t->change->author;
		rows[i].decided_device = t->stamp.device;
		rows[i].decided_ms = t->now_ms;
		e = store_decide_conflict(t->store, &rows[i]);
	}
	return e;
}

enum err conflicts_settle(struct store *s, struct arena *a, const struct change *c,
			  const struct record *after, struct stamp stamp, int64_t now_ms)
{
	const struct settling t = {s, a, c, after, stamp, now_ms};
	enum err e;

	if (!store_may_have_lost(s, &c->id))
		return ERR_OK;
	/* Any field that is written brings a record back. */
	e = settle_field(&t, BYTES_LIT(RECORD_DELETED));
	for (size_t i = 0; e == ERR_OK && i < c->count; i++) {
		const struct field *f = record_find(after, c->writes[i].name);

		if (f != NULL && stamp_compare(&f->stamp, &stamp) == 0 &&
		    !bytes_is(f->name, RECORD_DELETED))
			e = settle_field(&t, f->name);
	}
	return e;
}
