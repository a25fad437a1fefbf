#include "daemon/history.h"

#include <stdlib.h>

#include "common/base/check.h"
#include "daemon/fold.h"

/* An opened row of the log; opened once a call. */
struct opened {
	struct log_row row;
	struct fold_source source; /* no changes in it: erased */
};

#define FIRST_SLOTS 64u

/* A record whose history was worked out already, in order of the log. */
struct known {
	struct bytes type;
	struct id id;
	struct history_entry *entries;
	size_t count;
};

struct history {
	struct store *store;
	struct arena *a;
	struct opened **opened; /* hashed by log number */
	size_t opened_slots;
	size_t opened_count;
	struct known **known; /* hashed by id */
	size_t known_slots;
	size_t known_count;
};

static void init(struct history *h, struct store *s, struct arena *a)
{
	*h = (struct history){
		.store = s, .a = a, .opened_slots = FIRST_SLOTS, .known_slots = FIRST_SLOTS};
	h->opened = arena_alloc_array(a, FIRST_SLOTS, sizeof(struct opened *));
	h->known = arena_alloc_array(a, FIRST_SLOTS, sizeof(struct known *));
}

/* ---- rows of the log ---- */

static struct opened **opened_slot(struct history *h, uint64_t log)
{
	size_t at = (size_t)(log * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (h->opened_slots - 1);

	while (h->opened[at] != NULL && h->opened[at]->row.log != log)
		at = (at + 1) & (h->opened_slots - 1);
	return &h->opened[at];
}

static void grow_opened(struct history *h)
{
	struct opened **old = h->opened;
	size_t old_slots = h->opened_slots;

	h->opened_slots *= 4;
	h->opened = arena_alloc_array(h->a, h->opened_slots, sizeof(struct opened *));
	for (size_t i = 0; i < old_slots; i++) {
		if (old[i] != NULL)
			*opened_slot(h, old[i]->row.log) = old[i];
	}
}

static enum err open_log(struct history *h, uint64_t log, struct opened **ret_opened)
{
	struct opened **slot = opened_slot(h, log);
	struct opened *o = *slot;
	enum err e;

	*ret_opened = o;
	if (o != NULL)
		return ERR_OK;
	o = arena_alloc(h->a, sizeof *o);
	e = store_load_log(h->store, h->a, log, &o->row);
	if (e != ERR_OK)
		return e;
	e = fold_open(h->a, &o->row, &o->source);
	/* Erased bodies leave an empty place. */
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*slot = o;
	*ret_opened = o;
	if (++h->opened_count * 2 > h->opened_slots)
		grow_opened(h);
	return ERR_OK;
}

/* ---- one change ---- */

static struct bytes result_of(const struct opened *o, uint64_t number, bool *ret_is_quarantined)
{
	struct bytes result = BYTES_NONE;

	*ret_is_quarantined = false;
	for (size_t i = 0; i < o->row.verdict_count; i++) {
		const struct log_verdict *v = &o->row.verdicts[i];

		if (v->number != number)
			continue;
		if (v->is_quarantined || result.len == 0 || bytes_is(v->code, "conflict") ||
		    (bytes_is(v->code, "landed") && bytes_is(result, "parallel")))
			result = v->code;
		*ret_is_quarantined |= log_verdict_is_skipped(v);
	}
	return result;
}

static void fill_writes(struct arena *a, const struct change *c, const struct record *before,
			const struct record *after, struct history_entry *entry)
{
	entry->writes = arena_alloc_array(a, c->count, sizeof *entry->writes);
	entry->write_count = c->count;
	for (size_t i = 0; i < c->count; i++) {
		const struct field *was = record_find(before, c->writes[i].name);
		const struct field *is = record_find(after, c->writes[i].name);

		entry->writes[i] = (struct history_write){
			.field = c->writes[i].name,
			.old = was != NULL ? was->value : VALUE_NONE,
			.new = c->writes[i].value,
			.is_kept = !entry->is_quarantined &&is !=
				   NULL &&stamp_compare(&is->stamp, &entry->stamp) == 0,
		};
	}
}

static struct history_entry make_entry(const struct opened *o, size_t index)
{
	const struct change *c = &o->source.changes[index];
	struct history_entry entry = {
		.log = o->row.log,
		.session = o->row.session,
		.device = o->row.device,
		.number = c->number,
		.type = c->type,
		.id = c->id,
		.author = c->author,
		.raw_clock = c->clock,
		.is_clock_flagged = o->row.repair.is_flagged,
		.stamp = {.clock = o->source.clocks[index], .device = o->row.device},
		.base = c->base,
		.received_ms = o->row.received_ms,
	};

