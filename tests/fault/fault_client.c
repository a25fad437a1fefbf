/*
 * fault_client - the client's vault, entries and sync over a disk that fails, against an office in
 * memory that goes on meanwhile. The vault is let go while a request is on its way, as `ctxh sync`
 * does. An entry counts from the moment vault_commit() returned; what the office was sent counts at
 * once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/enrol.h"
#include "client/sync.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/fault/client_side.h"
#include "tests/fault/faultmem.h"
#include "tests/fault/faultvfs.h"
#include "tests/fault/harness.h"
#include "tests/fault/sent.h"

#define ROUNDS    8u
#define STEPS_MAX 128u
#define RECORDS   48u
#define IMPORT    25u /* entries in one transaction */
#define STEP_MS   60000

enum kind {
	STEP_BIRTH, /* vault and identity */
	STEP_ENTRY,
	STEP_IMPORT,
	STEP_SYNC,
	STEP_OFFICE, /* another device writes */
	STEP_BACKUP, /* the office made one */
	STEP_RESTORED,
	STEP_EVICT,
	STEP_ACCEPT, /* the inbox is read */
	STEP_REOPEN,
	STEP_PASSPHRASE,
	STEP_ASIDE, /* a copy of the disk was at the office */
	STEP_ANEW,  /* another identity is asked for */
};

struct step {
	enum kind kind;
	size_t record;
	const char *field;
	const char *text;
	unsigned lost_requests;
	unsigned lost_answers;
	const char *refuse;
};

static const uint8_t successor_seed[32] = {43};

static struct step steps[STEPS_MAX];
static size_t step_count;
static struct id ids[RECORDS];
static size_t id_count;
static unsigned tries[STEPS_MAX];
static enum {
	FOUND_UNKNOWN,
	FOUND_THERE,
	FOUND_ANEW
} found[STEPS_MAX];    /* at its first try */
static size_t done_to; /* steps of the office's own are done once */

static struct office *backup; /* what the office can be restored to */
static uint64_t seed;

static struct sent sent;

/* What the office owes until a contact ended well: its answer may not have reached the disk. */
static struct msg_evict owed_evictions[4];
static size_t owed_eviction_count;
static struct msg_notice owed_notices[8];
static size_t owed_notice_count;

/* ---- the workload ---- */

static struct step *add_step(enum kind kind)
{
	REQUIRE(step_count < STEPS_MAX);
	steps[step_count] = (struct step){.kind = kind};
	return &steps[step_count++];
}

static size_t add_record(struct rand *r)
{
	REQUIRE(id_count < RECORDS);
	rand_fill(r, ids[id_count].bytes, ID_LEN);
	return id_count++;
}

static void add_entry(size_t record, const char *field, const char *text)
{
	struct step *s = add_step(STEP_ENTRY);

	s->record = record;
	s->field = field;
	s->text = text;
}

static void add_entries(struct rand *r)
{
	static const char *const hamlets[] = {"Thôn 1", "Thôn 2", "Ấp Bàu Trâu", "Sóc Bom Bo"};
	size_t count = 2 + rand_below(r, 3);

	for (size_t i = 0; i < count; i++) {
		if (id_count == 0 || rand_below(r, 3) == 0)
			add_entry(add_record(r), "full_name", "Điểu Thị Lan");
		else
			add_entry(rand_below(r, id_count), "hamlet", hamlets[rand_below(r, 4)]);
	}
}

static void add_office_write(struct rand *r)
{
	struct step *s = add_step(STEP_OFFICE);

	s->record = rand_below(r, id_count);
	s->field = rand_below(r, 2) == 0 ? "hamlet" : "full_name";
	s->text = "Văn phòng ghi";
}

static void add_sync(struct rand *r)
{
	struct step *s = add_step(STEP_SYNC);

	switch (rand_below(r, 5)) {
	case 0: s->lost_requests = 1; break;
	case 1: s->lost_answers = 1; break;
	case 2: s->refuse = "busy"; break;
	default: return;
	}
	/* And again, when the line is better. */
	(void)add_step(STEP_SYNC);
}

/* The device is set aside, goes on meanwhile, and the first answer to its enrolment is lost. */
static void add_succession(struct rand *r)
{
	(void)add_step(STEP_ASIDE);
	(void)add_step(STEP_SYNC);
	add_entries(r);
	add_step(STEP_ANEW)->lost_answers = 1;
	add_entries(r);
	(void)add_step(STEP_ANEW);
}

