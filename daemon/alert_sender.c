#define LOG_TAG "alert"

#include "daemon/alert_sender.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/backup.h"
#include "daemon/child.h"
#include "daemon/config.h"
#include "daemon/context.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "daemon/writer.h"

#define HOUR_MS       INT64_C(3600000)
#define MINUTE_MS     INT64_C(60000)
#define VIETNAM_HOURS 7
#define MAIL_LIMIT_MS 60000
#define ASKED_MAX     8u
#define FORKED        "alert_forked" /* setting: devices told of; 4 bytes each, big-endian */

struct way {
	int64_t day; /* no daily alert is owed up to it */
	int64_t sent_day;
	int64_t at_ms;
	bool owes_urgent;
	unsigned tries;
	int64_t next_ms; /* monotonic: not before */
};

struct alert_sender {
	struct context *ctx;
	struct task task;
	struct writer_job job;
	struct child child;
	bool is_child_running;
	bool is_note_waiting;  /* the writer's queue was full: by the next tick */
	struct alert_run *run; /* NULL: idle */
	atomic_bool is_stopping;
	struct way ways[ALERT_WAYS];
	unsigned kinds;                   /* urgent ones on their way, a bit each */
	int64_t told_ms[ALERT_KINDS];     /* wall: an urgent one; 0: never */
	struct alert_numbers told_forked; /* owned */
	bool has_fork_news;
	uint64_t forks_seen;
	enum alert_sort asked[ASKED_MAX];
	uint64_t asked_begun;

	pthread_mutex_t lock;
	struct alert_sender_state state; /* under it */
};

/* ---- what others see ---- */

void alert_sender_look(struct alert_sender *s, struct alert_sender_state *ret_state)
{
	(void)pthread_mutex_lock(&s->lock);
	*ret_state = s->state;
	(void)pthread_mutex_unlock(&s->lock);
}

/* What a way failed with goes into the alert that the others carry. */
static void put_undelivered(const struct context *ctx, struct arena *a, struct alert_facts *f)
{
	struct alert_row *rows = arena_alloc_array(a, ALERT_WAYS, sizeof *rows);
	struct alert_sender_state *state = arena_alloc(a, sizeof *state);

	if (ctx->alerts == NULL)
		return;
	alert_sender_look(ctx->alerts, state);
	for (unsigned i = 0; i < ALERT_WAYS; i++) {
		const struct alert_way_state *w = &state->ways[i];

		if (!w->is_on || w->error[0] == '\0')
			continue;
		rows[f->undelivered_count++] = (struct alert_row){
			.text = arena_printf(a, "%s: %s", alert_way_name((enum alert_way)i),
					     w->error),
			.count = 1};
	}
	f->undelivered = rows;
}

void alert_sender_facts(const struct context *ctx, struct arena *a, struct alert_facts *ret_facts)
{
	struct alert_facts f = {.now_ms = clock_wall_ms(ctx->clock)};

	if (ctx->metrics != NULL) {
		f.disk_free =
			atomic_load_explicit(&ctx->metrics->disk_free_bytes, memory_order_relaxed);
		f.is_disk_known = atomic_load(&ctx->is_disk_known);
	}
	if (ctx->backup != NULL) {
		struct backup_state *b = arena_alloc(a, sizeof *b);

		backup_look(ctx->backup, b);
		f.is_backup_failed = b->ended != 0 && !b->is_done;
		f.backup_error = b->error;
	}
	put_undelivered(ctx, a, &f);
	*ret_facts = f;
}

/* ---- pool ---- */

static void compose(struct task *t)
{
	struct alert_sender *s = CONTAINER_OF(t, struct alert_sender, task);

	alert_run_compose(s->ctx, s->run, &s->told_forked);
}

static void send_what_blocks(struct task *t)
{
	struct alert_sender *s = CONTAINER_OF(t, struct alert_sender, task);

	alert_run_send(s->ctx, s->run, &s->is_stopping);
}

/* ---- writer: note ---- */

static enum err put_way(struct store *store, enum alert_way way, int64_t day, int64_t at_ms)
{
	char name[32];
	char value[64];

