/*
 * store - the daemon's SQLite behind a narrow interface.
 *
 * One struct store is one connection and belongs to one thread at a time. The
 * writer's is the only one that writes or checkpoints (this SQLite has the
 * WAL-reset bug); readers are `query_only`. SQLite's codes stop in store*.c. After
 * an I/O error or corruption every function gives ERR_IO or ERR_CORRUPT (FATAL class) and
 * the process must end: fsync is never tried again on the same pages.
 *
 * docs/storage.md has the tables and the numbered invariants.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/crypt.h"
#include "common/model/record.h"
#include "common/model/schema.h"
#include "daemon/registry.h"
#include "proto/changeset.h"

struct store;

/*
 * Where SQLite's temporary files go, what a report sorts and what packs the store: a folder only we
 * can read. The first call counts, for the whole process; before there are other threads.
 */
void store_set_temp_folder(const char *folder);

/*
 * Opens (or makes) DIR/ctxhd.db: drops the page cache of the file first, checks every
 * pragma by reading it back, migrates, makes typed tables and columns the schema
 * names (NULL: none). `schema` is borrowed until store_use_schema() or close. ERR_CORRUPT: not
 * ours, or damaged; ERR_AGAIN: another process has it open.
 */
enum err store_open_writer(const char *path, const struct schema *schema, struct store **ret_store);
/* A reading connection. The writer must have opened the file once before. */
enum err store_open_reader(const char *path, const struct schema *schema, struct store **ret_store);
void store_close(struct store *s);
DEFINE_AUTO(struct store *, store_close)

/* Transactions of the writer; `name` marks nest inside. Readers: begin gives one snapshot. */
enum err store_begin(struct store *s);
enum err store_commit(struct store *s);
void store_rollback(struct store *s);
enum err store_mark(struct store *s);      /* SAVEPOINT */
enum err store_mark_keep(struct store *s); /* RELEASE */
void store_mark_undo(struct store *s);     /* ROLLBACK TO, RELEASE */

/* Writer only, outside a transaction: moves the WAL into the file. */
enum err store_checkpoint(struct store *s);
/* Pages in the WAL, for the decision when. */
uint64_t store_wal_pages(const struct store *s);

/* Any thread: whether its names can be tables and columns of a store. ERR_INVAL; `ret_error` names
 * type and field. store_use_schema() asks the same. */
enum err store_check_schema(const struct schema *schema, char ret_error[SCHEMA_ERROR_LEN]);
/* Writer only: tables and columns of a newer schema; additive, in its own transaction. */
enum err store_use_schema(struct store *s, const struct schema *schema);
const struct schema *store_schema(const struct store *s);

/* Settings kept in the store: "epoch", "daemon", … ERR_NOTFOUND. */
enum err store_get_setting(struct store *s, struct arena *a, const char *name,
			   struct bytes *ret_value);
enum err store_put_setting(struct store *s, const char *name, struct bytes value);

/* A pool of reading connections for pool threads; any thread. */
struct readers;
enum err readers_open(const char *path, const struct schema *schema, size_t count,
		      struct readers **ret_readers);
void readers_close(struct readers *r);
DEFINE_AUTO(struct readers *, readers_close)
/* Waits for a free one; never fails. Give it back on the same thread. */
struct store *readers_take(struct readers *r);
void readers_give(struct readers *r, struct store *s);
/* After a reload: each connection takes the new schema when it is next taken. */
void readers_use_schema(struct readers *r, const struct schema *schema);

/* ---- record states ---- */

/* A part of a numbered list. */
struct store_range {
	uint64_t after;    /* exclusive; 0: from the first */
	size_t limit;      /* rows at most */
	bool is_open_only; /* conflicts, quarantine: leaves the decided out */
	/* Conflicts, quarantine: those with a decision the office can take back, the last one
	 * first. */
	bool is_decided_only;
};

/*
 * One record as the store has it, and as it is put back. Ask by type and id in
 * `record`; store_load_states() fills the rest.
 */
struct store_state {
	struct record record; /* count 0: not stored yet */
	int64_t row;          /* 0: not stored yet */
	int64_t unit;         /* of the row as it was loaded or put; 0: none */
	uint64_t log;         /* likewise */
	struct bytes touched; /* packed numbers of the change-sets that named it, ascending */
};

/*
 * Fills each state from the table of its type; types the schema lacks are ERR_NOTFOUND,
 * which is a bug of the caller's checks. Everything lives in `a` but the names of fields, which
 * are the store's.
 */
enum err store_load_states(struct store *s, struct arena *a, struct store_state *states,
			   size_t count);
