#define LOG_TAG "bundle"

#include "daemon/bundle.h"

#include "common/base/check.h"
#include "daemon/compare.h"
#include "daemon/reply.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "proto/limits.h"

/* Plain answers in one return file: room is left for documents and one more answer. */
#define FILL_BYTES ((size_t)16 << 20)

/* ---- opening ---- */

static struct bytes pack_body(struct arena *a, struct bytes body)
{
	AUTO(buf_clear) struct buf packed = {0};

	store_pack_body(body, &packed);
	return arena_copy(a, buf_bytes(&packed));
}

static enum bundle_flaw open_set(const struct context *ctx, struct arena *a, const struct bundle *b,
				 struct bytes wire, struct changeset_opened *ret_set)
{
	enum err e = changeset_open(a, wire, &b->device.key, ret_set);

	if (e != ERR_OK)
		return e == ERR_AUTH ? BUNDLE_FORGED : BUNDLE_UNREADABLE;
	if (ret_set->set.device != b->device.number)
		return BUNDLE_OTHER_DEVICE;
	return id_compare(&ret_set->set.daemon, &ctx->daemon) == 0 ? BUNDLE_SOUND
								   : BUNDLE_ELSEWHERE;
}

static enum bundle_flaw open_part(const struct context *ctx, struct arena *a, struct bundle *b,
				  struct bytes message, struct bundle_part *part)
{
	enum bundle_flaw flaw = BUNDLE_SOUND;
	const struct msg_sync *m = &part->message;

	if (msg_sync_decode(a, message, &part->message) != ERR_OK)
		return BUNDLE_UNREADABLE;
	part->sets = arena_alloc_array(a, m->changeset_count, sizeof *part->sets);
	part->packed = arena_alloc_array(a, m->changeset_count, sizeof *part->packed);
	for (size_t i = 0; i < m->changeset_count && flaw == BUNDLE_SOUND; i++) {
		flaw = open_set(ctx, a, b, m->changesets[i], &part->sets[i]);
		if (flaw == BUNDLE_SOUND)
			part->packed[i] = pack_body(a, part->sets[i].set.body);
	}
	b->changeset_count += m->changeset_count;
	return flaw;
}

enum bundle_flaw bundle_open(const struct context *ctx, struct arena *a, struct bytes file,
			     struct bundle *ret_bundle)
{
	struct bundle *b = ret_bundle;
	struct bundle_out out;
	enum bundle_flaw flaw = bundle_peek(file, &b->head);

	if (flaw != BUNDLE_SOUND)
		return flaw;
	if (b->head.kind != BUNDLE_TO_OFFICE)
		return BUNDLE_WRONG_WAY;
	if (id_compare(&b->head.daemon, &ctx->daemon) != 0)
		return BUNDLE_ELSEWHERE;
	if (registry_find(ctx->registry, b->head.device, &b->device) != ERR_OK)
		return BUNDLE_OTHER_DEVICE;
	flaw = bundle_open_out(a, file, &b->device.key, &ctx->key, &out);
	if (flaw != BUNDLE_SOUND)
		return flaw;
	b->number = out.number;
	b->part_count = out.part_count;
	b->parts = arena_alloc_array(a, out.part_count, sizeof *b->parts);
	for (size_t i = 0; i < out.part_count && flaw == BUNDLE_SOUND; i++)
		flaw = open_part(ctx, a, b, out.parts[i], &b->parts[i]);
	return flaw;
}

/* ---- merging ---- */

static void add_up(struct ingest_result *total, const struct ingest_result *one)
{
	total->outcome = one->outcome;
	total->expected = one->expected;
	total->chain = one->chain;
	total->number = one->number;
	total->log = one->log;
	total->changeset_count += one->changeset_count;
	total->applied += one->applied;
	total->conflicts += one->conflicts;
	total->quarantined += one->quarantined;
}

/* It is a request counter: what was sent before and comes later, request or file, was overtaken. */
static enum err note_number(struct store *store, struct arena *a, const struct bundle *b)
{
	struct store_device device;
	enum err e = store_load_device(store, a, b->device.number, &device);

	if (e != ERR_OK || device.id.counter >= b->number)
		return e;
	device.id.counter = b->number;
	return store_put_device(store, &device);
}

enum err bundle_merge(const struct context *ctx, struct store *store, struct arena *a,
		      uint64_t session, struct bundle *b)
{
	enum err e = note_number(store, a, b);

	/* What ends one request ends those behind it: their numbers follow. */
	for (size_t i = 0; i < b->part_count && e == ERR_OK && b->total.outcome == INGEST_OK; i++) {
		struct bundle_part *part = &b->parts[i];
		const struct ingest_request request = {
			.device = b->device.number,
			.sets = part->sets,
			.packed = part->packed,
			.set_count = part->message.changeset_count,
			.now_ms = clock_wall_ms(ctx->clock),
			.is_by_file = true,
			.sealed = part->message.sealed,
			.counter = b->number,
			.session = session,
		};

		e = ingest_run(ctx, store, a, &request, &part->result);
		if (e == ERR_OK)
			add_up(&b->total, &part->result);
		b->merged = i + 1;
	}
	return e;
}

