/*
 * qr - a text as the matrix of a QR code, for pages that draw it.
 *
 * Pure. libqrencode, level M; the quiet zone around it is the drawer's.
 */
#pragma once

#include <jansson.h>

#include "common/base/err.h"

/* ["0110…", …]: a row a string, "1" is dark. The caller releases it. ERR_TOOBIG: no code is so
 * large. */
enum err qr_rows(const char *text, json_t **ret_rows);
