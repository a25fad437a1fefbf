#define LOG_TAG "invitation"

#include "proto/invitation.h"

#include <stdio.h>

#include "common/base/check.h"

#define SCHEME         "ctxh://"
#define PIN_TEXT_LEN   43u /* base64url of 32 bytes, without padding */
#define CODE_DIGITS    26u /* 128 bits, five a digit, two zero bits behind */
#define CODE_GROUP     5u
#define CODE_TEXT_LEN  32u /* digits, check digit, hyphens */
#define FIELD_OVERFLOW 0x25u

_Static_assert(sizeof(SCHEME) + INVITATION_HOST_MAX + 1 + PIN_TEXT_LEN + 1 + CODE_TEXT_LEN <=
		       LIMIT_INVITATION_BYTES,
	       "an invitation fits");

/* ---- base64, as RFC 4648 has it ---- */

static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes the 43 digits of a pin. */
static char *pin_print(const uint8_t pin[INVITATION_PIN_LEN], const char *digits, char *at)
{
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < INVITATION_PIN_LEN; i++) {
		bits = bits << 8 | pin[i];
		for (held += 8; held >= 6; held -= 6)
			*at++ = digits[bits >> (held - 6) & 63];
	}
	*at++ = digits[bits << (6 - held) & 63];
	return at;
}

static enum err pin_parse(struct bytes text, uint8_t ret_pin[INVITATION_PIN_LEN])
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t len = 0;

	if (text.len != PIN_TEXT_LEN)
		return err_raise(ERR_INVAL, "the key's fingerprint has %zu characters, not %u",
				 text.len, PIN_TEXT_LEN);
	for (size_t i = 0; i < text.len; i++) {
		const char *digit = memchr(base64_url, text.data[i], sizeof base64_url - 1);

		if (digit == NULL)
			return err_raise(ERR_INVAL,
					 "character %zu of the key's fingerprint is wrong", i + 1);
		bits = bits << 6 | (uint32_t)(digit - base64_url);
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		ret_pin[len++] = (uint8_t)(bits >> held);
	}
	ENSURE(len == INVITATION_PIN_LEN);
	if ((bits & ((1u << held) - 1)) != 0)
		return err_raise(ERR_INVAL, "the last character of the key's fingerprint is wrong");
	return ERR_OK;
}

/* ---- the code: Crockford's base 32 and a check digit ---- */

static const char code_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/*
 * The check digit is the value of the digits as a polynomial at the generator of
 * GF(32): each place has a weight of its own, so any one wrong digit and any two
 * digits exchanged are noticed. Reading I, L, O for 1, 1, 0 comes before it.
 */
static unsigned check_step(unsigned sum, unsigned digit)
{
	sum <<= 1;
	if (sum > 31)
		sum ^= FIELD_OVERFLOW;
	return sum ^ digit;
}

static unsigned check_digit(const uint8_t digits[CODE_DIGITS])
{
	unsigned sum = 0;

	for (size_t i = 0; i < CODE_DIGITS; i++)
		sum = check_step(sum, digits[i]);
	return check_step(sum, 0);
}

static void code_split(const uint8_t code[INVITATION_CODE_LEN], uint8_t ret_digits[CODE_DIGITS])
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t count = 0;

	for (size_t i = 0; i < INVITATION_CODE_LEN; i++) {
		bits = bits << 8 | code[i];
		for (held += 8; held >= 5; held -= 5)
			ret_digits[count++] = (uint8_t)(bits >> (held - 5) & 31);
	}
	ret_digits[count++] = (uint8_t)(bits << (5 - held) & 31);
	ENSURE(count == CODE_DIGITS);
}

static enum err code_join(const uint8_t digits[CODE_DIGITS], uint8_t ret_code[INVITATION_CODE_LEN])
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t len = 0;

	for (size_t i = 0; i < CODE_DIGITS; i++) {
		bits = bits << 5 | digits[i];
		held += 5;
		if (held < 8)
			continue;
		held -= 8;
		ret_code[len++] = (uint8_t)(bits >> held);
	}
	ENSURE(len == INVITATION_CODE_LEN);
	if ((bits & ((1u << held) - 1)) != 0)
		return err_raise(ERR_INVAL, "the code's last digits are wrong");
	return ERR_OK;
}

static char *code_print(const uint8_t code[INVITATION_CODE_LEN], char *at)
{
	uint8_t digits[CODE_DIGITS + 1];

	code_split(code, digits);
	digits[CODE_DIGITS] = (uint8_t)check_digit(digits);
	for (size_t i = 0; i <= CODE_DIGITS; i++) {
		if (i != 0 && i % CODE_GROUP == 0)
			*at++ = '-';
		*at++ = code_alphabet[digits[i]];
	}
	return at;
}

/* 32 when it is no digit; what people mix up is read as what was meant. */
static unsigned code_digit(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		c = (uint8_t)(c - 'a' + 'A');
	if (c == 'O')
		return 0;
	if (c == 'I' || c == 'L')
		return 1;

	const char *digit = memchr(code_alphabet, c, sizeof code_alphabet - 1);

	return digit != NULL ? (unsigned)(digit - code_alphabet) : 32;
}

