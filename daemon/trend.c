#define LOG_TAG "trend"

#include "daemon/trend.h"

#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"

struct trend {
	pthread_mutex_t lock;
	struct trend_point points[TREND_POINTS]; /* a ring */
	size_t first;
	size_t count;
	struct trend_point open; /* the one that is not over */
	bool has_open;
	int64_t begun_ms;        /* of `open`; monotonic */
	struct trend_point past; /* counters as they stood when `open` began */
};

struct trend *trend_new(void)
{
	struct trend *t = mem_alloc_zero(sizeof *t);

	(void)pthread_mutex_init(&t->lock, NULL);
	return t;
}

void trend_free(struct trend *t)
{
	(void)pthread_mutex_destroy(&t->lock);
	mem_free(t);
}

static uint64_t now_of(atomic_uint_fast64_t *metric)
{
	return atomic_load_explicit(metric, memory_order_relaxed);
}

/* Counters since the start, gauges as they are. */
static struct trend_point look(struct metrics *m)
{
	return (struct trend_point){
		.commit_ms = now_of(&m->commit_last_ms),
		.waiting = now_of(&m->writer_waiting),
		.wal_pages = now_of(&m->wal_pages),
		.pages = now_of(&m->console_pages),
		.disk_free = now_of(&m->disk_free_bytes),
		.devices = now_of(&m->devices),
		.commits = now_of(&m->writer_commits_total),
		.syncs = now_of(&m->syncs_total),
		.refused = now_of(&m->syncs_refused_total),
		.applied = now_of(&m->changes_applied_total),
	};
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void begin(struct trend *t, const struct trend_point *seen, int64_t now_ms)
{
	t->open = (struct trend_point){0};
	t->past = *seen;
	t->begun_ms = now_ms;
	t->has_open = true;
}

static void note(struct trend *t, const struct trend_point *seen, int64_t wall_ms, int64_t now_ms)
{
	struct trend_point *open = &t->open;

	open->at_ms = wall_ms;
	open->span_ms = now_ms - t->begun_ms;
	/* A second without a commit repeats the last one's time: it is no new peak of another. */
	if (seen->commits != t->past.commits)
		open->commit_ms = greater(open->commit_ms, seen->commit_ms);
	open->waiting = greater(open->waiting, seen->waiting);
	open->wal_pages = greater(open->wal_pages, seen->wal_pages);
	open->pages = greater(open->pages, seen->pages);
	open->disk_free = seen->disk_free;
	open->devices = seen->devices;
	open->commits = seen->commits - t->past.commits;
	open->syncs = seen->syncs - t->past.syncs;
	open->refused = seen->refused - t->past.refused;
	open->applied = seen->applied - t->past.applied;
}

static void keep(struct trend *t)
{
	t->points[(t->first + t->count) % TREND_POINTS] = t->open;
	if (t->count < TREND_POINTS)
		t->count++;
	else
		t->first = (t->first + 1) % TREND_POINTS;
}

void trend_tick(struct trend *t, struct metrics *m, int64_t wall_ms, int64_t now_ms)
{
	const struct trend_point seen = look(m);

	(void)pthread_mutex_lock(&t->lock);
	if (!t->has_open)
		begin(t, &seen, now_ms);
	note(t, &seen, wall_ms, now_ms);
	if (now_ms - t->begun_ms >= TREND_EVERY_MS) {
		keep(t);
		begin(t, &seen, now_ms);
		note(t, &seen, wall_ms, now_ms);
	}
	(void)pthread_mutex_unlock(&t->lock);
}

size_t trend_copy(struct trend *t, struct trend_point ret_points[TREND_POINTS + 1])
{
	size_t count;

	(void)pthread_mutex_lock(&t->lock);
	count = t->count;
	for (size_t i = 0; i < count; i++)
		ret_points[i] = t->points[(t->first + i) % TREND_POINTS];
	if (t->has_open)
		ret_points[count++] = t->open;
	(void)pthread_mutex_unlock(&t->lock);
	return count;
}
