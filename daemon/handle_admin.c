#define LOG_TAG "call"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/admin.h"
#include "daemon/console.h"
#include "daemon/events.h"
#include "daemon/fatal.h"
#include "daemon/handle.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/registry.h"
#include "daemon/reply.h"
#include "daemon/store.h"
#include "daemon/sweep.h"
#include "daemon/writer.h"

#define ALIVE_MS 30000 /* a writer silent for longer is stuck */

/*
 * One command of an administrator. Before it runs: admin_prepare(), on the pool.
 *
 *   pool  parse -> reading: run, then (audited, or something to keep) writer: finish
 *                                                                 -> pool: print -> loop: answer
 *               -> writing: writer: run (with its audit row)      -> pool: print -> loop: answer
 *
 * Before all of it the writer ends what it was told lazily: whoever has the answer of a contact
 * finds it whole in the sync log, by whatever command.
 */
struct command_call {
	struct task task;
	struct writer_job job;
	struct context *ctx;
	struct http_request *request;
	struct arena arena;
	struct buf body;
	struct call_identity who;
	json_t *root;
	const struct admin_command *command;
	bool is_ready; /* it may run, and what it needs is made */
	struct admin_call call;
	enum err e;
	unsigned status;  /* of a refusal before the command ran; 0: none */
	const char *code; /* of that, for the console; NULL: none */
	struct buf answer;
};

static void call_free(struct command_call *c)
{
	admin_call_clear(&c->call);
	json_decref(c->root);
	buf_clear(&c->body);
	buf_clear(&c->answer);
	arena_clear(&c->arena);
	mem_free(c);
}

static unsigned status_of(enum err e)
{
	switch (err_class(e)) {
	case ERR_CLASS_NONE: return 200;
	case ERR_CLASS_REJECT:
		if (e == ERR_AUTH)
			return 403;
		return e == ERR_NOTFOUND ? 404 : e == ERR_CONFLICT ? 409 : 400;
	case ERR_CLASS_RETRY: return 503;
	case ERR_CLASS_FATAL: break;
	}
	return 500;
}

/* ---- pool: the answer's text ---- */

static int exit_code_of(const struct command_call *c)
{
	if (c->status != 0 || c->call.is_misuse)
		return 2;
	return err_class(c->e) == ERR_CLASS_RETRY ? 3 : 1;
}

static json_t *as_json(struct command_call *c)
{
	const char *code = c->code != NULL ? c->code : c->call.is_misuse ? "usage" : NULL;

	if (c->e == ERR_OK && c->status == 0)
		return json_pack("{s:i,s:O?}", "exit_code", c->call.exit_code, "result",
				 c->call.result);
	return json_pack("{s:i,s:s,s:s*}", "exit_code", exit_code_of(c), "error",
			 c->call.error[0] != '\0' ? c->call.error : err_text(c->e), "code", code);
}

static int append_piece(const char *piece, size_t len, void *arg)
{
	buf_append(arg, piece, len);
	return 0;
}

static void print(struct task *t)
{
	struct command_call *c = CONTAINER_OF(t, struct command_call, task);
	json_t *j = as_json(c);

	/* Fails only for text that is not UTF-8, which no command may give. */
	if (j == NULL || json_dump_callback(j, append_piece, &c->answer, JSON_COMPACT) != 0) {
		log_err("unprintable command=\"%s\"", c->command != NULL ? c->command->name : "");
		c->e = ERR_INVAL;
		buf_reset(&c->answer);
		buf_append_str(&c->answer, "{\"exit_code\":1,\"error\":\"unprintable\"}");
	}
	json_decref(j);
}

static void on_printed(struct task *t)
{
	struct command_call *c = CONTAINER_OF(t, struct command_call, task);
	unsigned status = c->status != 0 ? c->status : status_of(c->e);

	log_info("command=\"%s\" by=\"%s\" result=%s", c->command != NULL ? c->command->name : "?",
		 c->who.name, err_name(c->e));
	if (c->who.is_account)
		console_answer_body(c->request, status, &c->answer);
	else
		reply_body(c->request, status, REPLY_JSON, &c->answer);
	call_free(c);
}

static void begin_print(struct command_call *c)
{
	c->task = (struct task){.run = print, .done = on_printed};
	loop_work(c->ctx->loop, &c->task);
}

static void fail(struct command_call *c, enum err e, const char *text)
{
	c->e = e;
	snprintf(c->call.error, sizeof c->call.error, "%s", text);
}

