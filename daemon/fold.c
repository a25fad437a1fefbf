#include "daemon/fold.h"

#include "common/base/check.h"
#include "daemon/store_erase.h"
#include "proto/limits.h"

#define FIRST_SLOTS 64u

/* ---- opening a row again ---- */

const uint64_t *fold_clocks(struct arena *a, const struct repair *repair,
			    const struct change *changes, size_t count)
{
	uint64_t *clocks = arena_alloc_array(a, count, sizeof *clocks);
	uint64_t previous = repair->floor;

	for (size_t i = 0; i < count; i++)
		clocks[i] = stamp_effective(repair, changes[i].clock, &previous);
	return clocks;
}

struct bytes fold_one_author(const struct change *changes, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (!bytes_equal(changes[i].author, changes[0].author))
			return BYTES_NONE;
	}
	return count != 0 ? changes[0].author : BYTES_NONE;
}

void fold_cut_bases(struct change *changes, size_t count, uint64_t base_cut)
{
	for (size_t i = 0; i < count && base_cut != 0; i++)
		if (changes[i].base >= base_cut)
			changes[i].base = base_cut - 1;
}

static enum err open_set(struct arena *a, const struct log_row *row, struct fold_source *source)
{
	AUTO(buf_clear) struct buf wire = {0};
	struct changeset_opened opened;
	enum err e;

	changeset_frame(row->body, &row->signature, &row->cut, &wire);
	/* Decoded parts borrow from the bytes, so these must live as long as the arena. */
	e = changeset_open(a, arena_copy(a, buf_bytes(&wire)), NULL, &opened);
	if (e != ERR_OK)
		return err_raise(ERR_CORRUPT, "change-set %llu does not open",
				 (unsigned long long)row->log);
	fold_cut_bases(opened.set.changes, opened.set.count, row->base_cut);
	source->changes = opened.set.changes;
	source->count = opened.set.count;
	source->odd = opened.odd;
	source->odd_count = opened.odd_count;
	source->clocks = fold_clocks(a, &row->repair, opened.set.changes, opened.set.count);
	return ERR_OK;
}

/* A replayed change keeps the clock it got when it came: `floor` of its row. */
static enum err open_replay(struct arena *a, const struct log_row *row, struct fold_source *source)
{
	struct change *c = arena_alloc(a, sizeof *c);
	uint64_t *clock = arena_alloc(a, sizeof *clock);

	if (change_decode(a, row->body, c) != ERR_OK)
		return err_raise(ERR_CORRUPT, "replay %llu does not open",
				 (unsigned long long)row->log);
	c->is_foreign = row->kind == LOG_REPLAY_FORK;
	*clock = row->repair.floor;
	source->changes = c;
	source->count = 1;
	source->clocks = clock;
	return ERR_OK;
}

static enum err open_erasure(struct arena *a, const struct log_row *row, struct fold_source *source)
{
	struct erasure *x = arena_alloc(a, sizeof *x);
	enum err e = erasure_decode(a, row->body, x);

	source->erasure = x;
	return e;
}

enum err fold_open(struct arena *a, const struct log_row *row, struct fold_source *ret_source)
{
	struct fold_source source = {
		.log = row->log, .device = row->device, .at_ms = row->received_ms};
	enum err e = ERR_NOTFOUND;

	if (row->body.len == 0)
		return e;
	switch (row->kind) {
	case LOG_CHANGESET: e = open_set(a, row, &source); break;
	case LOG_REPLAY:
	case LOG_REPLAY_FORK: e = open_replay(a, row, &source); break;
	case LOG_ERASE: e = open_erasure(a, row, &source); break;
	}
	if (e == ERR_OK)
		*ret_source = source;
	return e;
}

/* ---- entries ---- */

void fold_init(struct fold *f, struct store *store, struct arena *a)
{
	*f = (struct fold){.store = store, .a = a, .slot_count = FIRST_SLOTS};
	f->slots = arena_alloc_array(a, FIRST_SLOTS, sizeof(struct fold_entry *));
}

/* Ids end in randomness; a peer that chooses its ids badly only slows its own request. */
static size_t slot_of(const struct fold *f, const struct id *id)
{
	uint64_t high;
	uint64_t low;

	memcpy(&high, id->bytes, 8);
	memcpy(&low, id->bytes + 8, 8);
	return (size_t)((high ^ low * UINT64_C(0x9e3779b97f4a7c15)) >> 7) & (f->slot_count - 1);
}

static bool is_entry(const struct fold_entry *e, struct bytes type, const struct id *id)
{
	return id_compare(&e->state.record.id, id) == 0 && bytes_equal(e->state.record.type, type);
}

/* The slot it is in, or the free one where it belongs. */
static struct fold_entry **find_slot(const struct fold *f, struct bytes type, const struct id *id)
{
	size_t at = slot_of(f, id);

	while (f->slots[at] != NULL && !is_entry(f->slots[at], type, id))
		at = (at + 1) & (f->slot_count - 1);
	return &f->slots[at];
}

