#define LOG_TAG "admin"

#include <stdio.h>
#include <string.h>

#include "common/model/validate.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/office.h"
#include "daemon/store.h"
#include "daemon/units.h"

#define RECORDS_MAX 10000u

/* One record of the file: what it becomes, or why not. */
struct row {
	struct bytes type; /* empty: none that is known */
	struct id id;
	bool has_id;
	struct change change;
	const char *result; /* "new", "change", "same", "refused" */
	struct bytes field;
	const char *code;
	const char *why;
};

struct import {
	struct admin_call *call;
	struct row *rows;
	size_t count;
	int64_t day; /* on which codes of units are read */
};

static void refuse(struct row *row, struct bytes field, const char *code, const char *why)
{
	row->result = "refused";
	row->field = field;
	row->code = code;
	row->why = why;
}

static void refuse_finding(struct import *m, struct row *row, const struct finding *finding)
{
	refuse(row, arena_copy(m->call->arena, finding->field), verdict_name(finding->verdict),
	       arena_strdup(m->call->arena, bytes_str(finding->text)));
}

static struct bytes text_at(const json_t *object, const char *key)
{
	const json_t *j = json_object_get(object, key);

	return json_is_string(j) ? bytes_of(json_string_value(j), json_string_length(j))
				 : BYTES_NONE;
}

/* "same" or "change" would tell what is there. */
static void refuse_uncleared(struct row *row, struct bytes field)
{
	refuse(row, field, "not_cleared",
	       "Tài khoản không được xem dữ liệu hạn chế / the account is not cleared for "
	       "restricted data");
}

/* ---- values ---- */

/* "1.234" is a thousand to people: a number with three places gets a fourth. */
static struct bytes real_text(struct arena *a, double number)
{
	struct bytes text = arena_printf(a, "%.15g", number);
	const uint8_t *point = memchr(text.data, '.', text.len);

	if (point != NULL && text.data + text.len - point == 4)
		return arena_printf(a, "%.*s0", BYTES_FMT(text));
	return text;
}

static struct bytes list_text(struct arena *a, const json_t *list)
{
	AUTO(buf_clear) struct buf out = {0};

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *item = json_string_value(json_array_get(list, i));

		buf_printf(&out, "%s%s", i != 0 ? "," : "", item != NULL ? item : "");
	}
	return arena_copy(a, buf_bytes(&out));
}

/* As a person would type it; null is empty, which takes the value away. */
static struct bytes typed(struct arena *a, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING: return bytes_of(json_string_value(value), json_string_length(value));
	case JSON_INTEGER: return arena_printf(a, "%lld", (long long)json_integer_value(value));
	case JSON_REAL: return real_text(a, json_real_value(value));
	case JSON_TRUE: return BYTES_LIT("true");
	case JSON_FALSE: return BYTES_LIT("false");
	case JSON_ARRAY: return list_text(a, value);
	case JSON_OBJECT:
	case JSON_NULL: break;
	}
	return BYTES_NONE;
}

/* ERR_OK also when there is no such unit: then the row is refused. */
static enum err parse_unit(struct import *m, struct row *row, struct bytes field, struct bytes code,
			   struct value *ret_value)
{
	struct unit_row unit;
	enum err e = units_find(m->call->store, m->call->arena, code, m->day, &unit);

	if (e == ERR_NOTFOUND || e == ERR_INVAL) {
		refuse(row, field, "no_such_unit", "Không có đơn vị này / there is no such unit");
		return ERR_OK;
	}
	if (e == ERR_OK)
		*ret_value = value_int(unit.unit);
	return e;
}

static enum err parse_field(struct import *m, struct row *row, const struct schema_field *f,
			    const json_t *json, struct value *ret_value)
{
	struct bytes text = typed(m->call->arena, json);
	struct finding finding = {0};

	if (f->type == FIELD_UNIT && text.len != 0)
		return parse_unit(m, row, f->name, text, ret_value);
	if (validate_parse(m->call->arena, f, text, ret_value, &finding) != VERDICT_OK)
		refuse_finding(m, row, &finding);
	return ERR_OK;
}

/* ---- one record ---- */

/* What the record holds already is not written again. */
static void add_write(struct row *row, const struct record *before, struct bytes name,
		      struct value value)
{
	const struct field *f = record_find(before, name);

	if (f == NULL ? value.kind == VALUE_NULL : value_equal(&f->value, &value))
		return;
	row->change.writes[row->change.count++] = (struct write){name, value};
}

