/*
 * registry - the devices, in memory: who may speak, with which key, for which units.
 *
 * Loaded from the store at start and changed only after the commit that changed
 * the store. Guarded by a read-write lock inside; any thread. Answers are copies.
 * Pure of SQLite and libuv.
 */
#pragma once

#include "common/base/crypt.h"
#include "common/base/err.h"

enum device_state {
	DEVICE_ACTIVE,
	DEVICE_FORKED,
	DEVICE_REVOKED
};

struct registry;

struct registry_device {
	uint32_t number;
	struct sign_public key;
	enum device_state state;
	bool is_cleared;
	uint64_t counter; /* greatest request counter taken */
};

struct registry *registry_new(void);
void registry_free(struct registry *r);
DEFINE_AUTO(struct registry *, registry_free)

/* ERR_NOTFOUND: no such device. */
enum err registry_find(struct registry *r, uint32_t number, struct registry_device *ret_device);
/* Adds or replaces. */
void registry_put(struct registry *r, const struct registry_device *device);
/*
 * Takes a request's counter: true when it is greater than every one taken before,
 * and from then on it is the greatest. False: a replay, or an old one overtaken.
 */
bool registry_take_counter(struct registry *r, uint32_t number, uint64_t counter);
size_t registry_count(struct registry *r);
