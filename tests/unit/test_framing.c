#include "tests/unit/test.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/framing.h"

struct pair {
	const char *name;
	const char *value;
};

static struct framing of(const struct pair *pairs)
{
	struct framing f = {0};

	for (; pairs->name != NULL; pairs++)
		framing_header(&f, pairs->name, pairs->value);
	return f;
}

#define OF(...) of((const struct pair[]){__VA_ARGS__, {NULL, NULL}})

static void one_length_is_plain(UNUSED_STATE)
{
	struct framing f = OF({"Host", "a"}, {"content-length", "42"});

	assert_false(framing_is_doubtful(&f));
	assert_false(framing_is_chunked(&f));
	assert_int_equal(f.length, 42);
}

static void chunks_alone_are_plain(UNUSED_STATE)
{
	struct framing f = OF({"Transfer-Encoding", "Chunked"});

	assert_false(framing_is_doubtful(&f));
	assert_true(framing_is_chunked(&f));
}

static void lengths_are_digits_that_fit(UNUSED_STATE)
{
	static const char *const bad[] = {
		"", "+6", "-1", " 6", "6 ", "0x6", "6,6", "6a", "9999999999999999999"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct framing f = OF({"Content-Length", bad[i]});

		assert_true(framing_is_doubtful(&f));
	}
	assert_int_equal((OF({"Content-Length", "999999999999999999"})).length, 999999999999999999);
}

static void two_of_what_may_be_once_are_doubtful(UNUSED_STATE)
{
	struct framing lengths = OF({"Content-Length", "6"}, {"Content-Length", "6"});
	struct framing codings =
		OF({"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"});
	struct framing hosts = OF({"Host", "a"}, {"Host", "a"});
	struct framing both = OF({"Content-Length", "6"}, {"Transfer-Encoding", "chunked"});

	assert_true(framing_is_doubtful(&lengths));
	assert_true(framing_is_doubtful(&codings));
	assert_true(framing_is_doubtful(&hosts));
	assert_true(framing_is_doubtful(&both));
}

static void odd_names_and_values_are_doubtful(UNUSED_STATE)
{
	struct framing blank = OF({"Content-Length ", "6"});
	struct framing empty = OF({"", "x"});
	struct framing control = OF({"X", "a\x01"});
	struct framing tab = OF({"X", "a\tb"});
	struct framing utf8 = OF({"X", "Điểu"});

	assert_true(framing_is_doubtful(&blank));
	assert_true(framing_is_doubtful(&empty));
	assert_true(framing_is_doubtful(&control));
	assert_false(framing_is_doubtful(&tab));
	assert_false(framing_is_doubtful(&utf8));
}

static void other_codings_are_doubtful(UNUSED_STATE)
{
	static const char *const bad[] = {"", "gzip, chunked", "identity", "xchunked",
					  "chunked, chunked"};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct framing f = OF({"Transfer-Encoding", bad[i]});

		assert_true(framing_is_doubtful(&f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_length_is_plain),
		cmocka_unit_test(chunks_alone_are_plain),
		cmocka_unit_test(lengths_are_digits_that_fit),
		cmocka_unit_test(two_of_what_may_be_once_are_doubtful),
		cmocka_unit_test(odd_names_and_values_are_doubtful),
		cmocka_unit_test(other_codings_are_doubtful),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
