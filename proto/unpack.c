#define LOG_TAG "unpack"

#include "proto/unpack.h"

#include <msgpack.h>

#include "common/base/check.h"
#include "common/base/mem.h"

/* Room for the tree of an ordinary change or message without a second chunk. */
#define ZONE_CHUNK_BYTES ((size_t)16 << 10)

struct unpacker {
	msgpack_zone zone;
	msgpack_object root;
};

struct unpacker *unpacker_new(void)
{
	struct unpacker *u = mem_alloc_zero(sizeof *u);
	bool is_there = msgpack_zone_init(&u->zone, ZONE_CHUNK_BYTES);

	if (!is_there)
		check_failed("memory", "msgpack_zone_init", __FILE__, __LINE__);
	return u;
}

void unpacker_free(struct unpacker *u)
{
	if (u == NULL)
		return;
	msgpack_zone_destroy(&u->zone);
	mem_free(u);
}

static const msgpack_object *object(const struct node *n)
{
	return (const msgpack_object *)(const void *)n;
}

static const struct node *node(const msgpack_object *o)
{
	return (const struct node *)(const void *)o;
}

enum err unpacker_read(struct unpacker *u, struct bytes guarded, const struct node **ret_node)
{
	size_t used = 0;

	msgpack_zone_clear(&u->zone);
	/* Not msgpack_unpack_next(): it makes a new zone for every value. */
	msgpack_unpack_return result =
		msgpack_unpack((const char *)guarded.data, guarded.len, &used, &u->zone, &u->root);

	if (result == MSGPACK_UNPACK_NOMEM_ERROR)
		check_failed("memory", "msgpack_unpack", __FILE__, __LINE__);
	if (result != MSGPACK_UNPACK_SUCCESS || used != guarded.len)
		return err_raise(ERR_PROTO, "msgpack does not decode: %d", (int)result);
	*ret_node = node(&u->root);
	return ERR_OK;
}

bool node_uint(const struct node *n, uint64_t *ret_number)
{
	const msgpack_object *o = object(n);

	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return false;
	*ret_number = o->via.u64;
	return true;
}

bool node_int(const struct node *n, int64_t *ret_number)
{
	const msgpack_object *o = object(n);

	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
		*ret_number = o->via.i64;
		return true;
	}
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > INT64_MAX)
		return false;
	*ret_number = (int64_t)o->via.u64;
	return true;
}

bool node_bool(const struct node *n, bool *ret_boolean)
{
	const msgpack_object *o = object(n);

	if (o->type != MSGPACK_OBJECT_BOOLEAN)
		return false;
	*ret_boolean = o->via.boolean;
	return true;
}

bool node_text(const struct node *n, struct bytes *ret_text)
{
	const msgpack_object *o = object(n);

	if (o->type != MSGPACK_OBJECT_STR)
		return false;
	*ret_text = bytes_of(o->via.str.ptr, o->via.str.size);
	return true;
}

bool node_bin(const struct node *n, struct bytes *ret_data)
{
	const msgpack_object *o = object(n);

	if (o->type != MSGPACK_OBJECT_BIN)
		return false;
	*ret_data = bytes_of(o->via.bin.ptr, o->via.bin.size);
	return true;
}

bool node_fixed(const struct node *n, void *ret_data, size_t len)
{
	struct bytes data;

	if (!node_bin(n, &data) || data.len != len)
		return false;
	memcpy(ret_data, data.data, len);
	return true;
}

bool node_value(const struct node *n, struct value *ret_value)
{
	struct bytes bytes;
	int64_t number;
	bool boolean;

	if (object(n)->type == MSGPACK_OBJECT_NIL)
		*ret_value = VALUE_NONE;
	else if (node_text(n, &bytes))
		*ret_value = value_text(bytes);
	else if (node_int(n, &number))
		*ret_value = value_int(number);
	else if (node_bool(n, &boolean))
		*ret_value = value_bool(boolean);
	else if (node_bin(n, &bytes))
		*ret_value = value_bytes(bytes);
	else
		return false;
	return true;
}

bool node_array(const struct node *n, size_t *ret_count)
{
	if (object(n)->type != MSGPACK_OBJECT_ARRAY)
		return false;
	*ret_count = object(n)->via.array.size;
	return true;
}

bool node_map(const struct node *n, size_t *ret_count)
{
	if (object(n)->type != MSGPACK_OBJECT_MAP)
		return false;
	*ret_count = object(n)->via.map.size;
	return true;
}

const struct node *node_item(const struct node *array, size_t i)
{
	REQUIRE(object(array)->type == MSGPACK_OBJECT_ARRAY);
	REQUIRE(i < object(array)->via.array.size);
	return node(&object(array)->via.array.ptr[i]);
}

const struct node *node_key(const struct node *map, size_t i)
{
	REQUIRE(object(map)->type == MSGPACK_OBJECT_MAP);
	REQUIRE(i < object(map)->via.map.size);
	return node(&object(map)->via.map.ptr[i].key);
}

const struct node *node_at(const struct node *map, size_t i)
{
	REQUIRE(object(map)->type == MSGPACK_OBJECT_MAP);
	REQUIRE(i < object(map)->via.map.size);
	return node(&object(map)->via.map.ptr[i].val);
}

const struct node *node_find(const struct node *map, uint64_t key)
{
	size_t count = 0;
	uint64_t found;

	if (!node_map(map, &count))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (node_uint(node_key(map, i), &found) && found == key)
			return node_at(map, i);
	}
	return NULL;
}
