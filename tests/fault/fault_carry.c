/*
 * fault_carry - the client by file, over a disk that fails: files made, carried, their returns
 * read; lost, late and read twice; the network in between; a record erased by law; the office
 * restored from a backup.
 *
 * A file counts as handed over the moment bundle_make() returned: what is in it may never go again
 * with other bytes.
 */
#include <stdio.h>
#include <string.h>

#include "client/bundle.h"
#include "client/vault_internal.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/fault/client_side.h"
#include "tests/fault/faultmem.h"
#include "tests/fault/harness.h"
#include "tests/fault/sent.h"
#include "tests/support/courier.h"

#define STEPS_MAX 64u
#define RECORDS   12u
#define ERASED    1u /* this record, by law */
#define STEP_MS   60000

enum kind {
	STEP_BIRTH,
	STEP_ENTRY,
	STEP_OUT,   /* a file is made and given to the courier */
	STEP_CARRY, /* the office takes it and writes the return */
	STEP_IN,    /* the return is read */
	STEP_LATE,  /* the return before that one is read */
	STEP_SYNC,
	STEP_OFFICE, /* another device writes */
	STEP_ERASE,
	STEP_BACKUP,
	STEP_RESTORED,
	STEP_REOPEN,
};

struct step {
	enum kind kind;
	size_t record;
	const char *field;
};

static struct step steps[STEPS_MAX];
static size_t step_count;
static struct id ids[RECORDS];
static size_t id_count;
static unsigned tries[STEPS_MAX];
static size_t done_to; /* steps of the office's and the courier's are done once */
static size_t purge_step;
static uint64_t seed;
static struct office *backup;
static struct sent sent;
static struct buf medium;
static struct buf back;
static struct buf late;

/* ---- the workload ---- */

static struct step *add_step(enum kind kind)
{
	REQUIRE(step_count < STEPS_MAX);
	steps[step_count] = (struct step){.kind = kind};
	return &steps[step_count++];
}

static void add_entry(struct rand *r)
{
	struct step *s = add_step(STEP_ENTRY);

	if (id_count < RECORDS && (id_count < 3 || rand_below(r, 2) == 0)) {
		rand_fill(r, ids[id_count].bytes, ID_LEN);
		s->record = id_count++;
		s->field = "full_name";
		return;
	}
	s->record = rand_below(r, id_count);
	s->record += s->record == ERASED; /* nobody edits what is gone */
	s->field = "hamlet";
}

static void add_round(void)
{
	(void)add_step(STEP_OUT);
	(void)add_step(STEP_CARRY);
	(void)add_step(STEP_IN);
}

static void build(void)
{
	struct rand r;

	rand_seeded_init(&r, seed);
	(void)add_step(STEP_BIRTH);
	for (size_t i = 0; i < 4; i++)
		add_entry(&r);
	add_round();
	add_entry(&r);
	(void)add_step(STEP_OUT); /* lost */
	add_entry(&r);
	(void)add_step(STEP_OFFICE);
	add_round();
	(void)add_step(STEP_BACKUP);
	add_entry(&r);
	(void)add_step(STEP_SYNC);
	(void)add_step(STEP_LATE);
	(void)add_step(STEP_REOPEN);
	(void)add_step(STEP_ERASE);
	add_entry(&r);
	add_round();
	purge_step = step_count - 1;
	(void)add_step(STEP_IN); /* read twice */
	add_entry(&r);
	(void)add_step(STEP_RESTORED);
	add_round();
	add_round();
	(void)add_step(STEP_SYNC);
}

/* ---- the client's steps ---- */

static struct sync contact(bool is_by_file)
{
	return (struct sync){.vault = cs.vault,
			     .clock = &cs.now.clock,
			     .schema = cs.schema,
			     .client_version = "test",
			     .is_by_file = is_by_file};
}

static enum err make_entry(struct entry_context *ctx, const void *what)
{
	const struct step *s = what;

	return client_side_make(ctx, &ids[s->record], s->field, "Điểu Thị Lan",
				strcmp(s->field, "full_name") == 0);
}

static enum err run_out(void)
{
	AUTO(buf_clear) struct buf file = {0};
	struct sync s = contact(true);
	struct bundle_made made;
	enum err e = bundle_make(&s, &cs.rand, &file, &made);

	if (e != ERR_OK)
		return e;
	faultmem_hold();
	sent_note_file(&sent, buf_bytes(&file), &cs.office->device_key, &cs.office->key);
	buf_reset(&medium);
	buf_append_bytes(&medium, buf_bytes(&file));
	faultmem_go_on();
	return ERR_OK;
}

