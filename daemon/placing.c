#include "daemon/placing.h"

#include <string.h>

#include "common/base/buf.h"
#include "daemon/store_erase.h"

static struct placing_record *list_of(struct arena *a, const struct buf *records)
{
	struct placing_record *list = NULL;

	if (records->len != 0) {
		list = arena_alloc(a, records->len);
		memcpy(list, records->data, records->len);
	}
	return list;
}

static void find_owner(const struct schema_type *t, struct placing_record *p)
{
	for (size_t i = 0; t != NULL && i < t->count; i++) {
		const struct schema_field *f = &t->fields[i];
		const struct field *held;

		if (f->type != FIELD_REFERENCE || !f->is_indexed)
			continue;
		held = record_find(&p->record, f->name);
		if (held == NULL || held->value.kind != VALUE_BYTES ||
		    held->value.bytes.len != ID_LEN)
			continue;
		p->has_owner = true;
		p->owner_type = f->target;
		memcpy(p->owner.bytes, held->value.bytes.data, ID_LEN);
		return;
	}
}

static struct placing_record placing_of(const struct store *s, const struct record *r)
{
	struct placing_record p = {.record = *r};

	find_owner(schema_find_type(store_schema(s), r->type), &p);
	return p;
}

/* ---- the list ---- */

/* Pages hold deleted records, too: read on until there are enough of the others. */
static enum err load_type(struct store *s, struct arena *a, struct store_page *page, size_t wanted,
			  struct buf *records)
{
	for (;;) {
		struct store_state *states = NULL;
		size_t count = 0;
		enum err e = store_load_page(s, a, page, &states, &count);

		if (e != ERR_OK || count == 0)
			return e;
		for (size_t i = 0; i < count; i++) {
			const struct placing_record p = placing_of(s, &states[i].record);

			if (!record_is_deleted(&p.record))
				buf_append(records, &p, sizeof p);
		}
		if (records->len / sizeof(struct placing_record) >= wanted)
			return ERR_OK;
		page->after = states[count - 1].log;
	}
}

enum err placing_load(struct store *s, struct arena *a, int64_t unit, size_t limit,
		      struct placing_list *ret_list)
{
	AUTO(buf_clear) struct buf records = {0};
	enum err e = ERR_OK;
	size_t count = 0;

	for (size_t i = 0; e == ERR_OK && count <= limit && i < store_type_count(s); i++) {
		bool is_event;
		struct store_page page = {.type = store_type(s, i, &is_event),
					  .unit = unit,
					  .until = INT64_MAX,
					  .limit = limit + 1};

		e = load_type(s, a, &page, limit + 1, &records);
		count = records.len / sizeof(struct placing_record);
	}
	if (e != ERR_OK)
		return e;
	*ret_list = (struct placing_list){.records = list_of(a, &records),
					  .count = count > limit ? limit : count,
					  .has_more = count > limit};
	return ERR_OK;
}

/* ---- what goes along ---- */

static bool is_among(const struct buf *records, const struct id *id)
{
	const struct placing_record *list = (const void *)records->data;

	for (size_t i = 0; i < records->len / sizeof *list; i++) {
		if (id_compare(&list[i].record.id, id) == 0)
			return true;
	}
	return false;
}

/* Those that name `owner`, wait in the unit, and belong to it first of all. */
static enum err add_owned(struct store *s, struct arena *a, const struct id *owner, int64_t unit,
			  struct buf *records)
{
	struct reference_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_indexed_references(s, a, owner, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct store_state state = {.record = {.type = rows[i].type, .id = rows[i].id}};
		struct placing_record p;

		if (is_among(records, &rows[i].id))
			continue;
		e = store_load_states(s, a, &state, 1);
		if (e != ERR_OK)
			return e;
		p = placing_of(s, &state.record);
		if (record_unit(&p.record) == unit && !record_is_deleted(&p.record) &&
		    p.has_owner && id_compare(&p.owner, owner) == 0)
			buf_append(records, &p, sizeof p);
	}
	return e;
}

enum err placing_load_along(struct store *s, struct arena *a, const struct record *of,
			    struct placing_record **ret_records, size_t *ret_count)
{
	AUTO(buf_clear) struct buf records = {0};
	const struct placing_record first = placing_of(s, of);
	enum err e = ERR_OK;

	/* The record itself stands first, so that a circle of references ends. */
	buf_append(&records, &first, sizeof first);
	for (size_t i = 0; e == ERR_OK && i < records.len / sizeof first; i++) {
		const struct placing_record *list = (const void *)records.data;
		const struct id owner = list[i].record.id;

		e = add_owned(s, a, &owner, record_unit(of), &records);
	}
	if (e != ERR_OK)
		return e;
	*ret_records = list_of(a, &records) + 1;
	*ret_count = records.len / sizeof first - 1;
	return ERR_OK;
}
