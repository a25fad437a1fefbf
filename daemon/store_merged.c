/* What merging leaves behind: conflicts, quarantine, moves, notices, unit logs, audit. */
#include "common/base/crypt.h"
#include "daemon/store_pack.h"
#include "daemon/store_private.h"
#include "proto/audit.h"

/* A list that grows while rows are read. */
struct rows {
	struct arena *a;
	size_t size;
	uint8_t *list;
	size_t count;
	size_t cap;
};

static void *rows_add(struct rows *r)
{
	if (r->count == r->cap) {
		uint8_t *more = arena_alloc_array(r->a, r->cap * 2 + 8, r->size);

		if (r->count != 0)
			memcpy(more, r->list, r->count * r->size);
		r->list = more;
		r->cap = r->cap * 2 + 8;
	}
	return r->list + r->count++ * r->size;
}

static bool read_id(struct sql *q, int column, struct id *ret_id)
{
	struct bytes id = sql_blob(q, column);

	if (id.len != ID_LEN)
		return false;
	memcpy(ret_id->bytes, id.data, ID_LEN);
	return true;
}

static void bind_id(struct sql *q, int position, const struct id *id)
{
	sql_bind_blob(q, position, bytes_of(id->bytes, ID_LEN));
}

/* ---- conflicts ---- */

static const char query_put_conflict[] =
	"INSERT INTO conflict(type, id, field, log, kept, lost, kept_by, lost_by, at, state)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
#define CONFLICT_COLUMNS                                                                  \
	"SELECT conflict, type, id, field, log, kept, lost, kept_by, lost_by, at, state," \
	" decided_by, decided_device, decided_at FROM conflict "
static const char query_conflicts[] =
	CONFLICT_COLUMNS "WHERE conflict > ?1 ORDER BY conflict LIMIT ?2";
static const char query_open_conflicts[] =
	CONFLICT_COLUMNS "WHERE state = 'open' AND conflict > ?1 ORDER BY conflict LIMIT ?2";
static const char query_decided_conflicts[] =
	CONFLICT_COLUMNS "WHERE state IN ('kept', 'restored') AND decided_device = 0"
			 " AND conflict > ?1 ORDER BY decided_at DESC, conflict DESC LIMIT ?2";
static const char query_conflict[] = CONFLICT_COLUMNS "WHERE conflict = ?1";
static const char query_open_conflicts_of[] =
	CONFLICT_COLUMNS "WHERE state = 'open' AND id = ?1 AND type = ?2 AND field = ?3"
			 " AND lost >= ?4 AND lost < ?5 ORDER BY conflict";
static const char query_conflicts_of[] =
	CONFLICT_COLUMNS "WHERE id = ?1 AND type = ?2 AND field = ?3 AND state <> 'erased'"
			 " ORDER BY conflict";
static const char query_decide_conflict[] =
	"UPDATE conflict SET state = ?2, decided_by = ?3, decided_device = ?4, decided_at = ?5"
	" WHERE conflict = ?1";

/* value | clock, device, log */
static void pack_side(struct buf *out, const struct field *f)
{
	pack_value(out, &f->value);
	pack_u64(out, f->stamp.clock);
	pack_uint(out, f->stamp.device);
	pack_uint(out, f->log);
}

static bool unpack_side(struct bytes packed, struct bytes name, struct field *ret_field)
{
	struct pack_reader r = pack_open(packed);

	ret_field->name = name;
	ret_field->value = unpack_value(&r);
	ret_field->stamp.clock = unpack_u64(&r);
	ret_field->stamp.device = (uint32_t)unpack_uint(&r);
	ret_field->log = unpack_uint(&r);
	return !r.is_bad && pack_is_end(&r);
}

enum err store_put_conflict(struct store *s, struct conflict_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf kept = {0};
	AUTO(buf_clear) struct buf lost = {0};
	enum err e = sql_use(s, query_put_conflict, &q);

	if (e != ERR_OK)
		return e;
	pack_side(&kept, &row->kept);
	pack_side(&lost, &row->lost);
	sql_bind_text(q, 1, row->type);
	bind_id(q, 2, &row->id);
	sql_bind_text(q, 3, row->kept.name);
	sql_bind_int(q, 4, (int64_t)row->log);
	sql_bind_blob(q, 5, buf_bytes(&kept));
	sql_bind_blob(q, 6, buf_bytes(&lost));
	sql_bind_text(q, 7, row->kept_by);
	sql_bind_text(q, 8, row->lost_by);
	sql_bind_int(q, 9, row->at_ms);
	sql_bind_text(q, 10, row->state);
	e = sql_run(q);
	if (e != ERR_OK)
		return e;
	row->conflict = (uint64_t)sql_last_row(s);
	store_note_lost(s, &row->id, &row->lost);
	return ERR_OK;
}

