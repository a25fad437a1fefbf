#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/admin.h"
#include "daemon/conflicts.h"
#include "daemon/duplicate.h"
#include "daemon/joined.h"
#include "tests/support/ground.h"

static const char schema_text[] =
	"types:\n"
	"  person:\n"
	"    vi: Người\n"
	"    en: Person\n"
	"    kind: register\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      full_name: {type: text, vi: Họ tên, en: Name, title: true}\n"
	"      birth_date: {type: partial_date, vi: Sinh, en: Born}\n"
	"      identity_number: {type: text, vi: Số, en: Number}\n"
	"      friend: {type: reference, target: person, vi: Bạn, en: Friend}\n"
	"  visit:\n"
	"    vi: Lượt thăm\n"
	"    en: Visit\n"
	"    kind: event\n"
	"    sensitivity: basic\n"
	"    fields:\n"
	"      day: {type: date, vi: Ngày, en: Day}\n";

static struct ground g;
static struct schema *schema;
static struct ground_device *north;
static struct ground_device *south;

static int setup(UNUSED_STATE)
{
	const struct schema_source source = {"people.yaml", bytes_str(schema_text)};
	char error[SCHEMA_ERROR_LEN] = "";

	ground_open(&g);
	if (schema_load(&source, 1, &schema, error) != ERR_OK)
		print_error("%s\n", error);
	assert_non_null(schema);
	assert_ok(store_use_schema(g.store, schema));
	north = ground_device(&g, g.north, true);
	south = ground_device(&g, g.south, true);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	schema_free(schema);
	schema = NULL;
	return 0;
}

/* ---- what the cases share ---- */

static struct id person(struct ground_device *d, const char *name, const char *birth,
			const char *identity)
{
	struct id id = id_new(&g.clock.clock, &g.rand);
	struct change c = ground_change(&g, d, "person", &id, 0);

	g.clock.wall++;
	ground_write(&g, &c, "unit", value_int(d == north ? g.north : g.south));
	if (name != NULL)
		ground_write(&g, &c, "full_name", ground_text(name));
	if (birth != NULL)
		ground_write(&g, &c, "birth_date", ground_text(birth));
	if (identity != NULL)
		ground_write(&g, &c, "identity_number", ground_text(identity));
	assert_int_equal(ground_push(&g, d, &c, 1).applied, 1);
	return id;
}

static void say(const struct id *id, const char *field, struct value value)
{
	uint64_t log = 0;
	struct change c;

	assert_ok(store_last_log(g.store, &log));
	c = ground_change(&g, north, "person", id, log);
	ground_write(&g, &c, field, value);
	assert_int_equal(ground_push(&g, north, &c, 1).applied, 1);
}

static struct value reference(const struct id *id)
{
	return value_bytes(arena_copy(&g.a, bytes_of(id->bytes, ID_LEN)));
}

static struct duplicate_pair *list(size_t limit, size_t *ret_count)
{
	struct duplicate_pair *pairs = NULL;

	assert_ok(duplicate_list(g.store, &g.a, limit, &pairs, ret_count));
	return pairs;
}

static size_t count_listed(void)
{
	size_t count = 0;

	(void)list(1000, &count);
	return count;
}

typedef enum err (*decide_fn)(const struct context *ctx, struct store *s, struct arena *a,
			      const struct duplicate_ask *ask, struct duplicate_done *ret_done);

static struct duplicate_done decide(decide_fn fn, const char *type, const struct id *one,
				    const struct id *other)
{
	struct duplicate_ask ask = {.type = bytes_str(type),
				    .one = *one,
				    .other = other != NULL ? *other : (struct id){0},
				    .who = BYTES_LIT("uid:7")};
	struct duplicate_done done = {0};

	assert_ok(store_begin(g.store));
	assert_ok(fn(&g.ctx, g.store, &g.a, &ask, &done));
	assert_ok(store_commit(g.store));
	return done;
}

static enum duplicate_outcome join(const struct id *keep, const struct id *other)
{
	return decide(duplicate_join, "person", keep, other).outcome;
}

