#include "tests/unit/test.h"

#include "daemon/placing.h"
#include "tests/support/ground.h"

static const char schema_text[] =
	"types:\n"
	"  person:\n"
	"    vi: Người\n"
	"    en: Person\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      name: {type: text, vi: Tên, en: Name, title: true}\n"
	"      household: {type: reference, target: household, vi: Hộ, en: Household, indexed: true}\n"
	"      guardian: {type: reference, target: person, vi: Giám hộ, en: Guardian}\n"
	"  household:\n"
	"    vi: Hộ\n"
	"    en: Household\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      name: {type: text, vi: Tên, en: Name, title: true}\n"
	"  worker:\n"
	"    vi: Nhân viên\n"
	"    en: Worker\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      name: {type: text, vi: Tên, en: Name, title: true}\n"
	"  case_file:\n"
	"    vi: Hồ sơ\n"
	"    en: Case\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      person: {type: reference, target: person, vi: Người, en: Person, indexed: true}\n"
	"      worker: {type: reference, target: worker, vi: Nhân viên, en: Worker, indexed: true}\n"
	"  step:\n"
	"    vi: Bước\n"
	"    en: Step\n"
	"    kind: event\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      case_file: {type: reference, target: case_file, vi: Hồ sơ, en: Case, indexed: true}\n";

static struct ground g;
static struct schema *schema;
static struct ground_device *north;
static struct ground_device *south;

static int setup(UNUSED_STATE)
{
	const struct schema_source source = {"placing.yaml", bytes_str(schema_text)};
	char error[SCHEMA_ERROR_LEN] = "";

	ground_open(&g);
	if (schema_load(&source, 1, &schema, error) != ERR_OK)
		print_error("%s\n", error);
	assert_non_null(schema);
	assert_ok(store_use_schema(g.store, schema));
	north = ground_device(&g, g.north, true);
	south = ground_device(&g, g.south, true);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	schema_free(schema);
	schema = NULL;
	return 0;
}

static struct value reference(const struct id *id)
{
	return value_bytes(arena_copy(&g.a, bytes_of(id->bytes, ID_LEN)));
}

static void say(struct ground_device *d, const char *type, const struct id *id, const char *field,
		struct value value)
{
	uint64_t log = 0;
	struct change c;

	assert_ok(store_last_log(g.store, &log));
	c = ground_change(&g, d, type, id, log);
	ground_write(&g, &c, field, value);
	assert_int_equal(ground_push(&g, d, &c, 1).applied, 1);
}

/* A record that names up to two others. */
static struct id add(struct ground_device *d, const char *type, const char *field,
		     const struct id *to, const char *other_field, const struct id *other)
{
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, d, type, &id, 0);

	g.clock.wall++;
	ground_write(&g, &c, "unit", value_int(d == north ? g.north : g.south));
	if (field != NULL)
		ground_write(&g, &c, field, reference(to));
	if (other_field != NULL)
		ground_write(&g, &c, other_field, reference(other));
	assert_int_equal(ground_push(&g, d, &c, 1).applied, 1);
	return id;
}

static struct id add_alone(const char *type)
{
	return add(north, type, NULL, NULL, NULL, NULL);
}

static void assert_along(const char *type, const struct id *id, const struct id *wanted,
			 size_t wanted_count)
{
	struct store_state state = {.record = {.type = bytes_str(type), .id = *id}};
	struct placing_record *along = NULL;
	size_t count = 0;

	assert_ok(store_load_states(g.store, &g.a, &state, 1));
	assert_ok(placing_load_along(g.store, &g.a, &state.record, &along, &count));
	assert_int_equal(count, wanted_count);
	for (size_t i = 0; i < wanted_count; i++) {
		size_t times = 0;

		for (size_t k = 0; k < count; k++)
			times += id_compare(&along[k].record.id, &wanted[i]) == 0;
		assert_int_equal(times, 1);
	}
}

/* ---- what goes along ---- */

