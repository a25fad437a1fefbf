#define LOG_TAG "msg"

#include "common/base/check.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/pack.h"
#include "proto/parts.h"
#include "proto/squeeze.h"

/* Below this zstd's own head eats what it saves. */
#define PACK_FROM_BYTES 128u

#define ENVELOPE_PARTS 6u
#define ANSWER_PARTS   3u

/* daemon (16) | device (4) | counter (8) | packing (1) | hash of the payload (32) */
#define SIGNED_LEN (ID_LEN + 4u + 8u + 1u + HASH_LEN)

static void put_be(uint8_t *at, uint64_t n, size_t len)
{
	for (size_t i = len; i-- > 0; n >>= 8)
		at[i] = (uint8_t)n;
}

static void signed_bytes(const struct msg_envelope *e, const struct id *daemon,
			 uint8_t ret_data[SIGNED_LEN])
{
	struct hash payload = hash_of(e->payload);
	uint8_t *at = ret_data;

	memcpy(at, daemon->bytes, ID_LEN);
	at += ID_LEN;
	put_be(at, e->device, 4);
	at += 4;
	put_be(at, e->counter, 8);
	at += 8;
	*at++ = e->packing;
	memcpy(at, payload.bytes, HASH_LEN);
}

static uint8_t pack_message(struct bytes message, struct buf *packed, struct bytes *ret_payload)
{
	if (message.len >= PACK_FROM_BYTES && squeeze_pack(message, packed)) {
		*ret_payload = buf_bytes(packed);
		return MSG_PACKING_ZSTD;
	}
	*ret_payload = message;
	return MSG_PACKING_NONE;
}

void msg_envelope_seal(const struct id *daemon, uint32_t device, uint64_t counter,
		       struct bytes message, const struct sign_pair *key, struct buf *out)
{
	AUTO(buf_clear) struct buf packed = {0};
	struct msg_envelope e = {.device = device, .counter = counter};
	uint8_t data[SIGNED_LEN];
	struct packer p;

	REQUIRE(message.len <= LIMIT_PLAIN_BYTES);
	REQUIRE(counter <= INT64_MAX);
	e.packing = pack_message(message, &packed, &e.payload);
	signed_bytes(&e, daemon, data);
	e.signature = sign_make(key, MSG_REQUEST_CONTEXT, bytes_of(data, sizeof data));

	packer_init(&p, out, PACK_UNBOUNDED);
	packer_array(&p, ENVELOPE_PARTS);
	packer_uint(&p, MSG_VERSION);
	packer_uint(&p, e.device);
	packer_uint(&p, e.counter);
	packer_uint(&p, e.packing);
	packer_bin(&p, e.payload);
	packer_bin(&p, bytes_of(e.signature.bytes, sizeof e.signature.bytes));
	packer_done(&p);
}

static enum err read_packing(const struct node *array, size_t i, uint8_t *ret_packing)
{
	uint64_t packing;
	enum err e = parts_uint(array, i, UINT8_MAX, &packing);

	if (e != ERR_OK)
		return e;
	if (packing > MSG_PACKING_ZSTD)
		return err_raise(ERR_INVAL, "packing %u is not known here", (unsigned)packing);
	*ret_packing = (uint8_t)packing;
	return ERR_OK;
}

static enum err read_envelope(const struct node *array, struct msg_envelope *ret_envelope)
{
	uint64_t device = 0;
	enum err e = parts_version(array, MSG_VERSION);

	if (e == ERR_OK)
		e = parts_uint(array, 1, UINT32_MAX, &device);
	if (e == ERR_OK)
		e = parts_uint(array, 2, INT64_MAX, &ret_envelope->counter);
	if (e == ERR_OK)
		e = read_packing(array, 3, &ret_envelope->packing);
	if (e == ERR_OK)
		e = parts_bin(array, 4, &ret_envelope->payload);
	if (e == ERR_OK)
		e = parts_signature(array, 5, &ret_envelope->signature);
	if (e == ERR_OK)
		ret_envelope->device = (uint32_t)device;
	return e;
}

enum err msg_envelope_open(struct bytes wire, struct msg_envelope *ret_envelope)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	struct msg_envelope envelope = {0};
	const struct node *array;
	enum err e = parts_open(u, wire, LIMIT_REQUEST_BYTES, ENVELOPE_PARTS, &array);

	if (e == ERR_OK)
		e = read_envelope(array, &envelope);
	if (e == ERR_OK)
		*ret_envelope = envelope;
	return e;
}

bool msg_envelope_is_valid(const struct msg_envelope *e, const struct id *daemon,
			   const struct sign_public *key)
{
	uint8_t data[SIGNED_LEN];

	signed_bytes(e, daemon, data);
	return sign_is_valid(key, MSG_REQUEST_CONTEXT, bytes_of(data, sizeof data), &e->signature);
}

enum err msg_unpack(struct arena *a, uint8_t packing, struct bytes payload,
		    struct bytes *ret_message)
{
	switch (packing) {
	case MSG_PACKING_NONE:
		if (payload.len > LIMIT_PLAIN_BYTES)
			return err_raise(ERR_TOOBIG, "message of %zu bytes", payload.len);
		*ret_message = payload;
		return ERR_OK;
	case MSG_PACKING_ZSTD: return squeeze_open(a, payload, LIMIT_PLAIN_BYTES, ret_message);
	}
	return err_raise(ERR_INVAL, "packing %u is not known here", (unsigned)packing);
}

void msg_answer_seal(struct bytes message, struct buf *out)
{
	AUTO(buf_clear) struct buf packed = {0};
	struct bytes payload;
	uint8_t packing = pack_message(message, &packed, &payload);
	struct packer p;

	REQUIRE(message.len <= LIMIT_PLAIN_BYTES);
	packer_init(&p, out, PACK_UNBOUNDED);
	packer_array(&p, ANSWER_PARTS);
	packer_uint(&p, MSG_VERSION);
	packer_uint(&p, packing);
	packer_bin(&p, payload);
	packer_done(&p);
}

enum err msg_answer_open(struct arena *a, struct bytes wire, struct bytes *ret_message)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	const struct node *array;
	struct bytes payload;
	uint8_t packing = MSG_PACKING_NONE;
	enum err e = parts_open(u, wire, LIMIT_PLAIN_BYTES, ANSWER_PARTS, &array);

	if (e == ERR_OK)
		e = parts_version(array, MSG_VERSION);
	if (e == ERR_OK)
		e = read_packing(array, 1, &packing);
	if (e == ERR_OK)
		e = parts_bin(array, 2, &payload);
	if (e != ERR_OK)
		return e;
	return msg_unpack(a, packing, payload, ret_message);
}
