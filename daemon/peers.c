#include "daemon/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/check.h"
#include "common/base/mem.h"

#define TOKEN       1000 /* thousandths of a token, so that refilling by milliseconds loses nothing */
#define MINUTE_MS   60000
#define HOUR_MS     3600000
#define TABLE_SLOTS ((size_t)2 * PEERS_MAX) /* power of two; about half full at most */
#define PROBE_MAX   64u

struct bucket {
	int64_t tokens; /* thousandths */
	int64_t at_ms;
};

struct peer {
	uint8_t bytes[16];
	bool is_used;
	unsigned connections;
	int64_t held;
	int64_t seen_ms;
	struct bucket buckets[PEER_BUCKETS];
};

struct peers {
	struct peer *slots; /* open addressing; a peer lives within PROBE_MAX of its hash */
	size_t count;
	struct bucket all[PEER_BUCKETS];
};

/* What an attacker can choose is the address, and he has few: FNV is enough here. */
static size_t slot_of(const uint8_t bytes[16])
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < 16; i++)
		h = (h ^ bytes[i]) * UINT32_C(16777619);
	return h & (TABLE_SLOTS - 1);
}

struct peer_address peer_address_of(const struct sockaddr *sa)
{
	struct peer_address a = {0};

	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;

		a.bytes[10] = 0xff;
		a.bytes[11] = 0xff;
		memcpy(a.bytes + 12, &in->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

		memcpy(a.bytes, &in6->sin6_addr, 16);
		if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
			a.is_local = true;
		else if (!IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			memset(a.bytes + 8, 0, 8);
	} else {
		a.is_local = true;
	}
	if (a.bytes[10] == 0xff && a.bytes[11] == 0xff && a.bytes[12] == 127)
		a.is_local = true;
	return a;
}

void peer_address_print(const struct sockaddr *sa, char ret_text[PEER_TEXT_LEN])
{
	const void *from = NULL;

	if (sa->sa_family == AF_INET)
		from = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
	else if (sa->sa_family == AF_INET6)
		from = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
	if (from == NULL || inet_ntop(sa->sa_family, from, ret_text, PEER_TEXT_LEN) == NULL)
		snprintf(ret_text, PEER_TEXT_LEN, "unix");
}

struct peers *peers_new(void)
{
	struct peers *p = mem_alloc_zero(sizeof *p);

	p->slots = mem_alloc_array(TABLE_SLOTS, sizeof *p->slots);
	for (size_t i = 0; i < PEER_BUCKETS; i++)
		p->all[i].at_ms = INT64_MIN;
	return p;
}

void peers_free(struct peers *p)
{
	mem_free(p->slots);
	mem_free(p);
}

static struct peer *find(struct peers *p, const struct peer_address *a)
{
	size_t at = slot_of(a->bytes);

	/* Slots are reused, never emptied, so the first unused one ends the search. */
	for (size_t i = 0; i < PROBE_MAX; i++) {
		struct peer *s = &p->slots[(at + i) & (TABLE_SLOTS - 1)];

		if (!s->is_used)
			return NULL;
		if (memcmp(s->bytes, a->bytes, sizeof s->bytes) == 0)
			return s;
	}
	return NULL;
}

/* A free slot near the hash, or the one without connections seen longest ago. NULL: none. */
static struct peer *make_room(struct peers *p, const struct peer_address *a)
{
	size_t at = slot_of(a->bytes);
	struct peer *oldest = NULL;

	for (size_t i = 0; i < PROBE_MAX; i++) {
		struct peer *s = &p->slots[(at + i) & (TABLE_SLOTS - 1)];

		/* Never beyond a free slot: find() would not come that far. */
		if (!s->is_used && (p->count < PEERS_MAX || oldest == NULL)) {
			p->count++;
			return s;
		}
		if (!s->is_used)
			break;
		if (s->connections == 0 && (oldest == NULL || s->seen_ms < oldest->seen_ms))
			oldest = s;
	}
	return oldest;
}

static struct peer *find_or_add(struct peers *p, const struct peer_address *a, int64_t now_ms)
{
	struct peer *s = find(p, a);

	if (s == NULL) {
		s = make_room(p, a);
		if (s == NULL)
			return NULL;
		*s = (struct peer){.is_used = true};
		memcpy(s->bytes, a->bytes, sizeof s->bytes);
		for (size_t i = 0; i < PEER_BUCKETS; i++)
			s->buckets[i].at_ms = INT64_MIN;
	}
	s->seen_ms = now_ms;
	return s;
}

bool peers_enter(struct peers *p, const struct peer_address *a, unsigned limit, int64_t now_ms)
{
	struct peer *s;

	if (a->is_local)
		return true;
	s = find_or_add(p, a, now_ms);
	if (s == NULL || s->connections >= limit)
		return false;
	s->connections++;
	return true;
}

void peers_leave(struct peers *p, const struct peer_address *a)
{
	struct peer *s;

	if (a->is_local)
		return;
	s = find(p, a);
	REQUIRE(s != NULL && s->connections > 0);
	s->connections--;
}

void peers_hold(struct peers *p, const struct peer_address *a, int64_t len)
{
	struct peer *s = a->is_local ? NULL : find(p, a);

	/* Its connection is open, so it is in the table. */
	REQUIRE(a->is_local || s != NULL);
	if (s != NULL)
		s->held += len;
}

int64_t peers_held(struct peers *p, const struct peer_address *a)
{
	const struct peer *s = a->is_local ? NULL : find(p, a);

	return s != NULL ? s->held : 0;
}

static void refill(struct bucket *b, int64_t most, int64_t period_ms, int64_t now_ms)
{
	int64_t passed;

	/* The first look, or the clock started anew: full. */
	if (b->at_ms == INT64_MIN || now_ms - b->at_ms >= period_ms) {
		b->tokens = most * TOKEN;
		b->at_ms = now_ms;
		return;
	}
	passed = now_ms - b->at_ms;
	if (passed * most * TOKEN / period_ms == 0)
		return; /* keep the fraction for the next look */
	b->tokens += passed * most * TOKEN / period_ms;
	if (b->tokens > most * TOKEN)
		b->tokens = most * TOKEN;
	b->at_ms = now_ms;
}

bool peers_may(struct peers *p, enum peer_bucket bucket, const struct peer_address *a,
	       int64_t per_minute, int64_t per_hour, int64_t now_ms)
{
	struct bucket *all = &p->all[bucket];
	struct peer *s = a->is_local ? NULL : find_or_add(p, a, now_ms);
	struct bucket *own = s != NULL ? &s->buckets[bucket] : NULL;

	if (s == NULL && !a->is_local)
		return false;
	refill(all, per_hour, HOUR_MS, now_ms);
	if (own != NULL)
		refill(own, per_minute, MINUTE_MS, now_ms);
	if (all->tokens < TOKEN || (own != NULL && own->tokens < TOKEN))
		return false;
	all->tokens -= TOKEN;
	if (own != NULL)
		own->tokens -= TOKEN;
	return true;
}

size_t peers_count(const struct peers *p)
{
	return p->count;
}
