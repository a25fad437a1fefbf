/*
 * find - what search and the double check ask of a record, so that they need not open it.
 *
 * An entry is made of one record and says nothing the record does not say: its texts with
 * their search keys, and of a person the keys of the double check. The vault keeps entries
 * sealed, many in one piece (docs/client-store.md, table `find`). Pure. What a search shows
 * is asked of the record again: an entry only says where to look.
 *
 * Layout of an entry, integers little endian:
 *   id 16 | flags 1 | year 4 | name 8 | identity 8 | type len 1, type |
 *   folds len 4, folds | texts len 4, texts
 * folds: of each text its VNTEXT_FOLD key and '\n' (no key holds one).
 * texts: of each text len 2 and the text; len 0 where it is its own fold.
 */
#pragma once

#include "common/base/buf.h"
#include "common/model/record.h"
#include "common/model/vntext.h"

/* Texts of more bytes stay out of the entry (is_long): what is written again with every
 * entry of a neighbour is to stay small. */
#define FIND_TEXT_BYTES 1024u

/* What makes two people likely doubles (common/model/match.h), but for the day of birth. */
struct find_person {
	uint64_t name;     /* hash of the folded name; 0: none */
	uint64_t identity; /* hash of the number; 0: none */
	int32_t year;      /* of birth; 0: unknown */
};

struct find_entry {
	struct id id;
	struct bytes type;
	bool is_deleted;           /* its texts are left out */
	bool is_long;              /* they are asked of the record itself */
	struct find_person person; /* zero of who is deleted or joined to another */
	struct bytes folds;
	struct bytes texts;
};

/*
 * Names the layout and the rules the keys were made by: entries of another version say
 * nothing. Appends it, and a NUL.
 */
void find_version_append(struct buf *out);
void find_entry_append(const struct record *r, struct buf *out);
/* The entry at the front, which is taken off `rest`; borrows from it. False: none is there,
 * or it is not sound, and then `rest` is not empty. */
bool find_entry_next(struct bytes *rest, struct find_entry *ret_entry);

/* The keys of a person as the values say; of another type all are 0. */
struct find_person find_person_of(struct bytes type, const struct value *name,
				  const struct value *birth, const struct value *identity);
/* ---- search ---- */

/* How well a text holds what is looked for: in whole at one of the levels of vntext.h, the
 * best first; or every word of it, in any order. */
enum find_rank {
	FIND_EXACT = VNTEXT_EXACT,
	FIND_TONELESS = VNTEXT_TONELESS,
	FIND_FOLD = VNTEXT_FOLD,
	FIND_WORDS,
	FIND_NOT,
};
#define FIND_LEVELS 3u

struct find_query {
	struct buf wanted[FIND_LEVELS];
	struct buf key;
};

/* ERR_INVAL: no text. Clear it either way. */
enum err find_query_init(struct find_query *q, struct bytes text);
void find_query_clear(struct find_query *q);
static inline void find_query_clear_auto(struct find_query *q)
{
	find_query_clear(q);
}

/* The best rank among the texts. Of an entry that is_long ask the record. */
enum find_rank find_rank_entry(struct find_query *q, const struct find_entry *entry);
enum find_rank find_rank_record(struct find_query *q, const struct record *r);
