#define LOG_TAG "shape"

#include "proto/shape.h"

#include "common/base/check.h"
#include "proto/limits.h"
#include "proto/plain.h"

static const struct shape_field int64_fields[] = {
	{.kind = SHAPE_INT, .is_required = SHAPE_REQUIRED},
};
static const struct shape_field record_fields[] = {
	{.kind = SHAPE_BIN, .is_required = SHAPE_REQUIRED, .max = LIMIT_RECORD_BYTES},
};
static const struct shape_field changeset_fields[] = {
	{.kind = SHAPE_BIN,
	 .is_required = SHAPE_REQUIRED,
	 .max = LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES},
};

const struct shape shape_int64 = {int64_fields, 1, sizeof(int64_t), true};
const struct shape shape_bin_record = {record_fields, 1, sizeof(struct bytes), true};
const struct shape shape_bin_changeset = {changeset_fields, 1, sizeof(struct bytes), true};

static const void *place(const void *message, size_t offset)
{
	return (const uint8_t *)message + offset;
}

static void *place_to(void *message, size_t offset)
{
	return (uint8_t *)message + offset;
}

/* ---- encoding ---- */

static bool is_zero(const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

static size_t list_count(const struct shape_field *f, const void *message)
{
	return *(const size_t *)place(message, f->count_offset);
}

static bool is_default(const struct shape_field *f, const void *message)
{
	const void *at = place(message, f->offset);

	switch (f->kind) {
	case SHAPE_NUMBER:
	case SHAPE_CLOCK: return *(const uint64_t *)at == 0;
	case SHAPE_UINT32: return *(const uint32_t *)at == 0;
	case SHAPE_INT: return *(const int64_t *)at == 0;
	case SHAPE_BOOL: return !*(const bool *)at;
	case SHAPE_FIXED: return is_zero(at, f->max);
	case SHAPE_TEXT:
	case SHAPE_BIN: return ((const struct bytes *)at)->len == 0;
	case SHAPE_VALUE: return ((const struct value *)at)->kind == VALUE_NULL;
	case SHAPE_LIST: return list_count(f, message) == 0;
	}
	UNREACHABLE();
}

/* The longest start of `text` within `max` bytes that does not split a character. */
static struct bytes text_cut(struct bytes text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max != 0 && (text.data[max] & 0xc0) == 0x80)
		max--;
	return bytes_of(text.data, max);
}

static void encode_field(const struct shape_field *f, const void *message, struct packer *p)
{
	const void *at = place(message, f->offset);

	switch (f->kind) {
	case SHAPE_NUMBER: REQUIRE(*(const uint64_t *)at <= INT64_MAX); [[fallthrough]];
	case SHAPE_CLOCK: packer_uint(p, *(const uint64_t *)at); break;
	case SHAPE_UINT32: packer_uint(p, *(const uint32_t *)at); break;
	case SHAPE_INT: packer_int(p, *(const int64_t *)at); break;
	case SHAPE_BOOL: packer_bool(p, *(const bool *)at); break;
	case SHAPE_FIXED: packer_bin(p, bytes_of(at, f->max)); break;
	case SHAPE_TEXT: packer_text(p, text_cut(*(const struct bytes *)at, f->max)); break;
	case SHAPE_BIN: packer_bin(p, *(const struct bytes *)at); break;
	case SHAPE_VALUE: packer_value(p, at); break;
	case SHAPE_LIST: UNREACHABLE();
	}
}

static void encode_map(const struct shape *s, const void *message, struct packer *p);

/* Recursion goes as deep as the tables do: three levels. */
static void encode_list(const struct shape_field *f, const void *message, struct packer *p)
{
	const uint8_t *items = *(const uint8_t *const *)place(message, f->offset);
	size_t count = list_count(f, message);

	REQUIRE(count <= f->max);
	packer_array(p, count);
	for (size_t i = 0; i < count; i++) {
		const void *item = items + i * f->of->size;

		if (f->of->is_bare)
			encode_field(&f->of->fields[0], item, p);
		else
			encode_map(f->of, item, p);
	}
}

static void encode_map(const struct shape *s, const void *message, struct packer *p)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += s->fields[i].is_required || !is_default(&s->fields[i], message);
	packer_map(p, count);
	for (size_t i = 0; i < s->count; i++) {
		const struct shape_field *f = &s->fields[i];

		if (!f->is_required && is_default(f, message))
			continue;
		packer_uint(p, f->key);
		if (f->kind == SHAPE_LIST)
			encode_list(f, message, p);
		else
			encode_field(f, message, p);
	}
}

void shape_encode(const struct shape *s, const void *message, struct packer *p)
{
	REQUIRE(!s->is_bare);
	encode_map(s, message, p);
}

/* ---- decoding ---- */

static enum err wrong_kind(const struct shape_field *f)
{
	return err_raise(ERR_PROTO, "key %u has the wrong kind", (unsigned)f->key);
}

static enum err decode_bytes(const struct shape_field *f, const struct node *n, void *ret_at)
{
	struct bytes bytes;
	bool is_right = f->kind == SHAPE_TEXT ? node_text(n, &bytes) : node_bin(n, &bytes);

