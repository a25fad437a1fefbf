#define LOG_TAG "pack"

#include "proto/pack.h"

#include <msgpack.h>

#include "common/base/check.h"

void packer_init(struct packer *p, struct buf *out, size_t max_bytes)
{
	*p = (struct packer){
		.out = out, .start = out->len, .max_bytes = max_bytes, .error = ERR_OK};
}

enum err packer_finish(struct packer *p)
{
	if (p->error != ERR_OK)
		p->out->len = p->start;
	return p->error;
}

void packer_done(struct packer *p)
{
	REQUIRE(p->max_bytes == PACK_UNBOUNDED);
	ENSURE(p->error == ERR_OK);
}

void packer_fail(struct packer *p, enum err e)
{
	if (p->error == ERR_OK)
		p->error = e;
}

/* msgpack-c hands over every piece here; what does not fit is left out for good. */
static int on_piece(void *data, const char *piece, size_t len)
{
	struct packer *p = data;

	if (p->error != ERR_OK)
		return -1;
	if (len > p->max_bytes - (p->out->len - p->start)) {
		p->error = err_raise(ERR_TOOBIG, "more than %zu bytes", p->max_bytes);
		return -1;
	}
	buf_append(p->out, piece, len);
	return 0;
}

static msgpack_packer writer(struct packer *p)
{
	return (msgpack_packer){.data = p, .callback = on_piece};
}

void packer_array(struct packer *p, size_t count)
{
	msgpack_packer w = writer(p);

	msgpack_pack_array(&w, count);
}

void packer_map(struct packer *p, size_t count)
{
	msgpack_packer w = writer(p);

	msgpack_pack_map(&w, count);
}

void packer_uint(struct packer *p, uint64_t n)
{
	msgpack_packer w = writer(p);

	msgpack_pack_uint64(&w, n);
}

void packer_int(struct packer *p, int64_t n)
{
	msgpack_packer w = writer(p);

	msgpack_pack_int64(&w, n);
}

void packer_bool(struct packer *p, bool boolean)
{
	msgpack_packer w = writer(p);

	if (boolean)
		msgpack_pack_true(&w);
	else
		msgpack_pack_false(&w);
}

static void packer_nil(struct packer *p)
{
	msgpack_packer w = writer(p);

	msgpack_pack_nil(&w);
}

void packer_text(struct packer *p, struct bytes text)
{
	msgpack_packer w = writer(p);

	REQUIRE(text.len <= UINT32_MAX);
	msgpack_pack_str(&w, text.len);
	msgpack_pack_str_body(&w, text.data, text.len);
}

void packer_bin(struct packer *p, struct bytes data)
{
	msgpack_packer w = writer(p);

	REQUIRE(data.len <= UINT32_MAX);
	msgpack_pack_bin(&w, data.len);
	msgpack_pack_bin_body(&w, data.data, data.len);
}

void packer_value(struct packer *p, const struct value *v)
{
	switch (v->kind) {
	case VALUE_NULL: packer_nil(p); break;
	case VALUE_BOOL: packer_bool(p, v->boolean); break;
	case VALUE_INT: packer_int(p, v->integer); break;
	case VALUE_TEXT: packer_text(p, v->bytes); break;
	case VALUE_BYTES: packer_bin(p, v->bytes); break;
	}
}

void packer_packed(struct packer *p, struct bytes packed)
{
	(void)on_piece(p, (const char *)packed.data, packed.len);
}
