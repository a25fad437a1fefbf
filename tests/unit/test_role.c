/* Which role may call what: every command has an entry, and what has none is nobody's. */
#include "tests/unit/test.h"

#include "daemon/admin.h"
#include "daemon/role.h"

static json_t *no_args;

static int setup(UNUSED_STATE)
{
	no_args = json_object();
	return 0;
}

static int teardown(UNUSED_STATE)
{
	json_decref(no_args);
	return 0;
}

static bool may(enum role role, const char *command)
{
	const struct role_holder who = {.role = role, .is_cleared = true};

	return role_may(&who, command, no_args) == ROLE_MAY;
}

static void every_command_has_an_entry(UNUSED_STATE)
{
	const struct admin_command *c;
	size_t count = 0;

	for (; (c = admin_command_at(count)) != NULL; count++) {
		if (!role_knows(c->name))
			print_error("no entry in role.c: %s\n", c->name);
		assert_true(role_knows(c->name));
		/* The administrator's is the whole table. */
		assert_true(may(ROLE_ADMINISTRATOR, c->name));
	}
	assert_true(count > 40);
}

static void a_command_without_an_entry_is_nobodys(UNUSED_STATE)
{
	assert_false(role_knows("record invent"));
	for (unsigned role = 0; role < ROLES; role++) {
		assert_false(may((enum role)role, "record invent"));
		assert_false(may((enum role)role, ""));
		assert_false(may((enum role)role, "status "));
	}
}

static void who_reads_never_writes(UNUSED_STATE)
{
	const struct admin_command *c;

	for (size_t i = 0; (c = admin_command_at(i)) != NULL; i++) {
		if (!c->is_write)
			continue;
		if (may(ROLE_REPORTER, c->name) || may(ROLE_AUDITOR, c->name))
			print_error("%s writes\n", c->name);
		assert_false(may(ROLE_REPORTER, c->name));
		assert_false(may(ROLE_AUDITOR, c->name));
	}
}

static void each_role_has_its_work_and_not_the_others(UNUSED_STATE)
{
	assert_true(may(ROLE_REVIEWER, "conflict restore"));
	assert_true(may(ROLE_REVIEWER, "quarantine discard"));
	assert_false(may(ROLE_REVIEWER, "account add"));
	assert_false(may(ROLE_REVIEWER, "erase"));
	assert_false(may(ROLE_REVIEWER, "device invite"));
	assert_false(may(ROLE_REVIEWER, "query"));
	assert_true(may(ROLE_REPORTER, "report run"));
	assert_true(may(ROLE_REPORTER, "report freeze"));
	assert_false(may(ROLE_REVIEWER, "report freeze"));
	assert_false(may(ROLE_AUDITOR, "report freeze"));
	assert_false(may(ROLE_REPORTER, "record show"));
	assert_false(may(ROLE_REPORTER, "log show"));
	assert_false(may(ROLE_REPORTER, "conflict list"));
	assert_true(may(ROLE_AUDITOR, "audit list"));
	assert_true(may(ROLE_AUDITOR, "record show"));
	assert_false(may(ROLE_REPORTER, "audit list"));
}

static enum role_answer with(bool is_cleared, const char *command, const char *args)
{
	json_t *j = json_loads(args, 0, NULL);
	const struct role_holder who = {.role = ROLE_ADMINISTRATOR, .is_cleared = is_cleared};
	enum role_answer answer = role_may(&who, command, j);

	json_decref(j);
	return answer;
}

static void restricted_data_needs_a_clearance_beside_the_role(UNUSED_STATE)
{
	assert_int_equal(with(false, "record show", "{\"record\":\"ab\"}"), ROLE_MAY);
	assert_int_equal(with(false, "record show", "{\"record\":\"ab\",\"reason\":\"x\"}"),
			 ROLE_NEEDS_CLEARANCE);
	assert_int_equal(with(true, "record show", "{\"record\":\"ab\",\"reason\":\"x\"}"),
			 ROLE_MAY);
	assert_int_equal(with(false, "device invite", "{\"clearance\":\"restricted\"}"),
			 ROLE_NEEDS_CLEARANCE);
	assert_int_equal(with(false, "account add", "{\"clearance\":\"restricted\"}"),
			 ROLE_NEEDS_CLEARANCE);
	/* Whatever kind of value it is: a handler may take it for one. */
	assert_int_equal(with(false, "record show", "{\"reason\":1}"), ROLE_NEEDS_CLEARANCE);
	assert_int_equal(with(false, "record show", "{\"reason\":null}"), ROLE_MAY);
}

static enum role_answer bound(enum role role, const char *command)
{
	const struct role_holder who = {.role = role, .is_cleared = true, .is_bound = true};

	return role_may(&who, command, no_args);
}

static void an_account_with_units_has_nothing_of_the_whole_office(UNUSED_STATE)
{
	static const char *const office[] = {
		"status",        "health",        "query",        "verify",      "audit list",
		"backup list",   "erase",         "account list", "account add", "unit import",
		"import accept", "account units", "account role"};

	for (size_t i = 0; i < sizeof office / sizeof office[0]; i++) {
		assert_int_equal(bound(ROLE_ADMINISTRATOR, office[i]), ROLE_NOT_IN_UNITS);
		assert_false(role_keeps_to_units(office[i]));
	}
	assert_int_equal(bound(ROLE_ADMINISTRATOR, "device invite"), ROLE_MAY);
	assert_int_equal(bound(ROLE_REVIEWER, "conflict restore"), ROLE_MAY);
	/* What the role may not, the units do not give. */
	assert_int_equal(bound(ROLE_REVIEWER, "device invite"), ROLE_MAY_NOT);
	assert_int_equal(bound(ROLE_REVIEWER, "account list"), ROLE_MAY_NOT);
	assert_int_equal(bound(ROLE_ADMINISTRATOR, "record invent"), ROLE_MAY_NOT);
}

/* Of all others nothing is known to have nothing of a unit in it. */
static void every_other_command_keeps_to_the_units(UNUSED_STATE)
{
	const struct admin_command *c;

	for (size_t i = 0; (c = admin_command_at(i)) != NULL; i++) {
		if (bound(ROLE_ADMINISTRATOR, c->name) != ROLE_MAY ||
		    strcmp(c->name, "types") == 0 || strcmp(c->name, "report list") == 0)
			continue;
		assert_true(role_keeps_to_units(c->name));
	}
}

static void roles_have_names(UNUSED_STATE)
{
	enum role role = ROLE_AUDITOR;

	assert_true(role_parse(BYTES_LIT("reviewer"), &role));
	assert_int_equal(role, ROLE_REVIEWER);
	assert_false(role_parse(BYTES_LIT("Reviewer"), &role));
	assert_false(role_parse(BYTES_LIT(""), &role));
	assert_string_equal(role_name(ROLE_ADMINISTRATOR), "administrator");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(every_command_has_an_entry),
		T(a_command_without_an_entry_is_nobodys),
		T(who_reads_never_writes),
		T(each_role_has_its_work_and_not_the_others),
		T(restricted_data_needs_a_clearance_beside_the_role),
		T(an_account_with_units_has_nothing_of_the_whole_office),
		T(every_other_command_keeps_to_the_units),
		T(roles_have_names),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
