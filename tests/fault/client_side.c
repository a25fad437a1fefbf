#include "tests/fault/client_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/fault/dbfile.h"
#include "tests/fault/harness.h"

#define PASSPHRASE BYTES_LIT("mật khẩu")

struct client_side cs;
const uint8_t client_side_seed[32] = {42};
static const struct vault_kdf fast = {1, 8 << 10};

/* ---- the vault ---- */

enum err client_side_open(void)
{
	enum err e = vault_open(cs.home, &cs.rand, &cs.vault);

	if (e == ERR_NOTFOUND && harness_acked() == 0)
		return ERR_OK;
	return e == ERR_OK ? vault_unlock(cs.vault, PASSPHRASE) : e;
}

void client_side_close(void)
{
	vault_close(cs.vault);
	cs.vault = NULL;
}

void client_side_die(void)
{
	cs.vault = NULL;
}

static enum err fill(void)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	const struct bytes author = BYTES_LIT("Thị Bé");
	int64_t unit = OFFICE_UNIT;
	struct vault_identity identity = office_identity(cs.office, client_side_seed);
	struct vault_state state = *vault_state(cs.vault);
	enum err e = vault_begin(cs.vault);

	if (e != ERR_OK)
		return e;
	txn = cs.vault;
	state.epoch = cs.office->epoch;
	e = vault_identity_put(cs.vault, &identity);
	if (e == ERR_OK)
		e = vault_authors_put(cs.vault, &author, 1);
	if (e == ERR_OK)
		e = vault_scope_put(cs.vault, &unit, 1);
	if (e == ERR_OK)
		e = vault_state_put(cs.vault, &state);
	if (e != ERR_OK)
		return e;
	harness_before_commit();
	return vault_commit(cs.vault);
}

enum err client_side_birth(void)
{
	enum err e = cs.vault == NULL ? client_side_open() : ERR_OK;

	if (e == ERR_OK && cs.vault == NULL)
		e = vault_create(cs.home, &cs.rand, &fast, PASSPHRASE, &cs.vault);
	return e == ERR_OK ? fill() : e;
}

enum err client_side_passphrase(void)
{
	return vault_change_passphrase(cs.vault, &fast, PASSPHRASE);
}

enum err client_side_look(const struct id *id, bool *ret_is_there)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e = vault_record_load(cs.vault, &a, id, &r);

	*ret_is_there = e == ERR_OK;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err client_side_make(struct entry_context *ctx, const struct id *id, const char *field,
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

enum err client_side_enter(enum err (*make)(struct entry_context *ctx, const void *what),
			   const void *what)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct entry_context ctx;
	enum err e = entry_context_load(&ctx, cs.vault, cs.schema, &cs.now.clock, &a);

	if (e == ERR_OK)
		e = vault_begin(cs.vault);
	if (e != ERR_OK)
		return e;
	txn = cs.vault;
	e = make(&ctx, what);
	if (e != ERR_OK)
		return e;
	harness_before_commit();
	return vault_commit(cs.vault);
}

/* ---- what must hold ---- */

bool client_side_is_cache_suspect(void)
{
	char lock[96];
	struct stat st;

	(void)snprintf(lock, sizeof lock, "%s/lock", cs.home);
	return stat(lock, &st) == 0 && st.st_size != 0;
}

void client_side_branch(void)
{
	char lock[96];

	(void)snprintf(lock, sizeof lock, "%s/lock", cs.home);
	(void)unlink(lock);
}

static void on_problem(void *arg, const char *invariant, const char *text)
{
	(void)fprintf(stderr, "  %s: %s\n", invariant, text);
	(*(size_t *)arg)++;
}

size_t client_side_check(void)
{
	size_t bad = 0;
	enum err e = vault_check_file(cs.vault, on_problem, &bad);

	if (e == ERR_OK)
		e = vault_check(cs.vault, on_problem, &bad);
	if (e != ERR_OK)
		(void)fprintf(stderr, "  check: %s: %s\n", err_name(e), log_last_detail());
	return bad + (e != ERR_OK);
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

struct hash client_side_state(void)
{
	AUTO(buf_clear) struct buf all = {0};
	const struct vault_state *s = vault_state(cs.vault);
	struct vault_counts counts = {0};
	enum err e = vault_count(cs.vault, &counts);

	if (e == ERR_OK)
		e = vault_record_each(cs.vault, append_record, &all);
	buf_printf(&all, "%d number %lld acked %lld backed up %lld standing %lld\n", (int)e,
		   (long long)s->number, (long long)s->acked, (long long)s->backed_up,
		   (long long)s->standing);
	buf_printf(&all,
		   "%lld records %lld drafts %lld waiting %lld refused %lld outbox %lld inbox\n",
		   (long long)counts.records, (long long)counts.drafts, (long long)counts.waiting,
		   (long long)counts.refused, (long long)counts.outbox, (long long)counts.inbox);
	buf_append(&all, s->chain.bytes, HASH_LEN);
	buf_append(&all, cs.office->chain.bytes, HASH_LEN);
	for (size_t i = 0; i < cs.office->record_count; i++)
		record_canonical(&cs.office->records[i], &all);
	return hash_of(buf_bytes(&all));
}

/* ---- the tests' ---- */

static void load_schema(void)
{
	char folder[4096];
	char error[SCHEMA_ERROR_LEN] = "";
	const char *root = getenv("CTXH_SOURCE_DIR");
	enum err e;

	(void)snprintf(folder, sizeof folder, "%s/schema", root != NULL ? root : ".");
	e = schema_load_folder(folder, &cs.schema, error);
	if (e != ERR_OK)
		(void)fprintf(stderr, "%s (CTXH_SOURCE_DIR)\n", error);
	REQUIRE(e == ERR_OK);
}

void client_side_prepare(void)
{
	enum err e = crypt_init();

	REQUIRE(e == ERR_OK);
	load_schema();
	clock_fake_init(&cs.now, CLIENT_SIDE_START);
	cs.office = mem_alloc_zero(sizeof *cs.office);
	dbfile_make_folder(cs.home);
	(void)snprintf(cs.path, sizeof cs.path, "%s/" VAULT_FILE, cs.home);
}

void client_side_reset(void)
{
	office_clear(cs.office);
	office_init(cs.office, &cs.now.clock, cs.schema);
	(void)office_identity(cs.office, client_side_seed);
	cs.now.wall = CLIENT_SIDE_START;
}

void client_side_finish(void)
{
	office_clear(cs.office);
	mem_free(cs.office);
	schema_free(cs.schema);
	dbfile_remove_folder(cs.home);
}