static bool read_conflict(struct sql *q, struct arena *a, struct conflict_row *row)
{
	struct bytes field = sql_text_copy(q, 3, a);

	row->conflict = (uint64_t)sql_int(q, 0);
	row->type = sql_text_copy(q, 1, a);
	row->log = (uint64_t)sql_int(q, 4);
	row->kept_by = sql_text_copy(q, 7, a);
	row->lost_by = sql_text_copy(q, 8, a);
	row->at_ms = sql_int(q, 9);
	row->state = sql_text_copy(q, 10, a);
	row->decided_by = sql_text_copy(q, 11, a);
	row->decided_device = (uint32_t)sql_int(q, 12);
	row->decided_ms = sql_int(q, 13);
	return read_id(q, 2, &row->id) && unpack_side(sql_blob_copy(q, 5, a), field, &row->kept) &&
	       unpack_side(sql_blob_copy(q, 6, a), field, &row->lost);
}

static enum err read_conflicts(struct sql *q, struct arena *a, struct conflict_row **ret_rows,
			       size_t *ret_count)
{
	struct rows rows = {.a = a, .size = sizeof **ret_rows};
	bool is_row = false;
	enum err e;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (!read_conflict(q, a, rows_add(&rows)))
			return err_raise(ERR_CORRUPT, "conflict %lld", (long long)sql_int(q, 0));
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = (void *)rows.list;
	*ret_count = rows.count;
	return ERR_OK;
}

enum err store_load_conflicts(struct store *s, struct arena *a, const struct store_range *range,
			      struct conflict_row **ret_rows, size_t *ret_count)
{
	const char *text = range->is_open_only      ? query_open_conflicts
			   : range->is_decided_only ? query_decided_conflicts
						    : query_conflicts;
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)range->after);
	sql_bind_int(q, 2, (int64_t)range->limit);
	return read_conflicts(q, a, ret_rows, ret_count);
}

enum err store_load_conflict(struct store *s, struct arena *a, uint64_t conflict,
			     struct conflict_row *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct conflict_row *rows = NULL;
	size_t count = 0;
	enum err e = sql_use(s, query_conflict, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)conflict);
	e = read_conflicts(q, a, &rows, &count);
	if (e == ERR_OK && count == 0)
		return ERR_NOTFOUND;
	if (e == ERR_OK)
		*ret_row = rows[0];
	return e;
}

enum err store_load_conflicts_of(struct store *s, struct arena *a, const struct change *c,
				 struct bytes field, struct conflict_row **ret_rows,
				 size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_conflicts_of, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, &c->id);
	sql_bind_text(q, 2, c->type);
	sql_bind_text(q, 3, field);
	return read_conflicts(q, a, ret_rows, ret_count);
}

/* Sides with this value, whoever wrote it when: from the first to beyond the last there can be. */
static void pack_lost_range(const struct store_lost_value *lost, struct buf *first,
			    struct buf *beyond)
{
	/* Every deletion is as good as another. */
	if (!bytes_is(lost->field, RECORD_DELETED)) {
		pack_value(first, &lost->value);
		buf_append_bytes(beyond, buf_bytes(first));
	}
	for (size_t i = 0; i <= sizeof(uint64_t); i++)
		buf_append_byte(beyond, 0xff);
}

enum err store_load_open_conflicts(struct store *s, struct arena *a,
				   const struct store_lost_value *lost,
				   struct conflict_row **ret_rows, size_t *ret_count)
{
	AUTO(buf_clear) struct buf first = {0};
	AUTO(buf_clear) struct buf beyond = {0};
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_open_conflicts_of, &q);

	if (e != ERR_OK)
		return e;
	pack_lost_range(lost, &first, &beyond);
	bind_id(q, 1, &lost->id);
	sql_bind_text(q, 2, lost->type);
	sql_bind_text(q, 3, lost->field);
	sql_bind_blob(q, 4, buf_bytes(&first));
	sql_bind_blob(q, 5, buf_bytes(&beyond));
	return read_conflicts(q, a, ret_rows, ret_count);
}

