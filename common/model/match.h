/*
 * match - likely doubles among people: what the client tells before saving and the office lists.
 *
 * Alike: the same identity number; or the same name when tones and accents are dropped, no
 * contradiction in the year of birth, and not two identity numbers. Only ever told: Xã Lộc Thành
 * and Xã Lộc Thạnh differ by a tone (domain rule: never merge on a fold alone).
 *
 * Pure. A key is 32 bytes, so that all people of a province fit into memory.
 */
#pragma once

#include "common/model/value.h"

/* The type and the fields that are compared. */
#define MATCH_TYPE     "person"
#define MATCH_NAME     "full_name"
#define MATCH_BIRTH    "birth_date"
#define MATCH_IDENTITY "identity_number"

/* Hashes of 64 bits: a wrong likeness is as likely as one in a million among six million people. */
struct match_key {
	uint64_t name;     /* of the folded name; 0: none */
	uint64_t identity; /* of the number; 0: none */
	uint64_t birth;    /* of what is known of the day; 0: nothing */
	int year;          /* of birth, estimated ones too; 0: unknown */
};

/* Values as the record has them; NULL kind where it has none. */
struct match_key match_key_of(const struct value *name, const struct value *birth,
			      const struct value *identity);

/* How alike, rising. */
enum match_likeness {
	MATCH_NONE,
	MATCH_SAME_NAME,     /* the year of one of them is not known */
	MATCH_SAME_YEAR,     /* name and year of birth; an estimated age may be off by some years */
	MATCH_SAME_BIRTH,    /* name and all that is known of the birth */
	MATCH_SAME_IDENTITY, /* the identity number, whatever the names */
};
enum match_likeness match_compare(const struct match_key *a, const struct match_key *b);
