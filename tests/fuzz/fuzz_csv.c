/*
 * fuzz_csv - whatever the reader takes, the writer writes, and the reader reads
 * again the same. The first byte lowers the limits.
 */
#include "common/base/check.h"
#include "common/text/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void set_limits(struct csv_reader *r, uint8_t choice)
{
	if ((choice & 1) != 0)
		r->max_fields = 3;
	if ((choice & 2) != 0)
		r->max_field_len = 5;
}

static void copy_row(const struct csv_reader *r, struct csv_writer *w)
{
	for (size_t i = 0; i < r->count; i++) {
		REQUIRE(r->fields[i].len <= r->max_field_len);
		csv_write(w, r->fields[i]);
	}
	csv_write_end(w);
}

static void compare_rows(const struct csv_reader *a, const struct csv_reader *b)
{
	REQUIRE(a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		REQUIRE(bytes_equal(a->fields[i], b->fields[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(csv_reader_clear) struct csv_reader first = {0};
	AUTO(csv_reader_clear) struct csv_reader again = {0};
	AUTO(csv_reader_clear) struct csv_reader copy = {0};
	AUTO(buf_clear) struct buf out = {0};
	struct csv_writer w = {.out = &out};
	struct bytes text;
	size_t rows = 0;

	if (size == 0)
		return 0;
	text = bytes_of(data + 1, size - 1);
	csv_reader_init(&first, text);
	set_limits(&first, data[0]);
	for (; csv_next(&first) == CSV_ROW; rows++) {
		REQUIRE(first.count != 0 && first.count <= first.max_fields);
		copy_row(&first, &w);
	}
	csv_reader_init(&again, text);
	set_limits(&again, data[0]);
	csv_reader_init(&copy, buf_bytes(&out));
	for (; rows != 0; rows--) {
		REQUIRE(csv_next(&again) == CSV_ROW);
		REQUIRE(csv_next(&copy) == CSV_ROW);
		compare_rows(&again, &copy);
	}
	REQUIRE(csv_next(&copy) == CSV_END);
	return 0;
}
