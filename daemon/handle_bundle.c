#define LOG_TAG "bundle"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/bundle.h"
#include "daemon/events.h"
#include "daemon/fatal.h"
#include "daemon/handle.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/reply.h"
#include "daemon/session.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "daemon/writer.h"

#define NAME_LEN   32u
#define REASON_LEN 1024u

/*
 * One file brought by hand; the same way through the threads as a sync (handle_sync.c):
 *
 *   pool  open     whose it is, signatures          writer  merge    session row, ingest, audit
 *   pool  collect  the return file                  writer  end      of the session row
 *   loop  answers
 */
struct call {
	struct task task;
	struct writer_job job;
	struct context *ctx;
	struct http_request *request; /* NULL once answered */
	struct arena arena;
	struct buf body; /* the file */
	char caller[NAME_LEN];
	struct bundle bundle;
	enum bundle_flaw flaw;
	uint64_t session;
	char unit[SESSION_UNIT_LEN]; /* its code, for the log */
	const char *refusal;         /* code; NULL: none */
	char reason[REASON_LEN];
	struct buf returned; /* the return file */
	struct http_answer answer;
	uint64_t bytes_out;
	int64_t began_ms;
};

static void call_free(struct call *c)
{
	buf_clear(&c->body);
	buf_clear(&c->returned);
	buf_clear(&c->answer.body);
	arena_clear(&c->arena);
	mem_free(c);
}

/* ---- refusing ---- */

static void log_line(const struct call *c, const char *outcome)
{
	const struct ingest_result *t = &c->bundle.total;

	log_info("session=%" PRIu64 " uid=%s device=%" PRIu32 " unit=%s in=%zu out=%" PRIu64
		 " sets=%zu applied=%zu conflicts=%zu quarantined=%zu records=%zu ms=%" PRId64
		 " result=%s",
		 c->session, c->caller, c->bundle.head.device, c->unit, c->body.len, c->bytes_out,
		 t->changeset_count, t->applied, t->conflicts, t->quarantined,
		 c->bundle.stats.records, clock_monotonic_ms(c->ctx->clock) - c->began_ms, outcome);
}

static void make_error(struct call *c, unsigned status, int exit_code)
{
	reply_make_error(status, exit_code, c->reason, &c->answer);
	c->bytes_out = c->answer.body.len;
}

static void answer(struct call *c, const char *outcome)
{
	http_answer(c->request, &c->answer);
	c->request = NULL;
	log_line(c, outcome);
	call_free(c);
}

/* Nothing of it is in the sync log yet. */
static void refuse_flawed(struct call *c)
{
	const struct refused_contact contact = {
		.code = bundle_flaw_name(c->flaw),
		.device = c->bundle.head.device,
		.bytes_in = c->body.len,
	};

	if (c->flaw == BUNDLE_OTHER_DEVICE)
		snprintf(
			c->reason, sizeof c->reason,
			"Tệp của máy số %" PRIu32
			", chưa đăng ký ở đây; chưa có gì thay đổi / the file is of device %" PRIu32
			", which is not enrolled here; nothing was changed",
			c->bundle.head.device, c->bundle.head.device);
	else
		snprintf(c->reason, sizeof c->reason,
			 "%s; chưa có gì thay đổi / %s; nothing was changed",
			 bundle_flaw_vi(c->flaw), bundle_flaw_en(c->flaw));
	handle_log_refused(c->ctx, c->request, &contact);
	make_error(c, 400, 1);
	answer(c, bundle_flaw_name(c->flaw));
}

/* What the protocol says is for the commune; whoever stands here with the file is the office. */
static void explain(struct call *c)
{
	const uint32_t number = c->bundle.device.number;

	if (strcmp(c->refusal, "forked") == 0)
		snprintf(c->reason, sizeof c->reason,
			 "Máy %" PRIu32 " đã bị tách ra (forked); chưa nhận gì, mọi thứ vẫn ở máy "
			 "của xã; hãy cấp thư: ctxhctl device release %" PRIu32 " / device %" PRIu32
			 " is set aside (forked); nothing was taken, all is "
			 "kept on the commune's machine; make it a release: ctxhctl device "
			 "release %" PRIu32,
			 number, number, number, number);
	else if (strcmp(c->refusal, "revoked") == 0)
		snprintf(c->reason, sizeof c->reason,
			 "Máy %" PRIu32 " đã bị thu hồi (revoked); chưa nhận gì; thu hồi nhầm thì "
			 "mời lại: ctxhctl device invite / device %" PRIu32
			 " was revoked; nothing was taken; if that was a mistake invite it anew: "
			 "ctxhctl device invite",
			 number, number);
	else
		snprintf(c->reason, sizeof c->reason, "%s", reply_text(c->refusal));
}

/* By a code of the protocol. */
static void refuse(struct call *c)
{
	unsigned status = reply_status(c->refusal);

	explain(c);
	make_error(c, status, status >= 500 ? 3 : 1);
	answer(c, c->refusal);
}

/* ---- pool: the return file and what is told about it ---- */

