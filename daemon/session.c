#include "daemon/session.h"

#include <stdio.h>

#include "common/base/check.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

#define LIMIT_DEFAULT 100

static const char *const outcome_names[] = {
	[SESSION_OPEN] = "open",       [SESSION_OK] = "ok",         [SESSION_PARTIAL] = "partial",
	[SESSION_REFUSED] = "refused", [SESSION_FAILED] = "failed",
};

#define OUTCOMES (sizeof outcome_names / sizeof outcome_names[0])

const char *session_outcome_name(enum session_outcome outcome)
{
	REQUIRE((size_t)outcome < OUTCOMES);
	return outcome_names[outcome];
}

bool session_outcome_parse(struct bytes text, enum session_outcome *ret_outcome)
{
	for (size_t i = 0; i < OUTCOMES; i++) {
		if (bytes_is(text, outcome_names[i])) {
			*ret_outcome = (enum session_outcome)i;
			return true;
		}
	}
	return false;
}

/* ---- writing ---- */

static const char query_begin[] =
	"INSERT INTO session(device, is_device_known, unit, author, started_at, ended_at,"
	" transport, address, client_version, bytes_in, bytes_out, changesets, applied, conflicts,"
	" quarantined, records_out, evictions, clock_offset_ms, outcome, error)"
	" VALUES(?1, ?2, CASE WHEN ?2 THEN ifnull((SELECT min(unit) FROM device_unit"
	" WHERE device = ?1), 0) ELSE 0 END, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 0, 0, 0, 0, 0,"
	" ?11, ?12, ?13)";

static const char query_contact[] =
	"UPDATE device SET last_contact_at = ?2, counter = max(counter, ?3),"
	" clock_offset_ms = CASE WHEN ?4 THEN ?5 ELSE clock_offset_ms END,"
	" client_version = CASE WHEN ?6 = '' THEN client_version ELSE ?6 END WHERE number = ?1";

static const char query_merged[] =
	"UPDATE session SET changesets = ?2, applied = ?3, conflicts = ?4, quarantined = ?5,"
	" error = ?6 WHERE session = ?1";

/* A gap is something missing, a digest that differs ("digest: …") was repaired; any other code
 * means that we said no. */
static const char query_end[] =
	"UPDATE session SET ended_at = ?2, bytes_out = ?3, records_out = ?4, evictions = ?5,"
	" error = CASE WHEN ?6 = '' THEN error ELSE ?6 END,"
	" outcome = CASE WHEN ?7 THEN 4"
	"  WHEN (CASE WHEN ?6 = '' THEN error ELSE ?6 END) NOT IN ('', 'gap')"
	"   AND ?6 NOT GLOB 'digest: *' THEN 3"
	"  WHEN ?6 = 'gap' OR ?6 GLOB 'digest: *' OR error = 'gap' OR quarantined > 0"
	"   OR conflicts > 0 THEN 2"
	"  ELSE 1 END WHERE session = ?1";

/* What the board shows as the last receipt: of a contact that was turned away there is none. */
static const char query_receipt[] =
	"UPDATE device SET last_receipt_at = ?2 WHERE number = (SELECT device FROM session"
	" WHERE session = ?1 AND is_device_known = 1 AND outcome IN (1, 2))";

static const char query_mend[] =
	"UPDATE session SET outcome = 4, ended_at = ?1, error = 'interrupted' WHERE outcome = 0";

_Static_assert(SESSION_OPEN == 0 && SESSION_OK == 1 && SESSION_PARTIAL == 2 &&
		       SESSION_REFUSED == 3 && SESSION_FAILED == 4,
	       "as in query_end, query_receipt and query_mend");

struct begin {
	const struct session_start *start;
	bool is_device_known;
	enum session_outcome outcome;
	struct bytes error;
	uint64_t bytes_out;
};

