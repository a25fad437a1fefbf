#include "daemon/ingest.h"

#include <stdio.h>

#include "common/base/check.h"
#include "common/model/validate.h"
#include "daemon/config.h"
#include "daemon/epochs.h"
#include "daemon/fold.h"
#include "daemon/store.h"
#include "daemon/units.h"

/* Codes of results beside those of validate.h and changeset.h. */
#define CODE_CONFLICT      "conflict"
#define CODE_PARALLEL      "parallel"
#define CODE_LANDED        "landed"
#define CODE_UNKNOWN_FIELD "unknown_field"
#define CODE_OUT_OF_SCOPE  "out_of_scope"
#define CODE_NO_SUCH_UNIT  "no_such_unit"
#define CODE_NOT_CLEARED   "not_cleared"
#define CODE_FORKED        "forked"
#define CODE_TOO_BIG       "too_big"

/* The latest notice of a device. */
struct counter {
	uint32_t device;
	uint64_t notice;
};

/* One request on its way into the store. */
struct run {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	const struct ingest_request *request;
	struct store_device device;
	const struct schema *schema;
	int64_t *scope; /* units it may write; loaded with the first new change-set */
	size_t scope_count;
	bool has_scope;
	int64_t tolerance_ms;
	struct fold fold;
	struct counter *counters; /* of notices, by device */
	size_t counter_count;
	size_t counter_cap;
	uint64_t log;      /* the latest number given */
	uint64_t base_cut; /* of the present set; as in struct log_row */
	struct ingest_result result;
	size_t result_cap;
	size_t repair_cap;
};

/* One change-set on its way. */
struct set_run {
	const struct changeset_opened *opened;
	struct log_row row;
	struct fold_source source;
	size_t verdict_cap;
	size_t next_odd;
};

/* ---- what is told about a change ---- */

static void *grow(struct arena *a, void *list, size_t count, size_t *cap, size_t size)
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

static void tell_result(struct run *r, const struct log_verdict *v, struct bytes text)
{
	struct ingest_result *result = &r->result;

	result->results = grow(r->a, result->results, result->result_count, &r->result_cap,
			       sizeof *result->results);
	result->results[result->result_count++] =
		(struct msg_result){.number = v->number,
				    .code = v->code,
				    .field = v->field,
				    .text = text,
				    .is_quarantined = v->is_quarantined};
}

/* Kept with the log row too, so that a repeat is answered alike. */
static void tell(struct run *r, struct set_run *s, const struct log_verdict *v, struct bytes text)
{
	s->row.verdicts = grow(r->a, s->row.verdicts, s->row.verdict_count, &s->verdict_cap,
			       sizeof *s->row.verdicts);
	s->row.verdicts[s->row.verdict_count++] = *v;
	tell_result(r, v, text);
}

static void tell_repair(struct run *r, const struct log_row *row)
{
	struct ingest_result *result = &r->result;

	result->repairs = grow(r->a, result->repairs, result->repair_count, &r->repair_cap,
			       sizeof *result->repairs);
	result->repairs[result->repair_count++] = (struct msg_repair){
		.first = row->first, .count = row->count, .repair = row->repair, .log = row->log};
}

/* ---- notices ---- */

static enum err find_counter(struct run *r, uint32_t device, struct counter **ret_counter)
{
	struct counter *c;

	for (size_t i = 0; i < r->counter_count; i++) {
		if (r->counters[i].device == device) {
			*ret_counter = &r->counters[i];
			return ERR_OK;
		}
	}
	r->counters =
		grow(r->a, r->counters, r->counter_count, &r->counter_cap, sizeof *r->counters);
	c = &r->counters[r->counter_count++];
	c->device = device;
	*ret_counter = c;
	return store_last_notice(r->store, device, &c->notice);
}

static enum err notify(struct run *r, struct notice_row *notice)
{
	struct counter *counter = NULL;
	enum err e = find_counter(r, notice->device, &counter);

	if (e != ERR_OK)
		return e;
	notice->notice = ++counter->notice;
	return store_put_notice(r->store, notice);
}

/* ---- quarantine ---- */

struct refusal {
	struct bytes code;
	struct bytes field;
	struct bytes text;
};

