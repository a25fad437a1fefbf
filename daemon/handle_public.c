#define LOG_TAG "public"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/fatal.h"
#include "daemon/handle.h"
#include "daemon/loop.h"
#include "daemon/reply.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "proto/msg.h"

#define TAG_LEN 40u

/*
 * What thousands of devices fetch the same: sealed and compressed once, and sent from here without
 * a copy, so that whoever fetches it slowly holds nothing. Versions are few and small: old ones
 * stay until the process ends, somebody may still be reading them.
 */
struct public_cache {
	pthread_mutex_t lock; /* units and memory: pool threads */
	struct arena memory;
	uint64_t units_version;
	struct bytes units;             /* empty: nothing kept yet */
	const struct schema *schema_of; /* loop thread */
	struct bytes schema;
};

struct public_cache *public_cache_new(void)
{
	struct public_cache *c = mem_alloc_zero(sizeof *c);
	int rc = pthread_mutex_init(&c->lock, NULL);

	INVARIANT(rc == 0);
	return c;
}

void public_cache_free(struct public_cache *c)
{
	pthread_mutex_destroy(&c->lock);
	arena_clear(&c->memory);
	mem_free(c);
}

static void lock(struct public_cache *c)
{
	int rc = pthread_mutex_lock(&c->lock);

	INVARIANT(rc == 0);
}

static void unlock(struct public_cache *c)
{
	int rc = pthread_mutex_unlock(&c->lock);

	INVARIANT(rc == 0);
}

/* Seals `message` for good. */
static struct bytes keep(struct public_cache *c, struct bytes message)
{
	AUTO(buf_clear) struct buf sealed = {0};
	struct bytes kept;

	msg_answer_seal(message, &sealed);
	lock(c);
	kept = arena_copy(&c->memory, buf_bytes(&sealed));
	unlock(c);
	return kept;
}

static void answer_versioned(struct http_request *r, const char *version, struct bytes body)
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
	} else {
		a.shared = body;
	}
	http_answer(r, &a);
}

void handle_schema(struct context *ctx, struct http_request *r)
{
	const struct schema *schema = ctx->schema;
	struct public_cache *c = ctx->cache;
	char version[2 * sizeof schema->version + 1];

	hex_print(schema->version, sizeof schema->version, version);
	if (c->schema_of != schema) {
		c->schema = keep(c, buf_bytes(&schema->source));
		c->schema_of = schema;
	}
	answer_versioned(r, version, c->schema);
}

struct fetch {
	struct task task;
	struct context *ctx;
	struct http_request *request;
	uint64_t version;
	struct bytes body;
	enum err e;
};

static bool take_cached(struct fetch *f)
{
	struct public_cache *c = f->ctx->cache;
	bool is_there;

	lock(c);
	is_there = c->units.len > 0 && c->units_version == f->version;
	if (is_there)
		f->body = c->units;
	unlock(c);
	return is_there;
}

static void put_cached(const struct fetch *f)
{
	struct public_cache *c = f->ctx->cache;

	lock(c);
	c->units = f->body;
	c->units_version = f->version;
	unlock(c);
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
	f->body = keep(f->ctx->cache, buf_bytes(&message));
	put_cached(f);
	return ERR_OK;
}

static void fetch(struct task *t)
{
	struct fetch *f = CONTAINER_OF(t, struct fetch, task);
	struct store *reader = readers_take(f->ctx->readers);

	f->e = fatal_or(store_begin(reader), "begin to read");
	if (f->e == ERR_OK) {
		f->e = fatal_or(load(f, reader), "units");
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
		answer_versioned(f->request, version, f->body);
	} else {
		log_err("units error=%s", err_name(f->e));
		reply_refuse(f->request, &(struct refusal){.code = "failed"});
	}
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
