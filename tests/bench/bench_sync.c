/*
 * bench_sync - many devices push change-sets over TLS to a running daemon, durable before each
 * receipt; then plain SQLite puts the same rows and log bytes in the same run; then a new device
 * pulls everything.
 *
 * usage: bench_sync INVITATIONS SETS CHANGES [PLAINDB]
 *   INVITATIONS  a file, one invitation a line; the last one is the device that pulls
 * Prints one JSON object. Everything is sealed and signed before the clock starts, so the
 * load's own signatures are not counted; its TLS is.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/support/device.h"

#define LINE_MAX_LEN 1024u
#define UPDATE_SHARE 5  /* one of five changes updates a record of the device's own */
#define SHARED_SHARE 50 /* one of fifty writes a record that all devices write */
#define SHARED_COUNT 40u
#define FIELD_COUNT  6u

struct load_device {
	struct device device;
	struct rand rand;
	struct buf *wires; /* one signed request a set */
	struct bytes *bodies;
	pthread_t thread;
	int64_t worst_ms;
	bool has_failed;
};

static struct {
	struct load_device *devices;
	size_t device_count;
	size_t set_count;
	size_t change_count;
	struct id shared[SHARED_COUNT];
	struct id *own; /* device_count * set_count * change_count ids */
	const char *plain_path;
} bench;

static atomic_size_t acknowledged;

static const char *const given[] = {"An", "Bình", "Cường", "Dung", "Hạnh", "Hòa", "Lan", "Tuấn"};
static const char *const middle[] = {"Văn", "Thị", "Ngọc", "Minh", "Đức", "Thanh", "Kim", "Hữu"};
static const char *const family[] = {"Nguyễn", "Trần", "Lê", "Phạm", "Điểu", "Hoàng", "Vũ", "Đặng"};

static struct write *make_writes(struct arena *a, struct rand *r, int64_t unit)
{
	struct write *w = arena_alloc_array(a, FIELD_COUNT + 1, sizeof *w);
	uint64_t pick = rand_u64(r);

	/* In the order of names, as a change wants them. */
	w[0] = (struct write){
		BYTES_LIT("address"),
		value_text(arena_printf(a, "Thôn %u", (unsigned)(pick >> 40) % 12 + 1))};
	w[1] = (struct write){
		BYTES_LIT("birth_date"),
		value_text(arena_printf(a, "%u", 1930 + (unsigned)(pick >> 32) % 80))};
	w[2] = (struct write){
		BYTES_LIT("full_name"),
		value_text(arena_printf(a, "%s %s %s", family[pick & 7], middle[pick >> 3 & 7],
					given[pick >> 6 & 7]))};
	w[3] = (struct write){BYTES_LIT("occupation"), value_text(BYTES_LIT("làm nông"))};
	w[4] = (struct write){
		BYTES_LIT("phone"),
		value_text(arena_printf(a, "09%08u", (unsigned)(pick >> 16) % 100000000u))};
	w[5] = (struct write){BYTES_LIT("sex"),
			      value_text(pick & 1 ? BYTES_LIT("male") : BYTES_LIT("female"))};
	w[6] = (struct write){BYTES_LIT("unit"), value_int(unit)};
	return w;
}

static void make_set(struct load_device *ld, size_t index, size_t set)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	struct change *changes = arena_alloc_array(&a, bench.change_count, sizeof *changes);
	struct id *own = bench.own + index * bench.set_count * bench.change_count;
	size_t done = set * bench.change_count;

	for (size_t i = 0; i < bench.change_count; i++) {
		bool is_shared = rand_below(&ld->rand, SHARED_SHARE) == 0;
		bool is_update = !is_shared && set > 0 && rand_below(&ld->rand, UPDATE_SHARE) == 0;
		/* Granted in the order of surrogate ids: the shared commune was imported first. */
		int64_t unit = ld->device.units[is_shared ? 0 : ld->device.unit_count - 1];

		own[done + i] = id_new(clock_system(), &ld->rand);
		struct id id = is_shared   ? bench.shared[rand_below(&ld->rand, SHARED_COUNT)]
			       : is_update ? own[rand_below(&ld->rand, done)]
					   : own[done + i];

		changes[i] = (struct change){.type = BYTES_LIT("person"),
					     .id = id,
					     .author = BYTES_LIT("Người thử"),
					     .writes = make_writes(&a, &ld->rand, unit),
					     .count = FIELD_COUNT + 1};
	}
	if (device_seal(&ld->device, changes, bench.change_count, &wire) != ERR_OK)
		abort();
	struct bytes sealed = arena_copy(&a, buf_bytes(&wire));
	struct msg_sync m = {.epoch = ld->device.epoch,
			     .sent_ms = device_now(&ld->device),
			     .client_version = BYTES_LIT("bench"),
			     .max_bytes = 4096,
			     .changesets = &sealed,
			     .changeset_count = 1};

	device_envelope(&ld->device, &m, &ld->wires[set]);
	ld->bodies[set] = bytes_of(mem_copy(sealed.data, sealed.len), sealed.len);
}

