#include "daemon/erase.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/fold.h"
#include "daemon/store_erase.h"
#include "proto/changeset.h"

#define TEXT_LEAST 6u /* bytes: shorter texts are in everything */

struct run {
	struct store *store;
	struct arena *a;
	const struct erase_request *request;
	struct erasure erasure;
	struct buf logs;    /* uint64_t: entries that name one of the records */
	struct buf numbers; /* struct erase_number: changes of them in quarantine */
	struct buf texts;   /* struct bytes: what people wrote of them */
	struct erase_result result;
};

static void run_clear(struct run *r)
{
	buf_clear(&r->logs);
	buf_clear(&r->numbers);
	buf_clear(&r->texts);
}

static bool is_one(const struct run *r, const struct id *id)
{
	for (size_t i = 0; i < r->request->count; i++) {
		if (id_compare(&r->request->ids[i], id) == 0)
			return true;
	}
	return false;
}

/* ---- what there is ---- */

static void add_unit(struct run *r, struct erasure_record *record, int64_t unit)
{
	int64_t *units;

	for (size_t i = 0; i < record->unit_count; i++) {
		if (record->units[i] == unit)
			return;
	}
	units = arena_alloc_array(r->a, record->unit_count + 1, sizeof *units);
	if (record->unit_count != 0)
		memcpy(units, record->units, record->unit_count * sizeof *units);
	units[record->unit_count++] = unit;
	record->units = units;
}

/* Erased before: devices of its units are told again, and unit logs go on. */
static enum err find_erased(struct run *r, struct erasure_record *record)
{
	struct erased_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_erased(r->store, r->a, &record->id, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		record->type = rows[i].type;
		if (rows[i].unit != 0)
			add_unit(r, record, rows[i].unit);
	}
	return e;
}

static enum err find_moves(struct run *r, struct erasure_record *record)
{
	struct moved_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_moved_of(r->store, r->a, &record->id, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		add_unit(r, record, rows[i].from_unit);
		add_unit(r, record, rows[i].to_unit);
	}
	return e;
}

static enum err remove_state(struct run *r, struct bytes type, struct erasure_record *record)
{
	struct store_state state = {.record = {.type = type, .id = record->id}};
	uint64_t *logs = NULL;
	size_t count = 0;
	enum err e = store_load_states(r->store, r->a, &state, 1);

	if (e != ERR_OK || state.row == 0)
		return e;
	record->type = type;
	add_unit(r, record, record_unit(&state.record));
	store_read_touched(r->a, state.touched, &logs, &count);
	if (count != 0)
		buf_append(&r->logs, logs, count * sizeof *logs);
	r->result.records++;
	return store_remove_state(r->store, type, &record->id);
}

static bool was_told(const struct erase_number *numbers, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!numbers[i].was_erased && numbers[i].device == numbers[index].device)
			return true;
	}
	return numbers[index].was_erased;
}

/*
 * What was refused is in no unit, and of another device only its writer's: no eviction would reach
 * it there.
 */
static enum err tell_writers(struct run *r, const struct erasure_record *record,
			     const struct erase_number *numbers, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct notice_row notice = {.device = numbers[i].device,
					    .kind = BYTES_LIT("erased"),
					    .type = numbers[i].type,
					    .id = record->id,
					    .at_ms = r->request->at_ms,
					    .text = BYTES_LIT(STORE_ERASED_TEXT)};

		if (!was_told(numbers, i))
			e = store_notify(r->store, &notice);
	}
	return e;
}

/* Under every type: an id is one person's, whatever a device called the record. */
static enum err find_record(struct run *r, struct erasure_record *record)
{
	struct erase_number *numbers = NULL;
	size_t count = 0;
	enum err e = find_erased(r, record);

	if (e == ERR_OK)
		e = find_moves(r, record);
	for (size_t i = 0; e == ERR_OK && i < store_type_count(r->store); i++) {
		bool is_event = false;

		e = remove_state(r, store_type(r->store, i, &is_event), record);
	}
	if (e == ERR_OK)
		e = store_load_erase_numbers(r->store, r->a, &record->id, &numbers, &count);
	if (e == ERR_OK)
		e = tell_writers(r, record, numbers, count);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (numbers[i].log == 0)
			continue;
		buf_append(&r->logs, &numbers[i].log, sizeof numbers[i].log);
		buf_append(&r->numbers, &numbers[i], sizeof numbers[i]);
	}
	return e;
}

/* ---- the log ---- */

