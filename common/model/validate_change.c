/* A whole change: our own fields, codes on their day, what is required. */
#include "common/model/validate_private.h"

/* The state as it will be, without merging: what the change writes, else what is there. */
struct view {
	const struct schema_type *type;
	const struct record *before; /* NULL: new */
	const struct change *change;
	bool is_judged; /* each value alone */
};

static struct value value_after(const struct view *w, struct bytes name)
{
	const struct write *written = change_find(w->change, name);
	const struct field *field;

	if (written != NULL)
		return written->value;
	field = w->before != NULL ? record_find(w->before, name) : NULL;
	return field != NULL ? field->value : VALUE_NONE;
}

static enum verdict fail_system(struct finding *ret, enum verdict v, struct bytes name)
{
	return validate_fail(ret, v, name, "%.*s: giá trị không hợp lệ / %.*s: not a valid value",
			     BYTES_FMT(name), BYTES_FMT(name));
}

static enum verdict check_system(const struct change *c, const struct write *w, struct finding *ret)
{
	const struct value *v = &w->value;

	if (bytes_is(w->name, RECORD_UNIT)) {
		if (v->kind != VALUE_INT)
			return fail_system(ret, VERDICT_WRONG_TYPE, w->name);
		return v->integer > 0 ? VERDICT_OK
				      : fail_system(ret, VERDICT_OUT_OF_RANGE, w->name);
	}
	if (v->kind == VALUE_NULL)
		return VERDICT_OK;
	if (bytes_is(w->name, RECORD_DELETED) || bytes_is(w->name, RECORD_VOIDED)) {
		if (v->kind != VALUE_TEXT)
			return fail_system(ret, VERDICT_WRONG_TYPE, w->name);
		return validate_reason(w->name, v->bytes, ret);
	}
	if (v->kind != VALUE_BYTES)
		return fail_system(ret, VERDICT_WRONG_TYPE, w->name);
	/* A record joined to itself, or that corrects itself, would lead in a circle. */
	if (v->bytes.len != ID_LEN || memcmp(v->bytes.data, c->id.bytes, ID_LEN) == 0)
		return fail_system(ret, VERDICT_BAD_FORMAT, w->name);
	return VERDICT_OK;
}

bool validate_code_is_valid_on(const struct schema_code *c, struct bytes day)
{
	if (c->valid_from.len != 0 && bytes_compare(day, c->valid_from) < 0)
		return false;
	return c->valid_until.len == 0 || bytes_compare(day, c->valid_until) < 0;
}

/* The day the record is about, or empty when nothing tells it. A time says its own day. */
static struct bytes day_of(const struct view *w)
{
	struct value v = w->type->date != NULL ? value_after(w, w->type->date->name) : VALUE_NONE;

	if (v.kind != VALUE_TEXT || v.bytes.len < 10)
		return BYTES_NONE;
	return bytes_of(v.bytes.data, 10);
}

static enum verdict check_day(const struct schema_field *f, const struct value *v, struct bytes day,
			      struct finding *ret)
{
	struct bytes rest = v->bytes;
	struct bytes code;

	if (f->list == NULL || v->kind != VALUE_TEXT || day.len == 0)
		return VERDICT_OK;
	while (validate_next_code(&rest, &code)) {
		const struct schema_code *c = schema_find_code(f->list, code);

		if (c != NULL && !validate_code_is_valid_on(c, day))
			return validate_fail_field(ret, f, VERDICT_NO_SUCH_CODE,
						   "mã không có hiệu lực vào ngày này",
						   "has a code that is not valid on that day");
	}
	return VERDICT_OK;
}

/* *ret_unknown: the first field the schema does not know. */
static enum verdict check_writes(const struct view *w, struct bytes *ret_unknown,
				 struct finding *ret)
{
	struct bytes day = day_of(w);

