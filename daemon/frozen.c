#define LOG_TAG "frozen"

#include "daemon/frozen.h"

#include "common/base/log.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "proto/squeeze.h"

/* ---- printing ---- */

static void add_length(struct hasher *h, size_t len)
{
	uint8_t big[8];

	for (unsigned i = 0; i < 8; i++)
		big[i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	hasher_add(h, bytes_of(big, sizeof big));
}

static void add_part(struct hasher *h, struct bytes part)
{
	add_length(h, part.len);
	hasher_add(h, part);
}

/* By name: a format added later must not move the others. */
static const enum report_format by_name[REPORT_FORMATS] = {REPORT_CSV, REPORT_HTML, REPORT_JSON,
							   REPORT_TABLE, REPORT_XLSX};

static struct hash hash_documents(const struct frozen_documents *documents)
{
	static const char context[] = "ctxh-frozen-v1";
	struct hasher h;

	hasher_start(&h);
	hasher_add(&h, bytes_of(context, sizeof context));
	for (size_t i = 0; i < REPORT_FORMATS; i++) {
		if (documents->of[by_name[i]].data == NULL)
			continue;
		add_part(&h, bytes_str(report_format_name(by_name[i])));
		add_part(&h, documents->of[by_name[i]]);
	}
	return hasher_end(&h);
}

enum err frozen_print(struct arena *a, const json_t *report, struct frozen_documents *ret_documents,
		      struct hash *ret_hash)
{
	struct frozen_documents documents = {0};

	for (unsigned i = 0; i < REPORT_FORMATS; i++) {
		AUTO(buf_clear) struct buf out = {0};
		enum err e = report_print(report, (enum report_format)i, NULL, &out);

		if (e != ERR_OK)
			return e;
		if (out.len > FROZEN_DOCUMENT_MAX)
			return err_raise(ERR_TOOBIG, "a report of %zu bytes", out.len);
		documents.of[i] = arena_copy(a, buf_bytes(&out));
	}
	*ret_documents = documents;
	*ret_hash = hash_documents(&documents);
	return ERR_OK;
}

/* ---- the tables ---- */

static const char query_put[] =
	"INSERT INTO report_frozen(report, unit_code, unit_name, from_on, to_on, code_on, log, at, who,"
	" hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
static const char query_put_document[] =
	"INSERT INTO report_document(frozen, format, size, body) VALUES(?1, ?2, ?3, ?4)";

#define COLUMNS                                                                                     \
	"SELECT frozen, report, unit_code, unit_name, from_on, to_on, code_on, log, at, who, hash," \
	" count(*) OVER () FROM report_frozen "
static const char query_list[] = COLUMNS "ORDER BY frozen DESC";
static const char query_load[] = COLUMNS "WHERE frozen = ?1";
static const char query_documents[] =
	"SELECT format, size, body FROM report_document WHERE frozen = ?1";
static const char query_audit[] =
	"SELECT 1 FROM audit WHERE what = 'report freeze' AND (detail IS NULL OR"
	" instr(CAST(detail AS TEXT), ?1) > 0)";

/* What would not get shorter is kept as it is: then the body is as long as `size` says. */
static enum err put_document(struct store *s, uint64_t frozen, enum report_format format,
			     struct bytes bytes)
{
	AUTO(buf_clear) struct buf packed = {0};
	AUTO(sql_done) struct sql *q = NULL;
	const bool is_packed = squeeze_pack(bytes, &packed);
	enum err e = sql_use(s, query_put_document, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)frozen);
	sql_bind_text(q, 2, bytes_str(report_format_name(format)));
	sql_bind_int(q, 3, (int64_t)bytes.len);
	sql_bind_blob(q, 4, is_packed ? buf_bytes(&packed) : bytes);
	return sql_run(q);
}

static enum err put_row(struct store *s, struct frozen *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, row->report);
	sql_bind_text(q, 2, row->unit_code);
	sql_bind_text(q, 3, row->unit_name);
	sql_bind_text(q, 4, row->from);
	sql_bind_text(q, 5, row->to);
	sql_bind_text(q, 6, row->on);
	sql_bind_int(q, 7, (int64_t)row->log);
	sql_bind_int(q, 8, row->at_ms);
	sql_bind_text(q, 9, row->who);
	sql_bind_blob(q, 10, bytes_of(row->hash.bytes, HASH_LEN));
	e = sql_run(q);
	if (e == ERR_OK)
		row->frozen = (uint64_t)sql_last_row(s);
	return e;
}

enum err frozen_put(struct store *s, struct frozen *row, const struct frozen_documents *documents)
{
	enum err e = put_row(s, row);

	for (unsigned i = 0; e == ERR_OK && i < REPORT_FORMATS; i++) {
		if (documents->of[i].data != NULL)
			e = put_document(s, row->frozen, (enum report_format)i, documents->of[i]);
	}
	return e;
}

