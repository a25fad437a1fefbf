/*
 * data - files of tests/data, as a test finds them.
 *
 * Include after tests/unit/test.h. A file that is not there fails the test.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/text/csv.h"

static inline void data_load_path(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	size_t len;

	if (f == NULL)
		fail_msg("cannot open %s", path);
	do {
		len = fread(buf_reserve(out, 65536), 1, 65536, f);
		out->len += len;
	} while (len != 0);
	assert_int_equal(fclose(f), 0);
}

static inline void data_load(const char *name, struct buf *out)
{
	const char *root = getenv("CTXH_SOURCE_DIR");
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/tests/data/%s", root != NULL ? root : ".", name);
	data_load_path(path, out);
}

/* The next row, or false at the end; anything else fails. */
static inline bool data_row(struct csv_reader *r)
{
	enum csv_step step = csv_next(r);

	if (step == CSV_BAD)
		fail_msg("line %zu: %s", r->line, csv_problem_text(r->problem));
	return step == CSV_ROW;
}
