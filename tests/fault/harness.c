#include "tests/fault/harness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/rand.h"
#include "tests/fault/crashvfs.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/faultmem.h"
#include "tests/fault/faultvfs.h"

#define COMMITS_MAX 4096u
#define EXIT_FATAL  70 /* as the daemon's */
#define PATH_LEN    256u

/* Shared with children. */
struct progress {
	size_t acked;           /* steps */
	uint64_t acked_commits; /* known to have happened */
	uint64_t commits;       /* begun */
	unsigned restarts;
	bool has_fired;
	bool has_retried; /* after an error, in the same process: commits are no longer counted
			     right */
};

/* How SQLite is weakened, for runs that must lose something. */
enum control {
	CONTROL_NONE,
	CONTROL_OFF,    /* synchronous=OFF */
	CONTROL_NORMAL, /* synchronous=NORMAL */
	CONTROL_LYING,  /* a disk that lies */
	CONTROL_EARLY,  /* receipts before the commit */
};

enum verdict {
	VERDICT_SOUND,
	VERDICT_LATE,  /* the run ended before the point: nothing happened */
	VERDICT_LOST,  /* older than what was acknowledged */
	VERDICT_ALIEN, /* a state that never was: a part of a commit, or damage */
	VERDICT_UNSOUND,
};

static const struct subject *subject;
static struct progress *progress;
static enum control control;
static bool is_recording;
static bool is_counting;
static struct hash states[COMMITS_MAX]; /* after n commits */
static uint64_t state_count;
static struct hash final_state;
static uint64_t operations; /* of the undisturbed run */

static struct {
	uint64_t seed;
	size_t points;
	size_t point; /* from 1: this power cut alone; 0: all */
	bool is_full;
	const char *only;
} options = {.seed = 4711, .points = 200};

static const char *copy_path(void)
{
	static char path[PATH_LEN];

	(void)snprintf(path, sizeof path, "%s.copy", subject->path);
	return path;
}

/* ---- commits ---- */

static void record_state(void)
{
	bool is_good;

	REQUIRE(state_count < COMMITS_MAX);
	dbfile_remove(copy_path());
	crashvfs_copy(subject->path, copy_path());
	is_counting = false;
	is_good = dbfile_digest(copy_path(), &states[state_count]);
	is_counting = true;
	REQUIRE(is_good);
	state_count++;
}

/* A commit is about to happen. */
static int on_commit(void *arg)
{
	(void)arg;
	if (!is_counting)
		return 0;
	if (is_recording)
		record_state();
	progress->commits++;
	return 0;
}

static int on_connection(sqlite3 *db, char **ret_error, const struct sqlite3_api_routines *api)
{
	(void)ret_error;
	(void)api;
	(void)sqlite3_commit_hook(db, on_commit, NULL);
	if (is_counting && control == CONTROL_OFF)
		(void)sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (is_counting && control == CONTROL_NORMAL)
		(void)sqlite3_exec(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
	return SQLITE_OK;
}

void harness_before_commit(void)
{
	if (is_counting && control == CONTROL_EARLY)
		progress->acked_commits = progress->commits + 1;
}

size_t harness_acked(void)
{
	return progress->acked;
}

unsigned harness_restarts(void)
{
	return progress->restarts;
}

static void acknowledge(void)
{
	progress->acked++;
	progress->acked_commits = progress->commits;
}

/* ---- running ---- */

static enum err run_rest(void)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && progress->acked < *subject->step_count) {
		e = subject->step(progress->acked);
		if (e == ERR_OK)
			acknowledge();
	}
	return e;
}

static void start_run(const char *vfs)
{
	*progress = (struct progress){0};
	dbfile_remove(subject->path);
	subject->reset();
	dbfile_use_vfs(vfs);
	is_counting = true;
}

static enum err run_all(const char *vfs)
{
	enum err e;

	start_run(vfs);
	e = subject->open();
	if (e == ERR_OK)
		e = run_rest();
	subject->close();
	is_counting = false;
	return e;
}