enum err store_decide_conflict(struct store *s, const struct conflict_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_decide_conflict, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)row->conflict);
	sql_bind_text(q, 2, row->state);
	sql_bind_text(q, 3, row->decided_by);
	sql_bind_int(q, 4, row->decided_device);
	sql_bind_int(q, 5, row->decided_ms);
	e = sql_run(q);
	if (e == ERR_OK && sql_changed_rows(s) == 0)
		return ERR_NOTFOUND;
	if (e == ERR_OK && bytes_is(row->state, "open"))
		store_note_lost(s, &row->id, &row->lost);
	return e;
}

/* ---- quarantine ---- */

static const char query_put_quarantine[] =
	"INSERT INTO quarantine(device, number, log, clock, type, id, reason, field, text, change,"
	" at, state, why) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
static const char query_quarantine[] =
	"SELECT quarantine, device, number, log, clock, type, id, reason, field, text, change, at,"
	" state, why FROM quarantine WHERE quarantine > ?1 ORDER BY quarantine LIMIT ?2";
static const char query_open_quarantine[] =
	"SELECT quarantine, device, number, log, clock, type, id, reason, field, text, change, at,"
	" state, why FROM quarantine WHERE state = 'open' AND quarantine > ?1"
	" ORDER BY quarantine LIMIT ?2";
static const char query_discarded_quarantine[] =
	"SELECT quarantine, device, number, log, clock, type, id, reason, field, text, change, at,"
	" state, why FROM quarantine WHERE state = 'discarded' AND quarantine > ?1"
	" ORDER BY quarantine DESC LIMIT ?2";
static const char query_waiting_quarantine[] =
	"SELECT quarantine, device, number, log, clock, type, id, reason, field, text, change, at,"
	" state, why FROM quarantine WHERE id = ?1 AND type = ?2 AND state = 'open' AND log > 0"
	" AND reason IN ('missing', 'out_of_scope') ORDER BY quarantine";
static const char query_set_quarantine[] =
	"UPDATE quarantine SET state = ?2, why = ?3 WHERE quarantine = ?1";

enum err store_put_quarantine(struct store *s, struct quarantine_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put_quarantine, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, row->device);
	sql_bind_int(q, 2, (int64_t)row->number);
	sql_bind_int(q, 3, (int64_t)row->log);
	sql_bind_int(q, 4, (int64_t)row->clock);
	sql_bind_text(q, 5, row->type);
	bind_id(q, 6, &row->id);
	sql_bind_text(q, 7, row->reason);
	sql_bind_text(q, 8, row->field);
	sql_bind_text(q, 9, row->text);
	sql_bind_blob(q, 10, row->bytes);
	sql_bind_int(q, 11, row->at_ms);
	sql_bind_text(q, 12, row->state);
	sql_bind_text(q, 13, row->why);
	e = sql_run(q);
	if (e == ERR_OK)
		row->quarantine = (uint64_t)sql_last_row(s);
	return e;
}

static bool read_quarantine(struct sql *q, struct arena *a, struct quarantine_row *row)
{
	row->quarantine = (uint64_t)sql_int(q, 0);
	row->device = (uint32_t)sql_int(q, 1);
	row->number = (uint64_t)sql_int(q, 2);
	row->log = (uint64_t)sql_int(q, 3);
	row->clock = (uint64_t)sql_int(q, 4);
	row->type = sql_text_copy(q, 5, a);
	row->reason = sql_text_copy(q, 7, a);
	row->field = sql_text_copy(q, 8, a);
	row->text = sql_text_copy(q, 9, a);
	row->bytes = sql_blob_copy(q, 10, a);
	row->at_ms = sql_int(q, 11);
	row->state = sql_text_copy(q, 12, a);
	row->why = sql_text_copy(q, 13, a);
	return read_id(q, 6, &row->id);
}

static enum err read_quarantines(struct sql *q, struct arena *a, struct quarantine_row **ret_rows,
				 size_t *ret_count)
{
	struct rows rows = {.a = a, .size = sizeof **ret_rows};
	bool is_row = false;
	enum err e;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (!read_quarantine(q, a, rows_add(&rows)))
			return err_raise(ERR_CORRUPT, "quarantine %lld", (long long)sql_int(q, 0));
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = (void *)rows.list;
	*ret_count = rows.count;
	return ERR_OK;
}

