/* printers - one function a format, behind format.h; tests may call them alone. */
#pragma once

#include "common/report/doc.h"
#include "common/text/table.h"

void report_print_table(const struct doc *doc, const struct table_style *style, struct buf *out);
void report_print_csv(const struct doc *doc, struct buf *out);
/* No script, nothing loaded from elsewhere, every text escaped. */
void report_print_html(const struct doc *doc, struct buf *out);
/* Text is text: no cell can be a formula. ERR_FULL, ERR_IO, ERR_INVAL (text no sheet can hold). */
enum err report_print_xlsx(const struct doc *doc, struct buf *out);
