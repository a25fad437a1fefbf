#define LOG_TAG "sync"

#include <inttypes.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/model/validate.h"
#include "daemon/compare.h"
#include "daemon/config.h"
#include "daemon/events.h"
#include "daemon/fatal.h"
#include "daemon/handle.h"
#include "daemon/ingest.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/outgoing.h"
#include "daemon/registry.h"
#include "daemon/reply.h"
#include "daemon/session.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "daemon/writer.h"
#include "proto/msg.h"

/*
 * One sync contact. Its steps run one after the other, each on its own thread:
 *
 *   loop   arrives   envelope, whose key?              pool   check    signatures, decoding
 *   writer merge     session row, ingest, counter      pool   collect  what the device is owed
 *   loop   answers, and hands the end of the session row to the writer
 *
 * The request waits in http.c meanwhile and is only touched on the loop.
 */
struct sync {
	struct task task;
	struct writer_job job;
	struct context *ctx;
	struct http_request *request; /* NULL once answered */
	/* Hundreds of requests wait at once, so what only one step needs goes with that step. */
	struct arena arena;      /* the message and what is answered; until the answer */
	struct arena changesets; /* opened; until the merge */
	struct buf body;
	char peer[PEER_TEXT_LEN];
	struct msg_envelope envelope;
	struct registry_device device;
	struct msg_sync message;
	struct changeset_opened *sets;
	struct bytes *packed; /* their bodies, as the log keeps them */
	bool is_stranger;     /* no such device: checked all the same, see check() */
	bool is_signed;       /* by the device it names */
	bool is_counter_taken;
	uint64_t session;            /* 0: no row yet */
	char unit[SESSION_UNIT_LEN]; /* its code, for the log */
	struct ingest_result result;
	const char *refusal; /* code; NULL: not refused */
	uint64_t expected;
	struct outgoing_stats stats;
	struct compared compared;
	struct buf answer;
	uint64_t bytes_out;
	int64_t began_ms;
};

/* Answered: only figures are wanted from here on. */
static void drop_content(struct sync *s)
{
	buf_clear(&s->body);
	buf_clear(&s->answer);
	arena_clear(&s->arena);
	arena_clear(&s->changesets);
}

static void sync_free(struct sync *s)
{
	drop_content(s);
	mem_free(s);
}

/* ---- pool: is it theirs, can it be read ---- */

static void check_counter(struct sync *s)
{
	struct registry_device now;

	s->is_counter_taken =
		registry_take_counter(s->ctx->registry, s->device.number, s->envelope.counter);
	if (s->is_counter_taken)
		return;
	s->refusal = "replay";
	if (registry_find(s->ctx->registry, s->device.number, &now) == ERR_OK)
		s->expected = now.counter + 1;
}

static const char *code_of(enum err e)
{
	if (e == ERR_TOOBIG)
		return "too_big";
	return e == ERR_AUTH ? "bad_signature" : "bad_request";
}

/* Packing and judging: here and not on the writer's thread, which everybody waits for. */
static void pack_body(struct sync *s, size_t index)
{
	AUTO(buf_clear) struct buf packed = {0};

	store_pack_body(s->sets[index].set.body, &packed);
	s->packed[index] = arena_copy(&s->changesets, buf_bytes(&packed));
}

static enum err open_sets(struct sync *s)
{
	const struct schema *schema = atomic_load(&s->ctx->schema);
	const struct msg_sync *m = &s->message;

	s->sets = arena_alloc_array(&s->changesets, m->changeset_count, sizeof *s->sets);
	s->packed = arena_alloc_array(&s->changesets, m->changeset_count, sizeof *s->packed);
	for (size_t i = 0; i < m->changeset_count; i++) {
		struct changeset_opened *set = &s->sets[i];
		enum err e = changeset_open(&s->changesets, m->changesets[i], &s->device.key, set);

		if (e != ERR_OK)
			return e;
		/* Signed by this device, but meant for another daemon, or under another number. */
		if (set->set.device != s->device.number ||
		    id_compare(&set->set.daemon, &s->ctx->daemon) != 0)
			return err_raise(ERR_PROTO, "change-set of device %" PRIu32,
					 set->set.device);
		pack_body(s, i);
		for (size_t k = 0; k < set->set.count; k++)
			validate_ahead(schema, &set->set.changes[k]);
	}
	return ERR_OK;
}

