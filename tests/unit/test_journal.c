#include "tests/unit/test.h"

#include <stdio.h>

#include "common/base/buf.h"
#include "daemon/journal.h"

static void assert_fields(const char *line, const char *wanted)
{
	struct journal_field fields[JOURNAL_FIELDS_MAX];
	AUTO(buf_clear) struct buf text = {0};
	size_t count = journal_fields(line, fields);

	print_message("%s\n", line);
	for (size_t i = 0; i < count; i++)
		buf_printf(&text, "%s=%.*s ", fields[i].name, BYTES_FMT(fields[i].value));
	assert_string_equal(buf_cstr(&text), wanted);
}

static void a_sync_has_session_device_unit_and_result(UNUSED_STATE)
{
	assert_fields("session=7 peer=10.0.0.1:9 device=12 unit=25195 in=900 out=80 ms=4 result=ok",
		      "CTXH_SESSION=7 CTXH_DEVICE=12 CTXH_UNIT=25195 CTXH_RESULT=ok ");
}

static void a_refusal_has_its_code_as_the_result(UNUSED_STATE)
{
	assert_fields("refused peer=10.0.0.1:9 device=12 code=unknown_device bytes=9",
		      "CTXH_DEVICE=12 CTXH_RESULT=unknown_device ");
}

static void what_a_line_does_not_say_has_no_field(UNUSED_STATE)
{
	assert_fields("session=7 unit= in=900", "CTXH_SESSION=7 ");
	assert_fields("stopping", "");
	assert_fields("", "");
	assert_fields("=", "");
	assert_fields("in=9 devices=4 sessions=2", "");
}

static void what_a_quoted_text_says_is_no_field(UNUSED_STATE)
{
	assert_fields("collect session=7 device=12 error=IO detail=\"device=99 result=ok\"",
		      "CTXH_SESSION=7 CTXH_DEVICE=12 CTXH_ERROR=IO ");
	assert_fields("failed detail=\"it said device=99", "");
	assert_fields("failed result=\"quoted\" device=3", "CTXH_DEVICE=3 ");
}

static void the_first_one_counts(UNUSED_STATE)
{
	assert_fields("device=12 detail=\"a \" device=99 result=ok result=no",
		      "CTXH_DEVICE=12 CTXH_RESULT=ok ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sync_has_session_device_unit_and_result),
		cmocka_unit_test(a_refusal_has_its_code_as_the_result),
		cmocka_unit_test(what_a_line_does_not_say_has_no_field),
		cmocka_unit_test(what_a_quoted_text_says_is_no_field),
		cmocka_unit_test(the_first_one_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
