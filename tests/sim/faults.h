/*
 * faults - disks that fail under the stores: a read, write or sync of one party goes wrong, or
 * there is no room, on the daemon's disk for a while. By tests/fault/faultvfs.h.
 *
 * What the party then does is what the real program does. The daemon ends at an error of its disk
 * (daemon/fatal.h) and starts again; without room it undoes the transaction, says so and goes on.
 * A client's command ends. Whether what was not acknowledged is on the disk all the same, nobody
 * knows before the store is open again.
 */
#pragma once

#include "tests/sim/world.h"

/* Once. */
void faults_install(void);
void faults_clear(struct world *w);

/* ---- the daemon's disk ---- */

enum faults_kind {
	FAULTS_WRITING, /* writes and syncs, also for want of room, and reads */
	FAULTS_READING,
};
/* It may fail from here on, until the end of this window. Windows lie inside one another. */
void faults_begin(struct world *w, enum faults_kind kind, struct faults_window *window);
/* Nothing fails until faults_end_none(), which ends any window without a look at it. */
void faults_begin_none(struct faults_window *window);
void faults_end_none(const struct faults_window *window);
/* While the daemon starts. */
void faults_begin_start(struct world *w, struct faults_window *window);
/*
 * `e`: how what was tried in the window ended. The answer is `e` where it says nothing of the disk,
 * ERR_IO when the daemon has ended and started again, ERR_FULL when it goes on and what was in the
 * transaction is undone. An error that no disk explains ends the run.
 */
enum err faults_end(struct world *w, const struct faults_window *window, enum err e,
		    const char *what);

/* Commits what the office decided. True: it is on the disk, whatever befell the daemon. */
bool faults_commit(struct world *w, const char *what);
/* The same at the end of a window, where `e` is how it ended; anything but ERR_OK is undone. */
bool faults_end_committing(struct world *w, const struct faults_window *window, enum err e,
			   const char *what);
/* The log of SQLite goes into the file. */
void faults_checkpoint(struct world *w);

/* ---- a client's ---- */

/* It may fail until the end of its contact, or entry. */
void faults_begin_client(struct client *c, unsigned percent);
/* True: it has. */
bool faults_end_client(struct client *c);
/* So far, in the window that is open. */
bool faults_have_fired(void);
