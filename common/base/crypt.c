#include "common/base/crypt.h"

#include <sodium.h>

#include "common/base/check.h"

_Static_assert(HASH_LEN == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(SIGN_SECRET_LEN == crypto_sign_SECRETKEYBYTES, "Ed25519");
_Static_assert(SEAL_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "XChaCha20");
_Static_assert(KDF_SALT_LEN == crypto_pwhash_SALTBYTES, "Argon2id");

enum err crypt_init(void)
{
	return sodium_init() < 0 ? err_raise(ERR_IO, "libsodium has no randomness") : ERR_OK;
}

static void absorb(crypto_generichash_state *state, struct bytes piece)
{
	if (piece.len != 0)
		crypto_generichash_update(state, piece.data, piece.len);
}

struct hash hash_of_two(struct bytes a, struct bytes b)
{
	crypto_generichash_state state;
	struct hash hash;

	crypto_generichash_init(&state, NULL, 0, HASH_LEN);
	absorb(&state, a);
	absorb(&state, b);
	crypto_generichash_final(&state, hash.bytes, HASH_LEN);
	return hash;
}

struct hash hash_of(struct bytes data)
{
	return hash_of_two(data, BYTES_NONE);
}

struct hash hash_keyed(struct bytes key, struct bytes data)
{
	crypto_generichash_state state;
	struct hash hash;

	REQUIRE(key.len >= crypto_generichash_KEYBYTES_MIN);
	REQUIRE(key.len <= crypto_generichash_KEYBYTES_MAX);
	crypto_generichash_init(&state, key.data, key.len, HASH_LEN);
	absorb(&state, data);
	crypto_generichash_final(&state, hash.bytes, HASH_LEN);
	return hash;
}

void sign_pair_from_seed(const uint8_t seed[32], struct sign_pair *ret_pair)
{
	crypto_sign_seed_keypair(ret_pair->public_key.bytes, ret_pair->secret, seed);
}

void sign_pair_new(struct rand *rand, struct sign_pair *ret_pair)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	rand_fill(rand, seed, sizeof seed);
	sign_pair_from_seed(seed, ret_pair);
	crypt_wipe(seed, sizeof seed);
}

static struct hash digest(const char *context, struct bytes data)
{
	/* The NUL ends the context, so no context is the start of another. */
	return hash_of_two(bytes_of(context, strlen(context) + 1), data);
}

struct signature sign_make(const struct sign_pair *pair, const char *context, struct bytes data)
{
	struct hash hash = digest(context, data);
	struct signature sig;

	crypto_sign_detached(sig.bytes, NULL, hash.bytes, sizeof hash.bytes, pair->secret);
	return sig;
}

bool sign_is_valid(const struct sign_public *key, const char *context, struct bytes data,
		   const struct signature *sig)
{
	struct hash hash = digest(context, data);

	return crypto_sign_verify_detached(sig->bytes, hash.bytes, sizeof hash.bytes, key->bytes) ==
	       0;
}

void seal_make(const uint8_t key[SEAL_KEY_LEN], struct rand *rand, struct bytes plain,
	       struct bytes aad, uint8_t *ret_out)
{
	rand_fill(rand, ret_out, SEAL_NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret_out + SEAL_NONCE_LEN, NULL, plain.data,
						   plain.len, aad.data, aad.len, NULL, ret_out,
						   key);
}

enum err seal_open(const uint8_t key[SEAL_KEY_LEN], struct bytes sealed, struct bytes aad,
		   uint8_t *ret_plain)
{
	if (sealed.len < SEAL_OVERHEAD)
		return err_raise(ERR_AUTH, "sealed bytes cut short at %zu", sealed.len);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    ret_plain, NULL, NULL, sealed.data + SEAL_NONCE_LEN,
		    sealed.len - SEAL_NONCE_LEN, aad.data, aad.len, sealed.data, key) != 0)
		return err_raise(ERR_AUTH, "sealed bytes do not open with this key");
	return ERR_OK;
}

enum err kdf_stretch(struct bytes passphrase, const uint8_t salt[KDF_SALT_LEN], uint64_t passes,
		     size_t memory_bytes, uint8_t ret_key[SEAL_KEY_LEN])
{
	if (crypto_pwhash(ret_key, SEAL_KEY_LEN, (const char *)passphrase.data, passphrase.len,
			  salt, passes, memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_raise(ERR_FULL, "Argon2id could not use %zu bytes", memory_bytes);
	return ERR_OK;
}

void crypt_wipe(void *secret, size_t len)
{
	sodium_memzero(secret, len);
}

bool crypt_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}
