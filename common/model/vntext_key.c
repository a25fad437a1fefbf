/*
 * The keys of vntext.h: how text is found and in which order it is listed.
 *
 * Both begin alike: NFC, then an array of letters, each lower case and without
 * its tone, the tone beside it.
 */
#include <uchar.h>
#include <utf8proc.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/model/vntext.h"

#define TONES 6u

/* Every vowel with its tones, in the dictionary's order of both. */
static const char32_t vowels[][TONES + 1] = {
	U"aàảãáạ", U"ăằẳẵắặ", U"âầẩẫấậ", U"eèẻẽéẹ", U"êềểễếệ", U"iìỉĩíị",
	U"oòỏõóọ", U"ôồổỗốộ", U"ơờởỡớợ", U"uùủũúụ", U"ưừửữứự", U"yỳỷỹýỵ",
};
static const char vowel_folds[] = "aaaeeiooouuy";
#define VOWELS (sizeof vowels / sizeof vowels[0])

/* The Vietnamese letters and the four that foreign names bring. */
static const char32_t alphabet[] = U"aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";
#define ALPHABET_LEN (sizeof alphabet / sizeof alphabet[0] - 1)

enum kind {
	KIND_LETTER,
	KIND_DIGIT,
	KIND_SPACE,
	KIND_APOSTROPHE,
	KIND_DASH,
	KIND_MARK,   /* combining, left over by NFC */
	KIND_HIDDEN, /* takes no place on paper */
	KIND_OTHER,
};

struct letter {
	int32_t base; /* lower case, no tone */
	uint8_t tone; /* 0..5 */
	uint8_t kind;
	bool is_upper;
};

struct letters {
	struct letter *items;
	size_t count;
};

static void letters_clear(struct letters *l)
{
	mem_free(l->items);
}
static void letters_clear_auto(struct letters *l)
{
	letters_clear(l);
}

static enum kind kind_of_table(int32_t c)
{
	utf8proc_category_t category = utf8proc_category(c);

	if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO)
		return KIND_LETTER;
	if (category == UTF8PROC_CATEGORY_MN)
		return KIND_MARK;
	if (category == UTF8PROC_CATEGORY_PD)
		return KIND_DASH;
	if (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP)
		return KIND_SPACE;
	if (category == UTF8PROC_CATEGORY_CF)
		return KIND_HIDDEN;
	return KIND_OTHER;
}

static enum kind kind_of(int32_t c)
{
	if (c >= 'a' && c <= 'z')
		return KIND_LETTER;
	if (c >= '0' && c <= '9')
		return KIND_DIGIT;
	switch (c) {
	case ' ':
	case '\t':
	case '\n':
	case '\v':
	case '\f':
	case '\r': return KIND_SPACE;
	case '\'':
	case '`':
	case 0xb4:   /* ´ */
	case 0x2bc:  /* ʼ */
	case 0x2018: /* ‘ */
	case 0x2019: /* ’ */ return KIND_APOSTROPHE;
	case 0x2212: /* − */ return KIND_DASH;
	default: return kind_of_table(c);
	}
}

/* TONES: not in the row. */
static uint8_t find_tone(const char32_t *row, int32_t c)
{
	uint8_t tone = 0;

	while (tone < TONES && (char32_t)c != row[tone])
		tone++;
	return tone;
}

/* The row of vowels[] that holds `c`, and where in it; VOWELS: none. */
static size_t find_vowel(int32_t c, uint8_t *ret_tone)
{
	size_t row = 0;
	uint8_t tone = TONES;

	while (row < VOWELS && tone == TONES)
		tone = find_tone(vowels[row++], c);
	if (tone == TONES)
		return VOWELS;
	*ret_tone = tone;
	return row - 1;
}

static struct letter split(int32_t c)
{
	struct letter l = {.base = utf8proc_tolower(c)};
	uint8_t tone = 0;
	size_t row;

	l.is_upper = l.base != c;
	l.kind = (uint8_t)kind_of(l.base);
	if (l.kind != KIND_LETTER || l.base < 0x80)
		return l;
	row = find_vowel(l.base, &tone);
	if (row < VOWELS) {
		l.base = (int32_t)vowels[row][0];
		l.tone = tone;
	}
	return l;
}

static enum err read_letters(struct bytes text, struct letters *out)
{
	AUTO(buf_clear) struct buf nfc = {0};
	enum err e = vntext_nfc(text, &nfc);