static enum err read_message(struct sync *s)
{
	struct bytes message;
	enum err e = msg_unpack(&s->arena, s->envelope.packing, s->envelope.payload, &message);

	if (e == ERR_OK)
		e = msg_sync_decode(&s->arena, message, &s->message);
	if (e == ERR_OK)
		e = open_sets(s);
	return e;
}

static void check(struct task *t)
{
	struct sync *s = CONTAINER_OF(t, struct sync, task);
	enum err e;

	/* A wrong signature is answered like an unknown device, and an unknown device takes as
	 * long as a wrong signature: who guesses learns nothing. */
	s->is_signed = msg_envelope_is_valid(&s->envelope, &s->ctx->daemon, &s->device.key) &&
		       !s->is_stranger;
	if (!s->is_signed) {
		s->refusal = "unknown_device";
		return;
	}
	if (s->device.state == DEVICE_REVOKED) {
		s->refusal = "revoked";
		return;
	}
	check_counter(s);
	if (s->refusal != NULL)
		return;
	e = read_message(s);
	if (e != ERR_OK)
		s->refusal = code_of(e);
	else if (s->message.changeset_count > 0 && atomic_load(&s->ctx->is_disk_low))
		s->refusal = "full";
}

/* ---- writer: merge ---- */

static const char *code_of_outcome(enum ingest_outcome outcome)
{
	switch (outcome) {
	case INGEST_OK: return NULL;
	case INGEST_GAP: return "gap";
	case INGEST_FORKED: return "forked";
	case INGEST_REFUSED: return "revoked";
	}
	UNREACHABLE();
}

/* It was set aside while this request was on its way: the store knows why. */
static enum err name_refusal(struct sync *s, struct store *store)
{
	struct store_device device;
	enum err e = store_load_device(store, &s->arena, s->device.number, &device);

	if (e == ERR_OK && device.id.state == DEVICE_FORKED)
		s->refusal = "forked";
	return e;
}

/* A refused merge is final: its row ends in the transaction that began it. */
static enum err end_refused(struct sync *s, struct store *store)
{
	const struct session_finish finish = {.now_ms = clock_wall_ms(s->ctx->clock),
					      .error = bytes_str(s->refusal)};

	s->expected = s->result.expected;
	return session_end(store, s->session, &finish);
}

/* Out of the merge's memory and of the change-sets', into what lives until the answer. */
static void keep_result(struct sync *s)
{
	struct ingest_result *r = &s->result;
	struct msg_result *results = arena_alloc_array(&s->arena, r->result_count, sizeof *results);
	struct msg_repair *repairs = arena_alloc_array(&s->arena, r->repair_count, sizeof *repairs);
	struct ingest_own_unit *units = arena_alloc_array(&s->arena, r->own.count, sizeof *units);
	struct msg_stray *away = arena_alloc_array(&s->arena, r->own.away_count, sizeof *away);

	for (size_t i = 0; i < r->result_count; i++) {
		results[i] = r->results[i];
		results[i].code = arena_copy(&s->arena, r->results[i].code);
		results[i].field = arena_copy(&s->arena, r->results[i].field);
		results[i].text = arena_copy(&s->arena, r->results[i].text);
	}
	for (size_t i = 0; i < r->repair_count; i++)
		repairs[i] = r->repairs[i];
	for (size_t i = 0; i < r->own.count; i++)
		units[i] = r->own.units[i];
	for (size_t i = 0; i < r->own.away_count; i++)
		away[i] = (struct msg_stray){arena_copy(&s->arena, r->own.away[i].type),
					     r->own.away[i].id};
	r->results = results;
	r->repairs = repairs;
	r->own.units = units;
	r->own.away = away;
}

