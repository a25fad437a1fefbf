/*
 * schema - the programme as data: record types, code lists, indicators.
 *
 * Loaded from YAML text (schema/ in the tree; docs/schema.md tells the format)
 * by daemon and client alike. Immutable once loaded; owns all it points to; may
 * be read from any thread. An error names file, line and field and leaves
 * nothing behind, so the old schema stays in force.
 */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/bytes.h"
#include "common/base/err.h"

enum schema_kind {
	SCHEMA_REGISTER,
	SCHEMA_EVENT
};

enum field_type {
	FIELD_TEXT,         /* one line, NFC */
	FIELD_LONG_TEXT,    /* many lines, NFC */
	FIELD_INTEGER,      /* value INT */
	FIELD_DECIMAL,      /* value TEXT, canonical */
	FIELD_MONEY,        /* value INT, đồng */
	FIELD_BOOL,         /* value BOOL */
	FIELD_DATE,         /* value TEXT, "2020-12-31" */
	FIELD_PARTIAL_DATE, /* value TEXT, see partial_date.h */
	FIELD_TIME,         /* value TEXT, "2020-12-31T07:30:00+07:00" */
	FIELD_CODE,         /* value TEXT, of `list` */
	FIELD_CODE_SET,     /* value TEXT, "A,B" of `list` */
	FIELD_REFERENCE,    /* value BYTES, a record id; `target` type, or any */
	FIELD_UNIT, /* value INT, a unit's surrogate id (an address; not the record's own unit) */
};

/* What a leak would do (design section 8). Restricted: HIV, sexual abuse, trafficking,
 * shelter address, informant. */
enum sensitivity {
	SENSITIVITY_PUBLIC,
	SENSITIVITY_BASIC,
	SENSITIVITY_SENSITIVE,
	SENSITIVITY_RESTRICTED
};

struct label {
	struct bytes vi;
	struct bytes en;
};

struct schema_code {
	struct bytes code;
	struct label label;
	struct bytes valid_from;  /* "2021-07-01", or empty: always */
	struct bytes valid_until; /* exclusive, or empty: still */
	enum sensitivity sensitivity;
};

struct schema_list {
	struct bytes name;
	struct label label;
	struct schema_code *codes;
	size_t count;
	bool has_restricted; /* a code of it is restricted */
};

/* The field is asked for only when another field has one of these codes. */
struct schema_condition {
	struct bytes field; /* empty: always */
	struct bytes *codes;
	size_t count;
};

struct schema_field {
	struct bytes name; /* snake_case, unique in the type */
	struct label label;
	enum field_type type;
	bool is_required;
	enum sensitivity sensitivity;
	const struct schema_list *list; /* CODE, CODE_SET */
	struct bytes target;            /* REFERENCE: type name, or empty: any */
	bool has_min;
	bool has_max;
	int64_t min; /* INTEGER, MONEY, DECIMAL: value; text: characters */
	int64_t max;
	struct bytes pattern;           /* POSIX extended regular expression over bytes, or empty */
	struct schema_matcher *matcher; /* the pattern compiled; for schema_matches() */
	struct schema_condition when;
	bool is_indexed; /* an SQL index on the daemon */
	bool is_title;   /* what a list shows of the record for people */
};

struct schema_type {
	struct bytes name; /* snake_case; the SQL table has it too */
	struct label label;
	enum schema_kind kind;
	enum sensitivity sensitivity;
	struct schema_field *fields; /* in the order of the file: forms and columns follow it */
	size_t count;
	/* DATE or TIME: the day the record is about, which decides what codes are valid. NULL:
	 * none. */
	const struct schema_field *date;
	bool may_be_restricted; /* itself, a field, or a code one of its fields may hold */
};

/* One value of an indicator's row: a SELECT over the typed tables (docs/schema.md). */
struct schema_indicator {
	struct bytes id; /* "CT02" */
	struct label label;
	struct bytes sql;    /* {name} of the file already written out */
	struct bytes source; /* law or plan it comes from */
	struct bytes
		section; /* of the yearly report: "network", "communication", … (docs/schema.md) */
	bool is_percent;              /* value = numerator / denominator x 100 */
	enum sensitivity sensitivity; /* restricted: counts under the threshold are suppressed */
};