	if (e != ERR_OK)
		return e;
	out->items = mem_alloc_array(nfc.len + 1, sizeof *out->items);
	for (size_t at = 0; at < nfc.len;) {
		int32_t c;
		utf8proc_ssize_t len =
			utf8proc_iterate(nfc.data + at, (utf8proc_ssize_t)(nfc.len - at), &c);

		ENSURE(len > 0);
		at += (size_t)len;
		out->items[out->count++] = split(c);
	}
	return ERR_OK;
}

static bool is_tone_pair(int32_t first, int32_t second)
{
	return (first == 'o' && (second == 'a' || second == 'e')) ||
	       (first == 'u' && second == 'y');
}

/* Moves hoà to hòa: both are in use, the official lists mix them. */
static void settle_tones(struct letters *l)
{
	for (size_t i = 1; i < l->count; i++) {
		struct letter *first = &l->items[i - 1];
		struct letter *second = &l->items[i];
		bool is_end = i + 1 == l->count || l->items[i + 1].kind != KIND_LETTER;
		bool is_after_q = i >= 2 && l->items[i - 2].base == 'q';

		if (is_end && !is_after_q && first->tone == 0 &&
		    is_tone_pair(first->base, second->base)) {
			first->tone = second->tone;
			second->tone = 0;
		}
	}
}

static void put_char(struct buf *out, int32_t c)
{
	uint8_t *room = buf_reserve(out, 4);

	out->len += (size_t)utf8proc_encode_char(c, room);
}

static void put_exact(struct buf *out, const struct letter *l)
{
	uint8_t tone;
	size_t row = l->tone != 0 ? find_vowel(l->base, &tone) : VOWELS;

	put_char(out, row < VOWELS ? (int32_t)vowels[row][l->tone] : l->base);
}

/* What has no place in the Vietnamese alphabet is taken apart by the Unicode tables. */
static void put_fold_foreign(struct buf *out, int32_t c)
{
	int32_t parts[32];
	int boundary = 0;
	utf8proc_ssize_t count =
		utf8proc_decompose_char(c, parts, sizeof parts / sizeof parts[0],
					UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundary);

	ENSURE(count >= 0 && (size_t)count <= sizeof parts / sizeof parts[0]);
	for (utf8proc_ssize_t i = 0; i < count; i++) {
		enum kind kind = kind_of(parts[i]);

		if (kind == KIND_LETTER || kind == KIND_DIGIT || kind == KIND_OTHER)
			put_char(out, utf8proc_tolower(parts[i]));
	}
}

static void put_fold(struct buf *out, const struct letter *l)
{
	uint8_t tone;
	size_t row;

	if (l->base < 0x80) {
		buf_append_byte(out, (uint8_t)l->base);
		return;
	}
	row = find_vowel(l->base, &tone);
	if (row < VOWELS)
		buf_append_byte(out, (uint8_t)vowel_folds[row]);
	else if (l->base == 0x111)
		buf_append_byte(out, 'd');
	else
		put_fold_foreign(out, l->base);
}

static void put_letter(struct buf *out, const struct letter *l, enum vntext_level level)
{
	switch (level) {
	case VNTEXT_EXACT: put_exact(out, l); break;
	case VNTEXT_TONELESS: put_char(out, l->base); break;
	case VNTEXT_FOLD: put_fold(out, l); break;
	}
}

static void put_key_letter(struct buf *out, const struct letter *l, enum vntext_level level)
{
	switch ((enum kind)l->kind) {
	case KIND_SPACE:
	case KIND_HIDDEN: break;
	case KIND_APOSTROPHE:
		if (level != VNTEXT_FOLD)
			buf_append_byte(out, '\'');
		break;
	case KIND_DASH: buf_append_byte(out, '-'); break;
	case KIND_MARK:
		if (level != VNTEXT_FOLD)
			put_char(out, l->base);
		break;
	case KIND_LETTER:
	case KIND_DIGIT:
	case KIND_OTHER: put_letter(out, l, level); break;
	}
}

enum err vntext_key(struct bytes text, enum vntext_level level, struct buf *out)
{
	AUTO(letters_clear) struct letters letters = {0};
	enum err e = read_letters(text, &letters);
	size_t start = out->len;
	bool is_gap = false;

	if (e != ERR_OK)
		return e;
	settle_tones(&letters);
	for (size_t i = 0; i < letters.count; i++) {
		const struct letter *l = &letters.items[i];
		size_t undo = out->len;
		size_t before;

		is_gap = is_gap || l->kind == KIND_SPACE;
		if (is_gap && undo > start)
			buf_append_byte(out, ' ');
		before = out->len;
		put_key_letter(out, l, level);
		/* A space stays only in front of something. */
		if (out->len == before)
			out->len = undo;
		else
			is_gap = false;
	}
	return ERR_OK;
}

