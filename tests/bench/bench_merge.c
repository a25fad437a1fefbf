/*
 * bench_merge - nanoseconds a merge costs: one change of a few fields onto a record of twelve.
 *
 *   bench_merge [changes]     default 2,000,000; a figure, never a pass or fail
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/model/merge.h"

#define FIELDS    12
#define WRITES    3
#define PER_ARENA 100 /* changes of one request */

struct bench {
	struct field fields[FIELDS];
	struct record record;
	struct write writes[WRITES];
	struct change change;
	uint64_t conflicts;
};

static struct bytes name(size_t i)
{
	static const char *const names[FIELDS] = {
		"address",     "birth_date",  "ethnicity", "full_name", "gender", "household",
		"identity_no", "merged_into", "note",      "phone",     "status", "unit",
	};

	return bytes_str(names[i]);
}

static void prepare(struct bench *b)
{
	for (size_t i = 0; i < FIELDS; i++)
		b->fields[i] = (struct field){name(i), value_int((int64_t)i), {100, 1}, 10};
	b->record = (struct record){BYTES_LIT("person"), {{1}}, b->fields, FIELDS};
	for (size_t i = 0; i < WRITES; i++)
		b->writes[i] = (struct write){name(2 + 4 * i), value_int(-1)};
	b->change = (struct change){
		.type = BYTES_LIT("person"), .id = {{1}}, .writes = b->writes, .count = WRITES};
}

static double measure(struct bench *b, uint64_t base, uint64_t changes)
{
	int64_t start = clock_monotonic_ms(clock_system());

	b->change.base = base;
	for (uint64_t done = 0; done < changes; done += PER_ARENA) {
		struct arena a = {0};

		for (int i = 0; i < PER_ARENA; i++)
			b->conflicts += merge_change(&a, MERGE_REGISTER, &b->record, &b->change,
						     (struct stamp){200, 2}, 11)
						.conflict_count;
		arena_clear(&a);
	}
	return 1e6 * (double)(clock_monotonic_ms(clock_system()) - start) / (double)changes;
}

int main(int argc, char **argv)
{
	uint64_t changes = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
	static struct bench b;

	prepare(&b);
	double plain = measure(&b, 10, changes);
	double concurrent = measure(&b, 9, changes);

	printf("%d fields, %d written: %.0f ns a change, %.0f ns with %llu conflicts\n", FIELDS,
	       WRITES, plain, concurrent, (unsigned long long)(b.conflicts / changes));
	return 0;
}
