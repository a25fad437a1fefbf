/* account add, list, reset, remove, units, role over a real store. */
#include "daemon/account.h"
#include "daemon/password.h"
#include "tests/unit/admin_office.h"

static struct account load(const char *name)
{
	struct account a = {0};

	assert_ok(store_begin(office.writer));
	assert_ok(account_load(office.writer, &office.arena, bytes_str(name), &a));
	store_rollback(office.writer);
	return a;
}

static void assert_opens(const char *name, const char *password, bool want)
{
	const struct account a = load(name);
	bool is_right = !want;

	assert_ok(password_check(&a.password, bytes_str(password), &is_right));
	assert_int_equal(is_right, want);
}

static void an_account_gets_a_password_that_must_be_changed(UNUSED_STATE)
{
	json_t *made = result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\"}");
	struct account a = load("Lan");

	assert_has_keys(made, "name role cleared password address fingerprint");
	assert_int_equal(a.role, ROLE_REVIEWER);
	assert_true(a.must_change);
	assert_false(a.is_cleared);
	assert_opens("Lan", text_of(made, "password"), true);
	assert_opens("Lan", "k3m9-0000-0000-0000-0000", false);
	json_decref(made);
}

static void the_password_is_nowhere_but_in_the_answer(UNUSED_STATE)
{
	json_t *made = result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\"}");
	json_t *rows = result_of("audit list", "{}");
	json_t *accounts = result_of("account list", "{}");
	char *audit = json_dumps(rows, 0);
	char *list = json_dumps(accounts, 0);

	assert_int_equal(audit_count("account add"), 1);
	assert_null(strstr(audit, text_of(made, "password")));
	assert_null(strstr(list, text_of(made, "password")));
	assert_null(strstr(list, "hash"));
	free(audit);
	free(list);
	json_decref(accounts);
	json_decref(rows);
	json_decref(made);
}

static void names_are_text_of_one_form(UNUSED_STATE)
{
	/* "Hà" decomposed. */
	json_t *made = result_of("account add", "{\"name\":\"Ha\\u0300\",\"role\":\"auditor\","
						"\"clearance\":\"restricted\"}");

	assert_string_equal(text_of(made, "name"), "H\xc3\xa0");
	assert_true(load("H\xc3\xa0").is_cleared);
	json_decref(made);
	assert_refused("account add", "{\"name\":\"H\xc3\xa0\",\"role\":\"auditor\"}", ERR_CONFLICT,
		       "account reset");
	assert_refused("account add", "{\"role\":\"auditor\"}", ERR_INVAL, "name");
	assert_refused("account add", "{\"name\":\" Lan\",\"role\":\"auditor\"}", ERR_INVAL,
		       "blanks");
	assert_refused("account add", "{\"name\":\"L\\u0007n\",\"role\":\"auditor\"}", ERR_INVAL,
		       "blanks");
	assert_refused(
		"account add",
		"{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123"
		"4\",\"role\":\"auditor\"}",
		ERR_INVAL, "64");
	assert_refused("account add", "{\"name\":\"Lan\",\"role\":\"boss\"}", ERR_INVAL,
		       "reviewer");
	assert_refused("account add",
		       "{\"name\":\"Lan\",\"role\":\"auditor\",\"clearance\":\"all\"}", ERR_INVAL,
		       "restricted");
	assert_refused("account add", "{\"name\":\"Lan\"}", ERR_INVAL, "role");
}

static void account_list_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *rows;

	json_decref(result_of("account add", "{\"name\":\"Minh\",\"role\":\"reporter\"}"));
	json_decref(result_of("account add", "{\"name\":\"Lan\",\"role\":\"administrator\"}"));
	rows = result_of("account list", "{}");
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(text_of(json_array_get(rows, 0), "name"), "Lan");
	assert_has_keys(json_array_get(rows, 0),
			"name role cleared must_change made_at changed_at login_at");
	json_decref(rows);
}

static void a_reset_makes_a_new_password(UNUSED_STATE)
{
	json_t *made = result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\"}");
	json_t *again = result_of("account reset", "{\"name\":\"Lan\"}");

	assert_opens("Lan", text_of(made, "password"), false);
	assert_opens("Lan", text_of(again, "password"), true);
	assert_int_equal(audit_count("account reset"), 1);
	json_decref(again);
	json_decref(made);
	assert_refused("account reset", "{\"name\":\"Minh\"}", ERR_NOTFOUND, "account list");
}

/* Whoever has the password of a cleared account could read what that one may. */
static void without_a_clearance_nobody_gets_a_cleared_accounts_password(UNUSED_STATE)
{
	json_t *made = result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\","
						"\"clearance\":\"restricted\"}");
	const struct admin_command *c = admin_find("account reset");
	struct admin_call call = {.ctx = &office.ctx,
				  .store = office.writer,
				  .caller = {.name = "account:Minh", .is_uncleared = true},
				  .arena = &office.arena};
	json_t *args = json_loads("{\"name\":\"Lan\"}", 0, NULL);

	call.args = args;
	assert_ok(admin_prepare(c, &call));
	assert_ok(store_begin(office.writer));
	assert_err(admin_run(c, &call), ERR_AUTH);
	store_rollback(office.writer);
	assert_opens("Lan", text_of(made, "password"), true);
	admin_call_clear(&call);
	json_decref(args);
	json_decref(made);
}

