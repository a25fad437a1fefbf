#define LOG_TAG "login"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/console.h"
#include "daemon/fatal.h"
#include "daemon/handle.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "daemon/writer.h"

#define HASHING_MAX 1u /* passwords looked at at once: PASSWORD_MEMORY and a processor each */
#define WAITING_MAX 16u
#define TOLD_HOUR   60 /* lock-outs written to the audit */
#define COOKIE_LEN  160u

/*
 * A password that is looked at: to sign in, or to be changed.
 *
 *   loop: may it be tried? -> gate: one at a time -> pool: load the account, Argon2id
 *     right -> writer: still the same account? note it, audit -> loop: a new login
 *     wrong -> (sometimes) writer: audit of the lock-out      -> loop: refused
 *
 * Who signs in waits for the commit, so an account that is removed meanwhile is never signed in
 * behind its removal: the writer sees both, one before the other.
 */
struct sign_in {
	struct task task;
	struct writer_job job;
	struct sign_in *next; /* in the gate */
	struct console *console;
	struct http_request *request;
	struct arena arena;
	json_t *body;
	struct bytes name;
	struct bytes password;
	struct bytes new_password; /* empty: to sign in */
	struct peer_address address;
	char peer[PEER_TEXT_LEN];
	struct lockout_try tried;
	struct account account;
	struct bytes units;   /* codes of the account's, for people; empty: the whole office */
	struct password made; /* of new_password */
	bool is_known;        /* there is such an account */
	bool is_right;
	enum err e;
};

/* Text inside `body`, which is ours. */
static void wipe(struct bytes text)
{
	void *at;

	memcpy(&at, &text.data, sizeof at);
	if (text.len != 0)
		crypt_wipe(at, text.len);
}

static void sign_in_free(struct sign_in *s)
{
	wipe(s->password);
	wipe(s->new_password);
	json_decref(s->body);
	arena_clear(&s->arena);
	mem_free(s);
}

static void enter_gate(struct sign_in *s);

/* ---- the end ---- */

static void refuse(struct sign_in *s, unsigned status, const char *code)
{
	log_info("refused peer=%s code=%s", s->peer, code);
	console_refuse(s->request, status, code);
	sign_in_free(s);
}

static void refuse_wrong(struct sign_in *s)
{
	/* Who changes a password is signed in, right or wrong. */
	refuse(s, s->new_password.len != 0 ? 403 : 401, "wrong");
}

static void refuse_failed(struct sign_in *s)
{
	/* The memory of a try, or the disk: not the caller's fault. */
	refuse(s, 503, "busy");
}

