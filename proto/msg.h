/*
 * msg - the messages of the protocol, one struct each, both directions.
 *
 * docs/protocol.md is normative; tests/vectors/ has the bytes of each. Encoding
 * appends to a buf; decoding borrows from the bytes and an arena, guards first,
 * and is strict: a missing required key or a wrong kind is ERR_PROTO, unknown
 * keys are skipped (so later versions may add some). Pure.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/crypt.h"
#include "common/model/record.h"

#define MSG_VERSION         1u
#define MSG_CONTENT_TYPE    "application/msgpack"
#define MSG_REQUEST_CONTEXT "ctxh-request-v1"
#define MSG_RECEIPT_CONTEXT "ctxh-receipt-v1"
#define MSG_ENROL_CONTEXT   "ctxh-enrol-v1"
#define MSG_FORMER_CONTEXT  "ctxh-former-v1"

/*
 * A request as it travels: msgpack array
 *   [version, device, counter, packing, payload bin, signature bin64]
 * packing 0: the payload is the message; 1: zstd of it. The signature covers
 * daemon id (16 bytes) || device (u32 BE) || counter (u64 BE) || packing (u8) ||
 * BLAKE2b-256 of the payload. The counter only grows, so a replayed request is refused.
 */
#define MSG_PACKING_NONE 0u
#define MSG_PACKING_ZSTD 1u

/* An envelope is never longer than its message and this. */
#define MSG_ENVELOPE_OVERHEAD 96u

struct msg_envelope {
	uint32_t device;
	uint64_t counter;
	uint8_t packing;
	struct bytes payload; /* as it travels */
	struct signature signature;
};

void msg_envelope_seal(const struct id *daemon, uint32_t device, uint64_t counter,
		       struct bytes message, const struct sign_pair *key, struct buf *out);
/*
 * Structure only; costs little. ERR_PROTO, ERR_TOOBIG; ERR_INVAL: a version or a
 * packing we do not know (code "unsupported").
 */
enum err msg_envelope_open(struct bytes wire, struct msg_envelope *ret_envelope);
/* False: not signed by this key. */
bool msg_envelope_is_valid(const struct msg_envelope *e, const struct id *daemon,
			   const struct sign_public *key);
/* The message inside, decompressed into `a` within LIMIT_PLAIN_BYTES, or borrowed from `payload`.
 * ERR_TOOBIG, ERR_PROTO, ERR_INVAL: unknown packing. */
enum err msg_unpack(struct arena *a, uint8_t packing, struct bytes payload,
		    struct bytes *ret_message);
/* An answer: msgpack array [version, packing, payload bin]. TLS vouches for it. */
void msg_answer_seal(struct bytes message, struct buf *out);
/* ERR_PROTO, ERR_TOOBIG; ERR_INVAL: a version or a packing we do not know. The message
 * borrows from `wire` or `a`. */
enum err msg_answer_open(struct arena *a, struct bytes wire, struct bytes *ret_message);

/* ---- enrolment: POST /v1/enrol ---- */

struct msg_enrol {
	uint8_t code[16]; /* the invitation's one-time code */
	struct sign_public key;
	struct bytes name;   /* of the device */
	struct bytes author; /* may be empty */
	struct bytes client_version;
	int64_t sent_ms;
	/* A home that is enrolled already and asks for another identity: its present key, and that
	 * key's signature: msg_enrol_vouch(). Zero: it has none. */
	struct sign_public former;
	struct signature vouch;
	uint64_t notice; /* greatest notice of the former device on this disk */
	struct id epoch; /* ... and the epoch that number is of; zero: it does not say */
};

/*
 * The former key vouches for the new one: its signature over (MSG_FORMER_CONTEXT, daemon id (16
 * bytes) || code || new key), so that it serves one invitation of one daemon. Sets `former` and
 * `vouch`; code and key are set before.
 */
void msg_enrol_vouch(struct msg_enrol *m, const struct id *daemon, const struct sign_pair *former);
/* There is a former key. */
bool msg_enrol_has_former(const struct msg_enrol *m);
/* ... and it vouched for this key and code at this daemon. */
bool msg_enrol_is_vouched(const struct msg_enrol *m, const struct id *daemon);

/* array [version, payload bin, signature bin64 by the new key over (MSG_ENROL_CONTEXT, payload)] */
void msg_enrol_encode(const struct msg_enrol *m, const struct sign_pair *key, struct buf *out);
/* ERR_AUTH: not signed by the key it brings. ERR_INVAL: unknown version. ERR_PROTO, ERR_TOOBIG. */
enum err msg_enrol_decode(struct arena *a, struct bytes wire, struct msg_enrol *ret_enrol);