static void build(void)
{
	struct rand r;

	rand_seeded_init(&r, seed);
	(void)add_step(STEP_BIRTH);
	for (size_t round = 0; round < ROUNDS; round++) {
		add_entries(&r);
		if (round == 2)
			(void)add_step(STEP_IMPORT);
		if (round % 2 == 1)
			add_office_write(&r);
		if (round == 4)
			(void)add_step(STEP_PASSPHRASE);
		if (round == 5)
			(void)add_step(STEP_RESTORED);
		if (round == ROUNDS - 1)
			add_succession(&r);
		add_sync(&r);
		if (round % 2 == 0)
			(void)add_step(STEP_BACKUP);
		if (round == 6)
			add_step(STEP_EVICT)->record = rand_below(&r, id_count);
		if (round % 3 == 2)
			(void)add_step(STEP_ACCEPT);
		if (round % 3 == 1)
			(void)add_step(STEP_REOPEN);
	}
	add_entries(&r);
	(void)add_step(STEP_SYNC);
	(void)add_step(STEP_SYNC);
}

/* ---- the line ---- */

/* As `ctxh sync`: entries may be made meanwhile. */
static enum err request(struct sync_transport *link, const char *where, struct bytes body,
			int *ret_status, struct buf *answer)
{
	uint32_t device = cs.office->device;

	(void)link;
	faultmem_hold();
	if (strcmp(where, "/v1/sync") == 0)
		sent_note(&sent, body, &cs.office->device_key);
	cs.office->eviction_count = owed_eviction_count;
	memcpy(cs.office->evictions, owed_evictions, sizeof owed_evictions);
	cs.office->notice_count = owed_notice_count;
	memcpy(cs.office->notices, owed_notices, sizeof owed_notices);
	faultmem_go_on();
	vault_pause(cs.vault);
	faultmem_hold();
	enum err asked = cs.office->link.request(&cs.office->link, where, body, ret_status, answer);

	/* Another device counts from one again. */
	if (cs.office->device != device)
		sent_begin_anew(&sent);
	faultmem_go_on();
	enum err e = vault_resume(cs.vault);

	return e != ERR_OK ? e : asked;
}

/* ---- steps ---- */

/* An evicted record is no longer there to be edited: it begins anew. Done again after a cut, a step
 * must be the same, also when its record is there by then. */
static enum err make_step(struct entry_context *ctx, const void *what)
{
	const struct step *s = what;
	size_t at = (size_t)(s - steps);
	bool is_there = false;
	enum err e = client_side_look(&ids[s->record], &is_there);

	if (e != ERR_OK)
		return e;
	if (found[at] == FOUND_UNKNOWN)
		found[at] = is_there ? FOUND_THERE : FOUND_ANEW;
	return client_side_make(ctx, &ids[s->record], s->field, s->text, found[at] == FOUND_ANEW);
}

static enum err make_import(struct entry_context *ctx, const void *what)
{
	enum err e = ERR_OK;

	(void)what;
	for (size_t i = 0; i < IMPORT && e == ERR_OK; i++) {
		struct id id = {{0x11, (uint8_t)i}};

		e = client_side_make(ctx, &id, "full_name", "Nhập từ tệp", true);
	}
	return e;
}

static void start_line(const struct step *s, bool is_first)
{
	if (!is_first)
		return;
	cs.office->lose_requests = s->lost_requests;
	cs.office->lose_answers = s->lost_answers;
	cs.office->refuse = s->refuse;
}

/* A bad line is what the step is about; the next one sends again. */
static enum err without_line(enum err e)
{
	return e == ERR_NET || e == ERR_TIMEOUT || e == ERR_AGAIN ? ERR_OK : e;
}

static struct sync sync_of(struct sync_transport *line)
{
	return (struct sync){.vault = cs.vault,
			     .clock = &cs.now.clock,
			     .transport = line,
			     .schema = cs.schema,
			     .client_version = "test"};
}

static enum err run_sync(const struct step *s, bool is_first)
{
	struct sync_transport line = {request};
	struct sync sync = sync_of(&line);
	struct sync_report report;
	enum err e;

	start_line(s, is_first);
	e = sync_run(&sync, &report);
	if (e == ERR_OK) {
		owed_eviction_count = 0;
		owed_notice_count = 0;
	}
	return e == ERR_AUTH && cs.office->is_aside ? ERR_OK : without_line(e);
}

/* The key is on the disk before the office hears of it. */
static enum err put_successor(void)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_identity successor;
	enum err e = vault_successor_load(cs.vault, &a, &successor);

	if (e == ERR_OK)
		e = vault_begin(cs.vault);
	if (e != ERR_OK)
		return e;
	txn = cs.vault;
	memcpy(successor.seed, successor_seed, sizeof successor.seed);
	e = vault_successor_put(cs.vault, &successor);
	return e == ERR_OK ? vault_commit(cs.vault) : e;
}

