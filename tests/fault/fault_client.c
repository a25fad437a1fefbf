/*
 * fault_client - the client's vault, entries and sync over a disk that fails, against an office in
 * memory that goes on meanwhile. The vault is let go while a request is on its way, as `ctxh sync`
 * does. An entry counts from the moment vault_commit() returned; what the office was sent counts at
 * once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/enrol.h"
#include "client/entry.h"
#include "client/sync.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/faultvfs.h"
#include "tests/fault/harness.h"
#include "tests/fault/sent.h"
#include "tests/support/office.h"

#define ROUNDS     8u
#define STEPS_MAX  128u
#define RECORDS    48u
#define IMPORT     25u /* entries in one transaction */
#define STEP_MS    60000
#define START_MS   INT64_C(1790000000000)
#define PASSPHRASE BYTES_LIT("mật khẩu")

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

static const struct vault_kdf fast = {1, 8 << 10};
static const uint8_t device_seed[32] = {42};
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

static char home[64];
static char path[128];
static struct schema *schema;
static struct clock_fake now;
static struct rand rand_own;
static struct office *office;
static struct office *backup; /* what the office can be restored to */
static struct vault *vault;
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
	uint32_t device = office->device;

	(void)link;
	if (strcmp(where, "/v1/sync") == 0)
		sent_note(&sent, body, &office->device_key);
	office->eviction_count = owed_eviction_count;
	memcpy(office->evictions, owed_evictions, sizeof owed_evictions);
	office->notice_count = owed_notice_count;
	memcpy(office->notices, owed_notices, sizeof owed_notices);
	vault_pause(vault);
	enum err asked = office->link.request(&office->link, where, body, ret_status, answer);

	/* Another device counts from one again. */
	if (office->device != device)
		sent_begin_anew(&sent);
	enum err e = vault_resume(vault);

	return e != ERR_OK ? e : asked;
}

/* ---- steps ---- */

static enum err fill(void)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	const struct bytes author = BYTES_LIT("Thị Bé");
	int64_t unit = OFFICE_UNIT;
	struct vault_identity identity = office_identity(office, device_seed);
	struct vault_state state = *vault_state(vault);
	enum err e = vault_begin(vault);

	if (e != ERR_OK)
		return e;
	txn = vault;
	state.epoch = office->epoch;
	e = vault_identity_put(vault, &identity);
	if (e == ERR_OK)
		e = vault_authors_put(vault, &author, 1);
	if (e == ERR_OK)
		e = vault_scope_put(vault, &unit, 1);
	if (e == ERR_OK)
		e = vault_state_put(vault, &state);
	if (e != ERR_OK)
		return e;
	harness_before_commit();
	return vault_commit(vault);
}

static enum err look(const struct id *id, bool *ret_is_there)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e = vault_record_load(vault, &a, id, &r);

	*ret_is_there = e == ERR_OK;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err make(struct entry_context *ctx, const struct id *id, const char *field,
		     const char *text, bool is_new)
{
	struct write writes[2] = {{bytes_str(field), value_text(bytes_str(text))},
				  {BYTES_LIT(RECORD_UNIT), value_int(OFFICE_UNIT)}};
	struct change c = {.type = BYTES_LIT("person"), .id = *id, .writes = writes, .count = 1};
	struct finding finding = {0};
	enum entry_outcome outcome;

	if (is_new) {
		writes[0].name = BYTES_LIT("full_name");
		c.count = 2;
	}
	return entry_make(ctx, &c, &outcome, &finding);
}

/* An evicted record is no longer there to be edited: it begins anew. Done again after a cut, a step
 * must be the same, also when its record is there by then. */
static enum err make_step(struct entry_context *ctx, const struct step *s)
{
	size_t at = (size_t)(s - steps);
	bool is_there = false;
	enum err e = look(&ids[s->record], &is_there);

	if (e != ERR_OK)
		return e;
	if (found[at] == FOUND_UNKNOWN)
		found[at] = is_there ? FOUND_THERE : FOUND_ANEW;
	return make(ctx, &ids[s->record], s->field, s->text, found[at] == FOUND_ANEW);
}

static enum err run_entry(const struct step *s)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct entry_context ctx;
	enum err e = entry_context_load(&ctx, vault, schema, &now.clock, &a);

	if (e == ERR_OK)
		e = vault_begin(vault);
	if (e != ERR_OK)
		return e;
	txn = vault;
	e = make_step(&ctx, s);
	if (e != ERR_OK)
		return e;
	harness_before_commit();
	return vault_commit(vault);
}

