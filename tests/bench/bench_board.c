/*
 * bench_board - what administrators' listings cost with the whole country's communes and a long
 * sync log.
 *
 * usage: bench_board [SESSIONS [DEVICES]]      default: 1000000 and 10000
 *
 * Needs CTXH_SOURCE_DIR or to be run in the source tree. Milliseconds of processor of one command
 * with its answer as text, the best and the median of five; the store is in /tmp.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/admin.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

#define ROUNDS 5

static struct store *store;
static struct context ctx;

static void must(enum err e, const char *what)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "bench_board: %s: %s\n", what, err_name(e));
	exit(1);
}

/* Of the processor: others may be at work on it. */
static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void run(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	/* A statement is found again by the address of its text. */
	must(sql_use(store, mem_strdup(text), &q), text);
	must(sql_run(q), text);
}

static struct bytes read_file(struct arena *a, const char *folder, const char *name)
{
	struct buf text = {0};
	char path[512];
	size_t got = 1;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	while (got != 0) {
		got = fread(buf_reserve(&text, 65536), 1, 65536, f);
		text.len += got;
	}
	(void)fclose(f);
	struct bytes copy = arena_copy(a, buf_bytes(&text));

	buf_clear(&text);
	return copy;
}

static void fill(const char *source, long sessions, long devices)
{
	AUTO(arena_clear) struct arena a = {0};
	struct units_imported imported;
	char text[1600];
	int64_t day;

	must(units_parse_day(BYTES_LIT("2026-01-01"), &day), "day");
	must(store_begin(store), "begin");
	must(units_import(store, &a, read_file(&a, source, "tests/data/units/units_2026.csv"), day,
			  UNITS_DAY_OPEN, &imported),
	     "import");
	(void)snprintf(
		text, sizeof text,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %ld)"
		" INSERT INTO device SELECT i, randomblob(32), 0, 0, i, 'máy ' || i,"
		" 'Người ' || i, 50, randomblob(32), 0, 50 + (i %% 50 = 0), 50,"
		" 1790000000000, 0, 1795000000000 - (i %% 60) * 86400000, 0, i %% 40 = 0,"
		" '0.1.0', '', 0, 1795000000000 - (i %% 60) * 86400000 FROM n",
		devices);
	run(text);
	run("INSERT INTO device_unit SELECT number, (SELECT unit FROM unit WHERE level = 3 AND"
	    " unit > number % 3321 LIMIT 1) FROM device WHERE number <> 0");
	(void)snprintf(
		text, sizeof text,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %ld)"
		" INSERT INTO session(device, is_device_known, unit, author, started_at, ended_at,"
		" transport, address, client_version, bytes_in, bytes_out, changesets, applied,"
		" conflicts, quarantined, records_out, evictions, clock_offset_ms, outcome, error)"
		" SELECT 1 + abs(random()) %% %ld, 1, 1 + abs(random()) %% 3000, 'Người ' || i,"
		" 1700000000000 + i * 90000, 1700000000500 + i * 90000, 'network', '10.1.2.3',"
		" '0.1.0', 900, 700, 1, 2, 0, 0, 3, 0, 12,"
		" CASE WHEN i %% 1000 = 0 THEN 3 WHEN i %% 500000 = 1 THEN 4 ELSE 1 END, ''"
		" FROM n",
		sessions, devices);
	run(text);
	must(store_commit(store), "commit");
}

static int order(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

static size_t ask(const char *command, const char *args)
{
	AUTO(arena_clear) struct arena a = {0};
	struct admin_call call = {
		.ctx = &ctx, .store = store, .arena = &a, .caller = {.name = "bench"}};
	json_t *j = json_loads(args, 0, NULL);
	char *text;
	size_t len;

	call.args = j;
	must(store_begin(store), "begin");
	must(admin_run(admin_find(command), &call), call.error);
	store_rollback(store);
	text = json_dumps(call.result, JSON_COMPACT);
	len = strlen(text);
	free(text);
	admin_call_clear(&call);
	json_decref(j);
	return len;
}

static void measure(const char *command, const char *args)
{
	double took[ROUNDS];
	size_t len = 0;

	for (size_t i = 0; i < ROUNDS; i++) {
		double begun = now_ms();

		len = ask(command, args);
		took[i] = now_ms() - begun;
	}
	qsort(took, ROUNDS, sizeof took[0], order);
	printf("%-10s %-36s %8.1f ms %8.1f ms %9zu bytes\n", command, args, took[0],
	       took[ROUNDS / 2], len);
}

int main(int argc, char **argv)
{
	const char *source = getenv("CTXH_SOURCE_DIR") != NULL ? getenv("CTXH_SOURCE_DIR") : ".";
	char folder[] = "/tmp/bench_board_XXXXXX";
	char error[SCHEMA_ERROR_LEN];
	char path[64];
	char schema_folder[512];
	struct schema *schema = NULL;
	static const char *const ends[] = {"", "-wal", "-shm"};

	if (mkdtemp(folder) == NULL || crypt_init() != ERR_OK)
		return 1;
	(void)snprintf(path, sizeof path, "%s/ctxhd.db", folder);
	(void)snprintf(schema_folder, sizeof schema_folder, "%s/schema", source);
	must(schema_load_folder(schema_folder, &schema, error), error);
	must(store_open_writer(path, schema, &store), path);
	ctx.clock = clock_system();
	ctx.rand = rand_system();
	atomic_store(&ctx.schema, schema);
	fill(source, argc > 1 ? atol(argv[1]) : 1000000, argc > 2 ? atol(argv[2]) : 10000);
	printf("%-10s %-36s %11s %11s\n", "command", "arguments", "best", "median");
	measure("board", "{}");
	measure("board", "{\"packed\":true}");
	measure("board", "{\"province\":\"01\"}");
	measure("status", "{}");
	measure("log", "{}");
	measure("log", "{\"unit\":\"00004\"}");
	measure("log", "{\"device\":777}");
	measure("log", "{\"outcome\":\"refused\"}");
	measure("log", "{\"outcome\":\"failed\"}");
	measure("log", "{\"outcome\":\"partial\"}");
	measure("log", "{\"since\":\"2025-01-01\",\"until\":\"2025-01-31\"}");
	measure("log", "{\"after\":999000,\"limit\":1000}");
	measure("device list", "{}");
	measure("device list", "{\"counted\":true,\"limit\":100}");
	measure("device list", "{\"limit\":100,\"text\":\"may 777\"}");
	measure("device list", "{\"limit\":100,\"sort\":\"name\",\"down\":true}");
	measure("missing", "{}");
	measure("unit list", "{}");
	store_close(store);
	schema_free(schema);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof path, "%s/ctxhd.db%s", folder, ends[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
	return 0;
}
