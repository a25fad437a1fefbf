/* The merge. Deletions: test_merge_deletion.c. */
#include "tests/unit/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "tests/unit/merge_scene.h"

static void the_first_change_makes_the_record(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put_two(&s, ANA, 10, 0,
		(struct write[]){{BYTES_LIT("unit"), value_int(5)},
				 {BYTES_LIT("phone"), text("1")}});

	assert_true(s.last.is_new);
	assert_true(s.last.is_changed);
	assert_false(s.last.is_moved);
	assert_false(s.last.is_parallel);
	assert_false(s.last.is_landed);
	assert_int_equal(s.last.conflict_count, 0);
	assert_int_equal(s.record.count, 2);
	assert_true(bytes_is(s.record.type, "person"));
	assert_int_equal(s.record.id.bytes[0], 7);
	assert_text(&s, "phone", "1");
	assert_int_equal(s.record.fields[0].stamp.clock, 10);
	assert_int_equal(s.record.fields[0].stamp.device, ANA);
	assert_int_equal(s.record.fields[0].log, 1);
	end(&s);
}

static void the_greater_stamp_wins_in_either_order(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("old"));
	put(&s, ANA, 20, 0, "phone", text("new"));
	assert_text(&s, "phone", "new");
	end(&s);

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 20, 0, "phone", text("new"));
	put(&s, ANA, 10, 0, "phone", text("old"));
	assert_text(&s, "phone", "new");
	assert_false(s.last.is_changed);
	end(&s);
}

static void equal_clocks_are_decided_by_the_device(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, BINH, 10, 0, "phone", text("binh"));
	put(&s, ANA, 10, 0, "phone", text("ana"));
	assert_text(&s, "phone", "binh");
	assert_conflict(&s, "phone", "binh", "ana", true);
	end(&s);
}

static void a_write_of_what_its_author_saw_is_no_conflict(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, BINH, 20, 1, "phone", text("2"));
	assert_text(&s, "phone", "2");
	assert_int_equal(s.last.conflict_count, 0);
	assert_false(s.last.is_parallel);
	end(&s);
}

static void a_concurrent_write_that_wins_tells_the_value_that_was_there(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, BINH, 20, 0, "phone", text("2"));
	assert_text(&s, "phone", "2");
	assert_conflict(&s, "phone", "2", "1", false);
	assert_int_equal(s.last.conflicts[0].lost.stamp.device, ANA);
	assert_int_equal(s.last.conflicts[0].lost.log, 1);
	assert_int_equal(s.last.conflicts[0].kept.stamp.device, BINH);
	assert_int_equal(s.last.conflicts[0].kept.log, 2);
	end(&s);
}

static void a_concurrent_write_that_loses_is_told(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 20, 0, "phone", text("1"));
	put(&s, BINH, 10, 0, "phone", text("2"));
	assert_text(&s, "phone", "1");
	assert_conflict(&s, "phone", "1", "2", true);
	assert_false(s.last.is_changed);
	end(&s);
}

static void concurrent_writes_of_one_value_are_no_conflict_and_keep_the_greater_stamp(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, BINH, 20, 0, "phone", text("1"));
	assert_int_equal(s.last.conflict_count, 0);
	assert_true(s.last.is_changed);
	assert_int_equal(s.record.fields[0].stamp.clock, 20);
	assert_int_equal(s.record.fields[0].log, 2);
	put(&s, CHI, 15, 0, "phone", text("1"));
	assert_int_equal(s.last.conflict_count, 0);
	assert_false(s.last.is_changed);
	assert_int_equal(s.record.fields[0].stamp.clock, 20);
	end(&s);
}

/* The kept value may differ with the order; the lost ones may not. */
static void of_three_concurrent_writes_two_are_told_in_either_order(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, BINH, 20, 0, "phone", text("2"));
	assert_conflict(&s, "phone", "2", "1", false);
	put(&s, CHI, 30, 0, "phone", text("3"));
	assert_conflict(&s, "phone", "3", "2", false);
	end(&s);

	begin(&s, MERGE_REGISTER);
	put(&s, CHI, 30, 0, "phone", text("3"));
	put(&s, BINH, 20, 0, "phone", text("2"));
	assert_conflict(&s, "phone", "3", "2", true);
	put(&s, ANA, 10, 0, "phone", text("1"));
	assert_conflict(&s, "phone", "3", "1", true);
	end(&s);
}