static void a_removed_account_is_gone(UNUSED_STATE)
{
	json_t *rows;

	json_decref(result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\"}"));
	json_decref(result_of("account remove", "{\"name\":\"Lan\"}"));
	rows = result_of("account list", "{}");
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
	assert_int_equal(audit_count("account remove"), 1);
	assert_refused("account remove", "{\"name\":\"Lan\"}", ERR_NOTFOUND, "account list");
}

static json_t *called_by(const char *command, const char *args, const struct admin_caller *who,
			 enum err want)
{
	const struct admin_command *c = admin_find(command);
	struct admin_call call = {
		.ctx = &office.ctx, .store = office.writer, .caller = *who, .arena = &office.arena};
	json_t *j = json_loads(args, 0, NULL);
	json_t *result;

	call.args = j;
	assert_ok(admin_prepare(c, &call));
	assert_ok(store_begin(office.writer));
	assert_err(admin_run(c, &call), want);
	store_rollback(office.writer);
	result = json_incref(call.result);
	admin_call_clear(&call);
	json_decref(j);
	return result;
}

/* How many rows `device list` has for the account, as what its login was before. */
static size_t devices_seen(const char *name, bool is_bound)
{
	const struct admin_caller who = {.name = "account", .account = name, .is_bound = is_bound};
	json_t *rows = called_by("device list", "{}", &who, ERR_OK);
	size_t count = json_array_size(rows);

	json_decref(rows);
	return count;
}

/* Where nothing is there to ask about, nothing is told; it is not refused as one that never asked.
 */
static void an_account_with_units_lists_what_is_not_there_yet(UNUSED_STATE)
{
	static const struct {
		const char *command;
		const char *args;
	} lists[] = {{"board", "{}"},
		     {"unit placing", "{}"},
		     {"unit list", "{}"},
		     {"unit list", "{\"on\":\"1990-01-01\"}"},
		     {"device list", "{}"},
		     {"log", "{}"},
		     {"missing", "{}"},
		     {"conflict list", "{}"},
		     {"conflict list", "{\"decided\":true}"},
		     {"quarantine list", "{}"},
		     {"quarantine list", "{\"decided\":true}"},
		     {"duplicate list", "{}"},
		     {"duplicate list", "{\"distinct\":true}"},
		     {"report frozen", "{}"}};
	const struct admin_caller who = {.name = "account", .account = "Lan", .is_bound = true};

	json_decref(result_of("account add",
			      "{\"name\":\"Lan\",\"role\":\"reviewer\",\"units\":[\"25201\"]}"));
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		print_message("%s %s\n", lists[i].command, lists[i].args);
		json_decref(called_by(lists[i].command, lists[i].args, &who, ERR_OK));
	}
}

static void units_are_changed_and_what_they_were_is_in_the_audit(UNUSED_STATE)
{
	json_t *given;
	json_t *audit;
	const json_t *detail;

	json_decref(result_of("account add",
			      "{\"name\":\"Lan\",\"role\":\"reviewer\",\"units\":[\"25195\"]}"));
	assert_int_equal(devices_seen("Lan", true), 2);
	given = result_of("account units", "{\"name\":\"Lan\",\"units\":[\"25198\",\"25201\"]}");
	assert_has_keys(given, "name role cleared units");
	assert_int_equal(json_array_size(json_object_get(given, "units")), 2);
	assert_int_equal(load("Lan").unit_count, 2);
	/* What it had is taken away: the devices of 25195 are not there any more. */
	assert_int_equal(devices_seen("Lan", true), 0);
	audit = result_of("audit list", "{\"limit\":1}");
	detail = json_object_get(json_array_get(audit, 0), "detail");
	assert_string_equal(json_string_value(json_array_get(json_object_get(detail, "was"), 0)),
			    "25195");
	assert_string_equal(json_string_value(json_array_get(json_object_get(detail, "units"), 0)),
			    "25198");
	json_decref(audit);
	json_decref(given);
}

static void all_units_are_the_whole_office(UNUSED_STATE)
{
	json_decref(result_of("account add",
			      "{\"name\":\"Lan\",\"role\":\"reviewer\",\"units\":[\"25198\"]}"));
	json_decref(result_of("account units", "{\"name\":\"Lan\",\"all\":true}"));
	assert_int_equal(load("Lan").unit_count, 0);
	assert_int_equal(devices_seen("Lan", false), 2);
}

