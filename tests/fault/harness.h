/*
 * harness - runs a workload over a disk that fails, and looks at what is left.
 *
 * A subject is one side of the product (the daemon's data side, the client) with a fixed list of
 * steps. The harness runs it once undisturbed and keeps what the store holds after each commit;
 * then once for each power cut or fault. What survives must be exactly one of those states, not
 * older than the last acknowledged step and not newer than the last commit begun: so nothing
 * acknowledged is lost, nothing is there twice, nothing is there by half. Then the subject is
 * opened on the surviving bytes with SQLite's own VFS, checks its invariants, does the rest of its
 * steps and must end where the undisturbed run ended.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/crypt.h"
#include "common/base/err.h"

struct subject {
	const char *name;
	const char *path;         /* of the database */
	const size_t *step_count; /* known once prepared */
	/* Peers as before the first step. */
	void (*reset)(void);
	/* The program starts; ends. */
	enum err (*open)(void);
	void (*close)(void);
	/* Does a step; ERR_OK acknowledges it to whoever asked. Leaves no transaction behind. A
	 * step that was done before may be done again. */
	enum err (*step)(size_t index);
	/* Everything of the steps before `acked` is there, and all invariants hold: number of
	 * problems, each printed. */
	size_t (*check)(size_t acked);
	/* Everything acknowledged is sent once more; number of answers that differ. */
	size_t (*resend)(size_t acked);
	/* Of all that must not depend on how often the power went. */
	struct hash (*state)(void);
	/* The process died: what it had open is gone. */
	void (*die)(void);
	/* The process is a copy of another one, which holds the locks. NULL: there are none. */
	void (*branch)(void);
	/* What peers hold, for they go on whatever happens here. NULL: there are none. */
	struct hash (*peers)(void);
	bool aborts_without_memory; /* also when it is SQLite that has none */
	bool tears;                 /* asks harness_tears() */
	bool shows_lost_syncs; /* so often that its short run shows what a cache that stays does */
	bool drops_cache;      /* opening drops the page cache, also of a file in memory */
};

/* In tests of the harness itself: acknowledges one commit before it happens. */
void harness_before_commit(void);

/* Likewise: true when what the step does is to be committed in two halves; the commit that follows
 * is the first. */
bool harness_tears(void);

/* The step is acknowledged although a part of it that may come later failed: how many commits there
 * were is no longer known. */
void harness_forgave(void);

/* Steps acknowledged so far. */
size_t harness_acked(void);
/* Of the machine or the process since the run began. */
unsigned harness_restarts(void);

/* Options of the command line: --seed N, --points N, --full, --only NAME. Returns the exit code. */
int harness_main(int argc, char **argv, const struct subject *subject,
		 void (*prepare)(uint64_t seed), void (*finish)(void));
