/*
 * harness_private - what harness*.c share: harness.c runs the subject and looks at what is left,
 * harness_cuts.c cuts the power, harness_faults.c lets calls fail, harness_branch.c
 * every allocation.
 */
#pragma once

#include "common/base/rand.h"
#include "tests/fault/crashvfs.h"
#include "tests/fault/harness.h"

#define TEARS_MAX 64u

/* Shared with children. */
struct progress {
	size_t acked;           /* steps */
	uint64_t acked_commits; /* known to have happened */
	uint64_t commits;       /* begun */
	unsigned restarts;
	bool has_fired;
	bool has_retried; /* after an error, in the same process: commits are no longer counted
			     right */
	uint64_t tears[TEARS_MAX]; /* operations before each half of a step */
	size_t tear_count;
};

/* How the machine or the product is weakened, for runs that must lose something. */
enum control {
	CONTROL_NONE,
	CONTROL_OFF,    /* synchronous=OFF */
	CONTROL_NORMAL, /* synchronous=NORMAL */
	CONTROL_LYING,  /* a disk that lies */
	CONTROL_EARLY,  /* receipts before the commit */
	CONTROL_TORN,   /* one step in two transactions */
};

enum verdict {
	VERDICT_SOUND,
	VERDICT_LATE,  /* the run ended before the point: nothing happened */
	VERDICT_LOST,  /* older than what was acknowledged */
	VERDICT_ALIEN, /* a state that never was: a part of a commit, or damage */
	VERDICT_UNSOUND,
	VERDICTS,
};

struct harness {
	const struct subject *subject;
	struct progress *progress;
	enum control control;
	bool is_counting;    /* commits */
	bool is_early;       /* acknowledged, and not yet committed */
	uint64_t operations; /* of the undisturbed run, on the disk */
	uint64_t seed;
	size_t points;
	size_t point; /* from 1: this power cut alone; 0: all */
	bool is_full;
	const char *only;
};
extern struct harness harness;

/* ---- running ---- */

/* The subject before its first step, on this VFS. */
void harness_start_run(const char *vfs);
/* From the last step acknowledged on. */
enum err harness_run_rest(void);
enum err harness_run_all(const char *vfs);
void harness_acknowledge(void);

/* ---- what is left ---- */

/* The machine runs again, with a disk that works. */
enum verdict harness_restart(void);
/* The rest of the steps, and all checks; the subject is open. */
enum verdict harness_go_on(void);
bool harness_is_final(void);
/* VERDICT_UNSOUND, told. */
enum verdict harness_complain(const char *what, enum err e);
/* Another file for the surviving bytes: whoever died on the old one holds it still. */
void harness_move_files(void);
/* Everything the verdict of harness_restart() depends on. */
struct hash harness_fingerprint(void);

/* ---- series ---- */

struct series {
	const char *name;
	size_t points;
	size_t bad[VERDICTS];
	size_t ends; /* different ones, each looked at once; 0: all were */
	double began;
};

struct series series_begin(const char *name);
void series_count(struct series *s, enum verdict v);
/* Tells; how many were bad. */
size_t series_end(const struct series *s);
bool harness_is_wanted(const char *name);

/* The next n: every one in the whole run, else one in about `stride`. */
uint64_t harness_next_point(uint64_t n, struct rand *r, uint64_t stride);

/* ---- faults ---- */

/* Nothing fails from now on. */
void harness_heal(void);
/* As the program does: what time may heal is tried again. True: it came to the end after all. */
bool harness_run_through(enum err *ret_last);
/* Closes the subject; what an error must look like, and that nothing is written behind it. */
enum verdict harness_after_fault(bool is_done, enum err last);
/* Dying is loud. The descriptor to be loud again with. */
int harness_be_quiet(void);
/* Every allocation, SQLite's and our own, or about so many `wanted` of each. */
size_t harness_branches(uint64_t of_sqlite, uint64_t of_own, size_t wanted);

/* Everything of the one kind; number of what is bad. */
size_t harness_cuts(void);
size_t harness_faults(void);
