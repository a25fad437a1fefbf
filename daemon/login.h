/*
 * login - the browsers (and ctxhctl's runs) that are signed in to the console.
 *
 * In memory only: a restart signs everybody out, and nothing that opens a session is ever on a
 * disk. A login is known by a random token of 256 bits, of which only the hash is here; it ends
 * when idle, when its time is over, when its account changes, or when it is signed out. Time is
 * passed in (monotonic). Pure. Thread: loop.
 */
#pragma once

#include "common/base/crypt.h"
#include "daemon/account.h"

#define LOGIN_MAX         256u
#define LOGIN_ACCOUNT_MAX 8u  /* of one account: the one idle longest makes room */
#define LOGIN_TOKEN_LEN   65u /* 64 hex digits and a NUL */
#define LOGIN_UNITS_LEN   128u

struct login {
	bool is_open;
	uint64_t serial; /* no other login ever has it */
	char name[ACCOUNT_NAME_MAX + 1];
	struct role_holder holder;
	/* Their codes, for people, and "…" where there are more; "": the whole office. */
	char units[LOGIN_UNITS_LEN];
	bool must_change;
	char csrf[LOGIN_TOKEN_LEN]; /* what a POST must carry besides the cookie */
	struct hash token;          /* the hash of the cookie's value */
	int64_t begun_ms;
	int64_t seen_ms;
};

struct login_limits {
	int64_t idle_ms;
	int64_t life_ms;
};

struct logins;
struct logins *logins_new(struct rand *rand);
void logins_free(struct logins *l);
DEFINE_AUTO(struct logins *, logins_free)

/* `units`: codes of the account's, for people. `ret_token` is for the cookie and nowhere else. The
 * login is borrowed until the next call. */
const struct login *logins_begin(struct logins *l, const struct account *account,
				 struct bytes units, int64_t now_ms,
				 char ret_token[LOGIN_TOKEN_LEN]);
/* NULL: no such login, or it is over. Somebody is at work with it: idle time starts anew. */
const struct login *logins_use(struct logins *l, const char *token,
			       const struct login_limits *limits, int64_t now_ms);
/* The same by serial, and without a sign of life: a tab left open does not keep a login. */
const struct login *logins_look(struct logins *l, uint64_t serial,
				const struct login_limits *limits, int64_t now_ms);
void logins_end(struct logins *l, uint64_t serial);
void logins_end_account(struct logins *l, const char *name);
/* The account may do something else from now on: its logins go on with that. `units` as above. */
void logins_change_account(struct logins *l, const char *name, const struct role_holder *holder,
			   struct bytes units);
size_t logins_count(const struct logins *l);
