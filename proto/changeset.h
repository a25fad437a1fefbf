/*
 * changeset - consecutive changes of one device: numbered, chained, signed.
 *
 * A change-set is sealed once by its device and never altered: the same bytes are
 * sent, resent, carried by file, kept in the daemon's log as evidence. On the
 * wire: msgpack array [body bin, signature bin64]; the body is a msgpack map
 * (docs/protocol.md has every key):
 *
 *   daemon id, device, first number, count, previous chain head, authors, changes
 *
 *   chain head = BLAKE2b-256(previous head || BLAKE2b-256(body)); 32 zero bytes before the first
 *   signature  = Ed25519 over ("ctxh-changeset-v1", body) by the device's key
 *
 * Pure. Decoded change-sets borrow from the bytes and the arena.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/crypt.h"
#include "common/model/record.h"

#define CHANGESET_CONTEXT "ctxh-changeset-v1"

struct changeset {
	struct id daemon; /* only this daemon takes it */
	uint32_t device;
	uint64_t first;    /* number of its first change */
	struct hash chain; /* head before it */
	struct hash head;  /* head after it */
	struct change *changes;
	size_t count;
	struct bytes body; /* the signed bytes */
	struct signature signature;
};

/* The cheap look: who and where, before the signature is checked. */
struct changeset_head {
	struct id daemon;
	uint32_t device;
	uint64_t first;
	uint64_t count;
	struct hash chain;
};

/*
 * Device side. Encodes, chains and signs; `changes` are numbered first, first+1, …
 * Appends the wire bytes to `out` and gives the new head. Clock, author and
 * writes are taken from the changes as they are. ERR_TOOBIG: over a limit.
 */
enum err changeset_seal(const struct changeset_head *head, const struct change *changes,
			const struct sign_pair *key, struct buf *out, struct hash *ret_head);

/*
 * Opens wire bytes (guarded here). Order of checks, cheapest first: structure,
 * limits, signature when `key` is not NULL, then the changes. ERR_PROTO, ERR_TOOBIG:
 * malformed. ERR_AUTH: wrong signature. A value of a kind we do not carry (float,
 * map, array) makes a change with ret->changes[i].count writes as they were, and
 * such a value is given as VALUE_BYTES of its raw msgpack with the name kept in
 * `odd`: the daemon quarantines that change alone (M9), it never refuses the set.
 */
struct changeset_odd {
	size_t change;      /* index */
	struct bytes field; /* empty: the change itself could not be read; its raw bytes are kept */
	struct bytes raw;   /* msgpack of the whole change */
};

struct changeset_opened {
	struct changeset set;
	struct changeset_odd *odd;
	size_t odd_count;
};

enum err changeset_open(struct arena *a, struct bytes wire, const struct sign_public *key,
			struct changeset_opened *ret_opened);

struct hash changeset_chain(const struct hash *previous, struct bytes body);

/* One change as msgpack and back: quarantine keeps it whole, the vault keeps drafts. */
void change_encode(const struct change *c, struct buf *out);
enum err change_decode(struct arena *a, struct bytes bytes, struct change *ret_change);

/* One record state (every field with stamp and log number) as msgpack and back. */
void record_encode(const struct record *r, uint64_t newer_than_log, struct buf *out);
enum err record_decode(struct arena *a, struct bytes bytes, struct record *ret_record);
