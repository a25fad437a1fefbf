/*
 * fault_daemon - the daemon's data side over a disk that fails: store, ingest, enrolment, sync log,
 * schema, audit. Requests are merged as the writer does it: a group in one transaction, each
 * behind its mark; a receipt counts from the moment store_commit() returned.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/enrol.h"
#include "daemon/session.h"
#include "daemon/units.h"
#include "tests/fault/daemon_side.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/harness.h"
#include "tests/support/ground.h"

#define DEVICES   5u
#define ROUNDS    9u
#define JOBS_MAX  4u
#define SETS_MAX  3u
#define STEPS_MAX 128u
#define PERSONS   64u
#define STEP_MS   60000
#define FORKING   DEVICES /* this device's disk is rolled back at the end */

enum kind {
	STEP_BIRTH,
	STEP_INVITE,
	STEP_ENROL,
	STEP_PUSH,
	STEP_END, /* answers have left */
	STEP_SCHEMA,
	STEP_DECIDE,
	STEP_CHECKPOINT,
	STEP_RESTART,
};

/* One request of a group. */
struct job {
	struct ground_device *device;
	struct bytes wires[SETS_MAX];
	size_t count;
	uint64_t counter;
	bool is_foreign; /* change-sets of another device: undone alone */
	bool is_forking;
	bool is_known; /* `answer` is set */
	struct hash answer;
	uint64_t number; /* and chain: as receipted */
	struct hash chain;
};

struct step {
	enum kind kind;
	int64_t wall;
	size_t device; /* INVITE, ENROL: index; DECIDE: behind which conflict */
	struct job jobs[JOBS_MAX];
	size_t job_count;
};

static struct ground g;
static char folder[64];
static char path[128];
static struct store *store;
static struct schema *newer;
static struct step steps[STEPS_MAX];
static size_t step_count;
static unsigned tries[STEPS_MAX];
static struct bytes csv = BYTES_LIT("code,name,type,province_code,province_name\n"
				    "00001,Xã Bắc,Xã,70,Tỉnh Bình Phước\n"
				    "00002,Xã Nam,Xã,70,Tỉnh Bình Phước\n"
				    "00009,Xã Xa,Xã,89,Tỉnh An Giang\n");
static struct invitation invitations[DEVICES];
static struct invitation first_invitations[DEVICES];
static bool has_recorded;
static size_t schema_step;
static bool has_newer;
static uint64_t open_sessions[JOBS_MAX];
static size_t open_session_count;
static uint64_t seed;
static struct id persons[PERSONS];
static size_t person_count;
static uint64_t counters[DEVICES + 1];

/* ---- the workload ---- */

static struct step *add_step(enum kind kind)
{
	struct step *s = &steps[step_count];

	REQUIRE(step_count < STEPS_MAX);
	*s = (struct step){.kind = kind, .wall = GROUND_START + (int64_t)step_count * STEP_MS};
	g.clock.wall = s->wall;
	step_count++;
	return s;
}

static struct id some_person(struct rand *r)
{
	return persons[rand_below(r, person_count)];
}

static struct change edit(struct ground_device *d, struct rand *r, const char *field,
			  struct value value)
{
	struct id id = some_person(r);
	struct change c = ground_change(&g, d, "person", &id, rand_below(r, 30));

	ground_write(&g, &c, field, value);
	return c;
}

static struct change visit(struct ground_device *d, struct rand *r)
{
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct id who = some_person(r);
	struct change c = ground_change(&g, d, "visit", &id, 0);

	ground_write(&g, &c, "unit", value_int(g.north));
	ground_write(&g, &c, "person", value_bytes(arena_copy(&g.a, bytes_of(who.bytes, ID_LEN))));
	ground_write(&g, &c, "day",
		     value_text(arena_printf(&g.a, "2026-%02u-%02u", 1 + (unsigned)rand_below(r, 9),
					     1 + (unsigned)rand_below(r, 28))));
	ground_write(&g, &c, "amount", value_int((int64_t)rand_below(r, 5000000)));
	return c;
}

static struct change person(struct ground_device *d, struct rand *r)
{
	const char *name = rand_below(r, 2) == 0 ? "Điểu K’Ré" : "Nguyễn Thị Bé";
	struct id id;
	struct change c = ground_person(&g, d, g.north, name, &id);

