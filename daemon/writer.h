/*
 * writer - the one thread that writes: a queue, group commit, answers to the loop.
 *
 * Jobs wait in a bounded queue. The writer takes what waits (up to a count and a
 * time), opens one transaction, runs each job, commits, and only
 * then hands the jobs back to the loop (receipts leave after the commit, never
 * before). A job that fails with a REJECT or RETRY class error is rolled back
 * alone: each runs inside a savepoint, or, if all so far may be repeated, without one, and when one
 * fails the whole group is rolled back and run again, each inside its own. FATAL (I/O, corruption)
 * ends the process with exit code 70 without another fsync. Checkpoints run on this thread, between
 * bursts.
 *
 * On a slow disk a transaction collects for as long as the last commit took: half of the time goes
 * to work, whatever the disk is. Who would wait too long all the same is told to come again.
 *
 * Three ways in: an ordinary job; a lazy one (nobody waits for it: it rides with the next
 * transaction or goes alone after WRITER_LAZY_MS); one that runs alone, outside any transaction
 * (new tables of a schema, a snapshot for a backup). Who is going to read what lazy jobs write
 * has them written first: writer_flush().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/clock.h"
#include "common/base/err.h"

#define WRITER_LAZY_MS 200

struct loop;
struct metrics;
struct store;
struct writer;

struct writer_job {
	/* Writer thread, inside the transaction (or alone: outside any). */
	enum err (*run)(struct writer_job *job, struct store *store);
	/* Loop thread, after the commit or the rollback; the job is its owner's again. */
	void (*done)(struct writer_job *job, enum err e);
	/* `run` may be called again after everything it did in the store was undone: what it leaves
	 * elsewhere it leaves anew. The owner's. */
	bool is_repeatable;
	struct writer_job *next; /* the writer's */
	int64_t since_ms;        /* the writer's */
	enum err result;         /* the writer's */
	bool is_alone;           /* the writer's */
	bool is_lazy;            /* the writer's */
};

struct writer_options {
	const struct clock *clock;
	struct metrics *metrics;
	size_t queue;       /* jobs that may wait */
	int64_t wait_ms;    /* while one has waited longer, no more are taken */
	size_t group_jobs;  /* in one transaction */
	int64_t group_ms;   /* one transaction collects no longer, or than the last commit took */
	uint64_t wal_pages; /* checkpoint above this, when nobody waits; at four times, anyway */
};

/* Takes `store`: it is the thread's until writer_stop() gives it back. */
struct writer *writer_start(struct loop *loop, struct store *store,
			    const struct writer_options *options);
/*
 * Loop thread. Runs what waits, commits, joins the thread, gives every job and the store back. Who
 * closes that last, behind the readers, leaves no WAL: SQLite merges it with the last connection.
 */
struct store *writer_stop(struct writer *w);

/* Loop thread. ERR_AGAIN: the queue is full or stands still, answer "busy". */
enum err writer_submit(struct writer *w, struct writer_job *job);
enum err writer_submit_lazy(struct writer *w, struct writer_job *job);
enum err writer_submit_alone(struct writer *w, struct writer_job *job);

/*
 * Loop thread. `job` is done after every lazy job submitted before it (its `run` and result say
 * nothing of them: one that failed is over, too). Lazy jobs and it go before whatever waits, and
 * no limit counts it: whoever only wants to read is never told "busy". False: none is underway or
 * the writer stops, and `job` is not used.
 */
bool writer_flush(struct writer *w, struct writer_job *job);

/*
 * Loop thread. Asks the thread for a sign of life and tells whether it gave the one asked for
 * last time: the watchdog is fed only while it does.
 */
bool writer_is_alive(struct writer *w);
size_t writer_waiting(struct writer *w);