/* The same for many at once, the writer's. No record twice. */
enum err store_load_batch(struct store *s, struct arena *a, struct store_state *const *states,
			  size_t count);
/*
 * Inserts or updates one. `log` is added to what touched it; 0 adds nothing. Leaves row, log and
 * touched of the state as they are stored now (in `a`), so that it can be put again.
 */
enum err store_put_state(struct store *s, struct arena *a, struct store_state *state, uint64_t log);
/* The same for many at once. No record twice. After an error the transaction is to be undone. */
enum err store_put_states(struct store *s, struct arena *a, struct store_state *const *states,
			  size_t count, uint64_t log);

/* Reads what `touched` holds: log numbers, ascending. */
void store_read_touched(struct arena *a, struct bytes touched, uint64_t **ret_logs,
			size_t *ret_count);

/* A page of one unit's records of one type: by (log, row), log in after..until. */
struct store_page {
	struct bytes type;
	int64_t unit;
	uint64_t after; /* exclusive */
	uint64_t until; /* inclusive */
	size_t limit;   /* records; the last log number of the page is always whole */
};
enum err store_load_page(struct store *s, struct arena *a, const struct store_page *page,
			 struct store_state **ret_states, size_t *ret_count);
/* The greatest log number that changed something in a unit or took a record from it; 0: none. */
enum err store_load_unit_log(struct store *s, int64_t unit, uint64_t *ret_log);
enum err store_put_unit_log(struct store *s, int64_t unit, uint64_t log);
/* Types there are tables for, those a newer schema dropped too; sorted. Borrowed. */
bool store_has_type(struct store *s, struct bytes type, bool *ret_is_event);
size_t store_type_count(const struct store *s);
struct bytes store_type(const struct store *s, size_t index, bool *ret_is_event);
/* Rows of a type by row number, with the columns reports read, for verify. */
struct store_row {
	struct store_state state;
	int64_t unit;
	bool is_deleted;
	bool is_voided;
};
enum err store_load_rows(struct store *s, struct arena *a, struct bytes type,
			 const struct store_range *range, struct store_row **ret_rows,
			 size_t *ret_count);
/* An empty store gets the typed tables of another, field numbers included. Writer only. */
enum err store_make_like(struct store *s, const struct store *other);
/* Records of a type, deleted ones included. */
enum err store_count_records(struct store *s, struct bytes type, uint64_t *ret_count);
/* Records of a type in a unit, deleted ones left out. */
enum err store_count_unit(struct store *s, struct bytes type, int64_t unit, uint64_t *ret_count);

/* ---- the log ---- */

enum log_kind {
	LOG_CHANGESET = 1,   /* a device's (or the office's) signed bytes as received */
	LOG_REPLAY = 2,      /* one quarantined change let in by an administrator */
	LOG_ERASE = 3,       /* records erased by law: erasure_encode() of which and why */
	LOG_REPLAY_FORK = 4, /* as LOG_REPLAY, of another history of its device */
};

/* What became of a change that did not simply go in; the same codes as in msg_result. */
struct log_verdict {
	uint64_t number;
	struct bytes code;
	struct bytes field;
	bool is_quarantined; /* it is in quarantine, not in the states */
};

/* The device took the place of another one, and this change is in the log already as that one's. */
#define LOG_CODE_REPEATED "repeated"

/* The change is not folded: it is in quarantine, or in the states by another entry. */
static inline bool log_verdict_is_skipped(const struct log_verdict *v)
{
	return v->is_quarantined || bytes_is(v->code, LOG_CODE_REPEATED);
}

struct log_row {
	uint64_t log; /* one above store_last_log() */
	enum log_kind kind;
	uint32_t device;
	uint64_t first;
	uint64_t count;
	struct hash chain; /* head after it */
	int64_t received_ms;
	int64_t sent_ms; /* 0: by file */
	struct repair repair;
	uint64_t base_cut;   /* 0: bases as they are; else the greatest that counts, plus one */
	struct bytes author; /* of every change in it; empty: several, or none */
	struct signature signature;
	uint64_t session;
	/* Plain here, compressed in the table. Of a set of which changes were cut out by law: what
	 * is left of it, and `cut` has the hashes of the bytes as they came. */
	struct bytes body;
	struct changeset_cut cut;
	struct bytes packed; /* store_pack_body() of it, when that was done already */
	struct log_verdict *verdicts;
	size_t verdict_count;
};

