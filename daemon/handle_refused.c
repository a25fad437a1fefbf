#define LOG_TAG "refused"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/events.h"
#include "daemon/handle.h"
#include "daemon/peers.h"
#include "daemon/session.h"
#include "daemon/writer.h"

#define WARNINGS_HOUR 60

/* Owns everything it says: the request is gone when the writer comes to it. */
struct refused {
	struct writer_job job;
	struct context *ctx;
	struct session_start start;
	char peer[PEER_TEXT_LEN];
	struct refused_contact contact;
	uint64_t session;
};

static enum err run(struct writer_job *job, struct store *store)
{
	struct refused *f = CONTAINER_OF(job, struct refused, job);

	f->start.address = bytes_str(f->peer);
	return session_refused(store, &f->start, f->contact.is_device_known,
			       bytes_str(f->contact.code), f->contact.bytes_out, &f->session);
}

bool handle_may_warn(struct context *ctx)
{
	const struct peer_address everybody = {.is_local = true};

	return peers_may(ctx->peers, PEER_WARNED, &everybody, WARNINGS_HOUR, WARNINGS_HOUR,
			 clock_monotonic_ms(ctx->clock));
}

static void done(struct writer_job *job, enum err e)
{
	struct refused *f = CONTAINER_OF(job, struct refused, job);

	if (e != ERR_OK && handle_may_warn(f->ctx))
		log_warn("unlogged peer=%s code=%s error=%s", f->peer, f->contact.code,
			 err_name(e));
	if (e == ERR_OK)
		events_session_ended(f->ctx->events, f->session);
	mem_free(f);
}

static bool may_leave_row(struct context *ctx, const struct http_request *r)
{
	const struct config *config = ctx->config;

	return peers_may(ctx->peers, PEER_REFUSED, &r->address, config->limits.refused_per_minute,
			 config->limits.refused_per_hour, clock_monotonic_ms(ctx->clock));
}

void handle_log_refused(struct context *ctx, const struct http_request *r,
			const struct refused_contact *contact)
{
	struct refused *f;

	if (contact->counter == 0 && !may_leave_row(ctx, r))
		return;
	log_info("refused peer=%s device=%u code=%s bytes=%llu", r->peer, contact->device,
		 contact->code, (unsigned long long)contact->bytes_in);
	f = mem_alloc_zero(sizeof *f);
	f->ctx = ctx;
	f->job = (struct writer_job){.run = run, .done = done};
	f->contact = *contact;
	f->start = (struct session_start){
		.device = contact->device,
		.transport = r->kind == HTTP_ADMIN ? BYTES_LIT("file") : BYTES_LIT("network"),
		.bytes_in = contact->bytes_in,
		.counter = contact->counter,
		.now_ms = clock_wall_ms(ctx->clock),
	};
	memcpy(f->peer, r->peer, sizeof f->peer);
	/* Nobody waits for it; when the writer is swamped, answers matter more than this line. */
	if (writer_submit_lazy(ctx->writer, &f->job) != ERR_OK)
		mem_free(f);
}
