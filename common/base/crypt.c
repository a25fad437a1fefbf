#include "common/base/crypt.h"

#include <sodium.h>
#include <stdio.h>

#include "common/base/check.h"

_Static_assert(HASH_LEN == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(SIGN_SECRET_LEN == crypto_sign_SECRETKEYBYTES, "Ed25519");
_Static_assert(SEAL_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "XChaCha20");
_Static_assert(BOX_KEY_LEN == crypto_scalarmult_BYTES, "X25519");
_Static_assert(KDF_SALT_LEN == crypto_pwhash_SALTBYTES, "Argon2id");
_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hasher), "fits");
_Static_assert(BOX_KEY_LEN == crypto_secretstream_xchacha20poly1305_KEYBYTES, "secretstream");
_Static_assert(BOX_PIECE_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES, "secretstream");
_Static_assert(sizeof(crypto_secretstream_xchacha20poly1305_state) <= 56, "fits");

#define BOX_MAGIC_LEN 8u
#define BOX_KEYS_LEN                                                                \
	(BOX_MAGIC_LEN + 2 * BOX_KEY_LEN) /* of the header: what the key depends on \
					   */
#define BOX_PAIR_HEAD "ctxh-backup-key-1\n"

_Static_assert(BOX_HEADER_LEN == BOX_KEYS_LEN + crypto_secretstream_xchacha20poly1305_HEADERBYTES,
	       "secretstream");
_Static_assert(BOX_PAIR_TEXT_LEN == sizeof BOX_PAIR_HEAD - 1 + 2 * (size_t)BOX_KEY_LEN + 2,
	       "with newline");

/* The last byte is the version. */
static const uint8_t box_magic[BOX_MAGIC_LEN] = {'C', 'T', 'X', 'H', 'B', 'O', 'X', 1};

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

void hasher_start(struct hasher *h)
{
	crypto_generichash_init((crypto_generichash_state *)(void *)h->state, NULL, 0, HASH_LEN);
}

void hasher_add(struct hasher *h, struct bytes piece)
{
	absorb((crypto_generichash_state *)(void *)h->state, piece);
}

struct hash hasher_end(struct hasher *h)
{
	struct hash hash;

	crypto_generichash_final((crypto_generichash_state *)(void *)h->state, hash.bytes,
				 HASH_LEN);
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

struct hash sign_hash(const char *context, struct bytes data)
{
	/* The NUL ends the context, so no context is the start of another. */
	return hash_of_two(bytes_of(context, strlen(context) + 1), data);
}

struct signature sign_make(const struct sign_pair *pair, const char *context, struct bytes data)
{
	struct hash hash = sign_hash(context, data);
	struct signature sig;

