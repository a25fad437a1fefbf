#include "common/text/csv.h"

#include "common/base/check.h"
#include "common/base/mem.h"

#define BOM BYTES_LIT("\xef\xbb\xbf")

static bool starts_with(struct bytes text, struct bytes front)
{
	return text.len >= front.len && memcmp(text.data, front.data, front.len) == 0;
}

/*
 * Reads the header only, and knows that separators inside quotes are none. What the header
 * has more of separates: names of columns have commas of their own ("Thôn, ấp, khu phố").
 */
static char find_separator(struct bytes text, size_t start)
{
	bool is_quoted = false;
	size_t commas = 0;
	size_t semicolons = 0;

	while (start < text.len && (text.data[start] == '\n' || text.data[start] == '\r'))
		start++;
	for (size_t i = start; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '"')
			is_quoted = !is_quoted;
		if (is_quoted)
			continue;
		if (c == '\n' || c == '\r')
			break;
		commas += c == ',';
		semicolons += c == ';';
	}
	return semicolons > commas ? ';' : ',';
}

void csv_reader_init(struct csv_reader *r, struct bytes text)
{
	*r = (struct csv_reader){
		.text = text,
		.max_fields = CSV_MAX_FIELDS,
		.max_field_len = CSV_MAX_FIELD_LEN,
		.next_line = 1,
	};
	if (starts_with(text, BOM))
		r->at = BOM.len;
	if (starts_with(text, BYTES_LIT("\xff\xfe")) || starts_with(text, BYTES_LIT("\xfe\xff"))) {
		r->problem = CSV_UTF16;
		r->line = 1;
	}
	r->separator = find_separator(text, r->at);
}

void csv_reader_clear(struct csv_reader *r)
{
	mem_free(r->fields);
	arena_clear(&r->memory);
	*r = (struct csv_reader){0};
}

/* Length of the line end at `at`: 0 when there is none. */
static size_t line_end(struct bytes text, size_t at)
{
	if (at >= text.len)
		return 0;
	if (text.data[at] == '\n')
		return 1;
	if (text.data[at] != '\r')
		return 0;
	return at + 1 < text.len && text.data[at + 1] == '\n' ? 2 : 1;
}

static bool skip_line_end(struct csv_reader *r)
{
	size_t len = line_end(r->text, r->at);

	r->at += len;
	r->next_line += len != 0;
	return len != 0;
}

static enum csv_problem keep_field(struct csv_reader *r, struct bytes field)
{
	if (field.len > r->max_field_len)
		return CSV_FIELD_TOO_LONG;
	if (r->count == r->capacity) {
		r->capacity = r->capacity != 0 ? 2 * r->capacity : 16;
		r->fields = mem_realloc(r->fields, r->capacity * sizeof *r->fields);
	}
	r->fields[r->count++] = field;
	return CSV_FINE;
}

static enum csv_problem read_bare(struct csv_reader *r)
{
	size_t start = r->at;

	while (r->at < r->text.len) {
		uint8_t c = r->text.data[r->at];

		if (c == '"')
			return CSV_STRAY_QUOTE;
		if (c == (uint8_t)r->separator || c == '\n' || c == '\r')
			break;
		r->at++;
	}
	return keep_field(r, bytes_of(r->text.data + start, r->at - start));
}

/* A doubled quote stands for one. */
static struct bytes undouble(struct arena *memory, struct bytes raw)
{
	uint8_t *plain = arena_alloc(memory, raw.len);
	size_t len = 0;

	for (size_t i = 0; i < raw.len; i++) {
		plain[len++] = raw.data[i];
		i += raw.data[i] == '"';
	}
	return bytes_of(plain, len);
}

/* `at` is on the opening quote. */
static enum csv_problem read_quoted(struct csv_reader *r)
{
	size_t opened_on = r->next_line;
	size_t start = ++r->at;
	bool is_doubled = false;
	struct bytes field;

	for (;;) {
		if (r->at >= r->text.len) {
			/* The line of the opening quote is the one to mend. */
			r->next_line = opened_on;
			return CSV_OPEN_QUOTE;
		}
		if (skip_line_end(r))
			continue;
		if (r->text.data[r->at] != '"') {
			r->at++;
			continue;
		}
		if (r->at + 1 == r->text.len || r->text.data[r->at + 1] != '"')
			break;
		is_doubled = true;
		r->at += 2;
	}
	field = bytes_of(r->text.data + start, r->at - start);
	r->at++;
	if (r->at < r->text.len && r->text.data[r->at] != (uint8_t)r->separator &&
	    line_end(r->text, r->at) == 0)
		return CSV_TEXT_BEHIND;
	/* Raw is at most twice as long: an endless field is not copied first. */
	if (field.len / 2 > r->max_field_len)
		return CSV_FIELD_TOO_LONG;
	return keep_field(r, is_doubled ? undouble(&r->memory, field) : field);
}

