#define LOG_TAG "msg"

#include "common/base/check.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/parts.h"
#include "proto/shape.h"

#define RECEIPT_PARTS 2u

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_repair, key, kind, need, max, member)
static const struct shape_field repair_fields[] = {
	AT(1, SHAPE_NUMBER, SHAPE_REQUIRED, 0, first),
	AT(2, SHAPE_NUMBER, SHAPE_REQUIRED, 0, count),
	AT(3, SHAPE_INT, SHAPE_OPTIONAL, 0, repair.shift_ms),
	AT(4, SHAPE_CLOCK, SHAPE_OPTIONAL, 0, repair.ceiling),
	AT(5, SHAPE_CLOCK, SHAPE_OPTIONAL, 0, repair.floor),
	AT(6, SHAPE_BOOL, SHAPE_OPTIONAL, 0, repair.is_flagged),
	AT(7, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, log),
};
#undef AT
static const struct shape repair_shape = SHAPE_OF(struct msg_repair, repair_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_receipt, key, kind, need, max, member)
static const struct shape_field receipt_fields[] = {
	AT(1, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, daemon),
	AT(2, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, epoch),
	AT(3, SHAPE_UINT32, SHAPE_REQUIRED, 0, device),
	AT(4, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, number),
	AT(5, SHAPE_FIXED, SHAPE_OPTIONAL, HASH_LEN, chain),
	AT(6, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, backed_up),
	AT(7, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, log),
	AT(8, SHAPE_INT, SHAPE_REQUIRED, 0, at_ms),
	SHAPE_LIST_AT(struct msg_receipt, 9, LIMIT_CHANGESETS, repairs, repair_count,
		      &repair_shape),
};
#undef AT
static const struct shape receipt_shape = SHAPE_OF(struct msg_receipt, receipt_fields);

void msg_receipt_encode(const struct msg_receipt *m, const struct sign_pair *key, struct buf *out)
{
	AUTO(buf_clear) struct buf body = {0};
	struct packer p;

	packer_init(&p, &body, PACK_UNBOUNDED);
	shape_encode(&receipt_shape, m, &p);
	packer_done(&p);

	struct signature sig = sign_make(key, MSG_RECEIPT_CONTEXT, buf_bytes(&body));

	packer_init(&p, out, PACK_UNBOUNDED);
	packer_array(&p, RECEIPT_PARTS);
	packer_bin(&p, buf_bytes(&body));
	packer_bin(&p, bytes_of(sig.bytes, sizeof sig.bytes));
	packer_done(&p);
}

enum err msg_receipt_decode(struct arena *a, struct bytes wire, const struct sign_public *key,
			    struct msg_receipt *ret_receipt)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	const struct node *array;
	struct signature sig;
	struct bytes body;
	struct msg_receipt m;
	enum err e = parts_open(u, wire, LIMIT_RECEIPT_BYTES, RECEIPT_PARTS, &array);

	if (e == ERR_OK)
		e = parts_bin(array, 0, &body);
	if (e == ERR_OK)
		e = parts_signature(array, 1, &sig);
	if (e != ERR_OK)
		return e;
	if (key != NULL && !sign_is_valid(key, MSG_RECEIPT_CONTEXT, body, &sig))
		return err_raise(ERR_AUTH, "receipt is not signed by the daemon's key");
	e = shape_decode(&receipt_shape, &guard_wire, a, body, &m);
	if (e == ERR_OK)
		*ret_receipt = m;
	return e;
}
