#define LOG_TAG "alert"

#include "daemon/alert_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/model/vntext.h"
#include "daemon/alert_file.h"
#include "daemon/alert_wire.h"
#include "daemon/config.h"
#include "daemon/fatal.h"
#include "daemon/keys.h"
#include "daemon/store.h"

#define HOUR_MS       INT64_C(3600000)
#define VIETNAM_HOURS 7
#define SENDMAIL      "/usr/sbin/sendmail"
#define MAIL_FROM     "ctxhd"

static const char *const way_names[] = {
	[ALERT_WAY_FILE] = "file", [ALERT_WAY_MAIL] = "mail", [ALERT_WAY_WEBHOOK] = "webhook"};

const char *alert_way_name(enum alert_way way)
{
	return way_names[way];
}

bool alert_way_is_on(const struct config_alert *c, enum alert_way way)
{
	switch (way) {
	case ALERT_WAY_FILE: return c->keep != 0;
	case ALERT_WAY_MAIL: return c->mail_to != NULL;
	case ALERT_WAY_WEBHOOK: return c->webhook != NULL;
	}
	return false;
}

void alert_run_free(struct alert_run *r)
{
	arena_clear(&r->arena);
	buf_clear(&r->title);
	buf_clear(&r->text);
	buf_clear(&r->json);
	buf_clear(&r->id);
	buf_clear(&r->mail);
	mem_free(r);
}

/* ---- composing ---- */

static bool is_known(const struct alert_numbers *n, uint32_t number)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->list[i] == number)
			return true;
	return false;
}

/* Of the urgent ones only those asked for; forks only when one is new. */
static void keep_wanted(struct alert_run *r, const struct alert_numbers *told)
{
	size_t kept = 0;
	bool is_new = false;

	for (size_t i = 0; i < r->forked.count; i++)
		is_new = is_new || !is_known(told, r->forked.list[i]);
	if (!is_new)
		r->kinds &= ~(1u << ALERT_forked);
	for (size_t i = 0; i < r->alert.item_count; i++)
		if ((r->kinds & (1u << r->alert.items[i].kind)) != 0)
			r->alert.items[kept++] = r->alert.items[i];
	r->alert.item_count = kept;
}

static enum err collect(const struct context *ctx, struct alert_run *r)
{
	struct readers *readers = ctx->readers;
	struct store *reader = readers_take(readers);
	enum err e = fatal_or(store_begin(reader), "begin to read");

	if (e == ERR_OK) {
		e = alert_collect(reader, &r->arena, &r->config->alert, &r->facts, &r->alert);
		if (e == ERR_OK)
			e = alert_load_forked(reader, &r->arena, &r->forked.list, &r->forked.count);
		store_rollback(reader);
	}
	readers_give(readers, reader);
	return fatal_or(e, "read for an alert");
}

static void print(struct alert_run *r)
{
	json_t *j = alert_json(&r->head, &r->alert);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT) : NULL;

	alert_print_title(&r->head, &r->alert, &r->title);
	alert_print_text(&r->head, &r->alert, &r->text);
	alert_print_id(&r->head, &r->alert, &r->id);
	buf_append_str(&r->json, text != NULL ? text : "{}");
	free(text);
	json_decref(j);
}

void alert_run_compose(const struct context *ctx, struct alert_run *r,
		       const struct alert_numbers *told)
{
	r->alert.at_ms = r->facts.now_ms;
	if (r->head.sort != ALERT_TEST)
		r->e = collect(ctx, r);
	if (r->e != ERR_OK)
		return;
	if (r->head.sort == ALERT_URGENT)
		keep_wanted(r, told);
	r->has_content = r->head.sort != ALERT_URGENT || r->alert.item_count != 0;
	if (r->has_content)
		print(r);
}

/* ---- sending ---- */

/* It goes into JSON, so neither what came in nor where it is cut may be half a character. */
void alert_run_fail(struct alert_run *r, enum alert_way way, const char *why)
{
	AUTO(buf_clear) struct buf shown = {0};
	size_t len;

	vntext_show(bytes_str(why), &shown);
	len = shown.len < ALERT_ERROR_LEN ? shown.len : ALERT_ERROR_LEN - 1;
	while (len < shown.len && len > 0 && (shown.data[len] & 0xc0) == 0x80)
		len--;
	(void)snprintf(r->errors[way], ALERT_ERROR_LEN, "%.*s",
		       BYTES_FMT(bytes_of(shown.data, len)));
	r->results[way] = ALERT_FAILED;
}

