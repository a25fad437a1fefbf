#define LOG_TAG "vault"

#include "client/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define STRAY_LOGS_MAX 1000u

/* Columns of the table `state`, in the order of its statements. */
static const struct {
	size_t offset;
	size_t len; /* 0: an integer */
} state_columns[] = {
	{offsetof(struct vault_state, hlc), 0},
	{offsetof(struct vault_state, seen), 0},
	{offsetof(struct vault_state, number), 0},
	{offsetof(struct vault_state, counter), 0},
	{offsetof(struct vault_state, acked), 0},
	{offsetof(struct vault_state, backed_up), 0},
	{offsetof(struct vault_state, generation), 0},
	{offsetof(struct vault_state, notice), 0},
	{offsetof(struct vault_state, is_pull_complete), 0},
	{offsetof(struct vault_state, units_version), 0},
	{offsetof(struct vault_state, last_receipt_ms), 0},
	{offsetof(struct vault_state, has_clock_offset), 0},
	{offsetof(struct vault_state, clock_offset_ms), 0},
	{offsetof(struct vault_state, standing), 0},
	{offsetof(struct vault_state, log), 0},
	{offsetof(struct vault_state, chain), HASH_LEN},
	{offsetof(struct vault_state, acked_chain), HASH_LEN},
	{offsetof(struct vault_state, epoch), ID_LEN},
	{offsetof(struct vault_state, schema_version), 8},
};
#define STATE_COLUMNS (sizeof state_columns / sizeof *state_columns)

static enum err state_load(struct vault *v)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_STATE_LOAD, &q);

	if (e == ERR_OK)
		e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	if (!has_row)
		return err_raise(ERR_CORRUPT, "the vault has no state");
	for (size_t i = 0; i < STATE_COLUMNS; i++) {
		uint8_t *to = (uint8_t *)&v->state + state_columns[i].offset;

		if (state_columns[i].len == 0) {
			int64_t n = query_int(&q, (int)i);

			memcpy(to, &n, sizeof n);
			continue;
		}
		struct bytes blob = query_blob(&q, (int)i);

		if (blob.len != state_columns[i].len)
			return err_raise(ERR_CORRUPT, "state column %zu has %zu bytes", i,
					 blob.len);
		memcpy(to, blob.data, blob.len);
	}
	v->committed = v->state;
	return ERR_OK;
}

enum err vault_state_put(struct vault *v, const struct vault_state *state)
{
	AUTO(query_end) struct query q = {0};

	REQUIRE(v->is_in_transaction);
	REQUIRE(state->acked <= state->number && state->backed_up <= state->acked);
	struct vault_state copy = *state;
	enum err e = query_start(v, SQL_STATE_PUT, &q);

	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < STATE_COLUMNS; i++) {
		const uint8_t *from = (const uint8_t *)&copy + state_columns[i].offset;
		int64_t n;

		if (state_columns[i].len != 0) {
			query_bind_blob(&q, (int)i + 1, bytes_of(from, state_columns[i].len));
			continue;
		}
		memcpy(&n, from, sizeof n);
		query_bind_int(&q, (int)i + 1, n);
	}
	e = query_run(&q);
	if (e == ERR_OK)
		v->state = copy;
	return e;
}

const struct vault_state *vault_state(const struct vault *v)
{
	return &v->state;
}

static enum err home_check(const char *home)
{
	struct stat st;

