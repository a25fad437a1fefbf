#include "tests/sim/world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/enrol.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/enrol.h"
#include "daemon/epochs.h"
#include "daemon/session.h"
#include "daemon/units.h"
#include "tests/sim/couriers.h"
#include "tests/sim/faults.h"
#include "tests/sim/homes.h"
#include "tests/sim/law.h"
#include "tests/sim/link.h"
#include "tests/sim/oracle.h"
#include "tests/sim/tell.h"

#define PASSPHRASE BYTES_LIT("mật khẩu")
#define TRACE_MAX  1024

static const struct vault_kdf cheap = {1, 8 << 10};

#define SCHEMA_LISTS                                                                    \
	"lists:\n"                                                                      \
	"  visit_kind:\n"                                                               \
	"    vi: Loại thăm\n"                                                        \
	"    en: Kind of visit\n"                                                       \
	"    codes:\n"                                                                  \
	"      home: {vi: Tại nhà, en: At home}\n"                                   \
	"      shelter: {vi: Nhà tạm lánh, en: Shelter, sensitivity: restricted}\n" \
	"types:\n"

#define SCHEMA_PERSON                                                                 \
	"  person:\n"                                                                 \
	"    vi: Người\n"                                                          \
	"    en: Person\n"                                                            \
	"    kind: register\n"                                                        \
	"    sensitivity: basic\n"                                                    \
	"    fields:\n"                                                               \
	"      name: {type: text, vi: Tên, en: Name, required: true, title: true}\n" \
	"      note: {type: long_text, vi: Ghi chú, en: Note}\n"                     \
	"      poor: {type: bool, vi: Nghèo, en: Poor}\n"

#define SCHEMA_VISIT                                                                                  \
	"  visit:\n"                                                                                  \
	"    vi: Lượt thăm\n"                                                                     \
	"    en: Visit\n"                                                                             \
	"    kind: event\n"                                                                           \
	"    sensitivity: basic\n"                                                                    \
	"    fields:\n"                                                                               \
	"      person: {type: reference, target: person, vi: Người, en: Person, required: true}\n" \
	"      amount: {type: money, vi: Số tiền, en: Money, min: 0}\n"                           \
	"      text: {type: text, vi: Nội dung, en: Text}\n"                                        \
	"      kind: {type: code, list: visit_kind, vi: Loại, en: Kind}\n"

static const char schema_old[] = SCHEMA_LISTS SCHEMA_PERSON
	"      age: {type: integer, vi: Tuổi, en: Age, min: 0, max: 150}\n" SCHEMA_VISIT;

/* A field and a type more; and a rule that what was written before may break. */
static const char schema_new[] = SCHEMA_LISTS SCHEMA_PERSON
	"      age: {type: integer, vi: Tuổi, en: Age, min: 0, max: 120}\n"
	"      phone: {type: text, vi: Điện thoại, en: Phone}\n" SCHEMA_VISIT "  need:\n"
	"    vi: Nhu cầu\n"
	"    en: Need\n"
	"    kind: register\n"
	"    sensitivity: restricted\n"
	"    fields:\n"
	"      text: {type: text, vi: Nội dung, en: Text, required: true}\n";

static const char units_text[] = "code,name,type,province_code,province_name\n"
				 "00001,Xã Một,Xã,70,Tỉnh Bình Phước\n"
				 "00002,Xã Hai,Xã,70,Tỉnh Bình Phước\n"
				 "00003,Xã Ba,Xã,70,Tỉnh Bình Phước\n"
				 "00004,Xã Bốn,Xã,70,Tỉnh Bình Phước\n";

/* ---- telling ---- */

static int on_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_folder(const char *path)
{
	(void)nftw(path, on_file, 16, FTW_DEPTH | FTW_PHYS);
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (w->is_traced && strcmp(w->phase, "end") == 0) {
		w->is_traced = false;
		tell_world(w);
	}
	printf("FAILED seed=%llu step=%s:%d: ", (unsigned long long)w->seed, w->phase, w->step);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	remove_folder(w->folder);
	/* Not exit(): half a run is in memory, which is no leak. */
	_exit(1);
}

void world_must(struct world *w, enum err e, const char *what)
{
	if (e != ERR_OK)
		world_fail(w, "%s: %s: %s", what, err_name(e), log_last_detail());
}

