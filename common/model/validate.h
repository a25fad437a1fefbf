/*
 * validate - is this value allowed in this field: one answer for client and daemon.
 *
 * The client asks at entry and shows the reason; the daemon asks at merge and
 * quarantines what fails (design section 4). Pure. Nothing is refused for being
 * unknown: a field the schema does not name is carried untouched.
 */
#pragma once

#include "common/base/arena.h"
#include "common/model/record.h"
#include "common/model/schema.h"

enum verdict {
	VERDICT_OK,
	VERDICT_WRONG_TYPE,    /* not the field's kind of value */
	VERDICT_NOT_NFC,       /* text must be NFC and without control characters */
	VERDICT_TOO_LONG,      /* text over its or the wire's limit */
	VERDICT_OUT_OF_RANGE,  /* below min or above max */
	VERDICT_NO_SUCH_CODE,  /* not in the list, or not valid at the record's date */
	VERDICT_BAD_FORMAT,    /* date, time, decimal, set, pattern */
	VERDICT_MISSING,       /* required (or required by its condition) and absent */
	VERDICT_UNKNOWN_TYPE,  /* no such record type here */
	VERDICT_UNKNOWN_FIELD, /* only told, never refused */
};

#define VERDICT_TEXT_LEN 256u

struct finding {
	enum verdict verdict;
	struct bytes field;          /* empty when it is about the record */
	char text[VERDICT_TEXT_LEN]; /* for people, Vietnamese then English; no values of the record
					in it */
};

/* Stable identifiers for JSON and the wire: "wrong_type", "missing", … */
const char *verdict_name(enum verdict v);

/* Years a date may have: beyond them it is a slip of the keyboard. */
#define VALIDATE_YEAR_MIN 1800
#define VALIDATE_YEAR_MAX 2200

/* ret_finding may be NULL in all of these. */

/*
 * One value alone; NULL-kind is allowed (required fields are validate_change()'s). Text
 * is canonical here: NFC, not empty, no control characters but tab and newline in long
 * text. A code's dates are not looked at: they need the record.
 */
enum verdict validate_value(const struct schema_field *f, const struct value *v,
			    struct finding *ret_finding);

/*
 * A whole change against the state it meets (`before` NULL or empty: a new record, so
 * required fields must be there, and `unit`). On a record that exists, only what the
 * change writes is judged, and what a written condition field makes required: a record
 * older than a rule stays editable. The first failure, or VERDICT_OK.
 *
 * With VERDICT_OK the finding tells of the first field the schema does not know as
 * VERDICT_UNKNOWN_FIELD, else it is VERDICT_OK too.
 */
enum verdict validate_change(const struct schema *s, const struct record *before,
			     const struct change *c, struct finding *ret_finding);

/*
 * The part that needs no state, ahead of time and on any thread: when each value alone is
 * allowed, the change remembers `s`, and validate_change() with the same schema does not look at
 * them again. `s` must outlive the change.
 */
void validate_ahead(const struct schema *s, struct change *c);

/* The field is asked for: it has no condition, or `v` (of its condition field) meets it. */
bool validate_applies(const struct schema_field *f, const struct value *v);
/* "2020-12-31" between a code's dates. */
bool validate_code_is_valid_on(const struct schema_code *c, struct bytes day);

/*
 * Text a person typed -> the canonical value of the field: NFC, trimmed;
 * "31/12/2020" -> date; "1.234.567" -> integer or money, "1,5 tỷ" -> money; "12,5" ->
 * decimal; labels -> codes; "A, B" -> set; "có"/"không"/yes/no/true/false -> bool;
 * "31/12/2020 07:30" -> time of Viet Nam; id hex -> reference.
 * Empty text is NULL. The value borrows from `a`.
 */
enum verdict validate_parse(struct arena *a, const struct schema_field *f, struct bytes text,
			    struct value *ret_value, struct finding *ret_finding);
/*
 * The other way, for files and JSON: a value as text that validate_parse() reads back
 * the same. Canonical text; a decimal with three places gets a 0 behind ("1.2340"),
 * because "1.234" is a thousand to people here. NULL is empty.
 */
struct bytes validate_print(struct arena *a, const struct schema_field *f, const struct value *v);
/* For people's eyes: 31/12/2020, 1.234.567, 12,5, labels (Vietnamese). Reads back the same too. */
struct bytes validate_show(struct arena *a, const struct schema_field *f, const struct value *v);
