#include "daemon/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/crypt.h"
#include "daemon/context.h"
#include "daemon/fold.h"
#include "daemon/frozen.h"
#include "daemon/rebuild.h"
#include "daemon/store.h"
#include "daemon/store_pack.h"
#include "daemon/store_sql.h"

#define GROUP_LOGS 500u /* log rows folded in one transaction */
#define PAGE_ROWS  500u
#define WAL_PAGES  4096u

/* A device's part of the log, as far as it was read. */
struct line {
	uint32_t number;
	struct sign_public key;
	uint64_t last_number;
	struct hash chain;
	uint64_t clock;
};

struct verify {
	struct store *live;
	struct rebuild rebuild; /* the fold, made anew */
	struct arena *a;        /* the report's */
	struct line *lines;
	size_t line_count;
	size_t difference_cap;
	struct verify_report report;
};

/* ---- telling ---- */

static void differ(struct verify *v, const char *invariant, struct bytes table, struct bytes key,
		   const char *text)
{
	struct verify_report *r = &v->report;

	r->found++;
	if (r->difference_count == VERIFY_DIFFERENCES_MAX)
		return;
	if (r->difference_count == v->difference_cap) {
		struct verify_difference *more;

		v->difference_cap = v->difference_cap * 2 + 16;
		more = arena_alloc_array(v->a, v->difference_cap, sizeof *more);
		if (r->difference_count != 0)
			memcpy(more, r->differences, r->difference_count * sizeof *more);
		r->differences = more;
	}
	r->differences[r->difference_count++] =
		(struct verify_difference){.invariant = invariant,
					   .table = arena_copy(v->a, table),
					   .key = arena_copy(v->a, key),
					   .text = bytes_str(text)};
}

static void differ_number(struct verify *v, const char *invariant, const char *table,
			  uint64_t number, const char *text)
{
	AUTO(arena_clear) struct arena a = {0};

	differ(v, invariant, bytes_str(table), arena_printf(&a, "%llu", (unsigned long long)number),
	       text);
}

static void differ_record(struct verify *v, const char *invariant, const struct record *r,
			  const char *text)
{
	char hex[ID_HEX_LEN];

	id_print(&r->id, hex);
	differ(v, invariant, r->type, bytes_str(hex), text);
}

/* ---- the log ---- */

static enum err load_lines(struct verify *v)
{
	struct store_device *devices = NULL;
	size_t count = 0;
	enum err e = store_load_devices(v->live, v->a, &devices, &count);

	if (e != ERR_OK)
		return e;
	v->lines = arena_alloc_array(v->a, count, sizeof *v->lines);
	v->line_count = count;
	for (size_t i = 0; i < count; i++)
		v->lines[i] =
			(struct line){.number = devices[i].id.number, .key = devices[i].id.key};
	return ERR_OK;
}

static struct line *find_line(struct verify *v, uint32_t device)
{
	for (size_t i = 0; i < v->line_count; i++) {
		if (v->lines[i].number == device)
			return &v->lines[i];
	}
	return NULL;
}

/* S2 and S3: signed by its device, chained to the one before, numbered without gaps. */
static void check_chain(struct verify *v, const struct log_row *row, struct line *line)
{
	struct hash head = changeset_chain(&line->chain, row->body, &row->cut);

	if (!changeset_is_signed(&line->key, row->body, &row->signature, &row->cut))
		differ_number(v, "S2", "changeset", row->log, "signature is not the device's");
	if (memcmp(head.bytes, row->chain.bytes, HASH_LEN) != 0)
		differ_number(v, "S2", "changeset", row->log, "chain head does not follow");
	if (row->first != line->last_number + 1)
		differ_number(v, "S3", "changeset", row->log, "numbers are not consecutive");
	if (row->repair.floor != line->clock)
		differ_number(v, "S3", "changeset", row->log,
			      "its floor is not the device's clock before");
	line->last_number = row->first + row->count - 1;
	line->chain = row->chain;
}

