#include "daemon/lockout.h"

#include "common/base/crypt.h"
#include "common/base/mem.h"

#define KEY_LEN       32u
#define FIRST_WAIT_MS 1000
#define DOUBLINGS_MAX 20u
#define BUCKETS       256u /* one byte of the key */
#define WAYS          (LOCKOUT_ENTRIES / BUCKETS)

struct entry {
	struct hash key; /* of a name or an address, under a key of this run */
	bool is_used;
	unsigned tries;
	int64_t seen_ms;
	int64_t until_ms; /* no try before */
};

struct lockout {
	uint8_t key[KEY_LEN];
	struct entry entries[LOCKOUT_ENTRIES];
};

struct lockout *lockout_new(struct rand *rand)
{
	struct lockout *l = mem_alloc_zero(sizeof *l);

	/* Nobody can aim at another's place in the table. */
	rand_fill(rand, l->key, sizeof l->key);
	return l;
}

void lockout_free(struct lockout *l)
{
	mem_free(l);
}

static struct hash key_of_name(const struct lockout *l, struct bytes name)
{
	const struct hash h = hash_keyed(bytes_of(l->key, sizeof l->key), name);

	return hash_of_two(BYTES_LIT("name"), bytes_of(h.bytes, sizeof h.bytes));
}

static struct hash key_of_address(const struct lockout *l, const struct peer_address *a)
{
	const struct hash h =
		hash_keyed(bytes_of(l->key, sizeof l->key), bytes_of(a->bytes, sizeof a->bytes));

	return hash_of_two(BYTES_LIT("address"), bytes_of(h.bytes, sizeof h.bytes));
}

/* The places a key may have: few, so that many tries cost little. */
static struct entry *bucket_of(struct lockout *l, const struct hash *key)
{
	return &l->entries[(size_t)key->bytes[0] * WAYS];
}

static struct entry *find(struct lockout *l, const struct hash *key)
{
	struct entry *bucket = bucket_of(l, key);

	for (size_t i = 0; i < WAYS; i++)
		if (bucket[i].is_used && memcmp(&bucket[i].key, key, sizeof *key) == 0)
			return &bucket[i];
	return NULL;
}

/* A new one in a free place, or in that of the one quiet for longest. */
static struct entry *add(struct lockout *l, const struct hash *key)
{
	struct entry *bucket = bucket_of(l, key);
	struct entry *place = bucket;

	for (size_t i = 0; i < WAYS && place->is_used; i++)
		if (!bucket[i].is_used || bucket[i].seen_ms < place->seen_ms)
			place = &bucket[i];
	*place = (struct entry){.key = *key, .is_used = true};
	return place;
}

static struct entry *take(struct lockout *l, struct hash key, int64_t now_ms)
{
	struct entry *e = find(l, &key);

	if (e == NULL)
		e = add(l, &key);
	else if (now_ms - e->seen_ms >= LOCKOUT_FORGET_MS)
		*e = (struct entry){.key = key, .is_used = true};
	return e;
}

static int64_t wait_after(unsigned tries, unsigned free_tries)
{
	unsigned doublings = tries > free_tries ? tries - free_tries - 1 : 0;
	int64_t ms;

	if (tries <= free_tries)
		return 0;
	if (doublings > DOUBLINGS_MAX)
		doublings = DOUBLINGS_MAX;
	ms = (int64_t)FIRST_WAIT_MS << doublings;
	return ms < LOCKOUT_WAIT_MAX_MS ? ms : LOCKOUT_WAIT_MAX_MS;
}

static void count(struct entry *e, unsigned free_tries, int64_t now_ms)
{
	e->tries++;
	e->seen_ms = now_ms;
	e->until_ms = now_ms + wait_after(e->tries, free_tries);
}

static int64_t wait_of(const struct entry *e, int64_t now_ms)
{
	return e->until_ms > now_ms ? e->until_ms - now_ms : 0;
}

struct lockout_try lockout_begin(struct lockout *l, struct bytes name,
				 const struct peer_address *address, int64_t now_ms)
{
	struct hash by_name = key_of_name(l, name);
	struct hash by_address = key_of_address(l, address);
	struct entry *a = take(l, by_address, now_ms);
	struct lockout_try t = {.wait_ms = wait_of(a, now_ms)};
	struct entry *n;

	/* Before the next one is made: that may take the place of the entry seen least lately. And
	 * who waits and tries on is not quiet: else a full table would end his wait. */
	a->seen_ms = now_ms;
	/* An address that must wait adds no names to the table. */
	if (t.wait_ms != 0)
		return t;
	n = take(l, by_name, now_ms);
	t.wait_ms = wait_of(n, now_ms);
	n->seen_ms = now_ms;
	/* Counted for the address too: who asks for a locked name is one to slow down. */
	count(a, LOCKOUT_ADDRESS_FREE, now_ms);
	t.address_tries = a->tries;
	t.is_address_locked = a->tries > LOCKOUT_ADDRESS_FREE;
	if (t.wait_ms != 0)
		return t;
	count(n, LOCKOUT_NAME_FREE, now_ms);
	t.name_tries = n->tries;
	t.is_name_locked = n->tries > LOCKOUT_NAME_FREE;
	return t;
}

static void take_back(struct entry *e)
{
	if (e == NULL || e->tries == 0)
		return;
	e->tries--;
	e->until_ms = 0;
}

void lockout_right(struct lockout *l, struct bytes name, const struct peer_address *address)
{
	struct hash by_address = key_of_address(l, address);

	lockout_forget(l, name);
	take_back(find(l, &by_address));
}

void lockout_forget(struct lockout *l, struct bytes name)
{
	struct hash by_name = key_of_name(l, name);
	struct entry *e = find(l, &by_name);

	if (e != NULL)
		*e = (struct entry){0};
}