static struct id stands_for(const struct id *id)
{
	struct joined joined;

	assert_ok(joined_find(g.store, &g.a, BYTES_LIT("person"), id, &joined));
	return joined.id;
}

static void assert_id(struct id got, struct id want)
{
	assert_memory_equal(got.bytes, want.bytes, ID_LEN);
}

/* ---- the list ---- */

static void the_likeliest_come_first(UNUSED_STATE)
{
	static const struct {
		enum match_likeness likeness;
		bool is_across;
	} want[] = {
		{MATCH_SAME_IDENTITY, true}, {MATCH_SAME_BIRTH, false}, {MATCH_SAME_YEAR, false},
		{MATCH_SAME_NAME, false},    {MATCH_SAME_BIRTH, true},  {MATCH_SAME_YEAR, true},
		{MATCH_SAME_NAME, true},
	};
	struct duplicate_pair *pairs;
	size_t count = 0;

	(void)person(north, "Người Sáu", "1956", NULL);
	(void)person(south, "Người Sáu", "1956-01-02", NULL);
	(void)person(north, "Người Bảy", NULL, NULL);
	(void)person(south, "Người Bảy", "1957", NULL);
	(void)person(north, "Người Năm", "1955", NULL);
	(void)person(south, "Người Năm", "1955", NULL);
	(void)person(north, "Người Bốn", NULL, NULL);
	(void)person(north, "Người Bốn", "1954", NULL);
	(void)person(north, "Người Ba", "1953", NULL);
	(void)person(north, "Người Ba", "1953-07", NULL);
	(void)person(north, "Người Hai", "1952-01-01", NULL);
	(void)person(north, "Nguoi hai", "1952-01-01", "070152000001");
	(void)person(north, "Người Một", "1951", "070151000001");
	(void)person(south, "Ai Khác", "1980", "070151000001");

	pairs = list(100, &count);

	assert_int_equal(count, 7);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(pairs[i].likeness, want[i].likeness);
		assert_int_equal(pairs[i].is_across, want[i].is_across);
		assert_true(id_compare(&pairs[i].one, &pairs[i].other) < 0);
	}
	(void)list(3, &count);
	assert_int_equal(count, 3);
}

static void who_does_not_count_is_not_listed(UNUSED_STATE)
{
	struct id kept = person(north, "Lê An", "1950", NULL);
	struct id deleted = person(north, "Lê An", "1950", NULL);
	struct id joined = person(north, "Lê An", "1950", NULL);

	assert_int_equal(count_listed(), 3);
	say(&deleted, "deleted", ground_text("nhập nhầm"));
	say(&joined, "merged_into", reference(&kept));

	assert_int_equal(count_listed(), 0);
}

static void two_joined_both_ways_are_listed_first_until_one_is_split(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id other = person(north, "Lê Ân", "1950", NULL);
	struct duplicate_pair *pairs;
	size_t count = 0;

	(void)person(north, "Trần Bé", "1960", NULL);
	(void)person(north, "Trần Bé", "1960", NULL);
	say(&one, "merged_into", reference(&other));
	say(&other, "merged_into", reference(&one));

	pairs = list(100, &count);
	assert_int_equal(count, 2);
	assert_int_equal(pairs[0].likeness, MATCH_NONE);
	assert_id(pairs[0].one, one);

	assert_int_equal(decide(duplicate_split, "person", &one, NULL).outcome, DUPLICATE_DONE);
	assert_int_equal(count_listed(), 1);
	assert_id(stands_for(&other), one);
}

static void a_schema_without_people_has_no_doubles(UNUSED_STATE)
{
	assert_ok(store_use_schema(g.store, g.schema));
	assert_int_equal(count_listed(), 0);
}

#define MANY 240u