static void the_same_write_again_changes_nothing_not_even_the_log_number(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, ANA, 10, 0, "phone", text("1"));
	assert_false(s.last.is_changed);
	assert_false(s.last.is_new);
	assert_int_equal(s.last.conflict_count, 0);
	assert_int_equal(s.record.fields[0].log, 1);
	end(&s);
}

/* A cloned disk: two writes under one stamp. Nothing but agreement can be asked for. */
static void two_values_under_one_stamp_end_alike_and_are_told(UNUSED_STATE)
{
	for (int kind = MERGE_REGISTER; kind <= MERGE_EVENT; kind++) {
		struct scene s;

		begin(&s, (enum merge_kind)kind);
		put(&s, ANA, 10, 0, "phone", text("1"));
		put(&s, ANA, 10, 0, "phone", text("2"));
		assert_text(&s, "phone", "2");
		assert_conflict(&s, "phone", "2", "1", false);
		put(&s, ANA, 10, 0, "phone", text("1"));
		assert_text(&s, "phone", "2");
		assert_conflict(&s, "phone", "2", "1", true);
		end(&s);
	}
}

static void a_device_does_not_conflict_with_itself(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, ANA, 20, 0, "phone", text("2"));
	assert_int_equal(s.last.conflict_count, 0);
	put(&s, ANA, 15, 0, "phone", text("3"));
	assert_int_equal(s.last.conflict_count, 0);
	assert_text(&s, "phone", "2");
	end(&s);
}

static void the_base_bounds_what_was_seen_exactly(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	s.log = 6;
	put(&s, ANA, 10, 0, "phone", text("log 7"));
	put(&s, BINH, 20, 7, "phone", text("saw 7"));
	assert_int_equal(s.last.conflict_count, 0);
	put(&s, CHI, 30, 7, "phone", text("saw 7, not 8"));
	assert_int_equal(s.last.conflict_count, 1);
	end(&s);
}

/* A jump of the device's clock put the edit before the value it replaced. */
static void a_write_that_loses_to_what_its_author_saw_is_told(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 20, 0, "phone", text("1"));
	put(&s, BINH, 10, 1, "phone", text("2"));
	assert_text(&s, "phone", "1");
	assert_conflict(&s, "phone", "1", "2", true);
	end(&s);
}

static void concurrent_writes_of_different_fields_are_parallel(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, BINH, 20, 0, "address", text("2"));
	assert_true(s.last.is_parallel);
	assert_int_equal(s.last.conflict_count, 0);
	put(&s, CHI, 30, 2, "note", text("3"));
	assert_false(s.last.is_parallel);
	put(&s, ANA, 40, 1, "age", value_int(3));
	assert_true(s.last.is_parallel);
	end(&s);
}

static void an_own_earlier_field_is_not_parallel(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, ANA, 20, 0, "address", text("2"));
	assert_false(s.last.is_parallel);
	end(&s);
}

static void an_event_keeps_the_first_value_and_tells_the_second(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_EVENT);
	put(&s, ANA, 10, 0, "amount", value_int(100));
	put(&s, BINH, 20, 1, "amount", value_int(200));
	assert_int_equal(record_value(&s.record, "amount").integer, 100);
	assert_int_equal(s.last.conflict_count, 1);
	assert_true(s.last.conflicts[0].is_incoming_lost);
	assert_int_equal(s.last.conflicts[0].lost.value.integer, 200);
	assert_false(s.last.is_changed);
	end(&s);
}

static void an_event_takes_the_smaller_stamp_when_it_comes_late(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_EVENT);
	put(&s, BINH, 20, 0, "amount", value_int(200));
	put(&s, ANA, 10, 0, "amount", value_int(100));
	assert_int_equal(record_value(&s.record, "amount").integer, 100);
	assert_int_equal(s.last.conflict_count, 1);
	assert_false(s.last.conflicts[0].is_incoming_lost);
	assert_int_equal(s.last.conflicts[0].lost.value.integer, 200);
	end(&s);
}

