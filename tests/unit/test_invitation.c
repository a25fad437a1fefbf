#include "tests/unit/test.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/rand.h"
#include "proto/invitation.h"

static struct invitation sample(void)
{
	struct invitation i = {.address = "10.0.0.5:8443"};

	for (size_t n = 0; n < INVITATION_PIN_LEN; n++)
		i.pin[n] = (uint8_t)(n * 7 + 1);
	for (size_t n = 0; n < INVITATION_CODE_LEN; n++)
		i.code[n] = (uint8_t)(0xf0 - n * 11);
	return i;
}

static enum err parse(const char *text, struct invitation *ret)
{
	return invitation_parse(bytes_str(text), ret);
}

static void assert_same(const struct invitation *a, const struct invitation *b)
{
	assert_string_equal(a->address, b->address);
	assert_memory_equal(a->pin, b->pin, INVITATION_PIN_LEN);
	assert_memory_equal(a->code, b->code, INVITATION_CODE_LEN);
}

#define SAMPLE_TEXT                                                         \
	"ctxh://10.0.0.5:8443/AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM09o/" \
	"Y3JXN-KY4Q6-QA764-DG9VP-RRAP9-CN"

static void a_released_invitation_still_reads(UNUSED_STATE)
{
	struct invitation want = sample();
	struct invitation got;
	char text[LIMIT_INVITATION_BYTES];

	assert_ok(parse(SAMPLE_TEXT, &got));
	assert_same(&got, &want);
	invitation_print(&want, text);
	assert_string_equal(text, SAMPLE_TEXT);
}

static void what_is_printed_reads_back(UNUSED_STATE)
{
	uint64_t seed = rand_u64(rand_system());
	struct rand r;

	print_message("seed %llu\n", (unsigned long long)seed);
	rand_seeded_init(&r, seed);
	for (int n = 0; n < 2000; n++) {
		struct invitation want = sample();
		struct invitation got;
		char text[LIMIT_INVITATION_BYTES];

		rand_fill(&r, want.pin, sizeof want.pin);
		rand_fill(&r, want.code, sizeof want.code);
		invitation_print(&want, text);
		assert_ok(parse(text, &got));
		assert_same(&got, &want);
	}
}

/* Where the code begins in a printed invitation. */
static char *code_of(char *text)
{
	return strrchr(text, '/') + 1;
}

static void case_and_hyphens_and_letters_people_mix_up_do_not_matter(UNUSED_STATE)
{
	struct invitation want = {.address = "a:1", .code = {0, 0x42, 0x10, 0x84}};
	struct invitation got;
	char text[LIMIT_INVITATION_BYTES];
	char sloppy[LIMIT_INVITATION_BYTES] = {0};
	size_t len = 0;

	invitation_print(&want, text);
	size_t start = (size_t)(code_of(text) - text);

	for (size_t i = 0; text[i] != '\0'; i++) {
		char c = text[i];

		if (i >= start && c == '-')
			continue;
		if (i >= start && c == '0')
			c = 'o';
		if (i >= start && c == '1')
			c = i % 2 == 0 ? 'l' : 'I';
		if (i >= start && c >= 'A' && c <= 'Z' && c != 'I')
			c = (char)tolower((unsigned char)c);
		sloppy[len++] = c;
	}
	assert_ok(parse(sloppy, &got));
	assert_same(&got, &want);
}

static void blanks_around_it_do_not_matter(UNUSED_STATE)
{
	struct invitation got;

	assert_ok(parse("  \t" SAMPLE_TEXT "\r\n", &got));
}

/* ---- mistakes in the code ---- */

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static void every_single_wrong_digit_is_noticed(UNUSED_STATE)
{
	struct invitation got;
	char text[] = SAMPLE_TEXT;

	for (char *at = code_of(text); *at != '\0'; at++) {
		char right = *at;

		for (const char *digit = alphabet; *digit != '\0' && right != '-'; digit++) {
			*at = *digit;
			assert_err(parse(text, &got), *digit == right ? ERR_OK : ERR_INVAL);
		}
		*at = right;
	}
}

static void every_two_digits_exchanged_are_noticed(UNUSED_STATE)
{
	struct invitation got;
	char text[] = SAMPLE_TEXT;
	char *code = code_of(text);
	size_t len = strlen(code);

	for (size_t i = 0; i < len; i++) {
		for (size_t k = i + 1; k < len; k++) {
			if (code[i] == '-' || code[k] == '-' || code[i] == code[k])
				continue;
			char swap = code[i];

			code[i] = code[k];
			code[k] = swap;
			assert_err(parse(text, &got), ERR_INVAL);
			code[k] = code[i];
			code[i] = swap;
		}
	}
}

static void the_error_says_which_part_is_wrong_and_never_the_code(UNUSED_STATE)
{
	struct invitation got;
	char text[] = SAMPLE_TEXT;

	*code_of(text) = 'Z';
	assert_err(parse(text, &got), ERR_INVAL);
	assert_non_null(strstr(log_last_detail(), "check digit"));
	assert_null(strstr(log_last_detail(), "3JXN"));
}

static void a_code_cut_anywhere_is_refused(UNUSED_STATE)
{
	struct invitation got;
	struct bytes whole = BYTES_LIT(SAMPLE_TEXT);

	for (size_t len = 0; len < whole.len; len++)
		assert_err(invitation_parse(bytes_of(whole.data, len), &got), ERR_INVAL);
}