/* As `ctxh enrol`: a home that has its new identity asks no more. */
static enum err run_anew(const struct step *s, bool is_first)
{
	struct sync_transport line = {request};
	struct sync sync = sync_of(&line);
	struct sync_report report;
	struct succession done;
	enum err e;

	if (!enrol_may_ask_anew(vault_state(cs.vault)))
		return ERR_OK;
	start_line(s, is_first);
	e = put_successor();
	return e == ERR_OK ? without_line(sync_enrol_anew(&sync, &report, &done)) : e;
}

static enum err accept_all(void)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_notice *notices = NULL;
	size_t count = 0;
	enum err e = vault_notices(cs.vault, &a, false, &notices, &count);

	if (e == ERR_OK)
		e = vault_begin(cs.vault);
	if (e != ERR_OK)
		return e;
	txn = cs.vault;
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = vault_notice_accept(cs.vault, notices[i].notice);
	return e == ERR_OK ? vault_commit(cs.vault) : e;
}

static void evict(const struct step *s)
{
	owed_evictions[owed_eviction_count++] = (struct msg_evict){
		.type = BYTES_LIT("person"), .id = ids[s->record], .unit = OFFICE_UNIT};
}

static void notify(const struct step *s)
{
	owed_notices[owed_notice_count++] =
		(struct msg_notice){.notice = cs.office->log,
				    .kind = BYTES_LIT("conflict"),
				    .type = BYTES_LIT("person"),
				    .id = ids[s->record],
				    .field = bytes_str(s->field),
				    .kept = value_text(bytes_str(s->text)),
				    .lost = value_text(BYTES_LIT("khác")),
				    .by = BYTES_LIT("Văn phòng"),
				    .at_ms = cs.now.wall};
}

/* What the office does of its own happens once, whatever happens to the device. */
static void run_office(const struct step *s)
{
	switch (s->kind) {
	case STEP_OFFICE:
		office_write(cs.office, "person", &ids[s->record], s->field,
			     value_text(bytes_str(s->text)), cs.now.wall);
		notify(s);
		return;
	case STEP_BACKUP:
		cs.office->backed_up = cs.office->number;
		memcpy(backup->records, cs.office->records, sizeof backup->records);
		backup->record_count = cs.office->record_count;
		backup->log = cs.office->log;
		backup->number = cs.office->number;
		backup->chain = cs.office->chain;
		backup->floor = cs.office->floor;
		backup->backed_up = cs.office->backed_up;
		return;
	case STEP_RESTORED: office_restore(cs.office, backup); return;
	case STEP_EVICT: evict(s); return;
	case STEP_ASIDE: office_fork(cs.office, 3); return;
	case STEP_BIRTH:
	case STEP_ENTRY:
	case STEP_IMPORT:
	case STEP_SYNC:
	case STEP_ACCEPT:
	case STEP_REOPEN:
	case STEP_PASSPHRASE:
	case STEP_ANEW: return;
	}
	UNREACHABLE();
}

static enum err run_own(const struct step *s, bool is_first)
{
	switch (s->kind) {
	case STEP_BIRTH: return client_side_birth();
	case STEP_ENTRY: return client_side_enter(make_step, s);
	case STEP_IMPORT: return client_side_enter(make_import, NULL);
	case STEP_SYNC: return run_sync(s, is_first);
	case STEP_ACCEPT: return accept_all();
	case STEP_REOPEN: client_side_close(); return client_side_open();
	case STEP_PASSPHRASE: return client_side_passphrase();
	case STEP_ANEW: return run_anew(s, is_first);
	case STEP_OFFICE:
	case STEP_BACKUP:
	case STEP_RESTORED:
	case STEP_EVICT:
	case STEP_ASIDE: return ERR_OK;
	}
	UNREACHABLE();
}

static enum err run_step(size_t index)
{
	const struct step *s = &steps[index];
	bool is_first = tries[index]++ == 0;
	enum err e = ERR_OK;

	cs.now.wall = CLIENT_SIDE_START + (int64_t)index * STEP_MS;
	rand_seeded_init(&cs.rand, seed * 1000 + index + ((uint64_t)tries[index] << 40));
	if (is_first && index >= done_to) {
		faultmem_hold();
		run_office(s);
		faultmem_go_on();
		done_to = index + 1;
	}
	/* The command before ended with an error: this is the next one. */
	if (s->kind != STEP_BIRTH && cs.vault == NULL)
		e = client_side_open();
	if (e == ERR_OK)
		e = run_own(s, is_first);
	if (e != ERR_OK)
		client_side_close();
	if (e == ERR_IO && faultvfs_has_fired() && !client_side_is_cache_suspect()) {
		(void)fprintf(stderr, "  nobody will drop the page cache\n");
		sent.wrong++;
	}
	return e;
}

/* ---- what must hold ---- */

