/*
 * vault - the commune's own store: sealed records, drafts, outbox, receipts.
 *
 * One SQLite file in the home folder (docs/client-store.md tells tables,
 * invariants, crash story). Everything that tells of a person is sealed, one row
 * at a time, by a random key that the passphrase unwraps. What is in clear: record
 * ids (random), numbers, cryptographic heads, times of receipts.
 *
 * One process at a time: vault_open() takes the lock file and waits for it.
 * One thread. Writing functions must run between vault_begin() and vault_commit();
 * what they wrote is on the disk when vault_commit() has returned, not before.
 *
 * Errors, where not said otherwise: ERR_AGAIN another ctxh holds the home, ERR_FULL
 * no space, ERR_IO, ERR_CORRUPT.
 */
#pragma once

#include "client/find.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/crypt.h"
#include "common/model/record.h"
#include "proto/invitation.h"
#include "proto/msg.h"

struct vault;

#define VAULT_PATH_MAX 4096u
#define VAULT_FILE     "vault.db"

/* ---- life ---- */

/* How costly guessing the passphrase is; kept in the vault. */
struct vault_kdf {
	uint64_t passes;
	uint64_t memory_bytes;
};
#define VAULT_KDF_PASSES UINT64_C(2)
#define VAULT_KDF_MEMORY (UINT64_C(64) << 20)

/* ERR_NOTFOUND: no vault here. On success it is locked still: only vault_unlock_*,
 * vault_state and counts work. */
enum err vault_open(const char *home, struct rand *rand, struct vault **ret_vault);
/* A new vault, unlocked. ERR_CONFLICT: there is one already; it is left alone. */
enum err vault_create(const char *home, struct rand *rand, const struct vault_kdf *kdf,
		      struct bytes passphrase, struct vault **ret_vault);
void vault_close(struct vault *v);
DEFINE_AUTO(struct vault *, vault_close)

/* ERR_AUTH: wrong passphrase, or a key of another vault. */
enum err vault_unlock(struct vault *v, struct bytes passphrase);
enum err vault_unlock_with_key(struct vault *v, const uint8_t key[SEAL_KEY_LEN]);
bool vault_is_unlocked(const struct vault *v);
/* Borrowed; for the agent. */
const uint8_t *vault_key(const struct vault *v);
/* Wraps the same key anew: nothing else is written again. */
enum err vault_change_passphrase(struct vault *v, const struct vault_kdf *kdf,
				 struct bytes passphrase);

/*
 * Lets go of file and lock while something slow happens (the network), so that
 * entries can be made meanwhile; then takes them again. Never inside a transaction.
 */
void vault_pause(struct vault *v);
/* On failure it stays paused: everything else answers ERR_AGAIN until it succeeds. */
enum err vault_resume(struct vault *v);

/* The file of a damaged vault gets a name of its own; nothing is deleted. */
enum err vault_set_aside(const char *home, const char *when, char ret_name[VAULT_PATH_MAX]);

enum err vault_begin(struct vault *v);
enum err vault_commit(struct vault *v);
/* Nothing when no transaction runs. For AUTO(vault_rollback). */
void vault_rollback(struct vault *v);
DEFINE_AUTO(struct vault *, vault_rollback)

/* ---- numbers in clear ---- */

enum vault_standing {
	VAULT_STANDING_OK,
	VAULT_STANDING_FORKED,  /* the office set this device aside */
	VAULT_STANDING_REVOKED, /* the office no longer takes it */
	VAULT_STANDING_UNKNOWN, /* the office does not know it */
	VAULT_STANDING_GAP,     /* the office lacks numbers that are no longer kept here */
};

struct vault_state {
	int64_t hlc;        /* greatest clock given or seen */
	int64_t seen;       /* greatest effective clock the office told */
	int64_t number;     /* last change number sealed */
	int64_t counter;    /* last request counter used */
	int64_t acked;      /* everything up to here is under a verified receipt */
	int64_t backed_up;  /* ... is in a verified backup of the office */
	int64_t generation; /* grows when everything is to be pulled anew */
	int64_t notice;     /* greatest notice number kept */
	int64_t is_pull_complete;
	int64_t units_version;
	int64_t last_receipt_ms; /* the office's time in it; 0: none yet */
	int64_t has_clock_offset;
	int64_t clock_offset_ms; /* this machine's clock less the office's, at the last contact */
	int64_t standing;        /* enum vault_standing */
	int64_t log;             /* the office's log number in the newest receipt of this epoch */
	struct hash chain;       /* head after `number` */
	struct hash acked_chain; /* head after `acked` */
	struct id epoch;         /* zero: none known yet */
	uint8_t schema_version[8];
};