static enum err code_parse(struct bytes text, uint8_t ret_code[INVITATION_CODE_LEN])
{
	uint8_t digits[CODE_DIGITS + 1] = {0};
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '-')
			continue;
		unsigned digit = code_digit(text.data[i]);

		if (digit > 31)
			return err_raise(ERR_INVAL, "character %zu of the code is wrong", i + 1);
		if (count == sizeof digits)
			return err_raise(ERR_INVAL, "the code is too long");
		digits[count++] = (uint8_t)digit;
	}
	if (count != sizeof digits)
		return err_raise(ERR_INVAL, "the code has %zu digits, not %zu", count,
				 sizeof digits);
	if (digits[CODE_DIGITS] != check_digit(digits))
		return err_raise(ERR_INVAL, "the code is mistyped: its check digit does not fit");
	return code_join(digits, ret_code);
}

/* ---- the address ---- */

static enum err wrong_address(void)
{
	return err_raise(ERR_INVAL, "the address is not HOST:PORT or [IPv6]:PORT");
}

static bool is_host_char(uint8_t c, bool is_bracketed)
{
	if ((c >= '0' && c <= '9') || c == '.')
		return true;
	if (is_bracketed)
		return c == ':' || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
	return c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_port(struct bytes text)
{
	unsigned port = 0;

	if (text.len == 0 || text.len > 5 || text.data[0] == '0')
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		port = port * 10 + (text.data[i] - '0');
	}
	return port <= UINT16_MAX;
}

static enum err address_parse(struct bytes text, char ret_address[INVITATION_HOST_MAX])
{
	const uint8_t *colon = memrchr(text.data, ':', text.len);

	if (colon == NULL || text.len >= INVITATION_HOST_MAX)
		return wrong_address();

	struct bytes host = bytes_of(text.data, (size_t)(colon - text.data));
	struct bytes port = bytes_of(colon + 1, text.len - host.len - 1);
	bool is_bracketed = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';

	if (is_bracketed)
		host = bytes_of(host.data + 1, host.len - 2);
	if (host.len == 0 || !is_port(port))
		return wrong_address();
	for (size_t i = 0; i < host.len; i++) {
		if (!is_host_char(host.data[i], is_bracketed))
			return wrong_address();
	}
	memcpy(ret_address, text.data, text.len);
	ret_address[text.len] = '\0';
	return ERR_OK;
}

/* ---- the whole ---- */

void invitation_print(const struct invitation *i, char ret_text[LIMIT_INVITATION_BYTES])
{
	size_t len = strnlen(i->address, INVITATION_HOST_MAX);
	char *at = ret_text;

	REQUIRE(len > 0 && len < INVITATION_HOST_MAX);
	memcpy(at, SCHEME, sizeof SCHEME - 1);
	at += sizeof SCHEME - 1;
	memcpy(at, i->address, len);
	at += len;
	*at++ = '/';
	at = pin_print(i->pin, base64_url, at);
	*at++ = '/';
	at = code_print(i->code, at);
	*at = '\0';
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copying a line brings blanks and a line end with it. */
static struct bytes trim(struct bytes text)
{
	while (text.len != 0 && is_space(text.data[0]))
		text = bytes_of(text.data + 1, text.len - 1);
	while (text.len != 0 && is_space(text.data[text.len - 1]))
		text.len--;
	return text;
}

/* The part up to the next slash, which is taken off too; ERR_INVAL without one. */
static enum err take_part(struct bytes *rest, struct bytes *ret_part)
{
	const uint8_t *slash = rest->len != 0 ? memchr(rest->data, '/', rest->len) : NULL;

	if (slash == NULL)
		return err_raise(ERR_INVAL, "the invitation is cut short: it has three parts");
	*ret_part = bytes_of(rest->data, (size_t)(slash - rest->data));
	*rest = bytes_of(slash + 1, rest->len - ret_part->len - 1);
	return ERR_OK;
}

enum err invitation_parse(struct bytes text, struct invitation *ret_invitation)
{
	struct invitation invitation = {0};
	struct bytes rest = trim(text);
	struct bytes part;
	enum err e;

	if (rest.len >= LIMIT_INVITATION_BYTES)
		return err_raise(ERR_INVAL, "an invitation is not that long");
	if (rest.len < sizeof SCHEME - 1 || memcmp(rest.data, SCHEME, sizeof SCHEME - 1) != 0)
		return err_raise(ERR_INVAL, "an invitation begins with %s", SCHEME);
	rest = bytes_of(rest.data + sizeof SCHEME - 1, rest.len - (sizeof SCHEME - 1));

	e = take_part(&rest, &part);
	if (e == ERR_OK)
		e = address_parse(part, invitation.address);
	if (e == ERR_OK)
		e = take_part(&rest, &part);
	if (e == ERR_OK)
		e = pin_parse(part, invitation.pin);
	if (e == ERR_OK)
		e = code_parse(rest, invitation.code);
	if (e == ERR_OK)
		*ret_invitation = invitation;
	return e;
}

void invitation_curl_pin(const uint8_t pin[INVITATION_PIN_LEN],
			 char ret_text[INVITATION_CURL_PIN_LEN])
{
	char digits[PIN_TEXT_LEN + 1];

	*pin_print(pin, base64_std, digits) = '\0';
	snprintf(ret_text, INVITATION_CURL_PIN_LEN, "sha256//%s=", digits);
}
