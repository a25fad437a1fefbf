/*
 * crypt - the few primitives everything rests on, from libsodium.
 *
 * Hash BLAKE2b-256, signatures Ed25519 (RFC 8032), record sealing
 * XChaCha20-Poly1305, passphrase stretching Argon2id (RFC 9106), sealing for somebody who is
 * not here X25519 and a stream of XChaCha20-Poly1305 (libsodium's secretstream). Call
 * crypt_init() once before anything else. Any thread.
 */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
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

/* The hash of what comes in pieces: equal to hash_of() of all of it. */
struct hasher {
	_Alignas(64) uint8_t state[384];
};
void hasher_start(struct hasher *h);
void hasher_add(struct hasher *h, struct bytes piece);
struct hash hasher_end(struct hasher *h);

void sign_pair_new(struct rand *rand, struct sign_pair *ret_pair);
/* The pair of a 32-byte seed: tests and vectors. */
void sign_pair_from_seed(const uint8_t seed[32], struct sign_pair *ret_pair);
/* Signs BLAKE2b(context || data); `context` ends in a NUL and separates uses. */
struct signature sign_make(const struct sign_pair *pair, const char *context, struct bytes data);
bool sign_is_valid(const struct sign_public *key, const char *context, struct bytes data,
		   const struct signature *sig);
/* What a signature is made over; with it alone the signature can still be checked when the data is
 * gone. */
struct hash sign_hash(const char *context, struct bytes data);
bool sign_is_valid_of_hash(const struct sign_public *key, const struct hash *hash,
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

/*
 * A box: a stream of any length that whoever holds a public key can seal and only the holder of
 * its secret can open. An ephemeral pair makes the stream's key, which the sealer may keep to
 * read back what it wrote, and wipes. Pieces cannot be altered, left out, doubled or exchanged, nor
 * the end be cut off: the last one is marked.
 *
 * Header: "CTXHBOX" | version 1 | recipient's public key 32 | ephemeral public key 32 | nonce 24
 * Key:    BLAKE2b-256( X25519(ephemeral, recipient) | the header's first 72 bytes )
 */
#define BOX_KEY_LEN        32u
#define BOX_HEADER_LEN     96u
#define BOX_PIECE_LEN      65536u /* of plain bytes; all but the last have exactly so many */
#define BOX_PIECE_OVERHEAD 17u
#define BOX_HEX_LEN        65u /* a key in hex, and a NUL */

struct box_public {
	uint8_t bytes[BOX_KEY_LEN];
};

struct box_pair {
	struct box_public public_key;
	uint8_t secret[BOX_KEY_LEN];
};

struct box {
	uint8_t state[56]; /* secret */
	bool is_ended;
};

void box_pair_new(struct rand *rand, struct box_pair *ret_pair);
/* 64 hex digits. ERR_INVAL. */
enum err box_public_parse(struct bytes hex, struct box_public *ret_key);
void box_public_print(const struct box_public *key, char ret_hex[BOX_HEX_LEN]);
#define BOX_PAIR_TEXT_LEN 84u
/* A pair as the text of a key file: "ctxh-backup-key-1" and the secret in hex, a line each. */
void box_pair_print(const struct box_pair *pair, char ret_text[BOX_PAIR_TEXT_LEN]);
/* ERR_INVAL: no such text. */
enum err box_pair_parse(struct bytes text, struct box_pair *ret_pair);

/* ERR_INVAL: `to` is no point that keeps a secret. */
enum err box_seal_start(struct rand *rand, const struct box_public *to, struct box *ret_box,
			uint8_t ret_header[BOX_HEADER_LEN], uint8_t ret_key[BOX_KEY_LEN]);
/* ret_out has plain.len + BOX_PIECE_OVERHEAD bytes. */
void box_seal(struct box *b, struct bytes plain, bool is_last, uint8_t *ret_out);

/* Who can open it. ERR_INVAL: no box, or of a version we do not know. */
enum err box_read_header(const uint8_t header[BOX_HEADER_LEN], struct box_public *ret_to);
/* The stream's key. ERR_INVAL; ERR_AUTH: sealed to another key. */
enum err box_find_key(const uint8_t header[BOX_HEADER_LEN], const struct box_pair *pair,
		      uint8_t ret_key[BOX_KEY_LEN]);
/* ERR_INVAL. A wrong key is found out by the first piece. */
enum err box_open_start(const uint8_t header[BOX_HEADER_LEN], const uint8_t key[BOX_KEY_LEN],
			struct box *ret_box);
/* ret_plain has sealed.len - BOX_PIECE_OVERHEAD bytes. ERR_AUTH: altered, or not the next piece. */
enum err box_open(struct box *b, struct bytes sealed, uint8_t *ret_plain, bool *ret_is_last);

/* Argon2id. ERR_FULL when the machine has not `memory_bytes` to spare. */
enum err kdf_stretch(struct bytes passphrase, const uint8_t salt[KDF_SALT_LEN], uint64_t passes,
		     size_t memory_bytes, uint8_t ret_key[SEAL_KEY_LEN]);

/* Appends RFC 4648's base64 of it, with padding. */
void crypt_print_base64(struct bytes piece, struct buf *out);

/* Overwrites secrets in a way the compiler keeps. */
void crypt_wipe(void *secret, size_t len);
/* In constant time. */
bool crypt_equal(const void *a, const void *b, size_t len);