static enum err merge(struct writer_job *job, struct store *store)
{
	struct sync *s = CONTAINER_OF(job, struct sync, job);
	AUTO(arena_clear) struct arena scratch = {0};
	const int64_t now = clock_wall_ms(s->ctx->clock);
	const struct session_start start = {
		.device = s->device.number,
		.author = s->message.author,
		.transport = BYTES_LIT("network"),
		.address = bytes_str(s->peer),
		.client_version = s->message.client_version,
		.bytes_in = s->body.len,
		.counter = s->envelope.counter,
		.sent_ms = s->message.sent_ms,
		.now_ms = now,
	};
	struct ingest_request request = {
		.device = s->device.number,
		.sets = s->sets,
		.packed = s->packed,
		.set_count = s->message.changeset_count,
		.sent_ms = s->message.sent_ms,
		.now_ms = now,
		.sealed = s->message.sealed,
		.counter = s->envelope.counter,
	};
	enum err e = session_begin(store, &start, &s->session);

	request.session = s->session;
	if (e == ERR_OK)
		e = ingest_run(s->ctx, store, &scratch, &request, &s->result);
	if (e == ERR_OK)
		keep_result(s);
	if (e == ERR_OK)
		e = session_merged(store, s->session, &s->result);
	if (e != ERR_OK)
		return e;
	s->refusal = code_of_outcome(s->result.outcome);
	if (s->result.outcome == INGEST_REFUSED)
		e = name_refusal(s, store);
	if (e != ERR_OK)
		return e;
	return s->refusal != NULL ? end_refused(s, store) : ERR_OK;
}

/* ---- pool: what the device is owed ---- */

static void put_receipt(struct sync *s, const struct store_device *device, struct buf *wire)
{
	const struct msg_receipt receipt = {
		.daemon = s->ctx->daemon,
		.epoch = s->ctx->epoch,
		.device = s->device.number,
		.number = s->result.number,
		.chain = s->result.chain,
		.backed_up =
			device->backed_up < s->result.number ? device->backed_up : s->result.number,
		.log = s->result.log,
		.at_ms = clock_wall_ms(s->ctx->clock),
		.repairs = s->result.repairs,
		.repair_count = s->result.repair_count,
	};

	msg_receipt_encode(&receipt, &s->ctx->key, wire);
}

static bool asks_much(const struct sync *s)
{
	return s->message.wants_digests || s->message.bucket_count != 0;
}

/* Reading whole units is dear: of those who ask at once only a few are served, and strays. */
static enum err compare(struct sync *s, struct store *reader, struct outgoing *owed)
{
	struct msg_sync request = s->message;
	const struct outgoing_request asked = {.device = s->device.number, .sync = &request};
	const bool is_dear = asks_much(s);
	enum err e;

	if (atomic_fetch_add(&s->ctx->comparing, is_dear) >= COMPARE_AT_ONCE) {
		request.wants_digests = false;
		request.bucket_count = 0;
	}
	e = compare_run(s->ctx, reader, &s->arena, &asked, owed, &s->compared);
	atomic_fetch_sub(&s->ctx->comparing, is_dear);
	return e;
}

static enum err build(struct sync *s, struct store *reader)
{
	AUTO(buf_clear) struct buf receipt = {0};
	AUTO(buf_clear) struct buf message = {0};
	struct outgoing owed = {0};
	struct msg_synced *answer = &owed.answer;
	const struct outgoing_request request = {
		.device = s->device.number, .sync = &s->message, .own = &s->result.own};
	struct store_device device;
	enum err e = outgoing_build(s->ctx, reader, &s->arena, &request, &owed);

	if (e == ERR_OK)
		e = compare(s, reader, &owed);
	if (e == ERR_OK)
		e = store_load_device(reader, &s->arena, s->device.number, &device);
	if (e != ERR_OK)
		return e;
	if (s->result.number > 0) {
		put_receipt(s, &device, &receipt);
		answer->receipt = buf_bytes(&receipt);
	}
	answer->results = s->result.results;
	answer->result_count = s->result.result_count;
	s->stats = owed.stats;
	msg_synced_encode(answer, &message);
	msg_answer_seal(buf_bytes(&message), &s->answer);
	return ERR_OK;
}

/* People look for a commune by its code. */
static enum err name_unit(struct sync *s, struct store *reader)
{
	const int64_t today = units_day_of(clock_wall_ms(s->ctx->clock));

	return session_load_unit(reader, s->session, today, s->unit);
}

