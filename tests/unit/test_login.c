/* Logins of the console, with a clock of the test's. */
#include "tests/unit/test.h"

#include <stdio.h>
#include <string.h>

#include "common/base/id.h"
#include "daemon/login.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static const struct login_limits limits = {.idle_ms = 30 * MINUTE, .life_ms = 12 * HOUR};
static struct logins *logins;

static int setup(UNUSED_STATE)
{
	logins = logins_new(rand_system());
	return 0;
}

static int teardown(UNUSED_STATE)
{
	logins_free(logins);
	return 0;
}

static const struct login *begin(const char *name, int64_t now, char token[LOGIN_TOKEN_LEN])
{
	const struct account account = {.name = bytes_str(name), .role = ROLE_REVIEWER};

	return logins_begin(logins, &account, BYTES_NONE, now, token);
}

static void a_login_is_known_by_its_token_alone(UNUSED_STATE)
{
	char token[LOGIN_TOKEN_LEN];
	char other[LOGIN_TOKEN_LEN];
	const struct login *g = begin("Lan", 0, token);

	assert_string_equal(g->name, "Lan");
	assert_int_equal(g->holder.role, ROLE_REVIEWER);
	assert_ptr_equal(logins_use(logins, token, &limits, MINUTE), g);
	/* Neither what is kept of it nor what pages are given is the token. */
	assert_string_not_equal(g->csrf, token);
	hex_print(g->token.bytes, sizeof g->token.bytes, other);
	assert_string_not_equal(other, token);
	assert_null(logins_use(logins, other, &limits, MINUTE));
	assert_null(logins_use(logins, g->csrf, &limits, MINUTE));
	assert_null(logins_use(logins, "", &limits, MINUTE));
	token[0] = token[0] == '0' ? '1' : '0';
	assert_null(logins_use(logins, token, &limits, MINUTE));
}

static void tokens_are_never_the_same(UNUSED_STATE)
{
	char a[LOGIN_TOKEN_LEN];
	char b[LOGIN_TOKEN_LEN];
	char csrf[LOGIN_TOKEN_LEN];

	snprintf(csrf, sizeof csrf, "%s", begin("Lan", 0, a)->csrf);
	assert_string_not_equal(begin("Lan", 0, b)->csrf, csrf);
	assert_string_not_equal(a, b);
}

static void an_idle_login_ends_and_work_keeps_it(UNUSED_STATE)
{
	char token[LOGIN_TOKEN_LEN];

	begin("Lan", 0, token);
	assert_non_null(logins_use(logins, token, &limits, 30 * MINUTE - 1));
	assert_non_null(logins_use(logins, token, &limits, 60 * MINUTE - 2));
	assert_null(logins_use(logins, token, &limits, 90 * MINUTE - 2));
	/* Over is over. */
	assert_null(logins_use(logins, token, &limits, 60 * MINUTE));
	assert_int_equal(logins_count(logins), 0);
}

static void work_does_not_keep_it_for_ever(UNUSED_STATE)
{
	char token[LOGIN_TOKEN_LEN];

	begin("Lan", 0, token);
	for (int64_t now = 0; now < 12 * HOUR; now += 20 * MINUTE)
		assert_non_null(logins_use(logins, token, &limits, now));
	assert_null(logins_use(logins, token, &limits, 12 * HOUR));
}

static void an_open_tab_is_no_work(UNUSED_STATE)
{
	char token[LOGIN_TOKEN_LEN];
	uint64_t serial = begin("Lan", 0, token)->serial;

	assert_non_null(logins_look(logins, serial, &limits, 29 * MINUTE));
	assert_null(logins_look(logins, serial, &limits, 30 * MINUTE));
	assert_null(logins_use(logins, token, &limits, 31 * MINUTE));
	assert_null(logins_look(logins, serial + 1, &limits, 0));
}

static void signing_out_ends_one_a_changed_account_all_of_its_own(UNUSED_STATE)
{
	char a[LOGIN_TOKEN_LEN];
	char b[LOGIN_TOKEN_LEN];
	char c[LOGIN_TOKEN_LEN];
	uint64_t first = begin("Lan", 0, a)->serial;

	begin("Lan", 0, b);
	begin("Lan Anh", 0, c);
	logins_end(logins, first);
	assert_null(logins_use(logins, a, &limits, 0));
	assert_non_null(logins_use(logins, b, &limits, 0));
	logins_end_account(logins, "Lan");
	assert_null(logins_use(logins, b, &limits, 0));
	assert_non_null(logins_use(logins, c, &limits, 0));
}

