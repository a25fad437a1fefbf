/*
 * bench_client - what a person at a commune's machine waits for: the real ctxh over a home with
 * many
 * people in it, beside plain SQLite over as many rows in the same run.
 *
 *   bench_client CTXH HOME PEOPLE.csv PLAIN.db [rounds]    prints one JSON object
 *   bench_client run CTXH HOME WORD ...                    one run alone: seconds and memory
 *
 * HOME is unlocked (its agent holds the key) and holds the people of PEOPLE.csv. Every figure but
 * the memory is the median of `rounds` whole runs of the program, from fork to exit; of plain
 * SQLite it is the statement alone, the file open. Figures, never a pass or fail.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/model/vntext.h"

#define ROUNDS_MAX 1000
#define ARGS_MAX   10

extern char **environ;

struct took {
	double ms;
	double cpu_ms;
};

struct series {
	double ms[ROUNDS_MAX];
	double cpu_ms[ROUNDS_MAX];
	int count;
};

struct bench {
	const char *ctxh;
	const char *home;
	int rounds;
	double peak_mib; /* of all runs of search, list and add */
};

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + (double)t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *ms, int count)
{
	qsort(ms, (size_t)count, sizeof *ms, compare);
	return ms[count / 2];
}

static struct took median_of(struct series *s)
{
	return (struct took){median(s->ms, s->count), median(s->cpu_ms, s->count)};
}

static double time_ms(const struct timeval *t)
{
	return 1e3 * (double)t->tv_sec + (double)t->tv_usec / 1e3;
}

/* One run of ctxh, its output thrown away. */
static void run_once(struct bench *b, const char *const *words, struct series *s)
{
	static char option[] = "--home";
	char *argv[ARGS_MAX + 4] = {(char *)(uintptr_t)b->ctxh, option, (char *)(uintptr_t)b->home};
	posix_spawn_file_actions_t files;
	struct rusage used;
	pid_t child;
	int status;

	for (size_t i = 0; words[i] != NULL; i++)
		argv[3 + i] = (char *)(uintptr_t)words[i];
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	const double start = now_ms();

	REQUIRE(posix_spawn(&child, b->ctxh, &files, NULL, argv, environ) == 0);
	REQUIRE(wait4(child, &status, 0, &used) == child);
	const double ms = now_ms() - start;

	posix_spawn_file_actions_destroy(&files);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "bench_client: %s %s: status %x\n", words[0],
			words[1] != NULL ? words[1] : "", status);
		exit(1);
	}
	const double mib = (double)used.ru_maxrss / 1024;

	b->peak_mib = mib > b->peak_mib ? mib : b->peak_mib;
	s->ms[s->count] = ms;
	s->cpu_ms[s->count++] = time_ms(&used.ru_utime) + time_ms(&used.ru_stime);
}

static struct took run(struct bench *b, const char *const *words)
{
	struct series s = {.count = 0};

	/* What one run leaves for the next, as a kept index, is not measured. */
	run_once(b, words, &s);
	s.count = 0;
	while (s.count < b->rounds)
		run_once(b, words, &s);
	return median_of(&s);
}

/* A new person each time, looked for among all the others before it is saved. */
static struct took run_add(struct bench *b)
{
	struct series s = {.count = 0};
	char name[64];
	char number[64];
	const char *const words[] = {"add",        "person", name, number, "birth_date=03/02/1950",
				     "sex=female", NULL};

	while (s.count < b->rounds) {
		snprintf(name, sizeof name, "full_name=Lò Thị Đo %ld %d", (long)getpid(), s.count);
		snprintf(number, sizeof number, "identity_number=0991%08ld",
			 ((long)getpid() * 1000 + s.count) % 100000000);
		run_once(b, words, &s);
	}
	return median_of(&s);
}

/* ---- plain SQLite ---- */