void world_trace(struct world *w, const char *fmt, ...)
{
	char text[TRACE_MAX];
	va_list args;

	if (!world_is_told(w))
		return;
	int at = snprintf(text, sizeof text, "%s:%-4d %*s", w->phase, w->step, (int)w->depth * 4,
			  "");

	va_start(args, fmt);
	(void)vsnprintf(text + at, sizeof text - (size_t)at, fmt, args);
	va_end(args);
	if (w->is_traced)
		printf("%s\n", text);
	if (w->is_hashed)
		hasher_add(&w->history, bytes_str(text));
}

/* ---- clocks ---- */

void world_set_clocks(struct world *w)
{
	int64_t run = w->now_ms - WORLD_START;

	w->clock.wall = w->now_ms + w->daemon_off_ms;
	w->clock.monotonic = run;
	for (unsigned i = 0; i < w->client_count; i++) {
		struct client *c = &w->clients[i];

		c->clock.wall = w->now_ms + c->off_ms + run / 1000000 * c->drift_ppm;
		c->clock.monotonic = run;
	}
}

/* ---- traps: what a commit does ---- */

/* The linker puts these around the vault's own (see tests/sim.cmake). */
enum err real_commit(struct vault *v) __asm__("__real_vault_commit");
enum err trapped_commit(struct vault *v) __asm__("__wrap_vault_commit");

static struct world *trapped_world; /* a function of the vault's cannot be given it */

static struct client *find_trapped(const struct vault *v)
{
	struct world *w = trapped_world;

	for (unsigned i = 0; i < w->client_count; i++)
		if (w->clients[i].vault == v && w->clients[i].trap != TRAP_NONE)
			return &w->clients[i];
	return NULL;
}

enum err trapped_commit(struct vault *v)
{
	struct client *c = find_trapped(v);

	if (c == NULL || c->trap_after-- != 0)
		return real_commit(v);
	enum trap trap = c->trap;

	c->trap = TRAP_NONE;
	c->is_trap_sprung = true;
	if (trap == TRAP_AFTER) {
		enum err e = real_commit(v);

		if (e != ERR_OK)
			return e;
	}
	return err_raise(trap == TRAP_FULL ? ERR_FULL : ERR_IO, "trap");
}

void world_set_trap(struct client *c, enum trap trap, unsigned after)
{
	c->trap = trap;
	c->trap_after = after;
	c->is_trap_sprung = false;
}

bool world_take_trap(struct client *c)
{
	bool is_sprung = faults_end_client(c) || c->is_trap_sprung;

	c->trap = TRAP_NONE;
	c->is_trap_sprung = false;
	return is_sprung;
}

/* ---- the daemon ---- */

static enum err try_start(struct world *w)
{
	const struct schema *schema = w->schemas[w->schema];
	enum err e = store_open_writer(w->path, schema, &w->store);

	if (e == ERR_OK)
		e = store_open_reader(w->path, schema, &w->reader);
	w->ctx.registry = registry_new();
	if (e == ERR_OK)
		e = enrol_load_registry(w->store, w->ctx.registry);
	if (e == ERR_OK)
		e = store_begin(w->store);
	if (e == ERR_OK)
		e = session_mend(w->store, w->clock.wall);
	return e == ERR_OK ? store_commit(w->store) : e;
}

static void close_daemon(struct world *w)
{
	store_close(w->reader);
	store_close(w->store);
	registry_free(w->ctx.registry);
	w->reader = NULL;
	w->store = NULL;
	w->ctx.registry = NULL;
}

/* What fails while it starts, it does not run with: the service manager starts it once more. */
static void open_daemon(struct world *w)
{
	struct faults_window window;

	faults_begin_start(w, &window);
	enum err e = try_start(w);
	bool is_sick = e != ERR_OK && faults_have_fired();

	faults_end_none(&window);
	if (is_sick) {
		world_trace(w, "daemon does not start: %s", err_name(e));
		w->faults.daemon++;
		close_daemon(w);
		e = try_start(w);
	}
	world_must(w, e, "start the daemon");
	atomic_store(&w->ctx.schema, w->schemas[w->schema]);
	w->daemon_life++;
}

