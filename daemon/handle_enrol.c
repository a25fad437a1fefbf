#define LOG_TAG "enrol"

#include <inttypes.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/enrol.h"
#include "daemon/handle.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/registry.h"
#include "daemon/reply.h"
#include "daemon/writer.h"

struct enrolment {
	struct task task;
	struct writer_job job;
	struct context *ctx;
	struct http_request *request;
	struct arena arena;
	struct buf body;
	struct msg_enrol message;
	struct msg_enrolled enrolled;
	struct registry_device device;
	enum err outcome; /* of enrol_run(); a failed try is committed all the same */
};

static void finish(struct enrolment *n, const char *code)
{
	AUTO(buf_clear) struct buf message = {0};

	if (code != NULL) {
		metrics_add(n->ctx->metrics, enrolments_refused_total, 1);
		handle_log_refused(
			n->ctx, n->request,
			&(struct refused_contact){.code = code, .bytes_in = n->body.len});
		reply_refuse(n->request, &(struct refusal){.code = code});
	} else {
		metrics_add(n->ctx->metrics, enrolments_total, 1);
		msg_enrolled_encode(&n->enrolled, &message);
		reply_message(n->request, buf_bytes(&message));
	}
	buf_clear(&n->body);
	arena_clear(&n->arena);
	mem_free(n);
}

static enum err run(struct writer_job *job, struct store *store)
{
	struct enrolment *n = CONTAINER_OF(job, struct enrolment, job);

	n->outcome = enrol_run(n->ctx, store, &n->arena, &n->message, &n->enrolled, &n->device);
	/* The count of wrong tries must outlive this transaction. */
	return err_class(n->outcome) == ERR_CLASS_REJECT ? ERR_OK : n->outcome;
}

static const char *code_of(enum err e)
{
	if (e == ERR_AUTH || e == ERR_NOTFOUND)
		return "code_used";
	if (e == ERR_CONFLICT)
		return "key_known";
	if (e == ERR_INVAL)
		return "other_home";
	if (e == ERR_AGAIN)
		return "too_many";
	if (e == ERR_FULL)
		return "full";
	return err_class(e) == ERR_CLASS_REJECT ? "bad_request" : "failed";
}

/* The device whose place it took speaks no more. */
static void put_devices(struct enrolment *n)
{
	struct registry_device former;

	registry_put(n->ctx->registry, &n->device);
	metrics_set(n->ctx->metrics, devices, registry_count(n->ctx->registry));
	if (n->enrolled.former == 0 ||
	    registry_find(n->ctx->registry, n->enrolled.former, &former) != ERR_OK ||
	    former.state != DEVICE_ACTIVE)
		return;
	former.state = DEVICE_FORKED;
	registry_put(n->ctx->registry, &former);
}

static void on_done(struct writer_job *job, enum err e)
{
	struct enrolment *n = CONTAINER_OF(job, struct enrolment, job);

	if (e == ERR_OK)
		e = n->outcome;
	if (e != ERR_OK) {
		finish(n, code_of(e));
		return;
	}
	put_devices(n);
	log_notice("enrolled device=%" PRIu32 " former=%" PRIu32 " peer=%s", n->device.number,
		   n->enrolled.former, n->request->peer);
	finish(n, NULL);
}

/* The message vouches for its own key: decoding checks the signature. */
static void open_message(struct task *t)
{
	struct enrolment *n = CONTAINER_OF(t, struct enrolment, task);

	n->outcome = msg_enrol_decode(&n->arena, buf_bytes(&n->body), &n->message);
}

static void on_opened(struct task *t)
{
	struct enrolment *n = CONTAINER_OF(t, struct enrolment, task);

	if (n->outcome != ERR_OK) {
		finish(n, n->outcome == ERR_TOOBIG ? "too_big" : "bad_request");
		return;
	}
	n->job = (struct writer_job){.run = run, .done = on_done};
	if (writer_submit(n->ctx->writer, &n->job) != ERR_OK)
		finish(n, "busy");
}

void handle_enrol(struct context *ctx, struct http_request *r)
{
	const struct config *config = ctx->config;
	struct enrolment *n;

	if (!peers_may(ctx->peers, PEER_ENROL, &r->address, config->limits.enrol_per_minute,
		       config->limits.enrol_per_hour, clock_monotonic_ms(ctx->clock))) {
		metrics_add(ctx->metrics, enrolments_refused_total, 1);
		handle_log_refused(
			ctx, r,
			&(struct refused_contact){.code = "too_many", .bytes_in = r->body.len});
		reply_refuse(r, &(struct refusal){.code = "too_many"});
		return;
	}
	n = mem_alloc_zero(sizeof *n);
	n->ctx = ctx;
	n->request = r;
	n->body = r->body;
	r->body = (struct buf){0};
	n->task = (struct task){.run = open_message, .done = on_opened};
	loop_work(ctx->loop, &n->task);
}
