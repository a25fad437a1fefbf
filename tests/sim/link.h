/*
 * link - the network between a client and the daemon, and the daemon's way of a request.
 *
 * What daemon/handle_*.c do on three threads, here one after the other: envelope, counter,
 * change-sets, merge and commit, then the answer from a snapshot of its own. In
 * between other clients come by. The network loses requests and answers, doubles and
 * delays; now and then it falsifies a receipt, as a daemon with a bug would.
 */
#pragma once

#include "tests/sim/world.h"

/* A sync_request_fn: the transport of a struct client. */
enum err link_request(struct sync_transport *t, const char *path, struct bytes body,
		      int *ret_status, struct buf *ret_answer);

/* Requests whose detour has ended arrive; all of them at the end. */
void link_deliver(struct world *w, bool is_all);