/* Appends what the table keeps of a body. Any thread: a pool thread does it for the writer. */
void store_pack_body(struct bytes body, struct buf *out);
enum err store_put_log(struct store *s, const struct log_row *row);
/* ERR_NOTFOUND. */
enum err store_load_log(struct store *s, struct arena *a, uint64_t log, struct log_row *ret_row);
/* Body, cut and verdicts of the row take the place of what is there. ERR_NOTFOUND. */
enum err store_cut_log(struct store *s, const struct log_row *row);
/* Its author alone, without its bytes; empty: several, or there is none. ERR_NOTFOUND. */
enum err store_load_log_author(struct store *s, struct arena *a, uint64_t log, uint32_t *ret_device,
			       struct bytes *ret_author);
/* The change-set of `device` that holds `number`. ERR_NOTFOUND. */
enum err store_find_log(struct store *s, struct arena *a, uint32_t device, uint64_t number,
			struct log_row *ret_row);
/* The greatest log number; 0 before the first. */
enum err store_last_log(struct store *s, uint64_t *ret_log);
/* Log numbers of a session, ascending. */
enum err store_load_session_logs(struct store *s, struct arena *a, uint64_t session,
				 uint64_t **ret_logs, size_t *ret_count);

/* ---- devices ---- */

struct store_device {
	struct registry_device id; /* number, key, state, clearance, request counter */
	struct bytes name;
	struct bytes author;
	uint64_t last_number; /* everything up to here is committed, without gaps */
	struct hash chain;    /* the head after it */
	uint64_t clock;       /* greatest effective clock: the floor of its next repair */
	uint64_t seen_number; /* greatest number it was ever heard to have: above last_number,
				 missing */
	uint64_t backed_up;   /* everything up to here is in a verified backup */
	int64_t enrolled_ms;
	int64_t revoked_ms;      /* 0: not */
	int64_t last_contact_ms; /* 0: never */
	int64_t clock_offset_ms; /* its clock minus ours at the last contact */
	bool is_clock_flagged;   /* out of tolerance at its last change-set */
	struct bytes client_version;
	struct bytes why; /* of the revocation */
	uint32_t former;  /* the device set aside whose place it took; 0: none. Never changes */
};

/* ERR_NOTFOUND. */
enum err store_load_device(struct store *s, struct arena *a, uint32_t number,
			   struct store_device *ret_device);
/* All, by number; the office (0) first. */
enum err store_load_devices(struct store *s, struct arena *a, struct store_device **ret_devices,
			    size_t *ret_count);
/* Adds or replaces. */
enum err store_put_device(struct store *s, const struct store_device *device);
/* Units it was given; its scope is wider: units_load_scope(). */
enum err store_load_device_units(struct store *s, struct arena *a, uint32_t device,
				 int64_t **ret_units, size_t *ret_count);
enum err store_add_device_unit(struct store *s, uint32_t device, int64_t unit);

/* ---- what merging leaves behind ---- */

struct conflict_row {
	uint64_t conflict; /* set by store_put_conflict() */
	struct bytes type;
	struct id id;
	uint64_t log; /* change-set that brought it to light */
	struct field kept;
	struct field lost; /* `name` of both is the field's */
	struct bytes kept_by;
	struct bytes lost_by;
	int64_t at_ms;
	struct bytes state; /* "open", "kept", "restored" */
	/* Who decided: an administrator, or the author whose change restored the value. */
	struct bytes decided_by;
	uint32_t decided_device;
	int64_t decided_ms; /* 0: not decided */
};
/* As it came to light, not decided. */
enum err store_put_conflict(struct store *s, struct conflict_row *row);
/* By number. */
enum err store_load_conflicts(struct store *s, struct arena *a, const struct store_range *range,
			      struct conflict_row **ret_rows, size_t *ret_count);
/* ERR_NOTFOUND. */
enum err store_load_conflict(struct store *s, struct arena *a, uint64_t conflict,
			     struct conflict_row *ret_row);
/* Those of one field of the record that the change is of, decided or not, by number. */
enum err store_load_conflicts_of(struct store *s, struct arena *a, const struct change *c,
				 struct bytes field, struct conflict_row **ret_rows,
				 size_t *ret_count);
struct store_lost_value {
	struct bytes type;
	struct id id;
	struct bytes field;
	struct value value;
};
/* The open ones of one record in which this value of this field lost; of `deleted` all. By index,
 * however many others the record has. */
enum err store_load_open_conflicts(struct store *s, struct arena *a,
				   const struct store_lost_value *lost,
				   struct conflict_row **ret_rows, size_t *ret_count);
/*
 * Whether the record may have an open conflict, and whether a value may have lost in one: false is
 * certain, and spares nearly every change the question above. From memory, once store_load_lost()
 * has read the table.
 */
enum err store_load_lost(struct store *s);
bool store_may_have_lost(const struct store *s, const struct id *id);
bool store_may_be_lost(const struct store *s, const struct id *id, struct bytes field,
		       const struct value *value);