	if (rand_below(r, 4) == 0)
		ground_write(&g, &c, "phone", ground_text("0901234567"));
	if (person_count < PERSONS)
		persons[person_count++] = id;
	return c;
}

static struct change some_change(struct ground_device *d, struct rand *r)
{
	if (person_count == 0)
		return person(d, r);
	switch (rand_below(r, 10)) {
	case 0:
	case 1: return person(d, r);
	case 2: return visit(d, r);
	case 3: return edit(d, r, "name", ground_text("Tên mới"));
	case 4: return edit(d, r, "age", value_int((int64_t)rand_below(r, 100)));
	case 5: return edit(d, r, "age", value_int(999)); /* to quarantine */
	case 6: return edit(d, r, "poor", value_bool(rand_below(r, 2) == 0));
	case 7: return edit(d, r, "unit", value_int(rand_below(r, 2) == 0 ? g.south : g.north));
	case 8: return edit(d, r, "phone", ground_text("0912345678"));
	case 9: return edit(d, r, "note", ground_text("Nhà ở xa, mùa mưa không vào được."));
	}
	UNREACHABLE();
}

static struct bytes some_set(struct ground_device *d, struct rand *r)
{
	struct change changes[6];
	size_t count = 1 + rand_below(r, 6);

	for (size_t i = 0; i < count; i++)
		changes[i] = some_change(d, r);
	return ground_seal(&g, d, changes, count);
}

static struct job *add_job(struct step *s, struct ground_device *d)
{
	struct job *j = &s->jobs[s->job_count++];

	*j = (struct job){.device = d, .counter = ++counters[d->number]};
	return j;
}

/* Sent before, and sent again because the answer got lost. */
static void add_repeat(struct step *s, struct rand *r)
{
	size_t at = rand_below(r, step_count);
	const struct step *old = &steps[at];

	if (old == s || old->job_count == 0 || old->jobs[0].is_foreign)
		return;
	struct job *j = add_job(s, old->jobs[0].device);

	j->count = old->jobs[0].count;
	memcpy(j->wires, old->jobs[0].wires, sizeof j->wires);
}

static void add_push(struct rand *r)
{
	struct step *s = add_step(STEP_PUSH);
	size_t count = 1 + rand_below(r, JOBS_MAX - 1);

	for (size_t i = 0; i < count; i++) {
		struct ground_device *d = &g.devices[rand_below(r, DEVICES)];
		struct job *j = add_job(s, d);

		j->count = 1 + rand_below(r, SETS_MAX);
		for (size_t k = 0; k < j->count; k++)
			j->wires[k] = some_set(d, r);
	}
	if (rand_below(r, 3) == 0) {
		struct job *j = &s->jobs[s->job_count++];
		struct job *other = &s->jobs[0];
		struct ground_device *d = &g.devices[other->device->number % DEVICES];

		*j = (struct job){.device = d, .count = 1, .is_foreign = true};
		j->wires[0] = other->wires[0];
	} else {
		add_repeat(s, r);
	}
	if (rand_below(r, 3) != 0)
		(void)add_step(STEP_END);
}

/* A disk rolled back: the same numbers again, with other content. */
static void add_fork(struct rand *r)
{
	struct ground_device *d = &g.devices[FORKING - 1];
	struct ground_device before = *d;
	struct step *s = add_step(STEP_PUSH);
	struct job *good = add_job(s, d);

	good->count = 1;
	good->wires[0] = some_set(d, r);
	*d = before;
	s = add_step(STEP_PUSH);
	struct job *bad = add_job(s, d);

	bad->count = 1;
	bad->is_forking = true;
	bad->wires[0] = some_set(d, r);
}

static void add_devices(void)
{
	for (size_t i = 0; i < DEVICES; i++) {
		struct ground_device *d = &g.devices[i];
		uint8_t key[32] = {0x77, (uint8_t)i};

		*d = (struct ground_device){.number = (uint32_t)i + 1, .next = 1};
		sign_pair_from_seed(key, &d->key);
	}
	g.devices[1].off_ms = INT64_C(-20) * 365 * 86400 * 1000;
	g.devices[2].off_ms = 120000;
}

