#include "tests/fault/crashlock.h"

#include "common/base/check.h"
#include "common/base/mem.h"

/* ---- the file ---- */

int share_lock(struct share *h, int level)
{
	struct sharing *s = h->of;

	if (h->level >= level)
		return SQLITE_OK;
	if (h->level == SQLITE_LOCK_NONE) {
		if (s->pending != NULL)
			return SQLITE_BUSY;
		s->readers++;
		h->level = SQLITE_LOCK_SHARED;
	}
	if (level == SQLITE_LOCK_SHARED)
		return SQLITE_OK;
	if (s->reserved != NULL && s->reserved != h)
		return SQLITE_BUSY;
	s->reserved = h;
	h->level = SQLITE_LOCK_RESERVED;
	if (level == SQLITE_LOCK_RESERVED)
		return SQLITE_OK;
	s->pending = h;
	h->level = SQLITE_LOCK_PENDING;
	if (s->readers > 1)
		return SQLITE_BUSY;
	h->level = SQLITE_LOCK_EXCLUSIVE;
	return SQLITE_OK;
}

int share_unlock(struct share *h, int level)
{
	struct sharing *s = h->of;

	if (h->level <= level)
		return SQLITE_OK;
	if (s->reserved == h)
		s->reserved = NULL;
	if (s->pending == h)
		s->pending = NULL;
	if (level == SQLITE_LOCK_NONE)
		s->readers--;
	h->level = level;
	return SQLITE_OK;
}

/* ---- shared memory ---- */

/* Whoever comes first finds it empty. */
void sharing_clear(struct sharing *s)
{
	while (s->region_count != 0)
		mem_free(s->regions[--s->region_count]);
}

void *share_map(struct share *h, size_t region, size_t size, bool is_made)
{
	struct sharing *s = h->of;

	s->users += !h->has_regions;
	h->has_regions = true;
	REQUIRE(region < SHARING_REGIONS);
	while (is_made && s->region_count <= region)
		s->regions[s->region_count++] = mem_alloc_array(1, size);
	return region < s->region_count ? s->regions[region] : NULL;
}

static bool may_lock(const struct share *h, int i, bool is_alone)
{
	const struct sharing *s = h->of;

	if (s->alone[i] != NULL)
		return s->alone[i] == h;
	return !is_alone || s->shared[i] == (h->shares[i] ? 1u : 0u);
}

static void lock_one(struct share *h, int i, bool is_alone)
{
	if (is_alone) {
		h->of->alone[i] = h;
	} else if (!h->shares[i]) {
		h->shares[i] = true;
		h->of->shared[i]++;
	}
}

static void unlock_one(struct share *h, int i)
{
	if (h->of->alone[i] == h)
		h->of->alone[i] = NULL;
	if (h->shares[i])
		h->of->shared[i]--;
	h->shares[i] = false;
}

int share_lock_shm(struct share *h, int offset, int n, int flags)
{
	const bool is_alone = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
	const bool is_lock = (flags & SQLITE_SHM_LOCK) != 0;

	for (int i = offset; is_lock && i < offset + n; i++)
		if (!may_lock(h, i, is_alone))
			return SQLITE_BUSY;
	for (int i = offset; i < offset + n; i++) {
		if (is_lock)
			lock_one(h, i, is_alone);
		else
			unlock_one(h, i);
	}
	return SQLITE_OK;
}

void share_unmap(struct share *h)
{
	for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
		unlock_one(h, i);
	if (h->has_regions && --h->of->users == 0)
		sharing_clear(h->of);
	h->has_regions = false;
}
