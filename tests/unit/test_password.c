/* Console passwords: kept, checked, judged. */
#include "tests/unit/test.h"

#include <string.h>

#include "daemon/password.h"

#define GOOD BYTES_LIT("một câu đủ dài")

static void a_password_is_known_again_and_another_is_not(UNUSED_STATE)
{
	struct password p;
	bool is_right = false;

	assert_ok(password_make(rand_system(), GOOD, &p));

	assert_ok(password_check(&p, GOOD, &is_right));
	assert_true(is_right);
	assert_ok(password_check(&p, BYTES_LIT("một câu đủ dàj"), &is_right));
	assert_false(is_right);
	assert_ok(password_check(&p, BYTES_NONE, &is_right));
	assert_false(is_right);
}

/* "ộ" of one keyboard is o, circumflex and dot of another. */
static void the_form_of_the_letters_does_not_matter(UNUSED_STATE)
{
	struct password p;
	bool is_right = false;

	assert_ok(password_make(rand_system(), BYTES_LIT("m\xe1\xbb\x99t c\xc3\xa2u"), &p));
	assert_ok(password_check(&p, BYTES_LIT("mo\xcc\xa3\xcc\x82t ca\xcc\x82u"), &is_right));
	assert_true(is_right);
}

static void two_of_the_same_are_kept_differently(UNUSED_STATE)
{
	struct password a;
	struct password b;

	assert_ok(password_make(rand_system(), GOOD, &a));
	assert_ok(password_make(rand_system(), GOOD, &b));
	assert_memory_not_equal(a.salt, b.salt, sizeof a.salt);
	assert_memory_not_equal(a.hash, b.hash, sizeof a.hash);
}

static void nobodys_password_is_no_text_and_costs_the_same(UNUSED_STATE)
{
	struct password p = password_of_nobody();
	struct password real;
	bool is_right = true;

	assert_ok(password_check(&p, BYTES_NONE, &is_right));
	assert_false(is_right);
	assert_ok(password_check(&p, GOOD, &is_right));
	assert_false(is_right);
	assert_ok(password_make(rand_system(), GOOD, &real));
	assert_int_equal(p.passes, real.passes);
	assert_int_equal(p.memory, real.memory);
}

static void a_password_longer_than_any_is_wrong(UNUSED_STATE)
{
	char text[PASSWORD_MAX_BYTES + 2];
	struct password p;
	bool is_right = true;

	memset(text, 'a', sizeof text);
	assert_ok(password_make(rand_system(), BYTES_NONE, &p));
	assert_ok(password_check(&p, bytes_of(text, sizeof text - 1), &is_right));
	assert_false(is_right);
	assert_int_equal(password_judge(bytes_of(text, sizeof text - 1), BYTES_LIT("x")),
			 PASSWORD_TOO_LONG);
}

static void first_passwords_are_random_and_readable(UNUSED_STATE)
{
	char a[PASSWORD_FIRST_LEN];
	char b[PASSWORD_FIRST_LEN];

	password_print_first(rand_system(), a);
	password_print_first(rand_system(), b);
	assert_int_equal(strlen(a), PASSWORD_FIRST_LEN - 1);
	assert_string_not_equal(a, b);
	assert_null(strpbrk(a, "ilouILOU "));
	assert_int_equal(a[4], '-');
}

static void what_may_be_chosen(UNUSED_STATE)
{
	static const struct {
		const char *text;
		enum password_flaw flaw;
	} table[] = {
		{"", PASSWORD_TOO_SHORT},
		{"ngắn quá đi", PASSWORD_TOO_SHORT}, /* 11 characters, 15 bytes */
		{"ngắn quá đi!", PASSWORD_SOUND},
		{"aaaabbbbccccdddd", PASSWORD_TOO_PLAIN},
		{"Mật khẩu của LAN ANH đây", PASSWORD_TOO_PLAIN},
		{"một câu đủ dài", PASSWORD_SOUND},
		{"một câu\tđủ dài", PASSWORD_NOT_TEXT},
		{"m\xe1\xbbt c\xc3\xa2u d\xc3\xa0i qu\xc3", PASSWORD_NOT_TEXT},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		enum password_flaw flaw =
			password_judge(bytes_str(table[i].text), BYTES_LIT("lan anh"));

		if (flaw != table[i].flaw)
			print_error("“%s”: %d\n", table[i].text, (int)flaw);
		assert_int_equal(flaw, table[i].flaw);
		assert_int_equal(password_flaw_text(flaw)[0] == '\0', flaw == PASSWORD_SOUND);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_known_again_and_another_is_not),
		cmocka_unit_test(the_form_of_the_letters_does_not_matter),
		cmocka_unit_test(two_of_the_same_are_kept_differently),
		cmocka_unit_test(nobodys_password_is_no_text_and_costs_the_same),
		cmocka_unit_test(a_password_longer_than_any_is_wrong),
		cmocka_unit_test(first_passwords_are_random_and_readable),
		cmocka_unit_test(what_may_be_chosen),
	};

	if (crypt_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
