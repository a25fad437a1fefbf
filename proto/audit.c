#include "proto/audit.h"

#include <string.h>

#include "common/base/buf.h"

static void put_u64(struct buf *out, uint64_t value)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		buf_append_byte(out, (uint8_t)(value >> shift));
}

/* The length as the store's packed columns write it: LEB128. */
static void put_bytes(struct buf *out, struct bytes bytes)
{
	size_t len = bytes.len;

	while (len >= 0x80) {
		buf_append_byte(out, (uint8_t)(len | 0x80));
		len >>= 7;
	}
	buf_append_byte(out, (uint8_t)len);
	buf_append_bytes(out, bytes);
}

struct hash audit_hash(int64_t at_ms, struct bytes who, struct bytes what,
		       const struct hash *detail)
{
	AUTO(buf_clear) struct buf entry = {0};

	put_u64(&entry, (uint64_t)at_ms);
	put_bytes(&entry, who);
	put_bytes(&entry, what);
	put_bytes(&entry, bytes_of(detail->bytes, HASH_LEN));
	return hash_of(buf_bytes(&entry));
}

bool audit_chain_take(struct audit_chain *chain, const struct audit_entry *entry)
{
	struct hash hash = audit_hash(entry->at_ms, entry->who, entry->what, &entry->detail_hash);
	struct hash head =
		hash_of_two(bytes_of(chain->head.bytes, HASH_LEN), bytes_of(hash.bytes, HASH_LEN));

	if (entry->entry != chain->entries + 1 ||
	    memcmp(hash.bytes, entry->hash.bytes, HASH_LEN) != 0 ||
	    memcmp(head.bytes, entry->chain.bytes, HASH_LEN) != 0)
		return false;
	chain->entries++;
	chain->head = head;
	return true;
}

static void print_pinned(const struct audit_checkpoint *c, struct buf *out)
{
	buf_append(out, c->daemon.bytes, ID_LEN);
	put_u64(out, (uint64_t)c->at_ms);
	put_u64(out, c->log);
	put_u64(out, c->chain.entries);
	buf_append(out, c->chain.head.bytes, HASH_LEN);
	put_u64(out, c->head_count);
	for (size_t i = 0; i < c->head_count; i++) {
		put_u64(out, c->heads[i].device);
		put_u64(out, c->heads[i].number);
		buf_append(out, c->heads[i].chain.bytes, HASH_LEN);
	}
}

struct signature audit_checkpoint_sign(const struct audit_checkpoint *c,
				       const struct sign_pair *key)
{
	AUTO(buf_clear) struct buf pinned = {0};

	print_pinned(c, &pinned);
	return sign_make(key, AUDIT_CONTEXT, buf_bytes(&pinned));
}

bool audit_checkpoint_is_signed(const struct audit_checkpoint *c, const struct sign_public *key,
				const struct signature *signature)
{
	AUTO(buf_clear) struct buf pinned = {0};

	print_pinned(c, &pinned);
	return sign_is_valid(key, AUDIT_CONTEXT, buf_bytes(&pinned), signature);
}
