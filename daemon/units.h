/*
 * units - administrative units: dated lists, successions, who sees what.
 *
 * A unit is a surrogate id with dated names (a code is not an identity: codes and
 * names are reused and swap meaning). Provinces, districts and communes are all
 * units; communes are the leaves. Dates are days since 1970-01-01 in Viet Nam.
 * Runs inside the caller's transaction; thread: the store's.
 *
 * Identity across lists: the same code, the same bare name (type prefix dropped,
 * tone mark in one place: Hòa = Hoà) and the same structure (with districts, or
 * without) is the same unit; a changed full name or type adds a dated name. Anything
 * else is a new unit, and the one that had the code ends on the list's day. A list
 * without districts ends on its day every unit of the structure with districts, in the whole
 * country: communes, districts and the provinces they made up.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/err.h"
#include "proto/msg.h"

struct store;

#define UNITS_DAY_OPEN INT64_MAX /* still valid */

enum unit_level {
	UNIT_PROVINCE = 1,
	UNIT_DISTRICT = 2,
	UNIT_COMMUNE = 3
};

struct unit_problem {
	size_t line;      /* of the file, from 1 */
	const char *text; /* Vietnamese; English */
};

#define UNITS_GAP    100000 /* more than any list has: all of Viet Nam had 11,400 units */
#define UNITS_SPREAD 2000000000u

/*
 * At a restore, in its transaction: units made after the backup are forgotten, but devices still
 * name them. Their ids must never become those of other units, or a record sent again would land
 * in another commune; so new units get ids beyond a gap. One backup may be restored twice, and
 * does not know it: up to UNITS_SPREAD more are drawn by the new epoch, so that two lists of all
 * communes there are meet once in 300,000 times. What names a forgotten unit goes to quarantine
 * (`no_such_unit`) instead.
 */
enum err units_leave_gap(struct store *s, const struct id *epoch);

struct units_imported {
	size_t communes;               /* rows of the file */
	size_t added;                  /* units that are new, of any level */
	size_t renamed;                /* same unit, new dated name */
	size_t ended;                  /* units that end on the list's day */
	struct unit_problem *problems; /* not empty: nothing was imported */
	size_t problem_count;
};

/* The day of "2021-02-01"; ERR_INVAL. And of a moment, in Viet Nam. */
enum err units_parse_day(struct bytes text, int64_t *ret_day);
int64_t units_day_of(int64_t wall_ms);

/*
 * Imports a dated list: columns as `ctxhctl unit import` says. The whole file is
 * checked first; wrong rows are named in ret_imported->problems and nothing is
 * written (ERR_INVAL), and so is a list without districts that does not begin after every one with
 * districts. Importing the same list again changes nothing. `until` UNITS_DAY_OPEN:
 * still valid.
 */
enum err units_import(struct store *s, struct arena *a, struct bytes csv, int64_t from,
		      int64_t until, struct units_imported *ret_imported);

struct units_succeeded {
	size_t rows;
	size_t whole;   /* took effect on the day */
	size_t partial; /* their records wait to be placed by a person */
	size_t suspect; /* rows marked as false matches: refused, each with a word in `refused` */
	size_t known;   /* were there before */
	struct unit_problem *refused;
	size_t refused_count; /* the first hundred of `suspect` */
	struct unit_problem *problems;
	size_t problem_count;
};

/*
 * Imports a succession map (columns of data/units/README.md), on a day. Both lists
 * must be imported already. ERR_INVAL with problems: nothing was written.
 */
enum err units_succession(struct store *s, struct arena *a, struct bytes csv, int64_t on,
			  struct units_succeeded *ret_succeeded);

struct unit_row {
	int64_t unit;
	enum unit_level level;
	int64_t parent; /* on that day; 0: none */
	struct bytes code;
	struct bytes name;
	struct bytes kind; /* "Xã" */
	struct bytes province_code;
	int64_t from;  /* of this name */
	int64_t until; /* exclusive; UNITS_DAY_OPEN */
};

struct units_filter {
	int64_t day;           /* names valid on it */
	struct bytes province; /* code; empty: all */
	enum unit_level level; /* 0: all */
};
/* By level and code. */
enum err units_list(struct store *s, struct arena *a, const struct units_filter *filter,
		    struct unit_row **ret_rows, size_t *ret_count);
/*
 * The unit a code meant on a day: a commune, a district or a province. ERR_NOTFOUND.
 * A commune first where a code could be of two levels. CODE@DATE says its day itself.
 */
enum err units_find(struct store *s, struct arena *a, struct bytes code, int64_t day,
		    struct unit_row *ret_row);
/*
 * The code to show on that day: the unit's own, or CODE@DATE when the code means another unit then
 * (in force, else the latest that was, else the first to come). Into `a` or the row's memory.
 */
enum err units_print_code(struct store *s, struct arena *a, const struct unit_row *u, int64_t day,
			  struct bytes *ret_code);
/* The latest name of a unit up to a day (the first one when it is younger). ERR_NOTFOUND. */
enum err units_load(struct store *s, struct arena *a, int64_t unit, int64_t day,
		    struct unit_row *ret_row);
bool units_exists(struct store *s, int64_t unit, enum err *ret_e);

/*
 * Everything a device may see and write on a day: the units it was given, the
 * communes below a province or district it was given, the whole successors of
 * these, and all whole predecessors of all of them. Sorted.
 */
enum err units_load_scope(struct store *s, struct arena *a, uint32_t device, int64_t day,
			  int64_t **ret_units, size_t *ret_count);
/*
 * The scope now. A clock that fell back behind the day the lists were last worked on
 * (units_note_day) does not undo a merger: then that day counts.
 */
enum err units_load_scope_now(struct store *s, struct arena *a, uint32_t device, int64_t now_ms,
			      int64_t **ret_units, size_t *ret_count);
/* The communes whose devices see this one now: itself, what it became, and all that became so too.
 */
enum err units_load_kin(struct store *s, struct arena *a, int64_t unit, int64_t now_ms,
			int64_t **ret_units, size_t *ret_count);
/* The day an administrator imported a list or a succession. */
enum err units_note_day(struct store *s, int64_t day);
/*
 * What an account that was given units looks after now: as a device's scope, and besides every
 * divided commune whose successors are all among them: its records wait to be placed in one of
 * these. Sorted.
 */
struct units_given {
	const int64_t *units;
	size_t count;
};
enum err units_load_area(struct store *s, struct arena *a, const struct units_given *given,
			 int64_t now_ms, int64_t **ret_units, size_t *ret_count);
bool units_scope_has(const int64_t *units, size_t count, int64_t unit);
/* The same for a report: a unit with all its predecessors, and what lies below it on a day. */
enum err units_load_below(struct store *s, struct arena *a, int64_t unit, int64_t day,
			  int64_t **ret_units, size_t *ret_count);

/* Divided units whose records wait for a person. */
struct unit_placing {
	int64_t unit; /* the divided one */
	int64_t *into;
	size_t into_count;
	uint64_t records; /* not deleted, still in it */
};
enum err units_load_placing(struct store *s, struct arena *a, int64_t day,
			    struct unit_placing **ret_rows, size_t *ret_count);

/* What GET /v1/units gives: every dated name of every unit, and the version of it all. */
enum err units_load_message(struct store *s, struct arena *a, struct msg_unit **ret_units,
			    size_t *ret_count);
/* Grows with every import. */
enum err units_version(struct store *s, uint64_t *ret_version);