static const char unknown_type[] = "Loại hồ sơ chưa có ở đây / no such record type here";
static const char unreadable[] = "Giá trị không đọc được / a value that cannot be read";

static struct refusal refuse(const char *code, const char *field, const char *text)
{
	return (struct refusal){bytes_str(code), bytes_str(field), bytes_str(text)};
}

static enum err put_quarantine(struct run *r, const struct change *c, struct bytes raw,
			       const struct refusal *why, uint64_t log, uint64_t clock)
{
	AUTO(buf_clear) struct buf encoded = {0};
	struct quarantine_row row = {
		.device = r->request->device,
		.number = c->number,
		.log = log,
		.clock = clock,
		.type = c->type,
		.id = c->id,
		.reason = why->code,
		.field = why->field,
		.text = why->text,
		.bytes = raw,
		.at_ms = r->request->now_ms,
		.state = BYTES_LIT("open"),
	};
	struct notice_row notice = {
		.device = r->request->device,
		.kind = BYTES_LIT("quarantine"),
		.type = c->type,
		.id = c->id,
		.field = why->field,
		.at_ms = r->request->now_ms,
		.text = why->text,
	};
	enum err e;

	if (raw.len == 0) {
		change_encode(c, &encoded);
		row.bytes = buf_bytes(&encoded);
	}
	r->result.quarantined++;
	e = store_put_quarantine(r->store, &row);
	return e != ERR_OK ? e : notify(r, &notice);
}

static enum err quarantine(struct run *r, struct set_run *s, size_t index, struct bytes raw,
			   const struct refusal *why)
{
	const struct change *c = &s->source.changes[index];
	struct log_verdict v = {.number = c->number,
				.code = why->code,
				.field = why->field,
				.is_quarantined = true};

	tell(r, s, &v, why->text);
	return put_quarantine(r, c, raw, why, s->row.log, s->source.clocks[index]);
}

/* ---- may this device do that ---- */

static bool is_office(const struct run *r)
{
	return r->request->device == STAMP_DEVICE_OFFICE;
}

static enum err load_scope(struct run *r)
{
	if (r->has_scope || is_office(r))
		return ERR_OK;
	r->has_scope = true;
	return units_load_scope(r->store, r->a, r->request->device,
				units_day_of(r->request->now_ms), &r->scope, &r->scope_count);
}

static bool in_scope(const struct run *r, int64_t unit)
{
	return is_office(r) || units_scope_has(r->scope, r->scope_count, unit);
}

/*
 * The record has left the device's scope: its edit lands safely when it could not know
 * (M5), that is when a unit of its scope lost the record after the edit's base.
 */
static enum err may_land(struct run *r, const struct change *c, bool *ret_may)
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

/* *ret_why stays without a code when the change may go on. */
static enum err check_scope(struct run *r, const struct fold_entry *entry, const struct change *c,
			    struct refusal *ret_why)
{
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
	if (e != ERR_OK)
		return e;
	if (!may) {
		*ret_why = refuse(CODE_OUT_OF_SCOPE, "", out_of_scope);
		return ERR_OK;
	}
	if (w == NULL || w->value.kind != VALUE_INT)
		return ERR_OK;
	/* A unit of the scope is there. */
	if (!is_office(r) && in_scope(r, w->value.integer))
		return ERR_OK;
	if (!units_exists(r->store, w->value.integer, &e) && e == ERR_OK)
		*ret_why = refuse(CODE_NO_SUCH_UNIT, RECORD_UNIT,
				  "Không có đơn vị này / there is no such unit");
	return e;
}

/* As it would be stored: the state before and what the change writes over it. */
static bool is_restricted(struct run *r, const struct fold_entry *entry, const struct change *c)
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
static enum err judge(struct run *r, const struct fold_entry *entry, size_t index,
		      struct refusal *ret_why, struct finding *finding)
{
	static const char too_big[] =
		"Hồ sơ sẽ quá lớn để gửi đi / the record would be too big to be sent";
	const struct change *c = &r->fold.present->changes[index];
	static const char not_cleared[] =
		"Thiết bị chưa được phép ghi thông tin hạn chế / the device is not cleared for"
		" restricted data";
	enum err e = check_scope(r, entry, c, ret_why);

