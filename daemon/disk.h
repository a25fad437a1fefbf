/*
 * disk - the disk the store lives on: how much room is left, and whether the store's file is still
 * where it was.
 *
 * SQLite goes on writing to a file that somebody removed or moved: everything acknowledged from
 * then on would end with the process. So pushes are refused as soon as that is seen, as they are
 * when the disk is nearly full. Looked at every ten seconds on a pool thread: a sick disk may
 * block. Thread: loop.
 */
#pragma once

#include <stdint.h>

#include "common/base/err.h"
#include "daemon/context.h"

struct disk;

struct disk *disk_new(struct context *ctx);
/* No look may be under way: loop_finish_tasks(). */
void disk_free(struct disk *d);
static inline void disk_free_auto(struct disk **d)
{
	if (*d != NULL)
		disk_free(*d);
}

/*
 * Before the store is opened: ERR_INVAL when its file is not there but its WAL is, which nothing
 * but somebody's hand leaves behind. `path` is the store's.
 */
enum err disk_check_store(const char *path);
/* The store's file, which is open; copied. */
void disk_remember_store(struct disk *d, const char *path);
void disk_tick(struct disk *d, int64_t now_ms);