/* ---- mistakes elsewhere ---- */

#define PIN  "AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM09o"
#define CODE "Y3JXN-KY4Q6-QA764-DG9VP-RRAP9-CN"

struct wrong {
	const char *text;
	const char *detail; /* part of what the error says */
};

static const struct wrong wrongs[] = {
	{"", "begins with"},
	{"https://10.0.0.5:8443/" PIN "/" CODE, "begins with"},
	{"CTXH://10.0.0.5:8443/" PIN "/" CODE, "begins with"},
	{"ctxh://10.0.0.5:8443/" PIN, "cut short"},
	{"ctxh:///" PIN "/" CODE, "address"},
	{"ctxh://10.0.0.5/" PIN "/" CODE, "address"},
	{"ctxh://:8443/" PIN "/" CODE, "address"},
	{"ctxh://h:/" PIN "/" CODE, "address"},
	{"ctxh://h:0/" PIN "/" CODE, "address"},
	{"ctxh://h:08443/" PIN "/" CODE, "address"},
	{"ctxh://h:65536/" PIN "/" CODE, "address"},
	{"ctxh://h:84x3/" PIN "/" CODE, "address"},
	{"ctxh://h@x:8443/" PIN "/" CODE, "address"},
	{"ctxh://h x:8443/" PIN "/" CODE, "address"},
	{"ctxh://::1:8443/" PIN "/" CODE, "address"},
	{"ctxh://[::1]8443/" PIN "/" CODE, "address"},
	{"ctxh://[]:8443/" PIN "/" CODE, "address"},
	{"ctxh://[g::1]:8443/" PIN "/" CODE, "address"},
	{"ctxh://h:8443/" PIN "A/" CODE, "fingerprint"},
	{"ctxh://h:8443//" CODE, "fingerprint"},
	{"ctxh://h:8443/AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM09p/" CODE, "fingerprint"},
	{"ctxh://h:8443/AQgPFh0kKzI5QEdOVVxjanF4f4aNlJuiqbC3vsXM+9o/" CODE, "fingerprint"},
	{"ctxh://h:8443/" PIN "/" CODE "/", "code"},
	{"ctxh://h:8443/" PIN "/" CODE "0", "too long"},
	{"ctxh://h:8443/" PIN "/U3JXN-KY4Q6-QA764-DG9VP-RRAP9-CN", "code"},
};

static void what_is_no_invitation_is_refused_with_its_reason(UNUSED_STATE)
{
	struct invitation got;

	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		print_message("%s\n", wrongs[i].text);
		assert_err(parse(wrongs[i].text, &got), ERR_INVAL);
		assert_non_null(strstr(log_last_detail(), wrongs[i].detail));
	}
}

static const char *const addresses[] = {
	"localhost:1",     "so-y-te.binhphuoc.example:65535", "[::1]:8443", "[2001:db8::7]:443",
	"127.0.0.1:40001",
};

static void addresses_of_every_kind_read(UNUSED_STATE)
{
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		struct invitation want = sample();
		struct invitation got;
		char text[LIMIT_INVITATION_BYTES];

		snprintf(want.address, sizeof want.address, "%s", addresses[i]);
		invitation_print(&want, text);
		assert_ok(parse(text, &got));
		assert_same(&got, &want);
	}
}

static void the_longest_address_fits_and_one_longer_does_not(UNUSED_STATE)
{
	struct invitation want = sample();
	struct invitation got;
	char text[LIMIT_INVITATION_BYTES];
	char longer[LIMIT_INVITATION_BYTES + 1];

	memset(want.address, 'h', INVITATION_HOST_MAX - 1);
	memcpy(want.address + INVITATION_HOST_MAX - 6, ":8443", 6);
	invitation_print(&want, text);
	assert_ok(parse(text, &got));
	assert_same(&got, &want);
	snprintf(longer, sizeof longer, "ctxh://h%s", text + strlen("ctxh://"));
	assert_err(parse(longer, &got), ERR_INVAL);
}

static void curl_pins_in_standard_base64(UNUSED_STATE)
{
	uint8_t pin[INVITATION_PIN_LEN];
	char text[INVITATION_CURL_PIN_LEN];

	memset(pin, 0xff, sizeof pin);
	invitation_curl_pin(pin, text);
	assert_string_equal(text, "sha256//"
				  "//////////////////////////////////////////8=");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_released_invitation_still_reads),
		cmocka_unit_test(what_is_printed_reads_back),
		cmocka_unit_test(case_and_hyphens_and_letters_people_mix_up_do_not_matter),
		cmocka_unit_test(blanks_around_it_do_not_matter),
		cmocka_unit_test(every_single_wrong_digit_is_noticed),
		cmocka_unit_test(every_two_digits_exchanged_are_noticed),
		cmocka_unit_test(the_error_says_which_part_is_wrong_and_never_the_code),
		cmocka_unit_test(a_code_cut_anywhere_is_refused),
		cmocka_unit_test(what_is_no_invitation_is_refused_with_its_reason),
		cmocka_unit_test(addresses_of_every_kind_read),
		cmocka_unit_test(the_longest_address_fits_and_one_longer_does_not),
		cmocka_unit_test(curl_pins_in_standard_base64),
	};

	return cmocka_run_group_tests_name("invitation", tests, NULL, NULL);
}
