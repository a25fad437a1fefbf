/* From what a person typed to the canonical value. */
#include <stdio.h>
#include <stdlib.h>

#include "common/model/partial_date.h"
#include "common/model/validate_number.h"
#include "common/model/validate_private.h"
#include "common/model/vntext.h"

#define TYPED_SET_BYTES 4000u /* a set as typed, with labels: every comma is tried as an end */

/* One parse: where memory comes from, which field, what to say. */
struct typing {
	struct arena *arena;
	const struct schema_field *field;
	struct finding *finding;
	struct bytes text; /* NFC, trimmed, not empty */
};

static enum verdict fail_format(const struct typing *t, const char *vi, const char *en)
{
	return validate_fail_field(t->finding, t->field, VERDICT_BAD_FORMAT, vi, en);
}

static size_t blank_len(struct bytes text)
{
	if (text.len == 0)
		return 0;
	if (text.data[0] == ' ' || (text.data[0] >= '\t' && text.data[0] <= '\r'))
		return 1;
	if (text.len >= 2 && memcmp(text.data, "\xc2\xa0", 2) == 0)
		return 2; /* no-break space, as spreadsheets leave it */
	if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
		return 3; /* byte order mark */
	return 0;
}

static struct bytes trim(struct bytes text)
{
	for (size_t len = blank_len(text); len != 0; len = blank_len(text))
		text = bytes_of(text.data + len, text.len - len);
	for (bool is_blank = true; is_blank && text.len != 0;) {
		is_blank = false;
		for (size_t len = 1; len <= 3 && len <= text.len && !is_blank; len++) {
			struct bytes tail = bytes_of(text.data + text.len - len, len);

			is_blank = blank_len(tail) == len;
			if (is_blank)
				text.len -= len;
		}
	}
	return text;
}

/* Line ends become "\n"; in one line of text they and tabs become a blank. */
static struct bytes settle_lines(struct arena *a, struct bytes text, bool is_long)
{
	uint8_t *out = arena_alloc(a, text.len);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];

		if (c == '\r') {
			if (i + 1 < text.len && text.data[i + 1] == '\n')
				continue;
			c = '\n';
		}
		if (!is_long && (c == '\n' || c == '\t'))
			c = ' ';
		out[len++] = c;
	}
	return bytes_of(out, len);
}

static enum verdict parse_integer(const struct typing *t, struct value *ret)
{
	struct typed_number n;
	struct bytes rest;
	int64_t integer;

	if (!typed_number_read(t->text, &n, &rest) || rest.len != 0 ||
	    !typed_number_to_integer(&n, 0, &integer))
		return fail_format(t, "không phải là số nguyên", "is not a whole number");
	*ret = value_int(integer);
	return VERDICT_OK;
}

/* The power of ten of "nghìn", "triệu", "tỷ"; -1: something else. "đồng" and its like: 0. */
static int money_zeros(struct bytes word)
{
	static const struct {
		const char *key; /* folded */
		int zeros;
	} words[] = {
		{"d", 0},          {"dong", 0},      {"vnd", 0},        {"nghin", 3},
		{"ngan", 3},       {"trieu", 6},     {"ty", 9},         {"ti", 9},
		{"nghin dong", 3}, {"ngan dong", 3}, {"trieu dong", 6}, {"ty dong", 9},
		{"ti dong", 9},
	};
	AUTO(buf_clear) struct buf key = {0};

	if (vntext_key(word, VNTEXT_FOLD, &key) != ERR_OK)
		return -1;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (bytes_is(buf_bytes(&key), words[i].key))
			return words[i].zeros;
	/* The sign of the currency. */
	return bytes_is(word, "₫") ? 0 : -1;
}

static enum verdict parse_money(const struct typing *t, struct value *ret)
{
	struct typed_number n;
	struct bytes rest;
	int64_t amount;
	int zeros = 0;

