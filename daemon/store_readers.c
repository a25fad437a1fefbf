#include <pthread.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/store_private.h"

struct readers {
	pthread_mutex_t lock;
	pthread_cond_t is_free;
	struct store *free; /* through store.next */
	size_t count;
	const struct schema *schema;
};

/* Drops every reading connection given back; all of them have been. */
void readers_close(struct readers *r)
{
	if (r == NULL)
		return;
	while (r->free != NULL) {
		struct store *s = r->free;

		r->free = s->next;
		r->count--;
		store_close(s);
	}
	REQUIRE(r->count == 0);
	(void)pthread_cond_destroy(&r->is_free);
	(void)pthread_mutex_destroy(&r->lock);
	mem_free(r);
}

enum err readers_open(const char *path, const struct schema *schema, size_t count,
		      struct readers **ret_readers)
{
	AUTO(readers_close) struct readers *r = mem_alloc_zero(sizeof *r);

	REQUIRE(count > 0);
	REQUIRE(pthread_mutex_init(&r->lock, NULL) == 0);
	REQUIRE(pthread_cond_init(&r->is_free, NULL) == 0);
	r->schema = schema;
	while (r->count < count) {
		struct store *s = NULL;
		enum err e = store_open_reader(path, schema, &s);

		if (e != ERR_OK)
			return e;
		s->next = r->free;
		r->free = s;
		r->count++;
	}
	*ret_readers = MOVE(r);
	return ERR_OK;
}

struct store *readers_take(struct readers *r)
{
	struct store *s;
	const struct schema *schema;

	(void)pthread_mutex_lock(&r->lock);
	while (r->free == NULL)
		(void)pthread_cond_wait(&r->is_free, &r->lock);
	s = r->free;
	r->free = s->next;
	schema = r->schema;
	(void)pthread_mutex_unlock(&r->lock);
	s->next = NULL;
	if (s->schema != schema) {
		s->schema = schema;
		/* A failure sticks to the store, and its next statement says so. */
		store_drop_statements(s);
		(void)store_load_tables(s);
	}
	return s;
}

void readers_give(struct readers *r, struct store *s)
{
	store_rollback(s);
	sql_limit_time(s, NULL, 0);
	(void)pthread_mutex_lock(&r->lock);
	s->next = r->free;
	r->free = s;
	(void)pthread_cond_signal(&r->is_free);
	(void)pthread_mutex_unlock(&r->lock);
}

void readers_use_schema(struct readers *r, const struct schema *schema)
{
	(void)pthread_mutex_lock(&r->lock);
	r->schema = schema;
	(void)pthread_mutex_unlock(&r->lock);
}