/* Numbers of before the crash come once more into the log. */
static void forget_numbers(struct world *w)
{
	struct store_device *devices = NULL;
	size_t count = 0;

	world_must(w, store_begin(w->store), "begin");
	world_must(w, store_load_devices(w->store, &w->arena, &devices, &count), "devices");
	for (size_t i = 0; i < count; i++) {
		struct log_row row;

		if (devices[i].last_number == 0)
			continue;
		world_must(w,
			   store_find_log(w->store, &w->arena, devices[i].id.number,
					  devices[i].last_number, &row),
			   "last set");
		devices[i].last_number = row.first - 1;
		world_must(w, store_put_device(w->store, &devices[i]), "device");
	}
	world_must(w, store_commit(w->store), "commit");
}

void world_crash_daemon(struct world *w)
{
	struct faults_window window;

	world_trace(w, "daemon crashes");
	w->crashes++;
	faults_begin_none(&window);
	store_rollback(w->store);
	close_daemon(w);
	open_daemon(w);
	if (w->bug == WORLD_BUG_APPLIED_TWICE)
		forget_numbers(w);
	law_start(w);
	faults_end_none(&window);
}

static void import_units(struct world *w)
{
	struct units_imported imported;
	struct unit_row row;
	char code[8];
	int64_t from;

	world_must(w, units_parse_day(BYTES_LIT("2025-07-01"), &from), "day");
	world_must(w, store_begin(w->store), "begin");
	world_must(w,
		   units_import(w->store, &w->arena, bytes_str(units_text), from, UNITS_DAY_OPEN,
				&imported),
		   "import units");
	world_must(w, enrol_office(&w->ctx, w->store), "enrol the office");
	world_must(w, store_commit(w->store), "commit");
	for (unsigned i = 0; i < WORLD_UNITS; i++) {
		snprintf(code, sizeof code, "%05u", i + 1);
		world_must(w,
			   units_find(w->store, &w->arena, bytes_str(code), units_day_of(w->now_ms),
				      &row),
			   "find unit");
		w->units[w->unit_count++] = row.unit;
	}
}

static void load_schemas(struct world *w)
{
	static const char *const texts[] = {schema_old, schema_new};
	char error[SCHEMA_ERROR_LEN] = "";

	for (unsigned i = 0; i < 2; i++) {
		struct schema_source source = {"sim.yaml", bytes_str(texts[i])};

		if (schema_load(&source, 1, &w->schemas[i], error) != ERR_OK)
			world_fail(w, "schema: %s", error);
	}
}

void world_raise_schema(struct world *w)
{
	if (w->schema != 0)
		return;
	world_trace(w, "a new schema");
	w->schema = 1;
	world_must(w, store_use_schema(w->store, w->schemas[1]), "use the schema");
	store_close(w->reader);
	w->reader = NULL;
	world_must(w, store_open_reader(w->path, w->schemas[1], &w->reader), "open a reader");
	atomic_store(&w->ctx.schema, w->schemas[1]);
}

/* ---- backups ---- */

void world_copy_file(struct world *w, const char *from, const char *to)
{
	static char piece[1 << 16];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t n = 1;

	while (in >= 0 && out >= 0 && (n = read(in, piece, sizeof piece)) > 0)
		if (write(out, piece, (size_t)n) != n)
			n = -1;
	if (in < 0 || out < 0 || n < 0)
		world_fail(w, "copy %s to %s", from, to);
	close(in);
	close(out);
}

static void print_backup(const struct world *w, char ret_path[128])
{
	snprintf(ret_path, 128, "%s/backup.db", w->folder);
}

/* Only what the copy holds counts as backed up. */
void world_back_up(struct world *w)
{
	struct store_device *devices = NULL;
	char path[128];
	size_t count = 0;

	world_trace(w, "backup");
	print_backup(w, path);
	world_must(w, store_checkpoint(w->store), "checkpoint");
	close_daemon(w);
	world_copy_file(w, w->path, path);
	open_daemon(w);
	world_must(w, store_begin(w->store), "begin");
	world_must(w, store_load_devices(w->store, &w->arena, &devices, &count), "devices");
	for (size_t i = 0; i < count; i++) {
		devices[i].backed_up = devices[i].last_number;
		world_must(w, store_put_device(w->store, &devices[i]), "device");
	}
	world_must(w, store_commit(w->store), "commit");
	w->has_backup = true;
	w->backup_notes = w->ledger->count;
	w->backup_units = w->unit_count;
	w->backup_rights = w->rights;
}