	if (e != ERR_OK || ret_why->code.len != 0)
		return e;
	if (validate_change(r->schema, &entry->state.record, c, finding) != VERDICT_OK)
		*ret_why = (struct refusal){bytes_str(verdict_name(finding->verdict)),
					    arena_copy(r->a, finding->field),
					    arena_copy(r->a, bytes_str(finding->text))};
	else if (!r->device.id.is_cleared && !is_office(r) && is_restricted(r, entry, c))
		*ret_why = refuse(CODE_NOT_CLEARED, "", not_cleared);
	else if (fold_is_too_big(&r->fold, entry, index))
		*ret_why = refuse(CODE_TOO_BIG, "", too_big);
	return ERR_OK;
}

/* ---- what merging has to tell ---- */

static enum err tell_loser(struct run *r, const struct conflict_row *row)
{
	struct notice_row notice = {
		.device = row->lost.stamp.device,
		.kind = BYTES_LIT(CODE_CONFLICT),
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
	return notify(r, &notice);
}

static enum err tell_unit(struct run *r, const struct change *c, int64_t unit)
{
	uint32_t *devices = NULL;
	size_t count = 0;
	enum err e = store_load_unit_devices(r->store, r->a, unit, &devices, &count);

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

		e = notify(r, &notice);
	}
	return e;
}

/* Both units hear of it, once a record and request. */
static enum err tell_landed(struct run *r, struct set_run *s, struct fold_entry *entry,
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
	tell(r, s, &v, BYTES_NONE);
	if (entry->is_told)
		return ERR_OK;
	entry->is_told = true;
	e = tell_unit(r, c, move->from_unit);
	return e != ERR_OK ? e : tell_unit(r, c, record_unit(&entry->state.record));
}

static enum err merge(struct run *r, struct set_run *s, struct fold_entry *entry, size_t index)
{
	const struct change *c = &s->source.changes[index];
	struct fold_applied applied;
	enum err e = fold_apply(&r->fold, entry, index, &applied);

	for (size_t i = 0; e == ERR_OK && i < applied.conflict_count; i++) {
		struct log_verdict v = {.number = c->number,
					.code = BYTES_LIT(CODE_CONFLICT),
					.field = applied.conflicts[i].kept.name};

		tell(r, s, &v, BYTES_NONE);
		e = tell_loser(r, &applied.conflicts[i]);
	}
	if (e != ERR_OK)
		return e;
	r->result.applied++;
	r->result.conflicts += applied.conflict_count;
	if (applied.merged.is_parallel) {
		struct log_verdict v = {.number = c->number, .code = BYTES_LIT(CODE_PARALLEL)};

		tell(r, s, &v, BYTES_NONE);
	}
	return applied.merged.is_landed ? tell_landed(r, s, entry, c) : ERR_OK;
}

/* ---- one change ---- */

static const struct changeset_odd *odd_of(struct set_run *s, size_t index)
{
	const struct changeset_odd *odd = &s->source.odd[s->next_odd];

	if (s->next_odd == s->source.odd_count || odd->change != index)
		return NULL;
	s->next_odd++;
	return odd;
}

static enum err take_change(struct run *r, struct set_run *s, size_t index)
{
	const struct change *c = &s->source.changes[index];
	const struct changeset_odd *odd = odd_of(s, index);
	struct fold_entry *entry;
	struct refusal why = {0};
	struct finding finding = {0};
	enum err e;

	if (odd != NULL) {
		why = refuse(odd->reason, "", unreadable);
		why.field = odd->field;
		return quarantine(r, s, index, odd->raw, &why);
	}
	entry = fold_find(&r->fold, c->type, &c->id);
	if (entry == NULL) {
		why = refuse(verdict_name(VERDICT_UNKNOWN_TYPE), "", unknown_type);
		return quarantine(r, s, index, BYTES_NONE, &why);
	}
	e = judge(r, entry, index, &why, &finding);
	if (e != ERR_OK)
		return e;
	if (why.code.len != 0)
		return quarantine(r, s, index, BYTES_NONE, &why);
	if (finding.verdict == VERDICT_UNKNOWN_FIELD) {
		struct log_verdict v = {.number = c->number,
					.code = BYTES_LIT(CODE_UNKNOWN_FIELD),
					.field = arena_copy(r->a, finding.field)};

		tell(r, s, &v, arena_copy(r->a, bytes_str(finding.text)));
	}
	return merge(r, s, entry, index);
}