	(void)snprintf(name, sizeof name, "alert:%s", alert_way_name((enum alert_way)way));
	(void)snprintf(value, sizeof value, "%" PRId64 " %" PRId64, day, at_ms);
	return store_put_setting(store, name, bytes_str(value));
}

static enum err put_told(struct store *store, const struct alert_run *r)
{
	AUTO(buf_clear) struct buf forked = {0};
	enum err e = ERR_OK;

	for (unsigned kind = 0; kind < ALERT_KINDS && e == ERR_OK; kind++) {
		char name[64];
		char value[32];

		if ((r->kinds & (1u << kind)) == 0)
			continue;
		(void)snprintf(name, sizeof name, "alert_told:%s",
			       alert_kind_name((enum alert_kind)kind));
		(void)snprintf(value, sizeof value, "%" PRId64, r->alert.at_ms);
		e = store_put_setting(store, name, bytes_str(value));
	}
	for (size_t i = 0; i < r->forked.count; i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			buf_append_byte(&forked, (uint8_t)(r->forked.list[i] >> shift));
	if (e == ERR_OK && (r->kinds & (1u << ALERT_forked)) != 0)
		e = store_put_setting(store, FORKED, buf_bytes(&forked));
	return e;
}

static enum err note(struct writer_job *job, struct store *store)
{
	struct alert_sender *s = CONTAINER_OF(job, struct alert_sender, job);
	const struct alert_run *r = s->run;
	enum err e = r->head.sort == ALERT_URGENT ? put_told(store, r) : ERR_OK;