static void collect(struct task *t)
{
	struct sync *s = CONTAINER_OF(t, struct sync, task);
	struct store *reader = readers_take(s->ctx->readers);
	enum err e = fatal_or(store_begin(reader), "begin to read");

	if (e == ERR_OK) {
		e = fatal_or(build(s, reader), "collect");
		if (e == ERR_OK && log_shows(LOG_INFO, LOG_TAG))
			e = fatal_or(name_unit(s, reader), "name the unit");
		store_rollback(reader);
	}
	readers_give(s->ctx->readers, reader);
	if (e == ERR_OK)
		return;
	/* What was merged is merged: the device sends again and gets the same receipt. */
	log_err("collect session=%" PRIu64 " device=%" PRIu32 " error=%s detail=\"%s\"", s->session,
		s->device.number, err_name(e), log_last_detail());
	s->refusal = "failed";
}

/* ---- loop: answers ---- */

static void log_line(const struct sync *s, const char *outcome)
{
	log_info("session=%" PRIu64 " peer=%s device=%" PRIu32 " unit=%s in=%zu out=%" PRIu64
		 " sets=%zu applied=%zu conflicts=%zu quarantined=%zu records=%zu ms=%" PRId64
		 " result=%s",
		 s->session, s->peer, s->device.number, s->unit, s->body.len, s->bytes_out,
		 s->result.changeset_count, s->result.applied, s->result.conflicts,
		 s->result.quarantined, s->stats.records,
		 clock_monotonic_ms(s->ctx->clock) - s->began_ms, outcome);
}

static void answer_refused(struct sync *s)
{
	const struct refusal refusal = {
		.code = s->refusal,
		.expected = s->expected,
		.chain = s->result.outcome == INGEST_GAP ? &s->result.chain : NULL,
	};
	struct http_answer a = {0};

	reply_make_refusal(&refusal, &a);
	s->bytes_out = a.body.len;
	metrics_add(s->ctx->metrics, syncs_refused_total, 1);
	http_answer(s->request, &a);
	s->request = NULL;
}

/* Before the merge: nothing of it is in the sync log yet. */
static void refuse_and_free(struct sync *s)
{
	const struct refused_contact contact = {
		.code = s->refusal,
		.device = s->envelope.device,
		.is_device_known = s->is_signed,
		.counter = s->is_counter_taken ? s->envelope.counter : 0,
		.bytes_in = s->body.len,
	};

	handle_log_refused(s->ctx, s->request, &contact);
	answer_refused(s);
	sync_free(s);
}

static enum err end_session(struct writer_job *job, struct store *store)
{
	const struct sync *s = CONTAINER_OF(job, struct sync, job);
	const struct session_finish finish = {
		.now_ms = clock_wall_ms(s->ctx->clock),
		.bytes_out = s->bytes_out,
		.stats = s->stats,
		.is_failed = s->refusal != NULL,
		.error = bytes_str(s->refusal != NULL ? s->refusal : s->compared.text),
	};

	return session_end(store, s->session, &finish);
}

static void on_ended(struct writer_job *job, enum err e)
{
	struct sync *s = CONTAINER_OF(job, struct sync, job);

	if (e != ERR_OK && handle_may_warn(s->ctx))
		log_warn("unended session=%" PRIu64 " error=%s", s->session, err_name(e));
	events_session_ended(s->ctx->events, s->session);
	sync_free(s);
}

/* A difference means a bug, or a store altered behind our back: an operator must look. */
static void warn_of_differences(const struct sync *s)
{
	const struct compared *found = &s->compared;

	metrics_add(s->ctx->metrics, digests_compared_total, found->digests);
	metrics_add(s->ctx->metrics, digests_differing_total, found->unit_count);
	metrics_add(s->ctx->metrics, records_missing_total, found->missing_count);
	if (found->text[0] != '\0' && handle_may_warn(s->ctx))
		log_warn("differs session=%" PRIu64 " device=%" PRIu32 " detail=\"%s\"", s->session,
			 s->device.number, found->text);
}

/* As the sync log will call it. */
static bool is_partial(const struct sync *s)
{
	return s->result.conflicts > 0 || s->result.quarantined > 0 || s->compared.text[0] != '\0';
}

/* Answer and end of the row leave in one turn of the loop: no command that is asked after the
 * answer comes before writer_flush() sees the row's job. */
