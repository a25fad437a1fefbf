#define LOG_TAG "admin"

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/units.h"

#define PROBLEMS_SHOWN 20u

static enum err day_of(const char *date, int64_t *ret_day)
{
	return units_parse_day(bytes_str(date), ret_day);
}

/* What was imported is in force for every later reading, whatever the clock does then. */
static enum err note_today(struct admin_call *call)
{
	char today[ADMIN_DATE_LEN];
	int64_t day = 0;
	enum err e;

	admin_today(call, today);
	e = day_of(today, &day);
	return e == ERR_OK ? units_note_day(call->store, day) : e;
}

static void put_day(json_t *row, const char *key, int64_t day)
{
	char iso[CLOCK_ISO_LEN];

	if (day == UNITS_DAY_OPEN) {
		json_object_set_new(row, key, json_null());
		return;
	}
	clock_print_iso(day * INT64_C(86400000), iso);
	json_object_set_new(row, key, json_stringn(iso, ADMIN_DATE_LEN - 1));
}

/* One problem a line behind the sentence, as many as fit; the rest is counted. */
static enum err fail_with_problems(struct admin_call *call, const struct unit_problem *problems,
				   size_t count)
{
	AUTO(buf_clear) struct buf text = {0};

	buf_printf(&text,
		   "Danh sách có %zu dòng sai; chưa nhập dòng nào; hãy sửa tệp rồi nhập lại / the "
		   "list has %zu wrong rows; nothing was imported; mend the file and import again",
		   count, count);
	for (size_t i = 0; i < count && i < PROBLEMS_SHOWN; i++) {
		size_t before = text.len;

		buf_printf(&text, "\n  %zu: %s", problems[i].line, problems[i].text);
		if (text.len >= ADMIN_ERROR_LEN - 8) {
			text.len = before;
			buf_append_str(&text, "\n  …");
			break;
		}
	}
	return admin_fail(call, ERR_INVAL, "%s", buf_cstr(&text));
}

/* {csv, from, until?, file?, dry_run?} -> {communes, added, renamed, ended} */
enum err admin_unit_import(struct admin_call *call)
{
	struct units_imported imported = {0};
	char from[ADMIN_DATE_LEN];
	char until[ADMIN_DATE_LEN];
	int64_t from_day = 0;
	int64_t until_day = UNITS_DAY_OPEN;
	struct bytes csv;
	struct bytes file;
	enum err e;

	e = admin_need_text(call, "csv", &csv);
	if (e == ERR_OK)
		e = admin_want_text(call, "file", &file);
	if (e == ERR_OK)
		e = admin_need_date(call, "from", from);
	if (e == ERR_OK)
		e = admin_want_date(call, "until", until);
	if (e == ERR_OK)
		e = day_of(from, &from_day);
	if (e == ERR_OK && until[0] != '\0')
		e = day_of(until, &until_day);
	if (e != ERR_OK)
		return e;
	if (until_day <= from_day)
		return admin_misuse(call,
				    "--until phải sau --from; chưa nhập gì / --until must be after "
				    "--from; nothing was imported");
	e = units_import(call->store, call->arena, csv, from_day, until_day, &imported);
	if (imported.problem_count != 0)
		return fail_with_problems(call, imported.problems, imported.problem_count);
	if (e == ERR_OK)
		e = note_today(call);
	if (e != ERR_OK)
		return e;
	admin_note(call, "unit import",
		   json_pack("{s:s%, s:s, s:I}", "file",
			     file.len != 0 ? (const char *)file.data : "-",
			     file.len != 0 ? file.len : (size_t)1, "from", from, "communes",
			     (json_int_t)imported.communes));
	call->is_undone = admin_flag(call, "dry_run");
	call->result = json_pack("{s:I, s:I, s:I, s:I}", "communes", (json_int_t)imported.communes,
				 "added", (json_int_t)imported.added, "renamed",
				 (json_int_t)imported.renamed, "ended", (json_int_t)imported.ended);
	return ERR_OK;
}

static json_t *refused_json(const struct units_succeeded *done)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < done->refused_count; i++)
		json_array_append_new(rows, json_pack("{s:I, s:s}", "line",
						      (json_int_t)done->refused[i].line, "why",
						      done->refused[i].text));
	return rows;
}

/* {csv, on, file?, dry_run?} -> {rows, whole, partial, suspect, known, refused: [{line, why}]} */
enum err admin_unit_succession(struct admin_call *call)
{
	struct units_succeeded done = {0};
	char on[ADMIN_DATE_LEN];
	int64_t day = 0;
	struct bytes csv;
	struct bytes file;
	enum err e = admin_need_text(call, "csv", &csv);

	if (e == ERR_OK)
		e = admin_want_text(call, "file", &file);
	if (e == ERR_OK)
		e = admin_need_date(call, "on", on);
	if (e == ERR_OK)
		e = day_of(on, &day);
	if (e == ERR_OK)
		e = units_succession(call->store, call->arena, csv, day, &done);
	if (done.problem_count != 0)
		return fail_with_problems(call, done.problems, done.problem_count);
	if (e == ERR_OK)
		e = note_today(call);
	if (e != ERR_OK)
		return e;
	admin_note(call, "unit succession",
		   json_pack("{s:s%, s:s, s:I}", "file",
			     file.len != 0 ? (const char *)file.data : "-",
			     file.len != 0 ? file.len : (size_t)1, "on", on, "rows",
			     (json_int_t)done.rows));
	call->is_undone = admin_flag(call, "dry_run");
	call->result = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "rows", (json_int_t)done.rows,
				 "whole", (json_int_t)done.whole, "partial",
				 (json_int_t)done.partial, "suspect", (json_int_t)done.suspect,
				 "known", (json_int_t)done.known, "refused", refused_json(&done));
	return ERR_OK;
}

static json_t *unit_json(const struct unit_row *u)
{
	json_t *row = json_object();

	json_object_set_new(row, "code", admin_json_text(u->code));
	json_object_set_new(row, "name", admin_json_text(u->name));
	json_object_set_new(row, "type", admin_json_text(u->kind));
	json_object_set_new(row, "province_code", admin_json_text(u->province_code));
	json_object_set_new(row, "unit", json_integer(u->unit));
	put_day(row, "from", u->from);
	put_day(row, "until", u->until);
	return row;
}

/* {province?, on?} -> [{code, name, type, province_code, unit, from, until}] */
enum err admin_unit_list(struct admin_call *call)
{
	struct units_filter filter = {.level = UNIT_COMMUNE};
	struct unit_row province;
	struct unit_row *rows = NULL;
	size_t count = 0;
	char on[ADMIN_DATE_LEN];
	enum err e;

	e = admin_want_text(call, "province", &filter.province);
	if (e == ERR_OK && filter.province.len != 0)
		e = admin_find_unit(call, filter.province, &province);
	if (e == ERR_OK)
		e = admin_want_date(call, "on", on);
	if (e != ERR_OK)
		return e;
	if (on[0] == '\0')
		admin_today(call, on);
	e = day_of(on, &filter.day);
	if (e == ERR_OK)
		e = units_list(call->store, call->arena, &filter, &rows, &count);
	if (e != ERR_OK)
		return e;
	admin_asks_of_each(call);
	call->result = json_array();
	for (size_t i = 0; i < count; i++)
		if (admin_sees_unit(call, rows[i].unit))
			json_array_append_new(call->result, unit_json(&rows[i]));
	return ERR_OK;
}