	if (!typed_number_read(t->text, &n, &rest))
		return fail_format(t, "không phải là số tiền", "is not an amount");
	if (rest.len != 0)
		zeros = money_zeros(rest);
	if (zeros < 0 || !typed_number_to_integer(&n, (size_t)zeros, &amount))
		return fail_format(t, "không phải là số tiền", "is not an amount");
	*ret = value_int(amount);
	return VERDICT_OK;
}

static enum verdict parse_decimal(const struct typing *t, struct value *ret)
{
	struct typed_number n;
	struct bytes rest;

	if (!typed_number_read(t->text, &n, &rest) || rest.len != 0)
		return fail_format(t, "không phải là số", "is not a number");
	*ret = value_text(arena_printf(t->arena, "%s%.*s%s%.*s", n.is_negative ? "-" : "",
				       (int)n.whole_len, n.whole, n.fraction_len != 0 ? "." : "",
				       (int)n.fraction_len, n.fraction));
	return VERDICT_OK;
}

static enum verdict parse_bool(const struct typing *t, struct value *ret)
{
	static const char *const yes[] = {"co", "yes", "true", "y", "x", "1", "dung"};
	static const char *const no[] = {"khong", "no", "false", "n", "0", "sai"};
	AUTO(buf_clear) struct buf key = {0};

	if (vntext_key(t->text, VNTEXT_FOLD, &key) != ERR_OK)
		return fail_format(t, "không phải là có hoặc không", "is not yes or no");
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (bytes_is(buf_bytes(&key), yes[i])) {
			*ret = value_bool(true);
			return VERDICT_OK;
		}
	}
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
		if (bytes_is(buf_bytes(&key), no[i])) {
			*ret = value_bool(false);
			return VERDICT_OK;
		}
	}
	return fail_format(t, "không phải là có hoặc không", "is not yes or no");
}

static enum verdict parse_date(const struct typing *t, struct value *ret)
{
	struct typed_day d;

	if (typed_day_read(t->text, &d) != t->text.len || !validate_is_day(d.year, d.month, d.day))
		return fail_format(t, "không phải là ngày (ví dụ 31/12/2020)",
				   "is not a date (as 31/12/2020)");
	*ret = value_text(arena_printf(t->arena, "%04d-%02d-%02d", d.year, d.month, d.day));
	return VERDICT_OK;
}

static enum verdict parse_partial(const struct typing *t, struct value *ret)
{
	struct partial_date d;
	char text[PARTIAL_DATE_LEN];

	if (partial_date_read(t->text, &d) != ERR_OK)
		return fail_format(t, "không phải là ngày, tháng, năm hoặc tuổi ước lượng",
				   "is not a date, month, year or estimated age");
	partial_date_print(&d, text);
	*ret = value_text(arena_copy(t->arena, bytes_str(text)));
	return VERDICT_OK;
}

struct typed_time {
	int hour, minute, second;
	char sign;
	int zone_hour, zone_minute;
};

/* "07:30", "07:30:15", "7h30", with "Z", "+07:00" or nothing behind. Bytes read, 0: no time. */
static size_t read_clock(struct bytes text, struct typed_time *ret)
{
	struct typed_time c = {.sign = '+', .zone_hour = 7};
	size_t at = typed_digits_read(text, 0, 2, &c.hour);
	size_t len;

	if (at == 0 || at == text.len || (text.data[at] != ':' && text.data[at] != 'h'))
		return 0;
	len = typed_digits_read(text, at + 1, 2, &c.minute);
	if (len != 2)
		return 0;
	at += 1 + len;
	if (at < text.len && text.data[at] == ':') {
		len = typed_digits_read(text, at + 1, 2, &c.second);
		if (len != 2)
			return 0;
		at += 1 + len;
	}
	*ret = c;
	return at;
}