/* The slow way: everybody with everybody. */
static void the_list_is_what_comparing_everybody_gives(UNUSED_STATE)
{
	static const char *const names[] = {"Lê An", "Le An", "Lê Bình", "Trần Bé", NULL};
	static const char *const births[] = {NULL, "1950", "1950-03", "1950-03-01", "1960"};
	static const char *const numbers[] = {NULL, NULL, "070150000001", "070150000002",
					      "070150000003"};
	static struct match_key keys[MANY];
	const char *said = getenv("CTXH_SEED");
	uint64_t seed = said != NULL ? strtoull(said, NULL, 10) : 4711;
	struct rand rand;
	size_t want = 0;

	print_message("seed %llu\n", (unsigned long long)seed);
	rand_seeded_init(&rand, seed);
	for (size_t i = 0; i < MANY; i++) {
		const char *name = names[rand_below(&rand, 5)];
		const char *birth = births[rand_below(&rand, 5)];
		const char *number = numbers[rand_below(&rand, 5)];
		const struct value n = name != NULL ? ground_text(name) : VALUE_NONE;
		const struct value b = birth != NULL ? ground_text(birth) : VALUE_NONE;
		const struct value d = number != NULL ? ground_text(number) : VALUE_NONE;

		(void)person(rand_below(&rand, 2) == 0 ? north : south, name, birth, number);
		keys[i] = match_key_of(&n, &b, &d);
		for (size_t k = 0; k < i; k++)
			want += match_compare(&keys[i], &keys[k]) != MATCH_NONE;
	}

	struct duplicate_pair *pairs = NULL;
	size_t count = 0;
	assert_ok(duplicate_list(g.store, &g.a, 100000, &pairs, &count));
	assert_int_equal(count, want);
	assert_true(want > 1000);
}

/* ---- join, split ---- */

static void joining_is_a_change_of_the_office_and_splitting_undoes_it(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id other = person(south, "Lê An", "1950", NULL);
	struct duplicate_done done = decide(duplicate_join, "person", &one, &other);
	struct record r = ground_load(&g, "person", &other);

	assert_int_equal(done.outcome, DUPLICATE_DONE);
	assert_id(done.into, one);
	assert_true(done.written.log != 0);
	assert_int_equal(record_find(&r, BYTES_LIT(RECORD_MERGED_INTO))->stamp.device, 0);
	assert_id(stands_for(&other), one);
	assert_int_equal(count_listed(), 0);

	done = decide(duplicate_split, "person", &other, NULL);

	assert_int_equal(done.outcome, DUPLICATE_DONE);
	assert_id(done.into, one);
	assert_id(stands_for(&other), other);
	assert_int_equal(count_listed(), 1);
	ground_verify(&g);
}

static void a_double_of_a_double_is_joined_to_the_one_that_stands(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id two = person(north, "Lê An", "1950", NULL);
	struct id three = person(north, "Lê An", "1950", NULL);
	struct record r;

	assert_int_equal(join(&one, &two), DUPLICATE_DONE);
	assert_int_equal(join(&two, &three), DUPLICATE_DONE);

	r = ground_load(&g, "person", &three);
	struct value to = record_value(&r, RECORD_MERGED_INTO);
	assert_memory_equal(to.bytes.data, one.bytes, ID_LEN);
}

static void what_would_harm_is_refused(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id two = person(north, "Lê An", "1950", NULL);
	struct id gone = person(north, "Lê An", "1950", NULL);
	struct id visit = id_new(&g.clock.clock, &g.rand);
	struct hash before;
	struct hash after;

	say(&gone, "deleted", ground_text("nhập nhầm"));
	assert_int_equal(join(&one, &two), DUPLICATE_DONE);
	before = ground_everything(&g);

	assert_int_equal(join(&one, &one), DUPLICATE_SAME);
	assert_int_equal(join(&two, &one), DUPLICATE_CIRCLE);
	assert_int_equal(join(&gone, &two), DUPLICATE_JOINED);
	assert_int_equal(join(&one, &gone), DUPLICATE_DELETED);
	assert_int_equal(join(&gone, &one), DUPLICATE_DELETED);
	assert_int_equal(decide(duplicate_split, "person", &one, NULL).outcome,
			 DUPLICATE_NOT_JOINED);
	assert_int_equal(decide(duplicate_join, "visit", &one, &visit).outcome, DUPLICATE_EVENT);

	after = ground_everything(&g);
	assert_memory_equal(before.bytes, after.bytes, HASH_LEN);
}

