/*
 * office - a small office in memory, for tests of the client: it follows the
 * protocol with the real change-set, merge and message code, and misbehaves on
 * request. One device, one unit.
 */
#pragma once

#include "client/sync.h"
#include "common/model/merge.h"
#include "common/model/schema.h"

#define OFFICE_UNIT       7
#define OFFICE_DEVICE     3u
#define OFFICE_OTHER      4u /* writes directly, as another device */
#define OFFICE_RECORD_MAX 4096u

enum office_lie {
	OFFICE_HONEST,
	OFFICE_SIGNATURE, /* receipt signed by another key */
	OFFICE_CHAIN,     /* receipt with another chain head */
	OFFICE_DEVICE_NUMBER,
	OFFICE_EPOCH, /* receipt of another epoch than the answer */
	OFFICE_TOO_FAR,
	OFFICE_LOG_BACK, /* receipt of an older log than the one before */
	OFFICE_BETWEEN,  /* receipt that ends inside a change-set */
	OFFICE_GARBAGE,
	OFFICE_EMPTY_STATE, /* a state without fields */
	OFFICE_OTHER_TYPE,  /* states under another record type */
	OFFICE_CLOCK,       /* times at the end of what a number holds */
	OFFICE_ENDLESS,     /* always more, never new */
};

struct office {
	struct sync_transport link;
	const struct clock *clock;
	const struct schema *schema;
	struct arena arena;
	struct id daemon;
	struct id epoch;
	struct sign_pair key;
	uint32_t device;
	struct sign_public device_key;
	/* The device is set aside; the next enrolment that its key vouches for takes its place. */
	bool is_aside;
	bool is_forgetful; /* ... and the office does not know any more which device that was */
	uint32_t former;
	uint64_t former_number;
	struct hash former_chain;

	struct record records[OFFICE_RECORD_MAX];
	size_t record_count;
	uint64_t log;
	uint64_t number;
	struct hash chain;
	uint64_t counter;
	uint64_t floor;
	uint64_t backed_up;
	struct msg_repair repairs[256]; /* of every set taken: repeats are told them again */
	size_t repair_count;
	struct msg_notice notices[16];
	size_t notice_count;
	struct msg_evict evictions[16];
	size_t eviction_count;

	/* misbehaviour; each is used up by the request it hits */
	unsigned lose_requests;
	unsigned lose_answers;
	bool is_cut_short; /* after one more answer the network is gone, once */
	bool is_cut;
	const char *refuse; /* code */
	uint64_t refuse_expected;
	enum office_lie lie;
	size_t page;      /* records in one answer; 0: all */
	bool has_no_time; /* brings no digests */
	bool ignores_strays;
	bool evicts_strays;   /* says of each stray that it left the scope */
	size_t buckets_most;  /* in one answer; 0: all */
	bool has_big_buckets; /* each is more than an answer takes */
	int64_t tolerance_ms;
	struct bytes refuse_type; /* changes of this type go to quarantine */

	/* what was seen */
	unsigned requests;
	size_t changesets_seen;
	uint64_t first_seen[64];
	size_t stray_count; /* asked about by the last request that asked, and the first of them */
	struct id stray;
	size_t compared; /* requests that asked for digests */
	size_t strays_seen;
	size_t buckets_sent; /* and the records in them */
	size_t records_sent;
	void (*on_request)(struct office *o); /* while the device waits */
	void *on_request_arg;
};

void office_init(struct office *o, const struct clock *clock, const struct schema *schema);
void office_clear(struct office *o);

/* The identity an enrolled device of this office has; `seed` makes its key. */
struct vault_identity office_identity(struct office *o, const uint8_t seed[32]);
/* A copy of the device's disk sends `count` numbers of its own; the device is set aside. */
void office_fork(struct office *o, uint64_t count);
/* Another device writes: one field. */
void office_write(struct office *o, const char *type, const struct id *id, const char *field,
		  struct value value, int64_t wall_ms);
const struct record *office_find(const struct office *o, const struct id *id);
/* Goes back to having nothing after `number`, in a new epoch. */
void office_restore(struct office *o, const struct office *backup);
