#include <sqlite3.h>
#include <stdio.h>

#include "daemon/schema_sql.h"
#include "daemon/store_private.h"

/*
 * The fixed tables, step by step: step n makes version n+1. A released step is
 * never altered; the next one is added behind it. docs/storage.md explains each
 * table. `at` columns are milliseconds UTC, `day` columns days since 1970-01-01.
 */
static const char step_1[] =
	"CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"

	/* What typed tables exist, and which number each field has in packed stamps. */
	"CREATE TABLE record_type(name TEXT PRIMARY KEY, kind TEXT NOT NULL) STRICT;"
	"CREATE TABLE record_field(type TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL,"
	" kind TEXT NOT NULL, is_indexed INTEGER NOT NULL, PRIMARY KEY(type, name)) STRICT;"

	"CREATE TABLE changeset(log INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	" device INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,"
	" chain BLOB NOT NULL, received_at INTEGER NOT NULL, sent_at INTEGER NOT NULL,"
	" shift_ms INTEGER NOT NULL, ceiling INTEGER NOT NULL, floor INTEGER NOT NULL,"
	" is_flagged INTEGER NOT NULL, author TEXT, signature BLOB NOT NULL,"
	" session INTEGER NOT NULL, verdicts BLOB, size INTEGER NOT NULL, body BLOB) STRICT;"
	"CREATE UNIQUE INDEX changeset_by_device ON changeset(device, first) WHERE kind = 1;"
	"CREATE INDEX changeset_by_session ON changeset(session);"

	"CREATE TABLE device(number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE,"
	" state INTEGER NOT NULL, is_cleared INTEGER NOT NULL, counter INTEGER NOT NULL,"
	" name TEXT NOT NULL, author TEXT NOT NULL, last_number INTEGER NOT NULL,"
	" chain BLOB NOT NULL, clock INTEGER NOT NULL, seen_number INTEGER NOT NULL,"
	" backed_up INTEGER NOT NULL, enrolled_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL,"
	" last_contact_at INTEGER NOT NULL, clock_offset_ms INTEGER NOT NULL,"
	" is_clock_flagged INTEGER NOT NULL, client_version TEXT NOT NULL, why TEXT NOT NULL)"
	" STRICT;"
	"CREATE TABLE device_unit(device INTEGER NOT NULL, unit INTEGER NOT NULL,"
	" PRIMARY KEY(device, unit)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX device_unit_by_unit ON device_unit(unit);"
	"CREATE TABLE invitation(code BLOB PRIMARY KEY, units BLOB NOT NULL, author TEXT NOT NULL,"
	" is_cleared INTEGER NOT NULL, made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,"
	" used_at INTEGER NOT NULL, device INTEGER NOT NULL) STRICT;"

	"CREATE TABLE unit(unit INTEGER PRIMARY KEY, level INTEGER NOT NULL,"
	" has_districts INTEGER NOT NULL, first_day INTEGER NOT NULL, last_day INTEGER NOT NULL)"
	" STRICT;"
	"CREATE TABLE unit_name(unit INTEGER NOT NULL, first_day INTEGER NOT NULL,"
	" last_day INTEGER NOT NULL, level INTEGER NOT NULL, code TEXT NOT NULL,"
	" name TEXT NOT NULL, bare TEXT NOT NULL, kind TEXT NOT NULL, parent INTEGER NOT NULL,"
	" province INTEGER NOT NULL, PRIMARY KEY(unit, first_day)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX unit_name_by_code ON unit_name(level, code);"
	"CREATE INDEX unit_name_by_parent ON unit_name(parent);"
	"CREATE TABLE unit_log(unit INTEGER PRIMARY KEY, log INTEGER NOT NULL) STRICT;"
	"CREATE INDEX unit_name_by_province ON unit_name(province);"
	"CREATE TABLE unit_list(province TEXT NOT NULL, has_districts INTEGER NOT NULL,"
	" first_day INTEGER NOT NULL, PRIMARY KEY(province, has_districts, first_day))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE unit_succession(old INTEGER NOT NULL, new INTEGER NOT NULL,"
	" day INTEGER NOT NULL, is_whole INTEGER NOT NULL, is_suspect INTEGER NOT NULL,"
	" PRIMARY KEY(old, new)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX unit_succession_by_new ON unit_succession(new);"

	"CREATE TABLE moved(moved INTEGER PRIMARY KEY, type TEXT NOT NULL, id BLOB NOT NULL,"
	" from_unit INTEGER NOT NULL, to_unit INTEGER NOT NULL, log INTEGER NOT NULL) STRICT;"
	"CREATE INDEX moved_by_unit ON moved(from_unit, log);"
	"CREATE INDEX moved_by_id ON moved(id);"
	"CREATE TABLE conflict(conflict INTEGER PRIMARY KEY, type TEXT NOT NULL, id BLOB NOT NULL,"
	" field TEXT NOT NULL, log INTEGER NOT NULL, kept BLOB NOT NULL, lost BLOB NOT NULL,"
	" kept_by TEXT NOT NULL, lost_by TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL)"
	" STRICT;"
	"CREATE INDEX conflict_by_id ON conflict(id);"
	"CREATE INDEX conflict_open ON conflict(conflict) WHERE state = 'open';"
	"CREATE TABLE quarantine(quarantine INTEGER PRIMARY KEY, device INTEGER NOT NULL,"
	" number INTEGER NOT NULL, log INTEGER NOT NULL, clock INTEGER NOT NULL,"
	" type TEXT NOT NULL, id BLOB NOT NULL, reason TEXT NOT NULL, field TEXT NOT NULL,"
	" text TEXT NOT NULL, change BLOB NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL,"
	" why TEXT NOT NULL) STRICT;"
	"CREATE INDEX quarantine_by_device ON quarantine(device, number);"
	"CREATE INDEX quarantine_by_id ON quarantine(id);"
	"CREATE INDEX quarantine_open ON quarantine(quarantine) WHERE state = 'open';"
	"CREATE TABLE notice(device INTEGER NOT NULL, notice INTEGER NOT NULL, kind TEXT NOT NULL,"
	" type TEXT NOT NULL, id BLOB NOT NULL, field TEXT NOT NULL, kept BLOB NOT NULL,"
	" lost BLOB NOT NULL, author TEXT NOT NULL, at INTEGER NOT NULL, text TEXT NOT NULL,"
	" PRIMARY KEY(device, notice)) STRICT, WITHOUT ROWID;"

	"CREATE TABLE session(session INTEGER PRIMARY KEY, device INTEGER NOT NULL,"
	" is_device_known INTEGER NOT NULL, unit INTEGER NOT NULL, author TEXT NOT NULL,"
	" started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, transport TEXT NOT NULL,"
	" address TEXT NOT NULL, client_version TEXT NOT NULL, bytes_in INTEGER NOT NULL,"
	" bytes_out INTEGER NOT NULL, changesets INTEGER NOT NULL, applied INTEGER NOT NULL,"
	" conflicts INTEGER NOT NULL, quarantined INTEGER NOT NULL, records_out INTEGER NOT NULL,"
	" evictions INTEGER NOT NULL, clock_offset_ms INTEGER NOT NULL, outcome INTEGER NOT NULL,"
	" error TEXT NOT NULL) STRICT;"
	"CREATE INDEX session_by_device ON session(device, session);"
	"CREATE INDEX session_by_start ON session(started_at);"
	"CREATE INDEX session_open ON session(session) WHERE outcome = 0;"
	"CREATE TABLE audit(entry INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, detail BLOB, detail_hash BLOB NOT NULL, hash BLOB NOT NULL,"
	" chain BLOB NOT NULL) STRICT;"
	"CREATE TABLE backup(backup INTEGER PRIMARY KEY, path TEXT NOT NULL, at INTEGER NOT NULL,"
	" log INTEGER NOT NULL, bytes INTEGER NOT NULL, hash BLOB NOT NULL,"
	" verified_at INTEGER NOT NULL) STRICT;";

