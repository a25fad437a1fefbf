/*
 * harness_private - what harness*.c share: harness.c runs the subject and looks at what is left,
 * harness_cuts.c cuts the power, harness_faults.c lets calls and allocations fail.
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
	size_t ends; /* different ones that were looked at; 0: each was */
	double began;
};

struct series series_begin(const char *name);
void series_count(struct series *s, enum verdict v);
/* Tells; how many were bad. */
size_t series_end(const struct series *s);
bool harness_is_wanted(const char *name);

/* Everything of the one kind; number of what is bad. */
size_t harness_cuts(void);
size_t harness_faults(void);
