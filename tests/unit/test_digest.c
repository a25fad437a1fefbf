#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/model/digest.h"
#include "tests/unit/vectors.h"

#define RECORDS 600u

struct fixture {
	struct arena arena;
	struct record records[RECORDS];
	struct digest digest; /* of all of them */
};

static struct record person(struct arena *a, uint64_t n)
{
	const struct stamp first = {.clock = 1000 + n, .device = 3};
	const struct stamp later = {.clock = 9000 + n, .device = 4};
	struct field *f = arena_alloc_array(a, 4, sizeof *f);
	struct record r = {.type = BYTES_LIT("person"), .fields = f, .count = 4};

	for (size_t i = 0; i < 8; i++)
		r.id.bytes[ID_LEN - 1 - i] = (uint8_t)(n >> (8 * i));
	f[0] = (struct field){BYTES_LIT("full_name"),
			      value_text(arena_printf(a, "Điểu K'Ré %u", (unsigned)n)), first, n};
	f[1] = (struct field){BYTES_LIT("is_poor"), value_bool(n % 2 == 0), later, n + 1};
	f[2] = (struct field){BYTES_LIT("note"), VALUE_NONE, later, n + 1};
	f[3] = (struct field){BYTES_LIT("unit"), value_int(25195), first, n};
	return r;
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);

	for (size_t i = 0; i < RECORDS; i++) {
		f->records[i] = person(&f->arena, i);
		digest_add(&f->digest, &f->records[i]);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_clear(&f->arena);
	mem_free(f);
	return 0;
}

static bool same_root(const struct digest *a, const struct digest *b)
{
	const struct hash left = digest_root(a);
	const struct hash right = digest_root(b);

	return memcmp(left.bytes, right.bytes, HASH_LEN) == 0;
}

/* Of all records, with another in place of one, or without it. */
static struct digest digest_with(const struct fixture *f, size_t index,
				 const struct record *instead)
{
	struct digest d = {0};

	for (size_t i = 0; i < RECORDS; i++) {
		if (i != index)
			digest_add(&d, &f->records[i]);
		else if (instead != NULL)
			digest_add(&d, instead);
	}
	return d;
}

static size_t differing(const struct digest *a, const struct digest *b, size_t *ret_first)
{
	uint8_t wire[DIGEST_WIRE_LEN];
	bool differs[DIGEST_BUCKETS];
	size_t first = 0;

	digest_print(b, wire);
	size_t count = digest_compare(a, wire, differs);

	while (first < DIGEST_BUCKETS && !differs[first])
		first++;
	*ret_first = first;
	return count;
}

/* One difference: the root tells that there is one, the buckets tell where, and only there. */
static void assert_found(const struct fixture *f, const struct digest *other, size_t index)
{
	size_t bucket = 0;

	assert_false(same_root(&f->digest, other));
	assert_int_equal(differing(&f->digest, other, &bucket), 1);
	assert_int_equal(bucket, digest_bucket(&f->records[index].id));
}

static void the_order_of_reading_does_not_matter(void **state)
{
	struct fixture *f = *state;
	struct digest d = {0};
	size_t bucket;

	/* 7 and 600 have no common factor: every record once. */
	for (size_t i = 0; i < RECORDS; i++)
		digest_add(&d, &f->records[(i * 7 + 311) % RECORDS]);

	assert_true(same_root(&f->digest, &d));
	assert_int_equal(differing(&f->digest, &d, &bucket), 0);
	assert_int_equal(d.count, RECORDS);
}

static void log_numbers_do_not_matter(void **state)
{
	struct fixture *f = *state;
	struct record r = record_copy(&f->arena, &f->records[5]);

	r.fields[1].log = 777;
	struct digest d = digest_with(f, 5, &r);

	assert_true(same_root(&f->digest, &d));
}

