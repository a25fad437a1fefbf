#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/check.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/faultmem.h"
#include "tests/fault/faultvfs.h"
#include "tests/fault/harness_private.h"

/*
 * One run; at every allocation a copy of the process in which that one fails. The disk is in
 * memory, so the copy has it for itself and goes on to its end, and to the next start. An
 * allocation of our own ends the program there and then (mem.h).
 */

#define ENDS_MAX       65536u
#define CONTROL_STRIDE 5u
#define CONTROL_ENOUGH 5u /* lost: it is seen */

/* Thousands of allocations lie between two operations on the disk: the same bytes, acknowledgements
 * and peers need one look. Shared by all copies. */
static struct ends {
	size_t count;
	struct hash seen[ENDS_MAX];
} * ends;

static struct {
	struct series series;
	struct rand rand;
	enum faultmem kind;
	uint64_t stride;
	uint64_t next;
	bool is_copy;
	bool is_quiet;
	int loud; /* stderr, in a copy */
} branch;

static sigjmp_buf died;

static void on_abort(int signal)
{
	(void)signal;
	siglongjmp(died, 1);
}

static bool is_end_known(void)
{
	struct hash h = harness_fingerprint();

	for (size_t i = 0; i < ends->count; i++)
		if (memcmp(&ends->seen[i], &h, sizeof h) == 0)
			return true;
	REQUIRE(ends->count < ENDS_MAX);
	ends->seen[ends->count++] = h;
	return false;
}

/* ---- in the copy ---- */

static void become_copy(void)
{
	static struct progress own;

	branch.is_copy = true;
	branch.loud = harness_be_quiet();
	own = *harness.progress;
	harness.progress = &own;
	faultmem_decide(branch.kind, NULL);
	(void)signal(SIGABRT, on_abort);
	if (harness.subject->branch != NULL)
		harness.subject->branch();
}

static enum verdict end_copy(bool is_dead, bool is_done, enum err last)
{
	enum verdict v = VERDICT_SOUND;

	(void)dup2(branch.loud, STDERR_FILENO);
	harness_heal();
	if (is_dead)
		harness.subject->die();
	if (is_dead && branch.kind == FAULTMEM_SQLITE && !harness.subject->aborts_without_memory)
		v = harness_complain("it died", last);
	if (!is_dead)
		v = harness_after_fault(is_done, last);
	if (!is_dead && branch.kind == FAULTMEM_OWN)
		v = harness_complain("out of memory, and alive", last);
	harness.is_counting = false;
	dbfile_remove(harness.subject->path);
	crashvfs_survive();
	return v == VERDICT_SOUND && !is_end_known() ? harness_restart() : v;
}

/* ---- in the run ---- */

/* Its interest is what comes behind a receipt too early. */
static bool is_of_control(void)
{
	return harness.is_early && branch.series.bad[VERDICT_LOST] < CONTROL_ENOUGH;
}

static bool fork_here(uint64_t n)
{
	int status = 0;
	enum verdict v;
	pid_t pid;

	if (n < branch.next || (harness.control == CONTROL_EARLY && !is_of_control()))
		return false;
	branch.next = harness_next_point(n, &branch.rand, branch.stride);
	(void)fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		become_copy();
		return true;
	}
	(void)waitpid(pid, &status, 0);
	v = WIFEXITED(status) && WEXITSTATUS(status) < VERDICTS
		    ? (enum verdict)WEXITSTATUS(status)
		    : harness_complain("the copy ended badly", ERR_OK);
	series_count(&branch.series, v);
	if (v != VERDICT_SOUND && !branch.is_quiet)
		(void)fprintf(stderr, "  %s: n = %" PRIu64 "\n", branch.series.name, n);
	return false;
}

static void run_once(void)
{
	const struct crashvfs_plan all = {.pattern = CRASH_ALL, .seed = 1};
	static const struct faultvfs_plan none;
	volatile bool is_dead = false;
	volatile bool is_done = false;
	enum err last = ERR_OK;

	faultvfs_start(&none);
	crashvfs_start(&all);
	harness_start_run(FAULTVFS_NAME);
	faultmem_start(branch.kind, 0, false);
	faultmem_decide(branch.kind, fork_here);
	if (sigsetjmp(died, 1) == 0)
		is_done = harness_run_through(&last);
	else
		is_dead = true;
	if (branch.is_copy)
		_exit((int)end_copy(is_dead, is_done, last));
	faultmem_decide(branch.kind, NULL);
	harness.subject->close();
	harness.is_counting = false;
	REQUIRE(is_done && !is_dead);
}

static size_t run_series(const char *name, enum faultmem kind, uint64_t stride)
{
	size_t bad;

	branch.series = series_begin(name);
	branch.kind = kind;
	branch.stride = stride;
	rand_seeded_init(&branch.rand, harness.seed);
	branch.next = harness_next_point(0, &branch.rand, branch.stride);
	ends = mmap(NULL, sizeof *ends, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(ends != MAP_FAILED);
	run_once();
	branch.series.ends = ends->count;
	bad = series_end(&branch.series);
	(void)munmap(ends, sizeof *ends);
	return bad;
}

/* Receipts before the commit are found out here, too. */
static size_t control(const char *name, enum faultmem kind)
{
	size_t bad;

	harness.control = CONTROL_EARLY;
	branch.is_quiet = true;
	bad = run_series(name, kind, CONTROL_STRIDE);
	branch.is_quiet = false;
	harness.control = CONTROL_NONE;
	if (bad == 0)
		(void)printf("%s: nothing was lost: the test is blind\n", harness.subject->name);
	return bad == 0;
}

size_t harness_branches(uint64_t of_sqlite, uint64_t of_own, size_t wanted)
{
	const uint64_t stride_sqlite = harness.is_full ? 1 : of_sqlite / wanted + 1;
	const uint64_t stride_own = harness.is_full ? 1 : of_own / wanted + 1;
	size_t bad = 0;

	if (harness_is_wanted("memory fails once"))
		bad += run_series("memory fails once", FAULTMEM_SQLITE, stride_sqlite);
	if (harness_is_wanted("out of memory: the end"))
		bad += run_series("out of memory: the end", FAULTMEM_OWN, stride_own);
	if (harness_is_wanted("controls")) {
		bad += control("control memory, receipt first", FAULTMEM_SQLITE);
		bad += control("control the end, receipt first", FAULTMEM_OWN);
	}
	return bad;
}
