#include "tests/fault/harness.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/text/json.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/faultmem.h"
#include "tests/fault/faultvfs.h"
#include "tests/fault/harness_private.h"

#define COMMITS_MAX 4096u
#define PATH_LEN    256u
#define TOLD_EVERY  2000u

struct harness harness = {.seed = 4711, .points = 200};

static bool is_recording;
static bool is_hidden;                  /* the next commit is half of one */
static struct hash states[COMMITS_MAX]; /* after n commits */
static uint64_t state_count;
static struct hash final_state;

static const char *copy_path(void)
{
	static char path[PATH_LEN];

	(void)snprintf(path, sizeof path, "%s.copy", harness.subject->path);
	return path;
}

/* ---- commits ---- */

static void record_state(void)
{
	bool is_good;

	REQUIRE(state_count < COMMITS_MAX);
	dbfile_remove(copy_path());
	crashvfs_copy(harness.subject->path, copy_path());
	harness.is_counting = false;
	is_good = dbfile_digest(copy_path(), &states[state_count]);
	harness.is_counting = true;
	REQUIRE(is_good);
	state_count++;
}

/* A commit is about to happen. */
static int on_commit(void *arg)
{
	(void)arg;
	if (!harness.is_counting)
		return 0;
	if (is_hidden) {
		is_hidden = false;
		return 0;
	}
	if (is_recording)
		record_state();
	harness.progress->commits++;
	return 0;
}

static int on_connection(sqlite3 *db, char **ret_error, const struct sqlite3_api_routines *api)
{
	(void)ret_error;
	(void)api;
	(void)sqlite3_commit_hook(db, on_commit, NULL);
	if (harness.is_counting && harness.control == CONTROL_OFF)
		(void)sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (harness.is_counting && harness.control == CONTROL_NORMAL)
		(void)sqlite3_exec(db, "PRAGMA synchronous=NORMAL", NULL, NULL, NULL);
	return SQLITE_OK;
}

void harness_before_commit(void)
{
	if (!harness.is_counting || harness.control != CONTROL_EARLY)
		return;
	harness.progress->acked_commits = harness.progress->commits + 1;
	harness.is_early = true;
}

bool harness_tears(void)
{
	if (!harness.is_counting || harness.control != CONTROL_TORN)
		return false;
	is_hidden = true;
	if (harness.progress->tear_count < TEARS_MAX)
		harness.progress->tears[harness.progress->tear_count++] = crashvfs_operations();
	return true;
}

void harness_forgave(void)
{
	harness.progress->has_retried = true;
}

size_t harness_acked(void)
{
	return harness.progress->acked;
}

unsigned harness_restarts(void)
{
	return harness.progress->restarts;
}

void harness_acknowledge(void)
{
	harness.is_early = false;
	harness.progress->acked++;
	harness.progress->acked_commits = harness.progress->commits;
}

/* ---- running ---- */

enum err harness_run_rest(void)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && harness.progress->acked < *harness.subject->step_count) {
		e = harness.subject->step(harness.progress->acked);
		if (e == ERR_OK)
			harness_acknowledge();
	}
	return e;
}

void harness_start_run(const char *vfs)
{
	*harness.progress = (struct progress){0};
	dbfile_remove(harness.subject->path);
	harness.subject->reset();
	dbfile_use_vfs(vfs);
	harness.is_counting = true;
}

enum err harness_run_all(const char *vfs)
{
	enum err e;

	harness_start_run(vfs);
	e = harness.subject->open();
	if (e == ERR_OK)
		e = harness_run_rest();
	harness.subject->close();
	harness.is_counting = false;
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
	harness_start_run(CRASHVFS_NAME);
	e = harness.subject->open();
	if (e == ERR_OK)
		e = harness_run_rest();
	if (e != ERR_OK)
		(void)fprintf(stderr, "undisturbed, step %zu: %s: %s\n", harness.progress->acked,
			      err_name(e), log_last_detail());
	REQUIRE(e == ERR_OK);
	record_state();
	harness.is_counting = false;
	is_recording = false;
	harness.operations = crashvfs_operations();
	dbfile_use_vfs("unix");
	final_state = harness.subject->state();
	REQUIRE(harness.subject->check(harness.progress->acked) == 0);
	harness.subject->close();
}

/* ---- what is left ---- */

static enum verdict compare(void)
{
	struct hash left;

	dbfile_copy(harness.subject->path, copy_path());
	if (!dbfile_digest(copy_path(), &left))
		return VERDICT_ALIEN;
	if (harness.progress->has_retried)
		return VERDICT_SOUND;
	for (uint64_t n = harness.progress->acked_commits;
	     n <= harness.progress->commits && n < state_count; n++)
		if (memcmp(&states[n], &left, sizeof left) == 0)
			return VERDICT_SOUND;
	for (uint64_t n = 0; n < harness.progress->acked_commits && n < state_count; n++)
		if (memcmp(&states[n], &left, sizeof left) == 0)
			return VERDICT_LOST;
	return VERDICT_ALIEN;
}

