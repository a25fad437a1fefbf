/*
 * restore - a new state folder from a backup: `ctxhd --restore FILE --state NEWDIR`.
 *
 * Runs alone, without loop or sockets. What comes out is the same daemon (id, keys) with a new
 * epoch: its history may go on otherwise than it did, and whoever saw the other one has to learn
 * of it. Where the old epoch ends is kept, because log numbers above that mean other changes now.
 */
#pragma once

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/rand.h"
#include "daemon/store_archive.h"

struct restore {
	const char *backup; /* file */
	const char *state;  /* folder; must not exist */
	const char *key;    /* file; NULL: backup.key beside the backup, or one folder up */
	/* File: a list of erasures kept elsewhere, as well as one that lies beside the backup;
	 * NULL: none. */
	const char *erasures;
	const char *who; /* for the audit */
	const struct clock *clock;
	struct rand *rand;
};

struct restored {
	struct id daemon;
	struct id epoch_before;
	struct id epoch;
	uint64_t log;
	uint64_t records;
	size_t devices;
	bool has_erasures; /* a list of them was named, or lay beside the backup or one folder up */
	uint64_t erased;   /* records erased again because of it */
};

/*
 * ERR_CONFLICT: the folder exists, or the store in the backup breaks an invariant; ERR_NOTFOUND: no
 * such backup, key or list of erasures; ERR_AUTH: sealed to another key, altered, or cut short.
 * Then the folder is not there. log_last_detail() says more.
 */
enum err restore_run(const struct restore *r, struct restored *ret_restored);
