/* The file of a dated list of units: read, and each wrong row named. */
#include <stdlib.h>

#include "common/model/vntext.h"
#include "common/text/csv.h"
#include "daemon/units_private.h"

#define CODE_LEN_MAX 10u
#define NAME_LEN_MAX 200u

struct columns {
	size_t code, name, kind, district_code, district_name, province_code, province_name;
};

static bool find_columns(const struct csv_reader *r, struct columns *c, struct problems *problems)
{
	c->code = csv_find(r, "code");
	c->name = csv_find(r, "name");
	c->kind = csv_find(r, "type");
	c->district_code = csv_find(r, "district_code");
	c->district_name = csv_find(r, "district_name");
	c->province_code = csv_find(r, "province_code");
	c->province_name = csv_find(r, "province_name");
	if (c->code != CSV_NONE && c->name != CSV_NONE && c->kind != CSV_NONE &&
	    c->province_code != CSV_NONE &&
	    (c->district_code == CSV_NONE) == (c->district_name == CSV_NONE) &&
	    (c->district_code != CSV_NONE || c->province_name != CSV_NONE))
		return true;
	units_problem(problems, r->line,
		      "Cần các cột code,name,type,district_code,district_name,province_code hoặc"
		      " code,name,type,province_code,province_name / these columns are wanted");
	return false;
}

static bool is_code(struct bytes code)
{
	if (code.len == 0 || code.len > CODE_LEN_MAX)
		return false;
	for (size_t i = 0; i < code.len; i++) {
		if (code.data[i] < '0' || code.data[i] > '9')
			return false;
	}
	return true;
}

/* NFC, or a problem. */
static struct bytes read_name(struct arena *a, struct bytes name, size_t line, const char *column,
			      struct problems *problems)
{
	AUTO(buf_clear) struct buf nfc = {0};

	if (name.len == 0 || name.len > NAME_LEN_MAX || vntext_nfc(name, &nfc) != ERR_OK) {
		units_problem(problems, line,
			      "%s: trống, quá dài hoặc không phải UTF-8 / empty, too long or not"
			      " UTF-8",
			      column);
		return BYTES_NONE;
	}
	return arena_copy(a, buf_bytes(&nfc));
}

static void check_code(struct bytes code, size_t line, const char *column,
		       struct problems *problems)
{
	if (!is_code(code))
		units_problem(problems, line, "%s: mã phải là chữ số / a code is digits", column);
}

static struct bytes optional(const struct csv_reader *r, size_t column)
{
	return column != CSV_NONE ? csv_field(r, column) : BYTES_NONE;
}

static void read_list_row(struct arena *a, const struct csv_reader *r, const struct columns *c,
			  struct unit_list_row *row, struct problems *problems)
{
	*row = (struct unit_list_row){
		.line = r->line,
		.code = arena_copy(a, csv_field(r, c->code)),
		.name = read_name(a, csv_field(r, c->name), r->line, "name", problems),
		.kind = read_name(a, csv_field(r, c->kind), r->line, "type", problems),
		.province_code = arena_copy(a, csv_field(r, c->province_code)),
	};
	check_code(row->code, r->line, "code", problems);
	check_code(row->province_code, r->line, "province_code", problems);
	if (c->district_code != CSV_NONE) {
		row->district_code = arena_copy(a, csv_field(r, c->district_code));
		row->district_name = read_name(a, csv_field(r, c->district_name), r->line,
					       "district_name", problems);
		check_code(row->district_code, r->line, "district_code", problems);
	}
	if (optional(r, c->province_name).len != 0)
		row->province_name = read_name(a, csv_field(r, c->province_name), r->line,
					       "province_name", problems);
	else if (c->district_code == CSV_NONE)
		units_problem(problems, r->line, "province_name: trống / empty");
}

static int by_code(const void *a, const void *b)
{
	const struct unit_list_row *left = a;
	const struct unit_list_row *right = b;
	int order = bytes_compare(left->code, right->code);

	return order != 0 ? order : (left->line > right->line) - (left->line < right->line);
}

/* Sorted by code afterwards: the order of the file must not matter. */
static void check_doubles(struct unit_list *list, struct problems *problems)
{
	if (list->count == 0)
		return;
	qsort(list->rows, list->count, sizeof *list->rows, by_code);
	for (size_t i = 1; i < list->count; i++) {
		if (bytes_equal(list->rows[i].code, list->rows[i - 1].code))
			units_problem(problems, list->rows[i].line,
				      "%.*s: mã đã có ở dòng %zu / the code is on line %zu too",
				      BYTES_FMT(list->rows[i].code), list->rows[i - 1].line,
				      list->rows[i - 1].line);
	}
}

void units_read_list(struct arena *a, struct bytes csv, struct unit_list *ret_list,
		     struct problems *problems)
{
	AUTO(csv_reader_clear) struct csv_reader r;
	struct columns columns;
	size_t cap = 0;
	enum csv_step step;

	csv_reader_init(&r, csv);
	if (csv_next(&r) != CSV_ROW || !find_columns(&r, &columns, problems)) {
		if (problems->count == 0)
			units_problem(problems, 1, "%s", csv_problem_text(r.problem));
		return;
	}
	ret_list->has_districts = columns.district_code != CSV_NONE;
	while ((step = csv_next(&r)) == CSV_ROW) {
		if (ret_list->count == cap) {
			struct unit_list_row *more =
				arena_alloc_array(a, cap * 2 + 256, sizeof *more);

			if (ret_list->count != 0)
				memcpy(more, ret_list->rows, ret_list->count * sizeof *more);
			ret_list->rows = more;
			cap = cap * 2 + 256;
		}
		read_list_row(a, &r, &columns, &ret_list->rows[ret_list->count++], problems);
	}
	if (step == CSV_BAD)
		units_problem(problems, r.line, "%s", csv_problem_text(r.problem));
	else if (ret_list->count == 0)
		units_problem(problems, 1, "Không có dòng nào / no rows");
	if (problems->count == 0)
		check_doubles(ret_list, problems);
}
