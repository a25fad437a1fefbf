/* What a schema file may say, and what is told of one that is wrong. The programme's own:
 * test_schema_shipped.c. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/crypt.h"
#include "common/model/record.h"
#include "common/model/schema.h"

#define HEAD                                                  \
	"lists:\n"                                            \
	"  colour:\n"                                         \
	"    vi: Màu\n"                                      \
	"    en: Colour\n"                                    \
	"    codes:\n"                                        \
	"      red: {vi: Đỏ, en: Red}\n"                   \
	"      blue: {vi: Xanh, en: Blue}\n"                  \
	"types:\n"                                            \
	"  person:\n"                                         \
	"    vi: Người\n"                                  \
	"    en: Person\n"                                    \
	"    kind: register\n"                                \
	"    sensitivity: basic\n"                            \
	"    fields:\n"                                       \
	"      full_name: {type: text, vi: Tên, en: Name}\n" \
	"      colour: {type: code, list: colour, vi: Màu, en: Colour}\n"
/* Line of the first field of one's own behind HEAD. */
#define HEAD_LINES 16

static char error[SCHEMA_ERROR_LEN];
static struct schema *loaded;

static enum err load_one(const char *text)
{
	struct schema_source source = {"a.yaml", bytes_str(text)};

	error[0] = '\0';
	loaded = NULL;
	return schema_load(&source, 1, &loaded, error);
}

static enum err load_two(const char *first, const char *second)
{
	/* The other way round: the loader sorts by name. */
	struct schema_source sources[] = {{"b.yaml", bytes_str(second)},
					  {"a.yaml", bytes_str(first)}};

	error[0] = '\0';
	loaded = NULL;
	return schema_load(sources, 2, &loaded, error);
}

static int unload(UNUSED_STATE)
{
	schema_free(loaded);
	loaded = NULL;
	return 0;
}

static const struct schema_type *type_of(const struct schema *s, const char *name)
{
	const struct schema_type *t = schema_find_type(s, bytes_str(name));

	assert_non_null(t);
	return t;
}

static const struct schema_field *field_of(const struct schema *s, const char *type,
					   const char *name)
{
	const struct schema_field *f = schema_find_field(type_of(s, type), bytes_str(name));

	assert_non_null(f);
	return f;
}

static void assert_bytes(struct bytes got, const char *want)
{
	if (!bytes_is(got, want))
		fail_msg("\"%.*s\" is not \"%s\"", BYTES_FMT(got), want);
}

/* The whole text of the error: file, line, who, what. */
static void assert_refused(const char *text, const char *want)
{
	assert_err(load_one(text), ERR_INVAL);
	assert_null(loaded);
	assert_string_equal(error, want);
}

/* ---- what a schema says ---- */

static void a_field_has_all_that_the_file_says(UNUSED_STATE)
{
	assert_ok(load_one(HEAD
			   "      height: {type: decimal, vi: Cao, en: Height, min: -2, max: 3,"
			   " required: true, indexed: true, title: true,"
			   " sensitivity: restricted, when: {colour: [red, blue]}}\n"));

	const struct schema_field *f = field_of(loaded, "person", "height");

	assert_bytes(f->label.vi, "Cao");
	assert_bytes(f->label.en, "Height");
	assert_int_equal(f->type, FIELD_DECIMAL);
	assert_true(f->has_min && f->has_max && f->is_required && f->is_indexed && f->is_title);
	assert_int_equal(f->min, -2);
	assert_int_equal(f->max, 3);
	assert_int_equal(f->sensitivity, SENSITIVITY_RESTRICTED);
	assert_bytes(f->when.field, "colour");
	assert_int_equal(f->when.count, 2);
	assert_bytes(f->when.codes[1], "blue");
	assert_true(type_of(loaded, "person")->may_be_restricted);
}

