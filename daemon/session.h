/*
 * session - the sync log: one row a contact, kept as long as the records are.
 *
 * Keys are those of `ctxhctl log`. A row is begun in the transaction that
 * merges and ended when the answer has left; what never ends stays "failed" after a restart
 * (session_mend). Runs inside the writer's transaction.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "daemon/ingest.h"
#include "daemon/outgoing.h"

struct store;

enum session_outcome {
	SESSION_OPEN,    /* begun, answer not sent yet */
	SESSION_OK,      /* everything went in */
	SESSION_PARTIAL, /* something is quarantined, in conflict or missing */
	SESSION_REFUSED, /* we said no */
	SESSION_FAILED   /* we or the network broke */
};

struct session_row {
	uint64_t session;
	uint32_t device;
	bool is_device_known; /* false: `device` is what a stranger claimed */
	int64_t unit;         /* first unit of the device; 0: none */
	struct bytes author;
	int64_t started_ms;
	int64_t ended_ms;       /* 0: not yet */
	struct bytes transport; /* "network" or "file" */
	struct bytes address;
	struct bytes client_version;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t changesets;
	uint64_t applied;
	uint64_t conflicts;
	uint64_t quarantined;
	uint64_t records_out;
	uint64_t evictions;
	int64_t clock_offset_ms;
	enum session_outcome outcome;
	struct bytes error; /* code; empty: none */
	uint64_t log_first; /* numbers its change-sets got; 0: none */
	uint64_t log_last;
};

/* "ok", "partial", "refused", "failed", "open". */
const char *session_outcome_name(enum session_outcome outcome);
/* False: no such outcome. */
bool session_outcome_parse(struct bytes text, enum session_outcome *ret_outcome);

struct session_start {
	uint32_t device;
	struct bytes author;
	struct bytes transport;
	struct bytes address;
	struct bytes client_version;
	uint64_t bytes_in;
	uint64_t counter; /* request counter taken: kept with the device */
	int64_t sent_ms;  /* 0: by file */
	int64_t now_ms;
};

/* Also notes the contact, clock offset and version at the device. */
enum err session_begin(struct store *s, const struct session_start *start, uint64_t *ret_session);
/* What ingest did; still open. */
enum err session_merged(struct store *s, uint64_t session, const struct ingest_result *result);

struct session_finish {
	int64_t now_ms;
	uint64_t bytes_out;
	struct outgoing_stats stats;
	bool is_failed; /* we or the network broke */
	/* code; "digest: …" of a difference found (partial); empty: none */
	struct bytes error;
};
enum err session_end(struct store *s, uint64_t session, const struct session_finish *finish);

/*
 * One row for a contact that was turned away; device 0 with is_device_known false for strangers. A
 * counter in `start` was taken from that device and is kept.
 */
enum err session_refused(struct store *s, const struct session_start *start, bool is_device_known,
			 struct bytes error, uint64_t bytes_out, uint64_t *ret_session);

/* At start: rows left open by a crash become failed ("interrupted"). */
enum err session_mend(struct store *s, int64_t now_ms);

#define SESSION_UNIT_LEN 32u
/* The code of its unit as it is shown on that day; "": it has none. */
enum err session_load_unit(struct store *s, uint64_t session, int64_t day,
			   char ret_code[SESSION_UNIT_LEN]);

struct session_filter {
	int64_t unit; /* 0: any; a device's given unit */
	bool has_device;
	uint32_t device;
	int64_t since_ms; /* 0: any */
	int64_t until_ms; /* exclusive; 0: any */
	bool is_bound;    /* only of these devices, ascending */
	const uint32_t *devices;
	size_t device_count;
	bool has_outcome;
	enum session_outcome outcome;
	bool with_open; /* also those whose outcome is not known yet */
	uint64_t after; /* session number: only younger ones (--follow) */
	size_t limit;   /* 0: 100 */
};
/* Newest first; with `after`, oldest first. */
enum err session_list(struct store *s, struct arena *a, const struct session_filter *filter,
		      struct session_row **ret_rows, size_t *ret_count);
/* ERR_NOTFOUND. */
enum err session_load(struct store *s, struct arena *a, uint64_t session,
		      struct session_row *ret_row);
