#include "tests/sim/oracle.h"

#include <string.h>

#include "daemon/verify.h"
#include "tests/sim/law.h"
#include "tests/sim/oracle_private.h"

static void check_store(struct truth *t)
{
	struct verify_report report;
	struct world *w = t->w;

	world_must(w, verify_run(&w->ctx, w->reader, w->folder, &t->a, &report), "verify");
	if (report.found != 0)
		world_fail(w, "O5: %s %.*s %.*s: %.*s", report.differences[0].invariant,
			   BYTES_FMT(report.differences[0].table),
			   BYTES_FMT(report.differences[0].key),
			   BYTES_FMT(report.differences[0].text));
}

void oracle_check_contact(struct client *c)
{
	struct world *w = c->world;
	AUTO(arena_clear) struct arena a = {0};
	const struct vault_state *state = vault_state(c->vault);
	struct store_device device;

	if (c->is_torn)
		return;
	/* Restored from a backup, and the client has not heard of it yet. */
	if (id_compare(&state->epoch, &w->ctx.epoch) != 0)
		return;
	world_must(w, store_load_device(w->store, &a, c->device, &device), "device");
	if ((uint64_t)state->acked > device.last_number)
		world_fail(w, "O8: client %u has a receipt for %lld, the daemon has %llu", c->index,
			   (long long)state->acked, (unsigned long long)device.last_number);
	if ((uint64_t)state->acked == device.last_number &&
	    memcmp(state->acked_chain.bytes, device.chain.bytes, HASH_LEN) != 0)
		world_fail(w, "O8: client %u has a receipt for another chain", c->index);
}

struct oracle_counts oracle_check_end(struct world *w)
{
	struct truth t;

	law_check(w);
	truth_load(&t, w);
	check_store(&t);
	for (unsigned i = 0; i < w->client_count; i++) {
		if (w->clients[i].is_torn)
			continue;
		oracle_check_vault(&t, &w->clients[i]);
		oracle_check_replica(&t, &w->clients[i]);
		oracle_check_inbox(&t, &w->clients[i]);
	}
	oracle_check_values(&t);
	oracle_check_log(&t);
	oracle_check_refusals(&t);
	struct oracle_counts counts = {w->ledger->count, t.count, t.conflict_count,
				       t.quarantine_count};

	arena_clear(&t.a);
	return counts;
}