/* The run without faults all others are compared with. */
static void record(void)
{
	const struct crashvfs_plan plan = {.seed = 1};
	enum err e;

	state_count = 0;
	is_recording = true;
	crashvfs_start(&plan);
	start_run(CRASHVFS_NAME);
	e = subject->open();
	if (e == ERR_OK)
		e = run_rest();
	if (e != ERR_OK)
		(void)fprintf(stderr, "undisturbed, step %zu: %s: %s\n", progress->acked,
			      err_name(e), log_last_detail());
	REQUIRE(e == ERR_OK);
	record_state();
	is_counting = false;
	is_recording = false;
	operations = crashvfs_operations();
	dbfile_use_vfs("unix");
	final_state = subject->state();
	REQUIRE(subject->check(progress->acked) == 0);
	subject->close();
}

/* ---- what is left ---- */

static enum verdict compare(void)
{
	struct hash left;

	dbfile_copy(subject->path, copy_path());
	if (!dbfile_digest(copy_path(), &left))
		return VERDICT_ALIEN;
	if (progress->has_retried)
		return VERDICT_SOUND;
	for (uint64_t n = progress->acked_commits; n <= progress->commits && n < state_count; n++)
		if (memcmp(&states[n], &left, sizeof left) == 0)
			return VERDICT_SOUND;
	for (uint64_t n = 0; n < progress->acked_commits && n < state_count; n++)
		if (memcmp(&states[n], &left, sizeof left) == 0)
			return VERDICT_LOST;
	return VERDICT_ALIEN;
}

static bool is_final(void)
{
	struct hash now = subject->state();

	return memcmp(&now, &final_state, sizeof now) == 0;
}

static enum verdict complain(const char *what, enum err e)
{
	(void)fprintf(stderr, "  %s: %s: %s (step %zu of %zu)\n", what, err_name(e),
		      e != ERR_OK ? log_last_detail() : "", progress->acked, *subject->step_count);
	return VERDICT_UNSOUND;
}

static enum verdict go_on(void)
{
	const size_t acked = progress->acked;
	enum err e;

	if (subject->check(acked) != 0)
		return complain("after the restart", ERR_OK);
	e = run_rest();
	if (e != ERR_OK)
		return complain("going on", e);
	if (subject->resend(progress->acked) != 0)
		return complain("sent again", ERR_OK);
	if (subject->check(progress->acked) != 0)
		return complain("at the end", ERR_OK);
	return is_final() ? VERDICT_SOUND : complain("the end is another one", ERR_OK);
}

/* The machine runs again, with a disk that works. */
static enum verdict restart(void)
{
	enum verdict v;
	enum err e;

	progress->restarts++;
	dbfile_use_vfs("unix");
	v = compare();
	if (v != VERDICT_SOUND || control != CONTROL_NONE)
		return v;
	e = subject->open();
	v = e == ERR_OK ? go_on() : complain("opening", e);
	subject->close();
	return v;
}

static enum verdict cut_at(const struct crashvfs_plan *plan)
{
	crashvfs_start(plan);
	(void)run_all(CRASHVFS_NAME);
	if (!crashvfs_is_cut())
		return VERDICT_LATE;
	dbfile_remove(subject->path);
	crashvfs_survive();
	return restart();
}

/* ---- a sync that fails, a restart, and then the power ---- */

/* What is acknowledged after the restart must not stand on pages that never reached the disk. */
static enum verdict lose_sync(uint64_t at, bool is_stuck)
{
	const struct crashvfs_plan none = {
		.pattern = CRASH_NONE, .seed = 1, .keeps_cache = is_stuck};
	enum verdict v;
	enum err e;

	crashvfs_start(&none);
	crashvfs_fail_sync(at);
	e = run_all(CRASHVFS_NAME);
	if (!crashvfs_has_failed_sync())
		return VERDICT_LATE;
	e = subject->open();
	/* Not far: the next checkpoint would write it all anew. */
	for (int i = 0; i < 2 && e == ERR_OK && progress->acked < *subject->step_count; i++) {
		e = subject->step(progress->acked);
		if (e == ERR_OK)
			acknowledge();
	}
	crashvfs_cut();
	subject->close();
	if (e != ERR_OK)
		return complain("after a sync that failed", e);
	dbfile_remove(subject->path);
	crashvfs_survive();
	dbfile_use_vfs("unix");
	e = subject->open();
	v = e == ERR_OK && subject->check(progress->acked) == 0 ? VERDICT_SOUND : VERDICT_LOST;
	if (v == VERDICT_SOUND && !is_stuck)
		v = go_on();
	subject->close();
	return v;
}