static void build(void)
{
	struct rand r;

	rand_seeded_init(&r, seed);
	add_devices();
	(void)add_step(STEP_BIRTH);
	for (size_t i = 0; i < DEVICES; i++) {
		add_step(STEP_INVITE)->device = i;
		add_step(STEP_ENROL)->device = i;
	}
	for (size_t round = 0; round < ROUNDS; round++) {
		add_push(&r);
		if (round == ROUNDS / 3)
			(void)add_step(STEP_RESTART);
		if (round == ROUNDS / 2) {
			schema_step = step_count;
			(void)add_step(STEP_SCHEMA);
		}
		if (round % 3 == 1)
			(void)add_step(STEP_CHECKPOINT);
		if (round % 4 == 3)
			add_step(STEP_DECIDE)->device = round / 4;
	}
	add_fork(&r);
	(void)add_step(STEP_CHECKPOINT);
	(void)add_step(STEP_END);
}

/* ---- steps ---- */

static enum err run_birth(void)
{
	struct units_imported imported;
	struct unit_row row;
	int64_t from;
	enum err e = units_parse_day(BYTES_LIT("2025-07-01"), &from);

	REQUIRE(e == ERR_OK);
	e = units_find(store, &g.a, BYTES_LIT("00001"), units_day_of(g.clock.wall), &row);
	if (e == ERR_NOTFOUND)
		e = units_import(store, &g.a, csv, from, UNITS_DAY_OPEN, &imported);
	if (e == ERR_OK)
		e = enrol_office(&g.ctx, store);
	if (e == ERR_OK)
		e = store_put_setting(store, "epoch", bytes_of(g.ctx.epoch.bytes, ID_LEN));
	return e;
}

static enum err run_invite(const struct step *s)
{
	const struct enrol_invite in = {.units = &g.north,
					.unit_count = 1,
					.author = BYTES_LIT("Chị Hoa"),
					.now_ms = g.clock.wall};

	return enrol_invite(&g.ctx, store, &in, &invitations[s->device]);
}

static enum err run_enrol(const struct step *s)
{
	struct msg_enrol m = {.name = BYTES_LIT("Máy xã"), .client_version = BYTES_LIT("0.1.0")};
	struct registry_device device;
	struct msg_enrolled enrolled;
	enum err e;

	m.key = g.devices[s->device].key.public_key;
	memcpy(m.code, invitations[s->device].code, sizeof m.code);
	e = enrol_run(&g.ctx, store, &g.a, &m, &enrolled, &device);
	REQUIRE(e != ERR_OK || device.number == s->device + 1);
	return e;
}

static struct hash hash_answer(const struct ingest_result *r)
{
	AUTO(buf_clear) struct buf all = {0};

	for (size_t i = 0; i < r->result_count; i++)
		buf_printf(&all, "%llu %.*s %.*s %d\n", (unsigned long long)r->results[i].number,
			   BYTES_FMT(r->results[i].code), BYTES_FMT(r->results[i].field),
			   r->results[i].is_quarantined);
	for (size_t i = 0; i < r->repair_count; i++) {
		const struct msg_repair *p = &r->repairs[i];

		buf_printf(&all, "%llu %llu %lld %llu %llu %llu\n", (unsigned long long)p->first,
			   (unsigned long long)p->count, (long long)p->repair.shift_ms,
			   (unsigned long long)p->repair.ceiling,
			   (unsigned long long)p->repair.floor, (unsigned long long)p->log);
	}
	return hash_of(buf_bytes(&all));
}

static enum err merge(const struct job *j, uint64_t *ret_session, struct ingest_result *ret_result)
{
	struct changeset_opened sets[SETS_MAX];
	const struct session_start start = {.device = j->device->number,
					    .author = BYTES_LIT("Chị Hoa"),
					    .transport = BYTES_LIT("network"),
					    .address = BYTES_LIT("192.0.2.1"),
					    .client_version = BYTES_LIT("0.1.0"),
					    .bytes_in = j->wires[0].len,
					    .counter = j->counter,
					    .sent_ms = g.clock.wall + j->device->off_ms,
					    .now_ms = g.clock.wall};
	struct ingest_request request = {.device = j->device->number,
					 .sets = sets,
					 .set_count = j->count,
					 .sent_ms = start.sent_ms,
					 .now_ms = g.clock.wall};
	const struct ground_device *by = j->device;
	enum err e;