static void another_value_is_found(void **state)
{
	struct fixture *f = *state;
	struct record r = record_copy(&f->arena, &f->records[17]);

	r.fields[0].value = value_text(BYTES_LIT("Điểu K'Rế 17"));
	struct digest d = digest_with(f, 17, &r);

	assert_found(f, &d, 17);
}

static void another_kind_of_nothing_is_found(void **state)
{
	struct fixture *f = *state;
	struct record r = record_copy(&f->arena, &f->records[17]);

	r.fields[2].value = value_text(BYTES_LIT(""));
	struct digest empty = digest_with(f, 17, &r);
	r.fields[2].value = value_bytes(BYTES_LIT(""));
	struct digest no_bytes = digest_with(f, 17, &r);
	r.fields[2].value = value_int(0);
	struct digest zero = digest_with(f, 17, &r);
	r.fields[2].value = value_bool(false);
	struct digest no = digest_with(f, 17, &r);

	assert_found(f, &empty, 17);
	assert_found(f, &no_bytes, 17);
	assert_found(f, &zero, 17);
	assert_found(f, &no, 17);
	assert_false(same_root(&empty, &no_bytes));
	assert_false(same_root(&zero, &no));
}

static void another_stamp_is_found(void **state)
{
	struct fixture *f = *state;
	struct record r = record_copy(&f->arena, &f->records[30]);

	r.fields[3].stamp.clock++;
	struct digest clock = digest_with(f, 30, &r);
	r = record_copy(&f->arena, &f->records[30]);
	r.fields[3].stamp.device++;
	struct digest device = digest_with(f, 30, &r);

	assert_found(f, &clock, 30);
	assert_found(f, &device, 30);
}

static void another_name_of_a_field_is_found(void **state)
{
	struct fixture *f = *state;
	struct record r = record_copy(&f->arena, &f->records[30]);

	r.fields[2].name = BYTES_LIT("notes");
	struct digest d = digest_with(f, 30, &r);

	assert_found(f, &d, 30);
}

static void a_field_less_is_found(void **state)
{
	struct fixture *f = *state;
	struct record r = f->records[44];

	r.count--;
	struct digest d = digest_with(f, 44, &r);

	assert_found(f, &d, 44);
}

static void another_type_is_found(void **state)
{
	struct fixture *f = *state;
	struct record r = f->records[44];

	r.type = BYTES_LIT("persom");
	struct digest d = digest_with(f, 44, &r);

	assert_found(f, &d, 44);
}

static void a_missing_record_is_found(void **state)
{
	struct fixture *f = *state;
	struct digest d = digest_with(f, 599, NULL);

	assert_found(f, &d, 599);
}

static void a_record_more_is_found(void **state)
{
	struct fixture *f = *state;
	struct record more = person(&f->arena, RECORDS);
	struct digest d = f->digest;
	size_t bucket = 0;

	digest_add(&d, &more);

	assert_false(same_root(&f->digest, &d));
	assert_int_equal(differing(&f->digest, &d, &bucket), 1);
	assert_int_equal(bucket, digest_bucket(&more.id));
}

/* With XOR it would cancel out. */
static void a_record_that_is_there_twice_is_found(void **state)
{
	struct fixture *f = *state;
	struct digest d = f->digest;

	digest_add(&d, &f->records[8]);
	digest_add(&d, &f->records[8]);

	assert_found(f, &d, 8);
}

/* The same hashes, in each other's bucket: ids are in the hash, so this is two differences. */
static void two_records_that_changed_contents_are_found(void **state)
{
	struct fixture *f = *state;
	struct digest d = {0};
	struct record a = f->records[1];
	struct record b = f->records[2];
	size_t bucket;

	a.fields = f->records[2].fields;
	b.fields = f->records[1].fields;
	for (size_t i = 3; i < RECORDS; i++)
		digest_add(&d, &f->records[i]);
	digest_add(&d, &f->records[0]);
	digest_add(&d, &a);
	digest_add(&d, &b);

	assert_false(same_root(&f->digest, &d));
	assert_int_equal(differing(&f->digest, &d, &bucket), 2);
}

