/*
 * letter - sealing one message to whoever has the secret of a signing key.
 *
 * The reader's Ed25519 key becomes an X25519 one, met by a fresh one of the sender; the key that
 * both come to seals as seal_make() does. So who knows a peer's signing key can write to it, and
 * nothing more has to be exchanged. It says nothing of who wrote: sign the whole.
 *
 *   X25519 key of the sender 32 | nonce 24 | ciphertext | tag 16
 *   key = BLAKE2b-256("ctxh-letter-v1\0" || shared secret || sender's key || reader's X25519 key)
 */
#pragma once

#include "common/base/crypt.h"

#define LETTER_KEY_LEN  32u
#define LETTER_OVERHEAD (LETTER_KEY_LEN + SEAL_OVERHEAD)

/* ret_out has plain.len + LETTER_OVERHEAD bytes; `aad` is bound to it but not stored. ERR_INVAL:
 * `to` is no key. */
enum err letter_seal(const struct sign_public *to, struct rand *rand, struct bytes plain,
		     struct bytes aad, uint8_t *ret_out);
/* ret_plain has sealed.len - LETTER_OVERHEAD bytes. ERR_AUTH: for another key, or altered. */
enum err letter_open(const struct sign_pair *own, struct bytes sealed, struct bytes aad,
		     uint8_t *ret_plain);
