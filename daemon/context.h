/*
 * context - what every handler may use: long-lived, made by app.c, shared by threads.
 *
 * Everything here is immutable after start or guards itself. `schema` is swapped
 * whole on reload; who took the pointer may use it until its job ends (old ones
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

struct config;
struct registry;
struct readers;
struct writer;

struct context {
	const struct clock *clock;
	struct rand *rand;
	const struct config *config;
	_Atomic(const struct schema *) schema;
	struct registry *registry; /* devices: keys, counters, scope; registry.h */
	struct readers *readers;   /* reading connections for pool threads; store.h */
	struct writer *writer;     /* the one writing thread; writer.h */
	struct id daemon;          /* identity of this installation */
	struct id epoch;           /* of its history; changes when restored from a backup */
	struct sign_pair key;      /* signs receipts */
	uint8_t tls_pin[INVITATION_PIN_LEN];
	char address[INVITATION_HOST_MAX]; /* what invitations name: first TLS listener, or
					      `public_address` */
	int64_t started_ms;
};
