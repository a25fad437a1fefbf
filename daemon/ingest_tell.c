#include "daemon/ingest_private.h"
#include "daemon/units.h"

#define CODE_LANDED "landed"

/* ---- what is told about a change ---- */

void *ingest_grow(struct arena *a, void *list, size_t count, size_t *cap, size_t size)
{
	void *more;

	if (count < *cap)
		return list;
	*cap = *cap * 2 + 8;
	more = arena_alloc_array(a, *cap, size);
	if (count != 0)
		memcpy(more, list, count * size);
	return more;
}

void ingest_tell_result(struct ingest *r, const struct log_verdict *v, struct bytes text)
{
	struct ingest_result *result = &r->result;

	result->results = ingest_grow(r->a, result->results, result->result_count, &r->result_cap,
				      sizeof *result->results);
	result->results[result->result_count++] =
		(struct msg_result){.number = v->number,
				    .code = v->code,
				    .field = v->field,
				    .text = text,
				    .is_quarantined = v->is_quarantined};
}

void ingest_tell_repeated(struct ingest *r, uint64_t number, const struct ingest_twin *twin)
{
	const struct log_verdict v = {.number = number, .code = BYTES_LIT(LOG_CODE_REPEATED)};
	struct msg_result *told;

	ingest_tell_result(r, &v, BYTES_NONE);
	told = &r->result.results[r->result.result_count - 1];
	told->clock = twin->stamp.clock;
	told->device = twin->stamp.device;
	told->log = twin->log;
}

void ingest_keep_verdict(struct ingest *r, struct ingest_set *s, const struct log_verdict *v)
{
	s->row.verdicts = ingest_grow(r->a, s->row.verdicts, s->row.verdict_count, &s->verdict_cap,
				      sizeof *s->row.verdicts);
	s->row.verdicts[s->row.verdict_count++] = *v;
}

void ingest_tell(struct ingest *r, struct ingest_set *s, const struct log_verdict *v,
		 struct bytes text)
{
	ingest_keep_verdict(r, s, v);
	ingest_tell_result(r, v, text);
}

void ingest_tell_repair(struct ingest *r, const struct log_row *row)
{
	struct ingest_result *result = &r->result;

	result->repairs = ingest_grow(r->a, result->repairs, result->repair_count, &r->repair_cap,
				      sizeof *result->repairs);
	result->repairs[result->repair_count++] = (struct msg_repair){
		.first = row->first, .count = row->count, .repair = row->repair, .log = row->log};
}

void ingest_note_away(struct ingest *r, const struct change *c)
{
	struct ingest_own *own = &r->result.own;

	own->away = ingest_grow(r->a, own->away, own->away_count, &r->away_cap, sizeof *own->away);
	own->away[own->away_count++] = (struct msg_stray){.type = c->type, .id = c->id};
}

/* ---- what merging has to tell ---- */

enum err ingest_tell_loser(struct ingest *r, const struct conflict_row *row)
{
	struct notice_row notice = {
		.device = row->lost.stamp.device,
		.kind = BYTES_LIT("conflict"),
		.type = row->type,
		.id = row->id,
		.field = row->kept.name,
		.kept = row->kept.value,
		.lost = row->lost.value,
		.by = row->kept_by,
		.at_ms = row->at_ms,
		.text = BYTES_LIT("Hai người cùng sửa; giá trị của bạn được giữ lại để khôi phục"
				  " / two people wrote; your value is kept and can be restored"),
	};

	if (notice.device == STAMP_DEVICE_OFFICE)
		return ERR_OK;
	return store_notify(r->store, &notice);
}

static enum err tell_devices(struct ingest *r, const struct change *c, const uint32_t *devices,
			     size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct notice_row notice = {
			.device = devices[i],
			.kind = BYTES_LIT(CODE_LANDED),
			.type = c->type,
			.id = c->id,
			.by = c->author,
			.at_ms = r->request->now_ms,
			.text = BYTES_LIT("Sửa đổi từ đơn vị cũ đã được ghi sau khi chuyển"
					  " / an edit from the former unit landed after the"
					  " transfer"),
		};

		e = store_notify(r->store, &notice);
	}
	return e;
}

/* Each device once: it may have been given several communes that became one. */
static void add_devices(struct ingest *r, const uint32_t *more, size_t more_count, uint32_t **list,
			size_t *count, size_t *cap)
{
	for (size_t i = 0; i < more_count; i++) {
		bool is_known = false;

		for (size_t k = 0; k < *count; k++)
			is_known = is_known || (*list)[k] == more[i];
		if (is_known)
			continue;
		*list = ingest_grow(r->a, *list, *count, cap, sizeof **list);
		(*list)[(*count)++] = more[i];
	}
}

/* Of a commune that was merged, the devices of all that were. */
static enum err tell_unit(struct ingest *r, const struct change *c, int64_t unit)
{
	uint32_t *devices = NULL;
	size_t count = 0;
	size_t cap = 0;
	int64_t *kin = NULL;
	size_t kin_count = 0;
	enum err e = units_load_kin(r->store, r->a, unit, r->request->now_ms, &kin, &kin_count);

	for (size_t i = 0; e == ERR_OK && i < kin_count; i++) {
		uint32_t *more = NULL;
		size_t more_count = 0;

		e = store_load_unit_devices(r->store, r->a, kin[i], &more, &more_count);
		if (e == ERR_OK)
			add_devices(r, more, more_count, &devices, &count, &cap);
	}
	return e == ERR_OK ? tell_devices(r, c, devices, count) : e;
}

enum err ingest_tell_landed(struct ingest *r, struct ingest_set *s, struct fold_entry *entry,
			    const struct change *c)
{
	struct log_verdict v = {.number = c->number, .code = BYTES_LIT(CODE_LANDED)};
	struct moved_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_moved_of(r->store, r->a, &c->id, &rows, &count);
	const struct moved_row *move = NULL;

	for (size_t i = 0; e == ERR_OK && i < count && move == NULL; i++) {
		if (rows[i].log > c->base && bytes_equal(rows[i].type, c->type))
			move = &rows[i];
	}
	/* Not moved: the record is only younger than the edit's base. */
	if (e != ERR_OK || move == NULL)
		return e;
	ingest_tell(r, s, &v, BYTES_NONE);
	if (entry->is_told)
		return ERR_OK;
	entry->is_told = true;
	e = tell_unit(r, c, move->from_unit);
	return e != ERR_OK ? e : tell_unit(r, c, record_unit(&entry->state.record));
}