static void grow(struct fold *f)
{
	struct fold_entry **old = f->slots;
	size_t old_count = f->slot_count;

	f->slot_count *= 4;
	f->slots = arena_alloc_array(f->a, f->slot_count, sizeof(struct fold_entry *));
	for (size_t i = 0; i < old_count; i++) {
		if (old[i] != NULL)
			*find_slot(f, old[i]->state.record.type, &old[i]->state.record.id) = old[i];
	}
}

/* The entry of a record nobody named before in this run; NULL: there is one, or no such table. */
static struct fold_entry *add_entry(struct fold *f, const struct change *c)
{
	struct fold_entry **slot = find_slot(f, c->type, &c->id);
	struct fold_entry *entry;
	bool is_event = false;

	if (*slot != NULL || !store_has_type(f->store, c->type, &is_event))
		return NULL;
	entry = arena_alloc(f->a, sizeof *entry);
	entry->kind = is_event ? MERGE_EVENT : MERGE_REGISTER;
	entry->state.record.type = c->type;
	entry->state.record.id = c->id;
	*slot = entry;
	f->entry_count++;
	if (f->entry_count * 2 > f->slot_count)
		grow(f);
	return entry;
}

static enum err load_entries(struct fold *f, const struct fold_source *source)
{
	struct store_state **states =
		arena_alloc_array(f->a, source->count, sizeof(struct store_state *));
	size_t count = 0;

	for (size_t i = 0; i < source->count; i++) {
		struct fold_entry *entry = add_entry(f, &source->changes[i]);

		if (entry != NULL)
			states[count++] = &entry->state;
	}
	return store_load_batch(f->store, f->a, states, count);
}

struct fold_entry *fold_find(struct fold *f, struct bytes type, const struct id *id)
{
	return *find_slot(f, type, id);
}

enum err fold_begin(struct fold *f, struct fold_source *source)
{
	enum err e = load_entries(f, source);

	REQUIRE(f->present == NULL);
	if (e != ERR_OK)
		return e;
	f->dirty = arena_alloc_array(f->a, source->count, sizeof(struct fold_entry *));
	f->dirty_count = 0;
	f->unit_count = 0;
	f->present = source;
	source->next = f->sources;
	f->sources = source;
	return ERR_OK;
}

/* ---- authors ---- */

static struct fold_source *find_source(struct fold *f, uint64_t log)
{
	struct fold_source *source = f->sources;

	while (source != NULL && source->log != log)
		source = source->next;
	return source;
}

/* Mostly a set has one author, and its bytes need not be opened. */
static enum err open_source(struct fold *f, uint64_t log, struct fold_source **ret_source)
{
	struct fold_source *source = arena_alloc(f->a, sizeof *source);
	struct log_row row;
	enum err e = store_load_log_author(f->store, f->a, log, &source->device, &source->author);

	if (e == ERR_OK && source->author.len == 0) {
		e = store_load_log(f->store, f->a, log, &row);
		if (e == ERR_OK)
			e = fold_open(f->a, &row, source);
	}
	/* Erased: remembered with no changes in it, so that it is not asked for again. */
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	source->log = log;
	source->next = f->sources;
	f->sources = source;
	*ret_source = source;
	return ERR_OK;
}

static struct bytes author_in(const struct fold_source *source, struct bytes type,
			      const struct id *id, uint64_t clock)
{
	if (source->author.len != 0)
		return source->author;
	for (size_t i = 0; i < source->count; i++) {
		const struct change *c = &source->changes[i];

		if (source->clocks[i] == clock && id_compare(&c->id, id) == 0 &&
		    bytes_equal(c->type, type))
			return c->author;
	}
	return BYTES_NONE;
}

enum err fold_author(struct fold *f, struct bytes type, const struct id *id,
		     const struct field *side, struct bytes *ret_author)
{
	struct fold_source *source = find_source(f, side->log);
	enum err e = ERR_OK;

	*ret_author = BYTES_NONE;
	if (source == NULL)
		e = open_source(f, side->log, &source);
	if (e == ERR_OK && source->device == side->stamp.device)
		*ret_author = author_in(source, type, id, side->stamp.clock);
	return e;
}

/* ---- merging ---- */

static enum err put_conflict(struct fold *f, const struct change *c,
			     const struct merge_conflict *conflict, struct conflict_row *row)
{
	const struct field *other = conflict->is_incoming_lost ? &conflict->kept : &conflict->lost;
	struct bytes author = BYTES_NONE;
	enum err e = fold_author(f, c->type, &c->id, other, &author);

	if (e != ERR_OK)
		return e;
	*row = (struct conflict_row){
		.type = c->type,
		.id = c->id,
		.log = f->present->log,
		.kept = conflict->kept,
		.lost = conflict->lost,
		.kept_by = conflict->is_incoming_lost ? author : c->author,
		.lost_by = conflict->is_incoming_lost ? c->author : author,
		.at_ms = f->present->at_ms,
		.state = BYTES_LIT("open"),
	};
	row->kept.name = conflict->field;
	row->lost.name = conflict->field;
	return store_put_conflict(f->store, row);
}