static void a_field_says_nothing_more_than_the_file(UNUSED_STATE)
{
	assert_ok(load_one(HEAD));

	const struct schema_field *f = field_of(loaded, "person", "full_name");

	assert_false(f->is_required || f->is_indexed || f->is_title || f->has_min || f->has_max);
	assert_int_equal(f->sensitivity, SENSITIVITY_BASIC); /* its type's */
	assert_int_equal(f->when.field.len, 0);
	assert_null(f->list);
	assert_true(schema_matches(f, BYTES_LIT("anything")));
	assert_false(type_of(loaded, "person")->may_be_restricted);
	assert_null(type_of(loaded, "person")->date);
}

static void types_and_lists_are_found_by_name_and_label(UNUSED_STATE)
{
	assert_ok(load_one(HEAD "  animal:\n    vi: Hòa Thuận\n    en: Animal\n    kind: event\n"
				"    sensitivity: public\n    date: seen_on\n    fields:\n"
				"      seen_on: {type: date, vi: Ngày, en: Day}\n"));

	assert_int_equal(loaded->type_count, 2);
	assert_bytes(loaded->types[0].name, "animal");
	assert_int_equal(loaded->types[0].kind, SCHEMA_EVENT);
	assert_ptr_equal(loaded->types[0].date, &loaded->types[0].fields[0]);
	/* Tone mark in the new place, case, blanks: the same label. */
	assert_ptr_equal(schema_find_type_any(loaded, BYTES_LIT("HOÀ  thuận")), &loaded->types[0]);
	assert_ptr_equal(schema_find_type_any(loaded, BYTES_LIT("person")), &loaded->types[1]);
	/* Not by a fold: tones tell words apart. */
	assert_null(schema_find_type_any(loaded, BYTES_LIT("Hoa Thuan")));
	assert_null(schema_find_type_any(loaded, BYTES_LIT("")));
	assert_null(schema_find_type_any(loaded, BYTES_LIT("\xff")));
	assert_non_null(schema_find_field_any(&loaded->types[1], BYTES_LIT("màu")));
	assert_null(schema_find_field_any(&loaded->types[1], BYTES_LIT("mau")));
	assert_null(schema_find_type(loaded, BYTES_LIT("nothing")));
	assert_null(schema_find_list(loaded, BYTES_LIT("nothing")));
	assert_non_null(schema_find_list(loaded, BYTES_LIT("colour")));
}

static void fields_and_codes_keep_the_order_of_the_file(UNUSED_STATE)
{
	assert_ok(load_one(HEAD));

	assert_bytes(loaded->types[0].fields[0].name, "full_name");
	assert_bytes(loaded->types[0].fields[1].name, "colour");
	assert_bytes(loaded->lists[0].codes[0].code, "red");
	assert_bytes(loaded->lists[0].codes[1].code, "blue");
}

static void a_pattern_is_a_regular_expression(UNUSED_STATE)
{
	assert_ok(load_one(HEAD "      number: {type: text, vi: Số, en: Number,"
				" pattern: \"^[0-9]{12}$\"}\n"));

	const struct schema_field *f = field_of(loaded, "person", "number");

	assert_true(schema_matches(f, BYTES_LIT("070200001234")));
	assert_false(schema_matches(f, BYTES_LIT("07020000123")));
	assert_false(schema_matches(f, BYTES_LIT("0702000012345")));
	assert_false(schema_matches(f, BYTES_LIT("")));
	assert_false(schema_matches(f, BYTES_LIT("070200001234\0x")));
	/* Not beyond the text, though memory goes on with digits. */
	assert_false(schema_matches(f, bytes_of("070200001234", 11)));
}

static void a_query_is_written_out_in_an_indicator(UNUSED_STATE)
{
	assert_ok(load_one(HEAD "queries:\n  one: SELECT {two}\n  two: SELECT '{two}'\n"
				"indicators:\n  CT01: {vi: a, en: b, section: money, percent: true,"
				" sensitivity: restricted, source: Luật,\n"
				"    sql: \"SELECT * FROM {one}, {colour}\"}\n"));

	const struct schema_indicator *i = schema_find_indicator(loaded, BYTES_LIT("CT01"));

	assert_non_null(i);
	assert_bytes(i->sql, "SELECT * FROM (SELECT (SELECT '{two}')), (SELECT column1 AS code, "
			     "column2 AS vi, column3 AS en, column4 AS sensitivity, column5 AS "
			     "position FROM (VALUES ('red','Đỏ','Red','public',0), "
			     "('blue','Xanh','Blue','public',1)))");
	assert_bytes(i->section, "money");
	assert_bytes(i->source, "Luật");
	assert_true(i->is_percent);
	assert_int_equal(i->sensitivity, SENSITIVITY_RESTRICTED);
	assert_null(schema_find_indicator(loaded, BYTES_LIT("CT02")));
}

