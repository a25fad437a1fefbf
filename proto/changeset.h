/*
 * changeset - consecutive changes of one device: numbered, chained, signed.
 *
 * A change-set is sealed once by its device and never altered: the same bytes are
 * sent, resent, carried by file, kept in the daemon's log as evidence. On the
 * wire: msgpack array [body bin, signature bin64]; the body is a msgpack map
 * (docs/protocol.md has every key):
 *
 *   daemon id, device, first number, count, previous chain head, authors, changes, epoch
 *
 *   chain head = BLAKE2b-256(previous head || BLAKE2b-256(body)); 32 zero bytes before the first
 *   signature  = Ed25519 over ("ctxh-changeset-v1", body) by the device's key
 *
 * Where a record of it was erased by law, a set goes on as a *cut* one: the changes of that
 * record have no writes any more, and two hashes stand for the bytes that are gone, so that chain
 * and signature are checked as before: [body bin, signature bin64, hash of the body as it was
 * bin32, hash the signature is over bin32].
 *
 * Pure. Decoded change-sets borrow from the bytes and the arena.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/crypt.h"
#include "common/model/record.h"

#define CHANGESET_CONTEXT "ctxh-changeset-v1"

/* What stands for the bytes of a set of which changes were cut out. */
struct changeset_cut {
	bool is_cut;             /* false: the hashes below are not set */
	struct hash body_hash;   /* of the body as it was signed: in the chain */
	struct hash signed_hash; /* what the signature is over: sign_hash() */
};

struct changeset {
	struct id daemon; /* only this daemon takes it */
	struct id epoch;  /* the bases belong to; zero: not said */
	uint32_t device;
	uint64_t first;    /* number of its first change */
	struct hash chain; /* head before it */
	struct hash head;  /* head after it */
	struct change *changes;
	size_t count;
	struct bytes body; /* the signed bytes; of a cut set what is left of them */
	struct signature signature;
	struct changeset_cut cut;
};

/* The cheap look: who and where, before the signature is checked. */
struct changeset_head {
	struct id daemon;
	struct id epoch;
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

/* Who and where, without signature or changes: to find the key. ERR_PROTO, ERR_TOOBIG. */
enum err changeset_peek(struct bytes wire, struct changeset_head *ret_head);

/*
 * A change that cannot be merged as it stands. It never stops its neighbours: the
 * daemon quarantines that change alone (M9). At most one entry a change.
 *
 * Where one value is at fault, `field` names it, the change keeps all its writes and
 * that value is given as VALUE_BYTES of its raw msgpack. Else `field` is empty and the
 * change has no writes; type, id, clock, base and author are there as far as they
 * could be read. The number is always right: it is given by the place in the set.
 */
struct changeset_odd {
	size_t change;      /* index */
	struct bytes field; /* empty: the change itself */
	struct bytes raw;   /* msgpack of the whole change, as it was signed */
	const char *reason; /* one of CHANGESET_ODD_*; static */
};

#define CHANGESET_ODD_KIND   "odd_value"       /* float, array, map, ext, integer over 63 bits */
#define CHANGESET_ODD_TEXT   "not_utf8"        /* a text that is none */
#define CHANGESET_ODD_LONG   "value_too_long"  /* over LIMIT_VALUE_BYTES */
#define CHANGESET_ODD_NAME   "bad_name"        /* not 1 to LIMIT_NAME_BYTES of a-z 0-9 _ */
#define CHANGESET_ODD_TWICE  "field_twice"     /* one name, two values */
#define CHANGESET_ODD_MANY   "too_many_fields" /* over LIMIT_WRITES or LIMIT_CHANGE_NODES */
#define CHANGESET_ODD_CHANGE "unreadable"      /* a required part is missing or of a wrong kind */

struct changeset_opened {
	struct changeset set;
	struct changeset_odd *odd; /* by rising `change` */
	size_t odd_count;
};

/*
 * Opens wire bytes (guarded here). Order of checks, cheapest first: structure,
 * limits, signature when `key` is not NULL, then the changes. ERR_PROTO, ERR_TOOBIG:
 * malformed as a whole. ERR_INVAL: a version we do not know. ERR_AUTH: wrong signature.
 */
enum err changeset_open(struct arena *a, struct bytes wire, const struct sign_public *key,
			struct changeset_opened *ret_opened);

/*
 * The body of the set without what the marked changes wrote, and the hashes that stand for it; a
 * set that is cut already may be cut again. The other changes stay byte for byte as they were
 * signed. `is_cut` has set->count marks; the changes of `set` are those changeset_open() gave.
 */
enum err changeset_cut(const struct changeset *set, const bool *is_cut, struct buf *out,
		       struct changeset_cut *ret_cut);
/* The wire bytes of a set from its parts; what the daemon's log keeps of one. */
void changeset_frame(struct bytes body, const struct signature *signature,
		     const struct changeset_cut *cut, struct buf *out);

/* The head after a set: `cut` not NULL and cut, by its hash; else by the body's. */
struct hash changeset_chain(const struct hash *previous, struct bytes body,
			    const struct changeset_cut *cut);
/* Whether the key's owner signed it. */
bool changeset_is_signed(const struct sign_public *key, struct bytes body,
			 const struct signature *signature, const struct changeset_cut *cut);

/*
 * One change, with number and author, as msgpack and back: quarantine keeps it whole,
 * the vault keeps drafts. ERR_PROTO, ERR_TOOBIG: not sound, or not one change.
 */
void change_encode(const struct change *c, struct buf *out);
enum err change_decode(struct arena *a, struct bytes bytes, struct change *ret_change);

/*
 * One record state (every field with stamp and log number) as msgpack and back.
 * newer_than_log 0: all fields; else only those with a greater log number. What is
 * encoded decodes if it has at most LIMIT_FIELDS fields and LIMIT_RECORD_BYTES.
 */
void record_encode(const struct record *r, uint64_t newer_than_log, struct buf *out);
enum err record_decode(struct arena *a, struct bytes bytes, struct record *ret_record);