/* A control: that there was a receipt, in a transaction of its own. */
static enum err believe(void)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_state state = *vault_state(cs.vault);
	enum err e = vault_begin(cs.vault);

	if (e != ERR_OK)
		return e;
	txn = cs.vault;
	state.last_receipt_ms++;
	e = vault_state_put(cs.vault, &state);
	return e == ERR_OK ? vault_commit(cs.vault) : e;
}

static enum err run_in(const struct buf *file)
{
	struct sync s = contact(true);
	struct bundle_taken taken;
	enum err e = ERR_OK;

	if (harness_tears())
		e = believe();
	if (e == ERR_OK)
		e = bundle_take(&s, buf_bytes(file), &taken);
	if (e != ERR_OK)
		return e;
	return taken.outcome == BUNDLE_TAKEN || taken.outcome == BUNDLE_SUPERSEDED ? ERR_OK
										   : ERR_PROTO;
}

static enum err request(struct sync_transport *link, const char *where, struct bytes body,
			int *ret_status, struct buf *answer)
{
	enum err asked;

	(void)link;
	vault_pause(cs.vault);
	faultmem_hold();
	if (strcmp(where, "/v1/sync") == 0)
		sent_note(&sent, body, &cs.office->device_key);
	asked = cs.office->link.request(&cs.office->link, where, body, ret_status, answer);
	faultmem_go_on();

	enum err e = vault_resume(cs.vault);

	return e != ERR_OK ? e : asked;
}

static enum err run_sync(void)
{
	struct sync_transport line = {request};
	struct sync s = contact(false);
	struct sync_report report;

	s.transport = &line;
	return sync_run(&s, &report);
}

/* ---- the office's and the courier's ---- */

static void carry(void)
{
	struct sign_pair key;

	buf_reset(&late);
	buf_append_bytes(&late, buf_bytes(&back));
	buf_reset(&back);
	sign_pair_from_seed(client_side_seed, &key);
	courier_carry(cs.office, &key, &cs.rand, buf_bytes(&medium), &back);
}

static void forget(struct office *o)
{
	for (size_t i = 0; i < o->record_count; i++)
		if (id_compare(&o->records[i].id, &ids[ERASED]) == 0)
			o->records[i--] = o->records[--o->record_count];
}

/* What is erased is told with every answer, and a restore erases it again. */
static void erase(void)
{
	forget(cs.office);
	forget(backup);
	cs.office->evictions[0] = (struct msg_evict){.type = BYTES_LIT("person"),
						     .id = ids[ERASED],
						     .unit = OFFICE_UNIT,
						     .is_erased = true};
	cs.office->eviction_count = 1;
}

static void back_up(void)
{
	cs.office->backed_up = cs.office->number;
	memcpy(backup->records, cs.office->records, sizeof backup->records);
	backup->record_count = cs.office->record_count;
	backup->log = cs.office->log;
	backup->number = cs.office->number;
	backup->chain = cs.office->chain;
	backup->floor = cs.office->floor;
	backup->backed_up = cs.office->backed_up;
}

static void run_outside(const struct step *s)
{
	switch (s->kind) {
	case STEP_CARRY: carry(); return;
	case STEP_OFFICE:
		office_write(cs.office, "person", &ids[0], "hamlet",
			     value_text(BYTES_LIT("Văn phòng ghi")), cs.now.wall);
		return;
	case STEP_ERASE: erase(); return;
	case STEP_BACKUP: back_up(); return;
	case STEP_RESTORED: office_restore(cs.office, backup); return;
	case STEP_BIRTH:
	case STEP_ENTRY:
	case STEP_OUT:
	case STEP_IN:
	case STEP_LATE:
	case STEP_SYNC:
	case STEP_REOPEN: return;
	}
	UNREACHABLE();
}

static enum err run_own(const struct step *s)
{
	switch (s->kind) {
	case STEP_BIRTH: return client_side_birth();
	case STEP_ENTRY: return client_side_enter(make_entry, s);
	case STEP_OUT: return run_out();
	case STEP_IN: return run_in(&back);
	case STEP_LATE: return run_in(&late);
	case STEP_SYNC: return run_sync();
	case STEP_REOPEN: client_side_close(); return client_side_open();
	case STEP_CARRY:
	case STEP_OFFICE:
	case STEP_ERASE:
	case STEP_BACKUP:
	case STEP_RESTORED: return ERR_OK;
	}
	UNREACHABLE();
}

