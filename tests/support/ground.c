#include "tests/support/ground.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/enrol.h"
#include "daemon/store_private.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"
#include "daemon/verify.h"

const char ground_schema_text[] =
	"lists:\n"
	"  sex:\n"
	"    vi: Giới tính\n"
	"    en: Sex\n"
	"    codes:\n"
	"      male: {vi: Nam, en: Male}\n"
	"      female: {vi: Nữ, en: Female}\n"
	"  visit_kind:\n"
	"    vi: Loại thăm\n"
	"    en: Kind of visit\n"
	"    codes:\n"
	"      home: {vi: Tại nhà, en: At home}\n"
	"      shelter: {vi: Nhà tạm lánh, en: Shelter, sensitivity: restricted}\n"
	"types:\n"
	"  person:\n"
	"    vi: Người\n"
	"    en: Person\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      name: {type: text, vi: Họ tên, en: Name, required: true, title: true, indexed: true}\n"
	"      sex: {type: code, list: sex, vi: Giới tính, en: Sex}\n"
	"      age: {type: integer, vi: Tuổi, en: Age, min: 0, max: 150}\n"
	"      poor: {type: bool, vi: Nghèo, en: Poor}\n"
	"      note: {type: long_text, vi: Ghi chú, en: Note}\n"
	"      friend: {type: reference, target: person, vi: Bạn, en: Friend}\n"
	"  visit:\n"
	"    vi: Lượt thăm\n"
	"    en: Visit\n"
	"    kind: event\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      person: {type: reference, target: person, vi: Người, en: Person, required: true}\n"
	"      day: {type: date, vi: Ngày, en: Day, required: true}\n"
	"      amount: {type: money, vi: Số tiền, en: Money, min: 0}\n"
	"      kind: {type: code, list: visit_kind, vi: Loại, en: Kind}\n"
	"  secret:\n"
	"    vi: Thông tin hạn chế\n"
	"    en: Restricted note\n"
	"    kind: register\n"
	"    sensitivity: restricted\n"
	"    fields:\n"
	"      body: {type: text, vi: Nội dung, en: Body, required: true}\n";

static const char units_text[] = "code,name,type,province_code,province_name\n"
				 "00001,Xã Bắc,Xã,70,Tỉnh Bình Phước\n"
				 "00002,Xã Nam,Xã,70,Tỉnh Bình Phước\n"
				 "00009,Xã Xa,Xã,89,Tỉnh An Giang\n";

static void must(enum err e)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "ground: %s: %s\n", err_name(e), log_last_detail());
	abort();
}

static int64_t find_unit(struct ground *g, const char *code)
{
	struct unit_row row;

	must(units_find(g->store, &g->a, bytes_str(code), units_day_of(g->clock.wall), &row));
	return row.unit;
}

static void import_units(struct ground *g)
{
	struct units_imported imported;
	int64_t from;

	must(units_parse_day(BYTES_LIT("2025-07-01"), &from));
	must(store_begin(g->store));
	must(units_import(g->store, &g->a, bytes_str(units_text), from, UNITS_DAY_OPEN, &imported));
	must(enrol_office(&g->ctx, g->store));
	must(store_commit(g->store));
	g->north = find_unit(g, "00001");
	g->south = find_unit(g, "00002");
	g->far = find_unit(g, "00009");
}

void ground_open(struct ground *g)
{
	const struct schema_source source = {"test.yaml", bytes_str(ground_schema_text)};
	char error[SCHEMA_ERROR_LEN] = "";
	uint8_t seed[32] = {0xff};

	*g = (struct ground){0};
	must(crypt_init());
	clock_fake_init(&g->clock, GROUND_START);
	rand_seeded_init(&g->rand, 1);
	(void)snprintf(g->folder, sizeof g->folder, "/tmp/ctxh-ground-XXXXXX");
	REQUIRE(mkdtemp(g->folder) != NULL);
	(void)snprintf(g->path, sizeof g->path, "%s/ctxhd.db", g->folder);
	if (schema_load(&source, 1, &g->schema, error) != ERR_OK) {
		(void)fprintf(stderr, "ground: %s\n", error);
		abort();
	}
	g->ctx.clock = &g->clock.clock;
	g->ctx.rand = &g->rand;
	g->ctx.daemon = id_new(g->ctx.clock, &g->rand);
	g->ctx.epoch = id_new(g->ctx.clock, &g->rand);
	sign_pair_from_seed(seed, &g->ctx.key);
	must(store_open_writer(g->path, g->schema, &g->store));
	import_units(g);
}

static void take_back(struct ground *g, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		must(store_exec(g->store, texts[i]));
}