static enum err put_row(struct store *s, const struct begin *b, uint64_t *ret_session)
{
	AUTO(sql_done) struct sql *q = NULL;
	const struct session_start *start = b->start;
	enum err e = sql_use(s, query_begin, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, start->device);
	sql_bind_int(q, 2, b->is_device_known);
	sql_bind_text(q, 3, start->author);
	sql_bind_int(q, 4, start->now_ms);
	sql_bind_int(q, 5, b->outcome == SESSION_OPEN ? 0 : start->now_ms);
	sql_bind_text(q, 6, start->transport);
	sql_bind_text(q, 7, start->address);
	sql_bind_text(q, 8, start->client_version);
	sql_bind_int(q, 9, (int64_t)start->bytes_in);
	sql_bind_int(q, 10, (int64_t)b->bytes_out);
	sql_bind_int(q, 11, start->sent_ms != 0 ? start->sent_ms - start->now_ms : 0);
	sql_bind_int(q, 12, b->outcome);
	sql_bind_text(q, 13, b->error);
	e = sql_run(q);
	if (e == ERR_OK)
		*ret_session = (uint64_t)sql_last_row(s);
	return e;
}

static enum err note_contact(struct store *s, const struct session_start *start)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_contact, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, start->device);
	sql_bind_int(q, 2, start->now_ms);
	sql_bind_int(q, 3, (int64_t)start->counter);
	sql_bind_int(q, 4, start->sent_ms != 0);
	sql_bind_int(q, 5, start->sent_ms - start->now_ms);
	sql_bind_text(q, 6, start->client_version);
	return sql_run(q);
}

enum err session_begin(struct store *s, const struct session_start *start, uint64_t *ret_session)
{
	const struct begin b = {.start = start, .is_device_known = true, .outcome = SESSION_OPEN};
	enum err e = put_row(s, &b, ret_session);

	return e != ERR_OK ? e : note_contact(s, start);
}

enum err session_refused(struct store *s, const struct session_start *start, bool is_device_known,
			 struct bytes error, uint64_t bytes_out, uint64_t *ret_session)
{
	const struct begin b = {.start = start,
				.is_device_known = is_device_known,
				.outcome = SESSION_REFUSED,
				.error = error,
				.bytes_out = bytes_out};
	enum err e = put_row(s, &b, ret_session);

	if (e != ERR_OK || !is_device_known || start->counter == 0)
		return e;
	return note_contact(s, start);
}

static const char *error_of(enum ingest_outcome outcome)
{
	switch (outcome) {
	case INGEST_OK: return "";
	case INGEST_GAP: return "gap";
	case INGEST_FORKED: return "forked";
	case INGEST_REFUSED: return "revoked";
	}
	UNREACHABLE();
}

enum err session_merged(struct store *s, uint64_t session, const struct ingest_result *result)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_merged, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)session);
	sql_bind_int(q, 2, (int64_t)result->changeset_count);
	sql_bind_int(q, 3, (int64_t)result->applied);
	sql_bind_int(q, 4, (int64_t)result->conflicts);
	sql_bind_int(q, 5, (int64_t)result->quarantined);
	sql_bind_text(q, 6, bytes_str(error_of(result->outcome)));
	return sql_run(q);
}

static enum err note_receipt(struct store *s, uint64_t session, int64_t now_ms)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_receipt, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)session);
	sql_bind_int(q, 2, now_ms);
	return sql_run(q);
}

enum err session_end(struct store *s, uint64_t session, const struct session_finish *finish)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_end, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)session);
	sql_bind_int(q, 2, finish->now_ms);
	sql_bind_int(q, 3, (int64_t)finish->bytes_out);
	sql_bind_int(q, 4, (int64_t)finish->stats.records);
	sql_bind_int(q, 5, (int64_t)finish->stats.evictions);
	sql_bind_text(q, 6, finish->error);
	sql_bind_int(q, 7, finish->is_failed);
	e = sql_run(q);
	return e == ERR_OK ? note_receipt(s, session, finish->now_ms) : e;
}

enum err session_mend(struct store *s, int64_t now_ms)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_mend, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, now_ms);
	return sql_run(q);
}

/* ---- reading ---- */

#define COLUMNS                                                                             \
	"SELECT s.session, s.device, s.is_device_known, s.unit, s.author, s.started_at,"    \
	" s.ended_at, s.transport, s.address, s.client_version, s.bytes_in, s.bytes_out,"   \
	" s.changesets, s.applied, s.conflicts, s.quarantined, s.records_out, s.evictions," \
	" s.clock_offset_ms, s.outcome, s.error,"                                           \
	" (SELECT min(log) FROM changeset WHERE session = s.session),"                      \
	" (SELECT max(log) FROM changeset WHERE session = s.session) FROM session s "

/*
 * Which are found first, by index and without their columns. Where devices are named, theirs are
 * looked up (session_by_device): of a million contacts one commune has a few hundred. Else those
 * that did not go well (session_not_well), where only these are asked for; else those of a time
 * (session_by_start). Else, and where most devices are named, from the end until there are enough.
 */
