#include "proto/plain.h"

#include "proto/limits.h"

/*
 * Length of the character at the start of `rest`, 0 when there is none. The second
 * byte's range is what rules out overlong forms, surrogates and what lies beyond.
 */
static size_t utf8_char(struct bytes rest)
{
	uint8_t first = rest.data[0];
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	size_t len;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf) {
		len = 2;
	} else if ((first & 0xf0) == 0xe0) {
		len = 3;
		low = first == 0xe0 ? 0xa0 : 0x80;
		high = first == 0xed ? 0x9f : 0xbf;
	} else if (first >= 0xf0 && first <= 0xf4) {
		len = 4;
		low = first == 0xf0 ? 0x90 : 0x80;
		high = first == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (rest.len < len || rest.data[1] < low || rest.data[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((rest.data[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool plain_is_utf8(struct bytes text)
{
	while (text.len != 0) {
		size_t len = utf8_char(text);

		if (len == 0)
			return false;
		text = bytes_of(text.data + len, text.len - len);
	}
	return true;
}

bool plain_is_name(struct bytes name)
{
	if (name.len == 0 || name.len > LIMIT_NAME_BYTES)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}