/* In memory; what a transaction changed and did not commit is undone by rollback. */
const struct vault_state *vault_state(const struct vault *v);
enum err vault_state_put(struct vault *v, const struct vault_state *state);

/* ---- who we are ---- */

struct vault_identity {
	struct id daemon; /* zero: enrolment has begun but no answer came yet */
	uint32_t device;
	struct sign_public daemon_key;
	uint8_t seed[32]; /* of the device's key pair */
	char address[INVITATION_HOST_MAX];
	uint8_t pin[INVITATION_PIN_LEN];
	uint8_t code[INVITATION_CODE_LEN];
	bool is_cleared;
	struct bytes name; /* of the device */
};

enum err vault_identity_load(struct vault *v, struct arena *a, struct vault_identity *ret);
enum err vault_identity_put(struct vault *v, const struct vault_identity *identity);

/*
 * The identity that is to take the present one's place, while the office has not answered: its key
 * is on the disk before the office hears of it. Seed zero: there is none.
 */
enum err vault_successor_load(struct vault *v, struct arena *a, struct vault_identity *ret);
enum err vault_successor_put(struct vault *v, const struct vault_identity *identity);

/* ---- sealed documents by name ---- */

#define VAULT_DOC_IDENTITY  "identity"
#define VAULT_DOC_SUCCESSOR "successor" /* an identity that waits for the office's answer */
#define VAULT_DOC_FORMERS   "formers"   /* identities this home had before */
#define VAULT_DOC_SCHEMA    "schema"    /* the bundle */
#define VAULT_DOC_COMPILED                                                                \
	"schema-compiled"             /* of it (schema.h); derived, may be missing or old \
				       */
#define VAULT_DOC_UNITS    "units"    /* msg_units bytes */
#define VAULT_DOC_SCOPE    "scope"    /* unit ids as granted */
#define VAULT_DOC_CURSORS  "cursors"  /* unit -> log number */
#define VAULT_DOC_AUTHORS  "authors"  /* names, the one in use first */
#define VAULT_DOC_COMPARED "compared" /* when digests were compared last */
#define VAULT_DOC_REPAIR   "repair"   /* the generation that began for a difference */
#define VAULT_DOC_SWEEP    "sweep"    /* a mark, empty: vault_sweep() is owed */

/* Into `a`. ERR_NOTFOUND. */
enum err vault_doc_load(struct vault *v, struct arena *a, const char *name, struct bytes *ret);
enum err vault_doc_put(struct vault *v, const char *name, struct bytes body);

/* Cursors, sorted by unit; an empty list when there are none. */
enum err vault_cursors_load(struct vault *v, struct arena *a, struct msg_cursor **ret_cursors,
			    size_t *ret_count);
enum err vault_cursors_put(struct vault *v, const struct msg_cursor *cursors, size_t count);
enum err vault_scope_load(struct vault *v, struct arena *a, int64_t **ret_units, size_t *ret_count);
enum err vault_scope_put(struct vault *v, const int64_t *units, size_t count);
/* The author in use is the first; an empty list when none is known. */
enum err vault_authors_load(struct vault *v, struct arena *a, struct bytes **ret_names,
			    size_t *ret_count);
enum err vault_authors_put(struct vault *v, const struct bytes *names, size_t count);
/* Which generation began to mend a difference (sync_compare.h). ERR_NOTFOUND: none ever did. */
enum err vault_repair_load(struct vault *v, struct arena *a, int64_t *ret_generation);
enum err vault_repair_put(struct vault *v, int64_t generation);

/* ---- records ---- */

/* Where an entry stands, as people see it. */
enum vault_sync {
	VAULT_DRAFT,     /* has an edit that no change-set holds yet */
	VAULT_WAITING,   /* sealed, no receipt */
	VAULT_SENT,      /* a verified receipt is on this disk */
	VAULT_BACKED_UP, /* and the office has it in a backup */
	VAULT_REFUSED,   /* the office put a change of it into quarantine */
};
const char *vault_sync_name(enum vault_sync s); /* "draft", ... */

/* Of a state the office did not list when digests were compared, and of one it said it lacks. */
#define VAULT_GENERATION_STRAY   (-1)
#define VAULT_GENERATION_MISSING (-2)

struct vault_record {
	struct record body;   /* what people see: the office's state and our own changes on top */
	struct record office; /* what the office holds, as far as we know; count 0: nothing */
	bool is_same;         /* body and office are one (nothing of ours is on top) */
	bool is_evicted;      /* left our scope; kept until our changes of it have arrived */
	int64_t generation;   /* of `office` */
	/* Last own change of it under a receipt; 0: none; below: of a former identity, backed up.
	 */
	int64_t number;
	enum vault_sync sync; /* set by loading */
};

