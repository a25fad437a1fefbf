#include <sqlite3.h>
#include <zstd.h>

#include "common/base/check.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"
#include "proto/limits.h"
#include "proto/squeeze.h"

#define COMPRESSION 1 /* the fastest: more gains 6 % and costs three times the time */

/* ---- verdicts ---- */

static void pack_verdicts(const struct log_row *row, struct buf *out)
{
	buf_reset(out);
	for (size_t i = 0; i < row->verdict_count; i++) {
		const struct log_verdict *v = &row->verdicts[i];

		pack_uint(out, v->number - row->first);
		buf_append_byte(out, v->is_quarantined);
		pack_bytes(out, v->code);
		pack_bytes(out, v->field);
	}
}

static bool unpack_verdicts(struct arena *a, struct bytes packed, struct log_row *row)
{
	struct pack_reader r = pack_open(arena_copy(a, packed));

	/* Each takes four bytes at least. */
	row->verdicts = arena_alloc_array(a, packed.len / 4, sizeof *row->verdicts);
	row->verdict_count = 0;
	while (!pack_is_end(&r) && row->verdict_count < packed.len / 4) {
		struct log_verdict *v = &row->verdicts[row->verdict_count++];

		v->number = row->first + unpack_uint(&r);
		v->is_quarantined = unpack_byte(&r) != 0;
		v->code = unpack_bytes(&r);
		v->field = unpack_bytes(&r);
	}
	return !r.is_bad && pack_is_end(&r);
}

/* ---- bodies ---- */

void store_pack_body(struct bytes body, struct buf *out)
{
	size_t bound = ZSTD_compressBound(body.len);
	size_t len = ZSTD_compressCCtx(squeeze_packer(), buf_reserve(out, bound), bound, body.data,
				       body.len, COMPRESSION);

	REQUIRE(!ZSTD_isError(len));
	out->len += len;
}

static struct bytes compress(struct store *s, struct bytes body)
{
	buf_reset(&s->packed);
	store_pack_body(body, &s->packed);
	return buf_bytes(&s->packed);
}

static enum err decompress(struct arena *a, struct bytes packed, uint64_t size,
			   struct bytes *ret_body)
{
	uint8_t *body;
	size_t len;

	if (size > LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES)
		return err_raise(ERR_CORRUPT, "a body of %llu bytes", (unsigned long long)size);
	body = arena_alloc(a, (size_t)size);
	len = ZSTD_decompressDCtx(squeeze_opener(), body, (size_t)size, packed.data, packed.len);
	if (ZSTD_isError(len) || len != size)
		return err_raise(ERR_CORRUPT, "a body does not decompress");
	*ret_body = bytes_of(body, len);
	return ERR_OK;
}

/* ---- rows ---- */

#define CUT_LEN ((size_t)2 * HASH_LEN)

/* Hash of the body | hash the signature is over. */
static void bind_cut(struct sql *q, int position, const struct changeset_cut *cut,
		     uint8_t packed[CUT_LEN])
{
	if (!cut->is_cut)
		return;
	memcpy(packed, cut->body_hash.bytes, HASH_LEN);
	memcpy(packed + HASH_LEN, cut->signed_hash.bytes, HASH_LEN);
	sql_bind_blob(q, position, bytes_of(packed, CUT_LEN));
}

static bool read_cut(struct sql *q, int column, struct changeset_cut *cut)
{
	struct bytes packed = sql_blob(q, column);

	cut->is_cut = sql_kind(q, column) != SQL_NULL;
	if (!cut->is_cut)
		return true;
	if (packed.len != CUT_LEN)
		return false;
	memcpy(cut->body_hash.bytes, packed.data, HASH_LEN);
	memcpy(cut->signed_hash.bytes, packed.data + HASH_LEN, HASH_LEN);
	return true;
}

static const char query_put[] =
	"INSERT INTO changeset(log, kind, device, first, count, chain, received_at, sent_at, shift_ms,"
	" ceiling, floor, is_flagged, signature, session, verdicts, size, body, author,"
	" base_cut, cut) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
	" ?17, ?18, ?19, ?20)";

#define COLUMNS                                                                          \
	"SELECT log, kind, device, first, count, chain, received_at, sent_at, shift_ms," \
	" ceiling, floor, is_flagged, signature, session, verdicts, size, body, author," \
	" base_cut, cut FROM changeset "

static const char query_load[] = COLUMNS "WHERE log = ?";
static const char query_find[] = COLUMNS "WHERE kind = 1 AND device = ?1 AND first <= ?2"
					 " ORDER BY first DESC LIMIT 1";
static const char query_last[] = "SELECT max(log) FROM changeset";
static const char query_of_session[] = "SELECT log FROM changeset WHERE session = ? ORDER BY log";