	if (!is_right)
		return wrong_kind(f);
	if (f->kind == SHAPE_TEXT && !plain_is_utf8(bytes))
		return err_raise(ERR_PROTO, "key %u is not UTF-8", (unsigned)f->key);
	if (bytes.len > f->max)
		return err_raise(ERR_TOOBIG, "key %u has %zu bytes", (unsigned)f->key, bytes.len);
	*(struct bytes *)ret_at = bytes;
	return ERR_OK;
}

static enum err decode_value(const struct shape_field *f, const struct node *n, void *ret_at)
{
	struct value value;

	if (!node_value(n, &value))
		return wrong_kind(f);
	if ((value.kind == VALUE_TEXT || value.kind == VALUE_BYTES) &&
	    value.bytes.len > LIMIT_VALUE_BYTES)
		return err_raise(ERR_TOOBIG, "value of %zu bytes", value.bytes.len);
	*(struct value *)ret_at = value;
	return ERR_OK;
}

static enum err decode_number(const struct shape_field *f, const struct node *n, void *ret_at)
{
	uint64_t most = f->kind == SHAPE_UINT32   ? UINT32_MAX
			: f->kind == SHAPE_NUMBER ? INT64_MAX
						  : UINT64_MAX;
	uint64_t number;

	if (!node_uint(n, &number) || number > most)
		return wrong_kind(f);
	if (f->kind == SHAPE_UINT32)
		*(uint32_t *)ret_at = (uint32_t)number;
	else
		*(uint64_t *)ret_at = number;
	return ERR_OK;
}

static enum err decode_field(const struct shape_field *f, const struct node *n, void *ret_at)
{
	bool is_right = true;

	switch (f->kind) {
	case SHAPE_NUMBER:
	case SHAPE_CLOCK:
	case SHAPE_UINT32: return decode_number(f, n, ret_at);
	case SHAPE_INT: is_right = node_int(n, ret_at); break;
	case SHAPE_BOOL: is_right = node_bool(n, ret_at); break;
	case SHAPE_FIXED: is_right = node_fixed(n, ret_at, f->max); break;
	case SHAPE_TEXT:
	case SHAPE_BIN: return decode_bytes(f, n, ret_at);
	case SHAPE_VALUE: return decode_value(f, n, ret_at);
	case SHAPE_LIST: UNREACHABLE();
	}
	return is_right ? ERR_OK : wrong_kind(f);
}

static enum err decode_map(const struct shape *s, struct arena *a, const struct node *map,
			   void *ret_message);

static enum err decode_list(const struct shape_field *f, struct arena *a, const struct node *n,
			    void *ret_message)
{
	size_t count;

	if (!node_array(n, &count))
		return wrong_kind(f);
	if (count > f->max)
		return err_raise(ERR_TOOBIG, "key %u has %zu items", (unsigned)f->key, count);

	uint8_t *items = arena_alloc_array(a, count, f->of->size);

	for (size_t i = 0; i < count; i++) {
		const struct node *item = node_item(n, i);
		void *at = items + i * f->of->size;
		enum err e = f->of->is_bare ? decode_field(&f->of->fields[0], item, at)
					    : decode_map(f->of, a, item, at);

		if (e != ERR_OK)
			return e;
	}
	*(void **)place_to(ret_message, f->offset) = items;
	*(size_t *)place_to(ret_message, f->count_offset) = count;
	return ERR_OK;
}

/* NULL: a key this version does not know, or not a number at all. */
static const struct shape_field *field_of(const struct shape *s, const struct node *key)
{
	uint64_t number;

	if (!node_uint(key, &number))
		return NULL;
	for (size_t i = 0; i < s->count; i++) {
		if (s->fields[i].key == number)
			return &s->fields[i];
	}
	return NULL;
}

static enum err check_required(const struct shape *s, uint64_t seen)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct shape_field *f = &s->fields[i];

		if (f->is_required && (seen & UINT64_C(1) << f->key) == 0)
			return err_raise(ERR_PROTO, "key %u is missing", (unsigned)f->key);
	}
	return ERR_OK;
}

static enum err decode_map(const struct shape *s, struct arena *a, const struct node *map,
			   void *ret_message)
{
	uint64_t seen = 0; /* by key */
	size_t count;

	if (!node_map(map, &count))
		return err_raise(ERR_PROTO, "not a map");
	for (size_t i = 0; i < count; i++) {
		const struct shape_field *f = field_of(s, node_key(map, i));
		const struct node *n = node_at(map, i);
		enum err e;

		if (f == NULL)
			continue;
		if ((seen & UINT64_C(1) << f->key) != 0)
			return err_raise(ERR_PROTO, "key %u is there twice", (unsigned)f->key);
		seen |= UINT64_C(1) << f->key;
		if (f->kind == SHAPE_LIST)
			e = decode_list(f, a, n, ret_message);
		else
			e = decode_field(f, n, place_to(ret_message, f->offset));
		if (e != ERR_OK)
			return e;
	}
	return check_required(s, seen);
}

enum err shape_decode(const struct shape *s, const struct guard_limits *limits, struct arena *a,
		      struct bytes bytes, void *ret_message)
{
	const struct node *root;
	enum err e = guard_check(bytes, limits);

	REQUIRE(!s->is_bare);
	memset(ret_message, 0, s->size);
	if (e != ERR_OK)
		return e;

	AUTO(unpacker_free) struct unpacker *u = unpacker_new();

	e = unpacker_read(u, bytes, &root);
	if (e != ERR_OK)
		return e;
	return decode_map(s, a, root, ret_message);
}
