/*
 * device - a device in memory that speaks the real protocol: for load, for hostile
 * requests, for tests that need a peer which does what no client would.
 *
 * Blocking, one thread at a time each. Never used by the product.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "proto/changeset.h"
#include "proto/invitation.h"
#include "proto/msg.h"

struct curl_slist;

struct device {
	struct invitation invitation;
	struct sign_pair key;
	struct id daemon;
	struct id epoch;
	uint32_t number;
	struct sign_public daemon_key;
	int64_t units[16];
	size_t unit_count;
	uint64_t counter;  /* of the latest request */
	uint64_t next;     /* number of the next change */
	struct hash chain; /* head before it */
	struct hlc hlc;
	int64_t clock_off_ms; /* added to the wall clock: a wrong one */
	uint64_t bytes_out;   /* HTTP bodies sent */
	uint64_t bytes_in;
	void *curl;
	struct curl_slist *headers; /* of the request under way */
};

struct device_answer {
	long status; /* HTTP; 0: no answer */
	struct buf body;
};

void device_init(struct device *d, struct rand *rand);
void device_clear(struct device *d);
void device_answer_clear(struct device_answer *a);

/*
 * For many at once: begin readies d->curl for a curl_multi; `body` and the answer must stay. End
 * takes the transfer's CURLcode. ERR_NET: nothing came back.
 */
void device_post_begin(struct device *d, const char *path, struct bytes body,
		       struct device_answer *ret_answer);
enum err device_post_end(struct device *d, int result, struct device_answer *answer);
/* Posts any bytes. ERR_NET: nothing came back. */
enum err device_post(struct device *d, const char *path, struct bytes body,
		     struct device_answer *ret_answer);
enum err device_get(struct device *d, const char *path, struct device_answer *ret_answer);

/* Enrols with the invitation's text. ERR_AUTH: refused. */
enum err device_enrol(struct device *d, const char *invitation, const char *name);

/* The device's wall clock, wrong by clock_off_ms. */
int64_t device_now(const struct device *d);

/* Seals changes as the next change-set and moves number and chain on; appends the wire bytes. */
enum err device_seal(struct device *d, struct change *changes, size_t count, struct buf *out);

/* Wraps a sync message into a signed envelope with the next counter; appends. */
void device_envelope(struct device *d, const struct msg_sync *m, struct buf *out);

/* What came back on a sync request; as device_sync(). */
enum err device_read(struct device *d, struct arena *a, struct device_answer *answer,
		     struct msg_synced *ret_synced, struct msg_refusal *ret_refusal);
/*
 * One sync. ERR_OK: ret_synced is set (it borrows from `a`) and the receipt, when there is one,
 * was verified. ERR_AUTH: a refusal, ret_refusal is set.
 */
enum err device_sync(struct device *d, struct arena *a, struct msg_sync *m,
		     struct msg_synced *ret_synced, struct msg_refusal *ret_refusal);