static void an_event_tells_its_own_device_too(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_EVENT);
	put(&s, ANA, 10, 0, "amount", value_int(100));
	put(&s, ANA, 20, 1, "amount", value_int(200));
	assert_int_equal(record_value(&s.record, "amount").integer, 100);
	assert_int_equal(s.last.conflict_count, 1);
	end(&s);
}

static void our_five_fields_are_registers_in_events(UNUSED_STATE)
{
	static const char *const names[] = {RECORD_UNIT, RECORD_DELETED, RECORD_VOIDED,
					    RECORD_MERGED_INTO, RECORD_CORRECTS};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct scene s;

		begin(&s, MERGE_EVENT);
		put(&s, ANA, 10, 0, names[i], text("first"));
		put(&s, BINH, 20, 1, names[i], text("second"));
		assert_text(&s, names[i], "second");
		assert_int_equal(s.last.conflict_count, 0);
		end(&s);
	}
}

static void an_event_can_be_voided_and_that_be_undone(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_EVENT);
	put(&s, ANA, 10, 0, "amount", value_int(100));
	put(&s, BINH, 20, 1, RECORD_VOIDED, text("wrong person"));
	assert_true(record_is_voided(&s.record));
	put(&s, ANA, 30, 2, RECORD_VOIDED, VALUE_NONE);
	assert_false(record_is_voided(&s.record));
	assert_int_equal(s.last.conflict_count, 0);
	end(&s);
}

static void a_transfer_tells_where_the_record_was(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, RECORD_UNIT, value_int(5));
	assert_false(s.last.is_moved);
	put(&s, ANA, 20, 1, RECORD_UNIT, value_int(6));
	assert_true(s.last.is_moved);
	assert_int_equal(s.last.from_unit, 5);
	assert_int_equal(record_unit(&s.record), 6);
	put(&s, ANA, 30, 2, RECORD_UNIT, value_int(6));
	assert_false(s.last.is_moved);
	put(&s, ANA, 25, 2, RECORD_UNIT, value_int(7));
	assert_false(s.last.is_moved);
	end(&s);
}

static void an_edit_from_the_old_unit_lands(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, RECORD_UNIT, value_int(5));
	put(&s, OFFICE, 20, 1, RECORD_UNIT, value_int(6));
	put(&s, ANA, 30, 1, "phone", text("1"));
	assert_true(s.last.is_landed);
	assert_true(s.last.is_parallel);
	assert_false(s.last.is_moved);
	assert_int_equal(s.last.conflict_count, 0);
	assert_int_equal(record_unit(&s.record), 6);
	assert_text(&s, "phone", "1");
	put(&s, ANA, 40, 2, "phone", text("2"));
	assert_false(s.last.is_landed);
	end(&s);
}

static void of_two_transfers_the_later_stays_and_the_other_is_told(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, RECORD_UNIT, value_int(5));
	put(&s, OFFICE, 30, 1, RECORD_UNIT, value_int(6));
	put(&s, ANA, 20, 1, RECORD_UNIT, value_int(7));
	assert_int_equal(record_unit(&s.record), 6);
	assert_false(s.last.is_moved);
	assert_true(s.last.is_landed);
	assert_int_equal(s.last.conflict_count, 1);
	assert_int_equal(s.last.conflicts[0].lost.value.integer, 7);
	end(&s);
}

static void joining_a_double_is_undone_by_one_change(UNUSED_STATE)
{
	static const uint8_t other[ID_LEN] = {9};
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, OFFICE, 20, 1, RECORD_MERGED_INTO, value_bytes(bytes_of(other, ID_LEN)));
	assert_int_equal(record_value(&s.record, RECORD_MERGED_INTO).kind, VALUE_BYTES);
	assert_text(&s, "phone", "1");
	put(&s, OFFICE, 30, 2, RECORD_MERGED_INTO, VALUE_NONE);
	assert_int_equal(record_value(&s.record, RECORD_MERGED_INTO).kind, VALUE_NULL);
	end(&s);
}

