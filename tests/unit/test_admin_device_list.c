/* device list as pages ask for it: filtered, sorted, a screenful at a time, counted whole. */
#include "tests/unit/admin_office.h"

/* Six devices: 1 and 2 of the ground, and of four communes more. */
static int setup_six(void **state)
{
	static const char *const codes[] = {"25198", "25201", "25204", "25217"};

	if (setup(state) != 0)
		return -1;
	for (size_t i = 0; i < 4; i++)
		(void)enrol(codes[i], "Người ghi", false);
	change("UPDATE device SET name = CASE number WHEN 1 THEN 'Máy Đông' WHEN 2 THEN 'Máy An'"
	       " WHEN 3 THEN 'Máy ân' WHEN 4 THEN 'máy Anh' WHEN 5 THEN '' ELSE 'Máy Dung' END"
	       " WHERE number <> 0");
	change("UPDATE device SET last_contact_at = 1795000000000 - number, seen_number = number % 3,"
	       " state = CASE number WHEN 3 THEN 1 WHEN 4 THEN 2 ELSE 0 END WHERE number > 1");
	change("UPDATE device SET author = CASE number WHEN 6 THEN 'Điểu K''Ré' ELSE 'Người ghi' END");
	return 0;
}

/* Their numbers, as "1 2 3". */
static const char *numbers(const json_t *rows)
{
	static char text[128];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < json_array_size(rows); i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld", i != 0 ? " " : "",
					(long long)int_of(json_array_get(rows, i), "number"));
	return text;
}

static void assert_listed(const char *args, const char *want)
{
	json_t *rows = result_of("device list", args);

	assert_string_equal(numbers(rows), want);
	json_decref(rows);
}

static void without_a_filter_all_are_listed_by_number(UNUSED_STATE)
{
	assert_listed("{}", "1 2 3 4 5 6");
	assert_listed("{\"limit\":4}", "1 2 3 4");
	assert_listed("{\"offset\":4}", "5 6");
	assert_listed("{\"offset\":6,\"limit\":2}", "");
}

static void a_screenful_tells_how_many_there_are(UNUSED_STATE)
{
	json_t *page = result_of("device list", "{\"limit\":2,\"offset\":1,\"counted\":true}");

	assert_has_keys(page, "total rows");
	assert_int_equal(int_of(page, "total"), 6);
	assert_string_equal(numbers(json_object_get(page, "rows")), "2 3");
	json_decref(page);
	page = result_of("device list", "{\"text\":\"may\",\"limit\":1,\"counted\":true}");
	assert_int_equal(int_of(page, "total"), 5);
	assert_int_equal(json_array_size(json_object_get(page, "rows")), 1);
	json_decref(page);
}

/* The page from `offset` on is that part of `whole`; the numbers on it as bits. */
static unsigned page_of(const char *order, size_t offset, const json_t *whole)
{
	unsigned seen = 0;
	char args[160];
	json_t *rows;

	snprintf(args, sizeof args, "{%s,\"offset\":%zu,\"limit\":2}", order, offset);
	rows = result_of("device list", args);
	assert_int_equal(json_array_size(rows), 2);
	for (size_t r = 0; r < 2; r++) {
		const json_t *row = json_array_get(rows, r);

		seen |= 1u << int_of(row, "number");
		assert_true(json_equal(row, json_array_get(whole, offset + r)));
	}
	json_decref(rows);
	return seen;
}

static void assert_pages_are_whole(const char *sort, bool is_down)
{
	char order[64];
	char args[80];
	json_t *whole;

	snprintf(order, sizeof order, "\"sort\":\"%s\",\"down\":%s", sort,
		 is_down ? "true" : "false");
	snprintf(args, sizeof args, "{%s}", order);
	whole = result_of("device list", args);
	assert_int_equal(page_of(order, 0, whole) | page_of(order, 2, whole) |
				 page_of(order, 4, whole),
			 0x7e);
	json_decref(whole);
}

/* Whatever they are sorted by, each device is on one page: pages go on where the last one ended. */
static void pages_together_are_the_whole_list(UNUSED_STATE)
{
	static const char *const sorts[] = {
		"number",      "name",    "units",           "enrolled_at",    "last_contact",
		"last_number", "missing", "clock_offset_ms", "client_version", "state"};

	for (size_t i = 0; i < sizeof sorts / sizeof sorts[0]; i++) {
		assert_pages_are_whole(sorts[i], false);
		assert_pages_are_whole(sorts[i], true);
	}
}