	if (strlen(home) + 64 >= VAULT_PATH_MAX)
		return err_raise(ERR_INVAL, "path of the home folder is too long");
	if (stat(home, &st) != 0)
		return err_raise(errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", home,
				 strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_raise(ERR_INVAL, "%s is not a folder", home);
	/* As root, files would be made here that their owner could not open any more. */
	if (st.st_uid != geteuid())
		return err_raise(ERR_INVAL, "%s belongs to another user", home);
	/* Everything in it is sealed, but who can write here can take it away. */
	if ((st.st_mode & 022u) != 0 && chmod(home, st.st_mode & 07755u) != 0)
		return err_raise(ERR_INVAL, "%s can be written by others: %s", home,
				 strerror(errno));
	return ERR_OK;
}

static bool file_exists(const char *home, const char *name)
{
	char path[VAULT_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", home, name);
	return access(path, F_OK) == 0;
}

static struct vault *vault_new(const char *home, struct rand *rand)
{
	struct vault *v = mem_alloc_zero(sizeof *v);

	char whole[PATH_MAX];

	/* SQLite refuses links anywhere in the path, and /home may well be one. */
	v->home = mem_strdup(realpath(home, whole) != NULL ? whole : home);
	v->rand = rand;
	v->lock_fd = -1;
	return v;
}

/*
 * A log without its vault holds entries that lie nowhere else, and SQLite would delete it
 * when it makes a new file. It gets a name of its own instead.
 */
static enum err keep_stray_log(const char *home)
{
	char from[VAULT_PATH_MAX];
	char to[VAULT_PATH_MAX];
	char name[64];

	if (file_exists(home, VAULT_FILE) || !file_exists(home, VAULT_FILE "-wal"))
		return ERR_OK;
	for (unsigned i = 1; i <= STRAY_LOGS_MAX; i++) {
		snprintf(name, sizeof name, VAULT_FILE ".damaged-%u-wal", i);
		if (file_exists(home, name))
			continue;
		snprintf(from, sizeof from, "%s/%s", home, VAULT_FILE "-wal");
		snprintf(to, sizeof to, "%s/%s", home, name);
		return rename(from, to) == 0 ? ERR_OK
					     : err_raise(ERR_IO, "%s: %s", from, strerror(errno));
	}
	return err_raise(ERR_IO, "%s has too many logs of damaged vaults", home);
}

static enum err open_file(struct vault *v, bool is_new)
{
	char path[VAULT_PATH_MAX];
	enum err e = vault_lock(v);

	if (e != ERR_OK)
		return e;
	if (!is_new && !file_exists(v->home, VAULT_FILE))
		return err_raise(ERR_NOTFOUND, "no vault in %s", v->home);
	e = is_new ? keep_stray_log(v->home) : ERR_OK;
	if (e != ERR_OK)
		return e;
	snprintf(path, sizeof path, "%s/%s", v->home, VAULT_FILE);
	mode_t old = umask(077);

	e = vault_db_open(v, path, is_new);
	umask(old);
	return e;
}

enum err vault_open(const char *home, struct rand *rand, struct vault **ret_vault)
{
	enum err e = home_check(home);

	if (e != ERR_OK)
		return e;
	if (!file_exists(home, VAULT_FILE))
		return err_raise(ERR_NOTFOUND, "no vault in %s", home);
	AUTO(vault_close) struct vault *v = vault_new(home, rand);

	e = open_file(v, false);
	if (e == ERR_OK)
		e = state_load(v);
	if (e == ERR_OK)
		e = vault_sweep(v);
	if (e != ERR_OK)
		return e;
	*ret_vault = MOVE(v);
	return ERR_OK;
}

/* All in one transaction: a crash leaves an empty file, which counts as none. */
static enum err fill_new(struct vault *v, const struct vault_kdf *kdf, struct bytes passphrase)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_identity nobody = {0};
	enum err e = vault_begin(v);

	if (e != ERR_OK)
		return e;
	txn = v;
	e = vault_db_make_tables(v);
	if (e == ERR_OK)
		e = vault_wrap_new(v, kdf, passphrase);
	if (e == ERR_OK)
		e = vault_identity_put(v, &nobody);
	if (e == ERR_OK)
		e = vault_commit(v);
	return e;
}

enum err vault_create(const char *home, struct rand *rand, const struct vault_kdf *kdf,
		      struct bytes passphrase, struct vault **ret_vault)
{
	if (mkdir(home, 0700) != 0 && errno != EEXIST)
		return err_raise(ERR_IO, "%s: %s", home, strerror(errno));
	enum err e = home_check(home);

	if (e != ERR_OK)
		return e;
	AUTO(vault_close) struct vault *v = vault_new(home, rand);

