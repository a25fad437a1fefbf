#define LOG_TAG "msg"

#include "common/base/check.h"
#include "common/model/digest.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/shape.h"

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_cursor, key, kind, need, max, member)
static const struct shape_field cursor_fields[] = {
	AT(1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	AT(2, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, log),
	AT(3, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, behind),
};
#undef AT
static const struct shape cursor_shape = SHAPE_OF(struct msg_cursor, cursor_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_buckets, key, kind, need, max, member)
static const struct shape_field buckets_fields[] = {
	AT(1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	AT(2, SHAPE_BIN, SHAPE_REQUIRED, DIGEST_WIRE_LEN, wire),
};
#undef AT
static const struct shape buckets_shape = SHAPE_OF(struct msg_buckets, buckets_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_stray, key, kind, need, max, member)
static const struct shape_field stray_fields[] = {
	AT(1, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_NAME_BYTES, type),
	AT(2, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, id),
};
#undef AT
static const struct shape stray_shape = SHAPE_OF(struct msg_stray, stray_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_sync, key, kind, need, max, member)
static const struct shape_field sync_fields[] = {
	AT(1, SHAPE_FIXED, SHAPE_OPTIONAL, ID_LEN, epoch),
	AT(2, SHAPE_INT, SHAPE_REQUIRED, 0, sent_ms),
	AT(3, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_VERSION_BYTES, client_version),
	AT(4, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_AUTHOR_BYTES, author),
	AT(5, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, max_bytes),
	AT(6, SHAPE_FIXED, SHAPE_OPTIONAL, 8, schema_version),
	AT(7, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, units_version),
	AT(8, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, notice),
	AT(9, SHAPE_BOOL, SHAPE_OPTIONAL, 0, is_first_pull),
	SHAPE_LIST_AT(struct msg_sync, 10, LIMIT_CURSORS, cursors, cursor_count, &cursor_shape),
	SHAPE_LIST_AT(struct msg_sync, 11, LIMIT_CHANGESETS, changesets, changeset_count,
		      &shape_bin_changeset),
	AT(12, SHAPE_BOOL, SHAPE_OPTIONAL, 0, wants_digests),
	SHAPE_LIST_AT(struct msg_sync, 13, LIMIT_DIGEST_UNITS, buckets, bucket_count,
		      &buckets_shape),
	SHAPE_LIST_AT(struct msg_sync, 14, LIMIT_STRAYS, strays, stray_count, &stray_shape),
	AT(15, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, sealed),
};
#undef AT
static const struct shape sync_shape = SHAPE_OF(struct msg_sync, sync_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_result, key, kind, need, max, member)
static const struct shape_field result_fields[] = {
	AT(1, SHAPE_NUMBER, SHAPE_REQUIRED, 0, number),
	AT(2, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_CODE_BYTES, code),
	AT(3, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_NAME_BYTES, field),
	AT(4, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_TEXT_BYTES, text),
	AT(5, SHAPE_BOOL, SHAPE_OPTIONAL, 0, is_quarantined),
	AT(6, SHAPE_CLOCK, SHAPE_OPTIONAL, 0, clock),
	AT(7, SHAPE_UINT32, SHAPE_OPTIONAL, 0, device),
	AT(8, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, log),
};
#undef AT
static const struct shape result_shape = SHAPE_OF(struct msg_result, result_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_evict, key, kind, need, max, member)
static const struct shape_field evict_fields[] = {
	AT(1, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_NAME_BYTES, type),
	AT(2, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, id),
	AT(3, SHAPE_INT, SHAPE_OPTIONAL, 0, unit),
	AT(4, SHAPE_BOOL, SHAPE_OPTIONAL, 0, is_erased),
};
#undef AT
static const struct shape evict_shape = SHAPE_OF(struct msg_evict, evict_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_notice, key, kind, need, max, member)
static const struct shape_field notice_fields[] = {
	AT(1, SHAPE_NUMBER, SHAPE_REQUIRED, 0, notice),
	AT(2, SHAPE_TEXT, SHAPE_REQUIRED, LIMIT_CODE_BYTES, kind),
	AT(3, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_NAME_BYTES, type),
	AT(4, SHAPE_FIXED, SHAPE_OPTIONAL, ID_LEN, id),
	AT(5, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_NAME_BYTES, field),
	AT(6, SHAPE_VALUE, SHAPE_OPTIONAL, 0, kept),
	AT(7, SHAPE_VALUE, SHAPE_OPTIONAL, 0, lost),
	AT(8, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_AUTHOR_BYTES, by),
	AT(9, SHAPE_INT, SHAPE_OPTIONAL, 0, at_ms),
	AT(10, SHAPE_TEXT, SHAPE_OPTIONAL, LIMIT_TEXT_BYTES, text),
	AT(11, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, number),
};
#undef AT
static const struct shape notice_shape = SHAPE_OF(struct msg_notice, notice_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_digest, key, kind, need, max, member)
static const struct shape_field digest_fields[] = {
	AT(1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	AT(2, SHAPE_NUMBER, SHAPE_REQUIRED, 0, log),
	AT(3, SHAPE_FIXED, SHAPE_REQUIRED, HASH_LEN, root),
};
#undef AT
static const struct shape digest_shape = SHAPE_OF(struct msg_digest, digest_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_bucket, key, kind, need, max, member)
static const struct shape_field bucket_fields[] = {
	AT(1, SHAPE_INT, SHAPE_REQUIRED, 0, unit),
	AT(2, SHAPE_NUMBER, SHAPE_REQUIRED, 0, log),
	AT(3, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, bucket),
	SHAPE_LIST_AT(struct msg_bucket, 4, LIMIT_RECORDS, records, record_count,
		      &shape_bin_record),
};
#undef AT
static const struct shape bucket_shape = SHAPE_OF(struct msg_bucket, bucket_fields);

#define AT(key, kind, need, max, member) SHAPE_AT(struct msg_synced, key, kind, need, max, member)
#define LIST(key, max, member, counted, of) \
	SHAPE_LIST_AT(struct msg_synced, key, max, member, counted, of)
static const struct shape_field synced_fields[] = {
	AT(1, SHAPE_FIXED, SHAPE_REQUIRED, ID_LEN, epoch),
	AT(2, SHAPE_INT, SHAPE_REQUIRED, 0, now_ms),
	AT(3, SHAPE_BIN, SHAPE_OPTIONAL, LIMIT_RECEIPT_BYTES, receipt),
	LIST(4, LIMIT_RESULTS, results, result_count, &result_shape),
	LIST(5, LIMIT_RECORDS, records, record_count, &shape_bin_record),
	LIST(6, LIMIT_EVICTIONS, evictions, eviction_count, &evict_shape),
	LIST(7, LIMIT_NOTICES, notices, notice_count, &notice_shape),
	LIST(8, LIMIT_CURSORS, cursors, cursor_count, &cursor_shape),
	LIST(9, LIMIT_CURSORS, units, unit_count, &shape_int64),
	AT(10, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, included),
	AT(11, SHAPE_BOOL, SHAPE_OPTIONAL, 0, has_more),
	AT(12, SHAPE_BOOL, SHAPE_OPTIONAL, 0, is_complete),
	AT(13, SHAPE_FIXED, SHAPE_OPTIONAL, 8, schema_version),
	AT(14, SHAPE_NUMBER, SHAPE_OPTIONAL, 0, units_version),
	LIST(15, LIMIT_CURSORS, digests, digest_count, &digest_shape),
	LIST(16, LIMIT_DIGEST_BUCKETS, buckets, bucket_count, &bucket_shape),
	LIST(17, LIMIT_STRAYS, missing, missing_count, &stray_shape),
	LIST(18, LIMIT_DIGEST_UNITS, oversized, oversized_count, &shape_int64),
};
#undef LIST
#undef AT
static const struct shape synced_shape = SHAPE_OF(struct msg_synced, synced_fields);

static void encode(const struct shape *s, const void *m, struct buf *out)
{
	struct packer p;

	packer_init(&p, out, PACK_UNBOUNDED);
	shape_encode(s, m, &p);
	packer_done(&p);
}

void msg_sync_encode(const struct msg_sync *m, struct buf *out)
{
	encode(&sync_shape, m, out);
}

enum err msg_sync_decode(struct arena *a, struct bytes message, struct msg_sync *ret_sync)
{
	struct msg_sync m;
	enum err e = shape_decode(&sync_shape, &guard_wire, a, message, &m);

	for (size_t i = 0; e == ERR_OK && i < m.bucket_count; i++) {
		if (m.buckets[i].wire.len != DIGEST_WIRE_LEN)
			e = err_raise(ERR_PROTO, "%zu bytes of buckets", m.buckets[i].wire.len);
	}
	if (e == ERR_OK)
		*ret_sync = m;
	return e;
}

void msg_synced_encode(const struct msg_synced *m, struct buf *out)
{
	encode(&synced_shape, m, out);
}

enum err msg_synced_decode(struct arena *a, struct bytes message, struct msg_synced *ret_synced)
{
	struct msg_synced m;
	enum err e = shape_decode(&synced_shape, &guard_wire, a, message, &m);

	for (size_t i = 0; e == ERR_OK && i < m.bucket_count; i++) {
		if (m.buckets[i].bucket >= DIGEST_BUCKETS)
			e = err_raise(ERR_PROTO, "no such bucket");
	}
	if (e == ERR_OK)
		*ret_synced = m;
	return e;
}
