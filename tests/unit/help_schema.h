/*
 * help_schema - a schema of one type with every kind of field, for tests of what is valid. One
 * schema a program.
 */
#pragma once

#include "tests/unit/test.h"

#include "common/base/crypt.h"
#include "common/model/validate.h"

static const char yaml[] =
	"lists:\n"
	"  kind:\n"
	"    vi: Loại\n"
	"    en: Kind\n"
	"    codes:\n"
	"      cash: {vi: Tiền mặt, en: Cash}\n"
	"      rice: {vi: Gạo, en: Rice}\n"
	"      hear: {vi: \"Khuyết tật nghe, nói\", en: \"Hearing, speech\"}\n"
	"      pension: {vi: Hưu trí, en: Pension, from: 2025-07-01}\n"
	"      cmnd: {vi: Chứng minh, en: Old card, until: 2025-01-01}\n"
	"      \"01\": {vi: Mồ côi, en: Orphan}\n"
	"types:\n"
	"  help:\n"
	"    vi: Trợ giúp\n"
	"    en: Help\n"
	"    kind: event\n"
	"    sensitivity: basic\n"
	"    date: day\n"
	"    fields:\n"
	"      name: {type: text, vi: Họ và tên, en: Name, required: true}\n"
	"      short: {type: text, vi: Ngắn, en: Short, min: 2, max: 5}\n"
	"      number: {type: text, vi: Số, en: Number, pattern: \"^[0-9]{12}$\"}\n"
	"      note: {type: long_text, vi: Ghi chú, en: Note}\n"
	"      count: {type: integer, vi: Đếm, en: Count, min: -3, max: 100000000}\n"
	"      size: {type: decimal, vi: Cỡ, en: Size, min: -3, max: 3000000}\n"
	"      amount: {type: money, vi: Tiền, en: Amount}\n"
	"      done: {type: bool, vi: Xong, en: Done}\n"
	"      day: {type: date, vi: Ngày, en: Day}\n"
	"      born: {type: partial_date, vi: Sinh, en: Born}\n"
	"      at: {type: time, vi: Lúc, en: At}\n"
	"      kind: {type: code, list: kind, vi: Loại, en: Kind}\n"
	"      kinds: {type: code_set, list: kind, vi: Các loại, en: Kinds}\n"
	"      who: {type: reference, target: help, vi: Ai, en: Who}\n"
	"      place: {type: unit, vi: Nơi, en: Place}\n"
	"      rice_kg: {type: decimal, vi: Số gạo, en: Rice, required: true, when: {kind: [rice]}}\n"
	"      why: {type: text, vi: Vì sao, en: Why, required: true, when: {kinds: [cmnd, hear]}}\n"
	"      hint: {type: text, vi: Gợi ý, en: Hint, when: {kind: [cash]}}\n";

static struct schema *schema;
static const struct schema_type *type;
static struct arena arena;
static struct finding finding;

static inline int setup_all(UNUSED_STATE)
{
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema_source source = {"a.yaml", bytes_str(yaml)};

	if (crypt_init() != ERR_OK || schema_load(&source, 1, &schema, error) != ERR_OK) {
		print_error("%s\n", error);
		return -1;
	}
	type = &schema->types[0];
	return 0;
}

static inline int teardown_all(UNUSED_STATE)
{
	schema_free(schema);
	return 0;
}

static inline int teardown(UNUSED_STATE)
{
	arena_clear(&arena);
	return 0;
}

static inline const struct schema_field *field(const char *name)
{
	const struct schema_field *f = schema_find_field(type, bytes_str(name));

	assert_non_null(f);
	return f;
}

#define assert_verdict(got, want) assert_verdict_at((got), (want), __FILE__, __LINE__)
static inline void assert_verdict_at(enum verdict got, enum verdict want, const char *file,
				     int line)
{
	if (got == want)
		return;
	print_error("%s:%d: %s, wanted %s (%s)\n", file, line, verdict_name(got),
		    verdict_name(want), finding.text);
	_fail(file, line);
}

struct pair {
	const char *name;
	struct value value;
};

#define TEXT(text) value_text(BYTES_LIT(text))

/* What a person typed is refused, and the value left alone. */
static inline void assert_refused(const char *name, const char *typed, enum verdict want)
{
	struct value v = value_int(4711);
	enum verdict got = validate_parse(&arena, field(name), bytes_str(typed), &v, &finding);

	if (got != want)
		fail_msg("%s \"%s\": %s, wanted %s", name, typed, verdict_name(got),
			 verdict_name(want));
	assert_int_equal(finding.verdict, want);
	/* Untouched on failure. */
	assert_int_equal(v.integer, 4711);
}
