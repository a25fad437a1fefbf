#define LOG_TAG "admin"

#include "daemon/admin_alert.h"

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/alert_sender.h"
#include "daemon/config.h"
#include "daemon/units.h"

static const char *result_name(enum alert_result result)
{
	switch (result) {
	case ALERT_NOT_TRIED: return NULL;
	case ALERT_SENT: return "sent";
	case ALERT_FAILED: return "failed";
	}
	return NULL;
}

static json_t *day_json(int64_t day)
{
	char iso[CLOCK_ISO_LEN];

	if (day == 0)
		return json_null();
	clock_print_iso(day * INT64_C(86400000), iso);
	return json_stringn(iso, sizeof "2026-11-22" - 1);
}

static json_t *way_json(enum alert_way way, const struct alert_way_state *w)
{
	const char *asked = result_name(w->asked);

	return json_pack("{s:s, s:b, s:o, s:o, s:i, s:o, s:o}", "way", alert_way_name(way), "on",
			 (int)w->is_on, "day", day_json(w->at_ms != 0 ? w->day : 0), "at",
			 admin_json_time(w->at_ms), "tries", (int)w->tries, "error",
			 admin_json_text(bytes_str(w->error)), "asked",
			 asked != NULL ? json_string(asked) : json_null());
}

json_t *admin_alert_ways(const struct context *ctx)
{
	struct alert_sender_state state;
	json_t *ways = json_array();

	if (ctx->alerts == NULL)
		return ways;
	alert_sender_look(ctx->alerts, &state);
	for (unsigned way = 0; way < ALERT_WAYS; way++)
		json_array_append_new(ways, way_json((enum alert_way)way, &state.ways[way]));
	return ways;
}

/* {} -> the daily alert as it would go out now (alert_print.h), and {ways} as of `alert state`. */
enum err admin_alert_show(struct admin_call *call)
{
	const struct config *config = atomic_load(&call->ctx->config);
	struct alert_head head = {
		.sort = ALERT_DAILY, .office = call->ctx->address, .daemon = call->ctx->daemon};
	struct alert_facts facts;
	struct alert alert;
	enum err e;

	alert_sender_facts(call->ctx, call->arena, &facts);
	head.day = units_day_of(facts.now_ms);
	e = alert_collect(call->store, call->arena, &config->alert, &facts, &alert);
	if (e != ERR_OK)
		return e;
	call->result = alert_json(&head, &alert);
	if (call->result == NULL)
		return err_raise(ERR_INVAL, "unprintable alert");
	json_object_set_new(call->result, "ways", admin_alert_ways(call->ctx));
	return ERR_OK;
}

static enum err check_ways(struct admin_call *call)
{
	const struct config *config = atomic_load(&call->ctx->config);

	if (call->ctx->alerts == NULL)
		return admin_fail(call, ERR_INVAL,
				  "Ở đây không gửi bản tin được / no alerts are sent here");
	for (unsigned way = 0; way < ALERT_WAYS; way++)
		if (alert_way_is_on(&config->alert, (enum alert_way)way))
			return ERR_OK;
	return admin_fail(call, ERR_INVAL,
			  "Chưa có đường gửi nào; hãy đặt alert.keep, alert.mail_to hoặc "
			  "alert.webhook trong cấu hình / no way is set: set alert.keep, "
			  "alert.mail_to or alert.webhook in the configuration");
}

/* {} -> {run, started_at}: ask for "alert state" until `ended` has reached it; a daemon that was
 * started at another time knows nothing of it. */
enum err admin_alert_send(struct admin_call *call)
{
	enum err e = check_ways(call);

	if (e != ERR_OK)
		return e;
	admin_note(call, "alert send", NULL);
	call->result = json_object();
	return ERR_OK;
}

enum err admin_alert_test(struct admin_call *call)
{
	enum err e = check_ways(call);

	if (e != ERR_OK)
		return e;
	admin_note(call, "alert test", NULL);
	call->result = json_object();
	return ERR_OK;
}

static void ask(struct admin_call *call, enum alert_sort sort)
{
	json_object_set_new(call->result, "run",
			    json_integer((json_int_t)alert_sender_ask(call->ctx->alerts, sort)));
	admin_put_started(call);
}

void admin_alert_begin(struct admin_call *call)
{
	ask(call, ALERT_DAILY);
}

void admin_alert_begin_test(struct admin_call *call)
{
	ask(call, ALERT_TEST);
}

/*
 * {} -> {asked, ended, started_at, ways: [{way, on, day, at, tries, error, asked}]}: `day` and `at`
 * of the daily alert that went out last by it, `tries` that failed since, `error` of the last one,
 * `asked` what became of the latest one asked for.
 */
enum err admin_alert_state(struct admin_call *call)
{
	struct alert_sender_state state = {0};

	if (call->ctx->alerts != NULL)
		alert_sender_look(call->ctx->alerts, &state);
	call->result = json_pack("{s:I, s:I, s:o}", "asked", (json_int_t)state.asked, "ended",
				 (json_int_t)state.ended, "ways", admin_alert_ways(call->ctx));
	admin_put_started(call);
	return ERR_OK;
}