static void fields_stay_sorted_wherever_new_ones_come_in(UNUSED_STATE)
{
	static const char *const names[] = {"m", "a", "z", "g", "aa", "zz", "n"};
	struct scene s;

	begin(&s, MERGE_REGISTER);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		put(&s, ANA, 10 + i, 0, names[i], value_int(1));
	assert_int_equal(s.record.count, 7);
	for (size_t i = 1; i < s.record.count; i++)
		assert_true(bytes_compare(s.record.fields[i - 1].name, s.record.fields[i].name) <
			    0);
	end(&s);
}

static void a_change_of_nothing_changes_nothing(UNUSED_STATE)
{
	struct scene s;
	struct change c;

	begin(&s, MERGE_REGISTER);
	c = change_of(&s, 0, &(struct write){0}, 0);
	apply(&s, ANA, 10, &c);
	assert_true(s.last.is_new);
	assert_false(s.last.is_changed);
	assert_int_equal(s.record.count, 0);
	put(&s, ANA, 20, 0, "phone", text("1"));
	apply(&s, BINH, 30, &c);
	assert_false(s.last.is_changed);
	assert_false(s.last.is_parallel);
	assert_int_equal(s.record.count, 1);
	end(&s);
}

static void the_record_before_is_not_touched(UNUSED_STATE)
{
	struct scene s;
	struct buf was = {0};
	struct buf is = {0};

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	struct record before = s.record;

	record_canonical(&before, &was);
	put(&s, BINH, 20, 0, "phone", text("2"));
	record_canonical(&before, &is);
	assert_true(bytes_equal(buf_bytes(&was), buf_bytes(&is)));
	buf_clear(&was);
	buf_clear(&is);
	end(&s);
}

static struct record state_of(struct field *fields, size_t count)
{
	return (struct record){BYTES_LIT("person"), {{7}}, fields, count};
}

static void joining_states_takes_each_winner_with_its_log_number(UNUSED_STATE)
{
	struct arena a = {0};
	struct field mine[] = {{BYTES_LIT("a"), text("1"), {10, ANA}, 3},
			       {BYTES_LIT("b"), text("2"), {30, ANA}, 9},
			       {BYTES_LIT("c"), text("3"), {10, ANA}, 0}};
	struct field theirs[] = {{BYTES_LIT("b"), text("9"), {20, BINH}, 99},
				 {BYTES_LIT("c"), text("3"), {10, ANA}, 5},
				 {BYTES_LIT("d"), text("4"), {10, BINH}, 6}};
	struct record left = state_of(mine, 3);
	struct record right = state_of(theirs, 3);

	for (int turn = 0; turn < 2; turn++) {
		struct record r = turn == 0 ? merge_states(&a, MERGE_REGISTER, &left, &right)
					    : merge_states(&a, MERGE_REGISTER, &right, &left);

		assert_int_equal(r.count, 4);
		assert_int_equal(r.fields[0].log, 3);
		assert_true(bytes_is(r.fields[1].value.bytes, "2"));
		assert_int_equal(r.fields[1].log, 9);
		assert_int_equal(r.fields[2].log, 5);
		assert_int_equal(r.fields[3].log, 6);
	}
	arena_clear(&a);
}

static void joining_states_of_an_event_takes_the_smaller_stamp(UNUSED_STATE)
{
	struct arena a = {0};
	struct field mine[] = {{BYTES_LIT("amount"), text("1"), {10, ANA}, 3},
			       {BYTES_LIT("unit"), value_int(1), {10, ANA}, 3}};
	struct field theirs[] = {{BYTES_LIT("amount"), text("2"), {20, ANA}, 4},
				 {BYTES_LIT("unit"), value_int(2), {20, ANA}, 4}};
	struct record left = state_of(mine, 2);
	struct record right = state_of(theirs, 2);
	struct record r = merge_states(&a, MERGE_EVENT, &left, &right);

	assert_true(bytes_is(r.fields[0].value.bytes, "1"));
	assert_int_equal(r.fields[1].value.integer, 2);
	arena_clear(&a);
}

