/*
 * audit - the chain of the office's audit, and a signed checkpoint of it, for daemon and ctxhctl
 * alike.
 *
 *   entry hash = BLAKE2b-256( at u64 BE | who | what | hash of the detail, each with its length )
 *   chain(n+1) = BLAKE2b-256( chain(n) || entry hash )           chain(0) = 32 zero bytes
 *   signature  = Ed25519 over ("ctxh-audit-v1", BLAKE2b-256 of everything a checkpoint pins)
 *
 * Details may be erased by law: only their hash is in the chain. Pure.
 */
#pragma once

#include "common/base/crypt.h"
#include "common/base/id.h"

#define AUDIT_CONTEXT "ctxh-audit-v1"

struct audit_entry {
	uint64_t entry;
	int64_t at_ms;
	struct bytes who;
	struct bytes what;
	struct hash detail_hash;
	struct hash hash;
	struct hash chain; /* after it */
};

struct audit_chain {
	uint64_t entries;
	struct hash head;
};

struct hash audit_hash(int64_t at_ms, struct bytes who, struct bytes what,
		       const struct hash *detail);
/* The next entry. False: it is not, or not what its hash says; the chain stays as it was. */
bool audit_chain_take(struct audit_chain *chain, const struct audit_entry *entry);

/* How far a device's change-sets had come. */
struct audit_head {
	uint32_t device;
	uint64_t number;
	struct hash chain;
};

struct audit_checkpoint {
	struct id daemon;
	int64_t at_ms;
	uint64_t log;
	struct audit_chain chain;
	struct audit_head *heads;
	size_t head_count;
};
struct signature audit_checkpoint_sign(const struct audit_checkpoint *c,
				       const struct sign_pair *key);
bool audit_checkpoint_is_signed(const struct audit_checkpoint *c, const struct sign_public *key,
				const struct signature *signature);
