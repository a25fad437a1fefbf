#include "daemon/decide.h"

#include <string.h>

#include "daemon/conflicts.h"
#include "daemon/history.h"
#include "daemon/joined.h"
#include "daemon/units.h"

struct decision {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	struct bytes who;
	struct record record; /* as it was before */
	struct decided decided;
};

/* ---- who hears of it ---- */

/* The record, or one of the two values: a decision may bring a restricted code back. */
static bool is_restricted(const struct decision *d)
{
	const struct schema *schema = store_schema(d->store);
	const struct conflict_row *row = &d->decided.row;
	struct field sides[2] = {row->kept, row->lost};
	bool is = schema_is_restricted(schema, &d->record);

	for (size_t i = 0; i < 2 && !is; i++) {
		const struct record alone = {.type = row->type, .fields = &sides[i], .count = 1};

		is = schema_is_restricted(schema, &alone);
	}
	return is;
}

/* A device that lost sight of the record since is told that, and no values. */
static enum err may_see(struct decision *d, const struct store_device *device, bool *ret_may)
{
	int64_t now_ms = clock_wall_ms(d->ctx->clock);
	int64_t *scope = NULL;
	size_t count = 0;
	enum err e =
		units_load_scope_now(d->store, d->a, device->id.number, now_ms, &scope, &count);

	if (e != ERR_OK)
		return e;
	*ret_may = units_scope_has(scope, count, record_unit(&d->record)) &&
		   (device->id.is_cleared || !is_restricted(d));
	return ERR_OK;
}

/* The value that does not stand now. */
static struct value other_side(const struct decision *d)
{
	const struct conflict_row *row = &d->decided.row;

	if (d->decided.is_written)
		return d->decided.replaced;
	if (bytes_is(row->state, "kept") || !conflicts_stands(row, &d->record))
		return row->lost.value;
	return row->kept.value;
}

static bool is_open(const struct decision *d)
{
	return bytes_is(d->decided.row.state, "open");
}

static enum err tell(struct decision *d, uint32_t number, struct bytes text)
{
	const struct conflict_row *row = &d->decided.row;
	struct notice_row notice = {.device = number,
				    .kind = is_open(d) ? BYTES_LIT("reopened")
						       : BYTES_LIT("decided"),
				    .type = row->type,
				    .id = row->id,
				    .field = row->kept.name,
				    .by = d->who,
				    .at_ms = clock_wall_ms(d->ctx->clock),
				    .text = text};
	struct store_device device;
	bool may = false;
	enum err e;

	if (number == STAMP_DEVICE_OFFICE)
		return ERR_OK;
	e = store_load_device(d->store, d->a, number, &device);
	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = may_see(d, &device, &may);
	if (e == ERR_OK && may) {
		notice.kept = d->decided.stands;
		notice.lost = other_side(d);
	}
	return e != ERR_OK ? e : store_notify(d->store, &notice);
}

/* Both authors, once where they are one device. */
static enum err end_row(struct decision *d, struct bytes state, struct bytes text)
{
	struct conflict_row *row = &d->decided.row;
	enum err e;

	row->state = state;
	row->decided_by = is_open(d) ? BYTES_NONE : d->who;
	row->decided_device = STAMP_DEVICE_OFFICE;
	row->decided_ms = is_open(d) ? 0 : clock_wall_ms(d->ctx->clock);
	e = store_decide_conflict(d->store, row);
	if (e == ERR_OK)
		e = tell(d, row->kept.stamp.device, text);
	if (e == ERR_OK && row->lost.stamp.device != row->kept.stamp.device)
		e = tell(d, row->lost.stamp.device, text);
	return e;
}

/* ---- deciding ---- */

static enum err load(struct decision *d, uint64_t conflict)
{
	struct conflict_row *row = &d->decided.row;
	struct store_state state = {0};
	bool is_event = false;
	enum err e = store_load_conflict(d->store, d->a, conflict, row);

	if (e != ERR_OK)
		return e;
	state.record = (struct record){.type = row->type, .id = row->id};
	if (store_has_type(d->store, row->type, &is_event))
		e = store_load_states(d->store, d->a, &state, 1);
	if (e != ERR_OK)
		return e;
	d->record = state.record;
	d->decided.stands = conflicts_in_force(&d->record, row->kept.name);
	d->decided.replaced = d->decided.stands;
	if (!is_open(d))
		d->decided.outcome = DECIDE_BEFORE;
	return ERR_OK;
}

enum err decide_keep(const struct context *ctx, struct store *s, struct arena *a, uint64_t conflict,
		     struct bytes who, struct decided *ret_decided)
{
	struct decision d = {.ctx = ctx, .store = s, .a = a, .who = who};
	enum err e = load(&d, conflict);

	if (e == ERR_OK && d.decided.outcome == DECIDE_DONE)
		e = end_row(&d, BYTES_LIT("kept"),
			    BYTES_LIT("Văn phòng giữ giá trị đang có / the office keeps the value "
				      "that stands"));
	if (e == ERR_OK)
		*ret_decided = d.decided;
	return e;
}

/* What the merge would not take, or what would harm. */
static enum err may_write(struct decision *d, const struct value *value)
{
	const struct conflict_row *row = &d->decided.row;
	bool is_event = false;
	struct id to;
	bool may = true;
	enum err e = ERR_OK;