/* As restore.c does. */
static void begin_epoch(struct world *w)
{
	uint64_t log = 0;
	struct id before;

	world_must(w, store_begin(w->store), "begin");
	world_must(w, store_last_log(w->store, &log), "last log");
	world_must(w,
		   epochs_begin(w->store, log, &w->clock.clock, &w->rand, &before, &w->ctx.epoch),
		   "begin an epoch");
	law_restore(w);
	world_must(w, store_commit(w->store), "commit");
}

/* The first one: as the daemon's first start does. */
static void put_epoch(struct world *w)
{
	world_must(w, store_begin(w->store), "begin");
	world_must(w, store_put_setting(w->store, "epoch", bytes_of(w->ctx.epoch.bytes, ID_LEN)),
		   "put the epoch");
	world_must(w, store_commit(w->store), "commit");
}

void world_restore(struct world *w)
{
	char path[128];

	if (!w->has_backup)
		return;
	world_trace(w, "restored from the backup");
	print_backup(w, path);
	close_daemon(w);
	world_copy_file(w, path, w->path);
	w->restores++;
	open_daemon(w);
	ledger_note_restored(w->ledger, w->backup_notes);
	w->has_lost_rights = w->has_lost_rights || w->rights != w->backup_rights;
	w->rights = w->backup_rights;
	if (w->unit_count > w->backup_units)
		w->unit_count = w->backup_units;
	begin_epoch(w);
	homes_after_restore(w);
	/* The copy may be of before the new schema; the daemon has it in its folder. */
	world_must(w, store_use_schema(w->store, w->schemas[w->schema]), "use the schema");
	law_start(w);
}

void world_give_unit(struct client *c, int64_t unit)
{
	struct world *w = c->world;

	if (c->is_unknown)
		return;
	world_trace(w, "client %u is given unit %lld", c->index, (long long)unit);
	world_must(w, store_begin(w->store), "begin");
	world_must(w, store_add_device_unit(w->store, c->device, unit), "give a unit");
	w->rights += faults_commit(w, "commit a unit given");
}

/* ---- clients ---- */

void world_load_schema(struct client *c)
{
	AUTO(arena_clear) struct arena a = {0};
	char error[SCHEMA_ERROR_LEN];
	struct bytes bundle;

	if (c->schema != NULL && memcmp(c->schema->version, vault_state(c->vault)->schema_version,
					sizeof c->schema->version) == 0)
		return;
	schema_free(c->schema);
	c->schema = NULL;
	if (vault_doc_load(c->vault, &a, VAULT_DOC_SCHEMA, &bundle) != ERR_OK)
		return;
	world_must(c->world, schema_load_bundle(bundle, &c->schema, error), "schema bundle");
}

static enum err try_vault(struct client *c)
{
	enum err e = vault_open(c->home, &c->world->rand, &c->vault);

	return e == ERR_OK ? vault_unlock(c->vault, PASSPHRASE) : e;
}

void world_open_vault(struct client *c)
{
	struct world *w = c->world;

	faults_begin_client(c, 5);
	enum err e = try_vault(c);

	/* The command that meets it says so; the next one finds the disk well. */
	if (faults_end_client(c) && e != ERR_OK) {
		world_trace(w, "client %u: its vault does not open: %s", c->index, err_name(e));
		vault_close(c->vault);
		c->vault = NULL;
		e = try_vault(c);
	}
	world_must(w, e, "open a vault");
	world_load_schema(c);
	homes_look(c);
}

/* The mark of a bad end is found in the lock file by the next opening. */
static void leave_mark(const struct client *c)
{
	char path[128];

	snprintf(path, sizeof path, "%s/lock", c->home);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		world_fail(c->world, "lock file of client %u", c->index);
	close(fd);
}

void world_crash_client(struct client *c)
{
	world_trace(c->world, "client %u crashes", c->index);
	c->world->crashes++;
	vault_close(c->vault);
	c->vault = NULL;
	leave_mark(c);
	world_open_vault(c);
}

static void invite(struct client *c, struct vault_identity *identity)
{
	struct world *w = c->world;
	struct invitation invitation;
	struct enrol_invite wanted = {.units = &c->unit,
				      .unit_count = 1,
				      .author =
					      arena_printf(&w->arena, "Cộng tác viên %u", c->index),
				      .is_cleared = c->is_cleared,
				      .now_ms = w->clock.wall};

	world_must(w, store_begin(w->store), "begin");
	world_must(w, enrol_invite(&w->ctx, w->store, &wanted, &invitation), "invite");
	world_must(w, store_commit(w->store), "commit");
	memcpy(identity->code, invitation.code, sizeof identity->code);
	identity->name = wanted.author;
}

