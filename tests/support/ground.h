/*
 * ground - a real store in a temporary folder, two communes, a small schema, and
 * devices that push to ingest without a network: the ground daemon tests stand on.
 *
 * Not for the product. A test's setup calls ground_open(), its teardown ground_close().
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "daemon/context.h"
#include "daemon/ingest.h"
#include "daemon/outgoing.h"
#include "daemon/store.h"

#define GROUND_DEVICES 16u
#define GROUND_START   INT64_C(1790000000000) /* the daemon's clock at first: 2026-09-21 */

struct ground_device {
	uint32_t number;
	struct sign_pair key;
	uint64_t next;
	struct hash chain;
	struct id epoch; /* it says its bases belong to; zero: says none */
	struct hlc hlc;
	int64_t off_ms; /* its clock is wrong by so much */
};

struct ground {
	char folder[64];
	char path[128];
	struct schema *schema;
	struct clock_fake clock;
	struct rand rand;
	struct context ctx;
	struct store *store;
	struct arena a;
	int64_t north; /* two communes of one province, and one of another */
	int64_t south;
	int64_t far;
	struct ground_device devices[GROUND_DEVICES];
	size_t device_count;
	uint64_t device_of_key; /* makes keys differ */
};

/* Types person (register: name, sex, age, poor, note, friend) and visit (event: person, day,
 * money, kind with a restricted code), secret (restricted). */
extern const char ground_schema_text[];

void ground_open(struct ground *g);
void ground_close(struct ground *g);
/* Closes and opens the store again, as a restart does. */
void ground_reopen(struct ground *g);
/* Takes back the store's migration steps behind this one, as if it had never seen them. */
void ground_make_version_3(struct ground *g);
void ground_make_version_6(struct ground *g);
void ground_make_version_11(struct ground *g);

struct ground_device *ground_device(struct ground *g, int64_t unit, bool is_cleared);

/* A change with no writes yet; ticks the device's clock. */
struct change ground_change(struct ground *g, struct ground_device *d, const char *type,
			    const struct id *id, uint64_t base);
void ground_write(struct ground *g, struct change *c, const char *name, struct value value);
static inline struct value ground_text(const char *text)
{
	return value_text(bytes_str(text));
}
/* A new person of a unit. */
struct change ground_person(struct ground *g, struct ground_device *d, int64_t unit,
			    const char *name, struct id *ret_id);

/* Seals as the device's next change-set. The wire bytes live in the ground's arena. */
struct bytes ground_seal(struct ground *g, struct ground_device *d, struct change *changes,
			 size_t count);
/* Opens and ingests sealed sets in a transaction of their own. */
enum err ground_push_wire(struct ground *g, struct ground_device *d, const struct bytes *wires,
			  size_t count, struct ingest_result *ret_result);
/* Both; aborts the test on an error. */
struct ingest_result ground_push(struct ground *g, struct ground_device *d, struct change *changes,
				 size_t count);

/* One person's state as stored; count 0 when there is none. */
struct record ground_load(struct ground *g, const char *type, const struct id *id);
/* Canonical bytes of everything in the typed tables, sorted by id. */
struct hash ground_digest(struct ground *g);
/* Every row of every table but sync log and audit, hashed: has anything been written? */
struct hash ground_everything(struct ground *g);
/* Aborts the test, with what differs, unless the store is what its log says and is sound. */
void ground_verify(struct ground *g);

/* What a device is owed, on the writer's connection. */
struct msg_synced ground_pull(struct ground *g, struct ground_device *d,
			      const struct msg_sync *request);
