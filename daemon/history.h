/*
 * history - what happened to a record, and who wrote a value: read back from the log.
 *
 * Nothing is stored twice: the change-sets that named a record are listed with it, and
 * are opened again here. Pure over store.h.
 */
#pragma once

#include "common/base/arena.h"
#include "daemon/store.h"

/* One field of one change. */
struct history_write {
	struct bytes field;
	struct value old; /* before this change, as the daemon had it when it came */
	struct value new;
	bool is_kept; /* false: it lost against a write already there */
};

/* One change of the record. */
struct history_entry {
	uint64_t log;
	uint64_t session;
	uint32_t device;
	uint64_t number;
	struct bytes type;
	struct id id;
	struct bytes author;
	uint64_t raw_clock;    /* as the device gave it */
	bool is_clock_flagged; /* the device's clock was wrong when it sent this (M7) */
	struct stamp stamp;    /* effective: raw_clock as it was mended */
	uint64_t base;
	int64_t received_ms;
	struct bytes result; /* "applied", "conflict", "parallel", "landed", "same" or why it is in
				quarantine */
	bool is_quarantined;
	struct history_write *writes;
	size_t write_count;
};

/* Of one record, newest first. ERR_NOTFOUND: no such record. */
enum err history_load_record(struct store *s, struct arena *a, struct bytes type,
			     const struct id *id, struct history_entry **ret_entries,
			     size_t *ret_count);
/* Every change of one session, in order of arrival. */
enum err history_load_session(struct store *s, struct arena *a, uint64_t session,
			      struct history_entry **ret_entries, size_t *ret_count);
/* Who wrote the value of this field: the author of the change it came with. Empty: unknown
 * (erased).
 */
enum err history_author(struct store *s, struct arena *a, const struct record *r,
			const struct field *f, struct bytes *ret_author);