static void enrol(struct client *c)
{
	struct world *w = c->world;
	struct vault_identity identity = {0};
	struct sync s = {.vault = c->vault,
			 .clock = &c->clock.clock,
			 .transport = &c->link,
			 .client_version = "sim"};

	invite(c, &identity);
	rand_fill(&w->rand, identity.seed, sizeof identity.seed);
	world_must(w, vault_begin(c->vault), "begin");
	world_must(w, vault_identity_put(c->vault, &identity), "put identity");
	world_must(w, vault_commit(c->vault), "commit");
	/* A lost answer is asked for again. */
	for (int i = 0; i < 20; i++)
		if (sync_enrol(&s, identity.name, &c->report) == ERR_OK)
			break;
	homes_look(c);
	if (c->device == 0)
		world_fail(w, "client %u cannot enrol: %s", c->index, log_last_detail());
}

static void make_client(struct world *w, unsigned index)
{
	struct client *c = &w->clients[index];

	*c = (struct client){.world = w,
			     .index = index,
			     .origin = index,
			     .parent = index,
			     .link = {link_request}};
	c->unit = w->units[w->is_crowded ? 0 : rand_below(&w->rand, w->client_count < 4 ? 2 : 3)];
	c->is_cleared = world_chance(w, 40);
	c->is_offline = w->has_files && world_chance(w, 35);
	c->max_bytes = world_chance(w, 50) ? 0 : 700 + rand_below(&w->rand, 4000);
	/* In a coarse world clocks agree, so that stamps of two devices tie. */
	if (!w->is_coarse && world_chance(w, 50))
		c->off_ms = (int64_t)rand_below(&w->rand, 1200000) - 600000;
	if (!w->is_coarse && world_chance(w, 20))
		c->drift_ppm = (int64_t)rand_below(&w->rand, 4000) - 2000;
	clock_fake_init(&c->clock, w->now_ms + c->off_ms);
	snprintf(c->home, sizeof c->home, "%s/c%u", w->folder, index);
	world_must(w, vault_create(c->home, &w->rand, &cheap, PASSPHRASE, &c->vault),
		   "make a vault");
	enrol(c);
	if (world_chance(w, 40))
		world_give_unit(c, w->units[rand_below(&w->rand, WORLD_UNITS)]);
	world_trace(w, "client %u: device %u unit %lld%s budget %llu off %lld", index, c->device,
		    (long long)c->unit, c->is_cleared ? " cleared" : "",
		    (unsigned long long)c->max_bytes, (long long)c->off_ms);
}

/* ---- life ---- */

static void make_folder(struct world *w)
{
	const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	snprintf(w->folder, sizeof w->folder, "%s/ctxh-sim-XXXXXX", root);
	if (mkdtemp(w->folder) == NULL)
		world_fail(w, "no temporary folder");
	snprintf(w->path, sizeof w->path, "%s/ctxhd.db", w->folder);
}

/* Mostly few, so that they meet. */
static unsigned draw_client_count(struct world *w)
{
	return world_chance(w, 5) ? 9 + (unsigned)rand_below(&w->rand, WORLD_CLIENTS_MAX - 8)
				  : 2 + (unsigned)rand_below(&w->rand, 7);
}

static bool has_actor(struct world *w, const struct world_mix *mix, unsigned which,
		      uint64_t percent)
{
	bool is_drawn = rand_below(&w->fate, 100) < percent;

	return (is_drawn || (mix->with & which) != 0) && (mix->without & which) == 0;
}

/* Their own numbers, so that those who were there before do the same with and without them. */
static void draw_fate(struct world *w, const struct world_mix *mix)
{
	rand_seeded_init(&w->fate, w->seed ^ UINT64_C(0x66617465));
	w->has_erasures = has_actor(w, mix, WORLD_WITH_ERASURES, 50);
	w->has_faults = has_actor(w, mix, WORLD_WITH_FAULTS, 50);
	w->has_clocks = has_actor(w, mix, WORLD_WITH_CLOCKS, 40);
}

