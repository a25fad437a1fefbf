/*
 * sync - one contact with the office: send what waits, take what is owed.
 *
 * Pure given a clock, a transport and the vault. Drafts are sealed into change-sets
 * and lie in the outbox, on the disk, before the first byte is sent; nothing is
 * marked as sent but by a receipt that is signed by the daemon, is for this device
 * and epoch, and names our own chain head. What an answer changes is one
 * transaction. docs/client-store.md has the invariants, docs/protocol.md the answers.
 */
#pragma once

#include "client/vault.h"
#include "common/model/schema.h"
#include "proto/msg.h"

/*
 * Of one change-set. The office gives a set's records out together, so a set is also the least
 * piece another device can take: small ones keep budgets, and let a bad line get on.
 */
#define SYNC_SET_CHANGES   100u
#define SYNC_SET_BYTES     ((size_t)16 << 10)
#define SYNC_REQUEST_BYTES ((size_t)3 << 20) /* change-sets of one part of a file */
/*
 * Before zstd, of the change-sets of one round, and of its answer: what is lost when the line
 * breaks. It grows with each round that went well, and begins low when the contact before did not
 * end.
 */
#define SYNC_PACE_LEAST    ((size_t)16 << 10)
#define SYNC_PACE_FIRST    ((size_t)64 << 10)
#define SYNC_PACE_STEP     ((size_t)32 << 10)
#define SYNC_PACE_MOST     ((size_t)256 << 10)
/* Of one contact; an office that always has more would else hold it for ever. The next goes on. */
#define SYNC_ROUNDS_MAX    1000u

/*
 * One request, one answer. `body` empty: GET, else POST. Any status is an answer and
 * ERR_OK. ERR_NET, ERR_TIMEOUT: none came, and whether the office got the request is
 * unknown. ERR_AUTH: the daemon is not the one we enrolled with.
 */
struct sync_transport;
typedef enum err (*sync_request_fn)(struct sync_transport *t, const char *path, struct bytes body,
				    int *ret_status, struct buf *ret_answer);
struct sync_transport {
	sync_request_fn request;
};

#define SYNC_TEXT_LEN 512u

struct sync_report {
	size_t rounds;
	size_t changes_sent; /* now under a receipt */
	size_t records;      /* states taken */
	size_t evictions;
	size_t notices;
	size_t conflicts;   /* of our changes */
	size_t quarantined; /* of our changes */
	size_t bytes_out;
	size_t bytes_in;
	size_t compared;          /* units whose digests were compared with the office's */
	size_t differing;         /* of them, at first */
	size_t still_differing;   /* after the repair */
	size_t buckets;           /* exchanged */
	size_t repaired;          /* records that are now as the office has them */
	size_t lost_values;       /* that went from them; kept in the inbox */
	size_t strays;            /* records the office did not list */
	size_t missing_records;   /* of them, those it does not have at all */
	bool is_spent;            /* the budget ended it: more waits for the next contact */
	int64_t missing;          /* numbers the office lacks and we no longer hold */
	bool is_epoch_new;        /* the office was restored from a backup */
	char refusal[64];         /* code of the refusal it ended with, or "" */
	char text[SYNC_TEXT_LEN]; /* its text for people */
	int64_t retry_after_s;
};

/* Whether a contact compares digests (sync_compare.h). */
enum sync_compare {
	SYNC_COMPARE_NEVER,
	SYNC_COMPARE_DAILY, /* at most once a day, when it costs next to nothing */
	SYNC_COMPARE_ALWAYS,
};

struct sync {
	struct vault *vault;
	const struct clock *clock;
	struct sync_transport *transport;
	const struct schema *schema; /* may be NULL before the first one came */
	const char *client_version;
	uint64_t max_bytes;        /* of one answer, before zstd; 0: by pace, by file no limit */
	uint64_t budget;           /* of the whole contact, both ways, on the wire; 0: none */
	enum sync_compare compare; /* over the network only */
	bool is_by_file;           /* how long an answer was under way says nothing of clocks */
};

/* Drafts become change-sets in the outbox. */
enum err sync_seal(struct sync *s);

/*
 * Until nothing waits on either side, or the budget is spent (report->is_spent). A change-set or a
 * piece of the office's that is larger than the whole budget goes in a contact of its own, which
 * then costs more: else nothing behind it would ever go. The report is filled in every case.
 * Errors: RETRY class: nothing wrong, again later. ERR_AUTH: the office takes nothing from this
 * device (report->refusal) or is not the one we know. ERR_PROTO: an answer we do not believe;
 * nothing of it was kept. Others: the vault's.
 */
enum err sync_run(struct sync *s, struct sync_report *report);

/* ---- the steps of a contact, for answers that come by file (bundle.h) ---- */

/* What a request says, with the change-sets after number `after` that fit into `max_bytes` and one
 * request. Lives in `a`. */
enum err sync_message(struct sync *s, struct arena *a, int64_t after, size_t max_bytes,
		      struct msg_sync *ret_message);
/* ERR_OK: mended, or nothing was to be mended. ERR_AUTH: the office takes nothing from this device.
 * ERR_PROTO: it lacks what is no longer kept (report->missing), or another refusal. */
enum err sync_take_refusal(struct sync *s, const struct msg_refusal *refusal,
			   struct sync_report *report);
/* What ended with `e` may have found out that the office lacks what is no longer kept here: the
 * vault remembers it, and the device may be released. Gives `e` again, or the vault's error. */
enum err sync_note_missing(struct sync *s, const struct sync_report *report, enum err e);
/* A refusal as it came, bare or like an answer. ERR_PROTO, …: it is none. */
enum err sync_read_refusal(struct arena *a, struct bytes answer, struct msg_refusal *ret_refusal);
void sync_keep_refusal(struct sync_report *report, const struct msg_refusal *refusal);
/* How many of the changes make one change-set of about so many bytes; at least one. */
size_t sync_cut_set(const struct change *changes, size_t count, size_t max_bytes);
/* The office's documents. ERR_INVAL, ERR_PROTO, …: not kept, the old one stays. */
enum err sync_keep_schema(struct sync *s, struct bytes bundle);
enum err sync_keep_units(struct sync *s, struct bytes message);

/* ---- over the network ---- */

/* Schema and units, when the office has other ones than the vault. */
enum err sync_documents(struct sync *s, const uint8_t schema_version[8], uint64_t units_version,
			struct sync_report *report);