enum err store_put_log(struct store *s, const struct log_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	uint8_t cut[CUT_LEN];
	enum err e = sql_use(s, query_put, &q);

	if (e != ERR_OK)
		return e;
	pack_verdicts(row, &s->extra);
	sql_bind_int(q, 1, (int64_t)row->log);
	sql_bind_int(q, 2, row->kind);
	sql_bind_int(q, 3, row->device);
	sql_bind_int(q, 4, (int64_t)row->first);
	sql_bind_int(q, 5, (int64_t)row->count);
	sql_bind_blob(q, 6, bytes_of(row->chain.bytes, HASH_LEN));
	sql_bind_int(q, 7, row->received_ms);
	sql_bind_int(q, 8, row->sent_ms);
	sql_bind_int(q, 9, row->repair.shift_ms);
	sql_bind_int(q, 10, (int64_t)row->repair.ceiling);
	sql_bind_int(q, 11, (int64_t)row->repair.floor);
	sql_bind_int(q, 12, row->repair.is_flagged);
	sql_bind_blob(q, 13, bytes_of(row->signature.bytes, SIGN_LEN));
	sql_bind_int(q, 14, (int64_t)row->session);
	if (row->verdict_count != 0)
		sql_bind_blob(q, 15, buf_bytes(&s->extra));
	sql_bind_int(q, 16, (int64_t)row->body.len);
	sql_bind_blob(q, 17, row->packed.len != 0 ? row->packed : compress(s, row->body));
	sql_bind_text_or_null(q, 18, row->author);
	sql_bind_int(q, 19, (int64_t)row->base_cut);
	bind_cut(q, 20, &row->cut, cut);
	return sql_run(q);
}

static enum err read_row(struct arena *a, struct sql *q, struct log_row *ret_row)
{
	struct log_row row = {
		.log = (uint64_t)sql_int(q, 0),
		.kind = (enum log_kind)sql_int(q, 1),
		.device = (uint32_t)sql_int(q, 2),
		.first = (uint64_t)sql_int(q, 3),
		.count = (uint64_t)sql_int(q, 4),
		.received_ms = sql_int(q, 6),
		.sent_ms = sql_int(q, 7),
		.repair = {.shift_ms = sql_int(q, 8),
			   .ceiling = (uint64_t)sql_int(q, 9),
			   .floor = (uint64_t)sql_int(q, 10),
			   .is_flagged = sql_int(q, 11) != 0},
		.session = (uint64_t)sql_int(q, 13),
		.author = sql_text_copy(q, 17, a),
		.base_cut = (uint64_t)sql_int(q, 18),
	};
	struct bytes chain = sql_blob(q, 5);
	struct bytes signature = sql_blob(q, 12);
	enum err e = ERR_OK;

	if (chain.len != HASH_LEN || signature.len != SIGN_LEN ||
	    !unpack_verdicts(a, sql_blob(q, 14), &row) || !read_cut(q, 19, &row.cut))
		return err_raise(ERR_CORRUPT, "change-set %llu", (unsigned long long)row.log);
	memcpy(row.chain.bytes, chain.data, HASH_LEN);
	memcpy(row.signature.bytes, sql_blob(q, 12).data, SIGN_LEN);
	if (sql_kind(q, 16) != SQL_NULL)
		e = decompress(a, sql_blob(q, 16), (uint64_t)sql_int(q, 15), &row.body);
	if (e == ERR_OK)
		*ret_row = row;
	return e;
}

enum err store_load_log(struct store *s, struct arena *a, uint64_t log, struct log_row *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_load, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)log);
	e = sql_run_row(q);
	return e != ERR_OK ? e : read_row(a, q, ret_row);
}

static const char query_cut[] =
	"UPDATE changeset SET body = ?2, size = ?3, cut = ?4, verdicts = ?5 WHERE log = ?1";

enum err store_cut_log(struct store *s, const struct log_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	uint8_t cut[CUT_LEN];
	enum err e = sql_use(s, query_cut, &q);

	REQUIRE(row->cut.is_cut);
	if (e != ERR_OK)
		return e;
	pack_verdicts(row, &s->extra);
	sql_bind_int(q, 1, (int64_t)row->log);
	sql_bind_blob(q, 2, compress(s, row->body));
	sql_bind_int(q, 3, (int64_t)row->body.len);
	bind_cut(q, 4, &row->cut, cut);
	if (row->verdict_count != 0)
		sql_bind_blob(q, 5, buf_bytes(&s->extra));
	e = sql_run(q);
	if (e == ERR_OK && sql_changed_rows(s) == 0)
		return ERR_NOTFOUND;
	return e;
}

static const char query_author[] = "SELECT device, author FROM changeset WHERE log = ?";

enum err store_load_log_author(struct store *s, struct arena *a, uint64_t log, uint32_t *ret_device,
			       struct bytes *ret_author)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_author, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)log);
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	*ret_device = (uint32_t)sql_int(q, 0);
	*ret_author = sql_text_copy(q, 1, a);
	return ERR_OK;
}

enum err store_find_log(struct store *s, struct arena *a, uint32_t device, uint64_t number,
			struct log_row *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_find, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, device);
	sql_bind_int(q, 2, (int64_t)number);
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	if (number - (uint64_t)sql_int(q, 3) >= (uint64_t)sql_int(q, 4))
		return ERR_NOTFOUND;
	return read_row(a, q, ret_row);
}

enum err store_last_log(struct store *s, uint64_t *ret_log)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_last, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_log = (uint64_t)sql_int(q, 0);
	return e;
}

enum err store_load_session_logs(struct store *s, struct arena *a, uint64_t session,
				 uint64_t **ret_logs, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf found = {0};
	bool is_row = false;
	enum err e = sql_use(s, query_of_session, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)session);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		uint64_t log = (uint64_t)sql_int(q, 0);

		buf_append(&found, &log, sizeof log);
	}
	if (e != ERR_OK)
		return e;
	*ret_count = found.len / sizeof **ret_logs;
	*ret_logs = arena_alloc(a, found.len);
	if (found.len != 0)
		memcpy(*ret_logs, found.data, found.len);
	return ERR_OK;
}