static enum err note_unit(struct fold *f, int64_t unit)
{
	for (size_t i = 0; i < f->unit_count; i++) {
		if (f->units[i] == unit)
			return ERR_OK;
	}
	if (f->unit_count < FOLD_UNITS_MAX) {
		f->units[f->unit_count++] = unit;
		return ERR_OK;
	}
	/* A set over that many units: the ones beyond are written at once. */
	return store_put_unit_log(f->store, unit, f->present->log);
}

static enum err note_places(struct fold *f, const struct change *c,
			    const struct merge_result *merged)
{
	int64_t unit = record_unit(&merged->after);
	enum err e = note_unit(f, unit);

	if (e != ERR_OK || !merged->is_moved)
		return e;
	struct moved_row moved = {.type = c->type,
				  .id = c->id,
				  .from_unit = merged->from_unit,
				  .to_unit = unit,
				  .log = f->present->log};

	e = store_put_moved(f->store, &moved);
	return e != ERR_OK ? e : note_unit(f, merged->from_unit);
}

enum err fold_apply(struct fold *f, struct fold_entry *entry, size_t index,
		    struct fold_applied *ret_applied)
{
	const struct change *c = &f->present->changes[index];
	struct stamp stamp = {.clock = f->present->clocks[index], .device = f->present->device};
	const struct record *before = entry->state.record.count != 0 ? &entry->state.record : NULL;
	struct fold_applied applied = {0};
	enum err e = ERR_OK;

	applied.merged = merge_change(f->a, entry->kind, before, c, stamp, f->present->log);
	applied.conflicts =
		arena_alloc_array(f->a, applied.merged.conflict_count, sizeof *applied.conflicts);
	for (size_t i = 0; e == ERR_OK && i < applied.merged.conflict_count; i++)
		e = put_conflict(f, c, &applied.merged.conflicts[i], &applied.conflicts[i]);
	applied.conflict_count = applied.merged.conflict_count;
	if (e == ERR_OK && applied.merged.is_changed)
		e = note_places(f, c, &applied.merged);
	if (e != ERR_OK)
		return e;
	entry->state.record = applied.merged.after;
	if (!entry->is_dirty)
		f->dirty[f->dirty_count++] = entry;
	entry->is_dirty = true;
	*ret_applied = applied;
	return ERR_OK;
}

/* What a value and its name take of an encoded record at most, stamp and index included. */
static size_t most_bytes(struct bytes name, const struct value *v)
{
	return name.len + (v->kind == VALUE_TEXT || v->kind == VALUE_BYTES ? v->bytes.len : 0) + 64;
}

/* Mostly a sum tells; near the limit the record is merged and encoded for it. */
bool fold_is_too_big(struct fold *f, const struct fold_entry *entry, size_t index)
{
	const struct record *before = &entry->state.record;
	const struct change *c = &f->present->changes[index];
	struct stamp stamp = {.clock = f->present->clocks[index], .device = f->present->device};
	AUTO(buf_clear) struct buf encoded = {0};
	size_t bytes = c->type.len + 64;
	struct record after;

	for (size_t i = 0; i < before->count; i++)
		bytes += most_bytes(before->fields[i].name, &before->fields[i].value);
	for (size_t i = 0; i < c->count; i++)
		bytes += most_bytes(c->writes[i].name, &c->writes[i].value);
	if (bytes <= LIMIT_RECORD_BYTES && before->count + c->count <= LIMIT_FIELDS)
		return false;
	after = merge_change(f->a, entry->kind, before->count != 0 ? before : NULL, c, stamp,
			     f->present->log)
			.after;
	if (after.count > LIMIT_FIELDS)
		return true;
	record_encode(&after, 0, &encoded);
	return encoded.len > LIMIT_RECORD_BYTES;
}

enum err fold_end(struct fold *f)
{
	struct store_state **states =
		arena_alloc_array(f->a, f->dirty_count, sizeof(struct store_state *));
	enum err e;

	for (size_t i = 0; i < f->dirty_count; i++) {
		f->dirty[i]->is_dirty = false;
		states[i] = &f->dirty[i]->state;
	}
	e = store_put_states(f->store, f->a, states, f->dirty_count, f->present->log);
	for (size_t i = 0; e == ERR_OK && i < f->unit_count; i++)
		e = store_put_unit_log(f->store, f->units[i], f->present->log);
	f->present = NULL;
	return e;
}

/* ---- erasing ---- */

static enum err erase_in(struct store *store, uint64_t log, const struct erasure_record *r,
			 int64_t unit)
{
	struct erased_row row = {.type = r->type, .id = r->id, .unit = unit, .log = log};
	enum err e = store_put_erased(store, &row);

	return e == ERR_OK && unit != 0 ? store_put_unit_log(store, unit, log) : e;
}

enum err fold_erase(struct store *store, uint64_t log, const struct erasure *x)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < x->count; i++) {
		const struct erasure_record *r = &x->records[i];

		if (r->unit_count == 0)
			e = erase_in(store, log, r, 0);
		for (size_t k = 0; e == ERR_OK && k < r->unit_count; k++)
			e = erase_in(store, log, r, r->units[k]);
	}
	return e;
}