static void a_record_is_restricted_by_a_field(UNUSED_STATE)
{
	struct field f = {.name = BYTES_LIT("a"), .value = value_text(BYTES_LIT("x"))};
	struct record r = {.type = BYTES_LIT("person"), .fields = &f, .count = 1};

	assert_ok(load_one(HEAD "      a: {type: text, vi: A, en: A, sensitivity: restricted}\n"));
	assert_true(schema_is_restricted(loaded, &r));
	f.value = VALUE_NONE;
	assert_false(schema_is_restricted(loaded, &r));
}

/* ---- extension ---- */

static void a_later_file_adds_fields_and_codes(UNUSED_STATE)
{
	assert_ok(load_two(HEAD, "types:\n  person:\n    extend: true\n    fields:\n"
				 "      village: {type: text, vi: Thôn, en: Village,"
				 " when: {colour: [green]}}\n"
				 "lists:\n  colour:\n    extend: true\n    codes:\n"
				 "      green: {vi: Lục, en: Green, sensitivity: restricted}\n"
				 "      red: {until: 2025-07-01}\n"));

	assert_int_equal(type_of(loaded, "person")->count, 3);
	assert_bytes(type_of(loaded, "person")->fields[2].name, "village");
	assert_int_equal(loaded->lists[0].count, 3);
	assert_bytes(loaded->lists[0].codes[0].valid_until, "2025-07-01");
	assert_true(loaded->lists[0].has_restricted);
	assert_true(type_of(loaded, "person")->may_be_restricted);
}

static void an_extension_changes_nothing_that_is_there(UNUSED_STATE)
{
	assert_err(load_two(HEAD, "types:\n  person:\n    extend: true\n    fields:\n"
				  "      full_name: {type: text, vi: Khác, en: Other}\n"),
		   ERR_INVAL);
	assert_string_equal(error, "b.yaml:5: person.full_name: field is there twice");

	assert_err(load_two(HEAD, "lists:\n  colour:\n    extend: true\n    codes:\n"
				  "      red: {vi: Hồng, en: Pink}\n"),
		   ERR_INVAL);
	assert_string_equal(error, "b.yaml:5: colour.red: this code exists: an extension may only "
				   "give it \"until\"");

	assert_err(load_two(HEAD, "types:\n  person:\n    extend: true\n    vi: Khác\n"),
		   ERR_INVAL);
	assert_string_equal(error, "b.yaml:4: person: unknown key \"vi\"");

	assert_err(load_two(HEAD, "lists:\n  shape:\n    extend: true\n    codes:\n"
				  "      round: {vi: Tròn, en: Round}\n"),
		   ERR_INVAL);
	assert_string_equal(error, "b.yaml:2: shape: extends what no file defines");
}

static void a_definition_twice_names_both_places(UNUSED_STATE)
{
	assert_err(load_two(HEAD, "\ntypes:\n  person: {}\n"), ERR_INVAL);

	assert_string_equal(error, "b.yaml:3: person: is there twice (also a.yaml:9)");
}

/* ---- errors: file, line, type.field, what ---- */

