#define LOG_TAG "parts"

#include "proto/parts.h"

#include "proto/guard.h"

enum err parts_open(struct unpacker *u, struct bytes wire, size_t max_bytes, size_t count,
		    const struct node **ret_array)
{
	const struct guard_limits limits = {
		.bytes = max_bytes,
		.string = max_bytes,
		.nodes = count + 1,
		.depth = 1,
	};
	const struct node *root;
	size_t got;
	enum err e = guard_check(wire, &limits);

	if (e != ERR_OK)
		return e;
	e = unpacker_read(u, wire, &root);
	if (e != ERR_OK)
		return e;
	if (!node_array(root, &got) || got != count)
		return err_raise(ERR_PROTO, "not an array of %zu parts", count);
	*ret_array = root;
	return ERR_OK;
}

enum err parts_bin(const struct node *array, size_t i, struct bytes *ret_data)
{
	if (!node_bin(node_item(array, i), ret_data))
		return err_raise(ERR_PROTO, "part %zu is not a bin", i);
	return ERR_OK;
}

enum err parts_uint(const struct node *array, size_t i, uint64_t max, uint64_t *ret_number)
{
	uint64_t number;

	if (!node_uint(node_item(array, i), &number) || number > max)
		return err_raise(ERR_PROTO, "part %zu is not a number in range", i);
	*ret_number = number;
	return ERR_OK;
}

enum err parts_signature(const struct node *array, size_t i, struct signature *ret_signature)
{
	if (!node_fixed(node_item(array, i), ret_signature->bytes, sizeof ret_signature->bytes))
		return err_raise(ERR_PROTO, "part %zu is not a signature", i);
	return ERR_OK;
}

enum err parts_hash(const struct node *array, size_t i, struct hash *ret_hash)
{
	if (!node_fixed(node_item(array, i), ret_hash->bytes, sizeof ret_hash->bytes))
		return err_raise(ERR_PROTO, "part %zu is not a hash", i);
	return ERR_OK;
}

enum err parts_version(const struct node *array, uint64_t version)
{
	uint64_t got;
	enum err e = parts_uint(array, 0, UINT64_MAX, &got);

	if (e != ERR_OK)
		return e;
	if (got != version)
		return err_raise(ERR_INVAL, "version %llu is not known here",
				 (unsigned long long)got);
	return ERR_OK;
}