/* ---- told apart ---- */

static void two_told_apart_are_not_listed_again(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id other = person(north, "Lê An", "1950", NULL);
	struct id third = person(south, "Lê An", "1950", NULL);
	struct duplicate_done done;

	assert_int_equal(count_listed(), 3);
	assert_int_equal(decide(duplicate_distinct, "person", &other, &one).outcome,
			 DUPLICATE_DONE);
	assert_int_equal(count_listed(), 2);
	ground_reopen(&g);
	assert_ok(store_use_schema(g.store, schema));
	assert_int_equal(count_listed(), 2);

	done = decide(duplicate_distinct, "person", &one, &other);
	assert_int_equal(done.outcome, DUPLICATE_BEFORE);
	assert_true(bytes_is(done.who, "uid:7"));
	assert_true(done.at_ms != 0);

	assert_int_equal(join(&one, &third), DUPLICATE_DONE);
	done = decide(duplicate_distinct, "person", &third, &one);
	assert_int_equal(done.outcome, DUPLICATE_JOINED);
	assert_id(done.which, third);
	assert_id(done.into, one);
}

static void joining_takes_it_back_that_two_were_told_apart(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id other = person(north, "Lê An", "1950", NULL);

	(void)decide(duplicate_distinct, "person", &one, &other);
	assert_int_equal(count_listed(), 0);
	assert_int_equal(join(&one, &other), DUPLICATE_DONE);
	(void)decide(duplicate_split, "person", &other, NULL);

	assert_int_equal(count_listed(), 1);
}

static void who_told_two_apart_can_take_it_back(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id other = person(north, "Lê An", "1950", NULL);
	struct duplicate_done done;

	assert_int_equal(decide(duplicate_reopen, "person", &one, &other).outcome,
			 DUPLICATE_NOT_APART);
	(void)decide(duplicate_distinct, "person", &one, &other);
	assert_int_equal(count_listed(), 0);

	done = decide(duplicate_reopen, "person", &other, &one);

	assert_int_equal(done.outcome, DUPLICATE_DONE);
	assert_true(bytes_is(done.who, "uid:7"));
	assert_true(done.at_ms != 0);
	assert_int_equal(count_listed(), 1);
}

/* ---- what administrators see ---- */

