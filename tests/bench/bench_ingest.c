/*
 * bench_ingest - what the merge costs over plain SQLite, in one process, no network.
 *
 * usage: bench_ingest [FOLDER [DEVICES SETS CHANGES GROUP]]   (default: /tmp 100 10 100 10)
 *
 * DEVICES push SETS change-sets of CHANGES each, interleaved; GROUP sets share a
 * transaction without marks of their own, as the writer's group commit makes them. One change of
 * five updates a record of the device's own, one of fifty a record all devices write. Decoding,
 * signatures and compression are the pool threads' work and done before the clock starts. Then
 * plain SQLite upserts the same values, with the same indexes, packed columns of the same size, the
 * same compressed log bytes, as many conflict, notice, session and device rows, in transactions of
 * the same size: the floor. Prints one JSON object; medians of three runs of each, taken in turn.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/enrol.h"
#include "daemon/ingest.h"
#include "daemon/session.h"
#include "daemon/store.h"
#include "daemon/units.h"
#include "tests/bench/people.h"

#define RUNS         3u
#define SHARED       40u
#define UPDATE_SHARE 5
#define SHARED_SHARE 50
#define WAL_PAGES    8192u
#define START_MS     INT64_C(1790000000000)

static const char schema_text[] = "types:\n"
				  "  person:\n"
				  "    vi: Người\n"
				  "    en: Person\n"
				  "    kind: register\n"
				  "    sensitivity: basic\n"
				  "    fields:\n"
				  "      full_name: {type: text, vi: Tên, en: Name, title: true}\n"
				  "      birth_date: {type: text, vi: Ngày sinh, en: Born}\n"
				  "      phone: {type: text, vi: Điện thoại, en: Phone}\n"
				  "      address: {type: text, vi: Địa chỉ, en: Address}\n"
				  "      occupation: {type: text, vi: Nghề, en: Occupation}\n"
				  "      sex: {type: text, vi: Giới, en: Sex}\n";

struct load_device {
	struct sign_pair key;
	struct hash chain;
	struct hlc hlc;
	uint64_t next;
	struct id *own;
	size_t own_count;
};

struct load {
	size_t devices, sets, changes, group;
	struct schema *schema;
	struct clock_fake clock;
	struct rand rand;
	struct context ctx;
	struct arena a;
	struct load_device *device;
	struct id shared[SHARED];
	struct changeset_opened *opened; /* in order of arrival */
	struct bytes *packed;            /* log bytes, compressed, for the floor */
	size_t *conflicts;               /* of each set, as our run found them */
};

static void must(enum err e)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "bench_ingest: %s: %s\n", err_name(e), log_last_detail());
	exit(1);
}

