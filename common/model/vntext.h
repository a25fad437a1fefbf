/*
 * vntext - Vietnamese text: one form to store, three to search, one order to list.
 *
 * Text is stored NFC (TCVN 6909:2001, NĐ 30/2020). Search has three levels,
 * exact hits first; people are never joined on a fold alone: Xã Lộc Thành and
 * Xã Lộc Thạnh differ by a tone only. Pure; utf8proc does the Unicode tables.
 */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum vntext_level {
	VNTEXT_EXACT,    /* NFC, tone mark in one place (hòa = hoà), case kept out */
	VNTEXT_TONELESS, /* tones dropped; đ ă â ê ô ơ ư kept */
	VNTEXT_FOLD,     /* plain a-z: also đ -> d */
};

/* Appends the NFC form. ERR_INVAL: not UTF-8. Half-composed (Windows-1258) input is mended. */
enum err vntext_nfc(struct bytes text, struct buf *out);
bool vntext_is_nfc(struct bytes text);
/* Number of characters (code points of NFC text). */
size_t vntext_length(struct bytes text);

/*
 * Appends the search key of a level: lower case, single spaces, tone marks moved
 * to one style in syllables ending in oa, oe, uy (not after q).
 */
enum err vntext_key(struct bytes text, enum vntext_level level, struct buf *out);

/*
 * Appends a key whose byte order is the dictionary's: syllable by syllable,
 * letters first (a ă â b c d đ …), tones break ties (ngang huyền hỏi ngã sắc
 * nặng), lower case before upper.
 */
enum err vntext_order_key(struct bytes text, struct buf *out);