/* An acknowledged entry is here, or (evicted since) at the office. */
static size_t check_entries(size_t acked)
{
	size_t bad = 0;

	for (size_t i = 0; i < acked; i++) {
		const struct id *id = &ids[steps[i].record];
		bool is_there = false;

		if (steps[i].kind != STEP_ENTRY)
			continue;
		if (client_side_look(id, &is_there) != ERR_OK ||
		    (!is_there && office_find(cs.office, id) == NULL)) {
			(void)fprintf(stderr, "  the entry of step %zu is gone\n", i);
			bad++;
		}
	}
	return bad;
}

/* What the office has seen, the device must know that it sealed. */
static size_t check_sent(void)
{
	const struct vault_state *state = vault_state(cs.vault);
	size_t bad = sent.wrong;

	/* What the copy sent is not ours. */
	if (cs.office->is_aside)
		return bad;
	if ((uint64_t)state->number < cs.office->number ||
	    (uint64_t)state->counter < sent.counter) {
		(void)fprintf(stderr, "  number %lld counter %lld, the office has seen %llu %llu\n",
			      (long long)state->number, (long long)state->counter,
			      (unsigned long long)cs.office->number,
			      (unsigned long long)sent.counter);
		bad++;
	}
	return bad;
}

static bool is_key_of_office(const uint8_t secret[32])
{
	struct sign_pair key;

	sign_pair_from_seed(secret, &key);
	return memcmp(&key.public_key, &cs.office->device_key, sizeof key.public_key) == 0;
}

/* Whom the office knows is this home, or who takes its place as soon as it asks again; at the end
 * the place is taken. */
static size_t check_identity(bool is_end)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity = {0};
	struct vault_identity successor = {0};
	enum err e = vault_identity_load(cs.vault, &a, &identity);

	if (e == ERR_OK)
		e = vault_successor_load(cs.vault, &a, &successor);
	if (is_end && cs.office->is_aside)
		(void)fprintf(stderr, "  nobody took the place\n");
	else if (e == ERR_OK && (is_key_of_office(identity.seed) ||
				 (!is_end && enrol_may_ask_anew(vault_state(cs.vault)) &&
				  is_key_of_office(successor.seed))))
		return 0;
	(void)fprintf(stderr, "  the office knows another home: %s\n", err_name(e));
	return 1;
}

static size_t check(size_t acked)
{
	if (cs.vault == NULL)
		return acked != 0;
	return client_side_check() + check_sent() + check_entries(acked) +
	       (acked != 0 ? check_identity(acked == step_count) : 0);
}

/* A sync when nothing waits changes nothing. */
static size_t resend(size_t acked)
{
	const struct step again = {.kind = STEP_SYNC};
	enum err e;

	(void)acked;
	e = run_sync(&again, true);
	if (e != ERR_OK)
		(void)fprintf(stderr, "  sync: %s: %s\n", err_name(e), log_last_detail());
	return e != ERR_OK;
}

/* ---- the program ---- */

static void reset(void)
{
	office_clear(backup);
	client_side_reset();
	office_init(backup, &cs.now.clock, cs.schema);
	memset(tries, 0, sizeof tries);
	memset(found, 0, sizeof found);
	done_to = 0;
	sent = (struct sent){0};
	owed_eviction_count = 0;
	owed_notice_count = 0;
}

static struct hash peers(void)
{
	struct hasher h;
	const uint64_t told[] = {cs.office->log,    cs.office->number,  cs.office->counter,
				 sent.counter,      sent.count,         done_to,
				 owed_notice_count, owed_eviction_count};

	hasher_start(&h);
	hasher_add(&h, bytes_of(told, sizeof told));
	hasher_add(&h, bytes_of(tries, sizeof tries));
	hasher_add(&h, bytes_of(found, sizeof found));
	hasher_add(&h, bytes_of(sent.sets, sizeof sent.sets));
	hasher_add(&h, bytes_of(cs.office->chain.bytes, HASH_LEN));
	return hasher_end(&h);
}

static void prepare(uint64_t with_seed)
{
	seed = with_seed;
	client_side_prepare();
	backup = mem_alloc_zero(sizeof *backup);
	build();
}

static void finish(void)
{
	office_clear(backup);
	mem_free(backup);
	client_side_finish();
}

int main(int argc, char **argv)
{
	static const struct subject subject = {
		.name = "client",
		.path = cs.path,
		.step_count = &step_count,
		.reset = reset,
		.open = client_side_open,
		.close = client_side_close,
		.step = run_step,
		.check = check,
		.resend = resend,
		.state = client_side_state,
		.die = client_side_die,
		.branch = client_side_branch,
		.peers = peers,
	};

	return harness_main(argc, argv, &subject, prepare, finish);
}