static void names_are_in_the_order_of_vietnamese(UNUSED_STATE)
{
	/* An, Anh, ân, Dung, Đông; what has no name is behind. */
	assert_listed("{\"sort\":\"name\"}", "2 4 3 6 1 5");
	assert_listed("{\"sort\":\"name\",\"down\":true}", "5 1 6 3 4 2");
	assert_listed("{\"sort\":\"missing\"}", "1 3 6 4 2 5");
	assert_listed("{\"sort\":\"missing\",\"down\":true}", "2 5 4 1 3 6");
	/* The first never had a contact. */
	assert_listed("{\"sort\":\"last_contact\"}", "6 5 4 3 2 1");
}

static void what_is_looked_for_is_found_among_all(UNUSED_STATE)
{
	assert_listed("{\"text\":\"máy dung\"}", "6");
	assert_listed("{\"text\":\"DUNG MAY\"}", "6");
	/* Its name, or the commune's: Máy Đông, Phường Tân Đồng. */
	assert_listed("{\"text\":\"đông\"}", "1 3");
	assert_listed("{\"text\":\"dieu kre\"}", "6");
	/* By a commune's code and by its name, in whatever order the words come. */
	assert_listed("{\"text\":\"25198\"}", "3");
	assert_listed("{\"text\":\"dong tan 198\"}", "3");
	assert_listed("{\"text\":\"người 25201\"}", "4");
	assert_listed("{\"text\":\"không có gì như vậy\"}", "");
	assert_listed("{\"text\":\"  \"}", "1 2 3 4 5 6");
}

static void filters_combine(UNUSED_STATE)
{
	assert_listed("{\"state\":\"forked\"}", "3");
	assert_listed("{\"state\":\"revoked\"}", "4");
	assert_listed("{\"state\":\"never\"}", "1");
	assert_listed("{\"state\":\"active\"}", "2 5 6");
	assert_listed("{\"state\":\"active\",\"text\":\"dung\"}", "6");
	assert_listed("{\"state\":\"forked\",\"unit\":\"25198\"}", "3");
	assert_listed("{\"state\":\"revoked\",\"unit\":\"25198\"}", "");
}

static void what_cannot_be_asked_is_refused(UNUSED_STATE)
{
	assert_refused("device list", "{\"state\":\"x\"}", ERR_INVAL, "forked");
	assert_refused("device list", "{\"sort\":\"key\"}", ERR_INVAL, "key");
	assert_refused("device list", "{\"limit\":0}", ERR_INVAL, "limit");
	assert_refused("device list", "{\"offset\":-1}", ERR_INVAL, "offset");
	assert_refused("device list", "{\"text\":\"a b c d e f g h i\"}", ERR_INVAL, "8");
	assert_listed("{\"text\":\"a b c d e f g h\"}", "");
}

/* A count tells of devices, too. */
static void who_has_units_is_told_the_number_of_its_own(UNUSED_STATE)
{
	json_t *args = json_loads("{\"counted\":true}", 0, NULL);
	struct admin_call call = {
		.ctx = &office.ctx,
		.store = office.writer,
		.args = args,
		.caller = {.name = "account:Lan", .account = "Lan", .is_bound = true},
		.arena = &office.arena};

	json_decref(result_of("account add",
			      "{\"name\":\"Lan\",\"role\":\"reviewer\",\"units\":[\"25198\"]}"));
	assert_ok(store_begin(office.writer));
	assert_ok(admin_run(admin_find("device list"), &call));
	store_rollback(office.writer);
	assert_int_equal(int_of(call.result, "total"), 1);
	assert_string_equal(numbers(json_object_get(call.result, "rows")), "3");
	admin_call_clear(&call);
	json_decref(args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup_six, teardown)
		T(without_a_filter_all_are_listed_by_number),
		T(a_screenful_tells_how_many_there_are),
		T(pages_together_are_the_whole_list),
		T(names_are_in_the_order_of_vietnamese),
		T(what_is_looked_for_is_found_among_all),
		T(filters_combine),
		T(what_cannot_be_asked_is_refused),
		T(who_has_units_is_told_the_number_of_its_own),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
