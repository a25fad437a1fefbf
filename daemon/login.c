#include "daemon/login.h"

#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/mem.h"

#define TOKEN_BYTES 32u

struct logins {
	struct rand *rand;
	uint64_t serial;
	struct login all[LOGIN_MAX];
};

struct logins *logins_new(struct rand *rand)
{
	struct logins *l = mem_alloc_zero(sizeof *l);

	l->rand = rand;
	return l;
}

void logins_free(struct logins *l)
{
	crypt_wipe(l->all, sizeof l->all);
	mem_free(l);
}

static void print_token(struct rand *rand, char ret_token[LOGIN_TOKEN_LEN])
{
	uint8_t bytes[TOKEN_BYTES];

	rand_fill(rand, bytes, sizeof bytes);
	hex_print(bytes, sizeof bytes, ret_token);
	crypt_wipe(bytes, sizeof bytes);
}

static bool is_over(const struct login *g, const struct login_limits *limits, int64_t now_ms)
{
	return now_ms - g->seen_ms >= limits->idle_ms || now_ms - g->begun_ms >= limits->life_ms;
}

/* The account's own that was idle longest once it has its share, else a free one, else the one of
 * anybody that was idle longest. */
static struct login *make_room(struct logins *l, const char *name)
{
	struct login *free_one = NULL;
	struct login *oldest = &l->all[0];
	struct login *own = NULL;
	unsigned own_count = 0;

	for (size_t i = 0; i < LOGIN_MAX; i++) {
		struct login *g = &l->all[i];

		if (!g->is_open) {
			free_one = g;
			continue;
		}
		if (g->seen_ms < oldest->seen_ms)
			oldest = g;
		if (strcmp(g->name, name) != 0)
			continue;
		own_count++;
		if (own == NULL || g->seen_ms < own->seen_ms)
			own = g;
	}
	if (own_count >= LOGIN_ACCOUNT_MAX)
		return own;
	return free_one != NULL ? free_one : oldest;
}

/* Whole codes only: half of one may be another unit's. */
static void put_units(struct login *g, struct bytes units)
{
	static const char more[] = "…";
	size_t len = units.len;

	if (len >= sizeof g->units) {
		len = sizeof g->units - sizeof more;
		while (len > 0 && units.data[len - 1] != ' ')
			len--;
	}
	snprintf(g->units, sizeof g->units, "%.*s%s", (int)len, (const char *)units.data,
		 len < units.len ? more : "");
}

const struct login *logins_begin(struct logins *l, const struct account *account,
				 struct bytes units, int64_t now_ms,
				 char ret_token[LOGIN_TOKEN_LEN])
{
	char name[ACCOUNT_NAME_MAX + 1];
	struct login *g;

	snprintf(name, sizeof name, "%.*s", BYTES_FMT(account->name));
	g = make_room(l, name);
	*g = (struct login){.is_open = true,
			    .serial = ++l->serial,
			    .holder = {.role = account->role,
				       .is_cleared = account->is_cleared,
				       .is_bound = account->unit_count != 0},
			    .must_change = account->must_change,
			    .begun_ms = now_ms,
			    .seen_ms = now_ms};
	memcpy(g->name, name, sizeof g->name);
	put_units(g, units);
	print_token(l->rand, g->csrf);
	print_token(l->rand, ret_token);
	g->token = hash_of(bytes_str(ret_token));
	return g;
}

const struct login *logins_use(struct logins *l, const char *token,
			       const struct login_limits *limits, int64_t now_ms)
{
	struct login *found = NULL;
	struct hash hash;

	if (strlen(token) != LOGIN_TOKEN_LEN - 1)
		return NULL;
	hash = hash_of(bytes_str(token));
	for (size_t i = 0; i < LOGIN_MAX; i++)
		if (l->all[i].is_open && crypt_equal(&l->all[i].token, &hash, sizeof hash))
			found = &l->all[i];
	if (found == NULL)
		return NULL;
	if (is_over(found, limits, now_ms)) {
		found->is_open = false;
		return NULL;
	}
	found->seen_ms = now_ms;
	return found;
}

const struct login *logins_look(struct logins *l, uint64_t serial,
				const struct login_limits *limits, int64_t now_ms)
{
	for (size_t i = 0; i < LOGIN_MAX; i++)
		if (l->all[i].is_open && l->all[i].serial == serial)
			return is_over(&l->all[i], limits, now_ms) ? NULL : &l->all[i];
	return NULL;
}

void logins_end(struct logins *l, uint64_t serial)
{
	for (size_t i = 0; i < LOGIN_MAX; i++)
		if (l->all[i].is_open && l->all[i].serial == serial)
			l->all[i].is_open = false;
}

void logins_end_account(struct logins *l, const char *name)
{
	for (size_t i = 0; i < LOGIN_MAX; i++)
		if (l->all[i].is_open && strcmp(l->all[i].name, name) == 0)
			l->all[i].is_open = false;
}

void logins_change_account(struct logins *l, const char *name, const struct role_holder *holder,
			   struct bytes units)
{
	for (size_t i = 0; i < LOGIN_MAX; i++) {
		struct login *g = &l->all[i];

		if (!g->is_open || strcmp(g->name, name) != 0)
			continue;
		g->holder = *holder;
		put_units(g, units);
	}
}

size_t logins_count(const struct logins *l)
{
	size_t count = 0;

	for (size_t i = 0; i < LOGIN_MAX; i++)
		count += l->all[i].is_open;
	return count;
}