static enum err run_import(void)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct entry_context ctx;
	enum err e = entry_context_load(&ctx, vault, schema, &now.clock, &a);

	if (e == ERR_OK)
		e = vault_begin(vault);
	if (e != ERR_OK)
		return e;
	txn = vault;
	for (size_t i = 0; i < IMPORT && e == ERR_OK; i++) {
		struct id id = {{0x11, (uint8_t)i}};

		e = make(&ctx, &id, "full_name", "Nhập từ tệp", true);
	}
	if (e != ERR_OK)
		return e;
	harness_before_commit();
	return vault_commit(vault);
}

static void start_line(const struct step *s, bool is_first)
{
	if (!is_first)
		return;
	office->lose_requests = s->lost_requests;
	office->lose_answers = s->lost_answers;
	office->refuse = s->refuse;
}

/* A bad line is what the step is about; the next one sends again. */
static enum err without_line(enum err e)
{
	return e == ERR_NET || e == ERR_TIMEOUT || e == ERR_AGAIN ? ERR_OK : e;
}

static struct sync sync_of(struct sync_transport *line)
{
	return (struct sync){.vault = vault,
			     .clock = &now.clock,
			     .transport = line,
			     .schema = schema,
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
	return e == ERR_AUTH && office->is_aside ? ERR_OK : without_line(e);
}

/* The key is on the disk before the office hears of it. */
static enum err put_successor(void)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_identity successor;
	enum err e = vault_successor_load(vault, &a, &successor);

	if (e == ERR_OK)
		e = vault_begin(vault);
	if (e != ERR_OK)
		return e;
	txn = vault;
	memcpy(successor.seed, successor_seed, sizeof successor.seed);
	e = vault_successor_put(vault, &successor);
	return e == ERR_OK ? vault_commit(vault) : e;
}

/* As `ctxh enrol`: a home that has its new identity asks no more. */
static enum err run_anew(const struct step *s, bool is_first)
{
	struct sync_transport line = {request};
	struct sync sync = sync_of(&line);
	struct sync_report report;
	struct succession done;
	enum err e;

	if (!enrol_may_ask_anew(vault_state(vault)))
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
	enum err e = vault_notices(vault, &a, false, &notices, &count);

	if (e == ERR_OK)
		e = vault_begin(vault);
	if (e != ERR_OK)
		return e;
	txn = vault;
	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = vault_notice_accept(vault, notices[i].notice);
	return e == ERR_OK ? vault_commit(vault) : e;
}

static void close_vault(void)
{
	vault_close(vault);
	vault = NULL;
}

/* Every command begins like this. No vault yet: BIRTH makes one. */
static enum err open_vault(void)
{
	enum err e = vault_open(home, &rand_own, &vault);

	if (e == ERR_NOTFOUND && harness_acked() == 0)
		return ERR_OK;
	return e == ERR_OK ? vault_unlock(vault, PASSPHRASE) : e;
}

/* Enrolment that was cut short goes on with the vault that is there. */
static enum err run_birth(void)
{
	enum err e = vault == NULL ? open_vault() : ERR_OK;

	if (e == ERR_OK && vault == NULL)
		e = vault_create(home, &rand_own, &fast, PASSPHRASE, &vault);
	return e == ERR_OK ? fill() : e;
}

static void evict(const struct step *s)
{
	owed_evictions[owed_eviction_count++] = (struct msg_evict){
		.type = BYTES_LIT("person"), .id = ids[s->record], .unit = OFFICE_UNIT};
}

static void notify(const struct step *s)
{
	owed_notices[owed_notice_count++] =
		(struct msg_notice){.notice = office->log,
				    .kind = BYTES_LIT("conflict"),
				    .type = BYTES_LIT("person"),
				    .id = ids[s->record],
				    .field = bytes_str(s->field),
				    .kept = value_text(bytes_str(s->text)),
				    .lost = value_text(BYTES_LIT("khác")),
				    .by = BYTES_LIT("Văn phòng"),
				    .at_ms = now.wall};
}