static enum err fold_row(struct verify *v, const struct log_row *row, struct arena *a)
{
	struct fold_source source;
	struct line *line = find_line(v, row->device);
	size_t without_table = 0;
	enum err e = fold_open(a, row, &source);

	if (line == NULL) {
		differ_number(v, "S2", "changeset", row->log, "its device is unknown");
		return ERR_OK;
	}
	if (e == ERR_NOTFOUND || e == ERR_CORRUPT) {
		differ_number(v, "S2", "changeset", row->log, "its bytes are gone or damaged");
		return ERR_OK;
	}
	if (e == ERR_OK && row->kind == LOG_CHANGESET) {
		check_chain(v, row, line);
		line->clock = source.clocks[source.count - 1];
	}
	if (e == ERR_OK)
		e = rebuild_take(&v->rebuild, a, row, &source, &without_table);
	if (e != ERR_OK)
		return e;
	v->report.changes += source.count;
	if (without_table != 0)
		differ_number(v, "S4", "changeset", row->log, "a change without a table");
	/* Later conflicts ask for the authors of this one. */
	return store_put_log(v->rebuild.store, row);
}

static enum err fold_group(struct verify *v, uint64_t first, uint64_t last)
{
	enum err e = store_begin(v->rebuild.store);

	if (e != ERR_OK)
		return e;
	for (uint64_t log = first; e == ERR_OK && log <= last; log++) {
		AUTO(arena_clear) struct arena a = {0};
		struct log_row row;

		e = store_load_log(v->live, &a, log, &row);
		v->report.changesets++;
		if (e == ERR_NOTFOUND) {
			differ_number(v, "S1", "changeset", log, "is missing");
			e = ERR_OK;
		} else if (e == ERR_OK) {
			e = fold_row(v, &row, &a);
		}
	}
	if (e != ERR_OK) {
		store_rollback(v->rebuild.store);
		return e;
	}
	return store_commit(v->rebuild.store);
}

static enum err fold_log(struct verify *v)
{
	enum err e = store_last_log(v->live, &v->report.log);

	for (uint64_t log = 1; e == ERR_OK && log <= v->report.log; log += GROUP_LOGS) {
		uint64_t last = log + GROUP_LOGS - 1;

		e = fold_group(v, log, last < v->report.log ? last : v->report.log);
		if (e == ERR_OK && store_wal_pages(v->rebuild.store) > WAL_PAGES)
			e = store_checkpoint(v->rebuild.store);
	}
	return e;
}

/* S3: what the device table says is where the log ends. */
static enum err check_devices(struct verify *v)
{
	struct store_device *devices = NULL;
	size_t count = 0;
	enum err e = store_load_devices(v->live, v->a, &devices, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const struct store_device *d = &devices[i];
		const struct line *line = find_line(v, d->id.number);

		if (line->last_number != d->last_number ||
		    memcmp(line->chain.bytes, d->chain.bytes, HASH_LEN) != 0 ||
		    line->clock != d->clock)
			differ_number(v, "S3", "device", d->id.number,
				      "number, chain head or clock is not the log's");
		if (d->seen_number < d->last_number || d->backed_up > d->last_number)
			differ_number(v, "S3", "device", d->id.number,
				      "numbers seen or backed up contradict the number held");
	}
	return e;
}

/* ---- rows of the typed tables ---- */

static bool is_same_record(const struct record *a, const struct record *b)
{
	AUTO(buf_clear) struct buf left = {0};
	AUTO(buf_clear) struct buf right = {0};

	record_canonical(a, &left);
	record_canonical(b, &right);
	if (!bytes_equal(buf_bytes(&left), buf_bytes(&right)))
		return false;
	/* Canonical bytes leave the log numbers out. */
	for (size_t i = 0; i < a->count; i++) {
		if (a->fields[i].log != b->fields[i].log)
			return false;
	}
	return true;
}

static enum err compare_row(struct verify *v, struct arena *a, const struct store_row *row)
{
	const struct record *r = &row->state.record;
	struct store_state fresh = {.record = {.type = r->type, .id = r->id}};
	enum err e = store_load_states(v->rebuild.store, a, &fresh, 1);

