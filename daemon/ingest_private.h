/*
 * ingest_private - what ingest*.c share: ingest.c places change-sets, ingest_change.c takes one
 * change, ingest_judge.c says what hinders it, ingest_tell.c tells of it, ingest_family.c knows
 * what a device that took another's place sends again, ingest_replay.c lets in what was in
 * quarantine.
 */
#pragma once

#include "common/model/validate.h"
#include "daemon/fold.h"
#include "daemon/ingest.h"

#define INGEST_UNREADABLE "Giá trị không đọc được / a value that cannot be read"

/* A record that was not there, or in another unit, before this run. */
struct ingest_made {
	struct bytes type;
	struct id id;
	bool is_moved;
};

/* One request on its way into the store. */
struct ingest {
	const struct context *ctx;
	struct store *store;
	struct arena *a;
	const struct ingest_request *request;
	struct store_device device;
	const struct schema *schema;
	int64_t *scope; /* units it may write; loaded with the first new change-set */
	size_t scope_count;
	bool has_scope;
	int64_t tolerance_ms;
	struct fold fold;
	struct ingest_made *made;
	size_t made_count;
	size_t made_cap;
	uint64_t replays;             /* row of the quarantine this run is for; 0: none */
	struct ingest_family *family; /* ingest_family.c's; NULL: not asked for yet */
	uint64_t log;                 /* the latest number given */
	uint64_t base_cut;            /* of the present set; as in struct log_row */
	struct ingest_result result;
	size_t result_cap;
	size_t repair_cap;
	size_t away_cap;
	uint64_t log_before; /* the request */
	bool has_erased;     /* the law had a record erased; else nothing need be looked for */
	bool is_own_partial; /* the device may lack some of what its own sets changed */
};

/* One change-set on its way. */
struct ingest_set {
	const struct changeset_opened *opened;
	struct log_row row;
	struct fold_source source;
	size_t verdict_cap;
	size_t next_odd;
	bool *is_cut; /* by change: of a record that is erased; NULL: none yet */
};

/* Why a change cannot go in; without a code it can. */
struct ingest_refusal {
	struct bytes code;
	struct bytes field;
	struct bytes text;
};

/* Borrows the texts. */
struct ingest_refusal ingest_refuse(const char *code, const char *field, const char *text);

/* Fills what every run starts from, but for the device. */
enum err ingest_start(struct ingest *r, const struct context *ctx, struct store *store,
		      struct arena *a, const struct ingest_request *request);

/* ---- ingest_judge.c ---- */

/* The units the device may write; once a run. */
enum err ingest_load_scope(struct ingest *r);
/* Change `index` of the fold's present set. `entry` NULL: no such type. *ret_why stays without a
 * code when the change may go on; `finding` may then name a field the schema does not know. */
enum err ingest_judge(struct ingest *r, const struct fold_entry *entry, size_t index,
		      struct ingest_refusal *ret_why, struct finding *finding);

/* A change of the record went in; is the record where the device is told of it? */
void ingest_note_place(struct ingest *r, const struct fold_entry *entry, const struct change *c);

/* ---- ingest_change.c ---- */

/* The next change of the set, in order: merged or quarantined. */
enum err ingest_take_change(struct ingest *r, struct ingest_set *s, size_t index);
/* What was judged good; tells whoever has to hear of it. */
enum err ingest_merge(struct ingest *r, struct ingest_set *s, struct fold_entry *entry,
		      size_t index);
/* `raw` empty: the change is encoded. `log` 0: of a fork. */
enum err ingest_put_quarantine(struct ingest *r, const struct change *c, struct bytes raw,
			       const struct ingest_refusal *why, uint64_t log, uint64_t clock);

/* ---- ingest_waiting.c ---- */

void ingest_note_made(struct ingest *r, const struct change *c, bool is_moved);
/*
 * At the end of a run: edits that came before the record they edit and were refused for that
 * alone (a restore from a backup can turn the order round) are let in behind it, each as
 * ingest_replay() does it. Likewise those of an epoch that ended that came before the transfer
 * which brought the record to where their author had it. Whoever is still refused stays, and so
 * does an old value of an event that its author has written anew (quarantine_look()).
 */
enum err ingest_take_waiting(struct ingest *r);

/* ---- ingest_replay.c ---- */

/* As ingest_replay(), but nothing that waits is let in behind it. */
enum err ingest_replay_alone(const struct context *ctx, struct store *store, struct arena *a,
			     const struct quarantine_row *row, int64_t now_ms,
			     struct ingest_replayed *ret_replayed);

/* ---- ingest_family.c; the device took another's place ---- */

/* The same change (type, id, raw clock, writes) in the log, by a device of the family. */
struct ingest_twin {
	struct stamp stamp; /* effective, as it stands in the state */
	uint64_t log;       /* 0: there is none */
};
enum err ingest_find_twin(struct ingest *r, const struct change *c, struct ingest_twin *ret_twin);
/* What waits in quarantine because a history forked waits no longer: here it is again. */
enum err ingest_close_forked(struct ingest *r, const struct change *c);

/* ---- ingest_tell.c ---- */

/* A list that has room for one more; the old one stays in the arena. */
void *ingest_grow(struct arena *a, void *list, size_t count, size_t *cap, size_t size);

/* A change that is in the log already; told as what, and not kept with the log row. */
void ingest_tell_repeated(struct ingest *r, uint64_t number, const struct ingest_twin *twin);

/* The result of a change; kept with the log row too, so that a repeat is answered alike. */
void ingest_tell(struct ingest *r, struct ingest_set *s, const struct log_verdict *v,
		 struct bytes text);
/* The half of it that goes with the log row. */
void ingest_keep_verdict(struct ingest *r, struct ingest_set *s, const struct log_verdict *v);
void ingest_tell_result(struct ingest *r, const struct log_verdict *v, struct bytes text);
void ingest_tell_repair(struct ingest *r, const struct log_row *row);
/* The device has the record, and it may be outside its scope. */
void ingest_note_away(struct ingest *r, const struct change *c);
/* The author of the lost side of a conflict. */
enum err ingest_tell_loser(struct ingest *r, const struct conflict_row *row);
/* Both units of a transfer the change's author did not know of, once a record and request. */
enum err ingest_tell_landed(struct ingest *r, struct ingest_set *s, struct fold_entry *entry,
			    const struct change *c);