/* What the office does of its own happens once, whatever happens to the device. */
static void run_office(const struct step *s)
{
	switch (s->kind) {
	case STEP_OFFICE:
		office_write(office, "person", &ids[s->record], s->field,
			     value_text(bytes_str(s->text)), now.wall);
		notify(s);
		return;
	case STEP_BACKUP:
		office->backed_up = office->number;
		memcpy(backup->records, office->records, sizeof backup->records);
		backup->record_count = office->record_count;
		backup->log = office->log;
		backup->number = office->number;
		backup->chain = office->chain;
		backup->floor = office->floor;
		backup->backed_up = office->backed_up;
		return;
	case STEP_RESTORED: office_restore(office, backup); return;
	case STEP_EVICT: evict(s); return;
	case STEP_ASIDE: office_fork(office, 3); return;
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
	enum err e;

	switch (s->kind) {
	case STEP_BIRTH: return run_birth();
	case STEP_ENTRY: return run_entry(s);
	case STEP_IMPORT: return run_import();
	case STEP_SYNC: return run_sync(s, is_first);
	case STEP_ACCEPT: return accept_all();
	case STEP_REOPEN: close_vault(); return open_vault();
	case STEP_PASSPHRASE: e = vault_change_passphrase(vault, &fast, PASSPHRASE); return e;
	case STEP_ANEW: return run_anew(s, is_first);
	case STEP_OFFICE:
	case STEP_BACKUP:
	case STEP_RESTORED:
	case STEP_EVICT:
	case STEP_ASIDE: return ERR_OK;
	}
	UNREACHABLE();
}

/* After an I/O error the lock file tells the next one not to believe the page cache. */
static bool is_cache_suspect(void)
{
	char lock[96];
	struct stat st;

	(void)snprintf(lock, sizeof lock, "%s/lock", home);
	return stat(lock, &st) == 0 && st.st_size != 0;
}

static enum err run_step(size_t index)
{
	const struct step *s = &steps[index];
	bool is_first = tries[index]++ == 0;
	enum err e = ERR_OK;

	now.wall = START_MS + (int64_t)index * STEP_MS;
	rand_seeded_init(&rand_own, seed * 1000 + index + ((uint64_t)tries[index] << 40));
	if (is_first && index >= done_to) {
		run_office(s);
		done_to = index + 1;
	}
	/* The command before ended with an error: this is the next one. */
	if (s->kind != STEP_BIRTH && vault == NULL)
		e = open_vault();
	if (e == ERR_OK)
		e = run_own(s, is_first);
	if (e != ERR_OK)
		close_vault();
	if (e == ERR_IO && faultvfs_has_fired() && !is_cache_suspect()) {
		(void)fprintf(stderr, "  nobody will drop the page cache\n");
		sent.wrong++;
	}
	return e;
}

/* ---- what must hold ---- */

static void on_problem(void *arg, const char *invariant, const char *text)
{
	(void)fprintf(stderr, "  %s: %s\n", invariant, text);
	(*(size_t *)arg)++;
}

/* An acknowledged entry is here, or (evicted since) at the office. */
static size_t check_entries(size_t acked)
{
	size_t bad = 0;

	for (size_t i = 0; i < acked; i++) {
		const struct id *id = &ids[steps[i].record];
		bool is_there = false;

		if (steps[i].kind != STEP_ENTRY)
			continue;
		if (look(id, &is_there) != ERR_OK ||
		    (!is_there && office_find(office, id) == NULL)) {
			(void)fprintf(stderr, "  the entry of step %zu is gone\n", i);
			bad++;
		}
	}
	return bad;
}

/* What the office has seen, the device must know that it sealed. */
static size_t check_sent(void)
{
	const struct vault_state *state = vault_state(vault);
	size_t bad = sent.wrong;

	/* What the copy sent is not ours. */
	if (office->is_aside)
		return bad;
	if ((uint64_t)state->number < office->number || (uint64_t)state->counter < sent.counter) {
		(void)fprintf(stderr, "  number %lld counter %lld, the office has seen %llu %llu\n",
			      (long long)state->number, (long long)state->counter,
			      (unsigned long long)office->number, (unsigned long long)sent.counter);
		bad++;
	}
	return bad;
}

static bool is_key_of_office(const uint8_t secret[32])
{
	struct sign_pair key;

	sign_pair_from_seed(secret, &key);
	return memcmp(&key.public_key, &office->device_key, sizeof key.public_key) == 0;
}

/* Whom the office knows is this home, or who takes its place as soon as it asks again; at the end
 * the place is taken. */
static size_t check_identity(bool is_end)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity = {0};
	struct vault_identity successor = {0};
	enum err e = vault_identity_load(vault, &a, &identity);

	if (e == ERR_OK)
		e = vault_successor_load(vault, &a, &successor);
	if (is_end && office->is_aside)
		(void)fprintf(stderr, "  nobody took the place\n");
	else if (e == ERR_OK && (is_key_of_office(identity.seed) ||
				 (!is_end && enrol_may_ask_anew(vault_state(vault)) &&
				  is_key_of_office(successor.seed))))
		return 0;
	(void)fprintf(stderr, "  the office knows another home: %s\n", err_name(e));
	return 1;
}

