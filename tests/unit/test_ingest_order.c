/* Change-sets of several devices, in any order between them and with repeats: the same states. */
#include "tests/unit/test.h"

#include <string.h>

#include "tests/support/ground.h"

static struct ground g;

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

#define CONVERGE_DEVICES 4u
#define CONVERGE_SETS    5u
#define CONVERGE_RECORDS 6u

struct traffic {
	struct bytes wires[CONVERGE_DEVICES][CONVERGE_SETS];
	struct ground_device devices[CONVERGE_DEVICES];
	int64_t sent_ms;
};

static struct change random_change(struct ground_device *d, struct rand *rand, const struct id *ids)
{
	static const char *const fields[] = {"name", "note", "deleted", "zodiac"};
	const struct id *id = &ids[rand_below(rand, CONVERGE_RECORDS)];
	const char *field = fields[rand_below(rand, 4)];
	struct change c;

	g.clock.wall += (int64_t)rand_below(rand, 50);
	c = ground_change(&g, d, "person", id, 1);
	ground_write(&g, &c, field,
		     value_text(arena_printf(&g.a, "%s %u %u", field, d->number,
					     (unsigned)rand_below(rand, 1000))));
	return c;
}

/* Every device writes the same few records, none having seen the others' writes. */
static void make_traffic(struct traffic *t, struct rand *rand, const struct id *ids)
{
	for (size_t d = 0; d < CONVERGE_DEVICES; d++) {
		for (size_t s = 0; s < CONVERGE_SETS; s++) {
			struct change c[3];

			for (size_t i = 0; i < 3; i++)
				c[i] = random_change(&t->devices[d], rand, ids);
			t->wires[d][s] = ground_seal(&g, &t->devices[d], c, 3);
		}
	}
	t->sent_ms = g.clock.wall;
}

/* Interleaves the devices' sets at random, with repeats, and gives the digest of all states. */
static struct hash play(const struct traffic *t, struct rand *rand)
{
	size_t next[CONVERGE_DEVICES] = {0};
	size_t left = (size_t)CONVERGE_DEVICES * CONVERGE_SETS;

	while (left > 0) {
		size_t d = (size_t)rand_below(rand, CONVERGE_DEVICES);
		struct ground_device device = t->devices[d];
		struct ingest_result r = {0};

		if (next[d] == CONVERGE_SETS || rand_below(rand, 4) == 0) {
			if (next[d] == 0)
				continue;
			/* A repeat of an earlier one. */
			assert_ok(ground_push_wire(&g, &device,
						   &t->wires[d][rand_below(rand, next[d])], 1, &r));
			assert_int_equal(r.applied, 0);
			continue;
		}
		assert_ok(ground_push_wire(&g, &device, &t->wires[d][next[d]], 1, &r));
		assert_int_equal(r.applied, 3);
		next[d]++;
		left--;
	}
	return ground_digest(&g);
}

/* The same store up to the point where traffic begins. */
static void converge_start(struct id ids[CONVERGE_RECORDS])
{
	struct change c[CONVERGE_RECORDS];
	struct ground_device *d = NULL;

	for (size_t i = 0; i <= CONVERGE_DEVICES; i++)
		d = ground_device(&g, g.north, false);
	for (size_t i = 0; i < CONVERGE_RECORDS; i++)
		c[i] = ground_person(&g, d, g.north, "Gốc", &ids[i]);
	(void)ground_push(&g, d, c, CONVERGE_RECORDS);
}

static void any_order_between_devices_gives_the_same_states(UNUSED_STATE)
{
	struct traffic t = {0};
	struct hash first = {0};
	struct rand rand;

	for (unsigned round = 0; round < 6; round++) {
		struct id ids[CONVERGE_RECORDS];
		struct hash digest;

		if (round > 0) {
			ground_close(&g);
			ground_open(&g);
		}
		converge_start(ids);
		memcpy(t.devices, g.devices, sizeof t.devices);
		rand_seeded_init(&rand, 4711);
		make_traffic(&t, &rand, ids);
		rand_seeded_init(&rand, round);
		digest = play(&t, &rand);
		if (round == 0)
			first = digest;
		if (memcmp(first.bytes, digest.bytes, HASH_LEN) != 0)
			print_error("traffic seed 4711, order seed %u\n", round);
		assert_memory_equal(first.bytes, digest.bytes, HASH_LEN);
		ground_verify(&g);
	}
}

/* As the writer does when another job of the transaction failed: the opened sets are the same ones.
 */
static void run_twice(struct ground_device *d, const struct bytes *wire, struct ingest_result *ret)
{
	struct changeset_opened set;
	const struct ingest_request request = {.device = d->number,
					       .sets = &set,
					       .set_count = 1,
					       .sent_ms = g.clock.wall,
					       .now_ms = g.clock.wall};

	assert_ok(changeset_open(&g.a, *wire, &d->key.public_key, &set));
	for (int i = 0; i < 2; i++) {
		assert_ok(store_begin(g.store));
		assert_ok(ingest_run(&g.ctx, g.store, &g.a, &request, ret));
		if (i == 0)
			store_rollback(g.store);
	}
	assert_ok(store_commit(g.store));
}

static void a_request_that_is_undone_and_run_again_leaves_the_same(UNUSED_STATE)
{
	struct hash everything[2];

	for (int is_twice = 0; is_twice < 2; is_twice++) {
		struct traffic t = {0};
		struct id ids[CONVERGE_RECORDS];
		struct rand rand;

		if (is_twice) {
			ground_close(&g);
			ground_open(&g);
		}
		converge_start(ids);
		memcpy(t.devices, g.devices, sizeof t.devices);
		rand_seeded_init(&rand, 4711);
		make_traffic(&t, &rand, ids);
		for (size_t i = 0; i < (size_t)CONVERGE_DEVICES * CONVERGE_SETS; i++) {
			struct ground_device d = t.devices[i % CONVERGE_DEVICES];
			const struct bytes *wire =
				&t.wires[i % CONVERGE_DEVICES][i / CONVERGE_DEVICES];
			struct ingest_result r = {0};

			if (is_twice)
				run_twice(&d, wire, &r);
			else
				assert_ok(ground_push_wire(&g, &d, wire, 1, &r));
			assert_int_equal(r.applied, 3);
		}
		everything[is_twice] = ground_everything(&g);
		ground_verify(&g);
	}
	assert_memory_equal(everything[0].bytes, everything[1].bytes, HASH_LEN);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(any_order_between_devices_gives_the_same_states),
		CASE(a_request_that_is_undone_and_run_again_leaves_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