	for (unsigned way = 0; way < ALERT_WAYS && e == ERR_OK; way++)
		if (r->head.sort == ALERT_DAILY && r->results[way] == ALERT_SENT)
			e = put_way(store, (enum alert_way)way, r->head.day, r->alert.at_ms);
	return e;
}

/* ---- loop: from step to step ---- */

static int64_t pause_after(unsigned tries)
{
	static const int64_t minutes[] = {1, 5, 15, 60};
	const size_t last = sizeof minutes / sizeof minutes[0] - 1;

	return MINUTE_MS * minutes[tries - 1 < last ? tries - 1 : last];
}

static void take_success(struct alert_sender *s, const struct alert_run *r, enum alert_way way)
{
	struct way *w = &s->ways[way];

	w->tries = 0;
	w->next_ms = 0;
	if (r->head.sort == ALERT_URGENT)
		w->owes_urgent = false;
	/* One asked for does not stand for the one that comes at its hour. */
	if (r->head.sort == ALERT_DAILY && !r->is_asked) {
		w->day = r->head.day;
		w->sent_day = r->head.day;
		w->at_ms = r->alert.at_ms;
		metrics_set(s->ctx->metrics, alert_last_seconds, w->at_ms / 1000);
	}
	metrics_add(s->ctx->metrics, alerts_total, 1);
	log_notice("sent alert=%s way=%s items=%zu", alert_sort_name(r->head.sort),
		   alert_way_name((enum alert_way)way), r->alert.item_count);
}

/* What somebody asked for is his to ask for again. */
static void take_failure(struct alert_sender *s, const struct alert_run *r, enum alert_way way)
{
	struct way *w = &s->ways[way];

	metrics_add(s->ctx->metrics, alerts_failed_total, 1);
	log_warn("not sent alert=%s way=%s tries=%u detail=\"%s\"", alert_sort_name(r->head.sort),
		 alert_way_name((enum alert_way)way), w->tries + 1, r->errors[way]);
	if (r->is_asked)
		return;
	w->tries++;
	w->next_ms = clock_monotonic_ms(s->ctx->clock) + pause_after(w->tries);
	if (w->tries < ALERT_TRIES_MAX)
		return;
	w->tries = 0;
	w->next_ms = 0;
	if (r->head.sort == ALERT_URGENT)
		w->owes_urgent = false;
	else
		w->day = r->head.day;
}

static uint64_t count_waiting(const struct alert_sender *s)
{
	uint64_t waiting = 0;

	for (unsigned way = 0; way < ALERT_WAYS; way++)
		waiting += s->ways[way].tries != 0;
	return waiting;
}

static void show(struct alert_sender *s, const struct alert_run *r)
{
	(void)pthread_mutex_lock(&s->lock);
	for (unsigned way = 0; way < ALERT_WAYS; way++) {
		struct alert_way_state *shown = &s->state.ways[way];

		shown->day = s->ways[way].sent_day;
		shown->at_ms = s->ways[way].at_ms;
		shown->tries = s->ways[way].tries;
		if (r->results[way] != ALERT_NOT_TRIED)
			memcpy(shown->error, r->errors[way], sizeof shown->error);
		if (r->is_asked)
			shown->asked = r->results[way];
	}
	if (r->is_asked)
		s->state.ended++;
	(void)pthread_mutex_unlock(&s->lock);
}

static void remember_forked(struct alert_sender *s, const struct alert_numbers *n)
{
	mem_free(s->told_forked.list);
	s->told_forked.list = n->count != 0 ? mem_copy(n->list, n->count * sizeof *n->list) : NULL;
	s->told_forked.count = n->count;
}

static bool owes_urgent(const struct alert_sender *s)
{
	for (unsigned way = 0; way < ALERT_WAYS; way++)
		if (s->ways[way].owes_urgent)
			return true;
	return false;
}

static void end_urgent(struct alert_sender *s, const struct alert_run *r)
{
	s->has_fork_news = s->has_fork_news || r->e != ERR_OK;
	/* It was nothing new, or is over by now. */
	for (unsigned way = 0; way < ALERT_WAYS && !r->has_content; way++)
		s->ways[way].owes_urgent = false;
	for (unsigned kind = 0; kind < ALERT_KINDS && r->has_content; kind++)
		if ((r->kinds & (1u << kind)) != 0)
			s->told_ms[kind] = r->alert.at_ms;
	/* Until then those that are tried again must find them new. */
	if (!owes_urgent(s) && (r->kinds & (1u << ALERT_forked)) != 0)
		remember_forked(s, &r->forked);
}

static bool begin_asked(struct alert_sender *s);

static void end_run(struct alert_sender *s)
{
	struct alert_run *r = s->run;

	if (r->e != ERR_OK)
		log_warn("not composed alert=%s error=%s", alert_sort_name(r->head.sort),
			 err_name(r->e));
	for (unsigned way = 0; way < ALERT_WAYS; way++) {
		if (r->results[way] == ALERT_SENT)
			take_success(s, r, (enum alert_way)way);
		if (r->results[way] == ALERT_FAILED)
			take_failure(s, r, (enum alert_way)way);
	}
	if (r->head.sort == ALERT_URGENT)
		end_urgent(s, r);
	show(s, r);
	metrics_set(s->ctx->metrics, alerts_waiting, count_waiting(s));
	s->run = NULL;
	alert_run_free(r);
	(void)begin_asked(s);
}

static void on_noted(struct writer_job *job, enum err e)
{
	struct alert_sender *s = CONTAINER_OF(job, struct alert_sender, job);

	/* In memory it is known; after a restart it would go out again. */
	if (e != ERR_OK)
		log_warn("not noted error=%s", err_name(e));
	end_run(s);
}

static bool is_any_sent(const struct alert_run *r)
{
	for (unsigned way = 0; way < ALERT_WAYS; way++)
		if (r->results[way] == ALERT_SENT)
			return true;
	return false;
}

static void begin_note(struct alert_sender *s)
{
	enum err e;

	if (s->run->is_asked || !is_any_sent(s->run)) {
		end_run(s);
		return;
	}
	s->job = (struct writer_job){.run = note, .done = on_noted, .is_repeatable = true};
	e = writer_submit(s->ctx->writer, &s->job);
	s->is_note_waiting = e != ERR_OK;
}

static void on_mailed(struct child *c)
{
	struct alert_sender *s = CONTAINER_OF(c, struct alert_sender, child);
	struct alert_run *r = s->run;
	AUTO(buf_clear) struct buf why = {0};

	s->is_child_running = false;
	buf_printf(&why, "%s%s%s",
		   c->is_over_time    ? "took too long"
		   : c->exit_code < 0 ? "did not run or was killed"
				      : "refused the mail",
		   c->said[0] != '\0' ? ": " : "", c->said);
	if (c->exit_code == 0)
		r->results[ALERT_WAY_MAIL] = ALERT_SENT;
	else
		alert_run_fail(r, ALERT_WAY_MAIL, buf_cstr(&why));
	/* The writer may be gone by now; the run is freed with the sender. */
	if (!atomic_load(&s->is_stopping))
		begin_note(s);
}

static void on_sent(struct task *t)
{
	struct alert_sender *s = CONTAINER_OF(t, struct alert_sender, task);
	const char *const argv[] = {alert_run_program(s->run), "-t", "-i", NULL};

	if (argv[0] == NULL || atomic_load(&s->is_stopping)) {
		begin_note(s);
		return;
	}
	s->is_child_running = true;
	child_run(&s->child, s->ctx->loop, argv, &s->run->mail, MAIL_LIMIT_MS, on_mailed);
}

static void on_composed(struct task *t)
{
	struct alert_sender *s = CONTAINER_OF(t, struct alert_sender, task);

	if (!s->run->has_content || atomic_load(&s->is_stopping)) {
		end_run(s);
		return;
	}
	s->task = (struct task){.run = send_what_blocks, .done = on_sent};
	loop_work(s->ctx->loop, &s->task);
}

/* `wants` NULL: every way that is on. */
static void begin(struct alert_sender *s, enum alert_sort sort, const bool *wants, int64_t day)
{
	struct alert_run *r = mem_alloc_zero(sizeof *r);

	r->config = atomic_load(&s->ctx->config);
	r->head = (struct alert_head){
		.sort = sort, .office = s->ctx->address, .daemon = s->ctx->daemon, .day = day};
	r->kinds = s->kinds;
	for (unsigned way = 0; way < ALERT_WAYS; way++)
		r->wants[way] = alert_way_is_on(&r->config->alert, (enum alert_way)way) &&
				(wants == NULL || wants[way]);
	alert_sender_facts(s->ctx, &r->arena, &r->facts);
	s->run = r;
	s->task = (struct task){.run = compose, .done = on_composed};
	loop_work(s->ctx->loop, &s->task);
}

static void show_ways(struct alert_sender *s)
{
	const struct config *c = atomic_load(&s->ctx->config);

	(void)pthread_mutex_lock(&s->lock);
	for (unsigned way = 0; way < ALERT_WAYS; way++)
		s->state.ways[way].is_on = alert_way_is_on(&c->alert, (enum alert_way)way);
	(void)pthread_mutex_unlock(&s->lock);
}

/* ---- when ---- */

static bool begin_asked(struct alert_sender *s)
{
	const int64_t day = units_day_of(clock_wall_ms(s->ctx->clock));
	enum alert_sort sort;

	if (s->run != NULL || s->asked_begun == s->state.asked || atomic_load(&s->is_stopping))
		return false;
	sort = s->asked[s->asked_begun++ % ASKED_MAX];
	begin(s, sort, NULL, day);
	s->run->is_asked = true;
	return true;
}

uint64_t alert_sender_ask(struct alert_sender *s, enum alert_sort sort)
{
	uint64_t number = 0;

	if (s->state.asked - s->state.ended < ASKED_MAX) {
		s->asked[s->state.asked % ASKED_MAX] = sort;
		(void)pthread_mutex_lock(&s->lock);
		number = ++s->state.asked;
		(void)pthread_mutex_unlock(&s->lock);
	}
	(void)begin_asked(s);
	return number;
}

/* The day whose alert is due by now. */
static int64_t due_day(const struct config_alert *c, int64_t now_ms)
{
	const int64_t hour = (now_ms / HOUR_MS + VIETNAM_HOURS) % 24;

	return units_day_of(now_ms) - (hour < c->hour);
}

/* Which ways have not had the daily alert. */
static bool is_daily_due(struct alert_sender *s, int64_t day, bool wants[ALERT_WAYS])
{
	const struct config *c = atomic_load(&s->ctx->config);
	const int64_t now = clock_monotonic_ms(s->ctx->clock);
	bool is_due = false;

	for (unsigned way = 0; way < ALERT_WAYS; way++) {
		const bool is_on = alert_way_is_on(&c->alert, (enum alert_way)way);
		struct way *w = &s->ways[way];

		/* A new way begins with the next day, and so does one whose days were noted by a
		 * clock that was ahead. */
		if (!is_on || w->day == 0 || w->day > day + 1)
			w->day = day;
		wants[way] = is_on && w->day < day && now >= w->next_ms;
		is_due = is_due || wants[way];
	}
	return is_due;
}

static bool is_in_order(struct alert_sender *s, enum alert_kind kind)
{
	const struct config *c = atomic_load(&s->ctx->config);
	const struct context *ctx = s->ctx;
	const uint64_t room =
		atomic_load_explicit(&ctx->metrics->disk_free_bytes, memory_order_relaxed);

	switch (kind) {
	case ALERT_backup_failed: {
		struct backup_state b;

		backup_look(ctx->backup, &b);
		return b.ended == 0 || b.is_done;
	}
	case ALERT_disk:
		return !atomic_load(&ctx->is_disk_known) || room >= (uint64_t)c->alert.disk_free;
	case ALERT_forked: return !s->has_fork_news;
	case ALERT_backup_old:
	case ALERT_undelivered:
	case ALERT_quarantine:
	case ALERT_conflicts:
	case ALERT_missing:
	case ALERT_quiet:
	case ALERT_never:
	case ALERT_clocks:
	case ALERT_released:
	case ALERT_placing: break;
	}
	return true;
}

/* A clock that was set back must not put it off for years. */
static bool was_told(const struct alert_sender *s, enum alert_kind kind, int64_t every_ms)
{
	const int64_t ago = clock_wall_ms(s->ctx->clock) - s->told_ms[kind];

	return s->told_ms[kind] != 0 && ago >= 0 && ago < every_ms;
}

static void look_for_urgent(struct alert_sender *s)
{
	const struct config *c = atomic_load(&s->ctx->config);
	const uint64_t forks =
		atomic_load_explicit(&s->ctx->metrics->forks_total, memory_order_relaxed);
	unsigned kinds = 0;

	s->has_fork_news = s->has_fork_news || forks != s->forks_seen;
	s->forks_seen = forks;
	for (unsigned kind = 0; kind < ALERT_KINDS && c->alert.urgent_every_ms != 0; kind++)
		if (alert_kind_is_urgent((enum alert_kind)kind) &&
		    !is_in_order(s, (enum alert_kind)kind) &&
		    !was_told(s, (enum alert_kind)kind, c->alert.urgent_every_ms))
			kinds |= 1u << kind;
	if (kinds == 0)
		return;
	if ((kinds & (1u << ALERT_forked)) != 0)
		s->has_fork_news = false;
	s->kinds = owes_urgent(s) ? s->kinds | kinds : kinds;
	for (unsigned way = 0; way < ALERT_WAYS; way++) {
		s->ways[way].owes_urgent = alert_way_is_on(&c->alert, (enum alert_way)way);
		s->ways[way].next_ms = 0;
	}
}

static bool is_urgent_due(struct alert_sender *s, bool wants[ALERT_WAYS])
{
	const struct config *c = atomic_load(&s->ctx->config);
	const int64_t now = clock_monotonic_ms(s->ctx->clock);
	bool is_due = false;

	for (unsigned way = 0; way < ALERT_WAYS; way++) {
		/* Taken out of the configuration meanwhile. */
		if (!alert_way_is_on(&c->alert, (enum alert_way)way))
			s->ways[way].owes_urgent = false;
		wants[way] = s->ways[way].owes_urgent && now >= s->ways[way].next_ms;
		is_due = is_due || wants[way];
	}
	return is_due;
}

void alert_sender_tick(struct alert_sender *s)
{
	const struct config *c = atomic_load(&s->ctx->config);
	const int64_t now = clock_wall_ms(s->ctx->clock);
	const int64_t day = due_day(&c->alert, now);
	bool wants[ALERT_WAYS];

	if (atomic_load(&s->is_stopping))
		return;
	show_ways(s);
	if (s->is_note_waiting)
		begin_note(s);
	if (s->run != NULL || begin_asked(s))
		return;
	look_for_urgent(s);
	if (is_urgent_due(s, wants))
		begin(s, ALERT_URGENT, wants, units_day_of(now));
	else if (is_daily_due(s, day, wants))
		begin(s, ALERT_DAILY, wants, day);
}

/* ---- life ---- */

static enum err get(struct store *store, struct arena *a, const char *name, struct bytes *ret_value)
{
	enum err e = store_get_setting(store, a, name, ret_value);

