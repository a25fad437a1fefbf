/*
 * fault_office - what administrators decide, over a disk that fails: conflicts, quarantine let in
 * by hand and by itself, doubles, files brought in, unit lists and successions, release and
 * succession of devices, erasure by law and its sweep.
 *
 * Commands run as handle_admin.c runs them: admin_run() inside the writer's transaction. One that
 * was committed and not yet answered is given again; "it was decided before" is an answer then.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/admin.h"
#include "daemon/bundle.h"
#include "daemon/enrol.h"
#include "daemon/session.h"
#include "daemon/store_erase.h"
#include "daemon/units.h"
#include "tests/fault/daemon_side.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/harness.h"
#include "tests/fault/office_plan.h"

static struct ground g;
static char folder[64];
static char path[128];
static struct store *store;
static struct schema *newer;
static struct office_step steps[OFFICE_STEPS];
static size_t step_count;
static unsigned tries[OFFICE_STEPS];
static size_t ran; /* steps, by this process in this run */
static size_t schema_step;
static size_t erase_step;
static size_t sweep_step;
static bool has_newer;
static struct invitation invitations[OFFICE_PEOPLE];
static struct invitation first_invitations[OFFICE_PEOPLE];
/* What a process that ended had of these, for the one that goes on without having run a step. */
static struct traces {
	unsigned tries[OFFICE_STEPS];
	struct invitation invitations[OFFICE_PEOPLE];
} * traces;
static bool has_recorded;
static uint64_t seed;
static struct bytes csv = BYTES_LIT("code,name,type,province_code,province_name\n"
				    "00001,Xã Bắc,Xã,70,Tỉnh Bình Phước\n"
				    "00002,Xã Nam,Xã,70,Tỉnh Bình Phước\n"
				    "00009,Xã Xa,Xã,89,Tỉnh An Giang\n");

/* ---- steps ---- */

static enum err run_birth(void)
{
	struct units_imported imported;
	int64_t from;
	enum err e = units_parse_day(BYTES_LIT("2025-07-01"), &from);

	REQUIRE(e == ERR_OK);
	e = units_import(store, &g.a, csv, from, UNITS_DAY_OPEN, &imported);
	if (e == ERR_OK)
		e = enrol_office(&g.ctx, store);
	return e == ERR_OK ? store_put_setting(store, "epoch", bytes_of(g.ctx.epoch.bytes, ID_LEN))
			   : e;
}

static enum err run_invite(const struct office_step *s)
{
	const struct enrol_invite in = {.units = s->device == 2 ? &g.south : &g.north,
					.unit_count = 1,
					.author = BYTES_LIT("Chị Hoa"),
					.now_ms = g.clock.wall};

	return enrol_invite(&g.ctx, store, &in, &invitations[s->device]);
}

static enum err run_enrol(const struct office_step *s)
{
	struct msg_enrol m = {.name = BYTES_LIT("Máy xã"), .client_version = BYTES_LIT("0.1.0")};
	const bool is_successor = s->kind == OFFICE_SUCCEED;
	struct registry_device device;
	struct msg_enrolled enrolled;
	enum err e;

	m.key = g.devices[s->device].key.public_key;
	memcpy(m.code, invitations[is_successor ? s->former : s->device].code, sizeof m.code);
	if (is_successor)
		msg_enrol_vouch(&m, &g.ctx.daemon, &g.devices[s->former].key);
	e = enrol_run(&g.ctx, store, &g.a, &m, &enrolled, &device);
	REQUIRE(e != ERR_OK || device.number == s->device + 1);
	return e;
}

static enum err run_release(const struct office_step *s)
{
	return enrol_release(&g.ctx, store, (uint32_t)s->device + 1, g.clock.wall, 0,
			     &invitations[s->device]);
}

static enum err run_push(const struct office_step *s)
{
	const struct ground_device *d = &g.devices[s->device];
	struct changeset_opened sets[2];
	const struct session_start start = {.device = d->number,
					    .transport = BYTES_LIT("network"),
					    .counter = s->counter,
					    .sent_ms = g.clock.wall,
					    .now_ms = g.clock.wall};
	struct ingest_request request = {.device = d->number,
					 .sets = sets,
					 .set_count = s->count,
					 .sent_ms = g.clock.wall,
					 .now_ms = g.clock.wall};
	struct ingest_result result = {0};
	enum err e = ERR_OK;

	for (size_t i = 0; i < s->count && e == ERR_OK; i++)
		e = changeset_open(&g.a, s->wires[i], &d->key.public_key, &sets[i]);
	REQUIRE(e == ERR_OK);
	e = session_begin(store, &start, &request.session);
	if (e == ERR_OK)
		e = ingest_run(&g.ctx, store, &g.a, &request, &result);
	if (e == ERR_OK)
		e = session_merged(store, request.session, &result);
	return e;
}

static void drop_registry(void)
{
	if (g.ctx.registry != NULL)
		registry_free(g.ctx.registry);
	g.ctx.registry = NULL;
}

