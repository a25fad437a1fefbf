/*
 * enrol - invitations and enrolment of devices (design section 8).
 *
 * An invitation's code is kept as a keyed hash, expires, and works once. A wrong
 * code is answered like an expired one; wrong tries are counted and, past a limit an hour,
 * answered without a write. A right code is always taken. Runs inside the writer's transaction.
 */
#pragma once

#include "daemon/context.h"
#include "daemon/store.h"
#include "proto/invitation.h"
#include "proto/msg.h"

#define ENROL_EXPIRES_MS (INT64_C(72) * 3600 * 1000) /* default of `device invite` */
#define ENROL_TRIES_HOUR 1000u /* wrong codes an hour, over all addresses, then ERR_AGAIN */

struct enrol_invite {
	const int64_t *units;
	size_t unit_count;
	struct bytes author;
	bool is_cleared;
	int64_t now_ms;
	int64_t expires_ms; /* moment; 0: now + ENROL_EXPIRES_MS */
	uint32_t former;    /* enrol_release(); 0: an ordinary one */
};

/* Makes an invitation of ctx->address and ctx->tls_pin. ERR_INVAL: no unit. */
enum err enrol_invite(const struct context *ctx, struct store *s, const struct enrol_invite *invite,
		      struct invitation *ret_invitation);

/*
 * A device that was set aside may go on under another number: an invitation with its units, author
 * and clearance, which only the home that holds the device's key can use. The old number stays
 * set aside for ever. Several may be given out: each copy of a cloned disk needs its own.
 */
bool enrol_may_release(const struct store_device *d);
/* ERR_NOTFOUND: no such device; ERR_INVAL: enrol_may_release() says no, or it has no unit. */
enum err enrol_release(const struct context *ctx, struct store *s, uint32_t number, int64_t now_ms,
		       int64_t expires_ms, struct invitation *ret_invitation);

struct enrol_released {
	int64_t at_ms;
	int64_t expires_ms;
	uint32_t successor; /* 0: not used so far */
};
/* The releases of a device, oldest first. */
enum err enrol_load_released(struct store *s, struct arena *a, uint32_t number,
			     struct enrol_released **ret_rows, size_t *ret_count);

/*
 * Enrols the key: ERR_INVAL: the invitation is for a home that is another device's, or the home is
 * a device's of this office and the invitation is no release of it (nothing was used up); ERR_AUTH:
 * no such code, expired or used (a failed try is counted and must be committed); ERR_AGAIN: the
 * same, and too many tries; ERR_CONFLICT: the key is another device's. The same key with the same
 * code again gives the same device, until it spoke: the answer may have been lost. The message's
 * signature is already verified. Time is ctx->clock's. Put ret_device into the registry after the
 * commit; what ret_enrolled->former names is set aside then.
 */
enum err enrol_run(const struct context *ctx, struct store *s, struct arena *a,
		   const struct msg_enrol *enrol, struct msg_enrolled *ret_enrolled,
		   struct registry_device *ret_device);

#define ENROL_GAP    20000u /* more than a province has devices */
#define ENROL_SPREAD 20000000u

/*
 * At a restore, in its transaction: devices enrolled after the backup are forgotten, but stamps,
 * homes and papers still name them. Their numbers must never become those of others; so new
 * devices get numbers beyond a gap. One backup may be restored twice, and does not know it: up
 * to ENROL_SPREAD more are drawn by the new epoch, so that ten devices of either life meet in one
 * of a million.
 */
enum err enrol_leave_gap(struct store *s, const struct id *epoch);

/* Device 0, the office, with the daemon's key: made at first start, never twice. */
enum err enrol_office(const struct context *ctx, struct store *s);

/* Every device into the registry: at start. */
enum err enrol_load_registry(struct store *s, struct registry *registry);

/* ERR_NOTFOUND: no such device. The caller puts ret_device into the registry after the commit. */
enum err enrol_revoke(struct store *s, uint32_t number, struct bytes why, int64_t now_ms,
		      struct registry_device *ret_device);