static void *push_all(void *arg)
{
	struct load_device *ld = arg;

	for (size_t set = 0; set < bench.set_count; set++) {
		struct device_answer answer;
		int64_t start = clock_monotonic_ms(clock_system());
		enum err e =
			device_post(&ld->device, "/v1/sync", buf_bytes(&ld->wires[set]), &answer);
		int64_t took = clock_monotonic_ms(clock_system()) - start;

		ld->has_failed = e != ERR_OK || answer.status != 200;
		if (ld->has_failed)
			fprintf(stderr, "device %u: %s, status %ld\n", ld->device.number,
				log_last_detail(), answer.status);
		device_answer_clear(&answer);
		if (ld->has_failed)
			break;
		ld->worst_ms = took > ld->worst_ms ? took : ld->worst_ms;
		atomic_fetch_add(&acknowledged, bench.change_count);
	}
	return NULL;
}

static double seconds_since(int64_t start_ms)
{
	return (double)(clock_monotonic_ms(clock_system()) - start_ms) / 1000.0;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void sql(sqlite3 *db, const char *text)
{
	char *why = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", text, why);
		abort();
	}
}

static void plain_put_change(sqlite3_stmt *put, const struct change *c, int64_t log)
{
	sqlite3_bind_blob(put, 1, c->id.bytes, ID_LEN, SQLITE_STATIC);
	sqlite3_bind_int64(put, 2, log);
	for (size_t i = 0; i < c->count; i++) {
		const struct value *v = &c->writes[i].value;

		if (v->kind == VALUE_INT)
			sqlite3_bind_int64(put, (int)i + 3, v->integer);
		else
			sqlite3_bind_text(put, (int)i + 3, (const char *)v->bytes.data,
					  (int)v->bytes.len, SQLITE_STATIC);
	}
	sqlite3_step(put);
	sqlite3_reset(put);
}

static sqlite3 *plain_open(sqlite3_stmt **ret_put, sqlite3_stmt **ret_log)
{
	sqlite3 *db;

	if (sqlite3_open(bench.plain_path, &db) != SQLITE_OK)
		abort();
	sql(db, "PRAGMA journal_mode=WAL");
	sql(db, "PRAGMA synchronous=FULL");
	sql(db,
	    "CREATE TABLE person(row INTEGER PRIMARY KEY, id BLOB UNIQUE, log INTEGER, address TEXT,"
	    " birth_date TEXT, full_name TEXT, occupation TEXT, phone TEXT, sex TEXT, unit INTEGER)");
	sql(db,
	    "CREATE TABLE changeset(log INTEGER PRIMARY KEY, device INTEGER, first INTEGER, body BLOB)");
	sqlite3_prepare_v2(
		db,
		"INSERT INTO person(id, log, address, birth_date, full_name, occupation, phone,"
		" sex, unit) VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET"
		" log=excluded.log, address=excluded.address, birth_date=excluded.birth_date,"
		" full_name=excluded.full_name, occupation=excluded.occupation,"
		" phone=excluded.phone, sex=excluded.sex, unit=excluded.unit",
		-1, ret_put, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO changeset VALUES(?,?,?,?)", -1, ret_log, NULL);
	return db;
}

/* The floor: the same rows and log bytes, `group` change-sets a transaction. */
static double plain_run(size_t group)
{
	sqlite3_stmt *put;
	sqlite3_stmt *log_put;
	char aside[4096];
	int64_t log = 0;

	remove(bench.plain_path);
	snprintf(aside, sizeof aside, "%s-wal", bench.plain_path);
	remove(aside);
	sqlite3 *db = plain_open(&put, &log_put);
	int64_t start = clock_monotonic_ms(clock_system());

	for (size_t set = 0; set < bench.set_count; set++) {
		for (size_t d = 0; d < bench.device_count; d++) {
			AUTO(arena_clear) struct arena a = {0};
			struct changeset_opened opened;

			if (log % (int64_t)group == 0)
				sql(db, "BEGIN");
			log++;
			if (changeset_open(&a, bench.devices[d].bodies[set], NULL, &opened) !=
			    ERR_OK)
				abort();
			for (size_t i = 0; i < opened.set.count; i++)
				plain_put_change(put, &opened.set.changes[i], log);
			sqlite3_bind_int64(log_put, 1, log);
			sqlite3_bind_int64(log_put, 2, opened.set.device);
			sqlite3_bind_int64(log_put, 3, (int64_t)opened.set.first);
			sqlite3_bind_blob(log_put, 4, opened.set.body.data,
					  (int)opened.set.body.len, SQLITE_STATIC);
			sqlite3_step(log_put);
			sqlite3_reset(log_put);
			if (log % (int64_t)group == 0)
				sql(db, "COMMIT");
		}
	}
	if (log % (int64_t)group != 0)
		sql(db, "COMMIT");
	double took = seconds_since(start);

	sqlite3_finalize(put);
	sqlite3_finalize(log_put);
	sqlite3_close(db);
	return took;
}

static void pull_everything(struct device *d, size_t *ret_records, double *ret_seconds)
{
	struct msg_cursor cursors[64] = {0};
	size_t cursor_count = 0;
	int64_t start = clock_monotonic_ms(clock_system());
	bool has_more = true;

	*ret_records = 0;
	while (has_more) {
		AUTO(arena_clear) struct arena a = {0};
		struct msg_synced synced;
		struct msg_refusal refusal;
		struct msg_sync m = {
			.cursors = cursors, .cursor_count = cursor_count, .is_first_pull = true};

		if (device_sync(d, &a, &m, &synced, &refusal) != ERR_OK) {
			fprintf(stderr, "pull: %s\n", log_last_detail());
			exit(EXIT_FAILURE);
		}
		for (size_t i = 0; i < synced.cursor_count; i++) {
			size_t k = 0;

			while (k < cursor_count && cursors[k].unit != synced.cursors[i].unit)
				k++;
			if (k == cursor_count && cursor_count < 64)
				cursor_count++;
			cursors[k] = synced.cursors[i];
		}
		*ret_records += synced.record_count;
		has_more = synced.has_more;
	}
	*ret_seconds = seconds_since(start);
}

static size_t enrol_all(const char *path, struct device *puller)
{
	char line[LINE_MAX_LEN];
	char held[LINE_MAX_LEN] = "";
	size_t count = 0;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (held[0] != '\0') {
			struct load_device *ld = &bench.devices[count++];

			rand_seeded_init(&ld->rand, count);
			device_init(&ld->device, rand_system());
			if (device_enrol(&ld->device, held, "bench") != ERR_OK) {
				fprintf(stderr, "enrol: %s\n", log_last_detail());
				exit(EXIT_FAILURE);
			}
		}
		memcpy(held, line, sizeof held);
	}
	fclose(f);
	device_init(puller, rand_system());
	if (device_enrol(puller, held, "puller") != ERR_OK)
		exit(EXIT_FAILURE);
	return count;
}