static void joining_with_an_empty_state_gives_the_other(UNUSED_STATE)
{
	struct arena a = {0};
	struct field mine[] = {{BYTES_LIT("a"), text("1"), {10, ANA}, 3}};
	struct record left = state_of(mine, 1);
	struct record right = state_of(mine, 0);

	assert_int_equal(merge_states(&a, MERGE_REGISTER, &left, &right).count, 1);
	assert_int_equal(merge_states(&a, MERGE_REGISTER, &right, &left).count, 1);
	assert_int_equal(merge_states(&a, MERGE_REGISTER, &right, &right).count, 0);
	arena_clear(&a);
}

/* Merges in a child; did it abort? */
static bool aborts(const struct record *before, const struct change *c)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct arena a = {0};

		(void)close(STDERR_FILENO); /* the check's line belongs to no failure */
		(void)merge_change(&a, MERGE_REGISTER, before, c, (struct stamp){10, ANA}, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void what_the_caller_must_have_checked_aborts(UNUSED_STATE)
{
	struct write writes[] = {{BYTES_LIT("b"), text("1")}, {BYTES_LIT("a"), text("1")}};
	struct change c = {.type = BYTES_LIT("person"), .id = {{7}}, .writes = writes, .count = 2};
	struct record before = state_of(NULL, 0);

	assert_true(aborts(&before, &c));
	writes[1].name = writes[0].name;
	assert_true(aborts(&before, &c));
	c.count = 1;
	assert_false(aborts(&before, &c));
	c.id.bytes[0] = 8;
	assert_true(aborts(&before, &c));
	c.id = before.id;
	c.type = BYTES_LIT("case");
	assert_true(aborts(&before, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_change_makes_the_record),
		cmocka_unit_test(the_greater_stamp_wins_in_either_order),
		cmocka_unit_test(equal_clocks_are_decided_by_the_device),
		cmocka_unit_test(a_write_of_what_its_author_saw_is_no_conflict),
		cmocka_unit_test(a_concurrent_write_that_wins_tells_the_value_that_was_there),
		cmocka_unit_test(a_concurrent_write_that_loses_is_told),
		cmocka_unit_test(
			concurrent_writes_of_one_value_are_no_conflict_and_keep_the_greater_stamp),
		cmocka_unit_test(of_three_concurrent_writes_two_are_told_in_either_order),
		cmocka_unit_test(the_same_write_again_changes_nothing_not_even_the_log_number),
		cmocka_unit_test(two_values_under_one_stamp_end_alike_and_are_told),
		cmocka_unit_test(a_device_does_not_conflict_with_itself),
		cmocka_unit_test(the_base_bounds_what_was_seen_exactly),
		cmocka_unit_test(a_write_that_loses_to_what_its_author_saw_is_told),
		cmocka_unit_test(concurrent_writes_of_different_fields_are_parallel),
		cmocka_unit_test(an_own_earlier_field_is_not_parallel),
		cmocka_unit_test(an_event_keeps_the_first_value_and_tells_the_second),
		cmocka_unit_test(an_event_takes_the_smaller_stamp_when_it_comes_late),
		cmocka_unit_test(an_event_tells_its_own_device_too),
		cmocka_unit_test(our_five_fields_are_registers_in_events),
		cmocka_unit_test(an_event_can_be_voided_and_that_be_undone),
		cmocka_unit_test(a_transfer_tells_where_the_record_was),
		cmocka_unit_test(an_edit_from_the_old_unit_lands),
		cmocka_unit_test(of_two_transfers_the_later_stays_and_the_other_is_told),
		cmocka_unit_test(joining_a_double_is_undone_by_one_change),
		cmocka_unit_test(fields_stay_sorted_wherever_new_ones_come_in),
		cmocka_unit_test(a_change_of_nothing_changes_nothing),
		cmocka_unit_test(the_record_before_is_not_touched),
		cmocka_unit_test(joining_states_takes_each_winner_with_its_log_number),
		cmocka_unit_test(joining_states_of_an_event_takes_the_smaller_stamp),
		cmocka_unit_test(joining_with_an_empty_state_gives_the_other),
		cmocka_unit_test(what_the_caller_must_have_checked_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
