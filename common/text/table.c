#include "common/text/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/id.h"
#include "common/base/mem.h"
#include "common/model/vntext.h"
#include "common/text/csv.h"
#include "common/text/json.h"

#define GAP       2u /* blanks between columns; 1 where the terminal is narrow */
#define MIN_WIDTH 8u /* no column of text is cut to less */
#define MANY      6u /* columns: with more, blanks between them are given up first */
#define ELLIPSIS  "…"
#define BOLD      "\x1b[1m"
#define GREEN     "\x1b[32m"
#define YELLOW    "\x1b[33m"
#define RED       "\x1b[31m"
#define PLAIN     "\x1b[0m"

void table_init(struct table *t, const struct table_column *columns, size_t column_count)
{
	REQUIRE(column_count > 0);
	*t = (struct table){.columns = columns, .column_count = column_count};
}

void table_clear(struct table *t)
{
	mem_free(t->cells);
	arena_clear(&t->memory);
	*t = (struct table){0};
}

void table_add(struct table *t, const struct value *cells)
{
	struct value *row;

	if (t->row_count == t->row_capacity) {
		size_t size;

		t->row_capacity = t->row_capacity != 0 ? 2 * t->row_capacity : 16;
		REQUIRE(!__builtin_mul_overflow(t->row_capacity, t->column_count * sizeof *t->cells,
						&size));
		t->cells = mem_realloc(t->cells, size);
	}
	row = &t->cells[t->row_count++ * t->column_count];
	for (size_t i = 0; i < t->column_count; i++) {
		row[i] = cells[i];
		if (cells[i].kind == VALUE_TEXT || cells[i].kind == VALUE_BYTES)
			row[i].bytes = arena_copy(&t->memory, cells[i].bytes);
	}
}

static const struct value *row_of(const struct table *t, size_t row)
{
	REQUIRE(row < t->row_count);
	return &t->cells[row * t->column_count];
}

/* The value as bare text, as CSV wants it; NULL is empty. */
static void put_value(const struct value *v, struct buf *out)
{
	switch (v->kind) {
	case VALUE_NULL: break;
	case VALUE_BOOL: buf_append_str(out, v->boolean ? "true" : "false"); break;
	case VALUE_INT: buf_printf(out, "%" PRId64, v->integer); break;
	case VALUE_TEXT: buf_append_bytes(out, v->bytes); break;
	case VALUE_BYTES:
		hex_print(v->bytes.data, v->bytes.len,
			  (char *)buf_reserve(out, 2 * v->bytes.len + 1));
		out->len += 2 * v->bytes.len;
		break;
	}
}

static void print_csv(const struct table *t, const struct table_style *style, struct buf *out)
{
	AUTO(buf_clear) struct buf text = {0};
	struct csv_writer w = {.out = out, .line_end = "\n"};

	if (!style->is_headingless) {
		for (size_t i = 0; i < t->column_count; i++)
			csv_write_str(&w, t->columns[i].key);
		csv_write_end(&w);
	}
	for (size_t row = 0; row < t->row_count; row++) {
		for (size_t i = 0; i < t->column_count; i++) {
			buf_reset(&text);
			put_value(&row_of(t, row)[i], &text);
			csv_write(&w, buf_bytes(&text));
		}
		csv_write_end(&w);
	}
}

static void print_json(const struct table *t, struct buf *out)
{
	buf_append_byte(out, '[');
	for (size_t row = 0; row < t->row_count; row++) {
		buf_append_str(out, row != 0 ? ",\n  " : "\n  ");
		json_print_row(t->columns, t->column_count, row_of(t, row), out);
	}
	buf_append_str(out, t->row_count != 0 ? "\n]\n" : "]\n");
}

void table_print_json_line(const struct table *t, size_t row, struct buf *out)
{
	json_print_row(t->columns, t->column_count, row_of(t, row), out);
	buf_append_byte(out, '\n');
}

