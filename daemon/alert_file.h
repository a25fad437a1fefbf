/*
 * alert_file - alerts as files in a folder, the newest of them kept.
 *
 * Readable for whoever may enter the folder: no personal data is in them. Blocks: for a pool
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

/*
 * Writes FOLDER/ctxh-NAME.txt whole or not at all, in place of one of that name, its name on the
 * disk with it, and removes the oldest by name until `keep` are left, and what a kill left half
 * written (ctxh-NAME.txt.part). Makes the folder, not its parents. ERR_FULL: it cannot be written.
 * Other files there are left alone.
 */
enum err alert_file_write(const char *folder, const char *name, struct bytes text, size_t keep);