/* Bases of an epoch that ended: epochs.h. */
static const char step_2[] =
	"ALTER TABLE changeset ADD COLUMN base_cut INTEGER NOT NULL DEFAULT 0;";

/* Step 3: what an event corrects gets a column, and leaves `extra`. */
static const char query_events[] = "SELECT name FROM record_type WHERE kind = 'event'";

static enum err print_event_columns(struct store *s, struct buf *out)
{
	AUTO(store_finalize) struct sql *q = NULL;
	bool is_row = false;
	enum err e = store_prepare(s, bytes_str(query_events), &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row)
		schema_sql_print_corrects(sql_text(q, 0), out);
	return e;
}

static enum err give_events_corrects(struct store *s)
{
	AUTO(buf_clear) struct buf text = {0};
	enum err e = print_event_columns(s, &text);

	if (e == ERR_OK && text.len != 0)
		e = store_exec(s, buf_cstr(&text));
	if (e == ERR_OK)
		e = store_load_tables(s);
	for (size_t i = 0; e == ERR_OK && i < s->table_count; i++) {
		if (bytes_is(s->tables[i].kind, "event"))
			e = store_settle_extra(s, &s->tables[i]);
	}
	store_drop_statements(s);
	return e;
}

/* Who decided about a conflict, and when; pairs that look alike and are two. */
static const char step_4[] =
	"ALTER TABLE conflict ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE conflict ADD COLUMN decided_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE conflict ADD COLUMN decided_device INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX conflict_open_by_id ON conflict(id) WHERE state = 'open';"
	"CREATE TABLE distinct_pair(one BLOB NOT NULL, other BLOB NOT NULL, who TEXT NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY(one, other)) STRICT, WITHOUT ROWID;";

