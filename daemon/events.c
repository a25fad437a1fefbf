#define LOG_TAG "events"

#include "daemon/events.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/admin_names.h"
#include "daemon/console.h"
#include "daemon/fatal.h"
#include "daemon/http.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/session.h"

#define EVENTS_TYPE "text/event-stream; charset=utf-8"

/* One open page. */
struct page {
	struct page *next;
	struct page **prev;
	struct events *events;
	struct http_stream *stream;
	uint64_t login; /* serial */
	char name[ACCOUNT_NAME_MAX + 1];
	bool may_log;
	bool is_ended;
	int64_t sent_ms;
};

struct events {
	struct context *ctx;
	struct page *pages;
	size_t page_count;
	uint64_t waiting[EVENTS_WAITING]; /* contacts that ended */
	size_t waiting_count;
	bool is_lost;    /* more than that */
	bool is_decided; /* something any row of the board may show */
	/* A look at the store, on a pool thread. */
	struct task task;
	bool is_looking;
	uint64_t looked[EVENTS_A_LOOK];
	size_t looked_count;
	struct buf sessions;
	struct buf board;
};

struct events *events_new(struct context *ctx)
{
	struct events *e = mem_alloc_zero(sizeof *e);

	e->ctx = ctx;
	return e;
}

void events_free(struct events *e)
{
	buf_clear(&e->sessions);
	buf_clear(&e->board);
	mem_free(e);
}

size_t events_count(const struct events *e)
{
	return e->page_count;
}

/* ---- pages ---- */

static void on_gone(void *user)
{
	struct page *p = user;

	*p->prev = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	p->events->page_count--;
	metrics_set(p->events->ctx->metrics, console_pages, p->events->page_count);
	mem_free(p);
}

static size_t pages_of(const struct events *e, const char *name)
{
	size_t count = 0;

	for (const struct page *p = e->pages; p != NULL; p = p->next)
		count += strcmp(p->name, name) == 0;
	return count;
}

static void tell(struct page *p, const struct buf *text)
{
	p->sent_ms = clock_monotonic_ms(p->events->ctx->clock);
	if (!p->is_ended)
		http_stream_send(p->stream, buf_bytes(text));
}

static void tell_text(struct page *p, const char *text)
{
	AUTO(buf_clear) struct buf piece = {0};

	buf_append_str(&piece, text);
	tell(p, &piece);
}

static void end(struct page *p)
{
	if (p->is_ended)
		return;
	tell_text(p, "event: end\ndata: {}\n\n");
	p->is_ended = true;
	http_stream_end(p->stream);
}

bool events_open(struct events *e, struct http_request *r, const struct login *g)
{
	struct http_answer head = {.status = 200, .content_type = EVENTS_TYPE};
	json_t *no_args;
	struct page *p;

	if (e->page_count >= EVENTS_MAX || pages_of(e, g->name) >= EVENTS_ACCOUNT_MAX)
		return false;
	p = mem_alloc_zero(sizeof *p);
	*p = (struct page){.next = e->pages, .prev = &e->pages, .events = e, .login = g->serial};
	memcpy(p->name, g->name, sizeof p->name);
	no_args = json_object();
	p->may_log = role_may(g->role, g->is_cleared, "log", no_args) == ROLE_MAY;
	json_decref(no_args);
	if (p->next != NULL)
		p->next->prev = &p->next;
	e->pages = p;
	e->page_count++;
	metrics_set(e->ctx->metrics, console_pages, e->page_count);
	head.fields[0] = (struct http_field){"Cache-Control", "no-store"};
	console_guard(&head);
	p->stream = http_stream_begin(r, &head, on_gone, p);
	/* The browser comes again after five seconds when we go. */
	tell_text(p, "retry: 5000\n\n");
	return true;
}

/* ---- what happened ---- */

void events_session_ended(struct events *e, uint64_t session)
{
	if (e == NULL || e->pages == NULL || session == 0)
		return;
	if (e->waiting_count == EVENTS_WAITING)
		e->is_lost = true;
	else
		e->waiting[e->waiting_count++] = session;
}

void events_decided(struct events *e)
{
	if (e != NULL && e->pages != NULL)
		e->is_decided = true;
}

/* ---- a look at the store ---- */

