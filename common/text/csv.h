/*
 * csv - comma-separated values (RFC 4180), read row by row from memory and written.
 *
 * Pure. The reader is strict where the RFC is: a quote inside a bare field, or
 * anything but a separator behind a closing quote, is an error with its line,
 * because guessing shifts columns and nobody notices. It is lenient where files
 * of offices differ without doubt: LF, CRLF or CR ends a row, a UTF-8 BOM is
 * dropped, wholly empty lines are skipped, and a header with more semicolons than
 * commas (spreadsheets in Vietnamese settings) makes ';' the separator. Bytes
 * are not checked to be UTF-8; the fields' user does that.
 */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"

#define CSV_MAX_FIELDS    256u
#define CSV_MAX_FIELD_LEN 65536u
#define CSV_NONE          SIZE_MAX

enum csv_problem {
	CSV_FINE,
	CSV_STRAY_QUOTE,     /* a quote inside a field that does not begin with one */
	CSV_TEXT_BEHIND,     /* something behind the closing quote */
	CSV_OPEN_QUOTE,      /* the text ends inside quotes */
	CSV_TOO_MANY_FIELDS, /* over max_fields */
	CSV_FIELD_TOO_LONG,  /* over max_field_len */
	CSV_UTF16,           /* saved as UTF-16 */
};

/* What one csv_next() found. Expected outcomes, not errors. */
enum NODISCARD csv_step {
	CSV_ROW, /* fields and count are set */
	CSV_END,
	CSV_BAD, /* problem and line are set, and the next call says the same */
};

struct csv_reader {
	struct bytes text; /* borrowed until csv_reader_clear() */
	size_t at;
	char separator;
	size_t max_fields; /* may be lowered between init and the first row */
	size_t max_field_len;

	struct bytes *fields; /* of the present row; good until the next csv_next() */
	size_t count;
	size_t row;  /* number of the present row, from 1, empty lines not counted */
	size_t line; /* line where it begins, or where the problem is, from 1 */
	enum csv_problem problem;

	size_t next_line;    /* line that `at` is on */
	size_t capacity;     /* of fields */
	struct arena memory; /* fields whose doubled quotes had to be undone */
};

void csv_reader_init(struct csv_reader *r, struct bytes text);
void csv_reader_clear(struct csv_reader *r);
static inline void csv_reader_clear_auto(struct csv_reader *r)
{
	csv_reader_clear(r);
}

enum csv_step csv_next(struct csv_reader *r);
/* Empty when the row is shorter. */
struct bytes csv_field(const struct csv_reader *r, size_t index);
/* Which field of the present row (the header) is exactly this; CSV_NONE. */
size_t csv_find(const struct csv_reader *r, const char *name);

/* For people, Vietnamese then English, with what to do. */
const char *csv_problem_text(enum csv_problem problem);

/*
 * Appends to `out`, which it borrows. Zero in `separator` and `line_end` means
 * ',' and CRLF, as the RFC wants; tools for scripts set line_end to "\n".
 */
struct csv_writer {
	struct buf *out;
	char separator;
	const char *line_end;
	size_t count; /* fields in the row so far */
	bool is_last_empty;
};

/* Spreadsheets take a file for UTF-8 only when it begins with this. */
void csv_write_bom(struct csv_writer *w);
void csv_write(struct csv_writer *w, struct bytes field);
void csv_write_str(struct csv_writer *w, const char *field);
void csv_write_end(struct csv_writer *w);