/* ---- the return ---- */

struct collecting {
	const struct context *ctx;
	struct store *reader;
	struct bundle *bundle;
	struct arena arena; /* what the file is made of */
	struct store_device device;
	struct bundle_return file;
	struct bytes parts[LIMIT_BUNDLE_PARTS];
	size_t total;
};

/* Repairs and results are of the part, where it is given. */
static void put_receipt(struct collecting *c, const struct ingest_result *of,
			const struct msg_repair *repairs, size_t repair_count, struct buf *wire)
{
	const struct msg_receipt receipt = {
		.daemon = c->ctx->daemon,
		.epoch = c->ctx->epoch,
		.device = c->bundle->device.number,
		.number = of->number,
		.chain = of->chain,
		.backed_up = c->device.backed_up < of->number ? c->device.backed_up : of->number,
		.log = of->log,
		.at_ms = clock_wall_ms(c->ctx->clock),
		.repairs = arena_alloc_array(&c->arena, repair_count, sizeof *receipt.repairs),
		.repair_count = repair_count,
	};

	if (repair_count != 0)
		memcpy(receipt.repairs, repairs, repair_count * sizeof *repairs);
	msg_receipt_encode(&receipt, &c->ctx->key, wire);
}

/* An answer goes into the file, with receipt and results of `part` (NULL: of none). */
static void put_answer(struct collecting *c, struct msg_synced *answer,
		       const struct bundle_part *part)
{
	AUTO(buf_clear) struct buf receipt = {0};
	AUTO(buf_clear) struct buf message = {0};
	const struct ingest_result *total = &c->bundle->total;

	if (total->number > 0 && part != NULL)
		put_receipt(c, &part->result, part->result.repairs, part->result.repair_count,
			    &receipt);
	else if (total->number > 0)
		put_receipt(c, total, NULL, 0, &receipt);
	answer->receipt = buf_bytes(&receipt);
	if (part != NULL) {
		answer->results = part->result.results;
		answer->result_count = part->result.result_count;
	}
	msg_synced_encode(answer, &message);
	c->total += message.len;
	c->parts[c->file.part_count++] = arena_copy(&c->arena, buf_bytes(&message));
}

/* The receipts of all requests but the last; states come with that one's. */
static void put_early_receipts(struct collecting *c)
{
	for (size_t i = 0; i + 1 < c->bundle->merged; i++) {
		struct msg_synced answer = {.epoch = c->ctx->epoch,
					    .now_ms = clock_wall_ms(c->ctx->clock),
					    .has_more = true};

		put_answer(c, &answer, &c->bundle->parts[i]);
	}
}

/* The next request of a device that has taken this answer. */
static void go_on(struct collecting *c, struct msg_sync *q, const struct msg_synced *answer)
{
	struct msg_cursor *all =
		arena_alloc_array(&c->arena, q->cursor_count + answer->cursor_count, sizeof *all);
	size_t count = 0;

	if (id_compare(&q->epoch, &c->ctx->epoch) == 0)
		for (size_t i = 0; i < q->cursor_count; i++)
			all[count++] = q->cursors[i];
	for (size_t i = 0; i < answer->cursor_count; i++) {
		size_t at = 0;

		while (at < count && all[at].unit != answer->cursors[i].unit)
			at++;
		count += at == count;
		all[at] = answer->cursors[i];
	}
	q->cursors = all;
	q->cursor_count = count;
	q->epoch = c->ctx->epoch;
	if (answer->notice_count != 0)
		q->notice = answer->notices[answer->notice_count - 1].notice;
}

/* Nothing is compared by file, but what a device asks about by name it is told. */
static enum err answer_strays(struct collecting *c, struct arena *a, const struct msg_sync *q,
			      struct outgoing *owed)
{
	struct msg_sync strays = *q;
	struct compared found;

	strays.wants_digests = false;
	strays.bucket_count = 0;
	return compare_run(
		c->ctx, c->reader, a,
		&(struct outgoing_request){.device = c->bundle->device.number, .sync = &strays},
		owed, &found);
}

/* Of all requests. What the file brought is brought back: nothing is known of its way. */
static struct ingest_own collect_own(struct collecting *c)
{
	const struct bundle *b = c->bundle;
	struct ingest_own all = {0};
	size_t count = 0;

