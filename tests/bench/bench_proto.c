/*
 * bench_proto - nanoseconds a change and a record cost on the wire side: seal, guard,
 * open, verify; encode and decode of record states.
 *
 *   bench_proto [sets]     of 100 changes of 10 fields; default 1,000; figures, never a pass or
 * fail
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/check.h"
#include "common/base/clock.h"
#include "proto/changeset.h"
#include "proto/guard.h"

#define FIELDS  10
#define CHANGES 100

static const char *const names[FIELDS] = {"address", "birth",   "ethnicity", "full_name", "gender",
					  "id_card", "is_poor", "phone",     "subject",   "unit"};
static const char *const texts[FIELDS] = {
	"Thôn 7",       "1957-03-12", "kinh",       "Nguyễn Thị Sáu", "female",
	"070157001234", "x",          "0912345678", "elderly",        "x"};

struct bench {
	struct sign_pair key;
	struct write writes[FIELDS];
	struct field fields[FIELDS];
	struct change changes[CHANGES];
	struct buf wire;
	struct buf record;
	size_t sets;
};

static void prepare(struct bench *b)
{
	struct changeset_head head = {.device = 12, .first = 1, .count = CHANGES};
	const uint8_t seed[32] = {1};
	struct hash chain;
	struct rand rand;

	rand_seeded_init(&rand, 1);
	sign_pair_from_seed(seed, &b->key);
	for (size_t i = 0; i < FIELDS; i++) {
		b->writes[i] = (struct write){bytes_str(names[i]), value_text(bytes_str(texts[i]))};
		b->fields[i] = (struct field){b->writes[i].name, b->writes[i].value, {1, 12}, 7};
	}
	b->writes[6].value = value_bool(true);
	b->writes[9].value = value_int(25195);
	for (size_t i = 0; i < CHANGES; i++) {
		b->changes[i] = (struct change){.type = BYTES_LIT("person"),
						.clock = STAMP_CLOCK_OF(INT64_C(1795315919123)) + i,
						.base = 70000,
						.author = BYTES_LIT("Lê Văn Tám"),
						.writes = b->writes,
						.count = FIELDS};
		rand_fill(&rand, b->changes[i].id.bytes, ID_LEN);
	}
	enum err e = changeset_seal(&head, b->changes, &b->key, &b->wire, &chain);

	REQUIRE(e == ERR_OK);
}

static void run_seal(struct bench *b)
{
	struct changeset_head head = {.device = 12, .first = 1, .count = CHANGES};
	AUTO(buf_clear) struct buf wire = {0};
	struct hash chain;
	enum err e = changeset_seal(&head, b->changes, &b->key, &wire, &chain);

	REQUIRE(e == ERR_OK);
}

static void run_guard(struct bench *b)
{
	struct changeset_opened opened;
	AUTO(arena_clear) struct arena a = {0};
	static struct bytes body;

	if (body.len == 0) {
		enum err e = changeset_open(&a, buf_bytes(&b->wire), NULL, &opened);

		REQUIRE(e == ERR_OK);
		body = opened.set.body;
	}
	enum err e = guard_check(body, &guard_wire);

	REQUIRE(e == ERR_OK);
}

static void open_with(struct bench *b, const struct sign_public *key)
{
	AUTO(arena_clear) struct arena a = {0};
	struct changeset_opened opened;
	enum err e = changeset_open(&a, buf_bytes(&b->wire), key, &opened);

	REQUIRE(e == ERR_OK && opened.odd_count == 0);
}

static void run_open(struct bench *b)
{
	open_with(b, NULL);
}

static void run_verify(struct bench *b)
{
	open_with(b, &b->key.public_key);
}

static void run_record_encode(struct bench *b)
{
	const struct record r = {.type = BYTES_LIT("person"), .fields = b->fields, .count = FIELDS};

	for (size_t i = 0; i < CHANGES; i++) {
		buf_reset(&b->record);
		record_encode(&r, 0, &b->record);
	}
}

static void run_record_decode(struct bench *b)
{
	AUTO(arena_clear) struct arena a = {0};
	struct record r;

	for (size_t i = 0; i < CHANGES; i++) {
		enum err e = record_decode(&a, buf_bytes(&b->record), &r);

		REQUIRE(e == ERR_OK);
	}
}

static void measure(struct bench *b, const char *what, void (*run)(struct bench *b))
{
	const struct clock *clock = clock_system();
	int64_t began = clock_monotonic_ms(clock);

	for (size_t i = 0; i < b->sets; i++)
		run(b);
	int64_t ms = clock_monotonic_ms(clock) - began;

	printf("%-14s %6lld ms %8.0f ns each\n", what, (long long)ms,
	       (double)ms * 1e6 / (double)(b->sets * CHANGES));
}

int main(int argc, char **argv)
{
	static struct bench b = {.sets = 1000};
	enum err e = crypt_init();

	REQUIRE(e == ERR_OK);
	if (argc > 1)
		b.sets = (size_t)strtoul(argv[1], NULL, 10);
	prepare(&b);
	printf("%zu changes of %d fields in sets of %d, %zu bytes a set\n", b.sets * CHANGES,
	       FIELDS, CHANGES, b.wire.len);
	measure(&b, "seal", run_seal);
	measure(&b, "guard", run_guard);
	measure(&b, "open", run_open);
	measure(&b, "open, verify", run_verify);
	measure(&b, "record encode", run_record_encode);
	measure(&b, "record decode", run_record_decode);
	buf_clear(&b.wire);
	buf_clear(&b.record);
	return EXIT_SUCCESS;
}