static enum err load_registry(void)
{
	drop_registry();
	g.ctx.registry = registry_new();
	return enrol_load_registry(store, g.ctx.registry);
}

/* What handle_bundle.c does on the writer's thread. */
static enum err run_file(const struct office_step *s)
{
	const struct session_start start = {.device = (uint32_t)s->device + 1,
					    .transport = BYTES_LIT("file"),
					    .address = BYTES_LIT("uid:0"),
					    .now_ms = g.clock.wall};
	struct bundle b = {0};
	uint64_t session = 0;
	enum err e = load_registry();

	if (e != ERR_OK)
		return e;
	if (bundle_open(&g.ctx, &g.a, s->file, &b) != BUNDLE_SOUND)
		return ERR_INVAL;
	e = session_begin(store, &start, &session);
	if (e == ERR_OK)
		e = bundle_merge(&g.ctx, store, &g.a, session, &b);
	if (e == ERR_OK)
		e = session_merged(store, session, &b.total);
	return e == ERR_OK ? store_put_audit(store, g.clock.wall, BYTES_LIT("uid:0"),
					     BYTES_LIT("bundle in"), BYTES_LIT("{}"))
			   : e;
}

static enum err run_command(const struct office_step *s)
{
	const struct admin_command *command = admin_find(s->text);
	json_t *args = json_loads(s->args, 0, NULL);
	struct admin_call call = {
		.ctx = &g.ctx, .store = store, .caller = {0, "uid:0"}, .args = args, .arena = &g.a};
	enum err e;

	REQUIRE(command != NULL && args != NULL);
	e = admin_run(command, &call);
	if (err_class(e) == ERR_CLASS_REJECT && tries[s - steps] <= 1)
		(void)fprintf(stderr, "  %s: %s\n", s->text, call.error);
	admin_call_clear(&call);
	json_decref(args);
	return e;
}

static enum err run_in_transaction(const struct office_step *s)
{
	switch (s->kind) {
	case OFFICE_BIRTH: return run_birth();
	case OFFICE_INVITE: return run_invite(s);
	case OFFICE_ENROL:
	case OFFICE_SUCCEED: return run_enrol(s);
	case OFFICE_PUSH: return run_push(s);
	case OFFICE_FILE: return run_file(s);
	case OFFICE_COMMAND: return run_command(s);
	case OFFICE_RELEASE: return run_release(s);
	case OFFICE_SCHEMA:
	case OFFICE_SWEEP:
	case OFFICE_CHECKPOINT:
	case OFFICE_RESTART: break;
	}
	UNREACHABLE();
}

/* Given again, a command may say that it was done; then nothing was changed by it. */
static bool is_said_before(const struct office_step *s, enum err e)
{
	return s->kind == OFFICE_COMMAND && tries[s - steps] > 1 &&
	       err_class(e) == ERR_CLASS_REJECT;
}

static void leave_traces(void)
{
	memcpy(traces->tries, tries, sizeof tries);
	memcpy(traces->invitations, invitations, sizeof invitations);
}

static void take_traces(void)
{
	memcpy(tries, traces->tries, sizeof tries);
	memcpy(invitations, traces->invitations, sizeof invitations);
}

static enum err transact(const struct office_step *s)
{
	enum err e = store_begin(store);

	if (e != ERR_OK)
		return e;
	/* Before the work, not only the commit: that one wants no memory of SQLite's. */
	harness_before_commit();
	e = run_in_transaction(s);
	if (e != ERR_OK) {
		store_rollback(store);
		return is_said_before(s, e) ? ERR_OK : e;
	}
	leave_traces();
	return store_commit(store);
}

/* A control: the change-set goes in, and the quarantine hears of it in a transaction of its own. */
static enum err decide_in_halves(const struct office_step *s)
{
	static const struct store_range first = {.limit = 1};
	struct quarantine_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_quarantine(store, &g.a, &first, &rows, &count);

	if (e == ERR_OK)
		e = store_begin(store);
	if (e == ERR_OK)
		e = store_set_quarantine_state(store, rows[0].quarantine, "open",
					       BYTES_LIT("nửa chừng"));
	if (e == ERR_OK)
		e = store_commit(store);
	return e == ERR_OK ? transact(s) : e;
}

/* ---- the program ---- */

static enum err mend(void)
{
	enum err e = store_begin(store);

	if (e != ERR_OK)
		return e;
	e = session_mend(store, g.clock.wall);
	if (e != ERR_OK) {
		store_rollback(store);
		return e;
	}
	return store_commit(store);
}

static enum err open_store(void)
{
	const struct schema *schema;
	enum err e;

	has_newer = has_newer || harness_acked() > schema_step;
	schema = has_newer ? newer : g.schema;
	atomic_store(&g.ctx.schema, schema);
	e = store_open_writer(path, schema, &store);
	return e == ERR_OK ? mend() : e;
}

static void die(void)
{
	store = NULL;
}

static void close_store(void)
{
	store_close(store);
	store = NULL;
	arena_clear(&g.a);
}