static enum err add_fields(struct import *m, struct row *row, const struct schema_type *type,
			   json_t *fields, const struct record *before)
{
	const char *name;
	json_t *json;
	enum err e = ERR_OK;

	json_object_foreach(fields, name, json)
	{
		const struct schema_field *f = schema_find_field_any(type, bytes_str(name));
		struct value value = VALUE_NONE;

		if (f == NULL) {
			refuse(row, bytes_str(name), verdict_name(VERDICT_UNKNOWN_FIELD),
			       "Loại hồ sơ này không có trường ấy / this type has no such field");
			return ERR_OK;
		}
		if (m->call->caller.is_uncleared && f->sensitivity == SENSITIVITY_RESTRICTED) {
			refuse_uncleared(row, f->name);
			return ERR_OK;
		}
		e = parse_field(m, row, f, json, &value);
		if (e != ERR_OK || row->result != NULL)
			return e;
		add_write(row, before, f->name, value);
	}
	return e;
}

static enum err add_unit(struct import *m, struct row *row, const json_t *json,
			 const struct record *before)
{
	struct value value = VALUE_NONE;
	struct bytes code = text_at(json, "unit");
	enum err e;

	if (code.len == 0)
		return ERR_OK;
	e = parse_unit(m, row, BYTES_LIT(RECORD_UNIT), code, &value);
	if (e == ERR_OK && row->result == NULL)
		add_write(row, before, BYTES_LIT(RECORD_UNIT), value);
	return e;
}

static void judge(struct import *m, struct row *row, const struct record *before)
{
	struct finding finding = {0};

	if (!change_sort(&row->change))
		refuse(row, BYTES_NONE, "twice", "Một trường có hai lần / a field is there twice");
	else if (row->change.count == 0 && before->count != 0)
		row->result = "same";
	else if (validate_change(store_schema(m->call->store), before, &row->change, &finding) !=
		 VERDICT_OK)
		refuse_finding(m, row, &finding);
	else
		row->result = before->count == 0 ? "new" : "change";
}

static bool find_id(struct import *m, struct row *row, const json_t *json)
{
	struct bytes hex = text_at(json, "id");

	if (hex.len == 0)
		row->id = id_new(m->call->ctx->clock, m->call->ctx->rand);
	else if (id_parse(hex, &row->id) != ERR_OK)
		return false;
	row->has_id = true;
	for (const struct row *r = m->rows; r < row; r++) {
		if (r->has_id && id_compare(&r->id, &row->id) == 0)
			return false;
	}
	return true;
}

static enum err check_clearance(struct import *m, struct row *row)
{
	bool is_restricted = false;
	enum err e = ERR_OK;

	if (m->call->caller.is_uncleared)
		e = admin_is_restricted(m->call, row->type, &row->id, &is_restricted);
	if (e == ERR_OK && is_restricted)
		refuse_uncleared(row, BYTES_NONE);
	return e;
}

static enum err read_row(struct import *m, struct row *row, const json_t *json)
{
	const struct schema_type *type =
		schema_find_type_any(store_schema(m->call->store), text_at(json, "type"));
	json_t *fields = json_object_get(json, "fields");
	struct store_state state = {0};
	enum err e;

	if (type == NULL) {
		refuse(row, BYTES_NONE, verdict_name(VERDICT_UNKNOWN_TYPE),
		       "Không có loại hồ sơ này / there is no such record type");
		return ERR_OK;
	}
	row->type = type->name;
	if (!find_id(m, row, json)) {
		refuse(row, BYTES_NONE, "bad_id",
		       "id không phải 32 chữ số hex, hoặc có hai lần trong tệp / the id is not 32 "
		       "hex digits, or is twice in the file");
		return ERR_OK;
	}
	e = check_clearance(m, row);
	if (e != ERR_OK || row->result != NULL)
		return e;
	state.record = (struct record){.type = type->name, .id = row->id};
	e = store_load_states(m->call->store, m->call->arena, &state, 1);
	if (e != ERR_OK)
		return e;
	row->change = (struct change){
		.type = type->name,
		.id = row->id,
		.author = bytes_str(m->call->caller.name),
		.writes = arena_alloc_array(m->call->arena, json_object_size(fields) + 1,
					    sizeof(struct write)),
	};
	e = add_fields(m, row, type, fields, &state.record);
	if (e == ERR_OK && row->result == NULL)
		e = add_unit(m, row, json, &state.record);
	if (e == ERR_OK && row->result == NULL)
		judge(m, row, &state.record);
	return e;
}

/* ---- the whole ---- */

static size_t count_of(const struct import *m, const char *result)
{
	size_t count = 0;

	for (size_t i = 0; i < m->count; i++)
		count += strcmp(m->rows[i].result, result) == 0;
	return count;
}

static bool is_written(const struct row *row)
{
	return strcmp(row->result, "new") == 0 || strcmp(row->result, "change") == 0;
}