struct schema {
	struct schema_type *types; /* sorted by name */
	size_t type_count;
	struct schema_list *lists; /* sorted by name */
	size_t list_count;
	struct schema_indicator *indicators; /* in the order of the file */
	size_t indicator_count;
	uint8_t version[8];   /* of the content: first bytes of the bundle's BLAKE2b hash */
	struct buf source;    /* the bundle it was loaded from, for clients */
	struct arena *memory; /* all of the above */
};

/* One file's text under its name, as errors call it. */
struct schema_source {
	const char *name;
	struct bytes text;
};

#define SCHEMA_ERROR_LEN 512u

/* Limits of what a schema may say. A bundle comes from a daemon the client trusts; they
 * keep a mistake from becoming an outage. */
#define SCHEMA_FILE_BYTES      ((size_t)1 << 20)
#define SCHEMA_BUNDLE_BYTES    ((size_t)4 << 20)
#define SCHEMA_FILES           100u
#define SCHEMA_NAME_LEN        60u /* types, fields, lists, queries; below LIMIT_NAME_BYTES */
#define SCHEMA_CODE_LEN        40u
#define SCHEMA_LABEL_CHARS     120u
#define SCHEMA_FIELDS          150u /* of a type; below LIMIT_WRITES with our own five */
#define SCHEMA_CODES           1000u
#define SCHEMA_PATTERN_BYTES   200u
#define SCHEMA_SQL_BYTES       ((size_t)256 << 10) /* of one indicator, written out */
#define SCHEMA_TEXT_CHARS      300                 /* TEXT without `max` */
#define SCHEMA_LONG_TEXT_CHARS 8000                /* LONG_TEXT without `max` */
#define SCHEMA_MOST_CHARS      16000 /* the greatest `max`: below LIMIT_VALUE_BYTES in UTF-8 */

/*
 * Loads from texts, in any order (they are sorted by name first). On failure
 * ret_error says "file:line: type.field: what is wrong", ERR_INVAL.
 */
enum err schema_load(const struct schema_source *sources, size_t count, struct schema **ret_schema,
		     char ret_error[SCHEMA_ERROR_LEN]);
/* Reads every *.yaml of a folder and loads them. ERR_NOTFOUND: no such folder or no file in it. */
enum err schema_load_folder(const char *path, struct schema **ret_schema,
			    char ret_error[SCHEMA_ERROR_LEN]);
/* From the bundle of another schema (schema->source), as clients get it by sync. */
enum err schema_load_bundle(struct bytes bundle, struct schema **ret_schema,
			    char ret_error[SCHEMA_ERROR_LEN]);
/*
 * A bundle with its YAML read already, for programs that start often: what took most of the
 * time of loading is done once. Indicators, which only the daemon computes, are left out.
 * Appends; deterministic. ERR_INVAL: the bundle does not load.
 */
enum err schema_compile(struct bytes bundle, struct buf *out);
/* The schema of the bundle without its indicators. ERR_NOTFOUND: `compiled` is of another bundle
 * or another version of this program. ERR_INVAL: it is damaged. */
enum err schema_load_compiled(struct bytes compiled, struct bytes bundle,
			      struct schema **ret_schema);
void schema_free(struct schema *s);
DEFINE_AUTO(struct schema *, schema_free)

/* NULL when there is none. Names are identifiers; the find_ ones with `any` also
 * accept the Vietnamese label (cli: commands accept either). */
const struct schema_type *schema_find_type(const struct schema *s, struct bytes name);
const struct schema_type *schema_find_type_any(const struct schema *s, struct bytes name_or_label);
const struct schema_field *schema_find_field(const struct schema_type *t, struct bytes name);
const struct schema_field *schema_find_field_any(const struct schema_type *t,
						 struct bytes name_or_label);
const struct schema_list *schema_find_list(const struct schema *s, struct bytes name);
const struct schema_code *schema_find_code(const struct schema_list *l, struct bytes code);
const struct schema_indicator *schema_find_indicator(const struct schema *s, struct bytes id);

const char *field_type_name(enum field_type type);
const char *sensitivity_name(enum sensitivity s);

/* Whether a text fits the field's pattern; true when it has none. Any thread. */
bool schema_matches(const struct schema_field *f, struct bytes text);

/*
 * The record may go only to cleared devices: its type, a field that is set, or a code in
 * it is restricted. A type the schema does not know counts as restricted.
 */
struct record;
bool schema_is_restricted(const struct schema *s, const struct record *r);
