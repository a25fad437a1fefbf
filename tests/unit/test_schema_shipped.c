/* What the programme's own schema has: its types, and what in them is restricted. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/crypt.h"
#include "common/model/record.h"
#include "common/model/schema.h"

static struct schema *loaded;

static struct schema *load_shipped(void)
{
	char path[4096];
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema *s = NULL;

	(void)snprintf(path, sizeof path, "%s/schema", getenv("CTXH_SOURCE_DIR"));
	if (schema_load_folder(path, &s, error) != ERR_OK)
		fail_msg("%s", error);
	return s;
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

static void assert_bytes(struct bytes got, const char *want)
{
	if (!bytes_is(got, want))
		fail_msg("\"%.*s\" is not \"%s\"", BYTES_FMT(got), want);
}

static void the_shipped_schema_loads(UNUSED_STATE)
{
	static const char *const types[] = {
		"allowance",
		"assessment",
		"budget_line",
		"care_plan",
		"case_file",
		"case_member",
		"collaborator_payment",
		"committee_member",
		"communication",
		"consent",
		"contact",
		"denominator",
		"disability",
		"document",
		"emergency_event",
		"facility",
		"hiv_record",
		"household",
		"household_poverty",
		"identity_doc",
		"incident",
		"informant",
		"intervention",
		"organisation",
		"person",
		"person_category",
		"plan_activity",
		"plan_review",
		"rate",
		"referral",
		"report_text",
		"retention_rule",
		"service_model",
		"shelter_address",
		"stay",
		"subject_request",
		"supervision",
		"target",
		"training",
		"training_attendance",
		"worker",
		"worker_assignment",
	};

	loaded = load_shipped();

	assert_int_equal(loaded->type_count, sizeof types / sizeof types[0]);
	for (size_t i = 0; i < loaded->type_count; i++)
		assert_bytes(loaded->types[i].name, types[i]);
	assert_int_equal(loaded->indicator_count, 35);
}

static void every_shipped_type_has_a_title(UNUSED_STATE)
{
	loaded = load_shipped();

	for (size_t i = 0; i < loaded->type_count; i++) {
		bool has_title = false;

		for (size_t j = 0; j < loaded->types[i].count; j++)
			has_title |= loaded->types[i].fields[j].is_title;
		if (!has_title)
			fail_msg("%.*s has no title", BYTES_FMT(loaded->types[i].name));
	}
}

/* What could tell of HIV, sexual abuse, trafficking, a shelter, an informant. */
static void every_code_that_could_betray_is_restricted(UNUSED_STATE)
{
	static const char *const secret[][2] = {
		{"beneficiary_category", "K3A"},   {"beneficiary_category", "K3B"},
		{"beneficiary_category", "K8"},    {"child_special_group", "05"},
		{"child_special_group", "11"},     {"child_special_group", "12"},
		{"priority_child_group", "3"},     {"category_scheme", "hiv"},
		{"category_scheme", "trafficked"}, {"category_scheme", "sexual_abuse"},
		{"harm_kind", "sexual_abuse"},     {"harm_kind", "trafficking"},
		{"stay_kind", "shelter"},          {"assistance_kind", "SHELTER"},
	};

	loaded = load_shipped();

	for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++) {
		const struct schema_code *c = schema_find_code(
			schema_find_list(loaded, bytes_str(secret[i][0])), bytes_str(secret[i][1]));

		if (c == NULL || c->sensitivity != SENSITIVITY_RESTRICTED)
			fail_msg("%s %s is not restricted", secret[i][0], secret[i][1]);
	}
	assert_int_equal(type_of(loaded, "hiv_record")->sensitivity, SENSITIVITY_RESTRICTED);
	assert_int_equal(type_of(loaded, "informant")->sensitivity, SENSITIVITY_RESTRICTED);
	assert_int_equal(type_of(loaded, "shelter_address")->sensitivity, SENSITIVITY_RESTRICTED);
}

static struct record one_field(const char *type, struct field *f, const char *name,
			       const char *text)
{
	*f = (struct field){.name = bytes_str(name),
			    .value = text != NULL ? value_text(bytes_str(text)) : VALUE_NONE};
	return (struct record){.type = bytes_str(type), .fields = f, .count = 1};
}

static void a_record_is_restricted_by_type_or_code(UNUSED_STATE)
{
	struct field f;
	struct record r;

	loaded = load_shipped();

	r = one_field("person", &f, "full_name", "An");
	assert_false(schema_is_restricted(loaded, &r));
	r = one_field("hiv_record", &f, "note", "x");
	assert_true(schema_is_restricted(loaded, &r));
	r = one_field("person_category", &f, "nd20_code", "K6A");
	assert_false(schema_is_restricted(loaded, &r));
	r = one_field("person_category", &f, "nd20_code", "K8");
	assert_true(schema_is_restricted(loaded, &r));
	r = one_field("contact", &f, "harm", "neglect,poverty");
	assert_false(schema_is_restricted(loaded, &r));
	r = one_field("contact", &f, "harm", "neglect,sexual_abuse");
	assert_true(schema_is_restricted(loaded, &r));
	r = one_field("contact", &f, "harm", "unheard_of");
	assert_false(schema_is_restricted(loaded, &r));
	r = one_field("contact", &f, "harm", NULL);
	assert_false(schema_is_restricted(loaded, &r));
	/* Nobody can say what is in it. */
	r = one_field("from_the_future", &f, "a", "b");
	assert_true(schema_is_restricted(loaded, &r));
}

/* Printed, never asserted: machines differ. */
static void loading_the_shipped_schema_is_quick(UNUSED_STATE)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		int64_t start = clock_monotonic_ms(clock_system());
		struct schema *s = load_shipped();
		int64_t took = clock_monotonic_ms(clock_system()) - start;

		best = took < best ? took : best;
		schema_free(s);
	}
	print_message("schema loaded in %lld ms\n", (long long)best);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_teardown(name, unload)
		CASE(the_shipped_schema_loads),
		CASE(every_shipped_type_has_a_title),
		CASE(every_code_that_could_betray_is_restricted),
		CASE(a_record_is_restricted_by_type_or_code),
		CASE(loading_the_shipped_schema_is_quick),
	};

	if (crypt_init() != ERR_OK)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