void ground_make_version_11(struct ground *g)
{
	static const char *const types[] = {"person", "secret", "visit"};

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		char texts[4][96];
		const char *all[4] = {texts[0], texts[1], texts[2], texts[3]};

		(void)snprintf(texts[0], sizeof texts[0], "DROP TABLE %s__changed", types[i]);
		(void)snprintf(texts[1], sizeof texts[1], "DROP INDEX %s__unit", types[i]);
		(void)snprintf(texts[2], sizeof texts[2], "ALTER TABLE %s DROP COLUMN made_log",
			       types[i]);
		(void)snprintf(texts[3], sizeof texts[3], "CREATE INDEX %s__unit ON %s(unit, log)",
			       types[i], types[i]);
		take_back(g, all, 4);
	}
	take_back(g,
		  (const char *const[]){"DROP TABLE account_unit", "DROP INDEX session_not_well",
					"ALTER TABLE device DROP COLUMN last_receipt_at",
					"PRAGMA user_version=11"},
		  4);
}

void ground_make_version_6(struct ground *g)
{
	static const char *const texts[] = {
		"DROP TABLE account",
		"DROP INDEX conflict_open_by_lost",
		"CREATE INDEX conflict_open_by_id ON conflict(id) WHERE state = 'open'",
		"DROP TABLE report_document",
		"DROP TABLE report_frozen",
		"ALTER TABLE notice DROP COLUMN number",
		"DROP TABLE erased",
		"ALTER TABLE changeset DROP COLUMN cut",
		"PRAGMA user_version=6",
	};

	ground_make_version_11(g);
	take_back(g, texts, sizeof texts / sizeof texts[0]);
}

void ground_make_version_3(struct ground *g)
{
	static const char *const texts[] = {
		"DROP INDEX invitation_by_former",
		"ALTER TABLE invitation DROP COLUMN former",
		"ALTER TABLE device DROP COLUMN former",
		"DROP TABLE distinct_pair",
		"DROP INDEX conflict_open_by_id",
		"ALTER TABLE conflict DROP COLUMN decided_device",
		"ALTER TABLE conflict DROP COLUMN decided_at",
		"ALTER TABLE conflict DROP COLUMN decided_by",
		"PRAGMA user_version=3",
	};

	ground_make_version_6(g);
	take_back(g, texts, sizeof texts / sizeof texts[0]);
}

static int on_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void ground_close(struct ground *g)
{
	store_close(g->store);
	schema_free(g->schema);
	arena_clear(&g->a);
	(void)nftw(g->folder, on_file, 8, FTW_DEPTH | FTW_PHYS);
}

void ground_reopen(struct ground *g)
{
	store_close(g->store);
	g->store = NULL;
	must(store_open_writer(g->path, g->schema, &g->store));
}

struct ground_device *ground_device(struct ground *g, int64_t unit, bool is_cleared)
{
	REQUIRE(g->device_count < GROUND_DEVICES);
	struct ground_device *d = &g->devices[g->device_count++];
	uint8_t seed[32] = {(uint8_t)g->device_count};
	struct store_device row = {0};

	*d = (struct ground_device){.number = (uint32_t)g->device_count, .next = 1};
	sign_pair_from_seed(seed, &d->key);
	row.id.number = d->number;
	row.id.key = d->key.public_key;
	row.id.is_cleared = is_cleared;
	row.enrolled_ms = g->clock.wall;
	must(store_begin(g->store));
	must(store_put_device(g->store, &row));
	must(store_add_device_unit(g->store, d->number, unit));
	must(store_commit(g->store));
	return d;
}

struct change ground_change(struct ground *g, struct ground_device *d, const char *type,
			    const struct id *id, uint64_t base)
{
	return (struct change){
		.type = bytes_str(type),
		.id = *id,
		.clock = hlc_tick(&d->hlc, g->clock.wall + d->off_ms),
		.base = base,
		.author = arena_printf(&g->a, "Cộng tác viên %u", d->number),
		.writes = arena_alloc_array(&g->a, 24, sizeof(struct write)),
	};
}

void ground_write(struct ground *g, struct change *c, const char *name, struct value value)
{
	(void)g;
	REQUIRE(c->count < 24);
	c->writes[c->count++] = (struct write){.name = bytes_str(name), .value = value};
	REQUIRE(change_sort(c));
}

struct change ground_person(struct ground *g, struct ground_device *d, int64_t unit,
			    const char *name, struct id *ret_id)
{
	struct change c;

	*ret_id = id_new(&g->clock.clock, &g->rand);
	c = ground_change(g, d, "person", ret_id, 0);
	ground_write(g, &c, "unit", value_int(unit));
	ground_write(g, &c, "name", ground_text(name));
	return c;
}

