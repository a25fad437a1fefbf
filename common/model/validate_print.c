/* From a value to text: for files, and for people's eyes. */
#include "common/model/partial_date.h"
#include "common/model/validate_private.h"

static struct bytes print_decimal(struct arena *a, struct bytes text)
{
	struct decimal d;

	if (!validate_split_decimal(text, &d) || d.fraction.len != 3)
		return arena_copy(a, text);
	return arena_printf(a, "%.*s0", BYTES_FMT(text));
}

struct bytes validate_print(struct arena *a, const struct schema_field *f, const struct value *v)
{
	char hex[ID_HEX_LEN];
	struct id id;

	switch (v->kind) {
	case VALUE_NULL: return BYTES_NONE;
	case VALUE_BOOL: return v->boolean ? BYTES_LIT("true") : BYTES_LIT("false");
	case VALUE_INT: return arena_printf(a, "%lld", (long long)v->integer);
	case VALUE_TEXT:
		return f->type == FIELD_DECIMAL ? print_decimal(a, v->bytes)
						: arena_copy(a, v->bytes);
	case VALUE_BYTES:
		if (v->bytes.len != ID_LEN)
			return BYTES_NONE;
		memcpy(id.bytes, v->bytes.data, ID_LEN);
		id_print(&id, hex);
		return arena_copy(a, bytes_str(hex));
	}
	return BYTES_NONE;
}

/* Digits in groups of three: "1.234.567". */
static void append_grouped(struct buf *out, struct bytes digits)
{
	for (size_t i = 0; i < digits.len; i++) {
		if (i != 0 && (digits.len - i) % 3 == 0)
			buf_append_byte(out, '.');
		buf_append_byte(out, digits.data[i]);
	}
}

static struct bytes show_number(struct arena *a, struct bytes canonical)
{
	AUTO(buf_clear) struct buf out = {0};
	const uint8_t *point;

	if (canonical.len != 0 && canonical.data[0] == '-') {
		buf_append_byte(&out, '-');
		canonical = bytes_of(canonical.data + 1, canonical.len - 1);
	}
	point = canonical.len != 0 ? memchr(canonical.data, '.', canonical.len) : NULL;

	size_t whole = point != NULL ? (size_t)(point - canonical.data) : canonical.len;

	append_grouped(&out, bytes_of(canonical.data, whole));
	if (point != NULL) {
		buf_append_byte(&out, ',');
		buf_append_bytes(&out, bytes_of(point + 1, canonical.len - whole - 1));
	}
	return arena_copy(a, buf_bytes(&out));
}

static struct bytes show_date(struct arena *a, struct bytes text)
{
	const char *p = (const char *)text.data;

	return arena_printf(a, "%.2s/%.2s/%.4s", p + 8, p + 5, p);
}

static struct bytes show_partial(struct arena *a, struct bytes text)
{
	struct partial_date d;

	if (partial_date_parse(text, &d) != ERR_OK)
		return arena_copy(a, text);
	switch (d.precision) {
	case PARTIAL_DAY: return arena_printf(a, "%02d/%02d/%04d", d.day, d.month, d.year);
	case PARTIAL_MONTH: return arena_printf(a, "%02d/%04d", d.month, d.year);
	case PARTIAL_YEAR: return arena_printf(a, "%04d", d.year);
	case PARTIAL_AGE:
		return arena_printf(a, "~%d@%02d/%02d/%04d", d.age, d.day, d.month, d.year);
	}
	return arena_copy(a, text);
}

/* Viet Nam's own zone goes without saying, seconds when there are none too. */
static struct bytes show_time(struct arena *a, struct bytes text)
{
	const char *p = (const char *)text.data;
	bool has_seconds = memcmp(p + 16, ":00", 3) != 0;
	bool is_here = memcmp(p + 19, "+07:00", 6) == 0;

	return arena_printf(a, "%.2s/%.2s/%.4s %.*s%s%.6s", p + 8, p + 5, p, has_seconds ? 8 : 5,
			    p + 11, is_here ? "" : " ", is_here ? "" : p + 19);
}

static struct bytes show_codes(struct arena *a, const struct schema_field *f, struct bytes codes)
{
	AUTO(buf_clear) struct buf out = {0};
	struct bytes rest = codes;
	struct bytes code;

	while (validate_next_code(&rest, &code)) {
		const struct schema_code *c = schema_find_code(f->list, code);

		/* Not a comma: labels have those. */
		if (out.len != 0)
			buf_append_str(&out, "; ");
		buf_append_bytes(&out, c != NULL ? c->label.vi : code);
	}
	return arena_copy(a, buf_bytes(&out));
}

struct bytes validate_show(struct arena *a, const struct schema_field *f, const struct value *v)
{
	if (validate_value(f, v, NULL) != VERDICT_OK || v->kind == VALUE_NULL)
		return validate_print(a, f, v);
	switch (f->type) {
	case FIELD_INTEGER:
	case FIELD_DECIMAL:
		return show_number(a, v->kind == VALUE_TEXT ? v->bytes : validate_print(a, f, v));
	case FIELD_MONEY: return show_number(a, validate_print(a, f, v));
	case FIELD_BOOL: return v->boolean ? BYTES_LIT("có") : BYTES_LIT("không");
	case FIELD_DATE: return show_date(a, v->bytes);
	case FIELD_PARTIAL_DATE: return show_partial(a, v->bytes);
	case FIELD_TIME: return show_time(a, v->bytes);
	case FIELD_CODE:
	case FIELD_CODE_SET: return show_codes(a, f, v->bytes);
	case FIELD_TEXT:
	case FIELD_LONG_TEXT:
	case FIELD_REFERENCE:
	case FIELD_UNIT: return validate_print(a, f, v);
	}
	return validate_print(a, f, v);
}
