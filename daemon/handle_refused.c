#define LOG_TAG "refused"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/handle.h"
#include "daemon/session.h"
#include "daemon/writer.h"

/* Owns everything it says: the request is gone when the writer comes to it. */
struct refused {
	struct writer_job job;
	struct session_start start;
	char peer[PEER_TEXT_LEN];
	bool is_device_known;
	const char *code;
	uint64_t bytes_out;
};

static enum err run(struct writer_job *job, struct store *store)
{
	struct refused *f = CONTAINER_OF(job, struct refused, job);
	uint64_t session;

	f->start.address = bytes_str(f->peer);
	return session_refused(store, &f->start, f->is_device_known, bytes_str(f->code),
			       f->bytes_out, &session);
}

static void done(struct writer_job *job, enum err e)
{
	struct refused *f = CONTAINER_OF(job, struct refused, job);

	if (e != ERR_OK)
		log_warn("unlogged peer=%s code=%s error=%s", f->peer, f->code, err_name(e));
	mem_free(f);
}

void handle_log_refused(struct context *ctx, const struct http_request *r, uint32_t device,
			bool is_device_known, const char *code, uint64_t bytes_out)
{
	const struct config *config = ctx->config;
	struct refused *f;

	if (!peers_may(ctx->peers, PEER_REFUSED, &r->address, config->limits.refused_per_minute,
		       config->limits.refused_per_hour, clock_monotonic_ms(ctx->clock)))
		return;
	log_info("refused peer=%s device=%u code=%s bytes=%zu", r->peer, device, code, r->body.len);
	f = mem_alloc_zero(sizeof *f);
	f->job = (struct writer_job){.run = run, .done = done};
	f->start = (struct session_start){
		.device = device,
		.transport = BYTES_LIT("network"),
		.bytes_in = r->body.len,
		.now_ms = clock_wall_ms(ctx->clock),
	};
	memcpy(f->peer, r->peer, sizeof f->peer);
	f->is_device_known = is_device_known;
	f->code = code;
	f->bytes_out = bytes_out;
	/* Nobody waits for it; when the writer is swamped, answers matter more than this line. */
	if (writer_submit_lazy(ctx->writer, &f->job) != ERR_OK)
		mem_free(f);
}
