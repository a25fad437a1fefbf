/* A report as table, CSV, JSON, XLSX and HTML: pure functions over the daemon's JSON. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/report/doc.h"
#include "common/report/figures.h"
#include "common/report/format.h"

/* Two contents, a share with its target, money, a small count of a restricted group, and names an
 * evil list could bring. */
static const char report_text[] =
	"{\"id\":\"annual\",\"label\":\"Báo cáo năm\",\"label_en\":\"Yearly report\","
	"\"unit\":\"70\",\"unit_name\":\"Tỉnh <script>alert(1)</script> & 'X'\","
	"\"from\":\"2020-01-01\",\"to\":\"2020-12-31\",\"on\":\"2021-04-13\","
	"\"as_of\":12,\"as_of_at\":\"2021-01-05T02:03:04.000Z\",\"past\":false,"
	"\"schema\":\"0011223344556677\",\"communes\":111,\"stale_units\":[\"25195\"],"
	"\"stale\":[{\"code\":\"25195\",\"name\":\"=HYPERLINK(\\\"x\\\")\","
	"\"last_contact\":null}],\"quarantined\":2,\"erased\":3,\"rows\":["
	"{\"section\":\"programme\",\"indicator\":\"CT02\",\"indicator_label\":\"Tỷ lệ xã\","
	"\"indicator_label_en\":\"Share\",\"source\":\"Kế hoạch\",\"code\":\"all\","
	"\"label\":\"Xã có cộng tác viên\",\"label_en\":\"With\",\"unit\":\"70\",\"value\":94.6,"
	"\"numerator\":105,\"denominator\":111,\"target\":100.0,\"percent\":true},"
	"{\"section\":\"intervention\",\"indicator\":\"CTH10\",\"indicator_label\":\"Nhóm\","
	"\"code\":\"hiv\",\"label\":\"HIV\",\"unit\":\"70\",\"value\":\"<5\",\"persons\":\"<5\","
	"\"percent\":false,\"suppressed\":true},"
	"{\"section\":\"money\",\"indicator\":\"KP01\",\"indicator_label\":\"Kinh phí (đồng)\","
	"\"code\":\"all\",\"label\":\"=1+1\",\"unit\":\"70\",\"value\":14257000000,"
	"\"target\":null,\"percent\":false},"
	"{\"section\":\"programme\",\"indicator\":\"CT03\",\"indicator_label\":\"Đủ người\","
	"\"code\":\"one\",\"label\":null,\"unit\":\"70\",\"value\":null,\"percent\":true}]}";

static json_t *report;
static struct buf out;
static struct arena arena;

static int setup(UNUSED_STATE)
{
	report = json_loads(report_text, 0, NULL);
	assert_non_null(report);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	json_decref(report);
	buf_clear(&out);
	arena_clear(&arena);
	return 0;
}

static const char *print(enum report_format format)
{
	buf_reset(&out);
	assert_ok(report_print(report, format, NULL, &out));
	return buf_cstr(&out);
}

static void assert_says(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		print_error("no “%s” in:\n%s\n", words, text);
	assert_non_null(strstr(text, words));
}

/* ---- reading ---- */

static void rows_are_grouped_by_content_and_indicator(UNUSED_STATE)
{
	struct doc doc;

	assert_ok(doc_read(&arena, report, &doc));

	assert_int_equal(doc.section_count, 3);
	assert_string_equal(doc.sections[0].id, "programme");
	/* A row behind those of another content still stands with its own. */
	assert_int_equal(doc.sections[0].count, 2);
	assert_string_equal(doc.sections[0].indicators[1].id, "CT03");
	assert_string_equal(doc.sections[1].title, "Nội dung 3. Can thiệp, trợ giúp đối tượng");
	assert_true(doc.sections[2].indicators[0].rows[0].is_money);
	assert_int_equal(doc.stale_count, 1);
	assert_int_equal(doc.erased, 3);
}

static void a_content_nobody_knows_is_among_the_others(UNUSED_STATE)
{
	json_t *row = json_array_get(json_object_get(report, "rows"), 0);
	struct doc doc;

	json_object_set_new(row, "section", json_string("weather"));

	assert_ok(doc_read(&arena, report, &doc));
	assert_string_equal(doc.sections[0].title_en, "Other indicators");
}