	if (j->is_foreign)
		by = &g.devices[(by->number + DEVICES - 2) % DEVICES];
	for (size_t i = 0; i < j->count; i++) {
		e = changeset_open(&g.a, j->wires[i], &by->key.public_key, &sets[i]);
		REQUIRE(e == ERR_OK);
	}
	e = session_begin(store, &start, ret_session);
	request.session = *ret_session;
	if (e == ERR_OK)
		e = ingest_run(&g.ctx, store, &g.a, &request, ret_result);
	return e == ERR_OK ? session_merged(store, *ret_session, ret_result) : e;
}

/* What the device is told; the undisturbed run says what it must be. */
static bool is_answer_right(struct job *j, const struct ingest_result *r)
{
	struct hash answer = hash_answer(r);
	bool is_right = r->outcome == (j->is_forking ? INGEST_FORKED : INGEST_OK);

	if (!has_recorded) {
		j->answer = answer;
		j->number = r->number;
		j->chain = r->chain;
		j->is_known = true;
		return is_right;
	}
	/* Set aside once; said again, it is still refused. */
	if (j->is_forking)
		return r->outcome == INGEST_FORKED || r->outcome == INGEST_REFUSED;
	if (!is_right || memcmp(&answer, &j->answer, sizeof answer) != 0 || r->number < j->number ||
	    (r->number == j->number && memcmp(&r->chain, &j->chain, sizeof j->chain) != 0)) {
		(void)fprintf(stderr, "  device %u is answered otherwise (outcome %d, %llu)\n",
			      j->device->number, (int)r->outcome, (unsigned long long)r->number);
		return false;
	}
	return true;
}

static enum err run_job(struct job *j, bool *ret_is_right)
{
	struct ingest_result result = {0};
	uint64_t session = 0;
	enum err e = store_mark(store);

	if (e != ERR_OK)
		return e;
	e = merge(j, &session, &result);
	if (e == ERR_OK) {
		e = store_mark_keep(store);
		if (e == ERR_OK && open_session_count < JOBS_MAX)
			open_sessions[open_session_count++] = session;
		if (e == ERR_OK)
			*ret_is_right = is_answer_right(j, &result);
		return e;
	}
	store_mark_undo(store);
	*ret_is_right = true;
	return j->is_foreign && e == ERR_PROTO ? ERR_OK : e;
}

/* As the writer: a job that fails is undone alone; what the disk refuses shows at the commit. */
static enum err run_push(struct step *s)
{
	enum err e = ERR_OK;

	open_session_count = 0;
	for (size_t i = 0; i < s->job_count && e == ERR_OK; i++) {
		bool is_right = true;

		e = run_job(&s->jobs[i], &is_right);
		if (e == ERR_OK && !is_right)
			return ERR_INVAL;
	}
	return e;
}

static enum err run_end(void)
{
	const struct session_finish finish = {.now_ms = g.clock.wall, .bytes_out = 100};
	enum err e = ERR_OK;

	for (size_t i = 0; i < open_session_count && e == ERR_OK; i++)
		e = session_end(store, open_sessions[i], &finish);
	return e;
}

/* The office decides a conflict: the same one when it has to say so again. */
static enum err run_decide(const struct step *s)
{
	const struct store_range range = {.after = s->device, .limit = 1};
	struct conflict_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_conflicts(store, &g.a, &range, &rows, &count);

	if (e == ERR_OK && count != 0) {
		rows[0].state = BYTES_LIT("kept");
		rows[0].decided_by = BYTES_LIT("uid:0");
		rows[0].decided_ms = g.clock.wall;
		e = store_decide_conflict(store, &rows[0]);
	}
	if (e == ERR_OK)
		e = store_put_audit(store, g.clock.wall, BYTES_LIT("uid 0"),
				    BYTES_LIT("conflict keep"), BYTES_LIT("1"));
	return e;
}

static enum err run_in_transaction(struct step *s)
{
	switch (s->kind) {
	case STEP_BIRTH: return run_birth();
	case STEP_INVITE: return run_invite(s);
	case STEP_ENROL: return run_enrol(s);
	case STEP_PUSH: return run_push(s);
	case STEP_END: return run_end();
	case STEP_DECIDE: return run_decide(s);
	case STEP_SCHEMA:
	case STEP_CHECKPOINT:
	case STEP_RESTART: break;
	}
	UNREACHABLE();
}

static enum err transact(struct step *s)
{
	enum err e = store_begin(store);

	if (e != ERR_OK)
		return e;
	/* Before the work, not only the commit: that one wants no memory of SQLite's. */
	harness_before_commit();
	e = run_in_transaction(s);
	if (e != ERR_OK) {
		store_rollback(store);
		return e;
	}
	return store_commit(store);
}

