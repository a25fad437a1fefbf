/*
 * crypt - the few primitives everything rests on, from libsodium.
 *
 * Hash BLAKE2b-256, signatures Ed25519 (RFC 8032), record sealing
 * XChaCha20-Poly1305, passphrase stretching Argon2id (RFC 9106). Call
 * crypt_init() once before anything else. Any thread.
 */
#pragma once

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/err.h"
#include "common/base/rand.h"

#define HASH_LEN        32u
#define SIGN_PUBLIC_LEN 32u
#define SIGN_SECRET_LEN 64u
#define SIGN_LEN        64u
#define SEAL_KEY_LEN    32u
#define SEAL_NONCE_LEN  24u
#define SEAL_TAG_LEN    16u
#define SEAL_OVERHEAD   (SEAL_NONCE_LEN + SEAL_TAG_LEN)
#define KDF_SALT_LEN    16u

struct hash {
	uint8_t bytes[HASH_LEN];
};

struct sign_public {
	uint8_t bytes[SIGN_PUBLIC_LEN];
};

struct sign_pair {
	struct sign_public public_key;
	uint8_t secret[SIGN_SECRET_LEN];
};

struct signature {
	uint8_t bytes[SIGN_LEN];
};

/* ERR_IO when the system's randomness does not work. */
enum err crypt_init(void);

struct hash hash_of(struct bytes data);
/* hash of a then b: chains and contexts. */
struct hash hash_of_two(struct bytes a, struct bytes b);
/* Keyed: for lookups that must not be guessable without the key. */
struct hash hash_keyed(struct bytes key, struct bytes data);

void sign_pair_new(struct rand *rand, struct sign_pair *ret_pair);
/* The pair of a 32-byte seed: tests and vectors. */
void sign_pair_from_seed(const uint8_t seed[32], struct sign_pair *ret_pair);
/* Signs BLAKE2b(context || data); `context` ends in a NUL and separates uses. */
struct signature sign_make(const struct sign_pair *pair, const char *context, struct bytes data);
bool sign_is_valid(const struct sign_public *key, const char *context, struct bytes data,
		   const struct signature *sig);

/*
 * ret_out has len + SEAL_OVERHEAD bytes: nonce, ciphertext, tag. `aad` is bound
 * to it but not stored.
 */
void seal_make(const uint8_t key[SEAL_KEY_LEN], struct rand *rand, struct bytes plain,
	       struct bytes aad, uint8_t *ret_out);
/* ret_plain has sealed.len - SEAL_OVERHEAD bytes. ERR_AUTH: wrong key, or altered. */
enum err seal_open(const uint8_t key[SEAL_KEY_LEN], struct bytes sealed, struct bytes aad,
		   uint8_t *ret_plain);

/* Argon2id. ERR_FULL when the machine has not `memory_bytes` to spare. */
enum err kdf_stretch(struct bytes passphrase, const uint8_t salt[KDF_SALT_LEN], uint64_t passes,
		     size_t memory_bytes, uint8_t ret_key[SEAL_KEY_LEN]);

/* Overwrites secrets in a way the compiler keeps. */
void crypt_wipe(void *secret, size_t len);
/* In constant time. */
bool crypt_equal(const void *a, const void *b, size_t len);
