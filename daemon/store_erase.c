#define LOG_TAG "store"

#include "daemon/store_erase.h"

#include <sqlite3.h>

#include "common/base/check.h"
#include "daemon/schema_sql.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"

static void bind_id(struct sql *q, int position, const struct id *id)
{
	sql_bind_blob(q, position, bytes_of(id->bytes, ID_LEN));
}

static bool read_id(struct sql *q, int column, struct id *ret_id)
{
	struct bytes id = sql_blob(q, column);

	if (id.len != ID_LEN)
		return false;
	memcpy(ret_id->bytes, id.data, ID_LEN);
	return true;
}

/* Rows of a result, one behind the other in a buf, as an array in the arena. */
static void *rows_of(struct arena *a, const struct buf *rows)
{
	void *list = arena_alloc(a, rows->len);

	if (rows->len != 0)
		memcpy(list, rows->data, rows->len);
	return list;
}

/* ---- which are erased ---- */

static const char query_put_erased[] =
	"INSERT OR IGNORE INTO erased(id, type, unit, log) VALUES(?1, ?2, ?3, ?4)";
static const char query_is_erased[] = "SELECT EXISTS(SELECT 1 FROM erased WHERE id = ?)";
static const char query_has_erased[] = "SELECT EXISTS(SELECT 1 FROM erased)";
static const char query_names_erased[] =
	"SELECT EXISTS(SELECT 1 FROM erased WHERE instr(?1, id) > 0)";
static const char query_erased_of[] =
	"SELECT type, id, unit, log FROM erased WHERE id = ? ORDER BY log, type, unit";
enum err store_put_erased(struct store *s, const struct erased_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put_erased, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, &row->id);
	sql_bind_text(q, 2, row->type);
	sql_bind_int(q, 3, row->unit);
	sql_bind_int(q, 4, (int64_t)row->log);
	return sql_run(q);
}

static enum err run_claim(struct sql *q, bool *ret_is)
{
	enum err e = sql_run_row(q);

	if (e == ERR_OK)
		*ret_is = sql_int(q, 0) != 0;
	return e;
}

enum err store_is_erased(struct store *s, const struct id *id, bool *ret_is)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_is_erased, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	return run_claim(q, ret_is);
}

enum err store_has_erased(struct store *s, bool *ret_has)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_has_erased, &q);

	return e != ERR_OK ? e : run_claim(q, ret_has);
}

enum err store_names_erased(struct store *s, struct bytes raw, bool *ret_names)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_names_erased, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, raw);
	return run_claim(q, ret_names);
}

static enum err read_erased(struct sql *q, struct arena *a, struct erased_row **ret_rows,
			    size_t *ret_count)
{
	AUTO(buf_clear) struct buf rows = {0};
	bool is_row = false;
	enum err e;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct erased_row row = {.type = sql_text_copy(q, 0, a),
					 .unit = sql_int(q, 2),
					 .log = (uint64_t)sql_int(q, 3)};

		if (!read_id(q, 1, &row.id))
			return err_raise(ERR_CORRUPT, "an erased record");
		buf_append(&rows, &row, sizeof row);
	}
	if (e != ERR_OK)
		return e;
	*ret_count = rows.len / sizeof **ret_rows;
	*ret_rows = rows_of(a, &rows);
	return ERR_OK;
}

enum err store_load_erased(struct store *s, struct arena *a, const struct id *id,
			   struct erased_row **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_erased_of, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	return read_erased(q, a, ret_rows, ret_count);
}

/* ---- finding ---- */

static const char query_repeating[] =
	"SELECT c.log FROM device d CROSS JOIN changeset c ON c.device = d.number AND c.kind = 1"
	" WHERE d.former <> 0 AND instr(c.verdicts, CAST('" LOG_CODE_REPEATED "' AS BLOB)) > 0";

enum err store_load_repeating_logs(struct store *s, struct arena *a, uint64_t **ret_logs,
				   size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf rows = {0};
	bool is_row = false;
	enum err e = sql_use(s, query_repeating, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		uint64_t log = (uint64_t)sql_int(q, 0);

		buf_append(&rows, &log, sizeof log);
	}
	if (e != ERR_OK)
		return e;
	*ret_count = rows.len / sizeof **ret_logs;
	*ret_logs = rows_of(a, &rows);
	return ERR_OK;
}

/* What could not be read at all has no id of its own; such rows are few. */
static const char query_numbers[] =
	"SELECT log, number, device, type, state = 'erased' FROM quarantine WHERE id = ?1"
	" UNION SELECT log, number, device, type, state = 'erased' FROM quarantine"
	" WHERE id = zeroblob(16) AND instr(change, ?1) > 0";

