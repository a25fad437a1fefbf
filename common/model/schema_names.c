/* What a type, a field, a list may be called. */
#include <stdlib.h>
#include <string.h>

#include "common/model/schema_reader.h"

/*
 * Columns the daemon keeps for itself, keywords of SQLite, and words PostgreSQL
 * reserves: a name may stand in SQL without quotes, now and with another store.
 * Sorted: it is searched.
 */
static const char *const reserved[] = {
	"abort",
	"action",
	"add",
	"after",
	"all",
	"alter",
	"always",
	"analyse",
	"analyze",
	"and",
	"any",
	"array",
	"as",
	"asc",
	"asymmetric",
	"attach",
	"authorization",
	"autoincrement",
	"base",
	"before",
	"begin",
	"between",
	"binary",
	"both",
	"by",
	"cascade",
	"case",
	"cast",
	"check",
	"collate",
	"collation",
	"column",
	"commit",
	"concurrently",
	"conflict",
	"constraint",
	"corrects",
	"create",
	"cross",
	"current",
	"current_date",
	"current_time",
	"current_timestamp",
	"current_user",
	"database",
	"default",
	"deferrable",
	"deferred",
	"delete",
	"deleted",
	"desc",
	"detach",
	"distinct",
	"do",
	"drop",
	"each",
	"else",
	"end",
	"escape",
	"except",
	"exclude",
	"exclusive",
	"exists",
	"explain",
	"extra",
	"fail",
	"false",
	"fetch",
	"filter",
	"first",
	"following",
	"for",
	"foreign",
	"freeze",
	"from",
	"full",
	"generated",
	"glob",
	"grant",
	"group",
	"groups",
	"having",
	"id",
	"if",
	"ignore",
	"ilike",
	"immediate",
	"in",
	"index",
	"indexed",
	"initially",
	"inner",
	"insert",
	"instead",
	"intersect",
	"into",
	"is",
	"isnull",
	"join",
	"key",
	"last",
	"lateral",
	"leading",
	"left",
	"like",
	"limit",
	"localtime",
	"localtimestamp",
	"log",
	"match",
	"materialized",
	"merged_into",
	"natural",
	"no",
	"not",
	"nothing",
	"notnull",
	"null",
	"nulls",
	"of",
	"offset",
	"oid",
	"on",
	"only",
	"or",
	"order",
	"others",
	"outer",
	"over",
	"overlaps",
	"partition",
	"placing",
	"plan",
	"pragma",
	"preceding",
	"primary",
	"query",
	"raise",
	"range",
	"recursive",
	"references",
	"regexp",
	"reindex",
	"release",
	"rename",
	"replace",
	"restrict",
	"returning",
	"right",
	"rollback",
	"row",
	"rowid",
	"rows",
	"savepoint",
	"select",
	"session_user",
	"set",
	"similar",
	"some",
	"stamps",
	"symmetric",
	"table",
	"tablesample",
	"temp",
	"temporary",
	"then",
	"ties",
	"to",
	"touched",
	"trailing",
	"transaction",
	"trigger",
	"true",
	"type",
	"unbounded",
	"union",
	"unique",
	"unit",
	"update",
	"user",
	"using",
	"vacuum",
	"values",
	"variadic",
	"verbose",
	"view",
	"virtual",
	"voided",
	"when",
	"where",
	"window",
	"with",
	"without",
};

/*
 * Tables of the daemon, views of a query, tables of a report; attachments will have one, too.
 * Sorted. What begins with one of the prefixes below, or is a word above, is not repeated here.
 */
static const char *const tables[] = {
	"account",    "account_unit", "audit",    "backup",     "batch",           "blob",
	"changeset",  "commune",      "communes", "device",     "distinct_pair",   "erased",
	"invitation", "moved",        "notice",   "quarantine", "report_document", "report_frozen",
	"scope",      "session",      "setting",
};

static int compare_word(const void *key, const void *word)
{
	const struct bytes *name = key;
	const char *const *text = word;

	return bytes_compare(*name, bytes_str(*text));
}

bool schema_is_identifier(struct bytes name)
{
	if (name.len == 0 || name.len > SCHEMA_NAME_LEN || name.data[0] < 'a' || name.data[0] > 'z')
		return false;
	for (size_t i = 1; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

bool schema_is_reserved(struct bytes name)
{
	return bsearch(&name, reserved, sizeof reserved / sizeof reserved[0], sizeof reserved[0],
		       compare_word) != NULL;
}

bool schema_is_table_reserved(struct bytes name)
{
	static const char *const prefixes[] = {"device_", "live_", "record_", "sqlite_", "unit_"};

	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		size_t len = strlen(prefixes[i]);

		if (name.len >= len && memcmp(name.data, prefixes[i], len) == 0)
			return true;
	}
	/* TYPE__changed, TYPE__FIELD: what belongs to the table of a type. */
	for (size_t i = 1; i < name.len; i++) {
		if (name.data[i] == '_' && name.data[i - 1] == '_')
			return true;
	}
	return bsearch(&name, tables, sizeof tables / sizeof tables[0], sizeof tables[0],
		       compare_word) != NULL;
}
