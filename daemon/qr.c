#define LOG_TAG "qr"

#include "daemon/qr.h"

#include <qrencode.h>
#include <string.h>

#include "common/base/attr.h"

#define WIDTH_MAX 177 /* version 40, the largest there is */

DEFINE_AUTO(QRcode *, QRcode_free)

enum err qr_rows(const char *text, json_t **ret_rows)
{
	AUTO(QRcode_free) QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	char row[WIDTH_MAX];
	json_t *rows;

	if (code == NULL || code->width > WIDTH_MAX)
		return err_raise(ERR_TOOBIG, "no QR code of %zu bytes", strlen(text));
	rows = json_array();
	for (int y = 0; y < code->width; y++) {
		for (int x = 0; x < code->width; x++)
			row[x] = (code->data[y * code->width + x] & 1) != 0 ? '1' : '0';
		json_array_append_new(rows, json_stringn(row, (size_t)code->width));
	}
	*ret_rows = rows;
	return ERR_OK;
}
