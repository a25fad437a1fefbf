/*
 * faultvfs - an SQLite VFS over another one whose n-th call of a kind fails.
 *
 * Everything else passes through. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FAULTVFS_NAME "fault"

enum fault_call {
	FAULT_WRITE,
	FAULT_SYNC,
	FAULT_READ,
	FAULT_TRUNCATE,
	FAULT_OPEN,
	FAULT_DELETE,
	FAULT_SIZE,
	FAULT_SHM,
	FAULT_LOCK,
	FAULT_CALLS,
};
const char *fault_call_name(enum fault_call call);

struct faultvfs_plan {
	enum fault_call call;
	uint64_t at;  /* the call that fails, from 1; 0: none */
	bool is_full; /* SQLITE_FULL (a write, half of it done), else the I/O error of the call */
	bool is_forever;  /* and every one of its kind behind it */
	const char *path; /* of files only whose names begin so; borrowed; NULL: of any */
};

/* Over the VFS of that name; again, over another one. Not made the default. */
void faultvfs_install(const char *name_under);
/* Counts anew. */
void faultvfs_start(const struct faultvfs_plan *plan);
/* Nothing fails from now on. */
void faultvfs_heal(void);
bool faultvfs_has_fired(void);
/* Calls of a kind since faultvfs_start(). */
uint64_t faultvfs_count(enum fault_call call);

/* A plan and how far it has got. */
struct faultvfs_state {
	struct faultvfs_plan plan;
	uint64_t counts[FAULT_CALLS];
	bool has_fired;
};
/* Something else comes in between: nothing fails until it is put back, or another is started. */
struct faultvfs_state faultvfs_take(void);
void faultvfs_put_back(const struct faultvfs_state *state);
