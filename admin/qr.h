/*
 * qr - text as a QR code of block characters, for a phone or a camera before a terminal.
 *
 * Two modules a character, with the quiet zone the standard asks for; dark on light whatever the
 * terminal's colours are.
 */
#pragma once

#include "common/base/buf.h"
#include "common/base/err.h"

/* Appends it. ERR_TOOBIG: too long for a code. */
enum err qr_print(const char *text, struct buf *out);
