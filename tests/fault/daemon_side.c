#include "tests/fault/daemon_side.h"

#include <stdio.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/store_sql.h"
#include "daemon/verify.h"
#include "tests/support/ground.h"

static enum err append_rows(struct store *store, const char *text, struct buf *all)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use_text(store, bytes_str(text), &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		for (int i = 0; i < sql_column_count(q); i++) {
			buf_append_bytes(all, sql_blob(q, i));
			buf_append_byte(all, '|');
		}
	}
	return e;
}

/* Without last_receipt_at, which goes with the sync log: the end of a contact may be lost in a
 * crash. */
static const char query_devices[] =
	"SELECT number, key, state, is_cleared, counter, name, author, last_number, chain, clock,"
	" seen_number, backed_up, enrolled_at, revoked_at, last_contact_at, clock_offset_ms,"
	" is_clock_flagged, client_version, why, former FROM device ORDER BY 1";

/* Whoever does not know whether a record was erased erases it again, which is an entry of its own.
 */
static const char query_log[] =
	"SELECT log, kind, device, first, count, chain, received_at, sent_at, shift_ms, ceiling,"
	" floor, is_flagged, author, signature, verdicts, size, body FROM changeset"
	" WHERE kind <> 3 OR log = (SELECT min(log) FROM changeset WHERE kind = 3) ORDER BY 1";

static const char query_unit_log[] =
	"SELECT unit, min(log, ifnull((SELECT min(log) FROM changeset WHERE kind = 3), log))"
	" FROM unit_log ORDER BY 1";

struct hash daemon_side_state(struct store *store)
{
	static const char *const queries[] = {
		query_log,
		query_devices,
		"SELECT * FROM device_unit ORDER BY 1, 2",
		"SELECT * FROM moved ORDER BY 1",
		query_unit_log,
		"SELECT * FROM conflict ORDER BY 1",
		"SELECT * FROM quarantine ORDER BY 1",
		"SELECT * FROM notice ORDER BY 1, 2",
		"SELECT * FROM person ORDER BY id",
		"SELECT * FROM visit ORDER BY id",
		"SELECT * FROM unit_name ORDER BY 1, 2",
		"SELECT * FROM unit_succession ORDER BY 1, 2, 3",
		"SELECT * FROM distinct_pair ORDER BY 1, 2",
		"SELECT * FROM erased ORDER BY 1, 2, 3",
		"SELECT * FROM record_field ORDER BY 1, 2",
	};
	AUTO(buf_clear) struct buf all = {0};

	for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
		enum err e = append_rows(store, queries[i], &all);

		if (e != ERR_OK)
			buf_printf(&all, "%s", err_name(e));
	}
	return hash_of(buf_bytes(&all));
}

size_t daemon_side_verify(const struct context *ctx, struct store *store, const char *folder,
			  struct arena *a)
{
	struct verify_report report = {0};
	enum err e = store_begin(store);

	if (e == ERR_OK)
		e = verify_run(ctx, store, folder, a, &report);
	store_rollback(store);
	for (size_t i = 0; i < report.difference_count; i++)
		(void)fprintf(stderr, "  %s %.*s %.*s: %.*s\n", report.differences[i].invariant,
			      BYTES_FMT(report.differences[i].table),
			      BYTES_FMT(report.differences[i].key),
			      BYTES_FMT(report.differences[i].text));
	if (e != ERR_OK)
		(void)fprintf(stderr, "  verify: %s: %s\n", err_name(e), log_last_detail());
	return report.found + (e != ERR_OK);
}

struct schema *daemon_side_schema(const char *at, const char *with)
{
	AUTO(buf_clear) struct buf text = {0};
	const char *const cut = strstr(ground_schema_text, at);
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema_source source = {.name = "newer.yaml"};
	struct schema *schema = NULL;
	enum err e;

	REQUIRE(cut != NULL);
	buf_append(&text, ground_schema_text, (size_t)(cut - ground_schema_text));
	buf_append_str(&text, with);
	buf_append_str(&text, cut + strlen(at));
	source.text = buf_bytes(&text);
	e = schema_load(&source, 1, &schema, error);
	if (e != ERR_OK)
		(void)fprintf(stderr, "%s\n", error);
	REQUIRE(e == ERR_OK);
	return schema;
}