static enum err build(struct call *c, struct store *reader)
{
	return bundle_collect(c->ctx, reader, &c->bundle, &c->returned);
}

static const char *outcome_of(const struct bundle *b)
{
	const struct ingest_result *t = &b->total;

	if (t->outcome == INGEST_GAP)
		return "gap";
	if (t->outcome == INGEST_FORKED)
		return "forked";
	return t->quarantined + t->conflicts != 0 ? "partial" : "ok";
}

static int append_piece(const char *piece, size_t len, void *arg)
{
	buf_append(arg, piece, len);
	return 0;
}

static void print_result(struct call *c)
{
	const struct bundle *b = &c->bundle;
	const struct ingest_result *t = &b->total;
	AUTO(mem_free) char *hex = mem_alloc(2 * c->returned.len + 1);
	const char *outcome = outcome_of(b);
	json_t *j;

	hex_print(c->returned.data, c->returned.len, hex);
	j = json_pack(
		"{s:i,s:{s:I,s:I,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:s}}", "exit_code",
		strcmp(outcome, "ok") == 0 ? 0 : 4, "result", "session", (json_int_t)c->session,
		"device", (json_int_t)b->device.number, "number", (json_int_t)b->number, "outcome",
		outcome, "changesets", (json_int_t)t->changeset_count, "applied",
		(json_int_t)t->applied, "conflicts", (json_int_t)t->conflicts, "quarantined",
		(json_int_t)t->quarantined, "held", (json_int_t)t->number, "records_out",
		(json_int_t)b->stats.records, "evictions", (json_int_t)b->stats.evictions,
		"notices", (json_int_t)b->stats.notices, "has_more", b->has_more, "file", hex);
	bool is_printed = j != NULL &&
			  json_dump_callback(j, append_piece, &c->answer.body, JSON_COMPACT) == 0;

	/* Numbers and words of ours: there is nothing in it that JSON could refuse. */
	ENSURE(is_printed);
	json_decref(j);
}

static enum err name_unit(struct call *c, struct store *reader)
{
	const int64_t today = units_day_of(clock_wall_ms(c->ctx->clock));

	return session_load_unit(reader, c->session, today, c->unit);
}

static void collect(struct task *t)
{
	struct call *c = CONTAINER_OF(t, struct call, task);
	struct store *reader = readers_take(c->ctx->readers);
	enum err e = fatal_or(store_begin(reader), "begin to read");

	if (e == ERR_OK) {
		e = fatal_or(build(c, reader), "collect");
		if (e == ERR_OK && log_shows(LOG_INFO, LOG_TAG))
			e = fatal_or(name_unit(c, reader), "name the unit");
		store_rollback(reader);
	}
	readers_give(c->ctx->readers, reader);
	if (e == ERR_OK) {
		print_result(c);
		return;
	}
	/* What was merged is merged: brought in again, the file gets its return. */
	log_err("collect session=%" PRIu64 " device=%" PRIu32 " error=%s detail=\"%s\"", c->session,
		c->bundle.device.number, err_name(e), log_last_detail());
	c->refusal = "failed";
}

/* ---- the end of the session's row, and the answer ---- */

static enum err end_session(struct writer_job *job, struct store *store)
{
	const struct call *c = CONTAINER_OF(job, struct call, job);
	const struct session_finish finish = {
		.now_ms = clock_wall_ms(c->ctx->clock),
		.bytes_out = c->bytes_out,
		.stats = c->bundle.stats,
		.is_failed = c->refusal != NULL,
		.error = c->refusal != NULL ? bytes_str(c->refusal) : BYTES_NONE,
	};

	return session_end(store, c->session, &finish);
}

/* The file was taken and its return is whole: that its row lacks an end changes nothing of it. */
static void on_ended(struct writer_job *job, enum err e)
{
	struct call *c = CONTAINER_OF(job, struct call, job);

	if (e != ERR_OK && handle_may_warn(c->ctx))
		log_warn("unended session=%" PRIu64 " error=%s", c->session, err_name(e));
	events_session_ended(c->ctx->events, c->session);
	answer(c, c->refusal != NULL ? c->refusal : outcome_of(&c->bundle));
}

/* Before the answer, and not lazily as of the many devices: a file is brought by somebody who then
 * looks at the sync log. */
static void on_collected(struct task *t)
{
	struct call *c = CONTAINER_OF(t, struct call, task);

	if (c->refusal != NULL) {
		snprintf(
			c->reason, sizeof c->reason,
			"Đã nhận tệp nhưng chưa làm được tệp trả về; hãy đưa tệp vào lần nữa, không "
			"có gì bị ghi đôi / the file was taken but its return could not be made; "
			"bring it in again, nothing is doubled");
		make_error(c, 500, 3);
	} else {
		c->bytes_out = c->returned.len;
		metrics_add(c->ctx->metrics, records_out_total, c->bundle.stats.records);
		c->answer.status = 200;
		c->answer.content_type = REPLY_JSON;
	}
	c->job = (struct writer_job){.run = end_session, .done = on_ended};
	if (writer_submit(c->ctx->writer, &c->job) != ERR_OK)
		on_ended(&c->job, ERR_AGAIN);
}

