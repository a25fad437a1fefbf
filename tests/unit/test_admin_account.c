/* account add, list, reset, remove over a real store. */
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
		T(queries_do_not_see_accounts),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
