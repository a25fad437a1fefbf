#include "tests/sim/homes.h"

#include <string.h>

#include "client/enrol.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/enrol.h"
#include "tests/sim/faults.h"

static bool has_been(const struct client *c, uint32_t device)
{
	for (unsigned i = 0; i < c->been_count; i++)
		if (c->been[i] == device)
			return true;
	return false;
}

void homes_look(struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity;

	world_must(c->world, vault_identity_load(c->vault, &a, &identity), "identity");
	if (identity.device == 0)
		return;
	c->device = identity.device;
	if (has_been(c, c->device))
		return;
	if (c->been_count == WORLD_BEEN_MAX)
		world_fail(c->world, "client %u was more devices than it has room for", c->index);
	c->been[c->been_count++] = c->device;
}

bool homes_wrote(const struct world *w, unsigned client, uint32_t device)
{
	if (client == WORLD_OFFICE || device == 0)
		return client == WORLD_OFFICE && device == 0;
	for (unsigned i = 0; i < w->client_count; i++)
		if (w->clients[i].origin == w->clients[client].origin &&
		    has_been(&w->clients[i], device))
			return true;
	return false;
}

bool homes_has_written(const struct world *w, unsigned client, const struct note *n)
{
	const size_t at = (size_t)(n - w->ledger->notes);

	if (client == WORLD_OFFICE || n->client == WORLD_OFFICE)
		return client == n->client;
	while (client != n->client && w->clients[client].parent != client &&
	       at < w->clients[client].inherits)
		client = w->clients[client].parent;
	return client == n->client;
}

bool homes_is_torn(const struct world *w, uint32_t device)
{
	for (unsigned i = 0; i < w->client_count; i++)
		if (w->clients[i].device == device && w->clients[i].is_torn)
			return true;
	return false;
}

/* The office's row of a device has the key of this home. */
static bool is_known(struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity;
	struct store_device device;
	struct sign_pair key;
	struct world *w = c->world;

	world_must(w, vault_identity_load(c->vault, &a, &identity), "identity");
	sign_pair_from_seed(identity.seed, &key);
	enum err e = store_load_device(w->store, &a, identity.device, &device);

	if (e != ERR_NOTFOUND)
		world_must(w, e, "device");
	return e == ERR_OK &&
	       memcmp(device.id.key.bytes, key.public_key.bytes, SIGN_PUBLIC_LEN) == 0;
}

void homes_after_restore(struct world *w)
{
	for (unsigned i = 0; i < w->client_count; i++) {
		struct client *c = &w->clients[i];

		if (is_known(c))
			continue;
		world_trace(w, "the office does not know client %u any more", i);
		c->is_torn = true;
		c->is_unknown = true;
		c->has_paper = false;
	}
}

/* ---- the office's part ---- */

/* ERR_INVAL: it is not set aside (any more). */
static enum err invite_anew(struct client *c, struct invitation *ret_invitation)
{
	struct world *w = c->world;
	const struct enrol_invite wanted = {.units = &c->unit,
					    .unit_count = 1,
					    .author = BYTES_LIT("Cộng tác viên"),
					    .is_cleared = c->is_cleared,
					    .now_ms = w->clock.wall};

	if (!c->is_unknown)
		return enrol_release(&w->ctx, w->store, c->device, w->clock.wall, 0,
				     ret_invitation);
	/* It had perhaps more units, of which the office knows nothing any more. */
	w->has_lost_rights = true;
	return enrol_invite(&w->ctx, w->store, &wanted, ret_invitation);
}

/* True: somebody has the paper in his hand. */
static bool write_paper(struct client *c)
{
	struct world *w = c->world;
	struct invitation invitation;

	world_must(w, store_begin(w->store), "begin");
	enum err e = invite_anew(c, &invitation);

	if (e == ERR_INVAL) {
		store_rollback(w->store);
		return false;
	}
	world_must(w, e, "release");
	if (!w->is_healed && world_chance(w, 5)) {
		world_crash_daemon(w);
		return false;
	}
	uint64_t life = w->daemon_life;

	/* Who got no answer gives another. */
	if (!faults_commit(w, "commit a release") || life != w->daemon_life)
		return false;
	world_trace(w, "office: device %u, client %u, is released", c->device, c->index);
	memcpy(c->paper, invitation.code, sizeof c->paper);
	c->has_paper = true;
	return true;
}

/* ---- the home's part ---- */

/* As `ctxh enrol` does: the key is on the disk before the office hears of it. */
static enum err put_successor(struct client *c, bool is_key_new)
{
	static const uint8_t none[32];
	AUTO(vault_rollback) struct vault *txn = NULL;
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity successor;
	enum err e = vault_successor_load(c->vault, &a, &successor);