static void units_that_cannot_be_leave_the_account_as_it_was(UNUSED_STATE)
{
	json_decref(result_of("account add",
			      "{\"name\":\"Lan\",\"role\":\"reviewer\",\"units\":[\"25195\"]}"));
	assert_refused("account units", "{\"name\":\"Lan\",\"units\":[\"25198\",\"00001\"]}",
		       ERR_NOTFOUND, "00001");
	assert_refused("account units", "{\"name\":\"Lan\",\"units\":[]}", ERR_INVAL, "64");
	assert_refused("account units", "{\"name\":\"Lan\",\"units\":[\"25198\"],\"all\":true}",
		       ERR_INVAL, "all");
	assert_refused("account units", "{\"name\":\"Lan\"}", ERR_INVAL, "units");
	assert_refused("account units", "{\"name\":\"Minh\",\"all\":true}", ERR_NOTFOUND,
		       "account list");
	assert_int_equal(load("Lan").unit_count, 1);
	assert_int_equal(devices_seen("Lan", true), 2);
}

static void a_role_is_changed_and_what_it_was_is_in_the_audit(UNUSED_STATE)
{
	json_t *given;
	json_t *audit;

	json_decref(result_of("account add",
			      "{\"name\":\"Lan\",\"role\":\"reviewer\",\"units\":[\"25195\"]}"));
	given = result_of("account role", "{\"name\":\"Lan\",\"role\":\"auditor\"}");
	assert_string_equal(text_of(given, "role"), "auditor");
	assert_int_equal(load("Lan").role, ROLE_AUDITOR);
	assert_int_equal(load("Lan").unit_count, 1);
	audit = result_of("audit list", "{\"limit\":1}");
	assert_string_equal(text_of(json_object_get(json_array_get(audit, 0), "detail"), "was"),
			    "reviewer");
	json_decref(audit);
	json_decref(given);
	assert_refused("account role", "{\"name\":\"Lan\",\"role\":\"boss\"}", ERR_INVAL,
		       "reviewer");
	assert_refused("account role", "{\"name\":\"Minh\",\"role\":\"auditor\"}", ERR_NOTFOUND,
		       "account list");
	assert_int_equal(load("Lan").role, ROLE_AUDITOR);
}

/* What was on its way when the account was changed does not happen: it was let in for another. */
static void a_call_let_in_for_what_the_account_was_is_refused(UNUSED_STATE)
{
	const struct role_holder reviewer = {.role = ROLE_REVIEWER};
	const struct role_holder cleared = {.role = ROLE_REPORTER, .is_cleared = true};
	const struct role_holder reporter = {.role = ROLE_REPORTER};
	struct admin_caller who = {.name = "account", .account = "Lan", .holder = &reviewer};

	json_decref(result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\"}"));
	json_decref(called_by("device list", "{}", &who, ERR_OK));
	json_decref(result_of("account role", "{\"name\":\"Lan\",\"role\":\"reporter\"}"));
	assert_null(called_by("device list", "{}", &who, ERR_AUTH));
	who.holder = &cleared;
	assert_null(called_by("device list", "{}", &who, ERR_AUTH));
	who.holder = &reporter;
	json_decref(called_by("device list", "{}", &who, ERR_OK));
	/* Given units meanwhile: it was let in to see all. */
	json_decref(result_of("account units", "{\"name\":\"Lan\",\"units\":[\"25195\"]}"));
	assert_null(called_by("device list", "{}", &who, ERR_AUTH));
}

static void without_a_clearance_nobody_changes_a_cleared_account(UNUSED_STATE)
{
	const struct admin_caller who = {.name = "account:Minh", .is_uncleared = true};

	json_decref(result_of("account add", "{\"name\":\"Lan\",\"role\":\"reporter\","
					     "\"clearance\":\"restricted\"}"));
	assert_null(called_by("account role", "{\"name\":\"Lan\",\"role\":\"auditor\"}", &who,
			      ERR_AUTH));
	assert_null(called_by("account units", "{\"name\":\"Lan\",\"all\":true}", &who, ERR_AUTH));
	/* The control: one who holds the socket may. */
	json_decref(result_of("account role", "{\"name\":\"Lan\",\"role\":\"auditor\"}"));
}

/* What `query` may see is a list; accounts are not on it. */
static void queries_do_not_see_accounts(UNUSED_STATE)
{
	json_decref(result_of("account add", "{\"name\":\"Lan\",\"role\":\"reviewer\"}"));
	assert_refused("query", "{\"sql\":\"SELECT name FROM account\"}", ERR_AUTH, "account");
	assert_refused("query", "{\"sql\":\"SELECT name FROM account\",\"reason\":\"x\"}", ERR_AUTH,
		       "account");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(an_account_gets_a_password_that_must_be_changed),
		T(the_password_is_nowhere_but_in_the_answer),
		T(names_are_text_of_one_form),
		T(account_list_has_the_keys_of_the_reference),
		T(a_reset_makes_a_new_password),
		T(without_a_clearance_nobody_gets_a_cleared_accounts_password),
		T(a_removed_account_is_gone),
		T(an_account_with_units_lists_what_is_not_there_yet),
		T(units_are_changed_and_what_they_were_is_in_the_audit),
		T(all_units_are_the_whole_office),
		T(units_that_cannot_be_leave_the_account_as_it_was),
		T(a_role_is_changed_and_what_it_was_is_in_the_audit),
		T(a_call_let_in_for_what_the_account_was_is_refused),
		T(without_a_clearance_nobody_changes_a_cleared_account),
		T(queries_do_not_see_accounts),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