bool harness_is_final(void)
{
	struct hash now = harness.subject->state();

	return memcmp(&now, &final_state, sizeof now) == 0;
}

enum verdict harness_complain(const char *what, enum err e)
{
	(void)fprintf(stderr, "  %s: %s: %s (step %zu of %zu)\n", what, err_name(e),
		      e != ERR_OK ? log_last_detail() : "", harness.progress->acked,
		      *harness.subject->step_count);
	return VERDICT_UNSOUND;
}

enum verdict harness_go_on(void)
{
	const size_t acked = harness.progress->acked;
	enum err e;

	if (harness.subject->check(acked) != 0)
		return harness_complain("after the restart", ERR_OK);
	e = harness_run_rest();
	if (e != ERR_OK)
		return harness_complain("going on", e);
	if (harness.subject->resend(harness.progress->acked) != 0)
		return harness_complain("sent again", ERR_OK);
	if (harness.subject->check(harness.progress->acked) != 0)
		return harness_complain("at the end", ERR_OK);
	return harness_is_final() ? VERDICT_SOUND
				  : harness_complain("the end is another one", ERR_OK);
}

/* The machine runs again, with a disk that works. */
enum verdict harness_restart(void)
{
	enum verdict v;
	enum err e;

	harness.progress->restarts++;
	dbfile_use_vfs("unix");
	v = compare();
	if (v != VERDICT_SOUND || harness.control != CONTROL_NONE)
		return v;
	e = harness.subject->open();
	v = e == ERR_OK ? harness_go_on() : harness_complain("opening", e);
	harness.subject->close();
	return v;
}

struct hash harness_fingerprint(void)
{
	static const char *const endings[] = {"", "-wal", "-journal"};
	struct progress *p = harness.progress;
	const uint64_t told[] = {p->acked, p->acked_commits, p->commits, p->has_retried};
	struct hash peers = {{0}};
	struct hasher h;

	hasher_start(&h);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		AUTO(buf_clear) struct buf file = {0};

		dbfile_read(harness.subject->path, endings[i], &file);
		hasher_add(&h, buf_bytes(&file));
		hasher_add(&h, bytes_of(&file.len, sizeof file.len));
	}
	if (harness.subject->peers != NULL)
		peers = harness.subject->peers();
	hasher_add(&h, bytes_of(told, sizeof told));
	hasher_add(&h, bytes_of(peers.bytes, sizeof peers.bytes));
	return hasher_end(&h);
}

void harness_move_files(void)
{
	dbfile_copy(harness.subject->path, copy_path());
	dbfile_remove(harness.subject->path);
	dbfile_copy(copy_path(), harness.subject->path);
}

/* ---- series ---- */

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct series series_begin(const char *name)
{
	return (struct series){.name = name, .began = now_s()};
}

void series_count(struct series *s, enum verdict v)
{
	s->points += v != VERDICT_LATE;
	s->bad[v]++;
	/* Hours are long. */
	if (v != VERDICT_LATE && s->points % TOLD_EVERY == 0)
		(void)fprintf(stderr, "  %s: %zu points, %.0f s\n", s->name, s->points,
			      now_s() - s->began);
}

bool harness_is_wanted(const char *name)
{
	return harness.only == NULL || strstr(name, harness.only) != NULL;
}

size_t series_end(const struct series *s)
{
	size_t bad = s->bad[VERDICT_LOST] + s->bad[VERDICT_ALIEN] + s->bad[VERDICT_UNSOUND];

	(void)printf("%s: %-28s %6zu points %4zu lost %4zu alien %4zu unsound %7.1f s",
		     harness.subject->name, s->name, s->points, s->bad[VERDICT_LOST],
		     s->bad[VERDICT_ALIEN], s->bad[VERDICT_UNSOUND], now_s() - s->began);
	if (s->ends != 0)
		(void)printf(" (%zu different ends)", s->ends);
	(void)printf("\n");
	(void)fflush(stdout);
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
			harness.is_full = true;
		else if (strcmp(argv[i], "--seed") == 0 && has_value)
			harness.seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--points") == 0 && has_value)
			harness.points = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--point") == 0 && has_value)
			harness.point = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--only") == 0 && has_value)
			harness.only = argv[++i];
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
	harness.subject = s;
	harness.progress = mmap(NULL, sizeof *harness.progress, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(harness.progress != MAP_FAILED);
	log_set_sink(on_log);
	json_use_mem();
	faultmem_install();
	crashvfs_install();
	faultvfs_install(CRASHVFS_NAME);
	(void)sqlite3_auto_extension((void (*)(void))on_connection);
	(void)printf("%s: seed %" PRIu64 "\n", s->name, harness.seed);
	prepare(harness.seed);
	record();
	(void)printf("%s: %zu steps, %" PRIu64 " commits, %" PRIu64 " operations\n", s->name,
		     *s->step_count, state_count - 1, harness.operations);
	bad = harness_cuts() + harness_faults();
	finish();
	(void)printf("%s: %s\n", s->name, bad == 0 ? "ok" : "FAILED");
	return bad == 0 ? 0 : 1;
}
