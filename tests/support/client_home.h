/* client_home - a temporary home folder with an enrolled vault in it, for tests. */
#pragma once

#include "client/entry.h"
#include "tests/support/office.h"

struct client_home {
	char path[64];
	struct vault *vault;
	struct schema *schema;
	struct clock_fake clock;
	struct rand rand;
	struct office *office;
	struct sync sync;
	struct sync_report report;
	uint64_t seed;
};

/* The random seed is CTXH_SEED, else 4711; it is printed. */
void client_home_init(struct client_home *h);
void client_home_clear(struct client_home *h);
/* Closes the vault and opens it again, as the next command does. */
void client_home_reopen(struct client_home *h);

struct id client_home_new_id(struct client_home *h);
/* One edit in one transaction; a new record gets its unit. */
enum err client_home_edit(struct client_home *h, const char *type, const struct id *id,
			  const char *field, const char *text);
/* A change as it is, in one transaction. */
enum err client_home_make(struct client_home *h, const struct change *change);
enum err client_home_sync(struct client_home *h);
enum vault_sync client_home_standing(struct client_home *h, const struct id *id);
/* "" when the record or the field is not there. Valid until the next call. */
const char *client_home_value(struct client_home *h, const struct id *id, const char *field);
bool client_home_has(struct client_home *h, const struct id *id);
/* Problems vault_check() finds; each is printed. */
size_t client_home_problems(struct client_home *h);