/* ---- one change-set ---- */

enum place {
	PLACE_NEXT,
	PLACE_KNOWN, /* this very set is in the log */
	PLACE_GAP,
	PLACE_FORK
};

static enum err find_place(struct run *r, const struct changeset *set, struct log_row *row,
			   enum place *ret_place)
{
	uint64_t next = r->device.last_number + 1;
	enum err e;

	if (set->first > next) {
		*ret_place = PLACE_GAP;
		return ERR_OK;
	}
	if (set->first == next) {
		bool is_chained = memcmp(set->chain.bytes, r->device.chain.bytes, HASH_LEN) == 0;

		*ret_place = is_chained ? PLACE_NEXT : PLACE_FORK;
		return ERR_OK;
	}
	e = store_find_log(r->store, r->a, r->request->device, set->first, row);
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*ret_place = PLACE_FORK;
	if (e == ERR_OK && row->first == set->first && row->count == set->count &&
	    memcmp(row->chain.bytes, set->head.bytes, HASH_LEN) == 0)
		*ret_place = PLACE_KNOWN;
	return ERR_OK;
}

static struct repair make_repair(const struct run *r, const struct changeset *set)
{
	const struct ingest_request *q = r->request;
	struct hlc own = {.last = store_clock(r->store)};
	struct repair repair = q->is_by_file ? repair_for_file(q->now_ms, r->device.clock)
					     : repair_for_network(q->sent_ms, q->now_ms,
								  r->tolerance_ms, r->device.clock);

	repair_raise(&repair, hlc_tick(&own, q->now_ms));
	for (size_t i = 0; i < set->count; i++)
		repair_flag(&repair, set->changes[i].clock, r->tolerance_ms);
	return repair;
}

static void start_set(struct run *r, size_t index, struct set_run *s)
{
	const struct changeset_opened *opened = &r->request->sets[index];
	const struct changeset *set = &opened->set;

	*s = (struct set_run){.opened = opened};
	s->row = (struct log_row){
		.log = r->log + 1,
		.kind = LOG_CHANGESET,
		.device = set->device,
		.first = set->first,
		.count = set->count,
		.chain = set->head,
		.received_ms = r->request->now_ms,
		.sent_ms = r->request->is_by_file ? 0 : r->request->sent_ms,
		.repair = make_repair(r, set),
		.base_cut = r->base_cut,
		.author = fold_one_author(set->changes, set->count),
		.signature = set->signature,
		.session = r->request->session,
		.body = set->body,
	};
	if (r->request->packed != NULL)
		s->row.packed = r->request->packed[index];
	s->source = (struct fold_source){
		.log = s->row.log,
		.device = set->device,
		.author = s->row.author,
		.at_ms = s->row.received_ms,
		.changes = set->changes,
		.clocks = fold_clocks(r->a, &s->row.repair, set->changes, set->count),
		.count = set->count,
		.odd = opened->odd,
		.odd_count = opened->odd_count,
	};
}

static enum err take_new(struct run *r, size_t index)
{
	const struct changeset *set = &r->request->sets[index].set;
	struct set_run *s = arena_alloc(r->a, sizeof *s);
	enum err e = load_scope(r);

	if (e != ERR_OK)
		return e;
	start_set(r, index, s);
	e = fold_begin(&r->fold, &s->source);
	for (size_t i = 0; e == ERR_OK && i < set->count; i++)
		e = take_change(r, s, i);
	if (e == ERR_OK)
		e = fold_end(&r->fold);
	if (e == ERR_OK)
		e = store_put_log(r->store, &s->row);
	if (e != ERR_OK)
		return e;
	r->log = s->row.log;
	r->device.last_number = set->first + set->count - 1;
	r->device.chain = set->head;
	r->device.clock = s->source.clocks[set->count - 1];
	r->device.is_clock_flagged = s->row.repair.is_flagged;
	r->result.changeset_count++;
	tell_repair(r, &s->row);
	return ERR_OK;
}

