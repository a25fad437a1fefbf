/*
 * bench_duplicate - what `duplicate list` costs over many people, and whether it grows with them or
 * with their square.
 *
 * usage: bench_duplicate [PEOPLE]      PEOPLE and a tenth of it; default 100000
 *
 * "mixed": names, years and numbers as in a province. "one name": everybody has one name and a
 * number of their own, which is the worst there is for whoever compares inside a bucket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/check.h"
#include "daemon/duplicate.h"
#include "tests/support/ground.h"

static const char schema_text[] =
	"types:\n"
	"  person:\n"
	"    vi: Người\n"
	"    en: Person\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      full_name: {type: text, vi: Họ tên, en: Name, indexed: true}\n"
	"      birth_date: {type: partial_date, vi: Sinh, en: Born}\n"
	"      identity_number: {type: text, vi: Số, en: Number, indexed: true}\n";

static void must(enum err e)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "bench_duplicate: %s\n", err_name(e));
	exit(1);
}

/* Of the processor: others may be at work on it. */
static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct bytes mixed_name(struct ground *g, struct arena *a)
{
	static const char *const family[] = {"Nguyễn", "Trần", "Lê", "Phạm", "Điểu", "Thị"};
	static const char *const middle[] = {"Văn", "Thị", "Hữu", "Đức", "Ngọc", "Minh"};

	return arena_printf(a, "%s %s Tên%u", family[rand_below(&g->rand, 6)],
			    middle[rand_below(&g->rand, 6)], (unsigned)rand_below(&g->rand, 300));
}

static void put_person(struct ground *g, uint64_t number, bool is_one_name)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct stamp stamp = {.clock = STAMP_CLOCK_OF(1 + (int64_t)number), .device = 1};
	const bool has_number = is_one_name || rand_below(&g->rand, 10) < 6;
	/* One in 500 has the number of somebody else. */
	const uint64_t identity =
		is_one_name || rand_below(&g->rand, 500) != 0 ? number : number / 2;
	struct field fields[] = {
		{.name = BYTES_LIT("birth_date"),
		 .value = value_text(
			 arena_printf(&a, "%u", 1930 + (unsigned)rand_below(&g->rand, 90)))},
		{.name = BYTES_LIT("full_name"),
		 .value = value_text(is_one_name ? BYTES_LIT("Lê An") : mixed_name(g, &a))},
		{.name = BYTES_LIT("identity_number"),
		 .value = has_number ? value_text(arena_printf(&a, "%012llu",
							       (unsigned long long)identity))
				     : VALUE_NONE},
		{.name = BYTES_LIT("unit"),
		 .value = value_int(rand_below(&g->rand, 2) == 0 ? g->north : g->south)},
	};
	struct store_state state = {.record = {.type = BYTES_LIT("person"),
					       .id = id_new(&g->clock.clock, &g->rand),
					       .fields = fields,
					       .count = 4}};

	for (size_t i = 0; i < 4; i++) {
		fields[i].stamp = stamp;
		fields[i].log = 1;
	}
	must(store_put_state(g->store, &a, &state, 1));
}

static void time_list(struct ground *g, const char *what, uint64_t people, size_t limit)
{
	AUTO(arena_clear) struct arena a = {0};
	struct duplicate_pair *pairs = NULL;
	size_t count = 0;
	double from = seconds();

	must(duplicate_list(g->store, &a, limit, &pairs, &count));
	printf("%-9s %7llu people  limit %6zu  %6zu pairs  %7.1f ms CPU, %.2f us a person\n", what,
	       (unsigned long long)people, limit, count, (seconds() - from) * 1e3,
	       (seconds() - from) * 1e6 / (double)people);
}

static void run(uint64_t people, bool is_one_name)
{
	const struct schema_source source = {"people.yaml", bytes_str(schema_text)};
	AUTO(schema_free) struct schema *schema = NULL;
	const char *what = is_one_name ? "one name" : "mixed";
	char error[SCHEMA_ERROR_LEN];
	struct ground g;

	ground_open(&g);
	must(schema_load(&source, 1, &schema, error));
	must(store_use_schema(g.store, schema));
	must(store_begin(g.store));
	for (uint64_t i = 1; i <= people; i++)
		put_person(&g, i, is_one_name);
	must(store_commit(g.store));
	time_list(&g, what, people, 100);
	time_list(&g, what, people, 100000);
	ground_close(&g);
}

int main(int argc, char **argv)
{
	uint64_t people = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;

	for (int i = 0; i < 2; i++) {
		run(people / 10, i == 1);
		run(people, i == 1);
	}
	return 0;
}
