#include "daemon/store_pack.h"

#define ENTRY_LONG     0xffu
#define ENTRY_STEP_MAX 15u
#define ENTRY_WRITERS  15u

struct pack_reader pack_open(struct bytes bytes)
{
	static const uint8_t nothing;

	if (bytes.len == 0)
		return (struct pack_reader){.at = &nothing, .end = &nothing};
	return (struct pack_reader){.at = bytes.data, .end = bytes.data + bytes.len};
}

void pack_uint(struct buf *out, uint64_t value)
{
	while (value >= 0x80) {
		buf_append_byte(out, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	buf_append_byte(out, (uint8_t)value);
}

void pack_int(struct buf *out, int64_t value)
{
	uint64_t bits = (uint64_t)value;

	pack_uint(out, (bits << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void pack_bytes(struct buf *out, struct bytes bytes)
{
	pack_uint(out, bytes.len);
	buf_append_bytes(out, bytes);
}

void pack_u64(struct buf *out, uint64_t value)
{
	uint8_t *at = buf_reserve(out, 8);

	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> (56 - 8 * i));
	out->len += 8;
}

void pack_value(struct buf *out, const struct value *v)
{
	buf_append_byte(out, (uint8_t)v->kind);
	switch (v->kind) {
	case VALUE_NULL: break;
	case VALUE_BOOL: buf_append_byte(out, v->boolean); break;
	case VALUE_INT: pack_int(out, v->integer); break;
	case VALUE_TEXT:
	case VALUE_BYTES: pack_bytes(out, v->bytes); break;
	}
}

static void fail(struct pack_reader *r)
{
	r->is_bad = true;
	r->at = r->end;
}

uint8_t unpack_byte(struct pack_reader *r)
{
	if (r->at == r->end) {
		fail(r);
		return 0;
	}
	return *r->at++;
}

uint64_t unpack_uint(struct pack_reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = unpack_byte(r);

		value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0)
			return r->is_bad ? 0 : value;
	}
	fail(r);
	return 0;
}

int64_t unpack_int(struct pack_reader *r)
{
	uint64_t bits = unpack_uint(r);

	return (int64_t)((bits >> 1) ^ ((bits & 1) != 0 ? UINT64_MAX : 0));
}

uint64_t unpack_u64(struct pack_reader *r)
{
	uint64_t value = 0;

	if (r->end - r->at < 8) {
		fail(r);
		return 0;
	}
	for (int i = 0; i < 8; i++)
		value = value << 8 | *r->at++;
	return value;
}

struct bytes unpack_bytes(struct pack_reader *r)
{
	uint64_t len = unpack_uint(r);
	struct bytes piece;

	if (len > (uint64_t)(r->end - r->at)) {
		fail(r);
		return BYTES_NONE;
	}
	piece = bytes_of(r->at, (size_t)len);
	r->at += len;
	return piece;
}

struct value unpack_value(struct pack_reader *r)
{
	uint8_t kind = unpack_byte(r);

	if (kind == VALUE_BOOL)
		return value_bool(unpack_byte(r) != 0);
	if (kind == VALUE_INT)
		return value_int(unpack_int(r));
	if (kind == VALUE_TEXT)
		return value_text(unpack_bytes(r));
	if (kind == VALUE_BYTES)
		return value_bytes(unpack_bytes(r));
	if (kind != VALUE_NULL)
		fail(r);
	return VALUE_NONE;
}

void pack_entry(struct buf *out, uint64_t step, uint64_t writer)
{
	if (step <= ENTRY_STEP_MAX && writer < ENTRY_WRITERS) {
		buf_append_byte(out, (uint8_t)((step - 1) << 4 | writer));
		return;
	}
	buf_append_byte(out, ENTRY_LONG);
	pack_uint(out, step);
	pack_uint(out, writer);
}

void unpack_entry(struct pack_reader *r, uint64_t *number, uint64_t *ret_writer)
{
	uint8_t byte = unpack_byte(r);

	if (byte == ENTRY_LONG) {
		*number += unpack_uint(r);
		*ret_writer = unpack_uint(r);
		return;
	}
	*number += (uint64_t)(byte >> 4) + 1;
	*ret_writer = byte & 0x0f;
}