/* ---- faults, in this process ---- */

static bool has_fired(void)
{
	return faultvfs_has_fired() || faultmem_has_fired();
}

static void heal(void)
{
	faultvfs_heal();
	faultmem_start(0, false);
}

/* What the program does at an error: full is refused and tried again, anything else ends it. */
static bool is_survivable(enum err e)
{
	return err_class(e) == ERR_CLASS_RETRY;
}

static enum err open_through(void)
{
	enum err e = subject->open();

	if (e == ERR_OK || !has_fired())
		return e;
	subject->close();
	heal();
	progress->has_retried = true;
	return subject->open();
}

/* True: the process goes on after all. */
static bool run_through(enum err *ret_last)
{
	enum err e = open_through();

	for (int tries = 0; e == ERR_OK; tries++) {
		size_t before = progress->acked;

		e = run_rest();
		if (e == ERR_OK || !is_survivable(e))
			break;
		*ret_last = e;
		progress->has_retried = true;
		if (progress->acked != before)
			tries = 0;
		if (tries == 1)
			heal();
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

	subject->close();
	after = faultvfs_count(FAULT_WRITE) + faultvfs_count(FAULT_SYNC);
	return err_class(last) == ERR_CLASS_FATAL && after != before ? 1 : 0;
}

static enum verdict after_fault(bool is_done, enum err last)
{
	bool is_error_fatal = err_class(last) == ERR_CLASS_FATAL || is_survivable(last);
	enum verdict v = VERDICT_SOUND;

	if (!is_done && !is_error_fatal)
		v = complain("an error of the wrong class", last);
	if (is_done && !is_final())
		v = complain("ended elsewhere", ERR_OK);
	if (close_silently(is_done ? ERR_OK : last) != 0)
		v = complain("wrote after a fatal error", last);
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
	start_run(FAULTVFS_NAME);
	is_done = run_through(&last);
	if (!has_fired()) {
		subject->close();
		is_counting = false;
		return VERDICT_LATE;
	}
	heal();
	v = after_fault(is_done, last);
	is_counting = false;
	dbfile_remove(subject->path);
	crashvfs_survive();
	w = restart();
	return v != VERDICT_SOUND ? v : w;
}

/* ---- faults, in a child that ends as the product does ---- */

static NORETURN void be_child(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	enum err e;

	(void)dup2(null, STDERR_FILENO);
	(void)signal(SIGABRT, SIG_DFL);
	e = subject->open();
	if (e == ERR_OK)
		e = run_rest();
	progress->has_fired = has_fired();
	/* Nothing is closed, nothing is written. */
	_exit(e == ERR_OK ? EXIT_SUCCESS : EXIT_FATAL);
}

static bool has_ended_well(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == EXIT_SUCCESS || WEXITSTATUS(status) == EXIT_FATAL;
	progress->has_fired = true;
	return subject->aborts_without_memory && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGABRT && faultmem_is_armed();
}

static enum verdict run_child(void)
{
	enum verdict v;
	int status = 0;
	pid_t pid;

	faultvfs_install("unix");
	start_run(FAULTVFS_NAME);
	(void)fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		be_child();
	(void)waitpid(pid, &status, 0);
	is_counting = false;
	faultvfs_install(CRASHVFS_NAME);
	v = has_ended_well(status) ? VERDICT_SOUND : complain("the child ended badly", ERR_OK);
	heal();
	if (v == VERDICT_SOUND && !progress->has_fired)
		return VERDICT_LATE;
	if (v == VERDICT_SOUND)
		v = restart();
	return v;
}

/* ---- series ---- */

struct series {
	const char *name;
	size_t points;
	size_t late;
	size_t bad[5];
	double began;
};

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void count(struct series *s, enum verdict v)
{
	s->points += v != VERDICT_LATE;
	s->late += v == VERDICT_LATE;
	s->bad[v]++;
}

static bool is_wanted(const char *name)
{
	return options.only == NULL || strstr(name, options.only) != NULL;
}

static size_t series_end(const struct series *s)
{
	size_t bad = s->bad[VERDICT_LOST] + s->bad[VERDICT_ALIEN] + s->bad[VERDICT_UNSOUND];

	(void)printf("%s: %-28s %6zu points %4zu lost %4zu alien %4zu unsound %7.1f s\n",
		     subject->name, s->name, s->points, s->bad[VERDICT_LOST], s->bad[VERDICT_ALIEN],
		     s->bad[VERDICT_UNSOUND], now_s() - s->began);
	(void)fflush(stdout);
	return bad;
}

static struct crashvfs_plan random_cut(struct rand *r)
{
	return (struct crashvfs_plan){
		.at = 1 + rand_below(r, operations),
		.pattern = (enum crash_pattern)rand_below(r, CRASH_PATTERNS),
		.seed = rand_u64(r) >> 16,
	};
}

/* The whole run: every operation, each pattern. */
static size_t power_cuts(void)
{
	struct series s = {.name = "power cuts", .began = now_s()};
	size_t points = options.is_full ? operations * CRASH_PATTERNS : options.points;
	struct rand r;

	rand_seeded_init(&r, options.seed);
	for (size_t i = 0; i < points; i++) {
		struct crashvfs_plan plan = random_cut(&r);
		enum verdict v;

		if (options.is_full) {
			plan.at = 1 + i / CRASH_PATTERNS;
			plan.pattern = (enum crash_pattern)(i % CRASH_PATTERNS);
		}

		if (options.point != 0 && options.point != i + 1)
			continue;
		v = cut_at(&plan);
		count(&s, v);
		if (v != VERDICT_SOUND)
			(void)fprintf(stderr,
				      "  point %zu: operation %" PRIu64 " of %" PRIu64
				      ", %s, seed %" PRIu64 ", commits %" PRIu64 "/%" PRIu64 "\n",
				      i + 1, plan.at, operations, crash_pattern_name(plan.pattern),
				      plan.seed, progress->acked_commits, progress->commits);
	}
	return series_end(&s);
}

/* A weaker machine, which must be found out. */
static size_t negative_control(enum control which, const char *name, size_t points)
{
	struct series s = {.name = name, .began = now_s()};
	struct rand r;
	size_t bad;

	rand_seeded_init(&r, options.seed + which);
	control = which;
	for (size_t i = 0; i < points; i++) {
		struct crashvfs_plan plan = random_cut(&r);

		plan.is_lying = which == CONTROL_LYING;
		plan.hides_sync = which == CONTROL_OFF || which == CONTROL_NORMAL;
		count(&s, cut_at(&plan));
	}
	control = CONTROL_NONE;
	bad = series_end(&s);
	if (bad == 0)
		(void)printf("%s: %s lost nothing: the test is blind\n", subject->name, name);
	return bad == 0 ? 1 : 0;
}

static size_t negative_controls(void)
{
	size_t points = options.points / 4 + 10;

	return negative_control(CONTROL_OFF, "control synchronous=OFF", points) +
	       negative_control(CONTROL_NORMAL, "control synchronous=NORMAL", points) +
	       negative_control(CONTROL_LYING, "control lying disk", points) +
	       negative_control(CONTROL_EARLY, "control receipt first", points);
}

static size_t lost_syncs(bool is_stuck)
{
	struct series s = {.name = is_stuck ? "control cache not dropped"
					    : "sync lost, restart, cut",
			   .began = now_s()};
	enum verdict v = VERDICT_SOUND;
	uint64_t stride = options.is_full ? 1 : 7;
	size_t bad;

	for (uint64_t n = 1 + options.seed % stride; v != VERDICT_LATE; n += stride) {
		v = lose_sync(n, is_stuck);
		count(&s, v);
	}
	bad = series_end(&s);
	return is_stuck ? bad == 0 : bad;
}

/* Every n until a run ends without the fault; in the short run every so many. */
static uint64_t next_point(uint64_t n, struct rand *r, uint64_t stride)
{
	return stride <= 1 ? n + 1 : n + 1 + rand_below(r, 2 * stride - 1);
}

struct loop {
	const char *name;
	enum fault_call call;
	bool is_full;
	bool is_forever;
	bool is_child;
	bool is_memory;
	uint64_t expected; /* calls of the undisturbed run */
	size_t points;     /* of a short run */
};

static enum verdict loop_point(const struct loop *l, uint64_t n)
{
	const struct faultvfs_plan plan = {.call = l->call,
					   .at = l->is_memory ? 0 : n,
					   .is_full = l->is_full,
					   .is_forever = l->is_forever};

	faultvfs_start(&plan);
	faultmem_start(l->is_memory ? n : 0, l->is_forever);
	return l->is_child ? run_child() : run_faulty();
}

static size_t run_loop(const struct loop *l)
{
	struct series s = {.name = l->name, .began = now_s()};
	size_t wanted = options.is_full ? options.points : l->points;
	uint64_t stride = 1;
	struct rand r;
	enum verdict v = VERDICT_SOUND;

	rand_seeded_init(&r, options.seed);
	if (!options.is_full || l->is_memory)
		stride = l->expected / (wanted != 0 ? wanted : 1) + 1;
	for (uint64_t n = next_point(0, &r, stride); v != VERDICT_LATE;
	     n = next_point(n, &r, stride)) {
		v = loop_point(l, n);
		count(&s, v);
		if (v != VERDICT_SOUND && v != VERDICT_LATE)
			(void)fprintf(stderr, "  %s: n = %" PRIu64 "\n", l->name, n);
	}
	return series_end(&s);
}

static uint64_t calls[FAULT_CALLS];
static uint64_t calls_of_memory;

static void count_calls(void)
{
	const struct faultvfs_plan none = {0};
	enum verdict v;

	faultvfs_start(&none);
	faultmem_start(0, false);
	v = run_faulty();
	REQUIRE(v == VERDICT_LATE);
	for (size_t i = 0; i < FAULT_CALLS; i++)
		calls[i] = faultvfs_count((enum fault_call)i);
	calls_of_memory = faultmem_count();
}

static size_t fault_loops(void)
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
		{.name = "memory fails once", .is_memory = true},
		{.name = "memory fails for ever", .is_memory = true, .is_forever = true},
		{.name = "process ends at write", .call = FAULT_WRITE, .is_child = true},
		{.name = "process ends at sync", .call = FAULT_SYNC, .is_child = true},
	};
	size_t bad = 0;

	count_calls();
	for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
		struct loop *l = &loops[i];

		if (!is_wanted(l->name))
			continue;
		l->points = options.points / 20 + 2;
		l->expected = l->is_memory ? calls_of_memory : calls[l->call];
		if (subject->aborts_without_memory)
			l->is_child = l->is_child || l->is_memory;
		else if (l->is_child)
			continue;
		bad += run_loop(l);
	}
	return bad;
}

