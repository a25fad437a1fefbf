#include "common/model/vntext.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "common/base/check.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * Length of the character at the front when it is one that NFC never touches and
 * that no mark has come before: ASCII, U+00A0..U+02FF, the Vietnamese block
 * U+1EA0..U+1EF9, common punctuation U+2010..U+2027 and ₫. Nearly all text is
 * made of these alone, so nearly none meets the Unicode tables. 0: ask them.
 */
static size_t settled_char(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	if (left >= 2 && p[0] >= 0xc2 && p[0] <= 0xcb && (p[1] & 0xc0) == 0x80)
		return 2;
	if (left < 3)
		return 0;
	if (p[0] == 0xe1 && ((p[1] == 0xba && p[2] >= 0xa0 && p[2] <= 0xbf) ||
			     (p[1] == 0xbb && p[2] >= 0x80 && p[2] <= 0xb9)))
		return 3;
	if (p[0] == 0xe2 &&
	    ((p[1] == 0x80 && p[2] >= 0x90 && p[2] <= 0xa7) || (p[1] == 0x82 && p[2] == 0xab)))
		return 3;
	return 0;
}

static bool is_settled(struct bytes text)
{
	for (size_t at = 0; at < text.len;) {
		size_t len = settled_char(text.data + at, text.len - at);

		if (len == 0)
			return false;
		at += len;
	}
	return true;
}

/* Code point at the front and its length; a wrong byte is -1 of length 1. */
static size_t next_char(struct bytes text, size_t at, int32_t *ret_char)
{
	utf8proc_ssize_t len =
		utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), ret_char);

	if (len > 0)
		return (size_t)len;
	*ret_char = -1;
	return 1;
}

/* UTF-8 throughout, and no run of marks too long to put in order. */
static bool is_acceptable(struct bytes text)
{
	size_t marks = 0;

	for (size_t at = 0; at < text.len;) {
		int32_t c;

		at += next_char(text, at, &c);
		if (c < 0)
			return false;
		marks = utf8proc_get_property(c)->combining_class != 0 ? marks + 1 : 0;
		if (marks > VNTEXT_MAX_MARKS)
			return false;
	}
	return true;
}

enum err vntext_nfc(struct bytes text, struct buf *out)
{
	uint8_t *composed = NULL;
	utf8proc_ssize_t len;

	if (is_settled(text)) {
		buf_append_bytes(out, text);
		return ERR_OK;
	}
	if (!is_acceptable(text))
		return err_raise(ERR_INVAL, "text: not UTF-8, or too many marks in a row");
	len = utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &composed,
			   UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	/* The text is known to be good: what is left to fail is memory. */
	REQUIRE(len >= 0);
	buf_append(out, composed, (size_t)len);
	free(composed);
	return ERR_OK;
}

bool vntext_is_nfc(struct bytes text)
{
	AUTO(buf_clear) struct buf composed = {0};

	if (is_settled(text))
		return true;
	return is_acceptable(text) && vntext_nfc(text, &composed) == ERR_OK &&
	       bytes_equal(text, buf_bytes(&composed));
}

/* C0 but line breaks and tabs where those are allowed, DEL, and U+0080..U+009F. */
static bool is_control_at(const uint8_t *p, size_t left, bool has_lines)
{
	if (has_lines && (p[0] == '\n' || p[0] == '\t'))
		return false;
	return p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && left >= 2 && p[1] < 0xa0);
}

bool vntext_is_clean(struct bytes text, bool has_lines)
{
	bool is_settled = true;
	size_t at = 0;

	/* One walk for nearly all text: the daemon asks this of every value it is sent. */
	while (at < text.len) {
		const uint8_t *p = text.data + at;
		size_t len = 1;

		if (p[0] >= 0x20 && p[0] < 0x7f) {
			at++;
			continue;
		}
		if (is_control_at(p, text.len - at, has_lines))
			return false;
		if (is_settled)
			len = settled_char(p, text.len - at);
		if (len == 0) {
			is_settled = false;
			len = 1;
		}
		at += len;
	}
	return is_settled || vntext_is_nfc(text);
}

size_t vntext_length(struct bytes text)
{
	size_t length = 0;

	for (size_t i = 0; i < text.len; i++)
		length += (text.data[i] & 0xc0) != 0x80;
	return length;
}

static size_t char_width(int32_t c)
{
	return c < 0 ? 1 : (size_t)utf8proc_charwidth(c);
}

size_t vntext_width(struct bytes text)
{
	size_t width = 0;

	for (size_t at = 0; at < text.len;) {
		int32_t c;

		at += next_char(text, at, &c);
		width += char_width(c);
	}
	return width;
}

size_t vntext_fit(struct bytes text, size_t columns)
{
	size_t at = 0;
	size_t width = 0;

	while (at < text.len) {
		int32_t c;
		size_t len = next_char(text, at, &c);

		width += char_width(c);
		if (width > columns)
			break;
		at += len;
	}
	return at;
}

/* Direction marks could make a name read as another one. */
static bool turns_writing(int32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

void vntext_show(struct bytes text, struct buf *out)
{
	for (size_t at = 0; at < text.len;) {
		int32_t c;
		size_t len = next_char(text, at, &c);

		if (c < 0 || turns_writing(c))
			buf_append_str(out, REPLACEMENT);
		else if (is_control(c))
			buf_append_byte(out, ' ');
		else
			buf_append(out, text.data + at, len);
		at += len;
	}
}
