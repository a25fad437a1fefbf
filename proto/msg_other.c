/* Refusals and unit lists: what daemon and client say beside enrolment and sync. */
#define LOG_TAG "msg"

#include "common/base/check.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/shape.h"

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_refusal, key, kind, need, max, member)
static const struct shape_field refusal_fields[] = {
	AT(1, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_CODE_BYTES, code),
	AT(2, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_TEXT_BYTES, text),
	AT(3, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, expected),
	AT(4, SHAPE_FIXED, SHAPE_OPTIONAL, HASH_LEN, chain),
	AT(5, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, retry_after_s),
};
#undef AT
static const struct shape refusal_shape = SHAPE_OF(struct msg_refusal, refusal_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_unit, key, kind, need, max, member)
static const struct shape_field unit_fields[] = {
	AT(1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	AT(2, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_CODE_BYTES, code),
	AT(3, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_TEXT_BYTES, name),
	AT(4, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_CODE_BYTES, kind),
	AT(5, SHAPE_INT, SHAPE_OPTIONAL, 0, parent),
	AT(6, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_CODE_BYTES, valid_from),
	AT(7, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_CODE_BYTES, valid_until),
};
#undef AT
static const struct shape unit_shape = SHAPE_OF(struct msg_unit, unit_fields);

struct units {
	union {
		const struct msg_unit *units; /* what is encoded is only read */
		struct msg_unit *decoded;
	};
	size_t count;
	uint64_t version;
};

static const struct shape_field units_fields[] = {
	SHAPE_AT(struct units, 1, SHAPE_NUMBER, SHAPE_REQUIRED, 0, version),
	SHAPE_LIST_AT(struct units, 2, LIMIT_UNITS, units, count, &unit_shape),
};
static const struct shape units_shape = SHAPE_OF(struct units, units_fields);

static void encode(const struct shape *s, const void *m, struct buf *out)
{
	struct packer p;

	packer_init(&p, out, PACK_UNBOUNDED);
	shape_encode(s, m, &p);
	packer_done(&p);
}

void msg_refusal_encode(const struct msg_refusal *m, struct buf *out)
{
	encode(&refusal_shape, m, out);
}

enum err msg_refusal_decode(struct arena *a, struct bytes message, struct msg_refusal *ret)
{
	struct msg_refusal m;
	enum err e = shape_decode(&refusal_shape, &guard_wire, a, message, &m);

	if (e == ERR_OK)
		*ret = m;
	return e;
}

void msg_units_encode(const struct msg_unit *units, size_t count, uint64_t version, struct buf *out)
{
	const struct units m = {.units = units, .count = count, .version = version};

	encode(&units_shape, &m, out);
}

enum err msg_units_decode(struct arena *a, struct bytes message, struct msg_unit **ret_units,
			  size_t *ret_count, uint64_t *ret_version)
{
	struct units m;
	enum err e = shape_decode(&units_shape, &guard_wire, a, message, &m);

	if (e != ERR_OK)
		return e;
	*ret_units = m.decoded;
	*ret_count = m.count;
	*ret_version = m.version;
	return ERR_OK;
}
