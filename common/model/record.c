#include "common/model/record.h"

#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/check.h"

bool record_is_system_field(struct bytes name)
{
	static const struct bytes names[] = {
		BYTES_LIT(RECORD_UNIT),        BYTES_LIT(RECORD_DELETED),  BYTES_LIT(RECORD_VOIDED),
		BYTES_LIT(RECORD_MERGED_INTO), BYTES_LIT(RECORD_CORRECTS),
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (bytes_equal(name, names[i]))
			return true;
	return false;
}

const struct field *record_find(const struct record *r, struct bytes name)
{
	size_t low = 0;
	size_t high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(name, r->fields[middle].name);

		if (order == 0)
			return &r->fields[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct value record_value(const struct record *r, const char *name)
{
	const struct field *f = record_find(r, bytes_str(name));

	return f != NULL ? f->value : VALUE_NONE;
}

int64_t record_unit(const struct record *r)
{
	struct value unit = record_value(r, RECORD_UNIT);

	return unit.kind == VALUE_INT ? unit.integer : 0;
}

bool record_is_deleted(const struct record *r)
{
	const struct field *deleted = record_find(r, BYTES_LIT(RECORD_DELETED));

	if (deleted == NULL || deleted->value.kind == VALUE_NULL)
		return false;
	for (size_t i = 0; i < r->count; i++)
		if (stamp_compare(&r->fields[i].stamp, &deleted->stamp) > 0)
			return false;
	return true;
}

bool record_is_voided(const struct record *r)
{
	return record_value(r, RECORD_VOIDED).kind != VALUE_NULL;
}

bool record_is_joined(const struct record *r)
{
	return record_value(r, RECORD_MERGED_INTO).kind != VALUE_NULL;
}

struct stamp record_last_stamp(const struct record *r)
{
	struct stamp last = {0};

	for (size_t i = 0; i < r->count; i++)
		if (stamp_compare(&r->fields[i].stamp, &last) > 0)
			last = r->fields[i].stamp;
	return last;
}

uint64_t record_last_log(const struct record *r)
{
	uint64_t last = 0;

	for (size_t i = 0; i < r->count; i++)
		if (r->fields[i].log > last)
			last = r->fields[i].log;
	return last;
}

const struct write *change_find(const struct change *c, struct bytes name)
{
	size_t low = 0;
	size_t high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(name, c->writes[middle].name);

		if (order == 0)
			return &c->writes[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int compare_writes(const void *a, const void *b)
{
	const struct write *first = a;
	const struct write *second = b;

	return bytes_compare(first->name, second->name);
}

/* Every name greater than the one before it. */
static bool is_sorted(const struct change *c)
{
	for (size_t i = 1; i < c->count; i++)
		if (compare_writes(&c->writes[i - 1], &c->writes[i]) >= 0)
			return false;
	return true;
}

bool change_sort(struct change *c)
{
	/* The usual case: our own encoder writes them in order. */
	if (is_sorted(c))
		return true;
	qsort(c->writes, c->count, sizeof c->writes[0], compare_writes);
	return is_sorted(c);
}

static struct value copy_value(struct arena *a, struct value value)
{
	if (value.kind == VALUE_TEXT || value.kind == VALUE_BYTES)
		value.bytes = arena_copy(a, value.bytes);
	return value;
}

struct record record_copy(struct arena *a, const struct record *r)
{
	struct record copy = *r;

	copy.type = arena_copy(a, r->type);
	copy.fields = arena_alloc_array(a, r->count, sizeof copy.fields[0]);
	for (size_t i = 0; i < r->count; i++) {
		copy.fields[i] = r->fields[i];
		copy.fields[i].name = arena_copy(a, r->fields[i].name);
		copy.fields[i].value = copy_value(a, r->fields[i].value);
	}
	return copy;
}

/* Big endian, so that the bytes are the same on every machine. */
static void put_number(struct buf *out, uint64_t number, size_t len)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number >> (8 * (len - 1 - i)));
	buf_append(out, bytes, len);
}

/* Length first: no two different records run into the same bytes. */
static void put_bytes(struct buf *out, struct bytes piece)
{
	put_number(out, piece.len, 8);
	buf_append_bytes(out, piece);
}

static void put_value(struct buf *out, const struct value *value)
{
	buf_append_byte(out, (uint8_t)value->kind);
	switch (value->kind) {
	case VALUE_NULL: return;
	case VALUE_BOOL: buf_append_byte(out, value->boolean ? 1 : 0); return;
	case VALUE_INT: put_number(out, (uint64_t)value->integer, 8); return;
	case VALUE_TEXT:
	case VALUE_BYTES: put_bytes(out, value->bytes); return;
	}
	UNREACHABLE();
}

void record_canonical(const struct record *r, struct buf *out)
{
	put_bytes(out, r->type);
	buf_append(out, r->id.bytes, sizeof r->id.bytes);
	put_number(out, r->count, 8);
	for (size_t i = 0; i < r->count; i++) {
		const struct field *f = &r->fields[i];

		put_bytes(out, f->name);
		put_value(out, &f->value);
		put_number(out, f->stamp.clock, 8);
		put_number(out, f->stamp.device, 4);
	}
}
