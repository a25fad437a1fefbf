/*
 * listing - rows of JSON from the daemon as a table, JSON, or CSV.
 *
 * JSON is given on as it came, one object a line. CSV has every column, values as in
 * JSON. A table is for people: fewer columns, times in Viet Nam, "dd/mm/yyyy".
 */
#pragma once

#include <jansson.h>

#include "admin/ctl.h"

enum listing_kind {
	LISTING_TEXT,   /* what the value is by itself */
	LISTING_NUMBER, /* to the right, never cut */
	LISTING_WORD,   /* a word to type again, never cut */
	LISTING_TIME,   /* "2026-11-22T02:12:59.123Z" -> "22/11/2026 09:12:59" */
	LISTING_MINUTE, /* the same without seconds */
	LISTING_DATE,   /* "2026-11-22" -> "22/11/2026" */
	LISTING_ID,     /* 32 hex digits -> the first 20; `show` takes them */
	LISTING_WHOLE_ID,
	LISTING_STAMP,  /* {"at", "device"} -> "22/11/2026 09:12:59, máy 2" */
	LISTING_OFFSET, /* of a clock, in ms: -4200 -> "-4 giây" */
	LISTING_FIELDS  /* {"a": 1, "b": 2} -> "a=1; b=2"; of one object, one a line */
};

struct listing_column {
	const char *key;
	const char *label_vi;
	const char *label_en;
	enum listing_kind kind;
	bool is_csv_only;
};

/* Appends the rows of an array. A table without rows says so. */
void listing_print(const struct ctl *ctl, const struct listing_column *columns, size_t count,
		   const json_t *rows, struct buf *out);
/* The same with columns that only the answer names (`query`). */
void listing_print_any(const struct ctl *ctl, const json_t *names, const json_t *rows,
		       struct buf *out);
/* Without a heading, to go on with a listing (--follow); JSON: one object a line, no array. */
void listing_print_more(const struct ctl *ctl, const struct listing_column *columns, size_t count,
			const json_t *rows, struct buf *out);

/* One value for people; appended to `out`. */
void listing_append_value(struct buf *out, const json_t *value, enum listing_kind kind);
/* Fields of one object, one a line: "label: value". */
void listing_print_object(const struct ctl *ctl, const struct listing_column *columns, size_t count,
			  const json_t *object, struct buf *out);

/*
 * Most commands: ask, print an array as a listing, or one object. `take_args` is released. The
 * exit code.
 */
int listing_ask(const struct ctl *ctl, const char *command, json_t *take_args,
		const struct listing_column *columns, size_t count);
int listing_ask_one(const struct ctl *ctl, const char *command, json_t *take_args,
		    const struct listing_column *columns, size_t count);