/* What a person sees of a value, safe for a terminal. */
static void show_value(const struct value *v, struct buf *out)
{
	AUTO(buf_clear) struct buf text = {0};

	switch (v->kind) {
	case VALUE_NULL: buf_append_str(out, "-"); break;
	case VALUE_BOOL: buf_append_str(out, v->boolean ? "có" : "không"); break;
	case VALUE_INT:
	case VALUE_TEXT:
	case VALUE_BYTES:
		put_value(v, &text);
		vntext_show(buf_bytes(&text), out);
		break;
	}
}

static const char *label_vi(const struct table_column *c)
{
	return c->label_vi != NULL ? c->label_vi : c->key;
}

static const char *label_en(const struct table_column *c)
{
	return c->label_en != NULL ? c->label_en : "";
}

static bool is_right(const struct table_column *c)
{
	if (c->align != TABLE_ALIGN_AUTO)
		return c->align == TABLE_RIGHT;
	return c->type == TABLE_INT || c->type == TABLE_NUMBER;
}

/* A number without its last digits is a wrong number. */
static bool may_cut(const struct table_column *c)
{
	return !c->is_whole && c->type != TABLE_INT && c->type != TABLE_NUMBER;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void measure(const struct table *t, size_t *widths)
{
	AUTO(buf_clear) struct buf text = {0};

	for (size_t i = 0; i < t->column_count; i++) {
		widths[i] = larger(vntext_width(bytes_str(label_vi(&t->columns[i]))),
				   vntext_width(bytes_str(label_en(&t->columns[i]))));
		for (size_t row = 0; row < t->row_count; row++) {
			buf_reset(&text);
			show_value(&row_of(t, row)[i], &text);
			widths[i] = larger(widths[i], vntext_width(buf_bytes(&text)));
		}
	}
}

static size_t line_width(const struct table *t, const size_t *widths, size_t gap)
{
	size_t total = gap * (t->column_count - 1);

	for (size_t i = 0; i < t->column_count; i++)
		total += widths[i];
	return total;
}

/*
 * Narrows the gap of many columns, then cuts the widest column of text, column by column of the
 * terminal, until all fit or none may be cut further; then lines are longer than
 * the terminal. The gap is the result.
 */
static size_t cut_to(const struct table *t, size_t width, size_t *widths)
{
	size_t gap = t->column_count > MANY && line_width(t, widths, GAP) > width ? 1 : GAP;
	size_t total = line_width(t, widths, gap);

	while (total > width) {
		size_t widest = t->column_count;

		for (size_t i = 0; i < t->column_count; i++) {
			if (may_cut(&t->columns[i]) && widths[i] > MIN_WIDTH &&
			    (widest == t->column_count || widths[i] > widths[widest]))
				widest = i;
		}
		if (widest == t->column_count)
			break;
		widths[widest]--;
		total--;
	}
	return gap;
}

static void pad(struct buf *out, size_t count)
{
	memset(buf_reserve(out, count), ' ', count);
	out->len += count;
}

struct layout {
	size_t *widths;
	size_t gap;
	bool has_colours; /* of the rows, not of the headings */
};

static const char *const tones[] = {
	[TABLE_PLAIN] = "", [TABLE_GOOD] = GREEN, [TABLE_ODD] = YELLOW, [TABLE_BAD] = RED};

static enum table_tone tone_of(const struct table *t, const struct layout *l, size_t column,
			       struct bytes text)
{
	if (!l->has_colours || t->tone == NULL)
		return TABLE_PLAIN;
	return t->tone(&t->columns[column], text);
}

/* `text` within its column; nothing is padded behind the last one. */
static void put_cell(const struct table *t, const struct layout *l, size_t column,
		     struct bytes text, struct buf *out)
{
	const enum table_tone tone = tone_of(t, l, column, text);
	size_t width = l->widths[column];
	bool is_last = column + 1 == t->column_count;
	size_t taken = vntext_width(text);

	if (taken <= width && is_right(&t->columns[column])) {
		pad(out, width - taken);
		width = taken;
	}
	buf_append_str(out, tones[tone]);
	if (taken > width) {
		buf_append(out, text.data, vntext_fit(text, width - 1));
		taken = vntext_width(bytes_of(text.data, vntext_fit(text, width - 1))) + 1;
		buf_append_str(out, ELLIPSIS);
	} else {
		buf_append_bytes(out, text);
	}
	buf_append_str(out, tone != TABLE_PLAIN ? PLAIN : "");
	if (!is_last)
		pad(out, width - taken + l->gap);
}

static void trim_line(struct buf *out)
{
	while (out->len != 0 && out->data[out->len - 1] == ' ')
		out->len--;
	buf_append_byte(out, '\n');
}

static void put_heading(const struct table *t, const struct layout *l,
			const char *(*label)(const struct table_column *), struct buf *out)
{
	for (size_t i = 0; i < t->column_count; i++)
		put_cell(t, l, i, bytes_str(label(&t->columns[i])), out);
	trim_line(out);
}

static bool has_english(const struct table *t)
{
	for (size_t i = 0; i < t->column_count; i++) {
		if (t->columns[i].label_en != NULL)
			return true;
	}
	return false;
}

static void print_headings(const struct table *t, const struct table_style *style,
			   const struct layout *l, struct buf *out)
{
	buf_append_str(out, style->is_terminal ? BOLD : "");
	put_heading(t, l, label_vi, out);
	/* The bold ends in front of the line end, so that a pager sees whole lines. */
	if (style->is_terminal) {
		out->len--;
		buf_append_str(out, PLAIN "\n");
	}
	if (has_english(t))
		put_heading(t, l, label_en, out);
}

static void print_table(const struct table *t, const struct table_style *style, struct buf *out)
{
	AUTO(mem_free) size_t *widths = mem_alloc_array(t->column_count, sizeof *widths);
	AUTO(buf_clear) struct buf text = {0};

	struct layout l = {.widths = widths, .gap = GAP};

	measure(t, widths);
	if (style->width != 0)
		l.gap = cut_to(t, style->width, widths);
	if (!style->is_headingless)
		print_headings(t, style, &l, out);
	l.has_colours = style->is_terminal;
	for (size_t row = 0; row < t->row_count; row++) {
		for (size_t i = 0; i < t->column_count; i++) {
			buf_reset(&text);
			show_value(&row_of(t, row)[i], &text);
			put_cell(t, &l, i, buf_bytes(&text), out);
		}
		trim_line(out);
	}
}

void table_print(const struct table *t, enum table_format format, const struct table_style *style,
		 struct buf *out)
{
	switch (format) {
	case TABLE_TABLE: print_table(t, style, out); break;
	case TABLE_JSON: print_json(t, out); break;
	case TABLE_CSV: print_csv(t, style, out); break;
	}
}

static const char *const format_names[] = {
	[TABLE_TABLE] = "table", [TABLE_JSON] = "json", [TABLE_CSV] = "csv"};

enum err table_format_parse(struct bytes text, enum table_format *ret_format)
{
	for (unsigned i = 0; i < sizeof format_names / sizeof format_names[0]; i++) {
		if (bytes_is(text, format_names[i])) {
			*ret_format = (enum table_format)i;
			return ERR_OK;
		}
	}
	return err_raise(ERR_INVAL, "no such format: %.*s", BYTES_FMT(text));
}

/* What COLUMNS says; 0: nothing that is a width. */
static size_t width_told(void)
{
	const char *text = getenv("COLUMNS");
	long width = text != NULL ? strtol(text, NULL, 10) : 0;

	return width > 0 && width <= UINT16_MAX ? (size_t)width : 0;
}

struct table_style table_style_of(int fd)
{
	struct table_style style = {0};
	const char *no_color = getenv("NO_COLOR");
	struct winsize size = {0};

	if (isatty(fd) == 0) {
		style.width = width_told();
		return style;
	}
	style.is_terminal = no_color == NULL || no_color[0] == '\0';
	if (ioctl(fd, TIOCGWINSZ, &size) == 0)
		style.width = size.ws_col;
	return style;
}