static void a_changed_account_goes_on_as_what_it_is_now(UNUSED_STATE)
{
	const struct role_holder now = {.role = ROLE_REPORTER, .is_bound = true};
	char lan[LOGIN_TOKEN_LEN];
	char anh[LOGIN_TOKEN_LEN];
	const struct login *g;

	begin("Lan", 0, lan);
	begin("Lan Anh", 0, anh);
	logins_change_account(logins, "Lan", &now, BYTES_LIT("25195"));

	g = logins_use(logins, lan, &limits, 0);
	assert_non_null(g);
	assert_int_equal(g->holder.role, ROLE_REPORTER);
	assert_true(g->holder.is_bound);
	assert_string_equal(g->units, "25195");
	/* The control: nobody else. */
	g = logins_use(logins, anh, &limits, 0);
	assert_int_equal(g->holder.role, ROLE_REVIEWER);
	assert_false(g->holder.is_bound);
	assert_string_equal(g->units, "");
}

static void one_account_takes_no_more_than_its_share(UNUSED_STATE)
{
	char tokens[LOGIN_ACCOUNT_MAX + 1][LOGIN_TOKEN_LEN];
	char other[LOGIN_TOKEN_LEN];

	begin("Minh", 0, other);
	for (unsigned i = 0; i <= LOGIN_ACCOUNT_MAX; i++)
		begin("Lan", MINUTE + i, tokens[i]);
	assert_int_equal(logins_count(logins), LOGIN_ACCOUNT_MAX + 1);
	assert_null(logins_use(logins, tokens[0], &limits, 2 * MINUTE));
	assert_non_null(logins_use(logins, tokens[1], &limits, 2 * MINUTE));
	assert_non_null(logins_use(logins, other, &limits, 2 * MINUTE));
}

static void there_are_never_more_than_the_limit(UNUSED_STATE)
{
	char first[LOGIN_TOKEN_LEN];
	char token[LOGIN_TOKEN_LEN];

	begin("0", 0, first);
	for (unsigned i = 1; i <= LOGIN_MAX; i++) {
		char name[16];

		snprintf(name, sizeof name, "%u", i);
		begin(name, i, token);
	}
	assert_int_equal(logins_count(logins), LOGIN_MAX);
	assert_null(logins_use(logins, first, &limits, LOGIN_MAX));
	assert_non_null(logins_use(logins, token, &limits, LOGIN_MAX));
}

/* Half a code may be another commune's. */
static void units_that_do_not_fit_are_cut_between_codes(UNUSED_STATE)
{
	const struct account account = {.name = BYTES_LIT("Lan"), .role = ROLE_REVIEWER};
	AUTO(buf_clear) struct buf codes = {0};
	char token[LOGIN_TOKEN_LEN];
	const struct login *g;
	size_t len;

	for (unsigned i = 0; i < ACCOUNT_UNITS; i++)
		buf_printf(&codes, "%s%05u", i != 0 ? ", " : "", 25195 + i);
	g = logins_begin(logins, &account, buf_bytes(&codes), 0, token);
	len = strlen(g->units) - strlen("…");
	assert_string_equal(g->units + len, "…");
	assert_memory_equal(g->units, codes.data, len);
	assert_int_equal(len % strlen("25195, "), 0);
	assert_true(len + strlen("25195, …") >= LOGIN_UNITS_LEN);

	/* The control: what fits is whole. */
	g = logins_begin(logins, &account, BYTES_LIT("25195, 25198"), 0, token);
	assert_string_equal(g->units, "25195, 25198");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_login_is_known_by_its_token_alone),
		T(tokens_are_never_the_same),
		T(an_idle_login_ends_and_work_keeps_it),
		T(work_does_not_keep_it_for_ever),
		T(an_open_tab_is_no_work),
		T(signing_out_ends_one_a_changed_account_all_of_its_own),
		T(a_changed_account_goes_on_as_what_it_is_now),
		T(one_account_takes_no_more_than_its_share),
		T(there_are_never_more_than_the_limit),
		T(units_that_do_not_fit_are_cut_between_codes),
#undef T
	};

	if (crypt_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