static void prepare(void)
{
	struct rand rand;

	rand_seeded_init(&rand, 1);
	for (size_t i = 0; i < SHARED_COUNT; i++)
		bench.shared[i] = id_new(clock_system(), &rand);
	bench.own = mem_alloc_array(bench.device_count * bench.set_count * bench.change_count,
				    sizeof *bench.own);
	for (size_t d = 0; d < bench.device_count; d++) {
		bench.devices[d].wires = mem_alloc_array(bench.set_count, sizeof(struct buf));
		bench.devices[d].bodies = mem_alloc_array(bench.set_count, sizeof(struct bytes));
		for (size_t set = 0; set < bench.set_count; set++)
			make_set(&bench.devices[d], d, set);
	}
}

int main(int argc, char **argv)
{
	struct device puller;
	size_t pulled;
	double pull_s;
	int64_t worst = 0;
	bool has_failed = false;

	if (argc < 4 || crypt_init() != ERR_OK) {
		fprintf(stderr, "usage: bench_sync INVITATIONS SETS CHANGES [PLAINDB]\n");
		return 2;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	bench.set_count = strtoul(argv[2], NULL, 10);
	bench.change_count = strtoul(argv[3], NULL, 10);
	bench.plain_path = argc > 4 ? argv[4] : NULL;
	bench.devices = mem_alloc_array(20000, sizeof *bench.devices);
	bench.device_count = enrol_all(argv[1], &puller);
	prepare();

	double cpu = cpu_seconds();
	int64_t start = clock_monotonic_ms(clock_system());

	for (size_t d = 0; d < bench.device_count; d++)
		pthread_create(&bench.devices[d].thread, NULL, push_all, &bench.devices[d]);
	for (size_t d = 0; d < bench.device_count; d++) {
		pthread_join(bench.devices[d].thread, NULL);
		has_failed |= bench.devices[d].has_failed;
		worst = bench.devices[d].worst_ms > worst ? bench.devices[d].worst_ms : worst;
	}
	double merge_s = seconds_since(start);

	cpu = cpu_seconds() - cpu;
	uint64_t before = puller.bytes_in;

	pull_everything(&puller, &pulled, &pull_s);
	printf("{\"devices\": %zu, \"changes\": %zu, \"seconds\": %.3f, \"changes_per_s\": %.0f, "
	       "\"load_cpu_s\": %.2f, \"worst_answer_ms\": %lld, \"first_sync_records\": %zu, "
	       "\"first_sync_bytes_per_record\": %.1f, \"first_sync_s\": %.2f",
	       bench.device_count, (size_t)acknowledged, merge_s, (double)acknowledged / merge_s,
	       cpu, (long long)worst, pulled,
	       pulled != 0 ? (double)(puller.bytes_in - before) / (double)pulled : 0.0, pull_s);
	if (bench.plain_path != NULL) {
		double alone = plain_run(1);
		double grouped = plain_run(10);

		printf(", \"plain_sqlite_s\": %.3f, \"plain_sqlite_grouped_s\": %.3f, "
		       "\"merge_vs_plain_sqlite\": %.2f, \"merge_vs_plain_sqlite_grouped\": %.2f",
		       alone, grouped, merge_s / alone, merge_s / grouped);
	}
	printf("}\n");
	return has_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
