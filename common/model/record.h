/*
 * record - a record as fields with stamps, and a change of it.
 *
 * A record's state is, for each field ever written, a value and the stamp of the
 * write that won (design rule M1). Fields are sorted by name, each once. Beside
 * the schema's fields there are five of our own, of every type:
 *
 *   unit         INT    the unit it lives in (surrogate id); written by the first change
 *   deleted      TEXT   the reason, or NULL: not deleted (M4)
 *   voided       TEXT   the reason an event does not count (M3)
 *   merged_into  BYTES  the record this double was joined to (M6)
 *   corrects     BYTES  the event this one replaces (M3)
 *
 * Pure. A struct record borrows everything from an arena or a store row.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/id.h"
#include "common/model/stamp.h"
#include "common/model/value.h"

#define RECORD_UNIT        "unit"
#define RECORD_DELETED     "deleted"
#define RECORD_VOIDED      "voided"
#define RECORD_MERGED_INTO "merged_into"
#define RECORD_CORRECTS    "corrects"

struct schema;

struct field {
	struct bytes name;
	struct value value;
	struct stamp stamp;
	uint64_t
		log; /* number of the change-set that wrote it; 0 on a client's own unsent writes */
};

struct record {
	struct bytes type;
	struct id id;
	struct field *fields; /* sorted by name */
	size_t count;
};

struct write {
	struct bytes name;
	struct value value;
};

/* One edit of one record by one author. */
struct change {
	struct bytes type;
	struct id id;
	uint64_t number; /* of the device, without gaps, from 1 */
	uint64_t clock;  /* raw, as the device wrote it */
	uint64_t base; /* cursor of the record's unit the device held: what its author could see */
	struct bytes author;
	struct write *writes; /* sorted by name, each once */
	size_t count;
	/* Allows each of the values alone (validate_ahead()); NULL: nobody looked. */
	const struct schema *judged_by;
	bool is_cut;     /* its record was erased by law: that it was made is all that is left */
	bool is_foreign; /* of another history of its device: what that one wrote is another's */
};

/* One of the five names above: registers in every type, also in events. */
bool record_is_system_field(struct bytes name);

const struct field *record_find(const struct record *r, struct bytes name);
/* NULL-kind when the field was never written. */
struct value record_value(const struct record *r, const char *name);
/* 0 when unknown. */
int64_t record_unit(const struct record *r);
/* `deleted` is set and no field has a greater stamp: an edit brings a record back (M4),
 * and so does writing NULL to `deleted`. */
bool record_is_deleted(const struct record *r);
bool record_is_voided(const struct record *r);
/* To another record, as its double (M6). */
bool record_is_joined(const struct record *r);
/* The greatest stamp and log number of its fields; zero when it has none. */
struct stamp record_last_stamp(const struct record *r);
uint64_t record_last_log(const struct record *r);

const struct write *change_find(const struct change *c, struct bytes name);
/* Sorts writes by name; false when a name is there twice. */
bool change_sort(struct change *c);

/* Deep copy into `a`: nothing of it borrows from where `r` did. */
struct record record_copy(struct arena *a, const struct record *r);

/*
 * Canonical bytes of type, id and every field's name, value and stamp (not the log
 * number): two replicas agree if and only if these are equal. For digests and
 * tests; appended to `out`.
 */
struct buf;
void record_canonical(const struct record *r, struct buf *out);
