#include "daemon/ingest.h"

#include "common/base/check.h"
#include "daemon/config.h"
#include "daemon/epochs.h"
#include "daemon/ingest_private.h"
#include "daemon/store_erase.h"

#define CODE_FORKED "forked"

/* ---- one change-set ---- */

enum place {
	PLACE_NEXT,
	PLACE_KNOWN, /* this very set is in the log */
	PLACE_GAP,
	PLACE_FORK
};

static enum err find_place(struct ingest *r, const struct changeset *set, struct log_row *row,
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

static struct repair make_repair(const struct ingest *r, const struct changeset *set)
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

static void start_set(struct ingest *r, size_t index, struct ingest_set *s)
{
	const struct changeset_opened *opened = &r->request->sets[index];
	const struct changeset *set = &opened->set;

	*s = (struct ingest_set){.opened = opened};
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
		.cut = set->cut,
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

/* ---- what the device need not be told ---- */

static bool is_noted(const struct ingest_own *own, int64_t unit)
{
	for (size_t i = 0; i < own->count; i++) {
		if (own->units[i].unit == unit)
			return true;
	}
	return false;
}

/* Before the present set's units get their new log numbers. */
static enum err note_own(struct ingest *r)
{
	struct ingest_own *own = &r->result.own;
	enum err e = ERR_OK;

	if (own->units == NULL)
		own->units = arena_alloc_array(r->a, FOLD_UNITS_MAX, sizeof *own->units);
	/* More units than the fold, or we, remember: some may not be among them. */
	r->is_own_partial |= r->fold.unit_count == FOLD_UNITS_MAX;
	for (size_t i = 0; e == ERR_OK && i < r->fold.unit_count; i++) {
		struct ingest_own_unit *u = &own->units[own->count];

		if (is_noted(own, r->fold.units[i]))
			continue;
		r->is_own_partial |= own->count + 1 == FOLD_UNITS_MAX;
		if (r->is_own_partial)
			break;
		own->count++;
		u->unit = r->fold.units[i];
		e = store_load_unit_log(r->store, u->unit, &u->before);
	}
	return e;
}

static void settle_own(struct ingest *r)
{
	struct ingest_result *result = &r->result;
	bool is_alone = r->log - r->log_before == result->changeset_count;

	/* Something else got a log number among its own: a change let out of quarantine. */
	if (is_alone && !r->is_own_partial)
		result->own.until = r->log;
}

/* What the law had erased does not come in again, not even as bytes in the log. */
static enum err cut_set(struct ingest *r, struct ingest_set *s)
{
	AUTO(buf_clear) struct buf body = {0};
	enum err e;

	if (s->is_cut == NULL)
		return ERR_OK;
	e = changeset_cut(&s->opened->set, s->is_cut, &body, &s->row.cut);
	s->row.body = arena_copy(r->a, buf_bytes(&body));
	s->row.packed = BYTES_NONE;
	return e;
}

static enum err take_new(struct ingest *r, size_t index)
{
	const struct changeset *set = &r->request->sets[index].set;
	struct ingest_set *s = arena_alloc(r->a, sizeof *s);
	enum err e = ingest_load_scope(r);

	if (e != ERR_OK)
		return e;
	start_set(r, index, s);
	e = fold_begin(&r->fold, &s->source);
	for (size_t i = 0; e == ERR_OK && i < set->count; i++)
		e = ingest_take_change(r, s, i);
	if (e == ERR_OK)
		e = cut_set(r, s);
	if (e == ERR_OK)
		e = note_own(r);
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
	ingest_tell_repair(r, &s->row);
	return ERR_OK;
}

static enum err tell_again(struct ingest *r, const struct log_verdict *v,
			   const struct changeset *set)
{
	const bool is_of_set = v->number - set->first < set->count;
	struct ingest_twin twin;
	enum err e;

	/* What simply went in was where the device had it. */
	if (is_of_set && !log_verdict_is_skipped(v))
		ingest_note_away(r, &set->changes[v->number - set->first]);
	if (!bytes_is(v->code, LOG_CODE_REPEATED) || !is_of_set) {
		ingest_tell_result(r, v, BYTES_NONE);
		return ERR_OK;
	}
	e = ingest_find_twin(r, &set->changes[v->number - set->first], &twin);
	if (e == ERR_OK)
		ingest_tell_repeated(r, v->number, &twin);
	return e;
}

/* The answer may have been lost: it is given again, and nothing is written. */
static enum err take_known(struct ingest *r, const struct log_row *row, const struct changeset *set)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < row->verdict_count; i++)
		e = tell_again(r, &row->verdicts[i], set);
	ingest_tell_repair(r, row);
	return e;
}

static void set_aside(struct ingest *r)
{
	r->result.outcome = INGEST_FORKED;
	r->device.id.state = DEVICE_FORKED;
}

/* M8: what a cloned or rolled-back disk wrote is kept, but in no state and no log. */
static enum err take_fork(struct ingest *r, size_t from)
{
	struct ingest_refusal why =
		ingest_refuse(CODE_FORKED, "",
			      "Thiết bị có hai lịch sử khác nhau; chờ quản trị viên quyết định"
			      " / the device has two histories; an administrator has to decide");
	enum err e = ERR_OK;