static void errors_of_form_name_file_and_line(UNUSED_STATE)
{
	assert_refused("types:\n  person: [\n", "a.yaml:3: did not find expected node content");
	assert_refused("types: {a: {b: &x 1}}\n", "a.yaml:1: anchors and tags are not allowed");
	assert_refused("types: {a: !!str b}\n", "a.yaml:1: anchors and tags are not allowed");
	assert_refused("a: 1\n---\nb: 2\n", "a.yaml:2: only one document in a file");
	assert_refused("types: {[a]: b}\n", "a.yaml:1: a key must be plain text");
	assert_refused("types:\n  a: 1\n  a: 2\n", "a.yaml:3: \"a\" is there twice (also line 2)");
	assert_refused("[1, 2]\n", "a.yaml:1: must be a map of names and values");
	assert_refused("types: 5\n", "a.yaml:1: types: must be a map of names and values");
	assert_refused("typs: {}\n", "a.yaml:1: unknown key \"typs\"");
	assert_refused("a: {b: {c: {d: {e: {f: {g: {h: {}}}}}}}}\n", "a.yaml:1: nested too deep");
	assert_refused("", "a.yaml:1: no file names a record type");
	assert_refused("# ok\n# \xff\n", "a.yaml:2: text is not UTF-8");
	assert_refused("# ok\n\n# e\xcc\x81\n", "a.yaml:3: text is not in Unicode form NFC");
	assert_refused("types: \"e\\u0301\"\n", "a.yaml:1: text is not in Unicode form NFC");
}

static void errors_of_a_type_name_it(UNUSED_STATE)
{
	assert_refused("types:\n  p:\n    vi: P\n    en: P\n    kind: thing\n",
		       "a.yaml:5: p: kind: must be register or event");
	assert_refused("types:\n  p:\n    vi: P\n    en: P\n    kind: event\n",
		       "a.yaml:2: p: has no sensitivity");
	assert_refused("types:\n  p: {vi: P, en: P, kind: event, sensitivity: secret}\n",
		       "a.yaml:2: p: sensitivity: must be public, basic, sensitive or restricted");
	assert_refused("types:\n  p: {vi: P, en: P, kind: event, sensitivity: public}\n",
		       "a.yaml:2: p: has no fields");
	assert_refused("types:\n  p: {en: P}\n", "a.yaml:2: p: has no label \"vi\"");
	assert_refused("types:\n  p: {vi: P}\n", "a.yaml:2: p: has no label \"en\"");
	assert_refused("types:\n  p: {vi: \"\", en: P}\n",
		       "a.yaml:2: p: vi: label is empty or has blanks around it");
	assert_refused("types:\n  p: {vi: P, en: \" \"}\n",
		       "a.yaml:2: p: en: label is empty or has blanks around it");
	assert_refused("types:\n  Person: {}\n",
		       "a.yaml:2: Person: a name is a-z, then up to 59 of a-z, 0-9 and _");
	assert_refused("types:\n  order: {}\n", "a.yaml:2: order: the name is reserved");
	assert_refused("types:\n  unit: {}\n", "a.yaml:2: unit: the name is reserved");
	assert_refused("types:\n  changeset: {}\n", "a.yaml:2: changeset: the name is reserved");
	assert_refused("types:\n  a__changed: {}\n", "a.yaml:2: a__changed: the name is reserved");
	assert_refused("types:\n  live_person: {}\n",
		       "a.yaml:2: live_person: the name is reserved");
	assert_refused("types:\n  p: {vi: P, en: P, kind: event, sensitivity: public, date: a,\n"
		       "    fields: {a: {type: text, vi: A, en: A}}}\n",
		       "a.yaml:2: p: date: must name a field of type date or time");
	assert_refused("types:\n  p: {extend: yes}\n",
		       "a.yaml:2: p: extend: must be true or left out");
}

/* One more field behind HEAD, the error behind "a.yaml:LINE: person.". */
static void assert_field_refused(const char *field, const char *want)
{
	char text[4096];
	char full[SCHEMA_ERROR_LEN];

	(void)snprintf(text, sizeof text, "%s      %s\n", HEAD, field);
	(void)snprintf(full, sizeof full, "a.yaml:%d: person.%s", HEAD_LINES + 1, want);
	assert_refused(text, full);
}