/* Codes and dates say nothing without the record; a name or an address does. */
static bool is_telling(const struct schema_type *type, const struct write *w)
{
	const struct schema_field *field = type != NULL ? schema_find_field(type, w->name) : NULL;

	if (w->value.kind != VALUE_TEXT || w->value.bytes.len < TEXT_LEAST)
		return false;
	return field == NULL || field->type == FIELD_TEXT || field->type == FIELD_LONG_TEXT;
}

static void keep_texts(struct run *r, const struct change *c)
{
	const struct schema *schema = store_schema(r->store);
	const struct schema_type *type = schema != NULL ? schema_find_type(schema, c->type) : NULL;

	for (size_t i = 0; i < c->count; i++) {
		if (!is_telling(type, &c->writes[i]))
			continue;
		struct bytes text = arena_copy(r->a, c->writes[i].value.bytes);

		buf_append(&r->texts, &text, sizeof text);
	}
}

static bool is_numbered(const struct run *r, uint64_t log, uint64_t number)
{
	const struct erase_number *list = (const void *)r->numbers.data;

	for (size_t i = 0; i < r->numbers.len / sizeof *list; i++) {
		if (list[i].log == log && list[i].number == number)
			return true;
	}
	return false;
}

/* Which field was at fault tells of the record, too. */
static void blank_verdicts(struct log_row *row, uint64_t number)
{
	for (size_t i = 0; i < row->verdict_count; i++) {
		if (row->verdicts[i].number == number)
			row->verdicts[i].field = BYTES_NONE;
	}
}

static enum err open_set(struct run *r, const struct log_row *row,
			 struct changeset_opened *ret_opened)
{
	AUTO(buf_clear) struct buf wire = {0};

	changeset_frame(row->body, &row->signature, &row->cut, &wire);
	if (changeset_open(r->a, arena_copy(r->a, buf_bytes(&wire)), NULL, ret_opened) != ERR_OK)
		return err_raise(ERR_CORRUPT, "change-set %llu does not open",
				 (unsigned long long)row->log);
	return ERR_OK;
}

static enum err cut_set(struct run *r, struct log_row *row)
{
	AUTO(buf_clear) struct buf body = {0};
	struct changeset_opened opened;
	bool *is_cut;
	size_t count = 0;
	enum err e = open_set(r, row, &opened);

	if (e != ERR_OK)
		return e;
	is_cut = arena_alloc_array(r->a, opened.set.count, sizeof *is_cut);
	for (size_t i = 0; i < opened.set.count; i++) {
		const struct change *c = &opened.set.changes[i];

		is_cut[i] = is_one(r, &c->id) || is_numbered(r, row->log, c->number);
		if (!is_cut[i] || c->is_cut)
			continue;
		count++;
		keep_texts(r, c);
		blank_verdicts(row, c->number);
	}
	if (count == 0)
		return ERR_OK;
	e = changeset_cut(&opened.set, is_cut, &body, &row->cut);
	if (e != ERR_OK)
		return e;
	row->body = arena_copy(r->a, buf_bytes(&body));
	r->result.changesets++;
	r->result.changes += count;
	return store_cut_log(r->store, row);
}

/* A replayed change is alone in its entry. */
static enum err cut_replay(struct run *r, struct log_row *row)
{
	AUTO(buf_clear) struct buf body = {0};
	struct change c;

	if (change_decode(r->a, row->body, &c) != ERR_OK)
		return err_raise(ERR_CORRUPT, "replay %llu does not open",
				 (unsigned long long)row->log);
	if (c.is_cut || !is_one(r, &c.id))
		return ERR_OK;
	keep_texts(r, &c);
	row->cut = (struct changeset_cut){.is_cut = true, .body_hash = hash_of(row->body)};
	c.is_cut = true;
	c.count = 0;
	change_encode(&c, &body);
	row->body = arena_copy(r->a, buf_bytes(&body));
	r->result.changes++;
	return store_cut_log(r->store, row);
}

static enum err cut_row(struct run *r, uint64_t log)
{
	struct log_row row;
	enum err e = store_load_log(r->store, r->a, log, &row);

	if (e != ERR_OK)
		return e;
	switch (row.kind) {
	case LOG_CHANGESET: return cut_set(r, &row);
	case LOG_REPLAY:
	case LOG_REPLAY_FORK: return cut_replay(r, &row);
	case LOG_ERASE: break;
	}
	return ERR_OK;
}