void world_open(struct world *w, uint64_t seed, const struct world_mix *mix)
{
	uint8_t key[32] = {0xff};

	trapped_world = w;
	w->seed = seed;
	w->phase = "start";
	rand_seeded_init(&w->rand, seed);
	make_folder(w);
	w->now_ms = WORLD_START;
	w->is_coarse = world_chance(w, 30);
	w->is_crowded = world_chance(w, 50);
	w->has_files = world_chance(w, 50) || (mix->with & WORLD_WITH_FILES) != 0;
	w->has_releases = world_chance(w, 60) || (mix->with & WORLD_WITH_RELEASES) != 0;
	draw_fate(w, mix);
	clock_fake_init(&w->clock, w->now_ms);
	w->client_count = mix->client_count != 0 ? mix->client_count : draw_client_count(w);
	w->ctx.clock = &w->clock.clock;
	w->ctx.rand = &w->rand;
	w->ctx.state = w->folder;
	w->ctx.daemon = id_new(&w->clock.clock, &w->rand);
	w->ctx.epoch = id_new(&w->clock.clock, &w->rand);
	sign_pair_from_seed(key, &w->ctx.key);
	snprintf(w->ctx.address, sizeof w->ctx.address, "localhost:1");
	w->ledger = ledger_new(w);
	load_schemas(w);
	open_daemon(w);
	put_epoch(w);
	import_units(w);
	for (unsigned i = 0; i < w->client_count; i++)
		make_client(w, i);
}

void world_close(struct world *w)
{
	for (unsigned i = 0; i < w->client_count; i++) {
		vault_close(w->clients[i].vault);
		schema_free(w->clients[i].schema);
	}
	for (unsigned i = 0; i < WORLD_PARCELS_MAX; i++)
		buf_clear(&w->parcels[i].body);
	couriers_clear(w);
	close_daemon(w);
	schema_free(w->schemas[0]);
	schema_free(w->schemas[1]);
	ledger_free(w->ledger);
	faults_clear(w);
	arena_clear(&w->arena);
	remove_folder(w->folder);
}

/* ---- a contact ---- */

bool world_is_excused(const struct client *c, enum err e, bool is_trapped)
{
	if (c->is_torn)
		return err_class(e) != ERR_CLASS_FATAL || is_trapped;
	if (c->world->is_healed)
		return false;
	return is_trapped || c->is_dying || err_class(e) == ERR_CLASS_RETRY ||
	       (e == ERR_PROTO && c->was_lied);
}

void world_trap_contact(struct client *c)
{
	struct world *w = c->world;
	enum trap trap = (enum trap)(1 + rand_below(&w->rand, 3));

	if (!w->is_healed && world_chance(w, 20)) {
		world_set_trap(c, trap, (unsigned)rand_below(&w->rand, 6));
		world_trace(w, "trap %d after %u commits", (int)trap, c->trap_after);
	}
	faults_begin_client(c, 8);
}

static bool sync_over_network(struct client *c)
{
	struct world *w = c->world;
	struct sync s = {.vault = c->vault,
			 .clock = &c->clock.clock,
			 .transport = &c->link,
			 .schema = c->schema,
			 .client_version = "sim",
			 .max_bytes = c->max_bytes};

	world_trace(w, "client %u syncs", c->index);
	w->syncs++;
	c->is_dying = false;
	c->was_lied = false;
	world_trap_contact(c);
	enum trap trap = c->trap;

	c->is_busy = true;
	enum err e = sync_run(&s, &c->report);
	bool is_trapped = world_take_trap(c);

	c->is_busy = false;

	world_trace(w, "client %u: %s rounds %zu sent %zu records %zu evictions %zu notices %zu",
		    c->index, err_name(e), c->report.rounds, c->report.changes_sent,
		    c->report.records, c->report.evictions, c->report.notices);
	if (e != ERR_OK && !world_is_excused(c, e, is_trapped))
		world_fail(w, "client %u syncs: %s: %s (%s)", c->index, err_name(e),
			   log_last_detail(), c->report.refusal);
	if (c->is_dying || (is_trapped && trap != TRAP_FULL))
		world_crash_client(c);
	else
		world_load_schema(c);
	oracle_check_contact(c);
	return e == ERR_OK;
}

bool world_sync(struct client *c)
{
	if (!c->is_offline || c->must_call) {
		c->must_call = false;
		return sync_over_network(c);
	}
	if (c->world->is_healed)
		couriers_meet(c);
	else
		couriers_take_along(c);
	return true;
}