/* On the thread the error was born on: its detail is kept there. */
static void settle(struct alert_run *r, enum alert_way way, enum err e)
{
	if (e == ERR_OK)
		r->results[way] = ALERT_SENT;
	else
		alert_run_fail(r, way,
			       log_last_detail()[0] != '\0' ? log_last_detail() : err_text(e));
}

/* "2026-11-22", "2026-11-22T071205-urgent". */
static void print_name(const struct alert_run *r, char *ret_name, size_t size)
{
	char iso[CLOCK_ISO_LEN];

	if (r->head.sort == ALERT_DAILY) {
		clock_print_iso(r->head.day * 24 * HOUR_MS, iso);
		(void)snprintf(ret_name, size, "%.10s", iso);
		return;
	}
	clock_print_iso(r->alert.at_ms + VIETNAM_HOURS * HOUR_MS, iso);
	(void)snprintf(ret_name, size, "%.10sT%.2s%.2s%.2s-%s", iso, iso + 11, iso + 14, iso + 17,
		       alert_sort_name(r->head.sort));
}

static enum err write_file(const struct context *ctx, struct alert_run *r)
{
	const struct config_alert *c = &r->config->alert;
	char own[KEYS_PATH_LEN];
	char name[64];

	print_name(r, name, sizeof name);
	(void)snprintf(own, sizeof own, "%s/alerts", ctx->state);
	return alert_file_write(c->folder != NULL ? c->folder : own, name, buf_bytes(&r->text),
				(size_t)c->keep);
}

static enum err post(struct alert_run *r, const atomic_bool *is_stopping)
{
	const struct config_alert *c = &r->config->alert;
	const struct alert_hook hook = {.url = c->webhook,
					.secret = c->webhook_secret,
					.ca = c->webhook_ca,
					.json = buf_bytes(&r->json),
					.id = buf_bytes(&r->id),
					.is_stopping = is_stopping};

	return alert_hook_post(&hook);
}

static const char *mail_from(const struct config_alert *c)
{
	return c->mail_from != NULL ? c->mail_from : MAIL_FROM;
}

static const char *mail_by(const struct config_alert *c)
{
	return c->mail_by != NULL ? c->mail_by : SENDMAIL;
}

const char *alert_run_program(const struct alert_run *r)
{
	const struct config_alert *c = &r->config->alert;

	return r->wants[ALERT_WAY_MAIL] && mail_by(c)[0] == '/' ? mail_by(c) : NULL;
}

static enum err hand_over(struct alert_run *r, const atomic_bool *is_stopping)
{
	const struct config_alert *c = &r->config->alert;
	const struct alert_smtp smtp = {.url = mail_by(c),
					.from = mail_from(c),
					.to = c->mail_to,
					.mail = buf_bytes(&r->mail),
					.is_stopping = is_stopping};

	return alert_smtp_send(&smtp);
}

static void print_mail(struct alert_run *r)
{
	const struct config_alert *c = &r->config->alert;
	const struct alert_mail mail = {.from = mail_from(c),
					.to = c->mail_to,
					.id = buf_bytes(&r->id),
					.title = buf_bytes(&r->title),
					.text = buf_bytes(&r->text),
					.at_ms = r->alert.at_ms};

	alert_print_mail(&mail, &r->mail);
}

void alert_run_send(const struct context *ctx, struct alert_run *r, const atomic_bool *is_stopping)
{
	if (r->wants[ALERT_WAY_FILE])
		settle(r, ALERT_WAY_FILE, write_file(ctx, r));
	if (r->wants[ALERT_WAY_MAIL])
		print_mail(r);
	if (r->wants[ALERT_WAY_MAIL] && alert_run_program(r) == NULL)
		settle(r, ALERT_WAY_MAIL, hand_over(r, is_stopping));
	if (r->wants[ALERT_WAY_WEBHOOK])
		settle(r, ALERT_WAY_WEBHOOK, post(r, is_stopping));
}