	/* Without a table the merge refuses it by name. */
	if (!store_has_type(d->store, row->type, &is_event))
		return ERR_OK;
	if (is_event && !record_is_system_field(row->lost.name)) {
		d->decided.outcome = DECIDE_EVENT;
		return ERR_OK;
	}
	if (!bytes_is(row->lost.name, RECORD_MERGED_INTO) || value->kind != VALUE_BYTES ||
	    value->bytes.len != ID_LEN)
		return ERR_OK;
	memcpy(to.bytes, value->bytes.data, ID_LEN);
	e = joined_may_lead(d->store, d->a, row->type, &row->id, &to, &may);
	if (!may)
		d->decided.outcome = DECIDE_CIRCLE;
	return e;
}

/* As a change of the office. */
static enum err write_value(struct decision *d, struct value value)
{
	const struct conflict_row *row = &d->decided.row;
	struct write w = {.name = row->lost.name, .value = value};
	struct change c = {
		.type = row->type, .id = row->id, .author = d->who, .writes = &w, .count = 1};
	enum err e = may_write(d, &value);

	if (e != ERR_OK || d->decided.outcome != DECIDE_DONE)
		return e;
	e = office_write(d->ctx, d->store, d->a, &c, 1, &d->decided.written);
	if (e != ERR_OK)
		return e;
	if (!d->decided.written.is_merged) {
		d->decided.outcome = DECIDE_REFUSED;
		return ERR_OK;
	}
	d->decided.is_written = true;
	d->decided.stands = value;
	return ERR_OK;
}

enum err decide_restore(const struct context *ctx, struct store *s, struct arena *a,
			uint64_t conflict, struct bytes who, struct decided *ret_decided)
{
	struct decision d = {.ctx = ctx, .store = s, .a = a, .who = who};
	enum err e = load(&d, conflict);

	if (e == ERR_OK && d.decided.outcome == DECIDE_DONE &&
	    !conflicts_stands(&d.decided.row, &d.record))
		e = write_value(&d, d.decided.row.lost.value);
	if (e == ERR_OK && d.decided.outcome == DECIDE_DONE)
		e = end_row(&d, BYTES_LIT("restored"),
			    BYTES_LIT("Văn phòng đã khôi phục giá trị bị thay / the office "
				      "restored the value that had lost"));
	if (e == ERR_OK)
		*ret_decided = d.decided;
	return e;
}

/* ---- taking it back ---- */

static bool is_reopenable(struct decision *d)
{
	const struct conflict_row *row = &d->decided.row;

	if (is_open(d))
		d->decided.outcome = DECIDE_OPEN;
	else if (row->decided_device != STAMP_DEVICE_OFFICE)
		d->decided.outcome = DECIDE_AUTHOR;
	else if (bytes_is(row->state, "kept") || bytes_is(row->state, "restored"))
		d->decided.outcome = DECIDE_DONE;
	return d->decided.outcome == DECIDE_DONE;
}

/* What stands in the field is what the office restored; NULL: somebody wrote since. */
static const struct field *find_restored(const struct decision *d)
{
	const struct conflict_row *row = &d->decided.row;
	const struct field *f = record_find(&d->record, row->lost.name);
	struct stamp last = record_last_stamp(&d->record);

	if (!bytes_is(row->state, "restored") || f == NULL ||
	    f->stamp.device != STAMP_DEVICE_OFFICE || !conflicts_stands(row, &d->record))
		return NULL;
	/* Deleted anew, a record would take with it what was written since it came back. */
	if (bytes_is(f->name, RECORD_DELETED) && stamp_compare(&f->stamp, &last) != 0)
		return NULL;
	return f;
}

static struct value old_of(const struct history_entry *entry, const struct field *f)
{
	for (size_t i = 0; i < entry->write_count; i++) {
		if (bytes_equal(entry->writes[i].field, f->name))
			return entry->writes[i].old;
	}
	return VALUE_NONE;
}

/* What this value replaced: the log has it, and it need not be the one that won the conflict. */
static enum err find_replaced(struct decision *d, const struct field *f, struct value *ret_value)
{
	const struct conflict_row *row = &d->decided.row;
	struct history_entry *entries = NULL;
	size_t count = 0;
	enum err e = history_load_record(d->store, d->a, row->type, &row->id, &entries, &count);

	*ret_value = row->kept.value;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (stamp_compare(&entries[i].stamp, &f->stamp) == 0)
			*ret_value = old_of(&entries[i], f);
	}
	/* A deletion that did not count: the record was there. */
	if (bytes_is(f->name, RECORD_DELETED) && record_is_deleted(&d->record))
		*ret_value = VALUE_NONE;
	return e;
}

static enum err put_back(struct decision *d)
{
	const struct field *f = find_restored(d);
	struct value value;
	enum err e = f != NULL ? find_replaced(d, f, &value) : ERR_OK;

	return e == ERR_OK && f != NULL ? write_value(d, value) : e;
}

enum err decide_reopen(const struct context *ctx, struct store *s, struct arena *a,
		       uint64_t conflict, struct bytes who, struct decided *ret_decided)
{
	struct decision d = {.ctx = ctx, .store = s, .a = a, .who = who};
	enum err e = load(&d, conflict);

	if (e == ERR_OK && is_reopenable(&d))
		e = put_back(&d);
	if (e == ERR_OK && d.decided.outcome == DECIDE_DONE)
		e = end_row(&d, BYTES_LIT("open"),
			    BYTES_LIT("Văn phòng rút lại quyết định về hai giá trị này và sẽ xem "
				      "lại / the office took back its decision about these two "
				      "values and will look again"));
	if (e == ERR_OK)
		*ret_decided = d.decided;
	return e;
}