/* Sets state and what is said of the decision of row->conflict; of an open one `id` and `lost` must
 * be the row's. ERR_NOTFOUND. */
enum err store_decide_conflict(struct store *s, const struct conflict_row *row);

struct quarantine_row {
	uint64_t quarantine; /* set by store_put_quarantine() */
	uint32_t device;
	uint64_t number;
	uint64_t log;   /* change-set it came in; 0: of a fork, not in the log */
	uint64_t clock; /* effective: what it would have been written with */
	struct bytes type;
	struct id id;
	struct bytes reason;
	struct bytes field;
	struct bytes text;  /* for people */
	struct bytes bytes; /* the whole change, msgpack */
	int64_t at_ms;
	struct bytes state; /* "open", "replayed", "discarded", "resent" */
	struct bytes why;
};
enum err store_put_quarantine(struct store *s, struct quarantine_row *row);
enum err store_load_quarantine(struct store *s, struct arena *a, const struct store_range *range,
			       struct quarantine_row **ret_rows, size_t *ret_count);
/* Open ones of this record that may only have come before what makes it: refused for what was
 * missing, or for a scope it could not be in. None of a fork. By number. */
enum err store_load_waiting(struct store *s, struct arena *a, struct bytes type,
			    const struct id *id, struct quarantine_row **ret_rows,
			    size_t *ret_count);
/* Open ones of one record, of a history of the device that forked. */
enum err store_load_forked(struct store *s, struct arena *a, uint32_t device, const struct id *id,
			   struct quarantine_row **ret_rows, size_t *ret_count);
/* Log numbers of the change-sets from which changes of this record are in quarantine; some may
 * repeat. */
enum err store_load_quarantine_logs(struct store *s, struct arena *a, struct bytes type,
				    const struct id *id, uint64_t **ret_logs, size_t *ret_count);
/* ERR_NOTFOUND. */
enum err store_set_quarantine_state(struct store *s, uint64_t quarantine, const char *state,
				    struct bytes why);

/* A record left a unit: evictions, and edits that land after a transfer (M5). */
struct moved_row {
	struct bytes type;
	struct id id;
	int64_t from_unit;
	int64_t to_unit;
	uint64_t log;
	bool is_erased; /* by law, and went nowhere; only store_load_moved_from() gives these */
};
enum err store_put_moved(struct store *s, const struct moved_row *row);
/* Of one record, oldest first. */
enum err store_load_moved_of(struct store *s, struct arena *a, const struct id *id,
			     struct moved_row **ret_rows, size_t *ret_count);
/* Unit, after and until of the page count; type and limit do not. */
enum err store_load_moved_from(struct store *s, struct arena *a, const struct store_page *page,
			       struct moved_row **ret_rows, size_t *ret_count);

struct notice_row {
	uint64_t notice; /* one above store_last_notice() of the device */
	uint32_t device;
	struct bytes kind; /* "conflict", "quarantine", "landed", "decided", "reopened" */
	struct bytes type;
	struct id id;
	struct bytes field;
	struct value kept;
	struct value lost;
	struct bytes by;
	int64_t at_ms;
	struct bytes text;
	uint64_t number; /* of the device's change it tells of; 0: of none */
};
enum err store_put_notice(struct store *s, const struct notice_row *row);
/*
 * Numbers and puts it, for the device and for those that went on in its place, however late: what
 * concerns a change of a device concerns whoever has its home.
 */
enum err store_notify(struct store *s, struct notice_row *notice);
/* The successor gets what the former device was told after its notice `after`. */
enum err store_inherit_notices(struct store *s, uint32_t former, uint64_t after,
			       uint32_t successor);
/* 0: none. */
enum err store_last_notice(struct store *s, uint32_t device, uint64_t *ret_notice);
enum err store_load_notices(struct store *s, struct arena *a, uint32_t device,
			    const struct store_range *range, struct notice_row **ret_rows,
			    size_t *ret_count);

/* Devices given one of the units themselves (not by succession). */
enum err store_load_unit_devices(struct store *s, struct arena *a, int64_t unit,
				 uint32_t **ret_devices, size_t *ret_count);
/* The greatest effective clock ever stored: what the daemon's own clock has observed. */
uint64_t store_clock(const struct store *s);

/*
 * Every administrative act: an entry of a hash chain over entry hashes. The detail may be
 * erased by law; its hash stays, so the chain still verifies.
 */
enum err store_put_audit(struct store *s, int64_t at_ms, struct bytes who, struct bytes what,
			 struct bytes detail);
struct hash store_hash_audit(int64_t at_ms, struct bytes who, struct bytes what,
			     const struct hash *detail);