static void on_collected(struct task *t)
{
	struct sync *s = CONTAINER_OF(t, struct sync, task);

	if (s->refusal != NULL) {
		answer_refused(s);
	} else {
		s->bytes_out = s->answer.len;
		metrics_add(s->ctx->metrics, syncs_total, 1);
		metrics_add(s->ctx->metrics, records_out_total, s->stats.records);
		reply_body(s->request, 200, MSG_CONTENT_TYPE, &s->answer);
		s->request = NULL;
		warn_of_differences(s);
	}
	log_line(s, s->refusal != NULL ? s->refusal : is_partial(s) ? "partial" : "ok");
	drop_content(s);
	s->job = (struct writer_job){.run = end_session, .done = on_ended, .is_repeatable = true};
	if (writer_submit_lazy(s->ctx->writer, &s->job) != ERR_OK)
		on_ended(&s->job, ERR_AGAIN);
}

static void count(const struct sync *s)
{
	metrics_add(s->ctx->metrics, changesets_total, s->result.changeset_count);
	metrics_add(s->ctx->metrics, changes_applied_total, s->result.applied);
	metrics_add(s->ctx->metrics, conflicts_total, s->result.conflicts);
	metrics_add(s->ctx->metrics, quarantined_total, s->result.quarantined);
}

void handle_set_aside(struct context *ctx, uint32_t number, uint64_t session)
{
	struct registry_device device;

	log_warn("forked device=%" PRIu32 " session=%" PRIu64, number, session);
	metrics_add(ctx->metrics, forks_total, 1);
	if (registry_find(ctx->registry, number, &device) != ERR_OK ||
	    device.state == DEVICE_REVOKED)
		return;
	device.state = DEVICE_FORKED;
	registry_put(ctx->registry, &device);
}

static void on_merged(struct writer_job *job, enum err e)
{
	struct sync *s = CONTAINER_OF(job, struct sync, job);

	if (e != ERR_OK) {
		s->refusal = e == ERR_FULL ? "full" : e == ERR_AGAIN ? "busy" : "failed";
		if (err_class(e) == ERR_CLASS_REJECT && handle_may_warn(s->ctx))
			log_err("merge device=%" PRIu32 " error=%s", s->device.number, err_name(e));
		refuse_and_free(s);
		return;
	}
	arena_clear(&s->changesets);
	count(s);
	if (s->result.outcome == INGEST_FORKED)
		handle_set_aside(s->ctx, s->device.number, s->session);
	if (s->refusal != NULL) {
		events_session_ended(s->ctx->events, s->session);
		answer_refused(s);
		log_line(s, s->refusal);
		sync_free(s);
		return;
	}
	s->task = (struct task){.run = collect, .done = on_collected};
	/* Whole units are read only for few at a time, and not before others' contacts. */
	if (asks_much(s))
		loop_work(s->ctx->loop, &s->task);
	else
		loop_work_short(s->ctx->loop, &s->task);
}

static void on_checked(struct task *t)
{
	struct sync *s = CONTAINER_OF(t, struct sync, task);

	if (s->refusal == NULL) {
		s->job =
			(struct writer_job){.run = merge, .done = on_merged, .is_repeatable = true};
		if (writer_submit(s->ctx->writer, &s->job) == ERR_OK)
			return;
		s->refusal = "busy";
	}
	refuse_and_free(s);
}

void handle_sync(struct context *ctx, struct http_request *r)
{
	struct sync *s = mem_alloc_zero(sizeof *s);
	enum err e;

	s->ctx = ctx;
	s->request = r;
	s->body = r->body;
	r->body = (struct buf){0};
	s->began_ms = clock_monotonic_ms(ctx->clock);
	memcpy(s->peer, r->peer, sizeof s->peer);
	e = msg_envelope_open(buf_bytes(&s->body), &s->envelope);
	if (e != ERR_OK) {
		s->refusal = code_of(e);
		refuse_and_free(s);
		return;
	}
	if (registry_find(ctx->registry, s->envelope.device, &s->device) != ERR_OK) {
		s->is_stranger = true;
		s->device = (struct registry_device){.key = ctx->key.public_key};
	}
	s->task = (struct task){.run = check, .done = on_checked};
	loop_work_short(ctx->loop, &s->task);
}