static size_t check(size_t acked)
{
	size_t bad = 0;
	enum err e;

	if (vault == NULL)
		return acked != 0;
	e = vault_check_file(vault, on_problem, &bad);
	if (e == ERR_OK)
		e = vault_check(vault, on_problem, &bad);
	if (e != ERR_OK)
		(void)fprintf(stderr, "  check: %s: %s\n", err_name(e), log_last_detail());
	return bad + (e != ERR_OK) + check_sent() + check_entries(acked) +
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

static enum err append_record(void *arg, const struct vault_record *r)
{
	struct buf *all = arg;

	record_canonical(&r->body, all);
	buf_append_byte(all, '/');
	record_canonical(&r->office, all);
	buf_printf(all, "%d %d %s\n", r->is_same, r->is_evicted, vault_sync_name(r->sync));
	return ERR_OK;
}

/* Both sides, but for counters of requests and log numbers that depend on the number of contacts.
 */
static struct hash state(void)
{
	AUTO(buf_clear) struct buf all = {0};
	const struct vault_state *s = vault_state(vault);
	struct vault_counts counts = {0};
	enum err e = vault_count(vault, &counts);

	if (e == ERR_OK)
		e = vault_record_each(vault, append_record, &all);
	buf_printf(&all, "%d number %lld acked %lld backed up %lld standing %lld\n", (int)e,
		   (long long)s->number, (long long)s->acked, (long long)s->backed_up,
		   (long long)s->standing);
	buf_printf(&all,
		   "%lld records %lld drafts %lld waiting %lld refused %lld outbox %lld inbox\n",
		   (long long)counts.records, (long long)counts.drafts, (long long)counts.waiting,
		   (long long)counts.refused, (long long)counts.outbox, (long long)counts.inbox);
	buf_append(&all, s->chain.bytes, HASH_LEN);
	buf_append(&all, office->chain.bytes, HASH_LEN);
	for (size_t i = 0; i < office->record_count; i++)
		record_canonical(&office->records[i], &all);
	return hash_of(buf_bytes(&all));
}

/* ---- the program ---- */

static void reset(void)
{
	office_clear(office);
	office_clear(backup);
	office_init(office, &now.clock, schema);
	office_init(backup, &now.clock, schema);
	(void)office_identity(office, device_seed);
	memset(tries, 0, sizeof tries);
	memset(found, 0, sizeof found);
	done_to = 0;
	sent = (struct sent){0};
	owed_eviction_count = 0;
	owed_notice_count = 0;
	now.wall = START_MS;
}

static void load_schema(void)
{
	char folder[4096];
	char error[SCHEMA_ERROR_LEN] = "";
	const char *root = getenv("CTXH_SOURCE_DIR");
	enum err e;

	(void)snprintf(folder, sizeof folder, "%s/schema", root != NULL ? root : ".");
	e = schema_load_folder(folder, &schema, error);
	if (e != ERR_OK)
		(void)fprintf(stderr, "%s (CTXH_SOURCE_DIR)\n", error);
	REQUIRE(e == ERR_OK);
}

static void prepare(uint64_t with_seed)
{
	enum err e = crypt_init();

	REQUIRE(e == ERR_OK);
	seed = with_seed;
	load_schema();
	clock_fake_init(&now, START_MS);
	office = mem_alloc_zero(sizeof *office);
	backup = mem_alloc_zero(sizeof *backup);
	dbfile_make_folder(home);
	(void)snprintf(path, sizeof path, "%s/" VAULT_FILE, home);
	build();
}

static void finish(void)
{
	office_clear(office);
	office_clear(backup);
	mem_free(office);
	mem_free(backup);
	schema_free(schema);
	dbfile_remove_folder(home);
}

int main(int argc, char **argv)
{
	static const struct subject subject = {
		.name = "client",
		.path = path,
		.step_count = &step_count,
		.reset = reset,
		.open = open_vault,
		.close = close_vault,
		.step = run_step,
		.check = check,
		.resend = resend,
		.state = state,
	};

	return harness_main(argc, argv, &subject, prepare, finish);
}