static enum csv_problem read_row(struct csv_reader *r)
{
	for (;;) {
		enum csv_problem problem;

		if (r->count == r->max_fields)
			return CSV_TOO_MANY_FIELDS;
		if (r->at < r->text.len && r->text.data[r->at] == '"')
			problem = read_quoted(r);
		else
			problem = read_bare(r);
		if (problem != CSV_FINE)
			return problem;
		if (r->at == r->text.len || line_end(r->text, r->at) != 0)
			break;
		r->at++;
	}
	(void)skip_line_end(r);
	return CSV_FINE;
}

enum csv_step csv_next(struct csv_reader *r)
{
	enum csv_problem problem;

	r->count = 0;
	if (r->problem != CSV_FINE)
		return CSV_BAD;
	if (r->memory.used != 0)
		arena_clear(&r->memory);
	while (skip_line_end(r))
		;
	if (r->at == r->text.len)
		return CSV_END;
	r->line = r->next_line;
	r->row++;
	problem = read_row(r);
	if (problem == CSV_FINE)
		return CSV_ROW;
	r->problem = problem;
	r->line = r->next_line;
	r->count = 0;
	return CSV_BAD;
}

struct bytes csv_field(const struct csv_reader *r, size_t index)
{
	return index < r->count ? r->fields[index] : BYTES_NONE;
}

size_t csv_find(const struct csv_reader *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		if (bytes_is(r->fields[i], name))
			return i;
	}
	return CSV_NONE;
}

const char *csv_problem_text(enum csv_problem problem)
{
	switch (problem) {
	case CSV_FINE: return "không có lỗi (no error)";
	case CSV_STRAY_QUOTE:
		return "dấu ngoặc kép ở giữa ô không có ngoặc: đặt cả ô trong ngoặc kép và viết "
		       "đôi dấu bên trong (a quote inside a bare field: quote the field and "
		       "double the quotes in it)";
	case CSV_TEXT_BEHIND:
		return "có chữ sau dấu ngoặc kép đóng ô (text behind the quote that closes a "
		       "field)";
	case CSV_OPEN_QUOTE:
		return "ô mở bằng dấu ngoặc kép mà không đóng (a quoted field is never closed)";
	case CSV_TOO_MANY_FIELDS: return "dòng có quá nhiều ô (too many fields in the row)";
	case CSV_FIELD_TOO_LONG: return "ô quá dài (field too long)";
	case CSV_UTF16:
		return "tệp ở dạng UTF-16: hãy lưu lại thành CSV UTF-8 (the file is UTF-16: save "
		       "it as CSV UTF-8)";
	}
	UNREACHABLE();
}

static char separator_of(const struct csv_writer *w)
{
	if (w->separator != '\0')
		return w->separator;
	return ',';
}

/*
 * Quotes also what this file's reader, or a spreadsheet, would take for something
 * else: both separators, blanks at the ends, the first bytes of a BOM.
 */
static bool needs_quotes(const struct csv_writer *w, struct bytes field)
{
	uint8_t first = field.len != 0 ? field.data[0] : 0;
	uint8_t last = field.len != 0 ? field.data[field.len - 1] : 0;

	for (size_t i = 0; i < field.len; i++) {
		uint8_t c = field.data[i];

		if (c == '"' || c == ',' || c == ';' || c == '\n' || c == '\r' ||
		    c == (uint8_t)separator_of(w))
			return true;
	}
	return first == ' ' || first == '\t' || last == ' ' || last == '\t' || first == 0xef ||
	       first >= 0xfe;
}

void csv_write_bom(struct csv_writer *w)
{
	buf_append_bytes(w->out, BOM);
}

void csv_write(struct csv_writer *w, struct bytes field)
{
	if (w->count++ != 0)
		buf_append_byte(w->out, (uint8_t)separator_of(w));
	w->is_last_empty = field.len == 0;
	if (!needs_quotes(w, field)) {
		buf_append_bytes(w->out, field);
		return;
	}
	buf_append_byte(w->out, '"');
	for (size_t i = 0; i < field.len; i++) {
		if (field.data[i] == '"')
			buf_append_byte(w->out, '"');
		buf_append_byte(w->out, field.data[i]);
	}
	buf_append_byte(w->out, '"');
}

void csv_write_str(struct csv_writer *w, const char *field)
{
	csv_write(w, bytes_str(field));
}

void csv_write_end(struct csv_writer *w)
{
	REQUIRE(w->count != 0);
	/* A lone empty field would be an empty line, and those are skipped. */
	if (w->count == 1 && w->is_last_empty)
		buf_append_str(w->out, "\"\"");
	buf_append_str(w->out, w->line_end != NULL ? w->line_end : "\r\n");
	w->count = 0;
}