static int compare_logs(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

/* What came again is looked for in every entry that has such. */
static enum err add_repeating(struct run *r)
{
	uint64_t *logs = NULL;
	size_t count = 0;
	enum err e = store_load_repeating_logs(r->store, r->a, &logs, &count);

	if (e == ERR_OK && count != 0)
		buf_append(&r->logs, logs, count * sizeof *logs);
	return e;
}

static enum err cut_log(struct run *r)
{
	enum err e = add_repeating(r);
	uint64_t *logs = (void *)r->logs.data;
	size_t count = r->logs.len / sizeof *logs;

	if (e != ERR_OK || count == 0)
		return e;
	qsort(logs, count, sizeof *logs, compare_logs);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		if (i == 0 || logs[i] != logs[i - 1])
			e = cut_row(r, logs[i]);
	}
	return e;
}

/* ---- the audit ---- */

static bool holds(struct bytes where, struct bytes what)
{
	return memmem(where.data, where.len, what.data, what.len) != NULL;
}

/* As JSON writes it inside a string: details are JSON. */
static void print_escaped(struct bytes text, struct buf *out)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c == '\n')
			buf_append_str(out, "\\n");
		else
			buf_append_byte(out, c);
	}
}

static enum err blank_audit(struct run *r)
{
	const struct bytes *texts = (const void *)r->texts.data;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < r->texts.len / sizeof *texts; i++) {
		AUTO(buf_clear) struct buf escaped = {0};

		if (holds(r->request->why, texts[i]) || holds(r->request->basis, texts[i]))
			return err_raise(ERR_CONFLICT, "the reason holds a text of the record");
		print_escaped(texts[i], &escaped);
		e = store_blank_audit(r->store, buf_bytes(&escaped), &r->result.audits);
	}
	return e;
}

/* ---- the entry ---- */

static enum err put_entry(struct run *r)
{
	AUTO(buf_clear) struct buf body = {0};
	struct log_row row = {.kind = LOG_ERASE, .received_ms = r->request->at_ms};
	enum err e = store_last_log(r->store, &row.log);

	row.log++;
	erasure_encode(&r->erasure, &body);
	row.body = buf_bytes(&body);
	if (e == ERR_OK)
		e = store_put_log(r->store, &row);
	if (e == ERR_OK)
		e = fold_erase(r->store, row.log, &r->erasure);
	r->result.log = row.log;
	return e;
}

static enum err run_all(struct run *r)
{
	const struct erase_request *q = r->request;
	enum err e = ERR_OK;

	r->erasure = (struct erasure){.at_ms = q->at_ms,
				      .who = q->who,
				      .why = q->why,
				      .basis = q->basis,
				      .count = q->count};
	r->erasure.records = arena_alloc_array(r->a, q->count, sizeof *r->erasure.records);
	for (size_t i = 0; e == ERR_OK && i < q->count; i++) {
		r->erasure.records[i].id = q->ids[i];
		e = find_record(r, &r->erasure.records[i]);
	}
	if (e == ERR_OK)
		e = cut_log(r);
	for (size_t i = 0; e == ERR_OK && i < q->count; i++)
		e = store_blank_record(r->store, r->a, &q->ids[i]);
	if (e == ERR_OK)
		e = blank_audit(r);
	if (e == ERR_OK)
		e = put_entry(r);
	return e != ERR_OK ? e : store_owe_sweep(r->store);
}

enum err erase_run(struct store *store, struct arena *a, const struct erase_request *request,
		   struct erase_result *ret_result)
{
	struct run r = {.store = store, .a = a, .request = request};
	enum err e = run_all(&r);

	run_clear(&r);
	if (e == ERR_OK)
		*ret_result = r.result;
	return e;
}

/* ---- what belongs to a record ---- */

static void add_id(struct buf *ids, const struct id *id)
{
	const struct id *list = (const void *)ids->data;

	for (size_t i = 0; i < ids->len / sizeof *list; i++) {
		if (id_compare(&list[i], id) == 0)
			return;
	}
	buf_append(ids, id, sizeof *id);
}

enum err erase_collect(struct store *store, struct arena *a, struct buf *ids)
{
	enum err e = ERR_OK;

	for (size_t at = 0; e == ERR_OK && at < ids->len / sizeof(struct id); at++) {
		const struct id of = ((const struct id *)(const void *)ids->data)[at];
		struct reference_row *rows = NULL;
		size_t count = 0;

		e = store_load_references(store, a, &of, &rows, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			if (rows[i].is_event || bytes_is(rows[i].field, RECORD_MERGED_INTO))
				add_id(ids, &rows[i].id);
		}
	}
	return e;
}
