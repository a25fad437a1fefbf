/* json - one row of a table as a JSON object; see table.h. Pure. */
#pragma once

#include "common/text/table.h"

/* Appends the object, on one line and without a line end. */
void json_print_row(const struct table_column *columns, size_t count, const struct value *cells,
		    struct buf *out);

/*
 * Before the first use of jansson: its memory is that of mem.h. Else a value for which there is no
 * memory would be left out of an answer without a word.
 */
void json_use_mem(void);