#define FIND  "JOIN (SELECT x.session AS found FROM session x WHERE "
#define FOUND ") ON s.session = found "

#define OF_ANY      "?1 IS NULL AND ?2 IS NULL"
#define OF_NOT_WELL "x.outcome > 1 AND x.outcome = ?5 AND " OF_ANY
#define OF_DEVICE                                 \
	"x.device = ?2 AND x.is_device_known = 1" \
	" AND (?1 IS NULL OR x.device IN (SELECT device FROM device_unit WHERE unit = ?1))"
#define OF_UNIT                                                                                  \
	"x.device IN (SELECT device FROM device_unit WHERE unit = ?1) AND x.is_device_known = 1" \
	" AND ?2 IS NULL"
#define OF_SEEN                                                                   \
	"x.device IN (SELECT value FROM json_each(?9)) AND x.is_device_known = 1" \
	" AND ?1 IS NULL AND ?2 IS NULL"

/* Each condition of the filter is off while its parameter is NULL. */
#define CONDITIONS                                                                      \
	" AND (?3 IS NULL OR x.started_at >= ?3) AND (?4 IS NULL OR x.started_at < ?4)" \
	" AND (?5 IS NULL OR x.outcome = ?5 OR (?8 AND x.outcome = 0))"                 \
	" AND (?9 IS NULL OR (x.is_device_known = 1"                                    \
	"  AND x.device IN (SELECT value FROM json_each(?9)))) "

#define NEWEST(of)                                                          \
	COLUMNS FIND of CONDITIONS "ORDER BY x.session DESC LIMIT ?7" FOUND \
				   "ORDER BY s.session DESC"
/* Who began last: numbers follow but where the clock was set back. */
#define LATEST                                                                              \
	COLUMNS FIND "x.started_at >= ifnull(?3, 0) AND x.started_at < ifnull(?4, 1 << 62)" \
		     " AND " OF_ANY CONDITIONS                                              \
		     "ORDER BY x.started_at DESC, x.session DESC LIMIT ?7" FOUND            \
		     "ORDER BY s.session DESC"
#define AFTER(of)                                                                         \
	COLUMNS FIND of CONDITIONS "AND x.session > ?6 ORDER BY x.session LIMIT ?7" FOUND \
				   "ORDER BY s.session"

enum session_way {
	BY_END,
	BY_OUTCOME,
	BY_TIME, /* `after`: from there on */
	BY_DEVICE,
	BY_UNIT,
	BY_SEEN
};
static const char *const newest[] = {
	[BY_END] = NEWEST(OF_ANY),   [BY_OUTCOME] = NEWEST(OF_NOT_WELL),
	[BY_TIME] = LATEST,          [BY_DEVICE] = NEWEST(OF_DEVICE),
	[BY_UNIT] = NEWEST(OF_UNIT), [BY_SEEN] = NEWEST(OF_SEEN),
};
static const char *const after[] = {
	[BY_END] = AFTER(OF_ANY),   [BY_OUTCOME] = AFTER(OF_NOT_WELL),
	[BY_TIME] = AFTER(OF_ANY),  [BY_DEVICE] = AFTER(OF_DEVICE),
	[BY_UNIT] = AFTER(OF_UNIT), [BY_SEEN] = AFTER(OF_SEEN),
};
static const char query_load[] = COLUMNS "WHERE s.session = ?";

#define SEEN_FEW 200u /* devices whose contacts are looked up rather than met from the end */

static enum session_way way_of(const struct session_filter *f)
{
	if (f->has_device)
		return BY_DEVICE;
	if (f->unit != 0)
		return BY_UNIT;
	if (f->is_bound && f->device_count <= SEEN_FEW)
		return BY_SEEN;
	if (f->has_outcome && f->outcome > SESSION_OK && !f->with_open)
		return BY_OUTCOME;
	return f->since_ms != 0 || f->until_ms != 0 ? BY_TIME : BY_END;
}