/* ---- writer ---- */

/* Any error that undoes the job alone. */
#define UNDONE ERR_CONFLICT

static enum err run_writing(struct writer_job *job, struct store *store)
{
	struct command_call *c = CONTAINER_OF(job, struct command_call, job);

	enum err e;

	c->call.store = store;
	e = admin_run(c->command, &c->call);
	return e == ERR_OK && c->call.is_undone ? UNDONE : e;
}

static enum err run_finish(struct writer_job *job, struct store *store)
{
	struct command_call *c = CONTAINER_OF(job, struct command_call, job);

	c->call.store = store;
	return admin_finish(&c->call, c->e);
}

static void on_written(struct writer_job *job, enum err e)
{
	struct command_call *c = CONTAINER_OF(job, struct command_call, job);

	c->call.store = NULL;
	if (c->call.is_undone && e == UNDONE) {
		begin_print(c);
		return;
	}
	/* A commit that failed: the command did not happen, whatever it said. */
	if (e == ERR_FULL)
		fail(c, e,
		     "Đĩa đầy; chưa có gì thay đổi, hãy dọn chỗ rồi thử lại (lệnh nào phải ghi sổ kiểm "
		     "toán cũng cần chỗ). / The disk is full; nothing changed, make room and try "
		     "again (what is audited needs room too).");
	else if (e != ERR_OK && c->call.error[0] == '\0')
		fail(c, e,
		     "Không ghi được; chưa có gì thay đổi, hãy thử lại. / Could not be written; nothing "
		     "changed, try again.");
	if (c->e == ERR_OK)
		c->e = e;
	if (c->e == ERR_OK && c->command->is_write)
		events_decided(c->ctx->events);
	if (c->e == ERR_OK && c->command->is_write && c->command->committed != NULL)
		c->command->committed(&c->call);
	begin_print(c);
}

static void begin_write(struct command_call *c,
			enum err (*run)(struct writer_job *job, struct store *store))
{
	c->job = (struct writer_job){.run = run, .done = on_written};
	if (writer_submit(c->ctx->writer, &c->job) == ERR_OK)
		return;
	fail(c, ERR_AGAIN,
	     "Máy chủ đang bận; chưa có gì thay đổi, hãy thử lại. / The daemon is busy; nothing "
	     "changed, try again.");
	begin_print(c);
}

/* ---- pool: reading the request, reading commands ---- */

static void refuse(struct command_call *c, unsigned status, const char *text)
{
	c->status = status;
	fail(c, ERR_INVAL, text);
}

static void parse(struct command_call *c)
{
	json_error_t why;
	const char *name;

	c->root = json_loadb((const char *)c->body.data, c->body.len, JSON_REJECT_DUPLICATES, &why);
	name = json_string_value(json_object_get(c->root, "command"));
	c->call.args = json_object_get(c->root, "args");
	if (name == NULL || !json_is_object(c->call.args)) {
		refuse(c, 400,
		       "Cần JSON {\"command\", \"args\"}. / JSON {\"command\", \"args\"} is wanted.");
		return;
	}
	c->command = admin_find(name);
	if (c->command == NULL)
		refuse(c, 404, "Không có lệnh này. / There is no such command.");
}

/* Default deny: only what the table of role.c says is let through. */
static bool is_allowed(struct command_call *c)
{
	const struct call_identity *who = &c->who;

	if (!who->is_account)
		return true;
	switch (role_may(&who->holder, c->command->name, c->call.args)) {
	case ROLE_MAY: return true;
	case ROLE_MAY_NOT: c->code = "not_allowed_role"; break;
	case ROLE_NOT_IN_UNITS: c->code = "not_in_units"; break;
	case ROLE_NEEDS_CLEARANCE: c->code = "not_cleared"; break;
	}
	refuse(c, 403, console_text(c->code));
	return false;
}

static bool prepare(struct command_call *c)
{
	parse(c);
	if (c->command == NULL || !is_allowed(c))
		return false;
	c->e = admin_prepare(c->command, &c->call);
	return c->e == ERR_OK;
}

/*
 * A command may also fail at a file that is not the store's (a backup on a disk that was pulled
 * out): only what the connection itself met ends the process.
 */
