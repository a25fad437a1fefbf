#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/check.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/faultmem.h"
#include "tests/fault/faultvfs.h"
#include "tests/fault/harness_private.h"

#define EXIT_FATAL 70 /* as the daemon's */

/* ---- faults, in this process ---- */

static bool has_fired(void)
{
	return faultvfs_has_fired() || faultmem_has_fired();
}

void harness_heal(void)
{
	faultvfs_heal();
	faultmem_start(FAULTMEM_SQLITE, 0, false);
}

/* What the program does at an error: full is refused and tried again, anything else ends it. */
static bool is_survivable(enum err e)
{
	return err_class(e) == ERR_CLASS_RETRY;
}

static enum err open_through(void)
{
	enum err e = harness.subject->open();

	if (e == ERR_OK || !has_fired())
		return e;
	harness.subject->close();
	harness_heal();
	harness.progress->has_retried = true;
	return harness.subject->open();
}

/* True: the process goes on after all. */
bool harness_run_through(enum err *ret_last)
{
	enum err e = open_through();

	for (int tries = 0; e == ERR_OK; tries++) {
		size_t before = harness.progress->acked;

		e = harness_run_rest();
		if (e == ERR_OK || !is_survivable(e))
			break;
		*ret_last = e;
		harness.progress->has_retried = true;
		if (harness.progress->acked != before)
			tries = 0;
		if (tries == 1)
			harness_heal();
		if (tries > 1)
			return false;
		e = ERR_OK;
	}
	if (e != ERR_OK)
		*ret_last = e;
	return e == ERR_OK;
}

/* After a fatal error nothing may be written again, not even at the end. */
static size_t close_silently(enum err last)
{
	uint64_t before = faultvfs_count(FAULT_WRITE) + faultvfs_count(FAULT_SYNC);
	uint64_t after;

	harness.subject->close();
	after = faultvfs_count(FAULT_WRITE) + faultvfs_count(FAULT_SYNC);
	return err_class(last) == ERR_CLASS_FATAL && after != before ? 1 : 0;
}

enum verdict harness_after_fault(bool is_done, enum err last)
{
	bool is_error_fatal = err_class(last) == ERR_CLASS_FATAL || is_survivable(last);
	enum verdict v = VERDICT_SOUND;

	if (!is_done && !is_error_fatal)
		v = harness_complain("an error of the wrong class", last);
	if (is_done && !harness_is_final())
		v = harness_complain("ended elsewhere", ERR_OK);
	if (close_silently(is_done ? ERR_OK : last) != 0)
		v = harness_complain("wrote after a fatal error", last);
	return v;
}

static enum verdict run_faulty(void)
{
	const struct crashvfs_plan all = {.pattern = CRASH_ALL, .seed = 1};
	enum err last = ERR_OK;
	enum verdict v;
	enum verdict w;
	bool is_done;

	crashvfs_start(&all);
	harness_start_run(FAULTVFS_NAME);
	is_done = harness_run_through(&last);
	if (!has_fired()) {
		harness.subject->close();
		harness.is_counting = false;
		return VERDICT_LATE;
	}
	harness_heal();
	v = harness_after_fault(is_done, last);
	harness.is_counting = false;
	dbfile_remove(harness.subject->path);
	crashvfs_survive();
	w = harness_restart();
	return v != VERDICT_SOUND ? v : w;
}

/* ---- faults, in a child that ends as the product does ---- */

/* What a child is to do. */
struct death {
	uint64_t at; /* allocation of SQLite's that fails; 0: none */
	bool is_forever;
};

int harness_be_quiet(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int before = dup(STDERR_FILENO);

	(void)dup2(null, STDERR_FILENO);
	(void)close(null);
	return before;
}

static enum err live(const struct death *d)
{
	enum err e;

	faultmem_start(FAULTMEM_SQLITE, d->at, d->is_forever);
	e = harness.subject->open();
	return e == ERR_OK ? harness_run_rest() : e;
}

static NORETURN void be_child(const struct death *d)
{
	enum err e;

	(void)harness_be_quiet();
	(void)signal(SIGABRT, SIG_DFL);
	e = live(d);
	harness.progress->has_fired = has_fired();
	/* Nothing is closed, nothing is written. */
	_exit(e == ERR_OK ? EXIT_SUCCESS : EXIT_FATAL);
}

static bool has_ended_well(const struct death *d, int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_SUCCESS || WEXITSTATUS(status) == EXIT_FATAL;
	harness.progress->has_fired = true;
	return harness.subject->aborts_without_memory && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGABRT && d->at != 0;
}

static enum verdict run_child(const struct death *d)
{
	enum verdict v;
	int status = 0;
	pid_t pid;

	faultvfs_install("unix");
	harness_start_run(FAULTVFS_NAME);
	(void)fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		be_child(d);
	(void)waitpid(pid, &status, 0);
	harness.is_counting = false;
	faultvfs_install(CRASHVFS_NAME);
	v = has_ended_well(d, status) ? VERDICT_SOUND
				      : harness_complain("the child ended badly", ERR_OK);
	harness_heal();
	if (v == VERDICT_SOUND && !harness.progress->has_fired)
		return VERDICT_LATE;
	if (v == VERDICT_SOUND)
		v = harness_restart();
	return v;
}