static enum err open_store(void)
{
	enum err e;

	has_newer = has_newer || harness_acked() > schema_step;
	open_session_count = 0;
	e = store_open_writer(path, has_newer ? newer : g.schema, &store);
	if (e == ERR_OK)
		e = store_begin(store);
	if (e != ERR_OK)
		return e;
	e = session_mend(store, g.clock.wall);
	if (e != ERR_OK) {
		store_rollback(store);
		return e;
	}
	return store_commit(store);
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

static enum err run_step(size_t index)
{
	struct step *s = &steps[index];

	g.clock.wall = s->wall;
	/* Done again, it is not done with the same random numbers. */
	rand_seeded_init(&g.rand, seed * 1000 + index + ((uint64_t)tries[index]++ << 40) +
					  ((uint64_t)harness_restarts() << 50));
	if (s->kind == STEP_SCHEMA) {
		has_newer = true;
		return store_use_schema(store, newer);
	}
	if (s->kind == STEP_CHECKPOINT)
		return store_checkpoint(store);
	if (s->kind == STEP_RESTART || store == NULL) {
		close_store();
		enum err e = open_store();

		if (e != ERR_OK)
			close_store();
		if (e != ERR_OK || s->kind == STEP_RESTART)
			return e;
	}
	return transact(s);
}

/* ---- what must hold ---- */

static size_t check_number(const struct job *j)
{
	struct log_row row;
	enum err e = store_find_log(store, &g.a, j->device->number, j->number, &row);

	if (e == ERR_OK && row.first + row.count - 1 == j->number &&
	    memcmp(&row.chain, &j->chain, sizeof row.chain) == 0)
		return 0;
	(void)fprintf(stderr, "  device %u: number %llu is not in the log\n", j->device->number,
		      (unsigned long long)j->number);
	return 1;
}

static size_t check_receipts(size_t acked)
{
	size_t bad = 0;

	for (size_t i = 0; i < acked; i++)
		for (size_t k = 0; k < steps[i].job_count; k++) {
			const struct job *j = &steps[i].jobs[k];

			if (!j->is_foreign && !j->is_forking && j->number != 0)
				bad += check_number(j);
		}
	return bad;
}

static size_t check(size_t acked)
{
	return (has_recorded ? check_receipts(acked) : 0) +
	       daemon_side_verify(&g.ctx, store, folder, &g.a);
}

/* Every push again, in its order, as devices do that never got an answer. */
static size_t resend(size_t acked)
{
	size_t bad = 0;

	for (size_t i = 0; i < acked; i++) {
		if (steps[i].kind != STEP_PUSH)
			continue;
		/* The device that was set aside is no longer listened to. */
		struct step again = steps[i];

		again.job_count = 0;
		for (size_t k = 0; k < steps[i].job_count; k++)
			if (steps[i].jobs[k].device->number != FORKING)
				again.jobs[again.job_count++] = steps[i].jobs[k];
		g.clock.wall = again.wall;
		if (transact(&again) != ERR_OK)
			bad++;
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

/* ---- the program ---- */

static void reset(void)
{
	has_newer = false;
	memset(tries, 0, sizeof tries);
	memcpy(invitations, first_invitations, sizeof invitations);
	g.clock.wall = GROUND_START;
}

/* Change-sets are sealed once and kept: `kept` outlives the arena of the steps. */
static struct arena kept;

static void prepare(uint64_t with_seed)
{
	seed = with_seed;
	ground_open(&g);
	newer = daemon_side_schema(
		"      friend:",
		"      phone: {type: text, vi: Điện thoại, en: Phone, indexed: true}\n"
		"      friend:");
	store_close(g.store);
	g.store = NULL;
	dbfile_make_folder(folder);
	(void)snprintf(path, sizeof path, "%s/ctxhd.db", folder);
	build();
	kept = g.a;
	g.a = (struct arena){0};
}

static void finish(void)
{
	arena_clear(&kept);
	schema_free(newer);
	ground_close(&g);
	dbfile_remove_folder(folder);
}

int main(int argc, char **argv)
{
	static const struct subject subject = {
		.name = "daemon",
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
		.shows_lost_syncs = true,
		.drops_cache = true,
	};

	return harness_main(argc, argv, &subject, prepare, finish);
}