/* All or none. What only the merge can see (a record that is too big) refuses its row. */
static enum err write_rows(struct import *m, uint64_t *ret_log)
{
	struct change *changes = arena_alloc_array(m->call->arena, m->count, sizeof *changes);
	struct row **from = arena_alloc_array(m->call->arena, m->count, sizeof(struct row *));
	struct office_written written = {0};
	size_t count = 0;
	enum err e;

	for (size_t i = 0; i < m->count; i++) {
		if (!is_written(&m->rows[i]))
			continue;
		from[count] = &m->rows[i];
		changes[count++] = m->rows[i].change;
	}
	if (count == 0)
		return ERR_OK;
	e = office_write(m->call->ctx, m->call->store, m->call->arena, changes, count, &written);
	if (e != ERR_OK)
		return e;
	if (written.is_merged)
		*ret_log = written.log;
	else
		refuse(from[written.refused], written.field,
		       arena_strdup(m->call->arena, written.code),
		       arena_strdup(m->call->arena, written.text));
	return ERR_OK;
}

static json_t *row_json(const struct row *row, size_t number)
{
	json_t *j = json_object();

	json_object_set_new(j, "row", json_integer((json_int_t)number));
	json_object_set_new(j, "type", admin_json_text(row->type));
	json_object_set_new(j, "id",
			    row->has_id ? admin_json_hex(bytes_of(row->id.bytes, ID_LEN))
					: json_null());
	json_object_set_new(j, "result", json_string(row->result));
	json_object_set_new(j, "field", admin_json_text(row->field));
	json_object_set_new(j, "code", row->code != NULL ? json_string(row->code) : json_null());
	json_object_set_new(j, "why", row->why != NULL ? json_string(row->why) : json_null());
	return j;
}

static void put_counts(const struct import *m, json_t *to)
{
	static const char *const results[] = {"new", "change", "same", "refused"};

	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		json_object_set_new(to, results[i],
				    json_integer((json_int_t)count_of(m, results[i])));
}

static void answer(struct import *m, uint64_t log)
{
	json_t *rows = json_array();
	json_t *result = json_object();

	for (size_t i = 0; i < m->count; i++)
		json_array_append_new(rows, row_json(&m->rows[i], i + 1));
	put_counts(m, result);
	json_object_set_new(result, "log", log != 0 ? json_integer((json_int_t)log) : json_null());
	json_object_set_new(result, "rows", rows);
	m->call->result = result;
	m->call->exit_code = count_of(m, "refused") != 0 ? 4 : 0;
}

/* A dry run, too: it tells whether what is there is the same. */
static void note(struct import *m, uint64_t log)
{
	json_t *detail = json_object();
	struct bytes file = text_at(m->call->args, "file");

	if (file.len != 0)
		json_object_set_new(detail, "file", admin_json_text(file));
	put_counts(m, detail);
	json_object_set_new(detail, "log", log != 0 ? json_integer((json_int_t)log) : json_null());
	admin_note(m->call, "import accept", detail);
}

static enum err fail_records(struct admin_call *call)
{
	return admin_fail(
		call, ERR_INVAL,
		"Cần một danh sách từ 1 đến %u hồ sơ {\"type\", \"unit\", \"fields\"}; chưa ghi gì / "
		"a list of 1 to %u records {\"type\", \"unit\", \"fields\"} is needed; nothing was "
		"written",
		RECORDS_MAX, RECORDS_MAX);
}

/*
 * {records: [{type, id?, unit?, fields: {name: value}}], dry_run?, file?} -> {new, change, same,
 * refused, log, rows: [{row, type, id, result, field, code, why}]}; 4 and nothing written when one
 * is refused. With an id it is that record, without one a new one.
 */
enum err admin_import_accept(struct admin_call *call)
{
	const json_t *records = json_object_get(call->args, "records");
	struct import m = {.call = call, .count = json_array_size(records)};
	uint64_t log = 0;
	enum err e = ERR_OK;

	if (m.count == 0 || m.count > RECORDS_MAX)
		return fail_records(call);
	m.day = units_day_of(clock_wall_ms(call->ctx->clock));
	m.rows = arena_alloc_array(call->arena, m.count, sizeof *m.rows);
	for (size_t i = 0; e == ERR_OK && i < m.count; i++)
		e = read_row(&m, &m.rows[i], json_array_get(records, i));
	if (e == ERR_OK && count_of(&m, "refused") == 0 && !admin_flag(call, "dry_run"))
		e = write_rows(&m, &log);
	if (e != ERR_OK)
		return e;
	note(&m, log);
	answer(&m, log);
	return ERR_OK;
}
