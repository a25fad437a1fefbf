/*
 * fuzz_msg - whatever decodes encodes to bytes that decode to the same bytes.
 *
 * The first byte chooses the message.
 */
#include <stdlib.h>

#include "proto/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sign_pair *key(void)
{
	static struct sign_pair pair;
	static bool is_made;
	const uint8_t seed[32] = {5};

	if (!is_made)
		sign_pair_from_seed(seed, &pair);
	is_made = true;
	return &pair;
}

/* Decodes and encodes again; false when it does not decode. */
typedef bool (*again_fn)(struct arena *a, struct bytes bytes, struct buf *out);

static bool again_enrol(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_enrol m;

	if (msg_enrol_decode(a, bytes, &m) != ERR_OK)
		return false;
	m.key = key()->public_key;
	msg_enrol_encode(&m, key(), out);
	return true;
}

static bool again_enrolled(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_enrolled m;

	if (msg_enrolled_decode(a, bytes, &m) != ERR_OK)
		return false;
	msg_enrolled_encode(&m, out);
	return true;
}

static bool again_sync(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_sync m;

	if (msg_sync_decode(a, bytes, &m) != ERR_OK)
		return false;
	msg_sync_encode(&m, out);
	return true;
}

static bool again_receipt(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_receipt m;

	if (msg_receipt_decode(a, bytes, NULL, &m) != ERR_OK)
		return false;
	msg_receipt_encode(&m, key(), out);
	return true;
}

static bool again_synced(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_synced m;

	if (msg_synced_decode(a, bytes, &m) != ERR_OK)
		return false;
	msg_synced_encode(&m, out);
	return true;
}

static bool again_refusal(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_refusal m;

	if (msg_refusal_decode(a, bytes, &m) != ERR_OK)
		return false;
	msg_refusal_encode(&m, out);
	return true;
}

static bool again_units(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct msg_unit *units;
	uint64_t version;
	size_t count;

	if (msg_units_decode(a, bytes, &units, &count, &version) != ERR_OK)
		return false;
	msg_units_encode(units, count, version, out);
	return true;
}

static bool again_envelope(struct arena *a, struct bytes bytes, struct buf *out)
{
	const struct id daemon = {{0}};
	struct msg_envelope e;
	struct bytes message;

	if (msg_envelope_open(bytes, &e) != ERR_OK)
		return false;
	if (msg_unpack(a, e.packing, e.payload, &message) != ERR_OK)
		return false;
	msg_envelope_seal(&daemon, e.device, e.counter, message, key(), out);
	return true;
}

static bool again_answer(struct arena *a, struct bytes bytes, struct buf *out)
{
	struct bytes message;

	if (msg_answer_open(a, bytes, &message) != ERR_OK)
		return false;
	msg_answer_seal(message, out);
	return true;
}

static const again_fn agains[] = {
	again_enrol,   again_enrolled, again_sync,     again_receipt, again_synced,
	again_refusal, again_units,    again_envelope, again_answer,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf once = {0};
	AUTO(buf_clear) struct buf twice = {0};

	if (size == 0)
		return 0;
	again_fn again = agains[data[0] % (sizeof agains / sizeof agains[0])];

	if (!again(&a, bytes_of(data + 1, size - 1), &once))
		return 0;
	if (!again(&a, buf_bytes(&once), &twice))
		abort();
	if (!bytes_equal(buf_bytes(&once), buf_bytes(&twice)))
		abort();
	return 0;
}
