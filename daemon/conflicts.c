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

enum err conflicts_settle(struct store *s, struct arena *a, const struct change *c,
			  const struct record *after, struct stamp stamp, int64_t now_ms)
{
	struct conflict_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_open_conflicts(s, a, c->type, &c->id, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (!conflicts_stands(&rows[i], after) || !is_by(&rows[i], after, stamp))
			continue;
		rows[i].state = BYTES_LIT("restored");
		rows[i].decided_by = c->author;
		rows[i].decided_device = stamp.device;
		rows[i].decided_ms = now_ms;
		e = store_decide_conflict(s, &rows[i]);
	}
	return e;
}
