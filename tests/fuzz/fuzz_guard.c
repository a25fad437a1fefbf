/* fuzz_guard - what the guard passes, msgpack-c decodes, and its spans fill it. */
#include <stdlib.h>

#include "proto/guard.h"
#include "proto/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	struct bytes message = bytes_of(data, size);
	const struct node *root;

	if (guard_check(message, &guard_wire) != ERR_OK)
		return 0;
	if (unpacker_read(u, message, &root) != ERR_OK)
		abort();
	if (guard_next(&message).bytes.len != size || message.len != 0)
		abort();
	return 0;
}