static void open_login(struct sign_in *s)
{
	struct console *c = s->console;
	const int64_t now = clock_monotonic_ms(c->ctx->clock);
	char token[LOGIN_TOKEN_LEN];
	char cookie[COOKIE_LEN];
	const struct login *g = logins_begin(c->logins, &s->account, s->units, now, token);

	/* For the browser's session; never to scripts, never to other sites, never in the clear. */
	snprintf(cookie, sizeof cookie,
		 CONSOLE_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict", token);
	crypt_wipe(token, sizeof token);
	lockout_right(c->lockout, s->name, &s->address);
	metrics_add(c->ctx->metrics, logins_total, 1);
	console_answer_json(s->request, 200, console_me(c->ctx, g), cookie);
	crypt_wipe(cookie, sizeof cookie);
	sign_in_free(s);
}

/* ---- writer ---- */

static enum err audit(struct sign_in *s, struct store *store, const char *what, json_t *take_detail)
{
	AUTO(mem_free) char *detail = json_dumps(take_detail, JSON_COMPACT | JSON_SORT_KEYS);
	AUTO(buf_clear) struct buf who = {0};

	json_decref(take_detail);
	/* What was typed in place of a name may be a password. */
	if (s->is_known)
		buf_printf(&who, "account:%.*s", BYTES_FMT(s->account.name));
	else
		buf_append_str(&who, "console");
	return store_put_audit(store, clock_wall_ms(s->console->ctx->clock), buf_bytes(&who),
			       bytes_str(what), bytes_str(detail != NULL ? detail : "{}"));
}

/* Nobody changed or removed it since the pool thread read it. */
static enum err look_again(struct sign_in *s, struct store *store)
{
	struct account now;
	enum err e = account_load(store, &s->arena, s->account.name, &now);

	if (e == ERR_OK &&
	    memcmp(now.password.salt, s->account.password.salt, sizeof now.password.salt) != 0)
		e = ERR_NOTFOUND;
	if (e == ERR_OK)
		s->account = now;
	return e;
}

/* "25195, 25198", as the codes are today. */
static enum err name_units(struct sign_in *s, struct store *store)
{
	const int64_t day = units_day_of(clock_wall_ms(s->console->ctx->clock));
	AUTO(buf_clear) struct buf text = {0};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < s->account.unit_count; i++) {
		struct unit_row unit;
		struct bytes code = BYTES_NONE;

		e = units_load(store, &s->arena, s->account.units[i], day, &unit);
		if (e == ERR_OK)
			e = units_print_code(store, &s->arena, &unit, day, &code);
		buf_printf(&text, "%s%.*s", i != 0 ? ", " : "", BYTES_FMT(code));
	}
	s->units = arena_copy(&s->arena, buf_bytes(&text));
	/* A unit that a restore forgot has no code, and nobody sees it. */
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err note_right(struct writer_job *job, struct store *store)
{
	struct sign_in *s = CONTAINER_OF(job, struct sign_in, job);
	const int64_t now = clock_wall_ms(s->console->ctx->clock);
	const bool is_change = s->new_password.len != 0;
	enum err e = look_again(s, store);

	if (e == ERR_OK)
		e = name_units(s, store);
	if (e == ERR_OK && is_change)
		e = account_set_password(store, s->account.name, &s->made, false, now);
	else if (e == ERR_OK)
		e = account_note_login(store, s->account.name, now);
	if (e == ERR_OK)
		e = audit(s, store, is_change ? "password" : "login",
			  json_pack("{s:s}", "address", s->peer));
	if (e == ERR_OK && is_change)
		s->account.must_change = false;
	return e;
}

static void on_right(struct writer_job *job, enum err e)
{
	struct sign_in *s = CONTAINER_OF(job, struct sign_in, job);

	if (e == ERR_NOTFOUND) {
		refuse_wrong(s);
		return;
	}
	if (e != ERR_OK) {
		log_warn("unnoted error=%s effect=\"nobody was signed in\"", err_name(e));
		refuse_failed(s);
		return;
	}
	if (s->new_password.len != 0) {
		char name[ACCOUNT_NAME_MAX + 1];

		/* Whoever else is signed in knew the old one. */
		snprintf(name, sizeof name, "%.*s", BYTES_FMT(s->account.name));
		logins_end_account(s->console->logins, name);
	}
	open_login(s);
}

static enum err note_locked(struct writer_job *job, struct store *store)
{
	struct sign_in *s = CONTAINER_OF(job, struct sign_in, job);

	return audit(s, store, "login locked",
		     json_pack("{s:s, s:b, s:i, s:i}", "address", s->peer, "known",
			       (int)s->is_known, "name_tries", (int)s->tried.name_tries,
			       "address_tries", (int)s->tried.address_tries));
}

static void on_locked(struct writer_job *job, enum err e)
{
	struct sign_in *s = CONTAINER_OF(job, struct sign_in, job);

	if (e != ERR_OK)
		log_warn("unaudited event=lock-out error=%s", err_name(e));
	refuse_wrong(s);
}

/* ---- pool ---- */

/* The store's part; a name nobody has costs the same. */
static enum err load(struct sign_in *s)
{
	struct context *ctx = s->console->ctx;
	struct store *reader = readers_take(ctx->readers);
	enum err e = fatal_or(store_begin(reader), "begin to read");

	if (e == ERR_OK) {
		e = account_load(reader, &s->arena, s->name, &s->account);
		store_rollback(reader);
	}
	readers_give(ctx->readers, reader);
	s->is_known = e == ERR_OK;
	if (e == ERR_NOTFOUND) {
		s->account = (struct account){.password = password_of_nobody()};
		e = ERR_OK;
	}
	return fatal_or(e, "account");
}

static void look(struct task *t)
{
	struct sign_in *s = CONTAINER_OF(t, struct sign_in, task);
	bool is_right = false;

	s->e = load(s);
	if (s->e == ERR_OK)
		s->e = password_check(&s->account.password, s->password, &is_right);
	s->is_right = s->e == ERR_OK && is_right && s->is_known;
	if (s->is_right && s->new_password.len != 0)
		s->e = password_make(s->console->ctx->rand, s->new_password, &s->made);
}

static bool is_worth_telling(const struct sign_in *s)
{
	const struct peer_address everybody = {.is_local = true};
	struct context *ctx = s->console->ctx;

	return (s->tried.is_name_locked || s->tried.is_address_locked) &&
	       peers_may(ctx->peers, PEER_LOCKED, &everybody, TOLD_HOUR, TOLD_HOUR,
			 clock_monotonic_ms(ctx->clock));
}

static void on_looked(struct task *t)
{
	struct sign_in *s = CONTAINER_OF(t, struct sign_in, task);
	struct console *c = s->console;
	struct sign_in *next = c->waiting;

	c->hashing--;
	if (next != NULL) {
		c->waiting = next->next;
		c->waiting_count--;
		enter_gate(next);
	}
	if (s->e != ERR_OK) {
		refuse_failed(s);
		return;
	}
	if (!s->is_right)
		metrics_add(c->ctx->metrics, logins_refused_total, 1);
	if (!s->is_right && !is_worth_telling(s)) {
		refuse_wrong(s);
		return;
	}
	s->job = (struct writer_job){.run = s->is_right ? note_right : note_locked,
				     .done = s->is_right ? on_right : on_locked};
	if (writer_submit(c->ctx->writer, &s->job) != ERR_OK)
		s->job.done(&s->job, ERR_AGAIN);
}

/* ---- the gate ---- */

static void enter_gate(struct sign_in *s)
{
	s->console->hashing++;
	s->task = (struct task){.run = look, .done = on_looked};
	loop_work(s->console->ctx->loop, &s->task);
}

static bool is_gate_full(const struct console *c)
{
	return c->waiting_count >= WAITING_MAX;
}

static void queue(struct sign_in *s)
{
	struct sign_in **at = &s->console->waiting;

	if (s->console->hashing < HASHING_MAX) {
		enter_gate(s);
		return;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = s;
	s->console->waiting_count++;
}

/* ---- requests ---- */

static struct bytes member(const json_t *body, const char *name)
{
	const json_t *j = json_object_get(body, name);

	return json_is_string(j) ? bytes_of(json_string_value(j), json_string_length(j))
				 : BYTES_NONE;
}

static struct sign_in *begin(struct console *c, struct http_request *r)
{
	struct sign_in *s = mem_alloc_zero(sizeof *s);

	s->console = c;
	s->request = r;
	s->address = r->address;
	memcpy(s->peer, r->peer, sizeof s->peer);
	s->body = json_loadb((const char *)r->body.data, r->body.len, JSON_REJECT_DUPLICATES, NULL);
	if (r->body.len != 0)
		crypt_wipe(r->body.data, r->body.len);
	s->password = member(s->body, "password");
	return s;
}

/* The name is in its one form, the gate has room: is it allowed another try? */
static void try_it(struct sign_in *s)
{
	struct console *c = s->console;

	if (is_gate_full(c)) {
		metrics_add(c->ctx->metrics, logins_refused_total, 1);
		refuse(s, 503, "busy");
		return;
	}
	s->tried =
		lockout_begin(c->lockout, s->name, &s->address, clock_monotonic_ms(c->ctx->clock));
	if (s->tried.wait_ms == 0) {
		queue(s);
		return;
	}
	metrics_add(c->ctx->metrics, logins_refused_total, 1);
	log_info("refused peer=%s code=locked", s->peer);
	console_refuse_until(s->request, 429, "locked", s->tried.wait_ms);
	sign_in_free(s);
}

void handle_console_login(struct context *ctx, struct http_request *r)
{
	AUTO(buf_clear) struct buf name = {0};
	struct sign_in *s;

	if (!console_is_ours(r, CONSOLE_NO_TOKEN)) {
		console_refuse(r, 403, "foreign");
		return;
	}
	s = begin(ctx->console, r);
	if (s->password.len == 0 || account_name(member(s->body, "name"), &name) != ERR_OK) {
		refuse(s, 400, "bad_request");
		return;
	}
	s->name = arena_copy(&s->arena, buf_bytes(&name));
	try_it(s);
}

void handle_console_password(struct context *ctx, struct http_request *r)
{
	const struct login *g = console_login(ctx->console, r);
	enum password_flaw flaw;
	struct sign_in *s;

	if (g == NULL || !console_is_ours(r, g->csrf)) {
		console_refuse(r, g == NULL ? 401 : 403, g == NULL ? "login" : "foreign");
		return;
	}
	s = begin(ctx->console, r);
	s->name = arena_copy(&s->arena, bytes_str(g->name));
	s->new_password = member(s->body, "new");
	flaw = password_judge(s->new_password, s->name);
	if (s->password.len != 0 && flaw == PASSWORD_SOUND &&
	    !bytes_equal(s->password, s->new_password)) {
		try_it(s);
		return;
	}
	console_answer_json(
		r, 400,
		json_pack("{s:i, s:s, s:s}", "exit_code", 1, "code", "password", "error",
			  flaw != PASSWORD_SOUND
				  ? password_flaw_text(flaw)
				  : "Cần mật khẩu đang dùng, và một mật khẩu mới khác. / The "
				    "present password is wanted, and another new one."),
		NULL);
	sign_in_free(s);
}