	crypto_sign_detached(sig.bytes, NULL, hash.bytes, sizeof hash.bytes, pair->secret);
	return sig;
}

bool sign_is_valid(const struct sign_public *key, const char *context, struct bytes data,
		   const struct signature *sig)
{
	struct hash hash = sign_hash(context, data);

	return sign_is_valid_of_hash(key, &hash, sig);
}

bool sign_is_valid_of_hash(const struct sign_public *key, const struct hash *hash,
			   const struct signature *sig)
{
	return crypto_sign_verify_detached(sig->bytes, hash->bytes, sizeof hash->bytes,
					   key->bytes) == 0;
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

/* ---- boxes ---- */

static crypto_secretstream_xchacha20poly1305_state *state_of(struct box *b)
{
	return (crypto_secretstream_xchacha20poly1305_state *)(void *)b->state;
}

void box_pair_new(struct rand *rand, struct box_pair *ret_pair)
{
	rand_fill(rand, ret_pair->secret, sizeof ret_pair->secret);
	crypto_scalarmult_base(ret_pair->public_key.bytes, ret_pair->secret);
}

static enum err read_hex(struct bytes hex, uint8_t ret_key[BOX_KEY_LEN])
{
	size_t len = 0;

	if (hex.len != 2 * (size_t)BOX_KEY_LEN ||
	    sodium_hex2bin(ret_key, BOX_KEY_LEN, (const char *)hex.data, hex.len, NULL, &len,
			   NULL) != 0 ||
	    len != BOX_KEY_LEN)
		return err_raise(ERR_INVAL, "a key has %u hex digits", 2 * BOX_KEY_LEN);
	return ERR_OK;
}

enum err box_public_parse(struct bytes hex, struct box_public *ret_key)
{
	return read_hex(hex, ret_key->bytes);
}

void box_public_print(const struct box_public *key, char ret_hex[BOX_HEX_LEN])
{
	sodium_bin2hex(ret_hex, BOX_HEX_LEN, key->bytes, sizeof key->bytes);
}

void box_pair_print(const struct box_pair *pair, char ret_text[BOX_PAIR_TEXT_LEN])
{
	char hex[BOX_HEX_LEN];

	sodium_bin2hex(hex, sizeof hex, pair->secret, sizeof pair->secret);
	(void)snprintf(ret_text, BOX_PAIR_TEXT_LEN, BOX_PAIR_HEAD "%s\n", hex);
	crypt_wipe(hex, sizeof hex);
}

enum err box_pair_parse(struct bytes text, struct box_pair *ret_pair)
{
	const size_t head = sizeof BOX_PAIR_HEAD - 1;

	while (text.len > 0 && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == '\r'))
		text.len--;
	if (text.len < head || memcmp(text.data, BOX_PAIR_HEAD, head) != 0)
		return err_raise(ERR_INVAL, "not the text of a key file");

	enum err e = read_hex(bytes_of(text.data + head, text.len - head), ret_pair->secret);

	if (e == ERR_OK)
		crypto_scalarmult_base(ret_pair->public_key.bytes, ret_pair->secret);
	return e;
}

/* `header`: its first part is filled in. */
static enum err derive(const uint8_t header[BOX_HEADER_LEN], const uint8_t own_secret[BOX_KEY_LEN],
		       const uint8_t other_public[BOX_KEY_LEN], uint8_t ret_key[BOX_KEY_LEN])
{
	uint8_t shared[crypto_scalarmult_BYTES];
	struct hash hash;

	if (crypto_scalarmult(shared, own_secret, other_public) != 0)
		return err_raise(ERR_INVAL, "a public key of small order");
	hash = hash_of_two(bytes_of(shared, sizeof shared), bytes_of(header, BOX_KEYS_LEN));
	memcpy(ret_key, hash.bytes, BOX_KEY_LEN);
	crypt_wipe(shared, sizeof shared);
	crypt_wipe(&hash, sizeof hash);
	return ERR_OK;
}

enum err box_seal_start(struct rand *rand, const struct box_public *to, struct box *ret_box,
			uint8_t ret_header[BOX_HEADER_LEN], uint8_t ret_key[BOX_KEY_LEN])
{
	struct box_pair once;
	enum err e;

	box_pair_new(rand, &once);
	memcpy(ret_header, box_magic, BOX_MAGIC_LEN);
	memcpy(ret_header + BOX_MAGIC_LEN, to->bytes, BOX_KEY_LEN);
	memcpy(ret_header + BOX_MAGIC_LEN + BOX_KEY_LEN, once.public_key.bytes, BOX_KEY_LEN);
	e = derive(ret_header, once.secret, to->bytes, ret_key);
	crypt_wipe(&once, sizeof once);
	if (e != ERR_OK)
		return e;
	*ret_box = (struct box){.is_ended = false};
	crypto_secretstream_xchacha20poly1305_init_push(state_of(ret_box),
							ret_header + BOX_KEYS_LEN, ret_key);
	return ERR_OK;
}

void box_seal(struct box *b, struct bytes plain, bool is_last, uint8_t *ret_out)
{
	REQUIRE(!b->is_ended);
	REQUIRE(is_last ? plain.len <= BOX_PIECE_LEN : plain.len == BOX_PIECE_LEN);
	b->is_ended = is_last;
	crypto_secretstream_xchacha20poly1305_push(
		state_of(b), ret_out, NULL, plain.data, plain.len, NULL, 0,
		is_last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0);
	if (is_last)
		crypt_wipe(b->state, sizeof b->state);
}

enum err box_read_header(const uint8_t header[BOX_HEADER_LEN], struct box_public *ret_to)
{
	if (memcmp(header, box_magic, BOX_MAGIC_LEN - 1) != 0)
		return err_raise(ERR_INVAL, "not a sealed file of ours");
	if (header[BOX_MAGIC_LEN - 1] != box_magic[BOX_MAGIC_LEN - 1])
		return err_raise(ERR_INVAL,
				 "sealed by version %u, which this program does not know",
				 header[BOX_MAGIC_LEN - 1]);
	memcpy(ret_to->bytes, header + BOX_MAGIC_LEN, BOX_KEY_LEN);
	return ERR_OK;
}

enum err box_find_key(const uint8_t header[BOX_HEADER_LEN], const struct box_pair *pair,
		      uint8_t ret_key[BOX_KEY_LEN])
{
	struct box_public to;
	enum err e = box_read_header(header, &to);

	if (e != ERR_OK)
		return e;
	if (memcmp(to.bytes, pair->public_key.bytes, BOX_KEY_LEN) != 0)
		return err_raise(ERR_AUTH, "sealed to another key");
	return derive(header, pair->secret, header + BOX_MAGIC_LEN + BOX_KEY_LEN, ret_key);
}

enum err box_open_start(const uint8_t header[BOX_HEADER_LEN], const uint8_t key[BOX_KEY_LEN],
			struct box *ret_box)
{
	struct box_public to;
	enum err e = box_read_header(header, &to);

	if (e != ERR_OK)
		return e;
	*ret_box = (struct box){.is_ended = false};
	if (crypto_secretstream_xchacha20poly1305_init_pull(state_of(ret_box),
							    header + BOX_KEYS_LEN, key) != 0)
		return err_raise(ERR_INVAL, "the header is damaged");
	return ERR_OK;
}

enum err box_open(struct box *b, struct bytes sealed, uint8_t *ret_plain, bool *ret_is_last)
{
	unsigned char tag = 0;

	if (b->is_ended || sealed.len < BOX_PIECE_OVERHEAD)
		return err_raise(ERR_AUTH, "a piece cut short, or behind the last one");
	if (crypto_secretstream_xchacha20poly1305_pull(state_of(b), ret_plain, NULL, &tag,
						       sealed.data, sealed.len, NULL, 0) != 0)
		return err_raise(ERR_AUTH, "a piece was altered, or is not the next one");
	b->is_ended = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	*ret_is_last = b->is_ended;
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

void crypt_print_base64(struct bytes piece, struct buf *out)
{
	const size_t room = sodium_base64_ENCODED_LEN(piece.len, sodium_base64_VARIANT_ORIGINAL);
	char *at = (char *)buf_reserve(out, room);

	(void)sodium_bin2base64(at, room, piece.data, piece.len, sodium_base64_VARIANT_ORIGINAL);
	out->len += room - 1; /* the NUL */
}

void crypt_wipe(void *secret, size_t len)
{
	sodium_memzero(secret, len);
}

bool crypt_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}
