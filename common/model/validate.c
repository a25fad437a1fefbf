#include "common/model/validate.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/model/partial_date.h"
#include "common/model/validate_private.h"
#include "common/model/vntext.h"

#define REASON_CHARS 300 /* why a record was deleted or an event voided */

const char *verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_OK: return "ok";
	case VERDICT_WRONG_TYPE: return "wrong_type";
	case VERDICT_NOT_NFC: return "not_nfc";
	case VERDICT_TOO_LONG: return "too_long";
	case VERDICT_OUT_OF_RANGE: return "out_of_range";
	case VERDICT_NO_SUCH_CODE: return "no_such_code";
	case VERDICT_BAD_FORMAT: return "bad_format";
	case VERDICT_MISSING: return "missing";
	case VERDICT_UNKNOWN_TYPE: return "unknown_type";
	case VERDICT_UNKNOWN_FIELD: return "unknown_field";
	}
	return "unknown";
}

/* vsnprintf() may have cut a character in two. */
static void trim_broken_char(char *text)
{
	size_t len = strlen(text);
	size_t start = len;

	while (start > 0 && ((uint8_t)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || (uint8_t)text[start - 1] < 0xc0)
		return;

	uint8_t lead = (uint8_t)text[start - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (len - (start - 1) < want)
		text[start - 1] = '\0';
}

enum verdict validate_fail(struct finding *f, enum verdict v, struct bytes field, const char *fmt,
			   ...)
{
	va_list args;

	if (f == NULL)
		return v;
	f->verdict = v;
	f->field = field;
	va_start(args, fmt);
	(void)vsnprintf(f->text, sizeof f->text, fmt, args);
	va_end(args);
	trim_broken_char(f->text);
	return v;
}

enum verdict validate_pass(struct finding *f)
{
	/* Asked of every value: the room for a text is not cleared each time. */
	if (f != NULL) {
		f->verdict = VERDICT_OK;
		f->field = BYTES_NONE;
		f->text[0] = '\0';
	}
	return VERDICT_OK;
}

/* "Họ và tên: … / full_name …": the label for people, the name for whoever helps them. */
enum verdict validate_fail_field(struct finding *ret, const struct schema_field *f, enum verdict v,
				 const char *vi, const char *en)
{
	return validate_fail(ret, v, f->name, "%.*s: %s / %.*s %s", BYTES_FMT(f->label.vi), vi,
			     BYTES_FMT(f->name), en);
}

/* How many characters, and which: for fields and for our own reasons alike. */
static enum verdict judge_text(struct bytes text, bool is_long, size_t most)
{
	if (!vntext_is_clean(text, is_long))
		return VERDICT_NOT_NFC;
	if (text.len == 0)
		return VERDICT_BAD_FORMAT;
	/* Characters are no more than bytes. */
	return text.len > most && vntext_length(text) > most ? VERDICT_TOO_LONG : VERDICT_OK;
}

static enum verdict check_text(const struct schema_field *f, struct bytes text, struct finding *ret)
{
	bool is_long = f->type == FIELD_LONG_TEXT;
	int64_t most = is_long ? SCHEMA_LONG_TEXT_CHARS : SCHEMA_TEXT_CHARS;
	enum verdict v;

	if (f->has_max)
		most = f->max;
	v = judge_text(text, is_long, (size_t)most);
	if (v == VERDICT_NOT_NFC)
		return validate_fail_field(ret, f, v, "chữ không đúng chuẩn NFC hoặc có ký tự lạ",
					   "is not NFC or has control characters");
	if (v == VERDICT_BAD_FORMAT)
		return validate_fail_field(ret, f, v, "để trống", "is empty text");
	if (v == VERDICT_TOO_LONG)
		return validate_fail(
			ret, v, f->name,
			"%.*s: dài quá %lld ký tự / %.*s is longer than %lld characters",
			BYTES_FMT(f->label.vi), (long long)most, BYTES_FMT(f->name),
			(long long)most);
	if (f->has_min && vntext_length(text) < (size_t)f->min)
		return validate_fail_field(ret, f, VERDICT_OUT_OF_RANGE, "quá ngắn",
					   "is too short");
	if (!schema_matches(f, text))
		return validate_fail_field(ret, f, VERDICT_BAD_FORMAT, "không đúng mẫu",
					   "does not fit its pattern");
	return VERDICT_OK;
}

static enum verdict fail_range(const struct schema_field *f, struct finding *ret)
{
	if (f->has_min && f->has_max)
		return validate_fail(ret, VERDICT_OUT_OF_RANGE, f->name,
				     "%.*s: phải từ %lld đến %lld / %.*s must be %lld to %lld",
				     BYTES_FMT(f->label.vi), (long long)f->min, (long long)f->max,
				     BYTES_FMT(f->name), (long long)f->min, (long long)f->max);
	return validate_fail_field(ret, f, VERDICT_OUT_OF_RANGE, "ngoài giới hạn cho phép",
				   "is out of range");
}

static enum verdict check_integer(const struct schema_field *f, int64_t n, struct finding *ret)
{
	if ((f->has_min && n < f->min) || (f->has_max && n > f->max))
		return fail_range(f, ret);
	return VERDICT_OK;
}

bool validate_split_decimal(struct bytes text, struct decimal *ret_parts)
{
	struct decimal d = {0};
	size_t at = 0;
	size_t digits = 0;

	if (text.len != 0 && text.data[0] == '-') {
		d.is_negative = true;
		at = 1;
	}
	for (; at < text.len && text.data[at] >= '0' && text.data[at] <= '9'; at++, digits++)
		d.whole = d.whole < DECIMAL_WHOLE_MOST ? d.whole * 10 + (text.data[at] - '0')
						       : d.whole;
	if (digits == 0 || digits > DECIMAL_WHOLE_DIGITS ||
	    (digits > 1 && text.data[d.is_negative ? 1 : 0] == '0'))
		return false;
	if (at == text.len) {
		/* There is one zero. */
		if (d.is_negative && d.whole == 0)
			return false;
		*ret_parts = d;
		return true;
	}
	d.fraction = bytes_of(text.data + at + 1, text.len - at - 1);
	if (text.data[at] != '.' || d.fraction.len == 0 ||
	    d.fraction.len > DECIMAL_FRACTION_DIGITS || d.fraction.data[d.fraction.len - 1] == '0')
		return false;
	for (size_t i = 0; i < d.fraction.len; i++)
		if (d.fraction.data[i] < '0' || d.fraction.data[i] > '9')
			return false;
	*ret_parts = d;
	return true;
}

static enum verdict check_decimal(const struct schema_field *f, struct bytes text,
				  struct finding *ret)
{
	struct decimal d;

	if (!validate_split_decimal(text, &d))
		return validate_fail_field(ret, f, VERDICT_BAD_FORMAT, "không phải là số",
					   "is not a canonical decimal");

	int64_t whole = d.is_negative ? -d.whole : d.whole;
	bool has_fraction = d.fraction.len != 0;

	/* -3.5 lies below -3, 3.5 above 3. */
	if (f->has_min && (whole < f->min || (whole == f->min && d.is_negative && has_fraction)))
		return fail_range(f, ret);
	if (f->has_max && (whole > f->max || (whole == f->max && !d.is_negative && has_fraction)))
		return fail_range(f, ret);
	return VERDICT_OK;
}

static int number_at(struct bytes text, size_t at, size_t len)
{
	int number = 0;

	for (size_t i = at; i < at + len; i++)
		number = number * 10 + (text.data[i] - '0');
	return number;
}

/* `form` has d for a digit, s for a sign, else the character itself. */
static bool has_form(struct bytes text, const char *form)
{
	if (text.len != strlen(form))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (form[i] == 'd' && (c < '0' || c > '9'))
			return false;
		if (form[i] == 's' && c != '+' && c != '-')
			return false;
		if (form[i] != 'd' && form[i] != 's' && c != (uint8_t)form[i])
			return false;
	}
	return true;
}

bool validate_is_day(int year, int month, int day)
{
	int64_t same_year;
	int same_month;
	int same_day;

	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
		return false;
	/* 31 February comes back as a day of March. */
	clock_civil_from_days(clock_days_from_civil(year, month, day), &same_year, &same_month,
			      &same_day);
	return same_month == month && same_day == day;
}

/* Not clock_parse_iso(): its error names the text, and this may be somebody's birth date. */
static bool is_date(struct bytes text)
{
	return has_form(text, "dddd-dd-dd") &&
	       validate_is_day(number_at(text, 0, 4), number_at(text, 5, 2), number_at(text, 8, 2));
}

static enum verdict check_year(const struct schema_field *f, int year, struct finding *ret)
{
	if (year < VALIDATE_YEAR_MIN || year > VALIDATE_YEAR_MAX)
		return validate_fail(ret, VERDICT_OUT_OF_RANGE, f->name,
				     "%.*s: năm phải từ %d đến %d / %.*s: year must be %d to %d",
				     BYTES_FMT(f->label.vi), VALIDATE_YEAR_MIN, VALIDATE_YEAR_MAX,
				     BYTES_FMT(f->name), VALIDATE_YEAR_MIN, VALIDATE_YEAR_MAX);
	return VERDICT_OK;
}

static enum verdict check_date(const struct schema_field *f, struct bytes text, struct finding *ret)
{
	if (!is_date(text))
		return validate_fail_field(ret, f, VERDICT_BAD_FORMAT, "không phải là ngày",
					   "is not a date");
	return check_year(f, number_at(text, 0, 4), ret);
}

static enum verdict check_partial(const struct schema_field *f, struct bytes text,
				  struct finding *ret)
{
	struct partial_date d;

	if (partial_date_parse(text, &d) != ERR_OK)
		return validate_fail_field(ret, f, VERDICT_BAD_FORMAT,
					   "không phải là ngày, tháng, năm hoặc tuổi ước lượng",
					   "is not a date, month, year or estimated age");
	return check_year(f, d.year, ret);
}

/* "2020-12-31T07:30:00+07:00", no other form: equal times have equal bytes. */
static bool is_time(struct bytes text)
{
	return has_form(text, "dddd-dd-ddTdd:dd:ddsdd:dd") && is_date(bytes_of(text.data, 10)) &&
	       number_at(text, 11, 2) < 24 && number_at(text, 14, 2) < 60 &&
	       number_at(text, 17, 2) < 60 && number_at(text, 20, 2) <= 14 &&
	       number_at(text, 23, 2) < 60;
}

static enum verdict check_time(const struct schema_field *f, struct bytes text, struct finding *ret)
{
	if (!is_time(text))
		return validate_fail_field(ret, f, VERDICT_BAD_FORMAT, "không phải là thời điểm",
					   "is not a time with its zone");
	return check_year(f, number_at(text, 0, 4), ret);
}

static enum verdict fail_code(const struct schema_field *f, struct finding *ret)
{
	return validate_fail_field(ret, f, VERDICT_NO_SUCH_CODE, "không có trong danh mục",
				   "is not in its code list");
}

bool validate_next_code(struct bytes *rest, struct bytes *ret_code)
{
	const uint8_t *comma;

	if (rest->data == NULL)
		return false;
	comma = rest->len != 0 ? memchr(rest->data, ',', rest->len) : NULL;
	if (comma == NULL) {
		*ret_code = *rest;
		*rest = BYTES_NONE;
		return true;
	}
	size_t len = (size_t)(comma - rest->data);

	*ret_code = bytes_of(rest->data, len);
	*rest = bytes_of(comma + 1, rest->len - len - 1);
	return true;
}

static enum verdict check_set(const struct schema_field *f, struct bytes set, struct finding *ret)
{
	struct bytes rest = set;
	struct bytes last = BYTES_NONE;
	struct bytes code;

	/* No codes is no value. */
	if (set.len == 0)
		return fail_code(f, ret);
	while (validate_next_code(&rest, &code)) {
		if (last.len != 0 && bytes_compare(last, code) >= 0)
			return validate_fail_field(ret, f, VERDICT_BAD_FORMAT,
						   "các mã phải xếp theo thứ tự, không trùng",
						   "must be sorted codes without doubles");
		if (schema_find_code(f->list, code) == NULL)
			return fail_code(f, ret);
		last = code;
	}
	return VERDICT_OK;
}

static enum value_kind kind_of(enum field_type t)
{
	switch (t) {
	case FIELD_INTEGER:
	case FIELD_MONEY:
	case FIELD_UNIT: return VALUE_INT;
	case FIELD_BOOL: return VALUE_BOOL;
	case FIELD_REFERENCE: return VALUE_BYTES;
	case FIELD_TEXT:
	case FIELD_LONG_TEXT:
	case FIELD_DECIMAL:
	case FIELD_DATE:
	case FIELD_PARTIAL_DATE:
	case FIELD_TIME:
	case FIELD_CODE:
	case FIELD_CODE_SET: return VALUE_TEXT;
	}
	return VALUE_NULL;
}

static enum verdict check_typed(const struct schema_field *f, const struct value *v,
				struct finding *ret)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_LONG_TEXT: return check_text(f, v->bytes, ret);
	case FIELD_INTEGER:
	case FIELD_MONEY: return check_integer(f, v->integer, ret);
	case FIELD_DECIMAL: return check_decimal(f, v->bytes, ret);
	case FIELD_BOOL: return VERDICT_OK;
	case FIELD_DATE: return check_date(f, v->bytes, ret);
	case FIELD_PARTIAL_DATE: return check_partial(f, v->bytes, ret);
	case FIELD_TIME: return check_time(f, v->bytes, ret);
	case FIELD_CODE:
		return schema_find_code(f->list, v->bytes) != NULL ? VERDICT_OK : fail_code(f, ret);
	case FIELD_CODE_SET: return check_set(f, v->bytes, ret);
	case FIELD_REFERENCE:
		if (v->bytes.len == ID_LEN)
			return VERDICT_OK;
		return validate_fail_field(ret, f, VERDICT_BAD_FORMAT, "không phải là mã hồ sơ",
					   "is not a record id");
	case FIELD_UNIT:
		if (v->integer > 0)
			return VERDICT_OK;
		return validate_fail_field(ret, f, VERDICT_OUT_OF_RANGE, "không có đơn vị này",
					   "is not a unit");
	}
	return VERDICT_OK;
}

enum verdict validate_value(const struct schema_field *f, const struct value *v,
			    struct finding *ret_finding)
{
	enum verdict verdict;

	if (v->kind == VALUE_NULL)
		return validate_pass(ret_finding);
	if (v->kind != kind_of(f->type))
		return validate_fail_field(ret_finding, f, VERDICT_WRONG_TYPE,
					   "không đúng kiểu dữ liệu",
					   "has the wrong kind of value");
	verdict = check_typed(f, v, ret_finding);
	return verdict == VERDICT_OK ? validate_pass(ret_finding) : verdict;
}

enum verdict validate_reason(struct bytes name, struct bytes text, struct finding *ret)
{
	enum verdict v = judge_text(text, false, REASON_CHARS);

	if (v == VERDICT_OK)
		return v;
	return validate_fail(
		ret, v, name,
		"Lý do: phải có từ 1 đến %d ký tự / %.*s: reason must have 1 to %d characters",
		REASON_CHARS, BYTES_FMT(name), REASON_CHARS);
}
