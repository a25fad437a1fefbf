#define LOG_TAG "qr"

#include "admin/qr.h"

#include <qrencode.h>

#include "common/base/attr.h"

#define QUIET_ZONE 4

DEFINE_AUTO(QRcode *, QRcode_free)

static bool is_dark(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return false;
	return (code->data[y * code->width + x] & 1) != 0;
}

/* Light is the ink: a terminal with a dark background then shows dark modules dark. */
static const char *cell(bool is_top_dark, bool is_bottom_dark)
{
	if (is_top_dark)
		return is_bottom_dark ? " " : "▄";
	return is_bottom_dark ? "▀" : "█";
}

enum err qr_print(const char *text, struct buf *out)
{
	AUTO(QRcode_free) QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);

	if (code == NULL)
		return err_raise(ERR_TOOBIG, "no QR code of %zu bytes", strlen(text));
	for (int y = -QUIET_ZONE; y < code->width + QUIET_ZONE; y += 2) {
		/* White on black, said to the terminal, so that light stays light. */
		buf_append_str(out, "\x1b[97;40m");
		for (int x = -QUIET_ZONE; x < code->width + QUIET_ZONE; x++)
			buf_append_str(out, cell(is_dark(code, x, y), is_dark(code, x, y + 1)));
		buf_append_str(out, "\x1b[0m\n");
	}
	return ERR_OK;
}