	for (size_t i = 0; i < w->change->count; i++) {
		const struct write *written = &w->change->writes[i];
		const struct schema_field *f = schema_find_field(w->type, written->name);
		enum verdict v;

		if (record_is_system_field(written->name)) {
			v = check_system(w->change, written, ret);
		} else if (f == NULL) {
			*ret_unknown = ret_unknown->len != 0 ? *ret_unknown : written->name;
			continue;
		} else {
			v = w->is_judged ? VERDICT_OK : validate_value(f, &written->value, ret);
			if (v == VERDICT_OK)
				v = check_day(f, &written->value, day, ret);
		}
		if (v != VERDICT_OK)
			return v;
	}
	return VERDICT_OK;
}

static bool condition_has(const struct schema_condition *c, struct bytes code)
{
	for (size_t i = 0; i < c->count; i++)
		if (bytes_equal(c->codes[i], code))
			return true;
	return false;
}

bool validate_applies(const struct schema_field *f, const struct value *v)
{
	struct bytes rest;
	struct bytes code;

	if (f->when.field.len == 0)
		return true;
	if (v->kind != VALUE_TEXT)
		return false;
	rest = v->bytes;
	while (validate_next_code(&rest, &code))
		if (condition_has(&f->when, code))
			return true;
	return false;
}

/* Whether this change has to answer for the field being there. */
static bool is_touched(const struct view *w, const struct schema_field *f)
{
	return w->before == NULL || change_find(w->change, f->name) != NULL ||
	       (f->when.field.len != 0 && change_find(w->change, f->when.field) != NULL);
}

static enum verdict check_required(const struct view *w, struct finding *ret)
{
	if (w->before == NULL && change_find(w->change, BYTES_LIT(RECORD_UNIT)) == NULL)
		return validate_fail(ret, VERDICT_MISSING, BYTES_LIT(RECORD_UNIT),
				     "Hồ sơ mới phải có đơn vị / a new record must name its unit");
	for (size_t i = 0; i < w->type->count; i++) {
		const struct schema_field *f = &w->type->fields[i];
		struct value v;

		if (!f->is_required || !is_touched(w, f))
			continue;
		v = f->when.field.len != 0 ? value_after(w, f->when.field) : VALUE_NONE;
		if (!validate_applies(f, &v))
			continue;
		v = value_after(w, f->name);
		if (v.kind == VALUE_NULL)
			return validate_fail_field(ret, f, VERDICT_MISSING, "bắt buộc phải có",
						   "is required");
	}
	return VERDICT_OK;
}

enum verdict validate_change(const struct schema *s, const struct record *before,
			     const struct change *c, struct finding *ret_finding)
{
	struct view w = {
		.type = schema_find_type(s, c->type),
		.before = before != NULL && before->count != 0 ? before : NULL,
		.change = c,
		.is_judged = c->judged_by == s,
	};
	struct bytes unknown = BYTES_NONE;
	enum verdict v;

	if (w.type == NULL)
		return validate_fail(ret_finding, VERDICT_UNKNOWN_TYPE, BYTES_NONE,
				     "Loại hồ sơ chưa có ở đây / no such record type here");
	v = check_writes(&w, &unknown, ret_finding);
	if (v == VERDICT_OK)
		v = check_required(&w, ret_finding);
	if (v != VERDICT_OK)
		return v;
	if (unknown.len != 0) {
		(void)validate_fail(
			ret_finding, VERDICT_UNKNOWN_FIELD, unknown,
			"%.*s: trường chưa biết, giữ nguyên / unknown field, kept as it is",
			BYTES_FMT(unknown));
		return VERDICT_OK;
	}
	return validate_pass(ret_finding);
}

void validate_ahead(const struct schema *s, struct change *c)
{
	const struct schema_type *type = schema_find_type(s, c->type);

	if (type == NULL)
		return;
	for (size_t i = 0; i < c->count; i++) {
		const struct write *written = &c->writes[i];
		const struct schema_field *f = schema_find_field(type, written->name);

		if (f != NULL && !record_is_system_field(written->name) &&
		    validate_value(f, &written->value, NULL) != VERDICT_OK)
			return;
	}
	c->judged_by = s;
}
