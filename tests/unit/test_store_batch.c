#include "tests/unit/test.h"

#include "daemon/store_sql.h"
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

#define LOG    7u
#define STATES 6u

static void set(struct record *r, const char *name, struct value value, uint64_t log)
{
	r->fields[r->count++] =
		(struct field){bytes_str(name), value, {.clock = 1000 + log, .device = 3}, log};
}

static struct store_state *make_state(const char *type, uint8_t id)
{
	struct store_state *state = arena_alloc(&g.a, sizeof *state);

	state->record.type = bytes_str(type);
	state->record.id.bytes[0] = id;
	state->record.fields = arena_alloc_array(&g.a, 16, sizeof(struct field));
	return state;
}

/* Fields are sorted by name. `is_of` has no column; `age` holds what its column cannot. */
static struct store_state *make_person(uint8_t id, const char *name)
{
	struct store_state *state = make_state("person", id);
	struct record *r = &state->record;
	const struct id other = {{9}};

	set(r, "age", ground_text("bảy mươi"), LOG);
	set(r, "friend", value_bytes(arena_copy(&g.a, bytes_of(other.bytes, ID_LEN))), LOG);
	set(r, "is_of", value_int(-5), LOG);
	set(r, "name", ground_text(name), LOG);
	set(r, "note", ground_text(""), LOG);
	set(r, "poor", value_bool(true), LOG);
	set(r, "sex", VALUE_NONE, LOG);
	set(r, "unit", value_int(g.north), LOG);
	return state;
}

static struct store_state *make_visit(uint8_t id, int64_t amount)
{
	struct store_state *state = make_state("visit", id);

	set(&state->record, "amount", value_int(amount), LOG);
	set(&state->record, "day", ground_text("2026-09-21"), LOG);
	set(&state->record, "unit", value_int(g.south), LOG);
	set(&state->record, "voided", ground_text("nhầm"), LOG);
	return state;
}

/* Types take turns. */
static void make_states(struct store_state *states[STATES])
{
	states[0] = make_person(1, "Điểu K’Ré");
	states[1] = make_visit(1, 500000);
	states[2] = make_person(2, "Hoàng Thị Lan");
	states[3] = make_state("secret", 1);
	set(&states[3]->record, "body", ground_text("kín"), LOG);
	set(&states[3]->record, "unit", value_int(g.north), LOG);
	states[4] = make_visit(2, 0);
	states[5] = make_person(3, "Đặng Văn An");
}

static void put(struct store_state *const *states, size_t count, uint64_t log)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_put_states(g.store, &g.a, states, count, log));
	assert_ok(store_commit(g.store));
}

static void assert_same(const struct store_state *left, const struct store_state *right)
{
	assert_int_equal(left->row, right->row);
	assert_int_equal(left->log, right->log);
	assert_true(bytes_equal(left->touched, right->touched));
	assert_int_equal(left->record.count, right->record.count);
	for (size_t i = 0; i < left->record.count; i++) {
		const struct field *a = &left->record.fields[i];
		const struct field *b = &right->record.fields[i];

		assert_true(bytes_equal(a->name, b->name));
		assert_true(value_equal(&a->value, &b->value));
		assert_int_equal(stamp_compare(&a->stamp, &b->stamp), 0);
		assert_int_equal(a->log, b->log);
	}
}

/* One by one, as readers load them. */
static void assert_stored(struct store_state *const *states, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct store_state read = {
			.record = {.type = states[i]->record.type, .id = states[i]->record.id}};

		assert_ok(store_load_states(g.store, &g.a, &read, 1));
		assert_same(states[i], &read);
	}
}

static void records_of_several_types_are_put_at_once(UNUSED_STATE)
{
	struct store_state *states[STATES];

	make_states(states);
	put(states, STATES, LOG);

	assert_stored(states, STATES);
}

static void a_batch_may_hold_new_records_and_old_ones(UNUSED_STATE)
{
	struct store_state *states[STATES];

	make_states(states);
	put(states + 2, 2, LOG);
	states[2]->record.fields[3].value = ground_text("Hoàng Thị Lan Anh");
	states[2]->record.fields[3].log = LOG + 1;
	put(states, STATES, LOG + 1);

	assert_int_equal(states[2]->log, LOG + 1);
	assert_stored(states, STATES);
}