static void what_is_no_report_is_refused(UNUSED_STATE)
{
	json_t *none = json_pack("{s:s}", "unit", "70");

	for (unsigned f = 0; f < REPORT_FORMATS; f++)
		assert_err(report_print(none, (enum report_format)f, NULL, &out), ERR_INVAL);
	assert_int_equal(out.len, 0);
	json_decref(none);
}

static void an_older_daemon_says_less(UNUSED_STATE)
{
	json_t *bare = json_pack("{s:s, s:s, s:s, s:[]}", "unit", "70", "from", "2020-01-01", "to",
				 "2020-12-31", "rows");

	for (unsigned f = 0; f < REPORT_FORMATS; f++)
		assert_ok(report_print(bare, (enum report_format)f, NULL, &out));
	json_decref(bare);
}

static void formats_have_names(UNUSED_STATE)
{
	enum report_format format;

	for (unsigned f = 0; f < REPORT_FORMATS; f++) {
		assert_ok(report_format_parse(bytes_str(report_format_name((enum report_format)f)),
					      &format));
		assert_int_equal(format, f);
	}
	assert_err(report_format_parse(BYTES_LIT("pdf"), &format), ERR_INVAL);
	assert_true(report_format_is_binary(REPORT_XLSX));
	assert_false(report_format_is_binary(REPORT_HTML));
}

/* ---- table and CSV ---- */

static void a_table_is_for_people(UNUSED_STATE)
{
	const char *text = print(REPORT_TABLE);

	assert_says(text, "(70), 01/01/2020 - 31/12/2020");
	assert_says(text, "94,6 %");
	assert_says(text, "14.257 triệu đồng");
	assert_says(text, "<5");
	assert_says(text, "data as of: 05/01/2021 09:03, số nhật ký / log number 12\n");
	assert_says(text, "changes in quarantine: 2\n");
	assert_says(text, "erased by law since, counted no more: 3\n");
	assert_says(text, "communes without recent data: 1 (25195)\n");
}

static void csv_is_for_programs(UNUSED_STATE)
{
	const char *text = print(REPORT_CSV);

	assert_says(text, "indicator,indicator_label,code,label,label_en,unit,value,numerator,"
			  "denominator,target,persons,person_times\n");
	assert_says(text, "CT02,Tỷ lệ xã,all,Xã có cộng tác viên,With,70,94.6,105,111,100,,\n");
	assert_says(text, "KP01,Kinh phí (đồng),all,=1+1,,70,14257000000,,,,,\n");
}

static void json_is_what_came(UNUSED_STATE)
{
	json_t *again = json_loads(print(REPORT_JSON), 0, NULL);

	assert_true(json_equal(again, report));
	json_decref(again);
}

/* ---- HTML ---- */

static void html_escapes_whatever_came(UNUSED_STATE)
{
	const char *text = print(REPORT_HTML);

	assert_says(text, "Tỉnh &lt;script&gt;alert(1)&lt;/script&gt; &amp; &#39;X&#39;");
	assert_says(text, "=HYPERLINK(&quot;x&quot;)");
	assert_says(text, "&lt;5");
	assert_null(strstr(text, "<script"));
}

static void html_is_one_page_that_loads_nothing(UNUSED_STATE)
{
	static const char *const outside[] = {"http:", "https:", "src=", "url(", "@import",
					      "<link", "onload", "<img", "<form"};
	const char *text = print(REPORT_HTML);

	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
		assert_null(strstr(text, outside[i]));
	assert_says(text, "<!DOCTYPE html>\n<html lang=\"vi\">");
	assert_says(text, "@page{size:A4");
}

static void html_says_how_far_the_figures_can_be_trusted(UNUSED_STATE)
{
	const char *text = print(REPORT_HTML);

	assert_says(text, "05/01/2021 09:03, số nhật ký");
	assert_says(text, "<dd>111</dd>");
	assert_says(text, "chưa lần nào <span lang=\"en\">never</span>");
	assert_says(text, "Incomplete data");
	assert_says(text, "Records erased by law");
}