static void must_sqlite(int rc, sqlite3 *db)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	(void)fprintf(stderr, "bench_ingest: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static double seconds(clockid_t which)
{
	struct timespec t;

	REQUIRE(clock_gettime(which, &t) == 0);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the load ---- */

static struct id choose_id(struct load *l, struct load_device *d, bool *ret_is_new)
{
	struct id id;

	*ret_is_new = false;
	if (rand_below(&l->rand, SHARED_SHARE) == 0)
		return l->shared[rand_below(&l->rand, SHARED)];
	if (d->own_count > 0 && rand_below(&l->rand, UPDATE_SHARE) == 0)
		return d->own[rand_below(&l->rand, d->own_count)];
	id = id_new(&l->clock.clock, &l->rand);
	d->own[d->own_count++] = id;
	*ret_is_new = true;
	return id;
}

static struct change make_change(struct load *l, struct load_device *d)
{
	bool is_new;
	struct id id = choose_id(l, d, &is_new);
	struct change c = {.type = BYTES_LIT("person"),
			   .id = id,
			   .clock = hlc_tick(&d->hlc, l->clock.wall),
			   .author = BYTES_LIT("Nguyễn Thị Hoa"),
			   .writes = people_writes(&l->a, &l->rand, 2),
			   .count = PEOPLE_FIELDS + 1};

	return c;
}

static struct bytes seal_set(struct load *l, size_t device)
{
	AUTO(buf_clear) struct buf wire = {0};
	struct load_device *d = &l->device[device];
	struct change *changes = arena_alloc_array(&l->a, l->changes, sizeof *changes);
	struct changeset_head head = {.daemon = l->ctx.daemon,
				      .device = (uint32_t)device + 1,
				      .first = d->next,
				      .count = l->changes,
				      .chain = d->chain};

	l->clock.wall += 10;
	for (size_t i = 0; i < l->changes; i++) {
		changes[i] = make_change(l, d);
		changes[i].number = d->next + i;
	}
	must(changeset_seal(&head, changes, &d->key, &wire, &d->chain));
	d->next += l->changes;
	return arena_copy(&l->a, buf_bytes(&wire));
}

static struct bytes compress(struct load *l, struct bytes body)
{
	AUTO(buf_clear) struct buf packed = {0};

	store_pack_body(body, &packed);
	return arena_copy(&l->a, buf_bytes(&packed));
}

static void make_load(struct load *l)
{
	size_t total = l->devices * l->sets;

	l->device = arena_alloc_array(&l->a, l->devices, sizeof *l->device);
	for (size_t i = 0; i < SHARED; i++)
		l->shared[i] = id_new(&l->clock.clock, &l->rand);
	for (size_t i = 0; i < l->devices; i++) {
		uint8_t seed[32] = {(uint8_t)i, (uint8_t)(i >> 8), 1};

		sign_pair_from_seed(seed, &l->device[i].key);
		l->device[i].next = 1;
		l->device[i].own =
			arena_alloc_array(&l->a, l->sets * l->changes, sizeof(struct id));
	}
	l->opened = arena_alloc_array(&l->a, total, sizeof *l->opened);
	l->packed = arena_alloc_array(&l->a, total, sizeof *l->packed);
	l->conflicts = arena_alloc_array(&l->a, total, sizeof *l->conflicts);
	for (size_t i = 0; i < total; i++) {
		struct bytes wire = seal_set(l, i % l->devices);

		must(changeset_open(&l->a, wire, NULL, &l->opened[i]));
		l->packed[i] = compress(l, l->opened[i].set.body);
	}
}

/* ---- ours ---- */

static void open_store(struct load *l, const char *path, struct store **ret_store)
{
	static const char units[] = "code,name,type,province_code,province_name\n"
				    "00001,Xã Bắc,Xã,70,Tỉnh Bình Phước\n";
	struct units_imported imported;

	must(store_open_writer(path, l->schema, ret_store));
	must(store_begin(*ret_store));
	must(units_import(*ret_store, &l->a, bytes_str(units), 0, UNITS_DAY_OPEN, &imported));
	must(enrol_office(&l->ctx, *ret_store));
	for (size_t i = 0; i < l->devices; i++) {
		struct store_device row = {
			.id = {.number = (uint32_t)i + 1, .key = l->device[i].key.public_key}};

		must(store_put_device(*ret_store, &row));
		must(store_add_device_unit(*ret_store, row.id.number, 2));
	}
	must(store_commit(*ret_store));
}

static void ingest_set(struct load *l, struct store *s, size_t index)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct changeset_opened *opened = &l->opened[index];
	const struct session_start start = {.device = opened->set.device,
					    .transport = BYTES_LIT("network"),
					    .now_ms = l->clock.wall,
					    .sent_ms = l->clock.wall};
	struct ingest_request request = {.device = opened->set.device,
					 .sets = opened,
					 .set_count = 1,
					 .packed = &l->packed[index],
					 .sent_ms = l->clock.wall,
					 .now_ms = l->clock.wall};
	struct ingest_result result;

	must(session_begin(s, &start, &request.session));
	must(ingest_run(&l->ctx, s, &a, &request, &result));
	must(session_merged(s, request.session, &result));
	REQUIRE(result.outcome == INGEST_OK && result.applied == l->changes);
	l->conflicts[index] = result.conflicts;
}

struct figure {
	double wall;
	double cpu;
};

/* Not inlined: callgrind's --toggle-collect counts the instructions of either alone. */
__attribute__((noinline)) static struct figure run_ours(struct load *l, const char *path)
{
	const size_t group = l->group != 0 ? l->group : 1;
	struct store *s = NULL;
	struct figure f;
	size_t total = l->devices * l->sets;

	open_store(l, path, &s);
	f = (struct figure){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
	for (size_t i = 0; i < total; i++) {
		if (i % group == 0)
			must(store_begin(s));
		ingest_set(l, s, i);
		if (i % group != group - 1 && i != total - 1)
			continue;
		must(store_commit(s));
		if (store_wal_pages(s) > WAL_PAGES)
			must(store_checkpoint(s));
	}
	f.wall = seconds(CLOCK_MONOTONIC) - f.wall;
	f.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - f.cpu;
	store_close(s);
	return f;
}

/* ---- the floor ---- */

static const char floor_schema[] =
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
	"PRAGMA secure_delete=ON; PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY;"
	"CREATE TABLE person(row INTEGER PRIMARY KEY, id BLOB NOT NULL, unit INTEGER, log INTEGER,"
	" deleted INTEGER, voided INTEGER, merged_into BLOB, touched BLOB, stamps BLOB, extra BLOB,"
	" made_log INTEGER, address TEXT, birth_date TEXT, full_name TEXT, occupation TEXT,"
	" phone TEXT, sex TEXT) STRICT;"
	"CREATE UNIQUE INDEX person_id ON person(id);"
	"CREATE INDEX person_unit ON person(unit, made_log);"
	"CREATE TABLE person_changed(in_unit INTEGER, at_log INTEGER, of_row INTEGER,"
	" PRIMARY KEY(in_unit, at_log, of_row)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE log(log INTEGER PRIMARY KEY, device INTEGER, chain BLOB, signature BLOB,"
	" body BLOB) STRICT;"
	"CREATE TABLE conflict(conflict INTEGER PRIMARY KEY, type TEXT, id BLOB, field TEXT,"
	" log INTEGER, kept BLOB, lost BLOB, kept_by TEXT, lost_by TEXT, at INTEGER, state TEXT)"
	" STRICT;"
	"CREATE INDEX conflict_by_id ON conflict(id);"
	"CREATE INDEX conflict_open ON conflict(conflict) WHERE state = 'open';"
	"CREATE TABLE notice(device INTEGER, notice INTEGER, kind TEXT, type TEXT, id BLOB,"
	" field TEXT, kept BLOB, lost BLOB, author TEXT, at INTEGER, text TEXT,"
	" PRIMARY KEY(device, notice)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE session(session INTEGER PRIMARY KEY, device INTEGER, a TEXT, b TEXT, c TEXT,"
	" d INTEGER, e INTEGER, f INTEGER, g INTEGER) STRICT;"
	"CREATE INDEX session_by_device ON session(device, session);"
	"CREATE TABLE device(device INTEGER PRIMARY KEY, chain BLOB, last INTEGER) STRICT;";

static const char floor_upsert[] =
	"INSERT INTO person(id, unit, log, deleted, voided, touched, stamps, address, birth_date,"
	" full_name, occupation, phone, sex, made_log)"
	" VALUES(?1, 2, ?2, 0, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?2)"
	" ON CONFLICT(id) DO UPDATE SET log = ?2, deleted = 0, voided = 0, touched = ?3,"
	" stamps = ?4, address = ?5, birth_date = ?6, full_name = ?7,"
	" occupation = ?8, phone = ?9, sex = ?10";
static const char floor_changed[] =
	"INSERT OR IGNORE INTO person_changed SELECT 2, ?2, row FROM person WHERE id = ?1";
static const char floor_conflict[] =
	"INSERT INTO conflict(type, id, field, log, kept, lost, kept_by, lost_by, at, state)"
	" VALUES('person', ?1, 'address', 1, zeroblob(32), zeroblob(32), 'Nguyễn Thị Hoa',"
	" 'Nguyễn Thị Hoa', 1790000000000, 'open')";
static const char floor_notice[] =
	"INSERT INTO notice VALUES(?1, ?2, 'conflict', 'person', ?3, 'address', zeroblob(24),"
	" zeroblob(24), 'Nguyễn Thị Hoa', 1790000000000, 'Hai người cùng sửa; giá trị của bạn được"
	" giữ lại để khôi phục / two people wrote; your value is kept and can be restored')";
static const char floor_session[] =
	"INSERT INTO session(device, a, b, c, d, e, f, g) VALUES(?1, 'network', '', '0.1.0', 1, 2,"
	" 1790000000000, 1790000000000)";
static const char floor_device[] =
	"INSERT INTO device(device, chain, last) VALUES(?1, zeroblob(32), ?2)"
	" ON CONFLICT(device) DO UPDATE SET chain = zeroblob(32), last = ?2";
static const char floor_log[] =
	"INSERT INTO log(log, device, chain, signature, body) VALUES(?1, ?2, ?3, ?4, ?5)";

enum {
	FLOOR_UPSERT,
	FLOOR_CHANGED,
	FLOOR_LOG,
	FLOOR_CONFLICT,
	FLOOR_NOTICE,
	FLOOR_SESSION,
	FLOOR_DEVICE,
	FLOOR_COUNT
};

struct floor_store {
	sqlite3 *db;
	sqlite3_stmt *q[FLOOR_COUNT];
	int64_t notice;
};

static void floor_run(struct floor_store *f, int which)
{
	must_sqlite(sqlite3_step(f->q[which]), f->db);
	must_sqlite(sqlite3_reset(f->q[which]), f->db);
}

static void floor_change(struct floor_store *f, const struct change *c, size_t index)
{
	static const uint8_t stamps[20] = {1};
	static const uint8_t touched[2] = {1};
	sqlite3_stmt *up = f->q[FLOOR_UPSERT];
	sqlite3_int64 last = sqlite3_last_insert_rowid(f->db);

	sqlite3_bind_blob(up, 1, c->id.bytes, ID_LEN, SQLITE_STATIC);
	sqlite3_bind_int64(up, 2, (int64_t)index + 1);
	sqlite3_bind_blob(up, 3, touched, sizeof touched, SQLITE_STATIC);
	sqlite3_bind_blob(up, 4, stamps, sizeof stamps, SQLITE_STATIC);
	for (size_t k = 0; k < PEOPLE_FIELDS; k++)
		sqlite3_bind_text(up, (int)k + 5, (const char *)c->writes[k].value.bytes.data,
				  (int)c->writes[k].value.bytes.len, SQLITE_STATIC);
	floor_run(f, FLOOR_UPSERT);
	if (sqlite3_last_insert_rowid(f->db) != last)
		return;
	sqlite3_bind_blob(f->q[FLOOR_CHANGED], 1, c->id.bytes, ID_LEN, SQLITE_STATIC);
	sqlite3_bind_int64(f->q[FLOOR_CHANGED], 2, (int64_t)index + 1);
	floor_run(f, FLOOR_CHANGED);
}

static void floor_conflicts(struct floor_store *f, const struct changeset *set, size_t count)
{
	REQUIRE(set->count != 0);
	for (size_t i = 0; i < count; i++) {
		const struct id *id = &set->changes[i % set->count].id;

		sqlite3_bind_blob(f->q[FLOOR_CONFLICT], 1, id->bytes, ID_LEN, SQLITE_STATIC);
		floor_run(f, FLOOR_CONFLICT);
		sqlite3_bind_int64(f->q[FLOOR_NOTICE], 1, set->device);
		sqlite3_bind_int64(f->q[FLOOR_NOTICE], 2, ++f->notice);
		sqlite3_bind_blob(f->q[FLOOR_NOTICE], 3, id->bytes, ID_LEN, SQLITE_STATIC);
		floor_run(f, FLOOR_NOTICE);
	}
}

static void floor_set(struct load *l, struct floor_store *f, size_t index)
{
	const struct changeset *set = &l->opened[index].set;
	sqlite3_stmt *log = f->q[FLOOR_LOG];

	for (size_t i = 0; i < set->count; i++)
		floor_change(f, &set->changes[i], index);
	floor_conflicts(f, set, l->conflicts[index]);
	sqlite3_bind_int64(log, 1, (int64_t)index + 1);
	sqlite3_bind_int64(log, 2, set->device);
	sqlite3_bind_blob(log, 3, set->head.bytes, HASH_LEN, SQLITE_STATIC);
	sqlite3_bind_blob(log, 4, set->signature.bytes, SIGN_LEN, SQLITE_STATIC);
	sqlite3_bind_blob(log, 5, l->packed[index].data, (int)l->packed[index].len, SQLITE_STATIC);
	floor_run(f, FLOOR_LOG);
	sqlite3_bind_int64(f->q[FLOOR_SESSION], 1, set->device);
	floor_run(f, FLOOR_SESSION);
	sqlite3_bind_int64(f->q[FLOOR_DEVICE], 1, set->device);
	sqlite3_bind_int64(f->q[FLOOR_DEVICE], 2, (int64_t)index);
	floor_run(f, FLOOR_DEVICE);
}

static void floor_open(struct floor_store *f, const char *path)
{
	static const char *const texts[FLOOR_COUNT] = {floor_upsert,   floor_changed, floor_log,
						       floor_conflict, floor_notice,  floor_session,
						       floor_device};

	*f = (struct floor_store){0};
	must_sqlite(sqlite3_open(path, &f->db), f->db);
	must_sqlite(sqlite3_exec(f->db, floor_schema, NULL, NULL, NULL), f->db);
	for (int i = 0; i < FLOOR_COUNT; i++)
		must_sqlite(sqlite3_prepare_v2(f->db, texts[i], -1, &f->q[i], NULL), f->db);
}

static void floor_close(struct floor_store *f)
{
	for (int i = 0; i < FLOOR_COUNT; i++)
		sqlite3_finalize(f->q[i]);
	sqlite3_close(f->db);
}

__attribute__((noinline)) static struct figure run_floor(struct load *l, const char *path)
{
	const size_t group = l->group != 0 ? l->group : 1;
	struct floor_store store;
	size_t total = l->devices * l->sets;
	struct figure f;

	floor_open(&store, path);
	f = (struct figure){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
	for (size_t i = 0; i < total; i++) {
		if (i % group == 0)
			must_sqlite(sqlite3_exec(store.db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
				    store.db);
		floor_set(l, &store, i);
		if (i % group != group - 1 && i != total - 1)
			continue;
		must_sqlite(sqlite3_exec(store.db, "COMMIT", NULL, NULL, NULL), store.db);
		if (i / group % 64 == 63)
			must_sqlite(sqlite3_wal_checkpoint_v2(
					    store.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL),
				    store.db);
	}
	f.wall = seconds(CLOCK_MONOTONIC) - f.wall;
	f.cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - f.cpu;
	floor_close(&store);
	return f;
}

/* ---- figures ---- */

static int by_wall(const void *a, const void *b)
{
	const struct figure *left = a;
	const struct figure *right = b;

	return (left->wall > right->wall) - (left->wall < right->wall);
}

static int by_cpu(const void *a, const void *b)
{
	const struct figure *left = a;
	const struct figure *right = b;

	return (left->cpu > right->cpu) - (left->cpu < right->cpu);
}

static struct figure median(struct figure runs[RUNS])
{
	struct figure m;

	qsort(runs, RUNS, sizeof runs[0], by_wall);
	m.wall = runs[RUNS / 2].wall;
	qsort(runs, RUNS, sizeof runs[0], by_cpu);
	m.cpu = runs[RUNS / 2].cpu;
	return m;
}

static void remove_store(const char *path)
{
	static const char *const endings[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		char name[600];

		(void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
		(void)unlink(name);
	}
}

static void measure(struct load *l, const char *folder)
{
	struct figure ours[RUNS];
	struct figure plain[RUNS];
	double count = (double)(l->devices * l->sets * l->changes);
	char path[512];

	(void)snprintf(path, sizeof path, "%s/bench_ingest-%d.db", folder, (int)getpid());
	for (size_t i = 0; i < RUNS; i++) {
		ours[i] = run_ours(l, path);
		remove_store(path);
		plain[i] = run_floor(l, path);
		remove_store(path);
	}

	struct figure o = median(ours);
	struct figure p = median(plain);

	(void)printf("{\"changes\": %.0f, \"group\": %zu, \"ingest_per_s\": %.0f,"
		     " \"plain_per_s\": %.0f, \"ratio_wall\": %.2f, \"ingest_cpu_s\": %.2f,"
		     " \"plain_cpu_s\": %.2f, \"ratio_cpu\": %.2f}\n",
		     count, l->group, count / o.wall, count / p.wall, o.wall / p.wall, o.cpu, p.cpu,
		     o.cpu / p.cpu);
}

int main(int argc, char **argv)
{
	const struct schema_source source = {"bench.yaml", bytes_str(schema_text)};
	struct load l = {.devices = 100, .sets = 10, .changes = 100, .group = 10};
	char error[SCHEMA_ERROR_LEN];
	uint8_t seed[32] = {0xff};

	if (argc == 6) {
		l.devices = strtoul(argv[2], NULL, 10);
		l.sets = strtoul(argv[3], NULL, 10);
		l.changes = strtoul(argv[4], NULL, 10);
		l.group = strtoul(argv[5], NULL, 10);
	}
	if ((argc != 1 && argc != 2 && argc != 6) ||
	    l.devices * l.sets * l.changes * l.group == 0) {
		(void)fprintf(stderr,
			      "usage: bench_ingest [FOLDER [DEVICES SETS CHANGES GROUP]]\n");
		return 2;
	}
	must(crypt_init());
	must(schema_load(&source, 1, &l.schema, error));
	clock_fake_init(&l.clock, START_MS);
	rand_seeded_init(&l.rand, 1);
	l.ctx.clock = &l.clock.clock;
	l.ctx.rand = &l.rand;
	sign_pair_from_seed(seed, &l.ctx.key);
	make_load(&l);
	measure(&l, argc > 1 ? argv[1] : "/tmp");
	schema_free(l.schema);
	arena_clear(&l.a);
	return 0;
}