struct bytes ground_seal(struct ground *g, struct ground_device *d, struct change *changes,
			 size_t count)
{
	AUTO(buf_clear) struct buf wire = {0};
	const struct changeset_head head = {.daemon = g->ctx.daemon,
					    .epoch = d->epoch,
					    .device = d->number,
					    .first = d->next,
					    .count = count,
					    .chain = d->chain};

	for (size_t i = 0; i < count; i++)
		changes[i].number = d->next + i;
	must(changeset_seal(&head, changes, &d->key, &wire, &d->chain));
	d->next += count;
	return arena_copy(&g->a, buf_bytes(&wire));
}

enum err ground_push_wire(struct ground *g, struct ground_device *d, const struct bytes *wires,
			  size_t count, struct ingest_result *ret_result)
{
	struct changeset_opened *sets = arena_alloc_array(&g->a, count, sizeof *sets);
	struct ingest_request request = {.device = d->number,
					 .sets = sets,
					 .set_count = count,
					 .sent_ms = g->clock.wall + d->off_ms,
					 .now_ms = g->clock.wall};
	enum err e;

	for (size_t i = 0; i < count; i++)
		must(changeset_open(&g->a, wires[i], &d->key.public_key, &sets[i]));
	must(store_begin(g->store));
	e = ingest_run(&g->ctx, g->store, &g->a, &request, ret_result);
	if (e != ERR_OK) {
		store_rollback(g->store);
		return e;
	}
	return store_commit(g->store);
}

struct ingest_result ground_push(struct ground *g, struct ground_device *d, struct change *changes,
				 size_t count)
{
	struct bytes wire = ground_seal(g, d, changes, count);
	struct ingest_result result = {0};

	must(ground_push_wire(g, d, &wire, 1, &result));
	return result;
}

struct record ground_load(struct ground *g, const char *type, const struct id *id)
{
	struct store_state state = {.record = {.type = bytes_str(type), .id = *id}};

	must(store_load_states(g->store, &g->a, &state, 1));
	return state.record;
}

static int by_id(const void *a, const void *b)
{
	const struct store_row *left = a;
	const struct store_row *right = b;

	return id_compare(&left->state.record.id, &right->state.record.id);
}

struct hash ground_digest(struct ground *g)
{
	AUTO(buf_clear) struct buf all = {0};

	for (size_t i = 0; i < store_type_count(g->store); i++) {
		bool is_event;
		struct store_row *rows = NULL;
		size_t count = 0;

		must(store_load_rows(g->store, &g->a, store_type(g->store, i, &is_event),
				     &(struct store_range){.limit = 100000}, &rows, &count));
		qsort(rows, count, sizeof *rows, by_id);
		for (size_t k = 0; k < count; k++)
			record_canonical(&rows[k].state.record, &all);
	}
	return hash_of(buf_bytes(&all));
}

static void append_table(struct ground *g, const char *table, struct buf *all)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	bool is_row = false;

	buf_printf(&text, "SELECT * FROM %s ORDER BY 1, 2", table);
	must(sql_use_text(g->store, buf_bytes(&text), &q));
	for (;;) {
		must(sql_step(q, &is_row));
		if (!is_row)
			return;
		for (int i = 0; i < sql_column_count(q); i++) {
			buf_append_bytes(all, sql_blob(q, i));
			buf_append_byte(all, '|');
		}
	}
}

struct hash ground_everything(struct ground *g)
{
	static const char *const tables[] = {"changeset", "device",   "device_unit", "moved",
					     "unit_log",  "conflict", "quarantine",  "notice",
					     "person",    "visit",    "secret"};
	AUTO(buf_clear) struct buf all = {0};

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		append_table(g, tables[i], &all);
	return hash_of(buf_bytes(&all));
}

void ground_verify(struct ground *g)
{
	struct verify_report report = {0};

	must(store_begin(g->store));
	must(verify_run(&g->ctx, g->store, g->folder, &g->a, &report));
	must(store_commit(g->store));
	for (size_t i = 0; i < report.difference_count; i++)
		fprintf(stderr, "%s %.*s %.*s: %.*s\n", report.differences[i].invariant,
			BYTES_FMT(report.differences[i].table),
			BYTES_FMT(report.differences[i].key),
			BYTES_FMT(report.differences[i].text));
	REQUIRE(report.found == 0);
}

struct msg_synced ground_pull(struct ground *g, struct ground_device *d,
			      const struct msg_sync *request)
{
	struct outgoing owed;

	must(store_begin(g->store));
	must(outgoing_build(&g->ctx, g->store, &g->a,
			    &(struct outgoing_request){.device = d->number, .sync = request},
			    &owed));
	must(store_commit(g->store));
	return owed.answer;
}