/* A sweep that found no room is no error, and its commit was none. */
static enum err look_for_debt(void)
{
	bool owes = false;
	enum err e = vault_doc_is_there(cs.vault, VAULT_DOC_SWEEP, &owes);

	if (e == ERR_OK && owes)
		harness_forgave();
	return e;
}

static enum err run_step(size_t index)
{
	const struct step *s = &steps[index];
	enum err e = ERR_OK;

	cs.now.wall = CLIENT_SIDE_START + (int64_t)index * STEP_MS;
	rand_seeded_init(&cs.rand, seed * 1000 + index + ((uint64_t)tries[index]++ << 40));
	if (index >= done_to) {
		faultmem_hold();
		run_outside(s);
		faultmem_go_on();
		done_to = index + 1;
	}
	if (s->kind != STEP_BIRTH && cs.vault == NULL)
		e = client_side_open();
	if (e == ERR_OK)
		e = run_own(s);
	if (e == ERR_OK)
		e = look_for_debt();
	if (e != ERR_OK)
		client_side_close();
	return e;
}

/* ---- what must hold ---- */

/* An acknowledged entry is here, or erased by law. */
static size_t check_entries(size_t acked)
{
	size_t bad = 0;

	for (size_t i = 0; i < acked; i++) {
		bool is_there = false;

		if (steps[i].kind != STEP_ENTRY)
			continue;
		if (client_side_look(&ids[steps[i].record], &is_there) == ERR_OK &&
		    (is_there || steps[i].record == ERASED))
			continue;
		(void)fprintf(stderr, "  the entry of step %zu is gone\n", i);
		bad++;
	}
	return bad;
}

/* Gone for ever once the return was read, and swept when the last contact has ended. */
static size_t check_erased(size_t acked)
{
	bool is_there = false;
	bool owes = false;
	enum err e = client_side_look(&ids[ERASED], &is_there);

	if (e == ERR_OK)
		e = vault_doc_is_there(cs.vault, VAULT_DOC_SWEEP, &owes);
	if (e == ERR_OK && (acked <= purge_step || !is_there) && (acked < step_count || !owes))
		return 0;
	(void)fprintf(stderr, "  erased by law: there %d, sweep owed %d: %s\n", is_there, owes,
		      err_name(e));
	return 1;
}

/* What the courier has, the device must know that it sealed. */
static size_t check_sent(void)
{
	const struct vault_state *state = vault_state(cs.vault);

	if ((uint64_t)state->number >= cs.office->number &&
	    (uint64_t)state->counter >= sent.counter)
		return sent.wrong;
	(void)fprintf(stderr, "  number %lld counter %lld, the office has seen %llu %llu\n",
		      (long long)state->number, (long long)state->counter,
		      (unsigned long long)cs.office->number, (unsigned long long)sent.counter);
	return sent.wrong + 1;
}

static size_t check(size_t acked)
{
	if (cs.vault == NULL)
		return acked != 0;
	return client_side_check() + check_sent() + check_entries(acked) + check_erased(acked);
}

/* The same files read once more change nothing. */
static size_t resend(size_t acked)
{
	(void)acked;
	return (size_t)(run_in(&late) != ERR_OK) + (size_t)(run_in(&back) != ERR_OK);
}

static struct hash peers(void)
{
	const uint64_t told[] = {cs.office->log, cs.office->number, sent.counter, sent.count,
				 done_to};
	struct hasher h;

	hasher_start(&h);
	hasher_add(&h, bytes_of(told, sizeof told));
	hasher_add(&h, bytes_of(tries, sizeof tries));
	hasher_add(&h, bytes_of(sent.sets, sizeof sent.sets));
	hasher_add(&h, buf_bytes(&medium));
	hasher_add(&h, buf_bytes(&back));
	return hasher_end(&h);
}

/* ---- the program ---- */

static void reset(void)
{
	office_clear(backup);
	client_side_reset();
	office_init(backup, &cs.now.clock, cs.schema);
	memset(tries, 0, sizeof tries);
	done_to = 0;
	sent = (struct sent){0};
	buf_reset(&medium);
	buf_reset(&back);
	buf_reset(&late);
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
	buf_clear(&medium);
	buf_clear(&back);
	buf_clear(&late);
	client_side_finish();
}

int main(int argc, char **argv)
{
	static const struct subject subject = {
		.name = "carry",
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
		.tears = true,
	};

	return harness_main(argc, argv, &subject, prepare, finish);
}
