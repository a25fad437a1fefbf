/*
 * table - rows for people and for scripts: a terminal table, JSON, or CSV.
 *
 * A listing says its columns once and adds rows of values; the format is the
 * caller's. Keys are stable and never translated; labels stand over the table in
 * Vietnamese with English under them. Threads: one table, one thread. Pure but
 * for table_style_of(), which asks the terminal.
 */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/value.h"

enum table_format {
	TABLE_TABLE, /* "table" */
	TABLE_JSON,  /* "json" */
	TABLE_CSV,   /* "csv" */
};

/* How the values of a column go into JSON; NULL is null in every column. */
enum table_type {
	TABLE_TEXT,   /* string */
	TABLE_INT,    /* INT as a number */
	TABLE_NUMBER, /* TEXT that is a decimal ("94.6") as a number */
	TABLE_LIST,   /* TEXT "a,b" as an array of strings */
	TABLE_BOOL,   /* BOOL as true and false; "có" and "không" in a table */
};

enum table_align {
	TABLE_ALIGN_AUTO, /* numbers to the right, the rest to the left */
	TABLE_LEFT,
	TABLE_RIGHT
};

/* What a cell is printed in, on a terminal. */
enum table_tone {
	TABLE_PLAIN,
	TABLE_GOOD, /* green */
	TABLE_ODD,  /* yellow */
	TABLE_BAD   /* red */
};

struct table_column {
	const char *key;      /* JSON key and CSV heading */
	const char *label_vi; /* NULL: the key */
	const char *label_en; /* NULL: none */
	enum table_align align;
	enum table_type type;
	bool is_whole; /* never cut: what a person copies (an id, a name to type) or a time */
};

struct table {
	const struct table_column *columns; /* borrowed while the table lives */
	size_t column_count;
	struct value *cells; /* row by row; bytes are in `memory` */
	size_t row_count;
	size_t row_capacity;
	struct arena memory;
	/* Of a cell as it is shown; may be set behind table_init(). NULL: all are plain. */
	enum table_tone (*tone)(const struct table_column *column, struct bytes text);
};

struct table_style {
	bool is_terminal;    /* headings in bold, tones in colours */
	size_t width;        /* columns of the terminal; 0: do not cut */
	bool is_headingless; /* rows only, to continue a listing printed before */
};

void table_init(struct table *t, const struct table_column *columns, size_t column_count);
void table_clear(struct table *t);
static inline void table_clear_auto(struct table *t)
{
	table_clear(t);
}

/* Copies one value for each column. */
void table_add(struct table *t, const struct value *cells);

/*
 * Appends the whole table. A value is shown in what kind it has, also where the
 * column promised another; BYTES are hex. Table text is made safe for a terminal
 * and NULL is "-"; CSV has LF line ends and an empty field for NULL; JSON is an
 * array with one object a line, keys in the order of the columns.
 */
void table_print(const struct table *t, enum table_format format, const struct table_style *style,
		 struct buf *out);
/* Appends one row as a JSON object on a line of its own: for listings without end. */
void table_print_json_line(const struct table *t, size_t row, struct buf *out);

/* "table", "json" or "csv"; ERR_INVAL. */
enum err table_format_parse(struct bytes text, enum table_format *ret_format);

/* The terminal's width and whether `fd` is one; for a pipe or file the width in COLUMNS, where
 * it is set. Neither bold nor colours where NO_COLOR is set. */
struct table_style table_style_of(int fd);
