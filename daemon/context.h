/*
 * context - what every handler may use: long-lived, made by app.c, shared by threads.
 *
 * Everything here is immutable after start or guards itself. `schema` and `config` are
 * swapped whole on reload; who took the pointer may use it until its job ends (old ones
 * are kept until the process ends: reloads are rare and small).
 */
#pragma once

#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/crypt.h"
#include "common/base/id.h"
#include "common/base/rand.h"
#include "common/model/schema.h"
#include "proto/invitation.h"

struct alert_sender;
struct backup;
struct console;
struct events;
struct sweep;
struct config;
struct loop;
struct metrics;
struct peers;
struct registry;
struct trend;
struct readers;
struct public_cache;
struct writer;

struct context {
	const struct clock *clock;
	struct rand *rand;
	_Atomic(const struct config *) config;
	_Atomic(const struct schema *) schema;
	struct registry *registry;   /* devices: keys, counters, scope; registry.h */
	struct readers *readers;     /* reading connections for pool threads; store.h */
	struct writer *writer;       /* the one writing thread; writer.h */
	struct loop *loop;           /* work for the pool threads; loop.h */
	struct metrics *metrics;     /* counters; metrics.h */
	struct peers *peers;         /* what one address may do; peers.h; loop thread */
	struct public_cache *cache;  /* GET /v1/schema and /v1/units; handle.h */
	struct backup *backup;       /* backup.h; NULL in tools that have no loop */
	struct sweep *sweep;         /* sweep.h; NULL likewise */
	struct alert_sender *alerts; /* alert_sender.h; NULL likewise */
	struct console *console;     /* console.h; NULL likewise */
	struct events *events;       /* events.h; NULL likewise */
	struct trend *trend;         /* trend.h; NULL likewise */
	bool is_console_shared;      /* devices' listeners serve /console/, too; fixed at start */
	const char *state;           /* folder of everything that lasts */
	struct id daemon;            /* identity of this installation */
	struct id epoch;             /* of its history; changes when restored from a backup */
	struct sign_pair key;        /* signs receipts */
	/* SHA-256 of the TLS key. Only the writer thread sees it change (reload): commands that
	 * need it are writing ones. */
	uint8_t tls_pin[INVITATION_PIN_LEN];
	char address[INVITATION_HOST_MAX];         /* what invitations name: first TLS listener, or
						      `public_address` */
	char console_address[INVITATION_HOST_MAX]; /* where browsers find the console; "": nowhere
						    */
	int64_t started_ms;
	atomic_bool is_ready;                /* started, not yet stopping */
	atomic_int comparing;                /* requests whose digests are worked out now */
	atomic_int rebuilding;               /* reports as of an earlier number under way: one */
	atomic_bool is_disk_low;             /* under limits.disk_free, or: pushes are refused */
	atomic_bool is_store_gone;           /* somebody took the store's file away (disk.h) */
	atomic_bool is_disk_known;           /* metrics.disk_free_bytes was looked at */
	atomic_int_fast64_t writer_alive_ms; /* monotonic; the writer's last sign of life */
};
