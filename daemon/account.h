/*
 * account - who may sign in to the console (table `account`).
 *
 * Names are NFC, 1 to ACCOUNT_NAME_MAX bytes, without control characters or blanks at the ends,
 * and are what the audit says: `account:NAME`. A password is never kept, only what password.h
 * makes of it. Functions run inside the caller's transaction; thread: the store's.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "daemon/password.h"
#include "daemon/role.h"

#define ACCOUNT_NAME_MAX 64u
#define ACCOUNT_MAX      1000u /* in a store: an office has a dozen */
#define ACCOUNT_UNITS    64u   /* given to one: as to a device */

struct store;

struct account {
	struct bytes name;
	enum role role;
	bool is_cleared;  /* may read restricted data, with a reason */
	bool must_change; /* the password is one that was printed */
	struct password password;
	int64_t made_ms;
	int64_t changed_ms; /* the password */
	int64_t login_ms;   /* 0: never */
	/* What it was given; none: the whole office. */
	int64_t *units;
	size_t unit_count;
};

/* Appends the name in its one form. ERR_INVAL: it cannot be a name. */
enum err account_name(struct bytes text, struct buf *out);

/* ERR_CONFLICT: the name is taken; ERR_TOOBIG: ACCOUNT_MAX of them are there. */
enum err account_add(struct store *s, const struct account *account);
/* ERR_NOTFOUND. Name and units are in the arena. */
enum err account_load(struct store *s, struct arena *a, struct bytes name,
		      struct account *ret_account);
/* By name. */
enum err account_list(struct store *s, struct arena *a, struct account **ret_accounts,
		      size_t *ret_count);
/* ERR_NOTFOUND. `must_change`: it was made by us, not chosen. */
enum err account_set_password(struct store *s, struct bytes name, const struct password *password,
			      bool must_change, int64_t now_ms);
/* In place of those it had: `account` says which, and of whom. Unknown names are the caller's to
 * refuse. */
enum err account_set_units(struct store *s, const struct account *account);
/* ERR_NOTFOUND. */
enum err account_set_role(struct store *s, struct bytes name, enum role role);
/* ERR_NOTFOUND. */
enum err account_note_login(struct store *s, struct bytes name, int64_t now_ms);
/* ERR_NOTFOUND. The audit keeps the name. */
enum err account_remove(struct store *s, struct bytes name);