	if (e != ERR_OK)
		return e;
	if (fresh.row == 0)
		differ_record(v, "S4", r, "is in the table but not in the log");
	else if (!is_same_record(r, &fresh.record))
		differ_record(v, "S4", r, "is not what its log says");
	else if (!bytes_equal(row->state.touched, fresh.touched))
		differ_record(v, "S4", r, "does not list the change-sets that named it");
	if (row->unit != record_unit(r) || row->is_deleted != record_is_deleted(r) ||
	    row->is_voided != record_is_voided(r) || row->state.log != record_last_log(r))
		differ_record(v, "S5", r, "unit, log, deleted or voided is not its state's");
	return ERR_OK;
}

static enum err compare_type(struct verify *v, struct bytes type)
{
	uint64_t live = 0;
	uint64_t fresh = 0;
	struct store_range range = {.limit = PAGE_ROWS};
	size_t count = PAGE_ROWS;
	enum err e = ERR_OK;

	while (e == ERR_OK && count == PAGE_ROWS) {
		AUTO(arena_clear) struct arena a = {0};
		struct store_row *rows = NULL;

		count = 0;
		e = store_load_rows(v->live, &a, type, &range, &rows, &count);
		for (size_t i = 0; e == ERR_OK && i < count; i++) {
			range.after = (uint64_t)rows[i].state.row;
			e = compare_row(v, &a, &rows[i]);
		}
		live += count;
	}
	if (e == ERR_OK)
		e = store_count_records(v->rebuild.store, type, &fresh);
	if (e == ERR_OK && fresh > live)
		differ(v, "S4", type, BYTES_NONE, "records of the log are missing in the table");
	v->report.records += live;
	return e;
}

static enum err compare_types(struct verify *v)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < store_type_count(v->live); i++) {
		bool is_event;

		e = compare_type(v, store_type(v->live, i, &is_event));
	}
	return e;
}

/* ---- other tables that are a fold ---- */

struct folded {
	const char *table;
	const char *sql; /* first column: the key that is told */
	/* The key is a row's number, given in turn: where one was erased, the fold gives others. */
	bool is_key_counted;
};

static const char query_moved[] =
	"SELECT moved, type, id, from_unit, to_unit, log FROM moved ORDER BY moved";
static const char query_unit_log[] = "SELECT unit, log FROM unit_log ORDER BY unit";
static const char query_conflict[] =
	"SELECT conflict, type, id, field, log, kept, lost, kept_by, lost_by, at FROM conflict"
	" WHERE state <> 'erased' ORDER BY conflict";
static const char query_erased[] = "SELECT log, id, type, unit FROM erased ORDER BY id, type, unit";

static const struct folded folded[] = {{"moved", query_moved, true},
				       {"unit_log", query_unit_log, false},
				       {"conflict", query_conflict, true},
				       {"erased", query_erased, false}};

static bool is_same_row(struct sql *a, struct sql *b, int first)
{
	for (int i = first; i < sql_column_count(a); i++) {
		if (sql_kind(a, i) != sql_kind(b, i) ||
		    !bytes_equal(sql_blob(a, i), sql_blob(b, i)))
			return false;
	}
	return true;
}

static enum err compare_table(struct verify *v, const struct folded *f)
{
	AUTO(sql_done) struct sql *live = NULL;
	AUTO(sql_done) struct sql *fresh = NULL;
	bool has_live = true;
	bool has_fresh = true;
	enum err e = sql_use(v->live, f->sql, &live);

	if (e == ERR_OK)
		e = sql_use(v->rebuild.store, f->sql, &fresh);
	while (e == ERR_OK && has_live && has_fresh) {
		e = sql_step(live, &has_live);
		if (e == ERR_OK)
			e = sql_step(fresh, &has_fresh);
		if (e != ERR_OK)
			return e;
		if (has_live != has_fresh)
			differ(v, "S6", bytes_str(f->table), BYTES_NONE,
			       "has more or fewer rows than the log says");
		else if (has_live && !is_same_row(live, fresh, f->is_key_counted))
			differ_number(v, "S6", f->table, (uint64_t)sql_int(live, 0),
				      "is not what the log says");
	}
	return e;
}

