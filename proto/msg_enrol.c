#define LOG_TAG "msg"

#include "common/base/check.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/parts.h"
#include "proto/shape.h"

#define ENROL_PARTS 3u

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_enrol, key, kind, need, max, member)
static const struct shape_field enrol_fields[] = {
	AT(1, SHAPE_FIXED, SHAPE_REQUIRED, 16, code),
	AT(2, SHAPE_FIXED, SHAPE_REQUIRED, SIGN_PUBLIC_LEN, key),
	AT(3, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_DEVICE_NAME_BYTES, name),
	AT(4, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_AUTHOR_BYTES, author),
	AT(5, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_VERSION_BYTES, client_version),
	AT(6, SHAPE_INT, SHAPE_REQUIRED, 0, sent_ms),
	AT(7, SHAPE_FIXED, SHAPE_OPTIONAL, SIGN_PUBLIC_LEN, former),
	AT(8, SHAPE_FIXED, SHAPE_OPTIONAL, SIGN_LEN, vouch),
	AT(9, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, notice),
	AT(10, SHAPE_FIXED, SHAPE_OPTIONAL, ID_LEN, epoch),
};
#undef AT
static const struct shape enrol_shape = SHAPE_OF(struct msg_enrol, enrol_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_enrolled, key, kind, need, max, member)
static const struct shape_field enrolled_fields[] = {
	AT(1, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, daemon),
	AT(2, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, epoch),
	AT(3, SHAPE_UINT32, SHAPE_REQUIRED, 0, device),
	AT(4, SHAPE_FIXED, SHAPE_REQUIRED, SIGN_PUBLIC_LEN, daemon_key),
	SHAPE_LIST_AT(struct msg_enrolled, 5, LIMIT_CURSORS, units, unit_count, &shape_int64),
	AT(6, SHAPE_BOOL, SHAPE_OPTIONAL, 0, is_cleared),
	AT(7, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_AUTHOR_BYTES, author),
	AT(8, SHAPE_INT, SHAPE_REQUIRED, 0, now_ms),
	AT(9, SHAPE_UINT32, SHAPE_OPTIONAL, 0, former),
	AT(10, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, former_number),
	AT(11, SHAPE_FIXED, SHAPE_OPTIONAL, HASH_LEN, former_chain),
};
#undef AT
static const struct shape enrolled_shape = SHAPE_OF(struct msg_enrolled, enrolled_fields);

static void print_vouched(const struct msg_enrol *m, const struct id *daemon, struct buf *out)
{
	buf_append(out, daemon->bytes, ID_LEN);
	buf_append(out, m->code, sizeof m->code);
	buf_append(out, m->key.bytes, SIGN_PUBLIC_LEN);
}

void msg_enrol_vouch(struct msg_enrol *m, const struct id *daemon, const struct sign_pair *former)
{
	AUTO(buf_clear) struct buf text = {0};

	print_vouched(m, daemon, &text);
	m->former = former->public_key;
	m->vouch = sign_make(former, MSG_FORMER_CONTEXT, buf_bytes(&text));
}

bool msg_enrol_has_former(const struct msg_enrol *m)
{
	static const struct sign_public none;

	return memcmp(m->former.bytes, none.bytes, SIGN_PUBLIC_LEN) != 0;
}

bool msg_enrol_is_vouched(const struct msg_enrol *m, const struct id *daemon)
{
	AUTO(buf_clear) struct buf text = {0};

	print_vouched(m, daemon, &text);
	return msg_enrol_has_former(m) &&
	       sign_is_valid(&m->former, MSG_FORMER_CONTEXT, buf_bytes(&text), &m->vouch);
}

void msg_enrol_encode(const struct msg_enrol *m, const struct sign_pair *key, struct buf *out)
{
	AUTO(buf_clear) struct buf payload = {0};
	struct packer p;

	packer_init(&p, &payload, PACK_UNBOUNDED);
	shape_encode(&enrol_shape, m, &p);
	packer_done(&p);

	struct signature sig = sign_make(key, MSG_ENROL_CONTEXT, buf_bytes(&payload));

	packer_init(&p, out, PACK_UNBOUNDED);
	packer_array(&p, ENROL_PARTS);
	packer_uint(&p, MSG_VERSION);
	packer_bin(&p, buf_bytes(&payload));
	packer_bin(&p, bytes_of(sig.bytes, sizeof sig.bytes));
	packer_done(&p);
}

enum err msg_enrol_decode(struct arena *a, struct bytes wire, struct msg_enrol *ret_enrol)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	const struct node *array;
	struct signature sig;
	struct bytes payload;
	struct msg_enrol m;
	enum err e = parts_open(u, wire, LIMIT_ENROL_BYTES, ENROL_PARTS, &array);

	if (e == ERR_OK)
		e = parts_version(array, MSG_VERSION);
	if (e == ERR_OK)
		e = parts_bin(array, 1, &payload);
	if (e == ERR_OK)
		e = parts_signature(array, 2, &sig);
	if (e == ERR_OK)
		e = shape_decode(&enrol_shape, &guard_wire, a, payload, &m);
	if (e != ERR_OK)
		return e;
	/* The key vouches for itself only: the code is what lets it in. */
	if (!sign_is_valid(&m.key, MSG_ENROL_CONTEXT, payload, &sig))
		return err_raise(ERR_AUTH, "enrolment is not signed by the key it brings");
	*ret_enrol = m;
	return ERR_OK;
}

void msg_enrolled_encode(const struct msg_enrolled *m, struct buf *out)
{
	struct packer p;

	packer_init(&p, out, PACK_UNBOUNDED);
	shape_encode(&enrolled_shape, m, &p);
	packer_done(&p);
}

enum err msg_enrolled_decode(struct arena *a, struct bytes message, struct msg_enrolled *ret)
{
	struct msg_enrolled m;
	enum err e = shape_decode(&enrolled_shape, &guard_wire, a, message, &m);

	if (e == ERR_OK)
		*ret = m;
	return e;
}