struct msg_unit {
	int64_t unit;
	struct bytes code;
	struct bytes name;
	struct bytes kind;        /* "Xã", "Phường", … */
	int64_t parent;           /* 0: none */
	struct bytes valid_from;  /* "2021-02-01" */
	struct bytes valid_until; /* exclusive; empty: still */
};

struct msg_enrolled {
	struct id daemon;
	struct id epoch;
	uint32_t device;
	struct sign_public daemon_key; /* signs receipts */
	int64_t *units;                /* the scope as granted, predecessors included */
	size_t unit_count;
	bool is_cleared;     /* for restricted types */
	struct bytes author; /* as the invitation named it */
	int64_t now_ms;
	/* The device this one takes the place of (0: none), and where the daemon stands with it. */
	uint32_t former;
	uint64_t former_number;
	struct hash former_chain;
};

void msg_enrolled_encode(const struct msg_enrolled *m, struct buf *out);
enum err msg_enrolled_decode(struct arena *a, struct bytes message, struct msg_enrolled *ret);

/* ---- sync: POST /v1/sync ---- */

/*
 * How far a device has a unit. Records come in the order of their latest write, so while more of a
 * unit waits, an earlier write of a record that is still to come has not come either: what
 * was written up to log - behind is all there, and only that has its author seen.
 */
struct msg_cursor {
	int64_t unit;
	uint64_t log;    /* records whose latest write is up to here have come */
	uint64_t behind; /* 0: nothing of the unit was cut off */
};

/* Everything written up to here is there: what a change of this unit has as its base. */
static inline uint64_t msg_cursor_whole(const struct msg_cursor *c)
{
	return c->behind < c->log ? c->log - c->behind : 0;
}

/* What the device holds of one unit, by buckets (common/model/digest.h). */
struct msg_buckets {
	int64_t unit;
	struct bytes wire; /* DIGEST_WIRE_LEN bytes; decoding checks it */
};

/* A record the device holds and the daemon did not list where it should be. */
struct msg_stray {
	struct bytes type;
	struct id id;
};

struct msg_sync {
	struct id epoch; /* zero: none known yet */
	int64_t sent_ms; /* the device's wall clock now (M7) */
	struct bytes client_version;
	struct bytes author;
	uint64_t max_bytes; /* budget of the answer; 0: the daemon's default */
	uint8_t schema_version[8];
	uint64_t units_version;
	uint64_t notice;    /* greatest notice number already on this device's disk */
	bool is_first_pull; /* cursors are at zero and the first pull is not complete yet */
	struct msg_cursor *cursors;
	size_t cursor_count;
	struct bytes *changesets; /* wire bytes of each */
	size_t changeset_count;
	bool wants_digests;          /* compare what we hold of each unit */
	struct msg_buckets *buckets; /* of units that differed */
	size_t bucket_count;
	struct msg_stray *strays; /* held here, and in no bucket the daemon gave */
	size_t stray_count;
	uint64_t sealed; /* number of the last change this device sealed, sent or not */
};

void msg_sync_encode(const struct msg_sync *m, struct buf *out);
enum err msg_sync_decode(struct arena *a, struct bytes message, struct msg_sync *ret_sync);

enum receipt_level {
	RECEIPT_DURABLE = 1,
	RECEIPT_BACKED_UP = 2
};

/* How the clocks of one change-set were mended (stamp.h); the client does the same. */
struct msg_repair {
	uint64_t first; /* number of the change-set's first change */
	uint64_t count;
	struct repair repair;
	uint64_t log; /* number the change-set got in the daemon's log */
};

struct msg_receipt {
	struct id daemon;
	struct id epoch;
	uint32_t device;
	uint64_t number;    /* everything up to here is committed */
	struct hash chain;  /* the chain head after it */
	uint64_t backed_up; /* everything up to here is in a verified backup */
	uint64_t log;       /* the daemon's log number when it signed */
	int64_t at_ms;
	struct msg_repair *repairs; /* of the change-sets this request brought */
	size_t repair_count;
};