static void a_persons_case_and_its_steps_go_along(UNUSED_STATE)
{
	struct id p = add_alone("person");
	struct id c = add(north, "case_file", "person", &p, NULL, NULL);
	struct id s = add(north, "step", "case_file", &c, NULL, NULL);
	struct id other = add_alone("person");
	struct id others = add(north, "case_file", "person", &other, NULL, NULL);

	assert_along("person", &p, (struct id[]){c, s}, 2);
	assert_along("case_file", &others, NULL, 0);
}

static void a_case_goes_with_its_person_and_not_with_its_worker(UNUSED_STATE)
{
	struct id p = add_alone("person");
	struct id w = add_alone("worker");
	struct id c = add(north, "case_file", "person", &p, "worker", &w);
	struct id only = add(north, "case_file", "worker", &w, NULL, NULL);

	assert_along("person", &p, &c, 1);
	assert_along("worker", &w, &only, 1);
}

static void the_people_of_a_household_go_along_and_wards_of_a_guardian_do_not(UNUSED_STATE)
{
	struct id h = add_alone("household");
	struct id p = add(north, "person", "household", &h, NULL, NULL);
	struct id c = add(north, "case_file", "person", &p, NULL, NULL);

	(void)add(north, "person", "guardian", &p, NULL, NULL);
	assert_along("household", &h, (struct id[]){p, c}, 2);
	assert_along("person", &p, &c, 1);
}

static void what_is_deleted_or_in_another_unit_stays(UNUSED_STATE)
{
	struct id p = add_alone("person");
	struct id gone = add(north, "case_file", "person", &p, NULL, NULL);

	(void)add(south, "case_file", "person", &p, NULL, NULL);
	say(north, "case_file", &gone, "deleted", ground_text("nhầm"));
	assert_along("person", &p, NULL, 0);
}

/* ---- the list ---- */

static void the_list_says_what_a_record_belongs_to(UNUSED_STATE)
{
	struct id p = add_alone("person");
	struct id c = add(north, "case_file", "person", &p, NULL, NULL);
	struct placing_list list = {.has_more = true};

	assert_ok(placing_load(g.store, &g.a, g.north, 10, &list));
	assert_int_equal(list.count, 2);
	assert_false(list.has_more);
	for (size_t i = 0; i < list.count; i++) {
		bool is_case = id_compare(&list.records[i].record.id, &c) == 0;

		assert_int_equal(list.records[i].has_owner, is_case);
		if (is_case) {
			assert_int_equal(id_compare(&list.records[i].owner, &p), 0);
			assert_true(bytes_is(list.records[i].owner_type, "person"));
		}
	}
}

static void the_list_skips_deleted_records_and_says_when_there_are_more(UNUSED_STATE)
{
	struct id ids[6];
	struct placing_list list = {.has_more = true};

	for (size_t i = 0; i < 6; i++)
		ids[i] = add_alone(i % 2 == 0 ? "person" : "household");
	for (size_t i = 0; i < 4; i++)
		say(north, i % 2 == 0 ? "person" : "household", &ids[i], "deleted",
		    ground_text("nhầm"));
	assert_ok(placing_load(g.store, &g.a, g.north, 2, &list));
	assert_int_equal(list.count, 2);
	assert_false(list.has_more);
	assert_ok(placing_load(g.store, &g.a, g.north, 1, &list));
	assert_int_equal(list.count, 1);
	assert_true(list.has_more);
	assert_ok(placing_load(g.store, &g.a, g.south, 1, &list));
	assert_int_equal(list.count, 0);
	assert_false(list.has_more);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_persons_case_and_its_steps_go_along),
		CASE(a_case_goes_with_its_person_and_not_with_its_worker),
		CASE(the_people_of_a_household_go_along_and_wards_of_a_guardian_do_not),
		CASE(what_is_deleted_or_in_another_unit_stays),
		CASE(the_list_says_what_a_record_belongs_to),
		CASE(the_list_skips_deleted_records_and_says_when_there_are_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