/* A device set aside and released: whose home an invitation is for, whose place a device took. */
static const char step_5[] = "ALTER TABLE invitation ADD COLUMN former INTEGER NOT NULL DEFAULT 0;"
			     "ALTER TABLE device ADD COLUMN former INTEGER NOT NULL DEFAULT 0;"
			     "CREATE INDEX invitation_by_former ON invitation(former)"
			     " WHERE former <> 0;";

/* Step 6: indexes of fields leave out the records that lack the field. */
static const char query_indexed[] = "SELECT type, name FROM record_field WHERE is_indexed = 1";

static enum err thin_indexes(struct store *s)
{
	AUTO(buf_clear) struct buf text = {0};
	AUTO(store_finalize) struct sql *q = NULL;
	bool is_row = false;
	enum err e = store_prepare(s, bytes_str(query_indexed), &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		buf_printf(&text, "DROP INDEX \"%.*s__%.*s\";", BYTES_FMT(sql_text(q, 0)),
			   BYTES_FMT(sql_text(q, 1)));
		schema_sql_print_index(sql_text(q, 0), sql_text(q, 1), &text);
	}
	return e == ERR_OK && text.len != 0 ? store_exec(s, buf_cstr(&text)) : e;
}

/* Law's erasure: what stands for bytes that were cut out, and which records are erased. */
static const char step_7[] =
	"ALTER TABLE changeset ADD COLUMN cut BLOB;"
	"CREATE TABLE erased(id BLOB NOT NULL, type TEXT NOT NULL, unit INTEGER NOT NULL,"
	" log INTEGER NOT NULL, PRIMARY KEY(id, type, unit)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX erased_by_unit ON erased(unit, log);";

/* Of which change of its device a notice tells. */
static const char step_8[] = "ALTER TABLE notice ADD COLUMN number INTEGER NOT NULL DEFAULT 0;";

/* Whether a value that is written lost before: by record, field and value (`lost` begins with it).
 */
static const char step_9[] =
	"DROP INDEX conflict_open_by_id;"
	"CREATE INDEX conflict_open_by_lost ON conflict(id, field, lost) WHERE state = 'open';";

/* Who may sign in to the console: account.h. */
static const char step_10[] =
	"CREATE TABLE account(name TEXT PRIMARY KEY, role TEXT NOT NULL,"
	" is_cleared INTEGER NOT NULL, must_change INTEGER NOT NULL, salt BLOB NOT NULL,"
	" passes INTEGER NOT NULL, memory INTEGER NOT NULL, hash BLOB NOT NULL,"
	" made_at INTEGER NOT NULL, changed_at INTEGER NOT NULL, login_at INTEGER NOT NULL)"
	" STRICT, WITHOUT ROWID;";