/* ERR_NOTFOUND. */
enum err vault_record_load(struct vault *v, struct arena *a, const struct id *id,
			   struct vault_record *ret_record);
enum err vault_record_put(struct vault *v, const struct vault_record *record);
enum err vault_record_remove(struct vault *v, const struct id *id);
/*
 * By law: the record, own changes of it, what the inbox says of it, and what change-sets in the
 * outbox wrote of it (they are kept as cut ones, changeset.h). Nothing when there is nothing. From
 * the commit on a sweep is owed.
 */
enum err vault_record_erase(struct vault *v, const struct id *id);
/*
 * Outside a transaction, when one is owed: rewrites the file without gaps and free pages and
 * empties its log, so that nothing of what was removed is left in it, and ends the debt. Needs room
 * for the vault twice; without room, or where the file is damaged, it stays owed, which is no
 * error. vault_open() and vault_resume() do what a crash left undone.
 */
enum err vault_sweep(struct vault *v);

/* Ids that begin with these hex digits: at most two are told. */
enum err vault_record_match(struct vault *v, struct bytes hex_prefix, struct id ret_ids[2],
			    size_t *ret_count);

/* What the office had in an earlier generation, and is not evicted (stray.h), in the order they
 * came to this store; from `skip` on, at most `max`. */
enum err vault_stray_count(struct vault *v, int64_t *ret_count);
enum err vault_stray_ids(struct vault *v, struct arena *a, size_t max, int64_t skip,
			 struct id **ret_ids, size_t *ret_count);

/* Every record in the order of ids, one in memory at a time; stops at the first error. */
typedef enum err (*vault_record_fn)(void *arg, const struct vault_record *record);
enum err vault_record_each(struct vault *v, vault_record_fn fn, void *arg);

/* ---- where to look for a record (find.h) ---- */

/*
 * The entry of every record, in no order; stops at the first error. Every way of writing a
 * record keeps its entry right, in the same transaction. What is missing or damaged of the
 * entries is made from the records, and kept for the next time where that is possible: this
 * may write, unless it runs inside a transaction. An entry lives as long as the call of `fn`.
 */
typedef enum err (*vault_find_fn)(void *arg, const struct find_entry *entry);
enum err vault_find_each(struct vault *v, vault_find_fn fn, void *arg);
/* Drops all entries, to be made anew. */
enum err vault_find_forget(struct vault *v);

/* ---- own changes the office has not taken ---- */

struct vault_change {
	int64_t seq;          /* order of making */
	int64_t number;       /* 0: draft */
	bool is_refused;      /* in quarantine at the office */
	struct change change; /* its number is `number` */
};

/* Adds at the end of the order. */
enum err vault_change_add(struct vault *v, const struct change *change, bool is_refused);
enum err vault_change_remove(struct vault *v, int64_t seq);
enum err vault_change_number(struct vault *v, int64_t seq, int64_t number);
enum err vault_change_refuse(struct vault *v, int64_t seq, bool is_refused);
/* Of one record, in order. */
enum err vault_changes_of(struct vault *v, struct arena *a, const struct id *id,
			  struct vault_change **ret_changes, size_t *ret_count);
/* The oldest drafts, at most `max`. */
enum err vault_drafts(struct vault *v, struct arena *a, size_t max,
		      struct vault_change **ret_changes, size_t *ret_count);
/* Numbered, not refused, up to `number`: what a receipt has just covered. In order. */
enum err vault_changes_upto(struct vault *v, struct arena *a, int64_t number,
			    struct vault_change **ret_changes, size_t *ret_count);

struct vault_counts {
	int64_t records;
	int64_t drafts;
	int64_t waiting; /* sealed changes without receipt */
	int64_t refused;
	int64_t outbox; /* change-sets kept */
	int64_t inbox;  /* open items */
};
/* Works while locked, too. */
enum err vault_count(struct vault *v, struct vault_counts *ret_counts);

/* ---- outbox: change-sets as sealed, kept until they are backed up ---- */

struct vault_set {
	int64_t first;
	int64_t count;
	struct hash before; /* chain head before it */
	struct hash head;   /* and after it */
	struct bytes wire;
};

enum err vault_outbox_add(struct vault *v, const struct vault_set *set);
struct vault_sets {
	struct vault_set *items;
	size_t count;
};
/* Sets after `number`, in order, while they fit into both limits (one always does). */
enum err vault_outbox_load(struct vault *v, struct arena *a, int64_t number, size_t max_count,
			   size_t max_bytes, struct vault_sets *ret_sets);
/* Drops sets wholly at or below `number`. */
enum err vault_outbox_drop(struct vault *v, int64_t number);
/* The chain head after `number`, where a set ends. ERR_NOTFOUND. */
enum err vault_chain_at(struct vault *v, int64_t number, struct hash *ret_head);