static void must(sqlite3 *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "bench_client: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static void insert_text(sqlite3 *db, sqlite3_stmt *stmt, struct bytes all)
{
	AUTO(buf_clear) struct buf fold = {0};

	REQUIRE(vntext_key(all, VNTEXT_FOLD, &fold) == ERR_OK);
	must(db,
	     sqlite3_bind_text(stmt, 1, (const char *)all.data, (int)all.len, SQLITE_TRANSIENT));
	must(db,
	     sqlite3_bind_text(stmt, 2, (const char *)fold.data, (int)fold.len, SQLITE_TRANSIENT));
	must(db, sqlite3_step(stmt));
	must(db, sqlite3_reset(stmt));
}

/* The rows as text, and folded: what a program that hides nothing would search. */
static size_t fill(sqlite3 *db, const char *csv)
{
	sqlite3_stmt *stmt = NULL;
	char line[4096];
	size_t count = 0;
	FILE *f = fopen(csv, "r");

	REQUIRE(f != NULL);
	must(db, sqlite3_exec(db,
			      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
			      "CREATE TABLE person (id INTEGER PRIMARY KEY, body TEXT, fold TEXT);"
			      "BEGIN",
			      NULL, NULL, NULL));
	must(db, sqlite3_prepare_v2(db, "INSERT INTO person (body, fold) VALUES (?1, ?2)", -1,
				    &stmt, NULL));
	for (bool is_heading = true; fgets(line, sizeof line, f) != NULL; is_heading = false) {
		if (is_heading)
			continue;
		insert_text(db, stmt, bytes_str(line));
		count++;
	}
	must(db, sqlite3_finalize(stmt));
	must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	fclose(f);
	return count;
}

static double plain(sqlite3 *db, const char *sql, int rounds)
{
	double ms[ROUNDS_MAX];

	for (int i = 0; i < rounds; i++) {
		const double start = now_ms();

		must(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
		ms[i] = now_ms() - start;
	}
	return median(ms, rounds);
}

static void print_took(const char *what, const struct took *t)
{
	printf(", \"client_%s_ms\": %.1f, \"client_%s_cpu_ms\": %.1f", what, t->ms, what,
	       t->cpu_ms);
}

/* For whoever is too large to be the parent of what it measures: a child's memory begins with it.
 */
static int run_alone(char **argv)
{
	struct bench b = {.ctxh = argv[0], .home = argv[1]};
	const char *words[ARGS_MAX] = {NULL};
	struct series s = {.count = 0};

	for (size_t i = 0; i < ARGS_MAX - 1 && argv[2 + i] != NULL; i++)
		words[i] = argv[2 + i];
	run_once(&b, words, &s);
	printf("{\"seconds\": %.4f, \"cpu_s\": %.4f, \"peak_mib\": %.1f}\n", s.ms[0] / 1e3,
	       s.cpu_ms[0] / 1e3, b.peak_mib);
	return 0;
}

int main(int argc, char **argv)
{
	struct bench b = {.rounds = 31};
	sqlite3 *db = NULL;

	if (argc < 5)
		return 2;
	if (strcmp(argv[1], "run") == 0)
		return run_alone(argv + 2);
	b.ctxh = argv[1];
	b.home = argv[2];
	if (argc > 5)
		b.rounds = atoi(argv[5]);
	REQUIRE(b.rounds > 0 && b.rounds <= ROUNDS_MAX);
	/* Before plain SQLite, whose memory the children's would begin with. */
	const struct took open = run(&b, (const char *const[]){"status", NULL});
	const struct took start = run(&b, (const char *const[]){"types", NULL});
	const struct took many =
		run(&b, (const char *const[]){"search", "nguyễn văn", "--type", "person", NULL});
	const struct took none = run(&b, (const char *const[]){"search", "không có ai", NULL});
	const struct took add = run_add(&b);
	const struct took list = run(&b, (const char *const[]){"list", "person", NULL});

	must(db, sqlite3_open(argv[4], &db));
	const size_t count = fill(db, argv[3]);
	const double plain_search =
		plain(db, "SELECT id, body FROM person WHERE fold LIKE '%nguyen van%'", b.rounds);
	const double plain_add = plain(
		db, "INSERT INTO person (body, fold) VALUES ('Lò Thị Đo', 'lo thi do')", b.rounds);

	must(db, sqlite3_close(db));
	printf("{\"client_people\": %zu", count);
	print_took("open", &open);
	print_took("start", &start);
	print_took("search", &many);
	print_took("search_none", &none);
	print_took("add", &add);
	print_took("list", &list);
	printf(", \"client_peak_mib\": %.1f, \"client_plain_select_ms\": %.2f,"
	       " \"client_plain_insert_ms\": %.2f, \"client_search_ratio\": %.2f,"
	       " \"client_add_ratio\": %.2f}\n",
	       b.peak_mib, plain_search, plain_add, (many.ms - start.ms) / plain_search,
	       (add.ms - start.ms) / plain_add);
	return 0;
}