static void errors_of_a_field_name_it(UNUSED_STATE)
{
	assert_field_refused("a: {vi: A, en: A}", "a: has no type");
	assert_field_refused("a: {type: number, vi: A, en: A}", "a: type: no such field type");
	assert_field_refused("a: {type: text, vi: A, en: A, max_length: 3}",
			     "a: unknown key \"max_length\"");
	assert_field_refused("a: {type: text, en: A}", "a: has no label \"vi\"");
	assert_field_refused("a: {type: text, vi: Tên, en: A}",
			     "a: vi: label of the field full_name too");
	assert_field_refused("select: {type: text, vi: A, en: A}", "select: the name is reserved");
	assert_field_refused("deleted: {type: text, vi: A, en: A}",
			     "deleted: the name is reserved");
	assert_field_refused("merged_into: {type: text, vi: A, en: A}",
			     "merged_into: the name is reserved");
	assert_field_refused("9a: {type: text, vi: A, en: A}",
			     "9a: a name is a-z, then up to 59 of a-z, 0-9 and _");
	assert_field_refused("a: {type: code, vi: A, en: A}", "a: has no list");
	assert_field_refused("a: {type: code, list: shape, vi: A, en: A}", "a: list: no such list");
	assert_field_refused("a: {type: text, list: colour, vi: A, en: A}",
			     "a: list: not for a field of type text");
	assert_field_refused("a: {type: reference, target: cat, vi: A, en: A}",
			     "a: target: no such type");
	assert_field_refused("a: {type: date, target: person, vi: A, en: A}",
			     "a: target: not for a field of type date");
	assert_field_refused("a: {type: integer, vi: A, en: A, min: 5, max: 4}",
			     "a: min: greater than max");
	assert_field_refused("a: {type: integer, vi: A, en: A, min: 1.5}",
			     "a: min: must be a whole number");
	assert_field_refused("a: {type: date, vi: A, en: A, min: 1}",
			     "a: min: not for a field of type date");
	assert_field_refused("a: {type: text, vi: A, en: A, max: 0}",
			     "a: min, max: a text has 1 to 16000 characters");
	assert_field_refused("a: {type: text, vi: A, en: A, max: 16001}",
			     "a: min, max: a text has 1 to 16000 characters");
	assert_field_refused("a: {type: text, vi: A, en: A, required: yes}",
			     "a: required: must be true or false");
	assert_field_refused("a: {type: text, vi: A, en: A, sensitivity: 3}",
			     "a: sensitivity: must be public, basic, sensitive or restricted");
	assert_field_refused("a: 3", "a: must be a map of names and values");
}

static void errors_of_a_pattern_name_the_field(UNUSED_STATE)
{
	assert_field_refused("a: {type: text, vi: A, en: A, pattern: \"(\"}",
			     "a: pattern: Unmatched ( or \\(");
	assert_field_refused("a: {type: text, vi: A, en: A, pattern: \"(x{40}){40}\"}",
			     "a: pattern: repeats more than 1000 times");
	assert_field_refused("a: {type: text, vi: A, en: A, pattern: \"(x)\\\\1\"}",
			     "a: pattern: back-references are not allowed");
	assert_field_refused("a: {type: integer, vi: A, en: A, pattern: x}",
			     "a: pattern: not for a field of type integer");
	assert_field_refused("a: {type: text, vi: A, en: A, pattern: \"\"}",
			     "a: pattern: is empty");
}

static void errors_of_a_condition_name_the_field(UNUSED_STATE)
{
	assert_field_refused("a: {type: text, vi: A, en: A, when: {size: [big]}}",
			     "a: when: no such field \"size\"");
	assert_field_refused("a: {type: text, vi: A, en: A, when: {a: [red]}}",
			     "a: when: no such field \"a\"");
	assert_field_refused("a: {type: text, vi: A, en: A, when: {colour: [pink]}}",
			     "a: when: no such code in colour");
	assert_field_refused("a: {type: text, vi: A, en: A, when: {full_name: [x]}}",
			     "a: when: \"full_name\" is not a code");
	assert_field_refused("a: {type: text, vi: A, en: A, when: {colour: []}}",
			     "a: when: must be {field: [code, ...]}");
	assert_field_refused("a: {type: text, vi: A, en: A, when: red}",
			     "a: when: must be {field: [code, ...]}");
}

