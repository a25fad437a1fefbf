/*
 * crashlock - locks and shared memory of crashvfs: those of SQLite's unix VFS, for connections of
 * one process, in its memory. A fork has them for itself, as it has the disk.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#define SHARING_REGIONS 64u

struct share;

/* Of one file. */
struct sharing {
	void *regions[SHARING_REGIONS];
	size_t region_count;
	unsigned users;                    /* of the regions */
	unsigned shared[SQLITE_SHM_NLOCK]; /* holders of each of their locks */
	const struct share *alone[SQLITE_SHM_NLOCK];
	unsigned readers;             /* of the file */
	const struct share *reserved; /* next to write */
	const struct share *pending;  /* waits for readers to end, or writes */
};
void sharing_clear(struct sharing *s);

/* Of one connection. */
struct share {
	struct sharing *of;
	int level; /* SQLITE_LOCK_… of the file */
	bool has_regions;
	bool shares[SQLITE_SHM_NLOCK];
};

/* SQLITE_OK, SQLITE_BUSY; arguments as those of the VFS. */
int share_lock(struct share *h, int level);
int share_unlock(struct share *h, int level);
int share_lock_shm(struct share *h, int offset, int n, int flags);
/* NULL: not there, and not to be made. */
void *share_map(struct share *h, size_t region, size_t size, bool is_made);
void share_unmap(struct share *h);