static size_t read_zone(struct bytes text, struct typed_time *c)
{
	if (text.len != 0 && text.data[0] == 'Z') {
		c->zone_hour = 0;
		return 1;
	}
	if (text.len < 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':' ||
	    typed_digits_read(text, 1, 2, &c->zone_hour) != 2 ||
	    typed_digits_read(text, 4, 2, &c->zone_minute) != 2)
		return 0;
	c->sign = (char)text.data[0];
	return 6;
}

static struct bytes skip(struct bytes text, size_t len)
{
	return trim(bytes_of(text.data + len, text.len - len));
}

/* Day then clock or clock then day; the zone follows the clock. Bytes of neither left over. */
static bool read_moment(struct bytes text, struct typed_day *d, struct typed_time *c)
{
	size_t len = typed_day_read(text, d);
	bool is_day_first = len != 0;

	if (is_day_first) {
		text = bytes_of(text.data + len, text.len - len);
		if (text.len != 0 && text.data[0] == 'T')
			text = bytes_of(text.data + 1, text.len - 1);
		text = trim(text);
	}
	len = read_clock(text, c);
	if (len == 0)
		return false;
	text = skip(text, len);
	text = skip(text, read_zone(text, c));
	if (is_day_first)
		return text.len == 0;
	len = typed_day_read(text, d);
	return len != 0 && len == text.len;
}

static enum verdict parse_time(const struct typing *t, struct value *ret)
{
	struct typed_day d;
	struct typed_time c;

	if (!read_moment(t->text, &d, &c) || !validate_is_day(d.year, d.month, d.day))
		return fail_format(t, "không phải là thời điểm (ví dụ 31/12/2020 07:30)",
				   "is not a time (as 31/12/2020 07:30)");
	*ret = value_text(arena_printf(t->arena, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", d.year,
				       d.month, d.day, c.hour, c.minute, c.second, c.sign,
				       c.zone_hour, c.zone_minute));
	return VERDICT_OK;
}

/* One code whose code or label has this key; NULL: none, or more than one. */
static const struct schema_code *find_by_key(const struct schema_list *l, struct bytes text,
					     enum vntext_level level)
{
	const struct schema_code *found = NULL;
	AUTO(buf_clear) struct buf wanted = {0};

	if (vntext_key(text, level, &wanted) != ERR_OK || wanted.len == 0)
		return NULL;
	for (size_t i = 0; i < l->count; i++) {
		const struct bytes names[] = {l->codes[i].code, l->codes[i].label.vi,
					      l->codes[i].label.en};
		bool is_same = false;

		for (size_t n = 0; n < 3 && !is_same; n++) {
			AUTO(buf_clear) struct buf key = {0};

			is_same = vntext_key(names[n], level, &key) == ERR_OK &&
				  bytes_equal(buf_bytes(&key), buf_bytes(&wanted));
		}
		if (is_same && found != NULL)
			return NULL;
		if (is_same)
			found = &l->codes[i];
	}
	return found;
}

static const struct schema_code *find_typed_code(const struct schema_list *l, struct bytes text)
{
	const struct schema_code *c = schema_find_code(l, text);

	if (c == NULL)
		c = find_by_key(l, text, VNTEXT_EXACT);
	if (c == NULL)
		c = find_by_key(l, text, VNTEXT_FOLD);
	return c;
}

static enum verdict fail_code(const struct typing *t)
{
	return validate_fail_field(t->finding, t->field, VERDICT_NO_SUCH_CODE,
				   "không có trong danh mục", "is not in its code list");
}

static enum verdict parse_code(const struct typing *t, struct value *ret)
{
	const struct schema_code *c = find_typed_code(t->field->list, t->text);

	if (c == NULL)
		return fail_code(t);
	*ret = value_text(c->code);
	return VERDICT_OK;
}

/* The longest piece at the front that names a code, up to a comma or the end: a label may
 * have commas in it ("Khuyết tật nghe, nói"). */