/* ---- series ---- */

uint64_t harness_next_point(uint64_t n, struct rand *r, uint64_t stride)
{
	return stride <= 1 ? n + 1 : n + 1 + rand_below(r, 2 * stride - 1);
}

struct loop {
	const char *name;
	enum fault_call call;
	bool is_full;
	bool is_forever;
	bool is_child;
	bool is_memory;    /* SQLite's */
	uint64_t expected; /* calls of the undisturbed run */
	size_t points;     /* of a short run */
};

static enum verdict loop_point(const struct loop *l, uint64_t n)
{
	const struct faultvfs_plan plan = {.call = l->call,
					   .at = l->is_memory ? 0 : n,
					   .is_full = l->is_full,
					   .is_forever = l->is_forever};

	const struct death d = {l->is_memory ? n : 0, l->is_forever};

	faultvfs_start(&plan);
	faultmem_start(FAULTMEM_SQLITE, d.at, d.is_forever);
	return l->is_child ? run_child(&d) : run_faulty();
}

static size_t run_loop(const struct loop *l)
{
	struct series s = series_begin(l->name);
	size_t wanted = harness.is_full ? harness.points : l->points;
	uint64_t stride = 1;
	struct rand r;
	enum verdict v = VERDICT_SOUND;

	rand_seeded_init(&r, harness.seed);
	/* Of tens of thousands "once" are all tried; "for ever" fails as the first of them did. */
	if (!harness.is_full || (l->is_memory && l->is_forever))
		stride = l->expected / (wanted != 0 ? wanted : 1) + 1;
	for (uint64_t n = harness_next_point(0, &r, stride); v != VERDICT_LATE;
	     n = harness_next_point(n, &r, stride)) {
		v = loop_point(l, n);
		series_count(&s, v);
		if (v != VERDICT_SOUND && v != VERDICT_LATE)
			(void)fprintf(stderr, "  %s: n = %" PRIu64 "\n", l->name, n);
	}
	return series_end(&s);
}

/* ---- all of them ---- */

static uint64_t calls[FAULT_CALLS];
static uint64_t calls_of_memory;
static uint64_t calls_of_own;

static void count_calls(void)
{
	const struct faultvfs_plan none = {0};
	enum verdict v;

	faultvfs_start(&none);
	faultmem_start(FAULTMEM_SQLITE, 0, false);
	v = run_faulty();
	REQUIRE(v == VERDICT_LATE);
	for (size_t i = 0; i < FAULT_CALLS; i++)
		calls[i] = faultvfs_count((enum fault_call)i);
	calls_of_memory = faultmem_count(FAULTMEM_SQLITE);
	calls_of_own = faultmem_count(FAULTMEM_OWN);
	(void)printf("%s: %" PRIu64 " writes, %" PRIu64 " syncs, %" PRIu64 " reads, %" PRIu64
		     " allocations of SQLite's, %" PRIu64 " of our own\n",
		     harness.subject->name, calls[FAULT_WRITE], calls[FAULT_SYNC],
		     calls[FAULT_READ], calls_of_memory, calls_of_own);
}

size_t harness_faults(void)
{
	struct loop loops[] = {
		{.name = "write fails once", .call = FAULT_WRITE},
		{.name = "write fails for ever", .call = FAULT_WRITE, .is_forever = true},
		{.name = "disk full once", .call = FAULT_WRITE, .is_full = true},
		{.name = "disk full for long",
		 .call = FAULT_WRITE,
		 .is_full = true,
		 .is_forever = true},
		{.name = "sync fails once", .call = FAULT_SYNC},
		{.name = "sync fails for ever", .call = FAULT_SYNC, .is_forever = true},
		{.name = "sync finds the disk full", .call = FAULT_SYNC, .is_full = true},
		{.name = "read fails once", .call = FAULT_READ},
		{.name = "truncate fails", .call = FAULT_TRUNCATE},
		{.name = "open fails", .call = FAULT_OPEN},
		{.name = "delete fails", .call = FAULT_DELETE},
		{.name = "size fails", .call = FAULT_SIZE},
		{.name = "shared memory fails", .call = FAULT_SHM},
		{.name = "lock fails", .call = FAULT_LOCK},
		{.name = "memory fails for ever", .is_memory = true, .is_forever = true},
		{.name = "process ends at write", .call = FAULT_WRITE, .is_child = true},
		{.name = "process ends at sync", .call = FAULT_SYNC, .is_child = true},
	};
	size_t bad = 0;

	count_calls();
	for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
		struct loop *l = &loops[i];

		if (!harness_is_wanted(l->name))
			continue;
		l->points = harness.points / 20 + 2;
		l->expected = l->is_memory ? calls_of_memory : calls[l->call];
		if (harness.subject->aborts_without_memory)
			l->is_child = l->is_child || l->is_memory;
		else if (l->is_child)
			continue;
		bad += run_loop(l);
	}
	return bad + harness_branches(calls_of_memory, calls_of_own, harness.points / 20 + 2);
}
