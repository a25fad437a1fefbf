/* Numbers and days as people type them in Viet Nam: "1.234.567,5", "1,5 tỷ", "31/12/2020". */
#include "common/model/validate_number.h"

#include <string.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Blanks between groups are as good as dots: "1 234 567", also U+00A0 and U+202F. */
static size_t blank_at(struct bytes text, size_t at)
{
	if (text.data[at] == ' ')
		return 1;
	if (at + 1 < text.len && memcmp(text.data + at, "\xc2\xa0", 2) == 0)
		return 2;
	if (at + 2 < text.len && memcmp(text.data + at, "\xe2\x80\xaf", 3) == 0)
		return 3;
	return 0;
}

/* A dot that groups thousands has three digits behind it and then no digit. */
static bool is_group_mark(struct bytes text, size_t at, size_t len)
{
	size_t i = at + len;

	for (size_t n = 0; n < 3; n++, i++)
		if (i >= text.len || !is_digit(text.data[i]))
			return false;
	return i == text.len || !is_digit(text.data[i]);
}

struct scan {
	struct bytes text;
	size_t at;
	struct typed_number *out;
	bool is_grouped;
};

static bool push(char *digits, size_t *len, uint8_t c)
{
	if (*len == TYPED_DIGITS)
		return false;
	digits[(*len)++] = (char)c;
	return true;
}

static bool take_whole(struct scan *s)
{
	struct typed_number *n = s->out;

	while (s->at < s->text.len) {
		uint8_t c = s->text.data[s->at];
		size_t mark = c == '.' ? 1 : blank_at(s->text, s->at);

		if (is_digit(c)) {
			if (!push(n->whole, &n->whole_len, c))
				return false;
			s->at++;
			continue;
		}
		/* The first group has 1 to 3 digits, the others exactly 3. */
		if (mark == 0 || n->whole_len == 0 || !is_group_mark(s->text, s->at, mark) ||
		    (!s->is_grouped && n->whole_len > 3))
			break;
		s->is_grouped = true;
		s->at += mark;
	}
	return n->whole_len != 0;
}

static bool take_fraction(struct scan *s)
{
	struct typed_number *n = s->out;

	if (s->at == s->text.len)
		return true;

	uint8_t mark = s->text.data[s->at];

	/* "12.5" is meant as a decimal; with groups before it the comma alone can be. */
	if (mark != ',' && (mark != '.' || s->is_grouped))
		return true;
	s->at++;
	while (s->at < s->text.len && is_digit(s->text.data[s->at]))
		if (!push(n->fraction, &n->fraction_len, s->text.data[s->at++]))
			return false;
	return n->fraction_len != 0;
}

static void strip_zeros(struct typed_number *n)
{
	size_t lead = 0;

	while (lead + 1 < n->whole_len && n->whole[lead] == '0')
		lead++;
	n->whole_len -= lead;
	memmove(n->whole, n->whole + lead, n->whole_len);
	while (n->fraction_len != 0 && n->fraction[n->fraction_len - 1] == '0')
		n->fraction_len--;
}

bool typed_number_read(struct bytes text, struct typed_number *ret_number, struct bytes *ret_rest)
{
	struct typed_number n = {0};
	struct scan s = {.text = text, .out = &n};

	if (text.len != 0 && (text.data[0] == '-' || text.data[0] == '+')) {
		n.is_negative = text.data[0] == '-';
		s.at = 1;
	} else if (text.len > 2 && memcmp(text.data, "\xe2\x88\x92", 3) == 0) {
		n.is_negative = true; /* U+2212, as spreadsheets write it */
		s.at = 3;
	}
	if (!take_whole(&s) || !take_fraction(&s))
		return false;
	strip_zeros(&n);
	if (n.whole_len == 1 && n.whole[0] == '0' && n.fraction_len == 0)
		n.is_negative = false;
	while (s.at < text.len && blank_at(text, s.at) != 0)
		s.at += blank_at(text, s.at);
	*ret_rest = s.at < text.len ? bytes_of(text.data + s.at, text.len - s.at) : BYTES_NONE;
	*ret_number = n;
	return true;
}

bool typed_number_to_integer(const struct typed_number *n, size_t zeros, int64_t *ret_integer)
{
	int64_t total = 0;

	if (n->fraction_len > zeros)
		return false;
	for (size_t i = 0; i < n->whole_len + zeros; i++) {
		size_t behind = i - n->whole_len;
		char c = '0';

		if (i < n->whole_len)
			c = n->whole[i];
		else if (behind < n->fraction_len)
			c = n->fraction[behind];
		if (__builtin_mul_overflow(total, 10, &total) ||
		    __builtin_sub_overflow(total, c - '0', &total))
			return false;
	}
	/* Summed downwards, because there is one negative number more. */
	if (!n->is_negative && total == INT64_MIN)
		return false;
	*ret_integer = n->is_negative ? total : -total;
	return true;
}

size_t typed_digits_read(struct bytes text, size_t at, size_t most, int *ret_number)
{
	size_t len = 0;
	int number = 0;

	while (len < most && at + len < text.len && is_digit(text.data[at + len])) {
		number = number * 10 + (text.data[at + len] - '0');
		len++;
	}
	*ret_number = number;
	return len;
}

static bool is_date_mark(uint8_t c)
{
	return c == '/' || c == '-' || c == '.';
}

size_t typed_day_read(struct bytes text, struct typed_day *ret_day)
{
	int part[3] = {0};
	size_t len[3];
	size_t at = 0;
	uint8_t mark = 0;

	for (size_t i = 0; i < 3; i++) {
		if (i != 0) {
			if (at == text.len || !is_date_mark(text.data[at]) ||
			    (mark != 0 && text.data[at] != mark))
				return 0;
			mark = text.data[at++];
		}
		len[i] = typed_digits_read(text, at, 4, &part[i]);
		at += len[i];
		if (len[i] == 0 || (i == 1 && len[i] > 2))
			return 0;
	}
	if (len[0] == 4 && len[2] <= 2)
		*ret_day = (struct typed_day){part[0], part[1], part[2]};
	else if (len[0] <= 2 && len[2] == 4)
		*ret_day = (struct typed_day){part[2], part[1], part[0]};
	else
		return 0;
	return at;
}
