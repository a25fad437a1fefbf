/*
 * lockout - who guesses passwords waits, longer each time.
 *
 * Tries that failed are counted by account name and by address; beyond a few that are free each
 * one doubles the wait, up to LOCKOUT_WAIT_MAX_MS, and the wait is told before a password is
 * looked at. Names nobody has are counted like others: the table tells nothing. Bounded: where it
 * is full the entry quiet for longest makes room. Loopback is an address like others here. Time is
 * passed in (monotonic). Pure. Thread: loop.
 */
#pragma once

#include "common/base/bytes.h"
#include "common/base/rand.h"
#include "daemon/peers.h"

#define LOCKOUT_ENTRIES      4096u
#define LOCKOUT_NAME_FREE    5u  /* tries of a name that cost no wait */
#define LOCKOUT_ADDRESS_FREE 20u /* an office behind one address has several hands */
#define LOCKOUT_WAIT_MAX_MS  INT64_C(900000)
#define LOCKOUT_FORGET_MS    INT64_C(86400000) /* without a try */

struct lockout;
struct lockout *lockout_new(struct rand *rand);
void lockout_free(struct lockout *l);
DEFINE_AUTO(struct lockout *, lockout_free)

struct lockout_try {
	int64_t wait_ms; /* not 0: refused; try again after so long. Not counted */
	/* This try made it longer than the free ones: worth a line in the audit. */
	bool is_name_locked;
	bool is_address_locked;
	unsigned name_tries;
	unsigned address_tries;
};

/*
 * One try begins. It counts as failed from now on, so that many at once gain nothing, until
 * lockout_right() takes it back.
 */
struct lockout_try lockout_begin(struct lockout *l, struct bytes name,
				 const struct peer_address *address, int64_t now_ms);
/* It was right: the name's tries are forgotten, the address' one is taken back. */
void lockout_right(struct lockout *l, struct bytes name, const struct peer_address *address);
/* An administrator gave the account a new password. */
void lockout_forget(struct lockout *l, struct bytes name);
