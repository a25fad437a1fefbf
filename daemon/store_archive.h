/*
 * store_archive - everything a daemon is, in one compressed and sealed file.
 *
 * The copied store and the files that make a daemon itself: a restore must come up as the same
 * one. Knows files and bytes, not what is in them. Any thread but the loop's: it reads and writes
 * whole stores. Layout: a box (crypt.h) around one zstd stream of
 *
 *   "CTXHBAK1" | entries: u8 length of name, name, u64 big endian size, content | u8 0
 *
 * Names are those of the table in store_archive.c; any other is refused, so that no archive
 * writes where it should not.
 */
#pragma once

#include <stdatomic.h>

#include "common/base/crypt.h"

#define ARCHIVE_STORE "ctxhd.db" /* the copy of the store; always there */

struct archive_entry {
	const char *name; /* inside */
	const char *path; /* of the file that goes in */
};

/* What goes into a file, and to whom. */
struct archive_order {
	const char *path; /* must not exist */
	const struct archive_entry *entries;
	size_t count;
	struct box_public to;
	struct rand *rand;
	const atomic_bool *is_stopping; /* NULL: never */
};

struct archive_mark {
	uint64_t bytes; /* of the sealed file */
	struct hash hash;
};

/*
 * Writes it: 0600, synced. Its key opens it once more without the
 * recipient's secret; the caller wipes it. ERR_CANCELED: *is_stopping became true. On any failure
 * nothing is left at `path`.
 */
enum err archive_write(const struct archive_order *order, uint8_t ret_key[BOX_KEY_LEN],
		       struct archive_mark *ret_mark);

/* Drops PATH from the page cache first: what is read is what the disk has. */
enum err archive_measure(const char *path, const atomic_bool *is_stopping,
			 struct archive_mark *ret_mark);
/* Who can open it. ERR_INVAL: no backup, or of a version we do not know. */
enum err archive_read_header(const char *path, uint8_t ret_header[BOX_HEADER_LEN]);
/*
 * Opens, decompresses and puts the files into FOLDER, which is there and empty; synced. ERR_AUTH:
 * altered, cut short, or the wrong key. ERR_INVAL: sound, and not what an archive is. What was
 * unpacked until then stays: the caller empties the folder. The same marks as archive_measure().
 */
enum err archive_read(const char *path, const uint8_t key[BOX_KEY_LEN], const char *folder,
		      const atomic_bool *is_stopping, struct archive_mark *ret_mark);
/* Removes every file of a folder and the folder; what is not there is fine. Not recursive. */
void archive_remove_folder(const char *folder);