static void every_flipped_bit_of_a_bucket_is_found(void **state)
{
	struct fixture *f = *state;
	uint8_t wire[DIGEST_WIRE_LEN];
	bool differs[DIGEST_BUCKETS];

	digest_print(&f->digest, wire);
	for (size_t bit = 0; bit < sizeof wire * 8; bit++) {
		wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(digest_compare(&f->digest, wire, differs), 1);
		assert_true(differs[bit / 8 / DIGEST_BUCKET_LEN]);
		wire[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void every_bit_of_the_sums_is_in_the_root(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		struct digest d = f->digest;

		d.sums[i][i % 4] ^= UINT64_C(1) << (i % 64);
		assert_false(same_root(&f->digest, &d));
	}
}

/* 600 records in 256 buckets: a poor hash would leave whole ranges empty. */
static void records_spread_over_the_buckets(void **state)
{
	struct fixture *f = *state;
	size_t used = 0;
	size_t most = 0;
	size_t counts[DIGEST_BUCKETS] = {0};

	for (size_t i = 0; i < RECORDS; i++)
		counts[digest_bucket(&f->records[i].id)]++;
	for (size_t i = 0; i < DIGEST_BUCKETS; i++) {
		used += counts[i] != 0;
		most = counts[i] > most ? counts[i] : most;
	}

	assert_true(used > 200);
	assert_true(most < 20);
}

static void sums_carry_from_word_to_word(UNUSED_STATE)
{
	struct arena a = {0};
	struct record r = person(&a, 1);
	struct digest once = {0};
	struct digest d = {0};
	const size_t b = digest_bucket(&r.id);

	/* All ones and one more is nothing; so what is left is the hash less one. */
	memset(d.sums[b], 0xff, sizeof d.sums[b]);
	digest_add(&d, &r);
	digest_add(&once, &r);
	assert_true(once.sums[b][0] != 0);
	assert_true(d.sums[b][0] == once.sums[b][0] - 1);
	assert_true(d.sums[b][1] == once.sums[b][1]);
	assert_true(d.sums[b][3] == once.sums[b][3]);
	/* Only the lowest word full: the carry goes one word up. */
	memset(d.sums[b], 0, sizeof d.sums[b]);
	d.sums[b][0] = UINT64_MAX;
	digest_add(&d, &r);
	assert_true(d.sums[b][1] == once.sums[b][1] + 1);
	arena_clear(&a);
}

/* The bytes are normative: released programs on both sides must come to the same. */
static void the_digest_is_as_stored(void **state)
{
	struct fixture *f = *state;
	struct hash root = digest_root(&f->digest);
	uint8_t wire[DIGEST_WIRE_LEN];
	struct buf all = {0};

	digest_print(&f->digest, wire);
	buf_append(&all, root.bytes, HASH_LEN);
	buf_append(&all, wire, sizeof wire);
	vector_check("v1-digest", buf_bytes(&all));
	buf_clear(&all);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_order_of_reading_does_not_matter),
		CASE(log_numbers_do_not_matter),
		CASE(another_value_is_found),
		CASE(another_kind_of_nothing_is_found),
		CASE(another_stamp_is_found),
		CASE(another_name_of_a_field_is_found),
		CASE(a_field_less_is_found),
		CASE(another_type_is_found),
		CASE(a_missing_record_is_found),
		CASE(a_record_more_is_found),
		CASE(a_record_that_is_there_twice_is_found),
		CASE(two_records_that_changed_contents_are_found),
		CASE(every_flipped_bit_of_a_bucket_is_found),
		CASE(every_bit_of_the_sums_is_in_the_root),
		CASE(records_spread_over_the_buckets),
		CASE(sums_carry_from_word_to_word),
		CASE(the_digest_is_as_stored),
	};

	vectors_arguments(argc, argv);
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