static json_t *ask(const char *name, json_t *args, char ret_error[ADMIN_ERROR_LEN])
{
	const struct admin_command *command = admin_find(name);
	struct admin_call call = {.ctx = &g.ctx,
				  .store = g.store,
				  .caller = {7, "uid:7"},
				  .args = args,
				  .arena = &g.a};
	json_t *result = NULL;

	assert_non_null(command);
	assert_ok(store_begin(g.store));
	if (admin_run(command, &call) == ERR_OK)
		result = json_incref(call.result);
	assert_ok(store_commit(g.store));
	memcpy(ret_error, call.error, ADMIN_ERROR_LEN);
	admin_call_clear(&call);
	json_decref(args);
	return result;
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void a_reference_to_a_double_shows_the_one_that_stands(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", NULL);
	struct id other = person(north, "Lê An", "1950", NULL);
	struct id friend = person(south, "Trần Bé", "1960", NULL);
	char hex[3][ID_HEX_LEN];
	char error[ADMIN_ERROR_LEN];
	json_t *result;

	say(&one, "friend", VALUE_NONE);
	id_print(&one, hex[0]);
	id_print(&other, hex[1]);
	id_print(&friend, hex[2]);
	say(&other, "friend", reference(&friend));
	assert_int_equal(join(&one, &friend), DUPLICATE_DONE);

	result = ask("record show", json_pack("{s:s}", "record", hex[1]), error);
	assert_string_equal(
		text(json_object_get(json_object_get(result, "fields"), "friend"), "resolved"),
		hex[0]);
	assert_string_equal(text(result, "stands"), hex[1]);
	json_decref(result);
	result = ask("record show", json_pack("{s:s}", "record", hex[2]), error);
	assert_string_equal(text(result, "stands"), hex[0]);
	json_decref(result);
}

static void the_list_names_both_and_decisions_say_why_not(UNUSED_STATE)
{
	struct id one = person(north, "Lê An", "1950", "070150000001");
	struct id other = person(south, "Trần Bé", "1960", "070150000001");
	char hex[2][ID_HEX_LEN];
	char error[ADMIN_ERROR_LEN];
	json_t *result = ask("duplicate list", json_object(), error);
	const json_t *row = json_array_get(result, 0);

	id_print(&one, hex[0]);
	id_print(&other, hex[1]);
	assert_int_equal(json_array_size(result), 1);
	assert_string_equal(text(row, "likeness"), "identity_number");
	assert_string_equal(text(row, "keep"), hex[0]);
	assert_string_equal(text(row, "other_name"), "Trần Bé");
	assert_string_equal(text(row, "keep_unit"), "00001");
	assert_true(json_is_true(json_object_get(row, "across")));
	json_decref(result);

	json_decref(ask("duplicate join", json_pack("{s:s, s:s}", "keep", hex[0], "other", hex[1]),
			error));
	assert_null(ask("duplicate join", json_pack("{s:s, s:s}", "keep", hex[1], "other", hex[0]),
			error));
	assert_non_null(strstr(error, "split"));
	assert_non_null(strstr(error, " / "));
	assert_null(ask("duplicate distinct",
			json_pack("{s:s, s:s}", "one", hex[1], "other", hex[0]), error));
	assert_non_null(strstr(error, "joined"));
	result = ask("duplicate split", json_pack("{s:s}", "record", hex[1]), error);
	assert_string_equal(text(result, "from"), hex[0]);
	json_decref(result);

	json_decref(ask("duplicate distinct",
			json_pack("{s:s, s:s}", "one", hex[1], "other", hex[0]), error));
	result = ask("duplicate list", json_pack("{s:b}", "distinct", 1), error);
	assert_int_equal(json_array_size(result), 1);
	row = json_array_get(result, 0);
	assert_string_equal(text(row, "likeness"), "distinct");
	assert_string_equal(text(row, "keep"), hex[0]);
	assert_string_equal(text(row, "other_name"), "Trần Bé");
	assert_true(json_is_true(json_object_get(row, "across")));
	assert_string_equal(text(row, "decided_by"), "uid:7");
	json_decref(result);
	json_decref(ask("duplicate reopen", json_pack("{s:s, s:s}", "one", hex[1], "other", hex[0]),
			error));
	assert_null(ask("duplicate reopen", json_pack("{s:s, s:s}", "one", hex[1], "other", hex[0]),
			error));
	assert_non_null(strstr(error, " / "));
	result = ask("duplicate list", json_pack("{s:b}", "distinct", 1), error);
	assert_int_equal(json_array_size(result), 0);
	json_decref(result);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_likeliest_come_first),
		CASE(who_does_not_count_is_not_listed),
		CASE(two_joined_both_ways_are_listed_first_until_one_is_split),
		CASE(a_schema_without_people_has_no_doubles),
		CASE(the_list_is_what_comparing_everybody_gives),
		CASE(joining_is_a_change_of_the_office_and_splitting_undoes_it),
		CASE(a_double_of_a_double_is_joined_to_the_one_that_stands),
		CASE(what_would_harm_is_refused),
		CASE(two_told_apart_are_not_listed_again),
		CASE(joining_takes_it_back_that_two_were_told_apart),
		CASE(who_told_two_apart_can_take_it_back),
		CASE(a_reference_to_a_double_shows_the_one_that_stands),
		CASE(the_list_names_both_and_decisions_say_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
