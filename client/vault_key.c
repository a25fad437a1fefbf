#define LOG_TAG "vault"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "common/base/log.h"

#define WRAP_CONTEXT "ctxh-vault-key-v1"

/* Limits of what a vault may ask of the machine: a damaged row must not ask for 2^60 bytes. */
#define KDF_PASSES_MAX 64
#define KDF_MEMORY_MIN (INT64_C(8) << 10)
#define KDF_MEMORY_MAX (INT64_C(4) << 30)

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

uint8_t *vault_key_page(void)
{
	void *page =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	INVARIANT(page != MAP_FAILED);
	if (mlock(page, page_size()) != 0)
		log_debug("the key's page may be swapped: no right to lock it");
	(void)madvise(page, page_size(), MADV_DONTDUMP);
	return page;
}

void vault_key_page_free(uint8_t *page)
{
	if (page == NULL)
		return;
	crypt_wipe(page, SEAL_KEY_LEN);
	munmap(page, page_size());
}

struct wrap {
	uint8_t salt[KDF_SALT_LEN];
	int64_t passes;
	int64_t memory;
	uint8_t wrapped[SEAL_KEY_LEN + SEAL_OVERHEAD];
};

/* The parameters are bound to the wrapped key, so that nobody weakens them. */
static size_t wrap_aad(const struct wrap *w, char *ret_aad, size_t size)
{
	char salt[2 * KDF_SALT_LEN + 1];

	hex_print(w->salt, sizeof w->salt, salt);
	int len = snprintf(ret_aad, size, "%s %s %lld %lld", WRAP_CONTEXT, salt,
			   (long long)w->passes, (long long)w->memory);

	ENSURE(len > 0 && (size_t)len < size);
	return (size_t)len;
}

static enum err stretch(const struct wrap *w, struct bytes passphrase, uint8_t key[SEAL_KEY_LEN])
{
	if (w->passes < 1 || w->passes > KDF_PASSES_MAX || w->memory < KDF_MEMORY_MIN ||
	    w->memory > KDF_MEMORY_MAX)
		return err_raise(ERR_CORRUPT, "parameters of the passphrase are out of bounds");
	return kdf_stretch(passphrase, w->salt, (uint64_t)w->passes, (size_t)w->memory, key);
}

static enum err wrap_put(struct vault *v, const struct wrap *w)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, SQL_WRAP_PUT, &q);

	if (e != ERR_OK)
		return e;
	query_bind_blob(&q, 1, bytes_of(w->salt, sizeof w->salt));
	query_bind_int(&q, 2, w->passes);
	query_bind_int(&q, 3, w->memory);
	query_bind_blob(&q, 4, bytes_of(w->wrapped, sizeof w->wrapped));
	return query_run(&q);
}

static enum err wrap_load(struct vault *v, struct wrap *ret_wrap)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_WRAP_LOAD, &q);

	if (e == ERR_OK)
		e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	struct bytes salt = has_row ? query_blob(&q, 0) : BYTES_NONE;
	struct bytes wrapped = has_row ? query_blob(&q, 3) : BYTES_NONE;

	if (salt.len != sizeof ret_wrap->salt || wrapped.len != sizeof ret_wrap->wrapped)
		return err_raise(ERR_CORRUPT, "the vault has no key");
	memcpy(ret_wrap->salt, salt.data, salt.len);
	memcpy(ret_wrap->wrapped, wrapped.data, wrapped.len);
	ret_wrap->passes = query_int(&q, 1);
	ret_wrap->memory = query_int(&q, 2);
	return ERR_OK;
}

enum err vault_wrap_new(struct vault *v, const struct vault_kdf *kdf, struct bytes passphrase)
{
	struct wrap w = {.passes = (int64_t)kdf->passes, .memory = (int64_t)kdf->memory_bytes};
	uint8_t outer[SEAL_KEY_LEN];
	char aad[160];

	rand_fill(v->rand, w.salt, sizeof w.salt);
	enum err e = stretch(&w, passphrase, outer);

	if (e != ERR_OK)
		return e;
	seal_make(outer, v->rand, bytes_of(v->key, SEAL_KEY_LEN),
		  bytes_of(aad, wrap_aad(&w, aad, sizeof aad)), w.wrapped);
	crypt_wipe(outer, sizeof outer);
	return wrap_put(v, &w);
}

enum err vault_unlock(struct vault *v, struct bytes passphrase)
{
	struct wrap w = {0};
	uint8_t outer[SEAL_KEY_LEN];
	char aad[160];
	enum err e = wrap_load(v, &w);

	if (e == ERR_OK)
		e = stretch(&w, passphrase, outer);
	if (e != ERR_OK)
		return e;
	uint8_t *page = vault_key_page();

	e = seal_open(outer, bytes_of(w.wrapped, sizeof w.wrapped),
		      bytes_of(aad, wrap_aad(&w, aad, sizeof aad)), page);
	crypt_wipe(outer, sizeof outer);
	if (e == ERR_OK) {
		e = vault_unlock_with_key(v, page);
		/* The passphrase is right: it has opened the key. */
		if (e == ERR_AUTH)
			e = err_raise(ERR_CORRUPT, "the identity of the vault does not open");
	}
	vault_key_page_free(page);
	return e;
}

enum err vault_unlock_with_key(struct vault *v, const uint8_t key[SEAL_KEY_LEN])
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes body;

	REQUIRE(v->key == NULL);
	v->key = vault_key_page();
	memcpy(v->key, key, SEAL_KEY_LEN);
	/* The device's identity is there in every vault: it proves the key. */
	enum err e = vault_doc_load(v, &a, VAULT_DOC_IDENTITY, &body);

	if (e == ERR_OK)
		return ERR_OK;
	vault_key_page_free(v->key);
	v->key = NULL;
	return e == ERR_CORRUPT ? err_raise(ERR_AUTH, "the key does not open this vault") : e;
}

enum err vault_change_passphrase(struct vault *v, const struct vault_kdf *kdf,
				 struct bytes passphrase)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(v);

	if (e != ERR_OK)
		return e;
	txn = v;
	e = vault_wrap_new(v, kdf, passphrase);
	if (e != ERR_OK)
		return e;
	return vault_commit(v);
}
