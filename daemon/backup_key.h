/*
 * backup_key - to whom backups are sealed, and the secret where it is at hand.
 *
 * The recipient is `backup.recipient`, else STATE/backup.pub. When there is neither, a pair is
 * made: backup.pub, and backup.key beside it, which somebody should move off the machine: backups
 * go on without it. Files are 0600. Any thread but the loop's.
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/crypt.h"

#define BACKUP_KEY_FILE    "backup.key"
#define BACKUP_PUBLIC_FILE "backup.pub"

/* `recipient`: hex, or NULL. */
enum err backup_find_recipient(const char *state, const char *recipient, struct rand *rand,
			       struct box_public *ret_to);
/* Reads a key file. ERR_NOTFOUND; ERR_INVAL: not one. The caller wipes the pair. */
enum err backup_read_pair(const char *path, struct box_pair *ret_pair);
/* FOLDER/backup.key. ERR_NOTFOUND. */
enum err backup_read_pair_of(const char *folder, struct box_pair *ret_pair);