enum err store_load_quarantine(struct store *s, struct arena *a, const struct store_range *range,
			       struct quarantine_row **ret_rows, size_t *ret_count)
{
	const char *text = range->is_open_only      ? query_open_quarantine
			   : range->is_decided_only ? query_discarded_quarantine
						    : query_quarantine;
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)range->after);
	sql_bind_int(q, 2, (int64_t)range->limit);
	return read_quarantines(q, a, ret_rows, ret_count);
}

enum err store_load_waiting(struct store *s, struct arena *a, struct bytes type,
			    const struct id *id, struct quarantine_row **ret_rows,
			    size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_waiting_quarantine, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	sql_bind_text(q, 2, type);
	return read_quarantines(q, a, ret_rows, ret_count);
}

static const char query_forked[] =
	"SELECT quarantine, device, number, log, clock, type, id, reason, field, text, change, at,"
	" state, why FROM quarantine WHERE id = ?1 AND device = ?2 AND log = 0 AND state = 'open'"
	" ORDER BY quarantine";

enum err store_load_forked(struct store *s, struct arena *a, uint32_t device, const struct id *id,
			   struct quarantine_row **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_forked, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	sql_bind_int(q, 2, device);
	return read_quarantines(q, a, ret_rows, ret_count);
}

static const char query_quarantine_logs[] =
	"SELECT log FROM quarantine WHERE id = ?1 AND type = ?2 AND log > 0";

enum err store_load_quarantine_logs(struct store *s, struct arena *a, struct bytes type,
				    const struct id *id, uint64_t **ret_logs, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct rows rows = {.a = a, .size = sizeof **ret_logs};
	bool is_row = false;
	enum err e = sql_use(s, query_quarantine_logs, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	sql_bind_text(q, 2, type);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		uint64_t *log = rows_add(&rows);

		*log = (uint64_t)sql_int(q, 0);
	}
	if (e != ERR_OK)
		return e;
	*ret_logs = (void *)rows.list;
	*ret_count = rows.count;
	return ERR_OK;
}

enum err store_set_quarantine_state(struct store *s, uint64_t quarantine, const char *state,
				    struct bytes why)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_set_quarantine, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)quarantine);
	sql_bind_text(q, 2, bytes_str(state));
	sql_bind_text(q, 3, why);
	e = sql_run(q);
	if (e == ERR_OK && sql_changed_rows(s) == 0)
		return ERR_NOTFOUND;
	return e;
}

/* ---- moves and unit logs ---- */

static const char query_put_moved[] =
	"INSERT INTO moved(type, id, from_unit, to_unit, log) VALUES(?1, ?2, ?3, ?4, ?5)";
static const char query_moved_of[] =
	"SELECT type, id, from_unit, to_unit, log, 0 FROM moved WHERE id = ? ORDER BY moved";
static const char query_moved_from[] =
	"SELECT type, id, from_unit, to_unit, log, 0, moved FROM moved"
	" WHERE from_unit = ?1 AND log > ?2 AND log <= ?3"
	" UNION ALL SELECT type, id, unit, 0, log, 1, 0 FROM erased"
	" WHERE unit = ?1 AND log > ?2 AND log <= ?3 ORDER BY log, moved";
static const char query_unit_log[] = "SELECT log FROM unit_log WHERE unit = ?";
static const char query_put_unit_log[] =
	"INSERT INTO unit_log(unit, log) VALUES(?1, ?2)"
	" ON CONFLICT(unit) DO UPDATE SET log = max(log, excluded.log)";

enum err store_put_moved(struct store *s, const struct moved_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put_moved, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, row->type);
	bind_id(q, 2, &row->id);
	sql_bind_int(q, 3, row->from_unit);
	sql_bind_int(q, 4, row->to_unit);
	sql_bind_int(q, 5, (int64_t)row->log);
	return sql_run(q);
}

