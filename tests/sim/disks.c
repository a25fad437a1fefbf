#include "tests/sim/disks.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/sim/ledger.h"

static const char *const files[] = {"vault.db", "vault.db-wal", "lock"};

/* The log is in the file when the vault is closed, or beside it: both go along. */
static void copy_home(struct world *w, const char *from, const char *to)
{
	char source[160];
	char target[160];

	(void)mkdir(to, 0700);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		(void)snprintf(source, sizeof source, "%s/%s", from, files[i]);
		(void)snprintf(target, sizeof target, "%s/%s", to, files[i]);
		if (access(source, F_OK) == 0)
			world_copy_file(w, source, target);
		else
			(void)unlink(target);
	}
}

void disks_clone(struct client *c)
{
	struct world *w = c->world;

	if (w->client_count == WORLD_CLIENTS_MAX || c->is_busy)
		return;
	struct client *twin = &w->clients[w->client_count];

	world_trace(w, "client %u is cloned: client %u", c->index, w->client_count);
	*twin = *c;
	twin->index = w->client_count++;
	twin->parent = c->index;
	twin->inherits = w->ledger->count;
	twin->schema = NULL;
	twin->vault = NULL;
	twin->has_copy = false;
	(void)snprintf(twin->home, sizeof twin->home, "%s/c%u", w->folder, twin->index);
	ledger_copy_drafts(w->ledger, c);
	vault_close(MOVE(c->vault));
	copy_home(w, c->home, twin->home);
	world_open_vault(c);
	world_open_vault(twin);
	c->is_torn = c->was_torn = true;
	twin->is_torn = twin->was_torn = true;
}

void disks_copy_or_put_back(struct client *c)
{
	struct world *w = c->world;
	char copy[128];

	if (c->is_busy)
		return;
	(void)snprintf(copy, sizeof copy, "%s/old%u", w->folder, c->index);
	world_trace(w, "the disk of client %u is %s", c->index,
		    c->has_copy ? "put back" : "copied");
	if (!c->has_copy)
		ledger_copy_drafts(w->ledger, c);
	vault_close(MOVE(c->vault));
	copy_home(w, c->has_copy ? copy : c->home, c->has_copy ? c->home : copy);
	world_open_vault(c);
	if (c->has_copy)
		ledger_note_put_back(w->ledger, c);
	c->is_torn = c->is_torn || c->has_copy;
	c->was_torn = c->was_torn || c->has_copy;
	c->has_copy = !c->has_copy;
}