	if (e != ERR_NOTFOUND)
		return e;
	*ret_value = BYTES_NONE;
	return ERR_OK;
}

static enum err remember_way(struct alert_sender *s, struct store *store, struct arena *a,
			     enum alert_way way)
{
	struct bytes value = BYTES_NONE;
	char name[32];
	char *rest;
	enum err e;

	(void)snprintf(name, sizeof name, "alert:%s", alert_way_name((enum alert_way)way));
	e = get(store, a, name, &value);
	if (e != ERR_OK || value.len == 0)
		return e;
	s->ways[way].day = strtoll(arena_strdup(a, value), &rest, 10);
	s->ways[way].sent_day = s->ways[way].day;
	s->ways[way].at_ms = strtoll(rest, NULL, 10);
	s->state.ways[way].day = s->ways[way].day;
	s->state.ways[way].at_ms = s->ways[way].at_ms;
	if ((uint64_t)(s->ways[way].at_ms / 1000) > s->ctx->metrics->alert_last_seconds)
		metrics_set(s->ctx->metrics, alert_last_seconds, s->ways[way].at_ms / 1000);
	return ERR_OK;
}

static enum err remember_told(struct alert_sender *s, struct store *store, struct arena *a)
{
	struct bytes value = BYTES_NONE;
	enum err e = ERR_OK;

