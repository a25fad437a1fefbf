#include "daemon/office.h"

#include "common/base/check.h"
#include "common/model/record.h"
#include "daemon/ingest.h"
#include "daemon/store.h"
#include "proto/changeset.h"
#include "proto/limits.h"

/* What is sealed, one change-set after the other. */
struct office {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	struct store_device device;
	struct changeset_head head; /* of the next set */
	struct changeset_opened *sets;
	size_t set_count;
};

static enum err stamp(struct office *o, struct change *changes, size_t count)
{
	struct hlc hlc = {.last = store_clock(o->store)};
	int64_t now_ms = clock_wall_ms(o->ctx->clock);
	uint64_t base = 0;
	enum err e = store_last_log(o->store, &base);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		changes[i].number = o->device.last_number + 1 + i;
		changes[i].clock = hlc_tick(&hlc, now_ms);
		changes[i].base = base;
		if (!change_sort(&changes[i]))
			return err_raise(ERR_INVAL, "a field twice in one change");
	}
	return e;
}

/* As many of the changes as one set takes; at least one, or ERR_TOOBIG. */
static enum err seal_some(struct office *o, const struct change *changes, size_t count,
			  size_t *ret_taken)
{
	AUTO(buf_clear) struct buf wire = {0};
	size_t taken = count < LIMIT_CHANGES ? count : LIMIT_CHANGES;
	struct hash head;
	enum err e;

	for (;;) {
		o->head.count = taken;
		buf_reset(&wire);
		e = changeset_seal(&o->head, changes, &o->ctx->key, &wire, &head);
		if (e != ERR_TOOBIG || taken == 1)
			break;
		taken /= 2;
	}
	/* Opened like any other's: the bytes in the log are those that were checked. */
	if (e == ERR_OK)
		e = changeset_open(o->a, arena_copy(o->a, buf_bytes(&wire)), &o->device.id.key,
				   &o->sets[o->set_count]);
	if (e != ERR_OK)
		return e;
	o->set_count++;
	o->head.first += taken;
	o->head.chain = head;
	*ret_taken = taken;
	return ERR_OK;
}

static enum err seal(struct office *o, const struct change *changes, size_t count)
{
	enum err e = ERR_OK;

	o->head = (struct changeset_head){.daemon = o->ctx->daemon,
					  .epoch = o->ctx->epoch,
					  .device = STAMP_DEVICE_OFFICE,
					  .first = o->device.last_number + 1,
					  .chain = o->device.chain};
	o->sets = arena_alloc_array(o->a, count, sizeof *o->sets);
	for (size_t done = 0; e == ERR_OK && done < count;) {
		size_t taken = 0;

		e = seal_some(o, &changes[done], count - done, &taken);
		done += taken;
	}
	return e;
}

static void read_results(const struct office *o, const struct ingest_result *result,
			 struct office_written *written)
{
	written->is_merged = true;
	written->log = result->log;
	for (size_t i = 0; written->is_merged && i < result->result_count; i++) {
		const struct msg_result *r = &result->results[i];

		if (!r->is_quarantined)
			continue;
		*written = (struct office_written){
			.refused = (size_t)(r->number - o->device.last_number - 1),
			.code = r->code,
			.field = r->field,
			.text = r->text};
	}
}

static enum err write(struct office *o, struct change *changes, size_t count,
		      struct office_written *written)
{
	int64_t now_ms = clock_wall_ms(o->ctx->clock);
	struct ingest_result result = {0};
	struct ingest_request request = {
		.device = STAMP_DEVICE_OFFICE, .sent_ms = now_ms, .now_ms = now_ms};
	enum err e = store_load_device(o->store, o->a, STAMP_DEVICE_OFFICE, &o->device);

	if (e == ERR_OK)
		e = stamp(o, changes, count);
	if (e == ERR_OK)
		e = seal(o, changes, count);
	if (e != ERR_OK)
		return e;
	request.sets = o->sets;
	request.set_count = o->set_count;
	e = ingest_run(o->ctx, o->store, o->a, &request, &result);
	/* Its numbers are made from the row itself: a gap or a fork is a bug. */
	INVARIANT(IMPLIES(e == ERR_OK, result.outcome == INGEST_OK));
	if (e == ERR_OK)
		read_results(o, &result, written);
	return e;
}

enum err office_write(const struct context *ctx, struct store *store, struct arena *a,
		      struct change *changes, size_t count, struct office_written *ret_written)
{
	struct office o = {.ctx = ctx, .store = store, .a = a};
	struct office_written written = {0};
	bool is_kept = false;
	enum err e = store_mark(store);

	REQUIRE(count != 0);
	if (e != ERR_OK)
		return e;
	e = write(&o, changes, count, &written);
	if (e == ERR_OK && written.is_merged) {
		e = store_mark_keep(store);
		is_kept = e == ERR_OK;
	}
	if (!is_kept)
		store_mark_undo(store);
	if (e == ERR_OK)
		*ret_written = written;
	return e;
}
