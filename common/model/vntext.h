/*
 * vntext - Vietnamese text: one form to store, three to search, one order to list.
 *
 * Text is stored NFC (TCVN 6909:2001, NĐ 30/2020). Search has three levels,
 * exact hits first; people are never joined on a fold alone: Xã Lộc Thành and
 * Xã Lộc Thạnh differ by a tone only. Pure; utf8proc does the Unicode tables.
 *
 * đ (U+0111) and Đ (U+0110) look like ð (U+00F0), Ð (U+00D0) and Ɖ (U+0189) and
 * are none of them: the strangers are kept as they are, at every level.
 */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/*
 * Combining marks that may follow one another. Vietnamese needs two; Unicode's
 * stream-safe format allows 30. More is refused: putting marks in order costs
 * the square of their number, and a peer would choose it.
 */
#define VNTEXT_MAX_MARKS 30u

enum vntext_level {
	VNTEXT_EXACT,    /* NFC, tone mark in one place (hòa = hoà), case kept out */
	VNTEXT_TONELESS, /* tones dropped; đ ă â ê ô ơ ư kept */
	VNTEXT_FOLD,     /* plain a-z: also đ -> d; apostrophes dropped */
};

/*
 * Appends the NFC form. ERR_INVAL: not UTF-8, or too many marks in a row; `out` is
 * then untouched. Half-composed (Windows-1258) input is mended.
 */
enum err vntext_nfc(struct bytes text, struct buf *out);
/* False also for what vntext_nfc() refuses. */
bool vntext_is_nfc(struct bytes text);
/*
 * NFC, and no control characters (U+0000..U+001F, U+007F..U+009F); `has_lines`: line feeds and tabs
 * are allowed.
 */
bool vntext_is_clean(struct bytes text, bool has_lines);
/* Number of characters (code points of NFC text). */
size_t vntext_length(struct bytes text);

/*
 * Appends the search key of a level: lower case, single spaces and none at the
 * ends, invisible characters dropped, typographic apostrophes and dashes made
 * plain, tone marks moved to one style in syllables ending in oa, oe, uy (not
 * after q). ERR_INVAL as vntext_nfc().
 */
enum err vntext_key(struct bytes text, enum vntext_level level, struct buf *out);

/*
 * Appends a short text that names the rules of vntext_key(), our own and those of the
 * Unicode tables: keys that were kept under another are to be made anew.
 */
void vntext_key_version(struct buf *out);

/*
 * Appends a key whose byte order is the dictionary's: syllable by syllable,
 * letters first (a ă â b c d đ …), tones break ties (ngang huyền hỏi ngã sắc
 * nặng), lower case before upper. Numbers come before letters and by their
 * value: Phường 2, Phường 10. Holds no NUL. ERR_INVAL as vntext_nfc().
 */
enum err vntext_order_key(struct bytes text, struct buf *out);

/* Columns the text takes on a terminal. A byte that is not UTF-8 takes one. */
size_t vntext_width(struct bytes text);
/* Length in bytes of the longest beginning that fits in so many columns. */
size_t vntext_fit(struct bytes text, size_t columns);
/*
 * Appends what a terminal may be given: control characters and line breaks become
 * spaces, marks that turn the writing direction and bytes that are not UTF-8
 * become U+FFFD. The result is UTF-8 whatever came in.
 */
void vntext_show(struct bytes text, struct buf *out);
