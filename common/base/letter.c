#include "common/base/letter.h"

#include <sodium.h>

_Static_assert(LETTER_KEY_LEN == crypto_scalarmult_BYTES, "X25519");

/* Bound to both public keys as well as to the secret the two share. */
static void derive(const uint8_t shared[LETTER_KEY_LEN], const uint8_t sender[LETTER_KEY_LEN],
		   const uint8_t reader[LETTER_KEY_LEN], uint8_t ret_key[SEAL_KEY_LEN])
{
	static const char context[] = "ctxh-letter-v1"; /* with its NUL */
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, SEAL_KEY_LEN);
	crypto_generichash_update(&state, (const uint8_t *)context, sizeof context);
	crypto_generichash_update(&state, shared, LETTER_KEY_LEN);
	crypto_generichash_update(&state, sender, LETTER_KEY_LEN);
	crypto_generichash_update(&state, reader, LETTER_KEY_LEN);
	crypto_generichash_final(&state, ret_key, SEAL_KEY_LEN);
	crypt_wipe(&state, sizeof state);
}

enum err letter_seal(const struct sign_public *to, struct rand *rand, struct bytes plain,
		     struct bytes aad, uint8_t *ret_out)
{
	uint8_t reader[LETTER_KEY_LEN];
	uint8_t secret[LETTER_KEY_LEN];
	uint8_t shared[LETTER_KEY_LEN];
	uint8_t key[SEAL_KEY_LEN];
	bool is_met;

	if (crypto_sign_ed25519_pk_to_curve25519(reader, to->bytes) != 0)
		return err_raise(ERR_INVAL, "not a key that can be written to");
	rand_fill(rand, secret, sizeof secret);
	crypto_scalarmult_base(ret_out, secret);
	is_met = crypto_scalarmult(shared, secret, reader) == 0;
	crypt_wipe(secret, sizeof secret);
	if (!is_met)
		return err_raise(ERR_INVAL, "not a key that can be written to");
	derive(shared, ret_out, reader, key);
	seal_make(key, rand, plain, aad, ret_out + LETTER_KEY_LEN);
	crypt_wipe(shared, sizeof shared);
	crypt_wipe(key, sizeof key);
	return ERR_OK;
}

enum err letter_open(const struct sign_pair *own, struct bytes sealed, struct bytes aad,
		     uint8_t *ret_plain)
{
	uint8_t reader[LETTER_KEY_LEN];
	uint8_t secret[LETTER_KEY_LEN];
	uint8_t shared[LETTER_KEY_LEN];
	uint8_t key[SEAL_KEY_LEN];
	bool is_met;
	enum err e;

	if (sealed.len < LETTER_OVERHEAD)
		return err_raise(ERR_AUTH, "sealed bytes cut short at %zu", sealed.len);
	if (crypto_sign_ed25519_sk_to_curve25519(secret, own->secret) != 0)
		return err_raise(ERR_AUTH, "a key of ours that cannot read");
	crypto_scalarmult_base(reader, secret);
	is_met = crypto_scalarmult(shared, secret, sealed.data) == 0;
	crypt_wipe(secret, sizeof secret);
	if (!is_met)
		return err_raise(ERR_AUTH, "the sender's key is none");
	derive(shared, sealed.data, reader, key);
	e = seal_open(key, bytes_of(sealed.data + LETTER_KEY_LEN, sealed.len - LETTER_KEY_LEN), aad,
		      ret_plain);
	crypt_wipe(shared, sizeof shared);
	crypt_wipe(key, sizeof key);
	return e;
}