enum err store_load_erase_numbers(struct store *s, struct arena *a, const struct id *id,
				  struct erase_number **ret_numbers, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf rows = {0};
	bool is_row = false;
	enum err e = sql_use(s, query_numbers, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct erase_number row = {.log = (uint64_t)sql_int(q, 0),
					   .number = (uint64_t)sql_int(q, 1),
					   .device = (uint32_t)sql_int(q, 2),
					   .type = sql_text_copy(q, 3, a),
					   .was_erased = sql_int(q, 4) != 0};

		buf_append(&rows, &row, sizeof row);
	}
	if (e != ERR_OK)
		return e;
	*ret_count = rows.len / sizeof **ret_numbers;
	*ret_numbers = rows_of(a, &rows);
	return ERR_OK;
}

static enum err find_in_column(struct store *s, const struct table *t, const struct column *c,
			       const struct id *to, struct buf *rows)
{
	AUTO(store_finalize) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	bool is_row = false;
	enum err e;

	schema_sql_print_find(t, c, &text);
	e = store_prepare(s, buf_bytes(&text), &q);
	if (e != ERR_OK)
		return e;
	bind_id(q, 1, to);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct reference_row row = {
			.type = t->type, .field = c->name, .is_event = bytes_is(t->kind, "event")};

		if (!read_id(q, 0, &row.id))
			return err_raise(ERR_CORRUPT, "a record of %.*s", BYTES_FMT(t->type));
		buf_append(rows, &row, sizeof row);
	}
	return e;
}

static enum err load_references(struct store *s, struct arena *a, const struct id *to,
				bool is_indexed_only, struct reference_row **ret_rows,
				size_t *ret_count)
{
	AUTO(buf_clear) struct buf rows = {0};
	enum err e = ERR_OK;

	for (size_t i = 0; i < s->table_count; i++) {
		const struct table *t = &s->tables[i];

		for (size_t k = 0; e == ERR_OK && k < t->count; k++) {
			const struct column *c = &t->columns[k];

			if ((c->kind == COLUMN_BYTES || c->kind == COLUMN_MERGED) &&
			    (c->is_indexed || !is_indexed_only))
				e = find_in_column(s, t, c, to, &rows);
		}
	}
	if (e != ERR_OK)
		return e;
	*ret_count = rows.len / sizeof **ret_rows;
	*ret_rows = rows_of(a, &rows);
	return ERR_OK;
}

enum err store_load_references(struct store *s, struct arena *a, const struct id *to,
			       struct reference_row **ret_rows, size_t *ret_count)
{
	return load_references(s, a, to, false, ret_rows, ret_count);
}

enum err store_load_indexed_references(struct store *s, struct arena *a, const struct id *to,
				       struct reference_row **ret_rows, size_t *ret_count)
{
	return load_references(s, a, to, true, ret_rows, ret_count);
}

/* ---- removing ---- */

enum err store_remove_state(struct store *s, struct bytes type, const struct id *id)
{
	AUTO(store_finalize) struct sql *q = NULL;
	AUTO(buf_clear) struct buf text = {0};
	const struct table *t = store_find_table(s, type);
	enum err e;

	if (t == NULL)
		return ERR_OK;
	schema_sql_print_remove(t, &text);
	e = store_prepare(s, buf_bytes(&text), &q);
	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	return sql_run(q);
}

static const char query_blank_quarantine[] =
	"UPDATE quarantine SET field = '', text = '', change = x'', why = '', state = 'erased'"
	" WHERE id = ?1 OR (id = zeroblob(16) AND instr(change, ?1) > 0)";
/* The number stays, so that what is told behind it keeps its own (S8). */
static const char query_blank_notices[] =
	"UPDATE notice SET kind = 'erased', field = '', kept = ?2, lost = ?2, author = '', text = ?3"
	" WHERE id = ?1";
static const char query_remove_pairs[] = "DELETE FROM distinct_pair WHERE one = ?1 OR other = ?1";
static const char query_remove_moves[] = "DELETE FROM moved WHERE id = ?";
static const char query_conflicts_of[] =
	"SELECT conflict, kept, lost FROM conflict WHERE id = ? AND state <> 'erased'";
static const char query_blank_conflict[] =
	"UPDATE conflict SET field = '', kept = ?2, lost = ?3, kept_by = '', lost_by = '',"
	" state = 'erased' WHERE conflict = ?1";

static enum err run_of_id(struct store *s, const char *text, const struct id *id)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	return sql_run(q);
}

static enum err blank_notices(struct store *s, const struct id *id)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf nothing = {0};
	enum err e = sql_use(s, query_blank_notices, &q);

	if (e != ERR_OK)
		return e;
	pack_value(&nothing, &VALUE_NONE);
	bind_id(q, 1, id);
	sql_bind_blob(q, 2, buf_bytes(&nothing));
	sql_bind_text(q, 3, BYTES_LIT(STORE_ERASED_TEXT));
	return sql_run(q);
}

/* Both sides keep their stamps, which lie behind the value. */
static bool blank_side(struct bytes packed, struct buf *out)
{
	struct pack_reader r = pack_open(packed);

	(void)unpack_value(&r);
	if (r.is_bad)
		return false;
	pack_value(out, &VALUE_NONE);
	buf_append_bytes(out, bytes_of(r.at, (size_t)(r.end - r.at)));
	return true;
}