static void read_row(struct sql *q, struct arena *a, struct session_row *row)
{
	*row = (struct session_row){
		.session = (uint64_t)sql_int(q, 0),
		.device = (uint32_t)sql_int(q, 1),
		.is_device_known = sql_int(q, 2) != 0,
		.unit = sql_int(q, 3),
		.author = sql_text_copy(q, 4, a),
		.started_ms = sql_int(q, 5),
		.ended_ms = sql_int(q, 6),
		.transport = sql_text_copy(q, 7, a),
		.address = sql_text_copy(q, 8, a),
		.client_version = sql_text_copy(q, 9, a),
		.bytes_in = (uint64_t)sql_int(q, 10),
		.bytes_out = (uint64_t)sql_int(q, 11),
		.changesets = (uint64_t)sql_int(q, 12),
		.applied = (uint64_t)sql_int(q, 13),
		.conflicts = (uint64_t)sql_int(q, 14),
		.quarantined = (uint64_t)sql_int(q, 15),
		.records_out = (uint64_t)sql_int(q, 16),
		.evictions = (uint64_t)sql_int(q, 17),
		.clock_offset_ms = sql_int(q, 18),
		.outcome = (enum session_outcome)sql_int(q, 19),
		.error = sql_text_copy(q, 20, a),
		.log_first = (uint64_t)sql_int(q, 21),
		.log_last = (uint64_t)sql_int(q, 22),
	};
}

static void bind_if(struct sql *q, int position, bool is_set, int64_t value)
{
	if (is_set)
		sql_bind_int(q, position, value);
	else
		sql_bind_null(q, position);
}

/* "[1,2]"; as NULL all. */
static void bind_devices(struct sql *q, int position, const struct session_filter *f,
			 struct arena *a)
{
	AUTO(buf_clear) struct buf text = {0};

	if (!f->is_bound) {
		sql_bind_null(q, position);
		return;
	}
	buf_append_str(&text, "[");
	for (size_t i = 0; i < f->device_count; i++)
		buf_printf(&text, "%s%u", i != 0 ? "," : "", f->devices[i]);
	buf_append_str(&text, "]");
	sql_bind_text(q, position, arena_copy(a, buf_bytes(&text)));
}

enum err session_list(struct store *s, struct arena *a, const struct session_filter *f,
		      struct session_row **ret_rows, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct session_row *rows = NULL;
	size_t count = 0;
	size_t cap = 0;
	bool is_row = false;
	enum err e = sql_use(s, (f->after != 0 ? after : newest)[way_of(f)], &q);

	if (e != ERR_OK)
		return e;
	bind_if(q, 1, f->unit != 0, f->unit);
	bind_if(q, 2, f->has_device, f->device);
	bind_if(q, 3, f->since_ms != 0, f->since_ms);
	bind_if(q, 4, f->until_ms != 0, f->until_ms);
	bind_if(q, 5, f->has_outcome, f->outcome);
	if (f->after != 0)
		sql_bind_int(q, 6, (int64_t)f->after);
	sql_bind_int(q, 7, f->limit != 0 ? (int64_t)f->limit : LIMIT_DEFAULT);
	sql_bind_int(q, 8, f->with_open);
	bind_devices(q, 9, f, a);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		if (count == cap) {
			struct session_row *more = arena_alloc_array(a, cap * 2 + 32, sizeof *more);

			if (count != 0)
				memcpy(more, rows, count * sizeof *more);
			rows = more;
			cap = cap * 2 + 32;
		}
		read_row(q, a, &rows[count++]);
	}
	if (e != ERR_OK)
		return e;
	*ret_rows = rows;
	*ret_count = count;
	return ERR_OK;
}

enum err session_load(struct store *s, struct arena *a, uint64_t session,
		      struct session_row *ret_row)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_load, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, (int64_t)session);
	e = sql_run_row(q);
	if (e == ERR_OK)
		read_row(q, a, ret_row);
	return e;
}

enum err session_load_unit(struct store *s, uint64_t session, int64_t day,
			   char ret_code[SESSION_UNIT_LEN])
{
	AUTO(arena_clear) struct arena a = {0};
	struct session_row row;
	struct unit_row unit;
	struct bytes code = {0};
	enum err e = session_load(s, &a, session, &row);

	ret_code[0] = '\0';
	if (e != ERR_OK || row.unit == 0)
		return e;
	e = units_load(s, &a, row.unit, day, &unit);
	if (e == ERR_OK)
		e = units_print_code(s, &a, &unit, day, &code);
	if (e == ERR_OK)
		(void)snprintf(ret_code, SESSION_UNIT_LEN, "%.*s", BYTES_FMT(code));
	return e == ERR_NOTFOUND ? ERR_OK : e;
}