/* ---- writer ---- */

/* Set aside or revoked: the row ends here, and says which. */
static enum err end_refused(struct call *c, struct store *store)
{
	struct session_finish finish = {.now_ms = clock_wall_ms(c->ctx->clock)};
	struct store_device device;
	enum err e = store_load_device(store, &c->arena, c->bundle.device.number, &device);

	if (e != ERR_OK)
		return e;
	c->refusal = device.id.state == DEVICE_FORKED ? "forked" : "revoked";
	finish.error = bytes_str(c->refusal);
	return session_end(store, c->session, &finish);
}

static enum err leave_audit(struct call *c, struct store *store)
{
	const struct ingest_result *t = &c->bundle.total;
	const struct hash hash = hash_of(buf_bytes(&c->body));
	char hex[2 * HASH_LEN + 1];
	struct bytes detail;

	hex_print(hash.bytes, sizeof hash.bytes, hex);
	detail = arena_printf(&c->arena,
			      "{\"applied\":%zu,\"device\":%" PRIu32
			      ",\"file\":\"%s\",\"quarantined\":%zu,\"session\":%" PRIu64 "}",
			      t->applied, c->bundle.device.number, hex, t->quarantined, c->session);
	return store_put_audit(store, clock_wall_ms(c->ctx->clock), bytes_str(c->caller),
			       BYTES_LIT("bundle in"), detail);
}

static enum err merge(struct writer_job *job, struct store *store)
{
	struct call *c = CONTAINER_OF(job, struct call, job);
	const struct msg_sync *m = &c->bundle.parts[0].message;
	const struct session_start start = {
		.device = c->bundle.device.number,
		.author = m->author,
		.transport = BYTES_LIT("file"),
		.address = bytes_str(c->caller),
		.client_version = m->client_version,
		.bytes_in = c->body.len,
		.now_ms = clock_wall_ms(c->ctx->clock),
	};
	enum err e = session_begin(store, &start, &c->session);

	if (e == ERR_OK)
		e = bundle_merge(c->ctx, store, &c->arena, c->session, &c->bundle);
	if (e == ERR_OK)
		e = session_merged(store, c->session, &c->bundle.total);
	if (e == ERR_OK)
		e = leave_audit(c, store);
	if (e == ERR_OK && c->bundle.total.outcome == INGEST_REFUSED)
		e = end_refused(c, store);
	return e;
}

static void count(const struct call *c)
{
	const struct ingest_result *t = &c->bundle.total;

	metrics_add(c->ctx->metrics, changesets_total, t->changeset_count);
	metrics_add(c->ctx->metrics, changes_applied_total, t->applied);
	metrics_add(c->ctx->metrics, conflicts_total, t->conflicts);
	metrics_add(c->ctx->metrics, quarantined_total, t->quarantined);
}

static void on_merged(struct writer_job *job, enum err e)
{
	struct call *c = CONTAINER_OF(job, struct call, job);

	if (e != ERR_OK)
		c->refusal = e == ERR_FULL ? "full" : e == ERR_AGAIN ? "busy" : "failed";
	if (c->refusal != NULL) {
		if (e == ERR_OK)
			events_session_ended(c->ctx->events, c->session);
		refuse(c);
		return;
	}
	count(c);
	if (c->bundle.total.outcome == INGEST_FORKED)
		handle_set_aside(c->ctx, c->bundle.device.number, c->session);
	c->task = (struct task){.run = collect, .done = on_collected};
	loop_work(c->ctx->loop, &c->task);
}

/* ---- pool: the file ---- */

static void open_file(struct task *t)
{
	struct call *c = CONTAINER_OF(t, struct call, task);

	c->flaw = bundle_open(c->ctx, &c->arena, buf_bytes(&c->body), &c->bundle);
}

static void on_opened(struct task *t)
{
	struct call *c = CONTAINER_OF(t, struct call, task);

	if (c->flaw != BUNDLE_SOUND) {
		refuse_flawed(c);
		return;
	}
	if (c->bundle.changeset_count != 0 && atomic_load(&c->ctx->is_disk_low)) {
		c->refusal = "full";
		refuse(c);
		return;
	}
	c->job = (struct writer_job){.run = merge, .done = on_merged};
	/* From here on the call is the writer's: it may be over before submit has returned. */
	if (writer_submit(c->ctx->writer, &c->job) == ERR_OK)
		return;
	c->refusal = "busy";
	refuse(c);
}

void handle_bundle(struct context *ctx, struct http_request *r)
{
	struct call *c = mem_alloc_zero(sizeof *c);

	metrics_add(ctx->metrics, admin_calls_total, 1);
	c->ctx = ctx;
	c->request = r;
	c->body = r->body;
	r->body = (struct buf){0};
	c->began_ms = clock_monotonic_ms(ctx->clock);
	snprintf(c->caller, sizeof c->caller, "uid:%" PRIu32, r->uid);
	c->task = (struct task){.run = open_file, .done = on_opened};
	loop_work(ctx->loop, &c->task);
}