	if (e != ERR_OK)
		return e;
	memcpy(successor.code, c->paper, sizeof successor.code);
	successor.name = BYTES_LIT("máy mới");
	if (is_key_new || memcmp(successor.seed, none, sizeof none) == 0)
		rand_fill(&c->world->rand, successor.seed, sizeof successor.seed);
	e = vault_begin(c->vault);
	if (e != ERR_OK)
		return e;
	txn = c->vault;
	e = vault_successor_put(c->vault, &successor);
	return e == ERR_OK ? vault_commit(c->vault) : e;
}

static enum err ask(struct client *c, bool is_key_new)
{
	struct sync s = {.vault = c->vault,
			 .clock = &c->clock.clock,
			 .transport = &c->link,
			 .schema = c->schema,
			 .client_version = "sim"};
	struct succession done = {0};
	enum err e = put_successor(c, is_key_new);

	if (e == ERR_OK)
		e = sync_enrol_anew(&s, &c->report, &done);
	if (e == ERR_OK)
		world_trace(c->world,
			    "client %u: device %u in place of %u, %zu resent, %zu rescued, %lld "
			    "missing",
			    c->index, done.device, done.former, done.resent, done.rescued,
			    (long long)done.missing);
	if (e == ERR_OK && done.rescued != 0)
		c->world->has_rescued = true;
	return e;
}

/* Lost answers, deaths and full disks; a code another copy used; a key the office knows. */
static bool is_excused(const struct client *c, enum err e, bool is_trapped)
{
	if (is_trapped || c->is_dying || (err_class(e) == ERR_CLASS_RETRY && !c->world->is_healed))
		return true;
	return strcmp(c->report.refusal, "code_used") == 0 ||
	       strcmp(c->report.refusal, "key_known") == 0 ||
	       strcmp(c->report.refusal, "other_home") == 0;
}

static void try(struct client *c)
{
	struct world *w = c->world;
	const uint32_t former = c->device;

	c->is_dying = false;
	c->report = (struct sync_report){0};
	world_trap_contact(c);
	enum trap trap = c->trap;

	c->is_busy = true;
	enum err e = ask(c, false);

	if (e != ERR_OK && strcmp(c->report.refusal, "key_known") == 0)
		e = ask(c, true);
	bool is_trapped = world_take_trap(c);

	c->is_busy = false;
	if (e != ERR_OK && !is_excused(c, e, is_trapped))
		world_fail(w, "client %u enrols anew: %s: %s (%s)", c->index, err_name(e),
			   log_last_detail(), c->report.refusal);
	world_trace(w, "client %u enrols anew: %s %s", c->index, err_name(e), c->report.refusal);
	/* The paper is worth nothing any more. */
	if (e == ERR_AUTH)
		c->has_paper = false;
	if (c->is_dying || (is_trapped && trap != TRAP_FULL))
		world_crash_client(c);
	homes_look(c);
	if (c->device == former)
		return;
	c->is_torn = false;
	c->is_unknown = false;
	c->has_paper = false;
	/* The key that it asked with was on the disk when that was copied: the copy asked, too. */
	for (unsigned i = 0; i < w->client_count; i++)
		if (i != c->index && w->clients[i].device == c->device)
			c->is_torn = w->clients[i].is_torn = w->clients[i].was_torn = true;
}

bool homes_release(struct client *c)
{
	if (!c->world->has_releases || c->is_busy || !enrol_may_ask_anew(vault_state(c->vault)))
		return false;
	if (!c->has_paper && !write_paper(c))
		return false;
	try(c);
	return true;
}

/*
 * A disk that has forgotten what it sent, and nothing new: the office cannot see it when it forgot
 * all, or when all its files were overtaken by one from before.
 */
static bool is_unseen(struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct vault_state *state = vault_state(c->vault);
	struct store_device device;

	if (state->number == 0 || !c->is_offline)
		return state->number == 0;
	world_must(c->world, store_load_device(c->world->store, &a, c->device, &device), "device");
	return device.last_number > (uint64_t)state->number &&
	       device.id.counter > (uint64_t)state->counter;
}

void homes_judge(struct world *w)
{
	for (unsigned i = 0; w->has_releases && i < w->client_count; i++) {
		struct client *c = &w->clients[i];

		c->is_torn = c->was_torn && is_unseen(c);
		for (unsigned k = 0; k < w->client_count; k++)
			c->is_torn = c->is_torn || (k != i && w->clients[k].device == c->device);
	}
}
