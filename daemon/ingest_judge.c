#include "daemon/ingest_private.h"
#include "daemon/units.h"

#define CODE_OUT_OF_SCOPE "out_of_scope"
#define CODE_NO_SUCH_UNIT "no_such_unit"
#define CODE_NOT_CLEARED  "not_cleared"
#define CODE_TOO_BIG      "too_big"

struct ingest_refusal ingest_refuse(const char *code, const char *field, const char *text)
{
	return (struct ingest_refusal){bytes_str(code), bytes_str(field), bytes_str(text)};
}

static bool is_office(const struct ingest *r)
{
	return r->request->device == STAMP_DEVICE_OFFICE;
}

enum err ingest_load_scope(struct ingest *r)
{
	if (r->has_scope || is_office(r))
		return ERR_OK;
	r->has_scope = true;
	return units_load_scope_now(r->store, r->a, r->request->device, r->request->now_ms,
				    &r->scope, &r->scope_count);
}

static bool in_scope(const struct ingest *r, int64_t unit)
{
	return is_office(r) || units_scope_has(r->scope, r->scope_count, unit);
}

void ingest_note_place(struct ingest *r, const struct fold_entry *entry, const struct change *c)
{
	if (!in_scope(r, record_unit(&entry->state.record)))
		ingest_note_away(r, c);
}

/*
 * The record has left the device's scope: its edit lands safely when it could not know
 * (M5), that is when a unit of its scope lost the record after the edit's base.
 */
static enum err may_land(struct ingest *r, const struct change *c, bool *ret_may)
{
	struct moved_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_moved_of(r->store, r->a, &c->id, &rows, &count);

	*ret_may = false;
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (rows[i].log > c->base && bytes_equal(rows[i].type, c->type) &&
		    in_scope(r, rows[i].from_unit))
			*ret_may = true;
	}
	return e;
}

/*
 * After a restore the transfer that took the record away may come before the one that had brought
 * it to where the change's author had it. That one loses then, and the store has never seen the
 * record there; that it was there is in the conflict.
 */
static enum err was_brought(struct ingest *r, const struct change *c, bool *ret_was)
{
	struct conflict_row *rows = NULL;
	size_t count = 0;
	enum err e;

	*ret_was = false;
	if (r->base_cut == 0 && c->base != 0)
		return ERR_OK;
	e = store_load_conflicts_of(r->store, r->a, c, BYTES_LIT(RECORD_UNIT), &rows, &count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (rows[i].log > c->base && rows[i].lost.value.kind == VALUE_INT &&
		    in_scope(r, rows[i].lost.value.integer))
			*ret_was = true;
	}
	return e;
}

/* The record came into the store by an edit from an epoch that ended: what made it was lost. */
static enum err is_made_by_edit(struct ingest *r, const struct fold_entry *entry, bool *ret_is)
{
	uint64_t *logs = NULL;
	size_t count = 0;
	struct log_row log;
	enum err e;

	*ret_is = false;
	store_read_touched(r->a, entry->state.touched, &logs, &count);
	if (count == 0)
		return ERR_OK;
	e = store_load_log(r->store, r->a, logs[0], &log);
	*ret_is = e == ERR_OK && log.base_cut != 0;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

/*
 * The change made the record, in a unit of its device's scope and in an epoch that ended; then
 * the record was moved. A restore lost both, and who moved it has sent that again first. It lands
 * as any edit from before a transfer.
 */
static enum err may_have_made(struct ingest *r, const struct fold_entry *entry, size_t index,
			      bool *ret_may)
{
	const struct change *c = &r->fold.present->changes[index];
	const struct write *w = change_find(c, BYTES_LIT(RECORD_UNIT));
	const struct field *unit = record_find(&entry->state.record, BYTES_LIT(RECORD_UNIT));

	*ret_may = false;
	if (r->base_cut == 0 || w == NULL || w->value.kind != VALUE_INT || unit == NULL ||
	    unit->stamp.clock <= r->fold.present->clocks[index] || !in_scope(r, w->value.integer))
		return ERR_OK;
	return is_made_by_edit(r, entry, ret_may);
}

/* *ret_why stays without a code when the change may go on. */
static enum err check_scope(struct ingest *r, const struct fold_entry *entry, size_t index,
			    struct ingest_refusal *ret_why)
{
	const struct change *c = &r->fold.present->changes[index];
	static const char out_of_scope[] =
		"Hồ sơ không thuộc địa bàn của thiết bị / the record is not in the device's scope";
	const struct write *w = change_find(c, BYTES_LIT(RECORD_UNIT));
	bool may = true;
	enum err e = ERR_OK;