	entry.result = result_of(o, c->number, &entry.is_quarantined);
	return entry;
}

/* Applies the change to the state it met, so that old values are those of that moment. */
static void pass(struct history *h, enum merge_kind kind, const struct opened *o, size_t index,
		 struct record *state, struct history_entry *ret_entry)
{
	const struct change *c = &o->source.changes[index];
	struct history_entry entry = make_entry(o, index);
	struct record before = *state;

	if (!entry.is_quarantined) {
		struct merge_result merged = merge_change(
			h->a, kind, before.count != 0 ? &before : NULL, c, entry.stamp, entry.log);

		*state = merged.after;
		if (entry.result.len == 0)
			entry.result = o->row.kind != LOG_CHANGESET ? BYTES_LIT("replayed")
				       : merged.is_changed          ? BYTES_LIT("applied")
								    : BYTES_LIT("same");
	}
	fill_writes(h->a, c, &before, state, &entry);
	*ret_entry = entry;
}

/* ---- one record ---- */

static int by_number(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

/* Logs that touched it, and those in which all its changes went to quarantine. */
static enum err load_logs(struct history *h, struct bytes type, const struct id *id,
			  uint64_t **ret_logs, size_t *ret_count)
{
	struct store_state state = {.record = {.type = type, .id = *id}};
	uint64_t *touched = NULL;
	uint64_t *quarantined = NULL;
	size_t touched_count = 0;
	size_t quarantined_count = 0;
	size_t count = 0;
	bool is_event;
	enum err e = ERR_OK;

	if (store_has_type(h->store, type, &is_event)) {
		e = store_load_states(h->store, h->a, &state, 1);
		store_read_touched(h->a, state.touched, &touched, &touched_count);
	}
	if (e == ERR_OK)
		e = store_load_quarantine_logs(h->store, h->a, type, id, &quarantined,
					       &quarantined_count);
	if (e != ERR_OK)
		return e;
	uint64_t *logs = arena_alloc_array(h->a, touched_count + quarantined_count, sizeof *logs);

	if (touched_count != 0)
		memcpy(logs, touched, touched_count * sizeof *logs);
	if (quarantined_count != 0)
		memcpy(logs + touched_count, quarantined, quarantined_count * sizeof *logs);
	qsort(logs, touched_count + quarantined_count, sizeof *logs, by_number);
	for (size_t i = 0; i < touched_count + quarantined_count; i++) {
		if (count == 0 || logs[i] != logs[count - 1])
			logs[count++] = logs[i];
	}
	*ret_logs = logs;
	*ret_count = count;
	return ERR_OK;
}

static bool is_of(const struct change *c, struct bytes type, const struct id *id)
{
	return id_compare(&c->id, id) == 0 && bytes_equal(c->type, type);
}

static size_t count_changes(const struct opened *o, struct bytes type, const struct id *id)
{
	size_t count = 0;

	for (size_t i = 0; i < o->source.count; i++)
		count += is_of(&o->source.changes[i], type, id);
	return count;
}

static enum err work_out(struct history *h, struct bytes type, const struct id *id,
			 struct known *known)
{
	struct record state = {.type = type, .id = *id};
	uint64_t *logs = NULL;
	size_t log_count = 0;
	bool is_event = false;
	enum merge_kind kind;
	enum err e = load_logs(h, type, id, &logs, &log_count);

	(void)store_has_type(h->store, type, &is_event);
	kind = is_event ? MERGE_EVENT : MERGE_REGISTER;
	for (size_t i = 0; e == ERR_OK && i < log_count; i++) {
		struct opened *o = NULL;
		struct history_entry *more;

		e = open_log(h, logs[i], &o);
		if (e != ERR_OK)
			return e;
		more = arena_alloc_array(h->a, known->count + count_changes(o, type, id),
					 sizeof *more);
		if (known->count != 0)
			memcpy(more, known->entries, known->count * sizeof *more);
		known->entries = more;
		for (size_t k = 0; k < o->source.count; k++) {
			if (is_of(&o->source.changes[k], type, id))
				pass(h, kind, o, k, &state, &known->entries[known->count++]);
		}
	}
	return e;
}

enum err history_load_record(struct store *s, struct arena *a, struct bytes type,
			     const struct id *id, struct history_entry **ret_entries,
			     size_t *ret_count)
{
	struct history h;
	struct known known = {0};
	struct history_entry *entries;
	enum err e;

	init(&h, s, a);
	e = work_out(&h, type, id, &known);
	if (e != ERR_OK)
		return e;
	if (known.count == 0)
		return ERR_NOTFOUND;
	entries = arena_alloc_array(a, known.count, sizeof *entries);
	for (size_t i = 0; i < known.count; i++)
		entries[i] = known.entries[known.count - 1 - i];
	*ret_entries = entries;
	*ret_count = known.count;
	return ERR_OK;
}

/* ---- one session ---- */

static struct known **known_slot(struct history *h, struct bytes type, const struct id *id)
{
	uint64_t low;
	size_t at;

	memcpy(&low, id->bytes + 8, sizeof low);
	at = (size_t)(low * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (h->known_slots - 1);
	while (h->known[at] != NULL &&
	       (id_compare(&h->known[at]->id, id) != 0 || !bytes_equal(h->known[at]->type, type)))
		at = (at + 1) & (h->known_slots - 1);
	return &h->known[at];
}

static void grow_known(struct history *h)
{
	struct known **old = h->known;
	size_t old_slots = h->known_slots;

	h->known_slots *= 4;
	h->known = arena_alloc_array(h->a, h->known_slots, sizeof(struct known *));
	for (size_t i = 0; i < old_slots; i++) {
		if (old[i] != NULL)
			*known_slot(h, old[i]->type, &old[i]->id) = old[i];
	}
}

static enum err find_entry(struct history *h, const struct opened *o, size_t index,
			   struct history_entry *ret_entry)
{
	const struct change *c = &o->source.changes[index];
	struct known **slot = known_slot(h, c->type, &c->id);
	struct known *known = *slot;

	if (known == NULL) {
		known = arena_alloc(h->a, sizeof *known);
		known->type = c->type;
		known->id = c->id;
		enum err e = work_out(h, c->type, &c->id, known);

		if (e != ERR_OK)
			return e;
		*slot = known;
		if (++h->known_count * 2 > h->known_slots)
			grow_known(h);
	}
	for (size_t i = 0; i < known->count; i++) {
		if (known->entries[i].log == o->row.log && known->entries[i].number == c->number) {
			*ret_entry = known->entries[i];
			return ERR_OK;
		}
	}
	/* Unreadable as a change: only what could be read of it is there. */
	*ret_entry = make_entry(o, index);
	return ERR_OK;
}

enum err history_load_session(struct store *s, struct arena *a, uint64_t session,
			      struct history_entry **ret_entries, size_t *ret_count)
{
	struct history h;
	struct history_entry *entries = NULL;
	uint64_t *logs = NULL;
	size_t log_count = 0;
	size_t count = 0;
	enum err e = store_load_session_logs(s, a, session, &logs, &log_count);

	init(&h, s, a);
	for (size_t i = 0; e == ERR_OK && i < log_count; i++) {
		struct opened *o = NULL;
		struct history_entry *more;

		e = open_log(&h, logs[i], &o);
		if (e != ERR_OK)
			return e;
		more = arena_alloc_array(a, count + o->source.count, sizeof *more);
		if (count != 0)
			memcpy(more, entries, count * sizeof *more);
		entries = more;
		for (size_t k = 0; e == ERR_OK && k < o->source.count; k++)
			e = find_entry(&h, o, k, &entries[count++]);
	}
	if (e != ERR_OK)
		return e;
	*ret_entries = entries;
	*ret_count = count;
	return ERR_OK;
}

enum err history_author(struct store *s, struct arena *a, const struct record *r,
			const struct field *f, struct bytes *ret_author)
{
	struct fold fold;

	fold_init(&fold, s, a);
	return fold_author(&fold, r->type, &r->id, f, ret_author);
}