/* Kept for ever: the proof of what the office took. */
enum err vault_receipt_add(struct vault *v, int64_t number, int64_t at_ms, struct bytes wire);
typedef enum err (*vault_receipt_fn)(void *arg, struct bytes wire);
enum err vault_receipt_each(struct vault *v, vault_receipt_fn fn, void *arg);

/* ---- inbox ---- */

enum vault_notice_state {
	VAULT_NOTICE_OPEN,
	VAULT_NOTICE_ACCEPTED, /* put away as read */
	VAULT_NOTICE_RESTORED, /* the value that lost was written again from here */
};
const char *vault_notice_state_name(enum vault_notice_state state); /* "open", ... */

/* `notice` below 0: our own, of the refused change with that number; below VAULT_NOTICE_OWN: our
 * own, of no change. */
#define VAULT_NOTICE_OWN (-(INT64_C(1) << 62))
struct vault_notice {
	int64_t notice;
	enum vault_notice_state state;
	struct bytes kind;
	struct bytes type;
	struct id id;
	struct bytes field;
	struct value kept;
	struct value lost;
	struct bytes by;
	int64_t at_ms;
	struct bytes text;
};

/* Adds; one that is there already keeps its state, the office's only when it says the same: a
 * restored office gives its numbers anew. An unread one of a value of ours that lost, whose number
 * says other things now, stays under one of our own until the office tells of that again. */
enum err vault_notice_put(struct vault *v, const struct vault_notice *notice);
/* Gives it the next number below VAULT_NOTICE_OWN. */
enum err vault_notice_add_own(struct vault *v, const struct vault_notice *notice);
enum err vault_notice_load(struct vault *v, struct arena *a, int64_t number,
			   struct vault_notice *ret_notice);
/* What was restored stays so. */
enum err vault_notice_accept(struct vault *v, int64_t number);
enum err vault_notice_mark_restored(struct vault *v, int64_t number);
enum err vault_notice_remove(struct vault *v, int64_t number);
/* Open ones, oldest first; all of them when `with_closed`. */
enum err vault_notices(struct vault *v, struct arena *a, bool with_closed,
		       struct vault_notice **ret_notices, size_t *ret_count);

/* ---- identities this home had before: set aside by the office, then released ---- */

#define VAULT_FORMERS_MAX 1000u
/*
 * Numbers of refused changes and of notices of former identities are kept among those of the
 * present one, below minus this times 1, 2, …: n-th identity, own number k as -(n * SPAN + k), the
 * office's notice j as -(n * SPAN + SPAN / 2 + j).
 */
#define VAULT_FORMER_SPAN (INT64_C(1) << 40)

struct vault_former {
	uint32_t device;
	struct sign_public key;
	int64_t number; /* last it sealed */
	int64_t acked;
	int64_t backed_up;
	int64_t until_ms; /* when the next one took its place */
	/* First numbers of its change-sets that the office had, in no backup that was told: kept
	 * until a backup holds something of the present identity, and so all that was before. */
	int64_t *kept;
	size_t kept_count;
};

/* Oldest first. */
enum err vault_formers_load(struct vault *v, struct arena *a, struct vault_former **ret_formers,
			    size_t *ret_count);
enum err vault_formers_put(struct vault *v, const struct vault_former *formers, size_t count);
enum err vault_former_keep(struct vault *v, uint32_t device, int64_t first, struct bytes wire);
enum err vault_former_kept(struct vault *v, struct arena *a, uint32_t device, int64_t first,
			   struct bytes *ret_wire);
/* Drops what was kept of them. */
enum err vault_formers_let_go(struct vault *v);
/*
 * Makes room for the numbers of a new identity, the `nth` change of them: notices get numbers of
 * former ones, likewise changes the office refused up to number `upto`; every other change that the
 * office has not taken is removed (the caller has them and adds them anew).
 */
enum err vault_shelve(struct vault *v, int64_t nth, int64_t upto);
/* No record counts as sent by a number of the present identity; those backed up up to `backed_up`
 * stay so, and those of identities before when `is_believed`. */
enum err vault_records_of_former(struct vault *v, int64_t backed_up, bool is_believed);

/* ---- check ---- */

/* Tells one thing that is wrong: which invariant of docs/client-store.md, and what. */
typedef void (*vault_problem_fn)(void *arg, const char *invariant, const char *text);
/* SQLite's own check of the file's structure. */
enum err vault_check_file(struct vault *v, vault_problem_fn problem, void *arg);
/* Every invariant; unlocked. */
enum err vault_check(struct vault *v, vault_problem_fn problem, void *arg);
