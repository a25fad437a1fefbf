#define LOG_TAG "events"

#include "daemon/events.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
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
	bool is_bound; /* to units: another of the same account is told the same, nobody else is */
	bool may_log;
	bool is_ended;
	int64_t sent_ms;
};

/* Who is told the same: everybody of the whole office, or the pages of one bound account. */
struct audience {
	char name[ACCOUNT_NAME_MAX + 1]; /* "": the whole office */
	struct buf sessions;
	struct buf board;
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
	bool is_outdated; /* an account changed meanwhile: what is found is nobody's */
	uint64_t looked[EVENTS_A_LOOK];
	size_t looked_count;
	struct audience audiences[EVENTS_MAX + 1]; /* the office first */
	size_t audience_count;
};

struct events *events_new(struct context *ctx)
{
	struct events *e = mem_alloc_zero(sizeof *e);

	e->ctx = ctx;
	return e;
}

void events_free(struct events *e)
{
	for (size_t i = 0; i < EVENTS_MAX + 1; i++) {
		buf_clear(&e->audiences[i].sessions);
		buf_clear(&e->audiences[i].board);
	}
	mem_free(e);
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
	p->is_bound = g->holder.is_bound;
	p->may_log = role_may(&g->holder, "log", no_args) == ROLE_MAY;
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

void events_account_changed(struct events *e, const char *name)
{
	if (e == NULL)
		return;
	e->is_outdated = true;
	for (struct page *p = e->pages; p != NULL; p = p->next)
		if (strcmp(p->name, name) == 0)
			end(p);
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
		json_array_append_new(units, json_deep_copy(unit));
}

static void append_session(struct audience *to, struct admin_call *call,
			   const struct session_row *row, json_t *units)
{
	json_t *j = admin_json_session(call, row);

	buf_printf(&to->sessions, "id: %" PRIu64 "\n", row->session);
	append_event(&to->sessions, "session", j);
	note_unit(units, json_object_get(j, "unit"));
	json_decref(j);
}

/* A bound account hears of contacts of devices it sees; of a stranger's nobody does but the office.
 */
static enum err append_seen(struct audience *to, struct admin_call *call,
			    const struct session_row *row, json_t *units)
{
	bool sees = row->is_device_known || !admin_is_bound(call);
	enum err e = sees ? admin_sees_device(call, row->device, &sees) : ERR_OK;

	if (e == ERR_OK && sees)
		append_session(to, call, row, units);
	return e;
}

static enum err tell_audience(struct events *e, struct store *reader, struct audience *to,
			      const struct session_row *rows, size_t count)
{
	AUTO(arena_clear) struct arena a = {0};
	const bool is_bound = to->name[0] != '\0';
	struct admin_call call = {
		.ctx = e->ctx,
		.store = reader,
		.arena = &a,
		.caller = {.account = is_bound ? to->name : NULL, .is_bound = is_bound}};
	json_t *units = json_array();
	json_t *board = json_object();
	enum err err = admin_scope_begin(&call);

	/* Removed meanwhile: its pages end with the next second, and are told nothing. */
	if (err == ERR_AUTH)
		count = 0;
	for (size_t i = 0; (err == ERR_OK || err == ERR_AUTH) && i < count; i++)
		err = append_seen(to, &call, &rows[i], units);
	json_object_set_new(board, "units", units);
	if (json_array_size(units) != 0)
		append_event(&to->board, "board", board);
	json_decref(board);
	return err == ERR_AUTH ? ERR_OK : err;
}

static enum err load(struct events *e, struct store *reader)
{
	AUTO(arena_clear) struct arena a = {0};
	struct session_row rows[EVENTS_A_LOOK];
	size_t count = 0;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < e->looked_count; i++) {
		err = session_load(reader, &a, e->looked[i], &rows[count]);
		count += err == ERR_OK;
		if (err == ERR_NOTFOUND)
			err = ERR_OK;
	}
	for (size_t i = 0; err == ERR_OK && i < e->audience_count; i++)
		err = tell_audience(e, reader, &e->audiences[i], rows, count);
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

static struct audience *audience_of(struct events *e, const struct page *p)
{
	const char *name = p->is_bound ? p->name : "";

	for (size_t i = 0; i < e->audience_count; i++)
		if (strcmp(e->audiences[i].name, name) == 0)
			return &e->audiences[i];
	return NULL;
}

static void on_looked(struct task *t)
{
	struct events *e = CONTAINER_OF(t, struct events, task);

	e->is_looking = false;
	for (struct page *p = e->pages; p != NULL; p = p->next) {
		const struct audience *of = audience_of(e, p);

		/* Opened while we looked: it asks for what it may not have been told. */
		if (of == NULL || e->is_outdated) {
			tell_text(p, "event: lost\ndata: {}\n\n");
			continue;
		}
		if (p->may_log && of->sessions.len != 0)
			tell(p, &of->sessions);
		if (of->board.len != 0)
			tell(p, &of->board);
	}
}

static void gather_audiences(struct events *e)
{
	for (size_t i = 0; i < EVENTS_MAX + 1; i++) {
		buf_reset(&e->audiences[i].sessions);
		buf_reset(&e->audiences[i].board);
	}
	e->audiences[0].name[0] = '\0';
	e->audience_count = 1;
	for (const struct page *p = e->pages; p != NULL; p = p->next) {
		struct audience *to = &e->audiences[e->audience_count];

		if (audience_of(e, p) != NULL)
			continue;
		memcpy(to->name, p->name, sizeof to->name);
		e->audience_count++;
	}
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
	e->is_outdated = false;
	gather_audiences(e);
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
