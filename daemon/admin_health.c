#define LOG_TAG "admin"

#include "daemon/admin_alert.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/metrics.h"

/* What Prometheus is given (metrics.h), under the same names without "ctxh_". */
static json_t *metrics_json(struct metrics *m)
{
	json_t *all = json_object();

#define X(name, type, help)  \
	json_object_set_new( \
		all, #name,  \
		json_integer((json_int_t)atomic_load_explicit(&m->name, memory_order_relaxed)));
	METRICS_MAP(X)
#undef X
	return all;
}

/* {} -> {at, started_at, ready, disk_low, alerts, metrics: {name: count}}: how the daemon itself
 * stands; asked again and again, the differences are rates. `alerts` are the ways of `alert state`.
 */
enum err admin_health(struct admin_call *call)
{
	const struct context *ctx = call->ctx;

	call->result = json_pack(
		"{s:o, s:o, s:b, s:b, s:o, s:o}", "at", admin_json_time(clock_wall_ms(ctx->clock)),
		"started_at", admin_json_time(ctx->started_ms), "ready",
		(int)atomic_load(&ctx->is_ready), "disk_low", (int)atomic_load(&ctx->is_disk_low),
		"alerts", admin_alert_ways(ctx), "metrics", metrics_json(ctx->metrics));
	return ERR_OK;
}