static void append_event(struct buf *out, const char *name, const json_t *data)
{
	char *text = json_dumps(data, JSON_COMPACT);

	/* One line: JSON has no line feeds outside of its escapes. */
	buf_printf(out, "event: %s\ndata: %s\n\n", name, text != NULL ? text : "{}");
	free(text);
}

/* Each unit once, in the order they came. */
static void note_unit(json_t *units, const json_t *unit)
{
	for (size_t i = 0; i < json_array_size(units); i++)
		if (json_equal(json_array_get(units, i), unit))
			return;
	if (json_is_string(unit))
		json_array_append(units, json_deep_copy(unit));
}

static enum err append_session(struct events *e, struct admin_call *call, uint64_t session,
			       json_t *units)
{
	struct session_row row;
	json_t *j;
	enum err err = session_load(call->store, call->arena, session, &row);

	if (err != ERR_OK)
		return err == ERR_NOTFOUND ? ERR_OK : err;
	j = admin_json_session(call, &row);
	buf_printf(&e->sessions, "id: %" PRIu64 "\n", session);
	append_event(&e->sessions, "session", j);
	note_unit(units, json_object_get(j, "unit"));
	json_decref(j);
	return ERR_OK;
}

static enum err load(struct events *e, struct store *reader)
{
	AUTO(arena_clear) struct arena a = {0};
	struct admin_call call = {.ctx = e->ctx, .store = reader, .arena = &a};
	json_t *units = json_array();
	json_t *board = json_object();
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < e->looked_count; i++)
		err = append_session(e, &call, e->looked[i], units);
	json_object_set_new(board, "units", units);
	if (json_array_size(units) != 0)
		append_event(&e->board, "board", board);
	json_decref(board);
	return err;
}

static void look(struct task *t)
{
	struct events *e = CONTAINER_OF(t, struct events, task);
	struct store *reader = readers_take(e->ctx->readers);

	if (fatal_or(store_begin(reader), "begin to read") == ERR_OK) {
		(void)fatal_or(load(e, reader), "events");
		store_rollback(reader);
	}
	readers_give(e->ctx->readers, reader);
}

static void on_looked(struct task *t)
{
	struct events *e = CONTAINER_OF(t, struct events, task);

	e->is_looking = false;
	for (struct page *p = e->pages; p != NULL; p = p->next) {
		if (p->may_log && e->sessions.len != 0)
			tell(p, &e->sessions);
		if (e->board.len != 0)
			tell(p, &e->board);
	}
	buf_reset(&e->sessions);
	buf_reset(&e->board);
}

static void begin_look(struct events *e)
{
	size_t count = e->waiting_count < EVENTS_A_LOOK ? e->waiting_count : EVENTS_A_LOOK;

	if (e->is_looking || count == 0)
		return;
	memcpy(e->looked, e->waiting, count * sizeof e->looked[0]);
	e->looked_count = count;
	e->waiting_count -= count;
	memmove(e->waiting, e->waiting + count, e->waiting_count * sizeof e->waiting[0]);
	e->is_looking = true;
	e->task = (struct task){.run = look, .done = on_looked};
	loop_work(e->ctx->loop, &e->task);
}

/* ---- every second ---- */

static void tell_all(struct events *e, const char *text)
{
	for (struct page *p = e->pages; p != NULL; p = p->next)
		tell_text(p, text);
}

static void look_at_pages(struct events *e)
{
	const struct login_limits limits = console_limits(e->ctx);
	const int64_t now = clock_monotonic_ms(e->ctx->clock);

	for (struct page *p = e->pages; p != NULL; p = p->next) {
		if (logins_look(e->ctx->console->logins, p->login, &limits, now) == NULL)
			end(p);
		else if (now - p->sent_ms >= EVENTS_BEAT_MS)
			tell_text(p, ":\n\n");
	}
}

void events_tick(struct events *e)
{
	look_at_pages(e);
	if (e->pages == NULL) {
		/* Nobody is left to be told. */
		e->waiting_count = 0;
		e->is_lost = e->is_decided = false;
		return;
	}
	if (e->is_lost)
		tell_all(e, "event: lost\ndata: {}\n\n");
	if (e->is_decided)
		tell_all(e, "event: board\ndata: {\"units\":null}\n\n");
	e->is_lost = e->is_decided = false;
	begin_look(e);
}

void events_stop(struct events *e)
{
	for (struct page *p = e->pages; p != NULL; p = p->next)
		end(p);
}