/* The first number grows with every change here that makes another key of any text; a test
 * holds keys of this one. */
void vntext_key_version(struct buf *out)
{
	buf_append_str(out, "1 ");
	buf_append_str(out, utf8proc_unicode_version());
}

/*
 * Bytes of an order key. A syllable is its letters, ORDER_TONE, its tone; all
 * marks are smaller than any letter, so that a shorter text comes first. Behind
 * the last syllable comes ORDER_CASE and one byte a letter, without the lower
 * ones at the end.
 */
enum order {
	ORDER_CASE = 0x01,
	ORDER_TONE = 0x02,
	ORDER_TONE_FIRST = 0x03, /* .. 0x08 */
	ORDER_LOWER = 0x0a,
	ORDER_UPPER = 0x0b,
	ORDER_NUMBER = 0x10,
	ORDER_LETTER_FIRST = 0x20, /* .. 0x40; beyond it UTF-8 of other letters */
};

/* Digits of one number; more are taken as the next number. */
#define ORDER_DIGITS_MAX 200u

static void put_order_letter(struct buf *out, int32_t c)
{
	int32_t parts[8];
	int boundary = 0;

	for (size_t i = 0; i < ALPHABET_LEN; i++) {
		if ((char32_t)c == alphabet[i]) {
			buf_append_byte(out, (uint8_t)(ORDER_LETTER_FIRST + i));
			return;
		}
	}
	/* ñ stands with n; what cannot be taken apart stands after z. */
	if (utf8proc_decompose_char(c, parts, 8, UTF8PROC_DECOMPOSE, &boundary) > 1 &&
	    parts[0] >= 'a' && parts[0] <= 'z')
		put_order_letter(out, parts[0]);
	else
		put_char(out, c);
}

/* Appends the number that begins at `at`; returns where it ends. */
static size_t put_order_number(struct buf *out, const struct letters *l, size_t at)
{
	size_t end = at;

	while (at + 1 < l->count && l->items[at].base == '0' && l->items[at + 1].kind == KIND_DIGIT)
		at++;
	end = at;
	while (end < l->count && l->items[end].kind == KIND_DIGIT && end - at < ORDER_DIGITS_MAX)
		end++;
	/* The longer number is the greater one. */
	buf_append_byte(out, ORDER_NUMBER);
	buf_append_byte(out, (uint8_t)(ORDER_NUMBER + (end - at)));
	for (; at < end; at++)
		buf_append_byte(out, (uint8_t)l->items[at].base);
	return end;
}

/* Appends the syllable that begins at `at`, if one does; returns where it ends. */
static size_t put_order_syllable(struct buf *out, const struct letters *l, size_t at)
{
	size_t before = out->len;
	uint8_t tone = 0;

	while (at < l->count) {
		const struct letter *item = &l->items[at];

		if (item->kind == KIND_SPACE || item->kind == KIND_DASH || item->kind == KIND_OTHER)
			break;
		if (item->kind == KIND_DIGIT) {
			at = put_order_number(out, l, at);
			continue;
		}
		if (item->kind == KIND_LETTER)
			put_order_letter(out, item->base);
		if (item->tone != 0)
			tone = item->tone;
		at++;
	}
	if (out->len > before) {
		buf_append_byte(out, ORDER_TONE);
		buf_append_byte(out, (uint8_t)(ORDER_TONE_FIRST + tone));
	}
	return at;
}

static void put_order_case(struct buf *out, const struct letters *l)
{
	size_t end;

	buf_append_byte(out, ORDER_CASE);
	end = out->len;
	for (size_t i = 0; i < l->count; i++) {
		if (l->items[i].kind != KIND_LETTER)
			continue;
		buf_append_byte(out, l->items[i].is_upper ? ORDER_UPPER : ORDER_LOWER);
		if (l->items[i].is_upper)
			end = out->len;
	}
	out->len = end;
}

enum err vntext_order_key(struct bytes text, struct buf *out)
{
	AUTO(letters_clear) struct letters letters = {0};
	enum err e = read_letters(text, &letters);

	if (e != ERR_OK)
		return e;
	for (size_t at = 0; at < letters.count; at++)
		at = put_order_syllable(out, &letters, at);
	put_order_case(out, &letters);
	return ERR_OK;
}