	for (unsigned kind = 0; kind < ALERT_KINDS && e == ERR_OK; kind++) {
		char name[64];

		if (!alert_kind_is_urgent((enum alert_kind)kind))
			continue;
		(void)snprintf(name, sizeof name, "alert_told:%s",
			       alert_kind_name((enum alert_kind)kind));
		e = get(store, a, name, &value);
		if (e == ERR_OK && value.len != 0)
			s->told_ms[kind] = strtoll(arena_strdup(a, value), NULL, 10);
	}
	return e;
}

static enum err remember_forks(struct alert_sender *s, struct store *store, struct arena *a)
{
	struct bytes value = BYTES_NONE;
	struct alert_numbers n = {0};
	enum err e = get(store, a, FORKED, &value);

	if (e != ERR_OK)
		return e;
	n.list = arena_alloc_array(a, value.len / 4 + 1, sizeof *n.list);
	for (; n.count < value.len / 4; n.count++)
		for (size_t i = 0; i < 4; i++)
			n.list[n.count] = n.list[n.count] << 8 | value.data[n.count * 4 + i];
	remember_forked(s, &n);
	return ERR_OK;
}

enum err alert_sender_remember(struct alert_sender *s, struct store *store)
{
	AUTO(arena_clear) struct arena a = {0};
	enum err e = remember_told(s, store, &a);

	show_ways(s);
	for (unsigned way = 0; way < ALERT_WAYS && e == ERR_OK; way++)
		e = remember_way(s, store, &a, (enum alert_way)way);
	if (e == ERR_OK)
		e = remember_forks(s, store, &a);
	return e;
}

void alert_sender_stop(struct alert_sender *s)
{
	atomic_store(&s->is_stopping, true);
	if (s->is_child_running)
		child_stop(&s->child);
}

struct alert_sender *alert_sender_new(struct context *ctx)
{
	struct alert_sender *s = mem_alloc_zero(sizeof *s);
	int rc = pthread_mutex_init(&s->lock, NULL);

	INVARIANT(rc == 0);
	s->ctx = ctx;
	/* One that was set aside while nobody could tell of it. */
	s->has_fork_news = true;
	return s;
}

void alert_sender_free(struct alert_sender *s)
{
	/* One that a stop cut short between two steps. */
	if (s->run != NULL)
		alert_run_free(s->run);
	mem_free(s->told_forked.list);
	(void)pthread_mutex_destroy(&s->lock);
	mem_free(s);
}