/* ---- invariants that one statement can ask for ---- */

struct invariant {
	const char *name;
	const char *table;
	const char *text;
	const char *sql; /* each row is a breach; its first column is the key */
};

static const char query_s7_rows[] =
	"SELECT q.quarantine FROM quarantine q WHERE q.log > 0 AND NOT EXISTS(SELECT 1"
	" FROM changeset c WHERE c.log = q.log AND c.device = q.device AND q.number >= c.first"
	" AND q.number < c.first + c.count AND c.verdicts IS NOT NULL)";
static const char query_s8[] = "SELECT device FROM notice GROUP BY device HAVING min(notice) <> 1"
			       " OR max(notice) <> count(*)";
static const char query_s9_units[] =
	"SELECT DISTINCT unit FROM device_unit WHERE unit NOT IN (SELECT unit FROM unit)";
static const char query_s9_logs[] =
	"SELECT unit FROM unit_log WHERE unit NOT IN (SELECT unit FROM unit)"
	" OR log > (SELECT max(log) FROM changeset)";
static const char query_s10[] = "SELECT n.unit FROM unit_name n JOIN unit_name o ON o.unit = n.unit"
				" AND o.first_day > n.first_day AND o.first_day < n.last_day";
static const char query_s10_nameless[] =
	"SELECT unit FROM unit WHERE unit NOT IN (SELECT unit FROM unit_name)";
static const char query_s11[] = "SELECT log FROM changeset WHERE session <> 0"
				" AND session NOT IN (SELECT session FROM session)";

static const struct invariant invariants[] = {
	{"S7", "quarantine", "its change-set does not say so", query_s7_rows},
	{"S8", "notice", "numbers of a device have gaps", query_s8},
	{"S9", "device_unit", "there is no such unit", query_s9_units},
	{"S9", "unit_log", "there is no such unit or log number", query_s9_logs},
	{"S10", "unit_name", "two names of a unit on one day", query_s10},
	{"S10", "unit", "has no name", query_s10_nameless},
	{"S11", "changeset", "its session is not in the sync log", query_s11},
};

static enum err check_invariant(struct verify *v, const struct invariant *i)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(v->live, i->sql, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row)
		differ_number(v, i->name, i->table, (uint64_t)sql_int(q, 0), i->text);
	v->report.invariants++;
	return e;
}

/* S7, the other way: every number the log says is in quarantine is there. */
static const char query_has_quarantine[] =
	"SELECT 1 FROM quarantine WHERE device = ?1 AND number = ?2 AND log = ?3";
static const char query_with_verdicts[] =
	"SELECT log FROM changeset WHERE verdicts IS NOT NULL ORDER BY log";

static enum err check_verdict(struct verify *v, const struct log_row *row, uint64_t number)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(v->live, query_has_quarantine, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, row->device);
	sql_bind_int(q, 2, (int64_t)number);
	sql_bind_int(q, 3, (int64_t)row->log);
	e = sql_step(q, &is_row);
	if (e == ERR_OK && !is_row)
		differ_number(v, "S7", "changeset", row->log, "a refused change is not kept");
	return e;
}

static enum err check_verdicts(struct verify *v)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(v->live, query_with_verdicts, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		AUTO(arena_clear) struct arena a = {0};
		struct log_row row;

		e = store_load_log(v->live, &a, (uint64_t)sql_int(q, 0), &row);
		for (size_t i = 0; e == ERR_OK && i < row.verdict_count; i++) {
			if (row.verdicts[i].is_quarantined)
				e = check_verdict(v, &row, row.verdicts[i].number);
		}
	}
	v->report.invariants++;
	return e;
}

/* S12: the audit's entries are what was hashed, and chained. */
static const char query_audit[] = "SELECT entry, at, who, what, detail, detail_hash, hash, chain"
				  " FROM audit ORDER BY entry";

