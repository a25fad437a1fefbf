/*
 * limits - everything a peer can make us hold, with its reason (design section 8).
 *
 * Each has a test at the limit and one beyond. They bind both directions; what
 * a released version sends must stay within the limits of every later one.
 */
#pragma once

#include <stddef.h>

/* Bodies. A year of one commune's work in one request is about 1 MiB packed. */
#define LIMIT_REQUEST_BYTES ((size_t)4 << 20)  /* HTTP body, as it arrives */
#define LIMIT_PLAIN_BYTES   ((size_t)16 << 20) /* after zstd: no bomb beyond this */
#define LIMIT_ANSWER_BYTES  ((size_t)4 << 20)  /* default budget of an answer */
#define LIMIT_ADMIN_BYTES   ((size_t)64 << 20) /* admin socket: unit lists, reports */
#define LIMIT_ENROL_BYTES   ((size_t)4 << 10)
#define LIMIT_LOGIN_BYTES   ((size_t)4 << 10) /* a name and two passwords; of strangers, all */
#define LIMIT_CONSOLE_BYTES ((size_t)8 << 20) /* the country's list of units is 1 MiB */

/* Structure, checked by guard.h before any decoder sees a byte. */
#define LIMIT_DEPTH        8u
#define LIMIT_NODES        500000u           /* values in one message: 24 bytes of tree each */
#define LIMIT_STRING_BYTES ((size_t)4 << 20) /* one str or bin: a change-set inside */

/* Change-sets. */
#define LIMIT_CHANGESETS      64u   /* in one request */
#define LIMIT_CHANGES         1000u /* in one change-set */
#define LIMIT_CHANGESET_BYTES ((size_t)2 << 20)
#define LIMIT_CUT_BYTES                                                                       \
	(68u + LIMIT_CHANGES * 4u) /* a cut set over a whole one: two hashes, a mark a change \
				    */
#define LIMIT_WRITES       200u    /* fields in one change */
#define LIMIT_NAME_BYTES   64u     /* type and field names */
#define LIMIT_VALUE_BYTES  ((size_t)64 << 10) /* one value */
#define LIMIT_AUTHOR_BYTES 200u
#define LIMIT_AUTHORS      32u /* in one change-set */
#define LIMIT_CHANGE_NODES                                                    \
	1024u /* msgpack values in one change: 200 writes and what is unknown \
	       */

/* Records as they travel downstream: every field ever written, also those no schema names. */
#define LIMIT_FIELDS       1000u              /* in one record */
#define LIMIT_RECORD_BYTES LIMIT_STRING_BYTES /* one record */

/* The rest of a sync request. */
#define LIMIT_CURSORS           4096u /* units of one device, predecessors included */
#define LIMIT_VERSION_BYTES     64u
#define LIMIT_DEVICE_NAME_BYTES 200u

/* The rest of a sync answer. */
#define LIMIT_RECEIPT_BYTES ((size_t)8 << 10) /* 64 repairs of at most 70 bytes and the rest */
#define LIMIT_NOTICES       1000u             /* in one answer */
#define LIMIT_RESULTS       ((size_t)LIMIT_CHANGESETS * LIMIT_CHANGES)
#define LIMIT_RECORDS       65536u /* in one answer; more waits for the next */
#define LIMIT_EVICTIONS     65536u
#define LIMIT_UNITS         32768u /* all units of the country, with their dated names: 15,000 */
#define LIMIT_CODE_BYTES    64u    /* stable identifiers: refusal, result, kind of notice */
#define LIMIT_TEXT_BYTES    1000u  /* a sentence for people, in two languages */

/* Comparing digests (docs/protocol.md section 11). */
#define LIMIT_DIGEST_UNITS   64u    /* units whose buckets one request brings: 2 KiB each */
#define LIMIT_DIGEST_BUCKETS 16384u /* in one answer: all of those units */
#define LIMIT_STRAYS         1000u  /* records one request asks about by name */

/* Carried by hand: a few hundred KiB for a year of one commune; never near these. */
#define LIMIT_BUNDLE_BYTES ((size_t)24 << 20) /* a file */
#define LIMIT_BUNDLE_PLAIN ((size_t)64 << 20) /* its messages together, after zstd */
#define LIMIT_BUNDLE_PARTS 64u                /* requests or answers in it */

/* Carried in the clear inside an invitation. */
#define LIMIT_INVITATION_BYTES 512u