	e = open_file(v, true);
	if (e != ERR_OK)
		return e;
	v->key = vault_key_page();
	rand_fill(rand, v->key, SEAL_KEY_LEN);
	e = fill_new(v, kdf, passphrase);
	if (e == ERR_OK)
		e = state_load(v);
	if (e != ERR_OK)
		return e;
	*ret_vault = MOVE(v);
	return ERR_OK;
}

void vault_close(struct vault *v)
{
	if (v == NULL)
		return;
	vault_pause(v);
	vault_key_page_free(v->key);
	mem_free(v->touched.parts);
	mem_free(v->home);
	mem_free(v);
}

bool vault_is_unlocked(const struct vault *v)
{
	return v->key != NULL;
}

const uint8_t *vault_key(const struct vault *v)
{
	REQUIRE(v->key != NULL);
	return v->key;
}

void vault_pause(struct vault *v)
{
	if (v->db != NULL) {
		vault_rollback(v);
		vault_db_close(v);
	}
	vault_unlock_file(v, !v->is_cache_suspect);
}

enum err vault_resume(struct vault *v)
{
	REQUIRE(v->db == NULL && v->lock_fd < 0);
	enum err e = open_file(v, false);

	if (e == ERR_OK)
		e = state_load(v);
	if (e == ERR_OK)
		e = vault_sweep(v);
	/* Half open it could not be resumed again. */
	if (e != ERR_OK)
		vault_pause(v);
	return e;
}

static enum err run(struct vault *v, enum vault_sql sql)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, sql, &q);

	return e == ERR_OK ? query_run(&q) : e;
}

enum err vault_begin(struct vault *v)
{
	REQUIRE(!v->is_in_transaction);
	enum err e = run(v, SQL_BEGIN);

	v->is_in_transaction = e == ERR_OK;
	return e;
}

enum err vault_commit(struct vault *v)
{
	REQUIRE(v->is_in_transaction);
	enum err e = vault_find_flush(v);

	if (e == ERR_OK)
		e = run(v, SQL_COMMIT);

	if (e != ERR_OK)
		return e;
	v->is_in_transaction = false;
	v->committed = v->state;
	return ERR_OK;
}

void vault_rollback(struct vault *v)
{
	if (!v->is_in_transaction)
		return;
	/* SQLite ends the transaction by itself after some failures. */
	if (!vault_db_is_idle(v) && run(v, SQL_ROLLBACK) != ERR_OK)
		log_debug("rollback failed; closing undoes it");
	v->is_in_transaction = false;
	v->touched.count = 0;
	v->state = v->committed;
}

struct vault_row_key vault_row_key(int64_t n)
{
	struct vault_row_key key;

	for (size_t i = 0; i < sizeof key.bytes; i++)
		key.bytes[i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
	return key;
}

static void row_aad(const char *table, struct bytes key, struct buf *out)
{
	buf_append(out, table, strlen(table) + 1);
	buf_append_bytes(out, key);
}

void vault_seal(struct vault *v, const char *table, struct bytes key, struct bytes plain,
		struct buf *out)
{
	AUTO(buf_clear) struct buf aad = {0};

	REQUIRE(v->key != NULL);
	row_aad(table, key, &aad);
	uint8_t *to = buf_reserve(out, plain.len + SEAL_OVERHEAD);

	seal_make(v->key, v->rand, plain, buf_bytes(&aad), to);
	out->len += plain.len + SEAL_OVERHEAD;
}

enum err vault_unseal(struct vault *v, struct arena *a, const char *table, struct bytes key,
		      struct bytes sealed, struct bytes *ret_plain)
{
	AUTO(buf_clear) struct buf aad = {0};

	REQUIRE(v->key != NULL);
	if (sealed.len < SEAL_OVERHEAD)
		return err_raise(ERR_CORRUPT, "a row of %s is cut short", table);
	row_aad(table, key, &aad);
	size_t len = sealed.len - SEAL_OVERHEAD;
	uint8_t *plain = arena_alloc(a, len + 1);

	if (seal_open(v->key, sealed, buf_bytes(&aad), plain) != ERR_OK)
		return err_raise(ERR_CORRUPT, "a row of %s does not open", table);
	*ret_plain = bytes_of(plain, len);
	return ERR_OK;
}