/* ---- the program ---- */

/* Faults are what this is about; what counts is told by the points. */
static void on_log(enum log_level level, const char *tag, const char *text)
{
	(void)level;
	(void)tag;
	(void)text;
}

static bool read_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;

		if (strcmp(argv[i], "--full") == 0)
			options.is_full = true;
		else if (strcmp(argv[i], "--seed") == 0 && has_value)
			options.seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--points") == 0 && has_value)
			options.points = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--point") == 0 && has_value)
			options.point = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0 && has_value)
			options.only = argv[++i];
		else
			return false;
	}
	return true;
}

int harness_main(int argc, char **argv, const struct subject *s, void (*prepare)(uint64_t seed),
		 void (*finish)(void))
{
	size_t bad = 0;

	if (!read_options(argc, argv)) {
		(void)fprintf(
			stderr,
			"usage: %s [--seed N] [--points N] [--point I] [--full] [--only NAME]\n",
			argv[0]);
		return 2;
	}
	subject = s;
	progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	REQUIRE(progress != MAP_FAILED);
	log_set_sink(on_log);
	faultmem_install();
	crashvfs_install();
	faultvfs_install(CRASHVFS_NAME);
	(void)sqlite3_auto_extension((void (*)(void))on_connection);
	(void)printf("%s: seed %" PRIu64 "\n", s->name, options.seed);
	prepare(options.seed);
	record();
	(void)printf("%s: %zu steps, %" PRIu64 " commits, %" PRIu64 " operations\n", s->name,
		     *s->step_count, state_count - 1, operations);
	if (is_wanted("power cuts"))
		bad += power_cuts();
	if (is_wanted("controls"))
		bad += negative_controls();
	if (subject->drops_cache && is_wanted("sync lost"))
		bad += lost_syncs(false) + lost_syncs(true);
	bad += fault_loops();
	finish();
	(void)printf("%s: %s\n", s->name, bad == 0 ? "ok" : "FAILED");
	return bad == 0 ? 0 : 1;
}