static enum err read_row(struct sql *q, struct arena *a, struct frozen *ret_row)
{
	if (sql_blob(q, 10).len != HASH_LEN)
		return err_raise(ERR_CORRUPT, "frozen report %lld", (long long)sql_int(q, 0));
	*ret_row = (struct frozen){
		.frozen = (uint64_t)sql_int(q, 0),
		.report = sql_text_copy(q, 1, a),
		.unit_code = sql_text_copy(q, 2, a),
		.unit_name = sql_text_copy(q, 3, a),
		.from = sql_text_copy(q, 4, a),
		.to = sql_text_copy(q, 5, a),
		.on = sql_text_copy(q, 6, a),
		.log = (uint64_t)sql_int(q, 7),
		.at_ms = sql_int(q, 8),
		.who = sql_text_copy(q, 9, a),
	};
	memcpy(ret_row->hash.bytes, sql_blob(q, 10).data, HASH_LEN);
	return ERR_OK;
}

enum err frozen_list(struct store *s, struct arena *a, struct frozen **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct frozen *rows = NULL;
	size_t count = 0;
	bool is_row = true;
	enum err e = sql_use(s, query_list, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (rows == NULL)
			rows = arena_alloc_array(a, (size_t)sql_int(q, 11), sizeof *rows);
		e = read_row(q, a, &rows[count++]);
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = rows;
	*ret_count = count;
	return ERR_OK;
}

enum err frozen_load(struct store *s, struct arena *a, uint64_t frozen, struct frozen *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_load, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)frozen);
	e = sql_run_row(q);
	return e == ERR_OK ? read_row(q, a, ret_row) : e;
}

static enum err open_document(struct sql *q, struct arena *a, struct frozen_documents *documents)
{
	const struct bytes body = sql_blob(q, 2);
	enum report_format format;
	struct bytes plain;
	enum err e = report_format_parse(sql_text(q, 0), &format);

	if (e != ERR_OK || sql_int(q, 1) < (int64_t)body.len ||
	    sql_int(q, 1) > (int64_t)FROZEN_DOCUMENT_MAX)
		return err_raise(ERR_CONFLICT, "a document of another format or size");
	if (sql_int(q, 1) == (int64_t)body.len)
		plain = arena_copy(a, body);
	else if (squeeze_open(a, body, FROZEN_DOCUMENT_MAX, &plain) != ERR_OK ||
		 sql_int(q, 1) != (int64_t)plain.len)
		return err_raise(ERR_CONFLICT, "a document does not open");
	documents->of[format] = plain;
	return ERR_OK;
}

static enum err load_documents(struct store *s, struct arena *a, const struct frozen *row,
			       struct frozen_documents *ret_documents)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct frozen_documents documents = {0};
	struct hash hash;
	bool is_row = true;
	enum err e = sql_use(s, query_documents, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)row->frozen);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		e = open_document(q, a, &documents);
		if (e != ERR_OK)
			return e;
	}
	if (e != ERR_OK)
		return e;
	hash = hash_documents(&documents);
	if (memcmp(hash.bytes, row->hash.bytes, HASH_LEN) != 0)
		return err_raise(ERR_CONFLICT, "its documents are not what was hashed");
	*ret_documents = documents;
	return ERR_OK;
}

enum err frozen_load_document(struct store *s, struct arena *a, const struct frozen *row,
			      enum report_format format, struct bytes *ret_bytes)
{
	struct frozen_documents documents;
	enum err e = load_documents(s, a, row, &documents);

	if (e != ERR_OK)
		return e;
	if (documents.of[format].data == NULL)
		return ERR_NOTFOUND;
	*ret_bytes = documents.of[format];
	return ERR_OK;
}

/* ---- S14 ---- */

static bool says(const json_t *report, const char *key, struct bytes want)
{
	const char *text = json_string_value(json_object_get(report, key));

	return text != NULL && bytes_is(want, text);
}

/* The row and what its JSON says of itself. */
static bool is_row_true(const struct frozen *row, struct bytes text)
{
	json_t *report = json_loadb((const char *)text.data, text.len, 0, NULL);
	const bool is_true =
		says(report, "id", row->report) && says(report, "unit", row->unit_code) &&
		says(report, "from", row->from) && says(report, "to", row->to) &&
		says(report, "on", row->on) &&
		json_integer_value(json_object_get(report, "as_of")) == (json_int_t)row->log;

	json_decref(report);
	return is_true;
}

/* An entry whose detail was erased by law may be the one. */
static enum err is_audited(struct store *s, const struct frozen *row, bool *ret_is_audited)
{
	AUTO(sql_done) struct sql *q = NULL;
	char hex[2 * HASH_LEN + 1];
	enum err e = sql_use(s, query_audit, &q);

	if (e != ERR_OK)
		return e;
	hex_print(row->hash.bytes, HASH_LEN, hex);
	sql_bind_text(q, 1, bytes_str(hex));
	return sql_step(q, ret_is_audited);
}

enum err frozen_check(struct store *s, const struct frozen *row, const char **ret_breach)
{
	AUTO(arena_clear) struct arena a = {0};
	struct frozen_documents documents = {0};
	bool has_audit = false;
	enum err e = load_documents(s, &a, row, &documents);

	*ret_breach = NULL;
	if (e == ERR_CONFLICT) {
		*ret_breach = "its documents are not what was frozen";
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = is_audited(s, row, &has_audit);
	if (e == ERR_OK && !is_row_true(row, documents.of[REPORT_JSON]))
		*ret_breach = "its row says something else than its documents";
	else if (e == ERR_OK && !has_audit)
		*ret_breach = "the audit has no entry with its hash";
	return e;
}