static void a_record_can_be_put_again_after_its_batch(UNUSED_STATE)
{
	struct store_state *states[STATES];

	make_states(states);
	put(states, STATES, LOG);
	states[4]->record.fields[0].value = value_int(12);
	states[4]->record.fields[0].log = LOG + 1;
	put(states + 4, 1, LOG + 1);

	assert_stored(states, STATES);
}

static void a_batch_is_loaded_as_its_records_alone_are(UNUSED_STATE)
{
	struct store_state *states[STATES];
	struct store_state *read[STATES + 1];

	make_states(states);
	put(states, STATES, LOG);
	for (size_t i = 0; i < STATES; i++) {
		/* from the last to the first, and a row number that must not stay */
		read[i] = make_state("person", 0);
		read[i]->record.type = states[STATES - 1 - i]->record.type;
		read[i]->record.id = states[STATES - 1 - i]->record.id;
		read[i]->row = 999;
	}
	read[STATES] = make_state("person", 77);
	read[STATES]->row = 999;

	assert_ok(store_load_batch(g.store, &g.a, read, STATES + 1));

	for (size_t i = 0; i < STATES; i++)
		assert_same(states[STATES - 1 - i], read[i]);
	assert_int_equal(read[STATES]->row, 0);
	assert_int_equal(read[STATES]->record.count, 0);
}

static void an_empty_batch_is_nothing(UNUSED_STATE)
{
	assert_ok(store_load_batch(g.store, &g.a, NULL, 0));
	put(NULL, 0, LOG);
}

static void a_batch_with_a_type_without_table_is_refused(UNUSED_STATE)
{
	struct store_state *states[2] = {make_person(1, "Lê Thị Hạnh"), make_state("ghost", 1)};

	assert_err(store_load_batch(g.store, &g.a, states, 2), ERR_NOTFOUND);
	assert_ok(store_begin(g.store));
	assert_err(store_put_states(g.store, &g.a, states, 2, LOG), ERR_NOTFOUND);
	store_rollback(g.store);
}

/* The id is there already, in a row the state does not know of: a bug elsewhere, and no
 * overwriting. */
static void a_record_that_is_there_is_not_inserted_again(UNUSED_STATE)
{
	struct store_state *states[STATES];
	struct store_state *again = make_person(2, "Người khác");

	make_states(states);
	put(states, STATES, LOG);
	assert_ok(store_begin(g.store));
	assert_err(store_put_states(g.store, &g.a, &again, 1, LOG), ERR_CONFLICT);
	store_rollback(g.store);

	assert_stored(states, STATES);
}

static void the_table_of_a_batch_is_empty_outside_and_unknown_to_readers(UNUSED_STATE)
{
	AUTO(store_close) struct store *reader = NULL;
	AUTO(sql_done) struct sql *q = NULL;
	struct store_state *states[STATES];
	struct sql *none = NULL;

	make_states(states);
	put(states, STATES, LOG);
	assert_ok(sql_use(g.store, "SELECT count(*) FROM _batch", &q));
	assert_ok(sql_run_row(q));
	assert_int_equal(sql_int(q, 0), 0);
	assert_ok(store_open_reader(g.path, g.schema, &reader));
	assert_err(sql_use_text(reader, BYTES_LIT("SELECT * FROM _batch"), &none), ERR_INVAL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(records_of_several_types_are_put_at_once),
		CASE(a_batch_may_hold_new_records_and_old_ones),
		CASE(a_record_can_be_put_again_after_its_batch),
		CASE(a_batch_is_loaded_as_its_records_alone_are),
		CASE(an_empty_batch_is_nothing),
		CASE(a_batch_with_a_type_without_table_is_refused),
		CASE(a_record_that_is_there_is_not_inserted_again),
		CASE(the_table_of_a_batch_is_empty_outside_and_unknown_to_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
