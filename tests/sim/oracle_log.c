/* O4: what the log of the daemon holds, once each, and said by somebody. */
#include <stdlib.h>

#include "daemon/fold.h"
#include "tests/sim/homes.h"
#include "tests/sim/oracle_private.h"

struct logged {
	uint32_t device;
	uint32_t family; /* of devices that took each other's place */
	struct id id;
	struct bytes field;
	struct bytes text;
	uint64_t log;
	uint64_t number; /* of the change */
};

static int compare_logged(const void *a, const void *b)
{
	const struct logged *x = a;
	const struct logged *y = b;
	int order = bytes_compare(x->text, y->text);

	if (order == 0)
		order = bytes_compare(x->field, y->field);
	if (order == 0)
		order = id_compare(&x->id, &y->id);
	return order != 0 ? order : (x->family > y->family) - (x->family < y->family);
}

/*
 * A refused write went along with the next edit of its record, and was let in itself as well. Or a
 * restored office, which knows of no refusal, took both.
 */
static bool is_taken_along(const struct truth *t, const struct logged *item)
{
	if (t->w->restores != 0)
		return true;
	for (size_t i = 0; i < t->quarantine_count; i++) {
		const struct quarantine_row *q = &t->quarantine[i];
		const struct write *write = change_find(&t->refused[i], item->field);

		if (q->device == item->device && bytes_is(q->state, "replayed") &&
		    id_compare(&q->id, &item->id) == 0 && write != NULL &&
		    write->value.kind == VALUE_TEXT && bytes_equal(write->value.bytes, item->text))
			return true;
	}
	return false;
}

/* What was taken back from the inbox is written again. */
static bool is_written_once(const struct truth *t, const struct logged *item)
{
	if (is_taken_along(t, item))
		return false;
	const struct ledger *l = t->w->ledger;
	const struct write write = {item->field, value_text(item->text)};
	size_t count = 0;

	for (size_t i = 0; i < l->count; i++)
		count += homes_wrote(l->world, l->notes[i].client, item->device) &&
			 id_compare(&l->notes[i].id, &item->id) == 0 &&
			 bytes_equal(l->notes[i].field, write.name) &&
			 value_equal(&l->notes[i].value, &write.value);
	return count < 2;
}

static void check_change(struct truth *t, const struct log_row *row, const struct change *c,
			 struct buf *logged)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct write *write = &c->writes[i];

		if (write->value.kind != VALUE_TEXT || bytes_is(write->name, "kind"))
			continue;
		const struct note *n = truth_find_note(t->w->ledger, row->device, &c->id, write);
		struct logged entry = {row->device,
				       truth_root(t, row->device),
				       c->id,
				       write->name,
				       write->value.bytes,
				       row->log,
				       row->kind == LOG_REPLAY ? row->first : c->number};

		if (n == NULL || n->is_gone)
			world_fail(t->w, "O4: log %llu of device %u has %.*s, which nobody saved",
				   (unsigned long long)row->log, row->device,
				   BYTES_FMT(write->value.bytes));
		buf_append(logged, &entry, sizeof entry);
	}
}

static bool is_copied(const struct truth *t, const struct logged *item)
{
	const struct write write = {item->field, value_text(item->text)};
	const struct note *n = truth_find_note(t->w->ledger, item->device, &item->id, &write);

	return n != NULL && n->is_copied;
}

static bool is_doubled(const struct truth *t, const struct logged *a, const struct logged *b)
{
	if (a->device == b->device && a->number == b->number)
		return true;
	/* Of numbers that nobody has any more, what records still show is written again. */
	if (is_copied(t, b) || (a->device != b->device && t->w->has_rescued))
		return false;
	return is_written_once(t, b);
}

void oracle_check_log(struct truth *t)
{
	AUTO(buf_clear) struct buf logged = {0};
	uint64_t last = 0;

	world_must(t->w, store_last_log(t->w->store, &last), "last log");
	for (uint64_t log = 1; log <= last; log++) {
		struct log_row row;
		struct fold_source source;

		world_must(t->w, store_load_log(t->w->store, &t->a, log, &row), "log");
		world_must(t->w, fold_open(&t->a, &row, &source), "open a log row");
		for (size_t i = 0; i < source.count; i++)
			if (!truth_is_skipped(&row, source.changes[i].number))
				check_change(t, &row, &source.changes[i], &logged);
	}
	struct logged *items = (void *)logged.data;
	size_t count = logged.len / sizeof *items;

	if (count != 0)
		qsort(items, count, sizeof *items, compare_logged);
	for (size_t i = 1; i < count; i++)
		if (compare_logged(&items[i - 1], &items[i]) == 0 &&
		    is_doubled(t, &items[i - 1], &items[i]))
			world_fail(
				t->w,
				"O4: %.*s of device %u is in the log twice (%llu number %llu, %llu number %llu)",
				BYTES_FMT(items[i].text), items[i].device,
				(unsigned long long)items[i - 1].log,
				(unsigned long long)items[i - 1].number,
				(unsigned long long)items[i].log,
				(unsigned long long)items[i].number);
}
