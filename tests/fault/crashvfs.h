/*
 * crashvfs - an SQLite VFS over a disk in memory whose power can be cut.
 *
 * Every file has what programs see (the page cache) and what is on the platter; writes and
 * truncations lie between the two until xSync, names until the folder is synced (as SQLite's unix
 * VFS does for a new journal or WAL, and for deletions that ask for it). At the chosen operation
 * the power goes: every later call fails, and crashvfs_survive() writes a legal rest to the real
 * files: the platter, plus whichever parts of what was not yet synced the pattern picks, sector by
 * sector. Bytes outside of a write are never harmed (SQLite's POWERSAFE_OVERWRITE, its default).
 *
 * Locks and shared memory are in this process's memory, so a fork has the whole disk for itself; a
 * real file of the same name, an empty one meanwhile, is there to be looked for. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"

#define CRASHVFS_NAME   "crash"
#define CRASHVFS_SECTOR 512u

/* What remains of what was not synced. */
enum crash_pattern {
	CRASH_NONE,   /* nothing */
	CRASH_ALL,    /* everything: also what a killed process leaves */
	CRASH_RANDOM, /* each sector of each write by chance */
	CRASH_TORN,   /* each sector lost, kept, kept in part or garbage */
	CRASH_MIXED,  /* each file by one of the above */
	CRASH_PATTERNS,
};
const char *crash_pattern_name(enum crash_pattern pattern);

struct crashvfs_plan {
	uint64_t at; /* the power goes at this operation, from 1; 0: never */
	enum crash_pattern pattern;
	uint64_t seed;
	bool keeps_cache; /* nobody can drop the page cache */
	bool is_lying;    /* the disk says that it synced, and did not */
	bool hides_sync; /* SQLite does not hear `PRAGMA synchronous=FULL`; who reads it back sees 2
			  */
};

/* Once. Not made the default. */
void crashvfs_install(void);

/* An empty disk, power on, operations counted from 0. */
void crashvfs_start(const struct crashvfs_plan *plan);
/* A file that is wholly on the platter. */
void crashvfs_put(const char *path, struct bytes data);
/* Now. */
void crashvfs_cut(void);
bool crashvfs_is_cut(void);
/* Writes, truncations, syncs, deletions and makings of files since crashvfs_start(). */
uint64_t crashvfs_operations(void);
/* After everything was closed: the power goes (if it has not), and the real files become what is
 * left. */
void crashvfs_survive(void);
/* The same bytes under other names: PATH + suffix, e.g. to look at them without touching the
 * originals. */
void crashvfs_copy(const char *path, const char *copy);

/*
 * The kernel's trap: the sync that fails is followed by pages that look clean. The next sync that
 * fails (crashvfs_fail_sync) leaves what it should have written visible, and no later sync
 * writes it, until the page cache of the file is dropped: crashvfs_drop_cache(path) then shows the
 * platter.
 */
void crashvfs_fail_sync(uint64_t at); /* n-th sync from now; 0: none */
bool crashvfs_has_failed_sync(void);
