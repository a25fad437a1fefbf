#define LOG_TAG "admin"

#include "daemon/admin_alert.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/metrics.h"
#include "daemon/trend.h"

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

/* Rows, not objects: a week of them has a name of each figure once. */
static json_t *row_of(const struct trend_point *p)
{
	json_t *row = json_array();

	json_array_append_new(row, admin_json_time(p->at_ms));
	json_array_append_new(row, json_integer(p->span_ms));
#define X(name) json_array_append_new(row, json_integer((json_int_t)p->name));
	TREND_MAP(X)
#undef X
	return row;
}

static json_t *history_json(struct admin_call *call)
{
	struct trend_point *points =
		arena_alloc_array(call->arena, TREND_POINTS + 1, sizeof *points);
	size_t count = call->ctx->trend != NULL ? trend_copy(call->ctx->trend, points) : 0;
	json_t *keys = json_array();
	json_t *rows = json_array();

	json_array_append_new(keys, json_string("at"));
	json_array_append_new(keys, json_string("span_ms"));
#define X(name) json_array_append_new(keys, json_string(#name));
	TREND_MAP(X)
#undef X
	for (size_t i = 0; i < count; i++)
		json_array_append_new(rows, row_of(&points[i]));
	return json_pack("{s:o, s:o}", "keys", keys, "rows", rows);
}

/*
 * {history?} -> {at, started_at, ready, disk_low, alerts, metrics: {name: count}, history?: {keys,
 * rows}}: how the daemon itself stands; asked again and again, the differences are rates. `alerts`
 * are the ways of `alert state`. `history`: the last days since it started (trend.h).
 */
enum err admin_health(struct admin_call *call)
{
	const struct context *ctx = call->ctx;

	call->result = json_pack(
		"{s:o, s:o, s:b, s:b, s:o, s:o}", "at", admin_json_time(clock_wall_ms(ctx->clock)),
		"started_at", admin_json_time(ctx->started_ms), "ready",
		(int)atomic_load(&ctx->is_ready), "disk_low", (int)atomic_load(&ctx->is_disk_low),
		"alerts", admin_alert_ways(ctx), "metrics", metrics_json(ctx->metrics));
	if (admin_flag(call, "history"))
		json_object_set_new(call->result, "history", history_json(call));
	return ERR_OK;
}
