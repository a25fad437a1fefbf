#include "tests/support/client_home.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

static const struct vault_kdf fast = {1, 8 << 10};

static void load_schema(struct client_home *h)
{
	char path[4096];
	char error[SCHEMA_ERROR_LEN] = "";
	const char *root = getenv("CTXH_SOURCE_DIR");

	snprintf(path, sizeof path, "%s/schema", root != NULL ? root : ".");
	enum err e = schema_load_folder(path, &h->schema, error);

	if (e != ERR_OK)
		fprintf(stderr, "%s\n", error);
	REQUIRE(e == ERR_OK);
}

static void fill(struct client_home *h)
{
	static const uint8_t seed[32] = {42};
	const struct bytes author = BYTES_LIT("Thị Bé");
	int64_t unit = OFFICE_UNIT;
	struct vault_identity identity = office_identity(h->office, seed);
	struct vault_state state = *vault_state(h->vault);
	enum err e = vault_begin(h->vault);

	state.epoch = h->office->epoch;
	if (e == ERR_OK)
		e = vault_identity_put(h->vault, &identity);
	if (e == ERR_OK)
		e = vault_authors_put(h->vault, &author, 1);
	if (e == ERR_OK)
		e = vault_scope_put(h->vault, &unit, 1);
	if (e == ERR_OK)
		e = vault_state_put(h->vault, &state);
	if (e == ERR_OK)
		e = vault_commit(h->vault);
	REQUIRE(e == ERR_OK);
}

static void join(struct client_home *h)
{
	h->sync = (struct sync){.vault = h->vault,
				.clock = &h->clock.clock,
				.transport = &h->office->link,
				.schema = h->schema,
				.client_version = "test"};
}

void client_home_init(struct client_home *h)
{
	const char *seed = getenv("CTXH_SEED");
	enum err e = crypt_init();

	REQUIRE(e == ERR_OK);
	memset(h, 0, sizeof *h);
	h->seed = seed != NULL ? strtoull(seed, NULL, 10) : 4711;
	rand_seeded_init(&h->rand, h->seed);
	snprintf(h->path, sizeof h->path, "/tmp/ctxh-test-XXXXXX");
	REQUIRE(mkdtemp(h->path) != NULL);
	load_schema(h);
	clock_fake_init(&h->clock, INT64_C(1790000000000));
	h->office = mem_alloc_zero(sizeof *h->office);
	office_init(h->office, &h->clock.clock, h->schema);
	e = vault_create(h->path, &h->rand, &fast, BYTES_LIT("mật khẩu"), &h->vault);
	REQUIRE(e == ERR_OK);
	fill(h);
	join(h);
}

static void remove_home(const char *path)
{
	static const char *const names[] = {"vault.db", "vault.db-wal", "vault.db-shm",
					    "lock",     "agent.sock",   "sync.lock"};
	char name[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(name, sizeof name, "%s/%s", path, names[i]);
		(void)unlink(name);
	}
	(void)rmdir(path);
}

void client_home_clear(struct client_home *h)
{
	vault_close(h->vault);
	schema_free(h->schema);
	office_clear(h->office);
	mem_free(h->office);
	remove_home(h->path);
}

void client_home_reopen(struct client_home *h)
{
	vault_close(h->vault);
	h->vault = NULL;
	enum err e = vault_open(h->path, &h->rand, &h->vault);

	if (e == ERR_OK)
		e = vault_unlock(h->vault, BYTES_LIT("mật khẩu"));
	REQUIRE(e == ERR_OK);
	join(h);
}

struct id client_home_new_id(struct client_home *h)
{
	return id_new(&h->clock.clock, &h->rand);
}

bool client_home_has(struct client_home *h, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;

	return vault_record_load(h->vault, &a, id, &r) == ERR_OK;
}

enum err client_home_make(struct client_home *h, const struct change *change)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct entry_context ctx;
	struct finding finding = {0};
	enum entry_outcome outcome;
	enum err e = entry_context_load(&ctx, h->vault, h->schema, &h->clock.clock, &a);

	if (e == ERR_OK)
		e = vault_begin(h->vault);
	if (e != ERR_OK)
		return e;
	txn = h->vault;
	e = entry_make(&ctx, change, &outcome, &finding);
	return e == ERR_OK ? vault_commit(h->vault) : e;
}

enum err client_home_edit(struct client_home *h, const char *type, const struct id *id,
			  const char *field, const char *text)
{
	AUTO(arena_clear) struct arena a = {0};
	struct finding finding = {0};
	const struct schema_type *t = schema_find_type(h->schema, bytes_str(type));
	const struct schema_field *f = schema_find_field(t, bytes_str(field));
	struct value value = value_text(bytes_str(text));

	if (f != NULL && validate_parse(&a, f, bytes_str(text), &value, &finding) != VERDICT_OK)
		return ERR_INVAL;
	if (strcmp(field, RECORD_UNIT) == 0)
		value = value_int(strtoll(text, NULL, 10));
	struct write writes[2] = {{bytes_str(field), value},
				  {BYTES_LIT(RECORD_UNIT), value_int(OFFICE_UNIT)}};
	struct change c = {.type = bytes_str(type),
			   .id = *id,
			   .writes = writes,
			   .count = client_home_has(h, id) ? 1 : 2};

	h->clock.wall += 1000;
	return client_home_make(h, &c);
}

enum err client_home_sync(struct client_home *h)
{
	return sync_run(&h->sync, &h->report);
}

enum vault_sync client_home_standing(struct client_home *h, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e = vault_record_load(h->vault, &a, id, &r);

	REQUIRE(e == ERR_OK);
	return r.sync;
}

const char *client_home_value(struct client_home *h, const struct id *id, const char *field)
{
	AUTO(arena_clear) struct arena a = {0};
	static char text[256];
	struct vault_record r;

	text[0] = '\0';
	if (vault_record_load(h->vault, &a, id, &r) != ERR_OK)
		return text;
	struct value v = record_value(&r.body, field);

	if (v.kind == VALUE_TEXT)
		snprintf(text, sizeof text, "%.*s", BYTES_FMT(v.bytes));
	if (v.kind == VALUE_INT)
		snprintf(text, sizeof text, "%lld", (long long)v.integer);
	return text;
}

static void on_problem(void *arg, const char *invariant, const char *text)
{
	fprintf(stderr, "%s: %s\n", invariant, text);
	(*(size_t *)arg)++;
}

size_t client_home_problems(struct client_home *h)
{
	size_t problems = 0;
	enum err e = vault_check_file(h->vault, on_problem, &problems);

	if (e == ERR_OK)
		e = vault_check(h->vault, on_problem, &problems);
	return problems + (e != ERR_OK);
}