/* Reports that were frozen, and what each format of one printed (daemon/frozen.h). */
static const char step_11[] =
	"CREATE TABLE report_frozen(frozen INTEGER PRIMARY KEY, report TEXT NOT NULL,"
	" unit_code TEXT NOT NULL, unit_name TEXT NOT NULL,"
	" from_on TEXT NOT NULL, to_on TEXT NOT NULL, code_on TEXT NOT NULL, log INTEGER NOT NULL,"
	" at INTEGER NOT NULL, who TEXT NOT NULL, hash BLOB NOT NULL) STRICT;"
	"CREATE TABLE report_document(frozen INTEGER NOT NULL, format TEXT NOT NULL,"
	" size INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(frozen, format)) STRICT;";

/* Step 12: rows are found by what does not change of them, and by where they were changed since. */
static const char query_record_types[] = "SELECT name FROM record_type";

static enum err give_rows_made_log(struct store *s)
{
	AUTO(buf_clear) struct buf text = {0};
	AUTO(store_finalize) struct sql *q = NULL;
	bool is_row = false;
	enum err e = store_prepare(s, bytes_str(query_record_types), &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row)
		schema_sql_print_made_log(sql_text(q, 0), &text);
	return e == ERR_OK && text.len != 0 ? store_exec(s, buf_cstr(&text)) : e;
}

/* The units an account was given; none: the whole office (daemon/account.h). */
static const char step_13[] =
	"CREATE TABLE account_unit(account TEXT NOT NULL, unit INTEGER NOT NULL,"
	" PRIMARY KEY(account, unit)) STRICT, WITHOUT ROWID;";

/* Contacts that did not go well are few, and asked for. As in session.c: 1 is "ok". */
static const char step_14[] =
	"CREATE INDEX session_not_well ON session(outcome, session) WHERE outcome > 1;";

/* When a device was last given a receipt (session_end()): the board asks it of every device, and of
 * a long sync log each one's last contact lies on another page. */
static const char step_15[] =
	"ALTER TABLE device ADD COLUMN last_receipt_at INTEGER NOT NULL DEFAULT 0;"
	"UPDATE device SET last_receipt_at = ifnull((SELECT s.ended_at FROM session s"
	" WHERE s.device = device.number AND s.is_device_known = 1 AND s.outcome IN (1, 2)"
	" ORDER BY s.session DESC LIMIT 1), 0);";

struct step {
	const char *text;
	enum err (*run)(struct store *s); /* after the text; may be NULL */
};

static const struct step steps[] = {{step_1, NULL},  {step_2, NULL},  {"", give_events_corrects},
				    {step_4, NULL},  {step_5, NULL},  {"", thin_indexes},
				    {step_7, NULL},  {step_8, NULL},  {step_9, NULL},
				    {step_10, NULL}, {step_11, NULL}, {"", give_rows_made_log},
				    {step_13, NULL}, {step_14, NULL}, {step_15, NULL}};

#define VERSION (sizeof steps / sizeof steps[0])

enum err store_read_version(struct store *s, uint64_t *ret_version)
{
	AUTO(store_finalize) struct sql *q = NULL;
	enum err e = store_prepare(s, BYTES_LIT("PRAGMA user_version"), &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_version = (uint64_t)sql_int(q, 0);
	return e;
}

uint64_t store_newest_version(void)
{
	return VERSION;
}

enum err store_refuse_newer(uint64_t version)
{
	return err_raise(
		ERR_INVAL,
		"the store has version %u, this program knows %u: a newer ctxhd has altered "
		"it. Nothing was touched. Install that version again; or go back for good by "
		"restoring a backup made before it into a new folder",
		(unsigned)version, (unsigned)VERSION);
}

static enum err run_step(struct store *s, uint64_t version)
{
	char text[64];
	enum err e = store_begin(s);

	if (e != ERR_OK)
		return e;
	(void)snprintf(text, sizeof text, "PRAGMA user_version=%u", (unsigned)version + 1);
	e = store_exec(s, steps[version].text);
	if (e == ERR_OK && steps[version].run != NULL)
		e = steps[version].run(s);
	if (e == ERR_OK)
		e = store_exec(s, text);
	if (e != ERR_OK) {
		store_rollback(s);
		return e;
	}
	return store_commit(s);
}

enum err store_migrate(struct store *s)
{
	uint64_t version = 0;
	enum err e = store_read_version(s, &version);

	if (e != ERR_OK)
		return e;
	if (version > VERSION)
		return store_refuse_newer(version);
	while (e == ERR_OK && version < VERSION)
		e = run_step(s, version++);
	return e;
}