static void errors_of_a_code_name_it(UNUSED_STATE)
{
#define LIST "lists:\n  l:\n    vi: L\n    en: L\n    codes:\n"
	assert_refused("lists:\n  l: {vi: L, en: L}\n", "a.yaml:2: l: has no codes");
	assert_refused(LIST "      a: {vi: A, en: A, from: 2020-02-30}\n",
		       "a.yaml:6: l.a: from: must be a date like 2020-12-31");
	assert_refused(LIST "      a: {vi: A, en: A, until: 1/2/2020}\n",
		       "a.yaml:6: l.a: until: must be a date like 2020-12-31");
	assert_refused(LIST "      a: {vi: A, en: A, from: 2020-01-01, until: 2020-01-01}\n",
		       "a.yaml:6: l.a: until: not after from");
	assert_refused(LIST "      a: {vi: A, en: A}\n      b: {vi: A, en: B}\n",
		       "a.yaml:7: l.b: vi: label of the code a too");
	assert_refused(LIST "      a: {vi: A, en: A}\n      a: {vi: B, en: B}\n",
		       "a.yaml:7: \"a\" is there twice (also line 6)");
	assert_refused(LIST "      \"a,b\": {vi: A, en: A}\n",
		       "a.yaml:6: l.a,b: a code is 1 to 40 letters, digits and _ . -");
	assert_refused(LIST "      a: {vi: A}\n", "a.yaml:6: l.a: has no label \"en\"");
}

static void errors_of_an_indicator_name_it(UNUSED_STATE)
{
	assert_refused(HEAD "indicators:\n  one: {}\n",
		       "a.yaml:18: one: an indicator is called like CT01 or CTH01");
	assert_refused(HEAD "indicators:\n  CT01: {vi: A, en: A}\n",
		       "a.yaml:18: CT01: has no section");
	assert_refused(HEAD "indicators:\n  CT01: {vi: A, en: A, section: x}\n",
		       "a.yaml:18: CT01: has no sql");
	assert_refused(HEAD "indicators:\n  CT01: {vi: A, en: A, section: x, sql: DROP TABLE x}\n",
		       "a.yaml:18: CT01: sql: must begin with SELECT or WITH");
	assert_refused(HEAD
		       "indicators:\n  CT01: {vi: A, en: A, section: x, sql: \"SELECT {x}\"}\n",
		       "a.yaml:18: CT01: sql: {x} is neither a query nor a list");
	assert_refused(HEAD "queries:\n  q: SELECT {q}\nindicators:\n"
			    "  CT01: {vi: A, en: A, section: x, sql: \"SELECT {q}\"}\n",
		       "a.yaml:20: CT01: sql: {q} is nested too deep");
	assert_refused(HEAD "queries:\n  colour: SELECT 1\n",
		       "a.yaml:18: colour: a list has this name too");
}

static void a_query_cannot_grow_without_end(UNUSED_STATE)
{
	char text[40000];
	size_t at = (size_t)snprintf(text, sizeof text, "%squeries:\n", HEAD);

	/* Each level writes the one below twenty times: 20^5 copies. */
	for (int level = 0; level < 5; level++) {
		at += (size_t)snprintf(text + at, sizeof text - at, "  q%d: SELECT ", level);
		for (int i = 0; i < 20; i++)
			at += (size_t)snprintf(text + at, sizeof text - at,
					       level == 0 ? "1 + " : "{q%d} + ", level - 1);
		at += (size_t)snprintf(text + at, sizeof text - at, "1\n");
	}
	(void)snprintf(text + at, sizeof text - at,
		       "indicators:\n  CT01: {vi: A, en: A, section: x, sql: \"SELECT {q4}\"}\n");

	assert_err(load_one(text), ERR_INVAL);

	assert_non_null(strstr(error, "CT01: sql: longer than 262144 bytes written out"));
}

/* ---- limits ---- */