static enum err read_moves(struct sql *q, struct arena *a, struct moved_row **ret_rows,
			   size_t *ret_count)
{
	struct rows rows = {.a = a, .size = sizeof **ret_rows};
	bool is_row = false;
	enum err e;

	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct moved_row *row = rows_add(&rows);

		row->type = sql_text_copy(q, 0, a);
		row->from_unit = sql_int(q, 2);
		row->to_unit = sql_int(q, 3);
		row->log = (uint64_t)sql_int(q, 4);
		row->is_erased = sql_int(q, 5) != 0;
		if (!read_id(q, 1, &row->id))
			return err_raise(ERR_CORRUPT, "a move");
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = (void *)rows.list;
	*ret_count = rows.count;
	return ERR_OK;
}

enum err store_load_moved_of(struct store *s, struct arena *a, const struct id *id,
			     struct moved_row **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_moved_of, &q);

	if (e != ERR_OK)
		return e;
	bind_id(q, 1, id);
	return read_moves(q, a, ret_rows, ret_count);
}

enum err store_load_moved_from(struct store *s, struct arena *a, const struct store_page *page,
			       struct moved_row **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_moved_from, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, page->unit);
	sql_bind_int(q, 2, (int64_t)page->after);
	sql_bind_int(q, 3, (int64_t)page->until);
	return read_moves(q, a, ret_rows, ret_count);
}

enum err store_load_unit_log(struct store *s, int64_t unit, uint64_t *ret_log)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, query_unit_log, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	e = sql_step(q, &is_row);
	if (e == ERR_OK)
		*ret_log = is_row ? (uint64_t)sql_int(q, 0) : 0;
	return e;
}

enum err store_put_unit_log(struct store *s, int64_t unit, uint64_t log)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put_unit_log, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, unit);
	sql_bind_int(q, 2, (int64_t)log);
	return sql_run(q);
}

/* ---- notices ---- */

static const char query_put_notice[] =
	"INSERT INTO notice(device, notice, kind, type, id, field, kept, lost, author, at, text,"
	" number) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
static const char query_last_notice[] = "SELECT max(notice) FROM notice WHERE device = ?";
static const char query_notices[] =
	"SELECT notice, kind, type, id, field, kept, lost, author, at, text, number FROM notice"
	" WHERE device = ?1 AND notice > ?2 ORDER BY notice LIMIT ?3";

enum err store_last_notice(struct store *s, uint32_t device, uint64_t *ret_notice)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_last_notice, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, device);
	e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_notice = (uint64_t)sql_int(q, 0);
	return e;
}

enum err store_put_notice(struct store *s, const struct notice_row *row)
{
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf kept = {0};
	AUTO(buf_clear) struct buf lost = {0};
	enum err e = sql_use(s, query_put_notice, &q);

	if (e != ERR_OK)
		return e;
	pack_value(&kept, &row->kept);
	pack_value(&lost, &row->lost);
	sql_bind_int(q, 1, row->device);
	sql_bind_int(q, 2, (int64_t)row->notice);
	sql_bind_text(q, 3, row->kind);
	sql_bind_text(q, 4, row->type);
	bind_id(q, 5, &row->id);
	sql_bind_text(q, 6, row->field);
	sql_bind_blob(q, 7, buf_bytes(&kept));
	sql_bind_blob(q, 8, buf_bytes(&lost));
	sql_bind_text(q, 9, row->by);
	sql_bind_int(q, 10, row->at_ms);
	sql_bind_text(q, 11, row->text);
	sql_bind_int(q, 12, (int64_t)row->number);
	return sql_run(q);
}

static const char query_inherit[] =
	"INSERT INTO notice(device, notice, kind, type, id, field, kept, lost, author, at, text)"
	" SELECT ?1, row_number() OVER (ORDER BY notice), kind, type, id, field, kept, lost, author,"
	" at, text FROM notice WHERE device = ?2 AND notice > ?3";
static const char query_successors[] =
	"SELECT device FROM invitation WHERE former = ?1 AND former <> 0 AND device <> 0";

enum err store_inherit_notices(struct store *s, uint32_t former, uint64_t after, uint32_t successor)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_inherit, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, successor);
	sql_bind_int(q, 2, former);
	sql_bind_int(q, 3, (int64_t)after);
	return sql_run(q);
}

static enum err add_successors(struct store *s, uint32_t device, struct buf *out)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, query_successors, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, device);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		uint32_t successor = (uint32_t)sql_int(q, 0);

		buf_append(out, &successor, sizeof successor);
	}
	return e;
}

