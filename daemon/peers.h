/*
 * peers - what one address may do: connections at once, enrolment tries, lines in the sync log.
 *
 * A bounded table keyed by address (IPv6 by its /64: one subscriber). When it is full an
 * address without connections makes room. Token buckets refill with time, which is passed
 * in. Pure. Thread: loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

#define PEERS_MAX     16384u
#define PEER_TEXT_LEN 64u

/* 16 bytes: an IPv6 prefix, or ::ffff:a.b.c.d. */
struct peer_address {
	uint8_t bytes[16];
	bool is_local; /* loopback or a Unix socket: exempt from limits per address */
};

struct sockaddr;
struct peer_address peer_address_of(const struct sockaddr *sa);
/* "10.0.0.5", "2001:db8::1", "unix". */
void peer_address_print(const struct sockaddr *sa, char ret_text[PEER_TEXT_LEN]);

enum peer_bucket {
	PEER_ENROL,   /* tries to enrol */
	PEER_REFUSED, /* refused contacts written to the sync log */
	PEER_WARNED,  /* lines of the journal that peers cause */
	PEER_LOCKED,  /* lock-outs of the console written to the audit */
};
#define PEER_BUCKETS 4u

struct peers;
struct peers *peers_new(void);
void peers_free(struct peers *p);
DEFINE_AUTO(struct peers *, peers_free)

/* A connection begins: false when `limit` are open already (it is not counted then). */
bool peers_enter(struct peers *p, const struct peer_address *a, unsigned limit, int64_t now_ms);
void peers_leave(struct peers *p, const struct peer_address *a);
/* Body bytes held by connections of one address; `len` may be negative. Local ones are not
 * counted. */
void peers_hold(struct peers *p, const struct peer_address *a, int64_t len);
int64_t peers_held(struct peers *p, const struct peer_address *a);
/*
 * Takes one token: at most `per_minute` of one address (a burst of as many) and `per_hour` of all.
 */
bool peers_may(struct peers *p, enum peer_bucket bucket, const struct peer_address *a,
	       int64_t per_minute, int64_t per_hour, int64_t now_ms);
size_t peers_count(const struct peers *p);