	set_aside(r);
	for (size_t i = from; e == ERR_OK && i < r->request->set_count; i++) {
		const struct changeset_opened *opened = &r->request->sets[i];
		size_t odd = 0;

		for (size_t k = 0; e == ERR_OK && k < opened->set.count; k++) {
			struct bytes raw = BYTES_NONE;

			if (odd < opened->odd_count && opened->odd[odd].change == k)
				raw = opened->odd[odd++].raw;
			e = ingest_put_quarantine(r, &opened->set.changes[k], raw, &why, 0,
						  opened->set.changes[k].clock);
		}
	}
	return e;
}

/* Before anything looks at them: bases of an epoch that a restore ended. */
static enum err cut_bases(struct ingest *r, size_t index)
{
	const struct changeset *set = &r->request->sets[index].set;
	uint64_t limit = EPOCHS_NO_LIMIT;
	enum err e = epochs_base_limit(r->store, &set->epoch, &limit);

	r->base_cut = limit == EPOCHS_NO_LIMIT ? 0 : limit + 1;
	/* Its device may have laid it over a state of that epoch: it gets ours. */
	r->is_own_partial |= r->base_cut != 0;
	if (e == ERR_OK)
		fold_cut_bases(set->changes, set->count, r->base_cut);
	return e;
}

static void note_seen(struct ingest *r, uint64_t number)
{
	if (number > r->device.seen_number)
		r->device.seen_number = number;
}

/*
 * The device is on a disk that has forgotten what it sent: a copy, or rolled back. It would fork
 * with the next change it makes. Only of the latest request this can be said: what was sealed is on
 * the disk before it is sent, but files and requests may overtake each other.
 */
static bool is_rolled_back(const struct ingest *r)
{
	const struct ingest_request *q = r->request;

	return q->sealed != 0 && q->counter != 0 && q->counter == r->device.id.counter &&
	       q->sealed < r->device.last_number;
}

/* *ret_is_end: nothing behind this set can be taken. */
static enum err take_set(struct ingest *r, size_t index, bool *ret_is_end)
{
	const struct changeset_opened *opened = &r->request->sets[index];
	const struct changeset *set = &opened->set;
	struct log_row row;
	enum place place = PLACE_GAP;
	enum err e;

	if (set->device != r->request->device || id_compare(&set->daemon, &r->ctx->daemon) != 0)
		return err_raise(ERR_PROTO, "a change-set of another device or daemon");
	e = cut_bases(r, index);
	if (e == ERR_OK)
		e = find_place(r, set, &row, &place);
	if (e != ERR_OK)
		return e;
	/* Numbers of another history are not missing: they are in quarantine. */
	if (place != PLACE_FORK)
		note_seen(r, set->first + set->count - 1);
	switch (place) {
	case PLACE_NEXT: return take_new(r, index);
	case PLACE_KNOWN: return take_known(r, &row, set);
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

static enum err take_sets(struct ingest *r)
{
	struct store_device before = r->device;
	bool is_end = false;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && !is_end && i < r->request->set_count; i++)
		e = take_set(r, i, &is_end);
	if (e == ERR_OK && is_rolled_back(r))
		set_aside(r);
	if (e != ERR_OK)
		return e;
	if (r->result.outcome != INGEST_FORKED)
		note_seen(r, r->request->sealed);
	/* A repeat writes nothing. */
	if (before.last_number == r->device.last_number &&
	    before.seen_number == r->device.seen_number && before.id.state == r->device.id.state)
		return ERR_OK;
	return store_put_device(r->store, &r->device);
}

enum err ingest_start(struct ingest *r, const struct context *ctx, struct store *store,
		      struct arena *a, const struct ingest_request *request)
{
	enum err e;

	r->ctx = ctx;
	r->store = store;
	r->a = a;
	r->request = request;
	r->schema = store_schema(store);
	r->tolerance_ms = tolerance_of(ctx);
	fold_init(&r->fold, store, a);
	e = store_load_lost(store);
	if (e == ERR_OK)
		e = store_has_erased(store, &r->has_erased);
	if (e == ERR_OK)
		e = store_last_log(store, &r->log);
	r->log_before = r->log;
	return e;
}

enum err ingest_run(const struct context *ctx, struct store *store, struct arena *a,
		    const struct ingest_request *request, struct ingest_result *ret_result)
{
	struct ingest *r = arena_alloc(a, sizeof *r);
	enum err e;

	e = ingest_start(r, ctx, store, a, request);
	if (e != ERR_OK)
		return e;
	e = store_load_device(store, a, request->device, &r->device);
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	if (e == ERR_NOTFOUND || r->device.id.state != DEVICE_ACTIVE) {
		r->result.outcome = INGEST_REFUSED;
	} else {
		e = take_sets(r);
		if (e == ERR_OK)
			e = ingest_take_waiting(r);
		if (e != ERR_OK)
			return e;
	}
	settle_own(r);
	r->result.chain = r->device.chain;
	r->result.number = r->device.last_number;
	r->result.log = r->log;
	*ret_result = r->result;
	return ERR_OK;
}