	/* A new record without a unit, or one of a wrong kind, is validate_change()'s to refuse. */
	if (entry->state.record.count == 0)
		may = w == NULL || w->value.kind != VALUE_INT || in_scope(r, w->value.integer);
	else if (!in_scope(r, record_unit(&entry->state.record)))
		e = may_land(r, c, &may);
	if (e == ERR_OK && !may && entry->state.record.count != 0)
		e = was_brought(r, c, &may);
	if (e == ERR_OK && !may && entry->state.record.count != 0)
		e = may_have_made(r, entry, index, &may);
	if (e != ERR_OK)
		return e;
	if (!may) {
		*ret_why = ingest_refuse(CODE_OUT_OF_SCOPE, "", out_of_scope);
		return ERR_OK;
	}
	if (w == NULL || w->value.kind != VALUE_INT)
		return ERR_OK;
	/* A unit of the scope is there. */
	if (!is_office(r) && in_scope(r, w->value.integer))
		return ERR_OK;
	if (!units_exists(r->store, w->value.integer, &e) && e == ERR_OK)
		*ret_why = ingest_refuse(CODE_NO_SUCH_UNIT, RECORD_UNIT,
					 "Không có đơn vị này / there is no such unit");
	return e;
}

/* As it would be stored: the state before and what the change writes over it. */
static bool is_restricted(struct ingest *r, const struct fold_entry *entry, const struct change *c)
{
	const struct schema_type *type = schema_find_type(r->schema, c->type);
	struct record written = {.type = c->type, .id = c->id, .count = c->count};

	if (type == NULL || !type->may_be_restricted)
		return false;
	if (entry->state.record.count != 0 && schema_is_restricted(r->schema, &entry->state.record))
		return true;
	written.fields = arena_alloc_array(r->a, c->count, sizeof *written.fields);
	for (size_t i = 0; i < c->count; i++)
		written.fields[i] =
			(struct field){.name = c->writes[i].name, .value = c->writes[i].value};
	return schema_is_restricted(r->schema, &written);
}

/* Change `index` of the fold's present set. */
enum err ingest_judge(struct ingest *r, const struct fold_entry *entry, size_t index,
		      struct ingest_refusal *ret_why, struct finding *finding)
{
	static const char too_big[] =
		"Hồ sơ sẽ quá lớn để gửi đi / the record would be too big to be sent";
	const struct change *c = &r->fold.present->changes[index];
	static const char not_cleared[] =
		"Thiết bị chưa được phép ghi thông tin hạn chế / the device is not cleared for"
		" restricted data";
	enum err e;

	if (entry == NULL) {
		*ret_why = ingest_refuse(verdict_name(VERDICT_UNKNOWN_TYPE), "",
					 "Loại hồ sơ chưa có ở đây / no such record type here");
		return ERR_OK;
	}
	e = check_scope(r, entry, index, ret_why);
	if (e != ERR_OK || ret_why->code.len != 0)
		return e;
	if (validate_change(r->schema, &entry->state.record, c, finding) != VERDICT_OK)
		*ret_why = (struct ingest_refusal){bytes_str(verdict_name(finding->verdict)),
						   arena_copy(r->a, finding->field),
						   arena_copy(r->a, bytes_str(finding->text))};
	else if (!r->device.id.is_cleared && !is_office(r) && is_restricted(r, entry, c))
		*ret_why = ingest_refuse(CODE_NOT_CLEARED, "", not_cleared);
	else if (fold_is_too_big(&r->fold, entry, index))
		*ret_why = ingest_refuse(CODE_TOO_BIG, "", too_big);
	return ERR_OK;
}