static void a_name_may_have_60_characters_and_no_more(UNUSED_STATE)
{
	char text[4096];
	char name[64];

	memset(name, 'x', sizeof name);
	(void)snprintf(text, sizeof text, "%s      %.60s: {type: text, vi: A, en: A}\n", HEAD,
		       name);
	assert_ok(load_one(text));
	schema_free(loaded);

	(void)snprintf(text, sizeof text, "%s      %.61s: {type: text, vi: A, en: A}\n", HEAD,
		       name);
	assert_err(load_one(text), ERR_INVAL);
}

static void a_label_may_have_120_characters_and_no_more(UNUSED_STATE)
{
	char text[4096];
	char label[400] = "";

	for (int i = 0; i < 120; i++)
		strcpy(label + strlen(label), "ễ");
	(void)snprintf(text, sizeof text, "%s      a: {type: text, vi: %s, en: A}\n", HEAD, label);
	assert_ok(load_one(text));
	schema_free(loaded);

	(void)snprintf(text, sizeof text, "%s      a: {type: text, vi: %sễ, en: A}\n", HEAD, label);
	assert_err(load_one(text), ERR_INVAL);
	assert_non_null(strstr(error, "vi: label is longer than 120 characters"));
}

static enum err load_with_fields(size_t count)
{
	AUTO(buf_clear) struct buf text = {0};

	buf_append_str(&text, HEAD);
	for (size_t i = 2; i < count; i++)
		buf_printf(&text, "      f%zu: {type: text, vi: F%zu, en: F}\n", i, i);
	return load_one(buf_cstr(&text));
}

static void a_type_may_have_150_fields_and_no_more(UNUSED_STATE)
{
	assert_ok(load_with_fields(150));
	assert_int_equal(loaded->types[0].count, 150);
	schema_free(loaded);

	assert_err(load_with_fields(151), ERR_INVAL);
	assert_string_equal(error, "a.yaml:165: person.f150: more than 150 fields");
}

static enum err load_with_codes(size_t count)
{
	AUTO(buf_clear) struct buf text = {0};

	buf_append_str(&text, "lists:\n  l:\n    vi: L\n    en: L\n    codes:\n");
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "      c%zu: {vi: C%zu, en: C}\n", i, i);
	buf_append_str(&text, "types:\n  p:\n    vi: P\n    en: P\n    kind: event\n"
			      "    sensitivity: public\n    fields:\n"
			      "      a: {type: code, list: l, vi: A, en: A}\n");
	return load_one(buf_cstr(&text));
}

static void a_list_may_have_1000_codes_and_no_more(UNUSED_STATE)
{
	assert_ok(load_with_codes(1000));
	schema_free(loaded);

	assert_err(load_with_codes(1001), ERR_INVAL);
	assert_string_equal(error, "a.yaml:1006: l.c1000: more than 1000 codes");
}

static void a_file_may_have_a_mebibyte_and_no_more(UNUSED_STATE)
{
	size_t head = strlen(HEAD);
	char *text = malloc(SCHEMA_FILE_BYTES + 2);

	memset(text, '\n', SCHEMA_FILE_BYTES + 1);
	memcpy(text, HEAD, head);
	text[SCHEMA_FILE_BYTES] = '\0';
	assert_ok(load_one(text));
	schema_free(loaded);

	text[SCHEMA_FILE_BYTES] = '\n';
	text[SCHEMA_FILE_BYTES + 1] = '\0';
	assert_err(load_one(text), ERR_INVAL);
	assert_string_equal(error, "a.yaml:1: longer than 1048576 bytes");
	free(text);
}

/* ---- bundle and version ---- */

static void a_bundle_gives_the_same_schema(UNUSED_STATE)
{
	struct schema *again = NULL;

	assert_ok(load_two(HEAD, "types:\n  person:\n    extend: true\n    fields:\n"
				 "      b: {type: text, vi: B, en: B}\n"));
	assert_ok(schema_load_bundle(buf_bytes(&loaded->source), &again, error));

	assert_memory_equal(again->version, loaded->version, sizeof again->version);
	assert_true(bytes_equal(buf_bytes(&again->source), buf_bytes(&loaded->source)));
	assert_int_equal(type_of(again, "person")->count, 3);
	schema_free(again);
}

