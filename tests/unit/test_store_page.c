/* A unit's records by log number, whatever was done to them: against a list kept beside. */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "daemon/schema_sql.h"
#include "daemon/store_private.h"
#include "tests/support/ground.h"

#define PEOPLE 24u
#define STEPS  120u

static struct ground g;
static struct store_state *people[PEOPLE];
static size_t people_count;
static uint64_t last_log;
static uint64_t seed;
static struct rand r;

static int setup(UNUSED_STATE)
{
	const char *given = getenv("CTXH_SEED");

	seed = given != NULL ? strtoull(given, NULL, 0) : 4711;
	print_message("seed %llu\n", (unsigned long long)seed);
	rand_seeded_init(&r, seed);
	ground_open(&g);
	people_count = 0;
	last_log = 0;
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static void set(struct record *record, size_t at, const char *name, struct value value)
{
	record->fields[at] = (struct field){
		bytes_str(name), value, {.clock = 1000 + last_log, .device = 3}, last_log};
}

static int64_t some_unit(void)
{
	const int64_t units[] = {g.north, g.south, g.far};

	return units[rand_below(&r, 3)];
}

static struct store_state *new_person(void)
{
	struct store_state *state = arena_alloc(&g.a, sizeof *state);

	state->record.type = BYTES_LIT("person");
	state->record.id.bytes[0] = (uint8_t)(people_count + 1);
	state->record.fields = arena_alloc_array(&g.a, 2, sizeof(struct field));
	state->record.count = 2;
	set(&state->record, 0, "name", ground_text("Điểu Thị Mới"));
	set(&state->record, 1, "unit", value_int(some_unit()));
	return state;
}

static void put(struct store_state *state)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_put_state(g.store, &g.a, state, last_log));
	assert_ok(store_commit(g.store));
}

/* One of: a new person, another name, another unit, the same unit written again, and a change-set
 * that named the person and changed nothing. */
static void step(void)
{
	struct store_state *state;

	last_log++;
	if (people_count == 0 || (people_count < PEOPLE && rand_below(&r, 4) == 0)) {
		people[people_count] = new_person();
		put(people[people_count++]);
		return;
	}
	state = people[rand_below(&r, people_count)];
	switch (rand_below(&r, 4)) {
	case 0: set(&state->record, 1, "unit", value_int(some_unit())); break;
	case 1: set(&state->record, 1, "unit", value_int(record_unit(&state->record))); break;
	case 2: set(&state->record, 0, "name", ground_text("Điểu Thị Khác")); break;
	default: break;
	}
	put(state);
}

static int by_log(const void *a, const void *b)
{
	const struct store_state *const *left = a;
	const struct store_state *const *right = b;
	uint64_t one = record_last_log(&(*left)->record);
	uint64_t other = record_last_log(&(*right)->record);

	return (one > other) - (one < other);
}

/* In this test no two people have one log number. */
static size_t expected(int64_t unit, uint64_t after, uint64_t until,
		       struct store_state *ret_list[PEOPLE])
{
	size_t count = 0;

	for (size_t i = 0; i < people_count; i++) {
		uint64_t log = record_last_log(&people[i]->record);

		if (record_unit(&people[i]->record) == unit && log > after && log <= until)
			ret_list[count++] = people[i];
	}
	qsort(ret_list, count, sizeof(struct store_state *), by_log);
	return count;
}

static void assert_page(int64_t unit, uint64_t after, uint64_t until)
{
	const struct store_page page = {.type = BYTES_LIT("person"),
					.unit = unit,
					.after = after,
					.until = until,
					.limit = PEOPLE};
	struct store_state *wanted[PEOPLE];
	struct store_state *got = NULL;
	size_t count = 0;
	size_t wanted_count = expected(unit, after, until, wanted);

	assert_ok(store_load_page(g.store, &g.a, &page, &got, &count));

	assert_int_equal(count, wanted_count);
	for (size_t i = 0; i < count; i++) {
		assert_memory_equal(got[i].record.id.bytes, wanted[i]->record.id.bytes, ID_LEN);
		assert_int_equal(got[i].log, record_last_log(&wanted[i]->record));
		assert_int_equal(got[i].unit, unit);
	}
}

static void assert_pages(void)
{
	const int64_t units[] = {g.north, g.south, g.far};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		assert_page(units[i], 0, last_log);
		assert_page(units[i], rand_below(&r, last_log), last_log);
		assert_page(units[i], 0, rand_below(&r, last_log + 1));
	}
}

static int64_t number_of(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(g.store, text, &q));
	assert_ok(sql_run_row(q));
	return sql_int(q, 0);
}

static void a_record_is_once_where_it_was_changed_last(UNUSED_STATE)
{
	for (size_t i = 0; i < STEPS; i++) {
		step();
		assert_pages();
	}
	assert_true(people_count > PEOPLE / 2);
	/* Nobody has to pass over entries of before. */
	assert_int_equal(number_of("SELECT count(*) FROM person__changed"),
			 number_of("SELECT count(*) FROM person WHERE log <> made_log"));
}

static void a_store_of_version_eleven_gives_the_same_pages(UNUSED_STATE)
{
	for (size_t i = 0; i < STEPS / 2; i++)
		step();
	ground_make_version_11(&g);
	ground_reopen(&g);

	assert_pages();
	for (size_t i = 0; i < STEPS / 2; i++) {
		step();
		assert_pages();
	}
}

static void an_update_leaves_the_index_on_units_alone(UNUSED_STATE)
{
	static const char query[] = "SELECT made_log, log FROM person";
	struct sql *q = NULL;

	last_log = 5;
	people[0] = new_person();
	put(people[0]);
	last_log = 9;
	set(&people[0]->record, 0, "name", ground_text("Điểu Thị Khác"));
	put(people[0]);

	assert_ok(sql_use(g.store, query, &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 5);
	assert_int_equal(sql_int(q, 1), 9);
	sql_done(q);
	assert_ok(sql_use(g.store, "SELECT at_log, of_row FROM person__changed", &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 9);
	assert_int_equal(sql_int(q, 1), people[0]->row);
	sql_done(q);
}

/* Neither a table read through nor a list sorted. */
static void a_page_is_found_by_the_two_indexes(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf text = {0};
	AUTO(buf_clear) struct buf plan = {0};
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;

	buf_append_str(&text, "EXPLAIN QUERY PLAN ");
	schema_sql_print_page(store_find_table(g.store, BYTES_LIT("person")), &text);
	assert_ok(sql_use_text(g.store, buf_bytes(&text), &q));
	while (sql_step(q, &is_row) == ERR_OK && is_row)
		buf_printf(&plan, "%.*s\n", BYTES_FMT(sql_text(q, 3)));

	assert_non_null(
		strstr(buf_cstr(&plan), "person__unit (unit=? AND made_log>? AND made_log<?)"));
	assert_non_null(
		strstr(buf_cstr(&plan), "PRIMARY KEY (in_unit=? AND at_log>? AND at_log<?)"));
	assert_null(strstr(buf_cstr(&plan), "SCAN"));
	assert_null(strstr(buf_cstr(&plan), "TEMP B-TREE"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_record_is_once_where_it_was_changed_last),
		CASE(a_store_of_version_eleven_gives_the_same_pages),
		CASE(an_update_leaves_the_index_on_units_alone),
		CASE(a_page_is_found_by_the_two_indexes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
