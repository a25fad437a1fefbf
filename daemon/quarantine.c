#include "daemon/quarantine.h"

#include "daemon/store.h"
#include "proto/changeset.h"

/* Whether `device` is the one of the row or went on in its place; numbers only grow. */
static enum err is_successor(struct store *s, struct arena *a, uint32_t device,
			     const struct quarantine_row *row, bool *ret_is)
{
	struct store_device d = {.former = device};
	enum err e = ERR_OK;

	while (e == ERR_OK && d.former > row->device)
		e = store_load_device(s, a, d.former, &d);
	*ret_is = d.former == row->device;
	return e;
}

/* The row's device wrote this field after the refused change. */
static enum err is_written_since(struct store *s, struct arena *a, const struct field *f,
				 const struct quarantine_row *row, bool *ret_is)
{
	*ret_is = false;
	if (f == NULL || f->stamp.clock <= row->clock || f->log <= row->log)
		return ERR_OK;
	/* Of a fork: under this number wrote the other copy, which knew nothing of it. */
	if (row->log == 0 && f->stamp.device == row->device)
		return ERR_OK;
	return is_successor(s, a, f->stamp.device, row, ret_is);
}

enum err quarantine_look(struct store *s, struct arena *a, const struct quarantine_row *row,
			 struct quarantine_since *ret_since)
{
	struct store_state state = {.record = {.type = row->type, .id = row->id}};
	struct quarantine_since since = {0};
	struct change change = {0};
	size_t mended = 0;
	bool is_event = false;
	enum err e = ERR_OK;

	*ret_since = since;
	if (change_decode(a, row->bytes, &change) != ERR_OK ||
	    !store_has_type(s, row->type, &is_event))
		return ERR_OK;
	e = store_load_states(s, a, &state, 1);
	since.now = state.record;
	for (size_t i = 0; e == ERR_OK && i < change.count; i++) {
		const struct field *f = record_find(&state.record, change.writes[i].name);
		bool is = false;

		e = is_written_since(s, a, f, row, &is);
		if (e != ERR_OK || !is)
			continue;
		mended++;
		since.mended_by = f->log > since.mended_by ? f->log : since.mended_by;
		since.would_displace |= is_event && !record_is_system_field(f->name) &&
					!value_equal(&f->value, &change.writes[i].value);
	}
	if (mended < change.count)
		since.mended_by = 0;
	if (e == ERR_OK)
		*ret_since = since;
	return e;
}

static enum err set_state(struct store *s, const struct quarantine_row *row, const char *kind,
			  const struct quarantine_decision *decision)
{
	struct notice_row notice = {.device = row->device,
				    .kind = bytes_str(kind),
				    .type = row->type,
				    .id = row->id,
				    .field = row->field,
				    .by = decision->by,
				    .at_ms = decision->at_ms,
				    .text = decision->text,
				    .number = row->number};
	enum err e = store_set_quarantine_state(s, row->quarantine, decision->state, decision->why);

	return e == ERR_OK ? store_notify(s, &notice) : e;
}

enum err quarantine_decide(struct store *s, const struct quarantine_row *row,
			   const struct quarantine_decision *decision)
{
	return set_state(s, row, "decided", decision);
}

enum err quarantine_reopen(struct store *s, const struct quarantine_row *row, struct bytes by,
			   int64_t at_ms)
{
	const struct quarantine_decision decision = {
		.state = "open",
		.by = by,
		.text = BYTES_LIT("Văn phòng rút lại việc không nhận thay đổi này và sẽ xem lại / "
				  "the office took back that it does not take this change, and "
				  "will look again"),
		.at_ms = at_ms};

	return set_state(s, row, "reopened", &decision);
}
