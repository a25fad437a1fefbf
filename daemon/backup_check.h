/*
 * backup_check - is a backup what it should be: read back from the disk, opened, and the store in
 * it checked like the live one.
 *
 * Any thread but the loop's. Errors are never of the FATAL class: what is damaged is a copy.
 */
#pragma once

#include "daemon/store.h"
#include "daemon/store_archive.h"

struct context;

struct backup_checked {
	struct archive_mark mark;
	uint64_t log; /* the greatest number inside */
	uint64_t records;
	struct store_device *devices;
	size_t device_count;
};

struct backup_order {
	const char *path;
	const uint8_t *key; /* BOX_KEY_LEN */
	const char *folder; /* must not exist */
	bool is_kept;       /* the folder, when all is well */
	const atomic_bool *is_stopping;
};

/*
 * Unpacks the file into the folder, gives a store of an older version the steps it lacks, and
 * checks everything docs/storage.md numbers. `ret_checked` lives in `a`. ERR_AUTH, ERR_INVAL as
 * archive_read(); ERR_CONFLICT: it opens, and the store in it breaks an invariant.
 */
enum err backup_check(const struct context *ctx, const struct backup_order *order, struct arena *a,
		      struct backup_checked *ret_checked);
