/*
 * bundle - requests and answers as a file, carried by hand.
 *
 * A file to the office holds what sync requests hold: the same sealed change-sets, cursors,
 * versions. A return file holds what answers hold. Both are sealed to their reader, signed by
 * their writer, and a multiple of 4 KiB long: in the clear stand a number, an id and a length.
 *
 *   magic 8 | version u8 | kind u8 | zero u16 | device u32 | daemon id 16 | file length u64    =
 * head sealed to the reader's key (letter.h; the head is bound to it): length u32 | body,
 * msgpack | zeros signature 64 by the writer over ("ctxh-bundle-v1", everything before)
 *
 * Numbers are big-endian. Pure. What is opened lives in the arena.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/letter.h"
#include "proto/msg.h"

#define BUNDLE_CONTEXT  "ctxh-bundle-v1"
#define BUNDLE_VERSION  1u
#define BUNDLE_HEAD_LEN 40u
#define BUNDLE_MIN_LEN  (BUNDLE_HEAD_LEN + LETTER_OVERHEAD + 4u + SIGN_LEN)
#define BUNDLE_STEP     4096u /* files are a multiple of this */

enum bundle_kind {
	BUNDLE_TO_OFFICE = 1,
	BUNDLE_RETURN = 2,
};

/* What is wrong with a file, in the order in which it is looked at. */
enum NODISCARD bundle_flaw {
	BUNDLE_SOUND,
	BUNDLE_STRANGE,     /* not one of ours at all */
	BUNDLE_NEWER,       /* a version we do not know */
	BUNDLE_CUT,         /* shorter than it says */
	BUNDLE_LONGER,      /* longer than it says, or than is allowed */
	BUNDLE_WRONG_WAY,   /* the other kind */
	BUNDLE_ELSEWHERE,   /* of another office */
	BUNDLE_FORGED,      /* altered on the way, or not signed by whom it names */
	BUNDLE_NOT_TO_US,   /* sealed to another key */
	BUNDLE_UNREADABLE,  /* signed, opened, and no sense in it */
	BUNDLE_OTHER_DEVICE /* of another device */
};

/* What happened to the file, for people; Vietnamese and English. `flaw` is not BUNDLE_SOUND. */
const char *bundle_flaw_vi(enum bundle_flaw flaw);
const char *bundle_flaw_en(enum bundle_flaw flaw);
/* Stable, for programs: "cut", "forged", … */
const char *bundle_flaw_name(enum bundle_flaw flaw);

/* What stands in the clear. */
struct bundle_head {
	enum bundle_kind kind;
	uint32_t device;
	struct id daemon;
};

/* BUNDLE_STRANGE, _NEWER, _CUT, _LONGER. Nothing is vouched for yet. */
enum bundle_flaw bundle_peek(struct bytes file, struct bundle_head *ret_head);
/* Begins like a file of ours: to know what a name stands for before it is replaced. */
bool bundle_is_one(struct bytes start);

/* What a device sends. Parts are sync messages (msg_sync_encode), in order of their change-sets. */
struct bundle_out {
	uint64_t number; /* of this file: a request counter of the device */
	struct bytes *parts;
	size_t part_count;
};

/* What the office returns. */
struct bundle_return {
	uint64_t number; /* of the file it answers */
	uint64_t log;    /* the office's log number when it was made */
	struct id epoch; /* the device's, as in that file */
	struct msg_cursor *cursors;
	size_t cursor_count;
	struct bytes refusal; /* msg_refusal_encode; empty: none */
	struct bytes *parts;  /* synced messages, in order */
	size_t part_count;
	struct bytes schema; /* the bundle of it, when the device has another one; else empty */
	struct bytes units;  /* msg_units_encode, likewise */
};

struct bundle_writer {
	struct bundle_head head;
	const struct sign_pair *key;      /* of who writes */
	const struct sign_public *reader; /* of who shall read */
	struct rand *rand;
};

/*
 * Append a whole file. ERR_TOOBIG: over LIMIT_BUNDLE_BYTES. ERR_INVAL: the reader's key is none.
 * At most LIMIT_BUNDLE_PARTS parts, each and each document at most LIMIT_PLAIN_BYTES
 * less MSG_ENVELOPE_OVERHEAD.
 */
enum err bundle_write_out(const struct bundle_writer *w, const struct bundle_out *b,
			  struct buf *out);
enum err bundle_write_return(const struct bundle_writer *w, const struct bundle_return *b,
			     struct buf *out);

/*
 * `file` was peeked at, and it is the kind that is read here. _FORGED, _NOT_TO_US, _UNREADABLE,
 * in this order: nothing is decrypted of what the writer did not sign.
 */
enum bundle_flaw bundle_open_out(struct arena *a, struct bytes file,
				 const struct sign_public *writer, const struct sign_pair *own,
				 struct bundle_out *ret_out);
enum bundle_flaw bundle_open_return(struct arena *a, struct bytes file,
				    const struct sign_public *writer, const struct sign_pair *own,
				    struct bundle_return *ret_return);