/* array [body bin, signature bin64 by the daemon over (MSG_RECEIPT_CONTEXT, body)] */
void msg_receipt_encode(const struct msg_receipt *m, const struct sign_pair *key, struct buf *out);
/* ERR_AUTH: not the daemon's signature. `key` NULL: structure only. */
enum err msg_receipt_decode(struct arena *a, struct bytes wire, const struct sign_public *key,
			    struct msg_receipt *ret_receipt);

/* What became of a change that was not simply applied. */
struct msg_result {
	uint64_t number;
	struct bytes code;  /* "conflict", "parallel", "unknown_field", "landed", or why it was
			       quarantined: "out_of_scope", "wrong_type", "missing", … */
	struct bytes field; /* may be empty */
	struct bytes text;  /* for people; may be empty */
	bool is_quarantined;
	/* "repeated": the effective clock, device and log number it has been in the states with. */
	uint64_t clock;
	uint32_t device;
	uint64_t log;
};

struct msg_evict {
	struct bytes type;
	struct id id;
	int64_t unit;   /* the unit it left */
	bool is_erased; /* by law: nothing of it may stay on the device */
};

/* Something the device's inbox shows until it is accepted. */
struct msg_notice {
	uint64_t notice;   /* number, grows per device */
	struct bytes kind; /* "conflict", "quarantine", "landed", "duplicate", … */
	struct bytes type;
	struct id id;
	struct bytes field;
	struct value kept;
	struct value lost;
	struct bytes by; /* author of the value kept */
	int64_t at_ms;
	struct bytes text; /* for people */
	uint64_t number;   /* of the device's change it tells of; 0: of none */
};

/* What the daemon holds of one unit, as far as this device may see it. */
struct msg_digest {
	int64_t unit;
	uint64_t log; /* the unit's log number it was taken at */
	struct hash root;
};

/* Everything the daemon holds of one bucket, as far as this device may see it. */
struct msg_bucket {
	int64_t unit;
	uint64_t log;
	uint64_t bucket;       /* below DIGEST_BUCKETS; decoding checks it */
	struct bytes *records; /* whole states */
	size_t record_count;
};

struct msg_synced {
	struct id epoch;
	int64_t now_ms;
	struct bytes receipt; /* wire bytes; empty when no change-set of this device is known */
	struct msg_result *results;
	size_t result_count;
	struct bytes *records; /* record_encode() of each; fields newer than the cursor only */
	size_t record_count;
	struct msg_evict *evictions;
	size_t eviction_count;
	struct msg_notice *notices;
	size_t notice_count;
	struct msg_cursor *cursors; /* the new ones, of units that moved */
	size_t cursor_count;
	int64_t *units; /* the scope as it is now */
	size_t unit_count;
	uint64_t included; /* own changes up to here are in the daemon's states, carried or not */
	bool has_more;
	bool is_complete; /* nothing older is still to come: the first pull is whole */
	uint8_t schema_version[8];
	uint64_t units_version;
	struct msg_digest *digests; /* of units this answer brings up to date; only when asked */
	size_t digest_count;
	struct msg_bucket *buckets; /* those that differ from the request's */
	size_t bucket_count;
	struct msg_stray *missing; /* of the request's strays: the daemon holds no such record */
	size_t missing_count;
	int64_t *oversized; /* units with a bucket that differs and is more than an answer takes */
	size_t oversized_count;
};

void msg_synced_encode(const struct msg_synced *m, struct buf *out);
enum err msg_synced_decode(struct arena *a, struct bytes message, struct msg_synced *ret_synced);

/* ---- refusals: the body of any answer that is not 200 ---- */

struct msg_refusal {
	struct bytes code;      /* stable: "unknown_device", "revoked", "gap", "forked", "replay",
				   "epoch", "bad_request", "unsupported", "too_big", "busy", "full",
				   "code_used", … (docs/protocol.md has all of them) */
	struct bytes text;      /* Vietnamese; English */
	uint64_t expected;      /* gap: the number wanted; replay: a counter that will be taken */
	struct hash chain;      /* gap: the head it must be chained to */
	uint64_t retry_after_s; /* 0: do not retry unchanged */
};

void msg_refusal_encode(const struct msg_refusal *m, struct buf *out);
enum err msg_refusal_decode(struct arena *a, struct bytes message, struct msg_refusal *ret);

/* ---- units: GET /v1/units ---- */

void msg_units_encode(const struct msg_unit *units, size_t count, uint64_t version,
		      struct buf *out);
enum err msg_units_decode(struct arena *a, struct bytes message, struct msg_unit **ret_units,
			  size_t *ret_count, uint64_t *ret_version);