static enum err blank_conflict(struct store *s, int64_t conflict, struct bytes kept,
			       struct bytes lost)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf kept_side = {0};
	AUTO(buf_clear) struct buf lost_side = {0};
	enum err e = sql_use(s, query_blank_conflict, &q);

	if (e != ERR_OK)
		return e;
	if (!blank_side(kept, &kept_side) || !blank_side(lost, &lost_side))
		return err_raise(ERR_CORRUPT, "conflict %lld", (long long)conflict);
	sql_bind_int(q, 1, conflict);
	sql_bind_blob(q, 2, buf_bytes(&kept_side));
	sql_bind_blob(q, 3, buf_bytes(&lost_side));
	return sql_run(q);
}

static enum err blank_conflicts(struct store *s, struct arena *a, const struct id *id)
{
	struct side {
		int64_t conflict;
		struct bytes kept;
		struct bytes lost;
	};
	AUTO(buf_clear) struct buf rows = {0};
	bool is_row = false;
	struct sql *q = NULL;
	enum err e = sql_use(s, query_conflicts_of, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct side side = {sql_int(q, 0), sql_blob_copy(q, 1, a), sql_blob_copy(q, 2, a)};

		buf_append(&rows, &side, sizeof side);
	}
	/* Read to the end first: the statement that writes must not meet the one that reads. */
	sql_done(q);
	const struct side *sides = rows_of(a, &rows);

	for (size_t i = 0; e == ERR_OK && i < rows.len / sizeof *sides; i++)
		e = blank_conflict(s, sides[i].conflict, sides[i].kept, sides[i].lost);
	return e;
}

enum err store_blank_record(struct store *s, struct arena *a, const struct id *id)
{
	enum err e = blank_conflicts(s, a, id);

	if (e == ERR_OK)
		e = run_of_id(s, query_blank_quarantine, id);
	if (e == ERR_OK)
		e = blank_notices(s, id);
	if (e == ERR_OK)
		e = run_of_id(s, query_remove_pairs, id);
	return e != ERR_OK ? e : run_of_id(s, query_remove_moves, id);
}

static const char query_blank_audit[] =
	"UPDATE audit SET detail = NULL WHERE detail IS NOT NULL AND instr(detail, ?1) > 0";

enum err store_blank_audit(struct store *s, struct bytes text, uint64_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_blank_audit, &q);

	if (e != ERR_OK)
		return e;
	/* As a blob, like the detail: SQLite compares bytes then, not characters. */
	sql_bind_blob(q, 1, text);
	e = sql_run(q);
	if (e == ERR_OK)
		*ret_count += (uint64_t)sql_changed_rows(s);
	return e;
}

/* ---- sweeping ---- */

#define SETTING_SWEEP "sweep"

static const char query_swept[] = "DELETE FROM setting WHERE name = '" SETTING_SWEEP "'";

enum err store_owe_sweep(struct store *s)
{
	s->is_packed = false;
	return store_put_setting(s, SETTING_SWEEP, BYTES_LIT("1"));
}

enum err store_owes_sweep(struct store *s, bool *ret_owes)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes value;
	enum err e = store_get_setting(s, &a, SETTING_SWEEP, &value);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	*ret_owes = e == ERR_OK;
	return ERR_OK;
}

/*
 * VACUUM builds the new file as a temporary one, which it attaches: both are otherwise not wanted
 * here. It lies in the state folder, where only we can read, and is unlinked as soon as it is open.
 */
static enum err pack_file(struct store *s, const char *folder)
{
	enum err back;
	enum err e = store_exec(s, "PRAGMA temp_store=FILE");

	if (e != ERR_OK)
		return e;
	store_set_temp_folder(folder);
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 1);
	e = store_exec(s, "VACUUM");
	(void)sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	back = store_exec(s, "PRAGMA temp_store=MEMORY");
	s->is_packed = e == ERR_OK;
	return e != ERR_OK ? e : back;
}

/* What the log held of older pages goes with it. */
static enum err empty_wal(struct store *s)
{
	enum err e = store_from_sqlite(
		s, sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
		"checkpoint");

	if (e == ERR_OK)
		s->wal_pages = 0;
	return e;
}

enum err store_sweep(struct store *s, const char *folder)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = s->fatal;

	REQUIRE(s->is_writer && !s->is_in_transaction);
	if (e == ERR_OK && s->copy != NULL)
		e = ERR_AGAIN;
	/* A reader may have kept the log only: then the file need not be made anew. */
	if (e == ERR_OK && !s->is_packed)
		e = pack_file(s, folder);
	if (e == ERR_OK)
		e = empty_wal(s);
	if (e == ERR_OK)
		e = sql_use(s, query_swept, &q);
	return e != ERR_OK ? e : sql_run(q);
}