static const struct schema_code *take_code(const struct schema_list *l, struct bytes *rest)
{
	for (size_t end = rest->len; end != 0; end--) {
		const struct schema_code *c;

		if (end != rest->len && rest->data[end] != ',' && rest->data[end] != ';')
			continue;
		c = find_typed_code(l, trim(bytes_of(rest->data, end)));
		if (c == NULL)
			continue;
		*rest = end == rest->len
				? BYTES_NONE
				: trim(bytes_of(rest->data + end + 1, rest->len - end - 1));
		return c;
	}
	return NULL;
}

static int compare_codes(const void *a, const void *b)
{
	const struct bytes *x = a;
	const struct bytes *y = b;

	return bytes_compare(*x, *y);
}

static enum verdict parse_set(const struct typing *t, struct value *ret)
{
	struct bytes *codes = arena_alloc_array(t->arena, t->field->list->count, sizeof *codes);
	struct bytes rest = t->text;
	AUTO(buf_clear) struct buf set = {0};
	size_t count = 0;

	if (rest.len > TYPED_SET_BYTES)
		return fail_code(t);
	while (rest.len != 0) {
		const struct schema_code *c = take_code(t->field->list, &rest);

		if (c == NULL)
			return fail_code(t);
		if (count == t->field->list->count)
			return fail_format(t, "có mã bị trùng", "has a code twice");
		codes[count++] = c->code;
	}
	qsort(codes, count, sizeof *codes, compare_codes);
	for (size_t i = 0; i < count; i++) {
		if (i != 0 && bytes_equal(codes[i - 1], codes[i]))
			continue;
		if (set.len != 0)
			buf_append_byte(&set, ',');
		buf_append_bytes(&set, codes[i]);
	}
	*ret = value_text(arena_copy(t->arena, buf_bytes(&set)));
	return VERDICT_OK;
}

static enum verdict parse_reference(const struct typing *t, struct value *ret)
{
	struct id id;

	if (id_parse(t->text, &id) != ERR_OK)
		return fail_format(t, "không phải là mã hồ sơ", "is not a record id");
	*ret = value_bytes(arena_copy(t->arena, bytes_of(id.bytes, ID_LEN)));
	return VERDICT_OK;
}

static enum verdict parse_typed(const struct typing *t, struct value *ret)
{
	switch (t->field->type) {
	case FIELD_TEXT:
	case FIELD_LONG_TEXT: *ret = value_text(t->text); return VERDICT_OK;
	case FIELD_INTEGER:
	case FIELD_UNIT: return parse_integer(t, ret);
	case FIELD_MONEY: return parse_money(t, ret);
	case FIELD_DECIMAL: return parse_decimal(t, ret);
	case FIELD_BOOL: return parse_bool(t, ret);
	case FIELD_DATE: return parse_date(t, ret);
	case FIELD_PARTIAL_DATE: return parse_partial(t, ret);
	case FIELD_TIME: return parse_time(t, ret);
	case FIELD_CODE: return parse_code(t, ret);
	case FIELD_CODE_SET: return parse_set(t, ret);
	case FIELD_REFERENCE: return parse_reference(t, ret);
	}
	return VERDICT_OK;
}

enum verdict validate_parse(struct arena *a, const struct schema_field *f, struct bytes text,
			    struct value *ret_value, struct finding *ret_finding)
{
	struct typing t = {.arena = a, .field = f, .finding = ret_finding};
	AUTO(buf_clear) struct buf nfc = {0};
	struct value value = VALUE_NONE;
	enum verdict v;

	if (vntext_nfc(text, &nfc) != ERR_OK)
		return validate_fail_field(ret_finding, f, VERDICT_NOT_NFC, "chữ không phải UTF-8",
					   "is not UTF-8");
	t.text = trim(settle_lines(a, buf_bytes(&nfc), f->type == FIELD_LONG_TEXT));
	if (t.text.len != 0) {
		v = parse_typed(&t, &value);
		if (v == VERDICT_OK)
			v = validate_value(f, &value, ret_finding);
		if (v != VERDICT_OK)
			return v;
	}
	*ret_value = value;
	return validate_pass(ret_finding);
}
