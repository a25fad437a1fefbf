#include "tests/unit/test.h"

#include "client/rebase.h"

#define OWN   3
#define OTHER 4

static struct arena a;

static struct vault_change change(const char *name, uint64_t clock)
{
	struct write *write = arena_alloc(&a, sizeof *write);

	*write = (struct write){BYTES_LIT("name"), value_text(bytes_str(name))};
	return (struct vault_change){
		.change = {
			.type = BYTES_LIT("person"), .clock = clock, .writes = write, .count = 1}};
}

static int teardown(UNUSED_STATE)
{
	arena_clear(&a);
	return 0;
}

/* What people see of the name, the office holding one of `device` at `clock`. */
static const char *seen(uint64_t clock, uint32_t device, const struct vault_change *changes,
			size_t count)
{
	struct field field = {.name = BYTES_LIT("name"),
			      .value = value_text(BYTES_LIT("office")),
			      .stamp = {clock, device}};
	const struct record office = {.type = BYTES_LIT("person"), .fields = &field, .count = 1};
	struct record body = rebase_body(&a, MERGE_REGISTER, &office, changes, count, OWN);

	return (const char *)arena_printf(&a, "%.*s", BYTES_FMT(record_value(&body, "name").bytes))
		.data;
}

static void the_later_of_two_devices_is_seen(UNUSED_STATE)
{
	struct vault_change c = change("first", 100);

	assert_string_equal(seen(90, OTHER, &c, 1), "first");
	assert_string_equal(seen(110, OTHER, &c, 1), "office");
}

/* The office moved the clock of what was sent to its own present: what was entered since is later.
 */
static void what_waits_is_seen_above_what_was_sent_before(UNUSED_STATE)
{
	struct vault_change c[2] = {change("first", 100), change("second", 101)};

	assert_string_equal(seen(500, OWN, c, 1), "first");
	assert_string_equal(seen(500, OWN, c, 2), "second");
	assert_string_equal(seen(INT64_MAX, OWN, c, 0), "office");
}

static void what_was_refused_is_not_seen_above_what_was_taken_since(UNUSED_STATE)
{
	struct vault_change c[2] = {change("first", 100), change("second", 101)};

	c[0].is_refused = true;
	assert_string_equal(seen(500, OWN, c, 1), "office");
	assert_string_equal(seen(500, OWN, c, 2), "second");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_later_of_two_devices_is_seen),
		CASE(what_waits_is_seen_above_what_was_sent_before),
		CASE(what_was_refused_is_not_seen_above_what_was_taken_since),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