static enum err run_outside(const struct office_step *s)
{
	switch (s->kind) {
	case OFFICE_SCHEMA:
		has_newer = true;
		atomic_store(&g.ctx.schema, newer);
		return store_use_schema(store, newer);
	case OFFICE_SWEEP: return store_sweep(store, folder);
	case OFFICE_CHECKPOINT: return store_checkpoint(store);
	case OFFICE_RESTART: close_store(); return open_store();
	case OFFICE_BIRTH:
	case OFFICE_INVITE:
	case OFFICE_ENROL:
	case OFFICE_SUCCEED:
	case OFFICE_PUSH:
	case OFFICE_FILE:
	case OFFICE_COMMAND:
	case OFFICE_RELEASE: break;
	}
	if (s->text != NULL && strcmp(s->text, "quarantine replay") == 0 && harness_tears())
		return decide_in_halves(s);
	return transact(s);
}

static enum err run_step(size_t index)
{
	const struct office_step *s = &steps[index];
	enum err e = ERR_OK;

	if (ran++ == 0 && harness_acked() > 0)
		take_traces();
	g.clock.wall = s->wall;
	/* Done again, it is not done with the same random numbers. */
	rand_seeded_init(&g.rand, seed * 1000 + index + ((uint64_t)tries[index]++ << 40) +
					  ((uint64_t)harness_restarts() << 50));
	if (store == NULL)
		e = open_store();
	if (e == ERR_OK)
		e = run_outside(s);
	if (e != ERR_OK && store == NULL)
		close_store();
	return e;
}

/* ---- what must hold ---- */

/* What was erased owes a sweep until there was one; then nothing of it is in the files. */
static size_t check_erased(size_t acked)
{
	AUTO(buf_clear) struct buf raw = {0};
	bool owes = false;
	enum err e = store_owes_sweep(store, &owes);

	if (e != ERR_OK)
		return 1;
	dbfile_read(path, "", &raw);
	dbfile_read(path, "-wal", &raw);
	if (acked <= erase_step || owes ||
	    memmem(raw.data, raw.len, OFFICE_CANARY, strlen(OFFICE_CANARY)) == NULL)
		return acked > sweep_step && owes;
	(void)fprintf(stderr, "  erased, swept, and still there\n");
	return 1;
}

static size_t check(size_t acked)
{
	return check_erased(acked) + daemon_side_verify(&g.ctx, store, folder, &g.a);
}

/* Every push again, in its order, as devices do that never got an answer. */
static size_t resend(size_t acked)
{
	size_t bad = 0;

	for (size_t i = 0; i < acked; i++) {
		if (steps[i].kind != OFFICE_PUSH && steps[i].kind != OFFICE_FILE)
			continue;
		g.clock.wall = steps[i].wall;
		bad += transact(&steps[i]) != ERR_OK;
	}
	return bad;
}

static struct hash state(void)
{
	if (!has_recorded)
		memcpy(first_invitations, invitations, sizeof invitations);
	has_recorded = true;
	return daemon_side_state(store);
}

static void reset(void)
{
	has_newer = false;
	memset(tries, 0, sizeof tries);
	memcpy(invitations, first_invitations, sizeof invitations);
	ran = 0;
	leave_traces();
	g.clock.wall = GROUND_START;
}

static size_t find_step(enum office_kind kind, const char *text)
{
	size_t i = 0;

	while (steps[i].kind != kind || (text != NULL && strcmp(steps[i].text, text) != 0))
		i++;
	return i;
}

static struct arena kept; /* change-sets and files outlive the arena of the steps */

static void prepare(uint64_t with_seed)
{
	seed = with_seed;
	traces = mmap(NULL, sizeof *traces, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	REQUIRE(traces != MAP_FAILED);
	ground_open(&g);
	newer = daemon_side_schema("max: 150", "max: 1000");
	store_close(g.store);
	g.store = NULL;
	dbfile_make_folder(folder);
	(void)snprintf(path, sizeof path, "%s/ctxhd.db", folder);
	step_count = office_plan(&g, steps);
	schema_step = find_step(OFFICE_SCHEMA, NULL);
	erase_step = find_step(OFFICE_COMMAND, "erase");
	sweep_step = find_step(OFFICE_SWEEP, NULL);
	kept = g.a;
	g.a = (struct arena){0};
}

static void finish(void)
{
	drop_registry();
	arena_clear(&kept);
	schema_free(newer);
	ground_close(&g);
	dbfile_remove_folder(folder);
	(void)munmap(traces, sizeof *traces);
}

int main(int argc, char **argv)
{
	static const struct subject subject = {
		.name = "office",
		.path = path,
		.reset = reset,
		.open = open_store,
		.close = close_store,
		.step = run_step,
		.check = check,
		.resend = resend,
		.state = state,
		.die = die,
		.step_count = &step_count,
		.aborts_without_memory = true,
		.tears = true,
		.drops_cache = true,
	};

	return harness_main(argc, argv, &subject, prepare, finish);
}