	for (size_t i = 0; i < b->merged; i++)
		count += b->parts[i].result.own.away_count;
	all.away = arena_alloc_array(&c->arena, count, sizeof *all.away);
	for (size_t i = 0; i < b->merged; i++) {
		const struct ingest_own *own = &b->parts[i].result.own;

		for (size_t k = 0; k < own->away_count; k++)
			all.away[all.away_count++] = own->away[k];
	}
	return all;
}

static enum err put_states(struct collecting *c, struct msg_sync *q, uint64_t *ret_units_version)
{
	struct bundle *b = c->bundle;
	const struct ingest_own own = collect_own(c);
	const struct bundle_part *part = &b->parts[b->merged - 1];
	bool has_more = true;

	while (has_more && c->file.part_count < LIMIT_BUNDLE_PARTS && c->total < FILL_BYTES) {
		AUTO(arena_clear) struct arena a = {0};
		struct outgoing owed = {0};
		const struct outgoing_request request = {
			.device = b->device.number, .sync = q, .own = part != NULL ? &own : NULL};
		enum err e = outgoing_build(c->ctx, c->reader, &a, &request, &owed);

		if (e == ERR_OK && part != NULL)
			e = answer_strays(c, &a, q, &owed);
		if (e != ERR_OK)
			return e;
		put_answer(c, &owed.answer, part);
		part = NULL;
		go_on(c, q, &owed.answer);
		b->stats.records += owed.stats.records;
		b->stats.evictions += owed.stats.evictions;
		b->stats.notices += owed.stats.notices;
		has_more = owed.answer.has_more;
		*ret_units_version = owed.answer.units_version;
	}
	b->has_more = has_more;
	return ERR_OK;
}

static enum err put_units(struct collecting *c, uint64_t version)
{
	AUTO(buf_clear) struct buf message = {0};
	struct msg_unit *units = NULL;
	size_t count = 0;
	enum err e = units_load_message(c->reader, &c->arena, &units, &count);

	if (e != ERR_OK)
		return e;
	msg_units_encode(units, count, version, &message);
	c->file.units = arena_copy(&c->arena, buf_bytes(&message));
	return ERR_OK;
}

static void put_refusal(struct collecting *c, const char *code)
{
	AUTO(buf_clear) struct buf message = {0};
	const struct ingest_result *total = &c->bundle->total;
	const struct msg_refusal refusal = {.code = bytes_str(code),
					    .text = bytes_str(reply_text(code)),
					    .expected = total->expected,
					    .chain = total->chain};

	msg_refusal_encode(&refusal, &message);
	c->file.refusal = arena_copy(&c->arena, buf_bytes(&message));
}

static enum err fill(struct collecting *c)
{
	struct msg_sync q = c->bundle->parts[0].message;
	const struct schema *schema = atomic_load(&c->ctx->schema);
	uint64_t units_held = q.units_version;
	uint64_t units_now = 0;
	enum err e;

	/* The device hears why and nothing else, as over the network. */
	if (c->bundle->total.outcome == INGEST_FORKED) {
		put_refusal(c, "forked");
		return ERR_OK;
	}
	if (c->bundle->total.outcome == INGEST_GAP)
		put_refusal(c, "gap");
	put_early_receipts(c);
	e = put_states(c, &q, &units_now);
	if (e != ERR_OK)
		return e;
	if (memcmp(q.schema_version, schema->version, sizeof q.schema_version) != 0)
		c->file.schema = buf_bytes(&schema->source);
	return units_held != units_now ? put_units(c, units_now) : ERR_OK;
}

static enum err write_return(struct collecting *c, struct buf *out)
{
	const struct bundle *b = c->bundle;
	const struct msg_sync *asked = &b->parts[0].message;
	const struct bundle_writer w = {
		.head = {.kind = BUNDLE_RETURN,
			 .device = b->device.number,
			 .daemon = c->ctx->daemon},
		.key = &c->ctx->key,
		.reader = &b->device.key,
		.rand = c->ctx->rand,
	};
	enum err e = store_last_log(c->reader, &c->file.log);

	c->file.number = b->number;
	c->file.epoch = asked->epoch;
	c->file.cursors = asked->cursors;
	c->file.cursor_count = asked->cursor_count;
	c->file.parts = c->parts;
	if (e == ERR_OK)
		e = store_load_device(c->reader, &c->arena, b->device.number, &c->device);
	if (e == ERR_OK)
		e = fill(c);
	return e == ERR_OK ? bundle_write_return(&w, &c->file, out) : e;
}

enum err bundle_collect(const struct context *ctx, struct store *reader, struct bundle *b,
			struct buf *out)
{
	struct collecting c = {.ctx = ctx, .reader = reader, .bundle = b};
	enum err e;

	REQUIRE(b->merged != 0 && b->total.outcome != INGEST_REFUSED);
	e = write_return(&c, out);
	arena_clear(&c.arena);
	return e;
}