static void html_has_numerator_denominator_and_target_beside_a_share(UNUSED_STATE)
{
	const char *text = print(REPORT_HTML);

	assert_says(text, "<td class=\"n\">94,6 %</td><td class=\"n\">105</td><td "
			  "class=\"n\">111</td><td class=\"n\">100 %</td>");
	/* Also when this period has no target: nobody must wonder where it went. */
	json_object_del(json_array_get(json_object_get(report, "rows"), 0), "target");
	assert_says(print(REPORT_HTML), "<span lang=\"en\">Target</span>");
}

static void a_whole_report_has_no_warning(UNUSED_STATE)
{
	json_object_set_new(report, "stale", json_array());
	json_object_set_new(report, "quarantined", json_integer(0));
	json_object_set_new(report, "erased", json_integer(0));

	assert_null(strstr(print(REPORT_HTML), "Incomplete data"));
}

/* ---- XLSX; its cells are read by integration/reports.py ---- */

static void equal_reports_are_equal_bytes(UNUSED_STATE)
{
	struct buf first = {0};

	for (unsigned f = 0; f < REPORT_FORMATS; f++) {
		buf_reset(&first);
		assert_ok(report_print(report, (enum report_format)f, NULL, &first));
		(void)print((enum report_format)f);
		assert_int_equal(first.len, out.len);
		assert_memory_equal(first.data, out.data, out.len);
	}
	buf_clear(&first);
}

static void xlsx_is_appended_and_a_zip(UNUSED_STATE)
{
	buf_append_str(&out, "before");

	assert_ok(report_print(report, REPORT_XLSX, NULL, &out));

	assert_memory_equal(out.data, "beforePK\3\4", 10);
}

/* ---- figures ---- */

static void figures_are_written_as_vietnamese_reports_do(UNUSED_STATE)
{
	figures_append_integer(&out, 1234567);
	buf_append_str(&out, " ");
	figures_append_integer(&out, -1000);
	buf_append_str(&out, " ");
	figures_append_integer(&out, 0);
	buf_append_str(&out, " ");
	figures_append_integer(&out, INT64_MIN);
	buf_append_str(&out, " ");
	figures_append_decimal(&out, 94.6, 1);
	buf_append_str(&out, " ");
	figures_append_decimal(&out, 1234.0, 1);
	buf_append_str(&out, " ");
	figures_append_decimal(&out, -1234.56, 1);
	buf_append_str(&out, " ");
	figures_append_decimal(&out, -0.01, 1);

	assert_string_equal(buf_cstr(&out), "1.234.567 -1.000 0 -9.223.372.036.854.775.808 94,6 "
					    "1.234 -1.234,6 0");
}

static void money_is_in_millions_when_it_is_large(UNUSED_STATE)
{
	figures_append_money(&out, INT64_C(14257000000));
	buf_append_str(&out, "|");
	figures_append_money(&out, INT64_C(2290500000));
	buf_append_str(&out, "|");
	figures_append_money(&out, 1490500);
	buf_append_str(&out, "|");
	figures_append_money(&out, 0);

	assert_string_equal(buf_cstr(&out),
			    "14.257 triệu đồng|2.290,5 triệu đồng|1.490.500 đồng|0 đồng");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(rows_are_grouped_by_content_and_indicator),
		T(a_content_nobody_knows_is_among_the_others),
		T(what_is_no_report_is_refused),
		T(an_older_daemon_says_less),
		T(formats_have_names),
		T(a_table_is_for_people),
		T(csv_is_for_programs),
		T(json_is_what_came),
		T(html_escapes_whatever_came),
		T(html_is_one_page_that_loads_nothing),
		T(html_says_how_far_the_figures_can_be_trusted),
		T(html_has_numerator_denominator_and_target_beside_a_share),
		T(a_whole_report_has_no_warning),
		T(equal_reports_are_equal_bytes),
		T(xlsx_is_appended_and_a_zip),
		T(figures_are_written_as_vietnamese_reports_do),
		T(money_is_in_millions_when_it_is_large),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
