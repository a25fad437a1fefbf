#define LOG_TAG "public"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/handle.h"
#include "daemon/loop.h"
#include "daemon/reply.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "proto/msg.h"

#define TAG_LEN 40u

/* The sealed list of units, as of one version: thousands of devices fetch the same. */
struct units_cache {
	pthread_mutex_t lock;
	uint64_t version;
	struct buf body; /* empty: nothing kept yet */
};

struct units_cache *units_cache_new(void)
{
	struct units_cache *c = mem_alloc_zero(sizeof *c);
	int rc = pthread_mutex_init(&c->lock, NULL);

	INVARIANT(rc == 0);
	return c;
}

void units_cache_free(struct units_cache *c)
{
	pthread_mutex_destroy(&c->lock);
	buf_clear(&c->body);
	mem_free(c);
}

/* Takes `body`. */
static void answer_versioned(struct http_request *r, const char *version, struct buf *body)
{
	char tag[TAG_LEN];
	char query[TAG_LEN + 16];
	const char *held = http_header(r, "If-None-Match");
	struct http_answer a = {.status = 200, .content_type = MSG_CONTENT_TYPE};

	snprintf(tag, sizeof tag, "\"%s\"", version);
	snprintf(query, sizeof query, "version=%s", version);
	a.fields[0] = (struct http_field){"ETag", tag};
	/* What names its version never changes; what does not must ask again. */
	a.fields[1] = (struct http_field){
		"Cache-Control",
		strcmp(r->query, query) == 0 ? "public, max-age=31536000, immutable" : "no-cache"};
	if (held != NULL && strcmp(held, tag) == 0) {
		a.status = 304;
		a.content_type = NULL;
		buf_clear(body);
	} else {
		a.body = *body;
	}
	*body = (struct buf){0};
	http_answer(r, &a);
}

void handle_schema(struct context *ctx, struct http_request *r)
{
	const struct schema *schema = ctx->schema;
	char version[2 * sizeof schema->version + 1];
	struct buf body = {0};

	hex_print(schema->version, sizeof schema->version, version);
	msg_answer_seal(buf_bytes(&schema->source), &body);
	answer_versioned(r, version, &body);
}

struct fetch {
	struct task task;
	struct context *ctx;
	struct http_request *request;
	uint64_t version;
	struct buf body;
	enum err e;
};

static bool take_cached(struct fetch *f)
{
	struct units_cache *c = f->ctx->units;
	bool is_there;
	int rc = pthread_mutex_lock(&c->lock);

	INVARIANT(rc == 0);
	is_there = c->body.len > 0 && c->version == f->version;
	if (is_there)
		buf_append_bytes(&f->body, buf_bytes(&c->body));
	pthread_mutex_unlock(&c->lock);
	return is_there;
}

static void put_cached(const struct fetch *f)
{
	struct units_cache *c = f->ctx->units;
	int rc = pthread_mutex_lock(&c->lock);

	INVARIANT(rc == 0);
	buf_reset(&c->body);
	buf_append_bytes(&c->body, buf_bytes(&f->body));
	c->version = f->version;
	pthread_mutex_unlock(&c->lock);
}

static enum err load(struct fetch *f, struct store *reader)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf message = {0};
	struct msg_unit *units = NULL;
	size_t count = 0;
	enum err e = units_version(reader, &f->version);

	if (e != ERR_OK || take_cached(f))
		return e;
	e = units_load_message(reader, &a, &units, &count);
	if (e != ERR_OK)
		return e;
	msg_units_encode(units, count, f->version, &message);
	msg_answer_seal(buf_bytes(&message), &f->body);
	put_cached(f);
	return ERR_OK;
}

static void fetch(struct task *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, task);
	struct store *reader = readers_take(f->ctx->readers);

	f->e = store_begin(reader);
	if (f->e == ERR_OK) {
		f->e = load(f, reader);
		store_rollback(reader);
	}
	readers_give(f->ctx->readers, reader);
}

static void on_fetched(struct task *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, task);
	char version[24];

	if (f->e == ERR_OK) {
		snprintf(version, sizeof version, "%" PRIu64, f->version);
		answer_versioned(f->request, version, &f->body);
	} else {
		log_err("units error=%s", err_name(f->e));
		reply_refuse(f->request, &(struct refusal){.code = "failed"});
	}
	buf_clear(&f->body);
	mem_free(f);
}

void handle_units(struct context *ctx, struct http_request *r)
{
	struct fetch *f = mem_alloc_zero(sizeof *f);

	f->ctx = ctx;
	f->request = r;
	f->task = (struct task){.run = fetch, .done = on_fetched};
	loop_work(ctx->loop, &f->task);
}