static void the_version_follows_the_content_only(UNUSED_STATE)
{
	struct schema *first;

	assert_ok(load_one(HEAD));
	first = loaded;
	assert_ok(load_one(HEAD));
	assert_memory_equal(first->version, loaded->version, sizeof first->version);
	schema_free(loaded);
	assert_ok(load_one(HEAD "# one more byte\n"));

	assert_memory_not_equal(first->version, loaded->version, sizeof first->version);
	schema_free(first);
}

static void a_bundle_cut_anywhere_is_refused(UNUSED_STATE)
{
	struct schema *again = NULL;

	assert_ok(load_one(HEAD));
	for (size_t len = 0; len < loaded->source.len; len++) {
		if (schema_load_bundle(bytes_of(loaded->source.data, len), &again, error) !=
		    ERR_INVAL)
			fail_msg("cut at %zu of %zu was taken", len, loaded->source.len);
	}
	assert_null(again);
}

static void a_bundle_of_false_lengths_is_refused(UNUSED_STATE)
{
	static const char *const damaged[] = {
		"file a.yaml 5\nab\n",
		"file a.yaml 99999999999999999999\nab\n",
		"file a.yaml -1\nab\n",
		"file a.yaml \n\n",
		"file a.yaml\n\n",
		"file ../a 0\n\n",
		"file  0\n\n",
		"data a.yaml 0\n\n",
		"file a.yaml 0\n\nfile a.yaml 0\n\n",
	};
	struct schema *s = NULL;

	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++)
		assert_err(schema_load_bundle(bytes_str(damaged[i]), &s, error), ERR_INVAL);
	assert_null(s);
}

static void a_folder_without_schema_is_not_found(UNUSED_STATE)
{
	char path[] = "/tmp/ctxh-schema-XXXXXX";

	assert_non_null(mkdtemp(path));
	assert_err(schema_load_folder("/nonexistent/schema", &loaded, error), ERR_NOTFOUND);
	assert_non_null(strstr(error, "/nonexistent/schema"));
	assert_err(schema_load_folder(path, &loaded, error), ERR_NOTFOUND);
	assert_non_null(strstr(error, "no *.yaml file"));
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_teardown(name, unload)
		CASE(a_field_has_all_that_the_file_says),
		CASE(a_field_says_nothing_more_than_the_file),
		CASE(types_and_lists_are_found_by_name_and_label),
		CASE(fields_and_codes_keep_the_order_of_the_file),
		CASE(a_pattern_is_a_regular_expression),
		CASE(a_query_is_written_out_in_an_indicator),
		CASE(a_record_is_restricted_by_a_field),
		CASE(a_later_file_adds_fields_and_codes),
		CASE(an_extension_changes_nothing_that_is_there),
		CASE(a_definition_twice_names_both_places),
		CASE(errors_of_form_name_file_and_line),
		CASE(errors_of_a_type_name_it),
		CASE(errors_of_a_field_name_it),
		CASE(errors_of_a_pattern_name_the_field),
		CASE(errors_of_a_condition_name_the_field),
		CASE(errors_of_a_code_name_it),
		CASE(errors_of_an_indicator_name_it),
		CASE(a_query_cannot_grow_without_end),
		CASE(a_name_may_have_60_characters_and_no_more),
		CASE(a_label_may_have_120_characters_and_no_more),
		CASE(a_type_may_have_150_fields_and_no_more),
		CASE(a_list_may_have_1000_codes_and_no_more),
		CASE(a_file_may_have_a_mebibyte_and_no_more),
		CASE(a_bundle_gives_the_same_schema),
		CASE(the_version_follows_the_content_only),
		CASE(a_bundle_cut_anywhere_is_refused),
		CASE(a_bundle_of_false_lengths_is_refused),
		CASE(a_folder_without_schema_is_not_found),
	};

	if (crypt_init() != ERR_OK)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
