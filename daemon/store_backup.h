/*
 * store_backup - a copy of the live store, taken in steps on the writer's own connection.
 *
 * What that connection commits between two steps goes into the copy too, so the copy is never
 * started anew by a busy store, and after the last step it is the store as it is at that moment.
 * Thread: the writer, outside a transaction. One copy at a time; store_close() ends one that is
 * under way. Errors of the copy are never of the FATAL class: the store itself is not hurt, and
 * says so itself when it is.
 */
#pragma once

#include <stdbool.h>

#include "daemon/store.h"

struct store_copy_progress {
	uint64_t pages; /* of the store */
	uint64_t left;
	bool is_done;
};

/* `path` must not exist. ERR_FULL: it cannot be made. */
enum err store_copy_begin(struct store *s, const char *path);
/* ERR_AGAIN: busy, the same step may be tried again; other errors end the copy. */
enum err store_copy_step(struct store *s, int pages, struct store_copy_progress *ret_progress);
/* Whole or not; without a copy under way: nothing. */
void store_copy_end(struct store *s);