enum err store_notify(struct store *s, struct notice_row *notice)
{
	AUTO(buf_clear) struct buf devices = {0};
	enum err e = ERR_OK;

	buf_append(&devices, &notice->device, sizeof notice->device);
	/* The list grows while it is walked: successors of successors. */
	for (size_t at = 0; e == ERR_OK && at < devices.len; at += sizeof notice->device) {
		memcpy(&notice->device, devices.data + at, sizeof notice->device);
		e = store_last_notice(s, notice->device, &notice->notice);
		notice->notice++;
		if (e == ERR_OK)
			e = store_put_notice(s, notice);
		if (e == ERR_OK)
			e = add_successors(s, notice->device, &devices);
		/* Of the device's own numbers; its successor has others. */
		notice->number = 0;
	}
	return e;
}

static bool read_notice(struct sql *q, struct arena *a, struct notice_row *row)
{
	struct pack_reader kept = pack_open(sql_blob_copy(q, 5, a));
	struct pack_reader lost = pack_open(sql_blob_copy(q, 6, a));

	row->notice = (uint64_t)sql_int(q, 0);
	row->kind = sql_text_copy(q, 1, a);
	row->type = sql_text_copy(q, 2, a);
	row->field = sql_text_copy(q, 4, a);
	row->kept = unpack_value(&kept);
	row->lost = unpack_value(&lost);
	row->by = sql_text_copy(q, 7, a);
	row->at_ms = sql_int(q, 8);
	row->text = sql_text_copy(q, 9, a);
	row->number = (uint64_t)sql_int(q, 10);
	return read_id(q, 3, &row->id) && !kept.is_bad && !lost.is_bad;
}

enum err store_load_notices(struct store *s, struct arena *a, uint32_t device,
			    const struct store_range *range, struct notice_row **ret_rows,
			    size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct rows rows = {.a = a, .size = sizeof **ret_rows};
	bool is_row = false;
	enum err e = sql_use(s, query_notices, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, device);
	sql_bind_int(q, 2, (int64_t)range->after);
	sql_bind_int(q, 3, (int64_t)range->limit);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct notice_row *row = rows_add(&rows);

		row->device = device;
		if (!read_notice(q, a, row))
			return err_raise(ERR_CORRUPT, "notice of device %u", device);
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = (void *)rows.list;
	*ret_count = rows.count;
	return ERR_OK;
}

/* ---- audit ---- */

static const char query_last_audit[] = "SELECT chain FROM audit ORDER BY entry DESC LIMIT 1";
static const char query_put_audit[] =
	"INSERT INTO audit(at, who, what, detail, detail_hash, hash, chain)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";

static enum err last_audit(struct store *s, struct hash *ret_chain)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, query_last_audit, &q);

	if (e == ERR_OK)
		e = sql_step(q, &is_row);
	if (e != ERR_OK || !is_row)
		return e;
	if (sql_blob(q, 0).len != HASH_LEN)
		return err_raise(ERR_CORRUPT, "audit chain");
	memcpy(ret_chain->bytes, sql_blob(q, 0).data, HASH_LEN);
	return ERR_OK;
}

struct hash store_hash_audit(int64_t at_ms, struct bytes who, struct bytes what,
			     const struct hash *detail)
{
	return audit_hash(at_ms, who, what, detail);
}

enum err store_put_audit(struct store *s, int64_t at_ms, struct bytes who, struct bytes what,
			 struct bytes detail)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct hash detail_hash = hash_of(detail);
	struct hash hash = store_hash_audit(at_ms, who, what, &detail_hash);
	struct hash chain = {0};
	enum err e = last_audit(s, &chain);

	if (e == ERR_OK)
		e = sql_use(s, query_put_audit, &q);
	if (e != ERR_OK)
		return e;
	chain = hash_of_two(bytes_of(chain.bytes, HASH_LEN), bytes_of(hash.bytes, HASH_LEN));
	sql_bind_int(q, 1, at_ms);
	sql_bind_text(q, 2, who);
	sql_bind_text(q, 3, what);
	sql_bind_blob(q, 4, detail);
	sql_bind_blob(q, 5, bytes_of(detail_hash.bytes, HASH_LEN));
	sql_bind_blob(q, 6, bytes_of(hash.bytes, HASH_LEN));
	sql_bind_blob(q, 7, bytes_of(chain.bytes, HASH_LEN));
	return sql_run(q);
}