/* The answer may have been lost: it is given again, and nothing is written. */
static void take_known(struct run *r, const struct log_row *row)
{
	for (size_t i = 0; i < row->verdict_count; i++)
		tell_result(r, &row->verdicts[i], BYTES_NONE);
	tell_repair(r, row);
}

/* M8: what a cloned or rolled-back disk wrote is kept, but in no state and no log. */
static enum err take_fork(struct run *r, size_t from)
{
	struct refusal why =
		refuse(CODE_FORKED, "",
		       "Thiết bị có hai lịch sử khác nhau; chờ quản trị viên quyết định"
		       " / the device has two histories; an administrator has to decide");
	enum err e = ERR_OK;

	r->result.outcome = INGEST_FORKED;
	r->device.id.state = DEVICE_FORKED;
	for (size_t i = from; e == ERR_OK && i < r->request->set_count; i++) {
		const struct changeset_opened *opened = &r->request->sets[i];
		size_t odd = 0;

		for (size_t k = 0; e == ERR_OK && k < opened->set.count; k++) {
			struct bytes raw = BYTES_NONE;

			if (odd < opened->odd_count && opened->odd[odd].change == k)
				raw = opened->odd[odd++].raw;
			e = put_quarantine(r, &opened->set.changes[k], raw, &why, 0,
					   opened->set.changes[k].clock);
		}
	}
	return e;
}

/* Before anything looks at them: bases of an epoch that a restore ended. */
static enum err cut_bases(struct run *r, size_t index)
{
	const struct changeset *set = &r->request->sets[index].set;
	uint64_t limit = EPOCHS_NO_LIMIT;
	enum err e = epochs_base_limit(r->store, &set->epoch, &limit);

	r->base_cut = limit == EPOCHS_NO_LIMIT ? 0 : limit + 1;
	if (e == ERR_OK)
		fold_cut_bases(set->changes, set->count, r->base_cut);
	return e;
}

/* *ret_is_end: nothing behind this set can be taken. */
static enum err take_set(struct run *r, size_t index, bool *ret_is_end)
{
	const struct changeset_opened *opened = &r->request->sets[index];
	const struct changeset *set = &opened->set;
	struct log_row row;
	enum place place = PLACE_GAP;
	enum err e;

	if (set->device != r->request->device || id_compare(&set->daemon, &r->ctx->daemon) != 0)
		return err_raise(ERR_PROTO, "a change-set of another device or daemon");
	if (set->first + set->count - 1 > r->device.seen_number)
		r->device.seen_number = set->first + set->count - 1;
	e = cut_bases(r, index);
	if (e == ERR_OK)
		e = find_place(r, set, &row, &place);
	if (e != ERR_OK)
		return e;
	switch (place) {
	case PLACE_NEXT: return take_new(r, index);
	case PLACE_KNOWN: take_known(r, &row); return ERR_OK;
	case PLACE_GAP:
		r->result.outcome = INGEST_GAP;
		r->result.expected = r->device.last_number + 1;
		*ret_is_end = true;
		return ERR_OK;
	case PLACE_FORK: *ret_is_end = true; return take_fork(r, index);
	}
	UNREACHABLE();
}

/* ---- the request ---- */

static int64_t tolerance_of(const struct context *ctx)
{
	const struct config *config = atomic_load(&ctx->config);

	return config != NULL ? config->clock_tolerance_ms : STAMP_TOLERANCE_MS;
}

static enum err take_sets(struct run *r)
{
	struct store_device before = r->device;
	bool is_end = false;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && !is_end && i < r->request->set_count; i++)
		e = take_set(r, i, &is_end);
	if (e != ERR_OK)
		return e;
	/* A repeat writes nothing. */
	if (before.last_number == r->device.last_number &&
	    before.seen_number == r->device.seen_number && before.id.state == r->device.id.state)
		return ERR_OK;
	return store_put_device(r->store, &r->device);
}

