/*
 * backup - makes backups: when asked, and by the clock.
 *
 *   pool    prepare   room, folders, recipient            writer  copy    the store, some pages at
 * a time pool    pack      compress, seal, read back, check    writer  record  the row; what is
 * backed up pool    clean     what the rule no longer keeps
 *
 * One run at a time. A run that fails leaves nothing behind, and the backups before it stay.
 * Nothing is called backed up before its file was read back from the disk, opened, and the store in
 * it was found sound; the stream's key is at hand for that even where the recipient's secret is
 * not, and wiped then. Thread: loop, but for backup_look().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"

#define BACKUP_TEXT_LEN 512u
#define BACKUP_PATH_LEN 4096u

struct backup;
struct context;
struct store;

struct backup *backup_new(struct context *ctx);
void backup_free(struct backup *b);
DEFINE_AUTO(struct backup *, backup_free)

/* Before the writer starts: when the last one was made. */
enum err backup_remember(struct backup *b, struct store *store);
/* Every second: begins one when it is due. */
void backup_tick(struct backup *b);
/* The number of the run that holds everything committed until now; it begins at once, or behind the
 * one under way. */
uint64_t backup_begin(struct backup *b);
/* Any thread. The run under way ends soon, without a backup; none begins any more. */
void backup_stop(struct backup *b);

struct backup_state {
	uint64_t run;      /* the latest one begun */
	uint64_t ended;    /* the latest one that ended */
	const char *phase; /* "idle", "prepare", "copy", "pack", "record", "clean" */
	uint64_t pages;
	uint64_t left;
	/* of the one that ended last */
	bool is_done;
	char error[BACKUP_TEXT_LEN];
	int64_t backup; /* its row */
	char path[BACKUP_PATH_LEN];
	int64_t at_ms;
	uint64_t log;
	uint64_t bytes;
	int64_t took_ms;
	int64_t longest_step_ms; /* of the writer: so long others waited at most */
	bool is_key_here;        /* the secret lies in the state folder */
	bool is_same_disk;       /* the file lies on the disk the store is on */
};
/* Any thread. */
void backup_look(struct backup *b, struct backup_state *ret_state);
