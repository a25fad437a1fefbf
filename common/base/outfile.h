/*
 * outfile - a file that is written whole or not at all.
 *
 * It grows beside its name and gets the name when it is on the disk: whatever fails, and whenever
 * the power goes, under the name is what was there before or all of what was put. Readable by its
 * owner only. A name that is no regular file (a device, a pipe) is written to as it is; one that is
 * a link stays one, and what it leads to is replaced: it has to be there.
 * Not for a folder that others may write to. Thread: the caller's.
 */
#pragma once

#include "common/base/attr.h"
#include "common/base/bytes.h"
#include "common/base/err.h"

struct outfile;

/*
 * All of them: ERR_FULL when there is no room, else ERR_IO; the detail (log_last_detail()) names
 * the file and says why.
 */

/* Copies `path`. */
enum err outfile_open(const char *path, struct outfile **ret_file);
/* The first error sticks: the calls behind it do nothing and return it again. */
enum err outfile_put(struct outfile *f, struct bytes piece);
/* On the disk, and under its name. Takes `f`, whatever comes back. */
enum err outfile_finish(struct outfile *f);
/* As if it had never been opened. */
void outfile_drop(struct outfile *f);
DEFINE_AUTO(struct outfile *, outfile_drop)

/* All of it at once; no copy of `content` stays in memory. */
enum err outfile_write(const char *path, struct bytes content);
/* The same, but nothing is replaced: ERR_CONFLICT when something is there. */
enum err outfile_write_new(const char *path, struct bytes content);
