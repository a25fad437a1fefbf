/*
 * sync_compare - do this device and the office hold the same (docs/protocol.md section 11).
 *
 * What is compared is the office's state of each record, as the vault has it; our own unsent
 * changes lie on top of it and do not matter. A difference means a bug: it is repaired, told in the
 * inbox, and the office logs it. Pure over the vault.
 */
#pragma once

#include "client/sync.h"
#include "common/model/digest.h"

/* Of one contact; zero-initialised. Lists live in the arena given to sync_compare_check(). */
struct sync_comparison {
	bool is_wanted;
	bool is_unfinished; /* another request is to be made */
	bool has_asked_buckets;
	size_t mended;      /* records so far: buckets that mend none are not asked for again */
	int64_t *differing; /* units */
	size_t differing_count;
	struct msg_stray *strays; /* not asked about in this contact */
	size_t stray_count;
	struct id *asked; /* strays that were */
	size_t asked_count;
	bool has_pulled_anew; /* once in a contact: whatever differs then, keeps differing */
};

/* Whether this contact is to compare: by s->compare, and when the last one did. */
enum err sync_compare_begin(struct sync *s, struct sync_comparison *c);
/* What the next request asks. Lives in `a`. */
enum err sync_compare_ask(struct sync *s, struct arena *a, struct sync_comparison *c,
			  struct msg_sync *m);
/*
 * After an answer was applied: are the units it brought digests of the same here? Says in `c` what
 * is left to ask, in the report what was found, and in the vault when it was.
 */
enum err sync_compare_check(struct sync *s, struct arena *a, struct sync_comparison *c,
			    const struct msg_synced *answer, struct sync_report *report);

/*
 * The digest of what the office holds of a unit, as this vault has it: for the simulator and tests,
 * to be compared with compare_digest() of the daemon.
 */
enum err sync_compare_digest(struct vault *v, const struct schema *schema, int64_t unit,
			     struct digest *ret_digest);

/* Is the record's state one that the office is known to hold, of a type of the schema? */
bool sync_compare_counts(const struct vault *v, const struct schema *schema,
			 const struct vault_record *r);
/* One that the office did not list where it should be. */
bool sync_compare_is_stray(const struct vault_record *r);

/*
 * What a bucket says is what the office holds: part of applying an answer, in its transaction.
 * Values that so go from a record stay in the inbox; records in no bucket become strays.
 * ERR_PROTO: not believed (report->text).
 */
enum err sync_compare_repair(struct sync *s, const struct vault_identity *identity,
			     const struct msg_synced *answer, struct vault_state *state,
			     struct sync_report *report);