static void end_reading(struct command_call *c, struct store *reader)
{
	store_rollback(reader);
	if (err_class(c->e) == ERR_CLASS_FATAL &&
	    fatal_or(store_begin(reader), c->command->name) == ERR_OK)
		store_rollback(reader);
}

static void run_reading(struct command_call *c)
{
	struct store *reader = readers_take(c->ctx->readers);

	c->e = fatal_or(store_begin(reader), "begin to read");
	if (c->e == ERR_OK) {
		c->call.store = reader;
		c->e = admin_run(c->command, &c->call);
		c->call.store = NULL;
		end_reading(c, reader);
	}
	readers_give(c->ctx->readers, reader);
}

static void begin(struct task *t)
{
	struct command_call *c = CONTAINER_OF(t, struct command_call, task);

	c->is_ready = prepare(c);
	if (c->is_ready && !c->command->is_write)
		run_reading(c);
}

static void on_begun(struct task *t)
{
	struct command_call *c = CONTAINER_OF(t, struct command_call, task);

	if (c->is_ready && c->command->is_write)
		begin_write(c, run_writing);
	else if (c->is_ready && admin_wants_finish(&c->call))
		begin_write(c, run_finish);
	else
		begin_print(c);
}

static void begin_command(struct command_call *c)
{
	c->task = (struct task){.run = begin, .done = on_begun};
	loop_work(c->ctx->loop, &c->task);
}

static enum err run_nothing(struct writer_job *job, struct store *store)
{
	(void)job;
	(void)store;
	return ERR_OK;
}

static void on_flushed(struct writer_job *job, enum err e)
{
	(void)e; /* What could not be written is not there to be read. */
	begin_command(CONTAINER_OF(job, struct command_call, job));
}

void handle_call(struct context *ctx, struct http_request *r)
{
	struct call_identity who = {.uid = r->uid};

	snprintf(who.name, sizeof who.name, "uid:%" PRIu32, r->uid);
	handle_call_as(ctx, r, &who);
}

/* Its name as the table has it. */
static const char *account_of(const struct call_identity *who)
{
	return who->name + strlen(CALL_ACCOUNT);
}

void handle_call_as(struct context *ctx, struct http_request *r, const struct call_identity *who)
{
	struct command_call *c = mem_alloc_zero(sizeof *c);

	metrics_add(ctx->metrics, admin_calls_total, 1);
	c->ctx = ctx;
	c->request = r;
	c->body = r->body;
	r->body = (struct buf){0};
	c->who = *who;
	c->call = (struct admin_call){
		.ctx = ctx,
		.caller = {.uid = who->uid,
			   .name = c->who.name,
			   .account = who->is_account ? account_of(&c->who) : NULL,
			   .is_bound = who->is_account && who->holder.is_bound,
			   .is_uncleared = who->is_account && !who->holder.is_cleared,
			   .holder = who->is_account ? &c->who.holder : NULL},
		.arena = &c->arena};
	c->job = (struct writer_job){.run = run_nothing, .done = on_flushed};
	/* The file of a large store is made anew for half a minute: nobody waits that long to read.
	 */
	if (sweep_is_running(ctx->sweep) || !writer_flush(ctx->writer, &c->job))
		begin_command(c);
}

/* ---- watchers ---- */

static void answer_text(struct http_request *r, unsigned status, const char *text)
{
	struct buf body = {0};

	buf_append_str(&body, text);
	reply_body(r, status, REPLY_TEXT, &body);
}

void handle_healthz(struct context *ctx, struct http_request *r)
{
	int64_t silent =
		clock_monotonic_ms(ctx->clock) - (int64_t)atomic_load(&ctx->writer_alive_ms);

	if (silent > ALIVE_MS)
		answer_text(r, 503, "writer stuck\n");
	else
		answer_text(r, 200, "ok\n");
}

void handle_readyz(struct context *ctx, struct http_request *r)
{
	if (!atomic_load(&ctx->is_ready))
		answer_text(r, 503, "stopping\n");
	else if (atomic_load(&ctx->is_store_gone))
		answer_text(r, 503, "store missing\n");
	else if (atomic_load(&ctx->is_disk_low))
		answer_text(r, 503, "disk low\n");
	else
		answer_text(r, 200, "ready\n");
}

void handle_metrics(struct context *ctx, struct http_request *r)
{
	struct buf body = {0};

	metrics_set(ctx->metrics, devices, registry_count(ctx->registry));
	metrics_print(ctx->metrics, &body);
	reply_body(r, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
}
