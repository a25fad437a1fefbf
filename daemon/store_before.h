/*
 * store_before - the store as it was before a newer program alters it, as a file beside it.
 *
 * Migration steps cannot be taken back. A daemon that knows steps its store has not had yet first
 * copies the whole file to `PATH.before-N` (N: the version the store has), syncs the copy, reads it
 * back past the page cache, compares it with what was read, opens it and runs SQLite's own check
 * over it; only a copy that passed all of that gets its name, and without one nothing is altered.
 *
 * A copy holds people's data as the store does, under the same permissions. It goes when a backup
 * of the altered store was verified (daemon/backup.h runs every invariant over it), and when the
 * law had a record erased, which the copy would still hold (daemon/sweep.h).
 *
 * Thread: any, while nobody has the store open; store_drop_before() any time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

#define STORE_BEFORE_PATH_LEN 4096u

struct store_before {
	bool is_kept; /* false: the store is new, or as old as the program */
	uint64_t from;
	uint64_t to;
	char path[STORE_BEFORE_PATH_LEN]; /* of the copy */
};

/*
 * Before store_open_writer() of `path`. ERR_INVAL: a newer program made the store, this one must
 * leave it alone; ERR_FULL: no room for the copy; ERR_IO, ERR_CORRUPT: the disk, or what is on it.
 * Whatever comes back, the store is as it was.
 */
enum err store_keep_before(const char *path, struct store_before *ret_before);

/* Removes every copy of the store at `path`; one that cannot be removed is only warned of. */
void store_drop_before(const char *path);
