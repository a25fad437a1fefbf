/*
 * writer - the one thread that writes: a queue, group commit, answers to the loop.
 *
 * Jobs wait in a bounded queue. The writer takes what waits (up to a count and a
 * time), opens one transaction, runs each job inside a savepoint, commits, and only
 * then hands the jobs back to the loop (receipts leave after the commit, never
 * before). A job that fails with a REJECT or RETRY class error is rolled back
 * alone; FATAL (I/O, corruption) ends the process with exit code 70 without another
 * fsync. Checkpoints run on this thread, between bursts.
 */
#pragma once

#include "common/base/err.h"

struct store;
struct writer;

struct writer_job {
	/* Writer thread, inside the transaction. */
	enum err (*run)(struct writer_job *job, struct store *store);
	/* Loop thread, after the commit or the rollback; the job is its owner's again. */
	void (*done)(struct writer_job *job, enum err e);
	struct writer_job *next; /* the writer's */
	enum err result;         /* the writer's */
};

/* Loop thread. ERR_AGAIN: the queue is full, answer "busy". */
enum err writer_submit(struct writer *w, struct writer_job *job);