static bool is_hash(struct bytes stored, const struct hash *want)
{
	return bytes_equal(stored, bytes_of(want->bytes, HASH_LEN));
}

static bool is_entry_sound(struct sql *q)
{
	struct hash detail;
	struct hash hash;

	if (sql_blob(q, 5).len != HASH_LEN)
		return false;
	memcpy(detail.bytes, sql_blob(q, 5).data, HASH_LEN);
	hash = store_hash_audit(sql_int(q, 1), sql_text(q, 2), sql_text(q, 3), &detail);
	if (!is_hash(sql_blob(q, 6), &hash))
		return false;
	/* Erased details are NULL. */
	hash = hash_of(sql_blob(q, 4));
	return sql_kind(q, 4) == SQL_NULL || is_hash(sql_blob(q, 5), &hash);
}

static enum err check_audit(struct verify *v)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct hash chain = {0};
	uint64_t wanted = 1;
	bool is_row = false;
	enum err e = sql_use(v->live, query_audit, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		uint64_t entry = (uint64_t)sql_int(q, 0);

		chain = hash_of_two(bytes_of(chain.bytes, HASH_LEN), sql_blob(q, 6));
		if (entry != wanted || !is_hash(sql_blob(q, 7), &chain) || !is_entry_sound(q))
			differ_number(v, "S12", "audit", entry,
				      "is not what was hashed, or the chain is broken here");
		wanted = entry + 1;
		if (sql_blob(q, 7).len == HASH_LEN)
			memcpy(chain.bytes, sql_blob(q, 7).data, HASH_LEN);
	}
	v->report.invariants++;
	return e;
}

/* S14: frozen reports are what was frozen. */
static enum err check_frozen(struct verify *v)
{
	AUTO(arena_clear) struct arena a = {0};
	struct frozen *rows = NULL;
	size_t count = 0;
	enum err e = frozen_list(v->live, &a, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const char *breach = NULL;

		e = frozen_check(v->live, &rows[i], &breach);
		if (e == ERR_OK && breach != NULL)
			differ_number(v, "S14", "report_frozen", rows[i].frozen, breach);
	}
	v->report.invariants++;
	return e;
}

/* S13: the file itself. */
static const char query_integrity[] = "PRAGMA integrity_check";

static enum err check_integrity(struct verify *v)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(v->live, query_integrity, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		/* Its words name tables and pages, no values. */
		if (!bytes_is(sql_text(q, 0), "ok"))
			differ(v, "S13", BYTES_LIT("sqlite"), sql_text(q, 0), "integrity_check");
	}
	v->report.invariants++;
	return e;
}

/* ---- the run ---- */

static enum err run(struct verify *v)
{
	enum err e = load_lines(v);

	if (e == ERR_OK)
		e = fold_log(v);
	if (e == ERR_OK)
		e = check_devices(v);
	if (e == ERR_OK)
		e = compare_types(v);
	for (size_t i = 0; e == ERR_OK && i < sizeof folded / sizeof folded[0]; i++)
		e = compare_table(v, &folded[i]);
	for (size_t i = 0; e == ERR_OK && i < sizeof invariants / sizeof invariants[0]; i++)
		e = check_invariant(v, &invariants[i]);
	if (e == ERR_OK)
		e = check_verdicts(v);
	if (e == ERR_OK)
		e = check_audit(v);
	if (e == ERR_OK)
		e = check_frozen(v);
	if (e == ERR_OK)
		e = check_integrity(v);
	/* S1 to S6 were checked on the way. */
	v->report.invariants += 6;
	return e;
}

enum err verify_run(const struct context *ctx, struct store *reader, const char *folder,
		    struct arena *a, struct verify_report *ret_report)
{
	struct verify v = {.live = reader, .a = a};
	enum err e = rebuild_open(ctx, folder, reader, &v.rebuild);

	if (e == ERR_OK)
		e = run(&v);
	rebuild_close(&v.rebuild);
	if (e == ERR_OK)
		*ret_report = v.report;
	return e;
}
