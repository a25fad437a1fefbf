#define LOG_TAG "registry"

#include "daemon/registry.h"

#include <pthread.h>

#include "common/base/check.h"
#include "common/base/mem.h"

/*
 * Device numbers are given out by the store one after the other, so the table is an array
 * by number, grown by half. Number 0 is the office itself and never speaks here.
 */
struct slot {
	struct registry_device device;
	bool is_used;
};

struct registry {
	pthread_rwlock_t lock;
	struct slot *slots;
	size_t cap;
	size_t count;
};

/* The lock fails only by a bug: no such lock, or a deadlock of ours. */
static void lock_read(struct registry *r)
{
	int rc = pthread_rwlock_rdlock(&r->lock);
	INVARIANT(rc == 0);
}

static void lock_write(struct registry *r)
{
	int rc = pthread_rwlock_wrlock(&r->lock);
	INVARIANT(rc == 0);
}

static void unlock(struct registry *r)
{
	int rc = pthread_rwlock_unlock(&r->lock);
	INVARIANT(rc == 0);
}

struct registry *registry_new(void)
{
	struct registry *r = mem_alloc_zero(sizeof *r);
	int rc = pthread_rwlock_init(&r->lock, NULL);

	INVARIANT(rc == 0);
	return r;
}

void registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	pthread_rwlock_destroy(&r->lock);
	mem_free(r->slots);
	mem_free(r);
}

static struct slot *find(struct registry *r, uint32_t number)
{
	if (number >= r->cap || !r->slots[number].is_used)
		return NULL;
	return &r->slots[number];
}

enum err registry_find(struct registry *r, uint32_t number, struct registry_device *ret_device)
{
	const struct slot *s;

	lock_read(r);
	s = find(r, number);
	if (s != NULL)
		*ret_device = s->device;
	unlock(r);
	/* Not err_raise(): strangers ask all day, and each would be a line at debug level. */
	return s != NULL ? ERR_OK : ERR_NOTFOUND;
}

static void grow(struct registry *r, uint32_t number)
{
	size_t cap = r->cap + r->cap / 2 + 64;

	if (number < r->cap)
		return;
	if (cap <= number)
		cap = (size_t)number + 1;
	r->slots = mem_realloc(r->slots, cap * sizeof *r->slots);
	memset(r->slots + r->cap, 0, (cap - r->cap) * sizeof *r->slots);
	r->cap = cap;
}

void registry_put(struct registry *r, const struct registry_device *device)
{
	struct slot *s;
	uint64_t counter = device->counter;

	REQUIRE(device->number != 0);
	lock_write(r);
	grow(r, device->number);
	s = &r->slots[device->number];
	/* Who replaces a device read the store; requests may have been taken meanwhile. */
	if (s->is_used && s->device.counter > counter)
		counter = s->device.counter;
	if (!s->is_used)
		r->count++;
	s->device = *device;
	s->device.counter = counter;
	s->is_used = true;
	unlock(r);
}

bool registry_take_counter(struct registry *r, uint32_t number, uint64_t counter)
{
	struct slot *s;
	bool is_taken;

	lock_write(r);
	s = find(r, number);
	is_taken = s != NULL && counter > s->device.counter;
	if (is_taken)
		s->device.counter = counter;
	unlock(r);
	return is_taken;
}

size_t registry_count(struct registry *r)
{
	size_t count;

	lock_read(r);
	count = r->count;
	unlock(r);
	return count;
}