static enum err start_run(struct run *r, const struct context *ctx, struct store *store,
			  struct arena *a, const struct ingest_request *request)
{
	r->ctx = ctx;
	r->store = store;
	r->a = a;
	r->request = request;
	r->schema = store_schema(store);
	r->tolerance_ms = tolerance_of(ctx);
	fold_init(&r->fold, store, a);
	return store_last_log(store, &r->log);
}

enum err ingest_run(const struct context *ctx, struct store *store, struct arena *a,
		    const struct ingest_request *request, struct ingest_result *ret_result)
{
	struct run *r = arena_alloc(a, sizeof *r);
	enum err e;

	e = start_run(r, ctx, store, a, request);
	if (e != ERR_OK)
		return e;
	e = store_load_device(store, a, request->device, &r->device);
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	if (e == ERR_NOTFOUND || r->device.id.state != DEVICE_ACTIVE) {
		r->result.outcome = INGEST_REFUSED;
	} else {
		e = take_sets(r);
		if (e != ERR_OK)
			return e;
	}
	r->result.chain = r->device.chain;
	r->result.number = r->device.last_number;
	r->result.log = r->log;
	*ret_result = r->result;
	return ERR_OK;
}

static void start_replay(struct run *r, const struct quarantine_row *row, struct change *c,
			 struct set_run *s)
{
	struct hlc own = {.last = store_clock(r->store)};
	uint64_t *clock = arena_alloc(r->a, sizeof *clock);

	*clock = hlc_tick(&own, r->request->now_ms);
	if (row->clock < *clock)
		*clock = row->clock;
	s->row = (struct log_row){.log = r->log + 1,
				  .kind = LOG_REPLAY,
				  .device = row->device,
				  .first = row->number,
				  .count = 1,
				  .received_ms = r->request->now_ms,
				  .repair = {.floor = *clock},
				  .author = c->author,
				  .body = row->bytes};
	s->source = (struct fold_source){.log = s->row.log,
					 .device = row->device,
					 .author = c->author,
					 .at_ms = s->row.received_ms,
					 .changes = c,
					 .clocks = clock,
					 .count = 1};
}

static enum err replay(struct run *r, struct set_run *s, struct refusal *ret_why)
{
	struct fold_entry *entry;
	struct finding finding = {0};
	enum err e = load_scope(r);

	if (e == ERR_OK)
		e = fold_begin(&r->fold, &s->source);
	if (e != ERR_OK)
		return e;
	entry = fold_find(&r->fold, s->source.changes->type, &s->source.changes->id);
	if (entry == NULL) {
		*ret_why = refuse(verdict_name(VERDICT_UNKNOWN_TYPE), "", unknown_type);
		return ERR_OK;
	}
	e = judge(r, entry, 0, ret_why, &finding);
	if (e != ERR_OK || ret_why->code.len != 0)
		return e;
	e = merge(r, s, entry, 0);
	if (e == ERR_OK)
		e = fold_end(&r->fold);
	return e != ERR_OK ? e : store_put_log(r->store, &s->row);
}

enum err ingest_replay(const struct context *ctx, struct store *store, struct arena *a,
		       const struct quarantine_row *row, int64_t now_ms,
		       struct ingest_replayed *ret_replayed)
{
	struct ingest_request request = {.device = row->device, .now_ms = now_ms};
	struct run *r = arena_alloc(a, sizeof *r);
	struct set_run *s = arena_alloc(a, sizeof *s);
	struct change *c = arena_alloc(a, sizeof *c);
	struct refusal why = {0};
	enum err e = start_run(r, ctx, store, a, &request);

	if (e == ERR_OK)
		e = store_load_device(store, a, row->device, &r->device);
	if (e != ERR_OK)
		return e;
	if (change_decode(a, row->bytes, c) == ERR_OK) {
		start_replay(r, row, c, s);
		e = replay(r, s, &why);
	} else {
		why = refuse(CHANGESET_ODD_CHANGE, "", unreadable);
	}
	if (e == ERR_OK)
		*ret_replayed =
			(struct ingest_replayed){why.code.len == 0, why.code, why.field, why.text};
	return e;
}
