#include "tests/sim/history.h"

#include <stdio.h>

#include "tests/fault/dbfile.h"

static void add_store(struct world *w, struct hasher *h, const char *path)
{
	struct hash left;

	if (!dbfile_digest(path, &left))
		world_fail(w, "%s cannot be read", path);
	hasher_add(h, bytes_of(left.bytes, HASH_LEN));
}

void history_print(struct world *w)
{
	struct hasher h = w->history;
	char path[128];

	add_store(w, &h, w->path);
	for (unsigned i = 0; i < w->client_count; i++) {
		/* It lets nobody else in while it is open. */
		vault_pause(w->clients[i].vault);
		(void)snprintf(path, sizeof path, "%s/vault.db", w->clients[i].home);
		add_store(w, &h, path);
	}
	struct hash hash = hasher_end(&h);

	printf("seed=%llu history=", (unsigned long long)w->seed);
	for (size_t i = 0; i < 16; i++)
		printf("%02x", hash.bytes[i]);
	printf("\n");
}
